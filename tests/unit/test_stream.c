/* Covers common/stream.c over a socket of this computer: order, back pressure, closing, and memory that runs
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nomem.h"
#include "stream.h"
#include "tls_identity.h"

static struct identity ca, leaf;
static SSL_CTX *client_ctx, *server_ctx;

struct side {
	struct stream stream; /* first: the events are given it */
	struct buf got;
	int ready, closed, drained;
	enum err why, opened;
	bool keep_first;
};

static struct bench {
	uv_loop_t loop;
	struct stream_shared shared;
	struct side client, server;
} * bench;

static bool on_first(struct stream *s)
{
	return !((struct side *)s)->keep_first;
}

static void on_ready(struct stream *s)
{
	((struct side *)s)->ready++;
}

static bool on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
	buf_add(&((struct side *)s)->got, bytes, n);
	return true;
}

static void on_drained(struct stream *s)
{
	((struct side *)s)->drained++;
}

static void on_closed(struct stream *s, enum err why)
{
	((struct side *)s)->closed++;
	((struct side *)s)->why = why;
}

static const struct stream_events events = {on_first, on_ready, on_data, on_drained, on_closed};

/* Ends whatever the two were doing, until libuv has let go of both. */
static void on_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static enum err side_open(struct side *s, int fd, bool server)
{
	uv_tcp_init(&bench->loop, &s->stream.tcp);
	assert_int_equal(uv_tcp_open(&s->stream.tcp, fd), 0);
	s->opened =
		stream_open(&s->stream, &bench->shared, server ? server_ctx : client_ctx, server, &events);
	if (s->opened)
		uv_close((uv_handle_t *)&s->stream.tcp, NULL);
	return s->opened;
}

/* A connection of this computer with itself. */
static void sockets(int *client, int *server)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at) | listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&at, &n);
	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*client, (struct sockaddr *)&at, sizeof at), 0);
	*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*server >= 0);
	close(listener);
}

static void open_pair(void)
{
	long in = nomem_in;
	int client, server;

	nomem_in = 0;
	bench = calloc(1, sizeof *bench);
	uv_loop_init(&bench->loop);
	stream_shared_init(&bench->shared, &bench->loop);
	sockets(&client, &server);
	nomem_in = in;
	side_open(&bench->server, server, true);
	side_open(&bench->client, client, false);
}

static void close_pair(void)
{
	uv_walk(&bench->loop, on_handle, NULL);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	tls_free(&bench->client.stream.tls); /* of those that the walk has closed, not the stream */
	tls_free(&bench->server.stream.tls);
	buf_free(&bench->client.got);
	buf_free(&bench->server.got);
	stream_shared_free(&bench->shared);
	free(bench);
}

static void turn(int times)
{
	for (int i = 0; i < times && uv_run(&bench->loop, UV_RUN_NOWAIT); i++)
		;
}

static void shake(void)
{
	for (int i = 0; i < 2000 && !(bench->client.ready && bench->server.ready) && !bench->client.closed &&
		!bench->server.closed;
		i++) {
		uv_run(&bench->loop, UV_RUN_NOWAIT);
		usleep(bench->client.ready && bench->server.ready ? 0 : 20);
	}
}

static void all_arrives_in_order(void **state)
{
	static uint8_t text[200000];

	(void)state;
	open_pair();
	/* before the handshake */
	assert_int_equal(stream_write(&bench->client.stream, text, 5), ERR_NOT_NOW);
	shake();
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 31 >> 3);
	for (size_t at = 0; at < sizeof text; at += 50000)
		assert_int_equal(stream_write(&bench->client.stream, text + at, 50000), ERR_OK);
	stream_close(&bench->client.stream, ERR_OK, true);  /* what is queued goes first */
	stream_close(&bench->client.stream, ERR_TLS, true); /* again: nothing new */
	for (int i = 0; i < 5000 && !bench->server.closed; i++) {
		turn(1);
		usleep(100);
	}
	turn(5);
	assert_int_equal(bench->server.got.len, sizeof text);
	assert_memory_equal(bench->server.got.data, text, sizeof text);
	assert_int_equal(bench->client.closed, 1);
	assert_int_equal(bench->client.why, ERR_OK);
	assert_int_equal(bench->server.closed, 1);
	assert_int_equal(bench->server.why, ERR_UNREACHABLE);
	assert_int_equal(bench->client.ready, 1);
	assert_true(bench->shared.bytes_out > sizeof text && bench->shared.bytes_in > sizeof text);
	close_pair();
}

/* A peer that does not read costs STREAM_CLOSE_BYTES and not a byte more than one write beyond. */
static void a_slow_peer_is_let_go(void **state)
{
	static uint8_t block[65536];
	enum err e = ERR_OK;

	(void)state;
	open_pair();
	shake();
	stream_pause(&bench->client.stream, true);
	int i = 0;
	for (; i < 2000 && !e; i++)
		e = stream_write(&bench->server.stream, block, sizeof block);
	assert_int_equal(e, ERR_TOO_LARGE);
	assert_int_equal(stream_write(&bench->server.stream, block, 1), ERR_NOT_NOW);
	turn(5);
	assert_int_equal(bench->server.closed, 1);
	assert_int_equal(bench->server.why, ERR_TOO_LARGE);
	close_pair();
}

static void a_stalled_peer_is_let_go(void **state)
{
	static uint8_t block[65536];

	(void)state;
	open_pair();
	shake();
	stream_check_stall(&bench->server.stream);
	stream_pause(&bench->client.stream, true);
	for (int i = 0; i < 2000 && !bench->server.stream.queued; i++)
		assert_int_equal(stream_write(&bench->server.stream, block, sizeof block), ERR_OK);
	stream_check_stall(&bench->server.stream);
	assert_false(stream_is_closing(&bench->server.stream));
	bench->server.stream.progress_ms -= STREAM_STALL_MS + 1; /* a minute later */
	stream_check_stall(&bench->server.stream);
	turn(5);
	assert_int_equal(bench->server.why, ERR_DEADLINE);
	close_pair();
}

static void turns(int n)
{
	for (int i = 0; i < n; i++) {
		turn(1);
		usleep(20);
	}
}

static void a_stranger_may_wait_before_a_handshake(void **state)
{
	(void)state;
	open_pair();
	bench->server.keep_first = true;
	turns(200);
	assert_int_equal(bench->server.stream.state, STREAM_OPEN);
	assert_true(bench->server.stream.first.len > 0);
	assert_int_equal(bench->server.ready, 0);
	assert_int_equal(bench->server.closed, 0);
	stream_go(&bench->server.stream);
	assert_int_equal(bench->server.stream.first.len, 0);
	shake();
	assert_int_equal(bench->server.ready, 1);
	close_pair();
}

/* Who goes away while he waits is found out when it is his turn. */
static void a_stranger_may_go_while_he_waits(void **state)
{
	(void)state;
	open_pair();
	bench->server.keep_first = true;
	turns(200);
	stream_close(&bench->client.stream, ERR_OK, false);
	turns(200);
	assert_int_equal(bench->server.closed, 0);
	stream_go(&bench->server.stream);
	turns(200);
	assert_int_equal(bench->server.closed, 1);
	assert_int_equal(bench->server.ready, 0);
	close_pair();
}

/* A handshake and a message that the kernel does not take at once. */
static enum err converse(void *data)
{
	static uint8_t block[65536];
	enum err e;

	(void)data;
	open_pair();
	e = bench->client.opened ? bench->client.opened : bench->server.opened;
	if (!e) {
		shake();
		if (bench->client.closed)
			e = bench->client.why;
		else if (bench->server.closed)
			e = bench->server.why;
		else
			e = ERR_OK;
	}
	if (!e) {
		stream_pause(&bench->client.stream, true);
		for (int i = 0; i < 2000 && !e && !bench->server.stream.queued; i++)
			e = stream_write(&bench->server.stream, block, sizeof block);
	}
	long left = nomem_in;
	nomem_in = 0;
	close_pair();
	nomem_in = left;
	return e;
}

static void memory_runs_out(void **state)
{
	(void)state;
	nomem_until_it_works("stream", converse, NULL, ERR_TLS, 2);
}

static int setup(void **state)
{
	(void)state;
	ca = issue(NULL, "county");
	leaf = issue(&ca, "jgd");
	client_ctx = client_context(&ca);
	server_ctx = server_context_of(&leaf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	identity_free(&ca);
	identity_free(&leaf);
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_arrives_in_order),
		cmocka_unit_test(a_slow_peer_is_let_go), cmocka_unit_test(a_stalled_peer_is_let_go),
		cmocka_unit_test(a_stranger_may_wait_before_a_handshake),
		cmocka_unit_test(a_stranger_may_go_while_he_waits), cmocka_unit_test(memory_runs_out)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
