/* field_label.h - what people call the fields of requests: a refusal never shows a name of the wire. Pure;
 * any thread. */
#ifndef JG_FIELD_LABEL_H
#define JG_FIELD_LABEL_H

/* The word for a field of a request (of a record: struct field); the name itself where the table has none,
 * which a test forbids. */
const char *field_label(const char *name);

#endif
