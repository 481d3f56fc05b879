/* Reading .csv: what stands between the columns is found first, then libcsv splits. */
#include <csv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "csv_decode.h"
#include "lang.h"
#include "sheet_build.h"
#include "text.h"

#define BETWEEN 0x1F      /* put in the place of separators of several bytes; no text holds it */
#define SEARCH_RECORDS 50 /* that say what the separator is */

/* In the order in which they win when several would do. */
static const char *const separators[] = {",", "\t", ";", "，", "；", "|"};
#define SEPARATORS (sizeof separators / sizeof *separators)

struct csv_state {
	struct sheet *sheet;
	enum err err;
	uint32_t row;
	size_t column;
	const char *written; /* the separator in the file */
	char separator;      /* as libcsv is told */
	size_t usual;        /* separators of a usual record */
	bool swallowed;      /* a quoted field holds whole records: its quote pairs with one of a later row */
};

/* A cell of several lines is a note; one that holds a whole record is an open quote. */
static bool holds_record(const struct csv_state *c, const char *bytes, size_t n)
{
	size_t found = 0;
	bool inner = false;

	for (size_t i = 0; i < n && c->usual > 1; i++) {
		if (bytes[i] == '\n') {
			if (inner && found >= c->usual)
				return true;
			inner = true;
			found = 0;
		} else {
			size_t length = strlen(c->written);
			found += n - i >= length && memcmp(bytes + i, c->written, length) == 0;
		}
	}
	return inner && found >= c->usual;
}

static void on_field(void *bytes, size_t n, void *user)
{
	struct csv_state *c = user;
	struct sheet *s = c->sheet;
	size_t start = s->text_size;
	uint32_t offset;

	if (c->err)
		return;
	c->swallowed = holds_record(c, bytes, n);
	if (c->swallowed)
		c->err = ERR_FILE_DAMAGED;
	if (!c->err && c->column == 0)
		c->err = sheet_row_begin(s, c->row);
	if (!c->err)
		c->err = sheet_text_append(s, bytes, n);
	if (!c->err)
		c->err = sheet_text_close(s, start, &offset);
	if (!c->err && offset)
		c->err = sheet_cell_add(s, c->column, offset, 0);
	c->column++;
}

static void on_row(int end, void *user)
{
	struct csv_state *c = user;

	(void)end;
	if (c->err)
		return;
	c->row++;
	c->column = 0;
}

/* Which separator stands at p, or SEPARATORS. */
static size_t separator_at(const char *p)
{
	size_t i = 0;

	while (i < SEPARATORS && strncmp(p, separators[i], strlen(separators[i])) != 0)
		i++;
	return i;
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* The separator that most records have most of; titles and notes above the header have none, so the upper
 * quarter is asked. *usual: how many a record has. */
static size_t separator_find(const char *text, size_t *usual)
{
	size_t counts[SEPARATORS][SEARCH_RECORDS] = {{0}}, n = 0, best = 0;
	bool quoted = false, any = false;

	for (const char *p = text; *p && n < SEARCH_RECORDS; p++) {
		quoted ^= *p == '"';
		if (*p == '\n' && !quoted) {
			n += any;
			any = false;
			continue;
		}
		any = true;
		size_t found = quoted ? SEPARATORS : separator_at(p);
		if (found < SEPARATORS)
			counts[found][n]++;
	}
	n += any && n < SEARCH_RECORDS;
	*usual = 0;
	for (size_t i = 0; i < SEPARATORS; i++) {
		qsort(counts[i], n, sizeof **counts, compare_sizes);
		size_t upper = n ? counts[i][n - 1 - (n - 1) / 4] : 0;
		if (upper > *usual) {
			*usual = upper;
			best = i;
		}
	}
	return best;
}

/* "sep=;" in the first line, by which Excel is told; it shows no such row. Returns what to leave out. */
static size_t separator_told(const char *text, size_t *found)
{
	const char *p = text + (*text == '"');
	size_t end = strcspn(text, "\n");

	if (strncasecmp(p, "sep=", 4) != 0 || end > 10)
		return 0;
	size_t told = separator_at(p + 4);
	if (told == SEPARATORS)
		return 0;
	*found = told;
	return end + (text[end] == '\n');
}

/* The bytes without padding (NUL, and 0x1A that ended a file under DOS), which no character of either
 * encoding holds. */
static enum err padding_drop(struct buf *out, const char *bytes, size_t n)
{
	for (size_t i = 0, from = 0; i <= n; i++)
		if (i == n || !bytes[i] || bytes[i] == 0x1A) {
			buf_add(out, bytes + from, i - from);
			from = i + 1;
		}
	return out->failed ? ERR_NOMEM : ERR_OK;
}

/* One kind of line end, so that libcsv counts every line once, also empty ones. In place. */
static void lines_normal(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++)
		if (p[0] != '\r' || p[1] != '\n')
			*to++ = *p == '\r' ? '\n' : *p;
	*to = 0;
}

/* ="0012", by which some systems keep Excel from making a number of it, and "="0012"" become "0012"
 * (sheet_text_close unwraps "=""0012""", which libcsv reads). Returns how much was read; what it means stands
 * in `text` then. */
static size_t formula_unwrap(const char *p, const char *separator, char *text, size_t *to)
{
	if (p[0] == '=' && p[1] == '"')
		return 1;
	if (strncmp(p, "\"=\"", 3) != 0 || p[3] == '"')
		return 0;
	const char *end = p + 3 + strcspn(p + 3, "\"\n");
	if (end[0] != '"' || end[1] != '"' ||
		(end[2] && end[2] != '\n' && strncmp(end + 2, separator, strlen(separator)) != 0))
		return 0;
	size_t n = (size_t)(end - p) + 2;
	memmove(text + *to, p + 2, n - 3);
	*to += n - 3;
	return n;
}

/* And a separator of several bytes becomes one byte. In place. */
static size_t fields_normal(char *text, const char *separator)
{
	size_t length = strlen(separator), to = 0;
	bool quoted = false, start = true;

	for (const char *p = text; *p;) {
		if (!quoted && strncmp(p, separator, length) == 0) {
			text[to++] = length > 1 ? BETWEEN : *p;
			p += length;
			start = true;
			continue;
		}
		size_t n = start ? formula_unwrap(p, separator, text, &to) : 0;
		p += n;
		if (n)
			continue;
		quoted ^= *p == '"';
		start = (start && *p == ' ') || (*p == '\n' && !quoted);
		text[to++] = *p++;
	}
	text[to] = 0;
	return to;
}

static enum err text_split(
	struct csv_state *c, const char *text, size_t n, const char *name, struct problem *p)
{
	struct csv_parser parser;

	/* Strict: a stray quote would otherwise swallow the following rows without a word. */
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL))
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	csv_set_delim(&parser, (unsigned char)c->separator);
	bool parsed = csv_parse(&parser, text, n, on_field, on_row, c) == n &&
		csv_fini(&parser, on_field, on_row, c) == 0;
	int error = csv_error(&parser);
	csv_free(&parser);
	if (!parsed && error == CSV_ENOMEM)
		c->err = ERR_NOMEM;
	if (!parsed || c->swallowed) {
		if (c->err && !c->swallowed)
			return sheet_problem(p, c->err, name, c->row, NULL);
		problem_set(p, ERR_FILE_DAMAGED, NULL,
			_("请删去或补齐这一行的双引号，或用 WPS、Excel 打开后“文件→另存为”.xlsx 再导入"),
			_("%s：第 %u 行的双引号不配对"), name, c->row);
		if (p)
			p->row = (long)c->row;
		return ERR_FILE_DAMAGED;
	}
	return c->err ? sheet_problem(p, c->err, name, c->row, NULL) : ERR_OK;
}

/* Finds the separator and splits the text, which it changes. */
static enum err text_read(struct csv_state *c, char *text, const char *name, struct problem *p)
{
	lines_normal(text);
	size_t found = separator_find(text, &c->usual), told = separator_told(text, &found);

	c->written = separators[found];
	c->separator = separators[found][1] ? BETWEEN : separators[found][0];
	return text_split(c, text + told, fields_normal(text + told, c->written), name, p);
}

enum err csv_read(struct sheet *s, const void *bytes, size_t n, const char *name, struct problem *p)
{
	struct csv_state c = {.sheet = s, .row = 1};
	struct buf bare = {0}, text = {0};
	enum err err = padding_drop(&bare, bytes, n);

	if (!err && !(err = sheet_page_begin(s, "", false))) {
		err = csv_decode((char *)bare.data, bare.len, name, &text, p);
		buf_u8(&text, 0);
		if (!err)
			err = text.failed ? sheet_problem(p, ERR_NOMEM, name, 0, NULL)
					  : text_read(&c, (char *)text.data, name, p);
	} else {
		sheet_problem(p, err, name, 0, NULL);
	}
	buf_free(&bare);
	buf_free(&text);
	if (!err && (err = sheet_page_end(s, NULL, 0)))
		sheet_problem(p, err, name, 0, NULL);
	return err;
}
