/* nomem_openssl.h - brings OpenSSL's allocations to nomem.h. Included once a program, behind it. */
#ifndef JG_NOMEM_OPENSSL_H
#define JG_NOMEM_OPENSSL_H

#include <openssl/crypto.h>

#include "nomem.h"

static void *ssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 || nomem_now() ? NULL : __real_malloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return nomem_now() ? NULL : __real_realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before OpenSSL has allocated anything; 0 when it has. */
static inline int nomem_openssl(void)
{
	return CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
}

#endif
