/* load - makes load for script/bench, one JSON line a run. Uses the product's own client core, so that what
 * is measured is what a school's computer does.
 *
 *   load push ROWS BATCH PROFILE…              pushes fresh student records, one thread a profile
 *   load push1 SECONDS PROFILE…                one-record pushes, each when the one before is answered
 *   load pull PROFILE…                         pulls the school's stream from 0
 *   load libpq CONNINFO SCHOOL…                reads the same rows by libpq, one connection a school
 *   load echo PORT DIR                         a bare libuv TLS echo of frames, until it is killed
 *   load calls SECONDS N HOST:PORT PROFILE [echo]
 *                                              small calls, one in flight on each of N connections
 *   load handshakes N HOST:PORT PROFILE ALPN   full mTLS handshakes, one after another, on two threads
 *   load idle N HOST:PORT PROFILE              opens N mTLS connections, prints when they stand, waits for
 *                                              the end of its input
 *   load watch N HOST:PORT PROFILE             N logged-in connections that watch; prints when they stand, and
 *                                              when half, 99 of 100 and all were told of something
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <sodium.h>

#include "clock.h"
#include "envelope.h"
#include "hash.h"
#include "link.h"
#include "login.h"
#include "record.h"
#include "stream.h"
#include "tables.h"

#define THREADS_MAX 256
#define WATCHERS_MAX 20000
#define WATCHERS_AT_ONCE 64 /* that are not yet logged in */

static double seconds_since(uint64_t begun)
{
	return (double)(clock_monotonic_us() - begun) / 1e6;
}

static void die(const char *what, const struct problem *p)
{
	fprintf(stderr, "load: %s: %s\n", what, p ? p->message : strerror(errno));
	exit(1);
}

/* ---- pushing ---- */

struct job {
	pthread_t thread;
	const char *profile_dir;
	struct profile profile;
	struct link *link;
	size_t rows, batch, done;
	pb_push_request *requests;
	size_t request_count;
	uint64_t next_op;
	uint32_t incarnation;
	double limit_s;
};

static pthread_barrier_t barrier;

static void open_job(struct job *j)
{
	struct problem p = {0};

	if (profile_open(&j->profile, j->profile_dir, &p) || login_link(&j->link, &j->profile, NULL, &p))
		die(j->profile_dir, &p);
	j->next_op = link_welcome(j->link)->last_op + 1;
	j->incarnation = link_welcome(j->link)->incarnation;
}

/* A student that passes every check: about what a roster row weighs. */
static void make_op(struct job *j, ProtobufCBinaryData *out)
{
	static atomic_uint counter;
	unsigned n = atomic_fetch_add(&counter, 1);
	static unsigned run;
	struct record r;
	struct buf body = {0};
	char name[40], no[40], phone[40];
	pb_op op = PB_OP_INIT;
	uint8_t id[16];

	if (!run)
		run = 1 + randombytes_uniform(0xFFFFFF);
	record_init(&r, kind_by_number(KIND_STUDENT));
	snprintf(name, sizeof name, "学生%u", n);
	snprintf(no, sizeof no, "P%06X%08u", run, n);
	snprintf(phone, sizeof phone, "青阳镇人民路%u号", n % 900);
	record_set_text(&r, F_STUDENT_NAME, name);
	record_set_text(&r, F_STUDENT_CERT_TYPE, "A");
	record_set_text(&r, F_STUDENT_CERT_NO, no);
	record_set_text(&r, F_STUDENT_GENDER, n % 2 ? "1" : "2");
	record_set_number(&r, F_STUDENT_BIRTH, 20140315);
	record_set_text(&r, F_STUDENT_ETHNIC, "01");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, "3");
	record_set_text(&r, F_STUDENT_STATUS, "01");
	record_set_text(&r, F_STUDENT_HUKOU_AREA, "329999100001");
	record_set_text(&r, F_STUDENT_LIVE_AREA, "329999100002");
	record_set_text(&r, F_STUDENT_LIVE_ADDRESS, phone);
	record_encode(&r, &body);
	id_make(id, clock_now_us());
	op.has_version = op.has_op_no = op.has_incarnation = op.has_at = op.has_action = op.has_kind =
		op.has_id = op.has_body = 1;
	op.version = 1;
	op.op_no = j->next_op++;
	op.incarnation = j->incarnation;
	op.author = j->profile.session.user;
	op.at = clock_now_us();
	op.action = JINGGUAN__V1__ACTION__PUT;
	op.kind = KIND_STUDENT;
	op.id = (ProtobufCBinaryData){16, id};
	op.body = (ProtobufCBinaryData){body.len, body.data};
	out->len = protobuf_c_message_get_packed_size(&op.base);
	out->data = malloc(out->len);
	protobuf_c_message_pack(&op.base, out->data);
	buf_free(&body);
}

static void make_requests(struct job *j)
{
	j->request_count = (j->rows + j->batch - 1) / j->batch;
	j->requests = calloc(j->request_count, sizeof *j->requests);
	for (size_t i = 0, left = j->rows; i < j->request_count; i++) {
		pb_push_request *q = &j->requests[i];
		*q = (pb_push_request)PB_PUSH_REQUEST_INIT;
		q->has_incarnation = 1;
		q->incarnation = j->incarnation;
		q->n_op = left < j->batch ? left : j->batch;
		q->op = calloc(q->n_op, sizeof *q->op);
		for (size_t k = 0; k < q->n_op; k++)
			make_op(j, &q->op[k]);
		left -= q->n_op;
	}
}

static void push_one(struct job *j, const pb_push_request *q)
{
	struct problem p = {0};
	struct arena arena;
	const ProtobufCMessage *reply;

	arena_init(&arena, 4u << 20);
	if (link_ask(j->link, METHOD_SYNC_PUSH, &q->base, &arena, &reply, &p))
		die("push", &p);
	const pb_push_reply *answer = (const pb_push_reply *)reply;
	for (size_t i = 0; i < answer->n_result; i++)
		if (answer->result[i]->outcome != JINGGUAN__V1__OUTCOME__APPLIED) {
			fprintf(stderr, "load: op not applied: %s %s\n",
				answer->result[i]->field ? answer->result[i]->field : "",
				answer->result[i]->message);
			exit(1);
		}
	if (answer->n_result != q->n_op)
		die("answered in part", NULL);
	j->done += q->n_op;
	arena_free(&arena);
}

static void *push_thread(void *data)
{
	struct job *j = data;

	open_job(j);
	make_requests(j);
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < j->request_count; i++)
		push_one(j, &j->requests[i]);
	return NULL;
}

static void *push1_thread(void *data)
{
	struct job *j = data;

	open_job(j);
	j->batch = 1;
	j->rows = 4000;
	make_requests(j);
	pthread_barrier_wait(&barrier);
	uint64_t begun = clock_monotonic_us();
	for (size_t i = 0; i < j->request_count && seconds_since(begun) < j->limit_s; i++)
		push_one(j, &j->requests[i]);
	return NULL;
}

static bool count_changes(void *data, const ProtobufCMessage *reply)
{
	struct job *j = data;

	j->done += ((const pb_pull_reply *)reply)->n_change;
	return true;
}

static void *pull_thread(void *data)
{
	struct job *j = data;
	struct problem p = {0};
	pb_pull_request q = PB_PULL_REQUEST_INIT;

	open_job(j);
	q.has_stream = 1;
	q.stream = strtoll(j->profile.school, NULL, 10);
	pthread_barrier_wait(&barrier);
	if (link_call(j->link, METHOD_SYNC_PULL, &q.base, count_changes, j, &p))
		die("pull", &p);
	return NULL;
}

static void run_jobs(struct job *jobs, int n, void *(*run)(void *))
{
	size_t done = 0;

	pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
	for (int i = 0; i < n; i++)
		pthread_create(&jobs[i].thread, NULL, run, &jobs[i]);
	pthread_barrier_wait(&barrier);
	uint64_t begun = clock_monotonic_us();
	for (int i = 0; i < n; i++) {
		pthread_join(jobs[i].thread, NULL);
		done += jobs[i].done;
	}
	double s = seconds_since(begun);
	printf("{\"n\": %zu, \"seconds\": %.4f, \"per_second\": %.1f}\n", done, s, (double)done / s);
}

/* ---- libpq ---- */

struct reader {
	pthread_t thread;
	const char *conninfo, *school;
	size_t done;
};

static void *libpq_thread(void *data)
{
	struct reader *r = data;
	PGconn *db = PQconnectdb(r->conninfo);

	if (PQstatus(db) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(db));
		exit(1);
	}
	pthread_barrier_wait(&barrier);
	PGresult *res = PQexecParams(db,
		"SELECT f.seq, s.* FROM feed f JOIN student s ON s.county = f.county AND s.rec_id = f.rec_id"
		" WHERE f.county = 329999 AND f.stream_id = $1::bigint AND f.seq > 0 ORDER BY f.seq",
		1, NULL, &r->school, NULL, NULL, 1);
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s", PQerrorMessage(db));
		exit(1);
	}
	r->done = (size_t)PQntuples(res);
	PQclear(res);
	PQfinish(db);
	return NULL;
}

static void run_libpq(const char *conninfo, char **schools, int n)
{
	struct reader readers[THREADS_MAX] = {0};
	size_t done = 0;

	pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
	for (int i = 0; i < n; i++) {
		readers[i].conninfo = conninfo;
		readers[i].school = schools[i];
		pthread_create(&readers[i].thread, NULL, libpq_thread, &readers[i]);
	}
	pthread_barrier_wait(&barrier);
	uint64_t begun = clock_monotonic_us();
	for (int i = 0; i < n; i++) {
		pthread_join(readers[i].thread, NULL);
		done += readers[i].done;
	}
	double s = seconds_since(begun);
	printf("{\"n\": %zu, \"seconds\": %.4f, \"per_second\": %.1f}\n", done, s, (double)done / s);
}

/* ---- small calls, and the bare echo ---- */

static struct stream_shared shared;

struct peer {
	struct stream stream;
	uv_connect_t connect;
	struct frame_reader reader;
	uint32_t call;
	bool echo_server, told;
};

static SSL_CTX *context;
static uint64_t calls_done;
static bool plain_echo;

static uint32_t any_size(void *data, const struct frame *header)
{
	(void)data;
	(void)header;
	return FRAME_MAX;
}

static void send_frame(
	struct peer *p, enum frame_type type, uint16_t method, uint32_t call, const void *body, uint32_t n)
{
	struct buf out = {0};
	struct frame f = {.type = (uint8_t)type, .method = method, .call = call, .length = n, .body = body};

	frame_append(&out, &f);
	stream_write(&p->stream, out.data, out.len);
	buf_free(&out);
}

static struct profile the_profile;

/* Those that watch: how many are to, stand, and have been told; when, in µs. */
static int watchers, watching;
static int64_t told_at[WATCHERS_MAX];
static int told_count;
static void open_peer(const struct sockaddr_in *to);
static struct sockaddr_in watched;

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* What comes while others still log in is of something else. */
static void take_event(struct peer *p)
{
	if (watching < watchers || p->told)
		return;
	p->told = true;
	told_at[told_count++] = clock_now_us();
	if (told_count < watchers)
		return;
	qsort(told_at, (size_t)told_count, sizeof *told_at, by_time);
	printf("{\"p50\": %.6f, \"p99\": %.6f, \"last\": %.6f}\n", (double)told_at[told_count / 2] / 1e6,
		(double)told_at[told_count * 99 / 100] / 1e6, (double)told_at[told_count - 1] / 1e6);
	exit(0);
}

/* The first answer is to RESUME, the second to WATCH. */
static bool take_watch_reply(struct peer *p)
{
	if (p->call == 1)
		return false;
	if (++watching == watchers) {
		printf("standing\n");
		fflush(stdout);
	} else if (watching + WATCHERS_AT_ONCE <= watchers) {
		open_peer(&watched);
	}
	return true;
}

static void next_call(struct peer *p)
{
	p->call += 2;
	/* Sync.Watch: dispatch, permission, decoding, reply; nothing of it waits for the database. */
	send_frame(p, FRAME_CALL, METHOD_SYNC_WATCH, p->call, NULL, 0);
}

static void say_hello(struct peer *p)
{
	pb_hello hello = PB_HELLO_INIT;
	uint8_t body[128];

	hello.has_version_min = hello.has_version_max = 1;
	hello.version_min = hello.version_max = 1;
	send_frame(p, FRAME_HELLO, 0, 0, body, (uint32_t)protobuf_c_message_pack(&hello.base, body));
}

static void resume(struct peer *p)
{
	static const char label[] = "jingguan session";
	pb_resume_request q = PB_RESUME_REQUEST_INIT;
	uint8_t exporter[32], proof[32], sha[32], body[128];
	crypto_auth_hmacsha256_state state;

	tls_exporter(&p->stream.tls, exporter);
	crypto_hash_sha256(sha, the_profile.session.token, 32);
	crypto_auth_hmacsha256_init(&state, sha, 32);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)label, sizeof label - 1);
	crypto_auth_hmacsha256_update(&state, exporter, 32);
	crypto_auth_hmacsha256_final(&state, proof);
	q.has_session = q.has_proof = 1;
	q.session = (ProtobufCBinaryData){16, the_profile.session.id};
	q.proof = (ProtobufCBinaryData){32, proof};
	p->call = 1;
	send_frame(p, FRAME_CALL, METHOD_SESSION_RESUME, 1, body,
		(uint32_t)protobuf_c_message_pack(&q.base, body));
}

static void on_peer_ready(struct stream *s)
{
	struct peer *p = (struct peer *)s;

	if (p->echo_server)
		return;
	if (plain_echo)
		next_call(p);
	else
		say_hello(p);
}

static bool on_peer_data(struct stream *s, const uint8_t *bytes, size_t n)
{
	struct peer *p = (struct peer *)s;
	struct frame f;
	bool done;

	while (n) {
		if (frame_reader_feed(&p->reader, &bytes, &n, any_size, NULL, &f, &done))
			return false;
		if (!done)
			continue;
		if (p->echo_server) {
			send_frame(p, FRAME_REPLY, f.method, f.call, f.body, f.length);
		} else if (f.type == FRAME_WELCOME) {
			resume(p);
		} else if (f.type == FRAME_EVENT && watchers) {
			take_event(p);
		} else if (f.type == FRAME_REPLY && watchers && take_watch_reply(p)) {
			continue;
		} else if (f.type == FRAME_REPLY) {
			calls_done++;
			next_call(p);
		} else if (f.type == FRAME_ERROR || f.type == FRAME_GOAWAY) {
			fprintf(stderr, "load: refused\n");
			exit(1);
		}
	}
	return true;
}

static void on_peer_closed(struct stream *s, enum err why)
{
	struct peer *p = (struct peer *)s;

	if (!p->echo_server && why) {
		fprintf(stderr, "load: connection lost: %s\n", err_info((int)why)->name);
		exit(1);
	}
	frame_reader_free(&p->reader);
	free(p);
}

static const struct stream_events peer_events = {NULL, on_peer_ready, on_peer_data, NULL, on_peer_closed};

static SSL_CTX *client_context(const char *alpn)
{
	SSL_CTX *ctx = tls_context(false);
	unsigned char wire[64];
	size_t n = strlen(alpn);

	wire[0] = (unsigned char)n;
	memcpy(wire + 1, alpn, n);
	if (n)
		SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)n + 1);
	SSL_CTX_use_certificate(ctx, the_profile.cert);
	SSL_CTX_use_PrivateKey(ctx, the_profile.key);
	return ctx;
}

static void address_of(const char *text, struct sockaddr_in *out)
{
	char host[64];
	const char *colon = strrchr(text, ':');

	snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
	uv_ip4_addr(host, atoi(colon + 1), out);
}

static void on_connected(uv_connect_t *req, int status)
{
	struct peer *p = req->data;

	if (status || stream_open(&p->stream, &shared, context, false, &peer_events))
		die("connect", NULL);
}

static void on_limit(uv_timer_t *timer)
{
	double s = *(double *)timer->data;

	printf("{\"n\": %llu, \"seconds\": %.4f, \"per_second\": %.1f}\n", (unsigned long long)calls_done, s,
		(double)calls_done / s);
	exit(0);
}

static void on_warm(uv_timer_t *timer)
{
	(void)timer;
	calls_done = 0;
}

static void open_peer(const struct sockaddr_in *to)
{
	struct peer *p = calloc(1, sizeof *p);

	uv_tcp_init(uv_default_loop(), &p->stream.tcp);
	p->connect.data = p;
	p->call = (uint32_t)-1;
	uv_tcp_connect(&p->connect, &p->stream.tcp, (const struct sockaddr *)to, on_connected);
}

static void run_watch(int n, const char *address)
{
	if (n < WATCHERS_AT_ONCE || n > WATCHERS_MAX) {
		fprintf(stderr, "load: %d to %d watch\n", WATCHERS_AT_ONCE, WATCHERS_MAX);
		exit(2);
	}
	watchers = n;
	address_of(address, &watched);
	context = client_context(ALPN_CALLS);
	stream_shared_init(&shared, uv_default_loop());
	for (int i = 0; i < WATCHERS_AT_ONCE; i++)
		open_peer(&watched);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static void run_calls(double limit, int conns, const char *address)
{
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in to;
	uv_timer_t timer, warm;

	address_of(address, &to);
	context = client_context(ALPN_CALLS);
	stream_shared_init(&shared, loop);
	for (int i = 0; i < conns; i++)
		open_peer(&to);
	uv_timer_init(loop, &warm);
	uv_timer_start(&warm, on_warm, 1000, 0);
	uv_timer_init(loop, &timer);
	timer.data = &limit;
	uv_timer_start(&timer, on_limit, 1000 + (uint64_t)(limit * 1000), 0);
	uv_run(loop, UV_RUN_DEFAULT);
}

static void on_echo_connection(uv_stream_t *listener, int status)
{
	struct peer *p = calloc(1, sizeof *p);

	(void)status;
	p->echo_server = true;
	uv_tcp_init(listener->loop, &p->stream.tcp);
	if (uv_accept(listener, (uv_stream_t *)&p->stream.tcp) ||
		stream_open(&p->stream, &shared, context, true, &peer_events))
		exit(1);
}

static int on_echo_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
	unsigned in_len, void *data)
{
	(void)ssl;
	(void)data;
	(void)in_len;
	*out = in + 1;
	*len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

/* cert and key of the data directory: the same handshake cost as jgd's. */
static void run_echo(int port, const char *dir)
{
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in at;
	static uv_tcp_t listener;
	char path[600];

	context = tls_context(true);
	snprintf(path, sizeof path, "%s/server.pem", dir);
	SSL_CTX_use_certificate_file(context, path, SSL_FILETYPE_PEM);
	snprintf(path, sizeof path, "%s/server.key", dir);
	if (SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1)
		die(path, NULL);
	SSL_CTX_set_alpn_select_cb(context, on_echo_alpn, NULL);
	stream_shared_init(&shared, loop);
	uv_ip4_addr("127.0.0.1", port, &at);
	uv_tcp_init(loop, &listener);
	if (uv_tcp_bind(&listener, (struct sockaddr *)&at, 0) ||
		uv_listen((uv_stream_t *)&listener, 512, on_echo_connection))
		die("listen", NULL);
	printf("ready\n");
	fflush(stdout);
	uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- handshakes and idle connections: plain blocking OpenSSL, the same client against jgd and nginx ---- */

static SSL *handshake(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	SSL *ssl = SSL_new(context);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to))
		die("connect", NULL);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1) {
		fprintf(stderr, "load: handshake failed: %s\n", tls_fault());
		exit(1);
	}
	return ssl;
}

struct shaker {
	pthread_t thread;
	struct sockaddr_in to;
	size_t n;
};

static void *shake_thread(void *data)
{
	struct shaker *s = data;

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < s->n; i++) {
		SSL *ssl = handshake(&s->to);
		/* One byte over the channel: in TLS 1.3 the server judges our certificate only after we think
		 * we are done. */
		int fd = SSL_get_fd(ssl);
		SSL_shutdown(ssl);
		shutdown(fd, SHUT_WR);
		char drain[256];
		while (read(fd, drain, sizeof drain) > 0)
			;
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static void run_handshakes(size_t n, const char *address, const char *alpn)
{
	struct shaker s[2] = {0};

	context = client_context(alpn);
	pthread_barrier_init(&barrier, NULL, 3);
	for (int i = 0; i < 2; i++) {
		address_of(address, &s[i].to);
		s[i].n = n / 2;
		pthread_create(&s[i].thread, NULL, shake_thread, &s[i]);
	}
	pthread_barrier_wait(&barrier);
	uint64_t begun = clock_monotonic_us();
	for (int i = 0; i < 2; i++)
		pthread_join(s[i].thread, NULL);
	double seconds = seconds_since(begun);
	printf("{\"n\": %zu, \"seconds\": %.4f, \"per_second\": %.1f}\n", n, seconds, (double)n / seconds);
}

static void run_idle(int n, const char *address)
{
	struct rlimit limit;
	struct sockaddr_in to;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	context = client_context(ALPN_CALLS);
	address_of(address, &to);
	for (int i = 0; i < n; i++) {
		SSL *ssl = handshake(&to);
		/* HELLO, so that the server counts it as a greeted device and not as a stranger to be
		 * dropped. */
		pb_hello hello = PB_HELLO_INIT;
		uint8_t frame[FRAME_HEADER + 64];
		hello.has_version_min = hello.has_version_max = 1;
		hello.version_min = hello.version_max = 1;
		struct frame f = {.type = FRAME_HELLO,
			.length = (uint32_t)protobuf_c_message_pack(&hello.base, frame + FRAME_HEADER)};
		frame_header_put(frame, &f);
		SSL_write(ssl, frame, FRAME_HEADER + (int)f.length);
		uint8_t welcome[2048];
		if (SSL_read(ssl, welcome, sizeof welcome) <= 0)
			die("welcome", NULL);
	}
	printf("{\"n\": %d}\n", n);
	fflush(stdout);
	while (getchar() != EOF)
		;
}

int main(int argc, char **argv)
{
	struct job jobs[THREADS_MAX] = {0};
	struct problem p = {0};
	const char *what = argc > 1 ? argv[1] : "";

	if (sodium_init() < 0)
		return 1;
	if (strcmp(what, "push") == 0 && argc > 4) {
		int n = argc - 4;
		for (int i = 0; i < n; i++)
			jobs[i] = (struct job){.profile_dir = argv[4 + i],
				.rows = strtoul(argv[2], NULL, 10) / (size_t)n,
				.batch = strtoul(argv[3], NULL, 10)};
		run_jobs(jobs, n, push_thread);
	} else if (strcmp(what, "push1") == 0 && argc > 3) {
		int n = argc - 3;
		for (int i = 0; i < n; i++)
			jobs[i] = (struct job){.profile_dir = argv[3 + i], .limit_s = atof(argv[2])};
		run_jobs(jobs, n, push1_thread);
	} else if (strcmp(what, "pull") == 0 && argc > 2) {
		for (int i = 0; i < argc - 2; i++)
			jobs[i].profile_dir = argv[2 + i];
		run_jobs(jobs, argc - 2, pull_thread);
	} else if (strcmp(what, "libpq") == 0 && argc > 3) {
		run_libpq(argv[2], argv + 3, argc - 3);
	} else if (strcmp(what, "echo") == 0 && argc == 4) {
		run_echo(atoi(argv[2]), argv[3]);
	} else if ((strcmp(what, "calls") == 0 && argc >= 6) ||
		(strcmp(what, "handshakes") == 0 && argc == 6) ||
		((strcmp(what, "idle") == 0 || strcmp(what, "watch") == 0) && argc == 5)) {
		const char *dir = strcmp(what, "calls") == 0 ? argv[5] : argv[4];
		if (profile_open(&the_profile, dir, &p))
			die(dir, &p);
		if (strcmp(what, "calls") == 0) {
			plain_echo = argc > 6;
			run_calls(atof(argv[2]), atoi(argv[3]), argv[4]);
		} else if (strcmp(what, "handshakes") == 0) {
			run_handshakes(
				strtoul(argv[2], NULL, 10), argv[3], strcmp(argv[5], "-") ? argv[5] : "");
		} else if (strcmp(what, "watch") == 0) {
			run_watch(atoi(argv[2]), argv[3]);
		} else {
			run_idle(atoi(argv[2]), argv[3]);
		}
	} else {
		fprintf(stderr, "load: see the head of tests/bench/load.c\n");
		return 2;
	}
	return 0;
}
