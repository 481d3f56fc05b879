/* Covers common/log.c and fault.c: what an operator's journal gets, and the step at which a test's program
 * dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "log.h"

/* What the lines that `say` writes look like on stderr. */
static void heard(void (*say)(void), char *out, size_t size)
{
	int ends[2], old = dup(2);

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], 2);
	say();
	dup2(old, 2);
	close(old);
	close(ends[1]);
	ssize_t n = read(ends[0], out, size - 1);
	out[n < 0 ? 0 : n] = 0;
	close(ends[0]);
}

static void say_two(void)
{
	log_error("a=%d\nforged=1", 7);
	log_debug("not asked for");
	log_info("b=%s", "张");
}

static void one_message_one_line(void **state)
{
	char text[4096];

	(void)state;
	heard(say_two, text, sizeof text);
	assert_memory_equal(text, "<3>2", 4); /* the level as journald reads it, and the year */
	assert_non_null(strstr(text, "+08:00 a=7 forged=1\n"));
	assert_non_null(strstr(text, "\n<6>"));
	assert_non_null(strstr(text, "+08:00 b=张\n"));
	assert_null(strstr(text, "not asked for"));
}

/* What comes from outside stays one value: it ends neither the value nor the line, and steers no terminal. */
static void values_from_outside(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {{"wangxiaoming2", "wangxiaoming2"}, {"张三", "张三"},
		{"a b=c result=OK", "\"a b=c result=OK\""}, {"", "\"\""}, {"a\"b", "\"a\\x22b\""},
		{"\x1b[2J", "\"\\x1b[2J\""}, {"a\nforged=1", "\"a\\x0aforged=1\""},
		{"a\u202eb", "\"a\\xe2\\x80\\xaeb\""}, {"a\u3000b", "\"a\u3000b\""},
		{"\xC2\x9B", "\"\\xc2\\x9b\""}, {"\xFF", "\"\\xff\""}, {"x=1", "\"x=1\""}};
	char out[LOG_VALUE], text[2 * LOG_VALUE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(log_value(out, rows[i].text), rows[i].want);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	log_value(out, text);
	assert_int_equal(out[0], '"');
	assert_int_equal(out[strlen(out) - 1], '"');
	memset(text, '\x01', sizeof text - 1);
	assert_true(strlen(log_value(out, text)) < LOG_VALUE);
}

static void say_debug(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("asked for");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("too much");
	log_set_level(LOG_LEVEL_INFO);
}

static void levels_have_their_journal_numbers(void **state)
{
	char text[4096];

	(void)state;
	heard(say_debug, text, sizeof text);
	assert_memory_equal(text, "<7>", 3);
	assert_null(strstr(text, "too much"));
}

static char long_text[3000];

static void say_long(void)
{
	log_info("%s", long_text);
}

/* Below PIPE_BUF whatever its length, and ended: lines of several threads never mix. */
static void every_length(void **state)
{
	char text[4096];

	(void)state;
	for (size_t n = 0; n<sizeof long_text - 1; n += n> 900 && n < 1100 ? 1 : 37) {
		memset(long_text, 'x', n);
		long_text[n] = 0;
		heard(say_long, text, sizeof text);
		size_t len = strlen(text);
		assert_true(len > 0 && len <= 1024 && text[len - 1] == '\n');
		assert_true(strchr(text, '\n') == text + len - 1);
		if (n < 900)
			assert_int_equal(strspn(strchr(text, 'x') ? strchr(text, 'x') : "", "x"), n);
	}
}

#ifdef JG_FAULTS
/* The signal by which a child that comes to two steps, one of them twice, dies; 0 when it gets through. */
static int died(const char *wanted)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		setenv("JG_FAULT", wanted, 1);
		fault_point(FAULT_JGD_PUSH_READ);
		fault_point(FAULT_JGD_PUSH_BEGUN);
		fault_point(FAULT_JGD_PUSH_BEGUN);
		_exit(0);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void dies_where_it_is_told(void **state)
{
	(void)state;
	assert_int_equal(died("jgd:push-begun"), SIGKILL);
	assert_int_equal(died("jgd:push-begun:2"), SIGKILL);
	assert_int_equal(died("jgd:push-begun:3"), 0);
	assert_int_equal(died("jgd:push"), 0); /* whole words only */
	assert_int_equal(died("jgd:push-begun2"), 0);
	assert_int_equal(died(""), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_message_one_line),
		cmocka_unit_test(values_from_outside),
		cmocka_unit_test(levels_have_their_journal_numbers),
		cmocka_unit_test(every_length),
#ifdef JG_FAULTS
		cmocka_unit_test(dies_where_it_is_told),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
