/* Covers common/envelope.c: any bytes as the request of the method whose number stands in the first two; what
 * is accepted has sound text, counts and enums, and says the same when it is packed and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void again(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *message, size_t quota)
{
	struct buf first = {0}, second = {0};
	struct frame f = {.type = FRAME_CALL};
	struct arena arena;
	struct problem p;
	const ProtobufCMessage *out;

	envelope_pack(&first, &f, message);
	arena_init(&arena, quota);
	if (envelope_unpack(type, first.data + FRAME_HEADER, first.len - FRAME_HEADER, &arena, &out, &p))
		abort();
	envelope_pack(&second, &f, out);
	if (first.len != second.len || memcmp(first.data, second.data, first.len))
		abort();
	arena_free(&arena);
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	/* A number that is none picks one, so that the fuzzer wastes nothing. */
	const struct method *m = method_by_number(get_be16(bytes));
	if (!m)
		m = &method_table[get_be16(bytes) % method_count];
	if (n - 2 > m->request_max)
		return 0;
	struct arena arena;
	struct problem p = {0};
	const ProtobufCMessage *message = NULL;
	arena_init(&arena, m->arena_max);
	enum err e = envelope_unpack(m->request, bytes + 2, n - 2, &arena, &message, &p);
	if (e && (e != p.code || !p.message[0]))
		abort();
	if (!e)
		again(m->request, message, 4u << 20);
	arena_free(&arena);
	return 0;
}
