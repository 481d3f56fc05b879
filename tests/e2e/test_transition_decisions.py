#!/usr/bin/python3
"""What cannot be taken back is shown first, refused where it would leave somebody behind, and can be taken back while nobody has built on it;
what the bureau decides reads what stands now and says what it is about."""
import json
import os
import re
import shutil
import time

from harness import Cases, Program, Server
from terminal import at_terminal
from transition_files import number, write

P, Q, J = "2132990001", "2132990002", "3132990001"
YEAR = 2027
cases = Cases()


def opening(server, clerk, primary):
    """B1: this year or the next; shown before it is done; taken back while nobody has reported."""
    for year in (2099, 2025):
        wrong = clerk.run("transition", "open", "--year", year)
        cases.check("%d is not opened" % year, wrong.code == 2 and "2026" in wrong.err, wrong)
    shown = clerk.run("transition", "open", "--year", YEAR, "--dry-run")
    cases.check("a dry run shows what would be frozen and who has no roster", shown.code == 0 and "应升学 4 人" in shown.out and "没有六年级名册：演练县第2小学" in shown.out, shown)
    code, screen = at_terminal(clerk, "transition", "open", "--year", str(YEAR), say="no\n")
    cases.check("at a terminal it is asked for, and anything but the year is no", code == 3 and "没有六年级名册" in screen and "没有改动" in screen, screen)
    cases.equal("nothing was opened", clerk.run("transition", "phase", "--year", YEAR).code, 3)
    code, screen = at_terminal(clerk, "transition", "open", "--year", str(YEAR), say="%d\n" % YEAR)
    cases.check("the year, typed, opens it, and how to take it back is said", code == 0 and "transition cancel" in screen, screen)
    cases.equal("without a reason it is not taken back", clerk.run("transition", "cancel", "--year", YEAR).code, 2)
    primary.ok("sync")
    cases.equal("the schools know the year", sorted(r["student"]["name"] for r in primary.ok("transition", "list")), sorted("%s生" % c for c in "甲乙丙丁"))
    cases.equal("taken back", clerk.ok("transition", "cancel", "--year", YEAR, "--reason", "名册未齐")["changed"], 4)
    cases.equal("once", clerk.run("transition", "cancel", "--year", YEAR, "--reason", "再一次").code, 3)
    path = write(server, "late.csv", "姓名,证件号码,年级,班级,性别\n戊生,%s,六年级,1班,%s\n" % (number(5), "男" if int(number(5)[16]) % 2 else "女"))
    primary.ok("import", "students", path)
    primary.ok("import", "undo", primary.ok("import", "list")[0]["id"])
    primary.ok("sync")
    primary.ok("import", "students", path)
    primary.ok("sync")
    cases.equal("and opened again, with who has come meanwhile", clerk.ok("transition", "open", "--year", YEAR, "--yes")["baseline"], 5)
    clerk.ok("transition", "cancel", "--year", YEAR, "--reason", "名册重新导入")
    primary.ok("sync")
    primary.ok("import", "undo", next(b for b in primary.ok("import", "list") if b["what"] == "students" and not b["undone"])["id"])
    primary.ok("sync")
    primary.ok("import", "students", path)
    primary.ok("sync")
    cases.equal("also when the roster was undone and imported again", clerk.ok("transition", "open", "--year", YEAR, "--yes")["baseline"], 5)
    late = number(5)
    amend = lambda word: clerk.run("transition", "baseline", word, late, "--year", YEAR, "--reason", "核对", "--json")
    cases.equal("then a number means who stands in the list now: removed once, added once, never counted twice",
                [(r.code, r.json.get("changed")) for r in map(amend, ("remove", "add"))] + [amend("add").code], [(0, 1), (0, 1), 3])
    cases.equal("and the list has as many as before", clerk.ok("transition", "reconcile", "--year", YEAR)["baseline"], 5)
    primary.ok("sync")
    cases.equal("the trace holds", server.people["auditor"].ok("audit", "verify")["ok"], True)
    cases.check("and tells who took it back, and why", any(row["purpose"] == "名册未齐" for row in server.people["auditor"].ok("audit", "search", "--what", "Transition.Cancel")), "")


def where_to(server, clerk, primary):
    """B4: a school that there is, that takes juniors, and whose name and code agree; here and at the server."""
    first = number(1)
    for school, word in (("3132999999", "没有学校标识码"), (Q, "不招初中学生"), ("第一初级中雪", "没有叫")):
        wrong = primary.run("transition", "set", first, "--dest", "A1", "--school", school)
        cases.check("%s is refused, with the nearest" % school, wrong.code == 2 and word in wrong.err and "演练县第一初级中学" in wrong.err, wrong)
    cases.equal("a name that only one school has will do", primary.ok("transition", "set", first, "--dest", "A1", "--school", "第一初级")["dest_school"], J)
    table = write(server, "to.csv", "姓名,证件号码,去向类别,拟升入学校标识码,拟升入学校\n乙生,%s,A1,%s,演练县第2小学\n丙生,%s,A1,%s,\n丁生,%s,A1,,演练县第一初级中学\n" % (
        number(2), J, number(3), Q, number(4)))
    report = primary.ok("import", "destinations", table, code=5)
    cases.equal("in a table too", [(r["row"], r["field"]) for r in report["rejected"]], [(2, "拟升入学校"), (3, "拟升入学校标识码")])
    primary.ok("sync")


def counted_once(server, clerk, primary):
    """A child who stands through two schools is counted through one; whoever is beside the list is no progress."""
    row = lambda n, name: "%s,%s,六年级,1班,%s\n" % (name, number(n), "男" if int(number(n)[16]) % 2 else "女")
    head, second = "姓名,证件号码,年级,班级,性别\n", server.school(Q)
    second.ok("import", "students", write(server, "moved.csv", head + row(4, "丁生") + row(6, "己生")))
    second.ok("sync")
    late = primary.ok("import", "students", write(server, "beside.csv", head + row(6, "己生")))["import"]
    primary.ok("transition", "set", number(6), "--dest", "B3", "--place", "上海市")
    primary.ok("sync")
    progress = lambda: next((r["baseline"], r["declared"]) for r in clerk.ok("transition", "progress", "--year", YEAR) if r["code"] == P)
    cases.equal("a row beside the list is not counted as declared", progress(), (5, 2))
    add = lambda pupil, *more: clerk.run("transition", "baseline", "add", pupil, "--year", YEAR, "--reason", "核对", *more)
    there = next(s["id"] for s in second.ok("students", "list") if s["cert_no"] == number(4))
    for pupil in (number(4), there):
        twice = add(pupil)
        cases.check("who is in it through another school is not counted twice", twice.code == 3 and "丁生已经在应升学名单里，生源学校是演练县第1小学" in twice.err and "baseline remove" in twice.err, twice)
    nobody = add(number(77))
    cases.check("a number that is nobody's: not the command that was just typed", nobody.code == 3 and "没有这个号码" in nobody.err and "jg import students" in nobody.err and "baseline add" not in nobody.err, nobody)
    asked = add(number(6))
    cases.check("who is on two rosters is asked for by school", asked.code == 2 and "演练县第1小学" in asked.err and "演练县第2小学" in asked.err and "--school" in asked.err, asked)
    wrong = add(number(6), "--school", J)
    cases.check("a school that has no record of him is refused", wrong.code == 2 and "不是所写学校的学生" in wrong.err, wrong)
    done = add(number(6), "--school", Q)
    cases.check("and counts through the one that is named", done.code == 0 and "己生（演练县第2小学）" in done.out, done)
    cases.equal("so P's numbers are as before", progress(), (5, 2))
    wrong = clerk.run("transition", "baseline", "remove", number(6), "--year", YEAR, "--reason", "核对完毕", "--school", P)
    cases.check("nor is he taken out as another school's", wrong.code == 2 and "演练县第2小学" in wrong.err and "不是所写学校的学生" in wrong.err, wrong)
    clerk.ok("transition", "baseline", "remove", number(6), "--year", YEAR, "--reason", "核对完毕", "--school", Q)
    primary.ok("undo", next(b["id"] for b in primary.ok("import", "list") if b["what"] == "edit"))
    primary.ok("undo", late)
    primary.ok("sync")


def proofs(server, clerk, primary):
    """G3, A1: a decision before the first run, read from what stands now, that says what it is about and whose files they are."""
    away = number(3)
    note = write(server, "证明.txt", "就读证明")
    primary.ok("transition", "set", away, "--dest", "B3", "--place", "上海市", "--evidence", note)
    primary.ok("sync")
    listed = clerk.ok("transition", "proof", "list", "--year", YEAR)
    cases.equal("proofs are listed before the first run, with who filed them", [(p["student"]["name"], p["category"], p["filed_by"]) for p in listed], [("丙生", "B3", P)])
    said = clerk.run("transition", "proof", "accept", "--year", YEAR, away)
    cases.check("the decision is taken, and says on what", said.code == 0 and "丙生" in said.out and "外省" in said.out and "上海市" in said.out and "1 份" in said.out, said)
    nothing = clerk.run("transition", "proof", "accept", "--year", YEAR, number(5))
    cases.check("who has declared nothing has no proof, and that is said", nothing.code == 3 and "还没有填报去向" in nothing.err, nothing)
    primary.ok("transition", "set", away, "--dest", "C2")
    primary.ok("sync")
    listed = clerk.ok("transition", "proof", "list", "--year", YEAR)
    cases.equal("another category is another question", [(p["category"], p["word"]) for p in listed], [("C2", None)])


def late_rows(server, primary):
    """A table that comes after the year was closed: refused row by row, let go as one; and when it is taken after all, nothing is left of the refusals."""
    refused = lambda: [r["id"] for r in primary.ok("outbox", "list") if r["state"] in ("refused", "blocked", "draft")]
    tables = [write(server, "late%d.csv" % i, "姓名,证件号码,去向类别,去向地区\n" + "".join("%s生,%s,B3,北京市\n" % ("甲乙丙丁戊"[n - 1], number(n)) for n in rows))
              for i, rows in enumerate(((1, 5), (3, 4), (2,)))]
    batches = [primary.ok("import", "destinations", table, "--force")["import"] for table in tables]
    primary.ok("sync", code=5)
    listed = primary.run("outbox", "list")
    cases.check("the list of refusals names how to let go of all", len(refused()) == 5 and all(w in listed.out for w in ("jg import undo", "jg outbox withdraw --all", "jg outbox fix")), listed)
    undone = primary.run("import", "undo", batches[0])
    cases.check("an import that was refused is undone as one", undone.code == 0 and "2 项已撤回" in undone.out and len(refused()) == 3, undone)
    told = primary.run("outbox", "withdraw", *refused()[:2])
    cases.check("or by its items", told.code == 0 and "丙生" in told.out and "丁生" in told.out and len(refused()) == 1, told)
    code, screen = at_terminal(primary, "outbox", "withdraw", "--all", say="\n")
    cases.check("or all, which is asked for", code == 3 and "1 项" in screen and len(refused()) == 1, screen)
    wrong = primary.run("outbox", "withdraw")
    cases.check("without either it says what it takes", wrong.code == 2 and "--all" in wrong.err, wrong)

    def opened_again():
        primary.login()
        primary.ok("sync", code=(0, 5))
        primary.ok("import", "destinations", tables[2], "--force")
        cases.equal("what was typed anew asks nobody about the old refusals", refused(), [])
        done = primary.ok("sync")
        cases.equal("and is taken", (done["pushed"], done["refused"], refused()), (1, 0, []))
        row = next(r["id"] for r in reversed(primary.ok("outbox", "list", "--all")) if r["state"] == "accepted")
        code, screen = at_terminal(primary, "outbox", "withdraw", row, say="\n")
        cases.check("what the bureau has is shown and asked for before it is put back", code == 3 and "乙生" in screen and "北京市" in screen and "县局已收到" in screen and "什么也没有改动" in screen, screen)
    return opened_again


def closing(server, clerk, leader, primary):
    """B2: a year that leaves somebody behind is not closed without a reason, and the leader opens it again."""
    wrong = clerk.run("transition", "phase", "--year", YEAR, "收尾")
    cases.check("a phase that there is not: all that there are", wrong.code == 2 and all(w in wrong.err for w in ("预填", "帮办", "确认", "核验", "办结")), wrong)
    for phase in ("帮办", "confirm", "核验"):
        clerk.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
    clerk.ok("transition", "reconcile", "--year", YEAR)
    clerk.ok("transition", "slips", "issue", "--year", YEAR)
    refused = clerk.run("transition", "phase", "--year", YEAR, "closed")
    cases.check("with pupils open and slips under way it is refused, with how many", refused.code == 3 and "未落实" in refused.err and "交办单" in refused.err and "--force --reason" in refused.err, refused)
    shown = clerk.ok("transition", "phase", "--year", YEAR)
    cases.check("a look lists them by school", {"OPEN", "SLIP"} <= {m["what"] for m in shown["missing"]} and all(m["count"] > 0 for m in shown["missing"] if m["what"] in ("OPEN", "SLIP")), shown)
    slip = clerk.ok("transition", "slips", "list", "--year", YEAR)[0]
    early = clerk.run("transition", "slips", "review", slip["slip"], "accept")
    cases.check("before both have answered: who has not", early.code == 3 and "都回复后才能审核" in early.err and "jgadmin transition slips show %s" % slip["no"] in early.err, early)
    for words in (("slips", "review", slip["slip"], "return"), ("proof", "refute", number(3), "--year", YEAR), ("baseline", "remove", number(3), "--year", YEAR)):
        silent = clerk.run("transition", *words)
        cases.check("%s without its reason names the option" % words[1], silent.code == 2 and "--reason 原因" in silent.err, silent)
    for words, told in ((("transition", "progress"), "--year %d" % YEAR), (("catchments", "remove", "99"), "jgadmin catchments list"), (("transition", "slips", "show", "99"), "jgadmin transition slips list")):
        lacks = clerk.run(*words)
        cases.check("%s says what is there" % " ".join(words), lacks.code in (2, 3) and told in lacks.err and "证件号码" not in lacks.err, lacks)
    admin = server.people["sysadmin"]
    for words, told in ((("--school", P, "--role", "class_teacher", "甲"), "--class 六1班"), (("--school", J, "--role", "class_teacher", "--class", "六1班", "甲"), "七1班")):
        wrong = admin.run("users", "add", *words)
        cases.check("a class teacher has a class, and the school its grade: %s" % told, wrong.code in (2, 3) and told in wrong.err and "甲" not in str(admin.ok("users", "list")), wrong)
    teacher, clerk_there = (admin.ok("users", "add", "--school", J, "--role", *words)["user"] for words in (("class_teacher", "--class", "七1班", "乙"), ("registrar", "丙")))
    for words, told in (((teacher, "--class", "六1班"), ("演练县第一初级中学没有“六1班”", "七1班")), ((teacher, "--class", "火星班"), ("火星班", "七1班")),
                        ((clerk_there, "--role", "class_teacher"), ("班主任要写负责的班级", "--class 六1班"))):
        wrong = admin.run("users", "set", *words)
        cases.check("so when it is changed: %s" % " ".join(words[1:]), wrong.code in (2, 3) and all(t in wrong.err for t in told) and len(wrong.err.splitlines()) == 3, wrong)
    admin.ok("users", "set", clerk_there, "--role", "class_teacher", "--class", "七2班")
    named = server.person("named").run("connect", "--code", server.code(admin.ok("devices", "invite", "--school", P)["code"]))
    cases.check("a computer says whose it is by name", named.code == 0 and "单位 演练县第1小学" in named.out, named)
    pupil = next(m["student"]["id"] for m in clerk.ok("transition", "mismatches", "--year", YEAR))
    code, screen = at_terminal(clerk, "transition", "same", "--year", str(YEAR), pupil, pupil, say="\n")
    cases.check("a person is asked why two rows are one child", code == 2 and "理由：" in screen and "--reason 核对户口簿" in screen, screen)
    primary.ok("sync")
    clerk.ok("transition", "phase", "--year", YEAR, "closed", "--force", "--reason", "移交下一年度")
    after = late_rows(server, primary)
    late = clerk.run("transition", "baseline", "remove", number(2), "--year", YEAR, "--reason", "晚了")
    cases.check("in a closed year nothing is decided any more, and who may open it is said", late.code == 3 and "已经办结" in late.err and "局领导" in late.err, late)
    cases.equal("the office does not open it again", clerk.run("transition", "phase", "--year", YEAR, "verify", "--force", "--reason", "x").code, 3)
    cases.equal("nor the leader without a reason", leader.run("transition", "phase", "--year", YEAR, "verify").code, 2)
    cases.equal("the leader does, with one", leader.ok("transition", "phase", "--year", YEAR, "verify", "--force", "--reason", "两名学生未落实")["phase"], "verify")
    after()
    rows = server.people["auditor"].ok("audit", "search", "--what", "Transition.Phase")
    cases.check("every step and every reason is in the log", {"closed: 移交下一年度", "verify: 两名学生未落实"} <= {r["purpose"] for r in rows}, rows)
    all_rows = [int(r["id"]) for r in server.people["auditor"].ok("audit", "search")]
    cases.check("newest first, also behind the 9th", len(all_rows) > 20 and all_rows == sorted(all_rows, reverse=True), all_rows[:12])
    screen = server.people["auditor"].run("audit", "search").out
    cases.check("and in words", "办结：移交下一年度" in screen and "Transition." not in screen and "PHASE" not in screen and not re.search(r"\badmin\b", screen), screen[:600])


def revoked(server, registrar):
    """A9: a revoked computer keeps nothing that can be read; what it had not sent opens after the bureau has enrolled it anew."""
    admin, profile = server.people["secadmin"], registrar.profile
    note = write(server, "材料.txt", "未发送的材料")
    registrar.ok("students", "set", number(2), "live_address=未发送路1号")
    photos = [os.path.join(server.dir, "材料%d.jpg" % n) for n in range(8)] # 80 MiB: more than one sealed file holds
    for photo in photos:
        with open(photo, "wb") as out:
            out.write(b"\xff\xd8\xff\xe0" + os.urandom(10 * 1024 * 1024 - 4))
    registrar.ok("transition", "set", number(4), "--dest", "B3", "--place", "上海市", *[word for photo in [note] + photos for word in ("--evidence", photo)])
    copy = profile + ".copy"
    shutil.copytree(profile, copy)
    device = json.load(open(profile + "/profile.json"))["device"]
    admin.ok("devices", "revoke", device)
    time.sleep(3)
    told = registrar.run("sync")
    cases.check("the next word with the bureau seals it, and says so", told.code == 3 and "封存" in told.err and "11 项" in told.err and "2 个文件" in told.err, told)
    left = sorted(os.listdir(profile))
    cases.check("no key, no log-in, no pupil is left", "unsent.sealed" in left and not {"store.db", "store.key", "key.pem", "session.json"} & set(left), left)
    sealed = b"".join(open(profile + "/" + name, "rb").read() for name in left if name.endswith(".sealed"))
    cases.check("nothing in the sealed file can be read", "未发送路".encode() not in sealed and number(2).encode() not in sealed)
    after = registrar.run("students", "list")
    cases.check("every command says what happened, what is safe, and what to do", after.code == 3 and "已被县局停用" in after.err and "connect --code" in after.err, after)
    # A death in the middle: the mark is there, the keys are there still.
    for name in ("store.db", "store.key", "key.pem", "cert.pem"):
        shutil.copy2(copy + "/" + name, profile)
    cases.equal("what a death left is destroyed by the next command", (registrar.run("students", "list").code, [n for n in ("store.db", "store.key", "key.pem") if os.path.exists(profile + "/" + n)]), (3, []))
    registrar.connect(server.code(server.people["sysadmin"].ok("devices", "invite", "--school", Q)["code"]))
    other = server.people["sysadmin"].ok("users", "add", "--school", Q, "--role", "registrar", "别校")
    stranger = Program(registrar.binary, profile)
    stranger.first_login(other["user"], other["password"])
    refused = stranger.run("sync")
    cases.check("another school's computer does not open it", refused.code == 0 and "别的学校" in refused.err and os.path.exists(profile + "/unsent.sealed"), refused)
    for name in os.listdir(profile):
        if not name.endswith(".sealed"):
            path = os.path.join(profile, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    registrar.connect(server.code(server.people["sysadmin"].ok("devices", "invite", "--school", P)["code"]))
    registrar.login()
    opened = registrar.ok("sync", code=5)
    cases.equal("the same school's does, once", (opened["opened"], [name for name in os.listdir(profile) if name.endswith(".sealed")], registrar.ok("sync", code=(0, 5))["opened"]), (11, [], 0))
    cases.check("with every file", len(os.listdir(profile + "/blobs")) >= 9, os.listdir(profile + "/blobs"))
    drafts = [row for row in registrar.ok("outbox", "list") if row["state"] == "draft"]
    cases.equal("and it waits for a person", sorted(row["kind"] for row in drafts), ["destination"] + ["evidence"] * 9 + ["student"])
    for row in sorted(drafts, key=lambda row: row["kind"] == "evidence"):
        told = registrar.run("outbox", "fix", row["id"])
        cases.check("what was looked at and left as it is was confirmed, not mended", told.code == 0 and "已确认" in told.out and "已改正" not in told.out, told)
    registrar.ok("sync")
    cases.equal("nothing is lost", (registrar.ok("students", "show", number(2))["live_address"], [p["files"] for p in server.people["basic_edu"].ok("transition", "proof", "list", "--year", YEAR)
                                                                                       if p["student"]["cert_no"] == number(4)]), ("未发送路1号", [["材料.txt"] + ["材料%d.jpg" % n for n in range(8)]]))


def main():
    with Server() as server:
        path = write(server, "schools.csv", "学校标识码,学校名称,办学类型,举办者\n%s,演练县第1小学,211,831\n%s,演练县第2小学,211,831\n%s,演练县第一初级中学,311,831\n" % (P, Q, J))
        clerk, leader = server.bureau("basic_edu"), server.bureau("leader")
        clerk.ok("schools", "import", path)
        report = clerk.ok("catchments", "import", write(server, "areas.csv", "学校标识码,学段,区划代码\n" + "".join("%s,初中,%s\n" % (J, "329999100001"[:n]) for n in range(5, 14))), code=5)
        told = clerk.run("catchments", "import", write(server, "short.csv", "学校标识码,学段,区划代码\n%s,初中,32999\n" % J))
        cases.check("and people are told what it may be", told.code == 5 and "第 2 行" in told.out and "前 6 到 11 位" in told.out, told)
        cases.equal("a catchment is 12 digits or a prefix of 6 to 11", (report["inserted"], [r["row"] for r in report["rejected"]]), (7, [2]))
        primary = server.school(P)
        primary.ok("import", "students", write(server, "roster.csv", "姓名,证件号码,年级,班级,性别\n" + "".join(
            "%s生,%s,六年级,1班,%s\n" % ("甲乙丙丁"[n - 1], number(n), "男" if int(number(n)[16]) % 2 else "女") for n in range(1, 5))))
        primary.ok("sync")
        opening(server, clerk, primary)
        where_to(server, clerk, primary)
        counted_once(server, clerk, primary)
        proofs(server, clerk, primary)
        revoked(server, primary)
        closing(server, clerk, leader, primary)
    cases.close()


if __name__ == "__main__":
    main()
