#include "document_package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <sodium.h>

#include "clock.h"
#include "draft.h"

#define PART_PATH 96
#define SERVER "00000000-0000-0000-0000-000000000000"

/* ---- 封装包.xml ---- */

static void xml_text(FILE *out, const char *text)
{
	static const char marks[] = "&<>\"";
	static const char *const written[] = {"&amp;", "&lt;", "&gt;", "&quot;"};

	for (const char *c = text ? text : ""; *c; c++) {
		const char *mark = strchr(marks, *c);
		if (mark)
			fputs(written[mark - marks], out);
		else
			fputc(*c, out);
	}
}

static void element(FILE *out, const char *name, const char *text)
{
	fprintf(out, "<%s>", name);
	xml_text(out, text);
	fprintf(out, "</%s>\n", name);
}

static void element_list(FILE *out, const char *name, const struct draft_list *list)
{
	fprintf(out, "<%s>", name);
	for (size_t i = 0; i < list->n; i++) {
		fputs(i ? "；" : "", out);
		xml_text(out, list->items[i]);
	}
	fprintf(out, "</%s>\n", name);
}

/* The parts of 档号: 全宗号-WS·年度-保管期限-机构-件号. */
struct archive_number {
	char fonds[20], year[8], term[8], unit[20], item[12];
};

static struct archive_number split_number(const char *number)
{
	struct archive_number a = {.fonds = ""};

	if (sscanf(number ? number : "", "%19[^-]-WS·%7[^-]-%7[^-]-%19[^-]-%11s", a.fonds, a.year, a.term,
		    a.unit, a.item) != 5)
		a = (struct archive_number){.fonds = ""};
	return a;
}

static void part_path(char out[PART_PATH], const struct document_package *x, size_t i)
{
	snprintf(out, PART_PATH, "文件/%03zu-%s.%s", i + 1, x->parts[i].role, x->parts[i].extension);
}

static void write_parts(FILE *out, const struct document_package *x)
{
	char path[PART_PATH], hex[2 * crypto_hash_sha256_BYTES + 1], text[24];
	uint8_t hash[crypto_hash_sha256_BYTES];

	for (size_t i = 0; i < x->part_count; i++) {
		const struct document_part *p = &x->parts[i];
		part_path(path, x, i);
		fputs("<文档>\n", out);
		snprintf(text, sizeof text, "%03zu", i + 1);
		element(out, "文档序号", text);
		element(out, "文档角色", p->role);
		element(out, "计算机文件名", path);
		if (p->name)
			element(out, "原文件名", p->name);
		snprintf(text, sizeof text, "%zu", p->n);
		element(out, "计算机文件大小", text);
		crypto_hash_sha256(hash, p->bytes, p->n);
		element(out, "SHA256", sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
		fputs("</文档>\n", out);
	}
}

static void write_paper(FILE *out, const struct document_package *x, const struct draft *draft)
{
	const pb_document_evidence *p = x->paper;
	struct archive_number a = split_number(p->archive_no);
	bool in = strcmp(p->kind, "in") == 0;
	int32_t day = in ? p->made_on : p->signed_on;
	char date[16] = "";

	if (day)
		snprintf(date, sizeof date, "%04d-%02d-%02d", day / 10000, day / 100 % 100, day % 100);
	element(out, "聚合层次", "文件");
	element(out, "全宗号", a.fonds);
	element(out, "档号", p->archive_no);
	element(out, "年度", a.year);
	element(out, "保管期限", a.term);
	element(out, "机构或问题", a.unit);
	element(out, "件号", a.item);
	element(out, "题名", p->title);
	element(out, "文件编号", p->number);
	element(out, "责任者", in ? p->from : x->organ);
	element(out, "日期", date);
	element(out, "文种", p->genre);
	element(out, "紧急程度", p->urgency);
	element_list(out, "主送", &draft->to);
	element_list(out, "抄送", &draft->cc);
	element(out, "密级", "");
	element(out, "存放位置", p->slot);
	element(out, "电子文件号", p->id);
	if (in)
		element(out, "事由", draft->body);
	write_parts(out, x);
}

/* NULL: no memory. */
static char *make_xml(const struct document_package *x)
{
	struct draft draft = {.body = ""};
	char when[TIME_TEXT_SIZE], *text = NULL;
	struct problem unsaid;
	struct arena arena;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	arena_init(&arena, 16u << 20);
	if (strcmp(x->paper->kind, "out") == 0) {
		if (draft_parse(
			    &draft, (const char *)x->paper->file.data, x->paper->file.len, &arena, &unsaid))
			draft = (struct draft){.body = ""};
	} else
		draft.body = x->paper->matter;
	time_format(when, x->made);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<电子文件封装包 version=\"2009\">\n<被签名对象>\n",
		out);
	element(out, "封装包类型", "原始型");
	element(out, "封装包创建时间", when);
	element(out, "封装包创建单位", x->organ);
	fputs("<封装内容>\n<文件实体>\n", out);
	write_paper(out, x, &draft);
	fputs("</文件实体>\n</封装内容>\n</被签名对象>\n<电子签名块>\n", out);
	element(out, "签名文件", BUNDLE_SIGNATURE);
	element(out, "证书", "certs/server.pem");
	fputs("</电子签名块>\n</电子文件封装包>\n", out);
	arena_free(&arena);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- Making ---- */

static enum err add_text(struct bundle *b, const char *path, char *text)
{
	enum err e = text ? bundle_add(b, path, text, strlen(text)) : ERR_NOMEM;

	free(text);
	return e;
}

static bool write_pem(BIO *out, const ProtobufCBinaryData *der)
{
	const unsigned char *at = der->data;
	X509 *cert = d2i_X509(NULL, &at, (long)der->len);
	bool done = cert && PEM_write_bio_X509(out, cert) == 1;

	X509_free(cert);
	return done;
}

/* One file a computer: a renewed certificate is another one of the same. They come sorted. */
static enum err add_certs(struct bundle *b, const struct document_package *x)
{
	const pb_document_evidence *p = x->paper;
	enum err e = ERR_OK;
	char path[64], *pem;

	for (size_t i = 0; !e && i < p->n_cert;) {
		const char *device = p->cert[i]->device;
		BIO *out = BIO_new(BIO_s_mem());
		bool done = out != NULL;
		for (; i < p->n_cert && strcmp(p->cert[i]->device, device) == 0; i++)
			done = done && write_pem(out, &p->cert[i]->cert);
		long n = done ? BIO_get_mem_data(out, &pem) : 0;
		snprintf(path, sizeof path, "certs/%s.pem", strcmp(device, SERVER) ? device : "server");
		e = n > 0 ? bundle_add(b, path, pem, (size_t)n) : ERR_NOMEM;
		BIO_free(out);
	}
	BIO *ca = e ? NULL : BIO_new(BIO_s_mem());
	long n = ca && PEM_write_bio_X509(ca, x->ca) == 1 ? BIO_get_mem_data(ca, &pem) : 0;
	if (!e)
		e = n > 0 ? bundle_add(b, "certs/ca.pem", pem, (size_t)n) : ERR_NOMEM;
	BIO_free(ca);
	return e;
}

static enum err add_lines(struct bundle *b, const struct document_lines *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < f->n; i++)
		fputs(f->line[i], out);
	if (!out || fclose(out)) {
		free(text);
		return ERR_NOMEM;
	}
	return add_text(b, f->path, text);
}

enum err document_package_make(struct bundle *b, const struct document_package *x, char **manifest)
{
	char path[PART_PATH];
	enum err e = add_text(b, "封装包.xml", make_xml(x));

	*manifest = NULL;
	for (size_t i = 0; !e && i < x->part_count; i++) {
		part_path(path, x, i);
		e = bundle_add(b, path, x->parts[i].bytes, x->parts[i].n);
	}
	for (size_t i = 0; !e && i < x->file_count; i++)
		e = x->files[i].n ? add_lines(b, &x->files[i]) : ERR_OK;
	if (!e)
		e = add_certs(b, x);
	if (!e && !(*manifest = bundle_manifest(b)))
		e = ERR_NOMEM;
	return e;
}

enum err document_package_sign(struct bundle *b, const char *manifest, const void *sig, size_t n)
{
	char text[200];

	sodium_bin2base64(text, sizeof text, sig, n, sodium_base64_VARIANT_ORIGINAL);
	enum err e = bundle_add(b, BUNDLE_MANIFEST, manifest, strlen(manifest));
	return e ? e : bundle_add(b, BUNDLE_SIGNATURE, text, strlen(text));
}
