/* sheet_build.h - how the readers fill a sheet. Private to sheet.c, xlsx_read.c, csv_read.c: they append
 * texts, rows and cells in ascending order; limits are checked here and told by the readers, who know the
 * row. */
#ifndef JG_SHEET_BUILD_H
#define JG_SHEET_BUILD_H

#include "sheet.h"

/* Text is appended piece by piece to the end and closed with a NUL. ERR_NOMEM, ERR_FILE_LIMIT. */
enum err sheet_text_append(struct sheet *s, const char *bytes, size_t n);
/* Closes what was appended since text_size was `start`; *offset is 0 when that is nothing. */
enum err sheet_text_close(struct sheet *s, size_t start, uint32_t *offset);

/* Begins a row; one without cells is dropped when the next begins. ERR_FILE_DAMAGED when out of order. */
enum err sheet_row_begin(struct sheet *s, uint32_t number);
/* Drops the last row when it is empty. */
void sheet_row_finish(struct sheet *s);
/* Adds a cell to the last row. ERR_FILE_DAMAGED when out of order. */
enum err sheet_cell_add(struct sheet *s, size_t column, uint32_t offset, unsigned flags);

struct sheet_area {
	uint32_t top, bottom; /* row numbers as shown */
	uint32_t left, right; /* columns, 0 is A */
};

/* Repeats the first cell of every merged area in the empty cells of its kept rows. */
enum err sheet_merge(struct sheet *s, const struct sheet_area *areas, size_t n);

/* A problem of this file in one sentence; row 0 is none. */
enum err sheet_problem(struct problem *p, enum err err, const char *name, uint32_t row, const char *hint);

/* The readers: fill an empty sheet. */
enum err xlsx_read(struct sheet *s, const void *bytes, size_t n, const char *name, const char *sheet_name,
	struct problem *p);
enum err csv_read(struct sheet *s, const void *bytes, size_t n, const char *name, struct problem *p);

#endif
