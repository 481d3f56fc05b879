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
	"SELECT id, trace_n, trace_head FROM document WHERE county = app_county() AND trace_n > told_n"
	" ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED"};
enum { U_ID, U_N, U_HEAD };
static const struct db_stmt mark_told = {
	"UPDATE document d SET told_n = d.trace_n FROM unnest($1::uuid[]) AS u (id)"
	" WHERE d.county = app_county() AND d.id = u.id"};

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
	struct pg_array ids = {0};
	struct db_params p = {0};
	size_t n;

	r->data = x;
	if (!x || !record_edits_begin(x, r, (size_t)PQntuples(t))) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	pg_array_begin(&ids, PG_UUID);
	for (int i = 0; i < PQntuples(t); i++) {
		struct record *tail = &record_edit(x, kind_by_number(KIND_TRACE_TAIL), NULL)->state.record;
		const uint8_t *of = arena_copy(&r->arena, db_get_bytes(t, i, U_ID, &n), 16);
		record_set_bytes(tail, F_TRACE_TAIL_OF, of, 16);
		record_set_number(tail, F_TRACE_TAIL_N, db_get_int(t, i, U_N));
		record_set_bytes(tail, F_TRACE_TAIL_HEAD,
			arena_copy(&r->arena, db_get_bytes(t, i, U_HEAD, &n), HASH_SIZE), HASH_SIZE);
		record_edit_end(x);
		pg_array_bytes(&ids, of, 16);
	}
	db_array(&p, &ids);
	request_query(r, &mark_told, &p);
	pg_array_free(&ids);
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
