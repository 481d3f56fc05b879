/* import_row.h - a table on its way to records: what the files import*.c share, and what the rules of a
 * service see of it. One thread. */
#ifndef JG_IMPORT_ROW_H
#define JG_IMPORT_ROW_H

#include "book.h"
#include "import.h"
#include "roster.h"
#include "table.h"
#include "value.h"
#include "view.h"

#define IMPORT_COLUMNS_MAX 40 /* columns of the widest kind, of the one beside it and of the school */

/* Columns that are no field of a record. */
enum import_meaning { IMPORT_SCHOOL_CODE = -1, IMPORT_SCHOOL_NAME = -2, IMPORT_ENTRY = -3 };

struct import_column {
	int field; /* of the kind, or of the kind beside it, or an import_meaning */
	bool beside;
};

struct import_row {
	struct table_row at;
	struct record record, beside; /* beside: of the kind that rules.beside names */
	uint32_t given, beside_given; /* bit i: the file has a column for field i */
	const struct sheet_page *page;
	bool bad;
	bool unfilled; /* of the form: nothing to store yet */
};

/* What the title and the name of a sheet say about all of its rows. */
struct import_hint {
	char grade[GRADE_CODE_MAX + 1];
	char class_no[CLASS_NO_MAX + 1];
	int32_t year;
	bool told; /* that the grade or class was taken from here */
};

struct import {
	struct store *store;
	const struct import_options *options;
	struct import_report *report;
	struct problem *p;
	const struct import_rules *rules;
	const struct kind *kind, *beside; /* beside: NULL when a row is one record */
	struct sheet *sheet;
	struct book book;
	struct table_column columns[IMPORT_COLUMNS_MAX];
	struct import_column meaning[IMPORT_COLUMNS_MAX];
	size_t n_columns;
	/* the sheet being read */
	struct table *table;
	const struct sheet_page *page;
	struct import_hint hint;
	const char *told;   /* the grade that was last told to come from elsewhere */
	struct arena arena; /* of the rows' text */
	struct import_row *rows;
	size_t n_rows, room;
	struct view *view;
	int32_t today, year;
	int64_t batch;
	void *data; /* of the rules */
};

/* Who or what the rows of several imports are about, where words and judgements are the same (pupils). */
struct import_subject {
	/* Sentences, marked N_(). */
	const char *same_row; /* “与第 %ld 行是同一名学生，内容不同” */
	const char *skipped;  /* “跳过 %zu 行（…，不是学生）” */
	/* “%zu 行会改动…，其中 %zu 行只是…”: rows that change `identity`, and of them those that `moves_up`
	 * knows */
	const char *changes;
	const struct table_group *groups; /* what stands merged over several headings (table.h) */
	/* Fields that say who it is, ended by NULL: an import never empties them, and changes them only with
	   --force. */
	const char *const *identity;
	/* Whether changes of the identity (bits of fields) are what every record goes through each year. */
	bool (*moves_up)(const struct record *old, const struct record *want, uint32_t changed);
	/* Refuses before the file is opened. */
	enum err (*may)(struct store *s, struct problem *p);
	/* Judges a row whose cells are read and whose key is there. */
	void (*judge)(struct import *im, struct import_row *row);
};

/* What a service says of one import (client_service.h). The functions may be NULL; those that return an
 * error tell it in im->p. */
struct import_rules {
	const char *name; /* "students": `import NAME`, and what its batches are called */
	const char *text; /* “导入学生” */
	const char *waiting; /* “还有 %zu 名学生没有填去向”: lines of its form; NULL: it has no form */
	const struct import_subject *about; /* NULL: rows are records, and their declaration says all */
	/* Fields that begin, complete or cells give where the file does not, ended by NULL: their columns are
	   not demanded. Every other required field that has a column in files is. */
	const char *const *fills;
	uint32_t kind;         /* of the record that a row becomes */
	uint32_t beside;       /* of one child of it that stands in the same row; 0 = none */
	const uint32_t *views; /* kinds that are looked at, ended by 0 */
	bool autumn; /* a school year in the title means the year in which it begins, not its summer */
	bool class_optional; /* a row without a class is no row of another class: `judge` knows whose it is */
	/* The sheets are open: finds im->year and what the rest needs. */
	enum err (*begin)(struct import *im);
	/* In place of the columns of the kind. */
	void (*columns)(struct import *im);
	/* In place of import_read_row. */
	void (*read)(struct import *im, struct import_row *row);
	/* A row's cells are read: sets row->unfilled where nothing is to be stored, and fills what belongs to
	   the natural key (a record is looked for by it before `complete`). */
	void (*cells)(struct import *im, struct import_row *row);
	/* All rows are read: refuses the file. */
	enum err (*check)(struct import *im);
	/* In place of all that follows. */
	enum err (*store)(struct import *im, struct import_row *row);
	/* What `want` should be besides what the row says; item: what it was, or NULL. */
	void (*complete)(struct import *im, const struct import_row *row, const struct item *item,
		struct record *want);
	/* Rejects the row for what `want` would be. */
	void (*judge)(struct import *im, struct import_row *row, const struct record *want);
	/* After the record was stored. */
	enum err (*stored)(struct import *im, struct import_row *row, const struct item *item);
	/* Frees im->data. */
	void (*end)(struct import *im);
};

/* Fills columns and meaning for the kind. */
void import_columns(struct import *im);
/* The column of this field or import_meaning, IMPORT_COLUMNS_MAX when there is none. */
size_t import_column_of(const struct import *im, int field);
/* Reads one row of the table: its records, rejections and warnings. */
void import_read_row(struct import *im, struct import_row *row);
void import_reject(struct import *im, struct import_row *row, const char *field, const char *code,
	const struct problem *p);
void import_warn(struct import *im, const struct import_row *row, const char *field, const char *code,
	const struct problem *p);
/* A warning about all of a sheet, or of the file (page NULL). */
void import_warn_page(
	struct import *im, const struct sheet_page *page, const char *code, const struct problem *p);
/* The field by which people know a row: the first of the natural key that has a column. */
int import_key(const struct import *im);
/* Whether a list that ends with NULL has this name; false for NULL. */
bool import_listed(const char *const *names, const char *name);
/* The name of a field's column. */
const char *import_field(const struct import *im, int field);

/* import_roster.c: grade and class, which people leave to titles, sheets' names and years of entry. */
void import_hint_read(
	struct import *im, struct table *t, const struct sheet_page *page, struct import_hint *out);
/* Whether the rows of a table can have grade and class at all (book_wants.usable). */
enum err import_roster_usable(void *data, struct table *t, const struct sheet_page *page, struct problem *p);
void import_read_roster(struct import *im, struct import_row *row);

/* import_store.c: rows into the store. */
enum err import_store_rows(struct import *im);
/* What was read, or was to be told, and could not be kept. */
enum err import_kept(const struct import *im);

#endif
