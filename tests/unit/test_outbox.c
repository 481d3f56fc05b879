/* Covers client/core/store/outbox.c: what is kept of an operation and of its answer, and what is said when
 * the store refuses. Sending is in test_outbox_push.c, duplicates are in test_adopt.c. */
#include "outbox_bench.h"

#include "envelope.h"
#include "nomem.h"
#include "seal.h"

static const uint8_t pupil[ID_SIZE] = {1}, second[ID_SIZE] = {2}, third[ID_SIZE] = {3};

static const pb_op *opened(const struct push_batch *batch, size_t i, struct arena *arena)
{
	const ProtobufCMessage *message;

	assert_int_equal(
		envelope_unpack(&pb_op_desc, batch->bytes[i], batch->sizes[i], arena, &message, NULL),
		ERR_OK);
	return (const pb_op *)message;
}

static void an_operation_says_what_it_changes(void **state)
{
	const int64_t before = clock_now_us();
	static const uint8_t of_a_newer_version[] = {0x90, 0x7d, 1}; /* field 2002 */
	struct record there = student("1"), moved = student("2"), body;
	struct staging_end end = {.cursor = 7, .epoch = 1, .whole = true};
	struct fixture f;
	struct arena arena;
	bool agreed;

	(void)state;
	fixture_open(&f, "registrar");
	arena_init(&arena, 1u << 20);
	fixture_stage(f.store, pupil, JINGGUAN__V1__ACTION__PUT, &there, &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	struct view *v = load(f.store);
	struct item *item = view_find_id(v, pupil);
	moved.ext = of_a_newer_version;
	moved.ext_len = sizeof of_a_newer_version;
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &moved, UINT32_MAX, 0, NULL), ERR_OK);
	assert_int_equal(outbox_delete(v, item, 0, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	struct push_batch batch = waiting(&f, &arena);
	assert_int_equal(batch.n, 2);
	assert_string_equal(batch.held_by, "");
	unsigned classes = there.kind->fields[F_STUDENT_CLASS_NO].group;
	for (size_t i = 0; i < batch.n; i++) {
		const pb_op *op = opened(&batch, i, &arena);
		assert_true(op->has_version && op->version == 1);
		assert_true(op->has_op_no && op->op_no == i + 1);
		assert_true(op->has_incarnation && op->incarnation == 1);
		assert_true(op->has_at && op->at >= before && op->at <= clock_now_us());
		assert_true(op->has_kind && op->kind == KIND_STUDENT);
		assert_true(op->has_id && op->id.len == ID_SIZE);
		assert_memory_equal(op->id.data, pupil, ID_SIZE);
		assert_string_equal(op->author, "tester");
		assert_true(op->has_action);
		assert_int_equal(op->action, i ? JINGGUAN__V1__ACTION__DEL : JINGGUAN__V1__ACTION__PUT);
		assert_int_equal(op->has_body, !i);
		assert_int_equal(op->n_seen, i ? there.kind->group_count : 1);
		for (size_t k = 0; k < op->n_seen; k++) {
			const pb_group_base *seen = op->seen[k];
			bool own = i && seen->group == classes;
			assert_true(seen->has_group && seen->group == (i ? k + 1 : classes));
			assert_int_equal(seen->has_own_op, own);
			assert_int_equal(seen->own_op, own);
			assert_int_equal(seen->has_gver, !own);
			assert_int_equal(seen->gver, !own);
		}
	}
	/* What this version does not know it does not say again: it may be another by now. */
	const pb_op *edit = opened(&batch, 0, &arena);
	assert_int_equal(
		record_decode(&body, there.kind, edit->body.data, edit->body.len, &arena, NULL), ERR_OK);
	assert_true(record_is(&body, F_STUDENT_CLASS_NO, "2") && body.ext_len == 0);
	arena_free(&arena);
	fixture_close(&f);
}

/* Nothing of what was entered, or of what the bureau said to it, is lost on the way to the person who asks. */
static void a_row_tells_what_was_entered_and_what_was_answered(void **state)
{
	const int64_t before = clock_now_us();
	uint32_t gver[KIND_GROUPS_MAX + 1] = {3, 2, 1}; /* of a newer bureau, maybe */
	struct record theirs = student("9");
	pb_op_result r = PB_OP_RESULT_INIT;
	struct buf current = {0};
	struct fixture f;
	struct op_row row;
	struct arena arena;
	uint8_t id[ID_SIZE], chain[HASH_SIZE], sha[HASH_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	arena_init(&arena, 1u << 20);
	enter_twice(&f, id);
	for (int64_t n = 1; n <= 2; n++) {
		assert_int_equal(outbox_read(f.store, n, &arena, &row, NULL), ERR_OK);
		assert_true(row.n == n && row.op_no == (uint64_t)n && row.incarnation == 1);
		assert_int_equal(row.state, OP_WAITING);
		assert_true(row.kind->number == KIND_STUDENT && !row.del);
		assert_memory_equal(row.id, id, ID_SIZE);
		assert_true(row.at >= before && row.at <= clock_now_us());
		assert_string_equal(row.author, "tester");
		assert_int_equal(row.batch, n == 1 ? 0 : BATCH_OF_AN_IMPORT);
		assert_true(record_is(&row.body, F_STUDENT_CLASS_NO, n == 1 ? "1" : "2"));
		assert_int_equal(record_has(&row.body, F_STUDENT_NAME), n == 1);
		assert_int_equal(row.groups, record_groups(&row.body));
		assert_int_equal(row.prev.kind != NULL, n == 2);
		assert_true(n == 1 || record_is(&row.prev, F_STUDENT_CLASS_NO, "1"));
		assert_true(!row.current.kind && !row.has_duplicate && !row.code && !row.group && !row.ver);
		assert_true(!row.message[0] && !row.hint[0] && !row.field[0] && !row.their_author[0]);
	}
	assert_int_equal(outbox_read(f.store, 3, &arena, &row, NULL), ERR_NOT_FOUND);
	struct push_batch batch = waiting(&f, &arena);
	memcpy(chain, f.store->last_hash, HASH_SIZE);
	hash_op(sha, batch.bytes[0], batch.sizes[0]);
	hash_chain(chain, chain, 1, sha);
	record_encode(&theirs, &current);
	r.op_no = 1;
	r.outcome = JINGGUAN__V1__OUTCOME__CONFLICT;
	r.code = ERR_CONFLICT;
	r.message = (char *)"别人改过";
	r.field = (char *)"class_no";
	r.group = 2;
	r.ver = 5;
	r.n_gver = KIND_GROUPS_MAX + 1;
	r.gver = gver;
	r.current = (ProtobufCBinaryData){current.len, current.data};
	r.duplicate_of = (ProtobufCBinaryData){ID_SIZE, (uint8_t *)pupil};
	r.their_author = (char *)"li";
	r.their_at = 1234567;
	assert_int_equal(sent(f.store, 1) || store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_answer(f.store, &r, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_memory_equal(f.store->last_hash, chain, HASH_SIZE);
	assert_int_equal(outbox_read(f.store, 1, &arena, &row, NULL), ERR_OK);
	assert_int_equal(row.state, OP_CONFLICT);
	assert_int_equal(row.code, ERR_CONFLICT);
	assert_string_equal(row.message, "别人改过");
	assert_string_equal(row.hint, "");
	assert_string_equal(row.field, "class_no");
	assert_int_equal(row.group, 2);
	assert_int_equal(row.ver, 5);
	assert_true(record_is(&row.current, F_STUDENT_CLASS_NO, "9"));
	assert_true(row.has_duplicate);
	assert_memory_equal(row.duplicate_of, pupil, ID_SIZE);
	assert_string_equal(row.their_author, "li");
	assert_int_equal(row.their_at, 1234567);
	buf_free(&current);
	arena_free(&arena);
	fixture_close(&f);
}

static void what_waits_is_counted_from_the_oldest(void **state)
{
	static const char state_and_time[] = "UPDATE outbox SET state = CASE n WHEN 1 THEN 1 WHEN 2 THEN 2 "
					     "WHEN 3 THEN 3 ELSE 10 END, at = CASE n WHEN 1 THEN 300 "
					     "WHEN 2 THEN 200 WHEN 3 THEN 100 ELSE 50 END";
	struct outbox_counts counts;
	struct fixture f;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_true(!counts.unsent && !counts.oldest);
	enter_twice(&f, id);
	enter_twice(&f, id);
	assert_int_equal(sqlite3_exec(f.store->db, state_and_time, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.unsent, 2);
	assert_int_equal(counts.oldest, 200);
	assert_int_equal(counts.of[OP_ACCEPTED], 1);
	assert_int_equal(counts.of[OP_DONE], 0);
	fixture_close(&f);
}

static enum err add_number(void *data, const struct op_row *row)
{
	*(int64_t *)data = *(int64_t *)data * 10 + row->n;
	return ERR_OK;
}

static enum err refuse_row(void *data, const struct op_row *row)
{
	++*(int64_t *)data;
	return row->n == 1 ? ERR_CONFLICT : ERR_OK;
}

static void rows_are_found_by_state_batch_and_record(void **state)
{
	enum op_state of_first;
	struct fixture f;
	uint8_t id[ID_SIZE];
	int64_t found = 0, n;

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	assert_int_equal(outbox_open_of(f.store, id, &n, &of_first, NULL), ERR_OK);
	assert_true(n == 0 && of_first == OP_DONE); /* what is on its way waits for nobody */
	assert_int_equal(answered(f.store, 1, JINGGUAN__V1__OUTCOME__BLOCKED), ERR_OK);
	assert_int_equal(answered(f.store, 2, JINGGUAN__V1__OUTCOME__CONFLICT), ERR_OK);
	assert_int_equal(outbox_open_of(f.store, id, &n, &of_first, NULL), ERR_OK);
	assert_true(n == 1 && of_first == OP_BLOCKED);
	assert_int_equal(outbox_open_of(f.store, pupil, &n, &of_first, NULL), ERR_OK);
	assert_int_equal(n, 0);
	assert_int_equal(outbox_each(f.store, UINT32_MAX, 0, add_number, &found, NULL), ERR_OK);
	assert_int_equal(found, 12);
	found = 0;
	assert_int_equal(outbox_each(f.store, 1u << OP_CONFLICT, 0, add_number, &found, NULL), ERR_OK);
	assert_int_equal(found, 2);
	found = 0;
	assert_int_equal(
		outbox_each(f.store, UINT32_MAX, BATCH_OF_AN_IMPORT, add_number, &found, NULL), ERR_OK);
	assert_int_equal(found, 2);
	found = 0; /* of what was refused nothing was changed */
	assert_int_equal(outbox_changes_of(f.store, id, add_number, &found, NULL), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_set_state(f.store, 2, OP_ACCEPTED, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_changes_of(f.store, id, add_number, &found, NULL), ERR_OK);
	assert_int_equal(found, 2);
	found = 0;
	assert_int_equal(outbox_each(f.store, UINT32_MAX, 0, refuse_row, &found, NULL), ERR_CONFLICT);
	assert_int_equal(found, 1);
	fixture_close(&f);
}

/* Records that took each other's place, as only a damaged store has them: the way ends all the same. */
static void a_ring_has_no_end(void **state)
{
	struct item *there;
	struct fixture f;
	uint8_t id[ID_SIZE], end[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	assert_int_equal(sqlite3_exec(f.store->db,
				 "UPDATE outbox SET state = 8, id = CASE n WHEN 1 THEN "
				 "x'02000000000000000000000000000000' "
				 "ELSE x'03000000000000000000000000000000' END;"
				 "UPDATE outbox SET duplicate_of = (SELECT o.id FROM outbox AS o WHERE o.n "
				 "<> outbox.n)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	struct view *v = load(f.store);
	assert_int_equal(outbox_find_end(v, second, end, &there, NULL), ERR_OK);
	assert_null(there);
	assert_true(memcmp(end, second, ID_SIZE) == 0 || memcmp(end, third, ID_SIZE) == 0);
	view_free(v);
	fixture_close(&f);
}

static int no_insert(void *data, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)data, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_INSERT ? SQLITE_DENY : SQLITE_OK;
}

/* What a revoked computer had not sent is taken by another one, once, and waits there for a person. */
static void open_operations_go_to_another_computer(void **state)
{
	struct fixture from, to;
	struct buf open = {0};
	struct problem p = {0};
	struct op_row row;
	struct arena arena;
	char damaged[256];
	uint8_t id[ID_SIZE];
	size_t n, taken = 0;

	(void)state;
	fixture_open(&from, "registrar");
	fixture_open(&to, "registrar");
	arena_init(&arena, 1u << 20);
	enter_twice(&from, id);
	assert_int_equal(answered(from.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), ERR_OK);
	assert_int_equal(outbox_append_open(from.store, &open, &n, damaged, sizeof damaged, &p), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(damaged, "");
	for (int times = 0; times < 2; times++) {
		const uint8_t *at = open.data;
		assert_int_equal(store_begin(to.store, NULL), ERR_OK);
		assert_int_equal(outbox_add_draft(to.store, &at, open.data + open.len, &taken, &p), ERR_OK);
		assert_int_equal(store_commit(to.store, NULL), ERR_OK);
		assert_ptr_equal(at, open.data + open.len);
		assert_int_equal(taken, 1);
	}
	assert_int_equal(outbox_read(to.store, 1, &arena, &row, &p), ERR_OK);
	assert_true(row.state == OP_DRAFT && row.op_no == 0 && row.incarnation == 1 && !row.del);
	assert_memory_equal(row.id, id, ID_SIZE);
	assert_string_equal(row.author, "tester");
	assert_true(row.at > 0 && row.kind->number == KIND_STUDENT);
	assert_true(record_is(&row.body, F_STUDENT_CLASS_NO, "2"));
	assert_int_equal(row.groups, record_groups(&row.body));
	assert_int_equal(to.store->next_row, 2);
	const uint8_t *once_more = open.data;
	sqlite3_set_authorizer(from.store->db, no_insert, NULL); /* another one: here it is not yet a draft */
	open.data[open.len - 1] ^= 1;
	assert_int_equal(
		outbox_add_draft(from.store, &once_more, open.data + open.len, &taken, &p), ERR_STORE);
	assert_int_equal(taken, 1);
	open.data[open.len - 1] ^= 1;
	sqlite3_set_authorizer(from.store->db, NULL, NULL);
	for (size_t cut = 1; cut <= open.len;
		cut += open.len - 5) { /* within the operation, and within its length */
		const uint8_t *at = open.data;
		assert_int_equal(outbox_add_draft(to.store, &at, open.data + open.len - cut, &taken, &p),
			ERR_FILE_DAMAGED);
	}
	buf_free(&open);
	arena_free(&arena);
	fixture_close(&to);
	fixture_close(&from);
}

/* What cannot be read any more is named, so that a person can enter it again: all of the names that there
 * is room for, and no half of one. */
static void what_cannot_be_taken_along_is_named(void **state)
{
	static const char *const damage[] = {
		"UPDATE outbox SET bytes = zeroblob(length(bytes)), at = 1788000000000000",
		"UPDATE outbox SET bytes = 'x'"};
	char one[64], both[2 * sizeof one + 4], when[TIME_TEXT_SIZE];
	struct problem p = {0};
	struct buf open = {0};
	struct fixture f;
	uint8_t id[ID_SIZE];
	size_t n;

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	time_format(when, 1788000000000000);
	snprintf(one, sizeof one, "%s %.16s", kind_by_number(KIND_STUDENT)->label, when);
	snprintf(both, sizeof both, "%s、%s", one, one);
	for (size_t i = 0; i < 2; i++) {
		const struct {
			size_t room;
			const char *named;
		} rooms[] = {{sizeof both, both}, {strlen(both) + 1, both}, {strlen(both), one},
			{strlen(one), ""}};
		assert_int_equal(sqlite3_exec(f.store->db, damage[i], NULL, NULL, NULL), SQLITE_OK);
		for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++) {
			char named[sizeof both + 1];
			memset(named, '?', sizeof named);
			assert_int_equal(
				outbox_append_open(f.store, &open, &n, named, rooms[k].room, &p), ERR_OK);
			assert_true(n == 0 && open.len == 0);
			assert_string_equal(named, rooms[k].named);
			assert_int_equal(named[rooms[k].room], '?');
		}
	}
	buf_free(&open);
	fixture_close(&f);
}

static int interrupted(void *data)
{
	(void)data;
	return 1;
}

static void no_write_is_taken_for_done(
	struct fixture *f, struct view *v, const uint8_t id[ID_SIZE], const struct buf *another)
{
	const uint8_t *at = another->data;
	struct item *item = view_find_id(v, id), *made = NULL;
	struct record anew = student("5");
	pb_op_result r = PB_OP_RESULT_INIT;
	struct problem p = {0};
	uint8_t hash[HASH_SIZE];
	size_t taken = 0;

	memcpy(hash, f->store->last_hash, HASH_SIZE);
	r.op_no = 2;
	r.outcome = JINGGUAN__V1__OUTCOME__APPLIED;
	assert_int_equal(outbox_answer(f->store, &r, &p), ERR_STORE);
	assert_int_equal(f->store->last_op, 1);
	assert_memory_equal(f->store->last_hash, hash, HASH_SIZE);
	assert_int_equal(outbox_settle(f->store, &p), ERR_STORE);
	assert_int_equal(outbox_set_state(f->store, 2, OP_DRAFT, &p), ERR_STORE);
	assert_int_equal(outbox_replaced(f->store, 1, pupil, &p), ERR_STORE);
	assert_int_equal(outbox_put(v, &item, &anew, UINT32_MAX, 0, &p), ERR_STORE);
	assert_int_equal(outbox_put(v, &made, &anew, UINT32_MAX, 0, &p), ERR_STORE);
	assert_int_equal(outbox_delete(v, item, 0, &p), ERR_STORE);
	assert_int_equal(outbox_delete_children(v, id, 0, &p), ERR_OK); /* there are none */
	assert_int_equal(
		outbox_add_draft(f->store, &at, another->data + another->len, &taken, &p), ERR_STORE);
	assert_true(taken == 0 && f->store->made == 3 && f->store->next_row == 4);
	assert_int_equal(p.code, ERR_STORE);
}

static void nothing_is_read(struct fixture *f, struct view *v, const uint8_t id[ID_SIZE])
{
	struct outbox_counts counts;
	struct push_batch batch;
	struct resolved told;
	struct problem p = {0};
	struct buf open = {0};
	struct op_row row;
	struct arena arena;
	struct item *there;
	enum op_state state;
	uint8_t end[ID_SIZE];
	char damaged[64];
	int64_t found = 0;
	size_t n;

	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_batch(f->store, &batch, &arena, &p), ERR_STORE);
	assert_int_equal(batch.n, 0);
	assert_int_equal(outbox_counts(f->store, &counts, &p), ERR_STORE);
	assert_int_equal(outbox_read(f->store, 1, &arena, &row, &p), ERR_STORE);
	assert_int_equal(outbox_open_of(f->store, id, &found, &state, &p), ERR_STORE);
	assert_int_equal(outbox_each(f->store, UINT32_MAX, 0, add_number, &found, &p), ERR_STORE);
	assert_int_equal(outbox_changes_of(f->store, id, add_number, &found, &p), ERR_STORE);
	assert_int_equal(outbox_find_end(v, pupil, end, &there, &p), ERR_STORE);
	assert_int_equal(outbox_append_open(f->store, &open, &n, damaged, sizeof damaged, &p), ERR_STORE);
	assert_int_equal(outbox_resolve_duplicates(f->store, &told, &p), ERR_STORE);
	assert_int_equal(found, 0);
	buf_free(&open);
	arena_free(&arena);
}

/* Operation 3, which waits when the second one is on its way. */
static void enter_once_more(struct fixture *f)
{
	struct record third = student("3");
	struct view *v = load(f->store);
	struct item *item = v->items[0];

	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &third, UINT32_MAX, 0, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	view_free(v);
}

static void nobody_is_met(struct fixture *f, bool interrupts)
{
	const struct push_batch batch = {.incarnation = 1, .first = 3, .n = 1};
	uint8_t hash[HASH_SIZE] = {0};
	pb_welcome w = PB_WELCOME_INIT;
	struct problem p = {0};
	size_t drafts;

	for (uint32_t forked = 0; forked < 2; forked++) {
		if (interrupts)
			sqlite3_progress_handler(f->store->db, 1, interrupted, NULL);
		w.incarnation = 1 + forked;
		w.last_hash = (ProtobufCBinaryData){HASH_SIZE, hash};
		assert_int_equal(outbox_welcome(f->store, &w, &drafts, &p), ERR_STORE);
		assert_int_equal(outbox_sent(f->store, &batch, &p), ERR_STORE);
		sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
		assert_true(sqlite3_get_autocommit(f->store->db));
	}
}

/* A full disk, a damaged file: nothing is taken for done, and nothing is counted on. */
static void what_the_store_refuses_is_said(void **state)
{
	enum { WRITES, EVERYTHING, STEPS };
	static const char *const refusals[] = {[WRITES] = "CREATE TEMP TRIGGER no_change BEFORE UPDATE ON "
							  "outbox BEGIN SELECT RAISE(ABORT, 'full'); END;"
							  "CREATE TEMP TRIGGER no_row BEFORE INSERT ON "
							  "outbox BEGIN SELECT RAISE(ABORT, 'full'); END",
		[EVERYTHING] = "DROP TABLE outbox",
		[STEPS] = ""};

	(void)state;
	for (int i = WRITES; i <= STEPS; i++) {
		struct buf another = {0};
		struct fixture f;
		uint8_t id[ID_SIZE];
		char damaged[64];
		size_t n;

		fixture_open(&f, "registrar");
		enter_twice(&f, id);
		assert_int_equal(answered(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), ERR_OK);
		assert_int_equal(
			outbox_append_open(f.store, &another, &n, damaged, sizeof damaged, NULL), ERR_OK);
		another.data[another.len - 1] ^= 1; /* than the one that is here */
		enter_once_more(&f);
		assert_int_equal(sent(f.store, 2), ERR_OK);
		struct view *v = load(f.store);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		assert_int_equal(sqlite3_exec(f.store->db, refusals[i], NULL, NULL, NULL), SQLITE_OK);
		if (i == STEPS)
			sqlite3_progress_handler(f.store->db, 1, interrupted, NULL);
		no_write_is_taken_for_done(&f, v, id, &another);
		if (i != WRITES)
			nothing_is_read(&f, v, id);
		sqlite3_progress_handler(f.store->db, 0, NULL, NULL);
		if (i == STEPS)
			store_rollback(f.store);
		else
			assert_int_equal(store_commit(f.store, NULL), ERR_OK);
		nobody_is_met(&f, i == STEPS);
		buf_free(&another);
		view_free(v);
		fixture_close(&f);
	}
}

static struct record guardian(const uint8_t *of)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, of, ID_SIZE);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	record_set_text(&r, F_GUARDIAN_NAME, "母甲");
	return r;
}

/* It would be shown to nobody. What hangs there already may be corrected, and moved to who stands. */
static void nothing_is_hung_on_what_is_gone(void **state)
{
	struct record records[] = {student("1"), student("1"), guardian(pupil)}, want;
	struct staging_end end = {.cursor = 7, .epoch = 1, .whole = true};
	const uint8_t *const ids[] = {pupil, second, third}, nobody[ID_SIZE] = {9};
	struct problem p = {0};
	struct fixture f;
	bool agreed;

	(void)state;
	fixture_open(&f, "registrar");
	record_set_text(&records[1], F_STUDENT_CERT_NO, "329999201403150025");
	for (size_t i = 0; i < 3; i++)
		fixture_stage(f.store, ids[i], JINGGUAN__V1__ACTION__PUT, &records[i], &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	struct view *v = load(f.store);
	struct item *mother = view_find_id(v, third), *made = NULL;
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_delete(v, view_find_id(v, pupil), 0, &p), ERR_OK);
	for (int i = 0; i < 2; i++) {
		const uint8_t *gone = i ? nobody : pupil;
		want = guardian(gone);
		made = NULL;
		assert_int_equal(outbox_put(v, &made, &want, UINT32_MAX, 0, &p), ERR_NOT_FOUND);
		assert_null(made);
		assert_true(p.message[0] && p.hint[0]);
	}
	assert_int_equal(f.store->made, 1);
	want = guardian(nobody);
	assert_int_equal(outbox_put(v, &mother, &want, UINT32_MAX, 0, &p), ERR_NOT_FOUND);
	outbox_keep_parent(v, mother, &want);
	assert_memory_equal(want.value[F_GUARDIAN_STUDENT].data, pupil, ID_SIZE);
	record_set_text(&want, F_GUARDIAN_NAME, "母乙");
	assert_int_equal(outbox_put(v, &mother, &want, UINT32_MAX, 0, &p), ERR_OK);
	want = guardian(second);
	outbox_keep_parent(v, mother, &want);
	assert_memory_equal(want.value[F_GUARDIAN_STUDENT].data, second, ID_SIZE);
	assert_int_equal(outbox_put(v, &mother, &want, UINT32_MAX, 0, &p), ERR_OK);
	assert_int_equal(f.store->made, 3);
	view_free(v);
	store_rollback(f.store);
	fixture_close(&f);
}

/* A line end that came along with what was pasted is a blank; what cannot be stored is said at once. */
static void what_was_pasted_is_cleaned(void **state)
{
	struct record want = student("1");
	struct problem p = {0};
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	struct item *item = NULL;
	record_set_text(&want, F_STUDENT_LIVE_ADDRESS, "西街\n1号");
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &want, UINT32_MAX, 0, &p), ERR_OK);
	assert_true(record_is(&item->record, F_STUDENT_LIVE_ADDRESS, "西街 1号"));
	record_set_text(&want, F_STUDENT_LIVE_ADDRESS, "\xff");
	assert_int_not_equal(outbox_put(v, &item, &want, UINT32_MAX, 0, &p), ERR_OK);
	assert_int_equal(f.store->made, 1);
	view_free(v);
	store_rollback(f.store);
	fixture_close(&f);
}

static enum err edit_and_take_the_answer(void *data)
{
	struct fixture *f = data;
	struct record want = student("3"), theirs = student("9");
	pb_op_result r = PB_OP_RESULT_INIT;
	struct buf current = {0};
	struct op_row row;
	struct arena arena;
	long left = nomem_in;

	nomem_in = 0;
	struct view *v = load(f->store);
	struct item *item = v->items[0];
	arena_init(&arena, 1u << 20);
	record_encode(&theirs, &current);
	r.op_no = 1;
	r.outcome = JINGGUAN__V1__OUTCOME__CONFLICT;
	r.message = (char *)"别人改过";
	r.current = (ProtobufCBinaryData){current.len, current.data};
	assert_int_equal(sent(f->store, 1), ERR_OK);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	nomem_in = left;
	enum err e = outbox_put(v, &item, &want, UINT32_MAX, 0, NULL);
	if (!e)
		e = outbox_answer(f->store, &r, NULL);
	left = nomem_in;
	nomem_in = 0;
	if (!e) {
		assert_int_equal(outbox_read(f->store, 1, &arena, &row, NULL), ERR_OK);
		assert_string_equal(row.message, "别人改过");
		assert_true(row.current.kind && record_is(&row.current, F_STUDENT_CLASS_NO, "9"));
		assert_int_equal(outbox_read(f->store, 3, &arena, &row, NULL), ERR_OK);
		assert_true(row.prev.kind && record_is(&row.prev, F_STUDENT_CLASS_NO, "2"));
	}
	store_rollback(f->store);
	buf_free(&current);
	arena_free(&arena);
	view_free(v);
	nomem_in = left;
	return e;
}

/* What is stored is whole, or is not stored. */
static void memory_runs_out(void **state)
{
	struct fixture f;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	nomem_until_it_works("outbox", edit_and_take_the_answer, &f, ERR_NOMEM, 5);
	fixture_close(&f);
}

static void store_sealed(struct fixture *f, const char *column, const char *table, const char *plain)
{
	struct buf sealed = {0};
	sqlite3_stmt *stmt;
	char sql[64];
	int64_t n = 2;

	snprintf(sql, sizeof sql, "UPDATE outbox SET %s = ? WHERE n = 2", column);
	assert_int_equal(
		seal_value(f->store->seal, table, &n, sizeof n, plain, strlen(plain), &sealed), ERR_OK);
	assert_int_equal(sqlite3_prepare_v2(f->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_blob(stmt, 1, sealed.data, (int)sealed.len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	buf_free(&sealed);
}

/* Neither another value nor none is shown in the place of one that cannot be read. */
static void a_damaged_value_is_no_value(void **state)
{
	static const char *const columns[][2] = {
		{"bytes", "outbox"}, {"prev", "prev"}, {"current", "current"}, {"message", "message"}};
	struct fixture f;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	for (size_t i = 0; i < 4; i++)
		for (int opens = 0; opens < 2; opens++) {
			struct problem p = {0};
			struct op_row row;
			struct arena arena;
			int64_t shown = 0;
			arena_init(&arena, 1u << 20);
			assert_int_equal(store_begin(f.store, NULL), ERR_OK);
			store_sealed(&f, columns[i][0], opens ? columns[i][1] : "another",
				opens ? "\xff\xff" : "");
			enum err e = outbox_read(f.store, 2, &arena, &row, &p);
			assert_int_equal(e == ERR_OK, i == 3 && opens); /* a message is any text */
			assert_int_equal(p.code, e);
			assert_int_equal(
				outbox_each(f.store, UINT32_MAX, BATCH_OF_AN_IMPORT, add_number, &shown, &p),
				e);
			assert_int_equal(shown, e ? 0 : 2);
			store_rollback(f.store);
			arena_free(&arena);
		}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_says_what_it_changes),
		cmocka_unit_test(a_row_tells_what_was_entered_and_what_was_answered),
		cmocka_unit_test(what_waits_is_counted_from_the_oldest),
		cmocka_unit_test(rows_are_found_by_state_batch_and_record),
		cmocka_unit_test(a_ring_has_no_end),
		cmocka_unit_test(open_operations_go_to_another_computer),
		cmocka_unit_test(what_cannot_be_taken_along_is_named),
		cmocka_unit_test(what_the_store_refuses_is_said),
		cmocka_unit_test(nothing_is_hung_on_what_is_gone),
		cmocka_unit_test(what_was_pasted_is_cleaned),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(a_damaged_value_is_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
