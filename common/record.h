/* record.h - one record of any kind as a row of values, decoded from and encoded to the kind's protobuf
 * message by the declaration alone. Validation, merge, sync, the client's store, import and export all walk
 * this.
 *
 * Text and bytes are borrowed: they point into the bytes that were decoded, or wherever the setter's caller
 * keeps them. Pure; any thread. */
#ifndef JG_RECORD_H
#define JG_RECORD_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "kind.h"

struct value {
	union {
		struct {
			const uint8_t *data;
			size_t len;
		};
		int64_t number; /* INT32, INT64, BOOL */
	};
};

struct record {
	const struct kind *kind;
	uint64_t set; /* bit i: fields[i] has a value; an empty text, a zero and a false are no value */
	struct value value[KIND_FIELDS_MAX];
	const uint8_t *ext; /* fields that this version does not know, as encoded; kept, never hashed */
	size_t ext_len;
};

void record_init(struct record *r, const struct kind *kind);

/* Accepts fields in any order, the last one wins; unknown fields are collected into ext (arena).
 * ERR_MALFORMED with the field in *p for a wrong wire type, a truncated value, bad UTF-8, a NUL in text or a
 * number out of range. */
enum err record_decode(struct record *r, const struct kind *kind, const void *bytes, size_t n,
	struct arena *arena, struct problem *p);

/* Canonical bytes: ascending field numbers, no defaults, no unknown fields. */
void record_encode(const struct record *r, struct buf *out);
/* The same with only the fields that another school may see (projection). */
void record_encode_other(const struct record *r, struct buf *out);
/* The same with only the fields of the groups in mask (bit n-1 for group n), followed by ext when
 * with_ext. */
void record_encode_groups(const struct record *r, uint32_t groups, bool with_ext, struct buf *out);

bool record_has(const struct record *r, int field);
void record_clear(struct record *r, int field);
void record_set_text(struct record *r, int field, const char *text);
void record_set_bytes(struct record *r, int field, const void *data, size_t n);
void record_set_number(struct record *r, int field, int64_t number);
/* "" or 0 when not set. record_text copies at most size-1 bytes and ends with NUL. */
const char *record_text(const struct record *r, int field, char *to, size_t size);
int64_t record_number(const struct record *r, int field);
bool record_is(const struct record *r, int field, const char *text);
bool record_same_field(const struct record *a, const struct record *b, size_t field);

uint32_t record_groups(const struct record *r); /* mask of the groups that have a value */
bool record_same_group(const struct record *a, const struct record *b, unsigned group);
/* Replaces the fields of the groups in mask by those of `from`. */
void record_take_groups(struct record *r, const struct record *from, uint32_t groups);

/* The natural key: its parts joined by U+001F; an alternative says which one it is ("cert_no=…"). Empty when
 * the kind has none or a part is missing. Arena text, NULL when out of memory (arena->refused). */
char *record_key(const struct record *r, struct arena *arena);

/* Required fields of the groups that are present, lengths, group limits. Checks that need code lists or the
 * calendar are check.c's. `whole`: every required field of the kind must be there. */
enum err record_check_shape(const struct record *r, bool whole, struct problem *p);

#endif
