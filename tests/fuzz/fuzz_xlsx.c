/* Covers client/core/files/xlsx_part.c, xlsx_read.c, sheet.c: the input as a workbook, and, since a fuzzer
 * hardly gets past the checksums of a zip archive, the input once more as the worksheet, the styles and
 * the shared strings of an archive made around it (its parts are separated by a line "---"). */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sheet.h"
#define XLSX_STORED
#include "xlsx_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define INPUT_MAX 65536 /* larger ones find nothing that smaller ones do not */

static void read_once(const void *bytes, size_t n, const char *sheet_name)
{
	struct sheet *s;
	struct problem p;

	if (sheet_read_memory(bytes, n, "f.xlsx", sheet_name, &s, &p))
		return;
	for (size_t i = 0; i < s->n_pages; i++)
		for (size_t r = s->pages[i].first + 1; r < s->pages[i].first + s->pages[i].n; r++)
			if (s->rows[r].number <= s->rows[r - 1].number)
				abort();
	for (size_t r = 0; r < s->n_rows; r++) {
		for (size_t k = 1; k < s->rows[r].n; k++)
			if (s->cells[s->rows[r].first + k].column <=
				s->cells[s->rows[r].first + k - 1].column)
				abort();
		for (size_t c = 0; c < s->n_columns; c++)
			if (strlen(sheet_text(s, r, c)) > SHEET_CELL_MAX)
				abort();
	}
	sheet_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char separator[] = "\n---\n";
	static const char *const paths[] = {
		"xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"};
	struct xlsx_part parts[6] = {{"_rels/.rels", xlsx_rels_root(), 0},
		{"xl/workbook.xml", xlsx_book(), 0}, {"xl/_rels/workbook.xml.rels", xlsx_rels_book(), 0}};
	const char *at = (const char *)bytes, *end = at + n;
	size_t used = 3, zip_n;

	if (n > INPUT_MAX)
		return 0;
	read_once(bytes, n, NULL);
	for (size_t i = 0; i < 3 && at < end; i++) {
		const char *stop = memmem(at, (size_t)(end - at), separator, sizeof separator - 1);
		size_t length = (size_t)((stop ? stop : end) - at);
		if (length)
			parts[used++] = (struct xlsx_part){paths[i], at, length};
		at = stop ? stop + sizeof separator - 1 : end;
	}
	char *zip = xlsx_zip(parts, used, &zip_n);
	if (!zip)
		return 0;
	read_once(zip, zip_n, NULL);
	read_once(zip, zip_n, "名册");
	free(zip);
	return 0;
}
