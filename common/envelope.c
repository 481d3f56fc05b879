#include "envelope.h"

#include <string.h>

#include "check.h"
#include "field_label.h"
#include "kind.h"
#include "lang.h"
#include "text.h"

static enum err walk(const ProtobufCMessage *message, struct problem *p);

/* One value of a field: text must be UTF-8 without NUL, an enum one of its names, a message sound inside. */
static enum err walk_value(const ProtobufCFieldDescriptor *f, const void *value, struct problem *p)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *text = *(const char *const *)value;
		if (text && !text_utf8_valid(text, strlen(text)))
			return problem_set(p, ERR_MALFORMED, f->name, NULL, _("“%s”不是有效的 UTF-8 文本"),
				field_label(f));
		return ERR_OK;
	}
	case PROTOBUF_C_TYPE_ENUM:
		if (!protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)value))
			return problem_set(p, ERR_INVALID, f->name, NULL, _("“%s”的取值 %d 不在范围内"),
				field_label(f), *(const int *)value);
		return ERR_OK;
	case PROTOBUF_C_TYPE_MESSAGE: {
		const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
		return inner ? walk(inner, p) : ERR_OK;
	}
	default:
		return ERR_OK;
	}
}

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return sizeof(int); /* only enums of a repeated field are looked at */
	}
}

static enum err walk_repeated(
	const ProtobufCMessage *message, const ProtobufCFieldDescriptor *f, uint32_t bound, struct problem *p)
{
	const char *base = (const char *)message;
	size_t count = *(const size_t *)(base + f->quantifier_offset);
	const char *items = *(const char *const *)(base + f->offset);

	if (count > bound)
		return problem_set(p, ERR_TOO_LARGE, f->name, NULL, _("“%s”有 %zu 项，最多 %u 项"),
			field_label(f), count, bound);
	if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_ENUM &&
		f->type != PROTOBUF_C_TYPE_MESSAGE)
		return ERR_OK;
	for (size_t i = 0; i < count; i++) {
		enum err e = walk_value(f, items + i * value_size(f->type), p);
		if (e)
			return e;
	}
	return ERR_OK;
}

static enum err walk(const ProtobufCMessage *message, struct problem *p)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;
	const uint32_t *bounds = message_bounds(d);

	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		const char *base = (const char *)message;
		enum err e = ERR_OK;
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			e = walk_repeated(message, f, bounds ? bounds[i] : 0, p);
		else if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE ||
			*(const protobuf_c_boolean *)(base + f->quantifier_offset))
			e = walk_value(f, base + f->offset, p);
		if (e)
			return e;
	}
	return ERR_OK;
}

/* protobuf-c cuts a string at a NUL without a word and its length is lost by then, so the bytes themselves
 * are walked: whether any text field holds one. It also overlooks a field number 0 written in two bytes. The
 * message was unpacked before, so its shape is sound otherwise. */
static bool has_hidden_fault(const ProtobufCMessageDescriptor *type, const uint8_t *at, size_t n)
{
	const uint8_t *end = at + n;

	while (at < end) {
		uint64_t tag, size;
		if (!get_varint(&at, end, &tag) || tag >> 3 == 0)
			return true;
		switch (tag & 7) {
		case PROTOBUF_C_WIRE_TYPE_VARINT:
			get_varint(&at, end, &size);
			continue;
		case PROTOBUF_C_WIRE_TYPE_64BIT:
			size = 8;
			break;
		case PROTOBUF_C_WIRE_TYPE_32BIT:
			size = 4;
			break;
		default:
			if (!get_varint(&at, end, &size))
				return true;
		}
		if (size > (uint64_t)(end - at))
			return true;
		const ProtobufCFieldDescriptor *f = (tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
			? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3))
			: NULL;
		if (f && f->type == PROTOBUF_C_TYPE_STRING && memchr(at, 0, (size_t)size))
			return true;
		if (f && f->type == PROTOBUF_C_TYPE_MESSAGE &&
			has_hidden_fault(f->descriptor, at, (size_t)size))
			return true;
		at += size;
	}
	return false;
}

enum err envelope_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n,
	struct arena *arena, const ProtobufCMessage **out, struct problem *p)
{
	arena->refused = ERR_OK;
	const ProtobufCMessage *message = protobuf_c_message_unpack(type, &arena->allocator, n, bytes);

	if (!message)
		return problem_set(
			p, arena->refused ? arena->refused : ERR_MALFORMED, type->short_name, NULL, NULL);
	enum err e = walk(message, p);
	if (e)
		return e;
	if (n && memchr(bytes, 0, n) && has_hidden_fault(type, bytes, n))
		return problem_set(p, ERR_MALFORMED, type->short_name, NULL,
			NULL); /* faults are only where there is a zero byte */
	*out = message;
	return ERR_OK;
}

/* Text of a request is stored, shown and logged like a record's: the same characters stay out. A password is
 * none of that. */
static enum err check_text(
	const ProtobufCFieldDescriptor *f, const char *text, const char *check, struct problem *p)
{
	int32_t c = strcmp(check, "secret") ? text_forbidden(text, strlen(text)) : 0;

	if (strcmp(check, "secret") && text_is_blank(text, strlen(text)))
		return problem_set(p, ERR_INVALID, f->name, _("请填写内容，或留空"), _("“%s”里只有空格"),
			field_label(f));
	if (!text_is_nfc(text, strlen(text)))
		return problem_set(
			p, ERR_MALFORMED, f->name, NULL, _("“%s”的文字不是规范形式（NFC）"), field_label(f));
	if (c)
		return problem_set(p, ERR_INVALID, f->name, _("请删去它，重新输入这一项"),
			_("“%s”里有不能保存的字符 U+%04X"), field_label(f), (unsigned)c);
	return ERR_OK;
}

/* One value of a request: what its declaration says it has to be. */
static enum err check_value(
	const ProtobufCFieldDescriptor *f, const void *value, const char *check, struct problem *p)
{
	const char *text = f->type == PROTOBUF_C_TYPE_STRING ? *(const char *const *)value : NULL;

	if (f->type == PROTOBUF_C_TYPE_STRING && !text)
		return ERR_OK;
	enum err e = text ? check_text(f, text, check, p) : ERR_OK;
	return !e && check[0] ? check_field(f, value, check, p) : e;
}

enum err envelope_check(const ProtobufCMessage *message, struct problem *p)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;
	const char *const *checks = message_checks(d);
	const char *base = (const char *)message;
	enum err e = ERR_OK;

	for (unsigned i = 0; !e && i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		bool text = f->type == PROTOBUF_C_TYPE_STRING,
		     given = text || *(const protobuf_c_boolean *)(base + f->quantifier_offset);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) /* no request holds another message */
			continue;
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			e = given ? check_value(f, base + f->offset, checks ? checks[i] : "", p) : ERR_OK;
			continue;
		}
		for (size_t k = 0; text && !e && k < *(const size_t *)(base + f->quantifier_offset); k++)
			e = check_value(f, *(const char *const *const *)(base + f->offset) + k, "", p);
	}
	return e;
}

void envelope_pack(struct buf *out, struct frame *f, const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *to = buf_reserve(out, FRAME_HEADER + n);

	if (!to)
		return;
	f->length = (uint32_t)n;
	frame_header_put(to, f);
	protobuf_c_message_pack(message, to + FRAME_HEADER);
	out->len += FRAME_HEADER + n;
}
