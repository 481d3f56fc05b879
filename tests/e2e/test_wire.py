#!/usr/bin/python3
"""Every method once, and everything that a peer may do wrong, through a client that knows only the wire contract."""
import datetime
import glob
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import threading
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from OpenSSL import SSL

import wire_client as w
from harness import COUNTY, Cases, PASSWORD
from wire_county import J, P, YEAR, WireCounty, destination, enrolment, id_no, student

pb, METHODS = w.pb, w.METHODS
cases = Cases()


def refused(act, *names):
    """The name of the error or of the GOAWAY, or how the connection ended."""
    try:
        act()
    except w.WireError as error:
        return error.name
    except w.Closed as closed:
        return closed.name or "closed"
    except TimeoutError:
        return "silence"
    return "answered"


def is_refused(name, act, *wanted):
    found = refused(act)
    return cases.check(name, found in wanted, "found %s, wanted %s" % (found, " or ".join(wanted)))


# ---- every method once ----

class Year:
    """From an empty county to a reviewed slip: the whole method table by the people who may call it."""

    def __init__(self, county):
        self.county = county

    def run(self):
        self.registers()
        self.students()
        self.open_year()
        self.declare()
        self.verify()
        self.judge()
        self.slip()
        self.look()

    def registers(self):
        self.edu = self.county.registers()
        self.p, self.j = self.county.schools()
        self.head = self.county.person("head", "HEAD", P)
        with self.edu.open() as wire:
            area = wire.call("County.ListCatchments").catchment[0]
            cases.equal("County.ListCatchments", (area.school, area.stage, area.area), (J, "junior", "329999100"))
            change = lambda to, dry: wire.call("County.ChangeCatchments", dry_run=dry, change=[pb.CatchmentChange(id=area.id, record=w.canonical(pb.Catchment(school=J, stage="junior", area=to)))])
            cases.equal("County.ChangeCatchments: dry, there and back", [change("3299991", True).updated, change("3299991", False).updated, change("329999100", False).updated], [1, 1, 1])
            is_refused("County.ChangeCatchments of none", lambda: wire.call("County.ChangeCatchments", change=[pb.CatchmentChange(id=bytes(16))]), "NOT_FOUND")
            cases.equal("County.ListSchools names both schools", sorted(s.code for s in wire.call("County.ListSchools").school), [P, J])

    def push(self, device, kind, *messages):
        """Pushes new records of one kind; all must be applied. Returns their ids."""
        ids = [w.uuid7() for _ in messages]
        with device.open() as wire:
            first = device.made + 1
            for id, message in zip(ids, messages):
                device.queue_op(w.KIND_BY_NAME[kind].number, id, message)
            control = device.push(wire)
        outcomes = [pb.Outcome.Name(device.results[n].outcome) + device.results[n].message for n in range(first, device.made + 1) if n in device.results]
        cases.check("push %d %s" % (len(ids), kind), control is None and outcomes == ["APPLIED"] * len(ids), "%s %s" % (outcomes, control))
        return ids

    def pull_all(self, device):
        with device.open() as wire:
            for id in device.streams:
                device.pull(wire, id)

    def found(self, device, kind):
        """{id: (message, gver)} of a kind in the device's copy."""
        k = w.KIND_BY_NAME[kind]
        return {id: (k.message.FromString(r[4]), r[2], r[1]) for s in device.streams.values() for id, r in s.records.items() if r[0] == k.number}

    def students(self):
        self.pupils = self.push(self.p, "Student", *[student(n) for n in range(1, 6)])

    def open_year(self):
        with self.edu.open() as wire:
            shown = wire.call("Transition.Open", year=YEAR, dry_run=True)
            cases.equal("Transition.Open shows first what it would freeze", (shown.baseline, [(s.code, s.count) for s in shown.school]), (5, [(P, 5)]))
            cases.equal("and freezes nothing then", self.county.psql("SELECT count(*) FROM baseline"), "0")
            wire.call("Transition.Open", year=YEAR)
            cases.equal("Transition.Cancel takes it back", wire.call("Transition.Cancel", year=YEAR, reason="名册未齐").changed, 5)
            cases.equal("Transition.Open freezes the baseline", wire.call("Transition.Open", year=YEAR).baseline, 5)
            n = wire.call("Transition.AmendBaseline", year=YEAR, add=False, pupil=str_id(self.pupils[4]), reason="转出").changed
            n += wire.call("Transition.AmendBaseline", year=YEAR, add=True, pupil=str_id(self.pupils[4]), reason="转回").changed
            cases.equal("Transition.AmendBaseline", n, 2)

    def declare(self):
        self.rows = self.push(self.p, "Destination", destination(1), destination(2, "B2", place="江苏省南京市玄武区"), destination(3), destination(4))
        self.push(self.p, "Filing", pb.Filing(year=YEAR, stage="T1", incomplete=True, reason="一人未联系上"))
        with self.p.open() as wire:
            cases.equal("Transition.FilingGaps: who of the school's own is in the way", [(g.student.cert_no, list(g.gap), g.roster) for g in wire.call("Transition.FilingGaps", year=YEAR).row], [(id_no(5), ["category"], "")])
        data = os.urandom(300000)
        with self.p.open() as wire:
            self.sha = self.p.put_blob(wire, data)
        self.push(self.p, "Evidence", pb.Evidence(target=self.rows[1], sha=self.sha, size=len(data), name="学籍证明.pdf"))
        with self.edu.open() as wire:
            cases.check("Sync.GetBlob gives the file back", self.edu.get_blob(wire, self.sha) == data)
            for phase in ("assist", "confirm"):
                cases.equal("Transition.Phase %s" % phase, wire.call("Transition.Phase", year=YEAR, to=phase, force=True, reason="演练").phase, phase)
        self.change(self.p, self.rows[0], 3, registration_no="BM001")
        self.push(self.p, "Filing", pb.Filing(year=YEAR, stage="T2", incomplete=True, reason="一人未联系上"))

    def change(self, device, id, group, kind="Destination", **fields):
        """One group of a record, on top of what the device pulled."""
        self.pull_all(device)
        k = w.KIND_BY_NAME[kind]
        message, gver, ver = self.found(device, kind)[id]
        for name, value in fields.items():
            setattr(message, name, value)
        with device.open() as wire:
            n = device.queue_op(k.number, id, message, seen=[(group, gver[group - 1])], groups={group})
            device.push(wire)
        return cases.equal("push group %d of %s" % (group, kind), (pb.Outcome.Name(device.results[n].outcome), device.results[n].message), ("APPLIED", ""))

    def verify(self):
        with self.edu.open() as wire:
            wire.call("Transition.Phase", year=YEAR, to="verify", force=True, reason="演练")
        self.pull_all(self.j)
        seen = self.found(self.j, "Destination")
        cases.equal("the other school sees its declared pupils by projection", (sorted(m.cert_no for m, _, _ in seen.values()), {m.guardian_phone for m, _, _ in seen.values()}),
                    (sorted(id_no(n) for n in (1, 3, 4)), {""}))
        wrong = enrolment(4)
        wrong.cert_no = id_no(44)
        self.roster = self.push(self.j, "Enrolment", enrolment(1), wrong)
        with self.p.open() as wire:
            n = self.p.queue_op(w.KIND_BY_NAME["Enrolment"].number, w.uuid7(), enrolment(1))
            self.p.push(wire)
        cases.equal("a primary school has no roster of a seventh grade", (pb.Outcome.Name(self.p.results[n].outcome), "没有初中部" in self.p.results[n].message), ("REJECTED", True))
        self.push(self.j, "VerifyAnswer", pb.VerifyAnswer(year=YEAR, destination=self.rows[2], answer="unknown", note="查无此人"))
        self.push(self.j, "Filing", pb.Filing(year=YEAR, stage="V", incomplete=True, reason="一人待查"))

    def judge(self):
        with self.edu.open() as wire:
            run = wire.call("Transition.Reconcile", year=YEAR, as_of=YEAR * 10000 + 912)
            cases.equal("Transition.Reconcile: the law holds", run.baseline, run.confirmed + run.provisional + run.exempt + run.mismatched)
            proofs = wire.call("Transition.ListProofs", year=YEAR).proof
            cases.equal("Transition.ListProofs", [p.id for p in proofs], [str_id(self.pupils[1])])
            case = wire.call("Transition.ShowProof", year=YEAR, name=id_no(2))
            cases.equal("Transition.ShowProof: what is declared, by whom, and which files the caller has read",
                        (case.declared.category, case.declared.school, [(f.sha, f.name, f.school, f.complete, f.read) for f in case.file]), ("B2", P, [(self.sha, "学籍证明.pdf", P, True, True)]))
            is_refused("Transition.ShowProof of nobody", lambda: wire.call("Transition.ShowProof", year=YEAR, name="x"), "NOT_FOUND")
            cases.equal("Transition.DecideProof", wire.call("Transition.DecideProof", year=YEAR, pupil=str_id(self.pupils[1]), accept=True).changed, 1)
            pair = wire.call("Transition.DecidePair", year=YEAR, pupil=str_id(self.pupils[3]), row=str_id(self.roster[1]), same=True, reason="抄错")
            cases.equal("Transition.DecidePair", pair.changed, 1)
            cases.equal("Transition.ListPairs", [(p.student.id, p.row.id, p.same, p.reason) for p in wire.call("Transition.ListPairs", year=YEAR).pair],
                        [(str_id(self.pupils[3]), str_id(self.roster[1]), True, "抄错")])
            wire.call("Transition.Reconcile", year=YEAR, as_of=YEAR * 10000 + 912)
            codes = {m.student.cert_no: list(m.code) for m in wire.call("Transition.Mismatches", year=YEAR).mismatch}
            cases.equal("Transition.Mismatches", (codes.get(id_no(3)), codes.get(id_no(5))), (["M13"], ["M01"]))

    def slip(self):
        with self.edu.open() as wire:
            cases.check("Transition.IssueSlips", wire.call("Transition.IssueSlips", year=YEAR).changed >= 2)
            slips = wire.call("Transition.ListSlips", year=YEAR).slip
            self.one = next(s for s in slips if s.student.cert_no == id_no(3))
            cases.equal("Transition.ListSlips: two addressees", sorted(a.school for a in self.one.addressee), [P, J])
            is_refused("a slip that nobody answered is not reviewed", lambda: wire.call("Transition.ReviewSlip", slip=self.one.no, accept=True), "NOT_NOW")
        for device, school in ((self.p, P), (self.j, J)):
            self.pull_all(device)
            slip = bytes.fromhex(self.one.slip.replace("-", ""))
            addressee = next(id for id, (m, _, _) in self.found(device, "SlipAddressee").items() if m.slip == slip and m.school == school)
            self.change(device, addressee, 2, "SlipAddressee", received_at=time.time_ns() // 1000, received_by=device.user)
            self.change(device, addressee, 3, "SlipAddressee", answered_at=time.time_ns() // 1000, answered_by=device.user, outcome="persuading", note="家访")
        with self.edu.open() as wire:
            case = wire.call("Transition.ShowSlip", name=self.one.no)
            cases.equal("Transition.ShowSlip: both answers", [(h.school, h.outcome, h.note, h.answered_by != "") for h in case.slip.addressee], [(P, "persuading", "家访", True), (J, "persuading", "家访", True)])
            is_refused("Transition.ShowSlip of none", lambda: wire.call("Transition.ShowSlip", name="JB0000-1"), "NOT_FOUND")
            cases.equal("Transition.ReviewSlip", wire.call("Transition.ReviewSlip", slip=self.one.no, accept=False, reason="材料不清").changed, 1)

    def look(self):
        with self.edu.open() as wire:
            cases.equal("Transition.Progress", [r.code for r in wire.call("Transition.Progress", year=YEAR).row], [P, J])
            total = wire.call("Transition.Summary", year=YEAR).total
            cases.equal("Transition.Summary: residual 0 of 5", (total.baseline, total.residual), (5, 0))
            diff = wire.call("Transition.Diff", year=YEAR).row
            cases.equal("Transition.Diff shows the changed field", [(d.field, d.after) for d in diff], [("registration_no", "BM001")])
        with self.county.people["sysadmin"].open() as wire:
            cases.check("Server.Status", wire.call("Server.Status").version != "")
            cases.check("Server.Clock", wire.call("Server.Clock", advance_s=60).now > time.time_ns() // 1000)
            cases.check("Identity.ListUsers", len(wire.call("Identity.ListUsers").user) >= 7)
            cases.check("Identity.ListDevices", len(wire.call("Identity.ListDevices").device) >= 7)
        with self.county.people["auditor"].open() as wire:
            reply = wire.call("Audit.Verify")
            cases.check("Audit.Verify: the trace is whole", reply.ok and reply.entries > 10, str(reply))
            cases.check("Audit.Search finds the pulls", len(wire.call("Audit.Search", what="Sync.Pull").row) > 0)


def str_id(id):
    h = id.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def watch(county, year):
    """EVENT names the stream that has something new, the PULL that follows carries it."""
    with year.j.open() as listener:
        listener.call("Sync.Watch")
        year.push(year.p, "Destination", destination(6))
        before, until = len(year.found(year.j, "Destination")), time.monotonic() + 5
        while len(year.found(year.j, "Destination")) == before and time.monotonic() < until:
            event = listener.wait_event(2)
            if event:
                year.j.pull(listener, event.stream)
        cases.equal("EVENT after another school's push, and the pull carries it", len(year.found(year.j, "Destination")), before + 1)
        with year.j.open() as quiet:
            for id in year.j.streams:
                year.j.pull(quiet, id)
            quiet.call("Sync.Watch")
            cases.check("nothing new, no EVENT", quiet.wait_event(2.5) is None)
        cases.equal("PING comes back as PONG", listener.ping(b"x" * 64), b"x" * 64)


def identity(county):
    """Reset, disable, unlock, lock-out, log-out and what they do to sessions."""
    county.person("office", "OFFICE")
    office, sysadmin, secadmin = (county.people[n] for n in ("office", "sysadmin", "secadmin"))
    with office.connect() as wire:
        for _ in range(5):
            is_refused("wrong password", lambda: wire.call("Session.Login", user=office.user, password="Wrong-2026xx"), "BAD_LOGIN")
        is_refused("the fifth locks", lambda: wire.call("Session.Login", user=office.user, password=PASSWORD), "LOCKED")
    with sysadmin.open() as wire:
        made = wire.call("Identity.AddUser", school=P, role=[pb.HEAD], name="甲校长", login="jia", password="Kept-by-me-2026")
        cases.equal("Identity.AddUser with a password of the caller's own does not repeat it", (made.user, made.password), ("jia", ""))
        is_refused("a weak one is refused", lambda: wire.call("Identity.AddUser", school=P, role=[pb.HEAD], name="乙", login="yi", password="short"), "INVALID")
        is_refused("and any for the bureau", lambda: wire.call("Identity.AddUser", role=[pb.OFFICE], name="丙", login="bing", password="Kept-by-me-2026"), "INVALID")
    with secadmin.open() as wire:
        wire.call("Identity.UnlockUser", user=office.user)
    with office.connect() as wire:
        office.login(wire, office.user, PASSWORD)
        wire.call("Session.Logout")
        is_refused("nothing after log-out", lambda: wire.call("Sync.Watch"), "UNAUTHENTICATED")
    with office.connect() as wire:
        is_refused("no RESUME after log-out", lambda: office.resume(wire), "UNAUTHENTICATED")
    with sysadmin.open() as wire:
        asked = wire.call("Identity.ResetUser", user=office.user)
        cases.check("a reset at the bureau waits, and tells no password", asked.waiting and not asked.password)
        is_refused("who asked for it does not grant it", lambda: grant(wire, office.user), "SAME_PERSON")
        is_refused("nor anybody what nobody asked for", lambda: grant(wire, "auditor"), "NOT_FOUND")
    with secadmin.open() as wire:
        secret = grant(wire, office.user)
    with office.connect() as wire:
        cases.check("a reset password must be changed", office.login(wire, office.user, secret.password).must_change)
        is_refused("and nothing else works before", lambda: wire.call("Transition.Progress", year=YEAR), "MUST_CHANGE")
        is_refused("a weak password is refused", lambda: wire.call("Session.Passwd", password=secret.password, new_password="short"), "WEAK_PASSWORD")
        wire.call("Session.Passwd", password=secret.password, new_password="Other-2026xx")
        with sysadmin.open() as other:
            cases.check("a name is changed by two as well", other.call("Identity.SetUser", user=office.user, name="王主任").waiting)
            with secadmin.open() as second:
                second.call("Identity.GrantUser", user=office.user, refuse=True)
                is_refused("what was refused waits no more", lambda: grant(second, office.user), "NOT_FOUND")
            other.call("Identity.DisableUser", user=office.user)
            is_refused("a disabled account is not reset", lambda: other.call("Identity.ResetUser", user=office.user), "NOT_NOW")
            is_refused("nobody disables himself", lambda: other.call("Identity.DisableUser", user="sysadmin"), "NOT_FOUND", "PERMISSION", "SAME_PERSON")
    with office.connect() as wire:
        is_refused("a disabled person's session is over", lambda: office.resume(wire), "UNAUTHENTICATED")
        is_refused("and he cannot log in", lambda: wire.call("Session.Login", user=office.user, password="Other-2026xx"), "BAD_LOGIN")
    with sysadmin.open() as wire, secadmin.open() as second:
        cases.check("two bring him back", wire.call("Identity.EnableUser", user=office.user).waiting)
        cases.check("and the second one's word does it", not grant(second, office.user).password)
        is_refused("who is not disabled is not brought back", lambda: wire.call("Identity.EnableUser", user=office.user), "EXISTS")
    with office.connect() as wire:
        cases.check("his password is the one he had", not office.login(wire, office.user, "Other-2026xx").must_change)


# ---- what peers do wrong ----

def text_field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def bodies(county, year):
    """Whole frames with bad contents: an ERROR, and the connection lives."""
    n = {name: m.number for name, m in METHODS.items()}
    with county.people["sysadmin"].open() as wire:
        bad = [("unknown method", 0x0999, b"", "UNKNOWN_METHOD"),
               ("bad UTF-8 in a text field", n["Identity.DisableUser"], text_field(1, b"\xff\xfe"), "MALFORMED"),
               ("a surrogate in a text field", n["Identity.DisableUser"], text_field(1, b"\xed\xa0\x80"), "MALFORMED"),
               ("NUL inside a string", n["Identity.DisableUser"], text_field(1, b"sys\0admin"), "MALFORMED"),
               ("enum out of range", n["Identity.AddUser"], text_field(4, b"x") + b"\x10\x63", "INVALID"),
               ("too many items", n["Identity.AddUser"], text_field(4, b"x") + b"\x10\x01" * 5, "TOO_LARGE"),
               ("truncated message", n["Identity.DisableUser"], b"\x0a\x50abc", "MALFORMED"),
               ("wrong wire type", n["Identity.InviteDevice"], b"\x0d\x01\x02\x03\x04", "MALFORMED"),
               ("an id that is none", n["Identity.RevokeDevice"], text_field(1, b"nobody"), "NOT_FOUND"),
               ("enrolling here", n["Enrol.Enrol"], b"", "NOT_NOW"),
               ("a school code of nine digits", n["Identity.InviteDevice"], text_field(1, b"213299900"), "INVALID"),
               ("text that is not NFC", n["Identity.DisableUser"], text_field(1, "e\u0301".encode()), "MALFORMED"),
               ("a character that steers a terminal", n["Identity.DisableUser"], text_field(1, b"a\x1b[2J"), "INVALID"),
               ("one that turns the writing", n["Identity.DisableUser"], text_field(1, "a\u202eb".encode()), "INVALID"),
               ("wrong role", n["Transition.Open"], b"\x08\xeb\x0f", "PERMISSION")]
        for name, number, body, wanted in bad:
            if not is_refused(name, lambda: wire.raw(number, body), wanted):
                return
            cases.check(name + ": the connection lives", wire.alive and wire.ping() == b"hello")
        unknown = pb.UserName(user="nobody").SerializeToString() + b"\xf8\x07\x01"
        is_refused("an unknown field is ignored", lambda: wire.raw(n["Identity.DisableUser"], unknown), "NOT_FOUND")
    row = ""
    for _ in range(30):
        row = county.psql("SELECT method || '|' || result || '|' || user_id FROM access_log WHERE result = 'PERMISSION' AND method = 'Transition.Open'")
        if row:
            break
        time.sleep(0.1)
    cases.equal("the refusal stands in the access log", row.splitlines()[-1:], ["Transition.Open|PERMISSION|sysadmin"])
    for name in sorted(METHODS):
        rule = METHODS[name].rule
        if rule.access == w.OPTIONS.SESSION and rule.role:
            who = next(d for d, role in ((county.people["auditor"], pb.AUDITOR), (year.head, pb.HEAD), (county.people["secadmin"], pb.SECADMIN)) if role not in rule.role)
            with who.open() as wire:
                is_refused("%s by a role that may not" % name, lambda: wire.call(name), "PERMISSION")


def reading(county, year):
    """Who reads children's data is written down before they leave: who, by what, how many rows."""
    device = year.p
    for id, stream in device.streams.items():
        stream.cursor, stream.records = 0, {}
        with device.open() as wire:
            pages = device.pull(wire, id)
        rows = sum(len(page.change) for page in pages)
        cases.equal("a pull says how many rows come, for who waits", {page.total for page in pages}, {rows})
        cases.equal("a pull of %d rows stands in the access log" % rows,
                    county.psql("SELECT user_id || '|' || method || '|' || result || '|' || rows || '|' || purpose FROM access_log WHERE user_id = '%s' ORDER BY id DESC LIMIT 1" % device.user).strip(),
                    "%s|Sync.Pull|OK|%d|read" % (device.user, rows))
        cases.check("of all that there is", rows >= len(stream.records) > 0, rows)


def sealed(county, year):
    """What a revoked computer leaves is opened for its own school alone."""
    ca = year.p.ca.public_key()

    def seal(school, key, public=None):
        once = ec.generate_private_key(ec.SECP256R1())
        point = once.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        box = hashlib.sha256(b"jg sealed key" + point + once.exchange(ec.ECDH(), public or ca)).digest()
        nonce = os.urandom(12)
        return point + nonce + AESGCM(box).encrypt(nonce, key + school.encode().ljust(16, b"\0"), None)

    key = os.urandom(32)
    with year.p.open() as wire:
        cases.check("Enrol.OpenSealed gives the key back to its school", wire.call("Enrol.OpenSealed", sealed=seal(P, key)).key == key)
        is_refused("not another school's", lambda: wire.call("Enrol.OpenSealed", sealed=seal(J, key)), "PERMISSION")
        whole = seal(P, key)
        is_refused("nor what was changed", lambda: wire.call("Enrol.OpenSealed", sealed=whole[:-1] + bytes([whole[-1] ^ 1])), "INVALID")
        is_refused("nor another county's", lambda: wire.call("Enrol.OpenSealed", sealed=seal(P, key, ec.generate_private_key(ec.SECP256R1()).public_key())), "INVALID")
        is_refused("nor a short one", lambda: wire.call("Enrol.OpenSealed", sealed=b"x"), "INVALID")


def ranges(county, year):
    """Every field of a request has its range, and says it."""
    n = {name: m.number for name, m in METHODS.items()}
    with year.edu.open() as wire:
        for name, request in (("a day that is none", pb.ReconcileRequest(year=YEAR, as_of=99999999)), ("a negative day", pb.ReconcileRequest(year=YEAR, as_of=-1)),
                              ("a year that is none", pb.ReconcileRequest(year=99999))):
            is_refused(name, lambda: wire.call("Transition.Reconcile", request), "INVALID")
        try:
            wire.call("Transition.Phase", year=YEAR, to="confirmed")
        except w.WireError as error:
            cases.check("a phase that is none is told with those there are", error.name == "INVALID" and error.field == "to" and "confirm" in error.error.hint, repr(error.error))
        is_refused("a row that is no id", lambda: wire.call("Transition.DecidePair", year=YEAR, pupil="x", row="y", same=True), "INVALID")
    with county.people["auditor"].open() as wire:
        is_refused("a time after all times", lambda: wire.call("Audit.Search", to=1 << 62), "INVALID")
        is_refused("more rows than there are to have", lambda: wire.call("Audit.Search", limit=1 << 31), "INVALID")
        cases.check("all of time", len(wire.call("Audit.Search", **{"from": 1}, to=4102444800000000 - 1).row) > 10)
    with year.p.open() as wire:
        stream = min(year.p.streams)
        is_refused("a cursor of 2^63", lambda: wire.call("Sync.Pull", stream=stream, cursor=1 << 63), "INVALID")
        cases.equal("a cursor above the head begins again", wire.call("Sync.Pull", stream=stream, cursor=1 << 40).control, 52)
        data = [os.urandom(9 << 20), os.urandom(2 << 20)]
        sha = hashlib.sha256(data[1]).digest()
        is_refused("bytes that do not have their hash", lambda: [wire.call("Sync.PutChunk", sha=sha, size=len(data[0]), n=n, data=data[0][n * w.CHUNK:(n + 1) * w.CHUNK])
            for n in range(36)], "FILE_DAMAGED")
        cases.equal("leave nothing in the way of those that do", wire.call("Sync.StatBlob", sha=sha, size=len(data[0])).have, 0)
        cases.equal("a size said wrongly is not for ever", [wire.call("Sync.PutChunk", sha=sha, size=size, n=0, data=data[1][:w.CHUNK]).have for size in (9 << 20, 2 << 20)]
            + [wire.call("Sync.StatBlob", sha=sha, size=size).have for size in (9 << 20, 2 << 20)], [1, 1, 0, 1])
        cases.equal("the file is put", year.p.put_blob(wire, data[1]), sha)
        wire.call("Sync.PutChunk", sha=sha, size=9 << 20, n=0, data=b"x")
        cases.check("and one that is complete stays", wire.call("Sync.StatBlob", sha=sha, size=1).complete)
        data = [os.urandom(7 << 20), os.urandom(2 << 20)]
        year.p.put_blob(wire, data[0])
        is_refused("files that no record names have their limit", lambda: year.p.put_blob(wire, data[1]), "TOO_LARGE")


def frames(county, year):
    """Broken frames: GOAWAY with the reason, then the end."""
    header = w.HEADER
    start = {"before HELLO": lambda: year.p.connect(greet=False), "before log-in": lambda: year.p.connect(), "logged in": lambda: year.p.open()}
    cap = {"before HELLO": 65536, "before log-in": 65536, "logged in": 1 << 20}
    for when, connect in start.items():
        broken = [("unknown type", header.pack(0, 10, 0, 0, 0, 0)), ("type 0", header.pack(0, 0, 0, 0, 0, 0)), ("unknown flag", header.pack(0, w.CALL, 2, 0x0306, 101, 0)),
                  ("MORE on a call", header.pack(0, w.CALL, w.MORE, 0x0306, 101, 0)), ("MORE on a PING", header.pack(0, w.PING, w.MORE, 0, 0, 0)),
                  ("a server's frame", header.pack(0, w.WELCOME, 0, 0, 0, 0)), ("even call id", header.pack(0, w.CALL, 0, 0x0306, 102, 0))]
        for name, data in broken:
            with connect() as wire:
                wire.send_bytes(data)
                is_refused("%s, %s" % (name, when), lambda: wire.step(), "PROTOCOL")
        for name, length, method in (("oversized frame", cap[when] + 1, 0x0999), ("longest length", 0xffffffff, 0x0301), ("over request_max", 65, 0x0306)):
            with connect() as wire:
                wire.send_bytes(header.pack(length, w.CALL, 0, method, 103, 0))
                is_refused("%s, %s" % (name, when), lambda: wire.step(), "TOO_LARGE")
        with connect() as wire:
            wire.send_bytes(header.pack(65, w.PING, 0, 0, 0, 0))
            is_refused("a PING of 65 bytes, %s" % when, lambda: wire.step(), "TOO_LARGE")
    with year.p.connect(greet=False) as wire:
        is_refused("call before HELLO", lambda: wire.raw(0x0101, b""), "NOT_NOW")
    with year.p.connect() as wire:
        is_refused("call before log-in", lambda: wire.call("Sync.Pull", stream=int(P)), "UNAUTHENTICATED")
        is_refused("second HELLO", lambda: wire.hello(), "PROTOCOL")
    for name, fields in (("steers a terminal", dict(client="\x1b[2J")), ("counts beyond 2^63", dict(made=1 << 63))):
        with year.p.connect(greet=False) as wire:
            wire.send(w.HELLO, pb.Hello(version_min=1, version_max=1, **fields).SerializeToString())
            is_refused("a HELLO that " + name, lambda: wire.step(), "MALFORMED")
    with year.p.connect(greet=False) as wire:
        wire.send_bytes(header.pack(4097, w.HELLO, 0, 0, 0, 0))
        is_refused("a HELLO of 4097 bytes", lambda: wire.step(), "TOO_LARGE")
    with year.p.connect(greet=False) as wire:
        is_refused("a HELLO of another version", lambda: wire.hello(version_min=2, version_max=9), "UPGRADE")
    with year.p.open() as wire:
        wire.call("Sync.Watch")
        wire.start(0x0306, b"", call=1)
        is_refused("a call id that went back", lambda: wire.step(), "PROTOCOL")


def access(county, year):
    """Other people's records, streams and files."""
    with year.p.open() as wire:
        is_refused("another school's stream", lambda: wire.call("Sync.Pull", stream=int(J)), "PERMISSION")
        is_refused("a stream that is none", lambda: wire.call("Sync.Pull", stream=7), "PERMISSION")
        year.p.queue_op(8, year.roster[0], enrolment(1, present=False), seen=[(1, 1), (2, 1)])
        year.p.queue_op(8, year.roster[0], None, seen=[(1, 1), (2, 1)])
        year.p.push(wire)
        results = [year.p.results[n] for n in (year.p.made - 1, year.p.made)]
        cases.check("another school's record is neither changed nor deleted", all(r.outcome in (pb.REJECTED, pb.BLOCKED) and not r.current for r in results), str(results))
        cases.equal("its content stands", county.psql("SELECT present FROM enrolment WHERE rec_id = '%s'" % str_id(year.roster[0])), "t")
        is_refused("another school's op author", lambda: other_author(year, wire), "REJECTED")
    with year.j.open() as wire:
        state = wire.call("Sync.StatBlob", sha=year.sha, size=300000)
        cases.check("another school's file does not exist here", not state.complete and state.have == 0)
        is_refused("and is not handed out", lambda: year.j.get_blob(wire, year.sha), "NOT_FOUND")


def other_author(year, wire):
    n = year.p.queue_op(5, w.uuid7(), student(60), author=year.j.user)
    year.p.push(wire)
    raise w.WireError(pb.Error(name=pb.Outcome.Name(year.p.results[n].outcome)))


def contents(county, year):
    """Operations that decode and must not be applied: each is answered REJECTED by name, the others around it stand."""
    device = year.p
    bad = [("bad UTF-8 in a record", text_field(1, b"\xff")), ("NUL inside a record", text_field(1, b"a\0b")), ("wrong wire type in a record", b"\x08\x01"),
           ("a truncated record", b"\x0a\x20abc"), ("a record without its required fields", text_field(7, "01".encode()))]
    with device.open() as wire:
        for name, body in bad:
            n = device.queue_op(5, w.uuid7(), student(61), body=body)
            device.push(wire)
            cases.check(name, device.results[n].outcome == pb.REJECTED, str(device.results[n]))
        for character in "\ufffe\u009b\u202e\x1b\n":
            n = device.queue_op(5, w.uuid7(), student(61, name="测" + character))
            device.push(wire)
            cases.equal("U+%04X in a name" % ord(character), (device.results[n].outcome, device.results[n].code, device.results[n].field), (pb.REJECTED, 21, "name"))
        for name, fields in (("an unknown kind", dict(kind=99)), ("an id of 15 bytes", dict(id=b"x" * 15)), ("version 2", dict(version=2)), ("LEAVE by a client", dict(action=pb.LEAVE)),
                             ("a record of the county's", dict(kind=1)), ("a group that does not exist", dict()), ):
            n = device.queue_op(5, w.uuid7(), student(62), seen=[(9, 1)] if "group" in name else (), **fields)
            device.push(wire)
            cases.check("REJECTED: " + name, device.results[n].outcome == pb.REJECTED, str(device.results[n]))
        n = device.queue_op(5, w.uuid7(), student(61, grade="99"))
        device.push(wire)
        cases.equal("a code that is none is refused with those that there are", (device.results[n].field, all(c in device.results[n].hint for c in ("11", "16", "23", "33"))), ("grade", True))
        n = device.queue_op(5, w.uuid7(), student(61, name="e\u0301"))
        device.push(wire)
        cases.equal("text that is not NFC in a record", (device.results[n].code, device.results[n].field), (21, "name"))
        twice = device.queue_op(5, w.uuid7(), student(1))
        device.push(wire)
        cases.check("a second pupil with the same number names the first", device.results[twice].duplicate_of == year.pupils[0], str(device.results[twice]))
        request = pb.PushRequest(incarnation=device.incarnation, op=[b"x"] * 501)
        is_refused("501 operations", lambda: wire.call("Sync.Push", request), "TOO_LARGE")
        cases.check("garbage as an operation is answered, not applied", garbage(device, wire))


def garbage(device, wire):
    device.made += 1
    device.queue[device.made] = b"\xff\xff\xff\xff"
    reply = wire.call("Sync.Push", device.push_request())
    taken = len(reply.result) == 1 and reply.result[0].outcome == pb.REJECTED
    if not taken: # the number is used again
        del device.queue[device.made]
        device.made -= 1
    else:
        device.take_push(reply)
    return taken or reply.control != 0


def left(county, year):
    """What waits on a computer is what it made less what is answered: told at HELLO, counted down by every push, right for a replay too."""
    device = year.p

    def pending():
        with county.people["sysadmin"].open() as wire:
            return {d.school: d.pending for d in wire.call("Identity.ListDevices").device if d.last_op == device.last_op}[P]

    for n in range(70, 73):
        device.queue_op(5, w.uuid7(), student(n))
    with device.open() as wire:
        seen = [pending()]
        first = device.push_request(limit=1)
        device.take_push(wire.call("Sync.Push", first))
        seen.append(pending())
        wire.call("Sync.Push", first)
        seen.append(pending())
        device.push(wire)
        seen.append(pending())
    cases.equal("what waits is counted after the push", seen, [3, 2, 2, 0])


def replays(county, year):
    """The same bytes for ever the same answer; a gap, a fork and a roll-back are seen at once."""
    device = year.p
    with device.open() as wire:
        before = json.dumps(counts(county))
        device.queue_op(5, w.uuid7(), student(20))
        device.queue_op(5, w.uuid7(), student(1))
        request = device.push_request()
        first = wire.call("Sync.Push", request)
        again = wire.call("Sync.Push", request)
        cases.equal("the same push gets the same answer", again.SerializeToString(), first.SerializeToString())
        device.take_push(first)
        cases.equal("chain as computed here", first.last_hash, device.last_hash)
    with device.open() as wire:
        cases.equal("and again on another connection", wire.call("Sync.Push", request).SerializeToString(), first.SerializeToString())
        cases.check("one record, not three", counts(county)[0] == json.loads(before)[0] + 1)
        device.queue_op(5, w.uuid7(), student(21))
        device.queue_op(5, w.uuid7(), student(22))
        gap = pb.PushRequest(incarnation=device.incarnation, op=[device.queue[device.made]])
        reply = wire.call("Sync.Push", gap)
        cases.equal("a gap: EXPECT and what comes next", (reply.control, len(reply.result), reply.last_op), (51, 0, device.last_op))
        device.push(wire)
        # A copy of the device as it was, before it wrote more.
        saved = {n: getattr(device, n) for n in ("incarnation", "last_op", "made", "last_hash")}
        device.queue_op(5, w.uuid7(), student(23))
        device.push(wire)
        other = pb.Op.FromString(device.queue[device.made])
        other.body = w.canonical(student(24))
        forked = wire.call("Sync.Push", pb.PushRequest(incarnation=device.incarnation, op=[other.SerializeToString()]))
        cases.equal("other bytes under an old number: FORKED", (forked.control, len(forked.result)), (50, 0))
        is_new = device.incarnation
    with device.connect() as wire:
        device.resume(wire)
        cases.equal("the device goes on in a new incarnation", (device.incarnation, device.last_op), (is_new + 1, 0))
        cases.equal("with the chain's beginning as computed here", device.last_hash, w.chain_start(device.device_id, device.incarnation))
        n = device.queue_op(5, w.uuid7(), student(24))
        device.push(wire)
        cases.equal("and is heard", device.results[n].outcome, pb.APPLIED)
        device.queue_op(5, w.uuid7(), student(25))
        device.push(wire)
    for name, value in dict(saved, incarnation=device.incarnation, made=1, last_op=1).items():
        setattr(device, name, value)
    before = device.incarnation
    with device.connect() as wire:
        cases.check("a rolled-back device is told at HELLO", wire.welcome.forked and device.incarnation == before + 1)
        device.resume(wire)
        n = device.queue_op(5, w.uuid7(), student(26))
        device.push(wire)
        cases.equal("and works on", device.results[n].outcome, pb.APPLIED)


def keys(year):
    """A number that a record gave up is free for the next operation, whether it was deleted or mended, also round in a circle."""
    device, ids = year.p, [w.uuid7() for _ in range(4)]
    groups = (1, 2, 3)
    with device.open() as wire:
        for n in range(3):
            device.queue_op(5, ids[n], student(40 + n))
        device.push(wire)
        asked = [device.queue_op(5, ids[0], student(50), seen=[(g, 1) for g in groups]),   # mended …
                 device.queue_op(5, ids[3], student(40)),                                  # … and its number taken by a new one
                 device.queue_op(5, ids[2], seen=[(g, 1) for g in groups]),                # deleted …
                 device.queue_op(5, ids[1], student(42), seen=[(g, 1) for g in groups]),   # … and its number taken by an old one
                 device.queue_op(5, ids[0], student(41), seen=[(g, 2) for g in groups])]   # whose own goes to the first
        device.push(wire)
        cases.check("a freed number may be taken", all(device.results[n].outcome in (pb.APPLIED, pb.MERGED) for n in asked), [device.results[n] for n in asked])
        device.queue_op(5, w.uuid7(), student(41))
        refused_one = device.made
        device.push(wire)
        cases.equal("a taken one may not", device.results[refused_one].duplicate_of, ids[0])


def together(county, year):
    """After a restore two computers of a school send again at once: one hangs somebody on a record that is not there yet, the other
    makes that record and deletes it. Whoever comes second learns of the first."""
    maker, child, id = year.p, county.person("p2", "REGISTRAR", P), w.uuid7()
    with maker.open() as makes, child.open() as hangs:
        # Both have read before either can write.
        busy = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-h", county.server.data + "/pg/s", "-U", "jingguan", "-d", "jingguan", "-c",
                                 "SET app.county = '%s'; SET app.scope = 'job'; BEGIN; SELECT 1 FROM stream WHERE stream_id = %s FOR UPDATE" % (COUNTY, P),
                                "-c", "SELECT pg_sleep(1.2)", "-c", "COMMIT"], stdout=subprocess.PIPE)
        busy.stdout.readline() # it holds the stream
        child.queue_op(6, w.uuid7(), pb.Guardian(student=id, ordinal=1, name="监护人", phone="13800000000"))
        first = threading.Thread(target=child.push, args=(hangs,))
        first.start()
        while first.is_alive() and county.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0":
            pass
        made = maker.queue_op(5, id, student(70))
        gone = maker.queue_op(5, id, seen=[(g, None, made) for g in (1, 2, 3)])
        maker.push(makes)
        first.join()
        busy.wait()
    cases.equal("a deletion learns of what was hung on the record meanwhile", (maker.results[gone].outcome, maker.results[gone].code), (pb.REJECTED, 14))
    cases.equal("nobody hangs on a record that is gone", county.psql("SELECT count(*) FROM guardian g JOIN student s ON s.rec_id = g.student WHERE s.deleted AND NOT g.deleted"), "0")


def poison(county, year):
    """An operation that ends the transaction is refused by itself; what came with it is done."""
    device = year.p
    county.psql("ALTER TABLE student ADD CONSTRAINT poison CHECK (1 / CASE WHEN name = '毒' THEN 0 ELSE 1 END = 1)")
    with device.open() as wire:
        asked = [device.queue_op(5, w.uuid7(), student(60 + n, **({"name": "毒"} if n in (3, 8) else {}))) for n in range(10)]
        device.push(wire)
        cases.equal("a value that the database cannot take is refused alone", [n for n, op in enumerate(asked) if device.results[op].outcome != pb.APPLIED], [3, 8])
        cases.equal("with a reason", (device.results[asked[3]].outcome, device.results[asked[3]].code), (pb.REJECTED, 21))
    county.psql("ALTER TABLE student DROP CONSTRAINT poison")


def counts(county):
    return [int(county.psql("SELECT count(*) FROM student")), int(county.psql("SELECT count(*) FROM op_push"))]


def sessions(county, year):
    """A token is worth nothing elsewhere."""
    thief = w.Device(county.address)
    thief.enrol(county.invite(P))
    thief.session, thief.token, thief.user = year.p.session, year.p.token, year.p.user
    with thief.connect() as wire:
        is_refused("a session token on another device", lambda: thief.resume(wire), "UNAUTHENTICATED")
    with year.p.connect() as first:
        proof = w.resume_proof(year.p.token, first.exporter())
        with year.p.connect() as second:
            is_refused("a proof replayed on another connection", lambda: second.call("Session.Resume", session=year.p.session, proof=proof), "UNAUTHENTICATED")
            is_refused("a proof of the wrong length", lambda: second.call("Session.Resume", session=year.p.session, proof=proof[:31]), "UNAUTHENTICATED")
    with county.people["edu"].connect() as wire:
        is_refused("a school's person on a computer of the bureau", lambda: wire.call("Session.Login", user=year.p.user, password=PASSWORD), "BAD_LOGIN")


def transport(county, year):
    """Only TLS 1.3 with a living certificate of this county's CA gets as far as HELLO."""
    p, address = year.p, county.address

    def hello(**how):
        with w.Wire(address, **{**dict(key=p.key, cert=p.cert, ca=p.ca, county=p.county, now=p.now()), **how}) as wire:
            wire.hello()

    cases.equal("the right certificate", refused(hello), "answered")
    is_refused("TLS 1.2", lambda: hello(low=SSL.TLS1_2_VERSION, high=SSL.TLS1_2_VERSION), "closed")
    is_refused("no client certificate", lambda: hello(key=None, cert=None), "closed")
    is_refused("another ALPN", lambda: hello(alpn="h2"), "closed")
    key, cert = foreign(p.county)
    is_refused("a certificate of a foreign CA", lambda: hello(key=key, cert=cert), "closed")
    is_refused("a certificate that it signed itself, naming the device", lambda: hello(key=key, cert=foreign(p.county, p.cert.subject, p.cert.issuer)[1]), "closed")
    with w.Wire(address, "jingguan-enrol/1") as wire:
        is_refused("RENEW without a certificate", lambda: wire.call("Enrol.Renew", csr=w.make_csr(ec.generate_private_key(ec.SECP256R1()))), "UNAUTHENTICATED")
    with w.Wire(address, "jingguan-enrol/1") as wire:
        is_refused("other methods on the enrolment ALPN", lambda: wire.call("Session.Login", user="sysadmin", password=PASSWORD), "NOT_NOW")


def foreign(county, subject=None, issuer=None):
    """A key and a certificate that no county's CA signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(subject or name).issuer_name(issuer or name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9)).sign(key, hashes.SHA256()))
    return key, cert


def codes(county):
    """Connect codes: once, five tries, the CA first."""
    code = county.invite(P)
    device = w.Device(county.address)
    device.enrol(code)
    is_refused("a code used again", lambda: w.Device(county.address).enrol(code), "BAD_CODE")
    pin, secret, _ = w.parse_code(code)
    try:
        w.Device(county.address).enrol(w.make_code(os.urandom(10), secret))
        cases.check("a server with another CA is not told the secret", False)
    except w.BadCode:
        cases.check("a server with another CA is not told the secret", True)
    typo = code.replace("-", "")[:32]
    typo = typo[:20] + ("A" if typo[20] != "A" else "B") + typo[21:]
    try:
        w.parse_code(typo)
        cases.check("a mistyped code is found before anything is sent", False)
    except w.BadCode:
        cases.check("a mistyped code is found before anything is sent", True)
    fresh = county.invite(P)
    pin, secret, _ = w.parse_code(fresh)
    for i in range(5):
        guess = secret[:3] + bytes([secret[3] ^ i + 1]) + secret[4:]
        is_refused("wrong secret %d" % (i + 1), lambda: w.Device(county.address).enrol(w.make_code(pin, guess)), "BAD_CODE")
    is_refused("after five wrong tries the right one is dead", lambda: w.Device(county.address).enrol(fresh.split("@")[0].lower()), "BAD_CODE")
    lower = w.Device(county.address)
    lower.enrol(county.invite(P).split("@")[0].lower().replace("-", ""))
    cases.check("small letters without dashes do", lower.device_id is not None)
    p384 = ec.generate_private_key(ec.SECP384R1())
    last = w.parse_code(county.invite(P))[1]
    with w.Wire(county.address, "jingguan-enrol/1") as wire:
        is_refused("a P-384 key", lambda: wire.call("Enrol.Enrol", secret=last, csr=w.make_csr(p384)), "INVALID")
    with w.Wire(county.address, "jingguan-enrol/1") as wire:
        is_refused("a request that is none", lambda: wire.call("Enrol.Enrol", secret=last, csr=b"0\x82"), "INVALID")


def revocation(county, year):
    """Dead within 5 s, on both servers."""
    second = county.second()
    victim = w.Device(county.address)
    victim.enrol(county.invite(P))
    with victim.connect() as wire:
        victim.login(wire, year.p.user, PASSWORD)
    here, there = victim.open(), victim.open(address=second)
    is_refused("both servers know the device", lambda: there.call("Sync.Watch"), "answered")
    with county.people["secadmin"].open() as wire:
        begun = time.monotonic()
        wire.call("Identity.RevokeDevice", id=str_id(victim.device_id))
    for name, wire, address in (("this server", here, county.address), ("the other server", there, second)):
        while wire.alive and time.monotonic() - begun < 8:
            refused(lambda: wire.ping(b"alive?"))
            time.sleep(0.05)
        took = time.monotonic() - begun
        cases.check("a revoked device is dead on %s within 5 s" % name, not wire.alive and took <= 5, "%.1f s" % took)
        is_refused("and cannot connect to %s" % name, lambda: victim.connect(address=address), "REVOKED", "closed")
        wire.close()
    is_refused("nor renew", lambda: victim.renew(), "REVOKED", "closed")


def renewal(county, year):
    """A certificate is renewed while it lives and after it has expired; the old key is then worth nothing."""
    device = year.head
    old_key, old_cert = device.key, device.cert
    device.renew()
    with device.open() as wire:
        cases.equal("after Renew the session goes on", refused(lambda: wire.call("Sync.Watch")), "answered")
    with w.Wire(county.address, key=old_key, cert=old_cert, ca=device.ca, county=device.county, now=device.now()) as wire:
        is_refused("the certificate before is no device's any more", lambda: wire.hello(), "REVOKED")
    with county.people["sysadmin"].open() as wire:
        wire.call("Server.Clock", advance_s=95 * 86400)
    for _ in range(100): # the server reads its clock once a second
        if refused(lambda: device.connect().close()) == "closed":
            break
        time.sleep(0.1)
    is_refused("an expired certificate does not connect", lambda: device.connect(), "closed")
    device.renew()
    with device.connect() as wire:
        cases.check("Renew works after expiry", wire.welcome.cert_until > device.last_server_time)
        is_refused("7 days end a session", lambda: device.resume(wire), "UNAUTHENTICATED")


def vectors():
    """The document's test vectors, computed by this client."""
    path = os.path.join(w.PROTO, "vectors.json")
    v = json.load(open(path))
    b = bytes.fromhex
    for x in v["header"]:
        cases.equal("vector header", w.HEADER.pack(x["length"], x["type"], x["flags"], x["method"], x["call"], x["deadline"]).hex(), x["bytes"])
    for x in v["op"]:
        cases.equal("vector op sha", w.op_sha(b(x["bytes"])).hex(), x["sha"])
    for x in v["chain"]:
        head = w.chain_start(b(x["device"]), x["incarnation"])
        cases.equal("vector genesis", head.hex(), x["genesis"])
        for step in x["next"]:
            head = w.chain_next(head, step["op_no"], b(step["sha"]))
            cases.equal("vector chain", head.hex(), step["hash"])
    for x in v["record"]:
        message = w.KIND_BY_NAME[x["kind"]].message(**{k: b(t["hex"]) if isinstance(t, dict) else t for k, t in x["fields"].items()})
        cases.equal("vector canonical %s" % x["kind"], (w.canonical(message).hex(), w.record_hash(w.canonical(message)).hex()), (x["bytes"], x["hash"]))
        if "other" in x:
            cases.equal("vector projection %s" % x["kind"], w.canonical(message, only_other=True).hex(), x["other"])
    for x in v["lanes"]:
        cases.equal("vector lanes", list(w.lanes(b(x["id"]), x["ver"], x["kind"], b(x["record"]))), x["lanes"])
    for x in v["audit"]:
        cases.equal("vector trace", (w.audit_root(b(x["parts"])).hex(), w.audit_next(b(x["before"]), x["n"], b(x["root"])).hex()), (x["root"], x["head"]))
    for x in v["head"]:
        cases.equal("vector signed head", w.head_message(x["stream"], x["n"], b(x["head"])).hex(), x["message"])
    for x in v["connect_code"]:
        pin, secret, address = w.parse_code(x["code"])
        cases.equal("vector connect code", (pin.hex(), secret.hex(), w.make_code(pin, secret)), (x["pin"], x["secret"], x["code"].split("@")[0].replace("-", "").upper()))
    for x in v["resume"]:
        cases.equal("vector RESUME", w.resume_proof(b(x["token"]), b(x["exporter"])).hex(), x["proof"])


def document(county, year):
    """What proto/README.md names by number has that number, and its example verifies a pull of this server."""
    text = open(os.path.join(w.PROTO, "README.md")).read()
    reference = open(os.path.join(w.PROTO, "REFERENCE.md")).read()
    errors = dict((name, int(number)) for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", reference, re.M))
    cases.equal("errors are named with their numbers", [(name, n) for name, n in re.findall(r"\b([A-Z][A-Z_]+)`? \((\d+)\)", text) if errors.get(name) != int(n)], [])
    cases.check("all that steer a synchronisation are there", all("%s (%d)" % (name, errors[name]) in text for name in ("FORKED", "EXPECT", "RESYNC", "EPOCH", "BLOCKED", "FILE_DAMAGED")))
    levels = dict(re.findall(r"^\| (\d+) \| [A-Z_]+ \| ([A-Z]+) \|", reference, re.M))
    told = {}
    for level, codes in re.findall(r"^\| (RETRY|FIX|REFUSED|FATAL) \| ([^|]+) \|", text, re.M):
        for first, last in re.findall(r"(\d+)(?:–(\d+))?", codes):
            told.update({n: level for n in map(str, range(int(first), int(last or first) + 1)) if n in levels})
    cases.equal("every code stands in its level", told, levels)
    methods = re.findall(r"`(\w+\.\w+)` \((0x[0-9A-F]{4})", text)
    cases.equal("and methods with theirs", [(name, n) for name, n in methods if METHODS[name].number != int(n, 16)], [])
    cases.check("and it names some", len(methods) >= 10, methods)
    example = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S).group(1), example)
    with year.p.open() as wire:
        for id in year.p.streams:
            last = wire.page_list("Sync.Pull", stream=id)[-1]
            example["verify_head"](wire.leaf, id, last)
            last.audit_n += 1
            try:
                example["verify_head"](wire.leaf, id, last)
                cases.check("a head that was not signed", False)
            except InvalidSignature:
                cases.check("the document's example verifies a head, and no other", True)


def grant(wire, user):
    """Grants what the list says now, as a client must: the number of the request that was seen comes along."""
    seen = next((u.request for u in wire.call("Identity.ListUsers").user if u.user == user), 0)
    return wire.call("Identity.GrantUser", user=user, request=seen)


def main():
    vectors()
    cases.equal("vectors.json is what the document says", subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/make_vectors.py", "--check"]).returncode, 0)
    with WireCounty() as county:
        year = Year(county)
        year.run()
        document(county, year)
        watch(county, year)
        identity(county)
        bodies(county, year)
        ranges(county, year)
        sealed(county, year)
        frames(county, year)
        access(county, year)
        reading(county, year)
        contents(county, year)
        sessions(county, year)
        transport(county, year)
        codes(county)
        revocation(county, year)
        keys(year)
        together(county, year)
        poison(county, year)
        left(county, year)
        replays(county, year)
        # Services made since bring their own: calls_<service>.py, with calls(county, year, cases). Here, before certificates run out.
        for path in sorted(glob.glob(os.path.dirname(os.path.abspath(__file__)) + "/calls_*.py")):
            importlib.import_module(os.path.basename(path)[:-3]).calls(county, year, cases)
        renewal(county, year)
        cases.equal("the server said nothing but what it should", [l for l in open(county.server.dir + "/jgd.log") if "ERROR" in l.upper().split(" ")[:3]], [])
    for name in sorted(METHODS):
        cases.check("%s was called" % name, METHODS[name].number in w.ANSWERED)
    cases.close()


if __name__ == "__main__":
    main()
