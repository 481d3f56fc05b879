#include "tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "signature.h"

#define PLAIN_CHUNK 16384 /* one TLS record */

static int bio_read(BIO *bio, char *to, int n)
{
	struct tls *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (t->in_len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	size_t take = (size_t)n < t->in_len ? (size_t)n : t->in_len;
	memcpy(to, t->in, take);
	t->in += take;
	t->in_len -= take;
	return (int)take;
}

static int bio_write(BIO *bio, const char *from, int n)
{
	struct tls *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!t->out)
		return -1;
	buf_add(t->out, from, (size_t)n);
	return t->out->failed ? -1 : n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method; /* made by the first context, before any other thread exists */

	if (!method) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "jingguan");
		if (!method)
			return NULL;
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_ctrl(method, bio_ctrl);
		BIO_meth_set_create(method, bio_create);
	}
	return method;
}

SSL_CTX *tls_context(bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx || !bio_method() || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

enum err tls_init(struct tls *t, SSL_CTX *ctx, bool server)
{
	*t = (struct tls){0};
	BIO *bio = BIO_new(bio_method());

	t->ssl = SSL_new(ctx);
	if (!t->ssl || !bio) {
		BIO_free(bio);
		SSL_free(t->ssl);
		t->ssl = NULL;
		return ERR_NOMEM;
	}
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	if (server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return ERR_OK;
}

static enum err handshake(struct tls *t)
{
	ERR_clear_error();
	int r = SSL_do_handshake(t->ssl);
	if (r == 1) {
		t->ready = true;
		return ERR_OK;
	}
	return SSL_get_error(t->ssl, r) == SSL_ERROR_WANT_READ ? ERR_OK : ERR_TLS;
}

enum err tls_start(struct tls *t, struct buf *out)
{
	t->out = out;
	enum err e = handshake(t);
	t->out = NULL;
	return e;
}

static enum err read_plain(struct tls *t, tls_plain_fn plain, void *data)
{
	uint8_t chunk[PLAIN_CHUNK];

	for (;;) {
		ERR_clear_error();
		int n = SSL_read(t->ssl, chunk, sizeof chunk);
		if (n <= 0) {
			int why = SSL_get_error(t->ssl, n);
			if (why == SSL_ERROR_WANT_READ)
				return ERR_OK;
			if (why == SSL_ERROR_ZERO_RETURN)
				return ERR_UNREACHABLE;
			return ERR_TLS;
		}
		struct buf *out = t->out;
		if (!plain(data, chunk, (size_t)n))
			return ERR_OK;
		t->out = out; /* the callee may have written through this very tls */
	}
}

enum err tls_feed(
	struct tls *t, const uint8_t *bytes, size_t n, struct buf *out, tls_plain_fn plain, void *data)
{
	enum err e = ERR_OK;

	t->in = bytes;
	t->in_len = n;
	t->out = out;
	if (!t->ready)
		e = handshake(t);
	if (!e && t->ready)
		e = read_plain(t, plain, data);
	t->out = NULL;
	t->in_len = 0;
	return e;
}

enum err tls_write(struct tls *t, const uint8_t *bytes, size_t n, struct buf *out)
{
	struct buf *outer = t->out;
	enum err e = ERR_OK;

	t->out = out;
	ERR_clear_error();
	while (n && !e) {
		int chunk = n > PLAIN_CHUNK ? PLAIN_CHUNK : (int)n;
		int r = SSL_write(t->ssl, bytes, chunk);
		if (r <= 0) {
			e = out->failed ? ERR_NOMEM : ERR_TLS;
			break;
		}
		bytes += r;
		n -= (size_t)r;
	}
	t->out = outer;
	return e;
}

void tls_close_notify(struct tls *t, struct buf *out)
{
	if (!t->ssl || !t->ready)
		return;
	t->out = out;
	ERR_clear_error();
	SSL_shutdown(t->ssl);
	t->out = NULL;
}

void tls_free(struct tls *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
}

bool tls_is_enrolling(const struct tls *t)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	return n == strlen(ALPN_ENROL) && memcmp(name, ALPN_ENROL, n) == 0;
}

enum err tls_exporter(struct tls *t, uint8_t out[32])
{
	static const char label[] = "EXPERIMENTAL jingguan session";

	return SSL_export_keying_material(t->ssl, out, 32, label, sizeof label - 1, NULL, 0, 0) == 1
		? ERR_OK
		: ERR_TLS;
}

enum err tls_spki(X509 *cert, uint8_t out[32])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	/* The hash of nothing is a key that nobody has: whoever looked it up would be told so. */
	if (n <= 0)
		return ERR_NOMEM;
	crypto_hash_sha256(out, der, (unsigned long long)n);
	OPENSSL_free(der);
	return ERR_OK;
}

X509 *tls_peer_cert(struct tls *t)
{
	return t->ssl ? SSL_get0_peer_certificate(t->ssl) : NULL;
}

enum err tls_peer_spki(struct tls *t, uint8_t out[32])
{
	X509 *cert = tls_peer_cert(t);

	return cert ? tls_spki(cert, out) : ERR_NOT_FOUND;
}

enum err tls_verdict(enum err verdict)
{
	for (unsigned long code; (code = ERR_get_error());)
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			verdict = ERR_NOMEM;
	return verdict;
}

enum err tls_peer_signed(struct tls *t, const void *message, size_t n, const uint8_t *sig, size_t sig_len)
{
	X509 *cert = tls_peer_cert(t);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

	if (!cert)
		return ERR_CHAIN;
	if (key)
		return signature_check(key, message, n, sig, sig_len);
	return ERR_NOMEM;
}

const char *tls_fault(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return reason ? reason : "closed";
}
