#!/usr/bin/python3
"""What a screen says is so and leads on: names work where they are unique, every number opens into names, what cannot be taken back is asked for,
no hint names what does not exist or does not apply, and no word of a code stands on a Chinese screen."""
import os
import subprocess
import time
import zipfile

from harness import Cases, JGD, Server
from test_transition_decisions import at_terminal, number, write

P, Q, J = "2132990001", "2132990002", "3132990001"
YEAR = 2027
HEAD = "姓名,证件号码,年级,班级,性别\n"
cases = Cases()


def row(n, name, klass="1班", grade="六年级"):
    return "%s,%s,%s,%s,%s\n" % (name, number(n), grade, klass, "男" if int(number(n)[16]) % 2 else "女")


def said(name, result, *words, code=0, never=()):
    text = result.out + result.err
    cases.check(name, result.code == code and all(w in text for w in words) and not any(w in text for w in never), repr(result))


def files(server, primary):
    """Tables that cannot be read, each with what helps with it."""
    said("an empty file", primary.run("import", "students", write(server, "empty.csv", "")), "文件是空的", "选错了文件", code=6, never=("另存为",))
    paper = os.path.join(server.dir, "table.docx")
    with zipfile.ZipFile(paper, "w") as out:
        out.writestr("[Content_Types].xml", "<Types/>")
        out.writestr("_rels/.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type='
                     '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>')
        out.writestr("word/document.xml", '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>')
    said("a Word document is told what to do with its table", primary.run("import", "students", paper), "Word 文档", "复制到", code=6, never=("隐藏",))
    odd = write(server, "odd.csv", "学生名字,号,级,班\n甲,1,2,3\n")
    said("without a header the hint can be typed", primary.run("import", "students", odd), "--map 文件里的列名=姓名", code=6, never=("列=字段",))
    said("a mistyped field is offered whole", primary.run("import", "students", odd, "--map", "学生名字=姓名姓"), "--map 学生名字=姓名？", code=2)


def names(server, primary):
    """A pupil by name; of two of that name the list with their numbers."""
    said("import", primary.run("import", "students", write(server, "roster.csv", HEAD + row(1, "甲生") + row(2, "乙生") + row(3, "丙生", "2班") + row(4, "丙生", "3班"))), "新增 4")
    said("a name that is unique will do", primary.run("students", "set", "乙 生", "班级=2"), "乙生", "班级 1→2")
    several = primary.run("students", "set", "丙生", "班级=4")
    said("of several the numbers are shown", several, "六2班", "六3班", "2 名", "序号", code=2)
    said("and one of them is taken next", primary.run("students", "set", "2", "班级=4"), "班级 3→4")
    said("nobody of that name", primary.run("students", "set", "无此", "班级=4"), "没有这名学生", code=3)
    primary.run("students", "list")
    said("finding nobody", primary.run("pupil", "find", "没有的人"), "没有找到")
    said("leaves the numbers of the list before", primary.run("students", "show", "1"), "姓名")
    said("a guardian's field says where it is changed", primary.run("students", "set", "甲生", "监护人电话=13800000000"), "监护人", "jg import students", code=2, never=("help fields",))
    said("a number that is no conflict", primary.run("conflicts", "show", "9"), "没有冲突", "jg outbox list", code=3)


def undone(server, primary):
    """A batch is named, asked for at a terminal, and the way back is told, also by the undo that was undone."""
    batches = {b["what"]: b["id"] for b in primary.ok("import", "list")}
    table = primary.run("import", "list")
    said("each column of the list has a heading", table, "状态")
    built = primary.run("import", "undo", batches["students"])
    said("what is in the way is of this list", built, "jg students set", code=3, never=("transition",))
    for edit in [b["id"] for b in primary.ok("import", "list") if b["what"] == "edit"]:
        primary.ok("undo", edit)
    code, screen = at_terminal(primary, "undo", batches["students"], say="不\n")
    cases.check("a whole batch is shown and asked for", code == 3 and "导入学生" in screen and "roster.csv" in screen and "新增 4" in screen and "没有改动" in screen, screen)
    done = primary.run("undo", batches["students"])
    said("then it says which it was and how it comes back", done, "批次 %s（导入学生）" % batches["students"], "jg import students", "roster.csv")
    last = primary.ok("import", "list")[0]["id"]
    back = primary.run("undo", last)
    said("an undo is not undone: the file is", back, "jg import students", "roster.csv", code=3)
    said("import again", primary.run("import", "students", os.path.join(server.dir, "roster.csv")), "新增 4")
    primary.ok("sync")


def frozen(server, clerk, primary, junior):
    """The school counts its roster, and names who may not be on the bureau's list; what the bureau counts as open it can list."""
    clerk.ok("transition", "open", "--year", YEAR)
    primary.ok("sync")
    said("import after the freeze", primary.run("import", "students", write(server, "late.csv", HEAD + row(5, "迟生"))), "新增 1")
    primary.ok("sync")
    listed = primary.run("transition", "list")
    said("the count is the roster's, and the late one is named", listed, "名册六年级 5 人", "冻结应升学名单之后", "  迟生（六1班）", never=("应升学 5",))
    said("by name", primary.run("transition", "set", "甲生", "--dest", "A1", "--school", "第一初级"), "甲生")
    several = primary.run("transition", "set", "丙生", "--dest", "D5")
    said("of two of that name the numbers", several, "2 名", code=2)
    said("one of them", primary.run("transition", "set", "1", "--dest", "B3", "--place", "上海市"), "丙生")
    primary.ok("sync")
    missing = primary.run("transition", "missing")
    said("a class stands in words", missing, "六1班")
    said("phase without a year changes nothing", clerk.run("transition", "phase"), "--year %d" % YEAR, "没有改动", code=2, never=("已经收到",))
    r = clerk.ok("transition", "reconcile", "--year", YEAR, "--as-of", "%d-06-20" % YEAR)
    names = clerk.ok("transition", "mismatches", "--year", YEAR, "--open")
    cases.equal("未落实 opens into as many names", len(names), r["mismatched"])
    cases.check("also into those whose term has not come", any(not m["codes"] for m in names) and all(m["state"] == "OPEN" for m in names), names)
    told = clerk.run("transition", "reconcile", "--year", YEAR, "--as-of", "%d-06-20" % YEAR)
    said("the hint names that list", told, "transition mismatches --year %d --open" % YEAR)
    said("who waits for his term is said to", clerk.run("transition", "mismatches", "--year", YEAR, "--open"), "期限未到")
    said("who left: a school is told whom to ask, not a command of the bureau", primary.run("students", "set", "乙生", "年级=五年级"), "五年级")
    said("on the list", primary.run("transition", "list"), "基教科", never=("jgadmin",))
    primary.ok("undo", primary.ok("import", "list")[0]["id"])
    primary.ok("sync")


def decided(server, clerk, primary, junior):
    """What is decided without looking is asked for."""
    bare = next(p for p in clerk.ok("transition", "proof", "list", "--year", YEAR))["id"]
    code, screen = at_terminal(clerk, "transition", "proof", "accept", "--year", str(YEAR), bare, say="不\n")
    cases.check("accepting what has no file", code == 3 and "没有一份材料" in screen and "没有改动" in screen, screen)
    admin = server.people["sysadmin"]
    code, screen = at_terminal(admin, "users", "add", "--school", P, "--role", "clerk", "registrar", say="不\n")
    cases.check("a second account of one name", code == 3 and "已经有一个叫registrar的帐号" in screen and "没有改动" in screen, screen)
    said("roles are listed where the hint says", admin.run("help", "codes", "role"), "学籍管理员")
    code, screen = at_terminal(admin, "devices", "revoke", admin.ok("devices", "list")[-1]["id"], say="不\n")
    cases.check("a computer is named before it is revoked", code == 3 and "的电脑" in screen, screen)
    for phase in ("assist", "confirm", "verify"):
        clerk.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
    primary.ok("sync")
    junior.ok("sync")
    told = primary.run("transition", "missing")
    said("in the phase of verifying no report is told to be made", told, never=("transition file",), code=0)
    listed = junior.run("verify", "list")
    said("answers are said in words", listed, "在校", "未报到", "查无此人", never=("present",))
    code, screen = at_terminal(junior, "verify", "submit", say="不\n")
    cases.check("submitting with pupils who have no answer", code == 3 and "1 名" in screen and "没有提交" in screen, screen)
    said("the answer is taken in words", junior.run("verify", "answer", "1", "在校"), "在校")
    said("help has no English places", junior.run("verify", "answer", "--help"), "在校|未报到|查无此人", never=("PUPIL",))
    for words, place in ((("slips", "log"), "SLIP"), (("undo",), "ID"), (("students", "set"), "PUPIL"), (("import", "students"), "FILE")):
        said("jg %s --help" % " ".join(words), junior.run(*words, "--help"), never=(" %s\n" % place, " %s " % place))


def county(server, clerk):
    """What the bureau's screens say."""
    bad = write(server, "bad.csv", "学校标识码,学校名称,办学类型,举办者\n2132990009,演练县第9小学,211,831\n21,坏,211,831\n")
    said("a dry run with bad rows has imported nothing", clerk.run("schools", "import", bad, "--dry-run"), "什么也没有写入", code=5, never=("已经导入",))
    clerk.ok("catchments", "import", write(server, "areas.csv", "学校标识码,学段,区划代码\n%s,初中,329999\n" % J))
    clerk.run("catchments", "list")
    code, screen = at_terminal(clerk, "catchments", "set", "1", "区划代码=329999100", say="不\n")
    cases.check("before and after are said alike", code == 3 and "→ 演练县第一初级中学 初中 329999100" in screen, screen)
    page = os.path.join(server.dir, "page.html")
    server.people["sysadmin"].ok("server", "clock", "+40d")
    clerk.login()
    clerk.ok("transition", "summary", "--year", YEAR, "--html", page)
    text = open(page, encoding="utf-8").read()
    ahead = time.gmtime(time.time() + 8 * 3600 + 40 * 86400)
    cases.check("the report's two days are of one clock", "期限未到" in text and "生成时间 " in text and ("%d年%d月%d日" % (ahead.tm_year, ahead.tm_mon, ahead.tm_mday) in text.split("生成时间")[1][:40]
                or "%d月%d日" % (ahead.tm_mon, ahead.tm_mday) in text.split("生成时间")[1][:40]), text[text.find("核对日期"):][:120])
    auditor = server.people["auditor"]
    auditor.login()
    clerk.run("transition", "open", "--year", YEAR + 1, "--dry-run")
    said("the trace is read in words", auditor.run("audit", "search", "--limit", "500"), never=("DRY_RUN", "ASKED"))


def papers(server):
    """What an operator and a school read first."""
    admin, paper = server.people["sysadmin"], os.path.join(server.dir, "codes.pdf")
    admin.login()
    admin.ok("devices", "invite", "--all", "-o", paper)
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True).stdout
    slips = {name: text[text.index(name):][:400].split("请当面")[0] for name in ("演练县第1小学", "演练县第一初级中学")}
    cases.check("a junior school's paper names its own roster", "import students" in slips["演练县第1小学"] and "import enrolled" in slips["演练县第一初级中学"]
                and "六年级" not in slips["演练县第一初级中学"], text)
    run = subprocess.run([JGD, "restore", "--help"], capture_output=True, text=True, env={**os.environ, "LANG": "C.UTF-8"})
    cases.check("the example of a restore has the name that a backup gets", "/jingguan-2" in run.stdout, run.stdout)
    said("a computer that is not enrolled", server.person("new").run("doctor"), "jg connect --code", code=1)


def ended(server, primary):
    """A login that has ended hides what the bureau asks for: it is not said that there is nothing to do."""
    primary.run("sync")
    said("todo after the login ended", primary.run("todo"), "登录已过期", "jg login", never=("没有要办的事",))


def main():
    with Server() as server:
        clerk = server.bureau("basic_edu")
        clerk.ok("schools", "import", write(server, "schools.csv", "学校标识码,学校名称,办学类型,举办者\n%s,演练县第1小学,211,831\n%s,演练县第2小学,211,831\n%s,演练县第一初级中学,311,831\n" % (P, Q, J)))
        primary, junior = server.school(P), server.school(J)
        primary.ok("sync")
        junior.ok("sync")
        files(server, primary)
        names(server, primary)
        undone(server, primary)
        frozen(server, clerk, primary, junior)
        decided(server, clerk, primary, junior)
        county(server, clerk)
        papers(server)
        ended(server, primary)
    cases.close()


if __name__ == "__main__":
    main()
