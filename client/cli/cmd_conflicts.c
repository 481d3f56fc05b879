#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "clock.h"
#include "decide.h"
#include "face.h"
#include "jg.h"
#include "lang.h"
#include "scope.h"
#include "tables.h"
#include "value.h"
#include "words.h"

const struct cli_option conflicts_resolve_options[] = {
	{"seen", "VERSIONS", N_("看到的版本（conflicts show 的 seen）；已变则拒绝")},
	{0},
};

/* "3.1.2": the server's version of each group, as a person saw them. */
static void versions_text(const struct item *item, char out[128])
{
	*out = 0;
	for (unsigned g = 0; item && g < item->record.kind->group_count; g++)
		snprintf(out + strlen(out), 128 - strlen(out), "%s%u", g ? "." : "", item->gver[g]);
}

struct conflict_list {
	struct cli *c;
	struct view *v;
	json_t *json;
	struct cli_table *table;
};

/* A deletion names the groups that had a value when it was made, and is of all of them. */
static uint32_t fields_of(const struct op_row *row, uint32_t groups)
{
	return row->del ? UINT32_MAX : groups;
}

static json_t *fields_json(const struct record *mine, const struct record *theirs, uint32_t groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < mine->kind->field_count; i++) {
		const struct field *f = &mine->kind->fields[i];
		if (groups >> (f->group - 1) & 1 && !record_same_field(mine, theirs, i))
			json_array_append_new(list,
				json_pack("{ss ss si so so}", "field", f->name, "label",
					lang_declared(f->label, f->label_en), "group", f->group, "mine",
					value_json(mine, (int)i), "theirs", value_json(theirs, (int)i)));
	}
	return list;
}

static json_t *conflict_json(
	struct view *v, const struct op_row *row, const struct record *mine, uint32_t groups)
{
	const uint8_t *record = decide_conflict_id(row);
	const struct item *item = view_find_id(v, record);
	struct record none;
	char n[24], id[37], seen[128];

	record_init(&none, row->kind);
	const struct record *theirs = item && item->live ? &item->record : &none;
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	versions_text(item, seen);
	json_t *student = kind_field_index(row->kind, "name") >= 0
		? value_student_json(item ? &item->record : mine, record)
		: json_null();
	return json_pack("{ss ss ss so si so s{ss so sb} s{so so sI so} ss}", "id", n, "kind",
		row->kind->table, "record", jg_format_id(record, id), "student", student, "group",
		(int)row->group, "fields", fields_json(mine, theirs, fields_of(row, groups)), "mine", "by",
		row->author, "at", cli_time_json(row->at), "deleted", row->del, "theirs", "by",
		row->their_author[0] ? json_string(row->their_author) : json_null(), "at",
		cli_time_json(row->their_at), "ver", (json_int_t)(item ? item->ver : 0), "deleted",
		json_boolean(!item || !item->live), "seen", seen);
}

/* The pupil of a conflict: of the record as it stands, else of what was written here. */
static const struct record *whose_conflict(const struct view *v, const struct op_row *row)
{
	const struct item *item = view_find_id(v, decide_conflict_id(row));
	const struct record *whose = item ? words_whose(v, &item->record) : NULL;

	return whose ? whose : words_whose(v, &row->body);
}

static bool covers(const struct view *v, const struct op_row *row)
{
	const struct item *item = view_find_id(v, decide_conflict_id(row));

	return scope_covers(v, item && item->live ? &item->record : decide_about(v, row), row->author);
}

static enum err list_conflict(void *data, const struct op_row *row)
{
	struct conflict_list *list = data;
	char n[24], fields[400] = "", pupil[256], tail[8] = "";

	if (!covers(list->v, row))
		return ERR_OK;
	json_t *json = conflict_json(list->v, row, &row->body, row->groups), *field;
	size_t i;

	json_array_foreach(json_object_get(json, "fields"), i, field)
		snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "%s%s", i ? _("、") : "",
			json_string_value(json_object_get(field, "label")));
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	if (row->del)
		snprintf(fields, sizeof fields, "%s", _("我的是删除"));
	const struct record *whose = whose_conflict(list->v, row);
	const struct item *item = view_find_id(list->v, decide_conflict_id(row));
	const struct record *told = item ? &item->record : &row->body;
	cli_table_row(list->table,
		(const char *[]){n,
			whose ? words_pupil(whose, pupil, sizeof pupil)
			      : words_key(list->v, told, pupil, sizeof pupil),
			whose ? words_tail(whose, tail) : "",
			lang_declared(row->kind->label, row->kind->label_en), fields, row->author});
	json_array_append_new(list->json, json);
	return ERR_OK;
}

int cmd_conflicts_list(struct cli *c)
{
	const char *headings[] = {
		_("序号"), C_("heading", "对象"), _("末四位"), C_("heading", "记录"), _("字段"), _("经办")};
	int code;
	struct view *v = jg_view(c, kinds_all, &code);
	struct conflict_list list = {
		.c = c, .v = v, .json = json_array(), .table = cli_table_new(headings, 6)};

	if (!v)
		return code;
	if (outbox_each(v->store, 1u << OP_CONFLICT, 0, list_conflict, &list, &c->problem))
		return cli_fail(c);
	cli_table_print(c, list.table);
	return cli_result(c, list.json, 0);
}

/* Reads the conflict that the first operand names; false with the exit code. The arena is the caller's to
 * free. */
static bool open_conflict(struct cli *c, struct view **v, struct arena *arena, struct conflict *x, int *code)
{
	arena_init(arena, 8u << 20);
	*code = 0;
	*v = jg_view(c, kinds_all, code);
	if (!*v)
		return false;
	if (decide_read_conflict(*v, atoll(c->operand[0]), arena, x, &c->problem)) {
		*code = cli_fail(c);
		return false;
	}
	if (covers(*v, &x->row))
		return true;
	scope_refuse(&c->profile.session, &c->problem);
	*code = cli_fail(c);
	return false;
}

static json_t *behind_json(const struct conflict *x)
{
	json_t *list = json_array();

	for (const struct decide_behind *behind = x->behind; behind; behind = behind->next) {
		char n[24];
		snprintf(n, sizeof n, "%lld", (long long)behind->n);
		json_array_append_new(list, json_string(n));
	}
	return list;
}

static const char *or_empty(const char *text)
{
	return *text ? text : _("空");
}

/* A pupil's number is shown in full on demand, as in the lists. */
static bool is_number(const struct field *f)
{
	return strcmp(f->name, "cert_no") == 0 || strcmp(f->name, "student_no") == 0;
}

static void show_conflict(const struct cli *c, struct view *v, const struct conflict *x)
{
	const struct item *theirs = decide_theirs(v, &x->row);
	const struct record *whose = whose_conflict(v, &x->row);
	char mine_text[600], their_text[600], pupil[256], tail[8], mine_at[FACE_SIZE], their_at[FACE_SIZE],
		seen[128];
	int64_t now = profile_now_us(&c->profile);
	struct record none;

	record_init(&none, x->row.kind);
	if (whose)
		cli_say(c, _("%s　末四位 %s　%s"), words_pupil(whose, pupil, sizeof pupil),
			words_tail(whose, tail), lang_declared(x->row.kind->label, x->row.kind->label_en));
	if (!theirs)
		cli_say(c, "%s", _("对方已删除这条记录"));
	if (x->row.del)
		cli_say(c, "%s", _("我的是删除这条记录；对方改过它，现在的内容："));
	for (size_t i = 0; i < x->mine.kind->field_count; i++) {
		const struct field *f = &x->mine.kind->fields[i];
		const struct record *other = theirs ? &theirs->record : &none;
		bool masked = !c->reveal && is_number(f);
		if (!(fields_of(&x->row, x->groups) >> (f->group - 1) & 1) ||
			record_same_field(&x->mine, other, i))
			continue;
		words_field(v, &x->mine, (int)i, masked, mine_text, sizeof mine_text);
		words_field(v, other, (int)i, masked, their_text, sizeof their_text);
		if (x->row.del)
			cli_say(c, _("%s：%s"), lang_declared(f->label, f->label_en), or_empty(their_text));
		else
			cli_say(c, _("%s：我的 %s　对方 %s"), lang_declared(f->label, f->label_en),
				or_empty(mine_text), or_empty(their_text));
	}
	face_time(mine_at, x->row.at, now);
	face_time(their_at, x->row.their_at, now);
	cli_say(c, _("我的由 %s 于 %s 录入"), x->row.author, mine_at);
	if (x->row.their_author[0])
		cli_say(c, _("对方由 %s 于 %s 录入"), x->row.their_author, their_at);
	versions_text(view_find_id(v, decide_conflict_id(&x->row)), seen);
	cli_say(c, _("版本 %s；决定：jg conflicts resolve %lld 我的，或 对方，或写 栏目=内容"), seen,
		(long long)x->row.n);
}

int cmd_conflicts_show(struct cli *c)
{
	struct conflict x;
	struct arena arena;
	struct view *v;
	int code;

	if (open_conflict(c, &v, &arena, &x, &code)) {
		json_t *json = conflict_json(v, &x.row, &x.mine, x.groups);
		show_conflict(c, v, &x);
		json_object_set_new(json, "blocked", behind_json(&x));
		cli_result(c, json, 0);
	}
	arena_free(&arena);
	return code;
}

/* The person's word: ours over theirs as it now stands, theirs, or single fields. */
static int resolve(struct cli *c, struct view *v, struct conflict *x)
{
	const char *word = c->operand[1];
	const struct item *item = decide_theirs(v, &x->row);
	bool theirs = strcmp(word, "theirs") == 0 || strcmp(word, "对方") == 0,
	     mine = strcmp(word, "mine") == 0 || strcmp(word, "我的") == 0;
	uint32_t touched = 0;
	struct record want;
	char pupil[256], undo[64] = "";
	int code;

	if ((theirs || mine) && c->operands > 2)
		return cli_fail_with(c, ERR_USAGE, _("例如 jg conflicts resolve 12 我的"),
			_("我的、对方 与 栏目=内容 只用一种"));
	record_init(&want, x->row.kind);
	if (item)
		want = item->record;
	if (!theirs && !mine &&
		((code = jg_take_fields(c, 1, v, &want, &touched)) ||
			(code = jg_number_is_free(c, v, item, &want))))
		return code;
	const struct record *whose = whose_conflict(v, &x->row);
	if (whose)
		words_pupil(whose, pupil, sizeof pupil);
	int64_t row = v->store->next_row;
	enum err e = store_begin(v->store, &c->problem);
	if (!e && !theirs)
		e = batch_begin(v->store, "edit", whose ? pupil : NULL, &x->batch, &c->problem);
	if (!e && theirs)
		e = decide_take_theirs(v, x, &c->problem);
	else if (!e)
		e = mine ? decide_take_mine(v, x, &c->problem) : decide_take_fields(v, x, &want, &c->problem);
	if (!e && !theirs)
		e = batch_end(v->store, x->batch, &(struct batch_counts){.updated = 1}, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	if (!theirs && v->store->next_row > row)
		snprintf(undo, sizeof undo, _("；撤销：jg undo %lld"), (long long)x->batch);
	const char *done = mine ? _("：用我的内容，jg sync 后送达") : _("：已按您写的保存，jg sync 后送达");
	if (theirs)
		done = x->row.del ? _("：不删除，保留对方的内容") : _("：保留对方的内容");
	cli_say(c, "%s%s%s%s%s", whose ? pupil : "", whose ? " " : "",
		lang_declared(x->row.kind->label, x->row.kind->label_en), done, undo);
	if (x->back)
		cli_say(c, _("一并删去的 %zu 条已补回，jg sync 后送达"), x->back);
	const char *ours = mine ? "mine" : "fields";
	return cli_result(
		c, json_pack("{ss ss}", "id", c->operand[0], "resolved", theirs ? "theirs" : ours), 0);
}

int cmd_conflicts_resolve(struct cli *c)
{
	const char *seen = cli_option(c, "seen");
	struct conflict x;
	struct arena arena;
	struct view *v;
	char now[128];
	int code;

	if (open_conflict(c, &v, &arena, &x, &code)) {
		if (scope_writes(&c->profile.session, x.row.kind, &c->problem)) {
			arena_free(&arena);
			return cli_fail(c);
		}
		versions_text(view_find_id(v, decide_conflict_id(&x.row)), now);
		code = seen && strcmp(seen, now) != 0
			? cli_fail_with(c, ERR_STALE, _("用 jg conflicts show 重新查看"),
				  _("版本已从 %s 变为 %s"), seen, now)
			: resolve(c, v, &x);
	}
	arena_free(&arena);
	return code;
}
