/* Covers client/core/revoked.c and profile.c when memory runs out: what was not sent is sealed whole or
 * stays, and a key that could not be read is not one that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "blobs.h"
#include "core_fixture.h"
#include "nomem_openssl.h"
#include "outbox.h"
#include "revoked.h"
#include "tls_identity.h"

static struct identity ca;

/* One operation and one file wait. */
static void waiting(struct fixture *f)
{
	static uint8_t bytes[20000];
	struct item *item = NULL;
	struct record r;
	struct view *v;

	fixture_open(f, "registrar");
	assert_int_equal(view_load(&v, f->store, kinds_all, NULL), ERR_OK);
	assert_int_equal(store_begin(f->store, NULL), ERR_OK);
	record_init(&r, kind_by_number(KIND_STUDENT));
	record_set_text(&r, F_STUDENT_NAME, "测甲");
	record_set_text(&r, F_STUDENT_CERT_NO, "329999201403150017");
	assert_int_equal(outbox_put(v, &item, &r, UINT32_MAX, 0, NULL), ERR_OK);
	assert_int_equal(blob_keep(f->store, bytes, sizeof bytes, NULL), ERR_OK);
	assert_int_equal(store_commit(f->store, NULL), ERR_OK);
	view_free(v);
	store_close(f->store);
	f->profile.ca = X509_dup(ca.cert);
}

static long size_of(const struct fixture *f, const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", f->dir, name);
	return stat(path, &st) ? -1 : (long)st.st_size;
}

static void forget(struct fixture *f)
{
	char command[128];

	profile_close(&f->profile);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
}

static enum err seal(void *data)
{
	long in = nomem_in, *whole = data;
	struct revoked_kept kept;
	struct problem p = {0};
	struct fixture f;

	nomem_in = 0;
	waiting(&f);
	nomem_in = in;
	enum err e = revoked_seal(&f.profile, &kept, &p);
	in = nomem_in;
	nomem_in = 0;
	if (!e) {
		assert_true(*whole == 0 || size_of(&f, "unsent.sealed") == *whole);
		*whole = size_of(&f, "unsent.sealed");
		assert_int_equal(size_of(&f, "store.db"), -1);
	} else {
		assert_true(size_of(&f, "store.db") > 0);
	}
	forget(&f);
	nomem_in = in;
	return e ? ERR_NOMEM : ERR_OK; /* the store says it in its own words */
}

static void sealed_whole_or_not_at_all(void **state)
{
	long whole = 0;

	(void)state;
	assert_int_equal(seal(&whole), ERR_OK);
	assert_true(whole > 20000);
	nomem_until_it_works("seal", seal, &whole, ERR_OK, 10);
}

static enum err open_profile(void *data)
{
	struct problem p = {0};
	struct profile profile;
	enum err e = profile_open(&profile, data, &p);

	if (!e) {
		assert_true(profile.key && profile.cert && profile.ca);
		profile_close(&profile);
	}
	return e ? ERR_NOMEM : ERR_OK; /* jansson says it in its own words */
}

static void a_key_that_cannot_be_read_is_there(void **state)
{
	static const char *const names[] = {"key.pem", "cert.pem", "ca.pem"};
	struct fixture f;
	char path[160];

	(void)state;
	waiting(&f);
	profile_unlock(&f.profile);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", f.dir, names[i]);
		FILE *out = fopen(path, "w");
		assert_true(out &&
			(i ? PEM_write_X509(out, ca.cert)
			   : PEM_write_PrivateKey(out, ca.key, NULL, NULL, 0, NULL, NULL)));
		fclose(out);
	}
	assert_int_equal(open_profile(f.dir), ERR_OK); /* what OpenSSL makes once a process */
	nomem_until_it_works("profile", open_profile, f.dir, ERR_OK, 10);
	forget(&f);
}

static int setup(void **state)
{
	(void)state;
	ca = issue(NULL, "county");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	identity_free(&ca);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(sealed_whole_or_not_at_all),
		cmocka_unit_test(a_key_that_cannot_be_read_is_there)};

	if (!nomem_openssl())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
