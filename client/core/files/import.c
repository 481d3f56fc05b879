#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_row.h"
#include "lang.h"
#include "lint.h"
#include "sheet_write.h"
#include "tables.h"
#include "text.h"
#include "way.h"

#define IMPORT_BYTES (512u << 20) /* texts of 100,000 rows, the most that sheet.h reads */
#define PROGRESS_ROWS 500

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
	im->rows[im->n_rows] = (struct import_row){.at = *at, .page = im->page};
	struct import_row *row = &im->rows[im->n_rows++];
	if (im->rules->read)
		im->rules->read(im, row);
	else
		import_read_row(im, row);
	return ERR_OK;
}

/* The unknown columns of all sheets, each once. */
static enum err list_ignored(struct import *im)
{
	struct buf out = {0};
	char line[2 * TABLE_HEADING_MAX];

	buf_u8(&out, 0);
	for (size_t k = 0; k < im->book.n; k++)
		for (size_t i = 0; i < table_ignored_count(im->book.tables[k].table) && !out.failed; i++) {
			struct table_ignored x = table_ignored_at(im->book.tables[k].table, i);
			snprintf(line, sizeof line, "%s\t%s\n", x.heading, x.nearest ? x.nearest : "");
			if (strstr((char *)out.data, line))
				continue;
			out.len--;
			buf_add(&out, line, strlen(line) + 1);
		}
	char *text = out.failed ? NULL : strdup((char *)out.data);
	buf_free(&out);
	LINT_KEPT(text); /* import_report_free frees it */
	im->report->ignored = text;
	return text ? ERR_OK : ERR_NOMEM;
}

/* What was read, or was to be told, and could not be kept. */
enum err import_kept(const struct import *im)
{
	bool lost = im->arena.refused || im->report->rejected.lost || im->report->warnings.lost;

	return lost ? problem_set(im->p, ERR_NOMEM, NULL, NULL, NULL) : ERR_OK;
}

/* Sheets that were not read, so that a class is not missed without a word; the hidden ones, of which a
 * template has a dozen, in one. */
static void tell_left(struct import *im)
{
	struct problem p;
	char hidden[160] = "";

	for (size_t i = 0; i < im->book.n_left; i++) {
		const struct book_left *left = &im->book.left[i];
		size_t n = strlen(hidden);
		if (left->page->hidden) {
			snprintf(hidden + n, sizeof hidden - n, "%s%s", n ? _("、") : "", left->page->name);
			continue;
		}
		problem_set(&p, ERR_FILE_HEADER, NULL, NULL, _("没有读这张工作表：%s"), left->why);
		import_warn_page(im, left->page, "SHEET_LEFT", &p);
	}
	if (!*hidden)
		return;
	problem_set(&p, ERR_FILE_HEADER, NULL, _("要读请用 --sheet"), _("没有读隐藏的工作表：%s"), hidden);
	import_warn_page(im, NULL, "SHEET_HIDDEN", &p);
}

static enum err read_page(struct import *im, const struct book_table *t)
{
	const struct import_options *o = im->options;
	struct table_row at;
	enum err e = ERR_OK;

	im->table = t->table;
	im->page = t->page;
	import_hint_read(im, t->table, t->page, &im->hint);
	while (!e && table_next(im->table, &at)) {
		e = add_row(im, &at);
		if (o->progress && im->n_rows % PROGRESS_ROWS == 0)
			o->progress(o->progress_data, im->n_rows, im->sheet->n_rows);
	}
	im->report->skipped += table_skipped_count(im->table);
	return e;
}

static enum err read_file(struct import *im)
{
	const struct import_options *o = im->options;
	const struct import_subject *about = im->rules->about;
	enum err e = sheet_read_file(o->path, o->sheet, &im->sheet, im->p);

	if (im->rules->columns)
		im->rules->columns(im);
	else
		import_columns(im);
	if (!e)
		e = import_kept(im);
	const struct book_wants wants = {
		{im->columns, im->n_columns, about ? about->groups : NULL, o->maps, o->n_maps},
		import_roster_usable, im};
	if (!e)
		e = book_open(&im->book, im->sheet, &wants, im->p);
	if (!e && im->rules->begin)
		e = im->rules->begin(im);
	if (e)
		return e;
	for (size_t i = 0; !e && i < im->book.n; i++)
		e = read_page(im, &im->book.tables[i]);
	im->report->read = im->n_rows;
	im->report->sheets = im->book.n;
	tell_left(im);
	if (!e)
		e = list_ignored(im);
	return e ? problem_set(im->p, e, NULL, NULL, NULL) : import_kept(im);
}

/* ---- The workbook of bad rows ---- */

static const struct import_note *note_of(const struct import_report *r, const struct import_row *row)
{
	for (size_t i = 0; i < r->rejected.n; i++) {
		const struct import_note *note = &r->rejected.list[i];
		if (note->row == row->at.number &&
			(!note->sheet[0] || strncmp(note->sheet, row->page->name, strlen(note->sheet)) == 0))
			return note;
	}
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

/* The bad rows of one sheet under its own header. */
static enum err write_page(struct import *im, struct sheet_writer *w, const struct book_table *t, bool *begun)
{
	enum err e = ERR_OK;
	bool header = false;

	for (size_t i = 0; !e && i < im->n_rows; i++) {
		const struct import_row *row = &im->rows[i];
		const struct import_note *note =
			row->bad && row->page == t->page ? note_of(im->report, row) : NULL;
		if (!note)
			continue;
		if (!header && *begun)
			e = sheet_writer_page(w, t->page->name, im->p);
		if (!e && !header)
			e = write_row(im, w, table_header_index(t->table), _("出错的列"), _("问题与改法"),
				SHEET_HEADER);
		header = *begun = true;
		if (!e)
			e = write_row(im, w, row->at.index, note->field, note->message, SHEET_WRONG);
	}
	return e;
}

/* So that they can be mended and imported again. */
static enum err write_errors(struct import *im)
{
	struct sheet_writer *w;
	bool begun = false;
	enum err e = sheet_writer_open(&w, im->options->errors_path, _("需要改正的行"), im->p);

	if (e)
		return e;
	for (size_t i = 0; !e && i < im->book.n; i++)
		e = write_page(im, w, &im->book.tables[i], &begun);
	if (!e)
		return sheet_writer_close(w, im->p);
	sheet_writer_discard(w);
	return e;
}

/* After the rows are stored, nothing may be said to be as it was. */
static void tell_stored(const struct import_report *r, struct problem *p)
{
	if (p && r->id)
		snprintf(p->safe, sizeof p->safe, _("合格的行已经保存（批次 %lld）；撤销：%s %lld"),
			(long long)r->id, way("undo_import"), (long long)r->id);
}

static int note_order(const void *a, const void *b)
{
	const struct import_note *left = a, *right = b;
	int sheets = strcmp(left->sheet, right->sheet);

	return sheets ? sheets : (left->row > right->row) - (left->row < right->row);
}

enum err import_run(struct store *s, const struct import_options *options, struct import_report *report,
	struct problem *p)
{
	struct import im = {.store = s, .options = options, .report = report, .p = p};

	*report = (struct import_report){0};
	im.rules = options->rules;
	im.kind = kind_by_number(im.rules->kind);
	im.beside = im.rules->beside ? kind_by_number(im.rules->beside) : NULL;
	im.today = profile_today(s->profile);
	arena_init(&im.arena, IMPORT_BYTES);
	enum err e = im.rules->about && im.rules->about->may ? im.rules->about->may(s, p) : ERR_OK;
	if (!e && options->errors_path)
		e = sheet_target_check(options->errors_path, options->path, p);
	if (!e)
		e = view_load(&im.view, s, im.rules->views, p);
	if (!e)
		e = read_file(&im);
	if (!e && im.rules->check)
		e = im.rules->check(&im);
	if (!e)
		e = import_store_rows(&im);
	if (report->rejected.n) /* cells and repeats are looked at one after the other; people read by row */
		qsort(report->rejected.list, report->rejected.n, sizeof *report->rejected.list, note_order);
	if ((!e || e == ERR_FILE_FORMAT) && im.n_rows && options->errors_path && report->rejected.n) {
		enum err written = write_errors(&im);
		if (written)
			tell_stored(report, p);
		e = e ? e : written;
	}
	if (e && p && p->code != e)
		problem_set(p, e, NULL, NULL, NULL);
	free(im.rows);
	if (im.rules->end)
		im.rules->end(&im);
	view_free(im.view);
	book_close(&im.book);
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
