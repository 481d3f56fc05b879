/* Covers common/arena.c, buf.c and frame.c when memory runs out: quotas, and the Nth allocation failing for
 * every N. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arena.h"
#include "envelope.h"
#include "nomem.h"
#include "pb.h"
#include "record_random.h"

static void arena_quota(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	assert_non_null(arena_alloc(&a, 60));
	assert_null(arena_alloc(&a, 41));
	assert_non_null(arena_alloc(&a, 40));
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	assert_null(arena_text(&a, "x", 1));
	assert_null(arena_printf(&a, "%d", 7));
	assert_non_null(arena_alloc(&a, 0));
	arena_free(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 100)); /* free begins anew */
	arena_free(&a);
}

static void arena_memory(void **state)
{
	struct arena a;
	uint64_t seed = 3;
	struct {
		uint8_t *at;
		size_t n;
		uint8_t fill;
	} pieces[300];

	(void)state;
	arena_init(&a, 1 << 24);
	for (int i = 0; i < 300; i++) {
		pieces[i].n = random_below(&seed, i % 10 ? 100 : 20000);
		pieces[i].fill = (uint8_t)i;
		pieces[i].at = arena_alloc(&a, pieces[i].n);
		assert_non_null(pieces[i].at);
		assert_int_equal((uintptr_t)pieces[i].at % 16, 0);
		for (size_t b = 0; b < pieces[i].n; b++)
			assert_int_equal(pieces[i].at[b], 0);
		memset(pieces[i].at, pieces[i].fill, pieces[i].n);
	}
	for (int i = 0; i < 300; i++)
		for (size_t b = 0; b < pieces[i].n; b++)
			assert_int_equal(pieces[i].at[b], pieces[i].fill);
	assert_string_equal(arena_text(&a, "abc", 2), "ab");
	assert_string_equal(arena_text(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%s-%05d", "x", 42), "x-00042");
	assert_memory_equal(arena_copy(&a, "\0\1", 2), "\0\1", 2);
	arena_free(&a);
}

static void buf_contents(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_u8(&b, 1);
	buf_be16(&b, 0x0203);
	buf_be32(&b, 0x04050607);
	buf_be64(&b, 0x08090A0B0C0D0E0F);
	assert_memory_equal(b.data, "\1\2\3\4\5\6\7\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F", 15);
	assert_int_equal(get_be16(b.data + 1), 0x0203);
	assert_int_equal(get_be32(b.data + 3), 0x04050607);
	assert_true(get_be64(b.data + 7) == 0x08090A0B0C0D0E0F);
	b.len = 0;
	buf_varint(&b, 0);
	buf_varint(&b, 127);
	buf_varint(&b, 128);
	buf_varint(&b, UINT64_MAX);
	assert_int_equal(b.len, 1 + 1 + 2 + 10);
	assert_memory_equal(b.data, "\0\x7F\x80\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 14);
	b.len = 0;
	for (int i = 0; i < 2000; i++)
		buf_printf(&b, "%04d", i);
	assert_int_equal(b.len, 8000);
	assert_memory_equal(b.data + 4 * 1234, "1234", 4);
	buf_add(&b, NULL, 0);
	assert_false(b.failed);
	buf_free(&b);
	assert_null(b.data);
}

static void buf_failure_sticks(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_text(&b, "kept");
	nomem_in = 1;
	assert_null(buf_reserve(&b, 1000));
	nomem_in = 0;
	assert_true(b.failed);
	buf_text(&b, "not");
	buf_printf(&b, "%d", 5);
	assert_int_equal(b.len, 4);
	buf_free(&b);
	/* More than there is memory at all: refused, no endless doubling. */
	buf_text(&b, "x");
	assert_null(buf_reserve(&b, SIZE_MAX - 100));
	assert_true(b.failed);
	buf_free(&b);
}

static uint32_t any(void *data, const struct frame *header)
{
	(void)data;
	(void)header;
	return FRAME_MAX;
}

static void frame_body_without_memory(void **state)
{
	struct frame_reader r = {0};
	uint8_t bytes[FRAME_HEADER + 1] = {0};
	struct frame f = {.type = FRAME_CALL, .length = 1000};
	const uint8_t *at = bytes;
	size_t n = sizeof bytes;
	bool done;

	(void)state;
	frame_header_put(bytes, &f);
	nomem_in = 1;
	assert_int_equal(frame_reader_feed(&r, &at, &n, any, NULL, &f, &done), ERR_NOMEM);
	nomem_in = 0;
	frame_reader_free(&r);
}

/* Unpacking a push while each allocation in turn fails: an error each time, and nothing is left behind. */
static void envelope_without_memory(void **state)
{
	uint8_t bytes[64 * 1024];
	struct problem p;

	(void)state;
	for (size_t i = 0; i + 130 <= sizeof bytes; i += 130) {
		bytes[i] = 2 << 3 | 2;
		bytes[i + 1] = 127;
		memset(bytes + i + 2, 'a', 127);
		bytes[i + 129] = 0;
	}
	size_t n = 0;
	struct buf message = {0};
	for (size_t i = 0; i < 400; i++, n += 129)
		buf_add(&message, bytes + i * 130, 129);
	for (long at = 1;; at++) {
		struct arena a;
		const ProtobufCMessage *out;
		arena_init(&a, 1 << 20);
		nomem_in = at;
		enum err e = envelope_unpack(&pb_push_request_desc, message.data, message.len, &a, &out, &p);
		long left = nomem_in;
		nomem_in = 0;
		arena_free(&a);
		if (left > 0) {
			assert_int_equal(e, ERR_OK);
			assert_true(at > 5);
			break;
		}
		assert_int_not_equal(e, ERR_OK);
	}
	buf_free(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(arena_quota), cmocka_unit_test(arena_memory),
		cmocka_unit_test(buf_contents), cmocka_unit_test(buf_failure_sticks),
		cmocka_unit_test(frame_body_without_memory), cmocka_unit_test(envelope_without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
