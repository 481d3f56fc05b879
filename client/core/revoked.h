/* revoked.h - a computer that the bureau has revoked keeps nothing that can be read: its keys, its log-in and
 * its copy of the pupils are destroyed. What it had not sent is kept in DIR/unsent.sealed (unsent-2.sealed,
 * ... while an earlier one is not opened), under a key that only the county gives back (sealed_key.h), to a
 * computer that the same school has enrolled anew; there it waits for a person's look, like what a
 * rolled-back computer had not sent.
 *
 *   REVOKED ──DIR/revoked: no command shows anything──> a sealed file is whole ──DIR/revoked says when──>
 * keys, store, files go ──> (connect, login, sync) ──> drafts; the sealed files go
 *
 * A death or a failure between any two steps is gone on with by the next command. One thread. */
#ifndef JG_REVOKED_H
#define JG_REVOKED_H

#include "link.h"
#include "store.h"

#define REVOKED_NAME 32
#define REVOKED_NAMES 160
#define REVOKED_FILES 99 /* sealed files at once: unsent.sealed, unsent-2.sealed, ... */

struct revoked_kept {
	size_t unsent;               /* operations that this call sealed */
	char file[REVOKED_NAME];     /* into this file; "" = nothing was waiting, or all was sealed before */
	size_t parts;                /* and those after it: unsent evidence in more files */
	uint8_t part[REVOKED_FILES]; /* their numbers */
	size_t files;                /* sealed files that are there */
	char left_out[256];          /* operations that cannot be read any more, as a person knows them */
};
struct revoked_opened {
	size_t drafts;               /* operations that wait for a person now */
	char foreign[REVOKED_NAMES]; /* names of files that another school's computer sealed: they stay */
	char damaged[REVOKED_NAMES]; /* and of those that were changed, or are no county's of ours */
};

/* After the server, proved by the pinned CA, has said REVOKED, and by every later command while revoked_is;
 * the store must be closed. On an error nothing that was not sent is lost. */
enum err revoked_seal(struct profile *profile, struct revoked_kept *kept, struct problem *p);
/* Whether this profile was revoked and not enrolled since: nothing of it may be shown. */
bool revoked_is(const struct profile *profile);
/* It is about to be enrolled anew: not before all is sealed. */
enum err revoked_forget(struct profile *profile, struct problem *p);
/* The sealed files that are there, opened by nobody yet: their names; whether there are any. */
bool revoked_holds(const struct profile *p, char names[REVOKED_NAMES]);
/* With a link whose person has logged in, a registrar: what is in the sealed files becomes drafts. What
 * cannot be opened here is no error. */
enum err revoked_open(struct store *s, struct link *link, struct revoked_opened *out, struct problem *p);

#endif
