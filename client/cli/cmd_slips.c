#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "date.h"
#include "evidence.h"
#include "face.h"
#include "find.h"
#include "jg.h"
#include "lang.h"
#include "slip.h"
#include "slip_pdf.h"
#include "tables.h"
#include "schools.h"
#include "transition.h"
#include "validate.h"
#include "value.h"
#include "words.h"

#define FILES_MAX 32 /* of one answer */

static const struct cli_option slips_log_options[] = {
	{"method", "TEXT", N_("方式，如 家访、电话")},
	{"note", "TEXT", NC_("slips log", "记录")},
	{"persons", "TEXT", N_("参与人员")},
	{"next", "DATE", N_("下次日期")},
	{0},
};
static const struct cli_option slips_answer_options[] = {
	{"outcome", "O", N_("办理结果，代码或名称，如 enrolled 或 已入学；全部见 jg help codes outcome")},
	{"evidence", "FILE…", N_("佐证材料")},
	{"note", "TEXT", N_("说明")},
	{0},
};
static const struct cli_option slips_receive_options[] = {
	{"all", NULL, N_("签收全部待签收的")},
	{0},
};
static const struct cli_option slips_print_options[] = {
	{"o", "FILE.pdf", N_("输出文件")},
	{"force", NULL, N_("已有同名文件也写，原来的内容换掉")},
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
	const struct item *addressees[] = {row->mine, row->other};
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++)
		if (addressees[i] && !record_has(&addressees[i]->record, F_SLIP_ADDRESSEE_ANSWERED_AT) &&
			strcmp(row->state, "closed") != 0)
			json_array_append_new(
				list, value_json(&addressees[i]->record, F_SLIP_ADDRESSEE_SCHOOL));
	if (!json_array_size(list) && strcmp(row->state, "closed") != 0)
		json_array_append_new(list, json_string("bureau"));
	return list;
}

static json_t *addressee_json(const struct item *addressee)
{
	static const int fields[] = {F_SLIP_ADDRESSEE_SCHOOL, F_SLIP_ADDRESSEE_RECEIVED_AT,
		F_SLIP_ADDRESSEE_ANSWERED_AT, F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		json_object_set_new(json, addressee->record.kind->fields[fields[i]].name,
			value_json(&addressee->record, fields[i]));
	return json;
}

static json_t *slip_json(const struct slip_row *row)
{
	const struct record *s = &row->slip->record;
	char id[37];
	json_t *addressees = json_array();

	if (row->mine)
		json_array_append_new(addressees, addressee_json(row->mine));
	if (row->other)
		json_array_append_new(addressees, addressee_json(row->other));
	jg_format_id(row->slip->id, id);
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
	json_object_set_new(json, "reminder",
		row->reminder ? value_json(&row->reminder->record, F_REMINDER_WHAT) : json_null());
	json_object_set_new(json, "reminded_at",
		row->reminder ? value_json(&row->reminder->record, F_REMINDER_AT) : json_null());
	json_object_set_new(json, "review_reason", value_json(s, F_SLIP_REVIEW_REASON));
	json_object_set_new(json, "addressees", addressees);
	return json;
}

static const struct record *record_of(const void *row)
{
	return &((const struct slip_row *)row)->slip->record;
}

/* What waits for this school comes first, by its term; what is closed last. */
static int64_t urgency(const void *data)
{
	const struct slip_row *row = data;
	int64_t due = record_number(&row->slip->record, F_SLIP_RESOLVE_DUE);

	if (strcmp(row->state, "closed") == 0)
		return INT64_MAX;
	if (due)
		return due;
	return INT64_MAX - 1;
}

/* A class teacher does not read of pupils of other classes; one whom this school does not know is of no other
 * class. */
static bool is_shown(const struct cli *c, const struct view *v, const struct slip_row *row)
{
	char no[64];
	const struct item *pupil =
		find_record(v, KIND_STUDENT, slip_number(&row->slip->record, no, sizeof no), 0);

	return !pupil || jg_class_allowed(c, &pupil->record);
}

static void state_text(const struct slip_row *row, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", code_name(&codes_slip_state, row->state),
		row->overdue ? _("（逾期）") : "", row->escalated ? _("（已升级）") : "");
}

static void slip_line(struct cli *c, const struct view *v, struct cli_table *table,
	const struct slip_row *row, struct jg_ids *ids)
{
	const struct record *s = &row->slip->record;
	char number[16], no[48], name[128], class_no[64], tail[64], problem[400], severity[40], due[64],
		state[64], other[256] = "";

	if (row->other)
		words_field(v, &row->other->record, F_SLIP_ADDRESSEE_SCHOOL, false, other, sizeof other);
	if (c->reveal)
		value_show(s, F_SLIP_CERT_NO, false, tail, sizeof tail);
	else
		words_tail(s, tail);
	state_text(row, state, sizeof state);
	cli_table_row(table,
		(const char *[]){jg_ids_add(ids, row->slip->id, number),
			record_text(s, F_SLIP_NO, no, sizeof no),
			record_text(s, F_SLIP_NAME, name, sizeof name),
			slip_class(v, s, class_no, sizeof class_no), tail,
			transition_mismatch_words(s, F_SLIP_CODES, problem, sizeof problem),
			value_show(s, F_SLIP_SEVERITY, false, severity, sizeof severity),
			words_field(v, s, F_SLIP_RESOLVE_DUE, false, due, sizeof due), state, other});
}

static int cmd_slips_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("编号"), _("姓名"), _("班级"),
		c->reveal ? _("证件号码") : _("末四位"), _("问题"), _("程度"), _("落实期限"), _("状态"),
		_("另一所学校")};
	struct jg_ids ids = {0};
	size_t n = 0;
	int code;
	struct view *v = jg_view(c, transition_kinds, &code);
	struct slip_row *rows = v ? slip_rows(v, profile_now_us(&c->profile), &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	words_sort(rows, n, sizeof *rows, record_of, urgency);
	struct cli_table *table = cli_table_new(headings, 10);
	for (size_t i = 0; i < n; i++) {
		if (!is_shown(c, v, &rows[i]))
			continue;
		slip_line(c, v, table, &rows[i], &ids);
		json_array_append_new(list, slip_json(&rows[i]));
	}
	free(rows);
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, &shown_slips);
	jg_ids_free(&ids);
	return cli_result(c, list, 0);
}

/* A slip by its row in the last list, its id, its number, or the pupil's certificate number. */
static const struct slip_row *pick_slip(struct cli *c, const struct view *v, const struct slip_row *rows,
	size_t n, const char *text, int *code)
{
	char room[JG_PICK_SIZE], no[64], id[37];

	text = jg_pick(c, v, &shown_slips, text, room, code);
	if (!text)
		return NULL;
	if (cert_no_normal(no, sizeof no, text))
		no[0] = 0;
	for (size_t i = 0; i < n; i++) {
		const struct record *s = &rows[i].slip->record;
		bool named = strcmp(jg_format_id(rows[i].slip->id, id), text) == 0 ||
			(*text && record_is(s, F_SLIP_NO, text)) || (*no && record_is(s, F_SLIP_CERT_NO, no));
		if (named && is_shown(c, v, &rows[i]))
			return &rows[i];
	}
	*code = cli_fail_with(
		c, ERR_NOT_FOUND, _("jg slips list 列出交办单；可先运行 jg sync"), _("没有交办单 %s"), text);
	return NULL;
}

/* The one of the first operand; *rows is the caller's to free, also after an error. */
static const struct slip_row *find_slip(struct cli *c, struct view **v, struct slip_row **rows, int *code)
{
	size_t n = 0;

	*v = jg_view(c, transition_kinds, code);
	*rows = *v ? slip_rows(*v, profile_now_us(&c->profile), &n) : NULL;
	if (!*rows) {
		*code = *code ? *code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
		return NULL;
	}
	return pick_slip(c, *v, *rows, n, cli_operand(c, 0), code);
}

/* ---- Receipt ---- */

/* What is to be received by one command: the slips and their operations in the outbox (0: received
 * before). */
struct receipt {
	const struct slip_row *row;
	int64_t n;
};

static bool is_received(const struct slip_row *row)
{
	return row->mine && record_has(&row->mine->record, F_SLIP_ADDRESSEE_RECEIVED_AT) &&
		!row->mine->pending;
}

/* All that wait for this school's receipt, or those of the operands. 0, or the exit code. */
static int pick_receipts(struct cli *c, const struct view *v, const struct slip_row *rows, size_t n,
	struct receipt *list, size_t *count)
{
	int code = 0;

	*count = 0;
	for (size_t i = 0; cli_flag(c, "all") && i < n; i++)
		if (rows[i].mine && strcmp(rows[i].state, "closed") != 0 &&
			!record_has(&rows[i].mine->record, F_SLIP_ADDRESSEE_RECEIVED_AT))
			list[(*count)++].row = &rows[i];
	for (int i = 0; !cli_flag(c, "all") && i < c->operands; i++) {
		const struct slip_row *row = pick_slip(c, v, rows, n, cli_operand(c, i), &code);
		if (!row)
			return code;
		bool twice = false;
		for (size_t k = 0; k < *count; k++)
			twice |= list[k].row == row;
		if (!twice)
			list[(*count)++].row = row;
	}
	return 0;
}

static enum err queue_receipts(struct cli *c, struct view *v, struct receipt *list, size_t n)
{
	enum err e = store_begin(v->store, &c->problem);

	if (e)
		return e;
	for (size_t i = 0; !e && i < n; i++) {
		int64_t next = v->store->next_row;
		e = is_received(list[i].row)
			? ERR_OK
			: slip_receive(v, list[i].row, profile_now_us(&c->profile), &c->problem);
		list[i].n = v->store->next_row > next ? next : 0;
	}
	return jg_commit(c, e);
}

/* The server's word on each, after the push; *bad: how many it refused. */
static json_t *receipt_json(struct cli *c, const struct view *v, const struct receipt *receipt, size_t *bad)
{
	struct arena arena;
	struct op_row row;
	char id[37], pupil[256], reason[256 + HINT_SIZE + 8] = "", no[48];
	const char *state = "accepted";

	arena_init(&arena, 4u << 20);
	if (receipt->n && outbox_read(v->store, receipt->n, &arena, &row, NULL) == ERR_OK) {
		state = jg_op_state(row.state);
		const struct err_info *info = err_info((int)row.code);
		const char *sentence = row.code ? _(info->sentence) : "";
		snprintf(reason, sizeof reason, "%s%s%s", row.message[0] ? row.message : sentence,
			*row.hint ? _("；") : "", row.hint);
		jg_told(c, v->store, &row);
	}
	arena_free(&arena);
	bool good = strcmp(state, "accepted") == 0;
	*bad += !good;
	slip_pupil(v, &receipt->row->slip->record, pupil, sizeof pupil);
	record_text(&receipt->row->slip->record, F_SLIP_NO, no, sizeof no);
	const char *now = good ? _("已签收") : code_name(&codes_op_state, state);
	cli_say(c, "%s %s %s%s%s", no, pupil, receipt->n ? now : _("已经签收过"), *reason ? _("：") : "",
		reason);
	jg_format_id(receipt->row->slip->id, id);
	return json_pack("{ss ss ss}", "id", id, "slip", id, "state", state);
}

static int receive_all(struct cli *c, struct view *v, struct receipt *list, size_t n)
{
	struct sync_report report;
	json_t *json = json_array();
	size_t bad = 0;
	bool any = false;

	if (queue_receipts(c, v, list, n))
		return cli_fail(c);
	for (size_t i = 0; i < n; i++)
		any |= list[i].n != 0;
	int code = any ? jg_sync_now(c, SYNC_BUDGET_TYPED_MS, &report) : 0;
	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(json, receipt_json(c, v, &list[i], &bad));
	if (!n)
		cli_say(c, "%s", _("没有待签收的交办单"));
	cli_result(c, json, 0);
	if (!bad)
		return 0;
	problem_set(&c->problem, ERR_NOT_NOW, NULL, _("jg slips list 看它们现在的状态"),
		_("%zu 张没有签收，各自的原因已列在它那一行"), bad);
	snprintf(c->problem.safe, sizeof c->problem.safe, _("其余 %zu 张已签收"), n - bad);
	return cli_fail(c);
}

/* Queues what this addressee of a slip does and tells the server's word on it. */
static int send_addressee(
	struct cli *c, struct view *v, const struct slip_row *row, enum err e, const char *said)
{
	char id[37], pupil[256], no[48];
	int64_t n = v->store->next_row - 1;

	jg_format_id(row->slip->id, id);
	if (jg_commit(c, e))
		return cli_fail(c);
	int code = jg_answer(c, n, json_pack("{ss ss}", "id", id, "slip", id));
	if (!code)
		cli_say(c, "%s %s %s", record_text(&row->slip->record, F_SLIP_NO, no, sizeof no),
			slip_pupil(v, &row->slip->record, pupil, sizeof pupil), said);
	if (!code)
		cli_next(c, "jg todo");
	return code;
}

static int receive_one(struct cli *c, struct view *v, const struct slip_row *row)
{
	char id[37];

	if (is_received(row)) {
		cli_say(c, "%s", _("已经签收过"));
		jg_format_id(row->slip->id, id);
		return cli_result(c, json_pack("{ss ss ss}", "id", id, "slip", id, "state", "accepted"), 0);
	}
	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	return send_addressee(
		c, v, row, slip_receive(v, row, profile_now_us(&c->profile), &c->problem), _("已签收"));
}

/* One answers with one object, several (or --all) with a list. */
static int cmd_slips_receive(struct cli *c)
{
	size_t n = 0, count = 0;
	int code;

	if (!c->operands == !cli_flag(c, "all"))
		return cli_fail_with(c, ERR_USAGE,
			_("例如 jg slips receive 3 4 7，或 jg slips receive --all"),
			_("请写出要签收哪几张，或用 --all 签收全部"));
	struct view *v = jg_view(c, transition_kinds, &code);
	struct slip_row *rows = v ? slip_rows(v, profile_now_us(&c->profile), &n) : NULL;
	struct receipt *list = v ? calloc(n + CLI_OPERANDS_MAX, sizeof *list) : NULL;
	if (!v)
		return code;
	code = rows && list ? pick_receipts(c, v, rows, n, list, &count)
			    : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	if (!code)
		code = count == 1 && !cli_flag(c, "all") ? receive_one(c, v, list[0].row)
							 : receive_all(c, v, list, count);
	free(list);
	free(rows);
	return code;
}

/* ---- Answer, log ---- */

static int cmd_slips_answer(struct cli *c)
{
	const char *given = cli_option(c, "outcome"),
		   *outcome = given ? code_find(&codes_outcome, given) : NULL, *files[FILES_MAX];
	char all[HINT_SIZE], said[200];
	struct slip_row *rows = NULL;
	size_t n_files = 0;
	struct view *v;
	int code = 0;

	if (!outcome)
		return cli_fail_with(c, ERR_USAGE, code_list_words(&codes_outcome, all, sizeof all),
			given ? _("没有“%s”这种办理结果") : _("缺少 --outcome 办理结果"), given);
	while (n_files < FILES_MAX && (files[n_files] = cli_option_at(c, "evidence", (int)n_files)))
		n_files++;
	const struct slip_row *row = find_slip(c, &v, &rows, &code);
	if (row && store_begin(v->store, &c->problem))
		code = cli_fail(c);
	else if (row) {
		size_t before = row->mine ? evidence_count(v, row->mine->id) : 0;
		snprintf(said, sizeof said,
			n_files ? _("已回复：%s，材料 %zu 份；等待县局审核") : _("已回复：%s；等待县局审核"),
			code_name(&codes_outcome, outcome), n_files);
		code = send_addressee(c, v, row,
			slip_answer(v, row, profile_now_us(&c->profile), outcome, cli_option(c, "note"),
				files, n_files, &c->problem),
			said);
		if (!code)
			jg_doubt_files(c);
		if (!code && before)
			cli_warn(c, _("此前附的 %zu 份材料仍在；附错了的撤去：jg evidence list"), before);
	}
	free(rows);
	return code;
}

static int log_attempt(struct cli *c, struct view *v, const struct slip_row *row, int32_t next)
{
	char id[37], pupil[256], face[FACE_SIZE];
	enum err e = store_begin(v->store, &c->problem);

	if (!e)
		e = jg_commit(c,
			slip_log(v, row, profile_now_us(&c->profile), cli_option(c, "method"),
				cli_option(c, "note"), cli_option(c, "persons"), next, &c->problem));
	if (e)
		return cli_fail(c);
	cli_say(c,
		next ? _("%s：已记劝返（%s），下次 %s；jg sync 后送达")
		     : _("%s：已记劝返（%s）%s；jg sync 后送达"),
		slip_pupil(v, &row->slip->record, pupil, sizeof pupil), cli_option(c, "method"),
		face_date(face, next));
	cli_say(c, "%s", _("劝返记录保存后不能删改；写错了，再记一条说明"));
	return cli_result(c, json_pack("{ss}", "slip", jg_format_id(row->slip->id, id)), 0);
}

static int cmd_slips_log(struct cli *c)
{
	const char *next = cli_option(c, "next");
	struct slip_row *rows = NULL;
	int32_t date = 0;
	struct view *v;
	int code = 0;

	if (!cli_option(c, "method"))
		return cli_fail_with(
			c, ERR_USAGE, _("例如 --method 家访 或 --method 电话"), _("缺少 --method 劝返方式"));
	if (next && date_parse(next, DATE_EPOCH_1900, &date))
		return cli_fail_with(c, ERR_USAGE, _("写成 --next 2026-09-15"), _("%s 不是日期"), next);
	const struct slip_row *row = find_slip(c, &v, &rows, &code);
	if (row)
		code = log_attempt(c, v, row, date);
	free(rows);
	return code;
}

/* ---- Show, print ---- */

static void show_addressee(
	const struct cli *c, const struct view *v, const struct item *addressee, const char *label)
{
	static const int fields[] = {F_SLIP_ADDRESSEE_RECEIVED_AT, F_SLIP_ADDRESSEE_ANSWERED_AT,
		F_SLIP_ADDRESSEE_OUTCOME, F_SLIP_ADDRESSEE_NOTE};
	char text[2048];

	if (!addressee)
		return;
	const struct record *r = &addressee->record;
	cli_say(c, "%s\t%s", label, words_field(v, r, F_SLIP_ADDRESSEE_SCHOOL, false, text, sizeof text));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const struct field *f = &r->kind->fields[fields[i]];
		words_field(v, r, fields[i], false, text, sizeof text);
		if (*text || fields[i] != F_SLIP_ADDRESSEE_NOTE)
			cli_say(c, "  %s\t%s", lang_declared(f->label, f->label_en),
				*text ? text : _("还没有"));
	}
}

/* The attempts to bring the pupil back, in the order of time as they were stored. */
static json_t *show_log(const struct cli *c, const struct view *v, const struct item *slip)
{
	static const int fields[] = {F_PERSUASION_AT, F_PERSUASION_METHOD, F_PERSUASION_PERSONS,
		F_PERSUASION_OUTCOME, F_PERSUASION_NOTE, F_PERSUASION_NEXT_DATE};
	json_t *list = json_array();

	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		char line[3000] = "", text[2048], school[256];
		if (!v->items[i]->live || r->kind->number != KIND_PERSUASION ||
			r->value[F_PERSUASION_SLIP].len != ID_SIZE ||
			memcmp(r->value[F_PERSUASION_SLIP].data, slip->id, ID_SIZE) != 0)
			continue;
		for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
			if (*words_field(v, r, fields[k], false, text, sizeof text))
				snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s%s",
					k ? _("　") : "",
					fields[k] == F_PERSUASION_NEXT_DATE ? _("下次 ") : "", text);
		cli_say(c, _("劝返\t%s（%s）"), line,
			school_face(v, v->items[i]->owner, school, sizeof school));
		json_array_append_new(list, value_record_json(r, v->items[i]->id));
	}
	return list;
}

/* Files that hang on an addressee's record, or on the pupil's row of the table. */
static json_t *show_files(const struct cli *c, const struct view *v, const struct slip_row *row)
{
	json_t *list = json_array();
	char no[64], name[256], school[256];

	record_text(&row->slip->record, F_SLIP_CERT_NO, no, sizeof no);
	const struct item *targets[] = {
		row->mine, row->other, *no ? find_record(v, KIND_DESTINATION, no, 0) : NULL};
	for (size_t i = 0; i < v->n; i++) {
		const struct record *r = &v->items[i]->record;
		bool ours = false;
		for (size_t k = 0; k < 3 && v->items[i]->live && r->kind->number == KIND_EVIDENCE; k++)
			ours |= targets[k] && r->value[F_EVIDENCE_TARGET].len == ID_SIZE &&
				memcmp(r->value[F_EVIDENCE_TARGET].data, targets[k]->id, ID_SIZE) == 0;
		for (size_t k = 0; ours && k < i; k++) /* one file may hang on that and on the table */
			ours = !(v->items[k]->mark &&
				record_same_field(&v->items[k]->record, r, F_EVIDENCE_SHA));
		v->items[i]->mark = ours;
		if (!ours)
			continue;
		cli_say(c, _("材料\t%s（%lld KB，%s）"), record_text(r, F_EVIDENCE_NAME, name, sizeof name),
			(long long)(record_number(r, F_EVIDENCE_SIZE) + 1023) / 1024,
			school_face(v, v->items[i]->owner, school, sizeof school));
		json_array_append_new(list, value_record_json(r, v->items[i]->id));
	}
	return list;
}

static void show_head(const struct cli *c, const struct view *v, const struct slip_row *row)
{
	static const int fields[] = {F_SLIP_CODES, F_SLIP_SEVERITY, F_SLIP_ISSUED_AT, F_SLIP_RESOLVE_DUE,
		F_SLIP_ROUND, F_SLIP_REVIEW_REASON};
	const struct record *s = &row->slip->record;
	char text[1024], pupil[256], tail[8], state[64];

	state_text(row, state, sizeof state);
	cli_say(c, _("交办单\t%s　%s"), record_text(s, F_SLIP_NO, text, sizeof text), state);
	cli_say(c, _("学生\t%s　末四位 %s"), slip_pupil(v, s, pupil, sizeof pupil), words_tail(s, tail));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const struct field *f = &s->kind->fields[fields[i]];
		if (*words_field(v, s, fields[i], false, text, sizeof text))
			cli_say(c, "%s\t%s", lang_declared(f->label, f->label_en), text);
	}
}

/* An answer, also an accepted one, changes no fact: the slip closes when the school has changed what is
 * wrong. */
static void show_way_out(const struct cli *c, const struct slip_row *row)
{
	if (!row->mine || !record_has(&row->mine->record, F_SLIP_ADDRESSEE_ANSWERED_AT) ||
		record_is(&row->slip->record, F_SLIP_STATE, "closed"))
		return;
	cli_next(c, "%s",
		record_is(&row->slip->record, F_SLIP_SOURCE, c->profile.school)
			? _("去向有变的要改：jg transition set 学生 --dest 去向代码，再 jg sync；"
			    "问题消除后自动销号")
			: _("核验有变的要改：jg verify answer 学生 present，再 jg sync；问题消除后自动销号"));
}

static int cmd_slips_show(struct cli *c)
{
	struct slip_row *rows = NULL;
	struct view *v;
	int code = 0;
	const struct slip_row *row = find_slip(c, &v, &rows, &code);

	if (row) {
		json_t *json = slip_json(row);
		show_head(c, v, row);
		show_addressee(c, v, row->mine, _("本校"));
		show_addressee(c, v, row->other, _("另一所学校"));
		json_object_set_new(json, "log", show_log(c, v, row->slip));
		json_object_set_new(json, "files", show_files(c, v, row));
		show_way_out(c, row);
		cli_result(c, json, 0);
	}
	free(rows);
	return code;
}

static int cmd_slips_print(struct cli *c)
{
	const char *path = cli_option(c, "o");
	struct slip_row *rows = NULL;
	struct view *v;
	int code = 0;

	if (!path)
		return cli_fail_with(c, ERR_USAGE, _("例如 -o 交办单.pdf"), _("缺少 -o 文件.pdf"));
	const struct slip_row *row = find_slip(c, &v, &rows, &code);
	if (row && !cli_may_replace(c, path, _("换一个文件名；确要换掉它，在命令后加 --force"))) {
		row = NULL;
		code = err_info(ERR_EXISTS)->exit_code;
	}
	enum err e = row ? slip_pdf_write(v, row, path, &c->problem) : ERR_OK;
	free(rows);
	if (!row)
		return code;
	if (e)
		return cli_fail(c);
	cli_say(c, _("已写入 %s"), path);
	return cli_result(c, json_pack("{ss}", "file", path), 0);
}

/* ---- The commands ---- */

static const struct cli_command commands[] = {
	{"slips list", "", 0, 0, NULL, EVERYBODY, READERS, N_("列出交办单"), "slips list", cmd_slips_list,
		CLI_WORK},
	{"slips show", "SLIP", 1, 1, NULL, EVERYBODY, READERS,
		N_("看一张交办单：学生、问题、两校答复、劝返记录、材料"), "slips show 3", cmd_slips_show,
		CLI_WORK},
	{"slips receive", "[SLIP…]", 0, CLI_OPERANDS_MAX, slips_receive_options, EVERYBODY, OFFICERS,
		N_("签收交办单，可一次几张（slips list 的序号）"), "slips receive 3 4 7", cmd_slips_receive,
		CLI_WORK},
	{"slips log", "SLIP", 1, 1, slips_log_options, EVERYBODY, READERS, N_("记一次劝返"),
		N_("slips log 3 --method 家访 --note 家长同意返校"), cmd_slips_log, CLI_WORK},
	{"slips answer", "SLIP", 1, 1, slips_answer_options, EVERYBODY, OFFICERS, N_("回复交办单"),
		N_("slips answer 3 --outcome enrolled --evidence 在校证明.pdf"), cmd_slips_answer, CLI_WORK},
	{"slips print", "SLIP", 1, 1, slips_print_options, EVERYBODY, READERS, N_("打印交办单"),
		N_("slips print 3 -o 交办单.pdf"), cmd_slips_print, CLI_WORK},
	{"export slips", "", 0, 0, export_options, EVERYBODY, READERS, N_("导出交办单"),
		N_("export slips -o 交办单.xlsx"), cmd_export, CLI_REST},
	{0},
};

static const struct way ways[] = {
	{"list_slips", "jg slips list"},
	{"show_slip", "jg slips show"},
	{"receive_slip", "jg slips receive *"},
	{"answer_slip", "jg slips answer * --outcome …"},
	{0},
};

const struct cli_part jg_slips = {commands, ways, NULL};
