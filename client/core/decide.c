#include "decide.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "way.h"

#define DECIDE_STATES (1u << OP_REFUSED | 1u << OP_DRAFT | 1u << OP_BLOCKED | 1u << OP_CONFLICT)

bool decide_needed(const struct op_row *row)
{
	return DECIDE_STATES >> row->state & 1;
}

const uint8_t *conflict_id(const struct op_row *row)
{
	return row->has_duplicate ? row->duplicate_of : row->id;
}

struct item *conflict_theirs(struct view *v, const struct op_row *row)
{
	struct item *item = view_find_id(v, conflict_id(row));

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

enum err conflict_read(struct view *v, int64_t n, struct arena *arena, struct conflict *x, struct problem *p)
{
	struct reading reading = {x, arena, &x->behind};

	*x = (struct conflict){0};
	enum err e = outbox_read(v->store, n, arena, &x->row, p);
	if (e)
		return e;
	if (x->row.state != OP_CONFLICT)
		return problem_set(p, ERR_NOT_FOUND, NULL,
			way_hint(tr("%s 列出冲突", "%s shows them"), way("conflicts")),
			tr("第 %lld 项没有冲突", "item %lld is no conflict"), (long long)n);
	x->mine = x->row.body;
	x->groups = x->row.groups;
	return outbox_each(v->store, 1u << OP_BLOCKED, 0, add_blocked, &reading, p);
}

/* ---- deciding ---- */

enum err conflict_take_theirs(struct view *v, const struct conflict *x, struct problem *p)
{
	enum err e = outbox_set_state(v->store, x->row.n, OP_DONE, p);

	if (!e && x->row.has_duplicate)
		e = conflict_theirs(v, &x->row) ? outbox_move_hangers(v, x->row.id, x->row.duplicate_of, p)
						: outbox_delete_hangers(v, x->row.id, p);
	for (const struct decide_behind *behind = x->behind; !e && behind; behind = behind->next)
		e = outbox_set_state(v->store, behind->n, OP_DONE, p);
	return e ? e : outbox_drop_unhooked(v, x->row.id, p);
}

static enum err deleted(struct problem *p)
{
	return problem_set(p, ERR_NOT_FOUND, NULL,
		tr("用 theirs 结束，或重新录入", "resolve with theirs, or enter it anew"),
		tr("对方已删除这条记录", "the record has been deleted"));
}

enum err conflict_take_fields(
	struct view *v, const struct conflict *x, const struct record *want, struct problem *p)
{
	struct item *item = conflict_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	enum err e = check_record(want, true, profile_today(v->store->profile), p);
	if (!e)
		e = outbox_put(v, &item, want, UINT32_MAX, x->batch, p);
	return e ? e : conflict_take_theirs(v, x, p);
}

enum err conflict_take_mine(struct view *v, const struct conflict *x, struct problem *p)
{
	struct item *item = conflict_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	if (x->row.del) {
		enum err e = outbox_delete(v, item, x->batch, p);
		return e ? e : conflict_take_theirs(v, x, p);
	}
	struct record want = item->record;
	record_take_groups(&want, &x->mine, x->groups);
	outbox_keep_hook(v, item, &want);
	return conflict_take_fields(v, x, &want, p);
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
		snprintf(hint, sizeof hint,
			tr("先决定它：%s，再办这一项", "decide that first: %s, and then see to this one"),
			way("conflicts"));
	else
		snprintf(hint, sizeof hint,
			tr("先办它：%s %lld，再办这一项", "see to that first: %s %lld, and then to this one"),
			way("fix"), (long long)n);
	return problem_set(p, ERR_NOT_NOW, NULL, hint,
		tr("这一项所依据的第 %lld 项还没有办", "item %lld, on which this one rests, is still open"),
		(long long)n);
}

/* What it hangs on may have another id by now, or be nothing yet. */
static enum err hang_on_standing(const struct view *v, struct record *want, struct problem *p)
{
	const struct value *to = want->kind->of < 0 ? NULL : &want->value[want->kind->of];
	struct item *on;

	if (!to || !record_has(want, want->kind->of) || to->len != ID_SIZE)
		return ERR_OK;
	enum err e = outbox_standing(v, to->data, &on, p);
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
		outbox_keep_hook(v, item, &want);
	if (!e)
		e = check_record(&want, true, profile_today(v->store->profile), p);
	if (!e)
		e = outbox_put(v, &item, &want, UINT32_MAX, 0, p);
	if (e || !item || memcmp(item->id, row->id, ID_SIZE) == 0)
		return e;
	/* What never came to be is made anew. */
	e = outbox_move_hangers(v, row->id, item->id, p);
	return e ? e : outbox_replaced(v->store, row->n, item->id, p);
}

enum err decide_again(struct view *v, const struct op_row *row, const struct record *body, uint32_t groups,
	struct problem *p)
{
	struct item *item;
	enum err e = outbox_standing(v, row->id, &item, p);

	if (!e && !row->del)
		e = put_again(v, row, item, body, groups, p);
	else if (!e && item) {
		e = outbox_delete_hangers(v, item->id, p);
		if (!e)
			e = outbox_delete(v, item, 0, p);
	}
	return e ? e : outbox_set_state(v->store, row->n, OP_DONE, p);
}

/* What else waits about a record that does not come to be: its own later changes, and what hangs on it. */
struct leaving {
	struct store *store;
	const struct op_row *row;
	struct problem *p;
};

static enum err leave_with_it(void *data, const struct op_row *row)
{
	const struct leaving *l = data;
	int hook = row->kind->of;
	const struct value *to = hook < 0 ? NULL : &row->body.value[hook];
	bool hangs = to && record_has(&row->body, hook) && to->len == ID_SIZE &&
		     memcmp(to->data, l->row->id, ID_SIZE) == 0,
	     later = row->n > l->row->n && memcmp(row->id, l->row->id, ID_SIZE) == 0;

	return hangs || later ? outbox_set_state(l->store, row->n, OP_DONE, l->p) : ERR_OK;
}

enum err decide_aside(struct store *s, const uint32_t *kinds, const struct op_row *row, struct problem *p)
{
	struct view *v = NULL;
	enum err e = outbox_set_state(s, row->n, OP_DONE, p);

	/* What this computer shows is to be asked without the operation. */
	if (!e)
		e = view_load(&v, s, kinds, p);
	const struct item *item = e ? NULL : view_find_id(v, row->id);
	if (!e && (!item || !item->live)) {
		struct leaving leaving = {s, row, p};
		e = outbox_delete_hangers(v, row->id, p);
		if (!e)
			e = outbox_each(s, DECIDE_STATES, 0, leave_with_it, &leaving, p);
	}
	if (!e)
		e = outbox_drop_unhooked(v, row->id, p);
	view_free(v);
	return e;
}
