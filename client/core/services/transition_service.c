/* 小升初: what the core asks of it. */
#include "cycle.h"
#include "export_transition.h"
#include "import_transition.h"
#include "services.h"
#include "transition.h"

enum err export_cycle(struct export *x, int32_t *year)
{
	struct store *s = x->view->store;
	struct cycle cycle;
	enum err e = cycle_read(s, profile_today(s->profile), &cycle, x->p);

	*year = cycle.year;
	return e;
}

const struct client_service client_transition = {
	.name = "transition",
	.imports = (const struct import_rules *const[]){&import_destinations, &import_enrolled,
		&import_verify, NULL},
	.exports = (const struct export_rules *const[]){&export_destinations, &export_slips, &export_verify,
		NULL},
	.todo = transition_todo,
	.word = transition_word,
};
