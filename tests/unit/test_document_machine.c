/* server: the tables of 办文, walked over the full product: every state with every event, by everybody.
 * And README.md draws them as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document_moves.h"
#include "document_machine.h"
#include "documents_calls.h"
#include "tables.h"

#define NOW INT64_C(1790000000000000) /* 2026-09-21, a Monday */

static const struct document_account accounts[] = {{"la", "la", 1u << ROLE_LEADER, false},
	{"lb", "lb", 1u << ROLE_LEADER, false}, {"oa", "oa", 1u << ROLE_OFFICE, false},
	{"ob", "ob", 1u << ROLE_OFFICE, false}, {"ea", "ea", 1u << ROLE_BASIC_EDU, false},
	{"eb", "eb", 1u << ROLE_BASIC_EDU, false}, {"gone", "gone", 1u << ROLE_BASIC_EDU, true},
	{"sys", "sys", 1u << ROLE_SYSADMIN, false}};
static const struct document_desk desks[] = {{DESK_RECEIVE, "oa", "", 0}, {DESK_ISSUE, "oa", "", 0},
	{DESK_ARCHIVE, "ob", "", 0}, {DESK_HEAD, "la", "", 0}};
static const char *const named[] = {"eb"}, *const organs[] = {"县公安局"};

struct bench {
	struct arena arena;
	struct document_world w;
	struct document d;
	struct document_ask ask;
	struct document_done done;
	struct problem p;
};

static uint32_t roles_of(const char *user)
{
	for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
		if (strcmp(accounts[i].user, user) == 0)
			return accounts[i].roles;
	return 0;
}

/* A paper in that state with a person for every part, and an ask with everything that any event needs. */
static struct bench *bench_new(enum document_state state, enum document_event event, const char *user)
{
	struct bench *b = calloc(1, sizeof *b);
	bool reads = state == IN_CIRCULATING || state == IN_PROPOSING;

	assert_non_null(b);
	arena_init(&b->arena, 4u << 20);
	b->w = (struct document_world){.now = NOW,
		.today = workday_of(NOW),
		.accounts = accounts,
		.account_count = sizeof accounts / sizeof *accounts,
		.desks = desks,
		.desk_count = 4,
		.come_back_days = 1};
	assert_int_equal(workday_calendar_make(&b->w.calendar, NULL, 0, &b->arena, &b->p), ERR_OK);
	b->d = (struct document){.state = state,
		.version = 1,
		.last_version = 1,
		.reads = reads,
		.drafter = "ea",
		.leader = "la",
		.lead = "ea",
		.signer = "",
		.slot = "",
		.series = "",
		.copies = 5,
		.is_minutes = event == EVENT_ISSUE && state == OUT_PROOFED};
	b->d.task = arena_alloc(&b->arena, sizeof *b->d.task * 50);
	b->d.task_room = 50;
	const enum document_part parts[] = {PART_ASSIST, PART_READER, PART_COUNTERSIGN};
	for (size_t i = 0; i < 3; i++)
		b->d.people[b->d.person_count++] = (struct document_person){
			parts[i], "eb", state == IN_HANDLING && event == EVENT_FINISH};
	if (event == EVENT_JOINT)
		b->d.people[b->d.person_count++] = (struct document_person){PART_JOINT, organs[0], false};
	if (state == IN_HANDLING || state == IN_INSTRUCTING) {
		b->d.task[b->d.task_count++] = (struct document_task){.id = 1,
			.step = state == IN_HANDLING ? STEP_HANDLE : STEP_INSTRUCT,
			.principal = state == IN_HANDLING ? "ea" : "la",
			.school = "",
			.opened = NOW - 1,
			.since = NOW - 1,
			.due = NOW};
	}
	b->ask = (struct document_ask){.event = event,
		.user = user,
		.roles = roles_of(user),
		.text = "x",
		.reason = "x",
		.leader = event == EVENT_PASS ? "lb" : "la",
		.lead = "ea",
		.to = "ob",
		.slot = "x",
		.series = "x",
		.organ = organs[0],
		.by = "x",
		.assist = named,
		.assist_count = 1,
		.readers = named,
		.reader_count = 1,
		.due = 20261001,
		.date = 20260901,
		.copies = 5,
		.count = 5,
		.has_file = true,
		.same_substance = true};
	return b;
}

static enum err step(struct bench *b)
{
	return document_step(&b->w, &b->d, &b->ask, &b->done, &b->arena, &b->p);
}

static void bench_free(struct bench *b)
{
	arena_free(&b->arena);
	free(b);
}

static bool is_in_table(enum document_state state, enum document_event event)
{
	struct document_row rows[200];
	size_t n = document_rows(rows, 200);

	assert_in_range(n, 40, 200);
	for (size_t i = 0; i < n; i++)
		if (rows[i].from == state && rows[i].event == event)
			return true;
	return false;
}

/* What no table lists is refused, whoever asks; what one lists is done by somebody, and by nobody without
 * a part in it. */
static void every_state_and_event(void **state)
{
	int refused = 0, taken = 0;

	(void)state;
	for (int s = DOCUMENT_NONE; s < DOCUMENT_STATES; s++)
		for (int e = 0; e < DOCUMENT_EVENTS; e++) {
			bool listed = is_in_table((enum document_state)s, (enum document_event)e);
			int done = 0;
			for (size_t u = 0; u < sizeof accounts / sizeof *accounts; u++) {
				struct bench *b = bench_new(
					(enum document_state)s, (enum document_event)e, accounts[u].user);
				enum err code = step(b);
				done += code == ERR_OK;
				if (!listed && code != ERR_NOT_NOW && code != ERR_PERMISSION)
					fail_msg("state %d event %d by %s: %d", s, e, accounts[u].user, code);
				if (strcmp(accounts[u].user, "sys") == 0 && code != ERR_PERMISSION)
					fail_msg("state %d event %d: an administrator got %d", s, e, code);
				bench_free(b);
			}
			if (listed ? done == 0 : done != 0)
				fail_msg("state %d event %d is %s, and was done %d times", s, e,
					listed ? "listed" : "not listed", done);
			listed ? taken++ : refused++;
		}
	assert_true(taken > 50 && refused > 500);
}

/* Tasks are what the state asks for: after any event nothing else is open. */
static void tasks_follow_from_the_state(void **state)
{
	struct bench *b = bench_new(IN_INSTRUCTING, EVENT_INSTRUCT, "la");

	(void)state;
	assert_int_equal(step(b), ERR_OK);
	int open = 0;
	for (size_t i = 0; i < b->d.task_count; i++) {
		const struct document_task *t = &b->d.task[i];
		if (t->closed)
			assert_int_equal(t->step, STEP_INSTRUCT);
		else
			open++;
		if (t->step == STEP_HANDLE)
			assert_int_equal(t->due, workday_end(20261001));
	}
	assert_int_equal(open, 3); /* handle, assist, whole */
	bench_free(b);
}

/* Of several rules that are broken the lowest is told, and nothing has changed for the caller to keep. */
static void the_lowest_rule_is_told(void **state)
{
	struct bench *b = bench_new(IN_INSTRUCTING, EVENT_INSTRUCT, "la");

	(void)state;
	b->ask.lead = "gone";
	b->ask.due = 20260101;
	assert_int_equal(step(b), ERR_RULE);
	assert_string_equal(b->p.field, "R01");
	bench_free(b);
}

static void who_acts_for_himself_goes_first(void **state)
{
	static const struct document_away away[] = {{"la", "lb", 20260901, 20260930, 1, 0, false}};
	struct bench *b = bench_new(IN_INSTRUCTING, EVENT_PASS, "lb");

	(void)state;
	b->w.away = away;
	b->w.away_count = 1;
	b->ask.leader = "lb";
	assert_int_equal(step(b), ERR_OK);
	assert_string_equal(b->done.for_whom, "la");
	bench_free(b);
	b = bench_new(IN_INSTRUCTING, EVENT_PASS, "la"); /* he is away, and may still act himself */
	b->w.away = away;
	b->w.away_count = 1;
	assert_int_equal(step(b), ERR_OK);
	assert_null(b->done.for_whom);
	bench_free(b);
}

static const char *label(enum document_state s)
{
	return s == DOCUMENT_NONE ? "–" : document_state_code(s);
}

static const char *code_of(enum document_state s)
{
	return s == DOCUMENT_NONE ? "" : document_state_code(s);
}

static bool has_row(const struct document_row *rows, size_t n, const struct document_move *m)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(code_of(rows[i].from), m->from) == 0 && (rows[i].to >= OUT_DRAFT) == m->out &&
			strcmp(document_event_code(rows[i].event), m->event) == 0)
			return true;
	return false;
}

/* What a verifier lets pass is what the machine does: no event more, none less. */
static void moves_are_the_rows(void **state)
{
	struct document_row rows[200];
	size_t n = document_rows(rows, 200);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (!document_may_move(rows[i].to >= OUT_DRAFT, code_of(rows[i].from),
			    document_event_code(rows[i].event), code_of(rows[i].to)))
			fail_msg("no move %s by %s to %s", code_of(rows[i].from),
				document_event_code(rows[i].event), code_of(rows[i].to));
	for (const struct document_move *m = document_moves; m->from; m++)
		if (!has_row(rows, n, m))
			fail_msg("no row %s by %s", m->from, m->event);
	assert_false(document_may_move(true, "draft", "sign", "signing"));
	assert_false(document_may_move(false, "registered", "accept", "done"));
	assert_true(document_may_move(true, "signing", "return", "issued"));
}

/* README.md has the rows as they are. */
static void readme_draws_the_tables(void **state)
{
	struct document_row rows[200];
	size_t n = document_rows(rows, 200), len = 0;
	char *drawn = calloc(1, 64 << 10), *text = calloc(1, 256 << 10);
	FILE *file = fopen(JG_SOURCE_DIR "/server/services/documents/README.md", "r");

	(void)state;
	assert_non_null(drawn);
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(drawn + len, (64 << 10) - len, "| %s | %s | %s%s%s | %s |\n",
			label(rows[i].from), document_event_code(rows[i].event), rows[i].by[0],
			rows[i].by[1] ? ", " : "", rows[i].by[1] ? rows[i].by[1] : "", label(rows[i].to));
	if (file) {
		assert_true(fread(text, 1, (256 << 10) - 1, file) > 0);
		fclose(file);
	}
	if (!strstr(text, drawn)) {
		fputs("server/services/documents/README.md should have:\n", stderr);
		fputs(drawn, stderr);
	}
	assert_non_null(strstr(text, drawn));
	free(drawn);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(tasks_follow_from_the_state), cmocka_unit_test(the_lowest_rule_is_told),
		cmocka_unit_test(who_acts_for_himself_goes_first), cmocka_unit_test(moves_are_the_rows),
		cmocka_unit_test(readme_draws_the_tables)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
