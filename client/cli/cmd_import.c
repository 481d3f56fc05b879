#include <string.h>

#include "batch.h"
#include "clock.h"
#include "import.h"
#include "jg.h"

#define MAPS_MAX 32 /* --map given on one command line */

const struct cli_option import_options[] = {
	{"dry-run", NULL, "只检查，不保存", "judge everything, store nothing"},
	{"all-or-nothing", NULL, "有一行不合格就一行也不保存", "store nothing when a row is bad"},
	{"errors", "OUT.xlsx", "把不合格的行写到一份工作簿", "write the bad rows into a workbook"},
	{"map", "列=字段", "文件里的列名对应哪个字段", "which field a column of the file is"},
	{"sheet", "NAME", "工作表名", "name of the sheet"},
	{"keep-invalid", NULL, "校验码不对的证件号码也保留（students）",
		"keep numbers whose check digit is wrong (students)"},
	{"force", NULL, "疑似错行也导入（enrolled）",
		"import although a column seems to have slipped (enrolled)"},
	{0},
};

static json_t *notes_json(const struct import_notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->n; i++) {
		const struct import_note *n = &notes->list[i];
		json_array_append_new(list, json_pack("{sI ss ss ss}", "row", (json_int_t)n->row, "field",
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
	return json_pack("{so sI sI sI sI so so so so}", "import",
		r->id ? json_sprintf("%lld", (long long)r->id) : json_null(), "read", (json_int_t)r->read,
		"inserted", (json_int_t)r->inserted, "updated", (json_int_t)r->updated, "unchanged",
		(json_int_t)r->unchanged, "rejected", notes_json(&r->rejected), "warnings",
		notes_json(&r->warnings), "ignored_columns", ignored, "ignored_nearest", nearest);
}

static void print_notes(const struct cli *c, const struct import_notes *notes, const char *title)
{
	for (size_t i = 0; !c->json && i < notes->n; i++) {
		const struct import_note *n = &notes->list[i];
		cli_say(c, tr("%s 第 %ld 行 %s：%s", "%s row %ld %s: %s"), title, n->row, n->field,
			n->message);
	}
}

static void print_report(const struct cli *c, const struct import_report *r, bool dry_run)
{
	cli_say(c,
		tr("%s读 %zu 行：新增 %zu，更新 %zu，未变 %zu，不合格 %zu",
			"%sread %zu rows: %zu inserted, %zu updated, %zu unchanged, %zu rejected"),
		dry_run ? tr("（试导入，未保存）", "(dry run, nothing stored) ") : "", r->read, r->inserted,
		r->updated, r->unchanged, r->rejected.n);
	for (const char *line = r->ignored; line && *line; line = strchr(line, '\n') + 1) {
		const char *tab = strchr(line, '\t'), *end = strchr(line, '\n');
		cli_say(c,
			end > tab + 1 ? tr("没有用到的列 %.*s（是不是 %.*s？）",
						"column not used: %.*s (perhaps %.*s?)")
				      : tr("没有用到的列 %.*s%.*s", "column not used: %.*s%.*s"),
			(int)(tab - line), line, (int)(end - tab - 1), tab + 1);
	}
	print_notes(c, &r->rejected, tr("不合格", "rejected"));
	print_notes(c, &r->warnings, tr("请核对", "please check"));
	if (r->id)
		cli_say(c,
			tr("批次 %lld；撤销：jg import undo %lld",
				"batch %lld; to take it back: jg import undo %lld"),
			(long long)r->id, (long long)r->id);
}

static void import_progress(void *data, size_t done, size_t total)
{
	cli_progress(data, tr("导入", "importing"), done, total);
}

static int run_import(struct cli *c, enum import_what what)
{
	const char *maps[MAPS_MAX];
	struct import_report report;
	size_t n_maps = 0;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	while (n_maps < MAPS_MAX && (maps[n_maps] = cli_option_at(c, "map", (int)n_maps)))
		n_maps++;
	const struct import_options options = {.what = what,
		.path = c->operand[0],
		.sheet = cli_option(c, "sheet"),
		.maps = maps,
		.n_maps = n_maps,
		.errors_path = cli_option(c, "errors"),
		.dry_run = cli_flag(c, "dry-run"),
		.all_or_nothing = cli_flag(c, "all-or-nothing"),
		.keep_invalid = cli_flag(c, "keep-invalid"),
		.force = cli_flag(c, "force"),
		.progress = import_progress,
		.progress_data = c};
	enum err e = import_run(store, &options, &report, &c->problem);
	cli_progress_end(c);
	if (e && !report.slipped && e != ERR_FILE_FORMAT) {
		code = cli_fail(c);
	} else if (e && !report.read) {
		code = cli_fail(c);
	} else {
		print_report(c, &report, options.dry_run);
		code = report.rejected.n ? err_info(ERR_CONFLICT)->exit_code : 0;
		json_t *json = report_json(&report);
		if (e)
			json_object_set_new(json, "error", cli_error_json(c));
		cli_result(c, json, 0);
		if (e)
			code = cli_fail(c);
	}
	import_report_free(&report);
	return code;
}

int cmd_import_students(struct cli *c)
{
	return run_import(c, IMPORT_STUDENTS);
}

int cmd_import_destinations(struct cli *c)
{
	return run_import(c, IMPORT_DESTINATIONS);
}

int cmd_import_enrolled(struct cli *c)
{
	return run_import(c, IMPORT_ENROLLED);
}

struct batch_list {
	json_t *json;
	struct cli_table *table;
};

static enum err list_batch(void *data, const struct batch_row *b)
{
	struct batch_list *l = data;
	char id[24], at[TIME_TEXT_SIZE], counts[96];

	snprintf(id, sizeof id, "%lld", (long long)b->id);
	time_format(at, b->at);
	snprintf(counts, sizeof counts, "+%zu ~%zu =%zu !%zu", b->counts.inserted, b->counts.updated,
		b->counts.unchanged, b->counts.rejected);
	cli_table_row(l->table, (const char *[]){id, at, b->what, b->file, b->author, counts,
					b->undone ? tr("已撤销", "undone") : ""});
	json_array_append_new(l->json,
		json_pack("{ss ss ss ss ss sI sI sI sI sb}", "id", id, "at", at, "what", b->what, "file",
			b->file, "author", b->author, "inserted", (json_int_t)b->counts.inserted, "updated",
			(json_int_t)b->counts.updated, "unchanged", (json_int_t)b->counts.unchanged,
			"rejected", (json_int_t)b->counts.rejected, "undone", b->undone));
	return ERR_OK;
}

int cmd_import_list(struct cli *c)
{
	const char *headings[] = {tr("批次", "batch"), tr("时间", "at"), tr("内容", "what"),
		tr("文件", "file"), tr("经办", "by"), tr("新增 更新 未变 不合格", "new, changed, same, bad"),
		""};
	int code;
	struct store *store = jg_store(c, &code);
	struct batch_list list = {json_array(), cli_table_new(headings, 7)};

	if (!store)
		return code;
	if (batch_each(store, list_batch, &list, &c->problem))
		return cli_fail(c);
	cli_table_print(c, list.table);
	return cli_result(c, list.json, 0);
}

/* Serves `import undo` and `undo`: an edit of several pupils is a batch like an import. */
int cmd_import_undo(struct cli *c)
{
	static struct undo_report report;
	char id[37];
	int code;
	struct store *store = jg_store(c, &code);

	if (!store)
		return code;
	enum err e = batch_undo(store, atoll(c->operand[0]), &report, &c->problem);
	json_t *blocked = json_array();
	for (size_t i = 0; i < report.blocked && i < BATCH_BLOCKS_MAX; i++) {
		const struct batch_block *b = &report.block[i];
		json_array_append_new(blocked, json_pack("{ss ss ss}", "id", jg_id(b->id, id), "kind",
						       b->kind->table, "name", b->name));
		if (e)
			cli_say(c, "%s %s %s", tr(b->kind->label, b->kind->label_en), b->name, id);
	}
	if (e && !report.blocked) {
		json_decref(blocked);
		return cli_fail(c);
	}
	cli_say(c, tr("已撤销 %zu 条", "%zu records undone"), report.undone);
	cli_result(c, json_pack("{sI so}", "undone", (json_int_t)report.undone, "blocked", blocked), 0);
	if (!e)
		return 0;
	cli_fail(c);
	return err_info(ERR_STALE)->exit_code; /* refused by a rule, not waiting for a person */
}
