/* service.h - what every service fills: one table of handlers, listed in dispatch.c. Adding a service is one
 * .proto, one services/<name>.c, one migration, one test (CONTRIBUTING.md). */
#ifndef JG_SERVICE_H
#define JG_SERVICE_H

#include "request.h"

extern const struct handler session_handlers[], enrol_handlers[], identity_handlers[], county_handlers[],
	sync_handlers[], transition_handlers[], audit_handlers[], server_handlers[];

/* HELLO is not a method: dispatch hands it here (services/session.c). */
void session_hello(struct request *r);

#endif
