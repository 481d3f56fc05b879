/* What schools have of a meeting: the event says that they are to be told (meeting_tell), the job makes their
 * records so, some hundred at a time. What a school says arrives by push (school_meeting_applied). */
#include <string.h>

#include "codes.h"
#include "documents_calls.h"
#include "record_edit.h"
#include "schedule.h"
#include "tables.h"

#define PORTION 200 /* schools a run: under EFFECT_STREAMS_MAX */

static const struct db_stmt select_invites = {
	"SELECT i.meeting, i.school, m.number, m.subject, m.start_at, m.end_at, m.place, m.round, m.state,"
	" meeting_reply_due(m), s.rec_id,"
	" (SELECT string_agg(format('%s %s分钟 %s', u.topic, u.minutes, u.speaker), E'\\n' ORDER BY u.at)"
	" FROM unnest(m.agenda_topic, m.agenda_minutes, m.agenda_speaker)"
	" WITH ORDINALITY AS u (topic, minutes, speaker, at))"
	" FROM meeting_invite i JOIN meeting m ON m.county = i.county AND m.id = i.meeting"
	" LEFT JOIN school_meeting s ON s.county = i.county AND s.meeting = i.meeting"
	" AND s.owner_school = i.school AND NOT s.deleted"
	" WHERE i.county = app_county() AND NOT i.done ORDER BY i.meeting, i.school LIMIT 200"
	" FOR UPDATE OF i SKIP LOCKED"};
enum {
	I_MEETING,
	I_SCHOOL,
	I_NUMBER,
	I_SUBJECT,
	I_START,
	I_END,
	I_PLACE,
	I_ROUND,
	I_STATE,
	I_REPLY_DUE,
	I_RECORD,
	I_AGENDA
};
static const struct db_stmt mark_done = {
	"UPDATE meeting_invite i SET done = true FROM unnest($1::uuid[], $2::text[]) AS u (meeting, school)"
	" WHERE i.county = app_county() AND i.meeting = u.meeting AND i.school = u.school"};

struct invite {
	uint8_t meeting[16], record[16];
	bool has_record;
	const char *school, *number, *subject, *place, *state, *agenda;
	int64_t start, end, reply_due;
	int32_t round;
};
struct invites {
	struct record_edits edits;
	struct invite *list;
	size_t n;
};

/* Where there were more than one run takes, the next follows at once. */
static void invite_done(struct request *r)
{
	const struct invites *x = r->data;
	pb_empty nothing = PB_EMPTY_INIT;

	if (x && x->n == PORTION)
		schedule_now(r->worker, meetings_invite);
	request_reply(r, &nothing.base);
}

static void fill(struct record *d, const struct invite *x)
{
	record_set_bytes(d, F_MEETING_COPY_MEETING, x->meeting, 16);
	record_set_text(d, F_MEETING_COPY_NUMBER, x->number);
	record_set_text(d, F_MEETING_COPY_SUBJECT, x->subject);
	record_set_number(d, F_MEETING_COPY_START_AT, x->start);
	record_set_number(d, F_MEETING_COPY_END_AT, x->end);
	record_set_text(d, F_MEETING_COPY_PLACE, x->place);
	record_set_text(d, F_MEETING_COPY_AGENDA, x->agenda);
	record_set_number(d, F_MEETING_COPY_ROUND, x->round);
	record_set_text(d, F_MEETING_COPY_STATE, x->state);
	/* The day stands as it was when the school was asked. */
	if (strcmp(x->state, "noticed") == 0)
		record_set_number(d, F_MEETING_COPY_REPLY_DUE, x->reply_due);
}

static bool find_stored(const PGresult *rows, const struct invite *x, struct stored *out)
{
	for (int i = 0; x->has_record && i < PQntuples(rows); i++) {
		record_db_read(rows, i, kind_by_number(KIND_MEETING_COPY), out);
		if (memcmp(out->id, x->record, 16) == 0)
			return true;
	}
	return false;
}

static void invite_write(struct request *r)
{
	const struct kind *kind = kind_by_number(KIND_MEETING_COPY);
	const PGresult *rows = record_db_locked_rows(&r->task, kind);
	struct pg_array meetings = {0}, schools = {0};
	struct invites *x = r->data;
	struct db_params p = {0};
	struct stored before;

	if (!record_edits_begin(&x->edits, r, x->n)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	pg_array_begin(&meetings, PG_UUID);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < x->n; i++) {
		const struct invite *v = &x->list[i];
		struct stored *to =
			record_edit(&x->edits, kind, find_stored(rows, v, &before) ? &before : NULL);
		snprintf(to->owner, sizeof to->owner, "%s", v->school);
		fill(&to->state.record, v);
		record_edit_end(&x->edits);
		pg_array_bytes(&meetings, v->meeting, 16);
		pg_array_text(&schools, v->school);
	}
	db_array(&p, &meetings);
	db_array(&p, &schools);
	request_query(r, &mark_done, &p);
	pg_array_free(&meetings);
	pg_array_free(&schools);
	record_edits_commit(&x->edits, r, invite_done);
}

static bool read_invites(struct request *r, struct invites *x, struct pg_array *ids)
{
	const PGresult *t = request_result(r, &select_invites);
	size_t n = (size_t)PQntuples(t), len;

	x->list = arena_alloc(&r->arena, sizeof *x->list * (n + 1));
	for (int i = 0; x->list && i < (int)n; i++) {
		struct invite *v = &x->list[x->n++];
		*v = (struct invite){.school = document_text(r, db_get_text(t, i, I_SCHOOL)),
			.number = document_text(r, db_get_text(t, i, I_NUMBER)),
			.subject = document_text(r, db_get_text(t, i, I_SUBJECT)),
			.place = document_text(r, db_get_text(t, i, I_PLACE)),
			.state = document_text(r, db_get_text(t, i, I_STATE)),
			.agenda = document_text(r, db_get_text(t, i, I_AGENDA)),
			.start = db_get_int(t, i, I_START),
			.end = db_get_int(t, i, I_END),
			.reply_due = db_get_int(t, i, I_REPLY_DUE),
			.round = (int32_t)db_get_int(t, i, I_ROUND),
			.has_record = !db_is_null(t, i, I_RECORD)};
		memcpy(v->meeting, db_get_bytes(t, i, I_MEETING, &len), 16);
		if (v->has_record) {
			memcpy(v->record, db_get_bytes(t, i, I_RECORD, &len), 16);
			pg_array_bytes(ids, v->record, 16);
		}
	}
	return x->list && !r->arena.refused;
}

static void invite_lock(struct request *r)
{
	struct invites *x = arena_alloc(&r->arena, sizeof *x);
	struct pg_array ids = {0};

	r->data = x;
	pg_array_begin(&ids, PG_UUID);
	if (!x || !read_invites(r, x, &ids)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
	} else if (x->n) {
		record_db_lock(&r->task, kind_by_number(KIND_MEETING_COPY), &ids);
		request_trip(r, invite_write);
	} else {
		db_task_commit(&r->task);
		request_trip(r, invite_done);
	}
	pg_array_free(&ids);
}

static void invite_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &select_invites, NULL);
	request_trip(r, invite_lock);
}

void meetings_invite(struct request *r)
{
	request_begin(r, invite_query);
}

void meetings_invite_now(struct worker *w)
{
	schedule_now(w, meetings_invite);
}
