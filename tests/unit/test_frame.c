/* Covers common/frame.c: streams cut at every byte, lengths that lie, caps before allocation, unknown types
 * and flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "frame.h"

static uint32_t cap_of_test(void *data, const struct frame *header)
{
	(void)header;
	return *(uint32_t *)data;
}

static void append(struct buf *out, uint8_t type, uint16_t method, uint32_t call, const char *body)
{
	struct frame f = {.type = type,
		.method = method,
		.call = call,
		.deadline_ms = 7,
		.length = (uint32_t)strlen(body),
		.body = (const uint8_t *)body};

	frame_append(out, &f);
	assert_false(out->failed);
}

static void header_goes_both_ways(void **state)
{
	struct frame in = {.type = FRAME_REPLY,
			     .flags = FRAME_MORE,
			     .method = 0x0302,
			     .call = 0xDEADBEEF,
			     .deadline_ms = 60000,
			     .length = 0x01020304},
		     out;
	uint8_t bytes[FRAME_HEADER];
	static const uint8_t wanted[FRAME_HEADER] = {
		1, 2, 3, 4, 4, 1, 3, 2, 0xDE, 0xAD, 0xBE, 0xEF, 0, 0, 0xEA, 0x60};

	(void)state;
	frame_header_put(bytes, &in);
	assert_memory_equal(bytes, wanted, sizeof wanted);
	assert_int_equal(frame_header_get(&out, bytes), ERR_OK);
	assert_int_equal(out.length, in.length);
	assert_int_equal(out.method, in.method);
	assert_int_equal(out.call, in.call);
	assert_int_equal(out.deadline_ms, in.deadline_ms);
	assert_int_equal(out.flags, in.flags);
}

static void unknown_types_and_flags(void **state)
{
	uint8_t bytes[FRAME_HEADER] = {0};
	struct frame out;

	(void)state;
	for (int type = 0; type < 256; type++)
		for (int flags = 0; flags < 256; flags++) {
			bytes[4] = (uint8_t)type;
			bytes[5] = (uint8_t)flags;
			/* only an answer comes in parts */
			enum err wanted = type >= 1 && type <= FRAME_TYPE_MAX &&
					(flags & ~(type == FRAME_REPLY ? FRAME_FLAGS : 0)) == 0
				? ERR_OK
				: ERR_PROTOCOL;
			assert_int_equal(frame_header_get(&out, bytes), wanted);
		}
}

static const char *const bodies[] = {
	"", "x", "some body", "", "0123456789012345678901234567890123456789", "end"};
#define BODIES (sizeof bodies / sizeof *bodies)

/* Feeds one piece and checks the frames that come out of it against `bodies`, from *next on. */
static void feed(struct frame_reader *r, const uint8_t *from, size_t n, size_t *next)
{
	uint32_t cap = 64;
	/* A copy of its own size, so that a sanitizer sees a read beyond the piece. */
	uint8_t *piece = malloc(n ? n : 1);
	const uint8_t *at = piece;
	struct frame f;
	bool done = true;

	memcpy(piece, from, n);
	while (done) {
		assert_int_equal(frame_reader_feed(r, &at, &n, cap_of_test, &cap, &f, &done), ERR_OK);
		if (!done)
			break;
		assert_true(*next < BODIES);
		assert_int_equal(f.length, strlen(bodies[*next]));
		assert_memory_equal(f.body, bodies[*next], f.length);
		assert_int_equal(f.call, 2 * *next + 1);
		++*next;
	}
	assert_int_equal(n, 0);
	free(piece);
}

static void cut_at_every_two_bytes(void **state)
{
	struct buf stream = {0};

	(void)state;
	for (size_t i = 0; i < BODIES; i++)
		append(&stream, FRAME_CALL, 0x0301, (uint32_t)(2 * i + 1), bodies[i]);
	for (size_t a = 0; a <= stream.len; a++)
		for (size_t b = a; b <= stream.len; b++) {
			struct frame_reader r = {0};
			size_t next = 0;
			feed(&r, stream.data, a, &next);
			feed(&r, stream.data + a, b - a, &next);
			feed(&r, stream.data + b, stream.len - b, &next);
			assert_int_equal(next, BODIES);
			frame_reader_free(&r);
		}
	struct frame_reader r = {0};
	size_t next = 0;
	for (size_t i = 0; i < stream.len; i++)
		feed(&r, stream.data + i, 1, &next);
	assert_int_equal(next, BODIES);
	frame_reader_free(&r);
	buf_free(&stream);
}

/* A length one too long waits, one too short makes the rest the next header: nothing is read that was not
 * sent. */
static void lengths_that_lie(void **state)
{
	(void)state;
	for (uint32_t said = 0; said < 40; said++) {
		uint8_t bytes[FRAME_HEADER + 20] = {0};
		struct frame f = {.type = FRAME_CALL, .call = 1, .length = said};
		struct frame_reader r = {0};
		const uint8_t *at = bytes;
		size_t n = sizeof bytes;
		uint32_t cap = 1000;
		bool done;
		frame_header_put(bytes, &f);
		assert_int_equal(frame_reader_feed(&r, &at, &n, cap_of_test, &cap, &f, &done), ERR_OK);
		assert_int_equal(done, said <= 20);
		assert_int_equal(n, said <= 20 ? 20 - said : 0);
		if (done && n >= FRAME_HEADER)
			assert_int_equal(
				frame_reader_feed(&r, &at, &n, cap_of_test, &cap, &f, &done), ERR_PROTOCOL);
		frame_reader_free(&r);
	}
}

static void cap_refuses_before_any_allocation(void **state)
{
	static const uint32_t lengths[] = {65, 66, 1u << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint8_t bytes[FRAME_HEADER + 1] = {0};
		struct frame f = {.type = FRAME_CALL, .method = 0x0301, .call = 9, .length = lengths[i]},
			     out = {0};
		struct frame_reader r = {0};
		const uint8_t *at = bytes;
		size_t n = sizeof bytes;
		uint32_t cap = 64;
		bool done;
		frame_header_put(bytes, &f);
		assert_int_equal(
			frame_reader_feed(&r, &at, &n, cap_of_test, &cap, &out, &done), ERR_TOO_LARGE);
		assert_false(done);
		assert_null(r.body);
		assert_int_equal(out.method, 0x0301); /* the answer can name the call */
		assert_int_equal(out.call, 9);
		frame_reader_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(header_goes_both_ways),
		cmocka_unit_test(unknown_types_and_flags), cmocka_unit_test(cut_at_every_two_bytes),
		cmocka_unit_test(lengths_that_lie), cmocka_unit_test(cap_refuses_before_any_allocation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
