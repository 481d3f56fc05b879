"""What the campaigns share: their command line and the line that each appends to the record of campaigns.

A campaign that did not see enough of what it is for is void: a count that `required` names and that was not reached fails it."""
import argparse
import datetime
import json
import os
import signal
import subprocess
import sys

from harness import ROOT


def options(description, **numbers):
    """--long[=…], --record FILE, --seed S and the numbers of the campaign, each with its default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--long", nargs="?", const="long", default="")
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--seed", type=int, default=1)
    for name, default in numbers.items():
        parser.add_argument("--" + name, **({"action": "store_true"} if default is False else {"type": type(default), "default": default}))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # what was started is stopped on the way out
    return parser.parse_args()


def build():
    def git(*args):
        return subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, timeout=30).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def finish(cases, args, tier, what, histories, counts, required, figures):
    """Judges the required counts, appends the record, closes."""
    for name, wanted in sorted(required.items()):
        cases.check("%s at least %d times" % (name, wanted), counts.get(name, 0) >= wanted, "%d" % counts.get(name, 0))
    row = {"tier": tier, "what": what, "command": " ".join([os.path.relpath(sys.argv[0], ROOT), *sys.argv[1:]]), "build": build(),
           "date": datetime.date.today().isoformat(), "histories": histories, "failures": cases.failed, "counts": counts, "required": required, "figures": figures}
    print(json.dumps(row, ensure_ascii=False), flush=True)
    if args.record:
        with open(args.record, "a") as out:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    cases.close()
