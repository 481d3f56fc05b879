#!/usr/bin/python3
"""Random histories: school computers at work through a line that misbehaves, against a real jgd and its PostgreSQL (T1r).

A seed decides who works, what they type, when the line, jg, jgd, a backend or the postmaster dies, and when a computer is put back
to an earlier state of its disk. Then the faults stop: every computer drains its outbox, people decide what is in conflict, and
checker.py reads both sides' stores. Two teams of schools work at once in one county; a county is replaced after COUNTY_HISTORIES.

    test_histories.py                         100 histories; --long: 10,000
    test_histories.py --histories N --seed S  history i has the seed S + i: N = 1 repeats one"""
import concurrent.futures
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import traceback

import checker
from campaign import Campaign, build_id
from county_files import check_digit
from fault_line import FAULTS, FaultLine
from harness import COUNTY, JG, PASSWORD, Cases, Failure, Server

YEAR = 2027
COUNTY_HISTORIES = 400
PUPILS = 24          # of each primary school before the first history
NUMBERS = 40         # new certificate numbers of one history
PATIENCE_S = (0.03, 0.25) # in the storm: after that somebody pulls the plug of a computer whose sync hangs
DRAIN_S = 60         # I13: within this time at rest
SYNC_STEPS = ["welcome-taken", "push-marked", "push-asked", "push-recorded", "file-sent", "pull-begun", "pull-staged", "pull-done",
              "pull-commit-begun", "pull-commit-moved", "pull-commit-written", "pull-commit-done", "store-committing", "store-committed"]
BUREAU = [("transition", "reconcile", "--year", YEAR, "--as-of", "%d-09-12" % YEAR), ("transition", "slips", "--year", YEAR, "issue")]
SAVE_STEPS = ["store-committing", "store-committed"]
cases = Cases()


def number(team, n, i):
    """The i-th new certificate number of the n-th history of a team; i < 0 are the pupils of before."""
    day, rest = n // 25, n % 25 * NUMBERS + i
    body = "329999%d%02d%02d%03d" % (2015 if i >= 0 else 2014, 1 + day // 28 % 12, 1 + day % 28, rest if i >= 0 else -i)
    body = body[:6] + str(int(body[6:10]) - 2 * team) + body[10:]
    return body + check_digit(body)


class Person:
    """One computer of a school: jg with a profile, which may be killed at any time."""

    def __init__(self, program, school):
        self.profile, self.school = program.profile, school
        self.device = checker.uuid(json.load(open(self.profile + "/profile.json"))["device"])
        self.batches, self.typed, self.copy = [], [], None

    def environment(self, fault=None):
        return {**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "", "XDG_DATA_HOME": self.profile, "JG_PASSWORD": PASSWORD, **({"JG_FAULT": fault} if fault else {})}

    def start(self, *args, fault=None):
        return subprocess.Popen([JG, "--profile", self.profile, *map(str, args), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                stdin=subprocess.DEVNULL, env=self.environment(fault))

    def wait(self, process, patience=DRAIN_S):
        """(exit code, document or None); who has waited long enough pulls the plug."""
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        self.told = err.strip()
        if "Sanitizer" in err or process.returncode in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
            raise Failure("jg ended with %d: %s" % (process.returncode, err[-3000:]))
        try:
            return process.returncode, json.loads(out)
        except ValueError:
            return process.returncode, None

    def run(self, *args, fault=None, patience=DRAIN_S):
        return self.wait(self.start(*args, fault=fault), patience)

    def use_line(self, port):
        path = self.profile + "/profile.json"
        told = json.load(open(path))
        told["server"] = "127.0.0.1:%d" % port
        with open(path, "w") as out:
            json.dump(told, out)

    # ---- a school's restore card ----

    def copy_disk(self):
        self.copy = (len(self.typed), len(self.batches))
        for name in ("store.db", "store.db-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.profile + "/card-" + name)
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(self.profile + "/" + name, self.profile + "/card-" + name)

    def restore_disk(self, memory):
        for name in ("store.db", "store.db-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.profile + "/" + name)
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(self.profile + "/card-" + name, self.profile + "/" + name)
        del self.typed[self.copy[0]:], self.batches[self.copy[1]:]
        memory.forget(self.device)
        self.copy = None


class Team:
    """Two primary and two junior schools that share pupils, five computers, and the line between them and jgd."""

    def __init__(self, county, k):
        self.county, self.k = county, k
        self.primaries = ["2132990%d%02d" % (k, n) for n in (1, 2)]
        self.juniors = ["3132990%d%02d" % (k, n) for n in (1, 2)]
        self.known = {s: [number(k, 0, -1 - i - PUPILS * at) for i in range(PUPILS)] for at, s in enumerate(self.primaries)}
        self.memory = checker.Memory()
        self.people, self.port = {}, 0

    @property
    def schools(self):
        return self.primaries + self.juniors

    def enrol(self):
        for name, school in (("p1", self.primaries[0]), ("p2", self.primaries[0]), ("q", self.primaries[1]), ("j", self.juniors[0]), ("k", self.juniors[1])):
            program = self.county.server.school(school, name="%s%d" % (name, self.k))
            self.people[name] = Person(program, school)

    def roster(self, path, rows):
        with open(path, "w") as out:
            out.write("姓名,证件号码,性别,年级,班级,现住址区划代码,现住址,监护人姓名,监护人关系,监护人电话\n")
            for no, address, phone in rows:
                area = "329999%d%d0" % (1 + self.k, int(no[15]) % 2)
                out.write("%s,%s,%s,六年级,%d班,%s,%s,%s,母亲,%s\n" % (name_of(no), no, "男" if int(no[16]) % 2 else "女", 1 + int(no[15]) % 3, area, address, name_of(no) + "母", phone))
        return path


def name_of(no):
    return "学生" + chr(0x4e00 + int(no[10:17]) % 9000)


class Quiet:
    """While one team is at rest nobody kills what both share."""

    def __init__(self):
        self.condition, self.resting = threading.Condition(), 0

    @contextlib.contextmanager
    def rest(self):
        with self.condition:
            self.resting += 1
        try:
            yield
        finally:
            with self.condition:
                self.resting -= 1
                self.condition.notify_all()

    @contextlib.contextmanager
    def disturb(self):
        with self.condition:
            self.condition.wait_for(lambda: not self.resting)
            yield


class CountyAtWork:
    def __init__(self, server, campaign):
        self.server, self.campaign, self.quiet = server, campaign, Quiet()
        self.failed = False
        self.teams = [Team(self, 0), Team(self, 1)]

    def begin(self):
        server, edu = self.server, self.server.bureau("basic_edu")
        self.edu = edu
        for name, header, rows in (
                ("schools", "学校标识码,学校名称,办学类型,举办者,区划代码", ["%s,演练县%s学校,%s,831,%s" % (s, s[-3:], "211" if s[0] == "2" else "311", 329999) for t in self.teams for s in t.schools]),
                ("catchments", "学校标识码,学段,区划代码", ["%s,初中,329999%d%d0" % (s, 1 + t.k, i) for t in self.teams for i, s in enumerate(t.juniors)])):
            with open("%s/%s.csv" % (server.dir, name), "w") as out:
                out.write("\n".join([header] + rows) + "\n")
            edu.ok(name, "import", "%s/%s.csv" % (server.dir, name))
        for team in self.teams:
            team.enrol()
            for name in ("p1", "q"):
                person = team.people[name]
                rows = [(no, "原住址", "13900000000") for no in team.known[person.school]]
                code, report = person.run("import", "students", team.roster("%s/first-%s.csv" % (server.dir, person.school), rows))
                if code or report["inserted"] != PUPILS or person.run("sync")[0]:
                    raise Failure("the first pupils: %r %s" % (report, person.told))
        edu.ok("transition", "open", "--year", YEAR)
        for phase in ("prefill", "assist", "confirm", "verify"):
            edu.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
        for args in BUREAU:
            edu.ok(*args)

    def bureau(self):
        """The bureau counts anew and issues slips while schools push: they meet in the schools' streams."""
        with self.quiet.disturb():
            for args in BUREAU:
                result = self.edu.run(*args, "--json")
                if result.code not in (0, 1, 4): # the server may be away
                    raise Failure(repr(result))
                self.campaign.count("bureau at work", result.code == 0)

    def disaster(self, what):
        """SIGKILL of jgd, of a backend, or the postmaster at once; a watchman starts jgd again, nothing else is mended."""
        server = self.server
        with self.quiet.disturb():
            if what == "jgd":
                server.stop(signal.SIGKILL)
                server.start()
            elif what == "backend":
                run = server.psql_once("SELECT pid FROM pg_stat_activity WHERE application_name = 'jgd' ORDER BY state = 'idle in transaction' DESC, state_change DESC LIMIT 1", "jingguan")
                if not run.stdout.strip():
                    return
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(run.stdout), signal.SIGKILL)
            else:
                server.stop_postgres("immediate")
        self.campaign.count("killed " + what)

    def purge(self, team, people):
        """As if 400 days had passed: the marks of DEL and LEAVE go, the floor rises; who is below it must begin again."""
        streams = ", ".join(team.schools)
        run = self.server.psql_once("BEGIN; SET LOCAL app.county = '%s'; SET LOCAL app.scope = 'job'; UPDATE stream SET floor = seq WHERE stream_id IN (%s) RETURNING stream_id, floor;"
                                    " DELETE FROM feed WHERE stream_id IN (%s) AND action <> 1; COMMIT" % (COUNTY, streams, streams), "jingguan")
        if run.returncode: # the database is just away
            return
        floors = dict(line.split("|") for line in run.stdout.split())
        for person in people:
            cursor = checker.Computer(person.profile).streams[int(person.school)]["cursor"]
            self.campaign.count("computers below the floor", 0 < cursor < int(floors[person.school]))

    def positions(self, team):
        return self.server.psql("SET app.county = '%s'; SET app.scope = 'job'; SELECT stream_id, seq FROM stream WHERE stream_id IN (%s) ORDER BY 1" % (COUNTY, ", ".join(team.schools)))

    def check(self, team, people):
        """Reads what is stored; `people` are those whose outboxes must have drained."""
        return checker.check_server(self.server, [p.profile for p in people], directory="%s/export-%d" % (self.server.dir, team.k), schools=team.schools,
                                    memory=team.memory, typed=[t for p in people for t in p.typed])


# ---- one history ----

class History:
    def __init__(self, county, team, n, seed, campaign):
        self.county, self.team, self.n, self.seed, self.campaign = county, team, n, seed, campaign
        self.random = random.Random(seed)
        self.made = 0    # new numbers taken
        self.texts = 0   # unique texts typed
        self.files = 0
        self.card = None # (steps to go, person): a disk that will be put back

    def run(self):
        r, team = self.random, self.team
        names = r.choice((["p1", "p2"], ["p1", "p2", "j"], ["p1", "j", "k"], ["p1", "q", "j"], ["p1", "p2", "k"], ["p2", "j"]))
        self.people = [team.people[name] for name in names]
        # A few pupils whom all have at hand: that is where people meet.
        self.hot = {s: r.sample(team.known[s], 3) for s in team.primaries}
        self.line = FaultLine(self.county.server.port, self.seed, team.port)
        team.port = self.line.port
        try:
            for person in self.people:
                person.use_line(team.port)
            for _ in range(r.randint(15, 40)):
                self.step(r.choice(self.people))
                self.restore()
            return self.come_to_rest()
        finally:
            for fault, count in self.line.close().items():
                self.campaign.count("line " + fault, count)

    def step(self, person):
        primary = person.school in self.team.primaries
        actions = {self.set_pupil: 6, self.declare: 6, self.add_pupils: 2, self.change_guardian: 1, self.agree: 1, self.undo: 2, self.take_back: 1, self.decide: 2, self.slip: 1, self.report: 1} if primary else {
            self.answer: 4, self.enrol: 3, self.undo: 1, self.slip: 1, self.report: 2}
        actions.update({self.sync: 5, self.sync_all: 1, self.misfortune: 1.5})
        self.random.choices(list(actions), list(actions.values()))[0](person)

    # ---- what people do ----

    def text(self):
        self.texts += 1
        return "路%dx%d" % (self.seed, self.texts)

    def pupil(self, person):
        school = person.school if person.school in self.hot else self.random.choice(self.team.primaries)
        return self.random.choice(self.hot[school])

    def save(self, person, *args, text=None):
        """A command that saves on this computer; now and then jg dies before or after its commit."""
        fault = "jg:" + self.random.choice(SAVE_STEPS) if self.random.random() < 0.06 else None
        code, report = person.run(*args, fault=fault)
        if code == -signal.SIGKILL:
            self.campaign.count("killed " + fault)
        elif code in (0, 5) and report:
            batch = report.get("edit") or report.get("import")
            if batch:
                person.batches.append(batch)
                if text:
                    person.typed.append((person.device, int(batch), text))
        elif code not in (3, 4, 5, 6):
            raise Failure("%s ended with %d: %s" % (" ".join(map(str, args)), code, person.told))
        self.campaign.count("commands")
        return code, report

    def set_pupil(self, person):
        text = self.text()
        no = self.pupil(person)
        change, text = ("live_address=" + text, text) if self.random.random() < 0.7 else ("class_no=%d" % self.random.randint(1, 9), None)
        code, _ = self.save(person, "students", "set", no, change, text=text)
        if code == 0 and text:
            shown = person.run("students", "show", no)[1]
            self.campaign.count("looked at I6")
            if not shown or shown["live_address"] != text:
                raise Failure("I6: %s was saved and %r is shown" % (text, shown))

    def agree(self, person):
        """Colleagues say the same on their computers: the second one merges."""
        no, change = self.pupil(person), "class_no=%d" % self.random.randint(10, 40)
        for colleague in self.people:
            if colleague.school == person.school:
                self.save(colleague, "students", "set", no, change)

    def declare(self, person):
        no, text = self.pupil(person), self.text()
        kind = self.random.choice(("home", "home", "home", "away", "proof", "open"))
        if kind == "home":
            self.save(person, "transition", "set", no, "--dest", "A1", "--school", self.random.choice(self.team.juniors), "--registration", text, text=text)
        elif kind == "open":
            self.save(person, "transition", "set", no, "--dest", "D5")
        else:
            more = []
            if kind == "proof":
                self.files += 1
                path = "%s/proof-%d-%d.pdf" % (self.county.server.dir, self.seed, self.files)
                with open(path, "wb") as out:
                    out.write(b"%PDF-1.4\n" + self.random.randbytes(self.random.choice((500, 300000))))
                more = ["--evidence", path]
            self.save(person, "transition", "set", no, "--dest", "B2", "--place", text, *more, text=text)

    def add_pupils(self, person):
        """New ones; sometimes those that a colleague has put in too, on another computer."""
        r, hot = self.random, self.hot[person.school]
        fresh = range(self.made, min(self.made + r.randint(1, 3), NUMBERS))
        self.made += len(fresh)
        numbers = [number(self.team.k, self.n, i) for i in fresh]
        if r.random() < 0.4 and len(hot) > 3:
            numbers.append(hot[-1])
        hot += [no for no in numbers if no not in hot]
        self.roster(person, numbers)

    def change_guardian(self, person):
        self.roster(person, self.random.sample(self.hot[person.school], 2))

    def roster(self, person, numbers):
        text = self.text()
        if numbers:
            rows = [(no, text, "139%08d" % self.random.randrange(10 ** 8)) for no in numbers]
            self.save(person, "import", "students", self.team.roster("%s/roster-%d.csv" % (person.profile, self.texts), rows), "--force", text=text)

    def undo(self, person):
        if person.batches:
            self.save(person, "undo", person.batches.pop(self.random.randrange(-min(3, len(person.batches)), 0)))

    def take_back(self, person):
        rows = person.run("outbox", "list")[1] or []
        if rows:
            self.save(person, "outbox", self.random.choice(("revert", "withdraw")), self.random.choice(rows[-5:])["id"])

    def decide(self, person):
        for conflict in (person.run("conflicts", "list")[1] or [])[:2]:
            self.resolve(person, conflict)

    def resolve(self, person, conflict):
        word = self.random.choice(("mine", "theirs"))
        if self.save(person, "conflicts", "resolve", conflict["id"], word)[0] and word == "mine":
            self.save(person, "conflicts", "resolve", conflict["id"], "theirs")

    def answer(self, person):
        rows = person.run("verify", "list")[1] or []
        if rows:
            self.save(person, "verify", "answer", self.random.choice(rows)["id"], self.random.choice(("present", "absent", "unknown")))

    def enrol(self, person):
        path, numbers = "%s/enrolled-%d.csv" % (person.profile, self.texts), {self.pupil(person) for _ in range(2)}
        self.texts += 1
        with open(path, "w") as out:
            out.write("姓名,证件号码,性别,出生日期,毕业小学,是否报到\n")
            for no in sorted(numbers):
                out.write("%s,%s,%s,%s,演练县学校,%s\n" % (name_of(no), no, "男" if int(no[16]) % 2 else "女", no[6:14], self.random.choice("是否")))
        self.save(person, "import", "enrolled", path, "--year", YEAR)

    def slip(self, person):
        rows = person.run("slips", "list")[1] or []
        if rows:
            self.save(person, "slips", "log", self.random.choice(rows)["slip"], "--method", "家访", "--note", self.text())

    def report(self, person):
        """What goes to the bureau at once, or is queued."""
        rows = person.run("slips", "list")[1] or []
        args = ("verify", "submit")
        if rows and (person.school in self.hot or self.random.random() < 0.5):
            slip = self.random.choice(rows)["slip"]
            args = self.random.choice((("slips", "receive", slip), ("slips", "answer", slip, "--outcome", "persuading", "--note", self.text())))
        elif person.school in self.hot:
            return
        self.synced(person, person.start(*args), None, self.random.uniform(*PATIENCE_S))

    # ---- the line ----

    def sync(self, person):
        fault = "jg:" + self.random.choice(SYNC_STEPS) if self.random.random() < 0.3 else None
        self.synced(person, person.start("sync", fault=fault), fault, self.random.uniform(*PATIENCE_S))

    def synced(self, person, process, fault, patience):
        code, report = person.wait(process, patience)
        if code == -signal.SIGKILL:
            self.campaign.count("killed %s" % (fault or "jg in mid-sync"))
        elif code not in (0, 1, 3, 4, 5):
            raise Failure("%s ended with %d: %s" % (" ".join(process.args[3:]), code, person.told))
        elif report and "digest_ok" in report:
            self.campaign.count("syncs in the storm")
            if report["digest_ok"] is False:
                raise Failure("the digest differed: %r %s" % (report, person.told))

    def sync_all(self, _person):
        processes = [(person, person.start("sync")) for person in self.people]
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, 0.1))
            self.misfortune(None)
        for person, process in processes:
            self.synced(person, process, None, self.random.uniform(*PATIENCE_S))

    def misfortune(self, person):
        what = self.random.choices(("jgd", "backend", "postmaster", "cut", "card", "purge", "bureau", "nothing"), (4, 4, 3, 10, 24, 10, 15, 30))[0]
        if what in ("jgd", "backend", "postmaster"):
            self.county.disaster(what)
        elif what == "cut":
            self.line.say("cut")
            if person:
                self.sync(person)
            self.line.say("storm")
        elif what == "bureau":
            self.county.bureau()
        elif what == "purge" and person:
            self.county.purge(self.team, self.people)
        elif what == "card" and person and not self.card:
            person.copy_disk()
            if person.school in self.hot: # what the server learns after the copy makes the fork
                self.set_pupil(person)
            self.sync(person)
            self.card = [self.random.randint(1, 8), person]

    def restore(self):
        if not self.card:
            return
        self.card[0] -= 1
        if not self.card[0]:
            self.card[1].restore_disk(self.team.memory)
            self.campaign.count("restore card")
            self.card = None

    # ---- at rest ----

    def drain(self):
        """Every computer syncs until nothing moves any more."""
        until = time.monotonic() + DRAIN_S
        moved = True
        while moved:
            moved = False
            for person in self.people:
                code, report = person.run("sync")
                if code not in (0, 5):
                    if time.monotonic() > until:
                        raise Failure("I13: %s cannot sync at rest: %d %s" % (person.profile, code, person.told))
                    time.sleep(0.1)
                    moved = True
                    continue
                if report["digest_ok"] is not True:
                    raise Failure("I4: the digest differs at rest: %r %s" % (report, person.told))
                moved |= bool(report["pushed"] or report["pulled"] or report["pending"])
            if moved and time.monotonic() > until:
                raise Failure("I13: it goes on and on: %r" % report)

    def tidy(self, person):
        """What needs a person gets one: conflicts are decided, refused, blocked and draft items withdrawn."""
        for conflict in person.run("conflicts", "list")[1] or []:
            self.resolve(person, conflict)
        for row in person.run("outbox", "list")[1] or []:
            if row["state"] in ("refused", "blocked", "draft"):
                self.save(person, "outbox", "withdraw", row["id"])

    def come_to_rest(self):
        with self.county.quiet.rest():
            self.line.say("calm")
            self.drain()
            for person in self.people:
                self.tidy(person)
            while True: # a reminder that comes due meanwhile is nobody's fault: what is found counts when nothing moved
                before = self.county.positions(self.team)
                self.drain()
                judged = self.county.check(self.team, self.people)
                if not judged.findings or self.county.positions(self.team) == before:
                    return judged


def repeat(seed):
    return "/usr/bin/python3 tests/e2e/test_histories.py --histories 1 --seed %d" % seed


def play(county, team, seeds, campaign):
    """A team's histories, one after the other; both teams stop at the first that fails, for the stores are the evidence."""
    for n, seed in enumerate(seeds):
        if county.failed:
            return False
        try:
            judged = History(county, team, n, seed, campaign).run()
            findings = judged.findings
            for invariant, count in judged.counts.items():
                campaign.count("looked at " + invariant, count)
        except Exception as error: # a history that cannot be played is a failed one, whatever stopped it
            findings = [("failed", "%s" % error if isinstance(error, Failure) else traceback.format_exc())]
        with campaign.lock:
            campaign.done += 1
            campaign.failures += bool(findings)
        if findings:
            county.failed = True
            cases.check("history %d" % seed, False, "build %s, repeat with: %s\n%s" % (build_id(), repeat(seed), "\n".join("    %s %s" % f for f in findings[:20])))
            return False
        cases.passed += 1
    return True


def tell_outcomes(server, campaign):
    """What the server met, for the gates."""
    county = checker.County(server.dir + "/export")
    for result in county.results.values():
        campaign.count("outcome " + checker.pb.Outcome.Name(result.outcome))
        campaign.counts["duplicate adopted or told"] += bool(result.duplicate_of)
    for stream in county.feed.values():
        for _, _, _, action in stream.values():
            campaign.counts["feed " + ("PUT", "DEL", "LEAVE")[action - 1]] += 1
    for part in county.parts:
        for entry in part.entries:
            campaign.counts["trace " + ("PUT", "DEL", "LEAVE")[entry.action - 1]] += 1
    for row in county.devices.values():
        campaign.counts["replayed pushes"] += int(row["dup_seen"])
        campaign.counts["forks"] += int(row["incarnation"]) - 1


def whole_county(county, campaign):
    """In the end everybody comes to rest at once, directly, and the whole county is read."""
    people = [p for team in county.teams for p in team.people.values()]
    for person in people:
        person.use_line(county.server.port)
    last = History(county, county.teams[0], 0, 0, campaign)
    last.people = people
    last.drain()
    sick = [p.profile for p in people if p.run("doctor")[0]] # opens every sealed row and adds up its hashes
    cases.check("every computer is well", not sick, sick)
    judged = checker.check_server(county.server, [p.profile for p in people])
    cases.check("the whole county keeps every promise", not judged.findings, "\n".join("%s %s" % f for f in judged.findings[:20]))
    tell_outcomes(county.server, campaign)
    auditor = county.server.people["auditor"]
    auditor.login()
    cases.check("the trace is whole", auditor.run("audit", "verify").code == 0)


def work(seeds, campaign):
    """One county; False when a history failed in it."""
    with Server() as server:
        county = CountyAtWork(server, campaign)
        county.begin()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            good = all(pool.map(lambda k: play(county, county.teams[k], seeds[k::2], campaign), (0, 1)))
        if good:
            whole_county(county, campaign)
        log = open(server.dir + "/jgd.log").read()
        cases.check("jgd made no fault of its own", "Sanitizer" not in log and "runtime error" not in log, log[-2000:])
        if cases.failed:
            os.environ["JG_KEEP"] = "1"
            print("the county's folder is kept: %s" % server.dir, flush=True)
    return good


def main():
    parser = Campaign.parser("random histories of school computers through a line that misbehaves")
    parser.add_argument("--histories", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    histories = options.histories or (10000 if options.long else 100)
    campaign = Campaign("T1r", "random histories through the proxy", cases)
    begun = time.monotonic()
    for start in range(0, histories, COUNTY_HISTORIES):
        seeds = [options.seed + start + i for i in range(min(COUNTY_HISTORIES, histories - start))]
        if not work(seeds, campaign):
            break
    print("%d histories in %d s" % (campaign.done, time.monotonic() - begun))
    if histories >= 100: # fewer prove nothing about what happens sometimes
        gates = ["line " + fault for fault in FAULTS] + ["killed jg:" + step for step in SYNC_STEPS] + ["killed jgd", "killed backend", "killed postmaster", "killed jg in mid-sync"]
        gates += ["outcome " + o for o in ("APPLIED", "MERGED", "CONFLICT", "REJECTED", "BLOCKED")] + ["duplicate adopted or told", "trace DEL", "trace LEAVE", "replayed pushes", "forks", "restore card", "computers below the floor", "bureau at work"]
        campaign.required = {gate: histories // 100 for gate in gates}
    campaign.close(options)


if __name__ == "__main__":
    main()
