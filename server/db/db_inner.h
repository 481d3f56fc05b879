/* db_inner.h - a connection and the pool it belongs to, for the three files that make db.h: db_pool.c (who is
 * served next), db_conn.c (being connected, and to which host) and db_task.c (one trip: what is sent, what
 * comes back). One thread: the loop's. */
#ifndef JG_DB_INNER_H
#define JG_DB_INNER_H

#include "db.h"

#define DB_BACKOFF_MIN_MS 50 /* a restart of PostgreSQL is over in a second: be there when it is */
#define DB_HOSTS_MAX 8

/* Entered by db_conn_enter alone; drawn in server/README.md "State machines". BUSY without a task is a ROLLBACK
 * on its way, after a task that left a transaction open. */
enum db_state { DB_DOWN, DB_CONNECTING, DB_IDLE, DB_BUSY, DB_CLOSING, DB_STATES };
enum expect { EXPECT_PREPARE, EXPECT_COMMAND, EXPECT_QUERY, EXPECT_COMMIT, EXPECT_SYNC, EXPECT_CLEANUP };

struct db_conn {
	struct db_pool *pool;
	PGconn *pg;
	uv_poll_t *poll; /* owned; a fresh one for every socket libpq opens, freed when libuv lets go of it */
	/* reconnect, its time limit, a turn of the loop before `next` runs, a trip that takes long */
	uv_timer_t timer;
	enum db_state state;
	unsigned backoff_ms;
	unsigned host;    /* index of the host that it is connected to, or tries next */
	unsigned refused; /* hosts that refused one after another, since one accepted */
	struct db_task *task, greeting;
	db_task_fn next;
	uint64_t heard_ms; /* loop time: the trip was sent, or something came */
	/* Facts about the trip that is under way, each independent of the state and of the others. */
	/* a WARNING came since the COMMIT was sent: it may be a cancelled wait (sync.md finding 4) */
	bool warned;
	bool broken;   /* sending failed: the connection is closed when the trip is over */
	bool answered; /* libpq's last answer was a result, so the NULL behind it is that result's end */
	bool refused_by_server; /* PostgreSQL refused a statement of this trip */
	const char *distrust;   /* why the connection is closed when the trip is over; NULL: it is not */
	struct db_prepared {
		const struct db_stmt *stmt; /* NULL = the slot is free */
		enum { STMT_ABSENT, STMT_ASKED, STMT_THERE } state;
	} * prepared; /* open addressing */
	/* slots: a power of two, at least twice the statements; 0 = none was asked for yet */
	size_t slots, prepared_count;
	struct db_expected {
		enum expect what;
		const struct db_stmt *stmt;
	} * queue; /* of the trip: what its answers are to be */
	int head, tail, room;
};

struct db_pool {
	uv_loop_t *loop;
	/* the last two split in place into the lists below; hosts is NULL when there is one */
	char *conninfo, *hosts, *ports;
	const char *host[DB_HOSTS_MAX], *port[DB_HOSTS_MAX];
	unsigned host_count;
	struct db_conn *conns; /* and one more behind the last: the probe */
	db_greet_fn greet;
	void *greet_data;
	int size, closing; /* connections, and how many handles are still open while draining */
	struct db_task *first, *last;
	int waiting;
	uv_timer_t sweep;
	bool draining;
	void (*closed)(void *data);
	void *closed_data;
};

/* db_conn.c */
void db_conn_enter(struct db_conn *c, enum db_state to);
void db_conn_connect(struct db_conn *c);
/* Ends the connection, tells its task, and connects again after a while. why: for the log; NULL when the end
 * was intended. */
void db_conn_down(struct db_conn *c, const char *why);
/* `primary` is the host that takes writes. Connections to another host are ended: that host stands still, was
 * cut off, or is no longer the primary, and nothing on the wire would tell. The outcome of what was sent there
 * is unknown; the same bytes are sent to the new host. */
void db_conn_leave_others(struct db_pool *pool, unsigned primary);
/* Called when a trip is sent: when it takes long, other hosts are asked whether they are the primary. */
void db_conn_watch(struct db_conn *c);

/* db_task.c: from now on what arrives on the connection is read as results. */
void db_trip_listen(struct db_conn *c);
/* Reads what had arrived but was left unread because memory was short; false: nothing was left. */
bool db_trip_look(struct db_conn *c);

/* db_pool.c */
void db_pool_serve(struct db_pool *pool);         /* gives connections that are idle to tasks that wait */
void db_pool_handle_closed(struct db_pool *pool); /* while draining: one of its handles */

#endif
