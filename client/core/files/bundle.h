/* bundle.h - files with a list of their hashes in one zip, stored as they are: what leaves the house to be
 * checked by somebody else. manifest-sha256.txt is what sha256sum reads, sorted by path, without itself
 * and its signature. Knows nothing of what the files say. Blocks. One thread. */
#ifndef JG_BUNDLE_H
#define JG_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define BUNDLE_FILES_MAX 400
/* a paper has at most 100 MiB of attachments, and what is printed of it */
#define BUNDLE_BYTES_MAX (256u << 20)
#define BUNDLE_MANIFEST "manifest-sha256.txt"
#define BUNDLE_SIGNATURE "manifest-sha256.sig"

struct bundle_file {
	char *path;
	uint8_t *bytes; /* a NUL behind them */
	size_t n;
	uint8_t sha256[32];
};
struct bundle {
	struct bundle_file files[BUNDLE_FILES_MAX];
	size_t count;
};

/* Copies. ERR_NOMEM, ERR_FILE_LIMIT. */
enum err bundle_add(struct bundle *b, const char *path, const void *bytes, size_t n);
const struct bundle_file *bundle_find(const struct bundle *b, const char *path); /* NULL: not there */
/* The list of all files; malloc, the caller's. NULL: no memory. Sorts them, so what bundle_find returned
 * before is another file after. */
char *bundle_manifest(struct bundle *b);
/* Appears under its name as a whole. */
enum err bundle_write(const struct bundle *b, const char *path, struct problem *p);
/* ERR_FILE_IO, ERR_FILE_DAMAGED, ERR_FILE_LIMIT, ERR_NOMEM. *out is the caller's to bundle_free, also
 * after an error. */
enum err bundle_read(struct bundle *out, const char *path, struct problem *p);
void bundle_free(struct bundle *b);

#endif
