/* word_ends.h - where the words of a Chinese sentence end, by ICU's dictionary: Chinese writes them without
 * blanks. Blocks at the first call. One thread. */
#ifndef JG_WORD_ENDS_H
#define JG_WORD_ENDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORD_ENDS_MAX 512 /* bytes of text: what is behind is told to have no words */

/* inside[i]: byte i of the text stands inside of a word and is not its first. `inside` has WORD_ENDS_MAX + 1
 * places. Without ICU nothing does. */
void word_ends(const char *text, bool *inside);

#endif
