/* request.h - one call from its frame to its reply. Owns the arena, the database task and the promise that
 * exactly one final answer goes out. One thread: the loop's.
 *
 * A handler reads like every other: decode → authorise → validate → query → reply. Dispatch has done the
 * first two; `request_call` runs the queries of one trip in a transaction and calls back with the results.
 *
 * Its states are drawn in server/README.md "State machines". QUEUED, PAUSED and ANSWERED end when the peer
 * goes; RUNNING too, instead of a pause. */
#ifndef JG_REQUEST_H
#define JG_REQUEST_H

#include "arena.h"
#include "conn.h"
#include "db.h"
#include "pb.h"

#define DEADLINE_MS 60000      /* when the caller says nothing */
#define DEADLINE_MAX_MS 600000 /* a province's reconciliation takes minutes */
#define ATTEMPTS_MAX 6 /* of a call whose outcome is unknown or that met a lock; then the client tries */

struct request;
typedef void (*request_fn)(struct request *r);

/* One row per method; every service exports its own (service.h). */
struct handler {
	uint16_t method;
	request_fn run;
};

enum scope { SCOPE_SCHOOL, SCOPE_BUREAU, SCOPE_JOB };

/* Entered by request_enter alone; drawn in server/README.md "State machines". */
enum request_state {
	REQUEST_MADE,
	REQUEST_QUEUED,   /* another streamed answer leaves on this connection */
	REQUEST_LATER,    /* its handler runs when its timer says so */
	REQUEST_RUNNING,  /* its handler works, or waits for a connection of the database */
	REQUEST_ASKING,   /* it holds one */
	REQUEST_PAUSED,   /* pages wait for the peer to read, `more` for its turn */
	REQUEST_ANSWERED, /* the final answer waits for the peer to read */
	REQUEST_ENDED,
	REQUEST_STATES
};

struct request {
	enum request_state state;
	struct conn *conn; /* NULL once the peer has gone: the work ends, the answer is dropped */
	struct worker *worker;
	struct request *next, *prev; /* in conn->requests */
	struct request *queue_next;  /* in the small-push queue */
	const struct method *method; /* NULL for HELLO */
	request_fn run;
	uint32_t call;
	struct arena arena;
	const ProtobufCMessage *message;
	struct caller caller;
	char ref[24];
	uint64_t started_us, deadline_us; /* monotonic */
	unsigned attempts;
	struct db_task task;
	uv_timer_t timer; /* open when its data is set */
	bool unlogged;    /* of a peer without a device: it is counted, and leaves no line in any log */
	request_fn queries, done;
	/* The handler's, NULL: asked when the database has failed the call for good; true when it goes on
	 * with a trip of its own and ends the request behind it. */
	bool (*amends)(struct request *r);
	uint32_t rows;       /* records read, for the access log */
	const char *purpose; /* of a read, for the access log: which case or file; NULL: "read" */
	enum err result;
	struct buf pages; /* framed REPLY frames that wait for the peer to read */
	size_t page_at;
	request_fn more; /* called when the peer has read: produce the next page */
	void *data;      /* the handler's, in the arena */
};

/* Runs the decoded request. Streamed answers of one connection leave one after another: a peer that asks for
 * eight and reads none costs the pages of one. */
void request_start(struct request *r, request_fn run);

/* The decoded message as its type. */
#define REQUEST(r, type) ((const type *)(r)->message)

/* One transaction, one trip: BEGIN, scope, what `queries` adds, COMMIT; then done(r) with the results.
 * `queries` never answers: what may be refused unasked is refused before. Faults of the database never reach
 * `done`: they are retried while that is safe and answered otherwise. */
void request_call(struct request *r, request_fn queries, request_fn done);
/* For transactions of several trips: acquires a connection, then step(r) with r->task.conn. */
void request_begin(struct request *r, request_fn step);
/* BEGIN and SET LOCAL of county, scope, schools (comma-separated codes) and their streams. */
void scope_begin(
	struct db_task *task, int county, enum scope scope, const char *schools, const char *isolation);
void request_scope(struct request *r, enum scope scope, const char *isolation); /* BEGIN and SET LOCAL … */
void request_trip(struct request *r, request_fn next); /* sends; faults are handled here */
void request_release(struct request *r); /* gives the connection back before the reply is complete */

/* The hash of the public key that the peer has shown, as the next parameter; empty when it has gone. */
void request_key(const struct request *r, struct db_params *p);
/* A statement of this request's trip, and its rows when the trip is back: they are found by its name. */
#define request_query(r, stmt, params) db_task_query(&(r)->task, stmt, params)
#define request_result(r, stmt) db_task_result(&(r)->task, stmt)

/* Exactly one of these ends a request. */
void request_reply(struct request *r, const ProtobufCMessage *message);
void request_fail(struct request *r, enum err code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* p->ref: what the answer refers to (the paper that is registered already), else the call's number. */
void request_fail_problem(struct request *r, const struct problem *p);
/* The caller's mistake shown together with what to do; message NULL: the sentence of the code. */
void request_fail_hint(
	struct request *r, enum err code, const char *field, const char *message, const char *hint);

/* The connection broke at a COMMIT: whether it stands is not known. */
void request_fail_unknown(struct request *r);

/* A streamed reply: pages in order, then request_reply for the last one. Bytes wait here while the peer
 * reads. */
void request_page(struct request *r, const ProtobufCMessage *message);
/* Gives the connection back and asks for more(r) when the peer has taken what was sent. */
void request_continue(struct request *r, request_fn more);
void request_drained(struct request *r);

void request_detach(struct request *r); /* the connection is gone */
struct request *request_create(
	struct conn *c, const struct method *method, const struct frame *f, size_t arena);
/* A call of the server to itself: no connection, its answer is dropped, its scope is the job's. method may be
 * NULL. */
struct request *request_internal(struct worker *w, const struct method *method);
bool request_has_role(const struct request *r, unsigned role);

/* A refusal of the rules that is kept: who asked for what, and why not. Permission is refused and logged by
 * dispatch itself. */
void request_refuse(
	struct request *r, enum err code, const char *field, const char *message, const char *hint);

#endif
