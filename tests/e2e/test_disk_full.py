#!/usr/bin/python3
"""The disk full, at a school and at the bureau: what fails says so, nothing that was accepted is lost, and with room again all goes on.

Profiles and the database stand on small tmpfs mounts; a ballast file leaves as many pages free as a step wants. Each piece of work is
tried with ever more room, so that the failure walks through everything it writes: journal, outbox, files, receipts, staging, commit."""
import glob
import json
import concurrent.futures
import csv
import errno
import os
import shutil
import subprocess
import sys
import time

import openpyxl
from county_files import check_digit
from harness import JGD, Cases, Server
from wire_county import J, P

YEAR = 2027
cases = Cases()


class Disk:
    """A tmpfs at `path`; room(n) leaves n pages of it free, room(None) all."""

    def __init__(self, path, size):
        self.path, self.ballast = path, os.path.join(path, "ballast")
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=" + size, "tmpfs", path], check=True)

    def room(self, pages):
        if os.path.exists(self.ballast):
            os.truncate(self.ballast, 0)
            os.unlink(self.ballast)
        if pages is None:
            return
        fs = os.statvfs(self.path)
        with open(self.ballast, "wb", buffering=0) as out:
            left = fs.f_bavail - pages
            try:
                while left > 0:
                    left -= out.write(b"x" * fs.f_frsize * min(left, 256)) // fs.f_frsize
            except OSError as full: # what runs on it took pages meanwhile
                if full.errno != errno.ENOSPC:
                    raise

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)


class County:
    def __init__(self, server):
        self.server, self.count, self.expected = server, 0, set()
        self.edu = server.bureau("basic_edu")
        path = os.path.join(server.dir, "schools.csv")
        with open(path, "w") as out:
            out.write("学校标识码,学校名称,办学类型,举办者,区划代码\n%s,演练县第一小学,211,831,329999100\n%s,演练县第一初级中学,311,831,329999\n" % (P, J))
        self.edu.ok("schools", "import", path)

    def move(self, person, disk):
        """The person's profile to another disk."""
        shutil.copytree(person.profile, os.path.join(disk.path, "profile"))
        person.profile = os.path.join(disk.path, "profile")
        return person

    def numbers(self, n):
        out = []
        for _ in range(n):
            self.count += 1
            body = "3299992015%02d%02d%03d" % (1 + self.count // 1000 % 8, 1 + self.count // 36000 % 28, self.count % 1000)
            out.append(body + check_digit(body))
        return out

    def table(self, numbers):
        path = os.path.join(self.server.dir, "students.csv")
        with open(path, "w") as out:
            out.write("姓名,身份证号,性别,年级,班级\n")
            for no in numbers:
                out.write("学生%s,%s,%s,六年级,%d班\n" % (chr(0x4e00 + int(no[10:12] + no[14:17]) % 9000), no, "男" if int(no[16]) % 2 else "女", 1 + int(no[16]) % 3))
        return path


def state(person):
    """What the school sees as saved."""
    status = person.ok("status")
    return (sorted((s["cert_no"], s["class_no"] if "class_no" in s else s.get("class")) for s in person.ok("students", "list")), [(o["id"], o["state"]) for o in person.ok("outbox", "list")],
            [(t["student"]["cert_no"], t["category"], t["evidence"]) for t in person.ok("transition", "list")], status["waiting"], status["unknown"], status["files_waiting"])


def full(result):
    """Refused as a full disk: the words, exit 1, and with --json the code."""
    return result.code == 1 and result.json["error"]["code"] == "DISK_FULL" and result.json["error"]["hint"] != "" and "磁盘已满" in result.err


def sweep(name, disk, rooms, run, before, after):
    """run() with ever more room until it goes through twice. after(result, done, was) judges each try with the disk free again."""
    bad, refused, passed = [], 0, 0
    for pages in rooms:
        was = before()
        disk.room(pages)
        result = run()
        disk.room(None)
        done = result.code == 0
        story = None if done or full(result) else "not refused as a full disk: %r" % result
        story = story or after(result, done, was)
        refused, passed = refused + (not done), passed + done
        if story:
            bad.append("%d pages: %s" % (pages, story))
        if passed == 2:
            break
    cases.check("%s: refused %d times, each time whole or not at all" % (name, refused), not bad, "\n  ".join(bad[:4]) + " (%d)" % len(bad))
    cases.check("%s: it was refused, and went through with room" % name, refused >= 2 and passed >= 1, "refused %d, passed %d" % (refused, passed))
    return refused


# ---- the school's disk ----

def sweep_import(county, person, disk):
    def run():
        run.numbers = county.numbers(60)
        return person.run("import", "students", county.table(run.numbers), "--json")

    def after(result, done, was):
        now = state(person)
        if not done:
            county.count -= 60
            return None if now == was else "an import refused changed what is saved"
        county.expected |= set(run.numbers)
        return None if {c for c, _ in now[0]} == {c for c, _ in was[0]} | set(run.numbers) and now[3] == was[3] + 60 else "an import accepted is not there"

    sweep("import", disk, range(0, 400, 3), run, lambda: state(person), after)


def sweep_evidence(county, person, disk):
    proof = os.path.join(county.server.dir, "proof.pdf")

    def run():
        with open(proof, "wb") as out:
            out.write(b"%PDF-1.4\n" + os.urandom(60000))
        no = sorted(county.expected)[run.nth]
        return person.run("transition", "set", "-", "--dest", "B2", "--place", "江苏省南京市", "--evidence", proof, "--json", stdin=no + "\n")
    run.nth = 3

    def after(result, done, was):
        now = state(person)
        if not done:
            return None if now == was else "a destination refused changed what is saved: %r %r" % (was[2:], now[2:])
        run.nth += 1
        mine = [t for t in now[2] if t[0] == sorted(county.expected)[run.nth - 1]]
        return None if mine and mine[0][1:] == ("B2", 1) and now[5] == was[5] + 1 else "a destination accepted is not there: %r" % mine

    sweep("transition set with a file", disk, range(0, 120, 1), run, lambda: state(person), after)


def sweep_set(county, person, disk):
    def run():
        run.nth += 1
        return person.run("students", "set", "-", "class_no=%d" % (11 + run.nth), "--json", stdin=sorted(county.expected)[1] + "\n")
    run.nth = 0

    def after(result, done, was):
        now = state(person)
        return None if (now != was) == done else "set: refused or done is not what is saved"

    sweep("students set", disk, range(0, 40, 1), run, lambda: state(person), after)


def goes_on(person, name=None):
    result = person.run("sync", "--json")
    report = result.json if result.code == 0 else {}
    good = report.get("pending") == 0 and report.get("digest_ok") is True and not report.get("refused") and not report.get("conflicts")
    if name:
        cases.check(name, good, repr(result))
    return None if good else "the next sync does not go through: %r" % result


def sweep_sync(county, person, other, disk):
    """Both ways: receipts for what is sent, staging and commit for what comes from the school's other computer."""
    numbers = sorted(county.expected)

    def before():
        before.nth += 1
        for no in numbers[4:8]:
            person.ok("students", "set", "-", "class_no=%d" % (20 + before.nth), stdin=no + "\n")
        other.ok("import", "students", county.table(numbers[10:50]), "--force")  # as they were: nothing, or the classes set below taken back
        for no in numbers[8:12]:
            other.ok("students", "set", "-", "class_no=%d" % (20 + before.nth), stdin=no + "\n")
        other.ok("sync")
    before.nth = 0

    def run():
        return person.run("sync", "--json")

    def after(result, done, was):
        status = person.ok("status")
        if not done and status["last_try"]["error"] not in (None, "DISK_FULL"):
            return "status tells another error: %r" % status
        story = goes_on(person)
        if story:
            return story
        classes = {s["cert_no"]: s for s in person.ok("students", "list")}
        wrong = [no for no in numbers[4:12] if str(20 + before.nth) not in map(str, classes[no].values())]
        return "values are not there after it: %r" % wrong if wrong else None

    sweep("sync", disk, range(0, 60, 1), run, before, after)


def sweep_first_pull(county, person, disk):
    """Everything, into an empty store."""
    def before():
        for name in ("store.db", "store.key", "store.db-journal"):
            if os.path.exists(os.path.join(person.profile, name)):
                os.unlink(os.path.join(person.profile, name))

    def after(result, done, was):
        return goes_on(person) or (None if {s["cert_no"] for s in person.ok("students", "list")} == county.expected else "pupils are missing")

    sweep("first pull", disk, range(0, 500, 9), lambda: person.run("sync", "--json"), before, after)


def rows_of(path):
    if path.endswith(".csv"):
        with open(path, encoding="utf-8-sig") as file:
            return len(list(csv.reader(file)))
    book = openpyxl.load_workbook(path, read_only=True)
    return sum(1 for _ in book.active.rows)


def sweep_export(county, person, disk, ending, tmpdir=None):
    path = os.path.join(disk.path, "out." + ending)

    def run():
        return person.run("export", "students", "-o", path, "--force", "--json", env={"TMPDIR": tmpdir} if tmpdir else None)

    def after(result, done, was):
        left = [name for name in os.listdir(disk.path) if name.startswith("out.")]
        if not done:
            return None if left == ["out." + ending] and rows_of(path) == 1 else "a refused export left %r" % left
        try:
            whole = rows_of(path) == len(county.expected) + 1
        except Exception as fault: # whatever the reader says, it is no table
            return "an accepted export cannot be read: %r" % fault
        return None if whole else "an accepted export has %d rows" % rows_of(path)

    def before():
        """What stood there before is only replaced by a whole one."""
        if ending == "csv":
            with open(path, "w") as out:
                out.write("old\n")
        else:
            book = openpyxl.Workbook()
            book.active.append(["old"])
            book.save(path)

    sweep("export .%s%s" % (ending, " (and its temporary files)" if tmpdir else ""), disk, range(0, 60, 1), run, before, after)
    os.unlink(path)


def school_side(server, disk):
    county = County(server)
    person = county.move(server.school(P), disk)
    disk.room(None)
    sweep_import(county, person, disk)
    county.expected |= {s["cert_no"] for s in person.ok("students", "list")}
    goes_on(person, "what was accepted goes out")
    county.edu.ok("transition", "open", "--year", YEAR)
    goes_on(person)
    sweep_evidence(county, person, disk)
    sweep_set(county, person, disk)
    other = server.school(P, name="other")
    goes_on(person, "changes and files go out")
    goes_on(other)
    sweep_sync(county, person, other, disk)
    for ending in ("csv", "xlsx"):
        sweep_export(county, person, disk, ending)
    sweep_export(county, person, disk, "xlsx", disk.path)
    disk.room(0)
    result = person.run("login", person.user, "--json")
    disk.room(None)
    cases.check("a login that cannot be written is refused as a full disk", full(result), repr(result))
    goes_on(person, "and the old one still stands")
    doctor = {c["name"]: c for c in person.run("doctor", "--json").json["checks"]}
    cases.check("the store is whole", all(doctor[name]["ok"] for name in ("store", "sealed", "outbox")), str(doctor))
    reader = county.move(server.school(P, name="reader"), Disk(server.dir + "/disk2", "8m"))
    disk2 = os.path.dirname(reader.profile)
    try:
        sweep_first_pull(county, reader, type("D", (), {"path": disk2, "ballast": disk2 + "/ballast", "room": Disk.room})())
    finally:
        subprocess.run(["umount", "-l", disk2], check=False)
    return county, person


# ---- the bureau's disk ----

SCOPE = "SET app.county = '329999'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = ''; "


def database_disk(server):
    """The database's folder moves to a small disk of its own, before anything serves."""
    data = server.data + "/pg/data"
    owner = os.stat(data)
    os.rename(data, data + ".was")
    disk = Disk(data, "192m")
    subprocess.run(["cp", "-a", data + ".was/.", data], check=True)
    shutil.rmtree(data + ".was")
    os.chown(data, owner.st_uid, owner.st_gid)
    os.chmod(data, 0o700)
    return disk


def waiting_calls(county, person):
    numbers = county.numbers(300)
    county.expected |= set(numbers)
    person.ok("import", "students", county.table(numbers))
    return 300


def bureau_refuses(name, county, person):
    """What cannot be stored is not acknowledged: it waits, and the words are those of a server that comes back."""
    before, jgd = person.ok("status"), county.server.process
    result = person.run("sync", "--json", timeout=200)
    after = person.ok("status")
    kept = after["waiting"] + after["unknown"]
    cases.check("%s: jg says that it waits" % name, result.code == 4 and result.json["error"]["safe"] == "已保存在本机，待发送 %d 项" % kept and kept > 0, repr(result))
    cases.check("%s: nothing is taken for sent that was not" % name, kept + after["accepted"] == before["waiting"] + before["unknown"] + before["accepted"], "%r %r" % (before, after))
    cases.check("%s: jgd lives" % name, jgd.poll() is None)


def bureau_goes_on(name, county, person, patience=40):
    """With room again, without anybody's hand on the server."""
    for _ in range(patience):
        result = person.run("sync", "--json", timeout=200)
        if result.code != 4:
            break
        time.sleep(0.5)
    report = result.json if result.code == 0 else {}
    cases.check("%s: with room the sync goes on" % name, report.get("pending") == 0 and report.get("digest_ok") is True and not report.get("refused"), repr(result))
    stored = county.server.psql(SCOPE + "SELECT cert_no FROM student WHERE NOT deleted").splitlines()
    cases.check("%s: each record is there once" % name, sorted(stored) == sorted(county.expected), "%d stored, %d expected" % (len(stored), len(county.expected)))
    gaps = county.server.psql(SCOPE + "SELECT device_id, first_op FROM (SELECT device_id, first_op, coalesce(lag(last_op) OVER (PARTITION BY device_id, incarnation"
                              " ORDER BY first_op), 0) + 1 AS due FROM op_push) p WHERE first_op <> due")
    cases.equal("%s: operation numbers have no gap" % name, gaps, "")


def meets_a_full_disk(name, county, person, disk):
    """A sync that is under way waits the full disk out."""
    log = os.path.join(county.server.dir, "jgd.log")
    disk.room(0)
    command = [person.binary, "--profile", person.profile, "sync", "--json"]
    sync = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": ""})
    until = time.monotonic() + 20
    while "disk is full" not in open(log).read() and sync.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    cases.check("%s: jgd says so in its log, the sync waits" % name, "disk is full" in open(log).read() and sync.poll() is None)
    disk.room(None)
    out, err = sync.communicate(timeout=120)
    cases.check("%s: with room the sync under way goes on by itself" % name, sync.returncode == 0, "%d %s %s" % (sync.returncode, out, err))
    cases.check("%s: jgd lives" % name, county.server.process.poll() is None)


def panic(server):
    """The write-ahead log cannot grow: PostgreSQL gives up, and cannot start again either."""
    for _ in range(60):
        run = server.psql_once("SELECT pg_logical_emit_message(true, 'test', repeat('x', 1000000)); SELECT pg_switch_wal()", "jingguan")
        if run.returncode == 2 or "PANIC" in run.stderr or "terminated" in run.stderr or "closed the connection" in run.stderr:
            return True
    return False


def log_lines(server):
    """Of all that is logged about the private PostgreSQL, by itself and by jgd."""
    count = 0
    for path in glob.glob(server.data + "/pg/*.log") + glob.glob(server.data + "/pg/log/*") + [server.dir + "/jgd.log"]:
        with open(path, errors="replace") as file:
            count += len(file.readlines())
    return count


def bureau_side(server, disk):
    county = County(server)
    person = server.school(P)
    goes_on(person)
    waiting_calls(county, person)
    meets_a_full_disk("tables full", county, person, disk)
    bureau_goes_on("tables full", county, person)
    waiting_calls(county, person)
    disk.room(0)
    cases.check("the write-ahead log is full: PostgreSQL panics", panic(server))
    begun, before = time.monotonic(), log_lines(server)
    bureau_refuses("log full", county, person)
    rate = (log_lines(server) - before) / max(time.monotonic() - begun, 1)
    cases.check("log full: jgd does not fill the rest of the disk with its tries", rate < 12, "%.1f lines a second" % rate)
    disk.room(None)
    bureau_goes_on("log full", county, person)
    auditor = server.people["auditor"]
    auditor.login()
    cases.check("the trace is whole", auditor.run("audit", "verify").code == 0)
    return county


def backups(server):
    """A backup that does not fit is no backup, and does not look like one."""
    disk = Disk(server.dir + "/backups", "4m")
    os.chmod(disk.path, 0o777)
    target = disk.path + "/b"
    bad, refused, made = [], 0, 0
    try:
        for pages in [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30] + list(range(40, 1000, 40)):
            disk.room(pages)
            run = subprocess.run([JGD, "backup", target, "--data", server.data], capture_output=True, text=True, timeout=60)
            disk.room(None)
            names = os.listdir(target) if os.path.isdir(target) else []
            if run.returncode == 0:
                made += 1
                whole = len(names) == 1 and subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=os.path.join(target, names[0]), capture_output=True).returncode == 0
                if not whole:
                    bad.append("%d pages: made, and not whole: %r" % (pages, names))
                break
            refused += 1
            if run.returncode != 1 or "磁盘已满" not in run.stderr or names:
                bad.append("%d pages: exit %d, %r left, %s" % (pages, run.returncode, names, run.stderr))
    finally:
        disk.close()
    cases.check("backup: refused %d times for the full disk, nothing left behind" % refused, refused > 5 and not bad, "\n  ".join(bad[:3]) + " (%d)" % len(bad))
    cases.check("backup: made with room", made == 1)


def passwords(server):
    """The disk fills while the accounts are made: the file from before has their passwords, and the screen the log-ins."""
    disk, admin = Disk(server.dir + "/stick", "1m"), server.people["sysadmin"]
    school = json.loads(admin.run("schools", "list", "--json").out)[0]["name"]
    server.psql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN new; END $$;"
                "CREATE TRIGGER slow BEFORE INSERT ON user_account FOR EACH ROW WHEN (new.name LIKE '满%') EXECUTE FUNCTION slow()")
    try:
        for name, kind in (("满甲", "csv"), ("满乙", "xlsx")):
            table, secrets = os.path.join(server.dir, kind + ".csv"), os.path.join(disk.path, "密码." + kind)
            with open(table, "w") as out:
                out.write("学校,姓名,角色\n%s,%s,文书\n" % (school, name))
            run = subprocess.Popen([admin.binary, "--profile", admin.profile, "users", "import", table, "-o", secrets], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env={**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": ""})
            while run.poll() is None and not os.path.exists(secrets):
                time.sleep(0.02)
            disk.room(0)
            out, err = run.communicate(timeout=60)
            disk.room(None)
            user = server.psql("SELECT user_id FROM user_account WHERE name = '%s'" % name)
            cases.check("a %s of passwords on a full disk: the account, its password and what to do are on the screen" % kind, run.returncode == 1 and user and user in out
                        and "磁盘已满" in err and "帐号都建好了" in err and "users list" in err and "[ERROR]" not in err and "中途" not in err, (run.returncode, user, out, err))
            cases.check("and the file still has the password", kind != "csv" or out.split(user)[1].split()[0] in open(secrets).read(), out)
    finally:
        server.psql("DROP TRIGGER slow ON user_account; DROP FUNCTION slow()")
        disk.close()


def papers(server, county):
    """Codes on paper, a report: what stood under the name is replaced by a whole one only, and codes that were made are not lost."""
    disk, admin = Disk(server.dir + "/papers", "1m"), server.people["sysadmin"]
    try:
        for name, person, args in (("连接码.pdf", admin, ("devices", "invite", "--all", "-o")), ("汇总.html", county.edu, ("transition", "summary", "--year", YEAR, "--html"))):
            path = os.path.join(disk.path, name)
            with open(path, "w") as out:
                out.write("old")
            disk.room(0)
            result, told = person.run(*args, path), person.run(*args, path, "--json")
            disk.room(None)
            cases.check("%s on a full disk: said, and what was there stands" % name, result.code == 1 and "磁盘已满" in result.err and full(told) and open(path).read() == "old"
                        and name + ".part" not in os.listdir(disk.path), (result, told, os.listdir(disk.path)))
            if name.endswith("pdf"):
                cases.check("the codes that were made are on the screen", "连接码" in result.out and len(told.json["invitations"]) == 2, (result, told))
            cases.check("%s: written with room" % name, person.run(*args, path).code == 0 and os.path.getsize(path) > 1000)
        result = admin.run("devices", "invite", "--all", "-o", server.dir + "/nowhere/连接码.pdf")
        cases.check("a folder that is not there is told before codes are made", result.code == 1 and "连接码 " not in result.out and "没有这个文件或文件夹" in result.err, result)
    finally:
        disk.close()


def schools():
    with Server() as server:
        disk = Disk(server.dir + "/disk", "8m")
        try:
            county, _ = school_side(server, disk)
            papers(server, county)
        finally:
            disk.close()


def bureau():
    server = Server()
    disk = None
    try:
        server.init()
        disk = database_disk(server)
        server.start()
        server.enrol_admins()
        bureau_side(server, disk)
        backups(server)
        passwords(server)
        if cases.failed:
            print(open(server.dir + "/jgd.log").read()[-3000:], open(server.data + "/pg/start.log").read()[-1500:], file=sys.stderr)
    finally:
        if disk:
            disk.room(None)
        server.stop()
        if disk:
            disk.close()
        if not os.environ.get("JG_KEEP"):
            shutil.rmtree(server.dir, ignore_errors=True)


def main():
    # Two counties side by side: most of the time one of them waits on purpose.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for side in [pool.submit(schools), pool.submit(bureau)]:
            side.result()
    cases.close()


if __name__ == "__main__":
    main()
