/* Covers server/net/guesses.c: whoever guesses connect codes, from however many addresses, holds up nobody
 * who has a right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guesses.h"

static struct guesses g;
static const uint8_t right[3] = {1, 2, 3};

static enum guess try_code(uint32_t address, unsigned code, uint64_t now_ms)
{
	const uint8_t tag[3] = {9, (uint8_t)(code >> 8), (uint8_t)code};
	unsigned wait_ms = 0;
	enum guess answer = guesses_take(&g, address, tag, now_ms, &wait_ms);

	assert_true((answer == GUESS_LATER) == (wait_ms > 0));
	return answer;
}

static void a_code_dies_for_who_guesses_it_alone(void **state)
{
	unsigned wait_ms;

	(void)state;
	guesses_init(&g);
	for (int i = 0; i < GUESSES_CODE; i++)
		assert_int_equal(try_code(1, 7, 1000), GUESS_MAY);
	assert_int_equal(try_code(1, 7, 1000), GUESS_DEAD);
	assert_int_equal(try_code(1, 8, 1000), GUESS_MAY);
	assert_int_equal(try_code(2, 7, 1000), GUESS_MAY);
	assert_int_equal(guesses_take(&g, 1, right, 1000, &wait_ms), GUESS_MAY);
	guesses_right(&g, 1, right);
	assert_int_equal(guesses_take(&g, 1, right, 1000, &wait_ms), GUESS_MAY);
}

static void an_address_has_its_share(void **state)
{
	unsigned code = 0;

	(void)state;
	guesses_init(&g);
	while (code < GUESSES_ADDRESS)
		assert_int_equal(try_code(1, code++, 1000), GUESS_MAY);
	assert_int_equal(try_code(1, code, 1000), GUESS_LATER);
	assert_int_equal(try_code(1, code, 1000 + GUESSES_ADDRESS_EVERY_MS), GUESS_MAY);
}

/* A thousand addresses guess for an hour, each as slowly as it likes; a school that connects never waits. */
static void guessing_from_everywhere_holds_up_nobody_else(void **state)
{
	unsigned looked_at = 0, wait_ms, schools = 0;

	(void)state;
	guesses_init(&g);
	for (uint32_t i = 0; i < 1000; i += 3) /* they come one after another; then all of them are known */
		for (uint32_t k = 0; k < 3; k++)
			try_code(1000 + i + k, i, 1000 + (uint64_t)i * GUESSES_ALL_EVERY_MS);
	uint64_t start = 1000 + UINT64_C(1000) * GUESSES_ALL_EVERY_MS;
	for (unsigned s = 0; s < 1200; s++) {
		uint64_t now = start + UINT64_C(1000) * s;
		for (uint32_t i = 0; i < 50; i++)
			looked_at += try_code(1000 + (s * 50 + i) % 1000, s, now) == GUESS_MAY;
		if (s % 10 == 0) {
			uint32_t school = 100000 + schools++;
			assert_int_equal(guesses_take(&g, school, right, now, &wait_ms), GUESS_MAY);
			guesses_right(&g, school, right);
		}
	}
	assert_in_range(looked_at, 1000, GUESSES_ALL + 1201 * (1000 / GUESSES_ALL_EVERY_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_dies_for_who_guesses_it_alone),
		cmocka_unit_test(an_address_has_its_share),
		cmocka_unit_test(guessing_from_everywhere_holds_up_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
