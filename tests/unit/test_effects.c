/* Covers server/records/effects.c: what two pushes of one transaction write into the trace of a stream
 * that both change. Its own end of a task comes first, so that the linker takes it before the archive's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "effects.h"
#include "tables.h"

enum { COUNTY = 329999, STREAMS = 2 };
#define FIRST_SCHOOL "2132999001"
#define SECOND_SCHOOL "2132999002"

static struct {
	size_t n;
	int64_t stream[STREAMS];
	struct buf parts[STREAMS];
	char scope[128];
} sent;

void db_task_query(struct db_task *task, const struct db_stmt *stmt, const struct db_params *p)
{
	(void)task;
	if (!stmt->sql || strncmp(stmt->sql, "WITH d AS", strlen("WITH d AS")) != 0)
		return;
	const uint8_t *ids = (const uint8_t *)p->value[0], *parts = (const uint8_t *)p->value[10];
	sent.n = get_be32(ids + 12);
	assert_int_equal(get_be32(parts + 12), sent.n);
	assert_true(sent.n <= STREAMS);
	ids += 20;
	parts += 20;
	for (size_t i = 0; i < sent.n; i++) {
		uint32_t size = get_be32(parts);
		sent.stream[i] = (int64_t)get_be64(ids + 4);
		buf_add(&sent.parts[i], parts + 4, size);
		ids += 12;
		parts += 4 + size;
	}
}

const PGresult *db_task_result(const struct db_task *task, const struct db_stmt *stmt)
{
	(void)task, (void)stmt;
	return NULL;
}

void db_task_command(struct db_task *task, const char *sql)
{
	(void)task;
	snprintf(sent.scope, sizeof sent.scope, "%s", sql);
}

static struct effect made(uint8_t id, uint64_t op_no, const char *owner, const char *other)
{
	struct effect e = {.op_no = op_no, .changed = 1, .last = true, .fresh = true};

	e.after.id[0] = id;
	e.after.kind = kind_by_number(KIND_DESTINATION);
	snprintf(e.after.owner, sizeof e.after.owner, "%s", owner);
	snprintf(e.after.other, sizeof e.after.other, "%s", other);
	e.after.state.exists = true;
	e.after.state.ver = 1;
	record_init(&e.after.state.record, e.after.kind);
	record_set_text(&e.after.state.record, F_DESTINATION_NAME, "甲");
	return e;
}

static const uint8_t *part_is(const uint8_t *at, const char *author, uint8_t device, uint64_t first,
	uint64_t last, const uint8_t *ids, uint32_t count)
{
	assert_string_equal((const char *)at, author);
	at += strlen(author) + 1;
	assert_int_equal(at[0], device);
	at += ID_SIZE;
	assert_int_equal(get_be64(at), first);
	assert_int_equal(get_be64(at + 8), last);
	assert_int_equal(get_be32(at + 16), count);
	at += 20;
	for (uint32_t i = 0; i < count; i++, at += AUDIT_ENTRY_SIZE)
		assert_int_equal(at[0], ids[i]);
	return at;
}

/* A school is sent a leaver by another one in the very transaction in which it writes itself. */
static void each_push_has_its_part_of_the_trace(void **state)
{
	struct effect of_first[] = {made(1, 4, FIRST_SCHOOL, SECOND_SCHOOL),
		made(2, 5, FIRST_SCHOOL, SECOND_SCHOOL)},
		      of_second[] = {made(3, 9, SECOND_SCHOOL, "")};
	struct effects_part parts[] = {{.author = "zhang",
					       .device = {7},
					       .first_op = 4,
					       .last_op = 5,
					       .incarnation = 1,
					       .effect = of_first,
					       .count = 2},
		{.author = "li",
			.device = {8},
			.first_op = 9,
			.last_op = 9,
			.incarnation = 1,
			.effect = of_second,
			.count = 1}};

	(void)state;
	assert_int_equal(effects_send(NULL, COUNTY, parts, 2), ERR_OK);
	assert_string_equal(sent.scope, "SET LOCAL app.streams = '" FIRST_SCHOOL "," SECOND_SCHOOL "'");
	assert_int_equal(sent.n, 2);
	assert_int_equal(sent.stream[0], stream_of(COUNTY, FIRST_SCHOOL));
	assert_int_equal(sent.stream[1], stream_of(COUNTY, SECOND_SCHOOL));
	const uint8_t *end = part_is(sent.parts[0].data, "zhang", 7, 4, 5, (const uint8_t[]){1, 2}, 2);
	assert_ptr_equal(end, sent.parts[0].data + sent.parts[0].len);
	end = part_is(sent.parts[1].data, "zhang", 7, 4, 5, (const uint8_t[]){1, 2}, 2);
	end = part_is(end, "li", 8, 9, 9, (const uint8_t[]){3}, 1);
	assert_ptr_equal(end, sent.parts[1].data + sent.parts[1].len);
	for (size_t i = 0; i < STREAMS; i++)
		buf_free(&sent.parts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_push_has_its_part_of_the_trace)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
