/* Covers common/hash.c, frame.c, record.c (canonical bytes) and the connect code of server/pki.c against
 * proto/vectors.json, which an independent script computed from proto/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "frame.h"
#include "hash.h"
#include "record.h"
#ifdef JG_HAS_SERVER
#include "pki.h"
#endif

static json_t *vectors;
static uint8_t room[65536]; /* of the texts a case holds at a time */
static size_t used;

static const uint8_t *bytes_of(const char *hex, size_t *n)
{
	uint8_t *to = room + used;

	assert_int_equal(sodium_hex2bin(to, sizeof room - used, hex, strlen(hex), NULL, n, NULL), 0);
	used += *n + 1;
	return to;
}

static const uint8_t *bytes(json_t *row, const char *name, size_t *n)
{
	return bytes_of(json_string_value(json_object_get(row, name)), n);
}

static const uint8_t *bytes32(json_t *row, const char *name)
{
	size_t n;
	const uint8_t *data = bytes(row, name, &n);

	assert_int_equal(n, 32);
	return data;
}

static int64_t number(json_t *row, const char *name)
{
	assert_true(json_is_integer(json_object_get(row, name)));
	return json_integer_value(json_object_get(row, name));
}

static void same(json_t *row, const char *name, const void *data, size_t n)
{
	char hex[8192];

	assert_true(2 * n < sizeof hex);
	sodium_bin2hex(hex, sizeof hex, data, n);
	assert_string_equal(hex, json_string_value(json_object_get(row, name)));
}

/* Walks the rows of one rule; a rule without rows is a failure. */
#define EACH(rule, row)                                                                                      \
	size_t at_;                                                                                          \
	json_t *row;                                                                                         \
	assert_true(json_array_size(json_object_get(vectors, rule)) > 0);                                    \
	used = 0;                                                                                            \
	json_array_foreach(json_object_get(vectors, rule), at_, row)

static void the_frame_header_is_frozen(void **state)
{
	(void)state;
	EACH("header", row)
	{
		uint8_t out[FRAME_HEADER];
		struct frame back,
			f = {.length = (uint32_t)number(row, "length"),
				.type = (uint8_t)number(row, "type"),
				.flags = (uint8_t)number(row, "flags"),
				.method = (uint16_t)number(row, "method"),
				.call = (uint32_t)number(row, "call"),
				.deadline_ms = (uint32_t)number(row, "deadline")};
		frame_header_put(out, &f);
		same(row, "bytes", out, sizeof out);
		assert_int_equal(frame_header_get(&back, out), ERR_OK);
		assert_int_equal(back.length, f.length);
		assert_int_equal(back.call, f.call);
		assert_int_equal(back.deadline_ms, f.deadline_ms);
	}
}

static void op_sha(void **state)
{
	(void)state;
	EACH("op", row)
	{
		uint8_t sha[HASH_SIZE];
		size_t n;
		const uint8_t *data = bytes(row, "bytes", &n);
		hash_op(sha, data, n);
		same(row, "sha", sha, sizeof sha);
	}
}

static void the_device_chain_is_frozen(void **state)
{
	(void)state;
	EACH("chain", row)
	{
		uint8_t head[HASH_SIZE];
		size_t n, i;
		json_t *step;
		hash_genesis(head, bytes(row, "device", &n), (uint32_t)number(row, "incarnation"));
		same(row, "genesis", head, sizeof head);
		json_array_foreach(json_object_get(row, "next"), i, step)
		{
			hash_chain(head, head, (uint64_t)number(step, "op_no"), bytes32(step, "sha"));
			same(step, "hash", head, sizeof head);
		}
	}
}

static void set_field(struct record *r, const char *name, json_t *value)
{
	int field = kind_field_index(r->kind, name);
	size_t n;

	assert_true(field >= 0);
	if (json_is_object(value)) {
		const uint8_t *data = bytes(value, "hex", &n);
		record_set_bytes(r, field, data, n);
	} else if (json_is_string(value)) {
		record_set_text(r, field, json_string_value(value));
	} else {
		record_set_number(
			r, field, json_is_boolean(value) ? json_is_true(value) : json_integer_value(value));
	}
}

static void the_canonical_record_is_frozen(void **state)
{
	(void)state;
	EACH("record", row)
	{
		struct record r, back;
		struct buf out = {0}, again = {0}, other = {0};
		struct arena arena;
		struct problem p;
		const char *name;
		json_t *value;
		uint8_t hash[HASH_SIZE];
		record_init(&r, kind_by_number((uint32_t)number(row, "number")));
		json_object_foreach(json_object_get(row, "fields"), name, value) set_field(&r, name, value);
		record_encode(&r, &out);
		same(row, "bytes", out.data, out.len);
		hash_record(hash, out.data, out.len);
		same(row, "hash", hash, sizeof hash);
		arena_init(&arena, 1 << 20);
		assert_int_equal(record_decode(&back, r.kind, out.data, out.len, &arena, &p), ERR_OK);
		record_encode(&back, &again);
		same(row, "bytes", again.data, again.len);
		if (json_object_get(row, "other")) {
			record_encode_other(&back, &other);
			same(row, "other", other.data, other.len);
			hash_record(hash, other.data, other.len);
			same(row, "other_hash", hash, sizeof hash);
		}
		arena_free(&arena);
		buf_free(&out);
		buf_free(&again);
		buf_free(&other);
	}
}

static void the_digest_is_frozen(void **state)
{
	(void)state;
	EACH("lanes", row)
	{
		uint32_t lanes[LANES];
		size_t n;
		hash_lanes(lanes, bytes(row, "id", &n), (uint64_t)number(row, "ver"),
			(uint32_t)number(row, "kind"), bytes32(row, "record"));
		for (size_t i = 0; i < LANES; i++)
			assert_int_equal(lanes[i],
				json_integer_value(json_array_get(json_object_get(row, "lanes"), i)));
	}
}

/* The parts of a link are built again from what they hold, with the functions that the server builds them
 * with. */
static void rebuild_parts(struct buf *out, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		const char *author = (const char *)at;
		uint8_t entry[AUDIT_ENTRY_SIZE];
		at += strlen(author) + 1;
		uint32_t count = get_be32(at + 32);
		audit_part(out, author, at, get_be64(at + 16), get_be64(at + 24), count);
		at += 36;
		for (uint32_t i = 0; i < count; i++, at += AUDIT_ENTRY_SIZE) {
			audit_entry(entry, at, get_be64(at + 16), get_be32(at + 24), at[28], at[29], at + 32);
			buf_add(out, entry, sizeof entry);
		}
	}
}

static void the_trace_is_frozen(void **state)
{
	(void)state;
	EACH("audit", row)
	{
		uint8_t root[HASH_SIZE], head[HASH_SIZE];
		struct buf again = {0};
		size_t n;
		const uint8_t *parts = bytes(row, "parts", &n);
		rebuild_parts(&again, parts, parts + n);
		same(row, "parts", again.data, again.len);
		audit_root(root, parts, n);
		same(row, "root", root, sizeof root);
		memcpy(head, bytes32(row, "before"), HASH_SIZE);
		audit_next(head, (uint64_t)number(row, "n"), root);
		same(row, "head", head, sizeof head);
		buf_free(&again);
	}
}

/* As client/core/link/login.c and server/services/session.c compute it. */
static void the_resume_proof_is_frozen(void **state)
{
	(void)state;
	EACH("resume", row)
	{
		uint8_t key[32], proof[32];
		crypto_auth_hmacsha256_state hmac;
		crypto_hash_sha256(key, bytes32(row, "token"), 32);
		crypto_auth_hmacsha256_init(&hmac, key, sizeof key);
		crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)"jingguan session", 16);
		crypto_auth_hmacsha256_update(&hmac, bytes32(row, "exporter"), 32);
		crypto_auth_hmacsha256_final(&hmac, proof);
		same(row, "proof", proof, sizeof proof);
	}
}

#ifdef JG_HAS_SERVER
static void connect_code(void **state)
{
	(void)state;
	EACH("connect_code", row)
	{
		const char *wanted = json_string_value(json_object_get(row, "code")),
			   *server = strchr(wanted, '@');
		char code[CONNECT_CODE_TEXT + 160];
		size_t n;
		const unsigned char *der = bytes(row, "spki", &n);
		EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)n);
		X509 *ca = X509_new();
		assert_true(key && X509_set_pubkey(ca, key));
		assert_int_equal(
			pki_connect_code(code, ca, bytes(row, "secret", &n), server ? server + 1 : ""),
			ERR_OK);
		assert_string_equal(code, wanted);
		X509_free(ca);
		EVP_PKEY_free(key);
	}
}

/* The signature is over the document's message, by the server's key. */
static void signed_head(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	EACH("head", row)
	{
		uint8_t sig[SIGNATURE_MAX];
		size_t n,
			len = pki_sign_head(key, number(row, "stream"), (uint64_t)number(row, "n"),
				bytes32(row, "head"), sig);
		const uint8_t *message = bytes(row, "message", &n);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		assert_true(len > 0);
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
		assert_int_equal(EVP_DigestVerify(ctx, sig, len, message, n), 1);
		EVP_MD_CTX_free(ctx);
	}
	EVP_PKEY_free(key);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_header_is_frozen),
		cmocka_unit_test(op_sha),
		cmocka_unit_test(the_device_chain_is_frozen),
		cmocka_unit_test(the_canonical_record_is_frozen),
		cmocka_unit_test(the_digest_is_frozen),
		cmocka_unit_test(the_trace_is_frozen),
		cmocka_unit_test(the_resume_proof_is_frozen),
#ifdef JG_HAS_SERVER
		cmocka_unit_test(connect_code),
		cmocka_unit_test(signed_head),
#endif
	};

	if (sodium_init() < 0 || !(vectors = json_load_file(JG_SOURCE_DIR "/proto/vectors.json", 0, NULL)))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(vectors);
	return failed;
}
