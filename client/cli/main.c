/* jg - the school's client: its own commands, and the row of each service. */
#include <stdio.h>

#include "jg.h"
#include "service.h"

/* “students|destinations”: what the services export, filled in before help can ask for it. */
static char export_names[200];

/* clang-format off */
static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, "用连接码把这台电脑注册为本校设备",
		"enrol this computer as a device of the school", "connect --code ABCD-EFGH-… --server 10.0.0.1:7420", cli_cmd_connect, CLI_START},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, "登录；之后离线也能工作",
		"log in; work goes on offline afterwards", "login zhangsan", cmd_login, CLI_START},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "退出登录", "log out", "logout", cli_cmd_logout, CLI_START},
	{"passwd", "", 0, 0, cli_passwd_options, EVERYBODY, 0, "修改密码", "change the password", "passwd", cli_cmd_passwd, CLI_START},
	{"profiles", "", 0, 0, NULL, 0, 0, "列出这台电脑上的目录", "list the profiles of this computer", "profiles", cli_cmd_profiles, CLI_START},
	{"server", "[HOST:PORT]", 0, 1, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "查看服务器地址；县局换了地址时改到新地址（先核对是本县的服务器）",
		"show the server's address, or move to another one that proves to be the county's", "server 10.0.0.2:7420", cli_cmd_server, CLI_START},
	{"import list", "", 0, 0, NULL, EVERYBODY, READERS, "列出导入和批量修改的批次", "list imports and edits", "import list", cmd_import_list, CLI_TABLES},
	{"import undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次导入", "take an import back", "import undo 3", cmd_import_undo, CLI_TABLES},
	{"undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次修改", "take an edit back", "undo 5", cmd_import_undo, CLI_TABLES},
	{"sync", "", 0, 0, sync_options, EVERYBODY, 0, "发送本机的修改并接收新内容", "send what was changed here, receive what is new", "sync", cmd_sync, CLI_TABLES},
	{"status", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "本机还有什么没有发出去", "what has not been sent", "status --json", cmd_status, CLI_TABLES},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, "列出可填的代码：全部代码表，或其中一个", "list what may be written: all lists, or one of them", "help codes 去向类别", cli_cmd_help_codes, CLI_HELP},
	{"help fields", "", 0, 0, NULL, 0, 0, "列出各种记录的字段", "list the fields of all records", "help fields", cmd_help_fields, CLI_HELP},
	{"conflicts list", "", 0, 0, NULL, EVERYBODY, READERS, "列出与他人冲突的修改", "list conflicts", "conflicts list", cmd_conflicts_list, CLI_REST},
	{"conflicts show", "ID", 1, 1, NULL, EVERYBODY, READERS, "逐字段显示双方内容", "both versions field by field", "conflicts show 12", cmd_conflicts_show, CLI_REST},
	{"conflicts resolve", "ID mine|theirs|FIELD=VALUE…", 2, CLI_OPERANDS_MAX, conflicts_resolve_options, EVERYBODY, TEACHERS,
		"决定用谁的内容", "decide whose values stand", "conflicts resolve 12 mine --seen 2.1.1", cmd_conflicts_resolve, CLI_REST},
	{"outbox list", "", 0, 0, outbox_list_options, EVERYBODY, READERS, "列出本机的修改和它们的状态", "list the changes made here and their states",
		"outbox list", cmd_outbox_list, CLI_REST},
	{"outbox show", "ID", 1, 1, NULL, EVERYBODY, READERS, "显示一项修改", "show one", "outbox show 12", cmd_outbox_show, CLI_REST},
	{"outbox fix", "ID [FIELD=VALUE…]", 1, CLI_OPERANDS_MAX, NULL, EVERYBODY, TEACHERS, "改正后重新排队", "mend it and queue it again",
		"outbox fix 12 class_no=3", cmd_outbox_fix, CLI_REST},
	{"outbox revert", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "还原到修改前", "give back what was before", "outbox revert 12", cmd_outbox_revert, CLI_REST},
	{"outbox withdraw", "[ID…]", 0, CLI_OPERANDS_MAX, outbox_withdraw_options, EVERYBODY, TEACHERS, "撤回几项修改，或没有被接受的全部", "withdraw changes, or all that was not accepted", "outbox withdraw 12 15", cmd_outbox_withdraw, CLI_REST},
	{"export", export_names, 1, 1, export_options, EVERYBODY, READERS,
		"导出表格；destinations 的 .xlsx 是全部六年级学生的填报表，verify 是可打印、可填好再导入的核验名单，都有下拉选项",
		"export a table; destinations as .xlsx is the form of all sixth-graders, verify the list to print or fill and import, both with drop-downs",
		"export destinations -o 升学去向.xlsx", cmd_export, CLI_REST},
	{"todo", "", 0, 0, todo_options, EVERYBODY, 0, "该办的事，按期限", "what is to be done, by deadline", "todo --due 3", cmd_todo, CLI_REST},
	{"doctor", "", 0, 0, NULL, CLI_PROFILE, 0, "检查这台电脑：文件、证书、数据库、网络", "check files, certificate, store and server", "doctor", cmd_doctor, CLI_REST},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash > /etc/bash_completion.d/jg", cli_cmd_completion, CLI_REST},
	{0},
};

static const struct way ways[] = {
	{"conflicts", "jg conflicts list", NULL},
	{"outbox", "jg outbox list", NULL},
	{"fix", "jg outbox fix", NULL},
	{"sync", "jg sync", NULL},
	{"list_batches", "jg import list", NULL},
	{"import_table", "jg import", NULL},
	{"undo_import", "jg import undo", NULL},
	{"list_codes", "jg help codes", NULL},
	{"server", "jg server", NULL},
	{0},
};

/* clang-format on */

static const struct cli_part jg_spine = {commands, ways};

#define PART(name) extern const struct cli_part jg_##name;
#include "parts.def"
#undef PART

static const struct cli_part *const parts[] = {
#define PART(name) &jg_##name,
#include "parts.def"
	&jg_spine,
	NULL,
};

static const struct cli_program program = {
	"jg", "学校端", "the school's client", parts, jg_finish, NULL, jg_first};

static void name_exports(void)
{
	size_t n = 0;

	for (size_t i = 0; client_services[i]; i++)
		for (const struct export_rules *const *r = client_services[i]->exports; r && *r; r++)
			if (n < sizeof export_names)
				n += (size_t)snprintf(export_names + n, sizeof export_names - n, "%s%s",
					n ? "|" : "", (*r)->name);
}

int main(int argc, char **argv)
{
	name_exports();
	return cli_main(&program, argc, argv);
}
