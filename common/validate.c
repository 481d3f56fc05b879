#include "validate.h"

#include <string.h>

#include "lang.h"
#include "text.h"

const char *id_fault_text(enum id_fault fault)
{
	switch (fault) {
	case ID_OK:
		return _("正确");
	case ID_EMPTY:
		return _("没有填写");
	case ID_DAMAGED:
		return _("号码被 Excel 转成了数字，末尾几位已丢失");
	case ID_LENGTH:
		return _("位数不对");
	case ID_CHARACTER:
		return _("含有不允许的字符");
	case ID_DATE:
		return _("出生日期不存在或在今天之后");
	case ID_CHECK:
		return _("校验码不对，请核对每一位");
	}
	return "";
}

static bool is_apostrophe(int32_t c)
{
	return c == '\'' || c == '`' || c == 0xB4 || c == 0x2018 || c == 0x2019 || c == 0x02B9 || c == 0x2032;
}

/* What stands for the X at the end where a keyboard or a form has no X. The same list as cert_key of
 * sql/functions. */
static bool is_like_x(int32_t c)
{
	switch (c) {
	case 0xD7:  /* multiplication sign */
	case 0x3A7: /* Greek chi */
	case 0x3C7:
	case 0x425: /* Cyrillic ha */
	case 0x445:
	case 0x2169: /* Roman ten */
	case 0x2179:
	case 0x2573: /* box drawings cross */
	case 0x2715: /* multiplication x */
	case 0x2716:
	case 0x2A09: /* n-ary times */
	case 0x2A2F: /* vector product */
		return true;
	default:
		return false;
	}
}

enum err cert_no_normal(char *out, size_t size, const char *in)
{
	enum err err = text_half_width(out, size, in);
	char *to = out, *from = out;
	int32_t c;
	int step;

	if (!err)
		err = text_strip_space(out, size, out);
	if (err)
		return err;
	for (; (step = text_next(from, &c)) > 0; from += step) {
		if (is_apostrophe(c))
			continue;
		if (is_like_x(c)) {
			*to++ = 'X';
			continue;
		}
		for (int i = 0; i < step; i++, to++)
			*to = from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 'a' + 'A') : from[i];
	}
	*to = 0;
	return ERR_OK;
}

static size_t digits_length(const char *s)
{
	return strspn(s, "0123456789");
}

/* 1.23E+17, as a cell too narrow for a number is saved to CSV. */
static bool is_exponent_form(const char *s)
{
	size_t n = digits_length(s);

	if (n == 0)
		return false;
	s += n;
	if (*s == '.')
		s += 1 + digits_length(s + 1);
	if (*s != 'E')
		return false;
	s += s[1] == '+' ? 2 : 1;
	n = digits_length(s);
	return n > 0 && !s[n];
}

#define EXACT_DIGITS 15 /* of a number in a spreadsheet */

/* 329999201503020016.0 or 329,999,201,503,020,000: a number once, whatever its digits say now. */
static bool is_number_form(const char *s)
{
	size_t digits = 0, n = strspn(s, "0123456789,");
	bool grouped = false;

	for (size_t i = 0; i < n; i++) {
		digits += s[i] != ',';
		grouped |= s[i] == ',';
	}
	return digits > EXACT_DIGITS &&
		((grouped && !s[n]) || (s[n] == '.' && strspn(s + n + 1, "0") == strlen(s + n + 1)));
}

bool cert_no_damaged(const char *no, bool damaged_cell)
{
	size_t n = strlen(no);

	if (damaged_cell || is_exponent_form(no) || is_number_form(no))
		return true;
	return n == RESIDENT_ID_LENGTH && digits_length(no) == n && strcmp(no + n - 3, "000") == 0 &&
		resident_id_check_digit(no) != no[n - 1];
}

char resident_id_check_digit(const char *no)
{
	static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	int sum = 0;

	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
		if (no[i] < '0' || no[i] > '9')
			return 0;
		sum += (no[i] - '0') * weights[i];
	}
	return "10X98765432"[sum % 11];
}

static int32_t number_at(const char *s, int n)
{
	int32_t value = 0;

	for (int i = 0; i < n; i++)
		value = value * 10 + (s[i] - '0');
	return value;
}

/* 17 digits and a digit or X: what a resident ID and a student number behind its letter look like. */
static enum id_fault form_of_18(const char *no)
{
	if (!*no)
		return ID_EMPTY;
	if (strlen(no) != RESIDENT_ID_LENGTH)
		return ID_LENGTH;
	size_t digits = digits_length(no);
	return digits == RESIDENT_ID_LENGTH || (digits == RESIDENT_ID_LENGTH - 1 && no[digits] == 'X')
		? ID_OK
		: ID_CHARACTER;
}

enum id_fault resident_id_check(const char *no, int32_t today, struct resident_id *out)
{
	enum id_fault fault = cert_no_damaged(no, false) ? ID_DAMAGED : form_of_18(no);

	if (fault)
		return fault;
	struct resident_id id = {.birth = number_at(no + 6, 8), .area = number_at(no, 6)};
	if (!date_is_real(id.birth) || id.birth > today)
		return ID_DATE;
	id.gender = (no[16] - '0') % 2 ? 1 : 2;
	if (out)
		*out = id;
	return resident_id_check_digit(no) == no[17] ? ID_OK : ID_CHECK;
}

enum id_fault student_no_check(const char *no)
{
	if (!*no)
		return ID_EMPTY;
	if (is_exponent_form(no))
		return ID_DAMAGED;
	if (strlen(no) != 1 + RESIDENT_ID_LENGTH)
		return ID_LENGTH;
	if (*no != 'G' && *no != 'J' && *no != 'L')
		return ID_CHARACTER;
	enum id_fault fault = form_of_18(no + 1);
	if (fault)
		return fault;
	return *no == 'L' || resident_id_check_digit(no + 1) == no[18] ? ID_OK : ID_CHECK;
}

static enum id_fault digits_check(const char *code, size_t length)
{
	if (!*code)
		return ID_EMPTY;
	if (is_exponent_form(code))
		return ID_DAMAGED;
	if (code[digits_length(code)])
		return ID_CHARACTER;
	return strlen(code) == length ? ID_OK : ID_LENGTH;
}

#define SCHOOL_CODE_LENGTH 10
#define AREA_CODE_LENGTH 12

enum id_fault school_code_check(const char *code)
{
	return digits_check(code, SCHOOL_CODE_LENGTH);
}

enum id_fault area_code_check(const char *code, bool prefix_allowed)
{
	size_t n = strlen(code);

	if (prefix_allowed && (n == 2 || n == 4 || n == 6 || n == 9))
		return digits_check(code, n);
	return digits_check(code, AREA_CODE_LENGTH);
}

bool area_code_is_prefix(const char *code)
{
	size_t n = strspn(code, "0123456789");

	return n >= 6 && n <= 12 && !code[n];
}
