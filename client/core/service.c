#include "service.h"

#include <string.h>

const struct import_rules *import_find(const char *name)
{
	for (size_t i = 0; client_services[i]; i++)
		for (const struct import_rules *const *r = client_services[i]->imports; r && *r; r++)
			if (strcmp((*r)->name, name) == 0)
				return *r;
	return NULL;
}

const struct export_rules *export_find(const char *name)
{
	for (size_t i = 0; client_services[i]; i++)
		for (const struct export_rules *const *r = client_services[i]->exports; r && *r; r++)
			if (strcmp((*r)->name, name) == 0 || strcmp((*r)->zh, name) == 0)
				return *r;
	return NULL;
}

bool service_word(const struct view *v, const struct record *r, int field, char *out, size_t size)
{
	for (size_t i = 0; client_services[i]; i++)
		if (client_services[i]->word && client_services[i]->word(v, r, field, out, size))
			return true;
	return false;
}
