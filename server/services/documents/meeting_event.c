/* 办会: one event of one meeting, judged by meeting_machine.h and written. Its notice and its minutes are
 * papers: their drafts come through document_event.c, which asks here whether they may be, and tells here
 * when one was issued. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "draft_rules.h"
#include "lang.h"

/* ---- Reading ---- */

static const struct db_stmt lock_meeting = {
	"SELECT m.id, m.number, m.state, m.subject, m.place, m.chair, m.start_at, m.end_at, m.planner,"
	" m.secret,"
	" array_to_string(m.agenda_minutes, E'\\n'), array_to_string(m.agenda_speaker, E'\\n'),"
	" array_to_string(m.officers || m.schools, E'\\n'),"
	" coalesce((SELECT d.state FROM document d WHERE d.county = m.county"
	" AND d.id = m.notice), 'void') NOT IN ('void', 'closed', 'recalled', 'archived'),"
	" coalesce((SELECT d.state FROM document d WHERE d.county = m.county"
	" AND d.id = m.minutes), 'void') <> 'void', m.digest"
	" FROM meeting m WHERE m.county = app_county() AND m.id = meeting_find($1::text) FOR UPDATE OF m"};
enum {
	M_ID,
	M_NUMBER,
	M_STATE,
	M_SUBJECT,
	M_PLACE,
	M_CHAIR,
	M_START,
	M_END,
	M_PLANNER,
	M_SECRET,
	M_MINUTES,
	M_SPEAKERS,
	M_PEOPLE,
	M_HAS_NOTICE,
	M_HAS_MINUTES,
	M_DIGEST
};
static const struct db_stmt read_open_order = {"SELECT order_open_on(meeting_find($1::text))"};
/* Two that are approved at once see each other: who decides holds the counter of meetings. */
static const struct db_stmt lock_rooms = {
	"SELECT 1"
	" FROM document_counter WHERE county = app_county() AND series = '会' FOR UPDATE"};
static const struct db_stmt read_others = {
	"SELECT o.number, o.place, array_to_string(o.chair || o.agenda_speaker, E'\\n'),"
	" array_to_string(o.officers || o.schools, E'\\n')"
	" FROM meeting o JOIN meeting m ON m.county = o.county AND m.id = meeting_find($1::text)"
	" AND o.id <> m.id"
	" WHERE o.county = app_county() AND o.state IN ('approved', 'noticed')"
	" AND o.start_at < coalesce($3::timestamptz, m.end_at)"
	" AND coalesce($2::timestamptz, m.start_at) < o.end_at"
	" ORDER BY o.start_at, o.number"};
static const struct db_stmt read_schools = {
	"SELECT code, name, coalesce(stage_mask(type), 0)"
	" FROM school WHERE county = app_county() AND NOT deleted ORDER BY code"};
static const struct db_stmt read_organs = {"SELECT name"
					   " FROM document_organ WHERE county = app_county()"};
static const struct db_stmt take_number = {
	"SELECT y, document_number_take('会', y) FROM (SELECT extract(year FROM jg_today())::int) AS x (y)"};

/* ---- Writing ---- */

static const struct db_stmt insert_meeting = {
	"INSERT INTO meeting (county, id, year, n, number, state, subject, purpose, host, place, chair,"
	" start_at, end_at,"
	" agenda_topic, agenda_minutes, agenda_speaker, attend, officers, schools, reply_due, quorum,"
	" planner, secret, code, digest, made_at)"
	" VALUES (app_county(), $1::uuid, $2::int, $3::int, $4::text, $5::text, $6::text, $7::text, $8::text,"
	" $9::text, $10::text, $11::timestamptz, $12::timestamptz,"
	" $13::text[], $14::int[], $15::text[], $16::text[], $17::text[], $18::text[], $19::date, $20::int,"
	" $21::text, $22::bytea, $23::text, $24::bytea, jg_now())"};
static const struct db_stmt update_meeting = {
	"UPDATE meeting SET state = $2::text, start_at = $3::timestamptz, end_at = $4::timestamptz,"
	" place = $5::text, code = $6::text"
	" WHERE county = app_county() AND id = $1::uuid"};
static const struct db_stmt add_event = {
	"SELECT meeting_event_add($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text)"};
static const struct db_stmt end_tasks = {"SELECT meeting_end_tasks($1::uuid)"};
static const struct db_stmt tell_schools = {"SELECT meeting_tell($1::uuid)"};
static const struct db_stmt open_minutes = {"SELECT meeting_open_minutes($1::uuid)"};
static const struct db_stmt paper_issued = {"SELECT meeting_paper_issued($1::uuid, $2::text)"};
static const struct db_stmt link_paper = {
	"UPDATE meeting SET notice = CASE WHEN $3::boolean THEN notice ELSE $2::uuid END,"
	" minutes = CASE WHEN $3::boolean THEN $2::uuid ELSE minutes END"
	" WHERE county = app_county() AND id = $1::uuid"};

struct meeting_call {
	struct meeting_file file;
	struct meeting_ask ask;
	struct meeting_done done;
	struct document_surroundings around;
	const char **officers, **schools; /* whom 参会 means */
	size_t officer_count, school_count;
	int32_t year, n;
	struct document_entry entry;
};

static struct document_signing signing_of(struct request *r)
{
	const pb_meeting_ask *ask = REQUEST(r, pb_meeting_ask);

	return (struct document_signing){ask->intent, ask->intent_sig, ask->dry_run};
}

/* The lines of a text, empty ones too. */
static const char *const *lines_of(struct request *r, const char *text, size_t *n)
{
	char *at = arena_text(&r->arena, text, strlen(text)), *end;
	const char **out = arena_alloc(&r->arena, sizeof *out * (strlen(text) + 1));

	*n = 0;
	for (; at && out && *text; at = end + 1) {
		out[(*n)++] = at;
		end = strchr(at, '\n');
		if (!end)
			break;
		*end = 0;
	}
	return out;
}

void meeting_query(struct request *r, const char *of, int64_t start, int64_t end)
{
	struct db_params p = {0}, others = {0};

	db_text(&p, of);
	request_query(r, &lock_rooms, NULL);
	request_query(r, &lock_meeting, &p);
	request_query(r, &read_open_order, &p);
	db_text(&others, of);
	if (start)
		db_time(&others, start);
	else
		db_text(&others, NULL);
	if (end)
		db_time(&others, end);
	else
		db_text(&others, NULL);
	request_query(r, &read_others, &others);
}

static void read_agenda(struct request *r, struct meeting_plan *plan)
{
	const PGresult *t = request_result(r, &lock_meeting);
	size_t n, speakers;
	const char *const *minutes = lines_of(r, db_get_text(t, 0, M_MINUTES), &n),
			  *const *speaker = lines_of(r, db_get_text(t, 0, M_SPEAKERS), &speakers);

	plan->agenda = arena_alloc(&r->arena, sizeof *plan->agenda * (n + 1));
	for (size_t i = 0; plan->agenda && minutes && speaker && i < n; i++)
		plan->agenda[plan->agenda_count++] = (struct meeting_item){
			"", i < speakers ? speaker[i] : "", (int32_t)strtol(minutes[i], NULL, 10)};
}

/* ERR_NOT_FOUND, ERR_NOMEM. */
static enum err read_meeting(struct request *r, struct meeting_file *f)
{
	const PGresult *t = request_result(r, &lock_meeting);
	size_t n;

	if (!PQntuples(t))
		return ERR_NOT_FOUND;
	f->m = (struct meeting){
		.state = (enum meeting_state)(MEETING_PLANNED +
			document_code_index(&codes_meeting_state, db_get_text(t, 0, M_STATE))),
		.plan = {.subject = document_text(r, db_get_text(t, 0, M_SUBJECT)),
			.place = document_text(r, db_get_text(t, 0, M_PLACE)),
			.chair = document_text(r, db_get_text(t, 0, M_CHAIR)),
			.start = db_get_int(t, 0, M_START),
			.end = db_get_int(t, 0, M_END)},
		.planner = document_text(r, db_get_text(t, 0, M_PLANNER)),
		.has_notice = db_get_int(t, 0, M_HAS_NOTICE) != 0,
		.has_minutes = db_get_int(t, 0, M_HAS_MINUTES) != 0};
	f->number = document_text(r, db_get_text(t, 0, M_NUMBER));
	memcpy(f->id, db_get_bytes(t, 0, M_ID, &n), 16);
	memcpy(f->digest, db_get_bytes(t, 0, M_DIGEST, &n), sizeof f->digest);
	memcpy(f->secret, db_get_bytes(t, 0, M_SECRET, &n), MEETING_SECRET);
	read_agenda(r, &f->m.plan);
	f->m.people = lines_of(r, db_get_text(t, 0, M_PEOPLE), &f->m.people_count);
	const char *order = document_text(r, db_get_text(request_result(r, &read_open_order), 0, 0));
	f->m.open_order = *order ? order : NULL;
	return r->arena.refused ? ERR_NOMEM : ERR_OK;
}

static bool read_beside(struct request *r, struct meeting_ask *ask)
{
	const PGresult *t = request_result(r, &read_others);
	size_t n = (size_t)PQntuples(t);
	struct meeting_other *others = arena_alloc(&r->arena, sizeof *others * (n + 1));

	for (int i = 0; others && i < (int)n; i++) {
		struct meeting_other *o = &others[i];
		o->number = document_text(r, db_get_text(t, i, 0));
		o->place = document_text(r, db_get_text(t, i, 1));
		o->leads = lines_of(r, db_get_text(t, i, 2), &o->lead_count);
		o->people = lines_of(r, db_get_text(t, i, 3), &o->people_count);
	}
	ask->others = others;
	ask->other_count = n;
	return others && !r->arena.refused;
}

/* ---- plan: whom its names mean ---- */

static const struct document_account *account_called(const struct document_world *w, const char *text)
{
	const struct document_account *found = NULL;

	for (size_t i = 0; i < w->account_count; i++) {
		if (strcmp(w->accounts[i].user, text) == 0)
			return &w->accounts[i];
		if (strcmp(w->accounts[i].name, text) == 0 && !w->accounts[i].disabled)
			found = &w->accounts[i];
	}
	return found;
}

static void break_rule(struct meeting_call *x, unsigned rule, const char *text)
{
	if (!text || (x->ask.rule && x->ask.rule <= rule))
		return;
	x->ask.rule = rule;
	x->ask.rule_text = text;
}

/* A log-in or a name becomes the log-in; a guest of the county's stays as it is written. */
static const char *person(struct request *r, struct meeting_call *x, const char *text)
{
	const struct document_account *a = account_called(&x->around.world, text);

	if (!a)
		return text;
	break_rule(x, 1, document_unfit(&x->around.world, a->user, false, &r->arena));
	return a->user;
}

static void add_once(const char **list, size_t *n, const char *text)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(list[i], text) == 0)
			return;
	list[(*n)++] = text;
}

static bool is_organ(struct request *r, const char *text)
{
	const PGresult *t = request_result(r, &read_organs);

	for (int i = 0; i < PQntuples(t); i++)
		if (strcmp(db_get_text(t, i, 0), text) == 0)
			return true;
	return false;
}

static void name_attendee(struct request *r, struct meeting_call *x, const char *text)
{
	const PGresult *s = request_result(r, &read_schools);
	unsigned group = draft_school_group(text);
	bool met = group != 0;

	for (int i = 0; i < PQntuples(s); i++) {
		const char *code = db_get_text(s, i, 0);
		if (!((unsigned)db_get_int(s, i, 2) & group) && strcmp(code, text) != 0 &&
			strcmp(db_get_text(s, i, 1), text) != 0)
			continue;
		add_once(x->schools, &x->school_count, document_text(r, code));
		met = true;
	}
	const struct document_account *a = met ? NULL : account_called(&x->around.world, text);
	if (a || (!met && is_organ(r, text)))
		add_once(x->officers, &x->officer_count, a ? person(r, x, text) : text);
	else if (!met)
		break_rule(x, 3, arena_printf(&r->arena, _("没有“%s”这个学校、机关或人员"), text));
}

static bool name_everybody(struct request *r, struct meeting_call *x)
{
	struct meeting_plan *plan = &x->file.m.plan;
	size_t schools = (size_t)PQntuples(request_result(r, &read_schools));

	x->officers = arena_alloc(&r->arena, sizeof *x->officers * (plan->attend.n + 1));
	x->schools = arena_alloc(&r->arena, sizeof *x->schools * (schools + 1));
	if (!x->officers || !x->schools)
		return false;
	for (size_t i = 0; i < plan->attend.n; i++)
		name_attendee(r, x, plan->attend.items[i]);
	plan->chair = person(r, x, plan->chair);
	for (size_t i = 0; i < plan->agenda_count; i++)
		plan->agenda[i].speaker = person(r, x, plan->agenda[i].speaker);
	return !r->arena.refused;
}

static bool read_plan(struct request *r, struct meeting_call *x)
{
	const pb_meeting_ask *ask = REQUEST(r, pb_meeting_ask);
	const PGresult *n = request_result(r, &take_number);
	struct problem p;

	enum err e =
		meeting_parse(&x->file.m.plan, (const char *)ask->file.data, ask->file.len, &r->arena, &p);
	if (e) {
		request_fail_problem(r, &p);
		return false;
	}
	x->file.m.planner = x->ask.user;
	x->year = (int32_t)db_get_int(n, 0, 0);
	x->n = (int32_t)db_get_int(n, 0, 1);
	x->file.number = text_of(arena_printf(&r->arena, "会〔%d〕%d号", x->year, x->n));
	const struct document_signing signing = signing_of(r);
	/* Who signs for a new meeting signs for its id: the one that he was told. */
	if (signing.dry_run || id_parse(x->file.id, document_intent_line(r, &signing, "\ndoc=")))
		id_make(x->file.id, x->around.world.now);
	crypto_hash_sha256(x->file.digest, ask->file.data, ask->file.len);
	randombytes_buf(x->file.secret, sizeof x->file.secret);
	char *text = arena_text(&r->arena, ask->file.data, ask->file.len);
	if (text && draft_text_is_secret(text))
		break_rule(x, 7, _("涉密内容不能进入本系统"));
	if (text && name_everybody(r, x))
		return true;
	request_fail(r, ERR_NOMEM, NULL, NULL);
	return false;
}

/* ---- Writing ---- */

static void write_new(struct request *r, const struct meeting_call *x, const char *code)
{
	const struct meeting_plan *plan = &x->file.m.plan;
	static const enum pg_type types[6] = {PG_TEXT, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT};
	struct pg_array a[6] = {0};
	struct db_params p = {0};

	for (int i = 0; i < 6; i++)
		pg_array_begin(&a[i], types[i]);
	for (size_t i = 0; i < plan->agenda_count; i++) {
		pg_array_text(&a[0], plan->agenda[i].topic);
		pg_array_int4(&a[1], plan->agenda[i].minutes);
		pg_array_text(&a[2], plan->agenda[i].speaker);
	}
	for (size_t i = 0; i < plan->attend.n; i++)
		pg_array_text(&a[3], plan->attend.items[i]);
	for (size_t i = 0; i < x->officer_count; i++)
		pg_array_text(&a[4], x->officers[i]);
	for (size_t i = 0; i < x->school_count; i++)
		pg_array_text(&a[5], x->schools[i]);
	db_bytes(&p, x->file.id, 16);
	db_int4(&p, x->year);
	db_int4(&p, x->n);
	db_text(&p, x->file.number);
	db_text(&p, meeting_state_code(x->file.m.state));
	db_text(&p, plan->subject);
	db_text(&p, plan->purpose);
	db_text(&p, plan->host);
	db_text(&p, plan->place);
	db_text(&p, plan->chair);
	db_time(&p, plan->start);
	db_time(&p, plan->end);
	for (int i = 0; i < 6; i++)
		db_array(&p, &a[i]);
	db_date(&p, plan->reply_due);
	db_int4(&p, plan->quorum);
	db_text(&p, x->file.m.planner);
	db_bytes(&p, x->file.secret, MEETING_SECRET);
	db_text(&p, code);
	db_bytes(&p, x->file.digest, sizeof x->file.digest);
	request_query(r, &insert_meeting, &p);
	for (int i = 0; i < 6; i++)
		pg_array_free(&a[i]);
}

/* A step that its paper is: signed in the paper's own trace. */
static void write_history(struct request *r, const struct meeting_file *f, enum meeting_event event)
{
	struct db_params p = {0};

	db_bytes(&p, f->id, 16);
	db_text(&p, codes_meeting_event.items[event].code);
	db_text(&p, r->caller.user);
	db_text(&p, "");
	db_text(&p, "");
	db_text(&p, meeting_state_code(f->m.state));
	request_query(r, &add_event, &p);
}

static void write_old(struct request *r, const struct meeting_call *x, const char *code)
{
	const struct meeting *m = &x->file.m;
	struct db_params p = {0}, of = {0};

	db_bytes(&p, x->file.id, 16);
	db_text(&p, meeting_state_code(m->state));
	db_time(&p, m->plan.start);
	db_time(&p, m->plan.end);
	db_text(&p, m->plan.place);
	db_text(&p, code);
	request_query(r, &update_meeting, &p);
	db_bytes(&of, x->file.id, 16);
	if (x->ask.event != MEETING_APPROVE) {
		request_query(r, &end_tasks, &of);
		request_query(r, &tell_schools, &of);
	}
	if (x->ask.event == MEETING_HOLD)
		request_query(r, &open_minutes, &of);
}

static void meeting_reply_all(struct request *r)
{
	const struct meeting_call *x = r->data;
	pb_meeting_reply out = PB_MEETING_REPLY_INIT;
	pb_meeting_clash *rows = arena_alloc(&r->arena, sizeof *rows * (x->done.warning_count + 1));
	char id[37];

	out.warning = arena_alloc(&r->arena, sizeof *out.warning * (x->done.warning_count + 1));
	for (size_t i = 0; rows && out.warning && i < x->done.warning_count; i++) {
		out.warning[out.n_warning++] = &rows[i];
		rows[i] = (pb_meeting_clash)PB_MEETING_CLASH_INIT;
		rows[i].who = (char *)x->done.warnings[i].who;
		rows[i].number = (char *)x->done.warnings[i].number;
		rows[i].who_name = (char *)document_name_of(&x->around.world, rows[i].who);
	}
	meetings_invite_now(r->worker);
	id_format(id, x->file.id);
	out.id = id;
	out.number = (char *)x->file.number;
	out.state = (char *)meeting_state_code(x->file.m.state);
	out.has_at = 1;
	out.at = x->around.world.now;
	access_log_add(r->worker, &r->caller, r->method->name, codes_meeting_event.items[x->ask.event].code,
		1, x->file.number, r->ref);
	request_reply(r, &out.base);
}

/* False: answered, with what is to be signed or why not. */
static bool take_entry(struct request *r, struct meeting_call *x)
{
	const struct document_signing signing = signing_of(r);
	pb_meeting_reply out = PB_MEETING_REPLY_INIT;

	if (!document_entry_begin(r, &x->entry, &REQUEST(r, pb_meeting_ask)->base,
		    codes_meeting_event.items[x->ask.event].code, x->around.world.now))
		return false;
	memcpy(x->entry.of, x->file.id, sizeof x->file.id);
	memcpy(x->entry.digest, x->file.digest, sizeof x->file.digest);
	x->entry.for_whom = x->done.for_whom;
	if (!signing.dry_run)
		return document_intent_take(r, &x->entry, &signing, "jgadmin meetings list");
	const char *lines = document_intent(r, &x->entry, x->entry.at);
	out.has_intent = 1;
	out.intent = (ProtobufCBinaryData){strlen(text_of(lines)), (uint8_t *)(uintptr_t)lines};
	if (lines)
		request_reply(r, &out.base);
	else
		request_fail(r, ERR_NOMEM, NULL, NULL);
	return false;
}

static void meeting_write(struct request *r)
{
	struct meeting_call *x = r->data;
	char code[MEETING_CODE_SIZE];

	if (!take_entry(r, x))
		return;

	meeting_code(code, x->file.secret, x->file.id, workday_of(x->file.m.plan.start));
	if (x->ask.event == MEETING_PLAN)
		write_new(r, x, code);
	else
		write_old(r, x, code);
	if (matter_trace_write(r, SIGNED_MEETING, &x->entry, meeting_state_code(x->file.m.state))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, meeting_reply_all);
}

static void refuse(struct request *r, const struct problem *p)
{
	access_log_add(
		r->worker, &r->caller, r->method->name, err_info((int)p->code)->name, 0, "refused", r->ref);
	request_fail_problem(r, p);
}

static void not_found(struct request *r, const char *of)
{
	request_refuse(r, ERR_NOT_FOUND, "meeting", arena_printf(&r->arena, _("没有“%s”这个会议"), of),
		_("jgadmin meetings list 列出会议"));
}

/* It was done when it came the first time. */
static bool reply_again(struct request *r)
{
	const PGresult *t = matter_trace_repeat(r, SIGNED_MEETING);
	pb_meeting_reply out = PB_MEETING_REPLY_INIT;
	char id[37];
	size_t n;

	if (!PQntuples(t))
		return false;
	id_format(id, db_get_bytes(t, 0, REPEATED_ID, &n));
	out.id = id;
	out.number = (char *)document_text(r, db_get_text(t, 0, REPEATED_NUMBER));
	out.state = (char *)document_text(r, db_get_text(t, 0, REPEATED_STATE));
	out.has_at = 1;
	out.at = db_get_int(t, 0, REPEATED_AT);
	request_reply(r, &out.base);
	return true;
}

static void meeting_judge(struct request *r)
{
	const pb_meeting_ask *ask = REQUEST(r, pb_meeting_ask);
	struct meeting_call *x = r->data;
	struct problem p;

	if (!world_read(r, &x->around) || reply_again(r))
		return;
	if (x->ask.event == MEETING_PLAN) {
		if (!read_plan(r, x))
			return;
	} else {
		enum err e = read_meeting(r, &x->file);
		if (e == ERR_NOT_FOUND)
			not_found(r, ask->id);
		else if (e || !read_beside(r, &x->ask))
			request_fail(r, ERR_NOMEM, NULL, NULL);
		if (e || r->arena.refused)
			return;
	}
	if (meeting_step(&x->around.world, &x->file.m, &x->ask, &x->done, &r->arena, &p))
		refuse(r, &p);
	else
		meeting_write(r);
}

static void meeting_begin(struct request *r)
{
	const pb_meeting_ask *ask = REQUEST(r, pb_meeting_ask);
	const struct meeting_call *x = r->data;

	request_scope(r, SCOPE_JOB, "");
	if (x->ask.event == MEETING_PLAN) {
		request_query(r, &read_schools, NULL);
		request_query(r, &read_organs, NULL);
		request_query(r, &take_number, NULL);
	} else {
		meeting_query(r, ask->id, ask->start, ask->end);
	}
	const struct document_signing signing = signing_of(r);
	matter_trace_query(r, SIGNED_MEETING,
		x->ask.event == MEETING_PLAN ? document_intent_line(r, &signing, "\ndoc=") : ask->id,
		&signing);
	world_query(r);
	request_trip(r, meeting_judge);
}

void documents_meeting(struct request *r)
{
	const pb_meeting_ask *ask = REQUEST(r, pb_meeting_ask);
	struct meeting_call *x = arena_alloc(&r->arena, sizeof *x);
	struct problem p;

	if (!x || !*text_of(ask->event)) {
		request_fail(r, x ? ERR_MISSING : ERR_NOMEM, x ? "event" : NULL, NULL);
		return;
	}
	r->data = x;
	x->ask = (struct meeting_ask){
		.event = (enum meeting_event)document_code_index(&codes_meeting_event, ask->event),
		.user = r->caller.user,
		.roles = r->caller.roles,
		.reason = text_of(ask->reason),
		.place = text_of(ask->place),
		.start = ask->start,
		.end = ask->end,
		.force = ask->force};
	bool plan = x->ask.event == MEETING_PLAN,
	     draft = x->ask.event == MEETING_NOTICE || x->ask.event == MEETING_MINUTES;
	if (plan ? !ask->file.len : !*text_of(ask->id))
		request_fail(r, ERR_MISSING, plan ? "file" : "id", NULL);
	else if (matter_given(&meeting_machine, x->ask.event, meeting_given(&x->ask), &p))
		request_fail_problem(r, &p);
	else if (x->ask.event == MEETING_MOVE && !ask->start && !ask->end && !*x->ask.place)
		request_fail(r, ERR_MISSING, "start", NULL);
	else if (draft || !matter_role_fits(&meeting_machine, x->ask.event, x->ask.roles))
		request_refuse(r, draft ? ERR_INVALID : ERR_PERMISSION, "event", NULL, NULL);
	else
		request_begin(r, meeting_begin);
}

/* ---- Its papers ---- */

bool meeting_judge_draft(struct request *r, const struct document_world *w, bool is_minutes)
{
	struct meeting_file f;
	struct meeting_done done;
	struct problem p;
	struct meeting_ask ask = {.event = is_minutes ? MEETING_MINUTES : MEETING_NOTICE,
		.user = r->caller.user,
		.roles = r->caller.roles,
		.reason = "",
		.place = ""};
	enum err e = read_meeting(r, &f);

	if (e == ERR_NOT_FOUND)
		not_found(r, REQUEST(r, pb_document_ask)->meeting);
	else if (e)
		request_fail(r, e, NULL, NULL);
	else if ((e = meeting_step(w, &f.m, &ask, &done, &r->arena, &p)))
		refuse(r, &p);
	return !e;
}

void meeting_write_draft(struct request *r, const uint8_t paper[16], bool is_minutes)
{
	struct db_params p = {0}, of = {0};
	struct meeting_file f;

	if (read_meeting(r, &f))
		return; /* it was read a moment ago */
	db_bytes(&p, f.id, 16);
	db_bytes(&p, paper, 16);
	db_bool(&p, is_minutes);
	request_query(r, &link_paper, &p);
	db_bytes(&of, f.id, 16);
	if (is_minutes)
		request_query(r, &end_tasks, &of);
	write_history(r, &f, is_minutes ? MEETING_MINUTES : MEETING_NOTICE);
}

void meeting_paper_issued(struct request *r, const uint8_t paper[16])
{
	struct db_params p = {0};

	db_bytes(&p, paper, 16);
	db_text(&p, r->caller.user);
	request_query(r, &paper_issued, &p);
}
