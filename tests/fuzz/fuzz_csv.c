/* Covers client/core/csv_read.c, sheet.c and table.c: any bytes read as a table of people, header and rows.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const cert_names[] = {"身份证号", "身份证件号", NULL};
static const struct table_column columns[] = {{"姓名", NULL, true, NULL},
	{"证件号码", cert_names, false, "证件号码或全国学籍号"},
	{"全国学籍号", NULL, false, "证件号码或全国学籍号"}, {"班级", NULL, true, NULL}};

/* Touches every text, so that a sanitizer sees what lies outside. */
static size_t table_walk(const struct sheet *s)
{
	struct problem p;
	struct table_row row;
	struct table *t;
	size_t sum = 0;

	if (table_open(&t, s, 0, columns, sizeof columns / sizeof *columns, NULL, 0, &p))
		return strlen(p.message) + strlen(p.hint);
	while (table_next(t, &row))
		for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
			sum += strlen(table_text(t, &row, i)) + table_flags(t, &row, i);
	table_free(t);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct sheet *s;
	struct problem p;

	if (sheet_read_memory(bytes, n, "f.csv", NULL, &s, &p))
		return 0;
	for (size_t r = 0; r < s->n_rows; r++)
		for (size_t c = 0; c < s->n_columns; c++)
			if (strlen(sheet_text(s, r, c)) > SHEET_CELL_MAX)
				abort();
	table_walk(s);
	sheet_free(s);
	return 0;
}
