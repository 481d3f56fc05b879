/* 办文: what is asked of many papers at once – a year's numbers, how long tasks take. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cmd_documents.h"
#include "codes.h"
#include "date.h"
#include "lang.h"
#include "tables.h"

/* ---- archive reconcile ---- */

struct reconciled {
	pb_document_reconciled counts; /* of the last page: they are the same on each */
	struct cli_table *table;
};

/* 张三（代 lisi） */
static const char *with_text(const pb_document_open *d, char *out, size_t size)
{
	if (*d->for_)
		snprintf(out, size, _("%s（代 %s）"), d->with_name, d->for_);
	else
		snprintf(out, size, "%s", *d->with_name ? d->with_name : _("没有定岗"));
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
		cli_table_row(x->table, (const char *[]){admin_word(documents_states(d->kind), d->state),
						with_text(d, with, sizeof with), d->number, d->title});
	}
	return true;
}

static int cmd_reconcile(struct cli *c)
{
	const char *headings[] = {_("状态"), _("由谁办"), _("文号"), _("标题")};
	struct reconciled x = {.table = cli_table_new(headings, 4)};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	int code;

	if (!admin_year(c, &q.year, &code)) {
		cli_table_free(x.table);
		return code;
	}
	q.has_year = 1;
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

static void turnaround_row(struct cli_table *t, const pb_turnaround_row *row, const char *name)
{
	char n[5][24];

	snprintf(n[0], sizeof n[0], "%u", row->n);
	snprintf(n[1], sizeof n[1], "%u", row->on_time);
	snprintf(n[2], sizeof n[2], "%u", row->late);
	snprintf(n[3], sizeof n[3], "%u.%02u", row->mean_hundredths / 100, row->mean_hundredths % 100);
	snprintf(n[4], sizeof n[4], "%u", row->p90_days);
	cli_table_row(t, (const char *[]){name, n[0], n[1], n[2], n[3], n[4]});
}

static json_t *turnaround_json(pb_turnaround_row *const *row, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			out, json_pack("{s:s,s:i,s:i,s:i,s:f,s:i}", "key", row[i]->key, "n", (int)row[i]->n,
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
	const char *headings[] = {
		_("环节、人或学校"), _("共几项"), _("按时"), _("超期"), _("平均工作日"), _("九成不超过")};
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
	struct cli_table *t = cli_table_new(headings, 6);
	if (strcmp(q.by, "school") == 0)
		admin_schools(c);
	for (size_t i = 0; i < list->n_row; i++)
		turnaround_row(t, list->row[i], key_text(c, q.by, list->row[i]));
	json_t *json = turnaround_json(list->row, list->n_row);
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, json, 0);
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

const struct cli_part admin_documents_reads = {commands, NULL, NULL};
