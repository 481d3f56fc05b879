/* Covers client/core/store/staging.c: what the county has written once for all; the rest is test_store.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "staging.h"
#include "tables.h"

static void stage_tail(struct store *s, Jingguan__V1__Action action, uint8_t of, struct staging_end *end)
{
	static const uint8_t id[ID_SIZE] = {9};
	uint8_t bytes[HASH_SIZE] = {of};
	struct record r;

	record_init(&r, kind_by_number(KIND_TRACE_TAIL));
	record_set_bytes(&r, F_TRACE_TAIL_OF, bytes, ID_SIZE);
	record_set_number(&r, F_TRACE_TAIL_N, 5);
	record_set_bytes(&r, F_TRACE_TAIL_HEAD, bytes, sizeof bytes);
	fixture_stage(s, id, action, &r, end);
}

/* What the county never changes is not taken away either, while the database is the same. */
static void what_was_witnessed_stays(void **state)
{
	struct staging_end end = {.epoch = 1, .audit_n = 1, .sig_len = 8};
	struct fixture f;
	bool agreed;

	(void)state;
	fixture_open(&f, "registrar");
	stage_tail(f.store, JINGGUAN__V1__ACTION__PUT, 1, &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	stage_tail(f.store, JINGGUAN__V1__ACTION__PUT, 1, &end);
	end.whole = true;
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	end.whole = false;
	stage_tail(f.store, JINGGUAN__V1__ACTION__PUT, 2, &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_CHAIN);
	stage_tail(f.store, JINGGUAN__V1__ACTION__DEL, 1, &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_CHAIN);
	assert_int_equal(staging_begin(f.store, 2132999001, NULL), ERR_OK);
	end.whole = true;
	memset(end.lanes, 0, sizeof end.lanes);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_CHAIN);
	end.epoch = 2; /* another database: restored from a backup, say */
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_witnessed_stays)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
