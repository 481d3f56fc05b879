/* sim.h - the deterministic simulation (tier T0): the real client core and the real server logic in one
 * thread, on a virtual clock, with a network, disks, clocks and a database that fail by one seed. One seed is
 * one history. Real are client/core from sync_begin to SQLite, and the server from dispatch_frame to libpq's
 * functions. What stands in:
 *
 *   sim_kernel.c  time, random numbers, fibers, the kill at a step of fault.def
 *   sim_uv.c      libuv's timers and polls
 *   sim_pg.c      libpq and, behind it, sim_db*.c: our statements, sim_rows.c: what PostgreSQL keeps
 *   sim_disk.c    SQLite's VFS: torn, failed, full
 *   sim_memory.c  memory, which runs out
 *   sim_net.c     link.h towards the clients, conn.h towards the servers
 *   sim_people.c  the people at the schools' computers
 *   sim_bureau.c  what the server and the bureau write
 *   sim_values.c  what records say, by their declaration
 *   sim_world.c   the faults and the order of a history
 *   sim_check.c, sim_end.c  the invariants of sync.md, on the way and at rest
 *
 * Everything of one history is one thread's. */
#ifndef JG_SIM_H
#define JG_SIM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "clock.h"
#include "effects.h"
#include "fault.h"
#include "hash.h"
#include "store.h"
#include "sync.h"
#include "worker.h"

#define SIM_COUNTY 329999
#define SIM_CLIENTS_MAX 6
#define SIM_SERVERS 2
#define SIM_SCHOOLS 3 /* two primary schools and a junior school */
#define SIM_STREAMS (SIM_SCHOOLS + 1)
#define SIM_POOL 3 /* database connections of one server */

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* ---- kernel ---- */

typedef void (*sim_fn)(void *data);
struct sim_event;

struct fiber;
void fiber_start(struct fiber **f, sim_fn fn, void *data); /* *f is made at the first call and reused */
void fiber_drop(struct fiber *f); /* what it was doing never goes on; its memory stays with the process */
/* Within a fiber: to the scheduler, until fiber_wake. */
void fiber_wait(void);
void fiber_wake(struct fiber *f);
struct fiber *fiber_now(void); /* NULL outside */
void sim_sleep(uint64_t us);

/* owner: what sim_forget takes away together. */
struct sim_event *sim_at(uint64_t delay_us, const void *owner, sim_fn fn, void *data);
void sim_cancel(struct sim_event *e);
void sim_forget(const void *owner);
bool sim_step(void);    /* the next event; false when there is none */
uint64_t sim_now(void); /* virtual microseconds since the history began */

uint64_t draw(uint64_t below);
bool chance(unsigned per_mille);
uint64_t draw_between(uint64_t low, uint64_t high);

void sim_trace(const char *what, uint64_t a, uint64_t b); /* into the hash, and printed with --verbose */
/* "Sometimes": what must have happened often enough in a campaign. The names are literals. */
void sim_met(const char *what);
/* An invariant is broken: prints seed, step and reason, and ends the history. */
void sim_fail(const char *invariant, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
#define demand(holds, invariant, ...) ((holds) ? (void)0 : sim_fail(invariant, __VA_ARGS__))

/* ---- disk ---- */

void disk_init(void); /* once: becomes SQLite's default VFS */
/* Memory of the simulation itself, never short; free() it. */
void *sim_alloc(void *old, size_t n);
/* What a program does from arm to disarm runs out of memory once, per_mille of the times, within its first 1
 * << most allocations; disarm: true if it did. */
#define CLIENT_SHORT 40
#define SERVER_SHORT 10

struct memory {
	uint64_t left; /* the allocation that fails, counted down; 0: none */
	bool ran_out;
};
void memory_init(void);            /* before SQLite's first use */
void memory_drop(unsigned client); /* its program is no more */
void memory_arm(unsigned per_mille, unsigned most);
bool memory_disarm(void);
struct memory memory_swap(struct memory m); /* where another's code runs: the state before */

void disk_begin(void);            /* an empty disk for a new history */
void disk_leave(unsigned client); /* its program is no more; the files stay */
void disk_crash(unsigned client); /* what was not synced is torn */
enum disk_mode { DISK_WELL, DISK_FULL, DISK_FAILING };
void disk_set(unsigned client, enum disk_mode mode);
/* A copy of the client's files put aside, and put back (还原卡). */
void disk_save(unsigned client);
bool disk_restore(unsigned client); /* false when nothing was put aside */
bool disk_hurt(unsigned client);    /* whether it refused anything since the last call */

/* ---- world ---- */

struct client {
	unsigned no, school;
	struct fiber *fiber;
	struct profile profile; /* its folder holds the seal's key and outlives histories */
	struct store *store;
	int64_t skew_us; /* of its clock */
	int drift_ppm;
	bool alive, busy;
	bool rolled_back, short_of_memory; /* short: in what it did last */
	bool behind;                       /* rolled back, and not met the server since */
	bool put_back;                     /* rolled back ever */
	/* world.lossy at its last WELCOME, and at the last behind which all that it has went */
	uint64_t met, agreed;
	int64_t saved_rows; /* of its outbox, that a person was told are saved */
	bool ready;         /* quiesced: everything sent and pulled */
	struct {
		uint64_t cursor, epoch;
	} seen[SIM_STREAMS];
	uint64_t syncs;
};

struct sim_server {
	struct worker worker;
	struct server server;
	struct jobs *jobs;
	bool up;
};

/* Which faults a history has; drawn once. */
struct plan {
	bool network, kills, disk, clocks, rollback, database, memory;
	bool asynchronous; /* a failover may lose the tail */
	bool restore;      /* the database goes back to a backup */
	bool one_sided;    /* liveness: one client's network stays bad to the end */
	unsigned clients, ops;
};

struct world {
	uint64_t seed;
	struct plan plan;
	bool faults; /* uniform faults are on */
	bool verbose;
	bool again; /* the second run of a seed, for I15: see looks */
	unsigned ops_left;
	struct client clients[SIM_CLIENTS_MAX];
	struct sim_server servers[SIM_SERVERS];
	const char *dir; /* of the profiles: the key of each seal is a file */
	uint64_t trace, steps;
	uint64_t lossy; /* how often the database has lost a tail */
	/* lossy when the database gave what the running server has read of it: the history that its answers
	 * are of */
	uint64_t speaks;
	uint64_t kill_step; /* the next fault_point that kills, counted down */
	struct arena arena; /* the database and the oracles of this history */
};
extern struct world world;

extern const char *const sim_schools[SIM_SCHOOLS];
int64_t sim_stream(unsigned i); /* 0: the county's; then the schools' */
int sim_stream_index(int64_t stream);

/* limits: what the plan may have at most; for shrinking. */
void world_run(uint64_t seed, const struct plan *limits, bool verbose, bool again);
void world_end(void);               /* removes the profiles' folder */
void client_kill(struct client *c); /* the process, now; from within its own fiber it does not return */
struct client *client_now(void);    /* whose fiber this is; NULL outside */
void server_start(struct sim_server *s);
void server_kill(struct sim_server *s);
struct sim_server *server_running(void); /* whose event this is; NULL outside */
/* Runs fn as this server's event: a step that kills ends it there. */
void server_call(struct sim_server *s, sim_fn fn, void *data);
struct sim_server *server_of(const void *loop);

/* ---- people ---- */

void people_begin(void);              /* a new history */
void people_type(struct client *c);   /* something, or a file of it */
void people_decide(struct client *c); /* some of what waits for them; or they take back what was typed */

/* ---- the bureau, and the server by itself ---- */

void bureau_begin(void);                      /* a new history */
void bureau_check(void);                      /* I1: what it was told stands, stands */
bool bureau_wrote(const uint8_t id[ID_SIZE]); /* be it that the database lost it since */

/* ---- network ---- */

void net_begin(void);
void net_drop_server(struct sim_server *s);
void net_drop_client(struct client *c);

/* ---- database, as the world and the checks see it ---- */

enum replication { SINGLE, SYNCHRONOUS, ASYNCHRONOUS };
void db_begin(enum replication mode);
void db_crash(void);         /* postmaster killed and restarted: unfinished transactions are gone */
void db_failover(void);      /* the standby is promoted */
void db_standby(bool alive); /* a dead one holds synchronous commits up */
/* an operator ends the wait for the standby: the tag is COMMIT, a WARNING says that it may be lost */
void db_cancel_wait(void);
void db_kill_backend(void);
void db_full(bool full);
void db_backup(void);
bool db_restore(void); /* to the last backup, with a new epoch as `jgd restore` makes it */
void db_age(void);     /* 400 days pass for the tombstones */
void db_prune(void);   /* the answers of old pushes go; their numbers and hashes stay */

struct db_device {
	uint8_t id[ID_SIZE];
	char school[16];
	uint8_t spki[32];
	uint32_t incarnation;
	uint64_t last_op;
	uint8_t last_hash[HASH_SIZE];
	uint64_t dup_seen;
};
struct db_stream {
	int64_t id;
	uint64_t seq, floor;
	uint32_t lanes[LANES];
	uint64_t audit_n;
	uint8_t head[HASH_SIZE];
};
struct db_feed {
	int64_t stream;
	uint8_t id[ID_SIZE];
	uint64_t seq;
	int64_t ver;
	unsigned kind, action;
};
struct db_push {
	uint8_t device[ID_SIZE];
	uint32_t incarnation;
	uint64_t first, last;
	struct value shas, results;
};
struct db_history {
	uint8_t id[ID_SIZE];
	int64_t ver;
	unsigned kind;
	uint32_t groups;
	struct value old;
	uint8_t device[ID_SIZE];
	uint32_t incarnation;
	uint64_t op_no;
};
struct db_conflict {
	uint8_t id[ID_SIZE], device[ID_SIZE];
	uint32_t incarnation;
	uint64_t op_no;
	unsigned kind;
	struct value mine;
};
struct db_link {
	int64_t stream;
	uint64_t n;
	struct value parts;
	uint8_t root[HASH_SIZE], head[HASH_SIZE];
};
/* What a record froze when it was applied: what its school had, each with the version that it had. */
struct db_frozen {
	uint8_t id[ID_SIZE];
	int64_t ver;
};
struct db_snapshot {
	uint8_t report[ID_SIZE];
	size_t n;
	struct db_frozen *rows;
};
enum db_table {
	T_DEVICE,
	T_STREAM,
	T_FEED,
	T_PUSH,
	T_HISTORY,
	T_CONFLICT,
	T_LINK,
	T_SNAPSHOT,
	T_COUNTY,
	T_RECORD,
	T_COUNT = T_RECORD + KIND_NUMBER_MAX + 1
};
/* What everybody sees now; fn is given the rows of one table. */
void db_each(unsigned table, void (*fn)(void *data, const void *row), void *data);
const void *db_find(unsigned table, const void *key, size_t n);
/* A row of T_RECORD + kind number as the server reads it. */
void db_record(const void *row, struct stored *out);
uint64_t db_epoch(void);
/* The lanes that a stream had when its seq was this; false when it never stood committed at it. */
bool db_lanes_at(int64_t stream, uint64_t seq, uint32_t out[LANES]);

/* ---- checks ---- */

void check_begin(void);
/* Whether what only looks is to look. Not in a second run: it would find the same, and its trace shows that
 * looking changes nothing. But where memory runs out, what a look leaves in SQLite's caches moves the
 * allocation that fails. */
bool looks(void);
/* The server told a client's device the result of an operation; lossy: of which history (world.speaks). */
void check_told(
	struct client *c, const void *op, const uint8_t sha[HASH_SIZE], const void *result, uint64_t lossy);
/* After a failover that may lose nothing: every operation that was answered since the last loss (lossy)
 * stands. */
void check_kept(uint64_t lossy);
void check_at_rest(struct client *c); /* after whatever a computer did */
void check_typed(struct client *c);   /* after "saved" */
void check_opened(struct client *c);  /* after a restart: what was saved is there (C1, C2, C11) */
void check_synced(struct client *c, enum err e, bool pulled);
void check_end(void);

#endif
