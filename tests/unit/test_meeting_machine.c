/* server: the table of 办会, walked over the full product: every state with every event, by everybody;
 * what clashes (R24). And README.md draws it as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document_moves.h"
#include "documents_calls.h"
#include "meeting_machine.h"
#include "tables.h"

#define NOW INT64_C(1790000000000000)
#define MINUTE INT64_C(60000000)

static const struct document_account accounts[] = {{"la", "la", 1u << ROLE_LEADER, false},
	{"lb", "lb", 1u << ROLE_LEADER, false}, {"oa", "oa", 1u << ROLE_OFFICE, false},
	{"ea", "ea", 1u << ROLE_BASIC_EDU, false}, {"eb", "eb", 1u << ROLE_BASIC_EDU, false},
	{"sys", "sys", 1u << ROLE_SYSADMIN, false}};
#define PEOPLE (sizeof accounts / sizeof *accounts)
static const struct document_desk desks[] = {{DESK_HEAD, "la", "", 0}};
static const char *const schools[] = {"2132990001", "2132990002"}, *const chair[] = {"la"};

struct bench {
	struct arena arena;
	struct document_world w;
	struct meeting m;
	struct meeting_item item;
	struct meeting_ask ask;
	struct meeting_done done;
	struct problem p;
};

/* A meeting that ea plans and la leads, begun a minute ago. */
static struct bench *bench_new(enum meeting_state state, enum meeting_event event, size_t who)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	arena_init(&b->arena, 1u << 20);
	b->w = (struct document_world){
		.now = NOW, .accounts = accounts, .account_count = PEOPLE, .desks = desks, .desk_count = 1};
	b->item = (struct meeting_item){"x", "eb", 20};
	b->m = (struct meeting){.state = state,
		.plan = {.subject = "x",
			.place = "一楼",
			.chair = "la",
			.start = NOW - MINUTE,
			.end = NOW + 59 * MINUTE,
			.agenda = &b->item,
			.agenda_count = 1},
		.planner = state == MEETING_NONE ? "" : "ea",
		.people = schools,
		.people_count = 2};
	b->ask = (struct meeting_ask){.event = event,
		.user = accounts[who].user,
		.roles = accounts[who].roles,
		.reason = "x",
		.place = "二楼"};
	return b;
}

static enum err step(struct bench *b)
{
	return meeting_step(&b->w, &b->m, &b->ask, &b->done, &b->arena, &b->p);
}

static void bench_free(struct bench *b)
{
	arena_free(&b->arena);
	free(b);
}

static bool is_in_table(unsigned state, unsigned event)
{
	for (size_t i = 0; i < meeting_machine.n; i++)
		if (meeting_machine.rows[i].from == state && meeting_machine.rows[i].event == event)
			return true;
	return false;
}

/* Who may, as the contract says it. What a paper does, nobody does by hand. */
static const char *may(unsigned state, unsigned event)
{
	switch (event) {
	case MEETING_PLAN:
		return "la lb oa ea eb";
	case MEETING_APPROVE:
		return "la lb";
	case MEETING_NOTICE_ISSUED:
	case MEETING_MINUTES_ISSUED:
		return "";
	case MEETING_CANCEL:
		return state == MEETING_NOTICED ? "la" : "la lb ea";
	default:
		return "ea";
	}
}

static void every_state_and_event(void **state)
{
	(void)state;
	for (unsigned s = MEETING_NONE; s < MEETING_STATES; s++)
		for (unsigned e = 0; e < MEETING_EVENTS; e++)
			for (size_t u = 0; u < PEOPLE; u++) {
				struct bench *b = bench_new((enum meeting_state)s, (enum meeting_event)e, u);
				bool listed = is_in_table(s, e),
				     his = strstr(may(s, e), accounts[u].user) != NULL;
				enum err code = step(b);
				if (listed && his ? code != ERR_OK
						  : code != ERR_PERMISSION && (listed || code != ERR_NOT_NOW))
					fail_msg("state %u event %u by %s: %d", s, e, accounts[u].user, code);
				bench_free(b);
			}
}

static void expect(struct bench *b, enum err code, const char *field)
{
	assert_int_equal(step(b), code);
	if (field)
		assert_string_equal(b->p.field, field);
	bench_free(b);
}

static void times(void **state)
{
	struct bench *b = bench_new(MEETING_PLANNED, MEETING_APPROVE, 0);

	(void)state;
	b->m.plan.end = b->m.plan.start;
	expect(b, ERR_RULE, "R24");
	b = bench_new(MEETING_PLANNED, MEETING_APPROVE, 0);
	b->item.minutes = 60; /* just as long as the meeting */
	expect(b, ERR_OK, NULL);
	b = bench_new(MEETING_PLANNED, MEETING_APPROVE, 0);
	b->item.minutes = 61;
	expect(b, ERR_RULE, "R24");
	b = bench_new(MEETING_APPROVED, MEETING_MOVE, 3);
	b->ask.end = b->m.plan.start;
	expect(b, ERR_RULE, "R24");
	b = bench_new(MEETING_NOTICED, MEETING_HOLD, 3);
	b->m.plan.start = NOW + 1;
	expect(b, ERR_NOT_NOW, NULL);
	b = bench_new(MEETING_MINUTED, MEETING_CLOSE, 3);
	b->m.open_order = "督〔2026〕1号";
	expect(b, ERR_RULE, "R23");
}

static struct bench *beside(const struct meeting_other *other, size_t who, bool force)
{
	struct bench *b = bench_new(MEETING_PLANNED, MEETING_APPROVE, who);

	b->ask.others = other;
	b->ask.other_count = 1;
	b->ask.force = force;
	return b;
}

static void clashes(void **state)
{
	static const struct meeting_other room = {"会〔2026〕2号", "一楼", NULL, 0, NULL, 0},
					  leads = {"会〔2026〕2号", "二楼", chair, 1, NULL, 0},
					  sits = {"会〔2026〕2号", "二楼", NULL, 0, chair, 1},
					  others = {"会〔2026〕2号", "二楼", NULL, 0, schools, 1};

	(void)state;
	expect(beside(&room, 0, false), ERR_RULE, "R24");
	expect(beside(&room, 0, true), ERR_RULE, "R24"); /* nobody sits in one room twice */
	expect(beside(&leads, 0, false), ERR_RULE, "R24");
	expect(beside(&sits, 0, false), ERR_RULE, "R24");
	struct bench *b = beside(&leads, 0, true);
	b->ask.reason = ""; /* he says why */
	expect(b, ERR_RULE, "R24");
	b = beside(&leads, 0, true);
	assert_int_equal(step(b), ERR_OK);
	assert_int_equal(b->done.warning_count, 1);
	assert_string_equal(b->done.warnings[0].who, "la");
	bench_free(b);
	b = beside(&others, 0, false);
	assert_int_equal(step(b), ERR_OK);
	assert_int_equal(b->done.warning_count, 1);
	assert_string_equal(b->done.warnings[0].who, schools[0]);
	bench_free(b);
}

static const char *label(unsigned s)
{
	return s == MEETING_NONE ? "–" : meeting_state_code((enum meeting_state)s);
}

/* README.md has the rows as they are. */
static void readme_draws_the_table(void **state)
{
	char drawn[4096] = "", *text = calloc(1, 256 << 10);
	FILE *file = fopen(JG_SOURCE_DIR "/server/services/documents/README.md", "r");
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < meeting_machine.n; i++) {
		const struct matter_row *r = &meeting_machine.rows[i];
		len += (size_t)snprintf(drawn + len, sizeof drawn - len, "| %s | %s | %s%s%s | %s |\n",
			label(r->from), codes_meeting_event.items[r->event].code, matter_label(r->by[0]),
			r->by[1] ? ", " : "", r->by[1] ? matter_label(r->by[1]) : "", label(r->to));
	}
	if (file) {
		assert_true(fread(text, 1, (256 << 10) - 1, file) > 0);
		fclose(file);
	}
	if (!strstr(text, drawn))
		fprintf(stderr, "server/services/documents/README.md should have:\n%s", drawn);
	assert_non_null(strstr(text, drawn));
	free(text);
}

/* What a verifier lets pass in its trace is what the machine does. */
static void moves_are_the_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < meeting_machine.n; i++) {
		const struct matter_row *r = &meeting_machine.rows[i];
		const char *from = r->from == MEETING_NONE ? "" : label(r->from),
			   *event = codes_meeting_event.items[r->event].code;
		if (!matter_may_move(from, event, label(r->to)) && r->by[0] != MATTER_BY_PAPER &&
			strcmp(event, "notice") != 0 && strcmp(event, "minutes") != 0)
			fail_msg("no move %s by %s", from, event);
	}
	assert_false(matter_may_move("planned", "close", "closed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_and_event), cmocka_unit_test(times),
		cmocka_unit_test(clashes), cmocka_unit_test(readme_draws_the_table),
		cmocka_unit_test(moves_are_the_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
