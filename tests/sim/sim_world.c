/* The schools' computers, the servers, what goes wrong and when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch.h"
#include "epoch.h"
#include "jobs.h"
#include "outbox.h"
#include "sim.h"
#include "sim_count.h"
#include "sim_pg.h"

#define CONVERGE (150 * SECOND) /* a call's deadline of 60 s, a back-off of 30 s and the rounds (I13) */

struct world world;
const char *const sim_schools[SIM_SCHOOLS] = {"2132999001", "2132999002", "3132999003"};

static struct sim_server *running;
static jmp_buf server_left;
static uint64_t quiet_since, round_no;

int64_t sim_stream(unsigned i)
{
	return i ? strtoll(sim_schools[i - 1], NULL, 10) : SIM_COUNTY;
}

int sim_stream_index(int64_t stream)
{
	for (unsigned i = 0; i < SIM_STREAMS; i++)
		if (sim_stream(i) == stream)
			return (int)i;
	return -1;
}

struct client *client_now(void)
{
	struct fiber *f = fiber_now();

	for (unsigned i = 0; f && i < SIM_CLIENTS_MAX; i++)
		if (world.clients[i].fiber == f)
			return &world.clients[i];
	return NULL;
}

/* As the command line does it (jg_sync). */
static enum err run(struct store *store, const struct sync_options *options, struct sync_report *report)
{
	struct problem p = {0};
	struct sync *sync;
	unsigned wait_ms;
	enum err e = sync_begin(&sync, store, options, report, &p);

	if (e)
		return e;
	while (sync_step(sync, &wait_ms)) {
		const struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
		if (wait_ms)
			nanosleep(&wait, NULL);
	}
	return sync_end(sync, NULL);
}

static enum err synchronise(struct client *c)
{
	struct sync_options options = {.push_only = world.faults && chance(100)};
	struct sync_report report;

	c->busy = true;
	memory_arm(CLIENT_SHORT, 12);
	enum err e = run(c->store, &options, &report);
	c->short_of_memory = memory_disarm();
	check_at_rest(c);
	c->busy = false;
	c->syncs++;
	sim_trace(err_info((int)e)->name, c->no, report.pushed * 1000 + report.pulled);
	demand(!report.digest_differed, "I4",
		"what device %u pulled was not what the server has, and only a second pull from 0 mended it",
		c->no);
	check_synced(c, e, !options.push_only);
	return e;
}

static bool drained(struct client *c)
{
	struct outbox_counts counts;

	return !outbox_counts(c->store, &counts, NULL) && !counts.unsent;
}

/* After the faults: everybody synchronises until a whole round changes nothing. */
static void settle(struct client *c)
{
	uint64_t round = round_no;

	while (synchronise(c) != ERR_OK || !drained(c))
		sim_sleep(draw_between(100 * MS, 1 * SECOND));
	if (round == round_no)
		c->ready = true;
	while (c->ready)
		sim_sleep(100 * MS);
}

static void open_store(struct client *c)
{
	struct problem p = {0};
	enum err e;

	for (;;) {
		memory_arm(CLIENT_SHORT, 12);
		e = store_open(&c->store, &c->profile, &p);
		c->short_of_memory = memory_disarm();
		if (!e)
			break;
		demand(disk_hurt(c->no) || c->short_of_memory, "C11", "the store cannot be opened: %s",
			p.message);
		sim_sleep(500 * MS);
	}
	check_opened(c);
}

static void live(void *data)
{
	struct client *c = data;

	open_store(c);
	for (;;) {
		sim_sleep(draw_between(10 * MS, 3 * SECOND));
		unsigned what = (unsigned)draw(100);
		if (!world.faults)
			settle(c);
		else if (what < 60 && c->store->incarnation)
			people_type(c);
		else if (what < 93 || !c->store->incarnation)
			synchronise(c);
		else
			people_decide(c);
	}
}

static void on_client_start(void *data)
{
	struct client *c = data;

	c->alive = true;
	c->store = NULL;
	fiber_start(&c->fiber, live, c);
}

static void client_start_after(struct client *c, uint64_t us)
{
	sim_at(us, c, on_client_start, c);
}

/* What the program held goes with it; nothing of it may run after this. */
static void program_ends(struct client *c)
{
	c->alive = c->busy = false;
	c->store = NULL;
	net_drop_client(c);
	disk_leave(c->no);
	memory_drop(c->no);
}

void client_kill(struct client *c)
{
	if (!c->alive)
		return;
	program_ends(c);
	if (chance(500)) {
		sim_met("power cut at a client");
		disk_crash(c->no);
	}
	sim_trace("client killed", c->no, 0);
	client_start_after(c, draw_between(50 * MS, 3 * SECOND));
	fiber_drop(c->fiber);
}

/* ---- servers ---- */

struct sim_server *server_running(void)
{
	return running;
}

struct sim_server *server_of(const void *loop)
{
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		if (loop == &world.servers[i].worker.loop)
			return &world.servers[i];
	return NULL;
}

void server_call(struct sim_server *s, sim_fn fn, void *data)
{
	running = s;
	world.speaks = world.lossy;
	if (setjmp(server_left) == 0)
		fn(data);
	memory_disarm();
	running = NULL;
}

static void boot(void *data)
{
	struct sim_server *s = data;

	if (db_pool_create(&s->worker.pool, &s->worker.loop, "sim", SIM_POOL, epoch_check, &s->server) ||
		jobs_create(&s->jobs, &s->server, &s->worker.loop))
		abort();
	s->up = true;
	sim_trace("server up", (uint64_t)(s - world.servers), 0);
}

static void on_server_start(void *data)
{
	server_start(data);
}

void server_start(struct sim_server *s)
{
	memset(s, 0, sizeof *s);
	s->server.conf.county = SIM_COUNTY;
	s->server.conf.pool = SIM_POOL;
	atomic_store(&s->server.grouping, true);
	s->server.conf.page_rows = 5;
	s->server.workers = &s->worker;
	s->server.worker_count = 1;
	s->worker.server = &s->server;
	server_call(s, boot, s);
}

void server_kill(struct sim_server *s)
{
	if (!s->up)
		return;
	s->up = false;
	sim_met("server killed");
	sim_trace("server killed", (uint64_t)(s - world.servers), 0);
	sim_forget(&s->worker.loop);
	pg_drop_loop(&s->worker.loop);
	net_drop_server(s);
	sim_at(draw_between(300 * MS, 4 * SECOND), s, on_server_start, s);
	if (running == s)
		longjmp(server_left, 1);
}

/* ---- what goes wrong ---- */

static void on_standby_back(void *data)
{
	(void)data;
	db_standby(true);
}

static void on_disk_free(void *data)
{
	(void)data;
	db_full(false);
}

static void on_disk_well(void *data)
{
	disk_set(((struct client *)data)->no, DISK_WELL);
}

static void on_cancel(void *data)
{
	(void)data;
	if (world.faults)
		db_cancel_wait();
}

static void on_crash(void *data)
{
	(void)data;
	if (world.faults && db_is_up())
		db_crash();
}

static void on_failover(void *data)
{
	(void)data;
	if (world.faults)
		db_failover();
}

static void on_backend_kill(void *data)
{
	(void)data;
	if (world.faults)
		db_kill_backend();
}

/* The order in which writes were lost elsewhere (sync.md findings 2 to 4): the standby is away, somebody or
 * something ends the wait, people go on, and then the standby is all there is. */
static void incident(void)
{
	static const sim_fn ends[] = {on_cancel, on_crash, on_backend_kill};
	uint64_t at = 0;

	db_standby(false);
	sim_met("incident");
	for (unsigned i = 0; i < 3; i++)
		sim_at(at += draw_between(200 * MS, 3 * SECOND), NULL, ends[draw(3)], NULL);
	if (chance(700))
		sim_at(at += draw_between(100 * MS, 5 * SECOND), NULL, on_failover, NULL);
	else
		sim_at(at += draw_between(100 * MS, 5 * SECOND), NULL, on_standby_back, NULL);
}

static bool somebody_is_behind(void)
{
	for (unsigned i = 0; i < world.plan.clients; i++)
		if (world.clients[i].behind)
			return true;
	return false;
}

static void hurt_database(void)
{
	switch (draw(world.plan.restore ? 12 : 9)) {
	case 0:
		db_crash();
		break;
	case 1:
		db_failover();
		break;
	case 2:
		db_standby(false);
		sim_met("standby down");
		sim_at(draw_between(1 * SECOND, 15 * SECOND), NULL, on_standby_back, NULL);
		break;
	case 3:
		db_full(true);
		sim_at(draw_between(500 * MS, 5 * SECOND), NULL, on_disk_free, NULL);
		break;
	case 4:
		db_cancel_wait();
		break;
	case 5:
		db_age();
		break;
	case 6:
		db_kill_backend();
		break;
	case 7:
		db_prune();
		break;
	case 8:
		incident();
		break;
	default:
		if (chance(500) || somebody_is_behind() || !db_restore())
			db_backup();
	}
}

static void hurt_clock(struct client *c)
{
	static const int64_t jumps[] = {86400, -86400, 315360000, -315360000, 3600, -7};

	c->skew_us += jumps[draw(6)] * (int64_t)SECOND;
	c->drift_ppm = (int)draw_between(0, 200000) - 100000;
	sim_met("clock jumped");
}

static void hurt_disk(struct client *c)
{
	disk_set(c->no, chance(500) ? DISK_FULL : DISK_FAILING);
	sim_at(draw_between(500 * MS, 10 * SECOND), c, on_disk_well, c);
}

/* Soon behind a fork, so that the backup ends in the incarnation before it. */
static void restore_behind_a_fork(void *data)
{
	(void)data;
	if (!world.faults || !world.plan.restore || !world.plan.database)
		return;
	if (somebody_is_behind())
		sim_at(2 * SECOND, NULL, restore_behind_a_fork, NULL);
	else
		db_restore();
}

/* A 还原卡 card: the disk is as it was, with whatever ran on it gone. */
static void roll_back(struct client *c)
{
	if (c->busy || chance(600)) {
		if (!c->busy && c->alive && c->store && !c->store->in_transaction) {
			disk_save(c->no);
			if (world.plan.restore && world.plan.database && chance(250))
				/* what the next copies of the disk have more is to be sent again */
				db_backup();
		}
		return;
	}
	if (!c->alive || c->agreed != world.lossy)
		return;
	program_ends(c);
	fiber_drop(c->fiber);
	if (disk_restore(c->no)) {
		c->rolled_back = c->behind = c->put_back = true;
		sim_met("disk rolled back");
		sim_trace("rolled back", c->no, 0);
		sim_at(draw_between(2 * SECOND, 30 * SECOND), NULL, restore_behind_a_fork, NULL);
	}
	client_start_after(c, draw_between(50 * MS, 3 * SECOND));
}

static void go_wrong(void *data)
{
	struct client *c = &world.clients[draw(world.plan.clients)];
	const struct plan *plan = &world.plan;

	(void)data;
	if (!world.faults)
		return;
	sim_at(draw_between(200 * MS, 4 * SECOND), NULL, go_wrong, NULL);
	switch (draw(6)) {
	case 0:
		if (plan->database)
			hurt_database();
		break;
	case 1:
		if (plan->kills)
			server_kill(&world.servers[draw(SIM_SERVERS)]);
		break;
	case 2:
		if (plan->kills && c->alive)
			client_kill(c);
		break;
	case 3:
		if (plan->clocks)
			hurt_clock(c);
		break;
	case 4:
		if (plan->disk)
			hurt_disk(c);
		break;
	default:
		if (plan->rollback)
			roll_back(c);
	}
}

static void faults_stop(void)
{
	world.faults = false;
	quiet_since = sim_now();
	db_standby(true);
	db_full(false);
	for (unsigned i = 0; i < world.plan.clients; i++)
		disk_set(i, DISK_WELL);
	sim_trace("quiet", 0, 0);
}

/* ---- a history ---- */

static uint64_t total_seq(void)
{
	uint64_t sum = db_epoch() << 20;

	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		int64_t id = sim_stream(i);
		sum += ((const struct db_stream *)db_find(T_STREAM, &id, sizeof id))->seq;
	}
	return sum;
}

static bool all_ready(void)
{
	for (unsigned i = 0; i < world.plan.clients; i++)
		if (!world.clients[i].ready)
			return false;
	return true;
}

static void next_round(void)
{
	round_no++;
	for (unsigned i = 0; i < world.plan.clients; i++)
		world.clients[i].ready = false;
}

static void settle_all(void)
{
	uint64_t before = UINT64_MAX, limit = world.plan.one_sided ? 900 * SECOND : CONVERGE;

	for (;;) {
		while (!all_ready()) {
			demand(sim_now() - quiet_since < limit, "I13", "not settled %llu s after the faults",
				(unsigned long long)(limit / SECOND));
			if (!sim_step())
				sim_fail("I13", "nothing left to happen");
		}
		if (total_seq() == before)
			break;
		before = total_seq();
		next_round();
	}
	uint64_t took = (sim_now() - quiet_since) / SECOND;
	sim_met(took <= 10 ? "settled within 10 s" : took <= 60 ? "settled within 60 s" : "settled later");
}

static void draw_plan(const struct plan *limits)
{
	struct plan *p = &world.plan;

	p->clients = (unsigned)draw_between(2, SIM_CLIENTS_MAX);
	p->ops = 50 + (unsigned)(draw(250) * draw(250) / 250); /* 50 to 300, the short ones more often */
	p->network = chance(850);
	p->kills = chance(700);
	p->disk = chance(300);
	p->clocks = chance(300);
	p->database = chance(600);
	p->asynchronous = chance(350);
	p->restore = chance(300);
	/* What was acknowledged lives at the bureau or at the school: a history that takes it from both at
	 * once proves nothing (somebody_is_behind, roll_back), and of a failover nobody knows beforehand when
	 * it comes. */
	p->rollback = !p->asynchronous && chance(400);
	if (limits->clients && limits->clients < p->clients)
		p->clients = limits->clients;
	if (limits->ops && limits->ops < p->ops)
		p->ops = limits->ops;
	p->network &= limits->network;
	p->kills &= limits->kills;
	p->disk &= limits->disk;
	p->clocks &= limits->clocks;
	p->database &= limits->database;
	p->rollback &= limits->rollback;
	p->memory = chance(300) && limits->memory;
	p->one_sided = limits->one_sided;
}

static void make_profiles(void)
{
	static char dir[64];
	struct problem problem = {0};

	setenv("DBUS_SESSION_BUS_ADDRESS", "", 1); /* never the keyring of who runs the tests */
	snprintf(dir, sizeof dir, "%s/jg-sim-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		abort();
	for (unsigned i = 0; i < SIM_CLIENTS_MAX; i++) {
		struct client *c = &world.clients[i];
		char path[96];
		snprintf(path, sizeof path, "%s/c%u", dir, i);
		if (profile_open(&c->profile, path, &problem))
			abort();
		snprintf(c->profile.device, sizeof c->profile.device,
			"0190a000-0000-7000-8000-0000000000%02x", i + 1);
		/* The seal's key is made now: the first history must not draw more than the others. */
		if (store_open(&c->store, &c->profile, &problem))
			abort();
		store_close(c->store);
		c->store = NULL;
	}
	world.dir = dir;
}

void world_end(void)
{
	char command[96];

	snprintf(command, sizeof command, "rm -rf %s", world.dir);
	if (system(command))
		fprintf(stderr, "%s was not removed\n", world.dir);
}

static void client_begin(struct client *c, unsigned i)
{
	struct profile profile = c->profile;
	struct fiber *fiber = c->fiber;

	memset(c, 0, sizeof *c);
	c->profile = profile;
	c->profile.last_server = c->profile.skew_us = c->profile.heard_us = 0;
	c->fiber = fiber;
	c->no = i;
	c->school = i == 1 ? 0 : (unsigned)draw(SIM_SCHOOLS); /* the first two are of one school: they meet */
	if (i == 0)
		c->school = 0;
	bool teacher = i > 2 && chance(300);
	snprintf(c->profile.school, sizeof c->profile.school, "%s", sim_schools[c->school]);
	snprintf(c->profile.session.user, sizeof c->profile.session.user, "%s-%u", teacher ? "tea" : "reg",
		c->school);
	c->profile.session.roles = 1u << role_by_name(teacher ? "class_teacher" : "registrar");
}

void world_run(uint64_t seed, const struct plan *limits, bool verbose, bool again)
{
	static bool made;

	if (!made) {
		disk_init();
		make_profiles();
		record_db_init();
		dispatch_init();
		made = true;
	}
	kernel_begin(seed);
	world.seed = seed;
	world.verbose = verbose;
	world.again = again;
	world.trace = UINT64_C(1469598103934665603);
	world.steps = world.lossy = 0;
	world.faults = true;
	round_no = 0;
	running = NULL;
	arena_free(&world.arena);
	arena_init(&world.arena, 256u << 20);
	draw_plan(limits);
	people_begin();
	world.ops_left = world.plan.ops;
	world.kill_step = draw_between(20, 400);
	disk_begin();
	pg_begin();
	net_begin();
	for (unsigned i = 0; i < world.plan.clients; i++)
		client_begin(&world.clients[i], i);
	db_begin(!world.plan.database ? SINGLE : world.plan.asynchronous ? ASYNCHRONOUS : SYNCHRONOUS);
	check_begin();
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		server_start(&world.servers[i]);
	for (unsigned i = 0; i < world.plan.clients; i++)
		client_start_after(&world.clients[i], draw_between(0, 2 * SECOND));
	bureau_begin();
	sim_at(2 * SECOND, NULL, go_wrong, NULL);
	while (world.ops_left && sim_now() < 3600 * SECOND && sim_step())
		;
	faults_stop();
	settle_all();
	if (!again)
		check_end();
	for (unsigned i = 0; i < world.plan.clients; i++)
		if (world.clients[i].store && world.clients[i].alive) {
			fiber_drop(world.clients[i].fiber);
			store_close(world.clients[i].store);
			world.clients[i].store = NULL;
		}
	sim_trace("end", world.steps, 0);
}
