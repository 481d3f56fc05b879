#!/usr/bin/python3
"""A year by hand, in README's order: everybody sits at a terminal, reads what the programs print and nothing else, and types next what the last
answer told him to type. No --json, no file of the county but admins.txt, whose place `jgd init` tells. A dead end - an answer that does not name
the next command, or an error whose third line leads nowhere - is a failure."""
import datetime
import fcntl
import gettext
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import openpyxl

from county_files import check_digit
from harness import BUILD, JG, JGADMIN, JGD, ROOT, Cases
from own_directory import own_directory

PRIMARY, JUNIOR, OTHER = "2132990001", "3132990001", "3132990002"
PLACES = r"(?:汇总\.html|…|文件夹|文件|姓名|用户名|连接码|年度|序号|下级序号|编号|理由|学校标识码|学校|去向代码|学生|NEWDIR|FILE)"
cases = Cases()


class DeadEnd(Exception):
    pass


def number(n, birthday="20150301"):
    body = "329999%s%03d" % (birthday, n)
    return body + check_digit(body)


class Desk:
    """A person at a terminal with one program; `said` is the last answer, as it stands on the screen."""

    def __init__(self, binary, home, name):
        self.binary, self.name, self.home = binary, name, os.path.join(home, name)
        self.program, self.said, self.code = os.path.basename(binary), "", 0
        os.makedirs(self.home, exist_ok=True)

    def type(self, *words, answers=(), pager="cat"):
        """Runs it at a terminal; each answer is typed when its question stands on the screen."""
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        environment = {**os.environ, "LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8", "JG_PAGER": pager, "DBUS_SESSION_BUS_ADDRESS": "", "HOME": self.home, "XDG_DATA_HOME": self.home}
        environment.pop("JG_PASSWORD", None)
        command = [self.binary, *words] if self.program == "jgd" else [self.binary, "--profile", self.home, *words]
        run = subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment, preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        os.close(child)
        screen, left, seen, deadline = b"", list(answers), 0, time.monotonic() + 120
        while time.monotonic() < deadline:
            ready, _, _ = select.select([parent], [], [], 0.2)
            if ready:
                try:
                    part = os.read(parent, 65536)
                except OSError:
                    break
                if not part:
                    break
                screen += part
                continue
            if left and re.search(left[0][0], screen[seen:].decode(errors="replace")):
                seen = len(screen)
                os.write(parent, (lambda answer: (answer if answer == "\x04" else answer + "\n").encode())(left.pop(0)[1]))
        self.code = run.wait(timeout=10)
        os.close(parent)
        self.said = screen.decode(errors="replace").replace("\r", "")
        if left:
            raise DeadEnd("%s was never asked %r:\n%s" % (self.name, left[0][0], self.said))
        if self.code and len([line for line in self.said.splitlines() if line.strip()]) < 3:
            raise DeadEnd("an error of fewer than three lines: %s" % self.said)
        if os.environ.get("JG_SHOW"):
            print("\n\033[1m%s$ %s %s\033[0m\n%s" % (self.name, self.program, " ".join(words), self.said), flush=True)
        return self.said

    def interrupt(self, *words):
        """Runs it at a terminal and presses Ctrl-C at its first question."""
        parent, child = pty.openpty()
        environment = {**os.environ, "LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "", "HOME": self.home, "XDG_DATA_HOME": self.home}
        run = subprocess.Popen([self.binary, "--profile", self.home, *words], stdin=child, stdout=child, stderr=child, env=environment,
                               preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        os.close(child)
        screen = os.read(parent, 4096)
        os.write(parent, b"\x03")
        self.code = run.wait(timeout=10)
        try:
            while True:
                part = os.read(parent, 4096)
                if not part:
                    break
                screen += part
        except OSError:
            pass
        os.close(parent)
        self.said = screen.decode(errors="replace").replace("\r", "")

    def told(self, beginning):
        """The words of the command in the last answer that begins so; places such as 文件 are left to be filled in."""
        found = re.findall(r"(?<![\w/])%s(?: [^\s，。；：（）、？“”]+)*" % re.escape(beginning), self.said)
        if not found:
            raise DeadEnd("%s was not told to run %r by:\n%s" % (self.name, beginning, self.said))
        words = found[0].split()[1:]
        while words and re.search(r"[\u4e00-\u9fff]", words[-1]) and not re.fullmatch(PLACES, words[-1]):
            words.pop()  # prose that follows the command on its line
        return words

    def follow(self, beginning, fill=(), more=(), answers=(), code=0, by=None):
        """Types the command that the last answer - of this desk or of another - told, with its places filled in."""
        fill, words = list(fill), (by or self).told(beginning)
        typed = [fill.pop(0) if re.fullmatch(PLACES, w) and fill else w for w in words] + list(more)
        empty = [w for w in typed if re.fullmatch(PLACES, w)]
        if empty or fill:
            raise DeadEnd("%r leaves %r open and does not ask for %r" % (words, empty, fill))
        self.type(*typed, answers=answers)
        if self.code != code:
            raise DeadEnd("%s %s -> %d, not %d\n%s" % (self.program, " ".join(typed), self.code, code, self.said))
        return self.said

    def again(self, *words):
        """Types a command; where the log-in has ended meanwhile, logs in as told and types it once more."""
        self.type(*words)
        if self.code == 3 and "%s login" % self.program in self.said:
            self.follow("%s login" % self.program, [self.user], answers=[("密码", self.password)])
            self.type(*words)
        if self.code:
            raise DeadEnd("%s %s -> %d\n%s" % (self.program, " ".join(words), self.code, self.said))

    def sees(self, what, pattern):
        return cases.check(what, re.search(pattern, self.said), self.said)

    def row(self, pattern, column=0):
        """A cell of the first row of the last table that shows the pattern."""
        for line in self.said.splitlines():
            if re.search(pattern, line):
                return line.split()[column]
        raise DeadEnd("no row %r in\n%s" % (pattern, self.said))


class Year:
    def __init__(self, home):
        self.home, self.desks, self.server = home, [], None
        self.operator = self.desk(JGD, "operator")

    def desk(self, binary, name):
        desk = Desk(binary, self.home, name)
        self.desks.append(desk)
        return desk

    def file(self, name, rows):
        path = os.path.join(self.home, name)
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
        return path

    # ---- the operator ----

    def install(self):
        op = self.operator
        data = os.path.join(self.home, "county")
        op.type("init", "--data", data, "--county", "329999", "--name", "演练县教育局", "--embedded", "--rehearsal", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
        if op.code:
            raise DeadEnd(op.said)
        admins = re.search(r"(/\S+/admins\.txt)", op.said)
        cases.check("init says where the administrators' first passwords are", admins, op.said)
        words = op.told("jgd serve")
        self.server = subprocess.Popen([JGD, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        ready = re.match(r"ready (\S+) ", self.server.stdout.readline())
        if not ready:
            raise DeadEnd("jgd serve, as init told it, is not ready")
        self.address, self.data = ready.group(1), data
        return [line.split("\t") for line in open(admins.group(1)).read().splitlines()]

    def arrive(self, desk, code, user, password, after):
        """connect, log in, change the first password: each told by the answer before."""
        desk.type("connect", answers=[("连接码", code.split("@")[0] + "@" + self.address)])
        desk.user, desk.password = user, "Practice-%s-2026" % user
        mine = "Practice-%s-2026" % user
        desk.follow("%s login" % desk.program, [user], answers=[("密码", password)])
        desk.follow("%s passwd" % desk.program, answers=[("原密码", password), ("新密码", mine), ("再输", mine)])
        desk.sees("%s is told what comes after the password" % desk.name, after)
        return desk

    # ---- the bureau sets the county up ----

    def set_up(self, admins):
        of = {role: (code, user, password) for role, code, user, password in admins}
        self.system = self.arrive(self.desk(JGADMIN, "sysadmin"), *of["sysadmin"], "jgadmin users list")
        self.system.follow("jgadmin users list")
        self.system.follow("jgadmin users add --bureau", ["李科长"])
        account = self.account(self.system)
        invited = self.system.follow("jgadmin devices invite --bureau")
        self.clerk = self.desk(JGADMIN, "clerk")
        code = self.invitation(self.system)
        if "jgadmin connect --code" not in invited:
            raise DeadEnd(invited)
        self.arrive(self.clerk, code, *account, "jgadmin schools list")
        self.clerk.follow("jgadmin schools list")
        schools = self.file("学校.xlsx", [["学校标识码", "学校名称", "办学类型", "举办者"], [PRIMARY, "东岗小学", "小学", "县级教育部门"],
                                        [JUNIOR, "北关初级中学", "初级中学", "县级教育部门"], [OTHER, "柳园初级中学", "初级中学", "县级教育部门"]])
        self.clerk.follow("jgadmin schools import", [schools])
        catchments = self.file("施教区.xlsx", [["学校标识码", "学段", "区划代码", "社区"], [PRIMARY, "小学", "329999", ""], [JUNIOR, "初中", "329999", ""]])
        self.clerk.follow("jgadmin catchments import", [catchments])
        cases.check("the clerk is told of the invitations and of the year", "jgadmin devices invite --all" in self.clerk.said and "jgadmin transition open --year" in self.clerk.said, self.clerk.said)
        self.schools = {}
        for code, name in ((PRIMARY, "wang"), (JUNIOR, "zhao"), (OTHER, "qian")):
            self.schools[code] = self.school(code, name)

    def account(self, desk):
        found = re.search(r"帐号 (\S+)\s+初始密码 (\S+)", desk.said)
        if not found:
            raise DeadEnd(desk.said)
        return found.groups()

    def invitation(self, desk):
        found = re.search(r"连接码 (\S+)", desk.said)
        if not found:
            raise DeadEnd(desk.said)
        return found.group(1)

    def school(self, code, name):
        self.system.type("users", "list")
        self.system.follow("jgadmin users add --school", [code, name + "laoshi"])
        account = self.account(self.system)
        self.system.follow("jgadmin devices invite --school")
        desk = self.desk(JG, name)
        if "jg connect --code" not in self.system.said:
            raise DeadEnd(self.system.said)
        self.arrive(desk, self.invitation(self.system), *account, "jg sync")
        desk.follow("jg sync")
        return desk

    # ---- May and June ----

    def spring(self):
        wang = self.schools[PRIMARY]
        wang.follow("jg todo")
        roster = self.file("六年级.xlsx", [["姓名", "身份证件类型", "身份证件号", "性别", "出生日期", "年级", "班级", "监护人姓名", "监护人电话"]] +
                           [["学生%s" % "甲乙丙丁戊己"[i], "居民身份证", number(i * 2), "女", "2015-03-01", "六年级", "%d班" % (i % 2 + 1), "家长", "13900000000"] for i in range(6)])
        wang.follow("jg import students", [roster])
        wang.follow("jg sync")
        clerk = self.clerk
        clerk.type("schools", "list")
        clerk.follow("jgadmin transition phase --year", [str(self.year)], code=3)
        clerk.sees("without a year the answer names the command that opens one", r"jgadmin transition open --year %d" % self.year)
        clerk.follow("jgadmin transition open --year %d" % self.year, answers=[("请输入年份", str(self.year))])
        clerk.sees("the year says how to take it back", r"jgadmin transition cancel --year %d" % self.year)
        wang.again("sync")
        wang.follow("jg todo")
        wang.sees("six have not declared", r"6 名")
        wang.follow("jg transition list --unset")
        first = wang.row("学生甲")
        wang.follow("jg transition set", [first, "A1", "北关初级中学"])
        wang.sees("what was done is said with its undo", r"学生甲.*北关初级中学[\s\S]*jg undo")
        form = os.path.join(self.home, "去向.xlsx")
        wang.type("export", "destinations", "-o", form)
        book = openpyxl.load_workbook(form)
        sheet = book.worksheets[0]
        heading = next(row for row in sheet.iter_rows() if any(cell.value == "去向类别" for cell in row))
        at = {cell.value: cell.column for cell in heading if cell.value}
        dest = next(c for name, c in at.items() if "学校" in str(name) and ("拟" in str(name) or "初中" in str(name) or "去向学校" in str(name)) and "标识码" not in str(name) and "代码" not in str(name))
        for row in range(heading[0].row + 1, sheet.max_row + 1):
            name = sheet.cell(row, at["姓名"]).value
            if name in ("学生乙", "学生丙", "学生丁"):
                sheet.cell(row, at["去向类别"]).value = "A1 施教区公办"
                sheet.cell(row, dest).value = "北关初级中学"
        book.save(form)
        wang.type("import", "destinations", form)
        if wang.code:
            raise DeadEnd(wang.said)
        self.clock("2027-06-10")
        wang.again("sync")
        wang.follow("jg todo")
        wang.follow("jg transition file", code=3)
        wang.sees("what is missing is named with the way on", r"学生己[\s\S]*(--incomplete|jg transition list)")
        wang.follow("jg transition list")
        wang.follow("jg transition set", [wang.row("学生己"), "A1", "柳园初级中学"])
        wang.type("transition", "list")
        wang.type("transition", "set", wang.row("学生戊"), "--dest", "B3", "--place", "浙江省杭州市余杭区", "--evidence", self.paper("学籍证明.pdf"))
        if wang.code:
            raise DeadEnd(wang.said)
        wang.type("todo")
        wang.follow("jg transition file")
        wang.sees("the report has arrived", "服务器已收到")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition progress")
        clerk.sees("progress names the school and its day", r"东岗小学\s+6\s+6\s+2027年6月10日")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition phase --year %d assist" % self.year)
        clerk.follow("jgadmin transition phase --year %d confirm" % self.year)

    def paper(self, name):
        path = os.path.join(self.home, name)
        with open(path, "wb") as out:
            out.write(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
        return path

    def clock(self, day):
        """Time goes by: the rehearsal county's clock, which only its system administrator moves."""
        self.system.again("server", "status")
        now = re.search(r"时间 (?:(\d+)年)?(\d+)月(\d+)日", self.system.said)
        at = datetime.date(int(now.group(1) or datetime.date.today().year), int(now.group(2)), int(now.group(3)))
        days = (datetime.date.fromisoformat(day) - at).days
        self.system.type("server", "clock", "+%dd" % days)
        if self.system.code:
            raise DeadEnd(self.system.said)

    # ---- September ----

    def autumn(self):
        wang, zhao, qian, clerk = self.schools[PRIMARY], self.schools[JUNIOR], self.schools[OTHER], self.clerk
        self.clock("2027-09-01")
        wang.again("sync")
        wang.follow("jg todo")
        wang.follow("jg transition file")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition phase --year %d verify" % self.year)
        zhao.again("sync")
        zhao.follow("jg todo")
        zhao.follow("jg verify list")
        roster = self.file("七年级.xlsx", [["姓名", "身份证件类型", "身份证件号", "年级", "班级", "是否报到"]] +
                           [[name, "居民身份证", number(i * 2), "七年级", "1班", "是"] for name, i in (("学生甲", 0), ("学生乙", 1), ("学生丙", 2), ("学生叮", 3))])
        zhao.follow("jg import enrolled", [roster])
        zhao.follow("jg sync")
        zhao.follow("jg todo")
        zhao.follow("jg verify submit")
        qian.again("sync")
        qian.follow("jg todo")
        qian.follow("jg verify list")
        qian.type("verify", "answer", qian.row("学生己"), "absent")
        if qian.code:
            raise DeadEnd(qian.said)
        qian.type("verify", "list")
        qian.follow("jg verify submit")
        self.clock("2027-09-12")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition reconcile")
        clerk.sees("the sum is told", r"应升学人数 6 = 已确认 \d+ \+ 待核 \d+ \+ 除外 \d+ \+ 未落实 \d+")
        clerk.follow("jgadmin transition mismatches")
        clerk.sees("problems are told in words, schools by name", r"姓名不一致[\s\S]*东岗小学")
        cases.check("and no code stands on the screen", not re.search(r"\b[MABCD]\d{1,2}\b|OUTSIDE|null|\d{10}", clerk.said), clerk.said)
        one = clerk.row("姓名不一致")
        two = next(line.split()[0] for line in clerk.said.splitlines() if line.startswith(one + ".") and "新生名册" in line)
        listed, other = clerk.said, "1" if one != "1" else "2"
        clerk.type("transition", "same", "--year", str(self.year), other, two, "--reason", "x")
        cases.check("a row of another pupil is not taken for this one's", clerk.code == 2 and "%s 不是 %s 名下的条目" % (two, other) in clerk.said, clerk.said)
        clerk.said = listed
        clerk.follow("jgadmin transition same", [one, two, "改名，核对户口簿"])
        clerk.sees("what was decided is said", "是同一人，学生丁")
        clerk.follow("jgadmin transition reconcile")
        clerk.follow("jgadmin transition proof list")
        mine = clerk.row("东岗小学")
        clerk.follow("jgadmin transition proof show", [mine])
        clerk.sees("the case names who filed the evidence, and that nobody has looked", r"\.pdf[\s\S]*东岗小学[\s\S]*没有看过")
        accept = clerk.said
        clerk.type("transition", "proof", "show", "--year", str(self.year), mine, "--files", os.path.join(self.home, "材料"))
        clerk.sees("the evidence is fetched", r"材料/\S*")
        clerk.follow("jgadmin transition proof accept")
        clerk.follow("jgadmin transition reconcile")
        clerk.follow("jgadmin transition mismatches")
        clerk.sees("only the absent pupil is left", r"学校确认未报到")
        clerk.follow("jgadmin transition slips issue")
        slip = clerk.row("JB2027", 1)
        for desk in (wang,):
            desk.again("sync")
            desk.follow("jg todo")
            desk.follow("jg slips receive")
            desk.type("slips", "show", slip)
            desk.type("slips", "log", slip, "--method", "家访", "--note", "家长同意返校")
            if desk.code:
                raise DeadEnd(desk.said)
            desk.type("todo")
            desk.follow("jg slips answer", ["enrolled"])
            desk.again("sync")
        late = self.file("补报.xlsx", [["姓名", "身份证件类型", "身份证件号", "年级", "班级", "是否报到"], ["学生己", "居民身份证", number(10), "七年级", "1班", "是"]])
        qian.again("import", "enrolled", late)
        qian.told("jg sync")
        qian.again("sync")
        qian.follow("jg todo")
        qian.sees("an answer that the roster contradicts is work", r"答复却是未报到")
        qian.follow("jg verify list")
        qian.type("verify", "answer", qian.row("学生己"), "present")
        qian.sees("what was answered is said", r"学生己[\s\S]*jg sync")
        qian.again("sync")
        clerk.type("transition", "slips", "list", "--year", str(self.year))
        clerk.type("transition", "slips", "show", slip)
        clerk.sees("both answers are read before the decision", r"东岗小学[\s\S]*已入学")
        clerk.follow("jgadmin transition slips review")
        clerk.sees("the review says whose slip it was", slip + " 学生己")
        clerk.follow("jgadmin transition slips list")
        clerk.sees("and the slip is closed, because the pupil is there", slip + r".*已销号")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition reconcile")
        clerk.follow("jgadmin transition summary")
        clerk.sees("everybody is settled and the residual is 0", r"合计\s+6\s+\d\s+\d\s+\d\s+0\s+0")
        clerk.again("transition", "phase", "--year", str(self.year))
        clerk.follow("jgadmin transition phase --year %d closed" % self.year)
        clerk.follow("jgadmin transition summary", [os.path.join(self.home, "汇总.html")])
        page = open(os.path.join(self.home, "汇总.html"), encoding="utf-8").read()
        cases.check("the report speaks in words", "东岗小学" in page and not re.search(r">[MABCD]\d{1,2}<|OUTSIDE", page), page)

    # ---- the screen itself ----

    def screen(self):
        """Slips of the finger, interruptions, and errors: each says what happened, what is safe, and where to go."""
        desk, admin = self.schools[PRIMARY], self.clerk
        for words, meant in ((("slip", "list"), "jg slips list"), (("improt", "students", "x"), "jg import students"), (("status", "--jsn"), "--json"),
                             (("transition", "lsit"), "jg transition list")):
            desk.type(*words)
            cases.check("“%s” is asked about" % " ".join(words), desk.code == 2 and "是不是 %s？" % meant in desk.said, desk.said)
        self.operator.type("sreve")
        self.operator.sees("so is the operator", r"是不是 jgd serve？")
        desk.type("import", "students", answers=[("文件：", os.path.join(self.home, "没有这个文件.xlsx"))])
        cases.check("a missing operand is asked for", desk.code and "没有这个文件.xlsx" in desk.said, desk.said)
        desk.type("passwd", answers=[("原密码", desk.password), ("新密码", "Another-Long-9"), ("再输", "Another-Lone-9")])
        cases.check("a new password that was typed twice differently changes nothing", desk.code and "没有改动" in desk.said and "passwd" in desk.said, desk.said)
        desk.type("passwd", answers=[("原密码", "\x04")])
        cases.check("Ctrl-D ends it", desk.code and "新密码" not in desk.said and "没有输入密码" in desk.said, desk.said)
        for pager in ("/nonexistent", "false"):
            desk.type("help", "codes", "民族", pager=pager)
            cases.check("with a pager that fails (%s) the list is there" % pager, desk.code == 0 and "基诺" in desk.said, desk.said)
        for program in (desk, admin):
            program.type("help", "codes")
            program.sees("%s names the lists of codes" % program.program, "去向类别")
            program.type("help", "codes", "民族")
            program.sees("and prints one whole", r"壮[\s\S]*基诺")
        quiet = Desk(JG, self.home, "interrupted")
        quiet.interrupt("connect")
        cases.check("Ctrl-C says what stands", re.search("已中断。本机数据没有改动", quiet.said), quiet.said)

    def regrets(self):
        """What is many at once, or not taken back, is shown and asked for: a slip of the finger changes nothing."""
        wang = self.schools[PRIMARY]
        wang.type("undo", "1", answers=[("请输入“撤销”", "n")])
        cases.check("undoing an import says how many pupils and asks", wang.code == 3 and "新增 6 条" in wang.said and "没有改动" in wang.said, wang.said)
        self.system.again("users", "list")
        self.system.type("users", "disable", "qianlaoshi", answers=[("再输入一遍", "")])
        cases.check("an account is disabled only when its name was typed again", self.system.code == 3 and "没有改动" in self.system.said, self.system.said)
        self.system.type("transition", "phase", "--year", str(self.year))
        cases.check("who may not is told whose business it is", self.system.code == 3 and "基教科" in self.system.said, self.system.said)

    def third_lines(self):
        """Every advice of err.def and every third line that a wrong command gets names a command that there is, or a place."""
        table = open(os.path.join(ROOT, "common/err.def"), encoding="utf-8").read()
        commands = {}
        for desk in (self.schools[PRIMARY], self.clerk):
            desk.type("--help")
            commands[desk.program] = {line.strip().split(" ")[0] + (" " + line.strip().split(" ")[1] if len(line.strip().split(" ")) > 1 else "")
                                      for line in desk.said.splitlines() if re.match(r"  [a-z]", line)}
        self.operator.type("--help")
        commands["jgd"] = {line.split()[1] for line in self.operator.said.splitlines() if re.match(r"  jgd [a-z]", line)}
        first = {program: {c.split()[0] for c in names} for program, names in commands.items()}
        rows = re.findall(r'^X\((\w+),\s*\d+,\s*\w+,\s*\d,\s*N_\("[^"]*"\),\s*(?:N_\()?"([^"]*)"\)', table, re.M)
        with open(os.path.join(BUILD, "share/locale/en/LC_MESSAGES/jingguan.mo"), "rb") as file:
            english = gettext.GNUTranslations(file)
        cases.equal("every row of the table of errors is read", len(rows), len(re.findall(r"^X\(", table, re.M)))
        wrong = []
        for name, zh in rows[1:]:
            for program in ("jg", "jgadmin"):
                for text in (zh, english.gettext(zh)):
                    if not text:
                        wrong.append((name, "empty"))
                    for who, word, then in re.findall(r"\b(jgd|jg|jgadmin) ([a-z]+)(?: ([a-z]+))?", text.replace("%P", program)):
                        known = word in first[who]
                        groups = {c for c in commands[who] if c.split()[0] == word and len(c.split()) > 1 and c.split()[1].isalpha() and c.split()[1].islower()}
                        if known and groups and then and word not in commands[who]:
                            known = "%s %s" % (word, then) in groups
                        if not known:
                            wrong.append((name, who, word, then))
        cases.check("every advice names commands that there are", not wrong, wrong)
        generic = re.compile("上面|以上|请稍后|按提示|联系管理员$|^改正后再试$")
        bare = Desk(JG, self.home, "stranger"), Desk(JGADMIN, self.home, "stranger2")
        bad, ran = [], 0
        for desk in (self.schools[PRIMARY], self.clerk, *bare):
            for line in sorted(commands[desk.program]):
                for words in (line.split(), line.split() + ["--no-such-option"], line.split() + ["x"] * 5):
                    if words[0] in ("profiles", "help", "completion", "sync", "logout", "login", "connect", "passwd", "doctor") or "--help" in words:
                        continue
                    result = subprocess.run([desk.binary, "--profile", desk.home, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                                            env={**os.environ, "LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "", "HOME": desk.home})
                    if not result.returncode or not result.stderr.strip():
                        continue
                    ran += 1
                    lines = [x for x in result.stderr.splitlines() if x.strip()]
                    if len(lines) < 3 or generic.search(lines[-1]) or re.search(r"\b[A-Z]+_[A-Z]+\b|null", result.stderr):
                        bad.append((" ".join(words), lines))
        cases.check("%d wrong commands each get three lines, the third with a way on" % ran, ran > 60 and not bad, bad[:5])

    def trust(self, admins):
        of = {role: (code, user, password) for role, code, user, password in admins}
        auditor = self.desk(JGADMIN, "auditor")
        code = of["auditor"][0]
        auditor.type("connect", answers=[("连接码", code.split("@")[0] + "@" + self.address)])
        cases.check("a connect code of last November is refused with the way to a new one", auditor.code and "jgadmin devices invite" in auditor.said, auditor.said)
        self.system.again("devices", "invite", "--bureau")
        self.system.told("jgadmin connect --code")
        auditor.type("connect", answers=[("连接码", self.invitation(self.system).split("@")[0] + "@" + self.address)])
        cases.check("with it he is in", auditor.code == 0, auditor.said)
        self.system.again("devices", "list")
        lost = self.system.row("柳园初级中学")
        self.system.type(*self.system.told("jgadmin devices revoke")[:2], lost, answers=[("请输入“停用”", "no")])
        cases.check("a computer is revoked only when its name was seen and the word typed", self.system.code == 3 and "柳园初级中学 的电脑" in self.system.said and "没有改动" in self.system.said, self.system.said)
        self.system.type("devices", "revoke", lost, answers=[("请输入“停用”", "停用")])
        qian = self.schools[OTHER]
        qian.type("sync")
        cases.check("the lost computer is told", qian.code and "停用" in qian.said, qian.said)
        qian.type("students", "list")
        cases.check("and shows no pupil any more", qian.code and "学生" not in qian.said.replace("学生信息", ""), qian.said)

    def run(self):
        self.year = time.gmtime(time.time() + 8 * 3600).tm_year + 1
        admins = self.install()
        self.set_up(admins)
        self.spring()
        self.autumn()
        self.trust(admins)
        self.screen()
        self.regrets()
        self.third_lines()

    def end(self):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=60)


def main():
    home = own_directory("jghand.")
    year = Year(home)
    try:
        year.run()
    except DeadEnd as dead:
        cases.check("no dead end", False, str(dead))
    finally:
        year.end()
        shutil.rmtree(home, ignore_errors=True)
    cases.close()


main()
