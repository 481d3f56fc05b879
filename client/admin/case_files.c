#include "case_files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "blobs.h"
#include "buf.h"
#include "file_name.h"
#include "lang.h"
#include "tables.h"
#include "text.h"

#define EXTENSION_MAX 16
#define NAME_MAX_BYTES 200 /* of a file system's 255: room for "(12)" */
#define NAMES_TRIED 100

extern char **environ;

static enum err told(struct problem *p, const char *path, int error)
{
	char name[FILE_PATH_TEXT_MAX];

	file_path_text(name, sizeof name, path);
	if (error == ENOSPC || error == EDQUOT)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL, _("磁盘已满，写不下 %s"), name);
	return problem_set(p, ERR_FILE_IO, NULL, _("换一个能写的文件夹：--files DIR"), _("不能写入 %s：%s"),
		name, file_error_text(error));
}

enum err case_folder(const char *dir, struct problem *p)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return told(p, dir, errno);
	if (stat(dir, &st))
		return told(p, dir, errno);
	if (!S_ISDIR(st.st_mode))
		return told(p, dir, ENOTDIR);
	return access(dir, W_OK | X_OK) ? told(p, dir, errno) : ERR_OK;
}

/* ---- fetching ---- */

static bool take_chunk(void *data, const ProtobufCMessage *reply)
{
	const pb_blob_chunk *chunk = (const pb_blob_chunk *)reply;
	struct buf *bytes = data;

	buf_add(bytes, chunk->data.data, chunk->data.len);
	return !bytes->failed && bytes->len <= FILE_BYTES_MAX;
}

static enum err fetch(struct link *link, const pb_case_file *file, struct buf *bytes, struct problem *p)
{
	pb_blob_get q = PB_BLOB_GET_INIT;
	uint8_t sha[crypto_hash_sha256_BYTES];

	q.has_sha = 1;
	q.sha = file->sha;
	enum err e = link_call(link, METHOD_SYNC_GET_BLOB, &q.base, take_chunk, bytes, p);
	if (e)
		return e;
	if (bytes->failed)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	crypto_hash_sha256(sha, bytes->data, bytes->len);
	if (file->sha.len != sizeof sha || memcmp(sha, file->sha.data, sizeof sha) != 0)
		return problem_set(p, ERR_FILE_DAMAGED, NULL,
			_("再取一次；仍然这样请告诉系统管理员：jgadmin server status"),
			_("收到的“%s”与登记的校验值不符，没有保存"), file->name);
	return ERR_OK;
}

/* ---- writing ---- */

/* A name that a school gave, as a name in our folder: no path, no hidden file, nothing that steers a
 * terminal. */
static void safe_name(char *out, size_t size, const pb_case_file *file)
{
	char whole[3 * 1024]; /* the longest name that a school gives, each byte made printable */

	text_printable(whole, sizeof whole, file->name);
	const char *dot = strrchr(whole, '.');
	size_t extension = dot && strlen(dot) <= EXTENSION_MAX ? strlen(dot) : 0,
	       stem = strlen(whole) - extension;
	if (stem + extension > NAME_MAX_BYTES - 1) /* what opens a file is its end */
		stem = text_utf8_prefix(whole, NAME_MAX_BYTES - 1 - extension);
	snprintf(out, size, "%.*s%s", (int)stem, whole, extension ? dot : "");
	for (char *c = out; *c; c++)
		if (strchr("/\\:*?\"<>|\n", *c))
			*c = '_';
	if (*out == '.' || *out == '-')
		*out = '_';
	if (!*out)
		snprintf(out, size, "%s", _("材料"));
}

static bool same_bytes(const char *path, const struct buf *bytes)
{
	uint8_t part[65536];
	size_t at = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	while ((n = read(fd, part, sizeof part)) > 0 && (size_t)n <= bytes->len - at &&
		memcmp(part, bytes->data + at, (size_t)n) == 0)
		at += (size_t)n;
	close(fd);
	return n == 0 && at == bytes->len;
}

static enum err write_all(int fd, const char *path, const struct buf *bytes, struct problem *p)
{
	int error = 0;

	for (size_t at = 0; at < bytes->len && !error;) {
		ssize_t n = write(fd, bytes->data + at, bytes->len - at);
		if (n < 0 && errno != EINTR)
			error = errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (!error && fsync(fd))
		error = errno;
	if (close(fd) && !error)
		error = errno;
	if (error)
		unlink(path);
	return error ? told(p, path, error) : ERR_OK;
}

static enum err keep(const char *dir, const pb_case_file *file, const struct buf *bytes,
	char path[CASE_PATH_SIZE], struct problem *p)
{
	char name[NAME_MAX_BYTES + 16];

	safe_name(name, sizeof name, file);
	const char *dot = strrchr(name, '.');
	int stem = dot ? (int)(dot - name) : (int)strlen(name);
	for (int i = 1; i < NAMES_TRIED; i++) {
		if (i == 1)
			snprintf(path, CASE_PATH_SIZE, "%s/%s", dir, name);
		else
			snprintf(path, CASE_PATH_SIZE, "%s/%.*s(%d)%s", dir, stem, name, i, name + stem);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			return write_all(fd, path, bytes, p);
		if (errno != EEXIST)
			return told(p, path, errno);
		if (same_bytes(path, bytes))
			return ERR_OK;
	}
	return told(p, path, EEXIST);
}

enum err case_fetch(struct link *link, const pb_case_file *file, const char *dir, char path[CASE_PATH_SIZE],
	struct problem *p)
{
	struct buf bytes = {0};
	enum err e = fetch(link, file, &bytes, p);

	if (!e)
		e = keep(dir, file, &bytes, path, p);
	buf_free(&bytes);
	return e;
}

/* ---- looking ---- */

bool case_open(const char *path)
{
	static const char *const kinds[] = {
		".pdf", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".txt"};
	const char *dot = strrchr(path, '.');
	char *argv[] = {"xdg-open", (char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t quiet;
	bool known = false;
	pid_t pid;

	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		known |= strcasecmp(dot, kinds[i]) == 0;
	if (!known || posix_spawn_file_actions_init(&quiet))
		return false;
	posix_spawn_file_actions_addopen(&quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int error = posix_spawnp(
		&pid, argv[0], &quiet, NULL, argv, environ); /* not waited for: a viewer stays open */
	posix_spawn_file_actions_destroy(&quiet);
	return error == 0;
}

void case_file_cell(const struct cli *c, const char *name, char *out, size_t size)
{
	char stem[256], masked[256];
	const char *dot = strrchr(name, '.');

	if (c->reveal) {
		text_printable(out, size, name);
		return;
	}
	snprintf(stem, sizeof stem, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
	stem[text_utf8_prefix(stem, strlen(stem))] = 0;
	if (text_mask_name(masked, sizeof masked, stem))
		snprintf(masked, sizeof masked, "*");
	snprintf(out, size, "%s%s", masked, dot ? dot : "");
}
