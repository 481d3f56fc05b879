#!/usr/bin/python3
"""A jgd that is told two database hosts, the first of them a standby: it serves from the primary, finds the other host when the primary
stands still and the standby is promoted, gives the promoted one another epoch at once, and ends when it is told to although the database
never answers."""
import os
import re
import shutil
import signal
import subprocess
import time

import wire_client as w
from harness import JGD, Cases, Failure
from wire_county import P, WireCounty, student

pb = w.pb
BIN = "/usr/lib/postgresql/15/bin/"
ROWS = 1100 # more than one page of a pull


def as_owner(server, *command):
    owner = os.stat(server.data)
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, user=owner.st_uid, group=owner.st_gid, extra_groups=[], cwd=server.data)
    if run.returncode:
        raise Failure("%s: %s%s" % (command[0], run.stdout, run.stderr))


class Standby:
    """A copy of the county's PostgreSQL that follows it."""

    def __init__(self, server):
        self.server, self.data, self.sockets = server, server.dir + "/standby/data", server.dir + "/standby/s"
        owner = os.stat(server.data)
        for path in (server.dir + "/standby", self.sockets):
            os.makedirs(path, mode=0o700)
            os.chown(path, owner.st_uid, owner.st_gid)

    def start(self):
        server = self.server
        as_owner(server, BIN + "pg_basebackup", "-h", server.data + "/pg/s", "-U", "jingguan", "-D", self.data, "-R", "-X", "stream", "-c", "fast")
        as_owner(server, BIN + "pg_ctl", "-D", self.data, "-w", "-l", self.data + "/log", "-o", "-c listen_addresses= -c unix_socket_directories=%s" % self.sockets, "start")

    def promote(self):
        as_owner(self.server, BIN + "pg_ctl", "-D", self.data, "-w", "promote")

    def stop(self):
        if os.path.exists(self.data + "/postmaster.pid"):
            as_owner(self.server, BIN + "pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")


def tree(pid):
    """A postmaster and its children."""
    return [pid] + [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]


class TwoHosts(WireCounty):
    """Its own jgd serves from both hosts; the one that keeps the embedded PostgreSQL is stopped meanwhile, PostgreSQL is not."""

    def read(self, sql, sockets):
        run = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-h", sockets, "-U", "jingguan", "-d", "jingguan", "-c", sql], capture_output=True, text=True, timeout=60)
        return run.stdout.strip()

    def serve_from(self, *hosts):
        """A jgd of its own settings, as WireCounty.second makes it."""
        directory = self.server.dir + "/second"
        shutil.copytree(self.server.data, directory, ignore=lambda path, names: [n for n in names if n == "pg"])
        text = open(directory + "/jgd.ini").read()
        role = re.search(r"(?m)^database_app = .* user=(\S+)", text).group(1)
        for name, value in (("embedded", "no"), ("listen", "127.0.0.1:0"), ("metrics", "127.0.0.1:0"),
                            ("database_owner", "host=%s dbname=jingguan user=jingguan" % ",".join(hosts)),
                            ("database_app", "host=%s dbname=jingguan user=%s" % (",".join(hosts), role))):
            text = re.sub(r"(?m)^%s = .*$" % name, "%s = %s" % (name, value), text)
        with open(directory + "/jgd.ini", "w") as out:
            out.write(text)
        process = subprocess.Popen([JGD, "serve", "--data", directory], stdout=subprocess.PIPE, stderr=self.server.log, text=True, start_new_session=True)
        self.seconds.append(process)
        match = re.match(r"ready (\S+):(\d+) ", process.stdout.readline())
        if not match:
            raise Failure("jgd did not start: %s" % open(self.server.dir + "/jgd.log").read()[-2000:])
        return process, ("127.0.0.1", int(match.group(2)))


def fill(device, wire, first, n):
    ids = []
    for i in range(first, first + n):
        ids.append(w.uuid7())
        device.queue_op(5, ids[-1], student(i, name="学生", cert_no="", cert_type="Z"))
    device.push(wire)
    return ids


def epoch(county, sockets):
    return int(county.read("SET app.county = '329999'; SELECT epoch FROM county", sockets) or 0)


def main():
    cases = Cases()
    with TwoHosts() as county:
        county.registers()
        device = county.person("p", "REGISTRAR", P)
        primary_sockets, standby = county.server.data + "/pg/s", Standby(county.server)
        standby.start()
        frozen = []
        try:
            process, address = county.serve_from(standby.sockets, primary_sockets)
            with device.open(address) as wire:
                for i in range(3):
                    pushes(cases, device, wire, i)
                whole_pull(cases, device, wire)
                before = epoch(county, primary_sockets)
                sent = county.read("SELECT pg_current_wal_flush_lsn()", primary_sockets)
                until = time.monotonic() + 60
                while county.read("SELECT pg_last_wal_replay_lsn() >= '%s'" % sent, standby.sockets) != "t":
                    if time.monotonic() > until:
                        raise Failure("the standby does not follow")
                    time.sleep(0.05)
                postmaster = int(open(county.server.data + "/pg/data/postmaster.pid").readline())
                county.server.process.send_signal(signal.SIGSTOP) # it would take the silence for a death and start another
                frozen = [county.server.process.pid] + tree(postmaster)
                for pid in frozen[1:]:
                    os.kill(pid, signal.SIGSTOP)
                standby.promote()
                pushes(cases, device, wire, 3, timeout=60)
                cases.equal("nothing that was acknowledged is missing there", county.read("SELECT max(last_op) FROM op_push WHERE device_id = '%s'" % device.device_id.hex(), standby.sockets), str(device.last_op))
                for _ in range(100):
                    if epoch(county, standby.sockets) > before:
                        break
                    time.sleep(0.1)
                cases.check("it has another epoch before any checkpoint tells", epoch(county, standby.sockets) > before)
                whole_pull(cases, device, wire)
            for pid in tree(int(open(standby.data + "/postmaster.pid").readline())):
                frozen.append(pid)
                os.kill(pid, signal.SIGSTOP)
            with w.Wire(address, "jingguan/1", device.key, device.cert, device.ca, device.county, device.now()) as wire: # a call that waits
                wire.send(w.HELLO, pb.Hello(version_min=1, version_max=1).SerializeToString())
                time.sleep(0.5)
                process.terminate()
                try:
                    process.wait(timeout=60)
                    cases.equal("it ends although no database answers", process.returncode, 0)
                except subprocess.TimeoutExpired:
                    cases.check("it ends although no database answers", False)
                    process.kill()
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
            standby.stop()
    cases.close()


def pushes(cases, device, wire, round, timeout=20):
    wire.timeout = timeout
    fill(device, wire, 1 + round * 400, 400)
    outcomes = {device.results[n].outcome for n in range(device.last_op - 399, device.last_op + 1)}
    cases.equal("push %d is acknowledged" % (round + 1), outcomes, {pb.APPLIED})


def whole_pull(cases, device, wire):
    """From 0, naming an epoch that says nothing about it: all pages come, and they agree."""
    for id, stream in device.streams.items():
        stream.cursor, stream.records, stream.epoch = 0, {}, 12345
        device.pull(wire, id)
        if stream.what == "school":
            cases.check("a pull from the beginning brings all pages", len(stream.records) >= device.last_op and not getattr(stream, "disagreed", False), "%d of %d" % (len(stream.records), device.last_op))


if __name__ == "__main__":
    main()
