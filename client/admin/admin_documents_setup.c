/* What the bureau sets up for its papers: desks, organs, series, time limits, stand-ins, working days. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "book.h"
#include "admin_documents.h"
#include "codes.h"
#include "date.h"
#include "lang.h"
#include "sheet.h"
#include "table.h"
#include "tables.h"

static int set(struct cli *c, uint16_t method, const ProtobufCMessage *q, const char *said)
{
	const ProtobufCMessage *reply;
	struct arena arena;

	if (admin_ask(c, method, q, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_set_reply *r = (const pb_set_reply *)reply;
	json_t *json = json_pack("{s:o,s:o,s:i}", "id", admin_text(r->id), "at", cli_time_json(r->at),
		"changed", (int)r->changed);
	cli_say(c, "%s", said);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static bool day_option(struct cli *c, const char *name, int32_t *day)
{
	const char *value = cli_option(c, name);

	*day = 0;
	if (!value || !date_parse(value, DATE_EPOCH_1900, day))
		return true;
	problem_set(&c->problem, ERR_USAGE, name, "2026-09-12", _("日期 %s 不对"), value);
	return false;
}

static int cmd_desk(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;
	const char *code = code_find(&codes_desk, cli_operand(c, 0));

	q.name = (char *)(code ? code : cli_operand(c, 0));
	q.value = (char *)cli_operand(c, 1);
	q.deputy = (char *)cli_option(c, "deputy");
	return set(c, METHOD_DOCUMENTS_SET_DESK, &q.base, _("已定岗"));
}

static int cmd_head(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;

	q.name = (char *)"head";
	q.value = (char *)cli_operand(c, 0);
	return set(c, METHOD_DOCUMENTS_SET_DESK, &q.base, _("已记下主要负责人"));
}

static int cmd_organ(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;
	const char *relation = cli_option(c, "relation"),
		   *code = relation ? code_find(&codes_organ_relation, relation) : NULL;

	q.name = (char *)cli_operand(c, 0);
	q.value = (char *)(code ? code : relation);
	return set(c, METHOD_DOCUMENTS_SET_ORGAN, &q.base, _("已登记机关"));
}

static int cmd_series(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;

	q.name = (char *)cli_operand(c, 0);
	return set(c, METHOD_DOCUMENTS_ADD_SERIES, &q.base, _("已登记代字"));
}

static int cmd_setting(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;

	q.name = (char *)cli_operand(c, 0);
	q.value = (char *)cli_operand(c, 1);
	q.has_from = cli_option(c, "from") != NULL;
	if (!day_option(c, "from", &q.from))
		return cli_fail(c);
	return set(c, METHOD_DOCUMENTS_SET_SETTING, &q.base, _("已改；已经在办的事照原来的时限"));
}

#define RETENTION "retention."
#define OFFICER "officer"

static int cmd_retention(struct cli *c)
{
	pb_document_set q = PB_DOCUMENT_SET_INIT;
	char name[200];

	snprintf(name, sizeof name, RETENTION "%s", cli_operand(c, 0));
	q.name = name;
	q.value = (char *)cli_operand(c, 1);
	q.has_from = cli_option(c, "from") != NULL;
	if (!day_option(c, "from", &q.from))
		return cli_fail(c);
	return set(c, METHOD_DOCUMENTS_SET_SETTING, &q.base, _("已改；已经归档的不变"));
}

/* In the arena, which is the caller's to free; NULL with c->problem, and nothing is the caller's. */
static const pb_setup_list *ask_setup(struct cli *c, struct arena *arena)
{
	pb_empty q = PB_EMPTY_INIT;
	const ProtobufCMessage *reply;

	if (!admin_ask(c, METHOD_DOCUMENTS_LIST_SETUP, &q.base, arena, &reply))
		return (const pb_setup_list *)reply;
	arena_free(arena);
	return NULL;
}

static int list_setup(struct cli *c, bool retention)
{
	const char *headings[] = {_("类别"), _("名称"), _("内容"), _("副岗"), _("说明")};
	static const struct {
		const char *what, *word;
	} words[] = {
		{"desk", N_("岗位")}, {"organ", N_("机关")}, {"series", N_("代字")}, {"setting", N_("设置")}};
	struct cli_table *t = cli_table_new(headings, 5);
	json_t *json = json_array();
	struct arena arena;
	const pb_setup_list *list = ask_setup(c, &arena);

	if (!list) {
		cli_table_free(t);
		json_decref(json);
		return cli_fail(c);
	}
	for (size_t i = 0; i < list->n_row; i++) {
		const pb_setup_row *x = list->row[i];
		const char *word = x->what, *name = x->name;
		if (strcmp(x->what, OFFICER) == 0 ||
			(strncmp(name, RETENTION, strlen(RETENTION)) == 0) != retention)
			continue;
		if (retention)
			name += strlen(RETENTION);
		for (size_t k = 0; k < sizeof words / sizeof *words; k++)
			if (strcmp(words[k].what, x->what) == 0)
				word = _(words[k].word);
		json_array_append_new(json,
			json_pack("{s:s,s:s,s:s,s:o,s:o}", "what", retention ? "retention" : x->what, "name",
				name, "value", x->value, "deputy", admin_text(x->deputy), "from",
				cli_date_json(x->from)));
		bool desk = strcmp(x->what, "desk") == 0, organ = strcmp(x->what, "organ") == 0;
		cli_table_row(t,
			(const char *[]){word, desk ? admin_word(&codes_desk, name) : name,
				organ ? admin_word(&codes_organ_relation, x->value) : x->value, x->deputy,
				x->about ? x->about : ""});
	}
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

/* 11 14 in words. */
static const char *roles_words(const char *numbers, char *out, size_t size)
{
	size_t used = 0;
	char one[8];

	*out = 0;
	for (int n; sscanf(numbers, "%7s%n", one, &n) == 1 && used < size; numbers += n)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", used ? _("、") : "", admin_word(&codes_role, one));
	return out;
}

static int cmd_people(struct cli *c)
{
	const char *headings[] = {_("姓名"), _("帐号"), _("职责")};
	struct cli_table *t = cli_table_new(headings, 3);
	json_t *json = json_array();
	struct arena arena;
	char roles[256];
	const pb_setup_list *list = ask_setup(c, &arena);

	if (!list) {
		cli_table_free(t);
		json_decref(json);
		return cli_fail(c);
	}
	for (size_t i = 0; i < list->n_row; i++) {
		const pb_setup_row *x = list->row[i];
		if (strcmp(x->what, OFFICER) != 0)
			continue;
		json_array_append_new(json, json_pack("{s:s,s:s}", "user", x->value, "name", x->name));
		cli_table_row(
			t, (const char *[]){x->name, x->value, roles_words(x->deputy, roles, sizeof roles)});
	}
	cli_table_print(c, t);
	cli_next(c, "%s", _("命令里写姓名或帐号都可以；同名的写帐号"));
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static int cmd_settings(struct cli *c)
{
	return list_setup(c, false);
}

static int cmd_retentions(struct cli *c)
{
	return list_setup(c, true);
}

/* ---- Stand-ins ---- */

static int cmd_delegate(struct cli *c)
{
	pb_delegation_ask q = PB_DELEGATION_ASK_INIT;

	q.from = (char *)cli_option(c, "from");
	q.to = (char *)cli_option(c, "to");
	q.reason = (char *)cli_option(c, "reason");
	q.has_begin = q.has_end = q.has_acting = 1;
	q.acting = cli_flag(c, "acting");
	if (!day_option(c, "begin", &q.begin) || !day_option(c, "end", &q.end))
		return cli_fail(c);
	return set(c, METHOD_DOCUMENTS_DELEGATE, &q.base,
		_("已授权代办；到期自动结束，提前结束用 documents delegate end"));
}

static int cmd_delegate_end(struct cli *c)
{
	pb_delegation_ask q = PB_DELEGATION_ASK_INIT;

	q.has_id = 1;
	q.id = strtoull(cli_operand(c, 0), NULL, 10);
	return set(c, METHOD_DOCUMENTS_END_DELEGATION, &q.base, _("代办已结束"));
}

static int cmd_delegations(struct cli *c)
{
	const char *headings[] = {
		_("编号"), _("谁离岗"), _("谁代办"), _("从"), _("到"), _("主持工作"), _("理由"), _("结束")};
	struct cli_table *t = cli_table_new(headings, 8);
	pb_empty q = PB_EMPTY_INIT;
	const ProtobufCMessage *reply;
	json_t *json = json_array();
	struct arena arena;

	if (admin_ask(c, METHOD_DOCUMENTS_LIST_DELEGATIONS, &q.base, &arena, &reply)) {
		arena_free(&arena);
		cli_table_free(t);
		json_decref(json);
		return cli_fail(c);
	}
	const pb_delegation_list *list = (const pb_delegation_list *)reply;
	for (size_t i = 0; i < list->n_delegation; i++) {
		const pb_delegation_row *x = list->delegation[i];
		char id[24], begin[FACE_SIZE], end[FACE_SIZE], ended[FACE_SIZE];
		snprintf(id, sizeof id, "%llu", (unsigned long long)x->id);
		face_date(begin, x->begin);
		face_date(end, x->end);
		json_array_append_new(json,
			json_pack("{s:s,s:s,s:s,s:o,s:o,s:b,s:s,s:o,s:o}", "id", id, "from", x->from, "to",
				x->to, "begin", cli_date_json(x->begin), "end", cli_date_json(x->end),
				"acting", x->acting, "reason", x->reason, "added", cli_time_json(x->added),
				"ended", cli_time_json(x->ended)));
		cli_table_row(t,
			(const char *[]){id, x->from_name, x->to_name, begin, end,
				x->acting ? _("是") : _("否"), x->reason, admin_time(x->ended, ended)});
	}
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

/* ---- Working days: 日期, 类别 ---- */

static const struct table_column calendar_columns[] = {
	{"日期", (const char *const[]){"day", "放假日期", "调休日期", NULL}, true, NULL},
	{"类别", (const char *const[]){"类型", "工作日/休息日", NULL}, true, NULL},
};
#define DAYS_MAX 2000 /* of a file: the State Council moves some forty a year */

struct calendar {
	pb_workday_row row[DAYS_MAX], *list[DAYS_MAX];
	size_t n;
};

static enum err read_day(struct cli *c, struct calendar *x, struct table *t, const struct table_row *row)
{
	const char *day = table_text(t, row, 0), *type = table_text(t, row, 1);
	bool working = strcmp(type, "工作日") == 0 || strcmp(type, "上班") == 0,
	     rest = strcmp(type, "休息日") == 0 || strcmp(type, "休息") == 0 || strcmp(type, "放假") == 0;
	pb_workday_row *out = &x->row[x->n];

	c->problem.row = 0;
	if (x->n == DAYS_MAX)
		return problem_set(
			&c->problem, ERR_FILE_LIMIT, NULL, NULL, _("一个文件最多 %d 天"), DAYS_MAX);
	*out = (pb_workday_row)PB_WORKDAY_ROW_INIT;
	out->has_day = out->has_working = 1;
	out->working = working;
	enum err e = date_parse(day, DATE_EPOCH_1900, &out->day);
	if (e)
		problem_set(&c->problem, ERR_INVALID, "日期", "2026-10-01", _("日期 %s 不对"), day);
	else if (!working && !rest)
		e = problem_set(
			&c->problem, ERR_INVALID, "类别", _("写 工作日 或 休息日"), _("“%s”不是类别"), type);
	c->problem.row = row->number;
	x->list[x->n++] = out;
	return e ? ERR_INVALID : ERR_OK;
}

static int cmd_calendar(struct cli *c)
{
	pb_workday_import q = PB_WORKDAY_IMPORT_INIT;
	struct calendar *x = calloc(1, sizeof *x);
	const struct book_wants wants = {.table = {calendar_columns, 2, NULL, NULL, 0}};
	struct sheet *sheet = NULL;
	struct book book = {0};
	struct table_row row;
	enum err e = x ? sheet_read_file(cli_operand(c, 0), NULL, &sheet, &c->problem) : ERR_NOMEM;

	if (!e)
		e = book_open(&book, sheet, &wants, &c->problem);
	for (size_t i = 0; !e && i < book.n; i++)
		while (!e && table_next(book.tables[i].table, &row))
			e = read_day(c, x, book.tables[i].table, &row);
	book_close(&book);
	if (sheet)
		sheet_free(sheet);
	int code = 0;
	if (e) {
		code = cli_fail(c);
	} else {
		q.row = x->list;
		q.n_row = x->n;
		code = set(
			c, METHOD_DOCUMENTS_IMPORT_WORKDAYS, &q.base, _("已导入；已经在办的事照原来的日历"));
	}
	free(x);
	return code;
}

/* ---- The commands ---- */

#define SETTERS (1u << ROLE_LEADER | 1u << ROLE_OFFICE)
static const struct cli_option desk_options[] = {{"deputy", "USER", N_("副岗")}, {0}};
static const struct cli_option organ_options[] = {
	{"relation", "R", N_("对本局：直接上级、上级、不相隶属、下级")}, {0}};
static const struct cli_option from_options[] = {{"from", "DATE", N_("从哪一天起（默认今天）")}, {0}};
static const struct cli_option delegate_options[] = {{"from", "USER", N_("谁离岗")},
	{"to", "USER", N_("谁代办，职责要相同")}, {"begin", "DATE", N_("从哪一天")},
	{"end", "DATE", N_("到哪一天")}, {"acting", NULL, N_("主持工作：可代签上行文、决定、意见")},
	{"reason", "TEXT", N_("理由（必写）")}, {0}};

static const struct cli_command commands[] = {
	{"documents desk set", "DESK USER", 2, 2, desk_options, ADMIN_NEEDS, SETTERS,
		N_("定岗：收文、发文、档案"), N_("documents desk set 收文 wangwu1 --deputy zhaoliu1"),
		cmd_desk, CLI_WORK},
	{"documents head set", "USER", 1, 1, NULL, ADMIN_NEEDS, SETTERS, N_("定主要负责人"),
		"documents head set zhangsan1", cmd_head, CLI_WORK},
	{"documents orgs set", "ORGAN", 1, 1, organ_options, ADMIN_NEEDS, SETTERS,
		N_("登记机关和它与本局的关系"), N_("documents orgs set 市教育局 --relation 直接上级"),
		cmd_organ, CLI_WORK},
	{"documents series add", "SERIES", 1, 1, NULL, ADMIN_NEEDS, SETTERS, N_("登记发文代字"),
		N_("documents series add 洪教发"), cmd_series, CLI_WORK},
	{"documents settings list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出岗位、机关、代字和时限"),
		"documents settings list", cmd_settings, CLI_WORK},
	{"documents people", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出县局办文的人：姓名、帐号、职责"),
		"documents people", cmd_people, CLI_WORK},
	{"documents retention list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出保管期限"),
		"documents retention list", cmd_retentions, CLI_WORK},
	{"documents retention set", "KIND TERM", 2, 2, from_options, ADMIN_NEEDS, SETTERS,
		N_("改保管期限：Y 永久，D30 三十年，D10 十年"), N_("documents retention set out.函 D30"),
		cmd_retention, CLI_WORK},
	{"documents settings set", "LIMIT VALUE", 2, 2, from_options, ADMIN_NEEDS, SETTERS, N_("改时限"),
		"documents settings set days.handle 5/3/1", cmd_setting, CLI_WORK},
	{"documents delegate add", "", 0, 0, delegate_options, ADMIN_NEEDS, 0, N_("离岗时授权别人代办"),
		N_("documents delegate add --from zhangsan1 --to lisi1 --begin 2026-09-01 --end 2026-09-05 "
		   "--reason 出差"),
		cmd_delegate, CLI_WORK},
	{"documents delegate list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出代办"), "documents delegate list",
		cmd_delegations, CLI_WORK},
	{"documents delegate end", "ID", 1, 1, NULL, ADMIN_NEEDS, 0, N_("提前结束代办"),
		"documents delegate end 3", cmd_delegate_end, CLI_WORK},
	{"calendar import", "FILE", 1, 1, NULL, ADMIN_NEEDS, SETTERS, N_("导入调休和放假：日期、类别两列"),
		N_("calendar import 2026年放假.xlsx"), cmd_calendar, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_setup = {commands, NULL, &admin_documents_paper};
