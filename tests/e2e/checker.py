#!/usr/bin/python3
"""Reads what a county and its computers have stored and says which promise of the protocol does not hold.

    checker.py DIR --cert server.pem --county 329999 [PROFILE…]

DIR holds CSV exports of PostgreSQL as export() makes them, PROFILE is the folder of a jg (profile.json, store.db). Written from
proto/README.md and the two schemas; it shares nothing with the programs that it judges and opens no sealed value: ids, versions,
hashes, lanes, operation numbers and cursors lie open. The promises:

    I1   what a computer holds as answered is in op_push, the same bytes
    I2   every operation number is covered by one push, and has one effect
    I3   the chain over the operations gives device.last_hash and the computer's; results stand in the order of operations
    I4   the lanes of a computer's rows are those of the trace, and add up to the stream's
    I5   cursors, sequence numbers, trace numbers and versions do not fall within an epoch (against an earlier check: Memory)
    I7   a computer's rows of a stream are the feed's and the tables', with their versions
    I8   what has left a stream is in no table of the computer (what SQLite leaves in a page's gap is counted as "traces", not judged)
    I9   every version that was replaced is in rec_history, every conflict in conflict, every typed value somewhere
    I10  one slip per cycle and pupil, delivered to all whom it addresses
    I11  one entry of the trace per effect; the chain holds, and holds the heads that computers keep
    I12  no row is gone without DEL or LEAVE
    I13  at rest nothing waits: outboxes, cursors, files (only asked when the faults have stopped)

Prints one line per finding; exits 1 when there is any."""
import argparse
import collections
import contextlib
import csv
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

import verify_audit
import wire_client as w
from harness import COUNTY
from verify_audit import unhex

csv.field_size_limit(1 << 30)
pb = w.pb
PUT, DEL, LEAVE = 1, 2, 3
WAITING, UNKNOWN, ACCEPTED, REFUSED, BLOCKED, CONFLICT, DRAFT, DONE = range(1, 9)
ANSWERED = (ACCEPTED, REFUSED, BLOCKED, CONFLICT)
HOOKS = {"guardian": "student", "evidence": "target"}
KINDS = [k.rule.table for k in w.KINDS.values()]
INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I10", "I11", "I12", "I13")


# ---- what PostgreSQL holds, at one moment ----

def scopes(schools):
    """WHERE of each table; with schools only what concerns them."""
    some = {t: "true" for t in KINDS + ["stream", "feed", "device", "op_push", "rec_history", "conflict", "audit_link", "county", "blob"]}
    if schools is not None:
        codes = ", ".join("'%s'" % s for s in [""] + sorted(schools))
        streams = "stream_id IN (%s, county)" % ", ".join(sorted(schools))
        some.update({t: "owner_school IN (%s) OR other_school IN (%s)" % (codes, codes) for t in KINDS})
        some.update(stream=streams, feed=streams, audit_link=streams, device="school IN (%s)" % codes, blob="school IN (%s)" % codes,
                    rec_history="owner_school IN (%s)" % codes, conflict="owner_school IN (%s)" % codes,
                    op_push="device_id IN (SELECT d.device_id FROM device d WHERE d.school IN (%s))" % codes)
    return some


def export(server, directory, schools=None, patience=40):
    """One CSV per table in `directory`, all of one snapshot; `server` is the harness's."""
    os.makedirs(directory, exist_ok=True)
    script = ["SET app.county = '%s'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = '';" % COUNTY, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for table, where in scopes(schools).items():
        script.append("\\copy (SELECT * FROM %s WHERE %s) TO '%s/%s.csv' CSV HEADER" % (table, where, directory, table))
    for _ in range(patience):
        run = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", server.data + "/pg/s", "-U", "jingguan", "-d", "jingguan"],
                             input="\n".join(script + ["COMMIT;"]), capture_output=True, text=True)
        if run.returncode != 2: # 2: no connection; a database that is coming back is waited for
            break
        time.sleep(0.25)
    if run.returncode:
        raise RuntimeError(run.stderr)


def uuid(text):
    return bytes.fromhex(text.replace("-", ""))


def numbers(text):
    return [int(n) for n in text.strip("{}").split(",") if n]


Part = collections.namedtuple("Part", "stream n device first last entries")
Entry = collections.namedtuple("Entry", "id ver kind action mask hash")


def parts_of(stream, n, data):
    """The pushes and calls of one link of the trace, with their headers (proto/README.md §7)."""
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        device, first, last, count = struct.unpack_from(">16sQQI", data, end + 1)
        at = end + 37
        yield Part(stream, n, device, first, last, [Entry(*verify_audit.ENTRY.unpack_from(data, at + 64 * i)) for i in range(count)])
        at += 64 * count


class County:
    def __init__(self, directory):
        self.directory = directory
        self.streams = {int(r["stream_id"]): r for r in self.rows("stream")}
        self.devices = {uuid(r["device_id"]): r for r in self.rows("device")}
        self.epoch = next((int(r["epoch"]) for r in self.rows("county")), 0)
        self.feed = collections.defaultdict(dict)
        for r in self.rows("feed"):
            self.feed[int(r["stream_id"])][uuid(r["rec_id"])] = (int(r["seq"]), int(r["ver"]), int(r["kind"]), int(r["action"]))
        self.pushes = collections.defaultdict(list)
        for r in self.rows("op_push"):
            reply = pb.PushReply.FromString(unhex(r["results"]))
            self.pushes[uuid(r["device_id"]), int(r["incarnation"])].append((int(r["first_op"]), int(r["last_op"]), unhex(r["shas"]), reply))
        self.shas, self.results = {}, {}
        for key, pushes in self.pushes.items():
            pushes.sort(key=lambda p: (p[0], p[1]))
            for first, last, shas, reply in pushes:
                for i in range(last - first + 1):
                    self.shas[key + (first + i,)] = shas[32 * i:32 * i + 32]
                self.results.update({key + (r.op_no,): r for r in reply.result})
        self.records = {}
        for kind in w.KINDS.values():
            for r in self.rows(kind.rule.table):
                self.records[uuid(r["rec_id"])] = (kind, r)
        self.history = collections.defaultdict(dict)
        self.history_rows = list(self.rows("rec_history"))
        for r in self.history_rows:
            self.history[uuid(r["rec_id"])][int(r["ver"])] = r
        self.parts = [part for r in self.rows("audit_link") for part in self.read_parts(r)]
        self.traced = {(p.stream, e.id, e.ver): e for p in self.parts for e in p.entries}

    def rows(self, table):
        return verify_audit.rows(self.directory, table)

    def read_parts(self, row):
        try:
            return list(parts_of(int(row["stream_id"]), int(row["n"]), unhex(row["parts"])))
        except (ValueError, struct.error):
            return [] # verify_audit says so


# ---- what a computer holds ----

class Computer:
    def __init__(self, profile):
        self.profile = profile
        told = json.load(open(os.path.join(profile, "profile.json")))
        self.device, self.school = uuid(told["device"]), told["school"]
        self.name = "%s %s" % (self.school, os.path.basename(profile))
        self.path = os.path.join(profile, "store.db")
        with tempfile.TemporaryDirectory(prefix="jgcheck.") as copy: # a jg that was killed left a journal: it is rolled back in the copy
            for name in ("store.db", "store.db-journal"):
                if os.path.exists(os.path.join(profile, name)):
                    shutil.copy2(os.path.join(profile, name), copy)
            with contextlib.closing(sqlite3.connect(copy + "/store.db")) as db:
                self.read(db)

    def read(self, db):
        db.row_factory = sqlite3.Row
        self.meta = {r["name"]: r["value"] for r in db.execute("SELECT name, value FROM meta")}
        self.streams = {r["stream"]: r for r in db.execute("SELECT * FROM stream")}
        self.base = collections.defaultdict(dict)
        for r in db.execute("SELECT stream, id, kind, ver, gver, owner, lanes FROM base"):
            self.base[r["stream"]][r["id"]] = r
        self.outbox = db.execute("SELECT n, incarnation, op_no, state, kind, id, action, batch, sha, ver, duplicate_of FROM outbox ORDER BY n").fetchall()
        self.heads = db.execute("SELECT stream, epoch, n, head, sig FROM head").fetchall()
        self.staging = {(r["stream"], r["id"]) for r in db.execute("SELECT stream, id FROM staging")}
        self.named = {id for row in db.execute("SELECT id, duplicate_of FROM outbox") for id in row if id}
        self.unsent_files = {row[0] for row in db.execute("SELECT sha FROM blob WHERE complete = 0")}

    @property
    def incarnation(self):
        return self.meta.get("incarnation", 0)

    @property
    def last_op(self):
        return self.meta.get("last_op", 0)


class Memory:
    """What an earlier check saw; what may only grow is compared with it."""

    def __init__(self):
        self.numbers, self.base = {}, {}

    def forget(self, device):
        """A computer whose disk was put back begins anew."""
        for kept in (self.numbers, self.base):
            for key in [k for k in kept if device in k and k[0] != "device"]:
                del kept[key]


# ---- the judgement ----

class Checker:
    def __init__(self, county, computers, cert, number, memory=None, typed=(), at_rest=True):
        """typed: (device id, batch, text) of commands that said they had saved it. number: the county's code."""
        self.county, self.computers, self.cert, self.number = county, computers, cert, number
        self.memory, self.typed, self.at_rest = memory or Memory(), typed, at_rest
        self.findings = []
        self.counts = collections.Counter() # what was looked at, by invariant: a check of nothing proves nothing

    def find(self, invariant, story, *args):
        self.findings.append((invariant, story % args if args else story))

    def looked(self, invariant, n=1):
        self.counts[invariant] += n

    def run(self):
        for computer in self.computers:
            self.i1_answered(computer)
            self.i3_chain_of(computer)
            self.i7_rows(computer)
            self.i8_left(computer)
            self.i4_lanes_of(computer)
            self.i9_accepted(computer)
            if self.at_rest:
                self.i13_rest(computer)
        self.i2_covers()
        self.i2_effects()
        self.i3_results()
        self.i4_lanes()
        self.i9_history()
        self.i9_conflicts()
        self.i9_typed()
        self.i9_children()
        self.i10_slips()
        self.i11_trace()
        self.i11_entries()
        self.i12_feed()
        self.i5_i12_memory()
        return self.findings

    # ---- pushes ----

    def i1_answered(self, c):
        for row in c.outbox:
            answered = row["op_no"] and (row["state"] in ANSWERED or row["incarnation"] == c.incarnation and row["op_no"] <= c.last_op)
            if not answered:
                continue
            self.looked("I1")
            stored = self.county.shas.get((c.device, row["incarnation"], row["op_no"]))
            if stored is None:
                self.find("I1", "%s: operation %d was answered and is in no push", c.name, row["op_no"])
            elif stored != row["sha"]:
                self.find("I1", "%s: operation %d was answered, other bytes are in its push", c.name, row["op_no"])

    def i2_covers(self):
        for (device, incarnation), pushes in self.county.pushes.items():
            due = 1
            for first, last, shas, _ in pushes:
                self.looked("I2", last - first + 1)
                if first != due:
                    self.find("I2", "device %s.%d: %s operation %d", device.hex(), incarnation, "two pushes hold" if first < due else "no push holds", min(first, due))
                if len(shas) != 32 * (last - first + 1):
                    self.find("I2", "device %s.%d: the push %d-%d holds %d bytes of hashes", device.hex(), incarnation, first, last, len(shas))
                due = max(due, last + 1)
        for device, row in self.county.devices.items():
            pushes = self.county.pushes.get((device, int(row["incarnation"])), [])
            if int(row["last_op"]) != max((p[1] for p in pushes), default=0):
                self.find("I2", "device %s: it is at %s, its pushes are not", device.hex(), row["last_op"])

    def i2_effects(self):
        """No operation replaced a value twice."""
        seen = collections.Counter((r["device_id"], r["incarnation"], r["op_no"], r["rec_id"]) for r in self.county.history_rows if r["op_no"] != "0")
        for (device, incarnation, op, record), times in seen.items():
            if times > 1:
                self.find("I2", "operation %s of incarnation %s of device %s changed %s %d times", op, incarnation, device, record, times)

    def i3_results(self):
        for (device, incarnation), pushes in self.county.pushes.items():
            chain = w.chain_start(device, incarnation)
            for first, last, shas, reply in pushes:
                if [r.op_no for r in reply.result] != list(range(first, last + 1)):
                    self.find("I3", "device %s.%d: the results of %d-%d are not in order", device.hex(), incarnation, first, last)
                for i in range(last - first + 1):
                    self.looked("I3")
                    chain = w.chain_next(chain, first + i, shas[32 * i:32 * i + 32])
            row = self.county.devices.get(device)
            if row and int(row["incarnation"]) == incarnation and unhex(row["last_hash"]) != chain:
                self.find("I3", "device %s: its chain is not that of its pushes", device.hex())

    def i3_chain_of(self, c):
        if not c.incarnation:
            return
        chain = w.chain_start(c.device, c.incarnation)
        for n in range(1, c.last_op + 1):
            sha = self.county.shas.get((c.device, c.incarnation, n))
            if sha is None:
                return # I1 or I2 says so
            chain = w.chain_next(chain, n, sha)
        self.looked("I3", c.last_op)
        if c.meta.get("last_hash") != chain:
            self.find("I3", "%s: its chain at operation %d is not the server's", c.name, c.last_op)

    # ---- streams and rows ----

    def lane_of(self, stream, id, ver, kind):
        """The lanes of a row as the trace recorded its bytes; None when the trace does not know it."""
        entry = self.county.traced.get((stream, id, ver))
        return w.lanes(id, ver, kind, entry.hash) if entry and entry.action == PUT else None

    def i4_lanes(self):
        for stream, row in self.county.streams.items():
            total = [0] * 8
            for id, (_, ver, kind, action) in self.county.feed[stream].items():
                lanes = self.lane_of(stream, id, ver, kind) if action == PUT else None
                if lanes:
                    self.looked("I4")
                    total = [(a + b) % 2 ** 32 for a, b in zip(total, lanes)]
            if total != numbers(row["lanes"]):
                self.find("I4", "stream %d: its lanes are not the sum of its rows", stream)

    def synced(self, c):
        """The streams of a computer whose cursor stands at the server's end."""
        for stream, row in c.streams.items():
            there = self.county.streams.get(stream)
            if there and row["cursor"] == int(there["seq"]) and row["epoch"] == self.county.epoch:
                yield stream, there

    def i4_lanes_of(self, c):
        for stream, there in self.synced(c):
            total = [0] * 8
            for id, row in c.base[stream].items():
                lanes = struct.unpack(">8I", row["lanes"])
                total = [(a + b) % 2 ** 32 for a, b in zip(total, lanes)]
                self.looked("I4")
                if lanes != self.lane_of(stream, id, row["ver"], row["kind"]):
                    self.find("I4", "%s: stream %d: %s has other values than the trace says", c.name, stream, id.hex())
            if total != numbers(there["lanes"]):
                self.find("I4", "%s: the digest of stream %d is not the server's", c.name, stream)

    def i7_rows(self, c):
        for stream, _ in self.synced(c):
            feed = {id: (ver, kind) for id, (_, ver, kind, action) in self.county.feed[stream].items() if action == PUT}
            base = {id: (row["ver"], row["kind"]) for id, row in c.base[stream].items()}
            for id in sorted(feed.keys() | base.keys()):
                self.looked("I7")
                if feed.get(id) != base.get(id):
                    self.find("I7", "%s: stream %d: %s is %s here and %s in the feed", c.name, stream, id.hex(), base.get(id), feed.get(id))
                    continue
                record = self.county.records.get(id)
                if not record:
                    self.find("I7", "%s: stream %d: %s is in no table", c.name, stream, id.hex())
                    continue
                gver = list(struct.unpack("%dI" % (len(c.base[stream][id]["gver"]) // 4), c.base[stream][id]["gver"]))
                wanted = numbers(record[1]["gver"])
                if (int(record[1]["ver"]), record[1]["owner_school"]) != (base[id][0], c.base[stream][id]["owner"]) or gver[:len(wanted)] != wanted:
                    self.find("I7", "%s: stream %d: %s is another version than the table's", c.name, stream, id.hex())

    def i8_left(self, c):
        """secure_delete overwrites freed cells, but a page that is rebuilt keeps stale bytes in its gap, about once in 10,000 rows:
        fragments of sealed bodies. They are counted by the ids before them; what this computer wrote itself it may name."""
        with open(c.path, "rb") as file:
            disk = file.read()
        for stream, _ in self.synced(c):
            for id, (_, _, _, action) in self.county.feed[stream].items():
                if action != LEAVE:
                    continue
                self.looked("I8")
                if id in c.base[stream] or (stream, id) in c.staging:
                    self.find("I8", "%s: stream %d: %s has left and is still there", c.name, stream, id.hex())
                elif id in disk and id not in c.named:
                    self.looked("traces of what left")

    # ---- values ----

    def i9_history(self):
        for id, (kind, row) in self.county.records.items():
            history = self.county.history.get(id, {})
            owner = int(row["owner_school"] or self.number)
            for ver in range(2, int(row["ver"]) + 1):
                self.looked("I9")
                old = history.get(ver)
                if old is None:
                    self.find("I9", "%s %s: what version %d replaced is not in the history", kind.rule.table, id.hex(), ver)
                    continue
                before = self.county.traced.get((owner, id, ver - 1))
                if before and before.action == PUT and w.record_hash(unhex(old["old"])) != before.hash:
                    self.find("I9", "%s %s: the history of version %d is not what was written", kind.rule.table, id.hex(), ver - 1)

    def i9_conflicts(self):
        """A deletion has no values to keep; whether an operation was one, only its computer says."""
        kept = {(uuid(r["device_id"]), int(r["incarnation"]), int(r["op_no"])) for r in self.county.rows("conflict")}
        for c in self.computers:
            for row in c.outbox:
                key = (c.device, row["incarnation"], row["op_no"])
                result = self.county.results.get(key) if row["action"] == PUT else None
                if result is None or result.outcome != pb.CONFLICT:
                    continue
                self.looked("I9")
                if key not in kept:
                    self.find("I9", "%s: the values of operation %d were in conflict and are not kept", c.name, row["op_no"])

    def i9_accepted(self, c):
        for row in c.outbox:
            if row["state"] != ACCEPTED or not row["ver"]:
                continue
            self.looked("I9")
            record = self.county.records.get(row["id"])
            if record is None or int(record[1]["ver"]) < row["ver"]:
                self.find("I9", "%s: version %d of %s was accepted and is not there", c.name, row["ver"], row["id"].hex())

    def i9_children(self):
        """What hangs on a record that nobody has is shown to nobody, unless that record is still before a person."""
        before_a_person = {row["id"] for c in self.computers for row in c.outbox if row["state"] not in (ACCEPTED, DONE)}
        for id, (kind, row) in self.county.records.items():
            hook = HOOKS.get(kind.rule.table)
            if not hook or row["deleted"] == "t":
                continue
            self.looked("I9")
            there = self.county.records.get(uuid(row[hook]))
            if (there is None or there[1]["deleted"] == "t") and not {id, uuid(row[hook])} & before_a_person:
                self.find("I9", "%s %s hangs on %s, which is nobody's", kind.rule.table, id.hex(), row[hook])

    def i9_typed(self):
        if not self.typed:
            return
        values = [open(os.path.join(self.county.directory, t + ".csv"), "rb").read() for t in KINDS]
        values += [unhex(r["old"]) for r in self.county.history_rows] + [unhex(r["mine"]) for r in self.county.rows("conflict")]
        stored, batches = b"\0".join(values), collections.defaultdict(list)
        for c in self.computers:
            for row in c.outbox:
                batches[c.device, row["batch"]].append(row)
        known = {c.device for c in self.computers}
        for device, batch, text in self.typed:
            rows = batches.get((device, batch), [])
            if device not in known:
                continue
            self.looked("I9")
            if not rows:
                self.find("I9", "device %s: %r was saved and its operation is gone", device.hex(), text)
            elif any(r["state"] == CONFLICT and r["duplicate_of"] for r in rows):
                continue # before a person at this computer: what was refused as a duplicate the server does not keep
            elif all(r["state"] in (ACCEPTED, CONFLICT) for r in rows) and text.encode() not in stored:
                self.find("I9", "device %s: %r was accepted and is nowhere", device.hex(), text)

    # ---- slips ----

    def i10_slips(self):
        addressed = collections.defaultdict(list)
        for r in self.county.rows("slip_addressee"):
            if r["deleted"] != "t":
                addressed[uuid(r["slip"])].append(r)
        seen = set()
        for r in self.county.rows("slip"):
            if r["deleted"] == "t":
                continue
            id, pupil = uuid(r["rec_id"]), (r["year"], r["pupil"])
            if pupil in seen:
                self.find("I10", "pupil %s has two slips of %s", r["pupil"], r["year"])
            seen.add(pupil)
            if not r["issued_at"]: # a draft, or one that was settled before anybody issued it: it addresses nobody
                continue
            self.looked("I10")
            if not addressed[id]:
                self.find("I10", "slip %s is issued and addresses nobody", r["no"])
            for a in addressed[id]:
                for what, rec in (("slip", id), ("its receipt", uuid(a["rec_id"]))):
                    entry = self.county.feed[int(a["school"])].get(rec)
                    if not entry or entry[3] != PUT:
                        self.find("I10", "slip %s: %s did not get %s", r["no"], a["school"], what)

    # ---- trace ----

    def i11_trace(self):
        heads = sorted({(h["stream"], h["n"], h["head"], h["sig"]) for c in self.computers for h in c.heads if h["epoch"] == self.county.epoch})
        verifier = verify_audit.verify(self.county.directory, self.number, self.cert, heads)
        for finding in verifier.run():
            self.find("I11", "%s", finding)
        self.looked("I11", verifier.entries)
        self.counts["heads"] += len(heads)

    def i11_entries(self):
        """In its school's stream a push has one entry per operation that had an effect: every APPLIED one, and of the MERGED those
        whose values did not stand there already."""
        for part in self.county.parts:
            device = self.county.devices.get(part.device)
            if not part.first or not device or str(part.stream) != device["school"]:
                continue
            entries = sum(e.action in (PUT, DEL) for e in part.entries)
            effects = [self.effects(part, incarnation) for incarnation in range(1, int(device["incarnation"]) + 1)]
            if not any(least <= entries <= most for least, most in effects):
                self.find("I11", "stream %d link %d: %d entries for %s effects of operations %d-%d", part.stream, part.n, entries, effects, part.first, part.last)

    def effects(self, part, incarnation):
        outcomes = [r.outcome for r in (self.county.results.get((part.device, incarnation, n)) for n in range(part.first, part.last + 1)) if r is not None]
        return outcomes.count(pb.APPLIED), outcomes.count(pb.APPLIED) + outcomes.count(pb.MERGED)

    def purged(self, stream):
        """Marks below the floor may be gone; the trace still has them (i12_feed)."""
        return int(self.county.streams[stream]["floor"]) > 0

    def i12_feed(self):
        """The feed ends, for every record that a stream ever carried, where the trace ends."""
        newest = {}
        for part in self.county.parts:
            for e in part.entries:
                at = newest.get((part.stream, e.id))
                if at is None or (part.n, e.ver) >= at[0]:
                    newest[part.stream, e.id] = ((part.n, e.ver), e)
        for (stream, id), (_, e) in newest.items():
            self.looked("I12")
            row = self.county.feed[stream].get(id)
            if row is None and e.action in (DEL, LEAVE) and self.purged(stream):
                continue
            if row is None:
                self.find("I12", "stream %d: %s is gone from the feed without a mark", stream, id.hex())
            elif (row[1], row[3]) != (e.ver, e.action):
                self.find("I12", "stream %d: the feed has %s at version %d, action %d, the trace at %d, %d", stream, id.hex(), row[1], row[3], e.ver, e.action)

    def i5_i12_memory(self):
        now, epoch, gone = {}, self.county.epoch, []
        for stream, row in self.county.streams.items():
            now["stream", stream, "seq"], now["stream", stream, "trace"] = (epoch, int(row["seq"])), (epoch, int(row["audit_n"]))
        for id, (_, row) in self.county.records.items():
            now["record", id] = (epoch, int(row["ver"]))
        for device, row in self.county.devices.items():
            now["device", device] = (epoch, (int(row["incarnation"]), int(row["last_op"])))
        for c in self.computers:
            now["computer", c.device] = (epoch, (c.incarnation, c.last_op))
            for stream, row in c.streams.items():
                now["cursor", c.device, stream] = (row["epoch"], row["cursor"])
                rows = set(c.base[stream])
                for id in self.memory.base.get((c.device, stream), set()) - rows:
                    if self.county.feed[stream].get(id, (0, 0, 0, 0))[3] not in (DEL, LEAVE) and not (self.purged(stream) and id not in self.county.feed[stream]):
                        self.find("I12", "%s: stream %d: %s is gone without DEL or LEAVE", c.name, stream, id.hex())
                self.memory.base[c.device, stream] = rows
        for key, (then, value) in self.memory.numbers.items():
            self.looked("I5")
            if key in now and now[key][0] == then and now[key][1] < value:
                self.find("I5", "%s fell from %s to %s", " ".join(k.hex() if isinstance(k, bytes) else str(k) for k in key), value, now[key][1])
        self.memory.numbers.update(now)

    # ---- at rest ----

    def i13_rest(self, c):
        waiting = [row["n"] for row in c.outbox if row["state"] in (WAITING, UNKNOWN)]
        if waiting:
            self.find("I13", "%s: %d operations wait, the first is %d", c.name, len(waiting), waiting[0])
        for stream, row in c.streams.items():
            self.looked("I13")
            there = self.county.streams.get(stream)
            if there is None or row["epoch"] != self.county.epoch or row["cursor"] != int(there["seq"]):
                self.find("I13", "%s: stream %d: its cursor is %d, the server is at %s", c.name, stream, row["cursor"], there["seq"] if there else None)
            elif row["digest"] != 1:
                self.find("I13", "%s: stream %d: the digest was not agreed", c.name, stream)
        # a file goes when a record at the bureau names it; of a record that was taken back nothing is sent
        named = {unhex(row["sha"]) for kind, row in self.county.records.values() if kind.rule.table == "evidence" and row["deleted"] == "f"}
        if c.unsent_files & named:
            self.find("I13", "%s: %d files wait", c.name, len(c.unsent_files & named))


def check_server(server, profiles, directory=None, schools=None, **more):
    """Exports what the harness's `server` holds and judges it with these profiles; returns the Checker after its run."""
    directory = directory or os.path.join(server.dir, "export")
    export(server, directory, schools)
    checker = Checker(County(directory), [Computer(p) for p in profiles], server.data + "/server.pem", int(COUNTY), **more)
    checker.run()
    return checker


def main():
    parser = argparse.ArgumentParser(description="which promises do these stores break?")
    parser.add_argument("directory")
    parser.add_argument("--cert", required=True)
    parser.add_argument("--county", type=int, required=True)
    parser.add_argument("profiles", nargs="*")
    options = parser.parse_args()
    checker = Checker(County(options.directory), [Computer(p) for p in options.profiles], options.cert, options.county)
    for invariant, story in checker.run():
        print(invariant, story)
    print("looked at %s: %d findings" % (", ".join("%s %d" % pair for pair in sorted(checker.counts.items())), len(checker.findings)))
    return 1 if checker.findings else 0


if __name__ == "__main__":
    sys.exit(main())
