/* Help: of the program, of a group, of a command, and the same as a page of man(7). */
#include "cli_help.h"

#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "lang.h"
#include "man.h"
#include "say.h"
#include "tables.h"

const struct cli_option cli_common_options[] = {
	{"profile", "DIR", N_("密钥、设置和离线数据的目录（默认 ~/.local/share/jingguan）")},
	{"json", NULL, N_("在标准输出打印一份 JSON")},
	{"reveal", NULL, N_("表格中不遮盖个人信息")},
	{"lang", "zh|en", N_("界面语言（默认看 LC_ALL、LANG，都没有写明就是中文）")},
	{"progress", "json", N_("以 JSON 行报告进度")},
	{"verbose", NULL, N_("显示更多运行信息")},
	{"help", NULL, N_("显示帮助")},
	{"version", NULL, N_("显示版本")},
	{0},
};

#define EXIT_CODES                                                                                           \
	N_("退出码：0 完成 1 失败 2 用法 3 被规则或权限拒绝 4 连不上（数据不丢） 5 需要人处理 6 文件有问题")

static const char *section_title(enum cli_section section)
{
	static const char *const titles[] = {[CLI_START] = N_("开始使用"),
		[CLI_TABLES] = N_("表格、撤销和同步"),
		[CLI_PEOPLE] = N_("学生"),
		[CLI_HELP] = N_("查填法"),
		[CLI_WORK] = N_("办事"),
		[CLI_REST] = N_("其他")};

	return _(titles[section]);
}

/* "FILE" → 文件: what help calls an operand, as people call it. */
const char *cli_operand_words(const char *operands, char *out, size_t size)
{
	static const struct {
		const char *name, *text;
	} rows[] = {{"FILE", NC_("operand", "文件")}, {"USER", NC_("operand", "用户名")},
		{"NAME", NC_("operand", "姓名")}, {"PUPIL", NC_("operand", "学生（证件号码或列表里的序号）")},
		{"SLIP", NC_("operand", "交办单（编号或序号）")}, {"ID", NC_("operand", "编号")},
		{"ROW", NC_("operand", "条目（序号）")}, {"FIELD=VALUE", NC_("operand", "栏目=内容")},
		{"CLASS=NAME", NC_("operand", "班级=姓名")}, {"LIST", NC_("operand", "代码表")},
		{"PHASE", NC_("operand", "阶段")}, {"accept|return", NC_("operand", "认可|退回")},
		{"present|absent|unknown", NC_("operand", "在校|未报到|查无此人")},
		{"mine|theirs|FIELD=VALUE", NC_("operand", "我的|对方|栏目=内容")},
		{"HOST:PORT", NC_("operand", "地址:端口")}, {"TEXT", NC_("operand", "要找的文字")},
		{"DOC", NC_("operand", "文号")}, {"FILE.docx", NC_("operand", "文件.docx")},
		{"DESK", NC_("operand", "岗位")}, {"ORGAN", NC_("operand", "机关")},
		{"SERIES", NC_("operand", "代字")}, {"LIMIT", NC_("operand", "时限")},
		{"VALUE", NC_("operand", "内容")}};
	size_t used = 0;

	*out = 0;
	for (const char *word = operands; *word && used < size; word += strspn(word, " ")) {
		bool optional = *word == '[';
		const char *name = word + optional, *shown = name;
		size_t n = strcspn(name, " ]"), dots = strlen("…");
		bool many = n > dots && memcmp(name + n - dots, "…", dots) == 0;
		if (many)
			n -= dots;
		size_t shown_size = n;
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0) {
				shown = _(rows[i].text);
				shown_size = strlen(shown);
			}
		used += (size_t)snprintf(out + used, size - used, "%s%s%.*s%s%s", used ? " " : "",
			optional ? "[" : "", (int)shown_size, shown, many ? "…" : "", optional ? "]" : "");
		word += strcspn(word, " ");
	}
	return out;
}

/* "--dest CATEGORY" */
static const char *option_left(const struct cli_option *o, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s", o->name[1] ? "--" : "-", o->name, o->value ? " " : "",
		o->value ? _(o->value) : "");
	return out;
}

static void print_options(const struct cli_option *list)
{
	char left[128];
	int width = 0;

	for (const struct cli_option *o = list; o && o->name; o++)
		if (say_width(option_left(o, left, sizeof left)) > width)
			width = say_width(left);
	for (; list && list->name; list++)
		say_pair(stdout, option_left(list, left, sizeof left), width, _(list->text));
}

/* "学籍管理员、班主任"; "" when everybody may. */
static const char *role_words(uint32_t roles, char *out, size_t size)
{
	size_t n = 0;
	char code[12];

	*out = 0;
	for (size_t i = 0; i < role_count && n < size; i++)
		if (roles >> role_table[i].number & 1) {
			snprintf(code, sizeof code, "%u", role_table[i].number);
			n += (size_t)snprintf(
				out + n, size - n, "%s%s", n ? _("、") : "", code_name(&codes_role, code));
		}
	return out;
}

/* Who may use it, by his role in the school; "" when that is not asked. */
static const char *users_line(const struct cli_command *command, char *out, size_t size)
{
	char words[256];

	*out = 0;
	if (command->roles)
		snprintf(out, size, _("谁可以用：%s"), role_words(command->roles, words, sizeof words));
	return out;
}

void cli_help_command(const struct cli_program *program, const struct cli_command *command)
{
	char operands[256], users[320];

	printf("%s %s%s%s\n\n%s\n", program->name, command->words, *command->operands ? " " : "",
		cli_operand_words(command->operands, operands, sizeof operands), _(command->text));
	if (*users_line(command, users, sizeof users))
		printf("%s\n", users);
	if (command->options) {
		printf("\n%s\n", _("选项："));
		print_options(command->options);
	}
	printf("\n%s\n", _("通用选项："));
	print_options(cli_common_options);
	printf("\n%s\n  %s %s\n", _("例："), program->name, _(command->example));
}

static void print_command(const struct cli_command *command)
{
	char operands[256];

	printf("  %s%s%s\n      %s\n", command->words, *command->operands ? " " : "",
		cli_operand_words(command->operands, operands, sizeof operands), _(command->text));
}

bool cli_help_group(const struct cli *c, const char *prefix)
{
	size_t n = strlen(prefix);
	bool any = false;

	for (size_t i = 0; i < c->command_count; i++) {
		const struct cli_command *command = c->commands[i];
		if (strncmp(command->words, prefix, n) != 0 ||
			(command->words[n] && command->words[n] != ' '))
			continue;
		if (!any)
			printf(_("%s %s 的命令："), c->program->name, prefix);
		printf("%s", any ? "" : "\n\n");
		any = true;
		print_command(command);
	}
	return any;
}

/* Whether a section begins here. */
static bool begins_section(const struct cli *c, size_t i)
{
	return i == 0 || c->commands[i]->section != c->commands[i - 1]->section;
}

void cli_help_program(const struct cli *c)
{
	const struct cli_program *program = c->program;

	printf("%s %s — %s\n", program->name, JG_VERSION, _(program->text));
	for (size_t i = 0; i < c->command_count; i++) {
		if (begins_section(c, i))
			printf("\n%s\n", section_title(c->commands[i]->section));
		print_command(c->commands[i]);
	}
	printf("\n%s\n", _("通用选项："));
	print_options(cli_common_options);
	printf("\n%s\n%s\n", _("每条命令加 --help 看选项和例子。"), _(EXIT_CODES));
}

static void man_options(const struct cli_option *list)
{
	char name[64];

	for (; list && list->name; list++) {
		snprintf(name, sizeof name, "%s%s", list->name[1] ? "--" : "-", list->name);
		man_item(stdout, name, list->value ? _(list->value) : "", _(list->text), NULL);
	}
}

static void man_command(const struct cli *c, const struct cli_command *command)
{
	char operands[256], users[320], words[300];

	snprintf(words, sizeof words, "%s %s", c->program->name, command->words);
	man_group(stdout, words);
	man_text(stdout, _(command->text));
	if (*users_line(command, users, sizeof users))
		man_text(stdout, users);
	snprintf(words, sizeof words, "%s %s %s", c->program->name, command->words,
		cli_operand_words(command->operands, operands, sizeof operands));
	man_example(stdout, words);
	man_options(command->options);
	man_text(stdout, _("例："));
	snprintf(words, sizeof words, "%s %s", c->program->name, _(command->example));
	man_example(stdout, words);
}

void cli_help_man(const struct cli *c)
{
	man_begin(stdout, c->program->name, 1, _(c->program->text));
	for (size_t i = 0; i < c->command_count; i++) {
		if (begins_section(c, i))
			man_heading(stdout, section_title(c->commands[i]->section));
		man_command(c, c->commands[i]);
	}
	man_heading(stdout, _("通用选项"));
	man_options(cli_common_options);
	man_heading(stdout, _("退出码"));
	man_text(stdout, _(EXIT_CODES));
}
