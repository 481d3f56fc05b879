/* schools.h - the county's register of schools as this computer knows it: names, what a person may have
 * meant, and whether a pupil can go there (the server's destination_judge, told before anything is typed in
 * vain). Reads a view that holds KIND_SCHOOL. One thread. */
#ifndef JG_SCHOOLS_H
#define JG_SCHOOLS_H

#include "view.h"

/* The name of a school, "" when it is not known. */
const char *school_name(const struct view *v, const char *code, char *out, size_t size);
/* The name, 县教育局 for "bureau", the code where the register does not have it: what a screen shows. */
const char *school_face(const struct view *v, const char *code, char *out, size_t size);
/* How much of what was typed a school has: characters of its name, or digits at their place in its code. */
int school_likeness(const char *name, const char *code, const char *text);
/* What a school teaches (mask of enum stage_bit); all of it where the register does not have it, so that
 * nobody is left unasked. */
unsigned school_stages(const struct view *v, const char *code);
/* The only school with a J stage that a text names: its code, its name, or a part that no other has. NULL
 * when there is none, or several. */
const struct record *school_find_junior(const struct view *v, const char *text);
/* What is wrong with the school that a destination gives: one that there is not, one without junior classes,
 * a name that is another's. ERR_OK also while the register has not arrived. */
enum err school_judge(const struct view *v, const struct record *destination, struct problem *p);

#endif
