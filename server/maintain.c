#include "maintain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "embedded.h"
#include "migrate.h"

#define DISK_NONE_BYTES 65536 /* less than what the tools write at once */
#define COPY_CHUNK 65536
#define DISK_LOW_PERCENT 10
#define DISK_LOW_BYTES (UINT64_C(2) << 30) /* a county's year of growth */

static const char *const key_files[] = {"jgd.ini", "ca.pem", "ca.key", "server.pem", "server.key"};
#define KEY_FILES (sizeof key_files / sizeof *key_files)

enum err maintain_schema_ready(const struct conf *conf, struct problem *p)
{
	PGconn *owner;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	int pending = migrate_pending(owner);
	PQfinish(owner);
	if (pending < 0)
		return problem_set(p, ERR_CHAIN, "schema", tr("换回建库时的程序版本，或从备份恢复", "use the version that made the database, or restore a backup"),
			tr("数据库结构与本程序不符", "the schema does not belong to this program"));
	if (pending)
		return problem_set(p, ERR_UPGRADE, "schema", "jgd migrate --data DIR", tr("数据库结构有 %d 步待升级", "%d migrations are missing"), pending);
	return ERR_OK;
}

enum err maintain_migrate(const struct conf *conf, struct problem *p)
{
	PGconn *owner = NULL;
	bool started = false;
	int applied = 0;
	enum err e = conf->embedded ? embedded_start(conf, &started, p) : ERR_OK;

	if (!e && !(e = migrate_connect(conf->database_owner, &owner, p)))
		e = migrate_run(owner, &applied, p);
	PQfinish(owner);
	if (started)
		embedded_stop(conf);
	if (!e)
		printf(tr("数据库结构已是最新（本次执行 %d 步）\n", "the schema is up to date (%d migrations ran)\n"), applied);
	return e;
}

/* ---- doctor ---- */

struct checkup {
	const struct conf *conf;
	int faults;
};

static void finding(struct checkup *c, bool good, const char *what, const char *mend)
{
	printf("%s %s%s%s\n", good ? "✓" : "✗", what, good ? "" : "  → ", good ? "" : mend);
	c->faults += !good;
}

static void check_keys(struct checkup *c)
{
	char path[700], text[800];
	struct stat st;

	for (size_t i = 0; i < KEY_FILES; i++) {
		snprintf(path, sizeof path, "%s/%s", c->conf->dir, key_files[i]);
		bool there = stat(path, &st) == 0;
		bool secret = strstr(key_files[i], ".key") || strstr(key_files[i], ".ini");
		snprintf(text, sizeof text, "%s %s", tr("文件", "file"), key_files[i]);
		finding(c, there, text, tr("从备份恢复：jgd restore", "restore from a backup: jgd restore"));
		if (there && secret)
			finding(c, (st.st_mode & 077) == 0, tr("　仅本帐号可读", "  readable by this account only"), "chmod 600");
	}
	snprintf(path, sizeof path, "%s/server.pem", c->conf->dir);
	FILE *in = fopen(path, "r");
	X509 *cert = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
	if (in)
		fclose(in);
	time_t in_90_days = time(NULL) + 90 * 86400;
	finding(c, cert && X509_cmp_time(X509_get0_notAfter(cert), &in_90_days) > 0, tr("服务器证书有效期超过 90 天", "the server certificate is valid for 90 days more"),
		tr("重新签发服务器证书", "issue a new server certificate"));
	X509_free(cert);
	snprintf(path, sizeof path, "%s/admins.txt", c->conf->dir);
	if (stat(path, &st) == 0)
		printf("! %s\n", tr("admins.txt 仍在：交给三位管理员后请删除", "admins.txt is still there: hand it over, then delete it"));
}

static void check_disk(struct checkup *c)
{
	struct statvfs fs;
	bool good = statvfs(c->conf->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize > DISK_LOW_BYTES &&
		fs.f_bavail * 100 / fs.f_blocks >= DISK_LOW_PERCENT;

	finding(c, good, tr("磁盘空间充足", "disk space"), tr("清理磁盘：剩余应在 2 GB 和 10% 以上", "free some: more than 2 GB and 10% should be left"));
}

static bool ask(PGconn *db, const char *sql)
{
	PGresult *r = PQexec(db, sql);
	bool yes = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "t") == 0;

	PQclear(r);
	return yes;
}

static void check_database(struct checkup *c)
{
	struct problem p;
	PGconn *owner = NULL, *app = NULL;

	if (migrate_connect(c->conf->database_owner, &owner, &p)) {
		finding(c, false, tr("数据库可连接", "the database can be reached"), p.hint);
		return;
	}
	finding(c, true, tr("数据库可连接", "the database can be reached"), "");
	finding(c, PQserverVersion(owner) >= 150014, "PostgreSQL ≥ 15.14", "apt-get install postgresql-15");
	finding(c, migrate_pending(owner) == 0, tr("数据库结构为最新", "the schema is up to date"), "jgd migrate --data DIR");
	finding(c, ask(owner, "SHOW fsync") || ask(owner, "SELECT current_setting('fsync') = 'on'"), "fsync = on", "postgresql.conf: fsync = on");
	finding(c, ask(owner, "SELECT current_setting('data_checksums') = 'on'"), tr("数据页校验已开启", "data checksums are on"), "pg_checksums --enable");
	finding(c, !migrate_connect(c->conf->database_app, &app, &p), tr("服务帐号可连接", "the serving role can connect"), p.hint);
	if (app)
		finding(c, ask(app, "SELECT NOT rolsuper AND NOT rolbypassrls FROM pg_roles WHERE rolname = current_user"),
			tr("服务帐号受行级权限约束", "the serving role is under row-level security"), "ALTER ROLE jingguan_app NOSUPERUSER NOBYPASSRLS");
	finding(c, ask(owner, "SELECT abs(extract(epoch FROM clock_timestamp() - '1970-01-01 00:00+00'::timestamptz)) > 1.7e9"),
		tr("时钟合理", "the clock is sane"), tr("校准系统时间", "set the system clock"));
	PQfinish(app);
	PQfinish(owner);
}

enum err maintain_doctor(const struct conf *conf, struct problem *p)
{
	struct checkup c = {conf, 0};
	bool started = false;

	check_keys(&c);
	check_disk(&c);
	if (conf->embedded && embedded_start(conf, &started, p))
		finding(&c, false, tr("内置 PostgreSQL 可启动", "the private PostgreSQL starts"), p->hint);
	else
		check_database(&c);
	if (started)
		embedded_stop(conf);
	return c.faults ? problem_set(p, ERR_NOT_NOW, NULL, NULL, tr("有 %d 处需要处理", "%d things need mending"), c.faults) : ERR_OK;
}

/* ---- backup and restore ---- */

static enum err run_tool(const struct conf *conf, const char *name, const char *const *args, struct problem *p)
{
	const char *argv[16];
	int n = 0;

	argv[n++] = name;
	while (*args && n < 15)
		argv[n++] = *args++;
	argv[n] = NULL;
	pid_t pid = fork();
	if (pid == 0) {
		char path[700];
		snprintf(path, sizeof path, "%s/backup.log", conf->dir);
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, STDERR_FILENO);
		dup2(fd, STDOUT_FILENO);
		execvp(name, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_OK;
	return problem_set(p, ERR_INTERNAL, name, tr("原因见数据目录下的 backup.log", "the reason stands in backup.log of the data directory"),
		tr("%s 失败", "%s failed"), name);
}

static enum err write_failed(const char *path, struct problem *p)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	return problem_set(p, full ? ERR_DISK_FULL : ERR_FILE_IO, NULL, full ? tr("换一个地方，或清理后再备份", "back up to another place, or free some space") : NULL,
		"%s: %s", path, strerror(errno));
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
	int fd = in ? open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	FILE *out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	bool good = in && out;
	size_t n;

	while (good && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
		good = fwrite(chunk, 1, n, out) == n;
	good = good && !ferror(in) && fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && fclose(out))
		good = false;
	if (in)
		fclose(in);
	return good ? ERR_OK : write_failed(to, p);
}

static enum err write_sums(const char *dir, struct problem *p)
{
	char path[900], sums[900], hex[65];

	snprintf(sums, sizeof sums, "%s/SHA256SUMS", dir);
	FILE *out = fopen(sums, "w");
	bool good = out != NULL;
	for (size_t i = 0; good && i <= KEY_FILES; i++) {
		const char *name = i < KEY_FILES ? key_files[i] : "database.dump";
		snprintf(path, sizeof path, "%s/%s", dir, name);
		good = file_sum(path, hex) == ERR_OK && fprintf(out, "%s  %s\n", hex, name) > 0;
	}
	good = good && fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && fclose(out))
		good = false;
	return good ? ERR_OK : write_failed(sums, p);
}

/* Reads a backup as restore would: every file against its sum, and the dump's own table of contents. */
static enum err verify_backup(const struct conf *conf, const char *dir, struct problem *p)
{
	char path[900], line[256], hex[65];

	snprintf(path, sizeof path, "%s/SHA256SUMS", dir);
	FILE *in = fopen(path, "r");
	size_t files = 0;
	if (!in)
		return problem_set(p, ERR_NOT_FOUND, "backup", NULL, tr("%s 不是一份备份", "%s is not a backup"), dir);
	enum err e = ERR_OK;
	while (!e && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		if (strlen(line) < 67)
			break;
		snprintf(path, sizeof path, "%s/%s", dir, line + 66);
		files++;
		if (file_sum(path, hex) || strncmp(hex, line, 64) != 0)
			e = problem_set(p, ERR_FILE_DAMAGED, "backup", NULL, tr("备份文件 %s 已损坏", "%s of the backup is damaged"), line + 66);
	}
	fclose(in);
	if (!e && files != KEY_FILES + 1)
		e = problem_set(p, ERR_FILE_DAMAGED, "backup", NULL, tr("备份不完整", "the backup is not complete"));
	snprintf(path, sizeof path, "%s/database.dump", dir);
	return e ? e : run_tool(conf, "pg_restore", (const char *[]){"--list", path, NULL}, p);
}

/* What is not complete must not lie about as if it were, nor keep the room it could not do with. A tool only says that it
 * failed: the disk tells whether that was for want of room. */
static enum err discard_backup(const char *dir, enum err e, struct problem *p)
{
	static const char *const more[] = {"database.dump", "SHA256SUMS"};
	struct statvfs fs;
	char path[900];

	if (statvfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_NONE_BYTES) {
		errno = ENOSPC;
		e = write_failed(dir, p);
	}
	for (size_t i = 0; i < KEY_FILES + 2; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, i < KEY_FILES ? key_files[i] : more[i - KEY_FILES]);
		unlink(path);
	}
	rmdir(dir);
	return e;
}

enum err maintain_backup(const struct conf *conf, const char *target, struct problem *p)
{
	char dir[700], from[900], to[900], option[1100];
	time_t now = time(NULL);
	struct tm tm;
	bool started = false;

	gmtime_r(&now, &tm);
	size_t n = (size_t)snprintf(dir, sizeof dir, "%s/jingguan-", target);
	strftime(dir + n, sizeof dir - n, "%Y%m%dT%H%M%SZ", &tm);
	if (mkdir(target, 0700) && errno != EEXIST)
		return write_failed(target, p);
	if (mkdir(dir, 0700))
		return write_failed(dir, p);
	enum err e = conf->embedded ? embedded_start(conf, &started, p) : ERR_OK;
	snprintf(to, sizeof to, "%s/database.dump", dir);
	snprintf(option, sizeof option, "--dbname=%s", conf->database_owner);
	if (!e)
		e = run_tool(conf, "pg_dump", (const char *[]){"--format=custom", "--file", to, option, NULL}, p);
	if (started)
		embedded_stop(conf);
	for (size_t i = 0; !e && i < KEY_FILES; i++) {
		snprintf(from, sizeof from, "%s/%s", conf->dir, key_files[i]);
		snprintf(to, sizeof to, "%s/%s", dir, key_files[i]);
		e = copy_file(from, to, p);
	}
	if (!e && !(e = write_sums(dir, p)) && !(e = verify_backup(conf, dir, p)))
		printf(tr("备份完成并已校验：%s\n", "backed up and verified: %s\n"), dir);
	return e ? discard_backup(dir, e, p) : ERR_OK;
}

/* The restored database is another one than the clients knew: a new epoch makes each start its cursors again and send what
 * it still has (sync.md). The time makes the number new even when the same backup is restored twice. */
static enum err renew_epoch(const struct conf *conf, struct problem *p)
{
	PGconn *owner;
	char sql[300];
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	snprintf(sql, sizeof sql, "SELECT set_config('app.county', '%d', false); UPDATE county SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)",
		conf->county);
	PGresult *r = PQexec(owner, sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		e = problem_set(p, ERR_INTERNAL, "epoch", NULL, "%s", PQerrorMessage(owner));
	PQclear(r);
	PQfinish(owner);
	return e;
}

/* A restore under a serving jgd would pull the tables away from under acknowledged calls. */
static enum err refuse_while_serving(const struct conf *conf, struct problem *p)
{
	PGconn *owner;
	enum err e = migrate_connect(conf->database_owner, &owner, p);

	if (e)
		return e;
	if (!ask(owner, "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE usename = 'jingguan_app' AND datname = current_database())"))
		e = problem_set(p, ERR_NOT_NOW, "restore", tr("先停止 jgd serve", "stop jgd serve first"), tr("服务正在运行，没有恢复", "the server is running; nothing was restored"));
	PQfinish(owner);
	return e;
}

enum err maintain_restore(const struct conf *conf, const char *source, struct problem *p)
{
	char path[900], option[1100], from[900], to[900];
	bool started = false;
	enum err e = verify_backup(conf, source, p);

	if (!e && conf->embedded)
		e = embedded_start(conf, &started, p);
	if (!e)
		e = refuse_while_serving(conf, p);
	snprintf(path, sizeof path, "%s/database.dump", source);
	snprintf(option, sizeof option, "--dbname=%s", conf->database_owner);
	if (!e)
		e = run_tool(conf, "pg_restore", (const char *[]){"--clean", "--if-exists", "--single-transaction", option, path, NULL}, p);
	if (!e)
		e = renew_epoch(conf, p);
	if (started)
		embedded_stop(conf);
	/* The settings stay those of this machine; the keys come with the data they belong to. */
	for (size_t i = 1; !e && i < KEY_FILES; i++) {
		snprintf(from, sizeof from, "%s/%s", source, key_files[i]);
		snprintf(to, sizeof to, "%s/%s", conf->dir, key_files[i]);
		e = copy_file(from, to, p);
	}
	if (!e)
		puts(tr("已恢复。启动服务后，各校客户端会自动重新核对并补送备份之后的数据。", "Restored. Once jgd serves, the clients compare and send again what came after the backup."));
	return e;
}
