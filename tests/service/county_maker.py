"""Small counties for the transition's tests: by hand (Maker) and at random (random_county), and their way into SQL."""
import copy
import csv
import hashlib
import io
import random
import uuid
from datetime import date as day

import reconcile_reference as reference
from reconcile_reference import check_digit, id_birth, id_gender

YEAR = 2026
CODES = {"primary": "211", "nine": "312", "junior": "311", "special": "371", "senior": "342"}
HEADER = ["county", "rec_id", "owner_school", "ver", "gver", "deleted", "nkey"]
COLUMNS = {
    "school": HEADER + ["code", "name", "type", "founder", "area"],
    "catchment": HEADER + ["school", "stage", "area"],
    "cycle": HEADER + ["year", "phase", "undecided_until", "verify_due", "provisional_until", "deferral_until"],
    "student": HEADER + ["name", "cert_type", "cert_no", "student_no", "gender", "birth", "grade", "class_no", "status", "hukou_area", "live_area"],
    "guardian": HEADER + ["student", "ordinal", "phone"],
    "destination": HEADER + ["year", "name", "cert_no", "student_no", "gender", "guardian_phone", "guardian_confirmed", "category", "dest_school",
                             "dest_school_name", "place", "registration_no"],
    "enrolment": HEADER + ["year", "name", "cert_no", "student_no", "gender", "birth", "guardian_phone", "present"],
    "verify_answer": HEADER + ["year", "destination", "answer"],
    "filing": HEADER + ["year", "stage"],
    "evidence": HEADER + ["target", "sha", "size", "name"],
    "slip": HEADER + ["year", "pupil", "state", "round", "source", "home", "codes", "severity", "name", "cert_no", "student_no"],
    "slip_addressee": HEADER + ["slip", "school"],
    "blob": ["county", "school", "sha", "size", "complete"],
    "baseline": ["county", "year", "pupil", "source_school", "student", "student_no", "added_at", "removed_at"],
    "proof_decision": ["county", "year", "pupil", "decision", "category", "about", "reason", "by_user", "at"],
    "pair_decision": ["county", "year", "pupil", "row_id", "same", "reason", "by_user", "at"],
    "rule_lead": ["county", "year", "pupil", "rule", "at", "closed_at"],
    "transition_rule": ["county", "valid_from", "age_min", "age_max", "left_days"],
}
NOW = "2026-09-01 08:00:00+08"
GLYPHS = {"呂": "吕", "黃": "黄"}


def id_number(birth, sequence, area="329999"):
    digits = "%s%s%03d" % (area, birth.strftime("%Y%m%d"), sequence)
    return digits + check_digit(digits)


class Maker:
    """A county under construction. Ids come from a counter, so that the same steps give the same rows."""

    def __init__(self, county=320001, salt=0):
        self.county = county
        self.data = {table: [] for table in COLUMNS}
        self.data.update(year=YEAR, glyphs=GLYPHS)
        self.salt, self.count = salt, 0

    def new_id(self):
        self.count += 1
        return str(uuid.UUID(hashlib.md5(b"%d %d" % (self.salt, self.count)).hexdigest()))

    def add(self, table, owner="", **fields):
        row = {"rec_id": self.new_id(), "owner_school": owner, "ver": 1, "gver": "{1,1,1}", "deleted": False, "nkey": None, **fields}
        row["nkey"] = row["nkey"] or row["rec_id"]
        self.data[table].append(row)
        return row

    def school(self, code, name, kind, area="329999"):
        return self.add("school", code=code, name=name, type=kind, founder="831", area=area)

    def catchment(self, school, area, stage="junior"):
        return self.add("catchment", school=school, stage=stage, area=area)

    def pupil(self, source, name, cert_no, frozen=True, **fields):
        number = fields.pop("student_no", "G" + cert_no if cert_no else None)
        row = self.add("student", source, **{"name": name, "cert_type": "1", "cert_no": cert_no, "student_no": number, "gender": None, "birth": None,
                                             "grade": "16", "class_no": "1", "status": "01", "hukou_area": None, "live_area": None, **fields})
        row["nkey"] = cert_no or number
        if frozen:
            self.data["baseline"].append({"year": YEAR, "pupil": row["rec_id"], "source_school": source, "student": row["rec_id"],
                                          "student_no": number, "added_at": NOW, "removed_at": None})
        return row

    def declares(self, owner, pupil, category="A1", dest_school=None, **fields):
        return self.add("destination", owner, **{"year": YEAR, "name": pupil["name"], "cert_no": pupil["cert_no"], "student_no": pupil["student_no"],
                                                 "gender": None, "guardian_phone": None, "category": category, "dest_school": dest_school,
                                                 "dest_school_name": None, "place": None, **fields})

    def enrols(self, owner, pupil, present=True, **fields):
        return self.add("enrolment", owner, **{"year": YEAR, "name": pupil["name"], "cert_no": pupil["cert_no"], "student_no": pupil["student_no"],
                                               "gender": None, "birth": None, "guardian_phone": None, "present": present, **fields})

    def answers(self, owner, destination, answer):
        return self.add("verify_answer", owner, year=YEAR, destination=destination["rec_id"], answer=answer)

    def files(self, owner, stage):
        return self.add("filing", owner, year=YEAR, stage=stage)

    def proves(self, destination, owner=None, complete=True):
        owner = owner or destination["owner_school"]
        sha = "\\x" + hashlib.sha256((destination["rec_id"] + owner).encode()).hexdigest()
        if not any(b["school"] == owner and b["sha"] == sha for b in self.data["blob"]):
            self.data["blob"].append({"school": owner, "sha": sha, "size": 7, "complete": complete})
        return self.add("evidence", owner, target=destination["rec_id"], sha=sha, size=7, name="证明.pdf")

    def decision(self, pupil, decision, category, about=None):
        self.data["proof_decision"].append({"year": YEAR, "pupil": pupil["rec_id"], "decision": decision, "category": category, "about": about, "reason": "", "by_user": "u", "at": NOW})

    def pair(self, pupil, row, same):
        self.data["pair_decision"].append({"year": YEAR, "pupil": pupil["rec_id"], "row_id": row["rec_id"], "same": same, "reason": "", "by_user": "u", "at": NOW})

    def copy(self, county):
        other = copy.copy(self)
        other.county, other.data = county, copy.deepcopy(self.data)
        return other


def value(x):
    if x is None:
        return None
    if isinstance(x, bool):
        return "t" if x else "f"
    return str(x)


def load_sql(makers, shuffle=None):
    """COPY statements for all rows of several counties."""
    out = []
    for table, columns in COLUMNS.items():
        rows = [[value(m.county if c == "county" else row.get(c)) for c in columns] for m in makers for row in m.data[table]]
        if shuffle and table not in ("proof_decision", "pair_decision"):  # these two are ordered by nature: the latest counts
            shuffle.shuffle(rows)
        if rows:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            for row in rows:
                writer.writerow(["\x01" if v is None else v for v in row])
            out.append("COPY %s (%s) FROM STDIN (FORMAT csv, NULL '\x01');\n%s\\.\n" % (table, ", ".join(columns), text.getvalue()))
    return "".join(out)


# ---- At random

SURNAMES, GIVEN = "王李吕呂黄黃", ["伟", "芳", "娜娜", "阿依·古丽", "Ann"]
SOURCES = ["2132000001", "2132000002", "3132000012"]
JUNIORS = ["3132000011", "3132000012", "3732000013", "3432000014"]


def random_county(seed, county):
    r = random.Random(seed)
    m = Maker(county, salt=seed)
    m.school("2132000001", "第一小学", "211", "329999100")
    m.school("2132000002", "第二小学", "218", r.choice(["329999200", "329999", None]))
    m.school("3132000012", "城南学校", "312", "329999300")
    m.school("3132000011", "第一中学", r.choice(["311", "319", "321"]), "329999100")
    m.school("3732000013", "专门学校", "371")
    m.school("3432000014", r.choice(["完全中学", "第一中学", " 城南学校"]), r.choice(["341", "345", "342"]))
    for area in r.sample(["329999", "329999100", "329999100001", "329999200", "329999200", "3299"], r.randint(0, 5)):
        m.catchment(r.choice(JUNIORS), area, r.choice(["junior", "junior", "初中", "primary"]))
    if r.random() < .6:
        m.add("cycle", year=YEAR, phase="verify", undecided_until=r.choice([None, day(2026, 7, 31), day(2026, 10, 15)]), verify_due=r.choice([None, day(2026, 9, 20)]),
              provisional_until=r.choice([None, day(2026, 9, 10)]), deferral_until=r.choice([None, day(2026, 12, 31)]))
    for _ in range(r.choice([0, 0, 1, 2])):
        m.data["transition_rule"].append({"valid_from": day(2024, 5, 5) if m.data["transition_rule"] else day(r.choice([2020, 2025, 2027]), 1, 1),
                                          "age_min": r.choice([11, 12]), "age_max": r.choice([12, 15]), "left_days": r.choice([0, 60])})
    for _ in range(r.randint(1, 9)):
        random_pupil(r, m)
    for _ in range(r.randint(0, 3)):  # people who are not of P
        person = {"name": random_name(r), "cert_no": random_cert(r), "student_no": None}
        if r.random() < .5:
            person["student_no"] = "G" + person["cert_no"]
        if r.random() < .4:
            random_destination(r, m, person)
        for _ in range(r.choice([0, 1, 1, 2])):
            random_row(r, m, person)
        if r.random() < .4:
            m.pupil(r.choice(SOURCES + JUNIORS), person["name"], person["cert_no"], frozen=False, grade=r.choice(["11", "15", "16", "21", "22", "31", "03"]),
                    deleted=r.random() < .2)
    for school in JUNIORS + SOURCES[:1]:
        if r.random() < .4:
            m.files(school, r.choice(["V", "V", "V", "T2"]))
    for d in list(m.data["destination"]):
        if r.random() < .25:
            m.answers(r.choice([d["dest_school"] or "3132000011", d["owner_school"], r.choice(JUNIORS)]), d, r.choice(["present", "absent", "unknown"]))
    rows = m.data["enrolment"] + m.data["destination"]
    pupils = [s for s in m.data["student"] if any(b["pupil"] == s["rec_id"] for b in m.data["baseline"])]
    for _ in range(r.choice([0, 0, 1, 2, 4])):
        if rows and pupils:
            m.pair(r.choice(pupils), r.choice(rows), r.choice((True, False, None)))  # None: taken back
    drop_repeats(m)
    return m


def random_name(r):
    return r.choice(SURNAMES) + r.choice(GIVEN)


def random_cert(r):
    # Few birthdays and sequences, so that namesakes, twins and neighbours in number are common.
    year = r.choice([2013, 2014, 2014, 2014, 2011, 2015, 2016])
    return id_number(day(year, r.choice([3, 9]), r.choice([1, 15])), r.randint(1, 4), r.choice(["329999", "320827"]))


def typo(r, cert):
    at = r.randrange(len(cert) - 1)
    kind = r.random()
    if kind < .4:
        return cert[:at] + r.choice("0123456789") + cert[at + 1:]
    if kind < .8:
        return cert[:at] + cert[at + 1] + cert[at] + cert[at + 2:]
    return cert[:at] + cert[at + 1:]


def dirty(r, text):
    """The same for every key: what people type."""
    return r.choice([text, text, text, " " + text, "\u3000".join(text), text + "\u200b", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
                     text.replace("·", r.choice("•．.・‧･∙⋅")), text.lower()])


def random_pupil(r, m):
    earlier = r.choice(m.data["student"]) if m.data["student"] and r.random() < .4 else None
    name, cert = random_name(r), random_cert(r)
    if earlier:  # a twin, a namesake, or the same child frozen twice
        name = r.choice([earlier["name"], name])
        cert = r.choice([cert, earlier["cert_no"] or cert, typo(r, earlier["cert_no"] or cert)])
    source = r.choice(SOURCES)
    fields = {"cert_type": r.choice(["1", "1", None, "B", "A"]), "gender": r.choice([None, "1", "2", "0"]),
              "birth": r.choice([None, None, day(2014, 3, 15)]), "live_area": r.choice([None, "329999100001", "329999100002", "329999200001", "110101001001"]),
              "hukou_area": r.choice([None, "329999100001", "329999300001"])}
    if r.random() < .15:
        number = r.choice("JL") + id_number(day(2014, 3, 1), r.randint(1, 3), "329999")
        p = m.pupil(source, name, None, student_no=number, **fields)
    else:
        p = m.pupil(source, name, cert, **fields)
        if r.random() < .15:
            p["student_no"] = r.choice([None, "G" + typo(r, cert), "J" + id_number(day(2014, 3, 1), r.randint(1, 3), "329999")])
    entry = m.data["baseline"][-1]
    then = dict(p)
    if r.random() < .1:  # renumbered after the freeze
        then["student_no"] = entry["student_no"] = r.choice("JL") + id_number(day(2014, 3, 1), r.randint(1, 3), "329999")
    if r.random() < .05:
        entry["removed_at"] = NOW
    if r.random() < .06:  # an import undone and made again
        p["deleted"] = True
        again = m.pupil(source, p["name"], p["cert_no"], frozen=False, student_no=p["student_no"], **fields)
        again["nkey"] = p["nkey"]
        if r.random() < .5:
            again["gender"] = "1"
    phone = r.choice(["13800000001", "13800000002", "+86 138-0000-0001", "0999-8612345", "123"])
    for ordinal in range(r.choice([0, 1, 1, 2])):
        m.add("guardian", source, student=p["rec_id"], ordinal=ordinal, phone=phone if ordinal == 0 else "13800000003", deleted=r.random() < .1)
    if r.random() < .3:  # all is well, until something changes
        school = r.choice(JUNIORS)
        m.declares(source, then, "A1", school)
        m.enrols(school, then)
        return
    if r.random() < .08:  # two children of his name and birthday, without a number that says which is he
        for number in range(2):
            m.enrols(r.choice(JUNIORS), {**then, "cert_no": None, "student_no": "L3299992014031500%d%d" % (number, r.randint(0, 9))},
                     birth=p["birth"] or id_birth(p["cert_no"]), gender=p["gender"] or id_gender(p["cert_no"]))
        return
    for owner in r.choice([[], [source], [source], [source], [source], [source, r.choice(SOURCES)], [r.choice(SOURCES)]]):
        d = random_destination(r, m, then, owner, phone)
        if r.random() < .4:
            m.decision(p, r.choice(["accepted", "refuted"]), r.choice([d["category"], d["category"], d["category"], "B1"]), r.choice([None, reference.about(d), reference.about(d), "别处||"]))
    for _ in range(r.choice([0, 1, 1, 1, 2])):
        random_row(r, m, then, phone)
    if r.random() < .04:
        m.data["rule_lead"].append({"year": YEAR, "pupil": p["rec_id"], "rule": "V5", "at": NOW, "closed_at": r.choice([None, NOW])})


def person_fields(r, person, phone):
    cert, number = person["cert_no"], person["student_no"]
    kind = r.random()
    if cert and kind < .2:
        cert = typo(r, cert)
    elif cert and kind < .3 and number:
        cert = None
    elif kind < .35:
        cert = random_cert(r)
    if cert and r.random() < .4:
        number = None
    return {"name": dirty(r, person["name"] if r.random() < .85 else random_name(r)), "cert_no": cert and dirty(r, cert),
            "student_no": number and dirty(r, number), "gender": r.choice([None, None, "1", "2", "9"]), "guardian_phone": r.choice([None, phone, "13800000009"])}


def random_destination(r, m, person, owner=None, phone=None):
    category = r.choice([r.choice(["A1", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]), "B" + r.choice("12345"), "C" + r.choice("123"), "D" + r.choice("12345")])
    fields = person_fields(r, person, phone)
    if category[0] == "A":
        fields["dest_school"] = r.choice(JUNIORS + [None, None, "3132000099", "2132000001"])
        fields["dest_school_name"] = r.choice([None, "第一中学", "城南 学校", "没有的学校"])
    elif category[0] == "B":
        fields["place"] = r.choice([None, "上海市", "上海市"])
        fields["dest_school_name"] = r.choice([None, None, "上海某校"])
    d = m.declares(owner or r.choice(SOURCES), person, category, **{**fields, "deleted": r.random() < .05})
    if r.random() < .5:
        m.proves(d, r.choice([None, None, None, "3132000011"]), complete=r.random() < .8)
    return d


def random_row(r, m, person, phone=None):
    fields = person_fields(r, person, phone)
    fields["birth"] = r.choice([None, None, day(2014, 3, 15), day(2014, 3, 1), day(2009, 1, 1)])
    return m.enrols(r.choice(JUNIORS + ["2132000001"]), person, r.choice([True, True, True, False, None]), **{**fields, "deleted": r.random() < .05})


def drop_repeats(m):
    """What the natural keys of the schema would refuse."""
    for table, key in (("verify_answer", lambda x: (x["owner_school"], x["destination"])), ("evidence", lambda x: (x["owner_school"], x["target"])),
                       ("student", lambda x: (x["owner_school"], x["nkey"]) if not x["deleted"] else x["rec_id"])):
        seen, kept = set(), []
        for row in m.data[table]:
            if key(row) not in seen:
                kept.append(row)
            seen.add(key(row))
        m.data[table] = kept
    have = {s["rec_id"] for s in m.data["student"]}
    m.data["baseline"] = [b for b in m.data["baseline"] if b["student"] in have]
    pupils = {b["pupil"] for b in m.data["baseline"]}
    for table in ("proof_decision", "pair_decision", "rule_lead"):
        m.data[table] = [x for x in m.data[table] if x["pupil"] in pupils]


def late_changes(r, m):
    """What happens between two runs."""
    for _ in range(r.randint(0, 4)):
        kind = r.choice([0, 1, 1, 1, 2, 3, 4, 5, 6])
        if kind == 0 and m.data["enrolment"]:
            row = r.choice(m.data["enrolment"])
            row["present"] = not row["present"]
        elif kind == 1 and m.data["enrolment"]:
            r.choice(m.data["enrolment"])["deleted"] = True
        elif kind == 2 and m.data["destination"]:
            row = r.choice(m.data["destination"])
            row["category"], row["place"] = r.choice(["A1", "B1", "C3", "D2"]), "上海市"
        elif kind == 3 and m.data["destination"]:
            r.choice(m.data["destination"])["deleted"] = True
        elif kind == 4 and m.data["baseline"]:
            entry = r.choice(m.data["baseline"])
            entry["removed_at"] = None if entry["removed_at"] else NOW
        elif kind == 5 and m.data["student"]:
            row = r.choice(m.data["student"])
            row["name"] = random_name(r)
        elif m.data["verify_answer"]:
            r.choice(m.data["verify_answer"])["answer"] = r.choice(["present", "absent", "unknown"])
