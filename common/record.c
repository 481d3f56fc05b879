#include "record.h"

#include <stdio.h>
#include <string.h>

#include "lang.h"
#include "text.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Sticky cursor: a failed read yields zeros and keeps failing. */
struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static uint64_t read_varint(struct cursor *c)
{
	uint64_t v;

	if (get_varint(&c->at, c->end, &v))
		return v;
	c->failed = true;
	return 0;
}

static const uint8_t *read_bytes(struct cursor *c, uint64_t n)
{
	const uint8_t *at = c->at;

	if (n > (uint64_t)(c->end - c->at)) {
		c->failed = true;
		return at;
	}
	c->at += n;
	return at;
}

static void skip_value(struct cursor *c, unsigned wire)
{
	switch (wire) {
	case WIRE_VARINT:
		read_varint(c);
		break;
	case WIRE_64:
		read_bytes(c, 8);
		break;
	case WIRE_BYTES:
		read_bytes(c, read_varint(c));
		break;
	case WIRE_32:
		read_bytes(c, 4);
		break;
	default:
		c->failed = true; /* groups are not part of this protocol */
	}
}

static const struct field *find_field(const struct kind *kind, uint64_t number, size_t *index)
{
	/* Numbers are dense from 1 in every kind, so the first guess is right. */
	if (number - 1 < kind->field_count && kind->fields[number - 1].number == number) {
		*index = (size_t)number - 1;
		return &kind->fields[number - 1];
	}
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].number == number) {
			*index = i;
			return &kind->fields[i];
		}
	return NULL;
}

/* The first unknown field takes room for all that may follow: any number of them costs no more than the
 * message. */
static enum err keep_unknown(
	struct record *r, uint8_t **room, struct arena *arena, const struct cursor *c, const uint8_t *from)
{
	size_t n = (size_t)(c->at - from);

	if (!*room && !(*room = arena_alloc(arena, (size_t)(c->end - from))))
		return ERR_NOMEM;
	memcpy(*room + r->ext_len, from, n);
	r->ext = *room;
	r->ext_len += n;
	return ERR_OK;
}

static enum err decode_value(
	struct record *r, const struct field *f, int index, struct cursor *c, unsigned wire)
{
	if (f->type == FIELD_TEXT || f->type == FIELD_BYTES) {
		if (wire != WIRE_BYTES)
			return ERR_MALFORMED;
		uint64_t n = read_varint(c);
		const uint8_t *data = read_bytes(c, n);
		if (c->failed || (f->type == FIELD_TEXT && !text_utf8_valid((const char *)data, (size_t)n)))
			return ERR_MALFORMED;
		record_set_bytes(r, index, data, (size_t)n);
		return ERR_OK;
	}
	if (wire != WIRE_VARINT)
		return ERR_MALFORMED;
	int64_t v = (int64_t)read_varint(c);
	if (c->failed || (f->type == FIELD_INT32 && v != (int32_t)v) ||
		(f->type == FIELD_BOOL && v != 0 && v != 1))
		return ERR_MALFORMED;
	record_set_number(r, index, v);
	return ERR_OK;
}

void record_init(struct record *r, const struct kind *kind)
{
	r->kind = kind;
	r->set = 0;
	r->ext = NULL;
	r->ext_len = 0;
}

enum err record_decode(struct record *r, const struct kind *kind, const void *bytes, size_t n,
	struct arena *arena, struct problem *p)
{
	struct cursor c = {bytes, n ? (const uint8_t *)bytes + n : bytes, false};
	uint8_t *room = NULL;

	record_init(r, kind);
	while (c.at < c.end) {
		const uint8_t *start = c.at;
		uint64_t tag = read_varint(&c);
		size_t index;
		const struct field *f = find_field(kind, tag >> 3, &index);

		if (c.failed || tag >> 3 == 0)
			return problem_set(p, ERR_MALFORMED, kind->table, NULL, NULL);
		if (f) {
			enum err e = decode_value(r, f, (int)index, &c, tag & 7);
			if (e)
				return problem_set(p, e, f->name, NULL, _("字段“%s”无法解析"),
					lang_declared(f->label, f->label_en));
			continue;
		}
		skip_value(&c, tag & 7);
		if (c.failed)
			return problem_set(p, ERR_MALFORMED, kind->table, NULL, NULL);
		enum err e = keep_unknown(r, &room, arena, &c, start);
		if (e)
			return problem_set(p, e, NULL, NULL, NULL);
	}
	return ERR_OK;
}

static void encode_field(const struct record *r, size_t i, struct buf *out)
{
	const struct field *f = &r->kind->fields[i];
	const struct value *v = &r->value[i];

	if (f->type == FIELD_TEXT || f->type == FIELD_BYTES) {
		buf_varint(out, (uint64_t)f->number << 3 | WIRE_BYTES);
		buf_varint(out, v->len);
		buf_add(out, v->data, v->len);
	} else {
		buf_varint(out, (uint64_t)f->number << 3 | WIRE_VARINT);
		buf_varint(out, (uint64_t)v->number);
	}
}

void record_encode(const struct record *r, struct buf *out)
{
	record_encode_groups(r, UINT32_MAX, false, out);
}

void record_encode_other(const struct record *r, struct buf *out)
{
	for (size_t i = 0; i < r->kind->field_count; i++)
		if (record_has(r, (int)i) && r->kind->fields[i].other)
			encode_field(r, i, out);
}

void record_encode_groups(const struct record *r, uint32_t groups, bool with_ext, struct buf *out)
{
	for (size_t i = 0; i < r->kind->field_count; i++)
		if (record_has(r, (int)i) && groups >> (r->kind->fields[i].group - 1) & 1)
			encode_field(r, i, out);
	if (with_ext)
		buf_add(out, r->ext, r->ext_len);
}

bool record_has(const struct record *r, int field)
{
	return r->set >> field & 1;
}

void record_clear(struct record *r, int field)
{
	r->set &= ~(UINT64_C(1) << field);
}

void record_set_bytes(struct record *r, int field, const void *data, size_t n)
{
	record_clear(r, field);
	if (n == 0)
		return;
	r->value[field].data = data;
	r->value[field].len = n;
	r->set |= UINT64_C(1) << field;
}

void record_set_text(struct record *r, int field, const char *text)
{
	record_set_bytes(r, field, text, text ? strlen(text) : 0);
}

void record_set_number(struct record *r, int field, int64_t number)
{
	record_clear(r, field);
	if (number == 0)
		return;
	r->value[field].number = number;
	r->set |= UINT64_C(1) << field;
}

const char *record_text(const struct record *r, int field, char *to, size_t size)
{
	size_t n = record_has(r, field) ? r->value[field].len : 0;

	if (n > size - 1)
		n = size - 1;
	if (n)
		memcpy(to, r->value[field].data, n);
	to[n] = 0;
	return to;
}

int64_t record_number(const struct record *r, int field)
{
	return record_has(r, field) ? r->value[field].number : 0;
}

bool record_is(const struct record *r, int field, const char *text)
{
	size_t n = strlen(text);

	return record_has(r, field) ? r->value[field].len == n && memcmp(r->value[field].data, text, n) == 0
				    : n == 0;
}

bool record_same_field(const struct record *a, const struct record *b, size_t field)
{
	bool has = record_has(a, (int)field);

	if (has != record_has(b, (int)field))
		return false;
	if (!has)
		return true;
	enum field_type type = a->kind->fields[field].type;
	if (type == FIELD_TEXT || type == FIELD_BYTES)
		return a->value[field].len == b->value[field].len &&
			memcmp(a->value[field].data, b->value[field].data, a->value[field].len) == 0;
	return a->value[field].number == b->value[field].number;
}

uint32_t record_groups(const struct record *r)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < r->kind->field_count; i++)
		if (record_has(r, (int)i))
			groups |= 1u << (r->kind->fields[i].group - 1);
	return groups;
}

bool record_same_group(const struct record *a, const struct record *b, unsigned group)
{
	for (size_t i = 0; i < a->kind->field_count; i++)
		if (a->kind->fields[i].group == group && !record_same_field(a, b, i))
			return false;
	return true;
}

void record_take_groups(struct record *r, const struct record *from, uint32_t groups)
{
	for (size_t i = 0; i < r->kind->field_count; i++) {
		if (!(groups >> (r->kind->fields[i].group - 1) & 1))
			continue;
		record_clear(r, (int)i);
		if (record_has(from, (int)i)) {
			r->value[i] = from->value[i];
			r->set |= UINT64_C(1) << i;
		}
	}
}

/* One part of the natural key as text; false when it has no value. */
static bool key_part(const struct record *r, const struct kind_key *key, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t i = record_has(r, key->field[0]) ? key->field[0] : key->field[1];
	const struct field *f = &r->kind->fields[i];

	if (!record_has(r, i))
		return false;
	if (key->field[0] != key->field[1]) {
		buf_text(out, f->name);
		buf_u8(out, '=');
	}
	if (f->type == FIELD_TEXT)
		buf_add(out, r->value[i].data, r->value[i].len);
	else if (f->type == FIELD_BYTES)
		for (size_t b = 0; b < r->value[i].len; b++) {
			uint8_t byte = ((const uint8_t *)r->value[i].data)[b];
			buf_u8(out, (uint8_t)hex[byte >> 4]);
			buf_u8(out, (uint8_t)hex[byte & 15]);
		}
	else
		buf_printf(out, "%lld", (long long)r->value[i].number);
	return true;
}

char *record_key(const struct record *r, struct arena *arena)
{
	struct buf key = {0};
	bool whole = r->kind->key_count > 0;

	for (size_t i = 0; whole && i < r->kind->key_count; i++) {
		if (i)
			buf_u8(&key, 0x1F);
		whole = key_part(r, &r->kind->key[i], &key);
	}
	if (key.failed)
		arena->refused = ERR_NOMEM;
	char *out = key.failed ? NULL : arena_text(arena, key.data, whole ? key.len : 0);
	buf_free(&key);
	return out;
}

enum err record_check_shape(const struct record *r, bool whole, struct problem *p)
{
	uint32_t groups = whole ? UINT32_MAX : record_groups(r);

	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		const char *label = lang_declared(f->label, f->label_en);
		/* A false is as good an answer as a true: booleans cannot be missing. */
		if (f->required && f->type != FIELD_BOOL && !record_has(r, (int)i) &&
			groups >> (f->group - 1) & 1)
			return problem_set(p, ERR_MISSING, f->name, NULL, _("缺少“%s”"), label);
		if (record_has(r, (int)i) && (f->type == FIELD_TEXT || f->type == FIELD_BYTES) &&
			r->value[i].len > f->max_bytes)
			return problem_set(
				p, ERR_TOO_LARGE, f->name, NULL, _("“%s”超过 %u 字节"), label, f->max_bytes);
	}
	return ERR_OK;
}
