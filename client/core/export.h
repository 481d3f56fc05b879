/* export.h - tables for people: what import.h reads, written back, and the slips. One thread; blocks. */
#ifndef JG_EXPORT_H
#define JG_EXPORT_H

#include "view.h"

enum export_what { EXPORT_STUDENTS, EXPORT_DESTINATIONS, EXPORT_SLIPS };

/* Writes `path` (.xlsx or .csv). The view holds transition_kinds (transition.h). `allowed` (may be NULL) says
 * whether the person may have a record's row. *rows: how many were written. */
enum err export_run(struct view *v, enum export_what what, int32_t year, const char *path,
	bool (*allowed)(const void *data, const struct record *r), const void *data, size_t *rows,
	struct problem *p);

#endif
