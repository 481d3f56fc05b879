#!/usr/bin/python3
"""What is undone, and by whom. A class teacher takes back his own import before it was sent, and what he has no part in he neither sees
nor undoes. An undo that the county does not take says so and is tried again; a pupil who stays has his guardian again."""
import os

from county_files import check_digit
from harness import JG, Cases, Program, Server

SCHOOL = "2132990001"
cases = Cases()


def number(n):
    body = "32999920150301%03d" % n
    return body + check_digit(body)


def roster(server, name, rows):
    """rows: the pupil's name and number, his class, his guardian's name."""
    path = os.path.join(server.dir, name + ".csv")
    with open(path, "w", encoding="utf-8") as out:
        out.write("姓名,证件号码,性别,年级,班级,监护人姓名,监护人电话\n")
        for pupil, no, class_no, guardian in rows:
            out.write("%s,%s,%s,六年级,%s,%s,13900000001\n" % (pupil, no, "男" if int(no[16]) % 2 else "女", class_no, guardian))
    return path


def guardians(program, no):
    return sorted(g["name"] for g in program.ok("students", "show", no)["guardians"])


def before_a_person(program):
    return [row for row in program.ok("outbox", "list") if row["state"] in ("refused", "conflict", "blocked", "draft")]


def colleague(server, registrar, name, class_name):
    """A class teacher at the registrar's computer."""
    account = server.people["sysadmin"].ok("users", "add", "--school", SCHOOL, "--role", "class_teacher", "--class", class_name, name)
    teacher = Program(JG, registrar.profile)
    teacher.first_login(account["user"], account["password"])
    return teacher


def own_and_others(server, registrar, one, two):
    one.login()
    one.ok("sync")
    batch = one.ok("import", "students", roster(server, "own", [("甲一", number(1), 1, "母甲"), ("甲二", number(2), 1, "母乙")]))["import"]
    one.ok("import", "undo", batch)
    sent = one.ok("sync")
    cases.equal("a class teacher's import, undone before it was sent", (sent["refused"], sent["pending"], before_a_person(one)), (0, 0, []))
    registrar.login()
    both = registrar.ok("import", "students", roster(server, "both", [("乙一", number(11), 1, "母丙"), ("乙二", number(12), 2, "母丁")]))["import"]
    everything = registrar.ok("outbox", "list")
    two.login()
    mine = two.ok("outbox", "list")
    cases.check("a class teacher sees what is about his class", 0 < len(mine) < len(everything), (len(mine), len(everything)))
    listed = two.run("outbox", "list")
    cases.check("and of it the pupils of his class alone", "乙二" in listed.out and "乙一" not in listed.out, listed)
    foreign = next(row["id"] for row in everything if row["id"] not in [m["id"] for m in mine])
    for what in (("outbox", "show", foreign), ("outbox", "withdraw", foreign), ("outbox", "revert", foreign), ("outbox", "fix", foreign), ("import", "undo", both)):
        done = two.run(*what)
        cases.check("another class's %s is refused" % " ".join(what[:2]), done.code == 3 and "不是您负责的班级" in done.err and "乙一" not in done.out, done)
    registrar.login()
    cases.equal("and nothing was touched", len(registrar.ok("outbox", "list")), len(everything))
    registrar.ok("sync")


def a_conflict(server, here, there):
    no = number(21)
    batch = here.ok("import", "students", roster(server, "edited", [("丙一", no, 3, "母戊")]))["import"]
    here.ok("sync")
    there.ok("sync")
    there.ok("students", "set", no, "现住址=西街")
    there.ok("sync")
    here.ok("import", "undo", batch)
    here.ok("sync", code=5)
    rows = here.ok("conflicts", "list")
    cases.equal("a colleague's edit and the undo are a conflict", [row["mine"]["deleted"] for row in rows], [True])
    shown = here.run("conflicts", "show", rows[0]["id"])
    cases.check("which says that mine is a deletion, and no number in full", "我的是删除" in shown.out and "西街" in shown.out and no not in shown.out, shown)
    cases.check("the number is shown on demand", no in here.run("conflicts", "show", rows[0]["id"], "--reveal").out)
    listed = here.run("import", "list")
    cases.check("the list says that the undo was not accepted", "撤销没有被接受" in listed.out and "已撤销" not in listed.out.split("edited")[1].split("\n")[0], listed)
    early = here.run("import", "undo", batch)
    cases.check("it is decided before it is undone again", early.code == 3 and "jg conflicts list" in early.err, early)
    here.ok("conflicts", "resolve", rows[0]["id"], "theirs")
    here.ok("sync")
    there.ok("sync")
    cases.equal("who stays has his guardian again, here and there", (guardians(here, no), guardians(there, no)), (["母戊"], ["母戊"]))


def a_refusal(server, here, there):
    no = number(31)
    batch = here.ok("import", "students", roster(server, "joined", [("丁一", no, 3, "母己")]))["import"]
    here.ok("sync")
    there.ok("sync")
    theirs = there.ok("import", "students", roster(server, "second", [("丁一", no, 3, "父己")]))["import"]
    there.ok("sync")
    here.ok("import", "undo", batch)
    here.ok("sync", code=5)
    cases.check("what a colleague built on is not undone", {row["state"] for row in before_a_person(here)} <= {"refused", "conflict"} and before_a_person(here), before_a_person(here))
    entry = next(row for row in here.ok("import", "list") if row["id"] == str(batch))
    cases.equal("the list tells a program so", (entry["undone"], entry["undo_refused"]), (False, True))
    there.ok("import", "undo", theirs)
    there.ok("sync")
    here.ok("sync", code=(0, 5))
    for row in here.ok("conflicts", "list"):
        here.ok("conflicts", "resolve", row["id"], "mine")
    again = here.run("import", "undo", batch)
    cases.check("when nothing is in the way any more it is undone again", again.code == 0, again)
    here.ok("sync")
    there.ok("sync")
    cases.equal("and the pupil is gone", [p.run("students", "show", no).code for p in (here, there)], [3, 3])
    cases.equal("nothing waits for anybody", before_a_person(here), [])
    last = here.run("import", "undo", batch)
    cases.check("once more there is nothing", last.code == 3 and "已经撤销过" in last.err, last)


def main():
    with Server() as server:
        server.import_schools(SCHOOL)
        registrar = server.school(SCHOOL)
        one, two = colleague(server, registrar, "王老师", "六1班"), colleague(server, registrar, "李老师", "六2班")
        own_and_others(server, registrar, one, two)
        there = server.school(SCHOOL, name="副手")
        a_conflict(server, registrar, there)
        a_refusal(server, registrar, there)
    cases.close()


if __name__ == "__main__":
    main()
