#include "title_break.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "line_break.h"
#include "text.h"

#define POINTS_MAX TITLE_MAX
#define IMPOSSIBLE 10000

const char *const title_words_usual[] = {"学校", "校园", "教师", "学生", "教育", "安全", "检查", "工作",
	"管理", "义务", "经费", "隐患", "通知", "报告", "请示", "情况", "专项", "整治"};
const size_t title_words_usual_count = sizeof title_words_usual / sizeof *title_words_usual;

/* Words of the trade that a dictionary of the language parts; they are not cut when there is another way. */
static const char *const trade[] = {"幼儿园", "教师节", "儿童节", "中小学校", "中小学生", "小学生", "中学生",
	"班主任", "高中", "初中", "义务教育", "学前教育", "职业教育", "特殊教育", "高质量", "进一步"};

/* Why a place is no end of a line. */
enum { CUT_WORD = 1, CUT_BOOK = 2, CUT_MARK = 4, NO_FORM = 8 };
/* 文种 that a title may end with. */
static const char *const genres[] = {"决议", "决定", "命令", "令", "公报", "公告", "通告", "意见", "通知",
	"通报", "报告", "请示", "批复", "议案", "函", "纪要"};

struct breaking {
	int32_t points[POINTS_MAX + 1];
	size_t bytes[POINTS_MAX + 1]; /* where each begins */
	size_t n;
	unsigned char cut[POINTS_MAX + 1]; /* what a line's end before this one would cut */
	signed char good[POINTS_MAX + 1];  /* how well a line ends before it */
	unsigned given_up;
	size_t lines;
	size_t found[TITLE_LINES_MAX];
	struct tried {
		bool known, narrower;
		unsigned char length;
		short cost;
	} tried[TITLE_LINES_MAX][POINTS_MAX + 1][TITLE_LINE_MAX + 1][2];
};

static void take(struct breaking *b, const char *title)
{
	const char *s = title;
	int32_t code;
	int used;

	while (b->n < POINTS_MAX && (used = text_next(s, &code)) > 0) {
		b->bytes[b->n] = (size_t)(s - title);
		b->points[b->n++] = code;
		s += used;
	}
	b->bytes[b->n] = (size_t)(s - title);
}

/* No line ends inside of any place where the word stands; why 0: not if there is another way. */
static void keep_word(struct breaking *b, const char *title, const char *word, unsigned why, signed char good)
{
	size_t length = strlen(word);

	if (!length)
		return;
	for (const char *s = strstr(title, word); s; s = strstr(s + 1, word)) {
		size_t from = (size_t)(s - title), to = from + length;
		for (size_t k = 1; k <= b->n; k++) {
			if (b->bytes[k] > from && b->bytes[k] < to) {
				b->cut[k] |= (unsigned char)why;
				b->good[k] = why ? b->good[k] : -6;
			}
			if (b->bytes[k] == to && (b->good[k] < good || good < 0))
				b->good[k] = good;
		}
	}
}

static bool is_digit(int32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
}

static bool is_latin(int32_t c)
{
	return c > ' ' && c < 0x250;
}

static void keep_marks(struct breaking *b)
{
	int depth = 0, quoted = 0;

	for (size_t k = 0; k < b->n; k++) {
		int32_t c = b->points[k], before = k ? b->points[k - 1] : 0;
		if (depth > 0)
			b->cut[k] |= CUT_BOOK;
		else if (c == L'《')
			b->good[k] = 3;
		depth += c == L'《' ? 1 : c == L'》' ? -1 : 0;
		if (c == L'的' || line_no_begin(c) || line_no_end(before))
			b->cut[k] |= CUT_MARK;
		if (is_digit(before) && wcschr(L"年月日号", (wchar_t)c))
			b->cut[k] |= CUT_MARK;
		if (is_latin(before) && is_latin(c))
			b->cut[k] |= CUT_MARK;
		/* A date reads as one. */
		if (before && wcschr(L"年月第", (wchar_t)before) && is_digit(c))
			b->good[k] = -4;
		if (is_digit(before) && !is_digit(c) && b->good[k] > -3)
			b->good[k] = -3;
		quoted += before == L'“' ? 1 : before == L'”' ? -1 : 0;
		if (quoted > 0 && b->good[k] > -3)
			b->good[k] = -3;
		if (before == L'的' && b->good[k] < 2)
			b->good[k] = 2;
		if (before && wcschr(L"和与及暨", (wchar_t)before))
			b->good[k] = -3;
	}
}

/* The 文种 at the end stays with the 的 before it. */
static void keep_genre(struct breaking *b, const char *title)
{
	size_t length = strlen(title);

	for (size_t i = 0; i < sizeof genres / sizeof *genres; i++) {
		size_t n = strlen(genres[i]), of = strlen("的");
		if (length < n + of || strcmp(title + length - n, genres[i]) != 0 ||
			memcmp(title + length - n - of, "的", of) != 0)
			continue;
		for (size_t k = 1; k < b->n; k++)
			if (b->bytes[k] > length - n - of)
				b->cut[k] |= CUT_MARK;
	}
}

/* Whether a line of that length may follow one of the other; a form grows and then shrinks, or does one of
 * them. */
static bool form_goes_on(const struct breaking *b, size_t last, size_t length, bool *shrinking)
{
	if (!last || b->given_up & NO_FORM)
		return true;
	if (length == last || length + TITLE_STEP_MAX < last || length > last + TITLE_STEP_MAX)
		return false;
	if (length > last)
		return !*shrinking;
	*shrinking = true;
	return true;
}

/* What ending a line of that length there costs: lines that differ by two look best, and words cut the
 * worst. */
static int cost_of(const struct breaking *b, size_t last, size_t length, size_t to)
{
	int differs = last ? abs(abs((int)length - (int)last) - 2) : 0;

	return differs + (to < b->n ? 6 - 2 * b->good[to] + (b->cut[to] ? 20 : 0) : 0);
}

/* The least cost of the lines from `line` on, which begin at `from` behind one of `last` characters. */
static int try_line(struct breaking *b, size_t line, size_t from, size_t last, bool shrinking)
{
	struct tried *t = &b->tried[line][from][last][shrinking];
	size_t left = b->lines - line - 1;

	if (t->known)
		return t->cost;
	*t = (struct tried){.known = true, .cost = IMPOSSIBLE};
	for (size_t length = 1; length <= TITLE_LINE_MAX && from + length <= b->n; length++) {
		size_t to = from + length;
		bool narrower = shrinking;
		if ((to == b->n) != (left == 0) || b->n - to > left * TITLE_LINE_MAX)
			continue;
		if (left && (b->cut[to] & ~b->given_up))
			continue;
		if (!form_goes_on(b, last, length, &narrower))
			continue;
		int cost = cost_of(b, last, length, to);
		if (left)
			cost += try_line(b, line + 1, to, length, narrower);
		if (cost < t->cost) {
			t->cost = (short)cost;
			t->length = (unsigned char)length;
			t->narrower = narrower;
		}
	}
	return t->cost;
}

static bool part(struct breaking *b, unsigned given_up, size_t lines)
{
	size_t at = 0, last = 0;
	bool narrower = false;

	if (lines > TITLE_LINES_MAX)
		return false;
	b->given_up = given_up;
	b->lines = lines;
	memset(b->tried, 0, sizeof b->tried);
	if (try_line(b, 0, 0, 0, false) >= IMPOSSIBLE)
		return false;
	for (size_t line = 0; line < lines; line++) {
		const struct tried *t = &b->tried[line][at][last][narrower];
		at += t->length;
		b->found[line] = at;
		last = t->length;
		narrower = t->narrower;
	}
	return true;
}

static size_t part_best(struct breaking *b)
{
	static const unsigned ways[] = {0, CUT_WORD, CUT_BOOK, CUT_WORD | CUT_BOOK, NO_FORM,
		NO_FORM | CUT_WORD, NO_FORM | CUT_WORD | CUT_BOOK, NO_FORM | CUT_WORD | CUT_BOOK | CUT_MARK};
	size_t fewest = (b->n + TITLE_LINE_MAX - 1) / TITLE_LINE_MAX;

	for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
		for (size_t more = 0; more <= 1; more++)
			if (part(b, ways[way], fewest + more))
				return b->lines;
	return 0;
}

size_t title_break(const char *title, const struct title_words *words, size_t ends[TITLE_LINES_MAX])
{
	struct breaking *b = calloc(1, sizeof *b);
	const char *const *usual = words->words ? words->words : title_words_usual;
	size_t usual_count = words->words ? words->word_count : title_words_usual_count;

	if (!b)
		return 0;
	take(b, title);
	if (b->n <= TITLE_LINE_MAX) {
		ends[0] = strlen(title);
		free(b);
		return 1;
	}
	for (size_t i = 0; i < usual_count; i++)
		keep_word(b, title, usual[i], CUT_WORD, 1);
	for (size_t i = 0; i < words->name_count; i++)
		keep_word(b, title, words->names[i], CUT_WORD, 3);
	keep_word(b, title, "关于", CUT_WORD, -2);
	for (size_t k = 1; words->inside && k < b->n; k++)
		if (words->inside[b->bytes[k]])
			b->good[k] = -6;
	keep_marks(b);
	keep_genre(b, title);
	for (size_t i = 0; i < sizeof trade / sizeof *trade; i++)
		keep_word(b, title, trade[i], 0, 0);
	for (size_t k = 1; k + 1 < b->n; k++)
		if (b->points[k] == L'关' && b->points[k + 1] == L'于')
			b->good[k] = 3;
	size_t lines = part_best(b);
	for (size_t i = 0; i < lines; i++)
		ends[i] = b->bytes[b->found[i]];
	free(b);
	return lines;
}
