#!/usr/bin/python3
"""reconcile.py [PUPILS…]: how long transition_reconcile takes, and how it grows (default 16000 1000000).

Synthetic counties on a private PostgreSQL: nine in ten pupils are as they should be, the others carry the mistakes of
a real September (typed numbers, missing rows, student numbers only, pupils elsewhere, unknown children). Prints, per
size, the seconds of the first run, of the run after nothing changed, and the growth exponent between the sizes.
"""
import math
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "service"))
from private_pg import PrivatePostgres

# i numbers the pupils; each tenth of a thousand (i % 1000) below 100 is one kind of mistake.
MAKE = r"""
CREATE TEMP TABLE pupil AS
SELECT i, md5('s' || i)::uuid AS student, md5('d' || i)::uuid AS dest, md5('e' || i)::uuid AS roster,
	'2132' || lpad((i % {primaries})::text, 6, '0') AS source, '3132' || lpad((i % {juniors})::text, 6, '0') AS junior,
	no || id_check_digit(no) AS cert, i % 1000 AS kind,
	substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + i % 20, 1) || chr(19968 + (i % 1200 * 7919) % 1200) || chr(19968 + (i / 1200) % 900) AS name
FROM (SELECT i, (329000 + i / 300000)::text || to_char(date '2013-09-01' + i % 365, 'YYYYMMDD') || lpad((i / 365 % 1000)::text, 3, '0') AS no
	FROM generate_series(1, {pupils}) AS i) n;
INSERT INTO school (county, rec_id, owner_school, ver, gver, nkey, code, name, type, founder, area)
SELECT {county}, md5('p' || i)::uuid, '', 1, ARRAY[1], 'p' || i, '2132' || lpad(i::text, 6, '0'), '第' || i || '小学', '211', '831', '329999' || lpad((100 + i % 900)::text, 3, '0')
FROM generate_series(0, {primaries} - 1) i
UNION ALL SELECT {county}, md5('j' || i)::uuid, '', 1, ARRAY[1], 'j' || i, '3132' || lpad(i::text, 6, '0'), '第' || i || '中学', '311', '831', '329999' FROM generate_series(0, {juniors} - 1) i;
INSERT INTO catchment (county, rec_id, owner_school, ver, gver, nkey, school, stage, area)
SELECT {county}, md5('c' || i)::uuid, '', 1, '{{1}}', 'c' || i, '3132' || lpad((i % {juniors})::text, 6, '0'), 'junior', '329999' || lpad((100 + i)::text, 3, '0') FROM generate_series(0, 899) i;
INSERT INTO student (county, rec_id, owner_school, ver, gver, nkey, name, cert_type, cert_no, student_no, gender, birth, grade, class_no, status, live_area)
SELECT {county}, student, source, 1, '{{1,1,1}}', cert, name, '1', cert, 'G' || cert, id_gender(cert), id_birth(cert), '16', '1', '01', '329999' || lpad((100 + i % 900)::text, 3, '0') || '001' FROM pupil;
INSERT INTO guardian (county, rec_id, owner_school, ver, gver, nkey, student, ordinal, phone) SELECT {county}, md5('g' || i)::uuid, source, 1, '{{1}}', student || '1', student, 1, '138' || lpad(i::text, 8, '0') FROM pupil;
INSERT INTO destination (county, rec_id, owner_school, ver, gver, nkey, year, name, cert_no, student_no, guardian_phone, category, dest_school, place)
SELECT {county}, dest, source, 1, '{{1,1,1}}', cert, 2026, name, CASE WHEN kind BETWEEN 10 AND 14 THEN overlay(cert PLACING '9' FROM 15 FOR 1) ELSE cert END, 'G' || cert, '138' || lpad(i::text, 8, '0'),
	CASE WHEN kind BETWEEN 20 AND 34 THEN 'B3' WHEN kind BETWEEN 35 AND 37 THEN 'D2' ELSE 'A1' END,
	CASE WHEN kind NOT BETWEEN 20 AND 37 THEN junior END, CASE WHEN kind BETWEEN 20 AND 34 THEN '上海市' END
FROM pupil WHERE kind NOT BETWEEN 0 AND 9;
INSERT INTO enrolment (county, rec_id, owner_school, ver, gver, nkey, year, name, cert_no, student_no, birth, gender, guardian_phone, present)
SELECT {county}, roster, junior, 1, '{{1,1}}', cert, 2026, CASE WHEN kind BETWEEN 60 AND 64 THEN name || '一' ELSE name END,
	CASE WHEN kind BETWEEN 40 AND 49 THEN NULL WHEN kind BETWEEN 50 AND 59 THEN overlay(cert PLACING '8' FROM 16 FOR 1) WHEN kind BETWEEN 70 AND 79 THEN md5(cert) ELSE cert END,
	CASE WHEN kind BETWEEN 40 AND 49 THEN 'G' || cert END, CASE WHEN kind BETWEEN 70 AND 74 THEN id_birth(cert) END, id_gender(cert), '138' || lpad(i::text, 8, '0'), kind NOT BETWEEN 80 AND 84
FROM pupil WHERE kind NOT BETWEEN 15 AND 37;
INSERT INTO enrolment (county, rec_id, owner_school, ver, gver, nkey, year, name, cert_no, present)
SELECT {county}, md5('x' || i)::uuid, junior, 1, '{{1,1}}', 'x' || i, 2026, name, md5('x' || i), true FROM pupil WHERE kind < 10;
INSERT INTO evidence (county, rec_id, owner_school, ver, gver, nkey, target, sha, size, name)
SELECT {county}, md5('v' || i)::uuid, source, 1, '{{1}}', 'v' || i, dest, sha256(dest::text::bytea), 1, 'a.pdf' FROM pupil WHERE kind BETWEEN 20 AND 30;
INSERT INTO blob (county, school, sha, size, complete) SELECT {county}, source, sha256(dest::text::bytea), 1, true FROM pupil WHERE kind BETWEEN 20 AND 30;
INSERT INTO filing (county, rec_id, owner_school, ver, gver, year, stage) SELECT {county}, md5('f' || i)::uuid, '3132' || lpad(i::text, 6, '0'), 1, '{{1}}', 2026, 'V' FROM generate_series(0, {juniors} / 2) i;
"""
SCOPE = "SET LOCAL app.county = '%d'; SET LOCAL app.scope = 'job'; SET LOCAL app.schools = ''; SET LOCAL app.streams = '';"


def reconcile(postgres, county):
    began = time.monotonic()
    line = postgres.sql("BEGIN; %s SELECT * FROM transition_reconcile(2026, '2026-09-12'); COMMIT;" % (SCOPE % county), user="jingguan_app", options=["-At"])
    return time.monotonic() - began, line.strip()


def main():
    sizes = [int(a) for a in sys.argv[1:]] or [16000, 1000000]
    seconds = []
    with PrivatePostgres(directory=tempfile.gettempdir(), fsync="on") as postgres:
        for county, pupils in enumerate(sizes, 320001):
            postgres.sql(MAKE.format(county=county, pupils=pupils, primaries=max(2, pupils // 250), juniors=max(2, pupils // 500)))
            opened = postgres.sql("BEGIN; %s SELECT * FROM transition_open(2026); COMMIT;" % (SCOPE % county), user="jingguan_app", options=["-At"])
            first, counts = reconcile(postgres, county)
            again, unchanged = reconcile(postgres, county)
            seconds.append(first)
            print("%9d pupils: first run %7.2f s, nothing changed %7.2f s  open %s  %s | %s" % (pupils, first, again, opened.strip(), counts, unchanged), flush=True)
    if len(sizes) > 1:
        print("growth exponent %.2f" % (math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])))


if __name__ == "__main__":
    main()
