#include <stdarg.h>

#include "access_log.h"
#include "clock.h"
#include "envelope.h"
#include "field_label.h"
#include "lang.h"
#include "log.h"
#include "request_inner.h"

static void count_call(struct request *r)
{
	if (!r->method)
		return;
	struct worker_stats *stats = &r->worker->stats;
	int i = method_index(r->method->number);
	uint64_t us = clock_monotonic_us() - r->started_us;
	unsigned bucket = 0;
	char user[LOG_VALUE];

	while (bucket < LATENCY_BUCKETS - 1 && us > UINT64_C(64) << bucket)
		bucket++;
	stat_add(stats->calls[i], 1);
	stat_add(stats->latency_sum_us[i], us);
	stat_add(stats->latency[i][bucket], 1);
	if (r->result)
		stat_add(stats->errors[i], 1);
	if (r->unlogged)
		return;
	if (r->result || us > 1000000)
		log_info("call=%s method=%s device=%s school=%s user=%s result=%s us=%llu attempts=%u",
			r->ref, r->method->name, r->caller.has_device ? r->caller.device_text : "-",
			r->caller.school, log_value(user, r->caller.user), err_info((int)r->result)->name,
			(unsigned long long)us, r->attempts);
	else
		log_debug("call=%s method=%s us=%llu", r->ref, r->method->name, (unsigned long long)us);
}

/* Sends what the peer has room for; the rest waits for `drained`. */
static void send_pages(struct request *r)
{
	while (r->conn && r->page_at < r->pages.len && r->conn->stream.queued < STREAM_PAUSE_BYTES) {
		const uint8_t *at = r->pages.data + r->page_at;
		size_t n = FRAME_HEADER + (size_t)get_be32(at);
		if (conn_send(r->conn, at, n))
			return; /* the connection is closing; its end detaches this request */
		r->page_at += n;
	}
	if (r->conn && r->page_at < r->pages.len)
		return;
	r->pages.len = r->page_at = 0;
	if (r->state == REQUEST_ANSWERED) {
		request_end(r);
		return;
	}
	request_enter(r, REQUEST_RUNNING);
	r->more(r);
}

void request_drained(struct request *r)
{
	if (r->state == REQUEST_PAUSED || r->state == REQUEST_ANSWERED)
		send_pages(r);
}

static void frame_message(
	struct request *r, enum frame_type type, uint8_t flags, const ProtobufCMessage *message)
{
	struct frame f = {.type = (uint8_t)type,
		.flags = flags,
		.method = r->method ? r->method->number : 0,
		.call = r->call};

	if (r->conn)
		envelope_pack(&r->pages, &f, message);
}

static void send_answer(struct request *r)
{
	request_release(r);
	request_enter(r, REQUEST_ANSWERED);
	count_call(r);
	if (r->pages.failed && r->conn) { /* the client sees an unknown outcome */
		log_error("no reply: out of memory, or longer than a frame: method=%s",
			r->method ? r->method->name : "Hello");
		conn_close(r->conn, CLOSE_REASONS);
	}
	if (r->conn)
		send_pages(r);
	else
		request_end(r);
}

void request_page(struct request *r, const ProtobufCMessage *message)
{
	frame_message(r, FRAME_REPLY, FRAME_MORE, message);
}

void request_continue(struct request *r, request_fn more)
{
	request_release(r);
	if (!r->conn) {
		request_end(r);
		return;
	}
	r->more = more;
	request_enter(r, REQUEST_PAUSED);
	send_pages(r);
}

void request_reply(struct request *r, const ProtobufCMessage *message)
{
	if (r->arena.refused) { /* better no answer than one that lacks something */
		request_fail(r, r->arena.refused, NULL, NULL);
		return;
	}
	frame_message(r, r->method ? FRAME_REPLY : FRAME_WELCOME, 0, message);
	if (r->method && r->method->personal && r->state == REQUEST_ASKING) {
		/* Children's data leave only after the row that says so is committed. */
		access_log_query(r, "OK");
		db_task_commit(&r->task);
		request_trip(r, send_answer);
		return;
	}
	send_answer(r);
}

static uint32_t retry_after(enum err code)
{
	return err_info((int)code)->level == ERR_LEVEL_RETRY ? 1000 : 0;
}

void request_fail_problem(struct request *r, const struct problem *p)
{
	pb_error error = PB_ERROR_INIT;
	uint32_t wait = p->retry_ms ? p->retry_ms : retry_after(p->code);

	error.has_code = 1;
	error.code = (uint32_t)p->code;
	error.name = (char *)err_info((int)p->code)->name;
	error.message = (char *)p->message;
	error.safe = p->safe[0] ? (char *)p->safe : NULL;
	error.hint = p->hint[0] ? (char *)p->hint : NULL;
	error.field = p->field[0] ? (char *)p->field : NULL;
	error.has_retry_after_ms = wait != 0;
	error.retry_after_ms = wait;
	error.ref = p->ref[0] ? (char *)p->ref : r->ref;
	r->result = p->code;
	frame_message(r, FRAME_ERROR, 0, &error.base);
	send_answer(r);
}

/* What is missing is called as people call it. */
static void name_missing(const struct request *r, const char *field, struct problem *p)
{
	const ProtobufCFieldDescriptor *f = r->message
		? protobuf_c_message_descriptor_get_field_by_name(r->message->descriptor, field)
		: NULL;

	problem_set(p, ERR_MISSING, field, NULL, f ? _("缺少“%s”") : NULL, f ? field_label(f) : NULL);
}

void request_fail(struct request *r, enum err code, const char *field, const char *format, ...)
{
	struct problem p;
	char text[256];

	if (format) {
		va_list args;
		va_start(args, format);
		vsnprintf(text, sizeof text, format, args);
		va_end(args);
		problem_set(&p, code, field, NULL, "%s", text);
	} else if (code == ERR_MISSING && field) {
		name_missing(r, field, &p);
	} else {
		problem_set(&p, code, field, NULL, NULL);
	}
	request_fail_problem(r, &p);
}

void request_fail_hint(
	struct request *r, enum err code, const char *field, const char *message, const char *hint)
{
	struct problem p;

	problem_set(&p, code, field, hint, message ? "%s" : NULL, message);
	request_fail_problem(r, &p);
}

void request_refuse(
	struct request *r, enum err code, const char *field, const char *message, const char *hint)
{
	access_log_add(
		r->worker, &r->caller, r->method->name, err_info((int)code)->name, 0, "refused", r->ref);
	request_fail_hint(r, code, field, message, hint);
}
