#include "schedule.h"

#include "service.h"

static void start(struct worker *w, const struct service_job *job)
{
	struct request *r = request_internal(w, NULL);

	if (r) /* else no memory: the next time is soon enough */
		request_start(r, job->run);
}

void schedule_tick(struct worker *w)
{
	if (w->index != 0 || atomic_load(&w->server->draining))
		return;
	w->seconds++;
	for (size_t s = 0; s < service_count; s++)
		for (const struct service_job *job = services[s]->jobs; job && job->every_s; job++)
			if (w->seconds % job->every_s == 1 % job->every_s)
				start(w, job);
}
