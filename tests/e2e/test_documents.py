#!/usr/bin/python3
"""办文: papers walked at random, six at once, by people of every role on computers of their own, with the clock moving, people away and the
calendar changed; after each step the server says what a reading of the contract of one's own says (document_oracle.py): the refusal, the state,
the open tasks with their holders and dues, the numbers.

    test_documents.py [STEPS] [SEED]"""
import datetime
import random
import sys
import time

import wire_client as w
from document_oracle import OFFICERS, Order, Paper, Refused, World, day_of
from harness import PASSWORD, Cases
from wire_county import WireCounty

pb = w.pb
PEOPLE = (("la", "LEADER", "leader"), ("lb", "LEADER", "leader"), ("oa", "OFFICE", "office"), ("ob", "OFFICE", "office"), ("oc", "OFFICE", "office"),
          ("ea", "BASIC_EDU", "basicedu"), ("eb", "BASIC_EDU", "basicedu"), ("sa", "SUPERVISION", "supervision"))
DRAFT = "标题：关于开展%s的%s\n文种：%s\n公开：主动公开\n紧急程度：%s\n%s---\n%s\n"


def yyyymmdd(day):
    return day.year * 10000 + day.month * 100 + day.day


def draft_text(rng, genre, urgency, matter, body):
    to = "" if genre == "纪要" else "主送：县公安局\n" if genre in ("通知", "意见", "函") else "主送：各股室\n"
    return DRAFT % (matter, genre, genre, urgency, to, body)


class Walk:
    def __init__(self, county, rng, cases):
        self.county, self.rng, self.cases = county, rng, cases
        self.wires, self.papers, self.ended, self.shift, self.n = {}, [], 0, 0, 0
        self.seen_states, self.seen_refusals = set(), set()

    def wire(self, user):
        device = self.county.people[user]
        if user not in self.wires:
            self.wires[user] = device.connect()
            try:
                device.resume(self.wires[user])
            except w.WireError as error:
                if error.name != "UNAUTHENTICATED":
                    raise
                device.login(self.wires[user], user, PASSWORD)
        return self.wires[user]

    def call(self, user, name, **fields):
        return self.wire(user).call(name, **fields)

    def signed(self, user, name, **fields):
        return self.wire(user).signed(name, **fields)

    # ---- asks ----

    def some(self, most, *roles):
        users = [u for u, _, role in PEOPLE if not roles or role in roles]
        return self.rng.sample(users, min(len(users), self.rng.randint(1, most)))

    def person(self, *roles):
        if self.rng.random() < 0.03:
            return "nobody"
        return self.some(1, *roles)[0]

    def fields(self, paper, event):
        """Mostly what the event needs; sometimes less."""
        rng, a = self.rng, {}
        rows = paper.table().get(event) or [(("",), ("",), "")]
        for need in rng.choice(rows)[2].split():
            if rng.random() < 0.03:
                continue
            if need in ("text", "reason", "slot", "by"):
                a[need] = "事由%d" % rng.randint(1, 9)
            elif need == "leader":
                a[need] = self.person("leader") if rng.random() < 0.9 else self.person()
            elif need in ("lead", "to"):
                a[need] = self.person()
            elif need == "readers":
                a[need] = self.some(3)
                a["in_order"] = rng.random() < 0.5
            elif need in ("due", "date"):
                a[need] = day_of(paper.w.now) + datetime.timedelta(rng.randint(-3, 25) if need == "due" else rng.randint(-5, 1))
            elif need == "organ":
                a[need] = rng.choice(list(paper.joint) or ["县公安局"]) if rng.random() < 0.9 else "市教育局"
            elif need == "series":
                a[need] = "洪教发" if rng.random() < 0.95 else "洪教未"
            elif need in ("copies", "count"):
                a[need] = rng.randint(1, 60)
            elif need == "force":
                a[need] = True
            elif need == "file":
                a.update(self.draft_fields(paper))
        if event == "instruct" and "lead" in a:
            if rng.random() < 0.5:
                a["assist"] = self.some(2)
            if rng.random() < 0.3:
                a["due"] = day_of(paper.w.now) + datetime.timedelta(rng.randint(-1, 20))
        if event == "edit" and rng.random() < 0.5:
            a.update(self.draft_fields(paper))
        if event == "edit" and rng.random() < 0.3:
            a["leader"] = self.person("leader")
        if rng.random() < 0.05:
            a["seen"] = rng.choice((paper.version, paper.version + 1))
        return a

    def draft_fields(self, paper):
        rng = self.rng
        genre, matter, body = getattr(paper, "text", (None, None, None))
        form = genre is not None and rng.random() < 0.5
        if form:
            body = body + "　" if rng.random() < 0.5 else body.replace("，", ",")
        else:
            genre, matter, body = rng.choice(("通知", "意见", "函", "纪要", "通知")), "安全检查%d" % rng.randint(1, 999), "请各单位，认真落实%d。" % rng.randint(1, 10 ** 6)
        urgency = rng.choice(("平件", "加急", "特急"))
        return dict(file=draft_text(rng, genre, urgency, matter, body), genre=genre, urgency=("平件", "加急", "特急").index(urgency), form=form, text_=(genre, matter, body))

    def ask(self, user, paper, event, a):
        wire = {k: (yyyymmdd(v) if k in ("due", "date") else v) for k, v in a.items() if k not in ("genre", "urgency", "form", "text_")}
        if "file" in wire:
            wire["file"] = wire["file"].encode()
        if paper.state:
            wire["doc"] = paper.number if paper.number and self.rng.random() < 0.5 else paper.id
        try:
            return self.signed(user, "Documents.Ask", event=event, **wire), None
        except w.WireError as error:
            self.said = str(error)
            return None, (error.name, int(error.error.field[1:]) if error.name == "RULE" else None)

    # ---- a step ----

    def begin(self):
        rng, kind = self.rng, self.rng.choice(("in", "out"))
        paper = Paper(self.world, kind)
        self.n += 1
        if kind == "in":
            urgency, reads = rng.choice(("平件", "加急", "特急")), rng.random() < 0.4
            reply = self.signed("oa", "Documents.Ask", event="register", **{"from": "市教育局"}, their_no="市教〔2026〕%d号" % self.n, title="关于检查%d的通知" % self.n,
                              urgency=urgency, **{"class": "read" if reads else "act"})
            self.world.now = reply.at
            paper.register("oa", reads, ("平件", "加急", "特急").index(urgency))
        else:
            user = self.some(1)[0]
            a = {"leader": self.some(1, "leader")[0], **self.draft_fields(paper)}
            if rng.random() < 0.4:
                a["countersign"], a["in_order"] = self.some(3), rng.random() < 0.5
            if rng.random() < 0.3:
                a["joint"] = rng.sample(("县公安局", "县卫健局"), rng.randint(1, 2))
            reply, refused = self.ask(user, paper, "draft", a)
            if refused:
                raise AssertionError("draft: %s %s\n%s" % (refused, self.said, a))
            self.world.now = reply.at
            paper.draft(user, a)
            paper.text = a["text_"]
        paper.id, paper.number = reply.id, reply.number or None
        self.papers.append(paper)
        return paper

    def choose(self, paper):
        """Mostly an event of the state by one of its people."""
        rng = self.rng
        events = [e for e, rows in paper.table().items() if any(paper.state in r[0] for r in rows)]
        if rng.random() < 0.06:  # an end is not to come too soon
            events = [e for e in ("void", "refuse", "recall", "archive") if e in events] or events
        else:
            events = [e for e in events if e not in ("void", "refuse", "recall")] or events
        event = rng.choice(events) if events and rng.random() < 0.93 else rng.choice(list({**Paper.IN, **Paper.OUT}))
        user = self.some(1)[0]
        rows = [r for r in paper.table().get(event, []) if paper.state in r[0]]
        if rows and rng.random() < 0.85:
            by = rng.choice(rng.choice(rows)[1])
            people = [u for u, _, role in PEOPLE if role == "leader"] if by == "leader" else [p for p in paper.people(by) if p]
            if people:
                user = rng.choice(people)
                away = self.world.stand_in(user)
                user = away[1] if away and rng.random() < 0.6 else user
        return event, user

    def order_step(self):
        """Of an order on some paper; mostly one that its state has, by one who may."""
        rng = self.rng
        papers = [p for p in self.papers[-30:] if p.state not in ("void", "refused", None)]
        orders = [o for p in papers for o in p.orders if o.state in Order.OPEN]
        if not papers:
            return
        if orders and (len(orders) > 6 or rng.random() < 0.75):
            order = rng.choice(orders)
            events = [e for e, row in Order.ROWS.items() if order.state in row[0]] if rng.random() < 0.9 else [e for e in Order.ROWS if e != "add"]
            event = rng.choice(events)
        else:
            order, event = Order(self.world, rng.choice(papers)), "add"
        user = self.some(1)[0]
        if rng.random() < 0.8:
            user = {"answer": order.to, "accept": order.adder, "return": order.adder, "transfer": order.adder}.get(event) or self.some(1, "leader")[0]
        a, day = {}, day_of(self.clock())
        for need in Order.ROWS[event][2].split() + (["due"] if event == "add" and rng.random() < 0.4 else []):
            if rng.random() < 0.97:
                a[need] = self.person() if need == "to" else day + datetime.timedelta(rng.randint(-1, 20)) if need == "due" else "事由%d" % rng.randint(1, 9)
        wire = {**{k: yyyymmdd(v) if k == "due" else v for k, v in a.items()}, **({"doc": order.paper.id} if event == "add" else {"id": rng.choice((order.id, order.number))})}
        before, reply, refused, wanted = self.clock(), None, None, None
        try:
            reply = self.signed(user, "Documents.Order", event=event, **wire)
        except w.WireError as error:
            refused = (error.name, int(error.error.field[1:]) if error.name == "RULE" else None)
            self.said = str(error)
        self.world.now, state = reply.at if reply else before, order.state
        try:
            order.ask(user, event, **a)
        except Refused as r:
            wanted = (r.code, r.rule)
        what = "order %s on %s %s, %s: %s %s by %s" % (order.number, order.paper.number or order.paper.id, order.paper.state, state, event, a, user)
        if refused != wanted:
            raise AssertionError("%s: found %s (%s), wanted %s" % (what, refused, self.said if refused else "", wanted))
        if refused:
            self.seen_refusals.add(refused)
            return
        order.id, order.number = reply.id, reply.number
        self.seen_states.add(("order", order.state))
        if (reply.state, reply.due) != (order.state, order.due):
            raise AssertionError("%s: found %s, wanted %s" % (what, (reply.state, reply.due), (order.state, order.due)))
        self.compare(order.paper, what)

    def orders_listed(self):
        """Each is listed as it stands, under numbers without a gap."""
        found = sorted((o.id, o.state, o.to, o.due) for page in self.wire("oa").page_list("Documents.Orders") for o in page.order)
        orders = [o for p in self.papers for o in p.orders]
        wanted = sorted((o.id, o.state, o.to, o.due) for o in orders)
        numbers = sorted((int(o.number[2:6]), int(o.number[7:-1])) for o in orders)
        if found != wanted or any(b[0] == a[0] and b[1] != a[1] + 1 for a, b in zip(numbers, numbers[1:])):
            raise AssertionError("orders\nfound  %s\nwanted %s\n%s" % (found, wanted, numbers))
        return len(orders)

    def step(self):
        if self.rng.random() < 0.2:
            self.order_step()
            return
        if len([p for p in self.papers if p.state not in ("archived", "void", "refused")]) < 6:
            self.begin()
            return
        paper = self.rng.choice([p for p in self.papers[-30:] if p.state not in ("archived", "void", "refused")] + self.papers[-1:])
        event, user = self.choose(paper)
        a = self.fields(paper, event)
        before = self.clock()
        reply, refused = self.ask(user, paper, event, a)
        self.world.now = reply.at if reply else before
        state = paper.state
        try:
            paper.ask(user, event, **{k: v for k, v in a.items()})
            wanted = None
        except Refused as r:
            wanted = (r.code, r.rule)
        what = "%s %s: %s %s by %s %s" % (paper.number or paper.id, state, event, {k: v for k, v in a.items() if k != "text_"}, user, self.world.away)
        if refused != wanted:
            raise AssertionError("%s: found %s (%s), wanted %s" % (what, refused, self.said if refused else "", wanted))
        if refused:
            self.seen_refusals.add(refused)
            return
        before_text = getattr(paper, "text", None)
        if "text_" in a:
            paper.text = a["text_"]
        if paper.state == "issued" and event == "issue":
            paper.issued_text = paper.text
        if paper.state == "issued" and event == "return":
            paper.text = paper.issued_text
        paper.number = reply.number or paper.number
        self.seen_states.add((paper.kind, paper.state))
        if (reply.state, reply.version, reply.n) != (paper.state, paper.version, paper.n):
            raise AssertionError("%s (before: %s): found %s, wanted %s" % (what, before_text, (reply.state, reply.version, reply.n), (paper.state, paper.version, paper.n)))
        self.compare(paper, what)

    def compare(self, paper, what):
        shown = self.call("oa", "Documents.Show", doc=paper.id)
        found = sorted((t.step, t.school, getattr(t, "with"), getattr(t, "for"), t.since, t.opened, t.due) for t in shown.task)
        if found != paper.listed():
            raise AssertionError("%s: tasks\nfound  %s\nwanted %s" % (what, found, paper.listed()))

    def clock(self):
        return time.time_ns() // 1000 + self.shift

    def change_the_world(self):
        """Time passes, somebody goes away, a day is moved."""
        rng, day = self.rng, day_of(self.clock())
        what = rng.random()
        if what < 0.6:
            seconds = rng.randint(600, 20 * 3600)
            self.shift = self.call("sysadmin", "Server.Clock", advance_s=seconds).now - time.time_ns() // 1000
            # The server closes what has become too old, also while it answers: whether that call was carried out nobody would know.
            for wire in self.wires.values():
                wire.close()
            self.wires.clear()
        elif what < 0.9:
            user, role = rng.choice([(u, role) for u, _, role in PEOPLE if role in ("leader", "office", "basicedu")])
            to = rng.choice([u for u, _, r in PEOPLE if r == role and u != user])
            begin, acting = day + datetime.timedelta(rng.randint(0, 1)), rng.random() < 0.5
            end = begin + datetime.timedelta(rng.randint(0, 2))
            clash = any(a[0] in (user, to) and a[2] <= end and begin <= a[3] for a in self.world.away)
            try:
                reply = self.call("oa", "Documents.Delegate", **{"from": user}, to=to, begin=yyyymmdd(begin), end=yyyymmdd(end), acting=acting, reason="出差")
                refused = False
            except w.WireError as error:
                refused = error.name
            if bool(refused) != clash:
                raise AssertionError("delegation %s %s %s: %s" % (user, to, self.world.away, refused))
            if not refused:
                self.world.away.append((user, to, begin, end, acting, reply.at))
        else:
            moved = day + datetime.timedelta(rng.randint(0, 20))
            works = not self.world.works(moved)
            reply = self.call("oa", "Documents.ImportWorkdays", row=[pb.WorkdayRow(day=yyyymmdd(moved), working=works)])
            self.world.moved.append((reply.at, moved, works))

    def reminders(self):
        """The same before and after any job, by the rows and the time alone."""
        found = {}
        for page in self.wire("oa").page_list("Documents.Reminders"):
            for m in page.reminder:
                found.setdefault(m.doc, []).append((m.step, m.school, m.what, m.k, m.to, m.at))
        self.world.now = self.clock()
        n = 0
        for paper in self.papers:
            wanted = paper.reminders()
            n += len(wanted)
            if sorted(found.get(paper.id, [])) != wanted:
                raise AssertionError("reminders of %s (%s):\nfound  %s\nwanted %s\ntasks %s" % (paper.number, paper.state, sorted(found.get(paper.id, [])), wanted, paper.tasks))
        return n

    def reconciled(self):
        """A year's numbers against the states of the papers that have them."""
        ends, n = ("archived", "void", "refused"), 0
        for year in {int(p.number.split("〔")[1][:4]) for p in self.papers if p.number}:
            papers = {p.number: p for p in self.papers if p.number and "〔%d〕" % year in p.number}
            pages = self.wire("oa").page_list("Documents.ReconcileArchive", year=year)
            found = {(r.registered, *(getattr(r, s) for s in ends), r.open, r.residual) for r in pages}
            counts = [sum(p.state == s for p in papers.values()) for s in ends]
            if found != {(len(papers), *counts, len(papers) - sum(counts), 0)}:
                raise AssertionError("%d is reconciled as %s, wanted %s of %d" % (year, found, counts, len(papers)))
            rows = sorted((r.number, r.state, getattr(r, "with"), getattr(r, "for")) for page in pages for r in page.row)
            wanted = sorted({(no, p.state, who, for_ or "") for no, p in papers.items() if p.state not in ends
                             for who, for_ in (self.world.with_(t["principal"]) for t in p.tasks if t["closed"] is None and t["step"] != "whole")})
            if rows != wanted:
                raise AssertionError("%d has open\nfound  %s\nwanted %s" % (year, rows, wanted))
            n += len(rows)
        return n

    def turnaround(self):
        """Tasks closed in a span of days, day by day and by the calendar of when each opened."""
        closed = [t for p in self.papers for t in p.tasks if t["closed"]]
        first, last = (day_of(f(t["closed"] for t in closed)) for f in (min, max))
        begin = first + (last - first) // 3
        for from_, to in ((first, last), (begin, last - (last - first) // 3), (first, first), (last, last)):
            for by in ("step", "person", "school"):
                taken = {}
                for t in closed:
                    key = {"step": t["step"], "person": self.world.desks.get(t["principal"], (t["principal"],))[0], "school": t["school"]}[by]
                    if key and from_ <= day_of(t["closed"]) <= to:
                        day, days = day_of(t["opened"]), 0
                        while day < day_of(t["closed"]):
                            day += datetime.timedelta(1)
                            days += self.world.works(day, t["opened"])
                        taken.setdefault(key, []).append((days, t["closed"] <= t["due"]))
                wanted = []
                for key, list_ in sorted(taken.items(), key=lambda x: x[0].encode()):
                    days, n = sorted(d for d, _ in list_), len(list_)
                    on_time = sum(good for _, good in list_)
                    wanted.append((key, n, on_time, n - on_time, (200 * sum(days) + n) // (2 * n), days[-(-9 * n // 10) - 1]))
                found = [(r.key, r.n, r.on_time, r.late, r.mean_hundredths, r.p90_days)
                         for r in self.call("oa", "Documents.Turnaround", by=by, to=yyyymmdd(to), **{"from": yyyymmdd(from_)}).row]
                if found != wanted:
                    raise AssertionError("turnaround by %s of %s to %s\nfound  %s\nwanted %s" % (by, from_, to, found, wanted))
        return len(closed)

    def months(self):
        """What was done in each month, by the traces alone; and what was open when it ended."""
        last = day_of(self.clock())
        shown = {p.id: self.call("oa", "Documents.Show", doc=p.id).trace for p in self.papers}
        entries = [(id, t) for id, trace in shown.items() for t in trace]
        for year, month in {(day_of(t.at).year, day_of(t.at).month) for _, t in entries}:
            inside = [(id, t) for id, t in entries if (day_of(t.at).year, day_of(t.at).month) == (year, month)]
            done = lambda *events: len({id for id, t in inside if (t.event, t.state) in events or t.event in events})
            ended = min((datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(1)), last)
            tasks = [t for p in self.papers for t in p.tasks]
            closed = [t for t in tasks if t["closed"] and (day_of(t["closed"]).year, day_of(t["closed"]).month) == (year, month)]
            stuck = [t for t in tasks if day_of(t["opened"]) <= ended and (t["closed"] is None or day_of(t["closed"]) > ended)]
            wanted = (done("register"), done("issue"), done("close", ("approve", "done"), ("read", "done")), done("archive"), len(closed),
                      sum(t["closed"] <= t["due"] for t in closed), len(stuck))
            pages = self.wire("oa").page_list("Documents.Month", month=year * 100 + month)
            found = {(m.received, m.issued, m.closed, m.archived, m.tasks, m.on_time, m.stuck) for m in pages}
            if found != {wanted} or sorted(t.step for m in pages for t in m.task) != sorted(t["step"] for t in stuck):
                raise AssertionError("%d-%d: found %s, wanted %s" % (year, month, found, wanted))
        return len(entries)

    def numbers(self):
        """1 … max of each series, voided ones kept."""
        for series in ("收", "洪教发"):
            year = day_of(self.clock()).year
            for y in (year - 1, year):
                found = [x for page in self.wire("oa").page_list("Documents.Numbers", series=series, year=y) for x in page.number]
                if [x.n for x in found] != list(range(1, len(found) + 1)):
                    raise AssertionError("numbers of %s: %s" % (series, [x.n for x in found]))


def walk(county, steps, seed, cases):
    rng = random.Random(seed)
    x = Walk(county, rng, cases)
    for name, role, _ in PEOPLE:
        with county.people["sysadmin"].open() as wire:
            account = wire.call("Identity.AddUser", role=[getattr(pb, role)], name="测试" + name, login=name)
        device = county.people[name] = w.Device(county.address)
        device.enrol(county.invite())
        county.first_login(device, account.user, account.password)
    office = x.wire("oa")
    for desk, value, deputy in (("receive", "oa", "ob"), ("issue", "ob", "oc"), ("archive", "oc", ""), ("head", "la", "")):
        office.call("Documents.SetDesk", name=desk, value=value, deputy=deputy)
    for organ, relation in (("市教育局", "superior"), ("县公安局", "peer"), ("县卫健局", "peer")):
        office.call("Documents.SetOrgan", name=organ, value=relation)
    office.call("Documents.AddSeries", name="洪教发")
    x.world = World({u: role for u, _, role in PEOPLE}, {"R": ("oa", "ob"), "I": ("ob", "oc"), "A": ("oc", None)}, "la")
    done = 0
    try:
        for done in range(steps):
            if rng.random() < 0.03:
                x.change_the_world()
            x.step()
        x.numbers()
        reminded = x.reminders()
        opened, closed = x.reconciled(), x.turnaround()
        cases.check("%d orders stand as their paper's walk left them" % x.orders_listed(), True)
        cases.check("%d numbers that are open stand with their people, and nothing is missing" % opened, opened > 0)
        cases.check("%d entries are in the months' reports" % x.months(), True)
        cases.check("%d closed tasks took what they took, by step, person and school" % closed, closed > 0)
        cases.check("%d reminders are those that follow from the rows and the time" % reminded, reminded > 0)
        cases.check("%d steps of %d papers (seed %d) are as the contract says" % (steps, x.n, seed), True)
    except AssertionError as wrong:
        cases.check("step %d of seed %d" % (done, seed), False, str(wrong))
    finally:
        for wire in x.wires.values():
            wire.close()
    print("states met: %s" % ", ".join("%s %s" % s for s in sorted(x.seen_states)))
    print("refusals met: %s" % ", ".join("%s%s" % (code, " R%02d" % rule if rule else "") for code, rule in sorted(x.seen_refusals, key=str)))
    return x


def main():
    cases = Cases()
    steps, seed = [*map(int, sys.argv[1:]), 750, 1][:2] if len(sys.argv) < 3 else map(int, sys.argv[1:3])
    with WireCounty() as county:
        walk(county, steps, seed, cases)
    cases.close()


main()
