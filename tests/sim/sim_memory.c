/* Memory that runs out: one allocation of what jg or jgd does now fails, SQLite's too. Those of the simulation never do, nor does
 * anything while another computer's fiber runs. */
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

static void *sqlite_alloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

void memory_init(void)
{
	sqlite3_mem_methods m;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
	m = real;
	m.xMalloc = sqlite_alloc;
	m.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
}

void memory_arm(unsigned per_mille, unsigned most)
{
	now = (struct memory){.left = world.plan.memory && world.faults && chance(per_mille) ? 1 + draw(UINT64_C(1) << draw(most + 1)) : 0};
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
