/* 处理单: a paper's life on paper – who did what, when, whom it was given to, the orders on it, and the
 * schools' copies. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "draft.h"
#include "lang.h"
#include "pdf_form.h"
#include "pdf_page.h"
#include "tables.h"

static const char *day_of(int32_t day, char out[16])
{
	snprintf(out, 16, day ? "%04d-%02d-%02d" : "", day / 10000, day / 100 % 100, day % 100);
	return out;
}

/* A line more; an empty one is none. */
static void add(char *text, size_t size, const char *line)
{
	size_t n = strlen(text);

	if (line && *line && n < size)
		snprintf(text + n, size - n, "%s%s", n ? "\n" : "", line);
}

static void draw_entry(struct pdf_form *f, const pb_document_trace *t)
{
	char when[FACE_SIZE], who[256], text[8192] = "";
	const char *label = admin_word(&codes_document_event, t->event);

	face_time(when, t->at, 0);
	if (t->for_ && *t->for_)
		snprintf(who, sizeof who, _("%s（代 %s）　%s"), t->by_name, t->for_, when);
	else
		snprintf(who, sizeof who, _("%s　%s"), t->by_name, when);
	add(text, sizeof text, t->text);
	add(text, sizeof text, t->said);
	add(text, sizeof text, who);
	pdf_form_row(f, label, text, 0);
}

/* ---- What hangs on it ---- */

struct beside {
	struct pdf_form *f;
	const struct draft *draft;
};

static bool order_page(void *data, const ProtobufCMessage *reply)
{
	const pb_order_list *list = (const pb_order_list *)reply;
	struct beside *x = data;

	for (size_t i = 0; i < list->n_order; i++) {
		const pb_order_row *o = list->order[i];
		char text[8192] = "", line[512], at[FACE_SIZE];
		add(text, sizeof text, o->title);
		snprintf(line, sizeof line, _("交给 %s，期限 %s；交办人 %s"), o->to_name,
			admin_term(o->due, at), o->adder_name);
		add(text, sizeof text, line);
		snprintf(line, sizeof line, _("%s　回复时间 %s"), admin_word(&codes_order_state, o->state),
			admin_time(o->answered_at, at));
		add(text, sizeof text, o->answer);
		add(text, sizeof text, o->answered_at ? line : admin_word(&codes_order_state, o->state));
		pdf_form_row(x->f, o->number, text, 0);
	}
	return true;
}

static enum err draw_orders(struct pdf_form *f, struct cli *c, const pb_document_shown *s)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	struct beside x = {f, NULL};

	q.doc = s->document->id;
	return admin_stream(c, METHOD_DOCUMENTS_ORDERS, &q.base, order_page, &x);
}

/* A school's answer, each question by its words. */
static void add_answer(char *text, size_t size, const struct draft *d, const char *answer)
{
	json_t *all = json_loads(answer && *answer ? answer : "{}", 0, NULL);
	char line[1024];

	for (size_t i = 0; i < d->question_count; i++) {
		const char *is = json_string_value(json_object_get(all, d->questions[i].key));
		if (is && d->questions[i].type == DRAFT_FILE && strlen(is) > 65)
			is += 65; /* its name, behind its hash */
		snprintf(line, sizeof line, _("%s：%s"), d->questions[i].label, is ? is : "");
		if (is)
			add(text, size, line);
	}
	json_decref(all);
}

static bool copy_page(void *data, const ProtobufCMessage *reply)
{
	const pb_delivery_list *list = (const pb_delivery_list *)reply;
	struct beside *x = data;

	for (size_t i = 0; i < list->n_delivery; i++) {
		const pb_delivery_row *d = list->delivery[i];
		char text[8192] = "", line[512], read[FACE_SIZE], signed_at[FACE_SIZE], answered[FACE_SIZE];
		snprintf(line, sizeof line, _("%s　%s（第 %d 版）"), d->school_name,
			admin_word(&codes_delivery_state, d->state), d->version);
		add(text, sizeof text, line);
		snprintf(line, sizeof line, _("已阅 %s；签收 %s %s；反馈 %s"), admin_time(d->read_at, read),
			admin_time(d->signed_at, signed_at), d->signed_by ? d->signed_by : "",
			admin_time(d->answered_at, answered));
		add(text, sizeof text, d->read_at || d->signed_at || d->answered_at ? line : "");
		add_answer(text, sizeof text, x->draft, d->answer);
		pdf_form_row(x->f, _("送达"), text, 0);
	}
	return true;
}

/* Whom it went to, and what they said of it: the contract's package has no part of its own for that. */
static enum err draw_copies(struct pdf_form *f, struct cli *c, const pb_document_shown *s)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	struct draft draft = {.question_count = 0};
	struct beside x = {f, &draft};
	struct problem unsaid;
	struct arena arena;

	arena_init(&arena, DOCUMENT_ARENA);
	if (draft_parse(&draft, (const char *)s->file.data, s->file.len, &arena, &unsaid))
		draft.question_count = 0;
	q.doc = s->document->id;
	enum err e = admin_stream(c, METHOD_DOCUMENTS_DELIVERIES, &q.base, copy_page, &x);
	arena_free(&arena);
	return e;
}

static void draw_sheet(struct pdf_form *f, struct cli *c, const pb_document_shown *s, enum err *e)
{
	const pb_document_row *d = s->document;
	bool in = strcmp(d->kind, "in") == 0;
	char text[512], now[FACE_SIZE], day[16];

	snprintf(text, sizeof text, "%s\n%s", c->profile.county_name, in ? _("收文处理单") : _("发文处理单"));
	pdf_form_title(f, text);
	pdf_form_row(f, _("文号"), documents_called(d->number, ""), 0);
	pdf_form_row(f, _("标题"), d->title, 0);
	if (in) {
		pdf_form_row(f, _("来文机关"), d->from ? d->from : "", 0);
		pdf_form_row(f, _("来文字号"), s->their_no ? s->their_no : "", 0);
	} else {
		pdf_form_row(f, _("签发人"), s->leader_name ? s->leader_name : "", 0);
		pdf_form_row(f, _("成文日期"), day_of(s->signed_on, day), 0);
	}
	pdf_form_row(f, _("紧急程度"), admin_word(&codes_urgency, d->urgency), 0);
	pdf_form_row(f, _("状态"), admin_word(documents_states(d->kind), d->state), 0);
	for (size_t i = 0; i < s->n_trace; i++)
		draw_entry(f, s->trace[i]);
	*e = draw_orders(f, c, s);
	if (!*e && !in)
		*e = draw_copies(f, c, s);
	face_time(now, profile_now_us(&c->profile), 0);
	snprintf(text, sizeof text, _("打印 %s　%s。本单由系统记录生成，不是电子印章或可靠电子签名。"), now,
		c->profile.session.name[0] ? c->profile.session.name : c->profile.session.user);
	pdf_form_note(f, text);
}

enum err documents_sheet(struct cli *c, const pb_document_shown *s, const char *path, unsigned *pages)
{
	struct pdf_page *paper;
	struct pdf_form form;
	enum err e = pdf_open(&paper, path, &c->problem);

	if (e)
		return e;
	pdf_form_begin(&form, paper, c->profile.rehearsal ? _("演　练") : NULL);
	draw_sheet(&form, c, s, &e);
	pdf_form_end(&form);
	*pages = form.sheets;
	enum err closed = pdf_close(paper, &c->problem);
	return e ? e : closed;
}

static int cmd_sheet(struct cli *c)
{
	const pb_document_shown *shown;
	struct arena arena;
	unsigned pages = 0;
	const char *path;
	int code;

	if (!documents_output(c, _("-o 处理单.pdf"), &path, &code))
		return code;
	if (pdf_ready(path, &c->problem))
		return cli_fail(c);
	enum err e = documents_shown(c, &arena, &shown);
	if (!e)
		e = documents_sheet(c, shown, path, &pages);
	arena_free(&arena);
	if (e)
		return cli_fail(c);
	cli_say(c, _("已存 %s"), path);
	return cli_result(c, json_pack("{s:s,s:i}", "file", path, "pages", (int)pages), 0);
}

static const struct cli_option sheet_options[] = {
	{"o", "FILE.pdf", N_("存到这个文件")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"documents sheet", "DOC", 1, 1, sheet_options, ADMIN_NEEDS, 0,
		N_("打印处理单：谁在什么时候办了什么"), N_("documents sheet 收〔2026〕1号 -o 处理单.pdf"),
		cmd_sheet, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_sheet = {commands, NULL, &admin_documents_answers};
