/* What is asked of many papers at once: a year's numbers against what became of them, how long tasks took,
 * a month. Each is counted from the rows as they stand. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "reminder.h"

/* ---- A year's numbers (archive reconcile) ---- */

static const struct db_stmt select_reconciled = {"SELECT registered, archived, still_open, void, refused"
						 " FROM document_reconcile($1::int)"};
enum { R_REGISTERED, R_ARCHIVED, R_OPEN, R_VOID, R_REFUSED };
/* Each with whose turn it is; 全程 is watched beside it. Of a marked paper the title is for who may read it. */
static const struct db_stmt select_open = {
	"SELECT d.id, d.number, CASE WHEN document_may_read(d.id, d.mark, $2::text) THEN d.title ELSE '' END,"
	" d.kind, d.state, coalesce(t.principal, ''), d.series, d.n"
	" FROM document d"
	" LEFT JOIN LATERAL (SELECT DISTINCT coalesce((SELECT h.holder FROM document_desk h"
	" WHERE h.county = k.county AND '@' || h.name = k.principal ORDER BY h.set_at DESC LIMIT 1),"
	" k.principal) AS principal"
	" FROM document_task k WHERE k.county = d.county"
	" AND k.document = d.id AND k.closed IS NULL AND k.step <> 'whole') t ON true"
	" WHERE d.county = app_county() AND d.year = $1::int AND d.number IS NOT NULL"
	" AND d.state NOT IN ('archived', 'void', 'refused')"
	" UNION ALL SELECT m.id, m.number, m.subject, 'meeting', m.state, m.planner, '会', m.n"
	" FROM meeting m WHERE m.county = app_county() AND m.year = $1::int"
	" AND m.state NOT IN ('closed', 'cancelled')"
	" ORDER BY 4, 7, 8, 6"};
enum { O_DOC, O_NUMBER, O_TITLE, O_KIND, O_STATE, O_PRINCIPAL };

struct reconciled {
	const PGresult *counts, *open;
	const struct document_world *world;
};

static bool fill_open(struct request *r, const struct reconciled *x, int i, pb_document_open *row)
{
	const char *principal = document_text(r, db_get_text(x->open, i, O_PRINCIPAL)), *for_whom = NULL,
		   *with = *principal ? document_with(x->world, principal, x->world->now, &for_whom) : "";
	char id[37];
	size_t n;

	*row = (pb_document_open)PB_DOCUMENT_OPEN_INIT;
	id_format(id, db_get_bytes(x->open, i, O_DOC, &n));
	row->doc = arena_text(&r->arena, id, 36);
	row->number = (char *)document_text(r, db_get_text(x->open, i, O_NUMBER));
	row->title = (char *)document_text(r, db_get_text(x->open, i, O_TITLE));
	row->kind = (char *)document_text(r, db_get_text(x->open, i, O_KIND));
	row->state = (char *)document_text(r, db_get_text(x->open, i, O_STATE));
	row->with = (char *)with;
	row->with_name = (char *)document_name_of(x->world, with);
	row->for_ = (char *)(for_whom ? for_whom : "");
	return !r->arena.refused;
}

static const ProtobufCMessage *reconciled_page(struct request *r, void *data, size_t from, size_t to)
{
	const struct reconciled *x = data;
	pb_document_reconciled *out = arena_alloc(&r->arena, sizeof *out);
	pb_document_open *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_document_reconciled)PB_DOCUMENT_RECONCILED_INIT;
	out->has_registered = out->has_archived = out->has_open = out->has_void_ = out->has_refused =
		out->has_residual = 1;
	out->registered = (uint32_t)db_get_int(x->counts, 0, R_REGISTERED);
	out->archived = (uint32_t)db_get_int(x->counts, 0, R_ARCHIVED);
	out->open = (uint32_t)db_get_int(x->counts, 0, R_OPEN);
	out->void_ = (uint32_t)db_get_int(x->counts, 0, R_VOID);
	out->refused = (uint32_t)db_get_int(x->counts, 0, R_REFUSED);
	out->residual = (int32_t)(out->registered - out->archived - out->open - out->void_ - out->refused);
	out->row = arena_alloc(&r->arena, sizeof *out->row * (to - from + 1));
	for (size_t i = from; out->row && i < to; i++) {
		if (!fill_open(r, x, (int)i, &rows[i - from]))
			return NULL;
		out->row[out->n_row++] = &rows[i - from];
	}
	return out->row ? &out->base : NULL;
}

static void reconcile_query(struct request *r)
{
	struct db_params year = {0};

	db_int4(&year, REQUEST(r, pb_document_query)->year);
	request_query(r, &select_reconciled, &year);
	db_text(&year, r->caller.user);
	request_query(r, &select_open, &year);
	world_query(r);
}

static void reconcile_done(struct request *r)
{
	struct document_surroundings *around = arena_alloc(&r->arena, sizeof *around);
	struct reconciled x = {request_result(r, &select_reconciled), request_result(r, &select_open), NULL};

	if (!around || !world_read(r, around))
		return;
	x.world = &around->world;
	document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(x.open), reconciled_page, &x});
}

void documents_reconcile_archive(struct request *r)
{
	if (!REQUEST(r, pb_document_query)->year)
		request_fail(r, ERR_MISSING, "year", NULL);
	else
		request_call(r, reconcile_query, reconcile_done);
}

/* ---- How long tasks took ---- */

static const struct db_stmt select_closed = {
	"SELECT t.step, t.school, t.principal, t.opened, t.due, t.closed"
	" FROM document_task t"
	" WHERE t.county = app_county() AND t.closed >= $1::timestamptz AND t.closed < $2::timestamptz"
	" AND ($3::boolean OR document_is_in(t.document, $4::text))"};
enum { K_STEP, K_SCHOOL, K_PRINCIPAL, K_OPENED, K_DUE, K_CLOSED };

enum turnaround_by { BY_STEP, BY_PERSON, BY_SCHOOL, TURNAROUND_BYS };
static const char *const turnaround_codes[TURNAROUND_BYS] = {"step", "person", "school"};

static int turnaround_by(const char *code)
{
	for (int i = 0; i < TURNAROUND_BYS; i++)
		if (strcmp(turnaround_codes[i], code) == 0)
			return i;
	return -1;
}

struct took {
	const char *key;
	int32_t days;
	bool on_time;
};

static int by_key(const void *a, const void *b)
{
	const struct took *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : (x->days > y->days) - (x->days < y->days);
}

/* A desk's task is that of who held it when the task was closed. "" = it counts nowhere: a task about no
 * school, or one that a school had. */
static const char *key_of(const struct document_surroundings *x, struct request *r, const PGresult *t, int i,
	enum turnaround_by by)
{
	const char *principal = db_get_text(t, i, K_PRINCIPAL), *school = db_get_text(t, i, K_SCHOOL);

	if (by == BY_STEP)
		return document_text(r, db_get_text(t, i, K_STEP));
	if (by == BY_SCHOOL)
		return document_text(r, school);
	if (*school && strcmp(principal, school) == 0)
		return "";
	if (*principal != '@')
		return document_text(r, principal);
	const struct document_desk *desk = document_desk(&x->world, principal, db_get_int(t, i, K_CLOSED));
	return desk ? desk->holder : "";
}

static struct took *read_took(
	struct request *r, struct document_surroundings *x, enum turnaround_by by, size_t *count)
{
	const PGresult *t = request_result(r, &select_closed);
	struct took *list = arena_alloc(&r->arena, sizeof *list * ((size_t)PQntuples(t) + 1));

	*count = 0;
	for (int i = 0; list && i < PQntuples(t); i++) {
		int64_t opened = db_get_int(t, i, K_OPENED), closed = db_get_int(t, i, K_CLOSED);
		const struct workday_calendar *calendar = world_calendar(r, x, opened);
		const char *key = key_of(x, r, t, i, by);
		if (!calendar || r->arena.refused)
			return NULL;
		if (*key)
			list[(*count)++] = (struct took){key, reminder_days(calendar, opened, closed),
				closed <= db_get_int(t, i, K_DUE)};
	}
	if (list && *count)
		qsort(list, *count, sizeof *list, by_key);
	return list;
}

/* Of n tasks of one key, shortest first: the mean rounded to hundredths, the 90th percentile by nearest
 * rank. */
static void fill_turnaround(pb_turnaround_row *row, const struct took *list, size_t n)
{
	uint64_t days = 0;

	*row = (pb_turnaround_row)PB_TURNAROUND_ROW_INIT;
	row->has_n = row->has_on_time = row->has_late = row->has_mean_hundredths = row->has_p90_days = 1;
	row->key = (char *)list->key;
	row->n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		days += (uint64_t)list[i].days;
		row->on_time += list[i].on_time;
	}
	row->late = row->n - row->on_time;
	row->mean_hundredths = (uint32_t)((200 * days + n) / (2 * n));
	row->p90_days = (uint32_t)list[(9 * n + 9) / 10 - 1].days;
}

/* NULL: no memory. */
static pb_turnaround_row **turnaround(
	struct request *r, struct document_surroundings *x, enum turnaround_by by, size_t *count)
{
	size_t n, k;
	struct took *list = read_took(r, x, by, &n);
	pb_turnaround_row *rows = list ? arena_alloc(&r->arena, sizeof *rows * (n + 1)) : NULL,
			  **out = rows ? arena_alloc(&r->arena, sizeof *out * (n + 1)) : NULL;

	*count = 0;
	for (size_t i = 0; out && i < n; i += k) {
		for (k = 1; i + k < n && strcmp(list[i].key, list[i + k].key) == 0; k++)
			;
		pb_turnaround_row *row = out[*count] = &rows[*count];
		fill_turnaround(row, list + i, k);
		row->name = (char *)(by == BY_PERSON ? document_name_of(&x->world, row->key) : "");
		++*count;
	}
	return out;
}

static void closed_query(struct request *r, int64_t from, int64_t to)
{
	struct db_params p = {0};

	db_time(&p, from);
	db_time(&p, to);
	/* Who is neither leader nor of the office sees what he is in. */
	db_bool(&p, request_has_role(r, ROLE_LEADER) || request_has_role(r, ROLE_OFFICE));
	db_text(&p, r->caller.user);
	request_query(r, &select_closed, &p);
	world_query(r);
}

static void turnaround_query(struct request *r)
{
	const pb_turnaround_ask *q = REQUEST(r, pb_turnaround_ask);

	closed_query(r, workday_begin(q->from), workday_end(q->to));
}

static void turnaround_done(struct request *r)
{
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	int by = turnaround_by(text_of(REQUEST(r, pb_turnaround_ask)->by));
	pb_turnaround_list out = PB_TURNAROUND_LIST_INIT;

	if (!x || !world_read(r, x))
		return;
	out.row = turnaround(r, x, (enum turnaround_by)by, &out.n_row);
	if (!out.row) {
		request_fail(r, r->arena.refused ? r->arena.refused : ERR_NOMEM, NULL, NULL);
		return;
	}
	r->rows = (uint32_t)out.n_row;
	request_reply(r, &out.base);
}

void documents_turnaround(struct request *r)
{
	const pb_turnaround_ask *q = REQUEST(r, pb_turnaround_ask);

	if (!q->from || !q->to || !*text_of(q->by))
		request_fail(r, ERR_MISSING, !q->from ? "from" : !q->to ? "to" : "by", NULL);
	else if (turnaround_by(q->by) < 0)
		request_fail_hint(
			r, ERR_INVALID, "by", NULL, _("step（环节）、person（人）或 school（学校）"));
	else if (q->from < WORKDAY_FIRST || q->to > WORKDAY_LAST)
		request_fail(r, ERR_INVALID, q->from < WORKDAY_FIRST ? "from" : "to", NULL);
	else if (q->to < q->from)
		request_fail_hint(r, ERR_INVALID, "to", _("结束日期在开始日期之前"),
			_("--from 写较早的一天，--to 写较晚的一天"));
	else
		request_call(r, turnaround_query, turnaround_done);
}

/* ---- A month ---- */

static const struct db_stmt select_month = {"SELECT received, issued, closed, archived"
					    " FROM document_month($1::timestamptz, $2::timestamptz)"};
enum { M_RECEIVED, M_ISSUED, M_CLOSED, M_ARCHIVED };
/* Open when it ended. Of a marked paper the title is for who may read it. */
static const struct db_stmt select_stuck = {
	"SELECT t.document, coalesce(o.number, d.number, m.number, ''),"
	" CASE WHEN document_may_read(t.document, coalesce(d.mark, ''), $2::text)"
	" THEN coalesce(o.title, d.title, m.subject) ELSE ''"
	" END, coalesce(d.kind, 'meeting'), t.step, t.school, t.principal, t.since, t.opened, t.due"
	" FROM document_task t LEFT JOIN document d ON d.county = t.county AND d.id = t.document"
	" LEFT JOIN meeting m ON m.county = t.county AND m.id = t.document"
	" LEFT JOIN document_order o ON o.county = t.county AND o.id = t.of_order"
	" WHERE t.county = app_county() AND coalesce(d.id, m.id) IS NOT NULL AND t.opened < $1::timestamptz"
	" AND (t.closed IS NULL OR t.closed >= $1::timestamptz)"
	" ORDER BY t.due, d.number, d.id, t.step, t.id"};
enum { S_DOC, S_NUMBER, S_TITLE, S_KIND, S_STEP, S_SCHOOL, S_PRINCIPAL, S_SINCE, S_OPENED, S_DUE };

struct month {
	pb_document_month out; /* what each page has */
	const PGresult *stuck;
	struct document_surroundings *around;
	int64_t until; /* its end, or now */
};

static bool fill_stuck(struct request *r, const struct month *x, int i, pb_document_task *row)
{
	const struct document_world *w = &x->around->world;
	const char *for_whom, *principal = document_text(r, db_get_text(x->stuck, i, S_PRINCIPAL)),
			      *with = document_with(w, principal, x->until, &for_whom);
	char id[37];
	size_t n;

	*row = (pb_document_task)PB_DOCUMENT_TASK_INIT;
	id_format(id, db_get_bytes(x->stuck, i, S_DOC, &n));
	row->doc = arena_text(&r->arena, id, 36);
	row->number = (char *)document_text(r, db_get_text(x->stuck, i, S_NUMBER));
	row->title = (char *)document_text(r, db_get_text(x->stuck, i, S_TITLE));
	row->kind = (char *)document_text(r, db_get_text(x->stuck, i, S_KIND));
	row->step = (char *)document_text(r, db_get_text(x->stuck, i, S_STEP));
	row->school = (char *)document_text(r, db_get_text(x->stuck, i, S_SCHOOL));
	row->with = (char *)with;
	row->with_name = (char *)document_name_of(w, with);
	row->for_ = (char *)(for_whom ? for_whom : "");
	row->has_since = row->has_opened = row->has_due = row->has_days = 1;
	row->since = db_get_int(x->stuck, i, S_SINCE);
	row->opened = db_get_int(x->stuck, i, S_OPENED);
	row->due = db_get_int(x->stuck, i, S_DUE);
	const struct workday_calendar *calendar = world_calendar(r, x->around, row->opened);
	if (!calendar || r->arena.refused)
		return false;
	row->lamp = (char *)codes_lamp
			    .items[reminder_lamp(calendar, row->due, x->until,
				    document_yellow(x->around, row->step, row->opened))]
			    .code;
	row->days = reminder_days(calendar, row->since, x->until);
	return true;
}

static const ProtobufCMessage *month_page(struct request *r, void *data, size_t from, size_t to)
{
	const struct month *x = data;
	pb_document_month *out = arena_alloc(&r->arena, sizeof *out);
	pb_document_task *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = x->out;
	out->task = arena_alloc(&r->arena, sizeof *out->task * (to - from + 1));
	for (size_t i = from; out->task && i < to; i++) {
		if (!fill_stuck(r, x, (int)i, &rows[i - from]))
			return NULL;
		out->task[out->n_task++] = &rows[i - from];
	}
	return out->task ? &out->base : NULL;
}

static int32_t month_first(struct request *r)
{
	return (int32_t)REQUEST(r, pb_document_month_ask)->month * 100 + 1;
}

/* 00:00 of the next month's first day. */
static int64_t month_end(int32_t first)
{
	return workday_begin(first / 100 % 100 == 12 ? first + 8900 : first + 100);
}

static void month_query(struct request *r)
{
	int32_t first = month_first(r);
	struct db_params span = {0}, end = {0};

	db_time(&span, workday_begin(first));
	db_time(&span, month_end(first));
	request_query(r, &select_month, &span);
	db_time(&end, month_end(first));
	db_text(&end, r->caller.user);
	request_query(r, &select_stuck, &end);
	closed_query(r, workday_begin(first), month_end(first));
}

static void month_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_month);
	struct month x = {.out = PB_DOCUMENT_MONTH_INIT,
		.stuck = request_result(r, &select_stuck),
		.around = arena_alloc(&r->arena, sizeof *x.around),
		.until = month_end(month_first(r))};
	pb_document_month *out = &x.out;

	if (!x.around || !world_read(r, x.around))
		return;
	if (x.until > x.around->world.now)
		x.until = x.around->world.now;
	out->has_received = out->has_issued = out->has_closed = out->has_archived = out->has_tasks =
		out->has_on_time = out->has_stuck = out->has_until = 1;
	out->received = (uint32_t)db_get_int(t, 0, M_RECEIVED);
	out->issued = (uint32_t)db_get_int(t, 0, M_ISSUED);
	out->closed = (uint32_t)db_get_int(t, 0, M_CLOSED);
	out->archived = (uint32_t)db_get_int(t, 0, M_ARCHIVED);
	out->stuck = (uint32_t)PQntuples(x.stuck);
	out->until = x.until;
	out->step = turnaround(r, x.around, BY_STEP, &out->n_step);
	if (!out->step) {
		request_fail(r, r->arena.refused ? r->arena.refused : ERR_NOMEM, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < out->n_step; i++) {
		out->tasks += out->step[i]->n;
		out->on_time += out->step[i]->on_time;
	}
	document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(x.stuck), month_page, &x});
}

void documents_month(struct request *r)
{
	int32_t first = month_first(r);

	if (!REQUEST(r, pb_document_month_ask)->month)
		request_fail(r, ERR_MISSING, "month", NULL);
	else if (first < WORKDAY_FIRST + 100 || first > WORKDAY_LAST - 100 || first / 100 % 100 < 1 ||
		first / 100 % 100 > 12)
		request_fail(r, ERR_INVALID, "month", NULL);
	else
		request_call(r, month_query, month_done);
}
