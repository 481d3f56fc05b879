-- 小升初: where a pupil goes, and what may hang on the row that says so.

-- S(t) of §2.4, one row per ord, null when there is none. `owner` is the school that filed the row: for A4 without a
-- school it is the through-school itself. (The document says "the source"; for the source's own rows that is the same,
-- and a pupil who moved to a through-school is promoted there.)
-- plpgsql keeps the plan: Sync.Push calls this once per batch.
CREATE OR REPLACE FUNCTION destination_other(ords int[], categories text[], codes text[], names text[], owners text[]) RETURNS TABLE (ord int, school text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	WITH junior AS MATERIALIZED (SELECT * FROM junior_schools())
	SELECT d.ord, CASE
			WHEN (d.category LIKE 'A_') IS NOT TRUE THEN NULL
			WHEN d.code <> '' THEN given.code
			WHEN d.name IS NOT NULL THEN named.code
			WHEN d.category = 'A4' THEN own.code END
	FROM (SELECT u.ord, u.category, coalesce(cert_key(u.code), '') AS code, name_key(u.name) AS name, u.owner
		FROM unnest(ords, categories, codes, names, owners) AS u (ord, category, code, name, owner)) d
	LEFT JOIN junior given ON given.code = d.code
	LEFT JOIN junior named ON named.name = d.name AND named.alone
	LEFT JOIN junior own ON own.code = d.owner;
END $$;

-- destination_other with what is wrong with the school that is given, for the school that reads it. Who is promoted inside a through-school
-- stays in it; who goes elsewhere, later or nowhere gives no school of the county; a code that the register does not have says nothing
-- without a name or a place.
CREATE OR REPLACE FUNCTION destination_judge(ords int[], categories text[], codes text[], names text[], places text[], owners text[])
RETURNS TABLE (ord int, school text, problem text) LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	SELECT o.ord, o.school, CASE
		WHEN u.category IS NULL THEN NULL
		WHEN u.category LIKE 'A_' THEN CASE
			WHEN u.code <> '' AND s.code IS NULL THEN format('没有学校标识码为 %s 的学校%s', u.code, schools_near(u.code))
			WHEN u.code <> '' AND o.school IS NULL THEN format('%s（%s）不招初中学生，不能作为升入学校%s', s.name, u.code, schools_near(s.name))
			WHEN u.code <> '' AND name_key(u.name) <> name_key(s.name) THEN format('学校标识码 %s 是%s，与填写的“%s”不一致', u.code, s.name, u.name)
			WHEN u.code = '' AND name_key(u.name) IS NOT NULL AND o.school IS NULL AND u.category IN ('A1', 'A2', 'A3', 'A4') THEN
				CASE WHEN EXISTS (SELECT FROM junior_schools() j WHERE j.name = name_key(u.name)) THEN format('叫“%s”的初中不止一所，请填学校标识码%s', u.name, schools_near(u.name))
					ELSE format('没有叫“%s”的初中%s', u.name, schools_near(u.name)) END
			WHEN u.category = 'A4' AND o.school IS NULL THEN '本校没有初中部，不能一贯制直升'
			WHEN u.category = 'A4' AND o.school <> u.owner THEN '一贯制直升是升入本校的初中部，升入别的学校请填相应的去向类别' END
		WHEN s.code IS NOT NULL OR u.code = '' AND u.place IS NULL AND EXISTS (SELECT FROM junior_schools() j WHERE j.name = name_key(u.name)) THEN
			format('%s是县内学校：在县内升学的填县内的去向类别，其他去向不填县内学校', coalesce(s.name, u.name))
		WHEN u.code <> '' AND u.category NOT LIKE 'B_' THEN '缓学、留级、死亡和没有落实的去向没有升入学校，请去掉学校标识码'
		WHEN u.code <> '' AND u.place IS NULL AND name_key(u.name) IS NULL THEN format('县内没有学校标识码为 %s 的学校：去外地的写明地区和校名', u.code)
		END
	FROM destination_other(ords, categories, codes, names, owners) o
	JOIN (SELECT x.ord, x.category, coalesce(cert_key(x.code), '') AS code, x.name, nullif(btrim(x.place), '') AS place, x.owner
		FROM unnest(ords, categories, codes, names, places, owners) AS x (ord, category, code, name, place, owner)) u ON u.ord = o.ord
	LEFT JOIN LATERAL (SELECT s.code, s.name FROM school s WHERE s.county = app_county() AND s.code = u.code AND NOT s.deleted LIMIT 1) s ON true;
END $$;

-- t(p) as it stands now: by a person's decision, by number (K0–K2 of §2.5), else what the last run attached weakly. of_pupil null: all of P.
CREATE OR REPLACE FUNCTION transition_rows_now(of_year int, of_pupil uuid DEFAULT NULL) RETURNS TABLE (pupil uuid, destination uuid) LANGUAGE sql STABLE AS $$
	WITH p AS MATERIALIZED (
		SELECT b.pupil, b.source_school, a.alias
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL AND (of_pupil IS NULL OR b.pupil = of_pupil)),
	d AS MATERIALIZED (
		SELECT d.rec_id, d.owner_school, a.alias, a.pass
		FROM destination d CROSS JOIN LATERAL (VALUES ('G' || cert_key(d.cert_no), 1), (student_no_key(d.student_no), 2)) a (alias, pass)
		WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted),
	decision AS MATERIALIZED (
		SELECT DISTINCT ON (w.pupil, w.row_id) w.pupil, w.row_id, w.same FROM pair_decision w
		WHERE w.county = app_county() AND w.year = of_year AND (of_pupil IS NULL OR w.pupil = of_pupil) ORDER BY w.pupil, w.row_id, w.n DESC),
	candidate AS (
		SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, d.pass FROM p JOIN d ON d.alias = p.alias
		UNION ALL SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, 0 FROM p JOIN decision w ON w.pupil = p.pupil AND w.same JOIN d ON d.rec_id = w.row_id
		UNION ALL SELECT p.pupil, p.source_school, d.rec_id, d.owner_school, 3 FROM p JOIN pupil_state s ON s.county = app_county() AND s.year = of_year AND s.pupil = p.pupil
			JOIN d ON d.rec_id = s.destination)
	SELECT DISTINCT ON (c.pupil) c.pupil, c.rec_id FROM candidate c
	WHERE NOT EXISTS (SELECT FROM decision w WHERE w.pupil = c.pupil AND w.row_id = c.rec_id AND NOT w.same)
	ORDER BY c.pupil, c.owner_school = c.source_school DESC, c.owner_school, c.pass, c.rec_id
$$;

-- S(t) of every live row of the year, for what is counted per school.
CREATE OR REPLACE FUNCTION transition_declared(of_year int) RETURNS TABLE (destination uuid, source text, school text) LANGUAGE sql STABLE AS $$
	WITH d AS (
		SELECT row_number() OVER ()::int AS ord, d.rec_id, d.category, d.dest_school, d.dest_school_name, d.owner_school
		FROM destination d WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted)
	SELECT d.rec_id, d.owner_school, o.school
	FROM d JOIN destination_other((SELECT array_agg(d.ord ORDER BY d.ord) FROM d), (SELECT array_agg(d.category ORDER BY d.ord) FROM d),
		(SELECT array_agg(d.dest_school ORDER BY d.ord) FROM d), (SELECT array_agg(d.dest_school_name ORDER BY d.ord) FROM d),
		(SELECT array_agg(d.owner_school ORDER BY d.ord) FROM d)) o ON o.ord = d.ord
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

-- What hangs on a row of the source table stands in its year like the row itself, and what the bureau has accepted is not taken from under its decision.
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
				SELECT w.decision, w.category, w.about FROM proof_decision w WHERE w.county = app_county() AND w.year = d.year AND w.pupil = t.pupil ORDER BY w.n DESC LIMIT 1) w ON true
			WHERE t.destination = d.rec_id AND w.decision = 'accepted' AND w.category = d.category
				AND coalesce(w.about = destination_about(d.place, d.dest_school, d.dest_school_name), true))) r;
	EXECUTE format('SET LOCAL app.scope = %L', before);
END $$;
