/* batch.h - what was changed together and can be undone together: an import, a `set` over several pupils.
 * Owns the table `batch`. Calls within a transaction unless said otherwise. One thread. */
#ifndef JG_BATCH_H
#define JG_BATCH_H

#include "outbox.h"

struct batch_counts {
	size_t inserted, updated, unchanged, rejected;
};

/* Begins one: the number that its operations carry. what: "students", "edit" …; about: the name of an
 * import's file, else whom it concerns, or NULL; sealed. */
enum err batch_begin(struct store *s, const char *what, const char *about, int64_t *id, struct problem *p);
enum err batch_end(struct store *s, int64_t id, const struct batch_counts *counts, struct problem *p);

struct batch_row {
	int64_t id, at;
	char what[32], author[64], about[256];
	struct batch_counts counts;
	/* the batch that undid it (1 in stores of before: batch 1 undoes nothing), 0 = it stands */
	int64_t undone;
	bool refused; /* some of what undid it was not accepted, and stands as it was */
};
/* Newest first. fn returns an error to stop. No transaction needed. */
typedef enum err (*batch_fn)(void *data, const struct batch_row *row);
enum err batch_each(struct store *s, batch_fn fn, void *data, struct problem *p);

/* One record that somebody changed after the batch did. */
struct batch_block {
	uint8_t id[ID_SIZE];
	const struct kind *kind;
	char name[128]; /* of the pupil, when the record has one */
};
#define BATCH_BLOCKS_MAX 100 /* told by name; more only counted */

struct undo_report {
	size_t undone;   /* records */
	size_t aside;    /* what had not been accepted, and waits for nobody any more */
	char names[200]; /* whose they are: the first ones by name and class, and how many */
	size_t blocked;
	struct batch_block block[BATCH_BLOCKS_MAX];
};

/* Lets go of what the bureau did not take, deletes what the batch inserted and gives back what it updated, as
 * new operations; makes its own transaction. Refused with ERR_CONFLICT and the list when others built on it:
 * a record was changed again, or another refers to it; with ERR_PHASE when it belongs to a year that the
 * county has closed, and ERR_NOT_NOW when it is an undo that deleted records. ERR_NOT_FOUND, ERR_EXISTS when
 * it was undone before; where that was not accepted, it is tried again. ERR_PERMISSION when it is not the
 * person's own, nor about his classes. only_judge: nothing is stored, a person is asked first. */
enum err batch_undo(
	struct store *s, int64_t id, bool only_judge, struct undo_report *report, struct problem *p);
/* The same for one operation of the outbox that was accepted or waits. */
enum err batch_revert(struct store *s, int64_t n, struct undo_report *report, struct problem *p);

#endif
