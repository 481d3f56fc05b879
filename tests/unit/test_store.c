/* Covers client/core/{store,view,outbox,outbox_push,staging,seal}.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "core_fixture.h"
#include "blobs.h"
#include "outbox.h"
#include "staging.h"

static const uint32_t kinds[] = {KIND_STUDENT, 0};

static struct item *put(struct view *v, struct item *item, const char *no, const char *class_no)
{
	struct record want;
	struct problem p = {0};

	record_init(&want, kind_by_number(KIND_STUDENT));
	if (item)
		want = item->record;
	record_set_text(&want, F_STUDENT_NAME, "测甲");
	record_set_text(&want, F_STUDENT_CERT_NO, no);
	record_set_text(&want, F_STUDENT_GRADE, "16");
	record_set_text(&want, F_STUDENT_CLASS_NO, class_no);
	assert_int_equal(outbox_put(v, &item, &want, UINT32_MAX, 0, &p), ERR_OK);
	return item;
}

static struct view *load(struct store *s)
{
	struct view *v;
	struct problem p = {0};

	assert_int_equal(view_load(&v, s, kinds, &p), ERR_OK);
	return v;
}

static size_t live_count(struct store *s)
{
	struct view *v = load(s);
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->items[i]->live;
	view_free(v);
	return n;
}

/* C1, C2: killed before the commit nothing is there, killed after it everything is. */
static void survives_a_kill(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	for (int committed = 0; committed < 2; committed++) {
		store_close(f.store);
		pid_t child = fork();
		if (child == 0) {
			struct problem p = {0};
			if (store_open(&f.store, &f.profile, &p) || store_begin(f.store, &p))
				_exit(1);
			put(load(f.store), NULL, "329999201403150017", "1");
			if (committed && store_commit(f.store, &p))
				_exit(1);
			kill(getpid(), SIGKILL);
		}
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(store_open(&f.store, &f.profile, NULL), ERR_OK);
		assert_int_equal(live_count(f.store), (size_t)committed);
		assert_int_equal(f.store->made, (uint64_t)committed);
	}
	fixture_close(&f);
}

static void pending_writes_are_visible_and_chained(void **state)
{
	struct fixture f;
	struct push_batch batch;
	struct arena arena;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	struct item *item = put(v, NULL, "329999201403150017", "1");
	put(v, item, "329999201403150017", "2");
	put(v, item, "329999201403150017", "2"); /* the same values queue nothing */
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	assert_int_equal(f.store->made, 2);
	assert_int_equal(item->own_op[0], 1); /* identity: the first operation only */
	assert_int_equal(item->own_op[1], 2);
	view_free(v);
	fixture_reopen(&f);
	v = load(f.store);
	assert_true(record_is(&v->items[0]->record, F_STUDENT_CLASS_NO, "2"));
	assert_int_equal(v->items[0]->own_op[1], 2);
	view_free(v);
	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
	assert_int_equal(batch.n, 2);
	assert_int_equal(batch.first, 1);
	arena_free(&arena);
	fixture_close(&f);
}

static void answer(struct store *s, uint64_t op_no, Jingguan__V1__Outcome outcome, uint32_t gver)
{
	pb_op_result r = PB_OP_RESULT_INIT;
	uint32_t gvers[] = {gver, gver, 0};

	r.has_op_no = r.has_outcome = r.has_ver = 1;
	r.op_no = op_no;
	r.outcome = outcome;
	r.ver = gver;
	r.n_gver = 3;
	r.gver = gvers;
	r.message = (char *)"测试";
	r.hint = (char *)"可填：甲";
	assert_int_equal(
		outbox_sent(
			s, &(struct push_batch){.incarnation = s->incarnation, .first = op_no, .n = 1}, NULL),
		ERR_OK);
	assert_int_equal(store_begin(s, NULL), ERR_OK);
	assert_int_equal(outbox_answer(s, &r, NULL), ERR_OK);
	assert_int_equal(store_commit(s, NULL), ERR_OK);
}

/* The bureau takes no more at once, by number and by bytes: what is more goes in several pushes. */
static void a_push_is_no_larger_than_the_bureau_takes(void **state)
{
	enum { PUPILS = 100 };
	static char address[4001];
	struct push_batch batch;
	struct problem p = {0};
	struct fixture f;
	struct record want;
	struct arena arena;
	uint64_t sent = 0;
	int pushes = 0;

	(void)state;
	memset(address, 'x', sizeof address - 1);
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	for (int i = 0; i < PUPILS; i++) {
		struct item *made = NULL;
		char no[32];
		snprintf(no, sizeof no, "G32999900000000%04d", i);
		record_init(&want, kind_by_number(KIND_STUDENT));
		record_set_text(&want, F_STUDENT_NAME, "测甲");
		record_set_text(&want, F_STUDENT_STUDENT_NO, no);
		record_set_text(&want, F_STUDENT_LIVE_ADDRESS, address);
		assert_int_equal(outbox_put(v, &made, &want, UINT32_MAX, 0, &p), ERR_OK);
	}
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	do {
		size_t bytes = 0;
		arena_init(&arena, 1u << 20);
		assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
		for (size_t i = 0; i < batch.n; i++)
			bytes += batch.sizes[i];
		assert_true(bytes <= PUSH_BYTES_MAX);
		for (size_t i = 0; i < batch.n; i++)
			answer(f.store, ++sent, JINGGUAN__V1__OUTCOME__APPLIED, 1);
		pushes += batch.n > 0;
		arena_free(&arena);
	} while (batch.n);
	assert_int_equal(sent, PUPILS);
	assert_int_equal(pushes, 2);
	fixture_close(&f);
}

static void answers_move_the_queue(void **state)
{
	struct fixture f;
	struct outbox_counts counts;
	pb_op_result wrong = PB_OP_RESULT_INIT;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	put(v, NULL, "329999201403150025", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	assert_int_equal(
		outbox_sent(f.store, &(struct push_batch){.incarnation = 1, .first = 1, .n = 2}, NULL),
		ERR_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_UNKNOWN], 2);
	wrong.op_no = 2; /* I3: in order, gapless */
	assert_int_equal(outbox_answer(f.store, &wrong, NULL), ERR_PROTOCOL);
	answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	answer(f.store, 2, JINGGUAN__V1__OUTCOME__REJECTED, 0);
	struct op_row told;
	struct arena arena;
	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_read(f.store, 2, &arena, &told, NULL), ERR_OK);
	assert_string_equal(told.message, "测试"); /* what happened and what to do, as the bureau told them */
	assert_string_equal(told.hint, "可填：甲");
	arena_free(&arena);
	assert_int_equal(f.store->last_op, 2);
	assert_int_equal(live_count(f.store), 1); /* the accepted one stays until the pull brings it */
	fixture_reopen(&f);
	assert_int_equal(f.store->last_op, 2);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_ACCEPTED], 1);
	assert_int_equal(counts.of[OP_REFUSED], 1);
	fixture_close(&f);
}

static void a_restored_server_gets_it_again(void **state)
{
	pb_welcome w = PB_WELCOME_INIT;
	uint8_t genesis[HASH_SIZE];
	struct push_batch batch;
	struct arena arena;
	struct fixture f;
	size_t drafts;

	(void)state;
	fixture_open(&f, "registrar");
	hash_genesis(genesis, f.store->device, 1);
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	w.incarnation = 1;
	w.last_hash = (ProtobufCBinaryData){HASH_SIZE, genesis};
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	arena_init(&arena, 1u << 20);
	assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
	assert_int_equal(batch.n, 1);
	arena_free(&arena);
	assert_int_equal(live_count(f.store), 1);
	fixture_close(&f);
}

/* What was answered in an incarnation before a fork is the device's as much as what came behind it. */
static void a_restored_server_gets_the_incarnation_before_the_fork_first(void **state)
{
	uint8_t genesis[HASH_SIZE];
	pb_welcome w = PB_WELCOME_INIT;
	struct push_batch batch;
	struct arena arena;
	struct fixture f;
	size_t drafts;
	struct outbox_counts counts;

	(void)state;
	fixture_open(&f, "registrar");
	arena_init(&arena, 1u << 20);
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	put(v, NULL, "329999201403150025", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	answer(f.store, 2, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	w.has_incarnation = w.has_forked = w.has_last_op = w.has_known_incarnation = w.has_known_op = 1;
	w.incarnation = 2; /* the server has a third one that this disk, rolled back, does not hold */
	w.forked = 1;
	w.known_incarnation = 1;
	w.known_op = 3;
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150033", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
	assert_int_equal(batch.incarnation, 2);
	answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	assert_int_equal(outbox_settle(f.store, NULL), ERR_OK);

	hash_genesis(genesis, f.store->device, 2); /* restored: it ends behind the first operation of 1 */
	w.last_hash = (ProtobufCBinaryData){HASH_SIZE, genesis};
	w.forked = 0;
	w.known_op = 1;
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_UNKNOWN], 2); /* both are shown as not yet at the bureau */
	assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
	assert_int_equal(batch.incarnation, 1);
	assert_int_equal(batch.first, 2);
	assert_int_equal(batch.n, 1);
	answer(f.store, 2, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	assert_int_equal(f.store->last_op, 0);
	assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
	assert_int_equal(batch.incarnation, 2);
	assert_int_equal(batch.first, 1);
	answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_ACCEPTED], 3);

	w.known_op = 0; /* it went back once more, and comes back as it was before anything was sent again */
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_UNKNOWN], 3);
	w.last_op = 1;
	w.known_incarnation = 2;
	w.known_op = 1;
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	/* its own incarnation's: known by now, asked again all the same */
	assert_int_equal(counts.of[OP_UNKNOWN], 1);
	assert_int_equal(f.store->older.incarnation, 0);
	arena_free(&arena);
	fixture_close(&f);
}

/* What the server has of a lost store it cannot be sent again: a new incarnation can be. */
static void a_lost_store_begins_an_incarnation(void **state)
{
	pb_welcome w = PB_WELCOME_INIT;
	struct fixture f;
	size_t drafts;

	(void)state;
	fixture_open(&f, "registrar");
	f.store->incarnation = 0;
	w.incarnation = 3;
	w.last_op = 7;
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	assert_int_equal(f.store->incarnation, 4);
	assert_int_equal(f.store->last_op, 0);
	assert_int_equal(f.store->made, 0);
	fixture_close(&f);
}

static void a_fork_puts_the_unsent_before_a_person(void **state)
{
	pb_welcome w = PB_WELCOME_INIT;
	size_t drafts;
	struct outbox_counts counts;
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	w.incarnation = 2;
	w.forked = 1;
	assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
	assert_int_equal(drafts, 1);
	assert_int_equal(f.store->made, 0);
	assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
	assert_int_equal(counts.of[OP_DRAFT], 1);
	fixture_close(&f);
}

/* What was answered keeps its number through a fork: the next restore may ask for it. It is a draft only
 * where the server has something under its number, which may be something else. */
static void a_fork_leaves_what_was_answered_to_its_incarnation(void **state)
{
	static const struct {
		uint64_t known_op;
		size_t drafts;
	} at_fork[] = {{0, 1}, {1, 2}, {5, 3}};
	uint8_t genesis[HASH_SIZE];
	struct outbox_counts counts;
	struct push_batch batch;
	struct arena arena;
	struct fixture f;
	size_t drafts;

	(void)state;
	for (size_t i = 0; i < sizeof at_fork / sizeof *at_fork; i++) {
		pb_welcome w = PB_WELCOME_INIT;
		fixture_open(&f, "registrar");
		arena_init(&arena, 1u << 20);
		struct view *v = load(f.store);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		put(v, NULL, "329999201403150017", "1");
		put(v, NULL, "329999201403150025", "1");
		put(v, NULL, "329999201403150033", "1");
		assert_int_equal(store_commit(f.store, NULL), ERR_OK);
		answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
		answer(f.store, 2, JINGGUAN__V1__OUTCOME__REJECTED, 0);
		answer(f.store, 3, JINGGUAN__V1__OUTCOME__APPLIED, 1);
		w.incarnation = w.known_incarnation = 1; /* restored: all of it is to go again */
		w.has_known_incarnation = 1;
		hash_genesis(genesis, f.store->device, 1);
		w.last_hash = (ProtobufCBinaryData){HASH_SIZE, genesis};
		assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
		assert_int_equal(store_begin(f.store, NULL), ERR_OK);
		put(v, NULL, "329999201403150041", "1");
		assert_int_equal(store_commit(f.store, NULL), ERR_OK);
		view_free(v);

		w.incarnation = 2; /* and this disk was put back to here since */
		w.forked = 1;
		w.known_op = at_fork[i].known_op;
		assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
		assert_int_equal(drafts, at_fork[i].drafts);
		w.forked = 0;
		w.known_op = 0; /* restored once more */
		hash_genesis(genesis, f.store->device, 2);
		assert_int_equal(outbox_welcome(f.store, &w, &drafts, NULL), ERR_OK);
		assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
		assert_int_equal(batch.incarnation, 1);
		assert_int_equal(batch.first, 1);
		assert_int_equal(batch.n, 3);
		answer(f.store, 1, JINGGUAN__V1__OUTCOME__APPLIED, 1);
		answer(f.store, 2, JINGGUAN__V1__OUTCOME__REJECTED, 0);
		answer(f.store, 3, JINGGUAN__V1__OUTCOME__APPLIED, 1);
		assert_int_equal(outbox_batch(f.store, &batch, &arena, NULL), ERR_OK);
		assert_int_equal(batch.n, 0);
		assert_int_equal(outbox_counts(f.store, &counts, NULL), ERR_OK);
		assert_int_equal(counts.of[OP_ACCEPTED], 2);
		assert_int_equal(counts.of[OP_REFUSED], 1);
		assert_int_equal(counts.of[OP_DRAFT], 1);
		arena_free(&arena);
		fixture_close(&f);
	}
}

static void the_file_shows_no_pupil(void **state)
{
	char path[160], buffer[4096];
	struct fixture f;
	size_t n;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	snprintf(path, sizeof path, "%s/store.db", f.dir);
	FILE *in = fopen(path, "r");
	while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) {
		assert_null(memmem(buffer, n, "3299992014", 10));
		assert_null(memmem(buffer, n, "测甲", strlen("测甲")));
	}
	fclose(in);
	fixture_close(&f);
}

/* A value copied to another row does not open: the row is part of the seal. */
static void a_moved_value_is_refused(void **state)
{
	struct fixture f;
	struct view *v;
	struct problem p = {0};

	(void)state;
	fixture_open(&f, "registrar");
	v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	put(v, NULL, "329999201403150025", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	sqlite3_exec(f.store->db,
		"UPDATE outbox SET bytes = (SELECT bytes FROM outbox WHERE n = 2) WHERE n = 1", NULL, NULL,
		NULL);
	assert_int_equal(view_load(&v, f.store, kinds, &p), ERR_STORE);
	fixture_close(&f);
}

static void stage(struct store *s, const uint8_t id[ID_SIZE], Jingguan__V1__Action action,
	const char *class_no, struct staging_end *end)
{
	struct record r;

	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测乙");
	record_set_text(&r, F_STUDENT_CLASS_NO, class_no);
	fixture_stage(s, id, action, &r, end);
}

/* C6, C7: staged rows are not visible; the commit shows them with the cursor, and the digest says whether
 * they agree. */
static void pulls_commit_at_once(void **state)
{
	static const uint8_t a[ID_SIZE] = {1}, b[ID_SIZE] = {2};
	struct staging_end end = {.cursor = 7, .epoch = 1};
	struct stream_state streams[STORE_STREAMS_MAX];
	size_t n;
	struct fixture f;
	bool agreed;

	(void)state;
	fixture_open(&f, "registrar");
	stage(f.store, a, JINGGUAN__V1__ACTION__PUT, "1", &end);
	stage(f.store, b, JINGGUAN__V1__ACTION__PUT, "2", &end);
	assert_int_equal(live_count(f.store), 0);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_true(agreed);
	fixture_reopen(&f);
	assert_int_equal(live_count(f.store), 2);
	assert_int_equal(store_streams(f.store, streams, &n, NULL), ERR_OK);
	assert_int_equal(n, 2);
	assert_int_equal(streams[1].cursor, 7);
	stage(f.store, a, JINGGUAN__V1__ACTION__DEL, "1", &end);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_true(agreed);
	assert_int_equal(live_count(f.store), 1);
	end.lanes[0]++;
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_false(agreed);
	/* In one database a trace only grows, and what was signed stays: anything else is a rewrite, and
	 * nothing of the pull is shown. */
	end.audit_n = 5;
	end.sig_len = 8;
	end.head[0] = 1;
	end.cursor = 9;
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	end.cursor = 10;
	end.head[0] = 2;
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_CHAIN);
	end.audit_n = 4;
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_CHAIN);
	assert_int_equal(store_streams(f.store, streams, &n, NULL), ERR_OK);
	assert_int_equal(streams[1].cursor, 9);
	end.epoch = 2; /* another database: restored from a backup, say */
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	/* An empty answer that the digest does not prove takes nothing away. */
	struct staging_end empty = {.whole = true, .lanes = {7}};
	assert_int_equal(staging_commit(f.store, 2132999001, &empty, true, &agreed, NULL), ERR_OK);
	assert_false(agreed);
	assert_int_equal(live_count(f.store), 1);
	/* A whole pull that brings nothing leaves nothing. */
	assert_int_equal(staging_reset(f.store, 2132999001, NULL), ERR_OK);
	assert_int_equal(live_count(f.store), 1);
	end = (struct staging_end){.whole = true};
	assert_int_equal(staging_commit(f.store, 2132999001, &end, true, &agreed, NULL), ERR_OK);
	assert_true(agreed);
	assert_int_equal(live_count(f.store), 0);
	fixture_close(&f);
}

static void a_passphrase_guards_the_key(void **state)
{
	struct problem p = {0};
	struct fixture f;

	(void)state;
	setenv("JG_PASSPHRASE", "correct horse", 1);
	fixture_open(&f, "registrar");
	assert_int_equal(f.profile.key_place, KEY_PASSPHRASE);
	store_close(f.store);
	setenv("JG_PASSPHRASE", "wrong horse", 1);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_PERMISSION);
	setenv("JG_PASSPHRASE", "correct horse", 1);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_OK);
	unsetenv("JG_PASSPHRASE");
	fixture_close(&f);
}

/* Without passphrase and bus the key is in a file; a store whose key is gone gets no other one. */
static void a_lost_key_is_not_replaced(void **state)
{
	struct problem p = {0};
	struct stat st;
	struct fixture f;
	char key[160], aside[160], number[160];

	(void)state;
	fixture_open(&f, "registrar");
	assert_int_equal(f.profile.key_place, KEY_FILE);
	snprintf(key, sizeof key, "%s/store.key", f.dir);
	snprintf(aside, sizeof aside, "%s/aside", f.dir);
	snprintf(number, sizeof number, "%s/store.keyring", f.dir);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(f.store);
	assert_int_equal(rename(key, aside), 0);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_FILE_DAMAGED);
	assert_int_not_equal(access(key, F_OK), 0);
	/* A number of a keyring that is not there: said, and nothing made. */
	fixture_write(&f, "store.keyring", "jgk30123456789abcdef", number);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_KEYRING);
	assert_true(p.message[0] && p.safe[0] && p.hint[0]);
	assert_int_equal(f.profile.key_place, KEY_KEYRING);
	fixture_write(&f, "store.keyring", "jgk3", number);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_FILE_DAMAGED);
	assert_int_not_equal(access(key, F_OK), 0);
	unlink(number);
	assert_int_equal(rename(aside, key), 0);
	assert_int_equal(store_open(&f.store, &f.profile, &p), ERR_OK);
	fixture_close(&f);
}

static enum err take_seen(void *data, const struct op_row *row)
{
	*(uint32_t *)data = row->del ? row->groups : 0;
	return ERR_OK;
}

/* Deleting needs the whole record as the author saw it. */
static void a_deletion_names_all_that_was_seen(void **state)
{
	struct fixture f;
	uint32_t groups = 0;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	struct item *item = put(v, NULL, "329999201403150017", "1");
	assert_int_equal(outbox_delete(v, item, 0, NULL), ERR_OK);
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	assert_int_equal(outbox_each(f.store, 1u << OP_WAITING, 0, take_seen, &groups, NULL), ERR_OK);
	assert_int_equal(groups, 3); /* identity and class: what put() wrote */
	fixture_close(&f);
}

/* A clock that falls back does not take the county's time with it; a server's clock that was wrong and was
 * set back does. */
static void the_countys_time_is_what_was_heard_last(void **state)
{
	const int64_t year = INT64_C(365) * 86400 * 1000000, now = clock_now_us();
	struct profile p = {0};

	(void)state;
	profile_heard(&p, now + 10 * year);
	assert_true(profile_now_us(&p) >= now + 10 * year);
	profile_heard(&p, now);
	assert_true(profile_now_us(&p) < now + year);
	p.skew_us += 17 * year;
	assert_true(profile_now_us(&p) == now);
}

/* What is left open would be read as if it were stored, and sent. */
static void rolls_back_without_memory(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	view_free(v);
	sqlite3_hard_heap_limit64(1);
	store_rollback(f.store);
	sqlite3_hard_heap_limit64(0);
	assert_true(sqlite3_get_autocommit(f.store->db));
	assert_int_equal(live_count(f.store), 0);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	store_rollback(f.store);
	fixture_close(&f);
}

static int interrupted(void *data)
{
	(void)data;
	return 1;
}

/* An error while reading is never "nothing waits". */
static void what_cannot_be_read_is_not_zero(void **state)
{
	struct fixture f;
	struct outbox_counts counts;
	struct blob_counts files;
	struct problem p = {0};
	char text[16];
	int64_t number;

	(void)state;
	fixture_open(&f, "registrar");
	struct view *v = load(f.store);
	assert_int_equal(store_begin(f.store, NULL), ERR_OK);
	put(v, NULL, "329999201403150017", "1");
	assert_int_equal(store_commit(f.store, NULL), ERR_OK);
	view_free(v);
	assert_int_equal(outbox_counts(f.store, &counts, &p), ERR_OK);
	assert_int_equal(counts.unsent, 1);
	assert_true(counts.oldest > 0);
	for (int times = 0; times < 2;
		times++) { /* each statement at its first step, then none of them can be prepared */
		if (times == 0)
			sqlite3_progress_handler(f.store->db, 1, interrupted, NULL);
		else
			assert_int_equal(sqlite3_exec(f.store->db,
						 "DROP TABLE outbox; DROP TABLE blob; DROP TABLE meta", NULL,
						 NULL, NULL),
				SQLITE_OK);
		assert_int_equal(outbox_counts(f.store, &counts, &p), ERR_STORE);
		assert_int_equal(p.code, ERR_STORE);
		assert_int_equal(blob_counts(f.store, &files, NULL), ERR_STORE);
		assert_int_equal(store_get_int(f.store, "last_try", &number, NULL), ERR_STORE);
		assert_int_equal(store_get_text(f.store, "last_error", text, sizeof text, NULL), ERR_STORE);
		sqlite3_progress_handler(f.store->db, 0, NULL, NULL);
	}
	fixture_close(&f);
}

/* SQLite's word reaches the caller: without memory nothing is wrong with the store. */
static void the_cause_is_told_where_a_statement_cannot_be_prepared(void **state)
{
	char what[3000];
	struct problem p = {0};
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	memset(what, 'x', sizeof what - 1);
	what[sizeof what - 1] = 0;
	sqlite3_hard_heap_limit64(1);
	enum err streams = store_add_stream(f.store, 7, what, &p), told = p.code;
	p = (struct problem){0};
	enum err counted = outbox_counts(f.store, &(struct outbox_counts){0}, &p), told_of_counts = p.code;
	sqlite3_hard_heap_limit64(0);
	assert_int_equal(streams, ERR_NOMEM);
	assert_int_equal(told, ERR_NOMEM);
	assert_int_equal(counted, ERR_NOMEM);
	assert_int_equal(told_of_counts, ERR_NOMEM);
	assert_int_equal(store_add_stream(f.store, 7, "school", &p), ERR_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cause_is_told_where_a_statement_cannot_be_prepared),
		cmocka_unit_test(survives_a_kill),
		cmocka_unit_test(pending_writes_are_visible_and_chained),
		cmocka_unit_test(answers_move_the_queue),
		cmocka_unit_test(a_restored_server_gets_it_again),
		cmocka_unit_test(a_restored_server_gets_the_incarnation_before_the_fork_first),
		cmocka_unit_test(a_lost_store_begins_an_incarnation),
		cmocka_unit_test(a_fork_puts_the_unsent_before_a_person),
		cmocka_unit_test(a_fork_leaves_what_was_answered_to_its_incarnation),
		cmocka_unit_test(a_push_is_no_larger_than_the_bureau_takes),
		cmocka_unit_test(the_file_shows_no_pupil),
		cmocka_unit_test(a_moved_value_is_refused),
		cmocka_unit_test(pulls_commit_at_once),
		cmocka_unit_test(a_passphrase_guards_the_key),
		cmocka_unit_test(the_countys_time_is_what_was_heard_last),
		cmocka_unit_test(rolls_back_without_memory),
		cmocka_unit_test(what_cannot_be_read_is_not_zero),
		cmocka_unit_test(a_deletion_names_all_that_was_seen),
		cmocka_unit_test(a_lost_key_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
