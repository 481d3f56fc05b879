/* outbox_bench.h - a pupil entered twice, answers and batches, for tests/unit/test_outbox*.c. Header only. */
#ifndef JG_OUTBOX_BENCH_H
#define JG_OUTBOX_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "outbox.h"

enum { BATCH_OF_AN_IMPORT = 7 };
static const uint32_t kinds[] = {KIND_STUDENT, KIND_GUARDIAN, 0};

static inline struct record student(const char *class_no)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(&r, F_STUDENT_GRADE, "16");
	record_set_text(&r, F_STUDENT_CLASS_NO, class_no);
	return r;
}

static inline struct view *load(struct store *s)
{
	struct view *v;

	assert_int_equal(view_load(&v, s, kinds, NULL), ERR_OK);
	return v;
}

/* A pupil is entered and goes to another class: operations 1 and 2. */
static inline void enter_twice(struct fixture *f, uint8_t id[ID_SIZE])
{
	struct record first = student("1"), moved = student("2");
	struct view *v = load(f->store);
	struct item *item = NULL;

	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &first, UINT32_MAX, 0, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &moved, UINT32_MAX, BATCH_OF_AN_IMPORT, NULL), ERR_OK);
	assert_true(item->pending);
	assert_int_equal(item->batch, BATCH_OF_AN_IMPORT);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	memcpy(id, item->id, ID_SIZE);
	view_free(v);
}

static inline enum err sent(struct store *s, uint64_t op_no)
{
	return outbox_sent(
		s, &(struct push_batch){.incarnation = s->incarnation, .first = op_no, .n = 1}, NULL);
}

static inline enum err answered(struct store *s, uint64_t op_no, Jingguan__V1__Outcome outcome)
{
	pb_op_result r = PB_OP_RESULT_INIT;

	r.op_no = op_no;
	r.outcome = outcome;
	enum err e = sent(s, op_no);
	if (!e)
		e = store_begin(s, NULL);
	if (!e)
		e = outbox_answer(s, &r, NULL);
	return e ? e : store_commit(s, NULL);
}

static inline struct push_batch waiting(struct fixture *f, struct arena *arena)
{
	struct push_batch batch;

	memset(&batch, 'x', sizeof batch); /* of an earlier push */
	assert_int_equal(outbox_batch(f->store, &batch, arena, NULL), ERR_OK);
	return batch;
}

#endif
