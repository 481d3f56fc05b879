-- What was decided wrongly is taken back: an account that was disabled, a word on a pair.

-- A disabled account comes back: at the bureau another administrator grants it, as a reset.
ALTER TABLE account_request DROP CONSTRAINT account_request_what_check;
ALTER TABLE account_request ADD CONSTRAINT account_request_what_check CHECK (what IN ('add', 'reset', 'set', 'disable', 'enable'));

-- A word on a pair that is NULL takes the earlier ones back: matching goes on as if nobody had said anything.
ALTER TABLE pair_word ALTER COLUMN same DROP NOT NULL;

-- The words that stand, the latest first.
CREATE FUNCTION transition_pairs(of_year int) RETURNS TABLE (n bigint, pupil uuid, row_id uuid, same boolean, reason text, by_user text, at timestamptz) LANGUAGE sql STABLE AS $$
	SELECT w.n, w.pupil, w.row_id, w.same, w.reason, w.by_user, w.at
	FROM (SELECT DISTINCT ON (w.pupil, w.row_id) w.* FROM pair_word w WHERE w.county = app_county() AND w.year = of_year ORDER BY w.pupil, w.row_id, w.n DESC) w
	WHERE w.same IS NOT NULL ORDER BY w.n DESC
$$;

CREATE FUNCTION transition_pair_withdraw(of_year int, of_pupil uuid, of_row uuid, why text, who text) RETURNS int LANGUAGE sql AS $$
	WITH said AS (
		INSERT INTO pair_word (county, year, pupil, row_id, same, reason, by_user, at)
		SELECT app_county(), of_year, w.pupil, w.row_id, NULL, coalesce(why, ''), who, jg_now()
		FROM transition_pairs(of_year) w WHERE w.pupil = of_pupil AND w.row_id = of_row
		RETURNING 1)
	SELECT count(*)::int FROM said
$$;
