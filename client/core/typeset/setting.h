/* setting.h - type that is set before it is drawn: every character has its page and its place, so that
 * pages may be added and lines moved while the paper is made. Lengths are mm from the paper's upper left
 * corner. Owns the marks; knows no rule of any document. One thread. */
#ifndef JG_SETTING_H
#define JG_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "line_break.h"
#include "pdf_page.h"

struct set_mark;
struct set_rule;

struct setting {
	struct pdf_page *paper; /* asked how wide characters are */
	struct arena arena;
	struct set_mark *marks, *last_mark;
	struct set_rule *rules;
	bool failed; /* without memory: what was set is not whole */
};

/* A run of text in one size; each character has its font. */
struct set_text {
	struct line_unit *units;
	size_t n;
	double size; /* pt */
};

#define SET_EM(size) ((size) / PDF_MM) /* mm of a full character of so many points */

struct set_text set_text(struct setting *s, const char *text, enum pdf_font font, double size);
/* The second run behind the first. */
struct set_text set_join(struct setting *s, struct set_text a, struct set_text b);
/* From its first origin to its last character's right end, `pitch` from one full character to the next. */
double set_width(struct set_text text, double pitch);
/* Puts it with its first origin there. */
void set_at(struct setting *s, unsigned page, double x, double y, struct set_text text, double pitch,
	enum pdf_ink ink);
/* The same, narrowed to that part of its width. */
void set_narrow(struct setting *s, unsigned page, double x, double y, struct set_text text, double narrow,
	enum pdf_ink ink);
/* With its right end there; with its middle there. */
void set_to(struct setting *s, unsigned page, double right, double y, struct set_text text, double pitch);
void set_centred(
	struct setting *s, unsigned page, double middle, double y, struct set_text text, double pitch);
void set_rule(struct setting *s, unsigned page, double left, double right, double y, double thickness,
	enum pdf_ink ink);
/* Draws pages 1 to n, with the words across each of them unless NULL. */
void set_draw(struct setting *s, unsigned pages, const char *across);

#endif
