/* signature.h - ECDSA with SHA-256 over bytes, in DER, by the P-256 keys of the server and of the computers
 * (proto/README.md §7). Any thread; the OpenSSL error queue of the thread is left empty. */
#ifndef JG_SIGNATURE_H
#define JG_SIGNATURE_H

#include <openssl/evp.h>

#include "err.h"

#define SIGNATURE_MAX 80 /* room for one; at most 72 bytes are used */

/* Returns its length, 0 when nothing was signed, for want of memory. */
size_t signature_make(EVP_PKEY *key, const void *data, size_t n, uint8_t out[SIGNATURE_MAX]);
/* ERR_OK when it is that key's; ERR_CHAIN when it is not; ERR_NOMEM: not known. */
enum err signature_check(EVP_PKEY *key, const void *data, size_t n, const uint8_t *sig, size_t sig_len);

#endif
