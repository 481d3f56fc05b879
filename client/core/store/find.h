/* find.h - finding a pupil by what people type: an id, a number, a name, the initials of its pinyin. Reads a
 * view; one thread (pinyin.h). */
#ifndef JG_FIND_H
#define JG_FIND_H

#include "view.h"

#define FIND_MAX 200 /* more hits than a person reads */

/* The live record of a kind that `text` names: its id, else certificate number, else student number (normal
 * forms are made). Of this school unless `others`. Where a kind has years, the latest. `year` 0 = any. NULL
 * when there is none. */
struct item *find_record(const struct view *v, uint32_t kind, const char *text, int32_t year);
/* The same among records that other schools own (a pupil who declared this school). */
struct item *find_foreign(const struct view *v, uint32_t kind, const char *text, int32_t year);

/* Live records with a name that match: part of the name, pinyin initials or full pinyin from its beginning,
 * the last four (or more) digits of the number, the whole number. Returns how many are in found, at most
 * FIND_MAX. */
size_t find_pupils(const struct view *v, const char *text, struct item *found[FIND_MAX]);

#endif
