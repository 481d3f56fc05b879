/* Lists and tables of the transition: what the bureau reads. Every number of the summary opens into the names
 * of the mismatch list; both come from the same rows. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "transition_calls.h"

#define LIST_MAX 64       /* codes, schools or owners of one row */
#define ROWS_PER_PAGE 500 /* of a streamed list: well under FRAME_MAX, of rows of a few hundred bytes */

char *row_text(struct request *r, const PGresult *res, int row, int column)
{
	return db_is_null(res, row, column) ? ""
					    : arena_printf(&r->arena, "%s", db_get_text(res, row, column));
}

char *row_id(struct request *r, const PGresult *res, int row, int column)
{
	size_t n;
	char *out = arena_alloc(&r->arena, 37);

	if (out && !db_is_null(res, row, column))
		id_format(out, db_get_bytes(res, row, column, &n));
	return out;
}

char **row_texts(struct request *r, const PGresult *res, int row, int column, size_t *count)
{
	const char *at[LIST_MAX];
	size_t lengths[LIST_MAX];
	int n = db_get_texts(res, row, column, at, lengths, LIST_MAX);
	char **out = n > 0 ? arena_alloc(&r->arena, sizeof *out * (size_t)n) : NULL;

	*count = 0;
	for (int i = 0; out && i < n && i < LIST_MAX; i++)
		out[(*count)++] = arena_text(&r->arena, at[i], lengths[i]);
	return out;
}

static ProtobufCBinaryData *bytes_of(
	struct request *r, const PGresult *res, int row, int column, size_t *count)
{
	char **texts = row_texts(r, res, row, column, count);
	ProtobufCBinaryData *out = texts ? arena_alloc(&r->arena, sizeof *out * (*count + 1)) : NULL;
	const char *at[LIST_MAX];
	size_t lengths[LIST_MAX];

	db_get_texts(res, row, column, at, lengths, LIST_MAX);
	for (size_t i = 0; out && i < *count; i++)
		out[i] = (ProtobufCBinaryData){lengths[i], (uint8_t *)texts[i]};
	*count = out ? *count : 0;
	return out;
}

pb_pupil *row_pupil(struct request *r, const PGresult *res, int row, int column)
{
	pb_pupil *p = arena_alloc(&r->arena, sizeof *p);

	if (!p)
		return NULL;
	*p = (pb_pupil)PB_PUPIL_INIT;
	p->id = row_id(r, res, row, column);
	p->cert_no = row_text(r, res, row, column + 1);
	p->name = row_text(r, res, row, column + 2);
	p->student_no = row_text(r, res, row, column + 3);
	return p;
}

/* A streamed list: pages of whole messages, the last one ends the call. `fill` makes the message of rows
 * [from, to). */
typedef const ProtobufCMessage *(*fill_fn)(struct request *r, const PGresult *res, int from, int to);

static void send_rows(struct request *r, const PGresult *res, fill_fn fill)
{
	int n = PQntuples(res);

	r->rows = (uint32_t)n;
	for (int from = 0;; from += ROWS_PER_PAGE) {
		int to = from + ROWS_PER_PAGE < n ? from + ROWS_PER_PAGE : n;
		const ProtobufCMessage *page = fill(r, res, from, to);
		if (!page) {
			request_fail(r, ERR_NOMEM, NULL, NULL);
			return;
		}
		if (to == n) {
			request_reply(r, page);
			return;
		}
		request_page(r, page);
	}
}

/* The rows of a list of a year that stands. */
static void send_list(struct request *r, const struct db_stmt *stmt, fill_fn fill)
{
	if (transition_year_stands(
		    r, transition_year_phase(r, YEAR_LOOK), REQUEST(r, pb_year_request)->year, false))
		send_rows(r, request_result(r, stmt), fill);
}

/* ---- progress ---- */

static const struct db_stmt select_progress = {
	"SELECT code, coalesce(name, ''), baseline, declared, t1, t2, verified, last_contact, pending,"
	" to_verify, answered"
	" FROM transition_progress($1::int)"};
enum {
	PROGRESS_CODE,
	PROGRESS_NAME,
	PROGRESS_BASELINE,
	PROGRESS_DECLARED,
	PROGRESS_T1,
	PROGRESS_T2,
	PROGRESS_VERIFIED,
	PROGRESS_LAST_CONTACT,
	PROGRESS_PENDING,
	PROGRESS_TO_VERIFY,
	PROGRESS_ANSWERED
};

static void query_of_year(struct request *r, const struct db_stmt *stmt)
{
	struct db_params p = {0};

	db_int4(&p, REQUEST(r, pb_year_request)->year);
	request_query(r, stmt, &p);
}

static void year_query(struct request *r, const struct db_stmt *stmt)
{
	transition_year(r, REQUEST(r, pb_year_request)->year, YEAR_LOOK);
	query_of_year(r, stmt);
}

static void progress_query(struct request *r)
{
	year_query(r, &select_progress);
}

static void progress_row(struct request *r, pb_progress_row *p, const PGresult *res, int i)
{
	*p = (pb_progress_row)PB_PROGRESS_ROW_INIT;
	p->code = row_text(r, res, i, PROGRESS_CODE);
	p->name = row_text(r, res, i, PROGRESS_NAME);
	p->has_baseline = p->has_declared = p->has_pending = p->has_to_verify = p->has_answered = 1;
	p->baseline = (uint32_t)db_get_int(res, i, PROGRESS_BASELINE);
	p->declared = (uint32_t)db_get_int(res, i, PROGRESS_DECLARED);
	p->has_t1 = !db_is_null(res, i, PROGRESS_T1);
	p->t1 = db_get_int(res, i, PROGRESS_T1);
	p->has_t2 = !db_is_null(res, i, PROGRESS_T2);
	p->t2 = db_get_int(res, i, PROGRESS_T2);
	p->has_verified = !db_is_null(res, i, PROGRESS_VERIFIED);
	p->verified = db_get_int(res, i, PROGRESS_VERIFIED);
	p->has_last_contact = !db_is_null(res, i, PROGRESS_LAST_CONTACT);
	p->last_contact = db_get_int(res, i, PROGRESS_LAST_CONTACT);
	p->pending = (uint64_t)db_get_int(res, i, PROGRESS_PENDING);
	p->to_verify = (uint32_t)db_get_int(res, i, PROGRESS_TO_VERIFY);
	p->answered = (uint32_t)db_get_int(res, i, PROGRESS_ANSWERED);
}

static void progress_done(struct request *r)
{
	const PGresult *res = request_result(r, &select_progress);
	int n = PQntuples(res);
	pb_progress_reply out = PB_PROGRESS_REPLY_INIT;
	pb_progress_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(n + 1));

	if (!transition_year_stands(
		    r, transition_year_phase(r, YEAR_LOOK), REQUEST(r, pb_year_request)->year, false))
		return;
	out.row = arena_alloc(&r->arena, sizeof *out.row * (size_t)(n + 1));
	for (int i = 0; rows && out.row && i < n; i++) {
		progress_row(r, &rows[i], res, i);
		out.row[out.n_row++] = &rows[i];
	}
	request_reply(r, &out.base);
}

void transition_progress(struct request *r)
{
	request_call(r, progress_query, progress_done);
}

/* ---- mismatches ---- */

static const struct db_stmt select_mismatches = {
	"SELECT id, cert_no, name, student_no, codes, primary_code, source_school, dest_school, found,"
	" owners, severity, state, flags, row_ids, row_kinds, row_schools, row_names, row_numbers"
	" FROM transition_mismatches($1::int, nullif($2::text, ''))"};
static const struct db_stmt select_open_names = {
	"SELECT id, cert_no, name, student_no, codes, primary_code, source_school, dest_school, found,"
	" owners, severity, state, flags, row_ids, row_kinds, row_schools, row_names, row_numbers"
	" FROM transition_open_names($1::int, nullif($2::text, ''))"};
/* Of both. */
enum {
	MISMATCH_PUPIL,
	MISMATCH_CERT_NO,
	MISMATCH_NAME,
	MISMATCH_STUDENT_NO,
	MISMATCH_CODES,
	MISMATCH_PRIMARY,
	MISMATCH_SOURCE_SCHOOL,
	MISMATCH_DEST_SCHOOL,
	MISMATCH_FOUND,
	MISMATCH_OWNERS,
	MISMATCH_SEVERITY,
	MISMATCH_STATE,
	MISMATCH_FLAGS,
	MISMATCH_ROW_IDS,
	MISMATCH_ROW_KINDS,
	MISMATCH_ROW_SCHOOLS,
	MISMATCH_ROW_NAMES,
	MISMATCH_ROW_NUMBERS
};

static const struct db_stmt *mismatch_statement(const struct request *r)
{
	return REQUEST(r, pb_year_request)->open ? &select_open_names : &select_mismatches;
}

static void mismatch_query(struct request *r)
{
	const pb_year_request *q = REQUEST(r, pb_year_request);
	struct db_params p = {0};

	transition_year(r, q->year, YEAR_LOOK);
	db_int4(&p, q->year);
	db_text(&p, q->school ? q->school : "");
	request_query(r, mismatch_statement(r), &p);
}

static void mismatch_rows(struct request *r, pb_mismatch *m, const PGresult *res, int i)
{
	size_t n, other;
	char **ids = row_texts(r, res, i, MISMATCH_ROW_IDS, &n),
	     **kinds = row_texts(r, res, i, MISMATCH_ROW_KINDS, &other),
	     **schools = row_texts(r, res, i, MISMATCH_ROW_SCHOOLS, &other);
	char **names = row_texts(r, res, i, MISMATCH_ROW_NAMES, &other),
	     **numbers = row_texts(r, res, i, MISMATCH_ROW_NUMBERS, &other);
	pb_mismatch_row *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	m->row = arena_alloc(&r->arena, sizeof *m->row * (n + 1));
	for (size_t k = 0; rows && m->row && k < n && k < other; k++) {
		rows[k] = (pb_mismatch_row)PB_MISMATCH_ROW_INIT;
		rows[k].id = ids[k];
		rows[k].kind = kinds[k];
		rows[k].school = schools[k];
		rows[k].name = names[k];
		rows[k].number = numbers[k];
		m->row[m->n_row++] = &rows[k];
	}
}

static void mismatch_row(struct request *r, pb_mismatch *m, const PGresult *res, int i)
{
	*m = (pb_mismatch)PB_MISMATCH_INIT;
	m->id = row_id(r, res, i, MISMATCH_PUPIL);
	m->student = row_pupil(r, res, i, MISMATCH_PUPIL);
	m->code = row_texts(r, res, i, MISMATCH_CODES, &m->n_code);
	m->primary = row_text(r, res, i, MISMATCH_PRIMARY);
	m->source_school = row_text(r, res, i, MISMATCH_SOURCE_SCHOOL);
	m->dest_school = row_text(r, res, i, MISMATCH_DEST_SCHOOL);
	m->found = row_texts(r, res, i, MISMATCH_FOUND, &m->n_found);
	m->owner = row_texts(r, res, i, MISMATCH_OWNERS, &m->n_owner);
	m->severity = row_text(r, res, i, MISMATCH_SEVERITY);
	m->state = row_text(r, res, i, MISMATCH_STATE);
	m->flag = row_texts(r, res, i, MISMATCH_FLAGS, &m->n_flag);
	mismatch_rows(r, m, res, i);
}

static const ProtobufCMessage *mismatch_page(struct request *r, const PGresult *res, int from, int to)
{
	pb_mismatch_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_mismatch *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_mismatch_reply)PB_MISMATCH_REPLY_INIT;
	if (!(out->mismatch = arena_alloc(&r->arena, sizeof *out->mismatch * (size_t)(to - from + 1))))
		return NULL;
	for (int i = from; i < to; i++) {
		mismatch_row(r, &rows[i - from], res, i);
		out->mismatch[out->n_mismatch++] = &rows[i - from];
	}
	return &out->base;
}

static void mismatch_done(struct request *r)
{
	send_list(r, mismatch_statement(r), mismatch_page);
}

void transition_mismatches(struct request *r)
{
	request_call(r, mismatch_query, mismatch_done);
}

/* ---- what is in the way of a school's formal report ---- */

static const struct db_stmt select_gaps = {"SELECT pupil, cert_no, name, student_no, class_no, gaps,"
					   " roster"
					   " FROM filing_missing($1::int, $2::text)"};
enum { GAP_PUPIL, GAP_CERT_NO, GAP_NAME, GAP_STUDENT_NO, GAP_CLASS_NO, GAP_GAPS, GAP_ROSTER };

static void gap_query(struct request *r)
{
	const pb_year_request *q = REQUEST(r, pb_year_request);
	struct db_params p = {0};

	transition_year(r, q->year, YEAR_LOOK);
	db_int4(&p, q->year);
	db_text(&p, r->caller.school);
	request_query(r, &select_gaps, &p);
}

static const ProtobufCMessage *gap_page(struct request *r, const PGresult *res, int from, int to)
{
	pb_gap_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_gap_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_gap_reply)PB_GAP_REPLY_INIT;
	if (!(out->row = arena_alloc(&r->arena, sizeof *out->row * (size_t)(to - from + 1))))
		return NULL;
	for (int i = from; i < to; i++) {
		pb_gap_row *row = &rows[i - from];
		*row = (pb_gap_row)PB_GAP_ROW_INIT;
		row->student = row_pupil(r, res, i, GAP_PUPIL);
		row->class_no = row_text(r, res, i, GAP_CLASS_NO);
		row->gap = row_texts(r, res, i, GAP_GAPS, &row->n_gap);
		row->roster = row_text(r, res, i, GAP_ROSTER);
		out->row[out->n_row++] = row;
	}
	return &out->base;
}

static void gap_done(struct request *r)
{
	send_list(r, &select_gaps, gap_page);
}

void transition_filing_gaps(struct request *r)
{
	request_call(r, gap_query, gap_done);
}

/* ---- slips ---- */

/* What a slip's state is now is a function of its rows and the time: answered when every addressee has;
 * overdue past the term that stands; on the call list when 24 hours have gone by and an addressee has not
 * read it. */
#define SELECT_SLIP                                                                                          \
	"SELECT s.rec_id, s.pupil, s.cert_no, s.name, s.student_no, string_to_array(s.codes, ','),"          \
	" s.issue_due, s.resolve_due, CASE WHEN s.state IN ('issued', 'returned')"                           \
	" AND h.answered = h.n AND h.n > 0 THEN 'answered' ELSE s.state END, s.state <> 'closed'"            \
	" AND jg_now() >= coalesce(s.resolve_due, s.issue_due), coalesce(s.escalated, false)"                \
	" OR s.state <> 'closed' AND s.resolve_due IS NOT NULL AND jg_now() >= s.resolve_due,"               \
	" s.round, s.no, s.severity, s.state = 'issued' AND h.received < h.n"                                \
	" AND jg_now() >= s.issued_at + interval '24 hours', h.schools, h.received_at,"                      \
	" h.answered_at, h.outcomes, h.notes, h.reminders, h.reminded_at"                                    \
	" FROM slip s"                                                                                       \
	" LEFT JOIN LATERAL (SELECT count(*) AS n, count(a.answered_at) AS answered,"                        \
	" count(a.received_at) AS received, array_agg(a.school ORDER BY a.school) AS schools,"               \
	" array_agg(coalesce(extract(epoch FROM a.received_at) * 1000000, 0)::bigint::text"                  \
	" ORDER BY a.school) AS received_at,"                                                                \
	" array_agg(coalesce(extract(epoch FROM a.answered_at) * 1000000, 0)::bigint::text"                  \
	" ORDER BY a.school) AS answered_at,"                                                                \
	" array_agg(coalesce(a.outcome, '') ORDER BY a.school) AS outcomes,"                                 \
	" array_agg(coalesce(a.note, '') ORDER BY a.school) AS notes,"                                       \
	" array_agg(coalesce(m.what, '') ORDER BY a.school) AS reminders,"                                   \
	" array_agg(coalesce(extract(epoch FROM m.at) * 1000000, 0)::bigint::text"                           \
	" ORDER BY a.school) AS reminded_at"                                                                 \
	" FROM slip_addressee a"                                                                             \
	" LEFT JOIN LATERAL (SELECT r.what, r.at FROM reminder r"                                            \
	" WHERE r.county = a.county AND r.about = a.slip AND r.owner_school = a.school"                      \
	" AND r.round = a.round AND NOT r.deleted"                                                           \
	" ORDER BY r.at DESC, r.what DESC LIMIT 1) m"                                                        \
	" ON true"                                                                                           \
	" WHERE a.county = s.county AND a.slip = s.rec_id AND NOT a.deleted) h"                              \
	" ON true"
/* A finding that went away before anybody was addressed was never a slip to anybody. */
#define SLIP_TO_SOMEBODY                                                                                     \
	" WHERE s.county = app_county() AND s.year = $1::int AND NOT s.deleted"                              \
	" AND NOT (s.state = 'closed' AND h.n = 0)"
static const struct db_stmt select_slips = {SELECT_SLIP SLIP_TO_SOMEBODY
	" ORDER BY s.state = 'closed', coalesce(s.resolve_due, s.issue_due), s.no"};
enum {
	SLIP_ID,
	SLIP_PUPIL,
	SLIP_CERT_NO,
	SLIP_NAME,
	SLIP_STUDENT_NO,
	SLIP_CODES,
	SLIP_ISSUE_DUE,
	SLIP_RESOLVE_DUE,
	SLIP_STATE,
	SLIP_OVERDUE,
	SLIP_ESCALATED,
	SLIP_ROUND,
	SLIP_NO,
	SLIP_SEVERITY,
	SLIP_CALL_LIST,
	SLIP_SCHOOLS,
	SLIP_RECEIVED_AT,
	SLIP_ANSWERED_AT,
	SLIP_OUTCOMES,
	SLIP_NOTES,
	SLIP_REMINDERS,
	SLIP_REMINDED_AT
};
const struct db_stmt select_slip_of = {SELECT_SLIP SLIP_TO_SOMEBODY " AND s.pupil = $2::uuid"};

static void slips_query(struct request *r)
{
	year_query(r, &select_slips);
}

static void slip_addressees(struct request *r, pb_slip_row *s, const PGresult *res, int i)
{
	size_t n, m;
	char **schools = row_texts(r, res, i, SLIP_SCHOOLS, &n),
	     **received = row_texts(r, res, i, SLIP_RECEIVED_AT, &m),
	     **answered = row_texts(r, res, i, SLIP_ANSWERED_AT, &m);
	char **outcomes = row_texts(r, res, i, SLIP_OUTCOMES, &m),
	     **notes = row_texts(r, res, i, SLIP_NOTES, &m);
	char **reminders = row_texts(r, res, i, SLIP_REMINDERS, &m),
	     **reminded = row_texts(r, res, i, SLIP_REMINDED_AT, &m);
	pb_addressee_row *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	s->addressee = arena_alloc(&r->arena, sizeof *s->addressee * (n + 1));
	for (size_t k = 0; rows && s->addressee && k < n && k < m; k++) {
		pb_addressee_row *h = &rows[k];
		*h = (pb_addressee_row)PB_ADDRESSEE_ROW_INIT;
		h->school = schools[k];
		h->received_at = strtoll(received[k], NULL, 10);
		h->has_received_at = h->received_at != 0;
		h->answered_at = strtoll(answered[k], NULL, 10);
		h->has_answered_at = h->answered_at != 0;
		h->outcome = outcomes[k];
		h->note = notes[k];
		h->reminder = reminders[k];
		h->reminded_at = strtoll(reminded[k], NULL, 10);
		h->has_reminded_at = h->reminded_at != 0;
		s->addressee[s->n_addressee++] = h;
	}
}

void row_slip(struct request *r, pb_slip_row *s, const PGresult *res, int i)
{
	*s = (pb_slip_row)PB_SLIP_ROW_INIT;
	s->slip = row_id(r, res, i, SLIP_ID);
	s->student = row_pupil(r, res, i, SLIP_PUPIL);
	s->code = row_texts(r, res, i, SLIP_CODES, &s->n_code);
	s->has_issue_due = !db_is_null(res, i, SLIP_ISSUE_DUE);
	s->issue_due = db_get_int(res, i, SLIP_ISSUE_DUE);
	s->has_resolve_due = !db_is_null(res, i, SLIP_RESOLVE_DUE);
	s->resolve_due = db_get_int(res, i, SLIP_RESOLVE_DUE);
	s->state = row_text(r, res, i, SLIP_STATE);
	s->has_overdue = s->has_escalated = s->has_round = s->has_call_list = 1;
	s->overdue = (protobuf_c_boolean)db_get_int(res, i, SLIP_OVERDUE);
	s->escalated = (protobuf_c_boolean)db_get_int(res, i, SLIP_ESCALATED);
	s->round = (int32_t)db_get_int(res, i, SLIP_ROUND);
	s->no = row_text(r, res, i, SLIP_NO);
	s->severity = row_text(r, res, i, SLIP_SEVERITY);
	s->call_list = (protobuf_c_boolean)db_get_int(res, i, SLIP_CALL_LIST);
	slip_addressees(r, s, res, i);
}

static const ProtobufCMessage *slip_page(struct request *r, const PGresult *res, int from, int to)
{
	pb_slip_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_slip_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_slip_reply)PB_SLIP_REPLY_INIT;
	if (!(out->slip = arena_alloc(&r->arena, sizeof *out->slip * (size_t)(to - from + 1))))
		return NULL;
	for (int i = from; i < to; i++) {
		row_slip(r, &rows[i - from], res, i);
		out->slip[out->n_slip++] = &rows[i - from];
	}
	return &out->base;
}

static void slips_done(struct request *r)
{
	send_list(r, &select_slips, slip_page);
}

void transition_slips(struct request *r)
{
	request_call(r, slips_query, slips_done);
}

/* ---- proofs ---- */

static const struct db_stmt select_proofs = {"SELECT pupil, cert_no, name, student_no, category, place,"
					     " source_school, coalesce(decision, ''), files, filed_by,"
					     " shas"
					     " FROM transition_proofs($1::int)"
					     " ORDER BY coalesce(decision, '') <> '', source_school, name,"
					     " pupil"};
enum {
	PROOF_PUPIL,
	PROOF_CERT_NO,
	PROOF_NAME,
	PROOF_STUDENT_NO,
	PROOF_CATEGORY,
	PROOF_PLACE,
	PROOF_SOURCE_SCHOOL,
	PROOF_DECISION,
	PROOF_FILES,
	PROOF_FILED_BY,
	PROOF_SHAS
};

static void proofs_query(struct request *r)
{
	year_query(r, &select_proofs);
}

static const ProtobufCMessage *proof_page(struct request *r, const PGresult *res, int from, int to)
{
	pb_proof_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_proof_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_proof_reply)PB_PROOF_REPLY_INIT;
	if (!(out->proof = arena_alloc(&r->arena, sizeof *out->proof * (size_t)(to - from + 1))))
		return NULL;
	for (int i = from; i < to; i++) {
		pb_proof_row *p = &rows[i - from];
		*p = (pb_proof_row)PB_PROOF_ROW_INIT;
		p->id = row_id(r, res, i, PROOF_PUPIL);
		p->student = row_pupil(r, res, i, PROOF_PUPIL);
		p->category = row_text(r, res, i, PROOF_CATEGORY);
		p->place = row_text(r, res, i, PROOF_PLACE);
		p->source_school = row_text(r, res, i, PROOF_SOURCE_SCHOOL);
		p->decision = row_text(r, res, i, PROOF_DECISION);
		p->file = row_texts(r, res, i, PROOF_FILES, &p->n_file);
		p->filed_by = row_text(r, res, i, PROOF_FILED_BY);
		p->sha = bytes_of(r, res, i, PROOF_SHAS, &p->n_sha);
		out->proof[out->n_proof++] = p;
	}
	return &out->base;
}

static void proofs_done(struct request *r)
{
	send_list(r, &select_proofs, proof_page);
}

void transition_proofs(struct request *r)
{
	request_call(r, proofs_query, proofs_done);
}

/* ---- decisions on pairs ---- */

static const struct db_stmt select_pairs = {
	"SELECT w.pupil, st.cert_no, st.name, st.student_no, w.row_id, x.kind, coalesce(x.school, ''),"
	" coalesce(x.name, ''), coalesce(x.number, ''), w.same, w.reason, coalesce(u.name, w.by_user),"
	" w.at"
	" FROM transition_pairs($1::int) w"
	" LEFT JOIN baseline b ON b.county = app_county() AND b.year = $1::int AND b.pupil = w.pupil"
	" LEFT JOIN student st ON st.county = b.county AND st.rec_id = b.student"
	" LEFT JOIN user_account u ON u.county = app_county() AND u.user_id = w.by_user"
	" LEFT JOIN LATERAL (SELECT 'enrolment' AS kind, owner_school AS school, name,"
	" coalesce(cert_no, student_no) AS number"
	" FROM enrolment WHERE county = app_county() AND rec_id = w.row_id"
	" UNION ALL SELECT 'destination', owner_school, name, coalesce(cert_no, student_no)"
	" FROM destination WHERE county = app_county() AND rec_id = w.row_id) x"
	" ON true"
	" ORDER BY w.n DESC"};
enum {
	PAIR_PUPIL,
	PAIR_CERT_NO,
	PAIR_PUPIL_NAME,
	PAIR_STUDENT_NO,
	PAIR_ROW,
	PAIR_KIND,
	PAIR_SCHOOL,
	PAIR_NAME,
	PAIR_NUMBER,
	PAIR_SAME,
	PAIR_REASON,
	PAIR_BY,
	PAIR_AT
};

static void pairs_query(struct request *r)
{
	year_query(r, &select_pairs);
}

static const ProtobufCMessage *pair_page(struct request *r, const PGresult *res, int from, int to)
{
	size_t n = (size_t)(to - from) + 1;
	pb_pair_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_pair_row *pairs = arena_alloc(&r->arena, sizeof *pairs * n);
	pb_mismatch_row *rows = arena_alloc(&r->arena, sizeof *rows * n);

	if (!out || !pairs || !rows)
		return NULL;
	*out = (pb_pair_reply)PB_PAIR_REPLY_INIT;
	if (!(out->pair = arena_alloc(&r->arena, sizeof *out->pair * n)))
		return NULL;
	for (int i = from; i < to; i++) {
		pb_pair_row *p = &pairs[i - from];
		pb_mismatch_row *row = &rows[i - from];
		*p = (pb_pair_row)PB_PAIR_ROW_INIT;
		*row = (pb_mismatch_row)PB_MISMATCH_ROW_INIT;
		p->student = row_pupil(r, res, i, PAIR_PUPIL);
		p->row = row;
		row->id = row_id(r, res, i, PAIR_ROW);
		row->kind = row_text(r, res, i, PAIR_KIND);
		row->school = row_text(r, res, i, PAIR_SCHOOL);
		row->name = row_text(r, res, i, PAIR_NAME);
		row->number = row_text(r, res, i, PAIR_NUMBER);
		p->has_same = p->has_at = 1;
		p->same = db_get_int(res, i, PAIR_SAME) != 0;
		p->reason = row_text(r, res, i, PAIR_REASON);
		p->by = row_text(r, res, i, PAIR_BY);
		p->at = db_get_int(res, i, PAIR_AT);
		out->pair[out->n_pair++] = p;
	}
	return &out->base;
}

static void pairs_done(struct request *r)
{
	send_list(r, &select_pairs, pair_page);
}

void transition_pairs(struct request *r)
{
	request_call(r, pairs_query, pairs_done);
}

/* ---- T1 to T2 ---- */

static const struct db_stmt select_diff = {"SELECT destination, cert_no, name, student_no, source_school,"
					   " field, before, after"
					   " FROM transition_diff($1::int)"};
enum {
	DIFF_DESTINATION,
	DIFF_CERT_NO,
	DIFF_NAME,
	DIFF_STUDENT_NO,
	DIFF_SOURCE_SCHOOL,
	DIFF_FIELD,
	DIFF_BEFORE,
	DIFF_AFTER
};

static void diff_query(struct request *r)
{
	year_query(r, &select_diff);
}

static const ProtobufCMessage *diff_page(struct request *r, const PGresult *res, int from, int to)
{
	pb_diff_reply *out = arena_alloc(&r->arena, sizeof *out);
	pb_diff_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_diff_reply)PB_DIFF_REPLY_INIT;
	if (!(out->row = arena_alloc(&r->arena, sizeof *out->row * (size_t)(to - from + 1))))
		return NULL;
	for (int i = from; i < to; i++) {
		pb_diff_row *d = &rows[i - from];
		*d = (pb_diff_row)PB_DIFF_ROW_INIT;
		d->student = row_pupil(r, res, i, DIFF_DESTINATION);
		d->source_school = row_text(r, res, i, DIFF_SOURCE_SCHOOL);
		d->field = row_text(r, res, i, DIFF_FIELD);
		d->before = row_text(r, res, i, DIFF_BEFORE);
		d->after = row_text(r, res, i, DIFF_AFTER);
		out->row[out->n_row++] = d;
	}
	return &out->base;
}

static void diff_done(struct request *r)
{
	send_list(r, &select_diff, diff_page);
}

void transition_diff(struct request *r)
{
	request_call(r, diff_query, diff_done);
}

/* ---- summary ---- */

static const struct db_stmt select_summary = {
	"SELECT code, coalesce(name, ''), baseline, confirmed, provisional, exempt, open, residual"
	" FROM transition_summary($1::int)"
	" WHERE code <> ''"};
enum {
	SUMMARY_CODE,
	SUMMARY_NAME,
	SUMMARY_BASELINE,
	SUMMARY_CONFIRMED,
	SUMMARY_PROVISIONAL,
	SUMMARY_EXEMPT,
	SUMMARY_OPEN,
	SUMMARY_RESIDUAL
};
static const struct db_stmt select_total = {
	"SELECT coalesce(sum(baseline), 0)::int, coalesce(sum(confirmed), 0)::int,"
	" coalesce(sum(provisional), 0)::int, coalesce(sum(exempt), 0)::int, coalesce(sum(open), 0)::int,"
	" coalesce(sum(residual), 0)::int,"
	" (SELECT as_of FROM reconcile_run WHERE county = app_county() AND year = $1::int"
	" ORDER BY run_no DESC LIMIT 1),"
	" (SELECT name FROM county WHERE county = app_county()),"
	" (SELECT rehearsal FROM county WHERE county = app_county())"
	" FROM transition_summary($1::int)"
	" WHERE code <> ''"};
enum {
	TOTAL_BASELINE,
	TOTAL_CONFIRMED,
	TOTAL_PROVISIONAL,
	TOTAL_EXEMPT,
	TOTAL_OPEN,
	TOTAL_RESIDUAL,
	TOTAL_AS_OF,
	TOTAL_COUNTY_NAME,
	TOTAL_REHEARSAL
};

static void summary_query(struct request *r)
{
	year_query(r, &select_summary);
	query_of_year(r, &select_total);
}

static void summary_counts(pb_summary_row *s, const PGresult *res, int i, int column)
{
	s->has_baseline = s->has_confirmed = s->has_provisional = s->has_exempt = s->has_open =
		s->has_residual = 1;
	s->baseline = (uint32_t)db_get_int(res, i, column);
	s->confirmed = (uint32_t)db_get_int(res, i, column + 1);
	s->provisional = (uint32_t)db_get_int(res, i, column + 2);
	s->exempt = (uint32_t)db_get_int(res, i, column + 3);
	s->open = (uint32_t)db_get_int(res, i, column + 4);
	s->residual = (int32_t)db_get_int(res, i, column + 5);
}

static void summary_done(struct request *r)
{
	const PGresult *res = request_result(r, &select_summary), *total = request_result(r, &select_total);
	int n = PQntuples(res);
	pb_summary_reply out = PB_SUMMARY_REPLY_INIT;
	pb_summary_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(n + 1)),
		       all = PB_SUMMARY_ROW_INIT;

	if (!transition_year_stands(
		    r, transition_year_phase(r, YEAR_LOOK), REQUEST(r, pb_year_request)->year, false))
		return;
	out.school = arena_alloc(&r->arena, sizeof *out.school * (size_t)(n + 1));
	for (int i = 0; rows && out.school && i < n; i++) {
		rows[i] = (pb_summary_row)PB_SUMMARY_ROW_INIT;
		rows[i].code = row_text(r, res, i, SUMMARY_CODE);
		rows[i].name = row_text(r, res, i, SUMMARY_NAME);
		summary_counts(&rows[i], res, i, SUMMARY_BASELINE);
		out.school[out.n_school++] = &rows[i];
	}
	summary_counts(&all, total, 0, TOTAL_BASELINE);
	out.total = &all;
	out.has_as_of = out.has_rehearsal = 1;
	out.as_of = (int32_t)db_get_int(total, 0, TOTAL_AS_OF);
	out.county_name = row_text(r, total, 0, TOTAL_COUNTY_NAME);
	out.rehearsal = (protobuf_c_boolean)db_get_int(total, 0, TOTAL_REHEARSAL);
	request_reply(r, &out.base);
}

void transition_summary(struct request *r)
{
	request_call(r, summary_query, summary_done);
}
