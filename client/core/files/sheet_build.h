/* sheet_build.h - how the readers fill a sheet. Private to sheet.c, xlsx_read.c, csv_read.c: they append
 * pages, rows, cells and texts; what comes out of order is put in order when its page ends; limits are
 * checked here and told by the readers, who know the row. One thread. */
#ifndef JG_SHEET_BUILD_H
#define JG_SHEET_BUILD_H

#include "sheet.h"

/* Text is appended piece by piece to the end and closed with a NUL. ERR_NOMEM, ERR_FILE_LIMIT. */
enum err sheet_text_append(struct sheet *s, const char *bytes, size_t n);
/* Closes what was appended since text_size was `start`; *offset is 0 when that is nothing. A cell that is
 * ="text", by which systems keep spreadsheets from making a number of it, is that text. */
enum err sheet_text_close(struct sheet *s, size_t start, uint32_t *offset);

/* Begins a row; one without cells is dropped when the next begins. */
enum err sheet_row_begin(struct sheet *s, uint32_t number);
/* Adds a cell to the last row. */
enum err sheet_cell_add(struct sheet *s, size_t column, uint32_t offset, unsigned flags);

struct sheet_area {
	uint32_t top, bottom; /* row numbers as shown */
	uint32_t left, right; /* columns, 0 is A */
};

enum err sheet_page_begin(struct sheet *s, const char *name, bool hidden);
/* Puts the page in order and repeats the first cell of every merged area in the empty cells of its kept rows.
 * ERR_FILE_DAMAGED when two rows have one number or two cells one place. */
enum err sheet_page_end(struct sheet *s, const struct sheet_area *areas, size_t n);

/* A problem of this file in one sentence; row 0 is none. */
enum err sheet_problem(struct problem *p, enum err err, const char *name, uint32_t row, const char *hint);

/* What to do about a file that cannot be read: the program and its menu. */
const char *sheet_advice_save_as(void);

/* The readers: fill an empty sheet. */
enum err xlsx_read(struct sheet *s, const void *bytes, size_t n, const char *name, const char *sheet_name,
	struct problem *p);
enum err csv_read(struct sheet *s, const void *bytes, size_t n, const char *name, struct problem *p);

#endif
