/* 归档 (A8.4, A8.8): the archive number, and what proves a paper's life to somebody who trusts nobody here: its
 * trace with every signature and certificate, from which a client makes the package, and the server's signature
 * over that package's list of files. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "access_log.h"
#include "clock.h"
#include "codes.h"
#include "document_store.h"
#include "hash.h"
#include "lang.h"
#include "server.h"
#include "signature.h"

#define ENTRIES_PER_PAGE 200

/* ---- The number ---- */

/* 件号 are gap-free in year, term and unit: they are taken with the event, in its transaction. */
static const struct db_stmt give_number = {
	"UPDATE document d SET archive_no = x.box || '-' || lpad(document_number_take(x.box, x.year)::text,"
	" 4, '0')"
	" FROM (SELECT o.id, y.year, format('%s-WS·%s-%s-%s', $2::text, y.year, $3::text, $4::text) AS box"
	" FROM document o"
	" CROSS JOIN LATERAL (SELECT coalesce(nullif($5::int, 0), o.year) AS year) y"
	" WHERE o.county = app_county() AND o.id = $1::uuid) x"
	" WHERE d.county = app_county() AND d.id = x.id"};

/* 保管期限: of the settings named after the paper, the first that there is. */
static const char *term_of(
	struct request *r, const struct document_surroundings *around, const struct document_file *f)
{
	bool in = strcmp(f->kind, "in") == 0;
	const char *names[] = {
		arena_printf(&r->arena, "retention.%s.%s", f->kind, f->genre),
		in && strcmp(f->carrier, "phone") == 0 ? "retention.in.phone" : "",
		in && f->d.reads ? "retention.in.read" : "",
		in ? "retention.in" : "retention.out",
	};
	const char *term = NULL;

	for (size_t i = 0; !term && i < sizeof names / sizeof *names; i++)
		term = names[i] ? world_setting(around, names[i], around->world.now) : NULL;
	return text_of(term);
}

/* 机构: whose paper it is, by the role of who drafted it, or handled it. */
static const char *unit_of(const struct document_surroundings *around, const struct document_file *f)
{
	static const struct {
		unsigned role;
		const char *setting;
	} units[] = {{ROLE_LEADER, "unit.leader"}, {ROLE_OFFICE, "unit.office"},
		{ROLE_BASIC_EDU, "unit.basic_edu"}, {ROLE_SUPERVISION, "unit.supervision"},
		{ROLE_ADMISSIONS, "unit.admissions"}};
	const char *whose = strcmp(f->kind, "in") == 0 ? f->d.lead : f->d.drafter;
	const struct document_world *w = &around->world;

	for (size_t i = 0; i < w->account_count; i++)
		for (size_t k = 0;
			strcmp(w->accounts[i].user, whose) == 0 && k < sizeof units / sizeof *units; k++)
			if (w->accounts[i].roles & 1u << units[k].role)
				return world_setting(around, units[k].setting, w->now);
	return world_setting(around, "unit.none", w->now);
}

void document_give_archive_number(
	struct request *r, const struct document_surroundings *around, const struct document_file *f)
{
	struct db_params p = {0};

	db_bytes(&p, f->id, 16);
	db_text(&p, world_setting(around, "fonds", around->world.now));
	db_text(&p, term_of(r, around, f));
	db_text(&p, unit_of(around, f));
	db_int4(&p, f->d.signed_on / 10000);
	request_query(r, &give_number, &p);
}

/* ---- The trace, as anybody can check it ---- */

static const struct db_stmt select_paper = {
	"SELECT d.id, d.kind, coalesce(d.number, ''), d.title, d.genre, d.urgency, d.mark, d.slot,"
	" d.archive_no,"
	" coalesce(d.from_organ, ''), d.drafter, d.lead, d.signer, d.signed_on,"
	" (d.made_at AT TIME ZONE 'Asia/Shanghai')::date, d.version, v.file, coalesce(d.matter, '')"
	" FROM document d"
	" JOIN document_version v ON v.county = d.county AND v.document = d.id AND v.version = d.version"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($1::text))"
	" AND document_may_read(d.id, d.mark, $2::text)"};
enum {
	P_ID,
	P_KIND,
	P_NUMBER,
	P_TITLE,
	P_GENRE,
	P_URGENCY,
	P_MARK,
	P_SLOT,
	P_ARCHIVE_NO,
	P_FROM,
	P_DRAFTER,
	P_LEAD,
	P_SIGNER,
	P_SIGNED_ON,
	P_MADE_ON,
	P_VERSION,
	P_FILE,
	P_MATTER
};
static const struct db_stmt select_entries = {
	"SELECT t.n, t.at, t.state, t.intent, t.intent_sig, t.device, t.sig, t.document, '', t.text, t.given"
	" FROM document_trace t"
	" WHERE t.county = app_county() AND t.document = (SELECT document_find($1::text)) ORDER BY t.n"};
static const struct db_stmt select_matters = {
	"SELECT m.* FROM document_matters((SELECT document_find($1::text))) m"};
enum { E_N, E_AT, E_STATE, E_INTENT, E_INTENT_SIG, E_DEVICE, E_SIG, E_OF, E_NUMBER, E_WORDS, E_GIVEN };
static const struct db_stmt select_copies = {"SELECT school, event, said, intent, sig, device"
					     " FROM document_copies((SELECT document_find($1::text)))"};
enum { Y_SCHOOL, Y_EVENT, Y_SAID, Y_INTENT, Y_SIG, Y_DEVICE };
static const struct db_stmt select_certs = {
	"WITH x AS MATERIALIZED (SELECT document_find($1::text) AS id),"
	" n AS MATERIALIZED (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS device"
	" UNION SELECT t.device FROM document_trace t JOIN x ON t.document = x.id"
	" WHERE t.county = app_county()"
	" UNION SELECT m.device FROM x, document_matters(x.id) m"
	" UNION SELECT c.device FROM x, document_copies(x.id) c)"
	" SELECT s.device, s.cert_hash, s.cert"
	" FROM document_signer s JOIN n USING (device) WHERE s.county = app_county()"
	" UNION SELECT s.device, s.cert_hash, s.cert"
	" FROM device_cert s JOIN n USING (device) WHERE s.county = app_county()"
	" ORDER BY 1, 2"};

static json_t *base64(const void *bytes, size_t n)
{
	size_t room = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(room);
	json_t *out = text
		? json_string(sodium_bin2base64(text, room, bytes, n, sodium_base64_VARIANT_ORIGINAL))
		: NULL;

	free(text);
	return out;
}

static const char *json_line(struct request *r, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	const char *kept = text ? arena_printf(&r->arena, "%s\n", text) : NULL;

	free(text);
	json_decref(line);
	return kept;
}

/* An entry with its signatures; *head becomes its hash. NULL: no memory. */
static json_t *entry_json(struct request *r, const PGresult *t, int i, uint8_t head[TRACE_HASH])
{
	struct document_entry x = {.at = db_get_int(t, i, E_AT), .intent = db_get_text(t, i, E_INTENT)};
	char device[37];
	size_t n;

	x.intent_sig = db_get_bytes(t, i, E_INTENT_SIG, &x.intent_sig_len);
	const char *entry =
		document_entry_text(r, &x, (int32_t)db_get_int(t, i, E_N), head, db_get_text(t, i, E_STATE));
	if (!entry)
		return NULL;
	id_format(device, db_get_bytes(t, i, E_DEVICE, &n));
	const uint8_t *sig = db_get_bytes(t, i, E_SIG, &n);
	return json_pack("{s:o,s:o,s:s,s:o,s:o}", "intent", base64(x.intent, strlen(x.intent)), "intent_sig",
		base64(x.intent_sig, x.intent_sig_len), "device", device, "entry",
		base64(entry, strlen(entry)), "entry_sig", base64(sig, n));
}

/* The files of lines that a package has, whole, in the arena. The contract has trace.jsonl alone; what it
 * cannot hold stands beside it: the words whose hashes were signed, and the traces of what hangs on the
 * paper. */
enum evidence_file { EVIDENCE_TRACE, EVIDENCE_WORDS, EVIDENCE_MATTERS, EVIDENCE_COPIES, EVIDENCE_FILES };
static const char *const evidence_names[] = {"trace.jsonl", "words.jsonl", "matters.jsonl", "copies.jsonl"};
struct evidence {
	const char **lines[EVIDENCE_FILES];
	size_t count[EVIDENCE_FILES];
};

static bool trace_lines(struct request *r, struct evidence *x)
{
	const PGresult *t = request_result(r, &select_entries);
	uint8_t head[TRACE_HASH] = {0};
	size_t n = x->count[EVIDENCE_TRACE] = x->count[EVIDENCE_WORDS] = (size_t)PQntuples(t);
	const char **line = x->lines[EVIDENCE_TRACE] = arena_alloc(&r->arena, sizeof *line * (n + 1)),
		   **word = x->lines[EVIDENCE_WORDS] = arena_alloc(&r->arena, sizeof *word * (n + 1));

	for (int i = 0; line && word && i < (int)n; i++) {
		line[i] = json_line(r, entry_json(r, t, i, head));
		word[i] = json_line(r,
			json_pack("{s:i,s:s,s:s}", "n", (int)db_get_int(t, i, E_N), "text",
				db_get_text(t, i, E_WORDS), "given", db_get_text(t, i, E_GIVEN)));
		if (!line[i] || !word[i])
			return false;
	}
	return line && word;
}

static bool matter_lines(struct request *r, struct evidence *x)
{
	const PGresult *t = request_result(r, &select_matters);
	size_t n = x->count[EVIDENCE_MATTERS] = (size_t)PQntuples(t);
	const char **line = x->lines[EVIDENCE_MATTERS] = arena_alloc(&r->arena, sizeof *line * (n + 1));
	uint8_t head[TRACE_HASH];

	for (int i = 0; line && i < (int)n; i++) {
		if (db_get_int(t, i, E_N) == 1)
			memset(head, 0, sizeof head);
		json_t *entry = entry_json(r, t, i, head);
		json_object_set_new(entry, "number", json_string(db_get_text(t, i, E_NUMBER)));
		json_object_set_new(entry, "text", json_string(db_get_text(t, i, E_WORDS)));
		json_object_set_new(entry, "given", json_string(db_get_text(t, i, E_GIVEN)));
		if (!(line[i] = json_line(r, entry)))
			return false;
	}
	return line;
}

static bool copy_lines(struct request *r, struct evidence *x)
{
	const PGresult *t = request_result(r, &select_copies);
	size_t n = x->count[EVIDENCE_COPIES] = (size_t)PQntuples(t), len;
	const char **line = x->lines[EVIDENCE_COPIES] = arena_alloc(&r->arena, sizeof *line * (n + 1));
	char device[37];

	for (int i = 0; line && i < (int)n; i++) {
		const char *intent = db_get_text(t, i, Y_INTENT);
		id_format(device, db_get_bytes(t, i, Y_DEVICE, &len));
		const uint8_t *sig = db_get_bytes(t, i, Y_SIG, &len);
		line[i] = json_line(r,
			json_pack("{s:s,s:s,s:s,s:o,s:o,s:s}", "school", db_get_text(t, i, Y_SCHOOL), "event",
				db_get_text(t, i, Y_EVENT), "text", db_get_text(t, i, Y_SAID), "intent",
				base64(intent, strlen(intent)), "intent_sig", base64(sig, len), "device",
				device));
		if (!line[i])
			return false;
	}
	return line;
}

static bool read_evidence(struct request *r, struct evidence *x)
{
	return trace_lines(r, x) && matter_lines(r, x) && copy_lines(r, x);
}

static void fill_paper(struct request *r, pb_document_evidence *out)
{
	const PGresult *t = request_result(r, &select_paper);
	char id[37];
	size_t n;

#define TEXT(c) ((char *)(uintptr_t)document_text(r, db_get_text(t, 0, c)))
	id_format(id, db_get_bytes(t, 0, P_ID, &n));
	out->id = arena_text(&r->arena, id, 36);
	out->kind = TEXT(P_KIND);
	out->number = TEXT(P_NUMBER);
	out->title = TEXT(P_TITLE);
	out->genre = TEXT(P_GENRE);
	out->urgency = TEXT(P_URGENCY);
	out->slot = TEXT(P_SLOT);
	out->archive_no = TEXT(P_ARCHIVE_NO);
	out->from = TEXT(P_FROM);
	out->signer = TEXT(P_SIGNER);
	out->lead = TEXT(P_LEAD);
	out->drafter = TEXT(P_DRAFTER);
	out->matter = TEXT(P_MATTER);
	out->has_signed_on = out->has_made_on = out->has_version = out->has_file = 1;
	out->signed_on = (int32_t)db_get_int(t, 0, P_SIGNED_ON);
	out->made_on = (int32_t)db_get_int(t, 0, P_MADE_ON);
	out->version = (int32_t)db_get_int(t, 0, P_VERSION);
	const char *file = document_text(r, db_get_text(t, 0, P_FILE));
	out->file = (ProtobufCBinaryData){strlen(file), (uint8_t *)(uintptr_t)file};
#undef TEXT
}

static bool fill_certs(struct request *r, pb_document_evidence *out)
{
	const PGresult *t = request_result(r, &select_certs);
	size_t count = (size_t)PQntuples(t), n;
	pb_document_cert *rows = arena_alloc(&r->arena, sizeof *rows * (count + 1));
	char device[37];

	out->cert = arena_alloc(&r->arena, sizeof *out->cert * (count + 1));
	for (int i = 0; rows && out->cert && i < (int)count; i++) {
		pb_document_cert *x = out->cert[out->n_cert++] = &rows[i];
		*x = (pb_document_cert)PB_DOCUMENT_CERT_INIT;
		id_format(device, db_get_bytes(t, i, 0, &n));
		x->device = arena_text(&r->arena, device, 36);
		x->has_cert = 1;
		const uint8_t *der = db_get_bytes(t, i, 2, &n);
		x->cert = (ProtobufCBinaryData){n, arena_copy(&r->arena, der, n)};
	}
	return rows && out->cert && !r->arena.refused;
}

static const ProtobufCMessage *evidence_page(struct request *r, void *data, size_t from, size_t to)
{
	const struct evidence *x = data;
	pb_document_evidence *out = arena_alloc(&r->arena, sizeof *out);

	if (!out)
		return NULL;
	*out = (pb_document_evidence)PB_DOCUMENT_EVIDENCE_INIT;
	if (from == 0) {
		fill_paper(r, out);
		if (!fill_certs(r, out))
			return NULL;
	}
	char ***lists[] = {&out->line, &out->word, &out->beside, &out->copy};
	size_t *counts[] = {&out->n_line, &out->n_word, &out->n_beside, &out->n_copy}, before = 0;
	for (size_t f = 0; f < EVIDENCE_FILES; before += x->count[f++]) {
		size_t begin = from > before ? from - before : 0, end = to > before ? to - before : 0;
		if (end > x->count[f])
			end = x->count[f];
		*lists[f] = (char **)(uintptr_t)(x->lines[f] + begin);
		*counts[f] = end > begin ? end - begin : 0;
	}
	return &out->base;
}

static void evidence_query(struct request *r, const char *doc)
{
	struct db_params p = {0};

	db_text(&p, doc);
	request_query(r, &select_entries, &p);
	request_query(r, &select_matters, &p);
	request_query(r, &select_copies, &p);
	request_query(r, &select_certs, &p);
	db_text(&p, r->caller.user);
	request_query(r, &select_paper, &p);
}

/* Whether he may have it out of the house: what is marked leaves with a reason. False: refused. */
static bool may_leave(struct request *r, const char *doc, const char *reason)
{
	const PGresult *t = request_result(r, &select_paper);

	if (!PQntuples(t)) {
		request_fail_hint(r, ERR_NOT_FOUND, "doc",
			arena_printf(&r->arena, _("没有“%s”这份公文"), doc),
			_("jgadmin documents list 列出公文"));
		return false;
	}
	if (*db_get_text(t, 0, P_MARK) && !*reason) {
		request_fail_hint(r, ERR_MISSING, "reason", _("内部文件导出要写明理由"), "--reason");
		return false;
	}
	r->purpose = *reason ? arena_printf(&r->arena, "%s", reason) : "export";
	return true;
}

static void evidence_of(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	evidence_query(r, query->doc);
}

static void evidence_done(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct evidence x = {0};
	size_t n = 0;

	if (!may_leave(r, query->doc, text_of(query->text)))
		return;
	bool read = read_evidence(r, &x);
	for (size_t f = 0; f < EVIDENCE_FILES; f++)
		n += x.count[f];
	if (!read)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		document_reply_pages(r, &(struct document_pages){n, evidence_page, &x});
}

void documents_evidence(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	if (!*text_of(query->doc))
		request_fail(r, ERR_MISSING, "doc", NULL);
	else
		request_call(r, evidence_of, evidence_done);
}

/* ---- The signature over a package ---- */

/* A list of files and nothing else: lines of 64 hexadecimal digits, two blanks, a path. So what is signed
 * here can be taken for nothing that the server signs elsewhere. */
static bool is_manifest(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n < 67 || strspn(text, "0123456789abcdef") != 64 || text[64] != ' ' || text[65] != ' ' ||
			text[n] != '\n')
			return false;
		text += n + 1;
	}
	return true;
}

static void seal_of(struct request *r)
{
	evidence_query(r, REQUEST(r, pb_document_seal_ask)->doc);
}

/* Whether a list has each of these files as it stands here. False with *no_memory: not known. */
static bool lists_evidence(struct request *r, const char *manifest, bool *no_memory)
{
	struct evidence x = {0};

	*no_memory = !read_evidence(r, &x);
	for (size_t f = 0; !*no_memory && f < EVIDENCE_FILES; f++) {
		uint8_t hash[TRACE_HASH];
		char hex[2 * TRACE_HASH + 1];
		crypto_hash_sha256_state state;
		crypto_hash_sha256_init(&state);
		for (size_t i = 0; i < x.count[f]; i++)
			crypto_hash_sha256_update(
				&state, (const uint8_t *)x.lines[f][i], strlen(x.lines[f][i]));
		crypto_hash_sha256_final(&state, hash);
		sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
		const char *wanted = arena_printf(&r->arena, "%s  %s\n", hex, evidence_names[f]);
		*no_memory = !wanted;
		if (x.count[f] && wanted && !strstr(manifest, wanted))
			return false;
	}
	return !*no_memory;
}

/* Signs a package of this paper whose trace is the one that stands here. */
static void seal_done(struct request *r)
{
	const pb_document_seal_ask *q = REQUEST(r, pb_document_seal_ask);
	pb_document_seal_reply out = PB_DOCUMENT_SEAL_REPLY_INIT;
	const char *manifest = arena_text(&r->arena, q->manifest.data, q->manifest.len);
	uint8_t sig[SIGNATURE_MAX];
	bool no_memory = false;

	if (!may_leave(r, q->doc, text_of(q->reason)))
		return;
	bool listed = manifest && lists_evidence(r, manifest, &no_memory);
	if (!manifest || no_memory) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (!listed || strlen(manifest) != q->manifest.len || !is_manifest(manifest)) {
		request_fail_hint(r, ERR_STALE, "manifest", _("这份公文刚刚有了变化，封装包没有签名"),
			arena_printf(&r->arena, "jgadmin documents export %s -o F.zip", q->doc));
		return;
	}
	out.sig.len = signature_make(r->worker->server->sign_key, manifest, strlen(manifest), sig);
	out.sig.data = sig;
	out.has_sig = 1;
	if (!out.sig.len)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		request_reply(r, &out.base);
}

void documents_seal(struct request *r)
{
	const pb_document_seal_ask *q = REQUEST(r, pb_document_seal_ask);

	if (!*text_of(q->doc) || !q->manifest.len)
		request_fail(r, ERR_MISSING, *text_of(q->doc) ? "manifest" : "doc", NULL);
	else
		request_call(r, seal_of, seal_done);
}
