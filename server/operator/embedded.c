#include "embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "child.h"
#include "lang.h"
#include "log.h"
#include "place.h"

#define READY_TRIES 600 /* of READY_EVERY_MS: as long as pg_ctl waits for a start */
#define READY_EVERY_MS 100
#define CONNECTIONS_SPARE 20 /* beside the pools: jobs, probes, doctor, backup, somebody's psql */

static int users_fd = -1; /* DIR/pg/.users, shared while this process uses the cluster */

static void path_of(const struct conf *conf, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/pg/%s", conf->dir, name);
}

/* Of the version that made the cluster: a newer one cannot read it. The newest one where there is none
 * yet. */
static enum err find_program(
	const struct conf *conf, const char *name, char *out, size_t size, struct problem *p)
{
	char path[PATH_MAX];
	int major = 0;

	path_of(conf, "data/PG_VERSION", path);
	FILE *in = fopen(path, "re");
	if (in && fscanf(in, "%d", &major) != 1)
		major = 0;
	if (in)
		fclose(in);
	return child_program(name, major, out, size, p);
}

void embedded_conninfo(const char *role, char *out, size_t size)
{
	snprintf(out, size, "host=/proc/self/cwd/pg/s port=5432 dbname=jingguan user=%s", role);
}

static bool run(const struct conf *conf, const char *const argv[])
{
	char dir[PATH_MAX], log[PATH_MAX];

	path_of(conf, "", dir);
	path_of(conf, "setup.log", log);
	return child_run(dir, log, argv, NULL);
}

/* log: of DIR/pg, whose last line says why. */
static enum err failed(const struct conf *conf, const char *what, const char *log, struct problem *p)
{
	char path[PATH_MAX], quoted[PATH_MAX], line[160], hint[PATH_MAX + 16];

	path_of(conf, log, path);
	child_last_line(path, line, sizeof line);
	snprintf(hint, sizeof hint, "tail %s", place_quoted(quoted, sizeof quoted, path));
	problem_set(p, ERR_UNAVAILABLE, "embedded", hint, _("内置 PostgreSQL：%s 失败：%s"), what, line);
	return ERR_UNAVAILABLE;
}

/* What jgd wants of its cluster, beside PostgreSQL's own file: written at each start, so that an older
 * cluster has it too. */
static enum err write_settings(const struct conf *conf, const char *data, struct problem *p)
{
	char path[PATH_MAX], text[2048], had[2048] = "", name[64];

	/* Checksums and fsync stay on: the database is the only truth. 256 MB of buffers hold a county. Its
	 * log turns round in a month, in the time zone of jgd's own, and leaves DETAIL out, where a refused
	 * row would show a child's number. */
	snprintf(text, sizeof text,
		"listen_addresses = ''\nport = 5432\nunix_socket_directories = "
		"'../s'\nunix_socket_permissions = 0700\n"
		"timezone = 'Asia/Shanghai'\nshared_buffers = 256MB\nmax_connections = %d\njit = "
		"off\nmax_wal_size = 2GB\ncheckpoint_timeout = 15min\n"
		"logging_collector = on\nlog_directory = '../log'\nlog_filename = "
		"'postgresql-%%d.log'\nlog_truncate_on_rotation = on\n"
		"log_rotation_age = 1d\nlog_rotation_size = 0\nlog_timezone = "
		"'Asia/Shanghai'\nlog_error_verbosity = terse\n",
		conf->workers * conf->pool + CONNECTIONS_SPARE);
	snprintf(name, sizeof name, "%s/jingguan.conf", data);
	path_of(conf, name, path);
	FILE *file = fopen(path, "re");
	if (file) {
		had[fread(had, 1, sizeof had - 1, file)] = 0;
		fclose(file);
		if (strcmp(had, text) == 0)
			return ERR_OK;
	}
	if (!(file = fopen(path, "we")))
		return problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, "embedded",
			_("腾出磁盘空间"), "%s: %s", path, file_error_text(errno));
	bool good = fputs(text, file) >= 0;
	good = fclose(file) == 0 && good;
	snprintf(name, sizeof name, "%s/postgresql.conf", data);
	path_of(conf, name, path);
	if (good && !had[0]) { /* the first time: read last, it has the last word */
		good = (file = fopen(path, "ae")) && fputs("\ninclude 'jingguan.conf'\n", file) >= 0;
		good = file && fclose(file) == 0 && good;
	}
	if (good)
		return ERR_OK;
	return problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, "embedded", _("腾出磁盘空间"),
		"%s: %s", path, file_error_text(errno));
}

/* Made under another name and moved: a cluster that has its name is whole. */
static enum err make_cluster(const struct conf *conf, struct problem *p)
{
	char initdb[256], made[PATH_MAX], data[PATH_MAX];
	enum err e = child_program("initdb", 0, initdb, sizeof initdb, p);

	if (e)
		return e;
	path_of(conf, "making.XXXXXX", made);
	path_of(conf, "data", data);
	if (!mkdtemp(made))
		return problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, "data",
			_("腾出磁盘空间，检查目录是否可写"), "%s: %s", made, file_error_text(errno));
	const char *name = strrchr(made, '/') + 1;
	if (!run(conf,
		    (const char *const[]){initdb, "-D", name, "-U", EMBEDDED_OWNER, "--auth-local=trust",
			    "--auth-host=reject", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
			    NULL}))
		return failed(conf, "initdb", "setup.log", p);
	if ((e = write_settings(conf, name, p)))
		return e;
	if (rename(made, data))
		return problem_set(p, ERR_FILE_IO, "data", NULL, "%s: %s", data, file_error_text(errno));
	run(conf,
		(const char *const[]){
			"/bin/sh", "-c", "rm -rf making.*", NULL}); /* of runs that were killed */
	return ERR_OK;
}

enum err embedded_create(const struct conf *conf, struct problem *p)
{
	char path[PATH_MAX], hint[PATH_MAX + 16], quoted[PATH_MAX];
	struct stat st;

	path_of(conf, "", path);
	mkdir(path, 0700);
	path_of(conf, "s", path);
	mkdir(path, 0700);
	path_of(conf, "data", path);
	if (stat(path, &st))
		return make_cluster(conf, p);
	path_of(conf, "data/global/pg_control", path);
	if (stat(path, &st) == 0)
		return ERR_OK;
	/* An initdb of an earlier version of jgd was interrupted: nothing was ever stored there. */
	path_of(conf, "data", path);
	snprintf(hint, sizeof hint, "rm -rf %s", place_quoted(quoted, sizeof quoted, path));
	return problem_set(p, ERR_NOT_NOW, "data", hint, _("%s 是一次没有做完的建库，里面没有数据"), path);
}

/* The process that postmaster.pid names, 0 = none. */
static pid_t named_process(const struct conf *conf)
{
	char path[PATH_MAX];
	int pid = 0;

	path_of(conf, "data/postmaster.pid", path);
	FILE *in = fopen(path, "re");
	if (in && fscanf(in, "%d", &pid) != 1)
		pid = 0;
	if (in)
		fclose(in);
	return pid > 0 ? pid : 0;
}

/* After a power cut the number may be anybody's. A postmaster works in its data directory. */
bool embedded_lives(const struct conf *conf)
{
	char path[64], data[PATH_MAX], works_in[PATH_MAX], name[32] = "";
	pid_t pid = named_process(conf);

	if (!pid)
		return false;
	path_of(conf, "data", data);
	snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
	ssize_t n = readlink(path, works_in, sizeof works_in - 1);
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *in = n > 0 ? fopen(path, "re") : NULL;
	if (in && !fgets(name, sizeof name, in))
		name[0] = 0;
	if (in)
		fclose(in);
	works_in[n > 0 ? n : 0] = 0;
	return strcmp(works_in, data) == 0 && strncmp(name, "postgres", 8) == 0;
}

/* A postmaster that a killed jgd left behind may be recovering from a crash or on its way out. Waits until it
 * takes connections; false when it is gone or did not come back in time. */
static bool wait_ready(const struct conf *conf)
{
	char conninfo[256];
	struct timespec pause = {0, READY_EVERY_MS * 1000000L};

	embedded_conninfo(EMBEDDED_OWNER, conninfo, sizeof conninfo);
	for (int i = 0; i < READY_TRIES && embedded_lives(conf); i++) {
		if (PQping(conninfo) == PQPING_OK)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static enum err start_or_adopt(const struct conf *conf, bool *started, struct problem *p)
{
	char pg_ctl[256], path[PATH_MAX];
	pid_t pid = named_process(conf);
	enum err e;

	if (embedded_lives(conf) && wait_ready(conf)) {
		log_info("adopted the running private PostgreSQL");
		return ERR_OK;
	}
	if (embedded_lives(conf))
		return failed(conf, _("恢复"), "start.log", p);
	path_of(conf, "data/postmaster.pid", path);
	/* PostgreSQL would take this other process for its own and never start. */
	if (pid && kill(pid, 0) == 0) {
		log_warn("postmaster.pid named process %d, which is another program: removed", (int)pid);
		unlink(path);
	}
	if ((e = find_program(conf, "pg_ctl", pg_ctl, sizeof pg_ctl, p)) ||
		(e = write_settings(conf, "data", p)))
		return e;
	path_of(conf, "start.log", path);
	unlink(path);
	*started = true;
	/* On the command line: whatever stands in a file, a county's data is on disk before it is
	 * acknowledged. */
	return run(conf,
		       (const char *const[]){pg_ctl, "-D", "data", "-l", "start.log", "-w", "-t", "60", "-o",
			       "-c fsync=on -c full_page_writes=on", "start", NULL})
		? ERR_OK
		: failed(conf, _("启动"), "start.log", p);
}

static enum err create_database(struct problem *p)
{
	char conninfo[256];

	embedded_conninfo(EMBEDDED_OWNER, conninfo, sizeof conninfo);
	strcat(conninfo, " dbname=postgres"); /* the later word counts */
	PGconn *db = PQconnectdb(conninfo);
	enum err e = PQstatus(db) == CONNECTION_OK
		? ERR_OK
		: problem_set(p, ERR_UNAVAILABLE, "embedded", NULL, "%s", PQerrorMessage(db));
	PGresult *r = e ? NULL : PQexec(db, "SELECT 1 FROM pg_database WHERE datname = 'jingguan'");
	if (!e && PQresultStatus(r) != PGRES_TUPLES_OK)
		e = problem_set(p, ERR_UNAVAILABLE, "embedded", NULL, "%s", PQerrorMessage(db));
	if (!e && PQntuples(r) == 0) {
		PQclear(r);
		r = PQexec(db, "CREATE DATABASE jingguan");
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			e = problem_set(p, ERR_UNAVAILABLE, "embedded", NULL, "%s", PQerrorMessage(db));
	}
	PQclear(r);
	PQfinish(db);
	return e;
}

/* One at a time starts or stops it. */
static int lock_starts(const struct conf *conf)
{
	char path[PATH_MAX];

	path_of(conf, ".lock", path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool use(const struct conf *conf)
{
	char path[PATH_MAX];

	path_of(conf, ".users", path);
	if (users_fd < 0)
		users_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return users_fd >= 0 && flock(users_fd, LOCK_SH) == 0;
}

enum err embedded_start(const struct conf *conf, bool *started, struct problem *p)
{
	char path[PATH_MAX];
	bool ours = false;
	int fd = lock_starts(conf);
	enum err e = ERR_OK;

	if (fd < 0 || !use(conf)) {
		path_of(conf, "", path);
		e = problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, "embedded",
			_("从备份恢复到一个新的目录：jgd restore"), "%s: %s", path, file_error_text(errno));
	}
	if (!e && !(e = start_or_adopt(conf, &ours, p)))
		e = create_database(p);
	if (fd >= 0)
		close(fd);
	if (started)
		*started = ours;
	return e;
}

void embedded_stop(const struct conf *conf)
{
	char pg_ctl[256];
	struct problem p;
	int fd = users_fd < 0 ? -1 : lock_starts(conf);

	if (fd < 0)
		return;
	if (flock(users_fd, LOCK_EX | LOCK_NB))
		log_info("another jgd uses the private PostgreSQL: it goes on");
	/* A fast shutdown in the middle of a recovery can hang for ever (seen with PostgreSQL 15.20: only the
	 * checkpointer was left); an immediate one costs the next start another recovery. */
	else if (embedded_lives(conf) && !find_program(conf, "pg_ctl", pg_ctl, sizeof pg_ctl, &p) &&
		!(wait_ready(conf) &&
			run(conf,
				(const char *const[]){
					pg_ctl, "-D", "data", "-m", "fast", "-w", "stop", NULL})) &&
		!run(conf,
			(const char *const[]){pg_ctl, "-D", "data", "-m", "immediate", "-w", "stop", NULL}))
		log_error("the private PostgreSQL did not stop");
	close(users_fd);
	users_fd = -1;
	close(fd);
}
