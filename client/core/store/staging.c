#include "staging.h"

#include <string.h>

#include "clock.h"
#include "fault.h"
#include "lang.h"
#include "outbox.h"
#include "tables.h"

/* A pull that takes away more than a fifth of a stream is shown only when the digest proves that the server
 * means it. The digest and the signed trace that holds each DEL do what sync.md asks of a marker for bulk
 * removals. */
#define REMOVAL_PART 5

static enum err run_on(struct store *s, const char *sql, int64_t stream, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, sql, p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err staging_begin(struct store *s, int64_t stream, struct problem *p)
{
	return run_on(s, "DELETE FROM staging WHERE stream = ?", stream, p);
}

static void lanes_bytes(uint8_t out[LANES * 4], const uint32_t lanes[LANES])
{
	for (int i = 0; i < LANES; i++)
		put_be32(out + i * 4, lanes[i]);
}

static enum err stage_change(
	struct store *s, sqlite3_stmt *stmt, int64_t stream, const pb_change *c, struct problem *p)
{
	uint32_t gver[KIND_GROUPS_MAX] = {0}, lanes[LANES];
	uint8_t record[HASH_SIZE], packed[LANES * 4];
	struct buf sealed = {0};
	bool put = c->action == JINGGUAN__V1__ACTION__PUT;

	/* A kind that this version does not know is kept too: nobody sees it, but the digest needs it. */
	if (c->id.len != ID_SIZE)
		return problem_set(p, ERR_PROTOCOL, "id", NULL, NULL);
	for (size_t i = 0; i < c->n_gver && i < KIND_GROUPS_MAX; i++)
		gver[i] = c->gver[i];
	hash_record(record, c->body.data, c->body.len);
	hash_lanes(lanes, c->id.data, (uint64_t)c->ver, c->kind, record);
	lanes_bytes(packed, lanes);
	enum err e = put
		? seal_value(s->seal, "base", c->id.data, ID_SIZE, c->body.data, c->body.len, &sealed)
		: ERR_OK;
	sqlite3_bind_int64(stmt, 1, stream);
	sqlite3_bind_blob(stmt, 2, c->id.data, ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 3, (int)c->action);
	sqlite3_bind_int64(stmt, 4, c->kind);
	sqlite3_bind_int64(stmt, 5, c->ver);
	sqlite3_bind_blob(stmt, 6, gver, sizeof gver, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 7, c->owner ? c->owner : "", -1, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 8, packed, sizeof packed, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 9, sealed.data, (int)sealed.len, SQLITE_STATIC);
	if (!e)
		e = store_run(s, stmt, p);
	buf_free(&sealed);
	return e;
}

enum err staging_add(struct store *s, int64_t stream, const pb_pull_reply *page, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"INSERT OR REPLACE INTO staging(stream, id, action, kind, ver, gver, owner, lanes, body)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
		p);
	enum err e = stmt ? store_begin(s, p) : store_error(s, p);

	for (size_t i = 0; !e && i < page->n_change; i++)
		e = stage_change(s, stmt, stream, page->change[i], p);
	sqlite3_finalize(stmt);
	if (!e)
		return store_commit(s, p);
	store_rollback(s);
	return e;
}

static enum err digest_row(struct store *s, sqlite3_stmt *row, bool deep, uint32_t lanes[LANES])
{
	const uint8_t *packed = sqlite3_column_blob(row, 3), *id = sqlite3_column_blob(row, 0);
	size_t n = (size_t)sqlite3_column_bytes(row, 4);
	struct buf plain = {0};
	uint8_t record[HASH_SIZE];

	if (!deep) {
		for (int i = 0; i < LANES; i++)
			lanes[i] = get_be32(packed + i * 4);
		return ERR_OK;
	}
	uint8_t *to = buf_reserve(&plain, n);
	enum err e = to ? unseal_value(s->seal, "base", id, ID_SIZE, sqlite3_column_blob(row, 4), n, to)
			: ERR_NOMEM;
	if (!e) {
		hash_record(record, to, n - SEAL_OVERHEAD);
		hash_lanes(lanes, id, (uint64_t)sqlite3_column_int64(row, 1),
			(uint32_t)sqlite3_column_int64(row, 2), record);
	}
	buf_free(&plain);
	return e;
}

enum err staging_digest(struct store *s, int64_t stream, bool deep, uint32_t out[LANES], struct problem *p)
{
	sqlite3_stmt *row = store_prepare(s,
		deep ? "SELECT id, ver, kind, lanes, body FROM base WHERE stream = ?"
		     : "SELECT id, ver, kind, lanes, NULL FROM base WHERE stream = ?",
		p);
	enum err e = row ? ERR_OK : store_error(s, p);
	bool more;

	memset(out, 0, LANES * sizeof *out);
	if (row)
		sqlite3_bind_int64(row, 1, stream);
	while (!e && !(e = store_next(s, row, &more, p)) && more) {
		uint32_t lanes[LANES];
		e = digest_row(s, row, deep, lanes);
		if (!e)
			lanes_add(out, lanes);
	}
	sqlite3_finalize(row);
	return e ? problem_set(p, e, NULL, NULL, NULL) : ERR_OK;
}

static enum err write_stream(
	struct store *s, int64_t stream, const struct staging_end *end, bool agreed, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "UPDATE stream SET cursor = ?2, epoch = ?3, digest = ?4 WHERE stream = ?1", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	sqlite3_bind_int64(stmt, 2, (int64_t)end->cursor);
	sqlite3_bind_int64(stmt, 3, (int64_t)end->epoch);
	sqlite3_bind_int(stmt, 4, agreed);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

static enum err rewritten(struct problem *p)
{
	return problem_set(p, ERR_CHAIN, NULL, _("请保留这台电脑并告诉县局审计员：本机保存着改写以前的签名"),
		_("县局服务器上的留痕与本机以前收到的不一致"));
}

/* What was signed before must still be so: in one database a trace only grows, and a number keeps its
 * head. */
static enum err check_witness(
	struct store *s, int64_t stream, const struct staging_end *end, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s,
		"SELECT count(*)"
		" FROM head"
		" WHERE stream = ? AND epoch = ? AND (n > ?3 OR (n = ?3 AND head <> ?4))",
		p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	sqlite3_bind_int64(stmt, 2, (int64_t)end->epoch);
	sqlite3_bind_int64(stmt, 3, (int64_t)end->audit_n);
	sqlite3_bind_blob(stmt, 4, end->head, HASH_SIZE, SQLITE_STATIC);
	bool read;
	enum err e = store_next(s, stmt, &read, p);
	bool other = read && sqlite3_column_int64(stmt, 0) > 0;
	sqlite3_finalize(stmt);
	return other ? rewritten(p) : e;
}

static const char *const kept_rows =
	"SELECT count(*) FROM base b LEFT JOIN staging t ON t.stream = b.stream AND t.id = b.id"
	" WHERE b.stream = ?1 AND b.kind = ?2"
	" AND (t.id IS NOT NULL OR ?3) AND (t.action IS NOT 1 OR t.lanes IS NOT b.lanes)"
	" AND EXISTS (SELECT 1 FROM head h WHERE h.stream = ?1 AND h.epoch = ?4)";

/* What the county has written once, never to be changed, must still be there as it was: in one database
 * nothing takes it away. Before the staged rows move. */
static enum err check_kept(struct store *s, int64_t stream, const struct staging_end *end, struct problem *p)
{
	enum err e = ERR_OK;
	bool row, gone = false;

	for (size_t i = 0; !e && i < kind_count; i++) {
		if (kind_table[i].owner != OWNER_COUNTY || !kind_table[i].append_only)
			continue;
		sqlite3_stmt *stmt = store_prepare(s, kept_rows, p);
		if (!stmt)
			return store_error(s, p);
		sqlite3_bind_int64(stmt, 1, stream);
		sqlite3_bind_int(stmt, 2, (int)kind_table[i].number);
		sqlite3_bind_int(stmt, 3, end->whole);
		sqlite3_bind_int64(stmt, 4, (int64_t)end->epoch);
		e = store_next(s, stmt, &row, p);
		gone |= !e && row && sqlite3_column_int64(stmt, 0) > 0;
		sqlite3_finalize(stmt);
	}
	return gone ? rewritten(p) : e;
}

/* Every head that was signed is kept: it proves any later rewrite of the trace. */
static enum err keep_head(struct store *s, int64_t stream, const struct staging_end *end, struct problem *p)
{
	sqlite3_stmt *stmt;

	if (!end->sig_len)
		return ERR_OK;
	enum err e = check_witness(s, stream, end, p);
	if (e)
		return e;
	stmt = store_prepare(s,
		"INSERT INTO head(stream, n, head, sig, at, epoch)"
		" VALUES(?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING",
		p);
	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	sqlite3_bind_int64(stmt, 2, (int64_t)end->audit_n);
	sqlite3_bind_blob(stmt, 3, end->head, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 4, end->sig, (int)end->sig_len, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, clock_now_us());
	sqlite3_bind_int64(stmt, 6, (int64_t)end->epoch);
	e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

/* The staged rows become the base: what a whole pull did not bring is gone, DEL and LEAVE take away. */
static enum err move_rows(struct store *s, int64_t stream, bool whole, struct problem *p)
{
	enum err e = whole ? run_on(s, "DELETE FROM base WHERE stream = ?", stream, p)
			   : run_on(s,
				     "DELETE"
				     " FROM base"
				     " WHERE stream = ?1"
				     " AND id IN (SELECT id FROM staging WHERE stream = ?1)",
				     stream, p);

	if (!e)
		e = run_on(s,
			"INSERT INTO base(stream, id, kind, ver, gver, owner, lanes, body)"
			" SELECT stream, id, kind, ver, gver, owner, lanes, body"
			" FROM staging"
			" WHERE stream = ? AND action = 1",
			stream, p);
	return e ? e : staging_begin(s, stream, p);
}

static enum err base_rows(struct store *s, int64_t stream, int64_t *n, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT count(*) FROM base WHERE stream = ?", p);
	bool row;

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int64(stmt, 1, stream);
	enum err e = store_next(s, stmt, &row, p);
	*n = row ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return e;
}

enum err staging_commit(struct store *s, int64_t stream, const struct staging_end *end, bool settle,
	bool *agreed, struct problem *p)
{
	uint32_t sum[LANES] = {0};
	int64_t before = 0, after = 0;
	enum err e = store_begin(s, p);

	if (!e)
		e = base_rows(s, stream, &before, p);
	fault_point(FAULT_JG_PULL_COMMIT_BEGUN);
	if (!e)
		e = check_kept(s, stream, end, p);
	if (!e)
		e = move_rows(s, stream, end->whole, p);
	fault_point(FAULT_JG_PULL_COMMIT_MOVED);
	if (!e)
		e = staging_digest(s, stream, false, sum, p);
	*agreed = !e && memcmp(sum, end->lanes, sizeof sum) == 0;
	if (!e)
		e = base_rows(s, stream, &after, p);
	if (!e && !*agreed && after < before - before / REMOVAL_PART) {
		store_rollback(s); /* an error is never read as a delete */
		return ERR_OK;
	}
	if (!e)
		e = write_stream(s, stream, end, *agreed, p);
	if (!e)
		e = keep_head(s, stream, end, p);
	if (!e && settle)
		e = outbox_settle(s, p);
	fault_point(FAULT_JG_PULL_COMMIT_WRITTEN);
	if (!e)
		return store_commit(s, p);
	store_rollback(s);
	return e;
}

enum err staging_reset(struct store *s, int64_t stream, struct problem *p)
{
	enum err e = store_begin(s, p);

	if (!e)
		e = staging_begin(s, stream, p);
	if (!e)
		e = run_on(s, "UPDATE stream SET cursor = 0, epoch = 0 WHERE stream = ?", stream, p);
	if (!e)
		return store_commit(s, p);
	store_rollback(s);
	return e;
}
