/* How far each trace has gone, told to every school (A8.5): a record of the county for each trace that has
 * grown, with its last number and hash and nothing else. It is never changed and never goes, so whoever
 * has received it is witness that the trace had this entry: what is cut behind it, the server's own key
 * cannot mend. Once an hour, because each record goes to each computer of the county and stays there; at
 * once when a paper is archived, for then its trace ends. */
#include <string.h>

#include "documents_calls.h"
#include "record_edit.h"
#include "schedule.h"
#include "tables.h"

#define PORTION 200 /* traces a run */

static const struct db_stmt select_untold = {
	"SELECT x.id, x.trace_n, x.trace_head"
	" FROM (SELECT id, trace_n, trace_head, told_n, county FROM document"
	" UNION ALL SELECT id, trace_n, trace_head, told_n, county FROM document_order"
	" UNION ALL SELECT id, trace_n, trace_head, told_n, county FROM meeting) x"
	" WHERE x.county = app_county() AND x.trace_n > x.told_n LIMIT 200"};
enum { U_ID, U_N, U_HEAD };
/* Nothing is locked: where another server tells the same, the record's key is taken, and this run ends. */
#define TOLD(table)                                                                                          \
	{                                                                                                    \
		"UPDATE " table " d SET told_n = u.n FROM unnest($1::uuid[], $2::int[]) AS u (id, n)"        \
		" WHERE d.county = app_county() AND d.id = u.id"                                             \
	}
static const struct db_stmt mark_told[] = {TOLD("document"), TOLD("document_order"), TOLD("meeting")};

static void tails_done(struct request *r)
{
	const struct record_edits *x = r->data;
	pb_empty nothing = PB_EMPTY_INIT;

	if (x && x->part.count == PORTION)
		documents_tell_tails_now(r->worker);
	request_reply(r, &nothing.base);
}

static void tails_write(struct request *r)
{
	const PGresult *t = request_result(r, &select_untold);
	struct record_edits *x = arena_alloc(&r->arena, sizeof *x);
	struct pg_array ids = {0}, numbers = {0};
	struct db_params p = {0};
	size_t n;

	r->data = x;
	if (!x || !record_edits_begin(x, r, (size_t)PQntuples(t))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	pg_array_begin(&ids, PG_UUID);
	pg_array_begin(&numbers, PG_INT4);
	for (int i = 0; i < PQntuples(t); i++) {
		struct record *tail = &record_edit(x, kind_by_number(KIND_TRACE_TAIL), NULL)->state.record;
		const uint8_t *of = arena_copy(&r->arena, db_get_bytes(t, i, U_ID, &n), 16);
		record_set_bytes(tail, F_TRACE_TAIL_OF, of, 16);
		record_set_number(tail, F_TRACE_TAIL_N, db_get_int(t, i, U_N));
		record_set_bytes(tail, F_TRACE_TAIL_HEAD,
			arena_copy(&r->arena, db_get_bytes(t, i, U_HEAD, &n), HASH_SIZE), HASH_SIZE);
		record_edit_end(x);
		pg_array_bytes(&ids, of, 16);
		pg_array_int4(&numbers, (int32_t)db_get_int(t, i, U_N));
	}
	db_array(&p, &ids);
	db_array(&p, &numbers);
	for (size_t i = 0; i < sizeof mark_told / sizeof *mark_told; i++)
		request_query(r, &mark_told[i], &p);
	pg_array_free(&ids);
	pg_array_free(&numbers);
	if (r->arena.refused)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		record_edits_commit(x, r, tails_done);
}

static void tails_query(struct request *r)
{
	request_scope(r, SCOPE_JOB, "");
	request_query(r, &select_untold, NULL);
	request_trip(r, tails_write);
}

void documents_tell_tails(struct request *r)
{
	request_begin(r, tails_query);
}

void documents_tell_tails_now(struct worker *w)
{
	schedule_now(w, documents_tell_tails);
}
