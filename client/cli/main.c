/* jg - the school's client: the table of its commands. */
#include "jg.h"

#include "tables.h"

#define EVERYBODY (CLI_PROFILE | CLI_LOGGED_IN)
#define TEACHERS (1u << ROLE_REGISTRAR | 1u << ROLE_CLASS_TEACHER)
#define READERS (TEACHERS | 1u << ROLE_HEAD)
#define OFFICERS (1u << ROLE_REGISTRAR | 1u << ROLE_HEAD)
#define REGISTRARS (1u << ROLE_REGISTRAR)

/* clang-format off */
static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, "用连接码把这台电脑注册为本校设备",
		"enrol this computer as a device of the school", "connect --code ABCD-EFGH-… --server 10.0.0.1:7420", cli_cmd_connect},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, "登录；之后离线也能工作",
		"log in; work goes on offline afterwards", "login zhangsan", cmd_login},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "退出登录", "log out", "logout", cli_cmd_logout},
	{"passwd", "", 0, 0, cli_passwd_options, EVERYBODY, 0, "修改密码", "change the password", "passwd", cli_cmd_passwd},
	{"profiles", "", 0, 0, NULL, 0, 0, "列出这台电脑上的目录", "list the profiles of this computer", "profiles", cli_cmd_profiles},
	{"import students", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入学生名册（.xlsx .csv）",
		"import the pupils of the school", "import students 学生.xlsx --dry-run", cmd_import_students},
	{"import destinations", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入升学去向信息表",
		"import where the sixth grade goes", "import destinations 去向.xlsx --errors 待改.xlsx", cmd_import_destinations},
	{"import enrolled", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入初中新生名册",
		"import the roster of the new seventh grade", "import enrolled 新生.xlsx", cmd_import_enrolled},
	{"import list", "", 0, 0, NULL, EVERYBODY, READERS, "列出导入和批量修改的批次", "list imports and edits", "import list", cmd_import_list},
	{"import undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次导入", "take an import back", "import undo 3", cmd_import_undo},
	{"undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次修改", "take an edit back", "undo 5", cmd_import_undo},
	{"sync", "", 0, 0, sync_options, EVERYBODY, 0, "发送本机的修改并接收新内容", "send what was changed here, receive what is new", "sync", cmd_sync},
	{"status", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "本机还有什么没有发出去", "what has not been sent", "status --json", cmd_status},
	{"students list", "", 0, 0, students_list_options, EVERYBODY, READERS, "列出学生", "list pupils", "students list --grade 16 --class 3", cmd_students_list},
	{"students show", "PUPIL", 1, 1, NULL, EVERYBODY, READERS, "显示一名学生（编号或证件号码，- 从标准输入读）",
		"show a pupil (id or number, - reads standard input)", "students show -", cmd_students_show},
	{"students set", "PUPIL FIELD=VALUE…", 2, CLI_OPERANDS_MAX, NULL, EVERYBODY, TEACHERS, "修改一名学生", "change a pupil",
		"students set 329999201403150017 class_no=3", cmd_students_set},
	{"pupil find", "TEXT", 1, 1, NULL, EVERYBODY, READERS, "按姓名、拼音首字母或号码末四位查找",
		"find by name, pinyin initials or the last four digits", "pupil find zs", cmd_pupil_find},
	{"help fields", "", 0, 0, NULL, 0, 0, "列出各种记录的字段", "list the fields of all records", "help fields", cmd_help_fields},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash > /etc/bash_completion.d/jg", cli_cmd_completion},
};
/* clang-format on */

static const struct cli_program program = {
	"jg", "学校端", "the school's client", commands, sizeof commands / sizeof *commands, jg_finish};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
