/* tls.h - TLS 1.3 over byte arrays: ciphertext in, plaintext out, and back. No sockets. The only file pair
 * that names OpenSSL's SSL (a Tongsuo build would replace this one).
 *
 * One `struct tls` per connection, used by one thread. The read side borrows the caller's bytes (no copy into
 * a memory BIO) and the write side appends to the caller's buffer, so that an idle connection keeps no
 * buffers of its own. */
#ifndef JG_TLS_H
#define JG_TLS_H

#include <openssl/ssl.h>

#include "buf.h"
#include "err.h"

#define ALPN_CALLS "jingguan/1"       /* requires a client certificate */
#define ALPN_ENROL "jingguan-enrol/1" /* requires none; serves only ENROL and RENEW */

struct tls {
	SSL *ssl;
	const uint8_t *in; /* borrowed during tls_feed */
	size_t in_len;
	struct buf *out; /* borrowed during every call */
	bool ready;      /* the handshake is done */
};

/* Plaintext as it is decrypted; called within tls_feed. Returns false to stop (the connection is being
 * closed). */
typedef bool (*tls_plain_fn)(void *data, const uint8_t *bytes, size_t n);

/* TLS 1.3 only, no tickets, no cache, no resumption (it would skip the revocation check), RELEASE_BUFFERS.
 * NULL when the library has no memory. The caller frees with SSL_CTX_free. */
SSL_CTX *tls_context(bool server);

enum err tls_init(struct tls *t, SSL_CTX *ctx, bool server);
/* Client: begins the handshake, appends its first flight to out. */
enum err tls_start(struct tls *t, struct buf *out);
/* Takes ciphertext; appends answers (handshake, alerts) to out; hands plaintext on. ERR_UNREACHABLE: the peer
 * has said goodbye. ERR_TLS: close the connection after flushing out. tls_fault says why. */
enum err tls_feed(
	struct tls *t, const uint8_t *bytes, size_t n, struct buf *out, tls_plain_fn plain, void *data);
/* Encrypts all of it into out. Only when ready. */
enum err tls_write(struct tls *t, const uint8_t *bytes, size_t n, struct buf *out);
void tls_close_notify(struct tls *t, struct buf *out);
void tls_free(struct tls *t);

bool tls_is_enrolling(const struct tls *t); /* which ALPN was agreed */
/* The channel's exporter (label "EXPERIMENTAL jingguan session"): binds a session proof to this very
 * connection. */
enum err tls_exporter(struct tls *t, uint8_t out[32]);
/* SHA-256 of the peer's SubjectPublicKeyInfo; ERR_NOT_FOUND when it showed no certificate, ERR_NOMEM: not
 * known. */
enum err tls_peer_spki(struct tls *t, uint8_t out[32]);
/* ERR_OK when sig is the peer's ECDSA-SHA256 over the message, by the key of the certificate it showed;
 * ERR_CHAIN when it is not, ERR_NOMEM: not known. */
enum err tls_peer_signed(struct tls *t, const void *message, size_t n, const uint8_t *sig, size_t sig_len);
/* The certificate that the peer showed, borrowed; NULL when it showed none. */
X509 *tls_peer_cert(struct tls *t);
enum err tls_spki(X509 *cert, uint8_t out[32]);
/* What a check of OpenSSL's that failed means: ERR_NOMEM when this thread's queue says that memory was
 * wanted, else the verdict. Clears the queue. */
enum err tls_verdict(enum err verdict);
/* Text of the last fault of this thread's OpenSSL queue, and clears it. Never NULL. */
const char *tls_fault(void);

#endif
