/* pinyin.h - how a name sounds, for finding and for log-ins. Owns all that is known of ICU's transliterator,
 * which is made when first asked for (20 ms) and lives as long as the program. One thread. */
#ifndef JG_PINYIN_H
#define JG_PINYIN_H

#include <stdbool.h>
#include <stddef.h>

#define PINYIN_SIZE 512 /* a name of 120 bytes has 40 syllables of at most six letters and a blank */

/* Whether ICU is installed; without it every name's pinyin is "". */
bool pinyin_ready(void);
/* Syllables in lower case with blanks between: 张三 → zhang san; "" when there is no answer. */
void pinyin(const char *name, char *out, size_t size);
/* Initials in lower case: 张三 → zs; "" when there is no answer. */
void pinyin_initials(const char *name, char *out, size_t size);

#endif
