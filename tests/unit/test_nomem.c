/* Covers what of common/ allocates when memory runs out: envelope, record, frame, hash, text, tls. arena and
 * buf have test_arena_buf.c, stream has test_stream.c; the rest of common/ allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <utf8proc.h>

#include "envelope.h"
#include "hash.h"
#include "nomem_openssl.h"
#include "pb.h"
#include "record.h"
#include "tables.h"
#include "text.h"
#include "tls_identity.h"

/* ---- messages ---- */

#define OPS 400

static struct buf packed; /* a push of many operations: more than one block of an arena */

static void make_push(void)
{
	static uint8_t bytes[OPS][60];
	static ProtobufCBinaryData ops[OPS];
	pb_push_request request = PB_PUSH_REQUEST_INIT;
	struct frame f = {.type = FRAME_CALL};

	for (size_t i = 0; i < OPS; i++) {
		memset(bytes[i], (int)i, sizeof bytes[i]);
		ops[i] = (ProtobufCBinaryData){sizeof bytes[i], bytes[i]};
	}
	request.has_incarnation = 1;
	request.incarnation = 7;
	request.n_op = OPS;
	request.op = ops;
	envelope_pack(&packed, &f, &request.base);
}

static enum err unpack_and_pack(void *data)
{
	const uint8_t *body = packed.data + FRAME_HEADER;
	size_t n = packed.len - FRAME_HEADER;
	const ProtobufCMessage *message = NULL;
	struct frame f = {.type = FRAME_CALL};
	struct problem p = {0};
	struct buf out = {0};
	struct arena arena;
	uint8_t before[HASH_SIZE], after[HASH_SIZE];

	(void)data;
	hash_op(before, body, n);
	arena_init(&arena, 8u << 20);
	enum err e = envelope_unpack(&pb_push_request_desc, body, n, &arena, &message, &p);
	hash_op(after, body, n);
	assert_memory_equal(before, after, HASH_SIZE);
	if (e) {
		assert_int_equal(p.code, e);
		assert_null(message);
	} else {
		envelope_pack(&out, &f, message);
		e = out.failed ? ERR_NOMEM : ERR_OK;
		assert_true(
			e ? out.len == 0 : out.len == packed.len && !memcmp(out.data, packed.data, out.len));
	}
	buf_free(&out);
	arena_free(&arena);
	return e;
}

static void messages_without_memory(void **state)
{
	(void)state;
	make_push();
	nomem_until_it_works("envelope", unpack_and_pack, NULL, ERR_NOMEM, 4);
	buf_free(&packed);
}

/* ---- records ---- */

static void make_record(struct record *r, char name[512])
{
	record_init(r, kind_by_number(KIND_STUDENT));
	memset(name, 'x', 512);
	record_set_bytes(r, F_STUDENT_NAME, name, 100);
	record_set_text(r, F_STUDENT_CERT_NO, "329999201403150017");
	record_set_text(r, F_STUDENT_GRADE, "16");
	record_set_number(r, F_STUDENT_BIRTH, 20140315);
}

/* Decoded with a field from a later version, encoded again, its key made. */
static enum err record_round(void *data)
{
	const struct buf *bytes = data;
	const struct kind *kind = kind_by_number(KIND_STUDENT);
	struct problem p = {0};
	struct buf out = {0};
	struct arena arena;
	struct record r;

	arena_init(&arena, 1u << 20);
	enum err e = record_decode(&r, kind, bytes->data, bytes->len, &arena, &p);
	if (!e) {
		char *key = record_key(&r, &arena);
		e = key ? ERR_OK : ERR_NOMEM;
		assert_true(!key || strstr(key, "329999201403150017"));
	}
	if (!e) {
		record_encode_groups(&r, UINT32_MAX, true, &out);
		e = out.failed ? ERR_NOMEM : ERR_OK;
		assert_true(e || (out.len == bytes->len && !memcmp(out.data, bytes->data, out.len)));
	}
	buf_free(&out);
	arena_free(&arena);
	return e;
}

static void records_without_memory(void **state)
{
	struct buf bytes = {0};
	struct record r;
	char name[512];

	(void)state;
	make_record(&r, name);
	record_encode(&r, &bytes);
	buf_varint(&bytes, 4000u << 3 | 2);
	buf_varint(&bytes, 200);
	buf_add(&bytes, name, 200);
	nomem_until_it_works("record", record_round, &bytes, ERR_NOMEM, 3);
	buf_free(&bytes);
}

/* ---- frames, traces ---- */

static uint32_t any_size(void *data, const struct frame *header)
{
	(void)data;
	(void)header;
	return FRAME_MAX;
}

static enum err split_frame(void *data)
{
	uint8_t bytes[FRAME_HEADER + 500], body[500];
	struct frame f = {.type = FRAME_CALL, .length = sizeof body, .body = body}, got;
	struct frame_reader reader = {0};
	enum err e = ERR_OK;
	bool done = false;

	(void)data;
	memset(body, 7, sizeof body);
	frame_header_put(bytes, &f);
	memcpy(bytes + FRAME_HEADER, body, sizeof body);
	for (size_t at = 0; !e && at < sizeof bytes; at += 129) {
		const uint8_t *piece = bytes + at;
		size_t n = sizeof bytes - at < 129 ? sizeof bytes - at : 129;
		e = frame_reader_feed(&reader, &piece, &n, any_size, NULL, &got, &done);
	}
	if (!e) {
		assert_true(done);
		assert_memory_equal(got.body, body, sizeof body);
	}
	frame_reader_free(&reader);
	return e;
}

static enum err trace_part(void *data)
{
	static const uint8_t device[ID_SIZE];
	struct buf parts = {0};

	(void)data;
	for (int i = 0; i < 20; i++)
		audit_part(&parts, "zhang", device, 1, 2, 2);
	enum err e = parts.failed ? ERR_NOMEM : ERR_OK;
	buf_free(&parts);
	return e;
}

static void frames_and_traces(void **state)
{
	(void)state;
	nomem_until_it_works("frame", split_frame, NULL, ERR_NOMEM, 1);
	nomem_until_it_works("trace", trace_part, NULL, ERR_NOMEM, 2);
}

/* ---- text: the one allocation is utf8proc's ---- */

utf8proc_ssize_t __real_utf8proc_map(
	const utf8proc_uint8_t *in, utf8proc_ssize_t n, utf8proc_uint8_t **out, utf8proc_option_t o);

utf8proc_ssize_t __wrap_utf8proc_map(
	const utf8proc_uint8_t *in, utf8proc_ssize_t n, utf8proc_uint8_t **out, utf8proc_option_t o)
{
	if (nomem_now()) {
		*out = NULL;
		return UTF8PROC_ERROR_NOMEM;
	}
	return __real_utf8proc_map(in, n, out, o);
}

static enum err name_key(void *data)
{
	const char *in = data;
	char out[64] = "before";
	enum err e = text_name_key(out, sizeof out, in);

	assert_string_equal(out, e ? "" : "买买提·艾力");
	assert_string_equal(in, "买买提．艾力 ");
	return e;
}

static void names_without_memory(void **state)
{
	char in[] = "买买提．艾力 ";

	(void)state;
	nomem_until_it_works("name key", name_key, in, ERR_NOMEM, 1);
}

/* ---- TLS: OpenSSL's allocations too. It does not always say what it lacked, and gets on without some of it.
 * ---- */

static struct identity ca, leaf;

static bool take(void *data, const uint8_t *bytes, size_t n)
{
	buf_add(data, bytes, n);
	return true;
}

/* A client and a server that shake hands and say one thing. */
static enum err conversation(SSL_CTX *cc, SSL_CTX *sc)
{
	struct tls client = {0}, server = {0};
	struct buf up = {0}, down = {0}, got = {0};
	uint8_t a[32], b[32];
	enum err e = tls_init(&client, cc, false);

	if (!e)
		e = tls_init(&server, sc, true);
	if (!e)
		e = tls_start(&client, &up);
	for (int i = 0; !e && i < 4; i++) {
		e = up.failed || down.failed ? ERR_NOMEM
					     : tls_feed(&server, up.data, up.len, &down, take, &got);
		up.len = 0;
		if (!e)
			e = up.failed || down.failed
				? ERR_NOMEM
				: tls_feed(&client, down.data, down.len, &up, take, &got);
		down.len = 0;
	}
	if (!e && !(client.ready && server.ready))
		e = ERR_TLS;
	if (!e && !(e = tls_exporter(&client, a)) && !(e = tls_exporter(&server, b)))
		assert_memory_equal(a, b, 32);
	if (!e)
		e = tls_peer_spki(&client, a);
	if (!e)
		e = tls_write(&client, (const uint8_t *)"hello", 5, &up);
	if (!e)
		e = tls_feed(&server, up.data, up.len, &down, take, &got);
	if (!e)
		e = got.failed ? ERR_NOMEM : ERR_OK;
	if (!e) { /* what arrives is what was sent, or nothing does */
		assert_int_equal(got.len, 5);
		assert_memory_equal(got.data, "hello", 5);
	}
	tls_free(&client);
	tls_free(&server);
	buf_free(&up);
	buf_free(&down);
	buf_free(&got);
	tls_fault();
	return e;
}

struct contexts {
	SSL_CTX *client, *server;
};

static enum err talk(void *data)
{
	const struct contexts *c = data;
	enum err e = conversation(c->client, c->server);

	return e == ERR_TLS ? ERR_NOMEM : e;
}

static enum err make_context(void *data)
{
	SSL_CTX *ctx = tls_context(data != NULL);

	SSL_CTX_free(ctx);
	tls_fault();
	return ctx ? ERR_OK : ERR_NOMEM;
}

static void tls_without_memory(void **state)
{
	struct contexts c = {client_context(&ca), server_context_of(&leaf)};

	(void)state;
	assert_int_equal(talk(&c), ERR_OK); /* what OpenSSL makes once a process stands from here on */
	nomem_until_it_works("TLS context", make_context, NULL, ERR_OK, 5);
	nomem_until_it_works("TLS context", make_context, &c, ERR_OK, 5);
	nomem_until_it_works("TLS", talk, &c, ERR_OK, 100);
	assert_int_equal(talk(&c), ERR_OK); /* the contexts are unharmed */
	SSL_CTX_free(c.client);
	SSL_CTX_free(c.server);
}

static int setup(void **state)
{
	(void)state;
	ca = issue(NULL, "county");
	leaf = issue(&ca, "jgd");
	return 0;
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(messages_without_memory),
		cmocka_unit_test(records_without_memory), cmocka_unit_test(frames_and_traces),
		cmocka_unit_test(names_without_memory), cmocka_unit_test(tls_without_memory)};

	if (!nomem_openssl())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
