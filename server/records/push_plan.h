/* push_plan.h - the decision between the two trips of a push: rows in, results and effects out. A pure
 * function: no libpq, no clock, nothing global. What it may read is in `struct plan_facts`.
 * Pure; any thread. */
#ifndef JG_PUSH_PLAN_H
#define JG_PUSH_PLAN_H

#include "arena.h"
#include "class_scope.h"
#include "effects.h"
#include "wire_limits.h"
#include "pb.h"

/* An operation, decoded once. */
struct plan_op {
	const ProtobufCBinaryData *bytes;
	uint8_t sha[HASH_SIZE];
	uint64_t op_no;          /* read from the bytes even when the rest cannot be decoded; 0 = not there */
	const pb_op *op;         /* NULL when it cannot be decoded */
	const struct kind *kind; /* NULL when unknown */
	struct record body;
	uint32_t groups;      /* carried */
	struct problem fault; /* why it cannot be accepted whatever the records are; code 0 = none */
	char *key;            /* natural key of a body that carries all of it, or "" */
};

/* who writes for every class of his school */
#define PLAN_ALL_CLASSES (1u << ROLE_REGISTRAR | 1u << ROLE_HEAD)
/* how far a device may be ahead: each rollback of it since the backup that was restored is one */
#define INCARNATIONS_LOST_MAX 100

struct plan_device {
	bool known;
	uint8_t id[ID_SIZE];
	uint32_t incarnation;
	uint64_t last_op, epoch; /* epoch: of the database that says all this */
	uint8_t last_hash[HASH_SIZE];
};

struct plan_author {
	char name[64];
	bool may_write; /* logged in on this device within 90 days, enabled, of this school */
	uint32_t roles;
	char classes[CLASSES_MAX][CLASS_SCOPE_SIZE];
	int class_count;
};

/* An earlier push that covers a number asked for. */
struct plan_replay {
	uint64_t first_op, last_op;
	const uint8_t *shas;
	const pb_push_reply *reply; /* NULL when its body was pruned */
};

struct plan_holder {
	const struct kind *kind;
	const char *key, *owner;
	uint8_t id[ID_SIZE];
};

/* What a guard said about one operation. */
struct plan_refusal {
	uint32_t op; /* index in the push */
	struct problem problem;
};

/* Who last changed a group that an operation carries. */
struct plan_writer {
	const char *author; /* NULL: nobody since the record was made */
	int64_t at;
};

/* A live record that hangs on the one that an operation deletes. */
struct plan_child {
	uint32_t op; /* index in the push */
	uint8_t id[ID_SIZE];
};

/* The record that an operation's record hangs on, be it this school's or hidden from it. */
struct plan_target {
	uint32_t kind; /* 0: nobody has that id */
	bool open;     /* this school's own, or addressed to it */
};

/* A class that the record of an operation touches, as the database has it. */
struct plan_scope {
	uint32_t op; /* index in the push */
	char scope[CLASS_SCOPE_SIZE];
	bool named; /* of the pupil whose number the record has after the operation */
};

/* The other school that sees the record from now on, when the guard said so; "" = none. */
struct plan_shared {
	bool said;
	char school[SCHOOL_TEXT];
};

struct plan_facts {
	int county;
	int32_t today;
	char school[SCHOOL_TEXT];
	struct plan_device device;
	const struct plan_author *authors;
	size_t author_count;
	const struct stored *rows; /* the records as they stand, by id */
	size_t row_count;
	const struct plan_holder *holders;
	size_t holder_count;
	const struct plan_replay *replays;
	size_t replay_count;
	const struct plan_refusal *refusals;
	size_t refusal_count;
	const struct plan_child *children;
	size_t child_count;
	const struct plan_shared *shared; /* per op; NULL: no guard was asked */
	const struct plan_target
		*targets; /* per op: what its `of` field names; NULL when no operation hangs on anything */
	const struct plan_scope *scopes;
	size_t scope_count;
	const char *user; /* whose session this is */
	/* a registrar's session: it carries operations that others typed. Nothing is gained by another's
	 * name, because a registrar may do all that a school may */
	bool carries_others;
	const struct plan_writer *writers; /* per op; NULL when no operation changes a record that stands */
};

struct push {
	/* in */
	uint32_t incarnation;
	uint64_t epoch;    /* that the WELCOME of its connection told */
	uint64_t first_op; /* number of the first operation, 0 when no operation says it */
	struct plan_op *ops;
	size_t count;
	struct arena *arena; /* results live here */
	/* out */
	pb_push_reply reply;
	size_t answered;            /* operations decided, from the first */
	bool replayed;              /* answered from an earlier push: only `dup_seen` is written */
	bool forked;                /* the device needs a new incarnation */
	uint32_t known_incarnation; /* that the device is in; a fork begins the next one */
	struct effects_part part;
	uint8_t last_hash[HASH_SIZE];
};

/* Whether a device is in an incarnation that the server has not seen: offered in a WELCOME and begun by the
 * first push in it, or lost with the database's tail. */
bool push_is_ahead(uint32_t theirs, uint32_t ours);

/* Decodes the operations of a request: shape, sizes, text. Never fails for the content of one operation;
 * ERR_NOMEM only. */
enum err push_decode(struct push *push, const pb_push_request *request, struct arena *arena);

/* How many operations may be decided together. A formal report freezes the tables as they are after the
 * operations before it and without those behind it, so it is a push of its own. */
size_t push_barrier(const struct push *push);

enum err push_plan(struct push *push, const struct plan_facts *facts);

#endif
