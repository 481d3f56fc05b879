#include "field_label.h"

#include <stddef.h>
#include <string.h>

#include "err.h"
#include "lang.h"

const char *field_label(const ProtobufCFieldDescriptor *f)
{
	const struct request_label *found = NULL;

	for (const struct request_label *l = request_labels; l->message; l++) {
		const ProtobufCFieldDescriptor *of = &l->message->fields[l->index];
		if (of == f || (!found && strcmp(of->name, f->name) == 0))
			found = l;
		if (of == f)
			break;
	}
	return found ? lang_declared(found->zh, found->en) : f->name;
}
