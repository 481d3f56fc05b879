#include "codes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define LIST(items) (items), sizeof(items) / sizeof *(items)

static const struct code_item genders[] = {{"0", "未知", "unknown", "未知的性别"},
	{"1", "男", "male", "男性 男生 男孩 M"}, {"2", "女", "female", "女性 女生 女孩 F"},
	{"9", "未说明", "not stated", "未说明的性别"}};
const struct code_list codes_gender = {"性别", NULL, LIST(genders)};

/* clang-format off */
static const struct code_item ethnics[] = {
	{"01", "汉", "Han", NULL}, {"02", "蒙古", "Mongol", "蒙"}, {"03", "回", "Hui", NULL},
	{"04", "藏", "Zang", NULL}, {"05", "维吾尔", "Uygur", "维"}, {"06", "苗", "Miao", NULL},
	{"07", "彝", "Yi", NULL}, {"08", "壮", "Zhuang", NULL}, {"09", "布依", "Buyei", NULL},
	{"10", "朝鲜", "Chosen", "朝鲜人"}, {"11", "满", "Man", NULL}, {"12", "侗", "Dong", NULL},
	{"13", "瑶", "Yao", NULL}, {"14", "白", "Bai", NULL}, {"15", "土家", "Tujia", NULL},
	{"16", "哈尼", "Hani", NULL}, {"17", "哈萨克", "Kazak", NULL}, {"18", "傣", "Dai", NULL},
	{"19", "黎", "Li", NULL}, {"20", "傈僳", "Lisu", NULL}, {"21", "佤", "Va", NULL},
	{"22", "畲", "She", "畬"}, {"23", "高山", "Gaoshan", NULL}, {"24", "拉祜", "Lahu", NULL},
	{"25", "水", "Sui", NULL}, {"26", "东乡", "Dongxiang", NULL}, {"27", "纳西", "Naxi", NULL},
	{"28", "景颇", "Jingpo", NULL}, {"29", "柯尔克孜", "Kirgiz", NULL}, {"30", "土", "Tu", NULL},
	{"31", "达斡尔", "Daur", NULL}, {"32", "仫佬", "Mulao", NULL}, {"33", "羌", "Qiang", NULL},
	{"34", "布朗", "Blang", NULL}, {"35", "撒拉", "Salar", NULL}, {"36", "毛南", "Maonan", NULL},
	{"37", "仡佬", "Gelao", NULL}, {"38", "锡伯", "Xibe", NULL}, {"39", "阿昌", "Achang", NULL},
	{"40", "普米", "Pumi", NULL}, {"41", "塔吉克", "Tajik", NULL}, {"42", "怒", "Nu", NULL},
	{"43", "乌孜别克", "Uzbek", NULL}, {"44", "俄罗斯", "Russ", NULL}, {"45", "鄂温克", "Ewenki", NULL},
	{"46", "德昂", "Deang", NULL}, {"47", "保安", "Bonan", NULL}, {"48", "裕固", "Yugur", NULL},
	{"49", "京", "Gin", NULL}, {"50", "塔塔尔", "Tatar", NULL}, {"51", "独龙", "Derung", NULL},
	{"52", "鄂伦春", "Oroqen", NULL}, {"53", "赫哲", "Hezhen", NULL}, {"54", "门巴", "Monba", NULL},
	{"55", "珞巴", "Lhoba", NULL}, {"56", "基诺", "Jino", NULL}, {"97", "其他", "other", "未识别民族 穿青人"},
	{"98", "外国血统", "foreign descent", "外国血统中国籍人士 外国血统中国人士"}};

static const struct code_item cert_types[] = {
	{"1", "居民身份证", "resident ID card", "身份证 公民身份证 二代身份证"},
	{"2", "军官证", "military officer card", NULL}, {"3", "士兵证", "soldier card", NULL},
	{"4", "文职干部证", "civilian cadre card", NULL},
	{"5", "部队离退休证", "retired serviceman card", NULL},
	{"6", "香港特区护照/身份证明", "Hong Kong passport or ID", "香港特区护照 香港身份证 香港特区身份证明"},
	{"7", "澳门特区护照/身份证明", "Macao passport or ID", "澳门特区护照 澳门身份证 澳门特区身份证明"},
	{"8", "台湾居民来往大陆通行证", "Taiwan travel permit", "台胞证"},
	{"9", "境外永久居住证", "permanent residence permit", "外国人永久居留身份证 外国人永久居留证"},
	{"A", "护照", "passport", NULL}, {"B", "户口簿", "household register", "户口本 户口薄"},
	{"Z", "其他", "other", "其它"}};

/* Numbers of Role (options.proto), roles of cli.md. */
static const struct code_item roles[] = {{"1", "学籍管理员", "registrar", NULL}, {"2", "班主任", "class teacher", "class_teacher"}, {"3", "校长", "head", NULL},
	{"4", "文书", "clerk", NULL}, {"5", "安全专干", "safety officer", "safety"}, {"6", "心理教师", "counsellor", NULL}, {"11", "局领导", "leader", NULL},
	{"12", "基教科", "basic education", "basic_edu"}, {"13", "办公室", "office", NULL}, {"14", "督查", "supervision", NULL}, {"15", "招办", "admissions", NULL},
	{"21", "系统管理员", "system administrator", "sysadmin"}, {"22", "安全管理员", "security administrator", "secadmin"}, {"23", "审计员", "auditor", NULL}};
static const struct code_item grades[] = {
	{"11", "一年级", "grade 1", "小学一年级 小一 1年级"}, {"12", "二年级", "grade 2", "小学二年级 小二 2年级"},
	{"13", "三年级", "grade 3", "小学三年级 小三 3年级"}, {"14", "四年级", "grade 4", "小学四年级 小四 4年级"},
	{"15", "五年级", "grade 5", "小学五年级 小五 5年级"}, {"16", "六年级", "grade 6", "小学六年级 小六 6年级"},
	{"21", "七年级", "grade 7", "初一 初一年级 初中一年级 7年级"},
	{"22", "八年级", "grade 8", "初二 初二年级 初中二年级 8年级"},
	{"23", "九年级", "grade 9", "初三 初三年级 初中三年级 9年级"},
	{"31", "高一", "grade 10", "高一年级 高中一年级 十年级 10年级"},
	{"32", "高二", "grade 11", "高二年级 高中二年级 十一年级 11年级"},
	{"33", "高三", "grade 12", "高三年级 高中三年级 十二年级 12年级"}};

static const struct code_item statuses[] = {
	{"01", "在读", "attending", "在校 在籍 正常"}, {"02", "休学", "suspended", NULL}, {"03", "退学", "withdrawn", NULL},
	{"04", "停学", "stopped", NULL}, {"05", "复学", "resumed", NULL}, {"06", "流失", "dropped out", "辍学"},
	{"07", "毕业", "graduated", NULL}, {"08", "结业", "completed", NULL}, {"09", "肄业", "left without completing", NULL},
	{"10", "转出", "transferred out", "转学"}, {"11", "死亡", "deceased", NULL},
	{"12", "保留入学资格", "admission kept", NULL}, {"14", "开除", "expelled", NULL}, {"99", "其他", "other", "其它"}};

static const struct code_item school_types[] = {
	{"111", "幼儿园", "kindergarten", NULL}, {"119", "附设幼儿班", "attached kindergarten class", NULL},
	{"211", "小学", "primary school", "完全小学 普通小学"}, {"218", "小学教学点", "primary teaching point", "教学点"},
	{"219", "附设小学班", "attached primary class", NULL},
	{"311", "初级中学", "junior middle school", "初中 普通初中"},
	{"312", "九年一贯制", "nine-year school", "九年一贯制学校"},
	{"319", "附设普通初中班", "attached junior class", "附设初中班"},
	{"321", "职业初中", "vocational junior school", NULL},
	{"341", "完全中学", "complete middle school", "完中"}, {"342", "高级中学", "senior high school", "高中 普通高中"},
	{"345", "十二年一贯制", "twelve-year school", "十二年一贯制学校"},
	{"349", "附设普通高中班", "attached senior class", "附设高中班"},
	{"361", "调整后中职", "merged vocational school", "调整后中等职业学校"},
	{"362", "中等技术", "secondary technical school", "中等技术学校"}, {"363", "中师", "teacher training school", "中等师范学校"},
	{"364", "成人中专", "adult secondary school", "成人中等专业学校"},
	{"365", "职业高中", "vocational high school", "职业高中学校 职高"}, {"366", "技工学校", "skilled workers school", "技校"},
	{"368", "附设中职班", "attached vocational class", NULL},
	{"371", "专门学校", "school for serious misconduct", "工读 工读学校"},
	{"511", "盲", "school for the blind", "盲人学校 盲校"}, {"512", "聋", "school for the deaf", "聋人学校 聋校"},
	{"513", "培智", "school for the mentally disabled", "培智学校 弱智 弱智学校"},
	{"514", "其他特教", "other special school", "其他特教学校 特殊教育学校 特教学校"},
	{"519", "附设特教班", "attached special class", NULL}};

static const struct code_item founders[] = {
	{"811", "省级教育部门", "provincial education department", NULL},
	{"812", "省级其他部门", "other provincial department", NULL},
	{"821", "地级教育部门", "prefectural education department", "市级教育部门"},
	{"822", "地级其他部门", "other prefectural department", "市级其他部门"},
	{"831", "县级教育部门", "county education department", "教育部门 公办"},
	{"832", "县级其他部门", "other county department", "其他部门"},
	{"891", "地方企业", "local enterprise", "企业"}, {"892", "事业单位", "public institution", NULL},
	{"893", "部队", "armed forces", NULL}, {"894", "集体", "collective", NULL},
	{"999", "民办", "private", "私立"}};

static const struct code_item stages[] = {
	{"primary", "小学", "primary", "P 小学学段"}, {"junior", "初中", "junior", "J 初中学段"}};

static const struct code_item destinations[] = {
	{"A1", "施教区公办", "public, own catchment", NULL}, {"A2", "统筹公办", "public, placed by the bureau", NULL},
	{"A3", "民办", "private", NULL}, {"A4", "一贯制直升", "same through-school", NULL},
	{"A5", "特教学校", "special school", NULL}, {"A6", "随班就读", "inclusion", NULL},
	{"A7", "送教上门", "home teaching", NULL}, {"A8", "专门学校", "school for serious misconduct", NULL},
	{"B1", "市内外县", "other county of the city", NULL}, {"B2", "省内外市", "other city of the province", NULL},
	{"B3", "外省", "other province", NULL}, {"B4", "港澳台", "Hong Kong, Macao, Taiwan", NULL},
	{"B5", "出国", "abroad", NULL}, {"C1", "缓学休学", "deferred or suspended", NULL},
	{"C2", "留级", "repeats the grade", NULL}, {"C3", "死亡", "deceased", NULL},
	{"D1", "失学", "out of school", NULL}, {"D2", "拒绝入学", "refuses", NULL}, {"D3", "失联", "cannot be reached", NULL},
	{"D4", "私塾", "private tutoring", NULL}, {"D5", "未定", "undecided", NULL}};

static const struct code_item outcomes[] = {
	{"enrolled", "已入学", "enrolled", NULL}, {"transferred", "外地就读", "studies elsewhere", NULL},
	{"deferred", "缓学休学", "deferred", NULL}, {"special", "特教安置", "special education", NULL},
	{"abroad", "出国", "abroad", NULL}, {"deceased", "死亡", "deceased", NULL},
	{"record_error", "信息更正", "record corrected", NULL}, {"persuading", "劝返中", "being persuaded", NULL},
	{"unreachable", "失联", "cannot be reached", NULL}, {"refused", "拒绝入学", "refuses", NULL}};

static const struct code_item answers[] = {
	{"present", "在校", "present", NULL}, {"absent", "未报到", "absent", NULL},
	{"unknown", "查无此人", "unknown", NULL}};

static const struct code_item yes_no[] = {
	{"1", "是", "yes", "Y TRUE T 有 √ ✓ ✔ ☑ 对 已报到 报到"},
	{"0", "否", "no", "N FALSE F 无 × X ✗ ✘ ✕ ╳ ☒ 错 未报到 没有 不是"}};
/* clang-format on */

const struct code_list codes_ethnic = {"民族", "族", LIST(ethnics)};
const struct code_list codes_cert_type = {"证件类型", NULL, LIST(cert_types)};
const struct code_list codes_role = {"角色", NULL, LIST(roles)};
const struct code_list codes_grade = {"年级", NULL, LIST(grades)};
const struct code_list codes_pupil_status = {"当前状态", NULL, LIST(statuses)};
const struct code_list codes_school_type = {"办学类型", NULL, LIST(school_types)};
const struct code_list codes_founder = {"举办者", NULL, LIST(founders)};
const struct code_list codes_stage = {"学段", NULL, LIST(stages)};
const struct code_list codes_destination = {"去向类别", NULL, LIST(destinations)};
const struct code_list codes_outcome = {"办理结果", NULL, LIST(outcomes)};
const struct code_list codes_answer = {"核验结果", NULL, LIST(answers)};
const struct code_list codes_yes_no = {"是否", NULL, LIST(yes_no)};

static const struct code_item phases[] = {{"prefill", "预填", "prefill", NULL}, {"assist", "帮办", "assist", NULL},
	{"confirm", "确认", "confirm", NULL}, {"verify", "核验", "verify", NULL}, {"closed", "办结", "closed", NULL}};
static const struct code_item filing_stages[] = {
	{"T1", "备案", "filed in June", NULL}, {"T2", "正式上报", "formal report", NULL}, {"V", "核验提交", "verification", NULL}};
static const struct code_item severities[] = {{"critical", "紧急", "critical", NULL}, {"high", "重要", "high", NULL},
	{"mid", "一般", "mid", NULL}, {"low", "轻微", "low", NULL}};
static const struct code_item slip_states[] = {{"draft", "待交办", "draft", NULL}, {"issued", "已交办", "issued", NULL},
	{"answered", "已回复", "answered", NULL}, {"returned", "已退回", "returned", NULL}, {"closed", "已销号", "closed", NULL}};
static const struct code_item reminders[] = {{"before", "即将到期", "due soon", NULL}, {"due", "已到期", "due", NULL},
	{"silent", "核验逾期未提交", "verification not submitted", NULL}};
static const struct code_item pupil_states[] = {{"CONFIRMED", "已确认", "confirmed", NULL},
	{"PROVISIONAL", "待核", "provisional", NULL}, {"EXEMPT", "除外", "exempt", NULL}, {"OPEN", "未落实", "open", NULL}};
static const struct code_item declared[] = {{"unset", "未填", "not declared", NULL}, {"draft", "已填", "declared", NULL},
	{"parent_confirmed", "家长已确认", "confirmed by the guardian", NULL}, {"filed", "已备案", "filed in June", NULL},
	{"declared", "已上报", "formally reported", NULL}};
static const struct code_item op_states[] = {{"waiting", "待发送", "waiting", NULL}, {"unknown", "结果未知", "outcome unknown", NULL},
	{"accepted", "已收", "accepted", NULL}, {"refused", "被退回", "refused", NULL}, {"blocked", "受阻", "blocked", NULL},
	{"conflict", "冲突", "conflict", NULL}, {"draft", "待确认", "to be reviewed", NULL}, {"done", "已处理", "dealt with", NULL}};
/* clang-format off */
static const struct code_item mismatches[] = {
	{"M01", "未填报去向", "no destination declared", NULL}, {"M02", "不在应升学名单", "not in the baseline", NULL},
	{"M03", "去向表重复", "twice in the table", NULL}, {"M04", "证件号码有误", "number invalid", NULL},
	{"M05", "关键信息不一致", "key field differs", NULL}, {"M10", "声称入学未报到", "claimed, absent", NULL},
	{"M11", "实际在另一所学校", "at another school", NULL}, {"M12", "学校确认未报到", "absent, says the school", NULL},
	{"M13", "学校答复查无此人", "school does not know him", NULL}, {"M14", "姓名不一致", "name differs", NULL},
	{"M15", "证件号码不一致", "number differs", NULL}, {"M16", "多校在册", "claimed by several schools", NULL},
	{"M17", "难以确认是同一人", "ambiguous", NULL}, {"M18", "学校未核验", "school is silent", NULL},
	{"M20", "在校但未填报", "present, not declared", NULL}, {"M21", "来源不明", "unknown origin", NULL},
	{"M22", "年龄或学籍状态异常", "age or status conflict", NULL}, {"M30", "外地就读缺证明", "elsewhere, no proof", NULL},
	{"M31", "外地就读逾期未认定", "elsewhere, not accepted in time", NULL}, {"M32", "外地就读证明不成立", "elsewhere, refuted", NULL},
	{"M40", "缓学留级缺证明", "deferred, no proof", NULL}, {"M41", "特教安置缺证明", "special, no proof", NULL},
	{"M42", "死亡缺证明", "deceased, no proof", NULL}, {"M43", "境外就读缺证明", "abroad, no proof", NULL},
	{"M50", "去向未定", "undecided", NULL}, {"M51", "拒绝入学", "refuses", NULL}, {"M52", "失联", "cannot be reached", NULL},
	{"M53", "私塾", "private tutoring", NULL}, {"M54", "失学", "out of school", NULL},
	{"M60", "违反招生规则", "enrolment rule broken", NULL}, {"M61", "确认后又离校", "left after confirmation", NULL}};
/* clang-format on */
const struct code_list codes_declared = {"填报", NULL, LIST(declared)};
const struct code_list codes_op_state = {"状态", NULL, LIST(op_states)};
const struct code_list codes_mismatch = {"问题", NULL, LIST(mismatches)};
const struct code_list codes_phase = {"阶段", NULL, LIST(phases)};
const struct code_list codes_filing_stage = {"环节", NULL, LIST(filing_stages)};
const struct code_list codes_severity = {"程度", NULL, LIST(severities)};
const struct code_list codes_slip_state = {"状态", NULL, LIST(slip_states)};
const struct code_list codes_reminder = {"提醒", NULL, LIST(reminders)};
const struct code_list codes_pupil_state = {"结果", NULL, LIST(pupil_states)};

/* Names as the .proto declarations use them behind `codes:`. */
static const struct {
	const char *name;
	const struct code_list *list;
} lists[] = {{"gender", &codes_gender}, {"ethnic", &codes_ethnic}, {"cert_type", &codes_cert_type},
	{"grade", &codes_grade}, {"role", &codes_role}, {"status", &codes_pupil_status},
	{"school_type", &codes_school_type}, {"founder", &codes_founder}, {"stage", &codes_stage},
	{"category", &codes_destination}, {"outcome", &codes_outcome}, {"answer", &codes_answer},
	{"phase", &codes_phase}, {"filing_stage", &codes_filing_stage}, {"severity", &codes_severity},
	{"slip_state", &codes_slip_state}, {"reminder", &codes_reminder}};

const struct code_list *code_list_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (strcmp(lists[i].name, name) == 0)
			return lists[i].list;
	return NULL;
}

const struct code_list *code_list_at(size_t i, const char **name)
{
	if (i >= sizeof lists / sizeof *lists)
		return NULL;
	*name = lists[i].name;
	return lists[i].list;
}

const struct code_list *code_list_called(const char *text)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (strcmp(lists[i].name, text) == 0 || strcmp(lists[i].list->name, text) == 0)
			return lists[i].list;
	return NULL;
}

#define WORD_MAX 128 /* longer than any word of any list with its code in front */

/* Half-width, no white space, upper case; "" when it cannot be a word at all. */
static void word_normal(char *out, const char *in)
{
	if (text_half_width(out, WORD_MAX, in) || text_strip_space(out, WORD_MAX, out))
		*out = 0;
	for (; *out; out++)
		if (*out >= 'a' && *out <= 'z')
			*out = (char)(*out - 'a' + 'A');
}

/* Compares n bytes of a list's word, which is half-width, with a normal text; 20,000 rows ask this for every
 * item of the list, so nothing is copied. */
static bool word_is(const struct code_list *list, const char *word, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		char c = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 'a' + 'A') : word[i];
		if (c != ' ' && c != *text++)
			return false;
	}
	return !*text || (list->suffix && strcmp(text, list->suffix) == 0);
}

static bool item_has_word(const struct code_list *list, const struct code_item *item, const char *text)
{
	if (word_is(list, item->zh, strlen(item->zh), text) ||
		word_is(list, item->en, strlen(item->en), text))
		return true;
	for (const char *p = item->also; p && *p;) {
		size_t n = strcspn(p, " ");
		if (word_is(list, p, n, text))
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

static bool code_is(const char *code, const char *text)
{
	if (strcasecmp(code, text) == 0)
		return true;
	/* A numeric cell has lost the zero of "01". */
	return code[0] == '0' && code[1] && text[0] != '0' && strcmp(code + 1, text) == 0;
}

/* What stands behind the code in "A1 施教区公办" or "01-汉族", or NULL. */
static const char *behind_code(const char *code, const char *text)
{
	static const char *const joints[] = {"-", ":", ".", ",", "、", "·", "_", "/", "—"};
	size_t n = strlen(code);

	if (strncasecmp(text, code, n) != 0)
		return NULL;
	text += n;
	for (size_t i = 0; i < sizeof joints / sizeof *joints; i++)
		if (strncmp(text, joints[i], strlen(joints[i])) == 0)
			return text + strlen(joints[i]);
	return text;
}

const char *code_find(const struct code_list *list, const char *text)
{
	char word[WORD_MAX];

	word_normal(word, text);
	if (!*word)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		if (code_is(list->items[i].code, word))
			return list->items[i].code;
	for (size_t i = 0; i < list->n; i++) {
		const struct code_item *item = &list->items[i];
		const char *rest = behind_code(item->code, word);
		if (item_has_word(list, item, word) || (rest && *rest && item_has_word(list, item, rest)))
			return item->code;
	}
	return NULL;
}

const struct code_item *code_item(const struct code_list *list, const char *code)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].code, code) == 0)
			return &list->items[i];
	return NULL;
}

const char *code_name(const struct code_list *list, const char *code)
{
	const struct code_item *item = code_item(list, code);

	return item ? tr(item->zh, item->en) : NULL;
}

const char *code_list_words(const struct code_list *list, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", tr("可填：", "one of: "));

	for (size_t i = 0; list && i < list->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s %s", i ? tr("、", ", ") : "", list->items[i].code, tr(list->items[i].zh, list->items[i].en));
	if (list && n >= size)
		snprintf(out, size, tr("可填的有 %zu 种，全部列在：jg help codes %s", "one of %zu, all of them listed by: jg help codes %s"), list->n, list->name);
	return out;
}

unsigned school_type_stages(const char *code)
{
	static const struct {
		const char *prefix;
		unsigned stages;
	} rows[] = {{"11", STAGE_KINDERGARTEN}, {"21", STAGE_PRIMARY}, {"311", STAGE_JUNIOR},
		{"319", STAGE_JUNIOR}, {"312", STAGE_PRIMARY | STAGE_JUNIOR}, {"321", STAGE_JUNIOR},
		{"341", STAGE_JUNIOR | STAGE_SENIOR}, {"342", STAGE_SENIOR},
		{"345", STAGE_PRIMARY | STAGE_JUNIOR | STAGE_SENIOR}, {"349", STAGE_SENIOR},
		{"36", STAGE_VOCATIONAL}, {"371", STAGE_PRIMARY | STAGE_JUNIOR},
		{"51", STAGE_PRIMARY | STAGE_JUNIOR | STAGE_SENIOR}};

	if (!code_item(&codes_school_type, code))
		return 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strncmp(code, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].stages;
	return 0;
}

/* Value of one Chinese numeral, 10 for 十, -1 for anything else. */
static int numeral(int32_t c)
{
	static const int32_t digits[] = {0x3007, 0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94, 0x516D, 0x4E03,
		0x516B, 0x4E5D, 0x5341}; /* 〇一二三四五六七八九十 */

	for (int i = 0; i < (int)(sizeof digits / sizeof *digits); i++)
		if (digits[i] == c)
			return i;
	return -1;
}

/* 三, 十, 十二, 二十, 二十三; -1 for a run that is no number below 100, such as 六三. */
static int numerals_value(const int *run, size_t n)
{
	if (n == 1 && run[0] > 0)
		return run[0];
	if (n == 2 && run[0] == 10 && run[1] < 10)
		return 10 + run[1];
	if (n == 2 && run[0] < 10 && run[1] == 10)
		return run[0] * 10;
	if (n == 3 && run[0] < 10 && run[1] == 10 && run[2] < 10)
		return run[0] * 10 + run[2];
	return -1;
}

/* The last number in the text, Arabic or Chinese; -1 when there is none. */
static int last_number(const char *p)
{
	int value = -1, run[4];
	size_t n = 0;
	int32_t c;
	int step;

	for (; (step = text_next(p, &c)) > 0; p += n ? 0 : step) {
		n = strspn(p, "0123456789");
		if (n) {
			value = n <= CLASS_NO_MAX ? atoi(p) : -1;
			p += n;
			continue;
		}
		for (int digit; (step = text_next(p, &c)) > 0 && (digit = numeral(c)) >= 0; p += step, n++)
			if (n < sizeof run / sizeof *run)
				run[n] = digit;
		if (n)
			value = numerals_value(run, n);
	}
	return value;
}

enum err class_no_parse(char *out, size_t size, const char *text)
{
	char word[WORD_MAX];

	if (size)
		*out = 0;
	word_normal(word, text);
	size_t length = strlen(word);
	if (length > 3 && strcmp(word + length - 3, "班") == 0)
		word[length -= 3] = 0;
	/* The number must be the last thing: 3班实验 is a name, and 六年级 or 2020级 alone name no class. */
	if (length && (word[length - 1] == ')' || word[length - 1] == ']'))
		word[--length] = 0;
	int value = length ? last_number(word) : -1;
	int32_t c = 0;
	size_t last = length;
	while (last && ((unsigned char)word[last - 1] & 0xC0) == 0x80)
		last--;
	if (last)
		text_next(word + last - 1, &c);
	if (value <= 0 || !((c >= '0' && c <= '9') || numeral(c) >= 0))
		return ERR_INVALID;
	return snprintf(out, size, "%d", value) < (int)size ? ERR_OK : ERR_TOO_LARGE;
}
