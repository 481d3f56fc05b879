/* guesses.h - how many wrong connect codes the server looks at: so many of an address on one code, of an
 * address, and in all. Whoever does not know a code can neither find one nor use up its tries for somebody
 * else. Shared by the loops: any thread. */
#ifndef JG_GUESSES_H
#define JG_GUESSES_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* SECURITY.md: wrong tries of an address on one code, then the code is dead for it */
#define GUESSES_CODE 5
/* wrong codes of an address at once: a staff room that reads from one sheet has fewer … */
#define GUESSES_ADDRESS 30
#define GUESSES_ADDRESS_EVERY_MS 2000 /* … and one more each two seconds */
#define GUESSES_ALL 300 /* of all addresses at once: a county enrols as many schools on one morning … */
/* … and ten more a second: what is over it costs no look at the database */
#define GUESSES_ALL_EVERY_MS 100
/* for this long after a wrong code an address waits in the queue of the guessers */
#define GUESSES_GUILTY_MS 3600000
/* addresses, and addresses with codes, that are remembered: the oldest give way */
#define GUESSES_SLOTS 4096

struct guess_slot {
	uint64_t key; /* 0 = free */
	/* an address: when its wrong tries are forgotten, 0 = it had none; a code: when it was last tried */
	uint64_t until_ms;
	unsigned wrong; /* of a code */
};

struct guesses {
	uv_mutex_t lock;
	/* two queues, of addresses without a wrong code and with one: a guesser with a thousand addresses
	 * delays only other guessers */
	uint64_t all_until_ms[2];
	struct guess_slot address[GUESSES_SLOTS], code[GUESSES_SLOTS];
};

enum guess { GUESS_MAY, GUESS_DEAD, GUESS_LATER };

void guesses_init(struct guesses *g);
/* Asked before a code is looked up; it counts as a wrong one until guesses_right says otherwise. `tag` is the
 * part of the secret by which an invitation is found. *wait_ms is set for GUESS_LATER. */
enum guess guesses_take(
	struct guesses *g, uint32_t address, const uint8_t tag[3], uint64_t now_ms, unsigned *wait_ms);
void guesses_right(struct guesses *g, uint32_t address, const uint8_t tag[3]);

#endif
