#include "state.h"

#include <stdlib.h>

#include "log.h"

unsigned state_move(const struct state_machine *m, unsigned from, unsigned to)
{
	if (m->ways[from] & STATE(to))
		return to;
	log_error("%s: no way leads from %s to %s", m->name, m->names[from], m->names[to]);
	abort();
}
