/* identity_calls.h - what the files of the Identity service share. One thread: the loop's. */
#ifndef JG_IDENTITY_CALLS_H
#define JG_IDENTITY_CALLS_H

#include "service.h"

/* Ends a call about one account or computer by its first result: a row, or there was none. */
void identity_named_done(struct request *r);

void identity_users(struct request *r);
void identity_invite(struct request *r);
void identity_devices(struct request *r);
void identity_revoke(struct request *r);

#endif
