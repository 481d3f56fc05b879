/* format_parts.h - which paragraph of a typed document is what: title, addressees, text, attachments,
 * signature, date. Private to format_check.c. Guesses by text and type as a reader does; judges nothing.
 * One thread. */
#ifndef JG_FORMAT_PARTS_H
#define JG_FORMAT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "docx_read.h"

#define HEAD_HALF_POINTS 60 /* a head is larger than anything else */
#define TITLE_HALF_POINTS 44
#define NOWHERE SIZE_MAX

enum day_form { DAY_NONE, DAY_GOOD, DAY_ZEROS, DAY_CHINESE, DAY_OTHER };

struct format_parts {
	const struct docx *docx;
	const char **text; /* of every paragraph, without blanks at its ends */
	size_t n;
	/* First paragraphs, NOWHERE when there is none; title, body and list also have an end. */
	size_t head, number, title, title_end, to, body, body_end, list, list_end, signature, date, annex,
		printed;
	const char *title_text;
	const char *genre; /* 文种 at the title's end, "" when it has none */
	bool genre_known;
	const char *organ; /* by the title or the head; "" when neither says it */
	enum day_form day_form;
	int32_t day, printed_day; /* 0: not told */
};

/* ERR_NOMEM, ERR_FILE_LIMIT. */
enum err format_parts(struct format_parts *out, const struct docx *docx, struct arena *arena);

/* A paragraph's number before its heading: 一、 is of level 1, （一） 2, 1. 3, （1） 4; false: it has
 * none. `good`: written as the standard writes it. */
bool format_level(const char *text, unsigned *level, unsigned *number, bool *good);
/* The number and the year of an annex's first line: 附件, 附件2; 0 none, 1 for 附件 alone. */
unsigned format_annex(const char *text);
/* A text that is a date and nothing else. */
enum day_form format_day(const char *text, int32_t *day);
/* A text that is that mark, with nothing said of it but a star, a term or a name. */
bool format_mark(const char *text, const char *mark);
bool format_ends_with(const char *text, const char *end);
/* The last character of a text. */
int32_t format_last(const char *text);

#endif
