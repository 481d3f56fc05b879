/* Covers client/core/sheet.c, xlsx_part.c, xlsx_read.c, csv_read.c when memory runs out: the Nth allocation
 * of ours fails, for every N. The linker puts the three functions below in the place of malloc and its kin
 * (--wrap); those inside shared libraries go on as ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sheet.h"
#include "xlsx_make.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);

static long fail_in; /* 0: never */

static int fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t k, size_t n)
{
	return fails() ? NULL : __real_calloc(k, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

/* Every failure must be said as such and leave nothing (the sanitizer looks for leaks). */
static void until_it_reads(const void *bytes, size_t n, long at_least)
{
	for (long i = 1;; i++) {
		struct sheet *s;
		struct problem p = {0};
		fail_in = i;
		enum err err = sheet_read_memory(bytes, n, "t", NULL, &s, &p);
		long left = fail_in;
		fail_in = 0;
		if (left > 0) { /* was not reached: all went well */
			assert_int_equal(err, ERR_OK);
			sheet_free(s);
			assert_true(i > at_least);
			return;
		}
		assert_int_equal(err, ERR_NOMEM);
		assert_int_equal(p.code, ERR_NOMEM);
		assert_null(s);
	}
}

static void xlsx(void **state)
{
	size_t n;
	char *bytes = xlsx_of(
		"<sheetData><row><c t='s' s='1'><v>0</v></c><c s='1'><v>41713</v></c></row><row><c t='b'>"
		"<v>1</v></c></row></sheetData><mergeCells><mergeCell ref='A2:B2'/></mergeCells>",
		"<sst xmlns='" XLSX_NS "'><si><t>名</t></si></sst>",
		"<styleSheet xmlns='" XLSX_NS
		"'><numFmts><numFmt numFmtId='176' formatCode='yyyy'/></numFmts><cellXfs>"
		"<xf numFmtId='0'/><xf numFmtId='176'/></cellXfs></styleSheet>",
		&n);

	(void)state;
	until_it_reads(bytes, n, 10);
	free(bytes);
}

static void csv(void **state)
{
	(void)state;
	until_it_reads("a,b\n1,2\n", 8, 3);
	until_it_reads("\xD0\xD5,b\n1,2\n", 9, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(xlsx), cmocka_unit_test(csv)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
