/* Schools' copies of what was issued. The event says whom a paper goes to, in one statement whatever their
 * number (document_send); the job makes the records so, some hundred at a time, so that no transaction
 * touches more streams than it may. What a school says of it arrives by push, and its own task ends there
 * (document_delivery_applied). */
#include <string.h>

#include "access_log.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "record_edit.h"
#include "schedule.h"
#include "tables.h"

#define PORTION 200 /* schools a run: under EFFECT_STREAMS_MAX */
#define ROWS_PER_PAGE 500

/* ---- The job ---- */

static const struct db_stmt select_addresses = {
	"SELECT a.document, a.school, a.version, a.ended, a.receipt_due, a.feedback_due, coalesce(d.number,"
	" ''), d.title, d.genre, d.urgency,"
	" d.signed_on, d.pressed_on, v.file, v.questions, encode(v.digest, 'hex'), r.rec_id,"
	" coalesce((SELECT jsonb_agg(jsonb_build_object('name', f.name, 'sha', encode(f.sha, 'hex'), 'size',"
	" f.size) ORDER BY f.n)::text"
	" FROM document_file f WHERE f.county = a.county AND f.document = a.document"
	" AND f.version = a.version), '')"
	" FROM document_address a"
	" JOIN document d ON d.county = a.county AND d.id = a.document"
	" JOIN document_version v ON v.county = a.county AND v.document = a.document AND v.version = a.version"
	" LEFT JOIN document_delivery r ON r.county = a.county AND r.document = a.document"
	" AND r.owner_school = a.school AND NOT r.deleted"
	" WHERE a.county = app_county() AND NOT a.done ORDER BY a.document, a.school LIMIT 200"
	" FOR UPDATE OF a SKIP LOCKED"};
enum {
	A_DOCUMENT,
	A_SCHOOL,
	A_VERSION,
	A_ENDED,
	A_RECEIPT_DUE,
	A_FEEDBACK_DUE,
	A_NUMBER,
	A_TITLE,
	A_GENRE,
	A_URGENCY,
	A_SIGNED_ON,
	A_PRESSED_ON,
	A_FILE,
	A_QUESTIONS,
	A_DIGEST,
	A_RECORD,
	A_FILES
};
static const struct db_stmt mark_done = {
	"UPDATE document_address a SET done = true FROM unnest($1::uuid[], $2::text[]) AS u (document, school)"
	" WHERE a.county = app_county() AND a.document = u.document AND a.school = u.school"};
static const struct db_stmt close_tasks = {"SELECT document_close_tasks()"};

struct addressed {
	uint8_t document[16], record[16];
	bool has_record;
	const char *school, *ended, *number, *title, *genre, *urgency, *file, *questions, *digest, *files;
	int32_t version, signed_on, pressed_on;
	int64_t receipt_due, feedback_due;
};
struct delivery {
	struct record_edits edits;
	struct addressed *list;
	size_t n;
};

static void deliver_run(struct request *r);

/* Where there were more than one run takes, the next follows at once: a school waits for its paper, not
 * for a clock. */
static void deliver_done(struct request *r)
{
	const struct delivery *x = r->data;
	pb_empty nothing = PB_EMPTY_INIT;

	if (x && x->n == PORTION)
		schedule_now(r->worker, deliver_run);
	request_reply(r, &nothing.base);
}

static void fill(struct record *d, const struct addressed *a)
{
	record_set_bytes(d, F_DELIVERY_DOCUMENT, a->document, 16);
	record_set_text(d, F_DELIVERY_NUMBER, a->number);
	record_set_text(d, F_DELIVERY_TITLE, a->title);
	record_set_text(d, F_DELIVERY_GENRE, a->genre);
	record_set_text(d, F_DELIVERY_URGENCY, a->urgency);
	record_set_number(d, F_DELIVERY_VERSION, a->version);
	record_set_text(d, F_DELIVERY_DIGEST, a->digest);
	record_set_text(d, F_DELIVERY_TEXT, a->file);
	record_set_text(d, F_DELIVERY_QUESTIONS, a->questions);
	record_set_text(d, F_DELIVERY_FILES, a->files);
	record_set_number(d, F_DELIVERY_SIGNED_ON, a->signed_on);
	record_set_number(d, F_DELIVERY_PRESSED_ON, a->pressed_on);
	record_set_number(d, F_DELIVERY_RECEIPT_DUE, a->receipt_due);
	if (a->feedback_due)
		record_set_number(d, F_DELIVERY_FEEDBACK_DUE, a->feedback_due);
}

static bool find_stored(const PGresult *rows, const struct addressed *a, struct stored *out)
{
	for (int i = 0; a->has_record && i < PQntuples(rows); i++) {
		record_db_read(rows, i, kind_by_number(KIND_DELIVERY), out);
		if (memcmp(out->id, a->record, 16) == 0)
			return true;
	}
	return false;
}

static void deliver_write(struct request *r)
{
	struct delivery *x = r->data;
	const struct kind *kind = kind_by_number(KIND_DELIVERY);
	const PGresult *rows = record_db_locked_rows(&r->task, kind);
	struct pg_array documents = {0}, schools = {0};
	struct db_params p = {0};
	struct stored before;

	if (!record_edits_begin(&x->edits, r, x->n)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	pg_array_begin(&documents, PG_UUID);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < x->n; i++) {
		const struct addressed *a = &x->list[i];
		struct stored *to =
			record_edit(&x->edits, kind, find_stored(rows, a, &before) ? &before : NULL);
		snprintf(to->owner, sizeof to->owner, "%s", a->school);
		fill(&to->state.record, a);
		if (*a->ended)
			record_set_text(&to->state.record, F_DELIVERY_ENDED, a->ended);
		record_edit_end(&x->edits);
		pg_array_bytes(&documents, a->document, 16);
		pg_array_text(&schools, a->school);
	}
	db_array(&p, &documents);
	db_array(&p, &schools);
	request_query(r, &mark_done, &p);
	pg_array_free(&documents);
	pg_array_free(&schools);
	record_edits_commit(&x->edits, r, deliver_done);
}

static void deliver_lock(struct request *r)
{
	const PGresult *t = request_result(r, &select_addresses);
	struct delivery *x = arena_alloc(&r->arena, sizeof *x);
	struct pg_array ids = {0};
	size_t n = (size_t)PQntuples(t), len;

	if (x)
		x->list = arena_alloc(&r->arena, sizeof *x->list * (n + 1));
	if (!x || !x->list) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	r->data = x;
	pg_array_begin(&ids, PG_UUID);
	for (int i = 0; i < (int)n; i++) {
		struct addressed *a = &x->list[x->n++];
		*a = (struct addressed){.school = document_text(r, db_get_text(t, i, A_SCHOOL)),
			.ended = document_text(r, db_get_text(t, i, A_ENDED)),
			.number = document_text(r, db_get_text(t, i, A_NUMBER)),
			.title = document_text(r, db_get_text(t, i, A_TITLE)),
			.genre = document_text(r, db_get_text(t, i, A_GENRE)),
			.urgency = document_text(r, db_get_text(t, i, A_URGENCY)),
			.file = document_text(r, db_get_text(t, i, A_FILE)),
			.questions = document_text(r, db_get_text(t, i, A_QUESTIONS)),
			.digest = document_text(r, db_get_text(t, i, A_DIGEST)),
			.files = document_text(r, db_get_text(t, i, A_FILES)),
			.version = (int32_t)db_get_int(t, i, A_VERSION),
			.signed_on = (int32_t)db_get_int(t, i, A_SIGNED_ON),
			.pressed_on = (int32_t)db_get_int(t, i, A_PRESSED_ON),
			.receipt_due = db_get_int(t, i, A_RECEIPT_DUE),
			.feedback_due = db_get_int(t, i, A_FEEDBACK_DUE),
			.has_record = !db_is_null(t, i, A_RECORD)};
		memcpy(a->document, db_get_bytes(t, i, A_DOCUMENT, &len), 16);
		if (a->has_record) {
			memcpy(a->record, db_get_bytes(t, i, A_RECORD, &len), 16);
			pg_array_bytes(&ids, a->record, 16);
		}
	}
	if (x->n) {
		record_db_lock(&r->task, kind_by_number(KIND_DELIVERY), &ids);
		request_trip(r, deliver_write);
	} else {
		db_task_commit(&r->task);
		request_trip(r, deliver_done);
	}
	pg_array_free(&ids);
}

static void deliver_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &select_addresses, NULL);
	request_trip(r, deliver_lock);
}

static void deliver_run(struct request *r)
{
	request_begin(r, deliver_query);
}

/* ---- Papers of which no school owes anything any more are the issuing desk's to close ---- */

void documents_deliver_now(struct worker *w)
{
	schedule_now(w, deliver_run);
}

static void close_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &close_tasks, NULL);
	db_task_commit(&r->task);
	request_trip(r, deliver_done);
}

static void close_run(struct request *r)
{
	request_begin(r, close_query);
}

const struct service_job documents_jobs[] = {{"deliver", 1, deliver_run}, {"close", 10, close_run},
	{"invite", 1, meetings_invite}, {"tails", 3600, documents_tell_tails}, {0}};

/* ---- deliveries ---- */

static const struct db_stmt select_deliveries = {
	"SELECT school, name, state, version, read_at, signed_at, coalesce(signed_by, ''), answered_at,"
	" coalesce(answer, ''),"
	" kept_at, coalesce(slot, ''), destroyed_at, coalesce(witness, '')"
	" FROM document_deliveries((SELECT document_find($1::text)))"};
static const struct db_stmt select_paper = {
	"SELECT coalesce(number, '') FROM document WHERE county = app_county()"
	" AND id = (SELECT document_find($1::text)) AND document_may_read(id, mark, $2::text)"};

static void deliveries_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0}, paper = {0};

	db_text(&p, text_of(query->doc));
	request_query(r, &select_deliveries, &p);
	db_text(&paper, text_of(query->doc));
	db_text(&paper, r->caller.user);
	request_query(r, &select_paper, &paper);
}

static bool fill_page(struct request *r, pb_delivery_list *out, const PGresult *t, int from, int to)
{
	pb_delivery_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)(to - from + 1));

	*out = (pb_delivery_list)PB_DELIVERY_LIST_INIT;
	out->delivery = arena_alloc(&r->arena, sizeof *out->delivery * (size_t)(to - from + 1));
	for (int i = from; rows && out->delivery && i < to; i++) {
		pb_delivery_row *x = out->delivery[out->n_delivery++] = &rows[i - from];
		*x = (pb_delivery_row)PB_DELIVERY_ROW_INIT;
		x->school = (char *)document_text(r, db_get_text(t, i, 0));
		x->school_name = (char *)document_text(r, db_get_text(t, i, 1));
		x->state = (char *)document_text(r, db_get_text(t, i, 2));
		x->has_version = x->has_read_at = x->has_signed_at = x->has_answered_at = 1;
		x->version = (int32_t)db_get_int(t, i, 3);
		x->read_at = db_get_int(t, i, 4);
		x->signed_at = db_get_int(t, i, 5);
		x->signed_by = (char *)document_text(r, db_get_text(t, i, 6));
		x->answered_at = db_get_int(t, i, 7);
		x->answer = (char *)document_text(r, db_get_text(t, i, 8));
		x->has_kept_at = x->has_destroyed_at = 1;
		x->kept_at = db_get_int(t, i, 9);
		x->slot = (char *)document_text(r, db_get_text(t, i, 10));
		x->destroyed_at = db_get_int(t, i, 11);
		x->witness = (char *)document_text(r, db_get_text(t, i, 12));
	}
	return rows && out->delivery;
}

static void deliveries_done(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	const PGresult *t = request_result(r, &select_deliveries), *paper = request_result(r, &select_paper);
	int n = PQntuples(t);
	pb_delivery_list out;

	if (!PQntuples(paper)) {
		request_fail_hint(r, ERR_NOT_FOUND, "doc",
			arena_printf(&r->arena, _("没有“%s”这份公文"), text_of(query->doc)),
			_("jgadmin documents list 列出公文"));
		return;
	}
	r->rows = (uint32_t)n;
	for (int from = 0;; from += ROWS_PER_PAGE) {
		int to = from + ROWS_PER_PAGE < n ? from + ROWS_PER_PAGE : n;
		if (!fill_page(r, &out, t, from, to)) {
			request_fail(r, ERR_NOMEM, NULL, NULL);
			return;
		}
		out.number = (char *)db_get_text(paper, 0, 0);
		if (to == n) {
			request_reply(r, &out.base);
			return;
		}
		request_page(r, &out.base);
	}
}

void documents_deliveries(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	if (*text_of(query->doc))
		request_call(r, deliveries_query, deliveries_done);
	else
		request_fail(r, ERR_MISSING, "doc", NULL);
}

/* ---- feedback accept, return: by the drafter or the issuing desk ---- */

static const struct db_stmt find_answer = {
	"SELECT x.rec_id, delivery_state(x), x.answered_at, d.drafter = $3::text OR EXISTS (SELECT"
	" FROM (SELECT k.holder, k.deputy FROM document_desk k"
	" WHERE k.county = app_county() AND k.name = 'issue' ORDER BY k.set_at DESC LIMIT 1) k WHERE $3::text"
	" IN (k.holder, k.deputy))"
	" OR document_with(d.drafter) = $3::text OR document_with('@issue') = $3::text"
	" FROM document d LEFT JOIN document_delivery x ON x.county = d.county AND x.document = d.id"
	" AND x.owner_school = $2::text AND NOT x.deleted"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($1::text))"};
static const struct db_stmt judge_tasks = {
	"WITH c AS (UPDATE document_task t SET closed = jg_now() WHERE t.county = app_county()"
	" AND t.document = (SELECT document_find($1::text)) AND t.school = $2::text"
	" AND t.step = 'judge' AND t.of_order IS NULL AND t.closed IS NULL RETURNING 1),"
	" o AS (INSERT INTO document_task (county, document, step, principal, school, since, opened, due)"
	" SELECT app_county(), (SELECT document_find($1::text)), 'feedback', $2::text, $2::text, jg_now(),"
	" jg_now(), greatest(workday_due(jg_now(), document_setting_now('back', '1')::int),"
	" (SELECT max(t.due) FROM document_task t WHERE t.county = app_county()"
	" AND t.document = (SELECT document_find($1::text)) AND t.school = $2::text AND t.step = 'feedback'))"
	" WHERE NOT $3::boolean RETURNING 1)"
	" SELECT jg_now(), (SELECT count(*) FROM c) + (SELECT count(*) FROM o)"};

struct decision {
	struct record_edits edits;
	uint8_t record[16];
	int64_t answered_at;
};

static void decide_done(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	pb_set_reply out = PB_SET_REPLY_INIT;

	out.has_at = out.has_changed = 1;
	out.changed = 1;
	access_log_add(r->worker, &r->caller, r->method->name, decision->accept ? "OK" : "RETURNED", 1,
		decision->doc, r->ref);
	request_reply(r, &out.base);
}

static void nothing_to_judge(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	request_refuse(r, ERR_NOT_NOW, "school", _("这所学校现在没有待看的反馈"),
		arena_printf(&r->arena, "jgadmin documents deliveries %s", decision->doc));
}

static void decide_write(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	struct decision *x = r->data;
	const struct kind *kind = kind_by_number(KIND_DELIVERY);
	const PGresult *rows = record_db_locked_rows(&r->task, kind);
	struct db_params p = {0};
	struct stored before;

	if (!PQntuples(rows) || !record_edits_begin(&x->edits, r, 1)) {
		request_fail(r, PQntuples(rows) ? ERR_NOMEM : ERR_NOT_FOUND, "school", NULL);
		return;
	}
	record_db_read(rows, 0, kind, &before);
	/* Between the look and the lock a colleague may have judged it, or the school answered anew. */
	const struct record *now = &before.state.record;
	if (record_number(now, F_DELIVERY_ANSWERED_AT) != x->answered_at ||
		record_number(now, F_DELIVERY_JUDGED_FOR) == x->answered_at) {
		nothing_to_judge(r);
		return;
	}
	struct stored *to = record_edit(&x->edits, kind, &before);
	record_set_text(&to->state.record, F_DELIVERY_JUDGED, decision->accept ? "accepted" : "returned");
	record_set_number(&to->state.record, F_DELIVERY_JUDGED_FOR, x->answered_at);
	record_set_text(&to->state.record, F_DELIVERY_JUDGE_REASON, text_of(decision->reason));
	record_edit_end(&x->edits);
	db_text(&p, decision->doc);
	db_text(&p, decision->school);
	db_bool(&p, decision->accept);
	request_query(r, &judge_tasks, &p);
	record_edits_commit(&x->edits, r, decide_done);
}

static void decide_judge(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	const PGresult *t = request_result(r, &find_answer);
	struct decision *x = arena_alloc(&r->arena, sizeof *x);
	struct pg_array ids = {0};
	size_t n;

	if (!x)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else if (!PQntuples(t) || db_is_null(t, 0, 0))
		request_refuse(r, ERR_NOT_FOUND, "school", _("这所学校没有这份公文"),
			arena_printf(&r->arena, "jgadmin documents deliveries %s", decision->doc));
	else if (strcmp(db_get_text(t, 0, 1), "answered") != 0)
		nothing_to_judge(r);
	else if (!db_get_int(t, 0, 3))
		request_refuse(r, ERR_PERMISSION, "doc", _("反馈由起草人或发文岗认定"), NULL);
	else {
		r->data = x;
		x->answered_at = db_get_int(t, 0, 2);
		pg_array_begin(&ids, PG_UUID);
		pg_array_bytes(&ids, db_get_bytes(t, 0, 0, &n), 16);
		record_db_lock(&r->task, kind_by_number(KIND_DELIVERY), &ids);
		pg_array_free(&ids);
		request_trip(r, decide_write);
	}
}

static void decide_query(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	struct db_params p = {0};

	request_scope(r, SCOPE_JOB, "");
	db_text(&p, decision->doc);
	db_text(&p, decision->school);
	db_text(&p, r->caller.user);
	request_query(r, &find_answer, &p);
	request_trip(r, decide_judge);
}

void documents_decide_feedback(struct request *r)
{
	const pb_feedback_decision *decision = REQUEST(r, pb_feedback_decision);
	if (!*text_of(decision->doc) || !*text_of(decision->school))
		request_fail(r, ERR_MISSING, *text_of(decision->doc) ? "school" : "doc", NULL);
	else if (!decision->accept && !*text_of(decision->reason))
		request_fail(r, ERR_MISSING, "reason", NULL);
	else
		request_begin(r, decide_query);
}
