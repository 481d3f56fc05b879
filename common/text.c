#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define MIDDLE_DOT 0xB7
#define IDEOGRAPHIC_SPACE 0x3000
#define FULL_WIDTH_FIRST 0xFF01
#define FULL_WIDTH_LAST 0xFF5E
#define FULL_WIDTH_STOP 0xFF0E
#define FULL_WIDTH_OFFSET 0xFEE0

/* Where a transformation writes; `err` remembers the first failure so that loops stay plain. */
struct sink {
	char *out;
	size_t size, n;
	enum err err;
};

static struct sink sink_open(char *out, size_t size)
{
	return (struct sink){.out = out, .size = size, .err = size ? ERR_OK : ERR_TOO_LARGE};
}

static void sink_put(struct sink *k, int32_t c)
{
	utf8proc_uint8_t bytes[4];
	size_t n = (size_t)utf8proc_encode_char(c, bytes);

	if (k->err)
		return;
	if (n >= k->size - k->n) {
		k->err = ERR_TOO_LARGE;
		return;
	}
	memcpy(k->out + k->n, bytes, n);
	k->n += n;
}

/* `step` is what the last text_next said: -1 means that the input was not UTF-8. */
static enum err sink_close(struct sink *k, int step)
{
	if (!k->err && step < 0)
		k->err = ERR_INVALID;
	if (k->size)
		k->out[k->err ? 0 : k->n] = 0;
	return k->err;
}

int text_next(const char *s, int32_t *code_point)
{
	*code_point = 0;
	if (!*s)
		return 0;
	/* -1: the string ends with NUL, which is no continuation byte, so nothing behind it is read. */
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, code_point);
	return n > 0 ? (int)n : -1;
}

size_t text_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

size_t text_utf8_prefix(const char *s, size_t n)
{
	utf8proc_int32_t c;
	size_t i = 0;

	while (i < n) {
		utf8proc_ssize_t step = 1; /* ASCII is most of every file: no call for it */
		if ((unsigned char)s[i] >= 0x80)
			step = utf8proc_iterate(
				(const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
		if (step <= 0 || !s[i])
			break;
		i += (size_t)step;
	}
	return i;
}

bool text_utf8_valid(const char *s, size_t n)
{
	return text_utf8_prefix(s, n) == n;
}

struct range {
	int32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t n, int32_t c)
{
	for (size_t i = 0; i < n && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

#define IN(ranges, c) in_ranges(ranges, sizeof(ranges) / sizeof *(ranges), c)

/* Ascending, as strip_space of sql/functions has them. */
static const struct range invisibles[] = {{0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160},
	{0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},
	{0x2800, 0x2800}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
	{0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

static bool is_invisible(int32_t c)
{
	return c >= invisibles[0].first && IN(invisibles, c);
}

bool text_is_space(int32_t c)
{
	if (c >= 0x4E00 && c <= 0x9FFF) /* most of every file */
		return false;
	return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
		c == IDEOGRAPHIC_SPACE || is_invisible(c);
}

bool text_is_han(int32_t c)
{
	static const struct range han[] = {{0x2E80, 0x2FD5}, {0x3005, 0x3007}, {0x3400, 0x4DBF},
		{0x4E00, 0x9FFF}, {0xE000, 0xF8FF}, {0xF900, 0xFAFF}, {0x20000, 0x3FFFF},
		{0xF0000, 0x10FFFF}};

	return IN(han, c);
}

static bool is_bidi(int32_t c)
{
	return c == 0x61C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
		(c >= 0x2066 && c <= 0x2069);
}

static bool is_forbidden(int32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || is_bidi(c) ||
		(c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

int32_t text_forbidden(const char *s, size_t n)
{
	utf8proc_int32_t c;

	for (size_t i = 0; i < n;) {
		unsigned char byte = (unsigned char)s[i];
		utf8proc_ssize_t step = 1;
		c = byte;
		if (byte >= 0x80)
			step = utf8proc_iterate(
				(const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
		if (step <= 0)
			return 0xFFFD;
		if (is_forbidden(c))
			return c;
		i += (size_t)step;
	}
	return 0;
}

bool text_is_blank(const char *s, size_t n)
{
	utf8proc_int32_t c;

	for (size_t i = 0; i < n;) {
		utf8proc_ssize_t step =
			utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
		if (step <= 0 || !text_is_space(c))
			return false;
		i += (size_t)step;
	}
	return n > 0;
}

int32_t text_name_odd(const char *name)
{
	static const struct range odd[] = {{'!', '&'}, {'*', ','}, {'/', '/'}, {':', '@'}, {'[', '`'},
		{'{', '~'}, {0x300, 0x36F}, {0x2200, 0x22C4}, {0x2500, 0x25CE}, {0x3001, 0x3004},
		{0x3008, 0x301F}, {0xE000, 0xF8FF}, {0xFF01, 0xFF06}, {0xFF0A, 0xFF0C}, {0xFF0F, 0xFF0F},
		{0xFF1A, 0xFF20}, {0xFFFD, 0xFFFD}, {0x1F000, 0x1FAFF}, {0xF0000, 0x10FFFF}};
	int32_t c;

	for (int step; (step = text_next(name, &c)) > 0; name += step)
		if (IN(odd, c))
			return c;
	return 0;
}

#define RADICALS_FIRST 0x2E80
#define RADICALS_LAST 0x2FD5

static int32_t radical_folded(int32_t c)
{
	static const int32_t characters[RADICALS_LAST - RADICALS_FIRST + 1] = {
#define X(radical, character) [radical - RADICALS_FIRST] = character,
#include "radicals.def"
#undef X
	};

	if (c < RADICALS_FIRST || c > RADICALS_LAST || !characters[c - RADICALS_FIRST])
		return c;
	return characters[c - RADICALS_FIRST];
}

static int32_t half_width(int32_t c)
{
	if (c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST)
		return c - FULL_WIDTH_OFFSET;
	return c == IDEOGRAPHIC_SPACE ? ' ' : c;
}

enum err text_half_width(char *out, size_t size, const char *in)
{
	struct sink k = sink_open(out, size);
	int32_t c;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step)
		sink_put(&k, half_width(c));
	return sink_close(&k, step);
}

enum err text_strip_space(char *out, size_t size, const char *in)
{
	struct sink k = sink_open(out, size);
	int32_t c;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step)
		if (!text_is_space(c))
			sink_put(&k, c);
	return sink_close(&k, step);
}

/* What keyboards and systems offer for the dot of 买买提·江. */
static bool is_middle_dot(int32_t c)
{
	switch (c) {
	case MIDDLE_DOT:
	case 0x0387: /* Greek ano teleia */
	case 0x1427: /* Canadian final middle dot */
	case 0x2022: /* bullet */
	case 0x2024: /* one dot leader */
	case 0x2027: /* hyphenation point */
	case 0x2219: /* bullet operator */
	case 0x22C5: /* dot operator */
	case 0x25CF: /* black circle */
	case 0x2E31: /* word separator middle dot */
	case 0x2E33: /* raised dot */
	case 0x30FB: /* katakana middle dot */
	case 0xA78F: /* Latin letter sinological dot */
	case 0xFE52: /* small full stop */
	case 0xFF65: /* half-width katakana middle dot */
		return true;
	default:
		return false;
	}
}

static enum err unify(char *out, size_t size, const char *in, bool radicals)
{
	struct sink k = sink_open(out, size);
	int32_t c, next, before = 0;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step) {
		int32_t put = is_middle_dot(c) ? MIDDLE_DOT : c;
		if ((c == '.' || c == FULL_WIDTH_STOP) && before > 0x7F && text_next(in + step, &next) > 0 &&
			next > 0x7F)
			put = MIDDLE_DOT;
		sink_put(&k, radicals ? radical_folded(put) : put);
		before = c;
	}
	return sink_close(&k, step);
}

enum err text_unify_dot(char *out, size_t size, const char *in)
{
	return unify(out, size, in, false);
}

static void upper_ascii(char *s)
{
	for (; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
}

enum err text_name_key(char *out, size_t size, const char *in)
{
	utf8proc_uint8_t *composed = NULL;
	enum err err;

	if (size)
		*out = 0;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)in, 0, &composed,
		(utf8proc_option_t)(UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_INVALID;
	/* Radicals and dots make a string longer (3 bytes to 4, 1 to 2), so they come last. */
	err = text_half_width((char *)composed, (size_t)n + 1, (char *)composed);
	if (!err)
		err = text_strip_space((char *)composed, (size_t)n + 1, (char *)composed);
	if (!err)
		err = unify(out, size, (char *)composed, true);
	if (!err)
		upper_ascii(out);
	free(composed);
	return err;
}

static bool is_spread(int32_t c)
{
	return text_is_han(c) || is_middle_dot(c);
}

/* `name`: a blank between two Chinese characters only fills a column. */
bool text_is_nfc(const char *s, size_t n)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_int32_t c;
	bool sure = true;

	/* Nothing below U+0300 composes with what stands before it, and no unified ideograph with anything:
	 * that is nearly every text. */
	for (size_t i = 0; i < n && sure;) {
		utf8proc_ssize_t step =
			utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
		if (step <= 0)
			return false;
		sure = c < 0x300 || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0x3000 && c <= 0x3029) ||
			(c >= 0xFF01 && c <= 0xFF5E);
		i += (size_t)step;
	}
	if (sure)
		return true;
	utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &composed,
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	bool same = m >= 0 && (size_t)m == n && memcmp(composed, s, n) == 0;
	free(composed);
	return same || m == UTF8PROC_ERROR_NOMEM; /* for want of memory nothing is called wrong */
}

/* Composes in place; what has no room in its composed form stays, and is refused where it is checked. */
static enum err compose(char *out, size_t size)
{
	utf8proc_uint8_t *composed = NULL;

	if (text_is_nfc(out, strlen(out)))
		return ERR_OK;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)out, 0, &composed,
		(utf8proc_option_t)(UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_INVALID;
	enum err e = (size_t)n < size ? ERR_OK : ERR_TOO_LARGE;
	if (!e)
		memcpy(out, composed, (size_t)n + 1);
	free(composed);
	return e;
}

static enum err clean(char *out, size_t size, const char *in, bool name)
{
	struct sink k = sink_open(out, size);
	bool gap = false, begun = false;
	int32_t c, before = 0;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step) {
		if (is_invisible(c))
			continue;
		if (text_is_space(c)) {
			gap = true;
			continue;
		}
		if (c < 0x20 || (c >= 0x7F && c < 0xA0))
			continue;
		if (!begun && c == '\'') {
			begun = true;
			continue;
		}
		if (gap && k.n && !(name && is_spread(before) && is_spread(c)))
			sink_put(&k, ' ');
		gap = false;
		begun = true;
		before = c;
		int32_t folded = radical_folded(c);
		sink_put(&k,
			folded > 0xFFFF
				? c
				: folded); /* a longer one would overtake what is still read in place */
	}
	enum err e = sink_close(&k, step);
	return e ? e : compose(out, size);
}

enum err text_clean(char *out, size_t size, const char *in)
{
	return clean(out, size, in, false);
}

enum err text_clean_name(char *out, size_t size, const char *in)
{
	return clean(out, size, in, true);
}

void text_printable(char *out, size_t size, const char *in)
{
	struct sink k = sink_open(out, size);
	int32_t c;

	while (*in && !k.err) {
		int step = text_next(in, &c);
		size_t before = k.n;
		sink_put(&k, step < 0 ? 0xFFFD : is_forbidden(c) && c != '\n' ? ' ' : c);
		if (k.err)
			k.n = before;
		in += step < 0 ? 1 : step;
	}
	if (size)
		out[k.n] = 0;
}

#define PHONE_DIGITS_MIN 7         /* domain.md §2.4 */
#define PHONE_AFTER_COUNTRY_MIN 10 /* area code 10 and eight digits, the shortest full number */

enum err text_phone_digits(char *out, size_t size, const char *in)
{
	struct sink k = sink_open(out, size);
	size_t skip = 0;
	int32_t c;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step) {
		c = half_width(c);
		if (c >= '0' && c <= '9')
			sink_put(&k, c);
	}
	enum err err = sink_close(&k, step);
	if (err)
		return err;
	if (strncmp(out, "0086", 4) == 0)
		skip = 4;
	else if (strncmp(out, "86", 2) == 0)
		skip = 2;
	if (skip && k.n - skip >= PHONE_AFTER_COUNTRY_MIN)
		memmove(out, out + skip, k.n - skip + 1);
	if (strlen(out) < PHONE_DIGITS_MIN)
		*out = 0;
	return ERR_OK;
}

/* Stars for all but the first `head` and the last `tail` characters. */
static enum err mask(char *out, size_t size, const char *in, size_t head, size_t tail)
{
	struct sink k = sink_open(out, size);
	size_t n = text_length(in), i = 0;
	int32_t c;
	int step;

	for (; (step = text_next(in, &c)) > 0; in += step, i++)
		sink_put(&k, i < head || i + tail >= n ? c : '*');
	return sink_close(&k, step);
}

#define MASK_ID_MIN 12 /* below this, eight open characters would be most of the number */

enum err text_mask_id(char *out, size_t size, const char *in)
{
	size_t keep = text_length(in) >= MASK_ID_MIN ? 4 : 0;

	return mask(out, size, in, keep, keep);
}

enum err text_mask_name(char *out, size_t size, const char *in)
{
	return mask(out, size, in, text_length(in) > 1, 0);
}

enum err text_mask_phone(char *out, size_t size, const char *in)
{
	size_t n = text_length(in);

	if (n >= 11)
		return mask(out, size, in, 3, 4);
	return mask(out, size, in, 0, n >= 5 ? 2 : 0);
}

static size_t characters(const char *s, int32_t out[TEXT_DISTANCE_MAX])
{
	size_t n = 0;
	int step;

	while (n < TEXT_DISTANCE_MAX && (step = text_next(s, &out[n])) > 0) {
		s += step;
		n++;
	}
	return *s ? TEXT_DISTANCE_MAX + 1 : n;
}

/* Damerau-Levenshtein, neighbours only: three rows are enough. */
size_t text_distance(const char *a, const char *b)
{
	int32_t x[TEXT_DISTANCE_MAX], y[TEXT_DISTANCE_MAX];
	size_t n = characters(a, x), m = characters(b, y), row[3][TEXT_DISTANCE_MAX + 1];

	if (n > TEXT_DISTANCE_MAX || m > TEXT_DISTANCE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = last[j - 1] + (x[i - 1] != y[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}
