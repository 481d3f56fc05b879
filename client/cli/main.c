/* jg - the school's client: its own commands, and the row of each service. */
#include "jg.h"

#include "lang.h"

/* clang-format off */
static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, N_("用连接码把这台电脑注册为本校设备"), "connect --code ABCD-EFGH-… --server 10.0.0.1:7420", cli_cmd_connect, CLI_START},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, N_("登录；之后离线也能工作"), "login zhangsan", cmd_login, CLI_START},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, N_("退出登录"), "logout", cli_cmd_logout, CLI_START},
	{"passwd", "", 0, 0, cli_passwd_options, EVERYBODY, 0, N_("修改密码"), "passwd", cli_cmd_passwd, CLI_START},
	{"profiles", "", 0, 0, NULL, 0, 0, N_("列出这台电脑上的目录"), "profiles", cli_cmd_profiles, CLI_START},
	{"server", "[HOST:PORT]", 0, 1, NULL, CLI_PROFILE | CLI_ENROLLED, 0, N_("查看服务器地址；县局换了地址时改到新地址（先核对是本县的服务器）"), "server 10.0.0.2:7420", cli_cmd_server, CLI_START},
	{"import list", "", 0, 0, NULL, EVERYBODY, READERS, N_("列出导入和批量修改的批次"), "import list", cmd_import_list, CLI_TABLES},
	{"import undo", "ID", 1, 1, NULL, EVERYBODY, READERS, N_("撤销一次导入"), "import undo 3", cmd_import_undo, CLI_TABLES},
	{"undo", "ID", 1, 1, NULL, EVERYBODY, READERS, N_("撤销一次修改"), "undo 5", cmd_import_undo, CLI_TABLES},
	{"sync", "", 0, 0, sync_options, EVERYBODY, 0, N_("发送本机的修改并接收新内容"), "sync", cmd_sync, CLI_TABLES},
	{"status", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, N_("本机还有什么没有发出去"), "status --json", cmd_status, CLI_TABLES},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, N_("列出可填的代码：全部代码表，或其中一个"), N_("help codes 去向类别"), cli_cmd_help_codes, CLI_HELP},
	{"help fields", "", 0, 0, NULL, 0, 0, N_("列出各种记录的字段"), "help fields", cmd_help_fields, CLI_HELP},
	{"conflicts list", "", 0, 0, NULL, EVERYBODY, TYPISTS, N_("列出与他人冲突的修改"), "conflicts list", cmd_conflicts_list, CLI_REST},
	{"conflicts show", "ID", 1, 1, NULL, EVERYBODY, TYPISTS, N_("逐字段显示双方内容"), "conflicts show 12", cmd_conflicts_show, CLI_REST},
	{"conflicts resolve", "ID mine|theirs|FIELD=VALUE…", 2, CLI_OPERANDS_MAX, conflicts_resolve_options, EVERYBODY, TYPISTS,
		N_("决定用谁的内容"), N_("conflicts resolve 12 我的 --seen 2.1.1"), cmd_conflicts_resolve, CLI_REST},
	{"outbox list", "", 0, 0, outbox_list_options, EVERYBODY, TYPISTS, N_("列出本机的修改和它们的状态"),
		"outbox list", cmd_outbox_list, CLI_REST},
	{"outbox show", "ID", 1, 1, NULL, EVERYBODY, TYPISTS, N_("显示一项修改"), "outbox show 12", cmd_outbox_show, CLI_REST},
	{"outbox fix", "ID [FIELD=VALUE…]", 1, CLI_OPERANDS_MAX, NULL, EVERYBODY, TYPISTS, N_("改正后重新排队"),
		"outbox fix 12 class_no=3", cmd_outbox_fix, CLI_REST},
	{"outbox revert", "ID", 1, 1, NULL, EVERYBODY, TYPISTS, N_("还原到修改前"), "outbox revert 12", cmd_outbox_revert, CLI_REST},
	{"outbox withdraw", "[ID…]", 0, CLI_OPERANDS_MAX, outbox_withdraw_options, EVERYBODY, TYPISTS, N_("撤回几项修改，或没有被接受的全部"), "outbox withdraw 12 15", cmd_outbox_withdraw, CLI_REST},
	{"todo", "", 0, 0, todo_options, EVERYBODY, 0, N_("该办的事，按期限"), "todo --due 3", cmd_todo, CLI_REST},
	{"doctor", "", 0, 0, NULL, CLI_PROFILE, 0, N_("检查这台电脑：文件、证书、数据库、网络"), "doctor", cmd_doctor, CLI_REST},
	{"completion", "bash", 1, 1, NULL, 0, 0, N_("打印 shell 补全脚本"),
		"completion bash > /etc/bash_completion.d/jg", cli_cmd_completion, CLI_REST},
	{0},
};

static const struct way ways[] = {
	{"conflicts", "jg conflicts list"},
	{"outbox", "jg outbox list"},
	{"fix", "jg outbox fix"},
	{"sync", "jg sync"},
	{"list_batches", "jg import list"},
	{"import_table", "jg import"},
	{"undo_import", "jg import undo"},
	{"list_codes", "jg help codes"},
	{"server", "jg server"},
	{0},
};

/* clang-format on */

static const struct cli_part jg_spine = {commands, ways, NULL};

#define CORE(name)
#define JGADMIN(name)
#define JG(name) extern const struct cli_part jg_##name;
#include "services.def"
#undef JG

static const struct cli_part *const parts[] = {
#define JG(name) &jg_##name,
#include "services.def"
	&jg_spine,
	NULL,
};

static const struct cli_program program = {"jg", N_("学校端"), parts, jg_finish, NULL, jg_choose_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
