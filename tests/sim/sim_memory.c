/* Memory that runs out: one allocation of what jg or jgd does now fails, SQLite's too. Those of the
 * simulation never do, nor does anything while another computer's fiber runs. And memory that goes with its
 * program: what SQLite holds for a client that is killed, some 300 KB, nobody else would free. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);

static struct memory now;

static bool fails(void)
{
	if (!now.left || --now.left)
		return false;
	now.ran_out = true;
	sim_met("memory ran out");
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t k, size_t n)
{
	return fails() ? NULL : __real_calloc(k, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

void *sim_alloc(void *old, size_t n)
{
	void *p = __real_realloc(old, n);

	if (!p)
		abort();
	return p;
}

static sqlite3_mem_methods real;

/* Before each of SQLite's blocks, of one ring a client; nobody's are in the last. */
struct block {
	struct block *next, *before;
};
static struct block rings[SIM_CLIENTS_MAX + 1];

static void *ring_add(struct block *b, struct block *ring)
{
	if (!b)
		return NULL;
	*b = (struct block){ring->next, ring};
	b->next->before = b;
	ring->next = b;
	return b + 1;
}

static struct block *ring_remove(void *p)
{
	struct block *b = (struct block *)p - 1;

	b->before->next = b->next;
	b->next->before = b->before;
	return b;
}

static void *sqlite_alloc(int n)
{
	const struct client *c = client_now();

	if (fails())
		return NULL;
	return ring_add(real.xMalloc(n + (int)sizeof(struct block)), &rings[c ? c->no : SIM_CLIENTS_MAX]);
}

static void sqlite_free(void *p)
{
	real.xFree(ring_remove(p));
}

static void *sqlite_realloc(void *p, int n)
{
	if (fails())
		return NULL;
	struct block *b = real.xRealloc((struct block *)p - 1, n + (int)sizeof *b);

	if (!b)
		return NULL;
	b->next->before = b;
	b->before->next = b;
	return b + 1;
}

static int sqlite_size(void *p)
{
	return p ? real.xSize((struct block *)p - 1) - (int)sizeof(struct block) : 0;
}

void memory_init(void)
{
	sqlite3_mem_methods m;

	for (size_t i = 0; i < sizeof rings / sizeof *rings; i++)
		rings[i] = (struct block){&rings[i], &rings[i]};
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
	m = real;
	m.xMalloc = sqlite_alloc;
	m.xFree = sqlite_free;
	m.xRealloc = sqlite_realloc;
	m.xSize = sqlite_size;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
}

void memory_drop(unsigned client)
{
	struct block *ring = &rings[client];

	while (ring->next != ring)
		sqlite_free(ring->next + 1);
}

void memory_arm(unsigned per_mille, unsigned most)
{
	now = (struct memory){.left = world.plan.memory && world.faults && chance(per_mille)
			? 1 + draw(UINT64_C(1) << draw(most + 1))
			: 0};
}

bool memory_disarm(void)
{
	now.left = 0;
	return now.ran_out;
}

struct memory memory_swap(struct memory m)
{
	struct memory before = now;

	now = m;
	return before;
}
