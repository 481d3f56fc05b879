/* What the transition says of its records in words. */
#include <stdio.h>
#include <string.h>

#include "codes.h"
#include "lang.h"
#include "schools.h"
#include "tables.h"
#include "transition.h"

const char *transition_mismatch_words(const struct record *r, int field, char *out, size_t size)
{
	char codes[256], *rest = NULL;

	*out = 0;
	record_text(r, field, codes, sizeof codes);
	for (char *code = strtok_r(codes, ", ;", &rest); code; code = strtok_r(NULL, ", ;", &rest)) {
		const char *word = code_name(&codes_mismatch, code);
		size_t n = strlen(out);
		snprintf(out + n, size - n, "%s%s", n ? _("；") : "", word ? word : _("其他问题"));
	}
	return out;
}

const char *transition_place_words(const struct view *v, const struct record *d, char *out, size_t size)
{
	char code[16];

	if (record_has(d, F_DESTINATION_DEST_SCHOOL_NAME))
		return record_text(d, F_DESTINATION_DEST_SCHOOL_NAME, out, size);
	if (record_has(d, F_DESTINATION_DEST_SCHOOL))
		return school_face(
			v, record_text(d, F_DESTINATION_DEST_SCHOOL, code, sizeof code), out, size);
	return record_text(d, F_DESTINATION_PLACE, out, size);
}

const char *transition_destination_words(const struct view *v, const struct record *d, char *out, size_t size)
{
	char code[16], place[256];
	const char *word =
		code_name(&codes_category, record_text(d, F_DESTINATION_CATEGORY, code, sizeof code));

	transition_place_words(v, d, place, sizeof place);
	snprintf(out, size, "%s%s%s%s%s", code, word ? " " : "", word ? word : "", *place ? " " : "", place);
	return out;
}

bool transition_word(const struct view *v, const struct record *r, int field, char *out, size_t size)
{
	char home[16];

	if (r->kind->number != KIND_SLIP || (field != F_SLIP_CODES && field != F_SLIP_HOME))
		return false;
	if (field == F_SLIP_CODES)
		transition_mismatch_words(r, field, out, size);
	else
		school_face(v, record_text(r, F_SLIP_HOME, home, sizeof home), out, size);
	return true;
}
