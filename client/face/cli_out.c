/* Output: results, errors in three lines, tables, progress. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utf8proc.h>

#include "buf.h"
#include "cli.h"
#include "clock.h"
#include "lang.h"
#include "lint.h"
#include "say.h"
#include "tables.h"
#include "text.h"

#define TABLE_COLUMNS_MAX 16 /* more fit on no screen */
#define TABLE_WIDTH_ROWS 500
#define COLUMN_LEAST 8            /* four Chinese characters: narrower columns cannot be read */
#define PIECE_MOST 24             /* a number or a day is kept whole up to here */
#define PROGRESS_AFTER_US 1000000 /* shorter work needs no bar */
#define PROGRESS_EVERY_US 100000

int cli_result(struct cli *c, json_t *json, int code)
{
	if (c->json && !c->printed) {
		/* 15 digits: 1.13, not the nearest double's 1.1299999999999999. */
		json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
		putchar('\n');
		c->printed = true;
	}
	json_decref(json);
	return code;
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

struct told {
	const char *message, *safe;
	char hint[HINT_SIZE];
};

/* What is safe, from what this process has done: saved here, changed at the bureau, or neither. */
const char *cli_what_is_safe(const struct cli *c)
{
	if (c->profile.fate.unknown)
		return _("县局是否已经收到还不知道，先查看结果再决定是否重做");
	if (c->profile.fate.done)
		return _("前面的部分县局已经收到，其余没有改动");
	if (c->profile.fate.stored)
		return _("已保存在本机的内容都在，没有丢失");
	return c->program && strcmp(c->program->name, "jgadmin") == 0 ? _("县局的数据没有改动")
								      : _("本机数据没有改动");
}

/* The three lines: what happened, what is safe, what to do. */
static struct told tell(const struct cli *c)
{
	const struct problem *p = &c->problem;
	const struct err_info *info = err_info(p->code ? (int)p->code : ERR_INTERNAL);
	struct told t = {p->message[0] ? p->message : _(info->sentence),
		p->safe[0] ? p->safe : cli_what_is_safe(c), ""};

	if (p->hint[0])
		snprintf(t.hint, sizeof t.hint, "%s", p->hint);
	else
		err_advice(t.hint, sizeof t.hint, info->code, c->program ? c->program->name : "jg");
	return t;
}

json_t *cli_error_json(const struct cli *c)
{
	const struct problem *p = &c->problem;
	struct told t = tell(c);

	return json_pack("{ss ss ss ss so so so}", "code",
		err_info(p->code ? (int)p->code : ERR_INTERNAL)->name, "message", t.message, "safe", t.safe,
		"hint", t.hint, "field", text_or_null(p->field), "row",
		p->row ? json_integer(p->row) : json_null(), "ref", text_or_null(p->ref));
}

/* A field by its name in the declarations, as people call it. */
static const char *field_word(const char *name)
{
	for (size_t k = 0; k < kind_count; k++) {
		int i = kind_field_index(&kind_table[k], name);
		if (i >= 0)
			return lang_declared(kind_table[k].fields[i].label, kind_table[k].fields[i].label_en);
	}
	return (unsigned char)name[0] >= 0x80
		? name
		: ""; /* a column of a file is Chinese; a name of the wire says nothing to anybody */
}

int cli_fail(struct cli *c)
{
	const struct problem *p = &c->problem;
	struct told t = tell(c);
	/* A command without a device reads no record: its field is an option of its own. */
	const char *field = c->command && c->command->needs & CLI_ENROLLED &&
			(p->row || strcmp(c->program->name, "jg") == 0)
		? field_word(p->field)
		: "";
	char row[48] = "", ref[64] = "";

	cli_progress_end(c);
	fflush(stdout);
	if (p->row)
		snprintf(row, sizeof row, _("第 %ld 行"), p->row);
	if (strstr(t.message, row)) /* said already */
		*row = 0;
	if (p->ref[0] && err_info((int)p->code)->level == ERR_LEVEL_RETRY)
		snprintf(ref, sizeof ref, _("（编号 %.24s）"), p->ref);
	if (*field && strstr(t.message, field))
		field = "";
	const char *const parts[] = {row, *row ? " " : "", field, *field ? _("：") : "", t.message, ref, "\n",
		t.safe, "\n", t.hint, "\n"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		say_text(stderr, parts[i]);
	if (c->json && !c->printed)
		cli_result(c, json_pack("{so}", "error", cli_error_json(c)), 0);
	return err_info(p->code ? (int)p->code : ERR_INTERNAL)->exit_code;
}

int cli_fail_with(struct cli *c, enum err code, const char *hint, const char *message, ...)
{
	char text[256] = "";
	va_list args;

	if (message) {
		va_start(args, message);
		vsnprintf(text, sizeof text, message, args);
		va_end(args);
	}
	problem_set(&c->problem, code, NULL, hint, *text ? "%s" : NULL, text);
	return cli_fail(c);
}

void cli_say(const struct cli *c, const char *format, ...)
{
	va_list args;

	if (c->json)
		return;
	va_start(args, format);
	say_line(stdout, format, args);
	va_end(args);
}

void cli_next(const struct cli *c, const char *format, ...)
{
	va_list args;

	if (c->json)
		return;
	fputs(_("接下来："), stdout);
	va_start(args, format);
	say_line(stdout, format, args);
	va_end(args);
}

void cli_warn(const struct cli *c, const char *format, ...)
{
	va_list args;

	(void)c;
	va_start(args, format);
	say_line(stderr, format, args);
	va_end(args);
}

/* ---- Tables ---- */

struct cli_table {
	size_t columns, rows, room;
	char **cells; /* the headings first; NULL where memory was short */
	bool short_of_memory;
};

static const char *cell_text(const struct cli_table *t, size_t row, size_t column)
{
	const char *text = t->cells[row * t->columns + column];

	return text ? text : "";
}

struct cli_table *cli_table_new(const char *const *headings, size_t columns)
{
	struct cli_table *t = columns <= TABLE_COLUMNS_MAX ? calloc(1, sizeof *t) : NULL;

	if (t) {
		t->columns = columns;
		cli_table_row(t, headings);
	}
	return t;
}

void cli_table_row(struct cli_table *t, const char *const *cells)
{
	if (t && t->rows == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char **more = realloc(t->cells, room * t->columns * sizeof *more);
		if (!more) {
			t->short_of_memory = true;
			return;
		}
		t->cells = more;
		t->room = room;
	}
	for (size_t i = 0; t && i < t->columns; i++) {
		char **cell = &t->cells[t->rows * t->columns + i];
		*cell = strdup(cells[i] ? cells[i] : "");
		LINT_KEPT(*cell); /* cli_table_free frees it */
		t->short_of_memory |= !*cell;
		for (char *at = *cell ? strchr(*cell, '\n') : NULL; at; at = strchr(at, '\n'))
			*at = ' '; /* a line feed would break the row */
	}
	if (t)
		t->rows++;
}

/* The piece of a text up to the next blank: its width, 0 when it may be broken anywhere. 9月15日, 24:00 and
 * 3299**********010X are whole. */
static int whole_piece(const char *text)
{
	size_t n = strcspn(text, " ");
	char piece[128];

	if (n >= sizeof piece || strcspn(text, "0123456789") >= n)
		return 0;
	snprintf(piece, sizeof piece, "%.*s", (int)n, text);
	int width = say_width(piece);
	return width <= PIECE_MOST ? width : 0;
}

/* As much of a text as fits a width; *rest points behind it. Breaks between any two characters, Chinese has
 * no blanks, but for pieces with digits that would fit a line of their own. */
static void put_fitting(FILE *out, const char *text, int width, const char **rest, bool pad)
{
	utf8proc_int32_t c;
	int used = 0;

	for (utf8proc_ssize_t n; (n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c)) > 0 && c;
		text += n) {
		int w = utf8proc_charwidth(c), piece = c == ' ' ? whole_piece(text + n) : 0;
		if (used && used + w > width)
			break;
		if (piece && piece <= width && used + w + piece > width) {
			text += n; /* the blank ends the line */
			break;
		}
		char glyph[8];
		snprintf(glyph, sizeof glyph, "%.*s", (int)n, text);
		say_text(out, glyph);
		used += w;
	}
	*rest = text;
	for (; pad && used < width + 2; used++)
		fputc(' ', out);
}

/* The first screens decide how wide a column is. */
static int column_width(const struct cli_table *t, size_t column)
{
	int width = 0;

	for (size_t r = 0; r < t->rows && r < TABLE_WIDTH_ROWS; r++) {
		int w = say_width(cell_text(t, r, column));
		width = w > width ? w : width;
	}
	return width;
}

void cli_table_free(struct cli_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

/* The terminal's columns and lines; 0 when it is none. */
static void screen_size(int *columns, int *lines)
{
	struct winsize size = {0};

	*columns = *lines = 0;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		*columns = size.ws_col;
		*lines = size.ws_row;
	}
}

/* Narrower than its longest number or day no column should be. */
static int column_least(const struct cli_table *t, size_t column)
{
	int least = COLUMN_LEAST;

	for (size_t r = 0; r < t->rows && r < TABLE_WIDTH_ROWS; r++)
		for (const char *p = cell_text(t, r, column); *p; p += strcspn(p, " "), p += *p == ' ') {
			int piece = whole_piece(p);
			least = piece > least ? piece : least;
		}
	return least;
}

/* On a terminal the widest columns give way until the row fits or each is at its least; their cells wrap. */
static bool fit(int *widths, const int *least, size_t n, int columns)
{
	for (;;) {
		int total = 0;
		size_t widest = n;
		for (size_t i = 0; i < n; i++) {
			total += widths[i] + (i + 1 < n ? 2 : 0);
			if (widths[i] > least[i] && (widest == n || widths[i] > widths[widest]))
				widest = i;
		}
		if (total <= columns || widest == n)
			return total <= columns;
		widths[widest]--;
	}
}

static void fit_table(const struct cli_table *t, int *widths, int columns)
{
	int least[TABLE_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < t->columns; i++)
		least[i] = column_least(t, i);
	if (fit(widths, least, t->columns, columns))
		return;
	for (size_t i = 0; i < t->columns; i++) /* a screen too narrow for that: whatever can be read */
		least[i] = COLUMN_LEAST;
	fit(widths, least, t->columns, columns);
}

static void print_row(FILE *out, const struct cli_table *t, size_t row, const int *widths)
{
	const char *at[TABLE_COLUMNS_MAX] = {0};
	bool more = true;

	for (size_t i = 0; i < t->columns; i++)
		at[i] = cell_text(t, row, i);
	while (more) {
		size_t last = 0;
		/* nothing behind the last text: no blanks at the end of a line */
		for (size_t i = 0; i < t->columns; i++)
			if (*at[i])
				last = i;
		for (size_t i = 0; i <= last; i++)
			put_fitting(out, at[i], widths[i], &at[i], i < last);
		fputc('\n', out);
		more = false;
		for (size_t i = 0; i < t->columns; i++)
			more |= *at[i] != 0;
	}
}

/* A list longer than the screen goes through a pager, which ends by itself when it all fits. */
static FILE *open_pager(size_t rows, int lines)
{
	const char *pager = getenv("JG_PAGER");

	if (!pager)
		pager = getenv("PAGER");
	if (!lines || rows + 2 < (size_t)lines || !isatty(STDIN_FILENO) ||
		(pager && (!*pager || strcmp(pager, "cat") == 0)))
		return NULL;
	if (!pager && access("/usr/bin/less", X_OK) != 0)
		return NULL;
	fflush(stdout);
	return popen(pager ? pager : "/usr/bin/less -FRX", "w");
}

static void print_all(FILE *out, const struct cli_table *t, const int *widths)
{
	for (size_t r = 0; r < t->rows; r++)
		print_row(out, t, r, widths);
	fprintf(out, _("共 %zu 行\n"), t->rows - (t->rows > 0));
	if (t->short_of_memory)
		fprintf(out, "%s\n", _("内存不足，列表不全"));
}

void cli_table_print(const struct cli *c, struct cli_table *t)
{
	int widths[TABLE_COLUMNS_MAX] = {0}, columns, lines;

	if (!t)
		return;
	screen_size(&columns, &lines);
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = column_width(t, i);
	if (columns)
		fit_table(t, widths, columns);
	else
		widths[t->columns - 1] = INT_MAX / 2;
	FILE *pager = c->json ? NULL : open_pager(t->rows, lines);
	if (!c->json)
		print_all(pager ? pager : stdout, t, widths);
	/* The pager is not there, or could not show anything: the list is what was asked for. */
	if (pager && pclose(pager) != 0)
		print_all(stdout, t, widths);
	cli_table_free(t);
}

/* ---- Progress ---- */

static struct {
	uint64_t began, shown;
	bool on_line;
} progress;

void cli_progress(struct cli *c, const char *what, uint64_t done, uint64_t total)
{
	uint64_t now = clock_monotonic_us();

	if (!progress.began)
		progress.began = now;
	if (now - progress.shown < PROGRESS_EVERY_US)
		return;
	if (c->progress_json) {
		progress.shown = now;
		json_t *line = json_pack("{s{ss sI sI}}", "progress", "what", what, "done", (json_int_t)done,
			"total", (json_int_t)total);
		json_dumpf(line, stderr, JSON_COMPACT);
		fputc('\n', stderr);
		json_decref(line);
	} else if (isatty(2) && now - progress.began > PROGRESS_AFTER_US) {
		progress.shown = now;
		progress.on_line = true;
		struct winsize size = {0};
		char line[160];
		const char *rest;
		snprintf(line, sizeof line, "%s %llu/%llu", what, (unsigned long long)done,
			(unsigned long long)total);
		fputc('\r', stderr);
		put_fitting(stderr, line,
			ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79, &rest,
			false);
		fputs("\033[K", stderr);
	}
}

void cli_progress_end(struct cli *c)
{
	(void)c;
	if (progress.on_line)
		fputs("\r\033[K", stderr);
	progress.on_line = false;
	progress.began = 0;
}

json_t *cli_time_json(int64_t us)
{
	char text[TIME_TEXT_SIZE];

	if (!us)
		return json_null();
	time_format(text, us);
	return json_string(text);
}

json_t *cli_date_json(int32_t date)
{
	return date ? json_sprintf("%04d-%02d-%02d", date / 10000, date / 100 % 100, date % 100)
		    : json_null();
}
