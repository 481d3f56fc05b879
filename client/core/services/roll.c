/* The roll: the pupils of a school and their guardians. */
#include "codes.h"
#include "import_pupil.h"
#include "lang.h"
#include "roll.h"
#include "schools.h"
#include "client_service.h"
#include "tables.h"

/* Who is imported is in school, unless the file says otherwise. */
static void begin_in_school(
	struct import *im, const struct import_row *row, const struct item *item, struct record *want)
{
	(void)im;
	(void)row;
	if (!item && !record_has(want, F_STUDENT_STATUS))
		record_set_text(want, F_STUDENT_STATUS, "01");
}

static const struct import_rules students = {
	.name = "students",
	.text = N_("导入学生"),
	.about = &import_pupils,
	.fills = (const char *const[]){"grade", "class_no", "status", NULL}, /* import_roster.c, and below */
	.kind = KIND_STUDENT,
	.beside = KIND_GUARDIAN,
	.views = (const uint32_t[]){KIND_STUDENT, KIND_GUARDIAN, 0},
	.check = import_check_mixed,
	.complete = begin_in_school,
};

static enum err write_students(struct export *x)
{
	return export_records(x, KIND_STUDENT, KIND_GUARDIAN, 0);
}

static const struct export_rules roll = {
	"students", "学生", (const uint32_t[]){KIND_STUDENT, KIND_GUARDIAN, 0}, write_students};

/* A school's work begins with its roster. */
static enum err add_roster(struct todo_list *l, struct problem *p)
{
	struct view *v = l->view;

	(void)p;
	if (!profile_has_role(v->store->profile, 1u << ROLE_REGISTRAR))
		return ERR_OK;
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == KIND_STUDENT)
			return ERR_OK;
	if (school_stages(v, v->store->profile->school) & STAGE_PRIMARY)
		todo_add(l, "roster", "import_roster", NULL, 1, 0, "%s", _("还没有导入六年级名册"));
	return ERR_OK;
}

const struct shown_list shown_students = {
	.name = "shown_students",
	.act = "list_students",
	.edit = "edit_students",
	.kinds = (const uint32_t[]){KIND_STUDENT, 0},
	.found = true,
};

const struct client_service client_roll = {
	.name = "roll",
	.kinds = (const uint32_t[]){KIND_KLASS, KIND_STUDENT, KIND_GUARDIAN, 0},
	.shown = (const struct shown_list *const[]){&shown_students, NULL},
	.imports = (const struct import_rules *const[]){&students, NULL},
	.exports = (const struct export_rules *const[]){&roll, NULL},
	.todo = add_roster,
};
