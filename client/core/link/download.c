#include "download.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "hash.h"
#include "lang.h"
#include "wire_limits.h"

struct arriving {
	struct buf bytes;
	int part; /* the file that they are kept in until they are whole; -1: they are not */
};

static bool take_chunk(void *data, const ProtobufCMessage *reply)
{
	const pb_blob_chunk *chunk = (const pb_blob_chunk *)reply;
	struct arriving *a = data;

	buf_add(&a->bytes, chunk->data.data, chunk->data.len);
	if (a->part >= 0 && write(a->part, chunk->data.data, chunk->data.len) != (ssize_t)chunk->data.len) {
		close(a->part);
		a->part = -1;
	}
	return !a->bytes.failed && a->bytes.len <= FILE_BYTES_MAX;
}

/* What is there of it, in whole chunks. A full disk is told when the file itself is written. */
static void go_on(struct arriving *a, const char *path)
{
	uint8_t *chunk = malloc(CHUNK_BYTES);
	ssize_t n;

	a->part = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (chunk && a->part >= 0 && a->bytes.len < FILE_BYTES_MAX &&
		(n = read(a->part, chunk, CHUNK_BYTES)) == CHUNK_BYTES)
		buf_add(&a->bytes, chunk, CHUNK_BYTES);
	free(chunk);
	if (a->part < 0)
		return;
	if (a->bytes.failed || ftruncate(a->part, (off_t)a->bytes.len) || lseek(a->part, 0, SEEK_END) < 0) {
		close(a->part);
		a->part = -1;
	}
}

static enum err judge(const struct download *d, const struct arriving *a, struct problem *p)
{
	uint8_t sha[HASH_SIZE];

	if (a->bytes.failed)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	crypto_hash_sha256(sha, a->bytes.data, a->bytes.len);
	if (memcmp(sha, d->sha, sizeof sha) != 0)
		return problem_set(p, ERR_FILE_DAMAGED, NULL, _("再取一次；仍然这样请告诉县局系统管理员"),
			_("收到的“%s”与登记的校验值不符，没有保存"), d->name);
	return ERR_OK;
}

enum err download_bytes(struct link *link, const struct download *d, struct buf *out, struct problem *p)
{
	struct arriving a = {.part = -1};
	enum err e = link_call(link, d->method, d->request, take_chunk, &a, p);

	e = e ? e : judge(d, &a, p);
	if (e)
		buf_free(&a.bytes);
	*out = a.bytes;
	return e;
}

enum err download_file(struct link *link, const struct download *d, const char *dir,
	char path[RECEIVED_PATH_SIZE], struct problem *p)
{
	char hex[HASH_SIZE * 2 + 1], part[RECEIVED_PATH_SIZE + 80];
	struct arriving a = {.part = -1};

	sodium_bin2hex(hex, sizeof hex, d->sha, HASH_SIZE);
	snprintf(part, sizeof part, "%s/.%s.part", dir, hex);
	go_on(&a, part);
	*d->from = (uint32_t)(a.bytes.len / CHUNK_BYTES);
	enum err e = link_call(link, d->method, d->request, take_chunk, &a, p);
	/* All of it may have been there already: then there is nothing behind it. */
	if (e == ERR_NOT_FOUND && a.bytes.len && !judge(d, &a, p))
		e = ERR_OK;
	bool arrived = !e;
	e = e ? e : judge(d, &a, p);
	if (!e)
		e = received_keep(dir, d->name, &a.bytes, path, p);
	if (a.part >= 0)
		close(a.part);
	if (arrived) /* kept, or not worth going on with */
		unlink(part);
	buf_free(&a.bytes);
	return e;
}
