-- 小升初: what the bureau reads.

-- cli.md `transition progress`: source schools and the junior schools that pupils declared. `declared` counts pupils of P with a row, by number as in
-- filing_gaps: rows beside P are no progress.
CREATE OR REPLACE FUNCTION transition_progress(of_year int) RETURNS TABLE (code text, name text, baseline int, declared int, t1 timestamptz, t2 timestamptz,
	verified timestamptz, last_contact timestamptz, pending bigint, to_verify int, answered int) LANGUAGE sql STABLE AS $$
	WITH declared AS (SELECT * FROM transition_declared(of_year)),
	frozen AS (SELECT b.source_school AS school, count(*)::int AS n FROM baseline b
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL GROUP BY 1),
	listed AS (
		SELECT b.source_school AS school, count(DISTINCT b.pupil)::int AS n
		FROM baseline b JOIN student s ON s.county = b.county AND s.rec_id = b.student
		CROSS JOIN LATERAL (VALUES ('G' || cert_key(s.cert_no)), (student_no_key(s.student_no)), (student_no_key(b.student_no))) a (alias)
		JOIN (SELECT d.owner_school, x.alias FROM destination d CROSS JOIN LATERAL (VALUES ('G' || cert_key(d.cert_no)), (student_no_key(d.student_no))) x (alias)
			WHERE d.county = app_county() AND d.year = of_year AND NOT d.deleted) d ON d.alias = a.alias AND d.owner_school = b.source_school
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL GROUP BY 1),
	asked AS (SELECT d.school, count(*)::int AS n, count(v.rec_id)::int AS answered FROM declared d
		LEFT JOIN verify_answer v ON v.county = app_county() AND v.destination = d.destination AND v.owner_school = d.school AND NOT v.deleted
		WHERE d.school IS NOT NULL GROUP BY 1),
	filed AS (SELECT r.school, max(r.at) FILTER (WHERE r.stage = 'T1') AS t1, max(r.at) FILTER (WHERE r.stage = 'T2') AS t2,
			max(r.at) FILTER (WHERE r.stage = 'V') AS verified
		FROM filing_receipt r WHERE r.county = app_county() AND r.year = of_year GROUP BY 1),
	seen AS (SELECT d.school, max(d.last_contact) AS last_contact, sum(d.pending)::bigint AS pending
		FROM device d WHERE d.county = app_county() AND d.revoked_at IS NULL GROUP BY 1)
	SELECT x.school, s.name, coalesce(f.n, 0), coalesce(l.n, 0), filed.t1, filed.t2, filed.verified, seen.last_contact, coalesce(seen.pending, 0),
		coalesce(a.n, 0), coalesce(a.answered, 0)
	FROM (SELECT school FROM frozen UNION SELECT d.source FROM declared d UNION SELECT school FROM asked) x
	LEFT JOIN school s ON s.county = app_county() AND s.code = x.school AND NOT s.deleted
	LEFT JOIN frozen f ON f.school = x.school
	LEFT JOIN listed l ON l.school = x.school
	LEFT JOIN asked a ON a.school = x.school
	LEFT JOIN filed ON filed.school = x.school
	LEFT JOIN seen ON seen.school = x.school
	ORDER BY 1
$$;

-- Pupils with a code, be it a free one, and then the persons outside P; of_school null: the whole county.
CREATE OR REPLACE FUNCTION transition_mismatches(of_year int, of_school text DEFAULT NULL) RETURNS TABLE (id uuid, cert_no text, name text, student_no text,
	codes text[], primary_code text, source_school text, dest_school text, found text[], owners text[], severity text, state text, flags text[],
	row_ids text[], row_kinds text[], row_schools text[], row_names text[], row_numbers text[])
LANGUAGE sql STABLE AS $$
	SELECT m.id, m.cert_no, m.name, m.student_no, m.codes, m.primary_code, m.source, m.dest_school, m.found, m.owners, m.severity, m.state, m.flags,
		h.ids, h.kinds, h.schools, h.names, h.numbers
	FROM (SELECT s.pupil AS id, st.cert_no, st.name, st.student_no, s.codes, s.primary_code, s.source, s.dest_school, s.found, s.owners, s.severity,
			s.state, s.flags, s.home, s.row_ids
		FROM pupil_state s
		JOIN baseline b ON b.county = s.county AND b.year = s.year AND b.pupil = s.pupil AND b.removed_at IS NULL
		LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
		WHERE s.county = app_county() AND s.year = of_year AND s.codes <> '{}'
		UNION ALL
		SELECT o.id, coalesce(e.cert_no, d.cert_no, n.cert_no), coalesce(e.name, d.name), coalesce(e.student_no, d.student_no, n.student_no), o.codes, o.primary_code, o.source,
			o.dest_school, o.found, o.owners, o.severity, 'OUTSIDE', '{}', NULL, o.roster || o.destinations
		FROM outside_entry o
		LEFT JOIN enrolment e ON e.county = o.county AND e.rec_id = o.id
		LEFT JOIN destination d ON d.county = o.county AND d.rec_id = o.id
		-- Of several rows of one person, one may give the certificate number and another only the 学籍号.
		LEFT JOIN LATERAL (SELECT min(x.cert_no) AS cert_no, min(x.student_no) AS student_no FROM (
			SELECT x.cert_no, x.student_no FROM enrolment x WHERE x.county = o.county AND x.rec_id = ANY (o.roster)
			UNION ALL SELECT x.cert_no, x.student_no FROM destination x WHERE x.county = o.county AND x.rec_id = ANY (o.destinations)) x) n ON true
		WHERE o.county = app_county() AND o.year = of_year AND NOT o.gone AND o.codes <> '{}') m
	-- The rows that a person compares before he says same or different.
	LEFT JOIN LATERAL (SELECT array_agg(h.id ORDER BY h.id) AS ids, array_agg(h.kind ORDER BY h.id) AS kinds, array_agg(h.school ORDER BY h.id) AS schools,
			array_agg(h.name ORDER BY h.id) AS names, array_agg(h.number ORDER BY h.id) AS numbers
		FROM (SELECT e.rec_id::text AS id, 'enrolment' AS kind, e.owner_school AS school, coalesce(e.name, '') AS name, coalesce(e.cert_no, e.student_no, '') AS number
			FROM unnest(m.row_ids) i (id), LATERAL (SELECT * FROM enrolment WHERE county = app_county() AND rec_id = i.id AND NOT deleted) e
			UNION ALL
			SELECT d.rec_id::text, 'destination', d.owner_school, coalesce(d.name, ''), coalesce(d.cert_no, d.student_no, '')
			FROM unnest(m.row_ids) i (id), LATERAL (SELECT * FROM destination WHERE county = app_county() AND rec_id = i.id AND NOT deleted) d
			ORDER BY id LIMIT 64) h) h ON true
	WHERE of_school IS NULL OR of_school IN (m.source, m.home, m.dest_school) OR of_school = ANY (m.found || m.owners)
	ORDER BY m.state = 'OUTSIDE', array_position('{critical,high,mid,low}', m.severity), m.primary_code, m.source, m.name, m.id
$$;

-- Who makes up 未落实: the pupils of a state that is open, also those without a code, whose term has not come (S pending, D before its date) or who
-- were added since the last run.
CREATE OR REPLACE FUNCTION transition_open_names(of_year int, of_school text DEFAULT NULL) RETURNS TABLE (id uuid, cert_no text, name text, student_no text,
	codes text[], primary_code text, source_school text, dest_school text, found text[], owners text[], severity text, state text, flags text[],
	row_ids text[], row_kinds text[], row_schools text[], row_names text[], row_numbers text[])
LANGUAGE sql STABLE AS $$
	SELECT * FROM (
		SELECT * FROM transition_mismatches(of_year, of_school) m WHERE m.state = 'OPEN'
		UNION ALL
		SELECT b.pupil, st.cert_no, st.name, st.student_no, '{}'::text[], NULL, b.source_school, s.dest_school, coalesce(s.found, '{}'), '{}'::text[], NULL, 'OPEN', '{}'::text[],
			NULL, NULL, NULL, NULL, NULL
		FROM baseline b
		LEFT JOIN pupil_state s ON s.county = b.county AND s.year = b.year AND s.pupil = b.pupil
		LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL AND coalesce(s.state, 'OPEN') = 'OPEN' AND coalesce(s.codes, '{}') = '{}'
			AND (of_school IS NULL OR of_school IN (b.source_school, s.home, s.dest_school) OR of_school = ANY (s.found))) x
	ORDER BY array_position('{critical,high,mid,low}', x.severity), x.primary_code, x.source_school, x.name, x.id
$$;

-- The law of §2.6 per source, and in a last row with an empty code for the county: every state is counted by itself
-- and the residual is computed, so that it can tell. A pupil added since the last run is open.
CREATE OR REPLACE FUNCTION transition_summary(of_year int) RETURNS TABLE (code text, name text, baseline int, confirmed int, provisional int, exempt int,
	open int, residual int) LANGUAGE sql STABLE AS $$
	SELECT c.code, s.name, c.baseline, c.confirmed, c.provisional, c.exempt, c.open, c.baseline - c.confirmed - c.provisional - c.exempt - c.open
	FROM (SELECT coalesce(b.source_school, '') AS code, count(*)::int AS baseline,
			count(*) FILTER (WHERE s.state = 'CONFIRMED')::int AS confirmed, count(*) FILTER (WHERE s.state = 'PROVISIONAL')::int AS provisional,
			count(*) FILTER (WHERE s.state = 'EXEMPT')::int AS exempt, count(*) FILTER (WHERE coalesce(s.state, 'OPEN') = 'OPEN')::int AS open
		FROM baseline b LEFT JOIN pupil_state s ON s.county = b.county AND s.year = b.year AND s.pupil = b.pupil
		WHERE b.county = app_county() AND b.year = of_year AND b.removed_at IS NULL
		GROUP BY GROUPING SETS ((b.source_school), ())) c
	LEFT JOIN school s ON s.county = app_county() AND s.code = c.code AND NOT s.deleted
	ORDER BY c.code = '', c.code
$$;
