#include "revoked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "blobs.h"
#include "clock.h"
#include "file_name.h"
#include "lang.h"
#include "outbox.h"
#include "sealed_key.h"
#include "tables.h"

#define MARK_FILE "revoked" /* empty while sealing is under way; when it was done, after that */
#define MAGIC "jgu1"
#define MAGIC_SIZE 4
/* a sealed file ends with the unsent file that passes this: an old computer seals in its memory */
#define PART_BYTES (64u << 20)
/* earlier versions sealed up to 256 MiB of files and all operations into one */
#define READ_BYTES (384u << 20)

static void path_of(const struct profile *p, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", p->dir, name);
}

static const char *sealed_name(char out[REVOKED_NAME], unsigned n)
{
	if (n == 1)
		snprintf(out, REVOKED_NAME, "unsent.sealed");
	else
		snprintf(out, REVOKED_NAME, "unsent-%u.sealed", n);
	return out;
}

/* Folders and links of that name are somebody else's. */
static bool is_file(const struct profile *p, const char *name, off_t *size)
{
	char path[512];
	struct stat st;

	path_of(p, name, path);
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	*size = st.st_size;
	return true;
}

/* ---- sealing ---- */

/* Until the part is full or no file is left; `unsent` walks those that were not sent. */
static enum err append_files(
	struct store *s, sqlite3_stmt *unsent, struct buf *out, bool *more, struct problem *p)
{
	enum err e = ERR_OK;

	while (!e && out->len < PART_BYTES && !(e = store_next(s, unsent, more, p)) && *more) {
		uint8_t *bytes = NULL;
		size_t n = 0;
		enum err no = sqlite3_column_bytes(unsent, 0) == HASH_SIZE
			? blob_read(s, sqlite3_column_blob(unsent, 0), &bytes, &n, NULL)
			: ERR_FILE_DAMAGED;
		if (no == ERR_NOMEM) /* it is there, and would be destroyed */
			e = problem_set(p, no, NULL, NULL, NULL);
		if (no)
			continue; /* it could not be sent either */
		buf_be32(out, (uint32_t)n);
		buf_add(out, bytes, n);
		sodium_memzero(bytes, n);
		free(bytes);
	}
	if (e)
		return e;
	if (out->failed)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	return ERR_OK;
}

/* What an earlier revocation left may not have been opened yet: no file is ever written over. */
static enum err free_name(
	const struct profile *p, char out[REVOKED_NAME], unsigned *n, struct problem *problem)
{
	char path[512];
	struct stat st;

	for (*n = 1; *n <= REVOKED_FILES; ++*n) {
		path_of(p, sealed_name(out, *n), path);
		if (lstat(path, &st) && errno == ENOENT)
			return ERR_OK;
	}
	return problem_set(problem, ERR_FILE_IO, NULL, NULL, _("%s 里的封存文件太多，请移走一些"), p->dir);
}

/* How many operations, the operations, the files; boxed under a key of its own that is sealed to the
 * county. */
static enum err write_sealed(
	const struct profile *p, const char *name, const struct buf *plain, struct problem *problem)
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
		e = profile_write_file(p->dir, name, out.data, out.len, problem);
	}
	sodium_memzero(key, sizeof key);
	buf_free(&out);
	return e || box ? e : problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);
}

static enum err write_part(
	struct profile *p, const struct buf *plain, struct revoked_kept *kept, struct problem *problem)
{
	char name[REVOKED_NAME];
	unsigned n;
	enum err e = free_name(p, name, &n, problem);

	if (!e)
		e = write_sealed(p, name, plain, problem);
	if (e)
		return e;
	if (!kept->file[0])
		memcpy(kept->file, name, sizeof name);
	kept->part[kept->parts++] = (uint8_t)n;
	return ERR_OK;
}

/* The operations in the first sealed file, and the files in it and as many more as they need. */
static enum err write_parts(struct profile *p, struct store *s, struct buf *plain, struct revoked_kept *kept,
	struct problem *problem)
{
	sqlite3_stmt *unsent =
		store_prepare(s, "SELECT sha FROM blob WHERE complete <> 1 ORDER BY at", problem);
	bool more = true;
	enum err e = unsent ? ERR_OK : store_error(s, problem);

	buf_be32(plain, 0);
	if (!e)
		e = outbox_append_open(
			s, plain, &kept->unsent, kept->left_out, sizeof kept->left_out, problem);
	if (!e && plain->data)
		put_be32(plain->data, (uint32_t)kept->unsent);
	while (!e && more) {
		e = append_files(s, unsent, plain, &more, problem);
		if (!e && plain->len > 4)
			e = write_part(p, plain, kept, problem);
		sodium_memzero(plain->data, plain->len);
		plain->len = 0;
		buf_be32(plain, 0);
	}
	sqlite3_finalize(unsent);
	return e;
}

static void unlink_parts(const struct profile *p, struct revoked_kept *kept)
{
	char path[512], name[REVOKED_NAME];

	while (kept->parts) {
		path_of(p, sealed_name(name, kept->part[--kept->parts]), path);
		unlink(path);
	}
	kept->file[0] = 0;
}

static enum err keep_unsent(struct profile *p, struct revoked_kept *kept, struct problem *problem)
{
	struct store *s;
	struct buf plain = {0};
	enum err e = p->ca
		? store_open(&s, p, problem)
		: problem_set(problem, ERR_FILE_DAMAGED, NULL, NULL, _("%s 里没有本县的证书 ca.pem"), p->dir);

	if (e)
		return e;
	e = write_parts(p, s, &plain, kept, problem);
	store_close(s);
	if (plain.data)
		sodium_memzero(plain.data, plain.len);
	buf_free(&plain);
	return e;
}

/* The keys first: what is left of the rest is then sealed for good. */
static void destroy_all(const struct profile *p)
{
	static const char *const names[] = {
		"session.json", "key.pem", "cert.pem", "store.db", "store.db-journal"};
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

/* An empty file needs no room: also on a full disk nothing is shown from here on. */
static enum err put_mark(const struct profile *p, struct problem *problem)
{
	char path[512];

	path_of(p, MARK_FILE, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0 && dir >= 0 && fsync(dir) == 0;
	enum err e = good
		? ERR_OK
		: problem_set(problem, ERR_FILE_IO, NULL, NULL, "%s: %s", path, file_error_text(errno));

	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return e;
}

static bool is_sealed(const struct profile *p)
{
	off_t size;

	return is_file(p, MARK_FILE, &size) && size > 0;
}

/* A death before the mark says "sealed" seals the same operations again, into a file of its own: opening
 * takes each once. */
static enum err seal_now(struct profile *profile, struct revoked_kept *kept, struct problem *p)
{
	char path[512], text[TIME_TEXT_SIZE];
	enum err e = ERR_OK;

	path_of(profile, "store.db", path);
	if (access(path, F_OK) == 0 || errno != ENOENT)
		e = keep_unsent(profile, kept, p);
	time_format(text, profile_now_us(profile));
	if (!e)
		e = profile_write_file(profile->dir, MARK_FILE, text, strlen(text), p);
	if (e && !is_sealed(profile))
		unlink_parts(profile, kept);
	return e;
}

enum err revoked_seal(struct profile *profile, struct revoked_kept *kept, struct problem *p)
{
	char name[REVOKED_NAME];
	off_t size;

	*kept = (struct revoked_kept){0};
	profile_forget_session(profile, NULL); /* worth nothing any more */
	enum err e = put_mark(profile, p);
	if (!e && !is_sealed(profile))
		e = seal_now(profile, kept, p);
	if (!e)
		destroy_all(profile); /* also what a death left of it */
	for (unsigned n = 1; n <= REVOKED_FILES; n++)
		kept->files += is_file(profile, sealed_name(name, n), &size);
	return e;
}

bool revoked_is(const struct profile *profile)
{
	char mark[512];

	path_of(profile, MARK_FILE, mark);
	return access(mark, F_OK) == 0;
}

enum err revoked_forget(struct profile *profile, struct problem *p)
{
	struct revoked_kept kept;
	char mark[512];

	if (!revoked_is(profile))
		return ERR_OK;
	enum err e = revoked_seal(profile, &kept, p);
	if (e)
		return e;
	EVP_PKEY_free(profile->key);
	X509_free(profile->cert);
	profile->key = NULL;
	profile->cert = NULL;
	path_of(profile, MARK_FILE, mark);
	return unlink(mark) ? problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", mark, file_error_text(errno))
			    : ERR_OK;
}

/* ---- opening ---- */

/* *out is malloc'ed. */
static enum err read_file(
	const struct profile *p, const char *name, size_t size, uint8_t **out, struct problem *problem)
{
	char path[512];

	*out = NULL;
	path_of(p, name, path);
	if (size < MAGIC_SIZE + SEALED_KEY_SIZE + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES ||
		size > READ_BYTES)
		return problem_set(problem, ERR_FILE_DAMAGED, NULL, NULL, NULL);
	if (!(*out = malloc(size)))
		return problem_set(problem, ERR_NOMEM, NULL, NULL, NULL);
	FILE *in = fopen(path, "re");
	bool good = in && fread(*out, 1, size, in) == size && memcmp(*out, MAGIC, MAGIC_SIZE) == 0;
	if (in)
		fclose(in);
	if (good)
		return ERR_OK;
	free(*out);
	*out = NULL;
	return problem_set(problem, ERR_FILE_DAMAGED, NULL, NULL, NULL);
}

static enum err ask_key(
	struct link *link, const uint8_t *wrapped, uint8_t key[SEALED_KEY_BYTES], struct problem *p)
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

/* In one transaction. What is in the outbox already is not taken again: a death came before the file was
 * gone, or between two files. */
static enum err take_all(
	struct store *s, const uint8_t *at, const uint8_t *end, size_t *drafts, struct problem *p)
{
	size_t n = end - at >= 4 ? get_be32(at) : 0, taken = 0;
	enum err e = end - at >= 4 ? store_begin(s, p) : problem_set(p, ERR_FILE_DAMAGED, NULL, NULL, NULL);

	at += 4;
	for (size_t i = 0; !e && i < n; i++)
		e = outbox_add_draft(s, &at, end, &taken, p);
	while (!e && end - at >= 4) {
		uint32_t size = get_be32(at);
		if (size > (size_t)(end - at) - 4)
			break;
		e = blob_keep(s, at + 4, size, p);
		at += 4 + size;
	}
	if (!e)
		e = store_commit(s, p);
	if (e)
		store_rollback(s);
	else
		*drafts += taken;
	return e;
}

static enum err open_one(
	struct store *s, struct link *link, const char *name, size_t size, size_t *drafts, struct problem *p)
{
	uint8_t key[SEALED_KEY_BYTES], *file;
	char path[512];
	enum err e = read_file(s->profile, name, size, &file, p);

	if (e)
		return e;
	uint8_t *box = file + MAGIC_SIZE + SEALED_KEY_SIZE, *text = box + crypto_secretbox_NONCEBYTES;
	size_t len = size - (size_t)(text - file);
	e = ask_key(link, file + MAGIC_SIZE, key, p);
	if (!e && crypto_secretbox_open_easy(text, text, len, box, key))
		e = problem_set(p, ERR_FILE_DAMAGED, NULL, NULL, NULL);
	if (!e)
		e = take_all(s, text, text + len - crypto_secretbox_MACBYTES, drafts, p);
	sodium_memzero(key, sizeof key);
	sodium_memzero(file, size);
	free(file);
	path_of(s->profile, name, path);
	if (!e)
		unlink(path);
	return e;
}

static void add_name(char *list, const char *name)
{
	size_t n = strlen(list);

	if (n + strlen(name) + 4 < REVOKED_NAMES)
		snprintf(list + n, REVOKED_NAMES - n, "%s%s", n ? _("、") : "", name);
}

bool revoked_holds(const struct profile *p, char names[REVOKED_NAMES])
{
	char name[REVOKED_NAME];
	off_t size;

	names[0] = 0;
	for (unsigned n = 1; n <= REVOKED_FILES; n++)
		if (is_file(p, sealed_name(name, n), &size))
			add_name(names, name);
	return names[0];
}

enum err revoked_open(struct store *s, struct link *link, struct revoked_opened *out, struct problem *p)
{
	char name[REVOKED_NAME];
	off_t size;

	*out = (struct revoked_opened){0};
	for (unsigned n = 1; n <= REVOKED_FILES; n++) {
		if (!is_file(s->profile, sealed_name(name, n), &size))
			continue;
		enum err e = open_one(s, link, name, (size_t)size, &out->drafts, p);
		if (e == ERR_PERMISSION)
			add_name(out->foreign, name);
		else if (e == ERR_INVALID || e == ERR_MALFORMED || e == ERR_FILE_DAMAGED)
			add_name(out->damaged, name);
		else if (e)
			return e;
		if (e)
			*p = (struct problem){0}; /* it stays where it is, and the rest of the work goes on */
	}
	return ERR_OK;
}
