/* scope.h - what the person at this computer may touch: the server's rule for class teachers (push_plan.c),
 * told before anything is typed in vain. One thread. */
#ifndef JG_SCOPE_H
#define JG_SCOPE_H

#include "profile.h"
#include "record.h"
#include "view.h"

/* Whether a record that says its class is of one that this person may work on. Everybody but a class teacher
 * may on all. */
bool scope_allows(const struct session *s, const struct record *r);
/* 不是您负责的班级：您负责 六年级1班. ERR_PERMISSION. */
enum err scope_refuse(const struct session *s, struct problem *p);
/* A class teacher's destination names, by number, a pupil of his classes on the school's roster: one that
 * names nobody would be attached by name or telephone to anybody's pupil. ERR_PERMISSION. The view holds
 * KIND_STUDENT. */
enum err scope_judge_destination(
	struct view *v, const struct session *s, const struct record *destination, struct problem *p);
/* Whether this person's session may send what somebody else typed at this computer: a registrar's may. */
bool scope_carries(const struct session *s, const char *author);

#endif
