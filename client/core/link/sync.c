#include "sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "blobs.h"
#include "clock.h"
#include "fault.h"
#include "lang.h"
#include "login.h"
#include "outbox.h"
#include "staging.h"
#include "tables.h"
#include "upload.h"

#define REPLY_BYTES (4u << 20) /* arena of a push and its answer */

struct sync {
	struct store *store;
	const struct sync_options *options;
	struct sync_report *report;
	struct link *link;
	struct problem *p, ignored;
	struct sync_machine machine;
	struct sync_event event;   /* what the last step came to */
	struct sync_action action; /* the next one */
	struct stream_state streams[STORE_STREAMS_MAX];
	size_t n_streams;
	uint64_t epoch; /* that the last WELCOME told, 0 before the first */
	bool moved;     /* a page of the pull under way came from another */
	struct staging_end end;
	enum err staged; /* of the pages of the pull under way */
	enum err control;
	uint64_t before, total; /* received by this run before the stream under way, and what that has */
};

static void tell(struct sync *x, const char *what, uint64_t done, uint64_t total)
{
	if (x->options->progress)
		x->options->progress(x->options->progress_data, what, done, total);
}

static void drop_link(struct sync *x)
{
	link_close(x->link);
	x->link = NULL;
}

static struct sync_event failed(struct sync *x, enum err e)
{
	return (struct sync_event){.what = SYNC_FAILED, .error = e, .retry_ms = x->p->retry_ms};
}

/* Whether the server was restored, or failed over, since the last pull: it may lack files. */
static bool is_other_history(const struct sync *x)
{
	for (size_t i = 0; i < x->n_streams; i++)
		if (x->streams[i].epoch && x->streams[i].epoch != link_welcome(x->link)->epoch)
			return true;
	return false;
}

static struct sync_event do_connect(struct sync *x)
{
	pb_hello hello;
	size_t drafts;
	bool lost;

	drop_link(x);
	*x->p = (struct problem){0};
	outbox_hello(x->store, &hello);
	enum err e = link_open(&x->link, x->store->profile, &hello, x->p);
	if (e)
		return failed(x, e);
	lost = link_welcome(x->link)->last_op < x->store->last_op && !link_welcome(x->link)->forked;
	e = outbox_welcome(x->store, link_welcome(x->link), &drafts, x->p);
	lost |= x->store->older.incarnation != 0;
	fault_point(FAULT_JG_WELCOME_TAKEN);
	if (!e)
		e = login_resume(x->link, x->p);
	if (!e && x->store->profile->session.must_change)
		e = problem_set(x->p, ERR_MUST_CHANGE, NULL, _("运行 passwd"), NULL);
	if (!e && profile_has_role(x->store->profile, 1u << ROLE_REGISTRAR)) {
		size_t before = x->report->opened.drafts;
		e = revoked_open(x->store, x->link, &x->report->opened, x->p);
		x->report->opened.drafts += before;
	}
	if (e)
		return failed(x, e);
	x->report->drafts += drafts;
	x->report->resent |= lost;
	e = store_streams(x->store, x->streams, &x->n_streams, x->p);
	if (!e)
		e = blob_try_again(x->store, is_other_history(x), x->p);
	if (e)
		return failed(x, e);
	bool moved = link_welcome(x->link)->epoch != x->epoch;
	x->epoch = link_welcome(x->link)->epoch;
	return (struct sync_event){.what = SYNC_CONNECTED, .n = x->n_streams, .moved = moved};
}

static enum err record_answers(struct sync *x, const pb_push_reply *reply, size_t sent)
{
	enum err e = reply->n_result > sent ? problem_set(x->p, ERR_PROTOCOL, "result", NULL, NULL)
					    : store_begin(x->store, x->p);

	if (e)
		return e;
	for (size_t i = 0; !e && i < reply->n_result; i++) {
		const pb_op_result *r = reply->result[i];
		e = outbox_answer(x->store, r, x->p);
		x->report->conflicts += r->outcome == JINGGUAN__V1__OUTCOME__CONFLICT;
		x->report->refused += r->outcome == JINGGUAN__V1__OUTCOME__REJECTED ||
			r->outcome == JINGGUAN__V1__OUTCOME__BLOCKED;
	}
	if (!e && reply->n_result)
		store_set_int(x->store, "last_receipt", clock_now_us());
	if (!e)
		e = store_commit(x->store, x->p);
	if (e)
		store_rollback(x->store);
	else
		x->report->pushed += reply->n_result;
	return e;
}

static struct sync_event push_batch(struct sync *x, struct arena *arena, struct push_batch *batch)
{
	pb_push_request request = PB_PUSH_REQUEST_INIT;
	const ProtobufCMessage *message = NULL;
	ProtobufCBinaryData ops[PUSH_OPS_MAX];
	enum err e = outbox_batch(x->store, batch, arena, x->p);

	snprintf(x->report->held_by, sizeof x->report->held_by, "%s", batch->held_by);
	if (!e && batch->n == 0)
		return (struct sync_event){.what = SYNC_PUSHED};
	if (!e)
		e = outbox_sent(x->store, batch, x->p);
	fault_point(FAULT_JG_PUSH_MARKED);
	request.has_incarnation = 1;
	request.incarnation = batch->incarnation;
	request.n_op = batch->n;
	request.op = ops;
	for (size_t i = 0; i < batch->n; i++)
		ops[i] = (ProtobufCBinaryData){batch->sizes[i], batch->bytes[i]};
	if (!e)
		e = link_ask(x->link, METHOD_SYNC_PUSH, &request.base, arena, &message, x->p);
	if (e)
		return failed(x, e);
	const pb_push_reply *reply = (const pb_push_reply *)message;
	fault_point(FAULT_JG_PUSH_ASKED);
	e = record_answers(x, reply, batch->n);
	fault_point(FAULT_JG_PUSH_RECORDED);
	if (e)
		return failed(x, e);
	/* Of this run, not of all that this computer ever wrote. */
	tell(x, _("发送"), x->report->pushed, x->report->pushed + (x->store->made - x->store->last_op));
	return (struct sync_event){.what = SYNC_PUSHED,
		.n = reply->n_result,
		.more = x->store->older.incarnation || x->store->last_op < x->store->made,
		.control = reply->control ? err_info((int)reply->control)->code : ERR_OK};
}

static struct sync_event do_push(struct sync *x)
{
	struct push_batch *batch = malloc(sizeof *batch);
	struct arena arena;

	if (!batch)
		return failed(x, problem_set(x->p, ERR_NOMEM, NULL, NULL, NULL));
	arena_init(&arena, REPLY_BYTES);
	struct sync_event event = push_batch(x, &arena, batch);
	arena_free(&arena);
	free(batch);
	return event;
}

/* ---- Files ---- */

static enum err chunk_sent(void *data, const struct upload *u, struct problem *p)
{
	struct sync *x = data;
	enum err e = blob_progress(x->store, u->sha, u->have, u->complete, p);

	tell(x, _("上传佐证材料"), u->have, u->chunks);
	return e;
}

static struct sync_event do_file(struct sync *x)
{
	struct blob_row row;
	uint8_t *bytes = NULL;
	size_t size;
	bool found;

	enum err e = blob_next(x->store, &row, &found, x->p);
	if (e)
		return failed(x, e);
	if (!found)
		return (struct sync_event){.what = SYNC_FILED};
	e = blob_read(x->store, row.sha, &bytes, &size, x->p);
	if (!e)
		e = upload_file(&(struct upload){.link = x->link,
					.sha = row.sha,
					.bytes = bytes,
					.size = size,
					.told = chunk_sent,
					.data = x},
			x->p);
	free(bytes);
	/* A file that cannot be read or is not wanted must not hold the others up; evidence list names it. */
	if (e == ERR_FILE_IO || e == ERR_STORE || e == ERR_INVALID || e == ERR_FILE_DAMAGED)
		e = blob_failed(x->store, row.sha, BLOB_UNREADABLE, x->p);
	else if (e == ERR_TOO_LARGE)
		e = blob_failed(x->store, row.sha, BLOB_NO_ROOM, x->p);
	return e ? failed(x, e) : (struct sync_event){.what = SYNC_FILED, .more = true};
}

/* ---- Pull ---- */

static void take_end(struct sync *x, const pb_pull_reply *page)
{
	struct staging_end *end = &x->end;

	end->cursor = page->next;
	end->epoch = page->epoch;
	for (size_t i = 0; i < page->n_lane && i < LANES; i++)
		end->lanes[i] = page->lane[i];
}

/* A head is kept as a witness, so its signature must be one. */
static enum err take_head(struct sync *x, const pb_pull_reply *page)
{
	struct staging_end *end = &x->end;
	uint8_t message[HEAD_MESSAGE_SIZE];
	enum err e = page->audit_head.len == HASH_SIZE && page->audit_sig.len <= sizeof end->sig ? ERR_OK
												 : ERR_CHAIN;

	if (!e) {
		audit_head_message(message, x->streams[0].stream, page->audit_n, page->audit_head.data);
		e = link_signed(x->link, message, sizeof message, page->audit_sig.data, page->audit_sig.len);
	}
	if (e)
		return problem_set(x->p, e, NULL, _("请把这条消息告诉县局审计员"), _("县局留痕的签名不对"));
	end->audit_n = page->audit_n;
	memcpy(end->head, page->audit_head.data, HASH_SIZE);
	memcpy(end->sig, page->audit_sig.data, page->audit_sig.len);
	end->sig_len = page->audit_sig.len;
	return ERR_OK;
}

static bool on_page(void *data, const ProtobufCMessage *message)
{
	struct sync *x = data;
	const pb_pull_reply *page = (const pb_pull_reply *)message;

	x->moved |= page->epoch != x->epoch;
	x->control = page->control ? err_info((int)page->control)->code : ERR_OK;
	if (x->control)
		return false;
	x->staged = staging_add(x->store, x->streams[0].stream, page, x->p);
	fault_point(FAULT_JG_PULL_STAGED);
	if (x->staged)
		return false;
	x->report->pulled += page->n_change;
	if (page->total)
		x->total = page->total;
	tell(x, _("接收"), x->report->pulled, x->before + x->total);
	take_end(x, page);
	if (page->last)
		x->staged = take_head(x, page);
	return !x->staged;
}

/* The machine counts streams; the row asked for goes to the front, where on_page finds it. */
static enum err choose_stream(struct sync *x, size_t i)
{
	enum err e = store_streams(x->store, x->streams, &x->n_streams, x->p);
	struct stream_state chosen = x->streams[i];

	if (!e) {
		x->streams[i] = x->streams[0];
		x->streams[0] = chosen;
	}
	return e;
}

static struct sync_event do_pull(struct sync *x, size_t i)
{
	pb_pull_request request = PB_PULL_REQUEST_INIT;

	enum err e = choose_stream(x, i);
	if (e)
		return failed(x, e);
	struct stream_state *stream = &x->streams[0];
	x->end = (struct staging_end){
		.cursor = stream->cursor, .epoch = stream->epoch, .whole = stream->cursor == 0};
	x->staged = x->control = ERR_OK;
	x->moved = false;
	x->total = 0;
	x->before = x->report->pulled;
	e = staging_begin(x->store, stream->stream, x->p);
	fault_point(FAULT_JG_PULL_BEGUN);
	request.has_stream = request.has_cursor = request.has_epoch = 1;
	request.stream = stream->stream;
	request.cursor = stream->cursor;
	request.epoch = stream->epoch;
	if (!e)
		e = link_call(x->link, METHOD_SYNC_PULL, &request.base, on_page, x, x->p);
	if (!e)
		e = x->staged;
	fault_point(FAULT_JG_PULL_DONE);
	return e ? failed(x, e)
		 : (struct sync_event){.what = SYNC_PULLED, .control = x->control, .moved = x->moved};
}

static struct sync_event do_commit(struct sync *x)
{
	bool agreed;
	enum err e = staging_commit(x->store, x->streams[0].stream, &x->end,
		strcmp(x->streams[0].what, "school") == 0, &agreed, x->p);
	fault_point(FAULT_JG_PULL_COMMIT_DONE);

	return e ? failed(x, e) : (struct sync_event){.what = SYNC_COMMITTED, .agreed = agreed};
}

static struct sync_event do_reset(struct sync *x)
{
	enum err e = staging_reset(x->store, x->streams[0].stream, x->p);

	return e ? failed(x, e) : (struct sync_event){.what = SYNC_DID};
}

static struct sync_event do_resolve(struct sync *x)
{
	struct resolved told = {0};
	enum err e = store_begin(x->store, x->p);

	if (!e)
		e = outbox_resolve_duplicates(x->store, &told, x->p);
	if (!e)
		e = store_commit(x->store, x->p);
	if (e)
		store_rollback(x->store);
	if (e)
		return failed(x, e);
	/* They may stem from an earlier run. */
	size_t settled = told.settled + told.conflicts;
	x->report->refused -= settled < x->report->refused ? settled : x->report->refused;
	x->report->conflicts += told.conflicts;
	return (struct sync_event){.what = SYNC_RESOLVED, .n = told.queued};
}

static struct sync_event do_wait(struct sync *x)
{
	drop_link(x);
	tell(x, _("网络不通，稍后重试"), 0, 0);
	return (struct sync_event){.what = SYNC_DID};
}

static struct sync_event carry_out(struct sync *x, const struct sync_action *a)
{
	switch (a->what) {
	case SYNC_CONNECT:
		return do_connect(x);
	case SYNC_PUSH:
		return do_push(x);
	case SYNC_FILE:
		return do_file(x);
	case SYNC_PULL:
		return do_pull(x, a->stream);
	case SYNC_RESET:
		return do_reset(x);
	case SYNC_COMMIT:
		return do_commit(x);
	case SYNC_RESOLVE:
		return do_resolve(x);
	default:
		return do_wait(x);
	}
}

static void remember_try(struct store *s, enum err e)
{
	if (store_begin(s, NULL))
		return;
	store_set_int(s, "last_try", clock_now_us());
	store_set_text(s, "last_error", e ? err_info((int)e)->name : "");
	store_commit(s, NULL);
}

/* What is to be done next. */
static void take_step(struct sync *x)
{
	x->event.now_ms = clock_monotonic_us() / 1000;
	x->action = sync_machine_step(&x->machine, &x->event);
}

enum err sync_begin(struct sync **out, struct store *s, const struct sync_options *options,
	struct sync_report *report, struct problem *p)
{
	struct sync *x = *out = calloc(1, sizeof *x);
	uint64_t random;

	*report = (struct sync_report){0};
	if (!x)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	x->store = s;
	x->options = options;
	x->report = report;
	x->p = p ? p : &x->ignored;
	x->event = (struct sync_event){.what = SYNC_STARTED};
	randombytes_buf(&random, sizeof random);
	sync_machine_init(&x->machine, random, options->push_only,
		options->budget_ms ? options->budget_ms : SYNC_BUDGET_MS);
	return ERR_OK;
}

bool sync_step(struct sync *x, unsigned *wait_ms)
{
	take_step(x); /* here and not behind the step: the clock has moved on while the caller waited */
	*wait_ms = x->action.what == SYNC_WAIT ? x->action.ms : 0;
	if (x->action.what == SYNC_FINISH)
		return false;
	x->event = carry_out(x, &x->action);
	return true;
}

enum err sync_end(struct sync *x, struct link **keep)
{
	bool over = x->action.what == SYNC_FINISH;
	enum err e = over ? x->action.why : ERR_NOT_NOW;

	x->report->digest_differed = x->machine.digest_differed;
	if (over)
		remember_try(x->store, e);
	if (keep && !e)
		*keep = x->link;
	else
		link_close(x->link);
	if (e && x->p->code != e)
		problem_set(x->p, e, NULL, NULL, NULL);
	free(x);
	return e;
}
