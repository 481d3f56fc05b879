/* Covers common/sync_merge.c: two editors on every kind, every pair of edit and delete; nothing typed is lost in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record_random.h"
#include "sync_merge.h"
#include "tables.h"

#define ROUNDS 400

/* What one editor holds: the record as he last saw it, and one operation that he made from it. */
struct editor {
	struct merge_state seen;
	struct merge_op op;
};

static struct merge_state sample(const struct kind *kind, uint64_t *seed, struct arena *arena)
{
	struct merge_state s = {.exists = true, .ver = 1 + random_below(seed, 5)};

	record_init(&s.record, kind);
	random_fill(&s.record, UINT32_MAX, seed, arena);
	for (unsigned g = 0; g < kind->group_count; g++)
		s.gver[g] = random_below(seed, 4);
	return s;
}

static void make_edit(struct editor *e, uint64_t *seed, struct arena *arena)
{
	const struct kind *kind = e->seen.record.kind;

	memset(&e->op, 0, sizeof e->op);
	e->op.groups = 1u << random_below(seed, kind->group_count) | 1u << random_below(seed, kind->group_count);
	record_init(&e->op.body, kind);
	record_take_groups(&e->op.body, &e->seen.record, e->op.groups);
	random_fill(&e->op.body, e->op.groups, seed, arena);
	memcpy(e->op.seen, e->seen.gver, sizeof e->op.seen);
}

static void make_delete(struct editor *e)
{
	memset(&e->op, 0, sizeof e->op);
	e->op.del = true;
	record_init(&e->op.body, e->seen.record.kind);
	memcpy(e->op.seen, e->seen.gver, sizeof e->op.seen);
}

static bool same_state(const struct merge_state *a, const struct merge_state *b)
{
	return a->exists == b->exists && a->deleted == b->deleted && a->ver == b->ver && memcmp(a->gver, b->gver, sizeof a->gver) == 0 &&
		(!a->exists || record_same(&a->record, &b->record));
}

/* One operation against the record: the result says truly what happened to every value typed. */
static struct merge_result run(struct merge_state *now, const struct merge_op *op)
{
	struct merge_state before = *now;
	struct merge_result r = sync_merge(now, op);

	if (r.outcome == MERGE_CONFLICTED || r.outcome == MERGE_REJECTED) {
		assert_int_not_equal(r.code, ERR_OK); /* told, never silent */
		assert_true(same_state(&before, now));
		if (r.group && !op->del)
			assert_true(op->groups >> (r.group - 1) & 1);
		return r;
	}
	assert_true(r.outcome == MERGE_APPLIED || r.outcome == MERGE_MERGED);
	assert_int_equal(now->ver, before.ver + (r.changed != 0));
	if (op->del) {
		assert_true(now->deleted);
		return r;
	}
	assert_false(now->deleted);
	for (unsigned g = 1; g <= now->record.kind->group_count; g++) {
		bool carried = op->groups >> (g - 1) & 1, changed = r.changed >> (g - 1) & 1;
		if (carried) /* every typed value is current */
			assert_true(record_same_group(&now->record, &op->body, g));
		else /* and nothing else moved */
			assert_true(!before.exists || record_same_group(&now->record, &before.record, g));
		assert_true(carried || !changed);
		assert_int_equal(now->gver[g - 1], before.gver[g - 1] + changed);
	}
	return r;
}

static const struct kind *random_kind(uint64_t *seed, size_t round)
{
	(void)seed;
	return &kind_table[round % kind_count];
}

/* After the first operation landed, the second is exactly one of: current, in conflict, rejected; and in conflict only
 * about a group that the first one changed. */
static void pair(bool first_deletes, bool second_deletes, uint64_t seed)
{
	size_t applied = 0, refused = 0;

	for (size_t round = 0; round < ROUNDS * kind_count; round++) {
		struct arena arena;
		struct editor a, b;
		arena_init(&arena, 1 << 20);
		const struct kind *kind = random_kind(&seed, round);
		struct merge_state now = sample(kind, &seed, &arena);
		a.seen = b.seen = now;
		first_deletes ? make_delete(&a) : make_edit(&a, &seed, &arena);
		second_deletes ? make_delete(&b) : make_edit(&b, &seed, &arena);
		if (!first_deletes && !second_deletes && random_below(&seed, 8) == 0)
			b.op = a.op; /* both typed the same */
		struct merge_result one = run(&now, &a.op);
		if (kind->append_only) {
			assert_true(one.outcome == MERGE_REJECTED || one.changed == 0 || (first_deletes && !kind->permanent));
			arena_free(&arena);
			continue;
		}
		assert_int_equal(one.outcome, MERGE_APPLIED); /* the first editor saw what was there */
		struct merge_result two = run(&now, &b.op);
		if (first_deletes && second_deletes)
			assert_int_equal(two.outcome, MERGE_APPLIED);
		else if (first_deletes)
			assert_int_equal(two.code, ERR_NOT_FOUND);
		else if (second_deletes)
			assert_int_equal(two.outcome, one.changed ? MERGE_CONFLICTED : MERGE_APPLIED);
		else if (two.outcome == MERGE_CONFLICTED || two.outcome == MERGE_REJECTED)
			assert_true(one.changed >> (two.group - 1) & 1 && !record_same_group(&a.op.body, &b.op.body, two.group));
		else
			for (unsigned g = 1; g <= kind->group_count; g++)
				if (one.changed >> (g - 1) & 1) /* the first one's values were not run over */
					assert_true(record_same_group(&now.record, &a.op.body, g));
		applied += two.outcome == MERGE_APPLIED || two.outcome == MERGE_MERGED;
		refused += two.outcome == MERGE_CONFLICTED || two.outcome == MERGE_REJECTED;
		arena_free(&arena);
	}
	/* The campaign met both sides where there are two. */
	assert_true(applied > 50 || (first_deletes && !second_deletes));
	assert_true(refused > 50 || (first_deletes && second_deletes));
}

static void edit_edit(void **state)
{
	(void)state;
	pair(false, false, 11);
}

static void edit_delete(void **state)
{
	(void)state;
	pair(false, true, 12);
}

static void delete_edit(void **state)
{
	(void)state;
	pair(true, false, 13);
}

static void delete_delete(void **state)
{
	(void)state;
	pair(true, true, 14);
}

/* The same operation twice (an answer was lost) changes nothing the second time. */
static void twice_is_once(void **state)
{
	uint64_t seed = 15;

	(void)state;
	for (size_t round = 0; round < ROUNDS * kind_count; round++) {
		struct arena arena;
		struct editor a;
		arena_init(&arena, 1 << 20);
		struct merge_state now = sample(random_kind(&seed, round), &seed, &arena), after;
		a.seen = now;
		if (round & 1)
			now = (struct merge_state){0};
		make_edit(&a, &seed, &arena);
		run(&now, &a.op);
		after = now;
		struct merge_result again = run(&now, &a.op);
		assert_int_equal(again.changed, 0);
		assert_true(same_state(&now, &after));
		arena_free(&arena);
	}
}

/* Two editors of different groups end at the same record whoever is first. */
static void different_groups_commute(void **state)
{
	uint64_t seed = 16;

	(void)state;
	for (size_t round = 0; round < ROUNDS * kind_count; round++) {
		struct arena arena;
		struct editor a, b;
		arena_init(&arena, 1 << 20);
		struct merge_state left = sample(random_kind(&seed, round), &seed, &arena), right = left;
		a.seen = b.seen = left;
		make_edit(&a, &seed, &arena);
		make_edit(&b, &seed, &arena);
		if ((a.op.groups & b.op.groups) == 0) {
			run(&left, &a.op);
			run(&left, &b.op);
			run(&right, &b.op);
			run(&right, &a.op);
			assert_true(same_state(&left, &right));
		}
		arena_free(&arena);
	}
}

static void a_new_record(void **state)
{
	struct merge_state now = {0};
	struct merge_op op = {.groups = 3};

	(void)state;
	record_init(&op.body, kind_by_number(KIND_STUDENT));
	record_set_text(&op.body, F_STUDENT_NAME, "a");
	struct merge_result r = sync_merge(&now, &op);
	assert_int_equal(r.outcome, MERGE_APPLIED);
	assert_int_equal(r.changed, 3);
	assert_int_equal(now.ver, 1);
	assert_int_equal(now.gver[0], 1);
	assert_int_equal(now.gver[1], 1);
	assert_int_equal(now.gver[2], 0);
	struct merge_state nothing = {0};
	op.del = true;
	assert_int_equal(sync_merge(&nothing, &op).code, ERR_NOT_FOUND);
	assert_false(nothing.exists);
}

/* What was reported formally stays: no edit, no delete, and an echo is no change. */
static void append_only(void **state)
{
	const struct kind *filing = kind_by_number(KIND_FILING);
	struct merge_state now = {.exists = true, .ver = 1, .gver = {1}};
	struct merge_op op = {.groups = 1, .seen = {1}};

	(void)state;
	record_init(&now.record, filing);
	record_set_number(&now.record, F_FILING_YEAR, 2026);
	op.body = now.record;
	assert_int_equal(sync_merge(&now, &op).changed, 0);
	record_set_number(&op.body, F_FILING_YEAR, 2027);
	assert_int_equal(sync_merge(&now, &op).outcome, MERGE_REJECTED);
	struct merge_op del = {.del = true, .seen = {1}};
	assert_int_equal(sync_merge(&now, &del).outcome, MERGE_REJECTED);
	assert_false(now.deleted);
}

/* What a newer program wrote survives the edit of an older one, and is replaced by a newer one's. */
static void unknown_fields_stay(void **state)
{
	static const uint8_t newer[] = {0xF8, 0x07, 0x01}, newest[] = {0xF8, 0x07, 0x02};
	struct merge_state now = {.exists = true, .ver = 1, .gver = {1}};
	struct merge_op op = {.groups = 1, .seen = {1}};

	(void)state;
	record_init(&now.record, kind_by_number(KIND_STUDENT));
	record_set_text(&now.record, F_STUDENT_NAME, "a");
	now.record.ext = newer;
	now.record.ext_len = sizeof newer;
	record_init(&op.body, kind_by_number(KIND_STUDENT));
	record_set_text(&op.body, F_STUDENT_NAME, "b");
	assert_int_equal(sync_merge(&now, &op).outcome, MERGE_APPLIED);
	assert_int_equal(now.record.ext_len, sizeof newer);
	assert_memory_equal(now.record.ext, newer, sizeof newer);
	record_set_text(&op.body, F_STUDENT_NAME, "c");
	op.seen[0] = 2;
	op.body.ext = newest;
	op.body.ext_len = sizeof newest;
	assert_int_equal(sync_merge(&now, &op).outcome, MERGE_APPLIED);
	assert_int_equal(now.record.ext_len, sizeof newest);
	assert_memory_equal(now.record.ext, newest, sizeof newest);
}

static void overlay(void **state)
{
	struct merge_state now = {0};
	struct merge_op op = {.groups = 1};

	(void)state;
	record_init(&op.body, kind_by_number(KIND_STUDENT));
	record_set_text(&op.body, F_STUDENT_NAME, "mine");
	sync_overlay(&now, &op);
	assert_true(now.exists && record_is(&now.record, F_STUDENT_NAME, "mine"));
	now.gver[0] = 9; /* stale, and still shown: it is not judged here */
	record_set_text(&op.body, F_STUDENT_NAME, "later");
	sync_overlay(&now, &op);
	assert_true(record_is(&now.record, F_STUDENT_NAME, "later"));
	op.del = true;
	sync_overlay(&now, &op);
	assert_true(now.deleted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(edit_edit), cmocka_unit_test(edit_delete), cmocka_unit_test(delete_edit), cmocka_unit_test(delete_delete),
		cmocka_unit_test(twice_is_once), cmocka_unit_test(different_groups_commute), cmocka_unit_test(a_new_record), cmocka_unit_test(append_only),
		cmocka_unit_test(unknown_fields_stay), cmocka_unit_test(overlay)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
