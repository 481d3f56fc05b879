#include "format_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "text.h"

#define NUMBER_LINE_MAX 60 /* characters: 发文字号 and 签发人 */
#define TO_MAX 200         /* without a colon */
#define SIGNATURE_MAX 40

static const char *const genres[] = {"决议", "决定", "命令", "公报", "公告", "通告", "意见", "通知", "通报",
	"报告", "请示", "批复", "议案", "纪要", "函", "令"};
/* What titles end with that is none of them. */
static const char *const no_genres[] = {"方案", "规定", "办法", "汇报", "总结", "计划", "启事", "说明",
	"须知", "细则", "要点", "倡议书", "申请", "公示", "函告", "通知书", "通告书", "制度", "信"};

static int32_t first_of(const char *text)
{
	int32_t code = 0;

	return text_next(text, &code) > 0 ? code : 0;
}

int32_t format_last(const char *text)
{
	int32_t code = 0, last = 0;

	for (int used; (used = text_next(text, &code)) > 0; text += used)
		last = code;
	return last;
}

bool format_ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

static const char *trimmed(struct arena *arena, const char *text)
{
	const char *end = text, *at;
	int32_t code;
	int used;

	while ((used = text_next(text, &code)) > 0 && text_is_space(code))
		text += used;
	end = text;
	for (at = text; (used = text_next(at, &code)) > 0; at += used)
		if (!text_is_space(code))
			end = at + used;
	return arena_text(arena, text, (size_t)(end - text));
}

static unsigned chinese_number(const char **text)
{
	static const wchar_t digits[] = L"一二三四五六七八九";
	unsigned whole = 0, digit = 0;
	int32_t code;

	for (int used; (used = text_next(*text, &code)) > 0; *text += used) {
		const wchar_t *d = wcschr(digits, (wchar_t)code);
		if (d)
			digit = (unsigned)(d - digits) + 1;
		else if (code == L'十')
			whole += (digit ? digit : 1) * 10, digit = 0;
		else if (code != L'〇' && code != L'零')
			break;
	}
	return whole + digit;
}

bool format_mark(const char *text, const char *mark)
{
	return begins_with(text, mark) && !text_is_han(first_of(text + strlen(mark)));
}

static bool takes(const char **text, const char *what)
{
	if (!begins_with(*text, what))
		return false;
	*text += strlen(what);
	return true;
}

bool format_level(const char *text, unsigned *level, unsigned *number, bool *good)
{
	bool wide = takes(&text, "（"), narrow = !wide && takes(&text, "("), bracket = wide || narrow;
	const char *at = text;
	char *end;

	*number = chinese_number(&at);
	bool chinese = *number > 0;
	if (!chinese) {
		if (*text < '0' || *text > '9')
			return false;
		*number = (unsigned)strtoul(text, &end, 10);
		at = end;
	}
	if (chinese)
		*level = (bracket ? 2 : 1);
	else if (bracket)
		*level = 4;
	else
		*level = 3;
	if (bracket) {
		bool closed = takes(&at, "）");
		*good = wide && closed;
		if (!closed && !takes(&at, ")"))
			return false;
		/* The bracket is mark enough. */
		*good = *good && !begins_with(at, "、") && !begins_with(at, ".") && !begins_with(at, "，");
		return *number < 1000;
	}
	if (chinese) {
		*good = takes(&at, "、");
		return *good || takes(&at, ".") || takes(&at, "．");
	}
	if (takes(&at, ".") || takes(&at, "．")) {
		*good = true;
		return (*at < '0' || *at > '9') && *number < 1000; /* 1.5 is a measure */
	}
	*good = false;
	if (takes(&at, "）") || takes(&at, ")")) {
		*level = 4;
		return *number < 1000;
	}
	return takes(&at, "、") && *number < 1000;
}

unsigned format_annex(const char *text)
{
	char *end;

	if (!takes(&text, "附件"))
		return 0;
	text += strspn(text, " ");
	unsigned number = *text ? (unsigned)strtoul(text, &end, 10) : 1;
	if (*text && (end == text || (*end && strcmp(end, "：") != 0 && strcmp(end, ":") != 0)))
		return 0;
	return number;
}

enum day_form format_day(const char *text, int32_t *day)
{
	char plain[128];
	int y, m, d, used = 0;

	*day = 0;
	if (text_strip_space(plain, sizeof plain, text))
		return DAY_NONE;
	if (sscanf(plain, "%4d年%2d月%2d日%n", &y, &m, &d, &used) == 3 && used && !plain[used]) {
		*day = y * 10000 + m * 100 + d;
		return strstr(plain, "年0") || strstr(plain, "月0") ? DAY_ZEROS : DAY_GOOD;
	}
	if ((sscanf(plain, "%4d.%2d.%2d%n", &y, &m, &d, &used) == 3 ||
		    sscanf(plain, "%4d-%2d-%2d%n", &y, &m, &d, &used) == 3 ||
		    sscanf(plain, "%4d/%2d/%2d%n", &y, &m, &d, &used) == 3) &&
		used && !plain[used])
		return DAY_OTHER;
	const char *at = plain;
	int32_t code;
	for (int n; (n = text_next(at, &code)) > 0; at += n)
		if (!wcschr(L"一二三四五六七八九十〇零○Ｏ年月日", (wchar_t)code))
			return DAY_NONE;
	return strstr(plain, "年") && strstr(plain, "月") && format_ends_with(plain, "日") ? DAY_CHINESE
											   : DAY_NONE;
}

static int largest(const struct docx_paragraph *p)
{
	int size = 0;

	for (size_t i = 0; i < p->run_count; i++)
		if (!text_is_blank(p->runs[i].text, strlen(p->runs[i].text)) && p->runs[i].half_points > size)
			size = p->runs[i].half_points;
	return size;
}

/* 发文字号, in whatever brackets, with what may stand beside it. */
static bool is_number_line(const char *text)
{
	const char *year = strstr(text, "20");

	return year && year > text && strstr(year, "号") && text_length(text) <= NUMBER_LINE_MAX &&
		!strstr(text, "关于") && strcspn(year + 2, "0123456789") == 0;
}

/* What may stand above a title. */
static bool is_above(const struct format_parts *f, size_t i)
{
	static const char *const marks[] = {"绝密", "机密", "秘密", "特急", "加急", "平急", "特提", "签发人",
		"内部", "内部资料", "工作秘密"};
	const char *text = f->text[i];

	if (largest(&f->docx->paragraphs[i]) >= HEAD_HALF_POINTS || is_number_line(text))
		return true;
	if (format_ends_with(text, "文件") && !strstr(text, "关于"))
		return true;
	for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
		if (format_mark(text, marks[k]))
			return true;
	return strspn(text, "0123456789 №No.") == strlen(text);
}

static void find_genre(struct format_parts *f)
{
	f->genre = "";
	for (size_t i = 0; i < sizeof genres / sizeof *genres; i++)
		if (format_ends_with(f->title_text, genres[i])) {
			f->genre = genres[i];
			f->genre_known = true;
			break;
		}
	for (size_t i = 0; i < sizeof no_genres / sizeof *no_genres; i++)
		if (format_ends_with(f->title_text, no_genres[i])) {
			f->genre = no_genres[i];
			f->genre_known = false;
			return;
		}
}

static bool looks_like_title(const struct format_parts *f, size_t i)
{
	const struct docx_paragraph *p = &f->docx->paragraphs[i];
	int32_t last = format_last(f->text[i]);

	if (p->in_table || wcschr(L"。：:；", (wchar_t)last))
		return false;
	return strstr(f->text[i], "关于") || p->aligned == DOCX_CENTRED || largest(p) == TITLE_HALF_POINTS;
}

/* The title and all above it; a title may be typed as several paragraphs. */
static enum err find_title(struct format_parts *f, struct arena *arena)
{
	size_t i = 0;

	for (; i < f->n && (!*f->text[i] || is_above(f, i)); i++) {
		const char *text = f->text[i];
		if (!*text)
			continue;
		if (is_number_line(text))
			f->number = i;
		else if (f->head == NOWHERE &&
			(largest(&f->docx->paragraphs[i]) >= HEAD_HALF_POINTS ||
				format_ends_with(text, "文件")))
			f->head = i;
	}
	f->title_text = "";
	f->genre = "";
	f->title_end = i;
	if (i == f->n || !looks_like_title(f, i))
		return ERR_OK;
	f->title = i;
	f->title_text = f->text[i];
	f->title_end = i + 1;
	find_genre(f);
	for (i++; !*f->genre && i < f->n && *f->text[i] && looks_like_title(f, i); i++) {
		f->title_text = arena_printf(arena, "%s%s", f->title_text, f->text[i]);
		if (!f->title_text)
			return ERR_NOMEM;
		f->title_end = i + 1;
		find_genre(f);
	}
	return ERR_OK;
}

static enum err find_organ(struct format_parts *f, struct arena *arena)
{
	const char *about = strstr(f->title_text, "关于");

	f->organ = "";
	if (about && about > f->title_text)
		f->organ = arena_text(arena, f->title_text, (size_t)(about - f->title_text));
	else if (f->head != NOWHERE && format_ends_with(f->text[f->head], "文件"))
		f->organ = arena_text(arena, f->text[f->head], strlen(f->text[f->head]) - strlen("文件"));
	else if (f->head != NOWHERE && !format_ends_with(f->text[f->head], "纪要"))
		f->organ = f->text[f->head];
	return f->organ ? ERR_OK : ERR_NOMEM;
}

static bool is_indented(const struct docx_paragraph *p)
{
	return p->first_chars > 0 || p->first_twips > 0 || begins_with(p->text, "\u3000");
}

/* The line under the title that names whom it is for. */
static void find_to(struct format_parts *f)
{
	size_t i = f->title_end;
	unsigned level, number;
	bool good;

	while (i < f->n && !*f->text[i])
		i++;
	f->body = i;
	if (i == f->n || f->docx->paragraphs[i].in_table || format_level(f->text[i], &level, &number, &good))
		return;
	int32_t last = format_last(f->text[i]);
	bool colon = last == L'：' || last == L':';
	if (is_indented(&f->docx->paragraphs[i]) || strstr(f->text[i], "。"))
		return;
	/* Without its colon it is still a line that stands at the margin and ends with no mark. */
	if (!colon && (wcschr(L"；！？", (wchar_t)last) || text_length(f->text[i]) > TO_MAX))
		return;
	f->to = i;
	f->body = i + 1;
}

static void find_printed(struct format_parts *f)
{
	for (size_t i = f->body; i < f->n; i++) {
		int y, m, d;
		const char *at = f->text[i];
		if (!format_ends_with(at, "印发"))
			continue;
		f->printed = i;
		for (const char *year = strstr(at, "年"); year; year = strstr(year + 1, "年"))
			if (year - at >= 4 && sscanf(year - 4, "%4d年%2d月%2d日", &y, &m, &d) == 3)
				f->printed_day = y * 10000 + m * 100 + d;
	}
}

static bool is_foot(const char *text)
{
	return begins_with(text, "抄送") || begins_with(text, "主送：") || format_ends_with(text, "印发");
}

/* Date, signature, attachments: what stands behind the text. */
static void find_end(struct format_parts *f)
{
	size_t end = f->n;

	for (size_t i = f->body; i < f->n && f->date == NOWHERE; i++) {
		int32_t day;
		enum day_form form = format_day(f->text[i], &day);
		if (is_foot(f->text[i]) ||
			(format_annex(f->text[i]) && format_last(f->text[i]) != L'：' && i > f->body)) {
			end = i;
			break;
		}
		if (form != DAY_NONE) {
			f->date = i;
			f->day_form = form;
			f->day = day;
			end = i;
		}
	}
	for (size_t i = f->date == NOWHERE ? end : f->date + 1; i < f->n && f->annex == NOWHERE; i++)
		if (format_annex(f->text[i]))
			f->annex = i;
	f->body_end = end;
	size_t before = end;
	while (before > f->body && !*f->text[before - 1])
		before--;
	/* Without a date it is the organ's name that tells. */
	for (size_t i = f->body; f->date == NOWHERE && i < end; i++)
		if (*f->organ && strcmp(f->text[i], f->organ) == 0)
			before = i + 1;
	const char *name = before > f->body ? f->text[before - 1] : "";
	if (*name && text_length(name) <= SIGNATURE_MAX &&
		!wcschr(L"。；：:，！？", (wchar_t)format_last(name)) && !begins_with(name, "附件") &&
		!begins_with(name, "（") && !(first_of(name) >= '0' && first_of(name) <= '9')) {
		f->signature = before - 1;
		f->body_end = before - 1;
	}
	for (size_t i = f->body; i < f->body_end; i++)
		if (begins_with(f->text[i], "附件：") || begins_with(f->text[i], "附件:")) {
			f->list = i;
			f->list_end = f->body_end;
			f->body_end = i;
		}
}

enum err format_parts(struct format_parts *out, const struct docx *docx, struct arena *arena)
{
	*out = (struct format_parts){.docx = docx, .n = docx->paragraph_count};
	out->head = out->number = out->title = out->to = out->list = out->signature = out->date = out->annex =
		out->printed = NOWHERE;
	out->text = arena_alloc(arena, (out->n + 1) * sizeof *out->text);
	if (!out->text)
		return ERR_NOMEM;
	for (size_t i = 0; i < out->n; i++) {
		out->text[i] = trimmed(arena, docx->paragraphs[i].text);
		if (!out->text[i])
			return ERR_NOMEM;
	}
	enum err e = find_title(out, arena);
	if (!e)
		e = find_organ(out, arena);
	if (e)
		return e;
	find_to(out);
	find_end(out);
	find_printed(out);
	return ERR_OK;
}
