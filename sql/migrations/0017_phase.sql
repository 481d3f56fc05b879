-- What depends on the phase of a year, and the moving of that phase, at the same moment: one of them sees the other.

-- The lock of 0016, now for all of them. Every push holds it together with the others, from before it looks at anything to the end of its
-- transaction; whoever moves the phase or takes the year back holds it alone. It is not the lock of the year's runs (county, year): a push
-- does not wait for a run. The bureau's acts are few and hold the cycle's row itself (transition.c), which tells a transaction
-- of one snapshot that its snapshot is too old.
ALTER FUNCTION filing_lock(int, boolean) RENAME TO phase_lock;
DROP FUNCTION filing_guard(int[], text[], int[], text[], boolean[], text[]);
ALTER FUNCTION filing_judge(int[], text[], int[], text[], boolean[], text[]) RENAME TO filing_guard;

-- The first thing that a push asks. `known`: the years that are open or closed, and those that can be opened yet (this one and the next): what
-- is of another year is a slip of the pen.
CREATE FUNCTION push_years(OUT day date, OUT closed int[], OUT known int[]) LANGUAGE plpgsql AS $$
DECLARE
	this int := extract(year FROM jg_today());
BEGIN
	PERFORM phase_lock(u.year, false) FROM (
		SELECT this AS year UNION SELECT this + 1 UNION SELECT c.year FROM cycle c WHERE c.county = app_county() AND NOT c.deleted AND c.phase <> 'closed' ORDER BY 1) u;
	day := jg_today();
	closed := ARRAY(SELECT c.year FROM cycle c WHERE c.county = app_county() AND NOT c.deleted AND c.phase = 'closed');
	known := ARRAY(SELECT this UNION SELECT this + 1 UNION SELECT c.year FROM cycle c WHERE c.county = app_county() AND NOT c.deleted);
END $$;

-- As in 0016; who calls it holds the year alone.
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
