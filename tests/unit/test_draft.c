/* Covers common/rules/draft.c, draft_digest.c and normal_form.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <utf8proc.h>

#include "draft.h"
#include "draft_digest.h"
#include "nomem.h"
#include "normal_form.h"
#include "text.h"

utf8proc_ssize_t __real_utf8proc_map(
	const utf8proc_uint8_t *in, utf8proc_ssize_t n, utf8proc_uint8_t **out, utf8proc_option_t o);

utf8proc_ssize_t __wrap_utf8proc_map(
	const utf8proc_uint8_t *in, utf8proc_ssize_t n, utf8proc_uint8_t **out, utf8proc_option_t o)
{
	if (nomem_now()) {
		*out = NULL;
		return UTF8PROC_ERROR_NOMEM;
	}
	return __real_utf8proc_map(in, n, out, o);
}

#define QUOTA (32u << 20)

static struct arena arena;
static struct draft draft;
static struct problem problem;

static int arena_begin(void **state)
{
	(void)state;
	arena_init(&arena, QUOTA);
	return 0;
}

static int arena_end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static enum err parse_bytes(const char *bytes, size_t n)
{
	problem = (struct problem){0};
	return draft_parse(&draft, bytes, n, &arena, &problem);
}

static void parse(const char *text)
{
	enum err e = parse_bytes(text, strlen(text));

	if (e)
		fail_msg("%s: %s (%s, row %ld)", err_info((int)e)->name, problem.message, problem.field,
			problem.row);
}

static void refused(const char *text, enum err want, const char *field, long row)
{
	enum err e = parse_bytes(text, strlen(text));

	if (e != want || strcmp(problem.field, field) != 0 || problem.row != row)
		fail_msg("%s\n%s: field %s, row %ld: %s", text, err_info((int)e)->name, problem.field,
			problem.row, problem.message);
	assert_int_equal(problem.code, want);
	assert_true(*problem.message);
	assert_true(*problem.hint);
}

static const char whole[] =
	"标题：关于开展校园安全检查的通知\n文种：通知\n公开：不予公开\n公开理由：过程性文件\n"
	"主送：小学；初中；2132990001\n抄送：县公安局\n紧急程度：加急\n标识：内部\n密级：\n答复：收〔2026〕3"
	"号\n"
	"请示事项：一；二\n越级理由：急\n联系人：张三\n联系电话：0512-12345678\n附注：此件发至各校\n"
	"附件：隐患排查表；名单\n出席：甲；乙\n请假：丙\n列席：丁\n"
	"反馈：隐患数|number；是否完成|choice|是,否@2026年上半年；完成日期|date；说明|text；台账|file@2026\n"
	"---\n为保障安全，现通知如下：\n一、总体要求\n请遵照执行。\n";

static void is_list(const struct draft_list *list, size_t n, const char *first, const char *last)
{
	assert_int_equal(list->n, n);
	assert_string_equal(list->items[0], first);
	assert_string_equal(list->items[n - 1], last);
}

static void is_question(
	size_t i, const char *key, const char *label, enum draft_answer type, const char *period)
{
	assert_string_equal(draft.questions[i].key, key);
	assert_string_equal(draft.questions[i].label, label);
	assert_int_equal(draft.questions[i].type, type);
	assert_string_equal(draft.questions[i].period, period);
}

static void a_whole_draft(void **state)
{
	(void)state;
	parse(whole);
	assert_string_equal(draft.title, "关于开展校园安全检查的通知");
	assert_string_equal(draft.genre, "通知");
	assert_string_equal(draft.publicity, "不予公开");
	assert_string_equal(draft.publicity_reason, "过程性文件");
	assert_string_equal(draft.urgency, "加急");
	assert_string_equal(draft.mark, "内部");
	assert_string_equal(draft.secrecy, "");
	assert_string_equal(draft.reply_to, "收〔2026〕3号");
	assert_string_equal(draft.skip_reason, "急");
	assert_string_equal(draft.contact, "张三");
	assert_string_equal(draft.phone, "0512-12345678");
	assert_string_equal(draft.note, "此件发至各校");
	is_list(&draft.to, 3, "小学", "2132990001");
	is_list(&draft.cc, 1, "县公安局", "县公安局");
	is_list(&draft.matters, 2, "一", "二");
	is_list(&draft.attachments, 2, "隐患排查表", "名单");
	is_list(&draft.present, 2, "甲", "乙");
	is_list(&draft.excused, 1, "丙", "丙");
	is_list(&draft.observers, 1, "丁", "丁");
	assert_int_equal(draft.question_count, 5);
	is_question(0, "q1", "隐患数", DRAFT_NUMBER, "");
	is_question(1, "q2", "是否完成", DRAFT_CHOICE, "2026年上半年");
	is_list(&draft.questions[1].choices, 2, "是", "否");
	is_question(2, "q3", "完成日期", DRAFT_DATE, "");
	is_question(3, "q4", "说明", DRAFT_TEXT, "");
	is_question(4, "q5", "台账", DRAFT_FILE, "2026");
	assert_int_equal(draft.paragraph_count, 3);
	assert_string_equal(draft.paragraphs[1], "一、总体要求");
	assert_string_equal(draft.body, "为保障安全，现通知如下：\n一、总体要求\n请遵照执行。\n");
}

#define HEAD "标题：甲\n文种：通知\n公开：主动公开\n"

/* Notepad's BOM and CRLF, an old Mac's CR, blanks of every width, half-width signs, text that is not NFC. */
static void as_people_type(void **state)
{
	(void)state;
	parse("\xEF\xBB\xBF标题: 甲 \r\n\r\n\u3000文种\u3000：\t通知\r\n公开：主动公开\r\n主送：; 小学 "
	      ";;初中；\r\n --- \r\n"
	      "\u3000\u3000第一段 \r\n\r\n \t \r\n第二\t段\r\n---\r\n末段");
	assert_string_equal(draft.title, "甲");
	assert_string_equal(draft.genre, "通知");
	is_list(&draft.to, 2, "小学", "初中");
	assert_string_equal(draft.body, "第一段\n第二 段\n---\n末段\n");
	assert_int_equal(draft.paragraph_count, 4);
	assert_string_equal(draft.paragraphs[3], "末段");
	parse(HEAD "---\n甲\v乙\f丙\n");
	assert_string_equal(draft.body, "甲 乙 丙\n");
	parse("标题：甲\r文种：通知\r公开：主动公开\r---\r一\r二\r");
	assert_string_equal(draft.body, "一\n二\n");
	parse(HEAD "联系人：Zoe\u0308 \uF900\n---\ne\u0301\n");
	assert_string_equal(draft.contact, "Zoë \u8C48");
	assert_string_equal(draft.body, "é\n");
	/* a value has colons of its own; a line of its own for each question */
	parse(HEAD "附注：时间：8:30\n反馈：甲｜number＠2026\n反馈：乙|choice|一，二, 三\n---\n正文\n");
	assert_string_equal(draft.note, "时间：8:30");
	assert_int_equal(draft.question_count, 2);
	is_question(0, "q1", "甲", DRAFT_NUMBER, "2026");
	is_question(1, "q2", "乙", DRAFT_CHOICE, "");
	is_list(&draft.questions[1].choices, 3, "一", "三");
	/* named and empty is absent */
	parse(HEAD "抄送：\n反馈：\n---\n正文");
	assert_int_equal(draft.cc.n + draft.question_count, 0);
}

static void what_is_no_draft(void **state)
{
	(void)state;
	refused("", ERR_INVALID, "", 0);
	refused("标题：甲\n文种：通知\n公开：主动公开\n正文没有横线\n", ERR_INVALID, "", 4);
	refused(HEAD, ERR_INVALID, "", 0);
	refused(HEAD "----\n正文\n", ERR_INVALID, "", 4);
	refused(HEAD "题目：乙\n---\n正文\n", ERR_INVALID, "题目", 4);
	refused(HEAD "：乙\n---\n正文\n", ERR_INVALID, "", 4);
	refused(HEAD "标题：甲\n---\n正文\n", ERR_INVALID, "标题", 4);
	refused(HEAD "抄送：\n抄送：\n---\n正文\n", ERR_INVALID, "抄送", 5);
	refused("文种：通知\n公开：主动公开\n---\n正文\n", ERR_MISSING, "标题", 0);
	refused("标题：甲\n公开：主动公开\n---\n正文\n", ERR_MISSING, "文种", 0);
	refused("标题：甲\n文种：通知\n---\n正文\n", ERR_MISSING, "公开", 0);
	refused("标题： \n文种：通知\n公开：主动公开\n---\n正文\n", ERR_MISSING, "标题", 0);
	refused(HEAD "---\n", ERR_MISSING, "正文", 0);
	refused(HEAD "---\n \n\u3000\n", ERR_MISSING, "正文", 0);
	refused(HEAD "---\n正文\n坏\xFF", ERR_INVALID, "", 6);
	refused("\xFF", ERR_INVALID, "", 1);
	refused("\n\n\xFF", ERR_INVALID, "", 3);
	refused("标题：甲\r\n文种：通知\r\n\r\n公开：主动公开\r\n甲\r\n", ERR_INVALID, "", 5);
	refused("标题：甲\r\r文种：通知\r甲\r", ERR_INVALID, "", 4);
	refused(HEAD "---\n正文\n\x1B[31m\n", ERR_INVALID, "", 6);
	refused(HEAD "附注：甲\u202E乙\n---\n正文\n", ERR_INVALID, "", 4);
	refused(HEAD "紧急程度：十万火急\n---\n正文\n", ERR_INVALID, "紧急程度", 0);
	refused(HEAD "标识：绝对\n---\n正文\n", ERR_INVALID, "标识", 0);
}

static void questions_that_are_none(void **state)
{
	static const char *const wrong[] = {"甲", "甲|", "|number", " |number", "甲|数字", "甲|number|1",
		"甲|choice", "甲|choice|", "甲|choice| , ", "甲|choice|是,否,是", "甲|choice|是,是",
		"甲|choice@2026", "甲|@2026", "乙|number；甲"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, HEAD "反馈：%s\n---\n正文\n", wrong[i]);
		refused(text, ERR_INVALID, "反馈", 4);
	}
}

static void a_nul_inside(void **state)
{
	char text[sizeof whole];

	(void)state;
	for (size_t i = 0; i < sizeof whole - 1; i++) {
		memcpy(text, whole, sizeof whole);
		text[i] = 0;
		assert_int_equal(parse_bytes(text, sizeof whole - 1), ERR_INVALID);
		assert_true(problem.row > 0);
	}
}

/* Each cut either says what is missing or is a draft with the end of its body lost. */
static void cut_at_every_byte(void **state)
{
	size_t body = (size_t)(strstr(whole, "---\n") - whole) + strlen("---\n");

	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char *text = __real_malloc(n + 1); /* nothing behind it */
		memcpy(text, whole, n);
		enum err e = parse_bytes(text, n);
		bool good = text_utf8_valid(text, n) && n > body;
		if (good ? e != ERR_OK : e != ERR_INVALID && e != ERR_MISSING)
			fail_msg("%zu bytes: %s", n, err_info((int)e)->name);
		free(text);
		arena_free(&arena);
	}
}

static char *fill(char *to, const char *what, size_t n)
{
	while (n--)
		to = stpcpy(to, what);
	return to;
}

static void large_ones(void **state)
{
	static char text[DRAFT_BYTES_MAX + 100];
	char *end;

	(void)state;
	end = fill(stpcpy(text, HEAD "---\n"), "a\n", (DRAFT_BYTES_MAX - strlen(HEAD "---\n")) / 2);
	parse(text);
	assert_int_equal(draft.paragraph_count, (size_t)(end - text - (long)strlen(HEAD "---\n")) / 2);
	fill(end, "a", DRAFT_BYTES_MAX - (size_t)(end - text));
	assert_int_equal(strlen(text), DRAFT_BYTES_MAX);
	parse(text);
	strcat(text, "a");
	refused(text, ERR_TOO_LARGE, "", 0);
	end = fill(stpcpy(text, HEAD "主送："), "甲；", DRAFT_LIST_MAX);
	strcpy(end, "\n---\n正文\n");
	parse(text);
	assert_int_equal(draft.to.n, DRAFT_LIST_MAX);
	strcpy(end, "乙\n---\n正文\n");
	refused(text, ERR_TOO_LARGE, "主送", 4);
	end = fill(stpcpy(text, HEAD "反馈："), "甲|text；", DRAFT_QUESTIONS_MAX);
	strcpy(end, "\n---\n正文\n");
	parse(text);
	is_question(39, "q40", "甲", DRAFT_TEXT, "");
	strcpy(end, "\n反馈：乙|text\n---\n正文\n");
	refused(text, ERR_TOO_LARGE, "反馈", 5);
	/* what an arena has no room for, and text that grows */
	arena_free(&arena);
	arena_init(&arena, 2000);
	fill(stpcpy(text, HEAD "---\n"), "\uFB2C", 600);
	assert_int_equal(parse_bytes(text, strlen(text)), ERR_TOO_LARGE);
}

static void genres(void **state)
{
	static const struct {
		const char *name;
		unsigned directions;
	} all[] = {{"决定", DRAFT_DOWN}, {"通报", DRAFT_DOWN}, {"通知", DRAFT_DOWN | DRAFT_LEVEL},
		{"意见", DRAFT_UP | DRAFT_DOWN | DRAFT_LEVEL}, {"报告", DRAFT_UP}, {"请示", DRAFT_UP},
		{"批复", DRAFT_DOWN}, {"函", DRAFT_LEVEL}, {"通告", DRAFT_NONE},
		{"纪要", DRAFT_NONE | DRAFT_DOWN}, {"决议", 0}, {"命令", 0}, {"公报", 0}, {"公告", 0},
		{"议案", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_non_null(draft_genre(all[i].name));
		assert_string_equal(draft_genre(all[i].name)->name, all[i].name);
		assert_int_equal(draft_genre(all[i].name)->directions, all[i].directions);
	}
	assert_null(draft_genre(""));
	assert_null(draft_genre("实施意见"));
}

/* ---- digest, substance, burden ---- */

static const struct draft_file_hash files[] = {{"隐患排查表.xlsx", {1}}, {"名单.pdf", {2}}};

/* Made with Python's SHA-256. */
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define BODY_SHA256 "40d5c3bd613186c7097dc7b8c830f867f4e7f46f5e8786f66061161aa5d58872"
#define LINES_SHA256 "bcef9587e00e20007505e95ed87b16470aca27ae6f930f697a36e05a1448c91b"

static void the_digest(void **state)
{
	const char *lines;
	uint8_t hash[HASH_SIZE];
	char hex[DRAFT_HEX_SIZE];
	struct draft_file_hash bad = {"甲\n乙", {0}};

	(void)state;
	parse(HEAD "主送：小学；初中\n---\n 第一段\r\ne\u0301\n");
	assert_int_equal(draft_digest_lines(&lines, &draft, files, 2, &arena), ERR_OK);
	assert_string_equal(lines,
		"jg document version\ntitle=甲\ngenre=通知\nto=小学;初中\ncc=\n"
		"text=" BODY_SHA256 "\n"
		"file=01" ZEROS " 隐患排查表.xlsx\nfile=02" ZEROS " 名单.pdf\n");
	assert_int_equal(draft_digest(hash, &draft, files, 2, &arena), ERR_OK);
	draft_hex(hex, hash);
	assert_string_equal(hex, LINES_SHA256);
	assert_int_equal(draft_digest(hash, &draft, &bad, 1, &arena), ERR_INVALID);
}

static void form_and_substance(void **state)
{
	static const char base[] =
		HEAD "主送：小学；县公安局\n抄送：县政府\n---\n为保障 2026 年安全，请报 1,5 项。\n第二段\n";
	static const struct {
		const char *text;
		bool same;
	} rows[] = {{base, true},
		{HEAD "主送：小学;县 "
		      "公安局\n抄送：县政府\n附注：有\n---\n为保障２０２６年安全；请报１，５项!第二段",
			true},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n---\n为保障2026年安全，请报16项。\n第二段\n",
			false},
		{"标题：《甲》\n文种：通知\n公开：主动公开\n主送：小学；县公安局\n抄送：县政府\n---"
		 "\n为保障2026年安全请报1,5项第二段",
			true},
		{"标题：乙\n文种：通知\n公开：主动公开\n主送：小学；县公安局\n抄送：县政府\n---"
		 "\n为保障2026年安全请报1,5项第二段",
			false},
		{HEAD "主送：小学县公安局\n抄送：县政府\n---\n为保障2026年安全请报1,5项第二段", false},
		{HEAD "主送：县公安局；小学\n抄送：县政府\n---\n为保障2026年安全请报1,5项第二段", false},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n---\n为保障2026年安全，请报15项。\n第二段\n",
			false},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n---\n为保障2026年安全，请报1,5%项。\n第二段\n",
			false},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n标识：内部\n---\n为保障2026年安全，请报1,5项。"
		      "\n第二段\n",
			false},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n反馈：人数|number\n---\n"
		      "为保障2026年安全，请报1,5项。\n第二段\n",
			false},
		{"标题：甲\n文种：通知\n公开：依申请公开\n主送：小学；县公安局\n抄送：县政府\n---\n"
		 "为保障2026年安全，请报1,5项。\n第二段\n",
			false},
		{HEAD "主送：小学；县公安局\n---\n为保障2026年安全请报1,5项第二段", false},
		{HEAD "主送：小学；县公安局\n抄送：县政府\n---\n第二段为保障2026年安全请报15项", false}};
	struct draft first;
	bool same;

	(void)state;
	parse(base);
	first = draft;
	struct draft_version a = {&first, files, 2}, b = {&draft, files, 2};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		parse(rows[i].text);
		assert_int_equal(draft_same_substance(&same, &a, &b, &arena), ERR_OK);
		if (same != rows[i].same)
			fail_msg("row %zu", i);
	}
	/* files by what is in them, not by name */
	struct draft_file_hash renamed[] = {{"另名.xlsx", {1}}, {"名单.pdf", {2}}},
			       other[] = {files[1], files[0]};
	b = (struct draft_version){&first, renamed, 2};
	assert_int_equal(draft_same_substance(&same, &a, &b, &arena), ERR_OK);
	assert_true(same);
	b.files = other;
	assert_int_equal(draft_same_substance(&same, &a, &b, &arena), ERR_OK);
	assert_false(same);
	a.file_count = b.file_count = 1;
	assert_int_equal(draft_same_substance(&same, &a, &b, &arena), ERR_OK);
	assert_false(same);
	a.file_count = 2;
	b.files = files;
	assert_int_equal(draft_same_substance(&same, &a, &b, &arena), ERR_OK);
	assert_false(same);
}

/* A number is what it says: its marks are no punctuation. */
static void numbers_are_substance(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {{"3.5万元", "35万元", false}, {"2026-9-1", "20269-1", false}, {"3.5", "３．５", true},
		{"12:30", "1230", false}, {"5%", "5", false}, {"1、2、3", "1，2，3", false},
		{"3. 5万元", "3.5万元", true}, {"共12。\n3个", "共12；\n3个", true},
		{"第1，共2", "第1共2", true}, {"3.", "3", true}, {"“35”", "35", true}};
	const char *a, *b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned forms = NORMAL_NO_MARKS | NORMAL_NUMBERS;
		assert_int_equal(normal_form(&a, rows[i].a, strlen(rows[i].a), forms, &arena), ERR_OK);
		assert_int_equal(normal_form(&b, rows[i].b, strlen(rows[i].b), forms, &arena), ERR_OK);
		if ((strcmp(a, b) == 0) != rows[i].same)
			fail_msg("%s, %s: %s, %s", rows[i].a, rows[i].b, a, b);
	}
}

static void same_question(const char *a, const char *b, bool want)
{
	const char *x, *y;

	assert_int_equal(draft_question_key(&x, a, "2026", &arena), ERR_OK);
	assert_int_equal(draft_question_key(&y, b, "2026", &arena), ERR_OK);
	assert_int_equal(strcmp(x, y) == 0, want);
}

static void questions_are_known_again(void **state)
{
	const char *x, *y;

	(void)state;
	same_question("在校学生数", "在校 学生数：", true);
	same_question("是否完成ABC？", "是否“完成”ａｂｃ", true);
	same_question("㎡数", "m2数", true);
	same_question("在校学生数", "在校教师数", false);
	same_question("𫗧", "𫗧。", true);
	assert_int_equal(draft_question_key(&x, "甲", "2026年", &arena), ERR_OK);
	assert_int_equal(draft_question_key(&y, "甲", "", &arena), ERR_OK);
	assert_string_equal(x, "甲\n2026年");
	assert_string_equal(y, "甲\n");
	assert_int_equal(draft_question_key(&x, "\xFF", "", &arena), ERR_INVALID);
	assert_int_equal(
		normal_form(&x, "Ａ，b\u00A0Ⅷ Ⱥ", strlen("Ａ，b\u00A0Ⅷ Ⱥ"), NORMAL_LOWER, &arena), ERR_OK);
	assert_string_equal(x, "a,bviiiⱥ");
}

/* Blanks of any width part terms; what nobody sees parts none, and is none. */
static void what_is_looked_for(void **state)
{
	static const char *const wanted[] = {"安全", "a1", "𠀀b", "c"};
	const char **terms;
	size_t n;

	(void)state;
	assert_int_equal(
		normal_terms(&terms, &n, " 安\u200B全\u3000Ａ１\t\u00A0𠀀B \u200B C", &arena), ERR_OK);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(terms[i], wanted[i]);
	assert_int_equal(normal_terms(&terms, &n, " \u3000\u200B", &arena), ERR_OK);
	assert_int_equal(n, 0);
	assert_int_equal(normal_terms(&terms, &n, "a \xFF", &arena), ERR_INVALID);
}

static void what_it_costs(void **state)
{
	static char text[4096];

	(void)state;
	parse(HEAD "---\n一\n");
	assert_int_equal(draft_cost(&draft, &draft_minutes_default), 2);
	strcpy(fill(stpcpy(text, HEAD "---\n"), "字", 400), "\n");
	parse(text);
	assert_int_equal(draft_cost(&draft, &draft_minutes_default), 2);
	strcat(text, "𫗧\n");
	parse(text);
	assert_int_equal(draft_cost(&draft, &draft_minutes_default), 3);
	parse(whole); /* number 2, choice 1, date 1, text 5, file 10 */
	assert_int_equal(draft_cost(&draft, &draft_minutes_default), 21);
}

/* ---- without memory ---- */

static enum err all_of_it(void *data)
{
	static const char other[] = HEAD "主送：小 学\n反馈：e\u0301|number；乙|choice|一,二\n---\n正 文\n";
	struct draft_version a = {&draft, files, 2}, b;
	struct draft second;
	const char *key;
	uint8_t hash[HASH_SIZE];
	struct arena one;
	bool same = false;

	(void)data;
	arena_init(&one, QUOTA);
	enum err e = draft_parse(&second, other, strlen(other), &one, NULL);
	b = (struct draft_version){&second, files, 2};
	e = e ? e : draft_digest(hash, &second, files, 2, &one);
	e = e ? e : draft_same_substance(&same, &a, &b, &one);
	e = e ? e : draft_question_key(&key, second.questions[0].label, "", &one);
	assert_true(e || same);
	arena_free(&one);
	return e;
}

/* A block of the arena each: what is asked of it does not fit one. */
static enum err a_large_one(void *data)
{
	struct arena one;
	struct draft large;

	arena_init(&one, QUOTA);
	enum err e = draft_parse(&large, data, strlen(data), &one, NULL);
	arena_free(&one);
	return e;
}

static void without_memory(void **state)
{
	static char text[40000];

	(void)state;
	parse(HEAD "主送：小学\n反馈：é|number；乙|choice|一,二\n---\n正文\n");
	nomem_until_it_works("draft", all_of_it, NULL, ERR_NOMEM, 8);
	strcpy(fill(stpcpy(text, HEAD "主送："), "甲；", DRAFT_LIST_MAX), "\n---\n");
	fill(text + strlen(text), "e\u0301长\n", 5000);
	nomem_until_it_works("large draft", a_large_one, text, ERR_NOMEM, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(a_whole_draft), TEST(as_people_type), TEST(what_is_no_draft),
		TEST(questions_that_are_none), TEST(a_nul_inside), TEST(cut_at_every_byte), TEST(large_ones),
		TEST(genres), TEST(the_digest), TEST(form_and_substance), TEST(numbers_are_substance),
		TEST(questions_are_known_again), TEST(what_is_looked_for), TEST(what_it_costs),
		TEST(without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
