#include <stdlib.h>
#include <string.h>

#include "db_inner.h"

#define SWEEP_MS 100 /* how late a task that waited too long is told */

static void on_sweep(uv_timer_t *timer);

enum err db_task_start(
	struct db_pool *pool, struct db_task *task, db_task_fn step, void *data, uint64_t wait_ms)
{
	if (pool->draining)
		return ERR_DRAINING;
	if (pool->waiting >= DB_WAITING_MAX)
		return ERR_BUSY;
	memset(task, 0, sizeof *task);
	task->data = data;
	task->pool = pool;
	task->step = step;
	task->wait_until_ms = wait_ms ? uv_now(pool->loop) + wait_ms : 0;
	if (pool->last)
		pool->last->next = task;
	else
		pool->first = task;
	pool->last = task;
	pool->waiting++;
	uv_timer_start(&pool->sweep, on_sweep, 0, SWEEP_MS);
	return ERR_OK;
}

static unsigned trips_of(const struct db_pool *pool, uint64_t who)
{
	unsigned n = 0;

	for (int i = 0; i < pool->size; i++)
		n += pool->conns[i].task && pool->conns[i].task->who == who;
	return n;
}

unsigned db_pool_waiting(const struct db_pool *pool, uint64_t who)
{
	unsigned n = 0;

	for (const struct db_task *t = pool->first; t; t = t->next)
		n += t->who == who;
	return n;
}

/* The first task whose caller has the fewest trips under way: a computer that asks for a thousand things gets
 * one after another, and a computer that asks for one does not wait behind them. */
static struct db_task *pool_shift(struct db_pool *pool)
{
	struct db_task *task = pool->first, *before = NULL;

	if (!task)
		return NULL;
	unsigned fewest = trips_of(pool, task->who);
	for (struct db_task *t = task; t->next && fewest; t = t->next) {
		unsigned n = trips_of(pool, t->next->who);
		if (n < fewest) {
			fewest = n;
			task = t->next;
			before = t;
		}
	}
	if (before)
		before->next = task->next;
	else
		pool->first = task->next;
	if (pool->last == task)
		pool->last = before;
	pool->waiting--;
	task->next = NULL;
	return task;
}

void db_pool_serve(struct db_pool *pool)
{
	for (int i = 0; i < pool->size && pool->first; i++) {
		struct db_conn *c = &pool->conns[i];
		if (c->state != DB_IDLE)
			continue;
		struct db_task *task = pool_shift(pool);
		db_conn_enter(c, DB_BUSY);
		c->task = task;
		task->conn = c;
		task->step(task);
		i = -1; /* the step may have ended at once and freed a connection */
	}
}

/* Serves new tasks on the next turn of the loop and ends those that have waited too long. */
static void on_sweep(uv_timer_t *timer)
{
	struct db_pool *pool = timer->data;
	uint64_t now = uv_now(pool->loop);

	db_pool_serve(pool);
	while (pool->first && pool->first->wait_until_ms && pool->first->wait_until_ms <= now) {
		struct db_task *task = pool->first;
		pool->first = task->next;
		if (!pool->first)
			pool->last = NULL;
		pool->waiting--;
		task->err = ERR_UNAVAILABLE;
		task->step(task);
	}
	if (!pool->first)
		uv_timer_stop(timer);
}

static void pool_release(struct db_pool *pool)
{
	for (int i = 0; pool->conns && i <= pool->size; i++) {
		free(pool->conns[i].prepared);
		free(pool->conns[i].queue);
	}
	free(pool->conninfo);
	free(pool->hosts);
	free(pool->ports);
	free(pool->conns);
	free(pool);
}

static void pool_free(struct db_pool *pool)
{
	void (*closed)(void *) = pool->closed;
	void *data = pool->closed_data;

	pool_release(pool);
	closed(data);
}

void db_pool_handle_closed(struct db_pool *pool)
{
	if (--pool->closing == 0)
		pool_free(pool);
}

static void on_sweep_closed(uv_handle_t *timer)
{
	db_pool_handle_closed(timer->data);
}

static unsigned split_list(char *list, const char **out)
{
	unsigned n = 0;

	while (list && n < DB_HOSTS_MAX)
		out[n++] = strsep(&list, ",");
	return n;
}

/* host=a,b,c port=5432,5433,5434 (or one port for all). With one host, or with hostaddr, libpq is left to
 * itself. */
static bool split_hosts(struct db_pool *pool)
{
	PQconninfoOption *options = PQconninfoParse(pool->conninfo, NULL);
	const char *hosts = NULL, *ports = NULL, *addresses = NULL;
	bool good = true;

	pool->host_count = 1;
	for (PQconninfoOption *o = options; o && o->keyword; o++) {
		hosts = strcmp(o->keyword, "host") == 0 ? o->val : hosts;
		ports = strcmp(o->keyword, "port") == 0 ? o->val : ports;
		addresses = strcmp(o->keyword, "hostaddr") == 0 ? o->val : addresses;
	}
	if (hosts && strchr(hosts, ',') && !addresses) {
		good = (pool->hosts = strdup(hosts)) && (!ports || (pool->ports = strdup(ports)));
		pool->host_count = split_list(pool->hosts, pool->host);
		if (split_list(pool->ports, pool->port) == 1)
			for (unsigned i = 1; i < pool->host_count; i++)
				pool->port[i] = pool->port[0];
	}
	PQconninfoFree(options);
	return good;
}

enum err db_pool_create(
	struct db_pool **out, uv_loop_t *loop, const char *conninfo, int size, db_greet_fn greet, void *data)
{
	struct db_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return ERR_NOMEM;
	pool->loop = loop;
	pool->conninfo = strdup(conninfo);
	pool->conns = calloc((size_t)size + 1, sizeof *pool->conns);
	if (!pool->conninfo || !pool->conns || !split_hosts(pool)) {
		pool_release(pool);
		return ERR_NOMEM;
	}
	pool->size = size;
	pool->greet = greet;
	pool->greet_data = data;
	uv_timer_init(loop, &pool->sweep);
	pool->sweep.data = pool;
	for (int i = 0; i <= size; i++) {
		struct db_conn *c = &pool->conns[i];
		c->pool = pool;
		c->backoff_ms = DB_BACKOFF_MIN_MS;
		uv_timer_init(loop, &c->timer);
		c->timer.data = c;
		if (i < size)
			db_conn_connect(c);
	}
	*out = pool;
	return ERR_OK;
}

void db_pool_close(struct db_pool *pool, void (*closed)(void *data), void *data)
{
	struct db_task *task;

	pool->draining = true;
	pool->closed = closed;
	pool->closed_data = data;
	pool->closing = pool->size + 2;
	while ((task = pool_shift(pool))) {
		task->err = ERR_DRAINING;
		task->step(task);
	}
	uv_close((uv_handle_t *)&pool->sweep, on_sweep_closed);
	for (int i = 0; i <= pool->size; i++)
		if (pool->conns[i].state != DB_BUSY)
			db_conn_down(&pool->conns[i], NULL);
}

bool db_pool_ready(const struct db_pool *pool)
{
	for (int i = 0; i < pool->size; i++)
		if (pool->conns[i].state == DB_IDLE || pool->conns[i].state == DB_BUSY)
			return true;
	return false;
}

unsigned db_pool_silent(const struct db_pool *pool)
{
	uint64_t most = 0, now = uv_now(pool->loop);

	for (int i = 0; i < pool->size; i++) {
		const struct db_conn *c = &pool->conns[i];
		if (c->state == DB_BUSY && c->head < c->tail && now - c->heard_ms > most)
			most = now - c->heard_ms;
	}
	return (unsigned)most;
}

void db_pool_stats(const struct db_pool *pool, int *busy, int *size, int *waiting)
{
	*busy = 0;
	for (int i = 0; i < pool->size; i++)
		*busy += pool->conns[i].state == DB_BUSY;
	*size = pool->size;
	*waiting = pool->waiting;
}
