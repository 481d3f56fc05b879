-- What every record kind has: the header of 0003, row-level security, the unique natural key, the rights of the server's role. A new kind's
-- migration says its columns alone: SELECT record_table('lost_item', 'year int, what text').
CREATE FUNCTION record_table(t text, columns text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	own text := '(county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR owner_school = ANY ((SELECT app_schools())::text[])))';
BEGIN
	EXECUTE format('CREATE TABLE %I (county int NOT NULL, rec_id uuid NOT NULL, owner_school text NOT NULL, other_school text, ver bigint NOT NULL,'
		' gver int[] NOT NULL, deleted boolean NOT NULL DEFAULT false, nkey text, ext bytea, %s, PRIMARY KEY (county, rec_id))', t, columns);
	EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY reads ON %I FOR SELECT USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'')'
		' OR owner_school = ANY ((SELECT app_schools())::text[]) OR other_school = ANY ((SELECT app_schools())::text[])))', t);
	EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT WITH CHECK %s', t, own);
	EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE USING %s', t, own);
	EXECUTE format('CREATE UNIQUE INDEX %I ON %I (county, owner_school, nkey) WHERE NOT deleted AND nkey IS NOT NULL', t || '_key', t);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO jingguan_app', t);
END $$;
