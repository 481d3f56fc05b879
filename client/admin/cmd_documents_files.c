/* Files that hang on papers, on their way up with an event and down to who reads it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <utf8proc.h>

#include "admin.h"
#include "cmd_documents.h"
#include "content_type.h"
#include "download.h"
#include "file_name.h"
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
	enum err e = *size > FILE_BYTES_MAX ? problem_set(&c->problem, ERR_TOO_LARGE, "attach",
						      _("请压缩或分开"), _("%s 超过 10 MiB"), path)
		     : !*size ? problem_set(&c->problem, ERR_INVALID, "attach", _("换一个有内容的文件"),
					_("%s 是空文件"), path)
			      : ERR_OK;
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

enum err documents_fetch(struct cli *c, const char *doc, const pb_document_shown *s)
{
	const char *dir = cli_option(c, "files");
	char path[RECEIVED_PATH_SIZE];
	struct link *link = NULL;
	enum err e = received_folder(dir, &c->problem);

	if (!e)
		e = login_link(&link, &c->profile, NULL, &c->problem);
	for (size_t i = 0; !e && i < s->n_attachment; i++) {
		pb_file_get q = PB_FILE_GET_INIT;
		q.doc = (char *)(uintptr_t)doc;
		q.has_sha = q.has_from = 1;
		q.sha = s->attachment[i]->sha;
		if (q.sha.len != HASH_SIZE)
			continue;
		e = download_file(link,
			&(struct download){METHOD_DOCUMENTS_GET_FILE, &q.base, &q.from, q.sha.data,
				s->attachment[i]->name},
			dir, path, &c->problem);
		if (!e)
			cli_say(c, _("附件已存到 %s"), path);
	}
	if (link)
		link_close(link);
	return e;
}
