#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decide.h"
#include "file_name.h"
#include "lang.h"
#include "scope.h"
#include "client_service.h"
#include "tables.h"
#include "way.h"
#include "words.h"

enum err batch_begin(struct store *s, const char *what, const char *about, int64_t *id, struct problem *p)
{
	struct buf sealed = {0};
	sqlite3_stmt *stmt = store_prepare(s, "SELECT coalesce(max(id), 0) + 1 FROM batch", p);

	if (!stmt)
		return store_error(s, p);
	bool row;
	enum err e = store_next(s, stmt, &row, p);
	*id = row ? sqlite3_column_int64(stmt, 0) : 1;
	sqlite3_finalize(stmt);
	if (e)
		return e;
	stmt = store_prepare(s,
		"INSERT INTO batch(id, at, what, file, author, inserted, updated, unchanged, rejected)"
		" VALUES(?, ?, ?, ?, ?, 0, 0, 0, 0)",
		p);
	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, *id);
	sqlite3_bind_int64(stmt, 2, clock_now_us());
	sqlite3_bind_text(stmt, 3, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 5, s->profile->session.user, -1, SQLITE_STATIC);
	/* A file's name may hold a pupil's. */
	e = about ? seal_value(s->seal, "batch", id, sizeof *id, about, strlen(about), &sealed) : ERR_OK;
	if (about)
		sqlite3_bind_blob(stmt, 4, sealed.data, (int)sealed.len, SQLITE_STATIC);
	if (!e)
		e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	buf_free(&sealed);
	return e;
}

enum err batch_end(struct store *s, int64_t id, const struct batch_counts *c, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "UPDATE batch SET inserted = ?, updated = ?, unchanged = ?, rejected = ? WHERE id = ?", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, (int64_t)c->inserted);
	sqlite3_bind_int64(stmt, 2, (int64_t)c->updated);
	sqlite3_bind_int64(stmt, 3, (int64_t)c->unchanged);
	sqlite3_bind_int64(stmt, 4, (int64_t)c->rejected);
	sqlite3_bind_int64(stmt, 5, id);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

static void read_batch(struct store *s, sqlite3_stmt *stmt, struct batch_row *row)
{
	*row = (struct batch_row){.id = sqlite3_column_int64(stmt, 0), .at = sqlite3_column_int64(stmt, 1)};
	snprintf(row->what, sizeof row->what, "%s", (const char *)sqlite3_column_text(stmt, 2));
	snprintf(row->author, sizeof row->author, "%s", (const char *)sqlite3_column_text(stmt, 4));
	row->counts = (struct batch_counts){(size_t)sqlite3_column_int64(stmt, 5),
		(size_t)sqlite3_column_int64(stmt, 6), (size_t)sqlite3_column_int64(stmt, 7),
		(size_t)sqlite3_column_int64(stmt, 8)};
	row->undone = sqlite3_column_int64(stmt, 9);
	row->refused = sqlite3_column_int(stmt, 10);
	size_t n = (size_t)sqlite3_column_bytes(stmt, 3);
	if (n >= SEAL_OVERHEAD && n - SEAL_OVERHEAD < sizeof row->about &&
		unseal_value(s->seal, "batch", &row->id, sizeof row->id, sqlite3_column_blob(stmt, 3), n,
			row->about))
		row->about[0] = 0;
}

/* Operations that were not accepted, and nothing came of them later. */
#define NOT_ACCEPTED                                                                                         \
	"o.state NOT IN (" SQL_WAITING ", " SQL_UNKNOWN ", " SQL_ACCEPTED ") AND NOT EXISTS"                 \
	" (SELECT 1 FROM outbox t WHERE t.id = o.id AND t.n > o.n AND t.state IN (" SQL_WAITING              \
	", " SQL_UNKNOWN ", " SQL_ACCEPTED "))"
#define BATCH_COLUMNS                                                                                        \
	"id, at, what, file, author, inserted, updated, unchanged, rejected, undone,"                        \
	" undone > id AND EXISTS (SELECT 1 FROM outbox o WHERE o.batch = batch.undone AND " NOT_ACCEPTED ")"

enum err batch_each(struct store *s, batch_fn fn, void *data, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT " BATCH_COLUMNS " FROM batch ORDER BY id DESC", p);
	enum err e = stmt ? ERR_OK : store_error(s, p);

	bool more;

	while (!e && !(e = store_next(s, stmt, &more, p)) && more) {
		struct batch_row row;
		read_batch(s, stmt, &row);
		e = fn(data, &row);
	}
	sqlite3_finalize(stmt);
	return e;
}

/* ---- Undo ---- */

/* What the operations of a batch did to one record: its state before the first of them and the groups
 * touched. */
struct touched {
	struct item *item;
	struct record before, after;
	bool inserted;
	uint32_t groups;
};

struct undo {
	struct view *view;
	struct arena arena; /* of the records before and after */
	struct touched *list;
	size_t n, room;
	bool refused;  /* something of it was not accepted */
	bool foreign;  /* something of it is neither the person's own nor of his classes */
	bool is_again; /* it was undone, and that was not accepted for the records below */
	uint8_t (*again)[ID_SIZE];
	size_t n_again;
	bool disputed; /* a person has to decide about some of that first */
	struct undo_report *report;
	struct problem *p;
};

static struct touched *touch(struct undo *u, struct item *item)
{
	if (item->mark)
		return &u->list[item->mark - 1];
	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 256;
		struct touched *more = realloc(u->list, room * sizeof *more);
		if (!more)
			return NULL;
		u->list = more;
		u->room = room;
	}
	u->list[u->n] = (struct touched){.item = item};
	item->mark = (long)++u->n;
	return &u->list[u->n - 1];
}

/* The row's records die with its arena; a copy is encoded into ours. */
static enum err copy_record(struct undo *u, struct record *to, const struct record *from)
{
	struct buf bytes = {0};

	record_encode(from, &bytes);
	const uint8_t *from_bytes = bytes.len ? bytes.data : (const uint8_t *)"";
	void *copy = bytes.failed ? NULL : arena_copy(&u->arena, from_bytes, bytes.len);
	enum err e = copy ? record_decode(to, from->kind, copy, bytes.len, &u->arena, u->p) : ERR_NOMEM;
	buf_free(&bytes);
	return e;
}

static bool is_tried_again(const struct undo *u, const uint8_t id[ID_SIZE])
{
	for (size_t i = 0; i < u->n_again; i++)
		if (memcmp(u->again[i], id, ID_SIZE) == 0)
			return true;
	return false;
}

static enum err collect(void *data, const struct op_row *row)
{
	struct undo *u = data;
	struct item *item = view_find_id(u->view, row->id);

	if (u->is_again && !is_tried_again(u, row->id))
		return ERR_OK;
	u->foreign |= !scope_covers(u->view, decide_about(u->view, row), row->author);
	u->refused |= decide_needed(row) && row->state != OP_CONFLICT;
	/* What was refused or left the school has nothing to give back; formal reports are not taken back
	 * this way. */
	if (!item || !(1u << row->state & (1u << OP_WAITING | 1u << OP_UNKNOWN | 1u << OP_ACCEPTED)))
		return ERR_OK;
	bool first = !item->mark;
	struct touched *t = touch(u, item);
	enum err e = t ? ERR_OK : ERR_NOMEM;
	if (!e && first && row->prev.kind)
		e = copy_record(u, &t->before, &row->prev);
	if (!e && first && !row->prev.kind) {
		t->inserted = true;
		record_init(&t->before, row->kind);
	}
	if (!e && first) {
		record_init(&t->after, row->kind);
		t->after = t->before;
	}
	if (!e && !row->del) {
		struct record body;
		e = copy_record(u, &body, &row->body);
		record_take_groups(&t->after, &body, row->groups);
	}
	if (t)
		t->groups |= row->groups;
	return e;
}

static void block(struct undo *u, const struct item *item)
{
	struct undo_report *r = u->report;

	if (r->blocked < BATCH_BLOCKS_MAX) {
		struct batch_block *b = &r->block[r->blocked];
		memcpy(b->id, item->id, ID_SIZE);
		b->kind = item->record.kind;
		words_named(u->view, &item->record, b->name, sizeof b->name);
	}
	r->blocked++;
}

/* Others built on it: the values are no longer those that the batch wrote, or an inserted one has a later
 * child. */
static void find_blocks(struct undo *u)
{
	for (size_t i = 0; i < u->n; i++) {
		struct touched *t = &u->list[i];
		bool same = t->item->live;
		for (unsigned g = 1; same && g <= t->after.kind->group_count; g++)
			if (t->inserted || t->groups >> (g - 1) & 1)
				same = record_same_group(&t->item->record, &t->after, g);
		if (!same)
			block(u, t->item);
	}
	for (size_t i = 0; i < u->view->n; i++) {
		struct item *item = u->view->items[i];
		const struct item *parent =
			item->live && !item->mark ? view_parent(u->view, &item->record) : NULL;
		if (parent && parent->mark && u->list[parent->mark - 1].inserted)
			block(u, item);
	}
}

/* The record that says the year of another: itself, or one that it is a child of; NULL when none does. */
static const struct record *dated(const struct view *v, const struct record *r)
{
	for (int step = 0; r && step < PARENTS_MAX; step++) {
		if (kind_field_index(r->kind, "year") >= 0)
			return r;
		const struct item *parent = view_parent(v, r);
		r = parent ? &parent->record : NULL;
	}
	return NULL;
}

/* The server would refuse it later: a closed year is refused here and now. A batch is of one year, as a
 * rule. */
static enum err check_years(struct undo *u, struct store *s)
{
	const struct client_service *last = NULL;
	int32_t last_year = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; !e && i < u->n; i++) {
		const struct record *r = dated(u->view, &u->list[i].after);
		const struct client_service *service = r ? service_of(r->kind->number) : NULL;
		int32_t year = r ? (int32_t)record_number(r, kind_field_index(r->kind, "year")) : 0;
		if (!year || !service || !service->may_undo || (service == last && year == last_year))
			continue;
		last = service;
		last_year = year;
		e = service->may_undo(s, year, u->p);
	}
	return e;
}

#define NAMED_MAX 3 /* told by name */

static void name_records(struct undo *u)
{
	struct undo_report *r = u->report;
	char pupil[160], last[160] = "";
	size_t named = 0;

	for (size_t i = 0; i < u->n; i++) {
		const struct record *whose = words_whose(
			u->view, u->list[i].inserted ? &u->list[i].after : &u->list[i].item->record);
		size_t n = strlen(r->names);
		if (!whose || strcmp(words_pupil(whose, pupil, sizeof pupil), last) == 0)
			continue; /* a record and its files are of one pupil */
		strcpy(last, pupil);
		bool fits = named++ < NAMED_MAX && n + strlen(pupil) + 16 < sizeof r->names;
		strcat(strcat(r->names, fits && n ? _("、") : ""), fits ? pupil : _("等"));
		if (!fits)
			break;
	}
}

static enum err give_back(struct undo *u, int64_t batch)
{
	enum err e = ERR_OK;

	/* Backwards: children go before their parents. */
	for (size_t i = u->n; !e && i > 0; i--) {
		struct touched *t = &u->list[i - 1];
		e = t->inserted ? outbox_delete(u->view, t->item, batch, u->p)
				: outbox_put(u->view, &t->item, &t->before, t->groups, batch, u->p);
		u->report->undone += !e;
	}
	return e;
}

/* Of what was undone: a record that hangs on no other; 0 = of nothing. */
static uint32_t kind_of(const struct undo *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (!u->list[i].item->record.kind->on_count)
			return u->list[i].item->record.kind->number;
	return 0;
}

/* What an undo took back and deleted has no number any more: it is entered again, from its file when that is
 * known. */
static enum err enter_again(struct undo *u, const struct batch_row *undone)
{
	char file[FILE_NAME_TEXT_MAX], hint[HINT_SIZE], lists[HINT_SIZE];
	bool import = import_find(undone->what) != NULL;
	const char *entered = service_ways(false, kind_of(u), lists, sizeof lists);

	file_path_text(file, sizeof file, undone->about);
	if (import && *file)
		snprintf(hint, sizeof hint, _("把文件再导入一次：%s %s %s"), way("import_table"),
			undone->what, file);
	else if (undone->id && !import && *entered)
		snprintf(hint, sizeof hint, _("重新填一次：%s 看序号"), entered);
	else
		snprintf(hint, sizeof hint, _("把原来的文件再导入一次：%s 列出各批次的文件"),
			way("list_batches"));
	u->report->blocked = 0;
	return problem_set(u->p, ERR_NOT_NOW, NULL, hint, "%s", _("撤销时删去的记录，不能靠再撤销找回"));
}

struct undone_by {
	int64_t id;
	struct batch_row row;
};

static enum err find_undone(void *data, const struct batch_row *row)
{
	struct undone_by *u = data;

	if (row->undone == u->id)
		u->row = *row;
	return ERR_OK;
}

/* Nothing left, a closed year, or others built on it. */
static enum err judge(struct undo *u, struct store *s, const struct batch_row *batch)
{
	for (size_t i = 0; i < u->n; i++) {
		enum err no = scope_writes(&s->profile->session, u->list[i].item->record.kind, u->p);
		if (no)
			return no;
	}
	if (u->foreign)
		return scope_refuse(&s->profile->session, u->p);
	if (u->n == 0 && u->disputed)
		return problem_set(u->p, ERR_NOT_NOW, NULL,
			way_hint(_("先决定它：%s，再撤销"), way("conflicts")),
			_("撤销与他人的修改有冲突，还没有决定"));
	struct undone_by by = {.id = batch->id};
	char hint[HINT_SIZE], edits[HINT_SIZE];
	bool nothing = !u->report->blocked && u->n == 0 && !u->refused;
	enum err e = nothing ? ERR_OK : check_years(u, s);
	if (e) {
		u->report->blocked = 0;
		return e;
	}
	if (!nothing && !u->report->blocked)
		return ERR_OK;
	/* Of what was never sent nothing is left at all. */
	if (strcmp(batch->what, "undo") == 0 && !(e = batch_each(s, find_undone, &by, u->p)))
		return enter_again(u, &by.row);
	if (!e && nothing)
		return problem_set(u->p, ERR_NOT_FOUND, NULL,
			way_hint(_("%s 列出各批次"), way("list_batches")), _("没有可以撤销的内容"));
	if (e)
		return e;
	if (*service_ways(true, kind_of(u), edits, sizeof edits))
		snprintf(hint, sizeof hint, _("只改其中几条：%s；后来的修改用 %s 看编号，先撤销它"), edits,
			way("list_batches"));
	else
		snprintf(hint, sizeof hint, _("后来的修改用 %s 看编号，先撤销它"), way("list_batches"));
	return problem_set(u->p, ERR_CONFLICT, NULL, hint, _("有 %zu 条记录后来又有改动，不能整批撤销"),
		u->report->blocked);
}

/* Which records the undoing has not reached. */
static enum err find_again(struct undo *u, struct store *s, const struct batch_row *batch)
{
	sqlite3_stmt *stmt;
	bool more;

	u->is_again = batch->undone != 0;
	if (!u->is_again)
		return ERR_OK;
	stmt = store_prepare(
		s, "SELECT DISTINCT o.id, o.state FROM outbox o WHERE o.batch = ? AND " NOT_ACCEPTED, u->p);
	if (!stmt)
		return ERR_STORE;
	sqlite3_bind_int64(stmt, 1, batch->undone);
	enum err e;
	size_t room = 0;
	while (!(e = store_next(s, stmt, &more, u->p)) && more) {
		if (sqlite3_column_int(stmt, 1) == OP_CONFLICT || sqlite3_column_bytes(stmt, 0) != ID_SIZE) {
			u->disputed = true;
			continue;
		}
		if (u->n_again == room) {
			room = room ? room * 2 : 64;
			void *grown = realloc(u->again, room * sizeof *u->again);
			if (!grown) {
				e = problem_set(u->p, ERR_NOMEM, NULL, NULL, NULL);
				break;
			}
			u->again = grown;
		}
		memcpy(u->again[u->n_again++], sqlite3_column_blob(stmt, 0), ID_SIZE);
	}
	sqlite3_finalize(stmt);
	return e;
}

/* What was tried before waits for nobody any more. */
static enum err end_first_try(struct store *s, int64_t undoing, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = " SQL_DONE " WHERE batch = ? AND state IN (" OP_SQL(
			OP_REFUSED_N) ", " OP_SQL(OP_BLOCKED_N) ", " SQL_DRAFT ")",
		p);

	if (!stmt)
		return ERR_STORE;
	sqlite3_bind_int64(stmt, 1, undoing);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

/* batch: what is undone; its id is 0 for a single operation. */
static enum err finish_undo(struct undo *u, struct store *s, const struct batch_row *batch)
{
	int64_t by;
	struct batch_counts counts = {0};
	enum err e = store_begin(s, u->p);

	if (e)
		return e;
	name_records(u);
	e = batch_begin(s, "undo", *u->report->names ? u->report->names : NULL, &by, u->p);
	if (!e && batch->undone)
		e = end_first_try(s, batch->undone, u->p);
	if (!e)
		e = give_back(u, by);
	if (!e && batch->id)
		e = decide_aside_all(s, kinds_all, batch->id, NULL, &u->report->aside, u->p);
	counts.updated = u->report->undone;
	if (!e)
		e = batch_end(s, by, &counts, u->p);
	sqlite3_stmt *stmt =
		e || !batch->id ? NULL : store_prepare(s, "UPDATE batch SET undone = ? WHERE id = ?", u->p);
	if (stmt) {
		sqlite3_bind_int64(stmt, 1, by);
		sqlite3_bind_int64(stmt, 2, batch->id);
		e = store_run(s, stmt, u->p);
		sqlite3_finalize(stmt);
	}
	if (!e)
		return store_commit(s, u->p);
	store_rollback(s);
	return e;
}

static enum err begin_undo(struct undo *u, struct store *s, struct undo_report *report, struct problem *p)
{
	*u = (struct undo){.report = report, .p = p};
	*report = (struct undo_report){0};
	arena_init(&u->arena, 1u << 30);
	return view_load(&u->view, s, kinds_all, p);
}

static void end_undo(struct undo *u)
{
	view_free(u->view);
	free(u->list);
	free(u->again);
	arena_free(&u->arena);
}

static enum err check_batch(struct store *s, struct batch_row *row, int64_t id, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT " BATCH_COLUMNS " FROM batch WHERE id = ?", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, id);
	bool found;
	enum err e = store_next(s, stmt, &found, p);
	if (found)
		read_batch(s, stmt, row);
	sqlite3_finalize(stmt);
	if (e)
		return e;
	if (!found)
		return problem_set(p, ERR_NOT_FOUND, NULL, way_hint(_("用 %s 查编号"), way("list_batches")),
			_("没有编号为 %lld 的批次"), (long long)id);
	return row->undone && !row->refused
		? problem_set(p, ERR_EXISTS, NULL, way_hint(_("%s 列出各批次"), way("list_batches")),
			  _("第 %lld 批已经撤销过"), (long long)id)
		: ERR_OK;
}

enum err batch_undo(
	struct store *s, int64_t id, bool only_judge, struct undo_report *report, struct problem *p)
{
	struct undo u;
	struct batch_row row;
	enum err e = check_batch(s, &row, id, p);

	if (e)
		return e;
	e = begin_undo(&u, s, report, p);
	if (!e)
		e = find_again(&u, s, &row);
	if (!e)
		e = outbox_each(s, UINT32_MAX, id, collect, &u, p);
	if (!e)
		find_blocks(&u);
	if (!e)
		e = judge(&u, s, &row);
	if (!e && !only_judge)
		e = finish_undo(&u, s, &row);
	end_undo(&u);
	return e;
}

enum err batch_revert(struct store *s, int64_t n, struct undo_report *report, struct problem *p)
{
	const struct batch_row single = {0};
	struct op_row row;
	struct arena arena;
	struct undo u;

	arena_init(&arena, 4u << 20);
	enum err e = begin_undo(&u, s, report, p);
	if (!e)
		e = outbox_read(s, n, &arena, &row, p);
	if (!e && (row.del || row.kind->permanent))
		e = problem_set(p, ERR_NOT_NOW, NULL,
			_("写错了或有变化，就再做一次：重新录入、再上报一次，或再记一条"),
			row.del ? _("删除%s不能撤回") : _("%s不能撤回"),
			lang_declared(row.kind->label, row.kind->label_en));
	if (!e)
		e = collect(&u, &row);
	if (!e)
		find_blocks(&u);
	if (!e)
		e = judge(&u, s, &single);
	if (!e)
		e = finish_undo(&u, s, &single);
	end_undo(&u);
	arena_free(&arena);
	return e;
}
