#include "effects.h"

#include <stdlib.h>
#include <string.h>

#include "tables.h"

/* A record as one stream carries it. */
struct stream_copy {
	int64_t stream;
	uint8_t hash[HASH_SIZE];
};

struct stream_change {
	int64_t stream;
	uint32_t lanes[LANES]; /* to be added modulo 2^32 */
	int64_t count;
	struct buf parts; /* trace */
	size_t count_at;  /* where this part's entry count stands in `parts` */
	uint32_t part_count;
	size_t part; /* which part wrote last; SIZE_MAX = none yet */
};

struct feed_row {
	int64_t stream, i, ver;
	uint8_t id[ID_SIZE];
	int16_t kind, action;
	bool fresh;   /* no row of this record stands in any feed: a plain insert will do */
	bool dropped; /* a later effect on the same record took its place */
};

/* The columns of the two statements, in their order. */
enum history_column {
	HISTORY_ID,
	HISTORY_VER,
	HISTORY_KIND,
	HISTORY_OWNER,
	HISTORY_GROUPS,
	HISTORY_OLD,
	HISTORY_AUTHOR,
	HISTORY_DEVICE,
	HISTORY_INCARNATION,
	HISTORY_OP,
	HISTORY_COLUMNS
};
enum conflict_column {
	CONFLICT_ID,
	CONFLICT_DEVICE,
	CONFLICT_INCARNATION,
	CONFLICT_OP,
	CONFLICT_KIND,
	CONFLICT_OWNER,
	CONFLICT_GROUP,
	CONFLICT_VER,
	CONFLICT_MINE,
	CONFLICT_AUTHOR,
	CONFLICT_COLUMNS
};
static const enum pg_type history_types[HISTORY_COLUMNS] = {
	PG_UUID, PG_INT8, PG_INT2, PG_TEXT, PG_INT4, PG_BYTEA, PG_TEXT, PG_UUID, PG_INT4, PG_INT8};
static const enum pg_type conflict_types[CONFLICT_COLUMNS] = {
	PG_UUID, PG_UUID, PG_INT4, PG_INT8, PG_INT2, PG_TEXT, PG_INT4, PG_INT8, PG_BYTEA, PG_TEXT};

struct collector {
	int county;
	struct stream_change *streams;
	size_t count;
	struct buf feed; /* of struct feed_row */
	struct pg_array history[HISTORY_COLUMNS], conflict[CONFLICT_COLUMNS];
	struct record_write writes[2 * KIND_COUNT]; /* of each kind inserts and updates */
	size_t write_count;
	struct buf scratch;
	bool failed;
};

int64_t stream_of(int county, const char *school)
{
	return school[0] ? strtoll(school, NULL, 10) : county;
}

static bool is_hidden(const struct stored *row)
{
	const struct kind *kind = row->kind;

	return kind->hidden_field >= 0 &&
		record_is(&row->state.record, kind->hidden_field, kind->hidden_value);
}

/* Which streams carry the record, and its hash in each: the owner's whole, the other school's by
 * projection. */
static size_t copies_of(struct collector *c, const struct stored *row, struct stream_copy out[2])
{
	size_t n = 0;

	if (!row->state.exists || row->state.deleted || is_hidden(row))
		return 0;
	c->scratch.len = 0;
	record_encode(&row->state.record, &c->scratch);
	out[n].stream = stream_of(c->county, row->owner);
	hash_record(out[n++].hash, c->scratch.data, c->scratch.len);
	if (row->other[0] && strcmp(row->other, row->owner) != 0) {
		c->scratch.len = 0;
		record_encode_other(&row->state.record, &c->scratch);
		out[n].stream = stream_of(c->county, row->other);
		hash_record(out[n++].hash, c->scratch.data, c->scratch.len);
	}
	return n;
}

static struct stream_change *stream_get(struct collector *c, int64_t stream)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->streams[i].stream == stream)
			return &c->streams[i];
	if (c->count == EFFECT_STREAMS_MAX) {
		c->failed = true;
		return NULL;
	}
	struct stream_change *s = &c->streams[c->count++];
	memset(s, 0, sizeof *s);
	s->stream = stream;
	s->part = SIZE_MAX;
	return s;
}

static void close_part(struct stream_change *s)
{
	if (s->part != SIZE_MAX && !s->parts.failed)
		put_be32(s->parts.data + s->count_at, s->part_count);
}

/* The feed has one row per record and stream: the newest. */
static void drop_earlier(struct collector *c, const struct feed_row *row)
{
	struct feed_row *rows = (struct feed_row *)(void *)c->feed.data;

	for (size_t i = c->feed.len / sizeof *rows; i-- > 0;)
		if (rows[i].stream == row->stream && memcmp(rows[i].id, row->id, ID_SIZE) == 0)
			rows[i].dropped = true;
}

/* One row of a feed and one entry of the trace. */
static void add_entry(struct collector *c, const struct effects_part *part, size_t part_no,
	const struct effect *e, int64_t stream, uint8_t action, const uint8_t hash[HASH_SIZE])
{
	struct stream_change *s = stream_get(c, stream);
	uint8_t entry[AUDIT_ENTRY_SIZE];

	if (!s)
		return;
	if (s->part != part_no) {
		close_part(s);
		s->part = part_no;
		s->part_count = 0;
		audit_part(&s->parts, part->author, part->device, part->first_op, part->last_op, 0);
		s->count_at = s->parts.len - 4;
	}
	audit_entry(entry, e->after.id, (uint64_t)e->after.state.ver, e->after.kind->number, action,
		(uint8_t)e->changed, hash);
	buf_add(&s->parts, entry, sizeof entry);
	s->part_count++;
	s->count++;
	struct feed_row row = {.stream = stream,
		.i = s->count,
		.ver = e->after.state.ver,
		.kind = (int16_t)e->after.kind->number,
		.action = action,
		.fresh = e->fresh && !e->repeat};
	memcpy(row.id, e->after.id, ID_SIZE);
	if (e->repeat)
		drop_earlier(c, &row);
	buf_add(&c->feed, &row, sizeof row);
}

static void lanes_of(uint32_t lanes[LANES], const struct stored *row, const struct stream_copy *copy)
{
	hash_lanes(lanes, row->id, (uint64_t)row->state.ver, row->kind->number, copy->hash);
}

static void add_streams(
	struct collector *c, const struct effects_part *part, size_t part_no, const struct effect *e)
{
	static const uint8_t no_hash[HASH_SIZE];
	struct stream_copy before[2], after[2];
	uint32_t lanes[LANES];
	size_t old = copies_of(c, &e->before, before), now = copies_of(c, &e->after, after);
	enum { PUT = 1, DEL = 2, LEAVE = 3 };

	for (size_t i = 0; i < now; i++) {
		add_entry(c, part, part_no, e, after[i].stream, PUT, after[i].hash);
		struct stream_change *s = stream_get(c, after[i].stream);
		lanes_of(lanes, &e->after, &after[i]);
		if (s)
			lanes_add(s->lanes, lanes);
	}
	for (size_t i = 0; i < old; i++) {
		bool stays = false;
		for (size_t k = 0; k < now; k++)
			stays |= after[k].stream == before[i].stream;
		if (!stays)
			add_entry(c, part, part_no, e, before[i].stream, e->after.state.deleted ? DEL : LEAVE,
				no_hash);
		struct stream_change *s = stream_get(c, before[i].stream);
		lanes_of(lanes, &e->before, &before[i]);
		if (s)
			lanes_sub(s->lanes, lanes);
	}
}

static void add_history(struct collector *c, const struct effects_part *part, const struct effect *e)
{
	if (!e->before.state.exists)
		return;
	c->scratch.len = 0;
	record_encode(&e->before.state.record, &c->scratch);
	pg_array_bytes(&c->history[HISTORY_ID], e->after.id, ID_SIZE);
	pg_array_int8(&c->history[HISTORY_VER], e->after.state.ver);
	pg_array_int2(&c->history[HISTORY_KIND], (int16_t)e->after.kind->number);
	pg_array_text(&c->history[HISTORY_OWNER], e->after.owner);
	pg_array_int4(&c->history[HISTORY_GROUPS], (int32_t)(e->changed & 0xFF));
	pg_array_bytes(&c->history[HISTORY_OLD], c->scratch.data, c->scratch.len);
	pg_array_text(&c->history[HISTORY_AUTHOR], part->author);
	pg_array_bytes(&c->history[HISTORY_DEVICE], part->device, ID_SIZE);
	pg_array_int4(&c->history[HISTORY_INCARNATION], (int32_t)part->incarnation);
	pg_array_int8(&c->history[HISTORY_OP], (int64_t)e->op_no);
}

static void add_conflict(struct collector *c, const struct effects_part *part, const struct effect *e)
{
	c->scratch.len = 0;
	record_encode(&e->after.state.record, &c->scratch);
	pg_array_bytes(&c->conflict[CONFLICT_ID], e->after.id, ID_SIZE);
	pg_array_bytes(&c->conflict[CONFLICT_DEVICE], part->device, ID_SIZE);
	pg_array_int4(&c->conflict[CONFLICT_INCARNATION], (int32_t)part->incarnation);
	pg_array_int8(&c->conflict[CONFLICT_OP], (int64_t)e->op_no);
	pg_array_int2(&c->conflict[CONFLICT_KIND], (int16_t)e->after.kind->number);
	pg_array_text(&c->conflict[CONFLICT_OWNER], e->after.owner);
	pg_array_int4(&c->conflict[CONFLICT_GROUP], (int32_t)e->conflict_group);
	pg_array_int8(&c->conflict[CONFLICT_VER], e->conflict_ver);
	pg_array_bytes(&c->conflict[CONFLICT_MINE], c->scratch.data, c->scratch.len);
	pg_array_text(&c->conflict[CONFLICT_AUTHOR], part->author);
}

static struct record_write *write_for(struct collector *c, const struct kind *kind, bool insert)
{
	for (size_t i = 0; i < c->write_count; i++)
		if (c->writes[i].kind == kind && c->writes[i].insert == insert)
			return &c->writes[i];
	record_write_begin(&c->writes[c->write_count], kind, insert);
	return &c->writes[c->write_count++];
}

static void add_write(struct collector *c, const struct effect *e)
{
	struct arena arena;

	arena_init(&arena, 65536);
	char *key = record_key(&e->after.state.record, &arena);
	if (!key)
		c->failed = true;
	else
		record_write_add(write_for(c, e->after.kind, e->fresh), &e->after, key);
	arena_free(&arena);
}

/* ---- sending ---- */

static const struct db_stmt insert_history = {
	"INSERT INTO rec_history (county, rec_id, ver, kind, owner_school, groups, old, author,"
	" device_id, incarnation, op_no, at)"
	" SELECT app_county(), d.*, jg_now()"
	" FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::text[], $5::int[], $6::bytea[],"
	" $7::text[], $8::uuid[], $9::int[], $10::bigint[]) d"};
static const struct db_stmt insert_conflicts = {
	"INSERT INTO conflict (county, rec_id, device_id, incarnation, op_no, kind, owner_school,"
	" group_no, ver, mine, author, at)"
	" SELECT app_county(), d.*, jg_now()"
	" FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::smallint[], $6::text[],"
	" $7::int[], $8::bigint[], $9::bytea[], $10::text[]) d"};
static const struct db_stmt lock_streams = {"SELECT stream_id"
					    " FROM stream"
					    " WHERE county = app_county()"
					    " AND stream_id = ANY ($1::bigint[])"
					    " ORDER BY stream_id"
					    " FOR UPDATE"};
/* Whatever depends on the stream's row is computed inside its UPDATE, so that no value can be read, become
 * old and be written back. */
static const struct db_stmt apply_streams = {
	"WITH d AS (SELECT *"
	" FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],"
	" $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[],"
	" $12::bytea[]) AS d(stream_id, n, l1, l2, l3, l4, l5, l6, l7, l8, parts, root)),"
	" u AS (UPDATE stream s"
	" SET seq = s.seq + d.n, audit_n = s.audit_n + 1,"
	" audit_head = sha256('\\x6a67206175646974'::bytea || s.audit_head || int8send(s.audit_n + 1) ||"
	" d.root),"
	" lanes = ARRAY[(s.lanes[1] + d.l1) & 4294967295, (s.lanes[2] + d.l2) & 4294967295,"
	" (s.lanes[3] + d.l3) & 4294967295, (s.lanes[4] + d.l4) & 4294967295,"
	" (s.lanes[5] + d.l5) & 4294967295, (s.lanes[6] + d.l6) & 4294967295,"
	" (s.lanes[7] + d.l7) & 4294967295, (s.lanes[8] + d.l8) & 4294967295]"
	" FROM d WHERE s.county = app_county() AND s.stream_id = d.stream_id"
	" RETURNING s.stream_id, s.seq - d.n AS base, s.audit_n, s.audit_head, d.parts, d.root),"
	" a AS (INSERT INTO audit_link (county, stream_id, n, at, parts, root, head)"
	" SELECT app_county(), stream_id, audit_n, jg_now(), parts, root, audit_head FROM u),"
	" f AS (INSERT INTO feed (county, stream_id, rec_id, seq, ver, kind, action)"
	" SELECT app_county(), r.stream_id, r.rec_id, u.base + r.i, r.ver, r.kind, r.action"
	" FROM unnest($13::bigint[], $14::uuid[], $15::bigint[], $16::bigint[], $17::smallint[],"
	" $18::smallint[]) AS r(stream_id, rec_id, i, ver, kind, action)"
	" JOIN u USING (stream_id)),"
	/* What a feed has already moves to its end. The streams' scope shows these rows, so that the conflict
	   is ours to settle. */
	" g AS (INSERT INTO feed (county, stream_id, rec_id, seq, ver, kind, action)"
	" SELECT app_county(), r.stream_id, r.rec_id, u.base + r.i, r.ver, r.kind, r.action"
	" FROM unnest($19::bigint[], $20::uuid[], $21::bigint[], $22::bigint[], $23::smallint[],"
	" $24::smallint[]) AS r(stream_id, rec_id, i, ver, kind, action)"
	" JOIN u USING (stream_id)"
	" ON CONFLICT (county, stream_id, rec_id) DO UPDATE SET seq = excluded.seq, ver = excluded.ver,"
	" kind = excluded.kind, action = excluded.action)"
	" SELECT assert_rows((SELECT count(*) FROM u), cardinality($1::bigint[]))"};

static void begin_arrays(struct collector *c)
{
	for (size_t i = 0; i < HISTORY_COLUMNS; i++)
		pg_array_begin(&c->history[i], history_types[i]);
	for (size_t i = 0; i < CONFLICT_COLUMNS; i++)
		pg_array_begin(&c->conflict[i], conflict_types[i]);
}

static void send_arrays(struct db_task *task, const struct db_stmt *stmt, struct pg_array *column, size_t n)
{
	struct db_params p = {0};

	if (column->count)
		for (size_t i = 0; i < n; i++)
			db_array(&p, &column[i]);
	if (column->count)
		db_task_query(task, stmt, &p);
	for (size_t i = 0; i < n; i++)
		pg_array_free(&column[i]);
}

/* SET LOCAL takes no parameters; stream numbers are ours, not the peer's. */
static void send_scope(struct db_task *task, const struct collector *c)
{
	struct buf sql = {0};

	buf_text(&sql, "SET LOCAL app.streams = '");
	for (size_t i = 0; i < c->count; i++)
		buf_printf(&sql, "%s%lld", i ? "," : "", (long long)c->streams[i].stream);
	buf_text(&sql, "'");
	buf_u8(&sql, 0);
	if (!sql.failed)
		db_task_command(task, (const char *)sql.data);
	buf_free(&sql);
}

static void fill_feed(const struct collector *c, bool fresh, struct pg_array a[6])
{
	static const enum pg_type types[6] = {PG_INT8, PG_UUID, PG_INT8, PG_INT8, PG_INT2, PG_INT2};
	const struct feed_row *rows = (const struct feed_row *)(const void *)c->feed.data;

	for (size_t i = 0; i < 6; i++)
		pg_array_begin(&a[i], types[i]);
	for (size_t i = 0; i < c->feed.len / sizeof *rows; i++) {
		if (rows[i].dropped || rows[i].fresh != fresh)
			continue;
		pg_array_int8(&a[0], rows[i].stream);
		pg_array_bytes(&a[1], rows[i].id, ID_SIZE);
		pg_array_int8(&a[2], rows[i].i);
		pg_array_int8(&a[3], rows[i].ver);
		pg_array_int2(&a[4], rows[i].kind);
		pg_array_int2(&a[5], rows[i].action);
	}
}

static void send_streams(struct db_task *task, struct collector *c)
{
	struct pg_array ids = {0}, a[12] = {0}, fresh[6] = {0}, moved[6] = {0};
	struct db_params lock = {0}, p = {0};
	uint8_t root[HASH_SIZE];

	pg_array_begin(&ids, PG_INT8);
	for (size_t i = 0; i < 12; i++)
		pg_array_begin(&a[i], i < 10 ? PG_INT8 : PG_BYTEA);
	for (size_t i = 0; i < c->count; i++) {
		struct stream_change *s = &c->streams[i];
		close_part(s);
		audit_root(root, s->parts.data, s->parts.len);
		pg_array_int8(&ids, s->stream);
		pg_array_int8(&a[0], s->stream);
		pg_array_int8(&a[1], s->count);
		for (size_t l = 0; l < LANES; l++)
			pg_array_int8(&a[2 + l], s->lanes[l]);
		pg_array_bytes(&a[10], s->parts.data, s->parts.len);
		pg_array_bytes(&a[11], root, sizeof root);
	}
	db_array(&lock, &ids);
	db_task_query(task, &lock_streams, &lock);
	for (size_t i = 0; i < 12; i++)
		db_array(&p, &a[i]);
	fill_feed(c, true, fresh);
	fill_feed(c, false, moved);
	for (size_t i = 0; i < 6; i++)
		db_array(&p, &fresh[i]);
	for (size_t i = 0; i < 6; i++)
		db_array(&p, &moved[i]);
	db_task_query(task, &apply_streams, &p);
	pg_array_free(&ids);
	for (size_t i = 0; i < 12; i++)
		pg_array_free(&a[i]);
	for (size_t i = 0; i < 6; i++) {
		pg_array_free(&fresh[i]);
		pg_array_free(&moved[i]);
	}
}

static void collect(struct collector *c, const struct effects_part *parts, size_t count)
{
	for (size_t p = 0; p < count; p++)
		for (size_t i = 0; i < parts[p].count; i++) {
			const struct effect *e = &parts[p].effect[i];
			if (e->conflict_ver) {
				add_conflict(c, &parts[p], e);
				continue;
			}
			add_streams(c, &parts[p], p, e);
			add_history(c, &parts[p], e);
			if (e->last)
				add_write(c, e);
		}
}

static bool out_of_memory(const struct collector *c)
{
	bool failed = c->failed || c->scratch.failed || c->feed.failed;

	for (size_t i = 0; i < c->count; i++)
		failed |= c->streams[i].parts.failed;
	for (size_t i = 0; i < c->write_count; i++)
		for (size_t k = 0; k < KIND_FIELDS_MAX; k++)
			failed |= c->writes[i].column[k].bytes.failed;
	return failed;
}

/* Inserts and updates by kind number: the lock order of the house. */
static int by_kind(const void *a, const void *b)
{
	const struct record_write *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind->number - (int)y->kind->number
				  : (int)x->insert - (int)y->insert;
}

static void send_writes(struct db_task *task, struct collector *c)
{
	qsort(c->writes, c->write_count, sizeof *c->writes, by_kind);
	for (size_t i = 0; i < c->write_count; i++)
		record_write_send(&c->writes[i], task);
	c->write_count = 0; /* sent and freed */
}

static void collector_free(struct collector *c)
{
	for (size_t i = 0; i < c->count; i++)
		buf_free(&c->streams[i].parts);
	free(c->streams);
	buf_free(&c->feed);
	buf_free(&c->scratch);
	free(c);
}

enum err effects_send(struct db_task *task, int county, const struct effects_part *parts, size_t count)
{
	struct collector *c = calloc(1, sizeof *c);

	if (!c || !(c->streams = malloc(EFFECT_STREAMS_MAX * sizeof *c->streams))) {
		free(c);
		return ERR_NOMEM;
	}
	c->county = county;
	begin_arrays(c);
	collect(c, parts, count);
	if (out_of_memory(c)) {
		collector_free(c);
		return ERR_NOMEM;
	}
	send_scope(task, c);
	send_writes(task, c);
	send_arrays(task, &insert_history, c->history, HISTORY_COLUMNS);
	send_arrays(task, &insert_conflicts, c->conflict, CONFLICT_COLUMNS);
	if (c->count)
		send_streams(task, c);
	collector_free(c);
	return ERR_OK;
}
