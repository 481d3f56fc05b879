/* client_service.h - what the core asks of a service. Each exports one row, and client/client_services.def, the
 * only file that names them, lists the rows; the core walks them in that order. All members but the name
 * may be NULL. Constant; any thread. */
#ifndef JG_CLIENT_SERVICE_H
#define JG_CLIENT_SERVICE_H

#include "export.h"
#include "import_row.h"
#include "shown.h"
#include "todo.h"

struct client_service {
	const char *name;
	const uint32_t *kinds; /* its record kinds, ended by 0; every kind is of one service */
	const struct import_rules *const *imports; /* ended by NULL, as are the others */
	const struct export_rules *const *exports;
	const struct shown_list *const *shown; /* lists whose numbers are used again */
	/* Adds what this person is to do, by the records of the view. */
	enum err (*todo)(struct todo_list *l, struct problem *p);
	/* Refuses to undo what is of this year: it is closed. */
	enum err (*may_undo)(struct store *s, int32_t year, struct problem *p);
	/* Writes a field into out when it has words of its own for it (a school by its name); false: the
	 * field is shown as it was declared. */
	bool (*word)(const struct view *v, const struct record *r, int field, char *out, size_t size);
};

extern const struct client_service *const client_services[]; /* ended by NULL */

/* Whose records of that kind are; NULL: nobody's. */
const struct client_service *service_of(uint32_t kind);
/* The ways to the lists of a kind (all, for one that no list has) under whose numbers something is
 * entered, or with `edit` to change what is there: “jg a、jg b”; "" when there are none. Returns out. */
const char *service_ways(bool edit, uint32_t kind, char *out, size_t size);
/* The import of that name; NULL: there is none. */
const struct import_rules *import_find(const char *name);
/* The export of that name; NULL: there is none. */
const struct export_rules *export_find(const char *name);
/* The word of whatever service has one. */
bool service_word(const struct view *v, const struct record *r, int field, char *out, size_t size);

#endif
