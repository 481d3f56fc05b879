/* export.h - tables for people: what import.h reads, written back, and the slips. Destinations as .xlsx are
 * the form that teachers fill: every sixth-grader, drop-downs, a second sheet of codes and schools; the
 * verification list is one that goes round on paper, or comes back through import.h. One thread; blocks. */
#ifndef JG_EXPORT_H
#define JG_EXPORT_H

#include "view.h"

enum export_what { EXPORT_STUDENTS, EXPORT_DESTINATIONS, EXPORT_SLIPS, EXPORT_VERIFY };

struct export_report {
	size_t rows;
	size_t dropped; /* cells that were written without characters that no workbook can hold */
};

/* Writes `path` (.xlsx or .csv). The view holds transition_kinds (transition.h). `allowed` (may be NULL) says
 * whether the person may have a record's row. */
enum err export_run(struct view *v, enum export_what what, int32_t year, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data,
	struct export_report *report, struct problem *p);

#endif
