#!/usr/bin/python3
"""What a school reads: names, classes, words and terms instead of codes; short numbers that the next command takes; what was done and how to
take it back; work in bulk. One county with a pure primary and a pure junior school, from May to the closed year."""
import json
import os
import re
import subprocess

import openpyxl

from county_files import check_digit
from harness import Cases, Server
from terminal import at_terminal
from transition_county import JUNIOR, PRIMARY, YEAR, County

# Codes, error names, machine times and school codes have no place on a screen that people read.
CODES = [r"M\d\d", r"\b[ABCD]\d\b", r"\bnull\b", r"\+08:00", r"\d{10}", r"[A-Z][A-Z_]{4,}"]
# name, class; sorted as the lists are: by class as a number, then by the sound of the name
PUPILS = [("安小雨", "1"), ("高浩然", "1"), ("张一诺", "1"), ("李明月", "2"), ("王子轩", "2"), ("白云飞", "10")]
SHUFFLED = [3, 5, 1, 0, 4, 2]


def number(n):
    body = "329999%s%03d" % ("20150314", 100 + n)
    return body + check_digit(body)


class Words:
    def __init__(self, server, cases):
        self.county, self.c = County(server), cases
        self.primary, self.junior = self.county.school[PRIMARY], self.county.school[JUNIOR]

    def says(self, title, person, *args, words=(), code=0, **more):
        """Runs for a person; the words stand in what he reads, in this order of nothing."""
        result = person.run(*args, **more)
        text = result.out + result.err
        self.c.check(title, result.code == code and all(w in text for w in words), repr(result))
        if code in (2, 3): # what happened, what is safe, what to do
            lines = result.err.splitlines()
            self.c.check(title + ": in three lines", len(lines) == 3 and all(lines), repr(result))
        return result

    def clean(self, person, *args, text=None):
        """No code on a screen."""
        if text is None:
            result = person.run(*args)
            text = result.out + result.err
            self.c.check("%s answers" % " ".join(args), result.code == 0 and text.strip(), repr(result))
        text = text.replace(person.profile, "").replace(person.user, "")
        found = {m for code in CODES for m in re.findall(code, text)}
        self.c.check("%s: no codes" % " ".join(args), not found, "%r in\n%s" % (found, text))
        return text

    def rows(self, person, *args):
        """The table on the screen, as lists of cells."""
        lines = person.run(*args).out.splitlines()
        return [re.split(r"\s{2,}", line.strip()) for line in lines if re.match(r"\d+\s", line)]

    # ---- the chapters ----

    def may(self):
        lines = "".join("%s,%s,六年级,%s,否\n" % (PUPILS[i][0], number(i), PUPILS[i][1]) for i in SHUFFLED)
        self.county.write("students.csv", "姓名,证件号码,年级,班级,是否随迁子女\n" + lines)
        self.primary.ok("import", "students", self.county.path("students.csv"))
        self.primary.ok("sync")
        self.county.edu.ok("transition", "open", "--year", YEAR)
        self.county.phase("prefill")
        self.county.move_to(6, 10)
        for person in (self.primary, self.junior):
            person.ok("sync")
        rows = self.rows(self.primary, "students", "list")
        self.c.equal("pupils by class and name, with the last four of their number", [r[:4] for r in rows],
                     [[str(i + 1), "六%s班" % p[1], p[0], number(i)[-4:]] for i, p in enumerate(PUPILS)])
        self.c.check("a number of the list names the pupil", "高浩然" in self.primary.run("students", "show", "2").out)
        self.says("a number out of range says how many there were", self.primary, "students", "show", "40", words=("6 行", "jg students list"), code=3)

    def slips_of_the_finger(self):
        """A word of a command that is nearly one, at any place of it."""
        for person, words, meant in ((self.primary, "vrify", "verify"), (self.primary, "slip", "slips"), (self.primary, "verfy answer 3 present", "verify answer"),
                                     (self.primary, "slips lsit", "slips list"), (self.county.edu, "mismatch --year 2027", "transition mismatches"),
                                     (self.county.edu, "transition prof", "transition proof"), (self.county.edu, "transition slips isue", "transition slips issue")):
            self.says("“%s” is asked about" % words, person, *words.split(), words=("是不是 %s %s？" % (os.path.basename(person.binary), meant),), code=2)
        for days in ("x", "999999999999", ""):
            self.says("“%s” is no number of days" % days, self.primary, "todo", "--due", days, words=("不是天数", "--due 7"), code=2)
        self.c.check("what is typed in words is asked for in words", "我的|对方|栏目=内容" in self.primary.run("conflicts", "resolve", "--help").out)
        self.says("what is near nothing is not", self.primary, "xyzzy", words=("jg --help",), code=2)
        self.says("a field is called by its word", self.county.edu, "transition", "mismatches", "--year", YEAR, "--school", "123", words=("“学校”的取值不在范围内", "10 位学校标识码"), code=2)

    def june(self):
        p = self.primary
        self.says("no list, no numbers", p, "transition", "set", "2", "--dest", "A1", "--school", "北中", words=("还没有列过", "jg transition list"), code=3)
        rows = self.rows(p, "transition", "list")
        self.c.equal("the table in the same order", [r[:4] for r in rows], [[str(i + 1), "六%s班" % q[1], q[0], number(i)[-4:]] for i, q in enumerate(PUPILS)])
        p.run("transition", "list", "--unset", "--json")
        self.says("what was done is said, and how to take it back", p, "transition", "set", "2", "--dest", "A1", "--school", JUNIOR,
                  words=("高浩然（六1班）→ A1 施教区公办 北中；撤销：jg undo ",))
        told = self.says("a place left out is said at once", p, "transition", "set", "5", "--dest", "外省", words=("王子轩（六2班）：", "--place"))
        p.ok("undo", re.search(r"jg undo (\d+)", told.out).group(1))
        p.run("transition", "list")
        self.says("elsewhere", p, "transition", "set", "5", "--dest", "外省", "--place", "上海市浦东新区", words=("王子轩（六2班）→ B3 外省 上海市浦东新区；",))
        for n in ("1", "3", "4"):
            p.ok("transition", "set", n, "--dest", "A1", "--school", JUNIOR)
        self.says("all permitted categories are named", p, "transition", "set", "6", "--dest", "Z9", words=("A1 施教区公办", "D5 未定"), code=2)
        silent = next(t for t in p.ok("todo") if t["what"] == "silent_classes")
        self.c.equal("the registrar is told whose class has not begun", silent["text"].split(" ")[0], "六10班")
        self.county.write("bad.csv", "姓名,证件号码,去向类别\n高浩然,%s,Z9\n" % number(1))
        self.says("also in a table, to the last one", p, "import", "destinations", self.county.path("bad.csv"), words=("第 2 行", "A1 施教区公办", "D5 未定"), code=5)
        self.says("counts", p, "transition", "list", words=("名册六年级 6 人，已填 5 人，未填 1 人",))
        self.says("a found pupil has a number too", p, "pupil", "find", "byf", words=("白云飞", "六10班", number(5)[-4:]))
        said = self.says("which the next command takes", p, "transition", "set", "1", "--dest", "D5", words=("白云飞（六10班）→ D5 未定；",))
        self.undecided = re.search(r"jg undo (\d+)", said.out).group(1)
        said = self.says("an edit of a pupil says what it changed", p, "students", "set", "1", "live_address=东街 2 号", words=("白云飞（六10班）：", "空→东街 2 号", "撤销：jg undo "))
        batch = re.search(r"jg undo (\d+)", said.out).group(1)
        self.says("and is taken back", p, "undo", batch, words=("白云飞",))
        self.says("the list of what was done names whom it was done to", p, "import", "list", words=("撤销  ", "修改  ", "白云飞（六10班）", "已撤销"))
        c = self.county
        c.write("录取.pdf", "录取通知")
        made = p.ok("transition", "set", number(5), "--dest", "A3", "--school", "北中", "--evidence", c.path("录取.pdf"))["edit"]
        self.says("a destination and its file are one pupil", p, "undo", made, words=("已撤销 2 条：白云飞（六10班），",))
        made = p.ok("import", "list")[0]["id"]
        self.says("what an undo deleted is entered again", p, "undo", made, words=("不能靠再撤销找回", "重新填一次：jg transition list"), code=3)
        self.says("twice is once", p, "undo", batch, words=("第 %s 批已经撤销过" % batch, "jg import list"), code=3)
        p.ok("sync")
        self.c.check("a pure junior school has nothing to declare", not [t for t in self.junior.ok("todo") if t["what"] in ("unset", "gaps", "file")], self.junior.ok("todo"))
        row = next(r for r in self.county.edu.ok("transition", "progress", "--year", YEAR) if r["code"] == PRIMARY)
        self.c.equal("the bureau counts the same", (row["baseline"], row["declared"]), (6, 6))

        c.write("early.csv", "姓名,末四位,核验结果\n高浩然,%s,在校\n" % number(1)[-4:])
        self.says("a list of answers before its time", self.junior, "import", "verify", c.path("early.csv"), words=("现在是预填阶段", "jg sync"), code=3)

    def frozen(self):
        """Who was frozen and is on no list of the school's any more is said by every list, and how to put it right."""
        p, ways = self.primary, ("白云飞（六10班）", "年级=六年级", "请县局基教科把他移出")
        p.ok("undo", self.undecided)
        p.ok("students", "set", number(5), "grade=15")
        self.says("the list says who has left it", p, "transition", "list", words=("另有 1 人原在应升学名单",) + ways)
        self.c.check("so does what is to be done", any(t["what"] == "left" and "白云飞（六10班）" in t["text"] and t["command"] == "jg transition missing" for t in p.ok("todo")), p.ok("todo"))
        refused = self.says("the bureau counts them, and the refusal says who tells of all", p, "transition", "file", words=("1 名学生材料不齐", "jg transition missing"), code=3)
        self.clean(p, "transition", "file", text=refused.err)
        told = self.says("which lists each with what is wrong", p, "transition", "missing", words=("白云飞", "未填去向", "名册上不是六年级", "年级=六年级", number(5)[-4:]))
        self.clean(p, "transition", "missing", text=told.out.replace("jgadmin transition baseline remove", ""))
        self.c.equal("for programs", [(g["student"]["cert_no"], g["gaps"], g["roster"]) for g in p.ok("transition", "missing")], [(number(5), ["category"], "grade")])
        p.ok("students", "set", number(5), "年级=六年级")
        p.ok("transition", "set", number(5), "--dest", "D5")
        self.c.check("put right, nobody is missing", "原在应升学名单" not in p.run("transition", "list").out and not [t for t in p.ok("todo") if t["what"] == "left"], p.run("transition", "list"))
        p.ok("sync")

    def forms(self):
        """否 stays 否 where a row was given, and the form keeps the order of the lists."""
        path = self.county.path("学生.xlsx")
        self.primary.ok("export", "students", "-o", path)
        sheet = list(openpyxl.load_workbook(path).active.values)
        self.c.equal("a no is a no", {row[sheet[0].index("是否随迁子女")] for row in sheet[1:]}, {"否"})
        path = self.county.path("去向.xlsx")
        self.primary.ok("export", "destinations", "-o", path)
        sheet = list(openpyxl.load_workbook(path).worksheets[0].values)
        confirmed = {row[sheet[0].index("姓名")]: row[sheet[0].index("家长确认")] or "" for row in sheet[1:]}
        book = openpyxl.load_workbook(path)
        first = book.worksheets[0]
        for row in first.iter_rows(min_row=2):
            for cell in row[[c.value for c in first[1]].index("去向类别"):]:
                cell.value = None
        book.save(self.county.path("空表.xlsx"))
        for what in ("destinations", "students", "verify", "slips"):
            kept = open(self.county.path("空表.xlsx"), "rb").read()
            self.says("a form that is there is not written over by %s" % what, self.primary, "export", what, "-o", self.county.path("空表.xlsx"), words=("空表.xlsx 已经有了", "--force"), code=3)
            code, screen = at_terminal(self.primary, "export", what, "-o", self.county.path("空表.xlsx"), say="\n")
            self.c.check("at a terminal it is asked", code == 3 and "还没有导入" in screen and open(self.county.path("空表.xlsx"), "rb").read() == kept, screen)
        self.primary.ok("export", "destinations", "-o", path, "--force")
        report = self.primary.ok("import", "destinations", self.county.path("空表.xlsx"))
        self.c.equal("an empty form counts the pupils who have declared nothing, not its lines", report["unfilled"], len(self.primary.ok("transition", "list", "--unset")))
        self.c.equal("家长确认 too", confirmed, {name: "否" for name, _ in PUPILS})

    def hanging(self):
        """A computer that made a pupil anew who was there: what hangs on him still says whose it is."""
        other = self.county.server.school(PRIMARY, name="third")
        self.county.write("重建.csv", "姓名,证件号码,年级,班级,监护人姓名,监护人电话\n高浩然,%s,六年级,2,高父,13800000001\n" % number(1))
        other.ok("import", "students", self.county.path("重建.csv"))
        other.run("sync")
        rows = [r for r in self.rows(other, "outbox", "list", "--all") if "学生" in r or "监护人" in r]
        self.c.check("each row of the outbox names its pupil", len(rows) == 2 and all(any(cell.startswith("高浩然") for cell in r) for r in rows), other.run("outbox", "list", "--all"))

    def conflict(self):
        """Two computers of the school, one pupil."""
        other = self.county.server.school(PRIMARY, name="second")
        other.ok("sync")
        for person, address in ((self.primary, "西街 1 号"), (other, "南街 9 号")):
            person.ok("students", "set", number(1), "live_address=" + address)
        lines = [json.loads(line)["progress"] for line in self.primary.run("sync", "--progress", "json").err.splitlines()]
        self.c.equal("the progress of a sync counts what this run sends", [(p["done"], p["total"]) for p in lines if p["what"] == "发送"], [(1, 1)])
        self.says("a conflict says where to go", other, "sync", words=("jg conflicts list",), code=5)
        row = self.rows(other, "conflicts", "list")[0]
        self.c.check("conflicts name the pupil", row[1:3] == ["高浩然（六1班）", number(1)[-4:]], row)
        shown = self.clean(other, "conflicts", "show", row[0])
        self.c.check("and both versions in words", all(w in shown for w in ("现住址", "我的 南街 9 号", "对方 西街 1 号", "jg conflicts resolve")), shown)
        for words in ("conflicts list", "outbox list", "outbox show " + row[0], "todo"):
            self.clean(other, *words.split())
        self.says("the decision is said", other, "conflicts", "resolve", row[0], "mine", words=("高浩然（六1班）", "用我的内容", "撤销：jg undo "))
        other.ok("sync")

    def september(self):
        c, j = self.county, self.junior
        c.phase("assist", "confirm", "verify")
        c.move_to(9, 6)
        j.ok("sync")
        self.primary.ok("sync")
        self.c.check("a pure primary school has nobody to verify", not [t for t in self.primary.ok("todo") if t["what"] in ("verify", "submit")], self.primary.ok("todo"))
        c.write("seventh.csv", "姓名,证件号码,是否报到\n高浩然,%s,是\n" % number(1))
        self.says("nor a roster of a seventh grade", self.primary, "import", "enrolled", c.path("seventh.csv"), words=("没有初中部", "jg import students"), code=3)
        self.says("and is told so", self.primary, "verify", "list", words=("没有初中部",))
        self.says("also when it submits", self.primary, "verify", "submit", words=("没有初中部",), code=3)
        rows = self.rows(j, "verify", "list")
        here = [PUPILS[i] for i in (0, 1, 2, 3)]
        self.c.equal("who declared the junior school, with school, class and last four", [r[:5] for r in rows],
                     [[str(n + 1), "东小", "六%s班" % p[1], p[0], number(PUPILS.index(p))[-4:]] for n, p in enumerate(here)])
        self.clean(j, "verify", "list")
        self.bulk()
        self.list_of_paper()

    def answers(self):
        return {r["student"]["name"]: r["answer"] for r in self.junior.ok("verify", "list")}

    def bulk(self):
        j = self.junior
        none = dict.fromkeys(self.answers())
        self.says("a dry run names the class", j, "verify", "answer", "--class", "1", "present", "--dry-run", words=("安小雨（六1班）→ 在校", "张一诺", "未保存", "3 人"))
        self.c.equal("and stores nothing", self.answers(), none)
        said = self.says("a class at once", j, "verify", "answer", "--class", "1", "present", words=("高浩然（六1班）→ 在校", "3 人", "撤销：jg undo "))
        self.c.equal("stored", [n for n, a in self.answers().items() if a == "present"], ["安小雨", "高浩然", "张一诺"])
        self.says("once more: nobody is left", j, "verify", "answer", "--class", "1", "absent", words=("没有还未答复的学生",))
        j.ok("undo", re.search(r"jg undo (\d+)", said.out).group(1))
        self.c.equal("taken back together", self.answers(), none)
        self.says("several by their numbers", j, "verify", "answer", "1", "4", "present", words=("安小雨", "李明月", "2 人"))
        self.says("no such number", j, "verify", "answer", "9", "present", words=("4 行",), code=3)
        self.says("an answer that there is not", j, "verify", "answer", "1", "here", words=("在校", "未报到", "查无此人"), code=2)

    def list_of_paper(self):
        """The verification list goes out, is filled by hand and comes back."""
        j, path = self.junior, self.county.path("核验名单.xlsx")
        j.ok("export", "verify", "-o", path)
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        head = [cell.value for cell in sheet[1]]
        column = head.index("核验结果") + 1
        self.c.equal("the list on paper", [[c.value for c in row][:5] for row in sheet.iter_rows(min_row=2)],
                     [[str(n + 1), PUPILS[n][0], "六%s班" % PUPILS[n][1], number(n)[-4:], "东小"] for n in range(4)])
        self.c.equal("with a drop-down", [v.formula1 != "" for v in sheet.data_validations.dataValidation], [True])
        self.c.check("and no number of a child", number(0) not in str(list(sheet.values)))
        self.c.equal("what was answered stands there", [sheet.cell(r, column).value or "" for r in range(2, 6)], ["在校", "", "", "在校"])
        sheet.cell(3, column).value, sheet.cell(4, column).value = "查无此人", "在这里"
        sheet.cell(4, head.index("说明") + 1).value = "张家问过"
        book.save(path)
        report = j.ok("import", "verify", path, code=5)
        self.c.equal("a bad answer is rejected by its row", ([(r["row"], r["field"]) for r in report["rejected"]], report["inserted"], report["unchanged"]), ([(4, "核验结果")], 1, 2))
        self.c.equal("the others are stored", self.answers()["高浩然"], "unknown")
        said = self.says("for people too", j, "import", "verify", path, words=("第 4 行", "可填：", "查无此人"), code=5)
        self.clean(j, "import verify", text=said.out.replace("present", ""))
        j.ok("import", "undo", report["import"])
        self.c.equal("taken back", self.answers()["高浩然"], None)
        sheet.cell(4, column).value, sheet.cell(2, head.index("证件号码末四位") + 1).value = None, "0000"
        book.save(path)
        report = j.ok("import", "verify", path, code=5)
        self.c.equal("somebody else is nobody; empty lines wait", ([r["row"] for r in report["rejected"]], report["unfilled"]), ([2], 1))
        self.c.check("and why", "末四位不是 0000" in report["rejected"][0]["message"], report)
        j.ok("sync")
        self.says("the submission is said", j, "verify", "submit", words=("2027 年核验提交已完成",))

    def slips(self):
        c, p, j = self.county, self.primary, self.junior
        c.move_to(9, 12)
        c.edu.ok("transition", "reconcile", "--year", YEAR)
        issued = c.edu.ok("transition", "slips", "--year", YEAR, "issue")
        self.c.check("slips to work with", len(issued) >= 4, issued)
        p.ok("sync")
        j.ok("sync")
        rows = self.rows(p, "slips", "list")
        self.c.equal("all of one term: by class and name", [r[2] for r in rows], [s["student"]["name"] for s in p.ok("slips", "list")])
        text = self.clean(p, "slips", "list")
        self.c.check("the problem, the term and the other school in words", all(w in text for w in ("外地就读缺证明", "9月15日 24:00 前", "北中", number(4)[-4:])), text)
        j.run("slips", "list")
        c.server.stop()
        self.says("without a line they wait here", j, "slips", "receive", "1", "2", words=("已保存在本机",), code=4)
        c.server.start()
        j.ok("sync")
        self.c.equal("and are received with the next one", [bool(a["received_at"]) for s in j.ok("slips", "list") for a in s["addressees"] if a["school"] == JUNIOR],
                     [True, True] + [False] * (len(rows) - 2))
        todo = p.run("todo").out
        self.c.check("the list of things to do by term, with pupil and command", all(w in todo for w in ("9月15日 24:00 前", "高浩然（六1班） 末四位 " + number(1)[-4:], "jg slips receive JB2027-")), todo)
        self.says("several are received at once", p, "slips", "receive", "1", "2", words=("已签收", rows[0][2], rows[1][2]))
        self.says("what was received stays so", p, "slips", "receive", "2", words=("已经签收过",))
        self.says("one that there is not", p, "slips", "receive", "99", words=("%d 行" % len(rows), "jg slips list"), code=3)
        self.says("which ones must be said", p, "slips", "receive", words=("--all",), code=2)
        said = p.ok("slips", "receive", "--all")
        self.c.equal("the rest at once", ({s["state"] for s in said}, len(said)), ({"accepted"}, len(rows) - 2))
        self.says("nothing left", p, "slips", "receive", "--all", words=("没有待签收的交办单",))
        self.says("an attempt is logged by number", p, "slips", "log", "1", "--method", "家访", "--note", "家长同意返校", "--next", "2027-09-14", words=(rows[0][2], "家访", "9月14日", "不能删改"))
        row = next(r["id"] for r in reversed(p.ok("outbox", "list", "--all")) if r["kind"] == "persuasion")
        self.says("which is not taken back, and the refusal is about that", p, "outbox", "withdraw", row, words=("劝返记录不能撤回", "再记一条"), code=3)
        row = next(r["id"] for r in p.ok("outbox", "list", "--all") if r["action"] == "delete")
        self.says("nor is a deletion", p, "outbox", "withdraw", row, words=("删除", "不能撤回"), code=3)
        self.says("no such outcome: all that there are", p, "slips", "answer", "1", "--outcome", "happy", words=("已入学", "拒绝入学"), code=2)
        self.c.check("the file", not c.write("证明.pdf", "在读证明"))
        self.says("and answered", p, "slips", "answer", "1", "--outcome", "persuading", "--note", "家长答应周一送来", "--evidence", c.path("证明.pdf"), words=(rows[0][2], "劝返中", "材料 1 份"))
        p.ok("sync")
        j.ok("sync")
        self.evidence(p, rows)
        p.ok("sync")
        shown = self.clean(p, "slips", "show", "1")
        self.c.check("a slip shows all of it", all(w in shown for w in (rows[0][2], rows[0][5], "劝返中", "家长答应周一送来", "家访", "家长同意返校", "证明.pdf", "东小", "北中", "还没有")), shown)
        self.clean(j, "slips", "show", j.ok("slips", "list")[0]["slip"])
        self.screens()
        self.paper(p)

    def evidence(self, p, slips):
        """A file attached by mistake: said when it is not what it is called, listed, and taken back."""
        c = self.county
        with open(c.path("扫描.pdf"), "wb") as out:
            out.write(b"\xff\xd8\xff\xe0 scan")
        c.write("空.pdf", "")
        self.says("an empty file proves nothing", p, "slips", "answer", "1", "--outcome", "persuading", "--evidence", c.path("空.pdf"), words=("空", "换一个有内容的文件"), code=2)
        said = self.says("an answer again says what stays; a picture called .pdf is told", p, "slips", "answer", "1", "--outcome", "persuading", "--note", "家长答应周一送来",
                         "--evidence", c.path("扫描.pdf"), words=("扫描.pdf 的内容其实是JPEG 图片", "此前附的 1 份材料仍在", "jg evidence list"))
        self.c.check("the true one is not", "证明.pdf" not in said.err, said)
        text = self.clean(p, "evidence", "list")
        row = next(r for r in self.rows(p, "evidence", "list") if "扫描.pdf" in r and "JB2027" in r[2])
        self.c.check("the files are listed: whose, with what", row[1].startswith(slips[0][2]) and "jg evidence withdraw" in text, text)
        self.says("and one is taken back", p, "evidence", "withdraw", row[0], words=(slips[0][2], "扫描.pdf", "jg sync"))
        self.c.check("it is gone, from the slip and from the destination that the answer attached it to as well", not [r for r in self.rows(p, "evidence", "list") if "扫描.pdf" in r], p.run("evidence", "list"))
        self.says("a number that was not listed", p, "evidence", "withdraw", "99", words=("jg evidence list",), code=3)

    def paper(self, person):
        path = self.county.path("交办单.pdf")
        person.ok("slips", "print", person.ok("slips", "list")[0]["slip"], "-o", path)
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True).stdout
        for n in range(len(PUPILS)):
            text = text.replace(number(n), "")
        self.clean(person, "slips print", text=text)
        with open(path, "w") as out:
            out.write("批注过")
        again = person.run("slips", "print", "1", "-o", path)
        self.c.check("a paper of that name is not written over", again.code == 3 and "已经有了" in again.err and open(path).read() == "批注过", again)
        person.ok("slips", "print", person.ok("slips", "list")[0]["slip"], "-o", path, "--force")
        self.c.check("but with --force", open(path, "rb").read(4) == b"%PDF", path)
        self.c.check("the paper has names and terms", all(w in text for w in ("东小", "北中", "24:00 前")), text)

    def closed(self):
        c = self.county
        batch = self.primary.ok("transition", "set", number(5), "--dest", "D1")["edit"]
        c.write("迟交.csv", "姓名,证件号码,去向类别\n高浩然,%s,D1\n" % number(1))
        table = self.primary.ok("import", "destinations", c.path("迟交.csv"))["import"]
        self.primary.ok("sync")
        c.phase("closed")
        self.primary.ok("sync")
        c.server.stop()
        self.c.equal("nobody answers", self.primary.run("sync").code, 4)
        text = self.clean(self.primary, "status")
        self.c.check("the status says so in words", "没有成功：" in text, text)
        self.says("a closed year is told at once, without the server", self.primary, "undo", batch, words=("2027 年的升学工作已经办结", "教育局"), code=3)
        code, screen = at_terminal(self.primary, "import", "undo", str(table), say="撤销\n")
        self.c.check("before anything is asked", code == 3 and "已经办结" in screen and "确认" not in screen, screen)
        n = next(o["id"] for o in reversed(self.primary.ok("outbox", "list")) if o["kind"] == "destination")
        self.says("for a single change", self.primary, "outbox", "revert", n, words=("2027 年的升学工作已经办结",), code=3)
        self.says("no such change", self.primary, "outbox", "show", "9999", words=("jg outbox list",), code=3)
        self.says("for a destination too", self.primary, "transition", "set", number(5), "--dest", "D1", words=("已经办结", "教育局"), code=3)

    def screens(self):
        if self.county.today.year == YEAR and self.county.today.month > 8:
            self.says("a rehearsal's clock is meant to differ", self.primary, "doctor", words=("演练县的时钟是拨过的", "不用校正"))
        for person in (self.primary, self.junior):
            for words in ("students list", "transition list", "transition list --unset", "verify list", "slips list", "todo", "outbox list --all", "conflicts list",
                          "import list", "evidence list", "status", "sync", "pupil find 高", "doctor", "profiles", "help fields"):
                self.clean(person, *words.split())
                self.c.check("%s in English" % words, person.run(*words.split(), "--lang", "en").code == 0)
        for words in ("students show 1", "outbox show 1"):
            self.clean(self.primary, *words.split())


def main():
    cases = Cases()
    with Server() as server:
        w = Words(server, cases)
        w.may()
        w.slips_of_the_finger()
        w.june()
        w.frozen()
        w.forms()
        w.screens()
        w.hanging()
        w.conflict()
        w.september()
        w.slips()
        w.closed()
    cases.close()


if __name__ == "__main__":
    main()
