#!/usr/bin/python3
"""test_transition_reconcile.py [--long] [--seed N]: the 小升初 functions of sql/functions against domain.md §2.

One fixture per code of §2.6; random counties compared pupil by pupil with the naive reading of the document in
reconcile_reference.py; and the properties that no example shows: a repeated run changes nothing, the order of rows
plays no part, a late change touches only what it touches, nobody is counted twice or not at all.
"""
import csv
import io
import json
import random
import sys
import uuid
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date as day, timedelta

import reconcile_reference as reference
from county_maker import COLUMNS, GLYPHS, NOW, YEAR, Maker, id_number, late_changes, load_sql, random_county
from private_pg import PrivatePostgres

SCOPE = "SET LOCAL app.county = '%d'; SET LOCAL app.scope = '%s'; SET LOCAL app.schools = '%s'; SET LOCAL app.streams = '';"
P1, P2, J1, J2, NINE = "2132000001", "2132000002", "3132000011", "3132000021", "3132000012"
SEPTEMBER = day(2026, 9, 5)


class Report:
    passed = failed = 0

    def check(self, name, problem):
        """`problem` is empty when all is well."""
        if problem:
            self.failed += 1
            print("not ok %s\n    %s" % (name, str(problem).replace("\n", "\n    ")), flush=True)
        else:
            self.passed += 1
            print("ok " + name, flush=True)


class Database:
    def __init__(self, postgres):
        self.postgres = postgres

    def load(self, makers, shuffle=None):
        self.postgres.sql(load_sql(makers, shuffle))

    def reload(self, makers):
        """What was read is replaced, what runs left behind stays."""
        counties = ",".join(str(m.county) for m in makers)
        self.postgres.sql("".join("DELETE FROM %s WHERE county IN (%s);" % (table, counties) for table in COLUMNS if table != "slip") + load_sql(makers))

    def call(self, county, text, scope="job", schools="", rollback=False):
        """Rows of one query as the server runs it, as lists of text."""
        out = self.postgres.sql("BEGIN; %s %s; %s;" % (SCOPE % (county, scope, schools), text, "ROLLBACK" if rollback else "COMMIT"), user="jingguan_app",
                                options=["--csv", "-t"])
        return list(csv.reader(io.StringIO(out)))

    def run(self, dates):
        """Reconciles {county: as_of}; {county: row of transition_reconcile}."""
        def script(counties):
            return "".join("BEGIN; %s SELECT %d, * FROM transition_reconcile(%d, '%s'); COMMIT;" % (SCOPE % (county, "job", ""), county, YEAR, dates[county])
                           for county in counties)

        counties = list(dates)
        with ThreadPoolExecutor(2) as two:  # sessions: most of a small run is the making of its tables
            out = list(two.map(lambda part: self.postgres.sql(script(part), user="jingguan_app", options=["--csv", "-t"]), (counties[0::2], counties[1::2])))
        names = "baseline confirmed provisional exempt mismatched outside changed run_no".split()
        return {int(row[0]): dict(zip(names, map(int, row[1:9]))) for row in csv.reader(io.StringIO("".join(out)))}

    def results(self, counties):
        """What the runs left, in the shape of the reference."""
        out = {county: {"pupils": {}, "outside": {}} for county in counties}
        wanted = ",".join(map(str, counties))
        text = self.postgres.sql(
            "COPY (SELECT county, pupil, state, array_to_string(codes, ' '), primary_code, array_to_string(found, ' '), array_to_string(owners, ' '), dest_school, home,"
            " category, destination, flags, slip_since IS NOT NULL FROM pupil_state"
            " WHERE state <> 'REMOVED' AND county IN (%s)) TO STDOUT (FORMAT csv);" % wanted)
        for county, pupil, state, codes, primary, found, owners, dest, home, category, destination, flags, slip in csv.reader(io.StringIO(text)):
            out[int(county)]["pupils"][pupil] = {
                "state": state, "codes": set(codes.split()), "primary": primary or None, "found": found.split(), "owners": owners.split(), "dest": dest or None,
                "home": home, "category": category or None, "destination": destination or None, "soft": "soft" in flags, "pending": "pending" in flags,
                "slip": slip == "t"}
        text = self.postgres.sql(
            "COPY (SELECT county, id, array_to_string(codes, ' '), primary_code, array_to_string(found, ' '), array_to_string(owners, ' '),"
            " array_to_string(roster, ' '), array_to_string(destinations, ' ') FROM outside_entry WHERE NOT gone AND county IN (%s)) TO STDOUT (FORMAT csv);" % wanted)
        for county, ident, codes, primary, found, owners, roster, destinations in csv.reader(io.StringIO(text)):
            out[int(county)]["outside"][ident] = {"codes": set(codes.split()), "primary": primary or None, "found": found.split(), "owners": owners.split(),
                                                  "roster": roster.split(), "destinations": destinations.split()}
        return out


def difference(expected, found):
    lines = []
    for part in ("pupils", "outside"):
        for ident in sorted(set(expected[part]) | set(found[part])):
            a, b = expected[part].get(ident), found[part].get(ident)
            if a is None or b is None:
                lines.append("%s %s: document %s, SQL %s" % (part, ident, a, b))
            else:
                lines += ["%s %s %s: document %s, SQL %s" % (part, ident, key, a[key], b[key]) for key in b if a[key] != b[key]]
    return "\n".join(lines[:12])


def law(expected, run):
    """§2.6: the four states add up, and no slip-making code stands beside a school that has the child."""
    states = [p["state"] for p in expected["pupils"].values()]
    counted = {"baseline": len(states), "confirmed": states.count("CONFIRMED"), "provisional": states.count("PROVISIONAL"), "exempt": states.count("EXEMPT"),
               "mismatched": states.count("OPEN"), "outside": sum(1 for e in expected["outside"].values() if e["roster"])}
    problems = ["%s: document %d, SQL %d" % (key, n, run[key]) for key, n in counted.items() if run[key] != n]
    if run["baseline"] != run["confirmed"] + run["provisional"] + run["exempt"] + run["mismatched"]:
        problems.append("the states do not add up")
    problems += ["%s: a slip beside %s" % (ident, p["sp"]) for ident, p in expected["pupils"].items() if p["slip"] and p["sp"]]
    return "\n".join(problems)


# ---- One fixture per code

def base(county):
    m = Maker(county, salt=county)
    m.school(P1, "第一小学", "211", "329999100")
    m.school(P2, "第二小学", "211", "329999200")
    m.school(J1, "第一中学", "311", "329999100")
    m.school(J2, "第二中学", "311", "329999200")
    m.school(NINE, "城南学校", "312", "329999300")
    m.catchment(J1, "329999100")
    return m


BOY = id_number(day(2014, 3, 15), 1)


def fixtures():
    """(name, maker, pupil or None, as_of, codes, state, owners) each in a county of its own; state None: outside P."""
    number = [400000]

    def new(**fields):
        number[0] += 1
        m = base(number[0])
        return m, m.pupil(P1, "王伟", BOY, **fields)

    def outsider(m):
        return {"name": "李芳", "cert_no": id_number(day(2014, 3, 1), 2), "student_no": None}

    m, p = new()
    yield "M01 nothing declared, nowhere found", m, p, SEPTEMBER, "M01", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p), m.declares(P2, outsider(m), "A1", J1)
    yield "M02 a row for somebody not of P", m, None, SEPTEMBER, "M02", None, [P2]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.declares(P2, p, "A1", J1), m.enrols(J1, p)
    yield "M03 in two tables", m, p, SEPTEMBER, "M03", "OPEN", [P1, P2]
    m, _ = new()
    p = m.pupil(P1, "李芳", BOY[:17] + "0", student_no=None)
    m.declares(P1, p, "A1", J1), m.enrols(J1, p)
    yield "M04 a number that fails its check", m, p, SEPTEMBER, "M04", "CONFIRMED", [P1]
    m, p = new(gender="2")
    m.declares(P1, p, "A1", J1), m.enrols(J1, p)
    yield "M04 a number that contradicts 性别", m, p, SEPTEMBER, "M04", "CONFIRMED", [P1]
    m, p = new()
    m.declares(P1, p, "A1", J1, gender="2"), m.enrols(J1, p)
    yield "M05 the table gives another 性别", m, p, SEPTEMBER, "M05", "OPEN", [P1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.files(J1, "V")
    yield "M10 claimed, and the school that verified has nobody", m, p, SEPTEMBER, "M10", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", None, dest_school_name="没有的学校")
    yield "M10 claimed for a school that does not exist", m, p, SEPTEMBER, "M10", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J2, p)
    yield "M11 at another school", m, p, SEPTEMBER, "M11", "OPEN", [P1, J2]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p, False)
    yield "M12 listed, not reported", m, p, SEPTEMBER, "M12", "OPEN", [P1, J1]
    m, p = new()
    m.answers(J1, m.declares(P1, p, "A1", J1), "unknown"), m.enrols(J1, p)
    yield "M13 查无此人 overrides the roster", m, p, SEPTEMBER, "M13", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p, name="王炜")
    yield "M14 another name", m, p, SEPTEMBER, "M14", "OPEN", [J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p, cert_no=id_number(day(2014, 3, 15), 3), student_no=None)
    yield "M15 one digit wrong", m, p, SEPTEMBER, "M15", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p), m.enrols(J2, p)
    yield "M16 at two schools", m, p, SEPTEMBER, "M16", "OPEN", [P1, J1, J2]
    m, p = new()
    person = outsider(m)
    m.enrols(J1, person), m.enrols(J2, person), m.declares(P1, p, "A1", J1), m.enrols(J1, p), m.declares(P2, person, "A1", J1)
    yield "M16 with M02 outside P, at two schools", m, None, SEPTEMBER, "M02 M16", None, [P2, J1, J2]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.files(J1, "V")
    for n in (1, 2):
        m.enrols(J1, {"name": "王伟", "cert_no": None, "student_no": "L32999920140315000" + str(n)}, birth=day(2014, 3, 15), gender="1")
    yield "M17 two candidates", m, p, SEPTEMBER, "M17", "OPEN", ["bureau"]
    m, p = new()
    m.declares(P1, p, "A1", J1)
    yield "M18 the school is silent", m, p, day(2026, 9, 11), "M18", "OPEN", [J1]
    m, p = new()
    m.enrols(J1, p)
    yield "M20 in a roster, not declared", m, p, SEPTEMBER, "M20", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "B1"), m.enrols(J1, p)
    yield "M20 silences M30", m, p, SEPTEMBER, "M20", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p), m.enrols(J2, outsider(m))
    yield "M21 of unknown origin", m, None, SEPTEMBER, "M21", None, [J2]
    m = base(number[0] + 1)
    number[0] += 1
    p = m.pupil(P1, "王伟", id_number(day(2010, 8, 31), 1))
    m.declares(P1, p, "A1", J1), m.enrols(J1, p)
    yield "M22 sixteen years old", m, p, SEPTEMBER, "M22", "CONFIRMED", [J1]
    m, p = new()
    child = m.pupil(P2, "李芳", id_number(day(2014, 3, 1), 2), frozen=False, grade="15")
    m.declares(P1, p, "A1", J1), m.enrols(J1, p), m.enrols(J2, child)
    yield "M22 with M21, a fifth-grader on a roster", m, None, SEPTEMBER, "M21 M22", None, [J2]
    m, p = new()
    m.declares(P1, p, "B3", place="上海市")
    yield "M30 elsewhere without proof", m, p, SEPTEMBER, "M30", "OPEN", [P1, J1]
    m, p = new()
    m.proves(m.declares(P1, p, "B3"))
    yield "M30 a file, but no place", m, p, SEPTEMBER, "M30", "OPEN", [P1, J1]
    m, p = new()
    m.proves(m.declares(P1, p, "B3", place="上海市"))
    yield "M31 nobody looked at the proof in time", m, p, day(2026, 11, 1), "M31", "OPEN", [P1, J1]
    m, p = new()
    m.proves(m.declares(P1, p, "B3", place="上海市")), m.decision(p, "refuted", "B3")
    yield "M32 refuted, then only this", m, p, day(2026, 11, 1), "M32", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "C1")
    yield "M40 deferred without proof", m, p, SEPTEMBER, "M40", "OPEN", [P1, J1]
    m, p = new()
    m.proves(m.declares(P1, p, "C1")), m.decision(p, "accepted", "C1")
    yield "M40 deferred for too long", m, p, day(2027, 9, 1), "M40", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A5", J1), m.enrols(J1, p)
    yield "M41 special without assessment", m, p, SEPTEMBER, "M41", "OPEN", [P1]
    m, p = new()
    m.declares(P1, p, "C3")
    yield "M42 deceased without proof", m, p, SEPTEMBER, "M42", "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "B5", place="法国")
    yield "M43 abroad without proof", m, p, SEPTEMBER, "M43", "OPEN", [P1, J1]
    for code, category in (("M50", "D5"), ("M51", "D2"), ("M52", "D3"), ("M53", "D4"), ("M54", "D1")):
        m, p = new()
        m.declares(P1, p, category)
        yield code + " " + category + " after 31 August", m, p, SEPTEMBER, code, "OPEN", [P1, J1]
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p)
    m.data["rule_lead"].append({"year": YEAR, "pupil": p["rec_id"], "rule": "V5", "at": NOW, "closed_at": None})
    yield "M60 a lead on his admission", m, p, SEPTEMBER, "M60", "CONFIRMED", ["bureau"]

    # What shows no code at all.
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p)
    yield "confirmed by the roster", m, p, SEPTEMBER, "", "CONFIRMED", []
    m, p = new()
    m.answers(J1, m.declares(P1, p, "A1", None, dest_school_name="第一 中学"), "present")
    yield "confirmed by an answer, school by name", m, p, SEPTEMBER, "", "CONFIRMED", []
    m, p = new()
    m.declares(P1, p, "A1", J1), m.enrols(J1, p, cert_no=None)
    yield "confirmed by 学籍号 only", m, p, SEPTEMBER, "", "CONFIRMED", []
    m = base(number[0] + 1)
    number[0] += 1
    p = m.pupil(NINE, "王伟", BOY)
    m.declares(NINE, p, "A4"), m.enrols(NINE, p)
    yield "confirmed in his own nine-year school", m, p, SEPTEMBER, "", "CONFIRMED", []
    m, p = new()
    m.proves(m.declares(P1, p, "A7", J1)), m.enrols(J1, p, False)
    yield "home teaching, any row will do", m, p, SEPTEMBER, "", "CONFIRMED", []
    m, p = new()
    m.declares(P1, p, "A1", J1)
    yield "pending to the last day that the school has", m, p, day(2026, 9, 10), "", "OPEN", []
    m, p = new()
    m.declares(P1, p, "D5")
    yield "undecided in August", m, p, day(2026, 8, 31), "", "OPEN", []
    m, p = new()
    m.proves(m.declares(P1, p, "B3", place="上海市"))
    yield "provisional until 31 October", m, p, day(2026, 10, 31), "", "PROVISIONAL", []
    m, p = new()
    m.proves(m.declares(P1, p, "B3", place="上海市")), m.decision(p, "accepted", "B3")
    yield "confirmed elsewhere", m, p, day(2026, 11, 1), "", "CONFIRMED", []
    m, p = new()
    m.proves(m.declares(P1, p, "C3")), m.decision(p, "accepted", "B3")
    yield "a decision on another category says nothing", m, p, SEPTEMBER, "", "PROVISIONAL", []
    m, p = new()
    m.proves(m.declares(P1, p, "C3")), m.decision(p, "accepted", "C3")
    yield "exempt", m, p, SEPTEMBER, "", "EXEMPT", []
    m, p = new()
    m.declares(P1, p, "A1", J1)
    row = m.enrols(J1, {"name": "王炜", "cert_no": id_number(day(2014, 5, 1), 5), "student_no": None})
    m.pair(p, row, True)
    yield "a person decided: the same", m, p, SEPTEMBER, "", "CONFIRMED", []


def test_fixtures(report, db):
    cases = list(fixtures())
    db.load([m for _, m, *_ in cases])
    db.run({m.county: as_of for _, m, _, as_of, *_ in cases})
    results = db.results([m.county for _, m, *_ in cases])
    shown = set()
    for name, m, pupil, as_of, codes, state, owners in cases:
        got = results[m.county]["pupils"][pupil["rec_id"]] if pupil else next(e for e in results[m.county]["outside"].values() if e["codes"])
        problem = []
        if got["codes"] != set(codes.split()):
            problem.append("codes %s" % got["codes"])
        if state and got["state"] != state:
            problem.append("state %s" % got["state"])
        if got["owners"] != sorted(owners):
            problem.append("owners %s" % got["owners"])
        problem.append(difference(reference.reconcile(m.data, as_of), results[m.county]))
        shown |= got["codes"] if not problem[:-1] else set()
        report.check(name, "; ".join(p for p in problem if p))
    return shown


def test_left(report, db):
    """M61, which needs a yesterday; and what a late change touches."""
    m = base(401001)
    pupils = [m.pupil(P1, "王伟" + c, id_number(day(2014, 3, 15), 100 + i)) for i, c in enumerate("甲乙丙丁戊己庚辛壬癸")]
    rows = [(m.declares(P1, p, "A1", J1), m.enrols(J1, p)) for p in pupils]
    db.load([m])
    first = db.run({m.county: SEPTEMBER})[m.county]
    report.check("ten confirmed pupils", first["confirmed"] != 10 or first["changed"] != 10)
    report.check("a repeated run changes nothing", db.run({m.county: SEPTEMBER})[m.county]["changed"] != 0)

    rows[3][1]["present"] = False
    db.reload([m])
    run = db.run({m.county: SEPTEMBER + timedelta(1)})[m.county]
    got = db.results([m.county])[m.county]["pupils"]
    report.check("a late change re-opens exactly what it touches",
                 run["changed"] != 1 or [i for i, p in enumerate(pupils) if got[p["rec_id"]]["state"] != "CONFIRMED"] != [3] or
                 got[pupils[3]["rec_id"]]["codes"] != {"M12", "M61"})

    rows[5][0].update(category="B3", place="上海市")
    rows[5][1]["deleted"] = True
    m.proves(rows[5][0])
    m.decision(pupils[5], "accepted", "B3")
    db.reload([m])
    for days, codes in ((1, {"M61"}), (61, {"M61"}), (62, set())):
        as_of = SEPTEMBER + timedelta(days)
        db.run({m.county: as_of})
        got = db.results([m.county])[m.county]["pupils"][pupils[5]["rec_id"]]
        report.check("M61 confirmed, and gone from the roster %d days later" % days,
                     (got["codes"] != codes or got["state"] != "CONFIRMED" or got["owners"] != [J1] * len(codes)) and got)
    return {"M61"}


# ---- Random counties

DATES = [day(2026, 7, 1), day(2026, 8, 31), day(2026, 9, 5), day(2026, 9, 10), day(2026, 9, 11), day(2026, 9, 20), day(2026, 9, 21), day(2026, 10, 31),
         day(2026, 11, 2), day(2027, 8, 31), day(2027, 9, 2)]


def test_random(report, db, seeds):
    wrong, shown = [], {}
    for start in range(0, len(seeds), 250):
        batch = {seed: random_county(seed, 500000 + i) for i, seed in enumerate(seeds[start:start + 250], start)}
        by_county = {m.county: seed for seed, m in batch.items()}
        db.load(list(batch.values()))
        before, before_as_of = {}, {}
        for step in ("first run", "after late changes"):
            dates = {m.county: (before_as_of.get(m.county) or min(DATES)) + timedelta(random.Random(seed).choice([1, 20, 61])) if step != "first run"
                     else random.Random(seed).choice(DATES) for seed, m in batch.items()}
            if step != "first run":
                for seed, m in batch.items():
                    late_changes(random.Random(seed + 1), m)
                db.reload(list(batch.values()))
            runs, results = db.run(dates), None
            results = db.results(list(by_county))
            for county, seed in by_county.items():
                expected = reference.reconcile(batch[seed].data, dates[county], before.get(county), before_as_of.get(county))
                for part in expected.values():
                    for entry in part.values():
                        for code in entry["codes"] or {entry.get("state", "held")}:
                            shown[code] = shown.get(code, 0) + 1
                problem = difference(expected, results[county]) or law(expected, runs[county])
                if problem:
                    wrong.append("seed %d, %s, as of %s\n%s" % (seed, step, dates[county], problem))
                before[county], before_as_of[county] = expected["pupils"], dates[county]
        some = {county: as_of for county, as_of in dates.items() if county % 5 == 0}
        repeated = [by_county[county] for county, run in db.run(some).items() if run["changed"]]
        if repeated:
            wrong.append("seeds %s: a repeated run changed something" % repeated)
    report.check("%d random counties, twice each, as the document says" % len(seeds), "\n".join(wrong[:5]) + ("\n%d in all" % len(wrong) if wrong else ""))
    # A generator that never reaches a code proves nothing about it.
    never = sorted(set(reference.RANK) - set(shown))
    report.check("every code stood in some random county", len(seeds) >= 300 and ("never " + " ".join(never) if never else ""))


def test_order(report, db, seeds):
    makers = [random_county(seed, 600000 + i) for i, seed in enumerate(seeds)]
    shuffled = [m.copy(m.county + 50000) for m in makers]
    db.load(makers)
    db.load(shuffled, random.Random(7))
    db.run({m.county: day(2026, 9, 11) for m in makers + shuffled})
    results = db.results([m.county for m in makers + shuffled])
    report.check("the order of rows plays no part", "\n".join(
        "seed %d\n%s" % (seed, difference({k: v for k, v in results[m.county].items()}, results[m.county + 50000]))
        for seed, m in zip(seeds, makers) if results[m.county] != results[m.county + 50000]))


def test_history(report, db, seeds):
    """Whatever ran before, at whatever dates and between whatever changes: the last run at one date says the same. Only M61 speaks of what runs said
    before, and it hears those alone that looked at an earlier day."""
    straight = [random_county(seed, 700000 + i) for i, seed in enumerate(seeds)]
    winding = [m.copy(m.county + 50000) for m in straight]
    last = {m.county: random.Random(m.county % 50000).choice(DATES) for m in straight + winding}
    for m in straight:
        late_changes(random.Random(m.county), m)
    db.load(winding)
    for turn in range(3):
        db.run({m.county: random.Random(m.county * 7 + turn).choice(DATES) for m in winding})
    for a, b in zip(straight, winding):
        late_changes(random.Random(a.county), b)
    db.load(straight)
    db.reload(winding)
    db.run({m.county: random.Random(m.county * 7 + 5).choice(DATES) for m in winding})
    db.run(last)
    results = db.results(list(last))
    wrong, future = [], 0
    for a in straight:
        plain, wound = results[a.county], results[a.county + 50000]
        for pupil, found in wound["pupils"].items():
            future += "M61" in found["codes"]
            for result in (found, plain["pupils"].get(pupil, {"codes": set()})):
                if "M61" in result["codes"]:
                    result["codes"] -= {"M61"}
                    result["primary"] = result["owners"] = None
            if plain["pupils"].get(pupil, {}).get("owners", 1) is None or found["owners"] is None:
                found["primary"] = found["owners"] = None
                plain["pupils"][pupil]["primary"] = plain["pupils"][pupil]["owners"] = None
        problem = difference(plain, wound)
        if problem:
            wrong.append("county %d\n%s" % (a.county, problem))
    report.check("whatever ran before, a run says the same of the same day", "\n".join(wrong[:3]))
    report.check("some pupil was confirmed before", not future)

    m = base(401500)
    pupil = m.pupil(P1, "王伟", id_number(day(2014, 3, 15), 100))
    m.declares(P1, pupil, "A1", J1)
    row = m.enrols(J1, pupil)
    db.load([m])
    db.run({m.county: day(2026, 11, 2)})  # somebody looked at a later day
    row["deleted"] = True
    db.reload([m])
    db.run({m.county: SEPTEMBER})
    got = db.results([m.county])[m.county]["pupils"][pupil["rec_id"]]
    report.check("a look at a later day leaves no trace in an earlier one", "M61" in got["codes"] and got)


# ---- Normal forms

def test_keys(report, db):
    texts = ["王伟", " 王 伟 ", "王\u3000伟\u00a0\u200b", "ａｎｎａ", "anna LI", "买买提·江", "买买提•江", "买买提．江", "买买提.江", "买买提・江", "买买提‧江", "买买提･江",
             "买买提∙江", "买买提⋅江", "e\u0301", "\uf9d1", "呂", "𫗧", "", "  ", "'32999920130901123x", "３２９９９９２０１３０９０１１２３Ｘ", "329999 2013 0901 123X", "1.23E+17",
             "+86 138-0000-0001", "8613800000001", "008613800000001", "8622123", "8622", "０５２７－８６２２１２３４", "G32999920130901123X", "g32999920130901123x",
             "J329999201403150017", "J329999201403150018", "L329999201403150018", "329999201403150017", "329999201402290018", "329999201602290018", "329999190002290018",
             "329999201413010018", "329999201404310018", "32999920140315001", "11010519491231002X", "440524188001010014"]
    pairs = [("329999201403150017", "329999201403510017"), ("329999201403150017", "329999201403150027"), ("329999201403150017", "329999201403150018"),
             ("329999201403150017", "329999201405130017"), ("AB12", "AB21"), ("AB12", "AC13"), ("AB12", "AB1"), ("A", "B"), ("", "")]
    import datetime
    lines = [[t, reference.name_key(t), reference.cert_key(t), reference.phone_key(t), reference.student_no_key(t), reference.id_birth(t), reference.id_gender(t),
              reference.id_birth(t) is not None and reference.check_digit(t[:17]) == t[17]] for t in texts]
    query = "COPY (SELECT n, name_key(t), cert_key(t), phone_key(t), student_no_key(t), id_birth(t), id_gender(t), id_check_ok(t) FROM (VALUES %s) v (n, t) ORDER BY n) TO STDOUT (FORMAT csv);"
    got = list(csv.reader(io.StringIO(db.postgres.sql(query % ",".join("(%d, $q$%s$q$)" % x for x in enumerate(texts))))))
    bad = []
    for line, row in zip(lines, got):
        want = ["" if x is None else "t" if x is True else "f" if x is False else str(x) for x in line[1:]]
        if want != row[1:]:
            bad.append("%r: document %s, SQL %s" % (line[0], want, row[1:]))
    report.check("normal forms of %d nasty texts" % len(texts), "\n".join(bad))
    got = db.postgres.sql("COPY (SELECT id_near(a, b) FROM (VALUES %s) v (n, a, b) ORDER BY n) TO STDOUT;" % ",".join("(%d, '%s', '%s')" % (i, *p) for i, p in enumerate(pairs)))
    want = [reference.near(*p) or p == ("", "") for p in pairs]
    report.check("K4 nearness", [p for p, w, g in zip(pairs, want, got.split()) if (g == "t") != w and p != ("", "")])


# ---- What the service calls

def test_calls(report, db):
    county = 402001
    m = base(county)
    cycle = m.add("cycle", year=YEAR, phase="prefill", undecided_until=None, verify_due=None, provisional_until=None, deferral_until=None)
    pupils = [m.pupil(P1, "王伟" + c, id_number(day(2014, 3, 15), 100 + i), frozen=False) for i, c in enumerate("甲乙丙丁戊己庚")]
    m.pupil(P2, "李芳", id_number(day(2014, 3, 15), 200), frozen=False, status="10")
    m.pupil(P2, "李娜", id_number(day(2014, 3, 15), 201), frozen=False, status=None)
    m.pupil(P2, "李强", id_number(day(2015, 3, 15), 202), frozen=False, grade="15")
    db.load([m])

    def call(text, scope="job", schools=""):
        return db.call(county, text, scope, schools)

    report.check("open freezes grade 6", call("SELECT * FROM transition_open(%d)" % YEAR) != [["8", "2"]])
    report.check("open again gives the same", call("SELECT * FROM transition_open(%d)" % YEAR) != [["8", "2"]])
    ident = pupils[6]["rec_id"]
    report.check("a pupil is taken out once", [call("SELECT transition_amend(%d, false, '%s', '', '转出', 'u')" % (YEAR, ident)) for _ in "ab"] != [[["1"]], [["0"]]])
    report.check("P has one less", call("SELECT baseline FROM transition_open(%d)" % YEAR) != [["7"]])

    def guard(kind, school, *ops):
        """What the guard of a kind says to (id, body) of a school: rows ord, shared_with, code, field, message."""
        return "SELECT * FROM %s_guard(ARRAY[%s], ARRAY[%s], ARRAY[%s]::uuid[], ARRAY[%s]::jsonb[]) ORDER BY ord, code" % (kind, ",".join(str(n + 1) for n in range(len(ops))),
            ",".join("'%s'" % school for _ in ops), ",".join("'%s'" % (op[0] or uuid.uuid4()) for op in ops), ",".join("'%s'" % json.dumps(op[1]) if op[1] else "NULL" for op in ops))

    def filing(school, year, stage, incomplete, reason):
        return [r[2:] for r in call(guard("filing", school, (None, {"year": year, "stage": stage, "incomplete": incomplete, "reason": reason})), "school", school)]

    missing = filing(P1, YEAR, "T1", False, "")
    report.check("file names the pupils in the way", missing != [["INCOMPLETE", "destination", "6 名学生材料不齐：%s等" % "、".join(
        "王伟%s（未填去向）" % c for c in sorted("甲乙丙丁戊己")[:5])]] and missing)
    report.check("file with gaps needs a reason", [r[0] for r in filing(P1, YEAR, "T1", True, " ")] != ["MISSING"])
    report.check("file with gaps and a reason", filing(P1, YEAR, "T1", True, "等户口本"))
    report.check("T2 is not for June", [r[0] for r in filing(P1, YEAR, "T2", True, "等")] != ["PHASE"])
    report.check("a year never opened takes no filing", [r[0] for r in filing(P1, 2030, "T1", True, "等")] != ["PHASE"])
    report.check("imports before the year is opened", call(guard("enrolment", J1, (None, {"year": YEAR + 1}), (None, {"year": YEAR}), (None, None)), "school", J1))
    report.check("not of a year that nobody can open", [r[2] for r in call(guard("enrolment", J1, (None, {"year": 2072})), "school", J1)] != ["INVALID"])

    rows = [m.declares(P1, p, "A1", J1, guardian_confirmed=True) for p in pupils[:5]] + [m.declares(P1, pupils[5], "D5", guardian_confirmed=True)]
    rows.append(m.declares(NINE, {"name": "周", "cert_no": id_number(day(2014, 1, 1), 7), "student_no": None}, "A4"))
    baseline = [dict(zip(COLUMNS["baseline"], r)) for r in csv.reader(io.StringIO(db.postgres.sql(
        "COPY (SELECT %s FROM baseline WHERE county = %d) TO STDOUT (FORMAT csv);" % (",".join(COLUMNS["baseline"]), county))))]
    m.data["baseline"] = [{k: v or None for k, v in row.items()} for row in baseline]
    db.reload([m])
    report.check("a complete table may be filed", filing(P1, YEAR, "T1", False, ""))

    def take(school, stage, ident):
        return call("SELECT filing_snapshot_take(%d, '%s', '%s', '%s')" % (YEAR, school, stage, ident), "school", school)

    t1, t2, verified = (m.new_id() for _ in range(3))
    report.check("the snapshot holds the table", take(P1, "T1", t1) != [["6"]])
    report.check("taken once", take(P1, "T1", t1) != [["0"]])
    report.check("prefill misses the others", call("SELECT * FROM transition_phase_missing(%d, 'prefill')" % YEAR) != [[P1, "第一小学", "T1"], [P2, "第二小学", "T1"]])
    m.files(P1, "T1"), m.files(P2, "T1")
    cycle["phase"] = "confirm"
    rows[0].update(dest_school=J2)
    rows[1]["deleted"] = True
    again = m.declares(P1, pupils[1], "A1", J1, guardian_confirmed=True, place="青阳镇")
    db.reload([m])
    report.check("prefill is complete", call("SELECT * FROM transition_phase_missing(%d, 'prefill')" % YEAR))
    report.check("D5 is refused in September", [r[2] for r in filing(P1, YEAR, "T2", False, "")] != ["1 名学生材料不齐：王伟己（去向未定）"])
    rows[5].update(category="A2", dest_school=J1)
    db.reload([m])
    report.check("A2 asks for a file", [r[2] for r in filing(P1, YEAR, "T2", False, "")] != ["1 名学生材料不齐：王伟己（缺佐证材料）"])
    m.proves(rows[5])
    db.reload([m])
    report.check("then T2 may be filed", filing(P1, YEAR, "T2", False, ""))
    take(P1, "T2", t2)
    diff = call("SELECT name, field, before, after FROM transition_diff(%d)" % YEAR)
    report.check("the diff names pupil and field", sorted(diff) != sorted([
        ["王伟甲", "dest_school", J1, J2], ["王伟乙", "place", "", "青阳镇"], ["王伟己", "category", "D5", "A2"], ["王伟己", "dest_school", "", J1]]) and diff)

    cycle["phase"] = "verify"
    for d in rows + [again]:
        d["other_school"] = d["dest_school"]
    db.postgres.sql("UPDATE destination SET other_school = dest_school WHERE county = %d; UPDATE cycle SET phase = 'verify' WHERE county = %d;" % (county, county))
    verify = guard("verify_answer", J1, *((None, {"year": YEAR, "destination": d}) for d in (again["rec_id"], rows[0]["rec_id"], t1)))
    report.check("only S answers", [[r[0], r[2]] for r in call(verify, "school", J1)] != [["2", "NOT_FOUND"], ["3", "NOT_FOUND"]])
    report.check("also where the server sees more", [[r[0], r[2]] for r in call(verify, "bureau")] != [["2", "PERMISSION"], ["3", "NOT_FOUND"]])
    report.check("verify misses the silent schools", [r[0] for r in call("SELECT * FROM transition_phase_missing(%d, 'verify')" % YEAR)] != [J1, NINE, J2])
    take(J1, "V", verified)
    progress = {r[0]: r for r in call("SELECT code, baseline, declared, t1 IS NOT NULL, t2 IS NOT NULL, verified IS NOT NULL, to_verify, answered FROM transition_progress(%d)" % YEAR)}
    report.check("progress", (progress.get(P1) != [P1, "6", "6", "t", "t", "f", "0", "0"] or progress.get(J1) != [J1, "0", "0", "f", "f", "t", "5", "0"]) and progress)

    # Slips
    db.run({county: day(2026, 9, 5)})
    need = call("SELECT name, action, source, home, codes, severity, round FROM transition_slips_needed(%d) ORDER BY name" % YEAR)
    report.check("who declared nothing needs a slip", need != [["李娜", "create", P2, "bureau", "M01", "high", "1"]] and need)
    pupil, source, home, codes, severity, name, cert_no, student_no = call(
        "SELECT pupil, source, home, codes, severity, name, cert_no, student_no FROM transition_slips_needed(%d)" % YEAR)[0]
    slip = m.add("slip", "", year=YEAR, pupil=pupil, state="draft", round=1, source=source, home=home, codes=codes, severity=severity, name=name, cert_no=cert_no,
                 student_no=student_no)
    addressee = m.add("slip_addressee", "", slip=slip["rec_id"], school=P2)
    db.postgres.sql(load_sql([Only(m, "slip", "slip_addressee")]))
    action = "SELECT action, round FROM transition_slips_needed(%d)" % YEAR
    report.check("a slip that says so needs nothing", call(action))
    def answer(school):
        return [[r[2]] for r in call(guard("slip_addressee", school, (addressee["rec_id"], {"outcome": "found"})))]

    report.check("a draft is not answered", answer(P2) != [["NOT_FOUND"]])
    report.check("verify waits for drafts", ["bureau", "", "DRAFT"] not in call("SELECT * FROM transition_phase_missing(%d, 'verify')" % YEAR))
    db.postgres.sql("UPDATE slip SET state = 'issued' WHERE county = %d" % county)
    report.check("an addressee answers", answer(P2))
    report.check("nobody else does", answer(P1) != [["PERMISSION"]])
    db.postgres.sql("INSERT INTO enrolment (county, rec_id, owner_school, ver, gver, year, name, cert_no, present) VALUES (%d, gen_random_uuid(), '%s', 1, '{1}', %d, '李娜', '%s', true)"
                    % (county, J1, YEAR, cert_no))
    db.run({county: day(2026, 9, 6)})
    report.check("it closes when no slip-making code is left", call(action) != [["close", "1"]])
    db.postgres.sql("UPDATE slip SET state = 'closed' WHERE county = %d" % county)
    report.check("a closed slip needs nothing", call(action))
    report.check("and is not answered", answer(P2) != [["NOT_NOW"]])
    db.postgres.sql("UPDATE enrolment SET present = false WHERE county = %d" % county)
    db.run({county: day(2026, 9, 7)})
    report.check("a returning code re-opens it", call(action) != [["reopen", "2"]])
    report.check("deadline: 24:00 of the third day", call("SELECT slip_deadline('2026-09-12 23:59:59+08', 3) = '2026-09-16 00:00+08', slip_deadline('2026-09-13 00:00+08', 3) = '2026-09-17 00:00+08'")
                 != [["t", "t"]])

    # Words and lists
    report.check("mismatches of a school", [r[0] for r in call("SELECT name FROM transition_mismatches(%d, '%s')" % (YEAR, P2))] != ["李娜"])
    summary = call("SELECT code, baseline, confirmed, provisional, exempt, open, residual FROM transition_summary(%d)" % YEAR)
    report.check("the summary leaves nothing over", (any(r[-1] != "0" for r in summary) or summary[-1][:2] != ["", "7"]) and summary)
    proof = call("SELECT pupil FROM transition_proofs(%d)" % YEAR)
    report.check("no proof to look at", proof)
    rows[2].update(category="B1", place="邻东县", dest_school=None)
    m.proves(rows[2])
    m.data["cycle"][0]["phase"] = "closed"
    db.postgres.sql("UPDATE destination SET category = 'B1', place = '邻东县', dest_school = NULL WHERE county = %d AND rec_id = '%s'; UPDATE cycle SET phase = 'closed' WHERE county = %d;"
                    % (county, rows[2]["rec_id"], county) + load_sql([Only(m, "evidence", "blob", last=1)]))
    db.run({county: day(2026, 9, 8)})
    proof = call("SELECT pupil, category, place, decision, files FROM transition_proofs(%d)" % YEAR)
    report.check("a proof waits", proof != [[pupils[2]["rec_id"], "B1", "邻东县", "", "{证明.pdf}"]] and proof)
    call("SELECT transition_proof_decide(%d, '%s', true, '已电话核实', 'u')" % (YEAR, pupils[2]["rec_id"]))
    run = db.run({county: day(2026, 9, 8)})[county]
    report.check("accepting it confirms him", run["confirmed"] != 1 or run["changed"] != 1)
    db.postgres.sql("UPDATE destination SET place = '　邻东 县' WHERE county = %d AND rec_id = '%s'" % (county, rows[2]["rec_id"]))
    report.check("blanks are no other place", [r[3] for r in call("SELECT pupil, category, place, decision FROM transition_proofs(%d)" % YEAR)] != ["accepted"])
    db.postgres.sql("UPDATE destination SET place = '邻西县' WHERE county = %d AND rec_id = '%s'" % (county, rows[2]["rec_id"]))
    report.check("another place is decided anew", [r[3] for r in call("SELECT pupil, category, place, decision FROM transition_proofs(%d)" % YEAR)] != [""])
    run = db.run({county: day(2026, 9, 9)})[county]
    report.check("and confirms nobody", run["confirmed"] != 0)
    report.check("nothing is edited after the end", [r[2] for r in call(guard("destination", P1, (None, {"year": YEAR}), (rows[0]["rec_id"], None)), "school", P1)] != ["PHASE", "PHASE"])
    report.check("destination_other keeps the order of ord", call(
        "SELECT * FROM destination_other('{1,2,3,4,5}', '{A1,A1,A4,B1,A1}', '{%s,NULL,NULL,%s,9}', '{NULL,第一中学,NULL,NULL,NULL}', '{%s,%s,%s,%s,%s}') ORDER BY ord" % (J2, J1, P1, P1, NINE, P1, P1),
        "school", P1) != [["1", J2], ["2", J1], ["3", NINE], ["4", ""], ["5", ""]])


class Only:
    """Some tables of a county, or their last rows."""

    def __init__(self, maker, *tables, last=0):
        self.county = maker.county
        self.data = {t: maker.data[t][-last:] if t in tables else [] for t in COLUMNS}


def main():
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 1
    count = 5000 if "--long" in sys.argv else 300
    report, began = Report(), time.monotonic()
    with PrivatePostgres() as postgres:
        db = Database(postgres)
        test_keys(report, db)
        shown = test_fixtures(report, db) | test_left(report, db)
        report.check("a fixture for every code", sorted(set(reference.RANK) - shown))
        test_calls(report, db)
        test_order(report, db, list(range(seed, seed + 30)))
        test_history(report, db, list(range(seed, seed + 40)))
        test_random(report, db, list(range(seed, seed + count)))
    print("%d passed, %d failed" % (report.passed, report.failed))
    print("%.1f s" % (time.monotonic() - began), file=sys.stderr)
    sys.exit(report.failed > 0)


if __name__ == "__main__":
    main()
