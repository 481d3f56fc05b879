#!/usr/bin/python3
"""Where a pupil may be said to go, and in which year: one list of cases, asked of the client (offline) and of the server (by a client that does
not ask itself first). Both say the same."""
import os

import wire_client as w
from county_files import check_digit
from harness import PASSWORD, Cases, Server

pb = w.pb
P, T, J, K = "2132990001", "3132990002", "3132990001", "3132990003"
FIRST, THIRD = "演练县第一初级中学", "演练县第三初级中学"
YEAR = 2027
cases = Cases()

# whose table, category, code, name, place: whether it can be
LIST = [
    (P, "A1", J, "", "", True), (P, "A2", J, FIRST, "", True), (P, "A1", "", FIRST, "", True), (P, "A3", P, "", "", False), (P, "A1", "3132999999", "", "", False),
    (P, "A1", J, THIRD, "", False),
    # promotion is inside one school
    (T, "A4", T, "", "", True), (T, "A4", "", "", "", True), (T, "A4", J, "", "", False), (T, "A4", "", FIRST, "", False), (P, "A4", J, "", "", False), (P, "A4", "", "", "", False),
    (P, "A4", T, "", "", False),
    # a school of the county is of a category of the county
    (P, "B1", J, "", "", False), (P, "B2", J, "", "江苏省南京市", False), (P, "B3", "", FIRST, "", False), (P, "B3", "", FIRST, "安徽省泗县", True), (P, "B2", "", "", "江苏省南京市", True),
    (P, "B5", P, "", "", False), (P, "C1", J, "", "", False), (P, "C2", P, "", "", False), (P, "C3", "", FIRST, "", False), (P, "C1", "", "", "", True), (P, "D2", J, "", "", False),
    (P, "D5", "", FIRST, "", False), (P, "D5", "", "", "", True), (P, "C2", "", "演练县第1小学", "", True),
    # a code that the register does not have
    (P, "B2", "3132980001", "", "", False), (P, "B2", "3132980001", "", "江苏省南京市", True), (P, "B2", "3132980001", "南京市第九中学", "", True), (P, "D1", "3132980001", "", "", False),
    (P, "C1", "3132980001", "", "苏州", False)]


def number(n):
    body = "32999920150301%03d" % n
    return body + check_digit(body)


def write(server, name, text):
    path = os.path.join(server.dir, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def stranger(server, school):
    """A client that knows the wire alone."""
    admin = server.people["sysadmin"]
    account = admin.ok("users", "add", "--school", school, "--role", "registrar", "生人" + school[-1])
    device = w.Device(("127.0.0.1", server.port))
    device.enrol(admin.ok("devices", "invite", "--school", school)["code"].split("@")[0])
    with device.connect() as wire:
        device.login(wire, account["user"], account["password"])
        wire.call("Session.Passwd", password=account["password"], new_password=PASSWORD)
    return device


def pushed(device, n, category, code, name, place, year=YEAR):
    message = pb.Destination(year=year, name="甲生", cert_no=number(n), category=category, **{k: v for k, v in (("dest_school", code), ("dest_school_name", name), ("place", place)) if v})
    with device.open() as wire:
        op = device.queue_op(w.KIND_BY_NAME["Destination"].number, w.uuid7(), message)
        device.push(wire)
    return device.results[op]


def where(server, people, strangers):
    for n, (school, category, code, name, place, may) in enumerate(LIST, 1):
        what = " ".join(x for x in (category, code, name, place, "of a primary" if school == P else "of a through-school") if x)
        table = write(server, "one.csv", "姓名,证件号码,去向类别,拟升入学校标识码,拟升入学校,去向地区\n甲生,%s,%s,%s,%s,%s\n" % (number(n), category, code, name, place))
        here = people[school].ok("import", "destinations", table, "--dry-run", code=(0, 5))
        there = pushed(strangers[school], n, category, code, name, place)
        cases.equal(what, (not here["rejected"], there.outcome == pb.APPLIED), (may, may))
        if not may and (here["rejected"] and there.outcome != pb.APPLIED):
            text = here["rejected"][0]["message"] + there.message
            cases.check("%s: told in words" % what, here["rejected"][0]["field"] and not any(code in text for code in ("A4", "B2", "C1", "D5")), text)


def when(server, clerk, person, device):
    """A year that is open or can be opened; of any other nobody hears again."""
    table = write(server, "year.csv", "姓名,证件号码,去向类别\n戊生,%s,D5\n" % number(90))
    wanted = {2024: (2, False), 2025: (2, False), 2026: (2, True), 2027: (0, True), 2028: (2, False), 2077: (2, False)}
    for n, (year, (code, there)) in enumerate(wanted.items()):
        told = person.run("import", "destinations", table, "--year", year, "--dry-run")
        cases.check("%d: %s here" % (year, "taken" if code == 0 else "refused with the year that is open"), told.code == code and (code == 0 or "--year 2027" in told.err), told)
        cases.equal("%d there" % year, pushed(device, 91 + n, "D5", "", "", "", year).outcome == pb.APPLIED, there)
    batch = person.ok("import", "destinations", table, "--year", 2027)["import"]
    person.ok("sync")
    cases.equal("and is undone", person.ok("import", "undo", batch)["undone"], 1)
    person.ok("sync")
    for phase in ("assist", "confirm", "verify", "closed"):
        clerk.ok("transition", "phase", "--year", YEAR, phase, "--force", "--reason", "演练")
    person.ok("sync")
    closed = person.run("import", "destinations", table, "--year", 2027)
    cases.check("a closed year is refused", closed.code == 3 and "已经办结" in closed.err, closed)


def main():
    with Server() as server:
        clerk = server.bureau("basic_edu")
        clerk.ok("schools", "import", write(server, "schools.csv", "学校标识码,学校名称,办学类型,举办者\n%s,演练县第1小学,211,831\n%s,演练县九年制学校,312,831\n%s,%s,311,831\n%s,%s,311,831\n" % (
            P, T, J, FIRST, K, THIRD)))
        people = {school: server.school(school) for school in (P, T)}
        people[P].ok("import", "students", write(server, "roster.csv", "姓名,证件号码,年级,班级\n甲生,%s,六年级,1班\n" % number(99)))
        for person in people.values():
            person.ok("sync")
        clerk.ok("transition", "open", "--year", YEAR, "--yes")
        for person in people.values():
            person.ok("sync")
        strangers = {school: stranger(server, school) for school in (P, T)}
        where(server, people, strangers)
        when(server, clerk, people[P], strangers[P])
    cases.close()


if __name__ == "__main__":
    main()
