/* The verification list: it goes round on paper, or comes back through import_verify.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "export_transition.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"
#include "transition.h"
#include "value.h"
#include "words.h"

#define ANSWER_COLUMN 7 /* of the form below, from 0 */

static const struct record *declared_record(const void *row)
{
	return &((const struct verify_row *)row)->destination->record;
}

static void add_declared(struct export *x, const struct verify_row *row, size_t number)
{
	const struct record *d = &row->destination->record, *a = row->answer ? &row->answer->record : NULL;
	const char *roster = "absent";
	if (!row->enrolment)
		roster = "";
	else if (record_number(&row->enrolment->record, F_ENROLMENT_PRESENT))
		roster = "present";

	snprintf(export_cell(x), EXPORT_CELL_SIZE, "%zu", number);
	record_text(d, F_DESTINATION_NAME, export_cell(x), EXPORT_CELL_SIZE);
	words_class(d, export_cell(x), EXPORT_CELL_SIZE);
	words_tail(d, export_cell(x));
	school_face(x->view, row->destination->owner, export_cell(x), EXPORT_CELL_SIZE);
	value_show(d, F_DESTINATION_CATEGORY, false, export_cell(x), EXPORT_CELL_SIZE);
	snprintf(export_cell(x), EXPORT_CELL_SIZE, "%s", *roster ? code_name(&codes_answer, roster) : "");
	char *answer = export_cell(x), *note = export_cell(x);
	if (a)
		value_show(a, F_VERIFY_ANSWER_ANSWER, false, answer, EXPORT_CELL_SIZE);
	if (a)
		record_text(a, F_VERIFY_ANSWER_NOTE, note, EXPORT_CELL_SIZE);
}

static enum err write_answers(struct export *x)
{
	const char *cell = "核验结果";
	enum err e = sheet_writer_page(x->writer, SHEET_CHOICES, x->p);

	if (!e)
		e = sheet_writer_row(x->writer, &cell, 1, SHEET_HEADER, x->p);
	for (size_t i = 0; !e && i < codes_answer.n; i++) {
		cell = lang_declared(codes_answer.items[i].zh, codes_answer.items[i].en);
		e = sheet_writer_row(x->writer, &cell, 1, SHEET_PLAIN, x->p);
	}
	return e;
}

static enum err write_verify(struct export *x)
{
	static const char *const headings[] = {
		"序号", "姓名", "班级", "证件号码末四位", "生源学校", "去向类别", "名册", "核验结果", "说明"};
	int32_t year;
	size_t n;
	enum err e = export_cycle(x, &year);
	struct verify_row *list = e ? NULL : transition_verify_rows(x->view, year, &n);

	if (!list)
		return e ? e : problem_set(x->p, ERR_NOMEM, NULL, NULL, NULL);
	if (x->book)
		e = sheet_writer_choice(
			x->writer, ANSWER_COLUMN, SHEET_CHOICES, 0, codes_answer.n, true, x->p);
	if (!e)
		e = sheet_writer_row(
			x->writer, headings, sizeof headings / sizeof *headings, SHEET_HEADER, x->p);
	if (!e)
		words_sort(list, n, sizeof *list, declared_record, NULL);
	for (size_t i = 0; !e && i < n; i++) {
		add_declared(x, &list[i], i + 1);
		e = export_row(x, SHEET_PLAIN);
	}
	if (!e && x->book)
		e = write_answers(x);
	free(list);
	return e;
}

const struct export_rules export_verify = {"verify", "核验名单", transition_kinds, write_verify};
