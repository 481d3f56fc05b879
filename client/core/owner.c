#include "owner.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <uv.h>

#include "clock.h"
#include "kind.h"

struct deed {
	struct deed *next;
	owner_deed run;
	owner_done done;
	void *data;
};

struct held {
	struct snapshot shown; /* first: a snapshot's address is its holder's */
	atomic_uint holders;
};

struct owner {
	uv_thread_t thread;
	void (*changed)(void *data);
	void *data;
	/* The owner's thread alone. */
	struct profile *profile;
	struct store *store;
	struct view *view; /* the deeds write it; as a snapshot it is read, and the next deed has a new one */
	sqlite3_int64 seen;  /* changes of the store when the view showed all of it */
	sqlite3_int64 shown; /* and when the newest snapshot was made */
	uint64_t number;
	struct sync *sync;
	struct sync_options options;
	struct sync_report report;
	struct problem problem;
	enum err synced;
	uint64_t go_on_ms; /* when the next piece is due */
	/* Shared, under the lock. */
	uv_mutex_t lock;
	uv_cond_t wake, opened;
	struct deed *first, *last;
	struct held *newest;
	bool ready, stopping, wanted, push_only, cancelled;
	enum err start_error;
	struct problem *start_problem;
};

/* ---- Snapshots ---- */

void snapshot_release(struct snapshot *s)
{
	struct held *h = (struct held *)s;

	if (!h || atomic_fetch_sub(&h->holders, 1) > 1)
		return;
	view_free(h->shown.view);
	free(h);
}

struct snapshot *owner_snapshot(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	struct held *h = o->newest;
	atomic_fetch_add(&h->holders, 1);
	uv_mutex_unlock(&o->lock);
	return &h->shown;
}

static uint64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

static void forget_view(struct owner *o)
{
	view_free(o->view);
	o->view = NULL;
}

/* A view of before something was written past it is none to write through: a page that was taken, or a
 * WELCOME that made drafts of what it shows and began another incarnation. */
static enum err load(struct owner *o, struct problem *p)
{
	sqlite3_int64 changes = sqlite3_total_changes64(o->store->db);

	if (o->view && o->seen != changes)
		forget_view(o);
	o->seen = changes;
	return o->view ? ERR_OK : view_load(&o->view, o->store, kinds_all, p);
}

/* Shows what stands; without memory the older snapshot stays the newest, and the next change shows both. */
static enum err publish(struct owner *o, struct problem *p)
{
	struct held *h = calloc(1, sizeof *h);
	enum err e = h ? load(o, p) : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	if (!e)
		e = outbox_counts(o->store, &h->shown.outbox, p);
	if (e) {
		free(h);
		return e;
	}
	h->shown.number = ++o->number;
	h->shown.view = o->view;
	h->shown.syncing = o->sync != NULL;
	h->shown.push_only = o->options.push_only;
	h->shown.synced = o->synced;
	h->shown.problem = o->problem;
	h->shown.report = o->report;
	atomic_init(&h->holders, 1);
	o->view = NULL;
	o->shown = sqlite3_total_changes64(o->store->db);
	uv_mutex_lock(&o->lock);
	struct held *old = o->newest;
	o->newest = h;
	uv_mutex_unlock(&o->lock);
	snapshot_release(old ? &old->shown : NULL);
	if (o->changed && old)
		o->changed(o->data);
	return ERR_OK;
}

static void publish_changes(struct owner *o)
{
	if (sqlite3_total_changes64(o->store->db) != o->shown)
		publish(o, NULL);
}

/* ---- Deeds ---- */

enum err owner_do(struct owner *o, owner_deed run, owner_done done, void *data)
{
	struct deed *d = malloc(sizeof *d);

	if (!d)
		return ERR_NOMEM;
	*d = (struct deed){NULL, run, done, data};
	uv_mutex_lock(&o->lock);
	if (o->last)
		o->last->next = d;
	else
		o->first = d;
	o->last = d;
	uv_cond_signal(&o->wake);
	uv_mutex_unlock(&o->lock);
	return ERR_OK;
}

static struct deed *next_deed(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	struct deed *d = o->first;
	if (d) {
		o->first = d->next;
		if (!o->first)
			o->last = NULL;
	}
	uv_mutex_unlock(&o->lock);
	return d;
}

static void run_deed(struct owner *o, struct deed *d)
{
	struct problem p = {0};
	enum err e = load(o, &p);

	if (!e)
		e = store_begin(o->store, &p);
	if (!e) {
		e = d->run(o->view, d->data, &p);
		if (!e)
			e = store_commit(o->store, &p);
		if (e) {
			store_rollback(o->store);
			forget_view(o); /* it has what was rolled back */
		}
		o->seen = sqlite3_total_changes64(o->store->db);
	}
	if (d->done)
		d->done(d->data, e, &p);
	free(d);
}

static void run_deeds(struct owner *o)
{
	struct deed *d = next_deed(o);

	if (!d)
		return;
	for (; d; d = next_deed(o))
		run_deed(o, d);
	publish_changes(o);
}

/* ---- Synchronising ---- */

void owner_sync(struct owner *o, bool push_only)
{
	uv_mutex_lock(&o->lock);
	o->push_only = push_only && (!o->wanted || o->push_only); /* who wants all of it has all of it */
	o->wanted = true;
	uv_cond_signal(&o->wake);
	uv_mutex_unlock(&o->lock);
}

void owner_cancel(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	o->wanted = false;
	o->cancelled = true;
	uv_cond_signal(&o->wake);
	uv_mutex_unlock(&o->lock);
}

static bool is_cancelled(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	bool cancelled = o->cancelled || o->stopping;
	uv_mutex_unlock(&o->lock);
	return cancelled;
}

/* profile.h: while the link waits for the network, between transactions. */
static bool meanwhile(void *data)
{
	struct owner *o = data;

	run_deeds(o);
	return !is_cancelled(o);
}

static void begin_sync(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	bool begins = o->wanted && !o->stopping && !o->sync;
	if (begins) {
		o->options = (struct sync_options){.push_only = o->push_only};
		o->cancelled = false;
	}
	/* One is under way that does what is wanted; behind one that is being ended, or that only pushes,
	 * the next one waits. */
	if (begins || (o->sync && !o->cancelled && (!o->options.push_only || o->push_only)))
		o->wanted = false;
	uv_mutex_unlock(&o->lock);
	if (!begins)
		return;
	o->problem = (struct problem){0};
	o->go_on_ms = 0;
	o->synced = sync_begin(&o->sync, o->store, &o->options, &o->report, &o->problem);
	publish(o, NULL);
}

static void step_sync(struct owner *o)
{
	unsigned wait_ms = 0;

	if (!o->sync || (now_ms() < o->go_on_ms && !is_cancelled(o)))
		return;
	if (!is_cancelled(o) && sync_step(o->sync, &wait_ms)) {
		o->go_on_ms = now_ms() + wait_ms;
		forget_view(o); /* what a piece brought is in the base */
		publish_changes(o);
		return;
	}
	o->synced = sync_end(o->sync, NULL);
	o->sync = NULL;
	publish(o, NULL);
}

/* ---- The thread ---- */

/* Until there is something to do; false: it is time to go. */
static bool wait_for_work(struct owner *o)
{
	uv_mutex_lock(&o->lock);
	while (!o->first && !o->stopping && !(o->wanted && !o->sync) && !(o->sync && o->cancelled)) {
		uint64_t now = now_ms();
		if (!o->sync)
			uv_cond_wait(&o->wake, &o->lock);
		else if (now >= o->go_on_ms ||
			uv_cond_timedwait(&o->wake, &o->lock, (o->go_on_ms - now) * 1000000))
			break;
	}
	bool on = !o->stopping || o->first || o->sync;
	uv_mutex_unlock(&o->lock);
	return on;
}

static void tell_start(struct owner *o, enum err e)
{
	uv_mutex_lock(&o->lock);
	o->start_error = e;
	o->ready = true;
	uv_cond_signal(&o->opened);
	uv_mutex_unlock(&o->lock);
}

static void owner_main(void *data)
{
	struct owner *o = data;
	enum err e = store_open(&o->store, o->profile, o->start_problem);

	if (!e && (e = publish(o, o->start_problem))) {
		view_free(o->view);
		store_close(o->store);
	}
	tell_start(o, e);
	if (e)
		return;
	o->profile->meanwhile = meanwhile;
	o->profile->meanwhile_data = o;
	while (wait_for_work(o)) {
		run_deeds(o);
		begin_sync(o);
		step_sync(o);
	}
	o->profile->meanwhile = NULL;
	view_free(o->view);
	store_close(o->store);
}

static void owner_free(struct owner *o)
{
	snapshot_release(o->newest ? &o->newest->shown : NULL);
	uv_cond_destroy(&o->wake);
	uv_cond_destroy(&o->opened);
	uv_mutex_destroy(&o->lock);
	free(o);
}

enum err owner_start(struct owner **out, struct profile *profile, void (*changed)(void *data), void *data,
	struct problem *p)
{
	struct owner *o = *out = calloc(1, sizeof *o);
	struct problem ignored = {0};

	if (!o)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	o->profile = profile;
	o->changed = changed;
	o->data = data;
	o->start_problem = p ? p : &ignored;
	uv_mutex_init(&o->lock);
	uv_cond_init(&o->wake);
	uv_cond_init(&o->opened);
	bool runs = uv_thread_create(&o->thread, owner_main, o) == 0;
	uv_mutex_lock(&o->lock);
	while (runs && !o->ready)
		uv_cond_wait(&o->opened, &o->lock);
	enum err e = runs ? o->start_error : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	uv_mutex_unlock(&o->lock);
	if (!e)
		return ERR_OK;
	if (runs)
		uv_thread_join(&o->thread);
	owner_free(o);
	*out = NULL;
	return e;
}

void owner_stop(struct owner *o)
{
	if (!o)
		return;
	uv_mutex_lock(&o->lock);
	o->stopping = true;
	uv_cond_signal(&o->wake);
	uv_mutex_unlock(&o->lock);
	uv_thread_join(&o->thread);
	owner_free(o);
}
