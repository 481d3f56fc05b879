/* title_break.h - where the title of an official document is parted: the fewest lines, in the form of a
 * trapezoid or a diamond, no word cut. Pure. Any thread. Rule: GB/T 9704-2012: 回行时词意完整、排列对称. */
#ifndef JG_TITLE_BREAK_H
#define JG_TITLE_BREAK_H

#include <stdbool.h>
#include <stddef.h>

#define TITLE_LINE_MAX 19 /* characters of 22 pt in 156 mm, one em left for the eye */
#define TITLE_LINES_MAX 10
#define TITLE_MAX (TITLE_LINE_MAX * TITLE_LINES_MAX / 2) /* characters; what is beyond is not set */
#define TITLE_STEP_MAX 6 /* characters by which a line differs from its neighbour, at least one */

/* What is not cut beside what the rule itself says (《》, dates, numbers, 关于, the 文种 at the end). */
struct title_words {
	const char *const *names; /* of organs and schools */
	size_t name_count;
	const char *const *words; /* NULL: the words of title_words_usual */
	size_t word_count;
	/* of every byte: cutting there parts a word of the language, which is avoided; or NULL */
	const bool *inside;
};
extern const char *const title_words_usual[];
extern const size_t title_words_usual_count;

/* Fills the ends of the lines, as bytes of the title, and returns how many there are; 0 without memory. A
 * title for which the rule has no answer (a 《》 longer than a line) is parted all the same: first the
 * words are given up, then the 《》, then the form; marks and dates never. */
size_t title_break(const char *title, const struct title_words *words, size_t ends[TITLE_LINES_MAX]);

#endif
