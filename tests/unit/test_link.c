/* Covers client/core/link/link.c and lookup.c: a name server that never answers holds no command up, and
 * the face is served while it is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "link.h"
#include "lookup.h"
#include "tls_identity.h"

/* The program's own getaddrinfo comes before the C library's: names are answered never, or when the test
 * says so. */
static volatile bool answer;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
	(void)port;
	if (hints->ai_flags & AI_NUMERICHOST && strcmp(host, "127.0.0.1") != 0)
		return EAI_NONAME;
	while (!(hints->ai_flags & AI_NUMERICHOST) && !answer)
		usleep(1000);
	*list = calloc(1, sizeof **list);
	return *list ? 0 : EAI_MEMORY;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

static int let_answer(void **state)
{
	(void)state;
	answer = true;
	usleep(50000); /* what was given up is freed by its thread */
	answer = false;
	return 0;
}

static void numbers_ask_nobody(void **state)
{
	(void)state;
	struct lookup *l = lookup_begin("127.0.0.1", "7420");
	assert_non_null(l);
	assert_true(lookup_wait(l, 0));
	struct addrinfo *list = lookup_end(l);
	assert_non_null(list);
	freeaddrinfo(list);
}

static void a_name_is_waited_for_as_long_as_one_likes(void **state)
{
	(void)state;
	struct lookup *l = lookup_begin("county.example", "7420");
	assert_non_null(l);
	int64_t began = clock_monotonic_us();
	assert_false(lookup_wait(l, 1200));
	assert_in_range(clock_monotonic_us() - began, 1150000, 2500000);
	answer = true;
	assert_true(lookup_wait(l, 5000));
	struct addrinfo *list = lookup_end(l);
	assert_non_null(list);
	freeaddrinfo(list);
}

static void a_dead_name_server_holds_nobody_up(void **state)
{
	struct trust_result trust = {0};
	struct problem p = {0};
	struct link *link;
	int64_t began = clock_monotonic_us();

	(void)state;
	assert_int_equal(
		link_connect(&link, tls_context(false), &trust, "county.example:7420", &p), ERR_UNREACHABLE);
	assert_in_range(clock_monotonic_us() - began, (LINK_CONNECT_MS - 500) * 1000,
		(LINK_CONNECT_MS + 2000) * 1000);
	assert_non_null(strstr(p.message, "county.example"));
	assert_true(p.hint[0] && p.safe[0]);
}

static bool look_twice(void *data)
{
	return ++*(int *)data < 3;
}

static void the_face_is_served_meanwhile_and_may_stop_it(void **state)
{
	struct identity ca = issue(NULL, "ca"), device = issue(&ca, "device");
	struct profile profile = {.server = "county.example:7420",
		.county = "329999",
		.key = device.key,
		.cert = device.cert,
		.ca = ca.cert};
	struct problem p = {0};
	struct link *link;
	int looks = 0;

	(void)state;
	profile.device[0] = '1';
	profile.meanwhile = look_twice;
	profile.meanwhile_data = &looks;
	int64_t began = clock_monotonic_us();
	assert_int_equal(link_open(&link, &profile, NULL, &p), ERR_UNREACHABLE);
	assert_int_equal(looks, 3);
	assert_in_range(clock_monotonic_us() - began, 200000, 2000000);
	identity_free(&ca);
	identity_free(&device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_ask_nobody),
		cmocka_unit_test_teardown(a_name_is_waited_for_as_long_as_one_likes, let_answer),
		cmocka_unit_test_teardown(the_face_is_served_meanwhile_and_may_stop_it, let_answer),
		cmocka_unit_test_teardown(a_dead_name_server_holds_nobody_up, let_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
