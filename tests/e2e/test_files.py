#!/usr/bin/python3
"""Files that people have: what spreadsheets, phones, exports and hands make of a roster is read, or refused with the row and
the menu step that mends it; and nothing that an import must not do by itself is done (identities, later corrections, the
year, the file that is read). Each case starts from the same empty store."""
import datetime
import json
import os
import shutil
import sqlite3
import subprocess

import openpyxl

from harness import JG, Cases, Program, Server
from people_files import HEAD, Date, Number, cell, csv, national, number, name, page, pupil, workbook

SCHOOL, JUNIOR, OTHER = "2132000001", "3132000011", "3132000012"
SIX = "16"


class Files:
    def __init__(self, server, person, cases):
        self.server, self.origin, self.c = server, person, cases
        self.dir = os.path.join(server.dir, "files")
        os.mkdir(self.dir)
        self.count = 0

    def path(self, word):
        self.count += 1
        folder = os.path.join(self.dir, str(self.count))
        os.mkdir(folder)
        return os.path.join(folder, word)

    def fresh(self):
        """A computer as it was after the first log-in."""
        self.count += 1
        profile = os.path.join(self.dir, "profile%d" % self.count)
        shutil.copytree(self.origin.profile, profile)
        return Program(JG, profile)

    def pupils(self, person):
        return sorted((s["name"], s["cert_no"], s["grade"], s["class_no"]) for s in person.ok("students", "list"))

    def reads(self, title, path, wanted, *options, code=0, rejected=(), warned=None, skipped=None, sheets=None):
        """wanted: [(name, number, grade, class)]; rejected: rows; warned: codes."""
        person = self.fresh()
        report = person.ok("import", "students", path, *options, code=code)
        self.c.equal(title, self.pupils(person), sorted(wanted))
        self.c.equal(title + ": the rejected rows", [r["row"] for r in report["rejected"]], list(rejected))
        if warned is not None:
            self.c.equal(title + ": warnings", sorted({w["code"] for w in report["warnings"]}), sorted(warned))
        if skipped is not None:
            self.c.equal(title + ": skipped", report["skipped"], skipped)
        if sheets is not None:
            self.c.equal(title + ": sheets", report["sheets"], sheets)
        return person, report

    def refuses(self, title, path, *words, code=6, options=()):
        """For people, on stderr: the words; nothing is stored, and that is what is said."""
        person = self.fresh()
        result = person.run("import", "students", path, *options)
        self.c.check(title, result.code == code and all(w in result.err for w in words), repr(result))
        self.c.equal(title + ": nothing is stored", self.pupils(person), [])
        self.c.check(title + ": and that is said", len(result.err.splitlines()) == 3 and "没有改动" in result.err.splitlines()[1], result.err)


def row(n, class_no="1", grade=SIX):
    return (name(n), number(n), grade, class_no)


def layouts(f):
    p = f.path("国网.xlsx")
    entry = "%d09" % (datetime.date.today().year - 5 - (datetime.date.today().month < 9))
    some = [{"是否留守儿童": w, "班号": "202103", "入学年月": entry} for w in ("非留守儿童", "单亲留守儿童", "双亲留守儿童", "否", "0-非留守儿童", "0", "2")]
    some[1]["是否进城务工人员随迁子女"] = "是"
    workbook(p, [("学生信息", page(national(SCHOOL, some)))])
    person, _ = f.reads("the national sheet: grade from the year of entry, class from 班号", p, [row(n, "3") for n in range(7)], warned=["GRADE_OF_ENTRY"])
    left = {s["cert_no"]: (s["left_behind"], s["migrant"]) for s in person.ok("students", "list")}
    f.c.equal("the national words for left-behind children", [left[number(n)] for n in range(7)],
              [(False, False), (True, True), (True, False), (False, False), (False, False), (False, False), (True, False)])

    p = workbook(f.path("标题.xlsx"), [("花名册", page(
        [["演练县第1小学2027届六年级学生花名册"], ["填报单位（盖章）：演练县第1小学", "", "", "", "", "填报时间：2026年5月20日"],
         ["序号", "班级", "学生信息", "", "", "家长信息", "", "备注"], ["", "", "姓名", "性别", "身份证号", "姓名", "联系电话", ""],
         [Number(1), "1班", name(0), "女", number(0), "赵父", "13900000001"], [Number(2), "", name(1), "男", number(1), "钱母", Number(13900000002)],
         ["序号", "", "姓名", "性别", "身份证号", "姓名", "联系电话", "备注"], [Number(3), "2班", name(2), "", number(2), "孙父", "0999-1234567"],
         ["合计", "", "3人"], ["班主任签字：", "", "", "", "校长签字：", "", "填表人：李"]],
        ["A1:H1", "C3:E3", "F3:G3", "A3:A4", "B3:B4", "H3:H4", "B5:B6"]))])
    person, _ = f.reads("groups over two rows of headings, the grade in the title, headings again, sums and signatures", p,
                        [row(0), row(1), row(2, "2")], skipped=3, warned=["GRADE_OF_TITLE"])
    shown = person.ok("students", "show", number(1))
    f.c.check("the family's name is the guardian's", "钱母" in json.dumps(shown, ensure_ascii=False), shown)
    rows = [["序号", "班级", "学生信息", "", "家长信息", "", "备注"], ["", "", "姓名", "身份证号", "姓名", "联系电话", ""], ["1", "六（1）班", name(0), number(0), "赵父", "13900000001", ""]]
    f.reads("the same without merged cells, as .csv", csv(f.path("两行.csv"), rows), [row(0)])
    p = csv(f.path("无年级.csv"), [["姓名", "证件号码", "班级"], [name(0), number(0), "1班"]])
    f.refuses("no grade anywhere is refused, with the option", p, "年级", "--grade")
    f.reads("--grade tells it", p, [row(0)], "--grade", "六年级")
    f.reads("line breaks in headings", csv(f.path("换行.csv"), [["姓  名", '"证件\n号码"', '"年\n级"', '"班\n级"', '"家庭\n住址"'], pupil(0) + ["a"]]), [row(0)])
    person = f.fresh()
    report = person.ok("import", "students", csv(f.path("控制符.csv"), [HEAD + ["\x1b]0;owned\x07\x1b[31m备\n注2".replace("\n", "")], pupil(0) + ["x"]]))
    f.c.check("a heading cannot steer the terminal", not any(ord(ch) < 32 for h in report["ignored_columns"] for ch in h), report["ignored_columns"])
    result = f.fresh().run("import", "students", csv(f.path("控制符.csv"), [HEAD + ["\x1b[31m备注2\u202e"], pupil(0) + ["x"]]))
    f.c.check("nor on the screen", "\x1b" not in result.out + result.err and "\u202e" not in result.out + result.err, repr(result))


def sheets(f):
    classes = [("六%d班" % k, page([HEAD] + [pupil(10 * k + i, class_no="%d班" % k) for i in range(3)])) for k in (1, 2, 3)]
    every = [row(10 * k + i, str(k)) for k in (1, 2, 3) for i in range(3)]
    f.reads("one sheet a class: all are read", workbook(f.path("各班.xlsx"), classes), every, sheets=3, warned=[])
    bare = [("六%d班" % k, page([HEAD[:2]] + [pupil(10 * k + i)[:2] for i in range(3)])) for k in (1, 2, 3)]
    f.reads("grade and class in the sheets' names alone", workbook(f.path("各班名.xlsx"), bare), every, sheets=3, warned=["GRADE_OF_TITLE"])
    guide = ("填表说明", page([["填表说明"], ["1.姓名与户口簿一致"], ["2.证件号码18位"]]))
    codes = ("字典", page([["民族", "性别", "年级"], ["汉族", "男", "六年级"]]))
    sums = ("导出摘要", page([["此文稿是从 Numbers 表格导出的。"], ["工作表名称", "表格名称"], ["工作表 1", "表格 1"]]))
    _, report = f.reads("instructions, sums and a dictionary first", workbook(f.path("说明.xlsx"), [guide, sums, codes, classes[0]]),
                        every[:3], sheets=1, warned=["SHEET_LEFT"])
    f.c.equal("each sheet that was not read is named", [w["sheet"] for w in report["warnings"]], ["导出摘要", "填表说明", "字典"])
    example = ("填写示例", page([HEAD, ["例：张三", number(90), "六年级", "1班"]]))
    f.reads("an example with the same columns is no pupil", workbook(f.path("示例.xlsx"), [example, classes[0]]), every[:3], sheets=1, warned=["SHEET_LEFT"])
    other = ("教师", page([["姓名", "证件号码", "年级", "班级", "性别"], [name(99), number(99), "六年级", "1班", "男"]]))
    hidden = ("去年", page([HEAD, pupil(98)]), "hidden")
    _, report = f.reads("other columns and hidden sheets are left, by name", workbook(f.path("混.xlsx"), [classes[0], other, hidden]), every[:3], sheets=1)
    f.c.equal("which", [(w["sheet"], "去年" in w["message"]) for w in report["warnings"]], [("教师", False), ("", True)])
    huge = ("区划", "<sheetData>%s</sheetData>" % "".join("<row r='%d'><c r='A%d'><v>%d</v></c></row>" % (i, i, i) for i in range(1, 100100)))
    _, report = f.reads("a dictionary over every limit beside the class", workbook(f.path("大.xlsx"), [huge, classes[0]]), every[:3], sheets=1, warned=["SHEET_LEFT"])
    f.c.equal("is named", [w["sheet"] for w in report["warnings"]], ["区划"])
    f.reads("--sheet reads what was left", p := workbook(f.path("混.xlsx"), [classes[0], other, hidden]), [row(98)], "--sheet", "去年")
    bad = workbook(f.path("坏.xlsx"), [classes[0], ("六2班", page([HEAD, pupil(20, class_no="2班"), ["坏行", "123", "六年级", "2班"]]))])
    person = f.fresh()
    errors = f.path("改正.xlsx")
    report = person.ok("import", "students", bad, "--errors", errors, code=5)
    f.c.equal("a rejected row says its sheet", [(r["sheet"], r["row"]) for r in report["rejected"]], [("六2班", 3)])
    result = person.run("import", "students", bad)
    f.c.check("for people too", "六2班" in result.out and "第 3 行" in result.out, result.out)
    f.c.equal("what goes to --errors is read again as it was", [(r["row"]) for r in person.ok("import", "students", errors, code=5)["rejected"]], [2])
    many = [("六%d班" % k, page([HEAD, pupil(k, class_no="%d班" % (k % 60 + 1))])) for k in range(1, 61)]
    parts = ["xl/printerSettings/printerSettings%d.bin" % k for k in range(1, 121)]
    f.reads("sixty sheets with their printer settings", workbook(f.path("六十.xlsx"), many, more=parts), [row(k, str(k % 60 + 1)) for k in range(1, 61)], sheets=60)
    return p


def workbooks(f):
    two = [pupil(0), pupil(1, class_no=Number(" 1 "))]
    f.reads("blanks around numbers", workbook(f.path("空白.xlsx"), [("s", page([HEAD] + two).replace("<v>", "\n  <v>\n   ").replace("</v>", "\n  </v>\n"))]), [row(0), row(1)])
    cells = page([HEAD, pupil(0)])
    mixed = "<sheetData>%s</sheetData>" % "".join(reversed([r + "</row>" for r in cells.split("<sheetData>")[1].split("</row>")[:-1]]))
    f.reads("rows out of order", workbook(f.path("行序.xlsx"), [("s", mixed)]), [row(0)])

    def backwards(ref, value):
        return cell(ref, value)
    turned = cells
    for part in cells.split("<row ")[1:]:
        inside = part.split(">", 1)[1].split("</row>")[0]
        pieces = [x + "</c>" for x in inside.split("</c>")[:-1]]
        turned = turned.replace(inside, "".join(reversed(pieces)))
    f.reads("cells out of order", workbook(f.path("列序.xlsx"), [("s", turned)]), [row(0)])
    for title, target, stored in (("a backslash", "worksheets\\sheet%d.xml", "xl/worksheets/sheet%d.xml"), ("an encoded target", "work%%20sheets/%%E8%%A1%%A8%d.xml", "xl/work sheets/表%d.xml"),
                                  ("an absolute target", "/xl/worksheets/sheet%d.xml", "xl/worksheets/sheet%d.xml"), ("dots in a target", "./a/../worksheets/sheet%d.xml", "xl\\worksheets\\sheet%d.xml")):
        f.reads(title, workbook(f.path("目标.xlsx"), [("s", page([HEAD, pupil(0)]))], target=target, stored=stored), [row(0)])
    styles = "<numFmts count='2'><numFmt numFmtId='14' formatCode='0'/><numFmt numFmtId='1' formatCode='yyyy\\-mm\\-dd'/></numFmts><cellXfs count='3'><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='1'/></cellXfs>"
    inside = page([HEAD + ["出生日期"], pupil(0, class_no=Date("3")) + [""], pupil(1)]).replace("</row></sheetData>", "<c r='E3' s='2'><v>42065</v></c></row></sheetData>")
    person, _ = f.reads("own formats under built-in numbers", workbook(f.path("格式.xlsx"), [("s", inside)], styles=styles), [row(0, "3"), row(1)])
    f.c.equal("and the date among them", [s["birth"] for s in person.ok("students", "list") if s["cert_no"] == number(1)], ["2015-03-02"])
    day = datetime.date(1899, 12, 30)
    dates = {"6-3": (datetime.date.today().year, 6, 3), "6-32": (1932, 6, 1), "6-12": (datetime.date.today().year, 6, 12), "2020-5": (2020, 5, 1)}
    rows = [pupil(i, class_no=Date((datetime.date(*d) - day).days)) for i, d in enumerate(dates.values())]
    f.reads("classes that became dates", workbook(f.path("日期.xlsx"), [("s", page([HEAD] + rows))]), [row(0, "3"), row(1, "32"), row(2, "12"), row(3, "5")], warned=["CLASS_DATE"])
    rows = [pupil(0, class_no=Date((datetime.date(2026, 5, 3) - day).days)), pupil(1, class_no=Number("6.1"))]
    f.reads("a date or fraction that cannot be read back is refused", workbook(f.path("看不出.xlsx"), [("s", page([HEAD] + rows))]), [], code=5, rejected=[2, 3])


def tables(f):
    head, data = HEAD + ["现住址", "监护人电话"], [pupil(0) + ["城厢街道1号，东", "13900000001"], pupil(1) + ["", ""]]
    wanted = [row(0), row(1)]
    for title, separator, encoding, before in (("semicolons", ";", "utf-8-sig", ""), ("tabs, GBK", "\t", "gbk", ""), ("bars", "|", "utf-8", ""), ("sep= line", ";", "utf-8-sig", "sep=;\r\n"),
                                               ("lone carriage returns", ",", "gb18030", "")):
        f.reads(title, csv(f.path("表.csv"), [head] + data, separator, encoding, "\r" if "carriage" in title else "\r\n", before), wanted)
    f.reads("full-width commas", csv(f.path("表.csv"), [HEAD] + [pupil(0), pupil(1)], "，"), wanted)
    f.reads("NUL padding and 0x1A at the end", csv(f.path("尾.csv"), [HEAD, pupil(0)], behind=b"\x1a" + b"\0" * 512), [row(0)])
    joined = f.path("合并.csv")
    csv(joined, [HEAD, pupil(0)], encoding="gbk", behind=b"\x1a")
    more = csv(f.path("二.csv"), [HEAD, pupil(1)])
    open(joined, "ab").write(open(more, "rb").read())
    f.reads("two files joined, of two encodings, a mark in the middle", joined, wanted, skipped=1)
    csv(joined, [HEAD, pupil(0)])
    first = open(joined, "rb").read().rstrip()  # without the end of its last line
    open(joined, "wb").write(first + open(more, "rb").read())
    f.reads("the same without a line end between them", joined, wanted, skipped=1)
    quoted = ['"=""%s"""' % name(0), '="%s"' % number(0), '"="六年级""', "1班", '"=""城厢, 1号"""', '="13900000001"']
    person, _ = f.reads("every spelling of =\"…\"", csv(f.path("公式.csv"), [head, quoted]), [row(0)])
    f.c.check("none of them stays", '="' not in json.dumps(person.ok("students", "show", number(0)), ensure_ascii=False))
    rows = [[*pupil(i), "城厢街道"] for i in range(60)]
    rows[37][4] = '"福苑"小区5号'
    twice = f.fresh().run("import", "students", csv(f.path("引号.csv"), [HEAD + ["现住址"]] + rows)).err
    f.c.check("a row is told once", twice.count("第 39 行") == 1, twice)
    f.refuses("a stray quote: its row", csv(f.path("引号.csv"), [HEAD + ["现住址"]] + rows), "第 39 行", "双引号")
    rows[37][4], rows[44][4] = '"福苑小区', '5号"'
    f.refuses("an open quote that pairs with a later one: its row", csv(f.path("引号.csv"), [HEAD + ["现住址"]] + rows), "第 39 行", "双引号")
    for encoding, title in (("utf-8", "half a character of UTF-8"), ("gbk", "half a character of GBK")):
        p = csv(f.path("半个.csv"), [HEAD] + [pupil(i) for i in range(40)], encoding=encoding)
        lines = open(p, "rb").read().split(b"\r\n")
        lines[20] = lines[20][1:]  # the first byte of a name
        open(p, "wb").write(b"\r\n".join(lines))
        f.refuses(title + ": its row", p, "第 21 行", "另存为")
    f.refuses("an old .xls", open_bytes(f.path("旧.xls"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "WPS", "文件→另存为")
    f.refuses("a PDF", open_bytes(f.path("扫描.pdf"), b"%PDF-1.4\n"), "PDF", "原表")
    f.refuses("UTF-16", open_bytes(f.path("文本.txt"), "姓名\t证件号码\n".encode("utf-16")), "记事本", "UTF-8")
    person = f.fresh()
    person.ok("import", "students", csv(f.path("a\x1b[31m\u202e红.csv"), [HEAD, pupil(0)]))
    shown = person.run("import", "list").out
    f.c.check("a file's name cannot steer the table that shows it", "红.csv" in shown and not set(shown) & set("\x1b\u202e\x07"), repr(shown))
    person = f.fresh()
    raw = os.path.join(os.path.dirname(f.path("x")).encode(), "名册六年级.csv".encode("gbk"))
    csv(raw, [HEAD, pupil(0)])
    command = [JG.encode(), b"--profile", person.profile.encode(), b"import"]
    out = subprocess.run(command + [b"students", raw, b"--json"], capture_output=True, env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "", "LANG": "C.UTF-8"}, check=False)
    listed = subprocess.run(command + [b"list", b"--json"], capture_output=True, env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "", "LANG": "C.UTF-8"}, check=False)
    f.c.check("a file name in GBK: JSON all the same", json.loads(out.stdout.decode())["inserted"] == 1 and "名册六年级.csv" in json.loads(listed.stdout.decode())[0]["file"], listed.stdout)
    gone = subprocess.run(command + [b"students", raw + b"x", b"--json"], capture_output=True, env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "", "LANG": "C.UTF-8"}, check=False)
    f.c.check("and in an error", "名册六年级" in json.loads(gone.stdout.decode())["error"]["message"], gone.stdout)


def open_bytes(path, data):
    with open(path, "wb") as out:
        out.write(data)
    return path


def texts(f):
    names = {"张?": True, "张□": True, "张\ufffd": True, "张\ue863": True, "李⺟": False, "⻢⼩明": False, "周　文": False, "买买提 · 江": False, "张三（转）": False}
    stored = ["张?", "张□", "张\ufffd", "张\ue863", "李母", "马小明", "周文", "买买提·江", "张三（转）"]
    person, report = f.reads("names as typed", csv(f.path("姓名.csv"), [HEAD] + [[n, number(i), "六年级", "1"] for i, n in enumerate(names)]),
                             [(n, number(i), SIX, "1") for i, n in enumerate(stored)], warned=["NAME_ODD"])
    f.c.equal("lost characters are warned of, by row", [w["row"] for w in report["warnings"]], [2 + i for i, odd in enumerate(names.values()) if odd])
    ten = next(n for n in range(1, 99) if number(n).endswith("X"))
    typed = ["%sⅩ", "%s×", "%sХ", "%sx", "%sｘ", "‪%sX‬", "%sX\u2800", "'%sX"]
    body = number(ten)[:17]
    for how in typed:
        f.reads("an X typed as %r" % how, csv(f.path("号码.csv"), [HEAD, [name(0), '"%s"' % (how % body), "六年级", "1"]]), [(name(0), number(ten), SIX, "1")])
    f.reads("numbers that spreadsheets spoilt, and what databases write for nothing", csv(f.path("坏号.csv"), [HEAD, [name(0), number(0) + ".0", "六年级", "1"],
            [name(1), "3.29999E+17", "六年级", "1"], ["null", number(2), "六年级", "1"], ["#N/A", number(3), "六年级", "1"]]), [], code=5, rejected=[2, 3, 4, 5])
    f.reads("a noncharacter is not stored", csv(f.path("非字符.csv"), [HEAD, ["张\ufffe", number(0), "六年级", "1"], pupil(1)]), [row(1)], code=5, rejected=[2])


def at_terminal(person, answer, *args):
    """What a person sees who types one answer."""
    master, slave = os.openpty()
    child = subprocess.Popen([JG, "--profile", person.profile, *args], stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                             env={**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": ""})
    os.close(slave)
    os.write(master, (answer + "\n").encode())
    seen = b""
    while True:
        try:
            seen += os.read(master, 4096)
        except OSError:  # the other end is closed
            break
    child.wait(timeout=30)
    os.close(master)
    return seen.decode(errors="replace")


def judged(f):
    """B3: who a pupil is, is changed by a person's word only; B8: the year is said, never guessed."""
    person = f.fresh()
    first = csv(f.path("一.csv"), [HEAD + ["现住址"], pupil(0) + ["东街"], pupil(1) + ["东街"]])
    person.ok("import", "students", first)
    f.c.equal("an identical repeat", person.ok("import", "students", first)["unchanged"], 2)
    f.c.equal("a new address goes through", person.ok("import", "students", csv(f.path("二.csv"), [HEAD + ["现住址"], pupil(0) + ["西街"], pupil(1) + ["东街"]]))["updated"], 1)
    result = person.run("import", "students", first)
    f.c.check("an older file that takes it back says so and changes nothing", result.code == 5 and "东街" in result.out and "更正" in result.out, repr(result))
    f.c.equal("nothing", [s["live_address"] for s in person.ok("students", "list") if s["cert_no"] == number(0)], ["西街"])
    phones = [csv(f.path("电话.csv"), [HEAD + ["监护人姓名", "监护人电话"], pupil(0) + ["赵父", "1390000000%d" % k]]) for k in (1, 2)]
    for path in phones:
        f.c.equal("a guardian's new number goes through", person.ok("import", "students", path)["updated"], 1)
    result = person.run("import", "students", phones[0])
    f.c.check("his old one does not, without a word", result.code == 5 and "13900000002→13900000001" in result.out, repr(result))
    other = csv(f.path("三.csv"), [HEAD, ["赵乙", number(0), "六年级", "2班"], pupil(1)])
    result = person.run("import", "students", other)
    f.c.check("another name and class: who, old and new", result.code == 5 and "赵甲→赵乙" in result.out and "1→2" in result.out and "--force" in result.out, repr(result))
    f.c.check("each once", result.out.count("赵甲→赵乙") == 1, result.out)
    f.c.equal("the list stands in the warnings too", [w["code"] for w in person.ok("import", "students", other, code=5)["warnings"]], ["IDENTITY"])
    f.c.equal("not applied", f.pupils(person), sorted([row(0), row(1)]))
    f.c.equal("--force applies it", person.ok("import", "students", other, "--force")["updated"], 1)
    spread = csv(f.path("四.csv"), [HEAD, ["赵　乙", number(0), "六年级", "2班"], pupil(1)])
    f.c.equal("a name spread over a column is the same name", person.ok("import", "students", spread)["unchanged"], 2)
    fifth = f.fresh()
    fifth.ok("import", "students", csv(f.path("五.csv"), [HEAD] + [pupil(i, "五年级") for i in range(3)]))
    up = csv(f.path("六.csv"), [HEAD] + [pupil(i) for i in range(3)])
    result = fifth.run("import", "students", up)
    f.c.check("a new school year: said, with what to do", result.code == 5 and "升一个年级" in result.out and "--force" in result.out, repr(result))
    f.c.equal("and done by --force", fifth.ok("import", "students", up, "--force")["updated"], 3)
    batch = fifth.ok("import", "students", csv(f.path("七.csv"), [HEAD + ["现住址"], pupil(0) + ["南街"]]))["import"]
    fifth.ok("import", "undo", batch)
    f.c.equal("what was undone may be imported again", fifth.ok("import", "students", csv(f.path("七.csv"), [HEAD + ["现住址"], pupil(0) + ["南街"]]))["updated"], 1)

    dest = ["姓名", "证件号码", "去向类别"]
    plain = csv(f.path("去向.csv"), [dest, [name(0), number(0), "D5"]])
    person = f.fresh()
    result = person.run("import", "destinations", plain)
    f.c.check("destinations of no known year are not stored anywhere", result.code == 3 and "--year" in result.err.splitlines()[2], repr(result))
    f.c.check("on a terminal it is asked", "归入 2027 年" in at_terminal(person, "2027", "import", "destinations", plain, "--dry-run"), "")
    f.c.equal("--year says it", person.ok("import", "destinations", plain, "--year", "2027")["year"], 2027)
    titled = csv(f.path("去向.csv"), [["2027年小学毕业生升学去向信息表", "", ""], dest, [name(1), number(1), "D5"]])
    f.c.equal("so does a title", person.ok("import", "destinations", titled)["year"], 2027)


def form(f):
    """`export destinations` is the form that teachers fill: every sixth-grader, drop-downs, codes and schools on a second sheet."""
    person, year = f.fresh(), datetime.date.today().year + (datetime.date.today().month >= 9)
    person.ok("import", "students", csv(f.path("名册.csv"), [HEAD + ["监护人姓名", "监护人电话"]] + [pupil(i, class_no="%d班" % (2 - i % 2)) + ["父" + name(i), "139%08d" % i] for i in range(4)]
                                        + [pupil(9, "五年级") + ["", ""]]))
    person.ok("import", "destinations", csv(f.path("一.csv"), [["姓名", "证件号码", "班级", "去向类别", "拟升入学校标识码", "拟升入学校"], [name(0), number(0), "2班", "A1", JUNIOR, "演练县第一初级中学"]]), "--year", year)
    path = f.path("去向表.xlsx")
    f.c.equal("every sixth-grader is in the form", person.ok("export", "destinations", "-o", path)["rows"], 4)
    book = openpyxl.load_workbook(path)
    f.c.equal("a second sheet", book.sheetnames[1:], ["代码和学校"])
    page, choices = book.worksheets
    head = [c.value for c in page[1]]
    at = {h: i + 1 for i, h in enumerate(head)}
    rows = {page.cell(r, at["证件号码"]).value: r for r in range(2, page.max_row + 1)}
    f.c.equal("sorted by class and name", [(page.cell(r, at["班级"]).value) for r in range(2, 6)], ["1", "1", "2", "2"])
    f.c.equal("filled in as far as it is known", page.cell(rows[number(1)], at["监护人姓名"]).value, "父" + name(1))
    lists = {v.sqref.ranges[0].min_col: v.formula1 for v in page.data_validations.dataValidation}
    f.c.equal("drop-downs for category, school and confirmation", sorted(lists), sorted(at[h] for h in ("去向类别", "拟升入学校", "家长确认")))
    words = {h: [c.value for c in column[1:] if c.value] for h, column in ((col[0].value, col) for col in choices.columns)}
    f.c.check("their values are codes and words", "A1 施教区公办" in words["去向类别"] and len(words["去向类别"]) == 21, words["去向类别"])
    f.c.equal("and the junior schools of the county", words["拟升入学校"], ["%s 演练县第一初级中学" % JUNIOR, "%s 演练县第二初级中学" % OTHER])
    report = person.ok("import", "destinations", path, "--year", year)
    f.c.equal("it reads back as it was", [report[k] for k in ("inserted", "updated", "unchanged", "unfilled")] + [report["rejected"], report["warnings"]], [0, 0, 1, 3, [], []])
    page.cell(rows[number(1)], at["去向类别"]).value = "A1 施教区公办"
    page.cell(rows[number(1)], at["拟升入学校"]).value = words["拟升入学校"][1]
    page.cell(rows[number(0)], at["拟升入学校"]).value = words["拟升入学校"][1]
    page.cell(rows[number(2)], at["去向类别"]).value = "B3 外省"
    page.cell(rows[number(2)], at["去向地区"]).value = "安徽省泗县"
    book.save(path)
    report = person.ok("import", "destinations", path, "--year", year)
    f.c.equal("what a teacher chose is taken", [report[k] for k in ("inserted", "updated", "unfilled")], [2, 1, 1])
    stored = {r["student"]["cert_no"]: (r["category"], r["dest_school"], r["place"]) for r in person.ok("transition", "list")}
    f.c.equal("code and name from one choice", {k: stored[k] for k in (number(0), number(1), number(2))},
              {number(0): ("A1", OTHER, None), number(1): ("A1", OTHER, None), number(2): ("B3", None, "安徽省泗县")})


def targets(f):
    """B5: where bad rows go is looked at before a good one is stored; the line about what is safe is true."""
    book = workbook(f.path("名册.xlsx"), [("s", page([HEAD] + [pupil(i) for i in range(20)] + [["坏行", "123", "六年级", "1班"]]))])
    before = open(book, "rb").read()
    folder = os.path.dirname(book)
    for how, link in (("symlink", os.symlink), ("hard link", os.link)):
        link(book, os.path.join(folder, how + ".xlsx"))
    os.mkdir(os.path.join(folder, "目录.xlsx"))
    os.symlink("/proc/nothing.xlsx.part", os.path.join(folder, "proc.xlsx.part"))
    full = os.path.join(folder, "满")
    os.mkdir(full)
    bad = {"the file itself": book, "another spelling": os.path.join(folder, ".", "..", os.path.basename(folder), "名册.xlsx"),
           "a symlink": folder + "/symlink.xlsx", "a hard link": folder + "/hard link.xlsx", "a name ending .xls": folder + "/e.xls", "no ending": folder + "/e",
           "a missing folder": folder + "/没有/e.xlsx", "a folder": folder + "/目录.xlsx", "a place that cannot be written": folder + "/proc.xlsx"}

    def state(person):
        return f.pupils(person), [b["id"] for b in person.ok("import", "list")]

    def safe_is_true(title, person, args, code):
        was = state(person)
        result = person.run(*args)
        lines, changed = result.err.splitlines(), state(person) != was
        f.c.check(title + ": fails", result.code == code and len(lines) == 3, repr(result))
        f.c.check(title + ": the safe line says what the store says", ("已经保存" in lines[1]) == changed and ("没有改动" in lines[1]) != changed, (changed, result.err))
        return changed
    for title, target in bad.items():
        changed = safe_is_true("--errors is " + title, f.fresh(), ("import", "students", book, "--errors", target), 2 if "xls" in title or title in ("the file itself", "another spelling", "a symlink", "a hard link", "no ending") else 1)
        f.c.check("--errors is %s: nothing was stored" % title, not changed)
    f.c.check("the file that was read is whole", open(book, "rb").read() == before)
    person, rows, mended = f.fresh(), folder + "/待改.xlsx", "改到一半".encode()
    person.ok("import", "students", book, "--errors", rows, code=5)
    with open(rows, "wb") as out:
        out.write(mended)
    result = person.run("import", "students", book, "--errors", rows)
    f.c.check("bad rows that are being mended are not written over", result.code == 3 and "已经有了" in result.err and open(rows, "rb").read() == mended, repr(result))
    f.c.check("a person is asked, and may say no", "没有写" in at_terminal(person, "否", "import", "students", book, "--errors", rows) and open(rows, "rb").read() == mended)
    said = at_terminal(person, "是", "import", "students", book, "--errors", rows)
    f.c.check("or yes", open(rows, "rb").read(2) == b"PK" and "读 21 行" in said, said)
    with open(rows, "wb") as out:
        out.write(mended)
    person.ok("import", "students", book, "--errors", rows, "--force", code=5)
    f.c.check("--force says so too", open(rows, "rb").read(2) == b"PK")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=4k", "tmpfs", full], check=True)
    try:
        with open(full + "/ballast", "wb") as out: # a file can be begun there, and no byte written
            out.write(bytes(4096))
        changed = safe_is_true("a disk that fills after the rows are stored", f.fresh(), ("import", "students", book, "--errors", full + "/e.csv"), 1)
    finally:
        subprocess.run(["umount", "-l", full], check=False)
    f.c.check("then it is said that they are stored", changed)
    missing = csv(f.path("缺.csv"), [["姓名", "年级", "班级"], [name(0), "六年级", "1"]])
    for title, args, code in (("no such file", ("import", "students", "/没有.csv"), 1), ("a missing column", ("import", "students", missing), 6), ("a bad row and all or nothing", ("import", "students", book, "--all-or-nothing"), 6),
                              ("no such sheet", ("import", "students", book, "--sheet", "没有"), 6), ("no such grade", ("import", "students", book, "--grade", "火星"), 2),
                              ("no such batch", ("import", "undo", "99"), 3), ("a dry run with a bad target", ("import", "students", book, "--dry-run", "--errors", folder + "/e.xls"), 2),
                              ("an unreadable year", ("import", "destinations", book, "--year", "12"), 2), ("an export to nowhere", ("export", "students", "-o", folder + "/没有/e.xlsx"), 1),
                              ("an export to another kind", ("export", "students", "-o", folder + "/e.doc"), 2), ("an export onto a full disk", ("export", "students", "-o", folder + "/full.csv"), 1)):
        if not os.path.islink(folder + "/full.csv.part"):
            os.symlink("/dev/full", folder + "/full.csv.part")  # what could not be written takes it away
        person = f.fresh()
        person.ok("import", "students", csv(f.path("先.csv"), [HEAD, pupil(50)]))
        f.c.check(title + ": nothing was stored", not safe_is_true(title, person, args, code))


def main():
    cases = Cases()
    with Server() as server:
        clerk = server.import_schools(SCHOOL)
        clerk.ok("schools", "import", csv(os.path.join(server.dir, "初中.csv"), [["学校标识码", "学校名称", "办学类型", "举办者"],
                 [JUNIOR, "演练县第一初级中学", "311", "831"], [OTHER, "演练县第二初级中学", "311", "831"]]))
        person = server.school(SCHOOL)
        person.ok("sync")
        f = Files(server, person, cases)
        for part in (layouts, sheets, workbooks, tables, texts, judged, form, targets):
            part(f)
    cases.close()


if __name__ == "__main__":
    main()
