#!/usr/bin/python3
"""A paper's package for an archive: what is in it, what its four checks find, and that a second verifier which shares no code (verify_document.py) finds the same: a word changed, an
entry dropped, two swapped, a time moved, the tail cut, a file replaced. No network is needed: the server is stopped."""
import base64
import json
import os
import subprocess
import time
import zipfile

import verify_document
from harness import Cases, Server

cases = Cases()
DRAFT = "标题：关于归档检查的通知\n文种：通知\n公开：主动公开\n主送：全县学校\n附件：检查表；说明\n反馈：灭火器|number\n---\n请检查。\n一、时间\n九月。\n"


def lines_of(text):
    return text.decode().splitlines()


def again(path, to, change):
    """The package with its files changed by one hand; change(files) gets {name: bytes}."""
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as new:
        for name, data in files.items():
            new.writestr(name, data)


def entry(line, key, old, new):
    """A line of the trace with a word of its intent or entry changed."""
    x = json.loads(line)
    data = base64.b64decode(x[key])
    if old not in data:
        raise SystemExit("nothing to change: %r in %r" % (old, data))
    x[key] = base64.b64encode(data.replace(old, new, 1)).decode()
    return json.dumps(x)


def trace(change):
    def do(files):
        files["trace.jsonl"] = ("\n".join(change(lines_of(files["trace.jsonl"]))) + "\n").encode()
    return do


def replaced(lines, n, line):
    return lines[:n] + [line] + lines[n + 1:]


def swapped(lines):
    return lines[:2] + [lines[3], lines[2]] + lines[4:]


def file_replaced(files):
    name = next(n for n in files if n.endswith("定稿.txt"))
    files[name] = files[name].replace("九月".encode(), "十月".encode())


def attachment_replaced(files):
    name = next(n for n in files if n.endswith("附件.csv"))
    files[name] = files[name].replace(b"1", b"2")


def listed_anew(files):
    """The list made to fit, as somebody would who has no key of the server's."""
    files["manifest-sha256.txt"] = "".join("%s  %s\n" % (verify_document.sha(files[n]), n) for n in sorted(files, key=lambda x: x.encode()) if not n.startswith("manifest")).encode()


def both(*changes):
    def do(files):
        for change in changes:
            change(files)
    return do


def beside(name, change):
    def do(files):
        files[name] = ("\n".join(change(lines_of(files[name]))) + "\n").encode()
    return do


def forged(line, **fields):
    return json.dumps({**json.loads(line), **fields})


TAMPERED = [("a word changed", trace(lambda l: replaced(l, 2, entry(l[2], "intent", b"event=", b"event=x"))), 3),
            ("who did it changed", trace(lambda l: replaced(l, 1, entry(l[1], "intent", b"by=", b"by=x"))), 2),
            ("an entry dropped", trace(lambda l: l[:3] + l[4:]), 4),
            ("two swapped", trace(swapped), 3),
            ("a time moved", trace(lambda l: replaced(l, 4, entry(l[4], "entry", b"at=20", b"at=19"))), 5),
            ("a state moved", trace(lambda l: replaced(l, 4, entry(l[4], "entry", b"state=", b"state=x"))), 5),
            ("no entry at all", trace(lambda l: ["{}"]), 1)]
# The trace alone is good; what is wrong is found by the list of files, or by what was signed for.
WHOLE = [("the tail cut", trace(lambda l: l[:-1])), ("a file replaced", file_replaced), ("an attachment replaced", attachment_replaced),
         ("a file replaced and listed", both(file_replaced, listed_anew)), ("the tail cut and listed", both(trace(lambda l: l[:-1]), listed_anew)),
         ("an order's entry dropped and listed", both(beside("matters.jsonl", lambda l: l[:1] + l[2:]), listed_anew)), ("an order's words changed and listed", both(beside("matters.jsonl", lambda l: [forged(l[0], given="title=算了\n")] + l[1:]), listed_anew))]


def issued(server, office, leader, edu, clerk):
    for name, text in (("检查表.csv", "项目,数\n消防,1\n"), ("说明.txt", "说明\n" + "请照此填报。\n" * 8000)):
        with open(os.path.join(server.dir, name), "w") as out:
            out.write(text)
    path = os.path.join(server.dir, "通知.txt")
    with open(path, "w") as out:
        out.write(DRAFT)
    paper = edu.ok("documents", "draft", path, "--signer", leader.user, "--attach", os.path.join(server.dir, "检查表.csv"), "--attach", os.path.join(server.dir, "说明.txt"))["id"]
    edu.ok("documents", "submit", paper)
    office.ok("documents", "return", paper, "--reason", "再核一遍")
    edu.ok("documents", "edit", paper, path)
    edu.ok("documents", "submit", paper)
    office.ok("documents", "approve", paper)
    leader.ok("documents", "sign", paper, "--text", "同意，印发。")
    office.ok("documents", "recheck", paper)
    number = office.ok("documents", "number", paper, "--series", "洪教发")["number"]
    for words in (("press", number, "--copies", "20"), ("proof", "pass", number), ("seal", number, "--count", "20"), ("issue", number, "--feedback-due", "2027-12-10")):
        office.ok("documents", *words)
    arrived(clerk, number)
    server.stop()  # a school says all of it with its line down, and signs it there
    for words in (("read",), ("sign",), ("answer", "q1=12")):
        clerk.ok("documents", words[0], number, *words[1:], code=4)
    server.start()
    clerk.ok("sync")
    edu.ok("documents", "feedback", "accept", number, "2132999001")
    order = leader.ok("documents", "orders", "add", number, "--title", "换灭火器", "--to", edu.user)["number"]
    edu.ok("documents", "orders", "answer", order, "--text", "已换新")
    leader.ok("documents", "orders", "return", order, "--reason", "写明时间")
    edu.ok("documents", "orders", "answer", order, "--text", "九月一日已换新")
    leader.ok("documents", "orders", "accept", order)
    leader.ok("documents", "close", number, "--force", "--reason", "演练")
    office.ok("documents", "archive", number, "--slot", "2柜3层")
    return number


def arrived(clerk, number):
    for _ in range(60):
        clerk.ok("sync")
        if any(d["number"] == number for d in clerk.ok("documents", "list")):
            return
        time.sleep(0.25)


def received(office, leader, edu):
    letter = office.ok("documents", "register", "--from", "市教育局", "--title", "关于归档检查的通知", "--kind", "phone", "--caller", "王科长", "--phone", "0000-0000000",
                       "--matter", "明日检查，<请> & 准备。")["number"]
    office.ok("documents", "accept", letter)
    office.ok("documents", "propose", letter, "--opinion", "请批示" * 300, "--leader", leader.user)
    leader.ok("documents", "instruct", letter, "--text", "请办理", "--lead", edu.user, "--assist", office.user, "--due", "2027-12-10")
    office.ok("documents", "report", letter, "--text", "已协办")
    edu.ok("documents", "finish", letter, "--text", "已办")
    office.ok("documents", "approve", letter)
    office.ok("documents", "archive", letter, "--slot", "1柜")
    return letter


def verified(edu, path):
    run = edu.run("documents", "verify", path)
    return run.code, json.loads(edu.run("--json", "documents", "verify", path).out)


def contents(path, number):
    with zipfile.ZipFile(path) as package:
        cases.check("it is stored, not packed", all(i.compress_type == zipfile.ZIP_STORED for i in package.infolist()))
        names = package.namelist()
        roles = [n[len("文件/"):] for n in sorted(names) if n.startswith("文件/")]
        cases.equal("its files are in the order of the contract", roles, ["001-处理单.pdf", "002-正本.pdf", "003-附件.csv", "004-附件.txt", "005-定稿.txt"])
        cases.check("its certificates, list and signature are there", {"封装包.xml", "trace.jsonl", "certs/ca.pem", "certs/server.pem", "manifest-sha256.txt", "manifest-sha256.sig"} <= set(names), str(names))
        xml = package.read("封装包.xml").decode()
        for want in ("<文件编号>%s</文件编号>" % number, "<保管期限>D30</保管期限>", "<机构或问题>JJK</机构或问题>", "-D30-JJK-0001</档号>", "<存放位置>2柜3层</存放位置>", "<原文件名>检查表.csv</原文件名>"):
            cases.check("its description has %s" % want, want in xml, xml)
        done = subprocess.run(["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], cwd=extracted(package, path), capture_output=True, text=True)
        cases.check("sha256sum reads its list", done.returncode == 0, done.stdout + done.stderr)


def extracted(package, path):
    package.extractall(path + ".d")
    return path + ".d"


def cut_tail(server, number):
    """As who has the database and the server's key may do it: the last entry goes, and nothing that stays needs another signature."""
    server.psql("""SET session_replication_role = replica; DELETE FROM document_trace t USING document d WHERE d.number = '%s' AND t.document = d.id AND t.n = d.trace_n;
        UPDATE document d SET trace_n = t.n, trace_head = t.head, state = t.state, told_n = t.n FROM document_trace t
        WHERE d.number = '%s' AND t.document = d.id AND t.n = d.trace_n - 1""" % (number, number))


def witnessed(server, clerk, office, out):
    """A school is told of the trace's end when the paper is archived, and sees what is cut from it since."""
    entries = edu.ok("documents", "verify", out)["entries"]
    for _ in range(60):
        clerk.ok("sync")
        seen = clerk.run("documents", "verify", out)
        if "第 %d 条" % entries in seen.out:
            break
        time.sleep(0.25)
    cases.check("a school is witness of the whole trace", seen.code == 0 and "第 %d 条" % entries in seen.out, repr(seen))
    cut_tail(server, number)
    cut = os.path.join(server.dir, "删去.zip")
    office.ok("documents", "export", number, "-o", cut)
    cases.equal("what was cut and sealed anew by the server's key looks whole to who was told nothing", edu.run("documents", "verify", cut).code, 0)
    run = clerk.run("--json", "documents", "verify", cut)
    cases.equal("a school finds that the tail was cut", (run.code, json.loads(run.out)), (1, {"entries": entries - 1, "ok": False, "first_bad": entries}))
    cases.check("and says so", "末尾被删去" in clerk.run("documents", "verify", cut).out, repr(run))
    cases.equal("no title or number is told to it", [x for x in ("number", "title") if x in server.psql("SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 'trace_tail'")], [])


with Server() as server:
    edu = server.import_schools("2132999001")
    clerk = server.school("2132999001", "clerk")
    office, leader = server.bureau("office"), server.bureau("leader")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "orgs", "set", "市教育局", "--relation", "直接上级")
    office.ok("documents", "series", "add", "洪教发")
    number, letter = issued(server, office, leader, edu, clerk), received(office, leader, edu)
    cases.equal("what is in the archive says under which number", [office.ok("documents", "show", n)["archive_no"][-8:] for n in (number, letter)], ["JJK-0001", "JJK-0001"])
    late = office.run("documents", "accept", letter)
    cases.check("who is late is told how it stands", late.code == 3 and "已归档" in late.err and "jgadmin documents show %s" % letter in late.err, late.err)
    out, came = os.path.join(server.dir, "发文.zip"), os.path.join(server.dir, "收文.zip")
    office.ok("documents", "export", number, "-o", out)
    office.ok("documents", "export", letter, "-o", came)
    cases.check("it is not replaced unasked", office.run("documents", "export", number, "-o", out).code != 0)
    cases.equal("nothing else is left beside it", [n for n in os.listdir(server.dir) if n.startswith("发文.zip.") or n.startswith("收文.zip.")], [])
    sheet = office.ok("documents", "sheet", letter, "-o", os.path.join(server.dir, "处理单.pdf"))
    cases.equal("the sheet is told with its pages", sheet["pages"], 3)
    pages = subprocess.run(["pdftotext", sheet["file"], "-"], capture_output=True, text=True).stdout
    subprocess.run(["unzip", "-qo", out, "文件/001-处理单.pdf", "-d", server.dir], check=True)
    hangs = subprocess.run(["pdftotext", os.path.join(server.dir, "文件/001-处理单.pdf"), "-"], capture_output=True, text=True).stdout
    cases.check("the sheet in the package has the order with its answer, and the school's copy", all(x in hangs for x in ("换灭火器", "九月一日已换新", "已销号", "演练县第1小学", "反馈已认可", "灭火器：12", "用印份数：20")), hangs)
    cases.check("the sheet has each act, who and when", all(x in pages for x in ("请办理", "已办", letter, "市教育局", "承办人：", "协办人：", "2027-12-10")), pages)
    contents(out, number)
    cases.equal("a phone call is kept ten years", "D10" in zipfile.ZipFile(came).read("封装包.xml").decode(), True)
    witnessed(server, clerk, office, out)
    server.stop()
    for path in (out, came):
        code, told = verified(edu, path)
        cases.equal("%s: verified without the server" % os.path.basename(path), (code, told["ok"], told["first_bad"]), (0, True, None))
        cases.equal("and by the second verifier", verify_document.verify(path), told)
        run = edu.run("--json", "documents", "archive", "check", path)
        cases.equal("its four checks", (run.code, json.loads(run.out)), (0, {"authentic": True, "complete": True, "usable": True, "safe": True, "faults": []}))
    bad = os.path.join(server.dir, "改.zip")
    for name, change, first in TAMPERED:
        again(out, bad, change)
        code, told = verified(edu, bad)
        cases.equal("%s is found at its place" % name, (code, told["ok"], told["first_bad"]), (1, False, first))
        second = verify_document.verify(bad)
        cases.equal("%s: and by the second verifier" % name, (second["ok"], second["first_bad"]), (False, first))
    again(out, bad, both(beside("words.jsonl", lambda l: l[:5] + [forged(l[5], text="不同意")] + l[6:]), listed_anew))
    cases.equal("a leader's words changed are found where they stand", (verified(edu, bad)[1]["first_bad"], verify_document.verify(bad)["first_bad"]), (6, 6))
    said = [json.loads(x)["event"] for x in zipfile.ZipFile(out).read("copies.jsonl").decode().splitlines()]
    cases.equal("what the school said is there as its computer signed it, with its line down", said, ["read", "sign", "answer"])
    again(out, bad, both(beside("copies.jsonl", lambda l: l[:2] + [forged(l[2], text='{"q1":"99"}')]), listed_anew))
    told = json.loads(edu.run("--json", "documents", "archive", "check", bad).out)
    cases.check("another answer is found", not told["authentic"] and any("2132999001" in f for f in told["faults"]) and not verify_document.verify(bad)["ok"], str(told))
    again(out, bad, lambda files: files.pop("words.jsonl"))
    told = json.loads(edu.run("--json", "documents", "archive", "check", bad).out)
    cases.check("it is not complete without the words", not told["complete"] and any("words.jsonl" in f for f in told["faults"]), str(told))
    again(out, bad, lambda files: [files.pop(n) for n in list(files) if n.endswith("附件.csv")])
    told = json.loads(edu.run("--json", "documents", "archive", "check", bad).out)
    cases.check("nor without a file that its text names", not told["complete"] and any("检查表" in f for f in told["faults"]), str(told))
    for name, change in WHOLE:
        again(out, bad, change)
        run = edu.run("--json", "documents", "archive", "check", bad)
        cases.equal("%s is found" % name, (run.code, json.loads(run.out)["authentic"]), (1, False))
        cases.equal("%s: by verify too" % name, verified(edu, bad)[0], 1)
        cases.check("%s: and by the second verifier" % name, not verify_document.verify(bad)["ok"])
    for name, data in (("no zip", b"x" * 100), ("nothing", b""), ("half of it", open(out, "rb").read()[:20000])):
        with open(bad, "wb") as file:
            file.write(data)
        run = edu.run("documents", "archive", "check", bad)
        cases.check("%s is said to be none" % name, run.code not in (0, 1) and len(run.err.strip().splitlines()) == 3, run.err)
cases.close()
