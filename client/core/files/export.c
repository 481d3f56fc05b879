#include "export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

char *export_cell(struct export *x)
{
	char *text = x->text[x->n];

	x->cells[x->n++] = text;
	*text = 0;
	return text;
}

bool export_allows(const struct export *x, const struct record *r)
{
	return !x->allowed || x->allowed(x->data, r);
}

enum err export_row(struct export *x, enum sheet_style style)
{
	enum err e = sheet_writer_row(x->writer, x->cells, x->n, style, x->p);

	x->n = 0;
	x->rows += !e && style != SHEET_HEADER;
	return e;
}

static void add_headings(struct export *x, const struct kind *kind)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].columns[0])
			snprintf(export_cell(x), EXPORT_CELL_SIZE, "%s", kind->fields[i].columns[0]);
}

/* Codes that people write as numbers stay numbers: 班级 3, 户籍区划代码. A record that is there says 是 or 否
 * to every question; one that is not (r is NULL) says nothing. */
static void add_fields(struct export *x, const struct kind *kind, const struct record *r)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		if (!kind->fields[i].columns[0])
			continue;
		char *text = export_cell(x);
		if (r)
			value_show(r, (int)i, false, text, EXPORT_CELL_SIZE);
	}
}

enum err export_records(struct export *x, uint32_t kind, uint32_t beside, int32_t year)
{
	const struct kind *k = kind_by_number(kind), *second = beside ? kind_by_number(beside) : NULL;
	int years = kind_field_index(k, "year");
	enum err e;

	add_headings(x, k);
	if (second)
		add_headings(x, second);
	e = export_row(x, SHEET_HEADER);
	for (size_t i = 0; !e && i < x->view->n; i++) {
		const struct item *item = x->view->items[i];
		const struct record *r = &item->record;
		if (!item->live || r->kind != k || !view_is_ours(x->view, item) ||
			(years >= 0 && record_number(r, years) != year) || !export_allows(x, r))
			continue;
		add_fields(x, k, r);
		if (second) {
			const struct item *child = view_first_child(x->view, item, second);
			add_fields(x, second, child ? &child->record : NULL);
		}
		e = export_row(x, SHEET_PLAIN);
	}
	return e;
}

enum err export_run(struct view *v, const struct export_rules *rules, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data,
	struct export_report *report, struct problem *p)
{
	struct export *x = calloc(1, sizeof *x);

	*report = (struct export_report){0};
	if (!x)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	x->view = v;
	x->book = strcasecmp(strrchr(path, '.'), ".xlsx") == 0;
	x->allowed = allowed;
	x->data = data;
	x->p = p;
	enum err e = sheet_writer_open(&x->writer, path, rules->title, p);
	if (!e)
		e = rules->write(x);
	struct sheet_writer *w = x->writer;
	report->rows = x->rows;
	free(x);
	report->dropped = w ? sheet_writer_dropped(w) : 0;
	if (!e)
		return sheet_writer_close(w, p);
	sheet_writer_discard(w);
	return e;
}
