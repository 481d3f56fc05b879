/* meetings.h - the meetings that this school is asked to: its reply, and signing in at the door. Reads a
 * view that holds meetings_kinds; writes through outbox.h. One thread. */
#ifndef JG_MEETINGS_H
#define JG_MEETINGS_H

#include "shown.h"
#include "todo.h"
#include "view.h"

extern const uint32_t meetings_kinds[];
extern const struct shown_list shown_meetings;

/* Code of codes_meeting_reply: what this school replied to the asking that stands; NULL: nothing yet. */
const char *meetings_reply_of(const struct record *d);
/* The meeting that an id, its number or a row of the last list names; NULL: there is none. */
struct item *meetings_find(struct view *v, const char *text);
/* Both are queued within a transaction. ERR_NOT_NOW when the meeting does not ask; the code of the door is
 * judged by the bureau, the time here too (ERR_RULE). */
enum err meetings_reply(struct view *v, struct item *item, const char *reply, const char *who, int64_t now_us,
	struct problem *p);
enum err meetings_sign_in(
	struct view *v, struct item *item, const char *code, int64_t now_us, struct problem *p);
void meetings_todo(struct todo_list *l);

#endif
