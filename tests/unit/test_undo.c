/* Covers client/core/store/batch.c and decide.c: an undo that the county does not take, and whose it is to
 * undo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "batch.h"
#include "core_fixture.h"
#include "decide.h"

#define DELETED_PUPIL 6 /* the item, and the operation: behind three that made and two that delete */

static const uint32_t kinds[] = {KIND_STUDENT, KIND_GUARDIAN, KIND_EVIDENCE, 0};

static struct item *put(struct view *v, const struct record *r, int64_t batch)
{
	struct item *item = NULL;

	assert_int_equal(outbox_put(v, &item, r, UINT32_MAX, batch, NULL), ERR_OK);
	return item;
}

static void answered(struct fixture *f, uint64_t op_no, int outcome)
{
	uint32_t gver[] = {1, 1, 1};
	pb_op_result r = PB_OP_RESULT_INIT;

	r.has_op_no = r.has_outcome = r.has_ver = 1;
	r.op_no = op_no;
	r.outcome = (Jingguan__V1__Outcome)outcome;
	r.ver = 1;
	r.n_gver = 3;
	r.gver = gver;
	assert_int_equal(
		outbox_sent(f->store,
			&(struct push_batch){.incarnation = f->store->incarnation, .first = op_no, .n = 1},
			NULL),
		ERR_OK);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_answer(f->store, &r, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
}

/* An import of a pupil with a guardian and a file, which the county has taken; batch 1. */
static void imported(struct fixture *f)
{
	uint8_t sha[HASH_SIZE] = {7};
	struct record r;
	struct view *v;
	int64_t batch;

	fixture_open(f, "registrar");
	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(batch_begin(f->store, "students", "名册.csv", &batch, NULL), ERR_OK);
	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, "1");
	struct item *pupil = put(v, &r, batch);
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, pupil->id, ID_SIZE);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	record_set_text(&r, F_GUARDIAN_NAME, "母甲");
	put(v, &r, batch);
	record_init(&r, kind_by_number(KIND_EVIDENCE));
	record_set_bytes(&r, F_EVIDENCE_TARGET, pupil->id, ID_SIZE);
	record_set_bytes(&r, F_EVIDENCE_SHA, sha, HASH_SIZE);
	record_set_number(&r, F_EVIDENCE_SIZE, 10);
	record_set_text(&r, F_EVIDENCE_NAME, "证.pdf");
	put(v, &r, batch);
	assert_int_equal(batch_end(f->store, batch, &(struct batch_counts){.inserted = 1}, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	view_free(v);
	for (uint64_t n = 1; n <= 3; n++)
		answered(f, n, JINGGUAN__V1__OUTCOME__APPLIED);
}

static enum err undo(struct fixture *f, struct undo_report *report, struct problem *p)
{
	*p = (struct problem){0};
	return batch_undo(f->store, 1, false, report, p);
}

/* The file and the guardian are deleted; of the pupil the county says this. */
static void undone(struct fixture *f, int outcome)
{
	static struct undo_report report;
	struct problem p;

	assert_int_equal(undo(f, &report, &p), ERR_OK);
	assert_int_equal(report.undone, 3);
	answered(f, 4, JINGGUAN__V1__OUTCOME__APPLIED);
	answered(f, 5, JINGGUAN__V1__OUTCOME__APPLIED);
	answered(f, DELETED_PUPIL, outcome);
}

static enum err take_first(void *data, const struct batch_row *row)
{
	if (row->id == 1)
		*(struct batch_row *)data = *row;
	return ERR_OK;
}

static struct batch_row first_batch(struct fixture *f)
{
	struct batch_row row = {0};

	assert_int_equal(batch_each(f->store, take_first, &row, NULL), ERR_OK);
	return row;
}

/* The pupil with his guardian and his file again. */
static void are_back(struct fixture *f)
{
	struct view *v;
	size_t live = 0;
	const struct item *pupil = NULL;

	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live && v->items[i]->record.kind->number == KIND_STUDENT)
			pupil = v->items[i];
	assert_non_null(pupil);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		live += item->live;
		if (item->live && item != pupil)
			assert_memory_equal(
				item->record.value[item->record.kind->of].data, pupil->id, ID_SIZE);
	}
	assert_int_equal(live, 3);
	view_free(v);
}

static void theirs_brings_the_children_back(void **state)
{
	struct problem p = {0};
	struct fixture f;
	struct conflict x;
	struct arena arena;
	struct view *v;

	(void)state;
	imported(&f);
	undone(&f, JINGGUAN__V1__OUTCOME__CONFLICT);
	arena_init(&arena, 1u << 20);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	assert_int_equal(decide_read_conflict(v, DELETED_PUPIL, &arena, &x, &p), ERR_OK);
	assert_true(x.row.del);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(decide_take_theirs(v, &x, &p), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(x.back, 2);
	view_free(v);
	arena_free(&arena);
	are_back(&f);
	fixture_close(&f);
}

static void a_deletion_put_aside_too(void **state)
{
	struct problem p = {0};
	struct fixture f;
	struct arena arena;
	struct op_row row;

	(void)state;
	imported(&f);
	undone(&f, JINGGUAN__V1__OUTCOME__REJECTED);
	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_read(f.store, DELETED_PUPIL, &arena, &row, NULL), ERR_OK);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(decide_aside(f.store, kinds, &row, &p), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	arena_free(&arena);
	are_back(&f);
	fixture_close(&f);
}

static void what_was_refused_is_undone_again(void **state)
{
	static struct undo_report report;
	struct problem p;
	struct fixture f;
	struct outbox_counts counts;

	(void)state;
	imported(&f);
	undone(&f, JINGGUAN__V1__OUTCOME__REJECTED);
	assert_true(first_batch(&f).refused);
	assert_int_equal(undo(&f, &report, &p), ERR_OK);
	assert_int_equal(report.undone, 1);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_REFUSED], 0);
	assert_int_equal(counts.unsent, 1);
	assert_false(first_batch(&f).refused);
	answered(&f, 7, JINGGUAN__V1__OUTCOME__APPLIED);
	assert_int_equal(undo(&f, &report, &p), ERR_EXISTS);
	fixture_close(&f);
}

static void a_conflict_is_decided_first(void **state)
{
	static struct undo_report report;
	struct problem p;
	struct fixture f;

	(void)state;
	imported(&f);
	undone(&f, JINGGUAN__V1__OUTCOME__CONFLICT);
	assert_true(first_batch(&f).refused);
	assert_int_equal(undo(&f, &report, &p), ERR_NOT_NOW);
	fixture_close(&f);
}

/* A class teacher undoes what is about his own classes, or his own. */
static void whose_it_is(void **state)
{
	static struct undo_report report;
	struct problem p;
	struct fixture f;

	(void)state;
	imported(&f);
	strcpy(f.profile.session.user, "li");
	f.profile.session.roles = 1u << ROLE_CLASS_TEACHER;
	strcpy(f.profile.session.classes[0], "16/2");
	f.profile.session.class_count = 1;
	assert_int_equal(undo(&f, &report, &p), ERR_PERMISSION);
	p = (struct problem){0};
	assert_int_equal(batch_revert(f.store, 1, &report, &p), ERR_PERMISSION);
	strcpy(f.profile.session.classes[0], "16/1");
	assert_int_equal(undo(&f, &report, &p), ERR_OK);
	fixture_close(&f);

	imported(&f);
	f.profile.session.roles = 1u << ROLE_CLASS_TEACHER; /* of no class now; he imported them himself */
	assert_int_equal(undo(&f, &report, &p), ERR_OK);
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(theirs_brings_the_children_back),
		cmocka_unit_test(a_deletion_put_aside_too),
		cmocka_unit_test(what_was_refused_is_undone_again),
		cmocka_unit_test(a_conflict_is_decided_first),
		cmocka_unit_test(whose_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
