/* err.h - the one list of errors. Owns names, numbers, levels and sentences; knows nothing of who raises
 * them.
 *
 * Functions that can fail return `enum err` (ERR_OK is 0). A longer story goes into a `struct problem`
 * that the caller owns: what happened, which field or row, what to do. Any thread. */
#ifndef JG_ERR_H
#define JG_ERR_H

#include <stddef.h>

enum err {
#define X(name, number, level, exit_code, sentence, advice) ERR_##name = number,
#include "err.def"
#undef X
};

enum err_level { ERR_LEVEL_NONE, ERR_LEVEL_RETRY, ERR_LEVEL_FIX, ERR_LEVEL_REFUSED, ERR_LEVEL_FATAL };

struct err_info {
	enum err code;
	const char *name; /* "BAD_LOGIN": stable, shown as `code` in --json */
	enum err_level level;
	int exit_code;
	const char *sentence, *advice; /* N_(); the advice has %P for the program */
};

/* Never NULL: an unknown number answers the row of ERR_INTERNAL. Any thread. */
const struct err_info *err_info(int code);
/* The row of a name ("BAD_LOGIN"), NULL when there is none. */
const struct err_info *err_info_by_name(const char *name);
/* The row whose Chinese sentence this is, NULL when there is none. */
const struct err_info *err_info_by_sentence(const char *sentence);

/* the longest list of permitted values that is told whole: the pages of a school type */
#define HINT_SIZE 640

/* Why a file cannot be opened or written, or a host not be reached, by errno, in the user's language. */
const char *file_error_text(int error);

/* What to do about an error of this code, as this program ("jg") says it. Returns out. */
const char *err_advice(char *out, size_t size, enum err code, const char *program);

/* What went wrong, told to a person. Strings are copied in and truncated at a UTF-8 boundary; no
 * ownership. */
struct problem {
	enum err code;
	char field[48];       /* the field or column, or "" */
	char message[256];    /* what happened; "" means the sentence of the code */
	char safe[128];       /* what is safe; "" when there is nothing to say */
	char hint[HINT_SIZE]; /* what to do */
	char ref[24];         /* the call's number in the server's log, or "" */
	long row;             /* the row as the spreadsheet shows it, 0 = none */
	unsigned retry_ms;    /* when to try again, 0 = not said */
};

/* Fills *p (may be NULL) and returns code, so that callers write `return problem_set(p, ERR_INVALID, ...)`.
 * field and hint may be NULL; message is printf-like and may be NULL. */
enum err problem_set(struct problem *p, enum err code, const char *field, const char *hint,
	const char *message, ...) __attribute__((format(printf, 5, 6)));

#ifdef JG_LINT /* script/lint looks at one file at a time: what it needs to know is that the code given      \
		  comes back */
static inline enum err problem_code(enum err code)
{
	return code;
}
#define problem_set(p, code, ...) (problem_set(p, code, __VA_ARGS__), problem_code(code))
#endif

#endif
