/* sim_values.h - records as somebody writes them, by their declaration alone: a kind that is declared
 * tomorrow is in the histories without a word here. Values come from small sets, the first of each most
 * often, so that computers meet: the same key, the same value, another one. */
#ifndef JG_SIM_VALUES_H
#define JG_SIM_VALUES_H

#include "record.h"
#include "sim.h"

/* Where the texts of one record stand until it is encoded. */
struct words {
	char text[KIND_FIELDS_MAX][40];
};

struct writer {
	const char *user, *school; /* who writes, NULL: signs nothing; whose the record is, "" = the county */
	/* The id of a live record of one of these kinds, that kind->fields[field] may name; NULL: there is
	 * none. */
	const uint8_t *(*name_one)(void *data, const struct kind *kind, int field);
	void *data;
};

/* A new record; false: it would name a record, and there is none. */
bool values_draw(const struct writer *w, const struct kind *kind, struct record *r, struct words *words);
/* Some other values for one that is there, of the groups in the mask; `key`, per mille: of the key too. */
void values_redraw(
	const struct writer *w, struct record *r, uint32_t groups, unsigned key, struct words *words);
/* Whether kind->fields[field], which names a record, may name one of this kind. */
bool values_names(const struct kind *kind, int field, const struct kind *named);
/* The classes that teachers have: the first of every grade that pupils are in here. *n: how many. */
const char *const *values_classes(uint32_t *n);

#endif
