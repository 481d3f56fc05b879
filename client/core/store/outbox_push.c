/* The outbox towards the server: what is sent, what was answered, forks and restores (outbox.h). */
#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "outbox.h"
#include "scope.h"
#include "tables.h"

/* Continues the older incarnation with the operations that are left of it, or goes on to the next
 * incarnation. */
static enum err find_older(struct store *s, struct problem *p)
{
	sqlite3_stmt *stmt = s->older.incarnation
		? store_prepare(s,
			  "SELECT min(incarnation)"
			  " FROM outbox"
			  " WHERE incarnation < ?1 AND op_no IS NOT NULL"
			  " AND (incarnation > ?2 OR (incarnation = ?2 AND op_no > ?3))",
			  p)
		: NULL;

	if (!stmt)
		return s->older.incarnation ? ERR_STORE : ERR_OK;
	sqlite3_bind_int64(stmt, 1, s->incarnation);
	sqlite3_bind_int64(stmt, 2, s->older.incarnation);
	sqlite3_bind_int64(stmt, 3, (int64_t)s->older.last_op);
	bool row;
	enum err e = store_next(s, stmt, &row, p);
	uint32_t incarnation = e ? s->older.incarnation : (uint32_t)sqlite3_column_int64(stmt, 0);
	if (incarnation != s->older.incarnation)
		s->older.last_op = 0;
	s->older.incarnation = incarnation;
	sqlite3_finalize(stmt);
	return e;
}

static uint32_t incarnation_of_push(const struct store *s)
{
	return s->older.incarnation ? s->older.incarnation : s->incarnation;
}

static uint64_t *last_of_push(struct store *s)
{
	return s->older.incarnation ? &s->older.last_op : &s->last_op;
}

enum err outbox_batch(struct store *s, struct push_batch *batch, struct arena *arena, struct problem *p)
{
	enum err e = find_older(s, p);
	sqlite3_stmt *stmt = e ? NULL
			       : store_prepare(s,
					 "SELECT n, op_no, kind, bytes, author"
					 " FROM outbox"
					 " WHERE incarnation = ?1 AND op_no > ?2"
					 " ORDER BY op_no"
					 " LIMIT ?3",
					 p);
	size_t total = 0;
	bool row;

	if (!e && !stmt)
		e = store_error(s, p);
	batch->n = 0;
	batch->held_by[0] = 0;
	batch->incarnation = incarnation_of_push(s);
	batch->first = *last_of_push(s) + 1;
	if (stmt) {
		sqlite3_bind_int64(stmt, 1, batch->incarnation);
		sqlite3_bind_int64(stmt, 2, (int64_t)batch->first - 1);
		sqlite3_bind_int(stmt, 3, PUSH_OPS_MAX);
	}
	while (!e && !(e = store_next(s, stmt, &row, p)) && row) {
		int64_t n = sqlite3_column_int64(stmt, 0);
		const struct kind *kind = kind_by_number((uint32_t)sqlite3_column_int(stmt, 2));
		bool alone = kind && kind->alone;
		size_t size = (size_t)sqlite3_column_bytes(stmt, 3);
		if ((uint64_t)sqlite3_column_int64(stmt, 1) != batch->first + batch->n ||
			size < SEAL_OVERHEAD) {
			e = problem_set(p, ERR_STORE, NULL, NULL, _("待发序号有缺"));
			break;
		}
		const char *author = (const char *)sqlite3_column_text(stmt, 4);
		if (author && !scope_carries(&s->profile->session, author)) {
			snprintf(batch->held_by, sizeof batch->held_by, "%s", author);
			break;
		}
		total += size + 8;
		if (batch->n && (alone || total > PUSH_BYTES_MAX))
			break;
		uint8_t *bytes = arena_alloc(arena, size);
		if (!bytes) {
			e = problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
			break;
		}
		e = unseal_value(s->seal, "outbox", &n, sizeof n, sqlite3_column_blob(stmt, 3), size, bytes);
		batch->bytes[batch->n] = bytes;
		batch->sizes[batch->n++] = size - SEAL_OVERHEAD;
		if (alone)
			break;
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_sent(struct store *s, const struct push_batch *batch, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = " SQL_UNKNOWN " WHERE incarnation = ? AND op_no >= ? AND op_no < ?"
		" AND state = " SQL_WAITING,
		p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, batch->incarnation);
	sqlite3_bind_int64(stmt, 2, (int64_t)batch->first);
	sqlite3_bind_int64(stmt, 3, (int64_t)(batch->first + batch->n));
	enum err e = store_begin(s, p);
	if (!e)
		e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	if (e)
		store_rollback(s);
	return e ? e : store_commit(s, p);
}

static enum op_state state_of(const pb_op_result *r)
{
	switch (r->outcome) {
	case JINGGUAN__V1__OUTCOME__APPLIED:
	case JINGGUAN__V1__OUTCOME__MERGED:
	case JINGGUAN__V1__OUTCOME__ALREADY_APPLIED:
		return OP_ACCEPTED;
	case JINGGUAN__V1__OUTCOME__CONFLICT:
		return OP_CONFLICT;
	case JINGGUAN__V1__OUTCOME__BLOCKED:
		return OP_BLOCKED;
	default:
		return OP_REFUSED;
	}
}

static enum err bind_row_sealed(struct store *s, sqlite3_stmt *stmt, int column, const char *table, int64_t n,
	const void *data, size_t len)
{
	struct buf sealed = {0};

	if (!len)
		return sqlite3_bind_null(stmt, column) == SQLITE_OK ? ERR_OK : ERR_STORE;
	enum err e = seal_value(s->seal, table, &n, sizeof n, data, len, &sealed);
	if (!e &&
		sqlite3_bind_blob(stmt, column, sealed.data, (int)sealed.len, SQLITE_TRANSIENT) != SQLITE_OK)
		e = store_error(s, NULL); /* unbound is NULL, and would be stored as that */
	buf_free(&sealed);
	return e;
}

/* The row and the hash of an operation's bytes; *n is 0 when it is not there. */
static enum err find_op(
	struct store *s, uint64_t op_no, int64_t *n, uint8_t sha[HASH_SIZE], struct problem *p)
{
	sqlite3_stmt *stmt =
		store_prepare(s, "SELECT n, sha FROM outbox WHERE incarnation = ? AND op_no = ?", p);
	bool row;

	*n = 0;
	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, incarnation_of_push(s));
	sqlite3_bind_int64(stmt, 2, (int64_t)op_no);
	enum err e = store_next(s, stmt, &row, p);
	if (!e && row && sqlite3_column_bytes(stmt, 1) == HASH_SIZE) {
		*n = sqlite3_column_int64(stmt, 0);
		memcpy(sha, sqlite3_column_blob(stmt, 1), HASH_SIZE);
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_answer(struct store *s, const pb_op_result *r, struct problem *p)
{
	uint8_t sha[HASH_SIZE], chain[HASH_SIZE];
	uint32_t gver[KIND_GROUPS_MAX] = {0};
	uint64_t *last = last_of_push(s);
	int64_t n = 0;
	enum err e = r->op_no == *last + 1 ? find_op(s, r->op_no, &n, sha, p) : ERR_OK;

	if (e)
		return e;
	if (!n)
		return problem_set(p, ERR_PROTOCOL, "op_no", NULL, NULL);
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = CASE WHEN state = " SQL_DONE " AND ?2 <> " SQL_ACCEPTED
		" THEN " SQL_DONE " ELSE ?2 END, code = ?3, message = ?4, field = ?5, group_no = ?6,"
		" ver = ?7, gver = ?8, current = ?9, duplicate_of = ?10,"
		" their_author = ?11, their_at = ?12, settled = 0"
		" WHERE n = ?1 AND (1 << state) & ?13",
		p);
	if (!stmt)
		return store_error(s, p);
	for (size_t i = 0; i < r->n_gver && i < KIND_GROUPS_MAX; i++)
		gver[i] = r->gver[i];
	sqlite3_bind_int64(stmt, 1, n);
	sqlite3_bind_int(stmt, 2, state_of(r));
	sqlite3_bind_int64(stmt, 3, r->code);
	sqlite3_bind_text(stmt, 5, r->field, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, r->group);
	sqlite3_bind_int64(stmt, 7, r->ver);
	if (r->n_gver)
		sqlite3_bind_blob(stmt, 8, gver, sizeof gver, SQLITE_STATIC);
	if (r->duplicate_of.len == ID_SIZE)
		sqlite3_bind_blob(stmt, 10, r->duplicate_of.data, ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 11, r->their_author, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 12, r->their_at);
	/* An operation that a person has settled stays settled, unless the answer says that it was applied
	 * after all. */
	sqlite3_bind_int64(stmt, 13, outbox_origins(state_of(r)) | 1u << OP_DONE);
	char told[256 + HINT_SIZE] = ""; /* outbox.c reads it apart again */
	if (r->message)
		snprintf(told, sizeof told, "%s%s%s", r->message, r->hint && *r->hint ? "\n" : "",
			r->hint ? r->hint : "");
	e = bind_row_sealed(s, stmt, 4, "message", n, told, strlen(told));
	if (!e)
		e = bind_row_sealed(s, stmt, 9, "current", n, r->current.data, r->current.len);
	if (!e)
		e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	if (!e && !sqlite3_changes(s->db)) /* an answer to what was never sent */
		e = problem_set(p, ERR_PROTOCOL, "op_no", NULL, NULL);
	if (!e)
		*last = r->op_no;
	if (!e && last == &s->last_op) {
		hash_chain(chain, s->last_hash, r->op_no, sha);
		memcpy(s->last_hash, chain, HASH_SIZE);
	}
	return e;
}

static enum err run_simple(struct store *s, const char *sql, int64_t a, int64_t b, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, sql, p);

	if (!stmt)
		return store_error(s, p);
	if (sqlite3_bind_parameter_count(stmt) > 0)
		sqlite3_bind_int64(stmt, 1, a);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		sqlite3_bind_int64(stmt, 2, b);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_settle(struct store *s, struct problem *p)
{
	return run_simple(
		s, "UPDATE outbox SET settled = 1 WHERE state = " SQL_ACCEPTED " AND settled = 0", 0, 0, p);
}

/* Operations after number ?3 of incarnation ?2, which is the last one that the server has. */
#define IT_LACKS "(incarnation > ?2 OR (incarnation = ?2 AND op_no > ?3))"

static uint32_t known_incarnation(const struct store *s, const pb_welcome *w)
{
	return w->has_known_incarnation ? w->known_incarnation : s->incarnation;
}

/* The server knows another incarnation of this device: operations that it has not seen wait for a person.
 * Those that it had answered before it was restored, and lacks now, are sent again in their own incarnation
 * and keep their numbers for the next restore. */
static enum err begin_incarnation(struct store *s, const pb_welcome *w, size_t *drafts, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = " SQL_DRAFT
		", op_no = CASE WHEN code IS NULL THEN NULL ELSE op_no END"
		" WHERE state IN (" SQL_WAITING ", " SQL_UNKNOWN ") AND (code IS NULL OR NOT " IT_LACKS ")",
		p);

	if (!stmt)
		return store_error(s, p);
	s->incarnation = w->incarnation;
	s->last_op = s->made = 0;
	hash_genesis(s->last_hash, s->device, s->incarnation);
	sqlite3_bind_int64(stmt, 2, known_incarnation(s, w));
	sqlite3_bind_int64(stmt, 3, (int64_t)w->known_op);
	enum err e = store_run(s, stmt, p);
	*drafts = (size_t)sqlite3_changes(s->db);
	sqlite3_finalize(stmt);
	return e;
}

/* The server was restored from an older state: the operations that it had acknowledged since then are sent
 * again, the same bytes. */
static enum err send_again(struct store *s, const pb_welcome *w, struct problem *p)
{
	if (w->last_hash.len != HASH_SIZE)
		return problem_set(p, ERR_PROTOCOL, "last_hash", NULL, NULL);
	s->last_op = w->last_op;
	memcpy(s->last_hash, w->last_hash.data, HASH_SIZE);
	return run_simple(s,
		"UPDATE outbox SET state = " SQL_UNKNOWN
		" WHERE incarnation = ? AND op_no > ? AND state = " SQL_ACCEPTED,
		s->incarnation, (int64_t)w->last_op, p);
}

/* The server was restored from a time before our incarnation began: operations of older incarnations that it
 * had acknowledged and lacks are sent again, before ours. When it is already in our incarnation, none of the
 * older ones is open. */
static enum err send_older_again(struct store *s, const pb_welcome *w, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"UPDATE outbox SET state = CASE WHEN " IT_LACKS " THEN " SQL_UNKNOWN " ELSE " SQL_ACCEPTED
		" END"
		" WHERE incarnation < ?1 AND op_no IS NOT NULL AND state IN (" SQL_UNKNOWN ", " SQL_ACCEPTED
		")",
		p);

	if (!stmt)
		return store_error(s, p);
	uint32_t known = known_incarnation(s, w);
	/* The server may have operations whose answers were lost on their way; those answers are asked for
	 * again. */
	if (s->older.incarnation != known || w->known_op < s->older.last_op)
		s->older.last_op = w->known_op;
	s->older.incarnation = known;
	sqlite3_bind_int64(stmt, 1, s->incarnation);
	sqlite3_bind_int64(stmt, 2, s->older.incarnation);
	sqlite3_bind_int64(stmt, 3, (int64_t)s->older.last_op);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e ? e : find_older(s, p);
}

enum err outbox_welcome(struct store *s, const pb_welcome *w, size_t *drafts, struct problem *p)
{
	enum err e = store_begin(s, p);

	*drafts = 0;
	if (!e && !s->incarnation) {
		/* The first WELCOME of this store. When the server already knows the device, its store was
		 * lost: it begins a new incarnation, because it could not send the old one again to a
		 * restored server. */
		s->incarnation = w->incarnation + (w->last_op > 0);
		s->last_op = s->made = 0;
		hash_genesis(s->last_hash, s->device, s->incarnation);
	} else if (!e && (w->forked || w->incarnation != s->incarnation)) {
		e = begin_incarnation(s, w, drafts, p);
	} else if (!e && w->last_op < s->last_op) {
		e = send_again(s, w, p);
	}
	if (!e)
		e = send_older_again(s, w, p);
	for (size_t i = 0; !e && i < w->n_stream; i++)
		e = store_add_stream(
			s, w->stream[i]->stream, w->stream[i]->what ? w->stream[i]->what : "", p);
	if (!e)
		e = store_commit(s, p);
	if (e)
		store_rollback(s);
	return e;
}

void outbox_hello(struct store *s, pb_hello *hello)
{
	*hello = (pb_hello)PB_HELLO_INIT;
	if (!s->incarnation)
		return;
	hello->has_incarnation = hello->has_last_op = hello->has_last_hash = hello->has_made = 1;
	hello->incarnation = s->incarnation;
	hello->last_op = s->last_op;
	hello->last_hash = (ProtobufCBinaryData){HASH_SIZE, s->last_hash};
	hello->made = s->made;
}

/* ---- Duplicates ---- */

struct resolution {
	struct view *view;
	struct resolved *told;
	struct problem *p;
};

static int ordinal_of(const struct kind *kind)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].ordinal)
			return (int)i;
	return -1;
}

/* Moves one record from an id that does not exist to the one that does. Nothing is overwritten there: another
 * guardian becomes the next one, the same file is not attached twice. */
static enum err move_one(struct resolution *a, struct item *item, int parent, const uint8_t *to)
{
	struct record want = item->record;
	struct item *made = NULL;
	int ordinal = ordinal_of(want.kind);
	enum err e;

	record_set_bytes(&want, parent, to, ID_SIZE);
	struct item *there = view_find_key(a->view, &want, true);
	bool same = there && record_same_group(&there->record, &want, 1);
	while (there && !same && ordinal >= 0) {
		record_set_number(&want, ordinal, record_number(&want, ordinal) + 1);
		there = view_find_key(a->view, &want, true);
		same = there && record_same_group(&there->record, &want, 1);
	}
	a->told->queued++;
	if (there) {
		e = outbox_delete(a->view, item, 0, a->p);
	} else if (want.kind->append_only) {
		e = outbox_put(a->view, &made, &want, UINT32_MAX, 0, a->p);
		if (!e)
			e = outbox_delete(a->view, item, 0, a->p);
	} else {
		e = outbox_put(a->view, &item, &want, UINT32_MAX, 0, a->p);
	}
	return e;
}

/* This school's, to move and to delete: not what the server sent it. */
static bool is_schools(const struct view *v, const struct item *item)
{
	return item->record.kind->owner == OWNER_SCHOOL && view_is_ours(v, item);
}

static bool hangs_on(const struct view *v, const struct item *item, const uint8_t *id)
{
	int parent = item->record.kind->of;

	return item->live && parent >= 0 && is_schools(v, item) && record_has(&item->record, parent) &&
		item->record.value[parent].len == ID_SIZE &&
		memcmp(item->record.value[parent].data, id, ID_SIZE) == 0;
}

/* Whether something about a record waits for a person. */
static enum err is_open(struct store *s, const uint8_t *id, bool *open, struct problem *p)
{
	enum op_state state;
	int64_t n;
	enum err e = outbox_open_of(s, id, &n, &state, p);

	*open = n != 0;
	return e;
}

/* to: NULL when that record has been deleted. late: a move that was refused is not tried again and again. */
static enum err move_children(struct resolution *a, const uint8_t *from, const uint8_t *to, bool late)
{
	enum err e = ERR_OK;

	for (size_t i = 0, n = a->view->n; !e && i < n; i++) {
		struct item *item = a->view->items[i];
		bool open = false;
		if (!hangs_on(a->view, item, from))
			continue;
		if (late)
			e = is_open(a->view->store, item->id, &open, a->p);
		if (e || open)
			continue;
		if (to) {
			e = move_one(a, item, item->record.kind->of, to);
		} else {
			e = outbox_delete(a->view, item, 0, a->p);
			a->told->queued++;
		}
	}
	return e;
}

enum err outbox_delete_children(struct view *v, const uint8_t id[ID_SIZE], int64_t batch, struct problem *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0, n = v->n; !e && i < n; i++)
		if (hangs_on(v, v->items[i], id))
			e = outbox_delete(v, v->items[i], batch, p);
	return e;
}

enum err outbox_drop_orphaned(struct view *v, const uint8_t id[ID_SIZE], struct problem *p)
{
	struct item *item = view_find_id(v, id);
	bool open = false;

	if (!item || !item->live || item->record.kind->of < 0 || !is_schools(v, item))
		return ERR_OK;
	const struct value *to = &item->record.value[item->record.kind->of];
	const struct item *on = to->len == ID_SIZE ? view_find_id(v, to->data) : NULL;
	if (to->len != ID_SIZE || (on && on->live))
		return ERR_OK;
	enum err e = is_open(v->store, to->data, &open, p);
	return e || open ? e : outbox_delete(v, item, 0, p);
}

enum err outbox_move_children(
	struct view *v, const uint8_t from[ID_SIZE], const uint8_t to[ID_SIZE], struct problem *p)
{
	struct resolved told = {0};
	struct resolution a = {.view = v, .told = &told, .p = p};

	return move_children(&a, from, to, false);
}

/* Whether both have a value for the field, and not the same one: a colleague's value is not replaced without
 * asking, as in an edit. */
static bool contradicts(const struct record *there, const struct record *mine, uint32_t groups)
{
	for (size_t i = 0; i < mine->kind->field_count; i++)
		if (groups >> (mine->kind->fields[i].group - 1) & 1 && record_has(there, (int)i) &&
			record_has(mine, (int)i) && !record_same_field(there, mine, i))
			return true;
	return false;
}

/* The record that exists is about the same pupil. A value that only one of the two has is taken; where both
 * have different values a person decides. */
static enum err resolve_duplicate(void *data, const struct op_row *row)
{
	struct resolution *a = data;
	struct item *item = row->has_duplicate ? view_find_id(a->view, row->duplicate_of) : NULL;
	uint32_t groups = 0;
	enum err e = ERR_OK;

	if (!item || !item->live || row->del || item->record.kind != row->kind)
		return ERR_OK;
	/* An existing record that was to get the number of another one: two different pupils. It stays
	 * refused, because "mine" would write one over the other. A child record that was to move is no
	 * pupil. */
	const struct item *edited = view_find_id(a->view, row->id);
	if (row->kind->of < 0 && edited && edited->live && edited != item)
		return ERR_OK;
	if (!row->kind->append_only) {
		if (contradicts(&item->record, &row->body, row->groups)) {
			a->told->conflicts++;
			return outbox_set_state(a->view->store, row->n, OP_CONFLICT, a->p);
		}
		struct record want = item->record;
		for (size_t i = 0; i < row->kind->field_count; i++)
			if (row->groups >> (row->kind->fields[i].group - 1) & 1 &&
				!record_has(&want, (int)i) && record_has(&row->body, (int)i)) {
				want.value[i] = row->body.value[i];
				want.set |= UINT64_C(1) << i;
			}
		groups = outbox_changed_groups(item, &want) & row->groups;
		if (groups)
			e = outbox_put(a->view, &item, &want, groups, row->batch, a->p);
	}
	a->told->queued += groups != 0;
	a->told->settled++;
	if (!e)
		e = move_children(a, row->id, row->duplicate_of, false);
	if (!e)
		e = outbox_drop_orphaned(a->view, row->id, a->p);
	return e ? e : outbox_set_state(a->view->store, row->n, groups ? OP_DONE : OP_ACCEPTED, a->p);
}

/* Rows of a record that never existed on the server: the operation that would have made it was given up. */
#define NEVER_MADE "state = " SQL_DONE " AND prev IS NULL AND action = 1"

/* Moves children that another computer sent later. After a restore a guardian may arrive after the refusal of
 * the pupil that it belongs to; only this outbox knows which record the pupil is now, or that it was given
 * up. */
static enum err move_late_children(struct resolution *a)
{
	struct view *v = a->view;
	sqlite3_stmt *stmt = store_prepare(v->store,
		"SELECT DISTINCT id, coalesce(duplicate_of, id) AS now FROM outbox"
		" WHERE (duplicate_of IS NOT NULL OR (" NEVER_MADE ")) AND state IN (" SQL_ACCEPTED
		", " SQL_DONE ") AND length(id) = 16 AND length(now) = 16",
		a->p);
	enum err e = stmt ? ERR_OK : store_error(v->store, a->p);
	bool row = false;

	while (!e && !(e = store_next(v->store, stmt, &row, a->p)) && row) {
		uint8_t from[ID_SIZE], to[ID_SIZE];
		memcpy(from, sqlite3_column_blob(stmt, 0), ID_SIZE);
		const struct item *gone = view_find_id(v, from);
		struct item *there;
		bool open = false;
		e = outbox_find_end(v, sqlite3_column_blob(stmt, 1), to, &there, a->p);
		if (!e && !there)
			e = is_open(v->store, to, &open, a->p);
		/* The database that gave this answer had the record. When it is not in the base, it was
		 * deleted, or another record replaced it. A record that a person made anew, and that waits
		 * for that person again, is neither. */
		if (!e && !open && (!gone || !gone->live))
			e = move_children(a, from, there ? there->id : NULL, true);
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err outbox_resolve_duplicates(struct store *s, struct resolved *told, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		/* UNION, not OR: for OR SQLite would read the whole table. */
		"SELECT 1 FROM outbox WHERE duplicate_of IS NOT NULL"
		" UNION ALL SELECT 1 FROM outbox WHERE " NEVER_MADE " LIMIT 1",
		p);
	struct resolution a = {.told = told, .p = p};
	bool any = false;

	*told = (struct resolved){0};
	enum err e = stmt ? store_next(s, stmt, &any, p) : store_error(s, p);
	sqlite3_finalize(stmt);
	if (e || !any)
		return e;
	e = view_load(&a.view, s, kinds_of_schools, p);
	if (!e)
		e = outbox_each(s, 1u << OP_REFUSED, 0, resolve_duplicate, &a, p);
	if (!e)
		e = move_late_children(&a);
	view_free(a.view);
	return e;
}
