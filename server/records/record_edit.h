/* record_edit.h - how the server itself changes records: one after another, sent with everything else of the
 * call by effects_send in one transaction. What a record was when it was read decides what changed. One
 * request's, on its loop's thread. */
#ifndef JG_RECORD_EDIT_H
#define JG_RECORD_EDIT_H

#include "effects.h"
#include "request.h"

struct record_edits {
	struct effects_part part; /* what effects_send takes */
	size_t room;
};

/* Room for n changes, in the request's arena, by its caller. False: no memory. */
bool record_edits_begin(struct record_edits *x, struct request *r, size_t n);
/* The stored record, or a new one of the kind with this id (before NULL), to be changed through the pointer
 * until record_edit_end compares it. Asking for more than there is room for is our bug. */
struct stored *record_edit(struct record_edits *x, const struct kind *kind, const struct stored *before);
/* True: a group differs; its version and the record's rise, and the record will be written. False: nothing
 * changed, nothing will be written. */
bool record_edit_end(struct record_edits *x);
void record_edit_delete(struct record_edits *x, const struct stored *before);
/* Writes them all, commits, and goes on with then(r); a fault is answered here. */
void record_edits_commit(struct record_edits *x, struct request *r, request_fn then);
/* The changes so far, the newest state of each; i below x->part.count. */
const struct stored *record_edited(const struct record_edits *x, size_t i);

#endif
