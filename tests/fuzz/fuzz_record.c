/* Covers common/record.c and check.c: any bytes as a record of the kind that the first one picks; canonical
 * bytes are a fixed point, groups and projection stay inside the record. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "record_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena arena;
	struct record r, again;
	struct problem p = {0};
	struct buf one = {0}, two = {0};

	if (n < 1)
		return 0;
	const struct kind *kind = &kind_table[bytes[0] % kind_count];
	arena_init(&arena, 4 * n + 65536); /* what a record may cost: its own size, its key */
	enum err e = record_decode(&r, kind, bytes + 1, n - 1, &arena, &p);
	if (e && (e != ERR_MALFORMED || p.code != e))
		abort();
	if (!e) {
		record_encode(&r, &one);
		if (record_decode(&again, kind, one.data, one.len, &arena, &p) || !record_same(&r, &again) ||
			again.ext_len)
			abort();
		record_encode(&again, &two);
		if (one.len != two.len || (one.len && memcmp(one.data, two.data, one.len)))
			abort();
		two.len = 0;
		record_encode_groups(&r, UINT32_MAX, true, &two);
		if (two.len > n - 1 + 10 * KIND_FIELDS_MAX)
			abort();
		record_check_shape(&r, false, &p);
		check_record(&r, true, 20260912, &p);
		arena.quota += 4 * n + 65536;
		if (!record_key(&r, &arena))
			abort();
	}
	buf_free(&one);
	buf_free(&two);
	arena_free(&arena);
	return 0;
}
