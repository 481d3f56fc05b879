/* staging.h - what a pull brings, kept aside until it is whole, then made visible at once with its cursor and
 * digest (I5, I7). Owns the tables `staging`, `base` and `head`. One thread. */
#ifndef JG_STAGING_H
#define JG_STAGING_H

#include "pb.h"
#include "store.h"

/* Empties the staging of a stream; the pull that follows begins at the stream's cursor. */
enum err staging_begin(struct store *s, int64_t stream, struct problem *p);
/* Adds one page; its own transaction. ERR_PROTOCOL for what no stream may carry. */
enum err staging_add(struct store *s, int64_t stream, const pb_pull_reply *page, struct problem *p);

struct staging_end {
	uint64_t cursor, epoch;
	uint32_t lanes[LANES];
	bool whole; /* the pull began at 0: what it did not bring is gone */
	uint64_t audit_n;
	uint8_t head[HASH_SIZE], sig[80];
	size_t sig_len;
};
/* Makes it visible; *agreed says whether the sum over what lies in the base now equals the server's. With
 * `settle`, the accepted operations are in it. One transaction. Nothing changes when the sum does not equal
 * the server's and more than a fifth of the rows would go. */
enum err staging_commit(struct store *s, int64_t stream, const struct staging_end *end, bool settle,
	bool *agreed, struct problem *p);
/* The next pull of this stream begins at 0; what is visible stays until then. */
enum err staging_reset(struct store *s, int64_t stream, struct problem *p);
/* Sum of the lanes of all base rows, recomputed from the sealed bodies when `deep` (doctor). */
enum err staging_digest(struct store *s, int64_t stream, bool deep, uint32_t out[LANES], struct problem *p);

#endif
