/* The roll: the pupils of a school and their guardians. */
#include "services.h"
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
	.zh = "导入学生",
	.en = "pupils imported",
	.kind = KIND_STUDENT,
	.beside = KIND_GUARDIAN,
	.views = (const uint32_t[]){KIND_STUDENT, KIND_GUARDIAN, 0},
	.complete = begin_in_school,
};

const struct client_service client_roll = {
	.name = "roll",
	.imports = (const struct import_rules *const[]){&students, NULL},
};
