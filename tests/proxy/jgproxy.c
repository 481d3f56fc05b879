/* jgproxy - a line that misbehaves: between jg and jgd on the loopback it delays, slices, resets, black-holes
 * and half-opens connections by a plan that one seed decides, so that a history can be repeated. For tests
 * only; never installed.
 *
 *   jgproxy --listen PORT --to 127.0.0.1:PORT --seed N
 *
 * Prints `ready PORT` (0 lets the system choose). Lines on standard input switch it:
 *   storm   new connections meet the fault that their number and the seed decide (the beginning)
 *   calm    faults stop: what hangs is reset, what is open and what comes passes clean
 *   cut     the line is down: what is open is reset, what comes too, until `calm` or `storm`
 *   counts  prints one JSON line: how often each fault took effect; so does the end of input, which ends the
 * program
 *
 * One thread. Memory: PAIRS_MAX connections of two buffers each; a direction whose buffer is full is not
 * read. */
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#define BUFFER 65536
#define PAIRS_MAX 256
#define DELAY_MAX_MS 40
#define SLICE_MAX 64      /* bytes at a time of a sliced connection */
#define THRESHOLD_BITS 14 /* a fault strikes after 1 … 2^14 bytes: inside the handshake, a push or a pull */

enum fault {
	CLEAN,
	DELAY,
	SLICE,
	RESET,
	BLACKHOLE,
	STALL_ONE,
	STALL_BOTH,
	HALF_CLOSE,
	HALF_DROP,
	CUT,
	FAULTS
};
static const char *const fault_names[FAULTS] = {"clean", "delay", "slice", "reset", "blackhole", "stall_one",
	"stall_both", "half_close", "half_drop", "cut"};
/* Of 100 connections in a storm. Much passes, or nothing would ever get far enough to be broken late. */
static const unsigned fault_share[FAULTS] = {24, 13, 20, 15, 5, 6, 5, 6, 6, 0};

enum mood { STORM, CALM, LINE_CUT };

struct pair;

/* One direction of a connection. */
struct half {
	struct pair *pair;
	uv_tcp_t *from, *to;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	uint8_t data[BUFFER];
	size_t len, writing;
	uint64_t passed;
	bool reading, ended,
		finished;      /* ended: nothing more will be read; finished: the other side was told */
	bool stalled, waiting; /* waiting: the timer runs, then it goes on */
};

/* A client's connection and its twin to the server. */
struct pair {
	struct proxy *proxy;
	struct pair *next;
	uv_tcp_t client, server;
	uv_connect_t connect;
	struct half half[2]; /* 0: client to server */
	enum fault fault;
	unsigned side;      /* the direction that the fault meets */
	uint64_t threshold; /* bytes in that direction before it strikes */
	uint64_t random;
	bool struck, dying;
	unsigned open; /* handles */
};

struct proxy {
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_pipe_t input;
	struct sockaddr_in to;
	uint64_t seed, connections, counts[FAULTS];
	enum mood mood;
	struct pair *pairs;
	unsigned pair_count;
	char line[64], chunk[256];
	size_t line_len;
};

/* splitmix64: good enough to choose faults, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static unsigned below(struct pair *p, unsigned n)
{
	return (unsigned)(next_random(&p->random) % n);
}

static void make_plan(struct pair *p)
{
	struct proxy *x = p->proxy;

	p->random = x->seed * 0xD1342543DE82EF95u + x->connections++;
	unsigned at = below(p, 100), f = CLEAN;
	for (; f < CUT && at >= fault_share[f]; f++)
		at -= fault_share[f];
	p->side = below(p, 2);
	p->threshold = 1 + (next_random(&p->random) & ((1u << (1 + below(p, THRESHOLD_BITS))) - 1));
	if (x->mood == STORM)
		p->fault = (enum fault)f;
	else if (x->mood == CALM)
		p->fault = CLEAN;
	else
		p->fault = CUT;
}

static void struck(struct pair *p)
{
	if (!p->struck)
		p->proxy->counts[p->fault]++;
	p->struck = true;
}

/* ---- ending ---- */

static void release(struct pair *p)
{
	struct pair **at = &p->proxy->pairs;

	if (--p->open)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->proxy->pair_count--;
	free(p);
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(((struct half *)handle->data)->pair);
}

static void close_end(uv_tcp_t *tcp, bool reset)
{
	if (uv_is_closing((uv_handle_t *)tcp))
		return;
	/* libuv refuses a reset while a shutdown is under way. */
	if (!reset || uv_tcp_close_reset(tcp, on_closed))
		uv_close((uv_handle_t *)tcp, on_closed);
}

static void pair_end(struct pair *p, bool reset)
{
	if (p->dying)
		return;
	p->dying = true;
	close_end(&p->client, reset);
	close_end(&p->server, reset);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&p->half[i].timer, on_timer_closed);
}

/* ---- moving bytes ---- */

static void half_move(struct half *h);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct pair *p = handle->data;
	struct half *h = &p->half[handle == (uv_handle_t *)&p->server];

	(void)suggested;
	*buf = uv_buf_init((char *)h->data + h->len, (unsigned)(BUFFER - h->len));
}

static void half_read(struct half *h, bool on);

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pair *p = stream->data;
	struct half *h = &p->half[stream == (uv_stream_t *)&p->server];

	(void)buf;
	if (n == UV_ENOBUFS) {
		half_read(h, false);
	} else if (n < 0 && h->stalled) {
		half_read(h, false); /* nobody is told, as when a cable is pulled */
	} else if (n == UV_EOF) {
		h->ended = true;
		half_read(h, false);
		half_move(h);
	} else if (n < 0) {
		pair_end(p, true);
	} else {
		h->len += (size_t)n;
		if (h->len == BUFFER)
			half_read(h, false);
		half_move(h);
	}
}

static void half_read(struct half *h, bool on)
{
	if (h->reading == on || uv_is_closing((uv_handle_t *)h->from))
		return;
	h->reading = on;
	if (on)
		uv_read_start((uv_stream_t *)h->from, on_alloc, on_read);
	else
		uv_read_stop((uv_stream_t *)h->from);
}

static void on_timer(uv_timer_t *timer)
{
	struct half *h = timer->data;

	h->waiting = false;
	half_move(h);
}

static void half_wait(struct half *h, unsigned ms)
{
	h->waiting = true;
	uv_timer_start(&h->timer, on_timer, ms, 0);
}

static void on_written(uv_write_t *write, int status)
{
	struct half *h = write->data;

	if (h->pair->dying)
		return;
	if (status < 0) {
		pair_end(h->pair, true);
		return;
	}
	h->passed += h->writing;
	h->len -= h->writing;
	memmove(h->data, h->data + h->writing, h->len);
	h->writing = 0;
	if (!h->ended)
		half_read(h, true);
	if (h->pair->fault == SLICE && h->len) {
		struck(h->pair);
		half_wait(h, below(h->pair, 8) == 0);
	}
	half_move(h);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	(void)shutdown;
	(void)status; /* a peer that is gone shows itself in reading */
}

/* Nothing more comes in this direction: the receiver is told, and when both know it is over. */
static void half_finish(struct half *h)
{
	struct pair *p = h->pair;

	if (h->finished)
		return;
	h->finished = true;
	if (p->half[0].finished && p->half[1].finished)
		pair_end(p, false);
	else if (uv_shutdown(&h->shutdown, (uv_stream_t *)h->to, on_shutdown))
		pair_end(p, true);
}

/* The planned fault strikes. False when the connection is gone. */
static bool strike(struct half *h)
{
	struct pair *p = h->pair;

	struck(p);
	switch (p->fault) {
	case RESET:
		pair_end(p, true);
		return false;
	case STALL_ONE:
		h->stalled = true;
		return true;
	case HALF_CLOSE: /* the receiver sees an end, the sender is not told */
		h->stalled = true;
		half_finish(h);
		return !p->dying;
	case HALF_DROP: /* the server's side goes away, the client is not told */
		p->half[0].stalled = p->half[1].stalled = true;
		half_read(&p->half[1], false);
		close_end(&p->server, false);
		return true;
	default: /* STALL_BOTH */
		p->half[0].stalled = p->half[1].stalled = true;
		return true;
	}
}

/* How much may go in one write; 0 when the fault strikes first. */
static size_t half_portion(struct half *h)
{
	struct pair *p = h->pair;
	size_t n = h->len;

	if (p->fault == SLICE) {
		unsigned slice = 1 + below(p, SLICE_MAX);
		return n < slice ? n : slice;
	}
	if (p->fault < RESET || p->struck || h != &p->half[p->side])
		return n;
	uint64_t left = p->threshold - h->passed;
	return n < left ? n : (size_t)left;
}

static void half_move(struct half *h)
{
	struct pair *p = h->pair;

	if (p->dying || h->stalled || h->waiting || h->writing)
		return;
	if (!h->len) {
		if (h->ended)
			half_finish(h);
		return;
	}
	if (p->fault == DELAY && below(p, 2)) {
		struck(p);
		half_wait(h, 1 + below(p, DELAY_MAX_MS));
		return;
	}
	size_t n = half_portion(h);
	if (!n) {
		if (strike(h))
			half_move(h);
		return;
	}
	uv_buf_t buf = uv_buf_init((char *)h->data, (unsigned)n);
	h->writing = n;
	h->write.data = h;
	if (uv_write(&h->write, (uv_stream_t *)h->to, &buf, 1, on_written))
		pair_end(p, true);
}

static void reset_all(struct proxy *x)
{
	for (struct pair *p = x->pairs; p; p = p->next)
		pair_end(p, true);
}

/* ---- beginning ---- */

static void on_connected(uv_connect_t *connect, int status)
{
	struct pair *p = connect->data;

	if (p->dying)
		return;
	if (status < 0) { /* jgd is down: the client sees it as it would without us */
		pair_end(p, true);
		return;
	}
	uv_tcp_nodelay(&p->server, 1);
	if (p->fault == CLEAN)
		struck(p);
	half_read(&p->half[0], true);
	half_read(&p->half[1], true);
}

static void half_init(struct half *h, struct pair *p, uv_tcp_t *from, uv_tcp_t *to)
{
	h->pair = p;
	h->from = from;
	h->to = to;
	uv_timer_init(&p->proxy->loop, &h->timer);
	h->timer.data = h;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct proxy *x = listener->data;
	if (x->pair_count >= PAIRS_MAX)
		reset_all(x);
	struct pair *p = status < 0 ? NULL : calloc(1, sizeof *p);
	if (!p)
		return;
	p->proxy = x;
	p->next = x->pairs;
	x->pairs = p;
	x->pair_count++;
	p->open = 4;
	uv_tcp_init(&x->loop, &p->client);
	uv_tcp_init(&x->loop, &p->server);
	p->client.data = p->server.data = p;
	half_init(&p->half[0], p, &p->client, &p->server);
	half_init(&p->half[1], p, &p->server, &p->client);
	make_plan(p);
	if (uv_accept(listener, (uv_stream_t *)&p->client)) {
		pair_end(p, false);
		return;
	}
	uv_tcp_nodelay(&p->client, 1);
	p->connect.data = p;
	if (p->fault == BLACKHOLE) {
		struck(p);
	} else if (p->fault == CUT) {
		struck(p);
		pair_end(p, true);
	} else if (uv_tcp_connect(&p->connect, &p->server, (const struct sockaddr *)&x->to, on_connected)) {
		pair_end(p, true);
	}
}

/* ---- control ---- */

static bool hangs(const struct pair *p)
{
	return p->fault == BLACKHOLE || p->half[0].stalled || p->half[1].stalled;
}

static void calm(struct proxy *x)
{
	x->mood = CALM;
	for (struct pair *p = x->pairs; p; p = p->next) {
		if (hangs(p))
			pair_end(p, true);
		p->fault = CLEAN;
		p->struck = true;
	}
}

static void print_counts(const struct proxy *x)
{
	printf("{\"connections\":%llu", (unsigned long long)x->connections);
	for (int i = 0; i < FAULTS; i++)
		printf(",\"%s\":%llu", fault_names[i], (unsigned long long)x->counts[i]);
	printf("}\n");
	fflush(stdout);
}

static void obey(struct proxy *x, const char *line)
{
	if (strcmp(line, "storm") == 0) {
		x->mood = STORM;
	} else if (strcmp(line, "calm") == 0) {
		calm(x);
	} else if (strcmp(line, "cut") == 0) {
		x->mood = LINE_CUT;
		reset_all(x);
	} else if (strcmp(line, "counts") == 0) {
		print_counts(x);
	} else {
		fprintf(stderr, "jgproxy: no such word: %s\n", line);
	}
}

static void on_input_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct proxy *x = handle->data;

	(void)suggested;
	*buf = uv_buf_init(x->chunk, sizeof x->chunk);
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct proxy *x = stream->data;

	if (n < 0) {
		print_counts(x);
		reset_all(x);
		uv_close((uv_handle_t *)&x->listener, NULL);
		uv_close((uv_handle_t *)&x->input, NULL);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		char c = buf->base[i];
		if (c != '\n') {
			if (x->line_len + 1 < sizeof x->line)
				x->line[x->line_len++] = c;
			continue;
		}
		x->line[x->line_len] = '\0';
		x->line_len = 0;
		obey(x, x->line);
	}
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "jgproxy: %s: %s\n", what, uv_strerror(code));
	return 1;
}

static int begin(struct proxy *x, int port)
{
	struct sockaddr_in at;
	int len = sizeof at, code;

	uv_loop_init(&x->loop);
	uv_tcp_init(&x->loop, &x->listener);
	uv_pipe_init(&x->loop, &x->input, 0);
	x->listener.data = x->input.data = x;
	uv_ip4_addr("127.0.0.1", port, &at);
	if ((code = uv_tcp_bind(&x->listener, (const struct sockaddr *)&at, 0)) ||
		(code = uv_listen((uv_stream_t *)&x->listener, 128, on_connection)))
		return fail("listen", code);
	if ((code = uv_pipe_open(&x->input, 0)) ||
		(code = uv_read_start((uv_stream_t *)&x->input, on_input_alloc, on_input)))
		return fail("standard input", code);
	uv_tcp_getsockname(&x->listener, (struct sockaddr *)&at, &len);
	printf("ready %d\n", ntohs(at.sin_port));
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static struct proxy x;
	int port = 0;
	bool to = false;

	for (int i = 1; i + 1 < argc; i += 2) {
		char *colon = strrchr(argv[i + 1], ':');
		if (strcmp(argv[i], "--listen") == 0) {
			port = atoi(argv[i + 1]);
		} else if (strcmp(argv[i], "--seed") == 0) {
			x.seed = strtoull(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--to") == 0 && colon) {
			*colon = '\0';
			to = uv_ip4_addr(argv[i + 1], atoi(colon + 1), &x.to) == 0;
		}
	}
	if (!to) {
		fprintf(stderr, "usage: jgproxy --listen PORT --to 127.0.0.1:PORT --seed N\n");
		return 2;
	}
	if (begin(&x, port))
		return 1;
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of one write */
	uv_run(&x.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&x.loop) ? fail("a handle was left open", UV_EBUSY) : 0;
}
