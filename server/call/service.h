/* service.h - what a service is to the rest of the server: one row. It has a room of its own under services/,
 * its declarations in proto/jingguan/v1/<name>.proto, its functions in sql/functions/<name>.sql;
 * services/services.def is the only place that names it. Constant; any thread. */
#ifndef JG_SERVICE_H
#define JG_SERVICE_H

#include "request.h"

/* What a service does by the clock: state in PostgreSQL plus a function of time, so that a restart, a late
 * run or a second server changes nothing. Run on the first loop as an internal request, which it answers. */
struct service_job {
	const char *name;
	unsigned every_s; /* 0 ends a table */
	request_fn run;
};

struct service {
	const char *name;
	const struct handler *handlers; /* ended by method 0 */
	const struct service_job *jobs; /* ended by every_s 0; NULL = none */
};

extern const struct service *const services[]; /* services/services.c */
extern const size_t service_count;

/* HELLO is not a method: dispatch hands it here (services/hello.c). */
void session_hello(struct request *r);

#endif
