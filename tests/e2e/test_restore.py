#!/usr/bin/python3
"""The drill: backup, more work, restore to the old backup, and everything that was acknowledged is there exactly once. And the
care of a county: doctor, init and migrate twice, certificates over three months, revocation, passwords that age or are guessed."""
import copy
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid

import wire_client
from harness import Cases, JGD, Server
from operator_hand import backup, jgd

SCHOOLS = ("2132999001", "2132999002")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(n):
    body = "329999%04d%02d%02d%03d" % (2014, 1 + n // 500 % 12, 1 + n // 20 % 25, 100 + n % 20)
    return body + "10X98765432"[sum(int(a) * b for a, b in zip(body, WEIGHTS)) % 11]


def roster(server, school, numbers):
    path = os.path.join(server.dir, "students-%s-%d.csv" % (school, numbers[0]))
    with open(path, "w", encoding="utf-8") as out:
        out.write("姓名,证件号码,年级,班级\n" + "".join("测试%d,%s,六年级,%d\n" % (n, number(n), n % 3 + 1) for n in numbers))
    return path


def listed(person):
    rows = person.ok("students", "list", "--reveal")
    rows = rows.get("students", rows) if isinstance(rows, dict) else rows
    return sorted((row["cert_no"], row["class_no"]) for row in rows)


def in_database(server, school):
    out = server.psql("SET app.county = '329999'; SELECT cert_no, class_no FROM student WHERE owner_school = '%s' AND NOT deleted" % school)
    return sorted(tuple(line.split("|")) for line in out.splitlines() if "|" in line)


def audit_is_whole(cases, name, server):
    auditor = server.people["auditor"]
    auditor.login()
    result = auditor.run("audit", "verify", "--json")
    cases.check(name, result.code == 0, repr(result))


def drill(cases, server):
    server.import_schools(*SCHOOLS)
    people = {code: server.school(code) for code in SCHOOLS}
    for i, code in enumerate(SCHOOLS):
        people[code].ok("import", "students", roster(server, code, range(1000 * i, 1000 * i + 40)))
        people[code].ok("sync")
    saved = backup(cases, server)
    for i, code in enumerate(SCHOOLS): # new rows, and edits of rows that the backup has
        people[code].ok("import", "students", roster(server, code, range(1000 * i + 500, 1000 * i + 525)))
        for n in range(5):
            people[code].ok("students", "set", number(1000 * i + n), "class_no=9")
        people[code].ok("sync")
    wanted = {code: in_database(server, code) for code in SCHOOLS}
    cases.equal("acknowledged before the restore", [len(rows) for rows in wanted.values()], [65, 65])
    cases.equal("a restore under a running server is refused", jgd(server, "restore", saved).returncode, 3)
    server.stop()
    damaged_backup(cases, server, saved)
    run = jgd(server, "restore", saved)
    cases.check("restore", run.returncode == 0, run.stdout + run.stderr)
    server.start()
    cases.equal("the database is the old one", [len(in_database(server, code)) for code in SCHOOLS], [40, 40])
    for code in SCHOOLS:
        people[code].login()
        people[code].ok("sync")
    for code in SCHOOLS: # once more: what the other sent, and that nothing moves any more
        report = people[code].ok("sync")
        cases.equal("%s: all is back, once" % code, in_database(server, code), wanted[code])
        cases.equal("%s: the client shows the same" % code, listed(people[code]), wanted[code])
        cases.check("%s: digests agree" % code, not report.get("digest_differed"), repr(report))
        people[code].ok("students", "set", number(1000 * SCHOOLS.index(code)), "class_no=8")
        report = people[code].ok("sync")
        cases.check("%s: work goes on" % code, (number(1000 * SCHOOLS.index(code)), "8") in in_database(server, code), repr(report))
    audit_is_whole(cases, "the trace is whole after the restore", server)
    return people


def device_of(person):
    return json.load(open(person.profile + "/profile.json"))["device"]


def again(server, person, name, school):
    """The account that went with the database's tail is made once more, and its person logs in on the computer that he has."""
    account = server.people["sysadmin"].ok("users", "add", "--school", school, "--role", "registrar", name)
    person.first_login(account["user"], account["password"])
    return account["user"]


def greets(device):
    """What the server says to a computer that speaks the wire contract: OK, or the name of the refusal."""
    try:
        device.connect().close()
        return "OK"
    except wire_client.Closed as closed:
        return closed.name


def wired(server, school):
    device = wire_client.Device("127.0.0.1:%d" % server.port)
    device.enrol(server.code(server.people["sysadmin"].ok("devices", "invite", "--school", school)["code"]))
    return device


def enrolled_after_the_backup(cases, server):
    """What a computer keeps that the restored database never heard of, or knows by an older key, comes back as everything else does."""
    admin = server.people["sysadmin"]
    renewed, stolen = (wired(server, SCHOOLS[1]) for _ in range(2))
    target = os.path.join(server.dir, "backups", "late")
    os.makedirs(target)
    os.chown(target, os.stat(server.data).st_uid, os.stat(server.data).st_gid)
    saved = jgd(server, "backup", target).stdout.strip().split("：")[-1]
    late = server.school(SCHOOLS[0], name="后来")
    late.ok("import", "students", roster(server, SCHOOLS[0], range(700, 707)))
    late.ok("sync")
    time.sleep(1.1)  # a certificate ends at a second
    older = copy.copy(renewed)
    for device in (renewed, stolen):
        device.renew()
        cases.equal("a renewed key greets", greets(device), "OK")
    wanted, user = in_database(server, SCHOOLS[0]), late.user
    server.stop()
    run = jgd(server, "restore", saved)
    cases.check("restore behind new computers", run.returncode == 0, run.stdout + run.stderr)
    cases.check("the restore says that revocations since the backup are to be repeated", "devices revoke" in run.stdout, run.stdout)
    server.start()
    admin.login()
    admin.ok("devices", "revoke", str(uuid.UUID(bytes=stolen.device_id)))
    cases.equal("the account is made under the same name", again(server, late, "后来", SCHOOLS[0]), user)
    late.ok("sync")
    late.ok("sync")
    cases.equal("what a computer sent that enrolled after the backup is back, once", in_database(server, SCHOOLS[0]), wanted)
    cases.equal("and on the computer", listed(late), wanted)
    cases.equal("a key that was renewed after the backup greets", greets(renewed), "OK")
    cases.equal("and the one before it is nobody's", greets(older), "REVOKED")
    cases.check("what the table knows as revoked stays so under a key that it does not know", greets(stolen) in ("REVOKED", "closed"))
    log = open(server.dir + "/jgd.log", encoding="utf-8").read()
    cases.check("the log says whose row was written again", ("device=%s" % device_of(late)) in log and "written again" in log, log[-2000:])
    auditor = server.people["auditor"]
    auditor.login()
    rows = auditor.ok("audit", "search", "--what", "READMITTED")
    cases.equal("so does the trace", sorted(row["device"] for row in rows), sorted([device_of(late), str(uuid.UUID(bytes=renewed.device_id))]))
    told = auditor.run("audit", "search", "--what", "恢复后重新登记")
    cases.check("in words", "READMITTED" not in told.out and told.out.count("恢复后重新登记") == 2, repr(told))
    nobody = server.school(SCHOOLS[0], name="无名")
    server.psql("SET app.county = '329999'; SET app.scope = 'job'; DELETE FROM device WHERE device_id = '%s'" % device_of(nobody))
    told = nobody.run("sync")
    cases.check("a certificate of this history without a row is nobody's", told.code == 3 and "已被县局停用" in told.err, repr(told))


def damaged_backup(cases, server, saved):
    for name in ("database.dump", "ca.key", "SHA256SUMS"):
        copy = saved + "-damaged"
        shutil.copytree(saved, copy)
        with open(os.path.join(copy, name), "r+b") as out:
            out.seek(os.path.getsize(os.path.join(copy, name)) // 2)
            byte = out.read(1)
            out.seek(-1, os.SEEK_CUR)
            out.write(bytes([byte[0] ^ 1]))
        run = jgd(server, "restore", copy)
        cases.check("a backup with a damaged %s is refused" % name, run.returncode != 0, run.stdout)
        shutil.rmtree(copy)
    shutil.copytree(saved, saved + "-damaged")
    os.unlink(saved + "-damaged/database.dump")
    cases.check("a backup without its database is refused", jgd(server, "restore", saved + "-damaged").returncode != 0)
    shutil.rmtree(saved + "-damaged")
    cases.check("a folder that is no backup is refused", jgd(server, "restore", server.dir).returncode != 0)


def state_of(server):
    return {name: open(os.path.join(server.data, name), "rb").read() for name in sorted(os.listdir(server.data)) if os.path.isfile(os.path.join(server.data, name))}


def care(cases, server):
    run = jgd(server, "doctor")
    cases.check("doctor finds a healthy county healthy", run.returncode == 0, run.stdout + run.stderr)
    key = os.path.join(server.data, "ca.key")
    os.chmod(key, 0o644)
    run = jgd(server, "doctor")
    cases.check("doctor names a key that others can read", run.returncode != 0 and "ca.key" in run.stdout and "chmod 600" in run.stdout, run.stdout)
    os.chmod(key, 0o600)
    before = state_of(server)
    run = jgd(server, "init", "--county", "329999", "--name", "别的局", "--embedded")
    cases.equal("a second init is refused", run.returncode, 3)
    cases.check("and changes nothing", state_of(server) == before)
    both = [subprocess.Popen([JGD, "migrate", "--data", server.data], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    outs = [run.communicate(timeout=120)[0] for run in both]
    cases.equal("two migrations at once", [run.returncode for run in both], [0, 0])
    cases.check("the county is healthy after them", jgd(server, "doctor").returncode == 0, "".join(outs))


CHURN = """
import os
while True:
    for i in range(300):
        open("coming-and-going-%d" % i, "w").close()
    for i in range(300):
        os.unlink("coming-and-going-%d" % i)
"""


def starts_again(cases, server):
    """A jgd that was killed left its PostgreSQL behind, which makes and removes files while the next one starts."""
    busy = subprocess.Popen(["runuser", "-u", "jingguan", "--", sys.executable, "-c", CHURN], cwd=server.data)
    foreign = os.path.join(server.data, "put-here-by-root")
    try:
        for _ in range(5):
            open(foreign, "w").close()
            server.stop(signal.SIGKILL)
            server.start()
            cases.equal("what root has put there is the account's", os.stat(foreign).st_uid, os.stat(server.data).st_uid)
            os.unlink(foreign)
    finally:
        busy.terminate()
        busy.wait()


def passwords(cases, server):
    admin = server.people["sysadmin"]
    old = admin.ok("users", "add", "--school", SCHOOLS[0], "--role", "clerk", "旧密码")
    guessed = admin.ok("users", "add", "--school", SCHOOLS[0], "--role", "head", "被猜者")
    person = server.person("guesser")
    person.connect(server.code(admin.ok("devices", "invite", "--school", SCHOOLS[0])["code"]))
    person.password = "wrong-password-1"
    codes = [person.run("login", guessed["user"], "--json").json["error"]["code"] for _ in range(6)]
    cases.equal("five wrong passwords, then a lock", [codes[0], codes[-1]], ["BAD_LOGIN", "LOCKED"])
    person.password = guessed["password"]
    cases.equal("the right one does not open it", person.run("login", guessed["user"], "--json").json["error"]["code"], "LOCKED")
    server.people["secadmin"].login()
    server.people["secadmin"].ok("users", "unlock", guessed["user"])
    cases.equal("until it is unlocked", person.run("login", guessed["user"], "--json").code, 0)
    return person, old


def revocation(cases, server, person):
    admin = server.people["sysadmin"]
    devices = admin.ok("devices", "list")
    devices = devices.get("devices", devices) if isinstance(devices, dict) else devices
    mine = [d for d in devices if d["id"] == device_of(person)]
    cases.equal("the device is listed", len(mine), 1)
    admin.ok("devices", "revoke", mine[0].get("id") or mine[0]["device"])
    dead = None
    for step in range(25):
        result = person.run("sync", "--json")
        if result.code == 3:
            dead = step * 0.2
            break
        time.sleep(0.2)
    cases.check("a revoked device is dead within 5 s", dead is not None, repr(result))


def revoked_unseen(server):
    """A computer that is revoked while it lies in a drawer."""
    person = server.school(SCHOOLS[1], name="抽屉")
    person.ok("sync")
    server.people["sysadmin"].ok("devices", "revoke", device_of(person))
    return person


def forgotten(cases, person):
    cases.check("until then it is read as ever", person.run("students", "list").code == 0)
    told = person.run("sync")
    cases.check("a computer whose certificate has expired learns that it was revoked", told.code == 3 and "已被县局停用" in told.err and "网线" not in told.err, repr(told))
    shown = person.run("students", "list")
    cases.check("and shows nothing from then on", shown.code == 3 and "测试" not in shown.out, repr(shown))


def three_months(cases, server, people, old_password):
    admin, person = server.people["sysadmin"], people[SCHOOLS[0]]
    admin.login()
    admin.ok("server", "clock", "+4d")
    guesser, old = old_password
    guesser.password = old["password"]
    cases.equal("a first password not used for 72 hours is refused", guesser.run("login", old["user"], "--json").json["error"]["code"], "BAD_LOGIN")
    for day, step in ((60, 56), (91, 31)):
        admin.login()
        admin.ok("server", "clock", "+%dd" % step)
        person.login()
        person.ok("students", "set", number(1), "class_no=%d" % (day % 7 + 1))
        cases.check("day %d: nobody notices the certificate" % day, person.run("sync", "--json").code == 0)
    cert = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", glob.glob(person.profile + "/**/device.pem", recursive=True)[0]],
                          capture_output=True, text=True) if glob.glob(person.profile + "/**/device.pem", recursive=True) else None
    if cert:
        cases.check("and it is a new one", cert.returncode == 0, cert.stderr)


def main():
    cases = Cases()
    with Server() as server:
        people = drill(cases, server)
        enrolled_after_the_backup(cases, server)
        care(cases, server)
        starts_again(cases, server)
        server.people["sysadmin"].login()
        guesser = passwords(cases, server)
        idle = revoked_unseen(server)
        revocation(cases, server, people[SCHOOLS[1]])
        three_months(cases, server, people, guesser)
        forgotten(cases, idle)
        audit_is_whole(cases, "the trace is whole at the end", server)
    cases.close()


if __name__ == "__main__":
    main()
