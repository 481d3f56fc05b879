/* Covers client/core/owner.c and what link.c does meanwhile. script/test --long runs it under ThreadSanitizer
 * too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <time.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "core_fixture.h"
#include "owner.h"
#include "tls_identity.h"

#define DEEDS 60

static struct fixture f;
static struct owner *owner;
static atomic_uint changes, ended, failures;

static void on_changed(void *data)
{
	(void)data;
	changes++;
}

static void on_done(void *data, enum err e, const struct problem *p)
{
	(void)data;
	(void)p;
	failures += e != ERR_OK;
	ended++;
}

static void begin(const char *server)
{
	struct identity of = {EVP_EC_gen("P-256"), NULL};

	fixture_open(&f, "registrar");
	store_close(f.store);
	identity_free(&of);
	of = issue(NULL, "device");
	f.profile.key = of.key;
	f.profile.cert = of.cert;
	f.profile.ca = X509_dup(of.cert);
	snprintf(f.profile.server, sizeof f.profile.server, "%s", server);
	changes = ended = failures = 0;
	assert_int_equal(owner_start(&owner, &f.profile, on_changed, NULL, NULL), ERR_OK);
}

static void end(void)
{
	owner_stop(owner);
	assert_int_equal(store_open(&f.store, &f.profile, NULL), ERR_OK);
	fixture_close(&f);
}

static size_t pupils(const struct snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->view->n; i++)
		n += s->view->items[i]->live;
	return n;
}

static enum err add_one(struct view *v, int number, struct problem *p)
{
	struct record want;
	struct item *item = NULL;
	char no[24];

	record_init(&want, kind_by_number(KIND_STUDENT));
	snprintf(no, sizeof no, "G%08d", number);
	record_set_text(&want, F_STUDENT_NAME, "测甲");
	record_set_text(&want, F_STUDENT_CERT_TYPE, "H");
	record_set_text(&want, F_STUDENT_CERT_NO, no);
	return outbox_put(v, &item, &want, UINT32_MAX, 0, p);
}

/* Two at a time: half of a deed would be odd. */
static enum err add_two(struct view *v, void *data, struct problem *p)
{
	int number = (int)(intptr_t)data;
	enum err e = add_one(v, 2 * number, p);

	return e ? e : add_one(v, 2 * number + 1, p);
}

static enum err add_one_and_fail(struct view *v, void *data, struct problem *p)
{
	enum err e = add_one(v, (int)(intptr_t)data, p);

	return e ? e : problem_set(p, ERR_INVALID, NULL, NULL, "no");
}

static void pause_ms(unsigned ms)
{
	struct timespec t = {0, (long)ms * 1000000};

	nanosleep(&t, NULL);
}

static void a_snapshot_is_of_one_moment(void **state)
{
	uint64_t number = 0;
	size_t n = 0;

	(void)state;
	begin("127.0.0.1:1");
	for (int i = 0; i < DEEDS; i++)
		assert_int_equal(owner_do(owner, i % 5 == 4 ? add_one_and_fail : add_two, on_done,
					 (void *)(intptr_t)(i + 1)),
			ERR_OK);
	while (ended < DEEDS || n < DEEDS / 5 * 4 * 2) {
		struct snapshot *s = owner_snapshot(owner);
		assert_true(s->number >= number);
		size_t now = pupils(s);
		assert_true(now >= n && now % 2 == 0);
		assert_int_equal(s->outbox.unsent, now);
		number = s->number;
		n = now;
		snapshot_release(s);
		pause_ms(1);
	}
	assert_int_equal(failures, DEEDS / 5);
	assert_int_equal(n, DEEDS / 5 * 4 * 2);
	assert_true(changes > 0);
	/* An old one stays what it was. */
	struct snapshot *old = owner_snapshot(owner);
	assert_int_equal(owner_do(owner, add_two, on_done, (void *)(intptr_t)500), ERR_OK);
	while (ended < DEEDS + 1)
		pause_ms(1);
	assert_int_equal(pupils(old), n);
	snapshot_release(old);
	end();
}

static void what_was_posted_is_done_before_the_end(void **state)
{
	(void)state;
	begin("127.0.0.1:1");
	for (int i = 0; i < DEEDS; i++)
		assert_int_equal(owner_do(owner, add_two, on_done, (void *)(intptr_t)(i + 1)), ERR_OK);
	owner_stop(owner);
	assert_int_equal(ended, DEEDS);
	assert_int_equal(owner_start(&owner, &f.profile, NULL, NULL, NULL), ERR_OK);
	struct snapshot *s = owner_snapshot(owner);
	assert_int_equal(pupils(s), 2 * DEEDS);
	snapshot_release(s);
	end();
}

static bool wait_for(bool syncing)
{
	for (int i = 0; i < 3000; i++) {
		struct snapshot *s = owner_snapshot(owner);
		bool is = s->syncing;
		snapshot_release(s);
		if (is == syncing)
			return true;
		pause_ms(10);
	}
	return false;
}

/* A server that takes the connection and says nothing: what is typed meanwhile is on disk long before the
 * link gives up, and a person who has enough of it ends it. */
static void a_silent_server_holds_nobody_up(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	char server[32];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(server, sizeof server, "127.0.0.1:%u", ntohs(at.sin_port));
	begin(server);
	owner_sync(owner, false);
	assert_true(wait_for(true));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(owner_do(owner, add_two, on_done, (void *)(intptr_t)(i + 1)), ERR_OK);
		while (ended < (unsigned)i + 1)
			pause_ms(1);
		struct snapshot *s = owner_snapshot(owner);
		assert_true(s->syncing); /* LINK_CONNECT_MS are not over */
		snapshot_release(s);
	}
	owner_cancel(owner);
	assert_true(wait_for(false));
	struct snapshot *s = owner_snapshot(owner);
	assert_int_equal(s->synced, ERR_NOT_NOW);
	assert_int_equal(pupils(s), 10);
	assert_int_equal(s->outbox.unsent, 10);
	snapshot_release(s);
	/* Again, and stopped in the middle of it. */
	owner_sync(owner, false);
	assert_true(wait_for(true));
	end();
	close(fd);
}

static int silent_server(char server[32])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(server, 32, "127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

static bool somebody_comes(int fd)
{
	for (int i = 0; i < 500; i++) {
		if (accept(fd, NULL, NULL) >= 0)
			return true;
		pause_ms(10);
	}
	return false;
}

static void cancelled_and_wanted_again(void **state)
{
	char server[32];
	int fd = silent_server(server);

	(void)state;
	begin(server);
	owner_sync(owner, false);
	assert_true(wait_for(true));
	assert_true(somebody_comes(fd));
	owner_cancel(owner);
	owner_sync(owner, false);
	assert_true(somebody_comes(fd));
	assert_true(wait_for(true));
	end();
	close(fd);
}

static atomic_bool held;

/* The owner's thread stands still. */
static enum err hold(struct view *v, void *data, struct problem *p)
{
	(void)v;
	(void)data;
	(void)p;
	while (held)
		pause_ms(1);
	return ERR_OK;
}

static void all_of_it_is_more_than_a_push(void **state)
{
	char server[32];
	int fd = silent_server(server);

	(void)state;
	begin(server);
	held = true;
	assert_int_equal(owner_do(owner, hold, on_done, NULL), ERR_OK);
	owner_sync(owner, false);
	owner_sync(owner, true);
	held = false;
	assert_true(wait_for(true));
	struct snapshot *s = owner_snapshot(owner);
	assert_false(s->push_only);
	snapshot_release(s);
	end();
	close(fd);
}

static struct store *stored;

static enum err add_and_tell(struct view *v, void *data, struct problem *p)
{
	stored = v->store;
	return add_two(v, data, p);
}

/* As do_connect does between two deeds: the server knows another incarnation. */
static void fork_it(void *data, enum err e, const struct problem *p)
{
	pb_welcome welcome = PB_WELCOME_INIT;
	size_t drafts;

	on_done(data, e, p);
	welcome.incarnation = 2;
	welcome.forked = 1;
	failures += outbox_welcome(stored, &welcome, &drafts, NULL) != ERR_OK || drafts != 2;
}

static enum err look_for_drafts(struct view *v, void *data, struct problem *p)
{
	(void)data;
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i]->live)
			return problem_set(
				p, ERR_INVALID, NULL, NULL, "a draft is shown as if it were on its way");
	return ERR_OK;
}

static void a_deed_sees_what_was_written_past_it(void **state)
{
	(void)state;
	begin("127.0.0.1:1");
	held = true; /* both deeds are there before the first one runs */
	assert_int_equal(owner_do(owner, hold, on_done, NULL), ERR_OK);
	assert_int_equal(owner_do(owner, add_and_tell, fork_it, (void *)(intptr_t)1), ERR_OK);
	assert_int_equal(owner_do(owner, look_for_drafts, on_done, NULL), ERR_OK);
	held = false;
	while (ended < 3)
		pause_ms(1);
	assert_int_equal(failures, 0);
	end();
}

static void a_store_that_does_not_open_is_told(void **state)
{
	struct problem p = {0};
	char path[160];

	(void)state;
	fixture_open(&f, "registrar");
	store_close(f.store);
	fixture_write(&f, "store.db",
		"this is no database, but it is long enough to be looked at as one "
		"........................................................................",
		path);
	assert_int_not_equal(owner_start(&owner, &f.profile, NULL, NULL, &p), ERR_OK);
	assert_null(owner);
	assert_true(p.message[0] != 0);
	unlink(path);
	assert_int_equal(store_open(&f.store, &f.profile, NULL), ERR_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_snapshot_is_of_one_moment),
		cmocka_unit_test(what_was_posted_is_done_before_the_end),
		cmocka_unit_test(a_silent_server_holds_nobody_up),
		cmocka_unit_test(cancelled_and_wanted_again), cmocka_unit_test(all_of_it_is_more_than_a_push),
		cmocka_unit_test(a_deed_sees_what_was_written_past_it),
		cmocka_unit_test(a_store_that_does_not_open_is_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
