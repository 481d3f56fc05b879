#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <sodium.h>

#include "child.h"
#include "db.h"
#include "embedded.h"
#include "lang.h"
#include "migrate.h"
#include "place.h"
#include "roles.h"

#define DISK_NONE_BYTES 65536 /* less than what the tools write at once */
#define COPY_CHUNK 65536

const char *const backup_keys[BACKUP_KEYS] = {"jgd.ini", "ca.pem", "ca.key", "server.pem", "server.key"};

static enum err write_failed(const char *path, struct problem *p)
{
	int why = errno;
	bool full = why == ENOSPC || why == EDQUOT;
	const struct passwd *account = getpwuid(geteuid());
	char hint[PATH_MAX + 128], closed[PATH_MAX], quoted[PATH_MAX];

	if (full)
		snprintf(hint, sizeof hint, "%s", _("换一个地方，或清理后再试：df -h"));
	else if (why != ENOENT && why != EACCES)
		snprintf(hint, sizeof hint, "ls -ld %s", place_quoted(quoted, sizeof quoted, path));
	else if (why == EACCES && place_closed(path, closed, sizeof closed))
		snprintf(hint, sizeof hint, _("服务帐号进不了 %s：换成 /var/backups/jingguan"),
			place_quoted(quoted, sizeof quoted, closed));
	else if (access(path, F_OK) == 0) /* not ours to give to anybody: it may be / */
		snprintf(hint, sizeof hint, _("服务帐号写不了这里：换成 /var/backups/jingguan"));
	else
		snprintf(hint, sizeof hint, "install -d -o %s -m 700 %s",
			account ? account->pw_name : "jingguan", place_quoted(quoted, sizeof quoted, path));
	return problem_set(
		p, full ? ERR_DISK_FULL : ERR_FILE_IO, NULL, hint, "%s: %s", path, file_error_text(why));
}

/* pg_dump and pg_restore are taken of the version of the server that they talk to: newer ones speak of
 * settings that it lacks. */
static enum err server_major(const struct conf *conf, int *major, struct problem *p)
{
	PGconn *owner;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	*major = e ? 0 : PQserverVersion(owner) / 10000;
	PQfinish(owner);
	return e;
}

/* The password apart: every user of the machine can read a program's arguments. */
static void connection(
	const struct conf *conf, char *option, size_t size, char *password, size_t password_size)
{
	size_t n = (size_t)snprintf(option, size, "--dbname=");

	roles_split(conf->database_owner, option + n, size - n, password, password_size);
}

static enum err run_tool(
	const struct conf *conf, const char *const argv[], const char *password, struct problem *p)
{
	char log[PATH_MAX], line[160], hint[PATH_MAX + 16], quoted[PATH_MAX];

	snprintf(log, sizeof log, "%s/backup.log", conf->dir);
	if (child_run(conf->dir, log, argv, password))
		return ERR_OK;
	child_last_line(log, line, sizeof line);
	snprintf(hint, sizeof hint, "tail %s", place_quoted(quoted, sizeof quoted, log));
	return problem_set(
		p, ERR_INTERNAL, "backup", hint, _("%s 失败：%s"), strrchr(argv[0], '/') + 1, line);
}

static enum err file_sum(const char *path, char hex[65])
{
	crypto_hash_sha256_state state;
	uint8_t chunk[COPY_CHUNK], sum[32];
	FILE *in = fopen(path, "rb");
	size_t n;

	if (!in)
		return ERR_FILE_IO;
	crypto_hash_sha256_init(&state);
	while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
		crypto_hash_sha256_update(&state, chunk, n);
	bool failed = ferror(in);
	fclose(in);
	crypto_hash_sha256_final(&state, sum);
	sodium_bin2hex(hex, 65, sum, 32);
	return failed ? ERR_FILE_IO : ERR_OK;
}

static enum err copy_file(const char *from, const char *to, struct problem *p)
{
	uint8_t chunk[COPY_CHUNK];
	FILE *in = fopen(from, "rb");
	if (!in)
		return write_failed(from, p);
	int fd = in ? open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	FILE *out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	bool good = out != NULL;
	size_t n;

	while (good && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
		good = fwrite(chunk, 1, n, out) == n;
	good = good && !ferror(in) && fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && fclose(out))
		good = false;
	fclose(in);
	return good ? ERR_OK : write_failed(to, p);
}

static enum err write_sums(const char *dir, struct problem *p)
{
	char path[PATH_MAX], sums[PATH_MAX], hex[65];

	snprintf(sums, sizeof sums, "%s/SHA256SUMS", dir);
	FILE *out = fopen(sums, "w");
	bool good = out != NULL;
	for (size_t i = 0; good && i <= BACKUP_KEYS; i++) {
		const char *name = i < BACKUP_KEYS ? backup_keys[i] : "database.dump";
		snprintf(path, sizeof path, "%s/%s", dir, name);
		good = file_sum(path, hex) == ERR_OK && fprintf(out, "%s  %s\n", hex, name) > 0;
	}
	good = good && fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && fclose(out))
		good = false;
	return good ? ERR_OK : write_failed(sums, p);
}

enum err backup_sums(const struct conf *conf, const char *dir, struct problem *p)
{
	char path[PATH_MAX], line[256], hex[65], hint[2 * PATH_MAX], quoted[PATH_MAX];

	snprintf(path, sizeof path, "%s/SHA256SUMS", dir);
	FILE *in = fopen(path, "r");
	size_t files = 0;
	if (!in && errno == EACCES) { /* copied here by root, or into root's home */
		char copy[PATH_MAX], there[PATH_MAX];
		snprintf(copy, sizeof copy, "/var/tmp/%s", strrchr(dir, '/') + 1);
		snprintf(hint, sizeof hint, _("cp -r %s /var/tmp/ && chown -R %s %s（再从那里恢复）"),
			place_quoted(quoted, sizeof quoted, dir), conf->user,
			place_quoted(there, sizeof there, copy));
		return problem_set(
			p, ERR_PERMISSION, "backup", hint, _("帐号 %s 读不了 %s"), conf->user, dir);
	}
	if (!in)
		return problem_set(p, ERR_NOT_FOUND, "backup",
			_("备份目录的名字是 jingguan-日期：ls -d */jingguan-*"), _("%s 不是一份备份"), dir);
	enum err e = ERR_OK;
	while (!e && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		if (strlen(line) < 67)
			break;
		snprintf(path, sizeof path, "%s/%s", dir, line + 66);
		files++;
		if (file_sum(path, hex) || strncmp(hex, line, 64) != 0)
			e = problem_set(p, ERR_FILE_DAMAGED, "backup", _("换一份备份，例如前一天的"),
				_("备份文件 %s 已损坏"), line + 66);
	}
	fclose(in);
	if (!e && files != BACKUP_KEYS + 1)
		e = problem_set(
			p, ERR_FILE_DAMAGED, "backup", _("换一份备份，例如前一天的"), _("备份不完整"));
	return e;
}

/* Reads a backup as restore would: every file against its sum, and the dump's own table of contents. */
static enum err verify_backup(const struct conf *conf, const char *dir, int major, struct problem *p)
{
	char path[PATH_MAX], program[256];
	enum err e = backup_sums(conf, dir, p);

	snprintf(path, sizeof path, "%s/database.dump", dir);
	if (!e && !(e = child_program("pg_restore", major, program, sizeof program, p)))
		e = run_tool(conf, (const char *[]){program, "--list", path, NULL}, NULL, p);
	return e;
}

/* What is not complete must not lie about as if it were, nor keep the room it could not do with. A tool only
 * says that it failed: the disk tells whether that was for want of room. */
static enum err discard_backup(const char *dir, enum err e, struct problem *p)
{
	static const char *const more[] = {"database.dump", "SHA256SUMS"};
	struct statvfs fs;
	char path[PATH_MAX];

	if (statvfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_NONE_BYTES) {
		errno = ENOSPC;
		e = write_failed(dir, p);
	}
	for (size_t i = 0; i < BACKUP_KEYS + 2; i++) {
		snprintf(path, sizeof path, "%s/%s", dir,
			i < BACKUP_KEYS ? backup_keys[i] : more[i - BACKUP_KEYS]);
		unlink(path);
	}
	rmdir(dir);
	return e;
}

/* ---- which was the last one ---- */

bool backup_last(const struct conf *conf, char *dir, size_t size, time_t *at)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s/backup.last", conf->dir);
	FILE *in = fopen(path, "re");
	bool good = in && fstat(fileno(in), &st) == 0 && fgets(dir, (int)size, in);
	if (in)
		fclose(in);
	if (!good)
		return false;
	dir[strcspn(dir, "\n")] = 0;
	*at = st.st_mtime;
	return true;
}

static void remember(const struct conf *conf, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", conf->dir, name);
	FILE *out = fopen(path, "we");
	if (out) {
		fprintf(out, "%s\n", text);
		fclose(out);
	}
}

static enum err copy_keys(const char *from_dir, const char *to_dir, size_t first, struct problem *p)
{
	char from[PATH_MAX], to[PATH_MAX];
	enum err e = ERR_OK;

	for (size_t i = first; !e && i < BACKUP_KEYS; i++) {
		snprintf(from, sizeof from, "%s/%s", from_dir, backup_keys[i]);
		snprintf(to, sizeof to, "%s/%s", to_dir, backup_keys[i]);
		e = copy_file(from, to, p);
	}
	return e;
}

static enum err dump(const struct conf *conf, const char *dir, int *major, struct problem *p)
{
	char to[PATH_MAX], option[CONF_TEXT + 16], password[256], program[256];
	enum err e = conf->embedded ? embedded_start(conf, NULL, p) : ERR_OK;

	snprintf(to, sizeof to, "%s/database.dump", dir);
	connection(conf, option, sizeof option, password, sizeof password);
	if (!e && !(e = server_major(conf, major, p)) &&
		!(e = child_program("pg_dump", *major, program, sizeof program, p)))
		e = run_tool(conf, (const char *[]){program, "--format=custom", "--file", to, option, NULL},
			password, p);
	sodium_memzero(password, sizeof password);
	if (conf->embedded)
		embedded_stop(conf);
	return e;
}

enum err backup_make(const struct conf *conf, const char *target, struct report *r, struct problem *p)
{
	char dir[PATH_MAX / 2];
	time_t now = time(NULL);
	struct tm tm;
	int major;
	enum err e = backup_unfinished(conf, p); /* half a county is no backup */

	if (e)
		return e;
	gmtime_r(&now, &tm);
	size_t n = (size_t)snprintf(dir, sizeof dir, "%s/jingguan-", target);
	strftime(dir + n, sizeof dir - n, "%Y%m%dT%H%M%SZ", &tm);
	if (mkdir(target, 0700) && errno != EEXIST)
		return write_failed(target, p);
	size_t end = strlen(dir);
	int made = mkdir(dir, 0700);
	for (int i = 2; made && errno == EEXIST && i < 100; i++) { /* another one in this second */
		snprintf(dir + end, sizeof dir - end, "-%d", i);
		made = mkdir(dir, 0700);
	}
	if (made)
		return write_failed(errno == EACCES ? target : dir, p);
	e = dump(conf, dir, &major, p);
	if (!e && !(e = copy_keys(conf->dir, dir, 0, p)) && !(e = write_sums(dir, p)))
		e = verify_backup(conf, dir, major, p);
	if (e)
		return discard_backup(dir, e, p);
	remember(conf, "backup.last", dir);
	report_set(r, "backup", json_string(dir));
	report_say(r, _("备份完成并已校验：%s"), dir);
	return ERR_OK;
}

/* ---- restore ---- */

/* The restored database is another one than the clients knew: a new epoch makes each start its cursors again
 * and send what it still has (sync.md). The time makes the number new even when the same backup is restored
 * twice. */
static enum err renew_epoch(const struct conf *conf, struct problem *p)
{
	PGconn *owner;
	char sql[300];
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	snprintf(sql, sizeof sql,
		"SELECT set_config('app.county', '%d', false);"
		" UPDATE county"
		" SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)",
		conf->county);
	PGresult *r = PQexec(owner, sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		e = problem_set(p, ERR_INTERNAL, "epoch", NULL, "%s", PQerrorMessage(owner));
	PQclear(r);
	PQfinish(owner);
	return e;
}

/* A restore under a serving jgd would pull the tables away from under acknowledged calls; this one's lock we
 * hold, another one's on the same database shows in its connections. */
static enum err refuse_while_serving(PGconn *owner, struct problem *p)
{
	PGresult *r;
	enum err e = migrate_ask(owner,
		"SELECT coalesce(host(client_addr), 'localhost')"
		" FROM pg_stat_activity"
		" WHERE application_name = 'jgd' AND datname = current_database()",
		NULL, &r, p);

	if (!e && PQntuples(r))
		e = problem_set(p, ERR_NOT_NOW, "restore", _("先停止它：systemctl stop jgd"),
			_("jgd 正在用这个数据库提供服务（%s）"), PQgetvalue(r, 0, 0));
	PQclear(r);
	return e;
}

/* A new directory says nothing of what is in the database; what is there already is nobody's to replace. */
static enum err refuse_filled(const struct conf *conf, const char *source, PGconn *owner, struct problem *p)
{
	char path[PATH_MAX], hint[256];
	struct stat st;
	bool filled;
	enum err e = migrate_is(owner, "SELECT to_regclass('county') IS NOT NULL", NULL, &filled, p);

	if (e)
		return e;
	snprintf(path, sizeof path, "%s/restore.unfinished", conf->dir);
	if (!filled || stat(path, &st) == 0)
		return ERR_OK;
	if (conf->embedded)
		snprintf(hint, sizeof hint, _("只丢了设置：cp %s/jgd.ini %s/；真要回到备份：先把 %s/pg 改名"),
			source, conf->dir, conf->dir);
	else
		snprintf(hint, sizeof hint, "%s", _("给一个空数据库：createdb 新库，--database …/新库"));
	return problem_set(
		p, ERR_EXISTS, "database", hint, _("数据库里已经有一个县，而 %s 没有 jgd.ini"), conf->dir);
}

enum err backup_settings(
	struct conf *conf, const char *source, const char *dir, const char *database, struct problem *p)
{
	enum err e = conf_load(conf, source, p);

	if (e)
		return problem_set(p, ERR_NOT_FOUND, "backup",
			_("备份目录的名字是 jingguan-日期：ls -d */jingguan-*"), _("%s 不是一份备份"),
			source);
	snprintf(conf->dir, sizeof conf->dir, "%s", dir);
	conf->embedded = conf->embedded && !database;
	if (conf->embedded)
		embedded_conninfo(EMBEDDED_OWNER, conf->database_owner, sizeof conf->database_owner);
	else if (!database) /* the one that the backup names may be alive, and newer */
		return problem_set(p, ERR_USAGE, "database", "jgd restore BACKUP --data DIR --database URL",
			_("这份备份来自外接数据库，要写明恢复到哪个空数据库"));
	return ERR_OK;
}

/* Before the tables: whom they grant to. */
static enum err prepare(struct conf *conf, const char *source, bool fresh, struct problem *p)
{
	PGconn *owner;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	if (PQserverVersion(owner) < DB_SERVER_MIN)
		e = problem_set(p, ERR_UPGRADE, "database", "apt-get update && apt-get install postgresql-15",
			_("PostgreSQL 版本过低，需要 15.14 以上"));
	if (!e)
		e = refuse_while_serving(owner, p);
	if (!e && fresh)
		e = refuse_filled(conf, source, owner, p);
	if (!e && !(e = migrate_group(owner, p)))
		e = fresh ? roles_make(owner, conf, p) : roles_mend(owner, conf, p);
	PQfinish(owner);
	return e;
}

static enum err load(struct conf *conf, const char *source, struct problem *p)
{
	char path[PATH_MAX], option[CONF_TEXT + 16], password[256], program[256];
	int major;
	enum err e = server_major(conf, &major, p);

	snprintf(path, sizeof path, "%s/database.dump", source);
	connection(conf, option, sizeof option, password, sizeof password);
	if (!e)
		e = child_program("pg_restore", major, program, sizeof program, p);
	if (!e &&
		(e = run_tool(conf,
			 (const char *[]){program, "--clean", "--if-exists", "--no-owner",
				 "--single-transaction", option, path, NULL},
			 password, p)))
		snprintf(p->safe, sizeof p->safe, "%s", _("恢复已整体撤回，数据库和恢复前一样"));
	return e;
}

enum err backup_restore(
	struct conf *conf, const char *source, bool fresh, struct report *r, struct problem *p)
{
	char marker[PATH_MAX];
	enum err e = verify_backup(conf, source, 0, p); /* the newest reads whatever made it */

	if (!e && conf->embedded && !(e = fresh ? embedded_create(conf, p) : ERR_OK))
		e = embedded_start(conf, NULL, p);
	if (!e)
		e = prepare(conf, source, fresh, p);
	/* From here on the directory is neither the old county nor the new one until all of it is done; serve
	 * looks for this. */
	snprintf(marker, sizeof marker, "%s/restore.unfinished", conf->dir);
	if (!e)
		remember(conf, "restore.unfinished", source);
	bool loaded = !e && !(e = load(conf, source, p));
	if (!e)
		e = renew_epoch(conf, p);
	if (conf->embedded)
		embedded_stop(conf);
	/* The settings stay those of this machine; the keys come with the data they belong to. */
	if (!e && !(e = copy_keys(source, conf->dir, 1, p)) && fresh)
		e = conf_save(conf, p);
	if (e && loaded)
		snprintf(p->safe, sizeof p->safe, "%s",
			_("数据库已恢复，密钥和设置还没有；同一条命令可以再运行"));
	if (!e || !loaded)
		unlink(marker);
	if (e)
		return e;
	report_set(r, "restored", json_string(source));
	report_set(r, "data", json_string(conf->dir));
	report_say(r,
		_("已恢复到 %s。下一步：jgd serve --data %s\n各校客户端会自动重新核对并补送备份之后的数据。\n"
		  "备份之后停用的电脑请再停用一次：jgadmin devices revoke "
		  "序号；备份之后新建的帐号请再建一次。"),
		conf->dir, place_quoted((char[600]){0}, 600, conf->dir));
	return ERR_OK;
}

enum err backup_unfinished(const struct conf *conf, struct problem *p)
{
	char path[PATH_MAX], source[PATH_MAX] = "", hint[2 * PATH_MAX], quoted[2][PATH_MAX];

	snprintf(path, sizeof path, "%s/restore.unfinished", conf->dir);
	FILE *in = fopen(path, "re");
	if (!in)
		return ERR_OK;
	if (!fgets(source, sizeof source, in))
		source[0] = 0;
	fclose(in);
	source[strcspn(source, "\n")] = 0;
	snprintf(hint, sizeof hint, "jgd restore %s --data %s", place_quoted(quoted[0], PATH_MAX, source),
		place_quoted(quoted[1], PATH_MAX, conf->dir));
	return problem_set(p, ERR_NOT_NOW, "restore", hint, _("上一次恢复没有做完"));
}
