-- What the bureau decides reads what stands now, says what it is about, and can be taken back while nobody has built on it; what counts
-- as proof is filed by the school whose row it proves; runs give the same whatever ran before.

-- ---- When a pupil was confirmed, and where: from one run to another. A run writes only what changes.
CREATE TABLE pupil_confirmed (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,
	from_run int NOT NULL,
	to_run int,                             -- NULL: the last run said so too
	school text NOT NULL,
	PRIMARY KEY (county, year, pupil, from_run)
);
ALTER TABLE pupil_confirmed ENABLE ROW LEVEL SECURITY;
ALTER TABLE pupil_confirmed FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON pupil_confirmed USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN ('bureau', 'job'));
GRANT SELECT, INSERT, UPDATE ON pupil_confirmed TO jingguan_app;
ALTER TABLE pupil_state NO FORCE ROW LEVEL SECURITY; -- a migration is of all counties
ALTER TABLE reconcile_run NO FORCE ROW LEVEL SECURITY;
ALTER TABLE pupil_confirmed NO FORCE ROW LEVEL SECURITY;
INSERT INTO pupil_confirmed (county, year, pupil, from_run, to_run, school)
SELECT s.county, s.year, s.pupil, coalesce(r.run_no, s.run_no), r.run_no, s.confirmed_school
FROM pupil_state s
LEFT JOIN LATERAL (SELECT r.run_no FROM reconcile_run r WHERE r.county = s.county AND r.year = s.year AND r.as_of = s.confirmed_until
	ORDER BY r.run_no DESC LIMIT 1) r ON true
WHERE s.confirmed_school IS NOT NULL AND (s.confirmed_until IS NULL OR r.run_no IS NOT NULL);
ALTER TABLE pupil_state FORCE ROW LEVEL SECURITY;
ALTER TABLE reconcile_run FORCE ROW LEVEL SECURITY;
ALTER TABLE pupil_confirmed FORCE ROW LEVEL SECURITY;

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
	FROM r_mine b LEFT JOIN (
		SELECT DISTINCT ON (w.pupil) w.pupil, w.word, w.category FROM proof_word w WHERE w.county = app_county() AND w.year = of_year
		ORDER BY w.pupil, w.n DESC) w ON w.pupil = b.pupil AND w.category = b.category
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
			WHEN category IN ('B1', 'B2', 'B3') AND word = 'accepted' THEN 'CONFIRMED'
			WHEN category IN ('B4', 'B5', 'C2', 'C3') AND word = 'accepted' THEN 'EXEMPT'
			WHEN (is_b OR category LIKE 'C_') AND proof AND (word IS NULL OR category = 'C1') THEN 'PROVISIONAL'
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
	DROP TABLE r_p, r_row, r_pair, r_tied, r_word, r_left, r_free, r_mine, r_answer, r_where, r_proof, r_gone, r_area, r_case, r_out, r_alias, r_elsewhere,
		r_outside, r_owner, r_new, r_entry;
	elapsed_ms := extract(epoch FROM clock_timestamp() - begun) * 1000;
	INSERT INTO reconcile_run (county, year, run_no, as_of, at, baseline, confirmed, provisional, exempt, mismatched, outside, changed, elapsed_ms)
	VALUES (app_county(), of_year, transition_reconcile.run_no, run_as_of, jg_now(), transition_reconcile.baseline, transition_reconcile.confirmed,
		transition_reconcile.provisional, transition_reconcile.exempt, transition_reconcile.mismatched, transition_reconcile.outside,
		transition_reconcile.changed, transition_reconcile.elapsed_ms);
	RETURN NEXT;
END $$;

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

CREATE OR REPLACE FUNCTION transition_mismatches(of_year int, of_school text DEFAULT NULL) RETURNS TABLE (id uuid, cert_no text, name text, student_no text,
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
		SELECT o.id, coalesce(e.cert_no, d.cert_no, n.cert_no), coalesce(e.name, d.name), coalesce(e.student_no, d.student_no, n.student_no), o.codes, o.primary_code, o.source,
			o.dest_school, o.found, o.owners, o.severity, 'OUTSIDE', '{}', NULL, o.roster || o.destinations
		FROM outside_entry o
		LEFT JOIN enrolment e ON e.county = o.county AND e.rec_id = o.id
		LEFT JOIN destination d ON d.county = o.county AND d.rec_id = o.id
		-- Of several rows of one person, one may give the certificate number and another only the 学籍号.
		LEFT JOIN LATERAL (SELECT min(x.cert_no) AS cert_no, min(x.student_no) AS student_no FROM (
			SELECT x.cert_no, x.student_no FROM enrolment x WHERE x.county = o.county AND x.rec_id = ANY (o.roster)
			UNION ALL SELECT x.cert_no, x.student_no FROM destination x WHERE x.county = o.county AND x.rec_id = ANY (o.destinations)) x) n ON true
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

-- ---- Opening a year, and taking it back

-- As in 0007, and again after a year was cancelled: then nobody of P is left and no cycle stands.
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

-- What opening would freeze, per primary school: one without a sixth-grader has no roster yet, and its pupils would be missing from P.
CREATE FUNCTION transition_open_preview() RETURNS TABLE (code text, name text, pupils int) LANGUAGE sql STABLE AS $$
	SELECT s.code, s.name, (SELECT count(*)::int FROM student p WHERE p.county = s.county AND p.owner_school = s.code AND NOT p.deleted
		AND p.grade = '16' AND coalesce(p.status, '') IN ('', '01', '02', '05'))
	FROM school s WHERE s.county = app_county() AND NOT s.deleted AND stage_mask(s.type) & 2 > 0 AND s.type NOT LIKE '51_'
	ORDER BY s.code
$$;

-- Takes a year back while no school has reported in it: P is emptied, and each pupil's removal has its reason. Returns how many, or -1
-- when something was reported.
CREATE FUNCTION transition_cancel(of_year int, why text, who text) RETURNS int LANGUAGE plpgsql AS $$
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

-- What a year that is closed would leave behind, per school: pupils that are open (OPEN), slips that are under way (SLIP).
CREATE FUNCTION transition_unsettled(of_year int) RETURNS TABLE (code text, name text, what text, n int) LANGUAGE sql STABLE AS $$
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

-- ---- Where a pupil goes

-- Schools that a name or a code may have meant.
CREATE FUNCTION schools_near(given text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce('；相近的有 ' || string_agg(format('%s（%s）', n.name, n.code), '、'), '') FROM (
		SELECT s.name, s.code FROM junior_schools() j JOIN school s ON s.county = app_county() AND s.code = j.code AND NOT s.deleted
		ORDER BY (SELECT count(*) FROM unnest(string_to_array(given, NULL)) WITH ORDINALITY AS g (glyph, at)
			WHERE CASE WHEN given ~ '^[0-9]+$' THEN substr(s.code, g.at::int, 1) = g.glyph ELSE position(g.glyph IN s.name) > 0 END) DESC, s.code LIMIT 3) n
$$;

-- destination_other with what is wrong with the school that is given, for the school that reads it.
CREATE FUNCTION destination_judge(ords int[], categories text[], codes text[], names text[], owners text[]) RETURNS TABLE (ord int, school text, problem text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	SELECT o.ord, o.school, CASE
		WHEN (u.category LIKE 'A_') IS NOT TRUE THEN NULL
		WHEN u.code <> '' AND s.code IS NULL THEN format('没有学校标识码为 %s 的学校%s', u.code, schools_near(u.code))
		WHEN u.code <> '' AND o.school IS NULL THEN format('%s（%s）不招初中学生，不能作为升入学校%s', s.name, u.code, schools_near(s.name))
		WHEN u.code <> '' AND name_key(u.name) <> name_key(s.name) THEN format('学校标识码 %s 是%s，与填写的“%s”不一致', u.code, s.name, u.name)
		WHEN u.code = '' AND name_key(u.name) IS NOT NULL AND o.school IS NULL AND u.category IN ('A1', 'A2', 'A3', 'A4') THEN
			CASE WHEN EXISTS (SELECT FROM junior_schools() j WHERE j.name = name_key(u.name)) THEN format('叫“%s”的初中不止一所，请填学校标识码%s', u.name, schools_near(u.name))
				ELSE format('没有叫“%s”的初中%s', u.name, schools_near(u.name)) END
		END
	FROM destination_other(ords, categories, codes, names, owners) o
	JOIN (SELECT x.ord, x.category, coalesce(cert_key(x.code), '') AS code, x.name FROM unnest(ords, categories, codes, names) AS x (ord, category, code, name)) u ON u.ord = o.ord
	LEFT JOIN LATERAL (SELECT s.code, s.name FROM school s WHERE s.county = app_county() AND s.code = u.code AND NOT s.deleted LIMIT 1) s ON true;
END $$;

-- ---- The bureau's words

-- t(p) as it stands now: by a person's word, by number (K0–K2 of §2.5), else what the last run attached weakly. of_pupil null: all of P.
CREATE FUNCTION transition_rows_now(of_year int, of_pupil uuid DEFAULT NULL) RETURNS TABLE (pupil uuid, destination uuid) LANGUAGE sql STABLE AS $$
	WITH p AS MATERIALIZED (
		SELECT b.pupil, b.source_school, a.alias
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL AND (of_pupil IS NULL OR b.pupil = of_pupil)),
	d AS MATERIALIZED (
		SELECT d.rec_id, d.owner_school, a.alias, a.pass
		FROM destination d CROSS JOIN LATERAL (VALUES ('G' || cert_key(d.cert_no), 1), (student_no_key(d.student_no), 2)) a (alias, pass)
		WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted),
	word AS MATERIALIZED (
		SELECT DISTINCT ON (w.pupil, w.row_id) w.pupil, w.row_id, w.same FROM pair_word w
		WHERE w.county = app_county() AND w.year = of_year AND (of_pupil IS NULL OR w.pupil = of_pupil) ORDER BY w.pupil, w.row_id, w.n DESC),
	candidate AS (
		SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, d.pass FROM p JOIN d ON d.alias = p.alias
		UNION ALL SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, 0 FROM p JOIN word w ON w.pupil = p.pupil AND w.same JOIN d ON d.rec_id = w.row_id
		UNION ALL SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, 3 FROM p JOIN pupil_state s ON s.county = app_county() AND s.year = of_year AND s.pupil = p.pupil
			JOIN d ON d.rec_id = s.destination)
	SELECT DISTINCT ON (c.pupil) c.pupil, c.rec_id FROM candidate c
	WHERE NOT EXISTS (SELECT FROM word w WHERE w.pupil = c.pupil AND w.row_id = c.rec_id AND NOT w.same)
	ORDER BY c.pupil, c.owner_school = c.source_school DESC, c.owner_school, c.pass, c.rec_id
$$;

-- cli.md `transition proof list`: everybody whose state hangs on a proof (A5–A8, B, C), as he stands now, with the files of the school
-- that filed his row and the word that stands on what he declares.
DROP FUNCTION transition_proofs(int);
CREATE FUNCTION transition_proofs(of_year int, of_pupil uuid DEFAULT NULL) RETURNS TABLE (pupil uuid, cert_no text, name text, student_no text, category text, place text,
	source_school text, word text, files text[], filed_by text, shas bytea[]) LANGUAGE sql STABLE AS $$
	SELECT b.pupil, st.cert_no, st.name, st.student_no, d.category,
		coalesce(nullif(d.place, ''), nullif(d.dest_school_name, ''), d.dest_school), b.source_school, w.word, coalesce(f.files, '{}'), d.owner_school, coalesce(f.shas, '{}')
	FROM transition_rows_now(of_year, of_pupil) t
	JOIN baseline b ON b.county = app_county() AND b.year = of_year AND b.pupil = t.pupil
	JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
	LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
	LEFT JOIN (SELECT DISTINCT ON (w.pupil) w.pupil, w.word, w.category FROM proof_word w
		WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.n DESC) w ON w.pupil = t.pupil AND w.category = d.category
	LEFT JOIN (SELECT e.target, e.owner_school, array_agg(e.name ORDER BY e.name, e.rec_id) AS files, array_agg(e.sha ORDER BY e.name, e.rec_id) AS shas
		FROM evidence e JOIN blob f ON f.county = e.county AND f.school = e.owner_school AND f.sha = e.sha AND f.complete
		WHERE e.county = app_county() AND NOT e.deleted GROUP BY e.target, e.owner_school) f ON f.target = d.rec_id AND f.owner_school = d.owner_school
	WHERE d.category LIKE 'B_' OR d.category LIKE 'C_' OR d.category IN ('A5', 'A6', 'A7', 'A8')
	ORDER BY b.source_school, st.name, b.pupil
$$;

-- The bureau's word on what he declares now. Returns 0 when he declares nothing.
CREATE OR REPLACE FUNCTION transition_proof_word(of_year int, of_pupil uuid, accepts boolean, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH said AS (
		INSERT INTO proof_word (county, year, pupil, word, category, reason, by_user, at)
		SELECT d.county, of_year, of_pupil, CASE WHEN accepts THEN 'accepted' ELSE 'refuted' END, d.category, coalesce(why, ''), who, jg_now()
		FROM transition_rows_now(of_year, of_pupil) t JOIN destination d ON d.county = app_county() AND d.rec_id = t.destination
		RETURNING 1)
	SELECT count(*)::int FROM said
$$;

-- What a word is about, in words.
CREATE FUNCTION transition_about(of_year int, of_pupil uuid) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT format('%s（%s）', s.name, coalesce(c.name, b.source_school)) FROM baseline b
	JOIN student s ON s.county = b.county AND s.rec_id = b.student
	LEFT JOIN school c ON c.county = b.county AND c.code = b.source_school AND NOT c.deleted
	WHERE b.county = app_county() AND b.year = of_year AND b.pupil = of_pupil
$$;
