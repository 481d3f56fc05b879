#include "document_store.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "document_burden.h"
#include "normal_form.h"
#include "pki.h"

/* ---- Reading ---- */

static const struct db_stmt lock_document = {
	"SELECT id, kind, state, version, last_version, number, title, genre, urgency, mark, class, carrier,"
	" drafter, leader, lead, signer, in_order, reissue, came_back, is_minutes, needs_head, signed_on,"
	" pressed_on, issued_version, issued_on, copies, slot, series, trace_n, trace_head,"
	" coalesce(from_organ,"
	" ''), coalesce(their_no, ''), reply_to, document_deliveries_open(id)"
	" FROM document WHERE county = app_county() AND id = (SELECT document_find($1::text)) FOR UPDATE"};
enum document_column {
	C_ID,
	C_KIND,
	C_STATE,
	C_VERSION,
	C_LAST_VERSION,
	C_NUMBER,
	C_TITLE,
	C_GENRE,
	C_URGENCY,
	C_MARK,
	C_CLASS,
	C_CARRIER,
	C_DRAFTER,
	C_LEADER,
	C_LEAD,
	C_SIGNER,
	C_IN_ORDER,
	C_REISSUE,
	C_CAME_BACK,
	C_IS_MINUTES,
	C_NEEDS_HEAD,
	C_SIGNED_ON,
	C_PRESSED_ON,
	C_ISSUED_VERSION,
	C_ISSUED_ON,
	C_COPIES,
	C_SLOT,
	C_SERIES,
	C_TRACE_N,
	C_TRACE_HEAD,
	C_FROM,
	C_THEIR_NO,
	C_REPLY_TO,
	C_DELIVERIES_OPEN
};
/* Its people, a row each, in their order. */
static const struct db_stmt read_people = {
	"SELECT u.part, u.who, u.done"
	" FROM document d, unnest(d.people_part, d.people_who, d.people_done) WITH ORDINALITY AS u (part, who,"
	" done, at)"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($1::text)) ORDER BY u.at"};
static const struct db_stmt read_tasks = {
	"SELECT id, step, principal, school, since, opened, due, closed"
	" FROM document_task WHERE county = app_county() AND document = (SELECT document_find($1::text))"
	" AND step NOT IN ('receipt', 'feedback', 'judge', 'order') ORDER BY opened, id"};
/* Behind the lock: an order is given and settled under it. */
static const struct db_stmt read_open_order = {"SELECT order_open_on((SELECT document_find($1::text)))"};
enum task_column { T_ID, T_STEP, T_PRINCIPAL, T_SCHOOL, T_SINCE, T_OPENED, T_DUE, T_CLOSED };

void document_query(struct request *r, const char *of)
{
	struct db_params p = {0};

	db_text(&p, of);
	request_query(r, &lock_document, &p);
	request_query(r, &read_people, &p);
	request_query(r, &read_tasks, &p);
	request_query(r, &read_open_order, &p);
}

static bool read_tasks_of(struct request *r, struct document *d)
{
	const PGresult *t = request_result(r, &read_tasks);
	size_t n = (size_t)PQntuples(t);

	d->task_room = n + DOCUMENT_PEOPLE_MAX + 4;
	d->task = arena_alloc(&r->arena, sizeof *d->task * d->task_room);
	if (!d->task)
		return false;
	for (int i = 0; i < (int)n; i++)
		d->task[d->task_count++] = (struct document_task){.id = db_get_int(t, i, T_ID),
			.step = (enum document_step)document_code_index(
				&codes_document_step, db_get_text(t, i, T_STEP)),
			.principal = document_text(r, db_get_text(t, i, T_PRINCIPAL)),
			.school = document_text(r, db_get_text(t, i, T_SCHOOL)),
			.since = db_get_int(t, i, T_SINCE),
			.opened = db_get_int(t, i, T_OPENED),
			.due = db_get_int(t, i, T_DUE),
			.closed = db_get_int(t, i, T_CLOSED)};
	return true;
}

static void read_people_of(struct request *r, struct document *d)
{
	const PGresult *p = request_result(r, &read_people);

	for (int i = 0; i < PQntuples(p) && d->person_count < DOCUMENT_PEOPLE_MAX; i++)
		d->people[d->person_count++] =
			(struct document_person){(enum document_part)db_get_int(p, i, 0),
				document_text(r, db_get_text(p, i, 1)), db_get_int(p, i, 2) != 0};
}

static enum document_urgency urgency_of(const char *code)
{
	int i = document_code_index(&codes_urgency, code);

	return i < 0 ? URGENCY_PLAIN : (enum document_urgency)i;
}

enum err document_read(struct request *r, struct document_file *f)
{
	const PGresult *t = request_result(r, &lock_document);
	struct document *d = &f->d;
	size_t n;

	if (!PQntuples(t))
		return ERR_NOT_FOUND;
#define TEXT(c) document_text(r, db_get_text(t, 0, c))
#define NUMBER(c) ((int32_t)db_get_int(t, 0, c))
	*f = (struct document_file){.kind = TEXT(C_KIND),
		.title = TEXT(C_TITLE),
		.genre = TEXT(C_GENRE),
		.mark = TEXT(C_MARK),
		.carrier = TEXT(C_CARRIER),
		.number = TEXT(C_NUMBER),
		.from = TEXT(C_FROM),
		.their_no = TEXT(C_THEIR_NO),
		.reply_to = TEXT(C_REPLY_TO),
		.trace_n = NUMBER(C_TRACE_N)};
	*d = (struct document){.state = document_state_of(f->kind, db_get_text(t, 0, C_STATE)),
		.version = NUMBER(C_VERSION),
		.last_version = NUMBER(C_LAST_VERSION),
		.reads = strcmp(db_get_text(t, 0, C_CLASS), "read") == 0,
		.urgency = urgency_of(db_get_text(t, 0, C_URGENCY)),
		.drafter = TEXT(C_DRAFTER),
		.leader = TEXT(C_LEADER),
		.lead = TEXT(C_LEAD),
		.signer = TEXT(C_SIGNER),
		.in_order = NUMBER(C_IN_ORDER),
		.reissue = NUMBER(C_REISSUE),
		.came_back = NUMBER(C_CAME_BACK),
		.is_minutes = NUMBER(C_IS_MINUTES),
		.needs_head = NUMBER(C_NEEDS_HEAD),
		.signed_on = NUMBER(C_SIGNED_ON),
		.pressed_on = NUMBER(C_PRESSED_ON),
		.issued_version = NUMBER(C_ISSUED_VERSION),
		.issued_on = NUMBER(C_ISSUED_ON),
		.copies = NUMBER(C_COPIES),
		.slot = TEXT(C_SLOT),
		.series = TEXT(C_SERIES),
		.deliveries_open = NUMBER(C_DELIVERIES_OPEN)};
#undef TEXT
#undef NUMBER
	const char *open_order = document_text(r, db_get_text(request_result(r, &read_open_order), 0, 0));
	d->open_order = *open_order ? open_order : NULL;
	memcpy(f->id, db_get_bytes(t, 0, C_ID, &n), 16);
	memcpy(f->trace_head, db_get_bytes(t, 0, C_TRACE_HEAD, &n), TRACE_HASH);
	read_people_of(r, d);
	return read_tasks_of(r, d) && !r->arena.refused ? ERR_OK : ERR_NOMEM;
}

/* ---- Writing ---- */

/* clang-format off: a clause a line */
#define COLUMNS                                                                                              \
	"state, version, last_version, drafter, leader, lead, signer,"                                       \
	" in_order, reissue, came_back, is_minutes, needs_head,"                                             \
	" signed_on, pressed_on, issued_version, issued_on, copies, slot, trace_n, trace_head,"              \
	" title, genre, urgency, mark, reply_to, people_part, people_who, people_done"
#define VALUES                                                                                               \
	"$2::text, $3::int, $4::int, $5::text, $6::text, $7::text, $8::text,"                                \
	" $9::boolean, $10::boolean, $11::boolean, $12::boolean, $13::boolean,"                              \
	" $14::date, $15::date, nullif($16::int, 0), $17::date, $18::int, $19::text, $20::int, $21::bytea,"  \
	" $22::text, $23::text, $24::text, $25::text, $26::text, $27::int[], $28::text[], $29::boolean[]"
/* The number that is given now: of series $30 and year $31; $30 NULL: none is. */
#define TAKEN                                                                                                \
	"WITH t AS MATERIALIZED (SELECT $30::text AS series, $31::int AS year,"                              \
	" CASE WHEN $30::text IS NOT NULL THEN document_number_take($30::text, $31::int) END AS n)"
#define NUMBER "format('%s〔%s〕%s号', t.series, t.year, t.n)"

static const struct db_stmt insert_document = {TAKEN
	" INSERT INTO document (county, id, " COLUMNS ", series, year, n, number,"
	" kind, class, carrier, from_organ, their_no, caller, phone, matter, made_at)"
	" SELECT app_county(), $1::uuid, " VALUES
	", t.series, CASE WHEN t.n IS NOT NULL THEN t.year END, t.n, CASE WHEN t.n IS NOT NULL THEN " NUMBER
	" END,"
	" $32::text, $33::text, $34::text, nullif($35::text, ''), nullif($36::text, ''), nullif($37::text, "
	"''), nullif($38::text, ''), nullif($39::text, ''), $40::timestamptz"
	" FROM t RETURNING coalesce(number, '')"};
static const struct db_stmt update_document = {
	TAKEN " UPDATE document d SET (" COLUMNS ") = (SELECT " VALUES "),"
	      " series = CASE WHEN t.n IS NOT NULL THEN t.series ELSE d.series END,"
	      " year = CASE WHEN t.n IS NOT NULL THEN t.year ELSE d.year END,"
	      " n = coalesce(t.n, d.n),"
	      " number = CASE WHEN t.n IS NOT NULL THEN " NUMBER " ELSE d.number END"
	      " FROM t WHERE d.county = app_county() AND d.id = $1::uuid RETURNING coalesce(d.number, '')"};
/* clang-format on */
static const struct db_stmt update_tasks = {
	"UPDATE document_task t SET principal = u.principal, since = u.since, due = u.due, closed = u.closed"
	" FROM unnest($1::int8[], $2::text[], $3::timestamptz[], $4::timestamptz[],"
	" $5::timestamptz[]) AS u (id,"
	" principal, since, due, closed)"
	" WHERE t.county = app_county() AND t.id = u.id"};
static const struct db_stmt insert_tasks = {
	"INSERT INTO document_task (county, document, step, principal, school, since, opened, due)"
	" SELECT app_county(), $1::uuid, u.step, u.principal, u.school, u.at, u.at, u.due"
	" FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS u (step,"
	" principal, school, at, due)"};
static const struct db_stmt insert_changes = {
	"INSERT INTO document_task_change (county, task, at, due_before, moved_from)"
	" SELECT app_county(), u.task, $1::timestamptz, u.due, nullif(u.moved, '')"
	" FROM unnest($2::int8[], $3::timestamptz[], $4::text[]) AS u (task, due, moved)"
	" ON CONFLICT DO NOTHING"};
static const struct db_stmt insert_version = {
	"INSERT INTO document_version (county, document, version, file, questions, digest, at, by_user)"
	" VALUES (app_county(), $1::uuid, $2::int, $3::text, $7::text, $4::bytea, $5::timestamptz, $6::text)"};
static const struct db_stmt insert_trace = {
	"INSERT INTO document_trace (county, document, n, event, by_user, for_user, at, text, version, state,"
	" device, intent, intent_sig, head, sig, given)"
	" VALUES (app_county(), $1::uuid, $2::int, $3::text, $4::text, nullif($5::text, ''), $6::timestamptz,"
	" $7::text, $8::int, $9::text, $10::uuid, $11::text, $12::bytea, $13::bytea, $14::bytea, $15::text)"};

/* What it is found by: number, title, body and each file's words in their normal form, a line each,
 * because no form holds a line's end. The number is the one that the statement before has given: what
 * stands behind its series, $2, is in that form as it is. */
static const struct db_stmt update_search = {
	"UPDATE document d SET search = s.text, grams = document_grams(s.text) FROM (SELECT"
	" coalesce($2::text || substr(d.number, length(d.series) + 1),"
	" '') || E'\\n' || $3::text || E'\\n' || $4::text"
	" || coalesce((SELECT string_agg(E'\\n' || c.text, '' ORDER BY f.n)"
	" FROM document_file f JOIN document_content c ON c.county = f.county AND c.sha = f.sha"
	" WHERE f.county = d.county AND f.document = d.id AND f.version = d.version), '') AS text"
	" FROM document d WHERE d.county = app_county() AND d.id = $1::uuid) s"
	" WHERE d.county = app_county() AND d.id = $1::uuid"};

static void people_arrays(const struct document *d, struct pg_array a[3])
{
	pg_array_begin(&a[0], PG_INT4);
	pg_array_begin(&a[1], PG_TEXT);
	pg_array_begin(&a[2], PG_BOOL);
	for (size_t i = 0; i < d->person_count; i++) {
		pg_array_int4(&a[0], (int32_t)d->people[i].part);
		pg_array_text(&a[1], d->people[i].who);
		pg_array_bool(&a[2], d->people[i].done);
	}
}

static void write_document(struct request *r, const struct document_file *f, const struct document_entry *x,
	struct pg_array people[3])
{
	const struct document *d = &f->d;
	struct db_params p = {0};

	people_arrays(d, people);
	db_bytes(&p, f->id, 16);
	db_text(&p, document_state_code(d->state));
	db_int4(&p, d->version);
	db_int4(&p, d->last_version);
	db_text(&p, d->drafter);
	db_text(&p, d->leader);
	db_text(&p, d->lead);
	db_text(&p, d->signer);
	db_bool(&p, d->in_order);
	db_bool(&p, d->reissue);
	db_bool(&p, d->came_back);
	db_bool(&p, d->is_minutes);
	db_bool(&p, d->needs_head);
	db_date(&p, d->signed_on);
	db_date(&p, d->pressed_on);
	db_int4(&p, d->issued_version);
	db_date(&p, d->issued_on);
	db_int4(&p, d->copies);
	db_text(&p, d->slot);
	db_int4(&p, f->trace_n);
	db_bytes(&p, f->trace_head, TRACE_HASH);
	db_text(&p, f->title);
	db_text(&p, f->genre);
	db_text(&p, codes_urgency.items[d->urgency].code);
	db_text(&p, f->mark);
	db_text(&p, f->reply_to);
	for (int i = 0; i < 3; i++)
		db_array(&p, &people[i]);
	db_text(&p, f->take_series);
	db_int4(&p, f->take_year);
	if (!f->is_new) {
		request_query(r, &update_document, &p);
		return;
	}
	db_text(&p, f->kind);
	db_text(&p, strcmp(f->kind, "in") ? "" : d->reads ? "read" : "act");
	db_text(&p, f->carrier);
	db_text(&p, f->from);
	db_text(&p, f->their_no);
	db_text(&p, f->caller);
	db_text(&p, f->phone);
	db_text(&p, f->matter);
	db_time(&p, x->at);
	request_query(r, &insert_document, &p);
}

static enum err write_search(struct request *r, const struct document_file *f)
{
	const char *const texts[] = {f->take_series ? f->take_series : f->d.series, f->title, f->body};
	struct db_params p = {0};

	db_bytes(&p, f->id, 16);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char *form;
		enum err e = normal_form(&form, texts[i], strlen(texts[i]), NORMAL_LOWER, &r->arena);
		if (e)
			return e;
		db_text(&p, form);
	}
	request_query(r, &update_search, &p);
	return ERR_OK;
}

static void time_or_null(struct pg_array *a, int64_t at)
{
	if (at)
		pg_array_time(a, at);
	else
		pg_array_null(a);
}

static void write_old_tasks(struct request *r, const struct document *d, int64_t at, struct pg_array *a)
{
	static const enum pg_type types[] = {PG_INT8, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ,
		PG_INT8, PG_TIMESTAMPTZ, PG_TEXT};
	struct db_params tasks = {0}, changes = {0};

	for (int i = 0; i < 8; i++)
		pg_array_begin(&a[i], types[i]);
	for (size_t i = 0; i < d->task_count; i++) {
		const struct document_task *t = &d->task[i];
		if (!t->id || !t->changed)
			continue;
		pg_array_int8(&a[0], t->id);
		pg_array_text(&a[1], t->principal);
		pg_array_time(&a[2], t->since);
		pg_array_time(&a[3], t->due);
		time_or_null(&a[4], t->closed);
		if (!t->extended_from && !t->moved_from)
			continue;
		pg_array_int8(&a[5], t->id);
		time_or_null(&a[6], t->extended_from);
		pg_array_text(&a[7], t->moved_from ? t->moved_from : "");
	}
	for (int i = 0; i < 5; i++)
		db_array(&tasks, &a[i]);
	request_query(r, &update_tasks, &tasks);
	db_time(&changes, at);
	for (int i = 5; i < 8; i++)
		db_array(&changes, &a[i]);
	request_query(r, &insert_changes, &changes);
}

static void write_new_tasks(struct request *r, const struct document_file *f, struct pg_array *a)
{
	static const enum pg_type types[] = {PG_TEXT, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
	struct db_params p = {0};

	for (int i = 0; i < 5; i++)
		pg_array_begin(&a[i], types[i]);
	for (size_t i = 0; i < f->d.task_count; i++) {
		const struct document_task *t = &f->d.task[i];
		if (t->id)
			continue;
		pg_array_text(&a[0], document_step_code(t->step));
		pg_array_text(&a[1], t->principal);
		pg_array_text(&a[2], t->school);
		pg_array_time(&a[3], t->opened);
		pg_array_time(&a[4], t->due);
	}
	db_bytes(&p, f->id, 16);
	for (int i = 0; i < 5; i++)
		db_array(&p, &a[i]);
	request_query(r, &insert_tasks, &p);
}

static void write_version(struct request *r, const struct document_file *f, const struct document_entry *x)
{
	struct db_params p = {0};

	db_bytes(&p, f->id, 16);
	db_int4(&p, f->d.version);
	db_text(&p, f->file);
	db_bytes(&p, f->digest, TRACE_HASH);
	db_time(&p, x->at);
	db_text(&p, x->by);
	db_text(&p, f->questions);
	request_query(r, &insert_version, &p);
}

static enum err write_entry(struct request *r, struct document_file *f, const struct document_entry *x)
{
	uint8_t sig[SIGNATURE_MAX];
	struct db_params p = {0};
	size_t n = document_entry_sign(
		r, x, f->trace_n + 1, f->trace_head, document_state_code(f->d.state), sig);

	if (!n)
		return ERR_NOMEM;
	f->trace_n++;
	db_bytes(&p, f->id, 16);
	db_int4(&p, f->trace_n);
	db_text(&p, x->event);
	db_text(&p, x->by);
	db_text(&p, x->for_whom ? x->for_whom : "");
	db_time(&p, x->at);
	db_text(&p, x->text);
	db_int4(&p, f->d.version);
	db_text(&p, document_state_code(f->d.state));
	db_bytes(&p, x->device, 16);
	db_text(&p, x->intent);
	db_bytes(&p, x->intent_sig, x->intent_sig_len);
	db_bytes(&p, f->trace_head, TRACE_HASH);
	db_bytes(&p, sig, n);
	db_text(&p, x->given);
	request_query(r, &insert_trace, &p);
	return ERR_OK;
}

enum err document_write(struct request *r, struct document_file *f, const struct document_entry *x)
{
	struct pg_array arrays[16] = {0}; /* libpq copies what it sends */
	enum err e = write_entry(r, f, x);

	if (!e)
		e = document_signers_write(r, x);
	if (!e) {
		write_document(r, f, x, arrays);
		write_old_tasks(r, &f->d, x->at, arrays + 3);
		write_new_tasks(r, f, arrays + 11);
		if (f->file)
			write_version(r, f, x);
		if (f->files.n)
			document_files_write(r, f->id, f->d.version, &f->files);
		if (f->asks)
			e = document_questions_write(r, f->id, f->d.version, f->asks);
		if (!e && f->body)
			e = write_search(r, f);
	}
	for (size_t i = 0; i < 16; i++)
		pg_array_free(&arrays[i]);
	return e;
}

static const struct db_stmt insert_seal = {"INSERT INTO document_seal (county, document, n, count, copies)"
					   " VALUES (app_county(), $1::uuid, $2::int, $3::int, $4::int)"};

void document_seal_write(struct request *r, const struct document_file *f, int32_t count)
{
	struct db_params p = {0};

	db_bytes(&p, f->id, 16);
	db_int4(&p, f->trace_n);
	db_int4(&p, count);
	db_int4(&p, f->d.copies);
	request_query(r, &insert_seal, &p);
}

const char *document_written_number(struct request *r, const struct document_file *f)
{
	const PGresult *t = request_result(r, f->is_new ? &insert_document : &update_document);

	return document_text(r, db_get_text(t, 0, 0));
}
