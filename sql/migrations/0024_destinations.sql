-- Which school a destination may give, by its category: client/core/schools.c has the same rules, and tests/e2e/test_destinations.py
-- asks both.
DROP FUNCTION destination_judge(int[], text[], text[], text[], text[]);
-- As in 0014; and: who is promoted inside a through-school stays in it; who goes elsewhere, later or nowhere gives no school of the county; a code that
-- the register does not have says nothing without a name or a place.
CREATE FUNCTION destination_judge(ords int[], categories text[], codes text[], names text[], places text[], owners text[])
RETURNS TABLE (ord int, school text, problem text) LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	SELECT o.ord, o.school, CASE
		WHEN u.category IS NULL THEN NULL
		WHEN u.category LIKE 'A_' THEN CASE
			WHEN u.code <> '' AND s.code IS NULL THEN format('没有学校标识码为 %s 的学校%s', u.code, schools_near(u.code))
			WHEN u.code <> '' AND o.school IS NULL THEN format('%s（%s）不招初中学生，不能作为升入学校%s', s.name, u.code, schools_near(s.name))
			WHEN u.code <> '' AND name_key(u.name) <> name_key(s.name) THEN format('学校标识码 %s 是%s，与填写的“%s”不一致', u.code, s.name, u.name)
			WHEN u.code = '' AND name_key(u.name) IS NOT NULL AND o.school IS NULL AND u.category IN ('A1', 'A2', 'A3', 'A4') THEN
				CASE WHEN EXISTS (SELECT FROM junior_schools() j WHERE j.name = name_key(u.name)) THEN format('叫“%s”的初中不止一所，请填学校标识码%s', u.name, schools_near(u.name))
					ELSE format('没有叫“%s”的初中%s', u.name, schools_near(u.name)) END
			WHEN u.category = 'A4' AND o.school IS NULL THEN '本校没有初中部，不能一贯制直升'
			WHEN u.category = 'A4' AND o.school <> u.owner THEN '一贯制直升是升入本校的初中部，升入别的学校请填相应的去向类别' END
		WHEN s.code IS NOT NULL OR u.code = '' AND u.place IS NULL AND EXISTS (SELECT FROM junior_schools() j WHERE j.name = name_key(u.name)) THEN
			format('%s是县内学校：在县内升学的填县内的去向类别，其他去向不填县内学校', coalesce(s.name, u.name))
		WHEN u.code <> '' AND u.category NOT LIKE 'B_' THEN '缓学、留级、死亡和没有落实的去向没有升入学校，请去掉学校标识码'
		WHEN u.code <> '' AND u.place IS NULL AND name_key(u.name) IS NULL THEN format('县内没有学校标识码为 %s 的学校：去外地的写明地区和校名', u.code)
		END
	FROM destination_other(ords, categories, codes, names, owners) o
	JOIN (SELECT x.ord, x.category, coalesce(cert_key(x.code), '') AS code, x.name, nullif(btrim(x.place), '') AS place, x.owner
		FROM unnest(ords, categories, codes, names, places, owners) AS x (ord, category, code, name, place, owner)) u ON u.ord = o.ord
	LEFT JOIN LATERAL (SELECT s.code, s.name FROM school s WHERE s.county = app_county() AND s.code = u.code AND NOT s.deleted LIMIT 1) s ON true;
END $$;
