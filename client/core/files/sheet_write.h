/* sheet_write.h - writing tables for people, .xlsx or .csv. Owns the look and the protection against
 * formulas; knows no records. Not for two threads at once; writing blocks: run it on the worker pool.
 *
 * All cells are text, so that Excel keeps leading zeros and long numbers. In .csv, where a program may take
 * text for a formula, an apostrophe goes before what would begin one (text_clean drops it when read back). */
#ifndef JG_SHEET_WRITE_H
#define JG_SHEET_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* The sheet of permitted values in a form that is written here and filled by hand: no table to be read. */
#define SHEET_CHOICES "代码和学校"

struct sheet_writer;

enum sheet_style {
	SHEET_PLAIN,
	SHEET_HEADER, /* bold on grey; in .xlsx the rows up to the last header stay on the screen */
	SHEET_WRONG   /* red, for rows of an error workbook */
};

/* Begins a file at `path`, whose name ends in .xlsx or .csv (UTF-8 with BOM). It appears under its name only
 * when it is closed; an older one stays until then. `title` names the sheet (at most 31 characters; .csv has
 * none). ERR_USAGE for another ending, ERR_INVALID for a bad title, ERR_FILE_IO, ERR_DISK_FULL, ERR_NOMEM;
 * told in *p. */
enum err sheet_writer_open(struct sheet_writer **out, const char *path, const char *title, struct problem *p);
/* Whether a file may be written at `path` at all: its name, its folder, and that it is not `input` (may be
 * NULL) under whatever name. ERR_USAGE, ERR_FILE_IO, ERR_DISK_FULL; told in *p. Asked before work that could
 * not be taken back. */
enum err sheet_target_check(const char *path, const char *input, struct problem *p);
/* Goes on with another sheet; in .csv with the next row. A title that cannot name a sheet is left out. */
enum err sheet_writer_page(struct sheet_writer *w, const char *title, struct problem *p);
/* Permitted values of a column of the first sheet, offered as a drop-down below its header: the n cells from
 * row 2 on in `list_column` of the sheet `title`, which is written later. `strict`: nothing else may be
 * typed. Nothing in .csv. */
enum err sheet_writer_choice(struct sheet_writer *w, size_t column, const char *title, size_t list_column,
	size_t n, bool strict, struct problem *p);
/* How many cells held characters that no workbook can hold, and were written without them. */
size_t sheet_writer_dropped(const struct sheet_writer *w);
/* Writes the next row of n cells; NULL is an empty one. After an error only discard is useful.
 * ERR_INVALID: not UTF-8; ERR_TOO_LARGE: more than a sheet or cell holds. */
enum err sheet_writer_row(struct sheet_writer *w, const char *const *cells, size_t n, enum sheet_style style,
	struct problem *p);
/* Completes the file and frees the writer, whatever happens. */
enum err sheet_writer_close(struct sheet_writer *w, struct problem *p);
/* Gives up: nothing appears. NULL is fine. */
void sheet_writer_discard(struct sheet_writer *w);

#endif
