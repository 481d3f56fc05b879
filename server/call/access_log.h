/* access_log.h - who read or was refused what: rows that an auditor reads. A call's own rows are a statement
 * of its transaction, others a task of their own. One thread: the loop's. */
#ifndef JG_ACCESS_LOG_H
#define JG_ACCESS_LOG_H

#include "request.h"

/* One row of the access log, written by itself: refusals, log-ins. Personal reads log within their
 * transaction. */
void access_log_add(struct worker *w, const struct caller *caller, const char *method, const char *result,
	uint32_t rows, const char *purpose, const char *ref);
#define PURPOSE_SIZE 256 /* of the reason that somebody gave, as the access log keeps it */
/* A reason as access_log_add takes it: cut to what the log keeps. Lives in the request. */
const char *access_reason(struct request *r, const char *reason);
void access_log_query(struct request *r, const char *result); /* as a statement of this trip */

#endif
