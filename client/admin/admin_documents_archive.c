/* 归档: the 处理单 of a paper, its package for an archive, and whether a package that somebody brings is
 * what it says – that needs no server. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>
#include <sodium.h>

#include "admin.h"
#include "admin_documents.h"
#include "codes.h"
#include "document_package.h"
#include "lang.h"
#include "pdf_form.h"
#include "pdf_page.h"
#include "tables.h"

#define PARTS_MAX 64
#define LINES_MAX 200000

/* ---- export ---- */

struct outgoing {
	struct cli *c;
	struct arena arena; /* what the pages said */
	pb_document_evidence paper;
	struct document_lines files[4]; /* of lines, in the order of evidence_page */
	struct document_part parts[PARTS_MAX];
	size_t part_count;
	bool no_memory;
};

static const char *keep(struct outgoing *x, const char *text)
{
	return arena_text(&x->arena, text ? text : "", strlen(text ? text : ""));
}

/* A page is gone when the next one comes. */
static void keep_paper(struct outgoing *x, const pb_document_evidence *p)
{
	char **texts[] = {&x->paper.id, &x->paper.kind, &x->paper.number, &x->paper.title, &x->paper.genre,
		&x->paper.urgency, &x->paper.slot, &x->paper.archive_no, &x->paper.from, &x->paper.signer,
		&x->paper.lead, &x->paper.drafter, &x->paper.matter};

	x->paper = *p;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = (char *)(uintptr_t)keep(x, *texts[i]);
	x->paper.file.data = arena_copy(&x->arena, p->file.data, p->file.len);
	x->paper.cert = arena_alloc(&x->arena, sizeof *x->paper.cert * (p->n_cert + 1));
	for (size_t i = 0; x->paper.cert && i < p->n_cert; i++) {
		pb_document_cert *cert = x->paper.cert[i] = arena_copy(&x->arena, p->cert[i], sizeof *cert);
		if (!cert)
			return;
		cert->device = (char *)(uintptr_t)keep(x, p->cert[i]->device);
		cert->cert.data = arena_copy(&x->arena, p->cert[i]->cert.data, p->cert[i]->cert.len);
	}
}

static void keep_lines(struct outgoing *x, struct document_lines *to, char *const *line, size_t n)
{
	if (!to->line)
		to->line = arena_alloc(&x->arena, sizeof *to->line * LINES_MAX);
	for (size_t i = 0; to->line && i < n && to->n < LINES_MAX; i++)
		to->line[to->n++] = keep(x, line[i]);
}

static bool evidence_page(void *data, const ProtobufCMessage *reply)
{
	const pb_document_evidence *p = (const pb_document_evidence *)reply;
	struct outgoing *x = data;

	if (!x->files[0].line)
		keep_paper(x, p);
	keep_lines(x, &x->files[0], p->line, p->n_line);
	keep_lines(x, &x->files[1], p->word, p->n_word);
	keep_lines(x, &x->files[2], p->beside, p->n_beside);
	keep_lines(x, &x->files[3], p->copy, p->n_copy);
	return !x->arena.refused;
}

/* A file beside the target, read back and removed. */
static enum err take_file(struct outgoing *x, const char *path, struct document_part part)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint8_t *bytes = n > 0 ? arena_alloc(&x->arena, (size_t)n) : NULL;
	bool done = bytes && pread(fd, bytes, (size_t)n, 0) == n;

	if (fd >= 0)
		close(fd);
	unlink(path);
	if (!done)
		return problem_set(
			&x->c->problem, n > 0 && !bytes ? ERR_NOMEM : ERR_FILE_IO, NULL, NULL, NULL);
	part.bytes = bytes;
	part.n = (size_t)n;
	x->parts[x->part_count++] = part;
	return ERR_OK;
}

static enum err take_attachment(void *data, const pb_document_file *file, const char *path)
{
	struct outgoing *x = data;
	const char *name = keep(x, file->name), *dot = strrchr(name, '.');

	return take_file(x, path,
		(struct document_part){
			strcmp(x->paper.kind, "in") ? "附件" : "来文", dot ? dot + 1 : "bin", name, NULL, 0});
}

/* 处理单 正本 附件 定稿 来文, in this order. `beside`: a folder of our own. */
static enum err make_parts(struct outgoing *x, const char *beside)
{
	const pb_document_shown *shown;
	struct arena arena;
	unsigned pages;
	char path[PATH_MAX + 16];
	enum err e = documents_shown(x->c, &arena, &shown);

	snprintf(path, sizeof path, "%s/print.pdf", beside);
	if (!e)
		e = documents_sheet(x->c, shown, path, &pages);
	if (!e)
		e = take_file(x, path, (struct document_part){.role = "处理单", .extension = "pdf"});
	if (!e && shown->file.len) {
		e = documents_print(x->c, shown, path, NULL);
		if (!e)
			e = take_file(x, path, (struct document_part){.role = "正本", .extension = "pdf"});
	}
	if (!e && shown->n_attachment)
		e = documents_fetch(x->c, shown, beside, take_attachment, x);
	if (!e && x->paper.file.len)
		x->parts[x->part_count++] =
			(struct document_part){"定稿", "txt", NULL, x->paper.file.data, x->paper.file.len};
	arena_free(&arena);
	return e;
}

static enum err seal(struct outgoing *x, struct bundle *b, char *manifest)
{
	pb_document_seal_ask q = PB_DOCUMENT_SEAL_ASK_INIT;
	const ProtobufCMessage *reply;
	struct arena arena;

	q.doc = (char *)cli_operand(x->c, 0);
	q.reason = (char *)cli_option(x->c, "reason");
	q.has_manifest = 1;
	q.manifest = (ProtobufCBinaryData){strlen(manifest), (uint8_t *)manifest};
	enum err e = admin_ask(x->c, METHOD_DOCUMENTS_SEAL, &q.base, &arena, &reply);
	if (!e) {
		const pb_document_seal_reply *r = (const pb_document_seal_reply *)reply;
		e = document_package_sign(b, manifest, r->sig.data, r->sig.len);
	}
	arena_free(&arena);
	return e;
}

static enum err make_package(struct outgoing *x, struct bundle *b, const char *beside, const char *path)
{
	pb_document_query q = PB_DOCUMENT_QUERY_INIT;
	char *manifest = NULL;

	q.doc = (char *)cli_operand(x->c, 0);
	q.text = (char *)cli_option(x->c, "reason");
	enum err e = admin_stream(x->c, METHOD_DOCUMENTS_EVIDENCE, &q.base, evidence_page, x);
	if (!e && (!x->files[0].line || x->arena.refused))
		e = ERR_NOMEM;
	if (!e)
		e = make_parts(x, beside);
	const struct document_package package = {&x->paper, x->files, sizeof x->files / sizeof *x->files,
		x->c->profile.county_name, profile_now_us(&x->c->profile), x->parts, x->part_count,
		x->c->profile.ca};
	if (!e)
		e = document_package_make(b, &package, &manifest);
	if (!e)
		e = seal(x, b, manifest);
	if (!e)
		e = bundle_write(b, path, &x->c->problem);
	free(manifest);
	return e;
}

static enum err export_to(struct outgoing *x, const char *path)
{
	struct bundle *b = calloc(1, sizeof *b);
	char beside[PATH_MAX];

	if (!b)
		return ERR_NOMEM;
	snprintf(beside, sizeof beside, "%s.XXXXXX", path);
	enum err e = mkdtemp(beside)
		? make_package(x, b, beside, path)
		: problem_set(&x->c->problem, ERR_FILE_IO, NULL, NULL, _("不能在这里存文件：%s"), path);
	rmdir(beside);
	bundle_free(b);
	free(b);
	return e;
}

static int cmd_export(struct cli *c)
{
	struct outgoing *x = calloc(1, sizeof *x);
	const char *path;
	int code;

	if (!x)
		return cli_fail_with(c, ERR_NOMEM, NULL, NULL);
	x->c = c;
	x->files[0].path = "trace.jsonl";
	x->files[1].path = "words.jsonl";
	x->files[2].path = "matters.jsonl";
	x->files[3].path = "copies.jsonl";
	arena_init(&x->arena, BUNDLE_BYTES_MAX);
	if (!documents_output(c, _("-o 公文.zip"), &path, &code)) {
		free(x);
		return code;
	}
	enum err e = export_to(x, path);
	if (e && !c->problem.code)
		problem_set(&c->problem, e, NULL, NULL, NULL);
	code = e ? cli_fail(c) : 0;
	if (!e) {
		cli_say(c, _("已封装 %zu 个文件、%zu 条办理记录：%s"), x->part_count, x->files[0].n, path);
		cli_next(c, "jgadmin documents archive check %s", path);
		code = cli_result(
			c, json_pack("{s:s,s:I}", "file", path, "entries", (json_int_t)x->files[0].n), 0);
	}
	arena_free(&x->arena);
	free(x);
	return code;
}

/* ---- A package that somebody brings ---- */

/* Whose word it is, where this computer belongs to no county: the CA that the package brings, by its
 * fingerprint. */
static void say_authority(struct cli *c, const X509 *ca)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	unsigned char *der = NULL;
	int n = i2d_X509(ca, &der);

	if (n > 0) {
		crypto_hash_sha256(hash, der, (unsigned long long)n);
		cli_say(c, _("出具者根证书的指纹（SHA-256），请向出具它的单位核对：\n%s"),
			sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
	}
	OPENSSL_free(der);
}

struct opened {
	struct bundle *b;
	X509 *ca;
	struct arena arena;
};

static enum err open_package(struct cli *c, struct opened *x)
{
	*x = (struct opened){.b = calloc(1, sizeof *x->b)};
	arena_init(&x->arena, BUNDLE_BYTES_MAX);
	enum err e = x->b ? document_package_open(x->b, cli_operand(c, 0), c->profile.ca, &x->ca, &c->problem)
			  : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	if (!e && !c->profile.ca)
		say_authority(c, x->ca);
	return e;
}

static void close_package(struct opened *x)
{
	if (x->b)
		bundle_free(x->b);
	free(x->b);
	X509_free(x->ca);
	arena_free(&x->arena);
}

static json_t *say_faults(struct cli *c, const struct document_check *v)
{
	json_t *faults = json_array();

	for (size_t i = 0; i < v->fault_count; i++) {
		cli_say(c, "  %s", v->faults[i]);
		json_array_append_new(faults, json_string(v->faults[i]));
	}
	return faults;
}

static int told(struct cli *c, const struct document_check *v)
{
	const struct {
		const char *name;
		bool good;
	} checks[] = {{_("真实"), v->authentic}, {_("完整"), v->complete}, {_("可用"), v->usable},
		{_("安全"), v->safe}};
	bool all = v->authentic && v->complete && v->usable && v->safe;

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		cli_say(c, "%s %s", checks[i].good ? "✓" : "✗", checks[i].name);
	json_t *faults = say_faults(c, v);
	return cli_result(c,
		json_pack("{s:b,s:b,s:b,s:b,s:o}", "authentic", v->authentic, "complete", v->complete,
			"usable", v->usable, "safe", v->safe, "faults", faults),
		all ? 0 : 1);
}

static int verified(struct cli *c, const struct document_check *v)
{
	const struct document_verdict *t = &v->trace;

	if (v->authentic)
		cli_say(c, _("%u 条办理记录：签名、顺序、时间都对，文件是签名时的文件，没有发现改动"),
			t->entries);
	else
		json_decref(say_faults(c, v));
	return cli_result(c,
		json_pack("{s:i,s:b,s:o}", "entries", (int)t->entries, "ok", v->authentic, "first_bad",
			t->first_bad ? json_integer(t->first_bad) : json_null()),
		v->authentic ? 0 : 1);
}

static int checked(struct cli *c, int (*tell)(struct cli *, const struct document_check *))
{
	const struct document_tails nothing = {0}; /* this computer is told of no traces */
	struct document_check v;
	struct opened x;
	enum err e = open_package(c, &x);

	if (!e && (e = document_package_check(x.b, x.ca, &nothing, &v, &x.arena)))
		problem_set(&c->problem, e, NULL, NULL, NULL);
	int code = e ? cli_fail(c) : tell(c, &v);
	close_package(&x);
	return code;
}

static int cmd_check(struct cli *c)
{
	return checked(c, told);
}

static int cmd_verify(struct cli *c)
{
	return checked(c, verified);
}

static const struct cli_option export_options[] = {{"o", "FILE.zip", N_("存到这个文件")},
	{"reason", "TEXT", N_("内部文件导出的理由")}, {"force", NULL, N_("替换已有的文件")}, {0}};
static const struct cli_command commands[] = {
	{"documents export", "DOC", 1, 1, export_options, ADMIN_NEEDS, 0, N_("导出归档的封装包，带全部签名"),
		N_("documents export 洪教发〔2026〕1号 -o 公文.zip"), cmd_export, CLI_WORK},
	{"documents archive check", "FILE.zip", 1, 1, NULL, CLI_PROFILE, 0,
		N_("查封装包的真实、完整、可用、安全；不用联网"), N_("documents archive check 公文.zip"),
		cmd_check, CLI_WORK},
	{"documents verify", "FILE.zip", 1, 1, NULL, CLI_PROFILE, 0,
		N_("核验封装包里的办理记录有没有改过；不用联网"), N_("documents verify 公文.zip"), cmd_verify,
		CLI_WORK},
	{0},
};

const struct cli_part admin_documents_archive = {commands, NULL, &admin_documents_sheet};
