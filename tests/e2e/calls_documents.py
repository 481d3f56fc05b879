"""Each method of 办文 once, by the wire contract alone (test_wire.py)."""
import datetime
import hashlib
import time

import wire_client as w
from wire_county import P

pb = w.pb
KIND, ORDER = 16, 17  # Delivery, OrderCopy


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
        cases.check("what is set up is listed", {r.what for r in office.call("Documents.ListSetup").row} == {"desk", "officer", "organ", "series", "setting"})
        office.call("Documents.ImportWorkdays", row=[pb.WorkdayRow(day=day, working=False)])
        reply = office.signed("Documents.Ask", event="register", title="关于检查的通知", **{"from": "市教育局"})
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
        proved(cases, office, reply)
        counted(cases, office, reply, day)
        answered(county, cases, office, leader)
        met(cases, office, leader, users["leader"])
        attached(cases, office)


DRAFT = "标题：关于检查的通知\n文种：通知\n公开：主动公开\n主送：%s\n反馈：隐患数|number\n---\n请检查。\n"


def issue(office, leader, id, **fields):
    """A draft of the leader's on its way; its number."""
    leader.signed("Documents.Ask", event="submit", doc=id)
    office.signed("Documents.Ask", event="approve", doc=id)
    leader.signed("Documents.Ask", event="sign", doc=id)
    office.signed("Documents.Ask", event="recheck", doc=id)
    number = office.signed("Documents.Ask", event="number", doc=id, series="洪教发").number
    for event, more in (("press", {"copies": 1}), ("proof_pass", {}), ("seal", {"count": 1}), ("issue", fields)):
        office.signed("Documents.Ask", event=event, doc=number, **more)
    return number


def answered(county, cases, office, leader):
    """A paper that goes to a school, is signed for and answered there, and judged."""
    later = datetime.date.today() + datetime.timedelta(200)  # behind whatever the clock was moved to
    head = county.person("head-of-school", "HEAD", P)
    made = leader.signed("Documents.Ask", event="draft", file=(DRAFT % P).encode(), leader=county.people["leader"].user)
    number = issue(office, leader, made.id, due=later.year * 10000 + later.month * 100 + later.day)
    seals = [(s.number, s.count, s.copies) for page in office.page_list("Documents.Seals") for s in page.seal]
    cases.equal("the log of the seal", seals, [(number, 1, 1)])
    cost = office.call("Documents.Cost", doc=number)
    cases.check("what it costs schools is told", (cost.schools, cost.questions, cost.minutes_per_school, cost.minutes_total, list(cost.repeat)) == (1, 1, 4, 4, []), str(cost))
    with head.open() as wire:
        stream = next(s for s in head.streams.values() if s.what != "county") if len(head.streams) > 1 else next(iter(head.streams.values()))
        for _ in range(100):
            head.pull(wire, stream.id)
            found = [(i, r) for i, r in stream.records.items() if r[0] == KIND]
            if found:
                break
            time.sleep(0.1)
        cases.check("the school has it in its stream", len(found) == 1, str(found))
        id, now = found[0][0], time.time_ns() // 1000
        signs = head.sign_copy(found[0][1][4], pb.Delivery(signed_at=now, signed_by=head.user, signed_version=1))
        says = head.sign_copy(found[0][1][4], pb.Delivery(answered_at=now, answered_by=head.user, answered_version=1, answer='{"q1":"3"}'))
        head.queue_op(KIND, id, signs, seen=[(4, found[0][1][2][3])], groups={4})
        head.queue_op(KIND, id, says, seen=[(5, found[0][1][2][4])], groups={5})
        head.push(wire)
        cases.check("its receipt and its answer are taken", all(r.outcome == pb.APPLIED for r in head.results.values()), str(head.results))
    rows = [(d.school, d.state) for page in office.page_list("Documents.Deliveries", doc=number) for d in page.delivery]
    cases.equal("the bureau sees the answer", rows, [(P, "answered")])
    leader.call("Documents.DecideFeedback", doc=number, school=P, accept=True)
    rows = [d.state for page in office.page_list("Documents.Deliveries", doc=number) for d in page.delivery]
    cases.equal("and accepts it", rows, ["accepted"])
    closes = county.people.get("basic_edu") or county.person("basic_edu", "BASIC_EDU")
    with closes.open() as edu:
        edu.call("County.ImportSchools", record=[w.canonical(pb.School(code="2132990098", name="演练县第九小学", type="211", founder="831", area="329999100"))])
        gone = edu.call("Documents.CloseSchool", code="2132990098", into=P, reason="布局调整")
        cases.equal("a school that owes nothing is closed", (gone.moved, gone.ended), (0, 0))
    ordered(cases, head, leader, number)


def ordered(cases, head, leader, number):
    """An order to that school on that paper, answered there and accepted."""
    made = leader.signed("Documents.Order", event="add", doc=number, title="换灭火器", to=P)
    cases.check("an order has a number", (made.number[0], made.state) == ("督", "open"), str(made))
    with head.open() as wire:
        stream = next(s for s in head.streams.values() if any(r[0] == KIND for r in s.records.values()))
        head.pull(wire, stream.id)
        id, (_, _, versions, *_) = next((i, r) for i, r in stream.records.items() if r[0] == ORDER)
        head.queue_op(ORDER, id, pb.OrderCopy(answered_at=time.time_ns() // 1000, answered_by=head.user, answer="已换"), seen=[(3, versions[2])], groups={3})
        head.push(wire)
    rows = [(o.number, o.state, o.to, o.answer) for page in leader.page_list("Documents.Orders") for o in page.order]
    cases.equal("its answer is there", rows, [(made.number, "answered", P, "已换")])
    cases.equal("and accepted", leader.signed("Documents.Order", event="accept", id=made.id).state, "closed")


PLAN = "主题：安全会议\n开始：%s\n结束：%s\n地点：%s\n主持：%s\n参会：%s；%s\n"
NOTICE = "标题：关于召开安全会议的通知\n文种：通知\n公开：不予公开\n公开理由：会议安排\n主送：%s\n---\n请参加。\n"


def met(cases, office, leader, user):
    """A meeting that begins in half an hour, up to its door; test_meetings.py walks it to its end."""
    zone = datetime.timezone(datetime.timedelta(hours=8))

    def plan(start, place):
        times = [(start + datetime.timedelta(minutes=n)).strftime("%Y-%m-%d %H:%M") for n in (30, 90)]
        return leader.signed("Documents.Meeting", event="plan", file=(PLAN % (*times, place, user, P, user)).encode())

    first = plan(datetime.datetime.now(zone), "一楼")
    made = plan(datetime.datetime.fromtimestamp(first.at / 10 ** 6, zone), "二楼")  # by the clock of the county
    cases.check("meetings have numbers", (first.number[0], made.state, first.number != made.number) == ("会", "planned", True), str(made))
    leader.signed("Documents.Meeting", event="approve", id=made.number)
    cases.equal("they are listed", {m.number for page in leader.page_list("Documents.Meetings") for m in page.meeting}, {first.number, made.number})
    code = leader.call("Documents.DoorCode", meeting=made.id).code
    cases.check("a code hangs at the door", len(code) == 8, code)
    issue(office, leader, leader.signed("Documents.Ask", event="draft", file=(NOTICE % P).encode(), leader=user, meeting=made.id).id)
    leader.call("Documents.SignIn", meeting=made.id, code=code)
    shown = leader.call("Documents.ShowMeeting", meeting=made.id)
    cases.equal("noticed, and who signed in is there", (shown.meeting.state, [(p.who, p.state) for p in shown.person]), ("noticed", [(user, "present"), (P, "absent")]))


def attached(cases, office):
    """A file of a paper: up, looked at, named, down again."""
    data = "名单\n一，二\n".encode()
    sha = hashlib.sha256(data).digest()
    cases.check("a file arrives", office.call("Sync.PutChunk", sha=sha, size=len(data), n=0, data=data).complete)
    look = office.call("Documents.InspectFile", sha=sha)
    cases.check("it is what it is", (look.type, look.cut, look.verdict, look.characters) == ("txt", False, "unscanned", 5), str(look))
    made = office.signed("Documents.Ask", event="register", title="关于名单的通知", attach=[pb.DocumentAttach(name="名单.txt", sha=sha)], **{"from": "市教育局"})
    got = b"".join(c.data for c in office.page_list("Documents.GetFile", doc=made.id, sha=sha))
    cases.check("it is fetched as it was sent", got == data, repr(got))


def proved(cases, office, reply):
    """A paper's trace leaves the house, and the server signs the list of a package that has it – and no other text."""
    pages = office.page_list("Documents.Evidence", doc=reply.number)
    lines = [line for page in pages for line in page.line]
    cases.check("a paper's trace is told with its certificates", len(lines) == 1 and len(pages[0].cert) == 2 and pages[0].number == reply.number, str(pages))
    words = [line for page in pages for line in page.word]
    cases.check("with the words of each entry", len(words) == 1 and '"n":1' in words[0], str(words))
    has = lambda name, file: "%s  %s\n" % (hashlib.sha256("".join(file).encode()).hexdigest(), name)
    listed = has("trace.jsonl", lines) + has("words.jsonl", words)
    cases.check("the list of its package is signed", len(office.call("Documents.Seal", doc=reply.number, manifest=listed.encode()).sig) > 60)
    for name, text in (("an entry", "jg entry\nn=1\n"), ("a list without the trace", "%s  x\n" % ("0" * 64)), ("a list without the words", has("trace.jsonl", lines)), ("a list and more", listed + "jg head"), ("what is no text", "\0")):
        try:
            office.call("Documents.Seal", doc=reply.number, manifest=text.encode())
            cases.check("%s is not signed" % name, False)
        except w.WireError as error:
            cases.equal("%s is not signed" % name, error.name, "STALE")


def counted(cases, office, reply, day):
    """What is asked of many papers at once, when there is but one."""
    year = int(reply.number[2:6])
    told = office.call("Documents.ReconcileArchive", year=year)
    cases.check("a year's numbers are reconciled", (told.registered, told.open, told.residual, [r.number for r in told.row]) == (1, 1, 0, [reply.number]), str(told))
    found = [d.number for page in office.page_list("Documents.Search", text="检查 通知") for d in page.document]
    cases.check("a paper is found by its title", found == [reply.number], str(found))
    office.signed("Documents.Ask", event="accept", doc=reply.number)
    month = office.call("Documents.Month", month=year * 100 + datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).month)
    cases.check("a month is told", (month.received, month.issued, month.tasks, month.stuck, len(month.task)) == (1, 0, 1, 2, 2), str(month))
    took = {r.key: (r.n, r.on_time, r.mean_hundredths) for r in office.call("Documents.Turnaround", by="step", to=day, **{"from": year * 10000 + 101}).row}
    cases.check("what tasks took is counted", took == {"check": (1, 1, 0)}, str(took))
