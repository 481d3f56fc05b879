#include "field_label.h"

#include <stddef.h>
#include <string.h>

#include "err.h"

static const struct {
	const char *name, *zh, *en;
} labels[] = {{"accept", "认可", "accept"}, {"add", "补入", "add"},
	{"advance_s", "拨动的秒数", "seconds to advance"}, {"all", "全部学校", "all schools"},
	{"as_of", "核对日期", "day to judge by"}, {"change", "改动", "changes"},
	{"client", "程序版本", "program"}, {"csr", "证书请求", "certificate request"},
	{"cursor", "同步位置", "position"}, {"data", "文件内容", "data"}, {"dry_run", "只检查", "dry run"},
	{"epoch", "数据库编号", "epoch"}, {"feature", "功能", "features"}, {"force", "强制", "force"},
	{"from", "起始时间", "from"}, {"host", "电脑名称", "host"}, {"id", "编号", "id"},
	{"incarnation", "本机编号", "incarnation"}, {"klass", "班级", "class"},
	{"last_hash", "上一项的校验值", "last hash"}, {"last_op", "上一项的序号", "last number"},
	{"limit", "最多条数", "limit"}, {"login", "希望的帐号名", "log-in name"},
	{"made", "已编的序号", "highest number"}, {"n", "分块序号", "chunk"}, {"name", "姓名或编号", "name"},
	{"new_password", "新密码", "new password"}, {"now", "本机时间", "time"}, {"op", "操作", "operations"},
	{"password", "密码", "password"}, {"proof", "登录凭据", "proof"}, {"pupil", "学生", "pupil"},
	{"reason", "理由", "reason"}, {"record", "记录", "record"}, {"refuse", "不同意", "refuse"},
	{"request", "申请编号", "request"}, {"role", "角色", "role"}, {"row", "条目", "row"},
	{"same", "是否同一人", "same"}, {"school", "学校", "school"}, {"sealed", "封存的密钥", "sealed key"},
	{"secret", "连接码", "connect code"}, {"session", "登录", "session"}, {"sha", "校验值", "hash"},
	{"size", "大小", "size"}, {"slip", "交办单", "slip"}, {"stream", "数据范围", "stream"},
	{"to", "目标阶段或结束时间", "phase or end"}, {"user", "帐号", "user"},
	{"version_max", "版本", "version"}, {"version_min", "版本", "version"},
	{"what", "方法或结果", "method or result"}, {"withdraw", "撤回", "withdraw"},
	{"year", "年度", "year"}};

const char *field_label(const char *name)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].name, name) == 0)
			return tr(labels[i].zh, labels[i].en);
	return name;
}
