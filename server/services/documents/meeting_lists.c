/* What meetings there are, what schools replied, who was there: reads of one trip. And the code at the
 * door, for who may print it, and of the bureau's own people who types it. */
#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "lang.h"

#define ROW                                                                                                  \
	"m.id, m.number, m.state, m.subject, m.start_at, m.end_at, m.place, m.planner,"                      \
	" cardinality(m.schools),"                                                                           \
	" (SELECT count(DISTINCT x.school) FROM meeting_reply x WHERE x.county = m.county"                   \
	" AND x.meeting = m.id AND x.round = m.round)"
static const struct db_stmt select_meetings = {
	"SELECT " ROW " FROM meeting m WHERE m.county = app_county() ORDER BY m.start_at, m.number"};
enum {
	R_ID,
	R_NUMBER,
	R_STATE,
	R_SUBJECT,
	R_START,
	R_END,
	R_PLACE,
	R_PLANNER,
	R_SCHOOLS,
	R_REPLIED,
	R_COLUMNS
};
static const struct db_stmt select_meeting = {
	"SELECT " ROW
	", m.purpose, m.host, m.chair, m.reply_due, m.quorum, m.round, coalesce(m.notice::text, ''),"
	" coalesce(n.state, ''), coalesce(m.minutes::text, ''), coalesce(k.state, '')"
	" FROM meeting m"
	" LEFT JOIN document n ON n.county = m.county AND n.id = m.notice"
	" LEFT JOIN document k ON k.county = m.county AND k.id = m.minutes"
	" WHERE m.county = app_county() AND m.id = meeting_find($1::text)"};
enum {
	S_PURPOSE = R_COLUMNS,
	S_HOST,
	S_CHAIR,
	S_REPLY_DUE,
	S_QUORUM,
	S_ROUND,
	S_NOTICE,
	S_NOTICE_STATE,
	S_MINUTES,
	S_MINUTES_STATE
};
static const struct db_stmt select_agenda = {
	"SELECT u.topic, u.minutes, u.speaker"
	" FROM meeting m, unnest(m.agenda_topic, m.agenda_minutes, m.agenda_speaker)"
	" WITH ORDINALITY AS u (topic, minutes, speaker, at)"
	" WHERE m.county = app_county() AND m.id = meeting_find($1::text) ORDER BY u.at"};
/* The last of a round stands; what was replied to an earlier time is old. */
static const struct db_stmt select_replies = {
	"SELECT DISTINCT ON (x.round, x.school) x.school, coalesce(s.name, x.school), x.reply, x.who,"
	" x.round < m.round OR m.state = 'approved', x.at"
	" FROM meeting_reply x JOIN meeting m ON m.county = x.county AND m.id = x.meeting"
	" LEFT JOIN school s ON s.county = x.county AND s.code = x.school AND NOT s.deleted"
	" WHERE x.county = app_county() AND x.meeting = meeting_find($1::text)"
	" ORDER BY x.round, x.school, x.id DESC"};
/* Who is asked, with what he replied and when he signed in. */
static const struct db_stmt select_people = {
	"SELECT u.who, coalesce(s.name, ''), coalesce((SELECT x.reply FROM meeting_reply x"
	" WHERE x.county = m.county AND x.meeting = m.id AND x.school = u.who"
	" AND x.round = m.round ORDER BY x.id DESC LIMIT 1), ''), i.at"
	" FROM meeting m CROSS JOIN LATERAL unnest(m.officers || m.schools) WITH ORDINALITY AS u (who, n)"
	" LEFT JOIN school s ON s.county = m.county AND s.code = u.who AND NOT s.deleted"
	" LEFT JOIN meeting_sign_in i ON i.county = m.county AND i.meeting = m.id AND i.who = u.who"
	" AND i.day = (m.start_at AT TIME ZONE 'Asia/Shanghai')::date"
	" WHERE m.county = app_county() AND m.id = meeting_find($1::text) ORDER BY u.n"};

static bool fill_row(
	struct request *r, pb_meeting_row *row, const PGresult *t, int i, const struct document_world *w)
{
	char id[37];
	size_t n;

	*row = (pb_meeting_row)PB_MEETING_ROW_INIT;
	id_format(id, db_get_bytes(t, i, R_ID, &n));
	row->id = arena_text(&r->arena, id, 36);
	row->number = (char *)document_text(r, db_get_text(t, i, R_NUMBER));
	row->state = (char *)document_text(r, db_get_text(t, i, R_STATE));
	row->subject = (char *)document_text(r, db_get_text(t, i, R_SUBJECT));
	row->place = (char *)document_text(r, db_get_text(t, i, R_PLACE));
	row->planner_name = (char *)document_name_of(w, document_text(r, db_get_text(t, i, R_PLANNER)));
	row->has_start = row->has_end = row->has_schools = row->has_replied = 1;
	row->start = db_get_int(t, i, R_START);
	row->end = db_get_int(t, i, R_END);
	row->schools = (uint32_t)db_get_int(t, i, R_SCHOOLS);
	row->replied = (uint32_t)db_get_int(t, i, R_REPLIED);
	return !r->arena.refused;
}

static const ProtobufCMessage *meetings_page(struct request *r, void *data, size_t from, size_t to)
{
	const struct document_surroundings *around = data;
	pb_meeting_list *out = arena_alloc(&r->arena, sizeof *out);
	pb_meeting_row *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_meeting_list)PB_MEETING_LIST_INIT;
	out->meeting = arena_alloc(&r->arena, sizeof *out->meeting * (to - from + 1));
	for (size_t i = from; out->meeting && i < to; i++) {
		if (!fill_row(
			    r, &rows[i - from], request_result(r, &select_meetings), (int)i, &around->world))
			return NULL;
		out->meeting[out->n_meeting++] = &rows[i - from];
	}
	return out->meeting ? &out->base : NULL;
}

static void meetings_query(struct request *r)
{
	request_query(r, &select_meetings, NULL);
	world_query(r);
}

static void meetings_done(struct request *r)
{
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	size_t n = (size_t)PQntuples(request_result(r, &select_meetings));

	if (x && world_read(r, x))
		document_reply_pages(r, &(struct document_pages){n, meetings_page, x});
}

void documents_meetings(struct request *r)
{
	request_call(r, meetings_query, meetings_done);
}

/* ---- show ---- */

static const struct db_stmt select_attend = {
	"SELECT u.who"
	" FROM meeting m, unnest(m.attend) WITH ORDINALITY AS u (who, at)"
	" WHERE m.county = app_county() AND m.id = meeting_find($1::text) ORDER BY u.at"};

static bool fill_attend(struct request *r, pb_meeting_shown *out)
{
	const PGresult *t = request_result(r, &select_attend);
	size_t n = (size_t)PQntuples(t);

	out->attend = arena_alloc(&r->arena, sizeof *out->attend * (n + 1));
	for (int i = 0; out->attend && i < (int)n; i++)
		out->attend[out->n_attend++] = (char *)document_text(r, db_get_text(t, i, 0));
	return out->attend;
}

static bool fill_agenda(struct request *r, pb_meeting_shown *out, const struct document_world *w)
{
	const PGresult *t = request_result(r, &select_agenda);
	size_t n = (size_t)PQntuples(t);
	pb_meeting_item *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	out->agenda = arena_alloc(&r->arena, sizeof *out->agenda * (n + 1));
	for (int i = 0; rows && out->agenda && i < (int)n; i++) {
		pb_meeting_item *x = out->agenda[out->n_agenda++] = &rows[i];
		*x = (pb_meeting_item)PB_MEETING_ITEM_INIT;
		x->topic = (char *)document_text(r, db_get_text(t, i, 0));
		x->has_minutes = 1;
		x->minutes = (uint32_t)db_get_int(t, i, 1);
		x->speaker_name = (char *)document_name_of(w, document_text(r, db_get_text(t, i, 2)));
	}
	return rows && out->agenda;
}

static bool fill_replies(struct request *r, pb_meeting_shown *out)
{
	const PGresult *t = request_result(r, &select_replies);
	size_t n = (size_t)PQntuples(t);
	pb_meeting_answer *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));

	out->reply = arena_alloc(&r->arena, sizeof *out->reply * (n + 1));
	for (int i = 0; rows && out->reply && i < (int)n; i++) {
		pb_meeting_answer *x = out->reply[out->n_reply++] = &rows[i];
		*x = (pb_meeting_answer)PB_MEETING_ANSWER_INIT;
		x->school = (char *)document_text(r, db_get_text(t, i, 0));
		x->school_name = (char *)document_text(r, db_get_text(t, i, 1));
		x->reply = (char *)document_text(r, db_get_text(t, i, 2));
		x->who = (char *)document_text(r, db_get_text(t, i, 3));
		x->has_old = x->has_at = 1;
		x->old = db_get_int(t, i, 4) != 0;
		x->at = db_get_int(t, i, 5);
	}
	return rows && out->reply;
}

/* Everybody with how he was there; and whether that is enough. */
static bool fill_people(
	struct request *r, pb_meeting_shown *out, struct document_surroundings *around, int32_t quorum)
{
	const PGresult *t = request_result(r, &select_people);
	size_t n = (size_t)PQntuples(t), there = 0;
	pb_meeting_person *rows = arena_alloc(&r->arena, sizeof *rows * (n + 1));
	int64_t start = out->meeting->start, now = around->world.now;

	out->person = arena_alloc(&r->arena, sizeof *out->person * (n + 1));
	for (int i = 0; rows && out->person && i < (int)n; i++) {
		pb_meeting_person *x = out->person[out->n_person++] = &rows[i];
		int reply = document_code_index(&codes_meeting_reply, db_get_text(t, i, 2));
		*x = (pb_meeting_person)PB_MEETING_PERSON_INIT;
		x->who = (char *)document_text(r, db_get_text(t, i, 0));
		x->name = (char *)document_text(r, db_get_text(t, i, 1));
		if (!*x->name)
			x->name = (char *)document_name_of(&around->world, x->who);
		x->has_at = 1;
		x->at = db_get_int(t, i, 3);
		enum meeting_presence how =
			meeting_presence((enum meeting_reply)(MEETING_REPLY_ATTEND + reply), x->at, start,
				atoi(world_setting(around, "late", now)));
		x->state = (char *)codes_meeting_presence.items[how].code;
		there += meeting_counts(how);
	}
	out->has_quorum = out->has_needed = out->has_person_hours = 1;
	out->needed = (uint32_t)quorum;
	out->quorum = there >= (size_t)quorum;
	out->person_hours =
		meeting_person_hours(n, start, out->meeting->end, atoi(world_setting(around, "way", now)));
	return rows && out->person;
}

static void not_found(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	request_fail_hint(r, ERR_NOT_FOUND, "meeting",
		arena_printf(&r->arena, _("没有“%s”这个会议"), text_of(query->meeting)),
		_("jgadmin meetings list 列出会议"));
}

static void show_query(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	static const struct db_stmt *const all[] = {
		&select_meeting, &select_attend, &select_agenda, &select_replies, &select_people};
	struct db_params p = {0};

	db_text(&p, query->meeting);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		request_query(r, all[i], &p);
	world_query(r);
}

static void show_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_meeting);
	struct document_surroundings *x = arena_alloc(&r->arena, sizeof *x);
	pb_meeting_shown out = PB_MEETING_SHOWN_INIT;
	pb_meeting_row row;

	if (!PQntuples(t)) {
		not_found(r);
		return;
	}
	if (!x || !world_read(r, x))
		return;
	out.meeting = &row;
	if (!fill_row(r, &row, t, 0, &x->world) || !fill_attend(r, &out) ||
		!fill_agenda(r, &out, &x->world) || !fill_replies(r, &out) ||
		!fill_people(r, &out, x, (int32_t)db_get_int(t, 0, S_QUORUM))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	out.purpose = (char *)db_get_text(t, 0, S_PURPOSE);
	out.host = (char *)db_get_text(t, 0, S_HOST);
	out.chair_name = (char *)document_name_of(&x->world, document_text(r, db_get_text(t, 0, S_CHAIR)));
	out.planner = (char *)db_get_text(t, 0, R_PLANNER);
	out.has_reply_due = 1;
	out.reply_due = (int32_t)db_get_int(t, 0, S_REPLY_DUE);
	out.notice = (char *)db_get_text(t, 0, S_NOTICE);
	out.notice_state = (char *)db_get_text(t, 0, S_NOTICE_STATE);
	out.minutes = (char *)db_get_text(t, 0, S_MINUTES);
	out.minutes_state = (char *)db_get_text(t, 0, S_MINUTES_STATE);
	request_reply(r, &out.base);
}

void documents_show_meeting(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	if (*text_of(query->meeting))
		request_call(r, show_query, show_done);
	else
		request_fail(r, ERR_MISSING, "meeting", NULL);
}

/* ---- The code at the door ---- */

/* It hangs at the door: who plans the meeting prints it, and the office. */
static const struct db_stmt select_code = {
	"SELECT number, code, start_at, $2::text IN (planner, document_with(planner)), state"
	" IN ('approved', 'noticed', 'held')"
	" FROM meeting WHERE county = app_county() AND id = meeting_find($1::text)"};

static void code_query(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	struct db_params p = {0};

	db_text(&p, query->meeting);
	db_text(&p, r->caller.user);
	request_query(r, &select_code, &p);
}

static void code_done(struct request *r)
{
	const PGresult *t = request_result(r, &select_code);
	pb_meeting_code out = PB_MEETING_CODE_INIT;

	if (!PQntuples(t))
		not_found(r);
	else if (!db_get_int(t, 0, 3) && !request_has_role(r, ROLE_OFFICE))
		request_refuse(r, ERR_PERMISSION, "meeting", _("签到码由办会人或办公室打印"), NULL);
	else if (!db_get_int(t, 0, 4))
		request_refuse(r, ERR_NOT_NOW, "state", _("会议批准以后才有签到码，开过就没有用了"), NULL);
	else {
		out.number = (char *)db_get_text(t, 0, 0);
		out.code = (char *)db_get_text(t, 0, 1);
		out.has_start = 1;
		out.start = db_get_int(t, 0, 2);
		access_log_add(r->worker, &r->caller, r->method->name, "OK", 1, out.number, r->ref);
		request_reply(r, &out.base);
	}
}

void documents_door_code(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	if (*text_of(query->meeting))
		request_call(r, code_query, code_done);
	else
		request_fail(r, ERR_MISSING, "meeting", NULL);
}

/* ---- One of the bureau signs in: at once, with the server's time ---- */

static const struct db_stmt sign_in = {
	"WITH m AS (SELECT m.*, coalesce(meeting_sign_in_fault(m, $2::text, jg_now()), '') AS fault"
	" FROM meeting m WHERE m.county = app_county() AND m.id = meeting_find($1::text)),"
	" i AS (INSERT INTO meeting_sign_in (county, meeting, who, day, at, brought)"
	" SELECT m.county, m.id, $3::text, (m.start_at AT TIME ZONE 'Asia/Shanghai')::date, jg_now(),"
	" jg_now() FROM m"
	" WHERE m.fault = '' AND $3::text = ANY (m.officers) AND m.state IN ('noticed', 'held')"
	" ON CONFLICT DO NOTHING RETURNING 1)"
	" SELECT m.fault, $3::text = ANY (m.officers), m.state IN ('noticed', 'held'), (SELECT count(*)::int"
	" FROM i), jg_now(), m.number FROM m"};

static void sign_in_query(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	char code[MEETING_CODE_SIZE];
	struct db_params p = {0};

	meeting_code_typed(code, query->code);
	db_text(&p, query->meeting);
	db_text(&p, text_of(arena_text(&r->arena, code, strlen(code))));
	db_text(&p, r->caller.user);
	request_query(r, &sign_in, &p);
}

static void sign_in_done(struct request *r)
{
	const PGresult *t = request_result(r, &sign_in);
	pb_set_reply out = PB_SET_REPLY_INIT;

	if (!PQntuples(t))
		not_found(r);
	else if (!db_get_int(t, 0, 1))
		request_refuse(r, ERR_PERMISSION, "meeting", _("您不在参会名单里"), NULL);
	else if (!db_get_int(t, 0, 2))
		request_refuse(r, ERR_NOT_NOW, "state", _("会议没有通知，或已经取消"), NULL);
	else if (*db_get_text(t, 0, 0))
		request_refuse(r, ERR_RULE, "R24", document_text(r, db_get_text(t, 0, 0)), NULL);
	else {
		out.has_changed = out.has_at = 1;
		out.changed = (uint32_t)db_get_int(t, 0, 3);
		out.at = db_get_int(t, 0, 4);
		access_log_add(r->worker, &r->caller, r->method->name, "OK", 1,
			document_text(r, db_get_text(t, 0, 5)), r->ref);
		request_reply(r, &out.base);
	}
}

void documents_sign_in(struct request *r)
{
	const pb_meeting_query *query = REQUEST(r, pb_meeting_query);
	if (!*text_of(query->meeting) || !*text_of(query->code))
		request_fail(r, ERR_MISSING, *text_of(query->meeting) ? "code" : "meeting", NULL);
	else
		request_call(r, sign_in_query, sign_in_done);
}
