/* shown.h - the lists that a screen showed last, so that the short numbers in front of their rows name the
 * same records in the next command. Ids only, in order; nothing of a pupil. Kept in the store. One thread. */
#ifndef JG_SHOWN_H
#define JG_SHOWN_H

#include "store.h"

enum shown { SHOWN_STUDENTS, SHOWN_TRANSITION, SHOWN_VERIFY, SHOWN_SLIPS, SHOWN_EVIDENCE };

#define SHOWN_DIGITS_MAX                                                                                     \
	7 /* a bare number up to here is a row; certificate and student numbers and ids are longer */

/* Whether a text is the number of a row. */
bool shown_is_number(const char *text);
/* Remembers a list in place of the one before; makes its own transaction. */
enum err shown_keep(
	struct store *s, enum shown list, const uint8_t (*ids)[ID_SIZE], size_t n, struct problem *p);
/* The record in row `number`. ERR_NOT_FOUND, told in *p with how many rows there were. */
enum err shown_find(
	struct store *s, enum shown list, const char *number, uint8_t id[ID_SIZE], struct problem *p);

#endif
