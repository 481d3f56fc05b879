/* meeting_draft.h - the first text of a meeting's notice and of its minutes, as `documents draft` takes a
 * file; who plans the meeting edits it. Pure. Main thread. */
#ifndef JG_MEETING_DRAFT_H
#define JG_MEETING_DRAFT_H

#include "link.h"

/* The caller's to free; NULL: no memory. */
char *meeting_draft_notice(const pb_meeting_shown *m);
char *meeting_draft_minutes(const pb_meeting_shown *m);

#endif
