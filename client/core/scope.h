/* scope.h - what the person at this computer may touch: the server's rule for class teachers (push_plan.c),
 * told before anything is typed in vain. One thread. */
#ifndef JG_SCOPE_H
#define JG_SCOPE_H

#include "profile.h"
#include "record.h"
#include "view.h"

/* Whether a person works on all classes: everybody but a class teacher, and a clerk (文书), who has to do
 * with no pupil. */
bool scope_is_whole(const struct session *s);
/* Whether a record that says its class is of one that this person may work on. */
bool scope_allows(const struct session *s, const struct record *r);
/* Whether this person may see and decide what `author` wrote about the record: everybody his own, a class
 * teacher what is about pupils of his classes too, the others all of it. */
bool scope_covers(const struct view *v, const struct record *r, const char *author);
/* 不是您负责的班级：您负责 六年级1班. ERR_PERMISSION. */
enum err scope_refuse(const struct session *s, struct problem *p);
/* Whether his roles write such records at all; ERR_PERMISSION. */
enum err scope_writes(const struct session *s, const struct kind *kind, struct problem *p);
/* Whether this person's session may send what somebody else typed at this computer: a registrar's may. */
bool scope_carries(const struct session *s, const char *author);

#endif
