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
	{"server", "[HOST:PORT]", 0, 1, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "查看服务器地址；县局换了地址时改到新地址（先核对是本县的服务器）",
		"show the server's address, or move to another one that proves to be the county's", "server 10.0.0.2:7420", cli_cmd_server},
	{"import students", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入学生名册（.xlsx .csv）",
		"import the pupils of the school", "import students 学生.xlsx --dry-run", cmd_import_students},
	{"import destinations", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入升学去向信息表",
		"import where the sixth grade goes", "import destinations 去向.xlsx --errors 待改.xlsx", cmd_import_destinations},
	{"import enrolled", "FILE", 1, 1, import_options, EVERYBODY, TEACHERS, "导入初中新生名册",
		"import the roster of the new seventh grade", "import enrolled 新生.xlsx", cmd_import_enrolled},
	{"import verify", "FILE", 1, 1, import_options, EVERYBODY, REGISTRARS, "导入填好的核验名单（export verify 导出的）",
		"import the filled verification list (of export verify)", "import verify 核验名单.xlsx", cmd_import_verify},
	{"import list", "", 0, 0, NULL, EVERYBODY, READERS, "列出导入和批量修改的批次", "list imports and edits", "import list", cmd_import_list},
	{"import undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次导入", "take an import back", "import undo 3", cmd_import_undo},
	{"undo", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤销一次修改", "take an edit back", "undo 5", cmd_import_undo},
	{"sync", "", 0, 0, sync_options, EVERYBODY, 0, "发送本机的修改并接收新内容", "send what was changed here, receive what is new", "sync", cmd_sync},
	{"status", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "本机还有什么没有发出去", "what has not been sent", "status --json", cmd_status},
	{"students list", "", 0, 0, students_list_options, EVERYBODY, READERS, "列出学生", "list pupils", "students list --grade 16 --class 3", cmd_students_list},
	{"students show", "PUPIL", 1, 1, NULL, EVERYBODY, READERS, "显示一名学生（序号、编号或证件号码，- 从标准输入读）",
		"show a pupil (row of the list, id or number, - reads standard input)", "students show 3", cmd_students_show},
	{"students set", "PUPIL FIELD=VALUE…", 2, CLI_OPERANDS_MAX, NULL, EVERYBODY, TEACHERS, "修改一名学生", "change a pupil",
		"students set 3 class_no=4", cmd_students_set},
	{"pupil find", "TEXT", 1, 1, NULL, EVERYBODY, READERS, "按姓名、拼音首字母或号码末四位查找",
		"find by name, pinyin initials or the last four digits", "pupil find zs", cmd_pupil_find},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, "列出可填的代码：全部代码表，或其中一个", "list what may be written: all lists, or one of them", "help codes 去向类别", cli_cmd_help_codes},
	{"help fields", "", 0, 0, NULL, 0, 0, "列出各种记录的字段", "list the fields of all records", "help fields", cmd_help_fields},
	{"transition list", "", 0, 0, transition_list_options, EVERYBODY, READERS, "列出六年级学生的升学去向", "where the sixth grade goes",
		"transition list --unset", cmd_transition_list},
	{"transition set", "PUPIL", 1, 1, transition_set_options, EVERYBODY, TEACHERS, "填报一名学生的去向（transition list 的序号，或证件号码）",
		"declare a pupil's destination (row of transition list, or number)",
		"transition set 3 --dest A1 --school 泗洪县第一初级中学", cmd_transition_set},
	{"transition file", "", 0, 0, transition_file_options, EVERYBODY, OFFICERS, "上报升学去向表：预填阶段备案，确认阶段正式上报",
		"report the table formally for the phase", "transition file", cmd_transition_file},
	{"verify list", "", 0, 0, NULL, EVERYBODY, READERS, "列出填报本校的学生", "list the pupils who declared this school", "verify list", cmd_verify_list},
	{"verify answer", "[PUPIL…] present|absent|unknown", 1, CLI_OPERANDS_MAX, verify_answer_options, EVERYBODY, REGISTRARS,
		"答复学生是否在校，可一次几名（verify list 的序号）或一个班", "say whether pupils are here (numbers of verify list, or a class)",
		"verify answer 3 5 8 present", cmd_verify_answer},
	{"verify submit", "", 0, 0, NULL, EVERYBODY, OFFICERS, "提交核验结果", "submit the verification", "verify submit", cmd_verify_submit},
	{"slips list", "", 0, 0, NULL, EVERYBODY, READERS, "列出交办单", "list the slips", "slips list", cmd_slips_list},
	{"slips show", "SLIP", 1, 1, NULL, EVERYBODY, READERS, "看一张交办单：学生、问题、两校答复、劝返记录、材料",
		"one slip: the pupil, the problem, both answers, the log, the files", "slips show 3", cmd_slips_show},
	{"slips receive", "[SLIP…]", 0, CLI_OPERANDS_MAX, slips_receive_options, EVERYBODY, OFFICERS, "签收交办单，可一次几张（slips list 的序号）",
		"acknowledge slips (numbers of slips list)", "slips receive 3 4 7", cmd_slips_receive},
	{"slips log", "SLIP", 1, 1, slips_log_options, EVERYBODY, READERS, "记一次劝返", "log an attempt to bring the pupil back",
		"slips log 3 --method 家访 --note 家长同意返校", cmd_slips_log},
	{"slips answer", "SLIP", 1, 1, slips_answer_options, EVERYBODY, OFFICERS, "回复交办单", "answer a slip",
		"slips answer 3 --outcome enrolled --evidence 在校证明.pdf", cmd_slips_answer},
	{"slips print", "SLIP", 1, 1, slips_print_options, EVERYBODY, READERS, "打印交办单", "print a slip", "slips print 3 -o 交办单.pdf", cmd_slips_print},
	{"evidence list", "", 0, 0, NULL, EVERYBODY, READERS, "列出本校附的材料：谁的、附在哪里", "the files that this school attached: whose, with what",
		"evidence list", cmd_evidence_list},
	{"evidence withdraw", "ID", 1, 1, NULL, EVERYBODY, READERS, "撤去附错的材料（evidence list 的序号）；已销号、已办结的不能撤",
		"take back a file that was attached by mistake (number of evidence list), while nothing is decided", "evidence withdraw 3", cmd_evidence_withdraw},
	{"conflicts list", "", 0, 0, NULL, EVERYBODY, READERS, "列出与他人冲突的修改", "list conflicts", "conflicts list", cmd_conflicts_list},
	{"conflicts show", "ID", 1, 1, NULL, EVERYBODY, READERS, "逐字段显示双方内容", "both versions field by field", "conflicts show 12", cmd_conflicts_show},
	{"conflicts resolve", "ID mine|theirs|FIELD=VALUE…", 2, CLI_OPERANDS_MAX, conflicts_resolve_options, EVERYBODY, TEACHERS,
		"决定用谁的内容", "decide whose values stand", "conflicts resolve 12 mine --seen 2.1.1", cmd_conflicts_resolve},
	{"outbox list", "", 0, 0, outbox_list_options, EVERYBODY, READERS, "列出本机的修改和它们的状态", "list the changes made here and their states",
		"outbox list", cmd_outbox_list},
	{"outbox show", "ID", 1, 1, NULL, EVERYBODY, READERS, "显示一项修改", "show one", "outbox show 12", cmd_outbox_show},
	{"outbox fix", "ID [FIELD=VALUE…]", 1, CLI_OPERANDS_MAX, NULL, EVERYBODY, TEACHERS, "改正后重新排队", "mend it and queue it again",
		"outbox fix 12 class_no=3", cmd_outbox_fix},
	{"outbox revert", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "还原到修改前", "give back what was before", "outbox revert 12", cmd_outbox_revert},
	{"outbox withdraw", "ID", 1, 1, NULL, EVERYBODY, TEACHERS, "撤回一项修改", "withdraw a change", "outbox withdraw 12", cmd_outbox_withdraw},
	{"export", "students|destinations|slips|verify", 1, 1, export_options, EVERYBODY, READERS,
		"导出表格；destinations 的 .xlsx 是全部六年级学生的填报表，verify 是可打印、可填好再导入的核验名单，都有下拉选项",
		"export a table; destinations as .xlsx is the form of all sixth-graders, verify the list to print or fill and import, both with drop-downs",
		"export destinations -o 升学去向.xlsx", cmd_export},
	{"todo", "", 0, 0, todo_options, EVERYBODY, 0, "该办的事，按期限", "what is to be done, by deadline", "todo --due 3", cmd_todo},
	{"doctor", "", 0, 0, NULL, CLI_PROFILE, 0, "检查这台电脑：文件、证书、数据库、网络", "check files, certificate, store and server", "doctor", cmd_doctor},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash > /etc/bash_completion.d/jg", cli_cmd_completion},
};
/* clang-format on */

static const struct cli_program program = {"jg", "学校端", "the school's client", commands,
	sizeof commands / sizeof *commands, jg_finish, NULL, jg_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
