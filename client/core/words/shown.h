/* shown.h - the lists that a screen showed last, so that the short numbers in front of their rows name the
 * same records in the next command. Ids only, in order; nothing of a pupil. Kept in the store. One thread. */
#ifndef JG_SHOWN_H
#define JG_SHOWN_H

#include "store.h"

/* A list of a service. */
struct shown_list {
	const char *name; /* under which it is kept */
	const char *act;  /* the way to see it (way.h) */
	const char *edit; /* the way to change a row; NULL = none */
	/* records that a number of it stands for, ended by 0: the first is what a pupil found is */
	const uint32_t *kinds;
	bool entered;        /* a number of it makes a record that was not there */
	bool found, foreign; /* finding a pupil gives numbers of it; of a record that another school owns */
};

/* a bare number up to here is a row; certificate and student numbers and ids are longer */
#define SHOWN_DIGITS_MAX 7

/* Whether a text is the number of a row. */
bool shown_is_number(const char *text);
/* Remembers a list in place of the one before; makes its own transaction. */
enum err shown_keep(struct store *s, const struct shown_list *list, const uint8_t (*ids)[ID_SIZE], size_t n,
	struct problem *p);
/* The record in row `number`. ERR_NOT_FOUND, told in *p with how many rows there were. */
enum err shown_find(struct store *s, const struct shown_list *list, const char *number, uint8_t id[ID_SIZE],
	struct problem *p);

#endif
