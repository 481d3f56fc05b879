-- 小升初: the years, and what every other part asks of them.

-- The cycle's dates and numbers; a null takes the default of §10. No row at all: the year has not been opened.
CREATE OR REPLACE FUNCTION transition_settings(of_year int) RETURNS TABLE (phase text, undecided_until date, verify_due date, provisional_until date,
	deferral_until date, prefill_due date, confirm_due date, issue_days int, resolve_days int, age_min int, age_max int, left_days int)
LANGUAGE sql STABLE AS $$
	SELECT c.phase, coalesce(c.undecided_until, make_date(of_year, 8, 31)), coalesce(c.verify_due, make_date(of_year, 9, 10)),
		coalesce(c.provisional_until, make_date(of_year, 10, 31)), coalesce(c.deferral_until, make_date(of_year + 1, 8, 31)),
		coalesce(c.prefill_due, make_date(of_year, 6, 30)), coalesce(c.confirm_due, make_date(of_year, 9, 5)),
		coalesce(c.issue_days, 3), coalesce(c.resolve_days, 3), coalesce(r.age_min, 11), coalesce(r.age_max, 15), coalesce(r.left_days, 60)
	FROM (SELECT) AS always
	LEFT JOIN cycle c ON c.county = app_county() AND c.year = of_year AND NOT c.deleted
	LEFT JOIN (SELECT * FROM transition_rule WHERE county = app_county() AND valid_from <= make_date(of_year, 8, 31)
		ORDER BY valid_from DESC LIMIT 1) r ON true
$$;

-- Years that the county has, and those that can be opened yet (this one and the next, phase null): what is of another year is a slip of the pen.
CREATE OR REPLACE FUNCTION transition_years() RETURNS TABLE (year int, phase text) LANGUAGE sql STABLE AS $$
	SELECT coalesce(c.year, y.year), c.phase
	FROM (SELECT extract(year FROM jg_today())::int + n AS year FROM generate_series(0, 1) n) y
	FULL JOIN (SELECT c.year, c.phase FROM cycle c WHERE c.county = app_county() AND NOT c.deleted) c ON c.year = y.year
$$;

-- Held to the end of the transaction: together by every push that depends on a phase, from before it looks at anything; alone by whoever moves
-- the phase or takes the year back, so that one of them sees the other. It is not the lock of the year's runs (county, year): a push does not
-- wait for a run. The bureau's acts are few and hold the cycle's row itself (transition_calls.c), which tells a transaction of one snapshot that
-- its snapshot is too old.
CREATE OR REPLACE FUNCTION phase_lock(of_year int, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF alone THEN
		PERFORM pg_advisory_xact_lock(app_county(), ~of_year);
	ELSE
		PERFORM pg_advisory_xact_lock_shared(app_county(), ~of_year);
	END IF;
END $$;

-- What a push of these kinds holds, in the order of the years.
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
