/* jg - the school's client: the table of its commands. */
#include "jg.h"

#include "tables.h"

static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, "用连接码把这台电脑注册为本校设备",
		"enrol this computer as a device of the school",
		"connect --code ABCD-EFGH-… --server 10.0.0.1:7420", cli_cmd_connect},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, "登录；之后离线也能工作",
		"log in; work goes on offline afterwards", "login zhangsan", cmd_login},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "退出登录", "log out", "logout",
		cli_cmd_logout},
	{"passwd", "", 0, 0, cli_passwd_options, CLI_PROFILE | CLI_LOGGED_IN, 0, "修改密码",
		"change the password", "passwd", cli_cmd_passwd},
	{"profiles", "", 0, 0, NULL, 0, 0, "列出这台电脑上的目录", "list the profiles of this computer",
		"profiles", cli_cmd_profiles},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash > /etc/bash_completion.d/jg", cli_cmd_completion},
};

static const struct cli_program program = {
	"jg", "学校端", "the school's client", commands, sizeof commands / sizeof *commands, NULL};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
