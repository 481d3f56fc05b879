#include "signature.h"

#include <stdbool.h>

#include <openssl/err.h>

#include "tls.h"

#define DER_SIG_MAX 72 /* of P-256: two numbers of at most 33 bytes, and what DER puts around them */

size_t signature_make(EVP_PKEY *key, const void *data, size_t n, uint8_t out[SIGNATURE_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = SIGNATURE_MAX;
	bool done = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestSign(ctx, out, &len, data, n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	/* OpenSSL without memory has said that it signed, and a length of -1. */
	return done && len <= DER_SIG_MAX ? len : 0;
}

static enum err check_once(EVP_PKEY *key, const void *data, size_t n, const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum err e = ctx ? ERR_CHAIN : ERR_NOMEM;

	ERR_clear_error();
	if (ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) != 1)
		e = ERR_NOMEM; /* that much is the same for every signature */
	else if (ctx && EVP_DigestVerify(ctx, sig, sig_len, data, n) == 1)
		e = ERR_OK;
	EVP_MD_CTX_free(ctx);
	return e == ERR_CHAIN ? tls_verdict(e) : e;
}

enum err signature_check(EVP_PKEY *key, const void *data, size_t n, const uint8_t *sig, size_t sig_len)
{
	enum err e = check_once(key, data, n, sig, sig_len);

	/* A bad signature accuses somebody. OpenSSL does not always say that it was memory that it lacked,
	 * so one is bad that was bad twice. */
	if (e == ERR_CHAIN)
		e = check_once(key, data, n, sig, sig_len);
	ERR_clear_error(); /* it leaves an error that the next TLS call would take for its own */
	return e;
}
