-- Schools and the areas that they take in.

-- §1.4: 1 kindergarten, 2 primary, 4 junior, 8 senior, 16 vocational senior. 321 and 371 count as junior.
CREATE OR REPLACE FUNCTION stage_mask(type text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN type IN ('111', '119') THEN 1
		WHEN type IN ('211', '218', '219') THEN 2
		WHEN type IN ('311', '319', '321') THEN 4
		WHEN type IN ('312', '371') THEN 6
		WHEN type = '341' THEN 12
		WHEN type IN ('342', '349') THEN 8
		WHEN type = '345' THEN 14
		WHEN type LIKE '36_' THEN 16
		WHEN type LIKE '51_' THEN 14
		ELSE 0 END
$$;

-- Live schools with a J stage; `alone`: no other has that name.
CREATE OR REPLACE FUNCTION junior_schools() RETURNS TABLE (code text, name text, area text, alone boolean) LANGUAGE sql STABLE AS $$
	SELECT s.code, name_key(s.name), s.area, count(*) OVER (PARTITION BY name_key(s.name)) = 1
	FROM school s WHERE s.county = app_county() AND NOT s.deleted AND stage_mask(s.type) & 4 > 0
$$;

-- Schools that a name or a code may have meant.
CREATE OR REPLACE FUNCTION schools_near(given text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce('；相近的有 ' || string_agg(format('%s（%s）', n.name, n.code), '、'), '') FROM (
		SELECT s.name, s.code FROM junior_schools() j JOIN school s ON s.county = app_county() AND s.code = j.code AND NOT s.deleted
		ORDER BY (SELECT count(*) FROM unnest(string_to_array(given, NULL)) WITH ORDINALITY AS g (glyph, at)
			WHERE CASE WHEN given ~ '^[0-9]+$' THEN substr(s.code, g.at::int, 1) = g.glyph ELSE position(g.glyph IN s.name) > 0 END) DESC, s.code LIMIT 3) n
$$;

-- The junior schools whose 初中 catchment is the longest prefix of an area code (§2.4 home). The stage is the code of
-- the list, or its word as files have it. A closed school takes nobody home, so its rows do not count.
CREATE OR REPLACE FUNCTION catchment_home(areas text[]) RETURNS TABLE (area text, schools text[]) LANGUAGE sql STABLE AS $$
	WITH unit AS (
		SELECT c.area, array_agg(DISTINCT c.school ORDER BY c.school) AS schools
		FROM catchment c JOIN junior_schools() s ON s.code = c.school
		WHERE c.county = app_county() AND NOT c.deleted AND c.stage IN ('junior', '初中') AND c.area <> '' GROUP BY c.area)
	SELECT DISTINCT ON (a.area) a.area, u.schools
	FROM (SELECT DISTINCT area FROM unnest(areas) AS area) a
	CROSS JOIN (SELECT DISTINCT length(unit.area) AS n FROM unit) l
	JOIN unit u ON u.area = left(a.area, l.n)
	ORDER BY a.area, l.n DESC
$$;
