#!/usr/bin/python3
"""The disk full, at a school and at the bureau: what fails says so, nothing that was accepted is lost, and with room again all goes on.

Profiles and the database stand on small tmpfs mounts; a ballast file leaves as many pages free as a step wants. Each piece of work is
tried with ever more room, so that the failure walks through everything it writes: journal, outbox, files, receipts, staging, flip."""
import csv
import os
import re
import shutil
import subprocess
import sys
import time

import openpyxl
from county_files import check_digit
from harness import JGD, Cases, Failure, Server
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
            while left > 0:
                left -= out.write(b"x" * fs.f_frsize * min(left, 256)) // fs.f_frsize

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
    """Both ways: receipts for what is sent, staging and flip for what comes from the school's other computer."""
    numbers = sorted(county.expected)

    def before():
        before.nth += 1
        for no in numbers[4:8]:
            person.ok("students", "set", "-", "class_no=%d" % (20 + before.nth), stdin=no + "\n")
        other.ok("import", "students", county.table(numbers[10:50]))  # as they were: nothing, or
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
        return person.run("export", "students", "-o", path, "--json", env={"TMPDIR": tmpdir} if tmpdir else None)

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


def main():
    with Server() as server:
        disk = Disk(server.dir + "/disk", "8m")
        try:
            school_side(server, disk)
        finally:
            disk.close()
        if cases.failed:
            print(open(server.dir + "/jgd.log").read()[-3000:], file=sys.stderr)
    cases.close()


if __name__ == "__main__":
    main()
