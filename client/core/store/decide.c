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

/* ---- deciding ---- */

enum err decide_take_theirs(struct view *v, const struct conflict *x, struct problem *p)
{
	enum err e = outbox_set_state(v->store, x->row.n, OP_DONE, p);

	if (!e && x->row.has_duplicate)
		e = decide_theirs(v, &x->row) ? outbox_move_children(v, x->row.id, x->row.duplicate_of, p)
					      : outbox_delete_children(v, x->row.id, p);
	for (const struct decide_behind *behind = x->behind; !e && behind; behind = behind->next)
		e = outbox_set_state(v->store, behind->n, OP_DONE, p);
	return e ? e : outbox_drop_orphaned(v, x->row.id, p);
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
	return e ? e : decide_take_theirs(v, x, p);
}

enum err decide_take_mine(struct view *v, const struct conflict *x, struct problem *p)
{
	struct item *item = decide_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	if (x->row.del) {
		enum err e = outbox_delete(v, item, x->batch, p);
		return e ? e : decide_take_theirs(v, x, p);
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
		e = outbox_delete_children(v, item->id, p);
		if (!e)
			e = outbox_delete(v, item, 0, p);
	}
	return e ? e : outbox_set_state(v->store, row->n, OP_DONE, p);
}

/* Operations that are let go, and what else waits about their records: later changes, and what hangs on
 * them. */
struct leaving {
	struct store *store;
	struct gone {
		int64_t n;
		uint8_t id[ID_SIZE];
		bool lives; /* the record, without the operation */
	} * list;
	size_t n, room;
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
	l->list[l->n] = (struct gone){.n = row->n};
	memcpy(l->list[l->n++].id, row->id, ID_SIZE);
	return outbox_set_state(l->store, row->n, OP_DONE, l->p);
}

static enum err let_each_go(void *data, const struct op_row *row)
{
	return let_go(data, row);
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

	for (size_t i = 0; !e && i < l->n; i++) {
		const struct item *item = view_find_id(v, l->list[i].id);
		l->list[i].lives = item && item->live;
		if (!l->list[i].lives)
			e = outbox_delete_children(v, l->list[i].id, l->p);
	}
	if (!e)
		e = outbox_each(l->store, OP_STATES_OPEN, 0, leave_with_it, l, l->p);
	/* Also what only was to be moved to a record that is not to be, and hangs on one that never came to
	 * be. */
	for (size_t i = 0; !e && i < l->n; i++)
		e = outbox_drop_orphaned(v, l->list[i].id, l->p);
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

enum err decide_aside_all(struct store *s, const uint32_t *kinds, int64_t batch, size_t *n, struct problem *p)
{
	struct leaving l = {.store = s, .p = p};
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
