#include "sealed_key.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <sodium.h>

#include "tls.h"

/* The key of the box: what both ends have in common, bound to the label and to the ephemeral point. */
static bool box_key(EVP_PKEY *mine, EVP_PKEY *theirs, const uint8_t point[SEALED_KEY_POINT], uint8_t out[32])
{
	static const char label[] = "jg sealed key";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	uint8_t shared[64];
	size_t n = sizeof shared;
	bool good = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
		EVP_PKEY_derive(ctx, shared, &n) == 1;
	crypto_hash_sha256_state hash;

	EVP_PKEY_CTX_free(ctx);
	if (good) {
		crypto_hash_sha256_init(&hash);
		crypto_hash_sha256_update(&hash, (const uint8_t *)label, sizeof label - 1);
		crypto_hash_sha256_update(&hash, point, SEALED_KEY_POINT);
		crypto_hash_sha256_update(&hash, shared, n);
		crypto_hash_sha256_final(&hash, out);
	}
	sodium_memzero(shared, sizeof shared);
	return good;
}

#define PLAIN (SEALED_KEY_BYTES + SEALED_KEY_SCHOOL)

/* In place of text: PLAIN bytes and the tag behind them. */
static bool gcm(bool seal, const uint8_t key[32], const uint8_t *nonce, uint8_t *text)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool good = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seal) == 1 &&
		EVP_CipherUpdate(ctx, text, &n, text, PLAIN) == 1 &&
		(seal ||
			EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEALED_KEY_TAG, text + PLAIN) == 1) &&
		EVP_CipherFinal_ex(ctx, text + PLAIN, &n) == 1 &&
		(!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEALED_KEY_TAG, text + PLAIN) == 1);

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

enum err sealed_key_make(
	EVP_PKEY *ca, const char *school, const uint8_t key[SEALED_KEY_BYTES], uint8_t out[SEALED_KEY_SIZE])
{
	uint8_t box[32], *nonce = out + SEALED_KEY_POINT, *text = nonce + SEALED_KEY_NONCE;
	EVP_PKEY *once = EVP_EC_gen("P-256");
	size_t n = 0;
	bool good = once &&
		EVP_PKEY_get_octet_string_param(once, OSSL_PKEY_PARAM_PUB_KEY, out, SEALED_KEY_POINT, &n) ==
			1 &&
		n == SEALED_KEY_POINT && box_key(once, ca, out, box);

	EVP_PKEY_free(once);
	if (good) {
		memset(text, 0, PLAIN);
		memcpy(text, key, SEALED_KEY_BYTES);
		snprintf((char *)text + SEALED_KEY_BYTES, SEALED_KEY_SCHOOL, "%s", school);
		randombytes_buf(nonce, SEALED_KEY_NONCE);
		good = gcm(true, box, nonce, text);
	}
	sodium_memzero(box, sizeof box);
	return good ? ERR_OK : ERR_NOMEM;
}

static EVP_PKEY *key_of_point(EVP_PKEY *like, const uint8_t point[SEALED_KEY_POINT])
{
	EVP_PKEY *key = EVP_PKEY_new();

	if (key && EVP_PKEY_copy_parameters(key, like) == 1 &&
		EVP_PKEY_set1_encoded_public_key(key, point, SEALED_KEY_POINT) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static bool open_once(EVP_PKEY *ca, const uint8_t *sealed, uint8_t plain[PLAIN + SEALED_KEY_TAG])
{
	uint8_t box[32];
	EVP_PKEY *once = key_of_point(ca, sealed);
	bool good = once && box_key(ca, once, sealed, box);

	if (good) {
		memcpy(plain, sealed + SEALED_KEY_POINT + SEALED_KEY_NONCE, PLAIN + SEALED_KEY_TAG);
		good = gcm(false, box, sealed + SEALED_KEY_POINT, plain);
	}
	EVP_PKEY_free(once);
	sodium_memzero(box, sizeof box);
	return good;
}

enum err sealed_key_open(EVP_PKEY *ca, const uint8_t *sealed, size_t n, char school[SEALED_KEY_SCHOOL],
	uint8_t key[SEALED_KEY_BYTES])
{
	uint8_t plain[PLAIN + SEALED_KEY_TAG];
	enum err e = n == SEALED_KEY_SIZE ? ERR_OK : ERR_INVALID;

	/* OpenSSL does not always say that it was memory that it lacked: bad is what was bad twice. */
	ERR_clear_error();
	if (!e && !open_once(ca, sealed, plain) && !(e = tls_verdict(ERR_OK)) &&
		!open_once(ca, sealed, plain))
		e = tls_verdict(ERR_INVALID);
	if (!e) {
		memcpy(key, plain, SEALED_KEY_BYTES);
		memcpy(school, plain + SEALED_KEY_BYTES, SEALED_KEY_SCHOOL);
		school[SEALED_KEY_SCHOOL - 1] = 0;
	}
	sodium_memzero(plain, sizeof plain);
	return e;
}
