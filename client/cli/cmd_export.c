#include <stdio.h>
#include <string.h>

#include "file_name.h"
#include "jg.h"
#include "lang.h"
#include "client_service.h"

const struct cli_option export_options[] = {
	{"o", "FILE.xlsx|.csv", N_("输出文件")},
	{"force", NULL, N_("已有同名文件也写，原来的内容换掉")},
	{0},
};

static bool allowed(const void *data, const struct record *r)
{
	return jg_class_allowed(data, r);
}

int cmd_export(struct cli *c)
{
	const struct export_rules *rules = export_find(c->command->words + strlen("export "));
	const char *path = cli_option(c, "o");
	char shown[FILE_PATH_TEXT_MAX];
	struct export_report report;
	int code;

	if (!path)
		return cli_fail_with(c, ERR_USAGE, NULL, "%s", _("缺少 -o 文件"));
	if (sheet_target_check(path, NULL, &c->problem))
		return cli_fail(c);
	if (!cli_may_replace(c, path, _("换一个文件名；确要换掉它，在命令后加 --force")))
		return err_info(ERR_EXISTS)->exit_code;
	file_path_text(shown, sizeof shown, path);
	struct view *v = jg_view(c, rules->kinds, &code);
	if (!v)
		return code;
	if (export_run(v, rules, path, allowed, c, &report, &c->problem))
		return cli_fail(c);
	cli_say(c, _("已写入 %s，%zu 行"), shown, report.rows);
	if (report.dropped)
		cli_say(c, _("%zu 个单元格里有工作簿放不下的字符，已略去；要留住它们请导出 .csv"),
			report.dropped);
	return cli_result(c,
		json_pack("{ss sI sI}", "file", shown, "rows", (json_int_t)report.rows, "dropped",
			(json_int_t)report.dropped),
		0);
}
