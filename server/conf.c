#include "conf.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "lang.h"
#include "man.h"
#include "place.h"

enum setting_type { SETTING_TEXT, SETTING_INT, SETTING_BOOL };

/* Limits of the numbers, each with its reason; the message of a refusal shows it. */
#define COUNTY_MIN 110000
#define COUNTY_MAX 659999
#define WORKERS_MAX 64
#define POOL_MAX 32
#define PER_ADDRESS_MAX 65535
#define CONNECTIONS_MAX 256 /* of workers × pool */

static const char six_digits[] = N_("六位区划代码");
static const char one_a_core[] = N_("一个循环占一个处理器核");
static const char one_a_process[] = N_("每个数据库连接是 PostgreSQL 的一个进程，约 10 MB");
static const char one_a_port[] = N_("一个地址最多这么多端口；0 则谁也连不上");

static const struct setting {
	const char *name;
	enum setting_type type;
	bool live; /* SIGHUP takes it */
	size_t offset, size;
	const char *standard, *text;
	int min, max;
	const char *why;
} settings[] = {
#define TEXT(field) SETTING_TEXT, false, offsetof(struct conf, field), sizeof(((struct conf *)0)->field)
#define INT(field, live) SETTING_INT, live, offsetof(struct conf, field), 0
#define BOOL(field, live) SETTING_BOOL, live, offsetof(struct conf, field), 0
#define NO_LIMITS 0, 0, NULL
	{"county", INT(county, false), "", N_("县的区划代码（GB/T 2260）"), COUNTY_MIN, COUNTY_MAX,
		six_digits},
	{"name", TEXT(name), "", N_("教育局名称，显示在各种文书上"), NO_LIMITS},
	{"rehearsal", BOOL(rehearsal, false), "no", N_("演练县：时钟可以拨动，每页标明“演练”"), NO_LIMITS},
	{"embedded", BOOL(embedded, false), "no", N_("自带 PostgreSQL，在 DIR/pg 下，由 serve 启动和停止"),
		NO_LIMITS},
	{"database_owner", TEXT(database_owner), "", N_("数据库属主的连接：升级结构、备份、检查用"),
		NO_LIMITS},
	{"database_app", TEXT(database_app), "", N_("提供服务用的连接；它的角色不拥有任何表"), NO_LIMITS},
	{"listen", TEXT(listen), "0.0.0.0:7420", N_("客户端连接的地址"), NO_LIMITS},
	{"metrics", TEXT(metrics), "127.0.0.1:7421", N_("/metrics、/healthz、/readyz 的地址：只放在本机"),
		NO_LIMITS},
	{"user", TEXT(user), "jingguan", N_("以 root 启动时切换到的帐号"), NO_LIMITS},
	{"workers", INT(workers, false), "2", N_("循环数，每个一个线程：一个处理器核一个"), 1, WORKERS_MAX,
		one_a_core},
	{"pool", INT(pool, false), "4", N_("每个循环的数据库连接数"), 1, POOL_MAX, one_a_process},
	{"per_address", INT(per_address, true), "256",
		N_("每个客户端地址在每个循环上的连接数：全县学校可能共用一个出口"), 1, PER_ADDRESS_MAX,
		one_a_port},
	{"contact", TEXT(contact), "", N_("县局管理员的电话，拒绝办理时告诉对方找谁"), NO_LIMITS},
	{"scan", TEXT(scan), "", N_("查毒的命令，后面接文件：0 无毒，1 有毒；空则不查"), NO_LIMITS},
	{"grouping", BOOL(grouping, true), "yes", N_("不同学校的单条上传合并在一个事务里"), NO_LIMITS},
};

#define SETTINGS (sizeof settings / sizeof *settings)

static bool assign(struct conf *c, const struct setting *s, const char *value)
{
	void *at = (char *)c + s->offset;
	char *end;
	long number;

	switch (s->type) {
	case SETTING_TEXT:
		if (strlen(value) >= s->size)
			return false;
		strcpy(at, value);
		return true;
	case SETTING_INT:
		errno = 0;
		number = strtol(value, &end, 10);
		*(int *)at = (int)number;
		return *value && !*end && !errno && number >= s->min && number <= s->max;
	case SETTING_BOOL:
		*(bool *)at = strcmp(value, "yes") == 0;
		return *(bool *)at || strcmp(value, "no") == 0;
	}
	return false;
}

void conf_defaults(struct conf *c)
{
	memset(c, 0, sizeof *c);
	c->page_rows = PULL_PAGE_ROWS;
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].standard[0])
			assign(c, &settings[i], settings[i].standard);
}

static enum err bad_value(const struct setting *s, const char *value, struct problem *p)
{
	static const char *const forms[] = {N_("一行文字，不能太长"), "", N_("yes 或 no")};

	if (s->type == SETTING_INT)
		return problem_set(p, ERR_INVALID, s->name, NULL,
			_("%s 应在 %d 到 %d 之间，不能是 %.20s：%s"), s->name, s->min, s->max, value,
			_(s->why));
	return problem_set(p, ERR_INVALID, s->name, NULL, _("%s 不能是 %.20s，应是%s"), s->name, value,
		_(forms[s->type]));
}

static enum err take_setting(struct conf *c, const char *name, const char *value, struct problem *p)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			return assign(c, &settings[i], value) ? ERR_OK : bad_value(&settings[i], value, p);
	return problem_set(p, ERR_INVALID, name, NULL, _("没有配置项 %s"), name);
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	for (n = strlen(text); n && strchr(" \t\r\n", text[n - 1]);)
		text[--n] = 0;
	return text;
}

/* One line "name = value"; comments begin with # or ;, also behind a blank. */
static enum err take_line(struct conf *c, char *line, struct problem *p)
{
	char *at = trim(strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? line + 3 : line),
	     *equals = strchr(at, '='); /* Notepad's mark */

	if (!*at || strchr("#;", *at))
		return ERR_OK;
	if (!equals)
		return problem_set(p, ERR_INVALID, NULL, NULL, _("这一行不是“名字 = 值”"));
	*equals = 0;
	char *note = strstr(equals + 1, " ;");
	if (note)
		*note = 0;
	return take_setting(c, trim(at), trim(equals + 1), p);
}

/* Not by inih: it cuts lines at 200 bytes without a word, and the connection of three hosts is longer. *line:
 * of the fault; 0 when the file cannot be read, and errno says why. */
static enum err read_file(struct conf *c, const char *path, int *line, struct problem *p)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	enum err e = in ? ERR_OK : ERR_FILE_IO;

	*line = 0;
	while (!e && getline(&text, &size, in) >= 0) {
		++*line;
		e = take_line(c, text, p);
	}
	free(text);
	if (in)
		fclose(in);
	return e;
}

enum err conf_address(const char *name, const char *text, struct sockaddr_storage *out, struct problem *p)
{
	char host[128];
	const char *colon = strrchr(text, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	long port = digits && digits < 6 && !colon[1 + digits] ? strtol(colon + 1, NULL, 10) : -1;

	snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - text) : 0, text);
	size_t n = strlen(host);
	if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = 0;
		memmove(host, host + 1, n - 1);
	}
	if (port < 0 || port > 65535 ||
		(uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out) &&
			uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out)))
		return problem_set(
			p, ERR_USAGE, name, _("写成 127.0.0.1:7420 这样"), _("地址 %s 不对"), text);
	return ERR_OK;
}

void conf_address_text(const struct sockaddr_storage *at, char *out, size_t size)
{
	char host[64];

	if (at->ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)at;
		uv_ip6_name(six, host, sizeof host);
		snprintf(out, size, "[%s]:%d", host, ntohs(six->sin6_port));
	} else {
		const struct sockaddr_in *four = (const struct sockaddr_in *)at;
		uv_ip4_name(four, host, sizeof host);
		snprintf(out, size, "%s:%d", host, ntohs(four->sin_port));
	}
}

static enum err check(struct conf *c, struct problem *p)
{
	enum err e = conf_address("listen", c->listen, &c->listen_addr, p);

	if (!c->county)
		e = problem_set(p, ERR_MISSING, "county", NULL, _("缺少 county = 六位区划代码"));
	if (!e)
		e = conf_address("metrics", c->metrics, &c->metrics_addr, p);
	if (!e && c->workers * c->pool > CONNECTIONS_MAX)
		e = problem_set(p, ERR_INVALID, "pool", NULL, _("workers × pool 是 %d，不能超过 %d：%s"),
			c->workers * c->pool, CONNECTIONS_MAX, _(one_a_process));
	return e;
}

enum err conf_load(struct conf *c, const char *dir, struct problem *p)
{
	char path[600], quoted[700];
	int line;

	conf_defaults(c);
	snprintf(c->dir, sizeof c->dir, "%s", dir);
	snprintf(path, sizeof path, "%s/jgd.ini", dir);
	*p = (struct problem){0};
	enum err e = read_file(c, path, &line, p);
	if (e && !line)
		return errno == EACCES
			? problem_set(p, ERR_PERMISSION, "data", _("以 root 运行同一条命令"),
				  _("没有权限读 %s"), path)
			: problem_set(p, ERR_NOT_FOUND, "data",
				  _("检查 --data；还没有建过就先运行 jgd init，有备份就运行 jgd restore"),
				  _("读不到 %s"), path);
	place_quoted(quoted, sizeof quoted, path);
	if (e)
		snprintf(p->hint, sizeof p->hint, _("改 %s 第 %d 行"), quoted, line);
	else if ((e = check(c, p)))
		snprintf(p->hint, sizeof p->hint, _("改 %s 里的 %s"), quoted, p->field);
	if (e)
		return e;
	return ERR_OK;
}

static void write_all(const struct conf *c, FILE *out)
{
	fprintf(out, "# jgd: settings of this data directory; `jgd --help` explains each\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const void *at = (const char *)c + settings[i].offset;
		if (settings[i].type == SETTING_TEXT)
			fprintf(out, "%s = %s\n", settings[i].name, (const char *)at);
		else if (settings[i].type == SETTING_INT)
			fprintf(out, "%s = %d\n", settings[i].name, *(const int *)at);
		else
			fprintf(out, "%s = %s\n", settings[i].name, *(const bool *)at ? "yes" : "no");
	}
}

/* What cannot be read back as it is (a text with " ;" in it, or blanks at its ends) is refused now, not at
 * the next start. */
static const struct setting *lost(const char *path, const struct conf *c)
{
	struct conf read = {0};
	struct problem p = {0};
	int line;
	enum err e = read_file(&read, path, &line, &p);

	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].type == SETTING_TEXT &&
			strcmp((const char *)&read + settings[i].offset,
				(const char *)c + settings[i].offset) != 0)
			return &settings[i];
	return e ? &settings[0] : NULL;
}

enum err conf_save(const struct conf *c, struct problem *p)
{
	char path[600], made[620];

	snprintf(path, sizeof path, "%s/jgd.ini", c->dir);
	snprintf(made, sizeof made, "%s.new", path);
	mode_t before = umask(077); /* the file holds the database password */
	FILE *out = fopen(made, "we");
	umask(before);
	if (out)
		write_all(c, out);
	bool good = out && fflush(out) == 0 && fsync(fileno(out)) == 0;
	good = out && fclose(out) == 0 && good;
	const struct setting *bad = good ? lost(made, c) : NULL;
	if (bad)
		problem_set(p, ERR_INVALID, bad->name, _("换一种写法：不要换行、首尾空格和“ ;”"),
			_("%s 不能原样写进 jgd.ini"), bad->name);
	else if (!good || rename(made, path))
		problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, NULL,
			_("腾出磁盘空间，检查目录是否可写"), "%s: %s", path, file_error_text(errno));
	else
		return ERR_OK;
	unlink(made);
	return p ? p->code : ERR_INTERNAL;
}

size_t conf_changes(const struct conf *old, const struct conf *fresh, bool live, char *out, size_t size)
{
	size_t count = 0, n = 0;

	*out = 0;
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		const char *a = (const char *)old + s->offset, *b = (const char *)fresh + s->offset;
		size_t bytes = s->type == SETTING_INT ? sizeof(int) : sizeof(bool);
		bool same = s->type == SETTING_TEXT ? strcmp(a, b) == 0 : memcmp(a, b, bytes) == 0;
		if (same || s->live != live)
			continue;
		count++;
		if (n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "", s->name);
		if (n < size && s->type == SETTING_INT) /* a text may be a password */
			n += (size_t)snprintf(out + n, size - n, "=%d", *(const int *)(const void *)b);
		else if (n < size && s->type == SETTING_BOOL)
			n += (size_t)snprintf(out + n, size - n, "=%s", *b ? "yes" : "no");
	}
	return count;
}

void conf_describe(FILE *out)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].type == SETTING_INT)
			fprintf(out, "  %-15s %-15s %s (%d–%d)\n", settings[i].name,
				settings[i].standard[0] ? settings[i].standard : "-", _(settings[i].text),
				settings[i].min, settings[i].max);
		else
			fprintf(out, "  %-15s %-15s %s\n", settings[i].name,
				settings[i].standard[0] ? settings[i].standard : "-", _(settings[i].text));
}

void conf_manual(FILE *out)
{
	char limits[80];

	man_begin(out, "jgd.ini", 5, _("精管服务器的配置"));
	man_text(out, _("数据目录里的 jgd.ini，一行一项：名字 = 值；# 或 ; 起头的是说明。"));
	man_heading(out, _("配置项"));
	for (size_t i = 0; i < SETTINGS; i++) {
		snprintf(limits, sizeof limits, _("（%d–%d）"), settings[i].min, settings[i].max);
		man_item(out, settings[i].name, settings[i].standard[0] ? settings[i].standard : "-",
			_(settings[i].text), settings[i].type == SETTING_INT ? limits : NULL);
	}
}
