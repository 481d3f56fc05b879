#include "report_documents.h"

#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "clock.h"
#include "lang.h"
#include "sheet_write.h"
#include "whole_file.h"

#define OPEN_COLUMNS 7
static const char *const open_keys[OPEN_COLUMNS] = {"lamp", "due", "number", "title", "step", "with", "days"};

static const char *open_heading(int i)
{
	static const char *const headings[OPEN_COLUMNS] = {
		N_("时限"), N_("到期"), N_("文号"), N_("标题"), N_("待办"), N_("由谁办"), N_("已过工作日")};

	return _(headings[i]);
}

static const char *text_at(json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static unsigned number_at(json_t *row, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(row, key));
}

static double mean_at(json_t *row)
{
	return json_real_value(json_object_get(row, "mean_days"));
}

const char *documents_rate(const struct documents_month *m, char *out, size_t size)
{
	if (m->tasks)
		snprintf(out, size, "%.2f%%", 100.0 * m->on_time / m->tasks);
	else
		snprintf(out, size, "–");
	return out;
}

struct count {
	const char *label;
	char text[24];
};

#define COUNTS 6
static void counts(const struct documents_month *m, struct count out[COUNTS])
{
	const char *const labels[COUNTS] = {
		_("收文件数"), _("印发件数"), _("办结件数"), _("归档件数"), _("按时率"), _("期末在办")};
	const unsigned n[COUNTS] = {m->received, m->issued, m->closed, m->archived, 0, m->stuck};

	for (int i = 0; i < COUNTS; i++) {
		out[i].label = labels[i];
		snprintf(out[i].text, sizeof out[i].text, "%u", n[i]);
	}
	documents_rate(m, out[4].text, sizeof out[4].text);
}

static const char *title_of(const struct documents_month *m, char *out, size_t size)
{
	snprintf(out, size, _("%d 年 %d 月办文情况"), m->month / 100, m->month % 100);
	return out;
}

/* ---- The page ---- */

static void head(FILE *out, const struct cli *c, const struct documents_month *m)
{
	char title[128], at[FACE_SIZE];

	fputs("<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>", out);
	report_text(out, title_of(m, title, sizeof title));
	fprintf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", report_style);
	report_text(out, c->profile.county_name);
	fputs(" ", out);
	report_text(out, title);
	fputs("</h1>\n", out);
	if (c->profile.rehearsal)
		fprintf(out, "<p class=\"drill\">%s</p>\n", _("演练：以下数据不是真实情况"));
	fputs("<p>", out);
	fprintf(out, _("截至 %s"), face_time(at, m->until, 0));
	fputs("</p>\n", out);
}

static void count_table(FILE *out, const struct documents_month *m)
{
	struct count list[COUNTS];

	counts(m, list);
	fputs("<table><tr>", out);
	for (int i = 0; i < COUNTS; i++)
		fprintf(out, "<th class=n>%s", list[i].label);
	fputs("</tr>\n<tr>", out);
	for (int i = 0; i < COUNTS; i++)
		fprintf(out, "<td class=n>%s%s%s</td>", i == COUNTS - 1 ? "<a href=\"#open\">" : "",
			list[i].text, i == COUNTS - 1 ? "</a>" : "");
	fputs("</tr></table>\n", out);
}

/* The longest bar is the step with the most tasks; green in time, red late. */
static void step_table(FILE *out, const struct documents_month *m)
{
	const char *const headings[] = {
		_("环节"), _("共几项"), _("按时"), _("超期"), _("平均工作日"), _("九成不超过")};
	unsigned most = 1;
	json_t *row;
	size_t i;

	json_array_foreach(m->steps, i, row) if (number_at(row, "n") > most) most = number_at(row, "n");
	fputs("<table><tr>", out);
	for (int k = 0; k < 6; k++)
		fprintf(out, "<th%s>%s", k ? " class=n" : "", headings[k]);
	fputs("<th></tr>\n", out);
	json_array_foreach(m->steps, i, row)
	{
		unsigned late = number_at(row, "late");
		fprintf(out,
			"<tr><td>%s</td><td class=n>%u</td><td class=n>%u</td><td class=\"n %s\">%u</td><td "
			"class=n>%.2f</td><td class=n>%u</td><td><span class=\"bar\"><i class=\"c\" "
			"style=\"width:%.1f%%\"></i><i class=\"o\" style=\"width:%.1f%%\"></i></span></td>"
			"</tr>\n",
			admin_word(&codes_document_step, text_at(row, "key")), number_at(row, "n"),
			number_at(row, "on_time"), late ? "bad" : "zero", late, mean_at(row),
			number_at(row, "p90_days"), 100.0 * number_at(row, "on_time") / most,
			100.0 * late / most);
	}
	fputs("</table>\n", out);
}

/* Every number opens into names. */
static void open_table(FILE *out, const struct documents_month *m)
{
	json_t *row;
	size_t i;

	fprintf(out, "<h2 id=\"open\">%s</h2>\n<table><tr>", _("期末在办"));
	for (int k = 0; k < OPEN_COLUMNS; k++)
		fprintf(out, "<th%s>%s", k == OPEN_COLUMNS - 1 ? " class=n" : "", open_heading(k));
	fputs("</tr>\n", out);
	json_array_foreach(m->open, i, row)
	{
		fputs("<tr>", out);
		for (int k = 0; k < OPEN_COLUMNS; k++) {
			bool red = !k && json_is_true(json_object_get(row, "red"));
			fprintf(out, "<td%s>", red ? " class=bad" : k == OPEN_COLUMNS - 1 ? " class=n" : "");
			report_text(out, text_at(row, open_keys[k]));
			fputs("</td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

enum err documents_month_html(
	const struct cli *c, const char *path, const struct documents_month *m, struct problem *p)
{
	struct whole_file file;
	enum err e = whole_file_open(&file, path, 0666, p);

	if (e)
		return e;
	head(file.out, c, m);
	count_table(file.out, m);
	step_table(file.out, m);
	open_table(file.out, m);
	fputs("</body></html>\n", file.out);
	return whole_file_close(&file, true, p);
}

/* ---- The workbook ---- */

static enum err count_rows(struct sheet_writer *w, const struct documents_month *m, struct problem *p)
{
	const char *const headings[] = {
		_("环节"), _("共几项"), _("按时"), _("超期"), _("平均工作日"), _("九成不超过")};
	const char *labels[COUNTS], *cells[COUNTS];
	struct count list[COUNTS];
	json_t *row;
	size_t i;

	counts(m, list);
	for (int k = 0; k < COUNTS; k++) {
		labels[k] = list[k].label;
		cells[k] = list[k].text;
	}
	enum err e = sheet_writer_row(w, labels, COUNTS, SHEET_HEADER, p);
	if (!e)
		e = sheet_writer_row(w, cells, COUNTS, SHEET_PLAIN, p);
	if (!e)
		e = sheet_writer_row(w, headings, 6, SHEET_HEADER, p);
	json_array_foreach(m->steps, i, row)
	{
		char n[5][24];
		const char *const line[] = {
			admin_word(&codes_document_step, text_at(row, "key")), n[0], n[1], n[2], n[3], n[4]};
		snprintf(n[0], sizeof n[0], "%u", number_at(row, "n"));
		snprintf(n[1], sizeof n[1], "%u", number_at(row, "on_time"));
		snprintf(n[2], sizeof n[2], "%u", number_at(row, "late"));
		snprintf(n[3], sizeof n[3], "%.2f", mean_at(row));
		snprintf(n[4], sizeof n[4], "%u", number_at(row, "p90_days"));
		if (!e)
			e = sheet_writer_row(w, line, 6, SHEET_PLAIN, p);
	}
	return e;
}

static enum err open_rows(struct sheet_writer *w, const struct documents_month *m, struct problem *p)
{
	const char *cells[OPEN_COLUMNS];
	enum err e = sheet_writer_page(w, _("期末在办"), p);
	json_t *row;
	size_t i;

	for (int k = 0; k < OPEN_COLUMNS; k++)
		cells[k] = open_heading(k);
	if (!e)
		e = sheet_writer_row(w, cells, OPEN_COLUMNS, SHEET_HEADER, p);
	json_array_foreach(m->open, i, row)
	{
		for (int k = 0; k < OPEN_COLUMNS; k++)
			cells[k] = text_at(row, open_keys[k]);
		bool red = json_is_true(json_object_get(row, "red"));
		if (!e)
			e = sheet_writer_row(w, cells, OPEN_COLUMNS, red ? SHEET_WRONG : SHEET_PLAIN, p);
	}
	return e;
}

enum err documents_month_sheet(const char *path, const struct documents_month *m, struct problem *p)
{
	struct sheet_writer *w;
	char title[128];
	enum err e = sheet_writer_open(&w, path, title_of(m, title, sizeof title), p);

	if (e)
		return e;
	e = count_rows(w, m, p);
	if (!e)
		e = open_rows(w, m, p);
	if (!e)
		return sheet_writer_close(w, p);
	sheet_writer_discard(w);
	return e;
}
