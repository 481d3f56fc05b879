/* dispatch.h - from a frame to a handler: the method's row decides size, login state, role; nothing else
 * does. One thread: the loop's. */
#ifndef JG_DISPATCH_H
#define JG_DISPATCH_H

#include "request.h"

#define HELLO_MAX 4096 /* bytes of its body */
#define PING_MAX 64

/* Checks at start that every declared method has exactly one handler; aborts otherwise (our bug). */
void dispatch_init(void);
/* Largest body of this frame on this connection, before anything is allocated. */
uint32_t dispatch_cap(const struct conn *c, const struct frame *header);
/* Takes one whole frame. False when the connection is being closed. */
bool dispatch_frame(struct conn *c, const struct frame *f);

#endif
