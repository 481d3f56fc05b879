#include "guesses.h"

#include <string.h>

void guesses_init(struct guesses *g)
{
	memset(g, 0, sizeof *g);
	uv_mutex_init(&g->lock);
}

/* The slot of a key, or the one of its neighbourhood that has been left alone the longest. */
static struct guess_slot *slot_of(struct guess_slot *slots, uint64_t key)
{
	size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 52);
	struct guess_slot *oldest = &slots[at];

	for (size_t i = 0; i < 8; i++) {
		struct guess_slot *s = &slots[(at + i) % GUESSES_SLOTS];
		if (s->key == key)
			return s;
		if (s->until_ms < oldest->until_ms)
			oldest = s;
	}
	*oldest = (struct guess_slot){.key = key};
	return oldest;
}

static uint64_t address_key(uint32_t address)
{
	return UINT64_C(1) << 63 | address;
}

static uint64_t code_key(uint32_t address, const uint8_t tag[3])
{
	return UINT64_C(1) << 63 | (uint64_t)tag[0] << 48 | (uint64_t)tag[1] << 40 | (uint64_t)tag[2] << 32 |
		address;
}

/* A bucket, kept as the time at which it is empty: every guess moves that time by one step. False: it would
 * be more than `most` steps ahead. */
static bool fill(uint64_t *until_ms, uint64_t now_ms, unsigned most, unsigned step_ms, unsigned *wait_ms)
{
	uint64_t from = *until_ms > now_ms ? *until_ms : now_ms;

	if (from - now_ms + step_ms > (uint64_t)most * step_ms) {
		*wait_ms = (unsigned)(from - now_ms + step_ms - (uint64_t)most * step_ms);
		return false;
	}
	*until_ms = from + step_ms;
	return true;
}

static bool is_guilty(const struct guess_slot *a, uint64_t now_ms)
{
	return a->until_ms && now_ms < a->until_ms + GUESSES_GUILTY_MS;
}

enum guess guesses_take(
	struct guesses *g, uint32_t address, const uint8_t tag[3], uint64_t now_ms, unsigned *wait_ms)
{
	enum guess answer = GUESS_MAY;

	uv_mutex_lock(&g->lock);
	struct guess_slot *a = slot_of(g->address, address_key(address)),
			  *c = slot_of(g->code, code_key(address, tag));
	uint64_t *all = &g->all_until_ms[is_guilty(a, now_ms)];
	if (c->wrong >= GUESSES_CODE)
		answer = GUESS_DEAD;
	else if (!fill(&a->until_ms, now_ms, GUESSES_ADDRESS, GUESSES_ADDRESS_EVERY_MS, wait_ms) ||
		!fill(all, now_ms, GUESSES_ALL, GUESSES_ALL_EVERY_MS, wait_ms))
		answer = GUESS_LATER;
	else
		c->wrong++;
	c->until_ms = now_ms;
	uv_mutex_unlock(&g->lock);
	return answer;
}

void guesses_right(struct guesses *g, uint32_t address, const uint8_t tag[3])
{
	uv_mutex_lock(&g->lock);
	slot_of(g->code, code_key(address, tag))->wrong = 0;
	slot_of(g->address, address_key(address))->until_ms = 0;
	if (g->all_until_ms[0] > GUESSES_ALL_EVERY_MS)
		g->all_until_ms[0] -= GUESSES_ALL_EVERY_MS;
	uv_mutex_unlock(&g->lock);
}
