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

static void tell(struct sync *sync, const char *what, uint64_t done, uint64_t total)
{
	if (sync->options->progress)
		sync->options->progress(sync->options->progress_data, what, done, total);
}

static void drop_link(struct sync *sync)
{
	link_close(sync->link);
	sync->link = NULL;
}

static struct sync_event failed(struct sync *sync, enum err e)
{
	return (struct sync_event){.what = SYNC_FAILED, .error = e, .retry_ms = sync->p->retry_ms};
}

/* Whether the server was restored or failed over since the last pull: it may lack files then. */
static bool is_other_history(const struct sync *sync)
{
	for (size_t i = 0; i < sync->n_streams; i++)
		if (sync->streams[i].epoch && sync->streams[i].epoch != link_welcome(sync->link)->epoch)
			return true;
	return false;
}

static struct sync_event do_connect(struct sync *sync)
{
	pb_hello hello;
	size_t drafts;
	bool lost;

	drop_link(sync);
	*sync->p = (struct problem){0};
	outbox_hello(sync->store, &hello);
	enum err e = link_open(&sync->link, sync->store->profile, &hello, sync->p);
	if (e)
		return failed(sync, e);
	lost = link_welcome(sync->link)->last_op < sync->store->last_op && !link_welcome(sync->link)->forked;
	e = outbox_welcome(sync->store, link_welcome(sync->link), &drafts, sync->p);
	lost |= sync->store->older.incarnation != 0;
	fault_point(FAULT_JG_WELCOME_TAKEN);
	if (!e)
		e = login_resume(sync->link, sync->p);
	if (!e && sync->store->profile->session.must_change)
		e = problem_set(sync->p, ERR_MUST_CHANGE, NULL, _("运行 passwd"), NULL);
	if (!e && profile_has_role(sync->store->profile, 1u << ROLE_REGISTRAR)) {
		size_t before = sync->report->opened.drafts;
		e = revoked_open(sync->store, sync->link, &sync->report->opened, sync->p);
		sync->report->opened.drafts += before;
	}
	if (e)
		return failed(sync, e);
	sync->report->drafts += drafts;
	sync->report->resent |= lost;
	e = store_streams(sync->store, sync->streams, &sync->n_streams, sync->p);
	if (!e)
		e = blob_try_again(sync->store, is_other_history(sync), sync->p);
	if (e)
		return failed(sync, e);
	bool moved = link_welcome(sync->link)->epoch != sync->epoch;
	sync->epoch = link_welcome(sync->link)->epoch;
	return (struct sync_event){.what = SYNC_CONNECTED, .n = sync->n_streams, .moved = moved};
}

static enum err record_answers(struct sync *sync, const pb_push_reply *reply, size_t sent)
{
	enum err e = reply->n_result > sent ? problem_set(sync->p, ERR_PROTOCOL, "result", NULL, NULL)
					    : store_begin(sync->store, sync->p);

	if (e)
		return e;
	for (size_t i = 0; !e && i < reply->n_result; i++) {
		const pb_op_result *r = reply->result[i];
		e = outbox_answer(sync->store, r, sync->p);
		sync->report->conflicts += r->outcome == JINGGUAN__V1__OUTCOME__CONFLICT;
		sync->report->refused += r->outcome == JINGGUAN__V1__OUTCOME__REJECTED ||
			r->outcome == JINGGUAN__V1__OUTCOME__BLOCKED;
	}
	if (!e && reply->n_result)
		store_set_int(sync->store, "last_receipt", clock_now_us());
	if (!e)
		e = store_commit(sync->store, sync->p);
	if (e)
		store_rollback(sync->store);
	else
		sync->report->pushed += reply->n_result;
	return e;
}

static struct sync_event push_batch(struct sync *sync, struct arena *arena, struct push_batch *batch)
{
	pb_push_request request = PB_PUSH_REQUEST_INIT;
	const ProtobufCMessage *message = NULL;
	ProtobufCBinaryData ops[PUSH_OPS_MAX];
	enum err e = outbox_batch(sync->store, batch, arena, sync->p);

	snprintf(sync->report->held_by, sizeof sync->report->held_by, "%s", batch->held_by);
	if (!e && batch->n == 0)
		return (struct sync_event){.what = SYNC_PUSHED};
	if (!e)
		e = outbox_sent(sync->store, batch, sync->p);
	fault_point(FAULT_JG_PUSH_MARKED);
	request.has_incarnation = 1;
	request.incarnation = batch->incarnation;
	request.n_op = batch->n;
	request.op = ops;
	for (size_t i = 0; i < batch->n; i++)
		ops[i] = (ProtobufCBinaryData){batch->sizes[i], batch->bytes[i]};
	if (!e)
		e = link_ask(sync->link, METHOD_SYNC_PUSH, &request.base, arena, &message, sync->p);
	if (e)
		return failed(sync, e);
	const pb_push_reply *reply = (const pb_push_reply *)message;
	fault_point(FAULT_JG_PUSH_ASKED);
	e = record_answers(sync, reply, batch->n);
	fault_point(FAULT_JG_PUSH_RECORDED);
	if (e)
		return failed(sync, e);
	/* Of this run, not of all that this computer ever wrote. */
	tell(sync, _("发送"), sync->report->pushed,
		sync->report->pushed + (sync->store->made - sync->store->last_op));
	return (struct sync_event){.what = SYNC_PUSHED,
		.n = reply->n_result,
		.more = sync->store->older.incarnation || sync->store->last_op < sync->store->made,
		.control = reply->control ? err_info((int)reply->control)->code : ERR_OK};
}

static struct sync_event do_push(struct sync *sync)
{
	struct push_batch *batch = malloc(sizeof *batch);
	struct arena arena;

	if (!batch)
		return failed(sync, problem_set(sync->p, ERR_NOMEM, NULL, NULL, NULL));
	arena_init(&arena, REPLY_BYTES);
	struct sync_event event = push_batch(sync, &arena, batch);
	arena_free(&arena);
	free(batch);
	return event;
}

/* ---- Files ---- */

static enum err chunk_sent(void *data, const struct upload *u, struct problem *p)
{
	struct sync *sync = data;
	enum err e = blob_progress(sync->store, u->sha, u->have, u->complete, p);

	tell(sync, _("上传佐证材料"), u->have, u->chunks);
	return e;
}

static struct sync_event do_file(struct sync *sync)
{
	struct blob_row row;
	uint8_t *bytes = NULL;
	size_t size;
	bool found;

	enum err e = blob_next(sync->store, &row, &found, sync->p);
	if (e)
		return failed(sync, e);
	if (!found)
		return (struct sync_event){.what = SYNC_FILED};
	e = blob_read(sync->store, row.sha, &bytes, &size, sync->p);
	if (!e)
		e = upload_file(&(struct upload){.link = sync->link,
					.sha = row.sha,
					.bytes = bytes,
					.size = size,
					.told = chunk_sent,
					.data = sync},
			sync->p);
	free(bytes);
	/* A file that cannot be read or is not wanted must not hold the others up; evidence list names it. */
	if (e == ERR_FILE_IO || e == ERR_STORE || e == ERR_INVALID || e == ERR_FILE_DAMAGED)
		e = blob_failed(sync->store, row.sha, BLOB_UNREADABLE, sync->p);
	else if (e == ERR_TOO_LARGE)
		e = blob_failed(sync->store, row.sha, BLOB_NO_ROOM, sync->p);
	return e ? failed(sync, e) : (struct sync_event){.what = SYNC_FILED, .more = true};
}

/* ---- Pull ---- */

static void take_end(struct sync *sync, const pb_pull_reply *page)
{
	struct staging_end *end = &sync->end;

	end->cursor = page->next;
	end->epoch = page->epoch;
	for (size_t i = 0; i < page->n_lane && i < LANES; i++)
		end->lanes[i] = page->lane[i];
}

/* A head is kept as a witness, so its signature must be one. */
static enum err take_head(struct sync *sync, const pb_pull_reply *page)
{
	struct staging_end *end = &sync->end;
	uint8_t message[HEAD_MESSAGE_SIZE];
	enum err e = page->audit_head.len == HASH_SIZE && page->audit_sig.len <= sizeof end->sig ? ERR_OK
												 : ERR_CHAIN;

	if (!e) {
		audit_head_message(message, sync->streams[0].stream, page->audit_n, page->audit_head.data);
		e = link_signed(
			sync->link, message, sizeof message, page->audit_sig.data, page->audit_sig.len);
	}
	if (e)
		return problem_set(
			sync->p, e, NULL, _("请把这条消息告诉县局审计员"), _("县局留痕的签名不对"));
	end->audit_n = page->audit_n;
	memcpy(end->head, page->audit_head.data, HASH_SIZE);
	memcpy(end->sig, page->audit_sig.data, page->audit_sig.len);
	end->sig_len = page->audit_sig.len;
	return ERR_OK;
}

static bool on_page(void *data, const ProtobufCMessage *message)
{
	struct sync *sync = data;
	const pb_pull_reply *page = (const pb_pull_reply *)message;

	sync->moved |= page->epoch != sync->epoch;
	sync->control = page->control ? err_info((int)page->control)->code : ERR_OK;
	if (sync->control)
		return false;
	sync->staged = staging_add(sync->store, sync->streams[0].stream, page, sync->p);
	fault_point(FAULT_JG_PULL_STAGED);
	if (sync->staged)
		return false;
	sync->report->pulled += page->n_change;
	if (page->total)
		sync->total = page->total;
	tell(sync, _("接收"), sync->report->pulled, sync->before + sync->total);
	take_end(sync, page);
	if (page->last)
		sync->staged = take_head(sync, page);
	return !sync->staged;
}

/* The machine counts streams; the row asked for goes to the front, where on_page finds it. */
static enum err choose_stream(struct sync *sync, size_t i)
{
	enum err e = store_streams(sync->store, sync->streams, &sync->n_streams, sync->p);
	struct stream_state chosen = sync->streams[i];

	if (!e) {
		sync->streams[i] = sync->streams[0];
		sync->streams[0] = chosen;
	}
	return e;
}

static struct sync_event do_pull(struct sync *sync, size_t i)
{
	pb_pull_request request = PB_PULL_REQUEST_INIT;

	enum err e = choose_stream(sync, i);
	if (e)
		return failed(sync, e);
	struct stream_state *stream = &sync->streams[0];
	sync->end = (struct staging_end){
		.cursor = stream->cursor, .epoch = stream->epoch, .whole = stream->cursor == 0};
	sync->staged = sync->control = ERR_OK;
	sync->moved = false;
	sync->total = 0;
	sync->before = sync->report->pulled;
	e = staging_begin(sync->store, stream->stream, sync->p);
	fault_point(FAULT_JG_PULL_BEGUN);
	request.has_stream = request.has_cursor = request.has_epoch = 1;
	request.stream = stream->stream;
	request.cursor = stream->cursor;
	request.epoch = stream->epoch;
	if (!e)
		e = link_call(sync->link, METHOD_SYNC_PULL, &request.base, on_page, sync, sync->p);
	if (!e)
		e = sync->staged;
	fault_point(FAULT_JG_PULL_DONE);
	return e ? failed(sync, e)
		 : (struct sync_event){.what = SYNC_PULLED, .control = sync->control, .moved = sync->moved};
}

static struct sync_event do_commit(struct sync *sync)
{
	bool agreed;
	enum err e = staging_commit(sync->store, sync->streams[0].stream, &sync->end,
		strcmp(sync->streams[0].what, "school") == 0, &agreed, sync->p);
	fault_point(FAULT_JG_PULL_COMMIT_DONE);

	return e ? failed(sync, e) : (struct sync_event){.what = SYNC_COMMITTED, .agreed = agreed};
}

static struct sync_event do_reset(struct sync *sync)
{
	enum err e = staging_reset(sync->store, sync->streams[0].stream, sync->p);

	return e ? failed(sync, e) : (struct sync_event){.what = SYNC_DID};
}

static struct sync_event do_resolve(struct sync *sync)
{
	struct resolved told = {0};
	enum err e = store_begin(sync->store, sync->p);

	if (!e)
		e = outbox_resolve_duplicates(sync->store, &told, sync->p);
	if (!e)
		e = store_commit(sync->store, sync->p);
	if (e)
		store_rollback(sync->store);
	if (e)
		return failed(sync, e);
	/* They may stem from an earlier run. */
	size_t settled = told.settled + told.conflicts;
	sync->report->refused -= settled < sync->report->refused ? settled : sync->report->refused;
	sync->report->conflicts += told.conflicts;
	return (struct sync_event){.what = SYNC_RESOLVED, .n = told.queued};
}

static struct sync_event do_wait(struct sync *sync)
{
	drop_link(sync);
	tell(sync, _("网络不通，稍后重试"), 0, 0);
	return (struct sync_event){.what = SYNC_DID};
}

static struct sync_event carry_out(struct sync *sync, const struct sync_action *a)
{
	switch (a->what) {
	case SYNC_CONNECT:
		return do_connect(sync);
	case SYNC_PUSH:
		return do_push(sync);
	case SYNC_FILE:
		return do_file(sync);
	case SYNC_PULL:
		return do_pull(sync, a->stream);
	case SYNC_RESET:
		return do_reset(sync);
	case SYNC_COMMIT:
		return do_commit(sync);
	case SYNC_RESOLVE:
		return do_resolve(sync);
	default:
		return do_wait(sync);
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
static void take_step(struct sync *sync)
{
	sync->event.now_ms = clock_monotonic_us() / 1000;
	sync->action = sync_machine_step(&sync->machine, &sync->event);
}

enum err sync_begin(struct sync **out, struct store *s, const struct sync_options *options,
	struct sync_report *report, struct problem *p)
{
	struct sync *sync = *out = calloc(1, sizeof *sync);
	uint64_t random;

	*report = (struct sync_report){0};
	if (!sync)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	sync->store = s;
	sync->options = options;
	sync->report = report;
	sync->p = p ? p : &sync->ignored;
	sync->event = (struct sync_event){.what = SYNC_STARTED};
	randombytes_buf(&random, sizeof random);
	sync_machine_init(&sync->machine, random, options->push_only,
		options->budget_ms ? options->budget_ms : SYNC_BUDGET_MS);
	return ERR_OK;
}

bool sync_step(struct sync *sync, unsigned *wait_ms)
{
	take_step(sync); /* set here and not after the step: time passes while the caller waits */
	*wait_ms = sync->action.what == SYNC_WAIT ? sync->action.ms : 0;
	if (sync->action.what == SYNC_FINISH)
		return false;
	sync->event = carry_out(sync, &sync->action);
	return true;
}

enum err sync_end(struct sync *sync, struct link **keep)
{
	bool over = sync->action.what == SYNC_FINISH;
	enum err e = over ? sync->action.why : ERR_NOT_NOW;

	sync->report->digest_differed = sync->machine.digest_differed;
	if (over)
		remember_try(sync->store, e);
	if (keep && !e)
		*keep = sync->link;
	else
		link_close(sync->link);
	if (e && sync->p->code != e)
		problem_set(sync->p, e, NULL, NULL, NULL);
	free(sync);
	return e;
}
