"""A naive reading of domain.md §2.4–2.6: lists and loops, no index, no SQL. tests/service/test_transition_reconcile.py compares it
with sql/functions/transition_reconcile.sql pupil by pupil.

A county is a dict of lists of dicts; tables and keys have the names of the schema. Where the document leaves a choice,
the decision stands here as a comment marked "Decided", and beside the SQL.
"""
import datetime
import re
import unicodedata

SEVERITY = {"critical": "M10 M12 M13 M50 M51 M52 M53 M54", "high": "M01 M16 M18 M30 M31 M32 M40 M41 M42 M43 M60",
            "mid": "M02 M03 M04 M05 M14 M15 M17 M20 M21 M22 M61", "low": "M11"}
RANK = {code: rank for rank, name in enumerate(SEVERITY) for code in SEVERITY[name].split()}
SLIP = set("M01 M10 M12 M13 M30 M31 M32 M40 M42 M43 M50 M51 M52 M53 M54".split())
FREE = set("M04 M22 M60 M61".split())  # Decided: M60 too, a lead is never a verdict (§3.6)


# ---- §1, normal forms

def half_width(text):
    return "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)


def strip_space(text):
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def ascii_upper(text):
    return "".join(c.upper() if c.isascii() else c for c in text)


def name_key(text):
    text = strip_space(half_width(unicodedata.normalize("NFC", text or "")))
    text = re.sub(r"(?<=[^\x01-\x7f])\.(?=[^\x01-\x7f])", "·", text)  # J.Smith keeps his full stop
    return ascii_upper("".join("·" if c in "•・‧･∙⋅" else c for c in text)) or None


def cert_key(text):
    text = strip_space(half_width(text or ""))
    return ascii_upper("".join(c for c in text if c not in "'`´‘’ʹ′")) or None


def phone_key(text):
    digits = "".join(c for c in half_width(text or "") if c in "0123456789")
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) - len(prefix) >= 10:
            digits = digits[len(prefix):]
            break
    return digits if len(digits) >= 7 else None


def check_digit(digits):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights)) % 11]


def student_no_key(text):
    text = cert_key(text)
    if not text or not re.fullmatch(r"[GJL][0-9]{17}[0-9X]", text):
        return None
    return text if text[0] == "L" or check_digit(text[1:18]) == text[18] else None


def id_birth(no):
    if not no or not re.fullmatch(r"[0-9]{17}[0-9X]", no):
        return None
    try:
        return datetime.date(int(no[6:10]), int(no[10:12]), int(no[12:14]))
    except ValueError:
        return None


def id_gender(no):
    return None if id_birth(no) is None else "12"[int(no[16]) % 2 == 0]


def near(a, b):
    if not a or not b or len(a) != len(b):
        return False
    if len(a) == 18:
        a, b = a[:17], b[:17]
    differing = [i for i in range(len(a)) if a[i] != b[i]]
    if len(differing) <= 1:
        return True
    return len(differing) == 2 and differing[1] == differing[0] + 1 and a[differing[0]] == b[differing[1]] and a[differing[1]] == b[differing[0]]


def has_junior_stage(kind):
    return kind in ("311", "319", "321", "312", "371", "341", "345") or bool(re.fullmatch("51.", kind or ""))


# ---- §2.4

def known_gender(row, no):
    return row.get("gender") if row.get("gender") in ("1", "2") else id_gender(no)


def aliases(row):
    out = {student_no_key(row.get("student_no")), student_no_key(row.get("student_no_then"))}
    if cert_key(row.get("cert_no")):
        out.add("G" + cert_key(row["cert_no"]))
    return out - {None}


def live(county, table):
    return [row for row in county[table] if not row.get("deleted")]


class Person:
    """What can be compared about a row or a pupil."""

    def __init__(self, row):
        self.row = row
        self.name = name_key(row.get("name"))
        self.cert = cert_key(row.get("cert_no"))
        self.birth = row.get("birth") or id_birth(self.cert)
        self.gender = known_gender(row, self.cert)
        self.phone = phone_key(row.get("guardian_phone"))
        self.alias = aliases(row)


class Unit:
    """A person g of J, or one row of T."""

    def __init__(self, rows):
        self.people = [Person(row) for row in rows]
        self.pupil = None
        self.how = None

    @property
    def alias(self):
        return set().union(*(x.alias for x in self.people))


class Pupil(Person):
    pass


def persons_of_roster(rows):
    by_cert, without = {}, []
    for row in rows:
        cert = cert_key(row.get("cert_no"))
        if cert:
            by_cert.setdefault(cert, []).append(row)
        else:
            without.append(row)
    first = {cert: set().union(*(aliases(r) for r in group)) for cert, group in by_cert.items()}
    own = {}
    for row in without:
        number = student_no_key(row.get("student_no"))
        owners = [cert for cert in by_cert if number and number in first[cert]]
        if len(owners) == 1:
            by_cert[owners[0]].append(row)
        else:
            own.setdefault(number or row["rec_id"], []).append(row)
    return [Unit(rows) for rows in list(by_cert.values()) + list(own.values())]


def match(units, pupils, decisions, is_table):
    """§2.5. Sets unit.pupil and unit.how; returns {pupil id: [units]} for the tied."""

    def decided(pupil, unit):
        ids = {x.row["rec_id"] for x in unit.people}
        said = [w for w in decisions if w["pupil"] == pupil.id and w["row_id"] in ids]
        return said[-1]["same"] if said else None

    def attach(unit, pupil, how):
        unit.pupil, unit.how = pupil, how

    def allowed(pupil, unit):
        return decided(pupil, unit) is not False

    for unit in units:  # K0; the latest "same" that still holds
        ids = {x.row["rec_id"] for x in unit.people}
        for w in reversed(decisions):
            pupil = next((p for p in pupils if p.id == w["pupil"]), None)
            if w["row_id"] in ids and w["same"] and pupil and decided(pupil, unit):
                attach(unit, pupil, 0)
                break
    for unit in units:  # K1. Decided: of several pupils with this number the filer's own, then his name, then the lowest
        if unit.pupil:
            continue
        found = [p for p in pupils if p.cert and any(x.cert == p.cert for x in unit.people) and allowed(p, unit)]
        if found:
            attach(unit, min(found, key=lambda p: (
                not (is_table and unit.people[0].row["owner_school"] == p.source),
                not any(x.name and x.name == p.name for x in unit.people if x.cert == p.cert), p.source, p.id)), 1)
    for unit in units:  # K2
        if not unit.pupil:
            found = [p for p in pupils if p.alias & unit.alias and allowed(p, unit)]
            if len(found) == 1:
                attach(unit, found[0], 2)

    def k3(p, x):
        return p.birth and p.gender and p.birth == x.birth and p.gender == x.gender

    def k4(p, x):
        return near(p.cert, x.cert)

    def k5(p, x):
        return x.phone and x.phone in p.phones

    tied, held = {}, set()
    for how, key in ((3, k3), (4, k4), (5, k5)):
        has_one = {u.pupil.id for u in units if u.pupil}
        free_pupils = [p for p in pupils if p.id not in has_one and p.id not in tied]
        free_units = [u for u in units if not u.pupil and u not in held]
        edges = [(p, u) for p in free_pupils for u in free_units
                 if any(p.name and p.name == x.name and key(p, x) for x in u.people) and allowed(p, u)
                 and (not is_table or u.people[0].row["owner_school"] == p.source)]
        for p in free_pupils:
            mine = [u for q, u in edges if q is p]
            if len(mine) == 1 and sum(1 for _, u in edges if u is mine[0]) == 1:
                attach(mine[0], p, how)
            elif mine:
                tied[p.id] = mine
                held.update(mine)
    return tied


def settings(county):
    year = county["year"]
    row = (live(county, "cycle") or [{}])[0]
    rules = [r for r in county["transition_rule"] if r["valid_from"] <= datetime.date(year, 8, 31)]
    rule = max(rules, key=lambda r: r["valid_from"]) if rules else {"age_min": 11, "age_max": 15, "left_days": 60}
    default = {"undecided_until": datetime.date(year, 8, 31), "verify_due": datetime.date(year, 9, 10),
               "provisional_until": datetime.date(year, 10, 31), "deferral_until": datetime.date(year + 1, 8, 31)}
    return {**{key: row.get(key) or value for key, value in default.items()}, **rule}


def about(t):
    """Where a row says that the pupil goes, as far as a decision on its proof depends on it."""
    return "|".join((name_key(t.get("place")) or "", cert_key(t.get("dest_school")) or "", name_key(t.get("dest_school_name")) or ""))


def destination_school(t, juniors):
    if not t["category"].startswith("A"):
        return None
    code, name = cert_key(t.get("dest_school")), name_key(t.get("dest_school_name"))
    if code:
        return code if code in {s["code"] for s in juniors} else None
    if name:
        called = [s["code"] for s in juniors if name_key(s["name"]) == name]
        return called[0] if len(called) == 1 else None
    # Decided: the through-school is the one that files the row.
    return t["owner_school"] if t["category"] == "A4" and t["owner_school"] in {s["code"] for s in juniors} else None


def home_school(county, pupil, dest, juniors):
    units = [c for c in live(county, "catchment") if c["stage"] in ("junior", "初中") and c["area"]
             and c["school"] in {s["code"] for s in juniors}]
    source = next((s for s in live(county, "school") if s["code"] == pupil.source), {})
    for area in (pupil.row.get("live_area"), pupil.row.get("hukou_area"), source.get("area")):
        hits = [c for c in units if area and area.startswith(c["area"])]
        if hits:
            longest = max(len(c["area"]) for c in hits)
            schools = sorted({c["school"] for c in hits if len(c["area"]) == longest})
            return dest if dest in schools else schools[0]
    return "bureau"


def odd_age(birth, year, rule):
    if not birth:
        return False
    age = year - birth.year - ((birth.month, birth.day) > (8, 31))
    return age < rule["age_min"] or age > rule["age_max"]


def fold_glyphs(name, county):
    return "".join(county["glyphs"].get(c, c) for c in name)


# ---- §2.5–2.6

def reconcile(county, as_of, before=None, before_as_of=None):
    """{"pupils": {id: result}, "outside": {id: entry}}; `before` is the pupils of the run before, for M61."""
    before = before or {}
    year, rule = county["year"], settings(county)
    schools = live(county, "school")
    juniors = [s for s in schools if has_junior_stage(s["type"])]
    students = {s["rec_id"]: s for s in county["student"]}

    pupils = []
    for entry in county["baseline"]:
        if entry.get("removed_at"):
            continue
        row = students[entry["student"]]
        if row.get("deleted"):  # Decided: the same record made again by the same school takes its place
            row = next((s for s in live(county, "student") if s["owner_school"] == row["owner_school"] and s["nkey"] == row["nkey"]), row)
        pupil = Pupil({**row, "student_no_then": entry.get("student_no")})
        pupil.id, pupil.source, pupil.student = entry["pupil"], entry["source_school"], row["rec_id"]
        pupil.phones = {phone_key(g["phone"]) for g in live(county, "guardian") if g["student"] == pupil.student} - {None}
        pupils.append(pupil)

    table = [t for t in live(county, "destination") if t["year"] == year and t["category"]]
    roster = [e for e in live(county, "enrolment") if e["year"] == year and e["owner_school"] in {s["code"] for s in juniors}]
    t_units, g_units = [Unit([t]) for t in table], persons_of_roster(roster)
    match(t_units, pupils, county["pair_decision"], True)
    tied = match(g_units, pupils, county["pair_decision"], False)
    submitted = {f["owner_school"] for f in live(county, "filing") if f["year"] == year and f["stage"] == "V"}

    out = {}
    for p in pupils:
        mine = sorted((u for u in t_units if u.pupil is p), key=lambda u: (
            u.people[0].row["owner_school"] != p.source, u.people[0].row["owner_school"], u.how != 1,
            u.people[0].cert or cert_key(u.people[0].row.get("student_no")), u.people[0].row["rec_id"]))
        t = mine[0].people[0] if mine else None
        category = t.row["category"] if t else None
        is_a, is_b, is_c = (bool(t) and category[0] == letter for letter in "ABC")
        dest = destination_school(t.row, juniors) if t else None

        # V. Decided: an answer of S on any of his rows counts, that on t(p) first.
        answer = None
        for unit in reversed(mine):
            for v in live(county, "verify_answer"):
                if dest and v["year"] == year and v["destination"] == unit.people[0].row["rec_id"] and v["owner_school"] == dest and v["answer"] in ("present", "absent", "unknown"):
                    answer = v["answer"]
        rows = []  # school, present, person or None, how
        for unit in g_units:
            if unit.pupil is p:
                for x in unit.people:
                    school = x.row["owner_school"]
                    if school == dest and answer == "unknown":
                        continue
                    present = bool(x.row.get("present")) if school != dest or answer is None else answer == "present"
                    rows.append((school, present, x, unit.how))
        if answer in ("present", "absent"):
            rows.append((dest, answer == "present", None, None))
        listed = {r[0] for r in rows}
        sp = listed if category == "A7" else {r[0] for r in rows if r[1]}
        sa = listed - sp

        state = "none" if dest is None else "submitted" if dest in submitted else "silent" if as_of > rule["verify_due"] else "pending"
        proof = False
        if t:
            blobs = {(b["school"], b["sha"]) for b in county["blob"] if b["complete"] and b["size"] > 0}
            proof = any(e["target"] == t.row["rec_id"] and e["owner_school"] == t.row["owner_school"] and (e["owner_school"], e["sha"]) in blobs for e in live(county, "evidence"))
            if is_b and not (t.row.get("place") or t.row.get("dest_school_name") or t.row.get("dest_school")):
                proof = False
        said = [w for w in county["proof_decision"] if w["pupil"] == p.id]
        decision = said[-1]["decision"] if said and said[-1]["category"] == category and said[-1].get("about") in (None, about(t.row)) else None  # on one category and one place
        home = home_school(county, p, dest, juniors)
        is_tied = p.id in tied

        owners = {}

        def hold(code, *who):
            owners[code] = {w for w in who if w}

        if not t and not sp and not is_tied:
            hold("M01", p.source, home)
        if len(mine) > 1:
            hold("M03", p.source, *(u.people[0].row["owner_school"] for u in mine))
        if p.cert and (p.row.get("cert_type") or "1") in ("1", "B") or p.cert and re.fullmatch(r"[0-9]{17}[0-9X]", p.cert):
            born, sex = id_birth(p.cert), id_gender(p.cert)
            given = p.row.get("gender") if p.row.get("gender") in ("1", "2") else None
            if not born or check_digit(p.cert[:17]) != p.cert[17] or (p.row.get("birth") or born) != born or (given or sex) != sex:
                hold("M04", p.source)
        if t and mine[0].how > 0:  # Decided: a person's "same" silences M05 as it does M14 and M15
            given = t.row.get("gender") if t.row.get("gender") in ("1", "2") else None
            if mine[0].how > 2 or (t.name and p.name and t.name != p.name) or (t.cert and p.cert and t.cert != p.cert) or (given and p.gender and given != p.gender):
                hold("M05", p.source)
        nowhere = is_a and not sp and not sa and not is_tied and answer != "unknown"
        if nowhere and state in ("submitted", "none"):
            hold("M10", p.source, home, dest)
        if is_a and len(sp) == 1 and sp != {dest}:
            hold("M11", p.source, *sp)
        if not sp and sa and (is_a or not t):
            hold("M12", p.source, home, *sa)
        if is_a and answer == "unknown" and not sp:
            hold("M13", p.source, home, dest)
        renamed = [r for r in rows if r[2] and r[3] > 0 and p.name and r[2].name and r[2].name != p.name]
        if renamed:
            hold("M14", *(r[0] for r in renamed))
        renumbered = [r for r in rows if r[2] and (r[3] > 2 or r[3] > 0 and p.cert and r[2].cert and r[2].cert != p.cert)]
        if renumbered:
            hold("M15", p.source, *(r[0] for r in renumbered))
        if len(sp) > 1:
            hold("M16", p.source, *sp)
        if is_tied:
            hold("M17", "bureau")
        if nowhere and state == "silent":
            hold("M18", dest)
        if sp and not is_a:
            hold("M20", p.source, *sp)
        if (sp or sa) and odd_age(p.birth, year, rule):
            hold("M22", *sp, *sa)
        both = (p.source, home)
        if is_b and not (sp and not is_a):
            if decision == "refuted":
                hold("M32", *both)
            elif not proof:
                hold("M43" if category in ("B4", "B5") else "M30", *both)
            elif decision is None and as_of > rule["provisional_until"]:
                hold("M31", *both)
        if category in ("C1", "C2") and not sp and (not proof or decision == "refuted"):
            hold("M40", *both)
        if category == "C1" and not sp and as_of > rule["deferral_until"]:
            hold("M40", *both)
        if category == "C3" and not sp and (not proof or decision == "refuted"):
            hold("M42", *both)
        if category in ("A5", "A6", "A7", "A8") and (not proof or decision == "refuted"):
            hold("M41", p.source)
        if category in ("D1", "D2", "D3", "D4", "D5") and not sp and as_of > rule["undecided_until"]:
            hold({"D5": "M50", "D2": "M51", "D3": "M52", "D4": "M53", "D1": "M54"}[category], *both)
        if any(x["pupil"] == p.id and not x.get("closed_at") for x in county["rule_lead"]):
            hold("M60", "bureau")
        old = before.get(p.id, {})
        left_school, left_on = old.get("confirmed_school"), old.get("confirmed_until") or before_as_of
        if left_school and not sp and (as_of - left_on).days <= rule["left_days"]:
            hold("M61", left_school)

        verdict = "OPEN"
        if not set(owners) - FREE:
            if is_a and sp == {dest} or category in ("B1", "B2", "B3") and decision == "accepted":
                verdict = "CONFIRMED"
            elif category in ("C2", "C3", "B4", "B5") and decision == "accepted":
                verdict = "EXEMPT"
            elif (is_b or is_c) and proof and decision is None or category == "C1" and decision == "accepted":
                verdict = "PROVISIONAL"
        soft = bool(renamed) and all(fold_glyphs(r[2].name, county) == fold_glyphs(p.name, county) for r in renamed)
        here = verdict == "CONFIRMED" and is_a
        out[p.id] = {
            "state": verdict, "codes": set(owners), "primary": min(owners, key=lambda c: (RANK[c], c)) if owners else None,
            "found": sorted({x.row["owner_school"] for u in tied[p.id] for x in u.people} if is_tied and not listed else listed),
            "owners": sorted(set().union(*owners.values())) if owners else [], "dest": dest, "home": home, "category": category,
            "destination": t.row["rec_id"] if t else None, "soft": soft, "pending": nowhere and state == "pending",
            "slip": bool(set(owners) & SLIP), "confirmed_school": dest if here else left_school,
            "confirmed_until": None if here or not left_school else left_on, "sp": sp}

    # Outside P: one entry per cert_no, else student_no.
    entries, m02_alias = {}, set()
    for u in t_units:
        if not u.pupil:
            x = u.people[0]
            entries.setdefault(x.cert or student_no_key(x.row.get("student_no")) or x.row["rec_id"], ([], []))[0].append(x)
            m02_alias |= u.alias
    units_of = {}
    for u in g_units:
        if not u.pupil:
            key = next((x.cert for x in u.people if x.cert), None) or student_no_key(u.people[0].row.get("student_no")) or u.people[0].row["rec_id"]
            entries.setdefault(key, ([], []))[1].extend(u.people)
            units_of[key] = u
    held = {id(u) for units in tied.values() for u in units}
    in_p = {p.student for p in pupils}
    outside = {}
    for key, (filed, listed) in entries.items():
        owners = {}
        at = {x.row["owner_school"] for x in listed}
        if filed:
            owners["M02"] = {x.row["owner_school"] for x in filed}
        if len({x.row["owner_school"] for x in listed if x.row.get("present")}) > 1:
            owners["M16"] = at
        if listed and id(units_of[key]) not in held and not units_of[key].alias & m02_alias:
            owners["M21"] = at
        elsewhere = listed and any(
            s["rec_id"] not in in_p and aliases(s) & units_of[key].alias and
            ("11" <= s["grade"] <= "15" or s["grade"] >= "21" and s["owner_school"] not in at) for s in live(county, "student"))
        if elsewhere or any(odd_age(x.birth, year, rule) for x in listed):
            owners["M22"] = at
        ids = sorted(x.row["rec_id"] for x in filed + listed)
        outside[ids[0]] = {"codes": set(owners), "primary": min(owners, key=lambda c: (RANK[c], c)) if owners else None, "found": sorted(at),
                           "owners": sorted(set().union(*owners.values())) if owners else [], "roster": sorted(x.row["rec_id"] for x in listed),
                           "destinations": sorted(x.row["rec_id"] for x in filed)}
    return {"pupils": out, "outside": outside}
