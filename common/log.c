#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define ZONE_S (8 * 3600)   /* the county's clock, as PostgreSQL's log and every JSON time have it */
#define LINE_MAX_BYTES 1024 /* longer is cut: below PIPE_BUF, so that lines of several threads never mix */

static enum log_level most = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	most = level;
}

const char *log_value(char out[LOG_VALUE], const char *text)
{
	size_t n = 0;
	bool plain = *text != 0;
	int32_t c = 0;
	int step;

	for (const char *t = text; plain && *t; t += step) {
		step = text_next(t, &c);
		plain = step > 0 &&
			(c >= 0x80 ? !text_forbidden(t, (size_t)step) && !text_is_space(c)
				   : isalnum(c) || strchr(".:@/_-", c)) &&
			(size_t)(t - text) < LOG_VALUE - 8;
	}
	if (plain) {
		snprintf(out, LOG_VALUE, "%s", text);
		return out;
	}
	out[n++] = '"';
	for (const char *t = text; *t && n < LOG_VALUE - 24; t += step) {
		step = text_next(t, &c);
		if (step > 0 && c >= 0x20 && c != '"' && c != '\\' && !text_forbidden(t, (size_t)step)) {
			memcpy(out + n, t, (size_t)step);
			n += (size_t)step;
			continue;
		}
		step = step > 0 ? step : 1;
		for (int i = 0; i < step; i++)
			n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned char)t[i]);
	}
	out[n++] = '"';
	out[n] = 0;
	return out;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	struct timespec now;
	struct tm tm;

	if (level > most)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&(time_t){now.tv_sec + ZONE_S}, &tm);
	int n = snprintf(line, sizeof line, "<%d>%04d-%02d-%02dT%02d:%02d:%02d.%03ld+08:00 ", (int)level,
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		now.tv_nsec / 1000000);
	va_list args;
	va_start(args, format);
	int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
	va_end(args);
	size_t len = (size_t)n + (m < 0 ? 0 : (size_t)m);
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	for (size_t i = (size_t)n; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = ' '; /* one message, one line, and nothing that moves a cursor */
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to complain */
}
