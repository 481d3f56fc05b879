/* office_text.h - the words of an Office or OFD document, without anything of how they look: for a search.
 * Nothing here guards itself against a hostile file: that is the process's (sandbox.h). One thread. */
#ifndef JG_OFFICE_TEXT_H
#define JG_OFFICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Called with pieces of text in UTF-8, in their order; false ends it. */
typedef bool (*text_fn)(void *data, const char *text, size_t n);

/* type: of content_type.h. A part that cannot be read ends that part. */
void office_text(const char *type, const void *bytes, size_t n, text_fn take, void *data);

#endif
