/* Covers client/core/files/sheet.c, xlsx_part.c, xlsx_read.c, csv_read.c. Numbers are of area 329999, names
 * invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "sheet.h"
#include "sheet_write.h"
#include "xlsx_make.h"

static struct sheet *must_read(const void *bytes, size_t n, const char *sheet_name)
{
	struct sheet *s;
	struct problem p;
	enum err err = sheet_read_memory(bytes, n, "t", sheet_name, &s, &p);

	if (err)
		fail_msg("%d: %s (row %ld)", err, p.message, p.row);
	return s;
}

static struct problem refused(const void *bytes, size_t n, enum err want)
{
	struct sheet *s = (struct sheet *)"";
	struct problem p = {0};
	enum err err = sheet_read_memory(bytes, n, "t", NULL, &s, &p);

	if (err != want)
		fail_msg("%d instead of %d: %s", err, want, p.message);
	assert_null(s);
	assert_int_equal(p.code, want);
	assert_true(*p.message);
	assert_int_equal(sheet_read_memory(bytes, n, "t", NULL, &s, NULL), want);
	return p;
}

static struct problem refused_sheet(const char *sheet, const char *strings, enum err want)
{
	size_t n;
	char *bytes = xlsx_of(sheet, strings, NULL, &n);
	struct problem p = refused(bytes, n, want);

	free(bytes);
	return p;
}

static struct sheet *sheet_of(const char *sheet, const char *strings, const char *styles)
{
	size_t n;
	char *bytes = xlsx_of(sheet, strings, styles, &n);
	struct sheet *s = must_read(bytes, n, NULL);

	free(bytes);
	return s;
}

static struct sheet *csv_of(const char *text)
{
	return must_read(text, strlen(text), NULL);
}

static void cell_is(const struct sheet *s, size_t row, size_t column, const char *text, unsigned flags)
{
	assert_true(row < s->n_rows);
	assert_string_equal(sheet_text(s, row, column), text);
	assert_int_equal(sheet_flags(s, row, column), flags);
}

/* CSV */

static void csv_encodings(void **state)
{
	static const char gb[] =
		"\xD0\xD5\xC3\xFB,\xC4\xEA\xBC\xB6\n\x98\x38\xFB\x33,6\n"; /* 姓名,年级 / 𫗧,6 */
	struct sheet *s;

	(void)state;
	s = csv_of("\xEF\xBB\xBF姓名,年级\r\n𫗧,6\r\n");
	cell_is(s, 0, 0, "姓名", 0);
	cell_is(s, 1, 0, "𫗧", 0);
	sheet_free(s);
	s = csv_of("姓名,年级\n张三,6");
	cell_is(s, 1, 1, "6", 0);
	assert_int_equal(s->n_columns, 2);
	sheet_free(s);
	s = csv_of(gb);
	cell_is(s, 0, 0, "姓名", 0);
	cell_is(s, 1, 0, "𫗧", 0);
	cell_is(s, 1, 1, "6", 0);
	sheet_free(s);
}

static void csv_rows_as_shown(void **state)
{
	struct sheet *s = csv_of("a,b\n\n,,\r\n\"x\ny\",2\r\rz,\"say \"\"hi\"\"\"\n=\"0012\",\t3299\n");

	(void)state;
	assert_int_equal(s->n_rows, 4);
	assert_int_equal(s->rows[0].number, 1);
	assert_int_equal(s->rows[1].number, 4);
	cell_is(s, 1, 0, "x\ny", 0);
	assert_int_equal(s->rows[2].number, 6);
	cell_is(s, 2, 1, "say \"hi\"", 0);
	assert_int_equal(s->rows[3].number, 7);
	cell_is(s, 3, 0, "0012", 0);
	cell_is(s, 3, 1, "3299", 0);
	sheet_free(s);
}

static void csv_refusals(void **state)
{
	struct problem p;
	char *big = malloc(SHEET_FILE_MAX + 1);

	(void)state;
	p = refused("", 0, ERR_FILE_DAMAGED);
	p = refused("a,b\n1,2\nx\xFF\xFF,3\n", 14, ERR_FILE_DAMAGED);
	assert_int_equal(p.row, 3);
	p = refused("\xEF\xBB\xBF"
		    "a\nb\n\xC0\n",
		9, ERR_FILE_DAMAGED);
	assert_int_equal(p.row, 3);
	p = refused("\xFF\xFE"
		    "a\0,\0",
		6, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "UTF-16"));
	p = refused("\xFF\xFE\0\0"
		    "a\0\0\0",
		8, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "UTF-32"));
	p = refused("\0\0\xFE\xFF"
		    "\0\0\0a",
		8, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "UTF-32"));
	p = refused("a,b\n1,\"2\n3,4\n", 13, ERR_FILE_DAMAGED); /* the quote never ends */
	p = refused("a,b\n1,\"2\"x\n", 11, ERR_FILE_DAMAGED);
	assert_int_equal(p.row, 2);
	memset(big, 'a', SHEET_FILE_MAX + 1);
	refused(big, SHEET_FILE_MAX + 1, ERR_FILE_LIMIT);
	p = refused(big, SHEET_CELL_MAX + 1, ERR_FILE_LIMIT);
	assert_int_equal(p.row, 1);
	memset(big, ',', SHEET_COLUMNS_MAX);
	refused(big, SHEET_COLUMNS_MAX + 1, ERR_FILE_LIMIT);
	big[SHEET_COLUMNS_MAX - 1] = '\n';
	sheet_free(must_read(big, SHEET_COLUMNS_MAX + 1, NULL));
	for (size_t i = 0; i < 2 * (SHEET_ROWS_MAX + 1); i++)
		big[i] = i % 2 ? '\n' : 'a';
	sheet_free(must_read(big, 2 * SHEET_ROWS_MAX, NULL));
	p = refused(big, 2 * (SHEET_ROWS_MAX + 1), ERR_FILE_LIMIT);
	assert_int_equal(p.row, SHEET_ROWS_MAX + 1);
	free(big);
}

/* Other files */

static void foreign_files(void **state)
{
	static const char encrypted[] =
		"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1....E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
	struct problem p;
	struct sheet *s;
	size_t n;

	(void)state;
	p = refused("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more", 17, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.hint, ".xlsx"));
	p = refused(encrypted, sizeof encrypted, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "密码"));
	refused("\xFF\xD8\xFF\xE0", 4, ERR_FILE_FORMAT);
	refused("\x89PNG\r\n", 6, ERR_FILE_FORMAT);
	refused("%PDF-1.7", 8, ERR_FILE_FORMAT);
	refused("\xFF\xFE"
		"a\0",
		4, ERR_FILE_FORMAT);
	refused("a\0b", 3, ERR_FILE_FORMAT);
	refused("\xEF\xBB\xBF\r\n<html><table>", 18, ERR_FILE_FORMAT);
	refused("<?xml version='1.0'?>", 21, ERR_FILE_FORMAT);
	s = csv_of("<表一>,b\n");
	sheet_free(s);
	struct xlsx_part word = {"word/document.xml", "<x/>", 0}, binary = {"xl/workbook.bin", "x", 0},
			 ods = {"content.xml", "<x/>", 0};
	char *bytes = xlsx_zip(&word, 1, &n);
	p = refused(bytes, n, ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "Word"));
	free(bytes);
	bytes = xlsx_zip(&binary, 1, &n);
	refused(bytes, n, ERR_FILE_FORMAT);
	free(bytes);
	bytes = xlsx_zip(&ods, 1, &n);
	refused(bytes, n, ERR_FILE_FORMAT);
	free(bytes);
}

static void files_on_disk(void **state)
{
	char path[] = "/tmp/test_sheet_XXXXXX";
	struct sheet *s;
	struct problem p;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "a,b\n", 4), 4);
	close(fd);
	assert_int_equal(sheet_read_file(path, NULL, &s, &p), ERR_OK);
	cell_is(s, 0, 1, "b", 0);
	sheet_free(s);
	assert_int_equal(sheet_read_file(path, "Sheet1", &s, &p), ERR_FILE_FORMAT);
	unlink(path);
	assert_int_equal(sheet_read_file(path, NULL, &s, &p), ERR_FILE_IO);
	assert_int_equal(sheet_read_file("/tmp", NULL, &s, &p), ERR_FILE_IO);
}

/* Workbooks */

static void cell_types(void **state)
{
	struct sheet *s =
		sheet_of("<sheetData><row r='2'>"
			 "<c r='A2' t='s'><v>0</v></c><c r='B2' t='s'><v>1</v></c>"
			 "<c r='C2' t='inlineStr'><is><r><t>张</t></r><r><t>三</t></r><rPh sb='0' eb='1'>"
			 "<t>zhang</t></rPh></is></c>"
			 "<c r='D2' t='str'><f>A1&amp;B1</f><v>六年级</v></c><c r='E2' t='b'><v>1</v></c>"
			 "<c r='F2' t='e'><v>#REF!</v></c><c r='G2'><f>A1</f><v/></c>"
			 "<c r='H2' t='d'><v>2014-03-15T00:00:00</v></c><c r='I2' s='3'/>"
			 "<c r='J2' t='str'><f>A9</f><v></v></c>"
			 "<c r='K2'><v>7</v></c></row>"
			 "<row><c><v>1</v></c><c t='inlineStr'><is><t>a_x000D_b_x005F_x</t></is></c></row>"
			 "<row r='9'/></sheetData>",
			"<sst xmlns='" XLSX_NS "'><si><t>姓名</t><rPh><t>xingming</t></rPh></si>"
			"<si><r><t>证件</t></r><r><t xml:space='preserve'> 号码</t></r></si><si/></sst>",
			NULL);

	(void)state;
	assert_int_equal(s->n_rows, 2);
	assert_int_equal(s->rows[0].number, 2);
	cell_is(s, 0, 0, "姓名", 0);
	cell_is(s, 0, 1, "证件 号码", 0);
	cell_is(s, 0, 2, "张三", 0);
	cell_is(s, 0, 3, "六年级", 0);
	cell_is(s, 0, 4, "TRUE", 0);
	cell_is(s, 0, 5, "#REF!", CELL_ERROR);
	cell_is(s, 0, 6, "#未计算", CELL_ERROR);
	cell_is(s, 0, 7, "2014-03-15", CELL_DATE);
	cell_is(s, 0, 8, "", 0);
	cell_is(s, 0, 9, "", 0);
	cell_is(s, 0, 10, "7", CELL_NUMBER);
	cell_is(s, 0, 999, "", 0);
	assert_int_equal(s->rows[1].number, 3);
	cell_is(s, 1, 0, "1", CELL_NUMBER);
	cell_is(s, 1, 1, "a\rb_x", 0);
	sheet_free(s);
}

static void numbers_as_shown(void **state)
{
	static const struct {
		const char *raw, *text;
		unsigned flags;
	} rows[] = {{"3", "3", CELL_NUMBER}, {"3.0", "3", CELL_NUMBER}, {"-3", "-3", CELL_NUMBER},
		{"13800000017", "13800000017", CELL_NUMBER}, {"1.3800000017E10", "13800000017", CELL_NUMBER},
		{"0.1", "0.1", CELL_NUMBER}, {"1.5000000000000002E-2", "0.015", CELL_NUMBER},
		{"999999999999999", "999999999999999", CELL_NUMBER},
		{"1000000000000000", "1000000000000000", CELL_NUMBER | CELL_DAMAGED_NUMBER},
		{"3.2999920140315E17", "329999201403150016", CELL_NUMBER | CELL_DAMAGED_NUMBER},
		{"329999201403150017", "329999201403150016", CELL_NUMBER | CELL_DAMAGED_NUMBER},
		{"1E300", "1E+300", CELL_NUMBER | CELL_DAMAGED_NUMBER}, {"abc", "abc", 0},
		{"1e999", "1e999", 0}};
	char xml[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(xml, sizeof xml, "<sheetData><row r='1'><c r='A1'><v>%s</v></c></row></sheetData>",
			rows[i].raw);
		struct sheet *s = sheet_of(xml, NULL, NULL);
		if (strcmp(rows[i].raw, "3.2999920140315E17") == 0)
			assert_int_equal(sheet_flags(s, 0, 0), rows[i].flags);
		else
			cell_is(s, 0, 0, rows[i].text, rows[i].flags);
		sheet_free(s);
	}
}

static const char date_styles[] = "<styleSheet xmlns='" XLSX_NS
				  "'><numFmts><numFmt numFmtId='176' formatCode='yyyy\"年\"m\"月\"d\"日\"'/>"
				  "<numFmt numFmtId='177' formatCode='0.00\"days\"[Red]_d'/><numFmt "
				  "numFmtId='178' formatCode='[$-804]e/m/d'/>"
				  "</numFmts><cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>"
				  "<cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='176'/><xf "
				  "numFmtId='177'/><xf numFmtId='31'/>"
				  "<xf numFmtId='178'/><xf numFmtId='20'/></cellXfs></styleSheet>";

static void dates_by_their_cell_style(void **state)
{
	struct sheet *s =
		sheet_of("<sheetData><row><c s='0'><v>41713</v></c><c s='1'><v>41713</v></c>"
			 "<c s='2'><v>41713.5</v></c><c s='3'><v>41713</v></c><c s='4'><v>41713</v></c>"
			 "<c s='5'><v>41713</v></c><c s='6'><v>0.5</v></c><c s='1'><v>20140315</v></c>"
			 "<c s='99'><v>41713</v></c></row></sheetData>",
			NULL, date_styles);

	(void)state;
	cell_is(s, 0, 0, "41713", CELL_NUMBER);
	cell_is(s, 0, 1, "2014-03-15", CELL_NUMBER | CELL_DATE);
	cell_is(s, 0, 2, "2014-03-15", CELL_NUMBER | CELL_DATE);
	cell_is(s, 0, 3, "41713", CELL_NUMBER);
	cell_is(s, 0, 4, "2014-03-15", CELL_NUMBER | CELL_DATE);
	cell_is(s, 0, 5, "2014-03-15", CELL_NUMBER | CELL_DATE);
	cell_is(s, 0, 6, "0.5", CELL_NUMBER);
	cell_is(s, 0, 7, "20140315", CELL_NUMBER);
	cell_is(s, 0, 8, "41713", CELL_NUMBER);
	sheet_free(s);
}

#define ONE_CELL(text)                                                                                       \
	"<worksheet xmlns='" XLSX_NS "'><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>" text          \
	"</t></is></c></row></sheetData></worksheet>"

/* Strict names, a prefix, odd paths, no shared strings: as SheetJS, WPS and others write. */
static void odd_packages(void **state)
{
	struct xlsx_part parts[] = {
		{"_rels/.rels",
			"<Relationships xmlns='" XLSX_PACKAGE_REL "'><Relationship Id='x' "
			"Type='http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument'"
			" Target='/XL/Book.xml'/></Relationships>",
			0},
		{"xl\\book.xml",
			"<x:workbook xmlns:x='http://purl.oclc.org/ooxml/spreadsheetml/main' "
			"xmlns:q='http://purl.oclc.org/"
			"ooxml/officeDocument/relationships'><x:workbookPr date1904='1'/><x:sheets><x:sheet "
			"name='表' "
			"sheetId='1' q:id='rX'/></x:sheets></x:workbook>",
			0},
		{"xl/_rels/Book.xml.rels",
			"<Relationships xmlns='" XLSX_PACKAGE_REL
			"'><Relationship Id='rX' Type='y/worksheet' "
			"Target='.././data/p1.xml'/></Relationships>",
			0},
		{"data/p1.xml",
			"<x:worksheet xmlns:x='http://purl.oclc.org/ooxml/spreadsheetml/main' "
			"xmlns:o='urn:other'>"
			"<x:sheetData><x:row><o:c><x:v>9</x:v></o:c><x:c "
			"t='str'><x:v>甲</x:v></x:c></x:row></x:sheetData>"
			"</x:worksheet>",
			0}};
	size_t n;
	char *bytes = xlsx_zip(parts, 4, &n);
	struct sheet *s = must_read(bytes, n, NULL);

	(void)state;
	cell_is(s, 0, 0, "甲", 0);
	assert_int_equal(s->epoch, DATE_EPOCH_1904);
	sheet_free(s);
	free(bytes);
}

static void hidden_sheets(void **state)
{
	struct xlsx_part parts[] = {{"_rels/.rels", xlsx_rels_root(), 0},
		{"xl/workbook.xml",
			"<workbook xmlns='" XLSX_NS "' xmlns:r='" XLSX_REL "'><sheets>"
			"<sheet name='字典' sheetId='1' state='hidden' r:id='r1'/><sheet name='名册' "
			"sheetId='2' r:id='r2'/>"
			"</sheets></workbook>",
			0},
		{"xl/_rels/workbook.xml.rels", xlsx_rels_book(), 0},
		{"xl/worksheets/sheet1.xml", ONE_CELL("藏"), 0},
		{"xl/worksheets/sheet2.xml", ONE_CELL("见"), 0}};
	struct problem p;
	struct sheet *s;
	size_t n;
	char *bytes = xlsx_zip(parts, 5, &n);

	(void)state;
	s = must_read(bytes, n, NULL);
	assert_int_equal(s->n_pages, 2);
	assert_true(s->pages[0].hidden);
	assert_int_equal(s->pages[0].n, 0); /* only named */
	assert_false(s->pages[1].hidden);
	assert_string_equal(s->pages[1].name, "名册");
	cell_is(s, 0, 0, "见", 0);
	sheet_free(s);
	s = must_read(bytes, n, "字典");
	assert_int_equal(s->n_pages, 1);
	assert_false(s->pages[0].hidden); /* chosen by name */
	cell_is(s, 0, 0, "藏", 0);
	sheet_free(s);
	assert_int_equal(sheet_read_memory(bytes, n, "t", "没有", &s, &p), ERR_FILE_FORMAT);
	assert_non_null(strstr(p.message, "名册"));
	free(bytes);
}

static void merged_cells(void **state)
{
	struct sheet *s = sheet_of(
		"<sheetData><row r='1'><c r='A1' t='str'><v>标题</v></c><c r='D1'><v>5</v></c></row>"
		"<row r='2'><c r='B2' t='str'><v>三班</v></c></row>"
		"<row r='3'><c r='A3'><v>1</v></c></row><row r='5'><c r='A5'><v>2</v></c></row></sheetData>"
		"<mergeCells><mergeCell ref='A1:C1'/><mergeCell ref='B2:B4'/><mergeCell ref='Z9:Z1'/>"
		"<mergeCell ref='B3:C3'/><mergeCell ref='A1:B2'/><mergeCell ref='nonsense'/></mergeCells>",
		NULL, NULL);

	(void)state;
	cell_is(s, 0, 0, "标题", 0);
	cell_is(s, 0, 1, "标题", CELL_FROM_LEFT);
	cell_is(s, 0, 2, "标题", CELL_FROM_LEFT);
	cell_is(s, 0, 3, "5", CELL_NUMBER);
	cell_is(s, 1, 0, "标题", CELL_FROM_ABOVE);
	cell_is(s, 1, 1, "三班", 0);
	cell_is(s, 2, 1, "三班", CELL_FROM_ABOVE);
	cell_is(s, 2, 2, "", 0);
	cell_is(s, 3, 1, "", 0);
	sheet_free(s);
	s = sheet_of("<sheetData><row><c><v>1</v></c></row></sheetData><mergeCells><mergeCell "
		     "ref='A1:XFD1048576'/>"
		     "</mergeCells>",
		NULL, NULL);
	assert_int_equal(s->n_columns, SHEET_COLUMNS_MAX);
	sheet_free(s);
}

static void hostile_workbooks(void **state)
{
	static const char bomb_head[] = "<worksheet xmlns='" XLSX_NS "'>";
	struct xlsx_part parts[SHEET_ENTRIES_MAX + 1] = {{"_rels/.rels", xlsx_rels_root(), 0},
		{"xl/workbook.xml", xlsx_book(), 0}, {"xl/_rels/workbook.xml.rels", xlsx_rels_book(), 0},
		{"xl/worksheets/sheet1.xml",
			"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
			"<worksheet><sheetData><row><c t='str'><v>&b;</v></c></row></sheetData></worksheet>",
			0}};
	size_t n, size = SHEET_UNPACKED_MAX + 4096;
	char *big = malloc(size), *bytes, names[SHEET_ENTRIES_MAX + 1][16];

	(void)state;
	bytes = xlsx_zip(parts, 4, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	memset(big, ' ', size); /* the zip bomb: 64 MiB of blanks in 64 KiB */
	memcpy(big, bomb_head, sizeof bomb_head - 1);
	parts[3] = (struct xlsx_part){"xl/worksheets/sheet1.xml", big, size};
	bytes = xlsx_zip(parts, 4, &n);
	assert_true(n < 1 << 20);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	memset(big, ' ', size);
	memcpy(big, "<worksheet a='", 14); /* one endless attribute */
	parts[3].n = 8 << 20;
	bytes = xlsx_zip(parts, 4, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	for (size_t i = 0; i < 3000; i++)
		memcpy(big + i * 3, "<a>", 3);
	parts[3].n = 9000;
	bytes = xlsx_zip(parts, 4, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	size_t used = (size_t)sprintf(big, "<worksheet>"); /* names without end */
	for (size_t i = 0; i < 1000000; i++)
		used += (size_t)sprintf(big + used, "<a%zu/>", i);
	parts[3].n = used;
	bytes = xlsx_zip(parts, 4, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	used = (size_t)sprintf(big, "<worksheet xmlns='" XLSX_NS "'><sheetData>"); /* areas over each other */
	for (size_t i = 0; i < 1000; i++)
		used += (size_t)sprintf(big + used, "<row><c><v>1</v></c></row>");
	for (size_t i = 0; i < 100000; i++)
		used += (size_t)sprintf(big + used, "<mergeCell ref='A1:A1000'/>");
	used += (size_t)sprintf(big + used, "</sheetData></worksheet>");
	parts[3].n = used;
	bytes = xlsx_zip(parts, 4, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);

	parts[3] = (struct xlsx_part){"xl/worksheets/sheet1.xml", ONE_CELL("x"), 0};
	for (size_t i = 4; i <= SHEET_ENTRIES_MAX; i++) {
		snprintf(names[i], sizeof names[i], "m/%zu", i);
		parts[i] = (struct xlsx_part){names[i], "x", 0};
	}
	bytes = xlsx_zip(parts, SHEET_ENTRIES_MAX, &n);
	sheet_free(must_read(bytes, n, NULL));
	free(bytes);
	bytes = xlsx_zip(parts, SHEET_ENTRIES_MAX + 1, &n);
	refused(bytes, n, ERR_FILE_LIMIT);
	free(bytes);
	free(big);
}

static void limits_name_the_row(void **state)
{
	char *big = malloc(SHEET_CELL_MAX + 200);
	struct problem p;

	(void)state;
	strcpy(big, "<sheetData><row r='7'><c r='A7' t='str'><v>");
	size_t head = strlen(big);
	memset(big + head, 'x', SHEET_CELL_MAX + 1);
	strcpy(big + head + SHEET_CELL_MAX + 1, "</v></c></row></sheetData>");
	p = refused_sheet(big, NULL, ERR_FILE_LIMIT);
	assert_int_equal(p.row, 7);
	p = refused_sheet(
		"<sheetData><row r='3'><c r='IW3'><v>1</v></c></row></sheetData>", NULL, ERR_FILE_LIMIT);
	assert_int_equal(p.row, 3);
	sheet_free(sheet_of(
		"<sheetData><row r='3'><c r='IV3'><v>1</v></c><c r='XFD3'/></row></sheetData>", NULL, NULL));
	free(big);
}

static void damaged_workbooks(void **state)
{
	static const char *const sheets[] = {
		"<sheetData><row r='2'><c><v>1</v></c></row><row r='2'><c><v>2</v></c></row></sheetData>",
		"<sheetData><row r='0'/></sheetData>", "<sheetData><row r='1048577'/></sheetData>",
		/* the second row of 32 bits, and one of none */
		"<sheetData><row r='4294967298'><c><v>1</v></c></row></sheetData>",
		"<sheetData><row r='999999999999'/></sheetData>",
		"<sheetData><row r='1'><c r='B1'><v>1</v></c><c r='B1'><v>1</v></c></row></sheetData>",
		"<sheetData><row r='1'><c r='A2'><v>1</v></c></row></sheetData>",
		"<sheetData><row r='1'><c r='1A'><v>1</v></c></row></sheetData>",
		"<sheetData><row r='1'><c t='s'><v>5</v></c></row></sheetData>",
		"<sheetData><row r='1'><c t='s'><v>-1</v></c></row></sheetData>",
		"<sheetData><row r='1'><c><c><v>1</v></c></c></row></sheetData>",
		"<sheetData><row r='1'><c><row r='2'/></c></row></sheetData>",
		"<sheetData><c><v>1</v></c></sheetData>", "<sheetData>", "<sheetData>\xFF</sheetData>"};
	struct xlsx_part empty[] = {{"_rels/.rels", xlsx_rels_root(), 0},
		{"xl/workbook.xml", "<workbook xmlns='" XLSX_NS "'/>", 0}};
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++)
		refused_sheet(sheets[i], NULL, ERR_FILE_DAMAGED);
	refused("PK\3\4 and nothing", 16, ERR_FILE_DAMAGED);
	char *bytes = xlsx_zip(empty, 2, &n);
	refused(bytes, n, ERR_FILE_DAMAGED);
	free(bytes);

	/* every truncation, and every flipped byte: an answer, never a crash; what reads is whole */
	bytes = xlsx_of("<sheetData><row><c t='s'><v>0</v></c></row></sheetData>",
		"<sst xmlns='" XLSX_NS "'><si><t>名</t></si></sst>", NULL, &n);
	struct sheet *s;
	for (size_t i = 4; i < n; i++)
		assert_int_not_equal(sheet_read_memory(bytes, i, "t", NULL, &s, NULL), ERR_OK);
	for (size_t i = 4; i < n; i++) {
		bytes[i] = (char)~bytes[i];
		if (sheet_read_memory(bytes, n, "t", NULL, &s, NULL) == ERR_OK)
			sheet_free(s);
		bytes[i] = (char)~bytes[i];
	}
	free(bytes);
}

/* Writing */

static void written_and_read(void **state)
{
	static const char *const header[] = {"姓名", "证件号码", "错误"};
	static const char *const row[] = {"买买提·江", "329999201403150017", NULL};
	static const char *const wrong[] = {"=1+1", "007", "校验码不对\n请核对"};
	static const char *const paths[] = {"test_sheet_out.xlsx", "test_sheet_out.CSV"};
	struct sheet_writer *w;
	struct sheet *s;
	struct problem p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sheet_writer_open(&w, paths[i], "错误", &p), ERR_OK);
		assert_int_equal(sheet_writer_row(w, header, 3, SHEET_HEADER, &p), ERR_OK);
		assert_int_equal(sheet_writer_row(w, row, 3, SHEET_PLAIN, &p), ERR_OK);
		assert_int_equal(sheet_writer_row(w, wrong, 3, SHEET_WRONG, &p), ERR_OK);
		assert_int_equal(sheet_writer_close(w, &p), ERR_OK);
		assert_int_equal(sheet_read_file(paths[i], NULL, &s, &p), ERR_OK);
		assert_int_equal(s->n_rows, 3);
		cell_is(s, 0, 2, "错误", 0);
		cell_is(s, 1, 0, "买买提·江", 0);
		cell_is(s, 1, 1, "329999201403150017", 0);
		cell_is(s, 1, 2, "", 0);
		cell_is(s, 2, 0, i ? "'=1+1" : "=1+1", 0);
		cell_is(s, 2, 1, "007", 0);
		cell_is(s, 2, 2, "校验码不对\n请核对", 0);
		sheet_free(s);
		unlink(paths[i]);
	}
}

/* XML has no place for U+FFFE and the like: they are left out and counted, and the workbook opens. */
static void what_xml_cannot_hold(void **state)
{
	const char *path = "test_sheet_fit.xlsx", *const cells[] = {"张\uFFFE三", "好", "\uFFFF"};
	struct sheet_writer *w;
	struct problem p = {0};
	struct sheet *s;

	(void)state;
	assert_int_equal(sheet_writer_open(&w, path, "t", &p), ERR_OK);
	assert_int_equal(sheet_writer_row(w, cells, 3, SHEET_PLAIN, &p), ERR_OK);
	assert_int_equal(sheet_writer_page(w, "二", &p), ERR_OK);
	assert_int_equal(sheet_writer_row(w, cells + 1, 1, SHEET_HEADER, &p), ERR_OK);
	assert_int_equal(sheet_writer_dropped(w), 2);
	assert_int_equal(sheet_writer_close(w, &p), ERR_OK);
	assert_int_equal(sheet_read_file(path, NULL, &s, &p), ERR_OK);
	cell_is(s, 0, 0, "张三", 0);
	cell_is(s, 0, 1, "好", 0);
	assert_int_equal(s->n_pages, 2);
	assert_string_equal(s->pages[1].name, "二");
	sheet_free(s);
	unlink(path);
}

static void csv_formulas(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {{"=1", "'=1"}, {"+1", "'+1"}, {"-1", "'-1"}, {"@a", "'@a"}, {"a=1", "a=1"},
		{"x\n=1", "x\n'=1"}, {"  =1", "'  =1"}, {"\u00A0=1", "'\u00A0=1"},
		{"\u3000＝1", "'\u3000＝1"}, {"＋1", "'＋1"}, {"－1", "'－1"}, {"＠1", "'＠1"},
		{"\u200B=1", "'\u200B=1"}, {"\tx", "'\tx"}, {"a\"b,c", "a\"b,c"}};
	const char *path = "test_sheet_guard.csv";
	struct sheet_writer *w;
	struct sheet *s;

	(void)state;
	assert_int_equal(sheet_writer_open(&w, path, "t", NULL), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(sheet_writer_row(w, &rows[i].in, 1, SHEET_PLAIN, NULL), ERR_OK);
	assert_int_equal(sheet_writer_close(w, NULL), ERR_OK);
	assert_int_equal(sheet_read_file(path, NULL, &s, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(sheet_text(s, i, 0), rows[i].want);
	sheet_free(s);
	unlink(path);
}

static void writer_refusals(void **state)
{
	const char *bad = "\xFF";
	char path[] = "/tmp/test_sheet_XXXXXX", inside[64];
	struct sheet_writer *w;
	struct problem p;

	(void)state;
	assert_int_equal(sheet_writer_open(&w, "/tmp/x.xls", "t", &p), ERR_USAGE);
	assert_int_equal(sheet_writer_open(&w, "/tmp/x", "t", &p), ERR_USAGE);
	assert_int_equal(sheet_writer_open(&w, "/tmp/x.xlsx", "a/b", &p), ERR_INVALID);
	assert_int_equal(sheet_writer_open(&w, "/nonexistent/x.csv", "t", &p), ERR_FILE_IO);
	assert_int_equal(sheet_writer_open(&w, "/nonexistent/x.xlsx", "t", &p), ERR_OK);
	assert_int_equal(sheet_writer_close(w, &p), ERR_FILE_IO);
	assert_non_null(mkdtemp(path));
	snprintf(inside, sizeof inside, "%s/x.csv", path);
	assert_int_equal(sheet_writer_open(&w, inside, "t", &p), ERR_OK);
	assert_int_equal(sheet_writer_row(w, &bad, 1, SHEET_PLAIN, &p), ERR_INVALID);
	sheet_writer_discard(w);
	assert_int_equal(rmdir(path), 0); /* nothing is left behind */
}

/* 20,000 rows of 18 columns, as a county's list. Says the time; slow machines and sanitizers do not fail
 * it. */
static void many_rows(void **state)
{
	const char *path = "test_sheet_many.xlsx";
	char text[18][32];
	const char *cells[18];
	struct sheet_writer *w;
	struct sheet *s;
	struct timespec a, b;

	(void)state;
	assert_int_equal(sheet_writer_open(&w, path, "名册", NULL), ERR_OK);
	for (int r = 0; r < 20000; r++) {
		for (int c = 0; c < 18; c++) {
			snprintf(text[c], sizeof text[c], c % 2 ? "甲乙丙%d" : "32999920140315%04d",
				(r * 7 + c) % 10000);
			cells[c] = text[c];
		}
		assert_int_equal(sheet_writer_row(w, cells, 18, SHEET_PLAIN, NULL), ERR_OK);
	}
	assert_int_equal(sheet_writer_close(w, NULL), ERR_OK);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(sheet_read_file(path, NULL, &s, NULL), ERR_OK);
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("20,000 x 18 read in %.0f ms\n",
		(double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	assert_int_equal(s->n_rows, 20000);
	cell_is(s, 19999, 17, text[17], 0);
	sheet_free(s);
	unlink(path);
}

/* The files that tests write lie in a folder of this run's own. */
static char folder[] = "/tmp/jg-sheet-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(csv_encodings),
		cmocka_unit_test(csv_rows_as_shown), cmocka_unit_test(csv_refusals),
		cmocka_unit_test(foreign_files), cmocka_unit_test(files_on_disk),
		cmocka_unit_test(cell_types), cmocka_unit_test(numbers_as_shown),
		cmocka_unit_test(dates_by_their_cell_style), cmocka_unit_test(odd_packages),
		cmocka_unit_test(hidden_sheets), cmocka_unit_test(merged_cells),
		cmocka_unit_test(hostile_workbooks), cmocka_unit_test(limits_name_the_row),
		cmocka_unit_test(damaged_workbooks), cmocka_unit_test(written_and_read),
		cmocka_unit_test(what_xml_cannot_hold), cmocka_unit_test(csv_formulas),
		cmocka_unit_test(writer_refusals), cmocka_unit_test(many_rows)};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
