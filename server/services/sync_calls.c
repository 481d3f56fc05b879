/* Offline work: push (push_db.c), pull, files in chunks, watching. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access_log.h"
#include "fault.h"
#include "hash.h"
#include "lang.h"
#include "wire_limits.h"
#include "pki.h"
#include "push_db.h"
#include "push_plan.h"
#include "record_db.h"
#include "service.h"

#define SCHOOL_FILES_MAX (INT64_C(4) << 30) /* of a school: 2,000 pupils with two files of 1 MiB each */
/* once for all schools; what the disk holds is the operator's to watch */
#define BUREAU_FILES_MAX (INT64_C(1) << 40)
#define BUREAU_UNNAMED_MAX (INT64_C(2) << 30) /* papers of a hundred drafters on their way */
#define CHANGE_BYTES 128                      /* of a change beside its body, at most: ids, versions, owner */
#define UNNAMED_FILES_MAX                                                                                    \
	(INT64_C(10)                                                                                         \
		<< 20) /* of files that no record names: the largest file, while its record is on its way */

/* ---- Push ---- */

static void push(struct request *r)
{
	const pb_push_request *q = REQUEST(r, pb_push_request);
	size_t bytes = 0;

	for (size_t i = 0; i < q->n_op; i++)
		bytes += q->op[i].len;
	if (!r->caller.school[0])
		request_fail(r, ERR_PERMISSION, NULL, "%s", _("县局人员在线办理，没有离线记录"));
	else if (q->n_op > PUSH_OPS_MAX || bytes > PUSH_BYTES_MAX)
		request_fail(r, ERR_TOO_LARGE, "op", NULL);
	else
		push_submit(r);
}

/* ---- Pull ---- */

static const struct db_stmt read_stream = {"SELECT s.seq, s.floor, s.lanes, s.audit_n, s.audit_head,"
					   " c.epoch"
					   " FROM stream s"
					   " JOIN county c ON c.county = s.county"
					   " WHERE s.county = app_county() AND s.stream_id = $1::bigint"};
enum { STREAM_SEQ, STREAM_FLOOR, STREAM_LANES, STREAM_AUDIT_N, STREAM_AUDIT_HEAD, STREAM_EPOCH };
static const struct db_stmt read_feed = {"SELECT rec_id, seq, ver, kind, action"
					 " FROM feed"
					 " WHERE county = app_county() AND stream_id = $1::bigint"
					 " AND seq > $2::bigint"
					 " ORDER BY seq"
					 " LIMIT $3::int"};
enum { FEED_REC_ID, FEED_SEQ, FEED_VER, FEED_KIND, FEED_ACTION };
static const struct db_stmt count_feed = {"SELECT count(*)"
					  " FROM feed"
					  " WHERE county = app_county() AND stream_id = $1::bigint"
					  " AND seq > $2::bigint"};

struct pull {
	int64_t stream;
	uint64_t cursor, epoch, upto, seq;
	uint64_t cursor_epoch; /* the one that cursor belongs to; 0 = any, there was no page yet */
	uint64_t floor;        /* as it was when the cursor was judged */
	bool last, counted, begun;
	int32_t rows; /* of the next page: fewer behind one that was too long */
	uint64_t total;
	uint32_t lanes[LANES];
	uint64_t audit_n;
	uint8_t audit_head[HASH_SIZE], sig[SIGNATURE_MAX];
	size_t sig_len;
	/* of the page */
	/* of the arena, as is the list: a fault of the database between two trips must not leak them */
	pb_change *changes;
	pb_change **list;
	size_t count, room;
	const struct kind *kinds[KIND_COUNT]; /* of the page */
	size_t kind_count;
	struct buf bytes;
};

static void pull_page(struct request *r);

static bool may_read(const struct request *r, int64_t stream)
{
	return stream == r->worker->server->conf.county ||
		(r->caller.school[0] && stream == strtoll(r->caller.school, NULL, 10));
}

/* False: the head could not be signed. A page without a signature would accuse the county of a forged trace. */
static bool read_stream_row(struct request *r, struct pull *p, const PGresult *s)
{
	const uint8_t *at = (const uint8_t *)PQgetvalue(s, 0, STREAM_LANES) + 20; /* bigint[8] */
	size_t n;

	p->seq = (uint64_t)db_get_int(s, 0, STREAM_SEQ);
	for (int i = 0; i < LANES; i++)
		p->lanes[i] = (uint32_t)get_be64(at + 12 * i + 4);
	p->audit_n = (uint64_t)db_get_int(s, 0, STREAM_AUDIT_N);
	memcpy(p->audit_head, db_get_bytes(s, 0, STREAM_AUDIT_HEAD, &n), HASH_SIZE);
	p->epoch = (uint64_t)db_get_int(s, 0, STREAM_EPOCH);
	p->sig_len = pki_sign_head(r->worker->server->sign_key, p->stream, p->audit_n, p->audit_head, p->sig);
	return p->sig_len > 0;
}

static void fill_proof(struct pull *p, pb_pull_reply *out)
{
	out->n_lane = LANES;
	out->lane = p->lanes;
	out->has_audit_n = out->has_audit_head = out->has_audit_sig = 1;
	out->audit_n = p->audit_n;
	out->audit_head.data = p->audit_head;
	out->audit_head.len = HASH_SIZE;
	out->audit_sig.data = p->sig;
	out->audit_sig.len = p->sig_len;
}

static void page_reply(struct request *r)
{
	struct pull *p = r->data;
	pb_pull_reply out = PB_PULL_REPLY_INIT;

	out.change = p->list;
	out.n_change = p->count;
	out.has_next = out.has_last = out.has_epoch = out.has_seq = 1;
	out.next = p->upto;
	out.last = p->last;
	out.epoch = p->epoch;
	out.seq = p->seq;
	out.has_total = p->counted;
	out.total = p->total;
	r->rows += (uint32_t)p->count;
	p->cursor = p->upto;
	/* Packed at once; replying may end the request and its arena, so the bodies are held apart. */
	struct buf bytes = p->bytes;
	p->bytes = (struct buf){0};
	if (p->last) {
		/* What this connection has been told; a WATCH on it tells what came after. */
		if (r->conn)
			r->conn->watch_seq[p->stream != r->worker->server->conf.county] = p->seq;
		fill_proof(p, &out);
		request_release(r);
		fault_point(FAULT_JGD_PULL_LAST);
		request_reply(r, &out.base);
		fault_point(FAULT_JGD_PULL_ANSWERED);
	} else {
		fault_point(FAULT_JGD_PULL_PAGE);
		request_page(r, &out.base);
		request_continue(r, pull_page);
	}
	buf_free(&bytes);
}

/* The position of a record in the page, by its sequence number: the feed is in that order. */
static pb_change *change_at(struct pull *p, uint64_t seq)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (p->changes[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->count && p->changes[low].seq == seq ? &p->changes[low] : NULL;
}

struct body_at {
	size_t at, len;
};

/* Bodies go into one buffer that may move while it grows: offsets first, pointers after. */
static void fill_bodies(struct request *r, struct pull *p, struct body_at *where)
{
	char own[SCHOOL_TEXT];
	uint64_t seq;

	snprintf(own, sizeof own, "%s", r->caller.school);
	for (size_t k = 0; k < p->kind_count; k++) {
		const struct kind *kind = p->kinds[k];
		const PGresult *rows = record_db_changed_rows(&r->task, kind);
		for (int i = 0; i < PQntuples(rows); i++) {
			struct stored row;
			record_db_read_change(rows, i, kind, &seq, &row);
			pb_change *c = change_at(p, seq);
			if (!c)
				continue;
			struct body_at *b = &where[c - p->changes];
			b->at = p->bytes.len;
			if (p->stream == stream_of(r->worker->server->conf.county, row.owner))
				record_encode(&row.state.record, &p->bytes);
			else
				record_encode_other(&row.state.record, &p->bytes);
			b->len = p->bytes.len - b->at;
			c->has_ver = 1;
			c->ver = row.state.ver;
			c->n_gver = kind->group_count;
			c->gver = arena_copy(&r->arena, row.state.gver, sizeof(uint32_t) * c->n_gver);
			c->owner = arena_printf(&r->arena, "%s", row.owner);
			c->has_body = 1;
		}
	}
}

/* Of a wide kind the database gives no more than a page. */
static bool is_leave(const pb_change *c)
{
	return c->action == JINGGUAN__V1__ACTION__PUT && !c->has_body;
}

/* A page ends where its bytes would be too many for a frame: the rest is read again for the next one. */
static void cut_page(struct pull *p, const struct body_at *where, int32_t rows_most)
{
	size_t bytes = 0, n = 0;

	while (n < p->count &&
		(!n || (!is_leave(&p->changes[n]) && bytes + where[n].len + CHANGE_BYTES <= PULL_PAGE_BYTES)))
		bytes += where[n++].len + CHANGE_BYTES;
	if (n < p->count) {
		p->count = n;
		p->upto = p->changes[n - 1].seq;
		p->last = false;
		p->rows = (int32_t)n;
	} else if (p->rows < rows_most) {
		p->rows = p->rows * 2 < rows_most ? p->rows * 2 : rows_most;
	}
}

static void bodies_read(struct request *r)
{
	struct pull *p = r->data;
	struct body_at *where = calloc(p->count + 1, sizeof *where);

	if (where)
		fill_bodies(r, p, where);
	if (!where || p->bytes.failed) {
		free(where);
		buf_free(&p->bytes);
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	cut_page(p, where, r->worker->server->conf.page_rows);
	for (size_t i = 0; i < p->count; i++) {
		p->changes[i].body.data = p->bytes.data + where[i].at;
		p->changes[i].body.len = where[i].len;
	}
	free(where);
	page_reply(r);
}

/* The first page is the largest, save when its transaction was tried again. */
static bool make_room(struct request *r, struct pull *p)
{
	if (p->count < p->room)
		return true;
	p->room = p->count + 1;
	p->changes = arena_alloc(&r->arena, sizeof *p->changes * p->room);
	p->list = arena_alloc(&r->arena, sizeof *p->list * p->room);
	if (!p->changes || !p->list)
		p->room = 0;
	return p->room > 0;
}

static void add_kind(struct pull *p, const struct kind *kind)
{
	assert(kind); /* the feed was written by this server, or by one that a migration has made the same */
	for (size_t k = 0; k < p->kind_count; k++)
		if (p->kinds[k] == kind)
			return;
	p->kinds[p->kind_count++] = kind;
}

/* false: out of memory. */
static bool read_feed_rows(struct request *r, struct pull *p, const PGresult *feed)
{
	size_t n;

	p->kind_count = 0;
	for (int i = 0; i < (int)p->count; i++) {
		pb_change *c = &p->changes[i];
		uint32_t kind = (uint32_t)db_get_int(feed, i, FEED_KIND);
		*c = (pb_change)PB_CHANGE_INIT;
		c->has_seq = c->has_kind = c->has_id = c->has_ver = c->has_action = 1;
		c->id.data = arena_copy(&r->arena, db_get_bytes(feed, i, FEED_REC_ID, &n), ID_SIZE);
		c->id.len = ID_SIZE;
		if (!c->id.data)
			return false;
		c->seq = (uint64_t)db_get_int(feed, i, FEED_SEQ);
		c->ver = db_get_int(feed, i, FEED_VER);
		c->kind = kind;
		c->action = (Jingguan__V1__Action)db_get_int(feed, i, FEED_ACTION);
		p->list[i] = c;
		if (c->action == JINGGUAN__V1__ACTION__PUT)
			add_kind(p, kind_by_number(kind));
	}
	p->upto = p->count ? p->changes[p->count - 1].seq : p->seq;
	return true;
}

static void restart_pull(struct request *r, enum err control)
{
	pb_pull_reply out = PB_PULL_REPLY_INIT;
	struct pull *p = r->data;

	out.has_control = out.has_epoch = out.has_last = 1;
	out.control = (uint32_t)control;
	out.epoch = p->epoch;
	out.last = 1;
	request_reply(r, &out.base);
}

static void feed_read(struct request *r)
{
	struct pull *p = r->data;
	const PGresult *stream = request_result(r, &read_stream), *feed = request_result(r, &read_feed);

	if (PQntuples(stream) == 0) {
		request_fail(r, ERR_NOT_FOUND, "stream", NULL);
		return;
	}
	fault_point(FAULT_JGD_PULL_READ);
	if (!read_stream_row(r, p, stream)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (!p->counted) {
		p->counted = true;
		p->total = (uint64_t)db_get_int(request_result(r, &count_feed), 0, 0);
	}
	/* Between two pages too: the rest would be of another database. */
	if (p->cursor_epoch && p->cursor_epoch != p->epoch) {
		restart_pull(r, ERR_EPOCH);
		return;
	}
	p->cursor_epoch = p->epoch;
	if (!p->begun && p->cursor > p->seq) { /* of a history that this one is not */
		restart_pull(r, ERR_RESYNC);
		return;
	}
	/* The cursor that the client came with is judged, and that of a later page only when tombstones went
	 * meanwhile: a pull from 0 passes below the floor on its way. */
	uint64_t floor = (uint64_t)db_get_int(stream, 0, STREAM_FLOOR);
	if (p->cursor && p->cursor < floor && (!p->begun || floor != p->floor)) {
		restart_pull(r, ERR_RESYNC);
		return;
	}
	p->begun = true;
	p->floor = floor;
	p->count = (size_t)PQntuples(feed);
	p->last = p->count < (size_t)p->rows;
	if (!make_room(r, p) || !read_feed_rows(r, p, feed)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (p->last)
		p->upto = p->seq;
	for (size_t k = 0; k < p->kind_count; k++)
		record_db_changes(&r->task, p->kinds[k], p->stream, p->cursor, p->upto);
	/* The row that says who read children's data commits with the read, before a byte of it leaves. */
	r->rows = (uint32_t)p->count;
	if (p->count)
		access_log_query(r, "OK");
	db_task_commit(&r->task);
	request_trip(r, bodies_read);
}

/* One page, one snapshot; the proof on the last page is of the snapshot that page was read in. */
static void pull_query(struct request *r)
{
	struct pull *p = r->data;
	struct db_params a = {0}, b = {0}, c = {0};

	request_scope(r, SCOPE_SCHOOL, "ISOLATION LEVEL REPEATABLE READ");
	db_int8(&a, p->stream);
	request_query(r, &read_stream, &a);
	db_int8(&b, p->stream);
	db_int8(&b, (int64_t)p->cursor);
	db_int4(&b, p->rows);
	request_query(r, &read_feed, &b);
	if (!p->counted) {
		db_int8(&c, p->stream);
		db_int8(&c, (int64_t)p->cursor);
		request_query(r, &count_feed, &c);
	}
	request_trip(r, feed_read);
}

static void pull_page(struct request *r)
{
	request_begin(r, pull_query);
}

static void pull(struct request *r)
{
	const pb_pull_request *q = REQUEST(r, pb_pull_request);
	/* A retry after a lost connection goes on from the last page that was handed out. */
	struct pull *p = r->data ? r->data : arena_alloc(&r->arena, sizeof *p);

	if (!p || !may_read(r, q->stream)) {
		request_fail(r, p ? ERR_PERMISSION : ERR_NOMEM, "stream", NULL);
		return;
	}
	if (!r->data) {
		r->data = p;
		p->stream = q->stream;
		p->rows = r->worker->server->conf.page_rows;
		p->cursor = q->cursor;
		p->cursor_epoch = q->cursor ? q->epoch : 0;
	}
	pull_page(r);
}

/* ---- files ---- */

static const struct db_stmt blob_state = {
	"SELECT b.complete,"
	" (SELECT count(*) FROM blob_chunk k"
	" WHERE k.county = b.county AND k.school = b.school AND k.sha = b.sha)::int,"
	" b.size"
	" FROM blob b"
	" WHERE b.county = app_county() AND b.school = $1::text AND b.sha = $2::bytea"
	" AND (b.complete OR $3::bigint IN (0, b.size))"};
enum { BLOB_COMPLETE, BLOB_CHUNKS };
static const struct db_stmt blob_other = {
	"SELECT FROM blob WHERE county = app_county() AND school = $1::text AND sha = $2::bytea"};
/* A file that a record of the school (a paper of the bureau) names has room until its is full; one that none
 * names (its record is on its way) little. */
static const struct db_stmt blob_create = {
	"INSERT INTO blob (county, school, sha, size)"
	" SELECT app_county(), $1::text, $2::bytea, $3::bigint"
	" WHERE CASE"
	" WHEN EXISTS (SELECT FROM blob b"
	" WHERE b.county = app_county() AND b.school = $1::text AND b.sha = $2::bytea)"
	" THEN false"
	" WHEN blob_is_named($1::text, $2::bytea)"
	" THEN $3::bigint + (SELECT coalesce(sum(b.size), 0) FROM blob b"
	" WHERE b.county = app_county() AND b.school = $1::text) <= $4::bigint"
	" ELSE $3::bigint + (SELECT coalesce(sum(b.size), 0) FROM blob b"
	" WHERE b.county = app_county() AND b.school = $1::text"
	" AND NOT blob_is_named(b.school, b.sha)) <= $5::bigint"
	" END"
	" ON CONFLICT DO NOTHING"};
/* Chunks come in order, so that what stands has no gap; a repeat is welcome. */
static const struct db_stmt chunk_insert = {
	"INSERT INTO blob_chunk (county, school, sha, n, bytes)"
	" SELECT app_county(), $1::text, $2::bytea, $3::int, $4::bytea"
	" WHERE $3::int = (SELECT count(*) FROM blob_chunk"
	" WHERE county = app_county() AND school = $1::text AND sha = $2::bytea)"
	" AND EXISTS (SELECT FROM blob b"
	" WHERE b.county = app_county() AND b.school = $1::text AND b.sha = $2::bytea)"
	" ON CONFLICT DO NOTHING"};
/* Complete means: all bytes are there and their hash is the name. */
static const struct db_stmt blob_complete = {
	"UPDATE blob b"
	" SET complete = true"
	" WHERE b.county = app_county() AND b.school = $1::text AND b.sha = $2::bytea AND NOT b.complete"
	" AND b.size = (SELECT sum(octet_length(bytes)) FROM blob_chunk"
	" WHERE county = app_county() AND school = $1::text AND sha = $2::bytea)"
	" AND b.sha = sha256((SELECT string_agg(bytes, ''::bytea ORDER BY n) FROM blob_chunk"
	" WHERE county = app_county() AND school = $1::text AND sha = $2::bytea))"};
/* What stands under another size, before a chunk is taken; after it, what has all its bytes and not the hash:
 * the sender begins anew. */
static const struct db_stmt blob_drop_other = {"SELECT blob_drop_worthless($1::text, $2::bytea, $3::bigint)"};
static const struct db_stmt blob_drop_wrong = {"SELECT blob_drop_worthless($1::text, $2::bytea, NULL)"};
/* Of a school's; what hangs on a paper is read by who may read that (document_content.c). */
static const struct db_stmt blob_chunks = {
	"SELECT k.n, k.bytes, b.size"
	" FROM blob b"
	" JOIN blob_chunk k ON k.county = b.county AND k.school = b.school AND k.sha = b.sha"
	" WHERE b.county = app_county() AND b.sha = $1::bytea AND b.complete AND k.n >= $2::int"
	" AND b.school = (SELECT min(school) FROM blob"
	" WHERE county = app_county() AND sha = $1::bytea AND school <> '' AND complete)"
	" ORDER BY k.n"
	" LIMIT 40"};
enum { PART_N, PART_BYTES, PART_SIZE };

static void blob_params(struct db_params *p, const struct request *r, const ProtobufCBinaryData *sha)
{
	*p = (struct db_params){0};
	db_text(p, r->caller.school);
	db_bytes(p, sha->data, sha->len);
}

static void query_sized(
	struct request *r, const struct db_stmt *stmt, const ProtobufCBinaryData *sha, uint64_t size)
{
	struct db_params p;

	blob_params(&p, r, sha);
	db_int8(&p, (int64_t)size);
	request_query(r, stmt, &p);
}

static void reply_blob_state(struct request *r, const PGresult *b)
{
	pb_blob_state out = PB_BLOB_STATE_INIT;

	out.has_complete = out.has_have = 1;
	if (PQntuples(b)) {
		out.complete = (protobuf_c_boolean)db_get_int(b, 0, BLOB_COMPLETE);
		out.have = (uint32_t)db_get_int(b, 0, BLOB_CHUNKS);
	}
	request_reply(r, &out.base);
}

static void stat_query(struct request *r)
{
	const pb_blob_ref *q = REQUEST(r, pb_blob_ref);

	query_sized(r, &blob_state, &q->sha, q->size);
}

static void stat_done(struct request *r)
{
	reply_blob_state(r, request_result(r, &blob_state));
}

static void stat_blob(struct request *r)
{
	if (REQUEST(r, pb_blob_ref)->sha.len != HASH_SIZE)
		request_fail(r, ERR_INVALID, "sha", NULL);
	else
		request_call(r, stat_query, stat_done);
}

static void chunk_query(struct request *r)
{
	const pb_blob_chunk *q = REQUEST(r, pb_blob_chunk);
	struct db_params p;

	query_sized(r, &blob_drop_other, &q->sha, q->size);
	blob_params(&p, r, &q->sha);
	db_int8(&p, (int64_t)q->size);
	db_int8(&p, r->caller.school[0] ? SCHOOL_FILES_MAX : BUREAU_FILES_MAX);
	db_int8(&p, r->caller.school[0] ? UNNAMED_FILES_MAX : BUREAU_UNNAMED_MAX);
	request_query(r, &blob_create, &p);
	blob_params(&p, r, &q->sha);
	db_int4(&p, (int32_t)q->n);
	db_bytes(&p, q->data.data, q->data.len);
	request_query(r, &chunk_insert, &p);
	blob_params(&p, r, &q->sha);
	request_query(r, &blob_complete, &p);
	query_sized(r, &blob_state, &q->sha, q->size);
	blob_params(&p, r, &q->sha);
	request_query(r, &blob_other, &p);
	request_query(r, &blob_drop_wrong, &p);
}

static void chunk_done(struct request *r)
{
	fault_point(FAULT_JGD_CHUNK_STORED);
	const PGresult *state = request_result(r, &blob_state);

	if (PQntuples(state) == 0 && PQntuples(request_result(r, &blob_other))) {
		/* Another computer sends this hash at the same moment, and says another size. */
		request_fail(r, ERR_BUSY, "size", NULL);
		return;
	}
	if (PQntuples(state) == 0) { /* it was not created */
		request_refuse(r, ERR_TOO_LARGE, "size",
			r->caller.school[0] ? _("本校上传的文件已满：总量 4 GB，没有登记为佐证材料的 10 MB")
					    : _("县局上传的附件已满：没有写进公文的最多 2 GB"),
			_("先同步佐证材料的登记，或请县局系统管理员处理"));
		return;
	}
	if (db_get_int(request_result(r, &blob_drop_wrong), 0, 0))
		request_fail(r, ERR_FILE_DAMAGED, "sha", "%s", _("文件内容与校验值不符"));
	else
		reply_blob_state(r, state);
}

static void put_chunk(struct request *r)
{
	const pb_blob_chunk *q = REQUEST(r, pb_blob_chunk);

	if (q->sha.len != HASH_SIZE || q->size == 0)
		request_fail(r, ERR_INVALID, "sha", NULL);
	else if (q->size > FILE_BYTES_MAX || q->data.len > CHUNK_BYTES || q->n > FILE_BYTES_MAX / CHUNK_BYTES)
		request_fail_hint(r, ERR_TOO_LARGE, "size", _("文件超过 10 MB"), _("请压缩或分开上传"));
	else
		request_call(r, chunk_query, chunk_done);
}

static void get_query(struct request *r)
{
	const pb_blob_get *q = REQUEST(r, pb_blob_get);
	struct db_params p = {0};

	db_bytes(&p, q->sha.data, q->sha.len);
	db_int4(&p, (int32_t)q->from);
	request_query(r, &blob_chunks, &p);
}

/* Which file was read, and whether wholly: what transition_case.c asks of the access log. */
static void tell_file(struct request *r)
{
	const pb_blob_get *q = REQUEST(r, pb_blob_get);
	char hex[HASH_SIZE * 2 + 1];

	sodium_bin2hex(hex, sizeof hex, q->sha.data, HASH_SIZE);
	r->purpose = q->from ? arena_printf(&r->arena, "file %s from %u", hex, q->from)
			     : arena_printf(&r->arena, "file %s", hex);
}

static void get_done(struct request *r)
{
	const PGresult *k = request_result(r, &blob_chunks);
	int n = PQntuples(k);

	tell_file(r);
	for (int i = 0; i < n; i++) {
		pb_blob_chunk out = PB_BLOB_CHUNK_INIT;
		size_t len;
		out.has_n = out.has_data = out.has_size = 1;
		out.n = (uint32_t)db_get_int(k, i, PART_N);
		out.data.data = (uint8_t *)(uintptr_t)db_get_bytes(k, i, PART_BYTES, &len);
		out.data.len = len;
		out.size = (uint64_t)db_get_int(k, i, PART_SIZE);
		r->rows = 1;
		if (i == n - 1)
			request_reply(r, &out.base);
		else
			request_page(r, &out.base);
	}
	if (n == 0)
		request_fail(r, ERR_NOT_FOUND, "sha", NULL);
}

static void get_blob(struct request *r)
{
	if (REQUEST(r, pb_blob_get)->sha.len != HASH_SIZE)
		request_fail(r, ERR_INVALID, "sha", NULL);
	else
		request_call(r, get_query, get_done);
}

/* ---- watching ---- */

static void watch(struct request *r)
{
	pb_empty out = PB_EMPTY_INIT;
	struct conn *c = r->conn;

	if (c) {
		c->watch_stream[0] = r->worker->server->conf.county;
		c->watch_stream[1] = r->caller.school[0] ? strtoll(r->caller.school, NULL, 10) : 0;
		c->watching = true;
	}
	request_reply(r, &out.base);
}

static const struct handler handlers[] = {{METHOD_SYNC_PUSH, push}, {METHOD_SYNC_PULL, pull},
	{METHOD_SYNC_STAT_BLOB, stat_blob}, {METHOD_SYNC_PUT_CHUNK, put_chunk},
	{METHOD_SYNC_GET_BLOB, get_blob}, {METHOD_SYNC_WATCH, watch}, {0, NULL}};

const struct service sync_service = {"sync", handlers, NULL};
