#!/usr/bin/python3
"""A meeting (办会) from plan to follow-up: approved unless room, chair or speaker is elsewhere then; its notice and minutes papers with numbers; schools reply, are asked again when it
moves, sign in at the door – offline too – with the code that hangs there; who was there, what it cost; and it is closed when its decisions are."""
import datetime
import os
import subprocess
import time

from harness import Cases, Server

P1, P2, P3 = "2132990001", "2132990002", "2132990003"
ZONE = datetime.timezone(datetime.timedelta(hours=8))
PLAN = """主题：%s
目的：部署秋季校园安全检查
主承办：基教科
开始：%s
结束：%s
地点：%s
主持：%s
参会：%s
议程：通报情况|20|%s；部署检查|30
回执截止：%s
法定人数：2
"""
cases = Cases()


def wait(what, good, seconds=20):
    for _ in range(seconds * 10):
        found = what()
        if good(found):
            return found
        time.sleep(0.1)
    return found


def error(result):
    return result.code, result.json["error"]["code"], result.json["error"]["field"]


with Server() as server:
    office, leader, edu = server.bureau("office"), server.bureau("leader"), server.bureau("basic_edu")
    path = os.path.join(server.dir, "schools.csv")
    with open(path, "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者\n%s,演练县第一小学,211,831\n%s,演练县第二小学,211,831\n%s,演练县第三小学,211,831\n" % (P1, P2, P3))
    edu.ok("schools", "import", path)
    head, clerk = server.school(P1, "head"), server.school(P2, "clerk")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "series", "add", "洪教发")
    office.ok("documents", "series", "add", "洪教纪")

    today = datetime.datetime.now(ZONE).replace(hour=9, minute=0, second=0, microsecond=0)

    def day(n, hour=9):
        return (today + datetime.timedelta(n)).replace(hour=hour).strftime("%Y-%m-%d %H:%M")

    def plan(subject="校园安全工作会议", start=None, end=None, place="一楼会议室", chair=None, attend="全县学校", speaker=None):
        path = os.path.join(server.dir, "预案.txt")
        with open(path, "w") as out:
            out.write(PLAN % (subject, start or day(3), end or day(3, 10), place, chair or leader.user, attend, speaker or edu.user, day(2)[:10]))
        return path

    def issue(doc, series):
        edu.ok("documents", "submit", doc)
        office.ok("documents", "approve", doc)
        return print_and_send(doc, series)

    def print_and_send(doc, series=None, seal=True):
        leader.ok("documents", "sign", doc)
        office.ok("documents", "recheck", doc)
        if series:
            office.ok("documents", "number", doc, "--series", series)
        office.ok("documents", "press", doc, "--copies", "3")
        office.ok("documents", "proof", "pass", doc)
        if seal and series != "洪教纪":
            office.ok("documents", "seal", doc, "--count", "3")
        return office.ok("documents", "issue", doc)

    def state(m):
        return office.ok("meetings", "show", m)["state"]

    def tasks(m):
        return sorted((t["step"], t["with"]) for t in office.ok("documents", "stuck") if t["number"] == m)

    # Plans, and what clashes.
    bad = os.path.join(server.dir, "坏.txt")
    with open(bad, "w") as out:
        out.write("主题：会\n开始：明天\n")
    cases.check("a plan that cannot be read names the line", "第 2 行" in edu.run("meetings", "plan", bad).err)
    made = edu.ok("meetings", "plan", plan())
    m, year = made["number"], str(today.year)
    cases.equal("it has a number", (made["number"], made["state"], made["document"]), ("会〔%s〕1号" % year, "planned", None))
    cases.equal("who plans does not approve", edu.run("meetings", "approve", m).code, 3)
    late = edu.ok("meetings", "plan", plan(start=day(3, 10), end=day(3, 9)))["number"]
    cases.equal("its end comes after its start", error(leader.run("meetings", "approve", late, "--json")), (3, "RULE", "R24"))
    short = edu.ok("meetings", "plan", plan(end=day(3)[:-2] + "45"))["number"]
    cases.equal("its agenda fits", error(leader.run("meetings", "approve", short, "--json")), (3, "RULE", "R24"))
    cases.equal("approved", leader.ok("meetings", "approve", m)["state"], "approved")
    same_room = edu.ok("meetings", "plan", plan("另一个会议", chair="外请专家", speaker="外请专家", attend=P3))["number"]
    cases.equal("one room, one meeting", error(leader.run("meetings", "approve", same_room, "--json")), (3, "RULE", "R24"))
    same_chair = edu.ok("meetings", "plan", plan("第三个会议", place="二楼", speaker="外请专家", attend=P3))["number"]
    cases.equal("one chair too", error(leader.run("meetings", "approve", same_chair, "--json")), (3, "RULE", "R24"))
    forced = leader.ok("meetings", "approve", same_chair, "--force", "--reason", "局长两头跑")
    cases.equal("a leader may want it so, and is warned", sorted((x["who"], x["number"]) for x in forced["warnings"]), sorted([(leader.user, m), (P3, m)]))
    leader.ok("meetings", "cancel", same_chair, "--reason", "不开了")
    touching = edu.ok("meetings", "plan", plan("接着的会议", start=day(3, 10), end=day(3, 11)))["number"]
    cases.equal("one that begins when the other ends is no clash", leader.ok("meetings", "approve", touching)["warnings"], [])

    # The notice, and what schools reply.
    notice = edu.ok("meetings", "notice", m, "--signer", leader.user)
    cases.equal("the notice is a paper of its own", office.ok("documents", "show", notice["document"])["genre"], "通知")
    cases.equal("one notice", error(edu.run("meetings", "notice", m, "--signer", leader.user, "--json"))[:2], (3, "NOT_NOW"))
    issue(notice["document"], "洪教发")
    cases.equal("issued: schools are asked", (state(m), tasks(m)), ("noticed", [("reply", P1), ("reply", P2), ("reply", P3)]))
    mine = wait(lambda: (head.ok("sync"), head.ok("meetings", "list"))[1], bool)
    cases.equal("a school reads when and where", [(x["number"], x["state"], x["place"], x["start"][:16], x["reply"]) for x in mine],
                [(m, "noticed", "一楼会议室", day(3).replace(" ", "T"), None)])
    cases.check("it is to be done", any(t["what"] == "reply" and m in t["text"] for t in head.ok("todo")), str(head.ok("todo")))
    cases.equal("a substitute has a name", head.run("meetings", "reply", m, "派人参加").code, 2)
    head.ok("meetings", "reply", m, "attend")
    clerk.ok("sync")
    server.stop()
    cases.equal("without the bureau a reply waits", clerk.run("meetings", "reply", m, "leave", "--json").code, 4)
    server.start()
    clerk.ok("sync")
    cases.equal("who replied owes nothing", tasks(m), [("reply", P3)])
    shown = office.ok("meetings", "show", m)
    cases.equal("the bureau reads them", sorted((r["school"], r["reply"], r["old"]) for r in shown["replies"]), [(P1, "attend", False), (P2, "leave", False)])

    # It moves: asked again.
    cases.equal("not without a reason", edu.run("meetings", "move", m, "--start", day(4)).code, 2)
    moved = edu.ok("meetings", "move", m, "--start", day(4), "--end", day(4, 10), "--place", "二楼会议室", "--reason", "台风")
    cases.equal("it is approved, and its notice is issued anew", (moved["state"], moved["document"]), ("approved", notice["document"]))
    cases.check("old replies are kept as that", all(r["old"] for r in office.ok("meetings", "show", m)["replies"]))
    print_and_send(notice["document"])
    cases.equal("all are asked again", (state(m), tasks(m)), ("noticed", [("reply", P1), ("reply", P2), ("reply", P3)]))
    mine = wait(lambda: (head.ok("sync"), head.ok("meetings", "list"))[1], lambda x: x[0]["place"] == "二楼会议室" and x[0]["state"] == "noticed")
    cases.equal("and read the new time", (mine[0]["start"][:16], mine[0]["reply"]), (day(4).replace(" ", "T"), None))
    head.run("meetings", "list")
    head.ok("meetings", "reply", "1", "substitute", "--who", "李副校长")
    clerk.ok("sync")
    clerk.ok("meetings", "reply", m, "attend")

    # At the door.
    code = edu.ok("meetings", "code", m)["code"]
    cases.check("eight of Crockford's letters", len(code) == 8 and set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), code)
    sheet = os.path.join(server.dir, "签到表.pdf")
    edu.ok("meetings", "sheet", m, "-o", sheet)
    text = subprocess.run(["pdftotext", "-layout", sheet, "-"], capture_output=True, text=True, check=True).stdout
    cases.check("a sheet for the door has the code and all names", code[:4] + "-" + code[4:] in text and "演练县第三小学" in text and "部署检查" in text, text)
    cases.equal("days before, nobody signs in", head.run("meetings", "signin", m, "--code", code).code, 3)
    cases.equal("nor is it held", error(edu.run("meetings", "hold", m, "--json"))[:2], (3, "NOT_NOW"))
    minutes = int((today + datetime.timedelta(4) - datetime.datetime.now(ZONE)).total_seconds() / 60) - 30
    server.people["sysadmin"].ok("server", "clock", "+%dm" % minutes)
    for person in server.people.values():
        if person.user:
            person.login()
    head.ok("sync")
    clerk.ok("sync")
    wrong = "0" * 8 if code != "0" * 8 else "1" * 8
    cases.equal("half an hour before, with a wrong code", error(head.run("meetings", "signin", m, "--code", wrong, "--json"))[:2], (3, "RULE"))
    head.ok("meetings", "signin", m, "--code", code[:4].lower() + "-" + code[4:])
    server.stop()
    cases.equal("offline it waits", clerk.run("meetings", "signin", m, "--code", code, "--json").code, 4)
    server.start()
    clerk.ok("sync")
    cases.equal("one of the bureau who is not asked does not sign in", office.run("meetings", "signin", m, "--code", code).code, 3)
    server.people["sysadmin"].ok("server", "clock", "+40m")
    cases.equal("held", edu.ok("meetings", "hold", m)["state"], "held")
    there = office.ok("meetings", "attendance", m)
    cases.equal("who was there", ({r["who"]: r["state"] for r in there["rows"]}, there["quorum"]), ({P1: "substitute", P2: "present", P3: "absent"}, True))
    cases.equal("what it cost", office.ok("meetings", "cost", m), {"persons": 3, "person_hours": 6.0})
    cases.equal("the minutes are the planner's to write", tasks(m), [("minutes", edu.user)])

    # Minutes, decisions, the end.
    minutes = edu.ok("meetings", "minutes", m, "--signer", leader.user)["document"]
    order = leader.ok("documents", "orders", "add", m, "--title", "一周内报整改台账", "--to", P1)["number"]
    edu.ok("documents", "submit", minutes)
    office.ok("documents", "approve", minutes)
    issued = print_and_send(minutes, "洪教纪", seal=False)
    cases.equal("minutes are issued without a seal, and end it", (issued["state"], state(m)), ("issued", "minuted"))
    held = edu.run("meetings", "close", m, "--json").json["error"]
    cases.check("a decision that is open holds it", held["field"] == "R23" and order in held["message"], str(held))
    wait(lambda: (head.ok("sync"), head.ok("documents", "orders", "list"))[1], bool)
    head.ok("documents", "orders", "answer", order, "--text", "台账已报")
    leader.ok("documents", "orders", "accept", order)
    cases.equal("closed", edu.ok("meetings", "close", m)["state"], "closed")
    told = office.ok("documents", "archive", "reconcile", "--year", year)
    cases.equal("a year's numbers add up with its meetings", told["residual"], 0)

    # Called off after the notice.
    second = edu.ok("meetings", "notice", touching, "--signer", leader.user)["document"]
    number = issue(second, "洪教发")["number"]
    cases.equal("the planner does not call off what was noticed", edu.run("meetings", "cancel", touching, "--reason", "x").code, 3)
    cases.equal("the head does", leader.ok("meetings", "cancel", touching, "--reason", "并入例会")["state"], "cancelled")
    cases.equal("and its notice is recalled", office.ok("documents", "show", number)["state"], "recalled")
    gone = wait(lambda: (head.ok("sync"), head.ok("meetings", "list"))[1], lambda x: [y["state"] for y in x if y["number"] == touching] == ["cancelled"])
    cases.check("schools see it", any(x["number"] == touching for x in gone), str(gone))
    cases.equal("nobody owes a reply", tasks(touching), [])
    print(office.run("meetings", "list").out, office.run("meetings", "show", m).out, office.run("meetings", "attendance", m).out, head.run("meetings", "list").out)
cases.close()
