/* Covers client/core/link/sync.c where it needs no server: it is done in pieces, and can be left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "sync.h"

static void a_sync_goes_by_steps_and_can_be_left(void **state)
{
	const struct sync_options options = {0};
	struct sync_report report;
	struct problem p = {0};
	struct sync *sync;
	struct fixture f;
	char last[32];
	unsigned wait_ms;

	(void)state;
	fixture_open(&f, "registrar");
	assert_int_equal(sync_begin(&sync, f.store, &options, &report, &p), ERR_OK);
	assert_int_equal(sync_end(sync, NULL), ERR_NOT_NOW);
	assert_int_equal(store_get_text(f.store, "last_error", last, sizeof last, NULL), ERR_OK);
	/* one that was left is no try: status goes on telling of the one before */
	assert_string_equal(last, "");

	assert_int_equal(sync_begin(&sync, f.store, &options, &report, &p), ERR_OK);
	assert_true(sync_step(sync, &wait_ms)); /* connecting, on a computer that is no device yet */
	assert_int_equal(wait_ms, 0);
	assert_false(sync_step(sync, &wait_ms));
	assert_int_equal(sync_end(sync, NULL), ERR_NOT_NOW);
	assert_true(p.message[0] != 0);
	assert_int_equal(store_get_text(f.store, "last_error", last, sizeof last, NULL), ERR_OK);
	assert_string_equal(last, "NOT_NOW");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_sync_goes_by_steps_and_can_be_left)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
