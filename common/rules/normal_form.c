#include "normal_form.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "text.h"

bool normal_is_mark(int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_PC:
	case UTF8PROC_CATEGORY_PD:
	case UTF8PROC_CATEGORY_PS:
	case UTF8PROC_CATEGORY_PE:
	case UTF8PROC_CATEGORY_PI:
	case UTF8PROC_CATEGORY_PF:
	case UTF8PROC_CATEGORY_PO:
		return true;
	default:
		return false;
	}
}

static bool is_left_out(int32_t c, unsigned forms)
{
	return text_is_space(c) ||
		(forms & NORMAL_NO_MARKS &&
			(normal_is_mark(c) || utf8proc_category(c) == UTF8PROC_CATEGORY_CC));
}

static bool is_digit(int32_t c)
{
	return utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

/* Whether a mark behind a digit is of its number: a per cent, or one with another digit behind it on its
 * line. */
static bool is_of_number(const char *from)
{
	int32_t c;
	int step = text_next(from, &c);

	if (step <= 0 || !normal_is_mark(c))
		return false;
	if (c == '%' || c == 0x2030)
		return true;
	for (; step > 0 && c != '\n' && is_left_out(c, NORMAL_NO_MARKS); step = text_next(from, &c))
		from += step;
	return step > 0 && is_digit(c);
}

/* How many bytes it takes; written when there is a `to`. */
static size_t form_write(char *to, const char *from, unsigned forms)
{
	utf8proc_uint8_t bytes[4];
	bool number = false; /* a digit stands before, or marks of its number */
	size_t n = 0;
	int32_t c;

	for (int step; (step = text_next(from, &c)) > 0; from += step) {
		bool of_number = number && forms & NORMAL_NUMBERS && is_of_number(from);
		if (is_left_out(c, forms) && !of_number) {
			number = number && text_is_space(c) && c != '\n';
			continue;
		}
		number = of_number || is_digit(c);
		size_t k =
			(size_t)utf8proc_encode_char(forms & NORMAL_LOWER ? utf8proc_tolower(c) : c, bytes);
		for (size_t i = 0; to && i < k; i++)
			to[n + i] = (char)bytes[i];
		n += k;
	}
	return n;
}

enum err normal_form(const char **out, const char *text, size_t n, unsigned forms, struct arena *arena)
{
	utf8proc_uint8_t *mapped = NULL;

	*out = "";
	if (!text_utf8_valid(text, n))
		return ERR_INVALID;
	utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &mapped,
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT));
	if (m < 0)
		return m == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_INVALID;
	char *made = arena_alloc(arena, form_write(NULL, (char *)mapped, forms) + 1);
	if (made)
		form_write(made, (char *)mapped, forms);
	free(mapped);
	if (!made)
		return arena->refused;
	*out = made;
	return ERR_OK;
}

/* White space that people see: what is invisible parts no term. */
static bool is_blank(int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return (c >= '\t' && c <= '\r') || c == 0x85;
	}
}

/* How many bytes stand before the next blank, or before what is no blank. */
static size_t run(const char *text, bool blanks)
{
	size_t n = 0;
	int32_t c;

	for (int step; (step = text_next(text + n, &c)) > 0 && is_blank(c) == blanks; n += (size_t)step)
		;
	return n;
}

enum err normal_terms(const char ***out, size_t *n, const char *text, struct arena *arena)
{
	enum err e = ERR_OK;

	*n = 0;
	if (!text_utf8_valid(text, strlen(text)))
		return ERR_INVALID;
	*out = arena_alloc(arena, sizeof **out * (strlen(text) / 2 + 2));
	if (!*out)
		return arena->refused;
	for (size_t step; !e && *text; text += step) {
		step = run(text, true);
		if (step)
			continue;
		step = run(text, false);
		e = normal_form(&(*out)[*n], text, step, NORMAL_LOWER, arena);
		*n += !e && *(*out)[*n];
	}
	return e;
}
