#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "envelope.h"
#include "lang.h"
#include "state.h"
#include "tables.h"
#include "text.h"
#include "way.h"

#define OP_BYTES_MAX 65536 /* of one operation: the widest record has 16 texts of at most 2000 bytes */
#define ROW_ARENA (4u << 20)

#define ROW_COLUMNS                                                                                          \
	"n, incarnation, op_no, state, kind, id, action, groups, at, author, batch, bytes, prev,"            \
	" code, message, field, group_no, ver, current, duplicate_of, their_author, their_at"
/* Their places. */
enum row_column {
	ROW_N,
	ROW_INCARNATION,
	ROW_OP_NO,
	ROW_STATE,
	ROW_KIND,
	ROW_ID,
	ROW_ACTION,
	ROW_GROUPS,
	ROW_AT,
	ROW_AUTHOR,
	ROW_BATCH,
	ROW_BYTES,
	ROW_PREV,
	ROW_CODE,
	ROW_MESSAGE,
	ROW_FIELD,
	ROW_GROUP_NO,
	ROW_VER,
	ROW_CURRENT,
	ROW_DUPLICATE_OF,
	ROW_THEIR_AUTHOR,
	ROW_THEIR_AT,
};

/* ---- Making ---- */

uint32_t outbox_changed_groups(const struct item *item, const struct record *want)
{
	uint32_t groups = 0;

	if (!item)
		return record_groups(want);
	for (unsigned g = 1; g <= want->kind->group_count; g++)
		if (!record_same_group(&item->record, want, g))
			groups |= 1u << (g - 1);
	return groups;
}

/* What the author saw of each group: an own operation that is still on its way, or the server's version. */
static void fill_seen(
	pb_op *op, const struct item *item, uint32_t groups, pb_group_base *bases, pb_group_base **list)
{
	op->seen = list;
	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++) {
		if (!(groups >> g & 1))
			continue;
		pb_group_base *base = &bases[op->n_seen];
		*base = (pb_group_base)PB_GROUP_BASE_INIT;
		base->has_group = 1;
		base->group = g + 1;
		if (item->own_op[g]) {
			base->has_own_op = 1;
			base->own_op = item->own_op[g];
		} else {
			base->has_gver = 1;
			base->gver = item->gver[g];
		}
		list[op->n_seen++] = base;
	}
}

static enum err bind_sealed(struct store *s, sqlite3_stmt *stmt, int column, const char *table, int64_t n,
	const void *data, size_t len)
{
	struct buf sealed = {0};

	if (seal_value(s->seal, table, &n, sizeof n, data, len, &sealed)) {
		buf_free(&sealed);
		return ERR_NOMEM;
	}
	int bound = sqlite3_bind_blob(stmt, column, sealed.data, (int)sealed.len, SQLITE_TRANSIENT);
	buf_free(&sealed);
	return bound == SQLITE_OK ? ERR_OK : ERR_NOMEM; /* unbound is NULL, and would be stored as that */
}

static enum err insert_row(struct store *s, const pb_op *op, const void *bytes, size_t n, uint32_t groups,
	const struct buf *prev, int64_t batch, struct problem *p)
{
	uint8_t sha[HASH_SIZE];

	if (!s->insert_op)
		s->insert_op = store_prepare(s,
			"INSERT INTO outbox(n, incarnation, op_no, state, kind, id, action, groups, at,"
			" author, batch, bytes, sha, prev)"
			" VALUES(?, ?, ?, " SQL_WAITING ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			p);
	sqlite3_stmt *stmt = s->insert_op;
	if (!stmt)
		return store_error(s, p);
	hash_op(sha, bytes, n);
	sqlite3_bind_int64(stmt, 1, s->next_row);
	sqlite3_bind_int64(stmt, 2, op->incarnation);
	sqlite3_bind_int64(stmt, 3, (int64_t)op->op_no);
	sqlite3_bind_int64(stmt, 4, op->kind);
	sqlite3_bind_blob(stmt, 5, op->id.data, ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 6, (int)op->action);
	sqlite3_bind_int64(stmt, 7, groups);
	sqlite3_bind_int64(stmt, 8, op->at);
	sqlite3_bind_text(stmt, 9, op->author, -1, SQLITE_STATIC);
	if (batch)
		sqlite3_bind_int64(stmt, 10, batch);
	else
		sqlite3_bind_null(stmt, 10);
	sqlite3_bind_blob(stmt, 12, sha, sizeof sha, SQLITE_STATIC);
	sqlite3_bind_null(stmt, 13);
	enum err e = bind_sealed(s, stmt, 11, "outbox", s->next_row, bytes, n);
	if (!e && prev->len)
		e = bind_sealed(s, stmt, 13, "prev", s->next_row, prev->data, prev->len);
	if (!e)
		e = store_run(s, stmt, p);
	if (!e) {
		s->next_row++;
		s->made = op->op_no;
	}
	return e;
}

/* Encodes and stores the operation, then lays it over the view. */
static enum err queue(struct view *v, pb_op *op, uint32_t groups, const struct item *before, int64_t batch,
	struct item **out, struct problem *p)
{
	struct store *s = v->store;
	struct buf prev = {0};

	if (!s->incarnation)
		return problem_set(p, ERR_NOT_NOW, NULL, _("请先连网登录一次"), _("这台电脑还没有登录过"));
	op->has_version = op->has_op_no = op->has_incarnation = op->has_at = op->has_action = op->has_kind =
		op->has_id = 1;
	op->version = 1;
	op->op_no = s->made + 1;
	op->incarnation = s->incarnation;
	op->author = s->profile->session.user;
	op->at = clock_now_us();
	size_t n = protobuf_c_message_get_packed_size(&op->base);
	if (n > OP_BYTES_MAX)
		return problem_set(p, ERR_TOO_LARGE, NULL, NULL, NULL);
	uint8_t *bytes = arena_alloc(&v->arena, n);
	if (!bytes)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	protobuf_c_message_pack(&op->base, bytes);
	if (before && before->live)
		record_encode(&before->record, &prev);
	enum err e = prev.failed ? ERR_NOMEM : insert_row(s, op, bytes, n, groups, &prev, batch, p);
	buf_free(&prev);
	if (!e)
		e = view_overlay(v, bytes, n, out);
	if (e) /* what failed has told why, unless it was memory */
		return p && p->code == e ? e : problem_set(p, e, NULL, NULL, NULL);
	(*out)->pending = true;
	(*out)->batch = batch;
	return ERR_OK;
}

/* What hangs on a record that is gone is shown to nobody. */
static bool loses_its_parent(const struct view *v, const struct item *item, const struct record *want)
{
	int parent = want->kind->of;

	if (parent < 0 || !record_has(want, parent) || want->value[parent].len != ID_SIZE)
		return false;
	const struct value *to = &want->value[parent], *now = item ? &item->record.value[parent] : NULL;
	if (now && record_has(&item->record, parent) && now->len == ID_SIZE &&
		memcmp(now->data, to->data, ID_SIZE) == 0)
		return false;
	const struct item *on = view_find_id(v, to->data);
	return !on || !on->live;
}

void outbox_keep_parent(const struct view *v, const struct item *item, struct record *want)
{
	int parent = want->kind->of;

	if (loses_its_parent(v, item, want))
		record_set_bytes(
			want, parent, item->record.value[parent].data, item->record.value[parent].len);
}

/* Notes come as they were typed: line ends and marks become blanks, as in a cell; of a long text, which keeps
 * its lines, value_parse has cleaned each. What then still may not be stored is refused here, and not by the
 * server when the person has gone. */
static enum err texts_fit(struct view *v, struct record *r, uint32_t groups, struct problem *p)
{
	struct record sent;

	for (size_t i = 0; i < r->kind->field_count; i++) {
		struct value *text = &r->value[i];
		if (r->kind->fields[i].type != FIELD_TEXT || !record_has(r, (int)i) ||
			strcmp(r->kind->fields[i].check, "long") == 0 ||
			(!text_forbidden((const char *)text->data, text->len) &&
				text_is_nfc((const char *)text->data, text->len)))
			continue;
		char *clean = arena_text(&v->arena, text->data, text->len);
		if (!clean)
			return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
		if (text_clean(clean, text->len + 1, clean) == ERR_OK)
			record_set_text(r, (int)i, clean);
	}
	record_init(&sent, r->kind);
	record_take_groups(&sent, r, groups);
	return check_texts(&sent, p);
}

enum err outbox_put(struct view *v, struct item **item, const struct record *as_typed, uint32_t groups,
	int64_t batch, struct problem *p)
{
	struct record fit = *as_typed, *want = &fit;
	pb_group_base bases[KIND_GROUPS_MAX], *list[KIND_GROUPS_MAX];
	struct buf body = {0};
	pb_op op = PB_OP_INIT;
	uint8_t id[ID_SIZE];

	if (v->arena.refused) /* a value, or the record that holds its key, may be missing */
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	groups &= outbox_changed_groups(*item, want);
	enum err e = texts_fit(v, want, groups, p);
	if (e || !groups)
		return e;
	if (loses_its_parent(v, *item, want))
		return problem_set(p, ERR_NOT_FOUND, NULL,
			_("那名学生已经删除，或并入了另一条记录：请查到现在的记录再办"),
			_("所属的记录已经不在"));
	if (*item) {
		memcpy(id, (*item)->id, ID_SIZE);
		fill_seen(&op, *item, groups, bases, list);
	} else {
		id_make(id, clock_now_us());
	}
	record_encode_groups(want, groups, false, &body);
	op.action = JINGGUAN__V1__ACTION__PUT;
	op.kind = want->kind->number;
	op.id = (ProtobufCBinaryData){ID_SIZE, id};
	op.has_body = 1;
	op.body = (ProtobufCBinaryData){body.len, body.data};
	e = body.failed ? problem_set(p, ERR_NOMEM, NULL, NULL, NULL)
			: queue(v, &op, groups, *item, batch, item, p);
	buf_free(&body);
	return e;
}

enum err outbox_delete(struct view *v, struct item *item, int64_t batch, struct problem *p)
{
	pb_group_base bases[KIND_GROUPS_MAX], *list[KIND_GROUPS_MAX];
	pb_op op = PB_OP_INIT;
	uint32_t groups = 0;

	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
		if (item->gver[g] || item->own_op[g])
			groups |= 1u << g;
	fill_seen(&op, item, groups, bases, list);
	op.action = JINGGUAN__V1__ACTION__DEL;
	op.kind = item->record.kind->number;
	op.id = (ProtobufCBinaryData){ID_SIZE, item->id};
	return queue(v, &op, groups, item, batch, &item, p);
}

/* ---- Reading ---- */

static enum err unseal_column(struct store *s, sqlite3_stmt *stmt, int column, const char *table, int64_t n,
	struct arena *arena, uint8_t **out, size_t *len)
{
	size_t size = (size_t)sqlite3_column_bytes(stmt, column);

	*out = NULL;
	*len = 0;
	if (size < SEAL_OVERHEAD)
		return size ? ERR_STORE : ERR_OK;
	if (!(*out = arena_alloc(arena, size)))
		return ERR_NOMEM;
	*len = size - SEAL_OVERHEAD;
	return unseal_value(s->seal, table, &n, sizeof n, sqlite3_column_blob(stmt, column), size, *out);
}

/* The message, and behind a line feed what to do. */
static void read_message(struct op_row *row, const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n);
	size_t len = end ? (size_t)(end - text) : n;

	snprintf(row->message, sizeof row->message, "%.*s", (int)len, text);
	if (end)
		snprintf(row->hint, sizeof row->hint, "%.*s", (int)(n - len - 1), end + 1);
}

static enum err read_bodies(struct store *s, sqlite3_stmt *stmt, struct arena *arena, struct op_row *row)
{
	const ProtobufCMessage *message;
	uint8_t *bytes;
	size_t n;
	enum err e = unseal_column(s, stmt, ROW_BYTES, "outbox", row->n, arena, &bytes, &n);

	if (!e)
		e = envelope_unpack(&pb_op_desc, bytes, n, arena, &message, NULL);
	if (!e)
		e = record_decode(&row->body, row->kind, ((const pb_op *)message)->body.data,
			((const pb_op *)message)->body.len, arena, NULL);
	if (!e)
		e = unseal_column(s, stmt, ROW_PREV, "prev", row->n, arena, &bytes, &n);
	if (!e && bytes)
		e = record_decode(&row->prev, row->kind, bytes, n, arena, NULL);
	if (!e)
		e = unseal_column(s, stmt, ROW_CURRENT, "current", row->n, arena, &bytes, &n);
	if (!e && bytes)
		e = record_decode(&row->current, row->kind, bytes, n, arena, NULL);
	if (!e)
		e = unseal_column(s, stmt, ROW_MESSAGE, "message", row->n, arena, &bytes, &n);
	if (!e && bytes)
		read_message(row, (const char *)bytes, n);
	return e;
}

static enum err read_row(
	struct store *s, sqlite3_stmt *stmt, struct arena *arena, struct op_row *row, struct problem *p)
{
	const char *text;

	*row = (struct op_row){.n = sqlite3_column_int64(stmt, ROW_N)};
	row->incarnation = (uint32_t)sqlite3_column_int64(stmt, ROW_INCARNATION);
	row->op_no = (uint64_t)sqlite3_column_int64(stmt, ROW_OP_NO);
	row->state = (enum op_state)sqlite3_column_int(stmt, ROW_STATE);
	row->kind = kind_by_number((uint32_t)sqlite3_column_int(stmt, ROW_KIND));
	if (sqlite3_column_bytes(stmt, ROW_ID) == ID_SIZE)
		memcpy(row->id, sqlite3_column_blob(stmt, ROW_ID), ID_SIZE);
	row->del = sqlite3_column_int(stmt, ROW_ACTION) == JINGGUAN__V1__ACTION__DEL;
	row->groups = (uint32_t)sqlite3_column_int64(stmt, ROW_GROUPS);
	row->at = sqlite3_column_int64(stmt, ROW_AT);
	snprintf(row->author, sizeof row->author, "%s", (const char *)sqlite3_column_text(stmt, ROW_AUTHOR));
	row->batch = sqlite3_column_int64(stmt, ROW_BATCH);
	row->code = (enum err)sqlite3_column_int(stmt, ROW_CODE);
	if ((text = (const char *)sqlite3_column_text(stmt, ROW_FIELD)))
		snprintf(row->field, sizeof row->field, "%s", text);
	row->group = (unsigned)sqlite3_column_int(stmt, ROW_GROUP_NO);
	row->ver = sqlite3_column_int64(stmt, ROW_VER);
	if (sqlite3_column_bytes(stmt, ROW_DUPLICATE_OF) == ID_SIZE) {
		row->has_duplicate = true;
		memcpy(row->duplicate_of, sqlite3_column_blob(stmt, ROW_DUPLICATE_OF), ID_SIZE);
	}
	if (sqlite3_column_type(stmt, ROW_THEIR_AUTHOR) == SQLITE_TEXT)
		snprintf(row->their_author, sizeof row->their_author, "%s",
			(const char *)sqlite3_column_text(stmt, ROW_THEIR_AUTHOR));
	row->their_at = sqlite3_column_int64(stmt, ROW_THEIR_AT);
	enum err e = row->kind ? read_bodies(s, stmt, arena, row) : ERR_STORE;
	return e ? problem_set(p, e, NULL, NULL, _("待发内容读不出")) : ERR_OK;
}

enum err outbox_read(struct store *s, int64_t n, struct arena *arena, struct op_row *row, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT " ROW_COLUMNS " FROM outbox WHERE n = ?", p);
	bool found;

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, n);
	enum err e = store_next(s, stmt, &found, p);
	if (!e && found)
		e = read_row(s, stmt, arena, row, p);
	else if (!e)
		e = problem_set(p, ERR_NOT_FOUND, NULL, way_hint(_("用 %s 查编号"), way("outbox")),
			_("没有编号为 %lld 的事项"), (long long)n);
	sqlite3_finalize(stmt);
	return e;
}

/* Runs the statement, which it takes over. */
static enum err each_row(struct store *s, sqlite3_stmt *stmt, op_row_fn fn, void *data, struct problem *p)
{
	enum err e = stmt ? ERR_OK : store_error(s, p);
	int code = SQLITE_DONE;

	while (!e && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct op_row row;
		struct arena arena;
		arena_init(&arena, ROW_ARENA);
		e = read_row(s, stmt, &arena, &row, p);
		if (!e)
			e = fn(data, &row);
		arena_free(&arena);
	}
	if (!e && code != SQLITE_DONE)
		e = store_error(s, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_each(
	struct store *s, uint32_t states, int64_t batch, op_row_fn fn, void *data, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT " ROW_COLUMNS
		" FROM outbox WHERE (1 << state) & ?1 AND (?2 = 0 OR batch = ?2) ORDER BY n",
		p);

	if (stmt) {
		sqlite3_bind_int64(stmt, 1, states);
		sqlite3_bind_int64(stmt, 2, batch);
	}
	return each_row(s, stmt, fn, data, p);
}

enum err outbox_changes_of(
	struct store *s, const uint8_t id[ID_SIZE], op_row_fn fn, void *data, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT " ROW_COLUMNS " FROM outbox"
		" WHERE id = ?1 AND prev IS NOT NULL AND (1 << state) & ?2"
		" AND coalesce(batch, 0) NOT IN (SELECT b.id FROM batch AS b"
		" WHERE b.undone OR b.what = 'undo')"
		" ORDER BY n",
		p);

	if (stmt) {
		sqlite3_bind_blob(stmt, 1, id, ID_SIZE, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, 1 << OP_WAITING | 1 << OP_UNKNOWN | 1 << OP_ACCEPTED);
	}
	return each_row(s, stmt, fn, data, p);
}

enum err outbox_counts(struct store *s, struct outbox_counts *out, struct problem *p)
{
	sqlite3_stmt *stmt =
		store_prepare(s, "SELECT state, count(*), min(at) FROM outbox GROUP BY state", p);
	bool row = false;
	enum err e = stmt ? store_next(s, stmt, &row, p) : store_error(s, p);

	*out = (struct outbox_counts){0};
	for (; !e && row; e = store_next(s, stmt, &row, p)) {
		int state = sqlite3_column_int(stmt, 0);
		if (state < OP_WAITING || state > OP_DONE)
			continue; /* a newer jg's */
		out->of[state] = (size_t)sqlite3_column_int64(stmt, 1);
		int64_t at = sqlite3_column_int64(stmt, 2);
		if ((state == OP_WAITING || state == OP_UNKNOWN) && (!out->oldest || at < out->oldest))
			out->oldest = at;
	}
	out->unsent = out->of[OP_WAITING] + out->of[OP_UNKNOWN];
	sqlite3_finalize(stmt);
	return e;
}

#define ANSWERED (STATE(OP_ACCEPTED) | STATE(OP_REFUSED) | STATE(OP_BLOCKED) | STATE(OP_CONFLICT))
static const struct state_machine machine = {
	"operation",
	(const char *const[OP_DONE + 1]){
		"none", "waiting", "unknown", "accepted", "refused", "blocked", "conflict", "draft", "done"},
	(const uint32_t[OP_DONE + 1]){
		[OP_WAITING] = STATE(OP_UNKNOWN) | STATE(OP_DRAFT),
		[OP_UNKNOWN] = ANSWERED | STATE(OP_DRAFT),
		[OP_ACCEPTED] = STATE(OP_UNKNOWN),
		[OP_REFUSED] = ANSWERED | STATE(OP_DONE),
		[OP_BLOCKED] = ANSWERED | STATE(OP_DONE),
		[OP_CONFLICT] = ANSWERED | STATE(OP_DONE),
		[OP_DRAFT] = ANSWERED | STATE(OP_DONE),
		[OP_DONE] = STATE(OP_ACCEPTED),
	},
};

uint32_t outbox_origins(enum op_state to)
{
	return state_origins(&machine, OP_DONE + 1, to);
}

enum err outbox_set_state(struct store *s, int64_t n, enum op_state state, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = ?2, settled = 1"
		" WHERE n = ?1 AND (1 << state) & ?3",
		p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, n);
	sqlite3_bind_int(stmt, 2, state);
	sqlite3_bind_int64(stmt, 3, outbox_origins(state));
	enum err e = store_run(s, stmt, p);
	bool moved = sqlite3_changes(s->db) > 0;
	sqlite3_finalize(stmt);
	if (e || moved)
		return e;
	return problem_set(p, ERR_NOT_NOW, NULL, way_hint(_("用 %s 看它现在的状态"), way("outbox")),
		_("第 %lld 项已经不是刚才的状态"), (long long)n);
}

enum err outbox_open_of(
	struct store *s, const uint8_t id[ID_SIZE], int64_t *n, enum op_state *state, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "SELECT n, state FROM outbox WHERE id = ?1 AND (1 << state) & ?2 ORDER BY n LIMIT 1", p);
	bool row = false;

	if (stmt) {
		sqlite3_bind_blob(stmt, 1, id, ID_SIZE, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, OP_STATES_OPEN);
	}
	enum err e = stmt ? store_next(s, stmt, &row, p) : store_error(s, p);
	*n = row ? sqlite3_column_int64(stmt, 0) : 0;
	*state = row ? (enum op_state)sqlite3_column_int(stmt, 1) : OP_DONE;
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_replaced(struct store *s, int64_t n, const uint8_t by[ID_SIZE], struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "UPDATE outbox SET duplicate_of = ?2 WHERE n = ?1", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, n);
	sqlite3_bind_blob(stmt, 2, by, ID_SIZE, SQLITE_STATIC);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

#define REPLACED_MOST 16 /* times that one record was made anew: more would be a ring */

enum err outbox_find_end(const struct view *v, const uint8_t id[ID_SIZE], uint8_t end[ID_SIZE],
	struct item **out, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(v->store,
		"SELECT duplicate_of FROM outbox"
		" WHERE id = ? AND length(duplicate_of) = 16"
		" AND state IN (" SQL_ACCEPTED ", " SQL_DONE ")"
		" ORDER BY n DESC LIMIT 1",
		p);
	enum err e = stmt ? ERR_OK : store_error(v->store, p);
	bool row = true;

	*out = NULL;
	memcpy(end, id, ID_SIZE);
	for (int i = 0; !e && row && i < REPLACED_MOST; i++) {
		struct item *item = view_find_id(v, end);
		if (item && item->live) {
			*out = item;
			break;
		}
		sqlite3_bind_blob(stmt, 1, end, ID_SIZE, SQLITE_TRANSIENT);
		e = store_next(v->store, stmt, &row, p);
		if (row)
			memcpy(end, sqlite3_column_blob(stmt, 0), ID_SIZE);
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_find_standing(
	const struct view *v, const uint8_t id[ID_SIZE], struct item **out, struct problem *p)
{
	uint8_t end[ID_SIZE];

	return outbox_find_end(v, id, end, out, p);
}

/* ---- what a revoked computer keeps (revoked.h) ---- */

/* The row stands open as far as a person needs to know it again. */
static void name_row(char *list, size_t size, sqlite3_stmt *row)
{
	const struct kind *kind = kind_by_number((unsigned)sqlite3_column_int(row, 3));
	char when[TIME_TEXT_SIZE], name[128];
	size_t n = strlen(list);

	time_format(when, sqlite3_column_int64(row, 4));
	snprintf(name, sizeof name, "%s%s %.16s", n ? _("、") : "",
		kind ? lang_declared(kind->label, kind->label_en) : "?", when);
	if (n + strlen(name) < size)
		memcpy(list + n, name, strlen(name) + 1);
}

enum err outbox_append_open(
	struct store *s, struct buf *out, size_t *n, char *damaged, size_t damaged_size, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT n, groups, bytes, kind, at FROM outbox"
		" WHERE state NOT IN (" SQL_ACCEPTED ", " SQL_DONE ")"
		" ORDER BY n",
		p);
	enum err e = stmt ? ERR_OK : store_error(s, p);
	bool row = false;

	*n = 0;
	damaged[0] = 0;
	while (!e && !(e = store_next(s, stmt, &row, p)) && row) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		size_t size = (size_t)sqlite3_column_bytes(stmt, 2), before = out->len;
		if (size < SEAL_OVERHEAD) {
			name_row(damaged, damaged_size, stmt);
			continue;
		}
		buf_be32(out, (uint32_t)(size - SEAL_OVERHEAD));
		buf_be32(out, (uint32_t)sqlite3_column_int64(stmt, 1));
		uint8_t *to = buf_reserve(out, size);
		if (!to) {
			e = problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
		} else if (unseal_value(s->seal, "outbox", &id, sizeof id, sqlite3_column_blob(stmt, 2), size,
				   to)) {
			out->len = before;
			name_row(damaged, damaged_size, stmt);
		} else {
			out->len += size - SEAL_OVERHEAD;
			++*n;
		}
	}
	sqlite3_finalize(stmt);
	return e;
}

/* The bytes name record, author and microsecond: the same bytes are the same operation. */
static enum err is_there(
	struct store *s, const pb_op *op, const uint8_t sha[HASH_SIZE], bool *there, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT 1 FROM outbox WHERE id = ? AND sha = ?", p);

	*there = false;
	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_blob(stmt, 1, op->id.data, ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 2, sha, HASH_SIZE, SQLITE_STATIC);
	enum err e = store_next(s, stmt, there, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_add_draft(
	struct store *s, const uint8_t **at, const uint8_t *end, size_t *taken, struct problem *p)
{
	const ProtobufCMessage *message;
	uint8_t sha[HASH_SIZE];
	struct arena arena;
	size_t left = (size_t)(end - *at);
	uint32_t n = left >= 8 ? get_be32(*at) : 0, groups = left >= 8 ? get_be32(*at + 4) : 0;

	if (left < 8 || n > left - 8)
		return problem_set(p, ERR_FILE_DAMAGED, NULL, NULL, NULL);
	const uint8_t *bytes = *at + 8;
	*at = bytes + n;
	arena_init(&arena, 4 * (size_t)n + 4096);
	enum err e = envelope_unpack(&pb_op_desc, bytes, n, &arena, &message, p);
	const pb_op *op = (const pb_op *)message;
	bool there = false;
	if (!e && op->id.len != ID_SIZE)
		e = problem_set(p, ERR_FILE_DAMAGED, NULL, NULL, NULL);
	hash_op(sha, bytes, n);
	if (!e)
		e = is_there(s, op, sha, &there, p);
	sqlite3_stmt *stmt = e || there
		? NULL
		: store_prepare(s,
			  "INSERT INTO outbox(n, incarnation, op_no, state, kind, id,"
			  " action, groups, at, author, bytes, sha)"
			  " VALUES(?, ?, NULL, " SQL_DRAFT ", ?, ?, ?, ?, ?, ?, ?, ?)",
			  p);
	if (stmt) {
		sqlite3_bind_int64(stmt, 1, s->next_row);
		sqlite3_bind_int64(stmt, 2, s->incarnation);
		sqlite3_bind_int64(stmt, 3, op->kind);
		sqlite3_bind_blob(stmt, 4, op->id.data, ID_SIZE, SQLITE_STATIC);
		sqlite3_bind_int(stmt, 5, (int)op->action);
		sqlite3_bind_int64(stmt, 6, groups);
		sqlite3_bind_int64(stmt, 7, op->at);
		sqlite3_bind_text(stmt, 8, op->author ? op->author : "", -1, SQLITE_STATIC);
		sqlite3_bind_blob(stmt, 10, sha, sizeof sha, SQLITE_STATIC);
		e = bind_sealed(s, stmt, 9, "outbox", s->next_row, bytes, n);
		if (!e)
			e = store_run(s, stmt, p);
		s->next_row += e == ERR_OK;
		*taken += e == ERR_OK;
	} else if (!e && !there) {
		e = store_error(s, p);
	}
	sqlite3_finalize(stmt);
	arena_free(&arena);
	return e;
}
