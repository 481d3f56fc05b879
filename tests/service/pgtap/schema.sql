-- What every table of every migration keeps to: row-level security forced, the county first in every key, no triggers,
-- and a role for the server that owns nothing and deletes nothing but from the feed.
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW ours AS
SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r';

SELECT ok(count(*) >= 45, 'the schema is there') FROM ours;
SELECT ok(relrowsecurity AND relforcerowsecurity, format('row-level security is forced on %s', relname)) FROM ours ORDER BY relname;
SELECT ok(EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = ours.oid) AND NOT EXISTS (
		SELECT FROM pg_policy p WHERE p.polrelid = ours.oid AND coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') NOT LIKE '%app\_county()%'),
	format('every policy of %s asks for the county', relname)) FROM ours ORDER BY relname;
SELECT ok(EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indrelid = ours.oid AND i.indisprimary AND a.attname = 'county'), format('the primary key of %s starts with county', relname))
FROM ours ORDER BY relname;
-- An index of what is inside a value (gin) has no order to start with; what it finds is asked for its county.
SELECT ok(a.attname = 'county', format('index %s starts with county', i.indexrelid::regclass))
FROM ours JOIN pg_index i ON i.indrelid = ours.oid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname <> 'gin' JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] ORDER BY i.indexrelid::regclass::text;

SELECT is_empty($$ SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal $$, 'no triggers');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef $$, 'no function lends its owner''s rights');
SELECT is_empty($$ SELECT relname FROM pg_class WHERE relowner = 'jingguan_app'::regrole UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'jingguan_app'::regrole $$,
	'the server''s role owns nothing');
SELECT ok(NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb), 'the server''s role has no rights of its own') FROM pg_roles WHERE rolname = 'jingguan_app';
SELECT results_eq($$ SELECT relname::text COLLATE "default" FROM ours WHERE has_table_privilege('jingguan_app', oid, 'DELETE') ORDER BY 1 $$, ARRAY['blob', 'blob_chunk', 'feed'], 'it deletes from the feed, and of files what a policy lets go');
SELECT is_empty($$ SELECT relname FROM ours WHERE has_table_privilege('jingguan_app', oid, 'TRUNCATE, TRIGGER, REFERENCES') $$, 'it truncates and references nothing');
SELECT ok(NOT has_any_column_privilege('jingguan_app', t, 'UPDATE'), format('%s is written once', t))
FROM unnest('{op_push,rec_history,conflict,audit_link,access_log,access_seal,blob_chunk,baseline_change,proof_decision,pair_decision,reconcile_run,filing_receipt,filing_snapshot,password_history,role_grant,deny_list}'::text[]) AS t;
SELECT ok(NOT has_column_privilege('jingguan_app', 'baseline', c, 'UPDATE'), format('baseline.%s never changes', c))
FROM unnest('{pupil,source_school,student_no,added_at}'::text[]) AS c;

-- The law of reconciliation is a constraint as well.
SELECT throws_ok($$ INSERT INTO reconcile_run VALUES (1, 2026, 1, '2026-09-01', now(), 10, 5, 1, 1, 2, 0, 0, 0) $$, '23514', NULL, 'a run whose states do not add up is not stored');

-- Three administrators, disjoint; school roles at schools, the others at the bureau.
PREPARE account (text, text, int[]) AS INSERT INTO user_account (county, user_id, name, school, roles, password_hash, created_at, created_by)
	VALUES (1, $1, $1, $2, $3, '', now(), '');
SELECT throws_ok(format('EXECUTE account (%L, %L, %L)', 'a', '', r), '23514', NULL, format('roles %s do not meet', r))
FROM unnest(ARRAY['{21,22}', '{21,23}', '{22,23}', '{21,12}', '{23,11}', '{}']) AS r;
SELECT throws_ok($$ EXECUTE account ('b', '2132000001', '{12}') $$, '23514', NULL, 'no bureau role at a school');
SELECT throws_ok($$ EXECUTE account ('c', '2132000001', '{21}') $$, '23514', NULL, 'no administrator at a school');
SELECT throws_ok($$ EXECUTE account ('d', '', '{1}') $$, '23514', NULL, 'no school role at the bureau');
SELECT lives_ok(format('EXECUTE account (%L, %L, %L)', 'u' || n, s, r), format('roles %s at %s', r, coalesce(nullif(s, ''), 'the bureau')))
FROM (VALUES (1, '', '{21}'), (2, '', '{22}'), (3, '', '{23}'), (4, '', '{11,12}'), (5, '2132000001', '{1,3}')) AS v (n, s, r);

SELECT throws_ok('SELECT assert_rows(1, 2)', 'JG003', NULL, 'a write that somebody else was first to is BUSY: it is decided again');

SELECT * FROM finish();
ROLLBACK;
