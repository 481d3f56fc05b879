#!/usr/bin/python3
"""Bugs that nobody chose: changes one line of the merge, the feed or the outbox at random, as a slip of the pen would, and asks whether
what each commit must pass notices: the unit tests, the simulation, then real programs.

    tests/bugs/mutate.py --count 20 --seed 1             twenty of them
    tests/bugs/mutate.py 7 27                            these seeds
    tests/bugs/mutate.py 7 --show                        what the seed changes, without trying it
    tests/bugs/mutate.py --count 20 --histories 1000     a quicker look
    tests/bugs/mutate.py --every [FILE...]               every slip in every line of merge, plan, outbox and effects (two hours on a quiet core;
                                                         goes on where mutants.jsonl ends), by unit tests and 100 histories

`caught` says by what. What survives is printed as a diff for a person to judge: it changes nothing that anybody could notice (a fast
path, a message, a size), or it is a hole in the tests: then it becomes a patch of the bank beside a test that sees it. What a person
has judged to change nothing stands in equivalent.txt, with the reason; --every leaves it out."""
import argparse
import difflib
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import run as bank

FILES = ("common/sync_merge.c", "server/records/push_plan.c", "server/records/push_decode.c", "server/records/push_db.c", "server/records/push_ask.c", "server/records/push_facts.c", "server/records/lineage_db.c", "server/records/effects.c", "server/records/record_db.c", "server/services/sync_calls.c",
         "client/core/store/outbox.c", "client/core/store/outbox_push.c", "client/core/store/staging.c", "client/core/store/view.c", "client/core/store/store.c", "client/core/link/sync.c",
         "client/core/link/sync_machine.c", "client/core/store/batch.c")
REAL = (("script/demo",), *((sys.executable, "tests/e2e/%s.py" % name) for name in ("test_wire", "test_identity_roles", "test_duplicates", "test_second_county")),
        (sys.executable, "tests/e2e/test_histories.py"))

# what a slip looks like: (pattern within one line, replacement)
SLIPS = (
    (r"^(\t+(?:\} else )?if )\((.*)\)( \{)?$", r"\1(!(\2))\3"),
    (r" == ", " != "), (r" != ", " == "),
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" && ", " || "), (r" \|\| ", " && "),
    (r" \+ 1\b", ""), (r" - 1\b", ""), (r"\+\+;", ";"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r" (\w+) \? ", r" !\1 ? "),
    (r"^\t+[a-z_]+\(.*\);$", "\t;"), (r"^(\t+)e = (.*);$", r"\1(void)(\2);"),
    (r"^\t+[a-z][\w>.\[\]-]* (?:\||\+|-)?= [^{]*;$", "\t;"),
    (r"\breturn e;$", "return ERR_OK;"),
)


def lines_of(path):
    with open(os.path.join(bank.ROOT, path), encoding="utf-8") as file:
        return file.read().split("\n")


def code(line):
    line = re.sub(r"/\*.*", "", line)
    return line.startswith("\t") and not re.match(r"\s*(/\*|\*|//|assert|\(void\)|break;|case )", line) and "problem_set" not in line and not re.search(r"\b[NC]*_\(", line)


def slip(rng):
    """(path, number of the line, what it becomes)"""
    weight = [len(lines_of(path)) for path in FILES]
    while True:
        path = rng.choices(FILES, weight)[0]
        lines = lines_of(path)
        at = rng.randrange(len(lines))
        pattern, new = rng.choice(SLIPS)
        found = list(re.finditer(pattern, lines[at])) if code(lines[at]) else []
        if found:
            m = rng.choice(found)
            return path, at, lines[at][: m.start()] + m.expand(new) + lines[at][m.end():]


def written(path, at, text):
    old = lines_of(path)
    new = old[:at] + [text] + old[at + 1:]
    return "\n".join(new), "\n".join(difflib.unified_diff(old, new, path, path, n=2, lineterm=""))


def judge(tree, histories):
    """What notices: its name, None, or False for what the compiler refuses."""
    if bank.build(tree):
        return False
    units = bank.run("ctest", "--test-dir", "build/dev/tests", "--timeout", "120", cwd=tree)
    if units.returncode:
        return ", ".join(re.findall(r"- (\w+) \(", units.stdout)) or "ctest"
    out = bank.run("build/dev/tests/sim", "--first", "--histories", str(histories), "--least", str(histories // 100), cwd=tree, timeout=3600).stdout
    found = re.search(r"^not ok (?:seed (\d+): )?([^:\n]+)", out, re.M)
    if found:
        return "%s after %s" % (found.group(2), found.group(1) or histories)
    return judge_really(tree, REAL)


def judge_really(tree, commands):
    """By real programs: the first command that fails, or None."""
    for command in commands:
        try:
            result = subprocess.run(command, cwd=tree, env=dict(os.environ, JG_BUILD=os.path.join(tree, "build/dev")), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=bank.COMMAND_S)
        except subprocess.TimeoutExpired:
            return command[-1] + " (hangs)"
        if result.returncode:
            return command[-1]
    return None


# What is tried line by line, and the unit tests that see each.
EVERY = {"common/sync_merge.c": ("test_sync_merge", "test_push_plan"),
         "server/records/push_plan.c": ("test_push_plan", "test_push_lineage"),
         "server/records/effects.c": ("test_effects",),
         "client/core/store/outbox.c": ("test_outbox", "test_store", "test_adopt", "test_decide", "test_import", "test_nomem"),
         "client/core/store/outbox_push.c": ("test_outbox_push", "test_outbox", "test_store", "test_adopt", "test_decide", "test_sync", "test_nomem")}
DEEP = tuple((sys.executable, "tests/e2e/%s.py" % name) for name in ("test_wire", "test_audit", "test_by_hand"))
EQUIVALENT = os.path.join(bank.ROOT, "tests/bugs/equivalent.txt")


def slips_of(path):
    """(number of the line, what it becomes, key) of every slip in the file."""
    seen = {}
    for at, line in enumerate(lines_of(path)):
        for pattern, new in SLIPS if code(line) else ():
            for m in re.finditer(pattern, line):
                if m.start() > (line.find("/*") if "/*" in line else len(line)):
                    continue
                text = line[: m.start()] + m.expand(new) + line[m.end():]
                key = "%s | %s | %s" % (path, line.strip(), text.strip())
                seen[key] = seen.get(key, 0) + 1
                yield at, text, key + (" | %d" % seen[key] if seen[key] > 1 else "")


def run_bounded(seconds, tree, *command):
    """What it printed, or None when it does not end: with its children, which would go on for ever."""
    process = subprocess.Popen(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        out = process.communicate(timeout=seconds)[0]
        return process.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None


def judge_quickly(tree, tests, histories):
    """As judge(), by what is built in seconds: the first unit test alone sees most of them, and nothing else needs to be linked then."""
    for some in filter(None, (tests[:1], tests[1:])):
        if bank.build(tree, *some):
            return False
        for test in some:
            ended = run_bounded(30, tree, "build/dev/tests/" + test)
            if not ended or ended[0]:
                return test + ("" if ended else " (hangs)")
    if bank.build(tree, "sim"):
        return False
    ended = run_bounded(90, tree, "build/dev/tests/sim", "--first", "--jobs", "1", "--histories", str(histories), "--least", "0")
    if not ended:
        return "sim (hangs)"
    out = ended[1]
    found = re.search(r"^not ok (?:seed (\d+): )?([^:\n]+)", out, re.M)
    return "%s after %s" % (found.group(2), found.group(1) or histories) if found else None if " passed, 0 failed" in out else "sim (dies)"


def every(files, log, histories, deep):
    equivalent = {line.split(" # ")[0] for line in open(EQUIVALENT, encoding="utf-8").read().splitlines() if line} if os.path.exists(EQUIVALENT) else set()
    done = dict((r["key"], r) for r in map(json.loads, open(log, encoding="utf-8"))) if os.path.exists(log) else {}
    tree, counts = bank.copy_tree(), {"caught": 0, "equivalent": 0, "refused": 0, "survived": 0}
    try:
        for path in files:
            if judge_quickly(tree, EVERY[path], 20) is not None:
                sys.exit("the tree as it is does not pass")
            for at, text, key in slips_of(path):
                if key in equivalent:
                    counts["equivalent"] += 1
                    continue
                result = done.get(key)
                if not result or (deep and result["outcome"] == "survived" and not result.get("deep")):
                    whole, diff = written(path, at, text)
                    with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
                        file.write(whole)
                    by = judge_quickly(tree, EVERY[path], histories) if not result else None
                    if by is None and deep:
                        by = False if bank.build(tree) else judge_really(tree, DEEP)
                    shutil.copyfile(os.path.join(bank.ROOT, path), os.path.join(tree, path))
                    result = {"key": key, "line": at + 1, "outcome": "refused" if by is False else "caught" if by else "survived", "by": by, "deep": deep}
                    with open(log, "a", encoding="utf-8") as file:
                        file.write(json.dumps(result, ensure_ascii=False) + "\n")
                counts[result["outcome"]] += 1
                if result["outcome"] == "survived":
                    print("survived %s" % key, flush=True)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    print(", ".join("%d %s" % (n, what) for what, n in counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", help="seeds, or files with --every")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--histories", type=int, default=5000, help="of the simulation (what a commit runs)")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--deep", action="store_true", help="of --every: what survives meets real programs too, a minute each")
    parser.add_argument("--log", default=os.path.join(bank.ROOT, "tests/bugs/mutants.jsonl"), help="of --every: what was tried so far")
    args = parser.parse_args()
    if args.every:
        every(args.seeds or list(EVERY), args.log, min(args.histories, 100), args.deep)
        return
    args.seeds = [int(seed) for seed in args.seeds]
    tree = None if args.show else bank.copy_tree()
    caught, survived = 0, 0
    seeds = iter(args.seeds or itertools.count(args.seed))
    try:
        if tree and (problem := judge(tree, args.histories)) is not None:
            sys.exit("the tree as it is does not pass: %s" % (problem or "it does not compile"))
        while caught + survived < (len(args.seeds) or args.count) and (seed := next(seeds, None)) is not None:
            path, at, text = slip(random.Random(seed))
            whole, diff = written(path, at, text)
            if args.show:
                print("seed %d\n%s" % (seed, diff))
                survived += 1
            else:
                with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
                    file.write(whole)
                by = judge(tree, args.histories)
                shutil.copyfile(os.path.join(bank.ROOT, path), os.path.join(tree, path))
                caught, survived = caught + bool(by), survived + (by is None)
                if by is None:
                    print("survived seed %d\n%s" % (seed, diff), flush=True)
                elif by:
                    print("caught seed %d, %s:%d, by %s" % (seed, path, at + 1, by), flush=True)
    finally:
        if tree:
            shutil.rmtree(tree, ignore_errors=True)
    if not args.show:
        print("%d caught, %d survived" % (caught, survived))


if __name__ == "__main__":
    main()
