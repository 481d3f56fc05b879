#!/usr/bin/python3
"""Three PostgreSQL nodes, two jgd, a proxy: machines die, stand still and are cut off while clients write all the time. Nothing that
was acknowledged is lost, nothing is done twice, and writing goes on within half a minute. Only with --long, --rounds or --restores.

    test_failover.py --rounds 40 --seed 7 --record FILE   synchronous replication: a failover loses nothing
    test_failover.py --rounds 5 --faults 'freeze primary' these only
    test_failover.py --rounds 10 --async                  asynchronous: what a failover loses is noticed and sent again
    test_failover.py --restores 50                        a restore to an older backup: the clients send again what came after

Needs root, for network namespaces; installs patroni, etcd-server and haproxy when they are missing."""
import random
import signal
import statistics
import time

import campaign
import cluster
import wire_client as w
from failover_writer import SCHOOLS, Writer
from harness import Cases, Failure
from operator_hand import backup, jgd
from wire_county import WireCounty

pb = w.pb
WRITERS = 6
GAP_S = 30
# kind of fault -> how often in ten rounds
FAULTS = {"kill primary": 2, "crash primary": 1, "freeze primary": 2, "cut primary": 2, "kill sync standby": 2, "kill jgd": 1}


class Campaign:
    def __init__(self, cases, county, seed, writers=WRITERS):
        self.cases, self.county, self.random = cases, county, random.Random(seed)
        self.counts, self.gaps, self.own_gaps, self.writers, self.judged = {}, [], [], [], {}
        self.drains, self.disagreed = [], 0
        edu = county.person("edu", "BASIC_EDU")
        with edu.open() as wire:
            wire.call("County.ImportSchools", record=[w.canonical(pb.School(code=c, name="演练县第%d小学" % i, type="211", founder="831", area="329999100"))
                                                      for i, c in enumerate(SCHOOLS, 1)])
        for i in range(writers):
            self.writers.append(Writer(county.person("w%d" % i, "REGISTRAR", SCHOOLS[i % len(SCHOOLS)]), i, seed))

    def begin(self):
        for writer in self.writers:
            writer.start()

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def hold(self, name):
        """Every writer drains its outbox and rests; how long that took."""
        begun = time.monotonic()
        for writer in self.writers:
            writer.hold()
        stuck = [writer.number for writer in self.writers if not writer.idle.wait(max(0.1, 60 - (time.monotonic() - begun)))]
        self.drains.append(time.monotonic() - begun)
        return self.cases.check("%s: every client drains" % name, not stuck, "%s %s" % (stuck, [writer.troubles[-3:] for writer in self.writers if writer.number in stuck]))

    def go_on(self):
        for writer in self.writers:
            writer.go_on()

    def answers_since(self, at, seconds):
        """Each writer has been answered after `at`, again and again for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if all(len([t for t in writer.ack_times[-8:] if t > at]) >= 5 for writer in self.writers):
                return True
            time.sleep(0.1)
        return False

    def gap(self, begun, writers=None):
        """The longest time since the fault in which none of the writers was answered."""
        times = [begun] + sorted(t for writer in writers or self.writers for t in writer.ack_times if t > begun)
        return max(b - a for a, b in zip(times, times[1:])) if len(times) > 1 else float("inf")

    def pushes(self, writer):
        """op_push as the primary has it now: operation -> sha; overlaps and gaps are found on the way."""
        rows = self.county.psql("SELECT first_op, last_op, encode(shas, 'hex') FROM op_push WHERE device_id = '%s' AND last_op > %d ORDER BY first_op"
                                % (writer.device.device_id.hex(), self.judged.get(writer.number, 0)))
        stored, due = {}, None
        for line in rows.splitlines():
            first, last, shas = line.split("|")
            first, last, shas = int(first), int(last), bytes.fromhex(shas)
            if len(shas) != 32 * (last - first + 1) or (due is not None and first != due):
                raise Failure("op_push of writer %d: %d-%d after %s" % (writer.number, first, last, due))
            due = last + 1
            stored.update((first + i, shas[32 * i:32 * i + 32]) for i in range(last - first + 1))
        return stored

    def judge(self, name, dead=()):
        """While everybody rests."""
        missing, other, wrong, late = 0, 0, [], []
        for writer in self.writers:
            if writer in dead:
                continue
            stored, base = self.pushes(writer), self.judged.get(writer.number, 0)
            recent = {n: sha for n, sha in writer.acked.items() if n > base}
            missing += len([n for n in recent if n not in stored])
            other += len([n for n in recent if n in stored and stored[n] != recent[n]])
            late += [n for n in stored if n > base and n not in recent]
            rows = self.county.psql("SELECT encode(uuid_send(s.rec_id), 'hex'), s.ver, s.class_no FROM student s JOIN unnest('{%s}'::uuid[]) i ON s.rec_id = i WHERE NOT deleted"
                                    % ",".join(id.hex() for id in writer.students))
            found = {bytes.fromhex(r[0]): [int(r[1]), r[2]] for r in (line.split("|") for line in rows.splitlines())}
            for id, (version, shown, _) in writer.students.items():
                # What was sent again after a loss went in larger pushes: fewer versions.
                if id not in found or found[id][1] != shown or found[id][0] > version or (found[id][0] < version and not writer.lost):
                    wrong.append((writer.number, id.hex(), found.get(id), version, shown))
            self.judged[writer.number] = writer.device.last_op
        self.cases.equal("%s: every acknowledged operation is on the primary" % name, missing, 0)
        self.cases.equal("%s: with the bytes that were acknowledged" % name, other, 0)
        self.cases.equal("%s: nothing is there that was never acknowledged in the end" % name, late, [])
        self.cases.check("%s: every record is as often changed as it was asked for" % name, wrong == [], "%d: %s" % (len(wrong), wrong[:3]))
        unexpected = {o: n for writer in self.writers for o, n in writer.outcomes.items() if o not in ("APPLIED", "ALREADY_APPLIED")}
        self.cases.equal("%s: every operation was applied" % name, unexpected, {})
        self.cases.equal("%s: no writer met what it does not know" % name, [t for writer in self.writers for t in writer.troubles if t[1].startswith("FAULT")], [])
        self.pull(name, dead)

    def pull(self, name, dead=()):
        faults = []
        for writer in self.writers:
            if writer in dead:
                continue
            try:
                with writer.device.open() as wire:
                    for id, stream in writer.device.streams.items():
                        writer.device.pull(wire, id)
                        self.disagreed += getattr(stream, "disagreed", False)
                        stream.disagreed = False
            except (w.Closed, w.WireError, OSError, TimeoutError) as error:
                faults.append((writer.number, repr(error)))
        self.cases.equal("%s: digests agree" % name, faults, [])
        mine = {}
        for writer in self.writers:
            if writer not in dead:
                for stream in writer.device.streams.values():
                    if stream.what == "school":
                        mine.setdefault(writer.device.school, set()).add(frozenset((id, r[1], r[4]) for id, r in stream.records.items()))
        self.cases.equal("%s: clients of a school have the same" % name, [school for school, copies in mine.items() if len(copies) != 1], [])

    def epoch(self):
        return int(self.county.psql("SELECT epoch FROM county").split()[-1])

    def finish(self):
        for writer in self.writers:
            writer.going = False
        for writer in self.writers:
            writer.join(30)

    def figures(self):
        pushes = sum(len(writer.ack_times) for writer in self.writers)
        return {"writers": len(self.writers), "acknowledged pushes": pushes, "acknowledged operations": sum(writer.device.last_op for writer in self.writers),
                "write gap max s": round(max(self.gaps, default=0), 2), "write gap median s": round(statistics.median(self.gaps), 2) if self.gaps else 0,
                "one client's gap max s": round(max(self.own_gaps, default=0), 2), "drain max s": round(max(self.drains, default=0), 2),
                "pulls that began again for a digest": self.disagreed}


# ---- synchronous: nothing is lost ----

def strike(run, fault):
    """Does it; returns what mends it."""
    nodes, primary = run.county.cluster, run.county.cluster.primary()
    if fault == "kill primary":
        primary.kill_postgres()
        return lambda: None # Patroni brings it back by itself
    if fault in ("crash primary", "freeze primary", "cut primary"):
        getattr(primary, fault.split()[0])()
        return primary.mend
    if fault == "kill sync standby":
        [node for node in nodes.nodes if node.role() == "sync_standby"][0].kill_postgres()
        return lambda: None
    daemon = run.random.choice(run.county.daemons)
    daemon.stop(signal.SIGKILL)
    daemon.start()
    return daemon.ready


def sync_round(run, number, fault):
    name = "round %d, %s" % (number, fault)
    before = run.county.cluster.primary()
    time.sleep(run.random.uniform(1, 4))
    begun = time.monotonic()
    mend = strike(run, fault)
    alive = run.answers_since(begun, 90)
    gap = run.gap(begun)
    run.cases.check("%s: every client is answered again" % name, alive, str([writer.troubles[-2:] for writer in run.writers]))
    run.cases.check("%s: somebody is within %d s" % (name, GAP_S), gap <= GAP_S, "%.1f s" % gap)
    run.gaps.append(gap)
    run.own_gaps.append(max(run.gap(begun, [writer]) for writer in run.writers))
    time.sleep(run.random.uniform(0, 2))
    mend()
    cluster.wait_for("the cluster is whole again", run.county.cluster.whole, 180)
    run.count(fault)
    run.count("failover", run.county.cluster.primary() is not before)
    print("  %s: gap %.1f s, one client's %.1f s" % (name, gap, run.own_gaps[-1]), flush=True)
    if run.hold(name):
        run.judge(name)
    run.go_on()


def synchronous(cases, args):
    faults = [f for f, n in FAULTS.items() for _ in range(n) if f in (args.faults or f)]
    plan = random.Random(args.seed)
    order = []
    while len(order) < args.rounds:
        plan.shuffle(faults)
        order += faults
    with cluster.ClusterCounty() as county:
        run = Campaign(cases, county, args.seed)
        first = run.epoch()
        run.begin()
        for number, fault in enumerate(order[:args.rounds], 1):
            sync_round(run, number, fault)
        run.finish()
        cases.equal("no acknowledged operation was ever sent twice by a client", sum(writer.lost for writer in run.writers), 0)
        cases.check("each failover made a new epoch", (run.epoch() != first) == (run.counts.get("failover", 0) > 0))
        required = {fault: n * (args.rounds // 10) for fault, n in FAULTS.items() if args.rounds >= 10 and not args.faults}
        if required:
            required["failover"] = 4 * (args.rounds // 10)
        campaign.finish(cases, args, "T2", "failover, synchronous", args.rounds, run.counts, required, run.figures())


# ---- asynchronous: what is lost is noticed and comes back from who has it ----

def async_round(run, number):
    """The standbys fall behind, then the primary's machine dies for good; one client never comes back."""
    name, nodes = "round %d, asynchronous" % number, run.county.cluster
    primary = nodes.primary()
    epoch = run.epoch()
    lost_before = {writer.number: writer.lost for writer in run.writers}
    primary.isolate_from(nodes.standbys(primary))
    time.sleep(run.random.uniform(1, 3))
    dead = run.random.choice(run.writers)
    dead.going = False
    dead.join(60)
    begun = time.monotonic()
    primary.crash()
    survivors = [writer for writer in run.writers if writer is not dead]
    run.writers = survivors
    alive = run.answers_since(begun, 90)
    gap = run.gap(begun)
    run.gaps.append(gap)
    run.own_gaps.append(max(run.gap(begun, [writer]) for writer in survivors))
    run.cases.check("%s: every client is answered again" % name, alive, str([writer.troubles[-2:] for writer in survivors]))
    run.cases.check("%s: somebody is within %d s" % (name, GAP_S), gap <= GAP_S, "%.1f s" % gap)
    cluster.wait_for("the epoch moves", lambda: run.epoch() > epoch, 20)
    primary.mend()
    cluster.wait_for("the cluster is whole again", nodes.whole, 180)
    healed = sum(writer.lost - lost_before[writer.number] for writer in survivors)
    stored = run.pushes(dead)
    gone = len([n for n in dead.acked if n > run.judged.get(dead.number, 0) and n not in stored])
    # What the dead client's school knew of it is gone with it: the device row says where its history ends now.
    at = int(run.county.psql("SELECT last_op FROM device WHERE device_id = '%s'" % dead.device.device_id.hex()).split()[-1])
    run.cases.equal("%s: where the dead client's history ends is known" % name, at, dead.device.last_op - gone)
    run.count("acknowledged, lost at failover", healed + gone)
    run.count("healed by surviving clients", healed)
    run.count("lost with dead clients", gone)
    run.count("lossy failover", healed + gone > 0)
    run.count("failover")
    print("  %s: gap %.1f s, %d operations lost at failover, %d healed, %d only the dead client had" % (name, gap, healed + gone, healed, gone), flush=True)
    if run.hold(name):
        run.judge(name)
    run.go_on()
    revive(run, dead, name)


def revive(run, dead, name):
    """The computer that was away comes back after all: it has what nobody else had."""
    writer = Writer(dead.device, dead.number, run.random.randrange(1 << 30))
    for attribute in ("students", "acked", "count", "lost", "outcomes", "ack_times"):
        setattr(writer, attribute, getattr(dead, attribute))
    run.writers.append(writer)
    writer.start()


def asynchronous(cases, args):
    with cluster.ClusterCounty(is_async=True) as county:
        run = Campaign(cases, county, args.seed)
        run.begin()
        for number in range(1, args.rounds + 1):
            async_round(run, number)
        if run.hold("in the end"):
            run.judge("in the end")
        run.finish()
        campaign.finish(cases, args, "T2", "failover, asynchronous: detected and healed", args.rounds, run.counts,
                        {"lossy failover": max(1, args.rounds // 2), "healed by surviving clients": args.rounds}, run.figures())


# ---- restores ----

def restore_round(run, number, saved):
    name, server = "restore %d" % number, run.county.server
    run.go_on()
    time.sleep(run.random.uniform(0.5, 2))
    run.hold(name)
    epoch, lost = run.epoch(), sum(writer.lost for writer in run.writers)
    server.stop()
    done = jgd(server, "restore", saved)
    run.cases.equal("%s: done" % name, done.returncode, 0)
    server.start()
    behind = sum(int(n) for n in run.county.psql("SELECT last_op FROM device").split() if n.isdigit())
    run.count("restore")
    run.cases.check("%s: another epoch" % name, run.epoch() > epoch)
    run.judged = {}
    run.go_on()
    time.sleep(0.5)
    if run.hold(name):
        run.judge(name)
    healed = sum(writer.lost for writer in run.writers) - lost
    run.count("acknowledged, healed after a restore", healed)
    print("  %s: %d operations behind it, %d sent again" % (name, behind, healed), flush=True)


def restores(cases, args):
    with WireCounty() as county:
        run = Campaign(cases, county, args.seed, writers=4)
        run.begin()
        saved = []
        for number in range(1, args.restores + 1):
            if number % 5 == 1:
                time.sleep(1)
                saved.append(backup(cases, county.server))
            # Not only the last one: an older backup lacks what came between two restores as well.
            restore_round(run, number, run.random.choice(saved[-3:]))
        run.finish()
        campaign.finish(cases, args, "T2", "restore to an older backup", args.restores, run.counts,
                        {"restore": args.restores, "acknowledged, healed after a restore": args.restores}, run.figures())


def main():
    args = campaign.options(__doc__, rounds=0, restores=0, faults="", **{"async": False})
    cases = Cases()
    if args.restores:
        restores(cases, args)
    if not args.rounds and not args.long:
        cases.close()
    args.rounds = args.rounds or (200 if args.long == "campaign" else 10)
    cluster.install()
    (asynchronous if getattr(args, "async") else synchronous)(cases, args)


if __name__ == "__main__":
    main()
