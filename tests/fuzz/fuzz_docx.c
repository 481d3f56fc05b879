/* Covers client/core/files/docx_read.c, client/core/typeset/format_parts.c, format_check.c: the input as
 * the document, the styles and the footer of an archive made around it (its parts are separated by a line
 * "---"); the archive itself is fuzz_xlsx.c's. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "docx_read.h"
#include "format_check.h"
#include "text.h"
#define XLSX_STORED
#include "xlsx_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define INPUT_MAX 65536 /* larger ones find nothing that smaller ones do not */

static void check(const void *zip, size_t n)
{
	struct arena arena;
	struct docx docx;
	struct format_report report;
	struct problem p;

	arena_init(&arena, 64u << 20);
	if (!docx_read_memory(zip, n, "f.docx", &docx, &arena, &p) &&
		!format_check_docx(&docx, &report, &arena, &p))
		for (size_t i = 0; i < report.n; i++) {
			const struct format_fault *f = &report.faults[i];
			if (f->paragraph > docx.paragraph_count || !*f->mend || strlen(f->fault) != 3 ||
				!text_utf8_valid(f->text, strlen(f->text)))
				abort();
		}
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char separator[] = "\n---\n";
	static const char *const paths[] = {"word/document.xml", "word/styles.xml", "word/footer1.xml"};
	struct xlsx_part parts[5] = {
		{"_rels/.rels",
			"<Relationships xmlns='" XLSX_PACKAGE_REL "'><Relationship Id='r1' Type='" XLSX_REL
			"/officeDocument' Target='word/document.xml'/></Relationships>",
			0},
		{"word/_rels/document.xml.rels",
			"<Relationships xmlns='" XLSX_PACKAGE_REL "'><Relationship Id='r1' Type='" XLSX_REL
			"/styles' Target='styles.xml'/><Relationship Id='r7' Type='" XLSX_REL
			"/footer' Target='footer1.xml'/></Relationships>",
			0},
	};
	const char *at = (const char *)bytes, *end = at + n;
	size_t used = 2, zip_n;

	if (n > INPUT_MAX)
		return 0;
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
	check(zip, zip_n);
	free(zip);
	return 0;
}
