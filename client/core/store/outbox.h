/* outbox.h - every change of this school as a numbered operation: made here, sent by
 * sync.h, kept for ever so that it can be sent again after the server lost its tail. Owns the table `outbox`.
 * One thread. */
#ifndef JG_OUTBOX_H
#define JG_OUTBOX_H

#include "wire_limits.h"
#include "pb.h"
#include "view.h"

/* Stored as numbers, which SQL says by their names (SQL_WAITING); the words stand in common/codes.c
 * (codes_op_state).
 *
 *   WAITING ──sent──> UNKNOWN ──answered──> ACCEPTED | REFUSED | BLOCKED | CONFLICT
 *      └────────────────┴──a new incarnation──> DRAFT
 *
 *   ACCEPTED ──the server lost it──> UNKNOWN      REFUSED as a duplicate ──resolved──> ACCEPTED | CONFLICT
 *   REFUSED, BLOCKED, CONFLICT, DRAFT ──a person has dealt with it──> DONE, which only ACCEPTED ends
 *   REFUSED, BLOCKED, CONFLICT, DRAFT ──the server lost it, and answers anew──> as UNKNOWN
 *
 * The ways are tabled in outbox.c (state.h). What a statement of SQL moves at once names the states that
 * it takes. */
#define OP_WAITING_N 1
#define OP_UNKNOWN_N 2
#define OP_ACCEPTED_N 3
#define OP_REFUSED_N 4
#define OP_BLOCKED_N 5
#define OP_CONFLICT_N 6
#define OP_DRAFT_N 7
#define OP_DONE_N 8

enum op_state {
	OP_WAITING = OP_WAITING_N, /* saved, not sent */
	OP_UNKNOWN = OP_UNKNOWN_N, /* sent, no answer: the same bytes go again */
	OP_ACCEPTED = OP_ACCEPTED_N,
	OP_REFUSED = OP_REFUSED_N,
	OP_BLOCKED = OP_BLOCKED_N,   /* rests on one that was not applied */
	OP_CONFLICT = OP_CONFLICT_N, /* somebody else changed the same group: a person decides */
	/* unsent when this computer was found rolled back: a person looks before it goes */
	OP_DRAFT = OP_DRAFT_N,
	OP_DONE = OP_DONE_N /* refused, blocked, conflict or draft that a person has dealt with */
};

/* Those that wait for a person. */
#define OP_STATES_OPEN (1u << OP_REFUSED | 1u << OP_BLOCKED | 1u << OP_CONFLICT | 1u << OP_DRAFT)

#define OP_SQL(n) OP_SQL_TEXT(n)
#define OP_SQL_TEXT(n) #n
#define SQL_WAITING OP_SQL(OP_WAITING_N)
#define SQL_UNKNOWN OP_SQL(OP_UNKNOWN_N)
#define SQL_ACCEPTED OP_SQL(OP_ACCEPTED_N)
#define SQL_DRAFT OP_SQL(OP_DRAFT_N)
#define SQL_DONE OP_SQL(OP_DONE_N)

/* ---- Making operations, inside a transaction of the store ---- */

/* Queues the groups of `want` for *item, or a new record when *item is NULL (it is then set). `batch` (0 =
 * none) is what undo takes together. Nothing is queued when the values of these groups are as they were.
 * ERR_NOT_NOW before the first login (no incarnation yet); ERR_NOT_FOUND when its parent is gone (kind.h:
 * of); otherwise as store.h. */
enum err outbox_put(struct view *v, struct item **item, const struct record *want, uint32_t groups,
	int64_t batch, struct problem *p);
/* Queues the deletion of a record of this school. */
enum err outbox_delete(struct view *v, struct item *item, int64_t batch, struct problem *p);

/* Groups of `want` whose values differ from the item's; for a new record all that have a value. */
uint32_t outbox_changed_groups(const struct item *item, const struct record *want);

/* ---- Reading ---- */

struct op_row {
	int64_t n; /* the id that people see */
	uint32_t incarnation;
	uint64_t op_no; /* 0 for a draft that was never answered */
	enum op_state state;
	const struct kind *kind;
	uint8_t id[ID_SIZE];
	bool del;
	uint32_t groups;
	int64_t at;
	char author[64];
	int64_t batch;
	enum err code;                                 /* of a refusal */
	char message[256], field[48], hint[HINT_SIZE]; /* as the server told them */
	unsigned group;                                /* of a conflict */
	int64_t ver;
	char their_author[64]; /* of a conflict: who wrote what stands at the server, "" = not told */
	int64_t their_at;      /* and when */
	bool has_duplicate;
	uint8_t duplicate_of[ID_SIZE];
	struct record body;    /* the groups it carries; text in the arena */
	struct record prev;    /* the record before it; prev.kind NULL when it made the record */
	struct record current; /* the server's version that a refusal told; kind NULL when it told none */
};

/* Reads one, its text into the arena. ERR_NOT_FOUND. */
enum err outbox_read(struct store *s, int64_t n, struct arena *arena, struct op_row *row, struct problem *p);
/* Calls fn for each row whose state is in the mask (1 << state) and whose batch is `batch` (0 = any), in
 * order. */
typedef enum err (*op_row_fn)(void *data, const struct op_row *row);
enum err outbox_each(
	struct store *s, uint32_t states, int64_t batch, op_row_fn fn, void *data, struct problem *p);
/* The same for the operations that changed this record and still stand: not refused, not undone, no
 * undoing. */
enum err outbox_changes_of(
	struct store *s, const uint8_t id[ID_SIZE], op_row_fn fn, void *data, struct problem *p);
/* Appends the bytes of all that is not accepted and not dealt with: length, groups, operation. *n: how many.
 * Those whose bytes cannot be read any more are left out and named in `damaged` (as many as there is room
 * for), "" = none. */
enum err outbox_append_open(
	struct store *s, struct buf *out, size_t *n, char *damaged, size_t damaged_size, struct problem *p);
/* Takes one of them as a draft, in a transaction: a person looks before it goes. ERR_FILE_DAMAGED for what is
 * none. *at moves on, and *taken too unless it is in the outbox already. */
enum err outbox_add_draft(
	struct store *s, const uint8_t **at, const uint8_t *end, size_t *taken, struct problem *p);

struct outbox_counts {
	size_t of[OP_DONE + 1]; /* by enum op_state */
	size_t unsent;          /* waiting or unknown */
	int64_t oldest;         /* when the oldest unsent one was made, 0 = none */
};
/* What could not be read is an error, never "nothing waits". */
enum err outbox_counts(struct store *s, struct outbox_counts *out, struct problem *p);
/* After an answer, by a person or by what a pull has shown. The operation counts as settled with it: it is not
 * laid over the base any more (view.h), also where it is ACCEPTED, for as a resolved duplicate it stands under
 * the id that exists. ERR_NOT_NOW where no way leads there from the state that it has by now. */
enum err outbox_set_state(struct store *s, int64_t n, enum op_state state, struct problem *p);
/* The states from which an operation may become `to`, as STATE() bits. */
uint32_t outbox_origins(enum op_state to);

/* The first that waits for a person about the record `id`; *n is 0 where there is none. */
enum err outbox_open_of(
	struct store *s, const uint8_t id[ID_SIZE], int64_t *n, enum op_state *state, struct problem *p);
/* Remembers that the record of operation n was made anew under another id: what hangs on it follows, also
 * what comes later. Within a transaction. */
enum err outbox_replaced(struct store *s, int64_t n, const uint8_t by[ID_SIZE], struct problem *p);
/* The live record that stands for `id`: itself, or the one that took its place. *out is NULL where there is
 * none. */
enum err outbox_find_standing(
	const struct view *v, const uint8_t id[ID_SIZE], struct item **out, struct problem *p);
/* The same, and the last of those that took its place: where none is live, what waits or is gone. */
enum err outbox_find_end(const struct view *v, const uint8_t id[ID_SIZE], uint8_t end[ID_SIZE],
	struct item **out, struct problem *p);

/* ---- Sending, for sync.c ---- */

struct push_batch {
	uint8_t *bytes[PUSH_OPS_MAX];
	size_t sizes[PUSH_OPS_MAX];
	size_t n;
	uint32_t incarnation; /* in which they are numbered */
	uint64_t first;       /* op_no of the first; the others follow without a gap */
	char held_by[64]; /* who typed the operation behind these, which this session may not send; "" = it
			     may */
};
/* The operations behind the acknowledged one, in order, as many as a push takes: of the older incarnation
 * first, where a restored server stands in one (store.h). A formal report goes alone: the server answers it
 * alone. Bytes live in the arena. */
enum err outbox_batch(struct store *s, struct push_batch *batch, struct arena *arena, struct problem *p);
/* Before they leave: their outcome is unknown until the answer is recorded. */
enum err outbox_sent(struct store *s, const struct push_batch *batch, struct problem *p);
/* Records one answer to the last batch (in order) and moves last_op and its chain on, or the end of the older
 * incarnation. */
enum err outbox_answer(struct store *s, const pb_op_result *result, struct problem *p);
/* All that was accepted is in the base that was just pulled. */
enum err outbox_settle(struct store *s, struct problem *p);
/* Takes WELCOME: a new incarnation (unsent operations become drafts), or a server that lost its tail (kept
 * ones are sent again, those of older incarnations too). *drafts: how many became drafts. */
enum err outbox_welcome(struct store *s, const pb_welcome *welcome, size_t *drafts, struct problem *p);
/* What HELLO says of this outbox; borrows from the store. */
void outbox_hello(struct store *s, pb_hello *hello);
struct resolved {
	size_t queued;    /* new operations */
	size_t settled;   /* refusals that are none any more */
	size_t conflicts; /* refusals that a person must decide */
};
/* After a pull: records that the server refused as duplicates of another id. Where the identity agrees they
 * count as accepted, and what differs in other groups is queued as an edit of the record that exists;
 * children that were sent for the refused id move to it, also those that come late from another
 * computer. Where the identity differs a person decides. Within a transaction. */
enum err outbox_resolve_duplicates(struct store *s, struct resolved *told, struct problem *p);
/* The same for one that a person has decided: children of the refused id move to the record that
 * exists. *v has these kinds; within a transaction. */
enum err outbox_move_children(
	struct view *v, const uint8_t from[ID_SIZE], const uint8_t to[ID_SIZE], struct problem *p);
/* When it is settled what takes its place: deletes the record `id` if its parent neither stands nor waits
 * for a person. */
enum err outbox_drop_orphaned(struct view *v, const uint8_t id[ID_SIZE], struct problem *p);
/* Before `want` is put over the item: where its parent is gone by now, the one that the item
 * has stays. */
void outbox_keep_parent(const struct view *v, const struct item *item, struct record *want);
/* Takes children back with a record that did not come to be, or is deleted in this batch (0: none); the same
 * conditions. */
enum err outbox_delete_children(struct view *v, const uint8_t id[ID_SIZE], int64_t batch, struct problem *p);

#endif
