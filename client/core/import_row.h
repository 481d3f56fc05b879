/* import_row.h - what the files import*.c share: a table on its way to records. */
#ifndef JG_IMPORT_ROW_H
#define JG_IMPORT_ROW_H

#include "book.h"
#include "import.h"
#include "roster.h"
#include "table.h"
#include "value.h"
#include "view.h"

#define IMPORT_COLUMNS_MAX 40 /* columns of the widest kind, those of the guardian and of the school */

/* Columns that are no field of a record. */
enum import_meaning { IMPORT_SCHOOL_CODE = -1, IMPORT_SCHOOL_NAME = -2, IMPORT_ENTRY = -3 };

struct import_column {
	int field; /* of the kind, or of Guardian when guardian is set, or an import_meaning */
	bool guardian;
};

struct import_row {
	struct table_row at;
	struct record record, guardian;
	uint32_t given, guardian_given; /* bit i: the file has a column for field i */
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
	const struct kind *kind;
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
	struct verify_row *declared; /* of a verification list: who declared this school */
	size_t n_declared;
};

/* Fills columns and meaning for the kind. */
void import_columns(struct import *im);
/* The column of this field or import_meaning, IMPORT_COLUMNS_MAX when there is none. */
size_t import_column_of(const struct import *im, int field);
/* Reads one row of the table: record, guardian, rejections and warnings. */
void import_read_row(struct import *im, struct import_row *row);
void import_reject(struct import *im, struct import_row *row, const char *field, const char *code,
	const struct problem *p);
void import_warn(struct import *im, const struct import_row *row, const char *field, const char *code,
	const struct problem *p);
/* A warning about all of a sheet, or of the file (page NULL). */
void import_warn_page(
	struct import *im, const struct sheet_page *page, const char *code, const struct problem *p);
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

/* import_verify.c: the verification list, whose columns are those of no record. */
void import_verify_columns(struct import *im);
void import_verify_read(struct import *im, struct import_row *row);
enum err import_verify_store(struct import *im, struct import_row *row);

/* import_slip.c: refuses a roster one of whose columns has slipped. */
enum err import_check_slip(struct import *im);

#endif
