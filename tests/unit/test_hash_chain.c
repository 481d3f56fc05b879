/* Covers common/hash.c: each hash against SHA-256 of the bytes that proto/README.md names, put together here
 * by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "hash.h"

static struct buf plain;

static void begin(const char *label)
{
	plain.len = 0;
	buf_text(&plain, label);
}

static void end_is(const uint8_t found[HASH_SIZE])
{
	uint8_t wanted[HASH_SIZE];

	crypto_hash_sha256(wanted, plain.data, plain.len);
	assert_memory_equal(found, wanted, HASH_SIZE);
}

static const uint8_t device[ID_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void operations_chain_as_written_down(void **state)
{
	uint8_t sha[HASH_SIZE], start[HASH_SIZE], next[HASH_SIZE];

	(void)state;
	hash_op(sha, "bytes", 5);
	begin("jg op bytes");
	buf_text(&plain, "bytes");
	end_is(sha);
	hash_genesis(start, device, 0x01020304);
	begin("jg genesis");
	buf_add(&plain, device, ID_SIZE);
	buf_add(&plain, "\1\2\3\4", 4);
	end_is(start);
	hash_chain(next, start, 0x0102030405060708, sha);
	begin("jg op");
	buf_add(&plain, start, HASH_SIZE);
	buf_add(&plain, "\1\2\3\4\5\6\7\x08", 8);
	buf_add(&plain, sha, HASH_SIZE);
	end_is(next);
	hash_chain(start, start, 0x0102030405060708, sha); /* in place, as every caller does it */
	assert_memory_equal(start, next, HASH_SIZE);
	hash_op(sha, NULL, 0);
	begin("jg op bytes");
	end_is(sha);
}

/* A chain says every number and every byte of what came before. */
static void a_chain_tells_everything(void **state)
{
	uint8_t base[HASH_SIZE], other[HASH_SIZE], shas[4][HASH_SIZE];

	(void)state;
	for (int i = 0; i < 4; i++)
		hash_op(shas[i], &i, sizeof i);
	hash_genesis(base, device, 1);
	for (uint64_t i = 0; i < 4; i++)
		hash_chain(base, base, i + 1, shas[i]);
	static const int orders[][4] = {{1, 0, 2, 3}, {0, 1, 3, 2}, {0, 0, 2, 3}, {0, 1, 2, 2}};
	for (size_t o = 0; o < 4; o++) {
		hash_genesis(other, device, 1);
		for (uint64_t i = 0; i < 4; i++)
			hash_chain(other, other, i + 1, shas[orders[o][i]]);
		assert_memory_not_equal(base, other, HASH_SIZE);
	}
	hash_genesis(other, device, 2);
	for (uint64_t i = 0; i < 4; i++)
		hash_chain(other, other, i + 1, shas[i]);
	assert_memory_not_equal(base, other, HASH_SIZE);
	hash_genesis(other, device, 1);
	for (uint64_t i = 0; i < 4; i++)
		hash_chain(other, other, i + 2, shas[i]);
	assert_memory_not_equal(base, other, HASH_SIZE);
}

static void records_and_lanes(void **state)
{
	uint8_t record[HASH_SIZE], sum[HASH_SIZE];
	uint32_t lanes[LANES], total[LANES] = {0xFFFFFFFF, 0, 5}, before[LANES];

	(void)state;
	hash_record(record, "canonical", 9);
	begin("jg record");
	buf_text(&plain, "canonical");
	end_is(record);
	hash_lanes(lanes, device, 7, 5, record);
	begin("jg lane");
	buf_add(&plain, device, ID_SIZE);
	buf_add(&plain, "\0\0\0\0\0\0\0\7\0\0\0\5", 12);
	buf_add(&plain, record, 8);
	for (int i = 0; i < LANES; i++)
		put_be32(sum + 4 * i, lanes[i]);
	end_is(sum);
	memcpy(before, total, sizeof total);
	lanes_add(total, lanes);
	assert_memory_not_equal(before, total, sizeof total);
	assert_int_equal(total[0], (uint32_t)(0xFFFFFFFF + lanes[0]));
	lanes_sub(total, lanes);
	assert_memory_equal(before, total, sizeof total);
}

static void trace_entries_chain_as_written_down(void **state)
{
	uint8_t record[HASH_SIZE], entry[AUDIT_ENTRY_SIZE], root[HASH_SIZE], head[HASH_SIZE] = {0},
									     first[HASH_SIZE] = {0};
	struct buf parts = {0};

	(void)state;
	hash_record(record, "x", 1);
	audit_entry(entry, device, 3, 5, 1, 0x81, record);
	assert_memory_equal(entry, device, ID_SIZE);
	assert_memory_equal(entry + 16, "\0\0\0\0\0\0\0\3\0\0\0\5\1\x81\0\0", 16);
	assert_memory_equal(entry + 32, record, HASH_SIZE);
	audit_part(&parts, "zhang", device, 1, 2, 1);
	buf_add(&parts, entry, sizeof entry);
	assert_int_equal(parts.len, 6 + 16 + 8 + 8 + 4 + 64);
	assert_memory_equal(parts.data, "zhang\0", 6);
	assert_memory_equal(parts.data + 22, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\1", 20);
	audit_root(root, parts.data, parts.len);
	begin("jg root");
	buf_add(&plain, parts.data, parts.len);
	end_is(root);
	audit_next(head, 1, root);
	begin("jg audit");
	buf_add(&plain, first, HASH_SIZE);
	buf_be64(&plain, 1);
	buf_add(&plain, root, HASH_SIZE);
	end_is(head);
	buf_free(&parts);
	buf_free(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(operations_chain_as_written_down),
		cmocka_unit_test(a_chain_tells_everything), cmocka_unit_test(records_and_lanes),
		cmocka_unit_test(trace_entries_chain_as_written_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
