/* A school that is closed: it leaves the register, and what it still owes of papers is its heir's, or
 * nobody's any more. One transaction, so that at every moment whom a paper was addressed to is the sum of
 * the states of its copies. */
#include <string.h>

#include "access_log.h"
#include "documents_calls.h"
#include "lang.h"
#include "record_edit.h"
#include "tables.h"

static const struct db_stmt find_schools = {
	"SELECT (SELECT rec_id FROM school WHERE county = app_county() AND code = $1::text AND NOT deleted),"
	" EXISTS (SELECT FROM school WHERE county = app_county() AND code = $2::text AND NOT deleted)"};
static const struct db_stmt move_papers = {
	"SELECT moved, ended, jg_now() FROM document_school_closed($1::text, $2::text)"};

struct closing {
	struct record_edits edits;
	uint32_t moved, ended;
	int64_t at;
};

static void close_done(struct request *r)
{
	const pb_school_close *ask = REQUEST(r, pb_school_close);
	const struct closing *x = r->data;
	pb_school_closed out = PB_SCHOOL_CLOSED_INIT;

	out.has_moved = out.has_ended = out.has_at = 1;
	out.moved = x->moved;
	out.ended = x->ended;
	out.at = x->at;
	access_log_add(r->worker, &r->caller, r->method->name, "OK", x->moved + x->ended,
		arena_printf(&r->arena, "%s %s: %s", ask->code, text_of(ask->into), ask->reason), r->ref);
	request_reply(r, &out.base);
}

static void close_locked(struct request *r)
{
	const struct kind *kind = kind_by_number(KIND_SCHOOL);
	const PGresult *rows = record_db_locked_rows(&r->task, kind);
	const PGresult *t = request_result(r, &move_papers);
	struct closing *x = r->data;
	struct stored before; /* borrows from the rows: no trip before it is written */

	if (!PQntuples(rows) || !record_edits_begin(&x->edits, r, 1)) {
		request_fail(r, PQntuples(rows) ? ERR_NOMEM : ERR_NOT_FOUND, "school", NULL);
		return;
	}
	record_db_read(rows, 0, kind, &before);
	if (before.state.deleted) {
		request_refuse(r, ERR_NOT_FOUND, "school", _("这所学校刚刚已经撤并"), NULL);
		return;
	}
	x->moved = (uint32_t)db_get_int(t, 0, 0);
	x->ended = (uint32_t)db_get_int(t, 0, 1);
	x->at = db_get_int(t, 0, 2);
	record_edit_delete(&x->edits, &before);
	record_edits_commit(&x->edits, r, close_done);
}

static void close_judge(struct request *r)
{
	const pb_school_close *ask = REQUEST(r, pb_school_close);
	const PGresult *t = request_result(r, &find_schools);
	struct pg_array ids = {0};
	struct db_params p = {0};
	size_t n;

	if (db_is_null(t, 0, 0) || (*text_of(ask->into) && !db_get_int(t, 0, 1))) {
		request_refuse(r, ERR_NOT_FOUND, db_is_null(t, 0, 0) ? "code" : "into",
			arena_printf(
				&r->arena, _("没有学校 %s"), db_is_null(t, 0, 0) ? ask->code : ask->into),
			_("jgadmin schools list 列出学校"));
		return;
	}
	pg_array_begin(&ids, PG_UUID);
	pg_array_bytes(&ids, db_get_bytes(t, 0, 0, &n), 16);
	record_db_lock(&r->task, kind_by_number(KIND_SCHOOL), &ids);
	db_text(&p, ask->code);
	db_text(&p, text_of(ask->into));
	request_query(r, &move_papers, &p);
	request_trip(r, close_locked);
	pg_array_free(&ids);
}

static void close_query(struct request *r)
{
	const pb_school_close *ask = REQUEST(r, pb_school_close);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, ask->code);
	db_text(&p, text_of(ask->into));
	request_query(r, &find_schools, &p);
	request_trip(r, close_judge);
}

void documents_close_school(struct request *r)
{
	const pb_school_close *ask = REQUEST(r, pb_school_close);
	r->data = arena_alloc(&r->arena, sizeof(struct closing));
	if (!*text_of(ask->code) || !*text_of(ask->reason))
		request_fail(r, ERR_MISSING, *text_of(ask->code) ? "reason" : "code", NULL);
	else if (strcmp(text_of(ask->into), ask->code) == 0)
		request_fail_hint(r, ERR_INVALID, "into", _("不能并入自己"), _("--into 写接收校的标识码"));
	else if (!r->data)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		request_begin(r, close_query);
}
