/* 重点交办 at a school: what it was given to do, and its answer. */
#include <string.h>

#include "cmd_documents.h"
#include "codes.h"
#include "face.h"
#include "jg.h"
#include "orders.h"
#include "value.h"
#include "words.h"

static json_t *order_json(struct cli *c, const struct item *item)
{
	const struct record *d = &item->record;
	char id[37], doc[37];

	value_show(d, F_ORDER_COPY_ORDER_ID, false, id, sizeof id);
	value_show(d, F_ORDER_COPY_DOC, false, doc, sizeof doc);
	return json_pack("{ss so ss so ss ss so ss so}", "id", id, "number",
		value_json(d, F_ORDER_COPY_NUMBER), "doc", doc, "title", value_json(d, F_ORDER_COPY_TITLE),
		"to", item->owner, "state", order_state(d), "due", value_json(d, F_ORDER_COPY_DUE), "lamp",
		order_lamp(d, profile_now_us(&c->profile)), "answered_at",
		value_json(d, F_ORDER_COPY_ANSWERED_AT));
}

static int cmd_list(struct cli *c)
{
	const char *headings[] = {
		_("序号"), _("交办号"), _("时限"), _("到期"), _("事项"), _("状态"), _("文号"), _("退回理由")};
	struct jg_ids ids = {0};
	int code;
	struct view *v = jg_view(c, orders_kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	struct cli_table *table = cli_table_new(headings, 8);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *d = &item->record;
		char n[16], number[64], title[256], due[FACE_SIZE], paper[64], reason[256];
		if (!item->live)
			continue;
		json_array_append_new(list, order_json(c, item));
		cli_table_row(table,
			(const char *[]){jg_ids_add(&ids, item->id, n),
				record_text(d, F_ORDER_COPY_NUMBER, number, sizeof number),
				code_name(&codes_lamp, order_lamp(d, profile_now_us(&c->profile))),
				words_field(v, d, F_ORDER_COPY_DUE, false, due, sizeof due),
				record_text(d, F_ORDER_COPY_TITLE, title, sizeof title),
				code_name(&codes_order_state, order_state(d)),
				record_text(d, F_ORDER_COPY_DOC_NUMBER, paper, sizeof paper),
				strcmp(order_state(d), "returned")
					? ""
					: record_text(d, F_ORDER_COPY_JUDGE_REASON, reason, sizeof reason)});
	}
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, &shown_orders);
	jg_ids_free(&ids);
	cli_next(c, "%s", _("jg documents orders answer 序号 --text 办得怎样"));
	return cli_result(c, list, 0);
}

static int cmd_answer(struct cli *c)
{
	const char *answer = cli_option(c, "text"), *text;
	char room[JG_PICK_SIZE], number[64];
	int code;
	struct view *v = jg_view(c, orders_kinds, &code);

	if (!v)
		return code;
	if (!answer || !*answer)
		return cli_fail_with(c, ERR_USAGE, _("jg documents orders answer 3 --text 已整改"),
			_("没有写%s"), _("回复：--text"));
	text = jg_pick(c, v, &shown_orders, cli_operand(c, 0), room, &code);
	if (!text)
		return code;
	struct item *item = orders_find(v, text);
	if (!item)
		return cli_fail_with(c, ERR_NOT_FOUND,
			_("jg documents orders list 列出重点交办；可先运行 jg sync"), _("没有重点交办 %s"),
			text);
	record_text(&item->record, F_ORDER_COPY_NUMBER, number, sizeof number);
	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	int64_t n = v->store->next_row;
	if (jg_commit(c, orders_answer(v, item, answer, profile_now_us(&c->profile), &c->problem)))
		return cli_fail(c);
	code = jg_answer(c, n, order_json(c, item));
	if (!code) {
		cli_say(c, _("%s 已回复"), number);
		cli_next(c, "jg todo");
	}
	return code;
}

static const struct cli_option answer_options[] = {{"text", "TEXT", N_("办得怎样（必写）")}, {0}};
static const struct cli_command commands[] = {
	{"documents orders list", "", 0, 0, NULL, EVERYBODY, DOCUMENT_PEOPLE, N_("列出县局的重点交办"),
		"documents orders list", cmd_list, CLI_WORK},
	{"documents orders answer", "ORDER", 1, 1, answer_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("回复一件重点交办"), N_("documents orders answer 3 --text 已整改"), cmd_answer, CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"list_orders", "jg documents orders list"},
	{"answer_order", "jg documents orders answer"},
	{"again_school_order", N_("jg documents orders list，再 answer")},
	{0},
};

const struct cli_part jg_documents_orders = {commands, ways, &jg_meetings};
