#!/usr/bin/python3
"""The bench behind script/bench: every figure with its baseline from the same run, interleaved, medians of the rounds.

A PostgreSQL with TLS on the loopback serves jgd and the libpq baseline alike; everything runs on this machine's cores."""
import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../e2e"), os.path.join(HERE, "../service")]
from harness import BUILD, COUNTY, Server  # noqa: E402
from private_pg import PrivatePostgres  # noqa: E402

LOAD = os.path.join(BUILD, "tests/load")
SCHOOLS = ["2132%06d" % (i + 1) for i in range(64)]
ROUNDS = 3


def load(*args):
    run = subprocess.run([LOAD, *map(str, args)], capture_output=True, text=True, timeout=600)
    if run.returncode:
        raise SystemExit("load %s: %s" % (" ".join(map(str, args[:3])), run.stderr))
    return json.loads(run.stdout)


class BenchServer(Server):
    """jgd on a PostgreSQL of ours instead of an embedded one."""

    def __init__(self, postgres, **settings):
        super().__init__(rehearsal=True, settings=settings)
        self.postgres = postgres

    def init(self):
        args = [os.path.join(BUILD, "server/jgd"), "init", "--data", self.data, "--county", COUNTY, "--name", "测速县", "--database",
                "host=%s port=%d dbname=%s user=postgres" % (self.postgres.dir, self.postgres.port, self.postgres.database), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--rehearsal"]
        run = subprocess.run(args, capture_output=True, text=True)
        if run.returncode:
            raise SystemExit("init: " + run.stderr)
        self.admins = [line.split("\t") for line in open(self.data + "/admins.txt").read().splitlines()]
        self.change_settings()

    def restart(self, **settings):
        self.stop()
        self.change_settings(**settings)
        self.start()


class Bench:
    def __init__(self, options, server, postgres):
        self.options, self.server, self.postgres, self.rows = options, server, postgres, []
        self.load = LOAD
        self.only = set(options.only.split(",")) if options.only else None

    def wants(self, name):
        return not self.only or name in self.only

    def row(self, name, figure, baseline, unit, floor, ratio=None, at_most=False):
        ratio = figure / baseline if ratio is None else ratio
        good = ratio <= floor if at_most else ratio >= floor
        self.rows.append({"name": name, "figure": figure, "baseline": baseline, "unit": unit, "ratio": ratio, "floor": floor, "at_most": at_most, "ok": good})
        print("%-34s %14.1f %14s %9.3f %s %-6g %s" % (name, figure, "%.1f" % baseline if baseline else "-", ratio, "≤" if at_most else "≥", floor, "ok" if good else "BELOW"), flush=True)

    def sql(self, text):
        return self.postgres.sql(text)

    def prepare(self):
        """64 schools, one device and one registrar each."""
        self.edu = self.server.bureau("basic_edu")
        path = self.server.dir + "/schools.csv"
        with open(path, "w") as out:
            out.write("学校标识码,学校名称,办学类型,举办者\n" + "".join("%s,测速%d小学,211,831\n" % (c, i) for i, c in enumerate(SCHOOLS)))
        self.edu.ok("schools", "import", path)
        self.people = [self.server.school(code) for code in SCHOOLS]
        self.profiles = [p.profile for p in self.people]

    # ---- one figure each ----

    def push(self):
        """8 schools push batches of 500; the same rows are then copied, in one statement, into a table of the same columns and indexes."""
        figures, baselines, n = [], [], 48000
        for r in range(ROUNDS):
            figures.append(load("push", n, 500, *self.profiles[:8])["per_second"])
            path = os.path.join(self.postgres.dir, "rows.bin")
            self.sql("DROP TABLE IF EXISTS bench_copy; CREATE TABLE bench_copy (LIKE student INCLUDING INDEXES INCLUDING DEFAULTS)")
            self.sql("COPY (SELECT * FROM student ORDER BY rec_id DESC LIMIT %d) TO '%s' WITH BINARY" % (n, path))
            self.sql("CHECKPOINT")
            begun = time.time()
            self.sql("COPY bench_copy FROM '%s' WITH BINARY" % path)
            baselines.append(n / (time.time() - begun))
        self.sql("DROP TABLE bench_copy")
        self.row("push rows/s ÷ COPY", statistics.median(figures), statistics.median(baselines), "rows/s", .25)

    def pull(self):
        """8 schools pull everything they pushed; libpq over TLS reads the same rows."""
        figures, baselines = [], []
        conninfo = "host=127.0.0.1 port=%d dbname=%s user=postgres sslmode=require" % (self.postgres.port, self.postgres.database)
        for r in range(ROUNDS):
            figures.append(load("pull", *self.profiles[:8])["per_second"])
            baselines.append(load("libpq", conninfo, *SCHOOLS[:8])["per_second"])
        self.row("pull rows/s ÷ libpq over TLS", statistics.median(figures), statistics.median(baselines), "rows/s", .5)

    def grouping(self):
        """64 schools push one record at a time."""
        figures, baselines = [], []
        for r in range(2):
            self.server.restart(grouping="yes")
            figures.append(load("push1", 5, *self.profiles)["per_second"])
            self.server.restart(grouping="no")
            baselines.append(load("push1", 5, *self.profiles)["per_second"])
        self.server.restart(grouping="yes")
        self.row("one-op pushes grouped ÷ ungrouped", statistics.median(figures), statistics.median(baselines), "pushes/s", 1.5)

    def calls(self):
        """Small calls on one loop against a bare libuv TLS echo on one loop, 64 connections."""
        self.server.restart(workers="1")
        figures, baselines = [], []
        echo = subprocess.Popen([LOAD, "echo", "7429", self.server.data], stdout=subprocess.PIPE, text=True)
        echo.stdout.readline()
        for r in range(ROUNDS):
            figures.append(load("calls", 3, 64, "127.0.0.1:%d" % self.server.port, self.profiles[0])["per_second"])
            baselines.append(load("calls", 3, 64, "127.0.0.1:7429", self.profiles[0], "echo")["per_second"])
        echo.kill()
        echo.wait()
        self.server.restart(workers="2")
        self.row("calls/s ÷ bare TLS echo", statistics.median(figures), statistics.median(baselines), "calls/s", .7)

    def handshakes(self):
        nginx = self.start_nginx()
        figures, baselines = [], []
        try:
            for r in range(ROUNDS):
                figures.append(load("handshakes", 3000, "127.0.0.1:%d" % self.server.port, self.profiles[0], "jingguan/1")["per_second"])
                baselines.append(load("handshakes", 3000, "127.0.0.1:7428", self.profiles[0], "-")["per_second"])
        finally:
            nginx.terminate()
            nginx.wait()
        self.row("mTLS handshakes/s ÷ nginx", statistics.median(figures), statistics.median(baselines), "/s", 1.0)

    def start_nginx(self):
        folder = self.server.dir + "/nginx"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/nginx.conf", "w") as out:
            out.write("""daemon off; worker_processes 2; pid %(f)s/pid; error_log %(f)s/error.log; user root;
events { worker_connections 4096; }
http { access_log off; server { listen 127.0.0.1:7428 ssl reuseport; ssl_certificate %(d)s/server.pem; ssl_certificate_key %(d)s/server.key;
ssl_client_certificate %(d)s/ca.pem; ssl_verify_client on; ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off; ssl_ecdh_curve X25519:prime256v1; } }
""" % {"f": folder, "d": self.server.data})
        nginx = subprocess.Popen(["nginx", "-p", folder, "-c", folder + "/nginx.conf"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        return nginx

    def idle(self):
        n = 5000
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        self.server.restart(per_address="65535")
        before = self.memory()
        peer = subprocess.Popen([LOAD, "idle", str(n), "127.0.0.1:%d" % self.server.port, self.profiles[0]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        peer.stdout.readline()
        time.sleep(2)
        each = (self.memory() - before) / n
        peer.stdin.close()
        peer.wait()
        self.row("KiB per idle mTLS connection", each, 0, "KiB", 32, ratio=each, at_most=True)

    def memory(self):
        for line in open("/proc/%d/status" % self.server.process.pid):
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def bootstrap(self):
        """100,000 records of one school into an empty profile, against COPY out + sqlite3 .import of the same rows."""
        load("push", 100000, 500, self.profiles[9])
        fresh = self.server.school(SCHOOLS[9], name="bootstrap")
        begun = time.time()
        report = fresh.ok("sync", timeout=600)
        figure = time.time() - begun
        path = self.postgres.dir + "/rows.csv"
        begun = time.time()
        self.sql("COPY (SELECT * FROM student WHERE owner_school = '%s') TO '%s' WITH CSV HEADER" % (SCHOOLS[9], path))
        subprocess.run(["sqlite3", self.server.dir + "/base.db", ".import --csv %s student" % path], check=True, capture_output=True)
        baseline = time.time() - begun
        assert report["pulled"] >= 100000, report
        self.row("bootstrap 100k (COPY+sqlite ÷ jg)", figure, baseline, "s", .3, ratio=baseline / figure)

    def excel(self):
        from county_files import County, save_xlsx
        county = County(12, 20000, 2027, 5)
        rows = county.students_table(county.primaries[0], 0)[:1]
        for school in county.sources:
            rows += county.students_table(school, 0)[1:-1]
        path = save_xlsx(self.server.dir + "/big.xlsx", rows[:20001], "名册", False)
        begun = time.time()
        report = self.people[10].ok("import", "students", path, code=(0, 5), timeout=300)
        seconds = time.time() - begun
        self.row("20,000-row .xlsx import", seconds, 0, "s", 2, ratio=seconds, at_most=True)
        assert report["read"] >= 19000, report

    def reconcile(self):
        sizes = ["16000", "1000000"] if not self.options.quick else ["16000"]
        run = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "reconcile.py"), *sizes], capture_output=True, text=True, timeout=1800)
        if run.returncode:
            raise SystemExit(run.stdout + run.stderr)
        seconds = {int(n): float(s) for n, s in re.findall(r"(\d+) pupils: first run +([\d.]+) s", run.stdout)}
        for pupils, floor in ((16000, 3), (1000000, 180)):
            if pupils in seconds:
                self.row("reconcile %d pupils" % pupils, seconds[pupils], 0, "s", floor, ratio=seconds[pupils], at_most=True)
        exponent = re.search(r"growth exponent ([\d.]+)", run.stdout)
        if exponent:
            self.row("reconcile growth exponent", float(exponent.group(1)), 0, "", 1.2, ratio=float(exponent.group(1)), at_most=True)

    def documents(self):
        from documents import Documents
        Documents(self).run()

    def run(self):
        print("%-34s %14s %14s %9s   %-6s" % ("work", "figure", "baseline", "ratio", "floor"))
        for name in ("push", "pull", "grouping", "calls", "handshakes", "idle", "bootstrap", "excel", "reconcile", "documents"):
            if self.wants(name):
                getattr(self, name)()
        if self.options.json:
            with open(self.options.json, "w") as out:
                json.dump(self.rows, out, indent=1, ensure_ascii=False)
        return 0 if all(row["ok"] for row in self.rows) else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--only")
    parser.add_argument("--quick", action="store_true", help="without the million pupils")
    options = parser.parse_args()
    with PrivatePostgres(directory=tempfile.gettempdir(), tls=True, apply=False, fsync="on") as postgres:
        server = BenchServer(postgres)
        with server:
            bench = Bench(options, server, postgres)
            bench.prepare()
            code = bench.run()
    return code


if __name__ == "__main__":
    sys.exit(main())
