/* words.h - records as people read them on this school's screens and papers: a pupil by name, class and
 * the end of the number, codes by their words, times by face.h, what only a service knows by
 * client_service.h; and the order of lists. JSON and what is read back by programs is value.h's. Reads a
 * view; one thread (pinyin.h). */
#ifndef JG_WORDS_H
#define JG_WORDS_H

#include "view.h"

/* 六3班; a class without a number as it is written; "" when it is not known. Returns out, as all here. */
const char *words_class(const struct record *r, char *out, size_t size);
/* The last four of the certificate number, else of the student number: enough to tell namesakes apart. */
const char *words_tail(const struct record *r, char out[8]);
/* 高浩然（六3班） */
const char *words_pupil(const struct record *r, char *out, size_t size);
/* Of a record that is no pupil's: what its natural key says, in words. */
const char *words_key(const struct view *v, const struct record *r, char *out, size_t size);
/* What a person calls it: its name, else what its natural key says. */
const char *words_named(const struct view *v, const struct record *r, char *out, size_t size);
/* The pupil that a record is about or hangs on (an answer, a guardian, a file), or NULL. */
const struct record *words_whose(const struct view *v, const struct record *r);
/* A field: as value_show, and schools, records and times in words too. "" when it is not set. */
const char *words_field(
	const struct view *v, const struct record *r, int field, bool masked, char *out, size_t size);

/* Sorts n rows of `size` bytes by class (by number), then by the sound of the name, then by the number. `of`
 * gives a row's record, `urgency` (may be NULL) what comes before all of it. Without memory the order stays
 * as it was. */
void words_sort(void *rows, size_t n, size_t size, const struct record *(*of)(const void *row),
	int64_t (*urgency)(const void *row));

#endif
