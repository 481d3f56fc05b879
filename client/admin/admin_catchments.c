/* Catchments as they stand: listed, corrected, removed. What follows for whole schools is shown before it is
 * done. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "clock.h"
#include "hash.h"
#include "lang.h"
#include "tables.h"
#include "value.h"

#define LIST "catchments"
#define LIST_COMMAND "catchments list"

static json_t *row_json(const pb_catchment_row *row)
{
	char id[37] = "";

	if (row->id.len == ID_SIZE)
		id_format(id, row->id.data);
	return json_pack("{s:s,s:s,s:o,s:s,s:s}", "id", id, "school", row->school, "name",
		admin_text(row->school_name), "stage", row->stage, "area", row->area);
}

int cmd_catchments_list(struct cli *c)
{
	const char *const heads[] = {_("序号"), _("学校标识码"), _("学校"), _("学段"), _("区划代码")};
	const char *school = cli_option(c, "school");
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	size_t shown = 0;

	if (admin_ask(c, METHOD_COUNTY_LIST_CATCHMENTS, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_catchment_list *list = (const pb_catchment_list *)reply;
	struct cli_table *t = cli_table_new(heads, 5);
	json_t *out = json_array(), *ids = json_object();
	for (size_t i = 0; i < list->n_catchment; i++) {
		const pb_catchment_row *row = list->catchment[i];
		char number[16];
		if (school && strcmp(school, row->school) != 0)
			continue;
		snprintf(number, sizeof number, "%zu", ++shown);
		cli_table_row(t,
			(const char *const[]){number, row->school, row->school_name,
				admin_word(&codes_stage, row->stage), row->area});
		json_t *json = row_json(row);
		json_object_set(ids, number, json_object_get(json, "id"));
		json_array_append_new(out, json);
	}
	admin_shown_keep(c, LIST, ids);
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* ---- changing ---- */

struct change {
	struct cli *c;
	struct arena arena;
	const pb_catchment_list *list;
	const pb_catchment_row *row[CLI_OPERANDS_MAX];
	pb_catchment_change change[CLI_OPERANDS_MAX], *pointer[CLI_OPERANDS_MAX];
	struct buf body; /* of a correction */
	pb_catchment_changes q;
};

/* The row that an operand names: its number in the last list, or its id. False: told, *code set. */
static bool take_row(struct change *x, int operand, int *code)
{
	const char *text = cli_operand(x->c, operand);
	uint8_t id[ID_SIZE];

	*code = err_info(ERR_NOT_FOUND)->exit_code;
	if (!admin_shown_find(x->c, LIST, LIST_COMMAND, &text))
		return false;
	for (size_t i = 0; !id_parse(id, text) && i < x->list->n_catchment; i++)
		if (x->list->catchment[i]->id.len == ID_SIZE &&
			memcmp(x->list->catchment[i]->id.data, id, ID_SIZE) == 0) {
			size_t n = x->q.n_change++;
			x->row[n] = x->list->catchment[i];
			x->change[n] = (pb_catchment_change)PB_CATCHMENT_CHANGE_INIT;
			x->change[n].has_id = 1;
			x->change[n].id = x->row[n]->id;
			x->pointer[n] = &x->change[n];
			return true;
		}
	*code = cli_fail_with(
		x->c, ERR_NOT_FOUND, "jgadmin " LIST_COMMAND, _("没有 %s 这一条施教区，可能已被删除"), text);
	return false;
}

static const char *row_words(const pb_catchment_row *row, char *out, size_t size)
{
	snprintf(out, size, "%s %s %s", row->school_name[0] ? row->school_name : row->school,
		admin_word(&codes_stage, row->stage), row->area);
	return out;
}

static void say_rows(struct change *x, const struct record *corrected)
{
	char before[400], after[400], cell[3][200];

	admin_schools(x->c);
	for (size_t i = 0; i < x->q.n_change; i++) {
		row_words(x->row[i], before, sizeof before);
		if (!corrected) {
			cli_say(x->c, _("  删除：%s"), before);
			continue;
		}
		snprintf(after, sizeof after, "%s %s %s",
			admin_school(x->c, value_show(corrected, F_CATCHMENT_SCHOOL, false, cell[0], 200)),
			value_show(corrected, F_CATCHMENT_STAGE, false, cell[1], 200),
			value_show(corrected, F_CATCHMENT_AREA, false, cell[2], 200));
		cli_say(x->c, _("  %s → %s"), before, after);
	}
}

static json_t *problems_json(pb_row_problem *const *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_string(list[i]->message ? list[i]->message : ""));
	return out;
}

static void say_warnings(const struct change *x, const pb_import_report *r)
{
	for (size_t i = 0; i < r->n_warning; i++)
		cli_say(x->c, _("  提醒：%s"), r->warning[i]->message);
}

static enum err send(struct change *x, bool dry, struct arena *arena, const pb_import_report **report)
{
	const ProtobufCMessage *reply = NULL;

	x->q.has_dry_run = 1;
	x->q.dry_run = dry;
	enum err e = admin_ask(x->c, METHOD_COUNTY_CHANGE_CATCHMENTS, &x->q.base, arena, &reply);
	*report = (const pb_import_report *)reply;
	return e;
}

/* Shown first; at a terminal a person says yes. A script says --yes, or is not asked. */
static bool go_on(struct change *x, const struct record *corrected, int *code)
{
	const pb_import_report *r;
	struct arena arena;
	char prompt[200];

	enum err e = send(x, true, &arena, &r);
	if (e) {
		arena_free(&arena);
		*code = cli_fail(x->c);
		return false;
	}
	say_rows(x, corrected);
	cli_say(x->c, "%s", _("下次核对按改后的施教区判定责任初中，在办的交办单也随之改"));
	say_warnings(x, r);
	arena_free(&arena);
	snprintf(prompt, sizeof prompt, _("共 %zu 条。确认请输入“是”："), x->q.n_change);
	if (cli_confirm("是|yes", prompt))
		return true;
	*code = cli_fail_with(x->c, ERR_NOT_NOW, _("看清后再运行一次"), _("没有确认，什么也没有改动"));
	return false;
}

static int apply_change(struct change *x, const struct record *corrected)
{
	const pb_import_report *r;
	struct arena arena;
	int code;

	if (!cli_flag(x->c, "yes") && cli_is_asked(x->c) && !go_on(x, corrected, &code))
		return code;
	enum err e = send(x, false, &arena, &r);
	if (e) {
		arena_free(&arena);
		return cli_fail(x->c);
	}
	if (!corrected)
		cli_say(x->c, _("已删除 %u 条；要恢复请重新导入：jgadmin catchments import"), r->removed);
	else
		cli_say(x->c, "%s", r->updated ? _("已更正") : _("本来就是这样，没有改动"));
	say_warnings(x, r);
	json_t *out = json_pack("{s:i,s:i,s:i,s:o}", "removed", (int)r->removed, "updated", (int)r->updated,
		"unchanged", (int)r->unchanged, "warnings", problems_json(r->warning, r->n_warning));
	arena_free(&arena);
	return cli_result(x->c, out, 0);
}

static enum err begin(struct change *x, struct cli *c)
{
	pb_empty q = PB_EMPTY_INIT;
	const ProtobufCMessage *reply = NULL;

	x->c = c;
	x->q = (pb_catchment_changes)PB_CATCHMENT_CHANGES_INIT;
	x->q.change = x->pointer;
	enum err e = admin_ask(c, METHOD_COUNTY_LIST_CATCHMENTS, &q.base, &x->arena, &reply);
	x->list = (const pb_catchment_list *)reply;
	return e;
}

int cmd_catchments_remove(struct cli *c)
{
	struct change *x = calloc(1, sizeof *x);
	int code = 0;

	if (!x)
		return cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	bool good = !begin(x, c);
	if (!good)
		code = cli_fail(c);
	for (int i = 0; good && i < c->operands; i++)
		good = take_row(x, i, &code);
	if (good)
		code = apply_change(x, NULL);
	arena_free(&x->arena);
	free(x);
	return code;
}

/* 区划代码=329999100 or area=329999100; false: told, *code set. */
static bool take_field(struct change *x, struct record *r, const char *text, int *code)
{
	const struct value_context context = {.epoch = DATE_EPOCH_1900};
	const char *equals = strchr(text, '='), *why = "";
	int field = -1;

	for (int i = 0; equals && i < (int)r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		const char *const names[] = {f->name, f->label, value_column(f)};
		for (size_t k = 0; k < 3; k++)
			if (strlen(names[k]) == (size_t)(equals - text) &&
				strncmp(names[k], text, (size_t)(equals - text)) == 0)
				field = i;
	}
	if (field < 0) {
		*code = cli_fail_with(
			x->c, ERR_USAGE, _("学校标识码=、学段= 或 区划代码="), _("不认识“%s”"), text);
		return false;
	}
	if (value_parse(r, field, equals + 1, &context, &x->arena, &why, &x->c->problem) != VALUE_BAD)
		return true;
	x->c->problem.code = x->c->problem.code ? x->c->problem.code : ERR_INVALID;
	*code = cli_fail(x->c);
	return false;
}

int cmd_catchments_set(struct cli *c)
{
	struct change *x = calloc(1, sizeof *x);
	struct record r;
	int code = 0;

	if (!x)
		return cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	record_init(&r, kind_by_number(KIND_CATCHMENT));
	bool good = !begin(x, c);
	if (!good)
		code = cli_fail(c);
	if (good && (good = take_row(x, 0, &code))) {
		record_set_text(&r, F_CATCHMENT_SCHOOL, x->row[0]->school);
		record_set_text(&r, F_CATCHMENT_STAGE, x->row[0]->stage);
		record_set_text(&r, F_CATCHMENT_AREA, x->row[0]->area);
	}
	for (int i = 1; good && i < c->operands; i++)
		good = take_field(x, &r, cli_operand(c, i), &code);
	if (good) {
		record_encode(&r, &x->body);
		x->change[0].has_record = 1;
		x->change[0].record = (ProtobufCBinaryData){x->body.len, x->body.data};
		code = apply_change(x, &r);
	}
	buf_free(&x->body);
	arena_free(&x->arena);
	free(x);
	return code;
}
