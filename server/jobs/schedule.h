/* schedule.h - when the jobs of services run. One thread: the first loop's, where nothing else is said. */
#ifndef JG_SCHEDULE_H
#define JG_SCHEDULE_H

#include "request.h"
#include "worker.h"

/* Once a second: starts what is due. A job that takes longer than its interval runs beside itself, so it has
 * to bear that. */
void schedule_tick(struct worker *w);
/* Runs a job of a service at once, beside its times: on this loop, and on the thread of it. */
void schedule_now(struct worker *w, request_fn run);

#endif
