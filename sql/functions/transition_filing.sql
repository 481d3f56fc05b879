-- 小升初: what schools file, T1, T2 and V.

-- What `file` asks (cli.md), per pupil of the school's part of P: category, school, undecided, proof; and `guardian`,
-- which only warns. A pupil without a row has no destination. Rows are his by number, as in K1 and K2: a mistyped
-- number leaves him without a row, which is how the school finds it before it files.
CREATE OR REPLACE FUNCTION filing_gaps(of_year int, of_school text, of_stage text) RETURNS TABLE (pupil uuid, destination uuid, name text, gaps text[])
LANGUAGE sql STABLE AS $$
	WITH p AS (
		SELECT b.pupil, s.name, a.alias
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		WHERE b.county = app_county() AND b.year = of_year AND b.source_school = of_school AND b.removed_at IS NULL),
	d AS (
		SELECT d.*, a.alias,
			EXISTS (SELECT FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha
				WHERE e.county = d.county AND e.target = d.rec_id AND e.owner_school = d.owner_school AND NOT e.deleted AND f.complete) AS proof
		FROM destination d
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(d.cert_no)), (student_no_key(d.student_no))) a (alias)
		WHERE d.county = app_county() AND d.year = of_year AND d.owner_school = of_school AND NOT d.deleted),
	his AS (
		SELECT DISTINCT ON (p.pupil) p.pupil, p.name, d.rec_id, coalesce(d.category, '') AS category, d.proof, d.guardian_confirmed, d.registration_no,
			coalesce(d.dest_school, '') || coalesce(d.dest_school_name, '') || coalesce(d.place, '') <> '' AS placed
		FROM p LEFT JOIN d ON d.alias = p.alias ORDER BY p.pupil, d.rec_id NULLS LAST)
	SELECT h.pupil, h.rec_id, h.name, g.gaps
	FROM his h CROSS JOIN LATERAL (SELECT array_remove(ARRAY[
		CASE WHEN h.category = '' THEN 'category' END,
		-- A through-school that promotes its own pupils need not name itself.
		CASE WHEN (h.category LIKE 'A_' OR h.category LIKE 'B_') AND NOT h.placed
			AND NOT (h.category = 'A4' AND of_school IN (SELECT s.code FROM junior_schools() s)) THEN 'school' END,
		CASE WHEN of_stage = 'T2' AND h.category = 'D5' THEN 'undecided' END,
		CASE WHEN of_stage = 'T2' AND (h.category IN ('A2', 'A3', 'A5', 'A6', 'A7', 'A8') OR h.category LIKE 'B_' OR h.category LIKE 'C_')
			AND NOT h.proof THEN 'proof' END,
		CASE WHEN of_stage = 'T1' AND h.category <> '' AND h.guardian_confirmed IS NOT TRUE AND coalesce(h.registration_no, '') = ''
			AND NOT h.proof THEN 'guardian' END], NULL) AS gaps) g
	WHERE g.gaps <> '{}'
$$;

-- All who are in the way of a school's next formal report, and whether its roster still has them in the sixth grade: who is frozen in P and changed
-- his grade is on no list of the school's, and counts all the same.
CREATE OR REPLACE FUNCTION filing_missing(of_year int, of_school text) RETURNS TABLE (pupil uuid, cert_no text, name text, student_no text, class_no text,
	gaps text[], roster text) LANGUAGE sql STABLE AS $$
	WITH gap AS MATERIALIZED (
		SELECT g.pupil, s.cert_no, g.name, s.student_no, s.class_no, array_remove(g.gaps, 'guardian') AS gaps, a.alias
		FROM filing_gaps(of_year, of_school, CASE WHEN (SELECT c.phase FROM transition_settings(of_year) c) IN ('prefill', 'assist') THEN 'T1' ELSE 'T2' END) g
		JOIN baseline b ON b.county = app_county() AND b.year = of_year AND b.pupil = g.pupil AND b.removed_at IS NULL
		JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		WHERE g.gaps <> '{guardian}'),
	stands AS MATERIALIZED (
		SELECT a.alias, CASE WHEN t.grade IS DISTINCT FROM '16' THEN 'grade' WHEN coalesce(t.status, '01') NOT IN ('01', '02', '05') THEN 'status' ELSE '' END AS roster
		FROM student t CROSS JOIN LATERAL (VALUES ('G' || cert_key(t.cert_no)), (student_no_key(t.student_no))) a (alias)
		WHERE t.county = app_county() AND t.owner_school = of_school AND NOT t.deleted)
	SELECT DISTINCT ON (g.pupil) g.pupil, g.cert_no, g.name, g.student_no, g.class_no, g.gaps, coalesce(t.roster, 'gone')
	FROM gap g LEFT JOIN stands t ON t.alias = g.alias ORDER BY g.pupil, t.roster NULLS LAST
$$;

-- `file` in prefill is T1, in confirm T2; `verify submit` is V. With gaps only when filed as incomplete, with a reason.
CREATE OR REPLACE FUNCTION filing_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	WITH u AS MATERIALIZED (
		SELECT u.ord, u.school, (u.body->>'year')::int AS year, u.body->>'stage' AS stage, (u.body->>'incomplete')::boolean AS incomplete, u.body->>'reason' AS reason
		FROM unnest(ords, schools, bodies) AS u (ord, school, body) WHERE u.body IS NOT NULL)
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM u
	CROSS JOIN LATERAL transition_settings(u.year) c
	CROSS JOIN LATERAL (
		SELECT 'PHASE' AS code, 'stage' AS field,
			CASE WHEN c.phase IS NULL THEN format('%s 年小升初工作尚未开始', u.year) ELSE '现在的阶段不能办理这项上报' END AS message
		WHERE c.phase IS DISTINCT FROM CASE u.stage WHEN 'T1' THEN 'prefill' WHEN 'T2' THEN 'confirm' WHEN 'V' THEN 'verify' END
		UNION ALL
		SELECT 'MISSING', 'reason', '缺项上报须写明原因' WHERE u.incomplete AND coalesce(strip_space(u.reason), '') = ''
		UNION ALL
		SELECT 'INCOMPLETE', 'destination', format('%s 名学生材料不齐：%s%s', count(*), string_agg(g.line, '、') FILTER (WHERE g.nth <= 5),
			CASE WHEN count(*) > 5 THEN '等' ELSE '' END)
		FROM (SELECT row_number() OVER (ORDER BY g.name, g.pupil) AS nth, format('%s（%s）', g.name, (
				SELECT string_agg(CASE x.gap WHEN 'category' THEN '未填去向' WHEN 'school' THEN '未填学校或地区'
					WHEN 'undecided' THEN '去向未定' WHEN 'proof' THEN '缺佐证材料' END, '，') FROM unnest(g.gaps) AS x (gap))) AS line
			FROM filing_gaps(u.year, u.school, u.stage) g
			WHERE u.stage IN ('T1', 'T2') AND u.incomplete IS NOT TRUE AND g.gaps <> '{guardian}') g
		HAVING count(*) > 0) r
$$;

-- A formal report freezes the table as it stands, in the transaction that accepts it; V only its time.
CREATE OR REPLACE FUNCTION filing_applied(schools text[], ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM filing_snapshot_take(f.year, u.school, f.stage, f.rec_id)
	FROM unnest(schools, ids) AS u (school, id) JOIN filing f ON f.county = app_county() AND f.rec_id = u.id;
END $$;

-- Called once for every filing that a push applied, V too: keeps the server's time, and for T1 and T2 the table as it
-- was filed, with its gaps by name, pupils without a row included. A repeated call adds nothing.
CREATE OR REPLACE FUNCTION filing_snapshot_take(of_year int, of_school text, of_stage text, of_filing uuid) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	INSERT INTO filing_receipt (county, filing, year, school, stage, at) VALUES (app_county(), of_filing, of_year, of_school, of_stage, jg_now())
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n = 0 OR of_stage NOT IN ('T1', 'T2') THEN
		RETURN 0;
	END IF;
	INSERT INTO filing_snapshot (county, filing, n, school, destination, pupil, gaps, name, cert_type, cert_no, student_no, class_no, gender,
		hukou_address, live_address, guardian_name, guardian_phone, guardian_confirmed, category, dest_school, dest_school_name, place,
		registration_no, evidence_note, note)
	SELECT app_county(), of_filing, row_number() OVER (ORDER BY d.rec_id, g.pupil), of_school, d.rec_id, g.pupil, coalesce(g.gaps, '{}'),
		coalesce(d.name, g.name), d.cert_type, d.cert_no, d.student_no, d.class_no, d.gender, d.hukou_address, d.live_address, d.guardian_name,
		d.guardian_phone, d.guardian_confirmed, d.category, d.dest_school, d.dest_school_name, d.place, d.registration_no, d.evidence_note, d.note
	FROM (SELECT * FROM destination d WHERE d.county = app_county() AND d.year = of_year AND d.owner_school = of_school AND NOT d.deleted) d
	FULL JOIN filing_gaps(of_year, of_school, of_stage) g ON g.destination = d.rec_id;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- §2.1: T1 → T2, one row per field that differs, of each school's latest filings of both. Rows meet by their id, and by
-- number where a row was deleted and made again. A row in one of them only shows as the field `row`.
CREATE OR REPLACE FUNCTION transition_diff(of_year int) RETURNS TABLE (destination uuid, name text, cert_no text, student_no text, source_school text,
	field text, before text, after text) LANGUAGE sql STABLE AS $$
	WITH filed AS (
		SELECT DISTINCT ON (r.school, r.stage) r.filing, r.stage FROM filing_receipt r
		WHERE r.county = app_county() AND r.year = of_year AND r.stage IN ('T1', 'T2') ORDER BY r.school, r.stage, r.at DESC, r.filing DESC),
	line AS (
		SELECT f.stage, s.school, s.destination, coalesce(cert_key(s.cert_no), student_no_key(s.student_no)) AS no, s.name, s.cert_no, s.student_no,
			to_jsonb(s) - '{county,filing,n,school,destination,pupil,gaps}'::text[] AS fields
		FROM filed f JOIN filing_snapshot s ON s.county = app_county() AND s.filing = f.filing AND s.destination IS NOT NULL
		-- A school that filed one of the two only has no difference to show yet.
		WHERE s.school IN (SELECT r.school FROM filing_receipt r WHERE r.county = app_county() AND r.year = of_year AND r.stage = 'T1'
			INTERSECT SELECT r.school FROM filing_receipt r WHERE r.county = app_county() AND r.year = of_year AND r.stage = 'T2')),
	t1 AS (SELECT * FROM line WHERE stage = 'T1'),
	t2 AS (SELECT * FROM line WHERE stage = 'T2'),
	-- The id by which both sides meet: T2's own, or that of the T1 row it replaced.
	made_again AS (
		SELECT t2.destination, min(t1.destination::text)::uuid AS old
		FROM t2 JOIN t1 ON t1.school = t2.school AND t1.no = t2.no
		WHERE t2.destination NOT IN (SELECT destination FROM t1) AND t1.destination NOT IN (SELECT destination FROM t2)
		GROUP BY t2.destination),
	met AS (
		SELECT coalesce(t2.destination, t1.destination) AS destination, coalesce(t2.name, t1.name) AS name, coalesce(t2.cert_no, t1.cert_no) AS cert_no,
			coalesce(t2.student_no, t1.student_no) AS student_no, coalesce(t2.school, t1.school) AS school, t1.fields AS old, t2.fields AS new
		FROM (SELECT t2.*, coalesce(m.old, t2.destination) AS meet FROM t2 LEFT JOIN made_again m ON m.destination = t2.destination) t2
		FULL JOIN t1 ON t1.destination = t2.meet)
	SELECT m.destination, m.name, m.cert_no, m.student_no, m.school, d.field, d.before, d.after
	FROM met m CROSS JOIN LATERAL (
		SELECT 'row' AS field, m.old ->> 'category' AS before, m.new ->> 'category' AS after WHERE m.old IS NULL OR m.new IS NULL
		UNION ALL
		SELECT k.key, m.old ->> k.key, m.new ->> k.key FROM jsonb_object_keys(m.old) AS k (key)
		WHERE m.new IS NOT NULL AND coalesce(m.old ->> k.key, '') <> coalesce(m.new ->> k.key, '')) d
	ORDER BY m.school, m.name, m.destination, d.field
$$;

-- Only S(t) answers for a row, and only while schools verify. What row-level security hides does not exist here.
-- A deletion is an answer taken back: in the same phase.
CREATE OR REPLACE FUNCTION verify_answer_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	WITH u AS MATERIALIZED (
		SELECT u.ord, u.school, d.rec_id, c.phase, d.category, d.dest_school, d.dest_school_name, d.owner_school
		FROM unnest(ords, schools, bodies) AS u (ord, school, body)
		CROSS JOIN LATERAL (SELECT (u.body->>'year')::int AS year, (u.body->>'destination')::uuid AS destination) b
		CROSS JOIN LATERAL transition_settings(b.year) c
		LEFT JOIN destination d ON d.county = app_county() AND d.rec_id = b.destination AND d.year = b.year AND NOT d.deleted
		WHERE u.body IS NOT NULL),
	led AS (
		SELECT o.ord, o.school FROM destination_other((SELECT array_agg(u.ord ORDER BY u.ord) FROM u), (SELECT array_agg(u.category ORDER BY u.ord) FROM u),
			(SELECT array_agg(u.dest_school ORDER BY u.ord) FROM u), (SELECT array_agg(u.dest_school_name ORDER BY u.ord) FROM u),
			(SELECT array_agg(u.owner_school ORDER BY u.ord) FROM u)) o)
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM u JOIN led ON led.ord = u.ord
	CROSS JOIN LATERAL (
		SELECT 'PHASE' AS code, 'year' AS field, '现在不是核验阶段' AS message WHERE u.phase IS DISTINCT FROM 'verify'
		UNION ALL SELECT 'NOT_FOUND', 'destination', '没有找到这名学生的去向记录' WHERE u.rec_id IS NULL
		UNION ALL SELECT 'PERMISSION', 'destination', '这名学生填报的不是本校' WHERE u.rec_id IS NOT NULL AND led.school IS DISTINCT FROM u.school) r
	UNION ALL
	SELECT u.ord, NULL, 'PHASE', 'year', '现在不是核验阶段，不能撤回'
	FROM unnest(ords, ids, bodies) AS u (ord, id, body) JOIN verify_answer a ON a.county = app_county() AND a.rec_id = u.id AND NOT a.deleted
	CROSS JOIN LATERAL transition_settings(a.year) c
	WHERE u.body IS NULL AND c.phase IS DISTINCT FROM 'verify'
$$;
