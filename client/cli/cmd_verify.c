#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "codes.h"
#include "find.h"
#include "jg.h"
#include "lang.h"
#include "tables.h"
#include "schools.h"
#include "transition.h"
#include "value.h"
#include "words.h"

static const struct cli_option verify_answer_options[] = {
	{"class", "N", N_("这个班还没有答复的学生（生源小学的班级）")},
	{"dry-run", NULL, N_("只列出会答复谁，不保存")},
	{"note", "TEXT", N_("说明")},
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

	return json_pack("{ss so ss so so so so so sb}", "id", jg_format_id(row->destination->id, id),
		"student", value_student_json(d, row->destination->id), "source_school",
		row->destination->owner, "class", value_json(d, F_DESTINATION_CLASS_NO), "category",
		value_json(d, F_DESTINATION_CATEGORY), "answer",
		row->answer ? value_json(&row->answer->record, F_VERIFY_ANSWER_ANSWER) : json_null(), "note",
		row->answer ? value_json(&row->answer->record, F_VERIFY_ANSWER_NOTE) : json_null(), "roster",
		roster ? json_string(roster) : json_null(), "pending", row->answer && row->answer->pending);
}

static const struct record *record_of(const void *row)
{
	return &((const struct verify_row *)row)->destination->record;
}

static void verify_line(const struct cli *c, const struct view *v, struct cli_table *table,
	const struct verify_row *row, struct jg_ids *ids)
{
	const struct record *d = &row->destination->record;
	const char *roster = roster_code(row);
	char number[16], school[256], class_no[64], name[128], tail[64], category[64], answer[32] = "";

	if (row->answer)
		value_show(&row->answer->record, F_VERIFY_ANSWER_ANSWER, false, answer, sizeof answer);
	if (c->reveal)
		value_show(d, F_DESTINATION_CERT_NO, false, tail, sizeof tail);
	else
		words_tail(d, tail);
	cli_table_row(table,
		(const char *[]){jg_ids_add(ids, row->destination->id, number),
			school_face(v, row->destination->owner, school, sizeof school),
			words_class(d, class_no, sizeof class_no),
			record_text(d, F_DESTINATION_NAME, name, sizeof name), tail,
			value_show(d, F_DESTINATION_CATEGORY, false, category, sizeof category), answer,
			roster ? code_name(&codes_answer, roster) : ""});
}

/* A school without junior classes has nobody to verify; while the register has not arrived nobody can
 * tell. */
static bool is_asked(const struct view *v)
{
	return (school_stages(v, v->store->profile->school) & STAGE_JUNIOR) != 0;
}

static int cmd_verify_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("生源小学"), _("班级"), _("姓名"),
		c->reveal ? _("证件号码") : _("末四位"), _("去向类别"), _("答复"), _("名册")};
	struct jg_ids ids = {0};
	struct cycle cycle;
	size_t n = 0, open = 0;
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);
	struct verify_row *rows = v ? transition_verify_rows(v, cycle.year, &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	words_sort(rows, n, sizeof *rows, record_of, NULL);
	struct cli_table *table = cli_table_new(headings, 8);
	for (size_t i = 0; i < n; i++) {
		verify_line(c, v, table, &rows[i], &ids);
		open += !rows[i].answer && !rows[i].enrolment;
		json_array_append_new(list, verify_json(&rows[i]));
	}
	free(rows);
	cli_table_print(c, table);
	if (!n && !is_asked(v))
		cli_say(c, "%s", _("本校没有初中部，不用核验"));
	else
		cli_say(c, _("还没有答复、名册上也没有的 %zu 人"), open);
	if (open)
		cli_next(c, "%s",
			_("jg verify answer 序号 在校（或 未报到、查无此人）；"
			  "名册齐了就 jg import enrolled 文件；全部答完 jg verify submit"));
	else if (n)
		cli_next(c, "jg verify submit");
	jg_ids_keep(c, &ids, &shown_verify);
	jg_ids_free(&ids);
	return cli_result(c, list, 0);
}

/* ---- Answers ---- */

struct answering {
	struct view *v;
	struct verify_row *rows; /* all of them; those to be answered stand first */
	size_t n, chosen;
	const char *answer;
	int32_t year;
};

/* Moves row i among the chosen. */
static void choose(struct answering *a, size_t i)
{
	if (i < a->chosen)
		return;
	struct verify_row row = a->rows[i];
	memmove(a->rows + a->chosen + 1, a->rows + a->chosen, (i - a->chosen) * sizeof row);
	a->rows[a->chosen++] = row;
}

static int choose_pupil(struct cli *c, struct answering *a, const char *text)
{
	char room[JG_PICK_SIZE];
	int code;

	if (!(text = jg_pick(c, a->v, &shown_verify, text, room, &code)))
		return code;
	const struct item *foreign = find_foreign(a->v, KIND_DESTINATION, text, a->year),
			  *own = find_record(a->v, KIND_DESTINATION, text, a->year);
	for (size_t i = 0; i < a->n; i++)
		if (a->rows[i].destination == foreign || a->rows[i].destination == own) {
			choose(a, i);
			return 0;
		}
	return cli_fail_with(
		c, ERR_NOT_FOUND, _("jg verify list 列出填报本校的学生和序号"), _("没有填报本校的这名学生"));
}

/* The pupils of a class that nobody answered for. */
static int choose_class(struct cli *c, struct answering *a, const char *class_no)
{
	char number[CLASS_NO_MAX + 1];
	size_t in_class = 0;

	if (class_no_parse(number, sizeof number, class_no))
		return cli_fail_with(c, ERR_USAGE, _("例如 --class 1"), _("“%s”里没有班号"), class_no);
	for (size_t i = 0; i < a->n; i++) {
		if (!record_is(&a->rows[i].destination->record, F_DESTINATION_CLASS_NO, number))
			continue;
		in_class++;
		if (!a->rows[i].answer)
			choose(a, i);
	}
	if (in_class)
		return 0;
	return cli_fail_with(c, ERR_NOT_FOUND, _("jg verify list 列出填报本校的学生和班级"),
		_("%s 班没有填报本校的学生"), number);
}

static enum err store_answers(struct cli *c, const struct answering *a, int64_t *batch)
{
	const struct batch_counts counts = {.updated = a->chosen};
	char pupil[256], about[256];

	words_pupil(&a->rows[0].destination->record, pupil, sizeof pupil);
	snprintf(about, sizeof about, a->chosen > 1 ? _("%.200s等 %zu 人") : "%.200s", pupil, a->chosen);
	enum err e = store_begin(a->v->store, &c->problem);

	if (e)
		return e;
	e = batch_begin(a->v->store, "answer", about, batch, &c->problem);
	for (size_t i = 0; !e && i < a->chosen; i++)
		e = transition_verify_answer(
			a->v, &a->rows[i], a->year, a->answer, cli_option(c, "note"), *batch, &c->problem);
	if (!e)
		e = batch_end(a->v->store, *batch, &counts, &c->problem);
	return jg_commit(c, e);
}

static json_t *answer_json(const struct answering *a, size_t i)
{
	const struct item *d = a->rows[i].destination;
	char id[37];

	return json_pack("{ss so ss}", "id", jg_format_id(d->id, id), "student",
		value_student_json(&d->record, d->id), "answer", a->answer);
}

static int answer_chosen(struct cli *c, struct answering *a)
{
	bool dry = cli_flag(c, "dry-run"), one = a->chosen == 1 && !cli_option(c, "class");
	char pupil[256], school[256], number[24];
	int64_t batch = 0;

	if (a->chosen && !dry && store_answers(c, a, &batch))
		return cli_fail(c);
	json_t *list = json_array();
	for (size_t i = 0; i < a->chosen; i++) {
		const struct item *d = a->rows[i].destination;
		cli_say(c, _("%s→ %s（%s）"), words_pupil(&d->record, pupil, sizeof pupil),
			code_name(&codes_answer, a->answer),
			school_face(a->v, d->owner, school, sizeof school));
		json_array_append_new(list, answer_json(a, i));
	}
	snprintf(number, sizeof number, "%lld", (long long)batch);
	if (dry)
		cli_say(c, _("（试答复，未保存）共 %zu 人"), a->chosen);
	else if (!a->chosen)
		cli_say(c, "%s", _("没有还未答复的学生"));
	else
		cli_say(c, _("已保存 %zu 人，jg sync 后送达；撤销：jg undo %s"), a->chosen, number);
	json_int_t answered = dry ? 0 : (json_int_t)a->chosen;
	json_t *json = one ? json_incref(json_array_get(list, 0))
			   : json_pack("{sO sI}", "answers", list, "answered", answered);
	json_decref(list);
	if (batch)
		json_object_set_new(json, "edit", json_string(number));
	return cli_result(c, json, 0);
}

/* What is wrong with the words themselves; 0 when nothing is. */
static int check_words(struct cli *c, const char *answer, const struct cycle *cycle)
{
	const char *class_no = cli_option(c, "class");

	if (!answer)
		return cli_fail_with(c, ERR_USAGE,
			_("例如 jg verify answer 3 5 8 在校，或 jg verify answer --class 1 在校"),
			_("最后写答复：在校、未报到 或 查无此人"));
	if (!class_no == (c->operands < 2))
		return cli_fail_with(c, ERR_USAGE,
			_("例如 jg verify answer 3 5 8 在校，或 jg verify answer --class 1 在校"),
			class_no ? _("--class 与序号只用一种") : _("没有写是哪名学生"));
	if (strcmp(cycle->phase, "closed") == 0)
		return cli_fail_with(
			c, ERR_PHASE, jg_closed_hint(), _("%d 年的升学工作已经办结"), cycle->year);
	if (cycle->known && strcmp(cycle->phase, "verify") != 0)
		return cli_fail_with(c, ERR_PHASE, _("若县里刚进入核验阶段，先运行 jg sync"),
			_("现在是%s阶段，还不能核验"), code_name(&codes_phase, cycle->phase));
	return 0;
}

static int cmd_verify_answer(struct cli *c)
{
	struct answering a = {.answer = code_find(&codes_answer, c->operand[c->operands - 1])};
	struct cycle cycle;
	int code = jg_cycle(c, &cycle);

	if (!code)
		code = check_words(c, a.answer, &cycle);
	if (code)
		return code;
	a.year = cycle.year;
	a.v = jg_view(c, transition_kinds, &code);
	a.rows = a.v ? transition_verify_rows(a.v, a.year, &a.n) : NULL;
	if (!a.rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	words_sort(a.rows, a.n, sizeof *a.rows, record_of, NULL);
	if (cli_option(c, "class"))
		code = choose_class(c, &a, cli_option(c, "class"));
	for (int i = 0; !code && i + 1 < c->operands; i++)
		code = choose_pupil(c, &a, cli_operand(c, i));
	if (!code)
		code = answer_chosen(c, &a);
	free(a.rows);
	return code;
}

/* ---- The commands ---- */

static const struct cli_command commands[] = {
	{"import verify", "FILE", 1, 1, import_options, EVERYBODY, REGISTRARS,
		N_("导入填好的核验名单（export verify 导出的）"), N_("import verify 核验名单.xlsx"),
		cmd_import, CLI_TABLES},
	{"export verify", "", 0, 0, export_options, EVERYBODY, READERS,
		N_("导出核验名单，可打印；.xlsx 有下拉选项，填好再导入"),
		N_("export verify -o 核验名单.xlsx"), cmd_export, CLI_REST},
	{"verify list", "", 0, 0, NULL, EVERYBODY, READERS, N_("列出填报本校的学生"), "verify list",
		cmd_verify_list, CLI_WORK},
	{"verify answer", "[PUPIL…] present|absent|unknown", 1, CLI_OPERANDS_MAX, verify_answer_options,
		EVERYBODY, REGISTRARS, N_("答复学生是否在校，可一次几名（verify list 的序号）或一个班"),
		N_("verify answer 3 5 8 在校"), cmd_verify_answer, CLI_WORK},
	{"verify submit", "", 0, 0, NULL, EVERYBODY, OFFICERS, N_("提交核验结果"), "verify submit",
		cmd_verify_submit, CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"verify", "jg verify list"},
	{"list_verify", "jg verify list"},
	{"answer_verify", "jg verify answer"},
	{"submit", "jg verify submit"},
	{0},
};

extern const struct cli_part jg_slips;
const struct cli_part jg_verify = {commands, ways, &jg_slips};
