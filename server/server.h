/* server.h - what all loops of one process share: settings, keys, the deny list. Written once before the
 * loops start, but for the few fields that say otherwise. Any thread. */
#ifndef JG_SERVER_H
#define JG_SERVER_H

#include <stdatomic.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "conf.h"
#include "guesses.h"

struct worker;

/* Public keys that may not connect; grows only. Read at every handshake, under a lock; some hundred keys,
 * looked through. */
struct deny_set {
	uv_rwlock_t lock;
	uint8_t (*spki)[32];
	size_t count, cap;
	int64_t generation; /* of the newest row seen */
};

struct server {
	struct conf conf;
	SSL_CTX *tls;
	EVP_PKEY *sign_key; /* the server's TLS key also signs trace heads */
	X509 *ca_cert;
	EVP_PKEY *ca_key;
	struct deny_set deny;
	struct guesses guesses; /* of connect codes */
	struct worker *workers;
	int worker_count;
	uint64_t started_us; /* monotonic */
	atomic_bool draining;
	atomic_int per_address; /* of conf, as SIGHUP may change them */
	atomic_bool grouping;
	/* why calls fail though the database answers, "" when they do not; main thread */
	char not_ready[256 + HINT_SIZE + 8];
};

/* Serves until SIGTERM; s->conf is filled. Blocking. */
enum err server_run(struct server *s, struct problem *p);

bool deny_set_has(struct deny_set *set, const uint8_t spki[32]);
void deny_set_add(struct deny_set *set, const uint8_t spki[32], int64_t generation);

#endif
