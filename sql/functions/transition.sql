-- 小升初: what the declarations of its kinds (proto/jingguan/v1/transition.proto) call. Applied again whenever this file changes.

-- Years that the county has, and those that can be opened yet (this one and the next, phase null): what is of another year is a slip of the pen.
CREATE OR REPLACE FUNCTION transition_years() RETURNS TABLE (year int, phase text) LANGUAGE sql STABLE AS $$
	SELECT coalesce(c.year, y.year), c.phase
	FROM (SELECT extract(year FROM jg_today())::int + n AS year FROM generate_series(0, 1) n) y
	FULL JOIN (SELECT c.year, c.phase FROM cycle c WHERE c.county = app_county() AND NOT c.deleted) c ON c.year = y.year
$$;

-- Held to the end of the transaction by every push of these kinds, from before it looks at anything; whoever moves the phase of a year or takes
-- the year back holds it alone (phase_lock, 0016 and 0017). In the order of the years.
CREATE OR REPLACE FUNCTION transition_hold() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM phase_lock(y.year, false) FROM (SELECT u.year FROM transition_years() u WHERE u.phase IS DISTINCT FROM 'closed' ORDER BY 1) y;
END $$;

-- A row of the source table or of a roster stands in a year that is open, or is not open yet: as it is pushed, and as it stands.
CREATE OR REPLACE FUNCTION transition_year_guard(ords int[], years int[]) RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT DISTINCT ON (u.ord) u.ord, CASE WHEN k.year IS NULL THEN 'INVALID' ELSE 'PHASE' END, 'year',
		CASE WHEN k.year IS NULL THEN format('县局没有 %s 年的小升初工作', u.year) ELSE format('%s 年小升初工作已结束，不能再修改', u.year) END
	FROM unnest(ords, years) AS u (ord, year) LEFT JOIN transition_years() k ON k.year = u.year
	WHERE u.year IS NOT NULL AND (k.year IS NULL OR k.phase = 'closed')
	ORDER BY u.ord, u.year
$$;

CREATE OR REPLACE FUNCTION destination_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	WITH u AS MATERIALIZED (SELECT * FROM unnest(ords, schools, ids, bodies) AS u (ord, school, id, body)),
	years AS MATERIALIZED (
		SELECT u.ord, (u.body->>'year')::int AS year FROM u
		UNION ALL SELECT u.ord, d.year FROM u JOIN destination d ON d.county = app_county() AND d.rec_id = u.id),
	led AS MATERIALIZED (SELECT u.ord, u.school, u.body FROM u WHERE u.body ? 'category')
	SELECT j.ord, coalesce(j.school, ''), CASE WHEN j.problem IS NOT NULL THEN 'INVALID' END, 'dest_school', j.problem
	FROM destination_judge((SELECT array_agg(l.ord ORDER BY l.ord) FROM led l), (SELECT array_agg(l.body->>'category' ORDER BY l.ord) FROM led l),
		(SELECT array_agg(l.body->>'dest_school' ORDER BY l.ord) FROM led l), (SELECT array_agg(l.body->>'dest_school_name' ORDER BY l.ord) FROM led l),
		(SELECT array_agg(l.body->>'place' ORDER BY l.ord) FROM led l), (SELECT array_agg(l.school ORDER BY l.ord) FROM led l)) j
	UNION ALL SELECT y.ord, NULL, y.code, y.field, y.message
	FROM transition_year_guard((SELECT array_agg(x.ord) FROM years x), (SELECT array_agg(x.year) FROM years x)) y;
END $$;

CREATE OR REPLACE FUNCTION enrolment_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	WITH years AS MATERIALIZED (
		SELECT u.ord, (u.body->>'year')::int AS year FROM unnest(ords, bodies) AS u (ord, body)
		UNION ALL SELECT u.ord, e.year FROM unnest(ords, ids) AS u (ord, id) JOIN enrolment e ON e.county = app_county() AND e.rec_id = u.id)
	SELECT y.ord, NULL::text, y.code, y.field, y.message
	FROM transition_year_guard((SELECT array_agg(x.ord) FROM years x), (SELECT array_agg(x.year) FROM years x)) y
	UNION ALL
	-- The roster of a seventh grade is of a school that has one.
	SELECT u.ord, NULL, 'NOT_NOW', 'year', format('%s没有初中部，没有初中新生名册', s.name)
	FROM unnest(ords, schools, bodies) AS u (ord, school, body) JOIN school s ON s.county = app_county() AND s.code = u.school AND NOT s.deleted
	WHERE u.body IS NOT NULL AND stage_mask(s.type) & 4 = 0;
END $$;

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

-- A slip is answered by its addressees, from the verify phase on, while it is open. An answer names its half of the slip by id; which slip that is
-- stands in the row.
CREATE OR REPLACE FUNCTION slip_addressee_guard(ords int[], schools text[], ids uuid[], bodies jsonb[])
RETURNS TABLE (ord int, shared_with text, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, NULL, r.code, r.field, r.message
	FROM unnest(ords, schools, ids, bodies) AS u (ord, school, id, body)
	LEFT JOIN slip_addressee h ON h.county = app_county() AND h.rec_id = u.id
	LEFT JOIN slip s ON s.county = app_county() AND s.rec_id = h.slip AND NOT s.deleted AND s.state <> 'draft'
	LEFT JOIN cycle c ON c.county = app_county() AND c.year = s.year AND NOT c.deleted
	CROSS JOIN LATERAL (
		SELECT 'NOT_FOUND' AS code, 'slip' AS field, '没有找到这张交办单' AS message WHERE s.rec_id IS NULL
		UNION ALL SELECT 'PERMISSION', 'slip', '这张交办单不是交办给本校的' WHERE s.rec_id IS NOT NULL AND NOT EXISTS (
			SELECT FROM slip_addressee a WHERE a.county = app_county() AND a.slip = h.slip AND a.school = u.school AND NOT a.deleted)
		UNION ALL SELECT 'PHASE', 'slip', '现在不是办理交办单的阶段' WHERE s.rec_id IS NOT NULL AND coalesce(c.phase, '') NOT IN ('verify', 'closed')
		UNION ALL SELECT 'NOT_NOW', 'slip', '这张交办单已经销号' WHERE s.state = 'closed'
		-- A school's clock proves nothing; what nobody can have done yet, or before it was issued, is written by nobody.
		UNION ALL SELECT 'INVALID', t.field, '签收和回复的时间在交办之前，或还没有到：请先同步，校准时间后再办' FROM (VALUES ('received_at'), ('answered_at')) t (field)
			WHERE (u.body->>t.field)::timestamptz NOT BETWEEN s.issued_at - interval '1 day' AND jg_now() + interval '1 day') r
	WHERE u.body IS NOT NULL
$$;

-- A formal report freezes the table as it stands, in the transaction that accepts it; V only its time.
CREATE OR REPLACE FUNCTION filing_applied(schools text[], ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM filing_snapshot_take(f.year, u.school, f.stage, f.rec_id)
	FROM unnest(schools, ids) AS u (school, id) JOIN filing f ON f.county = app_county() AND f.rec_id = u.id;
END $$;

-- What hangs on a row of the source table stands in its year like the row itself, and what the bureau has accepted is not taken from under its word.
-- It looks with the job's eyes: no school sees the bureau's decisions.
CREATE OR REPLACE FUNCTION destination_children_guard(ords int[], schools text[], parents uuid[], deleted boolean[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE plpgsql AS $$
DECLARE
	before text := app_scope();
BEGIN
	SET LOCAL app.scope = 'job';
	RETURN QUERY SELECT u.ord, r.code, NULL::text, r.message
	FROM unnest(ords, parents, deleted) AS u (ord, parent, deleted)
	JOIN destination d ON d.county = app_county() AND d.rec_id = u.parent
	LEFT JOIN transition_years() k ON k.year = d.year
	CROSS JOIN LATERAL (
		SELECT 'PHASE' AS code, format('%s 年小升初工作已结束，不能再修改', d.year) AS message WHERE k.phase = 'closed'
		UNION ALL SELECT 'NOT_NOW', '县局已经认可这份佐证，不能再撤回；要更正请联系基教科' WHERE u.deleted AND EXISTS (
			SELECT FROM transition_rows_now(d.year) t JOIN LATERAL (
				SELECT w.word, w.category, w.about FROM proof_word w WHERE w.county = app_county() AND w.year = d.year AND w.pupil = t.pupil ORDER BY w.n DESC LIMIT 1) w ON true
			WHERE t.destination = d.rec_id AND w.word = 'accepted' AND w.category = d.category
				AND coalesce(w.about = destination_about(d.place, d.dest_school, d.dest_school_name), true))) r;
	EXECUTE format('SET LOCAL app.scope = %L', before);
END $$;

-- A slip that is closed keeps the files and the log that closed it.
CREATE OR REPLACE FUNCTION slip_addressee_children_guard(ords int[], schools text[], parents uuid[], deleted boolean[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, 'NOT_NOW', NULL, '这张交办单已经销号，材料不能再撤回'
	FROM unnest(ords, parents, deleted) AS u (ord, parent, deleted)
	JOIN slip_addressee a ON a.county = app_county() AND a.rec_id = u.parent
	JOIN slip s ON s.county = app_county() AND s.rec_id = a.slip
	WHERE u.deleted AND s.state = 'closed'
$$;

-- cli.md `transition progress`: source schools and the junior schools that pupils declared. `declared` counts pupils of P with a row, by number as in
-- filing_gaps: rows beside P are no progress.
CREATE OR REPLACE FUNCTION transition_progress(of_year int) RETURNS TABLE (code text, name text, baseline int, declared int, t1 timestamptz, t2 timestamptz,
	verified timestamptz, last_contact timestamptz, pending bigint, to_verify int, answered int) LANGUAGE sql STABLE AS $$
	WITH declared AS (SELECT * FROM transition_declared(of_year)),
	frozen AS (SELECT b.source_school AS school, count(*)::int AS n FROM baseline b
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL GROUP BY 1),
	listed AS (
		SELECT b.source_school AS school, count(DISTINCT b.pupil)::int AS n
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		JOIN (SELECT d.owner_school, x.alias FROM destination d CROSS JOIN LATERAL (VALUES ('G' || cert_key(d.cert_no)), (student_no_key(d.student_no))) x (alias)
			WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted) d ON d.alias = a.alias AND d.owner_school = b.source_school
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL GROUP BY 1),
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
	FROM (SELECT school FROM frozen UNION SELECT d.source FROM declared d UNION SELECT school FROM asked) x
	LEFT JOIN school s ON s.county = app_county() AND s.code = x.school AND NOT s.deleted
	LEFT JOIN frozen f ON f.school = x.school
	LEFT JOIN listed l ON l.school = x.school
	LEFT JOIN asked a ON a.school = x.school
	LEFT JOIN filed ON filed.school = x.school
	LEFT JOIN seen ON seen.school = x.school
	ORDER BY 1
$$;

-- Whom `baseline add` may mean: every record of the child, by id or number. Who stands in P comes first, then the school that is named, then what
-- is on a roster.
CREATE OR REPLACE FUNCTION baseline_candidates(of_year int, given text, of_school text) RETURNS TABLE (pupil uuid, name text, school text, school_name text,
	stands boolean, listed boolean) LANGUAGE sql STABLE AS $$
	WITH meant AS MATERIALIZED (
		SELECT s.rec_id, cert_key(s.cert_no) AS cert, student_no_key(s.student_no) AS no FROM student s
		WHERE s.county = app_county() AND (s.rec_id::text = lower(given) OR cert_key(s.cert_no) = cert_key(given) OR student_no_key(s.student_no) = student_no_key(given))),
	his AS MATERIALIZED (
		SELECT s.* FROM student s WHERE s.county = app_county() AND s.owner_school <> '' AND (s.rec_id IN (SELECT m.rec_id FROM meant m)
			OR cert_key(s.cert_no) IN (SELECT m.cert FROM meant m) OR student_no_key(s.student_no) IN (SELECT m.no FROM meant m)))
	SELECT x.pupil, x.name, x.school, coalesce(c.name, x.school), x.stands, x.listed
	FROM (SELECT b.pupil, h.name, b.source_school AS school, b.removed_at IS NULL AS stands, NOT h.deleted AS listed
			FROM his h JOIN baseline b ON b.county = h.county AND b.year = of_year AND b.student = h.rec_id
		UNION ALL
		SELECT h.rec_id, h.name, h.owner_school, false, true FROM his h
			WHERE NOT h.deleted AND NOT EXISTS (SELECT FROM baseline b WHERE b.county = h.county AND b.year = of_year AND b.student = h.rec_id)) x
	LEFT JOIN school c ON c.county = app_county() AND c.code = x.school AND NOT c.deleted
	ORDER BY x.stands DESC, x.school = of_school DESC, x.listed DESC, x.pupil
$$;
