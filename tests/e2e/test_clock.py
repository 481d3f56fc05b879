#!/usr/bin/python3
"""A school's computer whose clock is ten years off, either way (a dead CMOS battery): it connects, logs in, imports and syncs, judges
its work by the county's time, says how far its clock is out, and locks nobody out. jgd keeps the right time."""
import os

from county_files import check_digit
from harness import Cases, Server
from wrong_clock import wrong

SCHOOL = "2132000001"
YEARS = 10 * 365
BATTERY = 17 * 365 # such a computer begins before its pupils were born


def roster(server, n):
    path, body = os.path.join(server.dir, "roster.csv"), "32999920150314%03d" % n
    with open(path, "w") as out:
        out.write("姓名,证件号码,年级,班级\n甲%d,%s,六年级,1\n" % (n, body + check_digit(body)))
    return path


def main():
    cases = Cases()
    with Server() as server:
        server.import_schools(SCHOOL)
        school, count = server.school(SCHOOL), 0
        admin = server.people["sysadmin"]
        for days in (YEARS, -YEARS, -BATTERY, 1, -1):
            env, name = wrong(days), "%+d days" % days
            count += 1
            cases.check("%s: a roster is imported offline" % name, school.ok("import", "students", roster(server, count), env=env)["inserted"] == 1)
            report = school.run("sync", "--json", env=env)
            cases.check("%s: and synced" % name, report.code == 0 and report.json["pushed"] >= 1 and report.json["digest_ok"], report)
            status = school.ok("status", env=env)
            cases.check("%s: status says how far the clock is out" % name, abs(status["clock_skew_s"] - days * 86400) < 120, status["clock_skew_s"])
            cases.check("%s: doctor names it" % name, "时钟" in school.run("doctor", env=env).out or "钟" in school.run("doctor", env=env).out)
            cases.equal("%s: a new log-in works" % name, school.run("login", school.user, "--json", env=env).code, 0)
            fresh = server.person("fresh%+d" % days)
            code = server.code(admin.ok("devices", "invite", "--school", SCHOOL)["code"])
            connected = fresh.run("connect", "--code", code, "--json", env=env)
            cases.equal("%s: a new computer connects" % name, connected.code, 0)
            fresh.user = school.user
            cases.check("%s: and works" % name, fresh.run("login", school.user, "--json", env=env).code == 0 and fresh.ok("sync", env=env)["digest_ok"], connected)
            cases.check("%s: with the right time the work goes on" % name, school.ok("sync")["digest_ok"])
        cases.equal("each pupil once", server.psql("SELECT count(*) FROM student"), str(count))
    cases.close()


if __name__ == "__main__":
    main()
