/* Covers server/records/push_plan.c as the pure function it is: facts in, results and effects out. */

#include "push_bench.h"

#include "nomem.h"

static void inserts_and_edits(void **state)
{
	struct bench *b = bench_new();
	struct record r = pupil("甲", "A1", "3"), later = pupil("乙", "A1", "3");
	uint8_t wanted[HASH_SIZE];

	(void)state;
	add(b, (struct want){.id = 1, .body = &r});
	add_groups(b, (struct want){.id = 1, .body = &later, .seen = {OWN(1, 1)}, .n_seen = 1}, 1);
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, APPLIED, ERR_OK);
	assert_int_equal(result(b, 1)->ver, 2);
	assert_int_equal(b->push.answered, 2);
	assert_int_equal(b->push.reply.last_op, 2);
	assert_int_equal(b->push.part.count, 2);
	assert_true(b->push.part.first_op == 1 && b->push.part.last_op == 2 && b->push.part.incarnation == 1);
	assert_true(b->push.part.effect[0].fresh && !b->push.part.effect[0].last);
	assert_true(b->push.part.effect[1].repeat && b->push.part.effect[1].last);
	memcpy(wanted, b->facts.device.last_hash, HASH_SIZE);
	for (uint64_t i = 0; i < 2; i++)
		hash_chain(wanted, wanted, i + 1, b->push.ops[i].sha);
	assert_memory_equal(b->push.last_hash, wanted, HASH_SIZE);
	assert_true(b->push.reply.has_last_op && b->push.reply.has_last_hash);
	assert_int_equal(b->push.reply.last_hash.len, HASH_SIZE);
	assert_memory_equal(b->push.reply.last_hash.data, wanted, HASH_SIZE);
	bench_free(b);
}

/* What another push asked of the arena in vain is not this one's. */
static void memory_that_another_push_lacked(void **state)
{
	struct record r = pupil("甲", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	add(b, (struct want){.id = 1, .body = &r});
	run(b);
	b->arena.refused = ERR_NOMEM;
	assert_int_equal(push_plan(&b->push, &b->facts), ERR_OK);
	outcome(b, 0, APPLIED, ERR_OK);
	bench_free(b);
}

/* Each number has the answer of the push that it was in; a number whose answer is not there any more was
 * applied; what was not sent again is not answered. */
static void each_number_has_its_own_answer(void **state)
{
	struct record r = pupil("甲", "A1", "3");
	pb_op_result first = PB_OP_RESULT_INIT, third = PB_OP_RESULT_INIT, *firsts[] = {&first},
		     *thirds[] = {&third, &first};
	pb_push_reply replies[] = {PB_PUSH_REPLY_INIT, PB_PUSH_REPLY_INIT};
	struct bench *b = bench_new();
	const struct plan_replay replays[] = {
		{1, 2, b->shas, &replies[0]}, {3, 5, b->shas + 2 * HASH_SIZE, &replies[1]}};

	(void)state;
	first.outcome = JINGGUAN__V1__OUTCOME__MERGED;
	third.outcome = JINGGUAN__V1__OUTCOME__BLOCKED;
	third.has_code = 1;
	third.code = ERR_BLOCKED;
	third.message = (char *)"x";
	replies[0].n_result = replies[1].n_result = 1;
	replies[0].result = firsts;
	replies[1].result = thirds;
	for (int i = 0; i < 4; i++)
		add(b, (struct want){.id = 1, .body = &r});
	b->facts.device.last_op = 5;
	run(b);
	for (size_t i = 0; i < 4; i++)
		memcpy(b->shas + HASH_SIZE * i, b->push.ops[i].sha, HASH_SIZE);
	b->facts.replays = replays;
	b->facts.replay_count = 2;
	run(b);
	assert_true(b->push.replayed && !b->push.forked);
	assert_int_equal(b->push.answered, 4);
	assert_int_equal(b->push.reply.n_result, 4);
	outcome(b, 0, MERGED, ERR_OK);
	outcome(b, 1, ALREADY, ERR_OK);
	outcome(b, 2, BLOCKED, ERR_BLOCKED);
	outcome(b, 3, ALREADY, ERR_OK);
	assert_true(b->push.reply.has_last_op && b->push.reply.has_last_hash);
	assert_int_equal(b->push.reply.last_hash.len, HASH_SIZE);
	bench_free(b);
}

/* A disk that was put back as often as that, and not a number that anybody makes up. */
static void a_device_is_ahead_by_so_much(void **state)
{
	(void)state;
	assert_true(push_is_ahead(1 + INCARNATIONS_LOST_MAX, 1));
	assert_false(push_is_ahead(2 + INCARNATIONS_LOST_MAX, 1));
	assert_false(push_is_ahead(1, 1));
	assert_false(push_is_ahead(1, 2));
}

/* The same bytes under an answered number get the answer of then, also when its text was pruned; other bytes
 * are a fork. */
static void a_replay_gets_the_answer_of_then(void **state)
{
	struct record r = pupil("甲", "A1", "3"), other = pupil("乙", "A2", "3");
	struct bench *first = bench_new();

	(void)state;
	add(first, (struct want){.id = 1, .body = &r});
	add(first, (struct want){.id = 2, .body = &r}); /* a duplicate: refused then, refused for ever */
	run(first);
	outcome(first, 1, REJECTED, ERR_DUPLICATE);
	for (int pruned = 0; pruned < 2; pruned++) {
		struct bench *b = bench_new();
		add(b, (struct want){.id = 1, .body = &r});
		add(b, (struct want){.id = 2, .body = &r});
		add(b, (struct want){.id = 3, .body = &other});
		b->facts.device.last_op = 2;
		memcpy(b->facts.device.last_hash, first->push.last_hash, HASH_SIZE);
		for (size_t i = 0; i < 2; i++)
			memcpy(b->shas + HASH_SIZE * i, first->push.ops[i].sha, HASH_SIZE);
		b->replay = (struct plan_replay){1, 2, b->shas, pruned ? NULL : &first->push.reply};
		b->facts.replay_count = 1;
		run(b);
		assert_true(b->push.replayed && !b->push.forked);
		assert_int_equal(b->push.answered, 2);
		assert_int_equal(b->push.part.count, 0); /* nothing is written twice */
		outcome(b, 0, pruned ? ALREADY : APPLIED, ERR_OK);
		if (!pruned)
			outcome(b, 1, REJECTED, ERR_DUPLICATE);
		assert_int_equal(b->push.reply.control, 0);
		assert_int_equal(b->push.reply.last_op, 2);
		b->shas[HASH_SIZE + 5] ^= 1;
		run(b);
		assert_true(b->push.forked);
		assert_int_equal(b->push.answered, 0);
		assert_int_equal(b->push.reply.control, ERR_FORKED);
		bench_free(b);
	}
	bench_free(first);
}

static void gaps_and_incarnations(void **state)
{
	struct record r = pupil("甲", "A1", "3"), s = pupil("乙", "A2", "3");
	struct bench *b = bench_new();

	(void)state;
	add(b, (struct want){.id = 1, .body = &r, .op_no = 5});
	run(b);
	assert_int_equal(b->push.reply.control, ERR_EXPECT);
	assert_int_equal(b->push.reply.last_op, 0);
	assert_int_equal(b->push.reply.n_result, 0);
	bench_free(b);

	b = bench_new(); /* a gap inside: what stands before it is decided */
	add(b, (struct want){.id = 1, .body = &r});
	add(b, (struct want){.id = 2, .body = &s, .op_no = 3});
	run(b);
	assert_int_equal(b->push.answered, 1);
	assert_int_equal(b->push.reply.n_result, 1);
	assert_int_equal(b->push.reply.last_op, 1);
	bench_free(b);

	b = bench_new(); /* one that cannot be decoded, and says another number */
	add(b, (struct want){.id = 1, .body = &r});
	b->bytes[b->count++] = (ProtobufCBinaryData){6, (uint8_t *)"\x08\x01\x10\x05\xff\xff"};
	run(b);
	assert_int_equal(b->push.ops[1].op_no, 5);
	assert_null(b->push.ops[1].op);
	assert_int_equal(b->push.answered, 1);
	bench_free(b);

	b = bench_new(); /* or none: it has the next one */
	b->facts.device.last_op = 4;
	b->bytes[b->count++] = (ProtobufCBinaryData){2, (uint8_t *)"\xff\xff"};
	run(b);
	assert_int_equal(b->push.answered, 1);
	assert_int_equal(result(b, 0)->op_no, 5);
	assert_int_equal(b->push.reply.last_op, 5);
	bench_free(b);

	b = bench_new(); /* the device was given a new incarnation */
	b->facts.device.incarnation = 2;
	add(b, (struct want){.id = 1, .body = &r});
	run(b);
	assert_true(b->push.forked);
	assert_int_equal(b->push.reply.control, ERR_FORKED);
	assert_int_equal(b->push.part.count, 0);
	bench_free(b);

	b = bench_new(); /* an operation of another incarnation inside */
	add(b, (struct want){.id = 1, .body = &r, .incarnation = 7});
	run(b);
	assert_int_equal(b->push.answered, 0);
	assert_int_equal(b->push.reply.control, ERR_EXPECT);
	bench_free(b);

	b = bench_new();
	run(b);
	assert_int_equal(b->push.reply.control, 0);
	assert_int_equal(b->push.answered, 0);
	bench_free(b);
}

/* What was sent to a history that is gone by now is neither decided nor answered, and begins nothing. */
static void another_history(void **state)
{
	struct record r = pupil("甲", "A1", "3");
	const uint32_t incarnations[] = {0, 1, 2}; /* the push is in the first */

	(void)state;
	for (size_t i = 0; i < sizeof incarnations / sizeof *incarnations; i++) {
		struct bench *b = bench_new();
		b->facts.device.epoch = 8;
		b->facts.device.incarnation = incarnations[i];
		b->epoch = 7;
		add(b, (struct want){.id = 1, .body = &r});
		run(b);
		assert_int_equal(b->push.reply.control, ERR_EXPECT);
		assert_int_equal(b->push.reply.n_result, 0);
		assert_int_equal(b->push.answered, 0);
		assert_int_equal(b->push.part.count, 0);
		assert_int_equal(b->push.known_incarnation, incarnations[i]);
		assert_false(b->push.forked);
		b->epoch = 8;
		run(b);
		assert_int_equal(b->push.reply.control, incarnations[i] <= 1 ? 0 : ERR_FORKED);
		bench_free(b);
	}
	/* Nor is the replay of an old number. */
	struct bench *b = bench_new();
	b->facts.device.last_op = 1;
	b->epoch = 1;
	add(b, (struct want){.id = 1, .body = &r, .op_no = 1});
	run(b);
	assert_int_equal(b->push.reply.control, ERR_EXPECT);
	assert_int_equal(b->push.reply.last_op, 1);
	assert_false(b->push.replayed);
	bench_free(b);
}

static void blocked_on_an_own_operation(void **state)
{
	struct record bad = pupil("", "A1", "3"), edit = pupil("乙", "A1", "3"), now = pupil("原", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	add(b, (struct want){.id = 1, .body = &bad}); /* no name: refused */
	add_groups(b, (struct want){.id = 1, .body = &edit, .seen = {OWN(1, 1)}, .n_seen = 1}, 1);
	add_groups(b, (struct want){.id = 1, .body = &edit, .seen = {OWN(1, 3)}, .n_seen = 1},
		1); /* on itself */
	add_groups(b, (struct want){.id = 1, .body = &edit, .seen = {OWN(1, 99)}, .n_seen = 1},
		1); /* on one that is to come */
	run(b);
	outcome(b, 0, REJECTED, ERR_MISSING);
	for (size_t i = 1; i < 4; i++)
		outcome(b, i, BLOCKED, ERR_BLOCKED);
	assert_int_equal(b->push.part.count, 0);
	assert_int_equal(b->push.answered, 4);
	bench_free(b);

	b = bench_new(); /* on one of an earlier push, whose answer is known */
	stands(b, 1, &now, SCHOOL);
	b->first = 8;
	b->facts.device.last_op = 7;
	pb_op_result old = PB_OP_RESULT_INIT, *list[1] = {&old};
	pb_push_reply reply = PB_PUSH_REPLY_INIT;
	uint32_t gver[3] = {2, 2, 2};
	old.outcome = JINGGUAN__V1__OUTCOME__APPLIED;
	old.n_gver = 3;
	old.gver = gver;
	reply.n_result = 1;
	reply.result = list;
	b->replay = (struct plan_replay){7, 7, b->shas, &reply};
	b->facts.replay_count = 1;
	add_groups(b, (struct want){.id = 1, .body = &edit, .seen = {OWN(1, 7)}, .n_seen = 1}, 1);
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	bench_free(b);
}

static void conflicts_keep_both(void **state)
{
	struct record now = pupil("原", "A1", "3"), mine = pupil("我", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	stands(b, 1, &now, SCHOOL);
	add_groups(b, (struct want){.id = 1, .body = &mine, .seen = {SEEN(1, 1)}, .n_seen = 1}, 1);
	add(b, (struct want){.id = 1, .seen = {SEEN(1, 1), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	run(b);
	outcome(b, 0, CONFLICT, ERR_CONFLICT);
	assert_int_equal(result(b, 0)->group, 1);
	assert_true(result(b, 0)->current.len > 0);
	outcome(b, 1, CONFLICT, ERR_CONFLICT);
	/* The values are kept for a person, and no record is written. */
	assert_int_equal(b->push.part.count, 1);
	assert_int_equal(b->push.part.effect[0].conflict_ver, 5);
	assert_true(record_is(&b->push.part.effect[0].after.state.record, F_STUDENT_NAME, "我"));
	bench_free(b);
}

static void a_duplicate_is_refused_with_its_holder(void **state)
{
	struct record r = pupil("甲", "A1", "3"), twin = pupil("乙", "A1", "3");
	struct bench *b = bench_new();
	uint8_t id[16];

	(void)state;
	b->holders[0] = (struct plan_holder){.kind = r.kind, .key = "cert_no=A1", .owner = OTHER_SCHOOL};
	id_of(b->holders[0].id, 77);
	b->facts.holder_count = 1;
	add(b, (struct want){.id = 1, .body = &r}); /* another school's pupil is no duplicate */
	add(b, (struct want){.id = 2, .body = &twin});
	add(b, (struct want){.id = 1, .seen = {OWN(1, 1), OWN(2, 1), OWN(3, 1)}, .n_seen = 3});
	add(b, (struct want){.id = 3, .body = &twin}); /* the number is free again */
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, REJECTED, ERR_DUPLICATE);
	id_of(id, 1);
	assert_memory_equal(result(b, 1)->duplicate_of.data, id, 16);
	outcome(b, 2, APPLIED, ERR_OK);
	outcome(b, 3, APPLIED, ERR_OK);
	bench_free(b);

	b = bench_new();
	b->holders[0] = (struct plan_holder){.kind = r.kind, .key = "cert_no=A1", .owner = SCHOOL};
	id_of(b->holders[0].id, 77);
	b->facts.holder_count = 1;
	add(b, (struct want){.id = 1, .body = &r});
	run(b);
	outcome(b, 0, REJECTED, ERR_DUPLICATE);
	assert_int_equal(result(b, 0)->duplicate_of.data[15], 77);
	bench_free(b);
}

static void a_filing_is_a_push_of_its_own(void **state)
{
	struct record filing, r = pupil("甲", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	record_init(&filing, kind_by_number(KIND_FILING));
	record_set_number(&filing, F_FILING_YEAR, 2026);
	record_set_text(&filing, F_FILING_STAGE, "T1");
	add(b, (struct want){.id = 1, .body = &r});
	add(b, (struct want){.id = 2, .body = &filing, .kind = KIND_FILING});
	run(b);
	assert_int_equal(push_barrier(&b->push), 1);
	assert_int_equal(b->push.answered, 1);
	bench_free(b);

	b = bench_new();
	add(b, (struct want){.id = 2, .body = &filing, .kind = KIND_FILING});
	add(b, (struct want){.id = 1, .body = &r});
	run(b);
	assert_int_equal(b->push.answered, 1); /* what was typed behind it is not in it */
	outcome(b, 0, APPLIED, ERR_OK);
	assert_true(b->push.part.count == 1 && b->push.part.effect[0].last);
	bench_free(b);

	b = bench_new(); /* what was reported formally cannot be taken back */
	stands(b, 2, &filing, SCHOOL);
	add(b, (struct want){.id = 2, .kind = KIND_FILING, .seen = {SEEN(1, 2)}, .n_seen = 1});
	run(b);
	outcome(b, 0, REJECTED, ERR_NOT_NOW);
	assert_int_equal(b->push.part.count, 0);
	bench_free(b);
}

static void guards_and_ids(void **state)
{
	struct record r = pupil("甲", "A1", "3"), d, now = pupil("丙", "A3", "3");
	struct bench *b = bench_new();

	(void)state;
	record_init(&d, kind_by_number(KIND_DESTINATION));
	record_set_number(&d, F_DESTINATION_YEAR, 2026);
	record_set_text(&d, F_DESTINATION_NAME, "甲");
	record_set_text(&d, F_DESTINATION_CERT_NO, "A1");
	record_set_text(&d, F_DESTINATION_CATEGORY, "A1");
	stands(b, 9, &now, SCHOOL);
	b->refusal.op = 2;
	problem_set(&b->refusal.problem, ERR_INCOMPLETE, "stage", NULL, "not yet");
	b->facts.refusal_count = 1;
	b->shared[1] = (struct plan_shared){true, "2132990002"};
	add(b, (struct want){.id = 1, .body = &r});
	add(b, (struct want){.id = 2, .body = &d, .kind = KIND_DESTINATION});
	add(b, (struct want){.id = 3, .body = &r});
	add(b, (struct want){.id = 9, .body = &d, .kind = KIND_DESTINATION}); /* the id is a pupil's */
	add(b,
		(struct want){.id = 2,
			.body = &d,
			.kind = KIND_DESTINATION,
			.seen = {OWN(1, 2), OWN(3, 2)},
			.n_seen = 2});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, APPLIED, ERR_OK);
	outcome(b, 2, REJECTED, ERR_INCOMPLETE);
	assert_string_equal(result(b, 2)->field, "stage");
	outcome(b, 3, REJECTED, ERR_EXISTS);
	assert_string_equal(b->push.part.effect[1].after.other, "2132990002"); /* as the guard said */
	outcome(b, 4, APPLIED, ERR_OK);
	bench_free(b);
}

/* Bytes that are no operation are answered like any other, and do not stop those behind them. */
static void damaged_operations(void **state)
{
	struct record r = pupil("甲", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	add(b, (struct want){.id = 1, .body = &r});
	b->bytes[b->count++] = (ProtobufCBinaryData){2, (uint8_t *)"\xFF\xFF"};
	add(b, (struct want){.id = 2, .body = &r, .kind = 4711});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, REJECTED, ERR_MALFORMED);
	outcome(b, 2, REJECTED, ERR_UPGRADE);
	assert_int_equal(b->push.answered, 3);
	bench_free(b);
}

/* A code that is none is refused with those that there are. */
static void refused_with_the_codes(void **state)
{
	struct record r = pupil("甲", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	record_set_text(&r, F_STUDENT_GRADE, "99");
	add(b, (struct want){.id = 1, .body = &r});
	run(b);
	outcome(b, 0, REJECTED, ERR_INVALID);
	assert_string_equal(result(b, 0)->field, "grade");
	assert_non_null(strstr(result(b, 0)->hint, "11 一年级"));
	assert_non_null(strstr(result(b, 0)->hint, "33 高三"));
	bench_free(b);
}

/* Its answer was lost and the same damaged bytes come again, alone or first: the old answer, no second
 * number. */
static void damaged_operations_replay(void **state)
{
	static const uint8_t damaged[] = {
		1 << 3, 1, 2 << 3, 1, 3 << 3, 1, 6 << 3, 99}; /* number 1, an action that we do not know */
	struct bench *b = bench_new();

	(void)state;
	b->bytes[b->count++] = (ProtobufCBinaryData){sizeof damaged, (uint8_t *)(uintptr_t)damaged};
	run(b);
	outcome(b, 0, REJECTED, ERR_INVALID);
	assert_int_equal(b->push.reply.last_op, 1);
	struct bench *again = bench_new();
	again->bytes[again->count++] = b->bytes[0];
	again->facts.device.last_op = 1;
	memcpy(again->shas, b->push.ops[0].sha, HASH_SIZE);
	again->replay = (struct plan_replay){1, 1, again->shas, &b->push.reply};
	again->facts.replay_count = 1;
	run(again);
	assert_true(again->push.replayed);
	outcome(again, 0, REJECTED, ERR_INVALID);
	assert_int_equal(again->push.reply.last_op, 1);
	bench_free(again);
	bench_free(b);
}

/* Decodes and decides b's push in an arena of its own; the answer, when there is one, is always the same. */
static enum err plan_again(void *data)
{
	static uint8_t wanted[HASH_SIZE];
	struct bench *b = data;
	pb_push_request request = PB_PUSH_REQUEST_INIT;
	struct plan_facts facts = b->facts;
	struct stored rows[4];
	struct arena arena;
	uint8_t sum[HASH_SIZE];

	memcpy(rows, b->rows, sizeof rows);
	arena_init(&arena, 8u << 20);
	request.incarnation = 1;
	request.n_op = b->count;
	request.op = b->bytes;
	enum err e = push_decode(&b->push, &request, &arena);
	if (!e)
		e = push_plan(&b->push, &b->facts);
	if (!e) {
		long left = nomem_in;
		nomem_in = 0;
		size_t n = protobuf_c_message_get_packed_size(&b->push.reply.base);
		uint8_t *bytes = malloc(n);
		protobuf_c_message_pack(&b->push.reply.base, bytes);
		hash_op(sum, bytes, n);
		free(bytes);
		static const uint8_t none[HASH_SIZE];
		if (memcmp(wanted, none, HASH_SIZE) == 0)
			memcpy(wanted, sum, HASH_SIZE);
		assert_memory_equal(sum, wanted, HASH_SIZE);
		nomem_in = left;
	}
	arena_free(&arena);
	assert_memory_equal(&facts, &b->facts, sizeof facts);
	assert_memory_equal(rows, b->rows, sizeof rows);
	return e;
}

/* An answer is kept for ever and given again: one that lacks anything must not be given. */
static void memory_runs_out(void **state)
{
	static const char *const names[] = {"甲", "乙", "丙", "丁", "戊", "己"};
	struct bench *b = bench_new();
	struct record stood = pupil("庚", "B1", "3"), other = pupil("辛", "B1", "4"), r[6], nameless;

	(void)state;
	stands(b, 9, &stood, SCHOOL);
	for (uint8_t i = 0; i < 6; i++) {
		r[i] = pupil(names[i], i == 5 ? "A0" : (const char *[]){"A0", "A1", "A2", "A3", "A4"}[i % 5],
			"3"); /* the last is a duplicate */
		add(b, (struct want){.id = (uint8_t)(i + 1), .body = &r[i]});
	}
	add(b,
		(struct want){.id = 9,
			.body = &other,
			.seen = {SEEN(1, 1), SEEN(2, 1)},
			.n_seen = 2}); /* a conflict */
	add_groups(b, (struct want){.id = 1, .body = &r[1], .seen = {OWN(1, 1)}, .n_seen = 1}, 1);
	nameless = pupil("", "A7", "3");
	add(b, (struct want){.id = 20, .body = &nameless});
	add(b, (struct want){.id = 21, .body = &r[1], .author = "nobody"});
	b->bytes[b->count++] = (ProtobufCBinaryData){3, (uint8_t *)"\xff\xff\xff"};
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 5, REJECTED, ERR_DUPLICATE);
	outcome(b, 6, CONFLICT, ERR_CONFLICT);
	assert_int_equal(plan_again(b), ERR_OK);
	nomem_until_it_works("push", plan_again, b, ERR_NOMEM, 10);
	bench_free(b);
}

/* Whoever decides a conflict sees who wrote what stands, when, and all of it. */
static void a_conflict_tells_what_stands(void **state)
{
	struct record now = pupil("原", "A1", "3"), mine = pupil("我", "A1", "3"), told;
	const struct plan_writer writers[] = {{"li", 1234567}, {NULL, 0}, {"li", 7}};
	struct bench *b = bench_new();
	struct problem problem;

	(void)state;
	stands(b, 1, &now, SCHOOL);
	stands(b, 2, &now, SCHOOL);
	b->rows[1].state.deleted = true;
	b->facts.writers = writers;
	add_groups(b, (struct want){.id = 1, .body = &mine, .seen = {SEEN(1, 1)}, .n_seen = 1}, 1);
	add_groups(b, (struct want){.id = 2, .body = &mine, .seen = {SEEN(1, 2)}, .n_seen = 1}, 1);
	add_groups(b, (struct want){.id = 3, .body = &mine, .seen = {SEEN(1, 2)}, .n_seen = 1}, 1);
	run(b);
	const pb_op_result *r = result(b, 0);
	outcome(b, 0, CONFLICT, ERR_CONFLICT);
	assert_string_equal(r->their_author, "li");
	assert_true(r->has_their_at && r->their_at == 1234567);
	assert_true(r->has_group && r->group == 1);
	assert_true(r->has_ver && r->ver == 5);
	assert_int_equal(r->n_gver, now.kind->group_count);
	assert_int_equal(r->gver[0], 2);
	assert_true(r->has_current);
	assert_int_equal(
		record_decode(&told, now.kind, r->current.data, r->current.len, &b->arena, &problem), ERR_OK);
	assert_true(record_is(&told, F_STUDENT_NAME, "原") && record_is(&told, F_STUDENT_CLASS_NO, "3"));
	/* Of what is gone, or never was, there is nothing to tell. */
	for (size_t i = 1; i < 3; i++) {
		assert_int_not_equal(result(b, i)->outcome, APPLIED);
		assert_false(result(b, i)->has_current);
	}
	assert_null(result(b, 1)->their_author);
	bench_free(b);
}

static void a_refused_operation_leaves_nothing_behind(void **state)
{
	struct record now = pupil("原", "A1", "3"), nameless = pupil("", "A1", "3"),
		      moved = pupil("原", "A1", "4");
	struct bench *b = bench_new();

	(void)state;
	stands(b, 1, &now, SCHOOL);
	unsigned names = now.kind->fields[F_STUDENT_NAME].group,
		 classes = now.kind->fields[F_STUDENT_CLASS_NO].group;
	assert_int_not_equal(names, classes);
	add_groups(b, (struct want){.id = 1, .body = &nameless, .seen = {SEEN(names, 2)}, .n_seen = 1},
		1u << (names - 1));
	add_groups(b, (struct want){.id = 1, .body = &moved, .seen = {SEEN(classes, 2)}, .n_seen = 1},
		1u << (classes - 1));
	run(b);
	outcome(b, 0, REJECTED, ERR_MISSING);
	outcome(b, 1, APPLIED, ERR_OK);
	assert_int_equal(b->push.part.count, 1);
	assert_true(record_is(&b->push.part.effect[0].after.state.record, F_STUDENT_NAME, "原"));
	assert_true(record_is(&b->push.part.effect[0].after.state.record, F_STUDENT_CLASS_NO, "4"));
	bench_free(b);
}

/* Two records that stand exchange a number in one push: one statement cannot, so the second begins the next. */
static void a_number_that_is_not_free_yet_ends_the_push(void **state)
{
	struct record first = pupil("甲", "A1", "3"), second = pupil("乙", "A2", "3"),
		      third = pupil("丙", "A3", "3"), away = pupil("甲", "A9", "3"),
		      taker = pupil("乙", "A1", "3");
	struct bench *b = bench_new();

	(void)state;
	stands(b, 1, &first, SCHOOL);
	stands(b, 2, &second, SCHOOL);
	b->holders[0] = (struct plan_holder){.kind = first.kind, .key = "cert_no=A1", .owner = SCHOOL};
	id_of(b->holders[0].id, 1);
	b->facts.holder_count = 1;
	add_groups(b, (struct want){.id = 1, .body = &away, .seen = {SEEN(1, 2)}, .n_seen = 1}, 1);
	add_groups(b, (struct want){.id = 2, .body = &taker, .seen = {SEEN(1, 2)}, .n_seen = 1}, 1);
	add(b, (struct want){.id = 3, .body = &third});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	assert_int_equal(b->push.answered, 1);
	assert_int_equal(b->push.reply.n_result, 1);
	assert_int_equal(b->push.part.count, 1);
	bench_free(b);
}

/* Which second school sees a record is what the guard says; what is deleted nobody sees. */
static void the_guard_says_who_shares(void **state)
{
	struct record now[] = {pupil("甲", "A1", "3"), pupil("乙", "A2", "3"), pupil("丙", "A3", "3")},
		      moved[] = {pupil("甲", "A1", "4"), pupil("乙", "A2", "4")};
	struct bench *b = bench_new();
	unsigned classes = now[0].kind->fields[F_STUDENT_CLASS_NO].group;

	(void)state;
	for (uint8_t id = 1; id <= 3; id++) {
		stands(b, id, &now[id - 1], SCHOOL);
		strcpy(b->rows[id - 1].other, OTHER_SCHOOL);
	}
	strcpy(b->shared[1].school, "2132999003");
	b->shared[1].said = true;
	for (uint8_t id = 1; id <= 2; id++)
		add_groups(b,
			(struct want){
				.id = id, .body = &moved[id - 1], .seen = {SEEN(classes, 2)}, .n_seen = 1},
			1u << (classes - 1));
	add(b, (struct want){.id = 3, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	run(b);
	assert_int_equal(b->push.part.count, 3);
	assert_string_equal(b->push.part.effect[0].after.other, OTHER_SCHOOL);
	assert_string_equal(b->push.part.effect[1].after.other, "2132999003");
	assert_string_equal(b->push.part.effect[2].after.other, "");
	b->facts.shared = NULL; /* no guard was asked */
	run(b);
	assert_string_equal(b->push.part.effect[1].after.other, OTHER_SCHOOL);
	bench_free(b);
}

/* What the server made a school answers, in the groups declared for that; it makes none itself. */
static void a_school_answers_what_the_server_owns(void **state)
{
	const struct kind *kind = kind_by_number(KIND_SLIP_ADDRESSEE);
	struct record now, answer, other;
	struct bench *b = bench_new();
	unsigned received = kind->fields[F_SLIP_ADDRESSEE_RECEIVED_AT].group;
	uint8_t slip[ID_SIZE];

	(void)state;
	id_of(slip, 50);
	record_init(&now, kind);
	record_set_bytes(&now, F_SLIP_ADDRESSEE_SLIP, slip, ID_SIZE);
	record_set_text(&now, F_SLIP_ADDRESSEE_SCHOOL, SCHOOL);
	record_set_number(&now, F_SLIP_ADDRESSEE_ROUND, 1);
	answer = other = now;
	record_set_number(&answer, F_SLIP_ADDRESSEE_RECEIVED_AT, 1788000000000000);
	record_set_text(&answer, F_SLIP_ADDRESSEE_RECEIVED_BY, "zhang");
	record_set_number(&other, F_SLIP_ADDRESSEE_ROUND, 2);
	for (uint8_t id = 1; id <= 2; id++)
		stands(b, id, &now, SCHOOL);
	add_groups(b,
		(struct want){.kind = KIND_SLIP_ADDRESSEE,
			.id = 1,
			.body = &answer,
			.seen = {SEEN(received, 2)},
			.n_seen = 1},
		1u << (received - 1));
	add_groups(b,
		(struct want){.kind = KIND_SLIP_ADDRESSEE,
			.id = 2,
			.body = &other,
			.seen = {SEEN(1, 2)},
			.n_seen = 1},
		1);
	add(b, (struct want){.kind = KIND_SLIP_ADDRESSEE, .id = 3, .body = &now});
	add(b,
		(struct want){.kind = KIND_SLIP_ADDRESSEE,
			.id = 2,
			.seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)},
			.n_seen = 3});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	for (size_t i = 1; i < 4; i++)
		outcome(b, i, REJECTED, ERR_PERMISSION);
	assert_int_equal(b->push.part.count, 1);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(inserts_and_edits),
		cmocka_unit_test(memory_that_another_push_lacked),
		cmocka_unit_test(each_number_has_its_own_answer),
		cmocka_unit_test(a_device_is_ahead_by_so_much),
		cmocka_unit_test(a_replay_gets_the_answer_of_then), cmocka_unit_test(gaps_and_incarnations),
		cmocka_unit_test(another_history), cmocka_unit_test(blocked_on_an_own_operation),
		cmocka_unit_test(conflicts_keep_both),
		cmocka_unit_test(a_duplicate_is_refused_with_its_holder),
		cmocka_unit_test(a_filing_is_a_push_of_its_own), cmocka_unit_test(guards_and_ids),
		cmocka_unit_test(damaged_operations), cmocka_unit_test(refused_with_the_codes),
		cmocka_unit_test(damaged_operations_replay), cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(a_conflict_tells_what_stands),
		cmocka_unit_test(a_refused_operation_leaves_nothing_behind),
		cmocka_unit_test(a_number_that_is_not_free_yet_ends_the_push),
		cmocka_unit_test(the_guard_says_who_shares),
		cmocka_unit_test(a_school_answers_what_the_server_owns)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
