-- Reconciliation (domain.md §2.4–2.6): transition_reconcile is one pass of set-based steps over temporary tables r_*. It reads live rows and
-- dated settings only; nothing here loops over pupils.

-- ---- The codes (§2.6)

-- One row per code in the order in which a pupil's codes stand: most severe first, then by number. `owner` names who
-- mends it: source, home, s = S(t), sp = Sp, sa = Sa, named and numbered = the schools whose rows differ in name or in
-- number, rows = all schools of a person outside P, filers, left = where he was confirmed last.
-- M60 is free like M61: a broken rule is a lead against a school and never a verdict (§3.6), and the child is in school.
CREATE OR REPLACE FUNCTION transition_codes() RETURNS TABLE (code text, severity text, slip boolean, free boolean, owner text[]) LANGUAGE sql IMMUTABLE AS $$
	VALUES
		('M10', 'critical', true, false, '{source,home,s}'::text[]),
		('M12', 'critical', true, false, '{source,home,sa}'),
		('M13', 'critical', true, false, '{source,home,s}'),
		('M50', 'critical', true, false, '{source,home}'),
		('M51', 'critical', true, false, '{source,home}'),
		('M52', 'critical', true, false, '{source,home}'),
		('M53', 'critical', true, false, '{source,home}'),
		('M54', 'critical', true, false, '{source,home}'),
		('M01', 'high', true, false, '{source,home}'),
		('M16', 'high', false, false, '{source,sp}'),
		('M18', 'high', false, false, '{s}'),
		('M30', 'high', true, false, '{source,home}'),
		('M31', 'high', true, false, '{source,home}'),
		('M32', 'high', true, false, '{source,home}'),
		('M40', 'high', true, false, '{source,home}'),
		('M41', 'high', false, false, '{source}'),
		('M42', 'high', true, false, '{source,home}'),
		('M43', 'high', true, false, '{source,home}'),
		('M60', 'high', false, true, '{bureau}'),
		('M02', 'mid', false, false, '{filers}'),
		('M03', 'mid', false, false, '{filers,source}'),
		('M04', 'mid', false, true, '{source}'),
		('M05', 'mid', false, false, '{source}'),
		('M14', 'mid', false, false, '{named}'),
		('M15', 'mid', false, false, '{source,numbered}'),
		('M17', 'mid', false, false, '{bureau}'),
		('M20', 'mid', false, false, '{source,sp}'),
		('M21', 'mid', false, false, '{rows}'),
		('M22', 'mid', false, true, '{sp,sa}'),
		('M61', 'mid', false, true, '{left}'),
		('M11', 'low', false, false, '{source,sp}')
$$;

-- ---- Steps of transition_reconcile. Each leaves temporary tables for the next and ends by analysing them, because a plan made on a table
-- never analysed is quadratic.

-- §2.4: P as r_p, T and J as r_row (told apart by `side`). A unit `u` is a person g of J or a single row of T. K1 of §2.5
-- is done here for the numbers that one pupil has, which is nearly every row; reconcile_match takes the rest.
CREATE OR REPLACE FUNCTION reconcile_read(of_year int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	-- A school that undoes an import and makes it again has new student rows: P follows them by the natural key.
	UPDATE baseline b SET student = n.rec_id
	FROM student o JOIN student n ON n.county = o.county AND n.owner_school = o.owner_school AND n.nkey = o.nkey AND NOT n.deleted
	WHERE b.county = app_county() AND b.year = of_year AND o.county = b.county AND o.rec_id = b.student AND o.deleted;

	-- Student numbers stay unchecked here (`sno`): two equal ones are both valid or both not, so that checking the few
	-- that are left to compare is enough.
	CREATE TEMP TABLE r_p AS
	SELECT k.pupil, k.student, k.source, k.name, k.cert, k.sno, k.old_sno, k.live_area, k.hukou_area,
		coalesce(k.birth, k.id_birth) AS birth, coalesce(k.gender, k.id_gender) AS gender,
		-- M04. Types 1 and B hold an 18-digit number (§1.2); others may hold one, and then it must agree as well.
		coalesce(k.cert <> '' AND (k.resident OR k.cert ~ '^[0-9]{17}[0-9X]$') AND (k.id_birth IS NULL OR id_check_digit(k.cert) <> substr(k.cert, 18)
			OR k.id_birth <> k.birth OR k.id_gender <> k.gender), false) AS id_fault
	FROM (SELECT l.*, id_birth(l.cert) AS id_birth, id_gender(l.cert) AS id_gender
		FROM (SELECT b.pupil, b.student, b.source_school COLLATE "C" AS source, name_key(s.name) COLLATE "C" AS name,
				cert_key(s.cert_no) COLLATE "C" AS cert, cert_key(s.student_no) COLLATE "C" AS sno,
				cert_key(b.student_no) COLLATE "C" AS old_sno, s.live_area COLLATE "C" AS live_area, s.hukou_area COLLATE "C" AS hukou_area,
				s.birth, CASE WHEN s.gender IN ('1', '2') THEN s.gender END AS gender,
				coalesce(s.cert_type, '') IN ('', '1', 'B') AS resident
			FROM baseline b LEFT JOIN student s ON s.county = b.county AND s.rec_id = b.student
			WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL OFFSET 0) l OFFSET 0) k;
	ANALYZE r_p;

	-- T and J in one statement, that is of one moment. S(t) is worked out once per way in which schools write it (led), not
	-- once per row. Birth, gender, phone and student number stay as written: only the few rows that no number matched
	-- need them. `no` is the cert_no of the unit, `cert` that of the row.
	CREATE TEMP TABLE r_row AS
	WITH way AS (
		SELECT row_number() OVER ()::int AS ord, w.*
		FROM (SELECT DISTINCT d.category, coalesce(d.dest_school, '') AS code, coalesce(d.dest_school_name, '') AS name, d.owner_school AS owner
			FROM destination d WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted AND d.category <> '') w),
	led AS MATERIALIZED (
		SELECT way.*, o.school COLLATE "C" AS dest
		FROM way JOIN destination_other((SELECT array_agg(w.ord ORDER BY w.ord) FROM way w),
			(SELECT array_agg(w.category ORDER BY w.ord) FROM way w), (SELECT array_agg(w.code ORDER BY w.ord) FROM way w),
			(SELECT array_agg(w.name ORDER BY w.ord) FROM way w), (SELECT array_agg(w.owner ORDER BY w.ord) FROM way w)) o USING (ord))
	SELECT k.side, k.row_id, k.school, CASE k.side WHEN 'T' THEN k.row_id::text ELSE coalesce(k.cert, student_no_key(k.sno), k.row_id::text) END COLLATE "C" AS u,
		k.cert AS no, k.name, k.cert, k.sno, k.birth, k.gender, k.phone, k.present, k.category, k.dest, k.placed,
		p.pupil, CASE WHEN p.pupil IS NOT NULL THEN 1 END AS pass
	FROM (SELECT 'T' AS side, d.rec_id AS row_id, d.owner_school COLLATE "C" AS school, name_key(d.name) COLLATE "C" AS name,
			cert_key(d.cert_no) COLLATE "C" AS cert, d.student_no COLLATE "C" AS sno, NULL::date AS birth, d.gender, d.guardian_phone AS phone,
			NULL::boolean AS present, d.category COLLATE "C" AS category, w.dest,
			coalesce(d.place, '') || coalesce(d.dest_school_name, '') || coalesce(d.dest_school, '') <> '' AS placed
		FROM destination d JOIN led w ON w.category = d.category AND w.owner = d.owner_school
			AND w.code = coalesce(d.dest_school, '') AND w.name = coalesce(d.dest_school_name, '')
		WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted
		UNION ALL
		SELECT 'J', e.rec_id, e.owner_school COLLATE "C", name_key(e.name) COLLATE "C", cert_key(e.cert_no) COLLATE "C", e.student_no COLLATE "C",
			e.birth, e.gender, e.guardian_phone, coalesce(e.present, false), NULL, NULL, NULL
		FROM enrolment e JOIN junior_schools() s ON s.code = e.owner_school
		WHERE e.county = app_county() AND e.year = of_year AND NOT e.deleted OFFSET 0) k
	LEFT JOIN (SELECT p.cert, (array_agg(p.pupil))[1] AS pupil FROM r_p p GROUP BY p.cert HAVING count(*) = 1) p ON p.cert = k.cert;
	ANALYZE r_row;

	-- §2.5: a row without cert_no joins the only g that has its student number as an alias; else it is its own g.
	UPDATE r_row r SET u = sole.cert, no = sole.cert
	FROM (SELECT m.row_id, min(m.cert) AS cert
		FROM (SELECT l.row_id, g.cert FROM r_row l JOIN r_row g ON g.side = 'J' AND cert_key(g.sno) = l.u
			WHERE l.side = 'J' AND l.cert IS NULL AND g.cert IS NOT NULL
			UNION
			SELECT l.row_id, g.cert FROM r_row l JOIN r_row g ON g.side = 'J' AND g.cert = substr(l.u, 2)
			WHERE l.side = 'J' AND l.cert IS NULL AND l.u LIKE 'G%') m
		GROUP BY m.row_id HAVING count(*) = 1) sole
	WHERE r.side = 'J' AND r.row_id = sole.row_id;
END $$;

-- §2.5 for the rows that are left: whose they are (r_row.pupil, with the pass that said so), and which are tied (r_tied).
CREATE OR REPLACE FUNCTION reconcile_match(of_year int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE r_pair (side text, u text COLLATE "C", pupil uuid, pass int);
	CREATE TEMP TABLE r_tied (side text, u text COLLATE "C", pupil uuid);

	-- K0. A decision on one row holds for the whole g; the latest on a pair counts, and the latest "same" on a g.
	CREATE TEMP TABLE r_decision AS
	SELECT DISTINCT ON (r.side, r.u, w.pupil) r.side, r.u, w.pupil, w.same, w.n
	FROM pair_decision w JOIN r_row r ON r.row_id = w.row_id JOIN r_p p ON p.pupil = w.pupil
	WHERE w.county = app_county() AND w.year = of_year
	ORDER BY r.side, r.u, w.pupil, w.n DESC;
	ANALYZE r_decision;
	UPDATE r_row r SET pupil = NULL, pass = NULL FROM r_decision w WHERE w.side = r.side AND w.u = r.u;
	INSERT INTO r_pair SELECT DISTINCT ON (w.side, w.u) w.side, w.u, w.pupil, 0 FROM r_decision w WHERE w.same ORDER BY w.side, w.u, w.n DESC;

	CREATE TEMP TABLE r_left AS
	SELECT r.side, r.row_id, r.school, r.u, r.no, r.name, r.cert, student_no_key(r.sno) AS sno, coalesce(r.birth, id_birth(r.cert)) AS birth,
		CASE WHEN r.gender IN ('1', '2') THEN r.gender ELSE id_gender(r.cert) END AS gender, phone_key(r.phone) AS phone, r.present, r.dest
	FROM r_row r WHERE r.pupil IS NULL;
	ANALYZE r_left;

	-- K1. One pupil at most: where two of P share a number, a table's row is of the pupil of the school that filed it,
	-- else of the one who has its name, else of the lower source and pupil, so that no order of rows decides.
	INSERT INTO r_pair
	SELECT DISTINCT ON (l.side, l.u) l.side, l.u, p.pupil, 1
	FROM r_left l JOIN r_p p ON p.cert = l.no
	WHERE NOT EXISTS (SELECT FROM r_pair a WHERE a.side = l.side AND a.u = l.u)
		AND NOT EXISTS (SELECT FROM r_decision w WHERE w.side = l.side AND w.u = l.u AND w.pupil = p.pupil AND NOT w.same)
	ORDER BY l.side, l.u, l.side = 'T' AND l.school = p.source DESC, coalesce(l.name = p.name AND l.cert = p.cert, false) DESC, p.source, p.pupil;

	-- K2. `formal`: a valid student number, so an equal one of the pupil is valid too; "G"+cert_no need not be.
	WITH alias AS (
		SELECT DISTINCT l.side, l.u, a.alias, student_no_key(a.alias) IS NOT NULL AS formal
		FROM r_left l CROSS JOIN LATERAL (VALUES (l.sno), ('G' || l.no)) a (alias)
		WHERE a.alias IS NOT NULL AND NOT EXISTS (SELECT FROM r_pair a WHERE a.side = l.side AND a.u = l.u)),
	meets AS (
		SELECT a.side, a.u, p.pupil FROM alias a JOIN r_p p ON p.sno = a.alias WHERE a.formal
		UNION SELECT a.side, a.u, p.pupil FROM alias a JOIN r_p p ON p.old_sno = a.alias WHERE a.formal
		UNION SELECT a.side, a.u, p.pupil FROM alias a JOIN r_p p ON p.cert = substr(a.alias, 2) WHERE a.alias LIKE 'G%'),
	allowed AS (
		SELECT m.*, count(*) OVER (PARTITION BY m.side, m.u) AS n FROM meets m
		WHERE NOT EXISTS (SELECT FROM r_decision w WHERE w.side = m.side AND w.u = m.u AND w.pupil = m.pupil AND NOT w.same))
	INSERT INTO r_pair SELECT side, u, pupil, 2 FROM allowed WHERE n = 1;
	ANALYZE r_pair;

	-- K3–K5. Only names that some row is left for need a look, and only pupils who hold nothing yet on that side.
	CREATE TEMP TABLE r_free AS
	SELECT s.side, p.pupil, p.student, p.source, p.name, p.cert, p.birth, p.gender
	FROM (SELECT p.* FROM r_p p WHERE p.name IN (SELECT l.name FROM r_left l)) p CROSS JOIN (VALUES ('J'), ('T')) s (side)
	WHERE NOT EXISTS (SELECT FROM r_row r WHERE r.side = s.side AND r.pupil = p.pupil)
		AND NOT EXISTS (SELECT FROM r_pair a WHERE a.side = s.side AND a.pupil = p.pupil);
	ANALYZE r_free;
	FOR k IN 3..5 LOOP
		CREATE TEMP TABLE r_edge AS
		SELECT DISTINCT l.side, l.u, p.pupil
		FROM r_free p JOIN r_left l ON l.side = p.side AND l.name = p.name
		WHERE (l.side = 'J' OR l.school = p.source)
			AND CASE k WHEN 3 THEN l.birth = p.birth AND l.gender = p.gender
				WHEN 4 THEN id_near(l.cert, p.cert)
				ELSE EXISTS (SELECT FROM guardian h WHERE h.county = app_county() AND h.student = p.student AND NOT h.deleted AND phone_key(h.phone) = l.phone) END
			AND NOT EXISTS (SELECT FROM r_decision w WHERE w.side = l.side AND w.u = l.u AND w.pupil = p.pupil AND NOT w.same)
			AND NOT EXISTS (SELECT FROM r_pair a WHERE a.side = l.side AND a.u = l.u)
			AND NOT EXISTS (SELECT FROM r_pair a WHERE a.side = p.side AND a.pupil = p.pupil)
			AND NOT EXISTS (SELECT FROM r_tied x WHERE x.side = l.side AND x.u = l.u)
			AND NOT EXISTS (SELECT FROM r_tied x WHERE x.side = p.side AND x.pupil = p.pupil);
		-- Each other's only candidate: attached weakly. Any other pupil with a candidate is tied, and all his
		-- candidates are held.
		INSERT INTO r_pair
		SELECT e.side, e.u, e.pupil, k
		FROM (SELECT e.*, count(*) OVER (PARTITION BY e.side, e.pupil) AS of_pupil, count(*) OVER (PARTITION BY e.side, e.u) AS of_unit FROM r_edge e) e
		WHERE e.of_pupil = 1 AND e.of_unit = 1;
		INSERT INTO r_tied
		SELECT e.side, e.u, e.pupil FROM r_edge e
		WHERE NOT EXISTS (SELECT FROM r_pair a WHERE a.side = e.side AND a.pupil = e.pupil);
		DROP TABLE r_edge;
	END LOOP;
	UPDATE r_row r SET pupil = a.pupil, pass = a.pass FROM r_pair a WHERE a.side = r.side AND a.u = r.u AND r.pupil IS NULL;
	ANALYZE r_pair;
	ANALYZE r_tied;
END $$;

-- §2.4 t(p), S(t), V, E, home(p); §2.5 Sp and Sa; §2.6 codes and states of P. Leaves r_case.
CREATE OR REPLACE FUNCTION reconcile_judge(of_year int, on_date date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	setting record;
	glyphs text;
	bases text;
BEGIN
	SELECT * INTO setting FROM transition_settings(of_year);
	-- A county's own rows come first, because translate() takes the first that it finds.
	SELECT coalesce(string_agg(v.glyph, '' ORDER BY v.county DESC, v.glyph), ''), coalesce(string_agg(v.base, '' ORDER BY v.county DESC, v.glyph), '')
	INTO glyphs, bases
	FROM glyph_variant v WHERE v.county IN (0, app_county()) AND v.valid_from <= on_date AND (v.valid_to IS NULL OR v.valid_to >= on_date);

	-- All rows of T that are his; the first is t(p).
	CREATE TEMP TABLE r_mine AS
	SELECT r.pupil, r.row_id, r.school, r.pass, r.name, r.cert, CASE WHEN r.gender IN ('1', '2') THEN r.gender END AS gender_given,
		r.category, r.dest, r.placed,
		row_number() OVER (PARTITION BY r.pupil ORDER BY r.school = p.source DESC, r.school, r.pass = 1 DESC, coalesce(r.cert, cert_key(r.sno)), r.row_id) AS nth
	FROM r_row r JOIN r_p p ON p.pupil = r.pupil WHERE r.side = 'T';
	ANALYZE r_mine;

	-- V. An answer of S counts for the pupil on whichever of his rows S gave it, that on t(p) before the others.
	CREATE TEMP TABLE r_answer AS
	SELECT DISTINCT ON (b.pupil) b.pupil, b.dest AS school, v.answer, b.category
	FROM verify_answer v JOIN r_mine m ON m.row_id = v.destination JOIN r_mine b ON b.pupil = m.pupil AND b.nth = 1 AND b.dest = v.owner_school
	WHERE v.county = app_county() AND v.year = of_year AND NOT v.deleted AND v.answer IN ('present', 'absent', 'unknown')
	ORDER BY b.pupil, m.nth;
	ANALYZE r_answer;

	-- His rows after V: `unknown` removes those of S, present and absent decide them and make one if there is none. For A7
	-- any row counts as present (home teaching does not report). The inner order makes every array sorted.
	CREATE TEMP TABLE r_where AS
	SELECT s.pupil, array_agg(s.school) AS found,
		coalesce(array_agg(s.school) FILTER (WHERE s.present), '{}') AS sp, coalesce(array_agg(s.school) FILTER (WHERE NOT s.present), '{}') AS sa,
		array_agg(s.school) FILTER (WHERE s.renamed) AS named, bool_or(s.renamed_hard) AS hard,
		array_agg(s.school) FILTER (WHERE s.renumbered) AS numbered
	FROM (SELECT r.pupil, r.school, bool_or(r.present OR r.at_home) AS present, bool_or(r.renamed) AS renamed,
			bool_or(r.renamed AND translate(r.name, glyphs, bases) <> translate(r.his_name, glyphs, bases)) AS renamed_hard,
			bool_or(r.renumbered) AS renumbered
		FROM (SELECT r.pupil, r.school, CASE WHEN v.answer IS NULL THEN r.present ELSE v.answer = 'present' END AS present,
				coalesce(b.category = 'A7', false) AS at_home, r.name, p.name AS his_name, r.pass > 0 AND r.name <> p.name AS renamed,
				r.pass > 2 OR r.pass > 0 AND r.cert <> p.cert AS renumbered
			FROM r_row r JOIN r_p p ON p.pupil = r.pupil
			LEFT JOIN r_mine b ON b.pupil = r.pupil AND b.nth = 1
			LEFT JOIN r_answer v ON v.pupil = r.pupil AND v.school = r.school
			WHERE r.side = 'J' AND v.answer IS DISTINCT FROM 'unknown'
			UNION ALL
			SELECT v.pupil, v.school, v.answer = 'present', v.category = 'A7', NULL, NULL, NULL, NULL FROM r_answer v WHERE v.answer <> 'unknown') r
		GROUP BY r.pupil, r.school ORDER BY r.pupil, r.school) s
	GROUP BY s.pupil;
	ANALYZE r_where;

	-- E, where proof or a decision counts: everywhere but A1–A4 and D.
	CREATE TEMP TABLE r_proof AS
	SELECT b.pupil, (b.category NOT LIKE 'B_' OR b.placed) AND (b.row_id, b.school) IN (
			SELECT e.target, e.owner_school FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha
			WHERE e.county = app_county() AND NOT e.deleted AND f.complete AND f.size > 0) AS proof, w.decision
	FROM r_mine b JOIN destination d ON d.county = app_county() AND d.rec_id = b.row_id
	LEFT JOIN (
		SELECT DISTINCT ON (w.pupil) w.pupil, w.decision, w.category, w.about FROM proof_decision w WHERE w.county = app_county() AND w.year = of_year
		ORDER BY w.pupil, w.n DESC) w ON w.pupil = b.pupil AND w.category = b.category AND coalesce(w.about = destination_about(d.place, d.dest_school, d.dest_school_name), true)
	WHERE b.nth = 1 AND (b.category LIKE 'B_' OR b.category LIKE 'C_' OR b.category IN ('A5', 'A6', 'A7', 'A8'));
	ANALYZE r_proof;

	-- M61: where he last was confirmed in the county, by the runs that looked at this day or an earlier one. In which order the runs
	-- were made plays no part.
	CREATE TEMP TABLE r_gone AS
	SELECT DISTINCT ON (i.pupil) i.pupil, i.school, r.as_of
	FROM pupil_confirmed i
	JOIN r_p p ON p.pupil = i.pupil
	LEFT JOIN r_where w ON w.pupil = i.pupil
	JOIN reconcile_run r ON r.county = i.county AND r.year = i.year AND r.run_no >= i.from_run AND (i.to_run IS NULL OR r.run_no <= i.to_run)
	WHERE i.county = app_county() AND i.year = of_year AND (w.sp IS NULL OR w.sp = '{}') AND r.as_of BETWEEN on_date - setting.left_days AND on_date
	ORDER BY i.pupil, r.as_of DESC, r.run_no DESC;
	ANALYZE r_gone;

	-- home(p): 现住址, then 户籍, then the source's area.
	CREATE TEMP TABLE r_area AS
	SELECT c.area COLLATE "C" AS area, c.schools FROM catchment_home(ARRAY(
		SELECT p.live_area FROM r_p p UNION SELECT p.hukou_area FROM r_p p
		UNION SELECT s.area FROM school s WHERE s.county = app_county() AND NOT s.deleted)) c;
	ANALYZE r_area;

	-- Inside, every condition of §2.6 has a name, so that the codes read like the document's table. `nowhere` is what M10,
	-- M18 and the time that S has left to verify share.
	CREATE TEMP TABLE r_case AS
	SELECT f.*, array_remove(ARRAY[
		CASE WHEN nowhere AND s_is IN ('submitted', 'none') THEN 'M10' END,
		CASE WHEN sp0 AND NOT sa0 AND (is_a OR no_t) THEN 'M12' END,
		CASE WHEN is_a AND answer = 'unknown' AND sp0 THEN 'M13' END,
		CASE WHEN category = 'D5' AND sp0 AND late THEN 'M50' END,
		CASE WHEN category = 'D2' AND sp0 AND late THEN 'M51' END,
		CASE WHEN category = 'D3' AND sp0 AND late THEN 'M52' END,
		CASE WHEN category = 'D4' AND sp0 AND late THEN 'M53' END,
		CASE WHEN category = 'D1' AND sp0 AND late THEN 'M54' END,
		CASE WHEN no_t AND sp0 AND NOT tied THEN 'M01' END,
		CASE WHEN cardinality(sp) > 1 THEN 'M16' END,
		CASE WHEN nowhere AND s_is = 'silent' THEN 'M18' END,
		-- M20 silences what follows for B, C and D: hence sp0. A refuted proof of B shows M32 alone.
		CASE WHEN category IN ('B1', 'B2', 'B3') AND sp0 AND NOT proof AND decision IS DISTINCT FROM 'refuted' THEN 'M30' END,
		CASE WHEN is_b AND sp0 AND proof AND decision IS NULL AND on_date > setting.provisional_until THEN 'M31' END,
		CASE WHEN is_b AND sp0 AND decision = 'refuted' THEN 'M32' END,
		CASE WHEN sp0 AND (category IN ('C1', 'C2') AND (NOT proof OR decision = 'refuted') OR category = 'C1' AND on_date > setting.deferral_until) THEN 'M40' END,
		CASE WHEN category IN ('A5', 'A6', 'A7', 'A8') AND (NOT proof OR decision = 'refuted') THEN 'M41' END,
		CASE WHEN category = 'C3' AND sp0 AND (NOT proof OR decision = 'refuted') THEN 'M42' END,
		CASE WHEN category IN ('B4', 'B5') AND sp0 AND NOT proof AND decision IS DISTINCT FROM 'refuted' THEN 'M43' END,
		CASE WHEN lead THEN 'M60' END,
		CASE WHEN filers IS NOT NULL THEN 'M03' END,
		CASE WHEN id_fault THEN 'M04' END,
		CASE WHEN t_differs THEN 'M05' END,
		CASE WHEN named IS NOT NULL THEN 'M14' END,
		CASE WHEN numbered IS NOT NULL THEN 'M15' END,
		CASE WHEN tied THEN 'M17' END,
		CASE WHEN NOT sp0 AND is_a IS NOT TRUE THEN 'M20' END,
		CASE WHEN odd_age AND NOT (sp0 AND sa0) THEN 'M22' END,
		CASE WHEN sp0 AND on_date - left_on <= setting.left_days THEN 'M61' END,
		CASE WHEN is_a AND cardinality(sp) = 1 AND sp[1] IS DISTINCT FROM dest THEN 'M11' END], NULL) AS codes
	FROM (
		SELECT p.pupil, p.source, b.row_id AS destination, b.category, b.dest, p.id_fault, w.sp, w.sa, w.found, w.named, w.numbered, w.hard,
			b.pupil IS NULL AS no_t, b.category LIKE 'A_' AS is_a, b.category LIKE 'B_' AS is_b, x.pupil IS NOT NULL AS tied, v.answer,
			w.sp IS NULL OR w.sp = '{}' AS sp0, w.sa IS NULL OR w.sa = '{}' AS sa0,
			CASE WHEN b.dest IS NULL THEN 'none' WHEN f.school IS NOT NULL THEN 'submitted' WHEN on_date > setting.verify_due THEN 'silent' ELSE 'pending' END AS s_is,
			e.proof, e.decision, twice.filers,
			b.pass > 2 OR b.pass > 0 AND (b.name <> p.name OR b.cert <> p.cert OR b.gender_given <> p.gender) AS t_differs,
			p.birth > make_date(of_year - setting.age_min, 8, 31) OR p.birth <= make_date(of_year - setting.age_max - 1, 8, 31) AS odd_age,
			w.pupil IS NULL AND x.pupil IS NULL AND b.category LIKE 'A_' AND v.answer IS DISTINCT FROM 'unknown' AS nowhere,
			lead.pupil IS NOT NULL AS lead, on_date > setting.undecided_until AS late,
			CASE WHEN b.dest = ANY (h.schools) THEN b.dest ELSE coalesce(h.schools[1], 'bureau') END AS home,
			gone.school AS left_school, gone.as_of AS left_on
		FROM r_p p
		LEFT JOIN r_mine b ON b.pupil = p.pupil AND b.nth = 1
		LEFT JOIN r_where w ON w.pupil = p.pupil
		LEFT JOIN r_answer v ON v.pupil = p.pupil
		LEFT JOIN r_proof e ON e.pupil = p.pupil
		LEFT JOIN (SELECT DISTINCT t.pupil FROM r_tied t WHERE t.side = 'J') x ON x.pupil = p.pupil
		LEFT JOIN (SELECT DISTINCT f.owner_school AS school FROM filing f
			WHERE f.county = app_county() AND f.year = of_year AND f.stage = 'V' AND NOT f.deleted) f ON f.school = b.dest
		LEFT JOIN (SELECT m.pupil, array_agg(DISTINCT m.school) AS filers FROM r_mine m WHERE m.pupil IN (SELECT x.pupil FROM r_mine x WHERE x.nth = 2) GROUP BY m.pupil) twice ON twice.pupil = p.pupil
		LEFT JOIN (SELECT DISTINCT l.pupil FROM rule_lead l WHERE l.county = app_county() AND l.year = of_year AND l.closed_at IS NULL) lead ON lead.pupil = p.pupil
		LEFT JOIN school own ON own.county = app_county() AND own.code = p.source AND NOT own.deleted
		LEFT JOIN r_area h1 ON h1.area = p.live_area
		LEFT JOIN r_area h2 ON h2.area = p.hukou_area
		LEFT JOIN r_area h3 ON h3.area = own.area
		CROSS JOIN LATERAL (SELECT coalesce(h1.schools, h2.schools, h3.schools) AS schools) h
		LEFT JOIN r_gone gone ON gone.pupil = p.pupil
		OFFSET 0) f;
	ANALYZE r_case;
END $$;

-- §2.6 outside P: one entry per cert_no, else student_no. Leaves r_outside.
CREATE OR REPLACE FUNCTION reconcile_outside(of_year int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	setting record;
BEGIN
	SELECT * INTO setting FROM transition_settings(of_year);
	CREATE TEMP TABLE r_out AS
	SELECT l.*, CASE l.side WHEN 'J' THEN l.u ELSE coalesce(l.cert, l.sno, l.u) END AS key
	FROM r_left l WHERE NOT EXISTS (SELECT FROM r_pair a WHERE a.side = l.side AND a.u = l.u);
	CREATE TEMP TABLE r_alias AS
	SELECT DISTINCT o.side, o.key, a.alias, student_no_key(a.alias) IS NOT NULL AS formal
	FROM r_out o CROSS JOIN LATERAL (VALUES (o.sno), ('G' || o.no)) a (alias) WHERE a.alias IS NOT NULL;
	ANALYZE r_out;
	ANALYZE r_alias;

	-- M22: a live student record that is not of P, below grade 6, or above at a school that does not list him.
	CREATE TEMP TABLE r_elsewhere AS
	SELECT DISTINCT m.key
	FROM (SELECT a.key, s.rec_id, s.grade, s.owner_school FROM r_alias a JOIN student s ON 'G' || cert_key(s.cert_no) = a.alias
			WHERE a.side = 'J' AND s.county = app_county() AND NOT s.deleted AND (s.grade BETWEEN '11' AND '15' OR s.grade >= '21')
		UNION
		SELECT a.key, s.rec_id, s.grade, s.owner_school FROM r_alias a JOIN student s ON cert_key(s.student_no) = a.alias
			WHERE a.side = 'J' AND a.formal AND s.county = app_county() AND NOT s.deleted AND (s.grade BETWEEN '11' AND '15' OR s.grade >= '21')) m
	WHERE NOT EXISTS (SELECT FROM r_p p WHERE p.student = m.rec_id)
		AND (m.grade < '16' OR NOT EXISTS (SELECT FROM r_out o WHERE o.side = 'J' AND o.key = m.key AND o.school = m.owner_school));
	ANALYZE r_elsewhere;

	CREATE TEMP TABLE r_outside AS
	SELECT e.*, array_remove(ARRAY[
		CASE WHEN cardinality(e.at_schools) > 1 THEN 'M16' END,
		CASE WHEN e.filers IS NOT NULL THEN 'M02' END,
		CASE WHEN e.schools IS NOT NULL AND NOT e.held AND e.key NOT IN (
			SELECT a.key FROM r_alias a JOIN r_alias b ON b.alias = a.alias WHERE a.side = 'J' AND b.side = 'T') THEN 'M21' END,
		CASE WHEN e.odd_age OR e.key IN (SELECT key FROM r_elsewhere) THEN 'M22' END], NULL) AS codes
	FROM (SELECT o.key, (array_agg(o.row_id ORDER BY o.row_id))[1] AS id,
			coalesce(array_agg(o.row_id ORDER BY o.row_id) FILTER (WHERE o.side = 'J'), '{}') AS roster,
			coalesce(array_agg(o.row_id ORDER BY o.row_id) FILTER (WHERE o.side = 'T'), '{}') AS destinations,
			array_agg(DISTINCT o.school) FILTER (WHERE o.side = 'J') AS schools,
			array_agg(DISTINCT o.school) FILTER (WHERE o.present) AS at_schools,
			array_agg(DISTINCT o.school) FILTER (WHERE o.side = 'T') AS filers,
			min(o.dest) AS dest,
			coalesce(bool_or(o.side = 'J' AND o.u IN (SELECT x.u FROM r_tied x WHERE x.side = 'J')), false) AS held,
			coalesce(bool_or(o.side = 'J' AND (o.birth > make_date(of_year - setting.age_min, 8, 31)
				OR o.birth <= make_date(of_year - setting.age_max - 1, 8, 31))), false) AS odd_age
		FROM r_out o GROUP BY o.key) e;
	ANALYZE r_outside;
END $$;

-- Owners and states from the codes; writes the rows that changed, and says how many did.
CREATE OR REPLACE FUNCTION reconcile_store(of_year int, this_run int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	free_codes text[] := ARRAY(SELECT code FROM transition_codes() WHERE free);
	slip_codes text[] := ARRAY(SELECT code FROM transition_codes() WHERE slip);
	changed int := 0;
	n int;
BEGIN
	CREATE TEMP TABLE r_owner AS
	SELECT o.pupil, array_agg(DISTINCT o.school ORDER BY o.school) AS owners
	FROM (SELECT c.pupil, unnest(CASE w.who
			WHEN 'source' THEN ARRAY[c.source] WHEN 'home' THEN ARRAY[c.home] WHEN 's' THEN ARRAY[c.dest]
			WHEN 'sp' THEN c.sp WHEN 'sa' THEN c.sa WHEN 'filers' THEN c.filers WHEN 'named' THEN c.named WHEN 'numbered' THEN c.numbered
			WHEN 'left' THEN ARRAY[c.left_school] WHEN 'bureau' THEN ARRAY['bureau'] END) COLLATE "C" AS school
		FROM r_case c JOIN transition_codes() k ON k.code = ANY (c.codes) CROSS JOIN LATERAL unnest(k.owner) AS w (who)
		WHERE c.codes <> '{}') o
	WHERE o.school IS NOT NULL GROUP BY o.pupil;
	ANALYZE r_owner;

	CREATE TEMP TABLE r_new AS
	SELECT c.pupil, c.source, c.home, c.state, c.codes, c.codes[1] AS primary_code, k.severity, c.destination, c.category, c.dest AS dest_school,
		coalesce(c.found, held.found, '{}') AS found, coalesce(o.owners, '{}') AS owners, coalesce(his.row_ids, '{}') AS row_ids,
		CASE WHEN c.named IS NOT NULL AND NOT c.hard THEN '{soft}' ELSE '{}' END::text[]
			|| CASE WHEN c.nowhere AND c.s_is = 'pending' THEN '{pending}' ELSE '{}' END::text[] AS flags,
		CASE WHEN c.codes && slip_codes THEN coalesce(old.slip_since, jg_now()) END AS slip_since,
		CASE WHEN c.state = 'CONFIRMED' AND c.is_a THEN c.dest END AS confirmed_school, NULL::date AS confirmed_until,
		old.pupil IS NULL AS is_new
	FROM (SELECT *, CASE
			WHEN NOT codes <@ free_codes THEN 'OPEN'
			WHEN is_a AND sp = ARRAY[dest] THEN 'CONFIRMED'
			WHEN category IN ('B1', 'B2', 'B3') AND decision = 'accepted' THEN 'CONFIRMED'
			WHEN category IN ('B4', 'B5', 'C2', 'C3') AND decision = 'accepted' THEN 'EXEMPT'
			WHEN (is_b OR category LIKE 'C_') AND proof AND (decision IS NULL OR category = 'C1') THEN 'PROVISIONAL'
			ELSE 'OPEN' END AS state
		FROM r_case) c
	LEFT JOIN transition_codes() k ON k.code = c.codes[1]
	LEFT JOIN r_owner o ON o.pupil = c.pupil
	LEFT JOIN (SELECT t.pupil, array_agg(DISTINCT r.school ORDER BY r.school) AS found FROM r_tied t JOIN r_row r ON r.side = 'J' AND r.u = t.u
		WHERE t.side = 'J' GROUP BY t.pupil) held ON held.pupil = c.pupil
	LEFT JOIN (SELECT x.pupil, array_agg(DISTINCT x.row_id ORDER BY x.row_id) AS row_ids
		FROM (SELECT r.pupil, r.row_id FROM r_row r
			UNION ALL SELECT t.pupil, r.row_id FROM r_tied t JOIN r_row r ON r.side = t.side AND r.u = t.u) x
		WHERE x.pupil IN (SELECT k.pupil FROM r_case k WHERE k.codes <> '{}') GROUP BY x.pupil) his ON his.pupil = c.pupil
	LEFT JOIN pupil_state old ON old.county = app_county() AND old.year = of_year AND old.pupil = c.pupil;
	ANALYZE r_new;

	UPDATE pupil_state s SET source = x.source, home = x.home, state = x.state, codes = x.codes, primary_code = x.primary_code,
		severity = x.severity, destination = x.destination, category = x.category, dest_school = x.dest_school, found = x.found,
		owners = x.owners, row_ids = x.row_ids, flags = x.flags, slip_since = x.slip_since, confirmed_school = x.confirmed_school,
		confirmed_until = x.confirmed_until, run_no = this_run
	FROM r_new x
	WHERE s.county = app_county() AND s.year = of_year AND s.pupil = x.pupil
		AND (s.source, s.home, s.state, s.codes, s.destination, s.category, s.dest_school, s.found, s.owners, s.row_ids, s.flags, s.slip_since, s.confirmed_school, s.confirmed_until)
			IS DISTINCT FROM (x.source, x.home, x.state, x.codes, x.destination, x.category, x.dest_school, x.found, x.owners, x.row_ids, x.flags, x.slip_since, x.confirmed_school, x.confirmed_until);
	GET DIAGNOSTICS n = ROW_COUNT;
	changed := changed + n;
	INSERT INTO pupil_state (county, year, pupil, source, home, state, codes, primary_code, severity, destination, category, dest_school, found,
		owners, row_ids, flags, slip_since, confirmed_school, confirmed_until, run_no)
	SELECT app_county(), of_year, x.pupil, x.source, x.home, x.state, x.codes, x.primary_code, x.severity, x.destination, x.category, x.dest_school,
		x.found, x.owners, x.row_ids, x.flags, x.slip_since, x.confirmed_school, x.confirmed_until, this_run
	FROM r_new x WHERE x.is_new;
	GET DIAGNOSTICS n = ROW_COUNT;
	changed := changed + n;
	UPDATE pupil_confirmed i SET to_run = this_run - 1
	WHERE i.county = app_county() AND i.year = of_year AND i.to_run IS NULL
		AND NOT EXISTS (SELECT FROM r_new x WHERE x.pupil = i.pupil AND x.confirmed_school = i.school);
	INSERT INTO pupil_confirmed (county, year, pupil, from_run, school)
	SELECT app_county(), of_year, x.pupil, this_run, x.confirmed_school FROM r_new x
	WHERE x.confirmed_school IS NOT NULL AND NOT EXISTS (SELECT FROM pupil_confirmed i
		WHERE i.county = app_county() AND i.year = of_year AND i.to_run IS NULL AND i.pupil = x.pupil AND i.school = x.confirmed_school);
	-- Whoever was taken out of P keeps his row, so that his slip is closed.
	UPDATE pupil_state s SET state = 'REMOVED', codes = '{}', primary_code = NULL, severity = NULL, owners = '{}', row_ids = '{}', flags = '{}', slip_since = NULL, run_no = this_run
	FROM baseline b
	WHERE s.county = app_county() AND s.year = of_year AND s.state <> 'REMOVED'
		AND b.county = s.county AND b.year = s.year AND b.pupil = s.pupil AND b.removed_at IS NOT NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	changed := changed + n;

	CREATE TEMP TABLE r_entry AS
	SELECT e.id, e.roster, e.destinations, e.codes, e.codes[1] AS primary_code, k.severity, e.filers[1] AS source, e.dest AS dest_school,
		coalesce(e.schools, '{}') AS found,
		-- M02 is its filers' to mend, everything else its schools'.
		ARRAY(SELECT DISTINCT x FROM unnest(CASE WHEN 'M02' = ANY (e.codes) THEN e.filers ELSE '{}' END
			|| CASE WHEN e.codes && '{M16,M21,M22}' THEN e.schools ELSE '{}' END) AS x ORDER BY x) AS owners
	FROM r_outside e LEFT JOIN transition_codes() k ON k.code = e.codes[1];
	UPDATE outside_entry o SET roster = e.roster, destinations = e.destinations, codes = e.codes, primary_code = e.primary_code, severity = e.severity,
		source = e.source, dest_school = e.dest_school, found = e.found, owners = e.owners, gone = false, run_no = this_run
	FROM r_entry e
	WHERE o.county = app_county() AND o.year = of_year AND o.id = e.id
		AND (o.roster, o.destinations, o.codes, o.source, o.dest_school, o.found, o.owners, o.gone)
			IS DISTINCT FROM (e.roster, e.destinations, e.codes, e.source, e.dest_school, e.found, e.owners, false);
	GET DIAGNOSTICS n = ROW_COUNT;
	changed := changed + n;
	INSERT INTO outside_entry (county, year, id, roster, destinations, codes, primary_code, severity, source, dest_school, found, owners, run_no)
	SELECT app_county(), of_year, e.id, e.roster, e.destinations, e.codes, e.primary_code, e.severity, e.source, e.dest_school, e.found, e.owners, this_run
	FROM r_entry e WHERE NOT EXISTS (SELECT FROM outside_entry o WHERE o.county = app_county() AND o.year = of_year AND o.id = e.id);
	GET DIAGNOSTICS n = ROW_COUNT;
	changed := changed + n;
	UPDATE outside_entry o SET gone = true, codes = '{}', primary_code = NULL, severity = NULL, owners = '{}', run_no = this_run
	WHERE o.county = app_county() AND o.year = of_year AND NOT o.gone AND NOT EXISTS (SELECT FROM r_entry e WHERE e.id = o.id);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN changed + n;
END $$;

-- The whole of §2.4–2.6 at one date (null: today). Running it again changes nothing. It reads the LIVE destination
-- rows, as §2.4 says; cli.md speaks of "each school's latest filed table", and where the two differ §2.4 wins: a late
-- change re-opens what it touches, and the snapshots serve the diff only. `outside` counts the persons on a roster who
-- are not of P (cli.md); entries that stand in a destination table alone (M02) are listed, not counted there.
-- Nested loops are off because every step joins whole sets: no plan may turn quadratic on an estimate.
-- Best called under REPEATABLE READ, so that all steps see one moment; a run that waited for another one's lock then
-- fails with 40001 or 23505 and is simply made again.
CREATE OR REPLACE FUNCTION transition_reconcile(of_year int, as_of date DEFAULT NULL) RETURNS TABLE (baseline int, confirmed int, provisional int,
	exempt int, mismatched int, outside int, changed int, run_no int, elapsed_ms int, run_as_of date)
LANGUAGE plpgsql SET enable_nestloop = off SET jit = off SET work_mem = '256MB' SET default_statistics_target = 10 AS $$
DECLARE
	begun timestamptz := clock_timestamp();
BEGIN
	-- One run of a county's year at a time.
	PERFORM pg_advisory_xact_lock(app_county(), of_year);
	run_as_of := coalesce(as_of, jg_today());
	run_no := 1 + coalesce((SELECT max(r.run_no) FROM reconcile_run r WHERE r.county = app_county() AND r.year = of_year), 0);
	PERFORM reconcile_read(of_year);
	PERFORM reconcile_match(of_year);
	PERFORM reconcile_judge(of_year, run_as_of);
	PERFORM reconcile_outside(of_year);
	changed := reconcile_store(of_year, run_no);
	SELECT count(*), count(*) FILTER (WHERE x.state = 'CONFIRMED'), count(*) FILTER (WHERE x.state = 'PROVISIONAL'),
		count(*) FILTER (WHERE x.state = 'EXEMPT'), count(*) FILTER (WHERE x.state = 'OPEN')
	INTO baseline, confirmed, provisional, exempt, mismatched FROM r_new x;
	SELECT count(*) INTO outside FROM r_entry e WHERE e.roster <> '{}';
	DROP TABLE r_p, r_row, r_pair, r_tied, r_decision, r_left, r_free, r_mine, r_answer, r_where, r_proof, r_gone, r_area, r_case, r_out, r_alias, r_elsewhere,
		r_outside, r_owner, r_new, r_entry;
	elapsed_ms := extract(epoch FROM clock_timestamp() - begun) * 1000;
	INSERT INTO reconcile_run (county, year, run_no, as_of, at, baseline, confirmed, provisional, exempt, mismatched, outside, changed, elapsed_ms)
	VALUES (app_county(), of_year, transition_reconcile.run_no, run_as_of, jg_now(), transition_reconcile.baseline, transition_reconcile.confirmed,
		transition_reconcile.provisional, transition_reconcile.exempt, transition_reconcile.mismatched, transition_reconcile.outside,
		transition_reconcile.changed, transition_reconcile.elapsed_ms);
	RETURN NEXT;
END $$;
