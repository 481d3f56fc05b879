/* record_random.h - records of any kind with seeded random values. Header only. */
#ifndef JG_RECORD_RANDOM_H
#define JG_RECORD_RANDOM_H

#include <stdint.h>
#include <string.h>

#include "record.h"

/* xorshift64: one seed, one sequence, on every computer. */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) >> 33) % n;
}

static inline void random_value(struct record *r, size_t i, uint64_t *state, struct arena *arena)
{
	static const char *const letters[] = {"a", "Z", "7", "é", "张", "𬍛"};
	const struct field *f = &r->kind->fields[i];
	char text[64] = "";

	switch (f->type) {
	case FIELD_TEXT:
		for (uint32_t n = 1 + random_below(state, 6); n; n--)
			strcat(text, letters[random_below(state, 6)]);
		record_set_text(r, (int)i, arena_text(arena, text, strlen(text)));
		break;
	case FIELD_BYTES: {
		uint8_t bytes[16];
		for (size_t b = 0; b < sizeof bytes; b++)
			bytes[b] = (uint8_t)random_next(state);
		record_set_bytes(r, (int)i, arena_copy(arena, bytes, sizeof bytes), sizeof bytes);
		break;
	}
	case FIELD_INT32:
		record_set_number(r, (int)i, (int32_t)random_next(state));
		break;
	case FIELD_INT64:
		record_set_number(r, (int)i, (int64_t)random_next(state));
		break;
	case FIELD_BOOL:
		record_set_number(r, (int)i, random_next(state) & 1);
		break;
	}
}

/* Every field of the groups in mask has a value or, one time in four, none. */
static inline void random_fill(struct record *r, uint32_t groups, uint64_t *state, struct arena *arena)
{
	for (size_t i = 0; i < r->kind->field_count; i++) {
		if (!(groups >> (r->kind->fields[i].group - 1) & 1))
			continue;
		record_clear(r, (int)i);
		if (random_below(state, 4))
			random_value(r, i, state, arena);
	}
}

static inline bool record_same(const struct record *a, const struct record *b)
{
	for (size_t i = 0; i < a->kind->field_count; i++)
		if (!record_same_field(a, b, i))
			return false;
	return true;
}

#endif
