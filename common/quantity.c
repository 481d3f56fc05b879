#include "quantity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "text.h"

#define WRITTEN_MAX 64 /* longer than any quantity */

/* Half-width, no blanks. */
static enum err plain(char out[WRITTEN_MAX], const char *text)
{
	enum err e = text_half_width(out, WRITTEN_MAX, text);

	return e ? e : text_strip_space(out, WRITTEN_MAX, out);
}

static bool take(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, and behind a point at most `scale` of them; *at stands behind what was read. */
static enum err take_digits(const char **at, unsigned scale, int64_t *out)
{
	int64_t v = 0;
	unsigned behind = 0;
	bool point = false, any = false;

	for (;; (*at)++) {
		if (**at == '.' && !point) {
			point = true;
			continue;
		}
		if (**at == ',' && any && !point && is_digit((*at)[1]) && is_digit((*at)[2]) &&
			is_digit((*at)[3]) && !is_digit((*at)[4]))
			continue; /* of thousands */
		if (!is_digit(**at))
			break;
		if (point && ++behind > scale) {
			if (**at != '0')
				return ERR_INVALID;
			behind = scale;
			continue;
		}
		v = v * 10 + (**at - '0');
		any = true;
		if (v > DECIMAL_MAX)
			return ERR_INVALID;
	}
	for (; behind < scale; behind++)
		v *= 10;
	*out = v;
	return any && v <= DECIMAL_MAX ? ERR_OK : ERR_INVALID;
}

enum err decimal_parse(int64_t *out, const char *text, unsigned scale)
{
	char written[WRITTEN_MAX];
	const char *at = written;

	if (plain(written, text))
		return ERR_INVALID;
	bool money = scale == FEN_SCALE && (take(&at, "￥") || take(&at, "¥"));
	bool minus = take(&at, "-");
	enum err e = take_digits(&at, scale, out);
	if (!e && scale == FEN_SCALE && !money)
		take(&at, "元");
	if (e || *at)
		return ERR_INVALID;
	*out = minus ? -*out : *out;
	return ERR_OK;
}

const char *decimal_format(char out[QUANTITY_TEXT], int64_t v, unsigned scale)
{
	uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, one = 1;

	for (unsigned i = 0; i < scale; i++)
		one *= 10;
	if (scale)
		snprintf(out, QUANTITY_TEXT, "%s%llu.%0*llu", v < 0 ? "-" : "",
			(unsigned long long)(size / one), (int)scale, (unsigned long long)(size % one));
	else
		snprintf(out, QUANTITY_TEXT, "%lld", (long long)v);
	return out;
}

/* hours: of tenths; minutes alone. */
static enum err take_hours(const char *at, int64_t tenths, int64_t *minutes)
{
	int64_t more = 0;

	*minutes = tenths * 6;
	if (!*at)
		return ERR_OK;
	if (tenths % 10 || take_digits(&at, 0, &more) || more > 59)
		return ERR_INVALID;
	*minutes += more;
	return !*at || take(&at, "分钟") || take(&at, "分") || take(&at, "min") ? (*at ? ERR_INVALID : ERR_OK)
										: ERR_INVALID;
}

enum err minutes_parse(int32_t *out, const char *text)
{
	char written[WRITTEN_MAX];
	const char *at = written;
	int64_t tenths, v = 0;

	if (plain(written, text) || take_digits(&at, 1, &tenths))
		return ERR_INVALID;
	enum err e = ERR_OK;
	if (take(&at, ":"))
		e = *at ? take_hours(at, tenths, &v) : ERR_INVALID;
	else if (take(&at, "小时") || take(&at, "时") || take(&at, "h"))
		e = take_hours(at, tenths, &v);
	else if (tenths % 10)
		e = ERR_INVALID;
	else if ((v = tenths / 10, *at) && !(take(&at, "分钟") || take(&at, "分") || take(&at, "min")))
		e = ERR_INVALID;
	else if (*at)
		e = ERR_INVALID;
	if (e || v > MINUTES_MAX)
		return ERR_INVALID;
	*out = (int32_t)v;
	return ERR_OK;
}

const char *minutes_format(char out[QUANTITY_TEXT], int32_t v)
{
	int hours = v / 60, minutes = v % 60;

	if (hours && minutes)
		snprintf(out, QUANTITY_TEXT, _("%d小时%d分"), hours, minutes);
	else if (hours)
		snprintf(out, QUANTITY_TEXT, _("%d小时"), hours);
	else
		snprintf(out, QUANTITY_TEXT, _("%d分钟"), minutes);
	return out;
}
