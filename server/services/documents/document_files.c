/* Files that hang on papers. The bureau uploads them as any file is (services/sync_calls.c), has each looked at
 * once, and names them in an event; whoever may read the paper fetches them. One that is here already is
 * not sent again, however many papers and schools have it. */
#include "document_files.h"

#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "access_log.h"
#include "content_type.h"
#include "helper.h"
#include "lang.h"
#include "normal_form.h"
#include "wire_limits.h"

#define EXTRACT_MS 30000
#define SCAN_MS 60000
#define SAID_MAX (420u << 10) /* a line, and 100,000 characters */

/* ---- What an event brings ---- */

#define LOOKED "coalesce(c.type, ''), coalesce(c.cut, true), coalesce(c.verdict, 'unscanned')"
static const struct db_stmt read_before = {
	"SELECT f.name, f.sha, f.size, " LOOKED " FROM document d"
	" JOIN document_file f ON f.county = d.county AND f.document = d.id"
	" AND f.version = CASE WHEN d.reissue AND $2::boolean THEN d.issued_version ELSE d.version END"
	" LEFT JOIN document_content c ON c.county = f.county AND c.sha = f.sha"
	" WHERE d.county = app_county() AND d.id = (SELECT document_find($1::text)) ORDER BY f.n"};
static const struct db_stmt read_brought = {
	"SELECT '', u.sha, coalesce(b.size, 0), " LOOKED
	" FROM unnest($1::bytea[]) WITH ORDINALITY AS u (sha, n)"
	" LEFT JOIN blob b ON b.county = app_county() AND b.school = '' AND b.sha = u.sha AND b.complete"
	" LEFT JOIN document_content c ON c.county = b.county AND c.sha = b.sha"
	" ORDER BY u.n"};
enum { F_NAME, F_SHA, F_SIZE, F_TYPE, F_CUT, F_VERDICT };

void document_files_query(struct request *r)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	struct pg_array hashes = {0};
	struct db_params of = {0}, brought = {0};

	db_text(&of, text_of(ask->doc));
	db_bool(&of, strcmp(text_of(ask->event), "return") == 0);
	request_query(r, &read_before, &of);
	pg_array_begin(&hashes, PG_BYTEA);
	for (size_t i = 0; i < ask->n_attach; i++)
		pg_array_bytes(&hashes, ask->attach[i]->sha.data, ask->attach[i]->sha.len);
	db_array(&brought, &hashes);
	request_query(r, &read_brought, &brought);
	pg_array_free(&hashes);
}

static enum draft_file_fault fault_of(struct request *r, const PGresult *t, int i, const char *name)
{
	const char *verdict = db_get_text(t, i, F_VERDICT);

	if (db_get_int(t, i, F_CUT))
		return FILE_CUT;
	if (strcmp(verdict, "infected") == 0)
		return FILE_INFECTED;
	if (!content_type_fits(db_get_text(t, i, F_TYPE), name))
		return FILE_WRONG_TYPE;
	return r->worker->server->conf.scan[0] && strcmp(verdict, "unscanned") == 0 ? FILE_UNSCANNED
										    : FILE_SOUND;
}

static void add(struct request *r, struct document_files *f, const PGresult *t, int i, const char *name)
{
	size_t n;

	if (f->n == DOCUMENT_FILES_MAX)
		return;
	memcpy(f->hash[f->n].sha256, db_get_bytes(t, i, F_SHA, &n), HASH_SIZE);
	f->hash[f->n].name = name;
	f->size[f->n] = (uint64_t)db_get_int(t, i, F_SIZE);
	f->fault[f->n] = (struct draft_file){name, fault_of(r, t, i, name)};
	f->n++;
}

void document_files_before(struct request *r, struct document_files *f)
{
	const PGresult *t = request_result(r, &read_before);

	for (int i = 0; i < PQntuples(t); i++)
		add(r, f, t, i, document_text(r, db_get_text(t, i, F_NAME)));
}

bool document_files_after(struct request *r, const struct document_files *before, struct document_files *f)
{
	const pb_document_ask *ask = REQUEST(r, pb_document_ask);
	const PGresult *t = request_result(r, &read_brought);
	uint64_t bytes = 0;

	if (!ask->n_attach && !ask->detach) {
		*f = *before;
		return true;
	}
	for (int i = 0; i < PQntuples(t); i++) {
		const char *name = text_of(ask->attach[i]->name);
		bytes += (uint64_t)db_get_int(t, i, F_SIZE);
		if (*name && ask->attach[i]->sha.len == HASH_SIZE) {
			add(r, f, t, i, name);
			continue;
		}
		request_fail(r, ERR_MISSING, *name ? "sha" : "name", NULL);
		return false;
	}
	if (bytes <= DOCUMENT_FILES_BYTES)
		return true;
	request_fail_hint(r, ERR_TOO_LARGE, "attach", _("一份公文的附件合起来不能超过 100 MB"),
		_("请压缩，或分成几份公文"));
	return false;
}

pb_document_attach **document_files_reply(struct request *r, const struct document_files *f, size_t *n)
{
	pb_document_attach **list = arena_alloc(&r->arena, sizeof *list * (f->n + 1)),
			   *rows = arena_alloc(&r->arena, sizeof *rows * (f->n + 1));

	for (size_t i = 0; list && rows && i < f->n; i++) {
		list[i] = &rows[i];
		rows[i] = (pb_document_attach)PB_DOCUMENT_ATTACH_INIT;
		rows[i].name = (char *)(uintptr_t)f->hash[i].name;
		rows[i].has_sha = 1;
		rows[i].sha = (ProtobufCBinaryData){HASH_SIZE, (uint8_t *)(uintptr_t)f->hash[i].sha256};
	}
	*n = f->n;
	return rows ? list : NULL;
}

static const struct db_stmt insert_files = {
	"INSERT INTO document_file (county, document, version, n, name, sha, size)"
	" SELECT app_county(), $1::uuid, $2::int, u.n, u.name, u.sha, u.size"
	" FROM unnest($3::text[], $4::bytea[], $5::int8[]) WITH ORDINALITY AS u (name, sha, size, n)"};

void document_files_write(
	struct request *r, const uint8_t id[16], int32_t version, const struct document_files *f)
{
	struct pg_array a[3] = {0};
	struct db_params p = {0};

	pg_array_begin(&a[0], PG_TEXT);
	pg_array_begin(&a[1], PG_BYTEA);
	pg_array_begin(&a[2], PG_INT8);
	for (size_t i = 0; i < f->n; i++) {
		pg_array_text(&a[0], f->hash[i].name);
		pg_array_bytes(&a[1], f->hash[i].sha256, HASH_SIZE);
		pg_array_int8(&a[2], (int64_t)f->size[i]);
	}
	db_bytes(&p, id, 16);
	db_int4(&p, version);
	for (int i = 0; i < 3; i++)
		db_array(&p, &a[i]);
	request_query(r, &insert_files, &p);
	for (int i = 0; i < 3; i++)
		pg_array_free(&a[i]);
}

/* ---- Looking at a file ---- */

static const struct db_stmt read_content = {
	"SELECT type, cut, verdict, length(text)"
	" FROM document_content WHERE county = app_county() AND sha = $1::bytea"};
static const struct db_stmt read_bytes = {
	"SELECT k.bytes"
	" FROM blob b JOIN blob_chunk k ON k.county = b.county AND k.school = b.school AND k.sha = b.sha"
	" WHERE b.county = app_county() AND b.school = '' AND b.sha = $1::bytea AND b.complete"
	" AND NOT EXISTS (SELECT FROM document_content c"
	" WHERE c.county = b.county AND c.sha = b.sha AND (c.verdict <> 'unscanned' OR NOT $2::boolean))"
	" ORDER BY k.n"};
static const struct db_stmt keep_content = {
	"INSERT INTO document_content AS c (county, sha, type, cut, verdict, text, at)"
	" VALUES (app_county(), $1::bytea, $2::text, $3::boolean, $4::text, $5::text, jg_now())"
	" ON CONFLICT (county, sha) DO UPDATE SET verdict = excluded.verdict WHERE c.verdict = 'unscanned'"};

struct look {
	struct helper helper;
	char path[600], script[CONF_TEXT + 64]; /* of the scanner */
	const char *type, *verdict, *text;
	bool cut;
};

static void look_reply(
	struct request *r, const char *type, bool cut, const char *verdict, uint32_t characters)
{
	pb_file_look out = PB_FILE_LOOK_INIT;

	out.type = (char *)type;
	out.verdict = (char *)verdict;
	out.has_cut = out.has_characters = 1;
	out.cut = cut;
	out.characters = characters;
	request_reply(r, &out.base);
}

static void look_kept(struct request *r)
{
	const struct look *x = r->data;
	uint32_t characters = 0;

	for (const char *c = x->text; *c; c++)
		characters += (*c & 0xC0) != 0x80;
	look_reply(r, x->type, x->cut, x->verdict, characters);
}

static void look_keep(struct request *r)
{
	const pb_blob_ref *ask = REQUEST(r, pb_blob_ref);
	const struct look *x = r->data;
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_bytes(&p, ask->sha.data, ask->sha.len);
	db_text(&p, x->type);
	db_bool(&p, x->cut);
	db_text(&p, x->verdict);
	db_text(&p, x->text);
	request_query(r, &keep_content, &p);
	db_task_commit(&r->task);
	request_trip(r, look_kept);
}

static void scanned(struct helper *h)
{
	struct request *r = h->data;
	struct look *x = r->data;

	unlink(x->path);
	if (h->status == 0)
		x->verdict = "clean";
	else if (h->status == 1)
		x->verdict = "infected";
	else
		x->verdict = "unscanned";
	request_begin(r, look_keep);
}

/* The scanner is given a file of its own, which a shell writes beside it: so neither waits on our loop. */
static void scan(struct request *r)
{
	const struct server *server = r->worker->server;
	struct look *x = r->data;
	struct helper *h = &x->helper;

	x->verdict = "unscanned";
	if (!server->conf.scan[0]) {
		request_begin(r, look_keep);
		return;
	}
	snprintf(x->path, sizeof x->path, "%s/scan-%s", server->conf.dir, r->ref);
	snprintf(x->script, sizeof x->script, "umask 077; cat > \"$1\" || exit 2; %s \"$1\"",
		server->conf.scan);
	*h = (struct helper){.args = {"/bin/sh", "-c", x->script, "sh", x->path},
		.bytes = h->bytes,
		.n = h->n,
		.most_ms = SCAN_MS,
		.done = scanned,
		.data = r};
	if (helper_run(h, r->worker))
		request_fail(r, ERR_BUSY, NULL, NULL);
}

/* Its first line is "TYPE whole|cut", said before the file is gone into: no file keeps it from that.
 * False: it did not begin. */
static bool take_said(struct request *r, struct look *x)
{
	struct helper *h = &x->helper;
	char *line = h->out, *end = memchr(line, '\n', h->out_n),
	     *blank = end ? memchr(line, ' ', (size_t)(end - line)) : NULL;
	size_t n;

	x->type = x->text = "";
	if (!blank)
		return false;
	x->type = arena_text(&r->arena, line, (size_t)(blank - line));
	x->cut = blank[1] == 'c';
	n = h->out_n - (size_t)(end + 1 - line);
	/* Words that are no text, of a font that maps them nowhere, are found by nobody. */
	if (normal_form(&x->text, end + 1, n, NORMAL_LOWER, &r->arena))
		x->text = "";
	return true;
}

static void extracted(struct helper *h)
{
	struct request *r = h->data;
	struct look *x = r->data;

	r->arena.refused = ERR_OK;
	bool said = take_said(r, x);
	if (!said) /* nothing is kept: it is looked at again */
		request_fail_hint(r, ERR_INTERNAL, "sha", _("服务器上查看附件的程序没有运行"),
			_("请县局系统管理员运行 jgd doctor"));
	else if (r->arena.refused)
		request_fail(r, ERR_NOMEM, NULL, NULL);
	else
		scan(r);
}

static bool take_bytes(struct request *r, struct look *x)
{
	const PGresult *t = request_result(r, &read_bytes);
	struct helper *h = &x->helper;
	uint8_t *bytes = arena_alloc(&r->arena, FILE_BYTES_MAX);
	size_t n;

	for (int i = 0; bytes && i < PQntuples(t); i++) {
		const uint8_t *chunk = db_get_bytes(t, i, 0, &n);
		if (n > FILE_BYTES_MAX - h->n)
			return false;
		memcpy(bytes + h->n, chunk, n);
		h->n += n;
	}
	h->bytes = bytes;
	h->out = arena_alloc(&r->arena, SAID_MAX);
	return bytes && h->out;
}

static void look_at(struct request *r)
{
	const PGresult *known = request_result(r, &read_content);
	struct look *x = arena_alloc(&r->arena, sizeof *x);
	char *program = arena_alloc(&r->arena, 4096);

	if (PQntuples(known) && !PQntuples(request_result(r, &read_bytes))) {
		look_reply(r, db_get_text(known, 0, 0), db_get_int(known, 0, 1), db_get_text(known, 0, 2),
			(uint32_t)db_get_int(known, 0, 3));
		return;
	}
	if (!PQntuples(request_result(r, &read_bytes))) {
		request_fail_hint(r, ERR_RULE, "R17", _("这个附件没有传完"), _("重新附上这个文件"));
		return;
	}
	if (!x || !program || !take_bytes(r, x)) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	r->data = x;
	helper_beside("jgd-extract", program, 4096);
	x->helper.args[0] = program;
	x->helper.out_max = SAID_MAX;
	x->helper.most_ms = EXTRACT_MS;
	x->helper.done = extracted;
	x->helper.data = r;
	request_release(r);
	if (helper_run(&x->helper, r->worker))
		request_fail(r, ERR_BUSY, NULL, NULL);
}

static void look_query(struct request *r)
{
	const pb_blob_ref *ask = REQUEST(r, pb_blob_ref);
	struct db_params p = {0};

	request_scope(r, SCOPE_BUREAU, "");
	db_bytes(&p, ask->sha.data, ask->sha.len);
	request_query(r, &read_content, &p);
	/* What nobody has scanned is read again when there is a scanner now. */
	db_bool(&p, r->worker->server->conf.scan[0] != 0);
	request_query(r, &read_bytes, &p);
	db_task_commit(&r->task);
	request_trip(r, look_at);
}

void documents_inspect_file(struct request *r)
{
	const pb_blob_ref *ask = REQUEST(r, pb_blob_ref);
	if (ask->sha.len != HASH_SIZE)
		request_fail(r, ERR_INVALID, "sha", NULL);
	else
		request_begin(r, look_query);
}

/* ---- Fetching one ---- */

static const struct db_stmt read_chunks = {
	"SELECT k.n, k.bytes, b.size"
	" FROM (SELECT document_file_of($1::text, $2::bytea, $3::text, $4::text,"
	" $5::text) AS school OFFSET 0) x"
	" JOIN blob b ON b.county = app_county() AND b.school = x.school AND b.sha = $2::bytea AND b.complete"
	" JOIN blob_chunk k ON k.county = b.county AND k.school = b.school AND k.sha = b.sha AND k.n >= $6::int"
	" ORDER BY k.n LIMIT 40"};
enum { K_N, K_BYTES, K_SIZE };

static void get_query(struct request *r)
{
	const pb_file_get *ask = REQUEST(r, pb_file_get);
	struct db_params p = {0};

	db_text(&p, text_of(ask->doc));
	db_bytes(&p, ask->sha.data, ask->sha.len);
	db_text(&p, text_of(ask->school));
	db_text(&p, r->caller.user);
	db_text(&p, r->caller.school);
	db_int4(&p, (int32_t)ask->from);
	request_query(r, &read_chunks, &p);
}

static void get_done(struct request *r)
{
	const pb_file_get *ask = REQUEST(r, pb_file_get);
	const PGresult *t = request_result(r, &read_chunks);
	char hex[HASH_SIZE * 2 + 1];
	int n = PQntuples(t);

	sodium_bin2hex(hex, sizeof hex, ask->sha.data, HASH_SIZE);
	r->purpose = arena_printf(&r->arena, "file %s", hex);
	for (int i = 0; i < n; i++) {
		pb_blob_chunk out = PB_BLOB_CHUNK_INIT;
		size_t len;
		out.has_n = out.has_data = out.has_size = 1;
		out.n = (uint32_t)db_get_int(t, i, K_N);
		out.data.data = (uint8_t *)(uintptr_t)db_get_bytes(t, i, K_BYTES, &len);
		out.data.len = len;
		out.size = (uint64_t)db_get_int(t, i, K_SIZE);
		r->rows = 1;
		if (i == n - 1)
			request_reply(r, &out.base);
		else
			request_page(r, &out.base);
	}
	if (!n)
		request_fail_hint(r, ERR_NOT_FOUND, "sha", _("这份公文没有这个附件"), NULL);
}

void documents_get_file(struct request *r)
{
	const pb_file_get *ask = REQUEST(r, pb_file_get);
	if (ask->sha.len != HASH_SIZE)
		request_fail(r, ERR_INVALID, "sha", NULL);
	else if (!*text_of(ask->doc))
		request_fail(r, ERR_MISSING, "doc", NULL);
	else
		request_call(r, get_query, get_done);
}
