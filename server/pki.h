/* pki.h - the county's certificate authority, the server's key and the devices' certificates (SECURITY.md
 * "Enrolment"). Everything is P-256 and SHA-256. Any thread, each with its own objects. */
#ifndef JG_PKI_H
#define JG_PKI_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "conf.h"
#include "err.h"
#include "signature.h"

#define CERT_DAYS 90 /* of a device; renewed from day 60 on */
#define PKI_RENEW_DAYS 90
#define CONNECT_CODE_TEXT 64
#define SECRET_SIZE 8

/* Makes DIR/ca.pem, ca.key, server.pem, server.key (keys 0600). */
enum err pki_create(const struct conf *conf, struct problem *p);
/* Whether the four files are there, readable, and belong together; *until: the end of the server's
 * certificate. */
enum err pki_check(const struct conf *conf, time_t *until, struct problem *p);
/* A server certificate that ends within PKI_RENEW_DAYS is made anew, for the same key: clients trust the CA.
 * At a start. */
enum err pki_renew_server(const struct conf *conf, struct problem *p);
/* ctx: certificate, key, CA, both ALPNs. Whoever asks for `jingguan/1` must show a certificate; the enrolling
 * ALPN accepts none, and an expired one. clock_shift_s moves "now" for a rehearsal county's certificates. */
enum err pki_load(const struct conf *conf, SSL_CTX *ctx, X509 **ca, EVP_PKEY **ca_key, EVP_PKEY **sign_key,
	struct problem *p);

/* What a certificate says of its device: enough to write its row again (readmit.h). */
struct pki_device {
	char device[37], school[16]; /* "" = the bureau */
	int64_t epoch;               /* of the database that issued it; 0: older than this was written down */
	int64_t now_s, until_s;      /* Unix seconds of the county's clock: it is issued, it ends */
};

/* Issues a device certificate for a PKCS#10 request; until_s is CERT_DAYS after now_s. DER, free with
 * OPENSSL_free. ERR_INVALID when the request's signature or key is not acceptable. *der is NULL unless
 * ERR_OK. */
enum err pki_issue(X509 *ca, EVP_PKEY *ca_key, const uint8_t *csr, size_t csr_len, const struct pki_device *d,
	int county, unsigned char **der, int *der_len, uint8_t spki[32]);
/* Reads what pki_issue wrote (now_s alone is not told); false: it is no device's of this county. The
 * handshake has verified it. */
bool pki_device_of(X509 *cert, int county, struct pki_device *d);

/* 32 base32 characters in fours; `server` (may be "") goes behind an @. "" and ERR_NOMEM when the CA's hash
 * cannot be made. */
enum err pki_connect_code(
	char out[CONNECT_CODE_TEXT + 160], X509 *ca, const uint8_t secret[SECRET_SIZE], const char *server);

/* The signature over "jg head" ‖ stream i64 ‖ n u64 ‖ head; its length, 0: no memory. */
size_t pki_sign_head(
	EVP_PKEY *key, int64_t stream, uint64_t n, const uint8_t head[32], uint8_t out[SIGNATURE_MAX]);

/* The wall clock of certificate checks, shifted for a rehearsal county. Set by the job loop, read by every
 * handshake. */
void pki_set_clock_shift(int64_t seconds);

#endif
