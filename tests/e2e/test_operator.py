#!/usr/bin/python3
"""The operator's night: two servers at once, a path full of quotes, an environment full of PG…, a power cut's leftovers, PostgreSQL
upgraded underneath, a bare machine with nothing but a backup; and every ✗ of doctor, provoked, with its advice followed to the letter."""
import datetime
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from harness import COUNTY, JGADMIN, JG, JGD, Cases, Failure, Program, Server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "service"))
from private_pg import PrivatePostgres  # noqa: E402

ODD = "it's \"a\" $HOME \\ x, y"
# What an operator's shell may hold; none of it may decide where a county's data goes.
POISON = {"PGPORT": "1", "PGHOST": "192.0.2.1", "PGHOSTADDR": "192.0.2.1", "PGSERVICE": "nowhere", "PGOPTIONS": "-c nonsense=1", "PGDATABASE": "elsewhere",
          "PGDATA": "/nonexistent", "PGUSER": "nobody", "PGSSLMODE": "verify-full", "PGTARGETSESSIONATTRS": "standby"}
BIN = "/usr/lib/postgresql/15/bin/"
cases = Cases()


class Night(Server):
    """A county whose directory needs every kind of quoting, served by relative path, in a mount namespace of its own."""

    def __init__(self):
        super().__init__()
        self.data = os.path.join(self.dir, ODD)

    def jgd(self, *args, data=ODD, env=None, prefix=(), **more):
        return subprocess.run([*prefix, JGD, *args, "--data", data], cwd=self.dir, env={**os.environ, **POISON, "LANG": "zh_CN.UTF-8", **(env or {})},
                              capture_output=True, text=True, timeout=120, **more)

    def start(self):
        self.log = open(os.path.join(self.dir, "jgd.log"), "a")
        self.process = subprocess.Popen(["unshare", "-m", JGD, "serve", "--data", ODD], cwd=self.dir, env={**os.environ, **POISON}, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, start_new_session=True)
        line = self.process.stdout.readline()
        match = re.match(r"ready (\S+):(\d+) metrics (\S+)$", line.strip())
        if not match:
            raise Failure("jgd did not start: %r %s" % (line, self.said()[-2000:]))
        self.port, self.metrics = int(match.group(2)), match.group(3)
        self.change_settings(listen="127.0.0.1:%d" % self.port)

    def said(self):
        return open(os.path.join(self.dir, "jgd.log")).read()

    def psql_once(self, sql, user):
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "/proc/self/cwd/pg/s", "-U", user, "-d", "jingguan", "-f", "-"], input=sql,
                              capture_output=True, text=True, cwd=self.data)

    def ready(self):
        try:
            answer = urllib.request.urlopen("http://%s/readyz" % self.metrics, timeout=5)
            return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def postmaster(self):
        try:
            return int(open(self.data + "/pg/data/postmaster.pid").readline())
        except (OSError, ValueError):
            return None


def three_lines(name, run, code, *words):
    """Exit code, what happened, what is safe, what to do; nothing generic."""
    lines = run.stderr.strip().splitlines()
    good = run.returncode == code and len(lines) == 3 and len(lines[2]) > 4 and all(word in run.stderr for word in words)
    return cases.check(name, good, "%d %s" % (run.returncode, run.stderr + run.stdout))


def until(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


# ---- init ----

def interrupted_init(night):
    """Killed at every stage, then run again with the same words."""
    args = ("init", "--county", COUNTY, "--name", "演练县教育局", "--embedded", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--rehearsal")
    killed = 0
    for delay in (0.02, 0.1, 0.25, 0.4, 0.6, 0.75, 0.85, 0.95):
        process = subprocess.Popen([JGD, *args, "--data", ODD], cwd=night.dir, env={**os.environ, **POISON}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        if os.path.exists(night.data + "/jgd.ini"):
            break
    run = None if os.path.exists(night.data + "/jgd.ini") else night.jgd(*args)
    cases.check("init, killed %d times, is run again and ends well" % killed, killed > 2 and (not run or run.returncode == 0), run and run.stdout + run.stderr)
    cases.check("and leaves nothing half made", not [n for n in os.listdir(night.data + "/pg") if n.startswith("making")] and not os.path.exists(night.data + "/jgd.ini.new"))
    # The last thing that init does is the settings: an init that was cut off just before them takes what it made, codes and all.
    before = open(night.data + "/admins.txt").read()
    os.unlink(night.data + "/jgd.ini")
    run = night.jgd(*args)
    cases.check("an init cut off before its last step keeps the county that it made", run.returncode == 0 and open(night.data + "/admins.txt").read() == before, run.stderr)
    three_lines("a second init is refused", night.jgd(*args), 3, "什么都没有改动")
    night.admins = [line.split("\t") for line in before.splitlines()]


def only_one(night):
    second = night.jgd("serve")
    three_lines("a second serve of the directory is refused, and told who is there", second, 3, str(night.process.pid), socket.gethostname())
    cases.check("the first one and its PostgreSQL go on", night.process.poll() is None and night.ready()[0] == 200 and night.psql("SELECT 1") == "1")
    cases.check("doctor does not say that nobody serves", "systemctl start" not in night.jgd("doctor").stdout)
    pid = night.postmaster()
    for command in (("doctor",), ("migrate",)):
        run = night.jgd(*command)
        cases.check("%s beside serve, by relative path, and nothing else on the screen" % command[0], run.returncode == 0 and not run.stderr, run.stdout + run.stderr)
    cases.check("leaves the private PostgreSQL running", night.postmaster() == pid and night.psql("SELECT 1") == "1")


def same_port(night, elsewhere):
    """Another county's jgd, on the port that is taken."""
    for listen in ("127.0.0.1:%d", "0.0.0.0:%d"):
        set_ini(elsewhere, listen=listen % night.port)
        run = night.jgd("serve", data=elsewhere)
        three_lines("a second jgd on the port is refused (%s)" % listen, run, 3, str(night.port), "ss -ltnp")
    set_ini(elsewhere, listen="127.0.0.1:0")


def both_at_once(night, names):
    """As after a reboot: two counties' services with the same port in their settings start in the same moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in names:
        set_ini(os.path.join(night.dir, name), listen="127.0.0.1:%d" % port)
    for _ in range(3):
        both = [subprocess.Popen([JGD, "serve", "--data", name], cwd=night.dir, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for name in names]
        ready = [process for process in both if process.stdout.readline().startswith("ready")]
        for process in both:
            process.terminate()
            process.wait(timeout=60)
        cases.equal("two that start at once: one gets the port, the other says so", (len(ready), sorted(p.returncode for p in both)), (1, [0, 3]))
    for name in names:
        set_ini(os.path.join(night.dir, name), listen="127.0.0.1:0")


def set_ini(data, **values):
    path = data + "/jgd.ini"
    text = open(path).read()
    for name, value in values.items():
        text = re.sub(r"(?m)^%s = .*$" % name, lambda _: "%s = %s" % (name, value), text)
    with open(path, "w") as out:
        out.write(text)


# ---- settings ----

def settings(night):
    set_ini(night.data, workers="99999")
    run = night.jgd("doctor")
    three_lines("a number out of its limits is refused, with the limit and the reason", run, 2, "64", "核", "jgd.ini")
    night.process.send_signal(signal.SIGHUP)
    cases.check("SIGHUP with a wrong file changes nothing and says why", until(5, lambda: "reload refused" in night.said()))
    set_ini(night.data, workers="3", per_address="512")
    night.process.send_signal(signal.SIGHUP)
    cases.check("SIGHUP says what it took", until(5, lambda: "settings reloaded: per_address=512" in night.said()))
    cases.check("and what waits for a restart", until(5, lambda: re.search(r"wait for a restart.*workers=3", night.said())))
    set_ini(night.data, workers="2", per_address="256")


def one_document(night):
    for args, code, key in ((("doctor", "--json"), 0, "checks"), (("migrate", "--json"), 0, "applied"), (("backup", "/nowhere/at/all", "--json"), 1, "error"),
                            (("serve", "--json"), 3, "error"), (("restore", night.dir, "--json"), 3, "error"), (("nonsense", "--json"), 2, "error"),
                            (("backup", "--json"), 2, "error"), (("doctor", "--wrong", "--json"), 2, "error"), (("init", "--json"), 3, "error")):
        run = night.jgd(*args)
        try:
            document = json.loads(run.stdout)
        except ValueError:
            document = {}
        good = run.returncode == code and key in document
        if key == "error":
            error = document.get("error", {})
            good = good and {"code", "message", "safe", "hint", "field", "row", "ref"} <= set(error) and error["safe"] and error["hint"]
        english = night.jgd(*args, "--lang", "en", env={"LANG": "C.UTF-8"})
        good = good and not re.search("[\u4e00-\u9fff]", english.stdout + english.stderr)
        cases.check("--json: %s is one document, and English with --lang en" % " ".join(args[:-1]), good, "%d %s %s" % (run.returncode, run.stdout, run.stderr))


def logs(night):
    names = os.listdir(night.data + "/pg/log")
    text = open(os.path.join(night.data, "pg/log", names[0])).read()
    cases.check("PostgreSQL turns its log round", len(names) == 1 and re.match(r"postgresql-\d\d\.log$", names[0]), repr(names))
    ours = re.findall(r"^<\d>(\d{4}-\d\d-\d\dT\d\d:\d\d):.*?\+08:00 ", night.said(), re.M)
    theirs = re.findall(r"^(\d{4}-\d\d-\d\d \d\d:\d\d):\S+ CST ", text, re.M)
    here = (datetime.datetime.utcnow() + datetime.timedelta(hours=8)).strftime("%Y-%m-%dT%H")
    cases.check("both logs keep the county's time", ours and theirs and ours[-1].startswith(here) and theirs[-1].replace(" ", "T").startswith(here[:10]), "%r %r" % (ours[-1:], theirs[-1:]))


# ---- doctor: each ✗ and its advice ----

class Doctor:
    """Runs doctor, finds a ✗ and does what it says: the command up to the note in brackets, with programs of the system
    (systemctl, apt-get, timedatectl) standing in as functions of this test."""

    def __init__(self, night):
        self.night, self.acts, self.provoked, self.known = night, {}, set(), set()
        self.bin = os.path.join(night.dir, "bin")
        os.makedirs(self.bin)
        os.symlink(JGD, self.bin + "/jgd")
        self.asked = os.path.join(night.dir, "asked")
        for name in ("systemctl", "apt-get", "timedatectl", "cmake"):
            with open(os.path.join(self.bin, name), "w") as out: # waits until the test has done it
                out.write('#!/bin/sh\necho "%s $*" > "%s.new"; mv "%s.new" "%s"; while [ -e "%s" ]; do sleep 0.05; done\n' % ((name,) + (self.asked,) * 4))
            os.chmod(os.path.join(self.bin, name), 0o755)

    def examine(self, data, **more):
        run = self.night.jgd("doctor", "--json", data=data, **more)
        try:
            checks = json.loads(run.stdout)["checks"]
            ill = {c["check"].strip("　 "): c["mend"] for c in checks if not c["ok"]}
            self.known |= {c["check"].strip("　 ") for c in checks if c["mend"] is None} | set(ill)
            self.provoked |= set(ill)
            return ill
        except (ValueError, KeyError):
            return {"doctor": run.stdout + run.stderr}

    def follow(self, mend, env=None):
        command = re.sub(r"（.*）$", "", mend)
        process = subprocess.Popen(["sh", "-c", command], env={**os.environ, "PATH": self.bin + ":" + os.environ["PATH"], **(env or {})}, cwd=self.night.dir,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        did = []
        while process.poll() is None:
            if os.path.exists(self.asked):
                did.append(open(self.asked).read().strip())
                for words, act in self.acts.items():
                    if words in did[-1]:
                        act()
                os.unlink(self.asked)
            time.sleep(0.02)
        return "%s: exit %d %s %r" % (command, process.returncode, process.stdout.read(), did)

    def all_provoked(self):
        """A check that is added without a case here fails."""
        cases.equal("every ✗ of doctor was seen, and its advice followed", sorted(self.known - self.provoked - {"文件 jgd.ini"}), [])

    def case(self, check, provoke, data=ODD, act=None, env=None, mended=None, **more):
        """provoke → ✗ check → its advice → no ✗ of that name."""
        self.acts = act or {}
        provoke()
        ill = self.examine(data, **more)
        name = next((n for n in ill if check in n), None)
        if not cases.check("doctor: ✗ %s" % check, name is not None, repr(ill)):
            return
        told = self.follow(ill[name], env)
        if mended:
            mended()
        left = self.examine(data)
        cases.check("doctor: %s: what it says mends it" % check, not left, "%s; left %r" % (told, left))


def files(night, doctor, saved):
    for name in ("ca.pem", "ca.key", "server.pem", "server.key"):
        doctor.case("文件 " + name, lambda: os.unlink(night.data + "/" + name))
    os.rename(night.data + "/jgd.ini", night.dir + "/jgd.ini.lost")
    run = night.jgd("doctor")
    three_lines("without its settings, doctor names the file of the last backup", run, 3, "cp -p " + saved)
    doctor.follow(run.stderr.strip().splitlines()[-1])
    cases.check("which brings them back", night.jgd("doctor").returncode == 0)
    for name in ("jgd.ini", "ca.key", "server.key"):
        doctor.case(name + " 仅本帐号可读", lambda: os.chmod(night.data + "/" + name, 0o644))

    for path, check in ((os.path.join(os.path.dirname(JGD), "jgd-extract"), "jgd-extract"), ("/usr/bin/pdftotext", "pdftotext")):
        doctor.case(check, lambda: None, prefix=("unshare", "-m", "sh", "-c", 'mount --bind /dev/null "%s" && exec "$@"' % path, "sh"))

    def other_key():
        subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", night.data + "/server.key"], check=True, capture_output=True)
        os.chmod(night.data + "/server.key", 0o600)
    doctor.case("证书与密钥成对", other_key)

    def short_certificate():
        with open(night.dir + "/san", "w") as out:
            out.write("subjectAltName=DNS:jgd.%s\nextendedKeyUsage=serverAuth\n" % COUNTY)
        request = subprocess.run(["openssl", "req", "-new", "-key", night.data + "/server.key", "-subj", "/CN=jgd"], check=True, capture_output=True).stdout
        subprocess.run(["openssl", "x509", "-req", "-CA", night.data + "/ca.pem", "-CAkey", night.data + "/ca.key", "-set_serial", "7", "-days", "10", "-extfile",
                        night.dir + "/san", "-out", night.data + "/server.pem"], input=request, check=True, capture_output=True)

    def restart():
        night.stop()
        night.start()
    doctor.case("有效期超过 90 天", short_certificate, act={"systemctl restart jgd": restart})
    cases.check("and the county's people believe the new certificate", night.people["sysadmin"].run("login", "sysadmin").code == 0)


def database(night, doctor):
    role = re.search(r"(?m)^database_app = .* user=(\S+)", open(night.data + "/jgd.ini").read()).group(1)
    cases.check("the serving role is this county's own", role.startswith("jingguan_app_" + COUNTY), role)
    doctor.case("服务帐号可连接", lambda: night.psql("ALTER ROLE %s NOLOGIN" % role))
    doctor.case("受行级权限约束", lambda: night.psql("ALTER ROLE %s BYPASSRLS" % role))
    doctor.case("时钟与数据库一致", lambda: None, act={"timedatectl set-ntp true": lambda: None},
                env=None, **{"prefix": ("faketime", "-f", "+2d")})

    # A migration that has not run yet: the newest one is forgotten, and what it made is taken away with its schema by a copy.
    def libraries(command):
        subprocess.run(["nsenter", "-t", str(night.process.pid), "-m", "sh", "-c", command], check=True, capture_output=True)

    def upgraded():
        libraries("mkdir -p %s/empty && mount --bind %s/empty /usr/lib/postgresql/15/lib" % (night.dir, night.dir))
        cases.check("PostgreSQL upgraded underneath: /readyz says so, and why", until(20, lambda: night.ready()[0] == 503) and "plpgsql" in night.ready()[1], repr(night.ready()))
    doctor.case("试办一笔业务", upgraded, act={"apt-get install --reinstall postgresql-15": lambda: libraries("umount /usr/lib/postgresql/15/lib")})
    cases.check("and /readyz is well again", until(20, lambda: night.ready()[0] == 200), repr(night.ready()))


def stopped(night, doctor, saved):
    """What can only go wrong while nobody serves."""
    cases.check("doctor says that nobody serves", "systemctl start jgd" in night.jgd("doctor").stdout)
    # Somebody else, a backup for one, uses the private PostgreSQL when serve ends; it goes with its last user.
    backup = subprocess.Popen(["flock", "-s", "-o", night.data + "/pg/.users", "sleep", "60"])
    night.start()
    night.process.terminate()
    night.process.wait(timeout=60)
    cases.check("serve ends and leaves PostgreSQL to a backup that runs", night.psql("SELECT 1") == "1")
    backup.terminate()
    backup.wait()
    night.jgd("doctor")
    cases.check("who uses it last stops it", night.postmaster() is None)

    version = night.data + "/pg/data/PG_VERSION"
    kept = open(version).read()

    def write_version(text):
        with open(version, "w") as out:
            out.write(text)
    doctor.case("内置 PostgreSQL 可启动", lambda: write_version("14\n"), act={"apt-get install postgresql-14": lambda: write_version(kept)})
    doctor.case("没有做到一半的恢复", lambda: open(night.data + "/restore.unfinished", "w").write(saved + "\n"))
    with open(night.data + "/restore.unfinished", "w") as out:
        out.write(saved + "\n")
    three_lines("half a restore is not served", night.jgd("serve"), 3, "jgd restore " + saved)
    os.unlink(night.data + "/restore.unfinished")

    # A newer PostgreSQL beside the one that made the cluster, as a release upgrade leaves it.
    other = night.dir + "/pgs"
    os.makedirs(other + "/15")
    os.makedirs(other + "/99/bin")
    for name in ("pg_ctl", "initdb", "pg_dump", "pg_restore"):
        os.symlink("/bin/false", other + "/99/bin/" + name)
    script = 'mount --bind /usr/lib/postgresql/15 "%s/15" && mount --rbind "%s" /usr/lib/postgresql && exec "$@"' % (other, other)
    run = night.jgd("doctor", prefix=("unshare", "-m", "sh", "-c", script, "sh"))
    cases.check("a newer PostgreSQL beside it is not taken", run.returncode == 0, run.stdout + run.stderr)
    run = night.jgd("backup", night.dir + "/backups", prefix=("unshare", "-m", "sh", "-c", script, "sh"))
    cases.check("nor for a backup", run.returncode == 0, run.stdout + run.stderr)

    # After a power cut postmaster.pid names whoever has that number now.
    for name, command in (("another account's process", ["sleep", "60"]), ("a process of its own account", ["runuser", "-u", "jingguan", "--", "sleep", "60"])):
        process = subprocess.Popen(command)
        living = process.pid
        if "runuser" in command:
            until(5, lambda: subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True).stdout.strip())
            living = int(subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout)
        with open(night.data + "/pg/data/postmaster.pid", "w") as out:
            out.write("%d\n%s/pg/data\n1\n5432\n../s\n\n  1 1\nready   \n" % (living, night.data))
        shutil.chown(night.data + "/pg/data/postmaster.pid", "jingguan", "jingguan")
        night.start()
        cases.check("a postmaster.pid that names %s is no reason to stay down" % name, night.ready()[0] == 200 and process.poll() is None)
        night.stop()
        subprocess.run(["kill", str(living)], check=False)
        process.wait()


# ---- backup, restore ----

def make_backup(night, doctor):
    locked = night.dir + "/locked"
    os.makedirs(locked, mode=0o700, exist_ok=True)
    three_lines("a backup into a folder that the account cannot enter names another", night.jgd("backup", locked + "/b"), 1, "/var/backups/jingguan")
    refused = night.jgd("backup", locked)
    three_lines("a backup to where the account cannot write names a place where it can", refused, 1, "/var/backups/jingguan")
    cases.check("and gives nobody a folder that is there already", "install" not in refused.stderr and "install" not in night.jgd("backup", "/").stderr, refused.stderr)
    shutil.rmtree(locked)
    missing = night.jgd("backup", night.dir + "/no/such")
    three_lines("one that is not there is made by a command", missing, 1, "install -d -o jingguan")
    doctor.follow(missing.stderr.strip().splitlines()[-1].lstrip("→ "))
    cases.check("which lets it in", night.jgd("backup", night.dir + "/no/such").returncode == 0)
    shutil.rmtree(night.dir + "/no")
    for name, words in (("no folder", ("",)), ("the data directory", (night.data,)), ("a folder in it", (night.data + "/backups",)), ("two data directories", ("backups", "--data", "/tmp"))):
        run = night.jgd("backup", *words)
        three_lines("a backup into %s is refused" % name, run, 2)
    three_lines("and a county of no directory is none", night.jgd("doctor", data=""), 2)
    for name, source in (("what is no backup", night.dir), ("a backup of nothing", "")):
        cases.check("%s is not restored" % name, night.jgd("restore", source, data="never").returncode != 0)
        cases.check("and leaves no directory", not os.path.exists(night.dir + "/never"))
    target = night.dir + "/backups"
    run = night.jgd("backup", "backups", "--json") # as root jgd makes the folder itself
    cases.check("a backup by relative path", run.returncode == 0 and json.loads(run.stdout)["backup"].startswith(target), run.stdout + run.stderr)
    return json.loads(run.stdout)["backup"]


def bare_machine(night, doctor, saved):
    """Nothing but a backup, and a directory that does not exist yet; killed on the way, too."""
    wanted = night.psql("SET app.county = '%s'; SELECT count(*) FROM user_account" % COUNTY)
    night.stop()
    brought = night.dir + "/brought/" + os.path.basename(saved) # with scp, by root
    shutil.copytree(saved, brought)
    os.chmod(os.path.dirname(brought), 0o700)
    run = night.jgd("restore", brought, data="new, place")
    three_lines("a backup that the account cannot read: where to put it", run, 3, "cp -r")
    doctor.follow(run.stderr.strip().splitlines()[-1])
    moved_to = "/var/tmp/" + os.path.basename(saved)
    cases.check("from there it is restored", night.jgd("restore", moved_to, data="elsewhere").returncode == 0)
    shutil.rmtree(moved_to)
    new = os.path.join(night.dir, "new, place")
    args = [JGD, "restore", "backups/" + os.path.basename(saved), "--data", "new, place"]
    for delay in (0.1, 0.5, 0.9):
        process = subprocess.Popen(args, cwd=night.dir, env={**os.environ, **POISON}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    run = night.jgd("restore", "backups/" + os.path.basename(saved), data="new, place") if not os.path.exists(new + "/jgd.ini") else None
    cases.check("restore needs nothing but the backup, and can be run again", run is None or run.returncode == 0, run and run.stderr)
    cases.check("the old directory is as it was", os.path.exists(night.data + "/jgd.ini"))
    old, night.data = night.data, new
    process = subprocess.Popen([JGD, "serve", "--data", new], stdout=subprocess.PIPE, stderr=night.log, text=True)
    line = process.stdout.readline()
    cases.check("it serves", line.startswith("ready 127.0.0.1:%d " % night.port), line)
    cases.equal("the county is there", night.psql("SET app.county = '%s'; SELECT count(*) FROM user_account" % COUNTY), wanted)
    cases.check("its people come back", night.people["sysadmin"].run("login", "sysadmin").code == 0)
    run = night.jgd("doctor", data=new)
    cases.check("and doctor finds it healthy", run.returncode == 0, run.stdout + run.stderr)
    process.terminate()
    process.wait(timeout=60)
    cases.check("its PostgreSQL stops with it", night.postmaster() is None)
    # Where only the settings were lost, the data is newer than any backup: it is not gone back to.
    os.rename(new + "/jgd.ini", new + "/jgd.ini.lost")
    run = night.jgd("restore", "backups/" + os.path.basename(saved), data=new)
    three_lines("a restore over a county that only lost its settings is refused", run, 3, "cp ")
    night.data = old


# ---- PostgreSQL outside ----

class Outside:
    """A PostgreSQL of the operator's, made carelessly: no checksums, no fsync, an owner without powers."""

    def __init__(self, night, doctor):
        self.night, self.doctor = night, doctor

    def url(self, database):
        return "host=%s dbname=%s user=jingguan" % (self.pg.dir, database)

    def init(self, name, database, county=COUNTY):
        return self.night.jgd("init", "--county", county, "--name", "外县", "--database", self.url(database), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", data=name)

    def run(self):
        with PrivatePostgres(apply=False) as self.pg:
            as_superuser = {"PGHOST": self.pg.dir, "PGUSER": "postgres", "PGDATABASE": "postgres"}
            self.pg.sql("DROP ROLE jingguan_app", database="postgres")
            run = self.init("first", "jingguan")
            three_lines("an owner who may not make roles: init says what to run", run, 3, "CREATEROLE")
            self.doctor.follow(run.stderr.strip().splitlines()[-1], as_superuser)
            run = self.init("first", "jingguan")
            if not cases.check("init on a PostgreSQL outside, run again", run.returncode == 0, run.stderr):
                return
            self.care(as_superuser)
            self.unreadable()
            self.two_counties()
            self.restore_outside()

    def pg_service(self, how):
        subprocess.run(self.pg.as_server + [BIN + "pg_ctl", "-D", self.pg.data, "-l", self.pg.data + "/log", "-w", "-m", "fast", how], check=True, capture_output=True, cwd="/")

    def stop_pg(self):
        self.pg_service("stop")
        os.chmod(self.pg.data, 0o700)

    def care(self, as_superuser):
        doctor, first = self.doctor, os.path.join(self.night.dir, "first")
        ill = doctor.examine("first")
        cases.equal("doctor sees all that is wrong with it", sorted(ill), sorted(["fsync = on", "数据页校验已开启", "备份帐号看得到全部数据"]))
        doctor.acts = {"systemctl stop postgresql": self.stop_pg, "systemctl start postgresql": lambda: self.pg_service("start")}
        for check in sorted(ill):
            told = doctor.follow(ill[check], as_superuser)
            cases.check("doctor: %s: what it says mends it" % check, check not in doctor.examine("first"), told)
        doctor.case("数据库可连接", self.stop_pg, data="first", act={"systemctl start postgresql": lambda: self.pg_service("start")})
        self.old_server(first)
        self.missing_migration(first)
        self.small_disk()

    def old_server(self, first):
        """Something that says it is PostgreSQL 15.3."""
        fake = FakePostgres("15.3")
        good = re.search(r"(?m)^database_owner = (.*)$", open(first + "/jgd.ini").read()).group(1)
        self.doctor.case("PostgreSQL ≥ 15.14", lambda: set_ini(first, database_owner="host=127.0.0.1 port=%d dbname=x user=x sslmode=disable gssencmode=disable" % fake.port), data="first",
                         act={"apt-get": lambda: set_ini(first, database_owner=good)})
        fake.close()

    def missing_migration(self, first):
        """The database of the version before: all migrations but the newest."""
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + "/sql/migrations"
        names = sorted(os.listdir(root))
        self.pg.sql("CREATE DATABASE older OWNER jingguan", database="postgres")
        sql = "CREATE TABLE schema_migration (name text PRIMARY KEY, sha256 text NOT NULL, at timestamptz NOT NULL DEFAULT now()); GRANT SELECT ON schema_migration TO jingguan_app;"
        for name in names[:-1]:
            text = open(os.path.join(root, name), encoding="utf-8").read()
            sql += text + "\nINSERT INTO schema_migration SELECT '%s', encode(sha256(convert_to($jg$%s$jg$, 'UTF8')), 'hex');\n" % (name, text)
        self.pg.sql(sql + "SET app.county = '%s'; INSERT INTO county (county, name) VALUES (%s, '外县');" % (COUNTY, COUNTY), user="jingguan", database="older")
        text = open(first + "/jgd.ini").read()

        def turn():
            set_ini(first, **{key: re.sub("dbname='?jingguan'?", "dbname=older", re.search(r"(?m)^%s = (.*)$" % key, text).group(1)) for key in ("database_owner", "database_app")})
        self.doctor.case("数据库结构为最新", turn, data="first")
        with open(first + "/jgd.ini", "w") as out:
            out.write(text)

    def small_disk(self):
        first = os.path.join(self.night.dir, "first")
        kept = first + ".kept"
        os.rename(first, kept)
        os.mkdir(first)

        def mount():
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", first], check=True)
            for name in os.listdir(kept):
                shutil.copy2(os.path.join(kept, name), first)
        try:
            # df shows what is left; the operator then makes room
            self.doctor.case("磁盘空间充足", mount, data="first", mended=lambda: subprocess.run(["mount", "-o", "remount,size=4g", first], check=True))
        finally:
            subprocess.run(["umount", first], check=False)
            os.rmdir(first)
            os.rename(kept, first)

    def unreadable(self):
        """A database with a county that this owner may not read is not an empty one."""
        self.pg.sql("CREATE DATABASE closed OWNER jingguan", database="postgres")
        self.pg.sql("CREATE TABLE county (county int); CREATE TABLE user_account (user_id text); CREATE FUNCTION app_county() RETURNS int LANGUAGE sql AS 'SELECT 1'", database="closed")
        three_lines("a county that its owner may not read is not taken for none", self.init("closed", "closed"), 1, "")
        self.pg.sql("DROP DATABASE closed", database="postgres")

    def two_counties(self):
        """A second county in the cluster, of the same code: nobody's password changes."""
        hashes = lambda: self.pg.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'jingguan%' AND rolname <> 'jingguan' ORDER BY 1", options=["-At"], database="postgres").splitlines()
        before = hashes()
        self.pg.sql("CREATE DATABASE practice OWNER jingguan", database="postgres")
        run = self.init("practice", "practice")
        cases.check("a second county in one cluster", run.returncode == 0, run.stderr)
        after = hashes()
        cases.check("has a role of its own and leaves the first one's alone", len(after) == len(before) + 1 and set(before) < set(after), "%r %r" % (before, after))
        cases.check("the group itself cannot log in", self.pg.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'jingguan_app'", options=["-At"]).strip() == "f")
        for name in ("first", "practice"):
            run = self.night.jgd("doctor", data=name)
            cases.check("%s is healthy" % name, run.returncode == 0, run.stdout + run.stderr)
        # The same county again, from another directory: new keys would cut every computer off.
        accounts = lambda: self.pg.sql("SELECT user_id, password_hash, must_change FROM user_account ORDER BY 1", options=["-At"])
        before = accounts()
        run = self.init("again", "jingguan")
        three_lines("a second init of a county is refused", run, 3, "都没有改动")
        cases.check("and nobody's password is another", accounts() == before)
        # Made before each county had a role: it goes on.
        first = os.path.join(self.night.dir, "first")
        text = open(first + "/jgd.ini").read()
        self.pg.sql("ALTER ROLE jingguan_app LOGIN", database="postgres")
        set_ini(first, database_app=re.sub(r"user=\S+ password=\S+", "user=jingguan_app", re.search(r"(?m)^database_app = (.*)$", text).group(1)))
        run = self.night.jgd("doctor", data="first")
        cases.check("a county made when there was one role goes on", run.returncode == 0, run.stdout + run.stderr)
        with open(first + "/jgd.ini", "w") as out:
            out.write(text)
        same_port(self.night, first)
        both_at_once(self.night, ("first", "practice"))

    def restore_outside(self):
        run = self.night.jgd("backup", self.night.dir + "/backups", "--json", data="first")
        saved = json.loads(run.stdout)["backup"] if run.returncode == 0 else ""
        cases.check("a backup of a PostgreSQL outside", saved, run.stderr)
        three_lines("its restore into a new directory does not touch the database that it names", self.night.jgd("restore", saved, data="third"), 2, "--database")
        three_lines("nor one that holds a county", self.night.jgd("restore", saved, "--database", self.url("practice"), data="third"), 3, "createdb")
        self.pg.sql("CREATE DATABASE third OWNER jingguan", database="postgres")
        run = self.night.jgd("restore", saved, "--database", self.url("third"), data="third")
        cases.check("but an empty one", run.returncode == 0 and self.night.jgd("doctor", data="third").returncode == 0, run.stderr)


class FakePostgres:
    """Enough of a server to be asked for its version."""

    def __init__(self, version):
        self.version, self.listener = version, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def message(kind, body):
        return kind + (len(body) + 4).to_bytes(4, "big") + body

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        m = self.message
        peer.recv(4096)
        parameters = b"".join(m(b"S", k + b"\0" + v + b"\0") for k, v in ((b"server_version", self.version.encode()), (b"in_hot_standby", b"off"), (b"default_transaction_read_only", b"off"),
                                                                       (b"client_encoding", b"UTF8"), (b"standard_conforming_strings", b"on")))
        peer.sendall(m(b"R", b"\0\0\0\0") + parameters + m(b"Z", b"I"))
        while True:
            data = peer.recv(4096)
            if not data or data[:1] == b"X":
                peer.close()
                return
            peer.sendall((b"" if data[:1] == b"Q" else m(b"1", b"") + m(b"2", b"") + m(b"n", b"")) + m(b"C", b"SELECT 0\0") + m(b"Z", b"I"))

    def close(self):
        self.listener.close()


# ---- people ----

def people(night):
    night.import_schools("2132999001", "2132999002")
    admin = night.people["sysadmin"]
    admin.login()
    pdf = os.path.join(night.dir, "codes.pdf")
    run = admin.run("devices", "invite", "--all", "-o", pdf, env={"LANG": "zh_CN.UTF-8"})
    cases.check("invitations on paper: how many, where, until when", run.code == 0 and pdf in run.out and "2 张" in run.out and re.search(r"\d\d:\d\d 前", run.out), repr(run))
    cases.equal("nobody else reads the file", stat.S_IMODE(os.stat(pdf).st_mode), 0o600)
    text = " ".join(subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True).stdout.split())
    steps = [text.find(step) for step in ("jg connect --code", "jg login", "jg passwd", "jg import students", "jg sync")]
    cases.check("the paper has every step up to the first roster, in order", steps == sorted(steps) and steps[0] >= 0, text[:900])
    fonts = subprocess.run(["pdffonts", pdf], capture_output=True, text=True).stdout
    cases.check("codes stand in a type in which two dashes are two", "Mono" in fonts, fonts)


def first_passwords(night):
    """A first password lives as long as the connect code beside it; used, it lives a day."""
    admin = night.people["sysadmin"]
    accounts = {name: admin.ok("users", "add", "--bureau", "--role", "office", name) for name in ("早", "晚", "过期")}
    person = night.person("newcomer", JGADMIN)
    person.connect(night.code(admin.ok("devices", "invite", "--bureau")["code"]))

    def login(name):
        person.password = accounts[name]["password"]
        return person.run("login", accounts[name]["user"], "--json").code
    admin.ok("server", "clock", "+2d")
    cases.equal("after two days an unused first password works, as its code does", login("早"), 0)
    admin.login()
    admin.ok("server", "clock", "+23h")
    cases.equal("for a day from the first log-in", [login("早"), login("晚")], [0, 0])
    admin.login()
    admin.ok("server", "clock", "+2h")
    cases.equal("not longer; and unused not longer than its code", [login("早"), login("过期")], [3, 3])


def moved(night):
    """The server has another address; somebody else sits at the old one, or at a third."""
    school, admin = night.school("2132999001"), night.people["sysadmin"]
    night.stop()
    old = night.port
    night.change_settings(listen="127.0.0.1:0")
    night.start()
    run = school.run("login", school.user) # sync would try for a while first
    cases.check("the server has moved: the error names the command", run.code == 4 and "jg server" in run.err, repr(run))
    three = school.run("server", "127.0.0.1:1")
    cases.check("an address where nobody of the county answers is not taken", three.code == 4 and school.ok("server")["server"] == "127.0.0.1:%d" % old, repr(three))
    cases.equal("jg server HOST:PORT", school.ok("server", "127.0.0.1:%d" % night.port)["server"], "127.0.0.1:%d" % night.port)
    cases.check("and work goes on", school.run("sync").code == 0)
    cases.equal("jgadmin server address HOST:PORT", admin.ok("server", "address", "127.0.0.1:%d" % night.port)["server"], "127.0.0.1:%d" % night.port)
    return school


def wrong_county(night, school):
    """Another county's jgd has a certificate too: of another CA."""
    other = Server()
    other.init()
    try:
        other.start()
        run = school.run("server", "127.0.0.1:%d" % other.port)
        cases.check("another county's server is refused, and nothing is changed", run.code == 4 and "不是本县的服务器" in run.err and str(night.port) in run.err, repr(run))
        cases.equal("the address is the old one", school.ok("server")["server"], "127.0.0.1:%d" % night.port)
    finally:
        other.stop()
        shutil.rmtree(other.dir, ignore_errors=True)


def no_home(night):
    for binary in (JG, JGADMIN):
        run = subprocess.run(["runuser", "-u", "nobody", "--", binary, "login", "x"], capture_output=True, text=True, cwd="/",
                             env={"HOME": "/nonexistent", "PATH": os.environ["PATH"], "LANG": "zh_CN.UTF-8"})
        lines = run.stderr.strip().splitlines()
        cases.check("%s without a home names the folder and what to do" % os.path.basename(binary),
                    run.returncode == 1 and len(lines) == 3 and "/nonexistent" in lines[0] and "--profile" in lines[2], run.stderr)


def main():
    night = Night()
    try:
        doctor = Doctor(night)
        interrupted_init(night)
        night.start()
        night.enrol_admins()
        os.unlink(night.data + "/admins.txt")
        only_one(night)
        settings(night)
        one_document(night)
        logs(night)
        people(night)
        saved = make_backup(night, doctor)
        files(night, doctor, saved)
        database(night, doctor)
        Outside(night, doctor).run()
        school = moved(night)
        wrong_county(night, school)
        first_passwords(night)
        no_home(night)
        night.people["sysadmin"].login()
        saved = make_backup(night, doctor)
        bare_machine(night, doctor, saved)
        stopped(night, doctor, saved)
        doctor.all_provoked()
        if cases.failed:
            print(night.said()[-3000:], file=sys.stderr)
    finally:
        night.stop()
        if not os.environ.get("JG_KEEP"):
            shutil.rmtree(night.dir, ignore_errors=True)
    cases.close()


if __name__ == "__main__":
    main()
