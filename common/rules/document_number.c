#include "document_number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "text.h"

#define YEAR_DIGITS 4
#define SERIES_CHARACTERS 16
#define OPEN "〔"
#define CLOSE "〕"
#define END "号"
#define ORDINAL "第"

/* Chinese characters at the beginning of text: how many bytes, and how many there are. */
static size_t han_span(const char *text, size_t *characters)
{
	const char *s = text;
	int32_t c;

	*characters = 0;
	for (int step; (step = text_next(s, &c)) > 0 && text_is_han(c); s += step)
		++*characters;
	return (size_t)(s - text);
}

bool document_series_valid(const char *series)
{
	size_t characters, n = han_span(series, &characters);

	return !series[n] && characters && characters <= SERIES_CHARACTERS && n < SERIES_SIZE;
}

bool document_series_reserved(const char *series)
{
	static const char *const reserved[] = {SERIES_RECEIVED, SERIES_PHONE, SERIES_ORDER, SERIES_MEETING};

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcmp(reserved[i], series) == 0)
			return true;
	return false;
}

static bool is_year(int32_t year)
{
	return year >= 1000 && year <= 9999;
}

/* What snprintf answered. */
static enum err fits(char *out, size_t size, int n)
{
	if (n >= 0 && (size_t)n < size)
		return ERR_OK;
	if (size)
		*out = 0;
	return ERR_TOO_LARGE;
}

enum err document_number_format(char *out, size_t size, const char *series, int32_t year, int32_t n)
{
	if (size)
		*out = 0;
	if (!document_series_valid(series) || !is_year(year) || n < 1 || n > DOCUMENT_NUMBER_MAX)
		return ERR_INVALID;
	return fits(out, size, snprintf(out, size, "%s" OPEN "%d" CLOSE "%d" END, series, year, n));
}

static bool take(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

/* Up to `most` digits; how many there were. */
static size_t take_digits(const char **at, size_t most, int32_t *out)
{
	size_t n = 0;

	*out = 0;
	for (; n < most && **at >= '0' && **at <= '9'; n++, (*at)++)
		*out = *out * 10 + (**at - '0');
	return n;
}

/* A bracket of any kind; *right is cleared when it is not the one for a year. */
static bool take_bracket(const char **at, const char *wanted, bool *right)
{
	static const char *const others[] = {"[", "]", "(", ")", "（", "）", "［", "］", "【", "】", "〈",
		"〉", "《", "》", "〖", "〗", "{", "}", "「", "」"};

	if (take(at, wanted))
		return true;
	*right = false;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (take(at, others[i]))
			return true;
	return take(at, OPEN) || take(at, CLOSE);
}

enum number_fault document_number_parse(struct document_number *out, const char *text)
{
	size_t characters, n = han_span(text, &characters);
	bool brackets = true, ordinal, zero;
	const char *at = text + n;

	*out = (struct document_number){0};
	if (!characters || characters > SERIES_CHARACTERS || n >= SERIES_SIZE)
		return NUMBER_FORM;
	memcpy(out->series, text, n);
	if (!take_bracket(&at, OPEN, &brackets) || take_digits(&at, YEAR_DIGITS, &out->year) != YEAR_DIGITS ||
		!is_year(out->year) || !take_bracket(&at, CLOSE, &brackets))
		return NUMBER_FORM;
	ordinal = take(&at, ORDINAL);
	zero = *at == '0';
	at += strspn(at, "0");
	if (!take_digits(&at, 6, &out->n) || !take(&at, END) || *at)
		return NUMBER_FORM;
	if (!brackets)
		return NUMBER_BRACKETS;
	if (ordinal)
		return NUMBER_ORDINAL;
	if (zero)
		return NUMBER_ZERO;
	return NUMBER_OK;
}

/* What may stand beside a year: brackets of any kind, a dash, a blank, 年. */
static void skip_joint(const char **at)
{
	static const char *const joints[] = {" ", "　", "-", "－", "—", "年"};
	bool more = true, right;

	while (more) {
		more = take_bracket(at, OPEN, &right);
		for (size_t i = 0; i < sizeof joints / sizeof *joints; i++)
			more |= take(at, joints[i]);
	}
}

const char *document_number_typed(char out[DOCUMENT_NUMBER_SIZE], const char *text)
{
	size_t characters, n = han_span(text, &characters);
	char series[SERIES_SIZE];
	const char *at = text + n;
	int32_t year, k;

	if (!characters || n >= SERIES_SIZE)
		return text;
	snprintf(series, sizeof series, "%.*s", (int)n, text);
	skip_joint(&at);
	if (take_digits(&at, YEAR_DIGITS, &year) != YEAR_DIGITS)
		return text;
	const char *behind = at;
	skip_joint(&at);
	if (at == behind) /* 收20263 may be anything */
		return text;
	take(&at, ORDINAL);
	at += strspn(at, "0");
	if (!take_digits(&at, 6, &k))
		return text;
	skip_joint(&at);
	take(&at, END);
	return *at || document_number_format(out, DOCUMENT_NUMBER_SIZE, series, year, k) ? text : out;
}

const char *document_number_fault(enum number_fault fault)
{
	switch (fault) {
	case NUMBER_FORM:
		return _("这不是发文字号，写成“代字〔年份〕序号号”，例如“教发〔2026〕12号”");
	case NUMBER_BRACKETS:
		return _("发文字号的年份用六角括号“〔〕”括起来");
	case NUMBER_ORDINAL:
		return _("发文字号的序号前不加“第”字");
	case NUMBER_ZERO:
		return _("发文字号的序号前不补零");
	default:
		return "";
	}
}

/* ---- 档号 ---- */

#define PAPERS "-WS·" /* 文书 */
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_made_of(const char *s, const char *characters, size_t most)
{
	size_t n = strspn(s, characters);

	return n && n <= most && !s[n];
}

bool archive_term_known(const char *term)
{
	return strcmp(term, "Y") == 0 || strcmp(term, "D30") == 0 || strcmp(term, "D10") == 0;
}

/* Roles by their codes (codes_role) and words. */
static const struct {
	const char *code, *word, *office;
} offices[] = {{"11", "leader", "BGS"}, {"13", "office", "BGS"}, {"12", "basic_edu", "JJK"},
	{"14", "supervision", "DDS"}, {"15", "admissions", "ZKB"}};

const char *archive_office(const char *role)
{
	for (size_t i = 0; i < sizeof offices / sizeof *offices; i++)
		if (strcmp(offices[i].code, role) == 0 || strcmp(offices[i].word, role) == 0)
			return offices[i].office;
	return "BGS";
}

static bool is_archive_number(const struct archive_number *a)
{
	return is_made_of(a->fonds, CAPITALS "abcdefghijklmnopqrstuvwxyz0123456789", ARCHIVE_FONDS_MAX) &&
		is_year(a->year) && archive_term_known(a->term) &&
		is_made_of(a->office, CAPITALS, sizeof a->office - 1) && a->n >= 1 &&
		a->n <= DOCUMENT_NUMBER_MAX;
}

enum err archive_number_format(char *out, size_t size, const struct archive_number *a)
{
	if (size)
		*out = 0;
	if (!is_archive_number(a))
		return ERR_INVALID;
	return fits(out, size,
		snprintf(
			out, size, "%s" PAPERS "%d-%s-%s-%04d", a->fonds, a->year, a->term, a->office, a->n));
}

/* What stands before the next hyphen, at most size - 1 bytes. */
static bool take_part(const char **at, char *out, size_t size)
{
	size_t n = strcspn(*at, "-");

	if (!n || n >= size)
		return false;
	memcpy(out, *at, n);
	out[n] = 0;
	*at += n;
	return true;
}

enum err archive_number_parse(struct archive_number *out, const char *text)
{
	struct archive_number a = {0};
	char again[ARCHIVE_NUMBER_SIZE];
	const char *at = text;

	*out = a;
	if (!take_part(&at, a.fonds, sizeof a.fonds) || !take(&at, PAPERS) ||
		take_digits(&at, YEAR_DIGITS, &a.year) != YEAR_DIGITS || !take(&at, "-") ||
		!take_part(&at, a.term, sizeof a.term) || !take(&at, "-") ||
		!take_part(&at, a.office, sizeof a.office) || !take(&at, "-") || !take_digits(&at, 6, &a.n))
		return ERR_INVALID;
	/* four digits, more only when there are more */
	if (archive_number_format(again, sizeof again, &a) || strcmp(again, text) != 0)
		return ERR_INVALID;
	*out = a;
	return ERR_OK;
}

const struct archive_term_rule archive_terms[] = {{true, "决定", false, "Y"}, {true, "意见", false, "Y"},
	{true, "请示", false, "Y"}, {true, "批复", false, "Y"}, {true, "报告", false, "Y"},
	{true, "纪要", false, "Y"}, {true, "函", false, "D10"}, {true, NULL, false, "D30"},
	{false, "请示", false, "Y"}, {false, NULL, true, "D10"}, {false, NULL, false, "D30"}};
const size_t archive_term_count = sizeof archive_terms / sizeof *archive_terms;

const char *archive_term(
	const struct archive_term_rule *rules, size_t n, const struct archive_subject *subject)
{
	for (size_t i = 0; i < n; i++) {
		const struct archive_term_rule *r = &rules[i];
		if (r->out == subject->out && (!r->genre || strcmp(r->genre, subject->genre) == 0) &&
			(!r->phone_or_read || subject->phone || subject->read))
			return r->term;
	}
	return "D30";
}
