#!/usr/bin/python3
"""Every school's computer is a witness: it keeps the signed heads of its stream and refuses a pull from a server whose trace was
rewritten or cut, without losing anything of its own."""
import os

from county_files import check_digit
from harness import Cases, Server

SCHOOL = "2132000001"


def main():
    cases = Cases()
    with Server() as server:
        server.import_schools(SCHOOL)
        school = server.school(SCHOOL)
        path = os.path.join(server.dir, "roster.csv")
        for n in (1, 2):
            body = "32999920150314%03d" % n
            with open(path, "w") as out:
                out.write("姓名,证件号码,年级,班级\n甲%d,%s,六年级,1\n" % (n, body + check_digit(body)))
            school.ok("import", "students", path)
            school.ok("sync")
        head = server.psql("SELECT encode(audit_head, 'hex') FROM stream WHERE stream_id = %s" % SCHOOL)
        set_head = lambda value: server.psql("UPDATE stream SET audit_head = decode('%s', 'hex') WHERE stream_id = %s" % (value, SCHOOL))

        set_head("00" * 32)
        result = school.run("sync", "--json")
        cases.equal("a rewritten trace is refused", (result.code, result.json["error"]["code"]), (1, "CHAIN"))
        cases.check("in words that say what to do", "审计员" in result.json["error"]["hint"], result.json)
        cases.equal("nothing of the school's is gone", len(school.ok("students", "list")), 2)
        set_head(head)
        server.psql("UPDATE stream SET audit_n = audit_n - 1 WHERE stream_id = %s" % SCHOOL)
        cases.equal("a trace that was cut is refused", school.run("sync", "--json").json["error"]["code"], "CHAIN")
        server.psql("UPDATE stream SET audit_n = audit_n + 1 WHERE stream_id = %s" % SCHOOL)
        cases.check("with the old trace the work goes on", school.ok("sync")["digest_ok"])
    cases.close()


if __name__ == "__main__":
    main()
