/* jgadmin - the bureau's and the administrators' client: its own commands, and the row of each service.
 * Online only. */
#include "admin.h"

static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, "用连接码把这台电脑注册为县局设备",
		"enrol this computer as a device of the bureau", "connect --code ABCD-EFGH-…",
		cli_cmd_connect, CLI_START},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, "登录", "log in",
		"login sysadmin", cmd_login, CLI_START},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "退出登录", "log out", "logout",
		cli_cmd_logout, CLI_START},
	{"passwd", "", 0, 0, cli_passwd_options, CLI_PROFILE | CLI_LOGGED_IN, 0, "修改密码",
		"change the password", "passwd", cli_cmd_passwd, CLI_START},
	{"profiles", "", 0, 0, NULL, 0, 0, "列出这台电脑上的目录", "list the profiles of this computer",
		"profiles", cli_cmd_profiles, CLI_START},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash", cli_cmd_completion, CLI_START},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, "列出可填的代码：全部代码表，或其中一个",
		"list what may be written: all lists, or one of them", "help codes 去向类别",
		cli_cmd_help_codes, CLI_HELP},
	{0},
};

static const struct cli_part admin_spine = {commands, NULL};

#define PART(name) extern const struct cli_part admin_##name;
#include "parts.def"
#undef PART

static const struct cli_part *const parts[] = {
#define PART(name) &admin_##name,
#include "parts.def"
	&admin_spine,
	NULL,
};

static const struct cli_program program = {
	"jgadmin", "县局管理端", "the bureau's client", parts, admin_finish, admin_prepare, admin_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
