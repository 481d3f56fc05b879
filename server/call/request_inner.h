/* request_inner.h - between request.c (a request's life) and reply.c (its answer). Nobody else's. One
 * thread: the loop's. */
#ifndef JG_REQUEST_INNER_H
#define JG_REQUEST_INNER_H

#include "request.h"

/* The one door between states. */
void request_enter(struct request *r, enum request_state to);
/* No answer is to be sent any more: leaves the connection and is freed. */
void request_end(struct request *r);

#endif
