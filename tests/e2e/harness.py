"""What the end-to-end tests and the demo share: a jgd of one's own, profiles for its people, and the programs as a user runs them.

Owns the processes it starts and its temporary directory (own_directory.py); nothing else is touched. Programs come from
JG_BUILD (default build/dev)."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(ROOT, "tests/lib"))
from own_directory import own_directory

BUILD = os.environ.get("JG_BUILD", os.path.join(ROOT, "build/dev"))
JGD, JG, JGADMIN = (os.path.join(BUILD, path) for path in ("server/jgd", "client/jg", "client/jgadmin"))
os.environ.setdefault("LSAN_OPTIONS", "suppressions=%s/tests/lsan.supp:print_suppressions=0" % ROOT)
os.environ.setdefault("TSAN_OPTIONS", "suppressions=%s/tests/tsan.supp" % ROOT)
PASSWORD = "Practice-2026"
COUNTY = "329999"


class Failure(Exception):
    """A program answered otherwise than expected."""


class Result:
    def __init__(self, args, run):
        self.args, self.code, self.out, self.err = args, run.returncode, run.stdout, run.stderr

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failure("no JSON from %s:\n%s\n%s" % (" ".join(self.args), self.out, self.err))

    def __repr__(self):
        return "%s -> %d\n%s%s" % (" ".join(self.args), self.code, self.out, self.err)


class Program:
    """jg or jgadmin with a profile of its own."""

    def __init__(self, binary, profile, user=None):
        self.binary, self.profile, self.user = binary, profile, user
        self.password = PASSWORD

    def run(self, *args, stdin=None, timeout=120, env=None):
        command = [self.binary, "--profile", self.profile, *map(str, args)]
        environment = {**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "", "XDG_DATA_HOME": self.profile, "JG_PASSWORD": self.password, **(env or {})}
        return Result(command[3:], subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment))

    patience = 0  # how often what could not be reached is tried again, as a person at a desk would; the chaos demo sets it

    def ok(self, *args, code=0, **more):
        """Runs with --json, expects the exit code, returns the document."""
        codes = code if isinstance(code, tuple) else (code,)
        for attempt in range(self.patience + 1):
            result = self.run(*args, "--json", **more)
            if result.code in codes:
                return result.json if result.out.strip() else None
            if result.code not in (1, 4):
                break
            time.sleep(min(0.5 + attempt / 2, 3) if attempt < self.patience else 0)
        raise Failure("expected exit %s: %r" % (codes, result))

    def connect(self, code):
        return self.ok("connect", "--code", code)

    def first_login(self, user, password):
        """Logs in with a first password and changes it to ours."""
        self.user, self.password = user, password
        self.ok("login", user)
        old, new = (os.path.join(self.profile, name) for name in ("old-password", "new-password"))
        for path, text in ((old, password), (new, PASSWORD)):
            with open(path, "w") as out:
                out.write(text)
        self.ok("passwd", "--password-file", old, "--new-password-file", new)
        self.password = PASSWORD

    def login(self):
        return self.ok("login", self.user)


class Server:
    """A county of one's own on the loopback, with a private PostgreSQL."""

    def __init__(self, rehearsal=True, settings=None):
        self.dir = own_directory("jge2e.")
        self.data, self.process, self.rehearsal, self.settings = os.path.join(self.dir, "county"), None, rehearsal, settings or {}
        self.port = self.metrics = None
        self.people = {}

    def __enter__(self):
        self.init()
        self.start()
        self.enrol_admins()
        return self

    def __exit__(self, *_):
        self.stop()
        if not os.environ.get("JG_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def init(self):
        args = [JGD, "init", "--data", self.data, "--county", COUNTY, "--name", "演练县教育局", "--embedded",
                "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"] + (["--rehearsal"] if self.rehearsal else [])
        run = subprocess.run(args, capture_output=True, text=True, timeout=120)
        if run.returncode:
            raise Failure("init: %s%s" % (run.stdout, run.stderr))
        self.admins = [line.split("\t") for line in open(self.data + "/admins.txt").read().splitlines()]
        self.change_settings()

    def change_settings(self, **more):
        self.settings.update(more)
        path = self.data + "/jgd.ini"
        text = open(path).read()
        for name, value in self.settings.items():
            text = re.sub(r"(?m)^%s = .*$" % name, "%s = %s" % (name, value), text)
        with open(path, "w") as out:
            out.write(text)

    def start(self):
        self.log = open(os.path.join(self.dir, "jgd.log"), "a")
        self.process = subprocess.Popen([JGD, "serve", "--data", self.data], stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)
        line = self.process.stdout.readline()
        match = re.match(r"ready (\S+):(\d+) metrics (\S+)$", line.strip())
        if not match:
            raise Failure("jgd did not start: %r %s" % (line, open(self.dir + "/jgd.log").read()[-2000:]))
        self.port, self.metrics = int(match.group(2)), match.group(3)
        # The next start keeps the port that the profiles know.
        self.change_settings(listen="127.0.0.1:%d" % self.port)

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(timeout=60)
        self.process = None
        if sig != signal.SIGTERM:
            return
        self.stop_postgres("fast")

    def stop_postgres(self, mode):
        """Ends a postmaster that a killed jgd left behind, or kills it on purpose (mode immediate)."""
        pid_file = self.data + "/pg/data/postmaster.pid"
        if not os.path.exists(pid_file):
            return
        pid = int(open(pid_file).readline())
        try:
            os.kill(pid, {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}[mode])
        except ProcessLookupError:
            return
        for _ in range(200):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)

    def code(self, code):
        return code.split("@")[0] + "@127.0.0.1:%d" % self.port

    def person(self, name, binary=None):
        profile = os.path.join(self.dir, "profile-" + name)
        os.makedirs(profile, exist_ok=True)
        self.people[name] = Program(binary or JG, profile)
        return self.people[name]

    def enrol_admins(self):
        for role, code, user, password in self.admins:
            admin = self.person(role, JGADMIN)
            admin.connect(self.code(code))
            admin.first_login(user, password)

    def bureau(self, role, name=None):
        """A clerk of the bureau on a computer of his own."""
        admin = self.people["sysadmin"]
        account = admin.ok("users", "add", "--bureau", "--role", role, name or role)
        clerk = self.person(name or role, JGADMIN)
        clerk.connect(self.code(admin.ok("devices", "invite", "--bureau")["code"]))
        clerk.first_login(account["user"], account["password"])
        return clerk

    def import_schools(self, *codes):
        """Public primary schools of these codes, put in by a clerk of 基教科, who is returned."""
        path = os.path.join(self.dir, "schools.csv")
        with open(path, "w") as out:
            out.write("学校标识码,学校名称,办学类型,举办者\n" + "".join("%s,演练县第%d小学,211,831\n" % (code, i + 1) for i, code in enumerate(codes)))
        clerk = self.bureau("basic_edu")
        clerk.ok("schools", "import", path)
        return clerk

    def school(self, code, role="registrar", name=None):
        """A person of a school on a computer of its own."""
        admin = self.people["sysadmin"]
        account = admin.ok("users", "add", "--school", code, "--role", role, name or role)
        person = self.person("%s-%s" % (code, name or role), JG)
        person.connect(self.code(admin.ok("devices", "invite", "--school", code)["code"]))
        person.first_login(account["user"], account["password"])
        return person

    def psql(self, sql, user="jingguan", patience=40):
        """What psql prints; a database that is just coming back is waited for."""
        for _ in range(patience):
            run = self.psql_once(sql, user)
            if run.returncode != 2:  # 2: no connection
                break
            time.sleep(0.25)
        if run.returncode:
            raise Failure(run.stderr)
        return run.stdout.strip()

    def psql_once(self, sql, user):
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.data + "/pg/s", "-U", user, "-d", "jingguan", "-f", "-"], input=sql,
                              capture_output=True, text=True)


class Cases:
    """Counts named checks and closes with the line that script/test adds up."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, story=""):
        if good:
            self.passed += 1
            print("ok", name, flush=True)
        else:
            self.failed += 1
            print("not ok", name, story, flush=True)
        return good

    def equal(self, name, found, wanted):
        return self.check(name, found == wanted, "found %r, wanted %r" % (found, wanted))

    def close(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        raise SystemExit(1 if self.failed else 0)
