/* case_files.h - evidence fetched into a folder, for a clerk to look at before he decides. Never replaces a
 * file. Main thread. */
#ifndef JG_CASE_FILES_H
#define JG_CASE_FILES_H

#include "admin.h"
#include "download.h"

/* Fetches one file into `dir` (download.h); `path` is where it is then. */
enum err case_fetch(struct link *link, const pb_case_file *file, const char *dir,
	char path[RECEIVED_PATH_SIZE], struct problem *p);
/* Opens it in the desktop's own program. False: not a kind that is opened here (only pictures, PDF and plain
 * text are: what a school sends is not run), or there is no such program. */
bool case_open(const char *path);
/* As it stands in lists without --reveal: a child's name is often the file's. */
void case_file_cell(const struct cli *c, const char *name, char *out, size_t size);

#endif
