#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <sodium.h>
#include <zip.h>

#include "lang.h"
#include "whole_file.h"

#define PATH_BYTES_MAX 512

enum err bundle_add(struct bundle *b, const char *path, const void *bytes, size_t n)
{
	if (b->count == BUNDLE_FILES_MAX || n > BUNDLE_BYTES_MAX)
		return ERR_FILE_LIMIT;
	struct bundle_file *f = &b->files[b->count];
	*f = (struct bundle_file){.path = strdup(path), .bytes = malloc(n + 1), .n = n};
	b->count++;
	if (!f->path || !f->bytes)
		return ERR_NOMEM;
	memcpy(f->bytes, bytes, n);
	f->bytes[n] = 0;
	/* OpenSSL's uses what the processor has for it: a paper may have 100 MiB. */
	return EVP_Digest(f->bytes, n, f->sha256, NULL, EVP_sha256(), NULL) == 1 ? ERR_OK : ERR_NOMEM;
}

const struct bundle_file *bundle_find(const struct bundle *b, const char *path)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->files[i].path, path) == 0)
			return &b->files[i];
	return NULL;
}

void bundle_free(struct bundle *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->files[i].path);
		free(b->files[i].bytes);
	}
	b->count = 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

char *bundle_manifest(struct bundle *b)
{
	char hex[2 * crypto_hash_sha256_BYTES + 1], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	qsort(b->files, b->count, sizeof *b->files, by_path);
	for (size_t i = 0; i < b->count; i++) {
		const struct bundle_file *f = &b->files[i];
		if (strcmp(f->path, BUNDLE_MANIFEST) == 0 || strcmp(f->path, BUNDLE_SIGNATURE) == 0)
			continue;
		fprintf(out, "%s  %s\n", sodium_bin2hex(hex, sizeof hex, f->sha256, sizeof f->sha256),
			f->path);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Stored, not packed: whoever opens it needs no more than the format itself. */
static bool put(zip_t *zip, const struct bundle_file *f)
{
	zip_source_t *source = zip_source_buffer(zip, f->bytes, f->n, 0);
	zip_int64_t at = source ? zip_file_add(zip, f->path, source, ZIP_FL_ENC_UTF_8) : -1;

	if (at < 0 && source)
		zip_source_free(source);
	return at >= 0 && zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0;
}

/* The archive in memory; NULL: there was not enough. */
static zip_source_t *pack(const struct bundle *b)
{
	zip_source_t *archive = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *zip = archive ? zip_open_from_source(archive, ZIP_TRUNCATE, NULL) : NULL;
	bool done = zip != NULL;

	if (!zip) {
		if (archive)
			zip_source_free(archive);
		return NULL;
	}
	zip_source_keep(archive);
	for (size_t i = 0; done && i < b->count; i++)
		done = put(zip, &b->files[i]);
	if (!done || zip_close(zip)) {
		zip_discard(zip);
		zip_source_free(archive);
		return NULL;
	}
	return archive;
}

enum err bundle_write(const struct bundle *b, const char *path, struct problem *p)
{
	struct whole_file whole;
	char chunk[65536];
	zip_int64_t n = 0;
	enum err e = whole_file_open(&whole, path, 0600, p);

	if (e)
		return e;
	zip_source_t *archive = pack(b);
	bool done = archive && zip_source_open(archive) == 0;
	while (done && (n = zip_source_read(archive, chunk, sizeof chunk)) > 0)
		if (fwrite(chunk, 1, (size_t)n, whole.out) != (size_t)n)
			break; /* whole_file_close says why */
	done = done && n >= 0;
	if (archive)
		zip_source_free(archive);
	e = whole_file_close(&whole, done, done ? p : NULL);
	return done ? e : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
}

static enum err damaged(struct problem *p, const char *path)
{
	return problem_set(p, ERR_FILE_DAMAGED, NULL, _("请重新拷贝一份；原件在导出它的电脑上"),
		_("%s 不是完整的封装包"), path);
}

static enum err take(struct bundle *out, zip_t *zip, zip_uint64_t i, size_t *room)
{
	zip_stat_t stat;
	uint8_t *bytes = NULL;

	if (zip_stat_index(zip, i, ZIP_FL_ENC_GUESS, &stat) || !(stat.valid & ZIP_STAT_NAME) ||
		!(stat.valid & ZIP_STAT_SIZE))
		return ERR_FILE_DAMAGED;
	size_t n = (size_t)stat.size, name = strlen(stat.name);
	if (n > *room || name > PATH_BYTES_MAX)
		return ERR_FILE_LIMIT;
	if (!name || stat.name[name - 1] == '/') /* a folder */
		return ERR_OK;
	*room -= n;
	zip_file_t *file = zip_fopen_index(zip, i, 0);
	bytes = malloc(n + 1);
	enum err e = ERR_OK;
	if (!bytes)
		e = ERR_NOMEM;
	else if (!file || zip_fread(file, bytes, n) != (zip_int64_t)n)
		e = ERR_FILE_DAMAGED;
	if (file && zip_fclose(file) && !e)
		e = ERR_FILE_DAMAGED; /* its checksum */
	if (!e && bundle_find(out, stat.name))
		e = ERR_FILE_DAMAGED; /* one name, two files: each reader would see another */
	if (!e)
		e = bundle_add(out, stat.name, bytes, n);
	free(bytes);
	return e;
}

enum err bundle_read(struct bundle *out, const char *path, struct problem *p)
{
	size_t room = BUNDLE_BYTES_MAX;
	enum err e = ERR_OK;
	int code = 0;

	out->count = 0;
	if (access(path, R_OK))
		return problem_set(p, ERR_FILE_IO, NULL, NULL, _("打不开 %s"), path);
	zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
	if (!zip)
		return code == ZIP_ER_MEMORY ? problem_set(p, ERR_NOMEM, NULL, NULL, NULL) : damaged(p, path);
	zip_int64_t n = zip_get_num_entries(zip, 0);
	for (zip_int64_t i = 0; !e && i < n; i++)
		e = take(out, zip, (zip_uint64_t)i, &room);
	zip_discard(zip);
	if (e == ERR_FILE_DAMAGED)
		return damaged(p, path);
	return e ? problem_set(p, e, NULL, NULL, e == ERR_FILE_LIMIT ? _("%s 太大，不是公文的封装包") : NULL,
			   path)
		 : ERR_OK;
}
