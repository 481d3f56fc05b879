#!/usr/bin/python3
"""What is wrong with a typed document is found, each fault by itself and nothing in clean ones: files as WPS and Word write them are made
here, part by part. And files that were made to hurt are refused."""
import json
import os
import random
import subprocess
import sys
import zipfile
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from own_directory import own_directory  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("JG_BUILD", ROOT + "/build/dev")
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
passed = failed = 0
found_faults = set()


def check(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("not ok " + text)


def run(text, font="仿宋_GB2312", size=32):
    return '<w:r><w:rPr><w:rFonts w:ascii="Times New Roman" w:eastAsia="%s"/><w:sz w:val="%d"/></w:rPr><w:t xml:space="preserve">%s</w:t></w:r>' % (
        font, size, escape(text))


def paragraph(text, font="仿宋_GB2312", size=32, align=None, indent='<w:ind w:firstLineChars="200" w:firstLine="640"/>', line="570", rule="exact", runs=None):
    return '<w:p><w:pPr><w:spacing w:line="%s" w:lineRule="%s"/>%s%s</w:pPr>%s</w:p>' % (
        line, rule, indent, '<w:jc w:val="%s"/>' % align if align else "", runs or (run(text, font, size) if text else ""))


def flush(text, **more):
    return paragraph(text, indent="", **more)


def title(text, **more):
    return flush(text, **{"font": "方正小标宋简体", "size": 44, "align": "center", **more})


def right(text):
    return flush(text, align="right")


class Typed:
    """A clean 通知 with all that one may have; each test changes what it is about."""

    def __init__(self):
        self.above = [flush("000012"), flush("特急", font="黑体"), flush("演练县教育局文件", font="方正小标宋简体", size=100, align="center"),
                      flush("演教发〔2026〕12号", align="center")]
        self.title = [title("演练县教育局关于做好2026年秋季学期"), title("开学工作的通知")]
        self.to = [flush("各中心小学，各初级中学：")]
        self.body = [paragraph("为做好2026年秋季学期开学工作，根据《学校管理办法》（演政发〔2025〕8号），现将有关事项通知如下。"),
                     paragraph("一、总体要求", font="黑体"), paragraph("（一）加强领导。", runs=run("（一）加强领导。", "楷体_GB2312") + run("各校要高度重视。")),
                     paragraph("1. 校舍安全。登记率要达到98.5%，附表见http://a.example/b,c。"), paragraph("（1）查看楼梯。"), paragraph("（2）查看围墙。"), paragraph("2．食堂安全。"),
                     paragraph("（二）开展检查。", font="楷体_GB2312"), paragraph("二、有关要求", font="黑体"), paragraph("特此通知。")]
        self.list = [paragraph(""), paragraph("附件：1. 开学检查表"), paragraph("2. 值班安排（样式）")]
        self.end = [paragraph(""), right("演练县教育局"), right("2026年8月15日")]
        self.note = [paragraph("（此件公开发布）")]
        self.annexes = [flush("附件1", font="黑体"), title("开学检查表"), paragraph("每日检查一次。"), flush("附件2", font="黑体"), title("值班安排（样式）"), paragraph("轮流值班。")]
        self.foot = ["<w:tbl><w:tr><w:tc>%s</w:tc></w:tr><w:tr><w:tc>%s</w:tc></w:tr></w:tbl>" % (
            flush("抄送：县政府办公室。", size=28), flush("演练县教育局办公室\t2026年8月16日印发", size=28))]
        self.size, self.margins = (11906, 16838), (2098, 1474, 1984, 1588)
        self.grid = ""
        self.footer = "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText> PAGE  \\* MERGEFORMAT </w:instrText></w:r></w:p>"
        self.styles = ""
        self.namespace = W
        self.document = None
        self.extra = {}

    def save(self, path):
        parts = self.above + self.title + self.to + self.body + self.list + self.end + self.note + self.annexes + self.foot
        section = '<w:sectPr>%s<w:pgSz w:w="%d" w:h="%d"/><w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d"/>%s</w:sectPr>' % (
            '<w:footerReference w:type="default" r:id="rId7"/>' if self.footer else "", *self.size, *self.margins, self.grid)
        root = 'xmlns:w="%s" xmlns:r="%s"' % (self.namespace, R)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("[Content_Types].xml", "<Types/>")
            z.writestr("_rels/.rels", '<Relationships xmlns="%s"><Relationship Id="rId1" Type="%s/officeDocument" Target="word/document.xml"/></Relationships>' % (PACKAGE, R))
            z.writestr("word/_rels/document.xml.rels", '<Relationships xmlns="%s"><Relationship Id="rId1" Type="%s/styles" Target="styles.xml"/>'
                       '<Relationship Id="rId7" Type="%s/footer" Target="footer1.xml"/></Relationships>' % (PACKAGE, R, R))
            z.writestr("word/styles.xml", '<w:styles %s>%s</w:styles>' % (root, self.styles))
            z.writestr("word/document.xml", self.document or "<w:document %s><w:body>%s%s</w:body></w:document>" % (root, "".join(parts), section))
            if self.footer:
                z.writestr("word/footer1.xml", "<w:ftr %s>%s</w:ftr>" % (root, self.footer))
            for name, content in self.extra.items():
                z.writestr(name, content)
        return path


def faulty(typed, title_="演练县教育局关于追加经费的请示", genre="请示"):
    """The same as a 请示 or a 报告, to one organ and with whom to ask."""
    typed.title = [title(title_)]
    typed.to = [flush("演练县人民政府：")]
    typed.body[-1] = paragraph("妥否，请批示。" if genre == "请示" else "特此报告。")
    typed.note = [paragraph("（联系人：李明，联系电话：0000-80001234）")]
    return typed


def cases():
    """(name, the faults that it has, how it is made of a clean one)."""
    def change(**what):
        def make(t):
            for name, value in what.items():
                setattr(t, name, value(getattr(t, name)) if callable(value) else value)
        return make

    def body(i, new):
        return change(body=lambda old: old[:i] + [new] + old[i + 1:])

    def number(text):
        return change(above=lambda old: old[:3] + [flush(text, align="center")])

    yield "a clean 通知", [], change()
    yield "a clean 请示", [], faulty
    yield "a clean 报告", [], lambda t: faulty(t, "演练县教育局关于开学工作情况的报告", "报告")
    yield "a clean 通告", [], change(title=[title("演练县教育局关于小学招生范围的通告")], to=[])
    yield "a clean 函", [], change(above=lambda old: [flush("演练县教育局", font="方正小标宋简体", size=90, align="center"), flush("演教函〔2026〕7号", align="right")],
                                title=[title("演练县教育局关于核查学籍的函")])
    yield "a clean 纪要", [], change(above=lambda old: [flush("演练县教育局会议纪要", font="方正小标宋简体", size=90, align="center"), flush("〔2026〕7号", align="center")],
                                title=[title("2026年第5次局长办公会议纪要")], to=[], end=[], note=[], list=[], annexes=[])
    yield "to very many", [], change(to=[flush("，".join("演练县第%d中心小学" % i for i in range(100)) + "：")])
    yield "of the plainest", [], change(above=[], list=[], annexes=[], note=[], foot=[])
    yield "indented by blanks", [], body(0, flush("　　为做好开学工作，现通知如下。"))
    yield "of a grid", [], change(body=lambda old: [p.replace('<w:spacing w:line="570" w:lineRule="exact"/>', "") for p in old],
                                grid='<w:docGrid w:type="linesAndChars" w:linePitch="579"/>')
    yield "of styles", [], change(
        styles='<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:eastAsia="宋体"/><w:sz w:val="21"/></w:rPr></w:rPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:rPr><w:sz w:val="32"/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="b"><w:basedOn w:val="a"/><w:pPr><w:spacing w:line="560" w:lineRule="exact"/><w:ind w:firstLineChars="200"/></w:pPr>'
        '<w:rPr><w:rFonts w:eastAsia="FangSong"/></w:rPr></w:style>',
        body=['<w:p><w:pPr><w:pStyle w:val="b"/></w:pPr><w:r><w:t>各校要做好开学工作。</w:t></w:r></w:p>'])
    yield "of the strict kind", [], change(namespace=STRICT)
    yield "with what is not shown", [], body(0, '<w:p><w:pPr><w:spacing w:line="570" w:lineRule="exact"/><w:ind w:firstLineChars="200"/><w:pPrChange><w:pPr><w:ind w:firstLineChars="0"/>'
                                            '<w:jc w:val="right"/></w:pPr></w:pPrChange></w:pPr><w:del><w:r><w:delText>删去,的话</w:delText></w:r></w:del>' + run("各校要做好工作。") +
                                            '<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>文本框,里的话</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>')
    yield "without a title", ["F01"], change(title=[])
    yield "a title without 文种", ["F01"], change(title=[title("演练县教育局关于做好开学工作")])
    yield "a title of an unknown 文种", ["F02"], change(title=[title("演练县教育局关于开学工作的方案")])
    for i, text in enumerate(("演教发[2026]12号", "演教发（2026）12号", "演教发【2026】12号", "演教发(2026)12号")):
        yield "number in other brackets %d" % i, ["F03"], number(text)
    yield "number with 第", ["F04"], number("演教发〔2026〕第12号")
    yield "number with a leading zero", ["F04"], number("演教发〔2026〕012号")
    yield "marks in the title", ["F05"], change(title=[title("演练县教育局关于做好开学、放假工作的通知")])
    yield "a title in brackets of its own", [], change(title=[title("演练县教育局关于印发《招生办法（试行）》的通知")])
    yield "a title too small", ["F06"], change(title=[title("演练县教育局关于开学工作的通知", size=36)])
    yield "a title at the margin", ["F06"], change(title=[title("演练县教育局关于开学工作的通知", align="left")])
    yield "without addressees", ["F07"], change(to=[])
    yield "addressees without a colon", ["F07"], change(to=[flush("各中心小学，各初级中学")])
    yield "addressees with a narrow colon", ["F07"], change(to=[flush("各中心小学，各初级中学:")])
    yield "level one with a wrong mark", ["F08"], body(1, paragraph("一.总体要求", font="黑体"))
    yield "level two in narrow brackets", ["F08"], body(2, paragraph("(一)加强领导。", font="楷体_GB2312"))
    yield "level two with two marks", ["F08"], body(2, paragraph("（一）、加强领导。", font="楷体_GB2312"))
    yield "level three with 、", ["F08"], body(3, paragraph("1、校舍安全。"))
    yield "levels out of order", ["F08"], body(2, paragraph("（1）加强领导。"))
    yield "a number left out", ["F08"], body(8, paragraph("三、有关要求", font="黑体"))
    yield "text in 宋体", ["F09"], body(0, paragraph("为做好开学工作，通知如下。", font="宋体"))
    yield "text too small", ["F09"], body(0, paragraph("为做好开学工作，通知如下。", size=28))
    yield "text in the heading's font", ["F09"], body(9, paragraph("特此通知。", font="黑体"))
    yield "text without a font", ["F09"], body(0, paragraph("", runs="<w:r><w:rPr><w:sz w:val=\"32\"/></w:rPr><w:t>为做好工作，通知如下。</w:t></w:r>"))
    yield "no indent", ["F10"], body(9, flush("特此通知。"))
    yield "another indent", ["F10"], body(9, paragraph("特此通知。", indent='<w:ind w:firstLineChars="400"/>'))
    yield "one blank", ["F10"], body(9, flush("　特此通知。"))
    yield "no date", ["F11"], change(end=lambda old: old[:-1])
    yield "a date in Chinese numerals", ["F11"], change(end=lambda old: old[:-1] + [right("二〇二六年八月十五日")])
    yield "a date with zeros", ["F11"], change(end=lambda old: old[:-1] + [right("2026年08月15日")])
    yield "a date with points", ["F11"], change(end=lambda old: old[:-1] + [right("2026.8.15")])
    yield "no signature", ["F12"], change(end=lambda old: [old[-1]], list=[], annexes=[])
    yield "another organ's signature", ["F12"], change(end=lambda old: [old[0], right("演练县教育体育局"), old[2]])
    yield "an attachment with a mark", ["F13"], change(list=[paragraph("附件：1. 开学检查表；"), paragraph("2. 值班安排（样式）")])
    yield "an attachment that is another", ["F13"], change(list=[paragraph("附件：1. 开学情况表"), paragraph("2. 值班安排（样式）")])
    yield "attachments numbered wrongly", ["F13"], change(list=[paragraph("附件：1. 开学检查表"), paragraph("3. 值班安排（样式）")])
    yield "an attachment too many", ["F13"], change(annexes=lambda old: old + [flush("附件3", font="黑体"), title("名单"), paragraph("略。")])
    yield "attachments that are not listed", ["F13"], change(list=[])
    yield "请示 without a contact", ["F14"], lambda t: setattr(faulty(t), "note", [])
    yield "margins of Word's own", ["F15"], change(margins=(1440, 1800, 1440, 1800))
    yield "a margin a little off", ["F15"], change(margins=(2098, 1474, 1984, 1700))
    yield "Letter paper", ["F16"], change(size=(12240, 15840))
    yield "lines too close", ["F17"], body(9, paragraph("特此通知。", line="500"))
    yield "lines as they come", ["F17"], body(9, paragraph("特此通知。", line="360", rule="auto"))
    yield "no page number", ["F18"], change(footer="")
    yield "a footer without a number", ["F18"], change(footer="<w:p><w:r><w:t>PAGE</w:t></w:r></w:p>")
    yield "printed before its date", ["F19"], change(foot=lambda old: [old[0].replace("8月16日", "8月14日")])
    yield "a narrow comma", ["F20"], body(9, paragraph("特此通知,请执行。"))
    yield "a narrow bracket", ["F20"], body(9, paragraph("特此通知(略)。"))
    yield "请示 to two", ["F21"], lambda t: setattr(faulty(t), "to", [flush("演练县人民政府，市教育局：")])
    yield "报告 that asks", ["F22"], lambda t: (faulty(t, "演练县教育局关于开学工作的报告", "报告"), t.body.__setitem__(-1, paragraph("当否，请批示。")))
    yield "a mark of secrecy", ["F23"], change(above=lambda old: [old[0], flush("机密", font="黑体"), *old[2:]])
    yield "a star of secrecy", ["F23"], change(above=lambda old: [old[0], flush("秘密★1年", font="黑体"), *old[2:]])
    yield "a title that speaks of secrecy", [], change(title=[title("机密载体管理工作的通知")])
    yield "secrecy that is only spoken of", [], body(9, paragraph("严守国家秘密。"))
    yield "everything at once", ["F03", "F05", "F07", "F09", "F10", "F11", "F15", "F18", "F20"], change(
        above=lambda old: old[:3] + [flush("演教发[2026]12号")], title=[title("演练县教育局关于开学，放假的通知")], to=[flush("各中心小学:")],
        body=lambda old: [flush("特此通知,请执行。", font="宋体")], end=lambda old: old[:-1] + [right("二〇二六年八月十五日")], margins=(1440, 1800, 1440, 1800), footer="")


def answers(paths):
    done = subprocess.run([BUILD + "/tests/set_paper"], input="".join(json.dumps({"docx": p}) + "\n" for p in paths), capture_output=True, text=True, check=False)
    check(done.returncode == 0, "set_paper: %s" % done.stderr[-400:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def faults(directory):
    made = []
    for i, (name, wanted, make) in enumerate(cases()):
        typed = Typed()
        make(typed)
        made.append((name, wanted, typed.save("%s/%d.docx" % (directory, i))))
    for (name, wanted, _), answer in zip(made, answers([path for _, _, path in made])):
        got = sorted({f["fault"] for f in answer["faults"]})
        check(answer["err"] == "OK" and got == wanted, "%s: %s, not %s: %s" % (name, got, wanted, answer["faults"] or answer))
        check(all(f["mend"] for f in answer["faults"]), "%s: without advice" % name)
        if len(wanted) == 1 and got == wanted:
            found_faults.add(wanted[0])
    check(found_faults == {"F%02d" % n for n in range(1, 24)}, "found by themselves: %s" % sorted(found_faults))


def places(directory):
    """A fault is told with its paragraph, as one counts them in the program."""
    typed = Typed()
    typed.body[9] = flush("特此通知,请执行。")
    [answer] = answers([typed.save(directory + "/place.docx")])
    before = len(typed.above + typed.title + typed.to) + 10
    check([(f["fault"], f["paragraph"], f["text"]) for f in answer["faults"]] == [("F10", before, "特此通知,请执行。"), ("F20", before, "特此通知,请执行。")], "places: %s" % answer)


def hostile(directory):
    typed = Typed()
    good = open(typed.save(directory + "/good.docx"), "rb").read()
    bomb = Typed()
    bomb.document = '<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (W, " " * (80 << 20))
    entity = Typed()
    entity.document = '<!DOCTYPE d [<!ENTITY a "aaaa">]><w:document xmlns:w="%s"><w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>' % W
    deep = Typed()
    deep.document = '<w:document xmlns:w="%s"><w:body>%s%s</w:body></w:document>' % (W, "<w:p>" * 500, "</w:p>" * 500)
    many = Typed()
    many.document = '<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (W, "<w:p/>" * 30000)
    loop = Typed()
    loop.styles = '<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:basedOn w:val="b"/></w:style><w:style w:styleId="b"><w:basedOn w:val="a"/></w:style>'
    other = Typed()
    other.extra = {"word/media/%d.png" % i: "x" for i in range(6000)}
    files = [("a bomb", bomb, "FILE_LIMIT"), ("a DTD", entity, "FILE_LIMIT"), ("too deep", deep, "FILE_LIMIT"), ("too many paragraphs", many, "FILE_LIMIT"),
             ("a loop of styles", loop, "OK"), ("too many entries", other, "FILE_LIMIT")]
    paths = [t.save("%s/h%d.docx" % (directory, i)) for i, (_, t, _) in enumerate(files)]
    for (name, _, wanted), answer in zip(files, answers(paths)):
        check(answer["err"] == wanted and answer["hint" if wanted != "OK" else "err"], "%s: %s" % (name, answer))
    raw = {"empty": b"", "text": b"hello", "no zip": b"PK\x03\x04" + b"x" * 100, "a workbook": b""}
    for name, content in raw.items():
        with open("%s/%s.docx" % (directory, name), "wb") as f:
            f.write(content)
    with zipfile.ZipFile(directory + "/a workbook.docx", "w") as z:
        z.writestr("_rels/.rels", '<Relationships xmlns="%s"/>' % PACKAGE)
        z.writestr("xl/workbook.xml", "<workbook/>")
    for (name, _), answer in zip(raw.items(), answers(["%s/%s.docx" % (directory, name) for name in raw])):
        check(answer["err"] in ("FILE_FORMAT", "FILE_DAMAGED") and answer["hint"], "%s: %s" % (name, answer))
    [gone] = answers([directory + "/gone.docx"])
    check(gone["err"] == "FILE_IO", "gone: %s" % gone)
    r = random.Random(23)
    damaged = []
    for i in range(200):
        content = bytearray(good)
        for _ in range(r.choice([1, 3, 30])):
            content[r.randrange(len(content))] = r.randrange(256)
        damaged.append("%s/d%d.docx" % (directory, i))
        with open(damaged[-1], "wb") as f:
            f.write(content[:r.choice([len(content), r.randrange(len(content))])])
    typed = Typed()
    whole = zipfile.ZipFile(typed.save(directory + "/whole.docx"))
    texts = {name: whole.read(name) for name in whole.namelist()}
    for i in range(200):  # the XML itself, packed as it should be
        damaged.append("%s/x%d.docx" % (directory, i))
        with zipfile.ZipFile(damaged[-1], "w") as z:
            for name, content in texts.items():
                pieces = content.split(b"<")
                for _ in range(r.choice([0, 1, 4])):
                    at = r.randrange(len(pieces) + 1)
                    pieces[at:at + r.choice([0, 1, 2])] = [r.choice(pieces or [b""])] * r.choice([0, 1, 3])
                z.writestr(name, b"<".join(pieces))
    told = answers(damaged)
    check(len(told) == 400 and all(a["err"] in ("OK", "FILE_DAMAGED", "FILE_FORMAT", "FILE_LIMIT") for a in told), "damaged: %s" % {a["err"] for a in told})


def main():
    directory = own_directory("jg-format-check-")
    faults(directory)
    places(directory)
    hostile(directory)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
