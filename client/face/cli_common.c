/* Commands that every client program has: connecting, logging in and out, passwords, profiles, completion. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "cli.h"
#include "codes.h"
#include "enrol.h"
#include "lang.h"
#include "login.h"
#include "tables.h"

#define PASSWORD_SIZE 512

const struct cli_option cli_connect_options[] = {
	{"code", "CODE", N_("连接码，- 表示从标准输入读")},
	{"server", "HOST:PORT", N_("服务器地址，代替连接码里的")},
	{0},
};
const struct cli_option cli_login_options[] = {
	{"password-file", "FILE", N_("从文件读密码")},
	{0},
};
const struct cli_option cli_passwd_options[] = {
	{"password-file", "FILE", N_("从文件读原密码")},
	{"new-password-file", "FILE", N_("从文件读新密码")},
	{0},
};

/* with half a second between: 20 seconds in a queue behind somebody who guesses codes */
#define CONNECT_TRIES 40

/* Codes are tried one after the other, county-wide, so that nobody guesses them: an honest one waits for its
 * turn. */
static enum err connect_patiently(struct cli *c, const char *code, const char *server)
{
	enum err e = enrol_connect(&c->profile, code, server, &c->problem);

	for (int i = 1; e == ERR_BUSY && i < CONNECT_TRIES; i++) {
		if (i == 1)
			cli_warn(c, "%s", _("服务器忙，排队等候……"));
		usleep(c->problem.retry_ms > 500 && c->problem.retry_ms < 5000 ? c->problem.retry_ms * 1000
									       : 500000);
		e = enrol_connect(&c->profile, code, server, &c->problem);
	}
	return e;
}

int cli_cmd_connect(struct cli *c)
{
	static char line[512];
	const char *code = cli_option(c, "code"), *server = cli_option(c, "server");

	if (!code && cli_is_asked(c) && cli_ask(_("接入单上的连接码："), line, sizeof line))
		code = line;
	if (!code)
		return cli_fail_with(c, ERR_USAGE, _("加上 --code 连接码（接入单上有）"), _("缺少连接码"));
	if (strcmp(code, "-") == 0) {
		if (!fgets(line, sizeof line, stdin))
			line[0] = 0;
		code = line;
		line[strcspn(line, "\r\n")] = 0;
	}
	if (connect_patiently(c, code, server))
		return cli_fail(c);
	/* The first HELLO says what the school is called; without it the code will do. */
	struct link *link = NULL;
	if (!c->json && !link_open(&link, &c->profile, NULL, NULL))
		link_close(link);
	const char *whose = c->profile.school[0] ? c->profile.school : _("教育局");
	cli_say(c, _("已注册：设备 %s，单位 %s"), c->profile.device,
		c->profile.school_name[0] ? c->profile.school_name : whose);
	cli_next(c, _("%s login 用户名"), c->program->name);
	return cli_result(c,
		json_pack("{ss ss ss ss}", "device", c->profile.device, "scope", c->profile.scope, "school",
			c->profile.school, "server", c->profile.server),
		0);
}

int cli_cmd_server(struct cli *c)
{
	const char *wanted = cli_operand(c, 0);

	if (*wanted && enrol_move(&c->profile, wanted, &c->problem))
		return cli_fail(c);
	cli_say(c, *wanted ? _("已核对是本县的服务器，以后连接 %s") : "%s", c->profile.server);
	return cli_result(c, json_pack("{ss}", "server", c->profile.server), 0);
}

json_t *cli_session_json(const struct cli *c)
{
	json_t *roles = json_array();

	for (size_t i = 0; i < role_count; i++)
		if (c->profile.session.roles >> role_table[i].number & 1)
			json_array_append_new(roles, json_string(role_table[i].name));
	return json_pack("{ss ss so sb}", "user", c->profile.session.user, "name", c->profile.session.name,
		"roles", roles, "must_change", c->profile.session.must_change);
}

void cli_login_told(const struct cli *c)
{
	cli_say(c, _("%s 已登录"),
		c->profile.session.name[0] ? c->profile.session.name : c->profile.session.user);
	if (c->profile.session.must_change)
		cli_warn(c, _("初始密码须在 24 小时内修改：%s passwd"), c->program->name);
	else
		cli_next(c, "%s %s", c->program->name, c->program->first(c));
}

int cli_login(struct cli *c)
{
	char password[PASSWORD_SIZE];
	struct link *link;
	enum err e = cli_password(c, "password-file", true, _("密码："), password, sizeof password);

	if (!e)
		e = login_open(&c->profile, NULL, cli_operand(c, 0), password, &link, &c->problem);
	sodium_memzero(password, sizeof password);
	if (e)
		return cli_fail(c);
	link_close(link);
	cli_login_told(c);
	return cli_result(c, cli_session_json(c), 0);
}

int cli_cmd_logout(struct cli *c)
{
	enum err e = login_close(&c->profile, &c->problem);

	if (e)
		cli_warn(c, "%s", _("服务器没有收到退出；本机的登录已清除，那边 12 小时后失效"));
	return cli_result(c, json_pack("{sb}", "logged_out", true), 0);
}

int cli_cmd_passwd(struct cli *c)
{
	char password[PASSWORD_SIZE], new_password[PASSWORD_SIZE];
	enum err e = cli_password(c, "password-file", true, _("原密码："), password, sizeof password);

	if (!e)
		e = cli_new_password(c, "new-password-file", new_password, sizeof new_password);
	if (!e)
		e = login_change(&c->profile, password, new_password, &c->problem);
	sodium_memzero(password, sizeof password);
	sodium_memzero(new_password, sizeof new_password);
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", _("密码已修改"));
	cli_next(c, "%s %s", c->program->name, c->program->first(c));
	return cli_result(c, cli_session_json(c), 0);
}

/* The default folder, what lies beside it (jingguan-…), and the one that --profile names. */
int cli_cmd_profiles(struct cli *c)
{
	const char *headings[] = {_("目录"), _("单位"), _("服务器"), _("用户")};
	struct cli_table *table = cli_table_new(headings, 4);
	char base[400], path[800];
	json_t *list = json_array();

	profile_default_dir(base, sizeof base);
	char *name = strrchr(base, '/');
	*name++ = 0;
	DIR *dir = opendir(base);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct profile p;
		if (strncmp(entry->d_name, name, strlen(name)) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", base, entry->d_name);
		if (strlen(path) >= sizeof p.dir || profile_peek(&p, path) || !p.device[0])
			continue;
		json_array_append_new(list,
			json_pack("{ss ss ss ss ss ss}", "dir", path, "school", p.school, "name",
				p.school_name, "server", p.server, "device", p.device, "user",
				p.session.user));
		cli_table_row(table,
			(const char *[]){
				path, p.school_name[0] ? p.school_name : p.school, p.server, p.session.user});
	}
	if (dir)
		closedir(dir);
	cli_table_print(c, table);
	return cli_result(c, list, 0);
}

static bool same_first_words(const char *a, const char *b)
{
	size_t n = strcspn(a, " ");

	return strcspn(b, " ") == n && memcmp(a, b, n) == 0;
}

/* A completion of words and options for bash; everything comes from the command table. */
int cli_cmd_completion(struct cli *c)
{
	const struct cli_program *program = c->program;

	if (strcmp(cli_operand(c, 0), "bash") != 0)
		return cli_fail_with(c, ERR_USAGE, NULL, _("只有 bash 的补全"));
	printf("_%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	       "words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n\tcase \"$words\" in\n",
		program->name);
	for (size_t i = 0; i < c->command_count; i++) {
		const struct cli_command *command = c->commands[i];
		printf("\t\"%s\"*) COMPREPLY=($(compgen -f -W '", command->words);
		for (const struct cli_option *o = command->options; o && o->name; o++)
			printf("%s%s ", o->name[1] ? "--" : "-", o->name);
		printf("--json --reveal --help' -- \"$cur\"));;\n");
	}
	for (size_t i = 0; i < c->command_count; i++) {
		if (i && same_first_words(c->commands[i]->words, c->commands[i - 1]->words))
			continue;
		int n = (int)strcspn(c->commands[i]->words, " ");
		if (!c->commands[i]->words[n])
			continue;
		printf("\t\"%.*s\") COMPREPLY=($(compgen -W '", n, c->commands[i]->words);
		for (size_t k = 0; k < c->command_count; k++)
			if (same_first_words(c->commands[k]->words, c->commands[i]->words))
				printf("%s ", c->commands[k]->words + n + 1);
		printf("' -- \"$cur\"));;\n");
	}
	printf("\t\"\") COMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < c->command_count; i++)
		if (!i || !same_first_words(c->commands[i]->words, c->commands[i - 1]->words))
			printf("%.*s ", (int)strcspn(c->commands[i]->words, " "), c->commands[i]->words);
	printf("' -- \"$cur\"));;\n\tesac\n}\ncomplete -o filenames -F _%s %s\n", program->name,
		program->name);
	return 0;
}

/* What may be written: the names of the lists, or one list with all its codes. */
int cli_cmd_help_codes(struct cli *c)
{
	const char *wanted = cli_operand(c, 0);
	const struct code_list *list = *wanted ? code_list_called(wanted) : NULL;
	const char *const one[] = {_("代码"), _("中文"), _("英文")},
			  *const all[] = {_("代码表"), _("名称"), _("项数")};
	const char *name;
	char n[16];

	if (*wanted && !list) {
		char hint[HINT_SIZE];
		snprintf(hint, sizeof hint, _("运行 %s help codes 列出全部代码表"), c->program->name);
		return cli_fail_with(c, ERR_NOT_FOUND, hint, _("没有代码表 %s"), wanted);
	}
	json_t *out = json_array();
	struct cli_table *table = cli_table_new(list ? one : all, 3);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct code_item *item = &list->items[i];
		cli_table_row(table, (const char *[]){item->code, item->zh, item->en});
		json_array_append_new(
			out, json_pack("{ss ss ss}", "code", item->code, "zh", item->zh, "en", item->en));
	}
	for (size_t i = 0; !list && (list = code_list_at(i, &name)); list = NULL, i++) {
		snprintf(n, sizeof n, "%zu", list->n);
		cli_table_row(table, (const char *[]){name, list->name, n});
		json_array_append_new(out,
			json_pack("{ss ss si}", "list", name, "name", list->name, "codes", (int)list->n));
	}
	cli_table_print(c, table);
	return cli_result(c, out, 0);
}
