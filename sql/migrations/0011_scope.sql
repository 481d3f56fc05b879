-- Who may hang what on which record, and of which class it counts as (security.md, least privilege).

-- What the record is that a pushed one hangs on: its kind, and whether the school may hang something on it, because it is its
-- own or is addressed to it. It looks with the job's eyes, because a record that row-level security hides would pass for one
-- that never came to be. No row: nobody has that id.
CREATE FUNCTION hook_targets(ords int[], schools text[], targets uuid[]) RETURNS TABLE (ord int, kind int, open boolean) LANGUAGE plpgsql AS $$
DECLARE
	before text := app_scope();
BEGIN
	SET LOCAL app.scope = 'job';
	RETURN QUERY SELECT u.ord, t.kind, t.open FROM unnest(ords, schools, targets) AS u (ord, school, target), LATERAL (
		SELECT 5 AS kind, s.owner_school = u.school AS open FROM student s WHERE s.county = app_county() AND s.rec_id = u.target
		UNION ALL SELECT 7, d.owner_school = u.school FROM destination d WHERE d.county = app_county() AND d.rec_id = u.target
		UNION ALL SELECT 8, e.owner_school = u.school FROM enrolment e WHERE e.county = app_county() AND e.rec_id = u.target
		UNION ALL SELECT 11, EXISTS (SELECT FROM slip_addressee a WHERE a.county = app_county() AND a.slip = u.target AND a.school = u.school AND NOT a.deleted)
			FROM slip p WHERE p.county = app_county() AND p.rec_id = u.target
		UNION ALL SELECT 12, a.owner_school = u.school FROM slip_addressee a WHERE a.county = app_county() AND a.rec_id = u.target) t;
	EXECUTE format('SET LOCAL app.scope = %L', before);
END $$;

-- Every class that a pushed record has to do with, as it stands before the push: of the pupil that it hangs on or hung on, and
-- of the school's own pupils whose number it carries or carried. `kinds` tells a table of the source (7) from a roster (8):
-- a number in a roster is that of a pupil of the junior stage, for a through-school has the same child's primary record too.
CREATE FUNCTION pupil_scopes(ords int[], schools text[], kinds int[], ids uuid[], targets uuid[], certs text[], student_nos text[])
RETURNS TABLE (ord int, grade text, class_no text) LANGUAGE sql STABLE AS $$
	WITH u AS MATERIALIZED (SELECT * FROM unnest(ords, schools, kinds, ids, targets, certs, student_nos) AS u (ord, school, kind, id, target, cert, sno)),
	hung AS MATERIALIZED (
		SELECT u.ord, u.school, u.target FROM u WHERE u.target IS NOT NULL
		UNION SELECT u.ord, u.school, g.student FROM u JOIN guardian g ON g.county = app_county() AND g.rec_id = u.id
		UNION SELECT u.ord, u.school, e.target FROM u JOIN evidence e ON e.county = app_county() AND e.rec_id = u.id
		UNION SELECT u.ord, u.school, p.slip FROM u JOIN persuasion p ON p.county = app_county() AND p.rec_id = u.id),
	slips AS MATERIALIZED (
		SELECT h.ord, h.school, p.cert_no, p.student_no FROM hung h JOIN slip p ON p.county = app_county() AND p.rec_id = h.target
		UNION SELECT h.ord, h.school, p.cert_no, p.student_no FROM hung h JOIN slip_addressee a ON a.county = app_county() AND a.rec_id = h.target
			JOIN slip p ON p.county = a.county AND p.rec_id = a.slip),
	numbers AS MATERIALIZED (
		SELECT u.ord, u.school, u.kind, u.cert, u.sno FROM u WHERE u.kind IN (7, 8)
		UNION SELECT u.ord, u.school, 7, d.cert_no, d.student_no FROM u JOIN destination d ON d.county = app_county() AND d.rec_id = u.id
		UNION SELECT u.ord, u.school, 8, e.cert_no, e.student_no FROM u JOIN enrolment e ON e.county = app_county() AND e.rec_id = u.id
		UNION SELECT s.ord, s.school, 11, s.cert_no, s.student_no FROM slips s),
	own AS MATERIALIZED (
		SELECT s.owner_school, s.cert_no, s.student_no, s.grade, s.class_no FROM student s
		WHERE s.county = app_county() AND s.owner_school = ANY (schools) AND NOT s.deleted)
	SELECT h.ord, s.grade, s.class_no FROM hung h JOIN student s ON s.county = app_county() AND s.rec_id = h.target
	UNION SELECT h.ord, '16', d.class_no FROM hung h JOIN destination d ON d.county = app_county() AND d.rec_id = h.target WHERE d.class_no <> ''
	UNION SELECT h.ord, '21', e.class_no FROM hung h JOIN enrolment e ON e.county = app_county() AND e.rec_id = h.target WHERE e.class_no <> ''
	UNION SELECT n.ord, s.grade, s.class_no FROM numbers n JOIN own s ON s.owner_school = n.school AND s.cert_no = n.cert WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no FROM numbers n JOIN own s ON s.owner_school = n.school AND s.student_no = n.sno WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no FROM numbers n JOIN own s ON s.owner_school = n.school AND 'G' || s.cert_no = n.sno WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no FROM numbers n JOIN own s ON s.owner_school = n.school AND s.student_no = 'G' || n.cert WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, '21', e.class_no FROM numbers n JOIN enrolment e ON e.county = app_county() AND e.owner_school = n.school AND e.cert_no = n.cert AND NOT e.deleted
		WHERE n.kind = 11 AND e.class_no <> ''
$$;

-- A class of an account says its grade too ("16/3", common/class_scope.h). Those that were given without one get the grade that
-- the school sends to junior school, or takes from primary school; of a through-school nobody can tell, and such a class is of no
-- pupil until the system administrator says it (jgadmin users set).
ALTER TABLE user_account NO FORCE ROW LEVEL SECURITY; -- a migration is of all counties
ALTER TABLE school NO FORCE ROW LEVEL SECURITY;
UPDATE user_account u SET classes = ARRAY(
	SELECT CASE WHEN c ~ '^[1-9][0-9]{0,2}$' THEN CASE stage_mask(s.type) & 6 WHEN 2 THEN '16/' || c WHEN 4 THEN '21/' || c ELSE c END ELSE c END
	FROM unnest(u.classes) AS c)
FROM school s WHERE s.county = u.county AND s.code = u.school AND NOT s.deleted AND u.classes <> '{}';
ALTER TABLE user_account FORCE ROW LEVEL SECURITY;
ALTER TABLE school FORCE ROW LEVEL SECURITY;

-- ---- Accounts (security.md "Passwords", "Three admins")

-- Under which name wrong passwords are counted: what was typed may be an ID number or a child's name, and nothing keeps that.
CREATE FUNCTION login_key(typed text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM user_account u WHERE u.county = app_county() AND u.user_id = typed) THEN typed
		ELSE 'sha256:' || encode(sha256(convert_to(typed, 'UTF8')), 'hex') END
$$;

-- The people of an administrator's role, as a refusal names them.
CREATE FUNCTION people_of_role(wanted int) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(string_agg(u.name, '、' ORDER BY u.user_id), '') FROM user_account u
	WHERE u.county = app_county() AND NOT u.disabled AND wanted = ANY (u.roles)
$$;

-- What one administrator asked for an account of the bureau and another has to grant; a later one replaces an earlier one.
CREATE TABLE account_request (
	county int NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	user_id text NOT NULL,
	what text NOT NULL CHECK (what IN ('add', 'reset', 'set', 'disable')),
	name text NOT NULL,                     -- of 'set': as they are to be
	roles int[] NOT NULL,
	asked_by text NOT NULL,
	asked_at timestamptz NOT NULL,
	outcome text CHECK (outcome IN ('granted', 'refused', 'replaced')), -- NULL: it waits
	settled_by text,
	settled_at timestamptz,
	PRIMARY KEY (county, id)
);
CREATE INDEX account_request_waits ON account_request (county, user_id) WHERE outcome IS NULL;
ALTER TABLE account_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_request FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON account_request USING (county = (SELECT app_county()));
GRANT SELECT, INSERT, UPDATE ON account_request TO jingguan_app;

-- Which role grants it (options.proto): 系统 asks and 安全 grants, or the other way round; 审计 stands in where the only one who could
-- grant is the one it is about.
CREATE FUNCTION granting_role(asker text, of_user text) RETURNS int LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN EXISTS (SELECT FROM user_account o WHERE o.county = app_county() AND NOT o.disabled AND other.role = ANY (o.roles) AND o.user_id <> of_user)
		THEN other.role ELSE 23 END
	FROM user_account a, LATERAL (SELECT CASE WHEN 21 = ANY (a.roles) THEN 22 ELSE 21 END AS role) other
	WHERE a.county = app_county() AND a.user_id = asker
$$;

-- An old key lives until the new one is first used: the answer to Renew may be lost on its way.
ALTER TABLE device ADD COLUMN next_spki bytea, ADD COLUMN next_until timestamptz;
CREATE UNIQUE INDEX device_next_spki ON device (county, next_spki) WHERE next_spki IS NOT NULL;
