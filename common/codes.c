#include "codes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "text.h"

const struct code_list *code_list_by_name(const char *name)
{
	for (size_t i = 0; i < code_list_count; i++)
		if (strcmp(code_lists[i].name, name) == 0)
			return code_lists[i].list;
	return NULL;
}

const struct code_list *code_list_at(size_t i, const char **name)
{
	for (size_t k = 0; k < code_list_count; k++)
		if (code_lists[k].checked && i-- == 0) {
			*name = code_lists[k].name;
			return code_lists[k].list;
		}
	return NULL;
}

const struct code_list *code_list_called(const char *text)
{
	const struct code_list *list;
	const char *name;

	for (size_t i = 0; (list = code_list_at(i, &name)); i++)
		if (strcmp(name, text) == 0 || strcmp(list->name, text) == 0)
			return list;
	return code_list_by_name(text); /* one that no field has, such as that of the roles */
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

	return item ? lang_declared(item->zh, item->en) : NULL;
}

const char *code_list_words(const struct code_list *list, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", _("可填："));

	for (size_t i = 0; list && i < list->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s %s", i ? _("、") : "", list->items[i].code,
			lang_declared(list->items[i].zh, list->items[i].en));
	if (list && n >= size)
		snprintf(out, size, _("可填的有 %zu 种，全部列在：jg help codes %s"), list->n, list->name);
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
