/* What all schools answered to a paper's questions, as a table: a row a school, a column a question. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "draft.h"
#include "lang.h"
#include "sheet_write.h"
#include "tables.h"

#define FIXED 5 /* columns before the questions */

struct answers {
	struct cli *c;
	struct sheet_writer *w;
	const struct draft *draft;
	size_t rows;
	enum err e;
};

static bool page(void *data, const ProtobufCMessage *reply)
{
	const pb_delivery_list *list = (const pb_delivery_list *)reply;
	struct answers *x = data;

	for (size_t i = 0; !x->e && i < list->n_delivery; i++) {
		const pb_delivery_row *d = list->delivery[i];
		char signed_at[FACE_SIZE], answered_at[FACE_SIZE];
		json_t *answer = d->answer && *d->answer ? json_loads(d->answer, 0, NULL) : NULL;
		const char *cells[FIXED + DRAFT_QUESTIONS_MAX] = {d->school_name,
			admin_word(&codes_delivery_state, d->state), admin_time(d->signed_at, signed_at),
			d->signed_by, admin_time(d->answered_at, answered_at)};
		for (size_t q = 0; q < x->draft->question_count; q++)
			cells[FIXED + q] =
				json_string_value(json_object_get(answer, x->draft->questions[q].key));
		x->e = sheet_writer_row(
			x->w, cells, FIXED + x->draft->question_count, SHEET_PLAIN, &x->c->problem);
		json_decref(answer);
		x->rows++;
	}
	return !x->e;
}

static enum err write_all(struct answers *x)
{
	const char *heads[FIXED + DRAFT_QUESTIONS_MAX] = {
		_("学校"), _("状态"), _("签收时间"), _("签收人"), _("反馈时间")};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;

	for (size_t i = 0; i < x->draft->question_count; i++)
		heads[FIXED + i] = x->draft->questions[i].label;
	enum err e =
		sheet_writer_row(x->w, heads, FIXED + x->draft->question_count, SHEET_HEADER, &x->c->problem);
	q.doc = (char *)cli_operand(x->c, 0);
	if (!e)
		e = admin_stream(x->c, METHOD_DOCUMENTS_DELIVERIES, &q.base, page, x);
	return x->e ? x->e : e;
}

static int cmd_answers(struct cli *c)
{
	struct answers x = {.c = c};
	const pb_document_shown *shown;
	struct arena shown_arena, arena;
	struct draft draft;
	const char *path;
	int code;

	if (!documents_output(c, _("-o 反馈.xlsx"), &path, &code))
		return code;
	if (sheet_target_check(path, NULL, &c->problem))
		return cli_fail(c);
	arena_init(&arena, DOCUMENT_ARENA);
	enum err e = documents_shown(c, &shown_arena, &shown);
	if (!e && !shown->file.len)
		e = problem_set(&c->problem, ERR_NOT_NOW, "doc", "jgadmin documents list --kind out",
			_("这是来文，学校没有它"));
	if (!e)
		e = draft_parse(&draft, (const char *)shown->file.data, shown->file.len, &arena, &c->problem);
	x.draft = &draft;
	if (!e)
		e = sheet_writer_open(&x.w, path, _("反馈"), &c->problem);
	if (!e && (e = write_all(&x)))
		sheet_writer_discard(x.w);
	else if (!e)
		e = sheet_writer_close(x.w, &c->problem);
	arena_free(&arena);
	arena_free(&shown_arena);
	if (e)
		return cli_fail(c);
	cli_say(c, _("%zu 所学校的签收和反馈：%s"), x.rows, path);
	return cli_result(c, json_pack("{s:s,s:I}", "file", path, "schools", (json_int_t)x.rows), 0);
}

static const struct cli_option answers_options[] = {
	{"o", "FILE.xlsx", N_("存到这个文件")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"documents answers", "DOC", 1, 1, answers_options, ADMIN_NEEDS, 0,
		N_("各校的反馈，一校一行存成表格"), N_("documents answers 洪教发〔2026〕1号 -o 反馈.xlsx"),
		cmd_answers, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_answers = {commands, NULL, NULL};
