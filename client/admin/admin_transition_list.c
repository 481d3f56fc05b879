/* What the bureau reads of the transition: progress, mismatches, slips, proofs, the change from T1 to T2, the
 * summary. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin.h"
#include "case_files.h"
#include "codes.h"
#include "lang.h"
#include "tables.h"

/* A list that comes in pages: each page adds rows to the JSON and to the table. */
struct list {
	struct cli *c;
	json_t *json;
	struct cli_table *table;
	json_t *shown; /* the short number of each row and its record */
	size_t rows;
};

/* The short number of the next row, which the next command takes for this record. */
static const char *number_row(struct list *l, const char *id, char out[16])
{
	snprintf(out, 16, "%zu", ++l->rows);
	json_object_set_new(l->shown, out, json_string(id ? id : ""));
	return out;
}

/* What a list is read for. */
static void say_next(const struct cli *c, uint16_t method, int32_t year)
{
	switch (method) {
	case METHOD_TRANSITION_MISMATCHES:
		cli_next(c,
			_("下发交办单 jgadmin transition slips issue --year %d；"
			  "有下级序号的先判定 jgadmin transition same --year %d 序号 下级序号"
			  " --reason 理由（不是同一人用 different）"),
			year, year);
		break;
	case METHOD_TRANSITION_LIST_SLIPS:
		cli_next(c,
			_("看一张：jgadmin transition slips show 序号；"
			  "两校回复后 jgadmin transition slips review 序号 accept"));
		break;
	case METHOD_TRANSITION_LIST_PROOFS:
		cli_next(c,
			_("看一份：jgadmin transition proof show --year %d 序号；"
			  "再 jgadmin transition proof accept --year %d 序号（不认可用 refute --reason 理由）"),
			year, year);
		break;
	case METHOD_TRANSITION_LIST_PAIRS:
		cli_next(c, _("判错了的撤回：jgadmin transition pair withdraw --year %d 序号 --reason 理由"),
			year);
		break;
	default:
		break;
	}
}

/* name: of the list that the short numbers belong to; asked: what is asked for besides the year, or NULL. */
static int run_list(struct cli *c, uint16_t method, const char *name, const pb_year_request *asked,
	const char *const *headings, size_t columns, link_reply_fn page, json_t **keep)
{
	pb_year_request q = asked ? *asked : (pb_year_request)PB_YEAR_REQUEST_INIT;
	struct list l = {.c = c};
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	l.json = json_array();
	l.table = cli_table_new(headings, columns);
	l.shown = json_object();
	admin_schools(c);
	enum err e = admin_stream(c, method, &q.base, page, &l);
	if (keep || e)
		cli_table_free(l.table);
	if (keep || e)
		json_decref(l.shown);
	else
		admin_shown_keep(c, name, l.shown);
	if (keep) {
		*keep = l.json;
		return e ? cli_fail(c) : 0;
	}
	if (e) {
		json_decref(l.json);
		return cli_fail(c);
	}
	cli_table_print(c, l.table);
	if (json_array_size(l.json))
		say_next(c, method, q.year);
	return cli_result(c, l.json, 0);
}

/* ---- progress ---- */

int cmd_progress(struct cli *c)
{
	const char *const headings[] = {_("学校"), _("应升学"), _("已填"), _("备案"), _("正式上报"),
		_("待核验"), _("已答"), _("核验提交"), _("最近联系"), _("待传")};
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	if (admin_ask(c, METHOD_TRANSITION_PROGRESS, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_progress_reply *list = (const pb_progress_reply *)reply;
	json_t *out = json_array();
	struct cli_table *t = cli_table_new(headings, 10);
	for (size_t i = 0; i < list->n_row; i++) {
		const pb_progress_row *p = list->row[i];
		char n[5][16], t1[FACE_SIZE], t2[FACE_SIZE], v[FACE_SIZE], contact[FACE_SIZE];
		snprintf(n[0], 16, "%u", p->baseline);
		snprintf(n[1], 16, "%u", p->declared);
		snprintf(n[2], 16, "%u", p->to_verify);
		snprintf(n[3], 16, "%u", p->answered);
		snprintf(n[4], 16, "%llu", (unsigned long long)p->pending);
		cli_table_row(t,
			(const char *const[]){p->name, n[0], n[1], admin_time(p->t1, t1),
				admin_time(p->t2, t2), n[2], n[3], admin_time(p->verified, v),
				admin_time(p->last_contact, contact), n[4]});
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:s,s:i,s:i,s:o,s:o,s:i,s:i,s:o,s:o,s:I}", "id", p->code, "code",
				p->code, "name", p->name, "baseline", (int)p->baseline, "declared",
				(int)p->declared, "t1", cli_time_json(p->t1), "t2", cli_time_json(p->t2),
				"to_verify", (int)p->to_verify, "answered", (int)p->answered, "verified",
				cli_time_json(p->verified), "last_contact", cli_time_json(p->last_contact),
				"pending", (json_int_t)p->pending));
	}
	cli_table_print(c, t);
	arena_free(&arena);
	return cli_result(c, out, 0);
}

/* ---- mismatches ---- */

/* What a person compares before `transition same|different PUPIL ROW`. */
static json_t *rows_json(const pb_mismatch *m)
{
	json_t *out = json_array();

	for (size_t i = 0; i < m->n_row; i++) {
		const pb_mismatch_row *r = m->row[i];
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", r->id, "kind", r->kind, "school", r->school,
				"name", r->name, "number", r->number));
	}
	return out;
}

static const char *row_kind(const char *kind)
{
	return strcmp(kind, "enrolment") == 0 ? _("新生名册") : _("去向表");
}

/* Under a pupil whose rows are weak, different or tied: each row with a number that `same` and `different`
 * take. */
static void row_cells(struct list *l, const pb_mismatch *m, const char *number)
{
	static const char *const doubtful[] = {"M05", "M14", "M15", "M17"};
	bool ask = false;

	for (size_t i = 0; i < m->n_code; i++)
		for (size_t k = 0; k < sizeof doubtful / sizeof *doubtful; k++)
			ask |= strcmp(m->code[i], doubtful[k]) == 0;
	for (size_t i = 0; ask && i < m->n_row; i++) {
		pb_pupil like = PB_PUPIL_INIT;
		char no[40], name[200], label[40], what[256];
		like.name = m->row[i]->name;
		like.cert_no = m->row[i]->number;
		admin_pupil_cells(l->c, &like, no, sizeof no, name, sizeof name);
		snprintf(label, sizeof label, "%s.%zu", number, i + 1);
		json_object_set_new(l->shown, label, json_string(m->row[i]->id));
		snprintf(what, sizeof what, "└ %s", row_kind(m->row[i]->kind));
		cli_table_row(l->table,
			(const char *const[]){label, name, no, what, "", "", "",
				admin_school(l->c, m->row[i]->school), ""});
	}
}

/* Reconciliation counts as 名单外 who is on a roster; who stands only in a table is told apart, so that both
 * numbers agree. */
static const char *outside_word(const pb_mismatch *m)
{
	if (strcmp(m->state, "OUTSIDE") != 0)
		return admin_state(m->state);
	for (size_t i = 0; i < m->n_row; i++)
		if (strcmp(m->row[i]->kind, "enrolment") == 0)
			return admin_state(m->state);
	return _("只在去向表");
}

/* The codes in words; without one, what he still waits for. */
static const char *problem_words(const pb_mismatch *m, char *out, size_t size)
{
	if (m->n_code)
		return admin_words(&codes_mismatch, m->code, m->n_code, out, size);
	return m->dest_school && *m->dest_school ? _("等初中核验，期限未到") : _("去向未落实，期限未到");
}

static bool mismatch_page(void *data, const ProtobufCMessage *reply)
{
	struct list *l = data;
	const pb_mismatch_reply *page = (const pb_mismatch_reply *)reply;

	for (size_t i = 0; i < page->n_mismatch; i++) {
		const pb_mismatch *m = page->mismatch[i];
		char no[40], name[200], codes[512], found[512], number[16];
		admin_pupil_cells(l->c, m->student, no, sizeof no, name, sizeof name);
		number_row(l, m->id, number);
		cli_table_row(l->table,
			(const char *const[]){number, name, no, problem_words(m, codes, sizeof codes),
				admin_word(&codes_severity, m->severity),
				admin_school(l->c, m->source_school), admin_school(l->c, m->dest_school),
				admin_school_list(l->c, m->found, m->n_found, found, sizeof found),
				outside_word(m)});
		row_cells(l, m, number);
		json_array_append_new(l->json,
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id",
				admin_text(m->id), "student", admin_pupil(m->student), "codes",
				admin_texts(m->code, m->n_code), "primary", admin_text(m->primary),
				"source_school", admin_text(m->source_school), "dest_school",
				admin_text(m->dest_school), "found", admin_texts(m->found, m->n_found),
				"owners", admin_texts(m->owner, m->n_owner), "severity",
				admin_text(m->severity), "state", admin_text(m->state), "flags",
				admin_texts(m->flag, m->n_flag), "rows", rows_json(m)));
	}
	return true;
}

static int mismatches(struct cli *c, bool open, json_t **keep)
{
	const char *const headings[] = {_("序号"), _("姓名"), _("号码"), _("问题"), _("程度"), _("生源小学"),
		_("拟升初中"), _("实际在"), _("结果")};
	pb_year_request q = PB_YEAR_REQUEST_INIT;

	q.school = (char *)(uintptr_t)cli_option(c, "school");
	q.has_open = q.open = open;
	return run_list(c, METHOD_TRANSITION_MISMATCHES, "mismatches", &q, headings, 9, mismatch_page, keep);
}

int cmd_mismatches(struct cli *c)
{
	return mismatches(c, cli_flag(c, "open"), NULL);
}

/* ---- slips ---- */

static json_t *halves_json(const pb_slip_row *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->n_addressee; i++) {
		const pb_addressee_row *h = s->addressee[i];
		json_array_append_new(out,
			json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "school", h->school, "received_at",
				cli_time_json(h->received_at), "answered_at", cli_time_json(h->answered_at),
				"outcome", admin_text(h->outcome), "note", admin_text(h->note), "reminder",
				admin_text(h->reminder), "reminded_at", cli_time_json(h->reminded_at)));
	}
	return out;
}

static const char *slip_lateness(const pb_slip_row *s)
{
	if (s->escalated)
		return _("已升级");
	if (s->overdue)
		return _("超期");
	return s->call_list ? _("未签收满24小时") : "";
}

static void slip_cells(struct list *l, const pb_slip_row *s)
{
	char no[40], name[200], codes[512], due[FACE_SIZE], number[16], now_with[512] = "";
	bool done = strcmp(s->state, "closed") == 0;

	admin_pupil_cells(l->c, s->student, no, sizeof no, name, sizeof name);
	for (size_t i = 0; i < s->n_addressee && !done; i++)
		if (!s->addressee[i]->answered_at)
			snprintf(now_with + strlen(now_with), sizeof now_with - strlen(now_with), "%s%s",
				now_with[0] ? _("、") : "", admin_school(l->c, s->addressee[i]->school));
	if (!now_with[0] && !done)
		snprintf(now_with, sizeof now_with, "%s", _("县局审核"));
	cli_table_row(l->table,
		(const char *const[]){number_row(l, s->slip, number), s->no, name, no,
			admin_words(&codes_mismatch, s->code, s->n_code, codes, sizeof codes),
			admin_word(&codes_slip_state, s->state),
			admin_term(s->resolve_due ? s->resolve_due : s->issue_due, due), now_with,
			done ? "" : slip_lateness(s)});
}

static bool slip_page(void *data, const ProtobufCMessage *reply)
{
	struct list *l = data;
	const pb_slip_reply *page = (const pb_slip_reply *)reply;

	for (size_t i = 0; i < page->n_slip; i++) {
		const pb_slip_row *s = page->slip[i];
		slip_cells(l, s);
		json_array_append_new(l->json,
			json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:b,s:b,s:i,s:s,s:b}", "id", s->slip,
				"slip", s->slip, "no", s->no, "student", admin_pupil(s->student),
				"addressees", halves_json(s), "codes", admin_texts(s->code, s->n_code),
				"issue_due", cli_time_json(s->issue_due), "resolve_due",
				cli_time_json(s->resolve_due), "state", s->state, "overdue", s->overdue,
				"escalated", s->escalated, "round", s->round, "severity", s->severity,
				"call_list", s->call_list));
	}
	return true;
}

int cmd_slips_list(struct cli *c)
{
	const char *const headings[] = {_("序号"), _("编号"), _("姓名"), _("号码"), _("问题"), _("状态"),
		_("期限"), _("等谁办"), _("提示")};

	return run_list(c, METHOD_TRANSITION_LIST_SLIPS, "slips", NULL, headings, 9, slip_page, NULL);
}

/* ---- proofs ---- */

static json_t *hashes_json(const pb_proof_row *p)
{
	json_t *out = json_array();
	char hex[65];

	for (size_t i = 0; i < p->n_sha; i++)
		if (p->sha[i].len == 32)
			json_array_append_new(
				out, json_string(sodium_bin2hex(hex, sizeof hex, p->sha[i].data, 32)));
	return out;
}

static const char *proof_decision(const char *decision)
{
	if (strcmp(decision, "accepted") == 0)
		return _("认可");
	if (strcmp(decision, "refuted") == 0)
		return _("不认可");
	return _("未审");
}

static bool proof_page(void *data, const ProtobufCMessage *reply)
{
	struct list *l = data;
	const pb_proof_reply *page = (const pb_proof_reply *)reply;

	for (size_t i = 0; i < page->n_proof; i++) {
		const pb_proof_row *p = page->proof[i];
		char no[40], name[200], files[300] = "", number[16], where[256];
		admin_pupil_cells(l->c, p->student, no, sizeof no, name, sizeof name);
		for (size_t k = 0; k < p->n_file; k++) {
			char one[300];
			case_file_cell(l->c, p->file[k], one, sizeof one);
			snprintf(files + strlen(files), sizeof files - strlen(files), "%s%s",
				k ? _("、") : "", one);
		}
		snprintf(where, sizeof where, "%s %s", admin_word(&codes_category, p->category),
			p->place ? p->place : "");
		cli_table_row(l->table,
			(const char *const[]){number_row(l, p->id, number), name, no, where,
				admin_school(l->c, p->source_school), files[0] ? files : _("没有材料"),
				admin_school(l->c, p->filed_by), proof_decision(p->decision)});
		json_array_append_new(l->json,
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", admin_text(p->id), "student",
				admin_pupil(p->student), "category", admin_text(p->category), "place",
				admin_text(p->place), "source_school", admin_text(p->source_school), "files",
				admin_texts(p->file, p->n_file), "word", admin_text(p->decision), "filed_by",
				admin_text(p->filed_by), "sha256", hashes_json(p)));
	}
	return true;
}

int cmd_proof_list(struct cli *c)
{
	const char *const headings[] = {_("序号"), _("姓名"), _("号码"), _("去向"), _("生源小学"),
		C_("heading", "材料"), _("谁报的"), _("县局意见")};

	return run_list(c, METHOD_TRANSITION_LIST_PROOFS, "proofs", NULL, headings, 8, proof_page, NULL);
}

/* ---- decisions on pairs ---- */

static bool pair_page(void *data, const ProtobufCMessage *reply)
{
	struct list *l = data;
	const pb_pair_reply *page = (const pb_pair_reply *)reply;

	for (size_t i = 0; i < page->n_pair; i++) {
		const pb_pair_row *p = page->pair[i];
		const pb_mismatch_row *r = p->row;
		pb_pupil like = PB_PUPIL_INIT;
		char no[40], name[200], row_no[40], row_name[200], number[16], id[80], what[512],
			when[FACE_SIZE];
		like.name = r->name;
		like.cert_no = r->number;
		admin_pupil_cells(l->c, p->student, no, sizeof no, name, sizeof name);
		admin_pupil_cells(l->c, &like, row_no, sizeof row_no, row_name, sizeof row_name);
		snprintf(id, sizeof id, "%s/%s", p->student->id, r->id);
		snprintf(what, sizeof what, "%s %s", admin_school(l->c, r->school), row_kind(r->kind));
		cli_table_row(l->table,
			(const char *const[]){number_row(l, id, number), name, no,
				p->same ? _("是同一人") : _("不是同一人"), row_name, row_no, what, p->reason,
				p->by, admin_time(p->at, when)});
		json_array_append_new(l->json,
			json_pack("{s:s,s:o,s:b,s:o,s:o,s:s,s:o}", "id", id, "student",
				admin_pupil(p->student), "same", p->same, "row",
				json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", r->id, "kind", r->kind, "school",
					r->school, "name", r->name, "number", r->number),
				"reason", admin_text(p->reason), "by", p->by, "at", cli_time_json(p->at)));
	}
	return true;
}

int cmd_pair_list(struct cli *c)
{
	const char *const headings[] = {_("序号"), _("姓名"), _("号码"), _("判定"), _("那一行"), _("号码"),
		_("在哪里"), _("理由"), _("谁判定"), _("时间")};

	return run_list(c, METHOD_TRANSITION_LIST_PAIRS, "pairs", NULL, headings, 10, pair_page, NULL);
}

/* ---- T1 to T2 ---- */

static bool diff_page(void *data, const ProtobufCMessage *reply)
{
	struct list *l = data;
	const pb_diff_reply *page = (const pb_diff_reply *)reply;

	for (size_t i = 0; i < page->n_row; i++) {
		const pb_diff_row *d = page->row[i];
		char no[40], name[200], before[256], after[256];
		/* the whole entry came or went; its category stands for it */
		bool row = strcmp(d->field, "row") == 0;
		admin_pupil_cells(l->c, d->student, no, sizeof no, name, sizeof name);
		cli_table_row(l->table,
			(const char *const[]){name, no, admin_school(l->c, d->source_school),
				row ? _("整条") : admin_field(KIND_DESTINATION, d->field),
				admin_value(l->c, KIND_DESTINATION, row ? "category" : d->field, d->before,
					before, sizeof before),
				admin_value(l->c, KIND_DESTINATION, row ? "category" : d->field, d->after,
					after, sizeof after)});
		json_array_append_new(l->json,
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "id",
				admin_text(d->student ? d->student->id : NULL), "student",
				admin_pupil(d->student), "source_school", admin_text(d->source_school),
				"field", admin_text(d->field), "before", admin_text(d->before), "after",
				admin_text(d->after)));
	}
	return true;
}

int cmd_diff(struct cli *c)
{
	const char *const headings[] = {
		_("姓名"), _("号码"), _("生源小学"), _("项目"), _("六月备案"), _("九月上报")};

	return run_list(c, METHOD_TRANSITION_DIFF, "diff", NULL, headings, 6, diff_page, NULL);
}

/* ---- summary ---- */

static json_t *counts_json(const pb_summary_row *s)
{
	json_t *out = json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "baseline", (int)s->baseline, "confirmed",
		(int)s->confirmed, "provisional", (int)s->provisional, "exempt", (int)s->exempt, "open",
		(int)s->open, "residual", s->residual);

	if (s->code) {
		json_object_set_new(out, "id", json_string(s->code));
		json_object_set_new(out, "code", json_string(s->code));
		json_object_set_new(out, "name", json_string(s->name ? s->name : ""));
	}
	return out;
}

static void summary_cells(struct cli_table *t, const pb_summary_row *s, const char *name)
{
	char n[6][16];
	const uint32_t counts[] = {s->baseline, s->confirmed, s->provisional, s->exempt, s->open};

	for (int i = 0; i < 5; i++)
		snprintf(n[i], sizeof n[i], "%u", counts[i]);
	snprintf(n[5], sizeof n[5], "%d", s->residual);
	cli_table_row(
		t, (const char *const[]){s->code ? s->code : "", name, n[0], n[1], n[2], n[3], n[4], n[5]});
}

/* Who has a problem, and who is open without one yet: the numbers of the report open into these names. */
static enum err report_rows(struct cli *c, json_t **rows)
{
	json_t *open = NULL, *row;
	size_t i;

	*rows = NULL;
	if (mismatches(c, false, rows) || mismatches(c, true, &open)) {
		json_decref(open);
		return c->problem.code;
	}
	json_array_foreach(open, i, row) if (!json_array_size(json_object_get(row, "codes")))
		json_array_append(*rows, row);
	json_decref(open);
	return ERR_OK;
}

static enum err write_report(struct cli *c, const char *path, const pb_summary_reply *s)
{
	json_t *rows = NULL;
	int32_t year;
	int code;

	if (!admin_year(c, &year, &code))
		return ERR_USAGE;
	enum err e = report_rows(c, &rows);
	if (!e)
		e = report_html(c, path, s, rows, year, &c->problem);
	json_decref(rows);
	return e;
}

int cmd_summary(struct cli *c)
{
	const char *const headings[] = {_("学校标识码"), _("学校"), _("应升学人数"), _("已确认"), _("待核"),
		_("除外"), _("未落实"), _("差额")};
	pb_year_request q = PB_YEAR_REQUEST_INIT;
	struct arena arena;
	const ProtobufCMessage *reply;
	const char *path = cli_option(c, "html");
	int code;

	if (!admin_year(c, &q.year, &code))
		return code;
	q.has_year = 1;
	enum err e = admin_ask(c, METHOD_TRANSITION_SUMMARY, &q.base, &arena, &reply);
	if (!e && path)
		e = write_report(c, path, (const pb_summary_reply *)reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_summary_reply *s = (const pb_summary_reply *)reply;
	json_t *schools = json_array();
	struct cli_table *t = cli_table_new(headings, 8);
	for (size_t i = 0; i < s->n_school; i++) {
		summary_cells(t, s->school[i], s->school[i]->name);
		json_array_append_new(schools, counts_json(s->school[i]));
	}
	summary_cells(t, s->total, _("合计"));
	cli_table_print(c, t);
	if (path)
		cli_say(c, _("报表：%s"), path);
	if (s->total->open)
		cli_next(c, _("未落实的是谁：jgadmin transition mismatches --year %d --open"), q.year);
	json_t *out = json_pack("{s:o,s:o,s:o,s:o}", "schools", schools, "total", counts_json(s->total),
		"as_of", cli_date_json(s->as_of), "html", admin_text(path));
	arena_free(&arena);
	return cli_result(c, out, 0);
}
