/* Files that hang on papers, on their way up with an event and down to who reads it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sodium.h>
#include <utf8proc.h>

#include "admin.h"
#include "admin_documents.h"
#include "content_type.h"
#include "csv_decode.h"
#include "download.h"
#include "file_name.h"
#include "gbt9704.h"
#include "hash.h"
#include "lang.h"
#include "login.h"
#include "tables.h"
#include "upload.h"
#include "wire_limits.h"

#define REPLY_BYTES 65536

static enum err read_file(struct cli *c, const char *path, uint8_t **out, size_t *size)
{
	size_t n = 0;
	int fd = file_open(path, size, &c->problem);

	*out = NULL;
	if (fd < 0)
		return ERR_FILE_IO;
	enum err e = ERR_OK;
	if (*size > FILE_BYTES_MAX)
		e = problem_set(
			&c->problem, ERR_TOO_LARGE, "attach", _("请压缩或分开"), _("%s 超过 10 MiB"), path);
	else if (!*size)
		e = problem_set(
			&c->problem, ERR_INVALID, "attach", _("换一个有内容的文件"), _("%s 是空文件"), path);
	*out = e ? NULL : malloc(*size);
	if (!e && !*out)
		e = problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	for (ssize_t got; !e && n < *size && (got = read(fd, *out + n, *size - n)) > 0;)
		n += (size_t)got;
	close(fd);
	if (!e && n < *size)
		e = problem_set(&c->problem, ERR_FILE_IO, "attach", NULL, _("读不到文件 %s"), path);
	return e;
}

static enum err told(void *data, const struct upload *u, struct problem *p)
{
	(void)p;
	cli_progress(data, _("上传附件"), u->have, u->chunks);
	return ERR_OK;
}

/* What will be refused when the paper is submitted is said now, while the file is at hand. */
static void warn(struct cli *c, const char *name, const pb_file_look *look)
{
	if (look->cut)
		cli_warn(c, _("附件“%s”不完整，送审时会退回：重新附上"), name);
	else if (strcmp(look->verdict, "infected") == 0)
		cli_warn(c, _("附件“%s”带有病毒，送审时会退回：换一份"), name);
	else if (!content_type_fits(look->type, name))
		cli_warn(c, _("附件“%s”的内容不是它的扩展名所说的格式，送审时会退回"), name);
}

static enum err attach(struct cli *c, struct link *link, const char *path, pb_document_attach *out)
{
	char name[FILE_NAME_TEXT_MAX];
	uint8_t *bytes;
	size_t size;
	const ProtobufCMessage *reply;
	struct arena arena;
	enum err e = read_file(c, path, &bytes, &size);

	if (e)
		return e;
	file_name_text(name, sizeof name, path);
	*out = (pb_document_attach)PB_DOCUMENT_ATTACH_INIT;
	out->name = (char *)utf8proc_NFC((const utf8proc_uint8_t *)name);
	out->sha.data = malloc(HASH_SIZE);
	out->sha.len = HASH_SIZE;
	out->has_sha = 1;
	if (out->sha.data)
		crypto_hash_sha256(out->sha.data, bytes, size);
	e = out->name && out->sha.data ? upload_file(&(struct upload){.link = link,
							     .sha = out->sha.data,
							     .bytes = bytes,
							     .size = size,
							     .told = told,
							     .data = c},
						 &c->problem)
				       : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	free(bytes);
	cli_progress_end(c);
	if (e)
		return e;
	pb_blob_ref ref = PB_BLOB_REF_INIT;
	ref.has_sha = 1;
	ref.sha = out->sha;
	arena_init(&arena, REPLY_BYTES);
	e = link_ask(link, METHOD_DOCUMENTS_INSPECT_FILE, &ref.base, &arena, &reply, &c->problem);
	if (!e)
		warn(c, out->name, (const pb_file_look *)reply);
	arena_free(&arena);
	return e;
}

enum err documents_attach(struct cli *c, pb_document_ask *q)
{
	struct link *link = NULL;
	size_t n = 0;
	const char *path;

	while (cli_option_at(c, "attach", (int)n))
		n++;
	if (!n)
		return ERR_OK;
	q->attach = calloc(n, sizeof *q->attach);
	enum err e = q->attach ? login_link(&link, &c->profile, NULL, &c->problem)
			       : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	while (!e && (path = cli_option_at(c, "attach", (int)q->n_attach))) {
		pb_document_attach *a = q->attach[q->n_attach++] = calloc(1, sizeof *a);
		e = a ? attach(c, link, path, a) : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	}
	if (link)
		link_close(link);
	return e;
}

void documents_attach_free(pb_document_ask *q)
{
	for (size_t i = 0; i < q->n_attach; i++) {
		if (q->attach[i]) {
			free(q->attach[i]->name);
			free(q->attach[i]->sha.data);
		}
		free(q->attach[i]);
	}
	free(q->attach);
}

/* ---- Down ---- */

static void fill_get(
	pb_file_get *q, struct download *d, const pb_document_shown *s, const pb_document_file *file)
{
	*q = (pb_file_get)PB_FILE_GET_INIT;
	q->doc = s->document->id;
	q->has_sha = q->has_from = 1;
	q->sha = file->sha;
	*d = (struct download){METHOD_DOCUMENTS_GET_FILE, &q->base, &q->from, file->sha.data, file->name};
}

enum err documents_fetch(struct cli *c, const pb_document_shown *s, const char *dir,
	enum err (*take)(void *data, const pb_document_file *file, const char *path), void *data)
{
	char path[RECEIVED_PATH_SIZE];
	struct link *link = NULL;
	struct download d;
	pb_file_get q;
	enum err e = received_folder(dir, &c->problem);

	if (!e)
		e = login_link(&link, &c->profile, NULL, &c->problem);
	for (size_t i = 0; !e && i < s->n_attachment; i++) {
		if (s->attachment[i]->sha.len != HASH_SIZE)
			continue;
		fill_get(&q, &d, s, s->attachment[i]);
		e = download_file(link, &d, dir, path, &c->problem);
		if (!e)
			e = take(data, s->attachment[i], path);
	}
	if (link)
		link_close(link);
	return e;
}

/* Its place in the line 附件, from 1; 0: it is not there. */
static unsigned place_of(const struct draft *d, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : strlen(name);

	for (size_t i = 0; i < d->attachments.n; i++)
		if (strlen(d->attachments.items[i]) == n && strncmp(d->attachments.items[i], name, n) == 0)
			return (unsigned)i + 1;
	return 0;
}

#define TEXT_PRINTED_MAX (128u << 10) /* fifty pages: what is longer is a file of its own */

/* The text of the file, with a paragraph a line. */
static enum err read_text(
	struct cli *c, struct link *link, const struct download *d, struct arena *arena, const char **out)
{
	struct buf bytes, text = {0};
	enum err e = download_bytes(link, d, &bytes, &c->problem);

	if (e)
		return e;
	e = csv_decode((const char *)bytes.data, bytes.len, d->name, &text, &c->problem);
	buf_free(&bytes);
	char *kept = e ? NULL : arena_text(arena, text.data, text.len);
	buf_free(&text);
	if (!e && !kept)
		e = problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);
	char *to = kept;
	for (const char *at = kept; at && *at; at++)
		if (*at != '\r')
			*to++ = *at;
	if (to)
		*to = 0;
	*out = kept;
	return e;
}

enum err documents_texts(struct cli *c, const pb_document_shown *s, const struct draft *d,
	struct arena *arena, struct gbt_attachment **list, size_t *n)
{
	struct gbt_attachment *texts = arena_alloc(arena, sizeof *texts * (s->n_attachment + 1));
	struct link *link = NULL;
	struct download get;
	pb_file_get q;
	enum err e = texts ? ERR_OK : problem_set(&c->problem, ERR_NOMEM, NULL, NULL, NULL);

	*n = 0;
	*list = texts;
	for (size_t i = 0; !e && i < s->n_attachment; i++) {
		const pb_document_file *file = s->attachment[i];
		const char *dot = strrchr(file->name, '.');
		if (!dot || strcasecmp(dot, ".txt") != 0 || file->sha.len != HASH_SIZE)
			continue;
		if (file->size > TEXT_PRINTED_MAX) {
			cli_warn(c, _("附件“%s”太长，没有排在正文后面，请另行打印"), file->name);
			continue;
		}
		fill_get(&q, &get, s, file);
		e = link ? ERR_OK : login_link(&link, &c->profile, NULL, &c->problem);
		if (!e)
			e = read_text(c, link, &get, arena, &texts[*n].body);
		texts[(*n)++].number = place_of(d, file->name);
	}
	if (link)
		link_close(link);
	return e;
}
