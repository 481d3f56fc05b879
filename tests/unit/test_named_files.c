/* Covers the files that a person names (client/core/files/file_name.c, whole_file.c, blobs.c, sheet.c):
 * what is no file is refused at once, for a pipe that nobody feeds would hold the profile for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "blobs.h"
#include "core_fixture.h"
#include "file_type.h"
#include "sheet.h"
#include "whole_file.h"

#define LONG_ENOUGH_S 60 /* who waits for the pipe ends the test, not the run of all tests */

static void refused(struct store *s, const char *path)
{
	struct problem p = {0};
	uint8_t sha[HASH_SIZE];
	struct sheet *sheet;
	const char *is;
	size_t size;

	assert_int_equal(blob_add(s, path, false, sha, &size, &p), ERR_FILE_IO);
	assert_non_null(strstr(p.message, "它不是文件"));
	assert_int_equal(sheet_read_file(path, NULL, &sheet, &p), ERR_FILE_IO);
	assert_non_null(strstr(p.message, "它不是文件"));
	assert_false(file_type_differs(path, &is));
	assert_int_equal(whole_file_check(path, &p), ERR_FILE_IO);
}

static void only_files_are_files(void **state)
{
	char path[160], part[168];
	struct whole_file file;
	struct problem p = {0};
	struct fixture f;

	(void)state;
	alarm(LONG_ENOUGH_S);
	fixture_open(&f, "registrar");
	refused(f.store, "/dev/zero");
	refused(f.store, f.dir);
	snprintf(path, sizeof path, "%s/a.csv", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(f.store, path);
	unlink(path);
	snprintf(part, sizeof part, "%s.part", path);
	assert_int_equal(mkfifo(part, 0600), 0);
	assert_int_equal(whole_file_check(path, &p), ERR_FILE_IO);
	assert_int_equal(whole_file_open(&file, path, 0600, &p), ERR_FILE_IO);
	unlink(part);
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(only_files_are_files)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
