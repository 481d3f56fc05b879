/* enrol.h - how this computer becomes a device. Uses link and profile; one thread. */
#ifndef JG_ENROL_H
#define JG_ENROL_H

#include "link.h"

/* Enrols an empty profile by a connect code. `server` (HOST:PORT) wins over the one in the code; NULL takes
 * the code's. The key is on disk before the request leaves. ERR_EXISTS when the profile is enrolled,
 * ERR_BAD_CODE, ERR_MISSING (no server address), ERR_TLS when the server is not the one that the code was
 * made by. */
enum err enrol_connect(struct profile *profile, const char *code, const char *server, struct problem *p);
/* The server has another address: asks there, as this device, and stores the address when the one that
 * answers is the pinned CA's and the county's. On any error the old address stays. */
enum err enrol_move(struct profile *profile, const char *server, struct problem *p);
/* Fetches a new certificate for the same key, also when the present one has expired. */
enum err enrol_renew(struct profile *profile, struct problem *p);

#endif
