/* Covers client/core/files/sheet.c, xlsx_part.c, xlsx_read.c, csv_read.c when memory runs out: the Nth
 * allocation of ours fails, for every N. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nomem.h"
#include "sheet.h"
#include "xlsx_make.h"

/* Every failure must be said as such and leave nothing (the sanitizer looks for leaks). */
static void until_it_reads(const void *bytes, size_t n, long at_least)
{
	for (long i = 1;; i++) {
		struct sheet *s;
		struct problem p = {0};
		nomem_in = i;
		enum err err = sheet_read_memory(bytes, n, "t", NULL, &s, &p);
		long left = nomem_in;
		nomem_in = 0;
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

static void xlsx_without_memory(void **state)
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

static void csv_without_memory(void **state)
{
	(void)state;
	until_it_reads("a,b\n1,2\n", 8, 3);
	until_it_reads("\xD0\xD5,b\n1,2\n", 9, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xlsx_without_memory), cmocka_unit_test(csv_without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
