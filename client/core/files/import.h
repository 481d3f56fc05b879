/* import.h - people's tables into records (cli.md "Files that people have"). Owns the rules of a row; the
 * columns come from the declarations of the kinds. Everything of one import is one SQLite transaction and one
 * batch. One thread; blocks for the time of reading the file (20,000 rows: 2 s). */
#ifndef JG_IMPORT_H
#define JG_IMPORT_H

#include <stdbool.h>

#include "store.h"

struct import_rules; /* client_service.h */

struct import_options {
	const struct import_rules *rules;
	const char *path;
	const char *sheet;       /* NULL: all that have the columns */
	const char *const *maps; /* "列=字段" */
	size_t n_maps;
	const char *errors_path; /* workbook of the bad rows, or NULL */
	const char *grade;       /* code, for rows that name none; NULL: not told */
	int32_t year;            /* that its records are of; 0: what the file or the service says */
	bool dry_run;            /* judges everything, stores nothing */
	bool all_or_nothing;     /* one bad row: nothing is stored */
	bool keep_invalid;       /* numbers that fail only their check digit, where a record can say so */
	/* also what changes who a record is about, takes corrections back, or seems to have shifted */
	bool force;
	void (*progress)(void *data, size_t done, size_t total); /* may be NULL */
	void *progress_data;
};

#define IMPORT_MESSAGE_SIZE (256 + HINT_SIZE + 8) /* a problem's message and hint */
struct import_note {
	long row;       /* as the spreadsheet shows it; 0: the file, or the sheet */
	char sheet[64]; /* when several were read, or it is about one that was not */
	char field[48]; /* the column */
	/* stable word: ID_DAMAGED, ID_CHECK, MISSING, INVALID, DUPLICATE, OTHER_SCHOOL, IDENTITY … */
	char code[24];
	/* What happened and how to mend it: a list of what is permitted is told whole. */
	char message[IMPORT_MESSAGE_SIZE];
};

struct import_notes {
	struct import_note *list;
	size_t n, room;
	bool lost; /* out of memory: a note is missing, and nothing may be stored as if it had been told */
};

struct import_report {
	int64_t id; /* for `import undo`; 0 when nothing was stored */
	size_t read, inserted, updated, unchanged;
	size_t skipped;  /* rows that are no record: sums, signatures, the header again */
	size_t sheets;   /* that were read */
	size_t unfilled; /* lines of a form (export.h) that nobody has filled yet */
	struct import_notes rejected, warnings;
	char *ignored; /* a line for each unknown column: heading, tab, nearest known one; malloc'ed */
	/* rows held back because they change who a record is about, and of them those that only move up
	 * (import_subject) */
	size_t identity, promoted;
	size_t taken_back; /* rows held back because they would undo a later correction */
	int32_t year;      /* that the records are of, 0 = of none */
	int32_t ask_year;  /* the year that is likely, when nothing says it */
	bool shifted;      /* refused: a column seems to stand a row too high or low */
};

/* ERR_OK also when rows were rejected: ask the report. With all_or_nothing and a bad row: ERR_FILE_FORMAT,
 * report filled. A shifted column: ERR_CONFLICT, report->shifted. A closed year: ERR_PHASE. No year known:
 * ERR_MISSING, report->ask_year. Otherwise errors of sheet.h, table.h, store.h. An error after the rows were
 * stored (the workbook of bad rows could not be written) leaves report->id set and says so in p->safe. The
 * report is the caller's to import_report_free, also after an error. */
enum err import_run(struct store *s, const struct import_options *options, struct import_report *report,
	struct problem *p);
void import_report_free(struct import_report *report);

#endif
