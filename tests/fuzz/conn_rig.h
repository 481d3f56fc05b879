/* conn_rig.h - server/net/conn.c without its socket: what a peer's TLS delivers goes in as plaintext, what
 * jgd says comes out. Everything between is the product: frame reader, dispatch, permissions, decoding,
 * handlers up to their first question to the database, which is away (ERR_UNAVAILABLE). The linker puts these
 * functions in the place of the socket's and the pool's (tests/fuzz/CMakeLists.txt). */
#ifndef JG_CONN_RIG_H
#define JG_CONN_RIG_H

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <openssl/ec.h>

#include "conn.h"
#include "dispatch.h"
#include "envelope.h"
#include "log.h"
#include "server.h"
#include "worker.h"

static const struct stream_events *rig_events;
static struct conn *rig_conn;
static struct buf rig_said;

enum err __wrap_stream_open(struct stream *s, struct stream_shared *shared, SSL_CTX *ctx, bool server,
	const struct stream_events *events);
enum err __wrap_stream_write(struct stream *s, const uint8_t *bytes, size_t n);
void __wrap_stream_close(struct stream *s, enum err why, bool flush);
int __wrap_uv_accept(uv_stream_t *listener, uv_stream_t *client);
bool __wrap_tls_is_enrolling(const struct tls *t);
enum err __wrap_tls_peer_spki(struct tls *t, uint8_t out[32]);
enum err __wrap_tls_exporter(struct tls *t, uint8_t out[32]);
enum err __wrap_db_task_start(
	struct db_pool *pool, struct db_task *task, db_task_fn step, void *data, uint64_t wait_ms);

static bool rig_enrolling;

enum err __wrap_stream_open(struct stream *s, struct stream_shared *shared, SSL_CTX *ctx, bool server,
	const struct stream_events *events)
{
	(void)ctx;
	(void)server;
	s->shared = shared;
	s->events = rig_events = events;
	rig_conn = (struct conn *)s;
	return ERR_OK;
}

enum err __wrap_stream_write(struct stream *s, const uint8_t *bytes, size_t n)
{
	if (stream_is_closing(s))
		return ERR_NOT_NOW;
	buf_add(&rig_said, bytes, n);
	return ERR_OK;
}

void __wrap_stream_close(struct stream *s, enum err why, bool flush)
{
	(void)flush;
	if (!stream_is_closing(s))
		s->why = why;
	s->state = STREAM_CLOSING;
}

int __wrap_uv_accept(uv_stream_t *listener, uv_stream_t *client)
{
	(void)listener;
	(void)client;
	return 0;
}

bool __wrap_tls_is_enrolling(const struct tls *t)
{
	(void)t;
	return rig_enrolling;
}

enum err __wrap_tls_peer_spki(struct tls *t, uint8_t out[32])
{
	(void)t;
	memset(out, 7, 32);
	return ERR_OK;
}

enum err __wrap_tls_exporter(struct tls *t, uint8_t out[32])
{
	(void)t;
	memset(out, 9, 32);
	return ERR_OK;
}

enum err __wrap_db_task_start(
	struct db_pool *pool, struct db_task *task, db_task_fn step, void *data, uint64_t wait_ms)
{
	(void)pool;
	(void)task;
	(void)step;
	(void)data;
	(void)wait_ms;
	return ERR_UNAVAILABLE;
}

int __wrap_crypto_pwhash_str(char out[crypto_pwhash_STRBYTES], const char *password, unsigned long long n,
	unsigned long long ops, size_t memory);

/* A password is not made slow here: it would be all that is measured. */
int __wrap_crypto_pwhash_str(char out[crypto_pwhash_STRBYTES], const char *password, unsigned long long n,
	unsigned long long ops, size_t memory)
{
	(void)password;
	(void)n;
	(void)ops;
	(void)memory;
	strcpy(out, "$argon2id$");
	return 0;
}

unsigned __wrap_db_pool_waiting(const struct db_pool *pool, uint64_t who);

unsigned __wrap_db_pool_waiting(const struct db_pool *pool, uint64_t who)
{
	(void)pool;
	(void)who;
	return 0;
}

static struct server rig_server;
static struct worker rig_worker;

static void rig_start(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	conf_defaults(&rig_server.conf);
	rig_server.conf.county = 329999;
	atomic_store(&rig_server.per_address, rig_server.conf.per_address);
	atomic_store(&rig_server.grouping, rig_server.conf.grouping);
	uv_rwlock_init(&rig_server.deny.lock);
	guesses_init(&rig_server.guesses);
	rig_server.ca_key = EVP_EC_gen("P-256");
	rig_worker.server = &rig_server;
	uv_loop_init(&rig_worker.loop);
	stream_shared_init(&rig_worker.shared, &rig_worker.loop);
	dispatch_init();
}

enum rig_stage { RIG_STRANGER, RIG_GREETED, RIG_REGISTRAR, RIG_BUREAU, RIG_ENROLLING };

/* Half of the peers are logged in: what is behind that is most of the program. */
static enum rig_stage rig_stage(uint32_t n)
{
	static const enum rig_stage stages[] = {RIG_STRANGER, RIG_GREETED, RIG_REGISTRAR, RIG_REGISTRAR,
		RIG_REGISTRAR, RIG_BUREAU, RIG_BUREAU, RIG_ENROLLING};

	return stages[n];
}

#define RIG_CHOICES 8

/* A peer as far as `stage`. */
static struct conn *rig_open(enum rig_stage stage)
{
	rig_enrolling = stage == RIG_ENROLLING;
	rig_said.len = 0;
	conn_accept(&rig_worker, NULL);
	rig_events->first(&rig_conn->stream);
	rig_events->ready(&rig_conn->stream);
	if (stage != RIG_STRANGER && stage != RIG_ENROLLING) {
		rig_conn->state = CONN_OPEN;
		rig_conn->caller.has_device = true;
		memset(rig_conn->caller.device, 1, 16);
	}
	if (stage == RIG_REGISTRAR || stage == RIG_BUREAU) {
		rig_conn->caller.has_session = true;
		rig_conn->caller.roles = UINT32_MAX;
		strcpy(rig_conn->caller.school, stage == RIG_REGISTRAR ? "2132990001" : "");
		strcpy(rig_conn->caller.user, "somebody");
	}
	return rig_conn;
}

static void rig_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	rig_events->closed(s, s->why);
}

/* false: the connection is over. */
static bool rig_feed(struct conn *c, const uint8_t *bytes, size_t n)
{
	return !stream_is_closing(&c->stream) && rig_events->data(&c->stream, bytes, n) &&
		!stream_is_closing(&c->stream);
}

static void rig_close(struct conn *c)
{
	c->stream.state = STREAM_CLOSING;
	c->stream.tcp.data = c;
	uv_close((uv_handle_t *)&c->stream.tcp, rig_closed);
	uv_run(&rig_worker.loop, UV_RUN_NOWAIT);
	const struct pending *s = &rig_worker.pending;
	if (rig_worker.conns || s->silent.n || s->waiting.n || s->shaking.n)
		abort(); /* a connection that was counted and never given back */
}

#endif
