/* 公文 at a school: what came, and what the school says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <utf8proc.h>

#include "blobs.h"
#include "codes.h"
#include "date.h"
#include "cmd_documents.h"
#include "documents.h"
#include "download.h"
#include "face.h"
#include "file_name.h"
#include "jg.h"
#include "login.h"
#include "value.h"
#include "words.h"

static json_t *questions_json(const struct record *d)
{
	const struct value *text = &d->value[F_DELIVERY_QUESTIONS];
	json_t *all = record_has(d, F_DELIVERY_QUESTIONS)
		? json_loadb((const char *)text->data, text->len, 0, NULL)
		: NULL,
	       *out = json_array(), *q;
	size_t i;

	json_array_foreach(all, i, q)
	{
		json_array_append_new(out,
			json_pack("{sO sO sO sO}", "key", json_object_get(q, "key"), "label",
				json_object_get(q, "label"), "type", json_object_get(q, "type"), "choices",
				json_object_get(q, "choices")));
	}
	json_decref(all);
	return out;
}

static json_t *files_json(const struct record *d)
{
	const struct value *text = &d->value[F_DELIVERY_FILES];
	json_t *all = record_has(d, F_DELIVERY_FILES)
		? json_loadb((const char *)text->data, text->len, 0, NULL)
		: NULL;

	return json_is_array(all) ? all : json_array();
}

static json_t *document_json(const struct item *item)
{
	const struct record *d = &item->record;
	char id[37];

	value_show(d, F_DELIVERY_DOCUMENT, false, id, sizeof id);
	return json_pack("{ss so so so so so ss so so so so so so}", "id", id, "number",
		value_json(d, F_DELIVERY_NUMBER), "title", value_json(d, F_DELIVERY_TITLE), "genre",
		value_json(d, F_DELIVERY_GENRE), "version", value_json(d, F_DELIVERY_VERSION), "digest",
		value_json(d, F_DELIVERY_DIGEST), "state", delivery_state(d), "receipt_due",
		value_json(d, F_DELIVERY_RECEIPT_DUE), "feedback_due", value_json(d, F_DELIVERY_FEEDBACK_DUE),
		"read_at", value_json(d, F_DELIVERY_READ_AT), "signed_at",
		value_json(d, F_DELIVERY_SIGNED_AT), "questions", questions_json(d), "attachments",
		files_json(d));
}

static int cmd_list(struct cli *c)
{
	const char *headings[] = {
		_("序号"), _("文号"), _("标题"), _("紧急程度"), _("状态"), _("签收期限"), _("反馈期限")};
	struct jg_ids ids = {0};
	int code;
	struct view *v = jg_view(c, documents_kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	struct cli_table *table = cli_table_new(headings, 7);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *d = &item->record;
		char n[16], number[64], title[256], urgency[32], receipt[FACE_SIZE], feedback[FACE_SIZE];
		if (!item->live)
			continue;
		json_array_append_new(list, document_json(item));
		cli_table_row(table,
			(const char *[]){jg_ids_add(&ids, item->id, n),
				record_text(d, F_DELIVERY_NUMBER, number, sizeof number),
				record_text(d, F_DELIVERY_TITLE, title, sizeof title),
				record_text(d, F_DELIVERY_URGENCY, urgency, sizeof urgency),
				code_name(&codes_delivery_state, delivery_state(d)),
				words_field(v, d, F_DELIVERY_RECEIPT_DUE, false, receipt, sizeof receipt),
				words_field(
					v, d, F_DELIVERY_FEEDBACK_DUE, false, feedback, sizeof feedback)});
	}
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, &shown_documents);
	jg_ids_free(&ids);
	cli_next(c, "%s", _("jg documents show 序号"));
	return cli_result(c, list, 0);
}

struct item *documents_pick(struct cli *c, struct view *v, int i, int *code)
{
	char room[JG_PICK_SIZE];
	const char *text = jg_pick(c, v, &shown_documents, cli_operand(c, i), room, code);

	if (!text)
		return NULL;
	struct item *item = documents_find(v, text);
	if (!item)
		*code = cli_fail_with(c, ERR_NOT_FOUND, _("jg documents list 列出公文；可先运行 jg sync"),
			_("没有公文 %s"), text);
	return item;
}

static struct item *find(struct cli *c, struct view **v, int *code)
{
	*v = jg_view(c, documents_kinds, code);
	return *v ? documents_pick(c, *v, 0, code) : NULL;
}

static void say_questions(struct cli *c, const struct record *d)
{
	json_t *all = questions_json(d), *q;
	size_t i;

	json_array_foreach(all, i, q)
	{
		bool file = strcmp(json_string_value(json_object_get(q, "type")), "file") == 0;
		cli_say(c, file ? _("  %s  %s（附文件：--file）") : _("  %s  %s"),
			json_string_value(json_object_get(q, "key")),
			json_string_value(json_object_get(q, "label")));
	}
	json_decref(all);
}

static void say_files(struct cli *c, const struct record *d)
{
	const char *headings[] = {_("附件"), _("大小")};
	struct cli_table *t = cli_table_new(headings, 2);
	json_t *all = files_json(d), *f;
	size_t i;

	json_array_foreach(all, i, f)
	{
		char size[32];
		snprintf(size, sizeof size, "%lld KB",
			(long long)(json_integer_value(json_object_get(f, "size")) + 1023) / 1024);
		cli_table_row(t, (const char *[]){json_string_value(json_object_get(f, "name")), size});
	}
	if (json_array_size(all))
		cli_table_print(c, t);
	else
		cli_table_free(t);
	json_decref(all);
}

static enum err fetch_file(
	struct cli *c, struct link *link, const char *doc, const json_t *f, const char *dir)
{
	const char *name = json_string_value(json_object_get(f, "name")),
		   *hex = json_string_value(json_object_get(f, "sha"));
	pb_file_get q = PB_FILE_GET_INIT;
	char path[RECEIVED_PATH_SIZE];
	uint8_t sha[HASH_SIZE];
	size_t n = 0;

	if (!name || !hex || sodium_hex2bin(sha, sizeof sha, hex, strlen(hex), NULL, &n, NULL) ||
		n != sizeof sha)
		return problem_set(&c->problem, ERR_PROTOCOL, "files", NULL, NULL);
	q.doc = (char *)(uintptr_t)doc;
	q.has_sha = q.has_from = 1;
	q.sha = (ProtobufCBinaryData){sizeof sha, sha};
	enum err e = download_file(link,
		&(struct download){METHOD_DOCUMENTS_GET_FILE, &q.base, &q.from, sha, name}, dir, path,
		&c->problem);
	if (!e)
		cli_say(c, _("附件已存到 %s"), path);
	return e;
}

static enum err fetch_files(struct cli *c, const struct record *d, const char *dir)
{
	json_t *all = files_json(d), *f;
	struct link *link = NULL;
	char doc[37];
	size_t i;
	enum err e = received_folder(dir, &c->problem);

	value_show(d, F_DELIVERY_DOCUMENT, false, doc, sizeof doc);
	if (!e)
		e = login_link(&link, &c->profile, NULL, &c->problem);
	json_array_foreach(all, i, f) e = e ? e : fetch_file(c, link, doc, f, dir);
	json_decref(all);
	if (link)
		link_close(link);
	return e;
}

static int cmd_show(struct cli *c)
{
	char number[64], title[256], due[FACE_SIZE];
	static char text[65537];
	struct view *v;
	int code;
	const struct item *item = find(c, &v, &code);

	if (!item)
		return code;
	const struct record *d = &item->record;
	record_text(d, F_DELIVERY_NUMBER, number, sizeof number);
	cli_say(c, "%s  %s", number, record_text(d, F_DELIVERY_TITLE, title, sizeof title));
	cli_say(c, _("%s；签收期限 %s"), code_name(&codes_delivery_state, delivery_state(d)),
		words_field(v, d, F_DELIVERY_RECEIPT_DUE, false, due, sizeof due));
	if (strcmp(delivery_state(d), "returned") == 0)
		cli_say(c, _("县局退回了反馈：%s"),
			record_text(d, F_DELIVERY_JUDGE_REASON, text, sizeof text));
	const char *body = strstr(record_text(d, F_DELIVERY_TEXT, text, sizeof text), "\n---");
	cli_say(c, "\n%s", body && strchr(body + 1, '\n') ? strchr(body + 1, '\n') + 1 : text);
	say_questions(c, d);
	say_files(c, d);
	const char *dir = cli_option(c, "files");
	if (dir && fetch_files(c, d, dir))
		return cli_fail(c);
	if (strcmp(delivery_state(d), "sent") == 0)
		cli_next(c, "jg documents sign %s", number);
	json_t *json = document_json(item);
	json_object_set_new(json, "text", json_string(text));
	return cli_result(c, json, 0);
}

/* ---- What the school says ---- */

/* Of the questions that want a file, the one that the n-th --file answers: as they are named without =, else in
 * their order. NULL: there is none. */
static const char *file_key(struct cli *c, const json_t *questions, size_t n)
{
	const json_t *q;
	size_t i, at = 0;

	for (int k = 1; k < c->operands; k++)
		if (!strchr(cli_operand(c, k), '=') && at++ == n)
			return cli_operand(c, k);
	if (at)
		return NULL;
	json_array_foreach(questions, i, q)
	{
		if (strcmp(json_string_value(json_object_get(q, "type")), "file") == 0 && at++ == n)
			return json_string_value(json_object_get(q, "key"));
	}
	return NULL;
}

/* A file is answered by its hash and its name; its bytes follow (blobs.h). */
static enum err take_files(struct cli *c, struct view *v, const struct record *d, json_t *answer)
{
	char name[FILE_NAME_TEXT_MAX], hex[HASH_SIZE * 2 + 1];
	json_t *questions = questions_json(d);
	const char *path, *key;
	uint8_t sha[HASH_SIZE];
	size_t size;
	enum err e = ERR_OK;

	for (size_t n = 0; !e && (path = cli_option_at(c, "file", (int)n)); n++) {
		key = file_key(c, questions, n);
		e = key ? blob_add(v->store, path, false, sha, &size, &c->problem)
			: problem_set(&c->problem, ERR_USAGE, "file", _("jg documents show 看要填哪些"),
				  _("没有要附文件的事项"));
		if (e)
			break;
		file_name_text(name, sizeof name, path);
		char *composed = (char *)utf8proc_NFC((const utf8proc_uint8_t *)name);
		sodium_bin2hex(hex, sizeof hex, sha, sizeof sha);
		json_object_set_new(answer, key, json_sprintf("%s %s", hex, composed ? composed : name));
		free(composed);
	}
	json_decref(questions);
	return e;
}

/* -12, 3.5 */
static bool is_number(const char *text)
{
	const char *at = text + (*text == '-');
	size_t n = strspn(at, "0123456789"), decimals = at[n] == '.' ? strspn(at + n + 1, "0123456789") : 1;

	return n && n <= 15 && decimals && decimals <= 6 && !at[n + (at[n] == '.' ? 1 + decimals : 0)];
}

/* What is wrong with one answer, as the bureau would see it; NULL: nothing. */
static const char *answer_fault(const json_t *q, const char *answer)
{
	const char *type = json_string_value(json_object_get(q, "type"));
	const json_t *choice;
	int32_t day;
	size_t i;

	if (!answer || !*answer)
		return _("没有填“%s”");
	if (strcmp(type, "number") == 0 && !is_number(answer))
		return _("“%s”要填数");
	if (strcmp(type, "date") == 0 && (strlen(answer) != 10 || date_parse(answer, DATE_EPOCH_1900, &day)))
		return _("“%s”要填日期，如 2026-09-12");
	if (strcmp(type, "choice") != 0)
		return NULL;
	json_array_foreach(json_object_get(q, "choices"), i, choice)
	{
		if (strcmp(json_string_value(choice), answer) == 0)
			return NULL;
	}
	return _("“%s”不在可选的答案里");
}

/* Told here, with the network off too: what the bureau would refuse tonight is typed again now, not
 * tomorrow. */
static enum err check_answer(struct cli *c, const struct record *d, json_t *answer)
{
	json_t *questions = questions_json(d), *q, *value;
	const char *key, *fault = NULL;
	enum err e = ERR_OK;
	size_t i, known = 0;

	json_array_foreach(questions, i, q)
	{
		value = json_object_get(answer, json_string_value(json_object_get(q, "key")));
		known += value != NULL;
		if (!e && (fault = answer_fault(q, json_string_value(value))))
			e = problem_set(&c->problem, ERR_RULE, "R25",
				_("jg documents show 序号：看要填什么，再一次填全"), fault,
				json_string_value(json_object_get(q, "label")));
	}
	if (!e && known < json_object_size(answer))
		json_object_foreach(answer, key, value)
		{
			bool asked = false;
			json_array_foreach(questions, i, q) asked |=
				strcmp(json_string_value(json_object_get(q, "key")), key) == 0;
			if (!asked && !e)
				e = problem_set(&c->problem, ERR_RULE, "R25",
					_("jg documents show 序号：看要填什么，再一次填全"),
					_("没有“%s”这个事项"), key);
		}
	json_decref(questions);
	return e;
}

/* A day and a number as people write them, 2026/9/12 and ３, in the form that the bureau counts. */
static void tidy_answer(const struct record *d, json_t *answer)
{
	json_t *questions = questions_json(d), *q;
	char text[32];
	int32_t day;
	size_t i;

	json_array_foreach(questions, i, q)
	{
		const char *key = json_string_value(json_object_get(q, "key")),
			   *type = json_string_value(json_object_get(q, "type")),
			   *typed = json_string_value(json_object_get(answer, key));
		if (typed && strcmp(type, "date") == 0 && strlen(typed) >= 8 &&
			!date_parse(typed, DATE_EPOCH_1900, &day)) {
			snprintf(
				text, sizeof text, "%04d-%02d-%02d", day / 10000, day / 100 % 100, day % 100);
			json_object_set_new(answer, key, json_string(text));
		} else if (typed && strcmp(type, "number") == 0) {
			utf8proc_uint8_t *plain = utf8proc_NFKC((const utf8proc_uint8_t *)typed);
			if (plain)
				json_object_set_new(answer, key, json_string((const char *)plain));
			free(plain);
		}
	}
	json_decref(questions);
}

/* answer: what was typed of it so far; NULL: it is none. */
static enum err say_it(struct cli *c, struct view *v, struct item *item, enum delivery_word word,
	json_t *answer, bool *already)
{
	enum err e = answer ? take_files(c, v, &item->record, answer) : ERR_OK;
	if (answer && !e)
		tidy_answer(&item->record, answer);
	char *text = answer && !e ? json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (!e && answer && !text)
		e = problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	if (!e)
		e = documents_say(
			v, item, word, text ? text : "", profile_now_us(&c->profile), already, &c->problem);
	if (!e && answer && !*already)
		e = check_answer(c, &item->record, answer);
	free(text);
	return e;
}

static int say(struct cli *c, enum delivery_word word, json_t *answer, const char *done)
{
	char number[64];
	struct view *v;
	bool already;
	int code;
	struct item *item = find(c, &v, &code);
	const char *seen = cli_option(c, "seen");

	if (!item)
		return code;
	record_text(&item->record, F_DELIVERY_NUMBER, number, sizeof number);
	if (seen && strtol(seen, NULL, 10) != record_number(&item->record, F_DELIVERY_VERSION))
		return cli_fail_with(c, ERR_STALE, NULL, _("现在是第 %d 版"),
			(int)record_number(&item->record, F_DELIVERY_VERSION));
	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	int64_t n = v->store->next_row;
	if (jg_commit(c, say_it(c, v, item, word, answer, &already)))
		return cli_fail(c);
	json_t *json = document_json(item);
	if (already) {
		cli_say(c, _("%s 已经办过"), number);
		json_object_set_new(json, "already", json_true());
		return cli_result(c, json, 0);
	}
	code = jg_answer(c, n, json);
	if (!code) {
		cli_say(c, "%s %s", number, done);
		cli_next(c, "jg todo");
	}
	return code;
}

static int cmd_read(struct cli *c)
{
	return say(c, DELIVERY_READ, NULL, _("已阅"));
}

static int cmd_sign(struct cli *c)
{
	return say(c, DELIVERY_SIGN, NULL, _("已签收"));
}

/* KEY=VALUE… */
static int cmd_answer(struct cli *c)
{
	json_t *answer = json_object();
	int code = 0, files = 0, bare = 0;

	while (cli_option_at(c, "file", files))
		files++;

	for (int i = 1; !code && i < c->operands; i++) {
		const char *text = cli_operand(c, i), *is = strchr(text, '=');
		char key[32];
		if (!is && bare++ < files) /* its file is given with --file */
			continue;
		if (!is || is - text >= (long)sizeof key) {
			code = cli_fail_with(c, ERR_USAGE,
				_("例如 jg documents answer 3 q1=12 q2=2026-09-12"),
				_("“%s”要写成 事项=内容"), text);
			break;
		}
		snprintf(key, sizeof key, "%.*s", (int)(is - text), text);
		json_object_set_new(answer, key, json_string(is + 1));
	}
	if (!code)
		code = say(c, DELIVERY_ANSWER, answer, _("已反馈"));
	json_decref(answer);
	return code;
}

static const struct cli_option seen_options[] = {
	{"seen", "V", N_("看到的是第几版；已经更正重发的不办")}, {0}};
static const struct cli_option answer_options[] = {
	{"file", "FILE", N_("要附文件的事项的文件，可写多次，按事项的次序")},
	{"seen", "V", N_("看到的是第几版；已经更正重发的不办")}, {0}};
static const struct cli_option show_options[] = {{"files", "DIR", N_("把附件取到这个文件夹")}, {0}};
static const struct cli_command commands[] = {
	{"documents list", "", 0, 0, NULL, EVERYBODY, DOCUMENT_PEOPLE, N_("列出收到的公文"), "documents list",
		cmd_list, CLI_WORK},
	{"documents show", "DOC", 1, 1, show_options, EVERYBODY, DOCUMENT_PEOPLE, N_("看一份公文"),
		"documents show 3", cmd_show, CLI_WORK},
	{"documents read", "DOC", 1, 1, seen_options, EVERYBODY, DOCUMENT_PEOPLE, N_("记下已阅"),
		"documents read 3", cmd_read, CLI_WORK},
	{"documents sign", "DOC", 1, 1, seen_options, EVERYBODY, DOCUMENT_PEOPLE, N_("签收公文"),
		"documents sign 3", cmd_sign, CLI_WORK},
	{"documents answer", "DOC [KEY=VALUE…]", 1, CLI_OPERANDS_MAX, answer_options, EVERYBODY,
		DOCUMENT_PEOPLE, N_("反馈：事项=内容，事项见 documents show；要文件的用 --file"),
		"documents answer 3 q1=12", cmd_answer, CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"list_documents", "jg documents list"},
	{"sign_document", "jg documents sign"},
	{"answer_document", "jg documents answer"},
	{"again_document_delivery", N_("jg documents show 文号，再 sign 或 answer")},
	{0},
};

const struct cli_part jg_documents = {commands, ways, &jg_documents_keep};
