#include "pending.h"

#include <stdlib.h>

#include "conn.h"

static void move(struct conn *c, struct conn_list *to)
{
	struct conn_list *from = c->list, *shaking = &c->worker->pending.shaking;

	if (from) {
		*(c->older ? &c->older->newer : &from->first) = c->newer;
		*(c->newer ? &c->newer->older : &from->last) = c->older;
		from->n--;
		c->address->shaking -= from == shaking;
	}
	c->list = to;
	if (to) {
		c->newer = NULL;
		c->older = to->last;
		*(to->last ? &to->last->newer : &to->first) = c;
		to->last = c;
		to->n++;
		c->address->shaking += to == shaking;
	}
}

static struct address *address_of(struct pending *s, uint32_t hash)
{
	struct address **slot = &s->addresses[hash % ADDRESS_SLOTS], *a = *slot;

	while (a && a->hash != hash)
		a = a->next;
	if (!a && (a = calloc(1, sizeof *a))) {
		a->hash = hash;
		a->next = *slot;
		*slot = a;
	}
	return a;
}

static void address_leave(struct pending *s, struct address *a)
{
	struct address **at = &s->addresses[a->hash % ADDRESS_SLOTS];

	if (--a->conns)
		return;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}

/* Which connection gives way first: one that has sent nothing, then one that waits, then one that is shaking
 * hands; the oldest of each. */
static void evict_oldest(struct pending *s)
{
	struct conn *oldest = s->silent.first ? s->silent.first
		: s->waiting.first            ? s->waiting.first
					      : s->shaking.first;

	if (oldest)
		conn_close(oldest, CLOSE_HANDSHAKES);
}

bool pending_accept(struct conn *c, uint32_t address)
{
	struct pending *s = &c->worker->pending;

	c->address = address_of(s, address);
	if (!c->address)
		return false;
	if (c->address->conns++ >= (unsigned)atomic_load(&c->worker->server->per_address)) {
		pending_forget(c);
		return false;
	}
	if (s->silent.n + s->waiting.n + s->shaking.n >= PENDING_MAX)
		evict_oldest(s);
	move(c, &s->silent);
	return true;
}

/* An address cannot keep others out by opening many connections: when all places are taken, the oldest
 * handshake of the address that holds most of them gives way at once to a connection of an address that holds
 * fewer. */
static bool evict_greedy(struct pending *s, const struct conn *newcomer)
{
	struct conn *victim = s->shaking.first;

	for (struct conn *c = victim; c; c = c->newer)
		if (c->address->shaking > victim->address->shaking)
			victim = c;
	if (!victim || victim->address->shaking <= newcomer->address->shaking + 1)
		return false;
	conn_close(victim, CLOSE_HANDSHAKES);
	return true;
}

static bool evict_slow(struct pending *s, uint64_t now_ms)
{
	struct conn *oldest = s->shaking.first;

	if (!oldest || now_ms - oldest->shaking_ms < EVICT_MS)
		return false;
	conn_close(oldest, CLOSE_HANDSHAKES);
	return true;
}

static void take_place(struct conn *c)
{
	c->shaking_ms = uv_now(&c->worker->loop);
	move(c, &c->worker->pending.shaking);
}

bool pending_speak(struct conn *c)
{
	struct pending *s = &c->worker->pending;
	bool place = (s->shaking.n < HANDSHAKES_MAX && !s->waiting.n) ||
		(s->shaking.n >= HANDSHAKES_MAX && evict_greedy(s, c));

	if (place)
		take_place(c);
	else
		move(c, &s->waiting);
	return place;
}

void pending_leave(struct conn *c)
{
	move(c, NULL);
}

void pending_forget(struct conn *c)
{
	address_leave(&c->worker->pending, c->address);
}

void pending_admit(struct worker *w)
{
	struct pending *s = &w->pending;

	while (s->waiting.first && (s->shaking.n < HANDSHAKES_MAX || evict_slow(s, uv_now(&w->loop)))) {
		struct conn *c = s->waiting.first;
		take_place(c);
		stream_go(&c->stream);
	}
}
