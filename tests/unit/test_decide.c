/* Covers client/core/store/decide.c: what a person decides about items that were never sent (a computer found
 * rolled back, or enrolled anew), and what hangs on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "decide.h"

#define DRAFTS 4 /* the pupil, who has a guardian and a file, and then another address */

static const uint32_t kinds[] = {KIND_STUDENT, KIND_GUARDIAN, KIND_EVIDENCE, KIND_SLIP_ADDRESSEE, 0};

static void put(struct view *v, struct item **item, struct record *r)
{
	assert_int_equal(store_begin(v->store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, item, r, UINT32_MAX, 0, NULL), ERR_OK);
	assert_int_equal(store_commit(v->store, NULL), ERR_OK);
}

/* Entered, and then drafts: items 1 … DRAFTS. */
static void four_drafts(struct fixture *f)
{
	pb_welcome welcome = PB_WELCOME_INIT;
	struct item *pupil = NULL, *guardian = NULL, *file = NULL;
	uint8_t sha[HASH_SIZE] = {7};
	struct record r;
	struct view *v;
	size_t drafts;

	fixture_open(f, "registrar");
	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, "1");
	record_set_text(&r, F_STUDENT_GENDER, "1");
	put(v, &pupil, &r);
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, pupil->id, ID_SIZE);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	record_set_text(&r, F_GUARDIAN_NAME, "母甲");
	put(v, &guardian, &r);
	record_init(&r, kind_by_number(KIND_EVIDENCE));
	record_set_bytes(&r, F_EVIDENCE_TARGET, pupil->id, ID_SIZE);
	record_set_bytes(&r, F_EVIDENCE_SHA, sha, HASH_SIZE);
	record_set_number(&r, F_EVIDENCE_SIZE, 10);
	record_set_text(&r, F_EVIDENCE_NAME, "证.pdf");
	put(v, &file, &r);
	r = pupil->record;
	record_set_text(&r, F_STUDENT_LIVE_ADDRESS, "西街");
	put(v, &pupil, &r);
	view_free(v);
	welcome.incarnation = 2;
	welcome.forked = 1;
	assert_int_equal(outbox_welcome(f->store, &welcome, &drafts, NULL), ERR_OK);
	assert_int_equal(drafts, DRAFTS);
}

static enum err decide(struct fixture *f, int64_t n, bool again, struct problem *p)
{
	struct arena arena;
	struct op_row row;
	struct view *v;

	arena_init(&arena, 1u << 20);
	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	assert_int_equal(outbox_read(f->store, n, &arena, &row, NULL), ERR_OK);
	assert_true(decide_needed(&row));
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	enum err e = again ? decide_again(v, &row, &row.body, row.groups, p)
			   : decide_aside(f->store, kinds, &row, p);
	if (e)
		store_rollback(f->store);
	else
		assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	view_free(v);
	arena_free(&arena);
	return e;
}

static void what_hangs_on_a_draft_goes_with_it(void **state)
{
	struct problem p = {0};
	struct fixture f;
	struct view *v;
	char text[64];

	(void)state;
	four_drafts(&f);
	for (int64_t n = 2; n <= DRAFTS; n++) { /* the pupil first, by its number */
		assert_int_equal(decide(&f, n, true, &p), ERR_NOT_NOW);
		assert_non_null(strstr(p.message, "1"));
		assert_non_null(strstr(p.hint, "fix 1"));
	}
	for (int64_t n = 1; n <= DRAFTS; n++)
		assert_int_equal(decide(&f, n, true, &p), ERR_OK);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	assert_int_equal(v->n, 3); /* one pupil: the later change is of the same */
	assert_string_equal(
		record_text(&v->items[0]->record, F_STUDENT_LIVE_ADDRESS, text, sizeof text), "西街");
	assert_memory_equal(v->items[1]->record.value[F_GUARDIAN_STUDENT].data, v->items[0]->id, ID_SIZE);
	assert_memory_equal(v->items[2]->record.value[F_EVIDENCE_TARGET].data, v->items[0]->id, ID_SIZE);
	view_free(v);
	fixture_close(&f);
}

/* The computer is rolled back again before anything was sent. */
static void made_anew_twice(void **state)
{
	pb_welcome welcome = PB_WELCOME_INIT;
	struct problem p = {0};
	struct fixture f;
	struct view *v;
	size_t drafts;

	(void)state;
	four_drafts(&f);
	assert_int_equal(decide(&f, 1, true, &p), ERR_OK);
	welcome.incarnation = 3;
	welcome.forked = 1;
	assert_int_equal(outbox_welcome(f.store, &welcome, &drafts, NULL), ERR_OK);
	assert_int_equal(drafts, 1);
	assert_int_equal(decide(&f, DRAFTS + 1, true, &p), ERR_OK);
	assert_int_equal(decide(&f, 2, true, &p), ERR_OK);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	assert_int_equal(v->n, 2);
	assert_memory_equal(v->items[1]->record.value[F_GUARDIAN_STUDENT].data, v->items[0]->id, ID_SIZE);
	view_free(v);
	fixture_close(&f);
}

static void withdrawn_with_all_that_hangs_on_it(void **state)
{
	struct outbox_counts counts;
	struct problem p = {0};
	struct fixture f;

	(void)state;
	four_drafts(&f);
	assert_int_equal(decide(&f, 1, false, &p), ERR_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_DONE], DRAFTS);
	fixture_close(&f);
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

/* Its pupil was refused and made anew, it was to move there, and then the new one is put aside: the guardian
 * that the county has would hang on an id that is nobody's (I9). */
static void what_was_only_to_move_goes_too(void **state)
{
	struct item *pupil = NULL, *guardian = NULL;
	pb_welcome welcome = PB_WELCOME_INIT;
	struct problem p = {0};
	struct fixture f;
	struct record r;
	struct arena arena;
	struct op_row last;
	struct view *v;
	size_t drafts;

	(void)state;
	fixture_open(&f, "registrar");
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, "1");
	put(v, &pupil, &r);
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, pupil->id, ID_SIZE);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	put(v, &guardian, &r);
	answered(&f, 1, JINGGUAN__V1__OUTCOME__REJECTED);
	answered(&f, 2, JINGGUAN__V1__OUTCOME__APPLIED);
	/* item 3: the pupil anew; 4: the guardian's move */
	assert_int_equal(decide(&f, 1, true, &p), ERR_OK);
	welcome.incarnation = 2;
	welcome.forked = 1;
	assert_int_equal(outbox_welcome(f.store, &welcome, &drafts, NULL), ERR_OK);
	assert_int_equal(drafts, 2);
	assert_int_equal(decide(&f, 3, false, &p), ERR_OK);
	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_read(f.store, 4, &arena, &last, NULL), ERR_OK);
	assert_int_equal(last.state, OP_DONE);
	assert_int_equal(outbox_read(f.store, 5, &arena, &last, NULL), ERR_OK);
	assert_true(last.del);
	assert_int_equal(last.state, OP_WAITING);
	assert_memory_equal(last.id, guardian->id, ID_SIZE);
	arena_free(&arena);
	view_free(v);
	fixture_close(&f);
}

/* The server has taken the slip back, and the half of it is still to follow: an answer to it that was refused
 * is put aside, and the half is the server's to delete. */
static void what_the_server_sent_is_not_deleted(void **state)
{
	static const uint8_t half[ID_SIZE] = {1}, slip[ID_SIZE] = {2};
	struct staging_end end = {.cursor = 7, .epoch = 1, .whole = true};
	struct problem p = {0};
	struct fixture f;
	struct record r;
	struct view *v;
	bool agreed;

	(void)state;
	fixture_open(&f, "registrar");
	record_init(&r, kind_by_number(KIND_SLIP_ADDRESSEE));
	record_set_bytes(&r, F_SLIP_ADDRESSEE_SLIP, slip, ID_SIZE);
	record_set_text(&r, F_SLIP_ADDRESSEE_SCHOOL, FIXTURE_SCHOOL);
	fixture_stage(f.store, half, JINGGUAN__V1__ACTION__PUT, &r, &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	struct item *item = view_find_id(v, half);
	record_set_text(&r, F_SLIP_ADDRESSEE_NOTE, "已返校");
	put(v, &item, &r);
	view_free(v);
	answered(&f, 1, JINGGUAN__V1__OUTCOME__REJECTED);
	assert_int_equal(decide(&f, 1, false, &p), ERR_OK);
	assert_int_equal(f.store->made, 1);
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hangs_on_a_draft_goes_with_it),
		cmocka_unit_test(made_anew_twice),
		cmocka_unit_test(withdrawn_with_all_that_hangs_on_it),
		cmocka_unit_test(what_was_only_to_move_goes_too),
		cmocka_unit_test(what_the_server_sent_is_not_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
