/* trust.h - which server is believed, and how this computer shows who it is. Owns the client's TLS contexts,
 * the request for a certificate and the connect code; no sockets, no files. Any thread, each with its own
 * objects. */
#ifndef JG_TRUST_H
#define JG_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "err.h"

struct connect_code {
	uint8_t ca_prefix[10]; /* the first bytes of SHA-256 of the CA's public key */
	uint8_t secret[8];
	char server[256]; /* HOST:PORT behind the @, or "" */
};

/* Reads what a person typed: 32 characters of base32, case, blanks and dashes do not matter, then maybe
 * @HOST:PORT. ERR_BAD_CODE with advice in *p (may be NULL) when it is no code or mistyped. */
enum err connect_code_parse(struct connect_code *out, const char *text, struct problem *p);

/* What a handshake found, filled by the context's callbacks; must outlive the connection. */
struct trust_result {
	int fault;       /* X509_V_ERR_…, 0 = none */
	char county[16]; /* of the server's name jgd.<county> */
};

/* Context for a known county: the server must show a certificate of `ca` for jgd.<county>, valid at
 * cert_time_s (Unix). cert and key are this device's; enrolling chooses the ALPN. NULL when OpenSSL fails.
 * Free with SSL_CTX_free. */
SSL_CTX *trust_context(X509 *ca, X509 *cert, EVP_PKEY *key, const char *county, bool enrolling,
	int64_t cert_time_s, struct trust_result *result);
/* Context for enrolling: the server must show a chain whose CA the code names, under which its own
 * certificate for some jgd.<county> holds. The clock is not asked: a new computer's may be wrong, and the
 * code proves the CA. */
SSL_CTX *trust_enrol_context(const struct connect_code *code, struct trust_result *result);

/* A PKCS#10 request for the key; *der is freed with OPENSSL_free. */
enum err trust_request(EVP_PKEY *key, const char *host, unsigned char **der, size_t *n);
/* When a certificate ends, Unix seconds; 0 when it cannot be read. */
int64_t trust_cert_until(const X509 *cert);

#endif
