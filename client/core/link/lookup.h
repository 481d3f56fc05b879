/* lookup.h - the addresses of a host, asked for without waiting longer than one likes. getaddrinfo cannot be
 * interrupted, and a thread of libuv's pool that hangs in it would be joined when the program ends: so it has a
 * thread of its own, which nobody joins. What is given up the thread frees when it is answered at last. One
 * thread asks. */
#ifndef JG_LOOKUP_H
#define JG_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>

struct lookup;

/* NULL: no memory, or no thread. */
struct lookup *lookup_begin(const char *host, const char *port);
/* Waits for the answer, at most ms; whether it is there. An address in numbers is, at once. */
bool lookup_wait(struct lookup *l, unsigned ms);
/* Ends it; the addresses, which the caller frees with freeaddrinfo, or NULL: there are none, or the answer was
 * not there yet. */
struct addrinfo *lookup_end(struct lookup *l);

#endif
