/* Covers common/sync_merge.c: two editors on every kind, every pair of edit and delete; nothing typed is lost
 * in silence. */
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

#define ROUNDS 600

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
	e->op.groups =
		1u << random_below(seed, kind->group_count) | 1u << random_below(seed, kind->group_count);
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
	return a->exists == b->exists && a->deleted == b->deleted && a->ver == b->ver &&
		memcmp(a->gver, b->gver, sizeof a->gver) == 0 &&
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

/* After the first operation landed, the second is exactly one of: current, in conflict, rejected; and in
 * conflict only about a group that the first one changed. */
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
			assert_true(one.outcome == MERGE_REJECTED || one.changed == 0 ||
				(first_deletes && !kind->permanent));
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
			assert_true(one.changed >> (two.group - 1) & 1 &&
				!record_same_group(&a.op.body, &b.op.body, two.group));
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
	static const uint8_t newer[] = {0xF8, 0x07, 0x01}, newest[] = {0xF8, 0x07, 0x02, 0x80, 0x08, 0x01};
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

static void an_own_operation_lies_over_the_record(void **state)
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

/* ---- every case of one group, and of two ---- */

enum seen { LOWER, EQUAL, HIGHER, SEENS }; /* higher: of a history that a restore has taken back */
enum standing { ABSENT, ALIVE, GONE, STANDINGS };

/* What becomes of a group that an edit carries: the rule, once more and in another shape. */
static struct merge_result ruled(const struct kind *kind, unsigned group, enum seen seen, bool same)
{
	static const struct merge_result rule[SEENS][2] = {
		[LOWER] = {{MERGE_CONFLICTED, ERR_CONFLICT, 0, 0}, {MERGE_MERGED, ERR_OK, 0, 0}},
		[EQUAL] = {{MERGE_APPLIED, ERR_OK, 0, 1}, {MERGE_APPLIED, ERR_OK, 0, 0}},
		[HIGHER] = {{MERGE_CONFLICTED, ERR_CONFLICT, 0, 0}, {MERGE_MERGED, ERR_OK, 0, 0}},
	};
	struct merge_result r = rule[seen][same];

	for (size_t i = 0; r.outcome == MERGE_CONFLICTED && i < kind->field_count; i++)
		if (kind->fields[i].group == group && kind->fields[i].merge == MERGE_GUARDED)
			r = (struct merge_result){MERGE_REJECTED, ERR_STALE, 0, 0};
	r.group = r.code ? group : 0;
	r.changed = r.changed ? 1u << (group - 1) : 0;
	return r;
}

static void expect_result(struct merge_result got, struct merge_result wanted)
{
	assert_int_equal(got.outcome, wanted.outcome);
	assert_int_equal(got.code, wanted.code);
	assert_int_equal(got.group, wanted.group);
	assert_int_equal(got.changed, wanted.changed);
}

/* A record of 5 in each group, seen as `seen` says, and a body whose group has the same values or one
 * other. */
static void carry(struct merge_op *op, const struct merge_state *now, unsigned group, enum seen seen,
	bool same, struct arena *arena)
{
	uint64_t seed = group;

	op->groups |= 1u << (group - 1);
	op->seen[group - 1] = now->gver[group - 1] + (uint32_t)seen - EQUAL;
	record_take_groups(&op->body, &now->record, 1u << (group - 1));
	while (!same && record_same_group(&now->record, &op->body, group))
		random_fill(&op->body, 1u << (group - 1), &seed, arena);
}

static void one_edit(const struct kind *kind, enum standing standing, unsigned group, unsigned second,
	enum seen seen, bool same)
{
	struct merge_state now = {0};
	struct merge_op op = {0};
	struct arena arena;
	uint64_t seed = 17;

	arena_init(&arena, 1 << 20);
	now.exists = standing != ABSENT;
	now.deleted = standing == GONE;
	now.ver = 9;
	record_init(&now.record, kind);
	record_init(&op.body, kind);
	random_fill(&now.record, UINT32_MAX, &seed, &arena);
	for (unsigned g = 0; g < kind->group_count; g++)
		now.gver[g] = 5;
	carry(&op, &now, group, seen, same, &arena);
	if (second) /* seen as it is, and other: changed when the first one is not refused */
		carry(&op, &now, second, EQUAL, false, &arena);
	struct merge_result wanted = ruled(kind, group, seen, same);
	if (second && !wanted.code)
		wanted.changed |= 1u << (second - 1);
	if (wanted.changed && kind->append_only)
		wanted = (struct merge_result){MERGE_REJECTED, ERR_NOT_NOW, 0, 0};
	if (standing == ABSENT)
		wanted = (struct merge_result){MERGE_APPLIED, ERR_OK, 0, op.groups};
	if (standing == GONE)
		wanted = (struct merge_result){MERGE_REJECTED, ERR_NOT_FOUND, 0, 0};
	if (standing == ABSENT)
		now = (struct merge_state){0};
	expect_result(run(&now, &op), wanted);
	arena_free(&arena);
}

static void every_edit(void **state)
{
	size_t cases = 0;

	(void)state;
	for (size_t k = 0; k < kind_count; k++)
		for (unsigned g = 1; g <= kind_table[k].group_count; g++)
			for (unsigned second = 0; second <= kind_table[k].group_count; second++)
				for (int standing = 0; standing < STANDINGS; standing++)
					for (int seen = 0; seen < SEENS && second != g; seen++)
						for (int same = 0; same < 2; same++, cases++)
							one_edit(&kind_table[k], (enum standing)standing, g,
								second, (enum seen)seen, same);
	assert_true(cases > 500);
}

/* Each group in turn is not as the one who deletes saw it. */
static void every_deletion(void **state)
{
	(void)state;
	for (size_t k = 0; k < kind_count; k++)
		for (unsigned g = 1; g <= kind_table[k].group_count; g++)
			for (int standing = 0; standing < STANDINGS; standing++)
				for (int seen = 0; seen < SEENS; seen++) {
					const struct kind *kind = &kind_table[k];
					struct merge_state now = {.exists = standing != ABSENT,
						.deleted = standing == GONE,
						.ver = 9};
					struct merge_op op = {.del = true};
					struct merge_result wanted = {MERGE_APPLIED, ERR_OK, 0, UINT32_MAX};
					record_init(&now.record, kind);
					record_init(&op.body, kind);
					for (unsigned i = 0; i < kind->group_count; i++)
						now.gver[i] = op.seen[i] = 5;
					op.seen[g - 1] += (uint32_t)seen - EQUAL;
					if (standing == GONE)
						wanted.changed = 0;
					else if (standing == ABSENT)
						wanted = (struct merge_result){
							MERGE_REJECTED, ERR_NOT_FOUND, 0, 0};
					else if (kind->permanent)
						wanted = (struct merge_result){
							MERGE_REJECTED, ERR_NOT_NOW, 0, 0};
					else if (seen != EQUAL)
						wanted = (struct merge_result){
							MERGE_CONFLICTED, ERR_CONFLICT, g, 0};
					expect_result(sync_merge(&now, &op), wanted);
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(edit_edit), cmocka_unit_test(edit_delete),
		cmocka_unit_test(delete_edit), cmocka_unit_test(delete_delete),
		cmocka_unit_test(twice_is_once), cmocka_unit_test(different_groups_commute),
		cmocka_unit_test(a_new_record), cmocka_unit_test(append_only),
		cmocka_unit_test(unknown_fields_stay),
		cmocka_unit_test(an_own_operation_lies_over_the_record), cmocka_unit_test(every_edit),
		cmocka_unit_test(every_deletion)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
