#include "sheet_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <expat.h>
#include <xlsxwriter.h>
#include <zip.h>

#include "file_name.h"
#include "lang.h"
#include "sheet.h"
#include "text.h"
#include "whole_file.h"

#define TEXT_FORMAT_INDEX 49 /* "@", built in */
#define WIDTH_MIN 8.0        /* of a column, in characters */
#define WIDTH_MAX 40.0
#define PART_CHUNK 65536

struct sheet_writer {
	char *path, *part; /* where it will stand, where it is written */
	uint32_t row;
	FILE *csv;
	lxw_workbook *book;
	lxw_worksheet *page;
	lxw_format *formats[SHEET_WRONG + 1];
	double widths[SHEET_COLUMNS_MAX];
	size_t n_columns;
	size_t dropped;
};

static void writer_free(struct sheet_writer *w)
{
	free(w->path);
	free(w->part);
	free(w);
}

static enum err nomem(struct problem *p)
{
	return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
}

static enum err xlsx_begin(struct sheet_writer *w, const char *title, struct problem *p)
{
	w->book = workbook_new(w->part);
	if (!w->book)
		return nomem(p);
	w->page = workbook_add_worksheet(w->book, title);
	if (!w->page)
		return problem_set(p, ERR_INVALID, NULL, NULL, _("工作表名“%s”不可用"), title);
	for (int i = 0; i <= SHEET_WRONG; i++) {
		lxw_format *format = w->formats[i] = workbook_add_format(w->book);
		if (!format)
			return nomem(p);
		format_set_num_format_index(format, TEXT_FORMAT_INDEX);
	}
	format_set_bold(w->formats[SHEET_HEADER]);
	format_set_bg_color(w->formats[SHEET_HEADER], 0xD9D9D9);
	format_set_border(w->formats[SHEET_HEADER], LXW_BORDER_THIN);
	format_set_bg_color(w->formats[SHEET_WRONG], 0xFFC7CE);
	return ERR_OK;
}

/* The whole column is text, so that what people add below stays text too. */
static void columns_finish(struct sheet_writer *w)
{
	for (size_t i = 0; i < w->n_columns; i++) {
		double width = w->widths[i] < WIDTH_MIN ? WIDTH_MIN
			: w->widths[i] > WIDTH_MAX      ? WIDTH_MAX
							: w->widths[i];
		worksheet_set_column(w->page, (lxw_col_t)i, (lxw_col_t)i, width, w->formats[SHEET_PLAIN]);
		w->widths[i] = 0;
	}
	w->n_columns = 0;
}

enum err sheet_writer_page(struct sheet_writer *w, const char *title, struct problem *p)
{
	if (w->csv)
		return ERR_OK;
	columns_finish(w);
	w->row = 0;
	w->page = workbook_add_worksheet(w->book, title);
	if (!w->page)
		w->page = workbook_add_worksheet(w->book, NULL);
	return w->page ? ERR_OK : nomem(p);
}

#define CHOICE_ROWS 5000 /* below the header: more than any form has */

enum err sheet_writer_choice(struct sheet_writer *w, size_t column, const char *title, size_t list_column,
	size_t n, bool strict, struct problem *p)
{
	lxw_data_validation choice = {.validate = LXW_VALIDATION_TYPE_LIST_FORMULA,
		.ignore_blank = LXW_VALIDATION_ON,
		.error_type = strict ? LXW_VALIDATION_ERROR_TYPE_STOP : LXW_VALIDATION_ERROR_TYPE_WARNING};
	char formula[128], letter = (char)('A' + list_column);

	if (w->csv || !n)
		return ERR_OK;
	snprintf(formula, sizeof formula, "='%s'!$%c$2:$%c$%zu", title, letter, letter, n + 1);
	choice.value_formula = formula;
	choice.error_title = (char *)_("请从下拉里选");
	choice.error_message = (char *)_("可选的写在“代码和学校”这张表里");
	lxw_error error = worksheet_data_validation_range(
		w->page, 1, (lxw_col_t)column, CHOICE_ROWS, (lxw_col_t)column, &choice);
	return error ? problem_set(p, ERR_INTERNAL, NULL, NULL, "%s", lxw_strerror(error)) : ERR_OK;
}

size_t sheet_writer_dropped(const struct sheet_writer *w)
{
	return w->dropped;
}

static enum err csv_begin(struct sheet_writer *w, struct problem *p)
{
	w->csv = fopen(w->part, "wbe");
	if (!w->csv || fputs("\xEF\xBB\xBF", w->csv) == EOF) /* without BOM Excel takes it for GBK */
		return file_problem(p, w->path, errno);
	return ERR_OK;
}

/* 1 for a .csv, 0 for an .xlsx, -1 for another name, told. */
static int format_of(const char *path, struct problem *p)
{
	const char *end = strrchr(path, '.');

	if (end && (strcasecmp(end, ".csv") == 0 || strcasecmp(end, ".xlsx") == 0))
		return strcasecmp(end, ".csv") == 0;
	problem_set(p, ERR_USAGE, NULL, _("例如：结果.xlsx"), _("文件名应以 .xlsx 或 .csv 结尾：%s"), path);
	return -1;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum err sheet_target_check(const char *path, const char *input, struct problem *p)
{
	char part[PATH_MAX + sizeof ".part"];

	if (format_of(path, p) < 0)
		return ERR_USAGE;
	snprintf(part, sizeof part, "%s.part", path);
	if (input && (same_file(path, input) || same_file(part, input)))
		return problem_set(
			p, ERR_USAGE, NULL, _("请换一个文件名"), _("%s 就是要读的文件，写入会毁掉它"), path);
	return whole_file_check(path, p);
}

enum err sheet_writer_open(struct sheet_writer **out, const char *path, const char *title, struct problem *p)
{
	int csv = format_of(path, p);
	enum err err;

	*out = NULL;
	if (csv < 0)
		return ERR_USAGE;
	struct sheet_writer *w = calloc(1, sizeof *w);
	if (!w)
		return nomem(p);
	w->path = strdup(path);
	if (!w->path || asprintf(&w->part, "%s.part", path) < 0) {
		w->part = NULL;
		err = nomem(p);
	} else {
		err = csv ? csv_begin(w, p) : xlsx_begin(w, title, p);
	}
	if (err) {
		sheet_writer_discard(w);
		return err;
	}
	*out = w;
	return ERR_OK;
}

/* Whether a line, from here on, would be taken for a formula: the sign may stand behind blanks, and
 * full-width signs count, since some programs fold them (SECURITY.md "CSV/xlsx out"). */
static bool line_is_risky(const char *line)
{
	int32_t c;
	int step;

	for (; (step = text_next(line, &c)) > 0; line += step) {
		switch (c) {
		case '=':
		case '+':
		case '-':
		case '@':
		case '\t':
		case '\r':
		case 0xFF1D: /* ＝ */
		case 0xFF0B: /* ＋ */
		case 0xFF0D: /* － */
		case 0xFF20: /* ＠ */
			return true;
		default:
			if (c == '\n' || !text_is_space(c))
				return false;
		}
	}
	return false;
}

static void csv_cell(FILE *f, const char *text)
{
	bool line_start = true;

	fputc('"', f);
	for (; *text; text++) {
		if (line_start && line_is_risky(text))
			fputc('\'', f);
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
		line_start = *text == '\n' || *text == '\r';
	}
	fputc('"', f);
}

static enum err csv_row(struct sheet_writer *w, const char *const *cells, size_t n, struct problem *p)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(',', w->csv);
		csv_cell(w->csv, cells[i] ? cells[i] : "");
	}
	fputs("\r\n", w->csv);
	return ferror(w->csv) ? file_problem(p, w->path, errno) : ERR_OK;
}

/* XML has no place for these, and Excel refuses a workbook that holds one. */
static bool xml_holds(int32_t c)
{
	return c == '\n' || c == '\t' || (c >= 0x20 && c != 0xFFFE && c != 0xFFFF);
}

static bool xml_holds_all(const char *text)
{
	int32_t c;

	for (int step; (step = text_next(text, &c)) > 0; text += step)
		if (!xml_holds(c))
			return false;
	return true;
}

/* The text without them; the caller frees it. NULL when memory is short. */
static char *xml_fit(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;
	int32_t c;

	for (int step; out && (step = text_next(text, &c)) > 0; text += step) {
		if (!xml_holds(c))
			continue;
		memcpy(to, text, (size_t)step);
		to += step;
	}
	if (out)
		*to = 0;
	return out;
}

/* Characters as wide as they are shown: Chinese ones take two. */
static double text_width(const char *text)
{
	return (double)(text_length(text) + strlen(text)) / 2 + 2;
}

static enum err xlsx_cell(
	struct sheet_writer *w, lxw_col_t column, const char *text, enum sheet_style style, struct problem *p)
{
	char *fit = NULL;

	if (!xml_holds_all(text)) {
		if (!(fit = xml_fit(text)))
			return nomem(p);
		w->dropped++;
		text = fit;
	}
	lxw_error error = *text ? worksheet_write_string(w->page, w->row, column, text, w->formats[style])
				: worksheet_write_blank(w->page, w->row, column, w->formats[style]);
	if (text_width(text) > w->widths[column])
		w->widths[column] = text_width(text);
	free(fit);
	if (error == LXW_ERROR_MEMORY_MALLOC_FAILED)
		return nomem(p);
	return error ? problem_set(p, ERR_TOO_LARGE, NULL, NULL, "%s", lxw_strerror(error)) : ERR_OK;
}

static enum err xlsx_row(
	struct sheet_writer *w, const char *const *cells, size_t n, enum sheet_style style, struct problem *p)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < n; i++)
		err = xlsx_cell(w, (lxw_col_t)i, cells[i] ? cells[i] : "", style, p);
	if (!err && style == SHEET_HEADER)
		worksheet_freeze_panes(w->page, w->row + 1, 0);
	return err;
}

enum err sheet_writer_row(
	struct sheet_writer *w, const char *const *cells, size_t n, enum sheet_style style, struct problem *p)
{
	enum err err;

	if (n > SHEET_COLUMNS_MAX)
		return problem_set(p, ERR_TOO_LARGE, NULL, NULL, _("列太多"));
	for (size_t i = 0; i < n; i++)
		if (cells[i] && !text_utf8_valid(cells[i], strlen(cells[i])))
			return problem_set(p, ERR_INVALID, NULL, NULL, _("第 %zu 列不是 UTF-8"), i + 1);
	if (n > w->n_columns)
		w->n_columns = n;
	err = w->csv ? csv_row(w, cells, n, p) : xlsx_row(w, cells, n, style, p);
	w->row++;
	return err;
}

static bool part_is_whole(zip_file_t *part)
{
	XML_Parser parser = part ? XML_ParserCreate(NULL) : NULL;
	bool whole = parser != NULL;
	zip_int64_t n = 1;

	while (whole && n > 0) {
		void *chunk = XML_GetBuffer(parser, PART_CHUNK);
		n = chunk ? zip_fread(part, chunk, PART_CHUNK) : -1;
		whole = n >= 0 && XML_ParseBuffer(parser, (int)n, n == 0) == XML_STATUS_OK;
	}
	if (parser)
		XML_ParserFree(parser);
	return whole;
}

/* libxlsxwriter writes each part to a temporary file first and does not notice when that one's disk is full:
 * the workbook then holds half a table under a good check sum. */
static bool xlsx_is_whole(const char *path)
{
	zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
	zip_int64_t n = zip ? zip_get_num_entries(zip, 0) : 0;
	bool whole = n > 0;

	for (zip_int64_t i = 0; whole && i < n; i++) {
		zip_file_t *part = zip_fopen_index(zip, (zip_uint64_t)i, 0);
		whole = part_is_whole(part);
		if (part)
			zip_fclose(part);
	}
	if (zip)
		zip_discard(zip);
	return whole;
}

/* libxlsxwriter prints the errors that it returns, in English, and has no switch for it. */
static lxw_error close_quietly(lxw_workbook *book, int *number)
{
	int out = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stderr);
	if (out >= 0 && nowhere >= 0)
		dup2(nowhere, STDERR_FILENO);
	errno = 0;
	lxw_error error = workbook_close(book);
	*number = errno;
	fflush(stderr);
	if (out >= 0) {
		dup2(out, STDERR_FILENO);
		close(out);
	}
	if (nowhere >= 0)
		close(nowhere);
	return error;
}

static enum err xlsx_end(struct sheet_writer *w, struct problem *p)
{
	int number;

	columns_finish(w);
	lxw_error error = close_quietly(w->book, &number);
	w->book = NULL;
	if (error == LXW_ERROR_MEMORY_MALLOC_FAILED)
		return nomem(p);
	if (error && !number)
		return problem_set(
			p, ERR_FILE_IO, NULL, NULL, _("写不了 %s：%s"), w->path, lxw_strerror(error));
	if (error)
		return file_problem(p, w->path, number);
	if (xlsx_is_whole(w->part))
		return ERR_OK;
	return problem_set(
		p, ERR_DISK_FULL, NULL, NULL, _("磁盘已满，写不了 %s 的临时文件（TMPDIR）"), w->path);
}

static enum err csv_end(struct sheet_writer *w, struct problem *p)
{
	FILE *f = w->csv;

	w->csv = NULL;
	return fclose(f) ? file_problem(p, w->path, errno) : ERR_OK;
}

enum err sheet_writer_close(struct sheet_writer *w, struct problem *p)
{
	enum err err = w->csv ? csv_end(w, p) : xlsx_end(w, p);

	if (!err && rename(w->part, w->path))
		err = file_problem(p, w->path, errno);
	if (err)
		unlink(w->part);
	writer_free(w);
	return err;
}

void sheet_writer_discard(struct sheet_writer *w)
{
	if (!w)
		return;
	if (w->book)
		lxw_workbook_free(w->book);
	if (w->csv)
		fclose(w->csv);
	if (w->csv && w->part)
		unlink(w->part);
	writer_free(w);
}
