#include "date.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define DATE_TEXT_MAX 64 /* longer than any date with a time and a zone */

static bool is_leap(int32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool date_is_real(int32_t date)
{
	static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int32_t year = date / 10000, month = date / 100 % 100, day = date % 100;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] + (month == 2 && is_leap(year));
}

/* Days from civil and back: years begin in March so that the leap day is the last; eras are 400 years. */
int32_t date_days(int32_t date)
{
	int32_t year = date / 10000, month = date / 100 % 100, day = date % 100;

	year -= month <= 2;
	int32_t era = year / 400, of_era = year - era * 400;
	int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int32_t date_from_days(int32_t days)
{
	days += 719468;
	int32_t era = days / 146097, of_era = days - era * 146097;
	int32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int32_t month = (5 * of_year + 2) / 153;
	int32_t day = of_year - (153 * month + 2) / 5 + 1;

	month += month < 10 ? 3 : -9;
	return (era * 400 + year + (month <= 2)) * 10000 + month * 100 + day;
}

int32_t date_days_between(int32_t from, int32_t to)
{
	return date_days(to) - date_days(from);
}

int date_age(int32_t birth, int32_t at)
{
	return (int)(at / 10000 - birth / 10000 - (at % 10000 < birth % 10000));
}

#define SERIAL_MAX 2958465.0        /* 9999-12-31 */
#define SERIAL_FALSE_LEAP_DAY 60    /* 1900-02-29: Excel kept the error of Lotus 1-2-3 */
#define SERIAL_EPOCH_1900 -25568    /* serial 0 is 1899-12-31, in days since 1970 */
#define SERIAL_EPOCH_1904 -24107    /* serial 0 is 1904-01-01 */
#define SERIAL_ROUNDING (1.0 / 1e6) /* a computed midnight may come out as 41712.9999999 */

enum err date_from_serial(double serial, enum date_epoch epoch, int32_t *date)
{
	*date = 0;
	if (!(serial >= 1.0 && serial < SERIAL_MAX + 1.0)) /* also refuses NaN */
		return ERR_INVALID;
	int32_t n = (int32_t)(serial + SERIAL_ROUNDING);
	if (epoch == DATE_EPOCH_1904) {
		n += SERIAL_EPOCH_1904;
	} else {
		if (n == SERIAL_FALSE_LEAP_DAY)
			return ERR_INVALID;
		n += SERIAL_EPOCH_1900 - (n > SERIAL_FALSE_LEAP_DAY);
	}
	int32_t found = date_from_days(n);
	if (!date_is_real(found))
		return ERR_INVALID;
	*date = found;
	return ERR_OK;
}

/* Reads up to `max` digits; returns how many there were. */
static int digits_read(const char **p, int max, int32_t *value)
{
	int n = 0;

	*value = 0;
	for (; n < max && **p >= '0' && **p <= '9'; n++, (*p)++)
		*value = *value * 10 + (**p - '0');
	return n;
}

static bool word_skip(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* Nothing, or a time of day, which is dropped: "T00:00:00", "0:00", "00:00:00.000Z" (spaces are gone by
 * now). */
static bool is_time_rest(const char *p)
{
	int32_t n;

	if (!*p)
		return true;
	if (*p == 'T')
		p++;
	return digits_read(&p, 2, &n) > 0 && *p == ':' && p[strspn(p, "0123456789:.Z+")] == 0;
}

/* Year, month and day with what stands between them; "2014-03-1500:00" was "2014-03-15 00:00". */
static bool date_parse_parts(const char *p, int32_t *date)
{
	int32_t year, month, day;

	if (digits_read(&p, 4, &year) != 4)
		return false;
	char separator = *p;
	bool words = word_skip(&p, "年");
	if (!words && !(strchr("-/.", separator) && separator))
		return false;
	p += !words;
	if (digits_read(&p, 2, &month) == 0)
		return false;
	if (words ? !word_skip(&p, "月") : *p++ != separator)
		return false;
	if (digits_read(&p, 2, &day) == 0)
		return false;
	if (words && !word_skip(&p, "日") && !word_skip(&p, "号"))
		return false;
	*date = year * 10000 + month * 100 + day;
	return is_time_rest(p);
}

#define SERIAL_DIGITS 5 /* 1927 to 2173; fewer digits would take a bare year for a day */

enum err date_parse(const char *text, enum date_epoch epoch, int32_t *date)
{
	char s[DATE_TEXT_MAX];
	int32_t found = 0;
	enum err err;

	*date = 0;
	/* The space before a time must not glue "15" and "0:00" together: a T stands for it. */
	err = text_clean(s, sizeof s, text);
	if (!err)
		err = text_half_width(s, sizeof s, s);
	if (err)
		return ERR_INVALID;
	char *time = strrchr(s, ' ');
	if (time && strchr(time, ':'))
		*time = 'T';
	text_strip_space(s, sizeof s, s);

	size_t digits = strspn(s, "0123456789");
	if (digits == SERIAL_DIGITS &&
		(!s[digits] || (s[digits] == '.' && !s[digits + 1 + strspn(s + digits + 1, "0123456789")])))
		return date_from_serial(strtod(s, NULL), epoch, date);
	if (digits == 8 && is_time_rest(s + 8))
		found = (int32_t)strtol(
			(char[]){s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], 0}, NULL, 10);
	else if (!date_parse_parts(s, &found))
		return ERR_INVALID;
	if (!date_is_real(found))
		return ERR_INVALID;
	*date = found;
	return ERR_OK;
}
