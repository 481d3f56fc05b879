/* Reading .xlsx (ISO/IEC 29500, strict or not): relationships are followed, nothing is assumed
 * about part names, since SheetJS, WPS, openpyxl and Excel differ in them. */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "sheet_build.h"
#include "xlsx_part.h"

#define PATH_MAX_BYTES 256 /* of a part; real ones have thirty */
#define ID_MAX 64
#define NAMES_MAX 160 /* of the sheets, for a message */
#define ROW_NUMBER_MAX 1048576
#define STYLES_MAX 65536 /* Excel: 65,490 cell formats */
#define CODES_MAX 1000   /* own number formats; Excel allows some 250, and each numeric cell asks them */

struct number_format {
	uint32_t id;
	bool date;
};

struct page {
	char title[SHEET_NAME_MAX], id[ID_MAX], path[PATH_MAX_BYTES];
	bool hidden;
};

struct book {
	struct xlsx_package *package;
	struct sheet *sheet;
	const char *name, *wanted;
	struct problem *problem;
	/* workbook.xml: the sheets to read, and the names of all for a message */
	struct page *pages;
	size_t n_pages, pages_room;
	char names[NAMES_MAX];
	/* relationships */
	char base[PATH_MAX_BYTES]; /* folder of the workbook, with '/' */
	char workbook[PATH_MAX_BYTES], strings_path[PATH_MAX_BYTES], styles_path[PATH_MAX_BYTES];
	/* styles.xml: number formats of the file's own, and the one of each cell format */
	bool in_formats;
	struct number_format *codes;
	size_t n_codes, codes_room;
	uint32_t *formats;
	size_t n_formats, formats_room;
	/* sharedStrings.xml */
	uint32_t *strings;
	size_t n_strings, strings_room;
	/* the part in hand */
	size_t start; /* of the text being collected */
	bool collecting;
	unsigned phonetic; /* depth of rPh: the reading of a name, not the name */
	uint32_t row;      /* number */
	size_t column;     /* of the next cell without reference */
	char type[12];
	size_t style;
	bool in_cell, formula;
	struct sheet_area *areas;
	size_t n_areas, areas_room;
};

static enum err array_grow(void **array, size_t *room, size_t used, size_t item)
{
	if (used < *room)
		return ERR_OK;
	size_t want = *room ? *room * 2 : 64;
	void *grown = realloc(*array, want * item);
	if (!grown)
		return ERR_NOMEM;
	*array = grown;
	*room = want;
	return ERR_OK;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_true(const char *s)
{
	return s && (strcmp(s, "1") == 0 || strcmp(s, "true") == 0);
}

/* workbook.xml: which sheet, which epoch. */
static enum err workbook_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;

	if (strcmp(name, "workbookPr") == 0 && is_true(xlsx_attribute(attributes, "date1904")))
		b->sheet->epoch = DATE_EPOCH_1904;
	if (strcmp(name, "sheet") != 0)
		return ERR_OK;
	const char *title = xlsx_attribute(attributes, "name"), *id = xlsx_attribute(attributes, "|id"),
		   *state = xlsx_attribute(attributes, "state");
	if (!title || !id || strlen(id) >= ID_MAX)
		return ERR_FILE_DAMAGED;
	size_t used = strlen(b->names);
	if (used + strlen(title) + 4 < NAMES_MAX)
		snprintf(b->names + used, NAMES_MAX - used, "%s%s", used ? _("、") : "", title);
	if (b->wanted && (strcmp(title, b->wanted) != 0 || b->n_pages))
		return ERR_OK;
	if (b->n_pages >= SHEET_PAGES_MAX)
		return ERR_FILE_LIMIT;
	void *pages = b->pages;
	enum err err = array_grow(&pages, &b->pages_room, b->n_pages, sizeof *b->pages);
	b->pages = pages;
	if (err)
		return err;
	struct page *page = &b->pages[b->n_pages++];
	*page = (struct page){.hidden = !b->wanted && state && strcmp(state, "visible") != 0};
	snprintf(page->title, sizeof page->title, "%s", title);
	strcpy(page->id, id);
	return ERR_OK;
}

/* A relationship's target as a path in the archive, with '\\' read as '/' and without "." and ".."; "" when
 * it is too long. Names are compared decoded (xlsx_part.c). */
static void target_resolve(char *out, const char *base, const char *target)
{
	char path[2 * PATH_MAX_BYTES], *rest = path;
	size_t n = 0;

	int length =
		snprintf(path, sizeof path, "%s%s", *target == '/' || *target == '\\' ? "" : base, target);
	*out = 0;
	if (length < 0 || (size_t)length >= sizeof path)
		return;
	for (char *part; (part = strsep(&rest, "/\\"));) {
		if (strcmp(part, "..") == 0) {
			char *slash = strrchr(out, '/');
			n = slash ? (size_t)(slash - out) : 0;
			out[n] = 0;
		} else if (*part && strcmp(part, ".") != 0) {
			if (n + strlen(part) + 2 > PATH_MAX_BYTES) {
				*out = 0;
				return;
			}
			n += (size_t)sprintf(out + n, "%s%s", n ? "/" : "", part);
		}
	}
}

static enum err root_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;
	const char *type = xlsx_attribute(attributes, "Type"), *target = xlsx_attribute(attributes, "Target");

	if (strcmp(name, "Relationship") == 0 && type && target && ends_with(type, "/officeDocument"))
		target_resolve(b->workbook, "", target);
	return ERR_OK;
}

static enum err relations_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;
	const char *type = xlsx_attribute(attributes, "Type"), *target = xlsx_attribute(attributes, "Target"),
		   *id = xlsx_attribute(attributes, "Id");

	if (strcmp(name, "Relationship") != 0 || !type || !target || !id)
		return ERR_OK;
	for (size_t i = 0; i < b->n_pages; i++)
		if (strcmp(id, b->pages[i].id) == 0)
			target_resolve(b->pages[i].path, b->base, target);
	if (ends_with(type, "/sharedStrings"))
		target_resolve(b->strings_path, b->base, target);
	else if (ends_with(type, "/styles"))
		target_resolve(b->styles_path, b->base, target);
	return ERR_OK;
}

/* Built-in formats with a date or time in some language of Excel (ISO/IEC 29500-1 18.8.30): 27-36 and 50-58
 * are the Chinese ones. */
static bool is_builtin_date(uint32_t id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
		(id >= 50 && id <= 58);
}

/* Whether a format code shows a date or time: a letter of y m d h s that is not quoted, escaped or in
 * brackets. A mere time is harmless, since its number is below 1 and stays a number. */
static bool is_date_code(const char *code)
{
	for (; *code; code++) {
		if (*code == '"' || *code == '[') {
			code = strchr(code + 1, *code == '"' ? '"' : ']');
			if (!code)
				return false;
		} else if (*code == '\\' || *code == '_' || *code == '*') {
			if (!*++code)
				return false;
		} else if (strchr("yYmMdDhHsS", *code)) {
			return true;
		}
	}
	return false;
}

/* What is beyond all numbers stays so: cut to 32 bits it would be another row. */
static uint32_t number_of(const char *s)
{
	unsigned long n = s ? strtoul(s, NULL, 10) : 0;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* A file may define formats under built-in numbers: its own word counts. */
static bool style_is_date(const struct book *b)
{
	if (b->style >= b->n_formats)
		return false;
	for (size_t i = 0; i < b->n_codes; i++)
		if (b->codes[i].id == b->formats[b->style])
			return b->codes[i].date;
	return is_builtin_date(b->formats[b->style]);
}

static enum err styles_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;
	void *array;
	enum err err = ERR_OK;

	if (strcmp(name, "cellXfs") == 0)
		b->in_formats = true;
	if (strcmp(name, "numFmt") == 0) {
		const char *code = xlsx_attribute(attributes, "formatCode");
		if (!code || b->n_codes >= CODES_MAX)
			return ERR_OK;
		array = b->codes;
		err = array_grow(&array, &b->codes_room, b->n_codes, sizeof *b->codes);
		b->codes = array;
		if (!err)
			b->codes[b->n_codes++] = (struct number_format){
				number_of(xlsx_attribute(attributes, "numFmtId")), is_date_code(code)};
	} else if (strcmp(name, "xf") == 0 && b->in_formats && b->n_formats < STYLES_MAX) {
		array = b->formats;
		err = array_grow(&array, &b->formats_room, b->n_formats, sizeof *b->formats);
		b->formats = array;
		if (!err)
			b->formats[b->n_formats++] = number_of(xlsx_attribute(attributes, "numFmtId"));
	}
	return err;
}

static enum err styles_end(void *user, const char *name)
{
	struct book *b = user;

	if (strcmp(name, "cellXfs") == 0)
		b->in_formats = false;
	return ERR_OK;
}

static int hex_value(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		const char *digits = "0123456789abcdef", *at = strchr(digits, s[i] | 0x20);
		if (!s[i] || !at)
			return -1;
		value = value * 16 + (int)(at - digits);
	}
	return value;
}

/* Excel writes control characters as _x000D_ (and "_" itself as _x005F_ where it would be misread). */
static void escapes_undo(struct sheet *s, size_t start)
{
	char *from = s->text + start, *to = from, *end = s->text + s->text_size;

	while (from < end) {
		int c = -1;
		if (end - from >= 7 && from[0] == '_' && from[1] == 'x' && from[6] == '_')
			c = hex_value(from + 2, 4);
		if (c > 0 && c < 0x80) {
			*to++ = (char)c;
			from += 7;
		} else {
			*to++ = *from++;
		}
	}
	s->text_size = (size_t)(to - s->text);
}

static void collect_begin(struct book *b)
{
	b->start = b->sheet->text_size;
}

static enum err collect_text(void *user, const char *bytes, size_t n)
{
	struct book *b = user;

	if (!b->collecting)
		return ERR_OK;
	/* Checked early, so that one endless cell is not collected to its end. */
	if (b->sheet->text_size - b->start + n > SHEET_CELL_MAX)
		return ERR_FILE_LIMIT;
	return sheet_text_append(b->sheet, bytes, n);
}

static enum err strings_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;

	(void)attributes;
	if (strcmp(name, "si") == 0)
		collect_begin(b);
	else if (strcmp(name, "rPh") == 0)
		b->phonetic++;
	else if (strcmp(name, "t") == 0)
		b->collecting = !b->phonetic;
	return ERR_OK;
}

static enum err strings_end(void *user, const char *name)
{
	struct book *b = user;
	void *strings = b->strings;
	uint32_t offset;

	if (strcmp(name, "t") == 0)
		b->collecting = false;
	else if (strcmp(name, "rPh") == 0)
		b->phonetic--;
	if (strcmp(name, "si") != 0)
		return ERR_OK;
	if (b->n_strings >= SHEET_CELLS_MAX)
		return ERR_FILE_LIMIT;
	enum err err = array_grow(&strings, &b->strings_room, b->n_strings, sizeof *b->strings);
	b->strings = strings;
	if (err)
		return err;
	escapes_undo(b->sheet, b->start);
	err = sheet_text_close(b->sheet, b->start, &offset);
	if (!err)
		b->strings[b->n_strings++] = offset;
	return err;
}

/* Column and row of "AB12"; false when it is no reference. Columns end at XFD. */
static bool reference_parse(const char **s, size_t *column, uint32_t *row)
{
	size_t c = 0;
	uint32_t r = 0;
	const char *p = *s;

	for (; isalpha((unsigned char)*p) && c <= 16384; p++)
		c = c * 26 + (size_t)(toupper((unsigned char)*p) - 'A' + 1);
	for (; *p >= '0' && *p <= '9' && r <= ROW_NUMBER_MAX; p++)
		r = r * 10 + (uint32_t)(*p - '0');
	if (!c || c > 16384 || !r || r > ROW_NUMBER_MAX)
		return false;
	*column = c - 1;
	*row = r;
	*s = p;
	return true;
}

static enum err row_begin(struct book *b, const char **attributes)
{
	const char *r = xlsx_attribute(attributes, "r");

	b->row = r ? number_of(r) : b->row + 1;
	b->column = 0;
	if (b->in_cell || b->row < 1 || b->row > ROW_NUMBER_MAX)
		return ERR_FILE_DAMAGED;
	return sheet_row_begin(b->sheet, b->row);
}

static enum err cell_begin(struct book *b, const char **attributes)
{
	const char *reference = NULL;
	uint32_t row;

	if (!b->row || b->in_cell) /* outside of any row, or one inside another */
		return ERR_FILE_DAMAGED;
	b->in_cell = true;
	snprintf(b->type, sizeof b->type, "n");
	b->style = 0;
	b->formula = false;
	for (; *attributes; attributes += 2) {
		if (strcmp(attributes[0], "r") == 0)
			reference = attributes[1];
		else if (strcmp(attributes[0], "s") == 0)
			b->style = number_of(attributes[1]);
		else if (strcmp(attributes[0], "t") == 0)
			snprintf(b->type, sizeof b->type, "%s", attributes[1]);
	}
	if (reference && (!reference_parse(&reference, &b->column, &row) || *reference || row != b->row))
		return ERR_FILE_DAMAGED;
	collect_begin(b);
	return ERR_OK;
}

static enum err merge_begin(struct book *b, const char **attributes)
{
	const char *ref = xlsx_attribute(attributes, "ref");
	size_t left, right;
	uint32_t top, bottom;
	void *areas = b->areas;

	if (!ref || !reference_parse(&ref, &left, &top) || *ref++ != ':' ||
		!reference_parse(&ref, &right, &bottom) || *ref)
		return ERR_OK; /* a merge that cannot be read loses nothing but repetitions */
	if (b->n_areas >= SHEET_MERGED_MAX)
		return ERR_FILE_LIMIT;
	enum err err = array_grow(&areas, &b->areas_room, b->n_areas, sizeof *b->areas);
	b->areas = areas;
	if (!err)
		b->areas[b->n_areas++] = (struct sheet_area){
			.top = top, .bottom = bottom, .left = (uint32_t)left, .right = (uint32_t)right};
	return err;
}

static enum err sheet_begin(void *user, const char *name, const char **attributes)
{
	struct book *b = user;

	if (strcmp(name, "c") == 0)
		return cell_begin(b, attributes);
	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		b->collecting = b->in_cell && !b->phonetic;
	else if (strcmp(name, "row") == 0)
		return row_begin(b, attributes);
	else if (strcmp(name, "f") == 0)
		b->formula = true;
	else if (strcmp(name, "rPh") == 0)
		b->phonetic++;
	else if (strcmp(name, "mergeCell") == 0)
		return merge_begin(b, attributes);
	return ERR_OK;
}

#define EXACT_DIGITS 15      /* what a double, and Excel, keeps of a decimal number */
#define WRITTEN_OUT_MAX 1e21 /* beyond, an integral number is no number of anybody */
#define NUMBER_TEXT_MAX 32

static size_t digits_of(const char *s)
{
	return strspn(s, "0123456789");
}

/* The text of a number as a person sees it; flags what it is. `raw` is left when it is no number at all. */
static void number_text(const struct book *b, const char *raw, char out[NUMBER_TEXT_MAX], unsigned *flags)
{
	char *end;
	double value = strtod(raw, &end);
	int32_t date;

	*out = 0;
	if (end == raw || *end || !isfinite(value))
		return;
	*flags = CELL_NUMBER;
	if (style_is_date(b) && date_from_serial(value, b->sheet->epoch, &date) == ERR_OK) {
		*flags |= CELL_DATE;
		snprintf(out, NUMBER_TEXT_MAX, "%04d-%02d-%02d", date / 10000, date / 100 % 100, date % 100);
		return;
	}
	bool integral = value == trunc(value);
	if (integral && fabs(value) < WRITTEN_OUT_MAX)
		snprintf(out, NUMBER_TEXT_MAX, "%.0f", value);
	else
		snprintf(out, NUMBER_TEXT_MAX, "%.15G", value);
	if (integral && fabs(value) >= 1e15)
		*flags |= CELL_DAMAGED_NUMBER;
}

/* Puts a fixed text in the place of what was collected. */
static enum err collected_replace(struct book *b, const char *text)
{
	b->sheet->text_size = b->start;
	return sheet_text_append(b->sheet, text, strlen(text));
}

/* Drops the white space that a tool which indents XML puts around a value. */
static void collected_trim(struct book *b)
{
	struct sheet *s = b->sheet;
	size_t n = s->text_size - b->start, skip = 0;
	char *text = s->text + b->start;

	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	while (skip < n && strchr(" \t\r\n", text[skip]))
		skip++;
	memmove(text, text + skip, n - skip);
	s->text_size = b->start + n - skip;
}

/* A number cell: what was collected becomes what a person sees. Most are plain digits and stay as they
 * are. */
static enum err number_finish(struct book *b, unsigned *flags)
{
	char raw[NUMBER_TEXT_MAX * 2], out[NUMBER_TEXT_MAX];
	size_t n = b->sheet->text_size - b->start;

	if (n == 0 || n >= sizeof raw)
		return ERR_OK;
	memcpy(raw, b->sheet->text + b->start, n);
	raw[n] = 0;
	if (!style_is_date(b) && digits_of(raw) == n && n <= EXACT_DIGITS) {
		*flags = CELL_NUMBER;
		return ERR_OK;
	}
	number_text(b, raw, out, flags);
	return *out ? collected_replace(b, out) : ERR_OK;
}

/* Makes text and flags of what was collected; a shared string answers its offset. */
static enum err value_finish(struct book *b, uint32_t *offset, unsigned *flags)
{
	struct sheet *s = b->sheet;
	enum err err = ERR_OK;

	if (b->type[1] == 0) /* n s b e d: all but texts */
		collected_trim(b);
	if (strcmp(b->type, "s") == 0) {
		err = sheet_text_append(s, "", 1);
		if (err)
			return err;
		size_t index = number_of(s->text + b->start);
		bool digits = digits_of(s->text + b->start) + b->start + 1 == s->text_size;
		bool empty = s->text_size == b->start + 1;
		s->text_size = b->start;
		if (empty)
			return ERR_OK;
		if (!digits || index >= b->n_strings)
			return ERR_FILE_DAMAGED;
		*offset = b->strings[index];
		return ERR_OK;
	}
	if (b->formula && s->text_size == b->start && strcmp(b->type, "n") == 0) {
		*flags = CELL_ERROR;
		err = collected_replace(b, _("#未计算"));
	} else if (strcmp(b->type, "n") == 0) {
		err = number_finish(b, flags);
	} else if (strcmp(b->type, "b") == 0 && s->text_size > b->start) {
		err = collected_replace(b, s->text[b->start] == '1' ? "TRUE" : "FALSE");
	} else if (strcmp(b->type, "e") == 0) {
		*flags = CELL_ERROR;
	} else if (strcmp(b->type, "d") == 0 && s->text_size > b->start + 10) {
		*flags = CELL_DATE; /* ISO 8601: the time behind the day is dropped */
		s->text_size = b->start + 10;
	} else {
		escapes_undo(s, b->start);
	}
	return err ? err : sheet_text_close(s, b->start, offset);
}

static enum err cell_end(struct book *b)
{
	uint32_t offset = 0;
	unsigned flags = 0;
	enum err err = value_finish(b, &offset, &flags);

	if (!err && offset)
		err = sheet_cell_add(b->sheet, b->column, offset, flags);
	b->column++;
	b->in_cell = false;
	return err;
}

static enum err sheet_end(void *user, const char *name)
{
	struct book *b = user;

	if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
		b->collecting = false;
	else if (strcmp(name, "rPh") == 0)
		b->phonetic--;
	else if (strcmp(name, "c") == 0)
		return cell_end(b);
	return ERR_OK;
}

static enum err part_read(struct book *b, const char *path, const struct xlsx_handler *handler)
{
	bool own;
	enum err err = xlsx_part_parse(b->package, path, handler, b, &own, b->problem);

	if (own)
		sheet_problem(b->problem, err, b->name, b->row,
			err == ERR_FILE_LIMIT ? _("行、列或单元格太多或太长，请分成几个文件") : NULL);
	return err;
}

/* Which Office file it is instead, when there is no workbook inside. */
static enum err foreign_package(struct book *b)
{
	const char *kind = _("这不是 Excel 工作簿");

	if (xlsx_part_exists(b->package, "xl/workbook.bin"))
		kind = _("这是 .xlsb 工作簿");
	else if (xlsx_part_exists(b->package, "word/document.xml"))
		return problem_set(b->problem, ERR_FILE_FORMAT, NULL,
			_("把里面的表格复制到 WPS 表格或 Excel 的空白工作簿，存成 .xlsx，再导入"),
			_("%s：这是 Word 文档"), b->name);
	else if (xlsx_part_exists(b->package, "content.xml"))
		kind = _("这是 OpenDocument 文件");
	else if (xlsx_part_exists(b->package, "Index/Document.iwa"))
		return problem_set(b->problem, ERR_FILE_FORMAT, NULL,
			_("请在 Numbers 里点“文件→导出为→Excel”，再导入导出的 .xlsx"),
			_("%s：这是 Numbers 表格"), b->name);
	return problem_set(
		b->problem, ERR_FILE_FORMAT, NULL, sheet_advice_save_as(), _("%s：%s"), b->name, kind);
}

/* Finds the workbook, the wanted sheet and the parts that it needs. */
static enum err book_open(struct book *b)
{
	static const struct xlsx_handler root = {.begin = root_begin}, workbook = {.begin = workbook_begin},
					 relations = {.begin = relations_begin};
	char path[PATH_MAX_BYTES + 16];
	enum err err = ERR_OK;

	if (xlsx_part_exists(b->package, "_rels/.rels"))
		err = part_read(b, "_rels/.rels", &root);
	if (err)
		return err;
	if (!*b->workbook)
		strcpy(b->workbook, "xl/workbook.xml");
	if (!xlsx_part_exists(b->package, b->workbook) || ends_with(b->workbook, ".bin"))
		return foreign_package(b);
	if ((err = part_read(b, b->workbook, &workbook)))
		return err;
	if (!b->n_pages && strncmp(b->workbook, "xl/", 3) != 0) /* its main part is another program's */
		return foreign_package(b);
	bool visible = false;
	for (size_t i = 0; i < b->n_pages; i++)
		visible |= !b->pages[i].hidden;
	if (!visible)
		return problem_set(b->problem, b->wanted ? ERR_FILE_FORMAT : ERR_FILE_DAMAGED, NULL,
			b->wanted ? _("请在 --sheet 后写其中一个") : _("请用 --sheet 指定一张"),
			b->wanted ? _("%s：没有工作表“%s”，有：%s") : _("%s：工作表%s都隐藏了：%s"), b->name,
			b->wanted ? b->wanted : "", b->names);
	const char *slash = strrchr(b->workbook, '/');
	int folder = slash ? (int)(slash - b->workbook) + 1 : 0;
	snprintf(b->base, sizeof b->base, "%.*s", folder, b->workbook);
	snprintf(path, sizeof path, "%s_rels/%s.rels", b->base, b->workbook + folder);
	return part_read(b, path, &relations);
}

static enum err page_read(struct book *b, const struct page *page)
{
	static const struct xlsx_handler sheet = {
		.begin = sheet_begin, .end = sheet_end, .text = collect_text};
	enum err err = sheet_page_begin(b->sheet, page->title, page->hidden);

	b->row = 0;
	b->n_areas = 0;
	b->in_cell = b->collecting = false;
	b->phonetic = 0;
	if (err)
		return sheet_problem(b->problem, err, b->name, 0, NULL);
	if (page->hidden)
		return ERR_OK;
	if ((err = part_read(b, page->path, &sheet)))
		return err;
	err = sheet_page_end(b->sheet, b->areas, b->n_areas);
	if (err == ERR_FILE_LIMIT)
		return sheet_problem(b->problem, err, b->name, 0, _("合并的单元格太多，请取消合并"));
	return err ? sheet_problem(b->problem, err, b->name, 0, sheet_advice_save_as()) : ERR_OK;
}

/* A sheet over a limit beside others, a dictionary of all villages say, is left out by name: the class lists
 * are still read. */
static enum err page_try(struct book *b, const struct page *page)
{
	struct sheet *s = b->sheet;
	size_t rows = s->n_rows, cells = s->n_cells, text = s->text_size;
	enum err err = page_read(b, page);

	if (err != ERR_FILE_LIMIT || b->n_pages < 2)
		return err;
	s->n_rows = rows;
	s->n_cells = cells;
	s->text_size = text;
	s->mixed_rows = s->mixed_cells = false;
	s->pages[s->n_pages - 1].n = 0;
	s->pages[s->n_pages - 1].big = true;
	return ERR_OK;
}

static enum err book_read(struct book *b)
{
	static const struct xlsx_handler styles = {.begin = styles_begin, .end = styles_end},
					 strings = {.begin = strings_begin,
						 .end = strings_end,
						 .text = collect_text};
	enum err err = book_open(b);

	/* Both are optional: SheetJS writes no shared strings. */
	if (!err && xlsx_part_exists(b->package, b->styles_path))
		err = part_read(b, b->styles_path, &styles);
	if (!err && xlsx_part_exists(b->package, b->strings_path))
		err = part_read(b, b->strings_path, &strings);
	for (size_t i = 0; !err && i < b->n_pages; i++)
		err = page_try(b, &b->pages[i]);
	return err;
}

enum err xlsx_read(struct sheet *s, const void *bytes, size_t n, const char *name, const char *sheet_name,
	struct problem *p)
{
	struct book *b = calloc(1, sizeof *b);
	enum err err;

	if (!b)
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	b->sheet = s;
	b->name = name;
	b->wanted = sheet_name;
	b->problem = p;
	err = xlsx_package_open(&b->package, bytes, n, name, p);
	if (!err)
		err = book_read(b);
	xlsx_package_close(b->package);
	free(b->pages);
	free(b->formats);
	free(b->codes);
	free(b->strings);
	free(b->areas);
	free(b);
	return err;
}
