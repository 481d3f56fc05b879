/* blobs.h - files that prove something, on their way to the server: copied into DIR/blobs, sealed, named by
 * their hash, and sent in chunks by sync.h. Owns that folder and the table `blob`. One thread. */
#ifndef JG_BLOBS_H
#define JG_BLOBS_H

#include "wire_limits.h"
#include "store.h"

/* Column `complete`, and as a person is told. */
enum blob_state {
	BLOB_WAITING,
	BLOB_COMPLETE,
	BLOB_UNREADABLE, /* at the last try the copy here could not be read, or was another file's */
	BLOB_NO_ROOM,    /* the county had no room for it */
	BLOB_ELSEWHERE   /* this computer has never had it */
};

/* Copies a file. ERR_FILE_IO (not there, a folder), ERR_INVALID (empty: it proves nothing), ERR_TOO_LARGE.
 * With `only_look` nothing is kept. */
enum err blob_add(struct store *s, const char *path, bool only_look, uint8_t sha[HASH_SIZE], size_t *size,
	struct problem *p);
/* The content, malloc'ed. ERR_NOT_FOUND. */
enum err blob_read(
	struct store *s, const uint8_t sha[HASH_SIZE], uint8_t **out, size_t *size, struct problem *p);

/* Keeps bytes that are at hand; nothing happens when they are there already. In a transaction. */
enum err blob_keep(struct store *s, const uint8_t *bytes, size_t n, struct problem *p);

struct blob_row {
	uint8_t sha[HASH_SIZE];
	uint64_t size;
	uint32_t have; /* chunks at the server */
};
/* The next file that is not wholly at the server and that a record there names: what only drafts name, or
 * nobody any more, is not sent. *found: there is one. */
enum err blob_next(struct store *s, struct blob_row *row, bool *found, struct problem *p);
enum err blob_progress(
	struct store *s, const uint8_t sha[HASH_SIZE], uint32_t have, bool complete, struct problem *p);
/* It could not be sent, and is passed over until blob_try_again. */
enum err blob_failed(struct store *s, const uint8_t sha[HASH_SIZE], enum blob_state why, struct problem *p);
/* What failed waits again; with `all` also what is at the server, for it may have been restored from
 * before. */
enum err blob_try_again(struct store *s, bool all, struct problem *p);
enum err blob_state_of(
	struct store *s, const uint8_t sha[HASH_SIZE], enum blob_state *state, struct problem *p);
/* Of those that a record names, sent or not. */
struct blob_counts {
	size_t waiting, failed;
};
enum err blob_counts(struct store *s, struct blob_counts *out, struct problem *p);

#endif
