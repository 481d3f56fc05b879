/* push_db.h - the two trips of a push around push_plan: lock and read; write and commit. One-op pushes of
 * different schools that wait for a connection share a transaction; a bad one is run again by itself
 * (sync.md). One thread: the loop's. */
#ifndef JG_PUSH_DB_H
#define JG_PUSH_DB_H

#include "request.h"

#define PUSH_SMALL_OPS 8  /* a push of at most so many operations may share a transaction */
#define PUSH_ROUND_MAX 32 /* pushes in one transaction: more only makes each wait for all */

/* Takes a Sync.Push whose caller is authorised; answers it in its own time. */
void push_submit(struct request *r);

#endif
