#include "record_db.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lineage_db.h"
#include "tables.h"

#define HEADER_COLUMNS "rec_id, owner_school, other_school, ver, gver, deleted, ext"
#define HEADER_COUNT 7
#define WIDE_BYTES 4096 /* a page of rows of other kinds is at most some MiB */

static struct {
	struct db_stmt lock, holders, all, changes, insert, update, hold, guard, applied;
} statements[KIND_COUNT];

static const char *sql_type(const struct field *f)
{
	if (strcmp(f->check, "date") == 0)
		return "date";
	if (strcmp(f->check, "time") == 0)
		return "timestamptz";
	if (field_is_id(f))
		return "uuid";
	switch (f->type) {
	case FIELD_TEXT:
		return "text";
	case FIELD_BYTES:
		return "bytea";
	case FIELD_INT32:
		return "int";
	case FIELD_INT64:
		return "bigint";
	case FIELD_BOOL:
		return "boolean";
	}
	abort();
}

static enum pg_type array_element(const struct field *f)
{
	if (strcmp(f->check, "date") == 0)
		return PG_DATE;
	if (strcmp(f->check, "time") == 0)
		return PG_TIMESTAMPTZ;
	if (field_is_id(f))
		return PG_UUID;
	static const enum pg_type types[] = {[FIELD_TEXT] = PG_TEXT,
		[FIELD_BYTES] = PG_BYTEA,
		[FIELD_INT32] = PG_INT4,
		[FIELD_INT64] = PG_INT8,
		[FIELD_BOOL] = PG_BOOL};
	return types[f->type];
}

static void add_columns(struct buf *b, const struct kind *kind, const char *prefix)
{
	for (size_t i = 0; i < kind->field_count; i++)
		buf_printf(b, ", %s%s", prefix, kind->fields[i].name);
}

static bool has_length(const struct field *f)
{
	return (f->type == FIELD_TEXT || f->type == FIELD_BYTES) && !field_is_id(f);
}

/* The longest body of a kind is so long that a page of rows could be far more than a page of bytes. */
static bool is_wide(const struct kind *kind)
{
	size_t most = 0;

	for (size_t i = 0; i < kind->field_count; i++)
		if (has_length(&kind->fields[i]))
			most += kind->fields[i].max_bytes;
	return most > WIDE_BYTES;
}

/* For the format: 1 the columns, 2 the table, 3 the number, 4 the bytes of row t, for which no long text is
 * read, 5 those of a page. */
static const char *read_sql(const struct kind *kind, const char *format)
{
	struct buf columns = {0}, bytes = {0}, sql = {0};

	buf_text(&columns, HEADER_COLUMNS);
	add_columns(&columns, kind, "");
	buf_u8(&columns, 0);
	buf_text(&bytes, "coalesce(octet_length(t.ext), 0)");
	for (size_t i = 0; i < kind->field_count; i++)
		if (has_length(&kind->fields[i]))
			buf_printf(&bytes, " + coalesce(octet_length(t.%s), 0)", kind->fields[i].name);
	buf_u8(&bytes, 0);
	if (columns.failed || bytes.failed)
		abort(); /* at start, before anything is served */
	buf_printf(&sql, format, (const char *)columns.data, kind->table, kind->number,
		(const char *)bytes.data, PULL_PAGE_BYTES);
	buf_free(&columns);
	buf_free(&bytes);
	return buf_keep(&sql);
}

/* What a page of the feed says of a kind. */
#define CHANGES                                                                                              \
	"(SELECT seq, rec_id AS id FROM feed"                                                                \
	" WHERE county = app_county() AND stream_id = $1::bigint AND seq > $2::bigint"                       \
	" AND seq <= $3::bigint AND kind = %3$u AND action = 1"                                              \
	" ORDER BY seq) f,"                                                                                  \
	" LATERAL (SELECT * FROM %2$s WHERE county = app_county() AND rec_id = f.id) t"

/* unnest($1::uuid[], …) AS d(rec_id, …): the same columns for insert and update. */
static void add_unnest(struct buf *b, const struct kind *kind)
{
	buf_text(b,
		"unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[], "
		"$7::bytea[], $8::text[]");
	for (size_t i = 0; i < kind->field_count; i++)
		buf_printf(b, ", $%zu::%s[]", i + 9, sql_type(&kind->fields[i]));
	buf_text(b, ") AS d(rec_id, owner_school, other_school, ver, gver, deleted, ext, nkey");
	add_columns(b, kind, "");
	buf_text(b, ")");
}

static const char *insert_sql(const struct kind *kind)
{
	struct buf b = {0};

	buf_printf(&b, "INSERT INTO %s (county, " HEADER_COLUMNS ", nkey", kind->table);
	add_columns(&b, kind, "");
	buf_text(&b,
		") SELECT app_county(), d.rec_id, d.owner_school, d.other_school, d.ver,"
		" d.gver::int[], d.deleted, d.ext, d.nkey");
	add_columns(&b, kind, "d.");
	buf_text(&b, " FROM ");
	add_unnest(&b, kind);
	/* No ON CONFLICT: the plan knows what stands, so a violation means that somebody else was first, and
	 * ends the transaction to be decided again. Speculative insertion would cost a third of the push. */
	return buf_keep(&b);
}

static const char *update_sql(const struct kind *kind)
{
	struct buf b = {0};

	buf_printf(&b,
		"WITH w AS (UPDATE %s t"
		" SET other_school = d.other_school, ver = d.ver, gver = d.gver::int[], deleted = d.deleted,"
		" ext = d.ext, nkey = d.nkey",
		kind->table);
	for (size_t i = 0; i < kind->field_count; i++)
		buf_printf(&b, ", %s = d.%s", kind->fields[i].name, kind->fields[i].name);
	buf_text(&b, " FROM ");
	add_unnest(&b, kind);
	buf_text(&b,
		" WHERE t.county = app_county() AND t.rec_id = d.rec_id RETURNING 1)"
		" SELECT assert_rows(count(*), cardinality($1::uuid[]))"
		" FROM w");
	return buf_keep(&b);
}

static const char *call_sql(const char *format, const char *function)
{
	struct buf b = {0};

	if (!function[0])
		return NULL;
	buf_printf(&b, format, function);
	return buf_keep(&b);
}

static size_t slot(const struct kind *kind)
{
	return (size_t)(kind - kind_table);
}

void record_db_init(void)
{
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *kind = &kind_table[i];
		/* unnest and LATERAL, never `= ANY`: on a never-analysed table that one is quadratic
		 * (sync.md). FOR UPDATE and LIMIT keep the planner from flattening the lookup into a join,
		 * which it would do by a scan. */
		statements[i].lock.sql = read_sql(kind,
			"SELECT %1$s FROM unnest($1::uuid[]) i(id), LATERAL (SELECT * FROM %2$s"
			" WHERE county = app_county() AND rec_id = i.id FOR UPDATE) t");
		statements[i].holders.sql = read_sql(kind,
			"SELECT k.key, k.owner, t.rec_id"
			" FROM unnest($1::text[], $2::text[]) k(key, owner),"
			" LATERAL (SELECT rec_id FROM %2$s"
			" WHERE county = app_county() AND owner_school = k.owner"
			" AND nkey = k.key AND NOT deleted"
			" LIMIT 1) t");
		statements[i].all.sql =
			read_sql(kind, "SELECT %1$s FROM %2$s WHERE county = app_county() AND NOT deleted");
		statements[i].changes.sql = read_sql(kind,
			is_wide(kind) ? "SELECT f.seq, %1$s"
					" FROM (SELECT f.seq, t.*,"
					" sum(%4$s) OVER (ORDER BY f.seq"
					" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before"
					" FROM " CHANGES ") f WHERE coalesce(f.bytes_before, 0) < %5$u"
				      : "SELECT f.seq, %1$s FROM " CHANGES);
		statements[i].hold.sql = call_sql("SELECT %s()", kind->hold);
		statements[i].guard.sql = call_sql("SELECT ord, shared_with, code, field, message"
						   " FROM %s($1::int[], $2::text[], $3::uuid[], $4::jsonb[])",
			kind->guard);
		statements[i].applied.sql = call_sql("SELECT %s($1::text[], $2::uuid[])", kind->applied);
		statements[i].insert.sql = insert_sql(kind);
		statements[i].update.sql = update_sql(kind);
	}
	lineage_db_init();
}

void record_db_lock(struct db_task *task, const struct kind *kind, struct pg_array *ids)
{
	struct db_params p = {0};

	db_array(&p, ids);
	db_task_query(task, &statements[slot(kind)].lock, &p);
}

void record_db_holders(
	struct db_task *task, const struct kind *kind, struct pg_array *keys, struct pg_array *owners)
{
	struct db_params p = {0};

	db_array(&p, keys);
	db_array(&p, owners);
	db_task_query(task, &statements[slot(kind)].holders, &p);
}

void record_db_hold(struct db_task *task, const struct kind *kind)
{
	db_task_query(task, &statements[slot(kind)].hold, NULL);
}

void record_db_guard(struct db_task *task, const struct kind *kind, struct pg_array columns[4])
{
	struct db_params p = {0};

	for (size_t i = 0; i < 4; i++)
		db_array(&p, &columns[i]);
	db_task_query(task, &statements[slot(kind)].guard, &p);
}

void record_db_applied(
	struct db_task *task, const struct kind *kind, struct pg_array *schools, struct pg_array *ids)
{
	struct db_params p = {0};

	db_array(&p, schools);
	db_array(&p, ids);
	db_task_query(task, &statements[slot(kind)].applied, &p);
}

void record_db_all(struct db_task *task, const struct kind *kind)
{
	db_task_query(task, &statements[slot(kind)].all, NULL);
}

void record_db_changes(
	struct db_task *task, const struct kind *kind, int64_t stream, uint64_t after, uint64_t upto)
{
	struct db_params p = {0};

	db_int8(&p, stream);
	db_int8(&p, (int64_t)after);
	db_int8(&p, (int64_t)upto);
	db_task_query(task, &statements[slot(kind)].changes, &p);
}

static void read_field(const PGresult *r, int i, int column, struct record *out, size_t field)
{
	const struct field *f = &out->kind->fields[field];
	size_t n;

	if (db_is_null(r, i, column))
		return;
	if (f->type == FIELD_TEXT || f->type == FIELD_BYTES) {
		const uint8_t *data = db_get_bytes(r, i, column, &n);
		record_set_bytes(out, (int)field, data, n);
	} else {
		record_set_number(out, (int)field, db_get_int(r, i, column));
	}
}

static void read_row(const PGresult *r, int i, int column, const struct kind *kind, struct stored *out)
{
	int32_t gver[KIND_GROUPS_MAX];
	size_t n;

	memset(out, 0, offsetof(struct stored, state));
	memcpy(out->id, db_get_bytes(r, i, column, &n), 16);
	out->kind = kind;
	snprintf(out->owner, sizeof out->owner, "%s", db_get_text(r, i, column + 1));
	snprintf(out->other, sizeof out->other, "%s", db_get_text(r, i, column + 2));
	struct merge_state *s = &out->state;
	s->exists = true;
	s->ver = db_get_int(r, i, column + 3);
	memset(s->gver, 0, sizeof s->gver);
	int groups = db_get_ints(r, i, column + 4, gver, KIND_GROUPS_MAX);
	for (int g = 0; g < groups && g < KIND_GROUPS_MAX; g++)
		s->gver[g] = (uint32_t)gver[g];
	s->deleted = db_get_int(r, i, column + 5);
	record_init(&s->record, kind);
	s->record.ext = db_get_bytes(r, i, column + 6, &s->record.ext_len);
	for (size_t f = 0; f < kind->field_count; f++)
		read_field(r, i, column + HEADER_COUNT + (int)f, &s->record, f);
}

void record_db_read(const PGresult *r, int i, const struct kind *kind, struct stored *out)
{
	read_row(r, i, 0, kind, out);
}

void record_db_read_change(
	const PGresult *r, int i, const struct kind *kind, uint64_t *seq, struct stored *out)
{
	*seq = (uint64_t)db_get_int(r, i, 0);
	read_row(r, i, 1, kind, out);
}

/* ---- writing ---- */

static const enum pg_type header_types[8] = {
	PG_UUID, PG_TEXT, PG_TEXT, PG_INT8, PG_TEXT, PG_BOOL, PG_BYTEA, PG_TEXT};

void record_write_begin(struct record_write *w, const struct kind *kind, bool insert)
{
	memset(w, 0, sizeof *w);
	w->kind = kind;
	w->insert = insert;
	for (size_t i = 0; i < 8; i++)
		pg_array_begin(&w->header[i], header_types[i]);
	for (size_t i = 0; i < kind->field_count; i++)
		pg_array_begin(&w->column[i], array_element(&kind->fields[i]));
}

static void add_optional_text(struct pg_array *a, const char *text)
{
	if (text && text[0])
		pg_array_text(a, text);
	else
		pg_array_null(a);
}

static void add_field(struct pg_array *a, const struct record *r, size_t i)
{
	const struct field *f = &r->kind->fields[i];
	const struct value *v = &r->value[i];

	if (!record_has(r, (int)i)) {
		pg_array_null(a);
		return;
	}
	switch (array_element(f)) {
	case PG_TEXT:
	case PG_BYTEA:
	case PG_UUID:
		pg_array_bytes(a, v->data, v->len);
		break;
	case PG_DATE:
		pg_array_date(a, (int32_t)v->number);
		break;
	case PG_TIMESTAMPTZ:
		pg_array_time(a, v->number);
		break;
	case PG_INT4:
		pg_array_int4(a, (int32_t)v->number);
		break;
	case PG_INT8:
		pg_array_int8(a, v->number);
		break;
	default:
		pg_array_bool(a, v->number != 0);
	}
}

void record_write_add(struct record_write *w, const struct stored *row, const char *key)
{
	const struct merge_state *s = &row->state;
	char gver[KIND_GROUPS_MAX * 12], *to = gver;

	/* An array of arrays cannot be unnested by rows: the versions travel as text and are cast. */
	for (unsigned g = 0; g < w->kind->group_count; g++)
		to += snprintf(to, 12, "%c%u", g ? ',' : '{', s->gver[g]);
	snprintf(to, 2, "}");
	pg_array_bytes(&w->header[0], row->id, 16);
	pg_array_text(&w->header[1], row->owner);
	add_optional_text(&w->header[2], row->other);
	pg_array_int8(&w->header[3], s->ver);
	pg_array_text(&w->header[4], gver);
	pg_array_bool(&w->header[5], s->deleted);
	if (s->record.ext_len)
		pg_array_bytes(&w->header[6], s->record.ext, s->record.ext_len);
	else
		pg_array_null(&w->header[6]);
	add_optional_text(&w->header[7], key);
	for (size_t i = 0; i < w->kind->field_count; i++)
		add_field(&w->column[i], &s->record, i);
	w->count++;
}

const PGresult *record_db_locked_rows(const struct db_task *task, const struct kind *kind)
{
	return db_task_result(task, &statements[slot(kind)].lock);
}

const PGresult *record_db_all_rows(const struct db_task *task, const struct kind *kind)
{
	return db_task_result(task, &statements[slot(kind)].all);
}

const PGresult *record_db_changed_rows(const struct db_task *task, const struct kind *kind)
{
	return db_task_result(task, &statements[slot(kind)].changes);
}

void record_write_send(struct record_write *w, struct db_task *task)
{
	struct db_params p = {0};

	for (size_t i = 0; i < 8; i++)
		db_array(&p, &w->header[i]);
	for (size_t i = 0; i < w->kind->field_count; i++)
		db_array(&p, &w->column[i]);
	db_task_query(
		task, w->insert ? &statements[slot(w->kind)].insert : &statements[slot(w->kind)].update, &p);
	for (size_t i = 0; i < 8; i++)
		pg_array_free(&w->header[i]);
	for (size_t i = 0; i < w->kind->field_count; i++)
		pg_array_free(&w->column[i]);
}
