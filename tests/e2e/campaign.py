"""What the campaigns share: the command that repeats one, their counts, and the line that a record of campaigns is made of.

A gate is something that must happen often enough for the campaign to prove anything ("sometimes" assertions); a campaign that does
not reach one is void and fails."""
import argparse
import collections
import datetime
import json
import os
import signal
import subprocess
import sys
import threading

from harness import ROOT


def build_id():
    """The commit that the programs were built from, with a + when the tree has changed since."""
    git = ["git", "-C", ROOT]
    short = subprocess.run(git + ["rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    dirty = subprocess.run(git + ["status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True).stdout.strip()
    return (short or "unknown") + ("+" if dirty else "")


def append(path, row):
    """One campaign, one line."""
    with open(path, "a") as out:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def command():
    """What repeats it; where its record went is nobody's business."""
    words = list(sys.argv[1:])
    if "--record" in words:
        del words[words.index("--record") : words.index("--record") + 2]
    return " ".join([os.path.relpath(sys.argv[0], ROOT), *words])


def options(description, **numbers):
    """--long[=...], --record FILE, --seed S and the numbers of a campaign, each with its default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--long", nargs="?", const="long", default="")
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--seed", type=int, default=1)
    for name, default in numbers.items():
        parser.add_argument("--" + name, **({"action": "store_true"} if default is False else {"type": type(default), "default": default}))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # what was started is stopped on the way out
    return parser.parse_args()


def finish(cases, args, tier, what, histories, counts, required, figures):
    """Judges the required counts, appends the record, closes."""
    for name, wanted in sorted(required.items()):
        cases.check("%s at least %d times" % (name, wanted), counts.get(name, 0) >= wanted, "%d" % counts.get(name, 0))
    row = {"tier": tier, "what": what, "command": command(), "build": build_id(), "date": datetime.date.today().isoformat(),
           "histories": histories, "failures": cases.failed, "counts": counts, "required": required, "figures": figures}
    print(json.dumps(row, ensure_ascii=False), flush=True)
    if args.record:
        append(args.record, row)
    cases.close()


class Campaign:
    def __init__(self, tier, what, cases):
        self.tier, self.what, self.cases = tier, what, cases
        self.counts, self.required, self.lock = collections.Counter(), {}, threading.Lock()
        self.done = self.failures = 0
        self.rounds = 1

    @staticmethod
    def parser(text):
        parser = argparse.ArgumentParser(description=text)
        parser.add_argument("--long", action="store_true", help="as often as a release asks for")
        parser.add_argument("--record", metavar="FILE", help="append one line of JSON about this campaign")
        return parser

    def count(self, gate, n=1):
        with self.lock:
            self.counts[gate] += n

    def close(self, options):
        """Judges the gates, writes the record, prints the counts, ends the program."""
        for gate, least in sorted(self.required.items()) if not self.failures else (): # one that stopped early has not come to all
            self.cases.check("gate %s: at least %d" % (gate, least), self.counts[gate] >= least, "only %d: the campaign is void" % self.counts[gate])
        print("counts:", ", ".join("%s %d" % pair for pair in sorted(self.counts.items())))
        if options.record:
            append(options.record, {"tier": self.tier, "what": self.what, "command": command(), "build": build_id(), "date": datetime.date.today().isoformat(),
                "histories": self.done, "failures": self.failures, "counts": dict(sorted(self.counts.items())), "required": self.required})
        self.cases.close()
