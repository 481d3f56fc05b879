/* field_label.h - what people call the fields of requests: a refusal never shows a name of the wire. Pure;
 * any thread. */
#ifndef JG_FIELD_LABEL_H
#define JG_FIELD_LABEL_H

#include <protobuf-c/protobuf-c.h>

/* Made by gen_tables.py from the labels of the requests' fields; ended by a row without message. */
struct request_label {
	const ProtobufCMessageDescriptor *message;
	unsigned index; /* of the field */
	const char *zh, *en;
};
extern const struct request_label request_labels[];

/* The word for a field of a request (of a record: struct field): its own, or that of another request's field
 * of the same name. The name itself for a field of no request. */
const char *field_label(const ProtobufCFieldDescriptor *f);

#endif
