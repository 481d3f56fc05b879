#!/usr/bin/python3
"""Files that hang on papers: up from whoever drafts or registers, once for the county, in chunks that go on where they stopped; judged by what
they are and not by what they are called; down to whom the paper was sent and to nobody else; found by their words. A hostile file costs a
moment of a process of its own."""
import hashlib
import os
import random
import subprocess
import time
import zipfile

from harness import Cases, Server
from terminal import at_terminal

DRAFT = "标题：关于开展%s的通知\n文种：通知\n公开：主动公开\n主送：%s\n%s---\n请各校认真落实。\n"
P1, P2, J = "2132990001", "2132990002", "3132990001"
cases = Cases()


def docx(path, text, fill=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("[Content_Types].xml", "<Types/>")
        body = "".join("<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % line for line in text.split("\n"))
        with out.open("word/document.xml", "w") as part:
            part.write(('<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s' % body).encode())
            for _ in range(fill or 0):
                part.write(b" " * (1 << 20))
            part.write(b"</w:body></w:document>")
    return path


def pdf(path, text, script=None):
    objects = ["<< /Type /Catalog /Pages 2 0 R%s >>" % (" /OpenAction 6 0 R" if script else ""), "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"]
    stream = "BT /F1 12 Tf 20 200 Td (%s) Tj ET" % text
    objects += ["<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    objects += ["<< /S /JavaScript /JS (%s) >>" % script] if script else []
    out, at = "%PDF-1.4\n", []
    for n, body in enumerate(objects, 1):
        at.append(len(out))
        out += "%d 0 obj\n%s\nendobj\n" % (n, body)
    table = "".join("%010d 00000 n \n" % a for a in at)
    with open(path, "w") as file:
        file.write("%sxref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                   % (out, len(objects) + 1, table, len(objects) + 1, len(out)))
    return path


def wait(what, good, seconds=20):
    for _ in range(seconds * 10):
        found = what()
        if good(found):
            return found
        time.sleep(0.1)
    return found


with Server() as server:
    office, leader, edu, other = server.bureau("office"), server.bureau("leader"), server.bureau("basic_edu"), server.bureau("supervision")
    here = lambda name: os.path.join(server.dir, name)  # noqa: E731
    with open(here("schools.csv"), "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者\n%s,演练县第一小学,211,831\n%s,演练县第二小学,211,831\n%s,演练县第一初级中学,311,831\n" % (P1, P2, J))
    edu.ok("schools", "import", here("schools.csv"))
    first, second, third = server.school(P1, "head"), server.school(P2, "clerk"), server.school(J, "head")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "series", "add", "洪教发")
    office.ok("documents", "orgs", "set", "市教育局", "--relation", "superior")

    def write(name, matter, to="小学", lines=""):
        with open(here(name), "w") as out:
            out.write(DRAFT % (matter, to, lines))
        return here(name)

    def draft(matter, names, *files, to="小学", lines=""):
        text = write("稿.txt", matter, to, lines + ("附件：%s\n" % "；".join(names) if names else ""))
        return edu.ok("documents", "draft", text, "--signer", leader.user, *sum((("--attach", f) for f in files), ()))["id"]

    def refusal(result):
        return result.code, (result.json.get("error") or {}).get("field")

    def submit(id):
        return refusal(edu.run("documents", "submit", id, "--json"))

    def issue(id, *more):
        edu.ok("documents", "submit", id)
        office.ok("documents", "approve", id)
        leader.ok("documents", "sign", id)
        office.ok("documents", "recheck", id)
        number = office.ok("documents", "number", id, "--series", "洪教发")["number"]
        for words in (("press", number, "--copies", "3"), ("proof", "pass", number), ("seal", number, "--count", "3"), ("issue", number, *more)):
            office.ok("documents", *words)
        return number

    def hashed(path):
        return hashlib.sha256(open(path, "rb").read()).hexdigest()

    def found(who, text):
        return {d["id"] for d in who.ok("documents", "search", text)}

    # ---- what is refused (R17), each cause
    plan, table = docx(here("安全检查方案.docx"), "逐一排查消防通道\n第二段"), here("任务分解表.csv")
    with open(table, "wb") as out:
        out.write("学校,责任人\n第一小学,王老师\n".encode("gb18030"))
    good = draft("校园安全检查", ["安全检查方案", "任务分解表"], plan, table)
    shown = edu.ok("documents", "show", good)
    cases.equal("what hangs on a draft is listed with its hash", [(f["name"], f["sha256"]) for f in shown["attachments"]],
                [("安全检查方案.docx", hashed(plan)), ("任务分解表.csv", hashed(table))])
    cases.equal("a name without a file", submit(draft("检查甲", ["安全检查方案"])), (3, "R17"))
    cases.equal("a file without a name", submit(draft("检查乙", [], plan)), (3, "R17"))
    cases.equal("another file than is named", submit(draft("检查丙", ["任务分解表"], plan)), (3, "R17"))
    os.rename(here("任务分解表.csv"), here("任务分解表.pdf"))
    lying = edu.run("documents", "draft", write("稿.txt", "检查丁", lines="附件：任务分解表\n"), "--signer", leader.user, "--attach", here("任务分解表.pdf"), "--json")
    cases.check("who attaches it is warned at once", lying.code == 0 and "扩展名" in lying.err, repr(lying))
    cases.equal("a table that is called pdf", submit(lying.json["id"]), (3, "R17"))
    os.rename(here("任务分解表.pdf"), table)
    with open(here("残.docx"), "wb") as out:
        out.write(open(plan, "rb").read()[:-30])
    cases.equal("a document that is cut off", submit(draft("检查戊", ["残"], here("残.docx"))), (3, "R17"))
    with open(here("程序.txt"), "wb") as out:
        out.write(b"MZ\0\0" + bytes(1000))
    cases.equal("a program that is called txt", submit(draft("检查己", ["程序"], here("程序.txt"))), (3, "R17"))
    cases.equal("what comes in with one is not registered", refusal(office.run("documents", "register", "--from", "市教育局", "--title", "关于检查的通知", "--attach", here("程序.txt"), "--json")), (3, "R17"))
    cases.equal("a file of no bytes", edu.run("documents", "draft", here("稿.txt"), "--signer", leader.user, "--attach", "/dev/null").code, 1)
    cases.equal("51 files are too many", edu.run("documents", "draft", here("稿.txt"), "--signer", leader.user, *["--attach", table] * 51).code != 0, True)
    letter = office.ok("documents", "register", "--from", "市教育局", "--title", "关于检查的通知", "--attach", plan)
    cases.equal("what came in shows its files", [f["name"] for f in office.ok("documents", "show", letter["id"])["attachments"]], ["安全检查方案.docx"])
    cases.equal("a draft with what it names goes on", submit(good), (0, None))

    # ---- to schools, once
    edu.ok("documents", "withdraw", good)
    number = issue(good)
    mine = wait(lambda: (first.ok("sync"), first.ok("documents", "list"))[1], bool)
    cases.equal("the school sees which files it has", [f["name"] for f in mine[0]["attachments"]], ["安全检查方案.docx", "任务分解表.csv"])
    first.ok("documents", "show", number, "--files", here("到校"))
    cases.equal("and fetches them whole", [hashed(here("到校/" + n)) for n in ("安全检查方案.docx", "任务分解表.csv")], [hashed(plan), hashed(table)])
    wait(lambda: (second.ok("sync"), second.ok("documents", "list"))[1], bool)
    second.ok("documents", "show", number, "--files", here("到校二"))
    cases.equal("they stand once in the county for three papers and two schools",
                server.psql("SELECT count(*) FROM blob WHERE sha = '\\x%s'; SELECT count(*) FROM blob_chunk WHERE sha = '\\x%s'" % ((hashed(plan),) * 2)).split(), ["1", "1"])
    third.ok("sync")
    cases.equal("a school that it was not sent to has nothing of it", third.ok("documents", "list"), [])

    # ---- 10 MiB, cut and gone on with
    big, rng = here("影像.png"), random.Random(7)
    with open(big, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + rng.randbytes((10 << 20) - 8 - 8) + b"IEND\xaeB`\x82")
    text = write("大.txt", "影像报送", lines="附件：影像\n")
    for part in (3, 11, 25):
        run = edu.run("documents", "draft", text, "--signer", leader.user, "--attach", big, env={"JG_FAULT": "jg:file-sent:%d" % part})
        cases.check("an upload was ended behind a chunk", run.code != 0, repr(run))
    have = int(server.psql("SELECT count(*) FROM blob_chunk WHERE sha = '\\x%s'" % hashed(big)))
    cases.check("what had arrived stays", 25 <= have < 40, str(have))
    film = edu.ok("documents", "draft", text, "--signer", leader.user, "--attach", big)["id"]
    cases.equal("and the rest follows", server.psql("SELECT complete FROM blob WHERE sha = '\\x%s'" % hashed(big)), "t")
    cases.equal("it is not too large", submit(film), (0, None))
    os.makedirs(here("取"))
    with open(here("取/.%s.part" % hashed(big)), "wb") as out:
        out.write(open(big, "rb").read()[:(5 << 20) + 1000])
    office.ok("documents", "show", film, "--files", here("取"))
    cases.equal("a download goes on from what is there", (hashed(here("取/影像.png")), os.listdir(here("取"))), (hashed(big), ["影像.png"]))
    with open(here("更大.txt"), "wb") as out:
        out.write(b"a" * ((10 << 20) + 1))
    cases.equal("more than 10 MiB is refused here", edu.run("documents", "draft", text, "--signer", leader.user, "--attach", here("更大.txt"), "--json").json["error"]["code"], "TOO_LARGE")

    # ---- each version has its own
    def files(id):
        return [f["name"] for f in edu.ok("documents", "show", id)["attachments"]]

    def digest(title, to, body, *paths):
        lines = "jg document version\ntitle=%s\ngenre=通知\nto=%s\ncc=\ntext=%s\n" % (title, to, hashlib.sha256(body.encode()).hexdigest())
        return hashlib.sha256((lines + "".join("file=%s %s\n" % (hashed(p), os.path.basename(p)) for p in paths)).encode()).hexdigest()

    cases.equal("the digest is of text and files", mine[0]["digest"], digest("关于开展校园安全检查的通知", "小学", "请各校认真落实。", plan, table))
    turned = draft("逐版附件", ["安全检查方案"], plan)
    edu.ok("documents", "edit", turned, write("稿.txt", "逐版附件", lines="附件：安全检查方案；任务分解表\n"))
    cases.equal("what nothing is said of stays", files(turned), ["安全检查方案.docx"])
    edu.ok("documents", "edit", turned, "--attach", table)
    cases.equal("what is attached takes its place", files(turned), ["任务分解表.csv"])
    edu.ok("documents", "edit", turned, "--detach")
    cases.equal("or nothing does", files(turned), [])
    edu.ok("documents", "edit", turned, write("稿.txt", "逐版附件", lines="附件：安全检查方案\n"), "--attach", plan)
    edu.ok("documents", "submit", turned)
    office.ok("documents", "approve", turned)
    leader.ok("documents", "sign", turned)
    with open(here("稿.txt")) as text:
        form = text.read().replace("落实。", "落实！")
    with open(here("稿.txt"), "w") as out:
        out.write(form)
    cases.equal("a change of form keeps its files", office.ok("documents", "change", turned, here("稿.txt"), "--reason", "标点")["state"], "rechecking")
    os.makedirs(here("新"))
    newer = docx(here("新/安全检查方案.docx"), "第二稿：加上用电")
    cases.equal("a change with a name that has no file is refused", refusal(office.run("documents", "change", turned, here("稿.txt"), "--reason", "去掉", "--detach", "--json")), (3, "R17"))
    cases.equal("another file of the same name is one of substance", office.ok("documents", "change", turned, here("稿.txt"), "--reason", "附件更新", "--attach", newer)["state"], "signing")
    corrected = write("稿.txt", "校园安全检查", lines="附件：安全检查方案\n")
    edu.ok("documents", "reissue", number, corrected, "--reason", "方案有误", "--attach", newer)
    leader.ok("documents", "sign", number)
    office.ok("documents", "recheck", number)
    for words in (("press", number, "--copies", "3"), ("proof", "pass", number), ("seal", number, "--count", "3"), ("issue", number)):
        office.ok("documents", *words)
    wait(lambda: (first.run("sync"), first.ok("documents", "list"))[1], lambda d: next(x for x in d if x["number"] == number)["version"] == 2)
    first.ok("documents", "show", number, "--files", here("更正"))
    cases.equal("schools get the file of the version that was issued anew", (os.listdir(here("更正")), hashed(here("更正/安全检查方案.docx"))), (["安全检查方案.docx"], hashed(newer)))
    cases.check("the paper is found by its words", good in found(edu, "加上用电") and good not in found(edu, "王老师"))

    # ---- on paper
    with open(here("任务安排.txt"), "wb") as out:
        out.write("任务安排表\r\n第一小学负责消防。\r\n第二小学负责用电。\r\n".encode("gb18030"))
    printed = issue(draft("任务安排", ["安全检查方案", "任务安排"], plan, here("任务安排.txt")))
    pages = office.ok("documents", "print", printed, "-o", here("有附件.pdf"))["pages"]
    texts = [subprocess.run(["pdftotext", "-layout", "-f", str(n), "-l", str(n), here("有附件.pdf"), "-"], capture_output=True, text=True).stdout for n in range(1, pages + 1)]
    cases.check("the paper names what hangs on it", "1.安全检查方案" in texts[0].replace(" ", "") and "2.任务安排" in texts[0].replace(" ", ""), texts[0])
    cases.check("a text stands behind it on a page of its own", "附件2" in texts[1] and "任务安排表" in texts[1] and "第二小学负责用电。" in texts[1], texts[1])

    # ---- a school answers with a file
    asked = issue(draft("隐患台账报送", [], lines="反馈：隐患数|number\n反馈：隐患台账|file\n反馈：整改照片|file\n"), "--feedback-due", time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * 20)))
    wait(lambda: (first.ok("sync"), first.ok("documents", "list"))[1], lambda d: any(x["number"] == asked for x in d))
    first.ok("documents", "sign", asked)
    cases.check("what wants a file says so", "隐患台账（附文件" in first.run("documents", "show", asked).out)
    short = first.run("documents", "answer", asked, "q1=2", "--file", table, "--json")
    cases.equal("an answer without one of its files is refused", (short.code, short.json["error"]["code"]), (3, "RULE"))
    cases.equal("so is a word in place of one", first.run("documents", "answer", asked, "q1=2", "q2=见附件", "q3=见附件").code, 3)
    cases.equal("and a file that nothing asks for", first.run("documents", "answer", asked, "q1=2", "--file", table, "--file", plan, "--file", table).code, 2)
    first.ok("documents", "answer", asked, "q1=2", "q3", "q2", "--file", plan, "--file", table)
    row = next(r for r in office.ok("documents", "deliveries", asked) if r["school"] == P1)
    cases.equal("its files are named by their hashes", row["answer"], {"q1": "2", "q2": hashed(table) + " 任务分解表.csv", "q3": hashed(plan) + " 安全检查方案.docx"})
    told = office.run("documents", "deliveries", asked, "--files", here("台账")).out
    cases.equal("the bureau fetches them under the school's name", {n: hashed(here("台账/" + n)) for n in os.listdir(here("台账"))},
                {"演练县第一小学-任务分解表.csv": hashed(table), "演练县第一小学-安全检查方案.docx": hashed(plan)})
    cases.check("the list shows their names", "任务分解表.csv" in told and hashed(table) not in told, told)

    # ---- what a paper costs schools, and what they were asked before (R22)
    again = draft("隐患再报", [], lines="反馈：隐患 数。|number\n反馈：检查日期|date@2026年\n反馈：情况|text\n反馈：是否整改|choice|是,否\n")
    cost = office.ok("documents", "cost", again)
    cases.equal("its minutes", {k: cost[k] for k in ("schools", "questions", "minutes_per_school", "minutes_total")},
                {"schools": 2, "questions": 4, "minutes_per_school": 1 + 1 + 2 + 1 + 5 + 1, "minutes_total": 22})
    cases.equal("what reached the most burdened school this week", cost["this_week"], {"documents": 3, "questions": 3})
    cases.equal("a question is known again by its words", [(r["label"], r["number"]) for r in cost["repeats"]], [("隐患 数。", asked)])
    elsewhere = draft("隐患数报送", [], to=J, lines="反馈：隐患数|number\n")
    cases.equal("another school was not asked", office.ok("documents", "cost", elsewhere)["repeats"], [])
    told = office.run("documents", "cost", again).out
    cases.check("a clerk reads it in words", "每校约 11 分钟" in told and "已在 %s" % asked in told, told)
    office.ok("documents", "settings", "set", "cost.text", "8")
    cases.equal("a setting counts from its day on", office.ok("documents", "cost", again)["minutes_per_school"], 14)
    edu.ok("documents", "submit", again)
    office.ok("documents", "approve", again)
    leader.ok("documents", "sign", again)
    office.ok("documents", "recheck", again)
    again = office.ok("documents", "number", again, "--series", "洪教发")["number"]
    for words in (("press", again, "--copies", "3"), ("proof", "pass", again), ("seal", again, "--count", "3")):
        office.ok("documents", *words)
    soon = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * 20))
    cases.equal("it is not asked twice", refusal(office.run("documents", "issue", again, "--feedback-due", soon, "--json")), (3, "R22"))
    cases.equal("nor without saying why", refusal(office.run("documents", "issue", again, "--feedback-due", soon, "--again", "--json")), (3, "R22"))
    code, screen = at_terminal(office, "documents", "issue", again, "--feedback-due", soon, "--again", "--reason", "数字有变", say="no\n")
    cases.check("at a terminal it is said what it costs, and a no is a no", code == 3 and "每校约 14 分钟" in screen and "已在 %s" % asked in screen, screen)
    code, screen = at_terminal(office, "documents", "issue", again, "--feedback-due", soon, "--again", "--reason", "数字有变", say="印发\n")
    cases.equal("a yes issues it", code, 0)
    cases.equal("why stands in the trace", office.ok("documents", "show", again)["trace"][-1]["text"], "数字有变")
    leader.ok("documents", "recall", again, "--reason", "与上级要求不符")
    cases.equal("what was recalled was not asked", [r["number"] for r in office.ok("documents", "cost", elsewhere)["repeats"]], [])

    # ---- found by their words
    two = draft("两个附件", ["安全检查方案", "任务分解表"], plan, table)
    cases.equal("papers are found by a word of a file", found(edu, "消防通道") >= {two, letter["id"]}, True)
    cases.check("also of a table in GB 18030, of two files two words", two in found(edu, "消防通道 王老师"))
    secret = draft("内部检查", ["安全检查方案"], plan, to="小学", lines="标识：内部\n")
    cases.check("a marked paper is found by its drafter", secret in found(edu, "排查消防"))
    cases.check("and by nobody who may not read it", secret not in found(other, "排查消防"))
    cases.equal("who then fetches nothing of it either", other.run("documents", "show", secret, "--files", here("外")).code, 3)

    # ---- hostile files: a moment of another process
    hostile = {"炸弹.docx": docx(here("炸弹.docx"), "开头的字", fill=1500), "脚本.pdf": pdf(here("脚本.pdf"), "Script inside", "app.launchURL\\(\"http://127.0.0.1/\"\\)")}
    with open(here("循环.pdf"), "w") as out:
        out.write("%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2000000000 >>\nendobj\n"
                  "trailer << /Size 3 /Root 1 0 R >>\n%%EOF\n")
    with zipfile.ZipFile(here("实体.docx"), "w", zipfile.ZIP_DEFLATED) as out:
        entities = "".join('<!ENTITY e%d "%s">' % (i, "&e%d;" % (i - 1) * 10 if i else "哈") for i in range(12))
        out.writestr("word/document.xml", '<!DOCTYPE d [%s]><d xmlns:w="u"><w:t>&e11;</w:t></d>' % entities)
    hostile.update({"循环.pdf": here("循环.pdf"), "实体.docx": here("实体.docx")})
    pid = server.process.pid
    resident = lambda: int(next(line for line in open("/proc/%d/status" % pid) if line.startswith("VmHWM")).split()[1]) // 1024  # noqa: E731
    before = resident()
    cases.equal("hostile files hang on a paper like others", submit(draft("四种文件", [n.rsplit(".", 1)[0] for n in hostile], *hostile.values())), (0, None))
    cases.check("they cost the server little memory", resident() - before < 64, "%d MiB" % (resident() - before))
    cases.check("what a bomb says before it is stopped is found", found(edu, "开头的字"))
    cases.check("words of a PDF with a script are found", found(edu, "script inside"))
    cases.equal("nothing of it runs on", subprocess.run(["pgrep", "-f", here("")], capture_output=True, text=True).stdout.split().count("pdftotext"), 0)

    # ---- a scanner
    with open(here("查毒"), "w") as out:
        out.write("#!/bin/sh\ngrep -q 毒 \"$1\" && exit 1\ngrep -q 坏 \"$1\" && exit 7\nexit 0\n")
    os.chmod(here("查毒"), 0o755)
    server.stop()
    server.change_settings(scan=here("查毒"))
    server.start()
    for name, text, wanted in (("净", "干净", (0, None)), ("毒", "有毒", (3, "R17")), ("坏", "坏的扫描", (3, "R17"))):
        with open(here(name + ".txt"), "w") as out:
            out.write(text)
        cases.equal("a file that the scanner finds %s" % text, submit(draft("查毒" + name, [name], here(name + ".txt"))), wanted)
    cases.equal("what nobody had scanned is scanned when it is attached again", submit(draft("再查", ["安全检查方案"], plan)), (0, None))
    cases.equal("no copy of it is left", [f for f in os.listdir(server.data) if f.startswith("scan-")], [])
cases.close()
