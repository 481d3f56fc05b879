#include "document_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sodium.h>

#include "clock.h"
#include "document_intent.h"
#include "document_moves.h"
#include "lang.h"
#include "signature.h"
#include "tls.h"

#define HEX (2 * crypto_hash_sha256_BYTES + 1)
#define LINES_MAX 12

/* Bytes that a line of trace.jsonl has in base64. */
struct bytes {
	const uint8_t *data;
	size_t n;
};
/* A text of lines: a word, then key=value in their order. */
struct lines {
	const char *key[LINES_MAX], *value[LINES_MAX];
	size_t n;
};
struct entry {
	struct bytes intent, intent_sig, entry, entry_sig;
	const char *device;
	struct lines meant, written;
	const char *number, *words, *given; /* of a matter: what it is called, and its words */
};
struct verify {
	const struct bundle *b;
	X509 *ca;
	X509_STORE *store;
	const struct document_tails *seen;
	struct arena *arena;
	struct document_verdict *out;
	bool matters;         /* what hangs on the paper, one trace behind the other */
	unsigned n;           /* entries of this trace so far */
	const char *words_at; /* the next line of words.jsonl */
	char prev[HEX], at[64], state[32], doc[64];
};

static const char *const intent_keys[] = {
	"county", "doc", "event", "by", "for", "version", "digest", "text", "device", "made"};
static const char *const entry_keys[] = {"n", "prev", "at", "state", "intent", "sig"};

static bool take_base64(const json_t *line, const char *name, struct arena *arena, struct bytes *out)
{
	const char *text = json_string_value(json_object_get(line, name));
	size_t room = text ? strlen(text) / 4 * 3 + 4 : 0;
	uint8_t *bytes = text ? arena_alloc(arena, room) : NULL;

	if (!bytes ||
		sodium_base642bin(bytes, room - 1, text, strlen(text), NULL, &out->n, NULL,
			sodium_base64_VARIANT_ORIGINAL))
		return false;
	bytes[out->n] = 0;
	out->data = bytes;
	return !memchr(bytes, 0, out->n) || strstr(name, "sig");
}

/* Exactly these keys in this order, each line ended. */
static bool take_lines(const struct bytes *text, const char *word, const char *const *keys, size_t n,
	struct arena *arena, struct lines *out)
{
	char *at = (char *)(uintptr_t)arena_text(arena, text->data, text->n), *line;
	size_t k = 0;

	if (!at || !text->n || at[text->n - 1] != '\n' || !(line = strsep(&at, "\n")) || strcmp(line, word))
		return false;
	while ((line = strsep(&at, "\n")) && at) {
		char *value = strchr(line, '=');
		if (k == n || !value || (size_t)(value - line) != strlen(keys[k]) ||
			memcmp(line, keys[k], (size_t)(value - line)))
			return false;
		out->key[k] = keys[k];
		out->value[k++] = value + 1;
	}
	out->n = k;
	return k == n;
}

static const char *value_of(const struct lines *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->key[i], key) == 0)
			return l->value[i];
	return "";
}

static bool is_hash_of(const char *hex, const struct bytes *b)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char is[HEX];

	crypto_hash_sha256(hash, b->data, b->n);
	return strcmp(sodium_bin2hex(is, sizeof is, hash, sizeof hash), hex) == 0;
}

/* 2026-12-01T09:30:00.123456+08:00 in Unix seconds; 0: it is no time. */
static time_t seconds_of(const char *at)
{
	struct tm t = {0};
	int us, n = 0;

	if (sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d.%6d+08:00%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
		    &t.tm_min, &t.tm_sec, &us, &n) != 7 ||
		at[n] || n != 32)
		return 0;
	t.tm_year -= 1900;
	t.tm_mon--;
	return timegm(&t) - 8 * 3600;
}

static bool leads_to_ca(struct verify *x, X509 *cert, time_t at)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool good = ctx && X509_STORE_CTX_init(ctx, x->store, cert, NULL) == 1;

	if (good) {
		X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), at);
		good = X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static bool is_of(X509 *cert, const char *device)
{
	char name[64] = "";

	return !device ||
		(X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name) >
				0 &&
			strcmp(name, device) == 0);
}

/* Whether some certificate of that file signed it and was good then. device NULL: the server's. */
static enum err signed_by(struct verify *x, const char *path, const char *device, time_t at,
	const struct bytes *text, const struct bytes *sig)
{
	const struct bundle_file *f = bundle_find(x->b, path);
	BIO *pem = f ? BIO_new_mem_buf(f->bytes, (int)f->n) : NULL;
	enum err e = ERR_CHAIN;
	X509 *cert;

	while (e == ERR_CHAIN && pem && (cert = PEM_read_bio_X509(pem, NULL, NULL, NULL))) {
		if (is_of(cert, device) && leads_to_ca(x, cert, at))
			e = signature_check(X509_get0_pubkey(cert), text->data, text->n, sig->data, sig->n);
		X509_free(cert);
	}
	BIO_free(pem);
	ERR_clear_error();
	return e;
}

static const char *keep_text(struct verify *x, const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? arena_text(x->arena, text, strlen(text)) : NULL;
}

static bool take_entry(struct verify *x, const char *text, size_t n, struct entry *e)
{
	json_t *line = json_loadb(text, n, 0, NULL);
	const char *device = json_string_value(json_object_get(line, "device"));
	bool good = device && strlen(device) == 36 && take_base64(line, "intent", x->arena, &e->intent) &&
		take_base64(line, "intent_sig", x->arena, &e->intent_sig) &&
		take_base64(line, "entry", x->arena, &e->entry) &&
		take_base64(line, "entry_sig", x->arena, &e->entry_sig) &&
		take_lines(&e->intent, DOCUMENT_INTENT, intent_keys, sizeof intent_keys / sizeof *intent_keys,
			x->arena, &e->meant) &&
		take_lines(&e->entry, DOCUMENT_ENTRY, entry_keys, sizeof entry_keys / sizeof *entry_keys,
			x->arena, &e->written);

	e->device = good ? arena_text(x->arena, device, 36) : NULL;
	e->number = keep_text(x, line, "number");
	e->words = keep_text(x, line, "text");
	e->given = keep_text(x, line, "given");
	json_decref(line);
	return good && e->device;
}

/* What is wrong with the entry behind those before; NULL: nothing. */
static const char *fault_of(struct verify *x, const struct entry *e, unsigned n)
{
	const char *at = value_of(&e->written, "at"), *state = value_of(&e->written, "state");

	if ((unsigned)strtoul(value_of(&e->written, "n"), NULL, 10) != n)
		return _("编号不连续：有记录被删去或调换");
	if (strcmp(value_of(&e->written, "prev"), x->prev) != 0)
		return _("与上一条接不上：有记录被删去、调换或改过");
	if (!seconds_of(at) || strcmp(at, x->at) < 0)
		return _("时间早于上一条");
	if (!is_hash_of(value_of(&e->written, "intent"), &e->intent) ||
		!is_hash_of(value_of(&e->written, "sig"), &e->intent_sig))
		return _("所办事项或签名被换过");
	if (strcmp(value_of(&e->meant, "device"), e->device) != 0)
		return _("不是这台电脑办的");
	if (n > 1 && strcmp(value_of(&e->meant, "doc"), x->doc) != 0)
		return _("不是这份公文的记录");
	if (n == 1 && !x->matters)
		x->out->out = strcmp(value_of(&e->meant, "event"), "draft") == 0;
	const char *event = value_of(&e->meant, "event");
	if (!(x->matters ? matter_may_move(x->state, event, state)
			 : document_may_move(x->out->out, x->state, event, state)))
		return _("办理的顺序不对：从上一步到不了这一步");
	return NULL;
}

static enum err check_signatures(struct verify *x, const struct entry *e, const char **why)
{
	time_t at = seconds_of(value_of(&e->written, "at"));
	char path[64];

	snprintf(path, sizeof path, "certs/%s.pem", e->device);
	enum err bad = signed_by(x, path, e->device, at, &e->intent, &e->intent_sig);
	if (bad == ERR_CHAIN)
		*why = _("办理人电脑的签名不对：字句被改过，或证书不是县局发的");
	if (bad)
		return bad == ERR_CHAIN ? ERR_OK : bad;
	bad = signed_by(x, "certs/server.pem", NULL, at, &e->entry, &e->entry_sig);
	if (bad == ERR_CHAIN)
		*why = _("县局服务器的签名不对：记录被改过");
	return bad == ERR_CHAIN ? ERR_OK : bad;
}

/* Whether some other entry had this number when this computer was told of it; hash NULL: any of this or a
 * later one. */
static bool was_other(struct verify *x, unsigned n, const uint8_t *hash)
{
	uint8_t of[16];
	bool other = false;

	for (size_t i = 0; !id_parse(of, x->doc) && i < x->seen->count; i++) {
		const struct document_tail *t = &x->seen->tail[i];
		if (memcmp(t->of, of, sizeof of) != 0 || (hash ? t->n != n : t->n < n))
			continue;
		if (hash && memcmp(t->head, hash, sizeof t->head) == 0)
			x->out->seen = x->matters ? x->out->seen : n;
		else
			other = true;
	}
	return other;
}

static void keep(struct verify *x, const struct entry *e, const uint8_t hash[crypto_hash_sha256_BYTES])
{
	sodium_bin2hex(x->prev, sizeof x->prev, hash, crypto_hash_sha256_BYTES);
	snprintf(x->at, sizeof x->at, "%s", value_of(&e->written, "at"));
	snprintf(x->state, sizeof x->state, "%s", value_of(&e->written, "state"));
	snprintf(x->doc, sizeof x->doc, "%s", value_of(&e->meant, "doc"));
	x->n++;
	if (x->matters)
		return;
	x->out->doc = value_of(&e->meant, "doc");
	x->out->state = value_of(&e->written, "state");
	x->out->digest = value_of(&e->meant, "digest");
	x->out->version = (int32_t)strtol(value_of(&e->meant, "version"), NULL, 10);
}

/* Whether words and what was given with them are those whose hash was signed. */
static bool are_signed(const struct entry *e, const char *words, const char *given)
{
	uint8_t hash[HASH_SIZE];
	char hex[HEX];

	document_words_hash(hash, words, given);
	return strcmp(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash), value_of(&e->meant, "text")) == 0;
}

/* The words of the entry, from words.jsonl. NULL: they are those that were signed, or are not there. */
static const char *words_fault(struct verify *x, const struct entry *e)
{
	size_t n = strcspn(x->words_at, "\n");
	json_t *line = n ? json_loadb(x->words_at, n, 0, NULL) : NULL;
	const char *words = keep_text(x, line, "text"), *given = keep_text(x, line, "given");
	bool good = words && given && are_signed(e, words, given);

	json_decref(line);
	x->out->words += good;
	x->words_at += n + (x->words_at[n] == '\n');
	return n && !good ? _("字句不是签名时的字句") : NULL;
}

static enum err verify_line(struct verify *x, const char *line, size_t n)
{
	struct entry e = {.device = NULL};
	uint8_t hash[crypto_hash_sha256_BYTES];
	unsigned number = ++x->out->entries;
	const char *why = NULL;
	enum err bad = ERR_OK;

	if (x->out->first_bad) /* the rest is counted; one is named */
		return ERR_OK;
	if (!take_entry(x, line, n, &e))
		why = _("不是一条办理记录");
	else if (!(why = fault_of(x, &e, number)))
		bad = check_signatures(x, &e, &why);
	if (bad || x->arena->refused)
		return bad ? bad : ERR_NOMEM;
	if (!why && !bad)
		why = words_fault(x, &e);
	if (!why) {
		crypto_hash_sha256(hash, e.entry.data, e.entry.n);
		keep(x, &e, hash);
		if (was_other(x, number, hash))
			why = _("与本机见证的不是同一条：后来换过");
	}
	if (why) {
		x->out->first_bad = number;
		x->out->why = why;
	}
	return ERR_OK;
}

static bool begins_matter(const struct entry *e)
{
	return strtoul(value_of(&e->written, "n"), NULL, 10) == 1;
}

static void matter_is_bad(struct verify *x, const char *number, const char *why)
{
	if (x->out->matter)
		return;
	x->out->matter = number ? number : "?";
	x->out->why = why;
}

/* What is known when a matter's trace ends. */
static void end_matter(struct verify *x, const char *number)
{
	if (x->n && was_other(x, x->n + 1, NULL))
		matter_is_bad(x, number, _("本机见证过以后的记录，现在没有了：末尾被删去"));
}

static enum err verify_matter_line(struct verify *x, const char *line, size_t n, const char **number)
{
	struct entry e = {.device = NULL};
	uint8_t hash[crypto_hash_sha256_BYTES];
	const char *why = NULL;
	enum err bad = ERR_OK;

	if (!take_entry(x, line, n, &e) || !e.number || !e.words || !e.given)
		why = _("不是一条办理记录");
	if (!why && begins_matter(&e)) {
		end_matter(x, *number);
		x->n = 0;
		*x->at = *x->state = *x->doc = 0;
		memset(x->prev, '0', sizeof x->prev - 1);
	}
	*number = e.number;
	x->out->matters++;
	if (!why && !(why = fault_of(x, &e, x->n + 1)))
		bad = check_signatures(x, &e, &why);
	if (!why && !bad && !are_signed(&e, e.words, e.given))
		why = _("字句不是签名时的字句");
	if (!why && !bad) {
		crypto_hash_sha256(hash, e.entry.data, e.entry.n);
		keep(x, &e, hash);
		if (was_other(x, x->n, hash))
			why = _("与本机见证的不是同一条：后来换过");
	}
	if (why)
		matter_is_bad(x, e.number, why);
	return bad || !x->arena->refused ? bad : ERR_NOMEM;
}

/* What a school has signed of its copy: its words are those, of this paper, and its computer's. */
static enum err verify_copy_line(struct verify *x, const char *text, size_t n)
{
	struct entry e = {.device = NULL};
	json_t *line = json_loadb(text, n, 0, NULL);
	const char *school = keep_text(x, line, "school"), *said = keep_text(x, line, "text"),
		   *event = keep_text(x, line, "event"), *why = NULL;
	char path[64];
	enum err bad = ERR_OK;

	e.device = keep_text(x, line, "device");
	if (!school || !said || !event || !e.device || strlen(e.device) != 36 ||
		!take_base64(line, "intent", x->arena, &e.intent) ||
		!take_base64(line, "intent_sig", x->arena, &e.intent_sig) ||
		!take_lines(&e.intent, DOCUMENT_INTENT, intent_keys, sizeof intent_keys / sizeof *intent_keys,
			x->arena, &e.meant))
		why = _("不是一条办理记录");
	else if (strcmp(value_of(&e.meant, "doc"), x->out->doc) != 0 ||
		strcmp(value_of(&e.meant, "event"), event) != 0 ||
		strcmp(value_of(&e.meant, "device"), e.device) != 0)
		why = _("不是这份公文的记录");
	else if (!are_signed(&e, said, ""))
		why = _("字句不是签名时的字句");
	json_decref(line);
	if (!why) {
		time_t made = (time_t)(strtoll(value_of(&e.meant, "made"), NULL, 10) / 1000000);
		snprintf(path, sizeof path, "certs/%s.pem", e.device);
		bad = signed_by(x, path, e.device, made, &e.intent, &e.intent_sig);
		if (bad == ERR_CHAIN)
			why = _("办理人电脑的签名不对：字句被改过，或证书不是县局发的");
	}
	if (why)
		matter_is_bad(x, school, why);
	return bad == ERR_CHAIN ? ERR_OK : bad;
}

static const char *lines_of(const struct bundle *b, const char *path)
{
	const struct bundle_file *f = bundle_find(b, path);

	return f ? (const char *)f->bytes : "";
}

enum err document_matters_verify(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_verdict *out, struct arena *arena)
{
	struct verify x = {.b = b,
		.ca = ca,
		.store = X509_STORE_new(),
		.seen = seen,
		.arena = arena,
		.out = out,
		.matters = true,
		.words_at = ""};
	enum err e = x.store && X509_STORE_add_cert(x.store, ca) == 1 ? ERR_OK : ERR_NOMEM;
	const char *at = lines_of(b, "matters.jsonl"), *number = NULL;

	memset(x.prev, '0', sizeof x.prev - 1);
	while (!e && *at) {
		size_t n = strcspn(at, "\n");
		e = verify_matter_line(&x, at, n, &number);
		at += n + (at[n] == '\n');
	}
	if (!e)
		end_matter(&x, number);
	for (at = lines_of(b, "copies.jsonl"); !e && *at;) {
		size_t n = strcspn(at, "\n");
		e = verify_copy_line(&x, at, n);
		at += n + (at[n] == '\n');
	}
	X509_STORE_free(x.store);
	return e;
}

X509 *document_trace_ca(const struct bundle *b)
{
	const struct bundle_file *f = bundle_find(b, "certs/ca.pem");
	BIO *pem = f ? BIO_new_mem_buf(f->bytes, (int)f->n) : NULL;
	X509 *cert = pem ? PEM_read_bio_X509(pem, NULL, NULL, NULL) : NULL;

	BIO_free(pem);
	ERR_clear_error();
	return cert;
}

enum err document_trace_verify(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_verdict *out, struct arena *arena)
{
	struct verify x = {.b = b,
		.ca = ca,
		.store = X509_STORE_new(),
		.seen = seen,
		.arena = arena,
		.out = out,
		.words_at = lines_of(b, "words.jsonl")};
	const char *at = lines_of(b, "trace.jsonl");
	enum err e = x.store && X509_STORE_add_cert(x.store, ca) == 1 ? ERR_OK : ERR_NOMEM;

	*out = (struct document_verdict){.why = "", .doc = "", .state = "", .digest = ""};
	memset(x.prev, '0', sizeof x.prev - 1);
	while (!e && *at) {
		size_t n = strcspn(at, "\n");
		e = verify_line(&x, at, n);
		at += n + (at[n] == '\n');
	}
	if (!e && !out->entries) {
		out->first_bad = 1;
		out->why = _("没有办理记录");
	}
	if (!e && !out->first_bad && was_other(&x, out->entries + 1, NULL)) {
		out->first_bad = out->entries + 1;
		out->why = _("本机见证过这一条和以后的记录，现在没有了：末尾被删去");
	}
	X509_STORE_free(x.store);
	return e;
}
