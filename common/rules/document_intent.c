#include "document_intent.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static const char *text_at(const ProtobufCMessage *m, const char *name)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
	const char *text = f ? *(const char *const *)((const char *)m + f->offset) : NULL;

	return text ? text : "";
}

const char *document_words(const ProtobufCMessage *ask)
{
	const char *text = text_at(ask, "text");

	return *text ? text : text_at(ask, "reason");
}

/* A line; a value's own line ends are written \n, so that none can be taken for a line of another. */
static void put(FILE *out, const char *name, const char *value)
{
	if (!*value)
		return;
	fprintf(out, "%s=", name);
	for (const char *c = value; *c; c++)
		if (*c == '\n' || *c == '\\')
			fputs(*c == '\n' ? "\\n" : "\\\\", out);
		else
			fputc(*c, out);
	fputc('\n', out);
}

static void put_number(FILE *out, const char *name, int64_t n)
{
	if (n)
		fprintf(out, "%s=%" PRId64 "\n", name, n);
}

static void put_field(FILE *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const char *at = (const char *)m + f->offset, *has = (const char *)m + f->quantifier_offset;

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		for (size_t i = 0; f->type == PROTOBUF_C_TYPE_STRING && i < *(const size_t *)has; i++)
			put(out, f->name, (*(const char *const *const *)at)[i]);
		return;
	}
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(const char *const *)at;
		put(out, f->name, text ? text : "");
	} else if (!*(const protobuf_c_boolean *)has)
		return;
	else if (f->type == PROTOBUF_C_TYPE_BOOL)
		put_number(out, f->name, *(const protobuf_c_boolean *)at != 0);
	else if (f->type == PROTOBUF_C_TYPE_INT32)
		put_number(out, f->name, *(const int32_t *)at);
	else if (f->type == PROTOBUF_C_TYPE_UINT32)
		put_number(out, f->name, *(const uint32_t *)at);
	else if (f->type == PROTOBUF_C_TYPE_INT64)
		put_number(out, f->name, *(const int64_t *)at);
}

const char *document_given(const ProtobufCMessage *ask, struct arena *arena)
{
	static const char *const beside[] = {"event", "doc", "id", "seen", "file", "attach", "text",
		"dry_run", "intent", "intent_sig", NULL};
	bool reason_is_words = !*text_at(ask, "text");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; out && i < ask->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &ask->descriptor->fields[i];
		if (!is_one_of(f->name, beside) && !(reason_is_words && strcmp(f->name, "reason") == 0))
			put_field(out, ask, f);
	}
	const char *lines = out && !fclose(out) ? arena_text(arena, text, size) : NULL;
	free(text);
	return lines;
}

void document_words_hash(uint8_t out[HASH_SIZE], const char *words, const char *given)
{
	crypto_hash_sha256_state s;

	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, (const uint8_t *)words, strlen(words));
	if (*given) {
		crypto_hash_sha256_update(&s, (const uint8_t *)"\n", 1);
		crypto_hash_sha256_update(&s, (const uint8_t *)given, strlen(given));
	}
	crypto_hash_sha256_final(&s, out);
}
