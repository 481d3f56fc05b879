/* xlsx_part.h - the parts of an Office workbook or document: a zip archive of XML files. Private to
 * xlsx_read.c and docx_read.c. Owns the limits that keep a hostile file cheap: entries, unpacked bytes,
 * depth, no DTD. One thread. */
#ifndef JG_XLSX_PART_H
#define JG_XLSX_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct xlsx_package;

/* Opens the archive over the caller's bytes, which must stay until it is closed. Tells in *p. */
enum err xlsx_package_open(
	struct xlsx_package **out, const void *bytes, size_t n, const char *name, struct problem *p);
void xlsx_package_close(struct xlsx_package *package);

/* True when the archive has this part; case does not matter and a leading '/' is dropped. */
bool xlsx_part_exists(struct xlsx_package *package, const char *path);

/* Called for elements of the spreadsheet, document and relationship namespaces (or of none), by local
 * name; attributes are name, value, …, NULL with namespaces as "uri|name". Any but ERR_OK stops the parse. */
struct xlsx_handler {
	enum err (*begin)(void *user, const char *name, const char **attributes);
	enum err (*end)(void *user, const char *name);
	enum err (*text)(void *user, const char *bytes, size_t n);
};

/* Streams a part through the handler. Tells in *p what the package itself refuses; an error of the handler is
 * returned as it is, to be told by the caller (*own is set then). */
enum err xlsx_part_parse(struct xlsx_package *package, const char *path, const struct xlsx_handler *handler,
	void *user, bool *own, struct problem *p);

/* The value of an attribute, by exact name or by local name of any namespace ("|id"); NULL when missing. */
const char *xlsx_attribute(const char **attributes, const char *name);

#endif
