/* Covers common/tls.c: a client and a server that talk through byte arrays, every record cut at every
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tls_identity.h"

static struct identity ca, other_ca, leaf;

struct end {
	struct tls tls;
	struct buf out, got;
	enum err err;
};

static bool take_plain(void *data, const uint8_t *bytes, size_t n)
{
	buf_add(&((struct end *)data)->got, bytes, n);
	return true;
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
	unsigned in_len, void *data)
{
	(void)ssl;
	(void)data;
	/* The first that the client offers. */
	*out = in + 1;
	*n = in[0];
	return in_len > in[0] ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *server_context(void)
{
	SSL_CTX *ctx = server_context_of(&leaf);

	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	return ctx;
}

static void pair_init(struct end *client, struct end *server, SSL_CTX *cc, SSL_CTX *sc, const char *alpn)
{
	unsigned char wire[64];

	memset(client, 0, sizeof *client);
	memset(server, 0, sizeof *server);
	assert_int_equal(tls_init(&client->tls, cc, false), ERR_OK);
	assert_int_equal(tls_init(&server->tls, sc, true), ERR_OK);
	wire[0] = (unsigned char)strlen(alpn);
	memcpy(wire + 1, alpn, wire[0]);
	SSL_set_alpn_protos(client->tls.ssl, wire, wire[0] + 1u);
	client->err = tls_start(&client->tls, &client->out);
}

static void end_free(struct end *e)
{
	tls_free(&e->tls);
	buf_free(&e->out);
	buf_free(&e->got);
}

/* Carries what `from` has written to `to`, in two pieces cut at `at` (or byte by byte when at is 0). */
static void carry(struct end *from, struct end *to, size_t at)
{
	struct buf bytes = from->out;

	from->out = (struct buf){0};
	for (size_t i = 0; i < bytes.len && !to->err;) {
		size_t n;
		if (at == 0)
			n = 1;
		else if (i < at && at < bytes.len)
			n = at - i;
		else
			n = bytes.len - i;
		/* A copy of its own size, so that a sanitizer sees a read beyond the piece. */
		uint8_t *piece = malloc(n);
		memcpy(piece, bytes.data + i, n);
		to->err = tls_feed(&to->tls, piece, n, &to->out, take_plain, to);
		free(piece);
		i += n;
	}
	buf_free(&bytes);
}

static void shake(struct end *client, struct end *server, size_t at)
{
	for (int i = 0; i < 10 && (client->out.len || server->out.len); i++) {
		carry(client, server, at);
		carry(server, client, at);
	}
}

static void talk(struct end *client, struct end *server, size_t at)
{
	static const char question[] = "a question of some length, to have something to cut";
	static uint8_t answer[40000];

	for (size_t i = 0; i < sizeof answer; i++)
		answer[i] = (uint8_t)(i * 7);
	shake(client, server, at);
	assert_int_equal(client->err, ERR_OK);
	assert_int_equal(server->err, ERR_OK);
	assert_true(client->tls.ready && server->tls.ready);
	assert_int_equal(
		tls_write(&client->tls, (const uint8_t *)question, sizeof question, &client->out), ERR_OK);
	carry(client, server, at);
	assert_int_equal(server->got.len, sizeof question);
	assert_memory_equal(server->got.data, question, sizeof question);
	assert_int_equal(tls_write(&server->tls, answer, at ? sizeof answer : 500, &server->out), ERR_OK);
	carry(server, client, at);
	assert_int_equal(client->got.len, at ? sizeof answer : 500);
	assert_memory_equal(client->got.data, answer, client->got.len);
}

static void cut_at_every_byte(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context();

	(void)state;
	for (size_t at = 0; at < 900; at++) {
		struct end client, server;
		pair_init(&client, &server, cc, sc, ALPN_CALLS);
		talk(&client, &server, at);
		end_free(&client);
		end_free(&server);
		at += at > 200 ? 6 : 0; /* beyond the small records every seventh byte will do */
	}
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static void what_a_channel_tells(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context();
	struct end client, server, again_client, again_server;
	uint8_t a[32], b[32], c[32], spki[32];

	(void)state;
	pair_init(&client, &server, cc, sc, ALPN_ENROL);
	shake(&client, &server, 100000);
	pair_init(&again_client, &again_server, cc, sc, ALPN_CALLS);
	shake(&again_client, &again_server, 100000);
	assert_true(tls_is_enrolling(&server.tls) && tls_is_enrolling(&client.tls));
	assert_false(tls_is_enrolling(&again_server.tls));
	assert_string_equal(SSL_get_version(client.tls.ssl), "TLSv1.3");
	assert_int_equal(tls_exporter(&client.tls, a), ERR_OK);
	assert_int_equal(tls_exporter(&server.tls, b), ERR_OK);
	assert_memory_equal(a, b, 32);
	assert_int_equal(tls_exporter(&again_client.tls, c), ERR_OK);
	assert_memory_not_equal(a, c, 32); /* a proof of one connection is none of another */
	assert_int_equal(tls_peer_spki(&client.tls, a), ERR_OK);
	assert_int_equal(tls_spki(leaf.cert, spki), ERR_OK);
	assert_memory_equal(a, spki, 32);
	assert_int_equal(tls_peer_spki(&server.tls, a), ERR_NOT_FOUND);
	/* What the server signs with the key of its certificate, and nothing else, is its word. */
	uint8_t sig[80], said[] = "jg head and the rest of it";
	size_t sig_len = sizeof sig;
	EVP_MD_CTX *signer = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(signer, NULL, EVP_sha256(), NULL, leaf.key), 1);
	assert_int_equal(EVP_DigestSign(signer, sig, &sig_len, said, sizeof said), 1);
	EVP_MD_CTX_free(signer);
	assert_int_equal(tls_peer_signed(&client.tls, said, sizeof said, sig, sig_len), ERR_OK);
	assert_int_equal(tls_peer_signed(&client.tls, said, sizeof said - 1, sig, sig_len), ERR_CHAIN);
	assert_int_equal(tls_peer_signed(&client.tls, said, sizeof said, sig, sig_len - 1), ERR_CHAIN);
	assert_int_equal(tls_peer_signed(&client.tls, said, sizeof said, sig, 0), ERR_CHAIN);
	assert_int_equal(tls_peer_signed(&server.tls, said, sizeof said, sig, sig_len),
		ERR_CHAIN); /* a peer without a certificate */
	assert_int_equal(SSL_session_reused(again_client.tls.ssl), 0);
	end_free(&client);
	end_free(&server);
	end_free(&again_client);
	end_free(&again_server);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static void wrong_ca(void **state)
{
	SSL_CTX *cc = client_context(&other_ca), *sc = server_context();
	struct end client, server;

	(void)state;
	pair_init(&client, &server, cc, sc, ALPN_CALLS);
	shake(&client, &server, 100000);
	assert_int_equal(client.err, ERR_TLS);
	assert_int_equal(server.err, ERR_TLS); /* the alert was flushed and understood */
	assert_true(tls_fault()[0] != 0);
	assert_string_equal(tls_fault(), "closed"); /* and is cleared */
	end_free(&client);
	end_free(&server);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

/* What a session of TLS 1.2 would need is not there: no version, no ticket, no cache. */
static void old_versions_are_refused(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context();
	struct end client, server;

	(void)state;
	SSL_CTX_set_min_proto_version(cc, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(cc, TLS1_2_VERSION);
	pair_init(&client, &server, cc, sc, ALPN_CALLS);
	shake(&client, &server, 100000);
	assert_int_equal(server.err, ERR_TLS);
	assert_false(server.tls.ready || client.tls.ready);
	assert_int_equal(SSL_CTX_get_num_tickets(sc), 0);
	assert_int_equal(SSL_CTX_get_session_cache_mode(sc), SSL_SESS_CACHE_OFF);
	end_free(&client);
	end_free(&server);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static void garbage_and_flipped_bits(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context();
	uint8_t junk[300];

	(void)state;
	memset(junk, 'G', sizeof junk);
	struct end client, server;
	pair_init(&client, &server, cc, sc, ALPN_CALLS);
	assert_int_equal(tls_feed(&server.tls, junk, sizeof junk, &server.out, take_plain, &server), ERR_TLS);
	end_free(&client);
	end_free(&server);
	pair_init(&client, &server, cc, sc, ALPN_CALLS);
	shake(&client, &server, 100000);
	assert_int_equal(tls_write(&client.tls, junk, sizeof junk, &client.out), ERR_OK);
	client.out.data[client.out.len / 2] ^= 1;
	carry(&client, &server, 100000);
	assert_int_equal(server.err, ERR_TLS);
	assert_int_equal(server.got.len, 0);
	end_free(&client);
	end_free(&server);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static void a_close_is_told_from_a_cut(void **state)
{
	SSL_CTX *cc = client_context(&ca), *sc = server_context();
	struct end client, server;

	(void)state;
	pair_init(&client, &server, cc, sc, ALPN_CALLS);
	tls_close_notify(&server.tls, &server.out); /* before the handshake: nothing to say */
	assert_int_equal(server.out.len, 0);
	shake(&client, &server, 100000);
	tls_close_notify(&client.tls, &client.out);
	assert_true(client.out.len > 0);
	carry(&client, &server, 100000);
	assert_int_equal(server.err, ERR_UNREACHABLE); /* no more will come */
	end_free(&client);
	end_free(&server);
	SSL_CTX_free(cc);
	SSL_CTX_free(sc);
}

static int setup(void **state)
{
	(void)state;
	ca = issue(NULL, "county");
	other_ca = issue(NULL, "county");
	leaf = issue(&ca, "jgd");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	identity_free(&ca);
	identity_free(&other_ca);
	identity_free(&leaf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(what_a_channel_tells), cmocka_unit_test(wrong_ca),
		cmocka_unit_test(old_versions_are_refused), cmocka_unit_test(garbage_and_flipped_bits),
		cmocka_unit_test(a_close_is_told_from_a_cut)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
