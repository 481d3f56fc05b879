/* The trace, for the auditor: the chains recomputed from what is stored, and the access log searched. */
#include "access_log.h"
#include "clock.h"
#include "service.h"

#define ROWS_STANDARD 200
#define ROWS_MAX 10000

/* Every link of every stream: numbers without gaps, roots and heads recomputed, the stream's own head the
 * last one. */
static const struct db_stmt verify_links = {
	"WITH l AS (SELECT stream_id, n, root = sha256('\\x6a6720726f6f74'::bytea || parts) AS root_ok,"
	" head = sha256('\\x6a67206175646974'::bytea ||"
	" lag(head, 1, decode(repeat('00', 32), 'hex')) OVER w || int8send(n) || root) AS head_ok,"
	" n = row_number() OVER w AS n_ok"
	" FROM audit_link WHERE county = app_county() WINDOW w AS (PARTITION BY stream_id ORDER BY n)),"
	" t AS (SELECT s.stream_id, s.audit_n + 1 AS n FROM stream s"
	" WHERE s.county = app_county() AND s.audit_n > 0"
	" AND NOT EXISTS (SELECT 1 FROM audit_link a"
	" WHERE a.county = s.county AND a.stream_id = s.stream_id AND a.n = s.audit_n"
	" AND a.head = s.audit_head)"
	" OR s.county = app_county() AND s.audit_n = 0"
	" AND EXISTS (SELECT 1 FROM audit_link a"
	" WHERE a.county = s.county AND a.stream_id = s.stream_id))"
	" SELECT (SELECT count(*) FROM l), b.stream_id, b.n"
	" FROM (SELECT 1) one"
	" LEFT JOIN LATERAL (SELECT stream_id, n FROM l WHERE NOT (root_ok AND head_ok AND n_ok)"
	" UNION ALL SELECT stream_id, n FROM t ORDER BY 1, 2 LIMIT 1) b"
	" ON true"};
static const struct db_stmt verify_access = {
	"WITH p AS (SELECT s.n, s.first_id, s.last_id, s.rows, s.head,"
	" lag(s.head, 1, ''::bytea) OVER (ORDER BY s.n) AS before,"
	" s.n = row_number() OVER (ORDER BY s.n) AS n_ok"
	" FROM access_seal s WHERE s.county = app_county()),"
	" c AS (SELECT p.n, p.n_ok AND p.rows = count(a.id)"
	" AND p.head = sha256('\\x6a6720616363657373'::bytea || p.before || int8send(p.n) ||"
	" convert_to(string_agg(concat_ws('|', a.id, extract(epoch FROM a.at), a.user_id, a.device_id,"
	" a.school, a.method, a.result, a.rows, a.purpose, a.ref),"
	" E'\\n'"
	" ORDER BY a.id),"
	" 'UTF8')) AS good"
	" FROM p"
	" LEFT JOIN access_log a ON a.county = app_county() AND a.id BETWEEN p.first_id AND p.last_id"
	" GROUP BY p.n, p.n_ok, p.rows, p.head, p.before)"
	" SELECT (SELECT count(*) FROM access_log WHERE county = app_county()),"
	" (SELECT min(n) FROM c WHERE good IS NOT TRUE)"};

static void verify_query(struct request *r)
{
	request_query(r, &verify_links, NULL);
	request_query(r, &verify_access, NULL);
}

static void verify_done(struct request *r)
{
	const PGresult *links = request_result(r, &verify_links), *access = request_result(r, &verify_access);
	pb_audit_verify_reply out = PB_AUDIT_VERIFY_REPLY_INIT;

	out.has_entries = out.has_ok = 1;
	out.entries = (uint64_t)(db_get_int(links, 0, 0) + db_get_int(access, 0, 0));
	out.ok = db_is_null(links, 0, 1) && db_is_null(access, 0, 1);
	if (!db_is_null(links, 0, 1))
		out.first_bad = arena_printf(&r->arena, "stream %lld link %lld",
			(long long)db_get_int(links, 0, 1), (long long)db_get_int(links, 0, 2));
	else if (!out.ok)
		out.first_bad =
			arena_printf(&r->arena, "access log seal %lld", (long long)db_get_int(access, 0, 1));
	access_log_add(r->worker, &r->caller, r->method->name, out.ok ? "OK" : "CHAIN", 0, "audit", r->ref);
	request_reply(r, &out.base);
}

static void verify(struct request *r)
{
	request_call(r, verify_query, verify_done);
}

static const struct db_stmt search_access = {
	"SELECT id::text, at, user_id, coalesce(device_id::text, ''), school, method, result, rows,"
	" purpose"
	" FROM access_log"
	" WHERE county = app_county() AND ($1::text = '' OR user_id = $1)"
	" AND ($2::text = '' OR school = $2)"
	" AND ($3::text = '' OR method ILIKE '%' || $3 || '%' OR result ILIKE '%' || $3 || '%'"
	" OR purpose ILIKE '%' || $3 || '%')"
	" AND at >= $4::timestamptz AND at < $5::timestamptz"
	" ORDER BY access_log.id DESC"
	" LIMIT $6::int"};
enum {
	ACCESS_ID,
	ACCESS_AT,
	ACCESS_USER,
	ACCESS_DEVICE,
	ACCESS_SCHOOL,
	ACCESS_METHOD,
	ACCESS_RESULT,
	ACCESS_ROWS,
	ACCESS_PURPOSE
};

static void search_query(struct request *r)
{
	const pb_audit_search *q = REQUEST(r, pb_audit_search);
	struct db_params p = {0};
	uint32_t limit = q->has_limit && q->limit ? q->limit : ROWS_STANDARD;

	db_text(&p, q->user ? q->user : "");
	db_text(&p, q->school ? q->school : "");
	db_text(&p, q->what ? q->what : "");
	db_time(&p, q->has_from ? q->from : 0);
	db_time(&p, q->has_to ? q->to : INT64_C(4102444800000000));
	db_int4(&p, (int32_t)(limit < ROWS_MAX ? limit : ROWS_MAX));
	request_query(r, &search_access, &p);
}

static void search_done(struct request *r)
{
	const PGresult *res = request_result(r, &search_access);
	int n = PQntuples(res);
	pb_audit_rows out = PB_AUDIT_ROWS_INIT;
	pb_audit_row *rows = arena_alloc(&r->arena, sizeof *rows * (size_t)n);

	out.row = arena_alloc(&r->arena, sizeof *out.row * (size_t)n);
	for (int i = 0; rows && out.row && i < n; i++) {
		pb_audit_row *a = &rows[i];
		*a = (pb_audit_row)PB_AUDIT_ROW_INIT;
		a->id = (char *)db_get_text(res, i, ACCESS_ID);
		a->has_at = a->has_count = 1;
		a->at = db_get_int(res, i, ACCESS_AT);
		a->user = (char *)db_get_text(res, i, ACCESS_USER);
		a->device = (char *)db_get_text(res, i, ACCESS_DEVICE);
		a->school = (char *)db_get_text(res, i, ACCESS_SCHOOL);
		a->method = (char *)db_get_text(res, i, ACCESS_METHOD);
		a->result = (char *)db_get_text(res, i, ACCESS_RESULT);
		a->count = (uint32_t)db_get_int(res, i, ACCESS_ROWS);
		a->purpose = (char *)db_get_text(res, i, ACCESS_PURPOSE);
		out.row[out.n_row++] = a;
	}
	request_reply(r, &out.base);
}

static void search(struct request *r)
{
	request_call(r, search_query, search_done);
}

static const struct handler handlers[] = {
	{METHOD_AUDIT_VERIFY, verify}, {METHOD_AUDIT_SEARCH, search}, {0, NULL}};

const struct service audit_service = {"audit", handlers, NULL};
