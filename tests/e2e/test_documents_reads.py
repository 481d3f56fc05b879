#!/usr/bin/python3
"""What is asked of many papers at once, by jgadmin: a year's numbers, how long tasks took, what has some characters, a month."""
import datetime
import os

from harness import Cases, Server

cases = Cases()
SPAN = ("--from", "2020-01-01", "--to", "2099-12-31")


def register(office, matter, *more):
    return office.ok("documents", "register", "--from", "市教育局", "--title", "关于%s的通知" % matter, *more)["number"]


with Server() as server:
    office, leader, edu = server.bureau("office"), server.bureau("leader"), server.bureau("basic_edu")
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "orgs", "set", "市教育局", "--relation", "直接上级")
    numbers = [register(office, "检查%d" % i) for i in range(5)]
    year = numbers[0][2:6]
    office.ok("documents", "refuse", numbers[0], "--reason", "主送不是本局")
    office.ok("documents", "void", numbers[1], "--reason", "重复来文")
    office.ok("documents", "accept", numbers[2])
    office.ok("documents", "propose", numbers[2], "--opinion", "请批示", "--leader", leader.user)
    law = {"registered": 5, "archived": 0, "open": 3, "void": 1, "refused": 1, "residual": 0}
    cases.equal("a year's numbers are what became of them", office.ok("documents", "archive", "reconcile", "--year", year), law)
    told = office.run("documents", "archive", "reconcile", "--year", year).out
    cases.check("people see the open ones by state and who has them", all(x in told for x in (numbers[2], "待批示", "leader", numbers[3], "待初审", "office")), told)
    cases.equal("a year without numbers is all zeros", office.ok("documents", "archive", "reconcile", "--year", "2031"), dict.fromkeys(law, 0))
    cases.equal("a year must be said", office.run("documents", "archive", "reconcile").code, 2)
    cases.equal("who keeps no numbers does not reconcile them", edu.run("documents", "archive", "reconcile", "--year", year).code, 3)
    server.psql("SET app.county='329999'; SET app.scope='job'; DELETE FROM document WHERE number = '%s'" % numbers[4])
    cases.equal("a number whose paper is gone is the residual", office.ok("documents", "archive", "reconcile", "--year", year), {**law, "open": 2, "residual": 1})

    took = office.ok("documents", "turnaround", *SPAN, "--by", "step")
    cases.equal("steps took no working day", {t["key"]: (t["n"], t["on_time"], t["late"], t["mean_days"], t["p90_days"]) for t in took},
                {"check": (3, 3, 0, 0, 0), "propose": (1, 1, 0, 0, 0), "whole": (2, 2, 0, 0, 0)})
    people = office.ok("documents", "turnaround", *SPAN, "--by", "person")
    cases.equal("a desk's tasks are its holder's", [(t["key"], t["n"]) for t in people], [(office.user, 6)])
    cases.equal("no task was about a school", office.ok("documents", "turnaround", *SPAN, "--by", "school"), [])
    cases.equal("who is in no paper counts none", edu.ok("documents", "turnaround", *SPAN, "--by", "step"), [])
    yesterday = str(datetime.date.today() - datetime.timedelta(2))
    cases.equal("a span before counts none", office.ok("documents", "turnaround", "--from", "2020-01-01", "--to", yesterday, "--by", "step"), [])
    refused = office.run("documents", "turnaround", *SPAN, "--by", "moon", "--json")
    cases.equal("by what must be known", (refused.code, refused.json["error"]["field"]), (2, "by"))
    cases.equal("two days must be said", office.run("documents", "turnaround", "--by", "step").code, 2)
    cases.equal("a paper is found by any of its characters, however typed", [d["number"] for d in office.ok("documents", "search", "查３")], [numbers[3]])
    cases.equal("composed or not", office.ok("documents", "search", "e\u0301"), [])
    cases.equal("what is not there is not found", office.ok("documents", "search", "查9"), [])
    month = str(datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))))[:7]
    html, sheet = (os.path.join(server.dir, "月报." + kind) for kind in ("html", "xlsx"))
    told = office.ok("documents", "report", "--month", month, "--html", html, "--xlsx", sheet)
    cases.equal("a month is told", {k: told[k] for k in ("received", "issued", "closed", "archived", "on_time_rate", "stuck")},
                {"received": 5, "issued": 0, "closed": 0, "archived": 0, "on_time_rate": 1, "stuck": 4})
    cases.equal("by step as the turnaround is", told["by_step"], took)
    page = open(html, encoding="utf-8").read()
    cases.check("the page has the open ones by name, and no script", all(x in page for x in (numbers[2], "关于检查2的通知", "leader", "演练")) and "<script" not in page, page)
    cases.check("the workbook is one", open(sheet, "rb").read(2) == b"PK")
    cases.equal("a file that is there is not replaced unasked", office.run("documents", "report", "--month", month, "--html", html).code, 3)
    office.ok("documents", "report", "--month", month, "--html", html, "--force")
    empty = office.ok("documents", "report", "--month", "2020-02")
    cases.equal("a month of nothing has no rate", (empty["received"], empty["on_time_rate"], empty["stuck"], empty["by_step"]), (0, None, 0, []))
    cases.equal("a month must be one", [office.run("documents", "report", *x).code for x in ((), ("--month", "2026-13"), ("--month", "202609"))], [2, 2, 2])
    refused = office.run("documents", "report", numbers[3], "--text", "名单已提供", "--json")
    cases.equal("with a paper the same words are who assists", refused.json["error"]["code"], "NOT_NOW")
    english = office.run("--lang", "en", "documents", "turnaround", *SPAN, "--by", "step").out
    cases.check("in English too", "Mean working days" in english and "check" in english, english)
cases.close()
