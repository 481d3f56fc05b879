/* import_row.h - what import.c and import_row.c share: one row of a table on its way to a record. */
#ifndef JG_IMPORT_ROW_H
#define JG_IMPORT_ROW_H

#include "import.h"
#include "table.h"
#include "value.h"
#include "view.h"

#define IMPORT_COLUMNS_MAX 40 /* columns of the widest kind, those of the guardian and of the school */

struct import_column {
	int field; /* of the kind, or of Guardian when guardian is set; -1: the school's code, -2: its name */
	bool guardian;
};

struct import_row {
	struct table_row at;
	struct record record, guardian;
	uint32_t given, guardian_given; /* bit i: the file has a column for field i */
	bool bad;
};

struct import {
	struct store *store;
	const struct import_options *options;
	struct import_report *report;
	struct problem *p;
	const struct kind *kind;
	struct sheet *sheet;
	struct table *table;
	struct table_column columns[IMPORT_COLUMNS_MAX];
	struct import_column meaning[IMPORT_COLUMNS_MAX];
	size_t n_columns;
	struct arena arena; /* of the rows' text */
	struct import_row *rows;
	size_t n_rows, room;
	struct view *view;
	int32_t today, year;
	int64_t batch;
};

/* Fills columns and meaning for the kind. */
void import_columns(struct import *im);
/* Reads one row of the table: record, guardian, rejections and warnings. */
void import_read_row(struct import *im, struct import_row *row);
void import_reject(struct import *im, struct import_row *row, const char *field, const char *code,
	const struct problem *p);
void import_warn(struct import *im, const struct import_row *row, const char *field, const char *code,
	const struct problem *p);
/* The name of a field's column. */
const char *import_field(const struct import *im, int field);

#endif
