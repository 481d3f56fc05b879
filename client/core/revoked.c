#include "revoked.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "blobs.h"
#include "clock.h"
#include "outbox.h"
#include "sealed_key.h"
#include "tables.h"

#define SEALED_FILE "unsent.sealed"
#define MARK_FILE "revoked"
#define MAGIC "jgu1"
#define MAGIC_SIZE 4
#define FILES_MAX (256u << 20) /* of files that were not sent: what a school attaches in a month */

static void path_of(const struct profile *p, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", p->dir, name);
}

/* ---- sealing ---- */

static enum err append_files(struct store *s, struct buf *out, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT sha FROM blob WHERE complete <> 1 ORDER BY at", p);
	enum err e = stmt ? ERR_OK : ERR_STORE;
	bool row = false;

	while (!e && !(e = store_next(s, stmt, &row, p)) && row && out->len < FILES_MAX) {
		uint8_t *bytes = NULL;
		size_t n = 0;
		if (sqlite3_column_bytes(stmt, 0) != HASH_SIZE || blob_read(s, sqlite3_column_blob(stmt, 0), &bytes, &n, NULL))
			continue; /* it could not be sent either */
		buf_be32(out, (uint32_t)n);
		buf_add(out, bytes, n);
		free(bytes);
	}
	sqlite3_finalize(stmt);
	return e;
}

/* How many operations, the operations, the files; boxed under a key of its own that is sealed to the county. */
static enum err write_sealed(const struct profile *p, const struct buf *plain, struct problem *problem)
{
	uint8_t key[SEALED_KEY_BYTES];
	struct buf out = {0};
	size_t n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain->len;

	randombytes_buf(key, sizeof key);
	buf_add(&out, MAGIC, MAGIC_SIZE);
	uint8_t *wrapped = buf_reserve(&out, SEALED_KEY_SIZE);
	enum err e = wrapped ? sealed_key_make(X509_get0_pubkey(p->ca), p->school, key, wrapped) : ERR_NOMEM;
	out.len += e ? 0 : SEALED_KEY_SIZE;
	uint8_t *box = e ? NULL : buf_reserve(&out, n);
	if (box) {
		randombytes_buf(box, crypto_secretbox_NONCEBYTES);
		crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, plain->data, plain->len, box, key);
		out.len += n;
		e = profile_write_file(p->dir, SEALED_FILE, out.data, out.len, problem);
	}
	sodium_memzero(key, sizeof key);
	buf_free(&out);
	return e || box ? e : problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);
}

static enum err keep_unsent(struct profile *p, size_t *unsent, struct problem *problem)
{
	struct store *s;
	struct buf plain = {0};
	enum err e = store_open(&s, p, problem);

	if (e)
		return e;
	buf_be32(&plain, 0);
	e = outbox_append_open(s, &plain, unsent, problem);
	if (!e && plain.data)
		put_be32(plain.data, (uint32_t)*unsent);
	if (!e)
		e = append_files(s, &plain, problem);
	if (!e && plain.failed)
		e = problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);
	store_close(s);
	if (!e && plain.len > 4)
		e = write_sealed(p, &plain, problem);
	if (plain.data)
		sodium_memzero(plain.data, plain.len);
	buf_free(&plain);
	return e;
}

/* The keys first: what is left of the rest is then sealed for good. */
static void destroy_all(const struct profile *p)
{
	static const char *const names[] = {"session.json", "key.pem", "cert.pem", "store.db", "store.db-journal"};
	char path[512];

	seal_destroy(p->dir);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		path_of(p, names[i], path);
		unlink(path);
	}
	path_of(p, "blobs", path);
	DIR *dir = opendir(path);
	for (const struct dirent *d; dir && (d = readdir(dir));)
		if (d->d_name[0] != '.')
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
}

enum err revoked_seal(struct profile *profile, size_t *unsent, struct problem *p)
{
	char path[512], text[TIME_TEXT_SIZE];
	enum err e = ERR_OK;

	*unsent = 0;
	path_of(profile, "store.db", path);
	if (access(path, F_OK) == 0)
		e = keep_unsent(profile, unsent, p);
	time_format(text, profile_now_us(profile));
	if (!e)
		e = profile_write_file(profile->dir, MARK_FILE, text, strlen(text), p);
	if (!e)
		destroy_all(profile);
	return e;
}

bool revoked_is(const struct profile *profile)
{
	char mark[512];

	path_of(profile, MARK_FILE, mark);
	if (access(mark, F_OK) != 0)
		return false;
	destroy_all(profile); /* a death may have left some of it */
	return true;
}

void revoked_forget(struct profile *profile)
{
	char mark[512];

	if (!revoked_is(profile))
		return;
	EVP_PKEY_free(profile->key);
	X509_free(profile->cert);
	profile->key = NULL;
	profile->cert = NULL;
	path_of(profile, MARK_FILE, mark);
	unlink(mark);
}

/* ---- opening ---- */

/* *out is malloc'ed; NULL with ERR_OK when there is no such file. */
static enum err read_file(const struct profile *p, uint8_t **out, size_t *n, struct problem *problem)
{
	char path[512];
	struct stat st;
	enum err e = ERR_OK;

	*out = NULL;
	*n = 0;
	path_of(p, SEALED_FILE, path);
	FILE *in = fopen(path, "re");
	if (!in)
		return ERR_OK;
	if (fstat(fileno(in), &st) || st.st_size < MAGIC_SIZE + SEALED_KEY_SIZE + (off_t)(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) ||
		st.st_size > FILES_MAX + (64 << 20) || !(*out = malloc((size_t)st.st_size)) || (*n = fread(*out, 1, (size_t)st.st_size, in)) != (size_t)st.st_size ||
		memcmp(*out, MAGIC, MAGIC_SIZE) != 0)
		e = problem_set(problem, ERR_FILE_DAMAGED, NULL, tr("请从备份取回它，或改名后再同步", "restore it from a backup, or give it another name and synchronise"),
			tr("封存文件 %s 损坏", "the sealed file %s is damaged"), path);
	fclose(in);
	if (e) {
		free(*out);
		*out = NULL;
	}
	return e;
}

static enum err ask_key(struct link *link, const uint8_t *wrapped, uint8_t key[SEALED_KEY_BYTES], struct problem *p)
{
	pb_sealed_key q = PB_SEALED_KEY_INIT;
	const ProtobufCMessage *reply = NULL;
	struct arena arena;

	q.has_sealed = 1;
	q.sealed = (ProtobufCBinaryData){SEALED_KEY_SIZE, (uint8_t *)(uintptr_t)wrapped};
	arena_init(&arena, 1u << 16);
	enum err e = link_ask(link, METHOD_ENROL_OPEN_SEALED, &q.base, &arena, &reply, p);
	const pb_opened_key *opened = (const pb_opened_key *)reply;
	if (!e && opened->key.len != SEALED_KEY_BYTES)
		e = problem_set(p, ERR_PROTOCOL, "key", NULL, NULL);
	if (!e)
		memcpy(key, opened->key.data, SEALED_KEY_BYTES);
	arena_free(&arena);
	return e;
}

/* In one transaction with a note that this very file was taken: a death before it is gone takes nothing twice. */
static enum err take_all(struct store *s, const uint8_t *at, const uint8_t *end, const char *name, size_t *drafts, struct problem *p)
{
	enum err e = store_begin(s, p);

	*drafts = end - at >= 4 ? get_be32(at) : 0;
	at += 4;
	for (size_t i = 0; !e && i < *drafts; i++)
		e = outbox_add_draft(s, &at, end, p);
	while (!e && end - at >= 4) {
		uint32_t n = get_be32(at);
		if (n > (size_t)(end - at) - 4)
			break;
		e = blob_keep(s, at + 4, n, p);
		at += 4 + n;
	}
	if (!e)
		e = store_set_text(s, "unsent_taken", name);
	if (!e)
		e = store_commit(s, p);
	if (e)
		store_rollback(s);
	return e;
}

enum err revoked_open(struct store *s, struct link *link, size_t *drafts, struct problem *p)
{
	char path[512], name[2 * HASH_SIZE + 1], taken[2 * HASH_SIZE + 1] = "";
	uint8_t key[SEALED_KEY_BYTES], sha[HASH_SIZE], *file;
	size_t n;
	enum err e = read_file(s->profile, &file, &n, p);

	*drafts = 0;
	if (e || !file)
		return e;
	crypto_hash_sha256(sha, file, n);
	sodium_bin2hex(name, sizeof name, sha, sizeof sha);
	e = store_get_text(s, "unsent_taken", taken, sizeof taken, p);
	if (!e && strcmp(taken, name) != 0) {
		uint8_t *box = file + MAGIC_SIZE + SEALED_KEY_SIZE, *text = box + crypto_secretbox_NONCEBYTES;
		size_t len = n - (size_t)(text - file);
		e = ask_key(link, file + MAGIC_SIZE, key, p);
		if (!e && crypto_secretbox_open_easy(text, text, len, box, key))
			e = problem_set(p, ERR_FILE_DAMAGED, NULL, tr("请从备份取回它", "restore it from a backup"), tr("封存文件损坏", "the sealed file is damaged"));
		if (!e)
			e = take_all(s, text, text + len - crypto_secretbox_MACBYTES, name, drafts, p);
		sodium_memzero(key, sizeof key);
		sodium_memzero(file, n);
	}
	free(file);
	path_of(s->profile, SEALED_FILE, path);
	if (!e)
		unlink(path);
	return e;
}
