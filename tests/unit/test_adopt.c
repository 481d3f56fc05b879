/* Covers client/core/store/outbox_push.c "Duplicates": what becomes of a record that the server has under
 * another id, and of what hangs on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "outbox.h"

static const uint32_t kinds[] = {KIND_STUDENT, KIND_GUARDIAN, KIND_EVIDENCE, 0};
static const uint8_t pupil[ID_SIZE] = {1}, theirs[ID_SIZE] = {3}, moved[ID_SIZE] = {4};

static struct record student(const char *address)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(&r, F_STUDENT_LIVE_ADDRESS, address);
	return r;
}

static struct record guardian(const uint8_t *of, const char *name)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, of, ID_SIZE);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	record_set_text(&r, F_GUARDIAN_NAME, name);
	return r;
}

static void base(struct fixture *f, size_t n, const uint8_t *const id[], const struct record record[])
{
	struct staging_end end = {.cursor = 7, .epoch = 1, .whole = true};
	bool agreed;

	for (size_t i = 0; i < n; i++)
		fixture_stage(f->store, id[i], JINGGUAN__V1__ACTION__PUT, &record[i], &end);
	assert_int_equal(staging_commit(f->store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_true(agreed);
}

/* Enters it, new or over what has the id; returns the id. */
static void enter(struct fixture *f, const struct record *r, uint8_t id[ID_SIZE], bool anew)
{
	struct view *v;
	struct problem p = {0};

	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	struct item *item = anew ? NULL : view_find_id(v, id);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, r, UINT32_MAX, 0, &p), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	memcpy(id, item->id, ID_SIZE);
	view_free(v);
}

/* there: the record that it is a duplicate of; NULL: of none. */
static void refused_as(struct fixture *f, uint64_t op_no, const uint8_t there[ID_SIZE])
{
	pb_op_result r = PB_OP_RESULT_INIT;

	r.has_op_no = r.has_outcome = r.has_code = 1;
	r.op_no = op_no;
	r.outcome = JINGGUAN__V1__OUTCOME__REJECTED;
	r.code = there ? ERR_DUPLICATE : ERR_INVALID;
	r.has_duplicate_of = there != NULL;
	r.duplicate_of = (ProtobufCBinaryData){there ? ID_SIZE : 0, (uint8_t *)there};
	assert_int_equal(
		outbox_sent(f->store,
			&(struct push_batch){.incarnation = f->store->incarnation, .first = op_no, .n = 1},
			NULL),
		ERR_OK);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_answer(f->store, &r, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
}

static void refuse_rows(struct fixture *f)
{
	assert_int_equal(sqlite3_exec(f->store->db,
				 "CREATE TEMP TRIGGER no_row BEFORE INSERT ON outbox BEGIN SELECT "
				 "RAISE(ABORT, 'full'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
}

static struct resolved resolve(struct fixture *f)
{
	struct resolved told;

	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_resolve_duplicates(f->store, &told, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	return told;
}

static bool shown(struct fixture *f, const uint8_t *id, struct record *out, char text[64], int field)
{
	struct view *v;

	assert_int_equal(view_load(&v, f->store, kinds, NULL), ERR_OK);
	const struct item *item = view_find_id(v, id);
	bool live = item && item->live;
	if (live) {
		*out = item->record;
		if (field >= 0)
			record_text(&item->record, field, text, 64);
		else
			memcpy(text, item->record.value[F_GUARDIAN_STUDENT].data, ID_SIZE);
	}
	view_free(v);
	return live;
}

static void the_word_and_the_guardian_go_to_who_exists(void **state)
{
	struct record there = student(""), mine = student("西街"), r;
	uint8_t id[ID_SIZE], mother[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	struct record g = guardian(id, "母甲");
	enter(&f, &g, mother, true);
	base(&f, 1, (const uint8_t *[]){pupil}, &there);
	refused_as(&f, 1, pupil);
	struct resolved told = resolve(&f);
	assert_int_equal(told.settled, 1);
	assert_int_equal(told.queued, 2);
	assert_int_equal(told.conflicts, 0);
	assert_true(shown(&f, pupil, &r, text, F_STUDENT_LIVE_ADDRESS));
	assert_string_equal(text, "西街");
	assert_false(shown(&f, id, &r, text, F_STUDENT_NAME));
	assert_true(shown(&f, mother, &r, text, -1));
	assert_memory_equal(text, pupil, ID_SIZE);
	told = resolve(&f); /* once */
	assert_int_equal(told.queued, 0);
	fixture_close(&f);
}

/* Where two computers say different things of one pupil, nobody's word is replaced unasked. */
static void two_words_are_for_a_person(void **state)
{
	struct record there = student("东街"), mine = student("西街"), r;
	uint8_t id[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	base(&f, 1, (const uint8_t *[]){pupil}, &there);
	refused_as(&f, 1, pupil);
	struct resolved told = resolve(&f);
	assert_int_equal(told.conflicts, 1);
	assert_int_equal(told.queued, 0);
	assert_true(shown(&f, pupil, &r, text, F_STUDENT_LIVE_ADDRESS));
	assert_string_equal(text, "东街");
	fixture_close(&f);
}

/* A colleague has entered the same guardian where this one was to move. It hangs on a pupil who does not
 * exist, and goes; but not while a person has still to say who that pupil is. */
static void a_guardian_who_cannot_move_does_not_hang_on_nobody(void **state)
{
	(void)state;
	for (int waits = 0; waits < 2; waits++) {
		struct record stranger = student("北街"), want = guardian(pupil, "母甲"), r;
		uint8_t nobody[ID_SIZE] = {2}, id[ID_SIZE] = {4};
		char text[64];
		struct fixture f;

		fixture_open(&f, "registrar");
		record_set_text(&stranger, F_STUDENT_CERT_NO, "329999201403150025");
		if (waits) {
			enter(&f, &stranger, nobody, true);
			refused_as(&f, 1, NULL);
		}
		struct record records[] = {
			student("东街"), guardian(pupil, "母甲"), guardian(nobody, "母甲")};
		base(&f, 3, (const uint8_t *[]){pupil, theirs, moved}, records);
		enter(&f, &want, id, false);
		refused_as(&f, waits ? 2 : 1, theirs);
		if (!waits) {
			struct resolved told;
			assert_int_equal(store_begin(f.store, NULL), ERR_OK);
			refuse_rows(&f);
			assert_int_equal(outbox_resolve_duplicates(f.store, &told, NULL), ERR_STORE);
			store_rollback(f.store);
			sqlite3_exec(f.store->db, "DROP TRIGGER IF EXISTS no_row", NULL, NULL, NULL);
		}
		assert_int_equal(resolve(&f).settled, 1);
		assert_int_equal(shown(&f, moved, &r, text, F_GUARDIAN_NAME), waits);
		assert_true(shown(&f, theirs, &r, text, F_GUARDIAN_NAME));
		fixture_close(&f);
	}
}

/* The county had the pupil and lost him with the tail of its database; sent again he is refused, and put
 * aside. Behind that comes a guardian whom a colleague had entered meanwhile. */
static void a_guardian_behind_what_was_put_aside_does_not_hang_on_nobody(void **state)
{
	struct record mine = student("西街"), g, r;
	uint8_t id[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	refused_as(&f, 1, NULL);
	g = guardian(id, "母甲");
	base(&f, 1, (const uint8_t *[]){moved}, &g);
	assert_int_equal(resolve(&f).queued, 0); /* while a person has still to decide */
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 1, OP_DONE, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	struct resolved told;
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	refuse_rows(&f);
	assert_int_equal(outbox_resolve_duplicates(f.store, &told, NULL), ERR_STORE);
	store_rollback(f.store);
	sqlite3_exec(f.store->db, "DROP TRIGGER IF EXISTS no_row", NULL, NULL, NULL);
	assert_int_equal(resolve(&f).queued, 1);
	assert_false(shown(&f, moved, &r, text, F_GUARDIAN_NAME));
	fixture_close(&f);
}

/* Made anew, and refused again: a guardian that comes late follows to the end, and waits while that waits. */
static void a_late_guardian_follows_to_the_end(void **state)
{
	struct record mine = student("西街"), g, r, of[2];
	uint8_t first[ID_SIZE], second[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, first, true);
	refused_as(&f, 1, NULL);
	enter(&f, &mine, second, true);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_replaced(f.store, 1, second, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 1, OP_DONE, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	refused_as(&f, 2, pupil);
	g = guardian(first, "母甲");
	of[0] = mine;
	of[1] = g;
	base(&f, 2, (const uint8_t *[]){pupil, moved}, of);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 2, OP_CONFLICT, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(resolve(&f).queued, 0); /* the second waits for a person */
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 2, OP_DONE, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(resolve(&f).queued, 1);
	assert_true(shown(&f, moved, &r, text, -1));
	assert_memory_equal(text, pupil, ID_SIZE);
	fixture_close(&f);
}

/* Whoever is a guardian of the one who exists stays that; who is one already is not another. */
static void a_guardian_takes_the_next_number(void **state)
{
	static const struct {
		const char *there[2];
		int64_t ordinal; /* of the mother; 0: she is there already */
	} cases[] = {{{"父甲", NULL}, 2}, {{"父甲", "祖父"}, 3}, {{"父甲", "母甲"}, 0}, {{"母甲", NULL}, 0}};
	static const uint8_t another[ID_SIZE] = {5};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record mine = student(""), records[3] = {student("")}, mother, r;
		uint8_t id[ID_SIZE], of_mother[ID_SIZE];
		char text[64];
		struct fixture f;

		fixture_open(&f, "registrar");
		enter(&f, &mine, id, true);
		mother = guardian(id, "母甲");
		enter(&f, &mother, of_mother, true);
		for (int k = 0; k < 2; k++) {
			records[k + 1] = guardian(pupil, cases[i].there[k] ? cases[i].there[k] : "");
			record_set_number(&records[k + 1], F_GUARDIAN_ORDINAL, k + 1);
		}
		base(&f, cases[i].there[1] ? 3 : 2, (const uint8_t *[]){pupil, theirs, another}, records);
		refused_as(&f, 1, pupil);
		assert_int_equal(resolve(&f).queued, 1);
		assert_int_equal(shown(&f, of_mother, &r, text, -1), cases[i].ordinal != 0);
		if (cases[i].ordinal) {
			assert_memory_equal(text, pupil, ID_SIZE);
			assert_int_equal(record_number(&r, F_GUARDIAN_ORDINAL), cases[i].ordinal);
		}
		assert_true(shown(&f, theirs, &r, text, F_GUARDIAN_NAME));
		assert_string_equal(text, cases[i].there[0]);
		assert_int_equal(record_number(&r, F_GUARDIAN_ORDINAL), 1);
		fixture_close(&f);
	}
}

/* A file cannot be changed: it is attached to the one who exists, and goes where it was; both or neither. */
static void a_file_is_attached_anew(void **state)
{
	static const uint8_t sha[32] = {7};
	static const char *const refusals[] = {"NEW.action = 2", "NEW.action = 1", "0"};

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct record mine = student(""), there = student(""), file;
		uint8_t id[ID_SIZE], of_file[ID_SIZE];
		char sql[160], text[64];
		struct resolved told;
		struct record r;
		struct fixture f;
		size_t files = 0;

		fixture_open(&f, "registrar");
		enter(&f, &mine, id, true);
		record_init(&file, kind_by_number(KIND_EVIDENCE));
		record_set_bytes(&file, F_EVIDENCE_TARGET, id, ID_SIZE);
		record_set_bytes(&file, F_EVIDENCE_SHA, sha, sizeof sha);
		record_set_number(&file, F_EVIDENCE_SIZE, 9);
		record_set_text(&file, F_EVIDENCE_NAME, "a.pdf");
		enter(&f, &file, of_file, true);
		base(&f, 1, (const uint8_t *[]){pupil}, &there);
		refused_as(&f, 1, pupil);
		snprintf(sql, sizeof sql,
			"CREATE TEMP TRIGGER no_row BEFORE INSERT ON outbox WHEN %s BEGIN SELECT "
			"RAISE(ABORT, 'full'); END",
			refusals[i]);
		assert_int_equal(sqlite3_exec(f.store->db, sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		assert_int_equal(outbox_resolve_duplicates(f.store, &told, NULL), i < 2 ? ERR_STORE : ERR_OK);
		if (i < 2) {
			store_rollback(f.store);
			assert_true(shown(&f, of_file, &r, text, F_EVIDENCE_NAME));
		} else {
			struct view *v;
			assert_int_equal(store_commit(f.store, NULL), ERR_OK);
			assert_false(shown(&f, of_file, &r, text, F_EVIDENCE_NAME));
			assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
			for (size_t k = 0; k < v->n; k++)
				files += v->items[k]->live &&
					v->items[k]->record.kind->number == KIND_EVIDENCE &&
					memcmp(v->items[k]->record.value[F_EVIDENCE_TARGET].data, pupil,
						ID_SIZE) == 0;
			view_free(v);
			assert_int_equal(files, 1);
		}
		fixture_close(&f);
	}
}

/* A move that was refused waits for a person like any other, and is not made again at every pull. */
static void a_refused_move_is_not_made_again(void **state)
{
	struct record mine = student("西街"), records[2] = {student("西街")};
	uint8_t id[ID_SIZE];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	records[1] = guardian(id, "母甲");
	base(&f, 2, (const uint8_t *[]){pupil, moved}, records);
	refused_as(&f, 1, pupil);
	struct resolved told = resolve(&f);
	assert_true(told.settled == 1 && told.queued == 1);
	refused_as(&f, 2, NULL);
	assert_int_equal(resolve(&f).queued, 0);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 2, OP_DONE, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(resolve(&f).queued, 1);
	fixture_close(&f);
}

/* A guardian goes when nobody is left whom he could be of, and is said to go only when that is written. */
static void who_hangs_on_somebody_stays(void **state)
{
	struct record records[] = {student("东街"), guardian(pupil, "母甲"),
		guardian((uint8_t[ID_SIZE]){9}, "母乙")},
		      r;
	char text[64];
	struct view *v;
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	base(&f, 3, (const uint8_t *[]){pupil, theirs, moved}, records);
	for (int written = 0; written < 2; written++) {
		assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		if (!written)
			refuse_rows(&f);
		assert_int_equal(outbox_drop_orphaned(v, theirs, NULL), ERR_OK);
		assert_int_equal(outbox_drop_orphaned(v, pupil, NULL), ERR_OK);
		assert_int_equal(f.store->made, 0);
		assert_int_equal(outbox_drop_orphaned(v, moved, NULL), written ? ERR_OK : ERR_STORE);
		assert_int_equal(outbox_delete_children(v, moved, 0, NULL), ERR_OK);
		assert_int_equal(f.store->made, written);
		assert_int_equal(outbox_delete_children(v, pupil, 0, NULL), written ? ERR_OK : ERR_STORE);
		assert_int_equal(f.store->made, 2 * written);
		if (written)
			assert_int_equal(store_commit(f.store, NULL), ERR_OK);
		else
			store_rollback(f.store);
		view_free(v);
		assert_int_equal(sqlite3_exec(f.store->db, "DROP TRIGGER IF EXISTS no_row", NULL, NULL, NULL),
			SQLITE_OK);
		assert_int_equal(shown(&f, theirs, &r, text, F_GUARDIAN_NAME), !written);
		assert_int_equal(shown(&f, moved, &r, text, F_GUARDIAN_NAME), !written);
		assert_true(shown(&f, pupil, &r, text, F_STUDENT_NAME));
	}
	fixture_close(&f);
}

/* Where a person has decided, a child moves also when something about itself waits for him. */
static void a_person_moves_all_of_them(void **state)
{
	struct record records[] = {student("东街"), guardian((uint8_t[ID_SIZE]){9}, "母甲")},
		      edit = records[1], r;
	uint8_t id[ID_SIZE];
	char text[64];
	struct view *v;
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	base(&f, 2, (const uint8_t *[]){pupil, moved}, records);
	memcpy(id, moved, ID_SIZE);
	record_set_text(&edit, F_GUARDIAN_PHONE, "13900000000");
	enter(&f, &edit, id, false);
	refused_as(&f, 1, NULL);
	for (int written = 0; written < 2; written++) {
		assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		if (!written)
			refuse_rows(&f);
		assert_int_equal(outbox_move_children(v, (uint8_t[ID_SIZE]){9}, pupil, NULL),
			written ? ERR_OK : ERR_STORE);
		if (written)
			assert_int_equal(store_commit(f.store, NULL), ERR_OK);
		else
			store_rollback(f.store);
		view_free(v);
		sqlite3_exec(f.store->db, "DROP TRIGGER IF EXISTS no_row", NULL, NULL, NULL);
	}
	assert_true(shown(&f, moved, &r, text, -1));
	assert_memory_equal(text, pupil, ID_SIZE);
	fixture_close(&f);
}

static enum op_state state_of(struct fixture *f, int64_t n)
{
	struct arena arena;
	struct op_row row;

	arena_init(&arena, 1u << 16);
	assert_int_equal(outbox_read(f->store, n, &arena, &row, NULL), ERR_OK);
	arena_free(&arena);
	return row.state;
}

/* A refusal is settled with all that it brings, or is still there at the next pull. */
static void a_duplicate_is_settled_whole_or_not_at_all(void **state)
{
	(void)state;
	for (int says_more = 0; says_more < 2; says_more++) {
		struct record there = student(""), mine = student(says_more ? "西街" : "");
		struct resolved told;
		struct fixture f;
		uint8_t id[ID_SIZE];

		fixture_open(&f, "registrar");
		enter(&f, &mine, id, true);
		base(&f, 1, (const uint8_t *[]){pupil}, &there);
		refused_as(&f, 1, pupil);
		if (says_more) {
			assert_int_equal(store_begin(f.store, NULL), ERR_OK);
			refuse_rows(&f);
			assert_int_equal(outbox_resolve_duplicates(f.store, &told, NULL), ERR_STORE);
			store_rollback(f.store);
			assert_int_equal(state_of(&f, 1), OP_REFUSED);
			sqlite3_exec(f.store->db, "DROP TRIGGER IF EXISTS no_row", NULL, NULL, NULL);
		}
		assert_int_equal(resolve(&f).queued, says_more);
		assert_int_equal(state_of(&f, 1), says_more ? OP_DONE : OP_ACCEPTED);
		fixture_close(&f);
	}
}

/* Two pupils who stand both, one of whom was to get the number of the other: nobody is written over. */
static void who_stands_is_not_the_other(void **state)
{
	struct record records[] = {student("东街"), student("")}, edit = student("西街"), r;
	uint8_t id[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	record_set_text(&records[1], F_STUDENT_CERT_NO, "329999201403150025");
	record_set_text(&records[0], F_STUDENT_LIVE_ADDRESS, "");
	base(&f, 2, (const uint8_t *[]){pupil, theirs}, records);
	memcpy(id, theirs, ID_SIZE);
	enter(&f, &edit, id, false);
	refused_as(&f, 1, pupil);
	struct resolved told = resolve(&f);
	assert_true(told.settled == 0 && told.queued == 0 && told.conflicts == 0);
	assert_int_equal(state_of(&f, 1), OP_REFUSED);
	assert_true(shown(&f, pupil, &r, text, F_STUDENT_LIVE_ADDRESS));
	assert_string_equal(text, "");
	fixture_close(&f);
}

/* What waits about a child does not keep it with nobody; nor, later, what waits about the one who exists. */
static void what_waits_does_not_keep_a_child(void **state)
{
	struct record mine = student(""), records[3] = {student("")}, edit, r;
	uint8_t id[ID_SIZE], of_edit[ID_SIZE];
	char text[64];
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	records[1] = edit = guardian(id, "母甲");
	base(&f, 2, (const uint8_t *[]){pupil, moved}, records);
	memcpy(of_edit, moved, ID_SIZE);
	record_set_text(&edit, F_GUARDIAN_PHONE, "13900000000");
	enter(&f, &edit, of_edit, false);
	refused_as(&f, 1, pupil);
	refused_as(&f, 2, NULL);
	struct resolved told = resolve(&f);
	assert_true(told.settled == 1 && told.queued == 1);
	assert_true(shown(&f, moved, &r, text, -1));
	assert_memory_equal(text, pupil, ID_SIZE);

	refused_as(&f, 3, pupil); /* the move: it hangs there again, and that waits */
	edit = student("西街");
	memcpy(of_edit, pupil, ID_SIZE);
	enter(&f, &edit, of_edit, false);
	refused_as(&f, 4, NULL);
	records[2] = guardian(id, "父甲");
	record_set_number(&records[2], F_GUARDIAN_ORDINAL, 2);
	base(&f, 3, (const uint8_t *[]){pupil, moved, theirs}, records);
	assert_int_equal(resolve(&f).queued, 1);
	assert_true(shown(&f, theirs, &r, text, -1));
	assert_memory_equal(text, pupil, ID_SIZE);
	fixture_close(&f);
}

/* Without the records as they are nobody is moved anywhere. */
static void what_cannot_be_shown_is_not_settled(void **state)
{
	struct record there = student(""), mine = student(""), another = student("");
	struct resolved told;
	struct fixture f;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	record_set_text(&another, F_STUDENT_CERT_NO, "329999201403150025");
	enter(&f, &mine, id, true);
	enter(&f, &another, id, true);
	base(&f, 1, (const uint8_t *[]){pupil}, &there);
	refused_as(&f, 1, pupil);
	sqlite3_exec(f.store->db, "UPDATE outbox SET bytes = 'x' WHERE n = 2", NULL, NULL, NULL);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_resolve_duplicates(f.store, &told, NULL), ERR_STORE);
	store_rollback(f.store);
	assert_int_equal(state_of(&f, 1), OP_REFUSED);
	fixture_close(&f);
}

/* The outbox has a door: no state is set over another one from which no way leads there. */
static void a_state_is_entered_by_its_ways_alone(void **state)
{
	static const struct {
		enum op_state from, to;
		bool leads;
	} ways[] = {
		{OP_WAITING, OP_DONE, false},
		{OP_WAITING, OP_ACCEPTED, false},
		{OP_UNKNOWN, OP_DONE, false},
		{OP_UNKNOWN, OP_REFUSED, true},
		{OP_ACCEPTED, OP_DONE, false},
		{OP_ACCEPTED, OP_UNKNOWN, true},
		{OP_REFUSED, OP_DONE, true},
		{OP_REFUSED, OP_WAITING, false},
		{OP_DONE, OP_ACCEPTED, true},
		{OP_DONE, OP_DONE, false},
	};
	struct record mine = student("西街");
	uint8_t id[ID_SIZE];
	struct problem p = {0};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		assert_int_equal(outbox_origins(ways[i].to) >> ways[i].from & 1, ways[i].leads);
	fixture_open(&f, "registrar");
	enter(&f, &mine, id, true);
	assert_int_equal(outbox_set_state(f.store, 1, OP_DONE, &p), ERR_NOT_NOW); /* it waits to be sent */
	assert_true(p.message[0] && p.hint[0]);
	refused_as(&f, 1, NULL);
	assert_int_equal(outbox_set_state(f.store, 1, OP_DONE, &p), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 1, OP_DONE, &p), ERR_NOT_NOW); /* somebody was faster */
	assert_int_equal(outbox_set_state(f.store, 99, OP_DONE, &p), ERR_NOT_NOW);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_and_the_guardian_go_to_who_exists),
		cmocka_unit_test(two_words_are_for_a_person),
		cmocka_unit_test(a_guardian_who_cannot_move_does_not_hang_on_nobody),
		cmocka_unit_test(a_guardian_behind_what_was_put_aside_does_not_hang_on_nobody),
		cmocka_unit_test(a_late_guardian_follows_to_the_end),
		cmocka_unit_test(a_guardian_takes_the_next_number),
		cmocka_unit_test(a_file_is_attached_anew),
		cmocka_unit_test(a_refused_move_is_not_made_again),
		cmocka_unit_test(who_hangs_on_somebody_stays),
		cmocka_unit_test(a_person_moves_all_of_them),
		cmocka_unit_test(a_duplicate_is_settled_whole_or_not_at_all),
		cmocka_unit_test(who_stands_is_not_the_other),
		cmocka_unit_test(what_waits_does_not_keep_a_child),
		cmocka_unit_test(what_cannot_be_shown_is_not_settled),
		cmocka_unit_test(a_state_is_entered_by_its_ways_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
