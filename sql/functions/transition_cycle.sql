-- 小升初: opening a year, who is in P, moving on, taking the year back.

-- What opening would freeze, per primary school: one without a sixth-grader has no roster yet, and its pupils would be missing from P.
CREATE OR REPLACE FUNCTION transition_open_preview() RETURNS TABLE (code text, name text, pupils int) LANGUAGE sql STABLE AS $$
	SELECT s.code, s.name, (SELECT count(*)::int FROM student p WHERE p.county = s.county AND p.owner_school = s.code AND NOT p.deleted
		AND p.grade = '16' AND coalesce(p.status, '') IN ('', '01', '02', '05'))
	FROM school s WHERE s.county = app_county() AND NOT s.deleted AND stage_mask(s.type) & 2 > 0 AND s.type NOT LIKE '51_'
	ORDER BY s.code
$$;

-- §2.4 P: the grade-6 records of schools with status 01, 02, 05 or none given. The first call freezes, and again after the year was cancelled,
-- when nobody of P is left and no cycle stands; every later one only counts, so that it may be repeated when its answer was lost.
CREATE OR REPLACE FUNCTION transition_open(of_year int) RETURNS TABLE (baseline int, schools int) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(app_county(), of_year);
	IF NOT EXISTS (SELECT FROM baseline b WHERE b.county = app_county() AND b.year = of_year)
		OR NOT EXISTS (SELECT FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL)
		AND NOT EXISTS (SELECT FROM cycle c WHERE c.county = app_county() AND c.year = of_year AND NOT c.deleted) THEN
		INSERT INTO baseline AS b (county, year, pupil, source_school, student, student_no, added_at)
		SELECT s.county, of_year, s.rec_id, s.owner_school, s.rec_id, s.student_no, jg_now()
		FROM student s
		WHERE s.county = app_county() AND NOT s.deleted AND s.owner_school <> '' AND s.grade = '16' AND coalesce(s.status, '') IN ('', '01', '02', '05')
		ON CONFLICT (county, year, pupil) DO UPDATE SET student = excluded.student, removed_at = NULL;
	END IF;
	RETURN QUERY SELECT count(*)::int, count(DISTINCT b.source_school)::int FROM baseline b
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
END $$;

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

-- cli.md `transition baseline add|remove`. `of_school` names the source of an added pupil, null: the school that keeps
-- his record. Returns 0 when there is no such record or nothing would change.
CREATE OR REPLACE FUNCTION transition_amend(of_year int, adds boolean, of_pupil uuid, of_school text, why text, who text) RETURNS int LANGUAGE plpgsql AS $$
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

-- cli.md "Complete means". what: T1, T2 or V not filed, or DRAFT for slips not issued yet (the bureau's own work).
CREATE OR REPLACE FUNCTION transition_phase_missing(of_year int, of_phase text) RETURNS TABLE (code text, name text, what text) LANGUAGE sql STABLE AS $$
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

-- What a year that is closed would leave behind, per school: pupils that are open (OPEN), slips that are under way (SLIP).
CREATE OR REPLACE FUNCTION transition_unsettled(of_year int) RETURNS TABLE (code text, name text, what text, n int) LANGUAGE sql STABLE AS $$
	SELECT u.code, s.name, u.what, u.n
	FROM (SELECT b.source_school AS code, 'OPEN' AS what, count(*)::int AS n FROM baseline b
			LEFT JOIN pupil_state p ON p.county = b.county AND p.year = b.year AND p.pupil = b.pupil
			WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL AND coalesce(p.state, 'OPEN') = 'OPEN' GROUP BY 1
		UNION ALL
		SELECT coalesce(p.source, ''), 'SLIP', count(*)::int FROM slip p
			WHERE p.county = app_county() AND p.year = of_year AND NOT p.deleted AND p.state <> 'closed' GROUP BY 1) u
	LEFT JOIN school s ON s.county = app_county() AND s.code = u.code AND NOT s.deleted
	ORDER BY 3, 1
$$;

-- Takes a year back while no school has reported in it: P is emptied, and each pupil's removal has its reason. Returns how many, or -1
-- when something was reported. Who calls it holds the year alone (phase_lock).
CREATE OR REPLACE FUNCTION transition_cancel(of_year int, why text, who text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	PERFORM pg_advisory_xact_lock(app_county(), of_year);
	IF EXISTS (SELECT FROM filing f WHERE f.county = app_county() AND f.year = of_year AND NOT f.deleted) THEN
		RETURN -1;
	END IF;
	INSERT INTO baseline_change (county, year, pupil, added, reason, by_user, at)
	SELECT b.county, b.year, b.pupil, false, why, who, jg_now() FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
	UPDATE baseline b SET removed_at = jg_now() WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
