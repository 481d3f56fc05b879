/* export.h - tables for people: what import.h reads, written back, and what else a service gives out. One
 * thread; blocks. */
#ifndef JG_EXPORT_H
#define JG_EXPORT_H

#include "sheet_write.h"
#include "view.h"

#define EXPORT_CELLS_MAX 48
#define EXPORT_CELL_SIZE 2048

/* One table on its way to a file. */
struct export
{
	struct view *view;
	struct sheet_writer *writer;
	bool book; /* a workbook: it can have drop-downs and a second page */
	/* Whether the person may have a record's row; NULL: all of them. */
	bool (*allowed)(const void *data, const struct record *r);
	const void *data;
	size_t rows; /* written, without headings */
	struct problem *p;
	/* the row being made */
	char text[EXPORT_CELLS_MAX][EXPORT_CELL_SIZE];
	const char *cells[EXPORT_CELLS_MAX];
	size_t n;
};

/* What a service says of one export (client_service.h). */
struct export_rules {
	const char *name; /* "students": `export NAME` */
	/* of the sheet; as its headings, Chinese in every language: files go from hand to hand */
	const char *title;
	const uint32_t *kinds; /* that the view holds, ended by 0 */
	enum err (*write)(struct export *x);
};

struct export_report {
	size_t rows;
	size_t dropped; /* cells that were written without characters that no workbook can hold */
};

/* Writes `path` (.xlsx or .csv). The view holds rules->kinds. */
enum err export_run(struct view *v, const struct export_rules *rules, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data,
	struct export_report *report, struct problem *p);

/* ---- For the services ---- */

/* Adds a cell, EXPORT_CELL_SIZE bytes, empty. */
char *export_cell(struct export *x);
bool export_allows(const struct export *x, const struct record *r);
/* Writes the row that was made and begins the next one. */
enum err export_row(struct export *x, enum sheet_style style);
/* This school's records of a kind, those of `year` where it has years, under the columns of their
 * declaration; with the first child of the kind `beside` in the same row (0: none). */
enum err export_records(struct export *x, uint32_t kind, uint32_t beside, int32_t year);

#endif
