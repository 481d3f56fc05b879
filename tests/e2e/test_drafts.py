#!/usr/bin/python3
"""What a computer had not sent when it was revoked or rolled back: parents and what hangs on them, files, whoever sits there."""
import hashlib
import json
import os
import shutil
import subprocess
import time

from harness import Cases, JG, JGADMIN, JGD, Program
from wire_county import P, YEAR, WireCounty, id_no, pb

cases = Cases()
PLACE = ("--dest", "B2", "--place", "江苏省南京市")


def computer(county, name, school, role="REGISTRAR", classes=()):
    with county.people["sysadmin"].open() as wire:
        account = wire.call("Identity.AddUser", school=school, role=[getattr(pb, role)], klass=classes, name=name, login=name)
    person = Program(JG if school else JGADMIN, county.server.dir + "/profile-" + name)
    os.makedirs(person.profile)
    person.connect(county.server.code(county.invite(school)))
    person.first_login(account.user, account.password)
    return person


def table(county, numbers, guardian=False):
    """A roster; its path."""
    path = county.server.dir + "/roster.csv"
    with open(path, "w", encoding="utf-8") as out:
        out.write("姓名,证件号码,年级,班级,性别" + (",监护人姓名,监护人关系,监护人电话" if guardian else "") + "\n")
        for n in numbers:
            out.write("学生%s,%s,六年级,1班,%s%s\n" % (chr(0x4e00 + n), id_no(n), "男" if int(id_no(n)[16]) % 2 else "女", ",家长,父亲,1390000%04d" % n if guardian else ""))
    return path


def revoked_and_back(county, person):
    """The bureau revokes the computer, which seals what it had not sent, and enrols it anew."""
    with county.people["secadmin"].open() as wire:
        wire.call("Identity.RevokeDevice", id=json.load(open(person.profile + "/profile.json"))["device"])
    until = time.monotonic() + 30
    while "停用" not in person.run("status").err and time.monotonic() < until:
        person.run("sync")
    person.connect(county.server.code(county.invite(P)))
    person.login()


def rolled_back(person, act, changes):
    """`act` is sent; then the disk is as it was before, and `changes` are typed on it."""
    kept = person.profile + ".kept"
    shutil.copytree(person.profile, kept)
    act()
    person.ok("sync")
    shutil.rmtree(person.profile)
    shutil.move(kept, person.profile)
    changes()
    person.ok("sync", code=5)


def drafts(person, *kinds):
    return [row["id"] for row in person.ok("outbox", "list") if row["state"] == "draft" and (not kinds or row["kind"] in kinds)]


def doctor(person):
    return [check for check in person.ok("doctor", code=(0, 1))["checks"] if not check["ok"]]


def families(county, p):
    """M1, M3: a pupil with a guardian, a destination with a file."""
    p.ok("import", "students", table(county, (50, 51), guardian=True))
    revoked_and_back(county, p)
    cases.equal("what was not sent waits for its author", (p.ok("sync", code=5)["opened"], len(drafts(p))), (4, 4))
    cases.equal("that is no fault of the computer's", doctor(p), [])
    parents, children = drafts(p, "student"), drafts(p, "guardian")
    early = p.run("outbox", "fix", children[0])
    cases.check("a child before its parent is told which comes first", early.code == 3 and "jg outbox fix " + parents[0] in early.err, early)
    p.ok("outbox", "fix", parents[0])
    p.ok("sync", code=5)
    told = p.run("outbox", "fix", children[0])
    cases.check("the child by its pupil's name", told.code == 0 and "学生%s（六1班） 监护人" % chr(0x4e00 + 50) in told.out, told)
    p.ok("outbox", "withdraw", parents[1])
    cases.equal("who withdraws a pupil withdraws his guardian", drafts(p), [])
    sent = p.run("sync")
    hung = "SELECT count(*) FROM guardian g JOIN student s ON s.rec_id = g.student WHERE NOT g.deleted AND NOT s.deleted"
    cases.equal("the family is sent and nothing is left", (sent.code, county.psql(hung).strip(), doctor(p)), (0, "1", []))

    proof = county.server.dir + "/证明.pdf"
    with open(proof, "wb") as out:
        out.write(b"%PDF-1.4\n" + os.urandom(600))
    rolled_back(p, lambda: p.ok("students", "set", id_no(6), "class_no=3"), lambda: p.ok("transition", "set", id_no(3), *PLACE, "--evidence", proof))
    for row in drafts(p, "destination") + drafts(p, "evidence"):
        p.ok("outbox", "fix", row)
    sent = p.run("sync")
    hung = "SELECT count(*) FROM evidence e JOIN destination d ON d.rec_id = e.target JOIN blob b ON b.sha = e.sha AND b.complete WHERE NOT e.deleted AND NOT d.deleted"
    cases.equal("so are a destination and its file, after a roll-back", (sent.code, county.psql(hung).strip(), doctor(p)), (0, "1", []))


def photo(county, name, size=600):
    """A file that nobody has seen; its path and its hash."""
    path, content = os.path.join(county.server.dir, name), b"%PDF-1.4\n" + os.urandom(size)
    with open(path, "wb") as out:
        out.write(content)
    return path, hashlib.sha256(content).hexdigest()


def attach(person, n, path):
    return person.ok("transition", "set", id_no(n), *PLACE, "--evidence", path)


def files(county, p):
    """M2: a file is sent when, and as long as, a record at the bureau names it; what does not go is said, and what is said mends it."""
    def there(sha):
        return county.psql("SELECT complete FROM blob WHERE sha = '\\x%s'" % sha).strip().splitlines()[-1:]
    path, sha = photo(county, "撤销.pdf")
    attach(p, 7, path)
    p.ok("undo", next(b["id"] for b in p.ok("import", "list") if not b["undone"]))
    p.ok("sync")
    cases.equal("what was undone before it was sent is not sent", (there(sha), p.ok("status")["files_waiting"]), ([], 0))
    attach(p, 7, path)
    p.ok("sync")
    cases.equal("attached again it is", there(sha), ["t"])

    path, sha = photo(county, "停用.pdf")
    attach(p, 7, path)
    revoked_and_back(county, p)
    p.ok("sync", code=5)
    cases.equal("what only a draft names is not sent", (there(sha), p.ok("status")["files_waiting"]), ([], 0))
    for row in drafts(p):
        p.ok("outbox", "fix", row)
    p.ok("sync")
    cases.equal("with its draft it is", there(sha), ["t"])

    path, sha = photo(county, "损坏.pdf")
    attach(p, 8, path)
    with open(os.path.join(p.profile, "blobs", sha), "wb") as out:
        out.write(os.urandom(300))
    told, status, list_ = p.run("sync"), p.run("status"), p.run("evidence", "list")
    cases.check("a file whose copy is damaged is told by sync, status and doctor", told.code == 5 and all("jg evidence list" in text for text in (told.err, status.err))
                and [check["name"] for check in doctor(p)] == ["files"] and "jg evidence list" in doctor(p)[0]["mend"], (told, status, doctor(p)))
    cases.check("the list has which, and what to do", any("损坏.pdf" in line and "传不上去" in line for line in list_.out.splitlines()) and "再附一次同一个文件" in list_.err, list_)
    attach(p, 8, path)
    cases.equal("doing so mends it", (p.run("sync").code, there(sha), doctor(p)), (0, ["t"], []))

    path, sha = photo(county, "没有空间.pdf")
    attach(p, 9, path)
    full = "DO $$ BEGIN FOR i IN 1..410 LOOP INSERT INTO blob (county, school, sha, size) VALUES (329999, '%s', sha256(int4send(i)), 10485760); END LOOP; END $$" % P
    county.psql(full)
    told, list_ = p.run("sync"), p.run("evidence", "list")
    cases.check("a bureau without room is told", told.code == 5 and "县局没有空间" in list_.out and "系统管理员" in list_.err, (told, list_))
    county.psql("DELETE FROM blob WHERE size = 10485760")
    cases.equal("and tried again by the next synchronisation", (p.run("sync").code, there(sha), doctor(p)), (0, ["t"], []))


def teacher(county, p):
    """M4: who may not open what her computer sealed is told who may."""
    mine = computer(county, "banzhuren", P, "CLASS_TEACHER", ["六1班"])
    mine.ok("sync")
    mine.ok("students", "set", id_no(11), "live_address=某村1号")
    revoked_and_back(county, mine)
    for words in (("login", mine.user), ("sync",), ("status",)):
        told = mine.run(*words)
        cases.check("a class teacher is told of her sealed work: jg %s" % words[0], told.code == 0 and "unsent.sealed" in told.err and "请学籍管理员" in told.err, told)
    registrar = Program(JG, mine.profile, p.user)
    told = registrar.run("login", p.user)
    cases.check("so is the registrar who logs in there", told.code == 0 and "unsent.sealed" in told.err and "jg sync 打开" in told.err, told)
    opened, status = registrar.ok("sync", code=5)["opened"], registrar.run("status")
    cases.check("whose synchronisation opens it", opened == 1 and "unsent.sealed" not in status.err and len(drafts(registrar)) == 1, status)


def decided(county, p):
    """M6: a deletion that the bureau refuses is shown as one, and its advice leaves things as they were."""
    path, _ = photo(county, "认可.pdf")
    attach(p, 12, path)
    p.ok("sync")
    with county.people["edu"].open() as wire:
        pupil = next(row.id for row in wire.call("Transition.ListProofs", year=YEAR).proof if row.student.cert_no == id_no(12))
        wire.call("Transition.DecideProof", year=YEAR, pupil=pupil, accept=True)
    listed = lambda: [row["id"] for row in p.ok("evidence", "list") if row["name"] == "认可.pdf"]
    before = listed()
    p.ok("evidence", "withdraw", before[0])
    p.ok("sync", code=5)
    row = next(row["id"] for row in p.ok("outbox", "list") if row["state"] == "refused")
    shown = p.run("outbox", "show", row).out
    cases.check("a refused deletion says why, of what, and what to do", all(text in shown for text in ("删除佐证材料", "县局已经认可", "认可.pdf", "不删了：jg outbox withdraw " + row)) and "原值" not in shown, shown)
    cases.equal("a deletion has no fields", p.run("outbox", "fix", row, "name=x").code, 2)
    p.ok("outbox", "fix", row)
    p.ok("sync", code=5)
    again = next(o["id"] for o in p.ok("outbox", "list") if o["state"] == "refused")
    cases.check("asked for again it is refused again", again != row, again)
    told = p.run("outbox", "withdraw", again)
    cases.check("its advice leaves the file where it was", "记录照旧" in told.out and listed() == before and p.run("sync").code == 0, told)


def restored(county, p):
    """A county restored from before a file gets it again, like the record that names it."""
    jgd = lambda *words: subprocess.run([JGD, *words, "--data", county.server.data], check=True, capture_output=True, text=True)
    saved = jgd("backup", county.server.dir + "/backup").stdout.strip().split("：")[-1]
    path, sha = photo(county, "恢复.pdf")
    attach(p, 10, path)
    p.ok("sync")
    county.server.stop()
    jgd("restore", saved)
    county.server.start()
    p.login()
    p.ok("sync")
    cases.equal("a restored county gets files again", county.psql("SELECT complete FROM blob WHERE sha = '\\x%s'" % sha).strip().splitlines()[-1:], ["t"])


def main():
    with WireCounty() as county:
        county.registers()
        p, edu = computer(county, "xueji", P), computer(county, "jijiao", "", "BASIC_EDU")
        p.ok("import", "students", table(county, range(1, 31)))
        p.ok("sync")
        edu.ok("transition", "open", "--year", YEAR, "--yes")
        p.ok("sync")
        families(county, p)
        files(county, p)
        teacher(county, p)
        decided(county, p)
        restored(county, p)
    cases.close()


if __name__ == "__main__":
    main()
