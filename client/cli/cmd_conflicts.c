#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "jg.h"
#include "tables.h"
#include "value.h"

const struct cli_option conflicts_resolve_options[] = {
	{"seen", "VERSIONS", "看到的版本（conflicts show 的 seen）；已变则拒绝",
		"the versions seen (of conflicts show); refused when they changed"},
	{0},
};

static const uint32_t conflict_kinds[] = {KIND_KLASS, KIND_STUDENT, KIND_GUARDIAN, KIND_DESTINATION,
	KIND_ENROLMENT, KIND_VERIFY_ANSWER, KIND_EVIDENCE, KIND_SLIP_ADDRESSEE, 0};

/* The record that the county has: of a duplicate the one that was there first, for the refused id is nobody's. */
static const uint8_t *their_id(const struct op_row *row)
{
	return row->has_duplicate ? row->duplicate_of : row->id;
}

/* "3.1.2": the server's version of each group, as a person saw them. */
static void versions_text(const struct item *item, char out[128])
{
	*out = 0;
	for (unsigned g = 0; item && g < item->record.kind->group_count; g++)
		snprintf(out + strlen(out), 128 - strlen(out), "%s%u", g ? "." : "", item->gver[g]);
}

struct conflict {
	struct cli *c;
	struct view *v;
	json_t *json;
	struct cli_table *table;
	int64_t only;       /* the row asked for, 0 = all */
	struct op_row row;  /* of `only` */
	struct record mine; /* with what was blocked behind it laid over */
	uint32_t groups;
	struct arena arena;
	json_t *blocked;
};

static json_t *fields_json(const struct record *mine, const struct record *theirs, uint32_t groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < mine->kind->field_count; i++) {
		const struct field *f = &mine->kind->fields[i];
		if (groups >> (f->group - 1) & 1 && !record_same_field(mine, theirs, i))
			json_array_append_new(list,
				json_pack("{ss ss si so so}", "field", f->name, "label",
					tr(f->label, f->label_en), "group", f->group, "mine",
					value_json(mine, (int)i), "theirs", value_json(theirs, (int)i)));
	}
	return list;
}

static json_t *conflict_json(
	const struct conflict *x, const struct op_row *row, const struct record *mine, uint32_t groups)
{
	const struct item *item = view_find_id(x->v, their_id(row));
	struct record none;
	char n[24], id[37], seen[128];

	record_init(&none, row->kind);
	const struct record *theirs = item && item->live ? &item->record : &none;
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	versions_text(item, seen);
	json_t *student = kind_field_index(row->kind, "name") >= 0
				  ? value_student_json(item ? &item->record : mine, their_id(row))
				  : json_null();
	return json_pack("{ss ss ss so si so s{ss so} s{so so sI so} ss}", "id", n, "kind", row->kind->table,
		"record", jg_id(their_id(row), id), "student", student, "group", (int)row->group, "fields",
		fields_json(mine, theirs, groups), "mine", "by", row->author, "at", cli_time_json(row->at),
		"theirs", "by", row->their_author[0] ? json_string(row->their_author) : json_null(), "at", cli_time_json(row->their_at), "ver", (json_int_t)(item ? item->ver : 0), "deleted",
		json_boolean(!item || !item->live), "seen", seen);
}

static enum err list_conflict(void *data, const struct op_row *row)
{
	struct conflict *x = data;
	char n[24], fields[400] = "";
	json_t *json = conflict_json(x, row, &row->body, row->groups), *field;
	size_t i;

	json_array_foreach(json_object_get(json, "fields"), i, field)
		snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "%s%s", i ? "、" : "",
			json_string_value(json_object_get(field, "label")));
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	cli_table_row(x->table,
		(const char *[]){n, tr(row->kind->label, row->kind->label_en), fields, row->author});
	json_array_append_new(x->json, json);
	return ERR_OK;
}

int cmd_conflicts_list(struct cli *c)
{
	const char *headings[] = {
		tr("编号", "id"), tr("记录", "kind"), tr("字段", "fields"), tr("经办", "by")};
	int code;
	struct view *v = jg_view(c, conflict_kinds, &code);
	struct conflict x = {.c = c, .v = v, .json = json_array(), .table = cli_table_new(headings, 4)};

	if (!v)
		return code;
	if (outbox_each(v->store, 1u << OP_CONFLICT, 0, list_conflict, &x, &c->problem))
		return cli_fail(c);
	cli_table_print(c, x.table);
	return cli_result(c, x.json, 0);
}

/* What was blocked behind the conflict on the same record is one item with it. */
static enum err add_blocked(void *data, const struct op_row *row)
{
	struct conflict *x = data;
	struct buf body = {0};
	struct record r;
	char n[24];

	if (row->n <= x->only || memcmp(row->id, x->row.id, ID_SIZE) != 0 || row->del)
		return ERR_OK;
	record_encode(&row->body, &body);
	void *copy = arena_copy(&x->arena, body.len ? body.data : (const uint8_t *)"", body.len);
	enum err e = copy && !body.failed ? record_decode(&r, row->kind, copy, body.len, &x->arena, NULL)
					  : ERR_NOMEM;
	buf_free(&body);
	if (e)
		return e;
	record_take_groups(&x->mine, &r, row->groups);
	x->groups |= row->groups;
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	json_array_append_new(x->blocked, json_string(n));
	return ERR_OK;
}

static int open_conflict(struct cli *c, struct conflict *x)
{
	int code;
	struct view *v = jg_view(c, conflict_kinds, &code);

	*x = (struct conflict){.c = c, .v = v, .only = atoll(c->operand[0]), .blocked = json_array()};
	arena_init(&x->arena, 8u << 20);
	if (!v)
		return code;
	enum err e = outbox_read(v->store, x->only, &x->arena, &x->row, &c->problem);
	if (!e && x->row.state != OP_CONFLICT)
		e = problem_set(&c->problem, ERR_NOT_FOUND, NULL,
			tr("conflicts list 列出冲突", "see conflicts list"),
			tr("第 %lld 项没有冲突", "item %lld is no conflict"), (long long)x->only);
	if (e)
		return cli_fail(c);
	x->mine = x->row.body;
	x->groups = x->row.groups;
	return outbox_each(v->store, 1u << OP_BLOCKED, 0, add_blocked, x, &c->problem) ? cli_fail(c) : 0;
}

int cmd_conflicts_show(struct cli *c)
{
	struct conflict x;
	int code = open_conflict(c, &x);

	if (!code) {
		json_t *json = conflict_json(&x, &x.row, &x.mine, x.groups), *field;
		size_t i;
		json_array_foreach(json_object_get(json, "fields"), i, field)
		{
			char *mine = json_dumps(json_object_get(field, "mine"), JSON_ENCODE_ANY),
			     *theirs = json_dumps(json_object_get(field, "theirs"), JSON_ENCODE_ANY);
			cli_say(c, tr("%s：我的 %s　对方 %s", "%s: mine %s, theirs %s"),
				json_string_value(json_object_get(field, "label")), mine, theirs);
			free(mine);
			free(theirs);
		}
		char mine_at[TIME_TEXT_SIZE], their_at[TIME_TEXT_SIZE] = "";
		time_format(mine_at, x.row.at);
		if (x.row.their_at)
			time_format(their_at, x.row.their_at);
		cli_say(c, tr("我的由 %s 于 %s 录入，对方由 %s 于 %s 录入", "mine was written by %s on %s, theirs by %s on %s"), x.row.author, mine_at,
			x.row.their_author[0] ? x.row.their_author : "?", their_at);
		cli_say(c, tr("版本 %s", "versions %s"), json_string_value(json_object_get(json, "seen")));
		json_object_set(json, "blocked", x.blocked);
		cli_result(c, json, 0);
	}
	json_decref(x.blocked);
	arena_free(&x.arena);
	return code;
}

static enum err close_items(struct conflict *x)
{
	enum err e = outbox_set_state(x->v->store, x->only, OP_DONE, &x->c->problem);
	json_t *n;
	size_t i;

	json_array_foreach(x->blocked, i, n) if (!e) e =
		outbox_set_state(x->v->store, atoll(json_string_value(n)), OP_DONE, &x->c->problem);
	return e;
}

/* The person's word: ours over theirs as it now stands, theirs, or single fields. */
static int resolve(struct cli *c, struct conflict *x)
{
	const char *word = c->operand[1];
	struct item *item = view_find_id(x->v, their_id(&x->row));
	struct record want;
	uint32_t touched = 0;
	int code = 0;
	bool theirs = strcmp(word, "theirs") == 0, mine = strcmp(word, "mine") == 0;
	bool del = mine && x->row.del; /* ours was to delete it: there are no values to put over theirs */

	if ((theirs || mine) && c->operands > 2)
		return cli_fail_with(c, ERR_USAGE, NULL,
			tr("mine、theirs 与 字段=值 只用一种", "either mine, theirs, or FIELD=VALUE"));
	if (!item || !item->live) {
		if (!theirs)
			return cli_fail_with(c, ERR_NOT_FOUND,
				tr("用 theirs 结束，或重新录入", "resolve with theirs, or enter it anew"),
				tr("对方已删除这条记录", "the record has been deleted"));
	} else if (!del) {
		want = item->record;
		if (mine)
			record_take_groups(&want, &x->mine, x->groups);
		else if (!theirs && (code = jg_take_fields(c, 1, x->v, &want, &touched)))
			return code;
		if (check_record(&want, true, cycle_today(&c->profile), &c->problem))
			return cli_fail(c);
	}
	enum err e = store_begin(x->v->store, &c->problem);
	if (!e && del)
		e = outbox_delete(x->v, item, 0, &c->problem);
	else if (!e && !theirs)
		e = outbox_put(x->v, &item, &want, UINT32_MAX, 0, &c->problem);
	if (!e && x->row.has_duplicate && item && item->live)
		e = outbox_move_hangers(x->v, &x->row, &c->problem);
	if (!e)
		e = close_items(x);
	if (jg_commit(c, e))
		return cli_fail(c);
	cli_say(c, "%s",
		theirs ? tr("保留对方的内容", "theirs is kept")
		       : tr("已保存，jg sync 后送达", "saved; jg sync sends it"));
	return cli_result(c,
		json_pack("{ss ss}", "id", c->operand[0], "resolved",
			theirs ? "theirs"
			: mine ? "mine"
			       : "fields"),
		0);
}

int cmd_conflicts_resolve(struct cli *c)
{
	const char *seen = cli_option(c, "seen");
	struct conflict x;
	char now[128];
	int code = open_conflict(c, &x);

	if (!code) {
		versions_text(view_find_id(x.v, their_id(&x.row)), now);
		code = seen && strcmp(seen, now) != 0
			       ? cli_fail_with(c, ERR_STALE,
					 tr("用 conflicts show 重新查看", "look again with conflicts show"),
					 tr("版本已从 %s 变为 %s", "the versions went from %s to %s"), seen,
					 now)
			       : resolve(c, &x);
	}
	json_decref(x.blocked);
	arena_free(&x.arena);
	return code;
}
