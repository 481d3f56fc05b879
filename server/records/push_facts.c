#include "push_facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"

static struct member *member_of_device(struct round *round, const uint8_t *device)
{
	for (size_t i = 0; i < round->count; i++)
		if (memcmp(round->member[i].request->caller.device, device, ID_SIZE) == 0)
			return &round->member[i];
	return NULL;
}

/* Columns of what push_ask.c and lineage_db.c ask. */
enum {
	DEVICE_ID,
	DEVICE_INCARNATION,
	DEVICE_LAST_OP,
	DEVICE_LAST_HASH,
	DEVICE_REVOKED,
	DEVICE_EPOCH,
	DEVICE_TODAY
};

bool push_facts_devices(struct round *round)
{
	const PGresult *r = round->task.result[round->devices_at].rows;
	size_t n;

	for (int i = 0; i < PQntuples(r); i++) {
		struct member *m = member_of_device(round, db_get_bytes(r, i, DEVICE_ID, &n));
		assert(m); /* only the round's own devices were asked for */
		struct plan_device *d = &m->facts.device;
		d->known = !db_get_int(r, i, DEVICE_REVOKED);
		memcpy(d->id, m->request->caller.device, ID_SIZE);
		d->incarnation = (uint32_t)db_get_int(r, i, DEVICE_INCARNATION);
		d->last_op = (uint64_t)db_get_int(r, i, DEVICE_LAST_OP);
		memcpy(d->last_hash, db_get_bytes(r, i, DEVICE_LAST_HASH, &n), HASH_SIZE);
		d->epoch = (uint64_t)db_get_int(r, i, DEVICE_EPOCH);
	}
	for (size_t i = 0; i < round->count; i++)
		if (!round->member[i].facts.device.known)
			return false;
	return true;
}

enum { AUTHOR_DEVICE, AUTHOR_NAME, AUTHOR_ROLES, AUTHOR_CLASSES, AUTHOR_MAY_WRITE };

static bool read_author_rows(struct round *round)
{
	const PGresult *r = round->authors_at >= 0 ? round->task.result[round->authors_at].rows : NULL;
	int n = PQntuples(r);
	size_t len, lengths[CLASSES_MAX];
	const char *texts[CLASSES_MAX];
	int32_t roles[16];

	for (size_t i = 0; i < round->count; i++) {
		struct plan_author *list = arena_alloc(&round->arena, sizeof *list * (size_t)(n + 1));
		if (!list)
			return false;
		round->member[i].facts.authors = list;
	}
	for (int i = 0; i < n; i++) {
		struct member *m = member_of_device(round, db_get_bytes(r, i, AUTHOR_DEVICE, &len));
		struct plan_author *a =
			(struct plan_author *)(uintptr_t)&m->facts.authors[m->facts.author_count++];
		snprintf(a->name, sizeof a->name, "%s", db_get_text(r, i, AUTHOR_NAME));
		int count = db_get_ints(r, i, AUTHOR_ROLES, roles, 16);
		for (int k = 0; k < count && k < 16; k++)
			a->roles |= 1u << roles[k];
		count = db_get_texts(r, i, AUTHOR_CLASSES, texts, lengths, CLASSES_MAX);
		for (int k = 0; k < count && k < CLASSES_MAX; k++)
			snprintf(a->classes[a->class_count++], sizeof a->classes[0], "%.*s", (int)lengths[k],
				texts[k]);
		a->may_write = db_get_int(r, i, AUTHOR_MAY_WRITE);
	}
	return true;
}

enum { REPLAY_DEVICE, REPLAY_FIRST_OP, REPLAY_LAST_OP, REPLAY_SHAS, REPLAY_RESULTS };

static bool read_replay_rows(struct round *round)
{
	const PGresult *r = round->replays_at >= 0 ? round->task.result[round->replays_at].rows : NULL;
	int n = PQntuples(r);
	size_t len;

	for (size_t i = 0; i < round->count; i++) {
		struct plan_replay *list = arena_alloc(&round->arena, sizeof *list * (size_t)(n + 1));
		if (!list)
			return false;
		round->member[i].facts.replays = list;
	}
	for (int i = 0; i < n; i++) {
		struct member *m = member_of_device(round, db_get_bytes(r, i, REPLAY_DEVICE, &len));
		struct plan_replay *p =
			(struct plan_replay *)(uintptr_t)&m->facts.replays[m->facts.replay_count++];
		p->first_op = (uint64_t)db_get_int(r, i, REPLAY_FIRST_OP);
		p->last_op = (uint64_t)db_get_int(r, i, REPLAY_LAST_OP);
		p->shas = db_get_bytes(r, i, REPLAY_SHAS, &len);
		const uint8_t *bytes = db_get_bytes(r, i, REPLAY_RESULTS, &len);
		/* The answer must outlive the result: it is sent after the second trip. */
		m->push.arena->refused = ERR_OK;
		const uint8_t *copy = arena_copy(m->push.arena, bytes, len);
		p->reply = len && copy ? (const pb_push_reply *)protobuf_c_message_unpack(
						 &pb_push_reply_desc, &m->push.arena->allocator, len, copy)
				       : NULL;
		if (m->push.arena->refused)
			return false; /* not to be taken for an answer that was pruned */
	}
	return true;
}

enum { HOLDER_KEY, HOLDER_OWNER, HOLDER_ID };

static bool read_record_rows(struct round *round)
{
	size_t n = 0, holders = 0, len;

	for (size_t k = 0; k < kind_count; k++) {
		n += round->at[k].lock >= 0 ? (size_t)PQntuples(round->task.result[round->at[k].lock].rows)
					    : 0;
		holders += round->at[k].holders >= 0
			? (size_t)PQntuples(round->task.result[round->at[k].holders].rows)
			: 0;
	}
	struct stored *rows = arena_alloc(&round->arena, sizeof *rows * (n + 1));
	struct plan_holder *held = arena_alloc(&round->arena, sizeof *held * (holders + 1));
	if (!rows || !held)
		return false;
	n = holders = 0;
	for (size_t k = 0; k < kind_count; k++) {
		const PGresult *r =
			round->at[k].lock >= 0 ? record_db_locked_rows(&round->task, &kind_table[k]) : NULL;
		for (int i = 0; r && i < PQntuples(r); i++)
			record_db_read(r, i, &kind_table[k], &rows[n++]);
		r = round->at[k].holders >= 0 ? round->task.result[round->at[k].holders].rows : NULL;
		for (int i = 0; r && i < PQntuples(r); i++) {
			held[holders].kind = &kind_table[k];
			held[holders].key = db_get_text(r, i, HOLDER_KEY);
			held[holders].owner = db_get_text(r, i, HOLDER_OWNER);
			memcpy(held[holders++].id, db_get_bytes(r, i, HOLDER_ID, &len), ID_SIZE);
		}
	}
	/* Every push sees all rows of the round; ids are unique and keys carry their owner. */
	for (size_t i = 0; i < round->count; i++) {
		struct plan_facts *f = &round->member[i].facts;
		f->rows = rows;
		f->row_count = n;
		f->holders = held;
		f->holder_count = holders;
	}
	return true;
}

/* What a guard answers is one of our names. */
static enum err err_of_guard(const char *name)
{
	const struct err_info *info = err_info_by_name(name);

	return info ? info->code : ERR_INTERNAL;
}

static struct problem *new_refusal(struct round *round, int ord)
{
	struct plan_facts *f = &round->member[ord / PUSH_OPS_MAX].facts;
	struct plan_refusal *x = (struct plan_refusal *)(uintptr_t)&f->refusals[f->refusal_count++];

	x->op = (uint32_t)(ord % PUSH_OPS_MAX);
	return &x->problem;
}

static void take_guard_rows(struct round *round, const PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, GUARD_ORD);
		/* A guard answers for what it was asked. */
		assert(ord >= 0 && (size_t)ord / PUSH_OPS_MAX < round->count);
		assert((size_t)ord % PUSH_OPS_MAX < round->member[ord / PUSH_OPS_MAX].limit);
		struct plan_facts *f = &round->member[ord / PUSH_OPS_MAX].facts;
		struct plan_shared *shared = (struct plan_shared *)(uintptr_t)&f->shared[ord % PUSH_OPS_MAX];
		if (!db_is_null(r, i, GUARD_SHARED_WITH)) {
			shared->said = true;
			snprintf(shared->school, sizeof shared->school, "%s",
				db_get_text(r, i, GUARD_SHARED_WITH));
		}
		if (!db_is_null(r, i, GUARD_CODE))
			problem_set(new_refusal(round, ord), err_of_guard(db_get_text(r, i, GUARD_CODE)),
				db_get_text(r, i, GUARD_FIELD), NULL, "%s", db_get_text(r, i, GUARD_MESSAGE));
	}
}

static size_t rows_at(const struct round *round, int at)
{
	return at >= 0 ? (size_t)PQntuples(round->task.result[at].rows) : 0;
}

static bool read_guard_rows(struct round *round)
{
	size_t n = 0;

	for (size_t k = 0; k < kind_count; k++)
		n += rows_at(round, round->at[k].guard) + rows_at(round, round->at[k].judge);
	for (size_t i = 0; i < round->count; i++) {
		struct member *m = &round->member[i];
		m->facts.refusals = arena_alloc(&round->arena, sizeof(struct plan_refusal) * (n + 1));
		m->facts.shared = arena_alloc(&round->arena, sizeof(struct plan_shared) * (m->limit + 1));
		if (!m->facts.refusals || !m->facts.shared)
			return false;
	}
	for (size_t k = 0; k < kind_count; k++) {
		if (round->at[k].guard >= 0)
			take_guard_rows(round, round->task.result[round->at[k].guard].rows);
		if (round->at[k].judge >= 0)
			take_guard_rows(round, round->task.result[round->at[k].judge].rows);
	}
	return true;
}

enum { WRITER_ORD, WRITER_AUTHOR, WRITER_AT };

static bool read_writer_rows(struct round *round)
{
	const PGresult *r = round->writers_at >= 0 ? round->task.result[round->writers_at].rows : NULL;

	for (size_t i = 0; r && i < round->count; i++)
		if (!(round->member[i].facts.writers = arena_alloc(
			      &round->arena, sizeof(struct plan_writer) * (round->member[i].limit + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, WRITER_ORD);
		struct plan_writer *w = (struct plan_writer *)(uintptr_t)&round->member[ord / PUSH_OPS_MAX]
						.facts.writers[ord % PUSH_OPS_MAX];
		*w = (struct plan_writer){db_get_text(r, i, WRITER_AUTHOR), db_get_int(r, i, WRITER_AT)};
	}
	return true;
}

enum { TARGET_ORD, TARGET_KIND, TARGET_OPEN };

static bool read_target_rows(struct round *round)
{
	const PGresult *r = round->targets_at >= 0 ? round->task.result[round->targets_at].rows : NULL;

	for (size_t i = 0; r && i < round->count; i++)
		if (!(round->member[i].facts.targets = arena_alloc(
			      &round->arena, sizeof(struct plan_target) * (round->member[i].limit + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, TARGET_ORD);
		struct plan_target *t = (struct plan_target *)(uintptr_t)&round->member[ord / PUSH_OPS_MAX]
						.facts.targets[ord % PUSH_OPS_MAX];
		*t = (struct plan_target){
			(uint32_t)db_get_int(r, i, TARGET_KIND), db_get_int(r, i, TARGET_OPEN) != 0};
	}
	return true;
}

enum { SCOPE_ROW_ORD, SCOPE_ROW_GRADE, SCOPE_ROW_CLASS_NO, SCOPE_ROW_NAMED };

static bool read_scope_rows(struct round *round)
{
	const PGresult *r = round->scopes_at >= 0 ? round->task.result[round->scopes_at].rows : NULL;

	for (size_t i = 0; r && i < round->count; i++)
		if (!(round->member[i].facts.scopes = arena_alloc(
			      &round->arena, sizeof(struct plan_scope) * ((size_t)PQntuples(r) + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, SCOPE_ROW_ORD);
		struct plan_facts *f = &round->member[ord / PUSH_OPS_MAX].facts;
		struct plan_scope *s = (struct plan_scope *)(uintptr_t)&f->scopes[f->scope_count++];
		s->op = (uint32_t)(ord % PUSH_OPS_MAX);
		class_scope_make(
			s->scope, db_get_text(r, i, SCOPE_ROW_GRADE), db_get_text(r, i, SCOPE_ROW_CLASS_NO));
		s->named = db_get_int(r, i, SCOPE_ROW_NAMED) != 0;
	}
	return true;
}

enum { CHILD_ORD, CHILD_ID };

static bool read_child_rows(struct round *round)
{
	const PGresult *r = round->children_at >= 0 ? round->task.result[round->children_at].rows : NULL;
	size_t len;

	for (size_t i = 0; r && i < round->count; i++)
		if (!(round->member[i].facts.children = arena_alloc(
			      &round->arena, sizeof(struct plan_child) * ((size_t)PQntuples(r) + 1))))
			return false;
	for (int i = 0; r && i < PQntuples(r); i++) {
		int ord = (int)db_get_int(r, i, CHILD_ORD);
		struct plan_facts *f = &round->member[ord / PUSH_OPS_MAX].facts;
		struct plan_child *h = (struct plan_child *)(uintptr_t)&f->children[f->child_count++];
		h->op = (uint32_t)(ord % PUSH_OPS_MAX);
		memcpy(h->id, db_get_bytes(r, i, CHILD_ID, &len), ID_SIZE);
	}
	return true;
}

bool push_facts_read(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		struct member *m = &round->member[i];
		m->facts.county = round->worker->server->conf.county;
		m->facts.today =
			(int32_t)db_get_int(round->task.result[round->devices_at].rows, 0, DEVICE_TODAY);
		snprintf(m->facts.school, sizeof m->facts.school, "%s", m->request->caller.school);
		m->facts.user = m->request->caller.user;
		m->facts.carries_others = m->request->caller.roles >> ROLE_REGISTRAR & 1;
	}
	return read_author_rows(round) && read_replay_rows(round) && read_record_rows(round) &&
		read_guard_rows(round) && read_writer_rows(round) && read_target_rows(round) &&
		read_scope_rows(round) && read_child_rows(round);
}
