/* schedule.h - when the jobs of services run. One thread: the first loop's. */
#ifndef JG_SCHEDULE_H
#define JG_SCHEDULE_H

#include "worker.h"

/* Once a second: starts what is due. A job that takes longer than its interval runs beside itself, so it has
 * to bear that. */
void schedule_tick(struct worker *w);

#endif
