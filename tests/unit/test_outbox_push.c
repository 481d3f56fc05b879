/* Covers client/core/store/outbox_push.c: what is sent, and what a meeting with the bureau changes. What
 * moves the queue is in test_store.c too, duplicates are in test_adopt.c. */
#include "outbox_bench.h"

/* A colleague's evening of work waits for him or for the registrar, and the person at the desk is told for
 * whom. */
static void a_session_sends_its_own_and_says_whose_it_leaves(void **state)
{
	struct fixture f;
	struct arena arena;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "class_teacher");
	arena_init(&arena, 1u << 20);
	enter_twice(&f, id);
	sqlite3_exec(f.store->db, "UPDATE outbox SET author = 'colleague' WHERE n = 2", NULL, NULL, NULL);
	struct push_batch batch = waiting(&f, &arena);
	assert_int_equal(batch.n, 1);
	assert_string_equal(batch.held_by, "colleague");
	assert_int_equal(answered(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), ERR_OK);
	batch = waiting(&f, &arena);
	assert_int_equal(batch.n, 0);
	assert_string_equal(batch.held_by, "colleague");
	f.profile.session.roles = 1u << role_by_name("registrar");
	batch = waiting(&f, &arena);
	assert_int_equal(batch.n, 1);
	assert_string_equal(batch.held_by, "");
	arena_free(&arena);
	fixture_close(&f);
}

/* What is not there, or is not what was written, is never skipped: the numbers of the rest would be others. */
static void a_damaged_queue_is_not_sent(void **state)
{
	static const char *const damage[] = {"DELETE FROM outbox WHERE n = 1",
		"UPDATE outbox SET bytes = 'x' WHERE n = 1",
		"UPDATE outbox SET bytes = (SELECT bytes FROM outbox WHERE n = 2) WHERE n = 1"};

	(void)state;
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		struct push_batch batch;
		struct problem p = {0};
		struct op_row row;
		struct fixture f;
		struct arena arena;
		uint8_t id[ID_SIZE];
		fixture_open(&f, "registrar");
		arena_init(&arena, 1u << 20);
		enter_twice(&f, id);
		assert_int_equal(sqlite3_exec(f.store->db, damage[i], NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(outbox_batch(f.store, &batch, &arena, &p), ERR_STORE);
		assert_int_equal(outbox_read(f.store, 1, &arena, &row, &p), i ? ERR_STORE : ERR_NOT_FOUND);
		assert_int_equal(
			answered(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), i ? ERR_OK : ERR_PROTOCOL);
		arena_free(&arena);
		fixture_close(&f);
	}
}

static void only_what_was_sent_is_unknown(void **state)
{
	struct push_batch batch = {.incarnation = 1, .first = 1, .n = 1};
	struct outbox_counts counts;
	struct fixture f;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	for (int times = 0; times < 2; times++) { /* again behind a lost answer */
		assert_int_equal(outbox_sent(f.store, &batch, NULL), ERR_OK);
		assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
		assert_int_equal(counts.of[OP_UNKNOWN], 1);
		assert_int_equal(counts.of[OP_WAITING], 1);
	}
	fixture_close(&f);
}

static void a_hello_says_how_far_this_outbox_is(void **state)
{
	struct fixture f;
	pb_hello hello;
	uint8_t id[ID_SIZE];

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	assert_int_equal(answered(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), ERR_OK);
	outbox_hello(f.store, &hello);
	assert_true(hello.has_incarnation && hello.incarnation == 1);
	assert_true(hello.has_last_op && hello.last_op == 1);
	assert_true(hello.has_made && hello.made == 2);
	assert_true(hello.has_last_hash && hello.last_hash.len == HASH_SIZE);
	assert_memory_equal(hello.last_hash.data, f.store->last_hash, HASH_SIZE);
	f.store->incarnation = 0; /* before the first meeting */
	outbox_hello(f.store, &hello);
	assert_false(hello.has_incarnation || hello.has_last_op || hello.has_made || hello.has_last_hash);
	fixture_close(&f);
}

static int no_commit(void *data)
{
	(void)data;
	return 1;
}

static void refuse_change(struct fixture *f, const char *when)
{
	char sql[160];

	snprintf(sql, sizeof sql,
		"CREATE TEMP TRIGGER no_change BEFORE UPDATE ON outbox WHEN %s BEGIN SELECT RAISE(ABORT, "
		"'full'); END",
		when);
	assert_int_equal(sqlite3_exec(f->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Each of what WELCOME changes, or nothing of it. */
static void a_welcome_is_taken_whole(void **state)
{
	pb_welcome w = PB_WELCOME_INIT;
	uint8_t id[ID_SIZE], hash[HASH_SIZE] = {0};
	struct push_batch batch = {.incarnation = 2, .first = 1, .n = 1};
	struct outbox_counts counts;
	struct problem p = {0};
	struct fixture f;
	size_t drafts;

	(void)state;
	fixture_open(&f, "registrar");
	enter_twice(&f, id);
	assert_int_equal(answered(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED), ERR_OK);
	w.incarnation = 2; /* another one, whether it says so or not */
	w.known_op = 1;
	refuse_change(&f, "NEW.state = 7");
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, &p), ERR_STORE);
	assert_true(f.store->incarnation == 1 && f.store->last_op == 1 && f.store->made == 2);
	sqlite3_exec(f.store->db, "DROP TRIGGER no_change", NULL, NULL, NULL);
	sqlite3_commit_hook(f.store->db, no_commit, NULL);
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, &p), ERR_STORE);
	assert_true(f.store->incarnation == 1 && f.store->last_op == 1 && f.store->made == 2);
	sqlite3_commit_hook(f.store->db, NULL, NULL);
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, &p), ERR_OK);
	assert_int_equal(drafts, 1);
	assert_true(f.store->incarnation == 2 && f.store->last_op == 0 && f.store->made == 0);
	enter_twice(&f, id);
	w.last_hash = (ProtobufCBinaryData){HASH_SIZE, hash};
	w.has_known_incarnation = 1;
	w.known_incarnation = 1;
	w.known_op = 0; /* restored from before that began */
	refuse_change(&f, "NEW.incarnation = 1");
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, &p), ERR_STORE);
	assert_int_equal(f.store->older.incarnation, 0);
	sqlite3_exec(f.store->db, "DROP TRIGGER no_change", NULL, NULL, NULL);
	sqlite3_commit_hook(f.store->db, no_commit, NULL);
	assert_int_equal(outbox_sent(f.store, &batch, &p), ERR_STORE);
	sqlite3_commit_hook(f.store->db, NULL, NULL);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_UNKNOWN], 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_sends_its_own_and_says_whose_it_leaves),
		cmocka_unit_test(a_damaged_queue_is_not_sent),
		cmocka_unit_test(only_what_was_sent_is_unknown),
		cmocka_unit_test(a_hello_says_how_far_this_outbox_is),
		cmocka_unit_test(a_welcome_is_taken_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
