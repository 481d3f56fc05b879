/* 办会: a meeting from plan to follow-up. Its notice and minutes are papers, signed by this computer as
 * any draft. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "lang.h"
#include "meeting.h"
#include "meeting_draft.h"
#include "tables.h"

static json_t *warnings_json(struct cli *c, const pb_meeting_reply *r)
{
	json_t *out = json_array();

	for (size_t i = 0; i < r->n_warning; i++) {
		const pb_meeting_clash *x = r->warning[i];
		json_array_append_new(out, json_pack("{s:s,s:s}", "who", x->who, "number", x->number));
		cli_say(c, _("注意：%s 那时还有 %s"),
			strcmp(x->who, x->who_name) ? x->who_name : admin_school(c, x->who), x->number);
	}
	return out;
}

static json_t *event_json(
	const char *id, const char *number, const char *state, const char *document, int64_t at)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o}", "id", id, "number", number, "state", state, "document",
		admin_text(document), "at", cli_time_json(at));
}

/* Asks for the event; the answer in *arena. */
static enum err ask(struct cli *c, pb_meeting_ask *q, struct arena *arena, const pb_meeting_reply **out)
{
	const ProtobufCMessage *reply;

	enum err e = documents_ask(c, SIGNED_MEETING, &q->base, arena, &reply);
	*out = (const pb_meeting_reply *)reply;
	return e;
}

static int told(struct cli *c, const pb_meeting_reply *r, const char *document)
{
	json_t *json = event_json(r->id, r->number, r->state, document, r->at);

	admin_schools(c);
	json_object_set_new(json, "warnings", warnings_json(c, r));
	cli_say(c, _("%s：现在是 %s"), r->number, admin_word(&codes_meeting_state, r->state));
	cli_next(c, "jgadmin meetings show %s", r->number);
	return cli_result(c, json, 0);
}

/* ---- Its papers ---- */

static enum err show(struct cli *c, struct arena *arena, const pb_meeting_shown **out)
{
	pb_meeting_query q = PB_MEETING_QUERY_INIT;
	const ProtobufCMessage *reply;

	q.meeting = (char *)cli_operand(c, 0);
	enum err e = admin_ask(c, METHOD_DOCUMENTS_SHOW_MEETING, &q.base, arena, &reply);
	*out = (const pb_meeting_shown *)reply;
	return e;
}

/* Drafts the paper, or issues the notice anew that schools have; *document: its id, the caller's to free. */
static enum err send_paper(
	struct cli *c, const pb_meeting_shown *m, bool minutes, const char *reason, char **document)
{
	pb_document_ask q = PB_DOCUMENT_ASK_INIT;
	bool again = !minutes && strcmp(m->meeting->state, "approved") == 0 &&
		strcmp(m->notice_state, "issued") == 0;
	char *text = minutes ? meeting_draft_minutes(m) : meeting_draft_notice(m);
	const ProtobufCMessage *reply;
	struct arena arena;

	*document = NULL;
	if (!text)
		return problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	q.event = (char *)(again ? "reissue" : "draft");
	q.doc = again ? m->notice : NULL;
	q.meeting = again ? NULL : m->meeting->id;
	q.reason = (char *)(again ? reason : NULL);
	q.leader = (char *)cli_option(c, "signer");
	q.has_file = 1;
	q.file = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
	enum err e = documents_ask(c, SIGNED_EVENT, &q.base, &arena, &reply);
	if (!e)
		*document = strdup(((const pb_document_reply *)reply)->id);
	arena_free(&arena);
	free(text);
	return e;
}

static int paper(struct cli *c, bool minutes)
{
	const pb_meeting_shown *m;
	struct arena arena;
	char *document = NULL;

	enum err e = show(c, &arena, &m);
	if (!e)
		e = send_paper(c, m, minutes, _("会议改期"), &document);
	int code = e ? cli_fail(c) : 0;
	if (!e) {
		cli_say(c, minutes ? _("%s：已起草会议纪要") : _("%s：已起草会议通知"), m->meeting->number);
		cli_next(c, "jgadmin documents submit %s", document);
		code = cli_result(
			c, event_json(m->meeting->id, m->meeting->number, m->meeting->state, document, 0), 0);
	}
	free(document);
	arena_free(&arena);
	return code;
}

static int cmd_notice(struct cli *c)
{
	return paper(c, false);
}

static int cmd_minutes(struct cli *c)
{
	return paper(c, true);
}

/* ---- Events ---- */

static int cmd_plan(struct cli *c)
{
	pb_meeting_ask q = PB_MEETING_ASK_INIT;
	char *text = documents_read_draft(c, cli_operand(c, 0));
	const pb_meeting_reply *r;
	struct arena arena;

	if (!text)
		return cli_fail(c);
	q.event = (char *)"plan";
	q.has_file = 1;
	q.file = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
	int code = ask(c, &q, &arena, &r) ? cli_fail(c) : told(c, r, NULL);
	arena_free(&arena);
	free(text);
	return code;
}

static enum err time_option(struct cli *c, const char *name, int64_t *at, protobuf_c_boolean *has)
{
	const char *value = cli_option(c, name);

	*has = value != NULL;
	if (!value || !meeting_time(at, value))
		return ERR_OK;
	return problem_set(
		&c->problem, ERR_USAGE, name, _("例如 '2026-09-12 09:00'"), _("时间 %s 不对"), value);
}

/* approve, hold, close: nothing but the event. */
static int cmd_event(struct cli *c)
{
	pb_meeting_ask q = PB_MEETING_ASK_INIT;
	const pb_meeting_reply *r;
	struct arena arena;

	q.event = (char *)strrchr(c->command->words, ' ') + 1;
	q.id = (char *)cli_operand(c, 0);
	q.reason = (char *)cli_option(c, "reason");
	q.has_force = 1;
	q.force = cli_flag(c, "force");
	int code = ask(c, &q, &arena, &r) ? cli_fail(c) : told(c, r, NULL);
	arena_free(&arena);
	return code;
}

/* What schools have been told is told anew: a notice that was issued is issued again, with the new time. */
static int cmd_move(struct cli *c)
{
	pb_meeting_ask q = PB_MEETING_ASK_INIT;
	const pb_meeting_shown *m;
	const pb_meeting_reply *r;
	struct arena arena, shown;
	char *document = NULL;

	q.event = (char *)"move";
	q.id = (char *)cli_operand(c, 0);
	q.reason = (char *)cli_option(c, "reason");
	q.place = (char *)cli_option(c, "place");
	q.has_force = 1;
	q.force = cli_flag(c, "force");
	if (time_option(c, "start", &q.start, &q.has_start) || time_option(c, "end", &q.end, &q.has_end))
		return cli_fail(c);
	enum err e = ask(c, &q, &arena, &r);
	if (e) {
		arena_free(&arena);
		return cli_fail(c);
	}
	e = show(c, &shown, &m);
	if (!e && strcmp(m->notice_state, "issued") == 0)
		e = send_paper(c, m, false, q.reason, &document);
	int code = e ? cli_fail(c) : told(c, r, document);
	free(document);
	arena_free(&shown);
	arena_free(&arena);
	return code;
}

/* The head takes the notice back first: were the line to break between, the command is given again. */
static enum err take_notice_back(struct cli *c)
{
	pb_document_ask q = PB_DOCUMENT_ASK_INIT;
	const ProtobufCMessage *reply;
	const pb_meeting_shown *m;
	struct arena arena, shown;

	enum err e = show(c, &shown, &m);
	if (!e && strcmp(m->meeting->state, "noticed") == 0 && strcmp(m->notice_state, "issued") == 0) {
		q.event = (char *)"recall";
		q.doc = m->notice;
		q.reason = (char *)cli_option(c, "reason");
		e = documents_ask(c, SIGNED_EVENT, &q.base, &arena, &reply);
		arena_free(&arena);
	}
	arena_free(&shown);
	return e;
}

static int cmd_cancel(struct cli *c)
{
	if (take_notice_back(c))
		return cli_fail(c);
	return cmd_event(c);
}

/* ---- Lists ---- */

struct rows {
	json_t *json, *ids;
	struct cli_table *table;
	size_t n;
};

static const char *when(const pb_meeting_row *m, char out[2 * MEETING_TIME_SIZE])
{
	char end[MEETING_TIME_SIZE];

	meeting_time_text(out, m->start);
	meeting_time_text(end, m->end);
	strcat(out, "–");
	strcat(out, strncmp(out, end, 10) ? end : end + 11);
	return out;
}

static bool page(void *data, const ProtobufCMessage *reply)
{
	const pb_meeting_list *list = (const pb_meeting_list *)reply;
	struct rows *x = data;

	for (size_t i = 0; i < list->n_meeting; i++) {
		const pb_meeting_row *m = list->meeting[i];
		char time[2 * MEETING_TIME_SIZE], replied[32], n[16];
		snprintf(n, sizeof n, "%zu", ++x->n);
		json_object_set_new(x->ids, n, json_string(m->id));
		json_array_append_new(x->json,
			json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:s}", "id", m->id, "number", m->number, "state",
				m->state, "subject", m->subject, "start", cli_time_json(m->start), "end",
				cli_time_json(m->end), "place", m->place));
		snprintf(replied, sizeof replied, "%u/%u", m->replied, m->schools);
		cli_table_row(x->table,
			(const char *[]){n, m->number, admin_word(&codes_meeting_state, m->state),
				when(m, time), m->place, m->subject, m->planner_name, replied});
	}
	return true;
}

static int cmd_list(struct cli *c)
{
	const char *headings[] = {
		_("序号"), _("会议号"), _("状态"), _("时间"), _("地点"), _("主题"), _("办会人"), _("回执")};
	struct rows x = {.json = json_array(), .ids = json_object(), .table = cli_table_new(headings, 8)};
	pb_empty q = PB_EMPTY_INIT;

	if (admin_stream(c, METHOD_DOCUMENTS_MEETINGS, &q.base, page, &x)) {
		cli_table_free(x.table);
		json_decref(x.json);
		json_decref(x.ids);
		return cli_fail(c);
	}
	cli_table_print(c, x.table);
	admin_shown_keep(c, "meetings", x.ids);
	cli_next(c, "%s", _("jgadmin meetings show 序号"));
	return cli_result(c, x.json, 0);
}

static json_t *replies_json(const pb_meeting_shown *m)
{
	json_t *out = json_array();

	for (size_t i = 0; i < m->n_reply; i++)
		json_array_append_new(out,
			json_pack("{s:s,s:s,s:b,s:o}", "school", m->reply[i]->school, "reply",
				m->reply[i]->reply, "old", m->reply[i]->old, "who",
				admin_text(m->reply[i]->who)));
	return out;
}

static void say_meeting(struct cli *c, const pb_meeting_shown *m)
{
	const char *agenda[] = {_("议程"), _("分钟"), _("发言人")};
	const char *replies[] = {_("学校"), _("回执"), _("派谁"), _("备注")};
	char time[2 * MEETING_TIME_SIZE], minutes[16];
	struct cli_table *t = cli_table_new(agenda, 3);

	cli_say(c, _("%s  %s"), m->meeting->number, m->meeting->subject);
	cli_say(c, _("%s；%s，%s；主持 %s"), admin_word(&codes_meeting_state, m->meeting->state),
		when(m->meeting, time), m->meeting->place, m->chair_name);
	for (size_t i = 0; i < m->n_agenda; i++) {
		snprintf(minutes, sizeof minutes, "%u", m->agenda[i]->minutes);
		cli_table_row(t, (const char *[]){m->agenda[i]->topic, minutes, m->agenda[i]->speaker_name});
	}
	cli_table_print(c, t);
	t = cli_table_new(replies, 4);
	for (size_t i = 0; i < m->n_reply; i++)
		cli_table_row(t,
			(const char *[]){m->reply[i]->school_name,
				admin_word(&codes_meeting_reply, m->reply[i]->reply), m->reply[i]->who,
				m->reply[i]->old ? _("改期以前的") : ""});
	cli_table_print(c, t);
}

static int cmd_show(struct cli *c)
{
	const pb_meeting_shown *m;
	struct arena arena;

	if (show(c, &arena, &m)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const char *document = *m->minutes ? m->minutes : m->notice;
	json_t *json = json_pack("{s:s,s:s,s:s,s:o,s:o}", "id", m->meeting->id, "number", m->meeting->number,
		"state", m->meeting->state, "document", admin_text(document), "replies", replies_json(m));
	if (!c->json)
		say_meeting(c, m);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static int cmd_attendance(struct cli *c)
{
	const char *headings[] = {_("谁"), _("到会"), _("签到时间")};
	const pb_meeting_shown *m;
	struct arena arena;
	json_t *rows = json_array();

	if (show(c, &arena, &m)) {
		arena_free(&arena);
		json_decref(rows);
		return cli_fail(c);
	}
	struct cli_table *t = cli_table_new(headings, 3);
	for (size_t i = 0; i < m->n_person; i++) {
		const pb_meeting_person *x = m->person[i];
		char at[FACE_SIZE];
		json_array_append_new(rows, json_pack("{s:s,s:s}", "who", x->who, "state", x->state));
		cli_table_row(t,
			(const char *[]){x->name, admin_word(&codes_meeting_presence, x->state),
				admin_time(x->at, at)});
	}
	cli_table_print(c, t);
	if (m->needed)
		cli_say(c, m->quorum ? _("到会人数够法定人数 %u") : _("到会人数不够法定人数 %u"), m->needed);
	json_t *json = json_pack("{s:o,s:b}", "rows", rows, "quorum", m->quorum);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static int cmd_cost(struct cli *c)
{
	const pb_meeting_shown *m;
	struct arena arena;

	if (show(c, &arena, &m)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	double hours = (double)m->person_hours / 100;
	cli_say(c, _("%zu 人，连路上共 %.2f 人时"), m->n_person, hours);
	json_t *json = json_pack("{s:i,s:f}", "persons", (int)m->n_person, "person_hours", hours);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static int cmd_code(struct cli *c)
{
	pb_meeting_query q = PB_MEETING_QUERY_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.meeting = (char *)cli_operand(c, 0);
	if (admin_ask(c, METHOD_DOCUMENTS_DOOR_CODE, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_meeting_code *r = (const pb_meeting_code *)reply;
	cli_say(c, _("签到码 %.4s-%s：印出来贴在会场门口"), r->code, r->code + 4);
	json_t *json = json_pack("{s:s}", "code", r->code);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

static int cmd_signin(struct cli *c)
{
	pb_meeting_query q = PB_MEETING_QUERY_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.meeting = (char *)cli_operand(c, 0);
	q.code = (char *)cli_option(c, "code");
	if (admin_ask(c, METHOD_DOCUMENTS_SIGN_IN, &q.base, &arena, &reply)) {
		arena_free(&arena);
		return cli_fail(c);
	}
	const pb_set_reply *r = (const pb_set_reply *)reply;
	cli_say(c, "%s", r->changed ? _("已签到") : _("已经签到过"));
	json_t *json = json_pack("{s:o,s:b}", "at", cli_time_json(r->at), "already", !r->changed);
	arena_free(&arena);
	return cli_result(c, json, 0);
}

#define ROLES_LEADER (1u << ROLE_LEADER)
#define FORCE                                                                                                \
	{                                                                                                    \
		"force", NULL, N_("主持人、发言人另有会也照开（局领导，写 --reason）")                       \
	}
static const struct cli_option approve_options[] = {FORCE, {"reason", "TEXT", N_("理由")}, {0}};
static const struct cli_option signer_options[] = {{"signer", "USER", N_("由哪位领导签发（必写）")}, {0}};
static const struct cli_option move_options[] = {{"start", "TIME", N_("新的开始时间，如 '2026-09-12 09:00'")},
	{"end", "TIME", N_("新的结束时间")}, {"place", "TEXT", N_("新的地点")},
	{"reason", "TEXT", N_("理由（必写）")}, FORCE, {0}};
static const struct cli_option reason_options[] = {{"reason", "TEXT", N_("理由（必写）")}, {0}};
static const struct cli_option code_options[] = {{"code", "CODE", N_("会场门口的签到码（必写）")}, {0}};
static const struct cli_command commands[] = {
	{"meetings plan", "FILE", 1, 1, NULL, ADMIN_NEEDS, 0, N_("报会议预案"), N_("meetings plan 预案.txt"),
		cmd_plan, CLI_WORK},
	{"meetings approve", "MEETING", 1, 1, approve_options, ADMIN_NEEDS, ROLES_LEADER, N_("批准会议"),
		N_("meetings approve 会〔2026〕1号"), cmd_event, CLI_WORK},
	{"meetings notice", "MEETING", 1, 1, signer_options, ADMIN_NEEDS, 0,
		N_("起草会议通知；改期后更正重发"), N_("meetings notice 会〔2026〕1号 --signer zhangsan1"),
		cmd_notice, CLI_WORK},
	{"meetings move", "MEETING", 1, 1, move_options, ADMIN_NEEDS, 0, N_("改时间、地点：学校重新回执"),
		N_("meetings move 会〔2026〕1号 --start '2026-09-13 09:00' --end '2026-09-13 11:00'"
		   " --reason 台风"),
		cmd_move, CLI_WORK},
	{"meetings hold", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("记下会议召开"),
		N_("meetings hold 会〔2026〕1号"), cmd_event, CLI_WORK},
	{"meetings minutes", "MEETING", 1, 1, signer_options, ADMIN_NEEDS, 0, N_("起草会议纪要"),
		N_("meetings minutes 会〔2026〕1号 --signer zhangsan1"), cmd_minutes, CLI_WORK},
	{"meetings close", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("会议办结：议定事项都销号以后"),
		N_("meetings close 会〔2026〕1号"), cmd_event, CLI_WORK},
	{"meetings cancel", "MEETING", 1, 1, reason_options, ADMIN_NEEDS, 0, N_("取消会议，撤回通知"),
		N_("meetings cancel 会〔2026〕1号 --reason 并入下月例会"), cmd_cancel, CLI_WORK},
	{"meetings show", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("看一个会议和各校回执"),
		N_("meetings show 会〔2026〕1号"), cmd_show, CLI_WORK},
	{"meetings list", "", 0, 0, NULL, ADMIN_NEEDS, 0, N_("列出会议"), "meetings list", cmd_list,
		CLI_WORK},
	{"meetings code", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("会场门口的签到码"),
		N_("meetings code 会〔2026〕1号"), cmd_code, CLI_WORK},
	{"meetings signin", "MEETING", 1, 1, code_options, ADMIN_NEEDS, 0, N_("县局人员签到"),
		N_("meetings signin 会〔2026〕1号 --code 7K3M-9QXZ"), cmd_signin, CLI_WORK},
	{"meetings attendance", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("到会情况"),
		N_("meetings attendance 会〔2026〕1号"), cmd_attendance, CLI_WORK},
	{"meetings cost", "MEETING", 1, 1, NULL, ADMIN_NEEDS, 0, N_("会议成本：多少人时"),
		N_("meetings cost 会〔2026〕1号"), cmd_cost, CLI_WORK},
	{0},
};

const struct cli_part admin_meetings = {commands, NULL, &admin_meetings_sheet};
