#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "date.h"
#include "jg.h"
#include "slip.h"
#include "slip_pdf.h"
#include "tables.h"
#include "schools.h"
#include "transition.h"
#include "validate.h"
#include "value.h"

#define FILES_MAX 32 /* of one answer */

const struct cli_option slips_log_options[] = {
	{"method", "TEXT", "方式：家访、电话……", "how: visit, telephone…"},
	{"note", "TEXT", "记录", "what was said"},
	{"persons", "TEXT", "参与人员", "who took part"},
	{"next", "DATE", "下次日期", "when next"},
	{0},
};
const struct cli_option slips_answer_options[] = {
	{"outcome", "O", "办理结果：enrolled 已入学、transferred 外地就读……",
		"enrolled, transferred, deferred, special, abroad, deceased, record_error, persuading, "
		"unreachable, refused"},
	{"evidence", "FILE…", "佐证材料", "files that prove it"},
	{"note", "TEXT", "说明", "a note"},
	{0},
};
const struct cli_option slips_print_options[] = {
	{"o", "FILE.pdf", "输出文件", "the file to write"},
	{0},
};

static json_t *codes_json(const struct record *slip)
{
	char codes[256], *rest = NULL;
	json_t *list = json_array();

	record_text(slip, F_SLIP_CODES, codes, sizeof codes);
	for (char *code = strtok_r(codes, ", ;", &rest); code; code = strtok_r(NULL, ", ;", &rest))
		json_array_append_new(list, json_string(code));
	return list;
}

static json_t *student_of(const struct record *slip)
{
	char id[37] = "", cert[64], name[128], no[64];

	value_show(slip, F_SLIP_PUPIL, false, id, sizeof id);
	return json_pack("{ss ss ss ss}", "id", id, "cert_no",
		record_text(slip, F_SLIP_CERT_NO, cert, sizeof cert), "name",
		record_text(slip, F_SLIP_NAME, name, sizeof name), "student_no",
		record_text(slip, F_SLIP_STUDENT_NO, no, sizeof no));
}

/* Whose move it is: the schools that have not answered, then the bureau. */
static json_t *now_with(const struct slip_row *row)
{
	const struct item *halves[] = {row->mine, row->other};
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++)
		if (halves[i] && !record_has(&halves[i]->record, F_SLIP_ADDRESSEE_ANSWERED_AT) &&
			strcmp(row->state, "closed") != 0)
			json_array_append_new(list, value_json(&halves[i]->record, F_SLIP_ADDRESSEE_SCHOOL));
	if (!json_array_size(list) && strcmp(row->state, "closed") != 0)
		json_array_append_new(list, json_string("bureau"));
	return list;
}

static json_t *half_json(const struct item *half)
{
	static const int fields[] = {F_SLIP_ADDRESSEE_SCHOOL, F_SLIP_ADDRESSEE_RECEIVED_AT,
		F_SLIP_ADDRESSEE_ANSWERED_AT, F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		json_object_set_new(json, half->record.kind->fields[fields[i]].name,
			value_json(&half->record, fields[i]));
	return json;
}

static json_t *slip_json(const struct slip_row *row)
{
	const struct record *s = &row->slip->record;
	char id[37];
	json_t *halves = json_array();

	if (row->mine)
		json_array_append_new(halves, half_json(row->mine));
	if (row->other)
		json_array_append_new(halves, half_json(row->other));
	jg_id(row->slip->id, id);
	json_t *json = json_pack("{ss ss so so so so so sI ss so so}", "id", id, "slip", id, "student",
		student_of(s), "codes", codes_json(s), "severity", value_json(s, F_SLIP_SEVERITY),
		"issue_due", value_json(s, F_SLIP_ISSUE_DUE), "resolve_due",
		value_json(s, F_SLIP_RESOLVE_DUE), "remaining_s", (json_int_t)row->remaining_s, "state",
		row->state, "now_with", now_with(row), "other_school",
		row->other ? value_json(&row->other->record, F_SLIP_ADDRESSEE_SCHOOL) : json_null());
	json_object_set_new(json, "no", value_json(s, F_SLIP_NO));
	json_object_set_new(json, "round", value_json(s, F_SLIP_ROUND));
	json_object_set_new(json, "overdue", json_boolean(row->overdue));
	json_object_set_new(json, "escalated", json_boolean(row->escalated));
	json_object_set_new(json, "reminder", row->reminder ? value_json(&row->reminder->record, F_REMINDER_WHAT) : json_null());
	json_object_set_new(json, "reminded_at", row->reminder ? value_json(&row->reminder->record, F_REMINDER_AT) : json_null());
	json_object_set_new(json, "review_reason", value_json(s, F_SLIP_REVIEW_REASON));
	json_object_set_new(json, "addressees", halves);
	return json;
}

int cmd_slips_list(struct cli *c)
{
	const char *headings[] = {tr("编号", "no."), tr("姓名", "name"), tr("问题", "codes"),
		tr("程度", "severity"), tr("落实期限", "due"), tr("状态", "state"),
		tr("另一所学校", "other school")};
	size_t n = 0;
	int code;
	struct view *v = jg_view(c, transition_kinds, &code);
	struct slip_row *rows = v ? slip_rows(v, profile_now_us(&c->profile), &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	struct cli_table *table = cli_table_new(headings, 7);
	for (size_t i = 0; i < n; i++) {
		const struct record *s = &rows[i].slip->record;
		char cells[5][200], other[16] = "", state[64];
		if (rows[i].other)
			school_name(v,
				record_text(
					&rows[i].other->record, F_SLIP_ADDRESSEE_SCHOOL, other, sizeof other),
				cells[4], sizeof cells[4]);
		else
			cells[4][0] = 0;
		snprintf(state, sizeof state, "%s%s", code_name(&codes_slip_state, rows[i].state),
			rows[i].overdue ? tr("（逾期）", " (overdue)") : "");
		cli_table_row(
			table, (const char *[]){value_show(s, F_SLIP_NO, false, cells[0], sizeof cells[0]),
				       value_show(s, F_SLIP_NAME, !c->reveal, cells[1], sizeof cells[1]),
				       value_show(s, F_SLIP_CODES, false, cells[2], sizeof cells[2]),
				       value_show(s, F_SLIP_SEVERITY, false, cells[3], 40),
				       value_show(s, F_SLIP_RESOLVE_DUE, false, cells[3] + 48, 64), state,
				       cells[4]});
		json_array_append_new(list, slip_json(&rows[i]));
	}
	free(rows);
	cli_table_print(c, table);
	return cli_result(c, list, 0);
}

/* A slip by its id, its number, or the pupil's certificate number. */
static struct slip_row *find_slip(struct cli *c, struct view **v, int *code)
{
	const char *text = cli_operand(c, 0);
	char no[64], id[37];
	size_t n = 0;

	*v = jg_view(c, transition_kinds, code);
	struct slip_row *rows = *v ? slip_rows(*v, profile_now_us(&c->profile), &n) : NULL;
	if (cert_no_normal(no, sizeof no, text))
		no[0] = 0;
	for (size_t i = 0; i < n; i++) {
		const struct record *s = &rows[i].slip->record;
		if (strcmp(jg_id(rows[i].slip->id, id), text) == 0 ||
			(*text && record_is(s, F_SLIP_NO, text)) ||
			(*no && record_is(s, F_SLIP_CERT_NO, no))) {
			rows[0] = rows[i];
			return rows;
		}
	}
	free(rows);
	if (!*code)
		*code = cli_fail_with(c, ERR_NOT_FOUND,
			tr("slips list 列出交办单；可先运行 jg sync", "see slips list; run jg sync first"),
			tr("没有这张交办单", "no such slip"));
	return NULL;
}

static int send_half(struct cli *c, struct view *v, struct slip_row *row, enum err e)
{
	char id[37];
	int64_t n = v->store->next_row - 1;

	jg_id(row->slip->id, id);
	free(row);
	if (jg_commit(c, e))
		return cli_fail(c);
	return jg_answer(c, n, json_pack("{ss ss}", "id", id, "slip", id));
}

int cmd_slips_receive(struct cli *c)
{
	struct view *v;
	int code = 0;
	struct slip_row *row = find_slip(c, &v, &code);
	char id[37];

	if (!row)
		return code;
	if (row->mine && record_has(&row->mine->record, F_SLIP_ADDRESSEE_RECEIVED_AT) &&
		!row->mine->pending) {
		cli_say(c, "%s", tr("已经签收过", "received already"));
		json_t *json = json_pack(
			"{ss ss ss}", "id", jg_id(row->slip->id, id), "slip", id, "state", "accepted");
		free(row);
		return cli_result(c, json, 0);
	}
	if (store_begin(v->store, &c->problem)) {
		free(row);
		return cli_fail(c);
	}
	return send_half(c, v, row, slip_receive(v, row, profile_now_us(&c->profile), &c->problem));
}

int cmd_slips_answer(struct cli *c)
{
	const char *outcome = cli_option(c, "outcome"), *files[FILES_MAX];
	size_t n_files = 0;
	struct view *v;
	int code = 0;

	if (!outcome || !(outcome = code_find(&codes_outcome, outcome)))
		return cli_fail_with(c, ERR_USAGE,
			tr("enrolled transferred deferred special abroad deceased record_error persuading "
			   "unreachable refused",
				"enrolled transferred deferred special abroad deceased record_error "
				"persuading unreachable refused"),
			tr("缺少 --outcome，或没有这种结果", "--outcome is missing or not known"));
	while (n_files < FILES_MAX && (files[n_files] = cli_option_at(c, "evidence", (int)n_files)))
		n_files++;
	struct slip_row *row = find_slip(c, &v, &code);
	if (!row)
		return code;
	if (store_begin(v->store, &c->problem)) {
		free(row);
		return cli_fail(c);
	}
	return send_half(c, v, row,
		slip_answer(v, row, profile_now_us(&c->profile), outcome, cli_option(c, "note"), files,
			n_files, &c->problem));
}

int cmd_slips_log(struct cli *c)
{
	const char *next = cli_option(c, "next");
	int32_t date = 0;
	struct view *v;
	int code = 0;
	char id[37];

	if (!cli_option(c, "method"))
		return cli_fail_with(c, ERR_USAGE, NULL, tr("缺少 --method", "--method is missing"));
	if (next && date_parse(next, DATE_EPOCH_1900, &date))
		return cli_fail_with(c, ERR_USAGE, NULL, tr("%s 不是日期", "%s is no date"), next);
	struct slip_row *row = find_slip(c, &v, &code);
	if (!row)
		return code;
	enum err e = store_begin(v->store, &c->problem);
	if (!e)
		e = jg_commit(c, slip_log(v, row, profile_now_us(&c->profile), cli_option(c, "method"),
					 cli_option(c, "note"), cli_option(c, "persons"), date, &c->problem));
	jg_id(row->slip->id, id);
	free(row);
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", tr("已保存，jg sync 后送达", "saved; jg sync sends it"));
	return cli_result(c, json_pack("{ss}", "slip", id), 0);
}

int cmd_slips_print(struct cli *c)
{
	const char *path = cli_option(c, "o");
	struct view *v;
	int code = 0;

	if (!path)
		return cli_fail_with(c, ERR_USAGE, NULL, tr("缺少 -o 文件.pdf", "-o FILE.pdf is missing"));
	struct slip_row *row = find_slip(c, &v, &code);
	if (!row)
		return code;
	enum err e = slip_pdf_write(v, row, path, &c->problem);
	free(row);
	if (e)
		return cli_fail(c);
	cli_say(c, tr("已写入 %s", "written to %s"), path);
	return cli_result(c, json_pack("{ss}", "file", path), 0);
}
