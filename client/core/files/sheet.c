#include "sheet_build.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_name.h"
#include "lang.h"

/* Makes room for `more` further items; doubling keeps the number of copies small. */
static enum err room_make(void **array, size_t *room, size_t used, size_t more, size_t item)
{
	size_t want = *room ? *room : 256;

	if (used + more <= *room)
		return ERR_OK;
	while (want < used + more)
		want *= 2;
	void *grown = realloc(*array, want * item);
	if (!grown)
		return ERR_NOMEM;
	*array = grown;
	*room = want;
	return ERR_OK;
}

enum err sheet_text_append(struct sheet *s, const char *bytes, size_t n)
{
	void *text = s->text;

	if (n > SHEET_TEXT_MAX - s->text_size)
		return ERR_FILE_LIMIT;
	enum err err = room_make(&text, &s->text_room, s->text_size, n, 1);
	s->text = text;
	if (err)
		return err;
	memcpy(s->text + s->text_size, bytes, n);
	s->text_size += n;
	return ERR_OK;
}

/* ="text" and '="text" made text; a doubled quote inside is one. */
static void formula_unwrap(struct sheet *s, size_t start)
{
	char *text = s->text + start, *to = text;
	size_t n = s->text_size - start, skip = n && *text == '\'';

	if (n < skip + 3 || memcmp(text + skip, "=\"", 2) != 0 || text[n - 1] != '"')
		return;
	for (size_t i = skip + 2; i < n - 1; i++) {
		*to++ = text[i];
		i += text[i] == '"' && text[i + 1] == '"' && i + 2 < n;
	}
	s->text_size = (size_t)(to - s->text);
}

enum err sheet_text_close(struct sheet *s, size_t start, uint32_t *offset)
{
	*offset = 0;
	formula_unwrap(s, start);
	if (s->text_size == start)
		return ERR_OK;
	if (s->text_size - start > SHEET_CELL_MAX)
		return ERR_FILE_LIMIT;
	*offset = (uint32_t)start;
	return sheet_text_append(s, "", 1);
}

static int compare_cells(const void *a, const void *b)
{
	const struct sheet_cell *x = a, *y = b;

	return (x->column > y->column) - (x->column < y->column);
}

static int compare_rows(const void *a, const void *b)
{
	const struct sheet_row *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Puts the last row in order, or drops it when it is empty. */
static enum err row_finish(struct sheet *s)
{
	bool mixed = s->mixed_cells;

	s->mixed_cells = false;
	if (!s->n_rows)
		return ERR_OK;
	struct sheet_row *row = &s->rows[s->n_rows - 1];
	struct sheet_cell *cells = s->cells + row->first;
	if (!row->n)
		s->n_rows--;
	if (!mixed)
		return ERR_OK;
	qsort(cells, row->n, sizeof *cells, compare_cells);
	for (size_t i = 1; i < row->n; i++)
		if (cells[i].column == cells[i - 1].column)
			return ERR_FILE_DAMAGED;
	return ERR_OK;
}

enum err sheet_row_begin(struct sheet *s, uint32_t number)
{
	void *rows = s->rows;
	enum err err = row_finish(s);

	if (err)
		return err;
	s->mixed_rows |=
		s->n_rows > s->pages[s->n_pages - 1].first && number <= s->rows[s->n_rows - 1].number;
	err = room_make(&rows, &s->rows_room, s->n_rows, 1, sizeof *s->rows);
	s->rows = rows;
	if (err)
		return err;
	s->rows[s->n_rows++] = (struct sheet_row){.number = number, .first = (uint32_t)s->n_cells};
	return ERR_OK;
}

enum err sheet_cell_add(struct sheet *s, size_t column, uint32_t offset, unsigned flags)
{
	struct sheet_row *row = &s->rows[s->n_rows - 1];
	void *cells = s->cells;

	if (column >= SHEET_COLUMNS_MAX || s->n_cells >= SHEET_CELLS_MAX || s->n_rows > SHEET_ROWS_MAX)
		return ERR_FILE_LIMIT;
	s->mixed_cells |= row->n && column <= s->cells[s->n_cells - 1].column;
	enum err err = room_make(&cells, &s->cells_room, s->n_cells, 1, sizeof *s->cells);
	s->cells = cells;
	if (err)
		return err;
	s->cells[s->n_cells++] =
		(struct sheet_cell){.offset = offset, .column = (uint16_t)column, .flags = (uint16_t)flags};
	row->n++;
	if (column >= s->n_columns)
		s->n_columns = column + 1;
	return ERR_OK;
}

enum err sheet_page_begin(struct sheet *s, const char *name, bool hidden)
{
	void *pages = s->pages;

	if (s->n_pages >= SHEET_PAGES_MAX)
		return ERR_FILE_LIMIT;
	enum err err = room_make(&pages, &s->pages_room, s->n_pages, 1, sizeof *s->pages);
	s->pages = pages;
	if (err)
		return err;
	struct sheet_page *page = &s->pages[s->n_pages++];
	*page = (struct sheet_page){.hidden = hidden, .first = s->n_rows};
	snprintf(page->name, sizeof page->name, "%s", name);
	return ERR_OK;
}

static const struct sheet_cell *cell_find(const struct sheet *s, size_t row, size_t column)
{
	const struct sheet_row *r = &s->rows[row];
	const struct sheet_cell *cells = s->cells + r->first;
	size_t low = 0, high = r->n;

	if (column < r->n && cells[column].column == column) /* the usual row has no gaps */
		return &cells[column];
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (cells[middle].column < column)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->n && cells[low].column == column ? &cells[low] : NULL;
}

const char *sheet_text(const struct sheet *s, size_t row, size_t column)
{
	const struct sheet_cell *cell = cell_find(s, row, column);

	return cell ? s->text + cell->offset : "";
}

unsigned sheet_flags(const struct sheet *s, size_t row, size_t column)
{
	const struct sheet_cell *cell = cell_find(s, row, column);

	return cell ? cell->flags : 0;
}

/* A cell that a merged area adds to a row. */
struct spread {
	uint32_t row; /* index */
	struct sheet_cell cell;
};

static int spread_compare(const void *a, const void *b)
{
	const struct spread *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return (x->cell.column > y->cell.column) - (x->cell.column < y->cell.column);
}

/* The index of the first kept row of the last page from this number on. */
static size_t row_from(const struct sheet *s, uint32_t number)
{
	size_t low = s->pages[s->n_pages - 1].first, high = s->n_rows;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What the merged areas add, and how many cells were looked at: areas over each other could be without
 * end. */
struct spread_list {
	struct spread *items;
	size_t n, room, visited;
};

/* Collects the empty cells of one area. */
static enum err area_spread(const struct sheet *s, const struct sheet_area *area, struct spread_list *list)
{
	size_t row = row_from(s, area->top);
	const struct sheet_cell *origin;

	if (row == s->n_rows || s->rows[row].number != area->top || !(origin = cell_find(s, row, area->left)))
		return ERR_OK;
	for (; row < s->n_rows && s->rows[row].number <= area->bottom; row++)
		for (uint32_t column = area->left; column <= area->right && column < SHEET_COLUMNS_MAX;
			column++) {
			void *items = list->items;
			if (++list->visited > SHEET_CELLS_MAX || list->n >= SHEET_MERGED_MAX)
				return ERR_FILE_LIMIT;
			if (cell_find(s, row, column))
				continue;
			enum err err = room_make(&items, &list->room, list->n, 1, sizeof *list->items);
			list->items = items;
			if (err)
				return err;
			struct sheet_cell cell = *origin;
			cell.column = (uint16_t)column;
			cell.flags |= (uint16_t)((column > area->left ? CELL_FROM_LEFT : 0) |
				(s->rows[row].number > area->top ? CELL_FROM_ABOVE : 0));
			list->items[list->n++] = (struct spread){(uint32_t)row, cell};
		}
	return ERR_OK;
}

/* Takes the added cells (sorted) into the rows: two sorted lists made one. */
static enum err spreads_take(struct sheet *s, const struct spread *spreads, size_t n)
{
	struct sheet_cell *cells = malloc((s->n_cells + n) * sizeof *cells);
	size_t used = 0, next = 0;

	if (!cells)
		return ERR_NOMEM;
	for (size_t r = 0; r < s->n_rows; r++) {
		struct sheet_row *row = &s->rows[r];
		size_t first = used, i = 0;
		while (i < row->n || (next < n && spreads[next].row == r)) {
			bool own = i < row->n &&
				(next == n || spreads[next].row != r ||
					s->cells[row->first + i].column < spreads[next].cell.column);
			struct sheet_cell cell = own ? s->cells[row->first + i++] : spreads[next++].cell;
			/* Areas that overlap, which no program writes, would give a column twice. */
			if (used == first || cells[used - 1].column < cell.column)
				cells[used++] = cell;
			if (cell.column >= s->n_columns)
				s->n_columns = cell.column + 1u;
		}
		row->first = (uint32_t)first;
		row->n = (uint32_t)(used - first);
	}
	free(s->cells);
	s->cells = cells;
	s->n_cells = used;
	s->cells_room = used;
	return ERR_OK;
}

static enum err areas_merge(struct sheet *s, const struct sheet_area *areas, size_t n)
{
	struct spread_list list = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < n; i++)
		err = area_spread(s, &areas[i], &list);
	if (!err && list.n) {
		qsort(list.items, list.n, sizeof *list.items, spread_compare);
		err = spreads_take(s, list.items, list.n);
	}
	free(list.items);
	return err;
}

enum err sheet_page_end(struct sheet *s, const struct sheet_area *areas, size_t n)
{
	struct sheet_page *page = &s->pages[s->n_pages - 1];
	enum err err = s->n_rows > page->first ? row_finish(s) : ERR_OK;
	struct sheet_row *rows = s->rows + page->first;

	if (err)
		return err;
	page->n = s->n_rows - page->first;
	if (s->mixed_rows)
		qsort(rows, page->n, sizeof *rows, compare_rows);
	for (size_t i = 1; s->mixed_rows && i < page->n; i++)
		if (rows[i].number == rows[i - 1].number)
			return ERR_FILE_DAMAGED;
	s->mixed_rows = false;
	return areas_merge(s, areas, n);
}

enum err sheet_problem(struct problem *p, enum err err, const char *name, uint32_t row, const char *hint)
{
	const char *what = _(err_info(err)->sentence);

	if (row)
		problem_set(p, err, NULL, hint, _("%s：第 %u 行：%s"), name, row, what);
	else
		problem_set(p, err, NULL, hint, _("%s：%s"), name, what);
	if (p)
		p->row = (long)row;
	return err;
}

static bool starts_with(const unsigned char *bytes, size_t n, const char *magic, size_t length)
{
	return n >= length && memcmp(bytes, magic, length) == 0;
}

const char *sheet_advice_save_as(void)
{
	return _("请用 WPS 或 Excel 打开，点“文件→另存为”，类型选“Excel 工作簿 (*.xlsx)”，再导入另存的文件");
}

static const char *advice_retype(void)
{
	return _("里面的字读不出来：请向制表人要 Excel 原表；"
		 "没有原表时在 WPS 或 Excel 里录入，点“文件→另存为”.xlsx");
}

static const char *advice_unpack(void)
{
	return _("请右键点它，选“解压到当前文件夹”，再导入里面的 .xlsx");
}

static const char *advice_encoding(void)
{
	return _("请用记事本打开，点“文件→另存为”，编码选“UTF-8”，再导入另存的文件");
}

/* A NUL that is no padding: padding stands where a line begins, and ends with the file or the padding. */
static bool has_stray_nul(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i])
			continue;
		size_t end = i;
		while (end < n && !bytes[end])
			end++;
		if (end < n && i && !strchr("\r\n\x1A", bytes[i - 1]))
			return true;
		i = end;
	}
	return n && !bytes[0];
}

struct foreign {
	const char *magic;
	size_t length;
	const char *text;
	const char *(*advice)(void);
};

/* What is surely no sheet, by its first bytes; NULL for what may be a .csv. */
static const struct foreign *foreign_kind(const unsigned char *bytes, size_t n)
{
	static const struct foreign kinds[] = {{"%PDF", 4, N_("这是 PDF 文件"), advice_retype},
		{"\xFF\xD8\xFF", 3, N_("这是图片 (JPEG)"), advice_retype},
		{"\x89PNG", 4, N_("这是图片 (PNG)"), advice_retype},
		{"GIF8", 4, N_("这是图片 (GIF)"), advice_retype},
		{"Rar!", 4, N_("这是 RAR 压缩包"), advice_unpack},
		{"7z\xBC\xAF", 4, N_("这是 7z 压缩包"), advice_unpack},
		{"\x1F\x8B", 2, N_("这是 gzip 压缩包"), advice_unpack},
		{"\xFF\xFE\0\0", 4, N_("这是 Unicode 文本 (UTF-32)"), advice_encoding},
		{"\0\0\xFE\xFF", 4, N_("这是 Unicode 文本 (UTF-32)"), advice_encoding},
		{"\xFF\xFE", 2, N_("这是 Unicode 文本 (UTF-16)"), advice_encoding},
		{"\xFE\xFF", 2, N_("这是 Unicode 文本 (UTF-16)"), advice_encoding},
		{"{\\rtf", 5, N_("这是 RTF 文件"), sheet_advice_save_as}};
	static const struct foreign binary = {.text = N_("这不是表格文件"), .advice = sheet_advice_save_as};
	static const struct foreign page = {
		.text = N_("这是网页或 XML 文件"), .advice = sheet_advice_save_as};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (starts_with(bytes, n, kinds[i].magic, kinds[i].length))
			return &kinds[i];
	if (has_stray_nul(bytes, n))
		return &binary;
	/* Web pages and XML named .xls, as some systems export them. */
	size_t i = starts_with(bytes, n, "\xEF\xBB\xBF", 3) ? 3 : 0;
	while (i < n && bytes[i] && strchr(" \r\n\t", bytes[i]))
		i++;
	if (i + 1 < n && bytes[i] == '<' &&
		(bytes[i + 1] == '!' || bytes[i + 1] == '?' || isalpha(bytes[i + 1])))
		return &page;
	return NULL;
}

#define OLE_MAGIC "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

static enum err ole_refuse(const void *bytes, size_t n, const char *name, struct problem *p)
{
	static const char encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";

	if (memmem(bytes, n, encrypted, sizeof encrypted - 1))
		return problem_set(p, ERR_FILE_FORMAT, NULL,
			_("请用 WPS 或 Excel 打开，点“文件→信息→保护工作簿”取消密码，再“另存为”.xlsx 导入"),
			_("%s：工作簿有打开密码"), name);
	return problem_set(p, ERR_FILE_FORMAT, NULL, sheet_advice_save_as(),
		_("%s：这是旧版 .xls 或其他 Office 文件"), name);
}

/* Chooses the reader by the bytes. */
static enum err sheet_fill(struct sheet *s, const void *bytes, size_t n, const char *name,
	const char *sheet_name, struct problem *p)
{
	const struct foreign *foreign;

	if (n == 0)
		return problem_set(p, ERR_FILE_DAMAGED, NULL,
			_("请找填过的那一份：看看是不是选错了文件，或没有拷贝完"), _("%s：文件是空的"), name);
	if (n > SHEET_FILE_MAX)
		return problem_set(p, ERR_FILE_LIMIT, NULL, _("请去掉图片或分成几个文件"),
			_("%s：文件超过 %u MiB"), name, SHEET_FILE_MAX >> 20);
	if (starts_with(bytes, n, OLE_MAGIC, sizeof OLE_MAGIC - 1))
		return ole_refuse(bytes, n, name, p);
	if (starts_with(bytes, n, "PK\3\4", 4) || starts_with(bytes, n, "PK\5\6", 4))
		return xlsx_read(s, bytes, n, name, sheet_name, p);
	if ((foreign = foreign_kind(bytes, n)))
		return problem_set(
			p, ERR_FILE_FORMAT, NULL, foreign->advice(), _("%s：%s"), name, _(foreign->text));
	if (sheet_name)
		return problem_set(p, ERR_FILE_FORMAT, NULL, NULL,
			_("%s：CSV 文件没有工作表“%s”，请去掉 --sheet"), name, sheet_name);
	return csv_read(s, bytes, n, name, p);
}

enum err sheet_read_memory(const void *bytes, size_t n, const char *name, const char *sheet_name,
	struct sheet **out, struct problem *p)
{
	struct sheet *s = calloc(1, sizeof *s);
	enum err err;

	*out = NULL;
	if (!s || sheet_text_append(s, "", 1)) {
		sheet_free(s);
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	}
	err = sheet_fill(s, bytes, n, name, sheet_name, p);
	if (err) {
		sheet_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void sheet_free(struct sheet *s)
{
	if (!s)
		return;
	free(s->text);
	free(s->cells);
	free(s->rows);
	free(s->pages);
	free(s);
}

/* Reads all of an open file, at most one byte more than the limit so that the limit can be told. */
static enum err file_bytes(int fd, size_t size, const char *name, char **bytes, size_t *n, struct problem *p)
{
	size_t room = size > SHEET_FILE_MAX ? SHEET_FILE_MAX + 1 : size + 1;

	*n = 0;
	*bytes = malloc(room);
	if (!*bytes)
		return sheet_problem(p, ERR_NOMEM, name, 0, NULL);
	while (*n < room) {
		ssize_t got = read(fd, *bytes + *n, room - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return problem_set(
				p, ERR_FILE_IO, NULL, NULL, _("打不开 %s：%s"), name, file_error_text(errno));
		if (got == 0)
			break;
		*n += (size_t)got;
	}
	return ERR_OK;
}

enum err sheet_read_file(const char *path, const char *sheet_name, struct sheet **out, struct problem *p)
{
	char *bytes = NULL, name[FILE_NAME_TEXT_MAX];
	size_t size, n;

	file_name_text(name, sizeof name, path);
	*out = NULL;
	int fd = file_open(path, &size, p);
	if (fd < 0)
		return ERR_FILE_IO;
	enum err err = file_bytes(fd, size, name, &bytes, &n, p);
	close(fd);
	if (!err)
		err = sheet_read_memory(bytes, n, name, sheet_name, out, p);
	free(bytes);
	return err;
}
