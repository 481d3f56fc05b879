/* What is there, what waits for whom, who was reminded: reads of one trip. What depends on the time is computed
 * from the rows at the moment that asks. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"
#include "normal_form.h"
#include "reminder.h"

#define ROWS_PER_PAGE 500 /* of some 600 bytes: a page well under a frame */

void document_reply_pages(struct request *r, const struct document_pages *x)
{
	r->rows = (uint32_t)x->count;
	for (size_t from = 0;; from += ROWS_PER_PAGE) {
		size_t to = from + ROWS_PER_PAGE < x->count ? from + ROWS_PER_PAGE : x->count;
		const ProtobufCMessage *page = x->page(r, x->data, from, to);
		if (!page) {
			request_fail(r, ERR_NOMEM, NULL, NULL);
			return;
		}
		if (to == x->count) {
			request_reply(r, page);
			return;
		}
		request_page(r, page);
	}
}

int32_t document_yellow(const struct document_surroundings *x, const char *step, int64_t at)
{
	return atoi(world_setting(x, strcmp(step, "order") ? "yellow" : "yellow.order", at));
}

/* ---- list ---- */

/* What is marked is found by those alone who have to do with it. */
#define ROW                                                                                                  \
	"d.id, coalesce(d.number, ''), d.kind, d.genre, d.title, d.state, d.version, "                       \
	"coalesce(d.from_organ, ''), d.urgency"
static const struct db_stmt select_list = {
	"SELECT " ROW
	" FROM document d WHERE d.county = app_county() AND document_may_read(d.id, d.mark, $1::text)"
	" AND ($2::text = '' OR d.kind = $2::text) AND ($3::text = '' OR d.state = $3::text)"
	" AND ($4::text = '' OR EXISTS (SELECT FROM document_task t WHERE t.county = d.county AND t.document "
	"= d.id AND t.closed IS NULL"
	" AND document_with(t.principal) = $4::text))"
	" ORDER BY d.made_at, d.id"};
enum row_column {
	ROW_ID,
	ROW_NUMBER,
	ROW_KIND,
	ROW_GENRE,
	ROW_TITLE,
	ROW_STATE,
	ROW_VERSION,
	ROW_FROM,
	ROW_URGENCY,
	ROW_COLUMNS
};

static bool fill_row(struct request *r, pb_document_row *row, const PGresult *t, int i)
{
	char id[37];
	size_t n;

	*row = (pb_document_row)PB_DOCUMENT_ROW_INIT;
	id_format(id, db_get_bytes(t, i, ROW_ID, &n));
	row->id = arena_text(&r->arena, id, 36);
	row->number = (char *)document_text(r, db_get_text(t, i, ROW_NUMBER));
	row->kind = (char *)document_text(r, db_get_text(t, i, ROW_KIND));
	row->genre = (char *)document_text(r, db_get_text(t, i, ROW_GENRE));
	row->title = (char *)document_text(r, db_get_text(t, i, ROW_TITLE));
	row->state = (char *)document_text(r, db_get_text(t, i, ROW_STATE));
	row->has_version = 1;
	row->version = (int32_t)db_get_int(t, i, ROW_VERSION);
	row->from = (char *)document_text(r, db_get_text(t, i, ROW_FROM));
	row->urgency = (char *)document_text(r, db_get_text(t, i, ROW_URGENCY));
	return !r->arena.refused;
}

static const ProtobufCMessage *list_page(struct request *r, void *data, size_t from, size_t to)
{
	const PGresult *t = data;
	pb_document_list *out = arena_alloc(&r->arena, sizeof *out);
	pb_document_row *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_document_list)PB_DOCUMENT_LIST_INIT;
	out->document = arena_alloc(&r->arena, sizeof *out->document * (to - from + 1));
	for (size_t i = from; out->document && i < to; i++) {
		if (!fill_row(r, &rows[i - from], t, (int)i))
			return NULL;
		out->document[out->n_document++] = &rows[i - from];
	}
	return out->document ? &out->base : NULL;
}

static void list_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, r->caller.user);
	db_text(&p, text_of(query->kind));
	db_text(&p, text_of(query->state));
	db_text(&p, text_of(query->with));
	request_query(r, &select_list, &p);
}

static void list_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_list);

	document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(t), list_page, (void *)t});
}

void documents_list(struct request *r)
{
	request_call(r, list_query, list_done);
}

/* ---- search ---- */

/* Each term in the normal form of title, number, body or a file's words. */
static const struct db_stmt select_found = {
	"WITH f AS MATERIALIZED (SELECT f.id FROM document_found($2::text[]) AS f (id))"
	" SELECT " ROW " FROM f JOIN document d ON d.county = app_county() AND d.id = f.id"
	" WHERE document_may_read(d.id, d.mark, $1::text)"
	" ORDER BY d.made_at, d.id"};

static void search_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_found);

	document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(t), list_page, (void *)t});
}

static void search_query(struct request *r)
{
	struct pg_array array = {0};
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	pg_array_begin(&array, PG_TEXT);
	for (const char *const *term = r->data; *term; term++)
		pg_array_text(&array, *term);
	db_text(&p, r->caller.user);
	db_array(&p, &array);
	request_query(r, &select_found, &p);
	pg_array_free(&array);
	db_task_commit(&r->task);
	request_trip(r, search_done);
}

void documents_search(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	const char **terms;
	size_t n;
	enum err e = normal_terms(&terms, &n, text_of(query->text), &r->arena);

	if (e || !n) {
		request_fail(r, e ? e : ERR_MISSING, "text", NULL);
		return;
	}
	terms[n] = NULL;
	r->data = terms;
	request_begin(r, search_query);
}

/* ---- Tasks: stuck, and of one document ---- */

static const struct db_stmt select_tasks = {
	"WITH x AS MATERIALIZED (SELECT t.id, t.document AS doc, coalesce(d.mark, '') AS mark,"
	" coalesce(o.number, d.number, m.number, '') AS number,"
	" coalesce(o.title, d.title, m.subject) AS title, coalesce(d.kind, 'meeting') AS kind, t.step,"
	" t.school, t.principal, t.since, t.opened, t.due"
	" FROM document_task t LEFT JOIN document d ON d.county = t.county AND d.id = t.document"
	" LEFT JOIN meeting m ON m.county = t.county AND m.id = t.document"
	" LEFT JOIN document_order o ON o.county = t.county AND o.id = t.of_order"
	" WHERE t.county = app_county() AND coalesce(d.id, m.id) IS NOT NULL AND t.closed IS NULL"
	" AND ($2::text = '' OR t.document = (SELECT document_find($2::text))))"
	" SELECT x.id, x.doc, x.number, x.title, x.kind, x.step, x.school, x.principal, x.since, x.opened,"
	" x.due"
	" FROM x WHERE document_may_read(x.doc, x.mark, $1::text)"
	" AND ($3::boolean OR document_is_in(x.doc, $1::text))"};
enum { S_TASK, S_DOC, S_NUMBER, S_TITLE, S_KIND, S_STEP, S_SCHOOL, S_PRINCIPAL, S_SINCE, S_OPENED, S_DUE };

static int by_due(const void *a, const void *b)
{
	const pb_document_task *x = *(pb_document_task *const *)a, *y = *(pb_document_task *const *)b;
	int c = x->due < y->due ? -1 : x->due > y->due;

	if (!c)
		c = strcmp(*x->number ? x->number : x->doc, *y->number ? y->number : y->doc);
	if (!c)
		c = strcmp(x->step, y->step);
	return c ? c : strcmp(x->with, y->with);
}

const char *document_name_of(const struct document_world *w, const char *user)
{
	for (size_t i = 0; i < w->account_count; i++)
		if (strcmp(w->accounts[i].user, user) == 0)
			return w->accounts[i].name;
	return user;
}

/* The open tasks that the trip has read, in the order of the stuck list. NULL: no memory. */
static pb_document_task **fill_tasks(struct request *r, struct document_surroundings *around, size_t *count)
{
	const PGresult *t = request_result(r, &select_tasks);
	size_t n = (size_t)PQntuples(t), len;
	pb_document_task *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1)),
			 **list = arena_alloc(&r->arena, sizeof *list * (n + 1));
	const struct document_world *w = &around->world;
	char id[37];

	*count = n;
	for (size_t i = 0; rows && list && i < n; i++) {
		pb_document_task *x = list[i] = &rows[i];
		const char *for_whom,
			*with = document_with(
				w, document_text(r, db_get_text(t, (int)i, S_PRINCIPAL)), w->now, &for_whom);
		int64_t opened = db_get_int(t, (int)i, S_OPENED);
		const struct workday_calendar *calendar = world_calendar(r, around, opened);
		if (!calendar)
			return NULL;
		*x = (pb_document_task)PB_DOCUMENT_TASK_INIT;
		id_format(id, db_get_bytes(t, (int)i, S_DOC, &len));
		x->doc = arena_text(&r->arena, id, 36);
		x->number = (char *)document_text(r, db_get_text(t, (int)i, S_NUMBER));
		x->title = (char *)document_text(r, db_get_text(t, (int)i, S_TITLE));
		x->kind = (char *)document_text(r, db_get_text(t, (int)i, S_KIND));
		x->step = (char *)document_text(r, db_get_text(t, (int)i, S_STEP));
		x->school = (char *)document_text(r, db_get_text(t, (int)i, S_SCHOOL));
		x->with = (char *)with;
		x->with_name = (char *)document_name_of(w, with);
		x->for_ = (char *)(for_whom ? for_whom : "");
		x->has_since = x->has_opened = x->has_due = x->has_days = 1;
		x->since = db_get_int(t, (int)i, S_SINCE);
		x->opened = opened;
		x->due = db_get_int(t, (int)i, S_DUE);
		x->lamp = (char *)codes_lamp
				  .items[reminder_lamp(
					  calendar, x->due, w->now, document_yellow(around, x->step, opened))]
				  .code;
		x->days = reminder_days(calendar, x->since, w->now);
	}
	if (!rows || !list || r->arena.refused)
		return NULL;
	qsort(list, n, sizeof *list, by_due);
	return list;
}

static const ProtobufCMessage *stuck_page(struct request *r, void *data, size_t from, size_t to)
{
	pb_document_tasks *out = arena_alloc(&r->arena, sizeof *out);

	if (!out)
		return NULL;
	*out = (pb_document_tasks)PB_DOCUMENT_TASKS_INIT;
	out->task = (pb_document_task **)data + from;
	out->n_task = to - from;
	return &out->base;
}

static void tasks_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, r->caller.user);
	db_text(&p, text_of(query->doc));
	/* Who is neither leader nor of the office sees the papers that he is in. */
	db_bool(&p,
		request_has_role(r, ROLE_LEADER) || request_has_role(r, ROLE_OFFICE) || *text_of(query->doc));
	request_query(r, &select_tasks, &p);
	world_query(r);
}

static void stuck_done(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	size_t n, kept = 0;

	if (!x || !world_read(r, x))
		return;
	pb_document_task **list = fill_tasks(r, x, &n);
	if (!list) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if ((!*text_of(query->with) || strcmp(list[i]->with, query->with) == 0) &&
			list[i]->days >= (int32_t)query->days)
			list[kept++] = list[i];
	document_reply_pages(r, &(struct document_pages){kept, stuck_page, list});
}

void documents_stuck(struct request *r)
{
	request_call(r, tasks_query, stuck_done);
}

/* ---- show ---- */

static const struct db_stmt select_one = {
	"SELECT " ROW ", d.drafter, d.signer, d.lead, d.signed_on, d.pressed_on, d.leader, "
	"coalesce(d.their_no, ''), coalesce(v.file, ''), d.archive_no"
	" FROM document d LEFT JOIN document_version v ON v.county = d.county AND v.document = d.id AND "
	"v.version = d.version"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($2::text))"
	" AND document_may_read(d.id, "
	"d.mark, $1::text)"};
enum {
	ONE_DRAFTER = ROW_COLUMNS,
	ONE_SIGNER,
	ONE_LEAD,
	ONE_SIGNED,
	ONE_PRESSED,
	ONE_LEADER,
	ONE_THEIR_NO,
	ONE_FILE,
	ONE_ARCHIVE_NO
};
static const struct db_stmt select_trace = {
	"SELECT t.n, t.event, t.by_user, coalesce(t.for_user, ''), t.at, t.text, t.version, t.state, t.given"
	" FROM document_trace t JOIN document d ON d.county = t.county AND d.id = t.document"
	" WHERE t.county = app_county() AND t.document = (SELECT document_find($2::text))"
	" AND document_may_read(d.id, d.mark, $1::text)"
	" ORDER BY t.n"};

static bool fill_trace(struct request *r, const struct document_world *w, pb_document_shown *out)
{
	const PGresult *t = request_result(r, &select_trace);
	size_t n = (size_t)PQntuples(t);
	pb_document_trace *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	out->trace = arena_alloc(&r->arena, sizeof *out->trace * (n + 1));
	for (int i = 0; rows && out->trace && i < (int)n; i++) {
		pb_document_trace *x = out->trace[out->n_trace++] = &rows[i];
		*x = (pb_document_trace)PB_DOCUMENT_TRACE_INIT;
		x->has_n = x->has_at = x->has_version = 1;
		x->n = (int32_t)db_get_int(t, i, 0);
		x->event = (char *)document_text(r, db_get_text(t, i, 1));
		x->by = (char *)document_text(r, db_get_text(t, i, 2));
		x->by_name = (char *)document_name_of(w, x->by);
		x->for_ = (char *)document_text(r, db_get_text(t, i, 3));
		x->at = db_get_int(t, i, 4);
		x->text = (char *)document_text(r, db_get_text(t, i, 5));
		x->version = (int32_t)db_get_int(t, i, 6);
		x->state = (char *)document_text(r, db_get_text(t, i, 7));
		x->said = (char *)document_said(r, w, db_get_text(t, i, 8));
	}
	return rows && out->trace;
}

/* Whom a text may be addressed to; of a call that asks for them. */
static const struct db_stmt select_names = {
	"SELECT code, name, '' FROM school WHERE county = app_county() AND NOT deleted AND $1::boolean"
	" UNION ALL SELECT '', name, relation FROM document_organ WHERE county = app_county() AND $1::boolean"
	" ORDER BY 2"};

static bool fill_names(struct request *r, pb_document_shown *out)
{
	const PGresult *t = request_result(r, &select_names);
	size_t n = (size_t)PQntuples(t);
	pb_document_name *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	out->name = arena_alloc(&r->arena, sizeof *out->name * (n + 1));
	for (int i = 0; rows && out->name && i < (int)n; i++) {
		pb_document_name *x = out->name[out->n_name++] = &rows[i];
		*x = (pb_document_name)PB_DOCUMENT_NAME_INIT;
		x->code = (char *)document_text(r, db_get_text(t, i, 0));
		x->name = (char *)document_text(r, db_get_text(t, i, 1));
		x->relation = (char *)document_text(r, db_get_text(t, i, 2));
	}
	return rows && out->name;
}

static const struct db_stmt select_files = {
	"SELECT f.name, f.sha, f.size, coalesce(c.verdict, 'unscanned')"
	" FROM document d JOIN document_file f ON f.county = d.county AND f.document = d.id"
	" AND f.version = d.version"
	" LEFT JOIN document_content c ON c.county = f.county AND c.sha = f.sha"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($2::text))"
	" AND document_may_read(d.id, d.mark, $1::text) ORDER BY f.n"};

static bool fill_files(struct request *r, pb_document_shown *out)
{
	const PGresult *t = request_result(r, &select_files);
	size_t n = (size_t)PQntuples(t);
	pb_document_file *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	out->attachment = arena_alloc(&r->arena, sizeof *out->attachment * (n + 1));
	for (int i = 0; rows && out->attachment && i < (int)n; i++) {
		pb_document_file *x = out->attachment[out->n_attachment++] = &rows[i];
		*x = (pb_document_file)PB_DOCUMENT_FILE_INIT;
		x->name = (char *)document_text(r, db_get_text(t, i, 0));
		x->has_sha = x->has_size = 1;
		x->sha.data = (uint8_t *)(uintptr_t)db_get_bytes(t, i, 1, &x->sha.len);
		x->size = (uint64_t)db_get_int(t, i, 2);
		x->verdict = (char *)document_text(r, db_get_text(t, i, 3));
	}
	return rows && out->attachment;
}

/* ---- The log of the seal: of one paper, or of all ---- */

static const struct db_stmt select_seals = {
	"SELECT d.id, coalesce(d.number, ''), CASE WHEN document_may_read(d.id, d.mark, $1::text)"
	" THEN d.title ELSE '' END,"
	" t.by_user, t.at, s.count, s.copies"
	" FROM document_seal s JOIN document d ON d.county = s.county AND d.id = s.document"
	" JOIN document_trace t ON t.county = s.county AND t.document = s.document AND t.n = s.n"
	" WHERE s.county = app_county() AND ($2::text = '' OR d.id = (SELECT document_find($2::text)))"
	" ORDER BY t.at, d.number"};
enum { L_DOC, L_NUMBER, L_TITLE, L_BY, L_AT, L_COUNT, L_COPIES };

static pb_document_seal **fill_seals(struct request *r, const struct document_world *w, size_t *count)
{
	const PGresult *t = request_result(r, &select_seals);
	size_t n = (size_t)PQntuples(t), len;
	pb_document_seal *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1)),
			 **list = arena_alloc(&r->arena, sizeof *list * (n + 1));
	char id[37];

	*count = n;
	for (int i = 0; rows && list && i < (int)n; i++) {
		pb_document_seal *x = list[i] = &rows[i];
		*x = (pb_document_seal)PB_DOCUMENT_SEAL_INIT;
		id_format(id, db_get_bytes(t, i, L_DOC, &len));
		x->doc = arena_text(&r->arena, id, 36);
		x->number = (char *)document_text(r, db_get_text(t, i, L_NUMBER));
		x->title = (char *)document_text(r, db_get_text(t, i, L_TITLE));
		x->by = (char *)document_text(r, db_get_text(t, i, L_BY));
		x->by_name = (char *)document_name_of(w, x->by);
		x->has_at = x->has_count = x->has_copies = 1;
		x->at = db_get_int(t, i, L_AT);
		x->count = (int32_t)db_get_int(t, i, L_COUNT);
		x->copies = (int32_t)db_get_int(t, i, L_COPIES);
	}
	return rows && !r->arena.refused ? list : NULL;
}

static const ProtobufCMessage *seals_page(struct request *r, void *data, size_t from, size_t to)
{
	pb_document_seals *out = arena_alloc(&r->arena, sizeof *out);

	if (!out)
		return NULL;
	*out = (pb_document_seals)PB_DOCUMENT_SEALS_INIT;
	out->seal = (pb_document_seal **)data + from;
	out->n_seal = to - from;
	return &out->base;
}

static void seals_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, r->caller.user);
	db_text(&p, text_of(query->doc));
	request_query(r, &select_seals, &p);
	world_query(r);
}

static void seals_done(struct request *r)
{
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	size_t n;

	if (!x || !world_read(r, x))
		return;
	pb_document_seal **list = fill_seals(r, &x->world, &n);
	if (list)
		document_reply_pages(r, &(struct document_pages){n, seals_page, list});
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
}

void documents_seals(struct request *r)
{
	request_call(r, seals_query, seals_done);
}

static void show_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0}, names = {0};

	db_bool(&names, query->names);
	request_query(r, &select_names, &names);

	tasks_query(r);
	db_text(&p, r->caller.user);
	db_text(&p, text_of(query->doc));
	request_query(r, &select_one, &p);
	request_query(r, &select_trace, &p);
	request_query(r, &select_files, &p);
	request_query(r, &select_seals, &p);
}

static void show_done(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	const PGresult *t = request_result(r, &select_one);
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	pb_document_shown out = PB_DOCUMENT_SHOWN_INIT;
	pb_document_row row;

	if (!PQntuples(t)) {
		request_fail_hint(r, ERR_NOT_FOUND, "doc",
			arena_printf(&r->arena, _("没有“%s”这份公文"), text_of(query->doc)),
			_("jgadmin documents list 列出公文"));
		return;
	}
	if (!x || !world_read(r, x))
		return;
	out.task = fill_tasks(r, x, &out.n_task);
	if (!out.task || !fill_row(r, &row, t, 0) || !fill_trace(r, &x->world, &out) ||
		!fill_names(r, &out) || !fill_files(r, &out) ||
		!(out.seal = fill_seals(r, &x->world, &out.n_seal))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	out.document = &row;
	out.drafter = (char *)db_get_text(t, 0, ONE_DRAFTER);
	out.signer = (char *)db_get_text(t, 0, ONE_SIGNER);
	out.lead = (char *)db_get_text(t, 0, ONE_LEAD);
	out.leader = (char *)db_get_text(t, 0, ONE_LEADER);
	out.leader_name = (char *)document_name_of(&x->world, out.leader);
	out.their_no = (char *)db_get_text(t, 0, ONE_THEIR_NO);
	out.archive_no = (char *)db_get_text(t, 0, ONE_ARCHIVE_NO);
	const char *file = db_get_text(t, 0, ONE_FILE);
	out.has_file = *file != 0;
	out.file = (ProtobufCBinaryData){strlen(file), (uint8_t *)file};
	out.has_signed_on = out.has_pressed_on = 1;
	out.signed_on = (int32_t)db_get_int(t, 0, ONE_SIGNED);
	out.pressed_on = (int32_t)db_get_int(t, 0, ONE_PRESSED);
	request_reply(r, &out.base);
}

void documents_show(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	if (!*text_of(query->doc))
		request_fail(r, ERR_MISSING, "doc", NULL);
	else
		request_call(r, show_query, show_done);
}

/* ---- numbers ---- */

static const struct db_stmt select_numbers = {
	"SELECT d.n, d.number, d.id, d.state = 'void', coalesce((SELECT t.text"
	" FROM document_trace t WHERE t.county = d.county AND t.document = d.id AND t.event = 'void'"
	" ORDER BY t.n DESC LIMIT 1), '')"
	" FROM document d WHERE d.county = app_county() AND d.series = $1::text AND d.year = $2::int"
	" ORDER BY d.n"};

static const ProtobufCMessage *numbers_page(struct request *r, void *data, size_t from, size_t to)
{
	const PGresult *t = data;
	pb_document_numbers *out = arena_alloc(&r->arena, sizeof *out);
	pb_document_number *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));
	char id[37];
	size_t n;

	if (!out || !rows)
		return NULL;
	*out = (pb_document_numbers)PB_DOCUMENT_NUMBERS_INIT;
	out->number = arena_alloc(&r->arena, sizeof *out->number * (to - from + 1));
	for (size_t i = from; out->number && i < to; i++) {
		pb_document_number *x = out->number[out->n_number++] = &rows[i - from];
		*x = (pb_document_number)PB_DOCUMENT_NUMBER_INIT;
		x->has_n = x->has_void_ = 1;
		x->n = (int32_t)db_get_int(t, (int)i, 0);
		x->number = (char *)document_text(r, db_get_text(t, (int)i, 1));
		id_format(id, db_get_bytes(t, (int)i, 2, &n));
		x->doc = arena_text(&r->arena, id, 36);
		x->void_ = db_get_int(t, (int)i, 3) != 0;
		x->reason = (char *)document_text(r, db_get_text(t, (int)i, 4));
	}
	return out->number ? &out->base : NULL;
}

static void numbers_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, text_of(query->series));
	db_int4(&p, query->year);
	request_query(r, &select_numbers, &p);
}

static void numbers_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_numbers);

	document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(t), numbers_page, (void *)t});
}

void documents_numbers(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	if (!*text_of(query->series) || !query->year)
		request_fail(r, ERR_MISSING, *text_of(query->series) ? "year" : "series", NULL);
	else
		request_call(r, numbers_query, numbers_done);
}
