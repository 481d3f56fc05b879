#!/usr/bin/python3
"""The bug bank: tests the tests. Each tests/bugs/NN-name.patch writes a known failure (testing.md) into the product; this builds it in
a copy of the tree and demands that its tier catches it, saying by which invariant and after how many histories.

    tests/bugs/run.py                  every bug
    tests/bugs/run.py 01 12            these
    tests/bugs/run.py --apply-only     do the patches still fit? (what each commit asks; seconds)
    tests/bugs/run.py --record FILE    appends the outcome as one line of JSON

A patch that no longer fits is a failure: bring it up to date with the code that it breaks."""
import argparse
import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HISTORIES = 20000  # after which a bug counts as not caught by T0
COMMAND_S = 900


class Bug:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[: -len(".patch")]
        head = open(path).read().split("\ndiff ", 1)[0]
        fields = dict(line.split(": ", 1) for line in head.split("\n") if ": " in line)
        self.text, self.tier, self.command = fields["Bug"], fields["Tier"], fields.get("Command")


def run(*args, cwd=None, timeout=COMMAND_S):
    return subprocess.run(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, universal_newlines=True, errors="replace")


def fits(bug, tree, *options):
    return run("git", "apply", *options, bug.path, cwd=tree).returncode == 0


def copy_tree():
    tree = tempfile.mkdtemp(prefix="jingguan-bugs-")
    files = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, universal_newlines=True).split("\n")
    for name in filter(None, files):
        if os.path.isfile(os.path.join(ROOT, name)):
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), os.path.join(tree, name))
    run("git", "init", "-q", cwd=tree)
    return tree


def build(tree, *targets):
    configured = os.path.exists(os.path.join(tree, "build/dev/build.ninja"))
    if not configured and run("cmake", "--preset", "dev", cwd=tree).returncode:
        return "cannot be configured"
    made = run("cmake", "--build", "--preset", "dev", "-j", "2", *(("--target",) + targets if targets else ()), cwd=tree)
    return None if made.returncode == 0 else made.stdout[-2000:]


def judge_simulation(tree):
    out = run("build/dev/tests/sim", "--first", "--histories", str(HISTORIES), cwd=tree, timeout=3600).stdout
    found = re.search(r"^not ok seed (\d+): ([^:\n]+)", out, re.M)
    return (found.group(2), int(found.group(1))) if found else (None, HISTORIES)


def judge_command(tree, bug):
    env = dict(os.environ, JG_BUILD=os.path.join(tree, "build/dev"))
    out = subprocess.run(bug.command, shell=True, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_S, universal_newlines=True, errors="replace")
    first = re.search(r"^not ok (.*)$|\[  FAILED  \] (.*)$|\*\*\*(Failed.*)$", out.stdout, re.M)
    caught = out.returncode != 0
    return (next(filter(None, first.groups())) if first else "exit %d" % out.returncode) if caught else None, 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="beginnings of names: 01, 12-unlocked")
    parser.add_argument("--apply-only", action="store_true")
    parser.add_argument("--record")
    args = parser.parse_args()
    bugs = [Bug(path) for path in sorted(glob.glob(os.path.join(ROOT, "tests/bugs/*.patch")))]
    bugs = [b for b in bugs if not args.names or any(b.name.startswith(n) for n in args.names)]
    if not bugs:
        parser.error("no bug of that name")
    passed, failed, caught = 0, 0, {}
    if args.apply_only:
        for bug in bugs:
            good = fits(bug, ROOT, "--check")
            print("%s %s fits" % ("ok" if good else "not ok", bug.name))
            passed, failed = passed + good, failed + (not good)
    else:
        tree = copy_tree()
        try:
            for bug in bugs:
                problem = None if fits(bug, tree) else "does not fit"
                problem = problem or build(tree, *(("sim",) if bug.tier == "T0" else ()))
                by, after = (None, 0) if problem else judge_simulation(tree) if bug.tier == "T0" else judge_command(tree, bug)
                fits(bug, tree, "-R")
                good = by is not None
                print("%s %s: %s" % ("ok" if good else "not ok", bug.name, problem or (
                    "caught in %s by %s after %d" % (bug.tier, by, after) if good else "not caught in %d" % after)), flush=True)
                passed, failed = passed + good, failed + (not good)
                caught[bug.name] = {"bug": bug.text, "tier": bug.tier, "by": by, "after": after}
        finally:
            shutil.rmtree(tree, ignore_errors=True)
    if args.record:
        short = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, universal_newlines=True).strip()
        dirty = "+" if subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT) else ""
        with open(args.record, "a") as out:
            out.write(json.dumps({"tier": "bugs", "what": "the bug bank", "command": "tests/bugs/run.py", "build": short + dirty, "date": str(datetime.date.today()),
                "histories": passed + failed, "failures": failed, "counts": {"caught": passed}, "required": {"caught": len(bugs)}, "bugs": caught}, ensure_ascii=False) + "\n")
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
