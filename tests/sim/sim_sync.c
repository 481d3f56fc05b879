/* sim_sync [SEED [RUNS]]: clients and a model server under one seed. The clients are the real store, outbox,
 * staging and sync machine; the network loses requests and answers, answers only a first part, cuts pulls,
 * kills clients between any two steps and rolls their disks back. Checked at the end, when the faults have
 * stopped: I1-I7, I9 and I13 of sync.md; the same seed gives the same trace (I15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_fixture.h"
#include "model_server.h"
#include "outbox.h"
#include "staging.h"
#include "sync_machine.h"

#define CLIENTS 3
#define STEPS 400
#define PUPILS 12 /* few, so that they meet */
#define STREAM 2132999001

struct client {
	struct fixture f;
	struct model_device *device;
	uint64_t typed; /* operations a person was told are saved, in this line */
};

struct world {
	uint64_t random;
	struct model_server server;
	struct client clients[CLIENTS];
	bool faults;
	uint64_t trace;
	/* "Sometimes": a run in which nothing went wrong proves nothing. */
	size_t lost_answers, partial, kills, conflicts, duplicates, forks, cut_pulls;
};

static uint64_t draw(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static bool fault(struct world *w, unsigned percent)
{
	return w->faults && draw(w, 100) < percent;
}

static void demand(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "FAILED: %s\n", what);
		exit(1);
	}
}

static void must(enum err e, const char *what)
{
	if (e)
		fprintf(stderr, "%s: %s\n", what, err_info((int)e)->name);
	demand(e == ERR_OK, what);
}

static void note(struct world *w, uint64_t value)
{
	w->trace = (w->trace ^ value) * 1099511628211u;
}

static const uint32_t kinds[] = {KIND_STUDENT, 0};

/* ---- What people do ---- */

static void type_something(struct world *w, struct client *c)
{
	char no[16], class_no[8], name[48];
	struct record want;
	struct view *v;

	must(view_load(&v, c->f.store, kinds, NULL), "view");
	snprintf(no, sizeof no, "SIM%04u", (unsigned)draw(w, PUPILS));
	snprintf(class_no, sizeof class_no, "%u", 1 + (unsigned)draw(w, 9));
	snprintf(name, sizeof name, "测%s%s", no, draw(w, 10) ? "" : "改");
	record_init(&want, kind_by_number(KIND_STUDENT));
	record_set_text(&want, F_STUDENT_CERT_NO, no);
	struct item *item = view_find_key(v, &want, true);
	if (item)
		want = item->record;
	must(store_begin(c->f.store, NULL), "begin");
	if (item && !draw(w, 12)) {
		must(outbox_delete(v, item, 0, NULL), "delete");
	} else {
		record_set_text(&want, F_STUDENT_NAME, name);
		record_set_text(&want, F_STUDENT_GRADE, "16");
		record_set_text(&want, F_STUDENT_CLASS_NO, class_no);
		must(outbox_put(v, &item, &want, UINT32_MAX, 0, NULL), "put");
	}
	must(store_commit(c->f.store, NULL), "commit");
	c->typed = c->f.store->made;
	uint8_t id[ID_SIZE];
	bool live = item->live;
	memcpy(id, item->id, ID_SIZE);
	record_text(&item->record, F_STUDENT_CLASS_NO, class_no, sizeof class_no);
	view_free(v);
	/* I6: what was saved is what is shown. */
	must(view_load(&v, c->f.store, kinds, NULL), "view");
	struct item *seen = view_find_id(v, id);
	demand(seen && seen->live == live &&
			(!live || record_is(&seen->record, F_STUDENT_CLASS_NO, class_no)),
		"I6: own writes are visible");
	view_free(v);
}

/* ---- The driver: what sync.c does, with a server at hand and faults between any two steps ---- */

static struct sync_event failed(enum err e)
{
	return (struct sync_event){.what = SYNC_FAILED, .error = e};
}

static struct sync_event sim_connect(struct world *w, struct client *c)
{
	pb_welcome welcome = PB_WELCOME_INIT;
	struct store *s = c->f.store;
	struct model_device *d = c->device;
	size_t drafts;

	if (fault(w, 10))
		return failed(ERR_UNREACHABLE);
	/* As jgd: a device that never made what the server has from it begins a new line. */
	if (s->incarnation < d->incarnation || s->made < d->last_op) {
		welcome.forked = 1;
		w->forks++;
		if (s->incarnation == d->incarnation)
			model_fork(d);
	}
	welcome.incarnation = d->incarnation;
	welcome.last_op = d->last_op;
	welcome.last_hash = (ProtobufCBinaryData){HASH_SIZE, d->last_hash};
	must(outbox_welcome(s, &welcome, &drafts, NULL), "welcome");
	return (struct sync_event){.what = SYNC_CONNECTED, .n = 1};
}

static struct sync_event sim_push(struct world *w, struct client *c)
{
	struct push_batch *batch = malloc(sizeof *batch);
	struct store *s = c->f.store;
	struct sync_event event = {.what = SYNC_PUSHED};
	struct arena arena;
	enum err control = ERR_OK;

	arena_init(&arena, 8u << 20);
	must(outbox_batch(s, batch, &arena, NULL), "batch");
	if (batch->n)
		must(outbox_sent(s, batch->first, batch->n, NULL), "sent");
	if (batch->n && fault(w, 8)) { /* C3: lost on the way there */
		event = failed(ERR_UNREACHABLE);
		batch->n = 0;
	}
	size_t take = batch->n && fault(w, 25) ? 1 + draw(w, batch->n) : batch->n;
	w->partial += take < batch->n;
	const struct model_answer *answers[PUSH_OPS_MAX];
	size_t n = 0;
	while (n < take &&
		(answers[n] = model_push(&w->server, c->device, batch->bytes[n], batch->sizes[n], &control)))
		n++;
	bool lost = n && fault(w, 15); /* C4: committed there, the answer lost */
	w->lost_answers += lost;
	if (lost)
		event = failed(ERR_UNREACHABLE);
	else if (n) {
		must(store_begin(s, NULL), "begin");
		for (size_t i = 0; i < n; i++) {
			must(outbox_answer(s, &answers[i]->result, NULL), "I3: answers in order");
			w->conflicts += answers[i]->result.outcome == JINGGUAN__V1__OUTCOME__CONFLICT;
			w->duplicates += answers[i]->result.duplicate_of.len != 0;
			note(w, (uint64_t)answers[i]->result.outcome);
		}
		must(store_commit(s, NULL), "commit");
	}
	if (event.what == SYNC_PUSHED)
		event = (struct sync_event){
			.what = SYNC_PUSHED, .n = n, .more = s->last_op < s->made, .control = control};
	arena_free(&arena);
	free(batch);
	return event;
}

static void stage_record(struct client *c, const struct model_record *x)
{
	pb_pull_reply page = PB_PULL_REPLY_INIT;
	pb_change change = PB_CHANGE_INIT, *list[] = {&change};
	struct buf body = {0};

	record_encode(&x->state.record, &body);
	change.kind = x->state.record.kind->number;
	change.id = (ProtobufCBinaryData){ID_SIZE, (uint8_t *)x->id};
	change.ver = x->state.ver;
	change.action = x->state.deleted ? JINGGUAN__V1__ACTION__DEL : JINGGUAN__V1__ACTION__PUT;
	change.n_gver = KIND_GROUPS_MAX;
	change.gver = (uint32_t *)x->state.gver;
	change.owner = (char *)FIXTURE_SCHOOL;
	if (!x->state.deleted)
		change.body = (ProtobufCBinaryData){body.len, body.data};
	page.n_change = 1;
	page.change = list;
	must(staging_add(c->f.store, STREAM, &page, NULL), "stage");
	buf_free(&body);
}

static uint64_t cursor_of(struct store *s)
{
	struct stream_state streams[STORE_STREAMS_MAX];
	size_t n = store_streams(s, streams);

	for (size_t i = 0; i < n; i++)
		if (streams[i].stream == STREAM)
			return streams[i].cursor;
	return 0;
}

static struct sync_event sim_pull(struct world *w, struct client *c, struct staging_end *end)
{
	uint64_t cursor = cursor_of(c->f.store);
	bool cut = fault(w, 10);

	must(staging_begin(c->f.store, STREAM, NULL), "staging");
	for (size_t i = 0; i < w->server.n; i++) {
		if (w->server.records[i].seq <= cursor || !w->server.records[i].state.exists)
			continue;
		if (cut && draw(w, 3) == 0) {
			w->cut_pulls++;
			return failed(ERR_UNREACHABLE);
		}
		stage_record(c, &w->server.records[i]);
	}
	*end = (struct staging_end){.cursor = w->server.seq, .epoch = 1, .whole = cursor == 0};
	model_digest(&w->server, end->lanes);
	demand(end->cursor >= cursor, "I5: the cursor never goes back");
	return (struct sync_event){.what = SYNC_PULLED};
}

static struct sync_event sim_flip(struct client *c, const struct staging_end *end)
{
	bool agreed;

	must(staging_flip(c->f.store, STREAM, end, true, &agreed, NULL), "flip");
	demand(agreed, "I4: the digests agree after every flip");
	return (struct sync_event){.what = SYNC_FLIPPED, .agreed = agreed};
}

static struct sync_event sim_adopt(struct client *c)
{
	struct adopted told = {0};

	must(store_begin(c->f.store, NULL), "begin");
	must(outbox_adopt(c->f.store, &told, NULL), "adopt");
	must(store_commit(c->f.store, NULL), "commit");
	return (struct sync_event){.what = SYNC_ADOPTED, .n = told.queued};
}

static void synchronise(struct world *w, struct client *c)
{
	struct sync_event event = {.what = SYNC_STARTED};
	struct staging_end end = {0};
	struct sync_machine machine;
	uint64_t now = 0;

	sync_machine_init(&machine, w->random, false);
	for (;;) {
		event.now_ms = now;
		struct sync_action a = sync_machine_step(&machine, &event);
		note(w, (uint64_t)a.what);
		if (a.what == SYNC_FINISH)
			return;
		if (fault(w, 4)) { /* C5-C7: killed between two steps; what SQLite has is all there is */
			w->kills++;
			fixture_reopen(&c->f);
			return;
		}
		switch (a.what) {
		case SYNC_CONNECT:
			event = sim_connect(w, c);
			break;
		case SYNC_PUSH:
			event = sim_push(w, c);
			break;
		case SYNC_FILE:
			event = (struct sync_event){.what = SYNC_FILED};
			break;
		case SYNC_PULL:
			event = sim_pull(w, c, &end);
			break;
		case SYNC_FLIP:
			event = sim_flip(c, &end);
			break;
		case SYNC_ADOPT:
			event = sim_adopt(c);
			break;
		default:
			now += a.ms;
			event = (struct sync_event){.what = SYNC_DID};
		}
	}
}

/* A 还原卡: the disk goes back to a copy. The copy is taken at one call and put back at the next. */
static void roll_back(struct client *c, bool *copied)
{
	char command[256];

	store_close(c->f.store);
	snprintf(command, sizeof command,
		*copied ? "cp %1$s/store.copy %1$s/store.db" : "cp %1$s/store.db %1$s/store.copy", c->f.dir);
	demand(system(command) == 0, "copy");
	*copied = !*copied;
	must(store_open(&c->f.store, &c->f.profile, NULL), "open");
}

/* Drafts and conflicts go to a person: he lets every second one go. */
static enum err let_go(void *data, const struct op_row *row)
{
	return row->n % 2 ? outbox_set_state(data, row->n, OP_DONE, NULL) : ERR_OK;
}

/* ---- Checks ---- */

static void check_world(struct world *w)
{
	uint64_t executed = 0;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &w->clients[i];
		struct stream_state streams[STORE_STREAMS_MAX];
		uint32_t mine[LANES], theirs[LANES];
		size_t counts[OP_DONE + 1];
		executed += c->device->n_answers;
		outbox_counts(c->f.store, counts);
		demand(counts[OP_WAITING] + counts[OP_UNKNOWN] == 0,
			"I13: the outbox drains when faults stop");
		demand(c->f.store->last_op == c->device->last_op &&
				memcmp(c->f.store->last_hash, c->device->last_hash, HASH_SIZE) == 0,
			"I3: one chain on both sides");
		must(staging_digest(c->f.store, STREAM, true, mine, NULL), "digest");
		model_digest(&w->server, theirs);
		demand(memcmp(mine, theirs, sizeof mine) == 0,
			"I4, I7: what lies on the disk is the server's snapshot");
		demand(store_streams(c->f.store, streams) == 2, "streams");
	}
	demand(executed == w->server.effects, "I1, I2: every answered operation took effect once");
}

static uint64_t run(uint64_t seed, struct world *totals)
{
	struct world *w = calloc(1, sizeof *w);
	bool copied = false;

	w->random = seed * 2654435761u + 1;
	w->faults = true;
	model_init(&w->server);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &w->clients[i];
		fixture_open(&c->f, "registrar");
		c->f.store->device[15] = (uint8_t)i;
		snprintf(c->f.profile.device, sizeof c->f.profile.device,
			"0190a000-0000-7000-8000-0000000000%02x", (unsigned)i);
		c->device = &w->server.devices[i];
		memcpy(c->device->id, c->f.store->device, ID_SIZE);
		c->device->incarnation = 1;
		hash_genesis(c->device->last_hash, c->device->id, 1);
		hash_genesis(c->f.store->last_hash, c->device->id, 1);
		must(store_begin(c->f.store, NULL), "begin");
		must(store_commit(c->f.store, NULL), "commit");
	}
	for (size_t step = 0; step < STEPS; step++) {
		struct client *c = &w->clients[draw(w, CLIENTS)];
		uint64_t what = draw(w, 100);
		if (what < 60)
			type_something(w, c);
		else if (what < 97)
			synchronise(w, c);
		else if (what < 99)
			roll_back(&w->clients[0], &copied);
		else
			must(outbox_each(c->f.store, 1u << OP_CONFLICT | 1u << OP_DRAFT, 0, let_go,
				     c->f.store, NULL),
				"let go");
	}
	w->faults = false;
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < CLIENTS; i++)
			synchronise(w, &w->clients[i]);
	check_world(w);
	uint64_t trace = w->trace;
	for (size_t i = 0; i < CLIENTS; i++) {
		fixture_close(&w->clients[i].f);
		free(w->server.devices[i].answers);
	}
	totals->lost_answers += w->lost_answers;
	totals->partial += w->partial;
	totals->kills += w->kills;
	totals->conflicts += w->conflicts;
	totals->duplicates += w->duplicates;
	totals->forks += w->forks;
	totals->cut_pulls += w->cut_pulls;
	arena_free(&w->server.arena);
	free(w);
	return trace;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
		 runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 6;
	static struct world totals;

	for (uint64_t i = 0; i < runs; i++) {
		printf("seed %llu\n", (unsigned long long)(seed + i));
		fflush(stdout);
		uint64_t trace = run(seed + i, &totals);
		if (i == 0)
			demand(trace == run(seed, &totals), "I15: the same seed gives the same trace");
	}
	printf("lost answers %zu, partial %zu, kills %zu, cut pulls %zu, conflicts %zu, duplicates %zu, "
	       "forks %zu\n",
		totals.lost_answers, totals.partial, totals.kills, totals.cut_pulls, totals.conflicts,
		totals.duplicates, totals.forks);
	if (runs > 3)
		demand(totals.lost_answers && totals.partial && totals.kills && totals.cut_pulls &&
				totals.conflicts && totals.duplicates && totals.forks,
			"sometimes: every fault happened");
	return 0;
}
