-- The table of a record kind that the county owns is read by every school, as its stream is: record_table('notice', 'title text', true).
DROP FUNCTION IF EXISTS record_table(text, text);
CREATE FUNCTION record_table(t text, columns text, county_owned boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	own text := '(county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR owner_school = ANY ((SELECT app_schools())::text[])))';
	visible text := CASE WHEN county_owned THEN 'true'
		ELSE 'owner_school = ANY ((SELECT app_schools())::text[]) OR other_school = ANY ((SELECT app_schools())::text[])' END;
BEGIN
	EXECUTE format('CREATE TABLE %I (county int NOT NULL, rec_id uuid NOT NULL, owner_school text NOT NULL, other_school text, ver bigint NOT NULL,'
		' gver int[] NOT NULL, deleted boolean NOT NULL DEFAULT false, nkey text, ext bytea, %s, PRIMARY KEY (county, rec_id))', t, columns);
	EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY reads ON %I FOR SELECT USING (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR %s))', t, visible);
	EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT WITH CHECK %s', t, own);
	EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE USING %s', t, own);
	EXECUTE format('CREATE UNIQUE INDEX %I ON %I (county, owner_school, nkey) WHERE NOT deleted AND nkey IS NOT NULL', t || '_key', t);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO jingguan_app', t);
END $$;
