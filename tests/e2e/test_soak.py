#!/usr/bin/python3
"""A county's day of traffic in two hours (--minutes M): people connect, edit, send, receive, watch and leave, the bureau lists and
reconciles. Every ten seconds memory and descriptors of jgd are read; after the warm-up a line is fitted, and its slope must be nothing. The
clients here are this one Python process, whose growth is told and not judged: jg itself never runs for long. Only with --long or
--minutes.

What counts as nothing: a leak of one small object a push would show as SLOPE_KIB a minute at the traffic made here (about twenty pushes
a second), and glibc's arenas move by a few pages."""
import os
import random
import statistics
import threading
import time

import campaign
import wire_client as w
from harness import Cases
from failover_writer import SCHOOLS, STUDENT, Writer
from wire_county import WireCounty

pb = w.pb
SAMPLE_S = 10
SLOPE_KIB = 40   # a minute, of jgd; 20 pushes a second that leak 32 bytes each are 38
FDS = 0.1        # descriptors a minute
LEVEL_SHARE = 1.05 # the last quarter's median memory over the second quarter's


class Guest(threading.Thread):
    """Comes, looks, changes something, leaves."""

    def __init__(self, writer, seed):
        super().__init__(daemon=True)
        self.writer, self.device, self.random, self.going = writer, writer.device, random.Random(seed), True
        self.visits, self.faults = 0, []

    def visit(self):
        with self.device.open() as wire:
            for _ in range(self.random.randrange(4)):
                for _ in range(self.random.randrange(1, 20)):
                    self.writer.queue(set())
                self.device.push(wire)
            for id in self.device.streams:
                self.device.pull(wire, id)
            if self.random.random() < 0.3:
                wire.call("Sync.Watch")
                wire.wait_event(self.random.random() * 2)
        self.device.results.clear()
        for n in [n for n in self.device.queue if n <= self.device.last_op]:
            del self.device.queue[n]
        for stream in self.device.streams.values():
            stream.heads.clear()

    def run(self):
        while self.going:
            try:
                self.visit()
                self.visits += 1
            except (w.Closed, w.WireError, OSError, TimeoutError) as fault:
                self.faults.append(repr(fault))
            time.sleep(self.random.random() * 0.5)


class Bureau(threading.Thread):
    """Calls of the bureau's people, each on a connection of its own."""

    CALLS = (("County.ListSchools", {}), ("Server.Status", {}), ("Transition.Progress", {}), ("Identity.ListUsers", {}), ("Identity.ListDevices", {}))

    def __init__(self, county, seed):
        super().__init__(daemon=True)
        self.county, self.random, self.going, self.answers, self.faults = county, random.Random(seed), True, 0, []

    def run(self):
        while self.going:
            name, fields = self.random.choice([c for c in self.CALLS if c[0] in w.METHODS])
            try:
                with self.county.people[self.random.choice(["edu", "sysadmin"])].open() as wire:
                    wire.call(name, **fields)
                self.answers += 1
            except w.WireError as refused: # a role that may not: an answer too
                self.answers += 1
                if refused.name not in ("PERMISSION", "NOT_NOW", "NOT_FOUND", "MISSING", "INVALID"):
                    self.faults.append(repr(refused))
            except (w.Closed, OSError, TimeoutError) as fault:
                self.faults.append(repr(fault))
            time.sleep(0.2 + self.random.random())


class Stays(threading.Thread):
    """One connection that stays all the while: it watches and pulls what it is told of."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device, self.going, self.events, self.again, self.faults = device, True, 0, 0, []

    def run(self):
        while self.going:
            try:
                with self.device.open() as wire:
                    wire.call("Sync.Watch")
                    while self.going:
                        event = wire.wait_event(5)
                        if event:
                            self.events += 1
                            for id in self.device.streams:
                                self.device.pull(wire, id)
                                self.device.streams[id].heads.clear()
                        else:
                            wire.ping()
            except (w.Closed, w.WireError, OSError, TimeoutError) as fault:
                self.again += 1
                self.faults.append(repr(fault))


def rss_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file: # what is the process's own, not pages shared with a page cache
        text = file.read()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(("Private_Clean", "Private_Dirty")))


def slope(times, values):
    """Theil-Sen: the median of the slopes between pairs; one step or a spike does not bend it. Per minute."""
    pairs = [(values[j] - values[i]) / (times[j] - times[i]) * 60 for i in range(len(times)) for j in range(i + 1, len(times))]
    return statistics.median(pairs)


def main():
    args = campaign.options(__doc__, minutes=0.0)
    cases = Cases()
    if not args.minutes and not args.long:
        cases.close()
    minutes = args.minutes or 120
    with WireCounty() as county:
        edu = county.person("edu", "BASIC_EDU")
        with edu.open() as wire:
            wire.call("County.ImportSchools", record=[w.canonical(pb.School(code=c, name="演练县第%d小学" % i, type="211", founder="831", area="329999100"))
                                                      for i, c in enumerate(SCHOOLS, 1)])
        guests = []
        for i in range(6):
            device = county.person("g%d" % i, "REGISTRAR", SCHOOLS[i % len(SCHOOLS)])
            guests.append(Guest(DayLong(device, i, args.seed), args.seed * 50 + i))
        stays = Stays(county.person("stays", "REGISTRAR", SCHOOLS[0]))
        bureau = Bureau(county, args.seed)
        everybody = guests + [stays, bureau]
        for one in everybody:
            one.start()
        pid, begun = county.server.process.pid, time.monotonic()
        times, memory, fds, own = [], [], [], []
        while time.monotonic() - begun < minutes * 60:
            time.sleep(SAMPLE_S)
            times.append(time.monotonic() - begun)
            memory.append(rss_kib(pid))
            fds.append(len(os.listdir("/proc/%d/fd" % pid)))
            own.append(rss_kib(os.getpid()))
            if len(times) % 30 == 0:
                print("  %4.0f s: jgd %d KiB, %d descriptors; clients %d KiB" % (times[-1], memory[-1], fds[-1], own[-1]), flush=True)
        for one in everybody:
            one.going = False
        for one in everybody:
            one.join(60)
        warm = len(times) // 4
        found = {"jgd KiB a minute": slope(times[warm:], memory[warm:]), "jgd descriptors a minute": slope(times[warm:], fds[warm:]),
                 "clients KiB a minute": slope(times[warm:], own[warm:])}
        level = statistics.median(memory[3 * warm:]) / statistics.median(memory[warm:2 * warm])
        cases.check("jgd's memory does not grow", found["jgd KiB a minute"] <= SLOPE_KIB and level <= LEVEL_SHARE, "%s, level %.3f" % (found, level))
        cases.check("nor do its descriptors", found["jgd descriptors a minute"] <= FDS, str(found))
        cases.check("jgd lives", county.server.process.poll() is None)
        cases.equal("nobody met a fault", [fault for one in everybody for fault in one.faults][:5], [])
        cases.equal("the one that stays was never cut off", stays.again, 0)
    visits, answers = sum(g.visits for g in guests), bureau.answers
    campaign.finish(cases, args, "T7", "soak", int(minutes), {"visits": visits, "bureau answers": answers, "events to the one that stays": stays.events, "samples": len(times)},
                    {"visits": int(minutes * 60), "bureau answers": int(minutes * 20), "events to the one that stays": int(minutes)},
                    {**{k: round(v, 2) for k, v in found.items()}, "minutes": minutes, "jgd KiB after warm-up": memory[warm], "jgd KiB in the end": memory[-1],
                     "level of the last quarter to the second": round(level, 4), "descriptors in the end": fds[-1], "operations": sum(g.device.last_op for g in guests)})


class DayLong(Writer):
    """Writer.queue without its thread; from 300 pupils on only changes."""

    MOST = 300

    def queue(self, taken):
        if len(self.students) >= self.MOST:
            taken = set()
            id = self.random.choice(list(self.students))
            version, was, last = self.students[id]
            value = str((int(was) + self.random.randrange(18)) % 19 + 1)
            # Its last operation may be of another visit; the server still knows it.
            n = self.device.queue_op(STUDENT, id, self.student(class_no=value), seen=[(2, None, last)], groups={2})
            self.students[id] = [version + 1, value, n]
        else:
            super().queue(taken)


if __name__ == "__main__":
    main()
