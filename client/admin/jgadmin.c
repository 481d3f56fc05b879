/* jgadmin - the bureau's and the administrators' client: its own commands, and the row of each service.
 * Online only. */
#include "admin.h"

#include "lang.h"

static const struct cli_command commands[] = {
	{.words = "connect",
		.operands = "",
		.options = cli_connect_options,
		.needs = CLI_PROFILE,
		.text = N_("用连接码把这台电脑注册为县局设备"),
		.example = "connect --code ABCD-EFGH-…",
		.run = cli_cmd_connect,
		.section = CLI_START},
	{.words = "login",
		.operands = "USER",
		.min = 1,
		.max = 1,
		.options = cli_login_options,
		.needs = CLI_PROFILE | CLI_ENROLLED,
		.text = N_("登录"),
		.example = "login sysadmin",
		.run = cmd_login,
		.section = CLI_START},
	{.words = "logout",
		.operands = "",
		.needs = CLI_PROFILE | CLI_ENROLLED,
		.text = N_("退出登录"),
		.example = "logout",
		.run = cli_cmd_logout,
		.section = CLI_START},
	{.words = "passwd",
		.operands = "",
		.options = cli_passwd_options,
		.needs = CLI_PROFILE | CLI_LOGGED_IN,
		.text = N_("修改密码"),
		.example = "passwd",
		.run = cli_cmd_passwd,
		.section = CLI_START},
	{.words = "profiles",
		.operands = "",
		.text = N_("列出这台电脑上的目录"),
		.example = "profiles",
		.run = cli_cmd_profiles,
		.section = CLI_START},
	{.words = "completion",
		.operands = "bash",
		.min = 1,
		.max = 1,
		.text = N_("打印 shell 补全脚本"),
		.example = "completion bash",
		.run = cli_cmd_completion,
		.section = CLI_START},
	{.words = "help codes",
		.operands = "[LIST]",
		.max = 1,
		.text = N_("列出可填的代码：全部代码表，或其中一个"),
		.example = N_("help codes 去向类别"),
		.run = cli_cmd_help_codes,
		.section = CLI_HELP},
	{0},
};

static const struct cli_part admin_spine = {commands, NULL, NULL};

#define CORE(name)
#define JG(name)
#define JGADMIN(name) extern const struct cli_part admin_##name;
#include "client_services.def"
#undef JGADMIN

static const struct cli_part *const parts[] = {
#define JGADMIN(name) &admin_##name,
#include "client_services.def"
	&admin_spine,
	NULL,
};

static const struct cli_program program = {
	"jgadmin", N_("县局管理端"), parts, admin_finish, admin_prepare, admin_choose_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
