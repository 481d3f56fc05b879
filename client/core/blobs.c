#include "blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "clock.h"
#include "file_name.h"

/* Column `complete`. */
enum blob_state { BLOB_WAITING, BLOB_COMPLETE, BLOB_GIVEN_UP };

static void blob_name(const uint8_t sha[HASH_SIZE], char out[HASH_SIZE * 2 + 1])
{
	sodium_bin2hex(out, HASH_SIZE * 2 + 1, sha, HASH_SIZE);
}

static enum err read_whole(const char *path, uint8_t **out, size_t *size, size_t max, struct problem *p)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	*out = NULL;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return problem_set(
			p, ERR_FILE_IO, NULL, NULL, tr("读不到文件 %s", "the file %s cannot be read"), path);
	}
	if ((uint64_t)st.st_size > max) {
		close(fd);
		return problem_set(p, ERR_TOO_LARGE, NULL, tr("请压缩或分开", "compress or split it"),
			tr("%s 超过 10 MiB", "%s is larger than 10 MiB"), path);
	}
	if ((*out = malloc((size_t)st.st_size + 1)))
		for (ssize_t r;
			n < (size_t)st.st_size && (r = read(fd, *out + n, (size_t)st.st_size - n)) > 0;)
			n += (size_t)r;
	close(fd);
	*size = n;
	if (*out && n == (size_t)st.st_size)
		return ERR_OK;
	free(*out);
	*out = NULL;
	return problem_set(
		p, ERR_FILE_IO, NULL, NULL, tr("读不到文件 %s", "the file %s cannot be read"), path);
}

static enum err keep(
	struct store *s, const uint8_t sha[HASH_SIZE], const uint8_t *bytes, size_t n, struct problem *p)
{
	char dir[512], name[HASH_SIZE * 2 + 1];
	struct buf sealed = {0};

	snprintf(dir, sizeof dir, "%s/blobs", s->profile->dir);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", dir, file_error_text(errno));
	blob_name(sha, name);
	enum err e = seal_value(s->seal, "blob", sha, HASH_SIZE, bytes, n, &sealed);
	if (!e)
		e = profile_write_file(dir, name, sealed.data, sealed.len, p);
	buf_free(&sealed);
	sqlite3_stmt *stmt =
		e ? NULL
		  : store_prepare(s,
			    "INSERT INTO blob(sha, size, at) VALUES(?, ?, ?) ON CONFLICT(sha) DO NOTHING", p);
	if (!stmt)
		return e ? e : ERR_STORE;
	sqlite3_bind_blob(stmt, 1, sha, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)n);
	sqlite3_bind_int64(stmt, 3, clock_now_us());
	e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

static enum err is_known(struct store *s, const uint8_t sha[HASH_SIZE], bool *known, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT 1 FROM blob WHERE sha = ?", p);

	*known = false;
	if (stmt)
		sqlite3_bind_blob(stmt, 1, sha, HASH_SIZE, SQLITE_STATIC);
	enum err e = stmt ? store_next(s, stmt, known, p) : ERR_STORE;
	sqlite3_finalize(stmt);
	return e;
}

enum err blob_add(struct store *s, const char *path, bool only_look, uint8_t sha[HASH_SIZE], size_t *size,
	struct problem *p)
{
	uint8_t *bytes;
	bool known = false;
	enum err e = read_whole(path, &bytes, size, BLOB_MAX, p);

	if (e)
		return e;
	if (*size == 0)
		e = problem_set(p, ERR_INVALID, NULL, NULL, tr("%s 是空文件", "%s is empty"), path);
	crypto_hash_sha256(sha, bytes, *size);
	if (!e && !only_look)
		e = is_known(s, sha, &known, p);
	if (!e && !only_look && !known)
		e = keep(s, sha, bytes, *size, p);
	free(bytes);
	return e;
}

enum err blob_read(
	struct store *s, const uint8_t sha[HASH_SIZE], uint8_t **out, size_t *size, struct problem *p)
{
	char path[600], name[HASH_SIZE * 2 + 1];
	uint8_t *sealed;
	size_t n;

	blob_name(sha, name);
	snprintf(path, sizeof path, "%s/blobs/%s", s->profile->dir, name);
	enum err e = read_whole(path, &sealed, &n, BLOB_MAX + SEAL_OVERHEAD, p);
	if (e)
		return e;
	*out = malloc(n + 1); /* unseal_value refuses what is shorter than a seal */
	*size = n < SEAL_OVERHEAD ? 0 : n - SEAL_OVERHEAD;
	e = !*out ? ERR_NOMEM : unseal_value(s->seal, "blob", sha, HASH_SIZE, sealed, n, *out);
	free(sealed);
	if (e) {
		free(*out);
		*out = NULL;
		problem_set(p, e, NULL, NULL, NULL);
	}
	return e;
}

enum err blob_next(struct store *s, struct blob_row *row, bool *found, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "SELECT sha, size, have FROM blob WHERE complete = 0 ORDER BY at LIMIT 1", p);

	*found = false;
	enum err e = stmt ? store_next(s, stmt, found, p) : ERR_STORE;
	*found = *found && sqlite3_column_bytes(stmt, 0) == HASH_SIZE;
	if (*found) {
		memcpy(row->sha, sqlite3_column_blob(stmt, 0), HASH_SIZE);
		row->size = (uint64_t)sqlite3_column_int64(stmt, 1);
		row->have = (uint32_t)sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return e;
}

static enum err set_progress(struct store *s, const uint8_t sha[HASH_SIZE], uint32_t have,
	enum blob_state state, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "UPDATE blob SET have = ?2, complete = ?3 WHERE sha = ?1", p);

	if (!stmt)
		return ERR_STORE;
	sqlite3_bind_blob(stmt, 1, sha, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, have);
	sqlite3_bind_int(stmt, 3, state);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err blob_progress(
	struct store *s, const uint8_t sha[HASH_SIZE], uint32_t have, bool complete, struct problem *p)
{
	return set_progress(s, sha, have, complete ? BLOB_COMPLETE : BLOB_WAITING, p);
}

enum err blob_give_up(struct store *s, const uint8_t sha[HASH_SIZE], struct problem *p)
{
	return set_progress(s, sha, 0, BLOB_GIVEN_UP, p);
}

enum err blob_counts(struct store *s, struct blob_counts *out, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT complete, count(*) FROM blob GROUP BY complete", p);
	bool row = false;
	enum err e = stmt ? store_next(s, stmt, &row, p) : ERR_STORE;

	*out = (struct blob_counts){0};
	for (; !e && row; e = store_next(s, stmt, &row, p)) {
		int state = sqlite3_column_int(stmt, 0);
		if (state == BLOB_WAITING)
			out->waiting = (size_t)sqlite3_column_int64(stmt, 1);
		else if (state == BLOB_GIVEN_UP)
			out->given_up = (size_t)sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return e;
}

enum err blob_keep(struct store *s, const uint8_t *bytes, size_t n, struct problem *p)
{
	uint8_t sha[HASH_SIZE];
	bool known = false;

	crypto_hash_sha256(sha, bytes, n);
	enum err e = is_known(s, sha, &known, p);
	return e || known ? e : keep(s, sha, bytes, n, p);
}
