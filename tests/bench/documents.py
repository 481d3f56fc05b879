"""The figures of 办文: a paper's life, a notice to many schools, lists and searches over many papers, the check of a package."""
import json
import os
import resource
import statistics
import subprocess
import time

SCOPE = "SET app.county = '329999'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = ''; "
DRAFT = "标题：关于检查%d的通知\n文种：通知\n公开：主动公开\n主送：全县学校\n%s---\n%s\n"
PAPERS, SCHOOLS = 50000, 2000


def timed(act):
    begun = time.time()
    act()
    return time.time() - begun


class Documents:
    def __init__(self, bench):
        self.bench, self.server = bench, bench.server
        self.office, self.leader, self.edu = self.server.bureau("office"), self.server.bureau("leader"), bench.edu
        for desk in ("收文", "发文", "档案"):
            self.office.ok("documents", "desk", "set", desk, self.office.user)
        self.office.ok("documents", "head", "set", self.leader.user)
        self.office.ok("documents", "orgs", "set", "市教育局", "--relation", "直接上级")
        self.office.ok("documents", "series", "add", "测教发")
        self.n = 0

    def sql(self, text):
        return self.bench.sql(SCOPE + text)

    def to_sealed(self, files=()):
        """A paper, ready to be issued."""
        self.n += 1
        path = os.path.join(self.server.dir, "draft.txt")
        with open(path, "w") as out:
            names = "附件：%s\n" % "；".join(os.path.basename(f).rpartition(".")[0] for f in files) if files else ""
            out.write(DRAFT % (self.n, names, "请认真检查。" * 200))
        id = self.edu.ok("documents", "draft", path, "--signer", self.leader.user, *sum((["--attach", f] for f in files), []))["id"]
        for who, event in ((self.edu, "submit"), (self.office, "approve"), (self.leader, "sign"), (self.office, "recheck")):
            who.ok("documents", event, id)
        number = self.office.ok("documents", "number", id, "--series", "测教发")["number"]
        for words in (("press", number, "--copies", "9"), ("proof", "pass", number), ("seal", number, "--count", "9")):
            self.office.ok("documents", *words)
        return number

    def life(self):
        """Eight events, each by a command of its own; of the baseline a command that asks for nothing but a list of settings."""
        figure, baseline = timed(self.to_sealed) / 8, statistics.median(timed(lambda: self.office.ok("documents", "settings", "list")) for _ in range(8))
        self.bench.row("an event ÷ a command that reads", figure * 1000, baseline * 1000, "ms", 3, at_most=True)

    def notice(self):
        """From the command to the last school's record, against the same rows copied by one statement."""
        for k in range(0, SCHOOLS, 400):
            path = os.path.join(self.server.dir, "more.csv")
            with open(path, "w") as out:
                out.write("学校标识码,学校名称,办学类型,举办者\n" + "".join("%d,测速第%d小学,211,831\n" % (2133000000 + i, i) for i in range(k, k + 400)))
            self.edu.ok("schools", "import", path)
        number, before = self.to_sealed(), self.bench.memory()

        def issue():
            self.office.ok("documents", "issue", number, timeout=120)
            for _ in range(1200):
                if self.sql("SELECT count(*) || ' left' FROM document_address WHERE NOT done").find("\n 0 left") >= 0:
                    return
                time.sleep(0.05)
            raise SystemExit("the notice does not arrive")
        figure = timed(issue)
        self.sql("DROP TABLE IF EXISTS bench_delivery; CREATE TABLE bench_delivery (LIKE document_delivery INCLUDING INDEXES INCLUDING DEFAULTS)")
        baseline = timed(lambda: self.sql("INSERT INTO bench_delivery SELECT * FROM document_delivery"))
        self.bench.row("notice to %d schools, seconds" % SCHOOLS, figure, baseline, "s", 8, ratio=figure, at_most=True)
        self.bench.row("and MiB that jgd grew by", (self.bench.memory() - before) / 1024, 0, "MiB", 64, ratio=(self.bench.memory() - before) / 1024, at_most=True)

    def watched(self):
        """A paper for one school on 5,000 connections of its: how long until they know."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        number = self.to_sealed()
        self.server.restart(per_address="65535")
        peer = subprocess.Popen([self.bench.load, "watch", "5000", "127.0.0.1:%d" % self.server.port, self.bench.profiles[0]], stdout=subprocess.PIPE, text=True)
        if peer.stdout.readline() != "standing\n":
            raise SystemExit("5,000 connections do not stand")
        begun = time.time()
        self.office.ok("documents", "issue", number, timeout=120)
        told = json.loads(peer.stdout.readline())
        peer.wait()
        self.bench.row("notice to 5000 connections, p99", told["p99"] - begun, 0, "s", 2, ratio=told["p99"] - begun, at_most=True)

    def many(self):
        """Papers with two open tasks each, as a county would have after a hundred years of filing nothing."""
        self.sql("INSERT INTO document (county, id, kind, state, version, last_version, title, urgency, drafter, people_part, people_who, people_done, made_at, trace_head, search, grams)"
                 " SELECT x.*, document_grams(x.search) FROM (SELECT 329999, gen_random_uuid(), 'in', 'registered', 1, 1, '关于第' || i || '次检查的通知', '平件', '%s', '{}'::int[], '{}'::text[], '{}'::boolean[], now(), ''::bytea, E'\\n关于第' || i || '次检查的通知\\n' || repeat('认真检查', 200) AS search"
                 " FROM generate_series(1, %d) i) x" % (self.office.user, PAPERS))
        self.sql("INSERT INTO document_task (county, document, step, principal, since, opened, due) SELECT county, id, s, '@receive', now(), now(), now() + interval '3 days'"
                 " FROM document CROSS JOIN unnest('{check,whole}'::text[]) s WHERE number IS NULL; ANALYZE document; ANALYZE document_task")

    def stuck(self):
        query = "SELECT t.id, d.title, t.step, t.due FROM document_task t JOIN document d ON d.county = t.county AND d.id = t.document WHERE t.closed IS NULL ORDER BY t.due, d.id"
        figure, baseline = timed(lambda: self.office.ok("documents", "stuck", timeout=120)), timed(lambda: self.sql(query))
        self.bench.row("stuck of %d tasks ÷ SQL" % (2 * PAPERS), figure, baseline, "s", 6, at_most=True)

    def search(self):
        times = sorted(timed(lambda k=k: self.office.ok("documents", "search", "第%d次" % (k * 997 % PAPERS + 1))) for k in range(20))
        self.bench.row("search of %d papers, p95" % PAPERS, times[18] * 1000, 0, "ms", 200, ratio=times[18] * 1000, at_most=True)

    def package(self):
        """Ten files of 9 MiB, against sha256sum over the same bytes."""
        files = [os.path.join(self.server.dir, "附件%d.txt" % i) for i in range(10)]
        for i, path in enumerate(files):
            with open(path, "w") as out:
                out.write(("%d认真检查\n" % i) * 560000)
        number, path = self.to_sealed(files), os.path.join(self.server.dir, "package.zip")
        self.office.ok("documents", "export", number, "-o", path, timeout=120)
        figure = timed(lambda: self.office.run("documents", "archive", "check", path))
        baseline = timed(lambda: subprocess.run(["sha256sum", *files], check=True, capture_output=True))
        self.bench.row("sha256sum ÷ archive check, 90 MiB", figure, baseline, "s", .5, ratio=baseline / figure)

    def run(self):
        for part in (self.life, self.watched, self.notice, self.package, self.many, self.stuck, self.search):
            part()
