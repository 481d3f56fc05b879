#include "schedule.h"

#include "service.h"

void schedule_now(struct worker *w, request_fn run)
{
	struct request *r = atomic_load(&w->server->draining) ? NULL : request_internal(w, NULL);

	if (r) /* else no memory: the next time is soon enough */
		request_start(r, run);
}

void schedule_tick(struct worker *w)
{
	if (w->index != 0 || atomic_load(&w->server->draining))
		return;
	w->seconds++;
	for (size_t s = 0; s < service_count; s++)
		for (const struct service_job *job = services[s]->jobs; job && job->every_s; job++)
			if (w->seconds % job->every_s == 1 % job->every_s)
				schedule_now(w, job->run);
}
