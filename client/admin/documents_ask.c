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
static bool line_is(const pb_document_reply *r, const char *key, const char *value)
{
	size_t k = strlen(key), v = strlen(value), n = r->intent.len;
	const char *at = (const char *)r->intent.data;

	for (size_t i = 0; i + k + v + 2 < n; i++)
		if (at[i] == '\n' && memcmp(at + i + 1, key, k) == 0 &&
			memcmp(at + i + 1 + k, value, v) == 0 && at[i + 1 + k + v] == '\n')
			return true;
	return false;
}

static bool hash_is(const pb_document_reply *r, const char *key, const uint8_t hash[HASH_SIZE])
{
	char hex[DRAFT_HEX_SIZE];

	draft_hex(hex, hash);
	return line_is(r, key, hex);
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

/* What this computer signs is what was typed here, whatever the server says: the event, the words and all
 * that was said with them, the text of the file, who he is. */
static bool is_meant(struct cli *c, const pb_document_ask *q, const pb_document_reply *r)
{
	struct draft_file_hash files[DOCUMENT_FILES_MAX] = {0};
	uint8_t hash[HASH_SIZE];
	struct arena arena;
	struct draft draft;
	struct problem unsaid;

	arena_init(&arena, DOCUMENT_ARENA);
	const char *given = document_given(&q->base, &arena);
	document_words_hash(hash, document_words(&q->base), given ? given : "");
	bool same = given && line_is(r, "event=", q->event) && line_is(r, "by=", c->profile.session.user) &&
		hash_is(r, "text=", hash);
	if (same && q->has_file)
		same = !draft_parse(&draft, (const char *)q->file.data, q->file.len, &arena, &unsaid) &&
			!draft_digest(hash, &draft, files, files_of(q, r, files), &arena) &&
			hash_is(r, "digest=", hash);
	arena_free(&arena);
	return same;
}

/* The lines of what is meant, signed, in the ask. */
static enum err sign(
	struct cli *c, pb_document_ask *q, const pb_document_reply *told, uint8_t sig[SIGNATURE_MAX])
{
	if (!is_meant(c, q, told))
		return problem_set(&c->problem, ERR_PROTOCOL, "intent", NULL,
			_("县局服务器说的和这里要办的不一样，没有签名，也没有办"));
	q->intent = told->intent;
	q->intent_sig = (ProtobufCBinaryData){
		signature_make(c->profile.key, q->intent.data, q->intent.len, sig), sig};
	q->has_intent = q->has_intent_sig = 1;
	q->has_dry_run = q->dry_run = 0;
	return q->intent_sig.len ? ERR_OK : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
}

/* Asks for what was signed. Where the line broke before the answer, the same is asked again: it is done
 * once. */
static enum err ask_until_known(struct cli *c, struct link **link, const pb_document_ask *q,
	struct arena *arena, const ProtobufCMessage **reply)
{
	unsigned unknown = c->profile.fate.unknown;
	enum err e = link_ask(*link, METHOD_DOCUMENTS_ASK, &q->base, arena, reply, &c->problem);

	for (unsigned again = 0; again < ASK_AGAIN && c->profile.fate.unknown != unknown; again++) {
		sleep(1u << again);
		if (*link)
			link_close(*link);
		*link = NULL;
		e = login_link(link, &c->profile, NULL, &c->problem);
		if (e)
			continue;
		c->profile.fate.unknown = unknown; /* this one will say it */
		e = link_ask(*link, METHOD_DOCUMENTS_ASK, &q->base, arena, reply, &c->problem);
	}
	return e;
}

enum err documents_ask(struct cli *c, pb_document_ask *q, struct arena *arena, const ProtobufCMessage **reply)
{
	uint8_t sig[SIGNATURE_MAX];
	struct link *link = NULL;

	arena_init(arena, DOCUMENT_ARENA);
	enum err e = login_link(&link, &c->profile, NULL, &c->problem);
	q->has_dry_run = q->dry_run = 1;
	if (!e)
		e = link_ask(link, METHOD_DOCUMENTS_ASK, &q->base, arena, reply, &c->problem);
	if (!e)
		e = sign(c, q, (const pb_document_reply *)*reply, sig);
	if (!e)
		e = ask_until_known(c, &link, q, arena, reply);
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
