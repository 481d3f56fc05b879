#!/usr/bin/python3
"""A year and its phase. Each method of the transition in a year that is not open, open, closed and taken back; and the moving of the phase at
the same moment as what depends on it: one of them sees the other."""
import subprocess
import threading
import time

import wire_client as w
from harness import COUNTY, Cases
from wire_county import P, YEAR, WireCounty, destination, enrolment, id_no, student

pb = w.pb
cases = Cases()
BACK = YEAR - 1 # opened, and taken back
SCOPE = "SET app.county = '%s'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = '%s';" % (COUNTY, COUNTY)


class Session:
    """A session of one's own in the county's database, with a transaction under way."""

    def __init__(self, county, *statements):
        self.run = subprocess.Popen(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", county.server.data + "/pg/s", "-U", "jingguan", "-d", "jingguan", "-f", "-"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("%s BEGIN; %s; SELECT 'there';" % (SCOPE, "; ".join(statements)))
        while "there" not in self.run.stdout.readline():
            if self.run.poll() is not None:
                raise SystemExit("psql ended")

    def say(self, sql):
        self.run.stdin.write(sql + "\n")
        self.run.stdin.flush()

    def commit(self):
        self.say("COMMIT;")
        self.run.stdin.close()
        self.run.wait(timeout=30)


def answer(act):
    """"" or the name of the refusal."""
    try:
        return act() or ""
    except w.WireError as error:
        return error.name


class Beside:
    """An act that has to wait for a session; `waits` once the database says that somebody does."""

    def __init__(self, county, act):
        self.found = None
        self.thread = threading.Thread(target=self.go, args=(act,))
        self.thread.start()
        self.waits = False
        while self.thread.is_alive() and not self.waits:
            self.waits = county.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
            time.sleep(0.02)

    def go(self, act):
        self.found = answer(act)

    def end(self):
        self.thread.join(timeout=60)
        return self.found


class Year:
    def __init__(self, county):
        self.county = county

    def prepare(self):
        self.edu = self.county.registers()
        self.p, self.j = self.county.schools()
        self.pupils = self.push(self.p, "Student", *[student(n) for n in range(1, 6)])

    def change(self, device, kind, message, id=None, group=None):
        """Pushes one record; the refusal's name or ""."""
        k = w.KIND_BY_NAME[kind]
        with device.open() as wire:
            if group:
                for stream in device.streams:
                    device.pull(wire, stream)
                stands = next(s.records[id] for s in device.streams.values() if id in s.records)
                n = device.queue_op(k.number, id, message, seen=[(group, stands[2][group - 1])], groups={group})
            else:
                n = device.queue_op(k.number, id or w.uuid7(), message)
            device.push(wire)
        result = device.results[n]
        return "" if result.outcome in (pb.APPLIED, pb.MERGED) else "%s %s" % (pb.Outcome.Name(result.outcome), {40: "PHASE"}.get(result.code, result.message))

    def push(self, device, kind, *messages):
        ids = [w.uuid7() for _ in messages]
        for id, message in zip(ids, messages):
            found = self.change(device, kind, message, id)
            if found:
                raise SystemExit("%s: %s" % (kind, found))
        return ids

    def call(self, method, /, **fields):
        with (self.p if method in self.OF_SCHOOLS else self.edu).open() as wire:
            return wire.call("Transition." + method, **fields)

    def phase(self, to):
        self.call("Phase", year=YEAR, to=to, force=True, reason="演练")

    # ---- the list ----

    OF_SCHOOLS = ("FilingGaps",)

    def requests(self, year):
        """Every method of the service with what asks it of this year."""
        slip = "JB%d-0001" % year
        pupil = w_id(self.pupils[1])
        return {"Open": dict(year=year, dry_run=True), "Phase": dict(year=year), "Progress": dict(year=year), "Reconcile": dict(year=year),
                "Mismatches": dict(year=year), "IssueSlips": dict(year=year), "ListSlips": dict(year=year), "ReviewSlip": dict(slip=slip, accept=True),
                "ListProofs": dict(year=year), "ListPairs": dict(year=year), "DecideProof": dict(year=year, pupil=pupil, accept=True),
                "DecidePair": dict(year=year, pupil=pupil, row=w_id(self.rows[1]), same=True), "Summary": dict(year=year),
                "AmendBaseline": dict(year=year, add=True, pupil=pupil, reason="核对"), "Cancel": dict(year=year, reason="演练"),
                "ShowSlip": dict(name=slip), "ShowProof": dict(year=year, name=pupil), "Diff": dict(year=year), "FilingGaps": dict(year=year)}

    def walk(self, state, year, wanted):
        asked = self.requests(year)
        cases.equal("%s: every method is asked" % state, sorted("Transition." + name for name in asked), sorted(name for name in w.METHODS if name.startswith("Transition.")))
        for name, fields in asked.items():
            found = answer(lambda: self.call(name, **fields) and "")
            cases.equal("%s: Transition.%s" % (state, name), found, wanted.get(name, wanted[""]))

    LOOKS = dict.fromkeys(("Open", "Phase", "Progress", "Mismatches", "ListSlips", "ListProofs", "ListPairs", "Summary", "ShowSlip", "ShowProof", "Diff", "FilingGaps"), "")

    def states(self):
        self.rows = [w.uuid7() for _ in range(5)]
        nothing = {"Open": "", "": "NOT_FOUND"}
        self.walk("not open", YEAR, nothing)
        self.call("Open", year=BACK)
        self.call("Cancel", year=BACK, reason="名册未齐")
        self.walk("taken back", BACK, nothing)
        self.call("Open", year=YEAR)
        self.rows = self.push(self.p, "Destination", destination(1), destination(2, "B2", place="江苏省南京市玄武区"), destination(3), destination(4))
        far = self.change(self.p, "Destination", destination(5, year=YEAR + 50))
        cases.check("a year that nobody can open is none", "没有 %d 年" % (YEAR + 50) in far, far)
        self.races_before()
        self.phase("verify")
        self.roster = self.push(self.j, "Enrolment", enrolment(1))
        self.push(self.j, "VerifyAnswer", pb.VerifyAnswer(year=YEAR, destination=self.rows[2], answer="unknown"))
        self.call("Reconcile", year=YEAR)
        # Nothing is left out: what is not refused is done, what cannot be done now says so.
        self.walk("open", YEAR, {"": "", "Cancel": "NOT_NOW", "ReviewSlip": "NOT_NOW", "AmendBaseline": "EXISTS"})
        self.races_in_verify()
        self.phase("closed")
        self.walk("closed", YEAR, {**self.LOOKS, "": "PHASE"})

    # ---- at the same moment ----

    def race(self, name, act, moved="phase = 'closed'"):
        """The phase is being moved, or the year taken back, when the act comes: it waits, and is refused."""
        before = self.county.psql("SELECT phase FROM cycle WHERE year = %d AND NOT deleted" % YEAR)
        session = Session(self.county, "SELECT phase_lock(%d, true)" % YEAR, "UPDATE cycle SET %s WHERE year = %d AND NOT deleted" % (moved, YEAR))
        beside = Beside(self.county, act)
        session.commit()
        found = beside.end()
        cases.check("%s waits for the phase that is being moved, and is refused" % name, beside.waits and found in ("PHASE", "REJECTED PHASE"), (beside.waits, found))
        self.county.psql("UPDATE cycle SET phase = '%s', deleted = false WHERE year = %d" % (before, YEAR))

    def moved(self, name, *statements):
        """An act is under way: who moves the phase waits for it."""
        session = Session(self.county, *statements)
        beside = Beside(self.county, lambda: self.call("Phase", year=YEAR, to="closed", force=True, reason="演练") and "")
        session.commit()
        cases.equal("moving the phase waits for %s" % name, (beside.waits, beside.end()), (True, ""))
        self.county.psql("UPDATE cycle SET phase = 'verify' WHERE year = %d AND NOT deleted" % YEAR)

    def races_before(self):
        filing = lambda stage: lambda: self.change(self.p, "Filing", pb.Filing(year=YEAR, stage=stage, incomplete=True, reason="演练"))
        self.race("a filing in June", filing("T1"))
        self.push(self.p, "Filing", pb.Filing(year=YEAR, stage="T1", incomplete=True, reason="演练"))
        for phase in ("assist", "confirm"):
            self.phase(phase)
        self.race("a filing in September", filing("T2"))
        self.race("a destination", lambda: self.change(self.p, "Destination", destination(5)))

    def addressee_of_slip(self):
        """The primary's part of a slip that was issued, and its answer."""
        kind = w.KIND_BY_NAME["SlipAddressee"]
        with self.p.open() as wire:
            for stream in self.p.streams:
                self.p.pull(wire, stream)
        id, body = next((id, r[4]) for s in self.p.streams.values() for id, r in s.records.items() if r[0] == kind.number and r[3] == P)
        answered = kind.message.FromString(body)
        answered.answered_at, answered.answered_by, answered.outcome = time.time_ns() // 1000, self.p.user, "persuading"
        return id, answered

    def races_in_verify(self):
        pupil, row = w_id(self.pupils[1]), w_id(self.roster[0])
        addressee, answered = self.addressee_of_slip()
        self.race("a verification", lambda: self.change(self.j, "VerifyAnswer", pb.VerifyAnswer(year=YEAR, destination=self.rows[3], answer="present")))
        self.race("a filing of what was verified", lambda: self.change(self.j, "Filing", pb.Filing(year=YEAR, stage="V", incomplete=True, reason="演练")))
        self.race("an answer to a slip", lambda: self.change(self.p, "SlipAddressee", answered, addressee, 3), "deleted = true")
        self.race("a row of a roster", lambda: self.change(self.j, "Enrolment", enrolment(2)))
        for name, fields in (("Reconcile", dict(year=YEAR)), ("IssueSlips", dict(year=YEAR)), ("DecideProof", dict(year=YEAR, pupil=pupil, accept=False, reason="x")),
                             ("DecidePair", dict(year=YEAR, pupil=pupil, row=row, same=False)), ("AmendBaseline", dict(year=YEAR, add=False, pupil=pupil, reason="x")),
                             ("ReviewSlip", dict(slip="JB%d-0001" % YEAR, accept=False, reason="x"))):
            self.race("Transition." + name, lambda: self.call(name, **fields) and "")
        self.moved("a push", "SELECT transition_hold()")
        self.moved("an act of the bureau", "SELECT FROM cycle WHERE year = %d AND NOT deleted FOR SHARE" % YEAR)


def w_id(id):
    text = id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def main():
    with WireCounty() as county:
        year = Year(county)
        year.prepare()
        year.states()
    cases.close()


main()
