/* roles.h - the database role that serves. `jingguan_app` is a group that migrations grant to and that nobody
 * logs in as; each county has a login role of its own in it, so that a second county in the same cluster
 * changes nobody's password. Counties made before that log in as jingguan_app itself, and go on doing so.
 * Blocking; main thread. */
#ifndef JG_ROLES_H
#define JG_ROLES_H

#include <libpq-fe.h>

#include "conf.h"

#define ROLES_GROUP "jingguan_app"

/* Makes this county's role in this database, and conf->database_app from conf->database_owner. Repeatable. */
enum err roles_make(PGconn *owner, struct conf *conf, struct problem *p);
/* The role that conf->database_app names can log in with the password there, is in the group and has no power
 * beyond it. */
enum err roles_mend(PGconn *owner, const struct conf *conf, struct problem *p);

/* A connection string without its password, and the password. */
void roles_split(const char *conninfo, char *out, size_t size, char *password, size_t password_size);

#endif
