#!/usr/bin/python3
"""The checker can fail: a county as it is has no finding, and each promise broken by hand in a copy of one store is reported.

The county is a small demo (slips, projections, LEAVE) plus a conflict; PostgreSQL is tampered with in its exports, the client in
a copy of its folder."""
import argparse
import contextlib
import csv
import io
import os
import shutil
import sqlite3
import uuid

import demo
from checker import INVARIANTS, Checker, Computer, County, Memory, check_server
from harness import COUNTY, Cases, Failure, Server
from verify_audit import unhex

cases = Cases()


def read(directory, table):
    with open("%s/%s.csv" % (directory, table), encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader), reader.fieldnames


def write(directory, table, rows, names):
    with open("%s/%s.csv" % (directory, table), "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def flipped(text):
    """A bytea with one bit of its last byte changed."""
    data = bytearray(unhex(text))
    data[-1] ^= 1
    return "\\x" + data.hex()


class Tamper:
    """Copies of the exports and of one computer's folder, changed by one hand."""

    def __init__(self, base, export_dir, profiles, memory, typed):
        self.base, self.export_dir, self.profiles, self.memory, self.typed = base, export_dir, profiles, memory, typed
        self.count = self.whose = 0 # whose: the index of the computer whose folder is changed

    def begin(self):
        self.count += 1
        self.dir = "%s/tampered-%d" % (self.base, self.count)
        shutil.copytree(self.export_dir, self.dir)
        self.profile = self.dir + "/profile"
        os.makedirs(self.profile)
        for name in ("profile.json", "store.db"):
            shutil.copy2(os.path.join(self.profiles[self.whose], name), self.profile)

    def judge(self):
        memory = Memory()
        memory.numbers, memory.base = dict(self.memory.numbers), dict(self.memory.base)
        computers = [Computer(self.profile if i == self.whose else p) for i, p in enumerate(self.profiles)]
        return Checker(County(self.dir), computers, self.base + "/county/server.pem", int(COUNTY), memory, self.typed).run()

    def expect(self, invariant, name):
        found = {i for i, _ in self.judge()}
        reported.add(invariant)
        cases.check("%s: %s is reported" % (invariant, name), invariant in found, "found %s" % sorted(found))

    def table(self, invariant, name, table, change):
        """change(rows) alters the list of dicts in place; it must find what it looks for."""
        self.begin()
        rows, names = read(self.dir, table)
        change(rows)
        write(self.dir, table, rows, names)
        self.expect(invariant, name)

    def store(self, invariant, name, *statements):
        self.begin()
        db = sqlite3.connect(self.profile + "/store.db")
        changed = sum(db.execute(s).rowcount for s in statements)
        db.commit()
        db.close()
        if changed < len(statements):
            raise Failure("nothing to tamper with: %s" % name)
        self.expect(invariant, name)


reported = set()


def first(rows, **wanted):
    return next(r for r in rows if all(r[k] == v for k, v in wanted.items()))


def county(server):
    """The demo, and a second computer of the first school whose change meets another one."""
    options = argparse.Namespace(schools=6, pupils=60, seed=3, chaos=False)
    play = demo.Demo(options, server)
    story = io.StringIO()
    with contextlib.redirect_stdout(story):
        code = play.run()
    if code:
        raise Failure(story.getvalue())
    school = sorted(play.schools)[0]
    one, two = play.schools[school], server.school(school, name="second")
    two.ok("sync")
    pupil = one.ok("students", "list")[0]["id"]
    junior = play.county.juniors[0]
    for where in (("--dest", "A1", "--school", junior), ("--dest", "B2", "--place", "江苏省南京市")): # LEAVE for the junior school
        one.ok("transition", "set", pupil, *where)
        one.ok("sync")
        play.schools[junior].ok("sync")
    typed = []
    for person, text in ((one, "甲路 1 号"), (two, "乙路 2 号")):
        edit = person.ok("students", "set", pupil, "live_address=" + text)["edit"]
        person.ok("sync", code=(0, 5))
        typed.append((person, int(edit), text))
    people = [one, two, play.schools[junior]] + [p for code, p in sorted(play.schools.items()) if code not in (school, junior)]
    for person in people:
        person.ok("sync", code=(0, 5))
    return people, [(Computer(person.profile).device, batch, text) for person, batch, text in typed]


def tamper_with_postgres(t):
    def swap_outcome(rows):
        row = first(rows, device_id=t.device, first_op="1")
        data = bytearray(unhex(row["results"]))
        data[data.index(b"\x10\x01") + 1] = 4 # OpResult.outcome of the first: APPLIED becomes REJECTED
        row["results"] = "\\x" + data.hex()

    t.table("I1", "other bytes in a push", "op_push", lambda rows: first(rows, device_id=t.device).update(shas=flipped(first(rows, device_id=t.device)["shas"])))
    t.table("I1", "a lost push", "op_push", lambda rows: rows.remove(first(rows, device_id=t.device)))
    t.table("I2", "a lost push", "op_push", lambda rows: rows.remove(first(rows, device_id=t.device)))
    t.table("I2", "a push stored twice", "op_push", lambda rows: rows.append(first(rows, device_id=t.device)))
    t.table("I2", "a second effect", "rec_history", lambda rows: rows.append({**next(r for r in rows if r["op_no"] != "0"), "ver": "99"}))
    t.table("I3", "another chain", "device", lambda rows: first(rows, device_id=t.device).update(last_hash=flipped(first(rows, device_id=t.device)["last_hash"])))
    t.table("I4", "another digest", "stream", lambda rows: first(rows, stream_id=t.school).update(lanes="{1,2,3,4,5,6,7,8}"))
    t.table("I5", "a sequence that fell", "stream", lambda rows: first(rows, stream_id=t.school).update(seq="1"))
    t.table("I7", "another version in the feed", "feed", lambda rows: first(rows, stream_id=t.school, action="1").update(ver="99"))
    t.table("I9", "a lost value", "rec_history", lambda rows: rows.remove(first(rows, kind="5")))
    t.table("I9", "a value rewritten in the history", "rec_history", lambda rows: first(rows, kind="5").update(old=flipped(first(rows, kind="5")["old"])))
    t.table("I9", "a guardian of nobody", "guardian", lambda rows: first(rows, deleted="f").update(student=str(uuid.UUID(int=1))))
    t.table("I9", "a lost conflict", "conflict", lambda rows: rows.clear() if rows else first(rows, none=""))
    t.table("I9", "a typed value that is nowhere", "student", lambda rows: first(rows, live_address="甲路 1 号").update(live_address=""))
    t.table("I10", "a second slip of a pupil", "slip", lambda rows: rows.append({**rows[0], "rec_id": "00000000-0000-7000-8000-000000000001"}))
    t.table("I10", "a slip that an addressee did not get", "feed", lambda rows: rows.remove(first(rows, rec_id=t.slip)))
    t.table("I10", "a slip that was issued to nobody", "slip_addressee", lambda rows: rows.clear() if rows else first(rows, none=""))
    t.begin() # found, and settled before it was issued: closed, and addresses nobody
    rows, names = read(t.dir, "slip")
    gone = first(rows, rec_id=t.slip)
    gone.update(state="closed", issued_at="")
    write(t.dir, "slip", rows, names)
    rows, names = read(t.dir, "slip_addressee")
    write(t.dir, "slip_addressee", [r for r in rows if r["slip"] != t.slip], names)
    found = [text for i, text in t.judge() if i == "I10"]
    cases.check("a slip that was settled before it was issued is no finding", not found, "found %s" % found)
    t.table("I11", "an entry of the trace changed", "audit_link", lambda rows: rows[3].update(parts=flipped(rows[3]["parts"])))
    t.table("I11", "a value changed behind the trace", "student", lambda rows: first(rows, deleted="f", owner_school=t.school).update(class_no="77"))
    t.table("I11", "an effect without a result", "op_push", swap_outcome)
    t.table("I12", "a row gone from the feed", "feed", lambda rows: rows.remove(first(rows, stream_id=t.school, action="1")))


def tamper_with_client(t):
    t.store("I1", "other bytes kept", "UPDATE outbox SET sha = zeroblob(32) WHERE op_no = 1")
    t.store("I3", "another chain kept", "UPDATE meta SET value = zeroblob(32) WHERE name = 'last_hash'")
    t.store("I4", "another value kept", "UPDATE base SET lanes = zeroblob(32) WHERE id = (SELECT min(id) FROM base WHERE kind = 5)")
    t.store("I5", "a cursor that fell", "UPDATE stream SET cursor = 1 WHERE what = 'school'")
    t.store("I7", "a row that is gone", "DELETE FROM base WHERE id = (SELECT min(id) FROM base WHERE kind = 5)")
    t.store("I7", "an older version of a group", "UPDATE base SET gver = zeroblob(length(gver)) WHERE id = (SELECT min(id) FROM base WHERE kind = 5)")
    t.whose = 2
    t.store("I8", "a row that should have gone", "INSERT INTO staging(stream, id, action, kind, ver) VALUES(%s, x'%s', 1, 7, 1)" % (Computer(t.profiles[2]).school, t.left))
    t.whose = 0
    t.store("I9", "a version that the server never had", "UPDATE outbox SET ver = 99 WHERE n = (SELECT min(n) FROM outbox WHERE state = 3)")
    t.store("I9", "a saved operation that is gone", "DELETE FROM outbox WHERE batch = %d" % t.typed[0][1])
    t.store("I11", "a head that the trace does not have", "UPDATE head SET head = zeroblob(32) WHERE n = (SELECT min(n) FROM head)")
    t.store("I12", "a row that went without a mark", "DELETE FROM base WHERE id = (SELECT min(id) FROM base WHERE kind = 5)")
    t.store("I13", "an operation that waits", "UPDATE outbox SET state = 2 WHERE n = (SELECT max(n) FROM outbox)")
    t.store("I13", "a cursor that lags", "UPDATE stream SET cursor = cursor - 1 WHERE what = 'school'")
    t.store("I13", "a digest that differed", "UPDATE stream SET digest = 0 WHERE what = 'school'")


def main():
    with Server() as server:
        people, typed = county(server)
        profiles, memory = [p.profile for p in people], Memory()
        whole = check_server(server, profiles, memory=memory, typed=typed)
        cases.equal("the county as it is keeps every promise", whole.findings, [])
        again = check_server(server, profiles, memory=memory, typed=typed)
        cases.equal("and again, against what was seen", again.findings, [])
        cases.equal("every promise was looked at", [i for i in INVARIANTS if not again.counts[i]], [])
        t = Tamper(server.dir, server.dir + "/export", profiles, memory, typed)
        device = Computer(profiles[0]).device.hex()
        t.device, t.school = "-".join((device[:8], device[8:12], device[12:16], device[16:20], device[20:])), Computer(profiles[0]).school
        t.slip = first(read(t.export_dir, "slip_addressee")[0], deleted="f")["slip"]
        t.left = first(read(t.export_dir, "feed")[0], stream_id=Computer(profiles[2]).school, action="3")["rec_id"].replace("-", "")
        tamper_with_postgres(t)
        tamper_with_client(t)
        cases.equal("every promise was broken", sorted(set(INVARIANTS) - reported), [])
    cases.close()


if __name__ == "__main__":
    main()
