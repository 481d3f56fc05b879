#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "codes.h"
#include "decide.h"
#include "face.h"
#include "jg.h"
#include "lang.h"
#include "scope.h"
#include "lint.h"
#include "tables.h"
#include "value.h"
#include "words.h"

const struct cli_option outbox_withdraw_options[] = {
	{"all", NULL, N_("没有被接受的全部撤回；学籍管理员撤回所有人的，其他人撤回自己的")},
	{0},
};
const struct cli_option outbox_list_options[] = {
	{"all", NULL, N_("也列已收的")},
	{0},
};

const char *jg_op_state(enum op_state state)
{
	return codes_op_state.items[state - 1].code;
}

static json_t *groups_json(uint32_t groups)
{
	json_t *list = json_array();

	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
		if (groups >> g & 1)
			json_array_append_new(list, json_integer(g + 1));
	return list;
}

static json_t *op_json(const struct op_row *row)
{
	char n[24], id[37];
	const struct err_info *info = err_info((int)row->code);

	snprintf(n, sizeof n, "%lld", (long long)row->n);
	json_t *reason = row->message[0] ? json_string(row->message)
		: row->code              ? json_string(_(info->sentence))
					 : json_null();
	return json_pack("{ss ss ss ss ss so so so so ss so sI}", "id", n, "state", jg_op_state(row->state),
		"kind", row->kind->table, "action", row->del ? "delete" : "put", "record",
		jg_format_id(row->id, id), "groups", groups_json(row->groups), "reason", reason, "hint",
		*row->hint ? json_string(row->hint) : json_null(), "code",
		row->code ? json_string(info->name) : json_null(), "author", row->author, "at",
		cli_time_json(row->at), "op_no", (json_int_t)row->op_no);
}

/* A pupil whose record never came to be: what hangs on it is his all the same. */
struct never_made {
	uint8_t id[ID_SIZE];
	char pupil[256], tail[8];
};

struct op_list {
	struct cli *c;
	struct view *v; /* NULL for a program, which gets ids, of somebody who sees all */
	json_t *json;
	struct cli_table *table;
	struct never_made *made;
	size_t n_made, room;
	bool refused; /* some of it waits for a person's fix or withdrawal */
};

/* The pupil of an operation: as it wrote him, as he was before, or as he stands. */
static const struct record *whose_op(const struct view *v, const struct op_row *row)
{
	const struct record *whose = NULL;
	const struct item *item = view_find_id(v, row->id);
	int name = kind_field_index(row->kind, "name");

	if (item)
		whose = words_whose(v, &item->record);
	if (!whose && (name < 0 || record_has(&row->body, name)))
		whose = words_whose(v, &row->body);
	if (!whose && row->prev.kind)
		whose = words_whose(v, &row->prev);
	return whose;
}

/* Of what is no pupil's: the record as it stands, else as it was, else as it was to be. */
static const struct record *what_op(const struct view *v, const struct op_row *row)
{
	const struct item *item = view_find_id(v, row->id);

	if (item)
		return &item->record;
	if (row->prev.kind)
		return &row->prev;
	return &row->body;
}

static const char *reason_text(const struct op_row *row)
{
	const struct err_info *info = err_info((int)row->code);

	if (row->message[0])
		return row->message;
	if (row->code)
		return _(info->sentence);
	return "";
}

static void keep_name(struct op_list *l, const struct op_row *row, const struct record *whose)
{
	if (view_find_id(l->v, row->id) || kind_field_index(row->kind, "cert_no") < 0)
		return;
	if (l->n_made == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct never_made *more = realloc(l->made, room * sizeof *more);
		if (!more)
			return; /* a row without a name is a row all the same */
		l->made = more;
		LINT_KEPT(more);
		l->room = room;
	}
	struct never_made *m = &l->made[l->n_made++];
	memcpy(m->id, row->id, ID_SIZE);
	words_pupil(whose, m->pupil, sizeof m->pupil);
	words_tail(whose, m->tail);
}

/* Whose it is that hangs on a record which never came to be; NULL when that is not known either. */
static const struct never_made *kept_name(const struct op_list *l, const struct op_row *row)
{
	for (size_t i = 0; i < l->n_made; i++)
		for (size_t f = 0; f < row->kind->field_count; f++)
			if (row->kind->fields[f].type == FIELD_BYTES && row->body.value[f].len == ID_SIZE &&
				memcmp(row->body.value[f].data, l->made[i].id, ID_SIZE) == 0)
				return &l->made[i];
	return NULL;
}

static enum err list_op(void *data, const struct op_row *row)
{
	struct op_list *l = data;
	char n[24], pupil[256], tail[8], at[FACE_SIZE];

	if (l->v && !scope_covers(l->v, decide_about(l->v, row), row->author))
		return ERR_OK; /* nor does students show show him */
	l->refused |= decide_needed(row) && row->state != OP_CONFLICT;
	if (l->c->json) {
		json_array_append_new(l->json, op_json(row));
		return ERR_OK;
	}
	const struct record *whose = whose_op(l->v, row);
	const struct never_made *made = whose ? NULL : kept_name(l, row);
	if (whose)
		keep_name(l, row, whose);
	snprintf(n, sizeof n, "%lld", (long long)row->n);
	const char *name, *number = made ? made->tail : "";
	if (made)
		name = made->pupil;
	else if (whose)
		name = words_pupil(whose, pupil, sizeof pupil);
	else
		name = words_key(l->v, what_op(l->v, row), pupil, sizeof pupil);
	cli_table_row(l->table,
		(const char *[]){n, face_time(at, row->at, profile_now_us(&l->c->profile)),
			lang_declared(row->kind->label, row->kind->label_en),
			row->del ? _("删除") : _("保存"), name, whose ? words_tail(whose, tail) : number,
			code_name(&codes_op_state, jg_op_state(row->state)), reason_text(row)});
	return ERR_OK;
}

/* A program gets every row; a person those that are still something to him. */
int cmd_outbox_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("时间"), C_("heading", "记录"), _("动作"),
		C_("heading", "对象"), _("末四位"), _("状态"), _("原因")};
	uint32_t states = UINT32_MAX & ~(1u << OP_DONE);
	int code;
	struct store *store = jg_store(c, &code);
	struct op_list list = {.c = c, .json = json_array(), .table = cli_table_new(headings, 8)};

	/* A program gets ids, and needs no names; of a class teacher's rows some are another's. */
	if (!store ||
		((!c->json || !scope_is_whole(&c->profile.session)) &&
			!(list.v = jg_view(c, kinds_all, &code))))
		return code;
	if (!c->json && !cli_flag(c, "all"))
		states &= ~(1u << OP_ACCEPTED);
	enum err e =
		outbox_each(store, cli_flag(c, "all") ? UINT32_MAX : states, 0, list_op, &list, &c->problem);
	free(list.made);
	if (e)
		return cli_fail(c);
	cli_table_print(c, list.table);
	if (list.refused)
		cli_next(c, "%s",
			_("改正或确认：jg outbox fix 序号 栏目=内容；不要了：jg outbox withdraw 序号…，"
			  "整批导入的 jg import undo 批次，没有被接受的全部 jg outbox withdraw --all"));
	return cli_result(c, list.json, 0);
}

static json_t *body_json(const struct op_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->kind->field_count; i++) {
		const struct field *f = &row->kind->fields[i];
		if (row->groups >> (f->group - 1) & 1)
			json_array_append_new(list,
				json_pack("{ss ss so so}", "field", f->name, "label",
					lang_declared(f->label, f->label_en), "value",
					value_json(&row->body, (int)i), "before",
					row->prev.kind ? value_json(&row->prev, (int)i) : json_null()));
	}
	return list;
}

/* A record of which there are versions says which one it is: what was seen when it was written, what
 * stands now. */
static const char *const version_fields[] = {"version", "digest", "title"};
#define VERSION_FIELDS (sizeof version_fields / sizeof *version_fields)

static bool has_versions(const struct op_row *row)
{
	for (size_t i = 0; i < VERSION_FIELDS; i++)
		if (kind_field_index(row->kind, version_fields[i]) < 0)
			return false;
	return row->code == ERR_STALE && row->prev.kind;
}

static json_t *version_json(const struct record *r)
{
	json_t *out = json_object();

	for (size_t i = 0; i < VERSION_FIELDS; i++)
		json_object_set_new(
			out, version_fields[i], value_json(r, kind_field_index(r->kind, version_fields[i])));
	return out;
}

static void say_version(const struct cli *c, const struct view *v, const char *format, const struct record *r)
{
	char version[32], title[1024];

	cli_say(c, format,
		words_field(v, r, kind_field_index(r->kind, "version"), false, version, sizeof version),
		words_field(v, r, kind_field_index(r->kind, "title"), false, title, sizeof title));
}

static int read_op(struct cli *c, int operand, struct arena *arena, struct op_row *row)
{
	int code;
	struct store *store = jg_store(c, &code);

	arena_init(arena, 8u << 20);
	assert(store || code); /* jg_store says why there is none */
	if (store && outbox_read(store, atoll(c->operand[operand]), arena, row, &c->problem))
		code = cli_fail(c);
	return code;
}

/* What it writes over what; of a deletion what it deletes. */
static void show_fields(const struct cli *c, const struct view *v, const struct op_row *row)
{
	const struct record *now = row->del ? &row->prev : &row->body;
	char text[600], before[600] = "";

	for (size_t i = 0; now->kind && i < row->kind->field_count; i++) {
		const struct field *f = &row->kind->fields[i];
		bool masked = !c->reveal && strcmp(f->name, "name") != 0,
		     had = !row->del && row->prev.kind && !record_same_field(&row->prev, &row->body, i);
		if (!(row->groups >> (f->group - 1) & 1))
			continue;
		words_field(v, now, (int)i, masked, text, sizeof text);
		if (had)
			words_field(v, &row->prev, (int)i, masked, before, sizeof before);
		if (*text || (had && *before))
			cli_say(c, had ? _("  %s：%s　原值 %s") : _("  %s：%s"),
				lang_declared(f->label, f->label_en), *text ? text : _("空"),
				*before ? before : _("空"));
	}
}

static void show_op(const struct cli *c, const struct view *v, const struct op_row *row)
{
	const struct record *whose = whose_op(v, row);
	char pupil[256] = "";

	if (whose)
		words_pupil(whose, pupil, sizeof pupil);
	cli_say(c, _("第 %lld 项　%s　%s%s　%s%s%s"), (long long)row->n, pupil,
		row->del ? C_("before a name", "删除") : "",
		lang_declared(row->kind->label, row->kind->label_en),
		code_name(&codes_op_state, jg_op_state(row->state)), *reason_text(row) ? _("：") : "",
		reason_text(row));
	if (*row->hint)
		cli_say(c, "  %s", row->hint);
	const struct item *holder = row->has_duplicate ? view_find_id(v, row->duplicate_of) : NULL;
	if (holder && words_whose(v, &holder->record))
		cli_say(c, _("  已有的记录是 %s 的"),
			words_pupil(words_whose(v, &holder->record), pupil, sizeof pupil));
	show_fields(c, v, row);
	char again[64];
	snprintf(again, sizeof again, "again_%s", row->kind->table);
	const char *command = way(again);
	if (decide_needed(row) && row->state != OP_CONFLICT && command != again)
		cli_say(c, _("再办一次：%s；不要了：jg outbox withdraw %lld"), command, (long long)row->n);
	else if (decide_needed(row) && row->state != OP_CONFLICT)
		cli_say(c,
			row->del
				? _("不删了：jg outbox withdraw %lld；原因没有了再删一次：jg outbox fix %lld")
				: _("改正：jg outbox fix %lld 栏目=内容；不要了：jg outbox withdraw %lld"),
			(long long)row->n, (long long)row->n);
}

/* What another person wrote about another class's pupils is neither shown nor decided; 0, or the exit code. */
static int covered(struct cli *c, const struct op_row *row)
{
	int code;
	struct view *v = jg_view(c, kinds_all, &code);

	if (!v || scope_covers(v, decide_about(v, row), row->author))
		return code;
	scope_refuse(&c->profile.session, &c->problem);
	return cli_fail(c);
}

int cmd_outbox_show(struct cli *c)
{
	struct op_row row;
	struct arena arena;
	int code = read_op(c, 0, &arena, &row);
	if (!code)
		code = covered(c, &row);
	struct view *v = code ? NULL : jg_view(c, kinds_all, &code);

	if (v) {
		show_op(c, v, &row);
		json_t *json = op_json(&row);
		json_object_set_new(json, "fields", body_json(&row));
		const struct item *stands = has_versions(&row) ? view_find_id(v, row.id) : NULL;
		if (stands) {
			json_object_set_new(json, "mine", version_json(&row.prev));
			json_object_set_new(json, "theirs", version_json(&stands->record));
			say_version(c, v, _("  办的时候看到的是第 %s 版：%s"), &row.prev);
			say_version(c, v, _("  现在是第 %s 版：%s"), &stands->record);
		}
		cli_result(c, json, 0);
	}
	arena_free(&arena);
	return code;
}

static int fix_row(struct cli *c, const struct op_row *row)
{
	uint32_t touched = 0;
	char text[24], pupil[256] = "";
	int code;
	struct view *v = jg_view(c, kinds_all, &code);

	if (!v)
		return code;
	if (scope_writes(&c->profile.session, row->kind, &c->problem))
		return cli_fail(c);
	if (!decide_needed(row))
		return cli_fail_with(c, ERR_NOT_NOW, _("jg outbox list 列出需要处理的"),
			_("第 %lld 项不需要处理"), (long long)row->n);
	if (row->del && c->operands > 1)
		return cli_fail_with(c, ERR_USAGE, _("再删一次不写字段；不删了：jg outbox withdraw 序号"),
			_("第 %lld 项是删除，没有可以改的字段"), (long long)row->n);
	const struct record *whose = whose_op(v, row);
	if (whose)
		words_pupil(whose, pupil, sizeof pupil);
	struct record body = row->body;
	code = jg_take_fields(c, 1, v, &body, &touched);
	if (code || (touched && (code = jg_number_is_free(c, v, view_find_id(v, row->id), &body))))
		return code;
	int64_t n = v->store->next_row;
	enum err e = store_begin(v->store, &c->problem);
	if (!e)
		e = decide_again(v, row, &body, row->groups | touched, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	bool queued = v->store->next_row > n;
	struct item *now = NULL; /* it may hang on a pupil who was made anew just before */
	if (!whose && !outbox_find_standing(v, row->id, &now, NULL) && now &&
		(whose = words_whose(v, &now->record)))
		words_pupil(whose, pupil, sizeof pupil);
	snprintf(text, sizeof text, "%lld", (long long)(queued ? n : row->n));
	const char *done = _("%s %s：已确认，重新排队为第 %s 项，jg sync 后送达");
	if (row->del)
		done = _("%s %s：再次排队删除，为第 %s 项，jg sync 后送达");
	else if (c->operands > 1)
		done = _("%s %s：已改正，重新排队为第 %s 项，jg sync 后送达");
	if (queued)
		cli_say(c, done, pupil, lang_declared(row->kind->label, row->kind->label_en), text);
	else
		cli_say(c, _("与现有内容相同，不必再报；这一项已了结"));
	return cli_result(c, json_pack("{ss ss}", "id", text, "state", queued ? "waiting" : "done"), 0);
}

int cmd_outbox_fix(struct cli *c)
{
	struct op_row row;
	struct arena arena;
	int code = read_op(c, 0, &arena, &row);

	if (!code)
		code = covered(c, &row);
	if (!code)
		code = fix_row(c, &row);
	arena_free(&arena);
	return code;
}

/* “高浩然（六3班） 升学去向” of the item that an operand names; 0, or the exit code. */
static int op_title(struct cli *c, int operand, char *out, size_t size)
{
	struct op_row row;
	struct arena arena;
	char pupil[256];
	int code = read_op(c, operand, &arena, &row);
	struct view *v = code ? NULL : jg_view(c, kinds_all, &code);
	const struct record *whose = v ? whose_op(v, &row) : NULL;

	*out = 0;
	if (v)
		snprintf(out, size, "%s%s%s", whose ? words_pupil(whose, pupil, sizeof pupil) : "",
			whose ? " " : "", lang_declared(row.kind->label, row.kind->label_en));
	arena_free(&arena);
	return code;
}

/* What the bureau has is changed there too: a person sees whose it is and what it said. */
static bool taking_back_confirmed(struct cli *c, int operand)
{
	struct op_row row;
	struct arena arena;
	int code;
	bool yes = true;

	if (!cli_is_asked(c))
		return true;
	if (!(code = read_op(c, operand, &arena, &row)) && row.state == OP_ACCEPTED) {
		struct view *v = jg_view(c, kinds_all, &code);
		if (v)
			show_op(c, v, &row);
		yes = v &&
			cli_confirm("是|yes", _("县局已收到这一项，撤回会把它改回修改前。确认请输入“是”："));
	}
	arena_free(&arena);
	return yes;
}

static int not_confirmed(struct cli *c)
{
	return cli_fail_with(
		c, ERR_NOT_NOW, _("jg outbox list --all 看是哪一项"), _("没有确认，什么也没有改动"));
}

static int may_revert(struct cli *c, int operand)
{
	struct op_row row;
	struct arena arena;
	int code = read_op(c, operand, &arena, &row);

	if (!code)
		code = covered(c, &row);
	arena_free(&arena);
	return code;
}

static int revert(struct cli *c, int operand, json_int_t *done)
{
	static struct undo_report report;
	char pupil[300];
	int code = may_revert(c, operand);
	if (!code)
		code = op_title(c, operand, pupil, sizeof pupil);
	struct store *store = code ? NULL : jg_store(c, &code);

	if (!store)
		return code;
	if (!taking_back_confirmed(c, operand))
		return not_confirmed(c);
	if (batch_revert(store, atoll(c->operand[operand]), &report, &c->problem)) {
		code = cli_fail(c);
		return report.blocked ? err_info(ERR_STALE)->exit_code : code;
	}
	if (*pupil)
		cli_say(c, _("%s：已还原到修改前，jg sync 后送达"), pupil);
	else
		cli_say(c, _("已还原 %zu 条，jg sync 后送达"), report.undone);
	*done += (json_int_t)report.undone;
	return 0;
}

int cmd_outbox_revert(struct cli *c)
{
	json_int_t done = 0;
	int code = revert(c, 0, &done);

	return code ? code : cli_result(c, json_pack("{sI}", "undone", done), 0);
}

/* One item: what was not applied is put aside; what waits has its number already, so it is taken back by a
 * new one. */
static int withdraw(struct cli *c, int operand, json_int_t *done)
{
	struct op_row row;
	struct arena arena;
	char title[300];
	int code = read_op(c, operand, &arena, &row);
	bool aside = !code && decide_needed(&row);

	if (!code && scope_writes(&c->profile.session, row.kind, &c->problem))
		code = cli_fail(c);
	if (!code)
		code = covered(c, &row);
	if (!code && !aside && row.state != OP_DONE)
		code = revert(c, operand, done);
	else if (!code && (code = op_title(c, operand, title, sizeof title)) == 0) {
		struct store *store = jg_store(c, &code);
		enum err e = store_begin(store, &c->problem);
		/* One of those before may have taken it along. */
		if (!e && aside)
			e = decide_aside(store, kinds_all, &row, &c->problem);
		code = jg_commit(c, e) ? cli_fail(c) : 0;
		if (!code)
			cli_say(c, row.del ? _("%s：不删除，记录照旧") : _("%s：已撤回，不再发送"), title);
		*done += !code;
	}
	arena_free(&arena);
	return code;
}

struct own {
	const char *author; /* NULL: anybody */
	size_t n;
};

static enum err count_own(void *data, const struct op_row *row)
{
	struct own *own = data;

	own->n += !own->author || strcmp(row->author, own->author) == 0;
	return ERR_OK;
}

/* A registrar's all is everybody's; anybody else's is his own. */
static int withdraw_all(struct cli *c)
{
	char prompt[160];
	size_t n = 0;
	int code;
	struct store *store = jg_store(c, &code);
	const struct session *s = &c->profile.session;
	struct own own = {s->roles >> ROLE_REGISTRAR & 1 ? NULL : s->user, 0};

	if (!store)
		return code;
	if (outbox_each(store, 1u << OP_REFUSED | 1u << OP_BLOCKED | 1u << OP_DRAFT, 0, count_own, &own,
		    &c->problem))
		return cli_fail(c);
	snprintf(prompt, sizeof prompt, _("没有被接受的 %zu 项都不再发送。确认请输入“是”："), own.n);
	if (cli_is_asked(c) && !cli_confirm("是|yes", prompt))
		return not_confirmed(c);
	enum err e = store_begin(store, &c->problem);
	if (!e)
		e = decide_aside_all(store, kinds_all, 0, own.author, &n, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	cli_say(c, _("没有被接受的 %zu 项已撤回，不再发送"), n);
	return cli_result(c, json_pack("{sI}", "undone", (json_int_t)n), 0);
}

int cmd_outbox_withdraw(struct cli *c)
{
	json_int_t done = 0;
	int code = 0;

	if (cli_flag(c, "all") == (c->operands > 0))
		return cli_fail_with(c, ERR_USAGE,
			_("例如 jg outbox withdraw 12 15；没有被接受的全部撤回用 --all"),
			_("写序号，或者写 --all"));
	if (cli_flag(c, "all"))
		return withdraw_all(c);
	for (int i = 0; !code && i < c->operands; i++)
		code = withdraw(c, i, &done);
	return code ? code : cli_result(c, json_pack("{sI}", "undone", done), 0);
}
