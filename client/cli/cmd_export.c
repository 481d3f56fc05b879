#include <string.h>

#include "export.h"
#include "file_name.h"
#include "jg.h"
#include "sheet_write.h"
#include "transition.h"

const struct cli_option export_options[] = {
	{"o", "FILE.xlsx|.csv", "输出文件", "the file to write"},
	{0},
};

static bool allowed(const void *data, const struct record *r)
{
	return jg_class_allowed(data, r);
}

int cmd_export(struct cli *c)
{
	static const char *const words[][2] = {
		{"students", "学生"}, {"destinations", "去向"}, {"slips", "交办单"}, {"verify", "核验"}};
	const char *path = cli_option(c, "o");
	char shown[FILE_PATH_TEXT_MAX];
	struct export_report report;
	struct cycle cycle;
	size_t what = 0;

	while (what < 4 && strcmp(words[what][0], c->operand[0]) != 0 &&
		strcmp(words[what][1], c->operand[0]) != 0)
		what++;
	if (what == 4 || !path)
		return cli_fail_with(c, ERR_USAGE, NULL,
			what == 4 ? tr("可以导出 "
				       "students（学生）、destinations（去向）、slips（交办单）、verify（核验"
				       "）",
					    "one of students, destinations, slips, verify")
				  : tr("缺少 -o 文件", "-o FILE is missing"));
	if (sheet_target_check(path, NULL, &c->problem))
		return cli_fail(c);
	int code = jg_cycle(c, &cycle);
	struct view *v = code ? NULL : jg_view(c, transition_kinds, &code);
	if (!v)
		return code;
	if (export_run(v, (enum export_what)what, cycle.year, path, allowed, c, &report, &c->problem))
		return cli_fail(c);
	file_path_text(shown, sizeof shown, path);
	cli_say(c, tr("已写入 %s，%zu 行", "%2$zu rows written to %1$s"), shown, report.rows);
	if (report.dropped)
		cli_say(c,
			tr("%zu 个单元格里有工作簿放不下的字符，已略去；要留住它们请导出 .csv",
				"%zu cells held characters that no workbook can hold, left out; export .csv "
				"to keep them"),
			report.dropped);
	return cli_result(c,
		json_pack("{ss sI sI}", "file", shown, "rows", (json_int_t)report.rows, "dropped",
			(json_int_t)report.dropped),
		0);
}
