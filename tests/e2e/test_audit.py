#!/usr/bin/python3
"""The offline verifier against a county's exports: clean as they are, and every way of tampering found."""
import csv
import os
import shutil
import subprocess
import sys
import threading

import verify_audit
import wire_client as w
from harness import COUNTY, Cases, Failure
from wire_county import P, YEAR, WireCounty, destination, enrolment, student

pb = w.pb
cases = Cases()
TABLES = ["audit_link", "stream"] + [k.rule.table for k in w.KINDS.values()]


def export(county, directory):
    os.makedirs(directory)
    script = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", # the server goes on writing meanwhile: one moment for all tables
              "SET LOCAL app.county = '%s'; SET LOCAL app.scope = 'job'; SET LOCAL app.schools = ''; SET LOCAL app.streams = '';" % COUNTY,
              *("\\copy (SELECT * FROM %s) TO '%s/%s.csv' CSV HEADER" % (table, directory, table) for table in TABLES), "COMMIT;"]
    run = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", county.server.data + "/pg/s", "-U", "jingguan", "-d", "jingguan"],
                         input="\n".join(script), capture_output=True, text=True)
    if run.returncode:
        raise Failure(run.stderr)
    return directory


def work(county):
    """Records made, changed, deleted, sent to another school and taken away from it again; slips of the server's own."""
    edu = county.registers()
    p, j = county.schools()
    pupils = [w.uuid7() for _ in range(8)]
    rows = [w.uuid7() for _ in range(8)]

    def push(device, *ops):
        with device.open() as wire:
            first = device.made + 1
            for kind, id, message, more in ops:
                device.queue_op(kind, id, message, **more)
            device.push(wire)
            bad = [device.results[n] for n in range(first, device.made + 1) if device.results[n].outcome not in (pb.APPLIED, pb.MERGED)]
            if bad:
                raise Failure(str(bad))
            for id in device.streams:
                device.pull(wire, id)

    push(p, *[(5, id, student(n + 1), {}) for n, id in enumerate(pupils)])
    with edu.open() as wire:
        wire.call("Transition.Open", year=YEAR)
    push(p, *[(7, id, destination(n + 1), {}) for n, id in enumerate(rows[:6])])
    changed = student(1, live_address="某镇某村 1 号", migrant=True)
    push(p, (5, pupils[0], changed, dict(seen=[(3, 1)], groups={3})), (5, pupils[7], None, dict(seen=[(1, 1), (2, 1), (3, 1)])))
    away = destination(1, "B2", place="江苏省南京市", registration_no="1")
    push(p, (7, rows[0], away, dict(seen=[(3, 1)], groups={3}))) # LEAVE for the other school
    push(p, (7, rows[0], destination(1), dict(seen=[(3, 2)], groups={3})), (7, rows[0], away, dict(seen=[(3, None, p.made + 1)], groups={3})))
    push(j, *[(8, w.uuid7(), enrolment(n), {}) for n in (2, 3)])
    with edu.open() as wire:
        for phase in ("assist", "confirm", "verify"):
            wire.call("Transition.Phase", year=YEAR, to=phase, force=True, reason="演练")
        wire.call("Transition.Reconcile", year=YEAR, as_of=YEAR * 10000 + 912)
        if not wire.call("Transition.IssueSlips", year=YEAR).changed:
            raise Failure("no slips")
    push(j)
    push(p)
    return p, j


def while_written(device, then):
    """What then() returns while pupils are entered, one after the other: the first stands before it begins, the last is answered after it."""
    entered, begun, enough = [], threading.Event(), threading.Event()

    def enter():
        with device.open() as wire:
            while not enough.is_set():
                device.queue_op(5, w.uuid7(), student(100 + len(entered)))
                device.push(wire)
                entered.append(device.results[device.made].outcome)
                begun.set()

    writer = threading.Thread(target=enter)
    writer.start()
    try:
        begun.wait(60)
        before = len(entered)
        result = then()
    finally:
        enough.set()
        writer.join()
    cases.check("pupils were entered meanwhile", 0 < before < len(entered) and set(entered) == {pb.APPLIED}, str(entered))
    return result


def read(directory, table):
    with open("%s/%s.csv" % (directory, table), encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader), reader.fieldnames


def write(directory, table, rows, names):
    with open("%s/%s.csv" % (directory, table), "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def hexed(data):
    return "\\x" + data.hex()


def chain_again(directory):
    """A careful forger: every root, head and the streams' rows agree with each other afterwards."""
    links, names = read(directory, "audit_link")
    links.sort(key=lambda l: (int(l["stream_id"]), int(l["n"])))
    last, n = {}, {}
    for link in links:
        stream = link["stream_id"]
        n[stream] = n.get(stream, 0) + 1
        root = w.audit_root(verify_audit.unhex(link["parts"]))
        last[stream] = w.audit_next(last.get(stream, bytes(32)), n[stream], root)
        link.update(n=str(n[stream]), root=hexed(root), head=hexed(last[stream]))
    write(directory, "audit_link", links, names)
    streams, names = read(directory, "stream")
    for stream in streams:
        if stream["stream_id"] in last:
            stream.update(audit_n=str(n[stream["stream_id"]]), audit_head=hexed(last[stream["stream_id"]]))
    write(directory, "stream", streams, names)


def tampered(base, name, change, careful):
    directory = base + "-" + name
    shutil.copytree(base, directory)
    links, names = read(directory, "audit_link")
    mine = sorted((l for l in links if l["stream_id"] == P), key=lambda l: int(l["n"]))
    others = [l for l in links if l["stream_id"] != P]
    write(directory, "audit_link", change(mine) + others, names)
    if careful:
        chain_again(directory)
    return directory


def edit(links):
    parts = bytearray(verify_audit.unhex(links[1]["parts"]))
    parts[-1] ^= 1
    links[1]["parts"] = hexed(bytes(parts))
    return links


def delete(links):
    return links[:2] + links[3:]


def reorder(links):
    for name in ("parts", "root", "head"):
        links[1][name], links[2][name] = links[2][name], links[1][name]
    return links


def truncate(links):
    return links[:-1]


def fork(links):
    """Another history from the second link on."""
    return links[:1] + [dict(l, parts=links[0]["parts"]) for l in links[1:]]


def change_value(base, table, column, name):
    directory = base + "-" + name
    shutil.copytree(base, directory)
    rows, names = read(directory, table)
    row = next(r for r in rows if r["deleted"] == "f" and r[column])
    row[column] = {"cert_no": "329999201503020039", "present": "f", "found_at": "2027-01-01 00:00:00+00"}.get(column, row[column] + "改")
    write(directory, table, rows, names)
    return directory


def drop_row(base, name):
    directory = base + "-" + name
    shutil.copytree(base, directory)
    rows, names = read(directory, "student")
    write(directory, "student", rows[1:], names)
    return directory


def main():
    with WireCounty() as county:
        p, j = work(county)
        busy = while_written(p, lambda: export(county, os.path.join(county.server.dir, "busy")))
        with p.open() as wire:
            for id in p.streams:
                p.pull(wire, id)
        base = export(county, os.path.join(county.server.dir, "export"))
        heads = [(s.id, *head) for device in (p, j) for s in device.streams.values() for head in s.heads]
        cert = county.server.data + "/server.pem"

        def found(directory, kept=heads):
            return {f.what for f in verify_audit.verify(directory, int(COUNTY), cert, kept).run()}

        cases.equal("exports of a server at work are whole", [str(f) for f in verify_audit.verify(busy, int(COUNTY), cert, []).run()], [])
        untouched = verify_audit.verify(base, int(COUNTY), cert, heads)
        cases.equal("the untouched exports are whole", [str(f) for f in untouched.run()], [])
        actions = {entry[3] for entry in untouched.newest.values()}
        cases.check("and hold PUT, DEL and LEAVE, and more than 30 entries", actions == {pb.PUT, pb.DEL, pb.LEAVE} and untouched.entries > 30, "%s %d" % (actions, untouched.entries))
        for change, clumsy in ((edit, "edit"), (delete, "delete"), (reorder, "reorder"), (truncate, "truncation"), (fork, "edit")):
            name = change.__name__
            directory = tampered(base, name, change, False)
            cases.check("%s is found" % name, clumsy in found(directory), str(found(directory)))
            cases.check("%s is found without kept heads too" % name, found(directory, []) != set())
            directory = tampered(base, name + "-careful", change, True)
            what = found(directory)
            cases.check("%s with everything computed anew is found by the kept heads" % name, what & {"fork", "truncation"} != set(), str(what))
        for table, column in (("student", "name"), ("student", "cert_no"), ("destination", "guardian_name"), ("destination", "dest_school_name"), ("enrolment", "present"), ("slip", "found_at"),
                              ("cycle", "phase"), ("school", "name")):
            rows, _ = read(base, table)
            if any(r["deleted"] == "f" and r[column] for r in rows):
                cases.equal("an edited %s.%s is found" % (table, column), found(change_value(base, table, column, "%s-%s" % (table, column))), {"record"})
        cases.equal("a removed row is found", found(drop_row(base, "row")), {"record"})
        forged = [(s, n, h, g[:-1] + bytes([g[-1] ^ 1])) for s, n, h, g in heads[:1]]
        cases.equal("a head that nobody signed is found", found(base, forged), {"signature"})
        with open(county.server.dir + "/heads.json", "w") as out:
            out.write(str([[s, n, h.hex(), g.hex()] for s, n, h, g in heads]).replace("'", '"'))
        command = [sys.executable, verify_audit.__file__, base, "--county", COUNTY, "--cert", cert, "--heads", county.server.dir + "/heads.json"]
        run = subprocess.run(command, capture_output=True, text=True)
        cases.check("the program says so", run.returncode == 0 and "whole" in run.stdout, run.stdout + run.stderr)
        command[2] = base + "-truncate-careful"
        cases.equal("and ends with 1 when it is not so", subprocess.run(command, capture_output=True).returncode, 1)
        os.remove(base + "/student.csv")
        command[2] = base
        cases.equal("and with 2 when it cannot read", subprocess.run(command, capture_output=True).returncode, 2)
        with county.people["auditor"].open() as wire:
            cases.check("the server's own verification agrees", wire.call("Audit.Verify").ok)
    cases.close()


if __name__ == "__main__":
    main()
