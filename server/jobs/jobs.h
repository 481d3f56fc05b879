/* jobs.h - what happens by the clock: the deny list, the county's clock, seals of the access log, deadlines.
 * Every job is state in PostgreSQL plus a function of time, so that a restart, a late run or a second server
 * changes nothing. Owns a small pool on the main loop. One thread: the main loop's. */
#ifndef JG_JOBS_H
#define JG_JOBS_H

#include "server.h"

struct jobs;

enum err jobs_create(struct jobs **out, struct server *s, uv_loop_t *loop);
bool jobs_ready(const struct jobs *j); /* the deny list has been read once */
void jobs_close(struct jobs *j, void (*closed)(void *data), void *data);

#endif
