"""What the campaigns share: the command that repeats one, their counts, and the line that a record of campaigns is made of.

A gate is something that must happen often enough for the campaign to prove anything ("sometimes" assertions); a campaign that does
not reach one is void and fails."""
import argparse
import collections
import datetime
import json
import os
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
            command = " ".join([os.path.relpath(sys.argv[0], ROOT) if os.path.isabs(sys.argv[0]) else sys.argv[0]] + sys.argv[1:])
            line = {"tier": self.tier, "what": self.what, "command": command, "build": build_id(), "date": datetime.date.today().isoformat(),
                    "histories": self.done, "failures": self.failures, "counts": dict(sorted(self.counts.items())), "required": self.required}
            with open(options.record, "a") as out:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.cases.close()
