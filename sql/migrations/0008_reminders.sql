-- Reminders (A5.10, A5.12): before a slip's term and at it, to each addressee that has not answered; once to a junior school
-- that lets the day of verification pass (M18). A reminder is a record in the school's stream, made once by the night job.
CREATE TABLE reminder (
	county int NOT NULL,
	rec_id uuid NOT NULL,
	owner_school text NOT NULL,
	other_school text,
	ver bigint NOT NULL,
	gver int[] NOT NULL,
	deleted boolean NOT NULL DEFAULT false,
	nkey text,
	ext bytea,
	about uuid,
	what text,
	round int,
	due timestamptz,
	at timestamptz,
	PRIMARY KEY (county, rec_id)
);
ALTER TABLE reminder ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminder FORCE ROW LEVEL SECURITY;
CREATE POLICY reads ON reminder FOR SELECT USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN ('bureau', 'job')
	OR owner_school = ANY ((SELECT app_schools())::text[]) OR other_school = ANY ((SELECT app_schools())::text[])));
CREATE POLICY inserts ON reminder FOR INSERT WITH CHECK (county = (SELECT app_county()) AND ((SELECT app_scope()) IN ('bureau', 'job')
	OR owner_school = ANY ((SELECT app_schools())::text[])));
CREATE POLICY updates ON reminder FOR UPDATE USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN ('bureau', 'job')
	OR owner_school = ANY ((SELECT app_schools())::text[])));
CREATE UNIQUE INDEX reminder_key ON reminder (county, owner_school, nkey) WHERE NOT deleted AND nkey IS NOT NULL;
CREATE INDEX reminder_about ON reminder (county, about);
GRANT SELECT, INSERT, UPDATE ON reminder TO jingguan_app;

-- How long before the term, a dated setting like its neighbours.
ALTER TABLE transition_rule ADD COLUMN remind_hours int NOT NULL DEFAULT 24 CHECK (remind_hours > 0);

-- What is to be said now and has not been said: a function of the rows and the time, so that a restart or a second server
-- changes nothing.
CREATE FUNCTION reminders_due() RETURNS TABLE (school text, about uuid, what text, round int, due timestamptz) LANGUAGE sql STABLE AS $$
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
