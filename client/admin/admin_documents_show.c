/* 办文: one paper, as who has to judge it reads it: whose it is, where it stands, what it says, who did
 * what. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "draft.h"
#include "hash.h"
#include "lang.h"
#include "tables.h"

static json_t *trace_json(const pb_document_shown *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->n_trace; i++) {
		const pb_document_trace *t = s->trace[i];
		char event[32];
		snprintf(event, sizeof event, "%s", t->event);
		for (char *p = event; *p; p++)
			if (*p == '_')
				*p = ' ';
		json_array_append_new(out,
			json_pack("{s:i,s:s,s:s,s:o,s:o,s:s,s:i,s:s}", "n", t->n, "event", event, "by", t->by,
				"for", admin_text(t->for_), "at", cli_time_json(t->at), "text", t->text,
				"version", t->version, "state", t->state));
	}
	return out;
}

static json_t *files_json(const pb_document_shown *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->n_attachment; i++) {
		const pb_document_file *f = s->attachment[i];
		char hex[2 * HASH_SIZE + 1];
		sodium_bin2hex(hex, sizeof hex, f->sha.data, f->sha.len);
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:I,s:s}", "name", f->name, "sha256", hex, "size",
				(json_int_t)f->size, "verdict", f->verdict));
	}
	return out;
}

static void say_files(struct cli *c, const pb_document_shown *s)
{
	const char *headings[] = {_("附件"), _("大小"), _("查毒")};
	struct cli_table *t = cli_table_new(headings, 3);

	for (size_t i = 0; i < s->n_attachment; i++) {
		const pb_document_file *f = s->attachment[i];
		char size[32];
		snprintf(size, sizeof size, "%llu KB", (unsigned long long)(f->size + 1023) / 1024);
		cli_table_row(
			t, (const char *[]){f->name, size, admin_word(&codes_file_verdict, f->verdict)});
	}
	if (s->n_attachment)
		cli_table_print(c, t);
	else
		cli_table_free(t);
}

static void say_trace(struct cli *c, const pb_document_shown *s)
{
	const char *headings[] = {_("时间"), _("经办"), _("办理"), _("意见"), _("此后状态")};
	struct cli_table *t = cli_table_new(headings, 5);
	char at[FACE_SIZE];

	for (size_t i = 0; i < s->n_trace; i++) {
		const pb_document_trace *e = s->trace[i];
		char by[160], text[8192];
		snprintf(text, sizeof text, *e->text && *e->said ? _("%s；%s") : "%s%s", e->text, e->said);
		snprintf(by, sizeof by, e->for_ && *e->for_ ? _("%s（代 %s）") : "%s", e->by_name, e->for_);
		cli_table_row(t,
			(const char *[]){admin_time(e->at, at), by,
				admin_word(&codes_document_event, e->event), text,
				admin_word(documents_states(s->document->kind), e->state)});
	}
	cli_table_print(c, t);
}

static void say_tasks(struct cli *c, const pb_document_shown *s)
{
	const char *headings[] = {_("待办"), _("由谁办"), _("到期"), _("时限")};
	struct cli_table *t = cli_table_new(headings, 4);
	char at[FACE_SIZE], with[160];

	for (size_t i = 0; i < s->n_task; i++)
		cli_table_row(t,
			(const char *[]){admin_word(&codes_document_step, s->task[i]->step),
				documents_with(s->task[i], with, sizeof with),
				admin_term(s->task[i]->due, at), admin_word(&codes_lamp, s->task[i]->lamp)});
	cli_table_print(c, t);
}

/* Schools by name. */
static void say_list(
	struct cli *c, const pb_document_shown *s, const char *label, const struct draft_list *list)
{
	char text[2000] = "";
	size_t used = 0;

	for (size_t i = 0; i < list->n && used < sizeof text; i++) {
		const char *name = list->items[i];
		for (size_t k = 0; k < s->n_name; k++)
			if (*s->name[k]->code && strcmp(s->name[k]->code, list->items[i]) == 0)
				name = s->name[k]->name;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "；" : "", name);
	}
	if (list->n)
		cli_say(c, _("%s：%s"), label, text);
}

/* What it says, to whom, and what schools are asked: what is signed is read before. */
static void say_text(struct cli *c, const pb_document_shown *s)
{
	static const char *const types[] = {[DRAFT_NUMBER] = N_("数"),
		[DRAFT_DATE] = N_("日期"),
		[DRAFT_TEXT] = N_("文字"),
		[DRAFT_FILE] = N_("文件"),
		[DRAFT_CHOICE] = N_("选择")};
	struct problem unread;
	struct arena arena;
	struct draft d;

	arena_init(&arena, DOCUMENT_ARENA);
	if (!draft_parse(&d, (const char *)s->file.data, s->file.len, &arena, &unread)) {
		say_list(c, s, _("主送"), &d.to);
		say_list(c, s, _("抄送"), &d.cc);
		cli_say(c, _("%s；%s%s%s"), d.publicity, _("签发人："),
			s->leader_name && *s->leader_name ? s->leader_name : _("还没有定"),
			*d.mark ? arena_printf(&arena, _("；%s"), d.mark) : "");
		cli_say(c, "\n%s", d.body);
		for (size_t i = 0; i < d.question_count; i++)
			cli_say(c, _("要学校反馈 %s：%s（%s）"), d.questions[i].key, d.questions[i].label,
				_(types[d.questions[i].type]));
	}
	arena_free(&arena);
}

/* What a person does with an open task that is his: the step, the words behind jgadmin documents, the
 * option that must be given. */
static const struct {
	const char *step, *command, *option;
} ways[] = {{"check", "accept", ""}, {"propose", "propose", N_(" --opinion 拟办意见 --leader 领导")},
	{"instruct", "instruct", N_(" --text 批示 --lead 承办人")},
	{"handle", "finish", N_(" --text 办理结果")}, {"assist", "report", N_(" --text 情况")},
	{"circulate", "read", ""}, {"review", "approve", ""}, {"file", "archive", N_(" --slot 存放位置")},
	{"draft", "submit", ""}, {"approve", "approve", ""}, {"countersign", "agree", ""},
	{"sign", "sign", ""}, {"joint", "joint", N_(" --org 机关 --by 签字人 --date 日期")},
	{"recheck", "recheck", ""}, {"number", "number", N_(" --series 代字")},
	{"press", "press", N_(" --copies 份数")}, {"proof", "proof pass", ""},
	{"seal", "seal", N_(" --count 份数")}, {"issue", "issue", ""}, {"close", "close", ""},
	{"judge", "deliveries", ""}, {"receipt", "deliveries", ""}};

static void say_next(struct cli *c, const pb_document_shown *s)
{
	const char *called = documents_called(s->document->number, s->document->id);

	if (s->file.len)
		cli_next(c, _("jgadmin documents print %s -o 公文.pdf：看它印出来的样子"), called);
	for (size_t i = 0; i < s->n_task; i++)
		for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
			if (strcmp(s->task[i]->step, ways[k].step) == 0 &&
				strcmp(s->task[i]->with, c->profile.session.user) == 0) {
				cli_next(c, "jgadmin documents %s %s%s", ways[k].command, called,
					*ways[k].option ? _(ways[k].option) : "");
				return;
			}
}

static void say_shown(struct cli *c, const pb_document_shown *s)
{
	const pb_document_row *d = s->document;

	cli_say(c, _("%s  %s"), documents_called(d->number, d->id), d->title);
	cli_say(c, _("%s，第 %d 版，%s"), admin_word(documents_states(d->kind), d->state), d->version,
		admin_word(&codes_urgency, d->urgency));
	if (d->from && *d->from)
		cli_say(c, _("来文机关：%s　来文字号：%s"), d->from,
			s->their_no && *s->their_no ? s->their_no : _("没有"));
	if (s->archive_no && *s->archive_no)
		cli_say(c, _("档号 %s"), s->archive_no);
	if (s->file.len)
		say_text(c, s);
	say_files(c, s);
	say_tasks(c, s);
	say_trace(c, s);
	say_next(c, s);
}

static enum err say_fetched(void *data, const pb_document_file *file, const char *path)
{
	struct cli *c = data;

	(void)file;
	cli_say(c, _("附件已存到 %s"), path);
	return ERR_OK;
}

int documents_show(struct cli *c)
{
	const pb_document_shown *s;
	struct arena arena;

	if (documents_shown(c, &arena, &s)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	json_t *json = documents_row_json(s->document), *tasks = json_array();
	for (size_t i = 0; i < s->n_task; i++)
		json_array_append_new(tasks, documents_task_json(s->task[i]));
	json_object_set_new(json, "urgency", json_string(s->document->urgency));
	json_object_set_new(json, "from", admin_text(s->document->from));
	json_object_set_new(json, "their_no", admin_text(s->their_no));
	json_object_set_new(json, "file",
		s->file.len ? json_stringn((const char *)s->file.data, s->file.len) : json_null());
	json_object_set_new(json, "drafter", admin_text(s->drafter));
	json_object_set_new(json, "signer", admin_text(s->leader));
	json_object_set_new(json, "lead", admin_text(s->lead));
	json_object_set_new(json, "signed_on", cli_date_json(s->signed_on));
	json_object_set_new(json, "pressed_on", cli_date_json(s->pressed_on));
	json_object_set_new(json, "tasks", tasks);
	json_object_set_new(json, "seals", documents_seals_json(s->seal, s->n_seal));
	json_object_set_new(json, "trace", trace_json(s));
	json_object_set_new(json, "attachments", files_json(s));
	json_object_set_new(json, "archive_no", admin_text(s->archive_no));
	if (!c->json)
		say_shown(c, s);
	enum err e = cli_option(c, "files") ? documents_fetch(c, s, cli_option(c, "files"), say_fetched, c)
					    : ERR_OK;
	arena_free(&arena);
	if (e) {
		json_decref(json);
		return cli_fail(c);
	}
	return cli_result(c, json, 0);
}
