#include <string.h>

#include "batch.h"
#include "check.h"
#include "clock.h"
#include "codes.h"
#include "cycle.h"
#include "find.h"
#include "jg.h"
#include "tables.h"
#include "value.h"

static const uint32_t student_kinds[] = {KIND_STUDENT, KIND_GUARDIAN, 0};

const struct cli_option students_list_options[] = {
	{"grade", "16", "年级", "grade"},
	{"class", "3", "班级", "class"},
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

int cmd_students_list(struct cli *c)
{
	static const int shown[] = {F_STUDENT_NAME, F_STUDENT_CERT_NO, F_STUDENT_STUDENT_NO, F_STUDENT_GRADE,
		F_STUDENT_CLASS_NO, F_STUDENT_STATUS};
	const char *headings[7], *grade = cli_option(c, "grade"), *class_no = cli_option(c, "class");
	char cells[6][256], number[CLASS_NO_MAX + 1];
	int code;
	struct view *v = jg_view(c, student_kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	if (grade && !(grade = code_find(&codes_grade, grade)))
		return cli_fail_with(
			c, ERR_USAGE, NULL, tr("没有年级 %s", "no grade %s"), cli_option(c, "grade"));
	if (class_no && class_no_parse(number, sizeof number, class_no) == ERR_OK)
		class_no = number;
	for (size_t k = 0; k < 6; k++)
		headings[k] = tr(kind_by_number(KIND_STUDENT)->fields[shown[k]].label,
			kind_by_number(KIND_STUDENT)->fields[shown[k]].label_en);
	headings[6] = tr("未发", "pending");
	struct cli_table *table = cli_table_new(headings, 7);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *r = &item->record;
		if (!item->live || r->kind->number != KIND_STUDENT ||
			(grade && !record_is(r, F_STUDENT_GRADE, grade)) ||
			(class_no && !record_is(r, F_STUDENT_CLASS_NO, class_no)) || !jg_class_allowed(c, r))
			continue;
		const char *row[7];
		for (size_t k = 0; k < 6; k++)
			row[k] = value_show(r, shown[k], !c->reveal, cells[k], sizeof cells[k]);
		row[6] = item->pending ? "*" : "";
		cli_table_row(table, row);
		if (c->json)
			json_array_append_new(list, student_json(item));
	}
	cli_table_print(c, table);
	return cli_result(c, list, 0);
}

static struct item *find_student(struct cli *c, struct view *v, const char *text, int *code)
{
	struct item *item = find_record(v, KIND_STUDENT, text, 0);

	*code = 0;
	if (!item || !jg_class_allowed(c, &item->record)) {
		*code = cli_fail_with(c, ERR_NOT_FOUND, tr("用 pupil find 查找", "try pupil find"),
			tr("没有这名学生", "no such pupil"));
		return NULL;
	}
	return item;
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

int cmd_students_show(struct cli *c)
{
	char text[512];
	int code;
	struct view *v = jg_view(c, student_kinds, &code);
	struct item *item = v ? find_student(c, v, cli_operand(c, 0), &code) : NULL;

	if (!item)
		return code;
	for (size_t i = 0; i < item->record.kind->field_count; i++)
		cli_say(c, "%s\t%s",
			tr(item->record.kind->fields[i].label, item->record.kind->fields[i].label_en),
			value_show(&item->record, (int)i, !c->reveal, text, sizeof text));
	json_t *json = student_json(item);
	json_object_set_new(json, "guardians", guardians_json(v, item));
	return cli_result(c, json, 0);
}

int cmd_students_set(struct cli *c)
{
	struct batch_counts counts = {.updated = 1};
	struct record want;
	uint32_t groups;
	int64_t batch = 0;
	char id[37], number[24];
	int code;
	struct view *v = jg_view(c, student_kinds, &code);
	struct item *item = v ? find_student(c, v, cli_operand(c, 0), &code) : NULL;

	if (!item)
		return code;
	want = item->record;
	code = jg_take_fields(c, 1, v, &want, &groups);
	if (code)
		return code;
	enum err e = check_record(&want, true, cycle_today(&c->profile), &c->problem);
	if (!e)
		e = store_begin(v->store, &c->problem);
	if (e)
		return cli_fail(c);
	e = batch_begin(v->store, "edit", NULL, &batch, &c->problem);
	if (!e)
		e = outbox_put(v, &item, &want, groups, batch, &c->problem);
	if (!e)
		e = batch_end(v->store, batch, &counts, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	snprintf(number, sizeof number, "%lld", (long long)batch);
	cli_say(c, tr("已保存；撤销：jg undo %s", "saved; to take it back: jg undo %s"), number);
	return cli_result(c,
		json_pack("{ss ss so}", "id", jg_id(item->id, id), "edit", number, "student",
			value_student_json(&item->record, item->id)),
		0);
}

int cmd_pupil_find(struct cli *c)
{
	static const uint32_t kinds[] = {KIND_STUDENT, KIND_DESTINATION, KIND_ENROLMENT, 0};
	const char *headings[] = {tr("姓名", "name"), tr("证件号码", "number"), tr("班级", "class"),
		tr("在哪张表", "where"), "id"};
	char name[128], no[64], class_no[32], id[37];
	struct item *found[FIND_MAX];
	int code;
	struct view *v = jg_view(c, kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	size_t n = find_pupils(v, cli_operand(c, 0), found);
	struct cli_table *table = cli_table_new(headings, 5);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = &found[i]->record;
		if (!jg_class_allowed(c, r))
			continue;
		const char *row[] = {
			value_show(r, kind_field_index(r->kind, "name"), !c->reveal, name, sizeof name),
			value_show(r, kind_field_index(r->kind, "cert_no"), !c->reveal, no, sizeof no),
			value_show(
				r, kind_field_index(r->kind, "class_no"), false, class_no, sizeof class_no),
			tr(r->kind->label, r->kind->label_en), jg_id(found[i]->id, id)};
		cli_table_row(table, row);
		json_array_append_new(
			list, json_pack("{ss ss ss so}", "id", id, "kind", r->kind->table, "class", class_no,
				      "student", value_student_json(r, found[i]->id)));
	}
	cli_table_print(c, table);
	return cli_result(c, list, 0);
}

/* What set, export and --json call the fields; printed from the declarations. */
int cmd_help_fields(struct cli *c)
{
	static const char *const types[] = {"text", "bytes", "int32", "int64", "bool"};
	const char *headings[] = {tr("记录", "kind"), tr("字段", "field"), tr("名称", "label"),
		tr("类型", "type"), tr("检查", "check"), tr("文件里的列名", "columns")};
	struct cli_table *table = cli_table_new(headings, 6);
	json_t *json = json_object();

	for (size_t k = 0; k < kind_count; k++) {
		json_t *fields = json_array();
		for (size_t i = 0; i < kind_table[k].field_count; i++) {
			const struct field *f = &kind_table[k].fields[i];
			char columns[400] = "";
			json_t *names = json_array();
			for (const char *const *name = f->columns; *name; name++) {
				snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%s",
					*columns ? " / " : "", *name);
				json_array_append_new(names, json_string(*name));
			}
			cli_table_row(
				table, (const char *[]){kind_table[k].table, f->name,
					       tr(f->label, f->label_en), types[f->type], f->check, columns});
			json_array_append_new(fields,
				json_pack("{ss ss ss ss si sb so}", "field", f->name, "label",
					tr(f->label, f->label_en), "type", types[f->type], "check", f->check,
					"group", f->group, "required", f->required, "columns", names));
		}
		json_object_set_new(json, kind_table[k].table, fields);
	}
	cli_table_print(c, table);
	return cli_result(c, json, 0);
}
