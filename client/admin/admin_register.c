/* Schools and catchments: people's tables into the county's registers. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "book.h"
#include "clock.h"
#include "codes.h"
#include "frame.h"
#include "lang.h"
#include "sheet.h"
#include "table.h"
#include "tables.h"
#include "value.h"

#define COLUMNS_MAX 16
#define ROWS_MAX 5000 /* county.proto: of one call; ten times the schools that any county has */

struct line {
	long number;
	struct buf bytes;
};

struct reading {
	struct cli *c;
	const struct kind *kind;
	struct sheet *sheet;
	struct book book;
	struct table *table; /* the one being read */
	struct table_column columns[COLUMNS_MAX];
	int field[COLUMNS_MAX];
	size_t n;
	struct line *lines;
	size_t count, room;
	json_t *rejected;
	struct arena arena;
};

static void columns_of(struct reading *r)
{
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		if (!f->columns[0] || r->n == COLUMNS_MAX)
			continue;
		r->columns[r->n] = (struct table_column){f->columns[0], f->columns + 1, f->required, NULL};
		r->field[r->n++] = (int)i;
	}
}

static void reject(struct reading *r, long row, const char *field, const struct problem *p)
{
	json_array_append_new(r->rejected,
		json_pack("{s:i,s:s,s:s,s:s}", "row", (int)row, "field", field, "message", p->message, "hint",
			p->hint));
}

static bool read_line(struct reading *r, const struct table_row *row)
{
	struct record record;
	struct problem p;
	const char *code = "";
	struct value_context context = {.epoch = DATE_EPOCH_1900};

	record_init(&record, r->kind);
	for (size_t i = 0; i < r->n; i++) {
		if (!table_has(r->table, i))
			continue;
		context.damaged = table_flags(r->table, row, i) & CELL_DAMAGED_NUMBER;
		if (value_parse(&record, r->field[i], table_text(r->table, row, i), &context, &r->arena,
			    &code, &p) == VALUE_BAD) {
			reject(r, row->number, p.field, &p);
			return true;
		}
	}
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 256;
		struct line *more = realloc(r->lines, room * sizeof *more);
		if (!more)
			return false;
		r->lines = more;
		r->room = room;
	}
	struct line *line = &r->lines[r->count++];
	*line = (struct line){.number = row->number};
	record_encode(&record, &line->bytes);
	return !line->bytes.failed && !r->arena.refused;
}

static enum err check_size(struct reading *r)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->count; i++)
		bytes += r->lines[i].bytes.len;
	if (r->count <= ROWS_MAX && bytes < FRAME_MAX - (64u << 10))
		return ERR_OK;
	return problem_set(&r->c->problem, ERR_FILE_LIMIT, NULL, _("分成几个文件，一个一个导入"),
		_("这个文件有 %zu 行，一次最多 %d 行"), r->count, ROWS_MAX);
}

static enum err read_file(struct reading *r, const char *path)
{
	struct table_row row;
	enum err e = sheet_read_file(path, cli_option(r->c, "sheet"), &r->sheet, &r->c->problem);

	columns_of(r);
	const struct book_wants wants = {.table = {r->columns, r->n, NULL, NULL, 0}};
	if (!e)
		e = book_open(&r->book, r->sheet, &wants, &r->c->problem);
	for (size_t i = 0; !e && i < r->book.n; i++) {
		r->table = r->book.tables[i].table;
		while (!e && table_next(r->table, &row))
			if (!read_line(r, &row))
				e = problem_set(&r->c->problem, ERR_NOMEM, NULL, NULL, NULL);
	}
	return e ? e : check_size(r);
}

/* The server numbers what it was sent; people know the row of their file and the column's name. */
static void take_problems(struct reading *r, json_t *out, pb_row_problem *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const pb_row_problem *p = list[i];
		int field = p->field ? kind_field_index(r->kind, p->field) : -1;
		json_array_append_new(out,
			json_pack("{s:i,s:s,s:s,s:s}", "row",
				p->row < r->count ? (int)r->lines[p->row].number : 0, "field",
				field >= 0 ? value_column(&r->kind->fields[field]) : "", "message",
				p->message ? p->message : "", "hint", p->hint ? p->hint : ""));
	}
}

/* The columns that no field has, each once. */
static void take_ignored(struct cli *c, const struct table *table, json_t *ignored)
{
	for (size_t k = 0; k < table_ignored_count(table); k++) {
		const char *heading = table_ignored_at(table, k).heading;
		bool known = false;
		for (size_t i = 0; i < json_array_size(ignored); i++)
			known |= strcmp(json_string_value(json_array_get(ignored, i)), heading) == 0;
		if (known)
			continue;
		json_array_append_new(ignored, json_string(heading));
		cli_warn(c, _("没有读“%s”这一列"), heading);
	}
}

static int report(struct reading *r, const pb_import_report *reply)
{
	struct cli *c = r->c;
	json_t *warnings = json_array(), *ignored = json_array();
	size_t i, skipped = 0;
	json_t *row;

	take_problems(r, r->rejected, reply->rejected, reply->n_rejected);
	take_problems(r, warnings, reply->warning, reply->n_warning);
	for (size_t k = 0; k < r->book.n; k++) {
		take_ignored(c, r->book.tables[k].table, ignored);
		skipped += table_skipped_count(r->book.tables[k].table);
	}
	for (size_t k = 0; k < r->book.n_left; k++)
		cli_warn(c, _("没有读工作表“%s”：%s"), r->book.left[k].page->name, r->book.left[k].why);
	cli_say(c, _("新增 %u，更新 %u，未变 %u，退回 %zu，提醒 %zu"), reply->inserted, reply->updated,
		reply->unchanged, json_array_size(r->rejected), json_array_size(warnings));
	if (skipped)
		cli_say(c, _("跳过 %zu 行（合计、签字、重复的表头等）"), skipped);
	json_array_foreach(r->rejected, i, row)
	{
		const char *hint = json_string_value(json_object_get(row, "hint"));
		cli_say(c, _("  第 %d 行 %s：%s%s%s"), (int)json_integer_value(json_object_get(row, "row")),
			json_string_value(json_object_get(row, "field")),
			json_string_value(json_object_get(row, "message")), hint && *hint ? _("；") : "",
			hint ? hint : "");
	}
	json_array_foreach(warnings, i, row)
	{
		long line = (long)json_integer_value(json_object_get(row, "row"));
		const char *message = json_string_value(json_object_get(row, "message"));
		if (line)
			cli_say(c, _("  提醒 第 %ld 行：%s"), line, message);
		else
			cli_say(c, _("  提醒：%s"), message);
	}
	if (json_array_size(r->rejected))
		cli_next(c, "%s",
			cli_flag(c, "dry-run") ? _("在文件里改正这些行，再运行；这次只是检查，什么也没有写入")
					       : _("在文件里改正这些行，再运行同一条命令；其余的已经导入"));
	else if (r->kind->number == KIND_SCHOOL && !cli_flag(c, "dry-run"))
		cli_next(c, "%s", _("jgadmin catchments import 文件 导入施教区"));
	else if (!cli_flag(c, "dry-run"))
		cli_next(c, "%s",
			_("请系统管理员运行 jgadmin devices invite --all -o 连接码.pdf；"
			  "各校名册齐了以后 jgadmin transition open --year 年度"));
	int code = json_array_size(r->rejected) ? err_info(ERR_CONFLICT)->exit_code : 0;
	return cli_result(c,
		json_pack("{s:i,s:i,s:i,s:I,s:O,s:o,s:o}", "inserted", (int)reply->inserted, "updated",
			(int)reply->updated, "unchanged", (int)reply->unchanged, "skipped",
			(json_int_t)skipped, "rejected", r->rejected, "warnings", warnings, "ignored_columns",
			ignored),
		code);
}

static int send_lines(struct reading *r, uint16_t method)
{
	pb_register_import q = PB_REGISTER_IMPORT_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;

	q.record = calloc(r->count + 1, sizeof *q.record);
	q.has_dry_run = 1;
	q.dry_run = cli_flag(r->c, "dry-run");
	q.has_force = 1;
	q.force = r->kind->number == KIND_SCHOOL && cli_flag(r->c, "force");
	for (size_t i = 0; q.record && i < r->count; i++)
		q.record[q.n_record++] = (ProtobufCBinaryData){r->lines[i].bytes.len, r->lines[i].bytes.data};
	enum err e = admin_ask(r->c, method, &q.base, &arena, &reply);
	int code = e ? cli_fail(r->c) : report(r, (const pb_import_report *)reply);
	arena_free(&arena);
	free(q.record);
	return code;
}

/* A register is the bureau's own file: its columns are named there, not mapped here. */
static int fail_file(struct cli *c)
{
	if (c->problem.code == ERR_FILE_HEADER)
		snprintf(c->problem.hint, sizeof c->problem.hint, "%s",
			_("在文件的表头行写上这一列的列名，填好内容，再运行同一条命令"));
	return cli_fail(c);
}

static int import(struct cli *c, uint32_t kind, uint16_t method)
{
	struct reading r = {.c = c, .kind = kind_by_number(kind), .rejected = json_array()};

	arena_init(&r.arena, 64u << 20);
	int code = read_file(&r, cli_operand(c, 0)) ? fail_file(c) : send_lines(&r, method);
	for (size_t i = 0; i < r.count; i++)
		buf_free(&r.lines[i].bytes);
	free(r.lines);
	json_decref(r.rejected);
	book_close(&r.book);
	if (r.sheet)
		sheet_free(r.sheet);
	arena_free(&r.arena);
	return code;
}

static int cmd_schools_import(struct cli *c)
{
	return import(c, KIND_SCHOOL, METHOD_COUNTY_IMPORT_SCHOOLS);
}

static int cmd_catchments_import(struct cli *c)
{
	return import(c, KIND_CATCHMENT, METHOD_COUNTY_IMPORT_CATCHMENTS);
}

static int cmd_schools_list(struct cli *c)
{
	const char *const headings[] = {
		_("学校标识码"), _("学校名称"), _("办学类型"), _("举办者"), _("学段"), _("区划")};
	pb_empty q = PB_EMPTY_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	enum err e = admin_ask(c, METHOD_COUNTY_LIST_SCHOOLS, &q.base, &arena, &reply);

	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_school_list *list = (const pb_school_list *)reply;
	json_t *out = json_array();
	struct cli_table *t = cli_table_new(headings, 6);
	for (size_t i = 0; i < list->n_school; i++) {
		const pb_school_row *s = list->school[i];
		char stages[64] = "", id[37] = "";
		if (s->id.len == 16)
			id_format(id, s->id.data);
		for (size_t k = 0; k < s->n_stage; k++)
			snprintf(stages + strlen(stages), sizeof stages - strlen(stages), "%s%s",
				k ? " " : "", s->stage[k]);
		cli_table_row(t,
			(const char *const[]){s->code, s->name, admin_word(&codes_school_type, s->type),
				admin_word(&codes_founder, s->founder), stages, s->district});
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "id", id, "code", s->code, "name", s->name,
				"type", s->type, "founder", s->founder, "stages",
				admin_texts(s->stage, s->n_stage), "district", admin_text(s->district)));
	}
	cli_table_print(c, t);
	if (!list->n_school && !profile_has_role(&c->profile, 1u << ROLE_BASIC_EDU))
		cli_next(c, "%s", _("由基教科导入学校名册：jgadmin schools import 文件"));
	else if (!list->n_school)
		cli_next(c, "%s", _("jgadmin schools import 文件 导入学校名册"));
	else
		cli_next(c, "%s", _("jgadmin transition phase --year 年度 看到了哪一步"));
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* ---- The commands ---- */

static const struct cli_option import_options[] = {
	{"dry-run", NULL, N_("只检查，不写入")}, {"sheet", "NAME", N_("工作表名称")}, {0}};
static const struct cli_option schools_import_options[] = {{"dry-run", NULL, N_("只检查，不写入")},
	{"sheet", "NAME", N_("工作表名称")}, {"force", NULL, N_("也改已有学校的名称和办学类型")}, {0}};
static const struct cli_option school_options[] = {
	{"school", "SCHOOL", N_("只看一所学校：名称、名称的一部分或标识码")}, {0}};
static const struct cli_option yes_options[] = {{"yes", NULL, N_("不再询问")}, {0}};

static const struct cli_command commands[] = {
	{"schools import", "FILE", 1, 1, schools_import_options, ADMIN_NEEDS, 0,
		N_("导入学校名册（.xlsx/.csv）"), N_("schools import 学校.xlsx"), cmd_schools_import,
		CLI_WORK},
	{"schools list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出学校"), "schools list", cmd_schools_list,
		CLI_WORK},
	{"catchments import", "FILE", 1, 1, import_options, ADMIN_NEEDS, 0, N_("导入施教区"),
		N_("catchments import 施教区.csv"), cmd_catchments_import, CLI_WORK},
	{"catchments list", "", 0, 0, school_options, ADMIN_NEEDS, 0, N_("列出施教区，每条前面有序号"),
		"catchments list --school 3132000001", cmd_catchments_list, CLI_WORK},
	{"catchments set", "ROW FIELD=VALUE…", 2, 4, yes_options, ADMIN_NEEDS, 0,
		N_("更正一条施教区：序号见 catchments list；先显示改前改后和盲区"),
		N_("catchments set 3 区划代码=329999100"), cmd_catchments_set, CLI_WORK},
	{"catchments remove", "ROW…", 1, 200, yes_options, ADMIN_NEEDS, 0,
		N_("删除施教区：序号见 catchments list；先显示会留下哪些盲区"), "catchments remove 3 5",
		cmd_catchments_remove, CLI_WORK},
	{0},
};

const struct cli_part admin_county = {commands, NULL, NULL};
