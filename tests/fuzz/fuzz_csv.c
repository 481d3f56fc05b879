/* Covers client/core/files/csv_read.c, csv_decode.c, sheet.c, table.c, book.c and common/roster.c: any
 * bytes read as a table of people, header and rows, and every cell as a grade, a class and a title. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const cert_names[] = {"身份证号", "身份证件号", NULL};
static const struct table_column columns[] = {{"姓名", NULL, true, NULL},
	{"证件号码", cert_names, false, "证件号码或全国学籍号"},
	{"全国学籍号", NULL, false, "证件号码或全国学籍号"}, {"班级", NULL, true, NULL}};

static const struct table_group groups[] = {{"学生", ""}, {"监护人", "监护人"}, {0}};

/* Touches every text, so that a sanitizer sees what lies outside. */
static size_t table_walk(struct table *t)
{
	struct table_row row;
	size_t sum = 0;

	while (table_next(t, &row))
		for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
			sum += strlen(table_text(t, &row, i)) + table_flags(t, &row, i);
	return sum;
}

static size_t book_walk(const struct sheet *s)
{
	const struct book_wants wants = {
		.table = {columns, sizeof columns / sizeof *columns, groups, NULL, 0}};
	struct problem p;
	struct book book;
	size_t sum = 0;

	if (book_open(&book, s, &wants, &p))
		sum = strlen(p.message) + strlen(p.hint);
	for (size_t i = 0; i < book.n; i++)
		sum += table_walk(book.tables[i].table);
	book_close(&book);
	return sum;
}

/* A class that is read is a number of up to three digits, and what a grade says is a code. */
static void words_read(const char *text)
{
	struct roster_class class;
	const char *grade = roster_grade(text, "2132000001");

	if (roster_class_read(text, "16", 20261130, false, &class) == ROSTER_OK &&
		(!class.no[0] || class.no[strspn(class.no, "0123456789")]))
		abort();
	if (roster_class_read(text, NULL, 20261130, true, &class) == ROSTER_OK && !class.no[0])
		abort();
	if ((grade && !code_item(&codes_grade, grade)) || roster_entry_year(text) < 0 ||
		roster_year_within(text) < 0)
		abort();
	roster_grade_within(text);
	roster_class_within(text, class.no);
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
			else
				words_read(sheet_text(s, r, c));
	book_walk(s);
	sheet_free(s);
	return 0;
}
