#include "doctor.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include <libpq-fe.h>

#include "backup.h"
#include "db.h"
#include "embedded.h"
#include "helper.h"
#include "lang.h"
#include "migrate.h"
#include "pki.h"
#include "place.h"
#include "probe.h"

#define DISK_LOW_PERCENT 10
#define DISK_LOW_BYTES (UINT64_C(2) << 30) /* a county's year of growth */
#define CLOCK_APART_S 60
#define BACKUP_OLD_S (8 * 86400) /* a weekly backup that was late by a day */

struct checkup {
	const struct conf *conf;
	struct report *report;
	json_t *checks;
	int faults;
	char first[HINT_SIZE]; /* mend of the first fault */
	char dir[PATH_MAX],
		backup[PATH_MAX]; /* as a shell reads them; backup: the last one, or a word for it */
};

static bool finding(struct checkup *c, bool good, const char *what, const char *mend, ...)
	__attribute__((format(printf, 4, 5)));
static bool finding(struct checkup *c, bool good, const char *what, const char *mend, ...)
{
	char text[PATH_MAX + 256] = "";
	va_list args;

	va_start(args, mend);
	if (!good)
		vsnprintf(text, sizeof text, mend, args);
	va_end(args);
	report_say(c->report, "%s %s%s%s", good ? "✓" : "✗", what, good ? "" : "  → ", text);
	json_array_append_new(c->checks,
		json_pack("{ss sb so}", "check", what, "ok", good, "mend",
			good ? json_null() : json_string(text)));
	if (!good && !c->faults++)
		snprintf(c->first, sizeof c->first, "%.*s", HINT_SIZE - 1, text);
	return good;
}

static void notice(struct checkup *c, const char *what, const char *mend)
{
	report_say(c->report, "! %s  → %s", what, mend);
	json_array_append_new(c->checks, json_pack("{ss sb ss}", "check", what, "ok", true, "mend", mend));
}

static bool secret(const char *name)
{
	return strstr(name, ".key") || strstr(name, ".ini");
}

static void check_files(struct checkup *c)
{
	char path[PATH_MAX], text[HINT_SIZE], quoted[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < BACKUP_KEYS; i++) {
		const char *name = backup_keys[i];
		snprintf(path, sizeof path, "%s/%s", c->conf->dir, name);
		bool there = stat(path, &st) == 0;
		snprintf(text, sizeof text, "%s %s", _("文件"), name);
		if (finding(c, there, text, "cp -p %s/%s %s/", c->backup, name, c->dir) && secret(name)) {
			snprintf(text, sizeof text, _("　%s 仅本帐号可读"), name);
			finding(c, (st.st_mode & 077) == 0, text, "chmod 600 %s",
				place_quoted(quoted, sizeof quoted, path));
		}
	}
	snprintf(path, sizeof path, "%s/admins.txt", c->conf->dir);
	if (stat(path, &st) == 0) {
		snprintf(text, sizeof text, _("交给三位管理员后：rm %s"),
			place_quoted(quoted, sizeof quoted, path));
		notice(c, _("admins.txt 仍在"), text);
	}
}

static void check_keys(struct checkup *c)
{
	struct problem p;
	time_t until = 0;
	enum err e = pki_check(c->conf, &until, &p);

	if (finding(c, !e, _("证书与密钥成对"), "cp -p %s/*.pem %s/*.key %s/", c->backup, c->backup, c->dir))
		finding(c, until - time(NULL) > (time_t)PKI_RENEW_DAYS * 86400,
			_("服务器证书有效期超过 90 天"), "%s", _("systemctl restart jgd（启动时自动换发）"));
}

/* What reads files that strangers send: without it no paper gets an attachment. */
static void check_readers(struct checkup *c)
{
	char path[PATH_MAX];

	helper_beside("jgd-extract", path, sizeof path);
	finding(c, access(path, X_OK) == 0, _("查看附件的程序 jgd-extract"), "cmake --install build/release");
	finding(c, access("/usr/bin/pdftotext", X_OK) == 0, _("读 PDF 文字的程序 pdftotext"),
		"apt-get install poppler-utils");
}

static void check_disk(struct checkup *c)
{
	struct statvfs fs;
	bool good = statvfs(c->conf->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize > DISK_LOW_BYTES &&
		fs.f_bavail * 100 / fs.f_blocks >= DISK_LOW_PERCENT;

	finding(c, good, _("磁盘空间充足"), _("df -h %s（清理到剩余 2 GB 和 10%% 以上）"), c->dir);
}

static void check_backup_age(struct checkup *c)
{
	char dir[PATH_MAX], text[64], day[16], mend[PATH_MAX + 64];
	time_t at;
	struct tm tm;

	snprintf(mend, sizeof mend, "jgd backup /var/backups/jingguan --data %s", c->dir);
	if (!backup_last(c->conf, dir, sizeof dir, &at)) {
		notice(c, _("还没有备份过"), mend);
		return;
	}
	localtime_r(&at, &tm);
	strftime(day, sizeof day, "%Y-%m-%d", &tm);
	snprintf(text, sizeof text, _("最近一次备份在 %s"), day);
	if (time(NULL) - at > BACKUP_OLD_S)
		notice(c, text, mend);
}

static const char *superuser(void)
{
	return _("（以 PostgreSQL 管理员运行）");
}

static bool ask(PGconn *db, const char *sql)
{
	PGresult *r = PQexec(db, sql);
	bool yes = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "t") == 0;

	PQclear(r);
	return yes;
}

static void ask_text(PGconn *db, const char *sql, char *out, size_t size)
{
	PGresult *r = PQexec(db, sql);

	snprintf(out, size, "%s", PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
}

static void check_settings(struct checkup *c, PGconn *owner)
{
	char number[32];

	finding(c, PQserverVersion(owner) >= DB_SERVER_MIN, "PostgreSQL ≥ 15.14",
		"apt-get update && apt-get install postgresql-15");
	finding(c, ask(owner, "SELECT current_setting('fsync') = 'on'"), "fsync = on",
		"psql -c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()'%s", superuser());
	finding(c, ask(owner, "SELECT current_setting('data_checksums') = 'on'"), _("数据页校验已开启"),
		"D=$(psql -Atc 'SHOW data_directory') && systemctl stop postgresql && "
		"/usr/lib/postgresql/%d/bin/pg_checksums --enable -D \"$D\" && systemctl start postgresql%s",
		PQserverVersion(owner) / 10000, superuser());
	ask_text(owner, "SELECT extract(epoch FROM clock_timestamp())::bigint", number, sizeof number);
	finding(c, llabs(strtoll(number, NULL, 10) - (long long)time(NULL)) < CLOCK_APART_S,
		_("时钟与数据库一致"), "timedatectl set-ntp true");
	finding(c, ask(owner, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"),
		_("备份帐号看得到全部数据"), "psql -c 'ALTER ROLE \"%s\" BYPASSRLS'%s", PQuser(owner),
		superuser());
}

static void check_database(struct checkup *c)
{
	struct problem p = {0};
	PGconn *owner = NULL, *app = NULL;
	bool there = migrate_connect(c->conf->database_owner, &owner, &p) == ERR_OK;

	finding(c, there, _("数据库可连接"), "%s", p.hint);
	if (!there)
		return;
	check_settings(c, owner);
	finding(c, migrate_pending(owner) == 0, _("数据库结构为最新"), "jgd migrate --data %s", c->dir);
	bool serves = migrate_connect(c->conf->database_app, &app, &p) == ERR_OK;
	finding(c, serves, _("服务帐号可连接"), "jgd migrate --data %s", c->dir);
	if (serves) {
		finding(c,
			ask(app,
				"SELECT NOT rolsuper AND NOT rolbypassrls"
				" FROM pg_roles"
				" WHERE rolname = current_user"),
			_("服务帐号受行级权限约束"), "jgd migrate --data %s", c->dir);
		enum err e = probe_run(c->conf, &p);
		finding(c, !e, _("试办一笔业务（调用过程、写入、撤回）"), _("%s（%s）"), p.hint, p.message);
	}
	PQfinish(app);
	PQfinish(owner);
}

enum err doctor_run(const struct conf *conf, struct report *r, struct problem *p)
{
	struct checkup c = {.conf = conf, .report = r, .checks = json_array()};
	char last[PATH_MAX];
	time_t at;

	place_quoted(c.dir, sizeof c.dir, conf->dir);
	place_quoted(
		c.backup, sizeof c.backup, backup_last(conf, last, sizeof last, &at) ? last : _("备份目录"));
	finding(&c, !backup_unfinished(conf, p), _("没有做到一半的恢复"), "%s", p->hint);
	if (!place_held(conf->dir))
		notice(&c, _("没有 jgd 在为这个目录服务"), "systemctl start jgd");
	check_files(&c);
	check_keys(&c);
	check_readers(&c);
	check_disk(&c);
	check_backup_age(&c);
	if (!conf->embedded ||
		finding(&c, !embedded_start(conf, NULL, p), _("内置 PostgreSQL 可启动"), _("%s（%s）"),
			p->hint, p->message))
		check_database(&c);
	if (conf->embedded)
		embedded_stop(conf);
	report_set(r, "checks", c.checks);
	report_set(r, "faults", json_integer(c.faults));
	return c.faults ? problem_set(p, ERR_NOT_NOW, NULL, c.first, _("有 %d 处需要处理"), c.faults)
			: ERR_OK;
}
