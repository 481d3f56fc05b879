/* say.h - how programs speak to people: text of somebody's file, or of a server, may hold what steers a
 * terminal, and none of it gets there. Any thread. */
#ifndef JG_SAY_H
#define JG_SAY_H

#include <stdarg.h>
#include <stdio.h>

/* The text as text_printable leaves it; line feeds stay. */
void say_text(FILE *out, const char *text);
/* The same of a format, and a line feed. */
void say_line(FILE *out, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Columns of a terminal that the text takes: a Chinese character has two. */
int say_width(const char *text);
/* Two columns of help: `left` filled up to `width`, then the text. */
void say_pair(FILE *out, const char *left, int width, const char *text);

#endif
