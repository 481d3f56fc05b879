/* evidence.h - files attached to a record: the Evidence record and the bytes in blobs.h. One thread. */
#ifndef JG_EVIDENCE_H
#define JG_EVIDENCE_H

#include "shown.h"
#include "view.h"

extern const struct shown_list shown_evidence;

/* Attaches a file to a record, within a transaction; the view must hold KIND_EVIDENCE. Nothing happens when
 * the same file is attached already. Errors of blob_add. */
enum err evidence_attach(
	struct view *v, const uint8_t target[ID_SIZE], const char *path, int64_t batch, struct problem *p);
/* How many files are attached to a record. */
size_t evidence_count(const struct view *v, const uint8_t target[ID_SIZE]);
/* Whether a file's content is not what its name says: told in *p, an attached file stays attached. */
bool evidence_doubt(const char *path, struct problem *p);
/* Attaches those of "a.pdf；b.jpg" that lie in `dir`; names that leave the folder are no files, and their
 * text proves nothing. *doubt: the last one that evidence_doubt tells of. */
enum err evidence_attach_names(struct view *v, const uint8_t target[ID_SIZE], const char *dir,
	const char *names, int64_t batch, struct problem *doubt, struct problem *p);

#endif
