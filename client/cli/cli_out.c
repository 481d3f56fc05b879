/* Output: results, errors in three lines, tables, progress. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utf8proc.h>

#include "buf.h"
#include "cli.h"
#include "clock.h"
#include "lint.h"
#include "text.h"

#define TABLE_COLUMNS_MAX 16 /* more fit on no screen */
#define TABLE_WIDTH_ROWS 500
#define PROGRESS_AFTER_US 1000000 /* shorter work needs no bar */
#define PROGRESS_EVERY_US 100000

int cli_result(struct cli *c, json_t *json, int code)
{
	if (c->json && !c->printed) {
		json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
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
	const char *message, *safe, *hint;
};

/* The three lines: what happened, what is safe, what to do. */
static struct told tell(const struct problem *p)
{
	const struct err_info *info = err_info(p->code ? (int)p->code : ERR_INTERNAL);

	return (struct told){p->message[0] ? p->message : tr(info->zh, info->en),
		p->safe[0] ? p->safe : tr("本机数据没有改动", "nothing on this computer was changed"),
		p->hint[0]                    ? p->hint
		: info->code == ERR_DISK_FULL ? tr("请清理磁盘后再试", "free some space and try again")
		: info->level == ERR_LEVEL_RETRY
			? tr("请稍后再试", "try again later")
			: tr("请按上面的说明改正后再试", "mend it as said above and try again")};
}

json_t *cli_error_json(const struct cli *c)
{
	const struct problem *p = &c->problem;
	struct told t = tell(p);

	return json_pack("{ss ss ss ss so so sn}", "code",
		err_info(p->code ? (int)p->code : ERR_INTERNAL)->name, "message", t.message, "safe", t.safe,
		"hint", t.hint, "field", text_or_null(p->field), "row",
		p->row ? json_integer(p->row) : json_null(), "ref");
}

/* Text of somebody's file may hold what steers a terminal: none of it gets there. */
static void put_text(FILE *out, const char *text)
{
	size_t room = strlen(text) * 3 + 1; /* a byte that is not UTF-8 becomes three */
	char *fit = malloc(room);

	if (!fit)
		return;
	text_printable(fit, room, text);
	fputs(fit, out);
	free(fit);
}

static void put_line(FILE *out, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void put_line(FILE *out, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) >= 0) {
		put_text(out, text);
		free(text);
	}
	fputc('\n', out);
}

int cli_fail(struct cli *c)
{
	const struct problem *p = &c->problem;
	struct told t = tell(p);

	cli_progress_end(c);
	fflush(stdout);
	const char *const parts[] = {
		p->field, p->field[0] ? ": " : "", t.message, "\n", t.safe, "\n", t.hint, "\n"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		put_text(stderr, parts[i]);
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
	put_line(stdout, format, args);
	va_end(args);
}

void cli_warn(const struct cli *c, const char *format, ...)
{
	va_list args;

	(void)c;
	va_start(args, format);
	put_line(stderr, format, args);
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

static int display_width(const char *text)
{
	int width = 0;
	utf8proc_int32_t c;

	for (utf8proc_ssize_t n; (n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c)) > 0 && c;
		text += n)
		width += utf8proc_charwidth(c);
	return width;
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

static void print_cell(const char *text, int width, bool last)
{
	put_text(stdout, text);
	for (int i = display_width(text); !last && i < width + 2; i++)
		putchar(' ');
}

/* The first screens decide how wide a column is. */
static int column_width(const struct cli_table *t, size_t column)
{
	int width = 0;

	for (size_t r = 0; r < t->rows && r < TABLE_WIDTH_ROWS; r++) {
		int w = display_width(cell_text(t, r, column));
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

void cli_table_print(const struct cli *c, struct cli_table *t)
{
	int widths[TABLE_COLUMNS_MAX];

	if (!t)
		return;
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = column_width(t, i);
	for (size_t r = 0; !c->json && r < t->rows; r++) {
		for (size_t i = 0; i < t->columns; i++)
			print_cell(cell_text(t, r, i), widths[i], i + 1 == t->columns);
		putchar('\n');
	}
	if (!c->json)
		printf(tr("共 %zu 行\n", "%zu rows\n"), t->rows - (t->rows > 0));
	if (!c->json && t->short_of_memory)
		printf("%s\n", tr("内存不足，列表不全", "out of memory: the list is not complete"));
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
		fprintf(stderr, "\r%s %llu/%llu\033[K", what, (unsigned long long)done,
			(unsigned long long)total);
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
