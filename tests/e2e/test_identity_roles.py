#!/usr/bin/python3
"""Every method with every role: PERMISSION exactly where the declaration in proto/ says so; and two schools with data, of which
neither ever receives a byte of the other's through any method."""
import datetime
import os

from county_files import check_digit
from first_login import BUSY_METHODS, SCHOOLS, answer, first_login
from google.protobuf import descriptor_pb2
from harness import BUILD, Cases, PASSWORD, Server
from wire_client import Closed, Device, KIND_BY_NAME, METHODS, OPTIONS, Wire, pb

SCHOOL_ROLES = ("registrar", "class_teacher", "head", "clerk", "safety", "counsellor")
BUREAU_ROLES = ("leader", "basic_edu", "office", "supervision", "admissions")
ADMIN_ROLES = ("sysadmin", "secadmin", "auditor")
SECRET = "仅甲校可见"


def student_no(two):
    """A well-formed one that ends in two digits and its check."""
    digits = "329999000000001" + two
    return "G" + digits + check_digit(digits)


def declared():
    """Number to (name, access, set of role numbers) from the descriptor set that the build itself read."""
    ds = descriptor_pb2.FileDescriptorSet()
    with open(os.path.join(BUILD, "proto/all.ds"), "rb") as src:
        ds.ParseFromString(src.read())
    methods = {}
    for file in ds.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[OPTIONS.call]
                methods[rule.number] = ("%s.%s" % (service.name, method.name), rule.access, set(rule.role))
    return methods


class Person:
    def __init__(self, device, user, role):
        self.device, self.user, self.role = device, user, role

    def open(self):
        wire = self.device.connect()
        self.device.login(wire, self.user, PASSWORD)
        return wire


def role_number(name):
    return OPTIONS.Role.Value(name.upper())


def add_user(server, role, *where):
    where += ("--class", "六1班") if role == "class_teacher" else ()
    account = server.people["sysadmin"].ok("users", "add", *where, "--role", role, "另一位" + role)
    return account["user"], account["password"]


def people_of(server, cases, methods):
    devices = {}
    for school in SCHOOLS:
        devices[school] = Device(("127.0.0.1", server.port))
        devices[school].enrol(server.code(server.people["sysadmin"].ok("devices", "invite", "--school", school)["code"]))
    bureau = Device(("127.0.0.1", server.port))
    bureau.enrol(server.code(server.people["sysadmin"].ok("devices", "invite", "--bureau")["code"]))
    people = {}
    for role in SCHOOL_ROLES:
        user, password = add_user(server, role, "--school", SCHOOLS[0])
        first_login(cases, methods, devices[SCHOOLS[0]], user, password)
        people[role] = Person(devices[SCHOOLS[0]], user, role)
    for role in BUREAU_ROLES:
        user, password = add_user(server, role, "--bureau")
        first_login(cases, methods, bureau, user, password)
        people[role] = Person(bureau, user, role)
    for role in ADMIN_ROLES:
        people[role] = Person(bureau, server.people[role].user, role)
    user, password = add_user(server, "registrar", "--school", SCHOOLS[1])
    first_login(cases, methods, devices[SCHOOLS[1]], user, password)
    return people, Person(devices[SCHOOLS[1]], user, "registrar")


def matrix(cases, methods, people):
    asked = 0
    for role, person in people.items():
        wrong = []
        with person.open() as wire:
            for number, (name, access, roles) in sorted(methods.items()):
                if name in BUSY_METHODS:
                    continue
                own = pb.PullRequest(stream=min(person.device.streams)).SerializeToString()  # another stream is refused whoever asks
                found = answer(wire, number, own if name == "Sync.Pull" else b"")[0]
                asked += 1
                if access == OPTIONS.ENROLLING:
                    good = found == "NOT_NOW"
                elif access == OPTIONS.SESSION and roles and role_number(role) not in roles:
                    good = found == "PERMISSION"
                else:
                    good = found != "PERMISSION" and found not in ("UNAUTHENTICATED", "MUST_CHANGE", "UNKNOWN_METHOD", "INTERNAL")
                if not good:
                    wrong.append("%s: %s" % (name, found or "answered"))
        cases.equal("%s may call what the declaration says" % role, wrong, [])
    cases.check("the matrix is whole", asked == len(people) * (len(methods) - len(BUSY_METHODS)) and len(people) == 14)


def strangers(cases, methods, device, server):
    with device.connect() as wire:
        wrong = [name for number, (name, access, _) in methods.items()
                 if access in (OPTIONS.SESSION, OPTIONS.ANY_SESSION) and answer(wire, number)[0] != "UNAUTHENTICATED"]
        cases.equal("without a log-in nothing answers", wrong, [])
    with Wire(("127.0.0.1", server.port), "jingguan-enrol/1") as wire:
        wrong = []
        for number, (name, access, _) in methods.items():
            if access != OPTIONS.ENROLLING:
                try:
                    found = answer(wire, number)[0]
                except Closed:
                    wrong.append(name + " closed")
                    break
                if found != "NOT_NOW":
                    wrong.append("%s: %s" % (name, found))
        cases.equal("without a certificate nothing but enrolling answers", wrong, [])


def fill(wire, person):
    """The first school's data: pupils, a destination, a file; every text of it carries the secret."""
    device = person.device
    ids = []
    for n in range(5):
        ids.append(n.to_bytes(1, "big") * 16)
        device.queue_op(KIND_BY_NAME["Student"].number, ids[n], pb.Student(name=SECRET + str(n), student_no="G3299990000000000%02d" % n, grade="16", class_no="1",
                                                                          live_address=SECRET), author=person.user)
    device.push(wire)
    return ids, device.put_blob(wire, SECRET.encode() * 100)


def stuffed(message, strings, number, data, depth=0):
    """A request whose every field points at the other school."""
    for field in message.DESCRIPTOR.fields:
        many = field.label == field.LABEL_REPEATED
        if field.type == field.TYPE_MESSAGE:
            if depth < 3:
                stuffed(getattr(message, field.name).add() if many else getattr(message, field.name), strings, number, data, depth + 1)
            continue
        value = {field.TYPE_STRING: strings, field.TYPE_BYTES: data, field.TYPE_BOOL: True, field.TYPE_ENUM: 1}.get(field.type, number)
        if field.type in (field.TYPE_INT32, field.TYPE_UINT32, field.TYPE_FIXED32):
            value = 1
        getattr(message, field.name).append(value) if many else setattr(message, field.name, value)
    return message


def two_schools(cases, methods, mine, theirs):
    with mine.open() as wire:
        ids, sha = fill(wire, mine)
        accepted = [mine.device.results[n].outcome for n in sorted(mine.device.results)]
        cases.equal("the first school's rows are accepted", accepted, [pb.APPLIED] * 5)
        own = int(SCHOOLS[0])
        mine.device.pull(wire, own)
        cases.equal("the first school pulls its own rows", sum(SECRET.encode() in r[4] for r in mine.device.streams[own].records.values()), 5)
    with theirs.open() as wire:
        cases.check("the second school has no stream of the first", own not in theirs.device.streams)
        for id in list(theirs.device.streams):
            theirs.device.pull(wire, id)
        bodies = [r[4] for s in theirs.device.streams.values() for r in s.records.values()]
        cases.check("its own streams carry nothing of the first", not any(SECRET.encode() in body for body in bodies))
        for cursor in (0, 1):
            found, got = answer(wire, METHODS["Sync.Pull"].number, pb.PullRequest(stream=own, cursor=cursor).SerializeToString())
            cases.check("the first school's stream is refused (cursor %d)" % cursor, found in ("PERMISSION", "NOT_FOUND") and SECRET.encode() not in got, found)
        found, got = answer(wire, METHODS["Sync.GetBlob"].number, pb.BlobGet(sha=sha).SerializeToString())
        cases.check("the first school's file is not found", found in ("NOT_FOUND", "PERMISSION"), found)
        state = wire.call("Sync.StatBlob", sha=sha, size=len(SECRET.encode()) * 100)
        cases.check("nor is it known to exist", not state.complete and state.have == 0)
        writes_over(cases, wire, theirs, ids)
        leaks = []
        for number, (name, _, _) in sorted(methods.items()):
            if name in BUSY_METHODS or name.startswith("Sync.Push"):
                continue
            request = METHODS[name].request
            for data in (ids[0], sha):
                for strings in (SCHOOLS[0], ids[0].hex(), SECRET + "0"):
                    body = stuffed(request(), strings, own, data).SerializeToString()
                    try:
                        if SECRET.encode() in answer(wire, number, body)[1].replace((SECRET + "0").encode() if strings.startswith(SECRET) else b"\0", b""):
                            leaks.append(name)
                    except Closed as closed:
                        leaks.append("%s: %s" % (name, closed))
                        return cases.equal("no method tells the second school anything of the first", leaks, [])
        cases.equal("no method tells the second school anything of the first", leaks, [])


def writes_over(cases, wire, theirs, ids):
    device, student = theirs.device, KIND_BY_NAME["Student"].number
    body = pb.Student(name="乙", student_no="G329999000000000099", grade="16", class_no="1")
    taken = pb.Student(name="乙", student_no="G329999000000000005", grade="16", class_no="1")
    first = device.queue_op(student, ids[0], body, seen=[(g, 1) for g in (1, 2, 3)], author=theirs.user)
    device.queue_op(student, ids[1], seen=[(g, 1) for g in (1, 2, 3)], author=theirs.user)
    device.queue_op(student, b"\x55" * 16, taken, author=theirs.user)
    device.push(wire)
    for n, what in ((first, "edit"), (first + 1, "delete")):
        result = device.results[n]
        cases.check("an %s of the first school's row is refused without a word about it" % what,
                    result.outcome == pb.REJECTED and not result.current and not result.ver and not result.duplicate_of, repr(result))
    cases.equal("the same pupil may stand in both schools", device.results[first + 2].outcome, pb.APPLIED)


def own_classes(cases, server, registrar):
    """A class teacher writes what belongs to pupils of his classes, be the pupil on the server, in the same push, or lied about."""
    account = server.people["sysadmin"].ok("users", "add", "--school", SCHOOLS[0], "--role", "class_teacher", "--class", "1", "班主任")
    device, kinds = registrar.device, {name: kind.number for name, kind in KIND_BY_NAME.items()}
    first_login(cases, {}, device, account["user"], account["password"])
    mine, foreign, new = b"\x61" * 16, b"\x62" * 16, b"\x63" * 16
    year = datetime.date.today().year
    goes = lambda student, **fields: pb.Destination(**{**dict(year=year, name="丙", student_no=student_no(student.hex()[:2]), class_no="1", category="D5",
                                                              guardian_phone="13900000001"), **fields})
    guardian = lambda student, ordinal, name="家长": pb.Guardian(student=student, ordinal=ordinal, name=name)
    with registrar.open() as wire:
        for id, class_no in ((mine, "1"), (foreign, "2")):
            device.queue_op(kinds["Student"], id, pb.Student(name="丙", student_no=student_no(id.hex()[:2]), grade="16", class_no=class_no), author=registrar.user)
        kept = device.queue_op(kinds["Guardian"], b"\x64" * 16, guardian(foreign, 1), author=registrar.user)
        device.push(wire)
    teacher = Person(device, account["user"], "class_teacher")
    with teacher.open() as wire:
        groups = [(g, v) for g, v in enumerate(device.results[kept].gver, 1) if v]
        ask = lambda kind, id, body, **more: device.queue_op(kinds[kind], id, body, author=teacher.user, **more)
        wanted = {
            ask("Guardian", b"\x65" * 16, guardian(mine, 1)): pb.APPLIED,
            ask("Guardian", b"\x66" * 16, guardian(foreign, 2)): pb.REJECTED,
            ask("Guardian", b"\x64" * 16, guardian(mine, 2), seen=groups): pb.REJECTED,  # another class's guardian, said to be ours
            ask("Guardian", b"\x64" * 16, None, seen=groups): pb.REJECTED,
            ask("Student", new, pb.Student(name="丁", student_no="G329999000000001091", grade="16", class_no="1")): pb.APPLIED,
            ask("Guardian", b"\x67" * 16, guardian(new, 1)): pb.APPLIED,
            ask("Evidence", b"\x68" * 16, pb.Evidence(target=foreign, sha=b"\1" * 32, size=1, name="a.pdf")): pb.REJECTED,
            ask("Evidence", b"\x69" * 16, pb.Evidence(target=mine, sha=b"\1" * 32, size=1, name="a.pdf")): pb.APPLIED,
            # A destination names a pupil of his on the roster by number, also one who comes in the same push. What names nobody would be
            # attached by name or telephone to anybody's pupil.
            ask("Destination", b"\x71" * 16, goes(mine)): pb.APPLIED,
            ask("Destination", b"\x72" * 16, goes(foreign)): pb.REJECTED,
            ask("Destination", b"\x73" * 16, goes(mine, cert_no="329999201503010018", student_no="")): pb.REJECTED,
            ask("Destination", b"\x74" * 16, goes(mine, student_no="G329999000000001163")): pb.REJECTED,
            ask("Destination", b"\x75" * 16, goes(new, student_no="G329999000000001091")): pb.APPLIED,
            ask("Destination", b"\x71" * 16, goes(mine, student_no="G329999000000001665"), seen=[(1, 1), (2, 0), (3, 1)]): pb.REJECTED,
        }
        device.push(wire)
        cases.equal("a class teacher writes what belongs to his own pupils", {n: device.results[n].outcome for n in wanted}, wanted)
    with registrar.open() as wire:
        late = device.queue_op(kinds["Guardian"], b"\x6a" * 16, guardian(foreign, 3), author=teacher.user)
        device.push(wire)
        cases.equal("in another's session as well", device.results[late].outcome, pb.REJECTED)
    refusals = [device.results[n] for n in sorted(wanted) if device.results[n].field == "cert_no"]
    cases.check("who is on no roster is refused with a way on", len(refusals) == 3 and all("名册" in r.message and "学籍管理员" in r.hint for r in refusals), refusals)


def main():
    cases, methods = Cases(), declared()
    with Server() as server:
        server.import_schools(*SCHOOLS)
        people, theirs = people_of(server, cases, methods)
        strangers(cases, methods, people["registrar"].device, server)
        two_schools(cases, methods, people["registrar"], theirs)
        own_classes(cases, server, people["registrar"])
        matrix(cases, methods, people)
    cases.close()


if __name__ == "__main__":
    main()
