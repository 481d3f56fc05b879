/* Commands that every client program has: connecting, logging in and out, passwords, profiles, completion. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "cli.h"
#include "enrol.h"
#include "login.h"
#include "tables.h"

#define PASSWORD_SIZE 512

const struct cli_option cli_connect_options[] = {
	{"code", "CODE", "连接码，- 表示从标准输入读", "the connect code, - reads standard input"},
	{"server", "HOST:PORT", "服务器地址，代替连接码里的", "the server's address instead of the code's"},
	{0},
};
const struct cli_option cli_login_options[] = {
	{"password-file", "FILE", "从文件读密码", "read the password from a file"},
	{0},
};
const struct cli_option cli_passwd_options[] = {
	{"password-file", "FILE", "从文件读原密码", "read the present password from a file"},
	{"new-password-file", "FILE", "从文件读新密码", "read the new password from a file"},
	{0},
};

static enum err read_line_of(struct cli *c, const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "re");

	if (!in || !fgets(out, (int)size, in)) {
		if (in)
			fclose(in);
		return problem_set(
			&c->problem, ERR_FILE_IO, NULL, NULL, tr("读不到 %s", "%s cannot be read"), path);
	}
	fclose(in);
	out[strcspn(out, "\r\n")] = 0;
	return ERR_OK;
}

/* At the terminal itself, also when standard input is a pipe. */
static enum err ask_terminal(struct cli *c, const char *prompt, char *out, size_t size)
{
	struct termios before, quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;

	if (fd < 0 || tcgetattr(fd, &before)) {
		if (fd >= 0)
			close(fd);
		return problem_set(&c->problem, ERR_USAGE, NULL,
			tr("用 --password-file 或 JG_PASSWORD", "use --password-file or JG_PASSWORD"),
			tr("没有终端可以输入密码", "there is no terminal to ask for the password"));
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(fd, "%s", prompt);
	n = read(fd, out, size - 1);
	dprintf(fd, "\n");
	tcsetattr(fd, TCSAFLUSH, &before);
	close(fd);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\r\n")] = 0;
	return ERR_OK;
}

enum err cli_password(struct cli *c, const char *option, bool env, const char *prompt, char *out, size_t size)
{
	const char *file = cli_option(c, option), *given = env ? getenv("JG_PASSWORD") : NULL;

	if (file)
		return read_line_of(c, file, out, size);
	if (given) {
		snprintf(out, size, "%s", given);
		return ERR_OK;
	}
	return ask_terminal(c, prompt, out, size);
}

int cli_cmd_connect(struct cli *c)
{
	static char line[512];
	const char *code = cli_option(c, "code"), *server = cli_option(c, "server");

	if (!code)
		return cli_fail_with(c, ERR_USAGE, tr("加上 --code 连接码", "add --code CODE"),
			tr("缺少连接码", "the connect code is missing"));
	if (strcmp(code, "-") == 0) {
		if (!fgets(line, sizeof line, stdin))
			line[0] = 0;
		code = line;
		line[strcspn(line, "\r\n")] = 0;
	}
	if (enrol_connect(&c->profile, code, server, &c->problem))
		return cli_fail(c);
	cli_say(c, tr("已注册：设备 %s，单位 %s", "enrolled: device %s of %s"), c->profile.device,
		c->profile.school[0] ? c->profile.school : tr("教育局", "the bureau"));
	cli_say(c, "%s", tr("接下来：login 用户名", "next: login USER"));
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
	cli_say(c,
		*wanted ? tr("已核对是本县的服务器，以后连接 %s",
				  "it is this county's server; from now on %s")
			: "%s",
		c->profile.server);
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
	cli_say(c, tr("%s 已登录", "%s is logged in"),
		c->profile.session.name[0] ? c->profile.session.name : c->profile.session.user);
	if (c->profile.session.must_change)
		cli_warn(c, "%s",
			tr("初始密码须在 24 小时内修改：passwd",
				"the first password must be changed within 24 hours: passwd"));
}

int cli_login(struct cli *c)
{
	char password[PASSWORD_SIZE];
	struct link *link;
	enum err e =
		cli_password(c, "password-file", true, tr("密码：", "Password: "), password, sizeof password);

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
		cli_warn(c, "%s",
			tr("服务器没有收到退出；本机的登录已清除，那边 12 小时后失效",
				"the server was not told; the session here is gone, there it ends within 12 "
				"hours"));
	return cli_result(c, json_pack("{sb}", "logged_out", true), 0);
}

int cli_cmd_passwd(struct cli *c)
{
	char password[PASSWORD_SIZE], new_password[PASSWORD_SIZE];
	enum err e = cli_password(
		c, "password-file", true, tr("原密码：", "Present password: "), password, sizeof password);

	if (!e)
		e = cli_password(c, "new-password-file", false, tr("新密码：", "New password: "),
			new_password, sizeof new_password);
	if (!e)
		e = login_change(&c->profile, password, new_password, &c->problem);
	sodium_memzero(password, sizeof password);
	sodium_memzero(new_password, sizeof new_password);
	if (e)
		return cli_fail(c);
	cli_say(c, "%s", tr("密码已修改", "the password is changed"));
	return cli_result(c, cli_session_json(c), 0);
}

/* The default folder, what lies beside it (jingguan-…), and the one that --profile names. */
int cli_cmd_profiles(struct cli *c)
{
	const char *headings[] = {
		tr("目录", "folder"), tr("单位", "school"), tr("服务器", "server"), tr("用户", "user")};
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
		json_array_append_new(list, json_pack("{ss ss ss ss ss ss}", "dir", path, "school", p.school,
						    "name", p.school_name, "server", p.server, "device",
						    p.device, "user", p.session.user));
		cli_table_row(table, (const char *[]){path, p.school_name[0] ? p.school_name : p.school,
					     p.server, p.session.user});
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
		return cli_fail_with(
			c, ERR_USAGE, NULL, tr("只有 bash 的补全", "there is completion for bash only"));
	printf("_%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	       "words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n\tcase \"$words\" in\n",
		program->name);
	for (size_t i = 0; i < program->count; i++) {
		const struct cli_command *command = &program->commands[i];
		printf("\t\"%s\"*) COMPREPLY=($(compgen -f -W '", command->words);
		for (const struct cli_option *o = command->options; o && o->name; o++)
			printf("%s%s ", o->name[1] ? "--" : "-", o->name);
		printf("--json --reveal --help' -- \"$cur\"));;\n");
	}
	for (size_t i = 0; i < program->count; i++) {
		if (i && same_first_words(program->commands[i].words, program->commands[i - 1].words))
			continue;
		int n = (int)strcspn(program->commands[i].words, " ");
		if (!program->commands[i].words[n])
			continue;
		printf("\t\"%.*s\") COMPREPLY=($(compgen -W '", n, program->commands[i].words);
		for (size_t k = 0; k < program->count; k++)
			if (same_first_words(program->commands[k].words, program->commands[i].words))
				printf("%s ", program->commands[k].words + n + 1);
		printf("' -- \"$cur\"));;\n");
	}
	printf("\t\"\") COMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < program->count; i++)
		if (!i || !same_first_words(program->commands[i].words, program->commands[i - 1].words))
			printf("%.*s ", (int)strcspn(program->commands[i].words, " "),
				program->commands[i].words);
	printf("' -- \"$cur\"));;\n\tesac\n}\ncomplete -o filenames -F _%s %s\n", program->name,
		program->name);
	return 0;
}

/* ---- Asking ---- */

bool cli_is_asked(const struct cli *c)
{
	return !c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool cli_confirm(const char *word, const char *prompt)
{
	char line[64];

	fputs(prompt, stdout);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return strcmp(line, word) == 0;
}
