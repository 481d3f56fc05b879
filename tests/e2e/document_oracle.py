"""A paper's life as a stranger reads it from the contract, in Python and day by day: what test_documents.py compares the
server with. Shares nothing with server/services/documents."""
import datetime

ZONE = datetime.timezone(datetime.timedelta(hours=8))
DAY = 86400 * 10 ** 6
DAYS = {**{s: (1, 1, 0) for s in "check propose review approve recheck number press proof seal issue".split()},
        **{s: (2, 1, 0) for s in "instruct sign countersign".split()}, **{s: (5, 3, 1) for s in "handle assist joint".split()},
        "circulate": (3, 2, 1), "whole": (10, 5, 2), "draft": (3, 2, 1), "close": (30, 30, 30), "file": (30, 30, 30)}
URGENCY = {"平件": 0, "加急": 1, "特急": 2}
OFFICERS = {"leader", "office", "basicedu", "supervision"}


def day_of(at):
    return datetime.datetime.fromtimestamp(at // 10 ** 6, ZONE).date()


def end_of(day):
    """24:00."""
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 10 ** 6 + DAY


class Refused(Exception):
    def __init__(self, code, rule=None):
        Exception.__init__(self, code)
        self.code, self.rule = code, rule


class World:
    """People, desks, who is away, the calendar."""

    def __init__(self, roles, desks, head):
        self.roles, self.desks, self.head = roles, desks, head  # user: role; R, I, A: (holder, deputy)
        self.away = []     # (from, to, first day, last day, acting, when it was added)
        self.moved = []    # (when it was imported, day, worked)
        self.now = 0

    def works(self, day, as_of=None):
        """By the calendar as it stood."""
        said = [works for at, d, works in self.moved if d == day and (as_of is None or at <= as_of)]
        return said[-1] if said else day.weekday() < 5

    def wd(self, at, n):
        day = day_of(at)
        if n == 0:
            while not self.works(day):
                day += datetime.timedelta(1)
        while n:
            day += datetime.timedelta(1)
            n -= self.works(day)
        return end_of(day)

    def stand_in(self, user, at=None):
        at = self.now if at is None else at
        for a in self.away:
            if a[0] == user and a[2] <= day_of(at) <= a[3] and a[5] <= at:
                return a
        return None

    def with_(self, principal, at=None):
        person = self.desks[principal][0] if principal in self.desks else principal
        away = self.stand_in(person, at)
        return (away[1], person) if away else (person, None)

    def act(self, user, people):
        """For whom he acts: None for himself; raises when it is not his."""
        if user in people:
            return user, None
        for p in people:
            away = self.stand_in(p)
            if away and away[1] == user:
                return p, p
        raise Refused("PERMISSION")


class Paper:
    """Applies events as the tables say; refusals are raised in the order of §1."""

    def __init__(self, world, kind):
        self.w, self.kind, self.state, self.version, self.last = world, kind, None, 0, 0
        self.reads, self.urgency, self.drafter, self.L, self.U = False, 0, None, None, None
        self.V, self.readers, self.cs, self.joint = {}, {}, {}, {}
        self.in_order = self.cs_order = self.came_back = self.reissue = self.minutes = self.needs_head = False
        self.signer = self.signed = None
        self.copies, self.issued_version, self.n, self.number = 0, 0, 0, None
        self.tasks, self.trace, self.orders = [], [], []

    # ---- tasks ----

    def wanted(self):
        s, out = self.state, []
        one = {"registered": ("check", "R"), "proposing": ("propose", "R"), "done": ("file", "A"), "rechecking": ("recheck", "I"), "numbering": ("number", "I"),
               "numbered": ("press", "I"), "printing": ("proof", "I"), "sealed": ("issue", "I"), "closed": ("file", "A"), "recalled": ("file", "A"), "issued": ("close", "I")}
        if s in one and not (s == "issued" and self.held()):
            out.append((*one[s], ""))
        if s == "reviewing":
            out.append(("review", "R", "") if self.kind == "in" else ("approve", "I", ""))
        if s == "instructing":
            out.append(("instruct", self.L, ""))
        if s == "handling":
            out += [("handle", self.U, "")] + [("assist", v, "") for v, done in self.V.items() if not done]
        if s == "circulating":
            open_ = [x for x, done in self.readers.items() if not done]
            out += [("circulate", x, "") for x in (open_[:1] if self.in_order else open_)]
        if s == "draft" and self.came_back:
            out.append(("draft", self.drafter, ""))
        if s == "countersigning":
            open_ = [x for x, done in self.cs.items() if not done]
            out += [("countersign", x, "") for x in (open_[:1] if self.in_order else open_)]
        if s == "signing":
            out += [("sign", self.L, "")] if not self.signer else []
            out += [("joint", self.drafter, o) for o, done in self.joint.items() if not done]
        if s == "proofed":
            out.append(("issue" if self.minutes else "seal", "I", ""))
        if self.kind == "in" and not self.reads and s in ("registered", "proposing", "instructing", "handling", "circulating", "reviewing"):
            out.append(("whole", "R", ""))
        return out

    def retask(self, dated=None):
        wanted, now = self.wanted(), self.w.now
        for t in self.tasks:
            if t["closed"] is None and t["step"] not in ("order", "judge"):
                key = (t["step"], t["principal"], t["school"])
                if key in wanted:
                    wanted.remove(key)
                else:
                    t["closed"] = now
        for step, principal, school in wanted:
            due = self.w.wd(now, DAYS[step][self.urgency])
            before = [t for t in self.tasks if (t["step"], t["principal"], t["school"]) == (step, principal, school)]
            if dated and step in ("handle", "assist"):
                due = end_of(dated)
            elif before:
                due = max(before[-1]["due"], self.w.wd(now, 1))
            self.tasks.append(dict(step=step, principal=principal, school=school, since=now, opened=now, due=due, closed=None, later=[], given=[]))

    def held(self):
        """While an order on it is open it is neither closed, nor voided, nor archived."""
        return any(o.state in ("open", "answered", "returned") for o in self.orders)

    def not_held(self):
        if self.held():
            self.rules.add(23)

    def open(self, step):
        return next((t for t in self.tasks if t["step"] == step and t["closed"] is None), None)

    def give(self, step, to):
        t = self.open(step)
        t["given"].append((self.w.now, t["principal"]))
        t["principal"], t["since"] = to, self.w.now

    def listed(self):
        """What show has to list: (step, school, with, for, since, opened, due)."""
        return sorted((t["step"], t["school"], self.w.with_(t["principal"])[0], self.w.with_(t["principal"])[1] or "", t["since"], t["opened"], t["due"])
                      for t in self.tasks if t["closed"] is None)

    def points(self, t, due, until):
        """(what, k, at) of one due, day by day."""
        works = lambda d: self.w.works(d, t["opened"])
        step, at9 = datetime.timedelta(1), lambda d: end_of(d) - DAY + 9 * 3600 * 10 ** 6
        last = day_of(due - 1)
        while not works(last):
            last -= step
        before, out = last - step, [("due", 0, at9(last))]
        while not works(before):
            before -= step
        out.append(("before", 0, at9(before)))
        k, d = 0, last
        while end_of(d) < until:
            d += step
            if works(d):
                k += 1
                out.append(("overdue", k, at9(d)))
                if k == 3:
                    out.append(("escalate", 3, at9(d)))
        return out

    def reminders(self):
        """(step, school, what, k, to, at) of all that were due up to now."""
        out, now = [], self.w.now
        for t in self.tasks:
            def principal(at):
                return next((who for when, who in t["given"] if when > at), t["principal"])
            began, dues = t["opened"], [*t["later"], (None, t["due"])]
            for until, due in dues:
                for what, k, at in self.points(t, due, now):
                    if began < at <= (until or now) and t["opened"] < at and (t["closed"] is None or at < t["closed"]):
                        to = self.w.head if what == "escalate" else self.w.with_(principal(at), at)[0]
                        out.append((t["step"], t["school"], what, k, to, at))
                began = until
            out += [(t["step"], t["school"], "moved", 0, self.w.with_(principal(at), at)[0], at) for at, _ in t["given"]]
        return sorted(out)

    # ---- judging ----

    ROLE = {"R": {"office"}, "I": {"office"}, "A": {"office"}, "L": {"leader"}, "leader": {"leader"}, "head": {"leader"}}
    # event: [(states, by, what it needs)], a row each
    IN = {"accept": [(("registered",), ("R",), "")], "refuse": [(("registered",), ("R",), "reason")],
          "propose": [(("proposing",), ("R",), "text leader"), (("proposing",), ("R",), "text readers")],
          "instruct": [(("instructing",), ("L",), "text lead"), (("instructing",), ("L",), "text readers")],
          "pass": [(("instructing",), ("L",), "leader")],
          "return": [(("instructing",), ("L",), "reason"), (("reviewing",), ("R",), "reason")],
          "report": [(("handling",), ("V",), "text")], "finish": [(("handling",), ("U",), "text")], "decline": [(("handling",), ("U",), "reason")],
          "transfer": [(("handling",), ("L", "R"), "to reason")], "extend": [(("handling",), ("L",), "due reason")],
          "read": [(("circulating",), ("reader",), "")], "approve": [(("reviewing",), ("R",), "")], "reopen": [(("done",), ("leader",), "reason")],
          "archive": [(("done",), ("A",), "slot")],
          "void": [(("registered", "proposing", "instructing", "handling", "circulating", "reviewing"), ("R",), "reason")]}
    OUT = {"edit": [(("draft",), ("drafter",), "")], "submit": [(("draft",), ("drafter",), "")], "approve": [(("reviewing",), ("I",), "")],
           "return": [(("reviewing",), ("I",), "reason"), (("signing",), ("L",), "reason")], "agree": [(("countersigning",), ("C",), "")],
           "object": [(("countersigning",), ("C",), "reason")], "sign": [(("signing",), ("L",), "")], "joint": [(("signing",), ("drafter",), "organ by date")],
           "recheck": [(("rechecking",), ("I",), "")], "change": [(("rechecking",), ("I",), "file reason")], "number": [(("numbering",), ("I",), "series")],
           "press": [(("numbered",), ("I",), "copies")], "proof_pass": [(("printing",), ("I",), "")], "proof_fail": [(("printing",), ("I",), "reason")],
           "seal": [(("proofed",), ("I",), "count")], "issue": [(("proofed",), ("I",), ""), (("sealed",), ("I",), "")],
           "close": [(("issued",), ("head",), "force reason"), (("issued",), ("I",), "")], "recall": [(("issued",), ("head",), "reason")],
           "reissue": [(("issued",), ("drafter",), "file reason")], "archive": [(("closed", "recalled"), ("A",), "slot")],
           "withdraw": [(("reviewing", "countersigning", "signing"), ("drafter",), "")],
           "void": [(("draft", "reviewing", "countersigning", "signing", "rechecking", "numbering"), ("drafter", "I"), "reason"),
                    (("numbered", "printing", "proofed", "sealed"), ("I",), "reason")]}

    def table(self):
        return self.IN if self.kind == "in" else self.OUT

    def roles_for(self, event):
        rows = self.table().get(event) or [r for t in (self.IN, self.OUT) for r in t.get(event, [])]
        return set().union(*(self.ROLE.get(b, OFFICERS) for r in rows for b in r[1]))

    def condition(self, event, a):
        """What is of the state beyond its name."""
        s = self.state
        return not (event == "propose" and "readers" in a and "leader" not in a and not self.reads
                    or event == "reopen" and not self.U
                    or s == "signing" and event in ("sign", "return") and self.signer
                    or event == "joint" and self.joint.get(a.get("organ"))
                    or event == "issue" and s == "proofed" and not self.minutes
                    or event == "withdraw" and (self.reissue or self.signer or any(self.joint.values()))
                    or event == "void" and self.kind == "out" and self.reissue)

    def people(self, by):
        if by in "RIA" and by in self.w.desks:
            return [p for p in self.w.desks[by] if p]
        if by == "reader" or by == "C":
            open_ = [x for x, done in (self.readers if by == "reader" else self.cs).items() if not done]
            return open_[:1] if self.in_order else open_
        return {"L": [self.L], "U": [self.U], "V": [v for v, done in self.V.items() if not done], "drafter": [self.drafter], "head": [self.w.head]}[by]

    def ask(self, user, event, **a):
        """Judges; returns for whom he acts, after the change. `a` are the fields of the wire."""
        w, role = self.w, self.w.roles[user]
        rows = [r for t in (self.IN, self.OUT) for r in t.get(event, [])]
        if not any(all(n in a for n in r[2].split()) for r in rows):
            raise Refused("MISSING")
        if role not in self.roles_for(event):
            raise Refused("PERMISSION")
        if a.get("seen", self.version) != self.version:
            raise Refused("STALE")
        row = next((r for r in self.table().get(event, []) if self.state in r[0] and all(n in a for n in r[2].split())), None)
        if not row or not self.condition(event, a):
            raise Refused("NOT_NOW")
        if row[1] == ("leader",):
            who, for_ = user, None
        else:
            people = [p for b in row[1] if role in self.ROLE.get(b, OFFICERS) for p in self.people(b) if p]
            who, for_ = w.act(user, people)
            if row[1][0] in w.desks and who in people and for_ is None:
                pass
        self.rules = set()
        self.to = None
        getattr(self, "do_%s_%s" % (self.kind, event))(user, who, for_, a)
        if self.rules:
            raise Refused("RULE", min(self.rules))
        return for_

    def named(self, user, leader=False):
        if user not in self.w.roles or self.w.roles[user] not in OFFICERS or (leader and self.w.roles[user] != "leader"):
            self.rules.add(1)

    def done(self, to, change=lambda: None, dated=None):
        """The change is made only when no rule stands against it."""
        if not self.rules:
            change()
            self.state = to
            self.n += 1
            self.retask(dated)

    def name_all(self, users, *others):
        for u in users:
            self.named(u)
        if len(set(users) | set(others)) < len(users) + len(others):
            self.rules.add(1)

    # ---- 收文 ----

    def register(self, user, reads, urgency):
        self.drafter, self.reads, self.urgency, self.version, self.last = user, reads, urgency, 1, 1
        self.rules = set()
        self.done("registered")

    def do_in_accept(self, *_):
        self.done("proposing")

    def do_in_refuse(self, *_):
        self.done("refused")

    def do_in_propose(self, user, who, for_, a):
        if "leader" in a:
            self.named(a["leader"], True)
            self.done("instructing", lambda: setattr(self, "L", a["leader"]))
        else:
            self.circulate(a)

    def circulate(self, a):
        self.name_all(a["readers"])

        def change():
            self.readers = {r: False for r in a["readers"]}
            self.in_order = bool(a.get("in_order"))
        self.done("circulating", change)

    def do_in_instruct(self, user, who, for_, a):
        if "lead" not in a:
            return self.circulate(a)
        self.named(a["lead"])
        self.name_all(a.get("assist", []), a["lead"])
        if a.get("due") and a["due"] < day_of(self.w.now):
            self.rules.add(26)

        def change():
            self.U, self.V = a["lead"], {v: False for v in a.get("assist", [])}
        self.done("handling", change, a.get("due"))

    def do_in_pass(self, user, who, for_, a):
        self.named(a["leader"], True)
        if a["leader"] == self.L:
            self.rules.add(1)

        def change():
            self.L = a["leader"]
            self.give("instruct", self.L)
        self.done("instructing", change)

    def do_in_return(self, *_):
        self.done("proposing" if self.state == "instructing" else "handling")

    def do_in_report(self, user, who, for_, a):
        self.done("handling", lambda: self.V.update({who: True}))

    def do_in_finish(self, *_):
        if not all(self.V.values()):
            self.rules.add(23)
        self.done("reviewing")

    def do_in_decline(self, *_):
        def change():
            self.U, self.V = None, {}
        self.done("proposing", change)

    def do_in_transfer(self, user, who, for_, a):
        self.named(a["to"])
        if a["to"] == self.U or a["to"] in self.V:
            self.rules.add(1)

        def change():
            self.U = a["to"]
            self.give("handle", self.U)
        self.done("handling", change)

    def do_in_extend(self, user, who, for_, a):
        due = end_of(a["due"])
        if due <= self.open("handle")["due"]:
            self.rules.add(26)

        def change():
            for t in (self.open("handle"), self.open("whole")):
                if t and t["due"] < due:
                    t["later"].append((self.w.now, t["due"]))
                    t["due"] = due
        self.done("handling", change)

    def do_in_read(self, user, who, for_, a):
        last = sum(not d for d in self.readers.values()) == 1
        self.done("done" if last else "circulating", lambda: self.readers.update({who: True}))

    def do_in_approve(self, user, *_):
        if user == self.U:
            raise Refused("SAME_PERSON")
        self.done("done")

    def do_in_reopen(self, *_):
        self.done("handling")

    def do_in_archive(self, *_):
        self.not_held()
        self.done("archived")

    def do_in_void(self, *_):
        self.not_held()
        self.done("void")

    # ---- 发文 ----

    def next_version(self):
        self.last += 1
        self.version = self.last

    def take(self, a):
        if "leader" in a:
            self.named(a["leader"], True)
        if "countersign" in a:
            self.name_all(a["countersign"])

    def set(self, a):
        if "leader" in a:
            self.L = a["leader"]
        if "countersign" in a:
            self.cs, self.in_order = {c: False for c in a["countersign"]}, bool(a.get("in_order"))
        if "joint" in a:
            self.joint = {o: False for o in a["joint"]}
        if "genre" in a:
            self.minutes, self.needs_head = a["genre"] == "纪要", a["genre"] in ("决定", "意见", "请示")
            self.urgency = a["urgency"]

    def unsign(self):
        self.signer = self.signed = None
        self.joint = {o: False for o in self.joint}

    def draft(self, user, a):
        self.rules = set()
        self.take(a)
        if self.rules:
            raise Refused("RULE", min(self.rules))

        def change():
            self.drafter = user
            self.next_version()
            self.set(a)
        self.done("draft", change)

    def do_out_edit(self, user, who, for_, a):
        self.take(a)

        def change():
            self.next_version()
            self.set(a)
        self.done("draft", change)

    def do_out_submit(self, *_):
        if self.needs_head and self.L != self.w.head:
            self.rules.add(18)
        self.done("reviewing")

    def do_out_approve(self, user, *_):
        if user == self.drafter:
            raise Refused("SAME_PERSON")
        self.done("countersigning" if self.cs else "signing")

    def back(self):
        def change():
            self.came_back = True
            self.cs = {c: False for c in self.cs}
            self.unsign()
        self.done("draft", change)

    def do_out_return(self, *_):
        if self.state == "signing" and self.reissue:
            def change():
                self.reissue, self.version = False, self.issued_version
                self.minutes, self.needs_head, self.urgency = self.issued
            return self.done("issued", change)
        return self.back()

    def do_out_object(self, *_):
        self.back()

    def do_out_withdraw(self, *_):
        self.back()

    def do_out_agree(self, user, who, for_, a):
        last = sum(not d for d in self.cs.values()) == 1
        self.done("signing" if last else "countersigning", lambda: self.cs.update({who: True}))

    def do_out_sign(self, user, who, for_, a):
        if self.needs_head and (self.L != self.w.head or for_ and not self.w.stand_in(for_)[4]):
            self.rules.add(18)
        self.done("rechecking" if all(self.joint.values()) else "signing", lambda: setattr(self, "signer", user))

    def do_out_joint(self, user, who, for_, a):
        if a["organ"] not in self.joint:
            self.rules.add(3)
        if a["date"] > day_of(self.w.now):
            self.rules.add(26)
        others = all(d for o, d in self.joint.items() if o != a["organ"])
        self.done("rechecking" if self.signer and others else "signing", lambda: self.joint.update({a["organ"]: True}))

    def do_out_recheck(self, user, *_):
        if user == self.signer:
            raise Refused("SAME_PERSON")
        self.done("numbered" if self.reissue else "numbering")

    def do_out_change(self, user, who, for_, a):
        form = a["form"] and not a.get("substance")

        def change():
            self.next_version()
            self.set({k: v for k, v in a.items() if k in ("genre", "urgency")} if "genre" in a else {})
            if not form:
                self.unsign()
        self.done("rechecking" if form else "signing", change)

    def do_out_number(self, user, who, for_, a):
        if a["series"] != "洪教发":
            self.rules.add(3)
        self.done("numbered")

    def do_out_press(self, user, who, for_, a):
        self.done("printing", lambda: setattr(self, "copies", a["copies"]))

    def do_out_proof_pass(self, user, *_):
        if user == self.drafter:
            raise Refused("SAME_PERSON")
        self.done("proofed")

    def do_out_proof_fail(self, *_):
        self.done("numbered")

    def do_out_seal(self, user, who, for_, a):
        if self.minutes or a["count"] > self.copies:
            self.rules.add(19)
        self.done("sealed")

    def do_out_issue(self, *_):
        def change():
            self.reissue, self.issued_version = False, self.version
            self.issued = (self.minutes, self.needs_head, self.urgency)
        self.done("issued", change)

    def do_out_close(self, *_):
        self.not_held()
        self.done("closed")

    def do_out_recall(self, *_):
        self.done("recalled")

    def do_out_reissue(self, user, who, for_, a):
        def change():
            self.next_version()
            self.reissue = True
            self.unsign()
            self.set(a)
        self.done("signing", change)

    def do_out_archive(self, *_):
        self.not_held()
        self.done("archived")

    def do_out_void(self, *_):
        self.not_held()
        self.done("void")


class Order:
    """重点交办 (§6): what is ordered on a paper of one officer."""
    GIVE, OPEN = {"leader", "office", "supervision"}, ("open", "answered", "returned")
    # event: (states, roles, what it needs)
    ROWS = {"add": ((None,), GIVE, "title to"), "answer": (("open", "returned"), OFFICERS, "text"), "accept": (("answered",), GIVE, ""), "return": (("answered",), GIVE, "reason"),
            "transfer": (("open", "returned"), GIVE, "to"), "extend": (OPEN, {"leader"}, "due"), "cancel": (OPEN, {"leader"}, "")}
    TO = {"answer": "answered", "accept": "closed", "return": "returned", "cancel": "cancelled"}

    def __init__(self, world, paper):
        self.w, self.paper, self.state, self.adder, self.to, self.due, self.judged, self.id, self.number = world, paper, None, None, None, 0, [], None, None

    def person(self, user, event):
        role = self.w.roles[user]
        if event == "answer":
            self.w.act(user, [self.to])
        elif event in ("accept", "return") and user != self.adder and role != "supervision" or event == "transfer" and user != self.adder and role != "leader":
            raise Refused("PERMISSION")

    def ask(self, user, event, **a):
        states, roles, needs = self.ROWS[event]
        if any(n not in a for n in needs.split()):
            raise Refused("MISSING")
        if self.w.roles[user] not in roles:
            raise Refused("PERMISSION")
        if self.state not in states:
            raise Refused("NOT_NOW")
        self.person(user, event)
        takes = ("instructing", "handling", "circulating", "reviewing", "done") if self.paper.kind == "in" else ("issued", "closed")
        if event == "add" and self.paper.state not in takes:
            raise Refused("NOT_NOW")
        if event in ("accept", "return") and user == self.to:
            raise Refused("SAME_PERSON")
        if event in ("add", "transfer") and (self.w.roles.get(a["to"]) not in OFFICERS or event == "transfer" and a["to"] == self.to):
            raise Refused("RULE", 1)
        if event == "add" and a.get("due", day_of(self.w.now)) < day_of(self.w.now) or event == "extend" and end_of(a["due"]) <= self.due:
            raise Refused("RULE", 26)
        getattr(self, "do_" + event)(user, a)
        self.state = self.TO.get(event, self.state)
        self.paper.retask()

    def task(self, step, principal, due):
        now = self.w.now
        self.paper.tasks.append(dict(step=step, principal=principal, school="", since=now, opened=now, due=due, closed=None, later=[], given=[], order=self))

    def mine(self):
        return next((t for t in self.paper.tasks if t.get("order") is self and t["closed"] is None), None)

    def end(self):
        if self.mine():
            self.mine()["closed"] = self.w.now

    def do_add(self, user, a):
        self.state, self.adder, self.to, self.urgency = "open", user, a["to"], self.paper.urgency
        self.due = end_of(a["due"]) if "due" in a else self.w.wd(self.w.now, 5)
        self.paper.orders.append(self)
        self.task("order", self.to, self.due)

    def do_answer(self, user, a):
        self.end()
        due = max([*self.judged, self.w.wd(self.w.now, 1)]) if self.judged else self.w.wd(self.w.now, (2, 1, 0)[self.urgency])
        self.judged.append(due)
        self.task("judge", self.adder, due)

    def do_return(self, user, a):
        self.end()
        self.due = max(self.due, self.w.wd(self.w.now, 1))
        self.task("order", self.to, self.due)

    def do_transfer(self, user, a):
        t = self.mine()
        t["given"].append((self.w.now, t["principal"]))
        self.to = t["principal"] = a["to"]
        t["since"] = self.w.now

    def do_extend(self, user, a):
        t, due = self.mine(), end_of(a["due"])
        if t and t["step"] == "order":
            t["later"].append((self.w.now, t["due"]))
            t["due"] = due
        self.due = due

    def do_accept(self, user, a):
        self.end()

    do_cancel = do_accept
