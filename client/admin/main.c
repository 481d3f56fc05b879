/* jgadmin - the bureau's and the administrators' client: its own commands, and the row of each service.
 * Online only. */
#include "admin.h"

#include "lang.h"

static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, N_("用连接码把这台电脑注册为县局设备"),
		"connect --code ABCD-EFGH-…", cli_cmd_connect, CLI_START},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, N_("登录"),
		"login sysadmin", cmd_login, CLI_START},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, N_("退出登录"), "logout", cli_cmd_logout,
		CLI_START},
	{"passwd", "", 0, 0, cli_passwd_options, CLI_PROFILE | CLI_LOGGED_IN, 0, N_("修改密码"), "passwd",
		cli_cmd_passwd, CLI_START},
	{"profiles", "", 0, 0, NULL, 0, 0, N_("列出这台电脑上的目录"), "profiles", cli_cmd_profiles,
		CLI_START},
	{"completion", "bash", 1, 1, NULL, 0, 0, N_("打印 shell 补全脚本"), "completion bash",
		cli_cmd_completion, CLI_START},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, N_("列出可填的代码：全部代码表，或其中一个"),
		N_("help codes 去向类别"), cli_cmd_help_codes, CLI_HELP},
	{0},
};

static const struct cli_part admin_spine = {commands, NULL, NULL};

#define CORE(name)
#define JG(name)
#define JGADMIN(name) extern const struct cli_part admin_##name;
#include "services.def"
#undef JGADMIN

static const struct cli_part *const parts[] = {
#define JGADMIN(name) &admin_##name,
#include "services.def"
	&admin_spine,
	NULL,
};

static const struct cli_program program = {
	"jgadmin", N_("县局管理端"), parts, admin_finish, admin_prepare, admin_choose_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
