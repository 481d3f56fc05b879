/* nomem.h - the Nth allocation of ours fails, for every N. The linker puts the functions below in the place
 * of malloc and its kin (--wrap, see tests/CMakeLists.txt); those inside shared libraries go on as ever, but
 * OpenSSL's, which nomem_openssl.h brings here too. Included once a program. */
#ifndef JG_NOMEM_H
#define JG_NOMEM_H

#include <stdlib.h>
#include <string.h>

#include "err.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);

static long nomem_in;              /* 0: never */
static int nomem_lasts, nomem_met; /* all from the Nth on fail; one has */

static inline int nomem_now(void)
{
	if (nomem_in == 0 || --nomem_in > 0)
		return 0;
	nomem_in = nomem_lasts;
	nomem_met = 1;
	return 1;
}

void *__wrap_malloc(size_t n)
{
	return nomem_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t k, size_t n)
{
	return nomem_now() ? NULL : __real_calloc(k, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return nomem_now() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return nomem_now() ? NULL : __real_strdup(s);
}

/* Runs a scenario with the first, the second, … allocation failing until one run meets no failure; that one
 * must succeed and every other say so (`other` is a second way to say it, ERR_NOMEM when there is none). The
 * scenario asserts that its inputs are unharmed and frees what it made: the sanitizers look for leaks. At
 * least at_least allocations must have been made. */
static inline void nomem_until_it_works(
	const char *name, enum err (*scenario)(void *), void *data, enum err other, long at_least)
{
	for (long i = 1;; i++) {
		nomem_in = i;
		nomem_met = 0;
		enum err e = scenario(data);
		nomem_in = 0;
		if (!nomem_met) {
			if (e || i <= at_least)
				fail_msg("%s: %s, %ld allocations", name, err_info((int)e)->name, i - 1);
			return;
		}
		if (e != ERR_NOMEM && e != other)
			fail_msg("%s: allocation %ld failed, and the answer was %s", name, i,
				err_info((int)e)->name);
	}
}

#endif
