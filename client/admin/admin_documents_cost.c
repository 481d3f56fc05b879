/* 减负: what a paper costs the schools that it goes to, said before it is issued; and schools that are no
 * more. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "lang.h"
#include "tables.h"

static json_t *cost_json(const pb_document_cost *k)
{
	json_t *repeats = json_array();

	for (size_t i = 0; i < k->n_repeat; i++)
		json_array_append_new(repeats,
			json_pack("{s:s,s:s,s:o,s:s}", "label", k->repeat[i]->label, "doc", k->repeat[i]->doc,
				"number", admin_text(k->repeat[i]->number), "title", k->repeat[i]->title));
	return json_pack("{s:I,s:I,s:I,s:I,s:{s:I,s:I},s:o}", "schools", (json_int_t)k->schools, "questions",
		(json_int_t)k->questions, "minutes_per_school", (json_int_t)k->minutes_per_school,
		"minutes_total", (json_int_t)k->minutes_total, "this_week", "documents",
		(json_int_t)k->week_documents, "questions", (json_int_t)k->week_questions, "repeats",
		repeats);
}

static void say_cost(struct cli *c, const pb_document_cost *k)
{
	cli_say(c, _("发给 %u 所学校，要反馈 %u 项；每校约 %llu 分钟，合计 %llu 分钟"), k->schools,
		k->questions, (unsigned long long)k->minutes_per_school,
		(unsigned long long)k->minutes_total);
	cli_say(c, _("其中本周收文最多的学校，已收 %u 份、要反馈 %u 项"), k->week_documents,
		k->week_questions);
	for (size_t i = 0; i < k->n_repeat; i++)
		cli_say(c, _("“%s”已在 %s《%s》里问过"), k->repeat[i]->label,
			documents_called(k->repeat[i]->number, k->repeat[i]->doc), k->repeat[i]->title);
}

static enum err ask_cost(struct cli *c, struct arena *arena, const pb_document_cost **out)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	const ProtobufCMessage *reply;

	q.doc = (char *)cli_operand(c, 0);
	enum err e = admin_ask(c, METHOD_DOCUMENTS_COST, &q.base, arena, &reply);
	*out = e ? NULL : (const pb_document_cost *)reply;
	return e;
}

static int cmd_cost(struct cli *c)
{
	const pb_document_cost *k;
	struct arena arena;

	if (ask_cost(c, &arena, &k)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	say_cost(c, k);
	json_t *json = cost_json(k);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

/* What goes out to schools cannot be called back unread: who is there to be asked sees first what it costs
 * them. */
static int cmd_issue(struct cli *c)
{
	const pb_document_cost *k;
	struct arena arena;

	if (!cli_is_asked(c))
		return documents_event(c);
	enum err e = ask_cost(c, &arena, &k);
	if (!e)
		say_cost(c, k);
	arena_free(&arena);
	if (e)
		return cli_fail(c);
	if (!cli_confirm("印发|issue", _("确认请输入“印发”：")))
		return cli_fail_with(c, ERR_NOT_NOW, NULL, _("没有确认，什么也没有改动"));
	return documents_event(c);
}

/* ---- seals ---- */

static json_t *seal_json(const pb_document_seal *s)
{
	return json_pack("{s:s,s:o,s:s,s:o,s:i,s:i}", "doc", s->doc, "number", admin_text(s->number), "by",
		s->by, "at", cli_time_json(s->at), "count", s->count, "copies", s->copies);
}

json_t *documents_seals_json(pb_document_seal *const *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, seal_json(list[i]));
	return out;
}

struct seals {
	json_t *json;
	struct cli_table *table;
};

static bool seals_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_seals *page = (const pb_document_seals *)reply;
	struct seals *x = data;

	for (size_t i = 0; i < page->n_seal; i++) {
		const pb_document_seal *s = page->seal[i];
		char at[FACE_SIZE], count[16], copies[16];
		snprintf(count, sizeof count, "%d", s->count);
		snprintf(copies, sizeof copies, "%d", s->copies);
		json_array_append_new(x->json, seal_json(s));
		cli_table_row(x->table,
			(const char *[]){admin_time(s->at, at), documents_called(s->number, s->doc), s->title,
				s->by_name, count, copies});
	}
	return true;
}

static int cmd_seals(struct cli *c)
{
	const char *headings[] = {_("时间"), _("文号"), _("标题"), _("用印人"), _("用印份数"), _("印了")};
	struct seals x = {json_array(), cli_table_new(headings, 6)};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;

	q.doc = (char *)(c->operands ? cli_operand(c, 0) : NULL);
	if (admin_stream(c, METHOD_DOCUMENTS_SEALS, &q.base, seals_page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	return cli_result(c, x.json, 0);
}

/* ---- schools close ---- */

static int cmd_close(struct cli *c)
{
	pb_school_close q = PB_SCHOOL_CLOSE_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.code = (char *)cli_operand(c, 0);
	q.into = (char *)cli_option(c, "into");
	q.reason = (char *)cli_option(c, "reason");
	admin_schools(c);
	cli_say(c,
		q.into ? _("%s 撤并：它没有办完的公文转给 %s") : _("%s 撤销：它没有办完的公文不再要求办理"),
		admin_school(c, q.code), q.into ? admin_school(c, q.into) : "");
	if (cli_is_asked(c) && !cli_confirm(q.code, _("学校从名册里去掉。确认请输入它的标识码：")))
		return cli_fail_with(c, ERR_NOT_NOW, NULL, _("没有确认，什么也没有改动"));
	enum err e = admin_ask(c, METHOD_DOCUMENTS_CLOSE_SCHOOL, &q.base, &arena, &reply);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_school_closed *done = (const pb_school_closed *)reply;
	cli_say(c, _("已转给接收校 %u 份，不再办理 %u 份"), done->moved, done->ended);
	cli_next(c, "jgadmin schools list");
	json_t *json = json_pack("{s:I,s:I,s:o}", "moved", (json_int_t)done->moved, "ended",
		(json_int_t)done->ended, "at", cli_time_json(done->at));
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static const struct cli_option close_options[] = {{"into", "CODE", N_("并入哪所学校（不写则公文不再办理）")},
	{"reason", "TEXT", N_("理由（必写）")}, {0}};
#define ROLES_OFFICE (1u << ROLE_OFFICE)
static const struct cli_option issue_options[] = {{"feedback-due", "DATE", N_("请学校在哪一天前反馈")},
	{"again", NULL, N_("问过的事项仍要再问（须写理由）")}, {"reason", "TEXT", N_("再问的理由")},
	{"seen", "V", N_("看到的是第几版；已经改过的不办")}, {0}};
static const struct cli_command commands[] = {
	{"documents issue", "DOC", 1, 1, issue_options, ADMIN_NEEDS, ROLES_OFFICE, N_("印发"),
		N_("documents issue 洪教发〔2026〕1号"), cmd_issue, CLI_WORK},
	{"documents cost", "DOC", 1, 1, NULL, ADMIN_NEEDS, 0, N_("减负：这份文要花学校多少时间，问过没有"),
		N_("documents cost 洪教发〔2026〕1号"), cmd_cost, CLI_WORK},
	{"documents seals", "[DOC]", 0, 1, NULL, ADMIN_NEEDS, 1u << ROLE_LEADER | ROLES_OFFICE,
		N_("用印登记"), "documents seals", cmd_seals, CLI_WORK},
	{"schools close", "CODE", 1, 1, close_options, ADMIN_NEEDS, 1u << ROLE_BASIC_EDU,
		N_("撤并一所学校：没有办完的公文转给接收校"),
		N_("schools close 2132990001 --into 2132990002 --reason 布局调整"), cmd_close, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_cost = {commands, NULL, &admin_documents_setup};
