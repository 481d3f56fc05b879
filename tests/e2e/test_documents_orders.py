#!/usr/bin/python3
"""Orders (重点交办): given on a paper to somebody of the bureau or to a school, answered there – offline too –, judged, sent back, handed over, put off; and as long as one is
open its paper is neither closed nor archived, and the refusal names it."""
import os
import time

from harness import Cases, Server

P1, P2 = "2132990001", "2132990002"
DRAFT = "标题：关于开展校园安全检查的通知\n文种：通知\n公开：主动公开\n主送：全县学校\n---\n请各校认真检查。\n"
cases = Cases()


def wait(what, good, seconds=20):
    for _ in range(seconds * 10):
        found = what()
        if good(found):
            return found
        time.sleep(0.1)
    return found


def error(result):
    return result.code, result.json["error"]["code"]


with Server() as server:
    office, leader, edu, inspector = (server.bureau(r) for r in ("office", "leader", "basic_edu", "supervision"))
    path = os.path.join(server.dir, "schools.csv")
    with open(path, "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者\n%s,演练县第一小学,211,831\n%s,演练县第二小学,211,831\n" % (P1, P2))
    edu.ok("schools", "import", path)
    head, clerk = server.school(P1, "head"), server.school(P2, "clerk")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "orgs", "set", "市教育局", "--relation", "superior")
    office.ok("documents", "series", "add", "洪教发")

    def orders(who=office, *more):
        return {o["number"]: o for o in who.ok("documents", "orders", "list", *more)}

    def tasks(number):
        return [(t["step"], t["with"], t["school"], t["lamp"]) for t in office.ok("documents", "stuck") if t["number"] == number]

    # To one of the bureau, on a paper that came in.
    paper = office.ok("documents", "register", "--from", "市教育局", "--title", "关于检查消防通道的通知")
    doc = paper["number"]
    office.ok("documents", "accept", doc)
    add = ("documents", "orders", "add", doc, "--title", "三日内查清消防通道")
    cases.equal("nothing is ordered before a leader has instructed", error(leader.run(*add, "--to", edu.user, "--json")), (3, "NOT_NOW"))
    office.ok("documents", "propose", doc, "--opinion", "请批示", "--leader", leader.user)
    leader.ok("documents", "instruct", doc, "--text", "请办", "--lead", edu.user)
    cases.equal("who handles papers gives no orders", edu.run(*add, "--to", leader.user).code, 3)
    cases.equal("an order says to whom", leader.run(*add).code, 2)
    cases.equal("to somebody who is there", (lambda e: (e["code"], e["field"]))(leader.run(*add, "--to", "nobody1", "--json").json["error"]), ("RULE", "R01"))
    cases.equal("by a day to come", leader.run(*add, "--to", edu.user, "--due", "2020-01-01", "--json").json["error"]["field"], "R26")
    made = inspector.ok(*add, "--to", edu.user)
    year = doc[2:6]
    cases.equal("it has a number of its own, and refusals took none", made["number"], "督〔%s〕1号" % year)
    number = made["number"]
    row = orders()[number]
    cases.equal("it is listed", (row["doc"], row["title"], row["to"], row["state"], row["due"], row["answered_at"]),
                (paper["id"], "三日内查清消防通道", edu.user, "open", made["due"], None))
    cases.equal("it waits for him", [t[:3] for t in tasks(number)], [("order", edu.user, None)])
    cases.equal("in the list of who waits, doc is the paper", [t["doc"] for t in office.ok("documents", "stuck") if t["number"] == number], [paper["id"]])
    cases.equal("nobody answers for him", error(office.run("documents", "orders", "answer", number, "--text", "办了", "--json")), (3, "PERMISSION"))
    told = edu.run("documents", "orders", "list").out
    cases.check("he reads it in words", number in told and "待回复" in told and made["number"] in told, told)
    edu.ok("documents", "orders", "answer", number, "--text", "已查清，两处已整改")
    cases.equal("who gave it judges", [t[:2] for t in tasks(number)], [("judge", inspector.user)])
    cases.equal("he who answered does not accept", edu.run("documents", "orders", "accept", number).code, 3)
    cases.equal("and no leader for the inspector", error(leader.run("documents", "orders", "accept", number, "--json")), (3, "PERMISSION"))
    edu.ok("documents", "finish", doc, "--text", "已办")
    office.ok("documents", "approve", doc)
    held = office.run("documents", "archive", doc, "--slot", "1柜", "--json").json["error"]
    cases.check("the open order holds the paper, and is named", (held["code"], held["field"]) == ("RULE", "R23") and number in held["message"], str(held))
    inspector.ok("documents", "orders", "return", number, "--reason", "没有写整改时间")
    cases.equal("it came back to him", ([t[:2] for t in tasks(number)], orders()[number]["state"]), ([("order", edu.user)], "returned"))
    cases.equal("with no new time", orders()[number]["due"], made["due"])
    later = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * 30))
    cases.equal("leaders put off", inspector.run("documents", "orders", "extend", number, "--until", later).code, 3)
    cases.check("later", leader.ok("documents", "orders", "extend", number, "--until", later)["due"] > made["due"])
    cases.equal("and not earlier", leader.run("documents", "orders", "extend", number, "--until", "2026-01-01", "--json").json["error"]["field"], "R26")
    inspector.ok("documents", "orders", "transfer", number, "--to", office.user)
    moved = [(m["what"], m["to"]) for m in office.ok("documents", "reminders", doc) if m["number"] == number and m["what"] == "moved"]
    cases.equal("who gets it is told at once", moved, [("moved", office.user)])
    office.ok("documents", "orders", "answer", number, "--text", "8月3日整改")
    cases.equal("the inspector accepts", inspector.ok("documents", "orders", "accept", number)["state"], "closed")
    cases.equal("nobody owes anything of it", tasks(number), [])
    office.ok("documents", "archive", doc, "--slot", "1柜")

    # To a school, on a paper that was issued.
    path = os.path.join(server.dir, "通知.txt")
    with open(path, "w") as out:
        out.write(DRAFT)
    no = edu.ok("documents", "draft", path, "--signer", leader.user)["id"]
    edu.ok("documents", "submit", no)
    office.ok("documents", "approve", no)
    leader.ok("documents", "sign", no)
    office.ok("documents", "recheck", no)
    doc = office.ok("documents", "number", no, "--series", "洪教发")["number"]
    for words in (("press", doc, "--copies", "2"), ("proof", "pass", doc), ("seal", doc, "--count", "2"), ("issue", doc)):
        office.ok("documents", *words)
    made = leader.ok("documents", "orders", "add", doc, "--title", "更换食堂灭火器", "--to", "演练县第一小学")
    number = made["number"]
    cases.equal("numbers have no gap", number, "督〔%s〕2号" % year)
    cases.equal("the school owes it", [t[:3] for t in tasks(number)], [("order", P1, P1)])
    head.ok("sync")
    mine = head.ok("documents", "orders", "list")
    cases.equal("the school reads it, offline from now on", [(o["number"], o["title"], o["to"], o["state"], o["due"]) for o in mine], [(number, "更换食堂灭火器", P1, "open", made["due"])])
    cases.check("it is to be done", any(t["what"] == "order" and number in t["text"] for t in head.ok("todo")), str(head.ok("todo")))
    cases.equal("an answer says something", head.run("documents", "orders", "answer", number).code, 2)
    server.stop()
    offline = head.run("documents", "orders", "answer", number, "--text", "已更换12具", "--json")
    cases.equal("without the bureau an answer waits", offline.code, 4)
    server.start()
    head.ok("sync")
    row = orders()[number]
    cases.equal("and arrives", (row["state"], row["answered_at"] is not None), ("answered", True))
    cases.equal("a second answer is refused", error(head.run("documents", "orders", "answer", number, "--text", "另说", "--json")), (3, "NOT_NOW"))
    leader.ok("documents", "orders", "return", number, "--reason", "请附数量")
    head.ok("sync")
    cases.equal("it came back", head.ok("documents", "orders", "list")[0]["state"], "returned")
    cases.check("with the reason", "请附数量" in head.run("documents", "orders", "list").out)
    head.ok("documents", "orders", "answer", "1", "--text", "12具，发票已存")
    cases.equal("answered again", orders()[number]["state"], "answered")
    cases.equal("the office does not accept what a leader gave", office.run("documents", "orders", "accept", number).code, 3)
    leader.ok("documents", "orders", "accept", number)
    head.ok("sync")
    cases.equal("the school sees that it is settled", head.ok("documents", "orders", "list")[0]["state"], "closed")
    third = leader.ok("documents", "orders", "add", doc, "--title", "报送整改照片", "--to", P1)["number"]
    leader.ok("documents", "orders", "transfer", third, "--to", P2)
    for school in (head, clerk):
        school.ok("sync")
    cases.equal("what was handed over is the other's", ([o["number"] for o in head.ok("documents", "orders", "list")], [o["number"] for o in clerk.ok("documents", "orders", "list")]),
                ([number], [third]))
    held = leader.run("documents", "close", doc, "--force", "--reason", "学期结束", "--json").json["error"]
    cases.check("not even the head closes over it", held["field"] == "R23" and third in held["message"], str(held))
    leader.ok("documents", "orders", "cancel", third)
    clerk.ok("sync")
    cases.equal("cancelled for the school", clerk.ok("documents", "orders", "list")[0]["state"], "cancelled")
    cases.equal("its answer is not asked any more", error(clerk.run("documents", "orders", "answer", third, "--text", "办了", "--json")), (3, "NOT_NOW"))
    cases.equal("closed by force now", leader.ok("documents", "close", doc, "--force", "--reason", "学期结束")["state"], "closed")
cases.close()
