"""A made-up county on paper: schools, rosters and tables as people have them, and the truth of what does not add up.

Everything is invented: area 329999, names from lists. The same seed makes the same county. `County.write` puts the files
on disk in several styles; `County.truth` maps a pupil's number to the codes (domain.md §2.6) that a reconciliation of
12 September must show, nothing more and nothing less."""
import csv
import os
import random

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
GIVEN = "子梓宇浩欣雨思涵俊杰佳怡晨曦博文诗琪家豪若曦嘉懿煜城明轩雅静天佑志远可馨一诺逸飞语桐泽洋书瑶沐阳锦程星辰"
RARE = ["𫗧", "㛃", "䶮", "𬍛"]
OUTSIDE_PLACES = ["江苏省南京市玄武区", "浙江省杭州市余杭区", "上海市松江区", "安徽省合肥市蜀山区"]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

# What is wrong with a pupil, how often in ten thousand, and what a reconciliation must say.
SCENARIOS = [
    ("m01", 60, {"M01"}), ("m05", 40, {"M05"}), ("m10", 80, {"M10"}), ("m11", 50, {"M11"}), ("m12", 60, {"M12"}), ("m13", 40, {"M13"}),
    ("m14", 40, {"M14"}), ("m15", 40, {"M15"}), ("m16", 40, {"M16"}), ("m20", 40, {"M20"}), ("m30", 50, {"M30"}), ("m40", 30, {"M40"}),
    ("m41", 30, {"M41"}), ("m42", 30, {"M42"}), ("m50", 50, {"M50"}), ("m51", 30, {"M51"}), ("m52", 30, {"M52"}), ("m54", 30, {"M54"}),
    ("b_proof", 150, None), ("b_accepted", 100, None), ("c_exempt", 40, None), ("a4", 0, None)]


def check_digit(body):
    return "10X98765432"[sum(int(a) * b for a, b in zip(body, WEIGHTS)) % 11]


class Pupil:
    def __init__(self, county, number, primary):
        r = county.random
        self.county = county
        while True:
            self.birth = "%04d%02d%02d" % (r.choice((county.year - 13, county.year - 12)), r.randint(1, 8), r.randint(1, 28))
            body = "329999" + self.birth + "%03d" % (number % 1000)
            self.id = body + check_digit(body)
            if self.id not in county.ids:
                break
        county.ids.add(self.id)
        self.gender = "男" if int(body[16]) % 2 else "女"
        self.name = county.new_name()
        self.primary, self.klass = primary, r.randint(1, 4)
        self.phone = "139%08d" % number
        self.scenario = "ok"
        self.dest = county.home[primary]
        self.category = "A1"

    def typo(self):
        """The number with one digit of the sequence mistyped, sex unchanged, its check digit right again; nobody has it."""
        for step in range(1, 10):
            body = self.id[:14] + str((int(self.id[14]) + step) % 10) + self.id[15:17]
            if body + check_digit(body) not in self.county.ids:
                return body + check_digit(body)
        raise ValueError("every neighbour of %s is taken" % self.id)


class County:
    def __init__(self, schools=12, pupils=300, year=2027, seed=1):
        self.random, self.year = random.Random(seed), year
        self.names, self.ids, self.pupils = set(), set(), []
        juniors = max(2, schools // 3)
        self.primaries = ["2132%06d" % (i + 1) for i in range(schools - juniors - 1)]
        self.juniors = ["3132%06d" % (i + 1) for i in range(juniors)]
        self.through = "3132%06d" % 900
        self.school_names = {code: "演练县第%d小学" % (i + 1) for i, code in enumerate(self.primaries)}
        self.school_names.update({code: "演练县第%d初级中学" % (i + 1) for i, code in enumerate(self.juniors)})
        self.school_names[self.through] = "演练县实验学校"
        self.sources = self.primaries + [self.through]
        self.home = {code: self.juniors[i % juniors] for i, code in enumerate(self.primaries)}
        self.home[self.through] = self.through
        self.area = {code: "329999%03d" % (100 + i) for i, code in enumerate(self.primaries + [self.through])}
        for n in range(pupils):
            self.pupils.append(Pupil(self, n, self.sources[n % len(self.sources)]))
        self.assign()
        self.truth = {p.id: codes for p in self.pupils for name, _, codes in SCENARIOS if name == p.scenario and codes}
        self.outsiders()

    def new_name(self):
        while True:
            r = self.random
            name = r.choice(SURNAMES) + r.choice(GIVEN) + r.choice(GIVEN)
            if r.random() < 0.02:
                name = r.choice(SURNAMES) + r.choice(RARE)
            elif r.random() < 0.02:
                name = "阿%s·买%s" % (r.choice(GIVEN), r.choice(GIVEN))
            elif r.random() < 0.1:
                name = r.choice(SURNAMES) + r.choice(GIVEN)
            if name not in self.names:
                self.names.add(name)
                return name
            self.names.discard("")

    def assign(self):
        """Each scenario at least once, more by its share; pupils of the nine-year school are promoted in it."""
        free = [p for p in self.pupils if p.primary != self.through]
        self.random.shuffle(free)
        for name, share, _ in SCENARIOS:
            for _ in range(max(1, share * len(self.pupils) // 10000) if share else 0):
                if free:
                    free.pop().scenario = name
        for p in self.pupils:
            if p.primary == self.through:
                p.category, p.scenario = "A4", "ok"
            p.category = {"m20": "B2", "m30": "B3", "m40": "C1", "m41": "A5", "m42": "C3", "m50": "D5", "m51": "D2", "m52": "D3", "m54": "D1",
                          "b_proof": "B2", "b_accepted": "B1", "c_exempt": "C2"}.get(p.scenario, p.category)

    def outsiders(self):
        """A declared child that is not of P (M02), a child on a roster that nobody declared (M21)."""
        self.stranger = Pupil(self, 998, self.primaries[0])
        self.newcomer = Pupil(self, 999, self.primaries[0])
        self.truth[self.stranger.id] = {"M02"}
        self.truth[self.newcomer.id] = {"M21"}

    def other_junior(self, code):
        return self.juniors[(self.juniors.index(code) + 1) % len(self.juniors)]

    # ---- tables ----

    def schools_table(self):
        rows = [["学校标识码", "学校名称", "办学类型", "举办者", "区划代码"]]
        for code in self.primaries:
            rows.append([code, self.school_names[code], "小学", "县级教育部门", self.area[code]])
        for code in self.juniors:
            rows.append([code, self.school_names[code], "311", "831", "329999"])
        return rows + [[self.through, self.school_names[self.through], "312", "831", self.area[self.through]]]

    def catchments_table(self):
        return [["学校标识码", "学段", "区划代码"]] + [[self.home[s], "初中", self.area[s]] for s in self.sources] + [[self.juniors[0], "初中", "329999"]]

    def students_table(self, school, style):
        mine = [p for p in self.pupils if p.primary == school]
        no, klass = (("身份证号", "班级") if style % 2 else ("证件号码", "班级"))
        rows = [["序号", "姓名", no, "性别", "出生日期", "民族", "年级", klass, "现住址区划代码", "家长姓名" if style % 3 else "监护人姓名", "监护人电话"]]
        for i, p in enumerate(mine):
            birth = {0: p.birth, 1: "%s-%s-%s" % (p.birth[:4], p.birth[4:6], p.birth[6:]), 2: "%s/%d/%d" % (p.birth[:4], int(p.birth[4:6]), int(p.birth[6:])),
                     3: "%s年%d月%d日" % (p.birth[:4], int(p.birth[4:6]), int(p.birth[6:]))}[(i + style) % 4]
            number = {0: p.id, 1: p.id.lower(), 2: p.id[:6] + " " + p.id[6:14] + " " + p.id[14:], 3: p.id.translate(str.maketrans("0123456789", "０１２３４５６７８９"))}[i % 4]
            name = p.name.replace("·", "•") if i % 2 else p.name
            rows.append([str(i + 1), name, number, p.gender, birth, "汉族", "六年级", "六（%d）班" % p.klass if style % 2 else "%d班" % p.klass,
                         self.area[school] + "001", "家长" + p.name[0], p.phone])
        return rows + [["", "合计", str(len(mine)), "", "", "", "", "", "", "", ""]]

    def destinations_table(self, school, june):
        """June: everybody undecided or declared; September: as it is."""
        rows = [["姓名", "证件号码", "班级", "去向类别", "拟升入学校", "去向地区", "家长确认", "监护人电话", "佐证材料"]]
        for p in self.pupils:
            if p.primary != school or p.scenario == "m01":
                continue
            number = p.typo() if p.scenario == "m05" else p.id
            category = p.category
            if june and category[0] == "D":
                category = "D5"
            place = self.random.choice(OUTSIDE_PLACES) if category[0] == "B" else ""
            files = "%s.pdf" % p.id[-6:] if p.scenario in ("b_proof", "b_accepted", "c_exempt") and not june else ""
            target = self.school_names[p.dest] if category[0] == "A" and category != "A4" else ""
            rows.append([p.name, number, str(p.klass), category, target, place, "是", p.phone, files])
        if school == self.primaries[0]:
            p = self.stranger
            rows.append([p.name, p.id, "1", "A1", self.school_names[p.dest], "", "是", p.phone, ""])
        return rows

    def roster_table(self, school):
        rows = [["姓名", "证件号码", "性别", "出生日期", "毕业小学", "监护人电话", "是否报到"]]
        for p in self.pupils:
            number, name, present = p.id, p.name, "是"
            at = [p.dest] if p.category[0] == "A" else []
            if p.scenario in ("m01", "m10", "m13"):
                at = []
            elif p.scenario == "m11":
                at = [self.other_junior(p.dest)]
            elif p.scenario == "m12":
                present = "否"
            elif p.scenario == "m14":
                name = p.name[0] + "改" + p.name[2:]
            elif p.scenario == "m15":
                number = p.typo()
            elif p.scenario == "m16":
                at = [p.dest, self.other_junior(p.dest)]
            elif p.scenario == "m20":
                at = [p.dest]
            if school in at:
                rows.append([name, number, p.gender, p.birth, self.school_names[p.primary], p.phone, present])
        if school == self.juniors[0]:
            p = self.newcomer
            rows.append([p.name, p.id, p.gender, p.birth, "外地小学", p.phone, "是"])
        return rows

    def write(self, directory):
        """All files; returns {("students", school): path, …}."""
        paths = {}
        os.makedirs(directory, exist_ok=True)
        for style, school in enumerate(self.sources):
            paths["students", school] = save(directory, "students-%s" % school, self.students_table(school, style), style, "六年级学生名册")
            paths["june", school] = save(directory, "june-%s" % school, self.destinations_table(school, True), style + 1, "升学去向信息表")
            paths["september", school] = save(directory, "september-%s" % school, self.destinations_table(school, False), style + 2, "升学去向信息表")
        for style, school in enumerate(self.juniors + [self.through]):
            paths["enrolled", school] = save(directory, "enrolled-%s" % school, self.roster_table(school), style, "初中新生名册")
        paths["schools"] = save(directory, "schools", self.schools_table(), 0, "学校名册")
        paths["catchments"] = save(directory, "catchments", self.catchments_table(), 1, "施教区")
        for p in self.pupils:
            if p.scenario in ("b_proof", "b_accepted", "c_exempt"):
                with open(os.path.join(directory, "%s.pdf" % p.id[-6:]), "wb") as out:
                    out.write(b"%PDF-1.4\n% " + p.id[-6:].encode() + b"\n" + bytes(self.random.randrange(256) for _ in range(4000)))
        return paths


def save(directory, name, rows, style, title):
    """Styles: .xlsx under a merged title, GB 18030 .csv, UTF-8 .csv with BOM, .xlsx with a hidden sheet before it."""
    if style % 2 == 0:
        return save_xlsx(os.path.join(directory, name + ".xlsx"), rows, title, style % 4 == 2)
    path = os.path.join(directory, name + ".csv")
    with open(path, "w", encoding="gb18030" if style % 4 == 1 else "utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        if style % 4 == 1:
            writer.writerow([title])
        writer.writerows(rows)
    return path


def save_xlsx(path, rows, title, hidden):
    import openpyxl
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名册"
    if hidden:
        old = book.create_sheet("旧表", 0)
        old.append(["姓名", "证件号码"])
        old.sheet_state = "hidden"
        book.active = 1
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(rows[0]))
    sheet.append(["填表单位：", "", "填表日期："])
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path
