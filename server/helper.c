#include "helper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "worker.h"

#define RUNNING_MAX 2 /* a core each */
#define WAITING_MAX 64

void helper_beside(const char *name, char *out, size_t size)
{
	char path[4096] = "";
	size_t n = sizeof path;

	uv_exepath(path, &n);
	char *slash = strrchr(path, '/');
	snprintf(out, size, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name);
}

static void start_next(struct worker *w);

static void on_closed(uv_handle_t *handle)
{
	struct helper *h = handle->data, **at;
	struct worker *w = h->worker;

	if (--h->open)
		return;
	for (at = &w->helpers; *at != h;)
		at = &(*at)->next;
	*at = h->next;
	start_next(w);
	h->done(h);
}

static void close_handle(void *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void end(struct helper *h)
{
	if (!h->exited || !h->heard)
		return;
	close_handle(&h->process);
	close_handle(&h->in);
	close_handle(&h->answer);
	close_handle(&h->timer);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct helper *h = handle->data;

	(void)wanted;
	*buf = uv_buf_init(h->out + h->out_n, (unsigned)(h->out_max - h->out_n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct helper *h = stream->data;

	(void)buf;
	if (n > 0)
		h->out_n += (size_t)n;
	if (n >= 0 && h->out_n < h->out_max)
		return;
	h->heard = true; /* to its end, or as much as is wanted: it may say the rest to nobody */
	close_handle(&h->answer);
	end(h);
}

static void on_exited(uv_process_t *process, int64_t status, int signal_number)
{
	struct helper *h = process->data;

	h->status = signal_number ? -1 : (int)status;
	h->exited = true;
	end(h);
}

/* What it has started goes with it, and may not keep us listening. */
static void stop(struct helper *h)
{
	if (h->process.pid > 0)
		kill(-h->process.pid, SIGKILL);
	h->heard = true;
	end(h);
}

static void on_time(uv_timer_t *timer)
{
	stop(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
	struct helper *h = write->data;

	(void)status; /* it may have had enough */
	close_handle(&h->in);
}

static void begin_talk(struct helper *h)
{
	uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)h->bytes, (unsigned)h->n);

	h->write.data = h;
	if (!h->bytes || uv_write(&h->write, (uv_stream_t *)&h->in, &bytes, 1, on_written))
		close_handle(&h->in);
	if (!h->out_max || uv_read_start((uv_stream_t *)&h->answer, on_room, on_read))
		h->heard = true;
	uv_timer_start(&h->timer, on_time, h->worker->stopping ? 1 : h->most_ms, 0);
}

static void start(struct helper *h)
{
	static char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin",
		(char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	uv_loop_t *loop = &h->worker->loop;
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&h->in},
		{.flags = h->out_max ? UV_CREATE_PIPE | UV_WRITABLE_PIPE : UV_IGNORE,
			.data.stream = (uv_stream_t *)&h->answer},
		{.flags = UV_IGNORE}};
	uv_process_options_t options = {.exit_cb = on_exited,
		.file = h->args[0],
		.args = (char **)(uintptr_t)h->args,
		.env = (char **)(uintptr_t)environment,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio};

	h->running = true;
	h->open = 4;
	uv_pipe_init(loop, &h->in, 0);
	uv_pipe_init(loop, &h->answer, 0);
	uv_timer_init(loop, &h->timer);
	h->in.data = h->answer.data = h->timer.data = h;
	int e = uv_spawn(loop, &h->process, &options);
	h->process.data = h;
	if (!e) {
		begin_talk(h);
		return;
	}
	log_warn("%s cannot be started: %s", h->args[0], uv_strerror(e));
	h->exited = h->heard = true;
	end(h);
}

static void start_next(struct worker *w)
{
	int running = 0;

	for (struct helper *h = w->helpers; h; h = h->next)
		running += h->running;
	for (struct helper *h = w->helpers; h && running < RUNNING_MAX; h = h->next)
		if (!h->running) {
			start(h);
			running++;
		}
}

enum err helper_run(struct helper *h, struct worker *w)
{
	struct helper **last = &w->helpers;
	int waiting = 0;

	for (; *last; last = &(*last)->next)
		waiting++;
	if (waiting >= WAITING_MAX)
		return ERR_BUSY;
	*last = h;
	h->worker = w;
	h->status = -1;
	start_next(w);
	return ERR_OK;
}

void helper_end_all(struct worker *w)
{
	for (struct helper *h = w->helpers; h; h = h->next)
		if (h->running)
			stop(h);
}
