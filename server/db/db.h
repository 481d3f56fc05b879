/* db.h - a pool of PostgreSQL connections on one libuv loop: pipeline mode, prepared statements, reconnect
 * with back-off. Owns connections and their state; knows nothing of requests or tables. One thread: the
 * loop's.
 *
 * A task holds one connection from db_task_start to db_task_end. It sends one trip at a time: queries, then
 * db_task_run, then its callback with every result. One Sync a trip, so that a failure never reaches a
 * neighbour. */
#ifndef JG_DB_H
#define JG_DB_H

#include <libpq-fe.h>
#include <uv.h>

#include "err.h"
#include "pg_array.h"

#define DB_PARAMS_MAX 64      /* of one statement: the widest kind has 32 columns and its header */
#define DB_WAITING_MAX 1024   /* tasks that may wait for a connection; one more is told BUSY */
#define DB_WAITING_CALLER 256 /* of one caller: the queue has room for others */
/* CVE-2025-8713 and CVE-2023-2455 let statistics and plans cross row-level security */
#define DB_SERVER_MIN 150014

struct db_pool;
struct db_conn;
struct db_task;

/* A statement; made once, lives as long as the process: its address makes the name under which it is
 * prepared. */
struct db_stmt {
	const char *sql;
};

struct db_params {
	const char *value[DB_PARAMS_MAX];
	int length[DB_PARAMS_MAX], format[DB_PARAMS_MAX];
	int n;
	bool failed;                   /* an array found no memory */
	char number[DB_PARAMS_MAX][8]; /* room for binary integers */
};

void db_text(struct db_params *p, const char *text); /* NULL = SQL null; borrowed until db_task_run returns */
void db_int4(struct db_params *p, int32_t v);
void db_int8(struct db_params *p, int64_t v);
void db_bool(struct db_params *p, bool v);
void db_date(struct db_params *p, int32_t yyyymmdd); /* 0 = SQL null */
void db_time(struct db_params *p, int64_t unix_us);
void db_bytes(struct db_params *p, const void *data, size_t n); /* bytea or uuid */
void db_array(struct db_params *p, struct pg_array *a);         /* ends it; borrowed */

typedef void (*db_task_fn)(struct db_task *task);

struct db_result {
	const struct db_stmt *stmt; /* borrowed */
	PGresult *rows;             /* owned by the task */
};

struct db_task {
	void *data;             /* the caller's */
	struct db_pool *pool;   /* borrowed */
	struct db_conn *conn;   /* borrowed while the task runs */
	struct db_task *next;   /* in the pool's queue */
	db_task_fn step;        /* called when the connection is there, and after each trip */
	uint64_t wait_until_ms; /* loop time; 0 = for ever */
	/* whose task this is, set after db_task_start: callers take turns. 0 = the server itself */
	uint64_t who;
	enum err err; /* of the last trip; ERR_OK when every statement succeeded */
	bool unknown; /* a COMMIT was sent and its answer never came or was not clean */
	char sqlstate[6];
	char constraint[64];
	char message[256]; /* of an error that our own SQL raised, for the caller's eyes */
	/* of the last trip, one per query in their order; cleared by the next trip or db_task_end */
	struct db_result *result;
	int results, result_room;
	int sent; /* queries of this trip so far: the index that the next one's result will have */
	bool commits;
};

/* The first task on each new connection: sends one trip and ends the task in its callback. When the trip
 * fails, the connection is closed and tried again; until it succeeds nothing else runs there. */
typedef void (*db_greet_fn)(struct db_task *task, void *data);

/* conninfo: URL or keywords, several hosts as libpq takes them. size connections, opened at once. data is
 * borrowed. */
enum err db_pool_create(
	struct db_pool **out, uv_loop_t *loop, const char *conninfo, int size, db_greet_fn greet, void *data);
/* Refuses new tasks with ERR_DRAINING, closes idle connections; `closed` runs when the last handle is
 * gone. */
void db_pool_close(struct db_pool *pool, void (*closed)(void *data), void *data);
void db_pool_stats(const struct db_pool *pool, int *busy, int *size, int *waiting);
unsigned db_pool_waiting(const struct db_pool *pool, uint64_t who); /* tasks of this caller in the queue */
bool db_pool_ready(const struct db_pool *pool);                     /* at least one connection is up */
/* milliseconds that the longest of its trips has waited without a word */
unsigned db_pool_silent(const struct db_pool *pool);
/* A trip that has heard nothing for this long is given up and its connection closed; it is longer than any
 * statement may run. A trip that waits for its COMMIT is not given up: it may wait for a standby for any
 * time. */
extern unsigned db_silent_ms;

/* ERR_BUSY when the queue is full, ERR_DRAINING: step never runs. Otherwise step runs later, at least once,
 * with task->err set when no connection came in time (then the task holds none). */
enum err db_task_start(
	struct db_pool *pool, struct db_task *task, db_task_fn step, void *data, uint64_t wait_ms);
/* Adds a statement to the trip. Parameters may go after db_task_run has returned. */
void db_task_query(struct db_task *task, const struct db_stmt *stmt, const struct db_params *params);
/* The rows of a statement of the last trip; of one that was asked twice the first time's.
 * NULL: of the trip's only statement. */
const PGresult *db_task_result(const struct db_task *task, const struct db_stmt *stmt);
/* A command without parameters (BEGIN, SET LOCAL, COMMIT); its result is checked and not kept. */
void db_task_command(struct db_task *task, const char *sql);
/* The COMMIT of the trip: task->unknown is judged by its answer. */
void db_task_commit(struct db_task *task);
/* Ends the trip; next is called with the results, or with task->err. */
void db_task_run(struct db_task *task, db_task_fn next);
/* Gives the connection back (rolling back what is open). The task's memory is free afterwards. */
void db_task_end(struct db_task *task);

/* Typed reading of binary results; null reads as 0, "" or false. Pointers live as long as the result. */
int64_t db_get_int(const PGresult *r, int row,
	int column); /* bool, int2, int4, int8, date as YYYYMMDD, time as Unix µs */
const char *db_get_text(const PGresult *r, int row, int column);
const uint8_t *db_get_bytes(const PGresult *r, int row, int column, size_t *n);
bool db_is_null(const PGresult *r, int row, int column);
/* Elements of text[] or int4[]; at most max, returns how many there are. */
int db_get_texts(const PGresult *r, int row, int column, const char **out, size_t *lengths, int max);
int db_get_ints(const PGresult *r, int row, int column, int32_t *out, int max);

#endif
