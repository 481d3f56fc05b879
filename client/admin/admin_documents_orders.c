/* 重点交办: what a leader, the office or the inspectors order on a paper, and what becomes of it. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "date.h"
#include "lang.h"
#include "tables.h"

static int told(struct cli *c, const pb_order_reply *r)
{
	char due[FACE_SIZE];

	admin_schools(c);
	cli_say(c, _("%s：%s；交给 %s，期限 %s"), r->number, admin_word(&codes_order_state, r->state),
		admin_school(c, r->to_name), admin_term(r->due, due));
	cli_next(c, "jgadmin documents orders list");
	return cli_result(c,
		json_pack("{s:s,s:s,s:s,s:o,s:o}", "id", r->id, "number", r->number, "state", r->state, "at",
			cli_time_json(r->at), "due", cli_time_json(r->due)),
		0);
}

/* The event's code is the command's last word; its operand is the paper for a new order, else the order. */
static int cmd_order(struct cli *c)
{
	const char *event = strrchr(c->command->words, ' ') + 1,
		   *due = cli_option(c, strcmp(event, "add") ? "until" : "due");
	pb_order_ask q = PB_ORDER_ASK_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.event = (char *)event;
	*(strcmp(event, "add") ? &q.id : &q.doc) = (char *)cli_operand(c, 0);
	q.title = (char *)cli_option(c, "title");
	q.to = (char *)cli_option(c, "to");
	q.text = (char *)cli_option(c, "text");
	q.reason = (char *)cli_option(c, "reason");
	q.has_due = due != NULL;
	if (due && date_parse(due, DATE_EPOCH_1900, &q.due))
		return cli_fail_with(c, ERR_USAGE, "2026-09-12", _("日期 %s 不对"), due);
	enum err e = documents_ask(c, SIGNED_ORDER, &q.base, &arena, &reply);
	int code = e ? cli_fail(c) : told(c, (const pb_order_reply *)reply);
	arena_free(&arena);
	return code;
}

/* ---- The list ---- */

struct rows {
	json_t *json, *ids;
	struct cli_table *table;
	size_t n;
};

static bool page(void *data, const ProtobufCMessage *reply)
{
	const pb_order_list *list = (const pb_order_list *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < list->n_order; i++) {
		const pb_order_row *o = list->order[i];
		char due[FACE_SIZE], answered[FACE_SIZE], n[16];
		snprintf(n, sizeof n, "%zu", ++x->n);
		json_object_set_new(x->ids, n, json_string(o->id));
		json_array_append_new(x->json,
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:o}", "id", o->id, "number", o->number,
				"doc", o->doc, "title", o->title, "to", o->to, "state", o->state, "due",
				cli_time_json(o->due), "lamp", o->lamp, "answered_at",
				cli_time_json(o->answered_at)));
		cli_table_row(x->table,
			(const char *[]){n, o->number, admin_word(&codes_lamp, o->lamp),
				admin_term(o->due, due), o->title, o->to_name,
				admin_word(&codes_order_state, o->state),
				admin_time(o->answered_at, answered), o->answer, o->doc_number,
				o->adder_name});
	}
	return true;
}

static int cmd_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("交办号"), _("时限"), _("到期"), _("事项"), _("交给"),
		_("状态"), _("回复时间"), _("回复"), _("文号"), _("交办人")};
	struct rows x = {.json = json_array(), .ids = json_object(), .table = cli_table_new(headings, 11)};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	const char *state = cli_option(c, "state"),
		   *code = state ? code_find(&codes_order_state, state) : NULL;

	q.doc = (char *)(c->operands ? cli_operand(c, 0) : NULL);
	q.state = (char *)(code ? code : state);
	if (admin_stream(c, METHOD_DOCUMENTS_ORDERS, &q.base, page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		json_decref(x.ids);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	admin_shown_keep(c, "orders", x.ids);
	cli_next(c, "%s", _("jgadmin documents orders accept 序号"));
	return cli_result(c, x.json, 0);
}

#define ROLES_ORDERING (1u << ROLE_LEADER | 1u << ROLE_OFFICE | 1u << ROLE_SUPERVISION)
#define ROLES_LEADER (1u << ROLE_LEADER)
static const struct cli_option add_options[] = {{"title", "TEXT", N_("办什么（必写）")},
	{"to", "USER|SCHOOL", N_("交给谁：县局人员的帐号，或学校的标识码、名称（必写）")},
	{"due", "DATE", N_("办理期限（默认按时限设置）")}, {0}};
static const struct cli_option answer_options[] = {{"text", "TEXT", N_("办得怎样（必写）")}, {0}};
static const struct cli_option return_options[] = {{"reason", "TEXT", N_("退回的理由（必写）")}, {0}};
static const struct cli_option transfer_options[] = {
	{"to", "USER|SCHOOL", N_("改派给谁（必写）")}, {"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option extend_options[] = {
	{"until", "DATE", N_("延到哪一天（必写）")}, {"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option cancel_options[] = {{"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option list_options[] = {
	{"state", "STATE", N_("待回复、已回复、回复被退回、已销号、已撤销")}, {0}};
static const struct cli_command commands[] = {
	{"documents orders add", "DOC", 1, 1, add_options, ADMIN_NEEDS, ROLES_ORDERING,
		N_("就一份公文重点交办：不销号，公文不能办结归档"),
		N_("documents orders add 收〔2026〕1号 --title 三日内整改消防通道 --to 2132990001"),
		cmd_order, CLI_WORK},
	{"documents orders answer", "ORDER", 1, 1, answer_options, ADMIN_NEEDS, 0, N_("回复交给自己的事"),
		N_("documents orders answer 督〔2026〕1号 --text 已整改，照片附后"), cmd_order, CLI_WORK},
	{"documents orders accept", "ORDER", 1, 1, NULL, ADMIN_NEEDS, ROLES_ORDERING, N_("认可回复，销号"),
		N_("documents orders accept 督〔2026〕1号"), cmd_order, CLI_WORK},
	{"documents orders return", "ORDER", 1, 1, return_options, ADMIN_NEEDS, ROLES_ORDERING,
		N_("退回回复"), N_("documents orders return 督〔2026〕1号 --reason 没有写整改时间"),
		cmd_order, CLI_WORK},
	{"documents orders transfer", "ORDER", 1, 1, transfer_options, ADMIN_NEEDS, ROLES_ORDERING,
		N_("改派给别人"), N_("documents orders transfer 督〔2026〕1号 --to lisi1"), cmd_order,
		CLI_WORK},
	{"documents orders extend", "ORDER", 1, 1, extend_options, ADMIN_NEEDS, ROLES_LEADER,
		N_("延长办理期限"), N_("documents orders extend 督〔2026〕1号 --until 2026-09-20"), cmd_order,
		CLI_WORK},
	{"documents orders cancel", "ORDER", 1, 1, cancel_options, ADMIN_NEEDS, ROLES_LEADER,
		N_("撤销一件重点交办"),
		N_("documents orders cancel 督〔2026〕1号 --reason 已并入督〔2026〕2号"), cmd_order,
		CLI_WORK},
	{"documents orders list", "[DOC]", 0, 1, list_options, ADMIN_NEEDS, 0, N_("列出重点交办"),
		"documents orders list", cmd_list, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_orders = {commands, NULL, &admin_meetings};
