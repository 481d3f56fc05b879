"""Each method of 办文 once, by the wire contract alone (test_wire.py)."""
import datetime

import wire_client as w

pb = w.pb


def calls(county, year, cases):
    people = county.people
    for role in ("OFFICE", "LEADER"):
        if role.lower() not in people:
            county.person(role.lower(), role)
    later = datetime.date.today() + datetime.timedelta(40)
    day = later.year * 10000 + later.month * 100 + later.day
    with people["office"].open() as office, people["leader"].open() as leader:
        users = {name: people[name].user for name in ("office", "leader")}
        for desk in ("receive", "issue", "archive"):
            office.call("Documents.SetDesk", name=desk, value=users["office"])
        office.call("Documents.SetDesk", name="head", value=users["leader"])
        office.call("Documents.SetOrgan", name="市教育局", value="superior")
        office.call("Documents.AddSeries", name="洪教发")
        office.call("Documents.SetSetting", name="days.check", value="1/1/0")
        cases.check("what is set up is listed", {r.what for r in office.call("Documents.ListSetup").row} == {"desk", "organ", "series", "setting"})
        office.call("Documents.ImportWorkdays", row=[pb.WorkdayRow(day=day, working=False)])
        reply = office.call("Documents.Ask", event="register", title="关于检查的通知", **{"from": "市教育局"})
        cases.check("a paper that comes in has a number", (reply.number[0], reply.state, reply.version, reply.n) == ("收", "registered", 1, 1), str(reply))
        found = [d for page in office.page_list("Documents.List") for d in page.document]
        cases.check("it is listed", [d.number for d in found] == [reply.number])
        shown = office.call("Documents.Show", doc=reply.number)
        cases.check("its trace is shown", [t.event for t in shown.trace] == ["register"])
        tasks = [t for page in office.page_list("Documents.Stuck") for t in page.task]
        cases.check("what waits is listed", {t.step for t in tasks} == {"check", "whole"}, str(tasks))
        office.call("Documents.Remind", doc=reply.number, step="check")
        what = [m.what for page in office.page_list("Documents.Reminders") for m in page.reminder]
        cases.check("who was reminded is listed", "manual" in what, str(what))
        numbers = [m.number for page in office.page_list("Documents.Numbers", series="收", year=int(reply.number[2:6])) for m in page.number]
        cases.check("numbers are listed", numbers == [reply.number])
        second = county.account("LEADER", name="second")
        made = leader.call("Documents.Delegate", **{"from": users["leader"]}, to=second.user, begin=day, end=day, reason="出差")
        cases.check("who stands in is listed", [d.id for d in leader.call("Documents.ListDelegations").delegation] == [int(made.id)])
        leader.call("Documents.EndDelegation", id=int(made.id))
