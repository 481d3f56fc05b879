#include "field_label.h"

#include <stddef.h>
#include <string.h>

#include "err.h"
#include "lang.h"

static const struct {
	const char *name, *text;
} labels[] = {{"accept", NC_("field", "认可")}, {"add", N_("补入")}, {"advance_s", N_("拨动的秒数")},
	{"all", N_("全部学校")}, {"as_of", N_("核对日期")}, {"change", N_("改动")},
	{"client", N_("程序版本")}, {"csr", N_("证书请求")}, {"cursor", N_("同步位置")},
	{"data", N_("文件内容")}, {"dry_run", N_("只检查")}, {"epoch", N_("数据库编号")},
	{"feature", N_("功能")}, {"force", N_("强制")}, {"from", N_("起始时间")}, {"host", N_("电脑名称")},
	{"id", NC_("field", "编号")}, {"incarnation", N_("本机编号")}, {"klass", N_("班级")},
	{"last_hash", N_("上一项的校验值")}, {"last_op", N_("上一项的序号")}, {"limit", N_("最多条数")},
	{"login", N_("希望的帐号名")}, {"made", N_("已编的序号")}, {"n", N_("分块序号")},
	{"name", N_("姓名或编号")}, {"new_password", N_("新密码")}, {"now", N_("本机时间")},
	{"op", N_("操作")}, {"password", N_("密码")}, {"proof", N_("登录凭据")}, {"pupil", N_("学生")},
	{"reason", N_("理由")}, {"record", N_("记录")}, {"refuse", N_("不同意")}, {"request", N_("申请编号")},
	{"role", N_("角色")}, {"row", N_("条目")}, {"same", N_("是否同一人")}, {"school", N_("学校")},
	{"sealed", N_("封存的密钥")}, {"secret", N_("连接码")}, {"session", NC_("field", "登录")},
	{"sha", N_("校验值")}, {"size", N_("大小")}, {"slip", N_("交办单")}, {"stream", N_("数据范围")},
	{"to", N_("目标阶段或结束时间")}, {"user", N_("帐号")}, {"version_max", N_("版本")},
	{"version_min", N_("版本")}, {"what", N_("方法或结果")}, {"withdraw", N_("撤回")},
	{"year", N_("年度")}};

const char *field_label(const char *name)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].name, name) == 0)
			return _(labels[i].text);
	return name;
}
