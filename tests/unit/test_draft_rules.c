/* Covers common/rules/draft_rules.c: each rule with drafts that it refuses and drafts that it lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "draft_rules.h"

static const struct draft_organ organs[] = {{"洪城县人民政府", RELATION_SUPERIOR},
	{"江州市教育局", RELATION_SUPERIOR}, {"江州省教育厅", RELATION_HIGHER},
	{"洪城县公安局", RELATION_PEER}, {"洪城县卫生健康局", RELATION_PEER},
	{"城关教育办公室", RELATION_BELOW}, {"洪城县委书记办公室主任", RELATION_PEER}};

/* A primary school, a junior school, one that goes through both, a vocational school. */
static unsigned school(void *context, const char *code)
{
	(void)context;
	if (strcmp(code, "2132990001") == 0)
		return STAGE_PRIMARY;
	if (strcmp(code, "3132990002") == 0)
		return STAGE_JUNIOR;
	if (strcmp(code, "3132990003") == 0)
		return STAGE_PRIMARY | STAGE_JUNIOR;
	if (strcmp(code, "3632990004") == 0)
		return STAGE_VOCATIONAL;
	return 0;
}

static bool received(void *context, const char *number)
{
	(void)context;
	return strcmp(number, "收〔2026〕3号") == 0;
}

static bool issues_orders(void *context, const struct draft_genre *genre)
{
	(void)context;
	return genre->directions || strcmp(genre->name, "公告") == 0;
}

static struct draft_facts facts(void)
{
	return (struct draft_facts){.own = "洪城县教育局",
		.organs = organs,
		.organ_count = sizeof organs / sizeof *organs,
		.school = school,
		.received = received};
}

#define BODY "\n---\n请遵照执行。\n"
#define PUBLIC "\n公开：主动公开\n"
#define NOTICE "标题：关于开展检查的通知\n文种：通知" PUBLIC
#define REPORT "标题：关于检查情况的报告\n文种：报告" PUBLIC "主送：洪城县人民政府\n"
#define ASK_TO(to)                                                                                           \
	"标题：关于增加编制的请示\n文种：请示" PUBLIC                                                        \
	"联系人：张三\n联系电话：0512-1\n请示事项：增加编制\n主送：" to "\n"
#define ASK ASK_TO("洪城县人民政府")

struct row {
	unsigned rule;
	const char *line; /* that is refused */
	const char *text;
};

static struct draft_refusal refusal;

static unsigned judge(const char *text, const struct draft_facts *f, enum draft_when when)
{
	struct problem p = {0};
	struct arena arena;
	struct draft d;

	arena_init(&arena, 1u << 20);
	if (draft_parse(&d, text, strlen(text), &arena, &p))
		fail_msg("%s\n%s: %s", text, p.field, p.message);
	unsigned rule = draft_judge(&d, f, when, &refusal);
	arena_free(&arena);
	return rule;
}

static void judged(const struct row *rows, size_t n)
{
	struct draft_facts f = facts();
	char field[16];

	for (size_t i = 0; i < n; i++) {
		unsigned rule = judge(rows[i].text, &f, DRAFT_SUBMIT);
		if (rule != rows[i].rule)
			fail_msg("R%02u, not R%02u: %s\n%s", rule, rows[i].rule, refusal.told.message,
				rows[i].text);
		assert_int_equal(refusal.rule, rule);
		if (!rule) {
			assert_null(refusal.line);
			assert_int_equal(judge(rows[i].text, &f, DRAFT_READ), 0);
			continue;
		}
		snprintf(field, sizeof field, "R%02u", rule);
		assert_string_equal(refusal.told.field, field);
		assert_string_equal(refusal.line, rows[i].line);
		assert_true(*refusal.told.message && *refusal.told.hint);
		bool when_read = rule == 3 || rule == 7 || rule == 12;
		assert_int_equal(judge(rows[i].text, &f, DRAFT_READ), when_read ? rule : 0);
	}
}

#define JUDGED(...)                                                                                          \
	const struct row rows[] = {__VA_ARGS__};                                                             \
	(void)state;                                                                                         \
	judged(rows, sizeof rows / sizeof *rows)

static void r02_kinds_of_paper(void **state)
{
	struct draft_facts f = facts();

	JUDGED({2, "文种", "标题：关于甲的规定\n文种：规定" PUBLIC "主送：小学" BODY},
		{2, "文种", "标题：关于甲的公告\n文种：公告" PUBLIC "主送：小学" BODY},
		{2, "文种", "标题：关于甲的命令\n文种：命令" PUBLIC BODY},
		{0, NULL, NOTICE "主送：小学" BODY});
	f.issues = issues_orders;
	assert_int_equal(
		judge("标题：关于甲的公告\n文种：公告" PUBLIC "主送：小学" BODY, &f, DRAFT_SUBMIT), 0);
	assert_int_equal(judge("标题：关于甲的命令\n文种：命令" PUBLIC BODY, &f, DRAFT_SUBMIT), 2);
}

static void r03_unknown_names(void **state)
{
	JUDGED({3, "主送", NOTICE "主送：小学；洪城县财政局" BODY},
		{3, "主送", NOTICE "主送：2132990009" BODY},
		{3, "抄送", NOTICE "主送：小学\n抄送：洪城县" BODY}, {3, "主送", NOTICE "主送：中学" BODY},
		{3, "主送", NOTICE "主送：王局长" BODY}, {3, "抄送", REPORT "抄送：王局长" BODY},
		{0, NULL,
			NOTICE
			"主送：2132990001；3632990004；小学；初中；幼儿园；高中\n抄送：洪城县公安局" BODY},
		{0, NULL, NOTICE "主送：全县学校；城关教育办公室" BODY});
}

static void r04_directions(void **state)
{
	JUDGED({4, "主送", NOTICE "主送：小学；洪城县公安局" BODY},
		{4, "主送", NOTICE "主送：洪城县人民政府" BODY}, {4, "主送", NOTICE BODY},
		{0, NULL, NOTICE "主送：洪城县公安局" BODY},
		{4, "主送", "标题：关于甲的决定\n文种：决定" PUBLIC "主送：洪城县公安局" BODY},
		{0, NULL, "标题：关于甲的决定\n文种：决定" PUBLIC "主送：全县学校" BODY},
		{4, "主送", "标题：关于甲的通报\n文种：通报" PUBLIC "主送：江州市教育局" BODY},
		{0, NULL, "标题：关于甲的意见\n文种：意见" PUBLIC "主送：江州市教育局" BODY},
		{0, NULL, "标题：关于甲的意见\n文种：意见" PUBLIC "主送：洪城县公安局" BODY},
		{0, NULL, "标题：关于甲的意见\n文种：意见" PUBLIC "主送：小学" BODY},
		{4, "主送", "标题：关于甲的意见\n文种：意见" PUBLIC BODY},
		{4, "主送", "标题：关于甲的报告\n文种：报告" PUBLIC "主送：小学" BODY},
		{4, "主送", ASK_TO("洪城县公安局") BODY},
		{4, "主送",
			"标题：关于甲的批复\n文种：批复" PUBLIC
			"主送：江州市教育局\n答复：收〔2026〕3号" BODY},
		{4, "主送", "标题：关于甲的函\n文种：函" PUBLIC "主送：小学" BODY},
		{0, NULL, "标题：关于甲的函\n文种：函" PUBLIC "主送：洪城县公安局；洪城县卫生健康局" BODY},
		{4, "主送", "标题：关于甲的通告\n文种：通告" PUBLIC "主送：小学" BODY},
		{0, NULL, "标题：关于甲的通告\n文种：通告" PUBLIC BODY},
		{0, NULL, "标题：办公会纪要\n文种：纪要" PUBLIC BODY},
		{0, NULL, "标题：办公会纪要\n文种：纪要" PUBLIC "主送：小学" BODY},
		{4, "主送", "标题：办公会纪要\n文种：纪要" PUBLIC "主送：洪城县公安局" BODY});
}

#define ANSWER "标题：关于增加编制的批复\n文种：批复" PUBLIC "主送：2132990001\n"

static void r05_answers(void **state)
{
	JUDGED({5, "答复", ANSWER BODY}, {5, "答复", ANSWER "答复：收〔2026〕4号" BODY},
		{5, "答复", ANSWER "答复：收〔2026〕3号；收〔2026〕4号" BODY},
		{0, NULL, ANSWER "答复：收〔2026〕3号" BODY});
}

#define TITLE(title) "标题：" title "\n文种：通知" PUBLIC "主送：小学" BODY

static void r06_titles(void **state)
{
	JUDGED({6, "标题", TITLE("开展检查的通知")}, {6, "标题", TITLE("关于开展检查通知")},
		{6, "标题", TITLE("关于开展检查的报告")}, {6, "标题", TITLE("关于的通知")},
		{6, "标题", TITLE("关于开展检查的")}, {6, "标题", TITLE("2026年关于开展检查的通知")},
		{6, "标题", TITLE("通知")}, {6, "标题", TITLE("关于检查、整改的通知")},
		{6, "标题", TITLE("关于开展检查的通知。")}, {6, "标题", TITLE("关于（重新）检查的通知")},
		{6, "标题", TITLE("关于检查！的通知")}, {6, "标题", TITLE("关于检查，整改的通知")},
		{6, "标题", TITLE("关于2026～2030年规划的通知")},
		{6, "标题", TITLE("关于印发《甲、乙办法》的通知")},
		{6, "标题", TITLE("某县教育局关于检查的通知")},
		{6, "标题", TITLE("关于印发《甲》（试行）的通知")}, {6, "标题", TITLE("关于》（甲）的通知")},
		{0, NULL, TITLE("洪城县人民政府洪城县教育局关于检查的通知")},
		{0, NULL, TITLE("关于印发《甲〈乙〉《丙》（丁）》的通知")},
		{0, NULL, TITLE("关于开展检查的通知")}, {0, NULL, TITLE("洪城县教育局关于开展检查的通知")},
		{0, NULL, TITLE("洪城县教育局　洪城县公安局关于开展检查的通知")},
		{0, NULL, TITLE("关于转发《关于检查的通知》的通知")},
		{0, NULL, TITLE("关于“双减”工作的通知")},
		{0, NULL, TITLE("关于印发《检查办法（试行）》的通知")},
		{0, NULL, TITLE("关于2026年义务教育招生的通知")},
		{0, NULL, "标题：局长办公会议（2026年第3次）\n文种：纪要" PUBLIC BODY});
}

static void r07_secrets(void **state)
{
	JUDGED({7, "密级", NOTICE "主送：小学\n密级：秘密" BODY}, {7, "密级", TITLE("关于机密★文件的通知")},
		{7, "密级", NOTICE "主送：小学\n标识：机密" BODY},
		{7, "密级", NOTICE "主送：小学\n标识：绝密★30年" BODY},
		{7, "密级", NOTICE "主送：小学\n标识：涉密" BODY},
		{7, "密级", NOTICE "主送：小学\n标识：秘　密" BODY},
		{7, "密级", NOTICE "主送：小学\n附注：机密★1年" BODY},
		{7, "密级", NOTICE "主送：小学\n附注：★秘密" BODY},
		{7, "密级", NOTICE "主送：小学\n---\n秘　密 ★ 长期\n正文"},
		{7, "密级", NOTICE "主送：小学\n附件：秘密★名单" BODY},
		{7, "密级", NOTICE "主送：小学\n反馈：数|choice|甲,绝密★" BODY},
		{7, "密级", NOTICE "主送：小学\n反馈：机密★数|number" BODY},
		{7, "密级", NOTICE "主送：小学\n附注：机\u200b密★\ufe0f1年" BODY},
		{7, "密级", NOTICE "主送：小学\n附注：絕密★" BODY},
		{0, NULL, NOTICE "主送：小学\n标识：工作秘密" BODY},
		{0, NULL, NOTICE "主送：小学\n标识：内部" BODY},
		{0, NULL, NOTICE "主送：小学\n---\n保守国家秘密，严禁泄露机密。\n★重点"},
		{0, NULL, NOTICE "主送：小学\n---\n秘密。★"});
	assert_true(draft_text_is_secret("关于甲的通知 机密★"));
	assert_false(draft_text_is_secret("关于甲的通知 机密"));
	assert_false(draft_text_is_secret(""));
}

static void r07_files(void **state)
{
	static const struct draft_file file = {"秘密★名单.xlsx", FILE_SOUND};
	struct draft_facts f = facts();

	(void)state;
	f.files = &file;
	f.file_count = 1;
	assert_int_equal(judge(NOTICE "主送：小学" BODY, &f, DRAFT_READ), 7);
	/* not a word of it is told */
	assert_null(strstr(refusal.told.message, "名单"));
}

static void r08_to_r15_reports_and_requests(void **state)
{
	JUDGED({8, "请示事项",
		       "标题：关于甲的请示\n文种：请示" PUBLIC
		       "联系人：甲\n联系电话：1\n主送：洪城县人民政府" BODY},
		{8, "请示事项",
			"标题：关于甲的请示\n文种：请示" PUBLIC
			"联系人：甲\n联系电话：1\n请示事项：增加编制；增加经费\n主送：洪城县人民政府" BODY},
		{0, NULL, ASK BODY}, {9, "主送", ASK_TO("洪城县人民政府；江州市教育局") BODY},
		{0, NULL, REPORT "抄送：江州市教育局" BODY}, {10, "抄送", ASK "抄送：小学" BODY},
		{10, "抄送", ASK "抄送：城关教育办公室" BODY}, {10, "抄送", REPORT "抄送：2132990001" BODY},
		{0, NULL, ASK "抄送：洪城县公安局" BODY}, {0, NULL, NOTICE "主送：初中\n抄送：小学" BODY},
		{14, "联系人",
			"标题：关于甲的请示\n文种：请示" PUBLIC
			"联系电话：1\n请示事项：甲\n主送：洪城县人民政府" BODY},
		{14, "联系电话",
			"标题：关于甲的请示\n文种：请示" PUBLIC
			"联系人：甲\n请示事项：甲\n主送：洪城县人民政府" BODY},
		{15, "正文", REPORT "---\n情况如上。妥否，请批示。"}, {15, "正文", REPORT "---\n当 否"},
		{15, "正文", REPORT "---\n妥否？"},
		{15, "正文", "标题：关于当否的报告\n文种：报告" PUBLIC "主送：洪城县人民政府" BODY},
		{15, "正文", REPORT "---\n请批复"}, {15, "正文", REPORT "---\n请审批"},
		{15, "正文", REPORT "---\n请审议"}, {15, "正文", REPORT "---\n请予　批准"},
		{15, "正文", REPORT "附注：请批示" BODY}, {0, NULL, REPORT "---\n特此报告。请审阅。"},
		{0, NULL, ASK "---\n妥否，请批示。"});
}

static void r11_repeated(void **state)
{
	JUDGED({11, "抄送", NOTICE "主送：小学\n抄送：洪城县公安局；小学" BODY},
		{11, "抄送", NOTICE "主送：洪城县公安局\n抄送：洪城县公安局" BODY},
		{11, "抄送", NOTICE "主送：小学\n抄送：2132990001" BODY},
		{11, "抄送", NOTICE "主送：3132990003\n抄送：小学" BODY},
		{11, "抄送", NOTICE "主送：全县学校\n抄送：小学" BODY},
		{11, "抄送", NOTICE "主送：小学\n抄送：全县学校" BODY},
		{11, "抄送", NOTICE "主送：全县学校\n抄送：3632990004" BODY},
		{0, NULL, NOTICE "主送：小学\n抄送：3132990002" BODY},
		{0, NULL, NOTICE "主送：小学\n抄送：初中" BODY},
		{0, NULL, NOTICE "主送：2132990001\n抄送：3132990002；洪城县公安局" BODY});
}

static void r12_persons(void **state)
{
	JUDGED({12, "主送", ASK_TO("王县长") BODY}, {12, "主送", ASK_TO("局长") BODY},
		{12, "主送", ASK_TO("洪城县人民政府；李局长") BODY},
		{12, "主送", ASK_TO("不存在局；李主任") BODY}, {3, "主送", ASK_TO("不存在局") BODY},
		{12, "主送", "标题：关于甲的报告\n文种：报告" PUBLIC "主送：县委书记" BODY},
		{12, "主送", "标题：关于甲的意见\n文种：意见" PUBLIC "主送：张三同志" BODY},
		/* an organ is one, whatever its name ends with */
		{0, NULL, NOTICE "主送：洪城县委书记办公室主任" BODY});
}

static void r13_passed_over(void **state)
{
	JUDGED({13, "抄送", ASK_TO("江州省教育厅") BODY},
		{13, "抄送", ASK_TO("江州省教育厅") "越级理由：急" BODY},
		{13, "越级理由", ASK_TO("江州省教育厅") "抄送：江州市教育局" BODY},
		{13, "抄送", ASK_TO("江州省教育厅") "抄送：洪城县公安局\n越级理由：急" BODY},
		{0, NULL, ASK_TO("江州省教育厅") "抄送：江州市教育局\n越级理由：急" BODY});
}

#define OPENNESS(how) "标题：关于甲的通知\n文种：通知\n主送：小学\n公开：" how BODY

static void r16_openness(void **state)
{
	JUDGED({16, "公开", OPENNESS("公开")}, {16, "公开", OPENNESS("部分公开")},
		{16, "公开理由", OPENNESS("不予公开")}, {0, NULL, OPENNESS("主动公开")},
		{0, NULL, OPENNESS("依申请公开")}, {0, NULL, OPENNESS("不予公开\n公开理由：过程性文件")});
}

static unsigned attached(const char *names, const struct draft_file *files, size_t n)
{
	struct draft_facts f = facts();
	char text[512];

	f.files = files;
	f.file_count = n;
	snprintf(text, sizeof text, "%s主送：小学\n附件：%s%s", NOTICE, names, BODY);
	unsigned rule = judge(text, &f, DRAFT_SUBMIT);
	assert_true(!rule || strcmp(refusal.line, "附件") == 0);
	return rule;
}

static void r17_attachments(void **state)
{
	static const struct draft_file two[] = {{"隐患排查表v1.2.xlsx", FILE_SOUND},
		{"名单.pdf", FILE_SOUND}},
				       twice[] = {{"名单.pdf", FILE_SOUND}, {"名单.docx", FILE_SOUND}},
				       plain[] = {{"名单", FILE_SOUND}, {".pdf", FILE_SOUND}};

	(void)state;
	assert_int_equal(attached("隐患排查表v1.2；名单", two, 2), 0);
	assert_int_equal(attached("名单；隐患排查表v1.2", two, 2), 0);
	assert_int_equal(attached("", NULL, 0), 0);
	assert_int_equal(attached("名单", NULL, 0), 17);
	assert_int_equal(attached("", two, 1), 17);
	assert_int_equal(attached("名单", two, 2), 17);
	assert_int_equal(attached("名单.pdf；隐患排查表v1.2", two, 2), 17);
	assert_int_equal(attached("名单；名单", twice, 2), 0);
	assert_int_equal(attached("名单；.pdf", plain, 2), 0);
	assert_int_equal(attached("名单", twice, 2), 17);
	assert_int_equal(attached("名单；名单", twice, 1), 17);
	for (enum draft_file_fault fault = FILE_INFECTED; fault <= FILE_WRONG_TYPE; fault++) {
		struct draft_file bad = {"名单.pdf", fault};
		assert_int_equal(attached("名单", &bad, 1), 17);
		assert_non_null(strstr(refusal.told.message, "名单.pdf"));
	}
}

/* What is only read is judged by R03, R07 and R12; of several the first is told. */
static void the_order_of_judging(void **state)
{
	struct draft_facts f = facts();

	(void)state;
	assert_int_equal(judge("标题：随便\n文种：规定\n公开：也许" BODY, &f, DRAFT_READ), 0);
	assert_int_equal(judge("标题：随便\n文种：规定\n公开：也许\n主送：谁" BODY, &f, DRAFT_READ), 3);
	assert_int_equal(judge("标题：随便\n文种：规定\n公开：也许\n密级：秘密" BODY, &f, DRAFT_READ), 7);
	assert_int_equal(judge("标题：随便\n文种：请示\n公开：也许\n主送：王局长\n抄送：谁\n密级：秘密" BODY,
				 &f, DRAFT_READ),
		12);
	assert_int_equal(judge("标题：随便\n文种：规定\n公开：也许\n主送：谁" BODY, &f, DRAFT_SUBMIT), 2);
	assert_int_equal(judge("标题：随便\n文种：请示\n公开：也许\n主送：谁" BODY, &f, DRAFT_SUBMIT), 3);
	assert_int_equal(judge("标题：随便\n文种：请示\n公开：也许\n主送：小学" BODY, &f, DRAFT_SUBMIT), 4);
	assert_int_equal(
		judge("标题：随便\n文种：请示\n公开：也许\n主送：洪城县人民政府" BODY, &f, DRAFT_SUBMIT), 6);
	assert_int_equal(judge("标题：关于甲的请示\n文种：请示\n公开：也许\n主送：洪城县人民政府" BODY, &f,
				 DRAFT_SUBMIT),
		8);
}

static void facts_that_are_not_there(void **state)
{
	struct draft_facts f = {0};

	(void)state;
	assert_int_equal(judge(NOTICE "主送：小学\n抄送：初中" BODY, &f, DRAFT_SUBMIT), 0);
	assert_int_equal(judge(NOTICE "主送：2132990001" BODY, &f, DRAFT_SUBMIT), 3);
	assert_int_equal(judge(NOTICE "主送：小学\n抄送：全县学校" BODY, &f, DRAFT_SUBMIT), 11);
	assert_int_equal(judge("标题：关于甲的批复\n文种：批复" PUBLIC "主送：小学\n答复：收〔2026〕3号" BODY,
				 &f, DRAFT_SUBMIT),
		5);
}

/* Of two ways to break a rule, the sentence names the one. */
static void what_is_told(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {{NOTICE BODY, "“通知”没有主送"},
		{NOTICE "主送：洪城县人民政府" BODY, "“通知”不能发给主送的机关"},
		{ANSWER BODY, "批复没有写答复哪一份请示"}, {ANSWER "答复：甲" BODY, "没有登记过“甲”这份收文"},
		{"标题：关于甲的请示\n文种：请示" PUBLIC "主送：洪城县人民政府" BODY, "请示没有写请示事项"},
		{"标题：关于甲的请示\n文种：请示" PUBLIC "请示事项：一；二\n主送：洪城县人民政府" BODY,
			"请示里有 2 件事"},
		{NOTICE "主送：小学；谁" BODY, "不认识“主送”里的“谁”"}};
	struct draft_facts f = facts();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		judge(rows[i].text, &f, DRAFT_SUBMIT);
		assert_string_equal(refusal.told.message, rows[i].words);
	}
}

static void groups_and_relations(void **state)
{
	struct draft_facts f = facts();
	const char *names[] = {"小学", "谁"};
	struct draft d = {.to = {names, 1}, .genre = ""};

	(void)state;
	assert_int_equal(draft_school_group("小学"), STAGE_PRIMARY);
	assert_int_equal(draft_school_group("初中"), STAGE_JUNIOR);
	assert_int_equal(draft_school_group("幼儿园"), STAGE_KINDERGARTEN);
	assert_int_equal(draft_school_group("高中"), STAGE_SENIOR);
	assert_int_equal(draft_school_group("全县学校"),
		STAGE_KINDERGARTEN | STAGE_PRIMARY | STAGE_JUNIOR | STAGE_SENIOR | STAGE_VOCATIONAL);
	assert_int_equal(draft_school_group(""), 0);
	assert_int_equal(draft_relation(&f, "江州省教育厅"), RELATION_HIGHER);
	assert_int_equal(draft_relation(&f, "2132990001"), RELATION_BELOW);
	assert_int_equal(draft_relation(&f, ""), RELATION_UNKNOWN);
	assert_int_equal(draft_directions(&d, &f), DRAFT_DOWN);
	d.to.n = 2;
	assert_int_equal(draft_directions(&d, &f), 0);
	d.to.n = 0;
	assert_int_equal(draft_directions(&d, &f), DRAFT_NONE);
}

static void who_signs(void **state)
{
	static const struct {
		const char *text;
		bool head;
	} rows[] = {{ASK BODY, true}, {REPORT BODY, true}, {NOTICE "主送：小学" BODY, false},
		{"标题：关于甲的意见\n文种：意见" PUBLIC "主送：小学" BODY, true},
		{"标题：关于甲的决定\n文种：决定" PUBLIC "主送：小学" BODY, true},
		{"标题：关于甲的函\n文种：函" PUBLIC "主送：洪城县公安局" BODY, false}};
	struct draft_facts f = facts();
	struct problem p;
	struct arena arena;
	struct draft d;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		arena_init(&arena, 1u << 20);
		assert_int_equal(draft_parse(&d, rows[i].text, strlen(rows[i].text), &arena, &p), ERR_OK);
		assert_int_equal(draft_is_for_head(&d, &f), rows[i].head);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(r02_kinds_of_paper),
		cmocka_unit_test(r03_unknown_names), cmocka_unit_test(r04_directions),
		cmocka_unit_test(r05_answers), cmocka_unit_test(r06_titles), cmocka_unit_test(r07_secrets),
		cmocka_unit_test(r07_files), cmocka_unit_test(r08_to_r15_reports_and_requests),
		cmocka_unit_test(r11_repeated), cmocka_unit_test(r12_persons),
		cmocka_unit_test(r13_passed_over), cmocka_unit_test(r16_openness),
		cmocka_unit_test(r17_attachments), cmocka_unit_test(the_order_of_judging),
		cmocka_unit_test(facts_that_are_not_there), cmocka_unit_test(what_is_told),
		cmocka_unit_test(groups_and_relations), cmocka_unit_test(who_signs)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
