#include "draft_rules.h"

#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "lang.h"
#include "normal_form.h"
#include "text.h"

/* ---- addressees ---- */

#define STAGES_ALL (STAGE_KINDERGARTEN | STAGE_PRIMARY | STAGE_JUNIOR | STAGE_SENIOR | STAGE_VOCATIONAL)

unsigned draft_school_group(const char *name)
{
	static const struct {
		const char *name;
		unsigned stages;
	} groups[] = {{"小学", STAGE_PRIMARY}, {"初中", STAGE_JUNIOR}, {"幼儿园", STAGE_KINDERGARTEN},
		{"高中", STAGE_SENIOR}, {"全县学校", STAGES_ALL}};

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (strcmp(groups[i].name, name) == 0)
			return groups[i].stages;
	return 0;
}

enum draft_relation draft_relation(const struct draft_facts *f, const char *name)
{
	for (size_t i = 0; i < f->organ_count; i++)
		if (strcmp(f->organs[i].name, name) == 0)
			return f->organs[i].relation;
	return draft_school_group(name) || (f->school && f->school(f->context, name)) ? RELATION_BELOW
										      : RELATION_UNKNOWN;
}

unsigned draft_directions(const struct draft *d, const struct draft_facts *f)
{
	static const unsigned directions[] = {[RELATION_SUPERIOR] = DRAFT_UP,
		[RELATION_HIGHER] = DRAFT_UP,
		[RELATION_PEER] = DRAFT_LEVEL,
		[RELATION_BELOW] = DRAFT_DOWN};
	unsigned all = 0;

	for (size_t i = 0; i < d->to.n; i++) {
		enum draft_relation relation = draft_relation(f, d->to.items[i]);
		if (relation == RELATION_UNKNOWN)
			return 0;
		all |= directions[relation];
	}
	return d->to.n ? all : DRAFT_NONE;
}

bool draft_is_for_head(const struct draft *d, const struct draft_facts *f)
{
	return draft_directions(d, f) & DRAFT_UP || strcmp(d->genre, "决定") == 0 ||
		strcmp(d->genre, "意见") == 0;
}

static bool has_relation(
	const struct draft_list *names, const struct draft_facts *f, enum draft_relation relation)
{
	for (size_t i = 0; i < names->n; i++)
		if (draft_relation(f, names->items[i]) == relation)
			return true;
	return false;
}

static bool is_genre(const struct draft *d, const char *name)
{
	return strcmp(d->genre, name) == 0;
}

/* ---- words in a text, whatever blanks stand between their characters ---- */

/* Blanks, and what nobody sees between two characters: zero-width marks, selectors of a glyph. */
static bool is_unseen(int32_t c)
{
	return text_is_space(c) || utf8proc_category(c) == UTF8PROC_CATEGORY_CF ||
		utf8proc_category(c) == UTF8PROC_CATEGORY_MN;
}

/* Behind the word that begins at s; NULL when it is another. */
static const char *word_end(const char *s, const char *word)
{
	int32_t c, wanted;

	for (int step; (step = text_next(word, &wanted)) > 0; word += step) {
		int next;
		while ((next = text_next(s, &c)) > 0 && is_unseen(c))
			s += next;
		if (next <= 0 || c != wanted)
			return NULL;
		s += next;
	}
	return s;
}

static bool has_word(const char *text, const char *word)
{
	int32_t c;

	for (int step; (step = text_next(text, &c)) > 0; text += step)
		if (!is_unseen(c) && word_end(text, word))
			return true;
	return false;
}

static const char *const secrets[] = {"绝密", "机密", "秘密", "絕密", "機密", "祕密"};
#define SECRETS (sizeof secrets / sizeof *secrets)

bool draft_text_is_secret(const char *text)
{
	char marked[2][16];

	for (size_t i = 0; i < SECRETS && strstr(text, "★"); i++) {
		snprintf(marked[0], sizeof marked[0], "%s★", secrets[i]);
		snprintf(marked[1], sizeof marked[1], "★%s", secrets[i]);
		if (has_word(text, marked[0]) || has_word(text, marked[1]))
			return true;
	}
	return false;
}

/* ---- the rules ---- */

/* One rule: NULL when the draft is right, else the line that is wrong, told in *p. */
typedef const char *rule_judge(const struct draft *d, const struct draft_facts *f, struct problem *p);

#define REFUSE(line, hint, ...) (problem_set(p, ERR_INVALID, NULL, hint, __VA_ARGS__), (line))

static const char *r02(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const struct draft_genre *genre = draft_genre(d->genre);

	if (!genre)
		return REFUSE("文种", _("写决定、通报、通知、意见、报告、请示、批复、函、通告、纪要中的一种"),
			_("没有“%s”这种文种"), d->genre);
	if (f->issues ? !f->issues(f->context, genre) : !genre->directions)
		return REFUSE("文种",
			_("改用决定、通报、通知、意见、报告、请示、批复、函、通告、纪要中的一种"),
			_("教育局不印发“%s”"), d->genre);
	return NULL;
}

/* The first name that is none we know. */
static const char *unknown_of(const struct draft_list *names, const struct draft_facts *f)
{
	for (size_t i = 0; i < names->n; i++)
		if (draft_relation(f, names->items[i]) == RELATION_UNKNOWN)
			return names->items[i];
	return NULL;
}

static const char *r03(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const char *name = unknown_of(&d->to, f), *line = "主送";

	if (!name) {
		name = unknown_of(&d->cc, f);
		line = "抄送";
	}
	if (!name)
		return NULL;
	return REFUSE(line,
		_("写登记过的机关名称、学校代码，或小学、初中、幼儿园、高中、全县学校；新的机关先请办公室登"
		  "记"),
		_("不认识“%s”里的“%s”"), line, name);
}

static const char *r04(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const struct draft_genre *genre = draft_genre(d->genre);
	unsigned directions = draft_directions(d, f);

	if (directions & (directions - 1))
		return REFUSE("主送", _("按上级、平级和下级分别行文，各写一份"),
			_("主送里既有上级又有平级或下级的机关"));
	if (!genre || !genre->directions || genre->directions & directions)
		return NULL;
	if (directions == DRAFT_NONE)
		return REFUSE("主送", _("写上主送；没有主送的用通告或纪要"), _("“%s”没有主送"), d->genre);
	return REFUSE("主送", _("向上用请示或报告，平级用函，向下用通知、决定、通报或批复"),
		_("“%s”不能发给主送的机关"), d->genre);
}

static const char *r05(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	if (!is_genre(d, "批复") || (*d->reply_to && f->received && f->received(f->context, d->reply_to)))
		return NULL;
	if (!*d->reply_to)
		return REFUSE("答复", _("写上“答复：收文号”，例如“答复：收〔2026〕3号”"),
			_("批复没有写答复哪一份请示"));
	return REFUSE("答复", _("照收文登记写收文号，例如“收〔2026〕3号”"), _("没有登记过“%s”这份收文"),
		d->reply_to);
}

/* A mark that a title may not have. A document that is named has its own brackets: 《…办法（试行）》. */
static bool is_wrong_mark(int32_t c, bool named)
{
	switch (c) {
	case 0x300A: /* 《》 */
	case 0x300B:
	case 0x201C: /* “” */
	case 0x201D:
		return false;
	case '(':
	case ')':
	case 0xFF08: /* （） */
	case 0xFF09:
	case 0x3014: /* 〔〕 */
	case 0x3015:
	case 0x3008: /* 〈〉 */
	case 0x3009:
		return !named;
	default:
		return normal_is_mark(c) || c == '~' || c == 0xFF5E;
	}
}

static bool has_wrong_mark(const char *title)
{
	int depth = 0;
	int32_t c;

	for (int step; (step = text_next(title, &c)) > 0; title += step) {
		depth += c == 0x300A ? 1 : c == 0x300B && depth ? -1 : 0;
		if (is_wrong_mark(c, depth > 0))
			return true;
	}
	return false;
}

/* Behind the organs that a title begins with: ours, and those that issue it with us. */
static const char *organs_end(const char *title, const struct draft_facts *f)
{
	int32_t c;

	for (;;) {
		size_t longest = 0;
		for (int step; (step = text_next(title, &c)) > 0 && text_is_space(c);)
			title += step;
		if (f->own && strncmp(title, f->own, strlen(f->own)) == 0)
			longest = strlen(f->own);
		for (size_t i = 0; i < f->organ_count; i++) {
			size_t n = strlen(f->organs[i].name);
			if (n > longest && strncmp(title, f->organs[i].name, n) == 0)
				longest = n;
		}
		if (!longest)
			return title;
		title += longest;
	}
}

static const char *r06(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	char end[64];
	const char *about = "关于", *at = organs_end(d->title, f);
	size_t n = strlen(at), m;

	if (is_genre(d, "纪要"))
		return NULL;
	if (has_wrong_mark(d->title))
		return REFUSE("标题", _("删去标点；书名号和引号可以留下"), _("标题里有标点符号"));
	snprintf(end, sizeof end, "的%s", d->genre);
	m = strlen(end);
	if (strncmp(at, about, strlen(about)) == 0 && n > strlen(about) + m && strcmp(at + n - m, end) == 0)
		return NULL;
	return REFUSE("标题", _("写成“关于…的文种”，前面可以加本机关的名称，最后的文种与“文种”一项相同"),
		_("标题不是“关于…的%s”"), d->genre);
}

static bool list_is_secret(const struct draft_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (draft_text_is_secret(list->items[i]))
			return true;
	return false;
}

/* 工作秘密 is no 密级; any other word of secrets says one. */
static bool mark_is_secret(const char *mark)
{
	return has_word(mark, "★") || (has_word(mark, "密") && strcmp(mark, "工作秘密") != 0);
}

static bool questions_are_secret(const struct draft *d)
{
	for (size_t i = 0; i < d->question_count; i++) {
		const struct draft_question *q = &d->questions[i];
		if (draft_text_is_secret(q->label) || draft_text_is_secret(q->period) ||
			list_is_secret(&q->choices))
			return true;
	}
	return false;
}

static const char *r07(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const char *const texts[] = {d->title, d->genre, d->publicity, d->publicity_reason, d->urgency,
		d->reply_to, d->skip_reason, d->contact, d->phone, d->note};
	const struct draft_list *const lists[] = {
		&d->to, &d->cc, &d->matters, &d->attachments, &d->present, &d->excused, &d->observers};
	bool secret = *d->secrecy || mark_is_secret(d->mark) || questions_are_secret(d);

	for (size_t i = 0; !secret && i < sizeof texts / sizeof *texts; i++)
		secret = draft_text_is_secret(texts[i]);
	for (size_t i = 0; !secret && i < sizeof lists / sizeof *lists; i++)
		secret = list_is_secret(lists[i]);
	for (size_t i = 0; !secret && i < d->paragraph_count; i++)
		secret = draft_text_is_secret(d->paragraphs[i]);
	for (size_t i = 0; !secret && i < f->file_count; i++)
		secret = draft_text_is_secret(f->files[i].name);
	if (!secret)
		return NULL;
	return REFUSE("密级",
		_("涉密公文不能在这里起草，什么也没有保存：按保密规定在涉密计算机上办理，并删去这台电脑上的文"
		  "稿"),
		_("这份公文标有密级"));
}

static const char *r08(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	(void)f;
	if (!is_genre(d, "请示") || d->matters.n == 1)
		return NULL;
	if (!d->matters.n)
		return REFUSE(
			"请示事项", _("写上“请示事项：…”，一份请示只写一件事"), _("请示没有写请示事项"));
	return REFUSE("请示事项", _("一文一事：每件事另写一份请示"), _("请示里有 %zu 件事"), d->matters.n);
}

static const char *r09(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	(void)f;
	if (!is_genre(d, "请示") || d->to.n == 1)
		return NULL;
	return REFUSE(
		"主送", _("只主送一个机关，需要同时送的写在抄送里"), _("请示主送了 %zu 个机关"), d->to.n);
}

static const char *r10(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	if ((!is_genre(d, "请示") && !is_genre(d, "报告")) || !has_relation(&d->cc, f, RELATION_BELOW))
		return NULL;
	return REFUSE("抄送", _("从抄送里删去下级机关和学校"), _("“%s”不能抄送下级机关"), d->genre);
}

/* Whether two addressees are one, or one has the other in it. */
static bool is_repeated(const struct draft_facts *f, const char *to, const char *cc)
{
	unsigned group_to = draft_school_group(to), group_cc = draft_school_group(cc);

	if (strcmp(to, cc) == 0)
		return true;
	if (group_to && group_cc)
		return group_to == STAGES_ALL || group_cc == STAGES_ALL;
	if (!f->school || (!group_to && !group_cc))
		return false;
	/* a school and a group */
	return f->school(f->context, group_to ? cc : to) & (group_to | group_cc);
}

static const char *r11(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	for (size_t i = 0; i < d->cc.n; i++)
		for (size_t k = 0; k < d->to.n; k++)
			if (is_repeated(f, d->to.items[k], d->cc.items[i]))
				return REFUSE("抄送", _("从抄送里删去它"), _("抄送的“%s”已经在主送里"),
					d->cc.items[i]);
	return NULL;
}

static bool is_person(const struct draft_facts *f, const char *name)
{
	static const char *const titles[] = {"局长", "县长", "书记", "主任", "同志"};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		size_t m = strlen(titles[i]);
		if (n >= m && strcmp(name + n - m, titles[i]) == 0)
			return draft_relation(f, name) == RELATION_UNKNOWN;
	}
	return false;
}

/* Of what may go up; on other papers a person is an organ that nobody knows (R03). */
static const char *r12(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const struct draft_genre *genre = draft_genre(d->genre);

	if (!genre || !(genre->directions & DRAFT_UP))
		return NULL;
	for (size_t i = 0; i < d->to.n; i++)
		if (is_person(f, d->to.items[i]))
			return REFUSE("主送", _("改成上级机关的名称"), _("上行文不能主送给个人“%s”"),
				d->to.items[i]);
	return NULL;
}

static const char *r13(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	if (!has_relation(&d->to, f, RELATION_HIGHER))
		return NULL;
	if (!has_relation(&d->cc, f, RELATION_SUPERIOR))
		return REFUSE("抄送", _("改为主送直接上级；确要越级的，抄送直接上级，并写越级理由"),
			_("越级行文没有抄送直接上级"));
	if (!*d->skip_reason)
		return REFUSE("越级理由", _("改为主送直接上级；确要越级的，写上“越级理由：…”"),
			_("越级行文没有写理由"));
	return NULL;
}

static const char *r14(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	(void)f;
	if (!is_genre(d, "请示") || (*d->contact && *d->phone))
		return NULL;
	return *d->contact ? REFUSE("联系电话", _("写上“联系电话：…”"), _("请示没有联系电话"))
			   : REFUSE("联系人", _("写上“联系人：…”和“联系电话：…”"), _("请示没有联系人"));
}

static const char *asking_word(const char *text)
{
	static const char *const words[] = {
		"妥否", "当否", "请批示", "请批复", "请审批", "请审议", "请予批准"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (has_word(text, words[i]))
			return words[i];
	return NULL;
}

static const char *r15(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	const char *word = NULL;

	(void)f;
	if (!is_genre(d, "报告"))
		return NULL;
	for (size_t i = 0; !word && i < d->paragraph_count; i++)
		word = asking_word(d->paragraphs[i]);
	word = word ? word : asking_word(d->title);
	word = word ? word : asking_word(d->note);
	if (!word)
		return NULL;
	return REFUSE(
		"正文", _("删去请示的话；要上级批准的，另写一份请示"), _("报告里夹带了请示：“%s”"), word);
}

static const char *r16(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	(void)f;
	if (strcmp(d->publicity, "主动公开") == 0 || strcmp(d->publicity, "依申请公开") == 0)
		return NULL;
	if (strcmp(d->publicity, "不予公开") != 0)
		return REFUSE("公开", _("写主动公开、依申请公开或不予公开"), _("没有“%s”这种公开方式"),
			d->publicity);
	if (!*d->publicity_reason)
		return REFUSE(
			"公开理由", _("写上“公开理由：…”，说明为什么不予公开"), _("不予公开没有写理由"));
	return NULL;
}

/* How long a file's name is without its extension. */
static size_t stem(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name ? (size_t)(dot - name) : strlen(name);
}

static bool is_named(const struct draft_file *file, const char *name)
{
	return strlen(name) == stem(file->name) && strncmp(file->name, name, strlen(name)) == 0;
}

static const char *file_bad(const struct draft_file *file, struct problem *p)
{
	switch (file->fault) {
	case FILE_INFECTED:
		return REFUSE("附件", _("用杀毒软件清除后换一份再附上"), _("附件“%s”带有病毒"), file->name);
	case FILE_UNSCANNED:
		return REFUSE("附件",
			_("过一会儿再运行同一条命令；仍然这样，请县局系统管理员检查病毒扫描程序"),
			_("附件“%s”还没有查过病毒"), file->name);
	case FILE_CHANGED:
		return REFUSE("附件", _("重新附上这个文件"), _("附件“%s”与上传时不同"), file->name);
	case FILE_CUT:
		return REFUSE("附件", _("重新附上这个文件"), _("附件“%s”没有传完"), file->name);
	case FILE_WRONG_TYPE:
		return REFUSE("附件", _("另存为 pdf、ofd、docx、xlsx、pptx、txt、csv、png 或 jpg 再附上"),
			_("附件“%s”的内容不是它的扩展名所说的格式"), file->name);
	default:
		return NULL;
	}
}

/* Each name has one file and each file one name; the order is the line's. */
static const char *r17(const struct draft *d, const struct draft_facts *f, struct problem *p)
{
	for (size_t i = 0; i < d->attachments.n; i++) {
		const char *name = d->attachments.items[i];
		size_t names = 0, files = 0;
		for (size_t k = 0; k < d->attachments.n; k++)
			names += strcmp(d->attachments.items[k], name) == 0;
		for (size_t k = 0; k < f->file_count; k++)
			files += is_named(&f->files[k], name);
		if (files < names)
			return REFUSE("附件", _("附上这个文件，或从“附件”一项里删去它；名称不写扩展名"),
				_("“附件”里的“%s”没有附上文件"), name);
	}
	for (size_t k = 0; k < f->file_count; k++) {
		const struct draft_file *file = &f->files[k];
		size_t names = 0, files = 0;
		for (size_t i = 0; i < d->attachments.n; i++)
			names += is_named(file, d->attachments.items[i]);
		for (size_t i = 0; i < f->file_count; i++)
			files += stem(f->files[i].name) == stem(file->name) &&
				strncmp(f->files[i].name, file->name, stem(file->name)) == 0;
		if (files > names)
			return REFUSE("附件", _("把名称写进“附件”一项，不写扩展名；或去掉这个文件"),
				_("附上的“%s”没有写在“附件”里"), file->name);
		if (file->fault)
			return file_bad(file, p);
	}
	return NULL;
}

unsigned draft_judge(
	const struct draft *d, const struct draft_facts *f, enum draft_when when, struct draft_refusal *r)
{
	static const struct {
		unsigned rule;
		bool read; /* judged of whatever is named or read */
		rule_judge *judge;
	} rules[] = {{2, false, r02}, {12, true, r12}, {3, true, r03}, {4, false, r04}, {5, false, r05},
		{6, false, r06}, {7, true, r07}, {8, false, r08}, {9, false, r09}, {10, false, r10},
		{11, false, r11}, {13, false, r13}, {14, false, r14}, {15, false, r15}, {16, false, r16},
		{17, false, r17}};

	*r = (struct draft_refusal){0};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (when == DRAFT_READ && !rules[i].read)
			continue;
		r->line = rules[i].judge(d, f, &r->told);
		if (r->line) {
			r->rule = rules[i].rule;
			snprintf(r->told.field, sizeof r->told.field, "R%02u", r->rule);
			return r->rule;
		}
	}
	return 0;
}

unsigned draft_judge_files(const struct draft *d, const struct draft_facts *f, struct draft_refusal *r)
{
	*r = (struct draft_refusal){0};
	for (size_t k = 0; !d && !r->line && k < f->file_count; k++)
		if (f->files[k].fault)
			r->line = file_bad(&f->files[k], &r->told);
	if (d)
		r->line = r17(d, f, &r->told);
	r->rule = r->line ? 17 : 0;
	return r->rule;
}
