/* Covers server/conf.c: settings there and back, what is refused, and that server/README.md names every
 * setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf.h"
#include "place.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/jg-conf-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof path, "%s/jgd.ini", dir);
	unlink(path);
	return rmdir(dir);
}

static void write_ini(const char *text)
{
	char path[96];

	snprintf(path, sizeof path, "%s/jgd.ini", dir);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* Saved and read again: the same settings, and a file that only its owner reads. */
static void there_and_back(void **state)
{
	struct conf a, b;
	struct problem p;
	struct stat st;
	char path[96];

	(void)state;
	conf_defaults(&a);
	snprintf(a.dir, sizeof a.dir, "%s", dir);
	a.county = 329999;
	a.rehearsal = a.embedded = true;
	a.grouping = false;
	a.workers = 7;
	snprintf(a.name, sizeof a.name, "演练县教育局");
	snprintf(a.database_app, sizeof a.database_app, "postgresql://app:p%%40ss@h/db?sslmode=verify-full");
	snprintf(a.listen, sizeof a.listen, "[::1]:7420");
	assert_int_equal(conf_save(&a, &p), ERR_OK);
	snprintf(path, sizeof path, "%s/jgd.ini", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(conf_load(&b, dir, &p), ERR_OK);
	assert_int_equal(b.county, 329999);
	assert_true(b.rehearsal && b.embedded && !b.grouping);
	assert_int_equal(b.workers, 7);
	assert_string_equal(b.name, a.name);
	assert_string_equal(b.database_app, a.database_app);
	conf_address_text(&b.listen_addr, path, sizeof path);
	assert_string_equal(path, "[::1]:7420");
}

static void defaults_hold(void **state)
{
	struct conf c;
	struct problem p;

	(void)state;
	write_ini("county = 329999\n");
	assert_int_equal(conf_load(&c, dir, &p), ERR_OK);
	assert_int_equal(c.workers, 2);
	assert_true(c.grouping && !c.rehearsal);
	assert_string_equal(c.metrics, "127.0.0.1:7421");
}

static void a_wrong_line_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = {"nonsense = 1\n", "workers = two\n", "workers =\n",
		"grouping = true\n", "listen = 7420\n", "listen = somewhere:1\n", "listen = 1.2.3.4:70000\n",
		"metrics = :1\n", "not a line\n", "workers = 99999999999999999999\n", "workers = 99999\n",
		"workers = 0\n", "pool = 33\n", "per_address = 0\n", "county = 32999\n", "county = 0\n",
		"workers = 64\npool = 32\n", "pool = 2\n"};
	struct conf c;
	struct problem p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[200];
		snprintf(text, sizeof text, "%s%s",
			strncmp(bad[i], "county", 6) && strncmp(bad[i], "pool = 2", 8) ? "county = 329999\n"
										       : "",
			bad[i]);
		write_ini(text);
		if (conf_load(&c, dir, &p) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
		assert_true(p.message[0] != 0);
		if (!strstr(p.hint, "jgd.ini"))
			fail_msg("%s: the hint does not name the file: %s", bad[i], p.hint);
	}
	write_ini("county = 329999\n\nworkers = 99999\n");
	conf_load(&c, dir, &p);
	assert_non_null(strstr(p.message, "64")); /* the limit, and why there is one */
	assert_non_null(strstr(p.message, "核"));
	assert_non_null(strstr(p.hint, "3")); /* the line */
	assert_int_equal(conf_load(&c, "/nonexistent", &p), ERR_NOT_FOUND);
	assert_true(p.hint[0] != 0);
}

/* What cannot be read back is not saved: the next start would serve other settings than init was given. */
static void saved_as_it_is_or_not_at_all(void **state)
{
	static const char *const bad[] = {"局 ;二", "局\n二", " 局", "局 "};
	struct conf c, back;
	struct problem p;

	(void)state;
	conf_defaults(&c);
	c.county = 329999;
	snprintf(c.dir, sizeof c.dir, "%s", dir);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(c.name, sizeof c.name, "%s", bad[i]);
		if (conf_save(&c, &p) == ERR_OK)
			fail_msg("saved: %s", bad[i]);
		assert_string_equal(p.field, "name");
	}
	/* Three hosts and their certificates make a long line. */
	memset(c.database_owner, 'h', sizeof c.database_owner - 1);
	snprintf(c.name, sizeof c.name, "测试县“教育”局's \\ $HOME, %%d");
	assert_int_equal(conf_save(&c, &p), ERR_OK);
	assert_int_equal(conf_load(&back, dir, &p), ERR_OK);
	assert_string_equal(back.name, c.name);
	assert_string_equal(back.database_owner, c.database_owner);
	write_ini("\xEF\xBB\xBF# Notepad's\r\n\r\ncounty = 329999 ; of tests\r\n workers=4\r\n");
	assert_int_equal(conf_load(&back, dir, &p), ERR_OK);
	assert_int_equal(back.county, 329999);
	assert_int_equal(back.workers, 4);
}

/* A reload says what took effect and what waits for a restart; of a text, which may be a password, the name
 * only. */
static void changes_are_named(void **state)
{
	struct conf a, b;
	char text[200];

	(void)state;
	conf_defaults(&a);
	b = a;
	assert_int_equal(conf_changes(&a, &b, true, text, sizeof text), 0);
	b.per_address = 512;
	b.workers = 4;
	snprintf(b.database_app, sizeof b.database_app, "password=secret");
	assert_int_equal(conf_changes(&a, &b, true, text, sizeof text), 1);
	assert_string_equal(text, "per_address=512");
	assert_int_equal(conf_changes(&a, &b, false, text, sizeof text), 2);
	assert_string_equal(text, "database_app workers=4");
}

static void addresses_need_a_number_and_a_port(void **state)
{
	static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:65535", "[::]:7420"};
	static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:1x",
		"127.0.0.1:-1", "[::1:1", "1.2.3:4"};
	struct sockaddr_storage at;
	struct problem p;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(conf_address("listen", good[i], &at, &p), ERR_OK);
		conf_address_text(&at, text, sizeof text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (conf_address("metrics", bad[i], &at, &p) == ERR_OK)
			fail_msg("accepted: %s", bad[i]);
		else
			assert_string_equal(p.field, "metrics");
}

/* The hint names the setting that is wrong, not its neighbour. */
static void a_wrong_address_is_called_by_its_name(void **state)
{
	static const char *const names[] = {"listen", "metrics"};
	struct conf c;
	struct problem p;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(text, sizeof text, "county = 329999\n%s = somewhere:1\n", names[i]);
		write_ini(text);
		assert_int_equal(conf_load(&c, dir, &p), ERR_USAGE);
		assert_string_equal(p.field, names[i]);
		assert_non_null(strstr(p.hint, names[i]));
	}
}

/* A path in a command stands there whole, or not at all: cut, it is another file's. */
static void a_path_in_a_command_is_never_cut(void **state)
{
	char quoted[700], path[600];

	(void)state;
	assert_string_equal(place_quoted(quoted, sizeof quoted, "/var/lib/jingguan"), "/var/lib/jingguan");
	assert_string_equal(place_quoted(quoted, sizeof quoted, "/a b/it's"), "'/a b/it'\\''s'");
	for (size_t n = 1; n < sizeof path; n++)
		for (size_t kind = 0; kind < 3; kind++) {
			memset(path, "a' "[kind], n);
			path[0] = '/';
			path[n] = 0;
			place_quoted(quoted, sizeof quoted, path);
			assert_true(strlen(quoted) <= PLACE_QUOTED_MAX);
			if (kind == 0 && n <= PLACE_QUOTED_MAX)
				assert_string_equal(quoted, path);
			if (kind == 2 && n > 1 && n < PLACE_QUOTED_MAX - 8)
				assert_int_equal(strlen(quoted), n + 2);
			if (n > PLACE_QUOTED_MAX)
				assert_string_equal(quoted, "'（路径太长，请写全）'");
		}
	place_quoted(quoted, 30, "/var/lib/a/directory/that/is/longer/than/that");
	assert_null(strstr(quoted, "/var"));
}

/* The reference of settings is the document; a new setting without a word there fails here. */
static void the_document_names_every_setting(void **state)
{
	char *told = NULL, *text;
	size_t told_n = 0, n;
	FILE *doc = fopen(JG_SOURCE_DIR "/server/README.md", "r"), *out = open_memstream(&told, &told_n);

	(void)state;
	conf_describe(out);
	fclose(out);
	text = calloc(1, 1 << 20);
	n = doc ? fread(text, 1, (1 << 20) - 1, doc) : 0;
	if (doc)
		fclose(doc);
	assert_non_null(strstr(told, "教育局名称")); /* Chinese unless asked for English */
	int settings = 0;
	for (char *line = strtok(told, "\n"); line; line = strtok(NULL, "\n"), settings++) {
		char name[64], quoted[70];
		assert_int_equal(sscanf(line, " %63s", name), 1);
		snprintf(quoted, sizeof quoted, "`%s`", name);
		if (n && !strstr(text, quoted))
			fail_msg("server/README.md does not name the setting %s", quoted);
	}
	free(text);
	free(told);
	assert_true(settings >= 13);
	if (!n)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(defaults_hold),
		cmocka_unit_test(a_wrong_line_is_refused_with_its_place),
		cmocka_unit_test(addresses_need_a_number_and_a_port),
		cmocka_unit_test(saved_as_it_is_or_not_at_all), cmocka_unit_test(changes_are_named),
		cmocka_unit_test(a_wrong_address_is_called_by_its_name),
		cmocka_unit_test(a_path_in_a_command_is_never_cut),
		cmocka_unit_test(the_document_names_every_setting)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
