/* file_name.h - names of people's files in messages and JSON. Pure. Any thread. */
#ifndef JG_FILE_NAME_H
#define JG_FILE_NAME_H

#include <stddef.h>

#include "err.h"

#define FILE_NAME_TEXT_MAX 256
#define FILE_PATH_TEXT_MAX 4096

/* The last part of a path as UTF-8 that is fit for a screen: a name that Windows left in GBK is read as
 * such. */
void file_name_text(char *out, size_t size, const char *path);
/* The same for all of the path. */
void file_path_text(char *out, size_t size, const char *path);

/* The whole story about a file of the user's that could not be written: ERR_DISK_FULL, ERR_NOMEM or
 * ERR_FILE_IO. */
enum err file_problem(struct problem *p, const char *path, int error);

/* Opens a file that a person names, to be read: the descriptor, or -1, told as ERR_FILE_IO. Only files: a
 * pipe or a device could feed for ever, or keep who opens it waiting while he holds the profile. */
int file_open(const char *path, size_t *size, struct problem *p);

#endif
