/* Who was reminded of what: points in time that follow from a task's row, its changes, and what stood when it
 * opened (common/rules/reminder.h); so a late job, a restart or a second server changes nothing. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "reminder.h"

#define ROWS_PER_PAGE 500

static const struct db_stmt select_tasks = {
	"WITH x AS MATERIALIZED (SELECT t.id, t.document AS doc, coalesce(d.mark, '') AS mark,"
	" coalesce(o.number, d.number, m.number, '') AS number,"
	" coalesce(o.title, d.title, m.subject) AS title, t.step, t.school, t.principal, t.opened, t.due,"
	" t.closed"
	" FROM document_task t LEFT JOIN document d ON d.county = t.county AND d.id = t.document"
	" LEFT JOIN meeting m ON m.county = t.county AND m.id = t.document"
	" LEFT JOIN document_order o ON o.county = t.county AND o.id = t.of_order"
	" WHERE t.county = app_county() AND coalesce(d.id, m.id) IS NOT NULL"
	" AND ($3::text = '' OR t.document = (SELECT matter_find($3::text))))"
	" SELECT x.id, x.doc, x.number, x.title, x.step, x.school, x.principal, x.opened, x.due, x.closed"
	" FROM x WHERE document_may_read(x.doc, x.mark, $1::text)"
	" AND ($2::boolean OR document_is_in(x.doc, $1::text))"
	" ORDER BY x.id"};
enum { C_TASK, C_DOC, C_NUMBER, C_TITLE, C_STEP, C_SCHOOL, C_PRINCIPAL, C_OPENED, C_DUE, C_CLOSED };
static const struct db_stmt select_changes = {
	"SELECT task, at, due_before, coalesce(moved_from, '')"
	" FROM document_task_change WHERE county = app_county() ORDER BY task, at"};
static const struct db_stmt select_manual = {
	"SELECT task, at"
	" FROM document_remind WHERE county = app_county() ORDER BY task, at"};

struct list {
	struct request *r;
	struct document_surroundings *x;
	const PGresult *tasks, *changes, *manual;
	pb_document_reminder **row;
	size_t n, room;
	int change, by_hand; /* the first of the present task */
};

static void add(struct list *l, int i, const char *what, int32_t k, const char *to, int64_t at)
{
	struct request *r = l->r;
	pb_document_reminder *x = arena_alloc(&r->arena, sizeof *x);
	char id[37];
	size_t n;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		pb_document_reminder **more = arena_alloc(&r->arena, sizeof *more * room);
		if (!more)
			return;
		if (l->n)
			memcpy(more, l->row, sizeof *more * l->n);
		l->row = more;
		l->room = room;
	}
	if (!x)
		return;
	*x = (pb_document_reminder)PB_DOCUMENT_REMINDER_INIT;
	id_format(id, db_get_bytes(l->tasks, i, C_DOC, &n));
	x->doc = arena_text(&r->arena, id, 36);
	x->number = (char *)document_text(r, db_get_text(l->tasks, i, C_NUMBER));
	x->title = (char *)document_text(r, db_get_text(l->tasks, i, C_TITLE));
	x->step = (char *)document_text(r, db_get_text(l->tasks, i, C_STEP));
	x->school = (char *)document_text(r, db_get_text(l->tasks, i, C_SCHOOL));
	x->what = (char *)what;
	x->to = (char *)to;
	x->has_k = x->has_at = 1;
	x->k = k;
	x->at = at;
	l->row[l->n++] = x;
}

static int changes_of(const struct list *l, int64_t task)
{
	int n = 0;

	while (l->change + n < PQntuples(l->changes) && db_get_int(l->changes, l->change + n, 0) == task)
		n++;
	return n;
}

/* Whose the task was at a moment. */
static const char *principal_at(const struct list *l, int i, int count, int64_t at)
{
	for (int k = 0; k < count; k++)
		if (db_get_int(l->changes, l->change + k, 1) > at &&
			*db_get_text(l->changes, l->change + k, 3))
			return db_get_text(l->changes, l->change + k, 3);
	return db_get_text(l->tasks, i, C_PRINCIPAL);
}

static const char *with_at(const struct list *l, int i, int count, int64_t at)
{
	const char *unused;

	return document_with(&l->x->world, document_text(l->r, principal_at(l, i, count, at)), at, &unused);
}

/* The points of one task, with the setting of the day it opened. */
static bool add_points(struct list *l, int i, int count)
{
	struct reminder_extension later[16];
	int64_t opened = db_get_int(l->tasks, i, C_OPENED);
	struct reminder_task t = {
		opened, db_get_int(l->tasks, i, C_CLOSED), db_get_int(l->tasks, i, C_DUE), later, 0};
	struct reminder_settings s = {0, atoi(world_setting(l->x, "escalate_after", opened))};
	const struct workday_calendar *calendar = world_calendar(l->r, l->x, opened);
	unsigned hour = 9, minute = 0;
	struct reminder *points;
	size_t n;

	sscanf(world_setting(l->x, "remind_at", opened), "%2u:%2u", &hour, &minute);
	s.minute = (int32_t)(hour * 60 + minute);
	for (int k = 0; k < count && t.extension_count < sizeof later / sizeof *later; k++)
		if (!db_is_null(l->changes, l->change + k, 2))
			later[t.extension_count++] =
				(struct reminder_extension){db_get_int(l->changes, l->change + k, 1),
					db_get_int(l->changes, l->change + k, 2)};
	if (!calendar || reminder_points(&points, &n, &t, l->x->world.now, calendar, &s, &l->r->arena))
		return false;
	for (size_t k = 0; k < n; k++) {
		const struct reminder *p = &points[k];
		const struct document_desk *head = document_desk(&l->x->world, DESK_HEAD, p->at);
		add(l, i, codes_document_reminder.items[p->what].code, p->k,
			p->what != REMINDER_ESCALATE ? with_at(l, i, count, p->at)
				: head               ? head->holder
						     : "",
			p->at);
	}
	return true;
}

static int by_at(const void *a, const void *b)
{
	const pb_document_reminder *x = *(pb_document_reminder *const *)a,
				   *y = *(pb_document_reminder *const *)b;
	int c = x->at < y->at ? -1 : x->at > y->at;

	return c ? c : strcmp(x->doc, y->doc);
}

static bool add_task(struct list *l, int i)
{
	int64_t task = db_get_int(l->tasks, i, C_TASK);

	while (l->change < PQntuples(l->changes) && db_get_int(l->changes, l->change, 0) < task)
		l->change++;
	while (l->by_hand < PQntuples(l->manual) && db_get_int(l->manual, l->by_hand, 0) < task)
		l->by_hand++;
	int count = changes_of(l, task);
	if (!add_points(l, i, count))
		return false;
	for (int k = 0; k < count; k++) {
		int64_t at = db_get_int(l->changes, l->change + k, 1);
		if (*db_get_text(l->changes, l->change + k, 3))
			add(l, i, "moved", 0, with_at(l, i, count, at), at);
	}
	for (int k = l->by_hand; k < PQntuples(l->manual) && db_get_int(l->manual, k, 0) == task; k++) {
		int64_t at = db_get_int(l->manual, k, 1);
		add(l, i, "manual", 0, with_at(l, i, count, at), at);
	}
	return !l->r->arena.refused;
}

static void reminders_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, r->caller.user);
	db_bool(&p, request_has_role(r, ROLE_LEADER) || request_has_role(r, ROLE_OFFICE));
	db_text(&p, text_of(query->doc));
	request_query(r, &select_tasks, &p);
	request_query(r, &select_changes, NULL);
	request_query(r, &select_manual, NULL);
	world_query(r);
}

static void reminders_done(struct request *r)
{
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	struct list l = {.r = r,
		.x = x,
		.tasks = request_result(r, &select_tasks),
		.changes = request_result(r, &select_changes),
		.manual = request_result(r, &select_manual)};

	if (!x || !world_read(r, x))
		return;
	for (int i = 0; i < PQntuples(l.tasks); i++)
		if (!add_task(&l, i)) {
			request_fail(r, r->arena.refused ? r->arena.refused : ERR_NOMEM, NULL, NULL);
			return;
		}
	if (l.n)
		qsort(l.row, l.n, sizeof *l.row, by_at);
	r->rows = (uint32_t)l.n;
	for (size_t from = 0;; from += ROWS_PER_PAGE) {
		pb_document_reminders out = PB_DOCUMENT_REMINDERS_INIT;
		size_t to = from + ROWS_PER_PAGE < l.n ? from + ROWS_PER_PAGE : l.n;
		out.reminder = l.row + from;
		out.n_reminder = to - from;
		if (to == l.n) {
			request_reply(r, &out.base);
			return;
		}
		request_page(r, &out.base);
	}
}

void documents_reminders(struct request *r)
{
	request_call(r, reminders_query, reminders_done);
}

/* ---- Chasing by hand: once a task and day (R21) ---- */

static const struct db_stmt chase = {
	"WITH t AS (SELECT t.id"
	" FROM document_task t"
	" WHERE t.county = app_county() AND t.closed IS NULL"
	" AND (t.document = (SELECT matter_find($1::text)) OR t.of_order = (SELECT order_find($1::text)))"
	" AND t.step = $2::text AND ($3::text = '' OR t.school = $3::text)),"
	" n AS (INSERT INTO document_remind (county, task, day, at, by_user)"
	" SELECT app_county(), t.id, jg_today(), jg_now(), $4::text"
	" FROM t ON CONFLICT DO NOTHING"
	" RETURNING 1) SELECT coalesce((SELECT matter_find($1::text)),"
	" (SELECT order_find($1::text))) IS NOT NULL, (SELECT count(*)::int"
	" FROM t), (SELECT count(*)::int"
	" FROM n), jg_now()"};

static void remind_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, text_of(query->doc));
	db_text(&p, text_of(query->step));
	db_text(&p, text_of(query->school));
	db_text(&p, r->caller.user);
	request_query(r, &chase, &p);
}

static void remind_done(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	const PGresult *t = request_result(r, &chase);
	pb_set_reply out = PB_SET_REPLY_INIT;

	if (!db_get_int(t, 0, 0))
		request_refuse(r, ERR_NOT_FOUND, "doc", NULL, _("jgadmin documents list 列出公文"));
	else if (!db_get_int(t, 0, 1))
		request_refuse(r, ERR_NOT_NOW, "step", _("这一步现在没有待办"),
			arena_printf(&r->arena, "jgadmin documents show %s", query->doc));
	else if (!db_get_int(t, 0, 2))
		request_refuse(r, ERR_RULE, "R21", _("今天已经催办过了"), _("明天再催，或直接打电话"));
	else {
		out.has_changed = out.has_at = 1;
		out.changed = (uint32_t)db_get_int(t, 0, 2);
		out.at = db_get_int(t, 0, 3);
		access_log_add(r->worker, &r->caller, r->method->name, "OK", out.changed, query->doc, r->ref);
		request_reply(r, &out.base);
	}
}

void documents_remind(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	if (!*text_of(query->doc) || !*text_of(query->step))
		request_fail(r, ERR_MISSING, *text_of(query->doc) ? "step" : "doc", NULL);
	else
		request_call(r, remind_query, remind_done);
}
