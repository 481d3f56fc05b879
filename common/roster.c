#include "roster.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "lang.h"
#include "text.h"

#define WORD_MAX 192
#define YEAR_FIRST 1990 /* of entry; who entered before has left every school */
#define YEAR_LAST 2099
#define CENTURY_CLASS 30 /* spreadsheets read a year of two digits as 19xx from here on */

/* ---- Grades ---- */

/* How each grade is written in front of a class; the strong ones name it alone. */
static const struct grade {
	const char *code;
	int number, of_stage; /* 7 and 1 for 初一 */
	const char *strong;   /* separated by blanks, longest first */
	const char *weak;     /* one character: only in front of a number */
} grades[] = {{"11", 1, 1, "小学一年级 小学1年级 一年级 1年级 小一", "一"},
	{"12", 2, 2, "小学二年级 小学2年级 二年级 2年级 小二", "二"},
	{"13", 3, 3, "小学三年级 小学3年级 三年级 3年级 小三", "三"},
	{"14", 4, 4, "小学四年级 小学4年级 四年级 4年级 小四", "四"},
	{"15", 5, 5, "小学五年级 小学5年级 五年级 5年级 小五", "五"},
	{"16", 6, 6, "小学六年级 小学6年级 六年级 6年级 小六", "六"},
	{"21", 7, 1, "初中一年级 初中七年级 初一年级 七年级 7年级 初一", "七"},
	{"22", 8, 2, "初中二年级 初中八年级 初二年级 八年级 8年级 初二", "八"},
	{"23", 9, 3, "初中三年级 初中九年级 初三年级 九年级 9年级 初三", "九"},
	{"31", 10, 1, "高中一年级 高一年级 十年级 10年级 高一", ""},
	{"32", 11, 2, "高中二年级 高二年级 十一年级 11年级 高二", ""},
	{"33", 12, 3, "高中三年级 高三年级 十二年级 12年级 高三", ""}};
#define GRADES (sizeof grades / sizeof *grades)

static const struct grade *grade_of(const char *code)
{
	for (size_t i = 0; code && i < GRADES; i++)
		if (strcmp(grades[i].code, code) == 0)
			return &grades[i];
	return NULL;
}

/* Half-width, no white space, upper case. */
static bool word_of(char word[WORD_MAX], const char *text)
{
	return text_name_key(word, WORD_MAX, text) == ERR_OK && *word;
}

/* How much of s is one of the words. */
static size_t words_match(const char *s, const char *words)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");
		if (strncmp(s, p, n) == 0)
			return n;
		p += n + (p[n] == ' ');
	}
	return 0;
}

/* The grade that s begins with by a strong word; *used is its length. */
static const struct grade *strong_at(const char *s, size_t *used)
{
	const struct grade *found = NULL;

	*used = 0;
	for (size_t i = 0; i < GRADES; i++) {
		size_t n = words_match(s, grades[i].strong);
		if (n > *used) {
			*used = n;
			found = &grades[i];
		}
	}
	return found;
}

static const struct grade *weak_at(const char *s, size_t *used)
{
	for (size_t i = 0; i < GRADES; i++)
		if (*grades[i].weak && strncmp(s, grades[i].weak, strlen(grades[i].weak)) == 0) {
			*used = strlen(grades[i].weak);
			return &grades[i];
		}
	return NULL;
}

static bool is_primary(const char *school)
{
	return school && strncmp(school, "21", 2) == 0;
}

/* Drops groups in brackets: 六年级(2020级). */
static void notes_drop(char *word)
{
	for (char *open; (open = strchr(word, '('));) {
		char *close = strchr(open, ')');
		memmove(open, close ? close + 1 : open + strlen(open), strlen(close ? close + 1 : "") + 1);
	}
}

const char *roster_grade(const char *text, const char *school)
{
	char word[WORD_MAX];
	size_t used;

	if (!word_of(word, text))
		return NULL;
	notes_drop(word);
	const char *code = code_find(&codes_grade, word);
	if (code)
		return code;
	const struct grade *g = strong_at(word, &used);
	if (g && !word[used])
		return g->code;
	if (is_primary(school) && (strcmp(word, "毕业年级") == 0 || strcmp(word, "毕业班") == 0))
		return "16";
	/* 1 to 3 of a junior school may be 初一; its 7 to 9 may not. */
	for (size_t i = 0; i < GRADES && grades[i].number < 10; i++) {
		char digit[2] = {(char)('0' + grades[i].number), 0};
		bool bare = strcmp(word, digit) == 0 || strcmp(word, grades[i].weak) == 0;
		if (bare && (grades[i].number > 3 || is_primary(school)))
			return grades[i].code;
	}
	return NULL;
}

static bool is_numeral_before(const char *word, const char *p)
{
	static const char *const numerals[] = {"十", "1"};

	for (size_t i = 0; i < sizeof numerals / sizeof *numerals; i++) {
		size_t n = strlen(numerals[i]);
		if ((size_t)(p - word) >= n && strncmp(p - n, numerals[i], n) == 0)
			return true;
	}
	return false;
}

/* Tries every beginning of what stands before a 班 ("…2026届六(1)班"); the first that is a class with its
 * grade, or the whole of it, is taken. */
static bool class_within(const char *text, struct roster_class *out)
{
	char word[WORD_MAX], part[WORD_MAX];

	if (!word_of(word, text))
		return false;
	for (char *ban = word; (ban = strstr(ban, "班")); ban += strlen("班")) {
		for (char *p = word; p < ban; p++) {
			if (((unsigned char)*p & 0xC0) == 0x80 ||
				(p > word && isdigit((unsigned char)*p) && isdigit((unsigned char)p[-1])))
				continue;
			snprintf(part, sizeof part, "%.*s", (int)(ban - p), p);
			if (roster_class_read(part, NULL, 0, false, out) == ROSTER_OK && !out->was_date &&
				(p == word || *out->grade))
				return true;
		}
	}
	return false;
}

bool roster_class_within(const char *text, char no[CLASS_NO_MAX + 1])
{
	struct roster_class found;
	bool any = class_within(text, &found);

	strcpy(no, any ? found.no : "");
	return any;
}

const char *roster_grade_within(const char *text)
{
	char word[WORD_MAX];
	const struct grade *found = NULL;
	struct roster_class class;
	size_t used;

	if (!word_of(word, text))
		return NULL;
	for (const char *p = word; *p; p++) {
		const struct grade *g = ((unsigned char)*p & 0xC0) == 0x80 ? NULL : strong_at(p, &used);
		if (!g || is_numeral_before(word, p))
			continue;
		if (found && found != g)
			return NULL;
		found = g;
		p += used - 1;
	}
	if (!found && class_within(text, &class) && *class.grade)
		found = grade_of(class.grade);
	return found ? found->code : NULL;
}

/* ---- Years ---- */

static int digits_at(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

static bool is_year(int year)
{
	return year >= YEAR_FIRST && year <= YEAR_LAST;
}

int roster_year_within(const char *text)
{
	char word[WORD_MAX];
	int found = 0;

	if (!word_of(word, text))
		return 0;
	for (const char *p = word; *p; p++) {
		int year = (p == word || !isdigit((unsigned char)p[-1])) ? digits_at(p, 4) : -1;
		if (!is_year(year) || isdigit((unsigned char)p[4]))
			continue;
		const char *behind = p + 4;
		size_t n = strlen("年");
		bool date = strncmp(behind, "年", n) == 0 && isdigit((unsigned char)behind[n]);
		if (!date &&
			(strncmp(behind, "年", n) == 0 || strncmp(behind, "届", strlen("届")) == 0 ||
				strncmp(behind, "学年", strlen("学年")) == 0))
			found = year;
	}
	return found;
}

int roster_entry_year(const char *text)
{
	char word[WORD_MAX];

	if (!word_of(word, text))
		return 0;
	int year = digits_at(word, 4);
	const char *rest = word + 4;
	if (!is_year(year))
		return 0;
	if (!*rest || strncmp(rest, "级", strlen("级")) == 0 || strncmp(rest, "年", strlen("年")) == 0 ||
		strchr("-/.", *rest))
		return year;
	size_t digits = strspn(rest, "0123456789");
	int month = digits_at(rest, digits < 2 ? digits : 2);
	return !rest[digits] && (digits == 2 || digits == 4) && month >= 1 && month <= 12 ? year : 0;
}

#define AUTUMN 9 /* the month in which a school year begins */
#define JUNIOR_AGE 11

const char *roster_grade_of_entry(int entry_year, int32_t today, const char *school, int birth_year)
{
	int school_year = today / 10000 - (today / 100 % 100 < AUTUMN), n = school_year - entry_year + 1;
	bool junior = school && strncmp(school, "31", 2) == 0;

	if (!entry_year || n < 1)
		return NULL;
	if (junior && n <= 3 && (!birth_year || entry_year - birth_year >= JUNIOR_AGE))
		n += 6;
	else if (n > (junior ? 9 : 6) || (!junior && !is_primary(school)))
		return NULL;
	return grades[n - 1].code;
}

/* ---- Classes ---- */

/* A number of up to three digits or a Chinese one below 100 that is all of s, with or without brackets; 0:
 * none. */
static int class_number(const char *s)
{
	char no[CLASS_NO_MAX + 1], word[WORD_MAX];
	size_t n = strlen(s);

	if (n > 1 && *s == '(' && s[n - 1] == ')') {
		s++;
		n -= 2;
	} else if (n > 1 && s[n - 1] == ')' && !strchr(s, '(')) {
		n--;
	}
	snprintf(word, sizeof word, "%.*s", (int)n, s);
	bool plain = *word && !word[strspn(word, "0123456789")];
	for (const char *p = word; !plain && *p; p += strlen("一")) {
		if (!strstr("一二三四五六七八九十", (char[]){p[0], p[1], p[1] ? p[2] : 0, 0}) ||
			(unsigned char)*p < 0x80)
			return 0;
	}
	return *word && class_no_parse(no, sizeof no, word) == ERR_OK ? atoi(no) : 0;
}

static bool is_joint(char c)
{
	return c && strchr("-._/:(", c);
}

/* What stands between a grade or a year and its class. */
static const char *joint_skip(const char *s)
{
	if (strncmp(s, "—", strlen("—")) == 0)
		return s + strlen("—");
	if (strncmp(s, "·", strlen("·")) == 0)
		return s + strlen("·");
	return s + (is_joint(*s) && *s != '(');
}

/* 2020级, 20级, 2020-, 2020(, 202003, 2026届: what stands before the class; the year goes into *out. */
static const char *entry_skip(const char *s, struct roster_class *out)
{
	static const char level[] = "级", leaving[] = "届";
	int year = digits_at(s, 4), short_year = digits_at(s, 2);
	const char *rest = s + 4;

	if (short_year >= 0 && strncmp(s + 2, level, strlen(level)) == 0) {
		out->entry_year = 2000 + short_year;
		return joint_skip(s + 2 + strlen(level));
	}
	if (!is_year(year))
		return s;
	if (strncmp(rest, leaving, strlen(leaving)) == 0)
		return joint_skip(rest + strlen(leaving));
	bool leveled = strncmp(rest, level, strlen(level)) == 0;
	bool six = digits_at(rest, 2) > 0 && !rest[2];
	if (!leveled && !six && !is_joint(*rest))
		return s;
	out->entry_year = year;
	return joint_skip(rest + (leveled ? strlen(level) : 0));
}

static bool grade_agrees(const struct grade *known, const struct grade *said)
{
	return !known || !said || known == said;
}

/* 六, 6- and 6( in front of a class; a digit alone only with a joint, since 61 is a number. */
static const struct grade *weak_skip(const char **s, const struct grade *known)
{
	size_t used;
	const struct grade *g = weak_at(*s, &used);

	if (g && (isdigit((unsigned char)(*s)[used]) || is_joint((*s)[used]))) {
		*s = joint_skip(*s + used);
		return g;
	}
	if (!isdigit((unsigned char)(*s)[0]) || !is_joint((*s)[1]))
		return NULL;
	int number = **s - '0';
	for (size_t i = 0; i < GRADES; i++)
		if (grades[i].number == number || (known == &grades[i] && known->of_stage == number)) {
			g = known && (known->number == number || known->of_stage == number) ? known
											    : &grades[i];
			*s = joint_skip(*s + 1);
			return g;
		}
	return NULL;
}

static enum roster_fault class_text(
	const char *s, const struct grade *known, bool number, struct roster_class *out)
{
	const struct grade *said;
	const char *whole = s;
	size_t used;

	s = entry_skip(s, out);
	if ((said = strong_at(s, &used)))
		s = joint_skip(s + used);
	else
		said = weak_skip(&s, known);
	if (said)
		strcpy(out->grade, said->code);
	if (!grade_agrees(known, said))
		return ROSTER_GRADE;
	if (number && strchr(whole, '.') && strcmp(s, "1") == 0)
		return ROSTER_AMBIGUOUS;
	int value = class_number(s);
	if (s == whole && strlen(s) == 4 && known && digits_at(s, 2) == known->number)
		value = digits_at(s + 2, 2); /* 0601 */
	if (s == whole && value >= 100) {    /* 601: no grade has a hundred classes */
		for (size_t i = 0; i < GRADES && !said; i++)
			if (grades[i].number == value / 100 ||
				(known == &grades[i] && known->of_stage == value / 100))
				said = known ? known : &grades[i];
		if (!said || (said->number != value / 100 && said->of_stage != value / 100))
			return ROSTER_GRADE;
		strcpy(out->grade, said->code);
		value %= 100;
	}
	if (value <= 0)
		return ROSTER_NO_CLASS;
	snprintf(out->no, sizeof out->no, "%u", (unsigned)value % 1000);
	return ROSTER_OK;
}

/* Year (0: not shown, or two digits below 100), month and day (0: not shown) of a cell that a spreadsheet
 * made a date. */
static bool date_words(const char *s, int *year, int *month, int *day)
{
	static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
	char name[4] = "";
	const char *at;
	int used = 0;

	*year = *month = *day = 0;
	if (sscanf(s, "%4d年%2d月%n", year, month, &used) == 2 && used && !s[used])
		return true;
	*year = 0;
	if (sscanf(s, "%2d月%2d日%n", month, day, &used) == 2 && used && !s[used])
		return true;
	if (sscanf(s, "%2d-%3[A-Z]%n", day, name, &used) == 2 && used && !s[used] &&
		(at = strstr(months, name)) && strlen(name) == 3) {
		*month = (int)(at - months) / 3 + 1;
		return true;
	}
	*day = 0;
	if (sscanf(s, "%3[A-Z]-%2d%n", name, year, &used) == 2 && used && !s[used] && strlen(name) == 3 &&
		(at = strstr(months, name))) {
		*month = (int)(at - months) / 3 + 1;
		return true;
	}
	int32_t date;
	if (strlen(s) < 8 || !strpbrk(s, "-/年") || date_parse(s, DATE_EPOCH_1900, &date) != ERR_OK)
		return false;
	*year = date / 10000;
	*month = date / 100 % 100;
	*day = date % 100;
	return true;
}

/* 6-3 became 3 June of the year of typing, 6-32 June 1932, 2020-3 March 2020. What could have been two of
 * them is nobody's. */
static enum roster_fault class_of_date(
	int year, int month, int day, const struct grade *known, int32_t today, struct roster_class *out)
{
	bool of_grade = known && (known->number == month || known->of_stage == month);
	bool first = day <= 1; /* a month without a day is kept as its first */
	int century = 0;
	if (year >= 100)
		century = (year < 2000 ? year - 1900 : 0);
	else if (year >= CENTURY_CLASS)
		century = year;
	int entry = year >= 100 ? year : 2000 + year, value = 0;

	out->was_date = true;
	if (!known)
		return ROSTER_DATE;
	if (of_grade && !first) {
		value = day;
	} else if (of_grade && century >= CENTURY_CLASS) {
		value = century;
	} else if (first && !century && year) {
		bool entered = is_year(entry) && entry <= today / 10000 && entry > today / 10000 - 10;
		bool this_year = entry >= today / 10000 - 1;
		if (of_grade && day == 1 && !this_year && entered)
			return ROSTER_AMBIGUOUS;
		if (of_grade && day == 1)
			value = 1;
		else if (entered)
			value = month;
		out->entry_year = of_grade ? 0 : entry;
	} else if (of_grade && day == 1) {
		value = 1;
	}
	if (!value)
		return ROSTER_DATE;
	snprintf(out->no, sizeof out->no, "%u", (unsigned)value % 1000);
	return ROSTER_OK;
}

enum roster_fault roster_class_read(
	const char *text, const char *grade, int32_t today, bool number, struct roster_class *out)
{
	const struct grade *known = grade_of(grade);
	char word[WORD_MAX], *note;
	int year, month, day;

	*out = (struct roster_class){0};
	if (!word_of(word, text))
		return ROSTER_NO_CLASS;
	if (date_words(word, &year, &month, &day))
		return class_of_date(year, month, day, known, today, out);
	if (strpbrk(word, ",;&+") || strstr(word, "、") || strstr(word, "和") || strstr(word, "~") ||
		strstr(word, "至"))
		return ROSTER_SEVERAL;
	if ((note = strstr(word, "班("))) /* 1班(寄宿) */
		note[strlen("班")] = 0;
	size_t n = strlen(word);
	if (n > strlen("班") && strcmp(word + n - strlen("班"), "班") == 0)
		word[n - strlen("班")] = 0;
	enum roster_fault fault = class_text(word, known, number, out);
	if (fault)
		out->no[0] = 0;
	return fault;
}

const char *roster_fault_text(enum roster_fault fault)
{
	switch (fault) {
	case ROSTER_OK:
		return "";
	case ROSTER_NO_CLASS:
		return _("里没有班号");
	case ROSTER_SEVERAL:
		return _("里有几个班");
	case ROSTER_GRADE:
		return _("与这一行的年级不一致");
	case ROSTER_AMBIGUOUS:
		return _("被表格软件改过，可能是两个班中的任一个");
	case ROSTER_DATE:
		return _("被表格软件改成了日期，看不出是几班");
	}
	return "";
}
