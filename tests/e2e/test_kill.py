#!/usr/bin/python3
"""SIGKILL at every step of common/fault.def, in jg and in jgd, and of PostgreSQL's backend and postmaster while jgd stands there (T1).

After each the next sync goes through by itself. In the end everything that was acknowledged is there exactly once, operation
numbers have no gap, the digests agree, the trace is whole, no outbox holds anything, and checker.py finds nothing in the stores.
--long: every step 25 times for each of jg or jgd, backend, postmaster killed, postmaster stopped at once."""
import os
import re
import signal
import subprocess
import sys
import time

import checker
from campaign import Campaign
from county_files import check_digit
from harness import JG, JGADMIN, ROOT, Cases, Failure, Server
from wire_county import P, J

YEAR = 2027
ROUNDS_LONG = 25
NTH = {"jg:store-committing": (1, 2, 3, 4, 5), "jg:store-committed": (1, 2, 3, 4, 5), "jg:pull-commit-moved": (1, 2), "jg:pull-commit-done": (1, 2), "jg:pull-staged": (1, 2),
       "jg:file-sent": (1, 2), "jgd:chunk-stored": (1, 3)} # what happens more than once in a sync
cases = Cases()


def steps():
    with open(os.path.join(ROOT, "common/fault.def")) as file:
        return re.findall(r'^X\(\w+, "(\w+:[\w-]+)"\)', file.read(), re.M)


class Kill:
    def __init__(self, server, campaign):
        self.server, self.count, self.expected, self.files, self.campaign, self.pages = server, 0, set(), 0, campaign, []

    def killed(self, whom, word):
        self.campaign.count("%s at %s" % (whom, word))

    # ---- the county ----

    def begin(self):
        server = self.server
        self.edu = server.bureau("basic_edu")
        path = os.path.join(server.dir, "schools.csv")
        with open(path, "w") as out:
            out.write("学校标识码,学校名称,办学类型,举办者,区划代码\n%s,演练县第一小学,211,831,329999100\n%s,演练县第一初级中学,311,831,329999\n" % (P, J))
        self.edu.ok("schools", "import", path)
        self.person = server.school(P)
        self.import_new(1100)
        self.person.ok("sync")
        self.edu.ok("transition", "open", "--year", YEAR)
        self.office, self.papers = server.bureau("office"), 0
        for desk in ("收文", "发文", "档案"):
            self.office.ok("documents", "desk", "set", desk, self.office.user)
        self.office.ok("documents", "orgs", "set", "市教育局", "--relation", "直接上级")

    def numbers(self, n):
        out = []
        for _ in range(n):
            self.count += 1
            body = "3299992015%02d%02d%03d" % (1 + self.count // 1000 % 8, 1 + self.count // 36000 % 28, self.count % 1000)
            out.append(body + check_digit(body))
        return out

    def table(self, numbers):
        path = os.path.join(self.server.dir, "students-%d.csv" % self.count)
        with open(path, "w") as out:
            out.write("姓名,身份证号,性别,年级,班级\n")
            for no in numbers:
                out.write("学生%s,%s,%s,六年级,%d班\n" % (chr(0x4e00 + int(no[10:12] + no[14:17]) % 9000), no, "男" if int(no[16]) % 2 else "女", 1 + int(no[16]) % 3))
        return path

    def import_new(self, n, person=None):
        numbers = self.numbers(n)
        report = (person or self.person).ok("import", "students", self.table(numbers))
        if report["inserted"] != n:
            raise Failure(str(report))
        self.expected |= set(numbers)
        return numbers

    def queue_work(self):
        """Two pupils, a change of a third, now and then a file."""
        new = self.import_new(2)
        self.person.ok("students", "set", "-", "class_no=%d" % (1 + self.count % 9), stdin=new[0] + "\n")

    def queue_file(self):
        self.files += 1
        path = os.path.join(self.server.dir, "proof-%d.pdf" % self.files)
        with open(path, "wb") as out:
            out.write(b"%PDF-1.4\n" + os.urandom(600000))
        no = sorted(self.expected)[self.files]
        self.person.ok("transition", "set", "-", "--dest", "B2", "--place", "江苏省南京市", "--evidence", path, stdin=no + "\n")

    def settle(self, person=None, name=""):
        """Without a fault the next sync goes through; a paper stands once, under the next number."""
        if person is self.office:
            listed = [(d["number"], d["title"]) for d in person.ok("documents", "list")]
            return cases.equal("%s: it is registered once, and no number is lost" % name, [(int(re.search(r"(\d+)号", number).group(1)), title) for number, title in listed],
                               [(n, "关于检查%d的通知" % n) for n in range(1, self.papers + 1)])
        result = (person or self.person).run("sync", "--json")
        report = result.json if result.code in (0, 5) and result.out.strip() else {}
        return cases.check("%s: the next sync goes through" % name, report.get("pending") == 0 and report.get("digest_ok") and not report.get("refused") and not report.get("conflicts"), repr(result))

    # ---- jg dies ----

    def kill_jg(self, word, nth):
        self.queue_work()
        if word == "jg:file-sent":
            self.queue_file()
        result = self.person.run("sync", env={"JG_FAULT": "%s:%d" % (word, nth)})
        if cases.check("jg dies at %s:%d" % (word, nth), result.code == -signal.SIGKILL, repr(result)):
            self.killed("jg", word)
        self.settle(name="%s:%d" % (word, nth))

    def kill_import(self, word):
        """Killed before the commit nothing is queued, after it everything; the same file again makes both the same."""
        numbers = self.numbers(3)
        path = self.table(numbers)
        result = self.person.run("import", "students", path, env={"JG_FAULT": word})
        report = self.person.ok("import", "students", path)
        self.expected |= set(numbers)
        wanted = 3 if word == "jg:store-committing" else 0
        cases.check("an import killed at %s" % word, result.code == -signal.SIGKILL and report["inserted"] == wanted, "%r %s" % (result, report))
        self.settle(name="import " + word)

    # ---- jgd dies ----

    def restart(self, fault=None, stop=False):
        self.server.stop(signal.SIGKILL)
        for name, value in (("JG_FAULT", fault), ("JG_FAULT_STOP", "1" if stop else None)):
            os.environ.pop(name, None)
            if value:
                os.environ[name] = value
        self.server.start()
        os.environ.pop("JG_FAULT", None)
        os.environ.pop("JG_FAULT_STOP", None)

    def start_work(self, person):
        """A sync; of the bureau's office, a paper."""
        command = [JG, "--profile", person.profile, "sync", "--json"]
        if person is self.office:
            self.papers += 1
            command = [JGADMIN, "--profile", person.profile, "documents", "register", "--from", "市教育局", "--title", "关于检查%d的通知" % self.papers, "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "XDG_DATA_HOME": person.profile, "LANG": "C.UTF-8"})

    def work_for(self, word):
        """Something that makes jgd come by this step; the computer that syncs it."""
        if word.startswith("jgd:event-"):
            return self.office
        if word == "jgd:pull-page":
            self.pages.append(self.server.school(P, name="page%d" % len(self.pages))) # pulls from the beginning: more than one page
            return self.pages[-1]
        self.queue_work()
        if word == "jgd:chunk-stored":
            self.queue_file()
        return self.person

    def kill_jgd(self, word, nth):
        person = self.work_for(word)
        self.restart("%s:%d" % (word, nth))
        sync = self.start_work(person)
        try:
            died = self.server.process.wait(timeout=20) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            died = False
        self.restart()
        out, err = sync.communicate(timeout=90)
        if cases.check("jgd dies at %s:%d" % (word, nth), died):
            self.killed("jgd", word)
        cases.check("%s:%d: what is under way goes on by itself" % (word, nth), sync.returncode == 0, "%d %s %s" % (sync.returncode, out, err))
        self.settle(person, "%s:%d" % (word, nth))

    # ---- PostgreSQL dies while jgd stands still ----

    def stopped(self, pid):
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    def kill_postgres(self, word, whom):
        person = self.work_for(word)
        self.restart(word, stop=True)
        sync = self.start_work(person)
        pid = self.server.process.pid
        until = time.monotonic() + 20
        while not self.stopped(pid) and time.monotonic() < until:
            time.sleep(0.02)
        if cases.check("jgd stands still at %s" % word, self.stopped(pid)):
            self.killed(whom, word)
        if whom == "backend":
            self.kill_backend()
        else:
            self.server.stop_postgres({"postmaster": "kill", "postmaster at once": "immediate"}[whom])
        self.server.process.send_signal(signal.SIGCONT)
        out, err = sync.communicate(timeout=90)
        cases.check("the %s killed at %s: what is under way goes through" % (whom, word), sync.returncode == 0, "%d %s %s" % (sync.returncode, out, err))
        cases.check("and jgd lives", self.server.process.poll() is None)
        self.settle(person, "%s killed at %s" % (whom, word))

    def kill_backend(self):
        backend = self.server.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'jgd' ORDER BY state = 'idle in transaction' DESC, state_change DESC LIMIT 1", user="jingguan")
        os.kill(int(backend), signal.SIGKILL)

    def kill_both(self):
        """jgd starts while its PostgreSQL recovers from the loss of a backend: it waits, and does not stop it halfway."""
        self.queue_work()
        self.kill_backend()
        self.restart()
        self.killed("backend", "the death of jgd")
        self.settle(name="a backend and jgd killed")

    # ---- in the end ----

    def judge(self):
        scope = "SET app.county = '329999'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = ''; "
        other = self.server.school(P, name="witness")
        for name, person in (("the worker's computer", self.person), ("a new computer", other)):
            report = person.ok("sync")
            cases.check("%s agrees with the server" % name, report["digest_ok"] and report["pending"] == 0, str(report))
            cases.equal("%s: nothing waits in the outbox" % name, [o for o in person.ok("outbox", "list") if o["state"] != "accepted"], [])
            listed = [s["cert_no"] for s in person.ok("students", "list")]
            cases.check("%s: everything acknowledged is there, once" % name, sorted(listed) == sorted(self.expected), "%d listed, %d expected" % (len(listed), len(self.expected)))
        stored = self.server.psql(scope + "SELECT cert_no FROM student WHERE NOT deleted").splitlines()
        cases.check("PostgreSQL has each once", sorted(stored) == sorted(self.expected), "%d stored, %d expected" % (len(stored), len(self.expected)))
        gaps = self.server.psql(scope + "SELECT device_id, first_op FROM (SELECT device_id, first_op, coalesce(lag(last_op) OVER (PARTITION BY device_id, incarnation"
                                " ORDER BY first_op), 0) + 1 AS due FROM op_push) p WHERE first_op <> due")
        cases.equal("operation numbers have no gap", gaps, "")
        cases.equal("every device is where its last push ended", self.server.psql(scope + "SELECT d.device_id FROM device d WHERE d.last_op <> coalesce((SELECT max(last_op) FROM op_push p"
                    " WHERE p.device_id = d.device_id AND p.incarnation = d.incarnation), 0)"), "")
        cases.equal("nobody was forked", self.server.psql(scope + "SELECT count(*) FROM device WHERE incarnation <> 1"), "0")
        cases.equal("every file is complete", self.server.psql(scope + "SELECT count(*) FILTER (WHERE complete), count(*) FROM blob"), "%d|%d" % (self.files, self.files))
        for person in self.pages:
            person.ok("sync")
        for number in [d["number"] for d in self.office.ok("documents", "list")]:
            package = os.path.join(self.server.dir, "%s.zip" % number)
            self.office.ok("documents", "export", number, "-o", package)
            cases.check("%s has a trace that holds" % number, self.office.ok("documents", "verify", package)["ok"])
        findings = checker.check_server(self.server, [p.profile for p in [self.person, other] + self.pages]).findings
        cases.check("the checker finds nothing in the stores", not findings, "\n".join("%s %s" % f for f in findings[:20]))
        auditor = self.server.people["auditor"]
        auditor.login()
        cases.check("the trace is whole", auditor.run("audit", "verify").code == 0)


def main():
    parser = Campaign.parser("SIGKILL at every step")
    parser.add_argument("--rounds", type=int, help="how often each step instead of 1, or %d with --long" % ROUNDS_LONG)
    options = parser.parse_args()
    campaign = Campaign("T1", "SIGKILL at every named step", cases)
    campaign.rounds = options.rounds or (ROUNDS_LONG if options.long else 1)
    with Server() as server:
        kill = Kill(server, campaign)
        kill.begin()
        for _ in range(campaign.rounds):
            kill_everything(kill, options.long)
        kill.judge()
        if cases.failed:
            print(open(server.dir + "/jgd.log").read()[-3000:], file=sys.stderr)
    campaign.done, campaign.failures = sum(campaign.counts.values()), cases.failed
    campaign.close(options)


def kill_everything(kill, long):
    for word in steps():
        if word.startswith("jg:store-"):
            kill.kill_import(word)
        for nth in NTH.get(word, (1,)):
            (kill.kill_jgd if word.startswith("jgd:") else kill.kill_jg)(word, nth)
        kill.campaign.required["%s at %s" % (word.partition(":")[0], word)] = kill.campaign.rounds
    for word in [w for w in steps() if w.startswith("jgd:")] if long else ("jgd:push-planned", "jgd:push-sent", "jgd:event-sent"):
        for whom in ("backend", "postmaster", "postmaster at once") if long else ("backend", "postmaster"):
            kill.kill_postgres(word, whom)
            kill.campaign.required["%s at %s" % (whom, word)] = kill.campaign.rounds
    kill.kill_both()


if __name__ == "__main__":
    main()
