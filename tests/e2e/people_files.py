"""Tables as people and their programs write them, for test_files.py: workbooks put together part by part, so that they can be
odd in just the way that some program makes them, and .csv of every spelling. Area 329999, nobody's numbers."""
import zipfile
from xml.sax.saxutils import escape, quoteattr

NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEAD = ["姓名", "证件号码", "年级", "班级"]
FAMILIES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
GIVEN = "甲乙丙丁戊己庚辛壬癸"


def number(n, birth="20150302"):
    """The n-th number of that day, its check digit right."""
    body = "329999%s%03d" % (birth, n)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11]


def name(n):
    return FAMILIES[n % 20] + GIVEN[n // 20 % 10]


def pupil(n, grade="六年级", class_no="1班"):
    return [name(n), number(n), grade, class_no]


def column(i):
    return (chr(64 + i // 26) if i >= 26 else "") + chr(65 + i % 26)


class Number(str):
    """A cell that is a number in the file."""


class Date(str):
    """A number that is shown as a date (cell format 1)."""


def cell(ref, value):
    if value is None or value == "":
        return ""
    if isinstance(value, Date):
        return "<c r='%s' s='1'><v>%s</v></c>" % (ref, value)
    if isinstance(value, Number):
        return "<c r='%s'><v>%s</v></c>" % (ref, value)
    return "<c r='%s' t='inlineStr'><is><t xml:space='preserve'>%s</t></is></c>" % (ref, escape(str(value)))


def page(rows, merges=(), cells=cell):
    body = "".join("<row r='%d'>%s</row>" % (r, "".join(cells("%s%d" % (column(c), r), v) for c, v in enumerate(row))) for r, row in enumerate(rows, 1))
    merged = "<mergeCells>%s</mergeCells>" % "".join("<mergeCell ref='%s'/>" % m for m in merges) if merges else ""
    return "<sheetData>%s</sheetData>%s" % (body, merged)


def workbook(path, pages, styles=None, target="worksheets/sheet%d.xml", stored="xl/worksheets/sheet%d.xml", more=()):
    """pages: (title, inside of <worksheet>) or (title, inside, state); target: how the relationships spell the parts."""
    pages = [(p + ("visible",))[:3] for p in pages]
    styles = styles or "<numFmts count='1'><numFmt numFmtId='176' formatCode='m&quot;月&quot;d&quot;日&quot;'/></numFmts><cellXfs count='2'><xf numFmtId='0'/><xf numFmtId='176'/></cellXfs>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")
        z.writestr("_rels/.rels", "<Relationships xmlns='%s'><Relationship Id='r1' Type='%s/officeDocument' Target='xl/workbook.xml'/></Relationships>" % (PACKAGE, REL))
        z.writestr("xl/workbook.xml", "<workbook xmlns='%s' xmlns:r='%s'><sheets>%s</sheets></workbook>" % (
            NS, REL, "".join("<sheet name=%s sheetId='%d' state='%s' r:id='r%d'/>" % (quoteattr(t), i, s, i) for i, (t, _, s) in enumerate(pages, 1))))
        z.writestr("xl/_rels/workbook.xml.rels", "<Relationships xmlns='%s'>%s<Relationship Id='rs' Type='%s/styles' Target='styles.xml'/></Relationships>" % (
            PACKAGE, "".join("<Relationship Id='r%d' Type='%s/worksheet' Target=%s/>" % (i, REL, quoteattr(target % i)) for i in range(1, len(pages) + 1)), REL))
        z.writestr("xl/styles.xml", "<styleSheet xmlns='%s'>%s</styleSheet>" % (NS, styles))
        for i, (_, inside, _) in enumerate(pages, 1):
            z.writestr(stored % i, "<?xml version='1.0' encoding='UTF-8'?><worksheet xmlns='%s'>%s</worksheet>" % (NS, inside))
        for extra in more:
            z.writestr(extra, b"x")
    return path


def csv(path, rows, separator=",", encoding="utf-8-sig", end="\r\n", before="", behind=b""):
    with open(path, "wb") as out:
        out.write((before + "".join(separator.join(row) + end for row in rows)).encode(encoding) + behind)
    return path


# ---- The national system's sheet: 62 columns, of which a few are filled

NATIONAL = ("学校标识码 姓名 性别 出生日期 出生地行政区划代码 籍贯 民族 国籍/地区 身份证件类型 港澳台侨外 健康状况 政治面貌 身份证件号 户口性质 户口所在地行政区划 "
            "班号 入学年月 入学方式 就读方式 现住址 通信地址 家庭地址 联系电话 邮政编码 是否独生子女 是否受过学前教育 是否留守儿童 是否需要申请资助 是否享受一补 是否孤儿 "
            "是否烈士或优抚子女 上下学距离 上下学方式 是否需要乘坐校车 曾用名 身份证件有效期 血型 特长 学籍辅号 班内学号 学生来源 电子信箱 主页地址 残疾类型 是否由政府购买学位 "
            "随班就读 成员1姓名 成员1关系 成员1关系说明 成员1现住址 成员1户口所在地行政区划 成员1联系电话 成员1是否监护人 成员1身份证件类型 成员1身份证件号 成员1民族 "
            "成员1工作单位 成员1职务 成员2姓名 成员2关系 成员2联系电话 是否进城务工人员随迁子女").split()


def national(school, pupils):
    """Rows of the national sheet; pupils: dictionaries of what is filled."""
    rows = [NATIONAL]
    for n, filled in enumerate(pupils):
        base = {"学校标识码": school, "姓名": name(n), "身份证件类型": "居民身份证", "身份证件号": number(n), "民族": "汉族", "班号": "202101",
                "户口所在地行政区划": "329999101000", "入学年月": "202109", "成员1姓名": "父" + name(n), "成员1联系电话": "1390000%04d" % n}
        rows.append([{**base, **filled}.get(c, "") for c in NATIONAL])
    return rows
