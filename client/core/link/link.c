#include "link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "enrol.h"
#include "envelope.h"
#include "frame.h"
#include "lang.h"
#include "log.h"
#include "lookup.h"
#include "state.h"
#include "stream.h"
#include "tables.h"
#include "way.h"

#define REPLY_ARENA (32u << 20) /* of one reply frame: 1 MiB of small rows unpacks to less than 16 MiB */
#define ADDRESSES_MAX 8
/* longest time between two calls of the face's own work: a person does not notice it */
#define MEANWHILE_MS 100

/* Entered by link_enter alone; drawn in server/README.md "State machines". */
enum link_state { LINK_IDLE, LINK_SHAKING, LINK_OPEN, LINK_CLOSED, LINK_STATES };
static const struct state_machine machine = {
	"link",
	(const char *const[LINK_STATES]){"idle", "shaking", "open", "closed"},
	(const uint32_t[LINK_STATES]){
		[LINK_IDLE] = STATE(LINK_SHAKING),
		[LINK_SHAKING] = STATE(LINK_OPEN) | STATE(LINK_CLOSED),
		[LINK_OPEN] = STATE(LINK_CLOSED),
	},
};

struct link {
	struct stream stream; /* first: the stream's events are cast back */
	uv_loop_t loop;
	struct stream_shared shared;
	uv_timer_t timer, meanwhile;
	uv_connect_t connecting;
	SSL_CTX *ctx;
	const struct trust_result *trust;
	struct trust_result own_trust; /* when link_open made the context itself */
	struct profile *profile;
	char server[256]; /* as it is named to people */
	enum link_state state;
	bool tcp_done, timed_out, handle_open;
	int tcp_status;
	enum err why; /* why it closed */
	struct problem goaway;
	struct frame_reader reader;
	struct arena welcome_arena;
	const pb_welcome *welcome;
	uint32_t next_call;
	/* The call that is waited for. */
	uint32_t call;
	uint16_t method;
	const struct method *rule;
	bool greeting, done;
	link_reply_fn reply;
	void *reply_data;
	enum err result;
	struct problem *problem;
	bool has_event;
	int64_t event_stream;
};

/* ---- Frames ---- */

static enum err take_error(struct problem *p, const pb_error *error)
{
	enum err code = error->has_code && error->code ? err_info((int)error->code)->code : ERR_INTERNAL;

	problem_set(p, code, error->field, error->hint && *error->hint ? error->hint : NULL,
		error->message && *error->message ? "%s" : NULL, error->message);
	if (p && error->safe)
		snprintf(p->safe, sizeof p->safe, "%s", error->safe);
	if (p)
		p->retry_ms = error->retry_after_ms;
	if (p && error->ref)
		snprintf(p->ref, sizeof p->ref, "%s", error->ref);
	return code;
}

/* The server's word about a call, or about the connection. */
static enum err read_error(const struct frame *f, struct problem *p)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	enum err e = envelope_unpack(&pb_error_desc, f->body, f->length, &arena, &message, p);
	if (!e)
		e = take_error(p, (const pb_error *)message);
	arena_free(&arena);
	return e;
}

static void end_call(struct link *link, enum err result)
{
	link->result = result;
	link->done = true;
}

static void on_reply(struct link *link, const struct frame *f)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	enum err e = envelope_unpack(link->rule->reply, f->body, f->length, &arena, &message, link->problem);
	if (e)
		end_call(link, e);
	else if ((link->reply && !link->reply(link->reply_data, message)) || !(f->flags & FRAME_MORE))
		end_call(link, ERR_OK);
	arena_free(&arena);
}

static void on_goaway(struct link *link, const struct frame *f)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	if (envelope_unpack(&pb_go_away_desc, f->body, f->length, &arena, &message, NULL) == ERR_OK &&
		((const pb_go_away *)message)->error)
		take_error(&link->goaway, ((const pb_go_away *)message)->error);
	else
		problem_set(&link->goaway, ERR_DRAINING, NULL, NULL, NULL);
	arena_free(&arena);
}

static void on_event(struct link *link, const struct frame *f)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	if (envelope_unpack(&pb_event_desc, f->body, f->length, &arena, &message, NULL) == ERR_OK) {
		link->has_event = true;
		link->event_stream = ((const pb_event *)message)->stream;
	}
	arena_free(&arena);
}

static void on_welcome(struct link *link, const struct frame *f)
{
	const ProtobufCMessage *message;
	enum err e = envelope_unpack(
		&pb_welcome_desc, f->body, f->length, &link->welcome_arena, &message, link->problem);

	if (!e)
		link->welcome = (const pb_welcome *)message;
	end_call(link, e);
}

static void send_frame(struct link *link, const struct frame *f)
{
	struct buf out = {0};

	frame_append(&out, f);
	if (!out.failed)
		stream_write(&link->stream, out.data, out.len);
	buf_free(&out);
}

static void on_frame(struct link *link, const struct frame *f)
{
	bool ours = f->call && f->call == link->call && !link->done;

	if (f->type == FRAME_PING)
		send_frame(link, &(struct frame){.type = FRAME_PONG, .length = f->length, .body = f->body});
	else if (f->type == FRAME_GOAWAY)
		on_goaway(link, f);
	else if (f->type == FRAME_EVENT)
		on_event(link, f);
	else if (f->type == FRAME_WELCOME && link->greeting && !link->done)
		on_welcome(link, f);
	else if (f->type == FRAME_REPLY && ours)
		on_reply(link, f);
	else if (f->type == FRAME_ERROR && (ours || (link->greeting && f->call == 0)))
		end_call(link, read_error(f, link->problem));
}

static uint32_t frame_cap(void *data, const struct frame *header)
{
	(void)data;
	(void)header;
	return FRAME_MAX;
}

/* ---- The stream's events ---- */

static void link_enter(struct link *link, enum link_state to)
{
	assert(link->handle_open && (to != LINK_SHAKING || link->tcp_done));
	link->state = (enum link_state)state_move(&machine, link->state, to);
}

static void on_ready(struct stream *s)
{
	struct link *link = (struct link *)s;

	if (link->state == LINK_SHAKING)
		link_enter(link, LINK_OPEN);
}

static bool on_data(struct stream *s, const uint8_t *bytes, size_t n)
{
	struct link *link = (struct link *)s;
	struct frame f;
	bool done;

	on_ready(s); /* plaintext may come in the segment that ends the handshake */
	while (n && !stream_is_closing(s)) {
		enum err e = frame_reader_feed(&link->reader, &bytes, &n, frame_cap, link, &f, &done);
		if (e) {
			stream_close(s, e, false);
			return false;
		}
		if (done)
			on_frame(link, &f);
	}
	return !stream_is_closing(s);
}

static void on_closed(struct stream *s, enum err why)
{
	struct link *link = (struct link *)s;

	link_enter(link, LINK_CLOSED);
	link->why = why;
	link->handle_open = false;
}

static const struct stream_events events = {NULL, on_ready, on_data, NULL, on_closed};

static void on_timer(uv_timer_t *timer)
{
	((struct link *)timer->data)->timed_out = true;
}

static void arm(struct link *link, unsigned ms)
{
	link->timed_out = false;
	uv_update_time(&link->loop);
	uv_timer_start(&link->timer, on_timer, ms, 0);
}

static void on_meanwhile(uv_timer_t *timer)
{
	(void)timer; /* it has ended the wait, see run_once() */
}

static void serve_face(struct link *link)
{
	struct profile *profile = link->profile;

	if (profile && profile->meanwhile)
		link->timed_out |= !profile->meanwhile(profile->meanwhile_data);
}

/* One turn of the loop, and then what the face has to do. */
static void run_once(struct link *link)
{
	if (!link->profile || !link->profile->meanwhile) {
		uv_run(&link->loop, UV_RUN_ONCE);
		return;
	}
	uv_timer_start(&link->meanwhile, on_meanwhile, MEANWHILE_MS, 0);
	uv_run(&link->loop, UV_RUN_ONCE);
	uv_timer_stop(&link->meanwhile);
	serve_face(link);
}

/* ---- Connecting ---- */

static void on_tcp(uv_connect_t *req, int status)
{
	struct link *link = req->data;

	link->tcp_done = true;
	link->tcp_status = status;
}

static void on_tcp_closed(uv_handle_t *handle)
{
	((struct link *)handle->data)->handle_open = false;
}

static void drop_tcp(struct link *link)
{
	if (!link->handle_open)
		return;
	link->stream.tcp.data = link;
	if (!uv_is_closing((uv_handle_t *)&link->stream.tcp))
		uv_close((uv_handle_t *)&link->stream.tcp, on_tcp_closed);
	while (link->handle_open)
		uv_run(&link->loop, UV_RUN_ONCE);
}

/* HOST:PORT, [v6]:PORT, or a host alone with the default port. */
static bool split_server(const char *server, char *host, size_t size, char port[8])
{
	const char *colon = strrchr(server, ':'), *bracket = strchr(server, ']');
	bool has_port = colon && (!bracket || colon > bracket) && (bracket || strchr(server, ':') == colon);
	size_t n = has_port ? (size_t)(colon - server) : strlen(server);

	snprintf(port, 8, "%s", has_port ? colon + 1 : "7420");
	if (server[0] == '[' && n > 2 && server[n - 1] == ']') {
		server++;
		n -= 2;
	}
	if (!n || n >= size || strspn(port, "0123456789") != strlen(port))
		return false;
	memcpy(host, server, n);
	host[n] = 0;
	return true;
}

static enum err unreachable(struct problem *p, const char *server, const char *why)
{
	problem_set(p, ERR_UNREACHABLE, NULL,
		way_hint(_("检查网线和网络后再试；县局通知换了地址的：%s 主机:端口"), way("server")),
		_("连接不上服务器 %s（%s）"), server, why);
	if (p)
		snprintf(p->safe, sizeof p->safe, "%s", _("本机保存的数据都在"));
	return ERR_UNREACHABLE;
}

static enum err tell_broken(const struct link *link, struct problem *p)
{
	return unreachable(p, link->server, _("连接断开"));
}

static enum err try_address(struct link *link, const struct sockaddr *address)
{
	uv_tcp_init(&link->loop, &link->stream.tcp);
	link->handle_open = true;
	link->tcp_done = false;
	link->connecting.data = link;
	if (uv_tcp_connect(&link->connecting, &link->stream.tcp, address, on_tcp) == 0) {
		while (!link->tcp_done && !link->timed_out)
			run_once(link);
		if (link->tcp_done && link->tcp_status == 0)
			return ERR_OK;
	}
	drop_tcp(link);
	return ERR_UNREACHABLE;
}

static enum err tls_refused(struct link *link, const char *server, struct problem *p)
{
	if (link->goaway.code) {
		*p = link->goaway;
		return p->code;
	}
	int fault = link->trust->fault;
	if (!fault)
		return link->why == ERR_TLS ? problem_set(p, ERR_TLS, NULL, NULL, NULL)
					    : unreachable(p, server, _("连接被断开"));
	if (fault == X509_V_ERR_OUT_OF_MEM)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	bool time = fault == X509_V_ERR_CERT_HAS_EXPIRED || fault == X509_V_ERR_CERT_NOT_YET_VALID;
	return problem_set(p, ERR_TLS, NULL,
		time ? _("请校正这台电脑的时间") : _("不要输入密码，请核对服务器地址，并告诉教育局"),
		_("%s 不是本县的服务器（%s）"), server, X509_verify_cert_error_string(fault));
}

static enum err shake_hands(struct link *link, const char *server, struct problem *p)
{
	link_enter(link, LINK_SHAKING);
	enum err e = stream_open(&link->stream, &link->shared, link->ctx, false, &events);
	if (e) {
		drop_tcp(link);
		return problem_set(p, e, NULL, NULL, NULL);
	}
	while (link->state == LINK_SHAKING && !link->timed_out)
		run_once(link);
	if (link->state == LINK_OPEN)
		return ERR_OK;
	if (link->state == LINK_SHAKING)
		return unreachable(p, server, _("没有应答"));
	return tls_refused(link, server, p);
}

/* NULL after telling why. */
static struct addrinfo *find_addresses(
	struct link *link, const char *server, const char *host, const char *port, struct problem *p)
{
	struct lookup *lookup = lookup_begin(host, port);
	bool answered = false;

	if (!lookup) {
		problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
		return NULL;
	}
	while (!link->timed_out && !(answered = lookup_wait(lookup, MEANWHILE_MS))) {
		uv_run(&link->loop, UV_RUN_NOWAIT); /* the deadline's timer */
		serve_face(link);
	}
	struct addrinfo *list = lookup_end(lookup);
	if (!list)
		unreachable(p, server, answered ? _("查不到这个主机名") : _("查主机名没有应答"));
	return list;
}

static enum err connect_to(struct link *link, const char *server, struct problem *p)
{
	char host[256], port[8];
	int tried = 0;

	if (!split_server(server, host, sizeof host, port))
		return problem_set(p, ERR_USAGE, "server", NULL, _("服务器地址应为 主机:端口"));
	arm(link, LINK_CONNECT_MS);
	struct addrinfo *list = find_addresses(link, server, host, port, p);
	if (!list)
		return p->code;
	enum err e = ERR_UNREACHABLE;
	for (struct addrinfo *at = list; at && e && tried++ < ADDRESSES_MAX; at = at->ai_next)
		e = try_address(link, at->ai_addr);
	freeaddrinfo(list);
	if (e)
		return unreachable(
			p, server, link->timed_out ? _("没有应答") : file_error_text(-link->tcp_status));
	return shake_hands(link, server, p);
}

/* profile: of a link that will greet; NULL for enrolling. */
static enum err connect_as(struct link **out, struct profile *profile, SSL_CTX *ctx,
	const struct trust_result *trust, const char *server, struct problem *p)
{
	struct link *link = calloc(1, sizeof *link);
	struct problem ignored = {0};

	*out = NULL;
	if (!link || !ctx || uv_loop_init(&link->loop)) {
		free(link);
		SSL_CTX_free(ctx);
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	}
	link->ctx = ctx;
	link->trust = trust;
	link->profile = profile;
	snprintf(link->server, sizeof link->server, "%s", server);
	link->next_call = 1;
	stream_shared_init(&link->shared, &link->loop);
	uv_timer_init(&link->loop, &link->timer);
	uv_timer_init(&link->loop, &link->meanwhile);
	link->timer.data = link;
	arena_init(&link->welcome_arena, REPLY_ARENA);
	enum err e = connect_to(link, server, p ? p : &ignored);
	if (e) {
		link_close(link);
		return e;
	}
	*out = link;
	return ERR_OK;
}

enum err link_connect(struct link **out, SSL_CTX *ctx, const struct trust_result *trust, const char *server,
	struct problem *p)
{
	return connect_as(out, NULL, ctx, trust, server, p);
}

void link_close(struct link *link)
{
	if (!link)
		return;
	if (link->handle_open && (link->state == LINK_SHAKING || link->state == LINK_OPEN)) {
		stream_close(&link->stream, ERR_OK, link->state == LINK_OPEN);
		arm(link, 1000); /* a peer that does not read must not hold the command up */
		while (link->handle_open && !link->timed_out)
			uv_run(&link->loop, UV_RUN_ONCE);
		if (link->handle_open)
			stream_close(&link->stream, ERR_OK, false);
		while (link->handle_open)
			uv_run(&link->loop, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&link->timer, NULL);
	uv_close((uv_handle_t *)&link->meanwhile, NULL);
	uv_run(&link->loop, UV_RUN_DEFAULT);
	uv_loop_close(&link->loop);
	stream_shared_free(&link->shared);
	frame_reader_free(&link->reader);
	arena_free(&link->welcome_arena);
	SSL_CTX_free(link->ctx);
	free(link);
}

enum err link_exporter(struct link *link, uint8_t out[32])
{
	return link->state == LINK_OPEN ? tls_exporter(&link->stream.tls, out) : ERR_UNREACHABLE;
}

enum err link_signed(struct link *link, const void *message, size_t n, const uint8_t *sig, size_t sig_len)
{
	return tls_peer_signed(&link->stream.tls, message, n, sig, sig_len);
}

struct profile *link_profile(struct link *link)
{
	return link->profile;
}

bool link_is_alive(const struct link *link)
{
	return link->state == LINK_OPEN && !link->goaway.code;
}

/* ---- Calls ---- */

/* Runs the loop until the answer, the end of the connection, or the deadline. */
static enum err wait_done(struct link *link, unsigned ms, struct problem *p)
{
	arm(link, ms);
	while (!link->done && link->state == LINK_OPEN && !link->timed_out)
		run_once(link);
	uv_timer_stop(&link->timer);
	if (link->done)
		return link->result;
	if (link->state == LINK_OPEN)
		return problem_set(p, ERR_DEADLINE, NULL, NULL, NULL);
	if (link->goaway.code) {
		if (p)
			*p = link->goaway;
		return link->goaway.code;
	}
	return tell_broken(link, p);
}

static enum err send_message(struct link *link, struct frame *f, const ProtobufCMessage *message)
{
	struct buf out = {0};

	envelope_pack(&out, f, message);
	enum err e = out.failed ? ERR_NOMEM : stream_write(&link->stream, out.data, out.len);
	buf_free(&out);
	return e;
}

/* A dry run changes nothing, whatever its method may do. */
static bool is_dry(const ProtobufCMessage *request)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "dry_run");

	return f && *(const protobuf_c_boolean *)(const void *)((const char *)request + f->offset);
}

/* An error that the server has sent means that the call changed nothing, except for the errors that may have
 * met a commit on its way. */
static void count_fate(
	const struct link *link, const struct method *rule, const ProtobufCMessage *request, enum err e)
{
	bool told = link->done && err_info((int)e)->level != ERR_LEVEL_RETRY;

	/* Logging in, renewing a certificate and an upload alone change nothing that anybody typed. */
	if (!rule->writes || rule->prepares || rule->access != ACCESS_SESSION || is_dry(request))
		return;
	link->profile->fate.done += e == ERR_OK;
	link->profile->fate.unknown += e && !told && e != ERR_BUSY && e != ERR_DRAINING;
}

enum err link_call(struct link *link, uint16_t method, const ProtobufCMessage *request, link_reply_fn reply,
	void *data, struct problem *p)
{
	const struct method *rule = method_by_number(method);

	if (!link_is_alive(link)) {
		if (link->goaway.code && p)
			*p = link->goaway;
		return link->goaway.code ? link->goaway.code : tell_broken(link, p);
	}
	link->call = link->next_call;
	link->next_call += 2;
	link->method = method;
	link->rule = rule;
	link->done = false;
	link->reply = reply;
	link->reply_data = data;
	link->problem = p;
	struct frame f = {
		.type = FRAME_CALL, .method = method, .call = link->call, .deadline_ms = LINK_CALL_MS};
	enum err e = send_message(link, &f, request);
	if (!e)
		e = wait_done(link, LINK_CALL_MS, p);
	else if (e == ERR_TOO_LARGE || e == ERR_NOT_NOW)
		e = tell_broken(link, p);
	log_debug("call %s: %s", rule->name, err_info(e)->name);
	count_fate(link, rule, request, e);
	link->reply = NULL;
	link->problem = NULL;
	return e;
}

struct ask {
	struct link *link;
	struct arena *arena;
	const ProtobufCMessage **reply;
	enum err e;
};

/* A reply lives in the frame's own arena; it is packed and unpacked again, which for one small message costs
 * nothing. */
static bool keep_reply(void *data, const ProtobufCMessage *reply)
{
	struct ask *ask = data;
	size_t n = protobuf_c_message_get_packed_size(reply);
	uint8_t *bytes = arena_alloc(ask->arena, n + 1);

	if (!bytes) {
		ask->e = ERR_NOMEM;
		return false;
	}
	protobuf_c_message_pack(reply, bytes);
	ask->e = envelope_unpack(reply->descriptor, bytes, n, ask->arena, ask->reply, NULL);
	return !ask->e;
}

enum err link_ask(struct link *link, uint16_t method, const ProtobufCMessage *request, struct arena *arena,
	const ProtobufCMessage **reply, struct problem *p)
{
	struct ask ask = {link, arena, reply, ERR_OK};
	enum err e = link_call(link, method, request, reply ? keep_reply : NULL, &ask, p);

	if (e)
		return e;
	if (ask.e)
		return problem_set(p, ask.e, NULL, NULL, NULL);
	return ERR_OK;
}

enum err link_wait_event(struct link *link, unsigned ms, int64_t *stream, struct problem *p)
{
	arm(link, ms);
	while (!link->has_event && link_is_alive(link) && !link->timed_out)
		run_once(link);
	uv_timer_stop(&link->timer);
	if (link->has_event) {
		link->has_event = false;
		*stream = link->event_stream;
		return ERR_OK;
	}
	return link->timed_out ? ERR_DEADLINE : tell_broken(link, p);
}

/* ---- HELLO ---- */

const pb_welcome *link_welcome(const struct link *link)
{
	return link->welcome;
}

static void take_text(char *out, size_t size, const char *text)
{
	if (text && *text)
		snprintf(out, size, "%s", text);
}

static enum err take_welcome(struct link *link, struct problem *p)
{
	const pb_welcome *w = link->welcome;
	struct profile *profile = link->profile;

	assert(profile); /* only a link without one skips HELLO */
	if (w->county && strcmp(w->county, profile->county) != 0)
		return problem_set(p, ERR_PROTOCOL, "county", NULL, NULL);
	take_text(profile->county_name, sizeof profile->county_name, w->county_name);
	take_text(profile->school_name, sizeof profile->school_name, w->school_name);
	profile->rehearsal = w->rehearsal;
	profile_heard(profile, w->now);
	return profile_save(profile, p);
}

static enum err greet(struct link *link, const pb_hello *outbox, struct problem *p)
{
	pb_hello hello = PB_HELLO_INIT;

	if (outbox)
		hello = *outbox;
	hello.has_version_min = hello.has_version_max = hello.has_now = 1;
	hello.version_min = hello.version_max = 1;
	hello.client = (char *)"jg " JG_VERSION;
	hello.now = clock_now_us();
	struct frame f = {.type = FRAME_HELLO};
	link->greeting = true;
	link->done = false;
	link->problem = p;
	enum err e = send_message(link, &f, &hello.base);
	if (!e)
		e = wait_done(link, LINK_CONNECT_MS, p);
	link->greeting = false;
	link->problem = NULL;
	return e ? e : take_welcome(link, p);
}

static bool cert_ends_within(const struct profile *profile, int64_t days, int64_t now_s)
{
	return trust_cert_until(profile->cert) - now_s < days * 86400;
}

/* One try: TCP, TLS, HELLO. *greeted: TLS stood and HELLO was sent. */
static enum err open_once(
	struct link **out, struct profile *profile, const pb_hello *hello, bool *greeted, struct problem *p)
{
	struct trust_result *trust = calloc(1, sizeof *trust);

	*greeted = false;
	if (!trust)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	SSL_CTX *ctx = trust_context(profile->ca, profile->cert, profile->key, profile->county, false,
		profile_cert_time_s(profile), trust);
	enum err e = connect_as(out, profile, ctx, trust, profile->server, p);
	if (e) {
		free(trust);
		return e;
	}
	(*out)->own_trust = *trust;
	(*out)->trust = &(*out)->own_trust;
	free(trust);
	*greeted = true;
	e = greet(*out, hello, p);
	if (e) {
		link_close(*out);
		*out = NULL;
	}
	return e;
}

enum err link_open(struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p)
{
	struct problem none = {0}, ignored = {0};
	bool greeted;

	p = p ? p : &none;
	*out = NULL;
	if (!profile_is_enrolled(profile))
		return problem_set(p, ERR_NOT_NOW, NULL, NULL, _("这台电脑还没有注册"));
	if (cert_ends_within(profile, 0, profile_cert_time_s(profile))) {
		enum err e = enrol_renew(profile, p);
		if (e)
			return e;
	}
	enum err e = open_once(out, profile, hello, &greeted, p);
	/* In TLS 1.3 a server refuses our certificate after our side of the handshake is done, and its reason
	 * may be lost with the connection. The certificate may have ended by the server's clock, which may be
	 * ahead of ours: renewing it shows that, and also whether this computer has been removed from the
	 * county. */
	if (e && greeted && (e == ERR_UNREACHABLE || e == ERR_TLS)) {
		enum err renewed = enrol_renew(profile, &ignored);
		if (renewed == ERR_OK)
			e = open_once(out, profile, hello, &greeted, p);
		else if (renewed == ERR_REVOKED) {
			*p = ignored;
			e = renewed;
		}
	}
	if (e)
		return e;
	if (cert_ends_within(profile, LINK_RENEW_DAYS, (*out)->welcome->now / 1000000) &&
		enrol_renew(profile, &ignored))
		log_warn("certificate not renewed: %s", err_info(ignored.code)->name);
	return ERR_OK;
}
