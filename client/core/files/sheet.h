/* sheet.h - a spreadsheet in memory, read from .xlsx or .csv. Owns cells, row numbers and the limits of a
 * file; knows nothing of headers, columns or records (table.h does).
 *
 * What a file is, its bytes decide, never its name. Not for two threads at once; a sheet that is read may be
 * handed to another thread. Reading blocks: run it on the worker pool. */
#ifndef JG_SHEET_H
#define JG_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "date.h"
#include "err.h"

/* Limits. Absolute ones, because ratios misfire on honest files; each is several times what a county
 * needs. */
#define SHEET_FILE_MAX (10u << 20)     /* bytes on disk: 20,000 rows of 18 columns take about 2 MiB */
#define SHEET_UNPACKED_MAX (64u << 20) /* bytes of all parts read: the same rows take about 15 MiB */
#define SHEET_ENTRIES_MAX 5000         /* files inside a workbook; each sheet of WPS brings three */
#define SHEET_PAGES_MAX 1000           /* sheets of a workbook; one a class makes some sixty */
#define SHEET_ROWS_MAX 100000          /* rows with text; the largest school file has some 5,000 */
#define SHEET_COLUMNS_MAX 256          /* columns with text; the old .xls had no more */
#define SHEET_CELLS_MAX 2000000        /* 16 MB of cells */
#define SHEET_MERGED_MAX 200000        /* cells that merged areas add */
#define SHEET_CELL_MAX 32767           /* bytes of one cell; Excel's own limit is 32,767 characters */
#define SHEET_TEXT_MAX (32u << 20)     /* bytes of all texts, each shared text counted once */

enum cell_flag {
	CELL_NUMBER = 1,         /* the file held a number; its text has no exponent and no ".0" */
	CELL_DATE = 2,           /* the number was shown as a date; its text is YYYY-MM-DD */
	CELL_ERROR = 4,          /* #REF! and the like, or a formula that was never calculated */
	CELL_DAMAGED_NUMBER = 8, /* a number of 16 digits or more: Excel has lost the last ones */
	CELL_FROM_LEFT = 16,     /* repeats a merged cell that begins further left */
	CELL_FROM_ABOVE = 32     /* repeats a merged cell that begins further up */
};

struct sheet_cell {
	uint32_t offset; /* of its text */
	uint16_t column; /* 0 is A */
	uint16_t flags;  /* enum cell_flag */
};

struct sheet_row {
	uint32_t number;   /* as the spreadsheet shows it, 1 is the first */
	uint32_t first, n; /* its cells, ascending by column; only those with text */
};

#define SHEET_NAME_MAX 128 /* bytes; Excel allows 31 characters */

/* One sheet of a workbook; a .csv has one without a name. */
struct sheet_page {
	char name[SHEET_NAME_MAX];
	bool hidden;     /* not read, unless chosen by name */
	bool big;        /* over a limit, and left out of a workbook of several */
	size_t first, n; /* its rows */
};

struct sheet {
	char *text; /* all texts, NUL-terminated UTF-8; offset 0 is "" */
	size_t text_size, text_room;
	struct sheet_cell *cells;
	size_t n_cells, cells_room;
	struct sheet_row *rows; /* page after page, ascending in each; rows without text are not kept */
	size_t n_rows, rows_room;
	struct sheet_page *pages;
	size_t n_pages, pages_room;
	size_t n_columns; /* 1 + the last column with text */
	enum date_epoch epoch;
	bool mixed_cells, mixed_rows; /* while it is read: the last row, or page, is not in order yet */
};

/* Reads the file; *out is the caller's to sheet_free, NULL after an error. `sheet_name` chooses one sheet of
 * a workbook; NULL takes all of them but the hidden ones (dictionaries mostly), which are only named. Errors,
 * each with advice in *p (may be NULL): ERR_FILE_FORMAT (.xls, encrypted, picture, PDF …), ERR_FILE_DAMAGED,
 * ERR_FILE_LIMIT (also for a DTD), ERR_FILE_IO, ERR_NOT_FOUND (no such sheet), ERR_NOMEM. */
enum err sheet_read_file(const char *path, const char *sheet_name, struct sheet **out, struct problem *p);
/* The same from memory; `name` is the file's name for messages. The bytes are not needed afterwards. */
enum err sheet_read_memory(const void *bytes, size_t n, const char *name, const char *sheet_name,
	struct sheet **out, struct problem *p);
void sheet_free(struct sheet *s);

/* The text of a cell by index of row (0 to n_rows - 1) and column; "" when it is empty. Valid until
 * sheet_free. */
const char *sheet_text(const struct sheet *s, size_t row, size_t column);
/* Its flags, 0 when it is empty. */
unsigned sheet_flags(const struct sheet *s, size_t row, size_t column);

#endif
