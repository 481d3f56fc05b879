/* Covers common/envelope.c: what protobuf-c lets through and a peer must not send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "envelope.h"
#include "kind.h"
#include "pb.h"

static enum err unpack(
	const ProtobufCMessageDescriptor *type, const void *bytes, size_t n, size_t quota, struct problem *p)
{
	struct arena arena;
	const ProtobufCMessage *out = NULL;
	/* A copy of its own size, so that a sanitizer sees a read beyond the message. */
	uint8_t *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	arena_init(&arena, quota);
	*p = (struct problem){0};
	enum err e = envelope_unpack(type, copy, n, &arena, &out, p);
	if (!e) {
		assert_non_null(out);
		assert_ptr_equal(out->descriptor, type);
	} else {
		assert_int_equal(p->code, e);
		assert_true(p->message[0] != 0);
	}
	arena_free(&arena);
	free(copy);
	return e;
}

static pb_op sample_op(pb_group_base *base, pb_group_base **list)
{
	pb_op op = PB_OP_INIT;

	*base = (pb_group_base)PB_GROUP_BASE_INIT;
	base->has_group = base->has_gver = 1;
	base->group = 1;
	base->gver = 300;
	list[0] = list[1] = base;
	op.has_version = op.has_op_no = op.has_action = op.has_id = op.has_body = op.has_at = 1;
	op.version = 1;
	op.op_no = 1;
	op.at = 1;
	op.author = (char *)"张老师";
	op.action = JINGGUAN__V1__ACTION__PUT;
	op.id = (ProtobufCBinaryData){16, (uint8_t *)"\0\1\2\3\4\5\6\7\0\1\2\3\4\5\6\7"};
	op.body = (ProtobufCBinaryData){3, (uint8_t *)"\0\0\0"};
	op.n_seen = 2;
	op.seen = list;
	return op;
}

static void packs_a_whole_frame(void **state)
{
	pb_group_base base, *list[2];
	pb_op op = sample_op(&base, list);
	struct buf out = {0};
	struct frame f = {.type = FRAME_CALL, .call = 3, .method = 0x0301}, got;
	struct problem p;

	(void)state;
	envelope_pack(&out, &f, &op.base);
	assert_int_equal(frame_header_get(&got, out.data), ERR_OK);
	assert_int_equal(got.length + FRAME_HEADER, out.len);
	assert_int_equal(got.call, 3);
	assert_int_equal(unpack(&pb_op_desc, out.data + FRAME_HEADER, got.length, 4096, &p), ERR_OK);
	buf_free(&out);
}

/* Cut anywhere: refused, or a shorter message whose parts are whole. Never a read beyond the end. */
static void truncated_at_every_byte(void **state)
{
	pb_group_base base, *list[2];
	pb_op op = sample_op(&base, list);
	uint8_t bytes[256];
	struct problem p;
	size_t n = protobuf_c_message_pack(&op.base, bytes);
	int refused = 0;

	(void)state;
	assert_true(n < sizeof bytes);
	for (size_t cut = 0; cut < n; cut++) {
		enum err e = unpack(&pb_op_desc, bytes, cut, 4096, &p);
		assert_true(e == ERR_OK || e == ERR_MALFORMED);
		refused += e != ERR_OK;
	}
	assert_true(refused > 30); /* only the borders between fields are messages */
}

static void bad_utf8(void **state)
{
	static const char *const bad[] = {
		"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE5\xBC", "\x80"};
	struct problem p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint8_t bytes[16] = {4 << 3 | 2, (uint8_t)strlen(bad[i])}; /* Op.author */
		memcpy(bytes + 2, bad[i], strlen(bad[i]));
		assert_int_equal(unpack(&pb_op_desc, bytes, 2 + strlen(bad[i]), 4096, &p), ERR_MALFORMED);
		assert_string_equal(p.field, "author");
	}
}

static void nul_inside_text(void **state)
{
	static const uint8_t plain[] = {4 << 3 | 2, 3, 'a', 0, 'b'};
	static const uint8_t last[] = {4 << 3 | 2, 2, 'a', 0};
	/* An int32 sent in five bytes is packed again in ten: sizes alone do not show the cut. */
	static const uint8_t hidden[] = {
		1 << 3 | 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 4 << 3 | 2, 3, 'a', 0, 'b'};
	static const uint8_t year[] = {1 << 3 | 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 2 << 3 | 2, 3, 'a', 0, 'b'};
	struct problem p;

	(void)state;
	assert_int_equal(unpack(&pb_op_desc, plain, sizeof plain, 4096, &p), ERR_MALFORMED);
	assert_int_equal(unpack(&pb_op_desc, last, sizeof last, 4096, &p), ERR_MALFORMED);
	assert_int_equal(unpack(&pb_op_desc, hidden, sizeof hidden, 4096, &p), ERR_MALFORMED);
	assert_int_equal(
		unpack(&jingguan__v1__destination__descriptor, year, sizeof year, 4096, &p), ERR_MALFORMED);
}

/* Zeros are at home everywhere but in text. */
static void zeros_elsewhere_are_fine(void **state)
{
	static const uint8_t unknown[] = {0xA2, 0x1F, 2, 0, 0, 1 << 3, 0};
	static const uint8_t wide[] = {2 << 3, 0x81, 0x80, 0x00, 8 << 3 | 2, 2, 0, 0};
	struct problem p;

	(void)state;
	assert_int_equal(unpack(&pb_op_desc, unknown, sizeof unknown, 4096, &p), ERR_OK);
	assert_int_equal(unpack(&pb_op_desc, wide, sizeof wide, 4096, &p), ERR_OK);
}

static void enum_out_of_range(void **state)
{
	static const uint8_t put[] = {6 << 3, 1}, none[] = {6 << 3, 0}, four[] = {6 << 3, 4},
			     minus[] = {6 << 3, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
	struct problem p;

	(void)state;
	assert_int_equal(unpack(&pb_op_desc, put, 2, 4096, &p), ERR_OK);
	assert_int_equal(unpack(&pb_op_desc, none, 2, 4096, &p), ERR_OK);
	assert_int_equal(unpack(&pb_op_desc, four, 2, 4096, &p), ERR_INVALID);
	assert_string_equal(p.field, "action");
	assert_int_equal(unpack(&pb_op_desc, minus, sizeof minus, 4096, &p), ERR_INVALID);
}

static void too_many_items(void **state)
{
	uint8_t bytes[2 * 501];
	struct problem p;

	(void)state;
	for (size_t i = 0; i < 501; i++) {
		bytes[2 * i] = 2 << 3 | 2; /* PushRequest.op, empty */
		bytes[2 * i + 1] = 0;
	}
	assert_int_equal(unpack(&pb_push_request_desc, bytes, 1000, 65536, &p), ERR_OK);
	assert_int_equal(unpack(&pb_push_request_desc, bytes, 1002, 65536, &p), ERR_TOO_LARGE);
	assert_string_equal(p.field, "op");
}

/* Every quota either suffices or is refused as too large: never a crash, never "malformed". */
static void a_quota_suffices_or_is_too_large(void **state)
{
	pb_group_base base, *list[2];
	pb_op op = sample_op(&base, list);
	uint8_t bytes[256];
	struct problem p;
	size_t n = protobuf_c_message_pack(&op.base, bytes);
	bool fits = false;

	(void)state;
	for (size_t q = 0; q < 1024; q++) {
		enum err e = unpack(&pb_op_desc, bytes, n, q, &p);
		assert_int_equal(e, e == ERR_OK ? ERR_OK : ERR_TOO_LARGE);
		assert_false(fits && e); /* more never refuses what less allowed */
		fits |= e == ERR_OK;
	}
	assert_true(fits);
}

/* The same value of every repeated field in the contract has a bound: a bomb of any message is cut. */
static void every_request_is_bounded(void **state)
{
	(void)state;
	for (size_t m = 0; m < method_count; m++) {
		const ProtobufCMessageDescriptor *d = method_table[m].request;
		const uint32_t *bounds = message_bounds(d);
		for (unsigned i = 0; i < d->n_fields; i++)
			if (d->fields[i].label == PROTOBUF_C_LABEL_REPEATED) {
				assert_non_null(bounds);
				assert_true(bounds[i] > 0);
			}
		assert_true(method_table[m].request_max > 0 &&
			method_table[m].request_max <= FRAME_MAX - FRAME_HEADER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(packs_a_whole_frame),
		cmocka_unit_test(truncated_at_every_byte), cmocka_unit_test(bad_utf8),
		cmocka_unit_test(nul_inside_text), cmocka_unit_test(zeros_elsewhere_are_fine),
		cmocka_unit_test(enum_out_of_range), cmocka_unit_test(too_many_items),
		cmocka_unit_test(a_quota_suffices_or_is_too_large),
		cmocka_unit_test(every_request_is_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
