/* embedded.h - a private PostgreSQL under DIR/pg: unix socket only, no password, no port. Blocking; any
 * thread: the main one before and after the loops run, one of libuv's pool when it is revived. Never runs
 * PostgreSQL as root, and expects DIR to be the current directory (place_enter): sockets and programs are
 * named from there, so that no letter of DIR's name needs quoting and none is too long for a socket. */
#ifndef JG_EMBEDDED_H
#define JG_EMBEDDED_H

#include "conf.h"

#define EMBEDDED_OWNER "jingguan"

/* Connection strings of the private cluster. */
void embedded_conninfo(const char *role, char *out, size_t size);
/* Creates the cluster if there is none; what an interrupted creation left is removed. */
enum err embedded_create(const struct conf *conf, struct problem *p);
/* Starts it, or adopts the live postmaster that it finds, and uses it until embedded_stop. *started (may be
 * NULL): that it did not run before. */
enum err embedded_start(const struct conf *conf, bool *started, struct problem *p);
/* Whether its postmaster runs: a look at two files, cheap enough for a timer. */
bool embedded_lives(const struct conf *conf);
/* The last process that uses it stops it: a backup that ends does not take it away from a server, nor the
 * other way round. */
void embedded_stop(const struct conf *conf);

#endif
