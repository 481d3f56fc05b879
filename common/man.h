/* man.h - a page of man(7), written from the tables that a program parses by, so that it says what --help says.
 * One thread. */
#ifndef JG_MAN_H
#define JG_MAN_H

#include <stdio.h>

/* `what` is the line of NAME behind the dash. section: 1, 5, 8. */
void man_begin(FILE *out, const char *name, int section, const char *what);
void man_heading(FILE *out, const char *text);
void man_group(FILE *out, const char *text); /* a heading within a section */
/* A word in bold with what stands behind it, and its text; more: a second paragraph of it, or NULL. */
void man_item(FILE *out, const char *word, const char *rest, const char *text, const char *more);
void man_text(FILE *out, const char *text);
void man_example(FILE *out, const char *command);

#endif
