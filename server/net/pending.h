/* pending.h - pending connections, which have not shaken hands: who has a place among the handshakes, who
 * waits for one, who gives way, and how many connections an address holds. One loop's, on its thread.
 *
 *   silent ──first byte──> waiting ──a place is free──> shaking ──> the list of nobody: pending_leave
 *
 * A storm of reconnects waits in order instead of being thrown out and coming back: each handshake that is
 * broken off has cost what a finished one costs. Each list has the oldest first. */
#ifndef JG_PENDING_H
#define JG_PENDING_H

#include <stdbool.h>
#include <stdint.h>

/* in flight on each loop: each costs 0.8 ms of CPU, and so long the loop's calls wait */
#define HANDSHAKES_MAX 32
/* after which a handshake gives way to who waits: an honest one takes a tenth of it */
#define EVICT_MS 1000
#define PENDING_MAX 1024   /* of each loop: about 16 MiB of TLS objects */
#define ADDRESS_SLOTS 1024 /* of the table of addresses: a county's schools */

struct conn;
struct worker;

struct conn_list {
	struct conn *first, *last;
	unsigned n;
};

struct address {
	struct address *next;
	uint32_t hash;
	unsigned conns, shaking;
};

struct pending {
	struct conn_list silent, waiting, shaking;
	struct address *addresses[ADDRESS_SLOTS];
};

/* A new connection. false: its address holds as many as it may, or there is no memory. */
bool pending_accept(struct conn *c, uint32_t address);
/* Its first byte. true: it has a place; false: it waits, and pending_admit brings it on. */
bool pending_speak(struct conn *c);
/* It has shaken hands or is being closed; harmless when it has left before. */
void pending_leave(struct conn *c);
/* It is freed: its address holds one less. */
void pending_forget(struct conn *c);
/* Before the loop sleeps: free places go to who waits longest. */
void pending_admit(struct worker *w);

#endif
