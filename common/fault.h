/* fault.h - the steps of fault.def, where tests kill the program. Built in with JG_FAULTS (never in a
 * release); there JG_FAULT=WORD or WORD:N in the environment ends the process with SIGKILL when it comes to
 * that step for the Nth time, or stops it with SIGSTOP when JG_FAULT_STOP is set too. Any thread. */
#ifndef JG_FAULT_H
#define JG_FAULT_H

enum fault {
#define X(name, word) FAULT_##name,
#include "fault.def"
#undef X
	FAULT_COUNT
};

#ifdef JG_FAULTS
void fault_point(enum fault step);
#else
#define fault_point(step) ((void)(step))
#endif

#endif
