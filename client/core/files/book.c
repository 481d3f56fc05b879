#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "sheet_write.h"

/* How near a sheet came to be the table: no header at all, a header that lacks something, rows that cannot be
 * read. */
static int nearness(enum err e, const struct problem *p)
{
	if (e == ERR_FILE_HEADER && !p->row)
		return 0;
	if (e == ERR_USAGE)
		return 1;
	return 2;
}

/* Sheets that explain: what looks like a table there is an example. They are read only when nothing else is
 * the table. */
static bool explains(const struct sheet_page *page)
{
	static const char *const words[] = {
		"说明", "须知", "示例", "样例", "范例", "例表", "字典", "代码", "下拉"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(page->name, words[i]))
			return true;
	return false;
}

static void note_left_out(struct book *b, const struct sheet_page *page, const char *why)
{
	struct book_left *left = &b->left[b->n_left++];

	left->page = page;
	snprintf(left->why, sizeof left->why, "%s", why);
}

/* One sheet: taken, left aside, or the reason why nothing may be read when no other does. */
static enum err page_take(struct book *b, const struct sheet *sheet, size_t i, const struct book_wants *w,
	struct problem *nearest)
{
	const struct sheet_page *page = &sheet->pages[i];
	struct problem p = {0};
	struct table *t;
	enum err e = table_open(&t, sheet, i, &w->table, &p);

	if (!e && w->usable)
		e = w->usable(w->data, t, page, &p);
	if (!e && b->n && !table_same_columns(b->tables[0].table, t)) {
		note_left_out(b, page, _("列与前面的工作表不同；要读它请用 --sheet"));
		table_free(t);
		return ERR_OK;
	}
	if (!e) {
		b->tables[b->n++] = (struct book_table){t, page};
		return ERR_OK;
	}
	table_free(t);
	if (e == ERR_NOMEM || e == ERR_INTERNAL) {
		*nearest = p;
		return e;
	}
	note_left_out(b, page, p.message);
	if (!nearest->code || nearness(e, &p) > nearness(nearest->code, nearest))
		*nearest = p;
	return ERR_OK;
}

/* What is no question of its columns: our own list of choices, hidden and too big ones. */
static bool left_aside(struct book *b, const struct sheet_page *page)
{
	if (strcmp(page->name, SHEET_CHOICES) == 0)
		b->form = true; /* that was filled */
	else if (page->hidden)
		note_left_out(b, page, _("隐藏的工作表；要读它请用 --sheet"));
	else if (page->big)
		note_left_out(b, page, _("行、列或单元格太多；要读它请分成几个文件"));
	else
		return false;
	return true;
}

enum err book_open(
	struct book *out, const struct sheet *sheet, const struct book_wants *wants, struct problem *p)
{
	struct problem nearest = {0};
	enum err e = ERR_OK;

	*out = (struct book){0};
	out->tables = calloc(sheet->n_pages + 1, sizeof *out->tables);
	out->left = calloc(sheet->n_pages + 1, sizeof *out->left);
	if (!out->tables || !out->left)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	for (size_t i = 0; !e && i < sheet->n_pages; i++)
		if (!left_aside(out, &sheet->pages[i]) && (sheet->pages[i].n || sheet->n_pages == 1) &&
			(!explains(&sheet->pages[i]) || sheet->n_pages == 1))
			e = page_take(out, sheet, i, wants, &nearest);
	for (size_t i = 0; !e && i < sheet->n_pages; i++) {
		const struct sheet_page *page = &sheet->pages[i];
		if (!page->n || !explains(page) || strcmp(page->name, SHEET_CHOICES) == 0 ||
			sheet->n_pages == 1)
			continue;
		if (out->n)
			note_left_out(out, page, _("看名字是说明；要读它请用 --sheet"));
		else
			e = page_take(out, sheet, i, wants, &nearest);
	}
	if (!e && out->n)
		return ERR_OK;
	if (!nearest.code) /* nothing but empty, hidden or big sheets */
		problem_set(&nearest, ERR_FILE_HEADER, NULL, _("请检查文件，或用 --sheet 指定工作表"),
			_("没有可读的工作表：空的、隐藏的或太大"));
	if (p)
		*p = nearest;
	return nearest.code;
}

void book_close(struct book *b)
{
	for (size_t i = 0; i < b->n; i++)
		table_free(b->tables[i].table);
	free(b->tables);
	free(b->left);
	*b = (struct book){0};
}
