#include "document_signed.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "document_intent.h"
#include "document_moves.h"
#include "documents_calls.h"
#include "field_label.h"
#include "lang.h"
#include "pki.h"
#include "server.h"
#include "signature.h"
#include "text.h"
#include "tls.h"

#define INTENT_LIFE_US INT64_C(3600000000) /* who looked at it an hour ago looks again */

bool document_entry_begin(struct request *r, struct document_entry *x, const ProtobufCMessage *ask,
	const char *event, int64_t now)
{
	*x = (struct document_entry){.event = event,
		.by = r->caller.user,
		.text = document_words(ask),
		.given = document_given(ask, &r->arena),
		.at = now};
	memcpy(x->device, r->caller.device, sizeof x->device);
	if (!x->given)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	return x->given;
}

const char *document_intent(struct request *r, const struct document_entry *x, int64_t made)
{
	char id[37], device[37], text[2 * HASH_SIZE + 1], digest[2 * TRACE_HASH + 1];
	uint8_t hash[HASH_SIZE];

	id_format(id, x->of);
	id_format(device, x->device);
	document_words_hash(hash, x->text, x->given);
	sodium_bin2hex(text, sizeof text, hash, sizeof hash);
	sodium_bin2hex(digest, sizeof digest, x->digest, sizeof x->digest);
	return arena_printf(&r->arena,
		DOCUMENT_INTENT
		"\ncounty=%d\ndoc=%s\nevent=%s\nby=%s\nfor=%s\nversion=%d\ndigest=%s\ntext=%s\n"
		"device=%s\nmade=%lld\n",
		r->worker->server->conf.county, id, x->event, x->by, x->for_whom ? x->for_whom : "-",
		x->version, digest, text, device, (long long)made);
}

const char *document_intent_lines(struct request *r, const struct document_signing *s)
{
	bool is_text = s->intent.len && !memchr(s->intent.data, 0, s->intent.len) &&
		text_utf8_valid((const char *)s->intent.data, s->intent.len);
	const char *lines = is_text ? arena_text(&r->arena, s->intent.data, s->intent.len) : NULL;

	return lines ? lines : "";
}

const char *document_intent_line(struct request *r, const struct document_signing *s, const char *key)
{
	const char *at = strstr(document_intent_lines(r, s), key);
	const char *from = at ? at + strlen(key) : "",
		   *value = arena_text(&r->arena, from, strcspn(from, "\n"));

	return value ? value : "";
}

/* The computer's certificate, when it has signed these bytes; an error: answered. */
static bool take_signature(struct request *r, struct document_entry *x, const struct document_signing *s)
{
	struct tls *tls = r->conn ? &r->conn->stream.tls : NULL;
	X509 *cert = tls ? tls_peer_cert(tls) : NULL;
	unsigned char *der = NULL;
	enum err e = cert ? tls_peer_signed(tls, s->intent.data, s->intent.len, s->sig.data, s->sig.len)
			  : ERR_CHAIN;
	int n = e ? 0 : i2d_X509(cert, &der);

	if (!e && n <= 0)
		e = ERR_NOMEM;
	x->cert = e ? NULL : arena_copy(&r->arena, der, (size_t)n);
	x->cert_len = (size_t)n;
	OPENSSL_free(der);
	if (!e && !x->cert)
		e = ERR_NOMEM;
	if (e)
		request_fail(r, e == ERR_CHAIN ? ERR_INVALID : e, "intent_sig", NULL);
	return !e;
}

/* Who is named by his log-in. */
static bool is_person(const char *name)
{
	static const char *const people[] = {"leader", "lead", "assist", "readers", "countersign", "to"};

	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (strcmp(name, people[i]) == 0)
			return true;
	return false;
}

static const char *said_value(struct request *r, const struct document_world *w,
	const ProtobufCFieldDescriptor *f, const char *value)
{
	long day = strtol(value, NULL, 10);

	if (is_person(f->name))
		return document_name_of(w, value);
	const char *const *checks = message_checks(&pb_document_ask_desc),
			  *check = checks ? checks[f - pb_document_ask_desc.fields] : "";
	if (strncmp(check, "codes:", 6) == 0)
		return code_name(code_list_by_name(check + 6), value);
	if (f->type == PROTOBUF_C_TYPE_BOOL)
		return "";
	if (strcmp(f->name, "due") == 0 || strcmp(f->name, "date") == 0)
		return arena_printf(&r->arena, "%04ld-%02ld-%02ld", day / 10000, day / 100 % 100, day % 100);
	return value;
}

const char *document_said(struct request *r, const struct document_world *w, const char *given)
{
	char *at = arena_text(&r->arena, given, strlen(given)), *line;
	const ProtobufCFieldDescriptor *before = NULL;
	const char *said = "";

	while (at && said && *at && (line = strsep(&at, "\n"))) {
		char *value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = 0;
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field_by_name(&pb_document_ask_desc, line);
		/* What it is of stands at the head of the sheet. */
		if (!f || strcmp(line, "title") == 0 || strcmp(line, "matter") == 0 ||
			strcmp(line, "meeting") == 0)
			continue;
		const char *shown = said_value(r, w, f, value);
		const char *one =
			*shown ? arena_printf(&r->arena, _("%s：%s"), field_label(f), shown) : field_label(f);
		if (f == before)
			said = arena_printf(&r->arena, _("%s、%s"), said, shown);
		else
			said = *said ? arena_printf(&r->arena, _("%s；%s"), said, text_of(one))
				     : text_of(one);
		before = f;
	}
	return said ? said : "";
}

bool document_intent_take(
	struct request *r, struct document_entry *x, const struct document_signing *s, const char *look)
{
	int64_t made = strtoll(document_intent_line(r, s, "\nmade="), NULL, 10);

	x->intent = document_intent(r, x, made);
	if (!s->intent.len || !s->sig.len) {
		request_fail(r, ERR_MISSING, s->intent.len ? "intent_sig" : "intent", NULL);
		return false;
	}
	if (!x->intent || strlen(x->intent) != s->intent.len ||
		memcmp(x->intent, s->intent.data, s->intent.len) != 0 ||
		llabs(x->at - made) > INTENT_LIFE_US) {
		request_fail_hint(r, ERR_STALE, "intent", _("要办的事刚刚有了变化"),
			look ? arena_printf(&r->arena, _("%s 看过再办"), look) : NULL);
		return false;
	}
	x->intent_sig = s->sig.data;
	x->intent_sig_len = s->sig.len;
	return take_signature(r, x, s);
}

/* doc/documents.md "Trace": `jg entry` and its lines, signed by the server; its hash is the next one's prev. */
const char *document_entry_text(struct request *r, const struct document_entry *x, int32_t n,
	uint8_t head[TRACE_HASH], const char *state)
{
	char prev[65], intent[65], sig[65], at[TIME_TEXT_SIZE];
	uint8_t hash[TRACE_HASH];

	sodium_bin2hex(prev, sizeof prev, head, TRACE_HASH);
	crypto_hash_sha256(hash, (const uint8_t *)x->intent, strlen(x->intent));
	sodium_bin2hex(intent, sizeof intent, hash, TRACE_HASH);
	crypto_hash_sha256(hash, x->intent_sig, x->intent_sig_len);
	sodium_bin2hex(sig, sizeof sig, hash, TRACE_HASH);
	time_format(at, x->at);
	const char *text = arena_printf(&r->arena,
		DOCUMENT_ENTRY "\nn=%d\nprev=%s\nat=%.19s.%06d+08:00\nstate=%s\nintent=%s\nsig=%s\n", n, prev,
		at, (int)(x->at % 1000000), state, intent, sig);
	if (text)
		crypto_hash_sha256(head, (const uint8_t *)text, strlen(text));
	return text;
}

size_t document_entry_sign(struct request *r, const struct document_entry *x, int32_t n,
	uint8_t head[TRACE_HASH], const char *state, uint8_t *sig)
{
	const char *text = document_entry_text(r, x, n, head, state);

	return text ? signature_make(r->worker->server->sign_key, text, strlen(text), sig) : 0;
}

#define SIGNER                                                                                               \
	"INSERT INTO document_signer (county, device, cert_hash, cert, at)"                                  \
	" VALUES (app_county(), $1::uuid, sha256($2::bytea), $2::bytea, $3::timestamptz)"                    \
	" ON CONFLICT DO NOTHING"
static const struct db_stmt insert_signer = {SIGNER}, insert_server = {SIGNER};

/* The certificates of who signs: the computer's, and the server's own as that of device 0. */
enum err document_signers_write(struct request *r, const struct document_entry *x)
{
	static const uint8_t server[16];
	unsigned char *der = NULL;
	int n = i2d_X509(SSL_CTX_get0_certificate(r->worker->server->tls), &der);
	struct db_params mine = {0}, its = {0};

	if (n <= 0)
		return ERR_NOMEM;
	db_bytes(&mine, server, sizeof server);
	db_bytes(&mine, der, (size_t)n);
	db_time(&mine, x->at);
	request_query(r, &insert_server, &mine);
	OPENSSL_free(der);
	db_bytes(&its, x->device, sizeof x->device);
	db_bytes(&its, x->cert, x->cert_len);
	db_time(&its, x->at);
	request_query(r, &insert_signer, &its);
	return ERR_OK;
}

/* ---- Orders and meetings ---- */

/* Of kind, the matter's table, its history's, the column that names it there, how it is found, what a reply
 * has more. */
#define MATTERS(X)                                                                                           \
	X(SIGNED_ORDER, "document_order", "document_order_event", "order_id", "order_find",                  \
		"m.due, m.to_who")                                                                           \
	X(SIGNED_MEETING, "meeting", "meeting_event", "meeting", "meeting_find", "NULL::timestamptz, ''")
#define READ(kind, matter, history, of, find, more)                                                          \
	[kind] = {                                                                                           \
		"SELECT m.trace_n, m.trace_head, (SELECT max(e.at) FROM " history " e"                       \
		" WHERE e.county = m.county AND e." of " = m.id)"                                            \
		" FROM " matter " m WHERE m.county = app_county() AND m.id = (SELECT " find "($1::text))"},
static const struct db_stmt read_trace[] = {MATTERS(READ)};
enum { T_N, T_HEAD, T_AT };
#define REPEAT(kind, matter, history, of, find, more)                                                        \
	[kind] = {"SELECT m.id, m.number, e.state, e.at, " more " FROM " history " e JOIN " matter           \
		  " m ON m.county = e.county AND m.id = e." of " WHERE e.county = app_county() AND e." of    \
		  " = (SELECT " find "($1::text))"                                                           \
		  " AND e.by_user = $3::text AND e.intent = $2::text"},
static const struct db_stmt read_repeat[] = {MATTERS(REPEAT)};
#define INSERT(kind, matter, history, of, find, more)                                                        \
	[kind] = {                                                                                           \
		"INSERT INTO " history " (county, " of                                                       \
		", n, event, by_user, for_user, at, text, state, given, entry, device, intent, intent_sig,"  \
		" head, sig)"                                                                                \
		" SELECT app_county(), $1::uuid, 1 + (SELECT count(*) FROM " history " e"                    \
		" WHERE e.county = app_county() AND e." of " = $1::uuid),"                                   \
		" $3::text, $4::text, nullif($5::text, ''), $6::timestamptz, $7::text, $8::text, $9::text,"  \
		" $2::int, $10::uuid, $11::text, $12::bytea, $13::bytea, $14::bytea"},
static const struct db_stmt insert_entry[] = {MATTERS(INSERT)};
#define UPDATE(kind, matter, history, of, find, more)                                                        \
	[kind] = {"UPDATE " matter " SET trace_n = $2::int, trace_head = $3::bytea"                          \
		  " WHERE county = app_county() AND id = $1::uuid"},
static const struct db_stmt update_trace[] = {MATTERS(UPDATE)};

void matter_trace_query(
	struct request *r, enum signed_matter kind, const char *of, const struct document_signing *s)
{
	struct db_params p = {0}, repeat = {0};

	db_text(&p, of);
	request_query(r, &read_trace[kind], &p);
	db_text(&repeat, of);
	db_text(&repeat, document_intent_lines(r, s));
	db_text(&repeat, r->caller.user);
	request_query(r, &read_repeat[kind], &repeat);
}

const PGresult *matter_trace_repeat(struct request *r, enum signed_matter kind)
{
	return request_result(r, &read_repeat[kind]);
}

enum err matter_trace_write(
	struct request *r, enum signed_matter kind, struct document_entry *x, const char *state)
{
	const PGresult *t = request_result(r, &read_trace[kind]);
	uint8_t head[TRACE_HASH] = {0}, sig[SIGNATURE_MAX];
	struct db_params p = {0}, of = {0};
	int32_t entry = 1;
	size_t n;

	if (PQntuples(t)) {
		entry += (int32_t)db_get_int(t, 0, T_N);
		memcpy(head, db_get_bytes(t, 0, T_HEAD, &n), sizeof head);
		if (db_get_int(t, 0, T_AT) > x->at) /* the clock of a rehearsal may be set back */
			x->at = db_get_int(t, 0, T_AT);
	}
	n = document_entry_sign(r, x, entry, head, state, sig);
	if (!n)
		return ERR_NOMEM;
	db_bytes(&p, x->of, sizeof x->of);
	db_int4(&p, entry);
	db_text(&p, x->event);
	db_text(&p, x->by);
	db_text(&p, x->for_whom ? x->for_whom : "");
	db_time(&p, x->at);
	db_text(&p, x->text);
	db_text(&p, state);
	db_text(&p, x->given);
	db_bytes(&p, x->device, sizeof x->device);
	db_text(&p, x->intent);
	db_bytes(&p, x->intent_sig, x->intent_sig_len);
	db_bytes(&p, head, sizeof head);
	db_bytes(&p, sig, n);
	request_query(r, &insert_entry[kind], &p);
	db_bytes(&of, x->of, sizeof x->of);
	db_int4(&of, entry);
	db_bytes(&of, head, sizeof head);
	request_query(r, &update_trace[kind], &of);
	return document_signers_write(r, x);
}
