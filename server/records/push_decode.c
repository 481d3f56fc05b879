/* A push as it came: each operation decoded once, or with its fault; never trusted. */
#include "push_plan.h"

#include <string.h>

#include "check.h"
#include "envelope.h"
#include "lang.h"

#define OP_VERSION 1

static enum err decode_body(struct plan_op *o, struct arena *arena)
{
	const pb_op *op = o->op;

	if (op->version != OP_VERSION)
		return problem_set(&o->fault, ERR_UPGRADE, "version", NULL, NULL);
	if (!(o->kind = kind_by_number(op->kind)))
		return problem_set(&o->fault, ERR_UPGRADE, "kind", NULL, _("服务器不认识这种记录"));
	if (op->id.len != ID_SIZE ||
		(op->action != JINGGUAN__V1__ACTION__PUT && op->action != JINGGUAN__V1__ACTION__DEL))
		return problem_set(&o->fault, ERR_MALFORMED, "id", NULL, NULL);
	enum err e = record_decode(&o->body, o->kind, op->body.data, op->body.len, arena, &o->fault);
	if (!e && o->kind->guard[0])
		e = check_values(&o->body,
			&o->fault); /* a guard is SQL: it sees no value that could end the transaction */
	if (e)
		return e;
	o->groups = record_groups(&o->body);
	for (size_t i = 0; i < op->n_seen; i++) {
		uint32_t group = op->seen[i]->group;
		if (group < 1 || group > o->kind->group_count)
			return problem_set(&o->fault, ERR_INVALID, "group", NULL, NULL);
		o->groups |= 1u << (group - 1);
	}
	o->key = record_key(&o->body, arena);
	return o->key ? ERR_OK : ERR_NOMEM;
}

/* The number of an operation that may be damaged or newer than this server: a lost answer must be found again
 * by it. */
static uint64_t read_number(const ProtobufCBinaryData *bytes)
{
	const uint8_t *at = bytes->data, *end = at + bytes->len;
	uint64_t tag, v, no = 0;

	while (at < end && get_varint(&at, end, &tag)) {
		switch (tag & 7) {
		case PROTOBUF_C_WIRE_TYPE_VARINT:
			if (!get_varint(&at, end, &v))
				return no;
			no = tag >> 3 == 2 ? v : no;
			continue;
		case PROTOBUF_C_WIRE_TYPE_64BIT:
			v = 8;
			break;
		case PROTOBUF_C_WIRE_TYPE_32BIT:
			v = 4;
			break;
		default:
			if (!get_varint(&at, end, &v))
				return no;
		}
		if (v > (uint64_t)(end - at))
			return no;
		at += v;
	}
	return no;
}

enum err push_decode(struct push *push, const pb_push_request *request, struct arena *arena)
{
	const ProtobufCMessage *message;

	memset(push, 0, sizeof *push);
	push->arena = arena;
	push->incarnation = request->incarnation;
	push->count = request->n_op;
	push->ops = arena_alloc(arena, sizeof *push->ops * push->count);
	if (!push->ops)
		return ERR_NOMEM;
	for (size_t i = 0; i < push->count; i++) {
		struct plan_op *o = &push->ops[i];
		o->bytes = &request->op[i];
		o->key = "";
		hash_op(o->sha, o->bytes->data, o->bytes->len);
		enum err e = envelope_unpack(
			&pb_op_desc, o->bytes->data, o->bytes->len, arena, &message, &o->fault);
		if (!e) {
			o->op = (const pb_op *)message;
			o->op_no = o->op->op_no;
			e = decode_body(o, arena);
		} else {
			o->op_no = read_number(o->bytes);
		}
		if (!push->first_op && o->op_no > i)
			push->first_op = o->op_no - i;
		if (e == ERR_NOMEM)
			return e;
	}
	return ERR_OK;
}

size_t push_barrier(const struct push *push)
{
	for (size_t i = 0; i < push->count; i++)
		if (push->ops[i].kind && push->ops[i].kind->alone)
			return i ? i : 1;
	return push->count;
}
