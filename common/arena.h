/* arena.h - memory of one request: allocated piece by piece under a quota, freed at once.
 * Not thread-safe; one owner. Pointers stay valid until arena_reset or arena_free. */
#ifndef JG_ARENA_H
#define JG_ARENA_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "err.h"

struct arena_block;

struct arena {
	struct arena_block *block;
	size_t used, quota; /* bytes handed out, and the most that may be */
	/* why the last NULL was answered: ERR_TOO_LARGE for the quota, ERR_NOMEM; who asks clears it before
	 * */
	enum err refused;
	ProtobufCAllocator allocator; /* for protobuf-c: alloc from here, free does nothing */
};

void arena_init(struct arena *a, size_t quota);
/* zeroed, aligned to 16; NULL when over the quota or out of memory */
void *arena_alloc(struct arena *a, size_t n);
void *arena_copy(struct arena *a, const void *data, size_t n);
char *arena_text(struct arena *a, const void *data, size_t n); /* copy with a NUL behind */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
