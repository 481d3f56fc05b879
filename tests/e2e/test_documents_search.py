#!/usr/bin/python3
"""Papers are found by the characters of title, number and body, whatever their width: 60 papers, 40 searches of one to six characters, each
compared with a reading of every text in Python. And only by who may read them, by the text that stands."""
import random
import sys
import unicodedata

import wire_client as w
from harness import Cases
from wire_county import WireCounty

pb = w.pb
LETTERS = "安全检查校园食品卫生。，ＡＢab１２㎡Ⅷ𠀀𪚥𫗧ｶﾞ①"
DRAFT = "标题：%s\n文种：%s\n公开：主动公开\n主送：县公安局\n%s---\n%s\n"


def form(text):
    return "".join(c.lower() for c in unicodedata.normalize("NFKC", text) if not c.isspace())


class Papers:
    def __init__(self, county, cases):
        self.county, self.cases, self.texts = county, cases, {}  # id: [number, title, body]
        self.office, self.leader, self.edu = (county.people[n].open() for n in ("office", "leader", "edu"))

    def ask(self, wire, event, **fields):
        return wire.signed("Documents.Ask", event=event, **fields)

    def register(self, title, **more):
        reply = self.ask(self.office, "register", title=title, **{"from": "市教育局"}, **more)
        self.texts[reply.id] = [reply.number, title, more.get("matter", "")]

    def draft(self, title, body, more="", genre="通知"):
        reply = self.ask(self.edu, "draft", leader=self.county.people["leader"].user, file=(DRAFT % (title, genre, more, body)).encode())
        self.texts[reply.id] = ["", title, body]
        return reply.id

    def wanted(self, query):
        terms = [form(t) for t in query.split()]
        return {id for id, texts in self.texts.items() if all(any(t in form(x) for x in texts) for t in terms)}

    def found(self, wire, query):
        rows = [d.id for page in wire.page_list("Documents.Search", text=query) for d in page.document]
        if len(rows) != len(set(rows)):
            raise AssertionError("%r finds a paper twice" % query)
        return set(rows)

    def same(self, what, query):
        found, wanted = self.found(self.office, query), self.wanted(query)
        return self.cases.check("%s: %r" % (what, query), found == wanted, "found %s, wanted %s" % (found - wanted, wanted - found))


def sixty(x, rng):
    def some(most):
        return unicodedata.normalize("NFC", "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, most))))

    for i in range(60):
        if i % 3 == 0:
            x.register("关于%s的通知" % some(8))
        elif i % 10 == 1:
            x.register("电话%s" % some(4), carrier="phone", caller="王老师", phone="86220000", matter=some(30))
        else:
            x.draft("关于%s的通知" % some(6), "\n".join("%s %s" % (some(20), some(20)) for _ in range(3)))


def forty(x, rng):
    """Pieces of the texts, of each length, as they stand or of another width or case; and pieces of nothing; and two at once."""
    texts = [t for texts in x.texts.values() for t in texts if t]
    for n in range(28):
        text, size = rng.choice(texts), n % 6 + 1
        at = rng.randrange(max(1, len(text) - size))
        piece = text[at:at + size].replace("\n", " ")
        yield (piece, form(piece), piece.upper(), piece.translate({c: c + 0xfee0 for c in range(0x21, 0x7f)}))[n % 4]
    for n in range(6):
        yield "".join(rng.choice(LETTERS) for _ in range(n + 1))
    for n in range(6):
        yield "　 "[n % 2].join(rng.choice(LETTERS) + rng.choice(LETTERS) * (n % 3) for _ in range(2))


def compared(x, rng):
    relevant = found = right = n = 0
    for query in forty(x, rng):
        query = unicodedata.normalize("NFC", query)
        if not form(query):
            query = "安"
        hits, wanted = x.found(x.office, query), x.wanted(query)
        relevant, found, right, n = relevant + len(wanted), found + len(hits), right + len(hits & wanted), n + 1
        if hits != wanted:
            print("# %r: not found %s, found wrongly %s" % (query, [x.texts[i] for i in wanted - hits], [x.texts[i] for i in hits - wanted]))
    x.cases.check("%d searches of %d papers: recall %.3f, precision %.3f of %d" % (n, len(x.texts), right / relevant, right / found, relevant),
                  n == 40 and relevant > 100 and right == relevant == found)


def with_index_and_without(x, county, rng):
    """The same papers either way: an external PostgreSQL whose owner is no superuser reads through."""
    plan = county.server.psql("BEGIN; SET app.county = '329999'; SET app.scope = 'bureau'; INSERT INTO document (county, id, kind, state, version, last_version, title, urgency, drafter,"
                              " people_part, people_who, people_done, made_at, trace_head) SELECT 329999, gen_random_uuid(), 'in', 'done', 1, 1, '', '平件', '', '{}', '{}', '{}', now(), '' FROM generate_series(1, 5000);"
                              " ANALYZE document; SET ROLE jingguan_app; EXPLAIN SELECT d.id FROM document d WHERE d.county = app_county() AND d.grams @> document_grams('安全'); ROLLBACK")
    x.cases.check("the index of characters is asked in spite of the policy", "Index Cond: (grams @>" in plan and "document_grams_at" in plan, plan)
    compared(x, rng)
    county.server.psql("ALTER FUNCTION arraycontains(anyarray, anyarray) NOT LEAKPROOF")
    compared(x, rng)
    county.server.psql("ALTER FUNCTION arraycontains(anyarray, anyarray) LEAKPROOF")


def the_text_that_stands(x):
    """Of a paper on its way: its number when it has one, its new text when it is edited, the old one when a re-issue comes back."""
    leader = x.leader
    id = x.draft("关于春季防溺水的通知", "水库边立牌。")
    x.same("the first text", "水库")
    x.ask(x.edu, "edit", doc=id, file=(DRAFT % ("关于夏季防溺水的通知", "通知", "", "河道边立牌。")).encode())
    x.texts[id][1:] = "关于夏季防溺水的通知", "河道边立牌。"
    for query in ("水库", "春季", "河道", "夏季 立牌"):
        x.same("after an edit", query)
    for wire, event, more in ((x.edu, "submit", {}), (x.office, "approve", {}), (leader, "sign", {}), (x.office, "recheck", {})):
        x.ask(wire, event, doc=id, **more)
    x.texts[id][0] = x.ask(x.office, "number", doc=id, series="洪教Ｆ").number
    for query in ("洪教f", x.texts[id][0], x.texts[id][0][-2:] + "关", "教F〔", "河道"):
        x.same("with its number", query)
    for event, more in (("press", {"copies": 9}), ("proof_pass", {}), ("seal", {"count": 9}), ("issue", {})):
        x.ask(x.office, event, doc=id, **more)
    x.ask(x.edu, "reissue", doc=id, reason="地名有误", file=(DRAFT % ("关于夏季防溺水的通知", "通知", "", "沟渠边立牌。")).encode())
    x.texts[id][2] = "沟渠边立牌。"
    x.same("issued anew", "沟渠")
    x.ask(leader, "return", doc=id, reason="不必重发")
    x.texts[id][2] = "河道边立牌。"
    for query in ("沟渠", "河道", "洪教f"):
        x.same("what schools hold", query)
    x.ask(leader, "recall", doc=id, reason="另有规定")
    x.same("recalled", "河道")


def who_finds(x):
    id = x.draft("关于人事的通知", "拟任名单如下。", more="标识：内部\n")
    second = x.county.account("SUPERVISION", name="second")
    device = w.Device(x.county.address)
    device.enrol(x.county.invite())
    x.county.first_login(device, second.user, second.password)
    with device.open() as other:
        x.cases.equal("who has nothing to do with a marked paper does not find it", x.found(other, "拟任"), set())
        x.cases.equal("his drafter does", x.found(x.edu, "拟任"), {id})
        x.cases.equal("others are found by every officer", x.found(other, "河道"), x.wanted("河道"))
    for query, code in (("", "MISSING"), (" 　", "INVALID"), ("\u200b", "INVALID")):
        try:
            x.found(x.office, query)
            x.cases.check("nothing is looked for: %r" % query, False)
        except w.WireError as error:
            x.cases.equal("nothing is looked for: %r" % query, error.name, code)


def main():
    cases, rng = Cases(), random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    with WireCounty() as county:
        for name, role in (("office", "OFFICE"), ("leader", "LEADER"), ("edu", "BASIC_EDU")):
            county.person(name, role)
        x = Papers(county, cases)
        for desk in ("receive", "issue", "archive"):
            x.office.call("Documents.SetDesk", name=desk, value=county.people["office"].user)
        x.office.call("Documents.SetDesk", name="head", value=county.people["leader"].user)
        x.office.call("Documents.SetOrgan", name="市教育局", value="superior")
        x.office.call("Documents.SetOrgan", name="县公安局", value="peer")
        x.office.call("Documents.AddSeries", name="洪教Ｆ")
        sixty(x, rng)
        with_index_and_without(x, county, rng)
        the_text_that_stands(x)
        who_finds(x)
        for wire in (x.office, x.leader, x.edu):
            wire.close()
    cases.close()


main()
