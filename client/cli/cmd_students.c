#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "clock.h"
#include "codes.h"
#include "cycle.h"
#include "find.h"
#include "jg.h"
#include "lang.h"
#include "roll.h"
#include "client_service.h"
#include "tables.h"
#include "value.h"
#include "words.h"

static const uint32_t student_kinds[] = {KIND_STUDENT, KIND_GUARDIAN, 0};

static const struct cli_option import_students_options[] = {
	IMPORT_OPTIONS,
	{"grade", "GRADE", N_("没有年级列时全表的年级，如 六年级")},
	{"keep-invalid", NULL, N_("校验码不对的证件号码也保留")},
	IMPORT_FORCE,
	{0},
};

static const struct cli_option students_list_options[] = {
	{"grade", "16", N_("年级")},
	{"class", "3", N_("班级")},
	{0},
};

/* The stored record, and what the server has not answered yet. */
static json_t *student_json(const struct item *item)
{
	json_t *json = value_record_json(&item->record, item->id);

	json_object_set_new(json, "student", value_student_json(&item->record, item->id));
	json_object_set_new(json, "ver", json_integer((json_int_t)item->ver));
	json_object_set_new(json, "pending", json_boolean(item->pending));
	return json;
}

static const struct record *record_of(const void *row)
{
	return &(*(struct item *const *)row)->record;
}

/* The pupils of a list in its order; malloc'ed, NULL when memory is short. */
static struct item **pick_students(
	const struct cli *c, const struct view *v, const char *grade, const char *class_no, size_t *n)
{
	struct item **rows = malloc((v->n + 1) * sizeof *rows);

	*n = 0;
	for (size_t i = 0; rows && i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (!v->items[i]->live || r->kind->number != KIND_STUDENT ||
			(grade && !record_is(r, F_STUDENT_GRADE, grade)) ||
			(class_no && !record_is(r, F_STUDENT_CLASS_NO, class_no)) || !jg_class_allowed(c, r))
			continue;
		rows[(*n)++] = v->items[i];
	}
	if (rows)
		words_sort(rows, *n, sizeof *rows, record_of, NULL);
	return rows;
}

static void student_line(
	const struct cli *c, struct cli_table *table, struct jg_ids *ids, const struct item *item)
{
	const struct record *r = &item->record;
	char number[16], class_no[64], name[128], tail[64], status[32];

	if (c->reveal)
		value_show(r, record_has(r, F_STUDENT_CERT_NO) ? F_STUDENT_CERT_NO : F_STUDENT_STUDENT_NO,
			false, tail, sizeof tail);
	else
		words_tail(r, tail);
	cli_table_row(table,
		(const char *[]){jg_ids_add(ids, item->id, number), words_class(r, class_no, sizeof class_no),
			record_text(r, F_STUDENT_NAME, name, sizeof name), tail,
			value_show(r, F_STUDENT_STATUS, false, status, sizeof status),
			item->pending ? _("待发") : ""});
}

static int cmd_students_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("班级"), _("姓名"), c->reveal ? _("证件号码") : _("末四位"),
		_("当前状态"), C_("heading", "发送")};
	const char *grade = cli_option(c, "grade"), *class_no = cli_option(c, "class");
	char number[CLASS_NO_MAX + 1];
	struct jg_ids ids = {0};
	size_t n;
	int code;
	struct view *v = jg_view(c, student_kinds, &code);

	if (!v)
		return code;
	if (grade && !(grade = code_find(&codes_grade, grade)))
		return cli_fail_with(
			c, ERR_USAGE, _("例如 --grade 六年级"), _("没有年级 %s"), cli_option(c, "grade"));
	if (class_no && class_no_parse(number, sizeof number, class_no) == ERR_OK)
		class_no = number;
	struct item **rows = pick_students(c, v, grade, class_no, &n);
	if (!rows)
		return cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	json_t *list = json_array();
	struct cli_table *table = cli_table_new(headings, 6);
	for (size_t i = 0; i < n; i++) {
		student_line(c, table, &ids, rows[i]);
		if (c->json)
			json_array_append_new(list, student_json(rows[i]));
	}
	free(rows);
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, &shown_students);
	jg_ids_free(&ids);
	return cli_result(c, list, 0);
}

static int named_student(struct cli *c, struct view *v, const char *text, struct item **out)
{
	size_t n;
	struct item **rows = pick_students(c, v, NULL, NULL, &n);
	int code = rows ? jg_named(c, &shown_students, text, rows, n, out)
			: cli_fail_with(c, ERR_NOMEM, NULL, NULL);

	free(rows);
	return code;
}

static struct item *find_student(struct cli *c, struct view *v, const char *text, int *code)
{
	char room[JG_PICK_SIZE];

	text = jg_pick(c, v, &shown_students, text, room, code);
	struct item *item = text ? find_record(v, KIND_STUDENT, text, 0) : NULL;
	if (item && jg_class_allowed(c, &item->record))
		return item;
	if (text && !item)
		*code = named_student(c, v, text, &item);
	if (item && jg_class_allowed(c, &item->record))
		return item;
	if (text && !*code)
		*code = cli_fail_with(c, ERR_NOT_FOUND,
			_("查找：jg pupil find 姓名（或拼音首字母、号码末四位）"), _("没有这名学生"));
	return NULL;
}

static json_t *guardians_json(const struct view *v, const struct item *student)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		if (v->items[i]->live && r->kind->number == KIND_GUARDIAN &&
			record_has(r, F_GUARDIAN_STUDENT) &&
			memcmp(r->value[F_GUARDIAN_STUDENT].data, student->id, ID_SIZE) == 0)
			json_array_append_new(list, value_record_json(r, v->items[i]->id));
	}
	return list;
}

static int cmd_students_show(struct cli *c)
{
	char text[512];
	int code;
	struct view *v = jg_view(c, student_kinds, &code);
	struct item *item = v ? find_student(c, v, cli_operand(c, 0), &code) : NULL;

	if (!item)
		return code;
	for (size_t i = 0; i < item->record.kind->field_count; i++) {
		const struct field *f = &item->record.kind->fields[i];
		bool masked = !c->reveal && i != F_STUDENT_NAME;
		words_field(v, &item->record, (int)i, masked, text, sizeof text);
		cli_say(c, "%s\t%s", lang_declared(f->label, f->label_en), *text ? text : _("空"));
	}
	json_t *json = student_json(item);
	json_object_set_new(json, "guardians", guardians_json(v, item));
	return cli_result(c, json, 0);
}

/* “班级 3→4；现住址 空→东街 2 号”: what an edit did. Numbers only as lists show them: somebody may stand
 * behind. */
static void changes_text(const struct cli *c, const struct view *v, const struct record *old,
	const struct record *new, char *out, size_t size)
{
	char from[256], to[256];

	*out = 0;
	for (size_t i = 0; i < old->kind->field_count; i++) {
		const struct field *f = &old->kind->fields[i];
		if (record_same_field(old, new, i))
			continue;
		bool masked = !c->reveal && (i == F_STUDENT_CERT_NO || i == F_STUDENT_STUDENT_NO);
		words_field(v, old, (int)i, masked, from, sizeof from);
		words_field(v, new, (int)i, masked, to, sizeof to);
		size_t n = strlen(out);
		snprintf(out + n, size - n, "%s%s %s→%s", n ? _("；") : "",
			lang_declared(f->label, f->label_en), *from ? from : _("空"), *to ? to : _("空"));
	}
}

static int cmd_students_set(struct cli *c)
{
	struct batch_counts counts = {.updated = 1};
	struct record want;
	uint32_t groups;
	int64_t batch = 0;
	char id[37], number[24], pupil[256], changes[1024];
	int code;
	struct view *v = jg_view(c, student_kinds, &code);
	struct item *item = v ? find_student(c, v, cli_operand(c, 0), &code) : NULL;

	if (!item)
		return code;
	struct record old = want = item->record;
	code = jg_take_fields(c, 1, v, &want, &groups);
	if (code || (code = jg_number_is_free(c, v, item, &want)))
		return code;
	enum err e = check_record(&want, true, profile_today(&c->profile), &c->problem);
	if (!e)
		e = store_begin(v->store, &c->problem);
	if (e)
		return cli_fail(c);
	words_pupil(&old, pupil, sizeof pupil);
	e = batch_begin(v->store, "edit", pupil, &batch, &c->problem);
	if (!e)
		e = outbox_put(v, &item, &want, groups, batch, &c->problem);
	if (!e)
		e = batch_end(v->store, batch, &counts, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	snprintf(number, sizeof number, "%lld", (long long)batch);
	changes_text(c, v, &old, &item->record, changes, sizeof changes);
	cli_say(c, _("%s：%s；撤销：jg undo %s"), pupil, *changes ? changes : _("没有改动"), number);
	return cli_result(c,
		json_pack("{ss ss so}", "id", jg_format_id(item->id, id), "edit", number, "student",
			value_student_json(&item->record, item->id)),
		0);
}

/* What a found row is in another command's eyes: the pupil's own record of that list, else the row itself. */
static const struct item *in_list(
	const struct view *v, const struct item *item, const struct shown_list *list)
{
	char no[64];
	const struct record *r = &item->record;
	int cert = kind_field_index(r->kind, "cert_no"), student = kind_field_index(r->kind, "student_no");

	record_text(r, record_has(r, cert) ? cert : student, no, sizeof no);
	const struct item *other = (list->foreign ? find_foreign : find_record)(v, list->kinds[0], no, 0);
	return *no && other ? other : item;
}

#define LISTS_MAX 16

/* The lists that a pupil found gets a number of. */
static size_t found_lists(const struct shown_list *out[LISTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; client_services[i]; i++)
		for (const struct shown_list *const *l = client_services[i]->shown; l && *l; l++)
			if ((*l)->found && n < LISTS_MAX)
				out[n++] = *l;
	return n;
}

static int cmd_pupil_find(struct cli *c)
{
	static const uint32_t kinds[] = {KIND_STUDENT, KIND_DESTINATION, KIND_ENROLMENT, 0};
	const struct shown_list *lists[LISTS_MAX];
	const char *headings[] = {_("序号"), _("班级"), _("姓名"), _("末四位"), _("在哪张表")};
	char number[16], name[128], class_no[64], tail[8], no[32], id[37];
	struct item *found[FIND_MAX];
	struct jg_ids ids[LISTS_MAX] = {0};
	size_t n_lists = found_lists(lists);
	int code;
	struct view *v = jg_view(c, kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	size_t n = find_pupils(v, cli_operand(c, 0), found);
	words_sort(found, n, sizeof *found, record_of, NULL);
	struct cli_table *table = cli_table_new(headings, 5);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = &found[i]->record;
		if (!jg_class_allowed(c, r))
			continue;
		for (size_t k = 0; k < n_lists; k++)
			jg_ids_add(&ids[k], in_list(v, found[i], lists[k])->id, number);
		cli_table_row(table,
			(const char *[]){number, words_class(r, class_no, sizeof class_no),
				record_text(r, kind_field_index(r->kind, "name"), name, sizeof name),
				words_tail(r, tail), lang_declared(r->kind->label, r->kind->label_en)});
		json_array_append_new(list,
			json_pack("{ss ss ss so}", "id", jg_format_id(found[i]->id, id), "kind",
				r->kind->table, "class",
				record_text(r, kind_field_index(r->kind, "class_no"), no, sizeof no),
				"student", value_student_json(r, found[i]->id)));
	}
	cli_table_print(c, table);
	if (!c->json && !ids[0].n)
		cli_say(c, "%s", _("没有找到；可写姓名、拼音首字母或号码末四位"));
	for (size_t k = 0; k < n_lists;
		k++) {        /* the numbers now on the screen are those of whatever command comes next */
		if (ids[k].n) /* nobody found: those of the list before are still the last */
			jg_ids_keep(c, &ids[k], lists[k]);
		jg_ids_free(&ids[k]);
	}
	return cli_result(c, list, 0);
}

/* What may stand in a field, in words. */
static const char *field_words(const struct field *f, char *out, size_t size)
{
	static const struct {
		const char *check, *text;
	} words[] = {{"cert_no", NC_("content", "证件号码")}, {"student_no", N_("全国学籍号")},
		{"class", N_("班级，如 3 或 六（3）班")}, {"date", N_("日期，如 2014-03-15")},
		{"time", N_("时间")}, {"year", N_("年度，如 2027")}, {"school_code", N_("10 位学校标识码")},
		{"area", N_("区划代码")}, {"area_prefix", N_("区划代码，或其前几位")},
		{"uuid", N_("记录编号")}, {"sha", N_("文件校验值")}, {"long", N_("文字，可分行")},
		{"fen", N_("金额（元），如 1234.50")}, {"minutes", N_("时长，如 90、1:30 或 1小时30分")}};
	bool one = strncmp(f->check, "codes:", 6) == 0;

	if (one || strncmp(f->check, "multi:", 6) == 0) {
		const struct code_list *list = code_list_by_name(f->check + 6);
		snprintf(out, size,
			one ? _("代码，见 jg help codes %s")
			    : _("代码，可有几个，以、分隔，见 jg help codes %s"),
			list ? list->name : "");
		return out;
	}
	if (strncmp(f->check, "range:", 6) == 0) {
		snprintf(out, size, _("数字，%s"), f->check + 6);
		return out;
	}
	if (strncmp(f->check, "decimal:", 8) == 0) {
		snprintf(out, size, _("数字，至多 %s 位小数"), f->check + 8);
		return out;
	}
	if (strncmp(f->check, "ref:", 4) == 0)
		return _("记录编号");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].check, f->check) == 0)
			return _(words[i].text);
	if (f->type == FIELD_BOOL)
		return _("是 或 否");
	if (f->type == FIELD_TEXT)
		return _("文字");
	return _("数字");
}

/* What set, export and --json call the fields; printed from the declarations. */
int cmd_help_fields(struct cli *c)
{
	static const char *const types[] = {"text", "bytes", "int32", "int64", "bool"};
	const char *headings[] = {C_("heading", "记录"), _("字段"), _("名称"), _("内容"), _("文件里的列名")};
	struct cli_table *table = cli_table_new(headings, 5);
	json_t *json = json_object();

	for (size_t k = 0; k < kind_count; k++) {
		json_t *fields = json_array();
		for (size_t i = 0; i < kind_table[k].field_count; i++) {
			const struct field *f = &kind_table[k].fields[i];
			char columns[400] = "", content[128];
			json_t *names = json_array();
			for (const char *const *name = f->columns; *name; name++) {
				snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%s",
					*columns ? " / " : "", *name);
				json_array_append_new(names, json_string(*name));
			}
			cli_table_row(table,
				(const char *[]){lang_declared(kind_table[k].label, kind_table[k].label_en),
					f->name, lang_declared(f->label, f->label_en),
					field_words(f, content, sizeof content), columns});
			json_array_append_new(fields,
				json_pack("{ss ss ss ss si sb so}", "field", f->name, "label",
					lang_declared(f->label, f->label_en), "type", types[f->type], "check",
					f->check, "group", f->group, "required", f->required, "columns",
					names));
		}
		json_object_set_new(json, kind_table[k].table, fields);
	}
	cli_table_print(c, table);
	return cli_result(c, json, 0);
}

/* ---- The commands ---- */

static const struct cli_command commands[] = {
	{"import students", "FILE", 1, 1, import_students_options, EVERYBODY, TEACHERS,
		N_("导入学生名册（.xlsx .csv）"), N_("import students 学生.xlsx --dry-run"), cmd_import,
		CLI_TABLES},
	{"students list", "", 0, 0, students_list_options, EVERYBODY, READERS, N_("列出学生"),
		"students list --grade 16 --class 3", cmd_students_list, CLI_PEOPLE},
	{"students show", "PUPIL", 1, 1, NULL, EVERYBODY, READERS,
		N_("显示一名学生（序号、姓名、编号或证件号码，- 从标准输入读）"), "students show 3",
		cmd_students_show, CLI_PEOPLE},
	{"students set", "PUPIL FIELD=VALUE…", 2, CLI_OPERANDS_MAX, NULL, EVERYBODY, TEACHERS,
		N_("修改一名学生（序号、姓名或证件号码）"), "students set 3 class_no=4", cmd_students_set,
		CLI_PEOPLE},
	{"pupil find", "TEXT", 1, 1, NULL, EVERYBODY, READERS, N_("按姓名、拼音首字母或号码末四位查找"),
		"pupil find zs", cmd_pupil_find, CLI_PEOPLE},
	{"export students", "", 0, 0, export_options, EVERYBODY, READERS, N_("导出学生名册"),
		N_("export students -o 学生.xlsx"), cmd_export, CLI_REST},
	{0},
};

static const struct way ways[] = {
	{"import_roster", N_("jg import students 文件")},
	{"list_students", "jg students list"},
	{"edit_students", "jg students set"},
	{0},
};

const struct cli_part jg_roll = {commands, ways, NULL};
