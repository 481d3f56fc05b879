/* Covers client/core/{client_service,way}.c and the rows of client/core/services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kind.h"
#include "client_service.h"
#include "tables.h"
#include "way.h"

static void every_kind_is_of_one_service(void **state)
{
	size_t listed = 0;

	(void)state;
	for (size_t i = 0; i < kind_count; i++)
		if (!service_of(kind_table[i].number))
			fail_msg("nobody's: %s", kind_table[i].table);
	for (size_t i = 0; client_services[i]; i++)
		for (const uint32_t *k = client_services[i]->kinds; k && *k; k++, listed++)
			assert_ptr_equal(service_of(*k), client_services[i]);
	assert_int_equal(listed, kind_count);
}

static void imports_and_exports_are_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; client_services[i]; i++) {
		for (const struct import_rules *const *r = client_services[i]->imports; r && *r; r++) {
			assert_ptr_equal(import_find((*r)->name), *r);
			assert_ptr_equal(service_of((*r)->kind), client_services[i]);
		}
		for (const struct export_rules *const *r = client_services[i]->exports; r && *r; r++) {
			assert_ptr_equal(export_find((*r)->name), *r);
		}
	}
	assert_null(import_find("edit"));
	assert_null(export_find(""));
}

static void a_deed_has_the_way_of_the_face(void **state)
{
	static const struct way ours[] = {{"sync", "按“同步”"}, {0}},
				more[] = {{"list_verify", "核验页"}, {0}};
	static const struct way *const all[] = {ours, more, NULL};
	char lists[256];

	(void)state;
	assert_string_equal(way("sync"), "sync"); /* no face yet: the word is better than nothing */
	way_set(all);
	assert_string_equal(way("sync"), "按“同步”");
	assert_string_equal(
		way_hint("先%s，再看%s", way("sync"), way("list_verify")), "先按“同步”，再看核验页");
	assert_string_equal(service_ways(false, 0, lists, sizeof lists), "list_transition、核验页");
	assert_string_equal(service_ways(false, KIND_DESTINATION, lists, sizeof lists), "list_transition");
	/* entered from a file */
	assert_string_equal(service_ways(false, KIND_STUDENT, lists, sizeof lists), "");
	assert_string_equal(service_ways(true, KIND_STUDENT, lists, sizeof lists), "edit_students");
	way_set(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_of_one_service),
		cmocka_unit_test(imports_and_exports_are_found_by_name),
		cmocka_unit_test(a_deed_has_the_way_of_the_face),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
