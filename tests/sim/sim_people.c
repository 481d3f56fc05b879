/* The people at the schools' computers: what they type, what they decide, what they take back. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "decide.h"
#include "lineage_db.h"
#include "outbox.h"
#include "sim_count.h"
#include "sim_values.h"
#include "tables.h"
#include "view.h"

static struct problem typing; /* why it failed */

/* ---- what they type ---- */

/* How often each kind is typed. */
static unsigned shares[KIND_COUNT], all_shares;

/* Whether a school writes anything of it. */
static bool is_written(const struct kind *kind)
{
	bool writes = kind->owner == OWNER_SCHOOL;

	for (size_t i = 0; i < kind->field_count; i++)
		writes |= kind->owner == OWNER_SERVER && kind->fields[i].school_writes;
	return writes;
}

/* What others hang on most, and each history some kinds above the rest: so that computers meet. */
void people_begin(void)
{
	static const unsigned times[] = {1, 4, 16};

	all_shares = 0;
	for (size_t k = 0; k < kind_count; k++) {
		const struct kind *kind = &kind_table[k];
		if (!is_written(kind))
			shares[k] = 0;
		else if (kind->alone)
			shares[k] = 2;
		else if (lineage_has_children(kind))
			shares[k] = 12;
		else
			shares[k] = 4;
		shares[k] *= kind->alone ? 3 : times[draw(3)];
		all_shares += shares[k];
	}
}

static const struct kind *draw_kind(void)
{
	unsigned at = (unsigned)draw(all_shares);
	size_t k = 0;

	while (at >= shares[k])
		at -= shares[k++];
	return &kind_table[k];
}

/* Any live record that suits; NULL: there is none. */
static struct item *any_item(struct view *v,
	bool (*suits)(struct view *v, const struct item *item, const struct kind *kind, int field),
	const struct kind *kind, int field)
{
	struct item *found = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && suits(v, v->items[i], kind, field) && draw(++n) == 0)
			found = v->items[i];
	return found;
}

static bool is_own(struct view *v, const struct item *item, const struct kind *kind, int field)
{
	(void)field;
	return item->record.kind == kind && view_is_ours(v, item);
}

/* It was sent to this school, which has a half of it. */
static bool is_addressed(const struct view *v, const struct item *item)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct record *half = &v->items[i]->record;
		if (v->items[i]->live && half->kind->addressee >= 0 &&
			half->value[half->kind->of].len == ID_SIZE &&
			memcmp(half->value[half->kind->of].data, item->id, ID_SIZE) == 0 &&
			record_is(half, half->kind->addressee, v->store->profile->school))
			return true;
	}
	return false;
}

/* Records hang on what is this school's, or was sent to it; other fields name whatever it sees. */
static bool may_name(struct view *v, const struct item *item, const struct kind *kind, int field)
{
	return values_names(kind, field, item->record.kind) &&
		(field != kind->of || view_is_ours(v, item) || is_addressed(v, item));
}

static const uint8_t *name_one(void *data, const struct kind *kind, int field)
{
	const struct item *item = any_item(data, may_name, kind, field);

	return item ? item->id : NULL;
}

/* The groups that a school may change in a record that stands: one of them mostly. */
static uint32_t draw_groups(const struct kind *kind)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->owner == OWNER_SCHOOL || kind->fields[i].school_writes)
			groups |= 1u << (kind->fields[i].group - 1);
	uint32_t one = 1u << draw(kind->group_count);
	return groups & one && chance(700) ? one : groups;
}

static enum err change(struct view *v, const struct writer *w, struct item **item)
{
	static struct words words;
	struct record want = (*item)->record;

	if (want.kind->append_only)
		return ERR_OK;
	values_redraw(w, &want, draw_groups(want.kind), 10, &words);
	return outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

/* As often as not it is there already: its key is one of few. */
static enum err put(struct view *v, const struct writer *w, const struct kind *kind, struct item **item)
{
	static struct words words;
	struct record want;

	if (kind->owner != OWNER_SCHOOL)
		*item = any_item(v, is_own, kind, -1);
	else if (values_draw(w, kind, &want, &words))
		*item = view_find_key(v, &want, true);
	else
		return ERR_OK;
	if (*item || kind->owner != OWNER_SCHOOL)
		return *item ? change(v, w, item) : ERR_OK;
	enum err e = check_record(&want, true, profile_today(v->store->profile), &typing);
	demand(!e, "model", "a %s is typed that cannot be: %s %s", kind->table, typing.field, typing.message);
	return outbox_put(v, item, &want, UINT32_MAX, 0, &typing);
}

static enum err type_one(struct client *c, struct view *v, struct item **item)
{
	const struct writer w = {c->profile.session.user, c->profile.school, name_one, v};
	const struct kind *kind = draw_kind();

	*item = NULL;
	if (kind->owner != OWNER_SCHOOL || kind->permanent || chance(850))
		return put(v, &w, kind, item);
	*item = any_item(v, is_own, kind, -1);
	enum err e = *item ? outbox_delete_children(v, (*item)->id, 0, &typing) : ERR_OK;
	return e || !*item ? e : outbox_delete(v, *item, 0, &typing);
}

/* I6: what was saved is what is shown. */
static void check_shown(struct client *c, const struct item *typed)
{
	const uint32_t kind[] = {typed->record.kind->number, 0};
	struct view *v;
	const struct item *seen;

	if (!looks())
		return;
	if (view_load(&v, c->store, kind, NULL))
		return; /* its disk refuses */
	seen = view_find_id(v, typed->id);
	demand(seen && seen->live == typed->live, "I6", "an own write is not shown");
	for (unsigned g = 1; typed->live && g <= typed->record.kind->group_count; g++)
		demand(record_same_group(&seen->record, &typed->record, g), "I6",
			"an own write is not shown as it was typed");
	view_free(v);
}

/* Stores what a person did, or takes it back; the fault that was armed for it is over. */
static enum err save_or_not(struct client *c, enum err e)
{
	if (!e)
		e = store_commit(c->store, &typing);
	else
		store_rollback(c->store);
	c->short_of_memory = memory_disarm();
	check_at_rest(c);
	return e;
}

void people_type(struct client *c)
{
	unsigned n = chance(100) ? (unsigned)draw_between(2, 20) : 1; /* a file, or a line */
	typing = (struct problem){0};
	struct item *item = NULL, *last = NULL;
	struct view *v;
	enum err e;

	memory_arm(CLIENT_SHORT, 12);
	if (view_load(&v, c->store, kinds_all, NULL)) {
		memory_disarm();
		return;
	}
	e = store_begin(c->store, &typing);
	for (unsigned i = 0; !e && i < n; i++) {
		item = NULL;
		/* Some kinds need a record to name. */
		for (unsigned tries = 0; !e && !item && tries < 3; tries++)
			e = type_one(c, v, &item);
		last = item ? item : last;
	}
	e = save_or_not(c, e);
	demand(!e || disk_hurt(c->no) || c->short_of_memory, "C1",
		"typing failed on a disk that is well: %s %s", err_info((int)e)->name, typing.message);
	if (!e) {
		sim_trace("typed", c->no, c->store->made);
		world.ops_left -= world.ops_left < n ? world.ops_left : n;
		check_typed(c);
		if (last)
			check_shown(c, last);
	}
	view_free(v);
}

/* ---- what they decide ---- */

#define OPEN_MAX 16

struct open_rows {
	int64_t n[OPEN_MAX];
	unsigned count;
};

static enum err note_row(void *data, const struct op_row *row)
{
	struct open_rows *rows = data;

	if (rows->count < OPEN_MAX)
		rows->n[rows->count++] = row->n;
	return ERR_OK;
}

/* *shown: what the decision put, to be looked for. */
static enum err decide_conflict(
	struct view *v, int64_t n, struct arena *arena, const char **word, struct item **shown)
{
	struct conflict x;
	enum err e = decide_read_conflict(v, n, arena, &x, &typing);

	if (e)
		return e;
	*shown = decide_theirs(v, &x.row);
	if (*shown && chance(550)) {
		*word = x.row.has_duplicate ? "decided mine, a duplicate" : "decided mine";
		return decide_take_mine(v, &x, &typing);
	}
	*word = x.row.has_duplicate ? "decided theirs, a duplicate" : "decided theirs";
	return decide_take_theirs(v, &x, &typing);
}

static enum err decide_row(struct client *c, struct view *v, int64_t n, struct arena *arena,
	const char **word, struct item **shown)
{
	struct op_row row;
	enum err e = outbox_read(c->store, n, arena, &row, &typing);

	*shown = NULL;
	if (e || !decide_needed(&row)) /* decided with another */
		return e;
	if (row.state == OP_CONFLICT)
		return decide_conflict(v, n, arena, word, shown);
	if (chance(500)) {
		*word = "put aside";
		return decide_aside(c->store, kinds_all, &row, &typing);
	}
	*word = "queued again";
	return decide_again(v, &row, &row.body, row.groups, &typing);
}

/* What can be said against a decision that was made well: theirs is gone, what is left of the record is not
 * whole, or what it rests on is to be decided first. */
static bool may_be_refused(enum err e)
{
	return e == ERR_NOT_FOUND || e == ERR_MISSING || e == ERR_NOT_NOW;
}

static void decide_one(struct client *c, int64_t n)
{
	struct arena arena;
	struct view *v;
	struct item *shown = NULL;
	const char *word = "";

	typing = (struct problem){0};
	arena_init(&arena, 1u << 20);
	memory_arm(CLIENT_SHORT, 12);
	enum err e = view_load(&v, c->store, kinds_all, &typing);
	if (!e)
		e = store_begin(c->store, &typing);
	if (!e)
		e = decide_row(c, v, n, &arena, &word, &shown);
	e = save_or_not(c, e);
	demand(!e || may_be_refused(e) || disk_hurt(c->no) || c->short_of_memory, "I9",
		"nothing can be decided about item %lld: %s %s", (long long)n, err_info((int)e)->name,
		typing.message);
	if (!e) {
		sim_met(word);
		sim_trace(word, c->no, (uint64_t)n);
		check_typed(c);
		if (shown)
			check_shown(c, shown);
	}
	view_free(v);
	arena_free(&arena);
}

/* Somebody looks at what waits for a person, and decides some of it; or takes back what was typed. */
void people_decide(struct client *c)
{
	struct undo_report report;
	struct open_rows rows = {.count = 0};

	if (chance(500)) {
		if (c->store->next_row > 1 &&
			batch_revert(c->store, (int64_t)draw_between(1, (uint64_t)c->store->next_row - 1),
				&report, NULL) == ERR_OK) {
			sim_met("undone");
			check_typed(c);
		}
		return;
	}
	if (outbox_each(c->store, 1u << OP_CONFLICT | 1u << OP_DRAFT | 1u << OP_REFUSED | 1u << OP_BLOCKED, 0,
		    note_row, &rows, NULL))
		return; /* its disk refuses */
	for (unsigned i = 0; i < rows.count; i++)
		if (chance(500))
			decide_one(c, rows.n[i]);
}
