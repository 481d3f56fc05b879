-- Whom a class teacher's destination names. One that names nobody on the roster by number would be attached by name or telephone to
-- anybody's pupil: it is refused, and so pupil_scopes says which classes are those of the number that the record has when the push is done.
DROP FUNCTION pupil_scopes(int[], text[], int[], uuid[], uuid[], text[], text[]);
-- As in 0011, and `named`.
CREATE FUNCTION pupil_scopes(ords int[], schools text[], kinds int[], ids uuid[], targets uuid[], certs text[], student_nos text[])
RETURNS TABLE (ord int, grade text, class_no text, named boolean) LANGUAGE sql STABLE AS $$
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
	-- What is pushed without a number keeps the one that stands.
	numbers AS MATERIALIZED (
		SELECT u.ord, u.school, u.kind, u.cert, u.sno, u.kind = 7 AS named FROM u WHERE u.kind IN (7, 8)
		UNION SELECT u.ord, u.school, 7, d.cert_no, d.student_no, u.kind = 7 AND u.cert IS NULL AND u.sno IS NULL
			FROM u JOIN destination d ON d.county = app_county() AND d.rec_id = u.id
		UNION SELECT u.ord, u.school, 8, e.cert_no, e.student_no, false FROM u JOIN enrolment e ON e.county = app_county() AND e.rec_id = u.id
		UNION SELECT s.ord, s.school, 11, s.cert_no, s.student_no, false FROM slips s),
	own AS MATERIALIZED (
		SELECT s.owner_school, s.cert_no, s.student_no, s.grade, s.class_no FROM student s
		WHERE s.county = app_county() AND s.owner_school = ANY (schools) AND NOT s.deleted)
	SELECT h.ord, s.grade, s.class_no, false FROM hung h JOIN student s ON s.county = app_county() AND s.rec_id = h.target
	UNION SELECT h.ord, '16', d.class_no, false FROM hung h JOIN destination d ON d.county = app_county() AND d.rec_id = h.target WHERE d.class_no <> ''
	UNION SELECT h.ord, '21', e.class_no, false FROM hung h JOIN enrolment e ON e.county = app_county() AND e.rec_id = h.target WHERE e.class_no <> ''
	UNION SELECT n.ord, s.grade, s.class_no, n.named FROM numbers n JOIN own s ON s.owner_school = n.school AND s.cert_no = n.cert WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no, n.named FROM numbers n JOIN own s ON s.owner_school = n.school AND s.student_no = n.sno WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no, n.named FROM numbers n JOIN own s ON s.owner_school = n.school AND 'G' || s.cert_no = n.sno WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, s.grade, s.class_no, n.named FROM numbers n JOIN own s ON s.owner_school = n.school AND s.student_no = 'G' || n.cert WHERE n.kind <> 8 OR s.grade >= '21'
	UNION SELECT n.ord, '21', e.class_no, false FROM numbers n JOIN enrolment e ON e.county = app_county() AND e.owner_school = n.school AND e.cert_no = n.cert AND NOT e.deleted
		WHERE n.kind = 11 AND e.class_no <> ''
$$;
