#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lang.h"
#include "worker.h"

#define REQUEST_MAX 2048 /* a scraper's request line and headers */
#define SILENT_S 120     /* a statement may take five minutes, and none of a call's does */
#define PEERS_MAX 16     /* scrapers and a probe; more is a mistake */
#define PEER_MS 5000     /* to say what it wants and take the answer: a silent peer must not hold a place */

struct metrics {
	struct server *server;
	uv_tcp_t listener;
	int peers;
};

struct peer {
	uv_tcp_t tcp;
	uv_write_t write;
	uv_timer_t timer;
	int handles; /* still open */
	struct metrics *metrics;
	char request[REQUEST_MAX];
	size_t len;
	struct buf out;
};

static uint64_t sum(const struct server *s, size_t offset)
{
	uint64_t total = 0;

	for (int i = 0; i < s->worker_count; i++)
		total += stat_get(*(atomic_ullong *)((char *)&s->workers[i].stats + offset));
	return total;
}

static uint64_t sum_small(const struct server *s, size_t offset)
{
	uint64_t total = 0;

	for (int i = 0; i < s->worker_count; i++)
		total += stat_get(*(atomic_uint *)((char *)&s->workers[i].stats + offset));
	return total;
}

#define STAT(field) offsetof(struct worker_stats, field)

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP jingguan_%s %s\n# TYPE jingguan_%s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
	head(b, name, type, help);
	buf_printf(b, "jingguan_%s %llu\n", name, (unsigned long long)value);
}

static void write_calls(struct buf *b, const struct server *s)
{
	head(b, "calls_total", "counter", "Calls answered, by method.");
	for (size_t i = 0; i < METHOD_COUNT; i++)
		buf_printf(b, "jingguan_calls_total{method=\"%s\"} %llu\n", method_table[i].name,
			(unsigned long long)sum(s, STAT(calls) + i * sizeof(atomic_ullong)));
	head(b, "call_errors_total", "counter", "Calls answered with an error, by method.");
	for (size_t i = 0; i < METHOD_COUNT; i++)
		buf_printf(b, "jingguan_call_errors_total{method=\"%s\"} %llu\n", method_table[i].name,
			(unsigned long long)sum(s, STAT(errors) + i * sizeof(atomic_ullong)));
	head(b, "call_duration_seconds", "histogram", "Time from frame to answer, by method.");
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		uint64_t calls = 0;
		const char *name = method_table[i].name;
		for (unsigned k = 0; k < LATENCY_BUCKETS; k++) {
			calls += sum(s, STAT(latency) + (i * LATENCY_BUCKETS + k) * sizeof(atomic_ullong));
			if (k < LATENCY_BUCKETS - 1)
				buf_printf(b,
					"jingguan_call_duration_seconds_bucket{method=\"%s\",le=\"%g\"} "
					"%llu\n",
					name, (double)(UINT64_C(64) << k) / 1e6, (unsigned long long)calls);
		}
		buf_printf(b, "jingguan_call_duration_seconds_bucket{method=\"%s\",le=\"+Inf\"} %llu\n", name,
			(unsigned long long)calls);
		buf_printf(b, "jingguan_call_duration_seconds_sum{method=\"%s\"} %g\n", name,
			(double)sum(s, STAT(latency_sum_us) + i * sizeof(atomic_ullong)) / 1e6);
		buf_printf(b, "jingguan_call_duration_seconds_count{method=\"%s\"} %llu\n", name,
			(unsigned long long)calls);
	}
}

static void write_metrics(struct buf *b, const struct server *s)
{
	one(b, "uptime_seconds", "gauge", "Seconds since the start.",
		(clock_monotonic_us() - s->started_us) / 1000000);
	one(b, "connections", "gauge", "Open connections.", sum_small(s, STAT(connections)));
	one(b, "connections_accepted_total", "counter", "Connections accepted.", sum(s, STAT(accepted)));
	one(b, "handshakes_total", "counter", "TLS handshakes completed.", sum(s, STAT(handshakes)));
	one(b, "tls_failed_total", "counter", "Connections that TLS refused.", sum(s, STAT(tls_failed)));
	head(b, "closed_total", "counter", "Connections closed by a limit, by its name.");
	for (size_t i = 0; i < CLOSE_REASONS; i++)
		buf_printf(b, "jingguan_closed_total{limit=\"%s\"} %llu\n",
			close_reason_name((enum close_reason)i),
			(unsigned long long)sum(s, STAT(closed_by_limit) + i * sizeof(atomic_ullong)));
	one(b, "received_bytes_total", "counter", "Ciphertext received.", sum(s, STAT(bytes_in)));
	one(b, "sent_bytes_total", "counter", "Ciphertext sent.", sum(s, STAT(bytes_out)));
	one(b, "pushes_total", "counter", "Pushes committed.", sum(s, STAT(pushes)));
	one(b, "operations_total", "counter", "Operations answered.", sum(s, STAT(ops)));
	one(b, "push_groups_total", "counter", "Transactions that pushes were committed in.",
		sum(s, STAT(groups)));
	one(b, "database_connections_busy", "gauge", "Pool connections in use.",
		sum_small(s, STAT(pool_busy)));
	one(b, "database_waiting", "gauge", "Tasks that wait for a connection.",
		sum_small(s, STAT(pool_waiting)));
	head(b, "loop_lag_seconds", "gauge", "Worst delay of a loop's last tick.");
	for (int i = 0; i < s->worker_count; i++)
		buf_printf(b, "jingguan_loop_lag_seconds{loop=\"%d\"} %g\n", i,
			(double)stat_get(s->workers[i].stats.loop_lag_us) / 1e6);
	write_calls(b, s);
}

static void on_peer_closed(uv_handle_t *handle)
{
	struct peer *p = handle->data;

	if (--p->handles)
		return;
	p->metrics->peers--;
	buf_free(&p->out);
	free(p);
}

static void peer_close(struct peer *p)
{
	if (uv_is_closing((uv_handle_t *)&p->tcp))
		return;
	uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
	uv_close((uv_handle_t *)&p->timer, on_peer_closed);
}

static void on_peer_late(uv_timer_t *timer)
{
	peer_close(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	peer_close((struct peer *)write->handle);
}

static unsigned most_silent_s(const struct server *s)
{
	unsigned most = 0;

	for (int i = 0; i < s->worker_count; i++) {
		unsigned ms = stat_get(s->workers[i].stats.silent_ms);
		most = ms > most ? ms : most;
	}
	return most / 1000;
}

static bool is_ready(const struct server *s)
{
	return !atomic_load(&s->draining) && !s->not_ready[0] && most_silent_s(s) < SILENT_S &&
		sum_small(s, STAT(database_up)) == (uint64_t)s->worker_count;
}

static void say_why(const struct server *s, struct buf *body)
{
	buf_printf(body, "not ready%s%s\n", s->not_ready[0] ? ": " : "", s->not_ready);
	if (most_silent_s(s) >= SILENT_S)
		buf_printf(body, _("数据库 %u 秒没有应答一条语句；jgd doctor 看数据库\n"), most_silent_s(s));
}

static void answer(struct peer *p)
{
	const struct server *s = p->metrics->server;
	struct buf body = {0};
	const char *status = "200 OK", *type = "text/plain; charset=utf-8";

	if (strncmp(p->request, "GET /metrics ", 13) == 0) {
		type = "text/plain; version=0.0.4; charset=utf-8";
		write_metrics(&body, s);
	} else if (strncmp(p->request, "GET /healthz ", 13) == 0) {
		buf_text(&body, "ok\n");
	} else if (strncmp(p->request, "GET /readyz ", 12) == 0) {
		status = is_ready(s) ? status : "503 Service Unavailable";
		if (is_ready(s))
			buf_text(&body, "ready\n");
		else
			say_why(s, &body);
	} else {
		status = "404 Not Found";
		buf_text(&body, "/metrics /healthz /readyz\n");
	}
	buf_printf(&p->out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
		type, body.len);
	buf_add(&p->out, body.data, body.len);
	buf_free(&body);
	uv_buf_t b = uv_buf_init((char *)p->out.data, (unsigned)p->out.len);
	uv_read_stop((uv_stream_t *)&p->tcp);
	if (p->out.failed || uv_write(&p->write, (uv_stream_t *)&p->tcp, &b, 1, on_written))
		peer_close(p);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
	struct peer *p = (struct peer *)handle;

	(void)suggested;
	*b = uv_buf_init(p->request + p->len, (unsigned)(REQUEST_MAX - 1 - p->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct peer *p = (struct peer *)stream;

	(void)b;
	if (n < 0) {
		peer_close(p);
		return;
	}
	p->len += (size_t)n;
	p->request[p->len] = 0;
	if (strstr(p->request, "\r\n\r\n"))
		answer(p);
	else if (p->len == REQUEST_MAX - 1)
		peer_close(p);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct metrics *m = listener->data;
	struct peer *p = status < 0 ? NULL : calloc(1, sizeof *p);

	if (!p)
		return;
	p->metrics = m;
	m->peers++;
	uv_tcp_init(listener->loop, &p->tcp);
	uv_timer_init(listener->loop, &p->timer);
	p->tcp.data = p->timer.data = p;
	p->handles = 2;
	uv_timer_start(&p->timer, on_peer_late, PEER_MS, 0);
	if (uv_accept(listener, (uv_stream_t *)&p->tcp) || m->peers > PEERS_MAX)
		peer_close(p);
	else
		uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
}

enum err metrics_create(struct metrics **out, struct server *s, uv_loop_t *loop, struct problem *p)
{
	struct metrics *m = calloc(1, sizeof *m);
	int n = sizeof s->conf.metrics_addr;

	if (!m)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	m->server = s;
	uv_tcp_init(loop, &m->listener);
	m->listener.data = m;
	int e = uv_tcp_bind(&m->listener, (struct sockaddr *)&s->conf.metrics_addr, 0);
	if (e || (e = uv_listen((uv_stream_t *)&m->listener, PEERS_MAX, on_connection)))
		return problem_set(p, ERR_NOT_NOW, "metrics",
			_("改 jgd.ini 的 metrics；ss -ltnp 看端口被谁占用"),
			_("不能监听 metrics 端口 %s（%s）"), s->conf.metrics, uv_strerror(e));
	uv_tcp_getsockname(&m->listener, (struct sockaddr *)&s->conf.metrics_addr, &n);
	*out = m;
	return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void metrics_close(struct metrics *m)
{
	uv_close((uv_handle_t *)&m->listener, on_closed);
}
