/* log.h - one line a message on stderr, `<level>` first for journald, then key=value pairs. Any thread.
 * Personal data never goes in: ids of calls, schools and devices do, names and numbers of pupils do not. */
#ifndef JG_LOG_H
#define JG_LOG_H

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

void log_set_level(enum log_level level); /* default INFO; set once at start */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define LOG_VALUE 200
/* A value that came from outside, safe to stand behind `key=`: as it is when it is letters, digits and
 * `.:@/_-` (UTF-8 too), else in quotes with everything that could end the value, the line or a terminal's
 * patience as \xNN. Returns out. */
const char *log_value(char out[LOG_VALUE], const char *text);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
