/* Files that this school attached: which hang where, and taking one back that was attached by mistake. */
#include <stdlib.h>
#include <string.h>

#include "blobs.h"
#include "clock.h"
#include "evidence.h"
#include "file_name.h"
#include "jg.h"
#include "lang.h"
#include "slip.h"
#include "tables.h"
#include "transition.h"
#include "value.h"
#include "words.h"

void jg_doubt_files(struct cli *c)
{
	struct problem doubt = {0};
	const char *path;

	for (int i = 0; (path = cli_option_at(c, "evidence", i)); i++)
		if (evidence_doubt(path, &doubt))
			cli_warn(c, _("%s；%s"), doubt.message, doubt.hint);
}

/* Ours, and of a pupil that this person may see. */
static bool is_listed(const struct cli *c, const struct view *v, const struct item *item)
{
	const struct record *whose = item->live && item->record.kind->number == KIND_EVIDENCE &&
			strcmp(item->owner, c->profile.school) == 0
		? words_whose(v, &item->record)
		: NULL;

	return whose && jg_class_allowed(c, whose);
}

static const struct item *target_of(const struct view *v, const struct record *file)
{
	return file->value[F_EVIDENCE_TARGET].len == ID_SIZE
		? view_find_id(v, file->value[F_EVIDENCE_TARGET].data)
		: NULL;
}

/* The slip to whose addressee a file is attached, or NULL. */
static const struct item *slip_of(const struct view *v, const struct record *file)
{
	const struct item *target = target_of(v, file);

	return target && target->record.kind->number == KIND_SLIP_ADDRESSEE
		? view_find_id(v, target->record.value[F_SLIP_ADDRESSEE_SLIP].data)
		: NULL;
}

/* Whether the answer to a slip attached both: the one to the slip, the other to the pupil's destination. */
static bool same_answer(struct view *v, const struct item *a, const struct item *b)
{
	const struct item *at_slip = slip_of(v, &a->record) ? a : b, *other = at_slip == a ? b : a,
			  *slip = slip_of(v, &at_slip->record);

	return b->live && b->record.kind->number == KIND_EVIDENCE && view_is_ours(v, b) && a != b && slip &&
		!record_is(&slip->record, F_SLIP_STATE, "closed") &&
		record_same_field(&a->record, &b->record, F_EVIDENCE_SHA) && target_of(v, &other->record) &&
		target_of(v, &other->record) == slip_destination(v, &slip->record);
}

/* 升学去向, or the number of the slip whose addressee it is. */
static const char *where_words(const struct view *v, const struct record *file, char *out, size_t size)
{
	const struct item *target = target_of(v, file), *slip = slip_of(v, file);

	if (slip)
		return record_text(&slip->record, F_SLIP_NO, out, size);
	snprintf(out, size, "%s",
		target ? lang_declared(target->record.kind->label, target->record.kind->label_en) : "");
	return out;
}

struct file_row {
	const struct item *item;
	const struct record *whose;
};

static const struct record *whose_of(const void *row)
{
	return ((const struct file_row *)row)->whose;
}

/* Those that this person sees, by class and name; *n counts them. NULL without memory. */
static struct file_row *file_rows(const struct cli *c, const struct view *v, size_t *n)
{
	struct file_row *rows = calloc(v->n + 1, sizeof *rows);

	*n = 0;
	for (size_t i = 0; rows && i < v->n; i++)
		if (is_listed(c, v, v->items[i]))
			rows[(*n)++] = (struct file_row){v->items[i], words_whose(v, &v->items[i]->record)};
	if (rows)
		words_sort(rows, *n, sizeof *rows, whose_of, NULL);
	return rows;
}

static const char *const state_codes[] = {[BLOB_WAITING] = "waiting",
	[BLOB_COMPLETE] = "sent",
	[BLOB_UNREADABLE] = "unreadable",
	[BLOB_NO_ROOM] = "no_room",
	[BLOB_ELSEWHERE] = "elsewhere"};

static const char *state_words(enum blob_state state)
{
	switch (state) {
	case BLOB_COMPLETE:
		return _("已送到县局");
	case BLOB_UNREADABLE:
		return _("传不上去：本机存的已损坏");
	case BLOB_NO_ROOM:
		return _("传不上去：县局没有空间");
	case BLOB_ELSEWHERE:
		return _("由另一台电脑传送");
	default:
		return _("待传");
	}
}

/* What mends each kind of file that does not go. */
static void say_mend(struct cli *c, const size_t counts[])
{
	if (counts[BLOB_UNREADABLE])
		cli_warn(c, "%s",
			_("存的已损坏的：用原来的命令再附一次同一个文件（--evidence 文件），"
			  "jg sync 就重新传送；原件没有了，先撤去再附新的"));
	if (counts[BLOB_NO_ROOM])
		cli_warn(c, "%s", _("县局没有空间的：请县局系统管理员处理，每次 jg sync 都会再试"));
}

void jg_tell_failed_files(struct cli *c, size_t failed)
{
	if (failed)
		cli_warn(c, _("%zu 份佐证材料传不上去，县局看不到；是哪些、怎么办见：jg evidence list"),
			failed);
}

static int cmd_evidence_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("学生"), _("附在"), _("文件"), _("大小"), _("传送")};
	size_t n = 0, counts[BLOB_ELSEWHERE + 1] = {0};
	struct jg_ids ids = {0};
	int code;
	struct view *v = jg_view(c, transition_kinds, &code);
	struct file_row *rows = v ? file_rows(c, v, &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	struct cli_table *table = cli_table_new(headings, 6);
	for (size_t i = 0; i < n; i++) {
		const struct record *file = &rows[i].item->record;
		char number[16], pupil[256], where[64], name[FILE_NAME_TEXT_MAX], size[32];
		enum blob_state state;
		if (blob_state_of(v->store, file->value[F_EVIDENCE_SHA].data, &state, &c->problem))
			state = BLOB_WAITING;
		counts[state]++;
		snprintf(size, sizeof size, "%lld KB",
			(long long)(record_number(file, F_EVIDENCE_SIZE) + 1023) / 1024);
		cli_table_row(table,
			(const char *[]){jg_ids_add(&ids, rows[i].item->id, number),
				words_pupil(rows[i].whose, pupil, sizeof pupil),
				where_words(v, file, where, sizeof where),
				record_text(file, F_EVIDENCE_NAME, name, sizeof name), size,
				state_words(state)});
		json_t *json = value_record_json(file, rows[i].item->id);
		json_object_set_new(json, "sent", json_string(state_codes[state]));
		json_array_append_new(list, json);
	}
	free(rows);
	cli_table_print(c, table);
	say_mend(c, counts);
	if (ids.n)
		cli_next(c, "%s", _("附错了的撤去：jg evidence withdraw 序号"));
	jg_ids_keep(c, &ids, &shown_evidence);
	jg_ids_free(&ids);
	return cli_result(c, list, 0);
}

/* What is decided keeps its files: a closed slip, a closed year. */
static int check_undecided(
	struct cli *c, const struct view *v, const struct record *file, const struct cycle *cycle)
{
	const struct item *target = target_of(v, file), *slip = slip_of(v, file);
	const struct record *dated = NULL;
	if (slip)
		dated = &slip->record;
	else if (target)
		dated = &target->record;
	int field = dated ? kind_field_index(dated->kind, "year") : -1;
	int32_t year = field < 0 ? cycle->year : (int32_t)record_number(dated, field);

	if (slip && record_is(&slip->record, F_SLIP_STATE, "closed"))
		return cli_fail_with(
			c, ERR_NOT_NOW, _("要更正请联系县教育局"), _("这张交办单已经销号，材料不能撤去"));
	if (cycle->known && (year < cycle->year || strcmp(cycle->phase, "closed") == 0))
		return cli_fail_with(c, ERR_PHASE, jg_closed_hint(), _("%d 年的升学工作已经办结"), year);
	return 0;
}

static int cmd_evidence_withdraw(struct cli *c)
{
	char room[JG_PICK_SIZE], pupil[256], where[256], name[FILE_NAME_TEXT_MAX];
	uint8_t id[ID_SIZE];
	struct cycle cycle;
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);
	const char *text = v ? jg_pick(c, v, &shown_evidence, cli_operand(c, 0), room, &code) : NULL;

	if (!text)
		return code;
	struct item *item = id_parse(id, text) ? NULL : view_find_id(v, id);
	if (!item || !is_listed(c, v, item))
		return cli_fail_with(c, ERR_NOT_FOUND, _("jg evidence list 列出本校附的材料和序号"),
			_("没有材料 %s"), text);
	if ((code = check_undecided(c, v, &item->record, &cycle)))
		return code;
	words_pupil(words_whose(v, &item->record), pupil, sizeof pupil);
	where_words(v, &item->record, where, sizeof where);
	record_text(&item->record, F_EVIDENCE_NAME, name, sizeof name);
	enum err e = store_begin(v->store, &c->problem);
	/* What one answer attached in two places is one file to whoever made the mistake. */
	for (size_t i = 0, n = v->n; !e && i < n; i++) {
		struct item *twin = v->items[i];
		char other[64];
		size_t used = strlen(where);
		if (!same_answer(v, item, twin))
			continue;
		snprintf(where + used, sizeof where - used, "%s%s", _("、"),
			where_words(v, &twin->record, other, sizeof other));
		e = outbox_delete(v, twin, 0, &c->problem);
	}
	if (!e)
		e = outbox_delete(v, item, 0, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	cli_say(c, _("%s（%s）：已撤去材料 %s，jg sync 后送达；要再附上，重新附这个文件"), pupil, where,
		name);
	return cli_result(c, json_pack("{ss ss}", "id", text, "file", name), 0);
}

/* ---- The commands ---- */

static const struct cli_command commands[] = {
	{"evidence list", "", 0, 0, NULL, EVERYBODY, READERS, N_("列出本校附的材料：谁的、附在哪里"),
		"evidence list", cmd_evidence_list, CLI_WORK},
	{"evidence withdraw", "ID", 1, 1, NULL, EVERYBODY, READERS,
		N_("撤去附错的材料（evidence list 的序号）；已销号、已办结的不能撤"), "evidence withdraw 3",
		cmd_evidence_withdraw, CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"list_evidence", "jg evidence list"},
	{0},
};

const struct cli_part jg_evidence = {commands, ways, NULL};
