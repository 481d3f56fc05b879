/* check.h - judges the values of a record by the checks that its declaration names. Pure; any thread. */
#ifndef JG_CHECK_H
#define JG_CHECK_H

#include "record.h"

/* A school year outside these is a mistake of the finger; of what lies inside, SQL makes dates. */
#define YEAR_MIN 2000
#define YEAR_MAX 2100

/* Every text that r has: no character that text_forbidden names, and NFC. */
enum err check_texts(const struct record *r, struct problem *p);

/* Every value that r has, by the check of its field, and every text by text_forbidden. The first fault with
 * its field goes into *p. */
enum err check_values(const struct record *r, struct problem *p);

/* Shape (record_check_shape) and check_values; a student's resident ID also against GB 11643-1999 unless it
 * is marked keep_invalid. today: YYYYMMDD, the last birth date allowed. The first fault with its field goes
 * into *p. */
enum err check_record(const struct record *r, bool whole, int32_t today, struct problem *p);

/* What a check permits, in the user's words: all codes of a list, the form of a number; "" for a check that
 * permits everything. HINT_SIZE holds all but the longest list, of which the place is named where it stands.
 * Returns out. */
const char *check_words(const char *check, char *out, size_t size);

/* The value of a request's field by the check that its declaration names (options.proto); value points at it
 * as protobuf-c keeps it. The hint lists what is permitted. */
enum err check_field(
	const ProtobufCFieldDescriptor *f, const void *value, const char *check, struct problem *p);

#endif
