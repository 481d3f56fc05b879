/* documents.h - the papers that reached this school: read, signed for, answered. Reads a view that holds
 * documents_kinds; writes through outbox.h. One thread. */
#ifndef JG_DOCUMENTS_H
#define JG_DOCUMENTS_H

#include "shown.h"
#include "view.h"

extern const uint32_t documents_kinds[];
extern const struct shown_list shown_documents;

/* Code of codes_delivery_state: what stands in it, this school's own word included. */
const char *delivery_state(const struct record *d);
/* The record that an id, a number of the paper or a row of the last list names; NULL: there is none. */
struct item *documents_find(struct view *v, const char *text);

/* What this school says of a version of a paper, queued within a transaction: that it was read; that it is
 * signed for; its answer, as JSON {"q1": …}; where it keeps the paper; who saw it destroyed. Nothing is
 * queued when it was said already: *already. ERR_NOT_NOW when the paper has ended for this school, or is
 * to be signed for first. */
enum delivery_word { DELIVERY_READ, DELIVERY_SIGN, DELIVERY_ANSWER, DELIVERY_KEEP, DELIVERY_DESTROY };
enum err documents_say(struct view *v, struct item *item, enum delivery_word word, const char *answer,
	int64_t now_us, bool *already, struct problem *p);

#endif
