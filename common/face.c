#include "face.h"

#include <stdio.h>
#include <time.h>

#include "err.h"
#include "lang.h"

#define ZONE_S 28800 /* Asia/Shanghai, without summer time since 1991 */

static struct tm local(int64_t us)
{
	time_t s = (time_t)(us / 1000000) + ZONE_S;
	struct tm tm;

	gmtime_r(&s, &tm);
	return tm;
}

static void put_day(char *out, size_t size, const struct tm *day, const struct tm *now)
{
	static const char *const months[] = {N_("1月"), N_("2月"), N_("3月"), N_("4月"), N_("5月"), N_("6月"),
		N_("7月"), N_("8月"), N_("9月"), N_("10月"), N_("11月"), N_("12月")};
	const char *month = _(months[day->tm_mon]);

	if (now && day->tm_year == now->tm_year)
		snprintf(out, size, _("%1$s%2$d日"), month, day->tm_mday);
	else
		snprintf(out, size, _("%3$d年%1$s%2$d日"), month, day->tm_mday, day->tm_year + 1900);
}

const char *face_day(char out[FACE_SIZE], int64_t us, int64_t now_us)
{
	struct tm day = local(us), now = local(now_us);

	out[0] = 0;
	if (us)
		put_day(out, FACE_SIZE, &day, &now);
	return out;
}

const char *face_date(char out[FACE_SIZE], int32_t date)
{
	struct tm day = {
		.tm_year = date / 10000 - 1900, .tm_mon = date / 100 % 100 - 1, .tm_mday = date % 100};

	out[0] = 0;
	if (date && day.tm_mon >= 0 && day.tm_mon < 12)
		put_day(out, FACE_SIZE, &day, NULL);
	return out;
}

const char *face_time(char out[FACE_SIZE], int64_t us, int64_t now_us)
{
	struct tm tm = local(us);
	char day[FACE_SIZE - 8];

	out[0] = 0;
	if (!us)
		return out;
	face_day(out, us, now_us);
	snprintf(day, sizeof day, "%s", out);
	snprintf(out, FACE_SIZE, "%s %02d:%02d", day, tm.tm_hour, tm.tm_min);
	return out;
}

const char *face_term(char out[FACE_SIZE], int64_t us, int64_t now_us)
{
	struct tm tm = local(us);
	char text[FACE_SIZE - 8];

	out[0] = 0;
	if (!us)
		return out;
	if (tm.tm_hour || tm.tm_min) {
		face_time(out, us, now_us);
		snprintf(text, sizeof text, "%s", out);
	} else {
		face_day(out, us - 1000000, now_us);
		snprintf(text, sizeof text, "%.30s 24:00", out);
	}
	snprintf(out, FACE_SIZE, _("%s 前"), text);
	return out;
}
