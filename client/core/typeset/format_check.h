/* format_check.h - what a document typed in WPS or Word has that an official one must not, or lacks: F01
 * to F23. Rule: GB/T 9704-2012 and 《党政机关公文处理工作条例》. Judges the file as it is; mends nothing.
 * Blocks. One thread. */
#ifndef JG_FORMAT_CHECK_H
#define JG_FORMAT_CHECK_H

#include <stddef.h>

#include "arena.h"
#include "err.h"

struct format_fault {
	const char *fault; /* "F05" */
	size_t paragraph;  /* from 1, empty ones counted too; 0: the whole file */
	const char *text;  /* of that paragraph, its beginning */
	const char *mend;  /* what to do, in the user's language */
};

struct format_report {
	struct format_fault *faults; /* by paragraph, then by fault */
	size_t n;
};

/* Everything lives in the arena. Errors: as docx_read_file. */
enum err format_check(const char *path, struct format_report *out, struct arena *arena, struct problem *p);
/* Of one that is read already. ERR_NOMEM, ERR_FILE_LIMIT. */
struct docx;
enum err format_check_docx(
	const struct docx *docx, struct format_report *out, struct arena *arena, struct problem *p);

#endif
