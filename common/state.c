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

uint32_t state_origins(const struct state_machine *m, unsigned states, unsigned to)
{
	uint32_t from = 0;

	for (unsigned s = 0; s < states; s++)
		if (m->ways[s] & STATE(to))
			from |= STATE(s);
	return from;
}
