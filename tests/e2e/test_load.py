#!/usr/bin/python3
"""Many connections, a quarter of them bad, beside honest ones, with a storm of reconnects in the middle: jgd survives, its memory
stays bounded, every honest call is answered. 500 for some seconds; --long 10,000 for half an hour, and then the honest calls' p99 is
held to 250 ms as well. `--connections N --minutes M` chooses."""
import json
import os
import re
import subprocess
import sys
import threading
import time

import campaign
from county_files import check_digit
from harness import BUILD, Cases, Failure, Server

HOSTILE = os.path.join(BUILD, "tests/hostile")
SCHOOL = "2132999001"
ROWS = 2000 # what the school's stream holds: an answer that no socket buffer swallows
RSS_MIB = 1536
P99_MS = 250


def status(pid, what):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"%s:\s+(\d+)" % what, file.read()).group(1))


class Watch(threading.Thread):
    """Memory and descriptors of a process, every half second."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.rss, self.fds, self.going = pid, [], [], True

    def run(self):
        while self.going:
            try:
                self.rss.append(status(self.pid, "VmRSS") / 1024)
                self.fds.append(len(os.listdir("/proc/%d/fd" % self.pid)))
            except (OSError, AttributeError):
                return
            time.sleep(0.5)


def roster(server):
    path = os.path.join(server.dir, "students.csv")
    with open(path, "w") as out:
        out.write("姓名,证件号码,年级,班级,现住址\n")
        for n in range(ROWS):
            body = "329999%04d%02d%02d%03d" % (2014, n // 28000 % 12 + 1, n // 1000 % 28 + 1, n % 1000)
            out.write("学生%d,%s,六年级,%d班,%s\n" % (n, body + check_digit(body), n % 9 + 1, "演练镇学校路%d号" % n * 3))
    return path


def start(server, profile, n, seconds, seed, *kind):
    return subprocess.Popen([HOSTILE, "127.0.0.1:%d" % server.port, profile, str(n), str(seconds), str(seed), *kind], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(cases, run):
    try:
        out, err = run.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        run.kill()
        out, err = run.communicate()
    cases.check("the load ran", run.returncode == 0, "%s %s" % (run.returncode, err))
    return json.loads(out) if run.returncode == 0 else {}


def main():
    args = campaign.options(__doc__, connections=0, minutes=0.0)
    n = args.connections or (10000 if args.long else 500)
    seconds = int(60 * args.minutes) or (1800 if args.long else 16)
    long = args.long or seconds >= 300
    cases = Cases()
    if not os.path.exists(HOSTILE):
        raise Failure("build it first: %s" % HOSTILE)
    with Server(settings={"per_address": n + 1000}) as server:
        server.import_schools(SCHOOL)
        person = server.school(SCHOOL)
        person.ok("import", "students", roster(server))
        person.ok("sync")
        other, third = server.school(SCHOOL, name="other"), server.school(SCHOOL, name="third") # all connections of the load are theirs
        pid = server.process.pid
        before = status(pid, "VmRSS") / 1024
        watch = Watch(pid)
        watch.start()
        honest_ones = max(10, n // 100)
        runs = [start(server, profile, how_many, seconds, args.seed, *kind) for profile, how_many, kind in
                ((other.profile, n, ()), (third.profile, honest_ones, ("honest",)))]
        worked, until = [], time.monotonic() + seconds - 2
        while time.monotonic() < until: # somebody does his work meanwhile
            person.ok("students", "set", "-", "class_no=%d" % (len(worked) % 9 + 1), stdin=roster_number(len(worked)) + "\n")
            begun = time.monotonic()
            report = person.run("sync", "--json")
            worked.append((report.code, time.monotonic() - begun))
            time.sleep(3)
        bad, good = (end(cases, run) for run in runs)
        watch.going = False
        peak = max(watch.rss)
        limit = RSS_MIB if n >= 10000 else 64 + before + n * RSS_MIB / 10000 * 2
        cases.check("jgd lives", server.process.poll() is None)
        cases.check("its memory stays under %d MiB" % limit, "Sanitizer" in BUILD or peak <= limit, "%.0f MiB" % peak)
        cases.equal("every honest call was answered", good.get("failed"), 0)
        cases.check("honest ones asked all the time", good.get("calls", 0) >= honest_ones * seconds / 2, str(good))
        cases.check("every sync of the worker beside them went through", worked and all(code == 0 for code, _ in worked), str(worked[-5:]))
        cases.check("who was idle stands again after the storm", bad.get("standing", {}).get("idle", 0) >= 0.75 * n * 0.99, str(bad))
        cases.check("the county works on", person.run("sync", "--json").code == 0)
        if long:
            cases.check("p99 of honest calls at most %d ms" % P99_MS, good.get("call_p99_ms", 1e9) <= P99_MS, str(good))
        figures = {"connections": n, "seconds": seconds, "peak RSS MiB": round(peak, 1), "RSS before MiB": round(before, 1), "most descriptors": max(watch.fds),
                   "call p50 ms": good.get("call_p50_ms"), "call p99 ms": good.get("call_p99_ms"), "call max ms": good.get("call_max_ms"), "entry p99 ms": good.get("entry_p99_ms"),
                   "all back after the storm s": bad.get("storm_s"), "sync beside it max s": round(max((s for _, s in worked), default=0), 2)}
        counts = {"honest calls": good.get("calls", 0), "honest entries": good.get("entries", 0), **{"closed " + k: v for k, v in bad.get("closed", {}).items()},
                  **{"standing " + k: v for k, v in bad.get("standing", {}).items()}}
    campaign.finish(cases, args, "T5", "hostile load", 1, counts, {"closed slow_hello": n // 100, "closed half_hello": n // 100} if long else {"closed half_hello": n // 100}, figures)


def roster_number(n):
    body = "329999%04d%02d%02d%03d" % (2014, n // 28000 % 12 + 1, n // 1000 % 28 + 1, n % 1000)
    return body + check_digit(body)


if __name__ == "__main__":
    main()
