/* 重点交办: one event of one order, judged by order_machine.h and written with its task, what was done to
 * it and, when it was given to a school, the school's record. The record is locked before the order, as a
 * push locks them. */
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "record_edit.h"
#include "tables.h"

static const struct db_stmt find_order = {"SELECT id, record FROM document_order WHERE county = app_county()"
					  " AND id = (SELECT order_find($1::text))"};
static const struct db_stmt lock_order = {
	"SELECT matter, title, to_who, is_school, adder, state, due, answer, answered_at, number, record"
	" FROM document_order WHERE county = app_county() AND id = $1::uuid FOR UPDATE"};
enum {
	O_MATTER,
	O_TITLE,
	O_TO,
	O_IS_SCHOOL,
	O_ADDER,
	O_STATE,
	O_DUE,
	O_ANSWER,
	O_ANSWERED_AT,
	O_NUMBER,
	O_RECORD
};
/* The paper is locked too: nothing archives it while an order is given or settled. */
static const struct db_stmt lock_paper = {
	"SELECT id, coalesce(number, ''), title, kind, state, urgency"
	" FROM document WHERE county = app_county()"
	" AND id = coalesce((SELECT o.matter FROM document_order o WHERE o.county = app_county()"
	" AND o.id = $1::uuid),"
	" (SELECT document_find($2::text)))"
	" AND document_may_read(id, mark, $3::text) FOR UPDATE"};
enum { P_ID, P_NUMBER, P_TITLE, P_KIND, P_STATE, P_URGENCY };
/* Its decisions are orders on a meeting. */
static const struct db_stmt lock_meeting = {
	"SELECT id, number, subject, state IN ('held', 'minuted')"
	" FROM meeting WHERE county = app_county()"
	" AND id = coalesce((SELECT o.matter FROM document_order o WHERE o.county = app_county()"
	" AND o.id = $1::uuid),"
	" meeting_find($2::text)) FOR UPDATE"};
enum { M_ID, M_NUMBER, M_SUBJECT, M_TAKES };
static const struct db_stmt read_to = {
	"SELECT code, name FROM school WHERE county = app_county() AND NOT deleted AND $1::text"
	" IN (code, name)"};
/* A number that is refused afterwards was never given. */
static const struct db_stmt take_number = {
	"SELECT y, document_number_take('督', y) FROM (SELECT extract(year FROM jg_today())::int) AS x (y)"};

static const struct db_stmt insert_order = {
	"INSERT INTO document_order (county, id, matter, year, n, number, title, to_who, is_school, record,"
	" adder, urgency, state, due, made_at)"
	" VALUES (app_county(), $1::uuid, $2::uuid, $3::int, $4::int, $5::text, $6::text, $7::text,"
	" $8::boolean, $9::uuid, $10::text, $11::text, $12::text, $13::timestamptz, jg_now())"};
static const struct db_stmt update_order = {
	"UPDATE document_order SET to_who = $2::text, is_school = $3::boolean, record = $4::uuid,"
	" state = $5::text, due = $6::timestamptz,"
	" answer = $7::text, answered_at = $8::timestamptz WHERE county = app_county() AND id = $1::uuid"};
static const struct db_stmt end_task = {
	"UPDATE document_task SET closed = jg_now() WHERE county = app_county() AND of_order = $1::uuid"
	" AND closed IS NULL"};
static const struct db_stmt open_task = {
	"INSERT INTO document_task (county, document, step, principal, school, since, opened, due, of_order)"
	" VALUES (app_county(), $2::uuid, $3::text, $4::text, $5::text, jg_now(), jg_now(),"
	" coalesce($6::timestamptz, order_judge_due($1::uuid, $7::text)), $1::uuid)"};
/* The task keeps its time: another has it, or it is due later. */
static const struct db_stmt change_task = {
	"WITH t AS (UPDATE document_task t SET principal = $2::text, school = $3::text, due = $4::timestamptz,"
	" since = CASE WHEN $5::text = '' THEN t.since ELSE jg_now() END"
	" WHERE t.county = app_county() AND t.of_order = $1::uuid AND t.step = 'order' AND t.closed IS NULL"
	" RETURNING t.id)"
	" INSERT INTO document_task_change (county, task, at, due_before, moved_from)"
	" SELECT app_county(), t.id, jg_now(), $6::timestamptz, nullif($5::text, '') FROM t"
	" ON CONFLICT DO NOTHING"};
static const struct db_stmt close_paper = {"SELECT document_close_tasks_of(ARRAY[$1::uuid])"};

struct ordering {
	struct order o;
	struct order_ask ask;
	struct order_done done;
	struct document_surroundings around;
	struct record_edits edits;
	struct stored before; /* what a school has of it */
	bool has_record;
	uint8_t id[16], record[16], paper[16];
	const char *number, *to_name, *paper_number, *paper_title, *urgency;
	int32_t year, n;
	struct document_entry entry;
};

static struct document_signing signing_of(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);

	return (struct document_signing){ask->intent, ask->intent_sig, ask->dry_run};
}

static void order_done(struct request *r)
{
	const struct ordering *x = r->data;
	pb_order_reply out = PB_ORDER_REPLY_INIT;
	char id[37];

	id_format(id, x->id);
	out.id = id;
	out.number = (char *)x->number;
	out.state = (char *)order_state_code(x->o.state);
	out.has_at = out.has_due = 1;
	out.at = x->around.world.now;
	out.due = x->o.due;
	out.to_name = (char *)x->to_name;
	access_log_add(r->worker, &r->caller, r->method->name, codes_order_event.items[x->ask.event].code, 1,
		x->number, r->ref);
	request_reply(r, &out.base);
}

/* ---- What the school has of it ---- */

static int64_t warn_at(const struct document_surroundings *x, int64_t due)
{
	const struct workday_calendar *c = x->world.calendar;
	int32_t last = workday_before(c, workday_of(due - 1), 0);

	return workday_begin(workday_before(c, last, document_yellow(x, "order", x->world.now)));
}

static void fill(const struct ordering *x, struct record *c)
{
	record_set_bytes(c, F_ORDER_COPY_ORDER_ID, x->id, 16);
	record_set_text(c, F_ORDER_COPY_NUMBER, x->number);
	record_set_bytes(c, F_ORDER_COPY_DOC, x->paper, 16);
	record_set_text(c, F_ORDER_COPY_DOC_NUMBER, x->paper_number);
	record_set_text(c, F_ORDER_COPY_DOC_TITLE, x->paper_title);
	record_set_text(c, F_ORDER_COPY_TITLE, x->o.title);
	record_set_number(c, F_ORDER_COPY_DUE, x->o.due);
	record_set_number(c, F_ORDER_COPY_WARN_AT, warn_at(&x->around, x->o.due));
	if (x->o.state == ORDER_CLOSED || x->o.state == ORDER_CANCELLED)
		record_set_text(c, F_ORDER_COPY_ENDED, order_state_code(x->o.state));
	if (x->o.state == ORDER_RETURNED && x->ask.event == ORDER_RETURN) {
		record_set_text(c, F_ORDER_COPY_JUDGED, order_state_code(x->o.state));
		record_set_number(c, F_ORDER_COPY_JUDGED_FOR,
			record_number(&x->before.state.record, F_ORDER_COPY_ANSWERED_AT));
		record_set_text(c, F_ORDER_COPY_JUDGE_REASON, x->ask.reason);
	}
}

/* The school that had it loses its record, the one that has it gets or keeps its own. False: no memory. */
static bool edit_record(struct request *r, struct ordering *x)
{
	const struct kind *kind = kind_by_number(KIND_ORDER_COPY);
	bool moved = x->done.moved_from != NULL, stays = x->has_record && !moved;

	if (!x->has_record && !x->o.is_school)
		return true;
	if (!record_edits_begin(&x->edits, r, 2))
		return false;
	if (x->has_record && moved)
		record_edit_delete(&x->edits, &x->before);
	x->has_record = x->o.is_school;
	if (!x->o.is_school)
		return true;
	struct stored *to = record_edit(&x->edits, kind, stays ? &x->before : NULL);
	snprintf(to->owner, sizeof to->owner, "%s", x->o.to);
	fill(x, &to->state.record);
	memcpy(x->record, to->id, 16);
	record_edit_end(&x->edits);
	return true;
}

/* ---- Writing ---- */

static void record_or_null(const struct ordering *x, struct db_params *p)
{
	if (x->has_record)
		db_bytes(p, x->record, 16);
	else
		db_text(p, NULL);
}

static void time_or_null(struct db_params *p, int64_t at)
{
	if (at)
		db_time(p, at);
	else
		db_text(p, NULL);
}

static void write_order(struct request *r, const struct ordering *x)
{
	const struct order *o = &x->o;
	struct db_params p = {0};

	db_bytes(&p, x->id, 16);
	if (x->ask.event == ORDER_ADD) {
		db_bytes(&p, x->paper, 16);
		db_int4(&p, x->year);
		db_int4(&p, x->n);
		db_text(&p, x->number);
		db_text(&p, o->title);
	}
	db_text(&p, o->to);
	db_bool(&p, o->is_school);
	record_or_null(x, &p);
	if (x->ask.event == ORDER_ADD) {
		db_text(&p, o->adder);
		db_text(&p, x->urgency);
	}
	db_text(&p, order_state_code(o->state));
	db_time(&p, o->due);
	if (x->ask.event == ORDER_ADD) {
		request_query(r, &insert_order, &p);
		return;
	}
	db_text(&p, o->answer);
	time_or_null(&p, o->answered_at);
	request_query(r, &update_order, &p);
}

static void write_task(struct request *r, const struct ordering *x)
{
	const struct order *o = &x->o;
	const char *school = o->is_school ? o->to : "";
	struct db_params of = {0}, p = {0};

	db_bytes(&of, x->id, 16);
	if (x->done.task_ends)
		request_query(r, &end_task, &of);
	db_bytes(&p, x->id, 16);
	if (x->done.opens_order || x->done.opens_judge) {
		db_bytes(&p, x->paper, 16);
		db_text(&p, x->done.opens_order ? "order" : "judge");
		db_text(&p, x->done.opens_order ? o->to : o->adder);
		db_text(&p, school);
		time_or_null(&p, x->done.opens_order ? o->due : 0);
		db_text(&p, x->urgency);
		request_query(r, &open_task, &p);
	} else if (x->done.moved_from || x->done.extended_from) {
		db_text(&p, o->to);
		db_text(&p, school);
		db_time(&p, o->due);
		db_text(&p, text_of(x->done.moved_from));
		time_or_null(&p, x->done.extended_from);
		request_query(r, &change_task, &p);
	}
}

/* The order as it will stand: whoever settles it signs for the answer that he saw. */
static void digest_of(struct request *r, const struct ordering *x, uint8_t out[TRACE_HASH])
{
	uint8_t hash[HASH_SIZE];
	char answer[2 * HASH_SIZE + 1], of[37];

	crypto_hash_sha256(hash, (const uint8_t *)x->o.answer, strlen(x->o.answer));
	sodium_bin2hex(answer, sizeof answer, hash, sizeof hash);
	id_format(of, x->paper);
	const char *lines =
		text_of(arena_printf(&r->arena, "jg order\nof=%s\ntitle=%s\nto=%s\ndue=%d\nanswer=%s\n", of,
			x->o.title, x->o.to, workday_of(x->o.due - 1), answer));
	crypto_hash_sha256(out, (const uint8_t *)lines, strlen(lines));
}

/* False: answered, with what is to be signed or why not. */
static bool take_entry(struct request *r, struct ordering *x)
{
	const struct document_signing signing = signing_of(r);
	pb_order_reply out = PB_ORDER_REPLY_INIT;

	if (!document_entry_begin(r, &x->entry, &REQUEST(r, pb_order_ask)->base,
		    codes_order_event.items[x->ask.event].code, x->around.world.now))
		return false;
	memcpy(x->entry.of, x->id, sizeof x->id);
	x->entry.for_whom = x->done.for_whom;
	digest_of(r, x, x->entry.digest);
	if (!signing.dry_run)
		return document_intent_take(r, &x->entry, &signing, "jgadmin documents orders list");
	const char *lines = document_intent(r, &x->entry, x->entry.at);
	out.has_intent = 1;
	out.intent = (ProtobufCBinaryData){strlen(text_of(lines)), (uint8_t *)(uintptr_t)lines};
	if (lines)
		request_reply(r, &out.base);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
	return false;
}

static void order_write(struct request *r)
{
	struct ordering *x = r->data;
	struct db_params paper = {0};

	if (!take_entry(r, x))
		return;
	if (!edit_record(r, x)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	write_order(r, x);
	write_task(r, x);
	if (matter_trace_write(r, SIGNED_ORDER, &x->entry, order_state_code(x->o.state))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	db_bytes(&paper, x->paper, 16);
	request_query(r, &close_paper, &paper);
	if (x->edits.part.count) {
		record_edits_commit(&x->edits, r, order_done);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, order_done);
}

/* ---- Reading and judging ---- */

static void refuse(struct request *r, const struct problem *p)
{
	access_log_add(
		r->worker, &r->caller, r->method->name, err_info((int)p->code)->name, 0, "refused", r->ref);
	request_fail_problem(r, p);
}

static void read_order(struct request *r, struct ordering *x)
{
	const PGresult *t = request_result(r, &lock_order);

	if (x->ask.event == ORDER_ADD) {
		const PGresult *n = request_result(r, &take_number);
		x->year = (int32_t)db_get_int(n, 0, 0);
		x->n = (int32_t)db_get_int(n, 0, 1);
		x->number = text_of(arena_printf(&r->arena, "督〔%d〕%d号", x->year, x->n));
		x->o = (struct order){.title = "", .to = "", .adder = "", .answer = ""};
		const struct document_signing signing = signing_of(r);
		/* Who signs for a new order signs for its id: the one that he was told. */
		if (signing.dry_run || id_parse(x->id, document_intent_line(r, &signing, "\ndoc=")))
			id_make(x->id, x->around.world.now);
		return;
	}
	x->o = (struct order){.state = (enum order_state)(ORDER_OPEN +
				      document_code_index(&codes_order_state, db_get_text(t, 0, O_STATE))),
		.title = document_text(r, db_get_text(t, 0, O_TITLE)),
		.to = document_text(r, db_get_text(t, 0, O_TO)),
		.adder = document_text(r, db_get_text(t, 0, O_ADDER)),
		.is_school = db_get_int(t, 0, O_IS_SCHOOL) != 0,
		.due = db_get_int(t, 0, O_DUE),
		.answer = document_text(r, db_get_text(t, 0, O_ANSWER)),
		.answered_at = db_get_int(t, 0, O_ANSWERED_AT)};
	x->number = document_text(r, db_get_text(t, 0, O_NUMBER));
}

/* Between the look and the lock it may have gone to another school: then it is asked again. */
static bool read_record(struct request *r, struct ordering *x)
{
	const PGresult *t = request_result(r, &lock_order), *rows;
	size_t n;

	if (x->ask.event == ORDER_ADD)
		return true;
	if (db_is_null(t, 0, O_RECORD) == x->has_record ||
		(x->has_record && memcmp(db_get_bytes(t, 0, O_RECORD, &n), x->record, 16) != 0))
		return false;
	if (!x->has_record)
		return true;
	rows = record_db_locked_rows(&r->task, kind_by_number(KIND_ORDER_COPY));
	if (PQntuples(rows))
		record_db_read(rows, 0, kind_by_number(KIND_ORDER_COPY), &x->before);
	return PQntuples(rows) != 0;
}

static void read_paper(struct request *r, struct ordering *x, const PGresult *t)
{
	enum document_state state = document_state_of(db_get_text(t, 0, P_KIND), db_get_text(t, 0, P_STATE));
	size_t n;

	memcpy(x->paper, db_get_bytes(t, 0, P_ID, &n), 16);
	x->paper_number = document_text(r, db_get_text(t, 0, P_NUMBER));
	x->paper_title = document_text(r, db_get_text(t, 0, P_TITLE));
	x->urgency = document_text(r, db_get_text(t, 0, P_URGENCY));
	x->ask.paper = *x->paper_number ? x->paper_number : x->paper_title;
	x->ask.paper_takes = order_paper_takes(state);
}

static void read_meeting(struct request *r, struct ordering *x, const PGresult *t)
{
	size_t n;

	memcpy(x->paper, db_get_bytes(t, 0, M_ID, &n), 16);
	x->paper_number = x->ask.paper = document_text(r, db_get_text(t, 0, M_NUMBER));
	x->paper_title = document_text(r, db_get_text(t, 0, M_SUBJECT));
	x->urgency = codes_urgency.items[URGENCY_PLAIN].code;
	x->ask.paper_takes = db_get_int(t, 0, M_TAKES) != 0;
}

static void name_to(struct request *r, struct ordering *x)
{
	const PGresult *s = request_result(r, &read_to);

	x->ask.to_school = PQntuples(s) == 1;
	if (x->ask.to_school) {
		x->ask.to = document_text(r, db_get_text(s, 0, 0));
		x->to_name = document_text(r, db_get_text(s, 0, 1));
		return;
	}
	x->to_name = document_name_of(&x->around.world, *x->ask.to ? x->ask.to : x->o.to);
}

/* It was done when it came the first time. */
static bool reply_again(struct request *r)
{
	const PGresult *t = matter_trace_repeat(r, SIGNED_ORDER);
	pb_order_reply out = PB_ORDER_REPLY_INIT;
	char id[37];
	size_t n;

	if (!PQntuples(t))
		return false;
	id_format(id, db_get_bytes(t, 0, REPEATED_ID, &n));
	out.id = id;
	out.number = (char *)document_text(r, db_get_text(t, 0, REPEATED_NUMBER));
	out.state = (char *)document_text(r, db_get_text(t, 0, REPEATED_STATE));
	out.to_name = (char *)document_text(r, db_get_text(t, 0, REPEATED_TO));
	out.has_at = out.has_due = 1;
	out.at = db_get_int(t, 0, REPEATED_AT);
	out.due = db_get_int(t, 0, REPEATED_DUE);
	request_reply(r, &out.base);
	return true;
}

static void order_judge(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);
	const PGresult *paper = request_result(r, &lock_paper), *meeting = request_result(r, &lock_meeting);
	struct ordering *x = r->data;
	struct problem p;

	if (!world_read(r, &x->around) || reply_again(r))
		return;
	if (!PQntuples(paper) && !PQntuples(meeting)) {
		problem_set(&p, ERR_NOT_FOUND, "doc", _("jgadmin documents list 列出公文"),
			_("没有“%s”这份公文"), text_of(ask->doc));
		refuse(r, &p);
		return;
	}
	read_order(r, x);
	if (!read_record(r, x)) {
		request_fail(r, ERR_BUSY, NULL, NULL);
		return;
	}
	if (PQntuples(paper))
		read_paper(r, x, paper);
	else
		read_meeting(r, x, meeting);
	name_to(r, x);
	if (order_step(&x->around.world, &x->o, &x->ask, &x->done, &r->arena, &p))
		refuse(r, &p);
	else if (r->arena.refused)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		order_write(r);
}

static void order_lock(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);
	struct ordering *x = r->data;
	struct db_params of = {0}, paper = {0}, meeting = {0}, to = {0};
	struct pg_array ids = {0};

	if (x->has_record) {
		pg_array_begin(&ids, PG_UUID);
		pg_array_bytes(&ids, x->record, 16);
		record_db_lock(&r->task, kind_by_number(KIND_ORDER_COPY), &ids);
		pg_array_free(&ids);
	}
	db_bytes(&of, x->id, 16);
	request_query(r, &lock_order, &of);
	db_bytes(&meeting, x->id, 16);
	db_text(&meeting, text_of(ask->doc));
	db_bytes(&paper, x->id, 16);
	db_text(&paper, text_of(ask->doc));
	db_text(&paper, r->caller.user);
	request_query(r, &lock_paper, &paper);
	request_query(r, &lock_meeting, &meeting);
	db_text(&to, x->ask.to);
	request_query(r, &read_to, &to);
	if (x->ask.event == ORDER_ADD)
		request_query(r, &take_number, NULL);
	const struct document_signing signing = signing_of(r);
	matter_trace_query(r, SIGNED_ORDER,
		x->ask.event == ORDER_ADD ? document_intent_line(r, &signing, "\ndoc=") : ask->id, &signing);
	world_query(r);
	request_trip(r, order_judge);
}

static void order_found(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);
	const PGresult *t = request_result(r, &find_order);
	struct ordering *x = r->data;
	size_t n;

	if (!PQntuples(t)) {
		request_fail_hint(r, ERR_NOT_FOUND, "id",
			arena_printf(&r->arena, _("没有“%s”这件重点交办"), text_of(ask->id)),
			_("jgadmin documents orders list 列出重点交办"));
		return;
	}
	memcpy(x->id, db_get_bytes(t, 0, 0, &n), 16);
	x->has_record = !db_is_null(t, 0, 1);
	if (x->has_record)
		memcpy(x->record, db_get_bytes(t, 0, 1, &n), 16);
	order_lock(r);
}

static void order_query(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);
	const struct ordering *x = r->data;
	struct db_params p = {0};

	request_scope(r, SCOPE_JOB, "");
	if (x->ask.event == ORDER_ADD) {
		order_lock(r);
		return;
	}
	db_text(&p, ask->id);
	request_query(r, &find_order, &p);
	request_trip(r, order_found);
}

void documents_order(struct request *r)
{
	const pb_order_ask *ask = REQUEST(r, pb_order_ask);
	struct ordering *x = arena_alloc(&r->arena, sizeof *x);
	struct problem p;

	if (!x || !*text_of(ask->event)) {
		request_fail(r, x ? ERR_MISSING : ERR_NOMEM, x ? "event" : NULL, NULL);
		return;
	}
	r->data = x;
	x->ask = (struct order_ask){
		.event = (enum order_event)document_code_index(&codes_order_event, ask->event),
		.user = r->caller.user,
		.roles = r->caller.roles,
		.title = text_of(ask->title),
		.to = text_of(ask->to),
		.text = text_of(ask->text),
		.reason = text_of(ask->reason),
		.due = ask->due};
	bool add = x->ask.event == ORDER_ADD;
	if (matter_given(&order_machine, x->ask.event,
		    order_given(&x->ask) | (*text_of(ask->doc) ? MATTER_NEEDS_DOC : 0), &p))
		request_fail_problem(r, &p);
	else if (!add && !*text_of(ask->id))
		request_fail(r, ERR_MISSING, "id", NULL);
	else if (!matter_role_fits(&order_machine, x->ask.event, x->ask.roles))
		request_refuse(r, ERR_PERMISSION, "event", NULL, NULL);
	else
		request_begin(r, order_query);
}
