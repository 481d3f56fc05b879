/* 小升初: what the core asks of it. */
#include <string.h>

#include "cycle.h"
#include "export_transition.h"
#include "import_transition.h"
#include "lang.h"
#include "client_service.h"
#include "slip.h"
#include "tables.h"
#include "transition.h"

enum err export_cycle(struct export *x, int32_t *year)
{
	struct store *s = x->view->store;
	struct cycle cycle;
	enum err e = cycle_read(s, profile_today(s->profile), &cycle, x->p);

	*year = cycle.year;
	return e;
}

static enum err may_undo(struct store *s, int32_t year, struct problem *p)
{
	struct cycle cycle;
	enum err e = cycle_find(s, year, &cycle, p);

	if (e || strcmp(cycle.phase, "closed") != 0)
		return e;
	return problem_set(p, ERR_PHASE, NULL, _("要更正请联系县教育局：局领导可说明原因后重新打开这一年"),
		_("%d 年的升学工作已经办结，这一批不能再撤销"), (int)year);
}

const struct shown_list shown_transition = {
	.name = "shown_transition",
	.act = "list_transition",
	.edit = "edit_transition",
	.kinds = (const uint32_t[]){KIND_STUDENT, KIND_DESTINATION, 0},
	.entered = true,
	.found = true,
};

const struct shown_list shown_verify = {
	.name = "shown_verify",
	.act = "list_verify",
	.kinds = (const uint32_t[]){KIND_DESTINATION, 0},
	.entered = true,
	.found = true,
	.foreign = true,
};

const struct shown_list shown_slips = {
	.name = "shown_slips",
	.act = "list_slips",
	.kinds = (const uint32_t[]){KIND_SLIP, 0},
};

const struct client_service client_transition = {
	.name = "transition",
	.kinds = (const uint32_t[]){KIND_CYCLE, KIND_DESTINATION, KIND_ENROLMENT, KIND_VERIFY_ANSWER,
		KIND_FILING, KIND_SLIP, KIND_SLIP_ADDRESSEE, KIND_PERSUASION, KIND_REMINDER, 0},
	.shown = (const struct shown_list *const[]){&shown_transition, &shown_verify, &shown_slips, NULL},
	.may_undo = may_undo,
	.imports = (const struct import_rules *const[]){&import_destinations, &import_enrolled,
		&import_verify, NULL},
	.exports = (const struct export_rules *const[]){&export_destinations, &export_slips, &export_verify,
		NULL},
	.todo = transition_todo,
	.word = transition_word,
};
