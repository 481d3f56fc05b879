#include "embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define READY_TRIES 600 /* of READY_EVERY_MS: as long as pg_ctl waits for a start */
#define READY_EVERY_MS 100
#define SOCKET_PATH_MAX 90 /* sun_path holds 107 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock" */

/* The newest installed server: Debian keeps several under /usr/lib/postgresql. */
static enum err find_program(const char *name, char *out, size_t size, struct problem *p)
{
	glob_t found;
	char pattern[128];

	snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", name);
	int r = glob(pattern, 0, NULL, &found);
	if (r == 0)
		snprintf(out, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	if (r == 0)
		return ERR_OK;
	return problem_set(p, ERR_NOT_FOUND, "embedded", "apt-get install postgresql-15", tr("找不到 PostgreSQL 的 %s", "PostgreSQL's %s is not installed"), name);
}

static void socket_dir(const struct conf *conf, char *out, size_t size)
{
	snprintf(out, size, "%s/pg/s", conf->dir);
}

void embedded_conninfo(const struct conf *conf, const char *role, char *out, size_t size)
{
	char dir[600];

	socket_dir(conf, dir, sizeof dir);
	snprintf(out, size, "host='%s' port=5432 dbname=jingguan user=%s", dir, role);
}

/* Runs a program with its output in DIR/pg/setup.log; true when it ended with 0. */
static bool run(const struct conf *conf, const char *const argv[])
{
	char path[600];

	snprintf(path, sizeof path, "%s/pg/setup.log", conf->dir);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		setsid(); /* a Ctrl-C for jgd must not reach the postmaster: jgd stops it in order */
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum err failed(const struct conf *conf, const char *what, struct problem *p)
{
	char hint[256];

	snprintf(hint, sizeof hint, tr("原因见 %s/pg/setup.log 和 server.log", "the reason stands in %s/pg/setup.log and server.log"), conf->dir);
	return problem_set(p, ERR_UNAVAILABLE, "embedded", hint, tr("内置 PostgreSQL：%s 失败", "private PostgreSQL: %s failed"), what);
}

static enum err write_settings(const struct conf *conf, struct problem *p)
{
	char path[600], dir[600];

	snprintf(path, sizeof path, "%s/pg/data/postgresql.conf", conf->dir);
	socket_dir(conf, dir, sizeof dir);
	FILE *out = fopen(path, "a");
	if (!out)
		return failed(conf, "postgresql.conf", p);
	/* Checksums and fsync stay on: the database is the only truth. 256 MB of buffers hold a county. */
	fprintf(out,
		"listen_addresses = ''\nunix_socket_directories = '%s'\nunix_socket_permissions = 0700\n"
		"timezone = 'Asia/Shanghai'\nlog_timezone = 'Asia/Shanghai'\nshared_buffers = 256MB\nmax_connections = 60\n"
		"jit = off\nmax_wal_size = 2GB\ncheckpoint_timeout = 15min\n",
		dir);
	return fclose(out) ? failed(conf, "postgresql.conf", p) : ERR_OK;
}

enum err embedded_create(const struct conf *conf, struct problem *p)
{
	char initdb[256], pg[600], data[600], sock[600];
	struct stat st;

	snprintf(pg, sizeof pg, "%s/pg", conf->dir);
	snprintf(data, sizeof data, "%s/pg/data", conf->dir);
	socket_dir(conf, sock, sizeof sock);
	if (strlen(sock) > SOCKET_PATH_MAX)
		return problem_set(p, ERR_USAGE, "data", tr("换一个短一些的目录", "choose a shorter directory"),
			tr("目录太长，放不下数据库套接字", "the directory is too long for a database socket"));
	mkdir(pg, 0700);
	mkdir(sock, 0700);
	char version[640];
	snprintf(version, sizeof version, "%s/PG_VERSION", data);
	if (stat(version, &st) == 0)
		return ERR_OK;
	enum err e = find_program("initdb", initdb, sizeof initdb, p);
	if (e)
		return e;
	const char *const argv[] = {initdb, "-D", data, "-U", "jingguan", "--auth-local=trust", "--auth-host=reject", "-E", "UTF8",
		"--locale=C.UTF-8", "--data-checksums", NULL};
	return run(conf, argv) ? write_settings(conf, p) : failed(conf, "initdb", p);
}

static bool postmaster_lives(const struct conf *conf, const char *pg_ctl, const char *data)
{
	const char *const argv[] = {pg_ctl, "-D", data, "status", NULL};

	return run(conf, argv);
}

/* A postmaster that a killed jgd left behind may be recovering from a crash or on its way out. Waits until it takes
 * connections; false when it is gone or did not come back in time. */
static bool wait_ready(const struct conf *conf)
{
	char isready[256], sock[600];
	struct timespec pause = {0, READY_EVERY_MS * 1000000L};
	struct problem p;

	if (find_program("pg_isready", isready, sizeof isready, &p))
		return false;
	socket_dir(conf, sock, sizeof sock);
	const char *const argv[] = {isready, "-q", "-h", sock, NULL};
	for (int i = 0; i < READY_TRIES && embedded_lives(conf); i++) {
		if (run(conf, argv))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static enum err start_or_adopt(const struct conf *conf, const char *pg_ctl, const char *data, bool *started, struct problem *p)
{
	char log[600];

	if (postmaster_lives(conf, pg_ctl, data) && wait_ready(conf)) {
		log_info("adopted the running private PostgreSQL");
		return ERR_OK;
	}
	if (embedded_lives(conf))
		return failed(conf, "recovery", p);
	snprintf(log, sizeof log, "%s/pg/server.log", conf->dir);
	const char *const argv[] = {pg_ctl, "-D", data, "-l", log, "-w", "-t", "60", "start", NULL};
	*started = run(conf, argv);
	return *started ? ERR_OK : failed(conf, "start", p);
}

static enum err create_database(const struct conf *conf, struct problem *p)
{
	char createdb[256], sock[600];
	enum err e = find_program("createdb", createdb, sizeof createdb, p);

	if (e)
		return e;
	socket_dir(conf, sock, sizeof sock);
	const char *const argv[] = {createdb, "-h", sock, "-U", "jingguan", "jingguan", NULL};
	run(conf, argv); /* fails when it exists; the connection that follows tells */
	return ERR_OK;
}

enum err embedded_start(const struct conf *conf, bool *started, struct problem *p)
{
	char pg_ctl[256], data[600], lock[600];
	enum err e = find_program("pg_ctl", pg_ctl, sizeof pg_ctl, p);

	*started = false;
	if (e)
		return e;
	snprintf(data, sizeof data, "%s/pg/data", conf->dir);
	snprintf(lock, sizeof lock, "%s/pg/.lock", conf->dir);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* two starters at once: one wins, both see it up */
	if (fd < 0 || flock(fd, LOCK_EX)) {
		if (fd >= 0)
			close(fd);
		return failed(conf, "lock", p);
	}
	e = start_or_adopt(conf, pg_ctl, data, started, p);
	if (!e)
		e = create_database(conf, p);
	close(fd);
	return e;
}

bool embedded_lives(const struct conf *conf)
{
	char path[600];
	int pid = 0;

	snprintf(path, sizeof path, "%s/pg/data/postmaster.pid", conf->dir);
	FILE *in = fopen(path, "re");
	if (!in)
		return false;
	bool read = fscanf(in, "%d", &pid) == 1;
	fclose(in);
	return read && pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

void embedded_stop(const struct conf *conf)
{
	char pg_ctl[256], data[600];
	struct problem p;

	if (!embedded_lives(conf) || find_program("pg_ctl", pg_ctl, sizeof pg_ctl, &p))
		return;
	snprintf(data, sizeof data, "%s/pg/data", conf->dir);
	/* A fast shutdown in the middle of a recovery can hang for ever (seen with PostgreSQL 15.20: only the checkpointer was
	 * left); an immediate one costs the next start another recovery. */
	const char *const fast[] = {pg_ctl, "-D", data, "-m", "fast", "-w", "stop", NULL};
	const char *const immediate[] = {pg_ctl, "-D", data, "-m", "immediate", "-w", "stop", NULL};
	if (!(wait_ready(conf) && run(conf, fast)) && !run(conf, immediate))
		log_error("the private PostgreSQL did not stop");
}
