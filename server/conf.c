#include "conf.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ini.h>
#include <uv.h>

enum setting_type { SETTING_TEXT, SETTING_INT, SETTING_BOOL };

static const struct setting {
	const char *name;
	enum setting_type type;
	size_t offset, size;
	const char *standard, *meaning;
} settings[] = {
#define TEXT(field) SETTING_TEXT, offsetof(struct conf, field), sizeof(((struct conf *)0)->field)
#define INT(field) SETTING_INT, offsetof(struct conf, field), 0
#define BOOL(field) SETTING_BOOL, offsetof(struct conf, field), 0
	{"county", INT(county), "0", "GB/T 2260 code of the county"},
	{"name", TEXT(name), "", "name of the bureau, as documents show it"},
	{"rehearsal", BOOL(rehearsal), "no", "a practice county: its clock can be moved, every page says 演练"},
	{"embedded", BOOL(embedded), "no", "a private PostgreSQL under DIR/pg that serve starts and stops"},
	{"database_owner", TEXT(database_owner), "", "connection of the owner: migrate, backup, doctor"},
	{"database_app", TEXT(database_app), "", "connection that serves; its role owns nothing"},
	{"listen", TEXT(listen), "0.0.0.0:7420", "address of the clients' port"},
	{"metrics", TEXT(metrics), "127.0.0.1:7421", "address of /metrics, /healthz, /readyz: keep it on loopback"},
	{"user", TEXT(user), "jingguan", "account to drop to when started as root"},
	{"workers", INT(workers), "2", "loops, one thread each: one per core"},
	{"pool", INT(pool), "4", "database connections of each loop"},
	{"per_address", INT(per_address), "256", "connections per client address and loop: a county's schools may share one NAT"},
	{"grouping", BOOL(grouping), "yes", "one-op pushes of different schools share a transaction"},
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
		return *value && !*end && !errno && number >= 0 && number <= INT_MAX;
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
		assign(c, &settings[i], settings[i].standard);
}

struct loading {
	struct conf *conf;
	struct problem *problem;
};

static int on_setting(void *data, const char *section, const char *name, const char *value)
{
	struct loading *l = data;

	(void)section;
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0 && assign(l->conf, &settings[i], value))
			return 1;
	problem_set(l->problem, ERR_INVALID, name, NULL, tr("配置项 %s 无法识别或取值不对", "setting %s is unknown or has a bad value"), name);
	return 0;
}

enum err conf_address(const char *text, struct sockaddr_storage *out, struct problem *p)
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
		(uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out) && uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out)))
		return problem_set(p, ERR_USAGE, "listen", tr("写成 127.0.0.1:7420 这样", "write it like 127.0.0.1:7420"),
			tr("地址 %s 不对", "%s is not an address"), text);
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

enum err conf_load(struct conf *c, const char *dir, struct problem *p)
{
	char path[600];
	struct loading l = {c, p};

	conf_defaults(c);
	snprintf(c->dir, sizeof c->dir, "%s", dir);
	snprintf(path, sizeof path, "%s/jgd.ini", dir);
	*p = (struct problem){0};
	int r = ini_parse(path, on_setting, &l);
	if (r < 0)
		return problem_set(p, ERR_NOT_FOUND, "data", tr("先运行 jgd init --data DIR", "run jgd init --data DIR first"),
			tr("读不到 %s", "cannot read %s"), path);
	if (r > 0)
		return p->code ? p->code : problem_set(p, ERR_INVALID, NULL, NULL, tr("%s 第 %d 行有错", "%s: line %d is wrong"), path, r);
	enum err e = conf_address(c->listen, &c->listen_addr, p);
	return e ? e : conf_address(c->metrics, &c->metrics_addr, p);
}

enum err conf_save(const struct conf *c, struct problem *p)
{
	char path[600];

	snprintf(path, sizeof path, "%s/jgd.ini", c->dir);
	mode_t before = umask(077); /* the file holds the database password */
	FILE *out = fopen(path, "w");
	umask(before);
	if (!out)
		return problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", path, strerror(errno));
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
	if (fclose(out))
		return problem_set(p, ERR_FILE_IO, NULL, NULL, "%s: %s", path, strerror(errno));
	return ERR_OK;
}

void conf_describe(FILE *out)
{
	for (size_t i = 0; i < SETTINGS; i++)
		fprintf(out, "  %-15s %-15s %s\n", settings[i].name, settings[i].standard[0] ? settings[i].standard : "-", settings[i].meaning);
}
