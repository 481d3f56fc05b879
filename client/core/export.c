#include "export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "sheet_write.h"
#include "slip.h"
#include "tables.h"
#include "transition.h"
#include "value.h"

#define CELLS_MAX 48
#define CELL_SIZE 2048

struct row_out {
	char text[CELLS_MAX][CELL_SIZE];
	const char *cells[CELLS_MAX];
	size_t n;
};

static char *next_cell(struct row_out *out)
{
	char *text = out->text[out->n];

	out->cells[out->n++] = text;
	*text = 0;
	return text;
}

/* Codes that people write as numbers stay numbers: 班级 3, 户籍区划代码; a false that was never asked is left
 * empty. */
static void add_fields(struct row_out *out, const struct record *r, const struct kind *kind, bool header)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		if (!f->columns[0])
			continue;
		char *text = next_cell(out);
		if (header)
			snprintf(text, CELL_SIZE, "%s", f->columns[0]);
		else if (r && (f->type != FIELD_BOOL || f->required || record_has(r, (int)i)))
			value_show(r, (int)i, false, text, CELL_SIZE);
	}
}

static const struct item *guardian_of(struct view *v, const struct item *student)
{
	struct record key;

	record_init(&key, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&key, F_GUARDIAN_STUDENT, student->id, ID_SIZE);
	record_set_number(&key, F_GUARDIAN_ORDINAL, 1);
	return view_find_key(v, &key, true);
}

static enum err write_records(struct view *v, struct sheet_writer *w, struct row_out *out, uint32_t kind,
	int32_t year, bool (*allowed)(const void *, const struct record *), const void *data, size_t *rows,
	struct problem *p)
{
	const struct kind *k = kind_by_number(kind), *guardian = kind_by_number(KIND_GUARDIAN);
	int years = kind_field_index(k, "year");
	enum err e;

	out->n = 0;
	add_fields(out, NULL, k, true);
	if (kind == KIND_STUDENT)
		add_fields(out, NULL, guardian, true);
	e = sheet_writer_row(w, out->cells, out->n, SHEET_HEADER, p);
	for (size_t i = 0; !e && i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *r = &item->record;
		if (!item->live || r->kind != k || !view_is_ours(v, item) ||
			(years >= 0 && record_number(r, years) != year) || (allowed && !allowed(data, r)))
			continue;
		out->n = 0;
		add_fields(out, r, k, false);
		if (kind == KIND_STUDENT) {
			const struct item *g = guardian_of(v, item);
			add_fields(out, g ? &g->record : NULL, guardian, false);
		}
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	return e;
}

static const int slip_fields[] = {F_SLIP_NO, F_SLIP_NAME, F_SLIP_CERT_NO, F_SLIP_STUDENT_NO, F_SLIP_CODES,
	F_SLIP_SEVERITY, F_SLIP_ISSUED_AT, F_SLIP_RESOLVE_DUE, F_SLIP_ROUND};
static const int half_fields[] = {F_SLIP_ADDRESSEE_SCHOOL, F_SLIP_ADDRESSEE_RECEIVED_AT,
	F_SLIP_ADDRESSEE_ANSWERED_AT, F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};

static void add_some(struct row_out *out, const struct record *r, const struct kind *kind, const int *fields,
	size_t n, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		char *text = next_cell(out);
		if (prefix)
			snprintf(text, CELL_SIZE, "%s%s", prefix, kind->fields[fields[i]].label);
		else if (r)
			value_show(r, fields[i], false, text, CELL_SIZE);
	}
}

static enum err write_slips(
	struct view *v, struct sheet_writer *w, struct row_out *out, size_t *rows, struct problem *p)
{
	const struct kind *slip = kind_by_number(KIND_SLIP), *half = kind_by_number(KIND_SLIP_ADDRESSEE);
	size_t n = 0, n_slip = sizeof slip_fields / sizeof *slip_fields,
	       n_half = sizeof half_fields / sizeof *half_fields;
	struct slip_row *list = slip_rows(v, profile_now_us(v->store->profile), &n);
	enum err e;

	out->n = 0;
	add_some(out, NULL, slip, slip_fields, n_slip, "");
	snprintf(next_cell(out), CELL_SIZE, "状态");
	add_some(out, NULL, half, half_fields, n_half, "本校");
	add_some(out, NULL, half, half_fields, n_half, "对方");
	e = list ? sheet_writer_row(w, out->cells, out->n, SHEET_HEADER, p) : ERR_NOMEM;
	for (size_t i = 0; !e && i < n; i++) {
		out->n = 0;
		add_some(out, &list[i].slip->record, slip, slip_fields, n_slip, NULL);
		snprintf(next_cell(out), CELL_SIZE, "%s", code_name(&codes_slip_state, list[i].state));
		add_some(out, list[i].mine ? &list[i].mine->record : NULL, half, half_fields, n_half, NULL);
		add_some(out, list[i].other ? &list[i].other->record : NULL, half, half_fields, n_half, NULL);
		e = sheet_writer_row(w, out->cells, out->n, SHEET_PLAIN, p);
		*rows += !e;
	}
	free(list);
	return e;
}

enum err export_run(struct view *v, enum export_what what, int32_t year, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data,
	struct export_report *report, struct problem *p)
{
	static const char *const titles[] = {"学生", "升学去向", "交办单"};
	struct row_out *out = malloc(sizeof *out);
	struct sheet_writer *w = NULL;
	enum err e = out ? sheet_writer_open(&w, path, titles[what], p)
			 : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	*report = (struct export_report){0};
	if (!e && what == EXPORT_SLIPS)
		e = write_slips(v, w, out, &report->rows, p);
	else if (!e)
		e = write_records(v, w, out, what == EXPORT_STUDENTS ? KIND_STUDENT : KIND_DESTINATION, year,
			allowed, data, &report->rows, p);
	free(out);
	report->dropped = w ? sheet_writer_dropped(w) : 0;
	if (!e)
		return sheet_writer_close(w, p);
	sheet_writer_discard(w);
	return e;
}
