/* book.h - which sheets of a workbook hold the table: the first one that has its columns, and every other one
 * with the same columns (one sheet a class). The rest are left aside, by name and reason: instructions,
 * dictionaries, sums, hidden ones. Knows no records. Not for two threads at once. */
#ifndef JG_BOOK_H
#define JG_BOOK_H

#include "table.h"

struct book_table {
	struct table *table;
	const struct sheet_page *page;
};

struct book_left {
	const struct sheet_page *page;
	char why[256]; /* in the user's language */
};

struct book {
	struct book_table *tables;
	size_t n;
	struct book_left *left; /* sheets with text that were not read */
	size_t n_left;
	bool form; /* that export.h wrote: rows may be left unfilled */
};

struct book_wants {
	struct table_wants table;
	/* Whether the rows of a table can be read at all; tells in *p. NULL: always. */
	enum err (*usable)(void *data, struct table *t, const struct sheet_page *page, struct problem *p);
	void *data;
};

/* Opens the tables; *out is the caller's to book_close, also after an error. Errors of table_open and of
 * `usable`, the one of the sheet that came nearest. */
enum err book_open(
	struct book *out, const struct sheet *sheet, const struct book_wants *wants, struct problem *p);
void book_close(struct book *b);

#endif
