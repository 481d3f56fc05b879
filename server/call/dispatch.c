#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "codes.h"
#include "envelope.h"
#include "lang.h"
#include "log.h"
#include "service.h"

static request_fn handlers[METHOD_COUNT];

void dispatch_init(void)
{
	for (size_t s = 0; s < service_count; s++)
		for (const struct handler *h = services[s]->handlers; h->method; h++) {
			int i = method_index(h->method);
			if (i < 0 || handlers[i])
				abort();
			handlers[i] = h->run;
		}
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (!handlers[i]) {
			log_error("no handler for %s", method_table[i].name);
			abort();
		}
}

uint32_t dispatch_cap(const struct conn *c, const struct frame *header)
{
	uint32_t most = c->caller.has_session ? FRAME_MAX - FRAME_HEADER : FRAME_MAX_GREETING - FRAME_HEADER;

	if (header->type == FRAME_HELLO)
		return HELLO_MAX;
	if (header->type == FRAME_PING || header->type == FRAME_PONG)
		return PING_MAX;
	if (header->type != FRAME_CALL)
		return 0;
	const struct method *m = method_by_number(header->method);
	/* An unknown method is answered, not closed: its body is read and dropped, if a greeting could hold
	 * it. */
	uint32_t cap = m ? m->request_max : FRAME_MAX_GREETING - FRAME_HEADER;
	return cap < most ? cap : most;
}

/* Whether the caller may call at all; the answer is one of the permission errors. */
static enum err authorise(const struct conn *c, const struct method *m)
{
	const struct caller *who = &c->caller;

	if (m->access == ACCESS_ENROLLING)
		return c->state == CONN_ENROLLING ? ERR_OK : ERR_NOT_NOW;
	if (c->state != CONN_OPEN)
		return ERR_NOT_NOW;
	if (m->access == ACCESS_GREETED)
		return ERR_OK;
	if (!who->has_session)
		return ERR_UNAUTHENTICATED;
	if (m->access == ACCESS_ANY_SESSION)
		return ERR_OK;
	if (who->must_change)
		return ERR_MUST_CHANGE;
	return m->roles == 0 || (m->roles & who->roles) ? ERR_OK : ERR_PERMISSION;
}

/* The roles that may call this method, so that the reader knows whom to ask. */
static const char *roles_hint(struct request *r, const struct method *m)
{
	const char *names = "";
	char number[8];

	for (size_t i = 0; i < role_count; i++) {
		if (!(m->roles >> role_table[i].number & 1))
			continue;
		snprintf(number, sizeof number, "%u", role_table[i].number);
		const char *word = code_name(&codes_role, number);
		names = arena_printf(&r->arena, "%s%s%s", names, *names ? _("、") : "", word ? word : "");
		if (!names)
			return NULL;
	}
	return arena_printf(&r->arena, _("这件事由 %s 登录办理"), names);
}

static bool take_call(struct conn *c, const struct frame *f)
{
	const struct method *m = method_by_number(f->method);
	struct problem p;

	if (f->call % 2 == 0 || f->call <= c->last_call) {
		conn_goaway(c, CLOSE_PROTOCOL, ERR_PROTOCOL);
		return false;
	}
	c->last_call = f->call;
	struct request *r = request_create(c, m, f, m ? m->arena_max + f->length : 1024);
	if (!r) {
		conn_close(c, CLOSE_FRAME);
		return false;
	}
	if (!m) {
		r->unlogged = !c->caller.has_device;
		request_fail(r, ERR_UNKNOWN_METHOD, NULL, NULL);
		return true;
	}
	enum err e = authorise(c, m);
	if (e) {
		r->unlogged = !c->caller.has_device; /* it fills no log */
		if (!r->unlogged)
			access_log_add(
				c->worker, &c->caller, m->name, err_info((int)e)->name, 0, "refused", r->ref);
		if (e == ERR_PERMISSION)
			request_fail_hint(r, e, NULL, _("没有权限"), roles_hint(r, m));
		else
			request_fail(r, e, NULL, NULL);
		return true;
	}
	if (c->request_count > CALLS_MAX) {
		request_fail(r, ERR_BUSY, NULL, NULL);
		return true;
	}
	if (m->writes && atomic_load(&c->worker->server->draining)) {
		request_fail(r, ERR_DRAINING, NULL, NULL);
		return true;
	}
	const uint8_t *body = arena_copy(&r->arena, f->body, f->length);
	if (!body || envelope_unpack(m->request, body, f->length, &r->arena, &r->message, &p) ||
		envelope_check(r->message, &p)) {
		if (body)
			request_fail_problem(r, &p);
		else
			request_fail(r, ERR_NOMEM, NULL, NULL);
		return true;
	}
	request_start(r, handlers[method_index(m->number)]);
	return true;
}

static bool take_hello(struct conn *c, const struct frame *f)
{
	struct problem p;

	if (c->state != CONN_GREETING || c->request_count) {
		conn_goaway(c, CLOSE_PROTOCOL, ERR_PROTOCOL);
		return false;
	}
	struct request *r = request_create(c, NULL, f, 65536);
	const uint8_t *body = r ? arena_copy(&r->arena, f->body, f->length) : NULL;
	enum err e = ERR_NOMEM;
	if (body && !(e = envelope_unpack(&pb_hello_desc, body, f->length, &r->arena, &r->message, &p)))
		e = envelope_check(r->message, &p);
	if (e) {
		e = e == ERR_NOMEM
			? e
			: ERR_MALFORMED; /* we had no memory, which is not the peer's fault: it may try again */
		conn_goaway(c, e == ERR_NOMEM ? CLOSE_REASONS : CLOSE_PROTOCOL, e);
		if (r)
			request_fail(r, e, NULL, NULL); /* unheard; it ends the request */
		return false;
	}
	request_start(r, session_hello);
	return true;
}

static bool take_ping(struct conn *c, const struct frame *f)
{
	struct buf out = {0};
	struct frame pong = {.type = FRAME_PONG, .length = f->length, .body = f->body};

	frame_append(&out, &pong);
	enum err e = out.failed ? ERR_NOMEM : conn_send(c, out.data, out.len);
	buf_free(&out);
	return e == ERR_OK;
}

bool dispatch_frame(struct conn *c, const struct frame *f)
{
	c->last_ms = uv_now(&c->worker->loop);
	switch (f->type) {
	case FRAME_CALL:
		return take_call(c, f);
	case FRAME_HELLO:
		return take_hello(c, f);
	case FRAME_PING:
		return take_ping(c, f);
	case FRAME_PONG:
		return true;
	default:
		conn_goaway(c, CLOSE_PROTOCOL, ERR_PROTOCOL);
		return false;
	}
}
