/* common/rules: what a meeting's plan says, the code at the door, who was there, what it cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "meeting.h"
#include "workday.h"

static const char plan[] =
	"主题：校园安全工作会议\r\n目的: 部署检查\n开始：2026-09-12 09:00\n结束：2026-09-12 10:30\n地点："
	"一楼会议室\n"
	"主持：zhangsan1\n参会：全县学校；李四;王五\n议程：通报|20|lisi1；部署｜30\n回执截止："
	"2026-09-10\n法定人数：12\n";

struct bench {
	struct arena arena;
	struct meeting_plan plan;
	struct problem p;
};

static enum err parse(struct bench *b, const char *text)
{
	arena_init(&b->arena, 1u << 20);
	return meeting_parse(&b->plan, text, strlen(text), &b->arena, &b->p);
}

static void a_plan_is_read(void **state)
{
	struct bench b;
	char text[MEETING_TIME_SIZE];

	(void)state;
	assert_int_equal(parse(&b, plan), ERR_OK);
	assert_string_equal(b.plan.subject, "校园安全工作会议");
	assert_string_equal(b.plan.purpose, "部署检查");
	assert_string_equal(b.plan.host, "");
	meeting_time_text(text, b.plan.start);
	assert_string_equal(text, "2026-09-12 09:00");
	assert_int_equal(b.plan.end - b.plan.start, INT64_C(5400000000));
	assert_int_equal(b.plan.attend.n, 3);
	assert_string_equal(b.plan.attend.items[2], "王五");
	assert_int_equal(b.plan.agenda_count, 2);
	assert_string_equal(b.plan.agenda[0].speaker, "lisi1");
	assert_int_equal(b.plan.agenda[1].minutes, 30);
	assert_string_equal(b.plan.agenda[1].speaker, "");
	assert_int_equal(b.plan.reply_due, 20260910);
	assert_int_equal(b.plan.quorum, 12);
	arena_free(&b.arena);
}

/* What is not of this form is told with its line. */
static void a_wrong_line_is_told(void **state)
{
	static const struct {
		const char *line;
		enum err code;
		int64_t row;
	} cases[] = {{"开始：明天", ERR_INVALID, 11}, {"主题：又一个", ERR_INVALID, 11},
		{"座次：圆桌", ERR_INVALID, 11}, {"没有冒号", ERR_INVALID, 11}};
	static const char *const items[] = {"通报", "通报|很久", "通报|0", "通报|20|a|b", "通报|2000"};
	struct bench b;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s\n", plan, cases[i].line);
		assert_int_equal(parse(&b, text), cases[i].code);
		assert_int_equal(b.p.row, cases[i].row);
		arena_free(&b.arena);
	}
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		snprintf(text, sizeof text, "议程：%s\n", items[i]);
		assert_int_equal(parse(&b, text), ERR_INVALID);
		assert_int_equal(b.p.row, 1);
		arena_free(&b.arena);
	}
	assert_int_equal(parse(&b, "主题：会\n"), ERR_MISSING);
	arena_free(&b.arena);
	assert_int_equal(parse(&b, "主题：\xff\n"), ERR_INVALID);
	arena_free(&b.arena);
}

/* As Python's hmac has it. */
static void the_code_is_the_hmac(void **state)
{
	uint8_t secret[MEETING_SECRET], id[16];
	char code[MEETING_CODE_SIZE];

	(void)state;
	for (uint8_t i = 0; i < sizeof secret; i++)
		secret[i] = i;
	for (uint8_t i = 0; i < sizeof id; i++)
		id[i] = i;
	meeting_code(code, secret, id, 20260912);
	assert_string_equal(code, "RDV98V9R");
	meeting_code(code, secret, id, 20260913);
	assert_string_equal(code, "CFF2HY55");
	meeting_code_typed(code, "7k3m-9oiL ");
	assert_string_equal(code, "7K3M9011");
	meeting_code_typed(code, "7K3M90111");
	assert_string_equal(code, "");
}

static void who_was_there(void **state)
{
	int64_t start = INT64_C(1790000000000000), minute = INT64_C(60000000);

	(void)state;
	assert_int_equal(meeting_presence(MEETING_REPLY_NONE, start + 5 * minute, start, 5), MEETING_PRESENT);
	assert_int_equal(
		meeting_presence(MEETING_REPLY_ATTEND, start + 5 * minute + 1, start, 5), MEETING_LATE);
	assert_int_equal(meeting_presence(MEETING_REPLY_SUBSTITUTE, start, start, 5), MEETING_SUBSTITUTE);
	assert_int_equal(meeting_presence(MEETING_REPLY_LEAVE, 0, start, 5), MEETING_LEAVE);
	assert_int_equal(meeting_presence(MEETING_REPLY_LEAVE, start, start, 5), MEETING_PRESENT);
	assert_int_equal(meeting_presence(MEETING_REPLY_SUBSTITUTE, 0, start, 5), MEETING_ABSENT);
	for (int x = 0; x < MEETING_PRESENCES; x++)
		assert_int_equal(
			meeting_counts((enum meeting_presence)x), x != MEETING_LEAVE && x != MEETING_ABSENT);
	assert_int_equal(meeting_person_hours(3, start, start + 60 * minute, 60), 600);
	assert_int_equal(meeting_person_hours(7, start, start + 50 * minute, 0), 583);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_plan_is_read),
		cmocka_unit_test(a_wrong_line_is_told), cmocka_unit_test(the_code_is_the_hmac),
		cmocka_unit_test(who_was_there)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
