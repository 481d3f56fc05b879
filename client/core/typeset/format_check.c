#include "format_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "docx_read.h"
#include "format_parts.h"
#include "lang.h"
#include "text.h"

#define SHOWN_MAX 40 /* characters of a paragraph */
#define MM(twips) ((twips) / 20.0 * 25.4 / 72)
#define BODY_HALF_POINTS 32
#define INDENT_CHARS 200 /* 1/100 of a character */
#define INDENT_TWIPS 640 /* two characters of 三号 */
#define INDENT_ROUGH 40
#define PITCH_LEAST (28 * 20)
#define PITCH_MOST (30 * 20)

/* What is wrong is shown by the paragraph; here is what to do. */
static const char *const mends[] = {
	[1] = N_("补上标题：发文机关＋关于＋事由＋的＋文种"),
	[2] = N_("文种只用条例规定的 15 种，如通知、报告、请示、函"),
	[3] = N_("发文字号的年份用六角括号：〔2026〕"),
	[4] = N_("发文字号的序号不加“第”，不编虚位：12号"),
	[5] = N_("标题里除书名号和引号外不用标点"),
	[6] = N_("标题用 2 号（22 磅）小标宋，居中"),
	[7] = N_("标题下顶格写主送机关，末尾用全角冒号"),
	[8] = N_("层次依次用：一、（一）1. （1），序号连续"),
	[9] = N_("正文用 3 号（16 磅）仿宋，一级标题黑体，二级标题楷体"),
	[10] = N_("段落首行左空二字"),
	[11] = N_("成文日期用阿拉伯数字，月日不加零：2026年8月5日"),
	[12] = N_("在成文日期上一行写发文机关署名，与标题、版头一致"),
	[13] = N_("附件说明的名称后不加标点，序号、名称与所附附件一致"),
	[14] = N_("请示在附注处写明联系人和联系电话：（联系人：×××，联系电话：××××）"),
	[15] = N_("页边距：上 37 毫米，左 28 毫米，右 26 毫米"),
	[16] = N_("纸张改为 A4（210×297 毫米）"),
	[17] = N_("正文行距用固定值 28 至 30 磅"),
	[18] = N_("在页脚插入页码"),
	[19] = N_("印发日期不能早于成文日期"),
	[20] = N_("汉字之间用全角标点"),
	[21] = N_("请示只主送一个机关"),
	[22] = N_("报告不夹带请示事项：另写请示，或删去请批示一类的话"),
	[23] = N_("涉密文件不得进入本系统，请立即停止并报告保密员"),
};

struct checking {
	struct format_parts f;
	struct format_report *out;
	struct arena *arena;
	size_t room;
	bool failed;
};

static void fault_text(struct checking *c, unsigned number, size_t paragraph, const char *text)
{
	struct format_report *out = c->out;

	if (out->n == c->room) {
		size_t more = c->room ? 2 * c->room : 32;
		struct format_fault *faults = c->failed ? NULL : arena_alloc(c->arena, more * sizeof *faults);
		if (!faults) {
			c->failed = true;
			return;
		}
		if (out->n)
			memcpy(faults, out->faults, out->n * sizeof *faults);
		out->faults = faults;
		c->room = more;
	}
	struct format_fault *f = &out->faults[out->n++];
	*f = (struct format_fault){
		arena_printf(c->arena, "F%02u", number), paragraph, text, _(mends[number])};
	c->failed |= !f->fault || !text;
}

/* A fault of a paragraph; NOWHERE: of the whole. */
static void fault(struct checking *c, unsigned number, size_t i)
{
	const char *text = i < c->f.n ? c->f.text[i] : "", *end = text;
	int32_t code;

	for (int k = 0, used; k < SHOWN_MAX && (used = text_next(end, &code)) > 0; k++)
		end += used;
	fault_text(c, number, i < c->f.n ? i + 1 : 0,
		*end ? arena_printf(c->arena, "%.*s…", (int)(end - text), text) : text);
}

static bool genre_is(const struct checking *c, const char *genre)
{
	return strcmp(c->f.genre, genre) == 0;
}

static bool has_han(const char *text)
{
	int32_t code;

	for (int used; (used = text_next(text, &code)) > 0; text += used)
		if (text_is_han(code))
			return true;
	return false;
}

static void check_number(struct checking *c)
{
	const char *text = c->f.number == NOWHERE ? NULL : c->f.text[c->f.number],
		   *year = text ? strstr(text, "20") : NULL;

	if (!year)
		return;
	const char *open = "〔", *close = "〕", *behind = year + strspn(year, "0123456789");
	bool opened = (size_t)(year - text) >= strlen(open) &&
		memcmp(year - strlen(open), open, strlen(open)) == 0,
	     closed = strncmp(behind, close, strlen(close)) == 0;
	if (!opened || !closed)
		fault(c, 3, c->f.number);
	/* Behind the bracket, whatever it is: the first digit, and a 第 before it. */
	const char *digits = behind + strcspn(behind, "0123456789"), *nth = strstr(behind, "第");
	if ((nth && nth < digits) || *digits == '0')
		fault(c, 4, c->f.number);
}

static bool is_mark(int32_t code)
{
	return (code > ' ' && code < 0x7F && !(code >= '0' && code <= '9') && !(code >= 'A' && code <= 'Z') &&
		       !(code >= 'a' && code <= 'z')) ||
		wcschr(L"、，。；：？！（）【】〔〕［］—…·‘’「」『』〈〉～", (wchar_t)code);
}

static void check_title_marks(struct checking *c)
{
	int depth = 0;
	int32_t code;

	if (genre_is(c, "纪要"))
		return;
	for (const char *s = c->f.title_text; *s;) {
		int used = text_next(s, &code);
		if (used <= 0)
			return;
		s += used;
		depth += code == L'《' ? 1 : code == L'》' ? -1 : 0;
		if (depth == 0 && is_mark(code)) {
			fault(c, 5, c->f.title);
			return;
		}
	}
}

static void check_title(struct checking *c)
{
	const struct format_parts *f = &c->f;

	if (f->title == NOWHERE) {
		fault(c, 1, f->body);
		return;
	}
	if (!*f->genre)
		fault(c, 1, f->title);
	else if (!f->genre_known)
		fault(c, 2, f->title);
	check_title_marks(c);
	for (size_t i = f->title; i < f->title_end; i++) {
		const struct docx_paragraph *p = &f->docx->paragraphs[i];
		bool good = p->aligned == DOCX_CENTRED;
		for (size_t k = 0; k < p->run_count; k++)
			good &= !has_han(p->runs[k].text) || p->runs[k].half_points == TITLE_HALF_POINTS;
		if (!good) {
			fault(c, 6, i);
			break;
		}
	}
}

static void check_to(struct checking *c)
{
	static const char *const without[] = {"通告", "公告", "公报", "决议", "决定", "命令", "令", "纪要"};
	const struct format_parts *f = &c->f;
	bool may_lack = false;

	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		may_lack |= genre_is(c, without[i]);
	if (f->to == NOWHERE) {
		if (!may_lack)
			fault(c, 7, f->body);
		return;
	}
	if (format_last(f->text[f->to]) != L'：')
		fault(c, 7, f->to);
	if (genre_is(c, "请示") &&
		(strstr(f->text[f->to], "、") || strstr(f->text[f->to], "，") ||
			strstr(f->text[f->to], "；") || strchr(f->text[f->to], ',')))
		fault(c, 21, f->to);
}

static bool font_is(const char *font, const char *zh, const char *latin)
{
	return strstr(font, zh) || strcasestr(font, latin);
}

/* A heading has its own font, the rest of its paragraph 仿宋. */
static bool fonts_good(const struct docx_paragraph *p, unsigned level)
{
	for (size_t i = 0; i < p->run_count; i++) {
		const struct docx_run *run = &p->runs[i];
		if (text_is_blank(run->text, strlen(run->text)))
			continue;
		if (run->half_points != BODY_HALF_POINTS)
			return false;
		if (!has_han(run->text) || font_is(run->font, "仿宋", "fangsong"))
			continue;
		if (!(level == 1 && font_is(run->font, "黑体", "hei")) &&
			!(level == 2 && font_is(run->font, "楷", "kai")))
			return false;
	}
	return true;
}

static bool indent_good(const struct docx_paragraph *p)
{
	if (p->first_chars)
		return p->first_chars == INDENT_CHARS;
	if (p->first_twips)
		return abs(p->first_twips - INDENT_TWIPS) <= INDENT_ROUGH;
	return strncmp(p->text, "\u3000\u3000", 6) == 0 && strncmp(p->text + 6, "\u3000", 3) != 0;
}

static bool pitch_good(const struct checking *c, const struct docx_paragraph *p)
{
	const struct docx *d = c->f.docx;
	int line = p->line;

	if (p->pitch == DOCX_AUTO) /* a single line of the grid */
		line = p->line == 240 && d->section_count ? d->sections[d->section_count - 1].grid : 0;
	return line >= PITCH_LEAST && line <= PITCH_MOST;
}

static void check_body(struct checking *c)
{
	const struct format_parts *f = &c->f;
	unsigned before = 0, last[5] = {0};

	for (size_t i = f->body; i < f->body_end; i++) {
		const struct docx_paragraph *p = &f->docx->paragraphs[i];
		unsigned level = 0, number = 0;
		bool good = true;
		if (!*f->text[i] || p->in_table)
			continue;
		if (format_level(f->text[i], &level, &number, &good)) {
			if (level <= before)
				memset(last + level + 1, 0, (4 - level) * sizeof *last);
			if (!good || level > before + 1 || (number != last[level] + 1 && number != 1))
				fault(c, 8, i);
			before = level;
			last[level] = number;
		} else {
			level = 0;
		}
		if (!fonts_good(p, level))
			fault(c, 9, i);
		if (!indent_good(p))
			fault(c, 10, i);
		if (!pitch_good(c, p))
			fault(c, 17, i);
	}
}

static void check_signature(struct checking *c)
{
	const struct format_parts *f = &c->f;

	if (genre_is(c, "纪要"))
		return;
	if (f->date == NOWHERE || f->day_form != DAY_GOOD)
		fault(c, 11, f->date);
	if (f->signature == NOWHERE)
		fault(c, 12, f->date);
	else if (*f->organ && strcmp(f->organ, f->text[f->signature]) != 0)
		fault(c, 12, f->signature);
	if (f->printed_day && f->day && f->printed_day < f->day)
		fault(c, 19, f->printed);
}

/* The name of an attachment in the list, without what stands before it; *number 0: it has none. */
static const char *listed(const char *text, unsigned *number)
{
	char *end;

	if (strncmp(text, "附件", 6) == 0)
		text += 6 + (strncmp(text + 6, "：", 3) == 0 ? 3 : 1);
	text += strspn(text, " ");
	*number = (unsigned)strtoul(text, &end, 10);
	if (end == text || (*end != '.' && strncmp(end, "．", 3) != 0 && strncmp(end, "、", 3) != 0)) {
		*number = 0;
		return text;
	}
	end += *end == '.' ? 1 : 3;
	return end + strspn(end, " ");
}

/* The title of the annex of that number. */
static const char *annex_title(const struct format_parts *f, unsigned number)
{
	for (size_t i = f->annex; i < f->n; i++) {
		if (format_annex(f->text[i]) != number)
			continue;
		for (i++; i < f->n; i++)
			if (*f->text[i])
				return f->text[i];
	}
	return "";
}

static void check_attachments(struct checking *c)
{
	const struct format_parts *f = &c->f;
	unsigned count = 0, annexes = 0, number;

	for (size_t i = f->annex; i < f->n; i++)
		annexes += format_annex(f->text[i]) > 0;
	if (f->list == NOWHERE) {
		if (annexes)
			fault(c, 13, f->annex);
		return;
	}
	for (size_t i = f->list; i < f->list_end; i++) {
		const char *name = listed(f->text[i], &number);
		if (!*f->text[i] || (i > f->list && !number))
			continue; /* the second line of a long name */
		count++;
		const char *title = annexes ? annex_title(f, count) : name;
		size_t length = strlen(name) < strlen(title) ? strlen(name) : strlen(title);
		bool marked = wcschr(L"。；，、：.;,", (wchar_t)format_last(name)) != NULL;
		if ((number && number != count) || marked || strncmp(title, name, length) != 0)
			fault(c, 13, i);
	}
	if (annexes && annexes != count)
		fault(c, 13, f->annex);
}

static bool anywhere(const struct checking *c, size_t from, const char *const *words, size_t n, size_t *at)
{
	for (*at = from; *at < c->f.n; ++*at)
		for (size_t k = 0; k < n; k++)
			if (strstr(c->f.text[*at], words[k]))
				return true;
	return false;
}

static void check_words(struct checking *c)
{
	static const char *const contact[] = {"联系人"}, *const phone[] = {"电话"},
				 *const asks[] = {
					 "妥否", "当否", "请批示", "请批复", "请审批", "请审议", "请予批准"};
	size_t at;

	if (genre_is(c, "请示") &&
		!(anywhere(c, c->f.title_end, contact, 1, &at) && anywhere(c, c->f.title_end, phone, 1, &at)))
		fault(c, 14, NOWHERE);
	if (genre_is(c, "报告") && anywhere(c, c->f.body, asks, sizeof asks / sizeof *asks, &at))
		fault(c, 22, at);
}

/* Words of secrecy as a mark of their own, above the title, or beside a star anywhere. */
static void check_secrecy(struct checking *c)
{
	static const char *const words[] = {"绝密", "机密", "秘密"};
	size_t above = c->f.title == NOWHERE ? c->f.body : c->f.title;

	for (size_t i = 0; i < c->f.n; i++)
		for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
			const char *word = strstr(c->f.text[i], words[k]);
			if (!word ||
				!((i < above && format_mark(c->f.text[i], words[k])) || strstr(word, "★")))
				continue;
			fault(c, 23, i);
			break;
		}
}

static void check_half_width(struct checking *c)
{
	for (size_t i = 0; i < c->f.n; i++) {
		int32_t before = 0, mark = 0, code;
		unsigned level, number;
		bool good;
		const char *s = c->f.text[i];
		/* A level's wrong mark is told as that. */
		bool marked = format_level(s, &level, &number, &good) && !good;
		for (int k = 0, used; marked && k < 4 && (used = text_next(s, &code)) > 0; k++)
			s += used;
		for (int used; (used = text_next(s, &code)) > 0; s += used) {
			bool half = mark > ' ' && mark < 0x7F && strchr(",.;:?!()\"'", (int)mark);
			if (half && text_is_han(before) && text_is_han(code)) {
				fault(c, 20, i);
				break;
			}
			before = mark;
			mark = code;
		}
	}
}

static bool within(int twips, double mm, double by)
{
	return MM(twips) >= mm - by - 0.05 && MM(twips) <= mm + by + 0.05;
}

static void check_pages(struct checking *c)
{
	const struct docx *d = c->f.docx;
	bool margins = d->section_count > 0, a4 = d->section_count > 0;
	const struct docx_section *bad = NULL;

	for (size_t i = 0; i < d->section_count; i++) {
		const struct docx_section *s = &d->sections[i];
		bool lying = s->width > s->height; /* a wide table among the attachments */
		a4 &= lying ? within(s->width, 297, 1) && within(s->height, 210, 1)
			    : within(s->width, 210, 1) && within(s->height, 297, 1);
		if (lying || (within(s->top, 37, 1) && within(s->left, 28, 1) && within(s->right, 26, 1)))
			continue;
		margins = false;
		bad = s;
	}
	if (!margins)
		fault_text(c, 15, 0,
			bad ? arena_printf(c->arena, _("上 %.1f 左 %.1f 右 %.1f 毫米"), MM(bad->top),
				      MM(bad->left), MM(bad->right))
			    : "");
	if (!a4)
		fault(c, 16, NOWHERE);
	if (!d->page_number)
		fault(c, 18, NOWHERE);
}

static int by_place(const void *a, const void *b)
{
	const struct format_fault *x = a, *y = b;

	if (x->paragraph != y->paragraph)
		return x->paragraph < y->paragraph ? -1 : 1;
	return strcmp(x->fault, y->fault);
}

enum err format_check_docx(
	const struct docx *docx, struct format_report *out, struct arena *arena, struct problem *p)
{
	struct checking c = {.out = out, .arena = arena};
	enum err e = format_parts(&c.f, docx, arena);

	*out = (struct format_report){0};
	if (e)
		return problem_set(p, e, NULL, NULL, NULL);
	check_secrecy(&c);
	check_number(&c);
	check_title(&c);
	check_to(&c);
	check_body(&c);
	check_signature(&c);
	check_attachments(&c);
	check_words(&c);
	check_half_width(&c);
	check_pages(&c);
	if (c.failed)
		return problem_set(
			p, arena->refused == ERR_TOO_LARGE ? ERR_FILE_LIMIT : ERR_NOMEM, NULL, NULL, NULL);
	if (out->n)
		qsort(out->faults, out->n, sizeof *out->faults, by_place);
	return ERR_OK;
}

enum err format_check(const char *path, struct format_report *out, struct arena *arena, struct problem *p)
{
	struct docx docx;
	enum err e = docx_read_file(path, &docx, arena, p);

	*out = (struct format_report){0};
	return e ? e : format_check_docx(&docx, out, arena, p);
}
