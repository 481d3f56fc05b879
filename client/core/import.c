#include "import.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "cycle.h"
#include "evidence.h"
#include "import_row.h"
#include "lint.h"
#include "sheet_write.h"
#include "tables.h"
#include "text.h"
#include "validate.h"

#define IMPORT_BYTES (512u << 20) /* texts of 100,000 rows, the most that sheet.h reads */
#define PROGRESS_ROWS 500
/* A column has slipped when so many rows agree by half with a listed pupil (domain.md §2.6, Cases). */
#define SLIP_PERCENT 30
#define SLIP_ROWS 10

static const struct {
	uint32_t kind;
	const char *word;
	uint32_t views[5];
} kinds[] = {
	[IMPORT_STUDENTS] = {KIND_STUDENT, "students", {KIND_STUDENT, KIND_GUARDIAN, 0}},
	[IMPORT_DESTINATIONS] = {KIND_DESTINATION, "destinations", {KIND_DESTINATION, KIND_EVIDENCE, 0}},
	[IMPORT_ENROLLED] = {KIND_ENROLMENT, "enrolled", {KIND_ENROLMENT, KIND_DESTINATION, 0}},
};

/* ---- Reading ---- */

static enum err add_row(struct import *im, const struct table_row *at)
{
	if (im->n_rows == im->room) {
		size_t room = im->room ? im->room * 2 : 1024;
		struct import_row *more = realloc(im->rows, room * sizeof *more);
		if (!more)
			return ERR_NOMEM;
		im->rows = more;
		LINT_KEPT(more);
		im->room = room;
	}
	im->rows[im->n_rows] = (struct import_row){.at = *at};
	import_read_row(im, &im->rows[im->n_rows++]);
	return ERR_OK;
}

static enum err list_ignored(struct import *im)
{
	struct buf out = {0};

	for (size_t i = 0; i < table_ignored_count(im->table); i++) {
		struct table_ignored x = table_ignored_at(im->table, i);
		buf_printf(&out, "%s\t%s\n", x.heading, x.nearest ? x.nearest : "");
	}
	buf_u8(&out, 0);
	char *text = out.failed ? NULL : strdup((char *)out.data);
	buf_free(&out);
	LINT_KEPT(text); /* import_report_free frees it */
	im->report->ignored = text;
	return text ? ERR_OK : ERR_NOMEM;
}

/* What was read, or was to be told, and could not be kept. */
static enum err kept_err(const struct import *im)
{
	bool lost = im->arena.refused || im->report->rejected.lost || im->report->warnings.lost;

	return lost ? problem_set(im->p, ERR_NOMEM, NULL, NULL, NULL) : ERR_OK;
}

static enum err read_file(struct import *im)
{
	const struct import_options *o = im->options;
	enum err e = sheet_read_file(o->path, o->sheet, &im->sheet, im->p);
	struct table_row at;

	import_columns(im);
	if (!e)
		e = table_open(&im->table, im->sheet, im->columns, im->n_columns, o->maps, o->n_maps, im->p);
	if (e)
		return e;
	while (!e && table_next(im->table, &at)) {
		e = add_row(im, &at);
		if (o->progress && im->n_rows % PROGRESS_ROWS == 0)
			o->progress(o->progress_data, im->n_rows, im->sheet->n_rows);
	}
	im->report->read = im->n_rows;
	if (!e)
		e = list_ignored(im);
	return e ? problem_set(im->p, e, NULL, NULL, NULL) : kept_err(im);
}

/* ---- A slipped column ---- */

/* A pupil that is listed: declared for this school, or on its roster. */
struct listed {
	char cert_no[CERT_NO_MAX + 1];
	char name[128];
	int32_t birth;
};

struct listing {
	struct listed *list;
	size_t n;
	struct listed **by_no, **by_name; /* sorted */
};

static int compare_no(const void *a, const void *b)
{
	return strcmp((*(struct listed *const *)a)->cert_no, (*(struct listed *const *)b)->cert_no);
}

static int compare_name(const void *a, const void *b)
{
	const struct listed *x = *(struct listed *const *)a, *y = *(struct listed *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->birth > y->birth) - (x->birth < y->birth);
}

static void listed_of(struct listed *out, const struct record *r, int32_t today)
{
	int birth = kind_field_index(r->kind, "birth");
	struct resident_id id = {0};
	char name[256];

	*out = (struct listed){.birth = birth < 0 ? 0 : (int32_t)record_number(r, birth)};
	record_text(r, kind_field_index(r->kind, "cert_no"), out->cert_no, sizeof out->cert_no);
	record_text(r, kind_field_index(r->kind, "name"), name, sizeof name);
	if (text_name_key(out->name, sizeof out->name, name))
		out->name[0] = 0;
	enum id_fault fault = resident_id_check(out->cert_no, today, &id);
	if (!out->birth && (fault == ID_OK || fault == ID_CHECK))
		out->birth = id.birth;
}

static enum err list_pupils(struct import *im, struct listing *l)
{
	struct view *v = im->view;

	l->list = calloc(v->n + 1, sizeof *l->list);
	l->by_no = calloc(v->n + 1, sizeof *l->by_no);
	l->by_name = calloc(v->n + 1, sizeof *l->by_name);
	if (!l->list || !l->by_no || !l->by_name)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		bool declared = item->record.kind->number == KIND_DESTINATION && !view_is_ours(v, item);
		bool roster = item->record.kind->number == KIND_ENROLMENT && view_is_ours(v, item);
		if (!item->live || (!declared && !roster) || record_number(&item->record, 0) != im->year)
			continue;
		listed_of(&l->list[l->n], &item->record, im->today);
		l->by_no[l->n] = l->by_name[l->n] = &l->list[l->n];
		l->n++;
	}
	qsort(l->by_no, l->n, sizeof *l->by_no, compare_no);
	qsort(l->by_name, l->n, sizeof *l->by_name, compare_name);
	return ERR_OK;
}

/* In number but not in name, or in name and birth but not in number. */
static bool agrees_by_half(const struct listing *l, const struct listed *row)
{
	struct listed **no =
		row->cert_no[0] ? bsearch(&row, l->by_no, l->n, sizeof *l->by_no, compare_no) : NULL;
	struct listed **name = row->name[0] && row->birth
				       ? bsearch(&row, l->by_name, l->n, sizeof *l->by_name, compare_name)
				       : NULL;

	if (no)
		return strcmp((*no)->name, row->name) != 0;
	return name != NULL && row->cert_no[0] && (*name)->cert_no[0];
}

static enum err check_slip(struct import *im)
{
	struct listing l = {0};
	size_t half = 0;
	enum err e =
		im->options->what == IMPORT_ENROLLED && !im->options->force ? list_pupils(im, &l) : ERR_OK;

	for (size_t i = 0; !e && l.n && i < im->n_rows; i++) {
		struct listed row;
		if (im->rows[i].bad)
			continue;
		listed_of(&row, &im->rows[i].record, im->today);
		half += agrees_by_half(&l, &row);
	}
	if (half >= SLIP_ROWS && half * 100 > im->n_rows * SLIP_PERCENT) {
		im->report->slipped = true;
		e = problem_set(im->p, ERR_CONFLICT, NULL,
			tr("请核对姓名列与证件号码列是否错行；确认无误再加 --force",
				"compare the columns of names and numbers; add --force when they are right"),
			tr("有 %zu 行与名单只对上一半，像是某一列错了行",
				"%zu rows agree with a listed pupil by half: a column seems to have slipped"),
			half);
	}
	free(l.list);
	free(l.by_no);
	free(l.by_name);
	return e;
}

/* ---- Storing ---- */

/* The record as it will be: what the file has columns for replaces what was there; the numbers are never
 * emptied. */
static void merge_row(struct record *want, const struct item *item, const struct record *row, uint32_t given)
{
	if (!item) {
		*want = *row;
		return;
	}
	*want = item->record;
	for (size_t i = 0; i < row->kind->field_count; i++) {
		const char *name = row->kind->fields[i].name;
		bool number = strcmp(name, "cert_no") == 0 || strcmp(name, "student_no") == 0;
		bool implied = strcmp(name, "cert_type") == 0 || strcmp(name, "keep_invalid") == 0;
		if (record_has(row, (int)i)) {
			if (implied && !(given >> i & 1) && strcmp(name, "cert_type") == 0 &&
				record_has(want, (int)i))
				continue; /* a default does not overrule what was known */
			want->value[i] = row->value[i];
			want->set |= 1u << i;
		} else if (given >> i & 1 && !number && !implied) {
			record_clear(want, (int)i);
		}
	}
}

static void reject_repeat(struct import *im, struct import_row *row, const struct item *item)
{
	struct problem p = {0};

	problem_set(&p, ERR_DUPLICATE, NULL, tr("请只留一行正确的", "keep only the right one"),
		tr("与第 %ld 行是同一名学生，内容不同", "the same pupil as in row %ld, with other values"),
		item->mark);
	import_reject(im, row, import_field(im, kind_field_index(im->kind, "cert_no")), "DUPLICATE", &p);
}

/* The guardian of the row: the first of the pupil. Sets *changed when something was written. */
static enum err store_guardian(
	struct import *im, struct import_row *row, const struct item *student, bool *changed)
{
	struct record want, key;

	if (!record_groups(&row->guardian))
		return ERR_OK;
	record_init(&key, row->guardian.kind);
	record_set_bytes(&key, F_GUARDIAN_STUDENT, student->id, ID_SIZE);
	record_set_number(&key, F_GUARDIAN_ORDINAL, 1);
	struct item *item = view_find_key(im->view, &key, true);
	merge_row(&want, item, &row->guardian, row->guardian_given);
	record_set_bytes(&want, F_GUARDIAN_STUDENT, student->id, ID_SIZE);
	record_set_number(&want, F_GUARDIAN_ORDINAL, 1);
	*changed = outbox_changed_groups(item, &want) != 0;
	return outbox_put(im->view, &item, &want, UINT32_MAX, im->batch, im->p);
}

static enum err attach_files(struct import *im, struct import_row *row, const struct item *item)
{
	char names[512], dir[600];
	struct problem p = {0};

	if (im->options->what != IMPORT_DESTINATIONS || im->options->dry_run ||
		!record_has(&row->record, F_DESTINATION_EVIDENCE_NOTE))
		return ERR_OK;
	record_text(&row->record, F_DESTINATION_EVIDENCE_NOTE, names, sizeof names);
	snprintf(dir, sizeof dir, "%s", im->options->path);
	enum err e = evidence_attach_names(im->view, item->id, dirname(dir), names, im->batch, NULL, &p);
	if (e == ERR_INVALID || e == ERR_TOO_LARGE || e == ERR_FILE_IO) {
		import_warn(im, row, import_field(im, F_DESTINATION_EVIDENCE_NOTE), "EVIDENCE", &p);
		return ERR_OK;
	}
	return e ? problem_set(im->p, e, NULL, NULL, "%s", p.message) : ERR_OK;
}

static enum err store_row(struct import *im, struct import_row *row)
{
	struct item *item = view_find_key(im->view, &row->record, true);
	struct record want;
	struct problem p = {0};
	bool guardian = false, fresh = !item;

	if (!item && im->options->what == IMPORT_STUDENTS && !record_has(&row->record, F_STUDENT_STATUS))
		record_set_text(&row->record, F_STUDENT_STATUS, "01");
	merge_row(&want, item, &row->record, row->given);
	uint32_t groups = outbox_changed_groups(item, &want);
	if (groups && item && item->mark) {
		reject_repeat(im, row, item);
		return ERR_OK;
	}
	if (check_record(&want, true, im->today, &p)) {
		int field = kind_field_index(im->kind, p.field);
		import_reject(im, row, field < 0 ? p.field : import_field(im, field), NULL, &p);
		return ERR_OK;
	}
	enum err e = outbox_put(im->view, &item, &want, UINT32_MAX, im->batch, im->p);
	if (!e && im->options->what == IMPORT_STUDENTS)
		e = store_guardian(im, row, item, &guardian);
	if (!e)
		e = attach_files(im, row, item);
	if (e)
		return e;
	if (!item->mark)
		item->mark = row->at.number;
	if (fresh)
		im->report->inserted++;
	else if (groups || guardian)
		im->report->updated++;
	else
		im->report->unchanged++;
	return ERR_OK;
}

static enum err store_rows(struct import *im)
{
	const struct import_options *o = im->options;
	struct import_report *r = im->report;
	enum err e = store_begin(im->store, im->p);

	if (e)
		return e;
	e = batch_begin(im->store, kinds[o->what].word, o->path, &im->batch, im->p);
	for (size_t i = 0; !e && i < im->n_rows; i++) {
		if (!im->rows[i].bad)
			e = store_row(im, &im->rows[i]);
		if (o->progress && i % PROGRESS_ROWS == 0)
			o->progress(o->progress_data, i, im->n_rows);
	}
	struct batch_counts counts = {r->inserted, r->updated, r->unchanged, r->rejected.n};
	if (!e)
		e = batch_end(im->store, im->batch, &counts, im->p);
	if (!e)
		e = kept_err(im);
	if (!e && o->all_or_nothing && r->rejected.n)
		e = problem_set(im->p, ERR_FILE_FORMAT, NULL,
			tr("改好这些行再导入，或去掉 --all-or-nothing",
				"mend these rows, or leave --all-or-nothing out"),
			tr("有 %zu 行不合格，一行也没有保存", "%zu rows are bad, nothing was stored"),
			r->rejected.n);
	if (e || o->dry_run) {
		store_rollback(im->store);
		return e;
	}
	e = store_commit(im->store, im->p);
	if (!e)
		r->id = im->batch;
	return e;
}

/* ---- The workbook of bad rows ---- */

static const struct import_note *note_of(const struct import_report *r, long row)
{
	for (size_t i = 0; i < r->rejected.n; i++)
		if (r->rejected.list[i].row == row)
			return &r->rejected.list[i];
	return NULL;
}

static enum err write_row(struct import *im, struct sheet_writer *w, size_t index, const char *column,
	const char *message, enum sheet_style style)
{
	const char *cells[SHEET_COLUMNS_MAX + 2];
	size_t n = im->sheet->n_columns;

	for (size_t i = 0; i < n; i++)
		cells[i] = sheet_text(im->sheet, index, i);
	cells[n] = column;
	cells[n + 1] = message;
	return sheet_writer_row(w, cells, n + 2, style, im->p);
}

/* The bad rows under the file's own header, so that they can be mended and imported again. */
static enum err write_errors(struct import *im)
{
	struct sheet_writer *w;
	size_t header = 0;
	enum err e =
		sheet_writer_open(&w, im->options->errors_path, tr("需要改正的行", "rows to mend"), im->p);

	if (e)
		return e;
	while (header < im->sheet->n_rows &&
		(long)im->sheet->rows[header].number != table_header_row(im->table))
		header++;
	e = write_row(
		im, w, header, tr("出错的列", "column"), tr("问题与改法", "what is wrong"), SHEET_HEADER);
	for (size_t i = 0; !e && i < im->n_rows; i++) {
		const struct import_note *note =
			im->rows[i].bad ? note_of(im->report, im->rows[i].at.number) : NULL;
		if (note)
			e = write_row(im, w, im->rows[i].at.index, note->field, note->message, SHEET_WRONG);
	}
	if (!e)
		return sheet_writer_close(w, im->p);
	sheet_writer_discard(w);
	return e;
}

static enum err prepare(struct import *im)
{
	struct cycle cycle;
	enum err e = cycle_read(im->store, im->today, &cycle, im->p);

	im->year = cycle.year;
	if (!e && im->options->what != IMPORT_STUDENTS && strcmp(cycle.phase, "closed") == 0)
		e = problem_set(im->p, ERR_PHASE, NULL, NULL,
			tr("%d 年的升学工作已经办结", "the cycle of %d is closed"), cycle.year);
	return e ? e : view_load(&im->view, im->store, kinds[im->options->what].views, im->p);
}

static int note_order(const void *a, const void *b)
{
	long left = ((const struct import_note *)a)->row, right = ((const struct import_note *)b)->row;
	return (left > right) - (left < right);
}

enum err import_run(struct store *s, const struct import_options *options, struct import_report *report,
	struct problem *p)
{
	struct import im = {.store = s, .options = options, .report = report, .p = p};

	*report = (struct import_report){0};
	im.kind = kind_by_number(kinds[options->what].kind);
	im.today = cycle_today(s->profile);
	arena_init(&im.arena, IMPORT_BYTES);
	enum err e = prepare(&im);
	if (!e)
		e = read_file(&im);
	if (!e)
		e = check_slip(&im);
	if (!e)
		e = store_rows(&im);
	if (report->rejected.n) /* cells and repeats are looked at one after the other; people read by row */
		qsort(report->rejected.list, report->rejected.n, sizeof *report->rejected.list, note_order);
	if ((!e || e == ERR_FILE_FORMAT) && im.table && options->errors_path && report->rejected.n) {
		enum err written = write_errors(&im);
		e = e ? e : written;
	}
	if (e && p && p->code != e)
		problem_set(p, e, NULL, NULL, NULL);
	free(im.rows);
	view_free(im.view);
	table_free(im.table);
	sheet_free(im.sheet);
	arena_free(&im.arena);
	return e;
}

void import_report_free(struct import_report *report)
{
	free(report->rejected.list);
	free(report->warnings.list);
	free(report->ignored);
	*report = (struct import_report){0};
}
