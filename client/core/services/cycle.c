#include "cycle.h"

#include "clock.h"
#include "tables.h"
#include "view.h"

#define AUTUMN 9 /* the month in which a school year begins */

int32_t cycle_year_of(int32_t today)
{
	return today / 10000 + (today / 100 % 100 >= AUTUMN);
}

/* only: of this year, 0: the latest. */
static enum err find(struct store *s, int32_t only, struct cycle *out, struct problem *p)
{
	static const uint32_t kinds[] = {KIND_CYCLE, 0};
	struct view *v;
	enum err e = view_load(&v, s, kinds, p);

	if (e)
		return e;
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!v->items[i]->live ||
			(only ? record_number(r, F_CYCLE_YEAR) != only
			      : out->known && record_number(r, F_CYCLE_YEAR) < out->year))
			continue;
		out->known = true;
		out->year = (int32_t)record_number(r, F_CYCLE_YEAR);
		out->opened = id_time(v->items[i]->id);
		record_text(r, F_CYCLE_PHASE, out->phase, sizeof out->phase);
		out->prefill_due = (int32_t)record_number(r, F_CYCLE_PREFILL_DUE);
		out->confirm_due = (int32_t)record_number(r, F_CYCLE_CONFIRM_DUE);
		out->verify_due = (int32_t)record_number(r, F_CYCLE_VERIFY_DUE);
	}
	view_free(v);
	return ERR_OK;
}

enum err cycle_read(struct store *s, int32_t today, struct cycle *out, struct problem *p)
{
	*out = (struct cycle){.year = cycle_year_of(today)};
	return find(s, 0, out, p);
}

enum err cycle_find(struct store *s, int32_t year, struct cycle *out, struct problem *p)
{
	*out = (struct cycle){.year = year};
	return find(s, year, out, p);
}
