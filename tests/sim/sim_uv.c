/* libuv as far as server/db_*.c, push_db.c, request.c and jobs.c use it: timers, polls, closing. The
 * functions have libuv's names: the linker takes these before the library's. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "sim_pg.h"

/* A handle keeps what libuv would keep in its private parts: the event under way. */
#define EVENT(handle) ((handle)->u.reserved[0])

struct firing {
	uv_timer_t *timer;
	uv_timer_cb cb;
	uint64_t repeat_ms;
};

static void on_timer(void *data)
{
	uv_timer_t *t = data;
	struct firing *f = t->u.reserved[1];

	EVENT(t) = NULL;
	if (f->repeat_ms)
		EVENT(t) = sim_at(f->repeat_ms * MS, t->loop, on_timer, t);
	memory_arm(SERVER_SHORT, 6);
	f->cb(t);
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *t)
{
	void *data = t->data;

	memset(t, 0, sizeof *t);
	t->data = data;
	t->loop = loop;
	t->type = UV_TIMER;
	return 0;
}

int uv_timer_stop(uv_timer_t *t)
{
	if (EVENT(t))
		sim_cancel(EVENT(t));
	EVENT(t) = NULL;
	return 0;
}

int uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
	struct firing *f = t->u.reserved[1];

	if (!f) { /* the real one asks for no memory */
		struct memory theirs = memory_swap((struct memory){0});
		f = t->u.reserved[1] = arena_alloc(&world.arena, sizeof *f);
		memory_swap(theirs);
	}
	uv_timer_stop(t);
	*f = (struct firing){t, cb, repeat};
	EVENT(t) = sim_at(timeout * MS, t->loop, on_timer, t);
	return 0;
}

int uv_is_closing(const uv_handle_t *h)
{
	return h->u.reserved[2] != NULL;
}

static void on_closed(void *data)
{
	uv_handle_t *h = data;

	if (h->close_cb)
		h->close_cb(h);
}

void uv_close(uv_handle_t *h, uv_close_cb cb)
{
	if (h->type == UV_TIMER)
		uv_timer_stop((uv_timer_t *)h);
	else
		uv_poll_stop((uv_poll_t *)h);
	h->close_cb = cb;
	h->u.reserved[2] = h;
	sim_at(0, h->loop, on_closed, h);
}

uint64_t uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return 1000 + sim_now() / MS;
}

int uv_poll_init(uv_loop_t *loop, uv_poll_t *p, int fd)
{
	void *data = p->data;

	memset(p, 0, sizeof *p);
	p->data = data;
	p->loop = loop;
	p->type = UV_POLL;
	p->u.reserved[1] = (void *)(intptr_t)fd;
	return 0;
}

int uv_fileno(const uv_handle_t *h, uv_os_fd_t *fd)
{
	*fd = (int)(intptr_t)h->u.reserved[1];
	return 0;
}

int uv_poll_start(uv_poll_t *p, int events, uv_poll_cb cb)
{
	pg_watch((int)(intptr_t)p->u.reserved[1], p, events, cb);
	return 0;
}

int uv_poll_stop(uv_poll_t *p)
{
	pg_watch((int)(intptr_t)p->u.reserved[1], NULL, 0, NULL);
	return 0;
}
