/* What the commands about one paper ask. An event is signed by this computer: first the server says in
 * lines what is meant, then that is compared with what was typed, signed, and asked for. */
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "admin.h"
#include "admin_documents.h"
#include "document_intent.h"
#include "draft_digest.h"
#include "lang.h"
#include "login.h"
#include "signature.h"
#include "tables.h"

#define DOCUMENT_FILES_MAX 50

#define ASK_AGAIN 4 /* half a minute: a server that was killed is up again, and who waits has not gone home */

/* Whether a line of what the server says is meant reads so. */
static bool line_is(const ProtobufCBinaryData *lines, const char *key, const char *value)
{
	size_t k = strlen(key), v = strlen(value), n = lines->len;
	const char *at = (const char *)lines->data;

	for (size_t i = 0; i + k + v + 2 < n; i++)
		if (at[i] == '\n' && memcmp(at + i + 1, key, k) == 0 &&
			memcmp(at + i + 1 + k, value, v) == 0 && at[i + 1 + k + v] == '\n')
			return true;
	return false;
}

static bool hash_is(const ProtobufCBinaryData *lines, const char *key, const uint8_t hash[HASH_SIZE])
{
	char hex[DRAFT_HEX_SIZE];

	draft_hex(hex, hash);
	return line_is(lines, key, hex);
}

/* The files that were attached here, or that stay where none was: those the server names, as `documents
 * show` does. */
static size_t files_of(const pb_document_ask *q, const pb_document_reply *r, struct draft_file_hash *out)
{
	size_t n = q->n_attach || q->detach ? q->n_attach : r->n_attachment;
	pb_document_attach *const *list = q->n_attach ? q->attach : r->attachment;

	if (n > DOCUMENT_FILES_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		out[i].name = list[i]->name ? list[i]->name : "";
		if (list[i]->sha.len == HASH_SIZE)
			memcpy(out[i].sha256, list[i]->sha.data, HASH_SIZE);
	}
	return n;
}

/* Whether the digest is that of the text that was typed, with its files. */
static bool text_is_meant(const ProtobufCMessage *ask, const ProtobufCMessage *reply)
{
	const pb_document_ask *q = (const pb_document_ask *)ask;
	const pb_document_reply *r = (const pb_document_reply *)reply;
	struct draft_file_hash files[DOCUMENT_FILES_MAX] = {0};
	uint8_t hash[HASH_SIZE];
	struct arena arena;
	struct draft draft;
	struct problem unsaid;

	if (!q->has_file)
		return true;
	arena_init(&arena, DOCUMENT_ARENA);
	bool same = !draft_parse(&draft, (const char *)q->file.data, q->file.len, &arena, &unsaid) &&
		!draft_digest(hash, &draft, files, files_of(q, r, files), &arena) &&
		hash_is(&r->intent, "digest=", hash);
	arena_free(&arena);
	return same;
}

static bool plan_is_meant(const ProtobufCMessage *ask, const ProtobufCMessage *reply)
{
	const pb_meeting_ask *q = (const pb_meeting_ask *)ask;
	uint8_t hash[HASH_SIZE];

	crypto_hash_sha256(hash, q->file.data, q->file.len);
	return !q->has_file || hash_is(&((const pb_meeting_reply *)reply)->intent, "digest=", hash);
}

/* A member of a message by its name: every ask that is signed has the same. */
static void *member(const ProtobufCMessage *m, const char *name, protobuf_c_boolean **has)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
	char *base = (char *)(uintptr_t)m;

	if (has)
		*has = (protobuf_c_boolean *)(base + f->quantifier_offset);
	return base + f->offset;
}

static void put_bytes(ProtobufCMessage *q, const char *name, ProtobufCBinaryData bytes)
{
	protobuf_c_boolean *has;

	*(ProtobufCBinaryData *)member(q, name, &has) = bytes;
	*has = 1;
}

static void put_dry_run(ProtobufCMessage *q, protobuf_c_boolean dry)
{
	protobuf_c_boolean *has, *is = member(q, "dry_run", &has);

	*has = *is = dry;
}

/* What this computer signs is what was typed here, whatever the server says: the event, the words and all
 * that was said with them, the text of the file, who he is. */
static bool is_meant(struct cli *c, const ProtobufCMessage *q, const ProtobufCBinaryData *lines)
{
	const char *event = *(const char **)member(q, "event", NULL);
	uint8_t hash[HASH_SIZE];
	struct arena arena;

	arena_init(&arena, DOCUMENT_ARENA);
	const char *given = document_given(q, &arena);
	document_words_hash(hash, document_words(q), given ? given : "");
	bool same = given && line_is(lines, "event=", event) &&
		line_is(lines, "by=", c->profile.session.user) && hash_is(lines, "text=", hash);
	arena_free(&arena);
	return same;
}

/* Of a method that is signed: whether its digest is meant; NULL: what it is of, the server alone knows. */
static bool (*const meant[])(const ProtobufCMessage *ask, const ProtobufCMessage *reply) = {
	[SIGNED_EVENT] = text_is_meant, [SIGNED_ORDER] = NULL, [SIGNED_MEETING] = plan_is_meant};
static const uint16_t methods[] = {[SIGNED_EVENT] = METHOD_DOCUMENTS_ASK,
	[SIGNED_ORDER] = METHOD_DOCUMENTS_ORDER,
	[SIGNED_MEETING] = METHOD_DOCUMENTS_MEETING};

/* The lines of what is meant, signed, in the ask. */
static enum err sign(struct cli *c, enum documents_signed what, ProtobufCMessage *q,
	const ProtobufCMessage *told, uint8_t sig[SIGNATURE_MAX])
{
	const ProtobufCBinaryData *lines = member(told, "intent", NULL);

	if (!is_meant(c, q, lines) || (meant[what] && !meant[what](q, told)))
		return problem_set(&c->problem, ERR_PROTOCOL, "intent", NULL,
			_("县局服务器说的和这里要办的不一样，没有签名，也没有办"));
	size_t n = signature_make(c->profile.key, lines->data, lines->len, sig);
	put_bytes(q, "intent", *lines);
	put_bytes(q, "intent_sig", (ProtobufCBinaryData){n, sig});
	put_dry_run(q, 0);
	return n ? ERR_OK : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
}

/* Asks for what was signed. Where the line broke before the answer, the same is asked again: it is done
 * once. */
static enum err ask_until_known(struct cli *c, struct link **link, uint16_t method, const ProtobufCMessage *q,
	struct arena *arena, const ProtobufCMessage **reply)
{
	unsigned unknown = c->profile.fate.unknown;
	enum err e = link_ask(*link, method, q, arena, reply, &c->problem);

	for (unsigned again = 0; again < ASK_AGAIN && c->profile.fate.unknown != unknown; again++) {
		sleep(1u << again);
		if (*link)
			link_close(*link);
		*link = NULL;
		e = login_link(link, &c->profile, NULL, &c->problem);
		if (e)
			continue;
		c->profile.fate.unknown = unknown; /* this one will say it */
		e = link_ask(*link, method, q, arena, reply, &c->problem);
	}
	return e;
}

enum err documents_ask(struct cli *c, enum documents_signed what, ProtobufCMessage *q, struct arena *arena,
	const ProtobufCMessage **reply)
{
	uint8_t sig[SIGNATURE_MAX];
	struct link *link = NULL;

	arena_init(arena, DOCUMENT_ARENA);
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);
	put_dry_run(q, 1);
	if (!e)
		e = link_ask(link, methods[what], q, arena, reply, &c->problem);
	if (!e)
		e = sign(c, what, q, *reply, sig);
	if (!e)
		e = ask_until_known(c, &link, methods[what], q, arena, reply);
	if (link)
		link_close(link);
	return e;
}

bool documents_output(struct cli *c, const char *example, const char **path, int *code)
{
	*path = cli_option(c, "o");
	if (!*path) {
		*code = cli_fail_with(c, ERR_USAGE, example, _("要写明存到哪个文件"));
		return false;
	}
	*code = err_info(ERR_EXISTS)->exit_code;
	return cli_may_replace(c, *path, NULL);
}

enum err documents_shown(struct cli *c, struct arena *arena, const pb_document_shown **out)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	const ProtobufCMessage *reply;

	q.doc = (char *)cli_operand(c, 0);
	q.has_names = q.names = 1;
	enum err e = admin_ask(c, METHOD_DOCUMENTS_SHOW, &q.base, arena, &reply);
	*out = (const pb_document_shown *)reply;
	return e;
}
