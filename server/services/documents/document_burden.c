/* 减负: what a paper costs schools, told before it is issued; a question that they have answered is asked
 * again only with a reason (R22). */
#include "document_burden.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "clock.h"
#include "codes.h"
#include "draft_digest.h"
#include "draft_rules.h"
#include "lang.h"

#define REPEATS_SHOWN 40 /* as many as a draft has questions */

/* ---- Whom it goes to ---- */

static bool is_addressed(const struct draft_list *list, const char *code, unsigned stages)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], code) == 0 || draft_school_group(list->items[i]) & stages)
			return true;
	return false;
}

static int by_code(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void document_addressees(
	struct request *r, const PGresult *schools, const struct draft *d, struct document_addressees *out)
{
	out->n = 0;
	out->codes = arena_alloc(&r->arena, sizeof *out->codes * ((size_t)PQntuples(schools) + 1));
	for (int i = 0; out->codes && i < PQntuples(schools); i++) {
		const char *code = db_get_text(schools, i, 0);
		unsigned stages = (unsigned)db_get_int(schools, i, 1);
		if (is_addressed(&d->to, code, stages) || is_addressed(&d->cc, code, stages))
			out->codes[out->n++] = document_text(r, code);
	}
	if (out->codes)
		qsort(out->codes, out->n, sizeof *out->codes, by_code);
}

/* ---- What they are asked ---- */

const char *document_questions(struct request *r, const struct draft *d)
{
	static const char *const types[] = {"number", "date", "text", "file", "choice"};
	json_t *list = json_array();

	for (size_t i = 0; i < d->question_count; i++) {
		const struct draft_question *q = &d->questions[i];
		json_t *choices = json_array();
		for (size_t k = 0; k < q->choices.n; k++)
			json_array_append_new(choices, json_string(q->choices.items[k]));
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:s,s:o,s:s}", "key", q->key, "label", q->label, "type",
				types[q->type], "choices", choices, "period", q->period));
	}
	char *text = d->question_count ? json_dumps(list, JSON_COMPACT) : NULL;
	const char *kept = document_text(r, text);
	free(text);
	json_decref(list);
	return kept;
}

static const struct db_stmt insert_questions = {
	"INSERT INTO document_question (county, document, version, n, key, label, period)"
	" SELECT app_county(), $1::uuid, $2::int, u.n, u.key, u.label, u.period"
	" FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS u (key, label, period, n)"};

enum err document_questions_write(
	struct request *r, const uint8_t id[16], int32_t version, const struct draft *d)
{
	struct pg_array a[3] = {0};
	struct db_params p = {0};
	enum err e = ERR_OK;

	for (int i = 0; i < 3; i++)
		pg_array_begin(&a[i], PG_TEXT);
	for (size_t i = 0; !e && i < d->question_count; i++) {
		const struct draft_question *q = &d->questions[i];
		const char *key;
		e = draft_question_key(&key, q->label, q->period, &r->arena);
		pg_array_text(&a[0], key);
		pg_array_text(&a[1], q->label);
		pg_array_text(&a[2], q->period);
	}
	db_bytes(&p, id, 16);
	db_int4(&p, version);
	for (int i = 0; i < 3; i++)
		db_array(&p, &a[i]);
	if (!e && d->question_count)
		request_query(r, &insert_questions, &p);
	for (int i = 0; i < 3; i++)
		pg_array_free(&a[i]);
	return e;
}

/* ---- What they were asked before ---- */

/* A question without a period is another one a year later. */
static const struct db_stmt select_repeats = {
	"SELECT m.label, d.id, coalesce(d.number, ''), d.title, (SELECT array_agg(a.school)"
	" FROM document_address a WHERE a.county = d.county AND a.document = d.id AND a.ended <> 'recalled')"
	" FROM document x"
	" JOIN document_question m ON m.county = x.county AND m.document = x.id AND m.version = x.version"
	" JOIN document_question o ON o.county = m.county AND o.key = m.key AND o.document <> m.document"
	" JOIN document d ON d.county = o.county AND d.id = o.document AND d.issued_version = o.version"
	" WHERE x.county = app_county() AND x.id = (SELECT document_find($1::text)) AND d.state <> 'recalled'"
	" AND (m.period <> '' OR EXISTS (SELECT FROM document_trace t WHERE t.county = d.county"
	" AND t.document = d.id"
	" AND t.event = 'issue' AND t.at > jg_now() - interval '365 days'))"
	" ORDER BY m.n, d.number"};
enum { R_LABEL, R_DOC, R_NUMBER, R_TITLE, R_SCHOOLS };

void document_repeats_query(struct request *r, const char *doc)
{
	struct db_params p = {0};

	db_text(&p, doc);
	request_query(r, &select_repeats, &p);
}

/* Whether one of them is among the schools of the row. */
static bool meets(struct request *r, const PGresult *t, int i, const struct document_addressees *to)
{
	int n = db_is_null(t, i, R_SCHOOLS) ? 0 : db_get_texts(t, i, R_SCHOOLS, NULL, NULL, 0);
	const char **codes = arena_alloc(&r->arena, sizeof *codes * ((size_t)n + 1));
	size_t *lengths = arena_alloc(&r->arena, sizeof *lengths * ((size_t)n + 1));

	if (n && codes && lengths)
		db_get_texts(t, i, R_SCHOOLS, codes, lengths, n);
	for (int k = 0; codes && lengths && k < n; k++) {
		char code[16];
		const char *key = code;
		snprintf(code, sizeof code, "%.*s", (int)lengths[k], codes[k]);
		if (to->n && bsearch(&key, to->codes, to->n, sizeof *to->codes, by_code))
			return true;
	}
	return false;
}

size_t document_repeats(
	struct request *r, const struct document_addressees *to, struct document_repeat *out, size_t max)
{
	const PGresult *t = request_result(r, &select_repeats);
	size_t n = 0, len;
	char id[37];

	for (int i = 0; i < PQntuples(t); i++) {
		if (!meets(r, t, i, to))
			continue;
		id_format(id, db_get_bytes(t, i, R_DOC, &len));
		if (n < max)
			out[n] = (struct document_repeat){document_text(r, db_get_text(t, i, R_LABEL)),
				document_text(r, id), document_text(r, db_get_text(t, i, R_NUMBER)),
				document_text(r, db_get_text(t, i, R_TITLE))};
		n++;
	}
	return n;
}

/* ---- cost ---- */

static const struct db_stmt select_text = {
	"SELECT coalesce(v.file, ''), coalesce(d.number, '')"
	" FROM document d LEFT JOIN document_version v ON v.county = d.county AND v.document = d.id"
	" AND v.version = d.version"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($1::text))"
	" AND document_may_read(d.id, d.mark, $2::text)"};
static const struct db_stmt select_schools = {"SELECT code, coalesce(stage_mask(type), 0)"
					      " FROM school WHERE county = app_county() AND NOT deleted"};
/* What was issued from Monday on to the one of them that it burdens most. */
static const struct db_stmt select_week = {
	"SELECT count(*)::int AS documents, coalesce(sum((SELECT count(*) FROM document_question q"
	" WHERE q.county = a.county AND q.document = a.document"
	" AND q.version = a.version)), 0)::int AS questions"
	" FROM (SELECT DISTINCT t.document FROM document_trace t WHERE t.county = app_county()"
	" AND t.event = 'issue'"
	" AND t.at >= date_trunc('week', jg_today()::timestamp) AT TIME ZONE 'Asia/Shanghai') w"
	" JOIN document_address a ON a.county = app_county() AND a.document = w.document"
	" AND a.ended <> 'recalled'"
	" WHERE a.school = ANY ($1::text[])"
	" GROUP BY a.school ORDER BY documents DESC, questions DESC LIMIT 1"};

struct cost {
	struct draft draft;
	struct document_addressees to;
	struct document_surroundings around;
	struct document_repeat repeats[REPEATS_SHOWN];
	pb_document_repeat rows[REPEATS_SHOWN], *list[REPEATS_SHOWN];
	pb_document_cost out;
};

static void cost_reply(struct request *r)
{
	const PGresult *week = request_result(r, &select_week);
	struct cost *x = r->data;

	x->out.has_week_documents = x->out.has_week_questions = 1;
	if (PQntuples(week)) {
		x->out.week_documents = (uint32_t)db_get_int(week, 0, 0);
		x->out.week_questions = (uint32_t)db_get_int(week, 0, 1);
	}
	request_reply(r, &x->out.base);
}

/* As the settings of today have it. */
static int64_t minutes_of(const struct cost *x)
{
	static const struct {
		const char *name;
		enum draft_answer answer;
	} answers[] = {{"cost.choice", DRAFT_CHOICE}, {"cost.number", DRAFT_NUMBER},
		{"cost.date", DRAFT_DATE}, {"cost.text", DRAFT_TEXT}, {"cost.file", DRAFT_FILE}};
	struct draft_minutes minutes = draft_minutes_default;
	int64_t now = x->around.world.now;

	minutes.characters = atoi(world_setting(&x->around, "cost.characters", now));
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		minutes.answer[answers[i].answer] = atoi(world_setting(&x->around, answers[i].name, now));
	return draft_cost(&x->draft, &minutes);
}

static void fill_cost(struct request *r, struct cost *x)
{
	pb_document_cost *out = &x->out;
	size_t n = document_repeats(r, &x->to, x->repeats, REPEATS_SHOWN);

	*out = (pb_document_cost)PB_DOCUMENT_COST_INIT;
	out->has_schools = out->has_questions = out->has_minutes_per_school = out->has_minutes_total = 1;
	out->schools = (uint32_t)x->to.n;
	out->questions = (uint32_t)x->draft.question_count;
	out->minutes_per_school = (uint64_t)minutes_of(x);
	out->minutes_total = out->minutes_per_school * out->schools;
	out->repeat = x->list;
	for (; out->n_repeat < n && out->n_repeat < REPEATS_SHOWN; out->n_repeat++) {
		pb_document_repeat *row = x->list[out->n_repeat] = &x->rows[out->n_repeat];
		const struct document_repeat *from = &x->repeats[out->n_repeat];
		*row = (pb_document_repeat)PB_DOCUMENT_REPEAT_INIT;
		row->label = (char *)(uintptr_t)from->label;
		row->doc = (char *)(uintptr_t)from->doc;
		row->number = (char *)(uintptr_t)from->number;
		row->title = (char *)(uintptr_t)from->title;
	}
}

static void cost_judge(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	const PGresult *t = request_result(r, &select_text);
	const char *text = PQntuples(t) ? document_text(r, db_get_text(t, 0, 0)) : "";
	struct cost *x = r->data;
	struct pg_array schools = {0};
	struct db_params p = {0};
	struct problem unsaid;

	if (!*text) {
		request_refuse(r, PQntuples(t) ? ERR_NOT_NOW : ERR_NOT_FOUND, "doc",
			PQntuples(t) ? _("这是来文，不发给学校")
				     : arena_printf(&r->arena, _("没有“%s”这份公文"), text_of(query->doc)),
			_("jgadmin documents list 列出公文"));
		return;
	}
	if (!world_read(r, &x->around))
		return;
	if (draft_parse(&x->draft, text, strlen(text), &r->arena, &unsaid)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	document_addressees(r, request_result(r, &select_schools), &x->draft, &x->to);
	fill_cost(r, x);
	pg_array_begin(&schools, PG_TEXT);
	for (size_t i = 0; i < x->to.n; i++)
		pg_array_text(&schools, x->to.codes[i]);
	db_array(&p, &schools);
	request_query(r, &select_week, &p);
	pg_array_free(&schools);
	db_task_commit(&r->task);
	request_trip(r, cost_reply);
}

static void cost_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_text(&p, text_of(query->doc));
	db_text(&p, r->caller.user);
	request_query(r, &select_text, &p);
	request_query(r, &select_schools, NULL);
	document_repeats_query(r, text_of(query->doc));
	world_query(r);
	request_trip(r, cost_judge);
}

void documents_cost(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	r->data = arena_alloc(&r->arena, sizeof(struct cost));
	if (!*text_of(query->doc))
		request_fail(r, ERR_MISSING, "doc", NULL);
	else if (!r->data)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		request_begin(r, cost_query);
}
