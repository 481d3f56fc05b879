/* Destinations and rosters from people's tables: where a row of them asks for more than its declaration. */
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "evidence.h"
#include "import_pupil.h"
#include "import_transition.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"
#include "text.h"
#include "transition.h"
#include "way.h"
#include "words.h"

/* “3132000011 测试县第一初级中学”, as the form's drop-down writes it: code and name in one. */
static void split_school(struct import *im, struct import_row *row)
{
	char text[256];

	record_text(&row->record, F_DESTINATION_DEST_SCHOOL_NAME, text, sizeof text);
	size_t n = strspn(text, "0123456789");
	if (n != 10 || (text[n] && text[n] != ' '))
		return;
	record_set_text(&row->record, F_DESTINATION_DEST_SCHOOL, arena_text(&im->arena, text, n));
	record_set_text(&row->record, F_DESTINATION_DEST_SCHOOL_NAME,
		text[n] ? arena_text(&im->arena, text + n + 1, strlen(text + n + 1)) : NULL);
	row->given |= 1u << F_DESTINATION_DEST_SCHOOL;
}

/* A line of the form that nobody has filled yet. */
static bool is_unfilled(const struct import *im, const struct import_row *row)
{
	static const int filled[] = {F_DESTINATION_CATEGORY, F_DESTINATION_DEST_SCHOOL,
		F_DESTINATION_DEST_SCHOOL_NAME, F_DESTINATION_PLACE, F_DESTINATION_REGISTRATION_NO,
		F_DESTINATION_EVIDENCE_NOTE, F_DESTINATION_NOTE};

	for (size_t i = 0; i < sizeof filled / sizeof *filled; i++)
		if (record_has(&row->record, filled[i]))
			return false;
	return im->book.form;
}

static void read_cells(struct import *im, struct import_row *row)
{
	split_school(im, row);
	row->unfilled = !row->bad && is_unfilled(im, row);
	/* One who has declared otherwise waits for nothing. */
	im->report->unfilled += row->unfilled && !view_find_key(im->view, &row->record, true);
}

/* Files that the row names and that lie beside the workbook. */
static enum err attach_files(struct import *im, struct import_row *row, const struct item *item)
{
	char names[512], dir[600];
	struct problem p = {0}, doubt = {0};

	if (im->options->dry_run || !record_has(&row->record, F_DESTINATION_EVIDENCE_NOTE))
		return ERR_OK;
	record_text(&row->record, F_DESTINATION_EVIDENCE_NOTE, names, sizeof names);
	snprintf(dir, sizeof dir, "%s", im->options->path);
	enum err e = evidence_attach_names(im->view, item->id, dirname(dir), names, im->batch, &doubt, &p);
	if (doubt.code)
		import_warn(im, row, import_field(im, F_DESTINATION_EVIDENCE_NOTE), "EVIDENCE", &doubt);
	if (e == ERR_INVALID || e == ERR_TOO_LARGE || e == ERR_FILE_IO) {
		import_warn(im, row, import_field(im, F_DESTINATION_EVIDENCE_NOTE), "EVIDENCE", &p);
		return ERR_OK;
	}
	return e ? problem_set(im->p, e, NULL, NULL, "%s", p.message) : ERR_OK;
}

/* A new category without a place of its own must not keep the old one's, nor a new name the code of another
 * school. */
static void drop_old_place(
	struct import *im, const struct import_row *row, const struct item *item, struct record *want)
{
	static const int where[] = {
		F_DESTINATION_DEST_SCHOOL, F_DESTINATION_DEST_SCHOOL_NAME, F_DESTINATION_PLACE};
	(void)im;
	if (!item)
		return;
	bool moved = !record_same_field(&item->record, want, F_DESTINATION_CATEGORY);
	bool renamed = !record_same_field(&item->record, want, F_DESTINATION_DEST_SCHOOL_NAME);

	for (size_t i = 0; i < sizeof where / sizeof *where; i++)
		if (!record_has(&row->record, where[i]) &&
			(moved || (renamed && where[i] == F_DESTINATION_DEST_SCHOOL)))
			record_clear(want, where[i]);
}

static bool has_roll(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == KIND_STUDENT)
			return true;
	return false;
}

/* What reconciliation would find in September (M02, M05) is said while the paper lies on the table; the
 * row is kept. */
static void compare_roll(struct import *im, const struct import_row *row, const struct record *want)
{
	const struct record *pupil = destination_pupil(im->view, want);
	char mine[256], theirs[256], key[2][256], who[160];
	struct problem p = {0};

	if (!pupil && has_roll(im->view)) {
		problem_set(&p, ERR_NOT_FOUND, NULL, _("请核对号码；确是本校学生，先补进名册"),
			_("本校名册里没有这个号码的学生"));
		import_warn(im, row, import_field(im, import_key(im)), "NOT_ON_ROLL", &p);
		return;
	}
	if (!pupil ||
		text_name_key(
			key[0], sizeof key[0], record_text(want, F_DESTINATION_NAME, mine, sizeof mine)) ||
		text_name_key(
			key[1], sizeof key[1], record_text(pupil, F_STUDENT_NAME, theirs, sizeof theirs)) ||
		strcmp(key[0], key[1]) == 0)
		return;
	problem_set(&p, ERR_CONFLICT, NULL, _("请核对是哪一处写错"), _("名册上这个号码是%s"),
		words_pupil(pupil, who, sizeof who));
	import_warn(im, row, import_field(im, F_DESTINATION_NAME), "NAME_DIFF", &p);
}

/* A destination, as it will stand, leads to a school that there is, and is of a pupil whom this person may
 * enter. */
static void judge_destination(struct import *im, struct import_row *row, const struct record *want)
{
	struct problem p = {0};

	if (transition_judge(im->view, want, &p))
		import_reject(im, row,
			import_field(im, kind_field_index(im->kind, p.field[0] ? p.field : "class_no")), NULL,
			&p);
	else
		compare_roll(im, row, want);
}

const struct import_rules import_destinations = {
	.name = "destinations",
	.text = N_("导入升学去向"),
	.waiting = N_("还有 %zu 名学生没有填去向"),
	.about = &import_pupils,
	.kind = KIND_DESTINATION,
	.views = (const uint32_t[]){KIND_DESTINATION, KIND_EVIDENCE, KIND_SCHOOL, KIND_STUDENT, 0},
	.class_optional = true,
	.begin = import_cycle_begin,
	.check = import_check_mixed,
	.cells = read_cells,
	.complete = drop_old_place,
	.judge = judge_destination,
	.stored = attach_files,
};

/* The roster of a new seventh grade is of a school that has one. */
static enum err begin_enrolled(struct import *im)
{
	if (!(school_stages(im->view, im->store->profile->school) & STAGE_JUNIOR))
		return problem_set(im->p, ERR_NOT_NOW, NULL,
			way_hint(_("六年级学生用 %s students，去向表用 %s destinations"), way("import_table"),
				way("import_table")),
			_("本校没有初中部，没有初中新生名册"));
	return import_cycle_begin(im);
}

const struct import_rules import_enrolled = {
	.name = "enrolled",
	.text = N_("导入新生名册"),
	.about = &import_pupils,
	.kind = KIND_ENROLMENT,
	.views = (const uint32_t[]){KIND_ENROLMENT, KIND_DESTINATION, KIND_SCHOOL, 0},
	/* Who enters in the autumn of 2026-2027 belongs to the cycle of 2026, who leaves in its summer to
	   that of 2027. */
	.autumn = true,
	.begin = begin_enrolled,
	.check = import_check_shifted,
};
