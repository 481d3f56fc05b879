/* Want of memory is never a verdict about the peer: not a key that nobody has (REVOKED, at which a client
 * destroys its data), not a bad signature (which accuses the county), not a bad request. tls, sealed_key,
 * server/pki.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "nomem_openssl.h"
#include "pki.h"
#include "sealed_key.h"
#include "tls.h"
#include "tls_identity.h"

static struct identity ca, leaf;
static uint8_t leaf_spki[32];

/* With one allocation that fails, and with all from it on. */
static void without_memory(const char *name, enum err (*scenario)(void *), void *data, enum err other)
{
	assert_int_equal(scenario(data), ERR_OK); /* what OpenSSL makes once a process stands from here on */
	for (nomem_lasts = 0; nomem_lasts < 2; nomem_lasts++)
		nomem_until_it_works(name, scenario, data, other, 1);
	nomem_lasts = 0;
}

static enum err key_of_a_certificate(void *data)
{
	uint8_t spki[32];
	enum err e = tls_spki(data, spki);

	if (!e)
		assert_memory_equal(spki, leaf_spki, 32);
	return e;
}

static void no_key_is_not_another_key(void **state)
{
	(void)state;
	without_memory("key", key_of_a_certificate, leaf.cert, ERR_NOMEM);
}

static bool verifies(const uint8_t *sig, size_t n, const void *text, size_t text_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, leaf.key) == 1 &&
		EVP_DigestVerify(ctx, sig, n, text, text_len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

static enum err signature(void *data)
{
	uint8_t sig[SIGNATURE_MAX];
	size_t n = signature_make(data, "abc", 3, sig);
	long in = nomem_in;

	nomem_in = 0;
	assert_true(n == 0 || (n <= 72 && verifies(sig, n, "abc", 3)));
	nomem_in = in;
	return n ? ERR_OK : ERR_NOMEM;
}

static void a_signature_is_good_or_none(void **state)
{
	(void)state;
	without_memory("signature", signature, leaf.key, ERR_OK);
}

struct request {
	unsigned char *der;
	int n;
};

static enum err certificate(void *data)
{
	const struct request *q = data;
	unsigned char *der;
	uint8_t spki[32];
	int n;
	enum err e = pki_issue(ca.cert, ca.key, q->der, (size_t)q->n,
		&(struct pki_device){"device", "2132990001", .epoch = 1, .now_s = 1800000000}, 329999, &der,
		&n, spki);

	assert_true(e ? !der : n > 0);
	if (!e)
		assert_memory_equal(spki, leaf_spki, 32);
	OPENSSL_free(der);
	return e == ERR_INTERNAL ? ERR_NOMEM : e;
}

static void a_request_is_not_bad_for_it(void **state)
{
	struct request q = {0};
	X509_REQ *req = X509_REQ_new();

	(void)state;
	assert_true(req && X509_REQ_set_pubkey(req, leaf.key) && X509_REQ_sign(req, leaf.key, EVP_sha256()));
	q.n = i2d_X509_REQ(req, &q.der);
	without_memory("certificate", certificate, &q, ERR_OK);
	X509_REQ_free(req);
	OPENSSL_free(q.der);
}

static enum err code_text(void *data)
{
	static const uint8_t secret[SECRET_SIZE];
	char code[CONNECT_CODE_TEXT + 160];
	enum err e = pki_connect_code(code, ca.cert, secret, "");

	assert_true(e ? !code[0] : !strncmp(code, data, 19));
	return e;
}

static void a_code_names_the_county(void **state)
{
	static const uint8_t secret[SECRET_SIZE];
	char code[CONNECT_CODE_TEXT + 160];

	(void)state;
	assert_int_equal(pki_connect_code(code, ca.cert, secret, ""), ERR_OK);
	without_memory("connect code", code_text, code, ERR_NOMEM);
}

static enum err open_box(void *data)
{
	char school[SEALED_KEY_SCHOOL];
	uint8_t key[SEALED_KEY_BYTES];

	return sealed_key_open(ca.key, data, SEALED_KEY_SIZE, school, key);
}

static void a_sealed_key_is_not_damaged_by_it(void **state)
{
	uint8_t box[SEALED_KEY_SIZE], key[SEALED_KEY_BYTES] = {1};

	(void)state;
	assert_int_equal(sealed_key_make(ca.key, "2132990001", key, box), ERR_OK);
	without_memory("sealed key", open_box, box, ERR_OK);
	box[SEALED_KEY_SIZE - 1] ^= 1;
	assert_int_equal(open_box(box), ERR_INVALID);
}

static bool take(void *data, const uint8_t *bytes, size_t n)
{
	buf_add(data, bytes, n);
	return true;
}

struct said {
	struct tls tls;
	uint8_t sig[SIGNATURE_MAX];
	size_t n;
};

static enum err peer_signed(void *data)
{
	struct said *s = data;

	return tls_peer_signed(&s->tls, "abc", 3, s->sig, s->n);
}

static enum err peer_key(void *data)
{
	uint8_t spki[32];
	enum err e = tls_peer_spki(&((struct said *)data)->tls, spki);

	if (!e)
		assert_memory_equal(spki, leaf_spki, 32);
	return e;
}

static void a_peer_is_not_accused(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context_of(&leaf);
	struct said s = {0};
	struct tls server;
	struct buf up = {0}, down = {0}, got = {0};

	(void)state;
	assert_int_equal(tls_init(&s.tls, cc, false), ERR_OK);
	assert_int_equal(tls_init(&server, sc, true), ERR_OK);
	assert_int_equal(tls_start(&s.tls, &up), ERR_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tls_feed(&server, up.data, up.len, &down, take, &got), ERR_OK);
		up.len = 0;
		assert_int_equal(tls_feed(&s.tls, down.data, down.len, &up, take, &got), ERR_OK);
		down.len = 0;
	}
	s.n = signature_make(leaf.key, "abc", 3, s.sig);
	without_memory("peer's key", peer_key, &s, ERR_NOMEM);
	without_memory("peer's signature", peer_signed, &s, ERR_OK);
	s.sig[s.n - 1] ^= 1;
	assert_int_equal(peer_signed(&s), ERR_CHAIN);
	tls_free(&s.tls);
	tls_free(&server);
	buf_free(&up);
	buf_free(&down);
	buf_free(&got);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static int setup(void **state)
{
	(void)state;
	ca = issue(NULL, "county");
	leaf = issue(&ca, "jgd");
	return tls_spki(leaf.cert, leaf_spki) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	identity_free(&ca);
	identity_free(&leaf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_key_is_not_another_key),
		cmocka_unit_test(a_signature_is_good_or_none), cmocka_unit_test(a_request_is_not_bad_for_it),
		cmocka_unit_test(a_code_names_the_county),
		cmocka_unit_test(a_sealed_key_is_not_damaged_by_it), cmocka_unit_test(a_peer_is_not_accused)};

	if (!nomem_openssl())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
