/* normal_form.h - what two texts have in common when nobody looks at how they were typed: NFKC without white
 * space. Owns the forms by which drafts are compared, questions told apart and documents found; knows no
 * document. Memory from the arena, and of utf8proc's while it works. Any thread. */
#ifndef JG_NORMAL_FORM_H
#define JG_NORMAL_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

enum normal_form {
	NORMAL_LOWER = 1,    /* letters small */
	NORMAL_NO_MARKS = 2, /* without punctuation and control characters */
	NORMAL_NUMBERS = 4   /* but what stands between two digits, and a per cent behind one: 3.5, 9-1, 5% */
};

/* The n bytes of text, NUL-terminated in the arena. ERR_INVALID when they are not UTF-8, ERR_NOMEM,
 * ERR_TOO_LARGE for the arena's quota. */
enum err normal_form(const char **out, const char *text, size_t n, unsigned forms, struct arena *arena);
/* What is looked for: the forms, in lower case, of the n terms of a text that stand between its blanks. A term
 * that is nothing in its form is none. The array has room for one more. As normal_form. */
enum err normal_terms(const char ***out, size_t *n, const char *text, struct arena *arena);
/* Punctuation, by its Unicode category. */
bool normal_is_mark(int32_t code_point);

#endif
