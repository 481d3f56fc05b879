/* revoked.h - a computer that the bureau has revoked keeps nothing that can be read: its keys, its log-in and its copy of the pupils are
 * destroyed. What it had not sent is kept in DIR/unsent.sealed, under a key that only the county gives back (sealed_key.h), to a computer
 * that the same school has enrolled anew; there it waits for a person's look, like what a rolled-back computer had not sent.
 *
 *   REVOKED ──unsent.sealed is whole──> DIR/revoked ──keys, log-in, store, files go──> (connect, login, sync) ──> drafts; unsent.sealed goes
 *
 * A death between any two steps is gone on with by the next command. One thread. */
#ifndef JG_REVOKED_H
#define JG_REVOKED_H

#include "link.h"
#include "store.h"

/* After the server, proved by the pinned CA, has said REVOKED; the store must be closed. *unsent: how many operations are kept. */
enum err revoked_seal(struct profile *profile, size_t *unsent, struct problem *p);
/* Whether this profile was revoked and not enrolled since. Finishes what a death left undone. */
bool revoked_is(const struct profile *profile);
/* It is about to be enrolled anew. */
void revoked_forget(struct profile *profile);
/* With a link whose person has logged in: what is in unsent.sealed becomes drafts. *drafts: how many; 0 when there is no such file.
 * ERR_PERMISSION when it is another school's: the file stays. */
enum err revoked_open(struct store *s, struct link *link, size_t *drafts, struct problem *p);

#endif
