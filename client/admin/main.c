/* jgadmin - the bureau's and the administrators' client: the table of its commands. Online only. */
#include "admin.h"
#include "tables.h"

#define IN CLI_PROFILE | CLI_ENROLLED | CLI_LOGGED_IN

static const struct cli_option import_options[] = {
	{"dry-run", NULL, "只检查，不写入", "judge only, store nothing"},
	{"sheet", "NAME", "工作表名称", "name of the sheet"}, {0}};
static const struct cli_option schools_import_options[] = {
	{"dry-run", NULL, "只检查，不写入", "judge only, store nothing"},
	{"sheet", "NAME", "工作表名称", "name of the sheet"},
	{"force", NULL, "也改已有学校的名称和办学类型",
		"also change the name and type of a school that is known"},
	{0}};
static const struct cli_option school_options[] = {
	{"school", "SCHOOL", "只看一所学校：名称、名称的一部分或标识码",
		"one school only: its name, a part of it, or its code"},
	{0}};
static const struct cli_option yes_options[] = {{"yes", NULL, "不再询问", "do not ask"}, {0}};
static const struct cli_option user_options[] = {{"school", "SCHOOL", "学校：名称、名称的一部分或标识码",
							 "the school: its name, a part of it, or its code"},
	{"bureau", NULL, "县局人员", "of the bureau"},
	{"role", "ROLE", "角色，可写多个", "role, may be repeated"},
	{"class", "C", "班主任的班级，如 六1班、七（2）班，可写多个",
		"a class teacher's class, like 六1班 or 七（2）班, may be repeated"},
	{"user", "LOGIN", "希望的帐号名（字母）", "wanted log-in name (letters)"}, {0}};
static const struct cli_option users_import_options[] = {
	{"dry-run", NULL, "只检查，不建帐号", "judge only, make nothing"},
	{"sheet", "NAME", "工作表名称", "name of the sheet"},
	{"o", "FILE.xlsx", "帐号和初始密码写到这个文件（只有您能读）；不写则显示一次",
		"log-ins and first passwords go to this file, for you alone to read; else they are shown "
		"once"},
	{0}};
static const struct cli_option teachers_options[] = {
	{"school", "SCHOOL", "学校：名称、名称的一部分或标识码",
		"the school: its name, a part of it, or its code"},
	{"dry-run", NULL, "只检查，不建帐号", "judge only, make nothing"},
	{"o", "FILE.xlsx", "帐号和初始密码写到这个文件（只有您能读）；不写则显示一次",
		"log-ins and first passwords go to this file, for you alone to read; else they are shown "
		"once"},
	{0}};
static const struct cli_option set_options[] = {
	{"role", "ROLE", "新的角色，可写多个", "the roles, may be repeated"},
	{"class", "C", "班主任的班级，如 六1班，可写多个",
		"a class teacher's classes, like 六1班, may be repeated"},
	{"name", "NAME", "姓名", "name"}, {0}};
static const struct cli_option grant_options[] = {{"refuse", NULL, "不同意", "refuse it"}, {0}};
static const struct cli_option invite_options[] = {{"school", "SCHOOL", "学校：名称、名称的一部分或标识码",
							   "the school: its name, a part of it, or its code"},
	{"bureau", NULL, "县局的电脑", "a computer of the bureau"},
	{"all", NULL, "给每所学校各发一个", "one for every school"},
	{"o", "FILE.pdf", "写成可打印的 PDF", "write a printable PDF"}, {0}};
static const struct cli_option year_options[] = {{"year", "Y", "年度", "year"}, {0}};
static const struct cli_option open_options[] = {
	{"year", "Y", "年度（今年或明年）", "year, this one or the next"},
	{"dry-run", NULL, "只显示将冻结什么", "only show what it would freeze"},
	{"yes", NULL, "不再询问", "do not ask"}, {0}};
static const struct cli_option cancel_options[] = {
	{"year", "Y", "年度", "year"}, {"reason", "TEXT", "理由（必写）", "reason (needed)"}, {0}};
static const struct cli_option phase_options[] = {{"year", "Y", "年度", "year"},
	{"force", NULL, "有学校未完成也前进", "move on though schools are not done"},
	{"reason", "TEXT", "理由", "reason"}, {0}};
static const struct cli_option reconcile_options[] = {{"year", "Y", "年度", "year"},
	{"as-of", "DATE", "按哪一天核对（默认今天）", "the day to judge by (default today)"}, {0}};
static const struct cli_option mismatch_options[] = {{"year", "Y", "年度", "year"},
	{"school", "SCHOOL", "只看一所学校：名称、名称的一部分或标识码",
		"one school only: its name, a part of it, or its code"},
	{0}};
static const struct cli_option reason_options[] = {
	{"year", "Y", "年度", "year"}, {"reason", "TEXT", "理由", "reason"}, {0}};
static const struct cli_option baseline_options[] = {{"year", "Y", "年度", "year"},
	{"reason", "TEXT", "理由（必写）", "reason (needed)"},
	{"school", "SCHOOL", "生源小学，写名称或标识码（默认其学籍所在校）",
		"source school by name or code (default: where the record is)"},
	{0}};
static const struct cli_option slip_show_options[] = {
	{"files", "DIR", "把材料取到这个文件夹", "fetch the evidence into this folder"},
	{"open", NULL, "取出后用电脑上的程序打开", "open what was fetched"}, {0}};
static const struct cli_option proof_show_options[] = {{"year", "Y", "年度", "year"},
	{"files", "DIR", "把材料取到这个文件夹", "fetch the evidence into this folder"},
	{"open", NULL, "取出后用电脑上的程序打开", "open what was fetched"}, {0}};
static const struct cli_option summary_options[] = {{"year", "Y", "年度", "year"},
	{"html", "FILE", "同时写成 HTML 报表", "also write an HTML report"}, {0}};
static const struct cli_option search_options[] = {{"user", "USER", "帐号", "user"},
	{"school", "SCHOOL", "学校：名称、名称的一部分或标识码",
		"the school: its name, a part of it, or its code"},
	{"what", "TEXT", "方法或结果", "method or result"},
	{"limit", "N", "最多多少条（默认 200）", "at most so many rows (default 200)"}, {0}};

static const struct cli_command commands[] = {
	{"connect", "", 0, 0, cli_connect_options, CLI_PROFILE, 0, "用连接码把这台电脑注册为县局设备",
		"enrol this computer as a device of the bureau", "connect --code ABCD-EFGH-…",
		cli_cmd_connect},
	{"login", "USER", 1, 1, cli_login_options, CLI_PROFILE | CLI_ENROLLED, 0, "登录", "log in",
		"login sysadmin", cmd_login},
	{"logout", "", 0, 0, NULL, CLI_PROFILE | CLI_ENROLLED, 0, "退出登录", "log out", "logout",
		cli_cmd_logout},
	{"passwd", "", 0, 0, cli_passwd_options, CLI_PROFILE | CLI_LOGGED_IN, 0, "修改密码",
		"change the password", "passwd", cli_cmd_passwd},
	{"profiles", "", 0, 0, NULL, 0, 0, "列出这台电脑上的目录", "list the profiles of this computer",
		"profiles", cli_cmd_profiles},
	{"completion", "bash", 1, 1, NULL, 0, 0, "打印 shell 补全脚本", "print a script for shell completion",
		"completion bash", cli_cmd_completion},
	{"help codes", "[LIST]", 0, 1, NULL, 0, 0, "列出可填的代码：全部代码表，或其中一个",
		"list what may be written: all lists, or one of them", "help codes 去向类别",
		cli_cmd_help_codes},
	{"schools import", "FILE", 1, 1, schools_import_options, IN, 0, "导入学校名册（.xlsx/.csv）",
		"import the register of schools", "schools import 学校.xlsx", cmd_schools_import},
	{"schools list", "", 0, 0, NULL, IN, 0, "列出学校", "list the schools", "schools list",
		cmd_schools_list},
	{"catchments import", "FILE", 1, 1, import_options, IN, 0, "导入施教区", "import the catchments",
		"catchments import 施教区.csv", cmd_catchments_import},
	{"catchments list", "", 0, 0, school_options, IN, 0, "列出施教区，每条前面有序号",
		"list the catchments, each with its number", "catchments list --school 3132000001",
		cmd_catchments_list},
	{"catchments set", "ROW FIELD=VALUE…", 2, 4, yes_options, IN, 0,
		"更正一条施教区：序号见 catchments list；先显示改前改后和盲区",
		"correct a catchment by its number in the list; shows what follows first",
		"catchments set 3 区划代码=329999100", cmd_catchments_set},
	{"catchments remove", "ROW…", 1, 200, yes_options, IN, 0,
		"删除施教区：序号见 catchments list；先显示会留下哪些盲区",
		"remove catchments by their numbers in the list; shows which areas are left without",
		"catchments remove 3 5", cmd_catchments_remove},
	{"users add", "NAME", 1, 1, user_options, IN, 0, "新建帐号，初始密码只显示一次",
		"make an account; its first password is shown once",
		"users add --school 2132000001 --role registrar 王老师", cmd_users_add},
	{"users import", "FILE", 1, 1, users_import_options, IN, 0,
		"按表格给学校的人建帐号：姓名、学校或学校标识码、角色，班级和帐号可不写；再运行一次不会重复",
		"make school accounts from a table: 姓名, 学校 or 学校标识码, 角色, also 班级 and 帐号; "
		"doing it again makes no doubles",
		"users import 帐号.xlsx -o 初始密码.xlsx", cmd_users_import},
	{"users teachers", "CLASS=NAME…", 1, 64, teachers_options, IN, 0,
		"给一所学校各班的班主任建帐号：每班写一个 班级=姓名，班级和姓名不会错位",
		"make the accounts of a school's class teachers, one CLASS=NAME each: class and name stay "
		"together",
		"users teachers --school 2132000001 六1班=张三 六2班=李四", cmd_users_teachers},
	{"users list", "", 0, 0, NULL, IN, 0, "列出帐号和角色", "list accounts and roles", "users list",
		cmd_users_list},
	{"users reset", "USER", 1, 1, NULL, IN, 0, "重置密码；县局帐号须安全管理员核准",
		"reset a password; of a bureau account the security administrator grants it",
		"users reset wanglaoshi", cmd_users_reset},
	{"users set", "USER", 1, 1, set_options, IN, 0, "改角色、班级或姓名；县局帐号须另一位管理员核准",
		"change roles, classes or name; of a bureau account another administrator grants it",
		"users set wanglaoshi --class 六2班", cmd_users_set},
	{"users grant", "USER", 1, 1, grant_options, IN, 0, "核准另一位管理员提出的重置、改动、停用或恢复",
		"grant what another administrator asked for an account", "users grant likezhang",
		cmd_users_grant},
	{"users disable", "USER", 1, 1, NULL, IN, 0, "停用帐号", "disable an account",
		"users disable wanglaoshi", cmd_users_disable},
	{"users enable", "USER", 1, 1, NULL, IN, 0, "恢复停用的帐号；县局帐号须另一位管理员核准",
		"bring a disabled account back; of a bureau account another administrator grants it",
		"users enable wanglaoshi", cmd_users_enable},
	{"users unlock", "USER", 1, 1, NULL, IN, 0, "解除锁定", "lift a lock", "users unlock wanglaoshi",
		cmd_users_unlock},
	{"devices invite", "", 0, 0, invite_options, IN, 0, "发连接码：一次有效，72 小时",
		"make a connect code: works once, for 72 hours", "devices invite --school 2132000001",
		cmd_devices_invite},
	{"devices list", "", 0, 0, NULL, IN, 0, "列出设备", "list the devices", "devices list",
		cmd_devices_list},
	{"devices revoke", "ID", 1, 1, NULL, IN, 0, "停用设备，5 秒内断开",
		"revoke a device; it is cut off within 5 seconds", "devices revoke 0190…",
		cmd_devices_revoke},
	{"transition open", "", 0, 0, open_options, IN, 0, "冻结应升学名单，开始一个年度（先显示将冻结什么）",
		"freeze the baseline and open a year (shows first what it freezes)",
		"transition open --year 2026", cmd_open},
	{"transition cancel", "", 0, 0, cancel_options, IN, 0, "取消一个还没有学校上报的年度",
		"take back a year in which no school has reported",
		"transition cancel --year 2026 --reason 名册未齐", cmd_cancel},
	{"transition phase", "[PHASE]", 0, 1, phase_options, IN, 0, "查看阶段，或前进一步",
		"show the phase or move one step on", "transition phase --year 2026 confirm", cmd_phase},
	{"transition progress", "", 0, 0, year_options, IN, 0, "各校进度", "progress of the schools",
		"transition progress --year 2026", cmd_progress},
	{"transition reconcile", "", 0, 0, reconcile_options, IN, 0, "逐人核对", "reconcile pupil by pupil",
		"transition reconcile --year 2026", cmd_reconcile},
	{"transition mismatches", "", 0, 0, mismatch_options, IN, 0, "对不上的学生",
		"pupils that do not match", "transition mismatches --year 2026", cmd_mismatches},
	{"transition slips issue", "", 0, 0, year_options, IN, 0, "同时向两所学校下发交办单",
		"issue the slips to both schools at once", "transition slips issue --year 2026",
		cmd_slips_issue},
	{"transition slips list", "", 0, 0, year_options, IN, 0, "列出交办单", "list the slips",
		"transition slips list --year 2026", cmd_slips_list},
	{"transition slips show", "SLIP", 1, 1, slip_show_options, IN, 0,
		"查看一张交办单：两校答复、联系记录、材料", "show a slip: both answers, contacts, evidence",
		"transition slips show JB2026-0001 --files 材料", cmd_slips_show},
	{"transition slips review", "SLIP accept|return", 2, 2, reason_options, IN, 0, "审核两校的回复",
		"review the answers of both schools",
		"transition slips review JB2026-0001 return --reason 材料不清", cmd_slips_review},
	{"transition proof list", "", 0, 0, year_options, IN, 0, "在外就读等学生的材料",
		"proofs of pupils elsewhere", "transition proof list --year 2026", cmd_proof_list},
	{"transition proof show", "PUPIL", 1, 1, proof_show_options, IN, 0, "查看一名学生填报的去向和材料",
		"show what a pupil declares and its evidence",
		"transition proof show --year 2026 - --files 材料", cmd_proof_show},
	{"transition proof accept", "PUPIL", 1, 1, reason_options, IN, 0, "认可材料", "accept a proof",
		"transition proof accept --year 2026 -", cmd_proof_accept},
	{"transition proof refute", "PUPIL", 1, 1, reason_options, IN, 0, "不认可材料", "refuse a proof",
		"transition proof refute --year 2026 - --reason 印章不符", cmd_proof_refute},
	{"transition same", "PUPIL ROW", 2, 2, reason_options, IN, 0, "判定为同一人",
		"decide that they are the same child", "transition same --year 2026 0190… 0191…", cmd_same},
	{"transition different", "PUPIL ROW", 2, 2, reason_options, IN, 0, "判定为不同的人",
		"decide that they are different children", "transition different --year 2026 0190… 0191…",
		cmd_different},
	{"transition pair list", "", 0, 0, year_options, IN, 0, "列出判定过的：是同一人、不是同一人",
		"the decisions that stand: the same child or not", "transition pair list --year 2026",
		cmd_pair_list},
	{"transition pair withdraw", "ID", 1, 1, reason_options, IN, 0,
		"撤回一条判定（pair list 的序号）：按没有判定过重新核对",
		"take such a decision back (number of pair list); matching goes on without it",
		"transition pair withdraw --year 2026 1 --reason 看错了", cmd_pair_withdraw},
	{"transition baseline add", "PUPIL", 1, 1, baseline_options, IN, 0, "把学生补入应升学名单",
		"add a pupil to the baseline", "transition baseline add --year 2026 - --reason 六月转入",
		cmd_baseline_add},
	{"transition baseline remove", "PUPIL", 1, 1, baseline_options, IN, 0, "从应升学名单移出",
		"take a pupil out of the baseline",
		"transition baseline remove --year 2026 - --reason 重复学籍", cmd_baseline_remove},
	{"transition summary", "", 0, 0, summary_options, IN, 0, "各校汇总，差额应为 0",
		"a table per school; the residual is 0", "transition summary --year 2026 --html 汇总.html",
		cmd_summary},
	{"transition diff", "", 0, 0, year_options, IN, 0, "六月备案与九月上报的变化",
		"what changed between June and September", "transition diff --year 2026", cmd_diff},
	{"audit verify", "", 0, 0, NULL, IN, 0, "校验留痕链", "verify the trace", "audit verify",
		cmd_audit_verify},
	{"audit search", "", 0, 0, search_options, IN, 0, "查询访问记录", "search the access log",
		"audit search --school 2132000001", cmd_audit_search},
	{"server address", "[HOST:PORT]", 0, 1, NULL, CLI_PROFILE | CLI_ENROLLED, 0,
		"查看服务器地址，或改到新地址（先核对是本县的服务器）",
		"show the server's address, or move to another one that proves to be the county's",
		"server address 10.0.0.2:7420", cli_cmd_server},
	{"server status", "", 0, 0, NULL, IN, 0, "服务器状态", "state of the server", "server status",
		cmd_server_status},
	{"server clock", "+3d", 1, 1, NULL, IN, 0, "拨动演练县的时钟", "move a rehearsal county's clock",
		"server clock +3d", cmd_server_clock},
};

static const struct cli_program program = {"jgadmin", "县局管理端", "the bureau's client", commands,
	sizeof commands / sizeof *commands, admin_finish, admin_prepare, admin_first};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
