"""A small county whose every person works through wire_client: what the tests of the wire, the trace and the kills share.

Two schools: P (primary, five sixth-graders of invented names) and J (junior, P's home school). Owns the harness's server."""
import os
import re
import shutil
import socket
import subprocess
import sys

import wire_client as w
from county_files import check_digit
from harness import COUNTY, JGD, PASSWORD, Failure, Server

P, J = "2132990001", "3132990001"
YEAR = 2027
pb = w.pb


def id_no(n):
    body = "329999201503%02d%03d" % (1 + n % 28, n % 1000)
    return body + check_digit(body)


def student(n, **fields):
    no = id_no(n)
    return pb.Student(**{**dict(name="学生%s" % chr(0x4e00 + n), cert_no=no, gender="1" if int(no[16]) % 2 else "2", birth=int(no[6:14]), grade="16", class_no="1",
                                live_area="329999100001"), **fields})


def destination(n, category="A1", **fields):
    s = student(n)
    return pb.Destination(**{**dict(year=YEAR, name=s.name, cert_no=s.cert_no, class_no="1", gender=s.gender, guardian_phone="139%08d" % n, guardian_confirmed=True,
                                    category=category), **({"dest_school": J, "dest_school_name": "演练县第一初级中学"} if category[0] == "A" else {}), **fields})


def enrolment(n, **fields):
    s = student(n)
    return pb.Enrolment(**{**dict(year=YEAR, name=s.name, cert_no=s.cert_no, gender=s.gender, birth=s.birth, from_school="演练县第一小学", present=True), **fields})


class WireCounty:
    def __init__(self, **server):
        self.server = Server(**server)
        self.people, self.seconds = {}, []

    def __enter__(self):
        try:
            self.server.init()
            self.server.start()
            self.address = ("127.0.0.1", self.server.port)
            self.enrol_admins()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, kind=None, *_):
        if kind:
            print(open(self.server.dir + "/jgd.log").read()[-4000:], file=sys.stderr)
        for process in self.seconds:
            process.terminate()
            process.wait(timeout=30)
        process = self.server.process
        self.server.stop()
        log = open(self.server.dir + "/jgd.log").read() if process else ""
        if process and not kind and (process.returncode or "Sanitizer" in log or "runtime error" in log):
            raise Failure("jgd ended with %s: %s" % (process.returncode, log[-4000:]))
        if not os.environ.get("JG_KEEP"):
            shutil.rmtree(self.server.dir, ignore_errors=True)

    def enrol_admins(self):
        for role, code, user, password in self.server.admins:
            device = w.Device(self.address)
            device.enrol(code.split("@")[0])
            self.first_login(device, user, password)
            self.people[role] = device

    def first_login(self, device, user, password):
        with device.connect() as wire:
            if not device.login(wire, user, password).must_change:
                raise Failure("the first password need not be changed")
            wire.call("Session.Passwd", password=password, new_password=PASSWORD)

    def account(self, role, school="", name=None):
        with self.people["sysadmin"].open() as wire:
            return wire.call("Identity.AddUser", school=school, role=[getattr(pb, role)], name=name or role, login=name or role.replace("_", ""))

    def invite(self, school=""):
        with self.people["sysadmin"].open() as wire:
            return wire.call("Identity.InviteDevice", school=school).invitation[0].code

    def person(self, name, role, school=""):
        """A new account on a new device."""
        account = self.account(role, school)
        device = w.Device(self.address)
        device.enrol(self.invite(school))
        self.first_login(device, account.user, account.password)
        self.people[name] = device
        return device

    def registers(self):
        """Schools and catchments, imported by the bureau's basic education office."""
        edu = self.person("edu", "BASIC_EDU")
        schools = [pb.School(code=P, name="演练县第一小学", type="211", founder="831", area="329999100"),
                   pb.School(code=J, name="演练县第一初级中学", type="311", founder="831", area="329999")]
        with edu.open() as wire:
            report = wire.call("County.ImportSchools", record=[w.canonical(s) for s in schools])
            areas = wire.call("County.ImportCatchments", record=[w.canonical(pb.Catchment(school=J, stage="junior", area="329999100"))])
            if report.inserted != 2 or areas.inserted != 1:
                raise Failure("registers: %s %s" % (report, areas))
        return edu

    def schools(self):
        return self.person("p", "REGISTRAR", P), self.person("j", "REGISTRAR", J)

    def second(self):
        """Another jgd on the same database, with a data directory and a port of its own; its address."""
        directory = self.server.dir + "/second"
        os.makedirs(directory)
        for name in ("ca.pem", "ca.key", "server.pem", "server.key", "jgd.ini"):
            shutil.copy2(self.server.data + "/" + name, directory)
        text = open(directory + "/jgd.ini").read()
        text = text.replace("/proc/self/cwd/pg/s", self.server.data + "/pg/s") # the private one is named from its own directory
        for name, value in (("embedded", "no"), ("listen", "127.0.0.1:0"), ("metrics", "127.0.0.1:0")):
            text = re.sub(r"(?m)^%s = .*$" % name, "%s = %s" % (name, value), text)
        with open(directory + "/jgd.ini", "w") as out:
            out.write(text)
        owner = os.stat(self.server.data + "/jgd.ini")
        for path in [directory] + [directory + "/" + name for name in os.listdir(directory)]:
            os.chown(path, owner.st_uid, owner.st_gid)
        process = subprocess.Popen([JGD, "serve", "--data", directory], stdout=subprocess.PIPE, stderr=self.server.log, text=True, start_new_session=True)
        self.seconds.append(process)
        match = re.match(r"ready (\S+):(\d+) ", process.stdout.readline())
        if not match:
            raise Failure("the second jgd did not start")
        return "127.0.0.1", int(match.group(2))

    def psql(self, sql):
        lines = self.server.psql("SET app.county = '%s'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = ''; %s" % (COUNTY, sql))
        return lines

    def raw_socket(self):
        return socket.create_connection(self.address, timeout=20)
