/* Covers server/records/push_plan.c: what may hang on what, and who may write it. */
#include "push_bench.h"

static struct record guardian_of(uint8_t pupil_id)
{
	struct record r;
	uint8_t id[16];

	id_of(id, pupil_id);
	record_init(&r, kind_by_number(KIND_GUARDIAN));
	record_set_bytes(&r, F_GUARDIAN_STUDENT, memcpy(calloc(1, 16), id, 16), 16);
	record_set_number(&r, F_GUARDIAN_ORDINAL, 1);
	record_set_text(&r, F_GUARDIAN_NAME, "甲母");
	return r;
}

static void forget_guardian(struct record *r)
{
	free((void *)(uintptr_t)r->value[F_GUARDIAN_STUDENT].data);
}

/* Two colleagues: one deletes a pupil, the other enters a guardian. Whoever comes second is told. */
static void nothing_hangs_on_what_is_gone(void **state)
{
	struct record r = pupil("甲", "A1", "3"), on_gone = guardian_of(1), on_nobody = guardian_of(9);
	struct plan_child child = {.op = 0};
	struct bench *b = bench_new();

	(void)state;
	stands(b, 1, &r, SCHOOL);
	b->rows[0].state.deleted = true;
	add(b, (struct want){.id = 2, .kind = KIND_GUARDIAN, .body = &on_gone});
	add(b,
		(struct want){.id = 3,
			.kind = KIND_GUARDIAN,
			.body = &on_nobody}); /* who will learn of the pupil that exists */
	run(b);
	outcome(b, 0, REJECTED, ERR_NOT_FOUND);
	assert_string_equal(result(b, 0)->field, "student");
	outcome(b, 1, APPLIED, ERR_OK);
	bench_free(b);

	b = bench_new();
	id_of(child.id, 2);
	stands(b, 1, &r, SCHOOL);
	b->facts.children = &child;
	b->facts.child_count = 1;
	add(b, (struct want){.id = 1, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	run(b);
	outcome(b, 0, REJECTED, ERR_NOT_NOW);
	assert_int_equal(b->push.part.count, 0);
	bench_free(b);

	b = bench_new(); /* whom this push deletes before does not stand in the way */
	child.op = 1;
	stands(b, 1, &r, SCHOOL);
	stands(b, 2, &on_gone, SCHOOL);
	b->facts.children = &child;
	b->facts.child_count = 1;
	add(b, (struct want){.id = 2, .kind = KIND_GUARDIAN, .seen = {SEEN(1, 2)}, .n_seen = 1});
	add(b, (struct want){.id = 1, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, APPLIED, ERR_OK);
	bench_free(b);

	b = bench_new(); /* nor may one that was entered earlier in it be left behind */
	stands(b, 1, &r, SCHOOL);
	add(b, (struct want){.id = 2, .kind = KIND_GUARDIAN, .body = &on_gone});
	add(b, (struct want){.id = 1, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, REJECTED, ERR_NOT_NOW);
	bench_free(b);
	forget_guardian(&on_gone);
	forget_guardian(&on_nobody);
}

static void who_may(void **state)
{
	struct record mine = pupil("甲", "A1", "3"), theirs = pupil("乙", "A2", "4"),
		      now = pupil("丙", "A3", "4"), foreign = pupil("丁", "A4", "3");
	struct record school;
	struct bench *b = bench_new();

	(void)state;
	record_init(&school, kind_by_number(KIND_SCHOOL));
	stands(b, 3, &now, SCHOOL);
	stands(b, 4, &foreign, OTHER_SCHOOL);
	add(b, (struct want){.id = 1, .body = &mine, .author = "li"});
	add(b, (struct want){.id = 2, .body = &theirs, .author = "li"}); /* not his class */
	add(b,
		(struct want){.id = 3,
			.body = &mine,
			.author = "li",
			.seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)},
			.n_seen = 3}); /* taken into his class */
	add(b,
		(struct want){.id = 4,
			.body = &foreign,
			.seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)},
			.n_seen = 3}); /* another school's */
	add(b, (struct want){.id = 4, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	add(b, (struct want){.id = 5, .body = &mine, .author = "nobody"});
	add(b, (struct want){.id = 6, .body = &school, .kind = KIND_SCHOOL}); /* the county's */
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	for (size_t i = 1; i < 7; i++)
		outcome(b, i, REJECTED, ERR_PERMISSION);
	assert_true(result(b, 3)->current.len == 0); /* nothing of the other school's record is told */
	assert_int_equal(b->push.part.count, 1);
	bench_free(b);

	b = bench_new();
	b->authors[0].may_write = false; /* disabled, or away for 90 days */
	add(b, (struct want){.id = 1, .body = &mine});
	run(b);
	outcome(b, 0, REJECTED, ERR_PERMISSION);
	bench_free(b);

	b = bench_new();
	b->authors[0].roles = 1u << ROLE_SAFETY;
	add(b, (struct want){.id = 1, .body = &mine});
	run(b);
	outcome(b, 0, REJECTED, ERR_PERMISSION);
	bench_free(b);
}

/* A name that is written into an operation proves nothing: a registrar's session carries what others typed,
 * nobody else's does. */
static void whose_session(void **state)
{
	struct record mine = pupil("甲", "A1", "3"), other = pupil("乙", "A2", "4");
	struct bench *b = bench_new();

	(void)state;
	b->facts.user = "li";
	b->facts.carries_others = false;
	add(b, (struct want){.id = 1, .body = &mine, .author = "li"});
	add(b, (struct want){.id = 2, .body = &other, .author = "zhang"});
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	outcome(b, 1, REJECTED, ERR_PERMISSION);
	assert_string_equal(result(b, 1)->field, "author");
	bench_free(b);
}

/* A class teacher: everything that an operation has to do with, before and behind it, is of his classes. */
static void classes_before_and_behind(void **state)
{
	struct record out = pupil("甲", "A1", "4"), in = pupil("甲", "A1", "3"), five = in, row, named;
	struct bench *b = bench_new();

	(void)state;
	record_set_text(&five, F_STUDENT_GRADE, "15");
	stands(b, 1, &in, SCHOOL);
	add(b,
		(struct want){.id = 1,
			.body = &out,
			.author = "li",
			.seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)},
			.n_seen = 3}); /* given away */
	record_set_text(&five, F_STUDENT_CERT_NO, "A5");
	add(b, (struct want){.id = 2, .body = &five, .author = "li"}); /* the same number of another grade */
	record_init(&row, kind_by_number(KIND_DESTINATION));
	record_set_number(&row, F_DESTINATION_YEAR, 2026);
	record_set_text(&row, F_DESTINATION_NAME, "乙");
	record_set_text(&row, F_DESTINATION_CERT_TYPE, "9");
	record_set_text(&row, F_DESTINATION_CERT_NO, "A9");
	record_set_text(&row, F_DESTINATION_CATEGORY, "D5");
	add(b,
		(struct want){.kind = KIND_DESTINATION,
			.id = 3,
			.body = &row,
			.author = "li"}); /* of no class that can be told */
	named = row;
	record_set_text(&named, F_DESTINATION_CLASS_NO, "3");
	add(b,
		(struct want){.kind = KIND_DESTINATION,
			.id = 4,
			.body = &named,
			.author = "li"}); /* ours, it says; the pupil is another class's */
	record_set_text(&named, F_DESTINATION_CERT_NO, "A7");
	add(b,
		(struct want){.kind = KIND_DESTINATION,
			.id = 5,
			.body = &named,
			.author = "li"}); /* ours, it says; nobody has the number */
	record_set_text(&named, F_DESTINATION_CERT_NO, "A8");
	add(b, (struct want){.kind = KIND_DESTINATION, .id = 6, .body = &named, .author = "li"}); /* ours */
	const struct plan_scope scopes[] = {{3, "16/4", true}, {4, "16/3", false}, {5, "16/3", true}};
	b->facts.scopes = scopes;
	b->facts.scope_count = 3;
	run(b);
	for (size_t i = 0; i < 5; i++)
		outcome(b, i, REJECTED, ERR_PERMISSION);
	assert_string_equal(result(b, 4)->field, "cert_no");
	outcome(b, 5, APPLIED, ERR_OK);
	assert_non_null(strstr(result(b, 0)->message, "六年级3班"));
	bench_free(b);
}

/* What a push has made, the same push may change and take back: its author is judged by the record as the push
 * has left it, since a deletion carries nothing and an edit only its groups. */
static void undone_in_the_push_that_made_it(void **state)
{
	struct record mine = pupil("甲", "A1", "3"), theirs = pupil("乙", "A2", "4"), row;
	struct record guardian = guardian_of(1), foreign = guardian_of(2);
	struct bench *b = bench_new();
	unsigned names = guardian.kind->fields[F_GUARDIAN_NAME].group;

	(void)state;
	record_init(&row, kind_by_number(KIND_DESTINATION));
	record_set_number(&row, F_DESTINATION_YEAR, 2026);
	record_set_text(&row, F_DESTINATION_NAME, "甲");
	record_set_text(&row, F_DESTINATION_CERT_TYPE, "9");
	record_set_text(&row, F_DESTINATION_CERT_NO, "A1");
	record_set_text(&row, F_DESTINATION_CATEGORY, "D5");
	add(b, (struct want){.id = 1, .body = &mine, .author = "li"});
	add(b, (struct want){.kind = KIND_GUARDIAN, .id = 10, .body = &guardian, .author = "li"});
	add(b, (struct want){.kind = KIND_DESTINATION, .id = 11, .body = &row, .author = "li"});
	add_groups(b,
		(struct want){.kind = KIND_GUARDIAN,
			.id = 10,
			.body = &guardian,
			.author = "li",
			.seen = {OWN(names, 2)},
			.n_seen = 1},
		1u << (names - 1)); /* not a word of whose he is */
	add(b,
		(struct want){
			.kind = KIND_GUARDIAN, .id = 10, .author = "li", .seen = {OWN(1, 4)}, .n_seen = 1});
	add(b,
		(struct want){
			.id = 1, .author = "li", .seen = {OWN(1, 1), OWN(2, 1), OWN(3, 1)}, .n_seen = 3});
	add(b, (struct want){.kind = KIND_DESTINATION, .id = 11, .author = "li"}); /* behind its pupil */
	add(b, (struct want){.id = 2, .body = &theirs});
	add(b, (struct want){.kind = KIND_GUARDIAN, .id = 20, .body = &foreign});
	add(b,
		(struct want){
			.kind = KIND_GUARDIAN, .id = 20, .author = "li", .seen = {OWN(1, 9)}, .n_seen = 1});
	run(b);
	for (size_t i = 0; i < 6; i++)
		outcome(b, i, APPLIED, ERR_OK);
	assert_true(result(b, 6)->code != ERR_PERMISSION);
	outcome(b, 9, REJECTED, ERR_PERMISSION); /* another class's */
	bench_free(b);
	forget_guardian(&guardian);
	forget_guardian(&foreign);
}

/* What is hung on another school's record, or on one of a kind that it is not for, is refused, be that record
 * hidden or not. */
static void hangs_on_its_own(void **state)
{
	struct record guardian = guardian_of(9);
	struct bench *b = bench_new();
	struct plan_target targets[4] = {
		{KIND_STUDENT, false}, {KIND_STUDENT, true}, {KIND_DESTINATION, true}, {0, false}};

	(void)state;
	b->facts.targets = targets;
	for (uint8_t i = 0; i < 4; i++) {
		record_set_number(&guardian, F_GUARDIAN_ORDINAL, i + 1);
		add(b, (struct want){.kind = KIND_GUARDIAN, .id = (uint8_t)(20 + i), .body = &guardian});
	}
	run(b);
	outcome(b, 0, REJECTED, ERR_PERMISSION);
	outcome(b, 1, APPLIED, ERR_OK);
	outcome(b, 2, REJECTED, ERR_PERMISSION);
	outcome(b, 3, APPLIED, ERR_OK); /* it never came to be: its sender learns of the one that exists */
	bench_free(b);
	forget_guardian(&guardian);
}

/* A pupil whom the push itself brings is not in the database: his class counts all the same, and only a
 * number that finds him names him. */
static void classes_of_whom_the_push_brings(void **state)
{
	static const struct {
		const char *cert, *student, *class_no; /* what a class teacher of class 3 says of a leaver */
		bool taken;
	} said[] = {
		{"A4", "", "3", false},                  /* another class's pupil */
		{"A3", "", "", true},                    /* his own, and it need not be said again */
		{"", "G329999201403150017", "", true},   /* by the other number */
		{"A3", "G329999201403150025", "", true}, /* one of them is enough */
		{"", "G329999201403150025", "3", false}, /* nobody's */
		{"", "12", "3", false}, /* that of a pupil, and no number that anything else would find */
		{"B1", "", "3", false}, /* a pupil of another stage is another pupil */
		{"A9", "", "3", false}, /* he was deleted meanwhile */
	};
	struct record pupils[] = {pupil("甲", "A4", "4"), pupil("乙", "A3", "3"), pupil("丙", "A5", "3"),
		pupil("丁", "B1", "3"), pupil("戊", "A9", "3")};
	struct record on_fourth = guardian_of(1), on_third = guardian_of(2), rows[8], name_only;
	struct bench *b = bench_new();
	size_t many = sizeof pupils / sizeof *pupils;

	(void)state;
	record_set_text(&pupils[1], F_STUDENT_STUDENT_NO, "G329999201403150017");
	record_set_text(&pupils[2], F_STUDENT_STUDENT_NO, "12");
	record_set_text(&pupils[3], F_STUDENT_GRADE, "21");
	for (size_t i = 0; i < many; i++)
		add(b, (struct want){.id = (uint8_t)(i + 1), .body = &pupils[i]});
	add(b, (struct want){.id = 5, .seen = {OWN(1, 5), OWN(2, 5), OWN(3, 5)}, .n_seen = 3});
	for (size_t i = 0; i < 8; i++) {
		record_init(&rows[i], kind_by_number(KIND_DESTINATION));
		record_set_number(&rows[i], F_DESTINATION_YEAR, 2026);
		record_set_text(&rows[i], F_DESTINATION_NAME, "乙");
		record_set_text(&rows[i], F_DESTINATION_CATEGORY, "D5");
		record_set_text(&rows[i], F_DESTINATION_CERT_TYPE, "9");
		if (said[i].cert[0])
			record_set_text(&rows[i], F_DESTINATION_CERT_NO, said[i].cert);
		if (said[i].student[0])
			record_set_text(&rows[i], F_DESTINATION_STUDENT_NO, said[i].student);
		if (said[i].class_no[0])
			record_set_text(&rows[i], F_DESTINATION_CLASS_NO, said[i].class_no);
		add(b,
			(struct want){.kind = KIND_DESTINATION,
				.id = (uint8_t)(20 + i),
				.body = &rows[i],
				.author = "li"});
	}
	run(b);
	for (size_t i = 0; i <= many; i++)
		outcome(b, i, APPLIED, ERR_OK);
	for (size_t i = 0; i < 8; i++) {
		const pb_op_result *r = result(b, many + 1 + i);
		assert_int_equal(r->code == ERR_PERMISSION, !said[i].taken);
	}
	bench_free(b);

	b = bench_new(); /* what hangs on him too; and an edit that does not say the class leaves it open */
	name_only = pupil("庚", "A3", "3");
	for (size_t i = 0; i < 2; i++)
		add(b, (struct want){.id = (uint8_t)(i + 1), .body = &pupils[i]});
	add(b, (struct want){.kind = KIND_GUARDIAN, .id = 20, .body = &on_fourth, .author = "li"});
	add(b, (struct want){.kind = KIND_GUARDIAN, .id = 21, .body = &on_third, .author = "li"});
	add_groups(b,
		(struct want){.id = 2, .body = &name_only, .seen = {OWN(1, 2)}, .n_seen = 1, .author = "li"},
		1);
	run(b);
	outcome(b, 2, REJECTED, ERR_PERMISSION);
	outcome(b, 3, APPLIED, ERR_OK);
	outcome(b, 4, APPLIED, ERR_OK);
	bench_free(b);
	forget_guardian(&on_fourth);
	forget_guardian(&on_third);
}

/* What stands behind the end of a list of facts is of an earlier push. */
static void only_as_many_facts_as_are_counted(void **state)
{
	struct record mine = pupil("甲", "A1", "3"), fourth = pupil("乙", "A2", "4"),
		      there = pupil("丙", "A3", "3"), edit = pupil("丁", "A3", "3");
	const struct plan_scope scopes[] = {{1, "16/4", true}};
	const struct plan_child child = {.op = 2};
	pb_op_result old = PB_OP_RESULT_INIT, *list[1] = {&old};
	pb_push_reply reply = PB_PUSH_REPLY_INIT;
	struct bench *b = bench_new();
	uint32_t gver[3] = {2, 2, 2};

	(void)state;
	b->first = 8;
	b->facts.device.last_op = 7;
	old.outcome = JINGGUAN__V1__OUTCOME__APPLIED;
	old.n_gver = 3;
	old.gver = gver;
	reply.n_result = 1;
	reply.result = list;
	b->replay = (struct plan_replay){7, 7, b->shas, &reply};
	stands(b, 4, &there, SCHOOL);
	stands(b, 1, &mine, SCHOOL);
	b->facts.row_count = 1;
	b->holders[0] = (struct plan_holder){.kind = mine.kind, .key = "cert_no=A1", .owner = SCHOOL};
	id_of(b->holders[0].id, 77);
	b->refusal.op = 0;
	problem_set(&b->refusal.problem, ERR_INCOMPLETE, "stage", NULL, "not yet");
	strcpy(b->authors[1].classes[1], "16/4");
	b->facts.scopes = scopes;
	b->facts.children = &child;
	add(b, (struct want){.id = 1, .body = &mine, .author = "li"});
	add(b, (struct want){.id = 2, .body = &fourth, .author = "li"});
	add(b, (struct want){.id = 4, .seen = {SEEN(1, 2), SEEN(2, 2), SEEN(3, 2)}, .n_seen = 3});
	add_groups(b, (struct want){.id = 1, .body = &edit, .seen = {OWN(1, 7)}, .n_seen = 1}, 1);
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	assert_true(b->push.part.effect[0].fresh);
	outcome(b, 1, REJECTED, ERR_PERMISSION);
	assert_null(strstr(result(b, 1)->message, "4班"));
	outcome(b, 2, APPLIED, ERR_OK);
	outcome(b, 3, BLOCKED, ERR_BLOCKED);
	b->facts.scopes = (struct plan_scope[]){{0, "16/4", true}};
	b->facts.author_count = 1;
	b->count = 1;
	run(b);
	outcome(b, 0, REJECTED, ERR_PERMISSION);
	b->facts.author_count = 2;
	run(b);
	outcome(b, 0, APPLIED, ERR_OK);
	bench_free(b);

	b = bench_new();
	b->facts.device.last_op = 1;
	b->replay = (struct plan_replay){1, 1, b->shas, NULL};
	add(b, (struct want){.id = 1, .body = &mine});
	run(b);
	assert_true(b->push.replayed && b->push.answered == 0 && !b->push.forked);
	bench_free(b);
}

/* To whom a slip is addressed the database says, whether the slip is among the facts or hidden from this
 * school. */
static void hangs_on_what_is_addressed_to_it(void **state)
{
	uint8_t slip_id[ID_SIZE];
	struct record slip, visit;
	struct plan_target targets[2] = {{KIND_SLIP, true}, {KIND_SLIP, false}};
	struct bench *b = bench_new();

	(void)state;
	id_of(slip_id, 50);
	record_init(&slip, kind_by_number(KIND_SLIP));
	record_init(&visit, kind_by_number(KIND_PERSUASION));
	record_set_bytes(&visit, F_PERSUASION_SLIP, slip_id, ID_SIZE);
	stands(b, 50, &slip, "");
	b->facts.targets = targets;
	for (uint8_t i = 0; i < 2; i++)
		add(b, (struct want){.kind = KIND_PERSUASION, .id = (uint8_t)(20 + i), .body = &visit});
	run(b);
	assert_int_not_equal(result(b, 0)->code, ERR_PERMISSION);
	outcome(b, 1, REJECTED, ERR_PERMISSION);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_hangs_on_what_is_gone),
		cmocka_unit_test(who_may), cmocka_unit_test(whose_session),
		cmocka_unit_test(classes_before_and_behind),
		cmocka_unit_test(undone_in_the_push_that_made_it),
		cmocka_unit_test(classes_of_whom_the_push_brings),
		cmocka_unit_test(only_as_many_facts_as_are_counted), cmocka_unit_test(hangs_on_its_own),
		cmocka_unit_test(hangs_on_what_is_addressed_to_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
