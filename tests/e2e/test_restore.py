#!/usr/bin/python3
"""The drill: backup, more work, restore to the old backup, and everything that was acknowledged is there exactly once. And the
care of a county: doctor, init and migrate twice, certificates over three months, revocation, passwords that age or are guessed."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import time

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
    mine = [d for d in devices if d.get("school") == SCHOOLS[1] and not d.get("revoked")]
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
        care(cases, server)
        starts_again(cases, server)
        server.people["sysadmin"].login()
        guesser = passwords(cases, server)
        revocation(cases, server, people[SCHOOLS[1]])
        three_months(cases, server, people, guesser)
        audit_is_whole(cases, "the trace is whole at the end", server)
    cases.close()


if __name__ == "__main__":
    main()
