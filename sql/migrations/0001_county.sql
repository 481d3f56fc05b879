-- The county, its clock, and the settings that row-level security reads.
--
-- Every key starts with `county`, no trigger exists, and SET LOCAL carries the scope, so that the schema shards by
-- county on a distributed PostgreSQL. The server connects as `jingguan_app`, which owns nothing.

CREATE TABLE county (
	county int PRIMARY KEY,                 -- GB/T 2260
	name text NOT NULL,
	rehearsal boolean NOT NULL DEFAULT false,
	clock_shift interval NOT NULL DEFAULT '0', -- only a rehearsal county moves its clock
	epoch bigint NOT NULL DEFAULT 1,        -- changes iff (system_identifier, timeline) differs from the stored pair
	system_identifier text NOT NULL DEFAULT '',
	timeline int NOT NULL DEFAULT 0,
	CHECK (rehearsal OR clock_shift = '0')
);

-- A missing or empty setting is an error in the cast, never a wider scope: row-level security fails closed.
CREATE FUNCTION app_county() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('app.county')::int $$;
CREATE FUNCTION app_scope() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('app.scope') $$;
CREATE FUNCTION app_schools() RETURNS text[] LANGUAGE sql STABLE AS $$ SELECT string_to_array(current_setting('app.schools'), ',') $$;
CREATE FUNCTION app_streams() RETURNS bigint[] LANGUAGE sql STABLE AS $$ SELECT string_to_array(current_setting('app.streams'), ',')::bigint[] $$;

-- The only clock that SQL and jobs read. Constant within a transaction.
CREATE FUNCTION jg_now() RETURNS timestamptz LANGUAGE sql STABLE AS
	$$ SELECT now() + coalesce((SELECT clock_shift FROM county WHERE county = app_county()), '0') $$;
CREATE FUNCTION jg_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT (jg_now() AT TIME ZONE 'Asia/Shanghai')::date $$;

ALTER TABLE county ENABLE ROW LEVEL SECURITY;
ALTER TABLE county FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON county USING (county = (SELECT app_county()));
GRANT SELECT, UPDATE ON county TO jingguan_app;
