#!/usr/bin/python3
"""Each state machine is drawn in server/README.md as its table in C has it: no way too many, none too few. Nothing but its door writes its
state, and the door says that it checks more than the way. And each header says on which thread its functions run."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MACHINES = {  # drawing: (file of its table, prefix of its states)
    "main": ("server/server.c", "MAIN"),
    "conn": ("server/net/conn.c", "CONN"),
    "request": ("server/call/request.c", "REQUEST"),
    "db_conn": ("server/db/db_conn.c", "DB"),
    "stream": ("common/stream.c", "STREAM"),
    "link": ("client/core/link/link.c", "LINK"),
}
README = "server/README.md"
passed = failed = 0


def check(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("not ok", text)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def drawn(text):
    """The ways of a drawing: each line is states in capitals, joined by ──why──>."""
    ways = set()
    for line in filter(None, text.split("\n")):
        states = re.split(r" ──[^>]+──> ", line)
        check(len(states) > 1 and all(re.fullmatch("[A-Z]+", s) for s in states), "not to be read: " + line)
        ways |= set(zip(states, states[1:]))
    return ways


def tabled(source, prefix):
    ways = set()
    for state, others in re.findall(r"\[%s_([A-Z]+)\] = ((?:STATE\(%s_[A-Z]+\)[\s|]*)+)," % (prefix, prefix), source):
        ways |= {(state, other) for other in re.findall(r"STATE\(%s_([A-Z]+)\)" % prefix, others)}
    return ways


def main():
    section = re.search(r"^### State machines$(.*?)^### ", read(README), re.M | re.S).group(1)
    drawings = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.M | re.S))
    check(set(drawings) == set(MACHINES), "drawn are %s" % ", ".join(sorted(drawings)))
    for name, (path, prefix) in MACHINES.items():
        source = read(path)
        table, drawing = tabled(source, prefix), drawn(drawings.get(name, ""))
        check(table, "%s: no table in %s" % (name, path))
        for a, b in sorted(table - drawing):
            check(False, "%s: %s leads to %s, which is not drawn" % (name, a, b))
        for a, b in sorted(drawing - table):
            check(False, "%s: drawn is %s to %s, which the table refuses" % (name, a, b))
        check(len(re.findall(r"state_move\(", source)) == 1, "%s: one door" % path)
        door = source.split("state_move(")[0].rsplit("\n{\n", 1)[1]
        check("assert(" in door, "%s: its door checks nothing but the way" % path)
        passes = len(table & drawing)
        check(passes == len(table), "%s: %d of %d ways" % (name, passes, len(table)))
    for path in (os.path.relpath(p, ROOT) for p in glob.glob(ROOT + "/*/**/*.h", recursive=True)):
        if re.match(r"(common|server|client)/", path):
            check("thread" in read(path).split("*/")[0].lower(), "%s does not say on which thread it runs" % path)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
