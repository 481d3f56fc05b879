/* probe.h - what a user's call runs, tried on a connection of its own: connect as the serving role, run one
 * procedure and one write, take it back. A connection that the pool has had for weeks proves nothing:
 * PostgreSQL loads its libraries and reads its settings when a connection is made. Blocking; any thread. */
#ifndef JG_PROBE_H
#define JG_PROBE_H

#include "conf.h"

/* ERR_UNREACHABLE: nobody to ask (down, starting, failing over): the pool knows that better. Any other error:
 * calls fail though the database answers; p says why. */
enum err probe_run(const struct conf *conf, struct problem *p);

#endif
