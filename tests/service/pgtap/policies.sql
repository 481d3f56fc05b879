-- Row-level security as the server's role meets it: without settings nothing is read, a school sees its own rows and
-- those that name it, another county nothing, and what the bureau finds stays with the bureau.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.tables() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1
$$;
CREATE FUNCTION pg_temp.scope(county int, scope text, schools text, streams text DEFAULT '') RETURNS void LANGUAGE sql AS $$
	SELECT set_config('app.county', county::text, true), set_config('app.scope', scope, true), set_config('app.schools', schools, true), set_config('app.streams', streams, true)
$$;
-- How many of the rows below a table shows.
CREATE FUNCTION pg_temp.seen(t text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I WHERE county <> 0', t) INTO n; RETURN n; END $$;

-- What a migration makes by record_table keeps to the same.
SELECT record_table('made_of_schools', 'what text');
SELECT record_table('made_of_county', 'what text', true);
-- A's row, B's row, and B's row that names A, of every kind; and one of each in another county.
CREATE TEMP TABLE kind AS SELECT table_name::text AS t, table_name = 'made_of_county' OR table_name::text IN (SELECT name FROM tap.county_owned) AS county_owned FROM information_schema.columns
	WHERE table_schema = 'public' AND column_name IN ('rec_id', 'owner_school', 'other_school', 'gver') GROUP BY table_name HAVING count(*) = 4 ORDER BY 1;
DO $$
DECLARE k text;
BEGIN
	FOR k IN SELECT t FROM kind LOOP
		EXECUTE format('INSERT INTO %I (county, rec_id, owner_school, other_school, ver, gver) VALUES (1, md5(''1'')::uuid, ''A'', NULL, 1, ''{1}''),
			(1, md5(''2'')::uuid, ''B'', NULL, 1, ''{1}''), (1, md5(''3'')::uuid, ''B'', ''A'', 1, ''{1}''), (2, md5(''4'')::uuid, ''A'', ''A'', 1, ''{1}'')', k);
	END LOOP;
END $$;
-- One row of every transition table for each of the schools A and B.
INSERT INTO baseline (county, year, pupil, source_school, student, added_at) SELECT 1, 2026, md5(s)::uuid, s, md5(s)::uuid, now() FROM unnest('{A,B}'::text[]) s;
INSERT INTO baseline_change (county, year, pupil, added, reason, by_user, at) VALUES (1, 2026, md5('A')::uuid, true, 'x', 'u', now());
INSERT INTO proof_decision (county, year, pupil, decision, category, reason, by_user, at) VALUES (1, 2026, md5('A')::uuid, 'accepted', 'B1', '', 'u', now());
INSERT INTO pair_decision (county, year, pupil, row_id, same, reason, by_user, at) VALUES (1, 2026, md5('A')::uuid, md5('1')::uuid, true, '', 'u', now());
INSERT INTO rule_lead (county, year, pupil, rule, at) VALUES (1, 2026, md5('A')::uuid, 'V5', now());
INSERT INTO reconcile_run VALUES (1, 2026, 1, '2026-09-01', now(), 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO pupil_state (county, year, pupil, source, home, state, codes, found, owners, row_ids, flags, run_no) VALUES (1, 2026, md5('A')::uuid, 'A', 'A', 'OPEN', '{}', '{}', '{}', '{}', '{}', 1);
INSERT INTO outside_entry (county, year, id, roster, destinations, codes, found, owners, run_no) VALUES (1, 2026, md5('1')::uuid, '{}', '{}', '{}', '{}', '{}', 1);
INSERT INTO filing_receipt VALUES (1, md5('1')::uuid, 2026, 'A', 'T1', now());
INSERT INTO filing_snapshot (county, filing, n, school, gaps) VALUES (1, md5('1')::uuid, 1, 'A', '{}');
CREATE TEMP TABLE transition AS SELECT unnest('{baseline_change,proof_decision,pair_decision,rule_lead,reconcile_run,pupil_state,outside_entry,filing_receipt,filing_snapshot}'::text[]) AS t;
INSERT INTO feed (county, stream_id, rec_id, seq, ver, kind, action) VALUES (1, 1, md5('1')::uuid, 1, 1, 1, 1), (1, 2, md5('1')::uuid, 1, 1, 1, 1);
INSERT INTO blob (county, school, sha, size) SELECT 1, s, sha256('x'), 1 FROM unnest('{A,B}'::text[]) s;
-- A slip has two addressees and neither is its other_school.
INSERT INTO slip (county, rec_id, owner_school, ver, gver) VALUES (3, md5('5')::uuid, '', 1, '{1}'), (3, md5('6')::uuid, '', 1, '{1}');
INSERT INTO slip_addressee (county, rec_id, owner_school, other_school, ver, gver, slip) VALUES
	(3, md5('7')::uuid, '', 'A', 1, '{1}', md5('5')::uuid), (3, md5('8')::uuid, '', 'B', 1, '{1}', md5('5')::uuid);
GRANT SELECT ON kind, transition TO jingguan_app;

SET LOCAL ROLE jingguan_app;
-- Before any setting is made, and after one is gone (SET LOCAL leaves ''): an error, never a wider scope.
SELECT throws_ok(format('SELECT FROM %I', t), '42704', NULL, format('%s: no settings, no rows', t)) FROM pg_temp.tables() AS t;
SELECT pg_temp.scope(0, '', '');
SELECT set_config('app.county', '', true);
SELECT throws_ok(format('SELECT FROM %I', t), '22P02', NULL, format('%s: empty settings, no rows', t)) FROM pg_temp.tables() AS t;

SELECT pg_temp.scope(1, '', '');
SELECT is(pg_temp.seen(t), 0::bigint, format('%s: a county without a scope shows nothing', t))
FROM kind WHERE NOT county_owned;
SELECT is(pg_temp.seen(t), 0::bigint, format('%s: a county without a scope shows nothing', t)) FROM transition;

SELECT pg_temp.scope(1, 'school', 'A', '1');
SELECT is(pg_temp.seen(t), CASE WHEN county_owned THEN 3 ELSE 2 END::bigint, format('%s: a school sees its own and what names it', t)) FROM kind;
SELECT is(pg_temp.seen(t), 0::bigint, format('%s: not for schools', t)) FROM transition;
SELECT is(pg_temp.seen('baseline'), 1::bigint, 'baseline: a school sees its own pupils');
SELECT is(pg_temp.seen('feed'), 1::bigint, 'feed: only the streams that are named');
SELECT is(pg_temp.seen('blob'), 1::bigint, 'blob: its own files');
SELECT throws_ok(format('INSERT INTO %I (county, rec_id, owner_school, ver, gver) VALUES (1, gen_random_uuid(), ''B'', 1, ''{1}'')', t), '42501', NULL,
	format('%s: no school writes for another', t)) FROM kind;
SELECT throws_ok(format('INSERT INTO %I (county, rec_id, owner_school, ver, gver) VALUES (2, gen_random_uuid(), ''A'', 1, ''{1}'')', t), '42501', NULL,
	format('%s: nor into another county', t)) FROM kind;
CREATE FUNCTION pg_temp.touched(t text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE format('UPDATE %I SET ver = ver + 1', t); GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END $$;
SELECT is(pg_temp.touched(t), 1::bigint, format('%s: a school changes its own only', t)) FROM kind;
SELECT throws_ok($$ INSERT INTO filing_receipt VALUES (1, gen_random_uuid(), 2026, 'B', 'T1', now()) $$, '42501', NULL, 'no school files for another');
SELECT lives_ok($$ INSERT INTO filing_receipt VALUES (1, gen_random_uuid(), 2026, 'A', 'T1', now()) $$, 'a school files');
SELECT throws_ok($$ INSERT INTO proof_decision (county, year, pupil, decision, category, reason, by_user, at) VALUES (1, 2026, md5('A')::uuid, 'accepted', 'B1', '', 'u', now()) $$, '42501', NULL,
	'no school gives the bureau''s decision');
SELECT throws_ok($$ UPDATE baseline SET source_school = 'A' $$, '42501', NULL, 'the source of a pupil never changes');

SELECT pg_temp.scope(3, 'school', 'A');
SELECT is(pg_temp.seen('slip'), 1::bigint, 'slip: an addressee sees it');
SELECT pg_temp.scope(3, 'school', 'C');
SELECT is(pg_temp.seen('slip'), 0::bigint, 'slip: nobody else does');

SELECT pg_temp.scope(1, 'bureau', '');
SELECT is(pg_temp.seen(t), 3::bigint, format('%s: the bureau sees its county', t)) FROM kind;
SELECT ok(pg_temp.seen(t) >= 1, format('%s: the bureau sees what was found', t)) FROM transition;
SELECT pg_temp.scope(2, 'bureau', '');
SELECT is(pg_temp.seen(t), 1::bigint, format('%s: and no other', t)) FROM kind;
SELECT is(pg_temp.seen(t), 0::bigint, format('%s: and no other', t)) FROM transition;

SELECT * FROM finish();
ROLLBACK;
