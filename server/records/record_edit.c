#include "record_edit.h"

#include <assert.h>
#include <string.h>

#include "clock.h"

bool record_edits_begin(struct record_edits *x, struct request *r, size_t n)
{
	memset(x, 0, sizeof *x);
	x->part.effect = arena_alloc(&r->arena, sizeof *x->part.effect * (n + 1));
	x->room = n;
	snprintf(x->part.author, sizeof x->part.author, "%s", r->caller.user);
	memcpy(x->part.device, r->caller.device, ID_SIZE);
	return x->part.effect;
}

static struct effect *next(struct record_edits *x)
{
	assert(x->part.count < x->room);
	struct effect *e = &x->part.effect[x->part.count];
	memset(e, 0, sizeof *e);
	e->last = true;
	return e;
}

struct stored *record_edit(struct record_edits *x, const struct kind *kind, const struct stored *before)
{
	struct effect *e = next(x);

	if (before) {
		e->before = e->after = *before;
		return &e->after;
	}
	e->fresh = true;
	e->after.kind = kind;
	record_init(&e->after.state.record, kind);
	id_make(e->after.id, clock_now_us());
	return &e->after;
}

bool record_edit_end(struct record_edits *x)
{
	struct effect *e = &x->part.effect[x->part.count];
	struct merge_state *now = &e->after.state;

	for (unsigned g = 1; g <= e->after.kind->group_count; g++)
		if (e->fresh ? record_groups(&now->record) >> (g - 1) & 1
			     : !record_same_group(&now->record, &e->before.state.record, g)) {
			e->changed |= 1u << (g - 1);
			now->gver[g - 1]++;
		}
	if (!e->changed)
		return false;
	now->exists = true;
	now->ver++;
	x->part.count++;
	return true;
}

void record_edit_delete(struct record_edits *x, const struct stored *before)
{
	struct effect *e = next(x);

	e->before = e->after = *before;
	e->after.state.deleted = true;
	e->after.state.ver++;
	e->after.other[0] = 0;
	e->changed = UINT32_MAX;
	x->part.count++;
}

const struct stored *record_edited(const struct record_edits *x, size_t i)
{
	return &x->part.effect[i].after;
}

void record_edits_commit(struct record_edits *x, struct request *r, request_fn then)
{
	enum err e =
		x->part.count ? effects_send(&r->task, r->worker->server->conf.county, &x->part, 1) : ERR_OK;

	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, then);
}
