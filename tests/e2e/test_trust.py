#!/usr/bin/python3
"""Who may touch what, by a client that is not ours: records hung on another school's, classes and names that are lied about, guesses,
keys renewed on a bad line, administrators over one another."""
import hashlib
import json
import os
import re
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import wire_client as w
from harness import COUNTY, Cases, JG, PASSWORD, Program
from wire_acts import As, name_of, outcomes, push, refused, seen, teacher_of
from wire_county import J, P, WireCounty, YEAR, destination, enrolment, id_no, student

pb = w.pb
cases = Cases()
WRONG = "Wrong-2026xx"


def evidence(target, n=1):
    return pb.Evidence(target=target, sha=bytes([n]) * 32, size=1, name="证明.pdf")


def hooks(county, p, j):
    """A1: a record hangs on one of its own school, or on one that is addressed to it."""
    pupils = [w.uuid7() for _ in range(3)]
    push(p, *[("Student", id, student(n + 1, class_no=str(n + 1))) for n, id in enumerate(pupils)])
    mine = w.uuid7()
    cases.equal("the primary school declares a pupil to the junior school", outcomes(push(p, ("Destination", mine, destination(1)))), ["APPLIED"])
    with j.open() as wire:
        for id in j.streams:
            j.pull(wire, id)
    cases.check("the junior school knows the row", any(mine in s.records for s in j.streams.values()))
    found = push(j, ("Evidence", w.uuid7(), evidence(mine)), ("Evidence", w.uuid7(), evidence(pupils[0], 2)), ("Guardian", w.uuid7(), pb.Guardian(student=pupils[0], ordinal=1, name="冒名")))
    cases.equal("and hangs nothing on it, nor on a pupil that it cannot see", outcomes(found), ["REJECTED"] * 3)
    cases.equal("it is told why", {r.code for r in found}, {31})
    slip = county.psql("INSERT INTO slip (county, rec_id, owner_school, other_school, ver, gver, year, pupil, state) VALUES (app_county(), gen_random_uuid(), '%s', '%s', 1, '{1,1}',"
                       " 2027, gen_random_uuid(), 'issued') RETURNING rec_id" % (P, J)).strip()
    slip = bytes.fromhex(slip.replace("-", ""))
    log = pb.Persuasion(slip=slip, at=time.time_ns() // 1000, method="家访", note="x")
    cases.equal("a visit is logged only by whom the slip is addressed to", outcomes(push(j, ("Persuasion", w.uuid7(), log))), ["REJECTED"])
    county.psql("INSERT INTO slip_addressee (county, rec_id, owner_school, ver, gver, slip, school) VALUES (app_county(), gen_random_uuid(), '%s', 1, '{1}', '%s', '%s')" % (J, slip.hex(), J))
    cases.equal("and by him it is", outcomes(push(j, ("Persuasion", w.uuid7(), log))), ["APPLIED"])
    own = w.uuid7()
    cases.equal("its own rows take its files", outcomes(push(j, ("Enrolment", own, enrolment(2)), ("Evidence", w.uuid7(), evidence(own)))), ["APPLIED"] * 2)
    return pupils


def classes(county, p, pupils):
    """A2: grade and class, before and behind, of every pupil that is named; in one's own name."""
    account, session = teacher_of(county, p, "六1班")
    cases.equal("六1班 is read as the importer reads it", list(account.klass), ["16/1"])
    with county.people["sysadmin"].open() as wire:
        add = lambda *c: refused(lambda: wire.call("Identity.AddUser", school=P, role=[pb.CLASS_TEACHER], klass=c, name="某", login="mou"))
        cases.equal("a class that nobody can tell is refused", [add(c).name for c in ("实验班", "七1班", "六三班")], ["INVALID"] * 3)
        cases.equal("so is none at all", add().name, "MISSING")
        cases.check("and the refusal says how to write it", "六1班" in add("实验班").error.hint)
        cases.equal("no account was made of it", [u for u in wire.call("Identity.ListUsers").user if u.name == "某"], [])
        cases.equal("a class alone is that of the grade that leaves", list(wire.call("Identity.AddUser", school=P, role=[pb.CLASS_TEACHER], klass=["2"], name="乙", login="yi").klass), ["16/2"])
    me, mine = session[2], As(p, session)
    say = lambda *ops: outcomes(push(p, *[(k, i, m, s[0] if s else (), me) for k, i, m, *s in ops], session=mine))
    guard = w.uuid7()
    own = push(p, ("Guardian", guard, pb.Guardian(student=pupils[0], ordinal=1, name="家长"), (), me), session=mine)
    cases.equal("a guardian of his own pupil", outcomes(own), ["APPLIED"])
    moved = pb.Guardian(student=pupils[1], ordinal=1, name="家长")
    cases.equal("is not moved to a pupil of another class", say(("Guardian", guard, moved, seen(own[0]))), ["REJECTED"])
    five = w.uuid7()
    push(p, ("Student", five, student(50, grade="15", class_no="1")))
    cases.equal("class 1 of another grade is not his", say(("Guardian", w.uuid7(), pb.Guardian(student=five, ordinal=1, name="家长")),
                                                       ("Student", w.uuid7(), student(51, grade="15", class_no="1"))), ["REJECTED"] * 2)
    other = destination(2, class_no="1")
    cases.equal("a row of his class with a number of another's pupil is refused", say(("Destination", w.uuid7(), other)), ["REJECTED"])
    nobody = destination(60)
    nobody.class_no = ""
    cases.equal("and one of no class at all", say(("Destination", w.uuid7(), nobody)), ["REJECTED"])
    first = push(p, ("Student", w.uuid7(), student(61, class_no="1"), (), me), ("Destination", w.uuid7(), destination(61), (), me), session=mine)
    cases.equal("his own pupil and row in one push", outcomes(first), ["APPLIED"] * 2)
    told = push(p, ("Student", w.uuid7(), student(62, class_no="2"), (), me), session=mine)
    cases.check("the refusal says which classes are his", "六年级1班" in told[0].message, told[0].message)
    lied = push(p, ("Student", w.uuid7(), student(63, class_no="2"), (), p.user), ("Student", w.uuid7(), student(64, class_no="1"), (), p.user), session=mine)
    cases.equal("in his session nobody else's name writes", outcomes(lied), ["REJECTED"] * 2)
    evening = push(p, ("Student", w.uuid7(), student(65, class_no="1"), (), me))
    cases.equal("a registrar's session carries a teacher's evening", outcomes(evening), ["APPLIED"])
    with county.people["sysadmin"].open() as wire:
        cases.equal("his classes are changed", list(wire.call("Identity.SetUser", user=account.user, klass=["六（2）班", "六3"]).klass), ["16/2", "16/3"])
    cases.equal("his sessions end with it", name_of(lambda: mine.open()), "UNAUTHENTICATED")


def renewed_on_a_bad_line(county, p):
    """A3: the answer to Renew is lost; the device goes on with its old key and asks again."""
    device = w.Device(county.address)
    device.enrol(county.invite(P))
    from cryptography.hazmat.primitives.asymmetric import ec
    lost = ec.generate_private_key(ec.SECP256R1())
    for _ in range(2):
        with w.Wire(county.address, "jingguan-enrol/1", device.key, device.cert, device.ca, device.county, device.now()) as wire:
            wire.call("Enrol.Renew", csr=w.make_csr(lost))  # and the certificate never arrives
        with device.connect() as wire:
            cases.check("the old key still greets", wire.welcome.county != "")
    old_key, old_cert = device.key, device.cert
    device.renew()
    with w.Wire(county.address, key=old_key, cert=old_cert, ca=device.ca, county=device.county, now=device.now()) as wire:
        cases.check("also after a renewal that arrived, until the new one is used", wire.hello().county != "")
    with device.connect() as wire:
        cases.check("the new key greets", wire.welcome.county != "")
    try:
        with w.Wire(county.address, key=old_key, cert=old_cert, ca=device.ca, county=device.county, now=device.now()) as wire:
            wire.hello()
        ended = "answered"
    except w.Closed as closed:
        ended = closed.name
    cases.equal("and ends the old one", ended, "REVOKED")
    device.renew()  # not yet used
    with county.people["secadmin"].open() as wire:
        wire.call("Identity.RevokeDevice", id=str(device.device_id.hex()))
    time.sleep(3)
    ends = []
    for key, cert in ((device.key, device.cert),):
        try:
            with w.Wire(county.address, key=key, cert=cert, ca=device.ca, county=device.county, now=device.now()) as wire:
                wire.hello()
            ends.append("answered")
        except w.Closed:
            ends.append("closed")
    cases.equal("a revoked device has no key that lives, be it renewed", ends, ["closed"])


def passwords(county, p):
    """A4, A6, A7: guesses are counted at every door, a lock ends when it says, and nothing keeps what was typed."""
    typed = ["32999920140315001X", "张三 result=OK\x1b[2J", "a\u202eb", "x" * 200]
    with p.connect() as wire:
        for text in typed:
            refused(lambda: wire.call("Session.Login", user=text, password=WRONG))
    time.sleep(0.5)
    log = open(county.server.dir + "/jgd.log", encoding="utf-8", errors="replace").read()
    kept = county.psql("SELECT string_agg(user_id, ' ') FROM access_log; SELECT string_agg(user_id, ' ') FROM login_guard")
    cases.equal("nothing keeps what was typed for a name", [t for t in typed if t in log or t in kept or "\x1b" in log], [])
    with p.connect() as wire:
        p.resume(wire)
        found = [refused(lambda: wire.call("Session.Passwd", password=WRONG, new_password="Other-2026xx")) for _ in range(6)]
        cases.equal("the sixth guess at the old password is not looked at", [e.name for e in found], ["BAD_LOGIN"] * 5 + ["LOCKED"])
        cases.check("the fifth says that it locked, and until when", re.search(r"锁定到 \d+月\d+日 \d\d:\d\d", found[4].error.message), found[4].error.message)
        cases.check("the lock says until when and who lifts it", re.search(r"锁定到 \d+月\d+日 \d\d:\d\d", found[5].error.message) and re.search(r"安全管理员\S.*unlock", found[5].error.hint), found[5].error.hint)
        until = re.search(r"锁定到 (\S+ \S+)", found[5].error.message).group(1)
        right = refused(lambda: wire.call("Session.Passwd", password=PASSWORD, new_password="Other-2026xx"))
        cases.equal("nor is the right one, while it lasts", right.name, "LOCKED")
        cases.equal("log-in is locked with it", name_of(lambda: wire.call("Session.Login", user=p.user, password=PASSWORD)), "LOCKED")
    with county.people["sysadmin"].open() as wire:
        wire.call("Server.Clock", advance_s=14 * 60)
    with p.connect() as wire:
        again = refused(lambda: wire.call("Session.Login", user=p.user, password=WRONG))
        cases.check("a try during the lock does not make it longer", again.name == "LOCKED" and until in again.error.message, again.error.message)
    with county.people["sysadmin"].open() as wire:
        wire.call("Server.Clock", advance_s=2 * 60)
    with p.connect() as wire:
        cases.equal("it ends when it said", p.login(wire, p.user, PASSWORD).user, p.user)


def side_by_side(county, p):
    """Guesses sent at the same moment are counted like those that follow one another."""
    login, passwd = w.METHODS["Session.Login"], w.METHODS["Session.Passwd"]
    unlock = lambda: county.people["secadmin"].open().call("Identity.UnlockUser", user=p.user)
    wires = [p.open() for _ in range(16)]
    guess = {"a name that nobody has": lambda n: (login, login.request(user="niemand%d" % n, password=WRONG)),
             "a log-in": lambda n: (login, login.request(user=p.user, password=WRONG)),
             "the old password": lambda n: (passwd, passwd.request(password=WRONG, new_password="Other-2026xx"))}
    for what, ask in guess.items():
        found = []
        for n in range(5):
            method, request = ask(n)
            calls = [(wire, wire.start(method.number, request.SerializeToString())) for wire in wires for _ in range(2)]
            names = [name_of(lambda: next(wire.pages(call))) for wire, call in calls]
            found.append((names.count("BAD_LOGIN"), len(names) - names.count("BAD_LOGIN") - names.count("LOCKED")))
            unlock()
        cases.equal("of 32 guesses side by side at %s five are looked at" % what, found, [(5, 0)] * 5)
    for wire in wires:
        wire.close()
    with p.connect() as wire:
        found = [[name_of(lambda: p.login(wire, p.user, word)) for word in [WRONG] * 4 + [PASSWORD]] for _ in range(2)]
        cases.equal("the right one as the fifth forgets four wrong ones", found, [["BAD_LOGIN"] * 4 + ["answered"]] * 2)
        found = [name_of(lambda: wire.call("Session.Passwd", password=PASSWORD, new_password=PASSWORD)) for _ in range(6)]
        cases.equal("a new password that is the old one is no guess", found, ["WEAK_PASSWORD"] * 6)


def codes(county):
    """A5: who does not know a code neither finds it nor uses up its tries."""
    code = county.invite(P)
    pin, secret, _ = w.parse_code(code)
    rows = lambda: int(county.psql("SELECT count(*) FROM access_log WHERE method = 'Enrol.Enrol'"))
    before, names = rows(), []
    with w.Wire(county.address, "jingguan-enrol/1", source="127.0.0.7") as wire:
        for i in range(100):
            error = refused(lambda: wire.call("Enrol.Enrol", secret=os.urandom(8), csr=b"x"))
            names.append(error.name)
    cases.check("guesses of one address are slowed down", names[:20] == ["BAD_CODE"] * 20 and names[-1] == "BUSY", names)
    cases.check("and told how long", error.error.retry_after_ms > 0 and "秒" in error.error.message, error.error.message)
    time.sleep(0.5)
    cases.check("what is over it leaves no row", rows() - before <= 40, rows() - before)
    for at in (3, 7):
        with w.Wire(county.address, "jingguan-enrol/1", source="127.0.0.8") as wire:
            guess = lambda i: secret[:at] + bytes([secret[at] ^ (i + 1)]) + secret[at + 1:]
            found = [name_of(lambda: wire.call("Enrol.Enrol", secret=guess(i), csr=b"x")) for i in range(5)]
    cases.equal("tries on the code are counted whatever byte differs", (found, name_of(lambda: w.Wire(county.address, "jingguan-enrol/1", source="127.0.0.8").call("Enrol.Enrol", secret=secret, csr=b"x"))),
                (["BAD_CODE"] * 5, "BAD_CODE"))
    device = w.Device(county.address)
    device.enrol(code)
    cases.check("and it lives for whom it was made", device.device_id is not None)
    with w.Wire(county.address, "jingguan-enrol/1") as wire:
        before = county.psql("SELECT count(*) FROM access_log")
        for _ in range(20):
            refused(lambda: wire.call("Identity.ListUsers"))
        time.sleep(0.5)
        cases.equal("a stranger fills no log", county.psql("SELECT count(*) FROM access_log"), before)


def fair(county, p, j):
    """A11: one device's guesses do not hold up another's log-in."""
    wires = [p.connect() for _ in range(8)]  # on two loops
    asked = [[wire.start(w.METHODS["Session.Login"].number, w.METHODS["Session.Login"].request(user="nobody%d%d" % (k, i), password=WRONG).SerializeToString()) for i in range(8)]
             for k, wire in enumerate(wires)]
    with j.connect() as wire:
        j.login(wire, j.user, PASSWORD)
    for wire in wires: # what has come so far
        try:
            while True:
                wire.step(0.01)
        except TimeoutError:
            pass
    done = sum(pb.Error.FromString(body).name == "BAD_LOGIN" for wire in wires for replies in wire.replies.values() for _, _, _, body in replies)
    answers = [name_of(lambda: next(wire.pages(call))) for wire, calls in zip(wires, asked) for call in calls]
    cases.check("another's log-in is not behind all of them", done < 24, done)
    cases.check("and too many at once are told to come again", "BUSY" in answers and set(answers) <= {"BUSY", "BAD_LOGIN"}, set(answers))
    names = ", ".join("'sha256:%s'" % hashlib.sha256(b"nobody%d%d" % (k, i)).hexdigest() for k in range(8) for i in range(8))
    cases.equal("of whom no try is counted", int(county.psql("SELECT sum(failed) FROM login_guard WHERE user_id IN (%s)" % names)), answers.count("BAD_LOGIN"))
    for wire in wires:
        wire.close()


def administrators(county):
    """A10, B6: over the bureau's accounts no administrator disposes alone, and a refusal leaves nothing behind but its row."""
    leader = county.person("leader", "LEADER")
    people = county.people
    with people["sysadmin"].open() as wire:
        asked = wire.call("Identity.AddUser", role=[pb.SECADMIN], name="影子", login="yingzi")
        cases.check("a security administrator made by one alone does not live", asked.waiting and not asked.password)
        for user in ("auditor", "secadmin", leader.user):
            reply = wire.call("Identity.ResetUser", user=user)
            cases.check("a reset of %s waits" % user, reply.waiting and not reply.password and reply.granter)
        wire.call("Identity.SetUser", user=leader.user, role=[pb.BASIC_EDU])
        cases.equal("the list says what waits", {u.user: u.asked for u in wire.call("Identity.ListUsers").user if u.asked},
                    {asked.user: "add", "auditor": "reset", "secadmin": "reset", leader.user: "set"})
        cases.equal("the asker grants none of it", {name_of(lambda: grant(wire, u)) for u in (asked.user, "auditor", leader.user)}, {"SAME_PERSON"})
    with people["auditor"].open() as wire:
        cases.equal("the auditor stands in only for 安全's own", (name_of(lambda: grant(wire, leader.user)), wire.call("Identity.GrantUser", user="secadmin", refuse=True).user),
                    ("SAME_PERSON", "secadmin"))
    with people["secadmin"].open() as wire, people["sysadmin"].open() as other:
        cases.equal("an account that is not granted yet is not changed, so that its request stays", name_of(lambda: other.call("Identity.SetUser", user=asked.user, name="影")), "NOT_NOW")
        seen = next(u for u in wire.call("Identity.ListUsers").user if u.user == leader.user)
        cases.equal("what is asked is seen", (seen.asked_by, list(seen.asked_role), seen.asked_name), (people["sysadmin"].user, [pb.BASIC_EDU], seen.name))
        other.call("Identity.SetUser", user=leader.user, role=[pb.SUPERVISION])
        cases.equal("what was put in its place since is not granted", (name_of(lambda: wire.call("Identity.GrantUser", user=leader.user, request=seen.request)),
                    name_of(lambda: wire.call("Identity.GrantUser", user=leader.user))), ("STALE", "MISSING"))
        other.call("Identity.SetUser", user=leader.user, role=[pb.BASIC_EDU])
        county.psql("UPDATE user_account SET disabled = true WHERE user_id = '%s'" % people["sysadmin"].user)
        cases.equal("nor what somebody asked who is no administrator any more", name_of(lambda: grant(wire, leader.user)), "NOT_NOW")
        county.psql("UPDATE user_account SET disabled = false WHERE user_id = '%s'" % people["sysadmin"].user)
        cases.equal("what one leaves the other takes up: roles", grant(wire, leader.user).user, leader.user)
        cases.check("a new administrator's password is told to whom grants it", grant(wire, asked.user).password)
        wire.call("Identity.GrantUser", user="auditor", refuse=True)
        cases.check("安全 asks for an end of 系统, and waits too", wire.call("Identity.DisableUser", user="sysadmin").waiting)
        wire.call("Identity.GrantUser", user="sysadmin", refuse=True)
    with leader.connect() as wire:
        reply = leader.login(wire, leader.user, PASSWORD)
        cases.equal("the leader's role has changed, his password has not", list(reply.role), [pb.BASIC_EDU])
    with people["sysadmin"].open() as wire:
        before = len(wire.call("Identity.ListUsers").user)
        gone = refused(lambda: wire.call("Identity.AddUser", school="2132999999", role=[pb.REGISTRAR], name="无校", login="wuxiao"))
        cases.equal("an account for a school that is not there", (gone.name, gone.error.field, len(wire.call("Identity.ListUsers").user)), ("NOT_FOUND", "school", before))
    time.sleep(0.5)
    cases.check("the refusal is in the access log", int(county.psql("SELECT count(*) FROM access_log WHERE method = 'Identity.AddUser' AND result = 'NOT_FOUND'")) == 1)


def grant(wire, user):
    """Grants what the list says now, as a client must: the number of the request that was seen comes along."""
    seen = next((u.request for u in wire.call("Identity.ListUsers").user if u.user == user), 0)
    return wire.call("Identity.GrantUser", user=user, request=seen)


def computer(county, name, school):
    """A registrar at a computer with our own client."""
    account = county.account("REGISTRAR", school, name)
    registrar = Program(JG, county.server.dir + "/profile-" + name)
    os.makedirs(registrar.profile)
    registrar.connect(county.server.code(county.invite(school)))
    registrar.first_login(account.user, account.password)
    return registrar


def revoke(county, registrar):
    with county.people["secadmin"].open() as wire:
        wire.call("Identity.RevokeDevice", id=json.load(open(registrar.profile + "/profile.json"))["device"])
    time.sleep(3)


def sealed(county):
    """What a revoked computer had not sent is lost by nothing: not by a full disk, a damaged row, a second revocation, another school."""
    mine, theirs = computer(county, "shouji", P), computer(county, "linxiao", J)
    path, table = (lambda name: os.path.join(mine.profile, name)), county.server.dir + "/sealed.csv"

    def add(*numbers):
        with open(table, "w", encoding="utf-8") as out:
            out.write("姓名,证件号码,年级,班级,性别\n" + "".join("封存%s,%s,六年级,9班,%s\n" % (chr(0x4e00 + n), id_no(n), "男" if int(id_no(n)[16]) % 2 else "女") for n in numbers))
        mine.ok("import", "students", table)
    mine.ok("sync")
    add(301, 302)
    store = sqlite3.connect(path("store.db"))
    store.execute("UPDATE outbox SET bytes = zeroblob(200) WHERE n = (SELECT max(n) FROM outbox)")
    store.commit()
    store.close()
    os.mkdir(path("unsent.sealed.new"))  # nothing can be written under this name: a full disk's likeness
    revoke(county, mine)
    told = mine.run("sync")
    cases.check("what cannot be sealed is said", told.code == 3 and "还没有封存" in told.err, told)
    for words in (("students", "list"), ("pupil", "find", "封存"), ("status",), ("export", "students", "-o", table + ".x"), ("doctor",)):
        after = mine.run(*words)
        cases.check("and nothing is shown from then on: jg %s" % words[0], after.code == 3 and "封存" + chr(0x4e00 + 301) not in after.out and "还在本机" in after.err and "--profile" in after.err, after)
    os.rename(path("store.key"), path("key.away"))
    after = mine.run("status")
    cases.check("what keeps it from being sealed is told with what to do about it", after.code == 3 and "取回 store.key" in after.err and "磁盘" not in after.err, after)
    os.rename(path("key.away"), path("store.key"))
    again = mine.run("connect", "--code", county.server.code(county.invite(P)))
    cases.check("nor is it enrolled anew over what is not sealed", again.code == 3 and os.path.exists(path("store.db")), again)
    os.rmdir(path("unsent.sealed.new"))
    again = mine.run("connect", "--code", county.server.code(county.invite(P)))
    cases.check("the next command goes on with sealing, names what is damaged, and enrols", again.code == 0 and "1 项封存" in again.err and "损坏" in again.err and "学生 20" in again.err
                and not os.path.exists(path("store.db")), again)
    mine.login()
    add(303)
    os.mkdir(path("unsent-2.sealed"))
    first = open(path("unsent.sealed"), "rb").read()
    revoke(county, mine)
    told = mine.run("sync")
    known = json.load(open(path("profile.json")))["school_name"]
    cases.check("a second revocation writes over nothing", told.code == 3 and "unsent-3.sealed" in told.err and first == open(path("unsent.sealed"), "rb").read(), told)
    again = mine.run("connect", "--code", county.server.code(county.invite(J)))
    cases.check("enrolled for another school it does not say the old one's name", again.code == 0 and "初级中学" in again.out and known and known not in again.out, again)
    with open(path("unsent-4.sealed"), "wb") as out:
        out.write(b"jgu1" + bytes(400))
    moved = Program(JG, mine.profile, theirs.user)
    moved.login()
    told = moved.run("sync")
    cases.check("what does not open here is named, with what to do, and the rest goes on", told.code == 0 and "unsent.sealed、unsent-3.sealed 是别的学校" in told.err
                and "unsent-4.sealed 打不开" in told.err and os.path.exists(path("unsent.sealed")), told)
    home = computer(county, "huilai", P)
    for name, to in (("unsent.sealed", "unsent.sealed"), ("unsent-3.sealed", "unsent-3.sealed"), ("unsent.sealed", "unsent-5.sealed")):
        shutil.copy(path(name), os.path.join(home.profile, to))
    opened = home.ok("sync", code=5)
    cases.equal("at the school's own computer all of them open, each operation once, and go", (opened["opened"], [n for n in os.listdir(home.profile) if "sealed" in n]), (2, []))
    for row in home.ok("outbox", "list"):
        home.ok("outbox", "fix", row["id"])
    home.ok("sync")
    names = county.psql("SELECT count(*) FROM student WHERE cert_no IN ('%s', '%s')" % (id_no(301), id_no(303)))
    cases.equal("and nothing is lost", names.strip(), "2")


def filed_or_cancelled(county, p):
    """A filing and the end of its year, each while the other has looked and not yet written: one of them is refused."""
    edu = county.people["edu"]
    waiting = lambda: int(county.psql("SELECT count(*) FROM pg_locks WHERE NOT granted").strip().splitlines()[-1])
    filing = pb.Filing(year=YEAR, stage="T1", incomplete=True, reason="一人未联系上")

    def file():
        return "".join(r.message or pb.Outcome.Name(r.outcome) for r in push(p, ("Filing", w.uuid7(), filing)))

    def cancel():
        with edu.open() as wire:
            return name_of(lambda: wire.call("Transition.Cancel", year=YEAR, reason="名册未齐"))

    def between(first, second, stream):
        """What both get when the first is held up at a stream before it writes, and the second comes meanwhile."""
        county.psql("UPDATE filing SET deleted = true WHERE year = %d" % YEAR)
        with edu.open() as wire:
            wire.call("Transition.Open", year=YEAR)
        with ThreadPoolExecutor() as pool:
            held = pool.submit(county.psql, "BEGIN; SELECT FROM stream WHERE stream_id = %s FOR UPDATE; SELECT pg_sleep(2); COMMIT" % stream)
            while "pg_sleep" not in county.psql("SELECT query FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
                pass
            one = pool.submit(first)
            while not waiting() and not held.done():
                pass
            two = pool.submit(second)
            return one.result(), two.result()

    found = between(cancel, file, COUNTY)
    cases.check("a filing that comes while its year is cancelled is refused", found[0] == "answered" and "尚未开始" in found[1], found)
    found = between(file, cancel, P)
    cases.equal("a year is not cancelled over a filing that is on its way", found, ("APPLIED", "NOT_NOW"))
    cases.equal("its pupils are there", county.psql("SELECT count(*) > 0 FROM baseline WHERE year = %d AND removed_at IS NULL" % YEAR).strip().splitlines()[-1], "t")


def main():
    with WireCounty() as county:
        county.registers()
        p, j = county.schools()
        pupils = hooks(county, p, j)
        classes(county, p, pupils)
        codes(county)
        renewed_on_a_bad_line(county, p)
        administrators(county)
        fair(county, p, j)
        passwords(county, p)
        side_by_side(county, p)
        sealed(county)
        filed_or_cancelled(county, p)
    cases.close()


if __name__ == "__main__":
    main()
