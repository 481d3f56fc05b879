/* 办文: what is asked of many papers at once – a year's numbers, how long tasks take, a
 * month. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "date.h"
#include "lang.h"
#include "report_documents.h"
#include "sheet_write.h"
#include "tables.h"
#include "whole_file.h"

/* ---- archive reconcile ---- */

struct reconciled {
	const struct cli *c;
	pb_document_reconciled counts; /* of the last page: they are the same on each */
	struct cli_table *table;
};

/* 张三（代 lisi）, or the school that has it. */
static const char *with_text(
	const struct cli *c, const char *with, const char *name, const char *for_whom, char *out, size_t size)
{
	if (*with && strcmp(with, name) == 0)
		return admin_school(c, with);
	if (*for_whom)
		snprintf(out, size, _("%s（代 %s）"), name, for_whom);
	else
		snprintf(out, size, "%s", *name ? name : _("没有定岗"));
	return out;
}

static bool reconciled_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_reconciled *page = (const pb_document_reconciled *)reply;
	struct reconciled *x = data;
	char with[160];

	x->counts = *page;
	for (size_t i = 0; i < page->n_row; i++) {
		const pb_document_open *d = page->row[i];
		cli_table_row(x->table,
			(const char *[]){admin_word(documents_states(d->kind), d->state),
				with_text(x->c, d->with, d->with_name, d->for_, with, sizeof with), d->number,
				d->title});
	}
	return true;
}

static int cmd_reconcile(struct cli *c)
{
	const char *headings[] = {_("状态"), _("由谁办"), _("文号"), _("标题")};
	struct reconciled x = {.c = c, .table = cli_table_new(headings, 4)};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	int code;

	if (!admin_year(c, &q.year, &code)) {
		cli_table_free(x.table);
		return code;
	}
	q.has_year = 1;
	admin_schools(c);
	if (admin_stream(c, METHOD_DOCUMENTS_RECONCILE_ARCHIVE, &q.base, reconciled_page, &x)) {
		cli_table_free(x.table);
		return cli_fail(c);
	}
	const pb_document_reconciled *n = &x.counts;
	cli_say(c, _("登记 %u = 归档 %u + 在办 %u + 作废 %u + 退文 %u"), n->registered, n->archived, n->open,
		n->void_, n->refused);
	if (n->residual)
		cli_say(c, _("差 %d：有编了号而查不到的公文"), n->residual);
	if (n->open)
		cli_table_print(c, x.table);
	else
		cli_table_free(x.table);
	return cli_result(c,
		json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "registered", (int)n->registered, "archived",
			(int)n->archived, "open", (int)n->open, "void", (int)n->void_, "refused",
			(int)n->refused, "residual", n->residual),
		0);
}

/* ---- turnaround ---- */

static const char *key_text(const struct cli *c, const char *by, const pb_turnaround_row *row)
{
	if (strcmp(by, "step") == 0)
		return admin_word(&codes_document_step, row->key);
	return strcmp(by, "school") == 0 ? admin_school(c, row->key) : row->name;
}

static struct cli_table *turnaround_table(const char *what)
{
	const char *headings[] = {what, _("共几项"), _("按时"), _("超期"), _("平均工作日"), _("九成不超过")};

	return cli_table_new(headings, 6);
}

/* Of a row of turnaround_json. */
static void turnaround_row(struct cli_table *t, json_t *row, const char *name)
{
	static const char *const keys[] = {"n", "on_time", "late", "p90_days"};
	char n[4][24], mean[24];

	for (int i = 0; i < 4; i++)
		snprintf(n[i], sizeof n[i], "%lld",
			(long long)json_integer_value(json_object_get(row, keys[i])));
	snprintf(mean, sizeof mean, "%.2f", json_real_value(json_object_get(row, "mean_days")));
	cli_table_row(t, (const char *[]){name, n[0], n[1], n[2], mean, n[3]});
}

static json_t *turnaround_json(pb_turnaround_row *const *row, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out,
			json_pack("{s:s,s:i,s:i,s:i,s:f,s:i}", "key", row[i]->key, "n", (int)row[i]->n,
				"on_time", (int)row[i]->on_time, "late", (int)row[i]->late, "mean_days",
				row[i]->mean_hundredths / 100.0, "p90_days", (int)row[i]->p90_days));
	return out;
}

/* False: told. */
static bool take_day(struct cli *c, const char *option, int32_t *day)
{
	const char *value = cli_option(c, option);

	if (value && !date_parse(value, DATE_EPOCH_1900, day))
		return true;
	if (value)
		problem_set(&c->problem, ERR_USAGE, option, "2026-09-12", _("日期 %s 不对"), value);
	else
		problem_set(&c->problem, ERR_USAGE, option, "--from 2026-09-01 --to 2026-09-30",
			_("要写明 --%s"), option);
	return false;
}

static int cmd_turnaround(struct cli *c)
{
	pb_turnaround_ask q = PB_TURNAROUND_ASK_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.has_from = q.has_to = 1;
	q.by = (char *)cli_option(c, "by");
	if (!take_day(c, "from", &q.from) || !take_day(c, "to", &q.to))
		return cli_fail(c);
	if (!q.by)
		return cli_fail_with(c, ERR_USAGE, "--by step", _("要写明 --%s"), "by");
	if (admin_ask(c, METHOD_DOCUMENTS_TURNAROUND, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_turnaround_list *list = (const pb_turnaround_list *)reply;
	struct cli_table *t = turnaround_table(_("环节、人或学校"));
	json_t *json = turnaround_json(list->row, list->n_row);
	if (strcmp(q.by, "school") == 0)
		admin_schools(c);
	for (size_t i = 0; i < list->n_row; i++)
		turnaround_row(t, json_array_get(json, i), key_text(c, q.by, list->row[i]));
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

/* ---- report ---- */

/* What the files show, as people read it. */
static json_t *open_json(const struct cli *c, const pb_document_task *t)
{
	char due[FACE_SIZE], days[16], with[160];

	snprintf(days, sizeof days, "%d", t->days);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "lamp", admin_word(&codes_lamp, t->lamp), "due",
		admin_term(t->due, due), "number", documents_called(t->number, t->doc), "title", t->title,
		"step", admin_word(&codes_document_step, t->step), "with",
		with_text(c, t->with, t->with_name, t->for_, with, sizeof with), "days", days, "red",
		strcmp(t->lamp, "red") == 0);
}

static bool month_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_month *page = (const pb_document_month *)reply;
	struct documents_month *m = data;

	m->received = page->received;
	m->issued = page->issued;
	m->closed = page->closed;
	m->archived = page->archived;
	m->tasks = page->tasks;
	m->on_time = page->on_time;
	m->stuck = page->stuck;
	m->until = page->until;
	if (!m->steps)
		m->steps = turnaround_json(page->step, page->n_step);
	for (size_t i = 0; i < page->n_task; i++)
		json_array_append_new(m->open, open_json(m->c, page->task[i]));
	return true;
}

static bool take_month(struct cli *c, uint32_t *month)
{
	const char *value = cli_option(c, "month");
	unsigned y, m;
	char rest;

	if (value && sscanf(value, "%4u-%2u%c", &y, &m, &rest) == 2 && y >= 1971 && m >= 1 && m <= 12) {
		*month = y * 100 + m;
		return true;
	}
	if (value)
		problem_set(&c->problem, ERR_USAGE, "month", "--month 2026-09", _("月份 %s 不对"), value);
	else
		problem_set(&c->problem, ERR_USAGE, "month", "--month 2026-09", _("要写明 --%s"), "month");
	return false;
}

/* Whether the files may be written, before anything is asked. False: told, and *code is the exit code. */
static bool files_ready(struct cli *c, const char *html, const char *sheet, int *code)
{
	const char *mend = _("换一个文件名；确要换掉它，在命令后加 --force");

	if ((html && whole_file_check(html, &c->problem)) ||
		(sheet && sheet_target_check(sheet, NULL, &c->problem))) {
		*code = cli_fail(c);
		return false;
	}
	*code = err_info(ERR_EXISTS)->exit_code;
	return (!html || cli_may_replace(c, html, mend)) && (!sheet || cli_may_replace(c, sheet, mend));
}

static void say_month(const struct cli *c, const struct documents_month *m)
{
	struct cli_table *t = turnaround_table(_("环节"));
	char rate[24];
	json_t *row;
	size_t i;

	cli_say(c, _("收文 %u，印发 %u，办结 %u，归档 %u；按时率 %s；期末在办 %u 项"), m->received, m->issued,
		m->closed, m->archived, documents_rate(m, rate, sizeof rate), m->stuck);
	json_array_foreach(m->steps, i, row)
	{
		const char *key = json_string_value(json_object_get(row, "key"));
		turnaround_row(t, row, admin_word(&codes_document_step, key));
	}
	cli_table_print(c, t);
}

static json_t *month_json(const struct documents_month *m, const char *html, const char *sheet)
{
	/* Of four decimals. */
	uint64_t n = m->tasks, part = n ? (20000 * (uint64_t)m->on_time + n) / (2 * n) : 0;

	return json_pack("{s:i,s:i,s:i,s:i,s:o,s:i,s:O,s:o,s:o}", "received", (int)m->received, "issued",
		(int)m->issued, "closed", (int)m->closed, "archived", (int)m->archived, "on_time_rate",
		m->tasks ? json_real((double)part / 10000) : json_null(), "stuck", (int)m->stuck, "by_step",
		m->steps, "html", admin_text(html), "xlsx", admin_text(sheet));
}

static int told_month(struct cli *c, const struct documents_month *m, const char *html, const char *sheet)
{
	say_month(c, m);
	if (html)
		cli_say(c, _("报表：%s"), html);
	if (sheet)
		cli_say(c, _("报表：%s"), sheet);
	return cli_result(c, month_json(m, html, sheet), 0);
}

int documents_month_report(struct cli *c)
{
	const char *html = cli_option(c, "html"), *sheet = cli_option(c, "xlsx");
	struct documents_month m = {.c = c};
	pb_document_month_ask q = PB_DOCUMENT_MONTH_ASK_INIT;
	int code;

	q.has_month = 1;
	if (!take_month(c, &q.month))
		return cli_fail(c);
	if (!files_ready(c, html, sheet, &code))
		return code;
	m.month = (int32_t)q.month;
	m.open = json_array();
	if (html || sheet)
		admin_schools(c);
	enum err e = admin_stream(c, METHOD_DOCUMENTS_MONTH, &q.base, month_page, &m);
	if (!e && html)
		e = documents_month_html(c, html, &m, &c->problem);
	if (!e && sheet)
		e = documents_month_sheet(sheet, &m, &c->problem);
	code = e ? cli_fail(c) : told_month(c, &m, html, sheet);
	json_decref(m.steps);
	json_decref(m.open);
	return code;
}

/* ---- The commands ---- */

#define ROLES_ALL                                                                                            \
	(1u << ROLE_LEADER | 1u << ROLE_OFFICE | 1u << ROLE_BASIC_EDU | 1u << ROLE_SUPERVISION |             \
		1u << ROLE_ADMISSIONS)

static const struct cli_option year_options[] = {{"year", "Y", N_("年度")}, {0}};
static const struct cli_option turnaround_options[] = {{"from", "DATE", N_("从哪一天办结的")},
	{"to", "DATE", N_("到哪一天")}, {"by", "WHAT", N_("step 按环节，person 按人，school 按学校")}, {0}};

static const struct cli_command commands[] = {
	{"documents archive reconcile", "", 0, 0, year_options, ADMIN_NEEDS,
		1u << ROLE_LEADER | 1u << ROLE_OFFICE, N_("核对一年的文号：归档、在办、作废、退文"),
		"documents archive reconcile --year 2026", cmd_reconcile, CLI_WORK},
	{"documents turnaround", "", 0, 0, turnaround_options, ADMIN_NEEDS, ROLES_ALL,
		N_("办理用了几个工作日，几项超期"),
		"documents turnaround --from 2026-09-01 --to 2026-09-30 --by step", cmd_turnaround, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_reads = {commands, NULL, &admin_documents_archive};
