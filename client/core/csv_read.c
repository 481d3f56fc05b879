/* Reading .csv: the encoding is found first, then libcsv splits. */
#include <csv.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lint.h"
#include "sheet_build.h"
#include "text.h"

#define BOM "\xEF\xBB\xBF"

struct csv_state {
	struct sheet *sheet;
	enum err err;
	uint32_t row;
	size_t column;
};

static void on_field(void *bytes, size_t n, void *user)
{
	struct csv_state *c = user;
	struct sheet *s = c->sheet;
	size_t start = s->text_size;
	uint32_t offset;

	if (c->err)
		return;
	if (c->column == 0)
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

static uint32_t lines_in(const char *bytes, size_t n)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static enum err bad_byte(struct problem *p, const char *name, uint32_t line)
{
	problem_set(p, ERR_FILE_DAMAGED, NULL,
		tr("请用 Excel 或 WPS 另存为 .xlsx 或 CSV UTF-8",
			"save it as .xlsx or CSV UTF-8 in Excel or WPS"),
		tr("%s：第 %u 行有无法识别的字符（既不是 UTF-8 也不是 GB 18030）",
			"%s: line %u has bytes that are neither UTF-8 nor GB 18030"),
		name, line);
	if (p)
		p->row = (long)line;
	return ERR_FILE_DAMAGED;
}

/* GB 18030 to UTF-8; GBK would not do, it lacks the four-byte characters of rare names. */
static enum err gb18030_decode(
	const char *bytes, size_t n, const char *name, char **out, size_t *out_n, struct problem *p)
{
	size_t room = n * 2 + 4, in_left = n, out_left = room; /* two bytes become three, or four at most */
	iconv_t ic = iconv_open("UTF-8", "GB18030");
	char *in = (char *)bytes, *to;

	*out = NULL;
	if (ic == (iconv_t)-1) {
		LINT_KEPT(ic); /* no handle, nothing to close */
		return problem_set(p, errno == ENOMEM ? ERR_NOMEM : ERR_INTERNAL, NULL, NULL,
			tr("系统不支持 GB 18030", "this system has no GB 18030"));
	}
	*out = to = malloc(room);
	size_t rc = *out ? iconv(ic, &in, &in_left, &to, &out_left) : 0;
	iconv_close(ic);
	if (!*out)
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	if (rc == (size_t)-1)
		return bad_byte(p, name, lines_in(bytes, n - in_left));
	*out_n = room - out_left;
	return ERR_OK;
}

/* One kind of line end, so that libcsv counts every line once, also empty ones; and ="0012", by which some
 * systems keep Excel from making a number of it, becomes "0012". */
static size_t lines_normal(char *text, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		bool field_start = to == 0 || text[to - 1] == ',' || text[to - 1] == '\n';
		if (text[i] == '\r') {
			if (i + 1 == n || text[i + 1] != '\n')
				text[to++] = '\n';
			continue;
		}
		if (text[i] == '=' && field_start && i + 1 < n && text[i + 1] == '"')
			continue;
		text[to++] = text[i];
	}
	return to;
}

static enum err text_decode(
	const char *bytes, size_t n, const char *name, char **out, size_t *out_n, struct problem *p)
{
	bool bom = n >= 3 && memcmp(bytes, BOM, 3) == 0;

	if (!bom && !text_utf8_valid(bytes, n))
		return gb18030_decode(bytes, n, name, out, out_n, p);
	if (bom) {
		bytes += 3;
		n -= 3;
		if (text_utf8_prefix(bytes, n) < n)
			return bad_byte(p, name, lines_in(bytes, text_utf8_prefix(bytes, n)));
	}
	*out = malloc(n + 1);
	if (!*out)
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	memcpy(*out, bytes, n);
	*out_n = n;
	return ERR_OK;
}

static enum err text_split(
	struct csv_state *c, const char *text, size_t n, const char *name, struct problem *p)
{
	struct csv_parser parser;

	/* Strict: a stray quote would otherwise swallow the following rows without a word. */
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL))
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	bool parsed = csv_parse(&parser, text, n, on_field, on_row, c) == n &&
		      csv_fini(&parser, on_field, on_row, c) == 0;
	int error = csv_error(&parser);
	csv_free(&parser);
	if (!parsed && error == CSV_ENOMEM)
		c->err = ERR_NOMEM;
	if (c->err)
		return sheet_problem(p, c->err, name, c->row, NULL);
	if (!parsed) {
		sheet_problem(p, ERR_FILE_DAMAGED, name, c->row,
			tr("该行附近的双引号不配对，请检查或另存为 .xlsx",
				"quotes do not pair near this row; check it or save as .xlsx"));
		return ERR_FILE_DAMAGED;
	}
	sheet_row_finish(c->sheet);
	return ERR_OK;
}

enum err csv_read(struct sheet *s, const void *bytes, size_t n, const char *name, struct problem *p)
{
	struct csv_state c = {.sheet = s, .row = 1};
	char *text = NULL;
	size_t text_n = 0;
	enum err err = text_decode(bytes, n, name, &text, &text_n, p);

	if (!err)
		err = text_split(&c, text, lines_normal(text, text_n), name, p);
	free(text);
	return err;
}
