/* worker.h - one loop: its listener, connections, database pool, timers and counters. Loops share
 * nothing; another thread speaks to one only through worker_wake. */
#ifndef JG_WORKER_H
#define JG_WORKER_H

#include "db.h"
#include "kind.h"
#include "server.h"
#include "pending.h"
#include "stream.h"
#include "tables.h"

#define LATENCY_BUCKETS 20 /* powers of two from 64 µs: the last holds everything over 33 s */
#define HASH_QUEUE_MAX 64  /* passwords that wait or are at work: one more is told BUSY */
#define HASH_RUNNING_MAX 2 /* of them at work on the pool: 19 MiB and a core each */
#define HASH_DEVICE_MAX 16 /* of one device: a staff room that logs in at eight in the morning has fewer */

/* Why a peer was closed; the label of jingguan_closed_total. */
enum close_reason {
	CLOSE_HANDSHAKE_TIME,
	CLOSE_GREETING_TIME,
	CLOSE_IDLE,
	CLOSE_STALL,
	CLOSE_FRAME,
	CLOSE_PROTOCOL,
	CLOSE_TLS,
	CLOSE_HANDSHAKES,
	CLOSE_ADDRESS,
	CLOSE_REVOKED,
	CLOSE_SLOW,
	CLOSE_REASONS,
};
const char *close_reason_name(enum close_reason reason);

/* Written by the loop, read by /metrics on another thread: relaxed atomics. */
struct worker_stats {
	atomic_ullong accepted, closed_by_limit[CLOSE_REASONS], handshakes, tls_failed, bytes_in, bytes_out,
		pushes, ops, groups;
	atomic_ullong calls[METHOD_COUNT], errors[METHOD_COUNT], latency_sum_us[METHOD_COUNT];
	atomic_ullong latency[METHOD_COUNT][LATENCY_BUCKETS];
	atomic_uint connections, pool_busy, pool_waiting, database_up,
		silent_ms;         /* db_pool_silent at the last tick */
	atomic_ullong loop_lag_us; /* of the last tick */
};

struct conn;
struct password_job;
struct helper;

struct worker {
	struct server *server;
	int index;
	uv_thread_t thread;
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_tcp_t spare; /* takes a peer for whom there is no memory, to close it; data: it is open */
	bool spare_wanted;
	uv_async_t mailbox;
	uv_timer_t tick;    /* every second */
	uv_prepare_t admit; /* before the loop sleeps */
	struct stream_shared shared;
	struct db_pool *pool;
	struct conn *conns; /* doubly linked */
	unsigned conn_count;
	struct pending pending;
	struct request *small_first,
		*small_last; /* one-op pushes that wait for a connection (records/push_db.c) */
	int small_groups;
	struct password_job *hash_jobs; /* waiting or at work, the oldest first */
	int hashing, hash_running;
	struct helper *helpers; /* waiting or at work, the oldest first */
	uint64_t tick_us;
	bool stopping;
	uint64_t drain_until_ms;
	unsigned seconds; /* since it began */
	bool watch_busy;  /* a poll of the watched streams is under way (net/watch.c) */
	struct worker_stats stats;
};

#define TICK_MS 1000

/* Binds and connects; the loop runs from worker_start on, on a thread of its own that the caller joins. */
enum err worker_init(struct worker *w, struct server *s, int index);
enum err worker_start(struct worker *w);
void worker_wake(struct worker *w); /* any thread: look at draining and the deny list */

/* Once a tick: asks for the watched streams' sequence numbers and sends EVENTs (net/watch.c). */
void watch_tick(struct worker *w);

#define stat_add(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define stat_set(counter, n) atomic_store_explicit(&(counter), (n), memory_order_relaxed)
#define stat_get(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

#endif
