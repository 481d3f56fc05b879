#include "matter_machine.h"

#include <string.h>

#include "lang.h"
#include "tables.h"

#define LEADER (1u << ROLE_LEADER)
#define ORDERING (LEADER | 1u << ROLE_OFFICE | 1u << ROLE_SUPERVISION)
#define OFFICERS (ORDERING | 1u << ROLE_BASIC_EDU | 1u << ROLE_ADMISSIONS)

static const struct {
	uint32_t roles;
	const char *label;
} actors[MATTER_BYS] = {
	[MATTER_BY_OFFICER] = {OFFICERS, "officer"},
	[MATTER_BY_LEADER] = {LEADER, "leader"},
	[MATTER_BY_HEAD] = {LEADER, "head"},
	[MATTER_BY_SUPERVISION] = {1u << ROLE_SUPERVISION, "supervision"},
	[MATTER_BY_ORDERING] = {ORDERING, "leader, office, supervision"},
	[MATTER_BY_OWNER] = {OFFICERS, "planner"},
	[MATTER_BY_OWNER_HIMSELF] = {ORDERING, "adder"},
	[MATTER_BY_ADDRESSEE] = {OFFICERS, "addressee"},
	[MATTER_BY_PAPER] = {0, "its paper, issued"},
};

static const struct {
	unsigned need;
	const char *field, *what;
} needs[] = {
	{MATTER_NEEDS_DOC, "doc", N_("哪份公文或会议")},
	{MATTER_NEEDS_TITLE, "title", N_("事项：--title")},
	{MATTER_NEEDS_TO, "to", N_("交给谁：--to")},
	{MATTER_NEEDS_TEXT, "text", N_("回复：--text")},
	{MATTER_NEEDS_REASON, "reason", N_("理由：--reason")},
	{MATTER_NEEDS_DUE, "until", N_("期限：--until")},
};

const char *matter_label(enum matter_by by)
{
	return actors[by].label;
}

enum err matter_given(const struct matter_machine *m, unsigned event, unsigned given, struct problem *p)
{
	unsigned lacks = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].event == event)
			lacks = m->rows[i].needs & ~given;
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (needs[i].need & lacks)
			return problem_set(
				p, ERR_MISSING, needs[i].field, NULL, _("没有写%s"), _(needs[i].what));
	return ERR_OK;
}

static bool row_fits(const struct matter_row *row, uint32_t roles)
{
	bool fits = false;

	for (size_t i = 0; i < MATTER_ROW_BY; i++)
		fits |= (actors[row->by[i]].roles & roles) != 0;
	return fits;
}

bool matter_role_fits(const struct matter_machine *m, unsigned event, uint32_t roles)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].event == event && row_fits(&m->rows[i], roles))
			return true;
	return false;
}

/* Whether the caller is who is meant, himself or for another. */
static bool is_meant(const struct document_world *w, const struct matter_ask *ask, enum matter_by by,
	bool himself, const char **for_whom)
{
	const char *person = by == MATTER_BY_HEAD ? document_head(w)
		: by == MATTER_BY_ADDRESSEE       ? ask->addressee
						  : ask->owner;
	bool is_he;

	*for_whom = NULL;
	if (!(actors[by].roles & ask->roles))
		return false;
	if (by == MATTER_BY_OWNER_HIMSELF)
		return himself && strcmp(ask->user, person) == 0;
	if (by != MATTER_BY_HEAD && by != MATTER_BY_ADDRESSEE && by != MATTER_BY_OWNER)
		return himself;
	if (!document_is_or_stands_in(w, ask->user, person, &is_he) || is_he != himself)
		return false;
	*for_whom = himself ? NULL : person;
	return true;
}

enum err matter_find(const struct matter_machine *m, const struct document_world *w,
	const struct matter_ask *ask, const char *what, const struct matter_row **row, const char **for_whom,
	struct problem *p)
{
	*row = NULL;
	if (!matter_role_fits(m, ask->event, ask->roles))
		return problem_set(p, ERR_PERMISSION, NULL, NULL, NULL);
	for (size_t i = 0; !*row && i < m->n; i++)
		if (m->rows[i].from == ask->from && m->rows[i].event == ask->event)
			*row = &m->rows[i];
	if (!*row)
		return problem_set(p, ERR_NOT_NOW, "state", what, NULL);
	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < MATTER_ROW_BY; i++)
			if (is_meant(w, ask, (*row)->by[i], !others, for_whom))
				return ERR_OK;
	return problem_set(p, ERR_PERMISSION, "doc", what, _("这一步现在不由您办"));
}
