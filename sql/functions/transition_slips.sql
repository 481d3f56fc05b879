-- 小升初: 交办单 and reminders.

-- 24:00 in Asia/Shanghai of the nth calendar day after `at`, whose own day is not counted (§2.6, §10).
CREATE OR REPLACE FUNCTION slip_deadline(at timestamptz, days int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT ((at AT TIME ZONE 'Asia/Shanghai')::date + days + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
$$;

-- §2.6 交办单: what has to happen to the slips after a run. A slip carries the slip-making codes only; the others are
-- correction items of their owners. `reader` is S of M10 and M13, which may read it. The days run from the commit of
-- the run that first showed a slip-making code; a pupil whose code merely turned into another keeps his date.
CREATE OR REPLACE FUNCTION transition_slips_needed(of_year int) RETURNS TABLE (pupil uuid, action text, slip uuid, source text, home text, reader text,
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

-- What is to be said now and has not been said: a function of the rows and the time, so that a restart or a second server
-- changes nothing.
CREATE OR REPLACE FUNCTION reminders_due() RETURNS TABLE (school text, about uuid, what text, round int, due timestamptz) LANGUAGE sql STABLE AS $$
	SELECT h.school, s.rec_id, CASE WHEN jg_now() < s.resolve_due THEN 'before' ELSE 'due' END, s.round, s.resolve_due
	FROM slip s
	JOIN slip_addressee h ON h.county = s.county AND h.slip = s.rec_id AND h.round = s.round AND NOT h.deleted AND h.answered_at IS NULL
	LEFT JOIN LATERAL (SELECT * FROM transition_rule t WHERE t.county = s.county AND t.valid_from <= (s.issued_at AT TIME ZONE 'Asia/Shanghai')::date
		ORDER BY t.valid_from DESC LIMIT 1) t ON true
	WHERE s.county = app_county() AND NOT s.deleted AND s.state IN ('issued', 'returned')
		AND jg_now() >= s.resolve_due - make_interval(hours => coalesce(t.remind_hours, 24))
		AND NOT EXISTS (SELECT FROM reminder r WHERE r.county = s.county AND r.about = s.rec_id AND r.owner_school = h.school AND r.round = s.round
			AND r.what = CASE WHEN jg_now() < s.resolve_due THEN 'before' ELSE 'due' END)
	UNION ALL
	SELECT DISTINCT p.dest_school, c.rec_id, 'silent', 1, (coalesce(c.verify_due, make_date(c.year, 9, 10)) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
	FROM cycle c
	JOIN pupil_state p ON p.county = c.county AND p.year = c.year AND 'M18' = ANY (p.codes)
	WHERE c.county = app_county() AND NOT c.deleted AND c.phase = 'verify' AND p.dest_school IS NOT NULL
		AND NOT EXISTS (SELECT FROM reminder r WHERE r.county = c.county AND r.about = c.rec_id AND r.owner_school = p.dest_school AND r.what = 'silent')
$$;

-- A slip is answered by its addressees, from the verify phase on, while it is open. An answer names its addressee by id; which slip that is
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

-- A slip that is closed keeps the files and the log that closed it.
CREATE OR REPLACE FUNCTION slip_addressee_children_guard(ords int[], schools text[], parents uuid[], deleted boolean[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE sql STABLE AS $$
	SELECT u.ord, 'NOT_NOW', NULL, '这张交办单已经销号，材料不能再撤回'
	FROM unnest(ords, parents, deleted) AS u (ord, parent, deleted)
	JOIN slip_addressee a ON a.county = app_county() AND a.rec_id = u.parent
	JOIN slip s ON s.county = app_county() AND s.rec_id = a.slip
	WHERE u.deleted AND s.state = 'closed'
$$;
