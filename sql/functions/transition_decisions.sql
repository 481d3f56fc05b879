-- What the bureau's decisions on proofs mean, and what a run makes of them. Applied again whenever this file changes.

-- Where a row says that the pupil goes, as far as a decision on its proof depends on it: a word is on one category and one place, and a
-- late change re-opens what it touches (cli.md).
CREATE OR REPLACE FUNCTION destination_about(place text, dest_school text, dest_school_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT concat_ws('|', coalesce(name_key(place), ''), coalesce(cert_key(dest_school), ''), coalesce(name_key(dest_school_name), ''))
$$;

-- cli.md `transition proof list`: everybody whose state hangs on a proof (A5–A8, B, C), as he stands now, with the files of the school
-- that filed his row and the word that stands on what he declares.
CREATE OR REPLACE FUNCTION transition_proofs(of_year int, of_pupil uuid DEFAULT NULL) RETURNS TABLE (pupil uuid, cert_no text, name text, student_no text, category text, place text,
	source_school text, word text, files text[], filed_by text, shas bytea[]) LANGUAGE sql STABLE AS $$
	SELECT b.pupil, st.cert_no, st.name, st.student_no, d.category,
		coalesce(nullif(d.place, ''), nullif(d.dest_school_name, ''), d.dest_school), b.source_school, w.word, coalesce(f.files, '{}'), d.owner_school, coalesce(f.shas, '{}')
	FROM transition_rows_now(of_year, of_pupil) t
	JOIN baseline b ON b.county = app_county() AND b.year = of_year AND b.pupil = t.pupil
	JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
	LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
	LEFT JOIN (SELECT DISTINCT ON (w.pupil) w.pupil, w.word, w.category, w.about FROM proof_word w
		WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.n DESC) w ON w.pupil = t.pupil AND w.category = d.category
		AND coalesce(w.about = destination_about(d.place, d.dest_school, d.dest_school_name), true)
	LEFT JOIN (SELECT e.target, e.owner_school, array_agg(e.name ORDER BY e.name, e.rec_id) AS files, array_agg(e.sha ORDER BY e.name, e.rec_id) AS shas
		FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha AND f.complete
		WHERE e.county = app_county() AND NOT e.deleted GROUP BY e.target, e.owner_school) f ON f.target = d.rec_id AND f.owner_school = d.owner_school
	WHERE d.category LIKE 'B_' OR d.category LIKE 'C_' OR d.category IN ('A5', 'A6', 'A7', 'A8')
	ORDER BY b.source_school, st.name, b.pupil
$$;

-- The bureau's word on what he declares now. Returns 0 when he declares nothing.
CREATE OR REPLACE FUNCTION transition_proof_word(of_year int, of_pupil uuid, accepts boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH said AS (
		INSERT INTO proof_word (county, year, pupil, word, category, about, reason, by_user, at)
		SELECT d.county, of_year, of_pupil, CASE WHEN accepts THEN 'accepted' ELSE 'refuted' END, d.category, destination_about(d.place, d.dest_school, d.dest_school_name),
			coalesce(why, ''), who, jg_now()
		FROM transition_rows_now(of_year, of_pupil) t JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
		RETURNING 1)
	SELECT count(*)::int FROM said
$$;

-- As in 0014, and a decision counts for the place too that it was said of.
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

	-- E, where proof or a word decides: everywhere but A1–A4 and D.
	CREATE TEMP TABLE r_proof AS
	SELECT b.pupil, (b.category NOT LIKE 'B_' OR b.placed) AND (b.row_id, b.school) IN (
			SELECT e.target, e.owner_school FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha
			WHERE e.county = app_county() AND NOT e.deleted AND f.complete AND f.size > 0) AS proof, w.word
	FROM r_mine b JOIN destination d ON d.county = app_county() AND d.rec_id = b.row_id
	LEFT JOIN (
		SELECT DISTINCT ON (w.pupil) w.pupil, w.word, w.category, w.about FROM proof_word w WHERE w.county = app_county() AND w.year = of_year
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
		CASE WHEN category IN ('B1', 'B2', 'B3') AND sp0 AND NOT proof AND word IS DISTINCT FROM 'refuted' THEN 'M30' END,
		CASE WHEN is_b AND sp0 AND proof AND word IS NULL AND on_date > setting.provisional_until THEN 'M31' END,
		CASE WHEN is_b AND sp0 AND word = 'refuted' THEN 'M32' END,
		CASE WHEN sp0 AND (category IN ('C1', 'C2') AND (NOT proof OR word = 'refuted') OR category = 'C1' AND on_date > setting.deferral_until) THEN 'M40' END,
		CASE WHEN category IN ('A5', 'A6', 'A7', 'A8') AND (NOT proof OR word = 'refuted') THEN 'M41' END,
		CASE WHEN category = 'C3' AND sp0 AND (NOT proof OR word = 'refuted') THEN 'M42' END,
		CASE WHEN category IN ('B4', 'B5') AND sp0 AND NOT proof AND word IS DISTINCT FROM 'refuted' THEN 'M43' END,
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
			e.proof, e.word, twice.filers,
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
