#include "decide.h"

#include <string.h>

#include "check.h"
#include "cycle.h"

bool decide_needed(const struct op_row *row)
{
	return row->state == OP_REFUSED || row->state == OP_DRAFT || row->state == OP_BLOCKED ||
	       row->state == OP_CONFLICT;
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
			tr("jg conflicts list 列出冲突", "jg conflicts list shows them"),
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
		e = outbox_put(v, &item, want, UINT32_MAX, 0, p);
	return e ? e : conflict_take_theirs(v, x, p);
}

enum err conflict_take_mine(struct view *v, const struct conflict *x, struct problem *p)
{
	struct item *item = conflict_theirs(v, &x->row);

	if (!item)
		return deleted(p);
	if (x->row.del) {
		enum err e = outbox_delete(v, item, 0, p);
		return e ? e : conflict_take_theirs(v, x, p);
	}
	struct record want = item->record;
	record_take_groups(&want, &x->mine, x->groups);
	outbox_keep_hook(v, item, &want);
	return conflict_take_fields(v, x, &want, p);
}

enum err decide_again(struct view *v, const struct op_row *row, const struct record *body, uint32_t groups,
	struct problem *p)
{
	struct item *item = view_find_id(v, row->id);
	struct record want;
	enum err e;

	if (!item || !item->live)
		item = NULL;
	if (row->del) {
		e = item ? outbox_delete_hangers(v, item->id, p) : ERR_OK;
		if (!e && item)
			e = outbox_delete(v, item, 0, p);
	} else {
		record_init(&want, row->kind);
		if (item)
			want = item->record;
		record_take_groups(&want, body, groups);
		if (item)
			outbox_keep_hook(v, item, &want);
		e = check_record(&want, true, profile_today(v->store->profile), p);
		if (!e)
			e = outbox_put(v, &item, &want, UINT32_MAX, 0, p);
		if (!e && item &&
			memcmp(item->id, row->id, ID_SIZE) != 0) /* what never came to be is made anew */
			e = outbox_move_hangers(v, row->id, item->id, p);
	}
	return e ? e : outbox_set_state(v->store, row->n, OP_DONE, p);
}

enum err decide_aside(struct store *s, const uint32_t *kinds, const struct op_row *row, struct problem *p)
{
	struct view *v = NULL;
	enum err e = outbox_set_state(s, row->n, OP_DONE, p);

	/* What this computer shows is to be asked without the operation. */
	if (!e)
		e = view_load(&v, s, kinds, p);
	const struct item *item = e ? NULL : view_find_id(v, row->id);
	if (!e && (!item || !item->live))
		e = outbox_delete_hangers(v, row->id, p);
	if (!e)
		e = outbox_drop_unhooked(v, row->id, p);
	view_free(v);
	return e;
}
