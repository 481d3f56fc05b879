/* report_documents.h - a month of 办文 as a page and as a workbook. Owns how they look; asks nobody. Blocks.
 * Main thread. */
#ifndef JG_REPORT_DOCUMENTS_H
#define JG_REPORT_DOCUMENTS_H

#include "cli.h"

struct documents_month {
	const struct cli *c; /* whose names of schools are shown */
	int32_t month;       /* 202609 */
	int64_t until;       /* its end, or when it was asked */
	unsigned received, issued, closed, archived, tasks, on_time, stuck;
	json_t *steps; /* {key, n, on_time, late, mean_days, p90_days} */
	json_t *open;  /* {number, title, step, with, due, lamp, days}: as people read them */
};

/* "96.15%"; "–" when no task was closed. */
const char *documents_rate(const struct documents_month *m, char *out, size_t size);
/* One HTML file without scripts. ERR_FILE_IO, ERR_DISK_FULL; told in *p. */
enum err documents_month_html(
	const struct cli *c, const char *path, const struct documents_month *m, struct problem *p);
/* A sheet of counts and steps, one of what is open. As sheet_writer_open. */
enum err documents_month_sheet(const char *path, const struct documents_month *m, struct problem *p);

#endif
