/* file_type.h - what a file is by its first bytes, against what its name says: a text that is called .pdf
 * proves nothing to whoever opens it. Pure but for reading the file. Any thread. */
#ifndef JG_FILE_TYPE_H
#define JG_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* True when a name's extension promises one of the kinds that prove something (papers, pictures) and the
 * content is another one; *is: what it is, in the user's language. False also where nothing is promised or
 * the file cannot be read. */
bool file_type_differs(const char *path, const char **is);

#endif
