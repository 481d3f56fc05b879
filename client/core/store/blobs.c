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
#include "lang.h"
#include "tables.h"
#include "view.h"

static void blob_name(const uint8_t sha[HASH_SIZE], char out[HASH_SIZE * 2 + 1])
{
	sodium_bin2hex(out, HASH_SIZE * 2 + 1, sha, HASH_SIZE);
}

static enum err read_whole(const char *path, uint8_t **out, size_t *size, size_t max, struct problem *p)
{
	char name[FILE_NAME_TEXT_MAX];
	size_t n = 0, whole;
	int fd = file_open(path, &whole, p);

	*out = NULL;
	if (fd < 0)
		return ERR_FILE_IO;
	file_name_text(name, sizeof name, path);
	if (whole > max) {
		close(fd);
		return problem_set(p, ERR_TOO_LARGE, NULL, _("请压缩或分开"), _("%s 超过 10 MiB"), name);
	}
	*out = malloc(whole + 1);
	if (!*out) {
		close(fd);
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	}
	for (ssize_t r; n < whole && (r = read(fd, *out + n, whole - n)) > 0;)
		n += (size_t)r;
	close(fd);
	*size = n;
	if (n == whole)
		return ERR_OK;
	free(*out);
	*out = NULL;
	return problem_set(p, ERR_FILE_IO, NULL, NULL, _("读不到文件 %s"), name);
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
	sqlite3_stmt *stmt = e ? NULL
			       : store_prepare(s,
					 "INSERT INTO blob(sha, size, at)"
					 " VALUES(?, ?, ?)"
					 " ON CONFLICT(sha) DO UPDATE SET complete = 0, have = 0",
					 p);
	if (!stmt)
		return e ? e : store_error(s, p);
	sqlite3_bind_blob(stmt, 1, sha, HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)n);
	sqlite3_bind_int64(stmt, 3, clock_now_us());
	e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err blob_state_of(
	struct store *s, const uint8_t sha[HASH_SIZE], enum blob_state *state, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "SELECT complete FROM blob WHERE sha = ?", p);
	bool row = false;

	if (stmt)
		sqlite3_bind_blob(stmt, 1, sha, HASH_SIZE, SQLITE_STATIC);
	enum err e = stmt ? store_next(s, stmt, &row, p) : store_error(s, p);
	*state = row ? (enum blob_state)sqlite3_column_int(stmt, 0) : BLOB_ELSEWHERE;
	sqlite3_finalize(stmt);
	return e;
}

/* What was damaged here is written again from the bytes at hand. */
static enum err keep_once(
	struct store *s, const uint8_t sha[HASH_SIZE], const uint8_t *bytes, size_t n, struct problem *p)
{
	enum blob_state state;
	enum err e = blob_state_of(s, sha, &state, p);

	return e || (state != BLOB_ELSEWHERE && state != BLOB_UNREADABLE) ? e : keep(s, sha, bytes, n, p);
}

enum err blob_add(struct store *s, const char *path, bool only_look, uint8_t sha[HASH_SIZE], size_t *size,
	struct problem *p)
{
	uint8_t *bytes;
	enum err e = read_whole(path, &bytes, size, FILE_BYTES_MAX, p);

	if (e)
		return e;
	if (*size == 0)
		e = problem_set(p, ERR_INVALID, NULL, _("换一个有内容的文件；扫描或拍照没有成功的重做一次"),
			_("%s 是空文件"), path);
	crypto_hash_sha256(sha, bytes, *size);
	if (!e && !only_look)
		e = keep_once(s, sha, bytes, *size, p);
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
	enum err e = read_whole(path, &sealed, &n, FILE_BYTES_MAX + SEAL_OVERHEAD, p);
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

/* ---- which of them are wanted ---- */

/* A file is named by a hash, or by its hex within a long text. */
static bool may_name(const struct field *f)
{
	return strcmp(f->check, "sha") == 0 || strcmp(f->check, "long") == 0;
}

static bool kind_may_name(const struct kind *kind)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (may_name(&kind->fields[i]))
			return true;
	return false;
}

static bool record_names(const struct record *r, const uint8_t *sha, const char *hex)
{
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		const struct value *v = &r->value[i];
		if (!may_name(f) || !record_has(r, (int)i))
			continue;
		if (strcmp(f->check, "sha") == 0 ? v->len == HASH_SIZE && memcmp(v->data, sha, HASH_SIZE) == 0
						 : memmem(v->data, v->len, hex, strlen(hex)) != NULL)
			return true;
	}
	return false;
}

/* The records that may name a file. */
static enum err load_naming(struct store *s, struct view **v, struct problem *p)
{
	uint32_t *kinds = calloc(kind_count + 1, sizeof *kinds);
	size_t n = 0;

	for (size_t i = 0; kinds && i < kind_count; i++)
		if (kind_may_name(&kind_table[i]))
			kinds[n++] = kind_table[i].number;
	enum err e = kinds ? view_load(v, s, kinds, p) : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	free(kinds);
	return e;
}

/* Whether a record of ours names it; `there`: one that the county has. */
static bool is_named(const struct view *v, const uint8_t *sha, bool there)
{
	char hex[HASH_SIZE * 2 + 1];

	blob_name(sha, hex);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		if (item->live && !(there && item->pending) && view_is_ours(v, item) &&
			record_names(&item->record, sha, hex))
			return true;
	}
	return false;
}

typedef bool (*blob_fn)(void *data, const struct view *v, sqlite3_stmt *row);

/* Calls fn for each file that is not wholly at the server until it says true. *found: it did. */
static enum err each_open(struct store *s, blob_fn fn, void *data, bool *found, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "SELECT sha, size, have, complete FROM blob WHERE complete <> 1 ORDER BY at, sha", p);
	enum err e = stmt ? ERR_OK : store_error(s, p);
	struct view *v = NULL;
	bool row = false;

	*found = false;
	while (!e && !*found && !(e = store_next(s, stmt, &row, p)) && row) {
		if (!v)
			e = load_naming(s, &v, p);
		if (!e && sqlite3_column_bytes(stmt, 0) == HASH_SIZE)
			*found = fn(data, v, stmt);
	}
	view_free(v);
	sqlite3_finalize(stmt);
	return e;
}

static bool take_next(void *data, const struct view *v, sqlite3_stmt *row)
{
	struct blob_row *next = data;

	if (sqlite3_column_int(row, 3) != BLOB_WAITING || !is_named(v, sqlite3_column_blob(row, 0), true))
		return false;
	memcpy(next->sha, sqlite3_column_blob(row, 0), HASH_SIZE);
	next->size = (uint64_t)sqlite3_column_int64(row, 1);
	next->have = (uint32_t)sqlite3_column_int64(row, 2);
	return true;
}

enum err blob_next(struct store *s, struct blob_row *row, bool *found, struct problem *p)
{
	return each_open(s, take_next, row, found, p);
}

static bool count_one(void *data, const struct view *v, sqlite3_stmt *row)
{
	struct blob_counts *counts = data;

	if (!is_named(v, sqlite3_column_blob(row, 0), false))
		return false;
	if (sqlite3_column_int(row, 3) == BLOB_WAITING)
		counts->waiting++;
	else
		counts->failed++;
	return false;
}

enum err blob_counts(struct store *s, struct blob_counts *out, struct problem *p)
{
	bool found;

	*out = (struct blob_counts){0};
	return each_open(s, count_one, out, &found, p);
}

static enum err set_progress(struct store *s, const uint8_t sha[HASH_SIZE], uint32_t have,
	enum blob_state state, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(s, "UPDATE blob SET have = ?2, complete = ?3 WHERE sha = ?1", p);

	if (!stmt)
		return store_error(s, p);
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

enum err blob_failed(struct store *s, const uint8_t sha[HASH_SIZE], enum blob_state why, struct problem *p)
{
	return set_progress(s, sha, 0, why, p);
}

enum err blob_try_again(struct store *s, bool all, struct problem *p)
{
	sqlite3_stmt *stmt = store_prepare(
		s, "UPDATE blob SET complete = 0, have = 0 WHERE complete > 1 OR (?1 AND complete = 1)", p);

	if (!stmt)
		return store_error(s, p);
	sqlite3_bind_int(stmt, 1, all);
	enum err e = store_run(s, stmt, p);
	sqlite3_finalize(stmt);
	return e;
}

enum err blob_keep(struct store *s, const uint8_t *bytes, size_t n, struct problem *p)
{
	uint8_t sha[HASH_SIZE];

	crypto_hash_sha256(sha, bytes, n);
	return keep_once(s, sha, bytes, n, p);
}
