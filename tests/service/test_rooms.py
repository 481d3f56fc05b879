#!/usr/bin/python3
"""The client's core knows no service: what is special stands in client/core/services/, and what reads and writes files of any kind says
nothing of pupils. And it is fit for a window: it writes to no screen, does not sleep, keeps nothing in static memory and names no command.
What is LEFT of that may only become less. The simulation knows no kind of record: it writes them all by their declarations."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("JG_BUILD", ROOT + "/build/dev")
# Words of services; `enrol` is a computer's, the spine's own.
WORDS = r"transition|destination|enrolment|filing|\bslips?\b|\bKIND_[A-Z]+\b|\bF_[A-Z]+_[A-Z_]+\b"
SPINE = {"KIND_COUNT", "KIND_FIELDS_MAX", "KIND_GROUPS_MAX", "KIND_H", "KIND_NUMBER_MAX"}
UNFIT = {
    "writes to a screen": r"\b(?:v?printf|puts|putchar|perror)\(|\bf(?:printf|puts|putc)\([^;]*\bstd(?:out|err)\b",
    "sleeps": r"\b(?:nano|u)?sleep\(",
    "keeps something": r"^\s*static (?!const\b|inline\b)(?!.*\bconst \w+(?:\[[^=]*)? =)[\w \*]+(?:\[[^\]]*\])?(?: =[^;]*)?;",
    "names a command": r"\"[^\"\n]*\b(?:jg|jgadmin) (?!connect code\")[a-z]",
}
LEFT = {  # how many, and what it waits for
    ("client/core/words/pinyin.c", "keeps something"): 1,  # ICU's table, opened once: for one thread
    ("client/core/link/trust.c", "keeps something"): 1,  # OpenSSL's index of our data
    ("client/core/files/xlsx_part.c", "keeps something"): 2,  # of each thread: expat's allocator has no argument for it
    ("client/core/scope.c", "names a command"): 1,  # of the bureau's administrator, who sits elsewhere
}
passed = failed = 0


def check(good, text):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print("not ok " + text)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def files(*patterns):
    return sorted(os.path.relpath(p, ROOT) for pattern in patterns for p in glob.glob(os.path.join(ROOT, pattern)))


def names_nothing(path, words):
    found = [(n, m.group(0)) for n, line in enumerate(read(path).split("\n"), 1) for m in re.finditer(words, line)
             if m.group(0) not in SPINE]
    check(not found, "%s names a service or a kind: %s" % (path, found[:5]))


CORE = ("client/core/*.[ch]", *("client/core/%s/*.[ch]" % room for room in ("link", "store", "files", "words", "typeset")))
GENERAL = ("server/*.[ch]", "common/*.[ch]", *("server/%s/*.[ch]" % room for room in ("net", "call", "db", "records", "jobs", "operator")))


def no_service_in_the_general_rooms():
    for path in files(*CORE, *GENERAL):
        names_nothing(path, WORDS)


def no_kind_in_the_simulation():
    tables = set(re.findall(r'number: \d+ table: "(\w+)"', "".join(map(read, files("proto/jingguan/v1/*.proto")))))
    check(len(tables) > 10, "kinds were found: %d" % len(tables))
    kinds = "|".join(r"\b%ss?\b" % t for t in sorted(tables - {"school"}))  # the word is everybody's
    for path in files("tests/sim/*"):
        names_nothing(path, WORDS + "|" + kinds)


def any_kind_of_record():
    """The room of imports and exports is everybody's: a thing that was found is no pupil."""
    for path in files("client/core/files/*.[ch]", "client/cli/cmd_import.c", "client/cli/cmd_export.c"):
        code = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
        found = re.findall(r'"[^"\n]*(?:学生|学籍号|监护人)[^"\n]*"|\w*pupil\w*', code)
        check(not found, "%s speaks of pupils: %s" % (path, found[:5]))


def fit_for_a_window():
    for path in files(*CORE, "client/core/services/*.[ch]"):
        for what, pattern in UNFIT.items():
            found = re.findall(pattern, read(path), re.M)
            left = LEFT.get((path, what), 0)
            check(len(found) <= left, "%s %s: %s" % (path, what, found[:3]))
            check(len(found) >= left, "%s %s less than LEFT says: lower it to %d" % (path, what, len(found)))


def rules_are_pure():
    """What common/rules says follows from its arguments alone: no file, no clock, nothing kept, no memory but an arena's."""
    paths = files("common/rules/*.c")
    check(len(paths) > 4, "rules were found: %d" % len(paths))
    for path in paths:
        found = re.findall(r"\b(?:f?open|read|write|time|clock_\w+|gettimeofday|getenv|malloc|calloc|realloc|strdup)\(", read(path))
        found += re.findall(UNFIT["writes to a screen"] + "|" + UNFIT["keeps something"], read(path), re.M)
        check(not found, "%s is not pure: %s" % (path, found[:3]))


def every_act_has_a_way():
    core = "".join(map(read, (p for p in files(*CORE, "client/core/services/*.c") if p.endswith(".c"))))
    acts = set(re.findall(r'\bway\("(\w+)"\)|\.(?:act|edit) = "(\w+)"', core))
    acts = {a or b for a, b in acts}
    for call in re.findall(r"todo_add\(l, \"\w+\",([^,]*),", core):
        acts |= set(re.findall(r'"(\w+)"', call))
    ways = set(re.findall(r'\{"(\w+)", (?:N_\()?"jg ', "".join(map(read, files("client/cli/*.c")))))
    check(len(acts) > 15, "acts were found: %d" % len(acts))
    check(acts <= ways, "no way in client/cli to: %s" % sorted(acts - ways))
    tables = set(re.findall(r'table: "(\w+)"', "".join(map(read, files("proto/jingguan/v1/*.proto")))))
    used = {w for w in ways if w in acts or (w.startswith("again_") and w[len("again_"):] in tables)}  # cmd_outbox.c asks by the kind
    check(used == ways, "nothing asks for: %s" % sorted(ways - used))


no_service_in_the_general_rooms()
no_kind_in_the_simulation()
any_kind_of_record()
fit_for_a_window()
rules_are_pure()
every_act_has_a_way()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
