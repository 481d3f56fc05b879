/* Covers server/records/push_plan.c: any bytes as a PushRequest decoded and planned on an empty school; every
 * operation gets an answer or stops the push, and nothing is written for a refused one. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "push_plan.h"
#include "tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void plan(struct push *push)
{
	struct plan_author author = {
		.name = "a", .may_write = true, .roles = 1u << ROLE_REGISTRAR | 1u << ROLE_HEAD};
	struct plan_facts facts = {.county = 329999,
		.today = 20260912,
		.school = "2132999001",
		.authors = &author,
		.author_count = 1,
		.user = "a",
		.carries_others = true};

	facts.device.known = true;
	facts.device.incarnation = push->incarnation;
	if (push_plan(push, &facts))
		return;
	if (push->answered > push->count || (push->answered && push->reply.n_result != push->answered) ||
		push->part.count > push->answered)
		abort();
	for (size_t i = 0; i < push->reply.n_result; i++)
		if (push->reply.result[i]->outcome < JINGGUAN__V1__OUTCOME__APPLIED ||
			push->reply.result[i]->op_no != i + 1)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena arena;
	struct problem p;
	struct push push;
	const ProtobufCMessage *message;

	if (n > PUSH_BYTES_MAX)
		return 0;
	arena_init(&arena, 16u << 20);
	if (envelope_unpack(&pb_push_request_desc, bytes, n, &arena, &message, &p) == ERR_OK &&
		push_decode(&push, (const pb_push_request *)message, &arena) == ERR_OK) {
		if (push_barrier(&push) > push.count)
			abort();
		plan(&push);
	}
	arena_free(&arena);
	return 0;
}
