/* hostile - stands N connections beside each other on one loop, most of them idle, some of them bad. Driven
 * by tests/e2e/test_load.py; prints one JSON object.
 *
 *   hostile HOST:PORT PROFILE N SECONDS SEED           a quarter bad
 *   hostile HOST:PORT PROFILE N SECONDS SEED honest    all honest: what the others do to them is measured by
 * a process of its own
 *
 * Of a hundred connections ten never read what they asked for, ten send a byte a second (half of them their
 * ClientHello, half a frame), five never finish the handshake (half of them never begin it), the others are
 * greeted and idle. In the middle all idle ones break off and come back at once. Who is thrown out comes back
 * after a pause, as a client does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <sodium.h>

#include "clock.h"
#include "envelope.h"
#include "frame.h"
#include "link.h"
#include "profile.h"
#include "stream.h"
#include "tables.h"

#define TICK_MS 20
#define OPENED_A_TICK 8 /* 400 a second while they first come */
/* of this one process, which must answer each within a tenth of a second, as a machine of its own would
 * */
#define SHAKING_MAX 100
/* before who was closed comes back; doubles to BACK_MAX_MS, with jitter (proto/README.md §9) */
#define BACK_MS 1000
#define BACK_MAX_MS 30000
#define CALL_EVERY_MS 200 /* of an honest connection */
#define ANSWER_MS 10000   /* an honest call without an answer for so long has failed */
#define SAMPLES_MAX 4000000
#define NOBODY_BUFFER 4096 /* receive buffer of who does not read */

enum manner { IDLE, UNREAD, SLOW_HELLO, SLOW_FRAME, SILENT, HALF_HELLO, HONEST, KINDS };
static const char *const kind_name[KINDS] = {
	"idle", "unread", "slow_hello", "slow_frame", "silent", "half_hello", "honest"};
enum state { DOWN, CONNECTING, SHAKING, GREETING, RESUMING, STANDING, CLOSING };

struct peer {
	struct stream stream; /* first; raw kinds use only its tcp */
	uv_connect_t connect;
	struct frame_reader reader;
	enum manner kind;
	enum state state;
	uint64_t next_ms, asked_us,
		began_us; /* loop time of what is due; when the call under way, the connection began */
	unsigned failures;
	uint32_t call;
	size_t sent; /* of the slow ones' bytes */
	bool was_standing, storming;
};

static struct peer *peers;
static size_t peer_count, shaking, standing[KINDS], thrown_out[KINDS], storm_left;
static struct stream_shared shared;
static SSL_CTX *context;
static struct profile the_profile;
static struct sockaddr_in server, elsewhere; /* elsewhere: the address of who never finishes a handshake */
static uint64_t begun_ms, storm_ms, end_ms, storm_over_ms;
static uint64_t honest_failed, honest_refused;
static uint8_t hello_bytes[2048];
static size_t hello_len;
static uint64_t random_state;

/* Latencies in µs, of calls and of connections from SYN to the answer of RESUME. */
struct samples {
	uint32_t *us;
	size_t n;
};
static struct samples calls, entries;

static void sample(struct samples *s, uint64_t us)
{
	if (s->n < SAMPLES_MAX)
		s->us[s->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(struct samples *s, double share)
{
	qsort(s->us, s->n, sizeof *s->us, by_size);
	return s->n ? s->us[(size_t)((double)(s->n - 1) * share)] / 1000.0 : 0;
}

static unsigned any(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

static bool is_raw(const struct peer *p)
{
	return p->kind == SLOW_HELLO || p->kind == SILENT || p->kind == HALF_HELLO;
}

static void stand(struct peer *p)
{
	p->state = STANDING;
	p->was_standing = true;
	/* who never finishes a handshake is thrown out each time, and comes back ever more slowly */
	if (!is_raw(p))
		p->failures = 0;
	standing[p->kind]++;
	if (p->storming && --storm_left == 0)
		storm_over_ms = uv_now(shared.loop);
	p->storming = false;
}

static void come_back(struct peer *p)
{
	unsigned pause = BACK_MS << (p->failures < 5 ? p->failures : 5);

	if (!is_raw(p) && (p->state == CONNECTING || p->state == SHAKING))
		shaking--;
	if (p->was_standing)
		standing[p->kind]--;
	thrown_out[p->kind] += p->state != CLOSING;
	if (p->kind == HONEST) {
		honest_refused += !p->was_standing;
		honest_failed += p->was_standing;
	}
	p->was_standing = false;
	p->state = DOWN;
	p->failures++;
	pause = pause > BACK_MAX_MS ? BACK_MAX_MS : pause;
	p->next_ms = uv_now(shared.loop) + pause + any(pause / 4);
}

/* ---- frames ---- */

static void send_frame(struct peer *p, enum frame_type type, uint16_t method, const ProtobufCMessage *message)
{
	uint8_t body[256];
	struct buf out = {0};
	struct frame f = {.type = (uint8_t)type,
		.method = method,
		.call = type == FRAME_CALL ? p->call : 0,
		.body = body};

	f.length = message ? (uint32_t)protobuf_c_message_pack(message, body) : 0;
	frame_append(&out, &f);
	stream_write(&p->stream, out.data, out.len);
	buf_free(&out);
}

static void greet(struct peer *p)
{
	pb_hello hello = PB_HELLO_INIT;

	hello.has_version_min = hello.has_version_max = 1;
	hello.version_min = hello.version_max = 1;
	p->state = GREETING;
	shaking--;
	send_frame(p, FRAME_HELLO, 0, &hello.base);
}

static void resume(struct peer *p)
{
	static const char label[] = "jingguan session";
	pb_resume_request q = PB_RESUME_REQUEST_INIT;
	uint8_t exporter[32], proof[32], sha[32];
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
	p->state = RESUMING;
	p->call = 1;
	send_frame(p, FRAME_CALL, METHOD_SESSION_RESUME, &q.base);
}

static void ask_pull(struct peer *p, uint64_t cursor)
{
	pb_pull_request q = PB_PULL_REQUEST_INIT;

	q.has_stream = q.has_cursor = 1;
	q.stream = strtoll(the_profile.school, NULL, 10);
	q.cursor = cursor;
	p->call += 2;
	send_frame(p, FRAME_CALL, METHOD_SYNC_PULL, &q.base);
}

/* By turns one that only the loop answers and one that the database does. */
static void ask(struct peer *p)
{
	p->asked_us = clock_monotonic_us();
	if (p->call / 2 % 2) {
		ask_pull(p, UINT64_C(1) << 40);
	} else {
		p->call += 2;
		send_frame(p, FRAME_CALL, METHOD_SYNC_WATCH, NULL);
	}
}

static void take_frame(struct peer *p, const struct frame *f)
{
	if (f->type == FRAME_WELCOME) {
		if (p->kind == IDLE || p->kind == SLOW_FRAME)
			stand(p);
		else
			resume(p);
	} else if (f->type == FRAME_REPLY && p->state == RESUMING) {
		stand(p);
		if (p->kind == HONEST)
			sample(&entries, clock_monotonic_us() - p->began_us);
		/* as many large answers as it may ask for, and not a look at one of them */
		if (p->kind == UNREAD) {
			for (int i = 0; i < 8; i++)
				ask_pull(p, 0);
			stream_pause(&p->stream, true);
		}
	} else if (p->kind == HONEST && p->asked_us && f->call == p->call &&
		(f->type == FRAME_REPLY || f->type == FRAME_ERROR)) {
		if (f->type == FRAME_ERROR)
			honest_failed++;
		else if (!(f->flags & FRAME_MORE))
			sample(&calls, clock_monotonic_us() - p->asked_us);
		p->asked_us = 0;
		p->next_ms = uv_now(shared.loop) + CALL_EVERY_MS / 2 + any(CALL_EVERY_MS);
	}
}

static uint32_t any_size(void *data, const struct frame *header)
{
	(void)data;
	(void)header;
	return FRAME_MAX;
}

static bool on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
	struct peer *p = (struct peer *)s;
	struct frame f;
	bool done;

	while (n && !stream_is_closing(s)) {
		if (frame_reader_feed(&p->reader, &bytes, &n, any_size, NULL, &f, &done))
			return false;
		if (done)
			take_frame(p, &f);
	}
	return !stream_is_closing(s);
}

static void on_ready(struct stream *s)
{
	greet((struct peer *)s);
}

static void on_closed(struct stream *s, enum err why)
{
	struct peer *p = (struct peer *)s;

	(void)why;
	frame_reader_free(&p->reader);
	p->reader = (struct frame_reader){0};
	come_back(p);
}

static const struct stream_events events = {NULL, on_ready, on_data, NULL, on_closed};

/* ---- opening ---- */

static void on_raw_closed(uv_handle_t *handle)
{
	come_back(handle->data);
}

static void raw_close(struct peer *p)
{
	if (!uv_is_closing((uv_handle_t *)&p->stream.tcp))
		uv_close((uv_handle_t *)&p->stream.tcp, on_raw_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
	(void)handle;
	(void)suggested;
	*b = uv_buf_init(shared.read, sizeof shared.read);
}

static void on_raw_read(uv_stream_t *tcp, ssize_t n, const uv_buf_t *b)
{
	(void)b;
	if (n < 0)
		raw_close(tcp->data);
}

static void raw_send(struct peer *p, size_t n)
{
	uv_buf_t b = uv_buf_init((char *)hello_bytes + p->sent, (unsigned)n);

	if (uv_try_write((uv_stream_t *)&p->stream.tcp, &b, 1) == (int)n)
		p->sent += n;
}

static void on_connected(uv_connect_t *req, int status)
{
	struct peer *p = req->data;
	int small = NOBODY_BUFFER;

	if (status == UV_ECANCELED)
		return;
	p->stream.tcp.data = p;
	if (status) {
		raw_close(p);
	} else if (is_raw(p)) {
		stand(p);
		uv_read_start((uv_stream_t *)&p->stream.tcp, on_alloc, on_raw_read);
		if (p->kind == HALF_HELLO)
			raw_send(p, hello_len / 2);
	} else {
		if (p->kind == UNREAD)
			uv_recv_buffer_size((uv_handle_t *)&p->stream.tcp, &small);
		p->state = SHAKING;
		if (stream_open(&p->stream, &shared, context, false, &events))
			raw_close(p);
	}
}

static void open_peer(struct peer *p)
{
	uv_tcp_init(shared.loop, &p->stream.tcp);
	p->stream.tcp.data = p;
	p->stream.state = STREAM_SILENT;
	p->connect.data = p;
	p->state = CONNECTING;
	shaking += !is_raw(p);
	p->sent = p->asked_us = 0;
	p->began_us = clock_monotonic_us();
	if (is_raw(p))
		uv_tcp_bind(&p->stream.tcp, (struct sockaddr *)&elsewhere, 0);
	if (uv_tcp_connect(&p->connect, &p->stream.tcp, (struct sockaddr *)&server, on_connected))
		raw_close(p);
}

/* ---- what each does by the clock ---- */

static void slow_byte(struct peer *p, uint64_t now)
{
	static const uint8_t frame[216] = {0, 0, 0, 200, FRAME_CALL, 0, 1, 1};

	p->next_ms = now + 1000;
	if (p->kind == SLOW_HELLO && p->sent < hello_len)
		raw_send(p, 1);
	else if (p->kind == SLOW_FRAME && p->sent < sizeof frame)
		stream_write(&p->stream, frame + p->sent++, 1);
}

static void step(struct peer *p, uint64_t now, int *may_open)
{
	if (p->state == DOWN && now >= p->next_ms && (is_raw(p) || shaking < SHAKING_MAX) &&
		(p->failures || p->storming || (*may_open)-- > 0))
		open_peer(p);
	else if (p->state == STANDING && now >= p->next_ms &&
		(p->kind == SLOW_HELLO || p->kind == SLOW_FRAME))
		slow_byte(p, now);
	else if (p->kind == HONEST && p->state == STANDING && p->asked_us &&
		clock_monotonic_us() - p->asked_us > ANSWER_MS * 1000)
		stream_close(&p->stream, ERR_DEADLINE, false);
	else if (p->kind == HONEST && p->state == STANDING && !p->asked_us && now >= p->next_ms)
		ask(p);
}

static void storm(void)
{
	for (size_t i = 0; i < peer_count; i++)
		if (peers[i].kind == IDLE && peers[i].state == STANDING) {
			peers[i].storming = true;
			storm_left++;
			peers[i].state = CLOSING;
			stream_close(&peers[i].stream, ERR_OK, false);
		}
	for (size_t i = 0; i < peer_count; i++)
		if (peers[i].storming)
			peers[i].failures = 0;
}

static void report(void)
{
	printf("{\"standing\": {");
	for (int k = 0; k < KINDS; k++)
		printf("%s\"%s\": %zu", k ? ", " : "", kind_name[k], standing[k]);
	printf("}, \"closed\": {");
	for (int k = 0; k < KINDS; k++)
		printf("%s\"%s\": %zu", k ? ", " : "", kind_name[k], thrown_out[k]);
	printf("}, \"calls\": %zu, \"failed\": %llu, \"refused\": %llu, \"call_p50_ms\": %.1f, "
	       "\"call_p99_ms\": %.1f, \"call_max_ms\": %.1f,"
	       " \"entries\": %zu, \"entry_p99_ms\": %.1f, \"storm_s\": %.1f}\n",
		calls.n, (unsigned long long)honest_failed, (unsigned long long)honest_refused,
		percentile(&calls, .5), percentile(&calls, .99), percentile(&calls, 1), entries.n,
		percentile(&entries, .99), storm_over_ms ? (double)(storm_over_ms - storm_ms) / 1000 : -1.0);
	exit(0);
}

static void on_tick(uv_timer_t *timer)
{
	uint64_t now = uv_now(timer->loop);
	int may_open = OPENED_A_TICK;

	if (storm_ms && !storm_left && !storm_over_ms && now >= storm_ms)
		storm();
	if (now >= end_ms)
		report();
	for (size_t i = 0; i < peer_count; i++)
		step(&peers[i], now, &may_open);
}

static enum manner kind_of(size_t i)
{
	static const unsigned char upto[KINDS - 1] = {0, 10, 15, 20, 23, 25}; /* of a hundred, behind IDLE */
	unsigned n = (unsigned)(i % 100);

	for (int k = UNREAD; k < HONEST; k++)
		if (n < upto[k])
			return (enum manner)k;
	return IDLE;
}

static void record_hello(void)
{
	struct buf out = {0};
	struct tls t;

	if (tls_init(&t, context, false) || tls_start(&t, &out) || out.len > sizeof hello_bytes)
		exit(1);
	memcpy(hello_bytes, out.data, out.len);
	hello_len = out.len;
	buf_free(&out);
	tls_free(&t);
}

int main(int argc, char **argv)
{
	static const unsigned char alpn[] = "\x0a" ALPN_CALLS;
	struct rlimit files;
	struct problem p = {0};
	char host[64];
	uv_timer_t timer;

	if (argc < 6 || sodium_init() < 0) {
		fprintf(stderr, "usage: hostile HOST:PORT PROFILE N SECONDS SEED [honest]\n");
		return 2;
	}
	if (profile_open(&the_profile, argv[2], &p)) {
		fprintf(stderr, "hostile: %s\n", p.message);
		return 1;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	snprintf(host, sizeof host, "%.*s", (int)strcspn(argv[1], ":"), argv[1]);
	uv_ip4_addr(host, atoi(strchr(argv[1], ':') + 1), &server);
	uv_ip4_addr("127.0.0.2", 0, &elsewhere);
	peer_count = strtoul(argv[3], NULL, 10);
	random_state = strtoull(argv[5], NULL, 10) * 2 + 1;
	peers = calloc(peer_count, sizeof *peers);
	calls.us = malloc(SAMPLES_MAX * sizeof *calls.us);
	entries.us = malloc(SAMPLES_MAX * sizeof *entries.us);
	if (!peers || !calls.us || !entries.us)
		return 1;
	for (size_t i = 0; i < peer_count; i++)
		peers[i].kind = argc > 6 ? HONEST : kind_of(i);
	context = tls_context(false);
	SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn - 1);
	SSL_CTX_use_certificate(context, the_profile.cert);
	SSL_CTX_use_PrivateKey(context, the_profile.key);
	stream_shared_init(&shared, uv_default_loop());
	record_hello();
	uv_update_time(shared.loop);
	begun_ms = uv_now(shared.loop);
	end_ms = begun_ms + strtoull(argv[4], NULL, 10) * 1000;
	storm_ms = begun_ms + (end_ms - begun_ms) / 2;
	uv_timer_init(shared.loop, &timer);
	uv_timer_start(&timer, on_tick, 0, TICK_MS);
	uv_run(shared.loop, UV_RUN_DEFAULT);
	return 0;
}
