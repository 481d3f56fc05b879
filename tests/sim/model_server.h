/* model_server.h - a server small enough to be read at once: records, one stream, devices with their chain,
 * the answers of every push. It uses the real merge rule, so what differs from jgd is only storage. Header
 * only; one thread. */
#ifndef JG_MODEL_SERVER_H
#define JG_MODEL_SERVER_H

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "envelope.h"
#include "hash.h"
#include "pb.h"
#include "sync_merge.h"
#include "tables.h"

#define MODEL_RECORDS 4096
#define MODEL_DEVICES 4
#define MODEL_OPS 8192

struct model_record {
	uint8_t id[ID_SIZE];
	struct merge_state state;
	uint64_t seq;
};

struct model_answer {
	uint64_t op_no;
	uint32_t incarnation;
	uint8_t sha[HASH_SIZE];
	pb_op_result result;
	uint32_t gver[KIND_GROUPS_MAX];
};

struct model_device {
	uint8_t id[ID_SIZE];
	uint32_t incarnation;
	uint64_t last_op;
	uint8_t last_hash[HASH_SIZE];
	struct model_answer *answers;
	size_t n_answers;
};

struct model_server {
	struct arena arena; /* bodies live as long as the server */
	struct model_record records[MODEL_RECORDS];
	size_t n;
	uint64_t seq;
	struct model_device devices[MODEL_DEVICES];
	uint64_t effects; /* operations that were executed: each exactly once */
};

static inline void model_init(struct model_server *s)
{
	memset(s, 0, sizeof *s);
	arena_init(&s->arena, 1u << 30);
}

static inline struct model_record *model_find(struct model_server *s, const uint8_t *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->records[i].id, id, ID_SIZE) == 0)
			return &s->records[i];
	return NULL;
}

/* Whose natural key it is, among the live; NULL when nobody's. */
static inline struct model_record *model_holder(
	struct model_server *s, const struct record *r, const uint8_t *id)
{
	char *key = record_key(r, &s->arena);

	for (size_t i = 0; key && *key && i < s->n; i++) {
		struct model_record *x = &s->records[i];
		if (x->state.exists && !x->state.deleted && memcmp(x->id, id, ID_SIZE) != 0 &&
			x->state.record.kind == r->kind &&
			strcmp(record_key(&x->state.record, &s->arena), key) == 0)
			return x;
	}
	return NULL;
}

static inline struct model_answer *model_answer_of(
	struct model_device *d, uint32_t incarnation, uint64_t op_no)
{
	for (size_t i = 0; i < d->n_answers; i++)
		if (d->answers[i].incarnation == incarnation && d->answers[i].op_no == op_no)
			return &d->answers[i];
	return NULL;
}

static inline bool model_bases(struct model_device *d, const pb_op *op, struct merge_op *m)
{
	for (size_t i = 0; i < op->n_seen; i++) {
		uint32_t gver = op->seen[i]->gver, group = op->seen[i]->group;
		if (op->seen[i]->own_op) {
			struct model_answer *a = model_answer_of(d, op->incarnation, op->seen[i]->own_op);
			if (!a || (a->result.outcome != JINGGUAN__V1__OUTCOME__APPLIED &&
					  a->result.outcome != JINGGUAN__V1__OUTCOME__MERGED))
				return false;
			gver = a->gver[group - 1];
		}
		m->groups |= 1u << (group - 1);
		m->seen[group - 1] = gver;
	}
	return true;
}

static inline void model_execute(
	struct model_server *s, struct model_device *d, const pb_op *op, struct model_answer *a)
{
	static const int outcomes[] = {0, JINGGUAN__V1__OUTCOME__APPLIED, JINGGUAN__V1__OUTCOME__MERGED,
		JINGGUAN__V1__OUTCOME__CONFLICT, JINGGUAN__V1__OUTCOME__REJECTED};
	struct merge_op m = {.del = op->action == JINGGUAN__V1__ACTION__DEL};
	struct model_record *x = model_find(s, op->id.data), *holder;
	const struct kind *kind = kind_by_number(op->kind);

	s->effects++;
	a->result.outcome = JINGGUAN__V1__OUTCOME__BLOCKED;
	if (!m.del && record_decode(&m.body, kind, arena_copy(&s->arena, op->body.data, op->body.len),
			      op->body.len, &s->arena, NULL))
		abort();
	if (!model_bases(d, op, &m))
		return;
	if (!op->n_seen)
		m.groups = record_groups(&m.body);
	if (!x && !m.del && (holder = model_holder(s, &m.body, op->id.data))) {
		a->result.outcome = JINGGUAN__V1__OUTCOME__REJECTED;
		a->result.code = ERR_DUPLICATE;
		a->result.duplicate_of = (ProtobufCBinaryData){ID_SIZE, holder->id};
		return;
	}
	if (!x) {
		x = &s->records[s->n++];
		memcpy(x->id, op->id.data, ID_SIZE);
	}
	struct merge_result r = sync_merge(&x->state, &m);
	a->result.outcome = (Jingguan__V1__Outcome)outcomes[r.outcome];
	a->result.code = r.code;
	a->result.group = r.group;
	a->result.ver = x->state.ver;
	memcpy(a->gver, x->state.gver, sizeof a->gver);
	if (r.changed)
		x->seq = ++s->seq;
}

/* A device whose history differs begins a new line. */
static inline void model_fork(struct model_device *d)
{
	d->incarnation++;
	d->last_op = 0;
	hash_genesis(d->last_hash, d->id, d->incarnation);
}

/* One operation in order; its answer, or NULL with *control set. */
static inline struct model_answer *model_push(
	struct model_server *s, struct model_device *d, const void *bytes, size_t n, enum err *control)
{
	const ProtobufCMessage *message;
	uint8_t sha[HASH_SIZE], chain[HASH_SIZE];

	*control = ERR_OK;
	if (envelope_unpack(&pb_op_desc, bytes, n, &s->arena, &message, NULL))
		abort();
	const pb_op *op = (const pb_op *)message;
	hash_op(sha, bytes, n);
	struct model_answer *a = model_answer_of(d, op->incarnation, op->op_no);
	if (op->incarnation != d->incarnation || (a && memcmp(a->sha, sha, HASH_SIZE) != 0))
		*control = ERR_FORKED;
	else if (!a && op->op_no != d->last_op + 1)
		*control = ERR_EXPECT;
	if (*control == ERR_FORKED && op->incarnation == d->incarnation)
		model_fork(d);
	if (*control || a)
		return *control ? NULL : a;
	if (!d->answers)
		d->answers = calloc(MODEL_OPS, sizeof *d->answers);
	a = &d->answers[d->n_answers++];
	*a = (struct model_answer){
		.op_no = op->op_no, .incarnation = op->incarnation, .result = PB_OP_RESULT_INIT};
	memcpy(a->sha, sha, HASH_SIZE);
	a->result.op_no = op->op_no;
	model_execute(s, d, op, a);
	a->result.n_gver = KIND_GROUPS_MAX;
	a->result.gver = a->gver;
	hash_chain(chain, d->last_hash, op->op_no, sha);
	memcpy(d->last_hash, chain, HASH_SIZE);
	d->last_op = op->op_no;
	return a;
}

static inline void model_digest(const struct model_server *s, uint32_t out[LANES])
{
	memset(out, 0, LANES * sizeof *out);
	for (size_t i = 0; i < s->n; i++) {
		const struct model_record *x = &s->records[i];
		struct buf body = {0};
		uint8_t hash[HASH_SIZE];
		uint32_t lanes[LANES];
		if (!x->state.exists || x->state.deleted)
			continue;
		record_encode(&x->state.record, &body);
		hash_record(hash, body.data, body.len);
		hash_lanes(lanes, x->id, (uint64_t)x->state.ver, x->state.record.kind->number, hash);
		lanes_add(out, lanes);
		buf_free(&body);
	}
}

#endif
