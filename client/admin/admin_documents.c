/* 办文: one command for each event of a paper, and the lists. Which event needs what is the server's to
 * say; here stands how a person writes it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <utf8proc.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "date.h"
#include "draft.h"
#include "hash.h"
#include "lang.h"
#include "tables.h"

#define DOC "documents "
#define NAMES_MAX 100

/* ---- An event ---- */

/* A text, a repeated name, a day, a number or a flag of the ask, by the option that gives it. */
enum value_type { TEXT, NAMES, DAY, NUMBER, FLAG };
static const struct ask_field {
	const char *option;
	enum value_type type;
	size_t at;
	size_t has; /* of its has_ or n_ member */
} fields[] = {
	{"text", TEXT, offsetof(pb_document_ask, text), 0},
	{"opinion", TEXT, offsetof(pb_document_ask, text), 0},
	{"reason", TEXT, offsetof(pb_document_ask, reason), 0},
	{"leader", TEXT, offsetof(pb_document_ask, leader), 0},
	{"signer", TEXT, offsetof(pb_document_ask, leader), 0},
	{"lead", TEXT, offsetof(pb_document_ask, lead), 0},
	{"to", TEXT, offsetof(pb_document_ask, to), 0},
	{"slot", TEXT, offsetof(pb_document_ask, slot), 0},
	{"series", TEXT, offsetof(pb_document_ask, series), 0},
	{"org", TEXT, offsetof(pb_document_ask, organ), 0},
	{"by", TEXT, offsetof(pb_document_ask, by), 0},
	{"from", TEXT, offsetof(pb_document_ask, from), 0},
	{"their-no", TEXT, offsetof(pb_document_ask, their_no), 0},
	{"title", TEXT, offsetof(pb_document_ask, title), 0},
	{"genre", TEXT, offsetof(pb_document_ask, genre), 0},
	{"class", TEXT, offsetof(pb_document_ask, class_), 0},
	{"urgency", TEXT, offsetof(pb_document_ask, urgency), 0},
	{"kind", TEXT, offsetof(pb_document_ask, carrier), 0},
	{"caller", TEXT, offsetof(pb_document_ask, caller), 0},
	{"phone", TEXT, offsetof(pb_document_ask, phone), 0},
	{"matter", TEXT, offsetof(pb_document_ask, matter), 0},
	{"assist", NAMES, offsetof(pb_document_ask, assist), offsetof(pb_document_ask, n_assist)},
	{"readers", NAMES, offsetof(pb_document_ask, readers), offsetof(pb_document_ask, n_readers)},
	{"countersign", NAMES, offsetof(pb_document_ask, countersign),
		offsetof(pb_document_ask, n_countersign)},
	{"joint", NAMES, offsetof(pb_document_ask, joint), offsetof(pb_document_ask, n_joint)},
	{"due", DAY, offsetof(pb_document_ask, due), offsetof(pb_document_ask, has_due)},
	{"until", DAY, offsetof(pb_document_ask, due), offsetof(pb_document_ask, has_due)},
	{"feedback-due", DAY, offsetof(pb_document_ask, due), offsetof(pb_document_ask, has_due)},
	{"date", DAY, offsetof(pb_document_ask, date), offsetof(pb_document_ask, has_date)},
	{"seen", NUMBER, offsetof(pb_document_ask, seen), offsetof(pb_document_ask, has_seen)},
	{"copies", NUMBER, offsetof(pb_document_ask, copies), offsetof(pb_document_ask, has_copies)},
	{"count", NUMBER, offsetof(pb_document_ask, count), offsetof(pb_document_ask, has_count)},
	{"in-order", FLAG, offsetof(pb_document_ask, in_order), offsetof(pb_document_ask, has_in_order)},
	{"substance", FLAG, offsetof(pb_document_ask, substance), offsetof(pb_document_ask, has_substance)},
	{"force", FLAG, offsetof(pb_document_ask, force), offsetof(pb_document_ask, has_force)},
	{"again", FLAG, offsetof(pb_document_ask, again), offsetof(pb_document_ask, has_again)},
	{"detach", FLAG, offsetof(pb_document_ask, detach), offsetof(pb_document_ask, has_detach)},
};

/* People's words become codes where the field is a list of them. */
static const char *coded(const char *option, const char *value)
{
	static const struct {
		const char *option;
		const struct code_list *list;
	} lists[] = {{"class", &codes_document_class}, {"urgency", &codes_urgency},
		{"kind", &codes_document_carrier}};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *code = strcmp(lists[i].option, option) ? NULL : code_find(lists[i].list, value);
		if (code)
			return code;
	}
	return value;
}

struct names {
	char *list[4][NAMES_MAX];
	size_t used;
};

static enum err take_option(struct cli *c, pb_document_ask *q, const struct ask_field *f, struct names *names)
{
	const char *value = cli_option(c, f->option);
	char *at = (char *)q + f->at, *has = (char *)q + f->has, *end, hint[32];
	int32_t number;

	if (!value)
		return ERR_OK;
	switch (f->type) {
	case TEXT:
		*(char **)at = (char *)coded(f->option, value);
		return ERR_OK;
	case NAMES:
		*(char ***)at = names->list[names->used];
		for (int i = 0; i < NAMES_MAX && (value = cli_option_at(c, f->option, i)); i++)
			names->list[names->used][(*(size_t *)has)++] = (char *)value;
		names->used++;
		return ERR_OK;
	case DAY:
		*(protobuf_c_boolean *)has = 1;
		if (!date_parse(value, DATE_EPOCH_1900, (int32_t *)at))
			return ERR_OK;
		snprintf(hint, sizeof hint, "--%s 2026-09-12", f->option);
		return problem_set(&c->problem, ERR_USAGE, f->option, hint, _("日期 %s 不对"), value);
	case NUMBER:
		*(protobuf_c_boolean *)has = 1;
		number = (int32_t)strtol(value, &end, 10);
		memcpy(at, &number, sizeof number);
		if (number > 0 && !*end)
			return ERR_OK;
		snprintf(hint, sizeof hint, "--%s 1", f->option);
		return problem_set(&c->problem, ERR_USAGE, f->option, hint, _("“%s”不是数"), value);
	default:
		*(protobuf_c_boolean *)has = 1;
		*(protobuf_c_boolean *)at = 1;
		return ERR_OK;
	}
}

char *documents_read_draft(struct cli *c, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = file ? malloc(DRAFT_BYTES_MAX + 1) : NULL;
	size_t n = text ? fread(text, 1, DRAFT_BYTES_MAX + 1, file) : 0;

	if (file)
		fclose(file);
	if (text && n <= DRAFT_BYTES_MAX && !memchr(text, 0, n)) {
		text[n] = 0;
		return text;
	}
	if (!file || !text)
		problem_set(&c->problem, file ? ERR_NOMEM : ERR_FILE_IO, NULL, NULL, _("打不开 %s"), path);
	else if (n > DRAFT_BYTES_MAX)
		problem_set(&c->problem, ERR_FILE_LIMIT, NULL, NULL, _("%s 超过 64 KB：表格和名单另作附件"),
			path);
	else
		problem_set(&c->problem, ERR_FILE_FORMAT, NULL, _("另存为 UTF-8 文本（.txt）再办"),
			_("%s 不是文本"), path);
	free(text);
	return NULL;
}

const struct code_list *documents_states(const char *kind)
{
	return kind && strcmp(kind, "meeting") == 0 ? &codes_meeting_state
		: kind && strcmp(kind, "out") == 0  ? &codes_out_state
						    : &codes_in_state;
}

const char *documents_called(const char *number, const char *id)
{
	return number && *number ? number : id;
}

/* In a list, where a row has its own number. */
static const char *numbered(const char *number)
{
	return number && *number ? number : _("还没有");
}

/* What mostly the same person does next; else he looks. */
static const struct next {
	const char *state, *event, *option;
} nexts[] = {{"registered", "accept", ""}, {"proposing", "propose", N_(" --opinion 拟办意见 --leader 领导")},
	{"draft", "submit", ""}, {"numbering", "number", N_(" --series 代字")},
	{"numbered", "press", N_(" --copies 份数")}, {"printing", "proof pass", ""},
	{"proofed", "seal", N_(" --count 份数")}, {"sealed", "issue", ""}, {"issued", "deliveries", ""},
	{NULL, "show", ""}};

static const struct next *next_of(const pb_document_reply *r)
{
	const struct next *n = nexts;

	while (n->state && strcmp(n->state, r->state) != 0)
		n++;
	return n;
}

static int told(struct cli *c, const pb_document_reply *r)
{
	const char *called = documents_called(r->number, r->id);
	const struct next *next = next_of(r);

	cli_say(c, _("%s：现在是 %s（第 %d 版）"), called, admin_word(documents_states(r->kind), r->state),
		r->version);
	cli_next(c, "jgadmin documents %s %s%s", next->event, called, *next->option ? _(next->option) : "");
	return cli_result(c,
		json_pack("{s:s,s:o,s:s,s:i,s:o,s:i}", "id", r->id, "number", admin_text(r->number), "state",
			r->state, "version", r->version, "at", cli_time_json(r->at), "n", r->n),
		0);
}

static int ask(struct cli *c, pb_document_ask *q)
{
	const ProtobufCMessage *reply;
	struct arena arena;
	enum err e = documents_ask(c, SIGNED_EVENT, &q->base, &arena, &reply);
	int code = e ? cli_fail(c) : told(c, (const pb_document_reply *)reply);

	arena_free(&arena);
	return code;
}

/* The event's code is the command's words: “documents proof pass” is proof_pass. Its operands are the paper and
 * the file, where it has them. */
int documents_event(struct cli *c)
{
	pb_document_ask q = PB_DOCUMENT_ASK_INIT;
	char event[32], *file = NULL;
	struct names names = {.used = 0};
	enum err e = ERR_OK;
	int at = 0;

	snprintf(event, sizeof event, "%s", c->command->words + strlen(DOC));
	for (char *p = event; *p; p++)
		if (*p == ' ')
			*p = '_';
	q.event = event;
	for (size_t i = 0; !e && i < sizeof fields / sizeof *fields; i++)
		e = take_option(c, &q, &fields[i], &names);
	if (e)
		return cli_fail(c);
	if (strstr(c->command->operands, "DOC"))
		q.doc = (char *)cli_operand(c, at++);
	if (at < c->operands) {
		file = documents_read_draft(c, cli_operand(c, at));
		if (!file)
			return cli_fail(c);
		q.has_file = 1;
		q.file = (ProtobufCBinaryData){strlen(file), (uint8_t *)file};
	}
	int code = documents_attach(c, &q) ? cli_fail(c) : ask(c, &q);
	documents_attach_free(&q);
	free(file);
	return code;
}

/* Two things are called that: what who assists has to say, and what a month was like. */
static int cmd_report(struct cli *c)
{
	return c->operands ? documents_event(c) : documents_month_report(c);
}

/* ---- Lists ---- */

struct rows {
	struct cli *c;
	json_t *json;
	struct cli_table *table;
	json_t *ids; /* what the short numbers mean */
	size_t n;
};

/* The next row's number on the screen, under which the next command knows the paper. */
static const char *row_number(struct rows *x, const char *id, char out[16])
{
	snprintf(out, 16, "%zu", ++x->n);
	json_object_set_new(x->ids, out, json_string(id));
	return out;
}

/* A word as lists show it becomes its code; what is none stays, for the server to refuse. */
static const char *code_of(const struct code_list *list, const char *text)
{
	const char *code = text ? code_find(list, text) : NULL;

	return code ? code : text;
}

static const char *direction_of(const char *text)
{
	if (text && strncmp(text, "收", strlen("收")) == 0)
		return "in";
	return text && strncmp(text, "发", strlen("发")) == 0 ? "out" : text;
}

static void fill_query(struct cli *c, pb_document_query *q)
{
	*q = (pb_document_query)PB_DOCUMENT_QUERY_INIT;
	q->kind = (char *)direction_of(cli_option(c, "kind"));
	q->state = (char *)code_of(&codes_in_state, code_of(&codes_out_state, cli_option(c, "state")));
	q->with = (char *)cli_option(c, "with");
	q->step = (char *)code_of(&codes_document_step, cli_option(c, "step"));
	q->school = (char *)cli_option(c, "school");
	q->series = (char *)cli_option(c, "series");
	q->doc = (char *)(c->operands ? cli_operand(c, 0) : NULL);
	if (cli_option(c, "days")) {
		q->has_days = 1;
		q->days = (uint32_t)strtoul(cli_option(c, "days"), NULL, 10);
	}
	if (cli_option(c, "year")) {
		q->has_year = 1;
		q->year = (int32_t)strtol(cli_option(c, "year"), NULL, 10);
	}
}

json_t *documents_row_json(const pb_document_row *d)
{
	return json_pack("{s:s,s:o,s:s,s:o,s:s,s:s,s:i}", "id", d->id, "number", admin_text(d->number),
		"kind", d->kind, "genre", admin_text(d->genre), "title", d->title, "state", d->state,
		"version", d->version);
}

static bool list_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_list *page = (const pb_document_list *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < page->n_document; i++) {
		const pb_document_row *d = page->document[i];
		char n[16];
		json_array_append_new(x->json, documents_row_json(d));
		cli_table_row(x->table,
			(const char *[]){row_number(x, d->id, n), numbered(d->number),
				strcmp(d->kind, "out") ? _("收") : _("发"), d->title,
				admin_word(documents_states(d->kind), d->state), d->from,
				admin_word(&codes_urgency, d->urgency)});
	}
	return true;
}

static int list(struct cli *c, uint16_t method, const pb_document_query *q)
{
	const char *headings[] = {
		_("序号"), _("文号"), _("收发"), _("标题"), _("状态"), _("来文机关"), _("紧急程度")};
	struct rows x = {
		.c = c, .json = json_array(), .ids = json_object(), .table = cli_table_new(headings, 7)};

	if (admin_stream(c, method, &q->base, list_page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		json_decref(x.ids);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	admin_shown_keep(c, "documents", x.ids);
	cli_next(c, "%s", _("jgadmin documents show 序号"));
	return cli_result(c, x.json, 0);
}

static int cmd_list(struct cli *c)
{
	pb_document_query q;

	fill_query(c, &q);
	return list(c, METHOD_DOCUMENTS_LIST, &q);
}

/* What is typed may be composed otherwise than it is stored; how it is compared is the server's. */
static int cmd_search(struct cli *c)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	utf8proc_uint8_t *text = utf8proc_NFC((const utf8proc_uint8_t *)cli_operand(c, 0));

	if (!text)
		return cli_fail_with(c, ERR_USAGE, NULL, _("“%s”不是文字"), cli_operand(c, 0));
	q.text = (char *)text;
	int code = list(c, METHOD_DOCUMENTS_SEARCH, &q);
	free(text);
	return code;
}

json_t *documents_task_json(const pb_document_task *t)
{
	return json_pack("{s:s,s:o,s:s,s:o,s:s,s:o,s:n,s:o,s:o,s:o,s:s,s:i}", "doc", t->doc, "number",
		admin_text(t->number), "step", t->step, "school", admin_text(t->school), "with", t->with,
		"for", admin_text(t->for_), "round", "since", cli_time_json(t->since), "opened",
		cli_time_json(t->opened), "due", cli_time_json(t->due), "lamp", t->lamp, "days", t->days);
}

const char *documents_with(const pb_document_task *t, char *out, size_t size)
{
	if (t->for_ && *t->for_)
		snprintf(out, size, _("%s（代 %s）"), t->with_name, t->for_);
	else
		snprintf(out, size, "%s", *t->with_name ? t->with_name : _("没有定岗"));
	return out;
}

static bool stuck_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_tasks *page = (const pb_document_tasks *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < page->n_task; i++) {
		const pb_document_task *t = page->task[i];
		char n[16], due[FACE_SIZE], days[16], with[160];
		json_array_append_new(x->json, documents_task_json(t));
		snprintf(days, sizeof days, "%d", t->days);
		cli_table_row(x->table,
			(const char *[]){row_number(x, t->doc, n), admin_word(&codes_lamp, t->lamp),
				admin_term(t->due, due), numbered(t->number), t->title,
				admin_word(&codes_document_step, t->step),
				documents_with(t, with, sizeof with), days});
	}
	return true;
}

static int cmd_stuck(struct cli *c)
{
	const char *headings[] = {_("序号"), _("时限"), _("到期"), _("文号"), _("标题"), _("待办"),
		_("由谁办"), _("已过工作日")};
	struct rows x = {
		.c = c, .json = json_array(), .ids = json_object(), .table = cli_table_new(headings, 8)};
	pb_document_query q;

	fill_query(c, &q);
	if (admin_stream(c, METHOD_DOCUMENTS_STUCK, &q.base, stuck_page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		json_decref(x.ids);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	admin_shown_keep(c, "documents", x.ids);
	cli_next(c, "%s", _("jgadmin documents show 序号；催办：jgadmin documents remind 序号 --step 待办"));
	return cli_result(c, x.json, 0);
}

static bool reminder_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_reminders *page = (const pb_document_reminders *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < page->n_reminder; i++) {
		const pb_document_reminder *m = page->reminder[i];
		char at[FACE_SIZE], k[16] = "";
		json_array_append_new(x->json,
			json_pack("{s:s,s:o,s:s,s:o,s:s,s:i,s:s,s:o}", "doc", m->doc, "number",
				admin_text(m->number), "step", m->step, "school", admin_text(m->school),
				"what", m->what, "k", m->k, "to", m->to, "at", cli_time_json(m->at)));
		if (m->k)
			snprintf(k, sizeof k, "%d", m->k);
		cli_table_row(x->table,
			(const char *[]){admin_time(m->at, at), documents_called(m->number, m->doc), m->title,
				admin_word(&codes_document_step, m->step),
				admin_word(&codes_document_reminder, m->what), k, m->to});
	}
	return true;
}

static int cmd_reminders(struct cli *c)
{
	const char *headings[] = {
		_("时间"), _("文号"), _("标题"), _("待办"), _("提醒"), _("第几日"), _("提醒谁")};
	struct rows x = {.c = c, .json = json_array(), .table = cli_table_new(headings, 7)};
	pb_document_query q;

	fill_query(c, &q);
	if (admin_stream(c, METHOD_DOCUMENTS_REMINDERS, &q.base, reminder_page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	return cli_result(c, x.json, 0);
}

static int cmd_remind(struct cli *c)
{
	const ProtobufCMessage *reply;
	pb_document_query q;
	struct arena arena;

	fill_query(c, &q);
	enum err e = admin_ask(c, METHOD_DOCUMENTS_REMIND, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_set_reply *r = (const pb_set_reply *)reply;
	cli_say(c, _("已催办 %u 项"), r->changed);
	json_t *json = json_pack("{s:i,s:o}", "n", (int)r->changed, "at", cli_time_json(r->at));
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static bool number_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_numbers *page = (const pb_document_numbers *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < page->n_number; i++) {
		const pb_document_number *m = page->number[i];
		json_array_append_new(x->json,
			json_pack("{s:i,s:s,s:s,s:s,s:o}", "n", m->n, "number", m->number, "doc", m->doc,
				"state", m->void_ ? "void" : "used", "reason", admin_text(m->reason)));
		cli_table_row(
			x->table, (const char *[]){m->number, m->void_ ? _("作废") : _("使用"), m->reason});
	}
	return true;
}

static int cmd_numbers(struct cli *c)
{
	const char *headings[] = {_("文号"), _("状态"), _("理由")};
	struct rows x = {.c = c, .json = json_array(), .table = cli_table_new(headings, 3)};
	pb_document_query q;

	fill_query(c, &q);
	if (admin_stream(c, METHOD_DOCUMENTS_NUMBERS, &q.base, number_page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	return cli_result(c, x.json, 0);
}

/* ---- The commands ---- */

#define SEEN                                                                                                 \
	{                                                                                                    \
		"seen", "V", N_("看到的是第几版；已经改过的不办")                                            \
	}
#define REASON                                                                                               \
	{                                                                                                    \
		"reason", "TEXT", N_("理由（必写）")                                                         \
	}
#define TEXT_OPTION                                                                                          \
	{                                                                                                    \
		"text", "TEXT", N_("意见")                                                                   \
	}
#define ATTACH                                                                                               \
	{                                                                                                    \
		"attach", "FILE", N_("附件，可写多次")                                                       \
	}
#define DETACH                                                                                               \
	{                                                                                                    \
		"detach", NULL, N_("去掉全部附件（不写附件则原来的都留着）")                                 \
	}
#define FILES                                                                                                \
	{                                                                                                    \
		"files", "DIR", N_("把附件取到这个文件夹")                                                   \
	}
#define ROLES_ALL                                                                                            \
	(1u << ROLE_LEADER | 1u << ROLE_OFFICE | 1u << ROLE_BASIC_EDU | 1u << ROLE_SUPERVISION |             \
		1u << ROLE_ADMISSIONS)
#define ROLES_OFFICE (1u << ROLE_OFFICE)
#define ROLES_LEADER (1u << ROLE_LEADER)

static const struct cli_option seen_options[] = {SEEN, {0}};
static const struct cli_option reason_options[] = {REASON, SEEN, {0}};
static const struct cli_option text_options[] = {TEXT_OPTION, SEEN, {0}};
static const struct cli_option report_options[] = {TEXT_OPTION, SEEN,
	{"month", "M", N_("月报：哪个月，如 2026-09")}, {"html", "FILE", N_("月报同时写成网页")},
	{"xlsx", "FILE", N_("月报同时写成电子表格")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_option register_options[] = {
	{"from", "ORG", N_("来文机关（必写，先用 orgs set 登记）")}, {"their-no", "N", N_("来文字号")},
	{"title", "TEXT", N_("标题（必写）")}, {"genre", "TEXT", N_("文种")},
	{"class", "CLASS", N_("办件或阅件（默认办件）")},
	{"urgency", "U", N_("平件、加急、特急（默认平件）")},
	{"kind", "KIND", N_("纸质、电子、明电、电话记录（默认纸质）")}, {"caller", "NAME", N_("来电人")},
	{"phone", "TEXT", N_("来电号码")}, {"matter", "TEXT", N_("电话内容")}, ATTACH, {0}};
static const struct cli_option propose_options[] = {{"opinion", "TEXT", N_("拟办意见（必写）")},
	{"leader", "USER", N_("请哪位领导批示")}, {"readers", "USER", N_("阅件传阅给谁，可写多次")},
	{"in-order", NULL, N_("依次传阅")}, SEEN, {0}};
static const struct cli_option instruct_options[] = {{"text", "TEXT", N_("批示（必写）")},
	{"lead", "USER", N_("承办人")}, {"assist", "USER", N_("协办人，可写多次")},
	{"due", "DATE", N_("办理期限（默认按时限设置）")}, {"readers", "USER", N_("只传阅：给谁，可写多次")},
	{"in-order", NULL, N_("依次传阅")}, SEEN, {0}};
static const struct cli_option pass_options[] = {{"leader", "USER", N_("转给哪位领导批示")}, SEEN, {0}};
static const struct cli_option transfer_options[] = {{"to", "USER", N_("改派给谁")}, REASON, SEEN, {0}};
static const struct cli_option extend_options[] = {{"until", "DATE", N_("延到哪一天")}, REASON, SEEN, {0}};
static const struct cli_option archive_options[] = {
	{"slot", "PLACE", N_("存放位置（柜、层、盒）")}, SEEN, {0}};
static const struct cli_option draft_options[] = {{"signer", "USER", N_("请哪位领导签发")},
	{"countersign", "USER", N_("会签人，可写多次")}, {"in-order", NULL, N_("依次会签")},
	{"joint", "ORG", N_("联合行文机关，可写多次")}, ATTACH, SEEN, {0}};
static const struct cli_option edit_options[] = {{"signer", "USER", N_("请哪位领导签发")},
	{"countersign", "USER", N_("会签人，可写多次")}, {"in-order", NULL, N_("依次会签")},
	{"joint", "ORG", N_("联合行文机关，可写多次")}, ATTACH, DETACH, SEEN, {0}};
static const struct cli_option reissue_options[] = {REASON, ATTACH, DETACH, SEEN, {0}};
static const struct cli_option show_options[] = {FILES, {0}};
static const struct cli_option joint_options[] = {{"org", "ORG", N_("哪个机关")},
	{"by", "NAME", N_("谁签的字")}, {"date", "DATE", N_("哪一天签的")}, SEEN, {0}};
static const struct cli_option change_options[] = {
	REASON, {"substance", NULL, N_("实质改动，重新签发（不写则由系统比较）")}, ATTACH, DETACH, SEEN, {0}};
static const struct cli_option number_options[] = {{"series", "S", N_("代字，如 洪教发")}, SEEN, {0}};
static const struct cli_option press_options[] = {{"copies", "N", N_("印多少份")}, SEEN, {0}};
static const struct cli_option seal_options[] = {{"count", "N", N_("盖多少份")}, SEEN, {0}};
static const struct cli_option close_options[] = {
	{"force", NULL, N_("主要负责人强制办结")}, {"reason", "TEXT", N_("强制办结的理由")}, SEEN, {0}};
static const struct cli_option list_options[] = {{"kind", "KIND", N_("in 收文，out 发文")},
	{"state", "STATE", N_("状态")}, {"with", "USER", N_("由谁办")}, {0}};
static const struct cli_option stuck_options[] = {
	{"days", "N", N_("至少过了几个工作日")}, {"with", "USER", N_("由谁办")}, {0}};
static const struct cli_option remind_options[] = {
	{"step", "STEP", N_("哪一项待办")}, {"school", "SCHOOL", N_("哪所学校")}, {0}};
static const struct cli_option numbers_options[] = {
	{"series", "S", N_("代字；收文写 收")}, {"year", "Y", N_("年度")}, {0}};

static const struct cli_command commands[] = {
	{"documents register", "", 0, 0, register_options, ADMIN_NEEDS, ROLES_OFFICE, N_("登记来文"),
		N_("documents register --from 省教育厅 --their-no 教基〔2026〕3号 --title "
		   "关于开展安全检查的通知"),
		documents_event, CLI_WORK},
	{"documents accept", "DOC", 1, 1, seen_options, ADMIN_NEEDS, ROLES_OFFICE, N_("初审受理"),
		N_("documents accept 收〔2026〕1号"), documents_event, CLI_WORK},
	{"documents refuse", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_OFFICE, N_("退文"),
		N_("documents refuse 收〔2026〕1号 --reason 主送不是本局"), documents_event, CLI_WORK},
	{"documents propose", "DOC", 1, 1, propose_options, ADMIN_NEEDS, ROLES_OFFICE,
		N_("拟办：请领导批示，或传阅"),
		N_("documents propose 收〔2026〕1号 --opinion 请张局长批示 --leader zhangsan1"),
		documents_event, CLI_WORK},
	{"documents instruct", "DOC", 1, 1, instruct_options, ADMIN_NEEDS, ROLES_LEADER,
		N_("批示：交谁承办，或传阅"),
		N_("documents instruct 收〔2026〕1号 --text 请基教科办 --lead lisi1 --due 2026-09-12"),
		documents_event, CLI_WORK},
	{"documents pass", "DOC", 1, 1, pass_options, ADMIN_NEEDS, ROLES_LEADER, N_("转另一位领导批示"),
		N_("documents pass 收〔2026〕1号 --leader wangwu1"), documents_event, CLI_WORK},
	{"documents return", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_ALL, N_("退回上一步"),
		N_("documents return 收〔2026〕1号 --reason 请写明承办科室"), documents_event, CLI_WORK},
	{"documents report", "[DOC]", 0, 1, report_options, ADMIN_NEEDS, ROLES_ALL,
		N_("协办反馈；不写公文、写 --month：一个月的办文情况"),
		N_("documents report 收〔2026〕1号 --text 名单已提供"), cmd_report, CLI_WORK},
	{"documents finish", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_ALL, N_("承办办完"),
		N_("documents finish 收〔2026〕1号 --text 已复函"), documents_event, CLI_WORK},
	{"documents decline", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_ALL, N_("退办：不归自己办"),
		N_("documents decline 收〔2026〕1号 --reason 属督导室职责"), documents_event, CLI_WORK},
	{"documents transfer", "DOC", 1, 1, transfer_options, ADMIN_NEEDS, ROLES_LEADER | ROLES_OFFICE,
		N_("改派承办人"), N_("documents transfer 收〔2026〕1号 --to zhaoliu1 --reason 出差"),
		documents_event, CLI_WORK},
	{"documents extend", "DOC", 1, 1, extend_options, ADMIN_NEEDS, ROLES_LEADER, N_("延长办理期限"),
		N_("documents extend 收〔2026〕1号 --until 2026-09-20 --reason 等省厅答复"), documents_event,
		CLI_WORK},
	{"documents read", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_ALL, N_("传阅件已阅"),
		N_("documents read 收〔2026〕2号"), documents_event, CLI_WORK},
	{"documents approve", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_OFFICE,
		N_("审核通过：来文办结，或文稿送签"), N_("documents approve 收〔2026〕1号"), documents_event,
		CLI_WORK},
	{"documents reopen", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_LEADER, N_("办结的来文重新办理"),
		N_("documents reopen 收〔2026〕1号 --reason 上级追问"), documents_event, CLI_WORK},
	{"documents archive", "DOC", 1, 1, archive_options, ADMIN_NEEDS, ROLES_OFFICE, N_("归档"),
		N_("documents archive 收〔2026〕1号 --slot 2柜3层5盒"), documents_event, CLI_WORK},
	{"documents void", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_ALL, N_("作废（号不再用）"),
		N_("documents void 收〔2026〕1号 --reason 重复来文"), documents_event, CLI_WORK},
	{"documents draft", "FILE", 1, 1, draft_options, ADMIN_NEEDS, ROLES_ALL, N_("起草发文"),
		N_("documents draft 通知.txt --signer zhangsan1 --countersign lisi1"), documents_event,
		CLI_WORK},
	{"documents edit", "DOC [FILE]", 1, 2, edit_options, ADMIN_NEEDS, ROLES_ALL, N_("修改自己起草的文稿"),
		N_("documents edit 0190… 通知.txt"), documents_event, CLI_WORK},
	{"documents submit", "DOC", 1, 1, seen_options, ADMIN_NEEDS, ROLES_ALL, N_("文稿送审"),
		"documents submit 0190…", documents_event, CLI_WORK},
	{"documents agree", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_ALL, N_("会签同意"),
		"documents agree 0190…", documents_event, CLI_WORK},
	{"documents object", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_ALL,
		N_("会签不同意，退回起草人"), N_("documents object 0190… --reason 第二条与督导规程不符"),
		documents_event, CLI_WORK},
	{"documents sign", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_LEADER, N_("签发"),
		"documents sign 0190…", documents_event, CLI_WORK},
	{"documents joint", "DOC", 1, 1, joint_options, ADMIN_NEEDS, ROLES_ALL, N_("记下联合行文机关的签发"),
		N_("documents joint 0190… --org 县公安局 --by 王局长 --date 2026-09-10"), documents_event,
		CLI_WORK},
	{"documents recheck", "DOC", 1, 1, text_options, ADMIN_NEEDS, ROLES_OFFICE, N_("复核"),
		"documents recheck 0190…", documents_event, CLI_WORK},
	{"documents change", "DOC FILE", 2, 2, change_options, ADMIN_NEEDS, ROLES_OFFICE,
		N_("复核时改动文稿"), N_("documents change 0190… 通知.txt --reason 标点"), documents_event,
		CLI_WORK},
	{"documents number", "DOC", 1, 1, number_options, ADMIN_NEEDS, ROLES_OFFICE, N_("编发文字号"),
		N_("documents number 0190… --series 洪教发"), documents_event, CLI_WORK},
	{"documents press", "DOC", 1, 1, press_options, ADMIN_NEEDS, ROLES_OFFICE, N_("送印"),
		N_("documents press 洪教发〔2026〕1号 --copies 60"), documents_event, CLI_WORK},
	{"documents proof pass", "DOC", 1, 1, seen_options, ADMIN_NEEDS, ROLES_OFFICE, N_("校对通过"),
		N_("documents proof pass 洪教发〔2026〕1号"), documents_event, CLI_WORK},
	{"documents proof fail", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_OFFICE,
		N_("校对不过，重新送印"), N_("documents proof fail 洪教发〔2026〕1号 --reason 缺页"),
		documents_event, CLI_WORK},
	{"documents seal", "DOC", 1, 1, seal_options, ADMIN_NEEDS, ROLES_OFFICE, N_("登记用印"),
		N_("documents seal 洪教发〔2026〕1号 --count 60"), documents_event, CLI_WORK},
	{"documents close", "DOC", 1, 1, close_options, ADMIN_NEEDS, ROLES_LEADER | ROLES_OFFICE, N_("办结"),
		N_("documents close 洪教发〔2026〕1号"), documents_event, CLI_WORK},
	{"documents recall", "DOC", 1, 1, reason_options, ADMIN_NEEDS, ROLES_LEADER, N_("撤回已印发的文"),
		N_("documents recall 洪教发〔2026〕1号 --reason 上级另有规定"), documents_event, CLI_WORK},
	{"documents reissue", "DOC FILE", 2, 2, reissue_options, ADMIN_NEEDS, ROLES_ALL, N_("更正重发"),
		N_("documents reissue 洪教发〔2026〕1号 通知.txt --reason 日期有误"), documents_event,
		CLI_WORK},
	{"documents withdraw", "DOC", 1, 1, seen_options, ADMIN_NEEDS, ROLES_ALL, N_("撤回自己送审的文稿"),
		"documents withdraw 0190…", documents_event, CLI_WORK},
	{"documents list", "", 0, 0, list_options, ADMIN_NEEDS, ROLES_ALL, N_("列出公文"),
		"documents list --kind in", cmd_list, CLI_WORK},
	{"documents search", "TEXT", 1, 1, NULL, ADMIN_NEEDS, ROLES_ALL,
		N_("按标题、文号、正文和附件里的字找公文（空格隔开的都要有）"),
		N_("documents search 安全隐患"), cmd_search, CLI_WORK},
	{"documents show", "DOC", 1, 1, show_options, ADMIN_NEEDS, ROLES_ALL,
		N_("看一份公文：到哪一步、在谁手里、经过谁"), N_("documents show 收〔2026〕1号"),
		documents_show, CLI_WORK},
	{"documents stuck", "", 0, 0, stuck_options, ADMIN_NEEDS, ROLES_ALL, N_("在办的事，最急的在前"),
		"documents stuck --days 3", cmd_stuck, CLI_WORK},
	{"documents reminders", "[DOC]", 0, 1, NULL, ADMIN_NEEDS, ROLES_ALL, N_("发过的提醒"),
		"documents reminders", cmd_reminders, CLI_WORK},
	{"documents remind", "DOC", 1, 1, remind_options, ADMIN_NEEDS, ROLES_ALL, N_("催办（一项一天一次）"),
		N_("documents remind 收〔2026〕1号 --step handle"), cmd_remind, CLI_WORK},
	{"documents numbers", "", 0, 0, numbers_options, ADMIN_NEEDS, ROLES_LEADER | ROLES_OFFICE,
		N_("一个代字一年的文号"), N_("documents numbers --series 洪教发 --year 2026"), cmd_numbers,
		CLI_WORK},
	{0},
};

const struct cli_part admin_documents = {commands, NULL, &admin_documents_cost};
