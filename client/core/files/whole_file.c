#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_name.h"
#include "lang.h"

/* NONBLOCK: what lies there may be a pipe that nobody reads. */
static int open_part(const char *part, int flags, mode_t mode)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, mode);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

enum err whole_file_check(const char *path, struct problem *p)
{
	char part[PATH_MAX + sizeof ".part"];
	struct stat st;

	snprintf(part, sizeof part, "%s.part", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return problem_set(p, ERR_FILE_IO, NULL, _("请换一个文件名"), _("%s 不是文件，不能写"), path);
	bool there = access(part, F_OK) == 0;
	int fd = open_part(part, 0, 0600);
	if (fd < 0)
		return file_problem(p, path, errno);
	close(fd);
	if (!there)
		unlink(part);
	return ERR_OK;
}

enum err whole_file_open(struct whole_file *f, const char *path, mode_t mode, struct problem *p)
{
	snprintf(f->path, sizeof f->path, "%s", path);
	snprintf(f->part, sizeof f->part, "%s.part", path);
	int fd = open_part(f->part, O_TRUNC, mode);
	if (fd >= 0 && mode == 0600)
		fchmod(fd, mode); /* of a part file that was left behind, too */
	f->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (f->out)
		return ERR_OK;
	enum err e = file_problem(p, path, errno);
	if (fd >= 0) {
		close(fd);
		unlink(f->part);
	}
	return e;
}

enum err whole_file_close(struct whole_file *f, bool done, struct problem *p)
{
	/* A write that failed in between has left no reason; it nearly always is the disk. */
	int error = EIO;
	if (ferror(f->out))
		error = ENOSPC;
	else if (done)
		error = 0;

	if (fflush(f->out) || fsync(fileno(f->out)))
		error = errno;
	if (fclose(f->out) && !error)
		error = errno;
	if (!error && rename(f->part, f->path))
		error = errno;
	if (!error)
		return ERR_OK;
	unlink(f->part);
	return file_problem(p, f->path, error);
}
