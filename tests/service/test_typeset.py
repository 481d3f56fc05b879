#!/usr/bin/python3
"""Official documents are set as GB/T 9704-2012 has them: papers of every form and of many lengths are printed (set_paper.c) and measured
in the PDF itself, at the origins of the characters as `mutool trace` tells them. Every row of MEASURES is measured on some paper; one that
was measured nowhere fails."""
import collections
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from own_directory import own_directory  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("JG_BUILD", ROOT + "/build/dev")
MM = 25.4 / 72
C, P = 156 / 28, 225 / 22
EM16, EM14, EM22 = 16 * MM, 14 * MM, 22 * MM
LEFT, RIGHT, MIDDLE = 28, 184, 106
DOWN, UP, LETTER, MINUTES = range(4)
NO_BEGIN, NO_END = "、，。；：？！）》”’」", "（《“‘"
WORDS = "学校 校园 教师 学生 教育 安全 检查 工作 管理 义务 经费 隐患 通知 报告 请示 情况 专项 整治".split()
MEASURES = """page.size page.inside page.even corner.rows corner.font head.colour head.size head.top head.middle head.words number.size number.down
number.middle number.left signer.right signer.font rule.thick rule.sides rule.down title.size title.down title.pitch title.middle title.lines
to.down to.left to.colon body.down body.size body.pitch body.indent body.left body.full body.even body.mean body.last body.marks body.first_page
body.row1 body.28 level.hei level.kai level.song attached.down attached.left attached.numbers attached.mark sealed.down sealed.date sealed.right
sealed.middle sealed.edge plain.down plain.right plain.date plain.longer date.zeros signature.company note.down note.left annex.page annex.word
annex.title colophon.even colophon.last colophon.sides colophon.outer colophon.inner colophon.size colophon.left colophon.right colophon.words
colophon.under colophon.next folio.y folio.odd folio.even folio.blank folio.words letter.head letter.rules letter.foot letter.number letter.top
letter.title letter.folio letter.colophon minutes.head minutes.unsigned minutes.down minutes.font minutes.hanging minutes.rows
practice.across""".split()
passed = failed = 0
measured = collections.Counter()
paper = ""


def check(what, good, text=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    measured[what] += 1
    if not good:
        print("not ok %s %s: %s" % (paper, what, text))


def near(what, value, wanted, tolerance=.5):
    check(what, abs(value - wanted) <= tolerance + 1e-6, "%.2f, not %.2f ± %.2f" % (value, wanted, tolerance))


Glyph = collections.namedtuple("Glyph", "char x y size colour font advance")
Rule = collections.namedtuple("Rule", "left right y thick colour")


class Line(list):
    """The characters of one base line, from left to right."""
    text = property(lambda s: "".join(g.char for g in s))
    x = property(lambda s: s[0].x)
    y = property(lambda s: s[0].y)
    right = property(lambda s: s[-1].x + s[-1].advance)
    size = property(lambda s: s[0].size)
    middle = property(lambda s: (s.x + s.right) / 2)


class Page:
    def __init__(self, element):
        box = list(map(float, element.get("mediabox").split()))
        self.width, self.height = box[2] * MM, box[3] * MM
        self.glyphs, self.rules, self.turned = [], [], ""
        for fill in element.iter("fill_text"):
            colour = tuple(map(float, fill.get("color").split()))
            for span in fill.iter("span"):
                a, b, c, d = map(float, span.get("trm").split())
                for g in span.iter("g"):
                    if abs(b) + abs(c) > .01:
                        self.turned += g.get("unicode")
                    else:
                        self.glyphs.append(Glyph(g.get("unicode"), float(g.get("x")) * MM, float(g.get("y")) * MM, abs(d), colour,
                                                 span.get("font"), float(g.get("adv")) * a * MM))
        for stroke in element.iter("stroke_path"):
            ends = [(float(e.get("x")) * MM, float(e.get("y")) * MM) for e in stroke if e.tag in ("moveto", "lineto")]
            self.rules.append(Rule(min(x for x, _ in ends), max(x for x, _ in ends), ends[0][1], float(stroke.get("linewidth")) * MM,
                                   tuple(map(float, stroke.get("color").split()))))
        rows = collections.defaultdict(list)
        for g in self.glyphs:
            rows[round(g.y, 1)].append(g)
        self.lines = [Line(sorted(rows[y], key=lambda g: g.x)) for y in sorted(rows)]


def trace(path):
    """mutool ends with a second root when it warns; its warnings go elsewhere."""
    done = subprocess.run(["mutool", "trace", path], capture_output=True, text=True, check=True)
    return [Page(e) for e in xml.etree.ElementTree.fromstring(done.stdout).iter("page")]


def is_red(colour):
    return len(colour) == 3 and colour[0] >= .7 and colour[1] <= .3 and colour[2] <= .3


def is_han(char):
    return "\u4e00" <= char <= "\u9fff"


def day(date, behind=""):
    return "%d年%d月%d日%s" % (date // 10000, date // 100 % 100, date % 100, behind)


class Paper:
    """One printed document, measured against what it was asked to be."""

    def __init__(self, doc, pages):
        self.doc, self.pages, self.layout = doc, pages, doc["layout"]
        self.folio = {}
        self.colophon = {}
        self.lines = []  # (page, line) of the text: 16 and 22 pt, in reading order
        for n, page in enumerate(pages, 1):
            for line in page.lines:
                if line.size == 14 and line.y > 265:
                    self.folio[n] = line
                elif line.size == 14:
                    self.colophon.setdefault(n, []).append(line)
                elif not is_red(line[0].colour):
                    self.lines.append((n, line))
        self.at = 0

    def measure(self):
        self.page()
        self.head()
        self.number()
        self.title()
        self.main_text()
        self.behind()
        for i, text in enumerate(self.doc["texts"]):
            self.annex(i, text)
        check("page.inside", self.at == len(self.lines), "left over: %s" % [line.text for _, line in self.lines[self.at:]])
        self.foot()
        self.folios()

    def page(self):
        check("page.even", len(self.pages) % 2 == 0, len(self.pages))
        for n, page in enumerate(self.pages, 1):
            near("page.size", page.width, 210, .2)
            near("page.size", page.height, 297, .2)
            if self.doc.get("practice"):
                check("practice.across", re.sub(r"\s", "", page.turned) == "演练", page.turned)
            for line in page.lines:
                if line is self.folio.get(n) or (self.layout == LETTER and is_red(line[0].colour)):
                    continue
                top, bottom = line.y - .88 * line.size * MM, line.y + .12 * line.size * MM
                check("page.inside", line.x >= LEFT - .5 and line.right <= RIGHT + .5 and top >= 37 - .5 and bottom <= 262 + .5,
                      "%s at %.1f–%.1f, %.1f–%.1f" % (line.text, line.x, line.right, top, bottom))

    def head(self):
        page, doc = self.pages[0], self.doc
        red = [line for line in page.lines if is_red(line[0].colour)]
        check("head.colour", len(red) == 1, "%d red lines" % len(red))
        head = red[0]
        check("head.size", 30 <= head.size <= 62, head.size)
        words = doc["organ"] + {DOWN: "文件", UP: "文件", LETTER: "", MINUTES: "会议纪要"}[self.layout]
        check("minutes.head" if self.layout == MINUTES else "head.words", head.text == words, head.text)
        if self.layout == LETTER:
            near("letter.head", head.y - .85 * head.size * MM, 30, 1)
        else:
            near("head.top", head.y - .85 * head.size * MM, 72, 1)
        near("head.middle", head.middle, MIDDLE, 1)
        self.head_bottom = head.y + .12 * head.size * MM
        corner = [t for t in (doc["copy_number"], doc["urgency"]) if t]
        if self.layout == LETTER:
            return
        for i, text in enumerate(corner):
            _, line = self.next()
            near("corner.rows", line.y, 37 + i * P + 7.5)
            near("corner.rows", line.x, LEFT)
            check("corner.rows", line.text == text and line.size == 16, line.text)
            if text == doc["urgency"]:
                check("corner.font", "Sans" in line[0].font, line[0].font)

    def next(self):
        if self.at >= len(self.lines):
            raise AssertionError("%s ends early" % paper)
        self.at += 1
        return self.lines[self.at - 1]

    def number(self):
        doc, red = self.doc, sorted((r for r in self.pages[0].rules if is_red(r.colour)), key=lambda r: r.y)
        corner = [t for t in (doc["copy_number"], doc["urgency"]) if t] if self.layout == LETTER else []
        _, line = self.next()
        self.number_y = line.y
        if corner:
            check("corner.rows", line.text.startswith(corner[0]) and abs(line.x - LEFT) < .5, line.text)
            line = Line(line[len(corner[0]):])
        for i, text in enumerate(corner[1:], 1):
            _, more = self.next()
            check("corner.rows", more.text == text and abs(more.x - LEFT) < .5 and abs(more.y - line.y - i * P) < .5, more.text)
        check("number.size", all(g.size == 16 for g in line), line.size)
        if self.layout == UP:
            signer = Line(line[len(doc["number"]):])
            line = Line(line[:len(doc["number"])])
            check("signer.right", signer.text == "签发人：" + doc["signer"], signer.text)
            near("signer.right", signer.right, RIGHT - C, 1)
            check("signer.font", "Serif" in signer[-1].font, signer[-1].font)
            near("number.left", line.x, LEFT + C, 1)
        check("number.size", line.text == doc["number"], line.text)
        if self.layout in (DOWN, MINUTES):
            near("number.middle", line.middle, MIDDLE, 1)
        if self.layout != LETTER:
            near("number.down", line.y, self.head_bottom + 2 * P + 7.5, 1)
            check("rule.thick", len(red) == 1 and red[0].thick >= .35, red)
            near("rule.sides", red[0].left, LEFT)
            near("rule.sides", red[0].right, RIGHT)
            near("rule.down", red[0].y, line.y + .12 * EM16 + 4)
            self.rule_y = red[0].y
            return
        check("letter.rules", len(red) == 4 and red[0].thick > red[1].thick and red[2].thick < red[3].thick, red)
        for r in red:
            near("letter.rules", r.left, 20)
            near("letter.rules", r.right, 190)
        for r in red[:2]:
            near("letter.rules", r.y, self.head_bottom + 4, 1)
            near("letter.top", line.y - .88 * EM16 - r.y, 4.94, 1)
        for r in red[2:]:
            near("letter.foot", r.y, 277, .7)
        near("letter.number", line.right, RIGHT, 1)

    def title_lines(self, title, first, what, tolerance):
        lines = []
        while "".join(line.text for _, line in lines) != title:
            lines.append(self.next())
            check("title.size", lines[-1][1].size == 22, "%s: %s" % (lines[-1][1].size, lines[-1][1].text))
            if len(lines) > 10:
                break
        near(what, lines[0][1].y, first, tolerance)
        for (_, a), (_, b) in itertools.pairwise(lines) if hasattr(itertools, "pairwise") else zip(lines, lines[1:]):
            near("title.pitch", b.y - a.y, P)
        for _, line in lines:
            near("title.middle", line.middle, MIDDLE, 1)
        judge_title(title, [line.text for _, line in lines], self.doc["names"])
        return lines[-1][1].y

    def title(self):
        if self.layout == LETTER:
            self.y = self.title_lines(self.doc["title"], self.number_y + 29.2, "letter.title", 1.5)
        else:
            self.y = self.title_lines(self.doc["title"], self.rule_y + 2 * P + 8.1, "title.down", 1)

    def paragraph(self, text, first, rest, indent, left):
        """The lines of one paragraph, consumed."""
        lines = []
        while "".join(line.text for _, line in lines) != text.replace(" ", ""):
            lines.append(self.next())
            if len("".join(line.text for _, line in lines)) > len(text):
                check("body.size", False, "%s is not %s" % ([line.text for _, line in lines], text))
                raise AssertionError(text)
        for i, (page, line) in enumerate(lines):
            check("body.size", all(g.size == 16 for g in line), line.text)
            near(left if i else indent, line.x, rest if i else first)
            last = i + 1 == len(lines)
            if not last:
                check("body.full", LEFT + 26 * C - .5 <= line.right <= RIGHT + .5, "%.2f: %s" % (line.right, line.text))
            check("body.marks", line.text[0] not in NO_BEGIN and (last or line.text[-1] not in NO_END), line.text)
            steps = [b.x - a.x for a, b in zip(line, line[1:]) if is_han(a.char) and is_han(b.char)]
            if steps:
                mean = sum(steps) / len(steps)
                check("body.even", max(abs(s - mean) for s in steps) <= .15, "%s: %s" % (line.text, steps))
                if last:
                    near("body.last", mean, C, .04)
                else:
                    check("body.mean", C - .04 <= mean <= 6.02 + .04, "%.3f: %s" % (mean, line.text))
            next_ = "" if last else lines[i + 1][1].text
            if i and not last and all(is_han(g.char) for g in line) and is_han(next_[0]) and next_[1:2] not in NO_BEGIN:
                near("body.28", len(line), 28, 0)
        return lines

    def follow(self, lines, before, what):
        """Each line a row below the one before, or on row 1 of the next page. Returns the last."""
        for page, line in lines:
            if before[0] == page:
                near(what, line.y - before[1], P, .3)
            else:
                check("body.row1", page == before[0] + 1 and abs(line.y - 44.5) <= .5, "page %d, %.1f: %s" % (page, line.y, line.text))
            before = page, line.y
        return before

    def text(self, paragraphs, before):
        for text in paragraphs:
            lines = self.paragraph(text, LEFT + 2 * C, LEFT, "body.indent", "body.left")
            before = self.follow(lines, before, "body.pitch")
            font = lines[0][1][0].font
            if re.match("[一二三四五六七八九十]+、", text):
                check("level.hei", "Sans" in font, font)
            elif re.match("（[一二三四五六七八九十]+）", text):
                check("level.kai", "Serif" in font, font)
            else:
                check("level.song", "Serif" in font, font)
        return before

    def main_text(self):
        doc = self.doc
        before = 1, self.y + P - .6  # the text stands where the addressees would
        below = any(line.text.startswith("主送") for lines in self.colophon.values() for line in lines)
        if doc["to"] and not below:
            lines = self.paragraph("，".join(doc["to"]) + "：", LEFT, LEFT, "to.left", "to.left")
            near("to.down", lines[0][1].y, self.y + 2 * P - .6, 1)
            check("to.colon", lines[-1][1].text.endswith("："), lines[-1][1].text)
            before = self.follow(lines[1:], (1, lines[0][1].y), "body.pitch")
        first = self.lines[self.at]
        near("body.down", first[1].y, before[1] + P, .5)
        check("body.first_page", first[0] == 1, "page %d" % first[0])
        self.last = self.text(doc["body"], before)

    def step(self, rows, what, tolerance=.5):
        """The next line stands that many rows below, or on the next page's first."""
        page, line = self.next()
        if page == self.last[0]:
            near(what, line.y - self.last[1], rows * P, tolerance)
        else:
            check(what, page == self.last[0] + 1 and abs(line.y - 44.5) < .5, "page %d, %.1f" % (page, line.y))
        self.last = page, line.y
        return page, line

    def attached(self):
        names, one = self.doc["attachments"], len(self.doc["attachments"]) == 1
        starts = set()
        for i, name in enumerate(names):
            label = ("" if i else "附件：") + ("" if one else "%d." % (i + 1))
            page, line = self.step(1 if i else 2, "attached.down")
            check("attached.left", line.text.startswith(label + name[:1]), line.text)
            if not i:
                near("attached.left", line.x, LEFT + 2 * C)
            if not one:
                near("attached.numbers", line[0 if i else 3].x, LEFT + 5 * C)
            starts.add(round(line[len(label)].x, 1))
            got = line.text[len(label):]
            while got != name:
                page, line = self.step(1, "attached.down")
                starts.add(round(line.x, 1))
                got += line.text
            check("attached.mark", got[-1] not in NO_BEGIN or got == name, got)
        check("attached.numbers", len(starts) <= 1, starts)

    def behind(self):
        doc = self.doc
        self.attached()
        if self.layout == MINUTES:
            self.people()
        else:
            self.signature()
        note = doc["note"] or ("联系人：%s，联系电话：%s" % (doc["contact"], doc["phone"]) if doc["contact"] else "")
        if note:
            lines = self.paragraph("（%s）" % note, LEFT + 2 * C, LEFT, "note.left", "note.left")
            self.last = self.follow(lines, self.last, "note.down")

    def signature(self):
        doc = self.doc
        company = self.last[0]
        name_page, name = self.step(2 if doc["plain"] else 3, "plain.down" if doc["plain"] else "sealed.down")
        date_page, date = self.step(1, "sealed.date")
        check("signature.company", name_page == company and date_page == company, "text ends on %d" % company)
        check("date.zeros", date.text == day(doc["dated"]), date.text)
        check("sealed.date", name.text == doc["organ"], name.text)
        if not doc["plain"]:
            if name.right > RIGHT - 2 * C - 1.1:
                near("sealed.edge", name.right, RIGHT - 2 * C, 1)
            else:
                near("sealed.right", date.right, RIGHT - 4 * C, 1)
            near("sealed.middle", name.middle, date.middle, 1)
        elif date.right - date.x > name.right - name.x:
            near("plain.longer", date.right, RIGHT - 2 * C)
            near("plain.date", date.x, name.x + 2 * C)
        else:
            near("plain.right", name.right, RIGHT - 2 * C)
            near("plain.date", date.x, name.x + 2 * C)

    def people(self):
        rows = [(w, self.doc[k]) for w, k in (("出席：", "present"), ("请假：", "excused"), ("列席：", "observers")) if self.doc[k]]
        for i, (word, names) in enumerate(rows):
            _, line = self.step(1 if i else 2, "minutes.rows" if i else "minutes.down")
            check("minutes.font", line.text[:3] == word and "Sans" in line[0].font and "Serif" in line[3].font, line.text)
            start, got = line[3].x, line.text[3:]
            while got != "、".join(names):
                _, line = self.step(1, "minutes.rows")
                near("minutes.hanging", line.x, start)
                got += line.text
        check("minutes.unsigned", not any(line.text == self.doc["organ"] for _, line in self.lines), "signed")

    def annex(self, i, text):
        page, line = self.next()
        check("annex.page", page > self.last[0], "on page %d" % page)
        near("annex.word", line.y, 44.5)
        near("annex.word", line.x, LEFT)
        check("annex.word", line.text == ("附件" if len(self.doc["attachments"]) == 1 else "附件%d" % (i + 1)) and "Sans" in line[0].font, line.text)
        y = self.title_lines(text["title"], 37 + 2 * P + 8.1, "annex.title", .5)
        self.last = self.text(text["body"].split("\n"), (page, y + P - .6))

    def foot(self):
        doc, pages = self.doc, self.pages
        cc = "抄送：" + "，".join(doc["cc"]) + "。" if doc["cc"] else ""
        text_page, text_y = self.last
        if self.layout == LETTER:
            lines = self.colophon.get(len(pages), [])
            check("letter.colophon", list(self.colophon) == ([len(pages)] if cc else []) and "".join(line.text for line in lines) == cc,
                  [line.text for line in lines])
            check("letter.colophon", all(not page.rules for page in pages[1:]), "rules")
            return
        check("colophon.even", list(self.colophon) == [len(pages)], list(self.colophon))
        lines, rules = self.colophon[len(pages)], sorted((r for r in pages[-1].rules if not is_red(r.colour)), key=lambda r: r.y)
        below = "主送：" + "，".join(doc["to"]) + "。" if lines[0].text.startswith("主送") else ""
        check("colophon.words", "".join(line.text for line in lines) == below + cc + doc["printer"] + day(doc["printed"], "印发"),
              [line.text for line in lines])
        check("colophon.outer", len(rules) == (3 if cc or below else 2), rules)
        for r in rules:
            near("colophon.sides", r.left, LEFT)
            near("colophon.sides", r.right, RIGHT)
        near("colophon.last", rules[-1].y, 262)
        near("colophon.outer", rules[0].thick, .35, .08)
        near("colophon.outer", rules[-1].thick, .35, .08)
        for r in rules[1:-1]:
            near("colophon.inner", r.thick, .25, .08)
        for line in lines:
            check("colophon.size", all(g.size == 14 for g in line), line.text)
            check("colophon.size", rules[0].y < line.y - .8 * EM14 and line.y + .1 * EM14 < 262, line.text)
            check("colophon.right", line.right <= RIGHT - EM14 + 1, "%.1f" % line.right)
            if line.text.startswith(("抄送", "主送", doc["printer"])):
                near("colophon.left", line.x, LEFT + EM14, 1)
        near("colophon.right", lines[-1].right, RIGHT - EM14, 1)
        room = rules[0].y - (text_y + .12 * EM16)
        if len(pages) == text_page:
            check("colophon.under", room > 0, room)
        else:
            check("colophon.next", len(pages) == text_page + (1 if text_page % 2 else 2), "text ends on %d of %d" % (text_page, len(pages)))
            if text_page % 2 == 0:
                check("colophon.next", room < 3, "there was room of %.1f" % room)

    def folios(self):
        n, text_page = len(self.pages), self.last[0]
        blank = n > text_page + 1 or not self.colophon  # a blank page stands before the colophon, or only the last one's back
        wanted = set(range(1, (text_page if blank else n) + 1))
        if self.layout == LETTER:
            check("letter.folio", 1 not in self.folio, "page 1 has a number")
            wanted -= {1}
        check("folio.blank" if blank else "folio.words", set(self.folio) == wanted, "%s, not %s" % (sorted(self.folio), sorted(wanted)))
        for page, line in self.folio.items():
            check("folio.words", line.text == "—%d—" % page and all(g.size == 14 for g in line), line.text)
            near("folio.y", line.y, 270.7, 1)
            if page % 2:
                near("folio.odd", line.right, RIGHT - EM14, 1)
            else:
                near("folio.even", line.x, LEFT + EM14, 1)


def forbidden(title, names, words=True):
    """The places of a title where no line may end: before the character of that index."""
    bad = set()
    for word in ["关于"] + (WORDS if words else []) + names:
        for m in re.finditer("(?=%s)" % re.escape(word), title):
            bad |= set(range(m.start() + 1, m.start() + len(word)))
    for m in re.finditer("《.*?》", title):
        bad |= set(range(m.start() + 1, m.end()))
    for m in re.finditer(r"\d+[年月日号]?", title):
        bad |= set(range(m.start() + 1, m.end()))
    for i, c in enumerate(title):
        if c == "的" or c in NO_BEGIN:
            bad.add(i)
        if c in NO_END:
            bad.add(i + 1)
    m = re.search("的(通知|请示|函|报告|通报|批复|意见|决定)$", title)
    if m:
        bad.add(m.start() + 1)
        bad |= set(range(m.start() + 1, len(title)))
    return bad


def has_form(lengths):
    steps = [b - a for a, b in zip(lengths, lengths[1:])]
    if any(not 1 <= abs(s) <= 6 for s in steps):
        return False
    signs = [s > 0 for s in steps]
    return signs == sorted(signs, reverse=True)  # grows, then shrinks


def any_parting(title, bad, count, before=()):
    """Whether there is one of so many lines, by trying all of them."""
    at = sum(before)
    left = len(title) - at
    if count == 1:
        return left <= 19 and has_form([*before, left])
    return any(at + n not in bad and (not before or has_form([*before, n])) and any_parting(title, bad, count - 1, (*before, n))
               for n in range(1, min(19, left - count + 1) + 1) if left - n <= 19 * (count - 1))


def judge_title(title, lines, names):
    lengths = list(map(len, lines))
    check("title.lines", "".join(lines) == title and max(lengths) <= 19, lines)
    if len(title) <= 19:
        check("title.lines", len(lines) == 1, lines)
        return
    bad, fewest = forbidden(title, names), -(-len(title) // 19)
    possible = [n for n in (fewest, fewest + 1) if any_parting(title, bad, n)]
    if possible:
        ends = set(itertools.accumulate(lengths[:-1]))
        check("title.lines", len(lines) == possible[0] and has_form(lengths) and not ends & bad, "%s; %s lines are possible" % (lines, possible))
    for line in lines[1:]:
        check("title.lines", line[0] != "的" and line[0] not in NO_BEGIN, lines)


ORGAN = "演练县教育局"
OPENING = "为全面做好2026年秋季学期开学工作，确保开学平稳有序，根据《演练县义务教育学校管理办法》（演政发〔2025〕8号）要求，现将有关事项通知如下。"
SENTENCES = """各校要高度重视，坚持“健康第一、安全第一”的原则，认真落实上级部署，精心组织、周密安排，确保各项工作落到实处（详见附件）。
在8月25日前完成校舍、食堂、消防设施的全面检查，对发现的隐患逐一登记、限期整改，并于8月28日17:00前将整改情况报县教育局安全科（电话：0000-80000000，邮箱：safety@example.gov.cn）。
重点查看教学楼、宿舍楼、围墙、运动场地和用电线路；对不能立即整改的，要落实责任人、整改时限和防范措施。
要严格落实“双减”要求，坚决防止以任何名义组织考试、测验或者变相补课！对违反规定的学校和教师，依规依纪严肃处理。
各校校长是本单位开学工作第一责任人，要亲自部署、亲自检查、亲自督办；分管负责人要深入一线，及时掌握情况、解决问题。
（详见《中小学校开学安全检查清单》）“一校一策”“一生一案”工作要有记录、有台账、有结果：谁检查、谁签字、谁负责。
落实各级各类资助政策，确保家庭经济困难学生应助尽助不漏一人切实把党和政府的温暖及时足额送到每一名学生和家长手中。
全县共有小学45所、初中18所、在校学生68,432人，其中寄宿生12,305人，占17.98%；教职工5,126人。
登录http://www.example.gov.cn/jiaoyu/2026/kaixue/index.html下载表格，填写后加盖公章（一式3份）。""".split("\n")
HEADS = ["一、总体要求", "二、重点工作", "（一）加强组织领导。", "（二）开展专项检查。", "1. 校舍安全。", "（1）楼梯和栏杆。", "三、有关要求"]
TITLES = {
    DOWN: ["关于开学工作的通知", "演练县教育局关于进一步加强全县中小学校校园安全隐患排查整治专项工作的通知", "演练县教育局关于转发《国务院办公厅关于进一步减轻义务教育阶段学生作业负担和校外培训负担的意见》的通知",
           "演练县教育局关于2026年上半年中小学校食堂食品安全专项检查情况的通报", "演练县教育局关于印发《演练县义务教育学校招生入学工作实施办法（试行）》的通知", "关于表彰2025年度先进单位的决定",
           "演练县教育局关于成立全县教育系统防汛抗旱工作领导小组并进一步做好2026年汛期学校安全管理和应急值守各项工作的通知"],
    UP: ["演练县教育局关于追加2026年义务教育经费的请示", "关于2026年开学工作情况的报告", "演练县教育局关于报送2026年春季学期义务教育阶段家庭经济困难学生生活补助资金使用情况的报告"],
    LETTER: ["关于核查学籍信息的函", "演练县教育局关于商请协助核查随迁子女学籍信息的函", "演练县教育局关于征求《演练县中小学校校园安全管理实施细则（征求意见稿）》修改意见的函"],
    MINUTES: ["2026年第5次局长办公会议纪要", "演练县教育局2026年第5次局长办公会议纪要"]}


def document(layout, n, **more):
    doc = {"layout": layout, "organ": ORGAN, "number": "演教发〔2026〕%d号" % n, "signer": "张建国", "copy_number": "", "plain": False, "urgency": "",
           "dated": 20260815, "printed": 20260816, "printer": ORGAN + "办公室", "title": TITLES[layout][0], "to": ["各中心小学", "各初级中学", "局属各单位"],
           "cc": ["县政府办公室", "县委教育工委"], "attachments": [], "texts": [], "note": "", "contact": "", "phone": "", "body": [OPENING, "特此通知。"],
           "present": [], "excused": [], "observers": [], "names": [ORGAN]}
    doc.update({MINUTES: {"to": [], "present": ["张建国", "李明"]}, UP: {"to": ["演练县人民政府"], "cc": []}}.get(layout, {}))
    doc.update(more)
    for i, text in enumerate(doc["texts"]):  # every second one brings its title in its first line
        text["sent"] = {"title": "", "body": text["title"] + "\n" + text["body"]} if i % 2 else {}
    return doc


def body(random_, n):
    """n paragraphs, as they may come."""
    return [OPENING] + [random_.choice(HEADS) + random_.choice(["", random_.choice(SENTENCES)]) if random_.random() < .3 else
                        "".join(random_.sample(SENTENCES, random_.choice([1, 1, 2, 3]))) for _ in range(n)] + ["特此通知。"]


def named():
    """Each form and each turn of the standard by itself."""
    r = random.Random(9704)
    texts = [{"title": "开学安全检查清单", "body": "\n".join(SENTENCES[:2])},
             {"title": "演练县中小学校安全隐患排查整治专项行动工作台账及整改情况统计汇总表", "body": "\n".join(SENTENCES * 4)}]
    yield "通知 of one page", document(DOWN, 1, body=["请各校认真做好开学工作。"])
    yield "通知 of three pages", document(DOWN, 12, title=TITLES[DOWN][1], body=[OPENING] + HEADS[:2] + SENTENCES * 2, copy_number="000012", urgency="特急",
                                       attachments=[t["title"] for t in texts], texts=texts, note="此件公开发布")
    yield "one attachment", document(DOWN, 120, attachments=[texts[0]["title"]], texts=texts[:1], urgency="加急")
    yield "twelve attachments", document(DOWN, 121, attachments=["演练县第%d批次检查表（用于各中心小学、各初级中学和局属各单位的开学检查工作）" % i for i in range(1, 13)])
    yield "请示", document(UP, 3, contact="李明", phone="0000-80001234", body=["因学生人数增加，需追加义务教育经费120万元。", "妥否，请批示。"], title=TITLES[UP][0])
    yield "报告", document(UP, 4, title=TITLES[UP][1], body=body(r, 12), plain=True)
    yield "函", document(LETTER, 7, to=["邻县教育局"], title=TITLES[LETTER][1])
    yield "函 of three pages", document(LETTER, 8, to=["邻县教育局"], body=body(r, 14), urgency="特急", copy_number="000001")
    yield "函 without copies", document(LETTER, 9, to=["邻县教育局"], cc=[])
    yield "纪要", document(MINUTES, 5, present=["张建国", "李明", "王芳", "赵强", "孙丽"] * 5, excused=["周涛"], observers=["吴敏", "郑伟"], body=body(r, 4))
    yield "plain", document(DOWN, 13, plain=True)
    yield "plain, of a long name", document(DOWN, 13, plain=True, organ="演练县教育局招生考试委员会办公室")
    yield "of a very long name", document(DOWN, 14, organ="演练县教育局义务教育优质均衡发展创建工作领导小组办公室", plain=False)
    yield "of a short name", document(DOWN, 15, organ="教育局")
    yield "without addressees", document(DOWN, 16, to=[], title="演练县教育局关于2026年小学招生范围的通告")
    yield "rehearsal", document(DOWN, 17, practice=True)
    yield "to very many", document(DOWN, 18, to=["演练县第%d中心小学" % i for i in range(1, 60)], body=["请认真贯彻执行。"])
    yield "copies to many", document(DOWN, 19, cc=["县第%d单位办公室" % i for i in range(1, 24)])
    # Marks, numbers and words at every place of a line.
    yield "marks at the margin", document(DOWN, 20, body=["安" * n + "（《“测试”》），再看一遍，" + "全" * 30 + "。" for n in range(18, 33)])
    yield "many marks at the margin", document(DOWN, 20, body=["安" * n + "（“测试！”），（《“测试。”》）、再看一遍" + "全" * 30 + "。" for n in range(14, 33)])
    yield "numbers at the margin", document(DOWN, 20, body=["安" * n + "共1,234,567.89元，占98.5%（2026年）。" + "全" * 30 + "。" for n in range(14, 33)])
    yield "words at the margin", document(DOWN, 20, body=["安" * n + "用Microsoft Office或international标准——见“网址”……" + "全" * 30 + "。" for n in range(14, 33)])
    for n in range(1, 40, 2):  # the signature wanders over the page's end, and so does the colophon
        yield "of %d short paragraphs" % n, document(DOWN, 20 + n, body=["各校要落实责任。"] * n, plain=n % 4 == 1, note="此件公开发布" if n % 3 == 0 else "")


def varied(count):
    for seed in range(count):
        r = random.Random(seed)
        layout = r.choice([DOWN, DOWN, DOWN, UP, LETTER, MINUTES])
        texts = [{"title": r.choice(TITLES[DOWN]), "body": "\n".join(body(r, r.randrange(9)))} for _ in range(r.choice([0, 0, 0, 1, 2, 3]))]
        more = {"title": r.choice(TITLES[layout]), "body": body(r, r.randrange(0, 28)), "plain": r.random() < .3, "urgency": r.choice(["", "", "加急", "特急"]),
                "copy_number": r.choice(["", "000123"]), "texts": texts, "attachments": [t["title"] for t in texts], "dated": r.choice([20260901, 20261231, 20270510]),
                "note": r.choice(["", "此件公开发布"]), "practice": r.random() < .2, "organ": r.choice([ORGAN, ORGAN, "演练县教育体育局", "演练县人民政府教育督导室"])}
        if layout in (DOWN, LETTER):
            more["cc"] = ["县第%d中学" % i for i in range(r.choice([0, 1, 5, 20]))]
        if layout == MINUTES:
            more.update(present=["张建国", "李明", "王芳"] * r.randrange(1, 9), excused=["周涛"] * r.randrange(2), observers=["吴敏"] * r.randrange(3))
        yield "seed %d" % seed, document(layout, seed + 1, **more)


def sent(request):
    return dict(request, texts=[{**text, **text["sent"]} for text in request["texts"]]) if "texts" in request else request


def answers(requests):
    done = subprocess.run([BUILD + "/tests/set_paper"], input="".join(json.dumps(sent(r)) + "\n" for r in requests), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def papers(directory):
    global paper
    docs = list(named()) + list(varied(60))
    for i, (_, doc) in enumerate(docs):
        doc["path"] = "%s/%d.pdf" % (directory, i)
    for (name, doc), answer in zip(docs, answers([d for _, d in docs])):
        paper = name
        pages = trace(doc["path"])
        check("page.even", answer == {"err": "OK", "pages": len(pages)}, answer)
        try:
            Paper(doc, pages).measure()
        except AssertionError as e:
            check("page.inside", False, "stopped: %s" % e)
    fonts = subprocess.run(["pdffonts", docs[1][1]["path"]], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    check("page.size", fonts and all(line.split()[-5] == "yes" for line in fonts), "fonts are not embedded: %s" % fonts)


def titles():
    global paper
    paper = "titles"
    r = random.Random(1)
    parts = ["演练县教育局", "关于", "进一步", "加强", "2026年", "秋季学期", "中小学校", "校园", "安全", "隐患", "排查", "整治", "和", "教师", "队伍", "建设", "做好", "义务教育", "经费", "使用",
             "情况", "第12号", "“双减”", "工作", "《管理办法》", "学生", "营养", "改善", "计划", "实施", "演练县实验小学", "招生", "入学", "的", "的"]
    many = ["演练县教育局关于" + "".join(r.choice(parts) for _ in range(r.randrange(2, 16))) + "的" + r.choice(["通知", "报告", "请示", "函"]) for _ in range(300)]
    many = [t for t in many if len(t) <= 70] + list(itertools.chain(*TITLES.values()))
    names = [ORGAN, "演练县实验小学"]
    for title, lines in zip(many, answers([{"title": t, "names": names} for t in many])):
        judge_title(title, lines, names)


def refusals(directory):
    global paper
    paper = "refusals"
    long_title = document(DOWN, 1, title="关于" + "很" * 200 + "的通知", path=directory + "/long.pdf")
    copies = document(DOWN, 1, cc=["演练县第%d单位办公室" % i for i in range(200)], path=directory + "/copies.pdf")
    nowhere = document(DOWN, 1, path=directory + "/none/a.pdf")
    check("page.size", [a["err"] for a in answers([long_title, copies, nowhere])] == ["TOO_LARGE", "TOO_LARGE", "FILE_IO"], "refusals")
    schools = document(DOWN, 1, to=["演练县第%d中心小学" % i for i in range(200)], path=directory + "/schools.pdf")
    check("page.size", [a["err"] for a in answers([schools])] == ["OK"], "to more than a page holds")
    check("page.size", not os.path.exists(long_title["path"]) and not os.path.exists(copies["path"]), "a refused paper is there")


def again(directory):
    """The same document is the same file, whenever it is printed."""
    global paper
    paper = "again"
    made = []
    for name in "ab":
        doc = document(DOWN, 1, path="%s/%s.pdf" % (directory, name))
        check("page.even", answers([doc])[0]["err"] == "OK", "not printed")
        with open(doc["path"], "rb") as f:
            made.append(f.read())
        time.sleep(1.1 if name == "a" else 0)
    check("page.even", made[0] == made[1] and "2026".encode() in made[0], "two prints differ")


def main():
    if not shutil.which("mutool"):
        print("not ok: mutool is missing (script/bootstrap)\n0 passed, 1 failed")
        sys.exit(1)
    directory = own_directory("jg-typeset-")
    papers(directory)
    titles()
    refusals(directory)
    again(directory)
    for what in MEASURES:
        if not measured[what]:
            check(what, False, "was measured nowhere")
    unlisted = set(measured) - set(MEASURES)
    check("page.size", not unlisted, "not in MEASURES: %s" % sorted(unlisted))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
