/* The four checks of a package that somebody brings (document_package.h). Shares no code with its making
 * but the digest of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "document_package.h"
#include "draft.h"
#include "draft_digest.h"
#include "draft_rules.h"
#include "lang.h"
#include "signature.h"
#include "text.h"

#define FIELDS_MAX 64
#define VALUE_MAX 65536
#define PARTS_MAX BUNDLE_FILES_MAX

/* A 文档 of 封装包.xml. */
struct listed {
	const char *role, *path, *name, *size, *hash;
};
struct check {
	const struct bundle *b;
	X509 *ca;
	struct document_check *out;
	struct arena *arena;
	/* 封装包.xml as it was read: its elements with text, and its parts */
	const char *field[FIELDS_MAX], *value[FIELDS_MAX];
	size_t field_count;
	struct listed parts[PARTS_MAX];
	size_t part_count;
	bool in_part, bad_xml;
	char text[VALUE_MAX];
	size_t text_n;
};

static void fault(struct check *x, bool *which, const char *text, const char *of)
{
	*which = false;
	if (x->out->fault_count < PACKAGE_FAULTS_MAX)
		x->out->faults[x->out->fault_count++] = of ? arena_printf(x->arena, text, of) : text;
}

/* ---- 封装包.xml ---- */

static void XMLCALL begin(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct check *x = user;

	(void)attributes;
	x->text_n = 0;
	if (strcmp(name, "文档") == 0 && x->part_count < PARTS_MAX) {
		x->parts[x->part_count++] = (struct listed){"", "", NULL, "", ""};
		x->in_part = true;
	}
}

static void XMLCALL on_text(void *user, const XML_Char *bytes, int n)
{
	struct check *x = user;

	if (x->text_n + (size_t)n >= sizeof x->text) {
		x->bad_xml = true;
		return;
	}
	memcpy(x->text + x->text_n, bytes, (size_t)n);
	x->text_n += (size_t)n;
}

static void take_part(struct listed *p, const char *name, const char *value)
{
	const struct {
		const char *name, **to;
	} members[] = {{"文档角色", &p->role}, {"计算机文件名", &p->path}, {"原文件名", &p->name},
		{"计算机文件大小", &p->size}, {"SHA256", &p->hash}};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (strcmp(members[i].name, name) == 0)
			*members[i].to = value;
}

static void XMLCALL end(void *user, const XML_Char *name)
{
	struct check *x = user;
	const char *value = arena_text(x->arena, x->text, x->text_n),
		   *key = arena_text(x->arena, name, strlen(name));

	x->text_n = 0;
	if (strcmp(name, "文档") == 0)
		x->in_part = false;
	else if (!value || !key)
		x->bad_xml = true;
	else if (x->in_part)
		take_part(&x->parts[x->part_count - 1], name, value);
	else if (x->field_count < FIELDS_MAX) {
		x->field[x->field_count] = key;
		x->value[x->field_count++] = value;
	}
}

/* A package has no DTD: entities are how a small file becomes a large one. */
static void XMLCALL doctype(
	void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	((struct check *)user)->bad_xml = true;
}

static bool read_xml(struct check *x)
{
	const struct bundle_file *f = bundle_find(x->b, "封装包.xml");
	XML_Parser parser = f ? XML_ParserCreate("UTF-8") : NULL;

	if (!parser)
		return false;
	XML_SetUserData(parser, x);
	XML_SetElementHandler(parser, begin, end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, doctype);
	bool good = f->n < 16u << 20 &&
		XML_Parse(parser, (const char *)f->bytes, (int)f->n, 1) == XML_STATUS_OK && !x->bad_xml;
	XML_ParserFree(parser);
	return good;
}

/* NULL: there is no such element. */
static const char *field(const struct check *x, const char *name)
{
	for (size_t i = 0; i < x->field_count; i++)
		if (strcmp(x->field[i], name) == 0)
			return x->value[i];
	return NULL;
}

/* ---- 真实 ---- */

static const struct bundle_file *part_of(const struct check *x, const char *role, const struct listed **part)
{
	for (size_t i = 0; i < x->part_count; i++)
		if (strcmp(x->parts[i].role, role) == 0) {
			*part = &x->parts[i];
			return bundle_find(x->b, x->parts[i].path);
		}
	return NULL;
}

/* The attachments of the text, by the names they had. */
static size_t file_hashes(const struct check *x, struct draft_file_hash *out)
{
	size_t n = 0;

	for (size_t i = 0; i < x->part_count; i++) {
		const struct listed *p = &x->parts[i];
		const struct bundle_file *f = bundle_find(x->b, p->path);
		if (!f || !p->name || (strcmp(p->role, "附件") != 0 && strcmp(p->role, "来文") != 0))
			continue;
		out[n].name = p->name;
		memcpy(out[n++].sha256, f->sha256, sizeof f->sha256);
	}
	return n;
}

/* Whether the text and the files are those that the last entry was signed for. */
static enum err check_digest(struct check *x)
{
	struct draft_file_hash *files = arena_alloc(x->arena, sizeof *files * PARTS_MAX);
	const struct listed *part;
	const struct bundle_file *typed = part_of(x, "定稿", &part);
	struct draft draft = {.title = "", .genre = "", .body = ""};
	uint8_t digest[HASH_SIZE];
	char hex[DRAFT_HEX_SIZE];
	struct problem unsaid;

	if (!files)
		return ERR_NOMEM;
	if (!x->out->trace.out) {
		draft.title = field(x, "题名") ? field(x, "题名") : "";
		draft.genre = field(x, "文种") ? field(x, "文种") : "";
		draft.body = field(x, "事由") ? field(x, "事由") : "";
	} else if (!typed || draft_parse(&draft, (const char *)typed->bytes, typed->n, x->arena, &unsaid)) {
		fault(x, &x->out->authentic, _("定稿读不出来，无法与签名核对"), NULL);
		return ERR_OK;
	}
	enum err e = draft_digest(digest, &draft, files, file_hashes(x, files), x->arena);
	if (e == ERR_NOMEM)
		return e;
	draft_hex(hex, digest);
	if (e || strcmp(hex, x->out->trace.digest) != 0)
		fault(x, &x->out->authentic, _("定稿或附件不是最后一次办理时签名的那一份"), NULL);
	return ERR_OK;
}

static enum err check_manifest(struct check *x)
{
	/* It sorts them: what is found before is elsewhere after. */
	char *is = bundle_manifest((struct bundle *)(uintptr_t)x->b);
	const struct bundle_file *list = bundle_find(x->b, BUNDLE_MANIFEST),
				 *sig = bundle_find(x->b, BUNDLE_SIGNATURE),
				 *server = bundle_find(x->b, "certs/server.pem");
	uint8_t der[SIGNATURE_MAX * 2];
	size_t n = 0;
	enum err e = is ? ERR_OK : ERR_NOMEM, good = ERR_CHAIN;
	X509 *cert;

	if (!e && (!list || strcmp(is, (const char *)list->bytes) != 0))
		fault(x, &x->out->authentic, _("文件与清单不符：有文件被改过、换过、增加或删去"), NULL);
	free(is);
	if (!sig || !list ||
		sodium_base642bin(der, sizeof der, (const char *)sig->bytes, sig->n, " \n", &n, NULL,
			sodium_base64_VARIANT_ORIGINAL))
		n = 0;
	BIO *pem = server && n ? BIO_new_mem_buf(server->bytes, (int)server->n) : NULL;
	while (!e && good == ERR_CHAIN && pem && (cert = PEM_read_bio_X509(pem, NULL, NULL, NULL))) {
		if (X509_verify(cert, X509_get0_pubkey(x->ca)) == 1)
			good = signature_check(X509_get0_pubkey(cert), list->bytes, list->n, der, n);
		X509_free(cert);
	}
	BIO_free(pem);
	if (!e && good == ERR_NOMEM)
		return good;
	if (!e && good)
		fault(x, &x->out->authentic, _("清单上没有县局服务器的签名"), NULL);
	return e;
}

/* ---- 完整 可用 安全 ---- */

static bool has_attachment(const struct check *x, const char *name)
{
	for (size_t i = 0; i < x->part_count; i++) {
		bool there = strcmp(x->parts[i].role, "附件") == 0 && bundle_find(x->b, x->parts[i].path);
		const char *is = there ? x->parts[i].name : NULL;
		size_t n = strlen(name);
		if (is && strncmp(is, name, n) == 0 && (!is[n] || is[n] == '.'))
			return true;
	}
	return false;
}

/* Whatever the text names as its 附件 is there. */
static void check_named(struct check *x)
{
	const struct listed *part;
	const struct bundle_file *typed = part_of(x, "定稿", &part);
	struct problem unsaid;
	struct draft draft;

	if (!typed || draft_parse(&draft, (const char *)typed->bytes, typed->n, x->arena, &unsaid))
		return;
	for (size_t i = 0; i < draft.attachments.n; i++)
		if (!has_attachment(x, draft.attachments.items[i]))
			fault(x, &x->out->complete, _("缺少附件“%s”"), draft.attachments.items[i]);
}

static void check_complete(struct check *x)
{
	static const char *const elements[] = {"全宗号", "档号", "年度", "保管期限", "机构或问题", "件号",
		"题名", "文件编号", "责任者", "日期", "紧急程度", "存放位置", "电子文件号", "封装包创建时间",
		"封装包创建单位"};
	static const char *const of_out[] = {"处理单", "正本", "定稿"}, *const of_in[] = {"处理单"};
	const char *const *roles = x->out->trace.out ? of_out : of_in;
	const struct listed *part;
	bool *good = &x->out->complete;

	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
		const char *value = field(x, elements[i]);
		if (!value || !*value)
			fault(x, good, _("缺少“%s”"), elements[i]);
	}
	for (size_t i = 0; i < (x->out->trace.out ? 3u : 1u); i++)
		if (!part_of(x, roles[i], &part))
			fault(x, good, _("缺少%s"), roles[i]);
	if (x->out->trace.words < x->out->trace.entries)
		fault(x, good, _("缺少 words.jsonl 里办理时的字句"), NULL);
	check_named(x);
	for (size_t i = 0; i < x->part_count; i++) {
		const struct bundle_file *f = bundle_find(x->b, x->parts[i].path);
		char hex[DRAFT_HEX_SIZE];
		if (!f) {
			fault(x, good, _("缺少文件 %s"), x->parts[i].path);
			continue;
		}
		draft_hex(hex, f->sha256);
		if (strcmp(hex, x->parts[i].hash) != 0 || strtoull(x->parts[i].size, NULL, 10) != f->n)
			fault(x, good, _("%s 与封装包.xml 记的不一样"), x->parts[i].path);
	}
	if (x->out->trace.doc && *x->out->trace.doc && field(x, "电子文件号") &&
		strcmp(field(x, "电子文件号"), x->out->trace.doc) != 0)
		fault(x, &x->out->authentic, _("办理记录是另一份公文的"), NULL);
}

static bool begins_with(const struct bundle_file *f, const char *bytes, size_t n)
{
	return f->n >= n && memcmp(f->bytes, bytes, n) == 0;
}

static bool opens(const struct bundle_file *f)
{
	const char *dot = strrchr(f->path, '.');
	static const struct {
		const char *extension, *bytes;
		size_t n;
	} formats[] = {{".pdf", "%PDF-", 5}, {".png", "\x89PNG\r\n\x1a\n", 8}, {".jpg", "\xff\xd8\xff", 3},
		{".docx", "PK\3\4", 4}, {".xlsx", "PK\3\4", 4}, {".pptx", "PK\3\4", 4},
		{".ofd", "PK\3\4", 4}};

	for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(dot, formats[i].extension) == 0)
			return begins_with(f, formats[i].bytes, formats[i].n);
	return dot && (strcmp(dot, ".txt") == 0 || strcmp(dot, ".csv") == 0) &&
		text_utf8_valid((const char *)f->bytes, f->n);
}

static void check_files(struct check *x)
{
	static const char *const scripts[] = {"/JavaScript", "/JS ", "/JS(", "/Launch", "vbaProject.bin"};

	for (size_t i = 0; i < x->part_count; i++) {
		const struct bundle_file *f = bundle_find(x->b, x->parts[i].path);
		if (!f)
			continue;
		if (!opens(f))
			fault(x, &x->out->usable, _("%s 打不开，或不是允许的格式"), f->path);
		for (size_t k = 0; k < sizeof scripts / sizeof *scripts; k++)
			if (memmem(f->bytes, f->n, scripts[k], strlen(scripts[k]))) {
				fault(x, &x->out->safe, _("%s 里有会自己运行的内容"), f->path);
				break;
			}
		if (strcmp(x->parts[i].role, "定稿") == 0 && draft_text_is_secret((const char *)f->bytes))
			fault(x, &x->out->safe, _("%s 里有密级"), f->path);
	}
	if (field(x, "密级") && *field(x, "密级"))
		fault(x, &x->out->safe, _("封装包.xml 里有密级"), NULL);
}

enum err document_package_open(
	struct bundle *b, const char *path, const X509 *county, X509 **ca, struct problem *p)
{
	enum err e = bundle_read(b, path, p);

	*ca = e ? NULL : document_trace_ca(b);
	if (!e && !*ca)
		return problem_set(p, ERR_FILE_DAMAGED, NULL, _("请重新拷贝一份；原件在导出它的电脑上"),
			_("%s 不是公文的封装包：没有 certs/ca.pem"), path);
	if (!e && county && X509_cmp(*ca, county) != 0)
		return problem_set(p, ERR_CHAIN, NULL,
			_("在没有接入县局的电脑上核验，并向出具它的单位核对根证书指纹"),
			_("这个封装包不是本县局出具的"));
	return e;
}

enum err document_package_check(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_check *out, struct arena *arena)
{
	struct check *x = calloc(1, sizeof *x);
	enum err e = ERR_OK;

	*out = (struct document_check){true, true, true, true, .fault_count = 0};
	if (!x)
		return ERR_NOMEM;
	*x = (struct check){.b = b, .ca = ca, .out = out, .arena = arena};
	e = document_trace_verify(b, ca, seen, &out->trace, arena);
	if (!e && out->trace.first_bad)
		fault(x, &out->authentic,
			arena_printf(arena, _("办理记录第 %u 条：%s"), out->trace.first_bad, out->trace.why),
			NULL);
	if (!e)
		e = document_matters_verify(b, ca, seen, &out->trace, arena);
	if (!e && out->trace.matter)
		fault(x, &out->authentic, arena_printf(arena, "%s：%s", out->trace.matter, out->trace.why),
			NULL);
	if (!e && !read_xml(x)) {
		fault(x, &out->complete, _("没有封装包.xml，或读不出来"), NULL);
		out->usable = false;
	}
	if (!e)
		e = check_manifest(x);
	if (!e && !out->trace.first_bad)
		e = check_digest(x);
	if (!e) {
		check_complete(x);
		check_files(x);
	}
	free(x);
	return arena->refused && !e ? ERR_NOMEM : e;
}
