#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"
#include "clock.h"
#include "face.h"
#include "file_name.h"
#include "import.h"
#include "lang.h"
#include "scope.h"
#include "client_service.h"
#include "jg.h"
#include "roster.h"
#include "sheet_write.h"
#include "tables.h"

#define MAPS_MAX 32 /* --map given on one command line */

const struct cli_option import_options[] = {
	IMPORT_OPTIONS,
	{"force", NULL, N_("核对过了：疑似错行的表也导入，--errors 的同名文件换掉")},
	{0},
};

static json_t *notes_json(const struct import_notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->n; i++) {
		const struct import_note *n = &notes->list[i];
		json_array_append_new(list,
			json_pack("{sI ss ss ss ss}", "row", (json_int_t)n->row, "sheet", n->sheet, "field",
				n->field, "code", n->code, "message", n->message));
	}
	return list;
}

static json_t *report_json(const struct import_report *r)
{
	json_t *ignored = json_array(), *nearest = json_object();

	for (const char *line = r->ignored; line && *line;) {
		const char *tab = strchr(line, '\t'), *end = strchr(line, '\n');
		json_t *heading = json_stringn(line, (size_t)(tab - line));
		if (end > tab + 1)
			json_object_set_new(nearest, json_string_value(heading),
				json_stringn(tab + 1, (size_t)(end - tab - 1)));
		json_array_append_new(ignored, heading);
		line = end + 1;
	}
	return json_pack("{so sI sI sI sI sI sI sI so so so so so}", "import",
		r->id ? json_sprintf("%lld", (long long)r->id) : json_null(), "read", (json_int_t)r->read,
		"inserted", (json_int_t)r->inserted, "updated", (json_int_t)r->updated, "unchanged",
		(json_int_t)r->unchanged, "skipped", (json_int_t)r->skipped, "sheets", (json_int_t)r->sheets,
		"unfilled", (json_int_t)r->unfilled, "year", r->year ? json_integer(r->year) : json_null(),
		"rejected", notes_json(&r->rejected), "warnings", notes_json(&r->warnings), "ignored_columns",
		ignored, "ignored_nearest", nearest);
}

static bool is_among(const struct import_note *n, const struct import_notes *others)
{
	for (size_t i = 0; others && i < others->n; i++)
		if (others->list[i].row == n->row && strcmp(others->list[i].code, n->code) == 0 &&
			strcmp(others->list[i].sheet, n->sheet) == 0)
			return true;
	return false;
}

/* But for those that were printed among `others`. */
static void print_notes(const struct cli *c, const struct import_notes *notes,
	const struct import_notes *others, const char *title)
{
	for (size_t i = 0; !c->json && i < notes->n; i++) {
		const struct import_note *n = &notes->list[i];
		if (is_among(n, others))
			continue;
		char at[sizeof n->sheet + 48] = "";
		if (n->sheet[0] && n->row)
			snprintf(at, sizeof at, _("“%s” 第 %ld 行"), n->sheet, n->row);
		else if (n->sheet[0])
			snprintf(at, sizeof at, _("“%s”"), n->sheet);
		else if (n->row)
			snprintf(at, sizeof at, _("第 %ld 行"), n->row);
		cli_say(c, _("%s%s%s%s%s：%s"), title, at[0] ? " " : "", at, n->field[0] ? " " : "", n->field,
			n->message);
	}
}

static void print_report(
	const struct cli *c, const struct import_rules *rules, const struct import_report *r, bool dry_run)
{
	cli_say(c, _("%s读 %zu 行：新增 %zu，更新 %zu，未变 %zu，不合格 %zu"),
		dry_run ? _("（试导入，未保存）") : "", r->read, r->inserted, r->updated, r->unchanged,
		r->rejected.n);
	if (r->year)
		cli_say(c, _("归入 %d 年小升初"), (int)r->year);
	if (r->sheets > 1)
		cli_say(c, _("列相同的 %zu 张工作表都读了"), r->sheets);
	if (r->unfilled)
		cli_say(c, _(rules->waiting), r->unfilled);
	if (r->skipped)
		cli_say(c,
			_(rules->about ? rules->about->skipped
				       : N_("跳过 %zu 行（合计、签字、重复的表头等，不是记录）")),
			r->skipped);
	for (const char *line = r->ignored; line && *line; line = strchr(line, '\n') + 1) {
		const char *tab = strchr(line, '\t'), *end = strchr(line, '\n');
		cli_say(c,
			end > tab + 1 ? _("没有用到的列 %.*s（是不是 %.*s？）") : _("没有用到的列 %.*s%.*s"),
			(int)(tab - line), line, (int)(end - tab - 1), tab + 1);
	}
	print_notes(c, &r->rejected, NULL, _("不合格"));
	print_notes(c, &r->warnings, &r->rejected, _("请核对"));
	if (r->identity)
		cli_say(c, _(rules->about->changes), r->identity, r->promoted);
	if (r->taken_back)
		cli_say(c, _("%zu 行是旧值，会把后来的更正改回去；这份文件可能不是最新的"), r->taken_back);
	if (!r->inserted && !r->updated) /* nothing to take back, nothing to send */
		return;
	if (r->id)
		cli_say(c, _("批次 %lld；撤销：jg import undo %lld"), (long long)r->id, (long long)r->id);
	if (r->id)
		cli_next(c, "%s", _("jg sync 送到县局"));
}

static void import_progress(void *data, size_t done, size_t total)
{
	cli_progress(data, _("导入"), done, total);
}

/* On a terminal the year is asked for, not refused. */
static int32_t ask_year(struct cli *c, int32_t likely)
{
	char line[16] = "";

	if (c->json || !isatty(0) || !isatty(1))
		return 0;
	printf(_("这份表是哪一年的小升初？[%d] "), likely);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return 0;
	return atoi(line) ? atoi(line) : likely;
}

static int tell(struct cli *c, const struct import_options *o, const struct import_report *r, enum err e)
{
	if (e && !r->id && !r->shifted && (e != ERR_FILE_FORMAT || !r->read))
		return cli_fail(c);
	print_report(c, o->rules, r, o->dry_run);
	int code = r->rejected.n ? err_info(ERR_CONFLICT)->exit_code : 0;
	json_t *json = report_json(r);
	if (e)
		json_object_set_new(json, "error", cli_error_json(c));
	cli_result(c, json, 0);
	return e ? cli_fail(c) : code;
}

int cmd_import(struct cli *c)
{
	const char *maps[MAPS_MAX], *grade = cli_option(c, "grade"), *year = cli_option(c, "year"),
				    *errors = cli_option(c, "errors");
	struct import_report report;
	size_t n_maps = 0;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	if (grade && !(grade = roster_grade(grade, c->profile.school)))
		return cli_fail_with(c, ERR_USAGE, _("例如 --grade 六年级"), _("没有“%s”这个年级"),
			cli_option(c, "grade"));
	if (year && (atoi(year) < YEAR_MIN || atoi(year) > YEAR_MAX))
		return cli_fail_with(c, ERR_USAGE, _("例如 --year 2027"), _("“%s”不是年份"), year);
	if (errors && sheet_target_check(errors, c->operand[0], &c->problem))
		return cli_fail(c);
	/* --force is not advised here: it lets more through than this. */
	if (errors && !cli_may_replace(c, errors, _("换一个文件名，或先把它移到别处")))
		return err_info(ERR_EXISTS)->exit_code;
	while (n_maps < MAPS_MAX && (maps[n_maps] = cli_option_at(c, "map", (int)n_maps)))
		n_maps++;
	struct import_options options = {.rules = import_find(c->command->words + strlen("import ")),
		.path = c->operand[0],
		.sheet = cli_option(c, "sheet"),
		.maps = maps,
		.n_maps = n_maps,
		.errors_path = errors,
		.grade = grade,
		.year = year ? atoi(year) : 0,
		.dry_run = cli_flag(c, "dry-run"),
		.all_or_nothing = cli_flag(c, "all-or-nothing"),
		.keep_invalid = cli_flag(c, "keep-invalid"),
		.force = cli_flag(c, "force"),
		.progress = import_progress,
		.progress_data = c};
	enum err e = import_run(store, &options, &report, &c->problem);
	cli_progress_end(c);
	if (e && report.ask_year && (options.year = ask_year(c, report.ask_year))) {
		import_report_free(&report);
		e = import_run(store, &options, &report, &c->problem);
		cli_progress_end(c);
	}
	code = tell(c, &options, &report, e);
	import_report_free(&report);
	return code;
}

struct batch_list {
	const struct session *session;
	json_t *json;
	struct cli_table *table;
};

static const char *batch_words(const char *what)
{
	static const struct {
		const char *what, *text;
	} words[] = {{"answer", N_("核验答复")}, {"undo", NC_("batch", "撤销")}};
	const struct import_rules *rules = import_find(what);

	if (rules)
		return _(rules->text);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].what, what) == 0)
			return _(words[i].text);
	return _("修改");
}

static enum err list_batch(void *data, const struct batch_row *b)
{
	struct batch_list *l = data;
	char id[24], face[FACE_SIZE], at[TIME_TEXT_SIZE], counts[4][24], file[FILE_NAME_TEXT_MAX];
	const size_t numbers[] = {
		b->counts.inserted, b->counts.updated, b->counts.unchanged, b->counts.rejected};

	file_path_text(file, sizeof file, b->about); /* one that was imported before names were made UTF-8 */

	/* A single pupil whom somebody else changed is shown by name to who may see him. */
	if (!scope_is_whole(l->session) && strcmp(l->session->user, b->author) != 0)
		*file = 0;
	snprintf(id, sizeof id, "%lld", (long long)b->id);
	time_format(at, b->at);
	for (size_t i = 0; i < 4; i++)
		snprintf(counts[i], sizeof counts[i], "%zu", numbers[i]);
	const char *fate = b->undone ? _("已撤销") : "";
	cli_table_row(l->table,
		(const char *[]){id, face_time(face, b->at, clock_now_us()), batch_words(b->what), file,
			b->author, counts[0], counts[1], counts[2], counts[3],
			b->refused ? _("撤销没有被接受") : fate});
	bool import = import_find(b->what) != NULL;
	json_array_append_new(l->json,
		json_pack("{ss ss ss ss ss sI sI sI sI sb sb}", "id", id, "at", at, "what", b->what, "file",
			import ? file : "", "author", b->author, "inserted", (json_int_t)b->counts.inserted,
			"updated", (json_int_t)b->counts.updated, "unchanged",
			(json_int_t)b->counts.unchanged, "rejected", (json_int_t)b->counts.rejected, "undone",
			b->undone != 0 && !b->refused, "undo_refused", b->refused));
	return ERR_OK;
}

int cmd_import_list(struct cli *c)
{
	const char *headings[] = {_("批次"), _("时间"), _("内容"), _("文件或对象"), _("经办"), _("新增"),
		_("更新"), _("未变"), _("不合格"), _("状态")};
	int code;
	struct store *store = jg_store(c, &code);
	struct batch_list list = {&c->profile.session, json_array(), cli_table_new(headings, 10)};

	if (!store)
		return code;
	if (batch_each(store, list_batch, &list, &c->problem))
		return cli_fail(c);
	cli_table_print(c, list.table);
	return cli_result(c, list.json, 0);
}

/* Serves `import undo` and `undo`: an edit of several records is a batch like an import. */
struct wanted_batch {
	int64_t id;
	struct batch_row row;
};

static enum err take_wanted(void *data, const struct batch_row *b)
{
	struct wanted_batch *w = data;

	if (b->id == w->id)
		w->row = *b;
	return ERR_OK;
}

/* Many records at once: a person at a terminal sees which batch it was, because `undo 1` may have meant the
 * first edit. */
static bool undo_confirmed(struct cli *c, struct store *store, int64_t id, struct wanted_batch *w)
{
	char file[FILE_NAME_TEXT_MAX];

	*w = (struct wanted_batch){.id = id};
	if (batch_each(store, take_wanted, w, NULL) || !cli_is_asked(c) ||
		(!import_find(w->row.what) && w->row.counts.inserted + w->row.counts.updated < 2))
		return true;
	file_path_text(file, sizeof file, w->row.about);
	cli_say(c,
		_("批次 %lld 是%s：%s，新增 %zu 条，更新 %zu 条。"
		  "撤销会把它们全部删去或改回，已送到县局的也一样。"),
		(long long)id, batch_words(w->row.what), file, w->row.counts.inserted, w->row.counts.updated);
	return cli_confirm(_("撤销"), _("确认请输入“撤销”："));
}

/* Which batch went, and how what it made comes back: what an undo deleted, no undo brings back. */
static void tell_undone(const struct cli *c, const struct wanted_batch *w, const struct undo_report *report)
{
	char file[FILE_NAME_TEXT_MAX];

	cli_say(c, _("批次 %lld（%s）：已撤销 %zu 条%s%s，jg sync 后送达"), (long long)w->id,
		batch_words(w->row.what), report->undone, *report->names ? _("：") : "", report->names);
	if (!import_find(w->row.what))
		return;
	file_path_text(file, sizeof file, w->row.about);
	cli_next(c, _("撤销错了就再导入一次：jg import %s %s"), w->row.what, file);
}

int cmd_import_undo(struct cli *c)
{
	static struct undo_report report;
	struct wanted_batch w = {0};
	char id[37];
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	enum err e = batch_undo(store, atoll(c->operand[0]), true, &report, &c->problem);
	if (!e && !undo_confirmed(c, store, atoll(c->operand[0]), &w))
		return cli_fail_with(
			c, ERR_NOT_NOW, _("jg import list 列出批次和修改"), _("没有确认，什么也没有改动"));
	if (!e)
		e = batch_undo(store, atoll(c->operand[0]), false, &report, &c->problem);
	json_t *blocked = json_array();
	for (size_t i = 0; i < report.blocked && i < BATCH_BLOCKS_MAX; i++) {
		const struct batch_block *b = &report.block[i];
		json_array_append_new(blocked,
			json_pack("{ss ss ss}", "id", jg_format_id(b->id, id), "kind", b->kind->table, "name",
				b->name));
		if (e)
			cli_say(c, "%s %s", lang_declared(b->kind->label, b->kind->label_en), b->name);
	}
	if (e && !report.blocked) {
		json_decref(blocked);
		return cli_fail(c);
	}
	if (!e && report.undone)
		tell_undone(c, &w, &report);
	if (!e && report.aside)
		cli_say(c, _("没有被接受的 %zu 项已撤回，不再发送"), report.aside);
	cli_result(c,
		json_pack("{sI sI so}", "undone", (json_int_t)report.undone, "withdrawn",
			(json_int_t)report.aside, "blocked", blocked),
		0);
	if (!e)
		return 0;
	cli_fail(c);
	return err_info(ERR_STALE)->exit_code; /* refused by a rule, not waiting for a person */
}
