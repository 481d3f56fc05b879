#!/usr/bin/python3
"""The bureau's work in bulk, and its decisions with eyes open: what a case shows and fetches before anything is decided, evidence that nobody
has looked at, accounts from a table, class teachers, catchments listed and corrected, what a computer still holds."""
import csv
import datetime
import hashlib
import os
import re
import stat
import subprocess
import time
import unicodedata

from harness import Cases, Server
from terminal import at_terminal
from transition_files import number, write

P, Q, J = "2132990001", "2132990002", "3132990001"
YEAR = 2027
cases = Cases()


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def proof(server, clerk, primary):
    """What a pupil declares, with its evidence fetched, before the decision; and the one about what nobody has looked at."""
    away = number(1)
    letter = write(server, "就读证明.pdf", "%PDF-1.4 就读证明")
    primary.ok("transition", "set", away, "--dest", "B3", "--place", "上海市", "--evidence", letter)
    primary.ok("transition", "set", number(3), "--dest", "B3", "--place", "上海市", "--evidence", letter)
    primary.ok("sync")
    told = clerk.run("transition", "proof", "accept", "--year", YEAR, number(3), "--json")
    cases.check("a script is told that nobody has looked, and is not held up", told.code == 0 and "1 份材料您还没有看过" in told.err and "proof show" in told.err, told)
    code, screen = at_terminal(clerk, "transition", "proof", "accept", "--year", str(YEAR), number(3), say="认可\n")
    cases.check("and the word in Chinese is enough", code == 0 and "请输入“认可”" in screen, screen)
    code, screen = at_terminal(clerk, "transition", "proof", "accept", "--year", str(YEAR), away, say="no\n")
    cases.check("a person is asked, and may think again", code == 3 and "还没有看过" in screen and "什么也没有改动" in screen, screen)
    cases.equal("then nothing was recorded", [p["word"] for p in clerk.ok("transition", "proof", "list", "--year", YEAR) if p["student"]["cert_no"] == away], [None])
    shown = clerk.run("transition", "proof", "show", "--year", YEAR, away)
    cases.check("the case in words: the pupil masked, where to, by whom, the file and that it is unread",
                shown.code == 0 and "甲*" in shown.out and "甲生" not in shown.out and away not in shown.out and "外省 上海市" in shown.out and "演练县第1小学" in shown.out
                and "就***.pdf" in shown.out and "还没有看过" in shown.out and "--files" in shown.out and "B3" not in shown.out, shown)
    folder = os.path.join(server.dir, "材料")
    first = clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"]
    clerk.run("transition", "proof", "list", "--year", YEAR)
    numbered = clerk.run("transition", "proof", "show", "--year", YEAR, "1")
    cases.check("the number in the list names the pupil too", numbered.code == 0 and "外省" in numbered.out, numbered)
    path = first[0]["path"]
    cases.equal("the evidence is fetched whole, for its owner alone", (open(path).read(), stat.S_IMODE(os.stat(path).st_mode), os.path.basename(path), first[0]["filed_by"], first[0]["read"]),
                (open(letter).read(), 0o600, "就读证明.pdf", P, True))
    cases.equal("its hash is the one on record", first[0]["sha256"], hashlib.sha256(open(letter, "rb").read()).hexdigest())
    cases.equal("again, nothing is written twice", (clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"][0]["path"], len(os.listdir(folder))), (path, 1))
    with open(path, "w") as out:
        out.write("我的记录")
    other = clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"][0]["path"]
    cases.equal("and what stands there is never replaced", (open(path).read(), os.path.basename(other), open(other).read()), ("我的记录", "就读证明(2).pdf", open(letter).read()))
    barred = clerk.run("transition", "proof", "show", "--year", YEAR, away, "--files", "/proc/nowhere")
    cases.check("a folder that cannot be written is said before anything is fetched", barred.code != 0 and "不能写入" in barred.err, barred)
    seen = clerk.run("transition", "proof", "accept", "--year", YEAR, away)
    cases.check("who has looked is not asked", seen.code == 0 and "没有看过" not in seen.err, seen)
    again = clerk.run("transition", "proof", "show", "--year", YEAR, away)
    cases.check("the decision stands in the case", "县局意见" in again.out and "认可" in again.out and "您看过" in again.out, again)
    opened(server, clerk, primary)
    long = write(server, "很长的就读证明名称" * 9 + ".pdf", "%PDF-1.4 长名")
    primary.ok("transition", "set", number(4), "--dest", "B3", "--place", "上海市", "--evidence", long)
    primary.ok("sync")
    fetched = [f["path"] for f in clerk.ok("transition", "proof", "show", "--year", YEAR, number(4), "--files", os.path.join(server.dir, "长名"))["files"] if "很长" in f["path"]]
    cases.check("a long name keeps its extension", len(fetched) == 1 and fetched[0].endswith(".pdf") and len(os.path.basename(fetched[0]).encode()) < 200, fetched)
    missing = clerk.run("transition", "proof", "show", "--year", YEAR, "3299992015030188")
    cases.check("nobody of that number", missing.code == 3 and "没有这名学生" in missing.err, missing)
    log = server.people["auditor"].ok("audit", "search", "--what", "Sync.GetBlob")
    cases.check("each reading names its file in the access log", len([r for r in log if r["purpose"] == "file " + first[0]["sha256"] and r["user"] == clerk.user]) == 3, log)
    told = server.people["auditor"].run("audit", "search", "--what", "看附件")
    cases.check("in words for people", told.code == 0 and "材料 " + first[0]["sha256"][:12] in told.out and "file " not in told.out, told)
    cases.check("and so does each look at a case", len(server.people["auditor"].ok("audit", "search", "--what", "Transition.ShowProof")) >= 4, "")


def opened(server, clerk, primary):
    """--open shows pictures and papers in the desktop's program, and runs nothing that a school sent."""
    paper, program = write(server, "户口.PDF", "%PDF-1.4"), write(server, "看我.desktop", "[Desktop Entry]\nExec=touch /tmp/x\n")
    primary.ok("transition", "set", number(4), "--dest", "B3", "--place", "上海市", "--evidence", paper, "--evidence", program)
    primary.ok("sync")
    bin, folder = os.path.join(server.dir, "bin"), os.path.join(server.dir, "材料3")
    os.mkdir(bin)
    with open(bin + "/xdg-open", "w") as out:
        out.write('#!/bin/sh\necho "$1" >> %s/opened\n' % bin)
    os.chmod(bin + "/xdg-open", 0o755)
    before, os.environ["PATH"] = os.environ["PATH"], bin + ":" + os.environ["PATH"]
    try:
        code, screen = at_terminal(clerk, "transition", "proof", "show", "--year", str(YEAR), number(4), "--files", folder, "--open", say="")
    finally:
        os.environ["PATH"] = before
    for _ in range(100):  # the viewer is not waited for
        if os.path.exists(bin + "/opened"):
            break
        time.sleep(0.05)
    cases.equal("--open opens the paper", (code, open(bin + "/opened").read().split("\n")), (0, [folder + "/户口.PDF", ""]))
    cases.check("and only names the program", "没有自动打开" in screen and "看我.desktop" in screen, screen)
    nowhere = clerk.run("transition", "proof", "show", "--year", YEAR, number(4), "--open")
    cases.check("--open needs a folder", nowhere.code == 2 and "--files" in nowhere.err, nowhere)


def slips(server, clerk, leader, primary, junior):
    """A slip as the reviewer sees it: both answers with who gave them, contacts, reminders, rounds and terms; then the review."""
    for phase in ("assist", "confirm", "verify"):
        clerk.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
    clerk.ok("transition", "reconcile", "--year", YEAR)
    first, again = (clerk.run("transition", "slips", "issue", "--year", YEAR).out for _ in range(2))
    cases.check("issuing says how many went out now; a second time none", re.search(r"新发 [1-9]\d* 张", first) and "新发 0 张" in again and first.split("\n", 1)[1] == again.split("\n", 1)[1], (first, again))
    for words in (("transition", "slips", "list"), ("transition", "progress")):
        wide, narrow = (at_terminal(clerk, *words, "--year", str(YEAR), say="", columns=n)[1] for n in (300, 100))
        pieces = {piece for piece in wide.split() if re.fullmatch(r"[0-9年月日:*A-Z-]+", piece)}
        cases.equal("%s at 100 columns: no number and no time is broken" % words[-1], (pieces - set(narrow.split()), max(map(width, narrow.split("\r\n接下来")[0].split("\r\n"))) <= 100), (set(), True))
    slip = next(s for s in clerk.ok("transition", "slips", "list", "--year", YEAR) if s["student"]["cert_no"] == number(2))
    screen = clerk.run("transition", "slips", "list", "--year", YEAR).out
    first = next(line.split()[0] for line in screen.splitlines() if slip["no"] in line)
    cases.check("the list tells pupils that are masked alike apart, and has numbers that the next command takes", number(2)[-4:] in screen and number(2) not in screen
                and slip["no"] in clerk.run("transition", "slips", "show", first).out, screen)
    before = clerk.run("transition", "slips", "show", slip["no"])
    cases.check("before anybody answers", before.code == 0 and "还没有签收" in before.out and "联系记录：没有" in before.out and "24:00 前" in before.out and "M01" not in before.out
                and "未填报去向" in before.out, before)
    picture = write(server, "家访.txt", "家访照片")
    for school in (primary, junior):
        school.ok("sync")
        if slip["no"] not in [s["no"] for s in school.ok("slips", "list")]:
            continue
        school.ok("slips", "receive", slip["no"])
        school.ok("slips", "log", slip["no"], "--method", "家访", "--persons", "王老师", "--note", "家长同意入学", "--next", "2027-09-20")
        school.ok("slips", "answer", slip["no"], "--outcome", "persuading", "--note", "正在动员", "--evidence", picture)
        school.ok("sync")
    shown = clerk.run("transition", "slips", "show", slip["no"])
    cases.check("both answers in words, who gave them, the contacts and the evidence",
                all(text in shown.out for text in ("劝返中", "正在动员", "registrar", "家访", "王老师", "家长同意入学", "9月20日", "第 1 轮", "演练县第1小学 登记", "家*.txt", "没有看过", "review")), shown)
    cases.check("no code, no full name, no number", not any(text in shown.out for text in ("persuading", "M01", "乙生", number(2), "+08:00")), shown)
    json = leader.ok("transition", "slips", "show", slip["no"])
    cases.check("the leader sees it too", json["slip"]["no"] == slip["no"] and json["contacts"] and json["files"], json)
    refused = leader.run("transition", "slips", "show", slip["no"], "--files", os.path.join(server.dir, "局长"))
    cases.check("but fetches no file", refused.code == 3 and "没有权限" in refused.err, refused)
    code, screen = at_terminal(clerk, "transition", "slips", "review", first, "认可", say="no\n")
    cases.check("unread evidence is said before a slip is closed", code == 3 and "还没有看过" in screen and "请输入“认可”" in screen, screen)
    clerk.ok("transition", "slips", "show", slip["no"], "--files", os.path.join(server.dir, "材料2"))
    done = clerk.run("transition", "slips", "review", slip["no"], "accept")
    cases.check("and not when it was looked at", done.code == 0 and "没有看过" not in done.err, done)
    cases.check("what is still wrong is said, and who mends it with which command", "问题还在（未填报去向）" in done.out and "jg transition set" in done.out and "jg verify answer" in done.out, done)
    disputed(clerk, primary, junior, slip["no"])
    wrong = clerk.run("transition", "slips", "show", "JB2027-9999")
    cases.check("a slip that is not", wrong.code == 3 and "没有这张交办单" in wrong.err and "slips list" in wrong.err, wrong)


def disputed(clerk, primary, junior, slip):
    """Two schools that contradict each other; and a slip that was returned while a school's answer was on its way."""
    clerk.ok("transition", "slips", "review", slip, "return", "--reason", "请再核实")
    for school, outcome in ((primary, "transferred"), (junior, "unreachable")):
        school.ok("sync")
        school.ok("slips", "answer", slip, "--outcome", outcome)
    shown = [school.run("slips", "show", slip).out for school in (primary, junior)]
    cases.check("an answered slip tells each school what it can change", "jg transition set" in shown[0] and "jg verify answer" in shown[1], shown)
    code, screen = at_terminal(clerk, "transition", "slips", "review", slip, "accept", say="no\n")
    cases.check("a contradiction is said before it is accepted, with both answers", code == 3 and "两校的回复不一致：演练县第1小学 外地就读、演练县第一初级中学 失联" in screen and "return --reason" in screen, screen)
    told = clerk.run("transition", "slips", "review", slip, "return", "--reason", "两校不一致")
    cases.check("returned, nothing is said of what is wrong", told.code == 0 and "退回两校再办" in told.out and "问题还在" not in told.out, told)
    late = junior.run("slips", "answer", slip, "--outcome", "persuading")
    cases.check("an answer to what has changed since: bring it first, and the command is one of this", late.code == 3 and "jg sync" in late.err and "conflicts" not in late.err, late)
    junior.ok("sync")
    cases.equal("then it is answered", junior.run("slips", "answer", slip, "--outcome", "persuading").code, 0)


def accounts(server):
    """Accounts of schools from a table: each bad row named, nothing made twice, no password lost."""
    admin = server.people["sysadmin"]
    table = write(server, "帐号.csv", "学校,学校标识码,姓名,角色,班级,帐号,备注\n"
                  "演练县第1小学,,赵一,学籍管理员,,,\n"                # 2
                  "演练县第1小学,,钱二,班主任、安全专干,六（1）班、六2班,,\n"  # 3
                  ",%s,孙三,校长,,,\n"                                # 4
                  "演练县第9小学,,李四,校长,,,\n"                      # 5: no such school
                  "第1小学,,李四,校长,,,\n"                           # 6: near
                  "演练县第2小学,,周五,局领导,,,\n"                    # 7: no role of a school
                  "演练县第2小学,,吴六,班主任,,,\n"                    # 8: no class
                  "演练县第2小学,,郑七,班主任,三班,,\n"                # 9
                  "演练县第2小学,,郑七,校长,,,\n"                      # 10: twice
                  "演练县第2小学,,王伟,校长,,wangwei,\n"               # 11
                  "演练县第2小学,,王伟,文书,,wangweib,\n" % J)         # 12: two people
    before = admin.ok("users", "list")
    dry = admin.ok("users", "import", table, "--dry-run", code=5)
    bad = {(r["row"], r["field"]) for r in dry["rejected"]}
    cases.equal("a dry run names the bad rows, by row and column", bad, {(5, "学校"), (6, "学校"), (7, "角色"), (8, "班级"), (10, "姓名")})
    cases.check("with the near names, and what is permitted", "演练县第1小学" in str([r for r in dry["rejected"] if r["row"] == 6]) and "学籍管理员" in str([r for r in dry["rejected"] if r["row"] == 7]), dry)
    cases.equal("and makes nothing", (len(dry["added"]), {a["password"] for a in dry["added"]}, admin.ok("users", "list")), (6, {None}, before))
    barred = admin.run("users", "import", table, "-o", "/proc/nowhere/a.xlsx")
    cases.check("a file that cannot be written is said before anything is made", barred.code != 0 and admin.ok("users", "list") == before, barred)
    secrets = os.path.join(server.dir, "初始密码.csv")
    report = admin.ok("users", "import", table, "-o", secrets, code=5)
    cases.equal("the good rows are made", sorted((a["row"], a["name"], a["school"]) for a in report["added"]),
                [(2, "赵一", P), (3, "钱二", P), (4, "孙三", J), (9, "郑七", Q), (11, "王伟", Q), (12, "王伟", Q)])
    namesake = write(server, "同名.csv", "学校,姓名,角色,帐号\n演练县第2小学,王伟,校长,wangweic\n演练县第2小学,王伟,校长,wangwei\n")
    again = admin.ok("users", "import", namesake)
    cases.equal("a namesake with a log-in of his own is not taken for who is there", ([a["user"] for a in again["added"]], again["unchanged"]), (["wangweic"], 1))
    lines = open(secrets, encoding="utf-8-sig").read()
    cases.equal("their passwords are in a file that only its owner reads", (stat.S_IMODE(os.stat(secrets).st_mode), all(a["user"] in lines and a["password"] in lines for a in report["added"])), (0o600, True))
    cases.equal("classes are read as the importer reads them", {u["name"]: u["classes"] for u in admin.ok("users", "list") if u["classes"] and u["name"] in ("钱二", "郑七")},
                {"钱二": ["16/1", "16/2"], "郑七": ["16/3"]})
    again = admin.ok("users", "import", table, "--json", code=5)
    cases.equal("again: no doubles, and the same rows are bad", (again["added"], again["unchanged"], {(r["row"], r["field"]) for r in again["rejected"]}), ([], 6, bad))
    kept = open(secrets).read()
    over = admin.run("users", "import", table, "-o", secrets)
    cases.check("a file of passwords is never replaced", over.code == 2 and "不会覆盖" in over.err and open(secrets).read() == kept, over)
    one = next(a for a in report["added"] if a["name"] == "赵一")
    person = server.person("zhao")
    person.connect(server.code(admin.ok("devices", "invite", "--school", P)["code"]))
    person.first_login(one["user"], one["password"])
    cases.equal("and the password opens the account", person.ok("status")["user"], one["user"])
    admin.ok("users", "disable", one["user"])
    reset = admin.run("users", "reset", one["user"])
    cases.check("a disabled account is brought back first, and the refusal says how", reset.code == 3 and "jgadmin users enable %s" % one["user"] in reset.err, reset)
    gone = person.run("login", one["user"])
    back = admin.run("users", "enable", one["user"])
    person.login()
    cases.check("and is, by the same administrator, with its password", gone.code == 3 and back.code == 0 and person.ok("status")["user"] == one["user"], (gone, back))
    twice = admin.run("users", "enable", one["user"])
    cases.check("only once", twice.code == 3 and "没有停用" in twice.err and "users unlock" in twice.err, twice)
    trace = server.people["auditor"].run("audit", "search", "--what", "恢复帐号")
    cases.check("it stands in the access log", trace.code == 0 and "恢复帐号" in trace.out, trace)
    broken = write(server, "断线.csv", "学校,姓名,角色\n演练县第1小学,断甲,文书\n演练县第1小学,断乙,文书\n演练县第1小学,断丙,文书\n")
    hurt = os.path.join(server.dir, "断线.csv.out.csv")
    server.psql("CREATE FUNCTION stop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.name = '断乙' THEN RAISE EXCEPTION 'x'; END IF; RETURN new; END $$;"
                "CREATE TRIGGER stop_it BEFORE INSERT ON user_account FOR EACH ROW EXECUTE FUNCTION stop_it()")
    half = admin.run("users", "import", broken, "-o", hurt)
    server.psql("DROP TRIGGER stop_it ON user_account; DROP FUNCTION stop_it()")
    cases.check("stopped in the middle, it says what stands, and the file has it", half.code not in (0, 5) and "新建 1" in half.out and "再运行一次" in half.err and "断甲" in open(hurt, encoding="utf-8-sig").read(), half)
    rest = admin.ok("users", "import", broken)
    torn(server, admin)
    cases.equal("and the same table makes the rest", ([a["name"] for a in rest["added"]], rest["unchanged"]), (["断乙", "断丙"], 1))


def torn(server, admin):
    """Killed while the server makes an account whose answer nobody will hear: its password is in the file already."""
    table, secrets = write(server, "停电.csv", "学校,姓名,角色\n演练县第1小学,停甲,文书\n演练县第1小学,停乙,文书\n"), os.path.join(server.dir, "停电密码.csv")
    server.psql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN new; END $$;"
                "CREATE TRIGGER slow BEFORE INSERT ON user_account FOR EACH ROW WHEN (new.name = '停乙') EXECUTE FUNCTION slow()")
    run = subprocess.Popen([admin.binary, "--profile", admin.profile, "users", "import", table, "-o", secrets], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": ""})

    def wait_for(sql):
        for _ in range(400):
            if server.psql(sql) != "0":
                return
            time.sleep(0.05)

    wait_for("SELECT count(*) FROM user_account WHERE name = '停甲'")
    wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    run.kill()
    run.wait()
    wait_for("SELECT count(*) FROM user_account WHERE name = '停乙'")
    server.psql("DROP TRIGGER slow ON user_account; DROP FUNCTION slow()")
    again = admin.ok("users", "import", table)
    cases.equal("nothing is made twice after it", (again["added"], again["unchanged"]), ([], 2))
    password = next(row["初始密码"] for row in csv.DictReader(open(secrets, encoding="utf-8-sig")) if row["姓名"] == "停乙")
    person = server.people["zhao"]
    person.first_login(next(u["user"] for u in admin.ok("users", "list") if u["name"] == "停乙"), password)
    cases.equal("and the account opens with the password of the file", person.ok("status")["user"], person.user)


def teachers(server):
    """The class teachers of a school in one command; the school by its name."""
    admin = server.people["sysadmin"]
    for text, told in (("小学", ("不止一所", "演练县第1小学（%s）" % P, "演练县第2小学（%s）" % Q)), ("第2小雪", ("没有叫", "是不是 演练县第2小学")), ("Xyz", ("没有叫", "jgadmin schools list"))):
        for words in (("users", "add", "--role", "registrar", "甲"), ("devices", "invite"), ("users", "teachers", "六1班=甲")):
            wrong = admin.run(*words, "--school", text)
            cases.check("%s of a school “%s” that is not one" % (words[1], text), wrong.code == 3 and all(w in wrong.err for w in told), wrong)
    cases.equal("a name, or a part that one school has, will do", [i["school"] for i in (admin.ok("devices", "invite", "--school", name) for name in ("演练县第2小学", "第2"))], [Q, Q])
    made = admin.run("users", "teachers", "--school", "第2小学", "六1班=冯八", "六（2）班=陈九")
    cases.check("one a class, each with his class and password on the screen", made.code == 0 and "六年级1班" in made.out and "六年级2班" in made.out and "冯八" in made.out and "只显示这一次" in made.out, made)
    cases.equal("the class is his", {u["name"]: (u["school"], u["roles"], u["classes"]) for u in admin.ok("users", "list") if u["name"] in ("冯八", "陈九")},
                {"冯八": (Q, ["class_teacher"], ["16/1"]), "陈九": (Q, ["class_teacher"], ["16/2"])})
    moved = admin.ok("users", "teachers", "--school", Q, "六3班=冯八", "六2班=陈九", code=5)
    cases.check("another class is a change that is asked for by name", moved["unchanged"] == 1 and "users set" in moved["rejected"][0]["message"], moved)
    for words in (("--school", Q, "冯八"), ("六1班=冯八",), ("--school", Q, "九9班=冯八")):
        wrong = admin.run("users", "teachers", *words)
        cases.check("%s is refused with the right form" % (words,), wrong.code in (2, 5) and "六1班" in wrong.err + wrong.out, wrong)


def own_class(server, primary):
    """A class teacher's table: his own pupils are taken, a number that is nobody's on the roster is told at once, not months later."""
    primary.ok("import", "students", write(server, "late.csv", "姓名,证件号码,年级,班级\n戊生,%s,六年级,1班\n" % number(5)))
    primary.ok("sync")
    teacher = server.person("teacher")
    account = server.people["sysadmin"].ok("users", "add", "--school", P, "--role", "class_teacher", "--class", "六1班", "班主任")
    teacher.connect(server.code(server.people["sysadmin"].ok("devices", "invite", "--school", P)["code"]))
    teacher.first_login(account["user"], account["password"])
    teacher.ok("sync")
    off = number(2)[:15] + "9" + number(2)[16:]
    table = write(server, "own.csv", "姓名,证件号码,去向类别,拟升入学校,监护人电话\n戊生,%s,A1,演练县第一初级中学,13900000001\n乙生,%s,A1,演练县第一初级中学,13900000002\n" % (number(5), off))
    report = teacher.ok("import", "destinations", table, code=5)
    cases.equal("one is taken, one is not", (report["inserted"], [(r["row"], r["field"]) for r in report["rejected"]]), (1, [(3, "证件号码")]))
    cases.check("with what to do", "名册里没有这个号码" in report["rejected"][0]["message"] and "学籍管理员" in report["rejected"][0]["message"], report)
    sent = teacher.ok("sync")
    cases.equal("and is sent", (sent["pushed"], sent["refused"]), (1, 0))


def catchments(server, clerk, primary):
    """Catchments listed, corrected and removed by the number in the list, what follows shown first, all of it in the trace."""
    clerk.ok("catchments", "import", write(server, "more.csv", "学校标识码,学段,区划代码\n%s,初中,329999200\n%s,初中,329999300\n%s,小学,329999100002\n" % (J, J, Q)))
    listed = clerk.run("catchments", "list")
    cases.check("the list has numbers, names and words", all(text in listed.out for text in ("演练县第一初级中学", "初中", "小学", "329999300", "共 4 行")) and "junior" not in listed.out, listed)
    cases.equal("of one school", [[r["area"] for r in clerk.ok("catchments", "list", "--school", name)] for name in (Q, "第2小学")], [["329999100002"]] * 2)
    rows = {r["area"]: r for r in clerk.ok("catchments", "list")}
    clerk.run("catchments", "list", "--school", J)
    code, screen = at_terminal(clerk, "catchments", "remove", "1", say="no\n")
    cases.check("removing shows who is left without, and asks", code == 3 and "329999100" in screen and "演练县第1小学" in screen and "没有对应的初中施教区" in screen and "什么也没有改动" in screen
                and "县局的数据没有改动" in screen, screen)
    code, screen = at_terminal(clerk, "catchments", "remove", "2", "3", say="是\n")
    cases.check("a yes removes them", code == 0 and "已删除 2 条" in screen, screen)
    cases.equal("they are gone, the others stand", sorted(r["area"] for r in clerk.ok("catchments", "list")), ["329999100", "329999100002"])
    fixed = clerk.ok("catchments", "set", rows["329999100002"]["id"], "区划代码=329999100003", "school=" + P)
    cases.equal("one is corrected in its place", (fixed["updated"], [(r["id"], r["school"], r["area"]) for r in clerk.ok("catchments", "list") if r["stage"] == "primary"]),
                (1, [(rows["329999100002"]["id"], P, "329999100003")]))
    for words, told in ((("set", "9", "area=329999100"), "没有序号 9"), (("set", "1", "地区=3"), "区划代码="), (("set", "1", "area=32999"), ""), (("remove", rows["329999300"]["id"]), "没有"),
                        (("set", rows["329999100002"]["id"], "area=329999100", "stage=初中", "school=" + J), "已经有这一条")):
        wrong = clerk.run("catchments", *words)
        cases.check("catchments %s is refused" % " ".join(words), wrong.code != 0 and told in wrong.err and "县局的数据没有改动" in wrong.err, wrong)
    cases.equal("and came again, when it is imported", clerk.ok("catchments", "import", write(server, "again.csv", "学校标识码,学段,区划代码\n%s,初中,329999300\n" % J))["inserted"], 1)
    primary.ok("sync")
    auditor = server.people["auditor"]
    cases.check("every change is in the trace, with who made it", len([r for r in auditor.ok("audit", "search", "--what", "County.ChangeCatchments") if r["user"] == clerk.user and r["result"] == "OK"]) == 2, "")
    cases.equal("which holds", auditor.ok("audit", "verify")["ok"], True)


def registers(server, clerk):
    """The register of schools: who is known under a code is renamed when that is asked for; a catchment is of a school that takes its children home."""
    renamed = write(server, "renamed.csv", "学校标识码,学校名称,办学类型,举办者,备注栏\n%s,演练县东风小学,211,831,x\n%s,演练县第2小学,312,831,y\n%s,演练县第一初级中学,311,832,z\n" % (P, Q, J))
    names = lambda: {s["code"]: (s["name"], s["type"], s["founder"]) for s in clerk.ok("schools", "list")}
    before = names()
    shown = clerk.run("schools", "import", renamed)
    cases.check("another name or type under a known code is shown, old and new, and not taken", shown.code == 5 and "演练县第1小学" in shown.out and "演练县东风小学" in shown.out and "一贯制" in shown.out
                and shown.out.count("--force") >= 2, shown)
    cases.check("a column that is not used is named", "备注栏" in shown.err, shown)
    cases.equal("the rest of the row's kind is changed as ever", names(), {**before, J: (before[J][0], before[J][1], "832")})
    cases.equal("and with --force it is", (clerk.ok("schools", "import", renamed, "--force")["updated"], names()[P][0], names()[Q][1]), (2, "演练县东风小学", "312"))
    back = write(server, "back.csv", "学校标识码,学校名称,办学类型,举办者\n" + "".join("%s,%s,%s,%s\n" % (code, *row) for code, row in before.items()))
    cases.equal("and back", (clerk.ok("schools", "import", back, "--force")["updated"], names()), (3, before))
    wrong = clerk.ok("catchments", "import", write(server, "nobody.csv", "学校标识码,学段,区划代码\n3132999999,初中,329999500\n%s,初中,329999500\n%s,小学,329999500\n" % (P, J)), code=5)
    cases.equal("a catchment of no school, or of one without the stage, is refused", ([(r["row"], r["field"]) for r in wrong["rejected"]], wrong["inserted"]),
                ([(2, "学校标识码"), (3, "学段"), (4, "学段")], 0))
    late = clerk.run("transition", "open", "--year", 2099)
    today = datetime.date.today()
    cases.check("the year that can be opened is the one in which the sixth grade leaves", late.err.splitlines()[-1].endswith("--year %d" % (today.year + (today.month >= 9))), late)


def main():
    with Server() as server:
        schools = write(server, "schools.csv", "学校标识码,学校名称,办学类型,举办者,区划代码\n%s,演练县第1小学,211,831,329999100001\n%s,演练县第2小学,211,831,329999100002\n%s,演练县第一初级中学,311,831,329999100001\n" % (P, Q, J))
        clerk, leader = server.bureau("basic_edu"), server.bureau("leader")
        clerk.ok("schools", "import", schools)
        clerk.ok("catchments", "import", write(server, "areas.csv", "学校标识码,学段,区划代码\n%s,初中,329999100\n" % J))
        registers(server, clerk)
        primary, junior = server.school(P), server.school(J)
        primary.ok("import", "students", write(server, "roster.csv", "姓名,证件号码,年级,班级,性别,现住址区划代码\n" + "".join(
            "%s生,%s,六年级,1班,%s,329999100001\n" % ("甲乙丙丁"[n - 1], number(n), "男" if int(number(n)[16]) % 2 else "女") for n in range(1, 5))))
        primary.ok("sync")
        cases.equal("what a computer still holds is counted after the push", {d["pending"] for d in server.people["sysadmin"].ok("devices", "list")}, {0})
        clerk.ok("transition", "open", "--year", YEAR, "--yes")
        primary.ok("sync")
        catchments(server, clerk, primary)
        accounts(server)
        teachers(server)
        proof(server, clerk, primary)
        slips(server, clerk, leader, primary, junior)
        own_class(server, primary)
    cases.close()


if __name__ == "__main__":
    main()
