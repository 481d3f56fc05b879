#!/usr/bin/python3
"""The bureau's work in bulk, and its decisions with eyes open: what a case shows and fetches before a word is said, evidence that nobody
has looked at, accounts from a table, class teachers, catchments listed and corrected, what a computer still holds."""
import hashlib
import os
import stat

from county_files import check_digit
from harness import Cases, Server
from test_decisions import at_terminal

P, Q, J = "2132990001", "2132990002", "3132990001"
YEAR = 2027
cases = Cases()


def number(n):
    body = "32999920150301%03d" % n
    return body + check_digit(body)


def write(server, name, text):
    path = os.path.join(server.dir, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def proof(server, clerk, primary):
    """What a pupil declares, with its evidence fetched, before the word; and the word about what nobody has looked at."""
    away = number(1)
    letter = write(server, "就读证明.pdf", "%PDF-1.4 就读证明")
    primary.ok("transition", "set", away, "--dest", "B3", "--place", "上海市", "--evidence", letter)
    primary.ok("transition", "set", number(3), "--dest", "B3", "--place", "上海市", "--evidence", letter)
    primary.ok("sync")
    told = clerk.run("transition", "proof", "accept", "--year", YEAR, number(3), "--json")
    cases.check("a script is told that nobody has looked, and is not held up", told.code == 0 and "1 份材料您还没有看过" in told.err and "proof show" in told.err, told)
    code, screen = at_terminal(clerk, "transition", "proof", "accept", "--year", str(YEAR), away, say="no\n")
    cases.check("a person is asked, and may think again", code == 3 and "还没有看过" in screen and "什么也没有改动" in screen, screen)
    cases.equal("then nothing was recorded", [p["word"] for p in clerk.ok("transition", "proof", "list", "--year", YEAR) if p["student"]["cert_no"] == away], [None])
    shown = clerk.run("transition", "proof", "show", "--year", YEAR, away)
    cases.check("the case in words: the pupil masked, where to, by whom, the file and that it is unread",
                shown.code == 0 and "甲*" in shown.out and "甲生" not in shown.out and away not in shown.out and "外省 上海市" in shown.out and "演练县第1小学" in shown.out
                and "就***.pdf" in shown.out and "还没有看过" in shown.out and "--files" in shown.out and "B3" not in shown.out, shown)
    folder = os.path.join(server.dir, "材料")
    first = clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"]
    path = first[0]["path"]
    cases.equal("the evidence is fetched whole, for its owner alone", (open(path).read(), stat.S_IMODE(os.stat(path).st_mode), os.path.basename(path), first[0]["filed_by"], first[0]["read"]),
                (open(letter).read(), 0o600, "就读证明.pdf", P, True))
    cases.equal("its hash is the one on record", first[0]["sha256"], hashlib.sha256(open(letter, "rb").read()).hexdigest())
    cases.equal("again, nothing is written twice", (clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"][0]["path"], len(os.listdir(folder))), (path, 1))
    with open(path, "w") as out:
        out.write("我的记录")
    other = clerk.ok("transition", "proof", "show", "--year", YEAR, away, "--files", folder)["files"][0]["path"]
    cases.equal("and what stands there is never replaced", (open(path).read(), os.path.basename(other), open(other).read()), ("我的记录", "就读证明(2).pdf", open(letter).read()))
    barred = clerk.run("transition", "proof", "show", "--year", YEAR, away, "--files", "/proc/nowhere")
    cases.check("a folder that cannot be written is said before anything is fetched", barred.code != 0 and "不能写入" in barred.err, barred)
    seen = clerk.run("transition", "proof", "accept", "--year", YEAR, away)
    cases.check("who has looked is not asked", seen.code == 0 and "没有看过" not in seen.err, seen)
    again = clerk.run("transition", "proof", "show", "--year", YEAR, away)
    cases.check("the word stands in the case", "县局意见" in again.out and "认可" in again.out and "您看过" in again.out, again)
    missing = clerk.run("transition", "proof", "show", "--year", YEAR, "999999")
    cases.check("nobody of that number", missing.code == 3 and "没有这名学生" in missing.err, missing)
    log = server.people["auditor"].ok("audit", "search", "--what", "Sync.GetBlob")
    cases.check("each reading names its file in the access log", len(log) >= 3 and all(r["purpose"] == "file " + first[0]["sha256"] and r["user"] == clerk.user for r in log), log)
    cases.check("and so does each look at a case", len(server.people["auditor"].ok("audit", "search", "--what", "Transition.ShowProof")) >= 4, "")


def slips(server, clerk, leader, primary, junior):
    """A slip as the reviewer sees it: both answers with who gave them, contacts, reminders, rounds and terms; then the review."""
    for phase in ("assist", "confirm", "verify"):
        clerk.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
    clerk.ok("transition", "reconcile", "--year", YEAR)
    clerk.ok("transition", "slips", "issue", "--year", YEAR)
    slip = next(s for s in clerk.ok("transition", "slips", "list", "--year", YEAR) if s["student"]["cert_no"] == number(2))
    before = clerk.run("transition", "slips", "show", slip["no"])
    cases.check("before anybody answers", before.code == 0 and "还没有签收" in before.out and "联系记录：没有" in before.out and "24:00 前" in before.out and "M01" not in before.out
                and "未填报去向" in before.out, before)
    picture = write(server, "家访.txt", "家访照片")
    for school in (primary, junior):
        school.ok("sync")
        if slip["no"] not in [s["no"] for s in school.ok("slips", "list")]:
            continue
        school.ok("slips", "receive", slip["no"])
        school.ok("slips", "log", slip["no"], "--method", "家访", "--persons", "王老师", "--note", "家长同意入学", "--next", "2027-09-20")
        school.ok("slips", "answer", slip["no"], "--outcome", "persuading", "--note", "正在动员", "--evidence", picture)
        school.ok("sync")
    shown = clerk.run("transition", "slips", "show", slip["no"])
    cases.check("both answers in words, who gave them, the contacts and the evidence",
                all(text in shown.out for text in ("劝返中", "正在动员", "registrar", "家访", "王老师", "家长同意入学", "9月20日", "第 1 轮", "演练县第1小学 登记", "家*.txt", "没有看过", "review")), shown)
    cases.check("no code, no full name, no number", not any(text in shown.out for text in ("persuading", "M01", "乙生", number(2), "+08:00")), shown)
    json = leader.ok("transition", "slips", "show", slip["no"])
    cases.check("the leader sees it too", json["slip"]["no"] == slip["no"] and json["contacts"] and json["files"], json)
    refused = leader.run("transition", "slips", "show", slip["no"], "--files", os.path.join(server.dir, "局长"))
    cases.check("but fetches no file", refused.code == 3 and "没有权限" in refused.err, refused)
    code, screen = at_terminal(clerk, "transition", "slips", "review", slip["no"], "accept", say="no\n")
    cases.check("unread evidence is said before a slip is closed", code == 3 and "还没有看过" in screen, screen)
    clerk.ok("transition", "slips", "show", slip["no"], "--files", os.path.join(server.dir, "材料2"))
    done = clerk.run("transition", "slips", "review", slip["no"], "accept")
    cases.check("and not when it was looked at", done.code == 0 and "没有看过" not in done.err, done)
    wrong = clerk.run("transition", "slips", "show", "JB2027-9999")
    cases.check("a slip that is not", wrong.code == 3 and "没有这张交办单" in wrong.err and "slips list" in wrong.err, wrong)


def main():
    with Server() as server:
        schools = write(server, "schools.csv", "学校标识码,学校名称,办学类型,举办者,区划代码\n%s,演练县第1小学,211,831,329999100001\n%s,演练县第2小学,211,831,329999100002\n%s,演练县第一初级中学,311,831,329999100001\n" % (P, Q, J))
        clerk, leader = server.bureau("basic_edu"), server.bureau("leader")
        clerk.ok("schools", "import", schools)
        clerk.ok("catchments", "import", write(server, "areas.csv", "学校标识码,学段,区划代码\n%s,初中,329999100\n" % J))
        primary, junior = server.school(P), server.school(J)
        primary.ok("import", "students", write(server, "roster.csv", "姓名,证件号码,年级,班级,性别,现住址区划代码\n" + "".join(
            "%s生,%s,六年级,1班,%s,329999100001\n" % ("甲乙丙丁"[n - 1], number(n), "男" if int(number(n)[16]) % 2 else "女") for n in range(1, 5))))
        primary.ok("sync")
        clerk.ok("transition", "open", "--year", YEAR, "--yes")
        primary.ok("sync")
        proof(server, clerk, primary)
        slips(server, clerk, leader, primary, junior)
    cases.close()


if __name__ == "__main__":
    main()
