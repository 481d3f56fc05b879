#include "decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lang.h"
#include "lint.h"
#include "way.h"

bool decide_needed(const struct op_row *row)
{
	return OP_STATES_OPEN >> row->state & 1;
}

const struct record *decide_about(const struct view *v, const struct op_row *row)
{
	const struct item *item = view_find_id(v, row->id);

	if (item && item->live)
		return &item->record;
	return row->prev.kind ? &row->prev : &row->body;
}

const uint8_t *decide_conflict_id(const struct op_row *row)
{
	return row->has_duplicate ? row->duplicate_of : row->id;
}

struct item *decide_theirs(struct view *v, const struct op_row *row)
{
	struct item *item = view_find_id(v, decide_conflict_id(row));

	return item && item->live ? item : NULL;
}

/* ---- reading ---- */

struct reading {
	struct conflict *x;
	struct arena *arena;
	struct decide_behind **end;
};

static enum err add_blocked(void *data, const struct op_row *row)
{
	struct reading *reading = data;
	struct conflict *x = reading->x;
	struct buf body = {0};
	struct record r;

	if (row->n <= x->row.n || memcmp(row->id, x->row.id, ID_SIZE) != 0 || row->del)
		return ERR_OK;
	record_encode(&row->body, &body);
	void *copy = arena_copy(reading->arena, body.len ? body.data : (const uint8_t *)"", body.len);
	struct decide_behind *behind = arena_alloc(reading->arena, sizeof *behind);
	enum err e = copy && behind && !body.failed
		? record_decode(&r, row->kind, copy, body.len, reading->arena, NULL)
		: ERR_NOMEM;
	buf_free(&body);
	if (e)
		return e;
	record_take_groups(&x->mine, &r, row->groups);
	x->groups |= row->groups;
	*behind = (struct decide_behind){.n = row->n};
	*reading->end = behind;
	reading->end = &behind->next;
	return ERR_OK;
}

enum err decide_read_conflict(
	struct view *v, int64_t n, struct arena *arena, struct conflict *x, struct problem *p)
{
	struct reading reading = {x, arena, &x->behind};

	*x = (struct conflict){0};
	enum err e = outbox_read(v->store, n, arena, &x->row, p);
	if (e && e != ERR_NOT_FOUND)
		return e;
	if (e || x->row.state != OP_CONFLICT)
		return problem_set(p, ERR_NOT_FOUND, NULL,
			way_hint(_("%s 列出冲突；本机其他的修改用 %s 看"), way("conflicts"), way("outbox")),
			_("第 %lld 项没有冲突"), (long long)n);
	x->mine = x->row.body;
	x->groups = x->row.groups;
	return outbox_each(v->store, 1u << OP_BLOCKED, 0, add_blocked, &reading, p);
}

/* ---- what comes back with a deletion that is given up ---- */

/* Children were deleted before their record, and the county has taken that: they are made anew, for no id comes
 * back. What a batch deleted was deleted together. */
struct returning {
	struct view *view;
	struct place {
		uint8_t from[ID_SIZE], to[ID_SIZE]; /* the parent, as it was and as it is */
		int64_t batch;
	} * list;
	size_t n, room, first; /* first: of those whose children are looked for now */
	size_t back;
	struct problem *p;
};

static enum err returns_to(
	struct returning *r, const uint8_t from[ID_SIZE], const uint8_t to[ID_SIZE], int64_t batch)
{
	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 16;
		struct place *more = realloc(r->list, room * sizeof *more);
		if (!more)
			return problem_set(r->p, ERR_NOMEM, NULL, NULL, NULL);
		r->list = more;
		LINT_KEPT(more);
		r->room = room;
	}
	struct place *place = &r->list[r->n++];
	memcpy(place->from, from, ID_SIZE);
	memcpy(place->to, to, ID_SIZE);
	place->batch = batch;
	return ERR_OK;
}

static const struct place *place_of(const struct returning *r, const struct op_row *row, size_t until)
{
	int of = row->kind->of;
	const struct value *to = row->del && row->prev.kind && of >= 0 ? &row->prev.value[of] : NULL;

	for (size_t i = r->first; to && to->len == ID_SIZE && i < until; i++)
		if (r->list[i].batch == row->batch && memcmp(r->list[i].from, to->data, ID_SIZE) == 0)
			return &r->list[i];
	return NULL;
}

static enum err bring_one(void *data, const struct op_row *row)
{
	struct returning *r = data;
	const struct place *place = place_of(r, row, r->n);
	struct item *item = view_find_id(r->view, row->id);

	if (!place || (item && item->live))
		return ERR_OK;
	struct record want = row->prev;
	record_set_bytes(&want, row->kind->of, place->to, ID_SIZE);
	item = view_find_key(r->view, &want, true);
	if (item) /* somebody has entered it again meanwhile */
		return ERR_OK;
	enum err e = outbox_put(r->view, &item, &want, UINT32_MAX, 0, r->p);
	r->back += !e;
	return e || !item ? e : returns_to(r, row->id, item->id, row->batch);
}

static enum err bring_back(struct returning *r)
{
	enum err e = ERR_OK;

	for (size_t until = 0; !e && until < r->n;) {
		until = r->n;
		e = outbox_each(r->view->store, 1u << OP_WAITING | 1u << OP_UNKNOWN | 1u << OP_ACCEPTED, 0,
			bring_one, r, r->p);
		r->first = until;
	}
	free(r->list);
	return e;
}

/* ---- deciding ---- */

static enum err end_conflict(struct view *v, const struct conflict *x, struct problem *p)
{
	enum err e = outbox_set_state(v->store, x->row.n, OP_DONE, p);

	if (!e && x->row.has_duplicate)
		e = decide_theirs(v, &x->row) ? outbox_move_children(v, x->row.id, x->row.duplicate_of, p)
					      : outbox_delete_children(v, x->row.id, 0, p);
	for (const struct decide_behind *behind = x->behind; !e && behind; behind = behind->next)
		e = outbox_set_state(v->store, behind->n, OP_DONE, p);
	return e ? e : outbox_drop_orphaned(v, x->row.id, p);
}

enum err decide_take_theirs(struct view *v, struct conflict *x, struct problem *p)
{
	struct returning r = {.view = v, .p = p};
	const struct item *stays = x->row.del && x->row.batch ? decide_theirs(v, &x->row) : NULL;
	enum err e = end_conflict(v, x, p);

	if (!e && stays && !(e = returns_to(&r, x->row.id, stays->id, x->row.batch)))
		e = bring_back(&r);
	x->back = r.back;
	return e;
}

static enum err deleted(struct problem *p)
{
	return problem_set(p, ERR_NOT_FOUND, NULL, _("用 theirs 结束，或重新录入"), _("对方已删除这条记录"));
}

enum err decide_take_fields(
	struct view *v, const struct conflict *x, const struct record *want, struct problem *p)
{
	struct item *item = decide_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	enum err e = check_record(want, true, profile_today(v->store->profile), p);
	if (!e)
		e = outbox_put(v, &item, want, UINT32_MAX, x->batch, p);
	return e ? e : end_conflict(v, x, p);
}

enum err decide_take_mine(struct view *v, const struct conflict *x, struct problem *p)
{
	struct item *item = decide_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	if (x->row.del) {
		enum err e = outbox_delete(v, item, x->batch, p);
		return e ? e : end_conflict(v, x, p);
	}
	struct record want = item->record;
	record_take_groups(&want, &x->mine, x->groups);
	outbox_keep_parent(v, item, &want);
	return decide_take_fields(v, x, &want, p);
}

/* What the record `id` waits for is decided first: it cannot be sent before. */
static enum err first_of_all(
	const struct view *v, const uint8_t id[ID_SIZE], int64_t before, struct problem *p)
{
	char hint[HINT_SIZE];
	enum op_state state;
	int64_t n;
	enum err e = outbox_open_of(v->store, id, &n, &state, p);

	if (e || !n || n >= before)
		return e;
	if (state == OP_CONFLICT)
		snprintf(hint, sizeof hint, _("先决定它：%s，再办这一项"), way("conflicts"));
	else
		snprintf(hint, sizeof hint, _("先办它：%s %lld，再办这一项"), way("fix"), (long long)n);
	return problem_set(p, ERR_NOT_NOW, NULL, hint, _("这一项所依据的第 %lld 项还没有办"), (long long)n);
}

/* What it hangs on may have another id by now, or be nothing yet. */
static enum err hang_on_standing(const struct view *v, struct record *want, struct problem *p)
{
	const struct value *to = want->kind->of < 0 ? NULL : &want->value[want->kind->of];
	struct item *on;

	if (!to || !record_has(want, want->kind->of) || to->len != ID_SIZE)
		return ERR_OK;
	enum err e = outbox_find_standing(v, to->data, &on, p);
	if (!e && on)
		record_set_bytes(want, want->kind->of, on->id, ID_SIZE);
	return e || on ? e : first_of_all(v, to->data, INT64_MAX, p);
}

static enum err put_again(struct view *v, const struct op_row *row, struct item *item,
	const struct record *body, uint32_t groups, struct problem *p)
{
	enum err e = item ? ERR_OK : first_of_all(v, row->id, row->n, p);
	struct record want;

	record_init(&want, row->kind);
	if (item)
		want = item->record;
	record_take_groups(&want, body, groups);
	if (!e)
		e = hang_on_standing(v, &want, p);
	if (!e && item)
		outbox_keep_parent(v, item, &want);
	if (!e)
		e = check_record(&want, true, profile_today(v->store->profile), p);
	if (!e)
		e = outbox_put(v, &item, &want, UINT32_MAX, 0, p);
	if (e || !item || memcmp(item->id, row->id, ID_SIZE) == 0)
		return e;
	/* What never came to be is made anew. */
	e = outbox_move_children(v, row->id, item->id, p);
	return e ? e : outbox_replaced(v->store, row->n, item->id, p);
}

enum err decide_again(struct view *v, const struct op_row *row, const struct record *body, uint32_t groups,
	struct problem *p)
{
	struct item *item;
	enum err e = outbox_find_standing(v, row->id, &item, p);

	if (!e && !row->del)
		e = put_again(v, row, item, body, groups, p);
	else if (!e && item) {
		e = outbox_delete_children(v, item->id, row->batch, p);
		if (!e)
			e = outbox_delete(v, item, row->batch, p);
	}
	return e ? e : outbox_set_state(v->store, row->n, OP_DONE, p);
}

/* ---- What is said anew ---- */

#define SAID_ARENA (4u << 20) /* a paper's copy as it was, as it was to be and as the server told it */

struct open_rows {
	const uint8_t *id;
	int64_t *n;
	size_t count, room;
	struct problem *p;
};

static enum err add_open(void *data, const struct op_row *row)
{
	struct open_rows *o = data;

	if (memcmp(row->id, o->id, ID_SIZE) != 0)
		return ERR_OK;
	if (o->count == o->room) {
		size_t room = o->room ? o->room * 2 : 16;
		int64_t *more = realloc(o->n, room * sizeof *more);
		if (!more)
			return problem_set(o->p, ERR_NOMEM, NULL, NULL, NULL);
		o->n = more;
		LINT_KEPT(more);
		o->room = room;
	}
	o->n[o->count++] = row->n;
	return ERR_OK;
}

/* One of them, before the new operation is queued, which takes the place of these groups; or behind it. */
static enum err settle_open(struct view *v, int64_t n, uint32_t groups, bool before, struct problem *p)
{
	struct op_row row;
	struct arena arena;

	arena_init(&arena, SAID_ARENA);
	enum err e = outbox_read(v->store, n, &arena, &row, p);
	bool replaced = !e && !row.del && row.groups & groups;
	if (!e && before && replaced)
		e = outbox_set_state(v->store, n, OP_DONE, p);
	else if (!e && !before && row.state == OP_BLOCKED)
		e = decide_again(v, &row, &row.body, row.groups, p);
	arena_free(&arena);
	return e;
}

enum err decide_anew(struct view *v, struct item *item, const struct record *want, struct problem *p)
{
	struct open_rows open = {.id = item->id, .p = p};
	uint32_t groups = outbox_changed_groups(item, want);
	enum err e = outbox_each(v->store, OP_STATES_OPEN, 0, add_open, &open, p);

	for (size_t i = 0; !e && i < open.count; i++)
		e = settle_open(v, open.n[i], groups, true, p);
	if (!e)
		e = outbox_put(v, &item, want, UINT32_MAX, 0, p);
	for (size_t i = 0; !e && i < open.count; i++)
		e = settle_open(v, open.n[i], groups, false, p);
	free(open.n);
	return e;
}

/* Operations that are let go, and what else waits about their records: later changes, and what hangs on
 * them. */
struct leaving {
	struct store *store;
	struct gone {
		int64_t n;
		uint8_t id[ID_SIZE];
		bool lives;      /* the record, without the operation */
		int64_t deleted; /* the batch in which the operation deleted it, 0: it did not */
	} * list;
	size_t n, room;
	const char *author; /* of what leaves; NULL: of anybody */
	struct problem *p;
};

static enum err let_go(struct leaving *l, const struct op_row *row)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct gone *more = realloc(l->list, room * sizeof *more);
		if (!more)
			return problem_set(l->p, ERR_NOMEM, NULL, NULL, NULL);
		l->list = more;
		LINT_KEPT(more);
		l->room = room;
	}
	l->list[l->n] = (struct gone){.n = row->n, .deleted = row->del ? row->batch : 0};
	memcpy(l->list[l->n++].id, row->id, ID_SIZE);
	return outbox_set_state(l->store, row->n, OP_DONE, l->p);
}

static enum err let_each_go(void *data, const struct op_row *row)
{
	struct leaving *l = data;

	return l->author && strcmp(row->author, l->author) != 0 ? ERR_OK : let_go(l, row);
}

static enum err leave_with_it(void *data, const struct op_row *row)
{
	struct leaving *l = data;
	int parent = row->kind->of;
	const struct value *to = parent < 0 ? NULL : &row->body.value[parent];
	bool leaves = false, hangs = to && record_has(&row->body, parent) && to->len == ID_SIZE;

	for (size_t i = 0; !leaves && i < l->n; i++)
		leaves = !l->list[i].lives &&
			((hangs && memcmp(to->data, l->list[i].id, ID_SIZE) == 0) ||
				(row->n > l->list[i].n && memcmp(row->id, l->list[i].id, ID_SIZE) == 0));
	enum err e = leaves ? let_go(l, row) : ERR_OK;
	if (leaves && !e)
		l->list[l->n - 1].lives = true; /* nothing leaves with it in its turn */
	return e;
}

static enum err leave_behind(struct leaving *l, const uint32_t *kinds)
{
	struct view *v = NULL;
	/* What this computer shows is to be asked without the operations. */
	enum err e = view_load(&v, l->store, kinds, l->p);
	struct returning r = {.view = v, .p = l->p};

	for (size_t i = 0; !e && i < l->n; i++) {
		const struct item *item = view_find_id(v, l->list[i].id);
		l->list[i].lives = item && item->live;
		if (l->list[i].lives && l->list[i].deleted)
			e = returns_to(&r, l->list[i].id, l->list[i].id, l->list[i].deleted);
		if (!l->list[i].lives)
			e = outbox_delete_children(v, l->list[i].id, 0, l->p);
	}
	if (!e)
		e = outbox_each(l->store, OP_STATES_OPEN, 0, leave_with_it, l, l->p);
	/* Also what only was to be moved to a record that is not to be, and hangs on one that never came to
	 * be. */
	for (size_t i = 0; !e && i < l->n; i++)
		e = outbox_drop_orphaned(v, l->list[i].id, l->p);
	if (!e)
		e = bring_back(&r);
	else
		free(r.list);
	view_free(v);
	free(l->list);
	return e;
}

enum err decide_aside(struct store *s, const uint32_t *kinds, const struct op_row *row, struct problem *p)
{
	struct leaving l = {.store = s, .p = p};
	enum err e = let_go(&l, row);

	return e ? e : leave_behind(&l, kinds);
}

#define NOT_TAKEN (1u << OP_REFUSED | 1u << OP_BLOCKED | 1u << OP_DRAFT)

enum err decide_aside_all(struct store *s, const uint32_t *kinds, int64_t batch, const char *author,
	size_t *n, struct problem *p)
{
	struct leaving l = {.store = s, .author = author, .p = p};
	enum err e = outbox_each(s, NOT_TAKEN, batch, let_each_go, &l, p);

	*n = l.n;
	if (!e && l.n)
		return leave_behind(&l, kinds);
	free(l.list);
	return e;
}

struct retyping {
	struct view *view;
	struct problem *p;
};

static enum err settle_retyped(void *data, const struct op_row *row)
{
	struct retyping *t = data;
	struct item *item = view_find_id(t->view, row->id), *on = NULL;
	struct record body = row->body;
	int parent = row->kind->of;
	enum err e = ERR_OK;

	if (row->del)
		return ERR_OK;
	if (!item || !item->live) {
		if (parent >= 0 && record_has(&body, parent) && body.value[parent].len == ID_SIZE)
			e = outbox_find_standing(t->view, body.value[parent].data, &on, t->p);
		if (on)
			record_set_bytes(&body, parent, on->id, ID_SIZE);
		item = row->groups & 1 ? view_find_key(t->view, &body, true)
				       : NULL; /* the key is of group 1 */
	}
	if (e || !item || item->record.kind != row->kind)
		return e;
	for (unsigned g = 1; g <= row->kind->group_count; g++)
		if (row->groups >> (g - 1) & 1 && !record_same_group(&item->record, &body, g))
			return ERR_OK;
	e = outbox_set_state(t->view->store, row->n, OP_DONE, t->p);
	if (!e && memcmp(item->id, row->id, ID_SIZE) != 0)
		e = outbox_replaced(t->view->store, row->n, item->id, t->p);
	return e;
}

enum err decide_retyped(struct view *v, struct problem *p)
{
	struct retyping t = {v, p};

	return outbox_each(v->store, NOT_TAKEN, 0, settle_retyped, &t, p);
}
