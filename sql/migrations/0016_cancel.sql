-- A filing and the cancelling of its year, at the same moment: one of them sees the other.

-- Held to the end of the transaction. Filings hold it together, cancelling holds it alone. It is not the lock of the year's runs
-- (county, year): a school's push does not wait for a run. Who takes both takes that one first; streams come after.
CREATE FUNCTION filing_lock(of_year int, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF alone THEN
		PERFORM pg_advisory_xact_lock(app_county(), ~of_year);
	ELSE
		PERFORM pg_advisory_xact_lock_shared(app_county(), ~of_year);
	END IF;
END $$;

-- The guard of 0007 judges what it sees; what it sees is read after the lock is held: hence VOLATILE, and two statements.
ALTER FUNCTION filing_guard(int[], text[], int[], text[], boolean[], text[]) RENAME TO filing_judge;
CREATE FUNCTION filing_guard(ords int[], schools text[], years int[], stages text[], gaps boolean[], reasons text[])
RETURNS TABLE (ord int, code text, field text, message text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM filing_lock(y.year, false) FROM (SELECT DISTINCT unnest(years) AS year ORDER BY 1) y;
	RETURN QUERY SELECT j.ord, j.code, j.field, j.message FROM filing_judge(ords, schools, years, stages, gaps, reasons) j;
END $$;

-- As in 0014, and not beside a filing.
CREATE OR REPLACE FUNCTION transition_cancel(of_year int, why text, who text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	PERFORM pg_advisory_xact_lock(app_county(), of_year);
	PERFORM filing_lock(of_year, true);
	IF EXISTS (SELECT FROM filing f WHERE f.county = app_county() AND f.year = of_year AND NOT f.deleted) THEN
		RETURN -1;
	END IF;
	INSERT INTO baseline_change (county, year, pupil, added, reason, by_user, at)
	SELECT b.county, b.year, b.pupil, false, why, who, jg_now() FROM baseline b WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
	UPDATE baseline b SET removed_at = jg_now() WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
