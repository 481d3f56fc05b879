/* table.h - finds the header row of a sheet and reads its columns by name. Knows no records: which columns
 * there are, the caller says. Keeps a pointer to the sheet, which must outlive it. Not for two threads at
 * once. */
#ifndef JG_TABLE_H
#define JG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "sheet.h"

#define TABLE_COLUMNS_MAX 64 /* columns a caller may know; the widest of ours has 18 */

struct table_column {
	const char *name;           /* "证件号码" */
	const char *const *aliases; /* other names, NULL-terminated; NULL for none */
	bool required;
	/* Columns of the same group need one of them, whose absence is told by this text ("证件号码 or
	 * 全国学籍号" in the user's language); compared by content. NULL: none. */
	const char *required_group;
};

/* A word that stands merged over several headings, and what is read in front of them: 监护人 over 姓名 is
 * 监护人姓名; "" says nothing. */
struct table_group {
	const char *word, *means;
};

struct table_wants {
	const struct table_column *columns;
	size_t n_columns;
	const struct table_group *groups; /* ended by a word NULL; NULL: none */
	const char *const *maps;          /* people's own words, "列=字段", which win */
	size_t n_maps;
};

struct table;

/* Finds the header on a page of the sheet: the row among the first ones that names most columns, with merged
 * cells above it taken into account. Names are compared without white space, stars, colons and notes in
 * parentheses. Columns and groups and what they point to must outlive the table; *out is the caller's to
 * table_free. Errors, told in *p (may be NULL): ERR_FILE_HEADER: no header, a required column is missing (all
 * are named, the first in p->field), two columns for one field; ERR_USAGE: a map without '=' or to an unknown
 * field, or from a column that is not there; ERR_NOMEM. */
enum err table_open(struct table **out, const struct sheet *sheet, size_t page,
	const struct table_wants *wants, struct problem *p);
void table_free(struct table *t);

/* The header row's number as the spreadsheet shows it, and its index in the sheet. */
long table_header_row(const struct table *t);
size_t table_header_index(const struct table *t);
/* Whether both have the same known columns, in whatever order; both were opened for the same ones. */
bool table_same_columns(const struct table *a, const struct table *b);
/* Calls fn for each text above the header. */
void table_title(const struct table *t, void (*fn)(void *data, const char *text), void *data);
/* Whether the sheet has this column (index into `columns`). */
bool table_has(const struct table *t, size_t column);
/* The header text of a column as the file spells it, "" when it is not there. */
const char *table_heading(const struct table *t, size_t column);

/* Columns of the file that nobody knows: how many, and which. `nearest` is the known column whose name is
 * only a few letters away, or NULL. */
size_t table_ignored_count(const struct table *t);
#define TABLE_HEADING_MAX 128
struct table_ignored {
	char heading[TABLE_HEADING_MAX]; /* in one line, fit for a screen */
	const char *nearest;
};
struct table_ignored table_ignored_at(const struct table *t, size_t i);

/* The next row of data, or false at the end. Skipped and counted are: rows whose required cells are all
 * empty, lines such as 合计 and 填表人：…, and repetitions of the header. */
struct table_row {
	long number;  /* as the spreadsheet shows it */
	size_t index; /* in the sheet */
};
bool table_next(struct table *t, struct table_row *row);
/* Begins again with the first one. */
void table_rewind(struct table *t);
/* Rows passed over so far. */
size_t table_skipped_count(const struct table *t);

/* The text of a cell, as the sheet has it (clean it by text.h); "" when the cell or the column is missing. */
const char *table_text(const struct table *t, const struct table_row *row, size_t column);
/* Its flags (enum cell_flag). */
unsigned table_flags(const struct table *t, const struct table_row *row, size_t column);

#endif
