/* embedded.h - a private PostgreSQL under DIR/pg: unix socket only, no password, no port. Blocking; used before and after
 * the loops run. Never runs PostgreSQL as root: the caller has dropped to the service's account first. */
#ifndef JG_EMBEDDED_H
#define JG_EMBEDDED_H

#include "conf.h"

/* Connection strings of the private cluster. */
void embedded_conninfo(const struct conf *conf, const char *role, char *out, size_t size);
/* Creates the cluster if there is none. */
enum err embedded_create(const struct conf *conf, struct problem *p);
/* Starts it, or adopts the live postmaster that it finds. *started: whether to stop it at the end. */
enum err embedded_start(const struct conf *conf, bool *started, struct problem *p);
/* Whether its postmaster runs: one look at a file and a signal 0, cheap enough for a timer. */
bool embedded_lives(const struct conf *conf);
void embedded_stop(const struct conf *conf);

#endif
