/* epoch.h - which database this is: a restored or failed-over one has another history, and every
 * client starts its cursors again. Asked on each new connection before anything else runs on it, so that
 * no reply carries the epoch of a history that is gone (sync.md "Pull"). Thread: the loop of the pool
 * that connects. */
#ifndef JG_EPOCH_H
#define JG_EPOCH_H

#include "db.h"
#include "server.h"

/* A greeting of db_pool_create. */
void epoch_check(struct db_task *task, void *server); /* server: struct server */

#endif
