#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "cycle.h"
#include "import_row.h"
#include "lint.h"
#include "sheet_write.h"
#include "tables.h"
#include "text.h"
#include "transition.h"

#define IMPORT_BYTES (512u << 20) /* texts of 100,000 rows, the most that sheet.h reads */
#define PROGRESS_ROWS 500

static const struct {
	uint32_t kind;
	uint32_t views[5];
} kinds[] = {
	[IMPORT_STUDENTS] = {KIND_STUDENT, {KIND_STUDENT, KIND_GUARDIAN, 0}},
	[IMPORT_DESTINATIONS] = {KIND_DESTINATION,
		{KIND_DESTINATION, KIND_EVIDENCE, KIND_SCHOOL, KIND_STUDENT, 0}},
	[IMPORT_ENROLLED] = {KIND_ENROLMENT, {KIND_ENROLMENT, KIND_DESTINATION, 0}},
	[IMPORT_VERIFY] = {KIND_VERIFY_ANSWER,
		{KIND_VERIFY_ANSWER, KIND_DESTINATION, KIND_ENROLMENT, KIND_SCHOOL, 0}},
};

/* ---- The year ---- */

/* A year in a title is this one's neighbour, or something else. */
static bool is_near(const struct import *im, int32_t year)
{
	return year >= im->today / 10000 - 3 && year <= im->today / 10000 + 2;
}

static enum err ask_year(struct import *im, const struct cycle *cycle)
{
	im->report->ask_year = cycle_year_of(im->today);
	if (cycle->known)
		return problem_set(im->p, ERR_PHASE, "--year",
			tr("若是下一年的，请加 --year 年份", "if it is of the next one, say --year Y"),
			tr("%d 年的升学工作已经办结", "the cycle of %d is closed"), cycle->year);
	char hint[128];
	snprintf(hint, sizeof hint,
		tr("请先 jg sync 收取县里的年度，或在命令后加 --year %d",
			"run jg sync to hear of the cycle, or say --year %d"),
		im->report->ask_year);
	return problem_set(im->p, ERR_NOT_NOW, "--year", hint, "%s",
		tr("还没有收到县里的升学年度，文件标题里也没有年份：不知道是哪一年的小升初",
			"no cycle was heard of yet and the title names no year: which one is this of?"));
}

/* Answers belong to the cycle, and to its phase of verification. */
static enum err verify_year(struct import *im, const struct cycle *cycle)
{
	im->year = im->report->year = cycle->year;
	if (strcmp(cycle->phase, "closed") == 0)
		return problem_set(im->p, ERR_PHASE, NULL,
			tr("要更正请联系县教育局：局领导可说明原因后重新打开这一年",
				"tell the bureau: the leader can open the year again, with a reason"),
			tr("%d 年的升学工作已经办结", "the cycle of %d is closed"), cycle->year);
	if (cycle->known && strcmp(cycle->phase, "verify") != 0)
		return problem_set(im->p, ERR_PHASE, NULL,
			tr("若县里刚进入核验阶段，先运行 jg sync",
				"if the county has just begun it, run jg sync"),
			tr("现在是%s阶段，还不能核验", "the phase is “%s”: it is not yet time to verify"),
			code_name(&codes_phase, cycle->phase));
	im->declared = verify_rows(im->view, im->year, &im->n_declared);
	return im->declared ? ERR_OK : problem_set(im->p, ERR_NOMEM, NULL, NULL, NULL);
}

/* A year that is open, or can be opened yet (this one and the next): the server takes no other. */
static enum err check_year(struct import *im, const struct cycle *latest)
{
	struct cycle of;
	struct problem later = {0};
	enum err e = cycle_find(im->store, im->year, &of, im->p);
	char hint[160];

	if (e)
		return e;
	if (strcmp(of.phase, "closed") == 0)
		return problem_set(im->p, ERR_PHASE, "--year",
			tr("若是下一年的，请加 --year 年份", "if it is of the next one, say --year Y"),
			tr("%d 年的升学工作已经办结", "the cycle of %d is closed"), im->year);
	if (of.known)
		return ERR_OK;
	if (latest->known)
		snprintf(hint, sizeof hint,
			tr("现在办理的是 %d 年：--year %d", "the cycle is that of %d: --year %d"),
			latest->year, latest->year);
	else
		snprintf(hint, sizeof hint, "%s",
			tr("核对年份；先 jg sync 收取县里的年度",
				"look at the year; jg sync hears of the county's"));
	if (im->year < im->today / 10000 || im->year > im->today / 10000 + 1 ||
		(latest->known && im->year < latest->year))
		return problem_set(im->p, ERR_USAGE, "--year", hint,
			tr("县里没有 %d 年的小升初工作", "the county has no cycle of %d"), im->year);
	if (!latest->known)
		return ERR_OK;
	problem_set(&later, ERR_NOT_NOW, NULL, hint,
		tr("%d 年还没有开始：先存着，县局开始后才看得到",
			"%d is not open yet: it is kept, and seen once it is"),
		im->year);
	import_warn_page(im, NULL, "YEAR_NOT_OPEN", &later);
	return ERR_OK;
}

/* The year that a destination or a roster belongs to: told, else written in the file, else that of the cycle.
 * Never guessed: rows of another year are seen by nobody. */
static enum err find_year(struct import *im)
{
	const struct import_options *o = im->options;
	struct cycle cycle;
	struct import_hint hint = {0};
	enum err e = cycle_read(im->store, im->today, &cycle, im->p);

	for (size_t i = 0; !hint.year && i < im->book.n; i++)
		import_hint_read(im, im->book.tables[i].table, im->book.tables[i].page, &hint);
	if (e || o->what == IMPORT_STUDENTS)
		return e;
	if (o->what == IMPORT_VERIFY)
		return verify_year(im, &cycle);
	bool closed = strcmp(cycle.phase, "closed") == 0;
	im->year = o->year ? o->year : is_near(im, hint.year) ? hint.year : 0;
	if (!im->year && (!cycle.known || (closed && cycle_year_of(im->today) > cycle.year)))
		return ask_year(im, &cycle);
	if (!im->year)
		im->year = cycle.year;
	im->report->year = im->year;
	if (cycle.known && im->year < cycle.year && !o->year)
		return problem_set(im->p, ERR_CONFLICT, NULL,
			tr("确实要导入旧年度的表，请加 --year 年份",
				"to import a table of an older year, say --year Y"),
			tr("标题写的是 %d 年，现在办理的是 %d 年",
				"the title says %d, the cycle is that of %d"),
			im->year, cycle.year);
	return check_year(im, &cycle);
}

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
	if (im->options->what == IMPORT_VERIFY)
		import_verify_read(im, &im->rows[im->n_rows++]);
	else
		import_read_row(im, &im->rows[im->n_rows++]);
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
			snprintf(hidden + n, sizeof hidden - n, "%s%s", n ? "、" : "", left->page->name);
			continue;
		}
		problem_set(&p, ERR_FILE_HEADER, NULL, NULL,
			tr("没有读这张工作表：%s", "this sheet was not read: %s"), left->why);
		import_warn_page(im, left->page, "SHEET_LEFT", &p);
	}
	if (!*hidden)
		return;
	problem_set(&p, ERR_FILE_HEADER, NULL, tr("要读请用 --sheet", "read them by --sheet"),
		tr("没有读隐藏的工作表：%s", "hidden sheets were not read: %s"), hidden);
	import_warn_page(im, NULL, "SHEET_HIDDEN", &p);
}

/* A line of the form that nobody filled, of a pupil who has declared nothing otherwise: lines left blank are
 * no pupils to be asked. */
static bool waits(const struct import *im, const struct import_row *row)
{
	return row->unfilled &&
	       (row->record.kind->number != KIND_DESTINATION || !view_find_key(im->view, &row->record, true));
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
		im->report->unfilled += !e && waits(im, &im->rows[im->n_rows - 1]);
		if (o->progress && im->n_rows % PROGRESS_ROWS == 0)
			o->progress(o->progress_data, im->n_rows, im->sheet->n_rows);
	}
	im->report->skipped += table_skipped_count(im->table);
	return e;
}

static enum err read_file(struct import *im)
{
	const struct import_options *o = im->options;
	enum err e = sheet_read_file(o->path, o->sheet, &im->sheet, im->p);

	if (o->what == IMPORT_VERIFY)
		import_verify_columns(im);
	else
		import_columns(im);
	const struct book_wants wants = {
		im->columns, im->n_columns, o->maps, o->n_maps, import_roster_usable, im};
	if (!e)
		e = book_open(&im->book, im->sheet, &wants, im->p);
	if (!e)
		e = find_year(im);
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
			e = write_row(im, w, table_header_index(t->table), tr("出错的列", "column"),
				tr("问题与改法", "what is wrong"), SHEET_HEADER);
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
	enum err e =
		sheet_writer_open(&w, im->options->errors_path, tr("需要改正的行", "rows to mend"), im->p);

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
		snprintf(p->safe, sizeof p->safe,
			tr("合格的行已经保存（批次 %lld）；撤销：jg import undo %lld",
				"the good rows are stored (batch %lld); to take them back: jg import undo "
				"%lld"),
			(long long)r->id, (long long)r->id);
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
	im.kind = kind_by_number(kinds[options->what].kind);
	im.today = cycle_today(s->profile);
	arena_init(&im.arena, IMPORT_BYTES);
	enum err e =
		options->errors_path ? sheet_target_check(options->errors_path, options->path, p) : ERR_OK;
	if (!e)
		e = view_load(&im.view, s, kinds[options->what].views, p);
	if (!e)
		e = read_file(&im);
	if (!e)
		e = import_check_slip(&im);
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
	free(im.declared);
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
