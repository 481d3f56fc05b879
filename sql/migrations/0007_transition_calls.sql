-- What the transition service asks of the database (domain.md §2, cli.md "The cycle"): freezing P, the people's words,
-- the guards of Sync.Push, filings and their snapshots, and the lists that its replies are made of.

-- ---- P and the words

-- §2.4 P: the grade-6 records of schools with status 01, 02, 05 or none given. The first call freezes; every later one
-- only counts, so that it may be repeated when its answer was lost.
CREATE FUNCTION transition_open(of_year int) RETURNS TABLE (baseline int, schools int) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(app_county(), of_year);
	IF NOT EXISTS (SELECT FROM baseline b WHERE b.county = app_county() AND b.year = of_year) THEN
		INSERT INTO baseline (county, year, pupil, source_school, student, student_no, added_at)
		SELECT s.county, of_year, s.rec_id, s.owner_school, s.rec_id, s.student_no, jg_now()
		FROM student s
		WHERE s.county = app_county() AND NOT s.deleted AND s.owner_school <> '' AND s.grade = '16' AND coalesce(s.status, '') IN ('', '01', '02', '05');
	END IF;
	RETURN QUERY SELECT count(*)::int, count(DISTINCT b.source_school)::int FROM baseline b
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
END $$;

-- cli.md `transition baseline add|remove`. `of_school` names the source of an added pupil, null: the school that keeps
-- his record. Returns 0 when there is no such record or nothing would change.
CREATE FUNCTION transition_amend(of_year int, adds boolean, of_pupil uuid, of_school text, why text, who text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	UPDATE baseline b SET removed_at = CASE WHEN adds THEN NULL ELSE jg_now() END
	WHERE b.county = app_county() AND b.year = of_year AND b.pupil = of_pupil AND adds = (b.removed_at IS NOT NULL);
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n = 0 AND adds THEN
		INSERT INTO baseline (county, year, pupil, source_school, student, student_no, added_at)
		SELECT s.county, of_year, s.rec_id, coalesce(nullif(of_school, ''), s.owner_school), s.rec_id, s.student_no, jg_now()
		FROM student s WHERE s.county = app_county() AND s.rec_id = of_pupil AND NOT s.deleted
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS n = ROW_COUNT;
	END IF;
	IF n > 0 THEN
		INSERT INTO baseline_change (county, year, pupil, added, reason, by_user, at) VALUES (app_county(), of_year, of_pupil, adds, why, who, jg_now());
	END IF;
	RETURN n;
END $$;

-- The bureau's word on the proof that the last run saw. Returns 0 when the pupil has declared nothing.
CREATE FUNCTION transition_proof_word(of_year int, of_pupil uuid, accepts boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH said AS (
		INSERT INTO proof_word (county, year, pupil, word, category, reason, by_user, at)
		SELECT s.county, s.year, s.pupil, CASE WHEN accepts THEN 'accepted' ELSE 'refuted' END, s.category, coalesce(why, ''), who, jg_now()
		FROM pupil_state s WHERE s.county = app_county() AND s.year = of_year AND s.pupil = of_pupil AND s.category IS NOT NULL
		RETURNING 1)
	SELECT count(*)::int FROM said
$$;

-- Same or not same. `of_row` is a row of a roster or of a destination table; returns 0 when either is not of this year.
CREATE FUNCTION transition_pair_word(of_year int, of_pupil uuid, of_row uuid, is_same boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH said AS (
		INSERT INTO pair_word (county, year, pupil, row_id, same, reason, by_user, at)
		SELECT b.county, b.year, b.pupil, of_row, is_same, coalesce(why, ''), who, jg_now()
		FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.pupil = of_pupil AND (
			EXISTS (SELECT FROM enrolment e WHERE e.county = b.county AND e.rec_id = of_row AND e.year = of_year AND NOT e.deleted)
			OR EXISTS (SELECT FROM destination d WHERE d.county = b.county AND d.rec_id = of_row AND d.year = of_year AND NOT d.deleted))
		RETURNING 1)
	SELECT count(*)::int FROM said
$$;

-- ---- Guards of Sync.Push. Each takes what is pushed as arrays and returns a row per refusal: the ord, the name of an
-- error of common/err.def, the field, and what the school reads.

-- Imports and `set` work at any time before closed, and before the year is opened.
CREATE FUNCTION cycle_open_guard(ord int[], year int[]) RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, 'PHASE', 'year', format('%s 年小升初工作已结束，不能再修改', u.year)
	FROM unnest(ord, year) AS u (ord, year)
	JOIN cycle c ON c.county = app_county() AND c.year = u.year AND NOT c.deleted
	WHERE c.phase = 'closed'
$$;

-- What `file` asks (cli.md), per pupil of the school's part of P: category, school, undecided, proof; and `guardian`,
-- which only warns. A pupil without a row has no destination. Rows are his by number, as in K1 and K2: a mistyped
-- number leaves him without a row, which is how the school finds it before it files.
CREATE FUNCTION filing_gaps(of_year int, of_school text, of_stage text) RETURNS TABLE (pupil uuid, destination uuid, name text, gaps text[])
LANGUAGE sql STABLE AS $$
	WITH p AS (
		SELECT b.pupil, s.name, a.alias
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		WHERE b.county = app_county() AND b.year = of_year AND b.source_school = of_school AND b.removed_at IS NULL),
	d AS (
		SELECT d.*, a.alias,
			EXISTS (SELECT FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha
				WHERE e.county = d.county AND e.target = d.rec_id AND NOT e.deleted AND f.complete) AS proof
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

-- `file` in prefill is T1, in confirm T2; `verify submit` is V. With gaps only when filed as incomplete, with a reason.
CREATE FUNCTION filing_guard(ord int[], school text[], year int[], stage text[], incomplete boolean[], reason text[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, r.code, r.field, r.message
	FROM unnest(ord, school, year, stage, incomplete, reason) AS u (ord, school, year, stage, incomplete, reason)
	CROSS JOIN LATERAL transition_settings(u.year) c
	CROSS JOIN LATERAL (
		SELECT 'PHASE' AS code, 'stage' AS field,
			CASE WHEN c.phase IS NULL THEN format('%s 年小升初工作尚未开始', u.year) ELSE '现在的阶段不能办理这项上报' END AS message
		WHERE c.phase IS DISTINCT FROM CASE u.stage WHEN 'T1' THEN 'prefill' WHEN 'T2' THEN 'confirm' WHEN 'V' THEN 'verify' END
		UNION ALL
		SELECT 'MISSING', 'reason', '缺项上报须写明原因' WHERE u.incomplete AND coalesce(btrim(u.reason), '') = ''
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

-- Only S(t) answers for a row, and only while schools verify. What row-level security hides does not exist here.
CREATE FUNCTION verify_guard(ord int[], school text[], year int[], destination uuid[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	WITH u AS (
		SELECT u.*, d.rec_id, c.phase, d.category, d.dest_school, d.dest_school_name, d.owner_school
		FROM unnest(ord, school, year, destination) AS u (ord, school, year, destination)
		CROSS JOIN LATERAL transition_settings(u.year) c
		LEFT JOIN destination d ON d.county = app_county() AND d.rec_id = u.destination AND d.year = u.year AND NOT d.deleted),
	led AS (
		SELECT o.ord, o.school FROM destination_other((SELECT array_agg(u.ord ORDER BY u.ord) FROM u), (SELECT array_agg(u.category ORDER BY u.ord) FROM u),
			(SELECT array_agg(u.dest_school ORDER BY u.ord) FROM u), (SELECT array_agg(u.dest_school_name ORDER BY u.ord) FROM u),
			(SELECT array_agg(u.owner_school ORDER BY u.ord) FROM u)) o)
	SELECT u.ord, r.code, r.field, r.message
	FROM u JOIN led ON led.ord = u.ord
	CROSS JOIN LATERAL (
		SELECT 'PHASE' AS code, 'year' AS field, '现在不是核验阶段' AS message WHERE u.phase IS DISTINCT FROM 'verify'
		UNION ALL SELECT 'NOT_FOUND', 'destination', '没有找到这名学生的去向记录' WHERE u.rec_id IS NULL
		UNION ALL SELECT 'PERMISSION', 'destination', '这名学生填报的不是本校' WHERE u.rec_id IS NOT NULL AND led.school IS DISTINCT FROM u.school) r
$$;

-- A slip is answered by its addressees, from the verify phase on, while it is open.
CREATE FUNCTION slip_guard(ord int[], school text[], slip uuid[]) RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, r.code, r.field, r.message
	FROM unnest(ord, school, slip) AS u (ord, school, slip)
	LEFT JOIN slip s ON s.county = app_county() AND s.rec_id = u.slip AND NOT s.deleted AND s.state <> 'draft'
	LEFT JOIN cycle c ON c.county = app_county() AND c.year = s.year AND NOT c.deleted
	CROSS JOIN LATERAL (
		SELECT 'NOT_FOUND' AS code, 'slip' AS field, '没有找到这张交办单' AS message WHERE s.rec_id IS NULL
		UNION ALL SELECT 'PERMISSION', 'slip', '这张交办单不是交办给本校的' WHERE s.rec_id IS NOT NULL AND NOT EXISTS (
			SELECT FROM slip_addressee a WHERE a.county = app_county() AND a.slip = u.slip AND a.school = u.school AND NOT a.deleted)
		UNION ALL SELECT 'PHASE', 'slip', '现在不是办理交办单的阶段' WHERE s.rec_id IS NOT NULL AND coalesce(c.phase, '') NOT IN ('verify', 'closed')
		UNION ALL SELECT 'NOT_NOW', 'slip', '这张交办单已经销号' WHERE s.state = 'closed') r
$$;

-- ---- Filings

-- Called once for every filing that a push applied, V too: keeps the server's time, and for T1 and T2 the table as it
-- was filed, with its gaps by name, pupils without a row included. A repeated call adds nothing.
CREATE FUNCTION filing_snapshot_take(of_year int, of_school text, of_stage text, of_filing uuid) RETURNS int LANGUAGE plpgsql AS $$
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
CREATE FUNCTION transition_diff(of_year int) RETURNS TABLE (destination uuid, name text, cert_no text, student_no text, source_school text,
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

-- S(t) of every live row of the year, for the counts below.
CREATE FUNCTION transition_declared(of_year int) RETURNS TABLE (destination uuid, source text, school text) LANGUAGE sql STABLE AS $$
	WITH d AS (
		SELECT row_number() OVER ()::int AS ord, d.rec_id, d.category, d.dest_school, d.dest_school_name, d.owner_school
		FROM destination d WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted)
	SELECT d.rec_id, d.owner_school, o.school
	FROM d JOIN destination_other((SELECT array_agg(d.ord ORDER BY d.ord) FROM d), (SELECT array_agg(d.category ORDER BY d.ord) FROM d),
		(SELECT array_agg(d.dest_school ORDER BY d.ord) FROM d), (SELECT array_agg(d.dest_school_name ORDER BY d.ord) FROM d),
		(SELECT array_agg(d.owner_school ORDER BY d.ord) FROM d)) o ON o.ord = d.ord
$$;

-- cli.md "Complete means". what: T1, T2 or V not filed, or DRAFT for slips not issued yet (the bureau's own work).
CREATE FUNCTION transition_phase_missing(of_year int, of_phase text) RETURNS TABLE (code text, name text, what text) LANGUAGE sql STABLE AS $$
	SELECT m.school, s.name, m.what
	FROM (SELECT DISTINCT b.source_school AS school, CASE of_phase WHEN 'prefill' THEN 'T1' ELSE 'T2' END AS what
		FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL AND of_phase IN ('prefill', 'confirm')
		UNION ALL
		SELECT DISTINCT d.school, 'V' FROM transition_declared(of_year) d WHERE of_phase = 'verify' AND d.school IS NOT NULL) m
	LEFT JOIN school s ON s.county = app_county() AND s.code = m.school AND NOT s.deleted
	WHERE NOT EXISTS (SELECT FROM filing f WHERE f.county = app_county() AND f.year = of_year AND f.owner_school = m.school AND f.stage = m.what AND NOT f.deleted)
	UNION ALL
	SELECT 'bureau', NULL, 'DRAFT'
	WHERE of_phase = 'verify' AND EXISTS (SELECT FROM slip s WHERE s.county = app_county() AND s.year = of_year AND s.state = 'draft' AND NOT s.deleted)
	ORDER BY 1
$$;

-- cli.md `transition progress`: source schools and the junior schools that pupils declared.
CREATE FUNCTION transition_progress(of_year int) RETURNS TABLE (code text, name text, baseline int, declared int, t1 timestamptz, t2 timestamptz,
	verified timestamptz, last_contact timestamptz, pending bigint, to_verify int, answered int) LANGUAGE sql STABLE AS $$
	WITH declared AS (SELECT * FROM transition_declared(of_year)),
	frozen AS (SELECT b.source_school AS school, count(*)::int AS n FROM baseline b
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL GROUP BY 1),
	listed AS (SELECT d.source AS school, count(*)::int AS n FROM declared d GROUP BY 1),
	asked AS (SELECT d.school, count(*)::int AS n, count(v.rec_id)::int AS answered FROM declared d
		LEFT JOIN verify_answer v ON v.county = app_county() AND v.destination = d.destination AND v.owner_school = d.school AND NOT v.deleted
		WHERE d.school IS NOT NULL GROUP BY 1),
	filed AS (SELECT r.school, max(r.at) FILTER (WHERE r.stage = 'T1') AS t1, max(r.at) FILTER (WHERE r.stage = 'T2') AS t2,
			max(r.at) FILTER (WHERE r.stage = 'V') AS verified
		FROM filing_receipt r WHERE r.county = app_county() AND r.year = of_year GROUP BY 1),
	seen AS (SELECT d.school, max(d.last_contact) AS last_contact, sum(d.pending)::bigint AS pending
		FROM device d WHERE d.county = app_county() AND d.revoked_at IS NULL GROUP BY 1)
	SELECT x.school, s.name, coalesce(f.n, 0), coalesce(l.n, 0), filed.t1, filed.t2, filed.verified, seen.last_contact, coalesce(seen.pending, 0),
		coalesce(a.n, 0), coalesce(a.answered, 0)
	FROM (SELECT school FROM frozen UNION SELECT school FROM listed UNION SELECT school FROM asked) x
	LEFT JOIN school s ON s.county = app_county() AND s.code = x.school AND NOT s.deleted
	LEFT JOIN frozen f ON f.school = x.school
	LEFT JOIN listed l ON l.school = x.school
	LEFT JOIN asked a ON a.school = x.school
	LEFT JOIN filed ON filed.school = x.school
	LEFT JOIN seen ON seen.school = x.school
	ORDER BY 1
$$;

-- ---- What the last run found

-- Pupils with a code, be it a free one, and then the persons outside P; of_school null: the whole county.
CREATE FUNCTION transition_mismatches(of_year int, of_school text DEFAULT NULL) RETURNS TABLE (id uuid, cert_no text, name text, student_no text,
	codes text[], primary_code text, source_school text, dest_school text, found text[], owners text[], severity text, state text, flags text[],
	row_ids text[], row_kinds text[], row_schools text[], row_names text[], row_numbers text[])
LANGUAGE sql STABLE AS $$
	SELECT m.id, m.cert_no, m.name, m.student_no, m.codes, m.primary_code, m.source, m.dest_school, m.found, m.owners, m.severity, m.state, m.flags,
		h.ids, h.kinds, h.schools, h.names, h.numbers
	FROM (SELECT s.pupil AS id, st.cert_no, st.name, st.student_no, s.codes, s.primary_code, s.source, s.dest_school, s.found, s.owners, s.severity,
			s.state, s.flags, s.home, s.row_ids
		FROM pupil_state s
		JOIN baseline b ON b.county = s.county AND b.year = s.year AND b.pupil = s.pupil AND b.removed_at IS NULL
		LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
		WHERE s.county = app_county() AND s.year = of_year AND s.codes <> '{}'
		UNION ALL
		SELECT o.id, coalesce(e.cert_no, d.cert_no), coalesce(e.name, d.name), coalesce(e.student_no, d.student_no), o.codes, o.primary_code, o.source,
			o.dest_school, o.found, o.owners, o.severity, 'OUTSIDE', '{}', NULL, o.roster || o.destinations
		FROM outside_entry o
		LEFT JOIN enrolment e ON e.county = o.county AND e.rec_id = o.id
		LEFT JOIN destination d ON d.county = o.county AND d.rec_id = o.id
		WHERE o.county = app_county() AND o.year = of_year AND NOT o.gone AND o.codes <> '{}') m
	-- The rows that a person compares before he says same or different.
	LEFT JOIN LATERAL (SELECT array_agg(h.id ORDER BY h.id) AS ids, array_agg(h.kind ORDER BY h.id) AS kinds, array_agg(h.school ORDER BY h.id) AS schools,
			array_agg(h.name ORDER BY h.id) AS names, array_agg(h.number ORDER BY h.id) AS numbers
		FROM (SELECT e.rec_id::text AS id, 'enrolment' AS kind, e.owner_school AS school, coalesce(e.name, '') AS name, coalesce(e.cert_no, e.student_no, '') AS number
			FROM unnest(m.row_ids) i (id), LATERAL (SELECT * FROM enrolment WHERE county = app_county() AND rec_id = i.id AND NOT deleted) e
			UNION ALL
			SELECT d.rec_id::text, 'destination', d.owner_school, coalesce(d.name, ''), coalesce(d.cert_no, d.student_no, '')
			FROM unnest(m.row_ids) i (id), LATERAL (SELECT * FROM destination WHERE county = app_county() AND rec_id = i.id AND NOT deleted) d
			ORDER BY id LIMIT 64) h) h ON true
	WHERE of_school IS NULL OR of_school IN (m.source, m.home, m.dest_school) OR of_school = ANY (m.found || m.owners)
	ORDER BY m.state = 'OUTSIDE', array_position('{critical,high,mid,low}', m.severity), m.primary_code, m.source, m.name, m.id
$$;

-- The law of §2.6 per source, and in a last row with an empty code for the county: every state is counted by itself
-- and the residual is computed, so that it can tell. A pupil added since the last run is open.
CREATE FUNCTION transition_summary(of_year int) RETURNS TABLE (code text, name text, baseline int, confirmed int, provisional int, exempt int,
	open int, residual int) LANGUAGE sql STABLE AS $$
	SELECT c.code, s.name, c.baseline, c.confirmed, c.provisional, c.exempt, c.open, c.baseline - c.confirmed - c.provisional - c.exempt - c.open
	FROM (SELECT coalesce(b.source_school, '') AS code, count(*)::int AS baseline,
			count(*) FILTER (WHERE s.state = 'CONFIRMED')::int AS confirmed, count(*) FILTER (WHERE s.state = 'PROVISIONAL')::int AS provisional,
			count(*) FILTER (WHERE s.state = 'EXEMPT')::int AS exempt, count(*) FILTER (WHERE coalesce(s.state, 'OPEN') = 'OPEN')::int AS open
		FROM baseline b LEFT JOIN pupil_state s ON s.county = b.county AND s.year = b.year AND s.pupil = b.pupil
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL
		GROUP BY GROUPING SETS ((b.source_school), ())) c
	LEFT JOIN school s ON s.county = app_county() AND s.code = c.code AND NOT s.deleted
	ORDER BY c.code = '', c.code
$$;

-- §2.6 交办单: what has to happen to the slips after a run. A slip carries the slip-making codes only; the others are
-- correction items of their owners. `reader` is S of M10 and M13, which may read it. The days run from the commit of
-- the run that first showed a slip-making code; a pupil whose code merely turned into another keeps his date.
CREATE FUNCTION transition_slips_needed(of_year int) RETURNS TABLE (pupil uuid, action text, slip uuid, source text, home text, reader text,
	codes text, severity text, found_at timestamptz, issue_due timestamptz, round int, name text, cert_no text, student_no text)
LANGUAGE sql STABLE AS $$
	WITH due AS (
		SELECT s.pupil, s.source, s.home, CASE WHEN s.codes && '{M10,M13}' THEN s.dest_school END AS reader,
			string_agg(k.code, ',' ORDER BY array_position(s.codes, k.code)) AS codes,
			(array_agg(k.severity ORDER BY array_position(s.codes, k.code)))[1] AS severity, s.slip_since, st.name, st.cert_no, st.student_no
		FROM pupil_state s
		JOIN transition_codes() k ON k.code = ANY (s.codes) AND k.slip
		JOIN baseline b ON b.county = s.county AND b.year = s.year AND b.pupil = s.pupil AND b.removed_at IS NULL
		LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
		WHERE s.county = app_county() AND s.year = of_year
		GROUP BY s.pupil, s.source, s.home, s.codes, s.dest_school, s.slip_since, st.name, st.cert_no, st.student_no),
	slips AS (SELECT * FROM slip s WHERE s.county = app_county() AND s.year = of_year AND NOT s.deleted)
	SELECT coalesce(d.pupil, s.pupil), a.action, s.rec_id, coalesce(d.source, s.source), coalesce(d.home, s.home), d.reader, d.codes, d.severity,
		d.slip_since, slip_deadline(d.slip_since, c.issue_days),
		CASE a.action WHEN 'create' THEN 1 WHEN 'reopen' THEN coalesce(s.round, 1) + 1 ELSE s.round END,
		coalesce(d.name, s.name), coalesce(d.cert_no, s.cert_no), coalesce(d.student_no, s.student_no)
	FROM due d FULL JOIN slips s ON s.pupil = d.pupil
	CROSS JOIN transition_settings(of_year) c
	CROSS JOIN LATERAL (SELECT CASE
		WHEN s.pupil IS NULL THEN 'create'
		WHEN d.pupil IS NULL THEN CASE WHEN s.state <> 'closed' THEN 'close' END
		WHEN s.state = 'closed' THEN 'reopen'
		WHEN (s.source, s.home, s.codes, s.severity, coalesce(s.name, ''), coalesce(s.cert_no, ''), coalesce(s.student_no, ''))
			IS DISTINCT FROM (d.source, d.home, d.codes, d.severity, coalesce(d.name, ''), coalesce(d.cert_no, ''), coalesce(d.student_no, '')) THEN 'update'
		END AS action) a
	WHERE a.action IS NOT NULL
	ORDER BY 1
$$;

-- cli.md `transition proof list`: everybody whose state hangs on a proof (A5–A8, B, C), with the files that have
-- arrived and the word that stands on what he declares now.
CREATE FUNCTION transition_proofs(of_year int) RETURNS TABLE (pupil uuid, cert_no text, name text, student_no text, category text, place text,
	source_school text, word text, files text[]) LANGUAGE sql STABLE AS $$
	SELECT s.pupil, st.cert_no, st.name, st.student_no, s.category,
		coalesce(nullif(d.place, ''), nullif(d.dest_school_name, ''), d.dest_school), s.source, w.word, coalesce(f.files, '{}')
	FROM pupil_state s
	JOIN baseline b ON b.county = s.county AND b.year = s.year AND b.pupil = s.pupil AND b.removed_at IS NULL
	LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
	LEFT JOIN destination d ON d.county = s.county AND d.rec_id = s.destination
	LEFT JOIN (SELECT DISTINCT ON (w.pupil) w.pupil, w.word, w.category FROM proof_word w
		WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.n DESC) w ON w.pupil = s.pupil AND w.category = s.category
	LEFT JOIN (SELECT e.target, array_agg(e.name ORDER BY e.name, e.rec_id) AS files
		FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha AND f.complete
		WHERE e.county = app_county() AND NOT e.deleted GROUP BY e.target) f ON f.target = s.destination
	WHERE s.county = app_county() AND s.year = of_year AND (s.category LIKE 'B_' OR s.category LIKE 'C_' OR s.category IN ('A5', 'A6', 'A7', 'A8'))
	ORDER BY s.source, st.name, s.pupil
$$;
