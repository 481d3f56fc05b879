#!/usr/bin/python3
"""A test that is killed leaves nothing behind: its jgd, their PostgreSQL and its directory are gone soon after, by SIGTERM as by SIGKILL;
and its directory is where TMPDIR says."""
import os
import signal
import subprocess
import sys
import tempfile
import time

from harness import ROOT, Cases, Server
from own_directory import own_directory, workers

SECONDS = 30


def victim():
    """Says where it is, and waits to be killed."""
    server = Server()
    server.init()
    server.start()
    print(server.dir, server.process.pid, flush=True)
    time.sleep(600)


def gone(directory):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and (os.path.exists(directory) or workers([directory])):
        time.sleep(0.1)
    return not os.path.exists(directory) and not workers([directory])


def main():
    cases = Cases()
    home = own_directory("jgtmp.")
    for sig in (signal.SIGTERM, signal.SIGKILL):
        test = subprocess.Popen([sys.executable, os.path.abspath(__file__), "victim"], stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "TMPDIR": home, "JG_KEEP": ""})
        directory, pid = test.stdout.readline().split()
        names = {open("/proc/%d/comm" % n).read().strip() for n in workers([directory])}
        cases.check("%s: a county stands, in TMPDIR" % sig.name, {"jgd", "postgres"} <= names and int(pid) in workers([directory]) and os.path.dirname(directory) == home, (names, directory))
        test.send_signal(sig)
        test.wait()
        cases.check("%s: nothing of it is left" % sig.name, gone(directory), workers([directory]))
    cases.equal("the directory of this test is elsewhere", os.path.dirname(home), os.path.realpath(tempfile.gettempdir()))
    cases.close()


if __name__ == "__main__":
    victim() if sys.argv[1:] == ["victim"] else main()
