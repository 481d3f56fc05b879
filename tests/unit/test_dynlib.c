/* What only some commands need is loaded by these alone, and its absence is an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "keyring.h"
#include "dynlib.h"
#include "pdf_page.h"
#include "pinyin.h"

static bool loaded(const char *part)
{
	char line[512];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (!found && fgets(line, sizeof line, maps))
		found = strstr(line, part) != NULL;
	fclose(maps);
	return found;
}

static void each_waits_for_its_use(void **state)
{
	char path[] = "/tmp/jg-library-XXXXXX.pdf", out[PINYIN_SIZE];
	struct problem p;
	struct pdf_page *paper;

	(void)state;
	assert_true(loaded("libc.so"));
	assert_false(loaded("libicu") || loaded("libpango") || loaded("libcairo") || loaded("libglib") ||
		loaded("libsecret"));
	setenv("DBUS_SESSION_BUS_ADDRESS", "", 1); /* no keyring is asked for where there is no bus */
	assert_int_equal(keyring_ready(), KEYRING_GONE);
	assert_false(loaded("libglib"));
	pinyin("张三", out, sizeof out);
	assert_string_equal(out, "zhang san");
	assert_false(loaded("libglib"));
	close(mkstemps(path, 4));
	assert_int_equal(pdf_open(&paper, path, &p), ERR_OK);
	assert_int_equal(pdf_close(paper, &p), ERR_OK);
	unlink(path);
	assert_true(loaded("libicu") && loaded("libpango"));
	assert_false(loaded("libsecret"));
}

static void initials_of_every_reading(void **state)
{
	static const struct {
		const char *name, *whole, *initials;
	} names[] = {{"张三", "zhang san", "zs"}, {"欧阳·娜娜", "ou yang·na na", "oynn"},
		{"Li Lei", "li lei", "ll"}, {"", "", ""}};
	char out[PINYIN_SIZE], small[6], name[400] = "";

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		pinyin(names[i].name, out, sizeof out);
		assert_string_equal(out, names[i].whole);
		pinyin_initials(names[i].name, out, sizeof out);
		assert_string_equal(out, names[i].initials);
	}
	pinyin("张三", small, sizeof small);
	assert_string_equal(small, ""); /* never half an answer */
	for (int i = 0; i < 130; i++)
		strcat(name, "一");
	pinyin(name, out, sizeof out);
	assert_string_equal(out, "");
	pinyin("\xff\xfe", out, sizeof out);
	assert_string_equal(out, "");
}

#define KNOWN(X) X(strlen) X(puts)
LIBRARY(known, "libc.so.6", KNOWN);
LIBRARY(nowhere, "libjg-nowhere.so.1", KNOWN);

static void absence_sets_nothing(void **state)
{
	static const char *const names[] = {"strlen", "no_such_call"};
	void *calls[2] = {NULL, NULL};

	(void)state;
	assert_true(DYNLIB_LOAD(known));
	assert_int_equal(known.strlen("four"), 4);
	assert_true(DYNLIB_LOAD(known));
	assert_false(DYNLIB_LOAD(nowhere));
	assert_null(nowhere.strlen);
	assert_false(dynlib_load("libc.so.6", names, 2, calls));
	assert_null(calls[0]);
	assert_null(calls[1]);
}

static void a_page_is_drawn(void **state)
{
	char dir[] = "/tmp/jg-paper-XXXXXX", path[64], head[5];
	struct pdf_page *paper;
	struct problem p;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.pdf", dir);
	assert_int_equal(pdf_open(&paper, path, &p), ERR_OK);
	double one = pdf_text(paper, 0, 0, (struct pdf_style){.size = 14}, "交办单"),
	       two = pdf_text(paper, 0, 0, (struct pdf_style){.size = 28}, "交办单"),
	       broken = pdf_text(paper, 0, 0, (struct pdf_style){.size = 14, .width = 20}, "交办单");
	assert_true(one >= 14 && two > 1.5 * one && broken > 2 * one);
	pdf_end_sheet(paper);
	assert_int_not_equal(access(path, F_OK), 0); /* not before it is whole */
	assert_int_equal(pdf_close(paper, &p), ERR_OK);
	FILE *f = fopen(path, "rb");
	assert_int_equal(fread(head, 1, 5, f), 5);
	assert_memory_equal(head, "%PDF-", 5);
	fclose(f);

	/* No room for the next one: what stood there stands. */
	struct stat before, after;
	struct rlimit room, was;
	assert_int_equal(stat(path, &before), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	room = (struct rlimit){100, was.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(pdf_open(&paper, path, &p), ERR_OK);
	pdf_text(paper, 0, 0, (struct pdf_style){.size = 14}, "交办单");
	pdf_end_sheet(paper);
	setrlimit(RLIMIT_FSIZE, &room);
	enum err e = pdf_close(paper, &p);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_not_equal(e, ERR_OK);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_ino == before.st_ino && after.st_size == before.st_size);
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* and nothing else was left there */

	assert_int_equal(pdf_open(&paper, path, &p), ERR_FILE_IO); /* told before anything is drawn */
	assert_non_null(strstr(p.message, path));
	assert_int_equal(pdf_open(&paper, "/dev/full", &p), ERR_USAGE); /* nor is what is no PDF made one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_waits_for_its_use), /* first: what is loaded stays */
		cmocka_unit_test(initials_of_every_reading),
		cmocka_unit_test(absence_sets_nothing),
		cmocka_unit_test(a_page_is_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
