-- 小升初: what the bureau decides about proofs and about who is who.

-- Where a row says that the pupil goes, as far as a decision on its proof depends on it: a decision is on one category and one place, and a
-- late change re-opens what it touches (cli.md).
CREATE OR REPLACE FUNCTION destination_about(place text, dest_school text, dest_school_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT concat_ws('|', coalesce(name_key(place), ''), coalesce(cert_key(dest_school), ''), coalesce(name_key(dest_school_name), ''))
$$;

-- cli.md `transition proof list`: everybody whose state hangs on a proof (A5–A8, B, C), as he stands now, with the files of the school
-- that filed his row and the decision that stands on what he declares.
CREATE OR REPLACE FUNCTION transition_proofs(of_year int, of_pupil uuid DEFAULT NULL) RETURNS TABLE (pupil uuid, cert_no text, name text, student_no text, category text, place text,
	source_school text, decision text, files text[], filed_by text, shas bytea[]) LANGUAGE sql STABLE AS $$
	SELECT b.pupil, st.cert_no, st.name, st.student_no, d.category,
		coalesce(nullif(d.place, ''), nullif(d.dest_school_name, ''), d.dest_school), b.source_school, w.decision, coalesce(f.files, '{}'), d.owner_school, coalesce(f.shas, '{}')
	FROM transition_rows_now(of_year, of_pupil) t
	JOIN baseline b ON b.county = app_county() AND b.year = of_year AND b.pupil = t.pupil
	JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
	LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
	LEFT JOIN (SELECT DISTINCT ON (w.pupil) w.pupil, w.decision, w.category, w.about FROM proof_decision w
		WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.n DESC) w ON w.pupil = t.pupil AND w.category = d.category
		AND coalesce(w.about = destination_about(d.place, d.dest_school, d.dest_school_name), true)
	LEFT JOIN (SELECT e.target, e.owner_school, array_agg(e.name ORDER BY e.name, e.rec_id) AS files, array_agg(e.sha ORDER BY e.name, e.rec_id) AS shas
		FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha AND f.complete
		WHERE e.county = app_county() AND NOT e.deleted GROUP BY e.target, e.owner_school) f ON f.target = d.rec_id AND f.owner_school = d.owner_school
	WHERE d.category LIKE 'B_' OR d.category LIKE 'C_' OR d.category IN ('A5', 'A6', 'A7', 'A8')
	ORDER BY b.source_school, st.name, b.pupil
$$;

-- The bureau decides on what he declares now. Returns 0 when he declares nothing.
CREATE OR REPLACE FUNCTION transition_proof_decide(of_year int, of_pupil uuid, accepts boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH decided AS (
		INSERT INTO proof_decision (county, year, pupil, decision, category, about, reason, by_user, at)
		SELECT d.county, of_year, of_pupil, CASE WHEN accepts THEN 'accepted' ELSE 'refuted' END, d.category, destination_about(d.place, d.dest_school, d.dest_school_name),
			coalesce(why, ''), who, jg_now()
		FROM transition_rows_now(of_year, of_pupil) t JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
		RETURNING 1)
	SELECT count(*)::int FROM decided
$$;

-- Same or not same. `of_row` is a row of a roster or of a destination table; returns 0 when either is not of this year.
CREATE OR REPLACE FUNCTION transition_pair_decide(of_year int, of_pupil uuid, of_row uuid, is_same boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH decided AS (
		INSERT INTO pair_decision (county, year, pupil, row_id, same, reason, by_user, at)
		SELECT b.county, b.year, b.pupil, of_row, is_same, coalesce(why, ''), who, jg_now()
		FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.pupil = of_pupil AND (
			EXISTS (SELECT FROM enrolment e WHERE e.county = b.county AND e.rec_id = of_row AND e.year = of_year AND NOT e.deleted)
			OR EXISTS (SELECT FROM destination d WHERE d.county = b.county AND d.rec_id = of_row AND d.year = of_year AND NOT d.deleted))
		RETURNING 1)
	SELECT count(*)::int FROM decided
$$;

-- The decisions that stand, the latest first.
CREATE OR REPLACE FUNCTION transition_pairs(of_year int) RETURNS TABLE (n bigint, pupil uuid, row_id uuid, same boolean, reason text, by_user text, at timestamptz) LANGUAGE sql STABLE AS $$
	SELECT w.n, w.pupil, w.row_id, w.same, w.reason, w.by_user, w.at
	FROM (SELECT DISTINCT ON (w.pupil, w.row_id) w.* FROM pair_decision w WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.row_id, w.n DESC) w
	WHERE w.same IS NOT NULL ORDER BY w.n DESC
$$;

-- A decision that is NULL takes the earlier ones back: matching goes on as if nobody had decided anything.
CREATE OR REPLACE FUNCTION transition_pair_withdraw(of_year int, of_pupil uuid, of_row uuid, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH decided AS (
		INSERT INTO pair_decision (county, year, pupil, row_id, same, reason, by_user, at)
		SELECT app_county(), of_year, w.pupil, w.row_id, NULL, coalesce(why, ''), who, jg_now()
		FROM transition_pairs(of_year) w WHERE w.pupil = of_pupil AND w.row_id = of_row
		RETURNING 1)
	SELECT count(*)::int FROM decided
$$;

-- Whom a decision is about, in words.
CREATE OR REPLACE FUNCTION transition_about(of_year int, of_pupil uuid) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT format('%s（%s）', s.name, coalesce(c.name, b.source_school)) FROM baseline b
	JOIN student s ON s.county = b.county AND s.rec_id = b.student
	LEFT JOIN school c ON c.county = b.county AND c.code = b.source_school AND NOT c.deleted
	WHERE b.county = app_county() AND b.year = of_year AND b.pupil = of_pupil
$$;
