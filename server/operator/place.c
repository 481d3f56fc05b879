#include "place.h"

#include "lang.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum err place_absolute(char *out, size_t size, const char *path, struct problem *p)
{
	char real[PATH_MAX], here[PATH_MAX];
	const char *at = realpath(path, real);
	int n;

	if (at || *path == '/')
		n = snprintf(out, size, "%s", at ? at : path);
	else if (getcwd(here, sizeof here))
		n = snprintf(out, size, "%s/%s", here, path);
	else
		return problem_set(p, ERR_FILE_IO, NULL, "cd /", _("当前目录已不存在"));
	if (n >= 0 && (size_t)n < size)
		return ERR_OK;
	return problem_set(p, ERR_USAGE, "data", _("换一个短一些的目录"), _("目录名太长：%s"), path);
}

/* Gives all in the directory to the account; an errno where it cannot. A PostgreSQL that a killed jgd left
 * behind makes and removes files meanwhile: what is gone is no failure. fts leads through no link, however
 * names are swapped while it walks. */
static int give(const char *dir, const struct passwd *account)
{
	FTS *tree = fts_open((char *[]){(char *)(uintptr_t)dir, NULL}, FTS_PHYSICAL, NULL);
	int why = tree ? 0 : errno;

	for (FTSENT *at; !why && (errno = 0, at = fts_read(tree)) != NULL;) {
		if (at->fts_info == FTS_NS || at->fts_info == FTS_DNR || at->fts_info == FTS_ERR)
			why = at->fts_errno;
		else if (at->fts_info != FTS_DP &&
			(at->fts_statp->st_uid != account->pw_uid ||
				at->fts_statp->st_gid != account->pw_gid) &&
			lchown(at->fts_accpath, account->pw_uid, account->pw_gid))
			why = errno;
		if (why == ENOENT && at->fts_level > FTS_ROOTLEVEL)
			why = 0;
	}
	why = why ? why : errno; /* of the fts_read that ended it */
	if (tree)
		fts_close(tree);
	return why;
}

/* Nothing below runs as root. */
static enum err drop_to_user(const char *dir, const char *user, struct problem *p)
{
	struct passwd *account = getpwnam(user);

	if (!account)
		return problem_set(p, ERR_NOT_FOUND, "user",
			"useradd --system --home-dir /var/lib/jingguan --shell /usr/sbin/nologin jingguan",
			_("没有系统帐号 %s"), user);
	int why = give(dir, account);
	if (why)
		return problem_set(p, ERR_PERMISSION, "data",
			_("换一块可写的本地磁盘，或检查它是不是只读挂载：mount"),
			_("不能把 %s 交给帐号 %s：%s"), dir, user, file_error_text(why));
	if (initgroups(account->pw_name, account->pw_gid) || setgid(account->pw_gid) ||
		setuid(account->pw_uid))
		return problem_set(p, ERR_PERMISSION, "user", _("以 root 运行，或用 --user 指定帐号"),
			_("不能切换到帐号 %s"), user);
	setenv("HOME", dir, 1);
	return ERR_OK;
}

void place_make(const char *dir, const char *user)
{
	struct passwd *account = geteuid() == 0 ? getpwnam(user) : NULL;

	if (account && mkdir(dir, 0700) == 0 && lchown(dir, account->pw_uid, account->pw_gid))
		rmdir(dir);
}

void place_unmake(const char *dir)
{
	static const char *const ours[] = {"jgd.lock", "backup.log"};
	char path[PATH_MAX];
	DIR *all = opendir(dir);
	bool empty = all != NULL;

	for (struct dirent *at; empty && (at = readdir(all));)
		empty = strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0 ||
			strcmp(at->d_name, ours[0]) == 0 || strcmp(at->d_name, ours[1]) == 0;
	if (all)
		closedir(all);
	for (size_t i = 0; empty && i < sizeof ours / sizeof *ours; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, ours[i]);
		unlink(path);
	}
	if (empty)
		rmdir(dir);
}

bool place_closed(const char *path, char *out, size_t size)
{
	snprintf(out, size, "%s", path);
	for (char *at = out; (at = strchr(at + 1, '/'));) {
		*at = 0;
		if (access(out, X_OK))
			return true;
		*at = '/';
	}
	return false;
}

enum err place_enter(const char *dir, const char *user, struct problem *p)
{
	char hint[PATH_MAX + 64], parent[PATH_MAX], quoted[PATH_MAX];
	enum err e = geteuid() == 0 ? drop_to_user(dir, user, p) : ERR_OK;

	if (e || (access(dir, R_OK | W_OK | X_OK) == 0 && chdir(dir) == 0))
		return e;
	int why = errno;
	if (place_closed(dir, parent, sizeof parent)) {
		snprintf(hint, sizeof hint, _("用 --data /var/lib/jingguan，或 chmod o+x %s"),
			place_quoted(quoted, sizeof quoted, parent));
		return problem_set(
			p, ERR_PERMISSION, "data", hint, _("帐号 %s 进不了上级目录 %s"), user, parent);
	}
	snprintf(hint, sizeof hint, _("以 root 运行同一条命令，或 chown -R %s %s"), user,
		place_quoted(quoted, sizeof quoted, dir));
	return problem_set(p, ERR_PERMISSION, "data", hint, "%s: %s", dir, file_error_text(why));
}

static enum err held(int fd, const char *dir, struct problem *p)
{
	char holder[300] = "", hint[300];
	ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
	long pid = n > 0 ? strtol(holder, NULL, 10) : 0;
	char *host = strchr(holder, ' ');

	holder[strcspn(holder, "\n")] = 0;
	close(fd);
	snprintf(hint, sizeof hint, _("先停下它：systemctl stop jgd，或在那台机器上 kill %ld"), pid);
	problem_set(p, ERR_NOT_NOW, "data", hint, _("另一个 jgd（进程 %ld，主机 %s）正在使用 %s"), pid,
		host ? host + 1 : "?", dir);
	snprintf(p->safe, sizeof p->safe, "%s", _("它不受影响；什么都没有改动"));
	return ERR_NOT_NOW;
}

enum err place_lock(const char *dir, struct problem *p)
{
	char path[PATH_MAX], host[256] = "?";
	int fd;

	snprintf(path, sizeof path, "%s/jgd.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return held(fd, dir, p);
		close(fd);
		fd = -1;
	}
	gethostname(host, sizeof host - 1);
	/* The descriptor stays open: the kernel lets go of the lock with the process, however it ends. */
	if (fd < 0 || ftruncate(fd, 0) || dprintf(fd, "%ld %s\n", (long)getpid(), host) < 0)
		return problem_set(p, ERR_FILE_IO, "data", _("腾出磁盘空间，检查目录是否可写"), "%s: %s",
			path, file_error_text(errno));
	return ERR_OK;
}

bool place_held(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/jgd.lock", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool taken = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
	if (fd >= 0)
		close(fd);
	return taken;
}

/* The quoted path, "" where it does not fit. */
static void quote(char *out, size_t size, const char *path)
{
	size_t n = 0;

	out[n++] = '\'';
	for (; *path && n + 6 < size; path++) {
		if (*path == '\'') {
			memcpy(out + n, "'\\''", 4);
			n += 4;
		} else {
			out[n++] = *path;
		}
	}
	out[n++] = '\'';
	out[*path ? 0 : n] = 0;
}

const char *place_quoted(char *out, size_t size, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%=";
	char quoted[PLACE_QUOTED_MAX + 1] = "";

	if (path[strspn(path, plain)])
		quote(quoted, sizeof quoted, path);
	else if (strlen(path) < sizeof quoted)
		strcpy(quoted, path);
	if (!quoted[0] || (size_t)snprintf(out, size, "%s", quoted) >= size)
		snprintf(out, size, "'%s'", _("（路径太长，请写全）"));
	return out;
}
