/* content_type.h - what the bytes of a file are, whatever it is called: the ten kinds that papers may have
 * hanging on them (doc/documents.md "Files"), and whether the end is missing. Pure; reads no further than
 * the bytes, whatever they say of themselves. Any thread. */
#ifndef JG_CONTENT_TYPE_H
#define JG_CONTENT_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* "pdf" "ofd" "docx" "xlsx" "pptx" "png" "jpg" "txt" (csv too: a table is text), or "" for anything else.
 * *cut: it begins as one of them, and its end is missing. */
const char *content_type(const void *bytes, size_t n, bool *cut);
/* Whether a file of this type may be called so: by the name's ending, in any case. */
bool content_type_fits(const char *type, const char *name);

#endif
