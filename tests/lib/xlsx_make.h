/* xlsx_make.h - workbooks made of raw parts, for tests that need what no program writes. Header only. */
#ifndef JG_XLSX_MAKE_H
#define JG_XLSX_MAKE_H

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define XLSX_NS "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define XLSX_REL "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define XLSX_PACKAGE_REL "http://schemas.openxmlformats.org/package/2006/relationships"

struct xlsx_part {
	const char *path, *text;
	size_t n; /* 0: strlen(text) */
};

static inline const char *xlsx_rels_root(void)
{
	return "<Relationships xmlns='" XLSX_PACKAGE_REL "'><Relationship Id='r1' Type='" XLSX_REL
	       "/officeDocument' Target='xl/workbook.xml'/></Relationships>";
}

static inline const char *xlsx_rels_book(void)
{
	return "<Relationships xmlns='" XLSX_PACKAGE_REL "'>"
	       "<Relationship Id='r1' Type='" XLSX_REL "/worksheet' Target='worksheets/sheet1.xml'/>"
	       "<Relationship Id='r2' Type='" XLSX_REL "/worksheet' Target='worksheets/sheet2.xml'/>"
	       "<Relationship Id='r8' Type='" XLSX_REL "/styles' Target='styles.xml'/>"
	       "<Relationship Id='r9' Type='" XLSX_REL "/sharedStrings' Target='sharedStrings.xml'/>"
	       "</Relationships>";
}

static inline const char *xlsx_book(void)
{
	return "<workbook xmlns='" XLSX_NS "' xmlns:r='" XLSX_REL "'><sheets>"
	       "<sheet name='名册' sheetId='1' r:id='r1'/></sheets></workbook>";
}

/* The zip archive of these parts, deflated unless XLSX_STORED is defined (to make and free zlib's state takes
 * longer than all else a fuzzer does with an input); the caller frees it. NULL when libzip fails. */
static inline char *xlsx_zip(const struct xlsx_part *parts, size_t n_parts, size_t *n)
{
	zip_error_t error;
	zip_stat_t st;
	char *bytes = NULL;
	zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_t *zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);

	*n = 0;
	zip_source_keep(out);
	for (size_t i = 0; i < n_parts; i++) {
		size_t length = parts[i].n ? parts[i].n : strlen(parts[i].text);
		zip_file_add(zip, parts[i].path, zip_source_buffer(zip, parts[i].text, length, 0), 0);
#ifdef XLSX_STORED
		zip_set_file_compression(zip, i, ZIP_CM_STORE, 0);
#endif
	}
	if (zip_close(zip) == 0 && zip_source_open(out) == 0 && zip_source_stat(out, &st) == 0) {
		bytes = malloc(st.size);
		*n = bytes ? (size_t)zip_source_read(out, bytes, st.size) : 0;
		zip_source_close(out);
	}
	zip_source_free(out);
	return bytes;
}

/* A usual workbook with this inside <worksheet>; strings and styles may be NULL. */
static inline char *xlsx_of(const char *sheet, const char *strings, const char *styles, size_t *n)
{
	struct xlsx_part parts[6] = {{"_rels/.rels", xlsx_rels_root(), 0},
		{"xl/workbook.xml", xlsx_book(), 0}, {"xl/_rels/workbook.xml.rels", xlsx_rels_book(), 0}};
	size_t used = 3, room = strlen(sheet) + 200;
	char *page = malloc(room);

	strcpy(page, "<worksheet xmlns='" XLSX_NS "'>");
	strcat(strcat(page, sheet), "</worksheet>");
	parts[used++] = (struct xlsx_part){"xl/worksheets/sheet1.xml", page, 0};
	if (strings)
		parts[used++] = (struct xlsx_part){"xl/sharedStrings.xml", strings, 0};
	if (styles)
		parts[used++] = (struct xlsx_part){"xl/styles.xml", styles, 0};
	char *bytes = xlsx_zip(parts, used, n);
	free(page);
	return bytes;
}

#endif
