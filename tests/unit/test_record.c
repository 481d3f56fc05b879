/* Covers common/record.c and kind.c: every kind there and back, canonical bytes, projection, unknown fields,
 * natural keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "record.h"
#include "record_random.h"
#include "tables.h"

#define ROUNDS 200

static enum err decode(
	struct record *r, const struct kind *kind, const void *bytes, size_t n, struct arena *arena)
{
	struct problem p;

	return record_decode(r, kind, arena_copy(arena, bytes, n), n, arena, &p);
}

static void every_kind_goes_both_ways(void **state)
{
	uint64_t seed = 20260912;

	(void)state;
	for (size_t k = 0; k < kind_count; k++)
		for (int round = 0; round < ROUNDS; round++) {
			struct arena arena;
			struct record a, b;
			struct buf first = {0}, second = {0};
			arena_init(&arena, 1 << 20);
			record_init(&a, &kind_table[k]);
			random_fill(&a, UINT32_MAX, &seed, &arena);
			record_encode(&a, &first);
			assert_int_equal(decode(&b, &kind_table[k], first.data, first.len, &arena), ERR_OK);
			assert_true(record_same(&a, &b));
			record_encode(&b, &second);
			assert_int_equal(first.len, second.len);
			if (first.len)
				assert_memory_equal(first.data, second.data, first.len);
			buf_free(&first);
			buf_free(&second);
			arena_free(&arena);
		}
}

/* Whatever order, repetition and padding a peer chose, the bytes that are hashed are the same. */
static void canonical_bytes(void **state)
{
	static const uint8_t orderly[] = {1 << 3 | 2, 1, 'b', 6 << 3, 0x96, 0x01, 8 << 3, 1};
	static const uint8_t shuffled[] = {8 << 3, 0x81, 0x00, 6 << 3, 0x07, 1 << 3 | 2, 1, 'a', 5 << 3 | 2,
		0, 6 << 3, 0x96, 0x81, 0x00, 1 << 3 | 2, 1, 'b'};
	const struct kind *student = kind_by_number(KIND_STUDENT);
	struct arena arena;
	struct record r;
	struct buf out = {0};

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(decode(&r, student, shuffled, sizeof shuffled, &arena), ERR_OK);
	record_encode(&r, &out);
	assert_int_equal(out.len, sizeof orderly);
	assert_memory_equal(out.data, orderly, out.len);
	assert_int_equal(decode(&r, student, "\x50\x00", 2, &arena), ERR_MALFORMED);
	buf_free(&out);
	arena_free(&arena);
}

static void defaults_are_absence(void **state)
{
	static const uint8_t empties[] = {1 << 3 | 2, 0, 6 << 3, 0, 8 << 3, 0, 6 << 3, 0x80, 0x00};
	struct arena arena;
	struct record r;

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(decode(&r, kind_by_number(KIND_STUDENT), empties, sizeof empties, &arena), ERR_OK);
	assert_int_equal(r.set, 0);
	/* A value and then its default: the last one wins. */
	static const uint8_t taken_back[] = {1 << 3 | 2, 1, 'a', 1 << 3 | 2, 0};
	assert_int_equal(
		decode(&r, kind_by_number(KIND_STUDENT), taken_back, sizeof taken_back, &arena), ERR_OK);
	assert_int_equal(r.set, 0);
	arena_free(&arena);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {{"\x0A\x01\xFF", 3}, {"\x0A\x01\x00", 3},
		{"\x0A\x03"
		 "a\x00"
		 "b",
			5},
		{"\x08\x01", 2}, {"\x0D\0\0\0\0", 5},
		{"\x32\x01"
		 "1",
			3},
		{"\x30\xFF\xFF\xFF\xFF\xFF\x7F", 7}, {"\x40\x02", 2}, {"\x00\x01", 2}, {"\x0B", 1},
		{"\x0A\x05"
		 "a",
			3},
		{"\x80", 1}, {"\x30\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12},
		{"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11}, {"\xA3\x06", 2}, {"\xA4\x06", 2},
		{"\xA6\x06", 2}};
	struct arena arena;
	struct record r;
	struct problem p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		arena_init(&arena, 65536);
		p = (struct problem){0};
		assert_int_equal(
			record_decode(&r, kind_by_number(KIND_STUDENT), bad[i].bytes, bad[i].n, &arena, &p),
			ERR_MALFORMED);
		assert_int_equal(p.code, ERR_MALFORMED);
		assert_true(p.field[0] != 0);
		arena_free(&arena);
	}
}

static void truncated_at_every_byte(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (size_t k = 0; k < kind_count; k++) {
		struct arena arena;
		struct record a, b, again;
		struct buf whole = {0};
		arena_init(&arena, 1 << 22);
		record_init(&a, &kind_table[k]);
		for (size_t i = 0; i < a.kind->field_count; i++)
			random_value(&a, i, &seed, &arena);
		record_encode(&a, &whole);
		buf_add(&whole, "\xA2\x3E\x03\0\xFF\x01\xA8\x3E\x96\x01",
			10); /* unknown fields 1000 and 1001 */
		for (size_t cut = 0; cut <= whole.len; cut++) {
			struct problem p = {0};
			uint8_t *piece = malloc(cut ? cut : 1);
			memcpy(piece, whole.data, cut);
			enum err e = record_decode(&b, a.kind, piece, cut, &arena, &p);
			assert_true(e == ERR_OK || e == ERR_MALFORMED);
			if (!e) { /* a border between fields: what is there is what was sent */
				struct buf back = {0};
				record_encode_groups(&b, UINT32_MAX, true, &back);
				assert_int_equal(back.len, cut);
				assert_int_equal(decode(&again, a.kind, back.data, back.len, &arena), ERR_OK);
				assert_true(record_same(&b, &again));
				buf_free(&back);
			}
			free(piece);
		}
		buf_free(&whole);
		arena_free(&arena);
	}
}

/* A newer client's fields travel on, and no hash depends on them. */
static void unknown_fields(void **state)
{
	static const uint8_t newer[] = {0xA8, 0x3E, 5, 1 << 3 | 2, 1, 'a', 0xA2, 0x3E, 2, 0, 0xFF, 0xA5, 0x3E,
		1, 2, 3, 4, 0xA1, 0x3E, 1, 2, 3, 4, 5, 6, 7, 8};
	struct arena arena;
	struct record r;
	struct buf out = {0}, all = {0};

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(decode(&r, kind_by_number(KIND_STUDENT), newer, sizeof newer, &arena), ERR_OK);
	assert_int_equal(r.ext_len, sizeof newer - 3);
	record_encode(&r, &out);
	assert_int_equal(out.len, 3);
	record_encode_other(&r, &out);
	assert_int_equal(out.len, 3);
	record_encode_groups(&r, 1, true, &all);
	assert_int_equal(all.len, sizeof newer);
	assert_memory_equal(all.data + 3, newer, 3);
	assert_memory_equal(all.data + 6, newer + 6, sizeof newer - 6);
	buf_free(&out);
	buf_free(&all);
	arena_free(&arena);
}

/* Very many of them cost memory in proportion, not squared. */
static void many_unknown_fields(void **state)
{
	struct buf bytes = {0};
	struct arena arena;
	struct record r;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_add(&bytes, "\xA8\x3E\x01", 3);
	arena_init(&arena, 200000);
	struct problem p;
	assert_int_equal(
		record_decode(&r, kind_by_number(KIND_STUDENT), bytes.data, bytes.len, &arena, &p), ERR_OK);
	assert_int_equal(r.ext_len, bytes.len);
	assert_memory_equal(r.ext, bytes.data, bytes.len);
	buf_free(&bytes);
	arena_free(&arena);
}

static void projection_and_groups(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (size_t k = 0; k < kind_count; k++) {
		struct arena arena;
		struct record a, b;
		struct buf out = {0};
		arena_init(&arena, 1 << 20);
		record_init(&a, &kind_table[k]);
		for (size_t i = 0; i < a.kind->field_count; i++)
			random_value(&a, i, &seed, &arena);
		record_encode_other(&a, &out);
		assert_int_equal(decode(&b, a.kind, out.data, out.len, &arena), ERR_OK);
		for (size_t i = 0; i < a.kind->field_count; i++)
			assert_int_equal(
				record_has(&b, (int)i), a.kind->fields[i].other && record_has(&a, (int)i));
		uint32_t rebuilt = 0;
		record_init(&b, a.kind);
		for (unsigned g = 1; g <= a.kind->group_count; g++) {
			struct record part;
			out.len = 0;
			record_encode_groups(&a, 1u << (g - 1), false, &out);
			assert_int_equal(decode(&part, a.kind, out.data, out.len, &arena), ERR_OK);
			assert_int_equal(record_groups(&part) & ~(1u << (g - 1)), 0);
			assert_true(record_same_group(&part, &a, g));
			record_take_groups(&b, &part, 1u << (g - 1));
			rebuilt |= record_groups(&part);
		}
		assert_true(record_same(&a, &b));
		assert_int_equal(rebuilt, record_groups(&a));
		buf_free(&out);
		arena_free(&arena);
	}
}

static void natural_keys(void **state)
{
	struct arena arena;
	struct record r;

	(void)state;
	arena_init(&arena, 65536);
	record_init(&r, kind_by_number(KIND_STUDENT));
	assert_string_equal(record_key(&r, &arena), "");
	record_set_text(&r, F_STUDENT_STUDENT_NO, "G1");
	assert_string_equal(record_key(&r, &arena), "student_no=G1");
	record_set_text(&r, F_STUDENT_CERT_NO, "X9");
	assert_string_equal(record_key(&r, &arena), "cert_no=X9");
	record_init(&r, kind_by_number(KIND_DESTINATION));
	record_set_text(&r, F_DESTINATION_CERT_NO, "X9");
	assert_string_equal(record_key(&r, &arena), ""); /* the year is missing */
	record_set_number(&r, F_DESTINATION_YEAR, 2026);
	assert_string_equal(record_key(&r, &arena),
		"2026\x1F"
		"cert_no=X9");
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, "\0\1\xFF", 3);
	record_set_number(&r, F_GUARDIAN_ORDINAL, -2);
	assert_string_equal(record_key(&r, &arena), "0001ff\x1F-2");
	record_init(&r, kind_by_number(KIND_FILING)); /* has none */
	record_set_number(&r, F_FILING_YEAR, 2026);
	assert_string_equal(record_key(&r, &arena), "");
	arena_free(&arena);
}

static void a_record_keeps_the_shape_of_its_kind(void **state)
{
	struct record r;
	struct problem p;
	char longer[130];

	(void)state;
	record_init(&r, kind_by_number(KIND_STUDENT));
	assert_int_equal(record_check_shape(&r, false, &p), ERR_OK);
	assert_int_equal(record_check_shape(&r, true, &p), ERR_MISSING);
	assert_string_equal(p.field, "name");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	/* the group is there, its class is not */
	assert_int_equal(record_check_shape(&r, false, &p), ERR_MISSING);
	assert_string_equal(p.field, "class_no");
	record_set_text(&r, F_STUDENT_CLASS_NO, "1");
	assert_int_equal(record_check_shape(&r, false, &p), ERR_OK);
	memset(longer, 'x', sizeof longer);
	record_set_bytes(&r, F_STUDENT_NAME, longer, 120);
	assert_int_equal(record_check_shape(&r, true, &p), ERR_OK);
	record_set_bytes(&r, F_STUDENT_NAME, longer, 121);
	assert_int_equal(record_check_shape(&r, true, &p), ERR_TOO_LARGE);
	assert_string_equal(p.field, "name");
}

static void getters_of_a_field_that_is_not_set(void **state)
{
	struct record r;
	char small[4];

	(void)state;
	record_init(&r, kind_by_number(KIND_STUDENT));
	assert_string_equal(record_text(&r, F_STUDENT_NAME, small, sizeof small), "");
	assert_true(record_is(&r, F_STUDENT_NAME, ""));
	record_set_text(&r, F_STUDENT_NAME, "abcdef");
	assert_string_equal(record_text(&r, F_STUDENT_NAME, small, sizeof small), "abc");
	assert_true(record_is(&r, F_STUDENT_NAME, "abcdef"));
	assert_false(record_is(&r, F_STUDENT_NAME, "abcde"));
	record_set_text(&r, F_STUDENT_NAME, NULL);
	assert_false(record_has(&r, F_STUDENT_NAME));
	record_set_number(&r, F_STUDENT_BIRTH, 20140315);
	assert_int_equal(record_number(&r, F_STUDENT_BIRTH), 20140315);
	record_set_number(&r, F_STUDENT_BIRTH, 0);
	assert_false(record_has(&r, F_STUDENT_BIRTH));
}

/* The tables that everything walks: numbers unique and ascending, groups dense, names found again. */
static void tables_that_everything_walks(void **state)
{
	(void)state;
	for (size_t k = 0; k < kind_count; k++) {
		const struct kind *kind = &kind_table[k];
		assert_ptr_equal(kind_by_number(kind->number), kind);
		assert_ptr_equal(kind_by_table(kind->table), kind);
		assert_true(kind->field_count <= KIND_FIELDS_MAX && kind->group_count <= KIND_GROUPS_MAX);
		for (size_t i = 0; i < kind->field_count; i++) {
			assert_true(i == 0 || kind->fields[i].number > kind->fields[i - 1].number);
			assert_true(kind->fields[i].group >= 1 && kind->fields[i].group <= kind->group_count);
			assert_int_equal(kind_field_index(kind, kind->fields[i].name), i);
		}
	}
	assert_null(kind_by_number(9999));
	assert_null(kind_by_table("no such table"));
	for (size_t i = 0; i < method_count; i++) {
		assert_true(i == 0 || method_table[i].number > method_table[i - 1].number);
		assert_ptr_equal(method_by_number(method_table[i].number), &method_table[i]);
	}
	assert_null(method_by_number(0));
	assert_null(method_by_number(0xFFFF));
	for (size_t i = 0; i < role_count; i++)
		assert_string_equal(role_name(role_by_name(role_table[i].name)), role_table[i].name);
	assert_int_equal(role_by_name("emperor"), 0);
	assert_string_equal(role_name(31), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_goes_both_ways),
		cmocka_unit_test(canonical_bytes), cmocka_unit_test(defaults_are_absence),
		cmocka_unit_test(what_is_refused), cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(unknown_fields), cmocka_unit_test(many_unknown_fields),
		cmocka_unit_test(projection_and_groups), cmocka_unit_test(natural_keys),
		cmocka_unit_test(a_record_keeps_the_shape_of_its_kind),
		cmocka_unit_test(getters_of_a_field_that_is_not_set),
		cmocka_unit_test(tables_that_everything_walks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
