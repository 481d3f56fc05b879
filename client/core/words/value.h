/* value.h - one field as people write it, read into a record by its declaration, and shown to them again.
 * Owns the normal forms of files and of FIELD=VALUE; the checks across fields are import.c's. Pure; any
 * thread. */
#ifndef JG_VALUE_H
#define JG_VALUE_H

#include <jansson.h>

#include "arena.h"
#include "date.h"
#include "record.h"

enum value_verdict {
	VALUE_OK,
	VALUE_WARN, /* kept, but a person should look: told in *p */
	VALUE_BAD   /* not taken: told in *p */
};

struct value_context {
	enum date_epoch epoch;
	bool damaged; /* the cell was a number too long for a spreadsheet (CELL_DAMAGED_NUMBER) */
	bool strict;  /* a class must have a number; else its name is kept with a warning */
};

/* Sets field `i` of *r from `text`; an empty text clears it. What it keeps lies in the arena. *code: a stable
 * word for the fault (INVALID, ID_DAMAGED …), untouched when there is none. p->field is the name of the
 * column. */
enum value_verdict value_parse(struct record *r, int i, const char *text, const struct value_context *ctx,
	struct arena *arena, const char **code, struct problem *p);

/* The name of the field in files, or its label. */
const char *value_column(const struct field *f);
/* As people read it: words instead of codes, 是/否, 2014-03-15; masked when asked and declared so. "" when
 * not set. */
const char *value_show(const struct record *r, int i, bool masked, char *out, size_t size);
/* As --json has it: text and codes as stored, true/false, dates and times as text, ids as UUID; null when not
 * set (false for a boolean). */
json_t *value_json(const struct record *r, int i);
/* All fields of the record by name, and "id". */
json_t *value_record_json(const struct record *r, const uint8_t id[16]);
/* {"id","cert_no","name","student_no"} of a record that has these fields. */
json_t *value_student_json(const struct record *r, const uint8_t id[16]);

#endif
