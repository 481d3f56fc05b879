/* place.h - the data directory of one county: found whatever the current directory, owned by the service's
 * account, and held by one process at a time. Blocking; main thread, before the loops run. */
#ifndef JG_PLACE_H
#define JG_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* The path from the root, also of what is not there yet: as root jgd changes its directory before it uses
 * it. */
enum err place_absolute(char *out, size_t size, const char *path, struct problem *p);
/* As root: gives the directory to the account and becomes it. Then, for everybody, dir is the current
 * directory: the private PostgreSQL is reached from there (embedded.h). */
enum err place_enter(const char *dir, const char *user, struct problem *p);
/* As root: makes a directory that is not there, for the account: it could not do so itself in
 * /var/backups. */
void place_make(const char *dir, const char *user);
/* Takes a directory away again that was made for what was then refused, as long as nothing is in it but our
 * lock and log. */
void place_unmake(const char *dir);
/* The first directory on the way to `path` that does not let this account through; false when there is
 * none. */
bool place_closed(const char *path, char *out, size_t size);
/* Holds DIR/jgd.lock, with pid and host name in it, until the process ends. ERR_NOT_NOW says who holds it. */
enum err place_lock(const char *dir, struct problem *p);
/* Whether some process holds it. */
bool place_held(const char *dir);
/* For a command in a hint: quoted as a shell wants it, and only where it must be. A path that is longer than
 * PLACE_QUOTED_MAX, or than `size` allows, would not fit the hint (err.h), and cut it would name another file:
 * for it a word stands there that is nobody's file. */
#define PLACE_QUOTED_MAX 200 /* three of them and a command fit HINT_SIZE */
const char *place_quoted(char *out, size_t size, const char *path);

#endif
