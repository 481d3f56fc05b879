#!/usr/bin/python3
"""What a school may say and when, by a client that is not ours: names and times in an answer to a slip, blanks for words, what is taken back from
under the bureau's decision or in a year that is closed, and a number that only looks like one."""
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import wire_client as w
from harness import Cases
from wire_acts import As, name_of, outcomes, push, seen, teacher_of
from wire_county import P, YEAR, WireCounty, destination, id_no, student

pb = w.pb
cases = Cases()
DAY = 86400 * 10**6


def phases(edu, *names):
    with edu.open() as wire:
        for name in names:
            wire.call("Transition.Phase", year=YEAR, to=name, force=True, reason="演练")


def found(device, name):
    with device.open() as wire:
        for id in device.streams:
            device.pull(wire, id)
    kind = w.KIND_BY_NAME[name]
    return {id: (kind.message.FromString(r[4]), r[2]) for s in device.streams.values() for id, r in s.records.items() if r[0] == kind.number}


def blanks(p):
    bad = push(p, ("Destination", w.uuid7(), destination(1, "B2", place="\u3000")), ("Destination", w.uuid7(), destination(1, "A1", dest_school="", dest_school_name="\u00a0 ")),
               ("Student", w.uuid7(), student(60, name="\u3000")))
    cases.equal("nothing but blanks is no place, no school and no name", (outcomes(bad), {r.field for r in bad}), (["REJECTED"] * 3, {"place", "dest_school_name", "name"}))


def ranges(p, pupil):
    bad = push(p, *[("Evidence", w.uuid7(), pb.Evidence(target=pupil, sha=os.urandom(32), size=size, name="a.pdf")) for size in (-1, 1 << 62, (10 << 20) + 1)],
               *[("Guardian", w.uuid7(), pb.Guardian(student=pupil, ordinal=n, name="甲")) for n in (-1, 100)])
    cases.equal("a size and an ordinal have a range", (outcomes(bad), {r.field for r in bad}), (["REJECTED"] * 5, {"size", "ordinal"}))


def number_that_names_nobody(county, p, victim):
    """A student number without its letter is found by nothing: it may not make a class teacher's destination out of another class's pupil."""
    account, session = teacher_of(county, p, "六1班")
    raw = id_no(victim)
    got = push(p, ("Student", w.uuid7(), pb.Student(name="借名", student_no=raw, grade="16", class_no="1"), (), account.user),
               ("Destination", w.uuid7(), pb.Destination(year=YEAR, name="借名", student_no=raw, class_no="1", category="C3", guardian_phone="13900000004"), (), account.user), session=As(p, session))
    cases.equal("nor does one that he has entered himself", outcomes(got)[1:], ["REJECTED"])


def two_sizes(p):
    """One hash, two computers, two sizes, at once: nobody is told that the school's room is full."""
    def put(size, sha):
        with p.open() as wire:
            return name_of(lambda: wire.call("Sync.PutChunk", sha=sha, size=size, n=0, data=b"x" * 1000))
    with ThreadPoolExecutor(2) as pool:
        told = set()
        for _ in range(12):
            sha = os.urandom(32)
            told |= {f.result() for f in [pool.submit(put, size, sha) for size in (2000, 3000)]}
    cases.check("two sizes of one file at once", told <= {"answered", "BUSY"}, told)


def ghost(edu, p, j):
    """A file on an id that nobody has yet is not shown as a proof of whoever gets that id."""
    id = w.uuid7()
    push(j, ("Evidence", w.uuid7(), pb.Evidence(target=id, sha=b"g" * 32, size=1, name="冒名.pdf")))
    push(p, ("Destination", id, destination(3, "B2", dest_school="", place="江苏省苏州市")))
    with edu.open() as wire:
        shown = wire.call("Transition.ShowProof", year=YEAR, name=id_no(3))
    cases.equal("nor a school's file of a pupil who is another's", [f.name for f in shown.file], [])


def addressees(county, edu, p):
    """Who received and answered is whoever did, and when he can have done it."""
    with edu.open() as wire:
        wire.call("Transition.Reconcile", year=YEAR, as_of=YEAR * 10000 + 912)
        wire.call("Transition.IssueSlips", year=YEAR)
    id, (addressee, gver) = next((id, r) for id, r in found(p, "SlipAddressee").items() if r[0].school == P)
    lies = [dict(received_by="basicedu", received_at=server_time(county)), dict(received_by=p.user, received_at=1), dict(received_by=p.user, received_at=server_time(county) + 900 * DAY)]

    def receive(**fields):
        message = type(addressee)()
        message.CopyFrom(addressee)
        for name, value in fields.items():
            setattr(message, name, value)
        with p.open() as wire:
            n = p.queue_op(w.KIND_BY_NAME["SlipAddressee"].number, id, message, seen=[(2, gver[1])], groups={2})
            p.push(wire)
        return p.results[n]
    told = [receive(**lie) for lie in lies]
    cases.equal("another's account, a time before the slip and one to come are refused", (outcomes(told), [r.field for r in told]), (["REJECTED"] * 3, ["received_by", "received_at", "received_at"]))
    cases.equal("the truth is taken", outcomes([receive(received_by=p.user, received_at=server_time(county))]), ["APPLIED"])


def server_time(county):
    return int(county.psql("SELECT (extract(epoch FROM jg_now()) * 1000000)::bigint").strip().splitlines()[-1])


def taken_back(county, edu, p, j, rows):
    """A proof that the bureau has accepted, an answer outside its phase, a year that is closed."""
    data = b"proof" * 100
    with p.open() as wire:
        sha = p.put_blob(wire, data)
    proof, answer = w.uuid7(), w.uuid7()
    made = push(p, ("Evidence", proof, pb.Evidence(target=rows[1], sha=sha, size=len(data), name="证明.pdf")))
    said = push(j, ("VerifyAnswer", answer, pb.VerifyAnswer(year=YEAR, destination=rows[0], answer="present")))
    cases.equal("a proof and an answer", outcomes(made + said), ["APPLIED"] * 2)
    with edu.open() as wire:
        pupil = next(x.student.id for x in wire.call("Transition.ListProofs", year=YEAR).proof)
        wire.call("Transition.DecideProof", year=YEAR, pupil=pupil, accept=True)
    found(p, "Evidence")
    cases.equal("what the bureau has accepted is not taken from under its decision", [(r.outcome, r.code) for r in push(p, ("Evidence", proof, None, seen(made[0])))], [(pb.REJECTED, 14)])
    phases(edu, "closed")
    late = push(j, ("VerifyAnswer", answer, None, seen(said[0]))) + push(p, ("Evidence", w.uuid7(), pb.Evidence(target=rows[0], sha=hashlib.sha256(b"x").digest(), size=1, name="晚.pdf")))
    cases.equal("nothing of a closed year is taken back or added", [(r.outcome, r.code) for r in late], [(pb.REJECTED, 40)] * 2)


def main():
    with WireCounty() as county:
        edu = county.registers()
        p, j = county.schools()
        pupils, rows = [w.uuid7() for _ in range(5)], [w.uuid7() for _ in range(2)]
        push(p, *[("Student", id, student(n + 1, class_no="1" if n < 3 else "2")) for n, id in enumerate(pupils)])
        blanks(p)
        ranges(p, pupils[0])
        number_that_names_nobody(county, p, 5)
        with edu.open() as wire:
            wire.call("Transition.Open", year=YEAR)
        cases.equal("two destinations", outcomes(push(p, ("Destination", rows[0], destination(1)), ("Destination", rows[1], destination(2, "B2", dest_school="", place="江苏省南京市")))), ["APPLIED"] * 2)
        ghost(edu, p, j)
        two_sizes(p)
        phases(edu, "assist", "confirm", "verify")
        addressees(county, edu, p)
        taken_back(county, edu, p, j, rows)
        with edu.open() as wire:
            cases.equal("a reason of blanks is none", name_of(lambda: wire.call("Transition.Phase", year=YEAR, to="verify", force=True, reason="\u3000")), "INVALID")
        with county.people["sysadmin"].open() as wire:
            cases.equal("nor is a name that nobody can read to its end", name_of(lambda: wire.call("Identity.AddUser", school=P, role=[pb.HEAD], name="长" * 60, login="n")), "INVALID")
    cases.close()


if __name__ == "__main__":
    main()
