#include "server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch.h"
#include "embedded.h"
#include "jobs.h"
#include "lint.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "pki.h"
#include "record_db.h"
#include "tls.h"
#include "worker.h"

#define READY_MS 60000 /* the database must answer within a minute of the start */
#define REVIVE_PAUSE_MS 500 /* before the second try to start a PostgreSQL that died; doubled up to */
#define REVIVE_PAUSE_MAX_MS 10000

bool deny_set_has(struct deny_set *set, const uint8_t spki[32])
{
	bool found = false;

	uv_rwlock_rdlock(&set->lock);
	for (size_t i = 0; i < set->count && !found; i++)
		found = memcmp(set->spki[i], spki, 32) == 0;
	uv_rwlock_rdunlock(&set->lock);
	return found;
}

void deny_set_add(struct deny_set *set, const uint8_t spki[32], int64_t generation)
{
	uv_rwlock_wrlock(&set->lock);
	if (set->count == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 64;
		void *grown = realloc(set->spki, cap * 32);
		if (!grown)
			abort(); /* fail closed: a server that cannot hold the deny list must not go on */
		set->spki = grown;
		set->cap = cap;
	}
	memcpy(set->spki[set->count++], spki, 32);
	if (generation > set->generation)
		set->generation = generation;
	uv_rwlock_wrunlock(&set->lock);
}

/* The main thread's loop: signals, jobs, /metrics. The workers' loops do the calls. */
struct main_loop {
	struct server *server;
	uv_loop_t loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t watch;
	struct jobs *jobs;
	struct metrics *metrics;
	bool ready, stopping, reviving, revived;
	uv_work_t revive;
	uint64_t revive_pause_ms, revive_at_ms; /* a disk that is full stays so for a while, and each try writes logs */
	uint64_t start_ms;
	int result;
};

static void wake_all(struct server *s)
{
	for (int i = 0; i < s->worker_count; i++)
		worker_wake(&s->workers[i]);
}

static void on_jobs_closed(void *data)
{
	struct main_loop *m = data;

	uv_close((uv_handle_t *)&m->term, NULL);
	uv_close((uv_handle_t *)&m->interrupt, NULL);
	uv_close((uv_handle_t *)&m->hangup, NULL);
	uv_close((uv_handle_t *)&m->watch, NULL);
}

static void stop(struct main_loop *m)
{
	if (m->stopping)
		return;
	m->stopping = true;
	atomic_store(&m->server->draining, true);
	notify_systemd("STOPPING=1");
	wake_all(m->server);
	metrics_close(m->metrics);
	jobs_close(m->jobs, on_jobs_closed, m);
}

static void on_term(uv_signal_t *signal, int number)
{
	log_info("signal %d: draining", number);
	stop(signal->data);
}

/* SIGHUP: reads jgd.ini again and takes what may change while running. A file that cannot be read or is wrong leaves
 * everything as it is (fail closed). */
static void on_hangup(uv_signal_t *signal, int number)
{
	struct main_loop *m = signal->data;
	struct conf fresh;
	struct problem p;

	(void)number;
	if (conf_load(&fresh, m->server->conf.dir, &p)) {
		log_error("reload refused, settings unchanged: %s", p.message);
		return;
	}
	m->server->conf.per_address = fresh.per_address;
	m->server->conf.grouping = fresh.grouping;
	log_info("settings reloaded: per_address=%d grouping=%d", fresh.per_address, fresh.grouping);
}

static bool all_ready(const struct main_loop *m)
{
	for (int i = 0; i < m->server->worker_count; i++)
		if (!stat_get(m->server->workers[i].stats.database_up))
			return false;
	return jobs_ready(m->jobs);
}

static void announce(struct main_loop *m)
{
	char clients[160], metrics[160];

	m->ready = true;
	conf_address_text(&m->server->conf.listen_addr, clients, sizeof clients);
	conf_address_text(&m->server->conf.metrics_addr, metrics, sizeof metrics);
	printf("ready %s metrics %s\n", clients, metrics);
	fflush(stdout);
	notify_systemd("READY=1");
	log_info("ready listen=%s metrics=%s workers=%d version=%s", clients, metrics, m->server->worker_count, JG_VERSION);
}

/* The operator sleeps at night: a private PostgreSQL that died is started again, off the loop. */
static void on_revive(uv_work_t *work)
{
	struct main_loop *m = work->data;
	struct problem p;
	bool started;

	m->revived = embedded_start(&m->server->conf, &started, &p) == ERR_OK;
	if (!m->revived)
		log_error("the private PostgreSQL does not start: %s", p.message);
	else if (started)
		log_warn("the private PostgreSQL had died and was started again");
}

static void on_revived(uv_work_t *work, int status)
{
	struct main_loop *m = work->data;

	(void)status;
	m->reviving = false;
	m->revive_pause_ms = m->revived ? 0 : m->revive_pause_ms ? m->revive_pause_ms * 2 : REVIVE_PAUSE_MS;
	if (m->revive_pause_ms > REVIVE_PAUSE_MAX_MS)
		m->revive_pause_ms = REVIVE_PAUSE_MAX_MS;
	m->revive_at_ms = uv_now(&m->loop) + m->revive_pause_ms;
}

static void watch_database(struct main_loop *m)
{
	if (!m->server->conf.embedded || m->reviving || m->stopping || uv_now(&m->loop) < m->revive_at_ms || embedded_lives(&m->server->conf))
		return;
	m->reviving = true;
	m->revive.data = m;
	uv_queue_work(&m->loop, &m->revive, on_revive, on_revived);
}

static void on_watch(uv_timer_t *timer)
{
	struct main_loop *m = timer->data;

	if (m->ready)
		watch_database(m);

	if (!m->ready && all_ready(m))
		announce(m);
	if (!m->ready && uv_now(&m->loop) - m->start_ms > READY_MS) {
		log_error("the database did not answer within %d s", READY_MS / 1000);
		m->result = 1;
		stop(m);
	}
}

static enum err start_workers(struct server *s)
{
	s->worker_count = s->conf.workers;
	s->workers = calloc((size_t)s->worker_count, sizeof *s->workers);
	if (!s->workers)
		return ERR_NOMEM;
	LINT_KEPT(s->workers);
	for (int i = 0; i < s->worker_count; i++) {
		enum err e = worker_init(&s->workers[i], s, i);
		if (e)
			return e;
		/* Port 0: the first loop learns the port, the others share it. */
		int n = sizeof s->conf.listen_addr;
		uv_tcp_getsockname(&s->workers[i].listener, (struct sockaddr *)&s->conf.listen_addr, &n);
	}
	for (int i = 0; i < s->worker_count; i++)
		if (worker_start(&s->workers[i]))
			return ERR_NOMEM;
	return ERR_OK;
}

static void init_signal(struct main_loop *m, uv_signal_t *signal, int number, uv_signal_cb cb)
{
	uv_signal_init(&m->loop, signal);
	signal->data = m;
	uv_signal_start(signal, cb, number);
}

static enum err main_loop_start(struct main_loop *m, struct problem *p)
{
	struct server *s = m->server;
	enum err e;

	uv_loop_init(&m->loop);
	m->start_ms = uv_now(&m->loop);
	if ((e = jobs_create(&m->jobs, s, &m->loop)) || (e = metrics_create(&m->metrics, s, &m->loop, p)) || (e = start_workers(s)))
		return p->code ? e : problem_set(p, e, NULL, NULL, tr("启动失败：端口被占用或内存不足", "cannot start: the port is taken, or memory is short"));
	init_signal(m, &m->term, SIGTERM, on_term);
	init_signal(m, &m->interrupt, SIGINT, on_term);
	init_signal(m, &m->hangup, SIGHUP, on_hangup);
	uv_timer_init(&m->loop, &m->watch);
	m->watch.data = m;
	uv_timer_start(&m->watch, on_watch, 20, 50);
	return ERR_OK;
}

enum err server_run(struct server *s, struct problem *p)
{
	struct main_loop m = {.server = s};

	*p = (struct problem){0};
	signal(SIGPIPE, SIG_IGN);
	uv_rwlock_init(&s->deny.lock);
	s->started_us = clock_monotonic_us();
	dispatch_init();
	record_db_init();
	s->tls = tls_context(true);
	enum err e = s->tls ? pki_load(&s->conf, s->tls, &s->ca_cert, &s->ca_key, &s->sign_key, p) : ERR_NOMEM;
	if (e || (e = main_loop_start(&m, p)))
		return e;
	uv_run(&m.loop, UV_RUN_DEFAULT);
	for (int i = 0; i < s->worker_count; i++)
		uv_thread_join(&s->workers[i].thread);
	uv_loop_close(&m.loop);
	free(s->workers);
	SSL_CTX_free(s->tls);
	X509_free(s->ca_cert);
	EVP_PKEY_free(s->ca_key);
	EVP_PKEY_free(s->sign_key);
	free(s->deny.spki);
	uv_rwlock_destroy(&s->deny.lock);
	log_info("stopped");
	return m.result ? problem_set(p, ERR_UNAVAILABLE, "database", NULL, NULL) : ERR_OK;
}
