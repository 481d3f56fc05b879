/* jgd - the server's program: one row per command; the table feeds parsing and --help. */
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "embedded.h"
#include "init.h"
#include "log.h"
#include "maintain.h"
#include "migrate.h"
#include "server.h"

struct options {
	const char *data, *county, *name, *database, *listen, *metrics, *user, *target;
	bool embedded, rehearsal;
};

struct command {
	const char *name, *args, *zh, *en;
	enum err (*run)(struct options *o, struct problem *p);
	bool needs_conf;
};

static struct conf conf;

/* Gives all in the directory to the account; an errno where it cannot. A PostgreSQL that a killed jgd left behind makes and removes
 * files meanwhile: what is gone is no failure. fts leads through no link, however names are swapped while it walks. */
static int give(const char *dir, const struct passwd *account)
{
	FTS *tree = fts_open((char *[]){(char *)dir, NULL}, FTS_PHYSICAL, NULL);
	int why = tree ? 0 : errno;

	for (FTSENT *at; !why && (errno = 0, at = fts_read(tree)) != NULL;) {
		if (at->fts_info == FTS_NS || at->fts_info == FTS_DNR || at->fts_info == FTS_ERR)
			why = at->fts_errno;
		else if (at->fts_info != FTS_DP && (at->fts_statp->st_uid != account->pw_uid || at->fts_statp->st_gid != account->pw_gid) &&
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

/* As root: the directory belongs to the service's account, and nothing below runs as root. */
static enum err drop_root(const char *dir, const char *user, struct problem *p)
{
	if (geteuid() != 0)
		return ERR_OK;
	struct passwd *account = getpwnam(user);
	if (!account)
		return problem_set(p, ERR_NOT_FOUND, "user", "useradd --system --home-dir /var/lib/jingguan --shell /usr/sbin/nologin jingguan",
			tr("没有系统帐号 %s", "there is no account %s"), user);
	int why = give(dir, account);
	if (why)
		return problem_set(p, ERR_PERMISSION, "data", NULL, tr("不能把 %s 交给帐号 %s：%s", "cannot give %s to account %s: %s"), dir, user, strerror(why));
	if (initgroups(account->pw_name, account->pw_gid) || setgid(account->pw_gid) || setuid(account->pw_uid))
		return problem_set(p, ERR_PERMISSION, "user", NULL, tr("不能切换到帐号 %s", "cannot change to account %s"), user);
	setenv("HOME", dir, 1);
	if (access(dir, R_OK | W_OK | X_OK))
		return problem_set(p, ERR_PERMISSION, "data", tr("上级目录需要允许该帐号进入（o+x）", "its parent directories must let the account in (o+x)"),
			tr("帐号 %s 进不了 %s", "account %s cannot enter %s"), user, dir);
	return chdir(dir) ? problem_set(p, ERR_FILE_IO, "data", NULL, "%s", strerror(errno)) : ERR_OK;
}

static enum err check_init(const struct options *o, struct problem *p)
{
	struct stat st;
	char path[600];

	snprintf(path, sizeof path, "%s/jgd.ini", o->data);
	if (stat(path, &st) == 0)
		return problem_set(p, ERR_EXISTS, "data", tr("已经建好，直接 jgd serve 即可；什么都没有改动", "it is ready for jgd serve; nothing was changed"),
			tr("%s 已经初始化过", "%s is initialised already"), o->data);
	if (!o->county || strlen(o->county) != 6 || strspn(o->county, "0123456789") != 6 || !o->name || !*o->name)
		return problem_set(p, ERR_USAGE, "county", "jgd init --data DIR --county 321324 --name 泗洪县教育局 --embedded",
			tr("需要 --county（六位区划代码）和 --name", "--county (six digits) and --name are needed"));
	if (!o->database == !o->embedded)
		return problem_set(p, ERR_USAGE, "database", NULL, tr("--database URL 与 --embedded 选一个", "give either --database URL or --embedded"));
	return ERR_OK;
}

static enum err command_init(struct options *o, struct problem *p)
{
	char dir[512];
	enum err e = check_init(o, p);

	if (e)
		return e;
	conf_defaults(&conf);
	if (mkdir(o->data, 0700) && errno != EEXIST)
		return problem_set(p, ERR_FILE_IO, "data", NULL, "%s: %s", o->data, strerror(errno));
	if (!realpath(o->data, dir))
		return problem_set(p, ERR_FILE_IO, "data", NULL, "%s: %s", o->data, strerror(errno));
	snprintf(conf.dir, sizeof conf.dir, "%s", dir);
	conf.county = atoi(o->county);
	conf.embedded = o->embedded;
	conf.rehearsal = o->rehearsal;
	snprintf(conf.name, sizeof conf.name, "%s", o->name);
	if (o->listen)
		snprintf(conf.listen, sizeof conf.listen, "%s", o->listen);
	if (o->metrics)
		snprintf(conf.metrics, sizeof conf.metrics, "%s", o->metrics);
	if (o->user)
		snprintf(conf.user, sizeof conf.user, "%s", o->user);
	if (o->database)
		snprintf(conf.database_owner, sizeof conf.database_owner, "%s", o->database);
	if ((e = conf_address(conf.listen, &conf.listen_addr, p)) || (e = conf_address(conf.metrics, &conf.metrics_addr, p)) ||
		(e = drop_root(conf.dir, conf.user, p)) || (e = init_run(&conf, p)))
		return e;
	printf(tr("已建好 %s。三位管理员的连接码和初始密码在 %s/admins.txt，交给本人后删除。\n下一步：jgd serve --data %s\n",
		       "%s is ready. The connect codes and first passwords of the three administrators are in %s/admins.txt: hand them over, then delete it.\nNext: jgd serve --data %s\n"),
		conf.dir, conf.dir, conf.dir);
	return ERR_OK;
}

static enum err command_serve(struct options *o, struct problem *p)
{
	static struct server server;
	struct rlimit none = {0, 0}, files;
	bool started = false;
	enum err e;

	(void)o;
	setrlimit(RLIMIT_CORE, &none); /* a core dump would hold children's data */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* a connection is a descriptor: take what the system allows */
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (conf.embedded && (e = embedded_start(&conf, &started, p)))
		return e;
	e = maintain_schema_ready(&conf, p);
	server.conf = conf;
	if (!e)
		e = server_run(&server, p);
	if (conf.embedded) /* started, adopted or revived: it belongs to this directory */
		embedded_stop(&conf);
	return e;
}

static enum err command_migrate(struct options *o, struct problem *p)
{
	(void)o;
	return maintain_migrate(&conf, p);
}

static enum err command_doctor(struct options *o, struct problem *p)
{
	(void)o;
	return maintain_doctor(&conf, p);
}

static enum err command_backup(struct options *o, struct problem *p)
{
	return maintain_backup(&conf, o->target, p);
}

static enum err command_restore(struct options *o, struct problem *p)
{
	return maintain_restore(&conf, o->target, p);
}

static const struct command commands[] = {
	{"init", "--data DIR --county CODE --name NAME (--database URL | --embedded) [--listen HOST:PORT] [--metrics HOST:PORT] [--rehearsal] [--user NAME]",
		"建立数据目录：证书、数据库、三位管理员", "make a data directory: keys, database, the three administrators", command_init, false},
	{"serve", "--data DIR", "提供服务，直到 SIGTERM", "serve until SIGTERM", command_serve, true},
	{"migrate", "--data DIR", "把数据库结构升级到本版本", "bring the schema up to date", command_migrate, true},
	{"doctor", "--data DIR", "逐项检查，指出每个问题和办法", "name each fault and its mend", command_doctor, true},
	{"backup", "DIR --data DIR", "备份数据库、证书和密钥，并校验", "back up database, CA and keys, verified", command_backup, true},
	{"restore", "DIR --data DIR", "从备份恢复", "restore from a backup", command_restore, true},
};

static void usage(FILE *out)
{
	fprintf(out, "jgd %s - %s\n\n", JG_VERSION, tr("精管服务器", "the Jingguan server"));
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  jgd %s %s\n      %s\n", commands[i].name, commands[i].args, tr(commands[i].zh, commands[i].en));
	fprintf(out, "\n  --lang zh|en  --verbose  --help  --version\n\n%s\n  jgd init --data /var/lib/jingguan --county 321324 --name 泗洪县教育局 --embedded\n  jgd serve --data /var/lib/jingguan\n\n%s\n",
		tr("例：", "Example:"), tr("DIR/jgd.ini 中的配置项：", "Settings in DIR/jgd.ini:"));
	conf_describe(out);
}

static int report(const struct problem *p)
{
	const struct err_info *info = err_info((int)p->code);

	fprintf(stderr, "%s: %s\n", tr(info->zh, info->en), p->message);
	if (p->safe[0])
		fprintf(stderr, "%s\n", p->safe);
	if (p->hint[0])
		fprintf(stderr, "→ %s\n", p->hint);
	return info->exit_code;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"data", 1, 0, 'd'}, {"county", 1, 0, 'c'}, {"name", 1, 0, 'n'}, {"database", 1, 0, 'b'},
		{"listen", 1, 0, 'l'}, {"metrics", 1, 0, 'm'}, {"user", 1, 0, 'u'}, {"embedded", 0, 0, 'e'}, {"rehearsal", 0, 0, 'r'},
		{"lang", 1, 0, 'L'}, {"verbose", 0, 0, 'v'}, {"help", 0, 0, 'h'}, {"version", 0, 0, 'V'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "hVv", longs, NULL)) != -1)
		switch (c) {
		case 'd': o->data = optarg; break;
		case 'c': o->county = optarg; break;
		case 'n': o->name = optarg; break;
		case 'b': o->database = optarg; break;
		case 'l': o->listen = optarg; break;
		case 'm': o->metrics = optarg; break;
		case 'u': o->user = optarg; break;
		case 'e': o->embedded = true; break;
		case 'r': o->rehearsal = true; break;
		case 'L': lang_set(optarg); break;
		case 'v': log_set_level(LOG_LEVEL_DEBUG); break;
		case 'V': printf("jgd %s\n", JG_VERSION); exit(0);
		case 'h': usage(stdout); exit(0);
		default: return false;
		}
	return true;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct problem p = {0};

	lang_set(getenv("LANG"));
	/* Of several hosts the primary: for libpq here and in pg_dump and pg_restore. A backup of a standby would lack the last
	 * writes, a pull from one would be old. */
	setenv("PGTARGETSESSIONATTRS", "read-write", 0);
	setenv("PGCONNECT_TIMEOUT", "5", 0);
	if (sodium_init() < 0 || !parse(argc, argv, &o)) {
		usage(stderr);
		return 2;
	}
	const struct command *command = find_command(argv[optind]);
	o.target = command ? argv[optind + 1] : NULL;
	if (!command || !o.data || ((strcmp(command->name, "backup") == 0 || strcmp(command->name, "restore") == 0) && !o.target)) {
		usage(stderr);
		return 2;
	}
	enum err e = ERR_OK;
	if (command->needs_conf && !(e = conf_load(&conf, o.data, &p)))
		e = drop_root(conf.dir, o.user ? o.user : conf.user, &p);
	if (!e)
		e = command->run(&o, &p);
	return e ? report(&p) : 0;
}
