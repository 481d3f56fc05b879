#include <stdio.h>

#include "admin.h"
#include "codes.h"
#include "lang.h"
#include "text.h"
#include "whole_file.h"

void report_text(FILE *out, const char *text)
{
	for (; text && *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			putc(*text, out);
		}
}

const char report_style[] =
	"body{font-family:'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em "
	"auto;max-width:70em;color:#222}\n"
	"table{border-collapse:collapse;width:100%;margin:1em 0}th,td{border:1px solid "
	"#bbb;padding:.3em .6em;text-align:left}\n"
	"td.n,th.n{text-align:right}tr.total{font-weight:bold;background:#f3f3f3}.zero{color:#07772f}"
	".bad{color:#b00020;font-weight:bold}\n"
	".bar{display:flex;height:.9em;min-width:10em;background:#eee}.bar i{display:block}\n"
	".c{background:#2e8b57}.p{background:#e0a800}.e{background:#888}.o{background:#c0392b}.drill{"
	"color:#b00020;font-size:1.4em}\n"
	"@media print{body{margin:0}}\n";

/* now_us: of the county's clock, which a rehearsal moves. */
static void head(FILE *out, const pb_summary_reply *s, int32_t year, int64_t now_us)
{
	char now[FACE_SIZE], day[FACE_SIZE];

	fputs("<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>", out);
	fprintf(out, _("%d 小升初"), year);
	fprintf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", report_style);
	char title[256];
	snprintf(title, sizeof title, _("%s %d 年小升初情况"), s->county_name, year);
	report_text(out, title);
	fputs("</h1>\n", out);
	if (s->rehearsal)
		fprintf(out, "<p class=\"drill\">%s</p>\n", _("演练：以下数据不是真实情况"));
	fprintf(out, _("<p>核对日期 %s，生成时间 %s</p>\n"), face_date(day, s->as_of),
		face_time(now, now_us, 0));
}

static void bar(FILE *out, const pb_summary_row *r)
{
	const struct {
		uint32_t n;
		char class;
	} parts[] = {{r->confirmed, 'c'}, {r->provisional, 'p'}, {r->exempt, 'e'}, {r->open, 'o'}};

	fputs("<td><span class=\"bar\">", out);
	for (int i = 0; i < 4 && r->baseline; i++)
		fprintf(out, "<i class=\"%c\" style=\"width:%.1f%%\"></i>", parts[i].class,
			100.0 * parts[i].n / r->baseline);
	fputs("</span></td>", out);
}

static void count_row(FILE *out, const pb_summary_row *r, const char *name, bool total)
{
	fprintf(out, "<tr%s><td>%s</td><td>", total ? " class=\"total\"" : "", r->code ? r->code : "");
	report_text(out, name);
	fprintf(out,
		"</td><td class=n>%u</td><td class=n>%u</td><td class=n>%u</td><td class=n>%u</td><td "
		"class=n>%s%u%s</td><td class=\"n %s\">%d</td>",
		r->baseline, r->confirmed, r->provisional, r->exempt,
		r->open && !total ? "<a href=\"#open\">" : "", r->open, r->open && !total ? "</a>" : "",
		r->residual ? "bad" : "zero", r->residual);
	bar(out, r);
	fputs("</tr>\n", out);
}

static const char *text_at(json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

/* Every number opens into names; the names are masked, the file leaves the building. */
static void open_rows(FILE *out, const struct cli *c, json_t *rows)
{
	json_t *row, *code;
	size_t i, k;
	char name[200], no[64];

	json_array_foreach(rows, i, row)
	{
		json_t *student = json_object_get(row, "student");
		if (text_mask_name(name, sizeof name, text_at(student, "name")))
			name[0] = 0;
		if (text_mask_id(no, sizeof no, text_at(student, "cert_no")))
			no[0] = 0;
		fputs("<tr><td>", out);
		report_text(out, name);
		fprintf(out, "</td><td>%s</td><td>", no);
		if (!json_array_size(json_object_get(row, "codes")))
			fputs(_("期限未到"), out);
		json_array_foreach(json_object_get(row, "codes"), k, code) fprintf(
			out, "%s%s", k ? _("；") : "", admin_word(&codes_mismatch, json_string_value(code)));
		fprintf(out, "</td><td>%s</td>", admin_word(&codes_severity, text_at(row, "severity")));
		const char *const schools[] = {text_at(row, "source_school"), text_at(row, "dest_school")};
		for (int n = 0; n < 2; n++) {
			fputs("<td>", out);
			report_text(out, admin_school(c, schools[n]));
			fputs("</td>", out);
		}
		fprintf(out, "<td>%s</td></tr>\n", admin_state(text_at(row, "state")));
	}
}

enum err report_html(const struct cli *c, const char *path, const pb_summary_reply *s, json_t *mismatches,
	int32_t year, struct problem *p)
{
	struct whole_file file;
	enum err e = whole_file_open(&file, path, 0666, p);

	if (e)
		return e;
	FILE *out = file.out;
	head(out, s, year, profile_now_us(&c->profile));
	fputs(_("<table><tr><th>学校标识码<th>学校<th class=n>应升学人数<th class=n>已确认<th class=n>待核<th"
		" class=n>除外<th class=n>未落实<th class=n>差额<th></tr>\n"),
		out);
	for (size_t i = 0; i < s->n_school; i++)
		count_row(out, s->school[i], s->school[i]->name, false);
	count_row(out, s->total, _("合计"), true);
	fprintf(out, "</table>\n<h2 id=\"open\">%s</h2>\n%s", _("需要办理的学生"),
		_("<table><tr><th>姓名<th>号码<th>问题<th>程度<th>生源小学<th>拟升初中<th>结果</tr>\n"));
	open_rows(out, c, mismatches);
	fputs("</table></body></html>\n", out);
	return whole_file_close(&file, true, p);
}
