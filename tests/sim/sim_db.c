/* The statements that the server sends: each text is known by its beginning and pinned by its hash, so that
 * who changes one is told to look at the model's reading of it (sim_db_push.c, sim_db_record.c,
 * sim_db_pull.c). Those that record_db.c makes for each kind are held to the clauses that they must have. */
#include "sim_db.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters and results ---- */

struct elements elements_of(const struct cell *p)
{
	return p->len >= 20 ? (struct elements){p->data + 20, get_be32(p->data + 12)}
			    : (struct elements){NULL, 0};
}

bool take(struct elements *e, struct cell *out)
{
	if (!e->left)
		return false;
	uint32_t n = get_be32(e->at);
	e->left--;
	*out = (struct cell){e->at + 4, n == UINT32_MAX ? -1 : (int)n};
	e->at += 4 + (n == UINT32_MAX ? 0 : n);
	return true;
}

void columns_of(const struct cell *param, struct elements *e, int n)
{
	for (int i = 0; i < n; i++)
		e[i] = elements_of(&param[i]);
}

bool take_row(struct elements *e, struct cell *c, int n)
{
	uint32_t left = e[0].left;

	for (int i = 0; i < n; i++) {
		bool whole = e[i].left == left && (!take(&e[i], &c[i]) || c[i].len >= 0);
		demand(whole, "I13",
			"column %d of what is written would be NULL: it would be refused, and sent for ever",
			i + 1);
	}
	return left > 0;
}

int64_t number(struct cell c)
{
	if (c.len == 8)
		return (int64_t)get_be64(c.data);
	if (c.len == 4)
		return (int32_t)get_be32(c.data);
	if (c.len == 2)
		return (int16_t)get_be16(c.data);
	if (c.len == 1)
		return c.data[0];
	return 0;
}

bool cell_is(struct cell c, const void *data, size_t n)
{
	return c.len == (int)n && memcmp(c.data, data, n) == 0;
}

void text_of(struct cell c, char *to, size_t size)
{
	snprintf(to, size, "%.*s", c.len < 0 ? 0 : c.len, (const char *)c.data);
}

PGresult *rows_begin(const enum pg_type *types, int n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[KIND_FIELDS_MAX + 16];

	for (int i = 0; i < n; i++)
		columns[i] = (PGresAttDesc){.name = (char *)"", .format = 1, .typid = (Oid)types[i]};
	PQsetResultAttrs(r, n, columns);
	return r;
}

void put_cell(PGresult *r, int row, int column, struct cell c)
{
	PQsetvalue(r, row, column, (char *)(uintptr_t)c.data, c.len);
}

void put_bytes(PGresult *r, int row, int column, const void *data, size_t n)
{
	put_cell(r, row, column, (struct cell){data, (int)n});
}

void put_int4(PGresult *r, int row, int column, int64_t v)
{
	uint8_t b[4];

	put_be32(b, (uint32_t)v);
	put_bytes(r, row, column, b, 4);
}

void put_int8(PGresult *r, int row, int column, int64_t v)
{
	uint8_t b[8];

	put_be64(b, (uint64_t)v);
	put_bytes(r, row, column, b, 8);
}

void put_int2(PGresult *r, int row, int column, int v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	put_bytes(r, row, column, b, 2);
}

void put_bool(PGresult *r, int row, int column, bool v)
{
	uint8_t b = v;

	put_bytes(r, row, column, &b, 1);
}

void put_text(PGresult *r, int row, int column, const char *text)
{
	put_bytes(r, row, column, text, strlen(text));
}

/* ---- locks and unique indexes ---- */

enum verdict lock_row(struct call *call, struct db_row *r)
{
	struct txn *mine = call->b->txn;

	if (in_progress(r->locker) && r->locker != mine) {
		call->b->waits_on = r->locker;
		return BLOCKED;
	}
	if (r->newest && r->newest->by != mine && in_progress(r->newest->by)) {
		call->b->waits_on = r->newest->by;
		return BLOCKED;
	}
	r->locker = mine;
	return DONE;
}

enum verdict failed(struct call *call, const char *state)
{
	call->state = state;
	return FAILED;
}

enum verdict insert_row(struct call *call, unsigned table, const void *key, size_t n, void *data)
{
	struct db_row *r = row_get(table, key_of(table, key, n), true);

	if (r->newest && r->newest->by != call->b->txn && in_progress(r->newest->by)) {
		call->b->waits_on = r->newest->by;
		return BLOCKED;
	}
	if (row_read(r, call->b->txn, UINT64_MAX))
		return failed(call, "23505");
	row_write(r, call->b->txn, data);
	return DONE;
}

void *read_key(const struct call *call, unsigned table, const void *key, size_t n)
{
	return row_read(row_get(table, key_of(table, key, n), false), call->b->txn, snapshot(call));
}

/* ---- which text is which ---- */

static const struct statement statements[] = {
#include "sim_statements.def"
};

static const struct kind *kind_in(const char *sql)
{
	const struct kind *found = NULL;
	char pattern[64];

	for (size_t i = 0; i < kind_count; i++)
		for (size_t w = 0; w < 3; w++) {
			static const char *const words[] = {
				" FROM %s WHERE", "INSERT INTO %s (", "UPDATE %s t "};
			snprintf(pattern, sizeof pattern, words[w], kind_table[i].table);
			if (strstr(sql, pattern))
				found = &kind_table[i];
		}
	return found;
}

/* Calls of the functions that a declaration names: what they do is the service's (tests/service); the model
 * knows their signatures. */
static const struct {
	size_t function; /* where its name stands in a kind */
	const char *format;
	struct statement statement;
} calls[] = {
	{offsetof(struct kind, hold), "SELECT %s()", {.begins = "hold", .run = hold}},
	{offsetof(struct kind, guard),
		"SELECT ord, shared_with, code, field, message FROM %s($1::int[], $2::text[], $3::uuid[], "
		"$4::jsonb[])",
		{.begins = "guard", .run = guard}},
	{offsetof(struct kind, applied), "SELECT %s($1::text[], $2::uuid[])",
		{.begins = "applied", .run = applied, .writes = true}},
};

static const struct statement *call_in(const char *sql, const struct kind **kind)
{
	char text[200];

	for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
		for (size_t i = 0; i < kind_count; i++) {
			const char *function;
			memcpy(&function, (const char *)&kind_table[i] + calls[c].function, sizeof function);
			snprintf(text, sizeof text, calls[c].format, function);
			if (function[0] && strcmp(sql, text) == 0) {
				*kind = &kind_table[i];
				return &calls[c].statement;
			}
		}
	return NULL;
}

#define STATEMENTS_ROOM 4096
#define PARAMETERS_ROOM 128
static struct {
	const char *sql;
	const struct statement *statement;
	const struct kind *kind;
	unsigned params;                   /* that the text names */
	uint16_t element[PARAMETERS_ROOM]; /* of those that it calls an array, 0 of others */
} known[STATEMENTS_ROOM];

static size_t find_known(const char *sql)
{
	size_t i = ((uintptr_t)sql >> 4) % STATEMENTS_ROOM;

	while (known[i].sql && known[i].sql != sql)
		i = (i + 1) % STATEMENTS_ROOM;
	return i;
}

static void read_parameters(size_t at)
{
	static const struct {
		const char *name;
		enum pg_type type;
	} arrays[] = {{"::bigint[]", PG_INT8}, {"::int[]", PG_INT4}, {"::smallint[]", PG_INT2},
		{"::text[]", PG_TEXT}, {"::bytea[]", PG_BYTEA}, {"::uuid[]", PG_UUID},
		{"::jsonb[]", PG_JSONB}};

	for (const char *p = strchr(known[at].sql, '$'); p; p = strchr(p + 1, '$')) {
		char *end;
		unsigned n = (unsigned)strtoul(p + 1, &end, 10);
		if (n < 1 || n > PARAMETERS_ROOM)
			continue;
		known[at].params = n > known[at].params ? n : known[at].params;
		for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
			if (strncmp(end, arrays[i].name, strlen(arrays[i].name)) == 0)
				known[at].element[n - 1] = (uint16_t)arrays[i].type;
	}
}

void db_check_parameters(const char *sql, const struct cell *param, int n)
{
	size_t at = find_known(sql);

	if (!known[at].params)
		read_parameters(at);
	demand((unsigned)n == known[at].params, "I13", "PostgreSQL would refuse %d parameters for: %.100s", n,
		sql);
	for (int i = 0; i < n; i++)
		demand(!known[at].element[i] || param[i].len < 12 ||
				get_be32(param[i].data + 8) == known[at].element[i],
			"I13", "PostgreSQL would refuse the elements of $%d in: %.100s", i + 1, sql);
}

const struct statement *db_statement(const char *sql, const struct kind **kind)
{
	size_t at = find_known(sql);

	if (known[at].sql) {
		*kind = known[at].kind;
		return known[at].statement;
	}
	if ((known[at].statement = call_in(sql, kind)) != NULL) {
		known[at].sql = sql;
		known[at].kind = *kind;
		return known[at].statement;
	}
	uint64_t h = key_of(0, sql, strlen(sql));
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		const struct statement *s = &statements[i];
		if (strncmp(sql, s->begins, strlen(s->begins)) != 0 || (s->holds && !strstr(sql, s->holds)))
			continue;
		if (s->hash && s->hash != h)
			continue;
		known[at].sql = sql;
		known[at].statement = s;
		known[at].kind = *kind = s->hash ? NULL : kind_in(sql);
		return s;
	}
	sim_fail("model",
		"this statement is new or changed: look at the model's reading of it (sim_db_*.c), then give "
		"it the hash 0x%016llx in sim_statements.def: %.200s",
		(unsigned long long)h, sql);
}

enum verdict db_execute(struct call *call)
{
	struct backend *b = call->b;

	if (!b->txn) /* every statement of ours stands in a transaction */
		sim_fail("model", "a statement outside of a transaction");
	if (!b->snapshot)
		b->snapshot = b->replica ? replicated_vis() : db.vis;
	if (!b->snapshot)
		b->snapshot = 1;
	if (db.full && call->statement->writes) {
		if (!b->repeatable)
			b->snapshot = 0;
		sim_met("database's disk full");
		return failed(call, "53100");
	}
	size_t mark = b->txn->count;
	enum verdict v = call->statement->run(call);
	if (v != DONE) /* a statement is done wholly or not at all */
		undo_to(b->txn, mark);
	if (v == FAILED)
		sim_trace(call->statement->begins, (uint64_t)atoi(call->state),
			call->kind ? call->kind->number : 0);
	if (v == FAILED && call->rows) {
		PQclear(call->rows);
		call->rows = NULL;
	}
	if (v != BLOCKED && !b->repeatable)
		b->snapshot = 0;
	return v;
}
