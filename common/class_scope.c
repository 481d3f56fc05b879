#include "class_scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "lang.h"
#include "text.h"

#define WORD_SIZE 128 /* far longer than any class name */

const char *class_scope_make(char out[CLASS_SCOPE_SIZE], const char *grade, const char *class_no)
{
	out[0] = 0;
	if (grade[0] && class_no[0] &&
		snprintf(out, CLASS_SCOPE_SIZE, "%s/%s", grade, class_no) >= CLASS_SCOPE_SIZE)
		out[0] = 0;
	return out;
}

const char *class_scope_text(char *out, size_t size, const char *scope)
{
	const char *slash = strchr(scope, '/'), *word;
	char grade[8];

	snprintf(grade, sizeof grade, "%.*s", slash ? (int)(slash - scope) : 0, scope);
	word = code_name(&codes_grade, grade);
	if (word)
		snprintf(out, size, _("%s%s班"), word, slash + 1);
	else
		snprintf(out, size, "%s", scope);
	return out;
}

/* Where the class number at the end begins: digits, or Chinese numerals; the bracket and 班 behind it do not
 * count. */
static size_t number_at(const char *word, size_t length)
{
	static const char *const tails[] = {"班", ")", "]"};
	static const char *const numerals[] = {"一", "二", "三", "四", "五", "六", "七", "八", "九", "十"};
	bool digits = false, more = true;

	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		if (length >= strlen(tails[i]) &&
			memcmp(word + length - strlen(tails[i]), tails[i], strlen(tails[i])) == 0)
			length -= strlen(tails[i]);
	for (; length && word[length - 1] >= '0' && word[length - 1] <= '9'; length--)
		digits = true;
	while (!digits && more) {
		more = false;
		for (size_t i = 0; length >= 3 && !more && i < sizeof numerals / sizeof *numerals; i++)
			more = memcmp(word + length - 3, numerals[i], 3) == 0;
		length -= more ? 3 : 0;
	}
	return length;
}

/* The grade that a class of this entry year is in now: the school year begins on 1 September. */
static const char *grade_of_entry(int year, unsigned stages, int32_t today)
{
	static const char *const primary[] = {"11", "12", "13", "14", "15", "16"},
				 *const junior[] = {"21", "22", "23"};
	int nth = today / 10000 - (today / 100 % 100 < 9) - year;
	bool p = stages & STAGE_PRIMARY && nth >= 0 && nth < 6,
	     j = stages & STAGE_JUNIOR && nth >= 0 && nth < 3;

	if (p == j) /* neither, or a through-school where both begin with that year */
		return NULL;
	return p ? primary[nth] : junior[nth];
}

static const char *grade_of(char *before, unsigned stages, int32_t today)
{
	static const struct {
		const char *word, *code;
	} rows[] = {{"一", "11"}, {"二", "12"}, {"三", "13"}, {"四", "14"}, {"五", "15"}, {"六", "16"},
		{"七", "21"}, {"八", "22"}, {"九", "23"}, {"1", "11"}, {"2", "12"}, {"3", "13"}, {"4", "14"},
		{"5", "15"}, {"6", "16"}, {"7", "21"}, {"8", "22"}, {"9", "23"}};
	size_t n = strlen(before);
	char *end;

	while (n && strchr("([.-/·", before[n - 1]))
		before[--n] = 0;
	if (!n && (stages & (STAGE_PRIMARY | STAGE_JUNIOR)) == STAGE_PRIMARY)
		return "16";
	if (!n && (stages & (STAGE_PRIMARY | STAGE_JUNIOR)) == STAGE_JUNIOR)
		return "21";
	if (!n)
		return NULL;
	long year = strtol(before, &end, 10);
	if (year >= 1900 && year <= 2999)
		return !*end || strcmp(end, "级") == 0 || strcmp(end, "年") == 0
			? grade_of_entry((int)year, stages, today)
			: NULL;
	if (code_find(&codes_grade, before))
		return code_find(&codes_grade, before);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].word, before) == 0)
			return rows[i].code;
	return NULL;
}

static unsigned stage_of(const char *grade)
{
	if (grade[0] == '1')
		return STAGE_PRIMARY;
	return grade[0] == '2' ? STAGE_JUNIOR : STAGE_SENIOR;
}

enum err class_scope_parse(char out[CLASS_SCOPE_SIZE], const char *text, unsigned stages, int32_t today)
{
	char word[WORD_SIZE], number[CLASS_NO_MAX + 1];
	const char *grade;

	out[0] = 0;
	if (text_half_width(word, sizeof word, text) || text_strip_space(word, sizeof word, word) ||
		class_no_parse(number, sizeof number, word))
		return ERR_INVALID;
	word[number_at(word, strlen(word))] = 0;
	grade = grade_of(word, stages, today);
	if (!grade || !(stages & stage_of(grade)))
		return ERR_INVALID;
	class_scope_make(out, grade, number);
	return ERR_OK;
}
