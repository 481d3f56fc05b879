#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "find.h"
#include "jg.h"
#include "tables.h"
#include "schools.h"
#include "transition.h"
#include "value.h"

const struct cli_option verify_answer_options[] = {
	{"note", "TEXT", "说明", "a note"},
	{0},
};

static const char *roster_code(const struct verify_row *row)
{
	if (!row->enrolment)
		return NULL;
	return record_number(&row->enrolment->record, F_ENROLMENT_PRESENT) ? "present" : "absent";
}

static json_t *verify_json(const struct verify_row *row)
{
	const struct record *d = &row->destination->record;
	const char *roster = roster_code(row);
	char id[37];

	return json_pack("{ss so ss so so so so so sb}", "id", jg_id(row->destination->id, id), "student",
		value_student_json(d, row->destination->id), "source_school", row->destination->owner,
		"class", value_json(d, F_DESTINATION_CLASS_NO), "category",
		value_json(d, F_DESTINATION_CATEGORY), "answer",
		row->answer ? value_json(&row->answer->record, F_VERIFY_ANSWER_ANSWER) : json_null(), "note",
		row->answer ? value_json(&row->answer->record, F_VERIFY_ANSWER_NOTE) : json_null(), "roster",
		roster ? json_string(roster) : json_null(), "pending", row->answer && row->answer->pending);
}

int cmd_verify_list(struct cli *c)
{
	const char *headings[] = {tr("生源小学", "from"), tr("班级", "class"), tr("姓名", "name"),
		tr("去向类别", "category"), tr("答复", "answer"), tr("名册", "roster")};
	struct cycle cycle;
	size_t n = 0;
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);
	struct verify_row *rows = v ? verify_rows(v, cycle.year, &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	struct cli_table *table = cli_table_new(headings, 6);
	for (size_t i = 0; i < n; i++) {
		const struct record *d = &rows[i].destination->record;
		char school[200], class_no[32], name[128], category[64], answer[32] = "";
		const char *roster = roster_code(&rows[i]);
		school_name(v, rows[i].destination->owner, school, sizeof school);
		if (rows[i].answer)
			value_show(&rows[i].answer->record, F_VERIFY_ANSWER_ANSWER, false, answer,
				sizeof answer);
		cli_table_row(table,
			(const char *[]){*school ? school : rows[i].destination->owner,
				value_show(d, F_DESTINATION_CLASS_NO, false, class_no, sizeof class_no),
				value_show(d, F_DESTINATION_NAME, !c->reveal, name, sizeof name),
				value_show(d, F_DESTINATION_CATEGORY, false, category, sizeof category),
				answer, roster ? code_name(&codes_answer, roster) : ""});
		json_array_append_new(list, verify_json(&rows[i]));
	}
	free(rows);
	cli_table_print(c, table);
	return cli_result(c, list, 0);
}

static int answer_row(
	struct cli *c, struct view *v, const struct verify_row *row, int32_t year, const char *answer)
{
	enum err e = store_begin(v->store, &c->problem);

	if (!e)
		e = jg_commit(c, verify_answer(v, row, year, answer, cli_option(c, "note"), 0, &c->problem));
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", tr("已保存，jg sync 后送达", "saved; jg sync sends it"));
	char id[37];
	return cli_result(c,
		json_pack("{ss so ss}", "id", jg_id(row->destination->id, id), "student",
			value_student_json(&row->destination->record, row->destination->id), "answer",
			answer),
		0);
}

int cmd_verify_answer(struct cli *c)
{
	const char *text = cli_operand(c, 0), *answer = code_find(&codes_answer, c->operand[1]);
	struct cycle cycle;
	size_t n = 0;
	int code = jg_cycle(c, &cycle);

	if (code)
		return code;
	if (!answer)
		return cli_fail_with(c, ERR_USAGE, NULL,
			tr("答复是 present（在校）、absent（未报到）或 unknown（查无此人）",
				"the answer is present, absent or unknown"));
	if (cycle.known && strcmp(cycle.phase, "verify") != 0)
		return cli_fail_with(c, ERR_PHASE,
			tr("若县里刚进入核验阶段，先运行 jg sync",
				"if the county has just begun it, run jg sync"),
			tr("现在不是核验阶段", "not in the phase of verification"));
	struct view *v = jg_view(c, transition_kinds, &code);
	struct verify_row *rows = v ? verify_rows(v, cycle.year, &n) : NULL;
	struct item *foreign = v ? find_foreign(v, KIND_DESTINATION, text, cycle.year) : NULL,
		    *own = v ? find_record(v, KIND_DESTINATION, text, cycle.year) : NULL;
	for (size_t i = 0; i < n; i++)
		if (rows[i].destination == foreign || rows[i].destination == own) {
			code = answer_row(c, v, &rows[i], cycle.year, answer);
			free(rows);
			return code;
		}
	free(rows);
	return code ? code
		    : cli_fail_with(c, ERR_NOT_FOUND,
			      tr("verify list 列出填报本校的学生",
				      "verify list shows who declared this school"),
			      tr("没有填报本校的这名学生", "no such pupil declared this school"));
}
