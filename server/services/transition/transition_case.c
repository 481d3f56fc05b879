/* One pupil's case with everything that a decision looks at: what is declared, both schools' answers, the
 * contact log, what the clock said, the files, the bureau's earlier decisions. By a slip or by the pupil;
 * nothing is changed. */
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "lang.h"
#include "transition_calls.h"

#define SCHOOL_NAME(code)                                                                                    \
	"coalesce((SELECT n.name FROM school n WHERE n.county = app_county() AND n.code = " code             \
	" AND NOT n.deleted LIMIT 1), " code ")"
#define USER_NAME(user)                                                                                      \
	"coalesce((SELECT n.name FROM user_account n WHERE n.county = app_county() AND n.user_id = " user    \
	"), " user ", '')"
#define HIS_SLIP "s.county = app_county() AND s.year = $1::int AND s.pupil = $2::uuid AND NOT s.deleted"

struct show {
	int32_t year;
	uint8_t pupil[ID_SIZE];
};

static const struct db_stmt find_slip = {"SELECT pupil, year, no"
					 " FROM slip"
					 " WHERE county = app_county() AND NOT deleted"
					 " AND (no = $1::text OR rec_id::text = lower($1::text))"
					 " ORDER BY year DESC"
					 " LIMIT 1"};
enum { FOUND_PUPIL, FOUND_YEAR, FOUND_NO };

/* Of each trip below: $1 year, $2 pupil. In the order of enum trip_part. */
static const struct db_stmt select_pupil = {
	"SELECT b.pupil, st.cert_no, st.name, st.student_no, " SCHOOL_NAME(
		"b.source_school") ", coalesce(p.state, ''), p.codes"
				   " FROM baseline b"
				   " LEFT JOIN student st ON st.county = b.county"
				   " AND st.rec_id = b.student"
				   " LEFT JOIN pupil_state p ON p.county = b.county AND p.year = b.year"
				   " AND p.pupil = b.pupil"
				   " WHERE b.county = app_county() AND b.year = $1::int"
				   " AND b.pupil = $2::uuid"};
static const struct db_stmt select_declared = {
	"SELECT d.category, coalesce(nullif(d.place, ''), nullif(d.dest_school_name, ''),"
	" " SCHOOL_NAME("d.dest_school") ", ''), d.owner_school, " SCHOOL_NAME(
		"d.owner_school") ", coalesce(d.registration_no, ''),"
				  " coalesce(d.guardian_confirmed, false), coalesce(d.evidence_note, ''),"
				  " coalesce(d.note, '')"
				  " FROM transition_rows_now($1::int, $2::uuid) t"
				  " JOIN destination d ON d.county = app_county()"
				  " AND d.rec_id = t.destination"};
enum {
	DECLARED_CATEGORY,
	DECLARED_PLACE,
	DECLARED_SCHOOL,
	DECLARED_SCHOOL_NAME,
	DECLARED_REGISTRATION_NO,
	DECLARED_GUARDIAN_CONFIRMED,
	DECLARED_EVIDENCE_NOTE,
	DECLARED_NOTE
};
static const struct db_stmt select_times = {
	"SELECT s.found_at, s.issued_at, s.closed_at, coalesce(s.review_reason, ''), " SCHOOL_NAME(
		"s.source") ", " SCHOOL_NAME("s.home") " FROM slip s WHERE " HIS_SLIP};
enum { TIME_FOUND_AT, TIME_ISSUED_AT, TIME_CLOSED_AT, TIME_REVIEW_REASON, TIME_SOURCE_NAME, TIME_HOME_NAME };
static const struct db_stmt select_people = {
	"SELECT a.school, " SCHOOL_NAME("a.school") ", " USER_NAME("a.received_by") ", " USER_NAME(
		"a.answered_by") " FROM slip s"
				 " JOIN slip_addressee a ON a.county = s.county AND a.slip = s.rec_id"
				 " AND NOT a.deleted"
				 " WHERE " HIS_SLIP};
enum { PERSON_SCHOOL, PERSON_SCHOOL_NAME, PERSON_RECEIVED_BY, PERSON_ANSWERED_BY };
/* A file that hangs on several of his records is one. What was read is what the access log says of this
 * person. */
static const struct db_stmt select_files = {
	"WITH target AS (SELECT a.rec_id FROM slip s"
	" JOIN slip_addressee a ON a.county = s.county AND a.slip = s.rec_id AND NOT a.deleted WHERE " HIS_SLIP
	" UNION SELECT t.destination"
	" FROM transition_rows_now($1::int, $2::uuid) t"
	" UNION SELECT unnest(ARRAY[b.pupil, b.student])"
	" FROM baseline b"
	" WHERE b.county = app_county() AND b.year = $1::int AND b.pupil = $2::uuid"
	" UNION SELECT unnest(p.row_ids)"
	" FROM pupil_state p"
	" WHERE p.county = app_county() AND p.year = $1::int AND p.pupil = $2::uuid)"
	" SELECT x.sha, x.name, x.size, x.owner_school, " SCHOOL_NAME(
		"x.owner_school") ", x.rec_id, x.complete,"
				  " EXISTS (SELECT FROM access_log l"
				  " WHERE l.county = app_county() AND l.user_id = $3::text"
				  " AND l.method = 'Sync.GetBlob' AND l.result = 'OK'"
				  " AND l.purpose = 'file ' || encode(x.sha, 'hex'))"
				  " FROM (SELECT DISTINCT ON (e.owner_school, e.sha) e.sha, e.name,"
				  " e.size, e.owner_school, e.rec_id,"
				  " coalesce(f.complete, false) AS complete"
				  " FROM target t"
				  " JOIN evidence e ON e.county = app_county() AND e.target = t.rec_id"
				  " AND NOT e.deleted"
				  /* Of the school whose record it is: an id that nobody had yet took
				     anybody's file. */
				  " AND EXISTS (SELECT FROM destination d"
				  " WHERE d.county = e.county AND d.rec_id = e.target"
				  " AND d.owner_school = e.owner_school"
				  " UNION ALL SELECT FROM student s"
				  " WHERE s.county = e.county AND s.rec_id = e.target"
				  " AND s.owner_school = e.owner_school"
				  " UNION ALL SELECT FROM enrolment n"
				  " WHERE n.county = e.county AND n.rec_id = e.target"
				  " AND n.owner_school = e.owner_school"
				  " UNION ALL SELECT FROM slip_addressee a"
				  " WHERE a.county = e.county AND a.rec_id = e.target"
				  " AND a.owner_school = e.owner_school)"
				  " LEFT JOIN blob f ON f.county = e.county AND f.school = e.owner_school"
				  " AND f.sha = e.sha"
				  " ORDER BY e.owner_school, e.sha, e.rec_id) x"
				  " ORDER BY x.owner_school, x.rec_id"
				  " LIMIT 1000"};
enum { FILE_SHA, FILE_NAME, FILE_SIZE, FILE_SCHOOL, FILE_SCHOOL_NAME, FILE_ID, FILE_COMPLETE, FILE_READ };
static const struct db_stmt select_contacts = {"SELECT c.owner_school, " SCHOOL_NAME(
	"c.owner_school") ", c.at, c.method, coalesce(c.persons, ''), coalesce(c.outcome, ''),"
			  " c.next_date, coalesce(c.note, '')"
			  " FROM slip s"
			  " JOIN persuasion c ON c.county = s.county AND c.slip = s.rec_id"
			  " AND NOT c.deleted"
			  " WHERE " HIS_SLIP " ORDER BY c.at, c.rec_id LIMIT 1000"};
enum {
	CONTACT_SCHOOL,
	CONTACT_SCHOOL_NAME,
	CONTACT_AT,
	CONTACT_METHOD,
	CONTACT_PERSONS,
	CONTACT_OUTCOME,
	CONTACT_NEXT_DATE,
	CONTACT_NOTE
};
static const struct db_stmt select_reminders = {"SELECT m.owner_school, " SCHOOL_NAME(
	"m.owner_school") ", m.what, coalesce(m.round, 0), m.due, m.at"
			  " FROM slip s"
			  " JOIN reminder m ON m.county = s.county AND m.about = s.rec_id"
			  " AND NOT m.deleted"
			  " WHERE " HIS_SLIP " ORDER BY m.at, m.rec_id LIMIT 1000"};
enum { REMINDER_SCHOOL, REMINDER_SCHOOL_NAME, REMINDER_WHAT, REMINDER_ROUND, REMINDER_DUE, REMINDER_AT };
static const struct db_stmt select_decisions = {"SELECT w.decision, w.category, w.reason, " USER_NAME(
	"w.by_user") ", w.at"
		     " FROM proof_decision w"
		     " WHERE w.county = app_county() AND w.year = $1::int AND w.pupil = $2::uuid"
		     " ORDER BY w.n"
		     " LIMIT 1000"};
enum { DECISION_DECISION, DECISION_CATEGORY, DECISION_REASON, DECISION_BY, DECISION_AT };

enum trip_part { PUPIL, DECLARED, SLIP, TIMES, PEOPLE, FILES, CONTACTS, REMINDERS, DECISIONS, PARTS };
static const struct db_stmt *const statements[PARTS] = {&select_pupil, &select_declared, &select_slip_of,
	&select_times, &select_people, &select_files, &select_contacts, &select_reminders, &select_decisions};

/* Room for n messages and for the list of pointers to them; false: none. */
static bool make_list(struct request *r, int n, size_t size, void **rows, void *list)
{
	void *pointers = arena_alloc(&r->arena, sizeof(void *) * (size_t)(n + 1));

	*rows = arena_alloc(&r->arena, size * (size_t)(n + 1));
	memcpy(list, &pointers, sizeof pointers);
	return *rows && pointers;
}

static void fill_declared(struct request *r, pb_case_reply *out, const PGresult *d)
{
	pb_declared *to = PQntuples(d) ? arena_alloc(&r->arena, sizeof *to) : NULL;

	if (!to)
		return;
	*to = (pb_declared)PB_DECLARED_INIT;
	to->category = row_text(r, d, 0, DECLARED_CATEGORY);
	to->place = row_text(r, d, 0, DECLARED_PLACE);
	to->school = row_text(r, d, 0, DECLARED_SCHOOL);
	to->school_name = row_text(r, d, 0, DECLARED_SCHOOL_NAME);
	to->registration_no = row_text(r, d, 0, DECLARED_REGISTRATION_NO);
	to->has_guardian_confirmed = 1;
	to->guardian_confirmed = db_get_int(d, 0, DECLARED_GUARDIAN_CONFIRMED) != 0;
	to->evidence_note = row_text(r, d, 0, DECLARED_EVIDENCE_NOTE);
	to->note = row_text(r, d, 0, DECLARED_NOTE);
	out->declared = to;
}

static void fill_people(struct request *r, pb_slip_row *slip, const PGresult *people)
{
	for (size_t k = 0; k < slip->n_addressee; k++)
		for (int i = 0; i < PQntuples(people); i++)
			if (strcmp(slip->addressee[k]->school, db_get_text(people, i, PERSON_SCHOOL)) == 0) {
				slip->addressee[k]->school_name = row_text(r, people, i, PERSON_SCHOOL_NAME);
				slip->addressee[k]->received_by = row_text(r, people, i, PERSON_RECEIVED_BY);
				slip->addressee[k]->answered_by = row_text(r, people, i, PERSON_ANSWERED_BY);
			}
}

static void fill_slip(struct request *r, pb_case_reply *out, const PGresult *s, const PGresult *times,
	const PGresult *people)
{
	pb_slip_row *to = PQntuples(s) ? arena_alloc(&r->arena, sizeof *to) : NULL;

	if (!to)
		return;
	row_slip(r, to, s, 0);
	to->has_found_at = !db_is_null(times, 0, TIME_FOUND_AT);
	to->found_at = db_get_int(times, 0, TIME_FOUND_AT);
	to->has_issued_at = !db_is_null(times, 0, TIME_ISSUED_AT);
	to->issued_at = db_get_int(times, 0, TIME_ISSUED_AT);
	to->has_closed_at = !db_is_null(times, 0, TIME_CLOSED_AT);
	to->closed_at = db_get_int(times, 0, TIME_CLOSED_AT);
	to->review_reason = row_text(r, times, 0, TIME_REVIEW_REASON);
	to->source_name = row_text(r, times, 0, TIME_SOURCE_NAME);
	to->home_name = row_text(r, times, 0, TIME_HOME_NAME);
	fill_people(r, to, people);
	out->slip = to;
}

/* The first 48 bits of a UUIDv7 are the milliseconds at which the school's computer made it. */
static int64_t time_of_id(const uint8_t *id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms * 1000;
}

static void fill_files(struct request *r, pb_case_reply *out, const PGresult *f)
{
	int n = PQntuples(f);
	void *room;
	size_t len;

	if (!make_list(r, n, sizeof(pb_case_file), &room, &out->file))
		return;
	for (int i = 0; i < n; i++) {
		pb_case_file *to = (pb_case_file *)room + i;
		*to = (pb_case_file)PB_CASE_FILE_INIT;
		to->has_sha = to->has_size = to->has_at = to->has_complete = to->has_read = 1;
		to->sha.data = arena_copy(&r->arena, db_get_bytes(f, i, FILE_SHA, &len), HASH_SIZE);
		to->sha.len = to->sha.data ? HASH_SIZE : 0;
		to->name = row_text(r, f, i, FILE_NAME);
		to->size = (uint64_t)db_get_int(f, i, FILE_SIZE);
		to->school = row_text(r, f, i, FILE_SCHOOL);
		to->school_name = row_text(r, f, i, FILE_SCHOOL_NAME);
		to->at = time_of_id(db_get_bytes(f, i, FILE_ID, &len));
		to->complete = db_get_int(f, i, FILE_COMPLETE) != 0;
		to->read = db_get_int(f, i, FILE_READ) != 0;
		out->file[out->n_file++] = to;
	}
}

static void fill_contacts(struct request *r, pb_case_reply *out, const PGresult *c)
{
	int n = PQntuples(c);
	void *room;

	if (!make_list(r, n, sizeof(pb_case_contact), &room, &out->contact))
		return;
	for (int i = 0; i < n; i++) {
		pb_case_contact *to = (pb_case_contact *)room + i;
		*to = (pb_case_contact)PB_CASE_CONTACT_INIT;
		to->school = row_text(r, c, i, CONTACT_SCHOOL);
		to->school_name = row_text(r, c, i, CONTACT_SCHOOL_NAME);
		to->has_at = 1;
		to->at = db_get_int(c, i, CONTACT_AT);
		to->method = row_text(r, c, i, CONTACT_METHOD);
		to->persons = row_text(r, c, i, CONTACT_PERSONS);
		to->outcome = row_text(r, c, i, CONTACT_OUTCOME);
		to->has_next_date = !db_is_null(c, i, CONTACT_NEXT_DATE);
		to->next_date = (int32_t)db_get_int(c, i, CONTACT_NEXT_DATE);
		to->note = row_text(r, c, i, CONTACT_NOTE);
		out->contact[out->n_contact++] = to;
	}
}

static void fill_reminders(struct request *r, pb_case_reply *out, const PGresult *m)
{
	int n = PQntuples(m);
	void *room;

	if (!make_list(r, n, sizeof(pb_case_reminder), &room, &out->reminder))
		return;
	for (int i = 0; i < n; i++) {
		pb_case_reminder *to = (pb_case_reminder *)room + i;
		*to = (pb_case_reminder)PB_CASE_REMINDER_INIT;
		to->school = row_text(r, m, i, REMINDER_SCHOOL);
		to->school_name = row_text(r, m, i, REMINDER_SCHOOL_NAME);
		to->what = row_text(r, m, i, REMINDER_WHAT);
		to->has_round = to->has_at = 1;
		to->round = (int32_t)db_get_int(m, i, REMINDER_ROUND);
		to->has_due = !db_is_null(m, i, REMINDER_DUE);
		to->due = db_get_int(m, i, REMINDER_DUE);
		to->at = db_get_int(m, i, REMINDER_AT);
		out->reminder[out->n_reminder++] = to;
	}
}

static void fill_decisions(struct request *r, pb_case_reply *out, const PGresult *w)
{
	int n = PQntuples(w);
	void *room;

	if (!make_list(r, n, sizeof(pb_case_decision), &room, &out->decision))
		return;
	for (int i = 0; i < n; i++) {
		pb_case_decision *to = (pb_case_decision *)room + i;
		*to = (pb_case_decision)PB_CASE_DECISION_INIT;
		to->decision = row_text(r, w, i, DECISION_DECISION);
		to->category = row_text(r, w, i, DECISION_CATEGORY);
		to->reason = row_text(r, w, i, DECISION_REASON);
		to->by = row_text(r, w, i, DECISION_BY);
		to->has_at = 1;
		to->at = db_get_int(w, i, DECISION_AT);
		out->decision[out->n_decision++] = to;
	}
}

static void refuse_slip(struct request *r)
{
	request_refuse(
		r, ERR_NOT_FOUND, "slip", _("没有这张交办单"), _("编号在 jgadmin transition slips list 里"));
}

static void show_done(struct request *r)
{
	struct show *s = r->data;
	const PGresult *part[PARTS];
	pb_case_reply *out = arena_alloc(&r->arena, sizeof *out);

	if (!out) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (int i = 0; i < PARTS; i++)
		part[i] = request_result(r, statements[i]);
	if (r->method->number == METHOD_TRANSITION_SHOW_SLIP && PQntuples(part[SLIP]) == 0) {
		refuse_slip(r);
		return;
	}
	*out = (pb_case_reply)PB_CASE_REPLY_INIT;
	out->has_year = 1;
	out->year = s->year;
	if (PQntuples(part[PUPIL])) {
		out->student = row_pupil(r, part[PUPIL], 0, 0);
		out->source_name = row_text(r, part[PUPIL], 0, 4);
		out->state = row_text(r, part[PUPIL], 0, 5);
		out->code = row_texts(r, part[PUPIL], 0, 6, &out->n_code);
	}
	fill_declared(r, out, part[DECLARED]);
	fill_slip(r, out, part[SLIP], part[TIMES], part[PEOPLE]);
	fill_files(r, out, part[FILES]);
	fill_contacts(r, out, part[CONTACTS]);
	fill_reminders(r, out, part[REMINDERS]);
	fill_decisions(r, out, part[DECISIONS]);
	r->rows = 1;
	request_reply(r, &out->base);
}

static void found(struct request *r)
{
	struct show *s = r->data;
	size_t len;

	if (r->method->number == METHOD_TRANSITION_SHOW_PROOF) {
		s->year = REQUEST(r, pb_case_request)->year;
		if (!transition_year_stands(r, transition_year_phase(r, YEAR_LOOK), s->year, false) ||
			!transition_found_pupil(r, s->pupil))
			return;
	} else {
		const PGresult *a = request_result(r, &find_slip);
		if (PQntuples(a) == 0) {
			refuse_slip(r);
			return;
		}
		memcpy(s->pupil, db_get_bytes(a, 0, FOUND_PUPIL, &len), ID_SIZE);
		s->year = (int32_t)db_get_int(a, 0, FOUND_YEAR);
		r->purpose = arena_printf(&r->arena, "slip %s", db_get_text(a, 0, FOUND_NO));
	}
	for (int i = 0; i < PARTS; i++) {
		struct db_params p = {0};
		db_int4(&p, s->year);
		db_bytes(&p, s->pupil, ID_SIZE);
		if (i == FILES)
			db_text(&p, r->caller.user);
		request_query(r, statements[i], &p);
	}
	request_trip(r, show_done);
}

static void show_query(struct request *r)
{
	const pb_case_request *q = REQUEST(r, pb_case_request);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	if (r->method->number == METHOD_TRANSITION_SHOW_PROOF) {
		transition_year(r, q->year, YEAR_LOOK);
		db_int4(&p, q->year);
		db_text(&p, q->name ? q->name : "");
		request_query(r, &transition_find_pupil, &p);
	} else {
		db_text(&p, q->name ? q->name : "");
		request_query(r, &find_slip, &p);
	}
	request_trip(r, found);
}

void transition_show(struct request *r)
{
	r->data = arena_alloc(&r->arena, sizeof(struct show));
	if (r->data)
		request_begin(r, show_query);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
}
