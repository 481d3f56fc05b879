/* Covers client/core/{import,import_row,value,batch,evidence,find,export}.c, services/import_pupil.c. Numbers
 * are of area 329999, names invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "batch.h"
#include "codes.h"
#include "core_fixture.h"
#include "scope.h"
#include "find.h"
#include "import.h"
#include "client_service.h"
#include "nomem.h"
#include "cycle.h"
#include "transition.h"
#include "value.h"

#define HEAD "姓名,身份证号,年级,班级,性别,监护人姓名,监护人电话\n"

static struct import_report run(
	struct fixture *f, struct import_options o, const char *name, const char *text, enum err want)
{
	struct import_report report;
	struct problem p = {0};
	char path[160];

	fixture_write(f, name, text, path);
	o.path = path;
	if (!o.year)
		o.year = profile_today(&f->profile) / 10000;
	enum err e = import_run(f->store, &o, &report, &p);
	if (e != want)
		fail_msg("%s: %s", err_info((int)e)->name, p.message);
	return report;
}

static struct import_report students(struct fixture *f, const char *text)
{
	return run(f, (struct import_options){.rules = import_find("students")}, "s.csv", text, ERR_OK);
}

static void assert_counts(
	const struct import_report *r, size_t inserted, size_t updated, size_t unchanged, size_t rejected)
{
	assert_int_equal(r->inserted, inserted);
	assert_int_equal(r->updated, updated);
	assert_int_equal(r->unchanged, unchanged);
	assert_int_equal(r->rejected.n, rejected);
}

static void assert_rejected(
	const struct import_report *r, size_t i, long row, const char *field, const char *code)
{
	assert_true(i < r->rejected.n);
	assert_int_equal(r->rejected.list[i].row, row);
	assert_string_equal(r->rejected.list[i].field, field);
	assert_string_equal(r->rejected.list[i].code, code);
	assert_true(r->rejected.list[i].message[0] != 0);
}

static void rows_are_judged(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f,
		HEAD "测甲,329999201403150017,六年级,六（3）班,男,测父,13800000001\n"
		     "测乙,1.23E+17,六年级,3,女,,\n"
		     "测丙,329999201403150018,16,3班,女,,\n"
		     "测丁,32999920140230001X,16,3班,女,,\n"
		     "测戊,,16,3,女,,\n"
		     "测己,329999201501011109,六年级,,女,,\n"
		     "测庚,329999201501011109,六年级,3,火星,,\n"
		     "合计,,,,,,\n");
	assert_int_equal(r.read, 7);
	assert_counts(&r, 1, 0, 0, 6);
	assert_rejected(&r, 0, 3, "证件号码", "ID_DAMAGED");
	assert_rejected(&r, 1, 4, "证件号码", "ID_CHECK");
	assert_rejected(&r, 2, 5, "证件号码", "ID_DATE");
	assert_rejected(&r, 3, 6, "证件号码", "MISSING");
	assert_rejected(&r, 4, 7, "班级", "MISSING");
	assert_rejected(&r, 5, 8, "性别", "INVALID");
	import_report_free(&r);
	fixture_close(&f);
}

static void repeats_and_updates(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f,
		HEAD "测甲,329999201403150017,16,3,男,测父,13800000001\n"
		     "测甲,329999201403150017,16,3,男,测父,13800000001\n"
		     "测甲,329999201403150017,16,4,男,测父,13800000001\n");
	assert_counts(&r, 1, 0, 1, 1);
	assert_rejected(&r, 0, 4, "证件号码", "DUPLICATE");
	import_report_free(&r);
	uint64_t made = f.store->made;
	r = students(&f, HEAD "测甲,329999201403150017,16,3,男,测父,13800000001\n");
	assert_counts(&r, 0, 0, 1, 0);
	assert_int_equal(f.store->made, made); /* nothing changed, nothing queued */
	import_report_free(&r);
	r = students(&f, HEAD "测甲,329999201403150017,16,3,男,测父,13800000009\n");
	assert_counts(&r, 0, 1, 0, 0);
	assert_int_equal(f.store->made, made + 1); /* the guardian */
	import_report_free(&r);
	fixture_close(&f);
}

static void options_hold_back(void **state)
{
	static const char text[] =
		HEAD "测甲,329999201403150017,16,3,男,,\n测乙,329999201403150018,16,3,女,,\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r =
		run(&f, (struct import_options){.rules = import_find("students"), .dry_run = true}, "s.csv",
			text, ERR_OK);
	assert_counts(&r, 1, 0, 0, 1);
	assert_int_equal(f.store->made, 0);
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("students"), .all_or_nothing = true},
		"s.csv", text, ERR_FILE_FORMAT);
	assert_int_equal(f.store->made, 0);
	assert_int_equal(r.rejected.n, 1);
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("students"), .keep_invalid = true}, "s.csv",
		text, ERR_OK);
	assert_counts(&r, 2, 0, 0, 0);
	assert_int_equal(r.warnings.n, 1);
	import_report_free(&r);
	fixture_close(&f);
}

static void another_school_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f,
		"学校,姓名,身份证号,年级,班级\n"
		"第九小学,测甲,329999201403150017,16,3\n"
		"测试县第八小学,测乙,329999201403150025,16,3\n");
	assert_counts(&r, 1, 0, 0, 1);
	assert_rejected(&r, 0, 3, "学校名称", "OTHER_SCHOOL");
	import_report_free(&r);
	fixture_close(&f);
}

static void a_class_teacher_has_his_classes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "class_teacher");
	f.profile.session.class_count = 1;
	snprintf(f.profile.session.classes[0], sizeof f.profile.session.classes[0], "16/3");
	struct import_report none = run(
		&f, (struct import_options){.rules = import_find("students")}, "s.csv", HEAD, ERR_NOT_NOW);
	import_report_free(&none); /* of a computer that never heard who is there */
	assert_int_equal(
		sqlite3_exec(f.store->db, "UPDATE stream SET cursor = 1", NULL, NULL, NULL), SQLITE_OK);
	struct import_report r = students(&f,
		HEAD "测甲,329999201403150017,16,3,男,,\n测乙,329999201403150025,16,4,女,,"
		     "\n测丙,329999201501011109,15,3,女,,\n");
	assert_counts(&r, 1, 0, 0, 2);
	assert_rejected(&r, 0, 3, "班级", "PERMISSION");
	assert_rejected(&r, 1, 4, "班级", "PERMISSION"); /* the same number of another grade */
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("destinations")}, "d.csv",
		"姓名,证件号码,全国学籍号,班级,去向类别\n测甲,329999201403150017,,3,D5\n测乙,"
		"329999201403150025,,3,D5\n测丙,,G329999201403150017,3,D5\n",
		ERR_OK);
	assert_counts(&r, 2, 0, 0, 1);
	assert_rejected(&r, 0, 3, "证件号码",
		"PERMISSION"); /* nobody on the roster has the number; an ID number is a student number */
	import_report_free(&r);
	fixture_close(&f);
}

/* Only the list of pupils can say that a number was kept on purpose: a roster is of others' pupils. */
static void a_roster_keeps_what_the_list_of_pupils_asks_about(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = run(&f,
		(struct import_options){
			.rules = import_find("enrolled"), .year = profile_today(&f.profile) / 10000},
		"e.csv", "姓名,证件号码,班级,是否报到\n测甲,329999201403150018,向阳班,是\n", ERR_OK);
	assert_counts(&r, 1, 0, 0, 0);
	assert_int_equal(r.warnings.n, 2);
	assert_string_equal(r.warnings.list[0].field, "班级"); /* a class with a name has no number */
	assert_string_equal(r.warnings.list[1].code, "ID_CHECK");
	import_report_free(&r);
	r = students(&f, HEAD "测甲,329999201403150018,16,向阳班,男,,\n");
	assert_counts(&r, 0, 0, 0, 1);
	import_report_free(&r);
	fixture_close(&f);
}

/* What a service asks of an import is a row of rules; a kind that is of no pupil needs nothing else. */
static void a_kind_without_pupils_is_read_by_its_declaration(void **state)
{
	static const uint32_t views[] = {KIND_CATCHMENT, 0};
	static const struct import_rules catchments = {
		.name = "catchments", .kind = KIND_CATCHMENT, .views = views};
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = run(&f, (struct import_options){.rules = &catchments}, "c.csv",
		"学校标识码,学段,区划代码\n2132000001,小学,329999001001\n2132000001,初中,329999001001\n"
		"2132000001,小学,329999001001\n2132000001,幼儿,329999001002\n",
		ERR_OK);
	assert_counts(&r, 2, 0, 1, 1);
	assert_int_equal(r.rejected.list[0].row, 5);
	import_report_free(&r);
	fixture_close(&f);
}

static void fill_stage(struct import *im, struct import_row *row)
{
	(void)im;
	if (!record_has(&row->record, F_CATCHMENT_STAGE))
		record_set_text(&row->record, F_CATCHMENT_STAGE, "primary");
}

/* What the rules fill is not asked of people's files; what nobody fills is. */
static void a_column_is_demanded_unless_the_rules_fill_it(void **state)
{
	static const uint32_t views[] = {KIND_CATCHMENT, 0};
	static const char text[] = "学校标识码,区划代码\n2132000001,329999001001\n",
			  with[] = "学校标识码,学段,区划代码\n2132000001,小学,329999001001\n"
				   "2132000001,,329999001002\n";
	struct import_rules rules = {.name = "catchments", .kind = KIND_CATCHMENT, .views = views};
	struct fixture f;

	(void)state;
	fixture_open(&f, "class_teacher"); /* no pupils: nothing has to be known before */
	struct import_report r =
		run(&f, (struct import_options){.rules = &rules}, "c.csv", text, ERR_FILE_HEADER);
	import_report_free(&r);
	rules.fills = (const char *const[]){"stage", NULL};
	rules.cells = fill_stage;
	r = run(&f, (struct import_options){.rules = &rules}, "c.csv", text, ERR_OK);
	assert_counts(&r, 1, 0, 0, 0);
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = &rules}, "c.csv", with, ERR_OK);
	assert_counts(&r, 1, 0, 1, 0);
	import_report_free(&r);
	rules.cells = NULL; /* it said that it would */
	r = run(&f, (struct import_options){.rules = &rules}, "c.csv",
		"学校标识码,区划代码\n2132000001,329999009\n", ERR_OK);
	assert_counts(&r, 0, 0, 0, 1);
	assert_rejected(&r, 0, 2, "学段", "MISSING");
	import_report_free(&r);
	fixture_close(&f);
}

static void destinations_keep_what_reconciliation_needs(void **state)
{
	struct fixture f;
	char path[160];

	(void)state;
	fixture_open(&f, "registrar");
	fixture_write(&f, "proof.pdf", "%PDF-1.4\n", path);
	struct import_report r =
		run(&f, (struct import_options){.rules = import_find("destinations")}, "d.csv",
			"姓名,证件号码,去向类别,拟升入学校,佐证材料\n"
			"测甲,329999201403150017,A1 施教区公办,某中学,proof.pdf；没有的.pdf\n"
			"测乙,329999201403150018,外省,,口头说明\n"
			"测丙,329999201501011109,Z9,,\n",
			ERR_OK);
	assert_counts(&r, 2, 0, 0, 1);
	assert_rejected(&r, 0, 4, "去向类别", "INVALID");
	assert_int_equal(r.warnings.n, 1); /* the check digit */
	import_report_free(&r);
	struct view *v;
	size_t n, files = 0;
	assert_int_equal(view_load(&v, f.store, transition_kinds, NULL), ERR_OK);
	struct pupil_row *rows = transition_pupils(v, profile_today(&f.profile) / 10000, &n);
	for (size_t i = 0; i < n; i++)
		files += rows[i].evidence;
	assert_int_equal(n, 2);
	assert_int_equal(files, 1);
	free(rows);
	view_free(v);
	fixture_close(&f);
}

struct batches {
	struct batch_row row[4];
	size_t n;
};

static enum err take_batch(void *data, const struct batch_row *row)
{
	struct batches *b = data;

	assert_true(b->n < sizeof b->row / sizeof *b->row);
	b->row[b->n++] = *row;
	return ERR_OK;
}

static void assert_batch(const struct batch_row *b, const char *what, size_t inserted, size_t updated,
	size_t unchanged, bool undone)
{
	assert_string_equal(b->what, what);
	assert_int_equal(b->counts.inserted, inserted);
	assert_int_equal(b->counts.updated, updated);
	assert_int_equal(b->counts.unchanged, unchanged);
	assert_int_equal(b->undone != 0, undone);
}

static void undo_gives_back_unless_built_upon(void **state)
{
	static struct batches batches;
	static struct undo_report undo;
	struct problem p = {0};
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report first = students(&f, HEAD "测甲,329999201403150017,16,3,男,测父,13800000001\n");
	struct import_report second = run(&f,
		(struct import_options){.rules = import_find("students"), .force = true}, "s.csv",
		HEAD "测甲,329999201403150017,16,4,男,测父,13800000001\n测乙,329999201403150025,16,4,女,,\n",
		ERR_OK);
	assert_counts(&second, 1, 1, 0, 0);
	assert_int_equal(batch_undo(f.store, first.id, false, &undo, &p), ERR_CONFLICT);
	assert_int_equal(undo.blocked, 1);
	assert_string_equal(undo.block[0].name, "测甲");
	assert_int_equal(batch_undo(f.store, second.id, false, &undo, &p), ERR_OK);
	assert_int_equal(undo.undone, 2);
	assert_int_equal(batch_undo(f.store, second.id, false, &undo, &p), ERR_EXISTS);
	batches.n = 0;
	assert_int_equal(batch_each(f.store, take_batch, &batches, &p), ERR_OK);
	assert_int_equal(batches.n, 3);
	assert_batch(&batches.row[0], "undo", 0, 2, 0, false);
	assert_int_equal(batch_undo(f.store, batches.row[0].id, false, &undo, &p),
		ERR_NOT_NOW); /* it deleted 测乙: only the file has him */
	assert_non_null(strstr(p.hint, "import_table students "));
	assert_non_null(strstr(p.hint, "s.csv"));
	assert_int_equal(undo.blocked, 0);
	assert_batch(&batches.row[1], "students", 1, 1, 0, true);
	assert_batch(&batches.row[2], "students", 1, 0, 0, false);
	static const uint32_t kinds[] = {KIND_STUDENT, 0};
	struct view *v;
	assert_int_equal(view_load(&v, f.store, kinds, &p), ERR_OK);
	assert_true(record_is(
		&find_record(v, KIND_STUDENT, "329999201403150017", 0)->record, F_STUDENT_CLASS_NO, "3"));
	assert_null(find_record(v, KIND_STUDENT, "329999201403150025", 0));
	view_free(v);
	/* judged, nothing done yet */
	assert_int_equal(batch_undo(f.store, first.id, true, &undo, &p), ERR_OK);
	uint32_t registrar = f.profile.session.roles;
	/* who writes no pupils takes none back, but what he writes himself */
	f.profile.session.roles = 1u << ROLE_HEAD;
	assert_int_equal(batch_undo(f.store, first.id, false, &undo, &p), ERR_PERMISSION);
	assert_int_equal(scope_writes(&f.profile.session, kind_by_number(KIND_PERSUASION), &p), ERR_OK);
	f.profile.session.roles = registrar;
	assert_int_equal(batch_undo(f.store, first.id, false, &undo, &p), ERR_OK);
	assert_int_equal(undo.undone, 2); /* the pupil and the guardian */
	import_report_free(&first);
	import_report_free(&second);
	fixture_close(&f);
}

static void pupils_are_found(void **state)
{
	static const uint32_t kinds[] = {KIND_STUDENT, 0};
	static const char *const queries[] = {"张小", "zxm", "zhangxiao", "0017", "329999201403150017"};
	struct item *found[FIND_MAX];
	struct fixture f;
	struct view *v;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r =
		students(&f, HEAD "张小明,329999201403150017,16,3,男,,\n李四,329999201403150025,16,4,女,,\n");
	import_report_free(&r);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		assert_int_equal(find_pupils(v, queries[i], found), 1);
		assert_true(record_is(&found[0]->record, F_STUDENT_NAME, "张小明"));
	}
	view_free(v);
	fixture_close(&f);
}

static void what_is_exported_reads_back_unchanged(void **state)
{
	struct import_report report;
	struct fixture f;
	struct view *v;
	struct export_report written;
	char path[160];

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f,
		HEAD
		"张小明,329999201403150017,16,3,男,测父,13800000001\n李四,329999201403150025,16,4,女,,\n");
	import_report_free(&r);
	snprintf(path, sizeof path, "%s/out.xlsx", f.dir);
	assert_int_equal(view_load(&v, f.store, transition_kinds, NULL), ERR_OK);
	assert_int_equal(export_run(v, export_find("students"), path, NULL, NULL, &written, NULL), ERR_OK);
	view_free(v);
	assert_int_equal(written.rows, 2);
	assert_int_equal(
		import_run(f.store, &(struct import_options){.rules = import_find("students"), .path = path},
			&report, NULL),
		ERR_OK);
	assert_counts(&report, 0, 0, 2, 0);
	import_report_free(&report);
	fixture_close(&f);
}

/* What comes from no file is as fit to be stored: a note of two lines is one, and what no end may store is
 * told at once. */
static void what_is_typed_is_cleaned_or_refused(void **state)
{
	static const uint32_t kinds[] = {KIND_STUDENT, 0};
	struct problem p = {0};
	struct fixture f;
	struct view *v;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f, HEAD "测甲,329999201403150017,16,3,男,,\n");
	import_report_free(&r);
	assert_int_equal(view_load(&v, f.store, kinds, NULL), ERR_OK);
	struct item *item = find_record(v, KIND_STUDENT, "329999201403150017", 0);
	struct record want = item->record;
	record_set_text(&want, F_STUDENT_LIVE_ADDRESS, "东街\n3号\x1B\u202E");
	assert_int_equal(store_begin(f.store, &p), ERR_OK);
	assert_int_equal(outbox_put(v, &item, &want, UINT32_MAX, 0, &p), ERR_OK);
	assert_true(record_is(&item->record, F_STUDENT_LIVE_ADDRESS, "东街 3号"));
	record_set_text(&want, F_STUDENT_LIVE_ADDRESS, "东街\uFFFE");
	assert_int_equal(outbox_put(v, &item, &want, UINT32_MAX, 0, &p), ERR_INVALID);
	assert_string_equal(p.field, "live_address");
	store_rollback(f.store);
	view_free(v);
	fixture_close(&f);
}

struct import_try {
	struct fixture *f;
	bool dry_run; /* and with the workbook of bad rows, which comes after the rows are stored */
};

/* A file that gives every kind of news, imported into a store that stays as it was unless all of it
 * succeeds. */
static enum err import_again(void *data)
{
	const struct import_try *try = data;
	struct fixture *f = try->f;
	struct import_report report;
	struct problem p = {0};
	char path[160], errors[160];
	uint64_t made = f->store->made;

	snprintf(path, sizeof path, "%s/nomem.csv", f->dir);
	snprintf(errors, sizeof errors, "%s/errors.csv", f->dir);
	enum err e = import_run(f->store,
		&(struct import_options){.rules = import_find("students"),
			.path = path,
			.dry_run = try->dry_run,
			.errors_path = try->dry_run ? errors : NULL},
		&report, &p);
	long left = nomem_in;
	nomem_in = 0;
	if (e) {
		assert_int_equal(report.id, 0);
		assert_int_equal(f->store->made, made);
		assert_int_equal(p.code, e);
	} else {
		assert_counts(&report, 2, 0, 0, 2);
		assert_rejected(&report, 0, 4, "证件号码", "ID_DAMAGED");
		assert_string_equal(report.ignored, "座右铭\t\n");
	}
	import_report_free(&report);
	nomem_in = left;
	return e;
}

static void memory_runs_out(void **state)
{
	struct fixture f;
	char path[160];

	(void)state;
	fixture_open(&f, "registrar");
	fixture_write(&f, "nomem.csv",
		"姓名,身份证号,年级,班级,性别,监护人姓名,监护人电话,座右铭\n"
		"测甲,329999201403150017,16,3,男,测父,13800000001,\n"
		"测丁,329999201501011109,16,3,女,,,\n"
		"测乙,1.23E+17,16,3,女,,,\n"
		"测丙,329999201403150018,16,3,女,,,\n",
		path);
	nomem_until_it_works("judging", import_again, &(struct import_try){&f, true}, ERR_NOMEM, 20);
	nomem_until_it_works("import", import_again, &(struct import_try){&f, false}, ERR_NOMEM, 20);
	fixture_close(&f);
}

/* The hint of a word that is none lists every code, however long the list; the national minorities' is named
 * where it stands whole. */
static void codes_are_listed_whole(void **state)
{
	struct record r;
	struct arena arena;
	struct problem p = {0};
	const char *code = "";
	const struct code_list *list = code_list_by_name("school_type");

	(void)state;
	arena_init(&arena, 4096);
	record_init(&r, kind_by_number(KIND_SCHOOL));
	assert_int_equal(
		value_parse(&r, F_SCHOOL_TYPE, "飞行学校", &(struct value_context){0}, &arena, &code, &p),
		VALUE_BAD);
	for (size_t i = 0; i < list->n; i++)
		assert_non_null(strstr(p.hint, list->items[i].zh));
	record_init(&r, kind_by_number(KIND_STUDENT));
	assert_int_equal(
		value_parse(&r, F_STUDENT_ETHNIC, "火星", &(struct value_context){0}, &arena, &code, &p),
		VALUE_BAD);
	assert_non_null(strstr(p.hint, "jg help codes 民族"));
	arena_free(&arena);
}

/* Every name a row off: whom this school knows says so, and those that it does not know are not stored
 * under another's name. */
static void a_shifted_table_is_held_whole(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = students(&f,
		HEAD "测甲,329999201503010038,六年级,3,男,,\n"
		     "测乙,329999201503010054,六年级,3,男,,\n"
		     "测丙,329999201503010070,六年级,3,男,,\n"
		     "测丁,329999201503010097,六年级,3,男,,\n");
	assert_counts(&r, 4, 0, 0, 0);
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("students")}, "x.csv",
		HEAD "测乙,329999201503010038,六年级,3,男,,\n"
		     "测丙,329999201503010054,六年级,3,男,,\n"
		     "测丁,329999201503010070,六年级,3,男,,\n"
		     "测戊,329999201503010097,六年级,3,男,,\n"
		     "测己,329999201503010118,六年级,3,男,,\n"
		     "测庚,329999201503010134,六年级,3,男,,\n"
		     "测甲,329999201503010150,六年级,3,男,,\n",
		ERR_CONFLICT);
	assert_true(r.shifted);
	assert_counts(&r, 0, 0, 0, 0);
	assert_int_equal(r.warnings.n, 4);
	assert_string_equal(r.warnings.list[0].code, "NAME_DIFF");
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("destinations")}, "x.csv",
		"姓名,身份证号,去向类别,去向地区\n"
		"测乙,329999201503010038,B3,上海\n"
		"测丙,329999201503010054,B3,上海\n"
		"测丁,329999201503010070,B3,上海\n"
		"测戊,329999201503010097,B3,上海\n"
		"测己,329999201503010118,B3,上海\n"
		"测庚,329999201503010134,B3,上海\n"
		"测甲,329999201503010150,B3,上海\n",
		ERR_CONFLICT);
	assert_true(r.shifted);
	assert_counts(&r, 0, 0, 0, 0);
	assert_int_equal(r.warnings.n, 4);
	assert_string_equal(r.warnings.list[0].code, "NAME_DIFF");
	import_report_free(&r);
	/* One wrong name is one row's matter. */
	r = students(&f,
		HEAD "测错,329999201503010038,六年级,3,男,,\n"
		     "测乙,329999201503010054,六年级,3,男,,\n"
		     "测丙,329999201503010070,六年级,3,男,,\n"
		     "测丁,329999201503010097,六年级,3,男,,\n"
		     "测戊,329999201503010118,六年级,3,男,,\n");
	assert_counts(&r, 1, 0, 3, 1);
	assert_rejected(&r, 0, 2, "证件号码", "IDENTITY");
	import_report_free(&r);
	fixture_close(&f);
}

/* Reconciliation would say it in September (M02, M05): a destination of nobody on the roll, and one under
 * another name, are kept and said. */
static void a_destination_is_compared_with_the_roll(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "registrar");
	struct import_report r = run(&f, (struct import_options){.rules = import_find("destinations")},
		"x.csv", "姓名,身份证号,去向类别,去向地区\n测甲,329999201503010038,B3,上海\n", ERR_OK);
	assert_int_equal(r.warnings.n, 0); /* before the roll is there, nobody is missed in it */
	import_report_free(&r);
	r = students(
		&f, HEAD "测甲,329999201503010038,六年级,3,男,,\n测乙,329999201503010054,六年级,3,男,,\n");
	import_report_free(&r);
	r = run(&f, (struct import_options){.rules = import_find("destinations")}, "x.csv",
		"姓名,身份证号,去向类别,去向地区\n测甲,329999201503010038,B3,上海\n错乙,329999201503010054,"
		"B3,上海\n测外,329999201503010151,B3,上海\n",
		ERR_OK);
	assert_counts(&r, 2, 0, 1, 0);
	assert_int_equal(r.warnings.n, 3);
	assert_string_equal(r.warnings.list[0].code, "ID_CHECK");
	assert_int_equal(r.warnings.list[1].row, 3);
	assert_string_equal(r.warnings.list[1].code, "NAME_DIFF");
	assert_non_null(strstr(r.warnings.list[1].message, "测乙"));
	assert_int_equal(r.warnings.list[2].row, 4);
	assert_string_equal(r.warnings.list[2].code, "NOT_ON_ROLL");
	import_report_free(&r);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shifted_table_is_held_whole),
		cmocka_unit_test(a_destination_is_compared_with_the_roll),
		cmocka_unit_test(rows_are_judged),
		cmocka_unit_test(repeats_and_updates),
		cmocka_unit_test(options_hold_back),
		cmocka_unit_test(another_school_is_refused),
		cmocka_unit_test(a_class_teacher_has_his_classes),
		cmocka_unit_test(a_roster_keeps_what_the_list_of_pupils_asks_about),
		cmocka_unit_test(a_kind_without_pupils_is_read_by_its_declaration),
		cmocka_unit_test(a_column_is_demanded_unless_the_rules_fill_it),
		cmocka_unit_test(destinations_keep_what_reconciliation_needs),
		cmocka_unit_test(undo_gives_back_unless_built_upon),
		cmocka_unit_test(pupils_are_found),
		cmocka_unit_test(what_is_exported_reads_back_unchanged),
		cmocka_unit_test(what_is_typed_is_cleaned_or_refused),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(codes_are_listed_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
