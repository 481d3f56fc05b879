#!/usr/bin/python3
"""Where the key of a school's offline store is: in the keyring when a Secret Service answers, else in a file that says so.

A session bus and a GNOME keyring of one's own. The keyring is then locked, emptied, taken away and given back: every refusal says
what happened and changes nothing, and in the end all is there."""
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time

from county_files import check_digit
from harness import JG, JGD, Cases, Program, Server
from wire_county import P

cases = Cases()
NAMES = ["赵一鸣", "钱二宝", "孙三江"]


class Desktop:
    """A bus and, on it, a keyring under HOME `name`."""

    def __init__(self, directory, name):
        self.home = os.path.join(directory, name)
        os.makedirs(self.home + "/run", mode=0o700, exist_ok=True)
        clean = {key: os.environ[key] for key in ("PATH", "LSAN_OPTIONS", "TSAN_OPTIONS") if key in os.environ}
        self.env = {**clean, "HOME": self.home, "XDG_DATA_HOME": self.home + "/data", "XDG_RUNTIME_DIR": self.home + "/run"}
        self.bus = self.keyring = None

    def start(self):
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.env)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.stdout.readline().strip()
        self.start_keyring()
        return self

    def start_keyring(self):
        self.keyring = subprocess.Popen(["gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, text=True, env=self.env)
        self.keyring.stdin.write("desk-password")
        self.keyring.stdin.close()
        self.wait_for("org.freedesktop.secrets")

    def wait_for(self, name):
        for _ in range(200):
            run = subprocess.run(["dbus-send", "--session", "--dest=org.freedesktop.DBus", "--print-reply=literal", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:" + name],
                                 capture_output=True, text=True, env=self.env)
            if "true" in run.stdout:
                return
            time.sleep(0.05)
        raise RuntimeError("no %s on the bus" % name)

    def stop(self):
        for process in (self.keyring, self.bus):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)
        self.keyring = self.bus = None

    @property
    def address(self):
        return {"DBUS_SESSION_BUS_ADDRESS": self.env["DBUS_SESSION_BUS_ADDRESS"], "XDG_RUNTIME_DIR": self.env["XDG_RUNTIME_DIR"]}


class Desk(Program):
    """jg as started from a desktop, or from none."""

    desktop = {}

    def run(self, *args, env=None, **more):
        return super().run(*args, env={"DISPLAY": "", "WAYLAND_DISPLAY": "", **self.desktop, **(env or {})}, **more)


def numbers():
    bodies = ["3299992015%04d%03d" % (300 + 1 + n, 10 + n) for n in range(len(NAMES))]
    return [body + check_digit(body) for body in bodies]


def register(server):
    edu = server.bureau("basic_edu")
    path = os.path.join(server.dir, "schools.csv")
    with open(path, "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者,区划代码\n%s,演练县第一小学,211,831,329999100\n" % P)
    edu.ok("schools", "import", path)
    path = os.path.join(server.dir, "students.csv")
    with open(path, "w") as out:
        out.write("姓名,身份证号,性别,年级,班级\n")
        for name, no in zip(NAMES, numbers()):
            out.write("%s,%s,%s,六年级,1班\n" % (name, no, "男" if int(no[16]) % 2 else "女"))
    return path


def desk(server, name, desktop):
    admin = server.people["sysadmin"]
    account = admin.ok("users", "add", "--school", P, "--role", "registrar", name)
    person = Desk(JG, os.path.join(server.dir, "profile-" + name))
    os.makedirs(person.profile)
    person.desktop = desktop
    person.connect(server.code(admin.ok("devices", "invite", "--school", P)["code"]))
    person.first_login(account["user"], account["password"])
    return person


def contents(profile):
    """Every file with its bytes, but the lock and what SQLite leaves empty."""
    found = {}
    for folder, _, names in os.walk(profile):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                found[os.path.relpath(os.path.join(folder, name), profile)] = file.read()
    return found


def digest(profile):
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents(profile).items()}


def refused(person, name, words, env=None, most=20):
    """A command without its key: three lines, exit 1, nothing changed."""
    before, begun = digest(person.profile), time.monotonic()
    text = person.run("students", "list", env=env)
    took = time.monotonic() - begun
    told = person.run("students", "list", "--json", env=env)
    error = told.json["error"]
    cases.check("%s: it says so" % name, text.code == told.code == 1 and error["code"] == "KEYRING" and words in error["message"] and words in text.err and not text.out, "%r %r" % (text, told))
    cases.check("%s: and what is safe, and what to do" % name, "没有丢失" in error["safe"] and error["hint"], str(error))
    cases.check("%s: without hanging" % name, took < most, "%.1f s" % took)
    cases.equal("%s: an import is not taken either" % name, person.run("import", "students", os.path.join(os.path.dirname(person.profile), "students.csv"), env=env).code, 1)
    cases.equal("%s: nothing changed" % name, digest(person.profile), before)


def listed(person):
    return sorted(s["cert_no"] for s in person.ok("students", "list"))


def in_the_keyring(server, table, desktop):
    person = desk(server, "wang", desktop.address)
    person.ok("import", "students", table)
    names = os.listdir(person.profile)
    cases.check("the key is in the keyring, no file holds it", "store.key" not in names and "store.keyring" in names, str(names))
    status = person.ok("status")
    cases.equal("status --json says keyring", (status["key_store"], status["key_protected"]), ("keyring", True))
    cases.check("status says it in words", "密钥环" in person.run("status").out)
    cases.equal("another process reads the store", listed(person), sorted(numbers()))
    report = person.ok("sync")
    cases.check("it syncs", report["pushed"] and report["digest_ok"], str(report))
    plain = [word.encode() for word in numbers() + NAMES]
    leaks = [name for name, data in contents(person.profile).items() if any(word in data for word in plain)]
    cases.equal("no file of the profile shows a pupil", leaks, [])
    cases.equal("what the keyring number is kept in is only that", len(contents(person.profile)["store.keyring"]), 20)
    return person


def taken_away(server, person, desktop):
    desktop.keyring.send_signal(signal.SIGTERM)
    desktop.keyring.wait(timeout=20)
    # The bus starts a keyring again when asked: nobody has unlocked that one.
    refused(person, "keyring locked", "锁定")
    desktop.stop()
    refused(person, "bus gone", "没有应答")
    refused(person, "no bus at all", "没有应答", env={"DBUS_SESSION_BUS_ADDRESS": ""})
    path = os.path.join(server.dir, "deaf")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(path)
        deaf.listen(8)
        refused(person, "a bus that never answers", "没有应答", env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + path})
    other = Desktop(server.dir, "other").start()
    try:
        refused(person, "somebody else's keyring", "没有本机数据的密钥", env=other.address)
    finally:
        other.stop()


def given_back(person, desktop):
    desktop.start()
    person.desktop = desktop.address
    cases.equal("with the keyring back all is there", listed(person), sorted(numbers()))
    cases.equal("and status says keyring", person.ok("status")["key_store"], "keyring")


def in_a_file(server, table, desktop):
    person = desk(server, "li", {"DBUS_SESSION_BUS_ADDRESS": ""})
    person.ok("import", "students", table)
    names = os.listdir(person.profile)
    cases.check("without a bus the key is in a file", "store.key" in names and "store.keyring" not in names, str(names))
    cases.equal("only its user can read it", os.stat(person.profile + "/store.key").st_mode & 0o777, 0o600)
    status = person.ok("status")
    cases.equal("status --json says file", (status["key_store"], status["key_protected"]), ("file", False))
    cases.check("status says it in words", "未加口令" in person.run("status").out)
    person.desktop = desktop.address
    cases.equal("it stays there when a keyring comes", person.ok("status")["key_store"], "file")
    checks = person.run("doctor", "--json").json["checks"]
    cases.check("doctor then hints at the keyring", any(c["name"] == "key" and "密钥环" in c["message"] for c in checks), str(checks))
    os.rename(person.profile + "/store.key", server.dir + "/store.key")
    before = digest(person.profile)
    result = person.run("students", "list", "--json")
    cases.check("a store whose key is missing is given no other", result.code and "不见了" in result.json["error"]["message"] and digest(person.profile) == before, repr(result))
    os.rename(server.dir + "/store.key", person.profile + "/store.key")
    cases.equal("with the file back all is there", listed(person), sorted(numbers()))


def locked_from_the_start(server, table, desktop):
    """A keyring that is locked when the store is made, and nobody to unlock it: the file, and status says so."""
    desktop.keyring.send_signal(signal.SIGTERM)
    desktop.keyring.wait(timeout=20)
    person = desk(server, "zhou", desktop.address)
    person.ok("import", "students", table)
    cases.equal("a keyring nobody unlocks is not waited for", person.ok("status")["key_store"], "file")


def under_a_passphrase(server, table, desktop):
    secret = {"JG_PASSPHRASE": "correct horse"}
    person = desk(server, "wu", {**desktop.address, **secret})
    person.ok("import", "students", table)
    cases.equal("a passphrase comes before the keyring", person.ok("status")["key_store"], "passphrase")
    cases.check("status says it in words", "口令保护" in person.run("status").out)
    cases.equal("without it nothing is read", person.run("students", "list", env={"JG_PASSPHRASE": ""}).code, 3)
    cases.equal("with it all is", listed(person), sorted(numbers()))


def links():
    needed = subprocess.run(["ldd", JGD], capture_output=True, text=True).stdout
    cases.check("jgd links neither libsecret nor GLib", "libssl" in needed and not [l for l in needed.splitlines() if "secret" in l or "libglib" in l or "libgio" in l], needed)


def main():
    links()
    with Server() as server:
        desktop = Desktop(server.dir, "home").start()
        try:
            table = register(server)
            person = in_the_keyring(server, table, desktop)
            taken_away(server, person, desktop)
            given_back(person, desktop)
            under_a_passphrase(server, table, desktop)
            in_a_file(server, table, desktop)
            locked_from_the_start(server, table, desktop)
        finally:
            desktop.stop()
        if cases.failed:
            print(open(server.dir + "/jgd.log").read()[-2000:], file=sys.stderr)
    cases.close()


if __name__ == "__main__":
    main()
