#include "client_service.h"

#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "way.h"

const struct client_service *service_of(uint32_t kind)
{
	for (size_t i = 0; client_services[i]; i++)
		for (const uint32_t *k = client_services[i]->kinds; k && *k; k++)
			if (*k == kind)
				return client_services[i];
	return NULL;
}

static bool is_among(const uint32_t *kinds, uint32_t kind)
{
	while (*kinds && *kinds != kind)
		kinds++;
	return *kinds != 0;
}

/* Whether any list has records of it. */
static bool is_listed(uint32_t kind)
{
	for (size_t i = 0; client_services[i]; i++)
		for (const struct shown_list *const *l = client_services[i]->shown; l && *l; l++)
			if (is_among((*l)->kinds, kind))
				return true;
	return false;
}

const char *service_ways(bool edit, uint32_t kind, char *out, size_t size)
{
	bool any = !is_listed(kind);

	*out = 0;
	for (size_t i = 0; client_services[i]; i++)
		for (const struct shown_list *const *l = client_services[i]->shown; l && *l; l++) {
			/* Where something is entered, the first kind is only whose number is typed. */
			bool of = any || is_among((*l)->kinds + (*l)->entered, kind);
			const char *act = NULL;
			if (edit)
				act = (*l)->edit;
			else if ((*l)->entered)
				act = (*l)->act;
			size_t n = strlen(out);
			if (act && of)
				snprintf(out + n, size - n, "%s%s", n ? _("、") : "", way(act));
		}
	return out;
}

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
			if (strcmp((*r)->name, name) == 0)
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
