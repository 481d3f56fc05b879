#include "kind.h"

#include <string.h>

const struct kind *kind_by_number(uint32_t number)
{
	for (size_t i = 0; i < kind_count; i++)
		if (kind_table[i].number == number)
			return &kind_table[i];
	return NULL;
}

const struct kind *kind_by_table(const char *table)
{
	for (size_t i = 0; i < kind_count; i++)
		if (strcmp(kind_table[i].table, table) == 0)
			return &kind_table[i];
	return NULL;
}

bool kind_hangs_on(const struct kind *kind, uint32_t number)
{
	for (size_t i = 0; i < kind->on_count; i++)
		if (kind->on[i] == number)
			return true;
	return false;
}

bool field_is_id(const struct field *f)
{
	return strcmp(f->check, "uuid") == 0 || strncmp(f->check, "ref:", 4) == 0;
}

int kind_reference(const struct kind *kind)
{
	for (size_t i = 0; kind->of < 0 && kind->owner == OWNER_SCHOOL && i < kind->field_count; i++)
		if (field_is_id(&kind->fields[i]))
			return (int)i;
	return kind->of;
}

int kind_field_index(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (strcmp(kind->fields[i].name, name) == 0)
			return (int)i;
	return -1;
}

int method_index(uint16_t number)
{
	size_t low = 0, high = method_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (method_table[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < method_count && method_table[low].number == number ? (int)low : -1;
}

const struct method *method_by_number(uint16_t number)
{
	int i = method_index(number);

	return i < 0 ? NULL : &method_table[i];
}

unsigned role_by_name(const char *name)
{
	for (size_t i = 0; i < role_count; i++)
		if (strcmp(role_table[i].name, name) == 0)
			return role_table[i].number;
	return 0;
}

const char *role_name(unsigned number)
{
	for (size_t i = 0; i < role_count; i++)
		if (role_table[i].number == number)
			return role_table[i].name;
	return "";
}
