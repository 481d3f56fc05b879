/* kind.h - the shape of the tables that proto/gen_tables.py makes from the .proto declarations, where each
 * thing is declared once (CONTRIBUTING.md). Everything here is constant and process-wide: any thread,
 * nothing to free. */
#ifndef JG_KIND_H
#define JG_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define KIND_FIELDS_MAX 40 /* of one record kind: bounds `struct record`; gen_tables.py refuses more */
/* kinds are numbered from 1: room for a hundred numbers to each service; gen_tables.py refuses a higher
 * one */
#define KIND_NUMBER_MAX 999
#define KIND_GROUPS_MAX 8 /* field groups with a version of their own */
/* bytes of a field with the check `long`; all other text is shorter than SHORT_TEXT_MAX */
#define LONG_TEXT_MAX 65536
#define SHORT_TEXT_MAX 4096

enum field_type { FIELD_TEXT, FIELD_BYTES, FIELD_INT32, FIELD_INT64, FIELD_BOOL };
enum kind_owner { OWNER_SCHOOL = 1, OWNER_COUNTY = 2, OWNER_SERVER = 3 };
enum field_merge { MERGE_CONFLICT = 1, MERGE_GUARDED = 2 };

struct field {
	uint32_t number; /* protobuf field number */
	const char *name;
	const char *label, *label_en;
	enum field_type type;
	uint8_t group; /* 1..KIND_GROUPS_MAX */
	enum field_merge merge;
	bool required, masked, other, school_writes, ordinal, author;
	int signs; /* index of the field that this is the signature over, or -1 */
	uint32_t max_bytes;
	const char *check;          /* name of a check in check.c, or "" */
	const char *const *columns; /* names in people's files, NULL-terminated; empty list = not in files */
};

struct kind_key {
	/* index into fields; the first that is set counts; [1] == [0] when there is no alternative */
	uint8_t field[2];
};

struct kind {
	uint32_t number;
	const char *table, *label, *label_en;
	enum kind_owner owner;
	uint32_t writers; /* 1 << role */
	bool append_only, permanent;
	const char *guard, *children_guard, *hold, *applied; /* SQL functions, or "" */
	bool alone;
	bool shared;        /* has fields that another school may see */
	int of;             /* index of the field that names the record that this one hangs on, or -1 */
	const uint16_t *on; /* numbers of the kinds that it may hang on */
	size_t on_count;
	/* index of the field that names the school to which the record that `of` names is addressed, or -1 */
	int addressee;
	int hidden_field; /* while this field has this text no school's stream carries the record; -1 */
	const char *hidden_value;
	/* options.proto: where numbers of pupils are looked up, and whose have to be found */
	bool is_register, registered;
	const char *grade;          /* of its pupils when it has a class and no grade of its own, or "" */
	const struct field *fields; /* ascending numbers */
	size_t field_count;
	const struct kind_key *key;
	size_t key_count;
	unsigned group_count;
};

/* Indexes of fields by kind: `F_<KIND>_<FIELD>` stands in tables.h. */
extern const struct kind kind_table[];
extern const size_t kind_count;
extern const uint32_t kinds_all[],
	kinds_of_schools[]; /* numbers, ended by 0: every kind, and those that schools own */
const struct kind *kind_by_number(uint32_t number);  /* NULL when unknown */
const struct kind *kind_by_table(const char *table); /* NULL when unknown */
bool field_is_id(const struct field *f);             /* 16 bytes that name a record: uuid, or ref:<table> */
/* field by which a school builds on a record: `of`, or the first that is a uuid; -1 = none */
int kind_reference(const struct kind *kind);
bool kind_hangs_on(const struct kind *kind, uint32_t number);    /* whether it may */
int kind_field_index(const struct kind *kind, const char *name); /* -1 when unknown */

enum access { ACCESS_ENROLLING = 1, ACCESS_GREETED = 2, ACCESS_SESSION = 3, ACCESS_ANY_SESSION = 4 };

struct method {
	uint16_t number;
	const char *name;  /* "Sync.Push" */
	const char *label; /* 上传 */
	enum access access;
	uint32_t roles; /* 1 << role; 0 = every role */
	uint32_t request_max, arena_max;
	bool writes, retry_safe, streamed, personal, prepares;
	const ProtobufCMessageDescriptor *request, *reply;
};

extern const struct method method_table[]; /* ascending numbers */
extern const size_t method_count;
const struct method *method_by_number(uint16_t number); /* NULL when unknown */
int method_index(uint16_t number);                      /* -1 when unknown */

/* Upper bound of each repeated field of a message, by field index; NULL for a message without repeated
 * fields. */
const uint32_t *message_bounds(const ProtobufCMessageDescriptor *descriptor);

/* What the value of each field has to be, by field index ("" = anything); NULL for a message without
 * checks. */
const char *const *message_checks(const ProtobufCMessageDescriptor *descriptor);

struct role {
	unsigned number;
	const char *name; /* "registrar" */
};
extern const struct role role_table[];
extern const size_t role_count;
unsigned role_by_name(const char *name); /* 0 when unknown */
const char *role_name(unsigned number);  /* "" when unknown */

#endif
