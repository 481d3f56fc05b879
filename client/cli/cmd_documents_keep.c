/* What a school does with the paper that it has in its hands: keeps it in a place, or destroys it before a
 * witness. Recorded at the bureau. */
#include <string.h>

#include "cmd_documents.h"
#include "documents.h"
#include "jg.h"
#include "value.h"

static json_t *row_json(const struct item *item)
{
	const struct record *d = &item->record;
	char id[37];

	value_show(d, F_DELIVERY_DOCUMENT, false, id, sizeof id);
	return json_pack("{ss so so so so so}", "id", id, "number", value_json(d, F_DELIVERY_NUMBER),
		"kept_at", value_json(d, F_DELIVERY_KEPT_AT), "slot", value_json(d, F_DELIVERY_SLOT),
		"destroyed_at", value_json(d, F_DELIVERY_DESTROYED_AT), "witness",
		value_json(d, F_DELIVERY_WITNESS));
}

/* Each of the papers named, found before anything is written. */
static int find_all(struct cli *c, struct view **v, struct item **items)
{
	const char *headings[] = {_("文号"), _("标题"), _("存放位置")};
	struct cli_table *t = cli_table_new(headings, 3);
	int code = 0;

	*v = jg_view(c, documents_kinds, &code);
	for (int i = 0; *v && !code && i < c->operands; i++) {
		char number[64], title[256], slot[256];
		items[i] = documents_pick(c, *v, i, &code);
		if (!items[i])
			continue;
		const struct record *d = &items[i]->record;
		cli_table_row(t,
			(const char *[]){record_text(d, F_DELIVERY_NUMBER, number, sizeof number),
				record_text(d, F_DELIVERY_TITLE, title, sizeof title),
				record_text(d, F_DELIVERY_SLOT, slot, sizeof slot)});
	}
	if (*v && !code)
		cli_table_print(c, t);
	else
		cli_table_free(t);
	return code;
}

/* All or none of them. */
static int say_all(
	struct cli *c, struct view *v, struct item **items, enum delivery_word word, const char *text)
{
	bool already = true;

	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	int64_t first = v->store->next_row;
	enum err e = ERR_OK;
	for (int i = 0; !e && i < c->operands; i++)
		e = documents_say(
			v, items[i], word, text, profile_now_us(&c->profile), &already, &c->problem);
	int64_t next = v->store->next_row;
	if (jg_commit(c, e))
		return cli_fail(c);
	json_t *list = json_array();
	for (int i = 0; i < c->operands; i++)
		json_array_append_new(list, row_json(items[i]));
	json_t *json = json_pack("{so}", "documents", list);
	if (next == first) {
		cli_say(c, "%s", _("都已经办过"));
		json_object_set_new(json, "already", json_true());
		return cli_result(c, json, 0);
	}
	return jg_answer(c, next - 1, json);
}

static int cmd_keep(struct cli *c)
{
	struct item *items[CLI_OPERANDS_MAX];
	const char *slot = cli_option(c, "slot");
	struct view *v;

	if (!slot || !*slot)
		return cli_fail_with(c, ERR_USAGE, _("--slot 2柜3层"), _("要写存放位置"));
	int code = find_all(c, &v, items);
	return v && !code ? say_all(c, v, items, DELIVERY_KEEP, slot) : code;
}

static int cmd_destroy(struct cli *c)
{
	struct item *items[CLI_OPERANDS_MAX];
	const char *witness = cli_option(c, "witness");
	struct view *v;

	if (!witness || !*witness)
		return cli_fail_with(c, ERR_USAGE, _("--witness 姓名"), _("销毁公文要有监销人"));
	int code = find_all(c, &v, items);
	if (!v || code)
		return code;
	if (cli_is_asked(c) &&
		!cli_confirm("销毁|destroy", _("以上公文登记为已销毁，不能撤回。确认请输入“销毁”：")))
		return cli_fail_with(c, ERR_NOT_NOW, NULL, _("没有确认，什么也没有改动"));
	return say_all(c, v, items, DELIVERY_DESTROY, witness);
}

static const struct cli_option keep_options[] = {{"slot", "PLACE", N_("存放位置（柜、层、盒），必写")}, {0}};
static const struct cli_option destroy_options[] = {{"witness", "NAME", N_("监销人，必写")}, {0}};
static const struct cli_command commands[] = {
	{"documents keep", "DOC…", 1, CLI_OPERANDS_MAX, keep_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("记下公文存放在哪里"), N_("documents keep 3 --slot 2柜3层"), cmd_keep, CLI_WORK},
	{"documents destroy", "DOC…", 1, CLI_OPERANDS_MAX, destroy_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("登记公文销毁（清单、监销人）"), N_("documents destroy 3 4 --witness 王主任"), cmd_destroy,
		CLI_WORK},
	{0},
};

const struct cli_part jg_documents_keep = {commands, NULL, &jg_documents_orders};
