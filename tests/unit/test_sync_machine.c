/* Covers client/core/link/sync_machine.c and trust.c's connect codes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "hash.h"
#include "sync_machine.h"
#include "trust.h"

static struct sync_action step(struct sync_machine *m, enum sync_happened what, size_t n, bool more)
{
	return sync_machine_step(m, &(struct sync_event){.what = what, .n = n, .more = more, .agreed = true});
}

static void begin(struct sync_machine *m)
{
	sync_machine_init(m, 1, false, SYNC_BUDGET_MS);
	assert_int_equal(step(m, SYNC_STARTED, 0, false).what, SYNC_CONNECT);
	assert_int_equal(step(m, SYNC_CONNECTED, 2, false).what, SYNC_PUSH);
}

static void the_plain_way(void **state)
{
	struct sync_machine m;

	(void)state;
	begin(&m);
	assert_int_equal(step(&m, SYNC_PUSHED, 300, true).what, SYNC_PUSH); /* a first part is normal */
	assert_int_equal(step(&m, SYNC_PUSHED, 200, false).what, SYNC_FILE);
	assert_int_equal(step(&m, SYNC_FILED, 0, true).what, SYNC_FILE);
	for (size_t stream = 0; stream < 2; stream++) {
		struct sync_action a =
			stream ? step(&m, SYNC_COMMITTED, 0, false) : step(&m, SYNC_FILED, 0, false);
		assert_int_equal(a.what, SYNC_PULL);
		assert_int_equal(a.stream, stream);
		assert_int_equal(step(&m, SYNC_PULLED, 0, false).what, SYNC_COMMIT);
	}
	assert_int_equal(step(&m, SYNC_COMMITTED, 0, false).what, SYNC_RESOLVE);
	struct sync_action end = step(&m, SYNC_RESOLVED, 0, false);
	assert_int_equal(end.what, SYNC_FINISH);
	assert_int_equal(end.why, ERR_OK);
}

static void resolved_duplicates_go_round_again_but_not_for_ever(void **state)
{
	struct sync_machine m;
	int rounds = 0;

	(void)state;
	begin(&m);
	struct sync_action a = {.what = SYNC_PUSH};
	while (a.what == SYNC_PUSH && ++rounds < 10) {
		step(&m, SYNC_PUSHED, 0, false);
		step(&m, SYNC_FILED, 0, false);
		step(&m, SYNC_PULLED, 0, false);
		step(&m, SYNC_COMMITTED, 0, false);
		step(&m, SYNC_PULLED, 0, false);
		step(&m, SYNC_COMMITTED, 0, false);
		a = step(&m, SYNC_RESOLVED, 1, false);
	}
	assert_int_equal(rounds, SYNC_ROUNDS_MAX);
}

static void a_digest_that_differs_pulls_once_more(void **state)
{
	struct sync_machine m;
	struct sync_event differs = {.what = SYNC_COMMITTED, .agreed = false};

	(void)state;
	begin(&m);
	step(&m, SYNC_PUSHED, 0, false);
	step(&m, SYNC_FILED, 0, false);
	step(&m, SYNC_PULLED, 0, false);
	assert_int_equal(sync_machine_step(&m, &differs).what, SYNC_RESET);
	assert_int_equal(step(&m, SYNC_DID, 0, false).what, SYNC_PULL);
	step(&m, SYNC_PULLED, 0, false);
	struct sync_action a = sync_machine_step(&m, &differs);
	assert_int_equal(a.what, SYNC_PULL); /* the next stream */
	assert_int_equal(a.stream, 1);
	assert_true(m.digest_differed);
}

static void a_bad_link_is_tried_for_half_a_minute(void **state)
{
	struct sync_event event = {.what = SYNC_FAILED, .error = ERR_UNREACHABLE};
	struct sync_machine m;
	struct sync_action a;
	unsigned tries = 0;

	(void)state;
	sync_machine_init(&m, 7, false, SYNC_BUDGET_MS);
	step(&m, SYNC_STARTED, 0, false);
	while ((a = sync_machine_step(&m, &event)).what == SYNC_WAIT) {
		assert_true(a.ms >= 1000);
		event.now_ms += a.ms;
		assert_true(event.now_ms <= SYNC_BUDGET_MS);
		assert_int_equal(step(&m, SYNC_DID, 0, false).what, SYNC_CONNECT);
		tries++;
	}
	assert_int_equal(a.why, ERR_UNREACHABLE);
	assert_in_range(tries, 3, 5);
	event = (struct sync_event){.what = SYNC_FAILED, .error = ERR_BUSY, .retry_ms = 5000};
	sync_machine_init(&m, 7, false, SYNC_BUDGET_MS);
	step(&m, SYNC_STARTED, 0, false);
	assert_true(sync_machine_step(&m, &event).ms >= 5000); /* the server's word counts */
	assert_int_equal(step(&m, SYNC_DID, 0, false).what, SYNC_CONNECT);
	event = (struct sync_event){.what = SYNC_FAILED, .error = ERR_REVOKED};
	assert_int_equal(sync_machine_step(&m, &event).what, SYNC_FINISH);
}

static void a_fork_reconnects_a_few_times(void **state)
{
	struct sync_event forked = {.what = SYNC_PUSHED, .control = ERR_FORKED};
	struct sync_machine m;

	(void)state;
	begin(&m);
	for (int i = 0; i < SYNC_FORKS_MAX; i++) {
		assert_int_equal(sync_machine_step(&m, &forked).what, SYNC_CONNECT);
		step(&m, SYNC_CONNECTED, 2, false);
	}
	struct sync_action a = sync_machine_step(&m, &forked);
	assert_int_equal(a.what, SYNC_FINISH);
	assert_int_equal(a.why, ERR_FORKED);
}

static void each_failover_may_ask_again(void **state)
{
	const struct sync_event asked = {.what = SYNC_PUSHED, .control = ERR_EXPECT},
				moved = {.what = SYNC_CONNECTED, .n = 2, .moved = true};
	struct sync_machine m;

	(void)state;
	begin(&m);
	for (int i = 0; i < 3 * SYNC_FORKS_MAX; i++) {
		assert_int_equal(sync_machine_step(&m, &asked).what, SYNC_CONNECT);
		assert_int_equal(sync_machine_step(&m, &moved).what, SYNC_PUSH);
	}
}

static void a_copy_of_another_database_waits_for_its_welcome(void **state)
{
	const struct sync_event pulled = {.what = SYNC_PULLED, .moved = true},
				restart = {.what = SYNC_PULLED, .control = ERR_EPOCH, .moved = true};
	struct sync_machine m;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&m);
		step(&m, SYNC_PUSHED, 0, false);
		step(&m, SYNC_FILED, 0, false);
		assert_int_equal(sync_machine_step(&m, i ? &restart : &pulled).what, SYNC_CONNECT);
		for (int n = 1; n < SYNC_FORKS_MAX;
			n++) { /* a server that says two things at once is not asked for ever */
			step(&m, SYNC_CONNECTED, 2, false);
			step(&m, SYNC_PUSHED, 0, false);
			step(&m, SYNC_FILED, 0, false);
			assert_int_equal(sync_machine_step(&m, &pulled).what, SYNC_CONNECT);
		}
		step(&m, SYNC_CONNECTED, 2, false);
		step(&m, SYNC_PUSHED, 0, false);
		step(&m, SYNC_FILED, 0, false);
		assert_int_equal(sync_machine_step(&m, &pulled).why, ERR_EPOCH);
	}
}

static void an_empty_answer_ends_it(void **state)
{
	struct sync_machine m;

	(void)state;
	begin(&m);
	assert_int_equal(step(&m, SYNC_PUSHED, 0, true).why, ERR_PROTOCOL);
}

static void another_actions_answer_is_our_bug(void **state)
{
	int status;
	pid_t child;

	(void)state;
	fflush(stdout);
	fflush(stderr);
	if ((child = fork()) == 0) {
		struct sync_machine m;
		begin(&m);
		signal(SIGABRT, SIG_DFL);
		step(&m, SYNC_PULLED, 0, false);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void connect_codes_are_checked(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t bytes[20], hash[HASH_SIZE];
	char text[80], *to = text;
	struct connect_code code;

	(void)state;
	for (size_t i = 0; i < 18; i++)
		bytes[i] = (uint8_t)(i * 11);
	hash_parts(hash, "jg connect code", &(struct part){bytes, 18}, 1);
	memcpy(bytes + 18, hash, 2);
	for (int i = 0; i < 32; i++) {
		int bit = i * 5, pair = bytes[bit / 8] << 8 | (bit / 8 + 1 < 20 ? bytes[bit / 8 + 1] : 0);
		if (i && i % 4 == 0)
			*to++ = '-';
		*to++ = alphabet[pair >> (11 - bit % 8) & 31];
		if (i % 2 && to[-1] >= 'A')
			to[-1] = (char)(to[-1] + 32); /* case does not matter */
	}
	snprintf(to, 40, " @10.0.0.1:7420");
	assert_int_equal(connect_code_parse(&code, text, NULL), ERR_OK);
	assert_memory_equal(code.ca_prefix, bytes, 10);
	assert_memory_equal(code.secret, bytes + 10, 8);
	assert_string_equal(code.server, "10.0.0.1:7420");
	text[0] = text[0] == 'A' ? 'B' : 'A';
	assert_int_equal(connect_code_parse(&code, text, NULL), ERR_BAD_CODE);
	assert_int_equal(connect_code_parse(&code, "ABC", NULL), ERR_BAD_CODE);
	assert_int_equal(connect_code_parse(&code, "", NULL), ERR_BAD_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_way),
		cmocka_unit_test(resolved_duplicates_go_round_again_but_not_for_ever),
		cmocka_unit_test(a_digest_that_differs_pulls_once_more),
		cmocka_unit_test(a_bad_link_is_tried_for_half_a_minute),
		cmocka_unit_test(a_fork_reconnects_a_few_times),
		cmocka_unit_test(each_failover_may_ask_again),
		cmocka_unit_test(a_copy_of_another_database_waits_for_its_welcome),
		cmocka_unit_test(an_empty_answer_ends_it),
		cmocka_unit_test(another_actions_answer_is_our_bug),
		cmocka_unit_test(connect_codes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
