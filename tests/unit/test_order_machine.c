/* server: the table of 重点交办, walked over the full product: every state with every event, by everybody.
 * And README.md draws it as it is. */
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
#include "order_machine.h"
#include "tables.h"

#define NOW INT64_C(1790000000000000) /* 2026-09-21, a Monday */

static const struct document_account accounts[] = {{"la", "la", 1u << ROLE_LEADER, false},
	{"oa", "oa", 1u << ROLE_OFFICE, false}, {"ob", "ob", 1u << ROLE_OFFICE, false},
	{"ea", "ea", 1u << ROLE_BASIC_EDU, false}, {"eb", "eb", 1u << ROLE_BASIC_EDU, false},
	{"sa", "sa", 1u << ROLE_SUPERVISION, false}, {"gone", "gone", 1u << ROLE_BASIC_EDU, true},
	{"sys", "sys", 1u << ROLE_SYSADMIN, false}};
#define PEOPLE (sizeof accounts / sizeof *accounts)

struct bench {
	struct arena arena;
	struct document_world w;
	struct order o;
	struct order_ask ask;
	struct order_done done;
	struct problem p;
};

/* An order that oa gave to ea, and an ask with everything that any event needs. */
static struct bench *bench_new(enum order_state state, enum order_event event, size_t who)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	arena_init(&b->arena, 4u << 20);
	b->w = (struct document_world){.now = NOW,
		.today = workday_of(NOW),
		.accounts = accounts,
		.account_count = PEOPLE,
		.come_back_days = 1};
	b->w.days[STEP_ORDER][URGENCY_PLAIN] = 5;
	assert_int_equal(workday_calendar_make(&b->w.calendar, NULL, 0, &b->arena, &b->p), ERR_OK);
	b->o = state == ORDER_NONE
		? (struct order){.title = "", .to = "", .adder = "", .answer = ""}
		: (struct order){state, "x", "ea", "oa", false, workday_end(20260925), "", 0};
	b->ask = (struct order_ask){.event = event,
		.user = accounts[who].user,
		.roles = accounts[who].roles,
		.title = "x",
		.to = event == ORDER_ADD ? "ea" : "eb",
		.text = "x",
		.reason = "x",
		.due = 20261001,
		.paper_takes = true,
		.paper = "x"};
	return b;
}

static enum err step(struct bench *b)
{
	return order_step(&b->w, &b->o, &b->ask, &b->done, &b->arena, &b->p);
}

static void bench_free(struct bench *b)
{
	arena_free(&b->arena);
	free(b);
}

static bool is_in_table(enum order_state state, enum order_event event)
{
	for (size_t i = 0; i < order_machine.n; i++)
		if (order_machine.rows[i].from == state && order_machine.rows[i].event == event)
			return true;
	return false;
}

/* Who may, as the contract says it, an event a line. */
static const char *may(enum order_event event)
{
	static const char *const people[ORDER_EVENTS] = {[ORDER_ADD] = "la oa ob sa",
		[ORDER_ANSWER] = "ea",
		[ORDER_ACCEPT] = "oa sa",
		[ORDER_RETURN] = "oa sa",
		[ORDER_TRANSFER] = "la oa",
		[ORDER_EXTEND] = "la",
		[ORDER_CANCEL] = "la"};

	return people[event];
}

static void every_state_and_event(void **state)
{
	(void)state;
	for (int s = ORDER_NONE; s < ORDER_STATES; s++)
		for (int e = 0; e < ORDER_EVENTS; e++)
			for (size_t u = 0; u < PEOPLE; u++) {
				struct bench *b = bench_new((enum order_state)s, (enum order_event)e, u);
				bool listed = is_in_table((enum order_state)s, (enum order_event)e),
				     his = strstr(may((enum order_event)e), accounts[u].user) != NULL;
				enum err code = step(b);
				if (listed && his ? code != ERR_OK
						  : code != ERR_PERMISSION && (listed || code != ERR_NOT_NOW))
					fail_msg("state %d event %d by %s: %d", s, e, accounts[u].user, code);
				/* Somebody owes something exactly while it is open. */
				bool open = b->o.state >= ORDER_OPEN && b->o.state <= ORDER_RETURNED;
				if (!code && e != ORDER_TRANSFER && e != ORDER_EXTEND)
					assert_int_equal(open, b->done.opens_order || b->done.opens_judge);
				bench_free(b);
			}
}

static void a_due_is_its_own(void **state)
{
	struct bench *b = bench_new(ORDER_NONE, ORDER_ADD, 0);

	(void)state;
	b->ask.due = 0;
	assert_int_equal(step(b), ERR_OK);
	assert_int_equal(b->o.due, workday_end(20260928)); /* the fifth working day */
	bench_free(b);
	b = bench_new(ORDER_ANSWERED, ORDER_RETURN, 1); /* no new time */
	assert_int_equal(step(b), ERR_OK);
	assert_int_equal(b->o.due, workday_end(20260925));
	bench_free(b);
	b = bench_new(ORDER_ANSWERED, ORDER_RETURN, 1); /* but a working day at least */
	b->o.due = workday_end(20260901);
	assert_int_equal(step(b), ERR_OK);
	assert_int_equal(b->o.due, workday_end(20260922));
	bench_free(b);
}

static void rules(void **state)
{
	static const struct {
		enum order_event event;
		const char *to, *title;
		int32_t due;
		const char *told;
	} cases[] = {{ORDER_ADD, "gone", "x", 20260101, "R01"}, {ORDER_ADD, "sys", "x", 0, "R01"},
		{ORDER_TRANSFER, "ea", "x", 0, "R01"}, {ORDER_ADD, "ea", "机密★一年", 20260101, "R07"},
		{ORDER_ADD, "ea", "x", 20260920, "R26"}, {ORDER_EXTEND, "", "x", 20260925, "R26"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench *b =
			bench_new(cases[i].event == ORDER_ADD ? ORDER_NONE : ORDER_OPEN, cases[i].event, 0);
		b->ask.to = cases[i].to;
		b->ask.title = cases[i].title;
		b->ask.due = cases[i].due;
		assert_int_equal(step(b), ERR_RULE);
		assert_string_equal(b->p.field, cases[i].told);
		bench_free(b);
	}
}

/* Who stands in answers for him; who answered for himself does not accept, whoever gave the order. */
static void people(void **state)
{
	static const struct document_away away[] = {{"ea", "eb", 20260901, 20260930, 1, 0, false}};
	struct bench *b = bench_new(ORDER_OPEN, ORDER_ANSWER, 4);

	(void)state;
	b->w.away = away;
	b->w.away_count = 1;
	assert_int_equal(step(b), ERR_OK);
	assert_string_equal(b->done.for_whom, "ea");
	bench_free(b);
	b = bench_new(ORDER_ANSWERED, ORDER_ACCEPT, 5);
	b->o.to = "sa";
	assert_int_equal(step(b), ERR_SAME_PERSON);
	bench_free(b);
}

static void papers_that_take_orders(void **state)
{
	(void)state;
	for (int s = DOCUMENT_NONE; s < DOCUMENT_STATES; s++)
		assert_int_equal(order_paper_takes((enum document_state)s),
			s == IN_INSTRUCTING || s == IN_HANDLING || s == IN_CIRCULATING || s == IN_REVIEWING ||
				s == IN_DONE || s == OUT_ISSUED || s == OUT_CLOSED);
}

static const char *label(unsigned s)
{
	return s == ORDER_NONE ? "–" : order_state_code((enum order_state)s);
}

/* README.md has the rows as they are. */
static void readme_draws_the_table(void **state)
{
	char drawn[4096] = "", *text = calloc(1, 256 << 10);
	FILE *file = fopen(JG_SOURCE_DIR "/server/services/documents/README.md", "r");
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < order_machine.n; i++) {
		const struct matter_row *r = &order_machine.rows[i];
		len += (size_t)snprintf(drawn + len, sizeof drawn - len, "| %s | %s | %s%s%s | %s |\n",
			label(r->from), codes_order_event.items[r->event].code, matter_label(r->by[0]),
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
	for (size_t i = 0; i < order_machine.n; i++) {
		const struct matter_row *r = &order_machine.rows[i];
		const char *from = r->from == ORDER_NONE ? "" : label(r->from),
			   *event = codes_order_event.items[r->event].code;
		if (!matter_may_move(from, event, label(r->to)) && r->by[0] != MATTER_BY_PAPER &&
			strcmp(event, "notice") != 0 && strcmp(event, "minutes") != 0)
			fail_msg("no move %s by %s", from, event);
	}
	assert_false(matter_may_move("returned", "cancel", "closed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(a_due_is_its_own), cmocka_unit_test(rules), cmocka_unit_test(people),
		cmocka_unit_test(papers_that_take_orders), cmocka_unit_test(readme_draws_the_table),
		cmocka_unit_test(moves_are_the_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
