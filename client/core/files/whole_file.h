/* whole_file.h - a file that people keep, written beside its name and put there when it is whole: what stood
 * under the name is good until then. Owns the part file. Blocks. Any thread. */
#ifndef JG_WHOLE_FILE_H
#define JG_WHOLE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "err.h"

struct whole_file {
	char path[PATH_MAX], part[PATH_MAX + sizeof ".part"];
	FILE *out;
};

/* Whether a file may be written at `path` at all: a folder that is there and may be written to, and nothing
 * under the name but a file. ERR_FILE_IO, ERR_DISK_FULL; told in *p. Asked before work that could not be
 * taken back. */
enum err whole_file_check(const char *path, struct problem *p);
/* Errors: as whole_file_check. `mode` as open(2) takes it; 0600 also when the umask would allow more. */
enum err whole_file_open(struct whole_file *f, const char *path, mode_t mode, struct problem *p);
/* Puts it under its name; when a write failed since, or its maker was not done, what stood there stays.
 * ERR_DISK_FULL, ERR_FILE_IO. */
enum err whole_file_close(struct whole_file *f, bool done, struct problem *p);

#endif
