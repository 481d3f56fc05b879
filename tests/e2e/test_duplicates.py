#!/usr/bin/python3
"""Two colleagues of one school enter the same pupil apart. Where they agree on who it is nobody is asked; where the names differ the
second one sees both side by side, on the record that the county has, and may say which is right. Whoever hangs on it comes along."""
import os
import shutil

from county_files import check_digit
from harness import COUNTY, Cases, Server
from operator_hand import backup, jgd

SCHOOL = "2132990001"
cases = Cases()


def number(n):
    body = "32999920150301%03d" % n
    return body + check_digit(body)


def roster(server, name, rows):
    path = os.path.join(server.dir, name + ".csv")
    with open(path, "w", encoding="utf-8") as out:
        out.write("姓名,证件号码,性别,年级,班级,现住址区划代码,现住址,监护人姓名,监护人关系,监护人电话\n")
        for pupil, no, address, guardian in rows:
            out.write("%s,%s,%s,六年级,1班,329999101,%s,%s\n" % (pupil, no, "男" if int(no[16]) % 2 else "女", address, guardian + ",母亲,13900000001" if guardian else ",,"))
    return path


def pupil(program, no):
    found = program.ok("students", "show", no)
    return found["name"], found["live_address"], sorted(g["name"] for g in found["guardians"])


def before_a_person(program):
    return [row for row in program.ok("outbox", "list") if row["state"] in ("refused", "conflict", "blocked", "draft")]


def apart(server, first, second):
    """One deletes a pupil, the other enters a guardian: whoever comes second is told, and nothing hangs on nobody."""
    early, late = number(70), number(80)
    batches = [first.ok("import", "students", roster(server, "x%d" % i, [("乙" + "一二"[i], no, "东街", "母甲")]))["import"] for i, no in enumerate((early, late))]
    first.ok("sync")
    second.ok("sync")
    first.ok("undo", batches[0])
    second.ok("import", "students", roster(server, "y0", [("乙一", early, "东街", "母乙")]))
    second.ok("import", "students", roster(server, "y1", [("乙二", late, "东街", "母乙")]))
    first.ok("sync")
    second.ok("sync", code=5)
    refused = before_a_person(second)
    cases.equal("the guardian of a pupil who is gone is refused, not swallowed", [(r["state"], r["kind"]) for r in refused], [("refused", "guardian")])
    second.ok("outbox", "withdraw", refused[0]["id"])
    first.ok("undo", batches[1])
    first.ok("sync", code=5)
    cases.equal("a pupil under whom a colleague entered somebody is not deleted", sorted(r["state"] for r in before_a_person(first)), ["conflict", "refused"])
    cases.equal("and stands, with what the colleague entered", pupil(first, late), ("乙二", "东街", ["母乙"]))
    for row in before_a_person(first):
        first.ok(*(("conflicts", "resolve", row["id"], "theirs") if row["state"] == "conflict" else ("outbox", "fix", row["id"])))
    first.ok("sync")
    second.ok("sync")
    cases.equal("who has looked may delete", [p.run("students", "show", late).code for p in (first, second)], [3, 3])


def whose_number(first, second):
    """A pupil is to get the number of another one: whose it is is said here, and what the bureau refuses never becomes a choice between two people."""
    one, two, free = number(20), number(40), number(95)
    wrong = first.run("students", "set", one, "证件号码=" + two)
    cases.check("another pupil's number is refused at once, with whose it is", wrong.code == 3 and "甲四（六1班）" in wrong.err and len(wrong.err.splitlines()) == 3, wrong)
    cases.equal("and nothing waits", first.ok("status")["waiting"], 0)
    done = first.run("students", "set", two, "证件号码=" + free)
    cases.check("a number is not on the screen in full", done.code == 0 and free not in done.out and two not in done.out and free[-4:] in done.out, done)
    first.ok("sync")
    second.ok("students", "set", one, "证件号码=" + free)
    second.ok("sync", code=5)
    cases.equal("the bureau's refusal is one, and no conflict", ([(r["state"], r["kind"]) for r in before_a_person(second)], second.ok("conflicts", "list")), ([("refused", "student")], []))
    row = before_a_person(second)[0]["id"]
    shown = second.run("outbox", "show", row)
    cases.check("it says whose number it is, and both ways out", "甲四（六1班）" in shown.out and "jg outbox fix %s" % row in shown.out and "jg outbox withdraw %s" % row in shown.out, shown)
    again = second.run("outbox", "fix", row, "证件号码=" + free)
    cases.check("the same number does not go again", again.code == 3 and "甲四" in again.err, again)
    cases.equal("and is let go", second.ok("outbox", "withdraw", "--all")["undone"], 1)
    first.ok("students", "set", free, "证件号码=" + two)
    for program in (first, second):
        program.ok("sync")
        cases.equal("nobody has another's name", [pupil(program, no)[0] for no in (one, two)], ["甲贰", "甲四"])


def rolled_back(first):
    """A restore card brings an evening back that the bureau has had: what is mended and found to stand already is not sent again."""
    no, path = number(10), first.profile + "/store.db"
    first.ok("students", "set", no, "class_no=8")
    shutil.copy2(path, path + ".card")
    first.ok("students", "set", no, "live_address=北街")
    first.ok("sync")
    shutil.move(path + ".card", path)
    first.ok("sync", code=(0, 5))
    drafts = before_a_person(first)
    cases.equal("what was not sent before the copy is for a person to look at", [r["state"] for r in drafts], ["draft"])
    cases.equal("and where it stands already nothing is queued", first.ok("outbox", "fix", drafts[0]["id"])["state"], "done")
    told = first.ok("sync")
    cases.equal("so nothing is sent", (told["pushed"], told["pending"], before_a_person(first)), (0, 0, []))
    first.ok("students", "set", no, "class_no=9")
    cases.equal("what is new is", first.ok("sync")["pushed"], 1)


def behind_a_restore(server, first, second, third):
    """The bureau goes back to a backup and a pupil comes back under another id: whom a colleague had entered under the old one moves too."""
    no, saved = number(90), backup(cases, server)
    first.ok("import", "students", roster(server, "z0", [("丙一", no, "东街", "")]))
    first.ok("sync")
    second.ok("sync")
    second.ok("import", "students", roster(server, "z1", [("丙一", no, "东街", "母乙")]))
    second.ok("sync")
    server.stop()
    back = jgd(server, "restore", saved)
    cases.check("restore", back.returncode == 0, back.stdout + back.stderr)
    server.start()
    third.ok("import", "students", roster(server, "z2", [("丙一", no, "东街", "母丙")]))
    for program in (third, first, second, first, second, third):
        program.login()
        program.login()
        program.ok("sync")
    for program in (first, second, third):
        cases.equal("one pupil, and everybody whom somebody entered", pupil(program, no), ("丙一", "东街", ["母丙", "母乙"]))


def main():
    with Server() as server:
        server.import_schools(SCHOOL)
        first, second, third = (server.school(SCHOOL, name=name) for name in ("first", "second", "third"))
        same, mine, theirs, fields, gone, away = numbers = [number(10 * n) for n in range(1, 7)]
        alike = number(65)
        first.ok("import", "students", roster(server, "a", [("甲" + "一二三四五六"[i], no, "东街" if i else "", "母" + "一二三四五六"[i]) for i, no in enumerate(numbers)]))
        second.ok("import", "students", roster(server, "b", [("甲" + "一贰叁肆伍陆"[i], no, "西街", "母" + "一贰叁肆伍陆"[i]) for i, no in enumerate(numbers)]))
        first.ok("import", "students", roster(server, "a2", [("甲七", alike, "东街", "母七")]))
        second.ok("import", "students", roster(server, "b2", [("甲七", alike, "西街", "母七")]))
        first.ok("sync")
        told = second.ok("sync", code=5)
        cases.equal("who is the same pupil is asked where the names or the addresses differ", told["conflicts"], 6)
        cases.equal("and nobody is asked where they agree: what one left open the other fills", pupil(second, same), ("甲一", "西街", ["母一"]))
        open_items = {c["student"]["cert_no"]: c for c in second.ok("conflicts", "list")}
        cases.equal("a colleague's address stands until somebody has decided", pupil(second, alike), ("甲七", "东街", ["母七"]))
        second.ok("conflicts", "resolve", open_items.pop(alike)["id"], "mine")
        second.ok("sync", code=5)
        cases.equal("and then it is what was decided", pupil(second, alike)[:2], ("甲七", "西街"))
        cases.equal("each is shown once", sorted(open_items), sorted(numbers[1:]))
        there = first.ok("students", "show", mine)
        cases.equal("on the record that the county has", (open_items[mine]["record"], open_items[mine]["theirs"]["deleted"]), (there["id"], False))
        cases.equal("with both words of what differs", {f["field"]: (f["mine"], f["theirs"]) for f in open_items[mine]["fields"]}, {"name": ("甲贰", "甲二"), "live_address": ("西街", "东街")})
        second.ok("conflicts", "resolve", open_items[mine]["id"], "mine", "--seen", open_items[mine]["seen"])
        second.ok("conflicts", "resolve", open_items[theirs]["id"], "theirs")
        moved = [row["id"] for row in second.ok("outbox", "list") if row["state"] == "waiting" and row["kind"] == "guardian"]
        back = [second.run("outbox", "revert", row) for row in moved]
        cases.equal("whom I wrote for the pupil cannot be moved back to a record that is nobody's", [(r.code, "所属的记录已经不在" in r.err) for r in back], [(3, True)] * len(moved))
        cases.check("and somebody was moved", len(moved) > 0)
        second.ok("conflicts", "resolve", open_items[fields]["id"], "live_address=南街")
        second.ok("outbox", "withdraw", open_items[away]["id"])
        first.ok("students", "set", gone, "class_no=7")
        first.ok("sync")
        second.ok("sync", code=5)
        stale = second.run("conflicts", "resolve", open_items[gone]["id"], "mine", "--seen", open_items[gone]["seen"])
        cases.equal("who looked at an older state is told", stale.code, 3)
        second.ok("conflicts", "resolve", open_items[gone]["id"], "mine")
        second.ok("sync")
        first.ok("sync")
        for program in (first, second):
            cases.equal("mine", pupil(program, mine), ("甲贰", "西街", ["母二", "母贰"]))
            cases.equal("theirs, and whom I wrote for the pupil is not lost", pupil(program, theirs), ("甲三", "东街", ["母三", "母叁"]))
            cases.equal("a word of my own", pupil(program, fields), ("甲四", "南街", ["母四", "母肆"]))
            cases.equal("mine over what came meanwhile", pupil(program, gone), ("甲伍", "西街", ["母五", "母伍"]))
            cases.equal("who is withdrawn takes the guardian along", pupil(program, away), ("甲六", "东街", ["母六"]))
            cases.equal("no pupil twice", len(program.ok("students", "list")), len(numbers) + 1)
        cases.equal("nothing is open", (second.ok("conflicts", "list"), second.ok("sync")["pending"]), ([], 0))
        whose_number(first, second)
        apart(server, first, second)
        rolled_back(first)
        behind_a_restore(server, first, second, third)
        orphans = server.psql("SET app.county = '%s'; SET app.scope = 'job'; SELECT count(*) FILTER (WHERE s.rec_id IS NULL), count(*) > 6 FROM guardian g"
                              " LEFT JOIN student s ON s.rec_id = g.student AND NOT s.deleted WHERE NOT g.deleted" % COUNTY)
        cases.equal("nobody hangs on an id that is nobody's", orphans, "0|t")
    cases.close()


if __name__ == "__main__":
    main()
