/* received.h - a file that somebody else sent, kept in a folder for its reader alone, under the name that
 * it was given, made fit. Never replaces a file. Blocks. Any thread. */
#ifndef JG_RECEIVED_H
#define JG_RECEIVED_H

#include "buf.h"
#include "err.h"

#define RECEIVED_PATH_SIZE 4096

/* Whether files can be written into `dir`, which is made when it is not there: asked before anything is
 * fetched. ERR_FILE_IO. */
enum err received_folder(const char *dir, struct problem *p);
/* Writes it; `path` is where it is then. One that is there already with the same bytes stays and serves.
 * ERR_FILE_IO, ERR_DISK_FULL. */
enum err received_keep(const char *dir, const char *called, const struct buf *bytes,
	char path[RECEIVED_PATH_SIZE], struct problem *p);

#endif
