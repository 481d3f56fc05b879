#include "server.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch.h"
#include "embedded.h"
#include "jobs.h"
#include "lang.h"
#include "lint.h"
#include "log.h"
#include "state.h"
#include "metrics.h"
#include "notify.h"
#include "pki.h"
#include "probe.h"
#include "record_db.h"
#include "tls.h"
#include "worker.h"

#define READY_MS 60000      /* the database must answer within a minute of the start */
#define PROBE_MS 10000      /* how long /readyz may be wrong about calls that fail */
#define PROBE_AGAIN_MS 2000 /* and about their being well again */
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

/* Of the process; entered by main_enter alone, drawn in README.md "State machines". */
enum main_state { MAIN_STARTING, MAIN_READY, MAIN_DRAINING, MAIN_STATES };

/* The main thread's loop: signals, jobs, /metrics. The workers' loops do the calls. */
struct main_loop {
	struct server *server;
	uv_loop_t loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t watch;
	struct jobs *jobs;
	struct metrics *metrics;
	enum main_state state;
	/* Work that is on its way off the loop, in any state; `revived`: how the last try ended. */
	bool reviving, revived, probing;
	uv_work_t revive, probe;
	uint64_t probe_at_ms;
	struct problem probe_fault; /* of the last probe */
	/* A full disk stays full for a while, and each try writes logs. */
	uint64_t revive_pause_ms, revive_at_ms;
	uint64_t start_ms;
	int result;
};

static void main_enter(struct main_loop *m, enum main_state to)
{
	static const char *const names[] = {"STARTING", "READY", "DRAINING"};
	static const uint32_t ways[MAIN_STATES] = {
		[MAIN_STARTING] = STATE(MAIN_READY) | STATE(MAIN_DRAINING),
		[MAIN_READY] = STATE(MAIN_DRAINING),
	};
	static const struct state_machine machine = {"main loop", names, ways};

	assert(!atomic_load(&m->server->draining)); /* the last state says so to the workers */
	m->state = (enum main_state)state_move(&machine, m->state, to);
}

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
	if (m->state == MAIN_DRAINING)
		return;
	main_enter(m, MAIN_DRAINING);
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

/* SIGHUP: reads jgd.ini again and takes what may change while running. A file that cannot be read or is wrong
 * leaves everything as it is (fail closed). */
static void on_hangup(uv_signal_t *signal, int number)
{
	struct main_loop *m = signal->data;
	struct conf fresh;
	struct problem p;
	char live[256], restart[256];

	(void)number;
	if (conf_load(&fresh, m->server->conf.dir, &p)) {
		log_error("reload refused, settings unchanged: %s: %s", p.message, p.hint);
		return;
	}
	size_t taken = conf_changes(&m->server->conf, &fresh, true, live, sizeof live),
	       waiting = conf_changes(&m->server->conf, &fresh, false, restart, sizeof restart);
	m->server->conf.per_address = fresh.per_address; /* conf is this thread's */
	m->server->conf.grouping = fresh.grouping;
	atomic_store(&m->server->per_address, fresh.per_address);
	atomic_store(&m->server->grouping, fresh.grouping);
	log_info("settings reloaded: %s", taken ? live : "nothing changed that a reload takes");
	if (waiting)
		log_warn("settings that changed and wait for a restart (systemctl restart jgd): %s", restart);
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

	main_enter(m, MAIN_READY);
	conf_address_text(&m->server->conf.listen_addr, clients, sizeof clients);
	conf_address_text(&m->server->conf.metrics_addr, metrics, sizeof metrics);
	printf("ready %s metrics %s\n", clients, metrics);
	fflush(stdout);
	notify_systemd("READY=1");
	log_info("ready listen=%s metrics=%s workers=%d version=%s", clients, metrics,
		m->server->worker_count, JG_VERSION);
}

/* The operator sleeps at night: a private PostgreSQL that died is started again, off the loop. */
static void on_revive(uv_work_t *work)
{
	struct main_loop *m = work->data;
	struct problem p;
	bool started;

	m->revived = embedded_start(&m->server->conf, &started, &p) == ERR_OK;
	if (!m->revived)
		log_error("the private PostgreSQL does not start: %s: %s", p.message, p.hint);
	else if (started)
		log_warn("the private PostgreSQL had died and was started again");
}

static void on_revived(uv_work_t *work, int status)
{
	struct main_loop *m = work->data;

	(void)status;
	m->reviving = false;
	if (m->revived)
		m->revive_pause_ms = 0;
	else if (m->revive_pause_ms)
		m->revive_pause_ms = m->revive_pause_ms * 2;
	else
		m->revive_pause_ms = REVIVE_PAUSE_MS;
	if (m->revive_pause_ms > REVIVE_PAUSE_MAX_MS)
		m->revive_pause_ms = REVIVE_PAUSE_MAX_MS;
	m->revive_at_ms = uv_now(&m->loop) + m->revive_pause_ms;
}

static void watch_database(struct main_loop *m)
{
	if (!m->server->conf.embedded || m->reviving || uv_now(&m->loop) < m->revive_at_ms ||
		embedded_lives(&m->server->conf))
		return;
	m->reviving = true;
	m->revive.data = m;
	uv_queue_work(&m->loop, &m->revive, on_revive, on_revived);
}

static void on_probe(uv_work_t *work)
{
	struct main_loop *m = work->data;

	m->probe_fault = (struct problem){0};
	probe_run(&m->server->conf, &m->probe_fault);
}

static void on_probed(uv_work_t *work, int status)
{
	struct main_loop *m = work->data;
	char *not_ready = m->server->not_ready;
	bool was = not_ready[0];

	(void)status;
	m->probing = false;
	if (m->probe_fault.code == ERR_UNREACHABLE) /* the pools know that, and when it is over, at once */
		snprintf(not_ready, sizeof m->server->not_ready, "%s", "");
	else
		snprintf(not_ready, sizeof m->server->not_ready, "%s%s%s", m->probe_fault.message,
			m->probe_fault.code ? " → " : "", m->probe_fault.hint);
	if (not_ready[0] && !was)
		log_error("not ready, calls fail: %s", not_ready);
	else if (was && !not_ready[0])
		log_info("ready again");
	m->probe_at_ms = uv_now(&m->loop) + (not_ready[0] ? PROBE_AGAIN_MS : PROBE_MS);
}

/* Whether /readyz may say so: what users run is run, on a fresh connection, off the loop. */
static void watch_calls(struct main_loop *m)
{
	if (m->probing || uv_now(&m->loop) < m->probe_at_ms)
		return;
	m->probing = true;
	m->probe.data = m;
	uv_queue_work(&m->loop, &m->probe, on_probe, on_probed);
}

static void on_watch(uv_timer_t *timer)
{
	struct main_loop *m = timer->data;

	if (m->state == MAIN_READY) {
		watch_database(m);
		watch_calls(m);
	}
	if (m->state != MAIN_STARTING)
		return;
	if (all_ready(m)) {
		announce(m);
	} else if (uv_now(&m->loop) - m->start_ms > READY_MS) {
		log_error("the database did not answer within %d s", READY_MS / 1000);
		m->result = 1;
		stop(m);
	}
}

/* Loops share the port (SO_REUSEPORT), which would let a second jgd in and give it every other client. Two
 * nets: a name in the kernel for as long as this process lives, and a bind that shares with nobody, for an
 * address that overlaps and for other programs. */
static int claim_port(const struct conf *conf)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t n = conf->listen_addr.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							      : sizeof(struct sockaddr_in);
	int on = 1, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    probe = socket(conf->listen_addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[160];

	conf_address_text(&conf->listen_addr, text, sizeof text);
	int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "jingguan %s", text);
	bool any = strcmp(strrchr(text, ':'), ":0") == 0; /* the kernel chooses one that is free */
	if (fd < 0 || probe < 0)
		return errno;
	setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on,
		sizeof on); /* connections of the last run may still be closing */
	int why = (!any &&
			  bind(fd, (const struct sockaddr *)&name,
				  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len))) ||
			bind(probe, (const struct sockaddr *)&conf->listen_addr, n) || listen(probe, 1)
		? errno
		: 0;
	close(probe);
	return why; /* fd stays open */
}

static enum err port_refused(const struct conf *conf, int why, struct problem *p)
{
	char hint[256];
	const char *port = strrchr(conf->listen, ':') + 1;

	if (why == EADDRINUSE)
		snprintf(hint, sizeof hint,
			_("ss -ltnp 'sport = :%s' 看是谁；停掉它，或改 jgd.ini 的 listen"), port);
	else
		snprintf(hint, sizeof hint, _("ip addr 看本机有哪些地址；改 jgd.ini 的 listen"));
	return problem_set(p, ERR_NOT_NOW, "listen", hint,
		why == EADDRINUSE ? _("端口 %s 已被另一个程序占用") : _("不能监听 %s：%s"), conf->listen,
		file_error_text(why));
}

static enum err start_workers(struct server *s)
{
	guesses_init(&s->guesses);
	atomic_store(&s->per_address, s->conf.per_address);
	atomic_store(&s->grouping, s->conf.grouping);
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
	if ((e = jobs_create(&m->jobs, s, &m->loop)) || (e = metrics_create(&m->metrics, s, &m->loop, p)) ||
		(e = start_workers(s)))
		return p->code ? e
			       : problem_set(p, e, NULL, _("free -h 看内存；减小 jgd.ini 的 workers"),
					 _("启动失败：%s"), _(err_info((int)e)->sentence));
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
	int why = claim_port(&s->conf);
	if (why)
		return port_refused(&s->conf, why, p);
	uv_rwlock_init(&s->deny.lock);
	s->started_us = clock_monotonic_us();
	dispatch_init();
	record_db_init();
	s->tls = tls_context(true);
	enum err e =
		s->tls ? pki_load(&s->conf, s->tls, &s->ca_cert, &s->ca_key, &s->sign_key, p) : ERR_NOMEM;
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
	return m.result ? problem_set(p, ERR_UNAVAILABLE, "database", NULL, _("数据库在 %d 秒内没有应答"),
				  READY_MS / 1000)
			: ERR_OK;
}
