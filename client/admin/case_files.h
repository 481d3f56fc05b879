/* case_files.h - evidence fetched into a folder, for a clerk to look at before he decides. Never replaces a
 * file. */
#ifndef JG_CASE_FILES_H
#define JG_CASE_FILES_H

#include "admin.h"

#define CASE_PATH_SIZE 4096

/* Whether files can be written into `dir`, which is made when it is not there: asked before anything is
 * fetched. ERR_FILE_IO. */
enum err case_folder(const char *dir, struct problem *p);
/* Fetches one file, compares its bytes with its name in the county (SHA-256) and writes it into `dir`, for
 * its owner alone; `path` is where it is then. One that is there already with the same bytes stays and
 * serves. Errors: of the call, ERR_FILE_DAMAGED, ERR_FILE_IO, ERR_DISK_FULL. */
enum err case_fetch(struct link *link, const pb_case_file *file, const char *dir, char path[CASE_PATH_SIZE],
	struct problem *p);
/* Opens it in the desktop's own program. False: not a kind that is opened here (only pictures, PDF and plain
 * text are: what a school sends is not run), or there is no such program. */
bool case_open(const char *path);
/* As it stands in lists without --reveal: a child's name is often the file's. */
void case_file_cell(const struct cli *c, const char *name, char *out, size_t size);

#endif
