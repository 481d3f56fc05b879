/* sealed_key.h - a key that only the county can give back: sealed to the public key of the county's CA
 * (ECIES: ephemeral P-256, SHA-256, AES-256-GCM; proto/README.md §4), together with the school that it is
 * for. A revoked computer leaves what it had not sent under such a key (client/core/revoked.h); the server
 * opens it for a computer that the same school has enrolled anew. Any thread. */
#ifndef JG_SEALED_KEY_H
#define JG_SEALED_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "err.h"

#define SEALED_KEY_BYTES 32
#define SEALED_KEY_SCHOOL 16 /* a school code and its NUL */
#define SEALED_KEY_POINT 65  /* uncompressed */
#define SEALED_KEY_NONCE 12
#define SEALED_KEY_TAG 16
#define SEALED_KEY_SIZE                                                                                      \
	(SEALED_KEY_POINT + SEALED_KEY_NONCE + SEALED_KEY_BYTES + SEALED_KEY_SCHOOL + SEALED_KEY_TAG)

/* ERR_NOMEM when OpenSSL fails. */
enum err sealed_key_make(
	EVP_PKEY *ca, const char *school, const uint8_t key[SEALED_KEY_BYTES], uint8_t out[SEALED_KEY_SIZE]);
/* ERR_INVALID for what no such key is, or was changed, or is another county's; ERR_NOMEM: not known. */
enum err sealed_key_open(EVP_PKEY *ca, const uint8_t *sealed, size_t n, char school[SEALED_KEY_SCHOOL],
	uint8_t key[SEALED_KEY_BYTES]);

#endif
