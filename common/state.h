/* state.h - the door of a state machine: which way leads where, and by which names a log calls the states. A
 * machine that uses it is drawn in server/README.md "State machines", tabled beside its _enter function, and
 * entered through that alone. Pure; any thread. */
#ifndef JG_STATE_H
#define JG_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define STATES_MAX 32 /* bits of a row */
#define STATE(s) (UINT32_C(1) << (s))

struct state_machine {
	const char *name;         /* "request" */
	const char *const *names; /* of the states, in their order */
	const uint32_t *ways;     /* for each state those that it may become, as STATE() bits */
};

/* Returns `to`. No peer and no user can make a way that the table lacks: that is our bug, told by name before
 * the process stops. */
unsigned state_move(const struct state_machine *m, unsigned from, unsigned to);
/* Of a machine whose states lie on a disk, where somebody else may have been: the states from which a way leads
 * to `to`, as STATE() bits. What is in none of them is refused, not asserted. */
uint32_t state_origins(const struct state_machine *m, unsigned states, unsigned to);

#endif
