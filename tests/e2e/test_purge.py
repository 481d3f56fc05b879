#!/usr/bin/python3
"""400 days after a pupil was deleted the tombstone goes from the feed and the floor rises (sync.md "Tombstones"): a computer that has
not synchronised since begins again and shows the pupil no more; one that has goes on from where it is."""
import time

from county_files import check_digit
from harness import Cases, Server

SCHOOL = "2132000001"


def roster(server, *numbers):
    path = server.dir + "/roster.csv"
    with open(path, "w") as out:
        out.write("姓名,证件号码,年级,班级\n")
        for n in numbers:
            body = "32999920150314%03d" % n
            out.write("甲%d,%s,六年级,1\n" % (n, body + check_digit(body)))
    return path


def settled(server, sql, wanted):
    """The job runs soon after the start."""
    for _ in range(100):
        if server.psql(sql) == wanted:
            return True
        time.sleep(0.1)
    return False


def main():
    cases = Cases()
    with Server() as server:
        server.import_schools(SCHOOL)
        away, here = server.school(SCHOOL, name="away"), server.school(SCHOOL, name="here")
        here.ok("import", "students", roster(server, 1, 2))
        batch = here.ok("import", "students", roster(server, 3))["import"]
        here.ok("sync")
        away.ok("sync")
        here.ok("import", "undo", batch)
        here.ok("sync")
        tombstones = "SELECT count(*) FROM feed WHERE action <> 1"
        cases.equal("a tombstone stands in the feed", server.psql(tombstones), "1")
        server.stop()
        server.start()
        time.sleep(1)
        cases.equal("and stays while it is young", server.psql(tombstones), "1")
        server.psql("UPDATE rec_history SET at = at - interval '401 days'")
        server.stop()
        server.start()
        cases.check("it goes after 400 days", settled(server, tombstones, "0"))
        cases.equal("the floor is where it was", server.psql("SELECT floor FROM stream WHERE stream_id = %s" % SCHOOL), "4")
        for name, person in (("who was away", away), ("who was here", here)):
            report = person.ok("sync")
            cases.check("%s agrees with the server" % name, report["digest_ok"], report)
            cases.equal("%s shows two pupils" % name, len(person.ok("students", "list")), 2)
    cases.close()


if __name__ == "__main__":
    main()
