#include "received.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_name.h"
#include "lang.h"
#include "text.h"

#define EXTENSION_MAX 16
#define NAME_MAX_BYTES 200 /* of a file system's 255: room for "(12)" */
#define NAMES_TRIED 100

static enum err received_problem(struct problem *p, const char *path, int error)
{
	char name[FILE_PATH_TEXT_MAX];

	file_path_text(name, sizeof name, path);
	if (error == ENOSPC || error == EDQUOT)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL, _("磁盘已满，写不下 %s"), name);
	return problem_set(p, ERR_FILE_IO, NULL, _("换一个能写的文件夹"), _("不能写入 %s：%s"), name,
		file_error_text(error));
}

enum err received_folder(const char *dir, struct problem *p)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return received_problem(p, dir, errno);
	if (stat(dir, &st))
		return received_problem(p, dir, errno);
	if (!S_ISDIR(st.st_mode))
		return received_problem(p, dir, ENOTDIR);
	return access(dir, W_OK | X_OK) ? received_problem(p, dir, errno) : ERR_OK;
}

/* A name that somebody else gave, as a name in our folder: no path, no hidden file, nothing that steers a
 * terminal. */
static void safe_name(char *out, size_t size, const char *name)
{
	char whole[3 * 1024]; /* the longest name that is sent, each byte made printable */

	text_printable(whole, sizeof whole, name);
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
	return error ? received_problem(p, path, error) : ERR_OK;
}

enum err received_keep(const char *dir, const char *called, const struct buf *bytes,
	char path[RECEIVED_PATH_SIZE], struct problem *p)
{
	char name[NAME_MAX_BYTES + 16];

	safe_name(name, sizeof name, called);
	const char *dot = strrchr(name, '.');
	int stem = dot ? (int)(dot - name) : (int)strlen(name);
	for (int i = 1; i < NAMES_TRIED; i++) {
		if (i == 1)
			snprintf(path, RECEIVED_PATH_SIZE, "%s/%s", dir, name);
		else
			snprintf(path, RECEIVED_PATH_SIZE, "%s/%.*s(%d)%s", dir, stem, name, i, name + stem);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			return write_all(fd, path, bytes, p);
		if (errno != EEXIST)
			return received_problem(p, path, errno);
		if (same_bytes(path, bytes))
			return ERR_OK;
	}
	return received_problem(p, path, EEXIST);
}
