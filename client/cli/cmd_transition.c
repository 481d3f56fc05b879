#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "clock.h"
#include "codes.h"
#include "evidence.h"
#include "find.h"
#include "jg.h"
#include "lang.h"
#include "link.h"
#include "login.h"
#include "schools.h"
#include "tables.h"
#include "transition.h"
#include "value.h"
#include "words.h"

static const struct cli_option import_year_options[] = {
	IMPORT_OPTIONS,
	{"year", "Y", N_("属于哪一年的小升初")},
	IMPORT_FORCE,
	{0},
};

static const struct cli_option transition_list_options[] = {
	{"unset", NULL, N_("只列还没有填报去向的")},
	{0},
};
static const struct cli_option transition_set_options[] = {
	{"dest", "CATEGORY", N_("去向类别 A1…D5 或名称")},
	{"school", "SCHOOL", N_("拟升入学校：名称、名称的一部分或标识码")},
	{"place", "TEXT", N_("去向地区")},
	{"evidence", "FILE…", N_("佐证材料")},
	{"registration", "NO", N_("报名号")},
	{0},
};
static const struct cli_option transition_file_options[] = {
	{"incomplete", NULL, N_("材料不齐也上报")},
	{"reason", "TEXT", N_("缺项原因")},
	{0},
};

int jg_cycle(struct cli *c, struct cycle *cycle)
{
	int code;
	struct store *store = jg_store(c, &code);

	*cycle = (struct cycle){0};
	if (!store)
		return code;
	return cycle_read(store, profile_today(&c->profile), cycle, &c->problem) ? cli_fail(c) : 0;
}

static json_t *field_or_null(const struct record *r, int field)
{
	return r ? value_json(r, field) : json_null();
}

/* Who the row is about: a row has a student, a destination or both. */
static const struct item *pupil_item(const struct pupil_row *row)
{
	const struct item *item = row->student ? row->student : row->destination;

	assert(item);
	return item;
}

static json_t *pupil_json(const struct pupil_row *row)
{
	const struct item *shown = pupil_item(row);
	const struct record *d = row->destination ? &row->destination->record : NULL;
	char id[37], class_no[32];

	record_text(
		&shown->record, kind_field_index(shown->record.kind, "class_no"), class_no, sizeof class_no);
	return json_pack("{ss so ss so so so so sI ss sb sb}", "id",
		jg_format_id(row->destination ? row->destination->id : shown->id, id), "student",
		value_student_json(&shown->record, shown->id), "class", class_no, "category",
		field_or_null(d, F_DESTINATION_CATEGORY), "dest_school",
		field_or_null(d, F_DESTINATION_DEST_SCHOOL), "dest_school_name",
		field_or_null(d, F_DESTINATION_DEST_SCHOOL_NAME), "place",
		field_or_null(d, F_DESTINATION_PLACE), "evidence", (json_int_t)row->evidence, "state",
		declared_code(row->state), "pending", row->destination && row->destination->pending,
		"in_students", row->student != NULL);
}

static void pupil_line(const struct cli *c, const struct view *v, struct cli_table *table,
	const struct pupil_row *row, struct jg_ids *ids)
{
	const struct record *s = &pupil_item(row)->record;
	const struct record *d = row->destination ? &row->destination->record : NULL;
	char number[16], name[128], class_no[64], tail[64], category[64] = "", school[256] = "", files[24];

	record_text(s, kind_field_index(s->kind, "name"), name, sizeof name);
	if (c->reveal)
		value_show(s, kind_field_index(s->kind, "cert_no"), false, tail, sizeof tail);
	else
		words_tail(s, tail);
	if (d) {
		value_show(d, F_DESTINATION_CATEGORY, false, category, sizeof category);
		transition_place_words(v, d, school, sizeof school);
	}
	snprintf(files, sizeof files, "%zu", row->evidence);
	cli_table_row(table,
		(const char *[]){jg_ids_add(ids, pupil_item(row)->id, number),
			words_class(s, class_no, sizeof class_no), name, tail, category, school, files,
			code_name(&codes_declared, declared_code(row->state))});
}

static bool is_shown(const struct cli *c, const struct pupil_row *row)
{
	return jg_class_allowed(c, &pupil_item(row)->record);
}

static const struct record *record_of(const void *row)
{
	return &pupil_item(row)->record;
}

static const char *left_ways(void)
{
	return _("jg pupil find 姓名 看序号，jg students set 序号 年级=六年级 改回（删掉的重新导入）；"
		 "确已不在本校的，请县局基教科把他移出应升学名单");
}

/* Whoever was entered after the county froze the list is not on it, unless the bureau added him. */
static bool came_late(const struct cycle *cycle, const struct pupil_row *row)
{
	return cycle->known && cycle->opened && row->student && id_time(row->student->id) >= cycle->opened;
}

static void tell_late(const struct cli *c, const struct cycle *cycle, const struct pupil_row *rows, size_t n)
{
	size_t late = 0;
	char pupil[160];

	for (size_t i = 0; i < n; i++)
		late += is_shown(c, &rows[i]) && came_late(cycle, &rows[i]);
	if (late)
		cli_say(c, _("其中 %zu 人是县局冻结应升学名单之后才进名册的，县局没有补入的不算应升学："),
			late);
	for (size_t i = 0; late && i < n; i++)
		if (is_shown(c, &rows[i]) && came_late(cycle, &rows[i]))
			cli_say(c, "  %s", words_pupil(&rows[i].student->record, pupil, sizeof pupil));
}

/* This computer has the roster, not the bureau's list: the sixth grade as it is counted here, and whom
 * that list may not have. A row beside them counts for nobody. */
static void tell_counts(const struct cli *c, const struct view *v, const struct cycle *cycle,
	const struct pupil_row *rows, size_t n)
{
	size_t roster = 0, declared = 0, beside = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_shown(c, &rows[i]))
			continue;
		roster += rows[i].student != NULL;
		declared += rows[i].student && rows[i].destination;
		beside += !rows[i].student;
	}
	if (!n && !(school_stages(v, c->profile.school) & STAGE_PRIMARY)) {
		cli_say(c, "%s", _("本校没有小学部，不用填报去向"));
		return;
	}
	cli_say(c, _("名册六年级 %zu 人，已填 %zu 人，未填 %zu 人"), roster, declared, roster - declared);
	tell_late(c, cycle, rows, n);
	if (beside)
		cli_say(c, _("另有 %zu 人填了去向但不在本校六年级名册上"), beside);
	if (roster > declared)
		cli_next(c, "%s",
			_("jg transition set 序号 --dest 去向代码 --school 学校 填一人（外地的写 --place 地区"
			  " --evidence 材料，不写学校）；全部一起填用 jg export destinations -o 文件，"
			  "填好后 jg import destinations 文件（去向代码：jg help codes 去向类别）"));
}

/* Who is on no list of the school's any more and counts all the same. */
static enum err tell_left(struct cli *c, struct view *v, const struct cycle *cycle)
{
	struct left_pupil *left = NULL;
	size_t n = 0;
	enum err e = transition_left(v, cycle, &left, &n, &c->problem);

	if (!e && n)
		cli_say(c,
			_("另有 %zu 人原在应升学名单，现在不在本校六年级名册上；县局没有移出的仍算应升学："),
			n);
	for (size_t i = 0; !e && i < n; i++)
		cli_say(c, "  %s", left[i].pupil);
	if (!e && n)
		cli_next(c, "%s", left_ways());
	free(left);
	return e;
}

static int cmd_transition_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("班级"), _("姓名"), c->reveal ? _("证件号码") : _("末四位"),
		_("去向类别"), _("学校或地区"), C_("heading", "材料"), _("状态")};
	struct jg_ids ids = {0};
	struct cycle cycle;
	size_t n;
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);
	struct pupil_row *rows = v ? transition_pupils(v, cycle.year, &n) : NULL;
	json_t *list = json_array();

	if (!rows)
		return code ? code : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	words_sort(rows, n, sizeof *rows, record_of, NULL);
	struct cli_table *table = cli_table_new(headings, 8);
	for (size_t i = 0; i < n; i++) {
		if (!is_shown(c, &rows[i]) || (cli_flag(c, "unset") && rows[i].destination))
			continue;
		pupil_line(c, v, table, &rows[i], &ids);
		if (c->json)
			json_array_append_new(list, pupil_json(&rows[i]));
	}
	cli_table_print(c, table);
	tell_counts(c, v, &cycle, rows, n);
	free(rows);
	if (tell_left(c, v, &cycle))
		return cli_fail(c);
	jg_ids_keep(c, &ids, &shown_transition);
	jg_ids_free(&ids);
	return cli_result(c, list, 0);
}

/* The row that a number or an id (of the student or of the table's row) names. */
static bool is_row(const struct pupil_row *row, const struct item *item)
{
	return item && (row->student == item || row->destination == item);
}

static int set_row(struct cli *c, struct view *v, const struct pupil_row *row, int32_t year,
	const struct destination_edit *edit)
{
	struct batch_counts counts = {.updated = 1};
	struct item *item = NULL;
	int64_t batch;
	char number[24], pupil[256], where[400];
	enum err e = store_begin(v->store, &c->problem);

	if (e)
		return cli_fail(c);
	words_pupil(&pupil_item(row)->record, pupil, sizeof pupil);
	e = batch_begin(v->store, "edit", pupil, &batch, &c->problem);
	if (!e)
		e = transition_set(v, row, year, edit, batch, &item, &c->problem);
	for (int i = 0; !e && cli_option_at(c, "evidence", i); i++)
		e = evidence_attach(v, item->id, cli_option_at(c, "evidence", i), batch, &c->problem);
	if (!e)
		e = batch_end(v->store, batch, &counts, &c->problem);
	if (jg_commit(c, e))
		return cli_fail(c);
	snprintf(number, sizeof number, "%lld", (long long)batch);
	struct pupil_row now = {row->student, item, evidence_count(v, item->id),
		row->state == DECLARED_UNSET ? DECLARED_DRAFT : row->state};
	json_t *json = pupil_json(&now);
	json_object_set_new(json, "edit", json_string(number));
	transition_destination_words(v, &item->record, where, sizeof where);
	cli_say(c, _("%s→ %s；撤销：jg undo %s"), pupil, where, number);
	if (transition_gaps(v, &now, false) & GAP_SCHOOL)
		cli_warn(c, _("%s：%s，上报前补上（学校用 --school，地区用 --place）"), pupil,
			transition_gap_text(GAP_SCHOOL));
	jg_doubt_files(c);
	cli_next(c, "%s", _("都填好后 jg sync 送到县局"));
	return cli_result(c, json, 0);
}

static int named_row(
	struct cli *c, const struct pupil_row *rows, size_t n, const char *text, struct item **out)
{
	struct item **items = malloc((n + 1) * sizeof *items);
	size_t shown = 0;

	for (size_t i = 0; items && i < n; i++)
		if (is_shown(c, &rows[i]))
			items[shown++] = rows[i].student ? rows[i].student : rows[i].destination;
	int code = items ? jg_named(c, &shown_transition, text, items, shown, out)
			 : cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	free(items);
	return code;
}

static int cmd_transition_set(struct cli *c)
{
	const char *dest = cli_option(c, "dest"), *text = cli_operand(c, 0);
	struct destination_edit edit = {dest ? code_find(&codes_category, dest) : NULL,
		cli_option(c, "school"), cli_option(c, "place"), cli_option(c, "registration")};
	char room[JG_PICK_SIZE], all[HINT_SIZE];
	struct cycle cycle;
	size_t n = 0;
	int code = jg_cycle(c, &cycle);

	if (code)
		return code;
	if (!edit.category)
		return cli_fail_with(c, ERR_USAGE, code_list_words(&codes_category, all, sizeof all),
			dest ? _("没有去向类别 %s") : _("缺少 --dest"), dest);
	if (edit.school && edit.place)
		return cli_fail_with(c, ERR_USAGE, _("县内学校用 --school，外地用 --place"),
			_("--school 与 --place 只用一个"));
	if (strcmp(cycle.phase, "closed") == 0)
		return cli_fail_with(
			c, ERR_PHASE, jg_closed_hint(), _("%d 年的升学工作已经办结"), cycle.year);
	struct view *v = jg_view(c, transition_kinds, &code);
	if (!v || !(text = jg_pick(c, v, &shown_transition, text, room, &code)))
		return code;
	struct pupil_row *rows = transition_pupils(v, cycle.year, &n);
	struct item *student = find_record(v, KIND_STUDENT, text, 0),
		    *row = find_record(v, KIND_DESTINATION, text, cycle.year);
	if (!student && !row)
		code = named_row(c, rows, n, text, &student);
	for (size_t i = 0; !code && i < n; i++)
		if ((is_row(&rows[i], student) || is_row(&rows[i], row)) && is_shown(c, &rows[i])) {
			code = set_row(c, v, &rows[i], cycle.year, &edit);
			free(rows);
			return code;
		}
	free(rows);
	return code ? code
		    : cli_fail_with(c, ERR_NOT_FOUND, _("jg transition list 列出六年级学生和序号"),
			      _("六年级在读学生里没有这名学生"));
}

/* ---- Formal reports ---- */

/* What people call the field that a refusal names. */
static const char *field_label(const struct op_row *row)
{
	int i = kind_field_index(row->kind, row->field);

	return i < 0 ? row->field : lang_declared(row->kind->fields[i].label, row->kind->fields[i].label_en);
}

int jg_answer(struct cli *c, int64_t n, json_t *json)
{
	struct sync_report report;
	struct op_row row;
	struct arena arena;
	int code;
	struct store *store = jg_store(c, &code);

	if (!store || (code = jg_sync_now(c, SYNC_BUDGET_TYPED_MS, &report))) {
		json_decref(json);
		return code;
	}
	arena_init(&arena, 4u << 20);
	enum err e = outbox_read(store, n, &arena, &row, &c->problem);
	json_object_set_new(json, "state", json_string(e ? "" : jg_op_state(row.state)));
	if (!e && row.state == OP_ACCEPTED) {
		cli_say(c, "%s", _("服务器已收到"));
		code = cli_result(c, json, 0);
	} else {
		json_decref(json);
		if (!e && row.state == OP_WAITING && report.held_by[0])
			problem_set(&c->problem, ERR_PERMISSION, NULL,
				_("请其本人或学籍管理员登录：jg login 用户名，再 jg sync"),
				_("前面有 %s 录入、还没有发送的内容，不能越过它上报"), report.held_by);
		else if (!e && row.state == OP_WAITING)
			problem_set(&c->problem, ERR_UNREACHABLE, NULL, NULL, NULL);
		else if (!e)
			problem_set(&c->problem, row.code ? row.code : ERR_CONFLICT,
				c->json ? row.field : field_label(&row),
				*row.hint ? row.hint
					: row.code == ERR_INCOMPLETE
					? _("jg transition missing 逐人列出，补齐后再运行；"
					    "确要缺项上报加 --incomplete --reason 原因")
					: NULL,
				row.message[0] ? "%s" : NULL, row.message);
		if (!e)
			jg_told(c, store, &row);
		code = cli_fail(c);
	}
	arena_free(&arena);
	return code;
}

static json_t *gap_json(const struct pupil_row *row, unsigned gap)
{
	static const struct {
		unsigned gap;
		const char *code;
	} codes[] = {{GAP_CATEGORY, "category"}, {GAP_SCHOOL, "school"}, {GAP_UNDECIDED, "undecided"},
		{GAP_PROOF, "proof"}, {GAP_GUARDIAN, "guardian"}};
	const struct item *item = row->student ? row->student : row->destination;
	const char *code = "";

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].gap == gap)
			code = codes[i].code;
	return json_pack("{so ss ss}", "student", value_student_json(&item->record, item->id), "code", code,
		"message", transition_gap_text(gap));
}

/* Judges the table; tells the pupils in the way. Returns how many there are. */
static size_t judge_table(
	struct cli *c, struct view *v, int32_t year, bool september, json_t *in_the_way, json_t *warnings)
{
	size_t n = 0, bad = 0;
	struct pupil_row *rows = transition_pupils(v, year, &n);

	words_sort(rows, n, sizeof *rows, record_of, NULL);
	for (size_t i = 0; i < n; i++) {
		unsigned gaps = rows[i].student ? transition_gaps(v, &rows[i], september) : 0;
		char name[256];
		for (unsigned gap = 1; gap <= GAP_GUARDIAN; gap *= 2) {
			if (!(gaps & gap))
				continue;
			json_array_append_new(
				gap == GAP_GUARDIAN ? warnings : in_the_way, gap_json(&rows[i], gap));
			if (gap != GAP_GUARDIAN)
				cli_warn(c, _("%s：%s"),
					words_pupil(&rows[i].student->record, name, sizeof name),
					transition_gap_text(gap));
		}
		bad += (gaps & ~(unsigned)GAP_GUARDIAN) != 0;
	}
	free(rows);
	return bad;
}

/* Pushes what waits (files count only when they have arrived) and learns the phase. Unreachable is no error
 * here: *offline. */
static int refresh(struct cli *c, struct cycle *cycle, bool *offline)
{
	struct sync_report report;
	int code;

	*cycle = (struct cycle){0};
	*offline = false;
	if (!jg_store(c, &code))
		return code;
	enum err e = jg_sync(c, true, &report, NULL);
	*offline = e && err_info((int)e)->level == ERR_LEVEL_RETRY;
	if (e && !*offline)
		return cli_fail(c);
	return jg_cycle(c, cycle);
}

/* ---- Who is in the way, by the server's own count ---- */

struct missing {
	struct cli *c;
	struct cli_table *table;
	json_t *json;
	size_t left; /* of these, who is on no list of this computer's */
};

static const char *missing_word(const char *code)
{
	static const struct {
		const char *code;
		unsigned gap;
	} gaps[] = {{"category", GAP_CATEGORY}, {"school", GAP_SCHOOL}, {"undecided", GAP_UNDECIDED},
		{"proof", GAP_PROOF}};

	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
		if (strcmp(gaps[i].code, code) == 0)
			return transition_gap_text(gaps[i].gap);
	if (strcmp(code, "grade") == 0)
		return _("名册上不是六年级");
	if (strcmp(code, "status") == 0)
		return _("名册上已不在校");
	if (strcmp(code, "gone") == 0)
		return _("名册里没有");
	return "";
}

/* 六1班: they were frozen in the sixth grade. */
static const char *missing_class(const pb_gap_row *row, char out[64])
{
	struct record r;

	if (strcmp(row->roster, "grade") == 0)
		return row->class_no;
	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, row->class_no);
	return words_class(&r, out, 64);
}

static bool missing_page(void *data, const ProtobufCMessage *message)
{
	const pb_gap_reply *reply = (const pb_gap_reply *)message;
	struct missing *m = data;

	for (size_t i = 0; i < reply->n_row; i++) {
		const pb_gap_row *row = reply->row[i];
		const char *no = row->student->cert_no && *row->student->cert_no ? row->student->cert_no
										 : row->student->student_no;
		size_t n = strlen(no);
		char gaps[256] = "", class_no[64];
		json_t *codes = json_array();
		for (size_t k = 0; k < row->n_gap; k++) {
			snprintf(gaps + strlen(gaps), sizeof gaps - strlen(gaps), "%s%s", k ? _("，") : "",
				missing_word(row->gap[k]));
			json_array_append_new(codes, json_string(row->gap[k]));
		}
		m->left += *row->roster != 0;
		cli_table_row(m->table,
			(const char *[]){missing_class(row, class_no), row->student->name,
				m->c->reveal ? no : no + (n > 4 ? n - 4 : 0), gaps,
				missing_word(row->roster)});
		json_array_append_new(m->json,
			json_pack("{s{ss ss ss ss} ss so ss}", "student", "id", row->student->id, "cert_no",
				row->student->cert_no, "name", row->student->name, "student_no",
				row->student->student_no, "class", row->class_no, "gaps", codes, "roster",
				row->roster));
	}
	return true;
}

/* A report is taken in the phases of filing alone. */
static void tell_missing_next(const struct cli *c, const struct missing *m, const struct cycle *cycle)
{
	bool files = strcmp(cycle->phase, "prefill") == 0 || strcmp(cycle->phase, "confirm") == 0;

	if (m->left)
		cli_next(c, "%s", left_ways());
	else if (json_array_size(m->json))
		cli_next(c, "%s", _("jg transition list 看序号，jg transition set 补齐"));
	else if (files)
		cli_next(c, "jg transition file");
	else if (cycle->known)
		cli_say(c, _("现在是%s阶段，不用上报；要办的事见 jg todo"),
			code_name(&codes_phase, cycle->phase));
}

/* Online: the bureau knows who is frozen, this computer does not. */
static int cmd_transition_missing(struct cli *c)
{
	const char *headings[] = {
		_("班级"), _("姓名"), c->reveal ? _("证件号码") : _("末四位"), _("缺什么"), _("名册")};
	struct missing m = {.c = c};
	struct link *link = NULL;
	struct cycle cycle;
	int code = jg_cycle(c, &cycle);
	pb_year_request q = PB_YEAR_REQUEST_INIT;

	if (code)
		return code;
	m.table = cli_table_new(headings, 5);
	m.json = json_array();
	q.has_year = 1;
	q.year = cycle.year;
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);
	if (!e)
		e = link_call(link, METHOD_TRANSITION_FILING_GAPS, &q.base, missing_page, &m, &c->problem);
	if (link)
		link_close(link);
	if (e) {
		cli_table_free(m.table);
		json_decref(m.json);
		return cli_fail(c);
	}
	cli_table_print(c, m.table);
	tell_missing_next(c, &m, &cycle);
	return cli_result(c, m.json, 0);
}

/* Queues the report and waits for the server's word. */
static int send_filing(
	struct cli *c, struct view *v, int32_t year, const char *stage, bool offline, json_t *json)
{
	int64_t n = 0;
	enum err e = store_begin(v->store, &c->problem);

	if (!e)
		e = jg_commit(c,
			transition_file(v, year, stage, cli_flag(c, "incomplete"), cli_option(c, "reason"),
				&n, &c->problem));
	if (e) {
		json_decref(json);
		return cli_fail(c);
	}
	if (!offline) {
		int code = jg_answer(c, n, json);
		if (!code) {
			cli_say(c, _("%d 年%s已完成"), (int)year, code_name(&codes_filing_stage, stage));
			cli_next(c, "jg todo");
		}
		return code;
	}
	json_decref(json);
	snprintf(c->problem.safe, sizeof c->problem.safe, "%s", _("已保存在本机，联网后运行 jg sync 发出"));
	return cli_fail(c);
}

static int cmd_transition_file(struct cli *c)
{
	json_t *in_the_way = json_array(), *warnings = json_array();
	struct cycle cycle;
	bool offline;
	int code = refresh(c, &cycle, &offline);

	if (code)
		return code;
	if (!cycle.known && offline)
		return cli_fail(c);
	bool september = strcmp(cycle.phase, "confirm") == 0;
	if (!september && strcmp(cycle.phase, "prefill") != 0)
		return cli_fail_with(c, ERR_PHASE, _("预填阶段备案，确认阶段正式上报"),
			cycle.known ? _("现在是%s阶段，不能上报") : _("%s县里还没有开始今年的升学工作"),
			cycle.known ? code_name(&codes_phase, cycle.phase) : "");
	struct view *v = jg_view(c, transition_kinds, &code);
	if (!v)
		return code;
	if (!(school_stages(v, c->profile.school) & STAGE_PRIMARY))
		return cli_fail_with(
			c, ERR_NOT_NOW, _("要办的事见 jg todo"), _("本校没有小学部，不用上报去向"));
	size_t bad = judge_table(c, v, cycle.year, september, in_the_way, warnings);
	if (cli_flag(c, "incomplete") && !cli_option(c, "reason"))
		return cli_fail_with(c, ERR_MISSING, _("例如 --incomplete --reason 家长外出"),
			_("缺项上报须用 --reason 写明原因"));
	json_t *json = json_pack("{ss si so so}", "stage", september ? "T2" : "T1", "year", cycle.year,
		"in_the_way", in_the_way, "warnings", warnings);
	if (bad && !cli_flag(c, "incomplete")) {
		problem_set(&c->problem, ERR_INCOMPLETE, NULL,
			_("补齐：jg transition list 看序号，再 jg transition set；确要缺项上报："
			  "jg transition file --incomplete --reason 理由"),
			_("%zu 名学生材料不齐"), bad);
		json_object_set_new(json, "error", cli_error_json(c));
		cli_result(c, json, 0);
		return cli_fail(c);
	}
	return send_filing(c, v, cycle.year, september ? "T2" : "T1", offline, json);
}

int cmd_verify_submit(struct cli *c)
{
	struct cycle cycle;
	bool offline;
	size_t n = 0, silent = 0;
	int code = refresh(c, &cycle, &offline);

	if (code)
		return code;
	if (!cycle.known && offline)
		return cli_fail(c);
	if (strcmp(cycle.phase, "verify") != 0)
		return cli_fail_with(c, ERR_PHASE, _("jg todo 列出现在该办的事"), _("现在不是核验阶段"));
	struct view *v = jg_view(c, transition_kinds, &code);
	if (v && !(school_stages(v, c->profile.school) & STAGE_JUNIOR))
		return cli_fail_with(c, ERR_NOT_NOW, _("要办的事见 jg todo"), _("本校没有初中部，不用核验"));
	struct verify_row *rows = v ? transition_verify_rows(v, cycle.year, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		silent += !rows[i].answer && !rows[i].enrolment;
	free(rows);
	if (!v)
		return code;
	if (silent)
		cli_warn(c, _("%zu 名填报本校的学生既没有答复也不在名册上，将按未报到比对"), silent);
	if (silent && cli_is_asked(c) && !cli_confirm("提交|submit", _("仍要提交，请输入“提交”：")))
		return cli_fail_with(
			c, ERR_NOT_NOW, _("jg verify list 看还有谁没有答复"), _("没有确认，什么也没有提交"));
	return send_filing(c, v, cycle.year, "V", offline,
		json_pack("{ss si sI sI}", "stage", "V", "year", cycle.year, "pupils", (json_int_t)n,
			"silent", (json_int_t)silent));
}

/* ---- The commands ---- */

static const struct cli_command commands[] = {
	{"import destinations", "FILE", 1, 1, import_year_options, EVERYBODY, TEACHERS,
		N_("导入升学去向信息表"), N_("import destinations 去向.xlsx --errors 待改.xlsx"), cmd_import,
		CLI_TABLES},
	{"import enrolled", "FILE", 1, 1, import_year_options, EVERYBODY, TEACHERS, N_("导入初中新生名册"),
		N_("import enrolled 新生.xlsx"), cmd_import, CLI_TABLES},
	{"export destinations", "", 0, 0, export_options, EVERYBODY, READERS,
		N_("导出升学去向；.xlsx 是全部六年级学生的填报表，有下拉选项，填好再导入"),
		N_("export destinations -o 升学去向.xlsx"), cmd_export, CLI_REST},
	{"transition list", "", 0, 0, transition_list_options, EVERYBODY, READERS,
		N_("列出六年级学生的升学去向"), "transition list --unset", cmd_transition_list, CLI_WORK},
	{"transition missing", "", 0, 0, NULL, EVERYBODY, OFFICERS,
		N_("联网查看上报还差谁：应升学名单里材料不齐或已不在名册上的学生"), "transition missing",
		cmd_transition_missing, CLI_WORK},
	{"transition set", "PUPIL", 1, 1, transition_set_options, EVERYBODY, TEACHERS,
		N_("填报一名学生的去向（transition list 的序号、姓名或证件号码）"),
		N_("transition set 3 --dest A1 --school 测试县第一初级中学"), cmd_transition_set, CLI_WORK},
	{"transition file", "", 0, 0, transition_file_options, EVERYBODY, OFFICERS,
		N_("上报升学去向表：预填阶段备案，确认阶段正式上报"), "transition file", cmd_transition_file,
		CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"declare", "jg transition list --unset"},
	{"complete", "jg transition list"},
	{"list_transition", "jg transition list"},
	{"edit_transition", "jg transition set"},
	{"file", "jg transition file"},
	{"missing", "jg transition missing"},
	{0},
};

extern const struct cli_part jg_verify;
const struct cli_part jg_transition = {commands, ways, &jg_verify};
