/* One event of one paper: locked and read, judged (document_machine.h), written – two trips, whatever it is.
 *
 * It is asked twice. The first time (`dry_run`) it is judged, and what is meant by it is answered in lines; the
 * computer that asks signs them and asks again. So nobody, the server's operator neither, can later say of it
 * what was not meant, and an ask that comes again because its answer was lost is known and done once. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "document_burden.h"
#include "document_files.h"
#include "document_number.h"
#include "document_store.h"
#include "document_moves.h"
#include "draft_digest.h"
#include "draft_rules.h"
#include "fault.h"
#include "lang.h"
#include "text.h"
#include "tls.h"

struct event {
	struct document_ask ask;
	struct document_file file;
	struct document_done done;
	struct document_surroundings around;
	struct document_entry entry;
	struct draft draft;
	struct draft_organ *organs;
	size_t organ_count;
	struct document_files before;
	struct document_addressees to; /* whom an issued paper goes to */
};

/* What names and numbers in it mean. */
static const struct db_stmt read_same = {
	"SELECT coalesce(number, '')"
	" FROM document"
	" WHERE county = app_county() AND kind = 'in' AND from_organ = $1::text AND their_no = $2::text"
	" AND state NOT IN ('refused', 'void')"
	" ORDER BY made_at LIMIT 1"};
static const struct db_stmt read_organs = {"SELECT name, relation"
					   " FROM document_organ WHERE county = app_county()"};
static const struct db_stmt read_series = {
	"SELECT EXISTS (SELECT"
	" FROM document_series WHERE county = app_county() AND series = $1::text)"};
static const struct db_stmt read_schools = {"SELECT code, coalesce(stage_mask(type), 0)"
					    " FROM school WHERE county = app_county() AND NOT deleted"};
/* 批复 answers a number that came in. */
static const struct db_stmt read_received = {
	"SELECT EXISTS (SELECT"
	" FROM document x JOIN document d ON d.county = x.county AND d.kind = 'in'"
	" AND x.reply_to IN (d.number, d.their_no)"
	" WHERE x.county = app_county() AND x.id = (SELECT document_find($1::text)) AND x.reply_to <> '')"};
static const struct db_stmt read_text = {
	"SELECT file, digest"
	" FROM document_version v JOIN document d ON d.county = v.county AND d.id = v.document"
	" AND v.version = CASE WHEN d.reissue AND $2::boolean THEN d.issued_version ELSE d.version END"
	" WHERE v.county = app_county() AND v.document = (SELECT document_find($1::text))"};

/* What was meant with these very lines, when it has been done. */
static const struct db_stmt read_repeat = {
	"SELECT t.n, t.version, t.state, t.at, d.id, d.kind, coalesce(d.number, '')"
	" FROM document_trace t JOIN document d ON d.county = t.county AND d.id = t.document"
	" WHERE t.county = app_county() AND t.document = (SELECT document_find($1::text))"
	" AND t.by_user = $3::text AND t.intent = $2::text"};
enum { REPEAT_N, REPEAT_VERSION, REPEAT_STATE, REPEAT_AT, REPEAT_ID, REPEAT_KIND, REPEAT_NUMBER };

static void take_ask(struct request *r, struct event *x)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	struct document_ask *a = &x->ask;

	*a = (struct document_ask){
		.event = (enum document_event)document_code_index(&codes_document_event, text_of(ask->event)),
		.user = r->caller.user,
		.roles = r->caller.roles,
		.seen = ask->seen,
		.text = text_of(ask->text),
		.reason = text_of(ask->reason),
		.leader = text_of(ask->leader),
		.lead = text_of(ask->lead),
		.to = text_of(ask->to),
		.slot = text_of(ask->slot),
		.series = text_of(ask->series),
		.organ = text_of(ask->organ),
		.by = text_of(ask->by),
		.assist = (const char *const *)ask->assist,
		.assist_count = ask->n_assist,
		.readers = (const char *const *)ask->readers,
		.reader_count = ask->n_readers,
		.countersign = (const char *const *)ask->countersign,
		.countersign_count = ask->n_countersign,
		.joint = (const char *const *)ask->joint,
		.joint_count = ask->n_joint,
		.in_order = ask->in_order,
		.substance = ask->substance,
		.force = ask->force,
		.again = ask->again && *text_of(ask->reason),
		.due = ask->due,
		.date = ask->date,
		.copies = (int32_t)ask->copies,
		.count = (int32_t)ask->count,
		.has_file = ask->file.len != 0,
	};
}

/* ---- Rules that ask the database ---- */

static void break_rule(struct event *x, unsigned rule, const char *text, const char *hint)
{
	if (x->ask.rule && x->ask.rule <= rule)
		return;
	x->ask.rule = rule;
	x->ask.rule_text = text;
	x->ask.rule_hint = hint;
}

static bool organ_is_known(struct request *r, const char *name)
{
	const PGresult *o = request_result(r, &read_organs), *s = request_result(r, &read_schools);

	for (int i = 0; i < PQntuples(o); i++)
		if (strcmp(db_get_text(o, i, 0), name) == 0)
			return true;
	for (int i = 0; i < PQntuples(s); i++)
		if (strcmp(db_get_text(s, i, 0), name) == 0)
			return true;
	return false;
}

static void judge_organ(struct request *r, struct event *x, const char *name)
{
	if (*name && !organ_is_known(r, name))
		break_rule(x, 3, arena_printf(&r->arena, _("没有登记“%s”这个机关"), name),
			arena_printf(&r->arena, _("jgadmin documents orgs set %s --relation 关系"), name));
}

/* R17 of files that no submission judges; d NULL: of a paper that comes in, which names none. */
static void judge_files(struct request *r, struct event *x, const struct draft *d)
{
	const struct draft_facts facts = {.files = x->file.files.fault, .file_count = x->file.files.n};
	struct draft_refusal refusal;

	if (draft_judge_files(d, &facts, &refusal))
		break_rule(
			x, 17, document_text(r, refusal.told.message), document_text(r, refusal.told.hint));
}

/* What it is that came in, kept from now on. False: refused. */
static bool take_registered(struct request *r, struct event *x)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const PGresult *same = request_result(r, &read_same);
	int32_t year = x->around.world.today / 10000;
	struct document_file *f = &x->file;

	bool secret = draft_text_is_secret(text_of(ask->title)) || draft_text_is_secret(text_of(ask->matter));
	for (size_t i = 0; i < ask->n_attach; i++)
		secret |= draft_text_is_secret(text_of(ask->attach[i]->name));
	if (secret) {
		/* Nothing of it is kept, not even in a log. */
		request_fail_hint(
			r, ERR_RULE, "R07", _("涉密文件不能进入本系统"), _("按保密规定在涉密载体上办理"));
		return false;
	}
	judge_organ(r, x, text_of(ask->from));
	if (!document_files_after(r, &x->before, &f->files))
		return false;
	judge_files(r, x, NULL);
	if (PQntuples(same) && !x->ask.rule) {
		const char *first = document_text(r, db_get_text(same, 0, 0));
		struct problem p;
		problem_set(&p, ERR_DUPLICATE, "their_no",
			arena_printf(&r->arena, "jgadmin documents show %s", first), _("%s %s 已经登记为 %s"),
			text_of(ask->from), text_of(ask->their_no), first);
		snprintf(p.ref, sizeof p.ref, "%s", first);
		request_fail_problem(r, &p);
		return false;
	}
	f->kind = "in";
	f->title = text_of(ask->title);
	f->genre = text_of(ask->genre);
	f->carrier = *text_of(ask->carrier) ? ask->carrier : "paper";
	f->from = text_of(ask->from);
	f->their_no = text_of(ask->their_no);
	f->caller = text_of(ask->caller);
	f->phone = text_of(ask->phone);
	f->matter = f->body = text_of(ask->matter);
	f->d.reads = strcmp(text_of(ask->class_), "read") == 0;
	int urgency = document_code_index(&codes_urgency, text_of(ask->urgency));
	f->d.urgency = urgency < 0 ? URGENCY_PLAIN : (enum document_urgency)urgency;
	f->take_series = strcmp(f->carrier, "phone") == 0 ? "电" : "收";
	f->take_year = year;
	f->file = f->questions = "";
	struct draft as_text = {.title = f->title, .genre = f->genre, .body = f->matter};
	if (draft_digest(f->digest, &as_text, f->files.hash, f->files.n, &r->arena)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return false;
	}
	return true;
}

static unsigned school_stages(void *context, const char *code)
{
	const PGresult *s = context;

	for (int i = 0; i < PQntuples(s); i++)
		if (strcmp(db_get_text(s, i, 0), code) == 0)
			return (unsigned)db_get_int(s, i, 1);
	return 0;
}

struct facts_context {
	const PGresult *schools;
	bool received;
};

static unsigned facts_school(void *context, const char *code)
{
	return school_stages((void *)((struct facts_context *)context)->schools, code);
}

static bool facts_received(void *context, const char *number)
{
	(void)number;
	return ((struct facts_context *)context)->received;
}

static bool read_organs_of(struct request *r, struct event *x)
{
	const PGresult *o = request_result(r, &read_organs);

	x->organs = arena_alloc(&r->arena, sizeof *x->organs * ((size_t)PQntuples(o) + 1));
	for (int i = 0; x->organs && i < PQntuples(o); i++) {
		int relation = document_code_index(&codes_organ_relation, db_get_text(o, i, 1));
		x->organs[x->organ_count++] = (struct draft_organ){document_text(r, db_get_text(o, i, 0)),
			(enum draft_relation)(relation + RELATION_SUPERIOR)};
	}
	return x->organs;
}

/* Reads and judges the text that this event is about, with its files. False: refused. */
static bool take_text(struct request *r, struct event *x, const void *text, size_t n, enum draft_when when,
	const struct document_files *files)
{
	struct facts_context context = {request_result(r, &read_schools), false};
	struct draft_facts facts = {.own = r->worker->server->conf.name,
		.organs = x->organs,
		.organ_count = x->organ_count,
		.files = files->fault,
		.file_count = files->n,
		.context = &context,
		.school = facts_school,
		.received = facts_received};
	struct draft_refusal refusal;
	struct problem p;
	enum err e = draft_parse(&x->draft, text, n, &r->arena, &p);

	if (e) {
		request_fail_problem(r, &p);
		return false;
	}
	context.received = db_get_int(request_result(r, &read_received), 0, 0) != 0;
	unsigned rule = draft_judge(&x->draft, &facts, when, &refusal);
	if (rule)
		break_rule(
			x, rule, document_text(r, refusal.told.message), document_text(r, refusal.told.hint));
	if (rule == 7) { /* nothing of it is kept */
		request_fail_hint(
			r, ERR_RULE, "R07", _("涉密文件不能进入本系统"), _("按保密规定在涉密载体上办理"));
		return false;
	}
	x->ask.is_minutes = strcmp(x->draft.genre, "纪要") == 0;
	x->ask.needs_head = draft_is_for_head(&x->draft, &facts);
	return true;
}

/* What form and substance are is asked of the text that stands. */
static bool compare_text(struct request *r, struct event *x)
{
	const PGresult *t = request_result(r, &read_text);
	struct draft before;
	struct problem p;

	if (!PQntuples(t))
		return true;
	const char *text = document_text(r, db_get_text(t, 0, 0));
	if (draft_parse(&before, text, strlen(text), &r->arena, &p))
		return true;
	enum err e = draft_same_substance(&x->ask.same_substance,
		&(struct draft_version){&before, x->before.hash, x->before.n},
		&(struct draft_version){&x->draft, x->file.files.hash, x->file.files.n}, &r->arena);
	if (e)
		request_fail(r, e, NULL, NULL);
	return !e;
}

/* What lists show of the text that stands. */
static void show_text(struct event *x)
{
	struct document_file *f = &x->file;
	int urgency = document_code_index(&codes_urgency, x->draft.urgency);

	f->title = x->draft.title;
	f->genre = x->draft.genre;
	f->mark = x->draft.mark;
	f->reply_to = x->draft.reply_to;
	f->body = x->draft.body;
	f->d.urgency = urgency < 0 ? URGENCY_PLAIN : (enum document_urgency)urgency;
}

static bool take_new_text(struct request *r, struct event *x, const void *text, size_t n)
{
	struct document_file *f = &x->file;

	if (!document_files_after(r, &x->before, &f->files) ||
		!take_text(r, x, text, n, DRAFT_READ, &f->files) || (!f->is_new && !compare_text(r, x)))
		return false;
	/* Nobody submits these again. */
	if (x->ask.event == EVENT_CHANGE || x->ask.event == EVENT_REISSUE)
		judge_files(r, x, &x->draft);
	for (size_t i = 0; i < f->files.n; i++)
		if (!f->files.size[i])
			break_rule(x, 17,
				arena_printf(&r->arena, _("附件“%s”没有传完"), f->files.hash[i].name),
				_("重新附上这个文件"));
	f->file = arena_text(&r->arena, text, n);
	f->questions = document_questions(r, &x->draft);
	f->asks = &x->draft;
	show_text(x);
	if (draft_digest(f->digest, &x->draft, f->files.hash, f->files.n, &r->arena)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return false;
	}
	return true;
}

static void judge_feedback_due(struct request *r, struct event *x);
static void judge_repeats(struct request *r, struct event *x);

/* What the event brings, beside what the machine judges. False: refused. */
static bool take_content(struct request *r, struct event *x)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const PGresult *text = request_result(r, &read_text);
	struct problem p;

	document_files_before(r, &x->before);
	if (!read_organs_of(r, x)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return false;
	}
	if (PQntuples(text)) {
		size_t hash;
		memcpy(x->file.digest, db_get_bytes(text, 0, 1, &hash), sizeof x->file.digest);
	}
	for (size_t i = 0; i < x->ask.joint_count; i++)
		judge_organ(r, x, x->ask.joint[i]);
	if (*x->ask.series && !db_get_int(request_result(r, &read_series), 0, 0))
		break_rule(x, 3, arena_printf(&r->arena, _("没有“%s”这个代字"), x->ask.series),
			arena_printf(&r->arena, "jgadmin documents series add %s", x->ask.series));
	if (x->ask.event == EVENT_REGISTER)
		return take_registered(r, x);
	if (x->ask.has_file)
		return take_new_text(r, x, ask->file.data, ask->file.len);
	const char *stands = PQntuples(text) ? document_text(r, db_get_text(text, 0, 0)) : "";
	size_t n = strlen(stands);
	if (!n) /* what came in has no text of ours */
		return true;
	switch (x->ask.event) {
	case EVENT_SUBMIT:
		return take_text(r, x, stands, n, DRAFT_SUBMIT, &x->before);
	case EVENT_ISSUE:
		if (!take_text(r, x, stands, n, DRAFT_READ, &x->before))
			return false;
		document_addressees(r, request_result(r, &read_schools), &x->draft, &x->to);
		x->ask.is_sent = x->to.n != 0;
		judge_feedback_due(r, x);
		judge_repeats(r, x);
		return true;
	case EVENT_EDIT: /* each version has its text, also one that changes the names alone */
		return take_new_text(r, x, stands, n);
	case EVENT_NUMBER: /* from now on it is found by that too */
		if (!draft_parse(&x->draft, stands, n, &r->arena, &p))
			x->file.body = x->draft.body;
		return true;
	case EVENT_RETURN: /* of a re-issue: what schools hold stands again */
		if (!x->file.d.reissue)
			return true;
		if (!take_text(r, x, stands, n, DRAFT_READ, &x->before))
			return false;
		show_text(x);
		return true;
	default:
		return true;
	}
}

/* ---- Whom it goes to ---- */

static const struct db_stmt send_paper = {
	"SELECT document_send($1::uuid, $2::text[], $3::int, $4::timestamptz, $5::timestamptz, $6::text,"
	" $7::text)"};
static const struct db_stmt take_back = {"SELECT document_take_back($1::uuid)"};
static const struct db_stmt close_to_schools = {"SELECT document_close_to_schools($1::uuid)"};

/* R20: what is asked has a day by which it is answered, and that leaves time. */
static void judge_feedback_due(struct request *r, struct event *x)
{
	const struct document_world *w = &x->around.world;
	int32_t least = x->file.d.urgency == URGENCY_EXTRA ? 0 : 2;

	if (x->draft.question_count && !x->ask.due)
		break_rule(x, 20, _("有反馈事项，要写反馈期限"), _("加 --feedback-due 日期"));
	else if (x->ask.due && workday_end(x->ask.due) < workday_due(w->calendar, w->now, least))
		break_rule(x, 20, _("反馈期限太近：至少留两个工作日，特急当日"),
			arena_printf(&r->arena, _("--feedback-due 写到 %d 或以后"),
				workday_of(workday_due(w->calendar, w->now, least) - 1)));
}

/* R22: what one of them has answered is asked again only with a reason. */
static void judge_repeats(struct request *r, struct event *x)
{
	struct document_repeat first;

	if (x->ask.again || !document_repeats(r, &x->to, &first, 1))
		return;
	break_rule(x, 22,
		arena_printf(&r->arena, _("“%s”已在 %s《%s》里问过"), first.label,
			*first.number ? first.number : first.doc, first.title),
		_("用已有的反馈，或加 --again --reason 理由"));
}

static void tell_schools(struct request *r, struct event *x)
{
	const struct document_world *w = &x->around.world;
	struct pg_array schools = {0};
	struct db_params p = {0};

	db_bytes(&p, x->file.id, 16);
	if (x->ask.event != EVENT_ISSUE) {
		request_query(r, x->ask.event == EVENT_RECALL ? &take_back : &close_to_schools, &p);
		return;
	}
	int64_t receipt = workday_due(w->calendar, w->now, w->days[STEP_RECEIPT][x->file.d.urgency]);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < x->to.n; i++)
		pg_array_text(&schools, x->to.codes[i]);
	db_array(&p, &schools);
	db_int4(&p, x->file.d.version);
	db_time(&p, receipt);
	if (x->draft.question_count && x->ask.due)
		db_time(&p, workday_end(x->ask.due));
	else
		db_text(&p, NULL);
	db_text(&p, x->file.d.drafter);
	db_text(&p, codes_urgency.items[x->file.d.urgency].code);
	request_query(r, &send_paper, &p);
	pg_array_free(&schools);
}

/* ---- The two trips ---- */

static void event_done(struct request *r)
{
	const struct event *x = r->data;
	const struct document_file *f = &x->file;
	pb_document_reply out = PB_DOCUMENT_REPLY_INIT;
	char id[37];

	fault_point(FAULT_JGD_EVENT_COMMITTED);
	if (x->to.n || x->ask.event == EVENT_RECALL)
		documents_deliver_now(r->worker);
	if (x->ask.event == EVENT_ISSUE)
		meetings_invite_now(r->worker);
	if (x->ask.event == EVENT_ARCHIVE)
		documents_tell_tails_now(r->worker);
	id_format(id, f->id);
	out.id = id;
	out.number = (char *)document_written_number(r, f);
	out.kind = (char *)f->kind;
	out.state = (char *)document_state_code(f->d.state);
	out.has_version = out.has_at = out.has_n = 1;
	out.version = f->d.version;
	out.at = x->entry.at;
	out.n = f->trace_n;
	access_log_add(r->worker, &r->caller, r->method->name, x->entry.event, 1,
		*out.number ? out.number : id, r->ref);
	request_reply(r, &out.base);
}

static struct document_signing signing_of(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);

	return (struct document_signing){ask->intent, ask->intent_sig, ask->dry_run};
}

/* Says what is meant, and writes nothing. */
static void reply_intent(struct request *r, struct event *x)
{
	const char *lines = document_intent(r, &x->entry, x->around.world.now);
	pb_document_reply out = PB_DOCUMENT_REPLY_INIT;

	out.attachment = document_files_reply(r, &x->file.files, &out.n_attachment);
	if (!lines || !out.attachment) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	out.has_intent = 1;
	out.intent = (ProtobufCBinaryData){strlen(lines), (uint8_t *)(uintptr_t)lines};
	request_reply(r, &out.base);
}

/* False: answered. */
static bool make_entry(struct request *r, struct event *x)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);

	if (!document_entry_begin(
		    r, &x->entry, &ask->base, document_event_code(x->ask.event), x->around.world.now))
		return false;
	x->entry.for_whom = x->done.for_whom;
	x->entry.version = x->file.d.version;
	memcpy(x->entry.of, x->file.id, 16);
	memcpy(x->entry.digest, x->file.digest, TRACE_HASH);
	return true;
}

static void event_write(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	struct event *x = r->data;
	struct document_file *f = &x->file;

	if (x->done.numbers) {
		f->take_series = x->ask.series;
		f->take_year = f->d.signed_on / 10000;
	}
	const struct document_signing signing = signing_of(r);
	if (!make_entry(r, x))
		return;
	if (signing.dry_run) {
		reply_intent(r, x);
		return;
	}
	if (!document_intent_take(r, &x->entry, &signing,
		    arena_printf(&r->arena, "jgadmin documents show %s", text_of(ask->doc))))
		return;
	fault_point(FAULT_JGD_EVENT_JUDGED);
	enum err e = document_write(r, f, &x->entry);
	if (!e && x->ask.event == EVENT_SEAL)
		document_seal_write(r, f, x->ask.count);
	if (!e && *text_of(ask->meeting))
		meeting_write_draft(r, f->id, x->ask.is_minutes);
	if (!e && x->ask.event == EVENT_ISSUE)
		meeting_paper_issued(r, f->id);
	if (!e && x->ask.event == EVENT_ARCHIVE)
		document_give_archive_number(r, &x->around, f);
	if (!e && (x->to.n || x->ask.event == EVENT_RECALL || x->ask.event == EVENT_CLOSE))
		tell_schools(r, x);
	if (e) {
		request_fail(r, e, NULL, NULL);
		return;
	}
	db_task_commit(&r->task);
	request_trip(r, event_done);
	fault_point(FAULT_JGD_EVENT_SENT);
}

/* It was done when it came the first time. */
static void reply_again(struct request *r, const PGresult *t)
{
	pb_document_reply out = PB_DOCUMENT_REPLY_INIT;
	char id[37];
	size_t n;

	id_format(id, db_get_bytes(t, 0, REPEAT_ID, &n));
	out.id = id;
	out.number = (char *)(uintptr_t)db_get_text(t, 0, REPEAT_NUMBER);
	out.kind = (char *)(uintptr_t)db_get_text(t, 0, REPEAT_KIND);
	out.state = (char *)(uintptr_t)db_get_text(t, 0, REPEAT_STATE);
	out.has_version = out.has_at = out.has_n = 1;
	out.version = (int32_t)db_get_int(t, 0, REPEAT_VERSION);
	out.at = db_get_int(t, 0, REPEAT_AT);
	out.n = (int32_t)db_get_int(t, 0, REPEAT_N);
	request_reply(r, &out.base);
}

static void refuse(struct request *r, const struct problem *p)
{
	access_log_add(
		r->worker, &r->caller, r->method->name, err_info((int)p->code)->name, 0, "refused", r->ref);
	request_fail_problem(r, p);
}

/* Who is told that it cannot be done now is told what is. */
static void say_state(struct request *r, const struct event *x, enum document_state state, struct problem *p)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const struct code_list *words = strcmp(x->file.kind, "in") ? &codes_out_state : &codes_in_state;

	if (p->code == ERR_NOT_NOW && strcmp(p->field, "state") == 0 && state != DOCUMENT_NONE)
		problem_set(p, ERR_NOT_NOW, "state",
			arena_printf(&r->arena, "jgadmin documents show %s", text_of(ask->doc)),
			_("%s 现在是“%s”，不能这样办"), text_of(ask->doc),
			code_name(words, document_state_code(state)));
}

static void event_judge(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const struct document_signing signing = signing_of(r);
	struct event *x = r->data;
	struct problem p;

	if (!world_read(r, &x->around))
		return;
	if (PQntuples(request_result(r, &read_repeat))) {
		reply_again(r, request_result(r, &read_repeat));
		return;
	}
	if (x->file.is_new) {
		/* Who signs for a new paper signs for its id: the one that he was told. */
		if (ask->dry_run || id_parse(x->file.id, document_intent_line(r, &signing, "\ndoc=")))
			id_make(x->file.id, x->around.world.now);
		x->file.d.task_room = DOCUMENT_PEOPLE_MAX + 4;
		x->file.d.task = arena_alloc(&r->arena, sizeof *x->file.d.task * x->file.d.task_room);
	} else {
		enum err e = document_read(r, &x->file);
		if (e) {
			problem_set(&p, e, "doc", _("jgadmin documents list 列出公文"),
				e == ERR_NOT_FOUND ? _("没有“%s”这份公文") : NULL, ask->doc);
			refuse(r, &p);
			return;
		}
		/* The clock of a rehearsal may be set back; a paper's own time does not run backwards. */
		for (size_t i = 0; i < x->file.d.task_count; i++)
			if (x->file.d.task[i].since > x->around.world.now)
				x->around.world.now = x->file.d.task[i].since;
	}
	if (!take_content(r, x))
		return;
	enum document_state before = x->file.d.state;
	if (document_step(&x->around.world, &x->file.d, &x->ask, &x->done, &r->arena, &p)) {
		say_state(r, x, before, &p);
		refuse(r, &p);
	} else if (!*text_of(ask->meeting) || meeting_judge_draft(r, &x->around.world, x->ask.is_minutes))
		event_write(r);
}

static void event_query(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const struct document_signing signing = signing_of(r);
	struct event *x = r->data;
	struct db_params same = {0}, series = {0}, of = {0}, repeat = {0};

	request_scope(r, SCOPE_BUREAU, "");
	if (!x->file.is_new)
		document_query(r, ask->doc);
	db_text(&repeat, x->file.is_new ? document_intent_line(r, &signing, "\ndoc=") : ask->doc);
	db_text(&repeat, document_intent_lines(r, &signing));
	db_text(&repeat, x->ask.user);
	request_query(r, &read_repeat, &repeat);
	world_query(r);
	db_text(&same, text_of(ask->from));
	db_text(&same, *text_of(ask->their_no) ? ask->their_no : NULL);
	request_query(r, &read_same, &same);
	request_query(r, &read_organs, NULL);
	request_query(r, &read_schools, NULL);
	db_text(&series, x->ask.series);
	request_query(r, &read_series, &series);
	db_text(&of, x->file.is_new ? "" : ask->doc);
	request_query(r, &read_received, &of);
	db_bool(&of, x->ask.event == EVENT_RETURN);
	request_query(r, &read_text, &of);
	document_files_query(r);
	if (x->ask.event == EVENT_ISSUE)
		document_repeats_query(r, ask->doc);
	if (*text_of(ask->meeting))
		meeting_query(r, ask->meeting, 0, 0);
	request_trip(r, event_judge);
}

void documents_ask(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	struct event *x = arena_alloc(&r->arena, sizeof *x);
	struct problem p;

	if (!x) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	r->data = x;
	if (!*text_of(ask->event)) {
		request_fail(r, ERR_MISSING, "event", NULL);
		return;
	}
	take_ask(r, x);
	if (document_judge_given(&x->ask, &p)) {
		request_fail_problem(r, &p);
		return;
	}
	/* A role that no state has the event for is told before the paper is looked for. */
	if (!document_role_fits(x->ask.event, x->ask.roles)) {
		request_refuse(r, ERR_PERMISSION, "event", NULL, NULL);
		return;
	}
	x->file.is_new = x->ask.event == EVENT_REGISTER || x->ask.event == EVENT_DRAFT;
	x->file.kind = x->ask.event == EVENT_DRAFT ? "out" : "in";
	x->file.title = x->file.genre = x->file.mark = x->file.carrier = x->file.from = x->file.their_no = "";
	x->file.caller = x->file.phone = x->file.matter = x->file.reply_to = "";
	x->file.d.drafter = x->file.d.leader = x->file.d.lead = x->file.d.signer = x->file.d.slot =
		x->file.d.series = "";
	if (!x->file.is_new && !*text_of(ask->doc))
		request_fail(r, ERR_MISSING, "doc", NULL);
	else if (*text_of(ask->meeting) && x->ask.event != EVENT_DRAFT)
		request_fail(r, ERR_INVALID, "meeting", NULL);
	else if (x->ask.event == EVENT_REGISTER && (!*text_of(ask->title) || !*text_of(ask->from)))
		request_fail(r, ERR_MISSING, *text_of(ask->title) ? "from" : "title", NULL);
	else
		request_begin(r, event_query);
}
