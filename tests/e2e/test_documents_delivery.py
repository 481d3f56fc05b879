#!/usr/bin/python3
"""A paper that goes to schools: each has its copy in its own stream, signs for it offline or not, answers what is asked; the bureau sees who owes what, judges answers, issues anew and
recalls. The law of deliveries holds at each step: whom it was addressed to is the sum of the states."""
import csv
import os
import subprocess
import time

from harness import Cases, Server

DRAFT = """标题：关于开展校园安全检查的通知
文种：通知
公开：主动公开
主送：全县学校
反馈：隐患数|number
反馈：检查日期|date
反馈：是否整改|choice|是,否
---
请各校认真检查，%s。
"""
P1, P2, J = "2132990001", "2132990002", "3132990001"
cases = Cases()


def wait(what, good, seconds=20):
    for _ in range(seconds * 10):
        found = what()
        if good(found):
            return found
        time.sleep(0.1)
    return found


with Server() as server:
    office, leader, edu = server.bureau("office"), server.bureau("leader"), server.bureau("basic_edu")
    path = os.path.join(server.dir, "schools.csv")
    with open(path, "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者\n%s,演练县第一小学,211,831\n%s,演练县第二小学,211,831\n%s,演练县第一初级中学,311,831\n" % (P1, P2, J))
    edu.ok("schools", "import", path)
    early = office.run("documents", "register", "--from", "县政府", "--title", "关于检查的通知", "--json")
    cases.check("before anybody has the desk it is said how one gets it", early.code == 3 and "desk set 收文" in early.json["error"]["hint"], str(early.json))
    head, clerk, junior = server.school(P1, "head"), server.school(P2, "head"), server.school(J, "clerk")
    wang = server.bureau("leader", "王分管")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "series", "add", "洪教发")

    def write(text):
        with open(os.path.join(server.dir, "通知.txt"), "w") as out:
            out.write(DRAFT % text)
        return os.path.join(server.dir, "通知.txt")

    def states(number):
        rows = office.ok("documents", "deliveries", number)
        cases.check("the law of deliveries holds", len(rows) == 3 and len({r["school"] for r in rows}) == 3, str(rows))
        return {r["school"]: r["state"] for r in rows}

    def tasks(number, step):
        return sorted(t["school"] or "" for t in office.ok("documents", "stuck") if t["number"] == number and t["step"] == step)

    cases.check("the office knows who there is", {"user": wang.user, "name": "王分管"} in office.ok("documents", "people"))
    no = edu.ok("documents", "draft", write("逐项登记"), "--signer", "王分管")["id"]
    cases.check("a draft has a number in the list", edu.run("documents", "list").out.splitlines()[1].split()[:2] == ["1", "还没有"])
    edu.ok("documents", "submit", "1")
    office.ok("documents", "approve", no)
    wang.run("documents", "list")
    read = wang.run("documents", "show", "1").out
    cases.check("who signs reads what it says, to whom, what is asked, and how it is signed", all(x in read for x in ("主送：全县学校", "请各校认真检查", "要学校反馈 q1：隐患数", "documents print " + no, "接下来：jgadmin documents sign " + no)), read)
    wang.ok("documents", "sign", "1")
    office.ok("documents", "recheck", no)
    number = office.ok("documents", "number", no, "--series", "洪教发")["number"]
    for words in (("press", number, "--copies", "3"), ("proof", "pass", number), ("seal", number, "--count", "3")):
        office.ok("documents", *words)
    refused = office.run("documents", "issue", number, "--json")
    cases.equal("questions want a day by which they are answered", (refused.code, refused.json["error"]["field"]), (3, "R20"))
    soon = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * 20))
    office.ok("documents", "issue", number, "--feedback-due", soon)
    cases.equal("each school has its task at once", tasks(number, "receipt"), [P1, P2, J])
    cases.equal("all have it to sign for", set(states(number).values()), {"sent"})
    cases.equal("nobody closes what schools still owe", office.run("documents", "close", number, "--json").json["error"]["code"], "RULE")

    mine = wait(lambda: (head.ok("sync"), head.ok("documents", "list"))[1], bool)
    cases.equal("the head reads it", [(d["number"], d["state"], d["version"], len(d["questions"])) for d in mine], [(number, "sent", 1, 3)])
    cases.check("it is to be done", any("签收" in t["text"] for t in head.ok("todo")), str(head.ok("todo")))
    cases.equal("an answer comes after the receipt", head.run("documents", "answer", number, "q1=1").code, 3)
    head.ok("documents", "read", number)
    head.ok("documents", "sign", number)
    cases.check("a second sign changes nothing", head.ok("documents", "sign", number).get("already") is True)
    cases.equal("the bureau sees who has signed", states(number), {P1: "signed", P2: "sent", J: "sent"})
    cases.equal("his task is over", tasks(number, "receipt"), [P2, J])
    for words in (("q1=3",), ("q1=3", "q2=明天", "q3=是"), ("q1=3", "q2=2026-12-05", "q3=也许"), ("q1=3", "q2=2026-12-05", "q3=是", "q9=1")):
        bad = head.run("documents", "answer", number, *words, "--json")
        cases.equal("%s is refused here" % "，".join(words), (bad.code, bad.json["error"]["field"]), (3, "R25"))
    cases.equal("and nothing of it waits", [o for o in head.ok("outbox", "list") if o["state"] != "accepted"], [])
    bad = head.run("documents", "answer", number, "q1=很多", "q2=2026-12-05", "q3=是", "--json")
    cases.equal("an answer of the wrong type is refused", (bad.code, bad.json["error"]["code"]), (3, "RULE"))
    head.ok("documents", "answer", number, "q1=3", "q2=2026-12-05", "q3=是")
    row = next(r for r in office.ok("documents", "deliveries", number) if r["school"] == P1)
    cases.equal("the answer is there", (row["state"], row["answer"]["q1"]), ("answered", "3"))
    cases.equal("the drafter has it to judge", tasks(number, "judge"), [P1])
    edu.ok("documents", "feedback", "return", number.replace("〔", "[").replace("〕", "]"), "第一小学", "--reason", "数字与台账不符")
    head.ok("sync")
    cases.equal("it came back", head.ok("documents", "list")[0]["state"], "returned")
    cases.check("and why", "数字与台账不符" in head.run("documents", "show", number).out)
    head.ok("documents", "answer", number, "q1=4", "q2=2026-12-05", "q3=否")
    edu.ok("documents", "feedback", "accept", number, P1)
    cases.equal("accepted", states(number)[P1], "accepted")
    cases.equal("nothing more is asked of him", [t for t in office.ok("documents", "stuck") if t["school"] == P1], [])

    junior.ok("sync")
    junior.ok("documents", "sign", number)
    cases.equal("the clerk of another signs for his school", states(number)[J], "signed")
    cases.equal("and reads of no pupil", junior.run("students", "list").code, 3)
    cases.equal("his outbox has what he said", [(o["kind"], o["state"]) for o in junior.ok("outbox", "list", "--all")], [("document_delivery", "accepted")])
    pdf, table = os.path.join(server.dir, "通知.pdf"), os.path.join(server.dir, "反馈.csv")
    cases.equal("he prints it as it was set", junior.ok("documents", "print", number, "-o", pdf)["pages"] % 2, 0)
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True).stdout
    cases.check("with its number and the names of schools", number in text and P1 not in text, text)
    cases.equal("all answers are a table", office.ok("documents", "answers", number, "-o", table)["schools"], 3)
    rows = list(csv.reader(open(table, encoding="utf-8-sig")))
    cases.check("a row a school, a column a question", len(rows) == 4 and len(rows[0]) == 8 and "4" in rows[1] + rows[2] + rows[3], str(rows))
    clerk.ok("sync")
    server.stop()
    late = clerk.run("documents", "sign", number, "--json")
    cases.equal("without the bureau a receipt waits", late.code, 4)
    cases.equal("and the answer behind it", clerk.run("documents", "answer", number, "q1=1", "q2=2026-12-05", "q3=是", "--json").code, 4)
    server.start()
    edu.ok("documents", "reissue", number, write("更正：逐项登记"), "--reason", "日期有误")
    for who, *words in ((wang, "sign"), (office, "recheck")):
        who.ok("documents", *words, number)
    for words in (("press", number, "--copies", "3"), ("proof", "pass", number), ("seal", number, "--count", "3"), ("issue", number, "--feedback-due", soon)):
        office.ok("documents", *words)
    clerk.run("sync")
    listed = clerk.ok("outbox", "list", "--all")
    cases.check("a receipt of the old text is refused as that", any(o["code"] == "STALE" for o in listed), str(listed)[:600])
    mine = wait(lambda: (clerk.run("sync"), clerk.ok("documents", "list"))[1], lambda d: d and d[0]["version"] == 2)
    stale = clerk.ok("outbox", "show", next(o["id"] for o in listed if o["code"] == "STALE"))
    cases.check("both versions are shown", (stale["mine"]["version"], stale["theirs"]["version"]) == (1, 2) and stale["mine"]["digest"] != stale["theirs"]["digest"] and stale["theirs"]["title"], str(stale))
    cases.equal("the new text is to be signed for", (mine[0]["version"], mine[0]["state"]), (2, "sent"))
    open_ones = lambda: [o["state"] for o in clerk.ok("outbox", "list") if o["state"] not in ("accepted", "done")]
    cases.equal("what was behind it waits for a person too", len(open_ones()), 2)
    shown = clerk.run("outbox", "show", next(o["id"] for o in listed if o["code"] == "STALE")).out
    cases.check("how it is said again is told, not which field is to be typed", "documents show" in shown and "outbox fix" not in shown, shown)
    clerk.ok("documents", "sign", number)
    cases.equal("what was said again is dealt with", len(open_ones()), 1)
    clerk.ok("documents", "answer", number, "q1=２", "q2=2026年12月5日", "q3=是")
    cases.equal("what people type is counted in one form", next(r["answer"] for r in office.ok("documents", "deliveries", number) if r["school"] == P2), {"q1": "2", "q2": "2026-12-05", "q3": "是"})
    cases.equal("and so is the answer", open_ones(), [])
    cases.equal("who is no registrar takes his own back", clerk.ok("outbox", "withdraw", "--all"), {"undone": 0})
    cases.equal("the others begin anew too", states(number), {P1: "sent", P2: "answered", J: "sent"})
    leader.ok("documents", "recall", number, "--reason", "上级另有规定")
    cases.equal("recalled for all", set(states(number).values()), {"recalled"})
    mine = wait(lambda: (clerk.run("sync"), clerk.ok("documents", "list"))[1], lambda d: d and d[0]["state"] == "recalled")
    cases.equal("the school sees it", mine[0]["state"], "recalled")
    cases.equal("and says no more", clerk.run("documents", "answer", number, "q1=1").code, 3)
    year = number.split("〔")[1][:4]
    told = office.run("documents", "archive", "reconcile", "--year", year).out
    cases.check("what is recalled is open until it is archived", "已撤回" in told and number in told, told)
    took = {t["key"]: (t["n"], t["on_time"] + t["late"]) for t in office.ok("documents", "turnaround", "--from", "2020-01-01", "--to", "2099-12-31", "--by", "school")}
    cases.check("what each school took is counted", set(took) == {P1, P2, J} and all(n == m >= 3 for n, m in took.values()), str(took))
    people = [t["key"] for t in office.ok("documents", "turnaround", "--from", "2020-01-01", "--to", "2099-12-31", "--by", "person")]
    cases.check("and is no person's", not {P1, P2, J} & set(people), str(people))
    cases.equal("nobody owes anything", [t for t in office.ok("documents", "stuck") if t["school"]], [])

    # ---- a school is merged into another, and one is closed (§6: the law holds, its dues are no earlier than the old ones)
    def issue(to, *more):
        with open(os.path.join(server.dir, "通知.txt"), "w") as out:
            out.write(DRAFT.replace("全县学校", to).replace("反馈：检查日期|date\n反馈：是否整改|choice|是,否\n", "").replace("隐患数", "安全员数%d" % len(numbers)) % "落实人员")
        no = edu.ok("documents", "draft", os.path.join(server.dir, "通知.txt"), "--signer", leader.user)["id"]
        edu.ok("documents", "submit", no)
        for who, words in ((office, ("approve",)), (leader, ("sign",)), (office, ("recheck",))):
            who.ok("documents", *words, no)
        numbers.append(office.ok("documents", "number", no, "--series", "洪教发")["number"])
        for words in (("press", numbers[-1], "--copies", "3"), ("proof", "pass", numbers[-1]), ("seal", numbers[-1], "--count", "3"), ("issue", numbers[-1], "--feedback-due", soon)):
            office.ok("documents", *words)
        return numbers[-1]

    def of(number):
        rows = {r["school"]: r["state"] for r in office.ok("documents", "deliveries", number)}
        listed = office.run("documents", "deliveries", number).out
        cases.check("the law of deliveries holds", all(s in {"sent", "signed", "answered", "returned", "accepted", "recalled", "moved", "ended"} for s in rows.values()), listed)
        return rows

    def dues(number, school):
        return {t["step"]: t["due"] for t in office.ok("documents", "stuck") if t["number"] == number and t["school"] == school and t["step"] in ("receipt", "feedback")}

    numbers = []
    alone, both, done = issue(P1), issue("小学"), issue("%s；%s" % (P1, J))
    wait(lambda: (head.ok("sync"), head.ok("documents", "list"))[1], lambda d: {alone, both, done} <= {x["number"] for x in d})
    head.ok("documents", "sign", done)
    head.ok("documents", "answer", done, "q1=2")
    edu.ok("documents", "feedback", "accept", done, P1)
    head.ok("documents", "sign", both)
    before = dues(alone, P1)
    cases.equal("only basic education closes a school", office.run("schools", "close", P1, "--into", P2, "--reason", "布局调整").code, 3)
    cases.equal("and says why", edu.run("schools", "close", P1, "--into", P2).code, 2)
    cases.equal("not into itself", edu.run("schools", "close", P1, "--into", P1, "--reason", "布局调整").code, 2)
    cases.equal("into a school that is there", edu.run("schools", "close", P1, "--into", "2132990099", "--reason", "布局调整").code, 3)
    server.people["sysadmin"].ok("server", "clock", "+5d")
    for person in (office, leader, edu, head, clerk, junior):
        person.login()
    merged = edu.ok("schools", "close", P1, "--into", P2, "--reason", "布局调整")
    cases.equal("what it owed goes to the heir", (merged["moved"], merged["ended"]), (2, 0))
    cases.equal("who has it to sign for", of(alone), {P1: "moved", P2: "sent"})
    cases.equal("what he had he keeps as it was", of(both), {P1: "moved", P2: "sent"})
    cases.equal("what was accepted stays", of(done), {P1: "accepted", J: "sent"})
    after = dues(alone, P2)
    cases.check("with as much time as was left, and a day at least", set(after) == {"receipt", "feedback"} and after["receipt"] > before["receipt"] and after["feedback"] == before["feedback"],
                "%s %s" % (before, after))
    cases.equal("the closed one owes nothing", [t for t in office.ok("documents", "stuck") if t["school"] == P1], [])
    cases.check("and is in no list of schools", P1 not in {s["code"] for s in edu.ok("schools", "list")})
    heirs = wait(lambda: (clerk.run("sync"), clerk.ok("documents", "list"))[1], lambda d: alone in {x["number"] for x in d})
    cases.check("the heir reads it", alone in {x["number"] for x in heirs}, str(heirs))
    clerk.ok("documents", "sign", alone)
    wait(lambda: (head.run("sync"), head.ok("documents", "list"))[1], lambda d: {x["number"]: x["state"] for x in d}[alone] == "moved")
    cases.equal("at the closed school it is moved, and no more is said of it", head.run("documents", "sign", alone).code, 3)
    # ---- the paper in a school's hands
    cases.equal("what was not signed for is not kept", clerk.run("documents", "keep", both, "--slot", "2柜").code, 3)
    cases.equal("a place is written", clerk.run("documents", "keep", alone).code, 2)
    clerk.ok("documents", "keep", alone, "--slot", "2柜3层")
    clerk.ok("documents", "keep", alone, "--slot", "1柜1层")
    row = next(r for r in office.ok("documents", "deliveries", alone) if r["school"] == P2)
    cases.equal("the bureau sees where it lies", (row["slot"], row["destroyed_at"], row["state"]), ("1柜1层", None, "signed"))
    cases.equal("nothing is destroyed unseen", clerk.run("documents", "destroy", alone).code, 2)
    clerk.ok("documents", "destroy", number, alone, "--witness", "王主任")
    for no in (alone, number):
        row = next(r for r in office.ok("documents", "deliveries", no) if r["school"] == P2)
        cases.check("who saw it destroyed is recorded, of a recalled paper too", row["witness"] == "王主任" and row["destroyed_at"], str(row))
    cases.equal("once", clerk.run("documents", "keep", alone, "--slot", "3柜").code, 3)
    cases.check("the bureau reads it in words", "已销毁" in office.run("documents", "deliveries", alone).out)
    seals = office.ok("documents", "seals")
    cases.equal("the log of the seal", [(s["number"], s["count"], s["copies"], s["by"]) for s in seals if s["number"] == number], [(number, 3, 3, office.user)] * 2)
    cases.equal("a paper's own", [(s["count"], s["copies"]) for s in office.ok("documents", "show", alone)["seals"]], [(3, 3)])
    cases.equal("officers who keep no seal do not read its log", edu.run("documents", "seals").code, 3)

    ended = edu.ok("schools", "close", J, "--reason", "停办")
    cases.equal("without an heir it ends", (ended["moved"], ended["ended"], of(done)), (0, 1, {P1: "accepted", J: "ended"}))
    cases.equal("a school is closed once", edu.run("schools", "close", J, "--reason", "停办").code, 3)
cases.close()
