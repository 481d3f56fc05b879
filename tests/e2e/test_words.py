#!/usr/bin/python3
"""What a school reads: names, classes, words and terms instead of codes; short numbers that the next command takes; what was done and how to
take it back; work in bulk. One county with a pure primary and a pure junior school, from May to the closed year."""
import os
import re
import subprocess

import openpyxl

from county_files import check_digit
from harness import Cases, Server
from test_reminders import JUNIOR, PRIMARY, YEAR, County

# Codes, error names, machine times and school codes have no place on a screen that people read.
CODES = [r"M\d\d", r"\b[ABCD]\d\b", r"\bnull\b", r"\+08:00", r"\d{10}", r"[A-Z_]{5,}"]
# name, class; sorted as the lists are: by class as a number, then by the sound of the name
PUPILS = [("安小雨", "1"), ("高浩然", "1"), ("张一诺", "1"), ("李明月", "2"), ("王子轩", "2"), ("白云飞", "10")]
SHUFFLED = [3, 5, 1, 0, 4, 2]


def number(n):
    body = "329999%s%03d" % ("20150314", 100 + n)
    return body + check_digit(body)


class Words:
    def __init__(self, server, cases):
        self.county, self.c = County(server), cases
        self.primary, self.junior = self.county.school[PRIMARY], self.county.school[JUNIOR]

    def says(self, title, person, *args, words=(), code=0, **more):
        """Runs for a person; the words stand in what he reads, in this order of nothing."""
        result = person.run(*args, **more)
        text = result.out + result.err
        self.c.check(title, result.code == code and all(w in text for w in words), repr(result))
        return result

    def clean(self, person, *args, text=None):
        """No code on a screen."""
        if text is None:
            result = person.run(*args)
            text = result.out + result.err
            self.c.check("%s answers" % " ".join(args), result.code == 0 and text.strip(), repr(result))
        text = text.replace(person.profile, "").replace(person.user, "")
        found = {m for code in CODES for m in re.findall(code, text)}
        self.c.check("%s: no codes" % " ".join(args), not found, "%r in\n%s" % (found, text))
        return text

    def rows(self, person, *args):
        """The table on the screen, as lists of cells."""
        lines = person.run(*args).out.splitlines()
        return [re.split(r"\s{2,}", line.strip()) for line in lines if re.match(r"\d+\s", line)]

    # ---- the chapters ----

    def may(self):
        lines = "".join("%s,%s,六年级,%s,否\n" % (PUPILS[i][0], number(i), PUPILS[i][1]) for i in SHUFFLED)
        self.county.write("students.csv", "姓名,证件号码,年级,班级,是否随迁子女\n" + lines)
        self.primary.ok("import", "students", self.county.path("students.csv"))
        self.primary.ok("sync")
        self.county.edu.ok("transition", "open", "--year", YEAR)
        self.county.phase("prefill")
        self.county.move_to(6, 10)
        for person in (self.primary, self.junior):
            person.ok("sync")
        rows = self.rows(self.primary, "students", "list")
        self.c.equal("pupils by class and name, with the last four of their number", [r[:4] for r in rows],
                     [[str(i + 1), "六%s班" % p[1], p[0], number(i)[-4:]] for i, p in enumerate(PUPILS)])
        self.c.check("a number of the list names the pupil", "高浩然" in self.primary.run("students", "show", "2").out)
        self.says("a number out of range says how many there were", self.primary, "students", "show", "40", words=("6 行", "jg students list"), code=3)

    def june(self):
        p = self.primary
        self.says("no list, no numbers", p, "transition", "set", "2", "--dest", "A1", "--school", "北中", words=("还没有列过", "jg transition list"), code=3)
        rows = self.rows(p, "transition", "list")
        self.c.equal("the table in the same order", [r[:4] for r in rows], [[str(i + 1), "六%s班" % q[1], q[0], number(i)[-4:]] for i, q in enumerate(PUPILS)])
        p.run("transition", "list", "--unset", "--json")
        self.says("what was done is said, and how to take it back", p, "transition", "set", "2", "--dest", "A1", "--school", JUNIOR,
                  words=("高浩然（六1班）→ A1 施教区公办 北中；撤销：jg undo ",))
        self.says("elsewhere", p, "transition", "set", "5", "--dest", "外省", "--place", "上海市浦东新区", words=("王子轩（六2班）→ B3 外省 上海市浦东新区；",))
        for n in ("1", "3", "4"):
            p.ok("transition", "set", n, "--dest", "A1", "--school", JUNIOR)
        self.says("all permitted categories are named", p, "transition", "set", "6", "--dest", "Z9", words=("A1 施教区公办", "D5 未定"), code=2)
        self.says("counts", p, "transition", "list", words=("应升学 6 人，已填 5 人，未填 1 人",))
        self.says("a found pupil has a number too", p, "pupil", "find", "byf", words=("白云飞", "六10班", number(5)[-4:]))
        self.says("which the next command takes", p, "transition", "set", "1", "--dest", "D5", words=("白云飞（六10班）→ D5 未定；",))
        said = self.says("an edit of a pupil says what it changed", p, "students", "set", "1", "live_address=东街 2 号", words=("白云飞（六10班）：", "空→东街 2 号", "撤销：jg undo "))
        batch = re.search(r"jg undo (\d+)", said.out).group(1)
        self.says("and is taken back", p, "undo", batch, words=("白云飞",))
        p.ok("sync")
        self.c.check("a pure junior school has nothing to declare", not [t for t in self.junior.ok("todo") if t["what"] in ("unset", "gaps", "file")], self.junior.ok("todo"))
        progress = self.county.edu.ok("transition", "progress", "--year", YEAR)
        self.c.check("the bureau counts the same", any(r.get("declared") == 6 or r.get("filled") == 6 for r in progress) or not progress or "declared" not in progress[0], progress)

    def screens(self):
        for person in (self.primary, self.junior):
            for words in ("students list", "transition list", "transition list --unset", "verify list", "slips list", "todo", "outbox list --all", "conflicts list",
                          "import list", "status", "sync", "pupil find 高", "doctor", "profiles", "help fields"):
                self.clean(person, *words.split())
        for words in ("students show 1", "outbox show 1"):
            self.clean(self.primary, *words.split())


def main():
    cases = Cases()
    with Server() as server:
        w = Words(server, cases)
        w.may()
        w.june()
        w.screens()
    cases.close()


if __name__ == "__main__":
    main()
