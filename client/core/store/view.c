#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "lang.h"
#include "lint.h"
#include "outbox.h"
#include "pb.h"
#include "sync_merge.h"

#define VIEW_BYTES (1u << 30) /* a county's largest school needs a fortieth */

/* Chained hash of NUL-terminated keys or ids; grows by doubling. */
struct node {
	struct node *next;
	uint64_t hash;
	const char *key; /* NULL in the index of ids */
	struct item *item;
};
struct index {
	struct node **slots;
	size_t n_slots, n;
};

static uint64_t hash_bytes(const void *data, size_t n)
{
	const uint8_t *at = data;
	uint64_t h = 1469598103934665603u;

	while (n--)
		h = (h ^ *at++) * 1099511628211u;
	return h ^ h >> 29;
}

static enum err index_grow(struct index *x)
{
	size_t n_slots = x->n_slots ? x->n_slots * 2 : 64;
	struct node **slots = calloc(n_slots, sizeof *slots);

	if (!slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < x->n_slots; i++)
		for (struct node *at = x->slots[i], *next; at; at = next) {
			next = at->next;
			at->next = slots[at->hash & (n_slots - 1)];
			slots[at->hash & (n_slots - 1)] = at;
		}
	free(x->slots);
	x->slots = slots;
	LINT_KEPT(slots);
	x->n_slots = n_slots;
	return ERR_OK;
}

static enum err index_add(struct view *v, struct index *x, uint64_t hash, const char *key, struct item *item)
{
	if (x->n >= x->n_slots && index_grow(x))
		return ERR_NOMEM;
	struct node *node = arena_alloc(&v->arena, sizeof *node);
	if (!node)
		return ERR_NOMEM;
	*node = (struct node){x->slots[hash & (x->n_slots - 1)], hash, key, item};
	x->slots[hash & (x->n_slots - 1)] = node;
	x->n++;
	return ERR_OK;
}

struct item *view_parent(const struct view *v, const struct record *r)
{
	int field = kind_reference(r->kind);

	return field >= 0 && record_has(r, field) && r->value[field].len == ID_SIZE
		? view_find_id(v, r->value[field].data)
		: NULL;
}

void view_set_first(struct record *r, const uint8_t parent[ID_SIZE])
{
	record_set_bytes(r, kind_reference(r->kind), parent, ID_SIZE);
	for (size_t i = 0; i < r->kind->field_count; i++)
		if (r->kind->fields[i].ordinal)
			record_set_number(r, (int)i, 1);
}

struct item *view_first_child(struct view *v, const struct item *parent, const struct kind *kind)
{
	struct record key;

	record_init(&key, kind);
	view_set_first(&key, parent->id);
	return view_find_key(v, &key, true);
}

bool view_is_ours(const struct view *v, const struct item *item)
{
	return strcmp(item->owner, v->store->profile->school) == 0;
}

/* A kind's number as two bytes, none of them NUL: it has up to three digits. */
#define HIGH_BITS(number) (char)(0x80 | (number) >> 7)
#define LOW_BITS(number) (char)(0x80 | ((number)&0x7F))

/* The kind and the key, or with `second` the same for the student number alone; NULL when there
 * is none. */
static char *index_key(struct arena *arena, const struct record *r, bool second)
{
	int year = kind_field_index(r->kind, "year"), no = kind_field_index(r->kind, "student_no");
	char text[128];

	if (!second) {
		char *key = record_key(r, arena);
		size_t n = key ? strlen(key) : 0;
		char *out = n ? arena_alloc(arena, n + 3) : NULL;
		if (out) { /* by hand: a view is as many of these as there are records */
			out[0] = HIGH_BITS(r->kind->number);
			out[1] = LOW_BITS(r->kind->number);
			memcpy(out + 2, key, n);
		}
		return out;
	}
	/* Only kinds whose key is "cert_no|student_no" have the second way. */
	if (no < 0 || !r->kind->key_count || r->kind->key[r->kind->key_count - 1].field[1] != no ||
		!record_has(r, no))
		return NULL;
	return arena_printf(arena, "%c%c%lld\x1fs=%s", HIGH_BITS(r->kind->number), LOW_BITS(r->kind->number),
		year < 0 ? 0 : (long long)record_number(r, year), record_text(r, no, text, sizeof text));
}

static enum err view_index(struct view *v, struct item *item)
{
	char *key = index_key(&v->arena, &item->record, false),
	     *second = index_key(&v->arena, &item->record, true);
	enum err e = v->arena.refused;

	if (!e && key && (!item->key || strcmp(item->key, key) != 0)) {
		item->key = key;
		e = index_add(v, v->by_key, hash_bytes(key, strlen(key)), key, item);
	}
	if (!e && second && (!item->second_key || strcmp(item->second_key, second) != 0)) {
		item->second_key = second;
		e = index_add(v, v->by_key, hash_bytes(second, strlen(second)), second, item);
	}
	return e;
}

static struct item *find_text(struct view *v, const char *key, bool ours)
{
	uint64_t hash = hash_bytes(key, strlen(key));
	struct node *at = v->by_key->n_slots ? v->by_key->slots[hash & (v->by_key->n_slots - 1)] : NULL;

	/* A node whose key the item no longer has stands for an earlier value. */
	for (; at; at = at->next)
		if (at->hash == hash && (at->key == at->item->key || at->key == at->item->second_key) &&
			strcmp(at->key, key) == 0 && at->item->live && (!ours || view_is_ours(v, at->item)))
			return at->item;
	return NULL;
}

struct item *view_find_key(struct view *v, const struct record *r, bool ours)
{
	struct arena arena;
	struct item *found = NULL;

	arena_init(&arena, 65536);
	char *key = index_key(&arena, r, false);
	if (key)
		found = find_text(v, key, ours);
	if (!found && (key = index_key(&arena, r, true)))
		found = find_text(v, key, ours);
	if (arena.refused)
		/* not the same as not found: outbox_put stores nothing then */
		v->arena.refused = arena.refused;
	arena_free(&arena);
	return found;
}

struct item *view_find_id(const struct view *v, const uint8_t id[ID_SIZE])
{
	uint64_t hash = hash_bytes(id, ID_SIZE);
	struct node *at = v->by_id->n_slots ? v->by_id->slots[hash & (v->by_id->n_slots - 1)] : NULL;

	for (; at; at = at->next)
		if (at->hash == hash && memcmp(at->item->id, id, ID_SIZE) == 0)
			return at->item;
	return NULL;
}

static struct item *view_add(struct view *v, const struct kind *kind, const uint8_t id[ID_SIZE])
{
	struct item *item = arena_alloc(&v->arena, sizeof *item);

	if (v->n == v->room) {
		size_t room = v->room ? v->room * 2 : 64;
		struct item **items = realloc(v->items, room * sizeof *items);
		if (!items)
			return NULL;
		v->items = items;
		v->room = room;
	}
	if (!item)
		return NULL;
	memcpy(item->id, id, ID_SIZE);
	record_init(&item->record, kind);
	item->owner = "";
	if (index_add(v, v->by_id, hash_bytes(id, ID_SIZE), NULL, item))
		return NULL;
	v->items[v->n++] = item;
	return item;
}

/* ---- Base rows ---- */

static enum err take_base_row(struct view *v, sqlite3_stmt *row, struct problem *p)
{
	struct store *s = v->store;
	const struct kind *kind = kind_by_number((uint32_t)sqlite3_column_int(row, 2));
	const uint8_t *id = sqlite3_column_blob(row, 1);
	size_t n = (size_t)sqlite3_column_bytes(row, 6);
	uint8_t *body = arena_alloc(&v->arena, n);

	if (!kind || !id || sqlite3_column_bytes(row, 1) != ID_SIZE)
		return problem_set(p, ERR_STORE, NULL, NULL, NULL);
	struct item *item = view_find_id(v, id);
	if (!item)
		item = view_add(v, kind, id);
	if (!item || !body)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	if (unseal_value(s->seal, "base", id, ID_SIZE, sqlite3_column_blob(row, 6), n, body))
		return problem_set(p, ERR_STORE, NULL, NULL, _("本机数据被改动或密钥不符"));
	enum err e = record_decode(&item->record, kind, body, n - SEAL_OVERHEAD, &v->arena, p);
	item->stream = sqlite3_column_int64(row, 0);
	item->ver = sqlite3_column_int64(row, 3);
	memcpy(item->gver, sqlite3_column_blob(row, 4), sizeof item->gver);
	const char *owner = (const char *)sqlite3_column_text(row, 5);
	item->owner = arena_text(&v->arena, owner, strlen(owner));
	item->live = item->in_base = true;
	return e || !item->owner ? ERR_NOMEM : view_index(v, item);
}

static enum err load_base(struct view *v, uint32_t kind, struct problem *p)
{
	sqlite3_stmt *row = store_prepare(v->store,
		"SELECT stream, id, kind, ver, gver, owner, body"
		" FROM base"
		" WHERE kind = ?"
		" ORDER BY stream, id",
		p);
	enum err e = row ? ERR_OK : store_error(v->store, p);
	int code = SQLITE_DONE;

	if (row)
		sqlite3_bind_int(row, 1, (int)kind);
	while (!e && (code = sqlite3_step(row)) == SQLITE_ROW)
		e = take_base_row(v, row, p);
	if (!e && code != SQLITE_DONE)
		e = store_error(v->store, p);
	sqlite3_finalize(row);
	return e;
}

/* ---- Own operations ---- */

enum err view_overlay(struct view *v, const void *bytes, size_t n, struct item **out)
{
	const ProtobufCMessage *message;
	struct merge_state state = {0};
	struct merge_op op = {0};
	enum err e = envelope_unpack(&pb_op_desc, bytes, n, &v->arena, &message, NULL);

	if (e)
		return e;
	const pb_op *o = (const pb_op *)message;
	const struct kind *kind = kind_by_number(o->kind);
	if (!kind || o->id.len != ID_SIZE)
		return ERR_STORE;
	struct item *item = view_find_id(v, o->id.data);
	if (!item && !(item = view_add(v, kind, o->id.data)))
		return ERR_NOMEM;
	op.del = o->action == JINGGUAN__V1__ACTION__DEL;
	if (!op.del && (e = record_decode(&op.body, kind, o->body.data, o->body.len, &v->arena, NULL)))
		return e;
	for (size_t i = 0; i < o->n_seen; i++)
		op.groups |= 1u << (o->seen[i]->group - 1);
	if (!op.del && !o->n_seen)
		op.groups = record_groups(&op.body);
	state.exists = item->live;
	state.record = item->record;
	sync_overlay(&state, &op);
	item->record = state.record;
	item->live = !state.deleted;
	if (!item->in_base && !*item->owner)
		item->owner = v->store->profile->school;
	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
		if (op.del || op.groups >> g & 1)
			item->own_op[g] = o->op_no;
	*out = item;
	return view_index(v, item);
}

static enum err take_op_row(struct view *v, sqlite3_stmt *row, struct problem *p)
{
	int64_t n = sqlite3_column_int64(row, 0);
	size_t size = (size_t)sqlite3_column_bytes(row, 2);
	uint8_t *bytes = arena_alloc(&v->arena, size);
	struct item *item;

	if (!bytes)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	enum err e = unseal_value(
		v->store->seal, "outbox", &n, sizeof n, sqlite3_column_blob(row, 2), size, bytes);
	if (!e)
		e = view_overlay(v, bytes, size - SEAL_OVERHEAD, &item);
	if (e)
		return problem_set(p, e, NULL, NULL, _("待发内容读不出"));
	if (sqlite3_column_int(row, 1) != OP_ACCEPTED) {
		item->pending = true;
		return ERR_OK;
	}
	/* Acknowledged and not yet pulled: the answer told the versions. */
	memset(item->own_op, 0, sizeof item->own_op);
	if (sqlite3_column_bytes(row, 3) == sizeof item->gver) {
		memcpy(item->gver, sqlite3_column_blob(row, 3), sizeof item->gver);
		item->ver = sqlite3_column_int64(row, 4);
	}
	return ERR_OK;
}

static enum err load_ops(struct view *v, uint32_t kind, struct problem *p)
{
	sqlite3_stmt *row = store_prepare(v->store,
		/* OR and not IN, for which SQLite would make a table in memory, once a kind and view. */
		"SELECT n, state, bytes, gver, ver FROM outbox"
		" WHERE kind = ?1 AND (state = " SQL_WAITING " OR state = " SQL_UNKNOWN
		" OR (state = " SQL_ACCEPTED " AND settled = 0))"
		" ORDER BY n",
		p);
	enum err e = row ? ERR_OK : store_error(v->store, p);
	int code = SQLITE_DONE;

	if (row)
		sqlite3_bind_int(row, 1, (int)kind);
	while (!e && (code = sqlite3_step(row)) == SQLITE_ROW)
		e = take_op_row(v, row, p);
	if (!e && code != SQLITE_DONE)
		e = store_error(v->store, p);
	sqlite3_finalize(row);
	return e;
}

enum err view_load(struct view **out, struct store *store, const uint32_t *kinds, struct problem *p)
{
	struct view *v = calloc(1, sizeof *v);
	enum err e = ERR_OK;

	*out = NULL;
	if (v)
		v->by_id = calloc(2, sizeof *v->by_id);
	if (!v || !v->by_id) {
		view_free(v);
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	}
	v->by_key = v->by_id + 1;
	v->store = store;
	arena_init(&v->arena, VIEW_BYTES);
	for (; !e && *kinds; kinds++) {
		e = load_base(v, *kinds, p);
		if (!e)
			e = load_ops(v, *kinds, p);
	}
	if (e)
		view_free(v);
	else
		*out = v;
	return e;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	if (v->by_id) {
		free(v->by_id->slots);
		free(v->by_key->slots);
	}
	free(v->by_id); /* and by_key beside it */
	free(v->items);
	arena_free(&v->arena);
	free(v);
}
