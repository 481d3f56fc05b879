/* 会议 at a school: what it is asked to, its reply, signing in at the door. */
#include <string.h>

#include "cmd_documents.h"
#include "codes.h"
#include "face.h"
#include "jg.h"
#include "meeting.h"
#include "meetings.h"
#include "value.h"
#include "words.h"

static json_t *meeting_json(const struct item *item)
{
	const struct record *d = &item->record;
	const char *reply = meetings_reply_of(d);
	char id[37];

	value_show(d, F_MEETING_COPY_MEETING, false, id, sizeof id);
	return json_pack("{ss so so so so so so so so so}", "id", id, "number",
		value_json(d, F_MEETING_COPY_NUMBER), "subject", value_json(d, F_MEETING_COPY_SUBJECT),
		"start", value_json(d, F_MEETING_COPY_START_AT), "end", value_json(d, F_MEETING_COPY_END_AT),
		"place", value_json(d, F_MEETING_COPY_PLACE), "state", value_json(d, F_MEETING_COPY_STATE),
		"reply_due", value_json(d, F_MEETING_COPY_REPLY_DUE), "reply",
		reply ? json_string(reply) : json_null(), "signed_at",
		value_json(d, F_MEETING_COPY_SIGNED_AT));
}

static int cmd_list(struct cli *c)
{
	const char *headings[] = {_("序号"), _("会议号"), _("状态"), _("开始"), _("结束"), _("地点"),
		_("主题"), _("回执截止"), _("回执")};
	struct jg_ids ids = {0};
	int code;
	struct view *v = jg_view(c, meetings_kinds, &code);
	json_t *list = json_array();

	if (!v)
		return code;
	struct cli_table *table = cli_table_new(headings, 9);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct record *d = &item->record;
		char n[16], number[64], subject[256], state[32], start[MEETING_TIME_SIZE],
			end[MEETING_TIME_SIZE], place[128], due[FACE_SIZE];
		const char *reply = meetings_reply_of(d);
		if (!item->live)
			continue;
		json_array_append_new(list, meeting_json(item));
		record_text(d, F_MEETING_COPY_STATE, state, sizeof state);
		meeting_time_text(start, record_number(d, F_MEETING_COPY_START_AT));
		meeting_time_text(end, record_number(d, F_MEETING_COPY_END_AT));
		cli_table_row(table,
			(const char *[]){jg_ids_add(&ids, item->id, n),
				record_text(d, F_MEETING_COPY_NUMBER, number, sizeof number),
				code_name(&codes_meeting_state, state), start, end,
				record_text(d, F_MEETING_COPY_PLACE, place, sizeof place),
				record_text(d, F_MEETING_COPY_SUBJECT, subject, sizeof subject),
				words_field(v, d, F_MEETING_COPY_REPLY_DUE, false, due, sizeof due),
				reply ? code_name(&codes_meeting_reply, reply) : ""});
	}
	cli_table_print(c, table);
	jg_ids_keep(c, &ids, &shown_meetings);
	jg_ids_free(&ids);
	cli_next(c, "%s", _("jg meetings reply 序号 参加"));
	return cli_result(c, list, 0);
}

static struct item *find(struct cli *c, struct view **v, int *code)
{
	char room[JG_PICK_SIZE];
	const char *text;

	*v = jg_view(c, meetings_kinds, code);
	text = *v ? jg_pick(c, *v, &shown_meetings, cli_operand(c, 0), room, code) : NULL;
	if (!text)
		return NULL;
	struct item *item = meetings_find(*v, text);
	if (!item)
		*code = cli_fail_with(c, ERR_NOT_FOUND, _("jg meetings list 列出会议；可先运行 jg sync"),
			_("没有会议 %s"), text);
	return item;
}

static int send(struct cli *c, const struct item *item, int64_t n, const char *done)
{
	char number[64];
	int code = jg_answer(c, n, meeting_json(item));

	if (code)
		return code;
	cli_say(c, "%s %s", record_text(&item->record, F_MEETING_COPY_NUMBER, number, sizeof number), done);
	cli_next(c, "jg todo");
	return 0;
}

static int cmd_reply(struct cli *c)
{
	const char *reply = code_find(&codes_meeting_reply, cli_operand(c, 1)), *who = cli_option(c, "who");
	struct view *v;
	int code;

	if (!reply)
		return cli_fail_with(c, ERR_USAGE, _("jg meetings reply 3 参加"),
			_("“%s”不是回执：参加、请假、派人参加"), cli_operand(c, 1));
	if (strcmp(reply, "substitute") == 0 && !(who && *who))
		return cli_fail_with(c, ERR_USAGE, _("jg meetings reply 3 派人参加 --who 李副校长"),
			_("派人参加要写派谁：--who"));
	struct item *item = find(c, &v, &code);
	if (!item)
		return code;
	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	int64_t n = v->store->next_row;
	if (jg_commit(c,
		    meetings_reply(v, item, reply, who ? who : "", profile_now_us(&c->profile), &c->problem)))
		return cli_fail(c);
	return send(c, item, n, _("已回执"));
}

static int cmd_signin(struct cli *c)
{
	const char *typed = cli_option(c, "code");
	struct view *v;
	int code;

	if (!typed || !*typed)
		return cli_fail_with(c, ERR_USAGE, _("jg meetings signin 3 --code 7K3M-9QXZ"), _("没有写%s"),
			_("签到码：--code"));
	struct item *item = find(c, &v, &code);
	if (!item)
		return code;
	if (store_begin(v->store, &c->problem))
		return cli_fail(c);
	int64_t n = v->store->next_row;
	if (jg_commit(c, meetings_sign_in(v, item, typed, profile_now_us(&c->profile), &c->problem)))
		return cli_fail(c);
	return send(c, item, n, _("已签到"));
}

static const struct cli_option reply_options[] = {{"who", "NAME", N_("派谁参加")}, {0}};
static const struct cli_option code_options[] = {{"code", "CODE", N_("会场门口的签到码（必写）")}, {0}};
static const struct cli_command commands[] = {
	{"meetings list", "", 0, 0, NULL, EVERYBODY, DOCUMENT_PEOPLE, N_("列出要参加的会议"), "meetings list",
		cmd_list, CLI_WORK},
	{"meetings reply", "M HOW", 2, 2, reply_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("回执：参加 attend、请假 leave、派人参加 substitute"), N_("meetings reply 3 参加"),
		cmd_reply, CLI_WORK},
	{"meetings signin", "M", 1, 1, code_options, EVERYBODY, DOCUMENT_PEOPLE,
		N_("签到（断网也行，一天内送到）"), "meetings signin 3 --code 7K3M-9QXZ", cmd_signin,
		CLI_WORK},
	{0},
};

static const struct way ways[] = {
	{"list_meetings", "jg meetings list"},
	{"reply_meeting", "jg meetings reply"},
	{"again_school_meeting", N_("jg meetings list，再 reply")},
	{0},
};

const struct cli_part jg_meetings = {commands, ways, &jg_documents_print};
