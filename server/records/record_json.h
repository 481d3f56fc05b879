/* record_json.h - what an operation carries, as the JSON object that SQL functions of a declaration are
 * given. Pure; any thread. */
#ifndef JG_RECORD_JSON_H
#define JG_RECORD_JSON_H

#include "record.h"

/* Every field of the groups in mask by its name, null when it has no value; in forms that
 * jsonb_populate_record and casts read: text, numbers, true, dates as YYYY-MM-DD, times as RFC 3339, ids as
 * uuid, other bytes as \x…. Values must have passed check_values. */
void record_json(const struct record *r, uint32_t groups, struct buf *out);

#endif
