-- What policies ask, and the clock. The tables need them, so that 0001_county.sql makes them first.

-- A missing or empty setting is an error in the cast, never a wider scope: row-level security fails closed.
CREATE OR REPLACE FUNCTION app_county() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('app.county')::int $$;
CREATE OR REPLACE FUNCTION app_scope() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('app.scope') $$;
CREATE OR REPLACE FUNCTION app_schools() RETURNS text[] LANGUAGE sql STABLE AS $$ SELECT string_to_array(current_setting('app.schools'), ',') $$;
CREATE OR REPLACE FUNCTION app_streams() RETURNS bigint[] LANGUAGE sql STABLE AS $$ SELECT string_to_array(current_setting('app.streams'), ',')::bigint[] $$;

-- The only clock that SQL and jobs read. Constant within a transaction.
CREATE OR REPLACE FUNCTION jg_now() RETURNS timestamptz LANGUAGE sql STABLE AS
	$$ SELECT now() + coalesce((SELECT clock_shift FROM county WHERE county = app_county()), '0') $$;
CREATE OR REPLACE FUNCTION jg_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT (jg_now() AT TIME ZONE 'Asia/Shanghai')::date $$;
