/* Schools' copies of a paper: who has signed for it, who has answered, and what the bureau says of an
 * answer. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "download.h"
#include "lang.h"
#include "login.h"
#include "tables.h"

struct rows {
	json_t *json, *names; /* names: of the schools, by code */
	struct cli_table *table;
	size_t n[8]; /* of each state */
};

/* A file that was answered is its hash and its name. The name, or NULL for another answer. */
static const char *file_name(const char *answer)
{
	return strspn(answer, "0123456789abcdef") == 64 && answer[64] == ' ' ? answer + 65 : NULL;
}

/* q1 3; q2 台账.xlsx */
static const char *answer_text(const json_t *answer, char *out, size_t size)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	*out = 0;
	json_object_foreach((json_t *)(uintptr_t)answer, key, value)
	{
		const char *text = json_string_value(value), *name = text ? file_name(text) : NULL;
		const char *shown = text ? text : "";
		int wrote = snprintf(out + n, size - n, "%s%s %s", n ? "; " : "", key, name ? name : shown);
		n = wrote > 0 && (size_t)wrote < size - n ? n + (size_t)wrote : n;
	}
	return out;
}

static enum err fetch_file(struct cli *c, struct link *link, const char *school, const char *name,
	const char *answer, const char *dir)
{
	char called[512], path[RECEIVED_PATH_SIZE];
	pb_file_get q = PB_FILE_GET_INIT;
	uint8_t sha[32];
	size_t n = 0;

	if (!answer || !file_name(answer) || sodium_hex2bin(sha, sizeof sha, answer, 64, NULL, &n, NULL))
		return ERR_OK;
	snprintf(called, sizeof called, "%s-%s", name, file_name(answer));
	q.doc = (char *)cli_operand(c, 0);
	q.school = (char *)(uintptr_t)school;
	q.has_sha = q.has_from = 1;
	q.sha = (ProtobufCBinaryData){sizeof sha, sha};
	enum err e = download_file(link,
		&(struct download){METHOD_DOCUMENTS_GET_FILE, &q.base, &q.from, sha, called}, dir, path,
		&c->problem);
	if (!e)
		cli_say(c, _("附件已存到 %s"), path);
	return e;
}

/* The files of all answers. */
static enum err fetch_files(struct cli *c, const struct rows *x, const char *dir)
{
	struct link *link = NULL;
	enum err e = received_folder(dir, &c->problem);
	const json_t *row;
	const char *key;
	json_t *value;
	size_t i;

	if (!e)
		e = login_link(&link, &c->profile, NULL, &c->problem);
	json_array_foreach(x->json, i, row)
	{
		const char *school = json_string_value(json_object_get(row, "school"));
		json_object_foreach(json_object_get(row, "answer"), key, value) if (!e) e =
			fetch_file(c, link, school, json_string_value(json_object_get(x->names, school)),
				json_string_value(value), dir);
	}
	if (link)
		link_close(link);
	return e;
}

static bool page(void *data, const ProtobufCMessage *reply)
{
	const pb_delivery_list *list = (const pb_delivery_list *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < list->n_delivery; i++) {
		const pb_delivery_row *d = list->delivery[i];
		char signed_at[FACE_SIZE], answered_at[FACE_SIZE];
		json_t *answer = d->answer && *d->answer ? json_loads(d->answer, 0, NULL) : NULL;
		json_array_append_new(x->json,
			json_pack("{s:s,s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "school", d->school,
				"state", d->state, "version", d->version, "read_at",
				cli_time_json(d->read_at), "signed_at", cli_time_json(d->signed_at),
				"signed_by", admin_text(d->signed_by), "answered_at",
				cli_time_json(d->answered_at), "answer", answer ? answer : json_object(),
				"kept_at", cli_time_json(d->kept_at), "slot", admin_text(d->slot),
				"destroyed_at", cli_time_json(d->destroyed_at), "witness",
				admin_text(d->witness)));
		for (size_t k = 0; k < codes_delivery_state.n && k < 8; k++)
			x->n[k] += strcmp(codes_delivery_state.items[k].code, d->state) == 0;
		char text[2048];
		json_object_set_new(x->names, d->school, json_string(d->school_name));
		answer_text(answer, text, sizeof text);
		cli_table_row(x->table,
			(const char *[]){d->school_name, admin_word(&codes_delivery_state, d->state),
				admin_time(d->signed_at, signed_at), d->signed_by,
				admin_time(d->answered_at, answered_at), text,
				d->destroyed_at ? _("已销毁") : d->slot});
	}
	return true;
}

static int cmd_deliveries(struct cli *c)
{
	const char *headings[] = {
		_("学校"), _("状态"), _("签收时间"), _("签收人"), _("反馈时间"), _("反馈内容"), _("原件")};
	struct rows x = {.json = json_array(), .names = json_object(), .table = cli_table_new(headings, 7)};
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;

	q.doc = (char *)cli_operand(c, 0);
	if (admin_stream(c, METHOD_DOCUMENTS_DELIVERIES, &q.base, page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		json_decref(x.names);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	for (size_t k = 0; k < codes_delivery_state.n && k < 8; k++)
		if (x.n[k])
			cli_say(c, _("%s %zu 所"),
				code_name(&codes_delivery_state, codes_delivery_state.items[k].code), x.n[k]);
	enum err e = cli_option(c, "files") ? fetch_files(c, &x, cli_option(c, "files")) : ERR_OK;
	json_decref(x.names);
	if (e) {
		json_decref(x.json);
		return cli_fail(c);
	}
	return cli_result(c, x.json, 0);
}

static int decide(struct cli *c, bool accept)
{
	pb_feedback_decision q = PB_FEEDBACK_DECISION_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.doc = (char *)cli_operand(c, 0);
	q.school = (char *)cli_operand(c, 1);
	q.has_accept = 1;
	q.accept = accept;
	q.reason = (char *)cli_option(c, "reason");
	enum err e = admin_ask(c, METHOD_DOCUMENTS_DECIDE_FEEDBACK, &q.base, &arena, &reply);
	arena_free(&arena);
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", accept ? _("已认可反馈") : _("已退回反馈"));
	cli_next(c, "jgadmin documents deliveries %s", q.doc);
	return cli_result(c,
		json_pack("{s:s,s:s,s:s}", "doc", q.doc, "school", q.school, "state",
			accept ? "accepted" : "returned"),
		0);
}

static int cmd_accept(struct cli *c)
{
	return decide(c, true);
}

static int cmd_return(struct cli *c)
{
	return decide(c, false);
}

static const struct cli_option deliveries_options[] = {
	{"files", "DIR", N_("把各校反馈的文件取到这个文件夹")}, {0}};
static const struct cli_option return_options[] = {{"reason", "TEXT", N_("退回的理由（必写）")}, {0}};
static const struct cli_command commands[] = {
	{"documents deliveries", "DOC", 1, 1, deliveries_options, ADMIN_NEEDS, 0, N_("各校签收、反馈的情况"),
		N_("documents deliveries 洪教发〔2026〕1号"), cmd_deliveries, CLI_WORK},
	{"documents feedback accept", "DOC SCHOOL", 2, 2, NULL, ADMIN_NEEDS, 0, N_("认可一所学校的反馈"),
		N_("documents feedback accept 洪教发〔2026〕1号 2132990001"), cmd_accept, CLI_WORK},
	{"documents feedback return", "DOC SCHOOL", 2, 2, return_options, ADMIN_NEEDS, 0,
		N_("退回一所学校的反馈"),
		N_("documents feedback return 洪教发〔2026〕1号 2132990001 --reason 数字与台账不符"),
		cmd_return, CLI_WORK},
	{0},
};

const struct cli_part admin_documents_delivery = {commands, NULL, &admin_documents_orders};
