"""A county of one primary and one junior school in a year of 小升初: its registers, its clock, its phases and reminders."""
import datetime
import os
import time

from county_files import check_digit

YEAR = 2027
PRIMARY, JUNIOR = "2132000001", "3132000002"


def number(n):
    body = "329999%s%03d" % ("20150314", n)
    return body + check_digit(body)


class County:
    def __init__(self, server):
        self.server, self.edu = server, server.bureau("basic_edu")
        self.today = datetime.date.fromisoformat(server.psql("SET app.county = '329999'; SELECT jg_today()").splitlines()[-1])
        self.write("schools.csv", "学校标识码,学校名称,办学类型,举办者,区划代码\n%s,东小,211,831,329999101\n%s,北中,311,831,329999101\n" % (PRIMARY, JUNIOR))
        self.write("catchments.csv", "学校标识码,学段,区划代码\n%s,初中,329999101\n" % JUNIOR)
        self.edu.ok("schools", "import", self.path("schools.csv"))
        self.edu.ok("catchments", "import", self.path("catchments.csv"))
        self.school = {code: server.school(code) for code in (PRIMARY, JUNIOR)}

    def path(self, name):
        return os.path.join(self.server.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)

    def move_to(self, month, day):
        target = datetime.date(YEAR, month, day)
        admin = self.server.people["sysadmin"]
        admin.ok("login", admin.user)
        admin.ok("server", "clock", "+%dd" % (target - self.today).days)
        self.today = target
        for person in self.server.people.values():
            if person.user:
                person.ok("login", person.user)

    def phase(self, *names):
        for name in names:
            self.edu.ok("transition", "phase", "--year", YEAR, name, "--force", "--reason", "演练")

    def reminders(self):
        """{school: the latest} of the only slip, as the bureau sees them."""
        return {a["school"]: a["reminder"] for a in self.edu.ok("transition", "slips", "--year", YEAR, "list")[0]["addressees"]}

    def settle(self, wanted):
        """Waits for the night job, which looks four times a minute."""
        for _ in range(60):
            found = self.reminders()
            if found == wanted:
                break
            time.sleep(0.5)
        return found

    def count(self):
        return self.server.psql("SELECT string_agg(owner_school || ' ' || what, ',' ORDER BY owner_school, at, what) FROM reminder") or ""
