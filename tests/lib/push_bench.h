/* push_bench.h - a push of a few operations and the facts that push_plan is given, for
 * tests/unit/test_push_*.c. */
#ifndef JG_PUSH_BENCH_H
#define JG_PUSH_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "push_plan.h"
#include "tables.h"

#define SCHOOL "2132999001"
#define OTHER_SCHOOL "2132999002"
#define TODAY 20260912

enum {
	APPLIED = JINGGUAN__V1__OUTCOME__APPLIED,
	MERGED = JINGGUAN__V1__OUTCOME__MERGED,
	CONFLICT = JINGGUAN__V1__OUTCOME__CONFLICT,
	REJECTED = JINGGUAN__V1__OUTCOME__REJECTED,
	BLOCKED = JINGGUAN__V1__OUTCOME__BLOCKED,
	ALREADY = JINGGUAN__V1__OUTCOME__ALREADY_APPLIED
};

/* One push under construction, and the facts that it meets. */
struct bench {
	struct arena arena;
	ProtobufCBinaryData bytes[16];
	size_t count;
	uint64_t first, epoch;
	struct push push;
	struct plan_facts facts;
	struct plan_author authors[2];
	struct stored rows[4];
	struct plan_holder holders[2];
	struct plan_replay replay;
	struct plan_refusal refusal;
	uint8_t shas[16 * HASH_SIZE];
	struct plan_shared shared[16];
};

static inline struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	arena_init(&b->arena, 8u << 20);
	b->first = 1;
	strcpy(b->authors[0].name, "zhang");
	b->authors[0].may_write = true;
	b->authors[0].roles = 1u << ROLE_REGISTRAR;
	strcpy(b->authors[1].name, "li");
	b->authors[1].may_write = true;
	b->authors[1].roles = 1u << ROLE_CLASS_TEACHER;
	strcpy(b->authors[1].classes[0], "16/3");
	b->authors[1].class_count = 1;
	b->facts = (struct plan_facts){.county = 329999,
		.today = TODAY,
		.school = SCHOOL,
		.authors = b->authors,
		.author_count = 2,
		.rows = b->rows,
		.holders = b->holders,
		.replays = &b->replay,
		.refusals = &b->refusal,
		.shared = b->shared,
		.device = {.known = true, .incarnation = 1},
		.user = "zhang",
		.carries_others = true};
	hash_genesis(b->facts.device.last_hash, (const uint8_t *)"device device 16", 1);
	return b;
}

static inline void bench_free(struct bench *b)
{
	arena_free(&b->arena);
	free(b);
}

static inline struct record pupil(const char *name, const char *cert, const char *class_no)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, name);
	record_set_text(&r, F_STUDENT_CERT_TYPE, "9");
	if (!cert[0] || strlen(cert) == 18)
		record_set_text(&r, F_STUDENT_CERT_TYPE, "1");
	record_set_text(&r, F_STUDENT_CERT_NO, cert);
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, class_no);
	record_set_number(&r, F_STUDENT_KEEP_INVALID, 1);
	return r;
}

struct want {
	const char *author;
	uint32_t kind;
	uint8_t id;
	const struct record *body; /* NULL: DEL */
	pb_group_base seen[4];
	size_t n_seen;
	uint64_t op_no; /* 0: the next one */
	uint32_t incarnation;
};

#define SEEN(g, v)                                                                                           \
	{                                                                                                    \
		PROTOBUF_C_MESSAGE_INIT(&jingguan__v1__group_base__descriptor), 1, g, 1, v, 0, 0             \
	}
#define OWN(g, op)                                                                                           \
	{                                                                                                    \
		PROTOBUF_C_MESSAGE_INIT(&jingguan__v1__group_base__descriptor), 1, g, 0, 0, 1, op            \
	}

static inline void id_of(uint8_t id[16], uint8_t n)
{
	memset(id, 0, 16);
	id[8] = id[15] = n;
}

static inline void add_groups(struct bench *b, struct want w, uint32_t groups)
{
	pb_op op = PB_OP_INIT;
	pb_group_base *seen[4];
	struct buf body = {0};
	uint8_t id[16];

	id_of(id, w.id);
	op.has_version = op.has_op_no = op.has_incarnation = op.has_action = op.has_kind = op.has_id =
		op.has_body = 1;
	op.version = 1;
	op.op_no = w.op_no ? w.op_no : b->first + b->count;
	op.incarnation = w.incarnation ? w.incarnation : 1;
	op.author = (char *)(w.author ? w.author : "zhang");
	op.action = w.body ? JINGGUAN__V1__ACTION__PUT : JINGGUAN__V1__ACTION__DEL;
	op.kind = w.kind ? w.kind : KIND_STUDENT;
	op.id = (ProtobufCBinaryData){16, id};
	if (w.body)
		record_encode_groups(w.body, groups, false, &body);
	op.body = (ProtobufCBinaryData){body.len, body.data};
	for (size_t i = 0; i < w.n_seen; i++)
		seen[i] = &w.seen[i];
	op.n_seen = w.n_seen;
	op.seen = seen;
	ProtobufCBinaryData *to = &b->bytes[b->count++];
	to->len = protobuf_c_message_get_packed_size(&op.base);
	to->data = arena_alloc(&b->arena, to->len);
	protobuf_c_message_pack(&op.base, to->data);
	buf_free(&body);
}

static inline void add(struct bench *b, struct want w)
{
	add_groups(b, w, UINT32_MAX);
}

static inline void run(struct bench *b)
{
	pb_push_request request = PB_PUSH_REQUEST_INIT;

	request.incarnation = 1;
	request.n_op = b->count;
	request.op = b->bytes;
	assert_int_equal(push_decode(&b->push, &request, &b->arena), ERR_OK);
	b->push.epoch = b->epoch;
	assert_int_equal(push_plan(&b->push, &b->facts), ERR_OK);
}

static const pb_op_result *result(const struct bench *b, size_t i)
{
	assert_true(i < b->push.reply.n_result);
	return b->push.reply.result[i];
}

static inline void outcome(const struct bench *b, size_t i, int wanted, enum err code)
{
	const pb_op_result *r = result(b, i);

	assert_int_equal(r->outcome, wanted);
	assert_int_equal(r->has_code ? r->code : 0, code);
	assert_true(code == ERR_OK || (r->message && r->message[0]));
}

static inline void stands(struct bench *b, uint8_t id, const struct record *r, const char *owner)
{
	struct stored *row = &b->rows[b->facts.row_count++];

	memset(row, 0, sizeof *row);
	id_of(row->id, id);
	row->kind = r->kind;
	strcpy(row->owner, owner);
	row->state.exists = true;
	row->state.ver = 5;
	row->state.record = *r;
	for (unsigned g = 0; g < r->kind->group_count; g++)
		row->state.gver[g] = 2;
}

#endif
