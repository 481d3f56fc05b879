/* libpq as server/db_*.c use it, with a backend behind each connection: commands of a pipeline run one after
 * another with other backends' in between, wait for locks, fail, and answer at Sync. The functions have
 * libpq's names: the linker takes these before the library's; results are libpq's own (PQmakeEmptyPGresult,
 * PQsetvalue). */
#include "sim_pg.h"

#include <stdlib.h>
#include <string.h>

#include "sim_count.h"

#define CONNS_MAX 64
#define LOCK_TIMEOUT (2 * SECOND) /* as db_conn.c asks for */

enum command_kind { C_PREPARE, C_QUERY, C_COMMAND, C_COMMIT, C_SYNC };

struct command {
	struct command *next;
	enum command_kind kind;
	const char *sql; /* of a query: of its prepared statement */
	int n;
	struct cell *param; /* one block with the bytes behind it */
};

struct answer {
	struct answer *next;
	PGresult *result;
	uint64_t lossy; /* world.lossy when it was given */
};

struct name {
	char name[24];
	const char *sql;
};

struct pg_conn {
	int fd;
	bool used, up, dead, refused, closing;
	const void *loop;
	uv_poll_t *poll;
	int events;
	uv_poll_cb cb;
	struct sim_event *connecting, *firing, *running, *locked;
	struct command *first, *last;    /* sent, not yet run */
	struct command **sent_end;       /* up to the last Sync */
	struct answer *held, *held_last; /* results before their Sync */
	struct answer *ready, *ready_last;
	bool skipping;          /* to the next Sync after an error */
	bool open;              /* something was sent since the last Sync */
	struct txn *committing; /* its COMMIT is under way */
	PQnoticeReceiver notice;
	void *notice_data;
	bool warned;
	struct backend b;
	struct name names[256];
	size_t name_count;
};

static struct pg_conn conns[CONNS_MAX];

/* What libpq keeps within a PGresult and does not let anybody set. */
static struct {
	const PGresult *r;
	const char *state, *tag;
} notes[64];
static size_t note_at;

static void run(void *data);

/* ---- towards the loop ---- */

static void fire(void *data)
{
	struct pg_conn *c = data;

	c->firing = NULL;
	if (c->poll && c->cb) {
		memory_arm(SERVER_SHORT, 6);
		c->cb(c->poll, 0, UV_READABLE);
	}
}

static void notify(struct pg_conn *c, uint64_t delay)
{
	if (!c->firing && c->used)
		c->firing = sim_at(delay, c->loop, fire, c);
}

void pg_watch(int fd, uv_poll_t *poll, int events, uv_poll_cb cb)
{
	struct pg_conn *c = &conns[fd];

	c->poll = poll;
	c->events = events;
	c->cb = cb;
	if (poll && (c->ready || c->dead || c->refused || (events & UV_WRITABLE && c->up)))
		notify(c, 0);
}

/* ---- connecting ---- */

static void on_connected(void *data)
{
	struct pg_conn *c = data;

	c->connecting = NULL;
	c->up = db_is_up();
	c->refused = !c->up;
	notify(c, 0);
}

PGconn *PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
	(void)keys, (void)values, (void)expand;
	for (int i = 0; i < CONNS_MAX; i++) {
		struct pg_conn *c = &conns[i];
		if (c->used)
			continue;
		memset(c, 0, offsetof(struct pg_conn, names));
		c->name_count = 0;
		c->fd = i;
		c->used = true;
		c->loop = &server_running()->worker.loop;
		c->connecting = sim_at(draw_between(200, 3000), c->loop, on_connected, c);
		return c;
	}
	abort();
}

PostgresPollingStatusType PQconnectPoll(PGconn *c)
{
	return c->refused || c->dead ? PGRES_POLLING_FAILED
		: c->up              ? PGRES_POLLING_OK
				     : PGRES_POLLING_READING;
}

ConnStatusType PQstatus(const PGconn *c)
{
	if (c->dead || c->refused)
		return CONNECTION_BAD;
	if (c->up)
		return CONNECTION_OK;
	return CONNECTION_STARTED;
}

int PQsocket(const PGconn *c)
{
	return c->fd;
}

int PQserverVersion(const PGconn *c)
{
	(void)c;
	return 150020;
}

PQnoticeReceiver PQsetNoticeReceiver(PGconn *c, PQnoticeReceiver receiver, void *data)
{
	c->notice = receiver;
	c->notice_data = data;
	return NULL;
}

int PQsetnonblocking(PGconn *c, int on)
{
	(void)c, (void)on;
	return 0;
}

int PQenterPipelineMode(PGconn *c)
{
	(void)c;
	return 1;
}

char *PQerrorMessage(const PGconn *c)
{
	(void)c;
	return (char *)"simulated";
}

static void free_answers(struct answer **first)
{
	for (struct answer *a = *first, *next; a; a = next) {
		next = a->next;
		PQclear(a->result);
		free(a);
	}
	*first = NULL;
}

static void free_command(struct command *m)
{
	free(m->param);
	free(m);
}

/* The socket breaks: the backend rolls back, unless its COMMIT is already under way. */
static void conn_die(struct pg_conn *c)
{
	if (!c->used || c->dead)
		return;
	c->dead = true;
	free_answers(&c->held);
	c->held_last = NULL;
	for (struct command *m = c->first, *next; m; m = next) {
		next = m->next;
		free_command(m);
	}
	c->first = c->last = NULL;
	c->sent_end = NULL;
	if (c->running)
		sim_cancel(c->running);
	if (c->locked)
		sim_cancel(c->locked);
	c->running = c->locked = NULL;
	if (c->committing)
		c->committing->conn = NULL;
	c->committing = NULL;
	db_abort(&c->b);
	notify(c, draw_between(0, 2000));
}

void PQfinish(PGconn *c)
{
	if (!c)
		return;
	conn_die(c);
	if (c->firing)
		sim_cancel(c->firing);
	if (c->connecting)
		sim_cancel(c->connecting);
	free_answers(&c->ready);
	c->used = false;
}

void pg_begin(void)
{
	for (int i = 0; i < CONNS_MAX; i++) {
		free_answers(&conns[i].held);
		free_answers(&conns[i].ready);
	}
	memset(conns, 0, sizeof conns);
}

void pg_drop_loop(const void *loop)
{
	for (int i = 0; i < CONNS_MAX; i++)
		if (conns[i].used && conns[i].loop == loop)
			PQfinish(&conns[i]);
}

void pg_kill_all(void)
{
	for (int i = 0; i < CONNS_MAX; i++)
		conn_die(&conns[i]);
}

void pg_kill_one(void)
{
	unsigned n = 0, chosen;

	for (int i = 0; i < CONNS_MAX; i++)
		n += conns[i].used && conns[i].up && !conns[i].dead &&
			(conns[i].b.txn || conns[i].committing);
	if (!n)
		return;
	chosen = (unsigned)draw(n);
	for (int i = 0; i < CONNS_MAX; i++)
		if (conns[i].used && conns[i].up && !conns[i].dead &&
			(conns[i].b.txn || conns[i].committing) && chosen-- == 0) {
			conn_die(&conns[i]);
			return;
		}
}

/* ---- sending ---- */

static void push_command(struct pg_conn *c, struct command *m)
{
	if (c->last)
		c->last->next = m;
	else
		c->first = m;
	c->last = m;
	c->open = m->kind != C_SYNC;
}

static struct command *command_new(enum command_kind kind, const char *sql)
{
	struct command *m = sim_alloc(NULL, sizeof *m);

	*m = (struct command){.kind = kind, .sql = sql};
	return m;
}

int PQsendPrepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	(void)n, (void)types;
	if (c->dead)
		return 0;
	size_t i = 0;
	/* one whose Parse was skipped comes again */
	while (i < c->name_count && strcmp(c->names[i].name, name) != 0)
		i++;
	if (i == sizeof c->names / sizeof *c->names)
		abort();
	struct name *x = &c->names[i];
	c->name_count += i == c->name_count;
	snprintf(x->name, sizeof x->name, "%s", name);
	x->sql = sql;
	push_command(c, command_new(C_PREPARE, sql));
	return 1;
}

/* Parameters may go when the call returns: they are copied. */
static void copy_params(struct command *m, int n, const char *const *values, const int *lengths)
{
	size_t total = sizeof *m->param * (size_t)(n + 1);

	for (int i = 0; i < n; i++)
		total += values[i] ? (size_t)lengths[i] : 0;
	m->param = sim_alloc(NULL, total);
	uint8_t *to = (uint8_t *)&m->param[n];
	for (int i = 0; i < n; i++) {
		m->param[i] = (struct cell){to, values[i] ? lengths[i] : -1};
		if (values[i]) {
			memcpy(to, values[i], (size_t)lengths[i]);
			to += lengths[i];
		}
	}
	m->n = n;
}

int PQsendQueryPrepared(PGconn *c, const char *name, int n, const char *const *values, const int *lengths,
	const int *formats, int format)
{
	(void)formats, (void)format;
	if (c->dead)
		return 0;
	for (size_t i = c->name_count; i-- > 0;)
		if (strcmp(c->names[i].name, name) == 0) {
			struct command *m = command_new(C_QUERY, c->names[i].sql);
			copy_params(m, n, values, lengths);
			push_command(c, m);
			return 1;
		}
	abort();
}

int PQsendQueryParams(PGconn *c, const char *sql, int n, const Oid *types, const char *const *values,
	const int *lengths, const int *formats, int format)
{
	struct command *m;

	(void)types, (void)values, (void)lengths, (void)formats, (void)format, (void)n;
	if (c->dead)
		return 0;
	demand(!c->open || strcmp(sql, "ROLLBACK") != 0, "I13",
		"a ROLLBACK is skipped when a statement before it fails, and the next task gets its "
		"transaction");
	m = command_new(strcmp(sql, "COMMIT") == 0 ? C_COMMIT : C_COMMAND, NULL);
	m->param = sim_alloc(NULL, strlen(sql) + 1);
	m->sql = strcpy((char *)m->param, sql);
	push_command(c, m);
	return 1;
}

int PQpipelineSync(PGconn *c)
{
	if (c->dead)
		return 0;
	push_command(c, command_new(C_SYNC, NULL));
	return 1;
}

int PQflush(PGconn *c)
{
	if (c->dead)
		return -1;
	if (c->first && !c->running && !c->committing && !c->b.waits_on)
		c->running = sim_at(draw_between(50, 800), NULL, run, c);
	return 0;
}

int PQconsumeInput(PGconn *c)
{
	return !c->dead;
}

int PQisBusy(PGconn *c)
{
	return !c->ready && !c->dead;
}

PGresult *PQgetResult(PGconn *c)
{
	struct answer *a = c->ready;

	if (!a)
		return NULL;
	c->ready = a->next;
	if (!c->ready)
		c->ready_last = NULL;
	PGresult *r = a->result;
	world.speaks = a->lossy;
	free(a);
	return r;
}

PGTransactionStatusType PQtransactionStatus(const PGconn *c)
{
	return c->first || c->committing ? PQTRANS_ACTIVE
		: !c->b.txn              ? PQTRANS_IDLE
		: c->b.failed            ? PQTRANS_INERROR
					 : PQTRANS_INTRANS;
}

static const char *note_field(size_t i, int code)
{
	switch (code) {
	case PG_DIAG_SQLSTATE:
		return notes[i].state;
	case PG_DIAG_SEVERITY_NONLOCALIZED:
		return notes[i].tag ? notes[i].tag : "ERROR";
	case PG_DIAG_MESSAGE_PRIMARY:
		return "simulated";
	default:
		return NULL;
	}
}

char *PQresultErrorField(const PGresult *r, int code)
{
	for (size_t i = 0; i < 64; i++)
		if (notes[i].r == r && notes[i].state)
			return (char *)note_field(i, code);
	return NULL;
}

char *PQcmdStatus(PGresult *r)
{
	for (size_t i = 0; i < 64; i++)
		if (notes[i].r == r && notes[i].tag)
			return (char *)notes[i].tag;
	return (char *)"";
}

/* ---- the backend ---- */

static void answer(struct pg_conn *c, PGresult *r, const char *state, const char *tag)
{
	struct answer *a = calloc(1, sizeof *a);

	a->result = r;
	a->lossy = world.lossy;
	if (state || tag) {
		for (size_t i = 0; i < 64; i++)
			if (notes[i].r == r)
				notes[i].r = NULL; /* an address used again */
		notes[note_at].r = r;
		notes[note_at].state = state;
		notes[note_at].tag = tag;
		note_at = (note_at + 1) % 64;
	}
	if (c->held_last)
		c->held_last->next = a;
	else
		c->held = a;
	c->held_last = a;
}

static void flush_answers(struct pg_conn *c)
{
	if (!c->held)
		return;
	if (c->ready_last)
		c->ready_last->next = c->held;
	else
		c->ready = c->held;
	c->ready_last = c->held_last;
	c->held = c->held_last = NULL;
	notify(c, draw_between(50, 800));
}

static void next_command(struct pg_conn *c)
{
	struct command *m = c->first;

	c->first = m->next;
	if (!c->first)
		c->last = NULL;
	free_command(m);
	if (c->first && !c->dead) /* now and then another process has the CPU */
		c->running = sim_at(chance(20) ? draw_between(1 * MS, 30 * MS) : draw(60), NULL, run, c);
}

static void fail(struct pg_conn *c, const char *state)
{
	answer(c, PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR), state, NULL);
	c->skipping = true;
	if (c->b.txn)
		c->b.failed = true;
}

static void on_lock_timeout(void *data)
{
	struct pg_conn *c = data;

	c->locked = NULL;
	if (!c->b.waits_on)
		return;
	c->b.waits_on = NULL;
	c->b.snapshot = c->b.repeatable ? c->b.snapshot : 0;
	sim_met("lock time-out");
	fail(c, "55P03");
	next_command(c);
}

static void run_query(struct pg_conn *c, const struct command *m)
{
	struct call call = {.b = &c->b, .param = m->param, .n = m->n};

	call.statement = db_statement(m->sql, &call.kind);
	db_check_parameters(m->sql, m->param, m->n);
	switch (db_execute(&call)) {
	case BLOCKED:
		if (!c->locked)
			c->locked = sim_at(LOCK_TIMEOUT, NULL, on_lock_timeout, c);
		return; /* runs again when the other has ended */
	case FAILED:
		fail(c, call.state);
		break;
	case DONE:
		answer(c, call.rows ? call.rows : PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, NULL);
		break;
	}
	if (c->locked)
		sim_cancel(c->locked);
	c->locked = NULL;
	next_command(c);
}

static void run(void *data)
{
	struct pg_conn *c = data;
	struct command *m = c->first;

	c->running = NULL;
	if (m->kind == C_SYNC) {
		c->skipping = false;
		answer(c, PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_SYNC), NULL, NULL);
		flush_answers(c);
		next_command(c);
	} else if (c->skipping) {
		answer(c, PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_ABORTED), NULL, NULL);
		next_command(c);
	} else if (m->kind == C_PREPARE) {
		answer(c, PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, NULL);
		next_command(c);
	} else if (m->kind == C_QUERY) {
		run_query(c, m);
	} else if (m->kind == C_COMMAND) {
		db_command(&c->b, m->sql);
		answer(c, PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, NULL);
		next_command(c);
	} else if (c->b.failed || !c->b.txn) {
		db_abort(&c->b);
		answer(c, PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, "ROLLBACK");
		next_command(c);
	} else {
		c->committing = c->b.txn;
		db_commit(&c->b, c);
	}
}

void pg_committed(struct pg_conn *c, bool warned)
{
	c->committing = NULL;
	if (warned && c->notice) {
		PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_NONFATAL_ERROR);
		answer(c, r, "01000", "WARNING");
		/* The notice comes before the tag; its result is libpq's own to free. */
		struct answer *a = c->held, *before = NULL;
		while (a->result != r) {
			before = a;
			a = a->next;
		}
		if (before)
			before->next = NULL;
		else
			c->held = NULL;
		c->held_last = before;
		free(a);
		c->notice(c->notice_data, r);
		PQclear(r);
	}
	answer(c, PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, "COMMIT");
	next_command(c);
}

void pg_txn_ended(const struct txn *t)
{
	for (int i = 0; i < CONNS_MAX; i++) {
		struct pg_conn *c = &conns[i];
		if (c->used && !c->dead && c->b.waits_on == t) {
			c->b.waits_on = NULL;
			c->running = sim_at(draw(60), NULL, run, c);
		}
	}
}
