/* view.h - the records as this school sees them: what the server sent, with the own operations that have no
 * final answer yet laid over (I6). Owns a copy in memory of the kinds asked for; 20,000 pupils take some 20
 * MB and a tenth of a second. Writing goes through outbox.h, which keeps the view up to date. One thread; the
 * store must outlive it. */
#ifndef JG_VIEW_H
#define JG_VIEW_H

#include "arena.h"
#include "record.h"
#include "store.h"

struct item {
	uint8_t id[ID_SIZE];
	struct record record; /* its text lives as long as the view */
	const char *owner;    /* the school that owns it, "" for the county */
	int64_t stream;       /* where the base row lies; 0 = not yet pulled */
	bool live;            /* false: deleted, or only a tombstone */
	bool in_base;
	bool pending; /* an own operation on it has no final answer */
	int64_t ver;
	uint32_t gver[KIND_GROUPS_MAX]; /* as the server has them */
	/* last own operation on the group that is not acknowledged, 0 = none */
	uint64_t own_op[KIND_GROUPS_MAX];
	int64_t batch;                /* of the last change made through this view, 0 = none */
	const char *key, *second_key; /* as indexed, or NULL */
	long mark;                    /* free for the view's user, 0 at first */
};

struct view {
	struct store *store;
	struct arena arena;
	struct item **items; /* of all kinds, in the order they were found; tombstones too */
	size_t n, room;
	struct index *by_id, *by_key;
};

/* Loads the kinds (KIND_… numbers, ended by 0). *out is the caller's to view_free. */
enum err view_load(struct view **out, struct store *store, const uint32_t *kinds, struct problem *p);
void view_free(struct view *v);

/* Live or not; NULL when there is none. */
struct item *view_find_id(const struct view *v, const uint8_t id[ID_SIZE]);
/* The live item that has the natural key of r; where the key is "certificate number else student number",
 * one that has the same student number also counts. `ours`: only records of this school. NULL when there
 * is none. */
struct item *view_find_key(struct view *v, const struct record *r, bool ours);
/* The record that r is a child of, by its declaration; NULL when it is of none, or one that is not here. */
#define PARENTS_MAX 3 /* steps up from any record: a file may be of an answer, that of a letter */
struct item *view_parent(const struct view *v, const struct record *r);
/* Makes r, or the key of one, the first child of a record. */
void view_set_first(struct record *r, const uint8_t parent[ID_SIZE]);
/* The live first child of that kind; NULL when there is none. */
struct item *view_first_child(struct view *v, const struct item *parent, const struct kind *kind);
/* Whether the record belongs to this school. */
bool view_is_ours(const struct view *v, const struct item *item);

/* Lays the operation in `bytes` (an Op) over the item; the bytes must live as long as the view. */
enum err view_overlay(struct view *v, const void *bytes, size_t n, struct item **out);

#endif
