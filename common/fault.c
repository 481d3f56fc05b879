#include "fault.h"

#ifdef JG_FAULTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
#define X(name, word) word,
#include "fault.def"
#undef X
};

void fault_point(enum fault step)
{
	static _Atomic unsigned long met; /* of the one step that the environment names */
	const char *wanted = getenv("JG_FAULT"), *word = words[step];
	size_t n = strlen(word);

	if (!wanted || strncmp(wanted, word, n) != 0 || (wanted[n] && wanted[n] != ':'))
		return;
	unsigned long nth = wanted[n] ? strtoul(wanted + n + 1, NULL, 10) : 1;
	if (atomic_fetch_add(&met, 1) + 1 == nth)
		raise(getenv("JG_FAULT_STOP") ? SIGSTOP : SIGKILL);
}
#else
typedef int fault_is_not_built_in; /* a translation unit must not be empty */
#endif
