/* What the commands of jg share (jg.h). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "find.h"
#include "jg.h"
#include "lang.h"
#include "lint.h"
#include "scope.h"
#include "tables.h"
#include "text.h"
#include "value.h"
#include "words.h"

static struct jg *jg_of(struct cli *c)
{
	static struct jg jg;

	if (!c->data)
		c->data = &jg;
	return c->data;
}

struct store *jg_store(struct cli *c, int *code)
{
	struct jg *jg = jg_of(c);

	*code = 0;
	if (!jg->store && store_open(&jg->store, &c->profile, &c->problem))
		*code = cli_fail(c);
	return jg->store;
}

struct view *jg_view(struct cli *c, const uint32_t *kinds, int *code)
{
	struct jg *jg = jg_of(c);
	struct store *store = jg_store(c, code);

	if (!store)
		return NULL;
	view_free(jg->view);
	jg->view = NULL;
	if (view_load(&jg->view, store, kinds, &c->problem))
		*code = cli_fail(c);
	return jg->view;
}

void jg_told(struct cli *c, struct store *s, const struct op_row *row)
{
	struct problem p = {0};

	if (row->state == OP_REFUSED && outbox_set_state(s, row->n, OP_DONE, &p))
		cli_warn(c, _("第 %lld 项还留在待发里（%s）：看过后运行 jg outbox withdraw %lld"),
			(long long)row->n, p.message[0] ? p.message : _(err_info((int)p.code)->sentence),
			(long long)row->n);
}

const char *jg_choose_first(const struct cli *c)
{
	(void)c;
	return "sync"; /* and that leads to todo */
}

void jg_finish(struct cli *c)
{
	struct jg *jg = jg_of(c);

	view_free(jg->view);
	store_close(jg->store);
	*jg = (struct jg){0};
}

enum err jg_commit(struct cli *c, enum err e)
{
	struct store *store = jg_of(c)->store;

	if (!e)
		e = store_commit(store, &c->problem);
	if (e)
		store_rollback(store);
	return e;
}

static void progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	cli_progress(data, what, done, total);
}

static enum err run_sync(
	struct cli *c, const struct sync_options *options, struct sync_report *report, struct link **keep)
{
	struct sync *sync;
	unsigned wait_ms;
	enum err e = sync_begin(&sync, jg_of(c)->store, options, report, &c->problem);

	if (e)
		return e;
	while (sync_step(sync, &wait_ms)) {
		const struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
		if (wait_ms)
			nanosleep(&wait, NULL);
	}
	e = sync_end(sync, keep);
	cli_progress_end(c);
	return e;
}

enum err jg_sync(struct cli *c, bool quiet, struct sync_report *report, struct link **keep)
{
	const struct sync_options options = {.progress = quiet ? NULL : progress, .progress_data = c};

	return run_sync(c, &options, report, keep);
}

int jg_sync_now(struct cli *c, unsigned budget_ms, struct sync_report *report)
{
	const struct sync_options options = {
		.budget_ms = budget_ms, .progress = progress, .progress_data = c};
	struct outbox_counts counts;

	if (!run_sync(c, &options, report, NULL))
		return 0;
	if (outbox_counts(jg_of(c)->store, &counts, NULL))
		return cli_fail(c);
	snprintf(c->problem.safe, sizeof c->problem.safe, _("已保存在本机，待发送 %zu 项"), counts.unsent);
	return cli_fail(c);
}

const char *jg_format_id(const uint8_t id[ID_SIZE], char out[37])
{
	id_format(out, id);
	return out;
}

const char *jg_closed_hint(void)
{
	return _("要更正请联系县教育局：局领导可说明原因后重新打开这一年");
}

/* ---- Short numbers ---- */

const char *jg_ids_add(struct jg_ids *list, const uint8_t id[ID_SIZE], char number[16])
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 256;
		uint8_t(*more)[ID_SIZE] = realloc(list->ids, room * ID_SIZE);
		if (!more)
			return ""; /* a row without a number is a row all the same */
		list->ids = more;
		LINT_KEPT(more);
		list->room = room;
	}
	memcpy(list->ids[list->n++], id, ID_SIZE);
	snprintf(number, 16, "%zu", list->n);
	return number;
}

void jg_ids_keep(struct cli *c, struct jg_ids *list, const struct shown_list *of)
{
	struct problem p = {0};

	if (!c->json && shown_keep(jg_of(c)->store, of, (const uint8_t(*)[ID_SIZE])list->ids, list->n, &p))
		cli_warn(c, _("序号没有记下（%s），下一条命令请写证件号码"), p.message);
}

void jg_ids_free(struct jg_ids *list)
{
	free(list->ids);
	*list = (struct jg_ids){0};
}

/* Whether a command that takes its number from this list works on such a record itself. */
static bool takes(const struct shown_list *list, uint32_t kind)
{
	for (const uint32_t *k = list->kinds; *k; k++)
		if (*k == kind)
			return true;
	return false;
}

const char *jg_pick(struct cli *c, const struct view *v, const struct shown_list *list, const char *text,
	char room[JG_PICK_SIZE], int *code)
{
	uint8_t id[ID_SIZE];

	*code = 0;
	if (!shown_is_number(text))
		return text;
	if (shown_find(v->store, list, text, id, &c->problem)) {
		*code = cli_fail(c);
		return NULL;
	}
	const struct item *item = view_find_id(v, id);
	if (!item || !item->live) {
		*code = cli_fail_with(
			c, ERR_NOT_FOUND, _("重新列一次名单再用序号"), _("名单里的第 %s 行已经不在了"), text);
		return NULL;
	}
	int cert = kind_field_index(item->record.kind, "cert_no"),
	    no = kind_field_index(item->record.kind, "student_no");
	if (takes(list, item->record.kind->number) || cert < 0) {
		id_format(room, id);
		return room;
	}
	return record_text(&item->record, record_has(&item->record, cert) ? cert : no, room, JG_PICK_SIZE);
}

static bool is_named(const struct record *r, const char *key)
{
	char name[256], mine[256];

	return text_name_key(mine, sizeof mine,
		       record_text(r, kind_field_index(r->kind, "name"), name, sizeof name)) == ERR_OK &&
		strcmp(mine, key) == 0;
}

/* Of several the number decides, which is on the screen now. */
static int tell_namesakes(struct cli *c, const struct shown_list *list, const char *text,
	struct item *const *items, const size_t *at, size_t n)
{
	const char *headings[] = {_("序号"), _("班级"), _("姓名"), _("末四位")};
	struct cli_table *table = cli_table_new(headings, 4);
	char number[16], class_no[64], name[128], tail[8], id[37];
	struct jg_ids ids = {0};
	json_t *json = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct record *r = &items[at[i]]->record;
		cli_table_row(table,
			(const char *[]){jg_ids_add(&ids, items[at[i]]->id, number),
				words_class(r, class_no, sizeof class_no),
				record_text(r, kind_field_index(r->kind, "name"), name, sizeof name),
				words_tail(r, tail)});
		json_array_append_new(json, json_string(jg_format_id(items[at[i]]->id, id)));
	}
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, list);
	jg_ids_free(&ids);
	problem_set(&c->problem, ERR_INVALID, NULL, _("写上面的序号，或证件号码"), _("叫%s的学生有 %zu 名"),
		text, n);
	cli_result(c, json_pack("{so so}", "error", cli_error_json(c), "candidates", json), 0);
	return cli_fail(c);
}

int jg_named(struct cli *c, const struct shown_list *list, const char *text, struct item *const *items,
	size_t n, struct item **out)
{
	size_t at[JG_NAMESAKES_MAX], found = 0;
	char key[256];

	*out = NULL;
	if (text_name_key(key, sizeof key, text) || !*key)
		return 0;
	for (size_t i = 0; i < n && found < JG_NAMESAKES_MAX; i++)
		if (is_named(&items[i]->record, key))
			at[found++] = i;
	if (found > 1)
		return tell_namesakes(c, list, text, items, at, found);
	*out = found ? items[at[0]] : NULL;
	return 0;
}

bool jg_class_allowed(const struct cli *c, const struct record *r)
{
	return scope_allows(&c->profile.session, r);
}

/* Of nothing else: evidence hangs on many. */
static bool hangs_on(const struct kind *k, const struct kind *parent)
{
	return k->on_count == 1 && k->on[0] == parent->number;
}

/* A column of the same tables that is no field of this record: the guardian's stand in their own. */
static int no_field(struct cli *c, const struct kind *kind, const char *name, const char *operand)
{
	for (size_t k = 0; k < kind_count && *name; k++)
		for (size_t i = 0; hangs_on(&kind_table[k], kind) && i < kind_table[k].field_count; i++)
			for (const char *const *at = kind_table[k].fields[i].columns; *at; at++)
				if (strcmp(*at, name) == 0)
					return cli_fail_with(c, ERR_USAGE,
						_("在名册表里改好，再导入一次：jg import students 文件"),
						_("%s是%s的栏目，不能这样改"), name,
						lang_declared(kind_table[k].label, kind_table[k].label_en));
	return cli_fail_with(
		c, ERR_USAGE, _("jg help fields 列出栏目名"), _("没有栏目 %s（写成 栏目=内容）"), operand);
}

int jg_take_fields(struct cli *c, int first, struct view *v, struct record *r, uint32_t *groups)
{
	*groups = 0;
	for (int i = first; i < c->operands; i++) {
		const struct value_context ctx = {.strict = kind_field_index(r->kind, "grade") >= 0};
		const char *equals = strchr(c->operand[i], '='), *code = NULL;
		char name[64] = "";
		if (equals)
			snprintf(name, sizeof name, "%.*s", (int)(equals - c->operand[i]), c->operand[i]);
		int field = kind_field_index(r->kind, name);
		for (size_t k = 0; field < 0 && *name && k < r->kind->field_count; k++)
			if (strcmp(value_column(&r->kind->fields[k]), name) == 0 ||
				strcmp(r->kind->fields[k].label, name) == 0)
				field = (int)k;
		if (field < 0)
			return no_field(c, r->kind, name, c->operand[i]);
		if (value_parse(r, field, equals + 1, &ctx, &v->arena, &code, &c->problem) == VALUE_BAD) {
			c->problem.code = ERR_INVALID;
			return cli_fail(c);
		}
		*groups |= 1u << (r->kind->fields[field].group - 1);
	}
	return 0;
}

int jg_number_is_free(struct cli *c, const struct view *v, const struct item *item, const struct record *want)
{
	static const int numbers[] = {F_STUDENT_CERT_NO, F_STUDENT_STUDENT_NO};
	char no[64], pupil[256];

	for (size_t i = 0; want->kind->number == KIND_STUDENT && i < sizeof numbers / sizeof *numbers; i++) {
		if (!record_has(want, numbers[i]) ||
			(item && record_same_field(&item->record, want, (size_t)numbers[i])))
			continue;
		const struct item *other =
			find_record(v, KIND_STUDENT, record_text(want, numbers[i], no, sizeof no), 0);
		if (other && other != item)
			return cli_fail_with(c, ERR_DUPLICATE,
				_("请对照户口簿改正号码；是那名学生的号码录错了，先改他的：jg students set"),
				_("这个%s是本校 %s 的"),
				lang_declared(want->kind->fields[numbers[i]].label,
					want->kind->fields[numbers[i]].label_en),
				words_pupil(&other->record, pupil, sizeof pupil));
	}
	return 0;
}
