#!/usr/bin/python3
"""Reminders: the day before a slip's term and at it, to each addressee that has not answered, and once to a junior
school that lets the day of verification pass (M18). Each is said once, whatever is restarted or run again in between."""
import time

from harness import Cases, Server
from wrong_clock import wrong
from transition_county import County, JUNIOR, PRIMARY, YEAR, number


def main():
    cases = Cases()
    with Server() as server:
        c = County(server)
        primary, junior = c.school[PRIMARY], c.school[JUNIOR]
        c.write("students.csv", "姓名,证件号码,年级,班级\n甲一,%s,六年级,1\n乙二,%s,六年级,1\n" % (number(11), number(22)))
        primary.ok("import", "students", c.path("students.csv"))
        primary.ok("sync")
        c.edu.ok("transition", "open", "--year", YEAR)
        c.move_to(6, 10)
        primary.ok("transition", "set", "-", "--dest", "A1", "--school", JUNIOR, stdin=number(11) + "\n")
        primary.ok("sync")
        c.phase("assist", "confirm", "verify")
        c.move_to(9, 12)
        c.edu.ok("transition", "reconcile", "--year", YEAR)
        cases.equal("one slip, of the pupil who declared nothing", len(c.edu.ok("transition", "slips", "--year", YEAR, "issue")), 1)
        cases.equal("nobody is reminded of a term that is days away", c.reminders(), {PRIMARY: None, JUNIOR: None})
        for _ in range(60):
            if c.count():
                break
            time.sleep(0.5)
        cases.equal("the silent junior school is", c.count(), JUNIOR + " silent")
        junior.ok("sync")
        cases.check("and reads it in its list of things to do", any(t["id"].startswith("submit") and "县局已提醒" in t["text"] for t in junior.ok("todo")), junior.ok("todo"))

        c.move_to(9, 15)
        both = {PRIMARY: "before", JUNIOR: "before"}
        cases.equal("the day before the term both addressees are reminded", c.settle(both), both)
        server.stop()
        server.start()
        c.edu.ok("transition", "reconcile", "--year", YEAR)
        time.sleep(17)  # one more look of the night job
        cases.equal("once, whatever is restarted or run again", c.count(), "%s before,%s silent,%s before" % (PRIMARY, JUNIOR, JUNIOR))
        primary.ok("sync")
        slip = primary.ok("slips", "list")[0]
        cases.equal("the school's own list says so", (slip["reminder"], slip["reminded_at"][:10]), ("before", "2027-09-15"))
        primary.ok("slips", "answer", slip["slip"], "--outcome", "persuading", "--note", "已上门")

        c.move_to(9, 17)
        late = {PRIMARY: "before", JUNIOR: "due"}
        cases.equal("at the term only the one that has not answered is", c.settle(late), late)
        found = c.edu.ok("transition", "slips", "--year", YEAR, "list")[0]
        cases.equal("and the slip goes up", (found["overdue"], found["escalated"], found["resolve_due"][:10]), (True, True, "2027-09-16"))
        junior.ok("sync")
        right = junior.ok("slips", "list")[0]["overdue"]
        for years in (10, -10):
            env = wrong(365 * years)
            junior.ok("sync", env=env)
            cases.equal("a clock %+d years off does not move the term" % years, (right, junior.ok("slips", "list", env=env)[0]["overdue"]), (True, True))
        junior.ok("sync")
        cases.check("the digest holds with the reminders", junior.ok("sync")["digest_ok"])
    cases.close()


if __name__ == "__main__":
    main()
