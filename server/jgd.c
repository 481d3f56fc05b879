/* jgd - the server's program: one row per command; the table feeds parsing and --help. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "backup.h"
#include "child.h"
#include "doctor.h"
#include "embedded.h"
#include "init.h"
#include "lang.h"
#include "log.h"
#include "man.h"
#include "maintain.h"
#include "pki.h"
#include "place.h"
#include "report.h"
#include "say.h"
#include "server.h"
#include "text.h"

struct options {
	const char *data, *county, *name, *database, *listen, *metrics, *user, *target;
	bool embedded, rehearsal, verbose, help;
	char dir[512], target_dir[1024]; /* data and target, from the root */
};

enum needs { NEEDS_NOTHING, NEEDS_CONF = 1, NEEDS_TARGET = 2 };

struct command {
	const char *name, *args, *text;
	enum err (*run)(struct options *o, struct report *r, struct problem *p);
	unsigned needs;
	const char *safe; /* of a failure that says nothing better */
	const char *example;
};

static struct conf conf;

static enum err check_init(const struct options *o, struct problem *p)
{
	struct stat st;
	char path[600], hint[700];

	snprintf(path, sizeof path, "%s/jgd.ini", o->dir);
	snprintf(hint, sizeof hint, "jgd serve --data %s", place_quoted((char[600]){0}, 600, o->dir));
	if (stat(path, &st) == 0) {
		problem_set(p, ERR_EXISTS, "data", hint, _("%s 已经初始化过"), o->dir);
		snprintf(p->safe, sizeof p->safe, "%s", _("什么都没有改动"));
		return ERR_EXISTS;
	}
	if (!o->county || strlen(o->county) != 6 || strspn(o->county, "0123456789") != 6 || !o->name ||
		!*o->name)
		return problem_set(p, ERR_USAGE, "county",
			_("jgd init --data DIR --county 329999 --name 测试县教育局 --embedded"),
			_("需要 --county（六位区划代码）和 --name"));
	if (!o->database == !o->embedded)
		return problem_set(p, ERR_USAGE, "database",
			_("自带数据库用 --embedded；已有 PostgreSQL 用 --database URL"),
			_("--database URL 与 --embedded 选一个"));
	return ERR_OK;
}

/* What the command line says, over what the file or the backup says. */
static enum err take_options(const struct options *o, struct problem *p)
{
	if (o->listen)
		snprintf(conf.listen, sizeof conf.listen, "%s", o->listen);
	if (o->metrics)
		snprintf(conf.metrics, sizeof conf.metrics, "%s", o->metrics);
	if (o->user)
		snprintf(conf.user, sizeof conf.user, "%s", o->user);
	if (o->database)
		snprintf(conf.database_owner, sizeof conf.database_owner, "%s", o->database);
	enum err e = conf_address("listen", conf.listen, &conf.listen_addr, p);
	return e ? e : conf_address("metrics", conf.metrics, &conf.metrics_addr, p);
}

/* Makes the directory if need be, enters it as the service's account, and holds it. */
static enum err take_place(const char *dir, struct problem *p)
{
	if (mkdir(dir, 0700) && errno != EEXIST)
		return problem_set(p, ERR_FILE_IO, "data", _("先建好上级目录：mkdir -p，或换一个可写的地方"),
			"%s: %s", dir, file_error_text(errno));
	enum err e = place_enter(dir, conf.user, p);
	return e ? e : place_lock(dir, p);
}

static enum err command_init(struct options *o, struct report *r, struct problem *p)
{
	enum err e = check_init(o, p);

	if (e)
		return e;
	conf_defaults(&conf);
	snprintf(conf.dir, sizeof conf.dir, "%s", o->dir);
	conf.county = atoi(o->county);
	conf.embedded = o->embedded;
	conf.rehearsal = o->rehearsal;
	snprintf(conf.name, sizeof conf.name, "%s", o->name);
	if ((e = take_options(o, p)) || (e = take_place(conf.dir, p)) || (e = init_run(&conf, p)))
		return e;
	report_set(r, "data", json_string(conf.dir));
	report_set(r, "county", json_integer(conf.county));
	report_set(r, "admins", json_pack("s+", conf.dir, "/admins.txt"));
	report_say(r,
		_("已建好 %s。三位管理员的连接码和初始密码在 %s/admins.txt，交给本人后删除。\n下一步："
		  "jgd serve --data %s"),
		conf.dir, conf.dir, place_quoted((char[600]){0}, 600, conf.dir));
	return ERR_OK;
}

static enum err command_serve(struct options *o, struct report *r, struct problem *p)
{
	static struct server server;
	struct rlimit none = {0, 0}, files;
	enum err e = place_lock(conf.dir, p);

	(void)r;
	if (!o->verbose)
		log_set_level(LOG_LEVEL_INFO);
	if (e || (e = backup_unfinished(&conf, p)) || (e = pki_renew_server(&conf, p)))
		return e;
	setrlimit(RLIMIT_CORE, &none); /* a core dump would hold children's data */
	/* a connection is a descriptor: take what the system allows */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (conf.embedded && (e = embedded_start(&conf, NULL, p)))
		return e;
	e = maintain_schema_ready(&conf, p);
	server.conf = conf;
	if (!e)
		e = server_run(&server, p);
	if (conf.embedded) /* started, adopted or revived: it belongs to this directory */
		embedded_stop(&conf);
	return e;
}

static enum err command_migrate(struct options *o, struct report *r, struct problem *p)
{
	(void)o;
	return maintain_migrate(&conf, r, p);
}

static enum err command_doctor(struct options *o, struct report *r, struct problem *p)
{
	(void)o;
	return doctor_run(&conf, r, p);
}

static enum err command_backup(struct options *o, struct report *r, struct problem *p)
{
	return backup_make(&conf, o->target_dir, r, p);
}

/* Into a directory that has settings, or into a new one with those of the backup. */
static enum err command_restore(struct options *o, struct report *r, struct problem *p)
{
	struct stat st;
	char path[600];
	enum err e;

	snprintf(path, sizeof path, "%s/jgd.ini", o->dir);
	bool fresh = stat(path, &st) != 0, made = stat(o->dir, &st) != 0;
	if (fresh ? (e = backup_settings(&conf, o->target_dir, o->dir, o->database, p))
		  : (e = conf_load(&conf, o->dir, p)))
		return e;
	if ((e = take_options(o, p)) || (e = backup_sums(&conf, o->target_dir, p)))
		return e;
	if (!(e = take_place(conf.dir, p)))
		e = backup_restore(&conf, o->target_dir, fresh, r, p);
	if (e && made)
		place_unmake(conf.dir);
	return e;
}

static const struct command commands[] = {
	{"init",
		"--data DIR --county CODE --name NAME (--database URL | --embedded) [--listen HOST:PORT] "
		"[--metrics HOST:PORT] [--rehearsal] [--user NAME]",
		N_("建立数据目录：证书、数据库、三位管理员"), command_init, NEEDS_NOTHING,
		N_("还没有建成；同一条命令可以再运行，会接着做"),
		N_("jgd init --data /var/lib/jingguan --county 329999 --name 测试县教育局 --embedded")},
	{"serve", "--data DIR", N_("提供服务，直到 SIGTERM"), command_serve, NEEDS_CONF,
		N_("没有在服务；已确认的数据都在数据库里"), "jgd serve --data /var/lib/jingguan"},
	{"migrate", "--data DIR", N_("把数据库结构升级到本版本"), command_migrate, NEEDS_CONF,
		N_("出错的一步没有留下改动"), "jgd migrate --data /var/lib/jingguan"},
	{"doctor", "--data DIR", N_("逐项检查，指出每个问题和办法"), command_doctor, NEEDS_CONF,
		N_("只做了检查，没有改动数据"), "jgd doctor --data /var/lib/jingguan"},
	{"backup", "DIR --data DIR", N_("备份数据库、证书和密钥，并校验"), command_backup,
		NEEDS_CONF | NEEDS_TARGET, N_("县里的数据没有改动；这一次没有备份"),
		"jgd backup /mnt/backup --data /var/lib/jingguan"},
	{"restore", "BACKUP --data DIR [--database URL] [--listen HOST:PORT] [--metrics HOST:PORT]",
		N_("从备份恢复；DIR 可以是新目录，不必先 init"), command_restore, NEEDS_TARGET,
		N_("什么都没有恢复，也没有改动"),
		"jgd restore /mnt/backup/jingguan-20260901T020000Z --data /var/lib/jingguan"},
};

static const struct {
	const char *name, *value, *text;
} option_words[] = {
	{"data", "DIR", N_("数据目录：设置、证书、密钥，内置的数据库也在里面")},
	{"county", "CODE", N_("县的行政区划代码，六位数字（GB/T 2260）")},
	{"name", "NAME", N_("教育局的名称，接入单和报表上用")},
	{"database", "URL", N_("PostgreSQL 的地址，用拥有数据库的账号")},
	{"embedded", NULL, N_("由 jgd 自己带一个 PostgreSQL，只供本机使用")},
	{"listen", "HOST:PORT", N_("学校和县局的电脑连接的地址，默认 0.0.0.0:7420")},
	{"metrics", "HOST:PORT", N_("监控读取指标的地址，默认 127.0.0.1:7421")},
	{"rehearsal", NULL, N_("演练县：每页都注明演练，时钟可以拨快")},
	{"user", "NAME", N_("以 root 启动时换成的账号，默认 jingguan")},
	{"json", NULL, N_("在标准输出打印一份 JSON")},
	{"lang", "zh|en", N_("界面语言")},
	{"verbose", NULL, N_("显示更多运行信息")},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

#define COMMON_OPTIONS 3 /* the last of the list: of every command */

/* Whether its words name the option, or every command has it. */
static bool has_option(const struct command *command, size_t i)
{
	char word[32];

	snprintf(word, sizeof word, "--%s", option_words[i].name);
	return i >= sizeof option_words / sizeof *option_words - COMMON_OPTIONS ||
		strstr(command->args, word) != NULL;
}

static const char *option_left(size_t i, char *out, size_t size)
{
	snprintf(out, size, "--%s%s%s", option_words[i].name, option_words[i].value ? " " : "",
		option_words[i].value ? option_words[i].value : "");
	return out;
}

static void command_usage(const struct command *command)
{
	char left[64];
	int width = 0;

	printf("jgd %s %s\n\n%s\n\n%s\n", command->name, command->args, _(command->text), _("选项："));
	for (size_t i = 0; i < sizeof option_words / sizeof *option_words; i++)
		if (has_option(command, i) && say_width(option_left(i, left, sizeof left)) > width)
			width = say_width(left);
	for (size_t i = 0; i < sizeof option_words / sizeof *option_words; i++)
		if (has_option(command, i))
			say_pair(stdout, option_left(i, left, sizeof left), width, _(option_words[i].text));
	printf("\n%s\n  %s\n", _("例："), _(command->example));
}

static void usage(FILE *out)
{
	fprintf(out, "jgd %s - %s\n\n", JG_VERSION, _("精管服务器"));
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  jgd %s %s\n      %s\n", commands[i].name, commands[i].args,
			_(commands[i].text));
	fprintf(out,
		"\n  --json  --lang zh|en  --verbose  --help  --version\n\n%s\n  %s\n"
		"  jgd serve --data /var/lib/jingguan\n\n%s\n",
		_("例："),
		_("jgd init --data /var/lib/jingguan --county 329999 --name 测试县教育局 --embedded"),
		_("DIR/jgd.ini 中的配置项："));
	conf_describe(out);
}

/* jgd.8, for the build, which makes the page. */
static void manual(void)
{
	char words[64], name[40];

	man_begin(stdout, "jgd", 8, _("精管服务器"));
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		snprintf(words, sizeof words, "jgd %s", commands[i].name);
		man_heading(stdout, words);
		man_item(stdout, words, commands[i].args, _(commands[i].text), NULL);
		man_text(stdout, _("例："));
		man_example(stdout, _(commands[i].example));
	}
	man_heading(stdout, _("选项"));
	for (size_t i = 0; i < sizeof option_words / sizeof *option_words; i++) {
		snprintf(name, sizeof name, "--%s", option_words[i].name);
		man_item(stdout, name, option_words[i].value ? option_words[i].value : "",
			_(option_words[i].text), NULL);
	}
	man_heading(stdout, _("退出码"));
	man_text(stdout, _("0 完成 1 失败 2 用法 3 被拒绝 4 连不上 5 需要人处理 6 文件有问题"));
}

/* `--help`, `help`, `help COMMAND`; words[0] is NULL where there is none. */
static void help(char **words)
{
	const struct command *command = find_command(words[0]);

	if (command)
		command_usage(command);
	else if (words[0] && strcmp(words[0], "man") == 0 && words[1] && strcmp(words[1], "jgd.ini") == 0)
		conf_manual(stdout);
	else if (words[0] && strcmp(words[0], "man") == 0)
		manual();
	else
		usage(stdout);
}

static enum err parse(int argc, char **argv, struct options *o, struct problem *p)
{
	static const struct option longs[] = {{"data", 1, 0, 'd'}, {"county", 1, 0, 'c'}, {"name", 1, 0, 'n'},
		{"database", 1, 0, 'b'}, {"listen", 1, 0, 'l'}, {"metrics", 1, 0, 'm'}, {"user", 1, 0, 'u'},
		{"embedded", 0, 0, 'e'}, {"rehearsal", 0, 0, 'r'}, {"json", 0, 0, 'j'}, {"lang", 1, 0, 'L'},
		{"verbose", 0, 0, 'v'}, {"help", 0, 0, 'h'}, {"version", 0, 0, 'V'}, {0, 0, 0, 0}};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVv", longs, NULL)) != -1) {
		const char **at = NULL;
		switch (c) {
		case 'd':
			at = &o->data;
			break;
		case 'c':
			at = &o->county;
			break;
		case 'n':
			at = &o->name;
			break;
		case 'b':
			at = &o->database;
			break;
		case 'l':
			at = &o->listen;
			break;
		case 'm':
			at = &o->metrics;
			break;
		case 'u':
			at = &o->user;
			break;
		case 'e':
			o->embedded = true;
			break;
		case 'r':
			o->rehearsal = true;
			break;
		case 'j':
			break; /* read before, as the language was */
		case 'L':
			if (!lang_is_known(optarg))
				return problem_set(p, ERR_USAGE, NULL, "jgd --help",
					_("没有语言 %s，可写 zh 或 en"), optarg);
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'V':
			printf("jgd %s\n", JG_VERSION);
			exit(0);
		case 'h':
			o->help = true;
			break;
		case ':':
			return problem_set(
				p, ERR_USAGE, NULL, "jgd --help", _("选项 %s 后面缺少值"), argv[optind - 1]);
		default:
			return problem_set(
				p, ERR_USAGE, NULL, "jgd --help", _("没有选项 %s"), argv[optind - 1]);
		}
		if (at && *at) /* which of the two is meant is not for us to say */
			return problem_set(p, ERR_USAGE, NULL, "jgd --help", _("选项的值写了两次：%s 和 %s"),
				*at, optarg);
		if (at)
			*at = optarg;
	}
	return ERR_OK;
}

static enum err no_command(const char *name, struct problem *p)
{
	char hint[80] = "jgd --help";

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (text_distance(name, commands[i].name) <= 2)
			snprintf(
				hint, sizeof hint, _("是不是 jgd %s？jgd --help 列出命令"), commands[i].name);
	return problem_set(p, ERR_USAGE, NULL, hint, _("没有命令 %s"), name);
}

/* What the words say, before anything is touched. */
static enum err check_words(const struct command *command, struct options *o, char **words, struct problem *p)
{
	char hint[300];
	bool target = command->needs & NEEDS_TARGET;
	enum err e;

	snprintf(hint, sizeof hint, "jgd %s %s", command->name, command->args);
	o->target = words[0];
	if (!o->data || !*o->data)
		return problem_set(p, ERR_USAGE, "data", hint, _("要写明数据目录：--data DIR"));
	if (target && (!o->target || !*o->target))
		return problem_set(p, ERR_USAGE, NULL, hint, _("要写明备份目录"));
	if (words[0] && (!target || words[1]))
		return problem_set(p, ERR_USAGE, NULL, hint, _("多余的参数：%s"), words[target ? 1 : 0]);
	if ((e = place_absolute(o->dir, sizeof o->dir, o->data, p)) || !target)
		return e;
	return place_absolute(o->target_dir, sizeof o->target_dir, o->target, p);
}

/* No jgd.ini: where there was a backup there was a county, and only its settings are lost. */
static void name_lost_settings(const struct options *o, struct problem *p)
{
	char last[PATH_MAX], quoted[2][600];
	time_t at;

	snprintf(conf.dir, sizeof conf.dir, "%s", o->dir);
	if (backup_last(&conf, last, sizeof last, &at))
		snprintf(p->hint, sizeof p->hint, "cp -p %s/jgd.ini %s/",
			place_quoted(quoted[0], sizeof quoted[0], last),
			place_quoted(quoted[1], sizeof quoted[1], o->dir));
}

/* What lies in the data directory is lost with it. */
static enum err refuse_inside(const struct options *o, struct problem *p)
{
	size_t n = strlen(o->dir);

	if (strncmp(o->target_dir, o->dir, n) != 0 || (o->target_dir[n] && o->target_dir[n] != '/'))
		return ERR_OK;
	return problem_set(p, ERR_USAGE, "backup", _("换成别的磁盘或 /var/backups/jingguan"),
		_("备份不能放在数据目录 %s 里：数据目录坏了，备份也没了"), o->dir);
}

static enum err run(const struct command *command, struct options *o, struct report *r, struct problem *p)
{
	enum err e = command->needs & NEEDS_CONF ? conf_load(&conf, o->dir, p) : ERR_OK;

	if (e == ERR_NOT_FOUND)
		name_lost_settings(o, p);
	if (!e && command->run == command_backup)
		e = refuse_inside(o, p);
	if (!e && command->run == command_backup)
		place_make(o->target_dir, conf.user);
	if (!e && command->needs & NEEDS_CONF)
		e = place_enter(conf.dir, o->user ? o->user : conf.user, p);
	return e ? e : command->run(o, r, p);
}

/* Of a failure that says nothing better: a directory with settings can be examined; before that it is room or
 * memory. */
static void next_step(const struct options *o, struct problem *p)
{
	char path[600], dir[600];

	snprintf(path, sizeof path, "%s/jgd.ini", o->dir);
	place_quoted(dir, sizeof dir, o->dir);
	if (access(path, F_OK) == 0)
		snprintf(p->hint, sizeof p->hint, "jgd doctor --data %s", dir);
	else
		snprintf(p->hint, sizeof p->hint, _("df -h 看空间，free -h 看内存，再运行同一条命令"));
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct report report = {0};
	struct problem p = {0};

	lang_choose(argc, argv);
	for (int i = 1; i < argc; i++) /* also of an error in the words before it */
		report.json |= strcmp(argv[i], "--json") == 0;
	child_clean_environment();
	log_set_level(LOG_LEVEL_WARN); /* a command's own words are its report */
	enum err e = sodium_init() < 0
		? problem_set(&p, ERR_INTERNAL, NULL, "apt-get install --reinstall libsodium23", "libsodium")
		: parse(argc, argv, &o, &p);
	if (o.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	bool asked = !e && argv[optind] && strcmp(argv[optind], "help") == 0;
	const struct command *command = e ? NULL : find_command(argv[optind]);
	if (!e && (asked || (o.help && (command || !argv[optind])))) {
		help(argv + optind + asked);
		return 0;
	}
	if (!e && !command && !argv[optind] && !report.json) {
		usage(stderr);
		return err_info(ERR_USAGE)->exit_code;
	}
	if (!e && !command)
		e = no_command(argv[optind] ? argv[optind] : "", &p);
	if (command && !e && !(e = check_words(command, &o, argv + optind + 1, &p)))
		e = run(command, &o, &report, &p);
	if (!e)
		p = (struct problem){0};
	if (e && !p.safe[0]) /* words that were wrong are told before anything is done */
		snprintf(p.safe, sizeof p.safe, "%s",
			command && e != ERR_USAGE ? _(command->safe) : _("什么都没有改动"));
	if (e && !p.hint[0])
		next_step(&o, &p);
	return report_end(&report, &p);
}
