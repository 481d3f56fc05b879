/* owner.h - the one thread that owns a school's store and its link, for a face that must not wait. A face
 * posts deeds and takes snapshots; it never touches the store itself.
 *
 *   owner_do ────> deeds, one transaction each ────┐
 *   owner_sync ──> pieces of a synchronisation ────┴──> the owner's thread ──changed──> owner_snapshot
 *
 * Deeds run in the order in which they were posted, also between the pieces of a synchronisation and while
 * that waits for the network: what a person types is on disk while a bad line holds. A snapshot is all that
 * was committed at one moment and never changes. Functions of this header: any thread, but for owner_stop. */
#ifndef JG_OWNER_H
#define JG_OWNER_H

#include "outbox.h"
#include "sync.h"
#include "view.h"

struct owner;

struct snapshot {
	uint64_t number;   /* grows from one to the next */
	struct view *view; /* of all kinds; read only, and by one thread at a time */
	struct outbox_counts outbox;
	bool syncing;              /* a synchronisation is under way */
	bool push_only;            /* it, or the last one, only pushes */
	enum err synced;           /* how the last one ended; ERR_OK also before the first */
	struct problem problem;    /* of it */
	struct sync_report report; /* of it, or of what the one under way has done */
};

/* Opens the store of an open profile, which is the owner's until owner_stop. `changed` runs on the owner's
 * thread whenever a newer snapshot is there; it wakes the face and returns. Errors are store_open's. */
enum err owner_start(struct owner **out, struct profile *profile, void (*changed)(void *data), void *data,
	struct problem *p);
/* Ends a synchronisation at its next breath, does the deeds that were posted, closes the store. What was
 * committed stands. */
void owner_stop(struct owner *o);

/* Within a transaction and on the owner's thread: changes records through outbox.h. What it returns is
 * committed (ERR_OK) or leaves nothing. */
typedef enum err (*owner_deed)(struct view *v, void *data, struct problem *p);
/* On the owner's thread, when the deed is on disk (ERR_OK) or nothing of it is. */
typedef void (*owner_done)(void *data, enum err e, const struct problem *p);
/* done may be NULL. ERR_NOMEM: nothing was posted. */
enum err owner_do(struct owner *o, owner_deed deed, owner_done done, void *data);

/* Begins a synchronisation; nothing where one is under way that does as much. Behind one that was cancelled, or
 * only pushes, it begins when that has ended. */
void owner_sync(struct owner *o, bool push_only);
/* Ends it: what was exchanged stands, and the next one goes on from there. */
void owner_cancel(struct owner *o);

/* The newest; the caller's to snapshot_release. */
struct snapshot *owner_snapshot(struct owner *o);
void snapshot_release(struct snapshot *s);

#endif
