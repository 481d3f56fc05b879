#include "record_json.h"

#include <string.h>

#include "clock.h"

static void add_text(struct buf *out, const uint8_t *text, size_t n)
{
	buf_u8(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (text[i] < ' ')
			buf_printf(out, "\\u%04x", text[i]);
		else if (text[i] == '"' || text[i] == '\\')
			buf_printf(out, "\\%c", text[i]);
		else
			buf_u8(out, text[i]);
	}
	buf_u8(out, '"');
}

static void add_bytes(struct buf *out, const struct field *f, const struct value *v)
{
	char uuid[37];

	if (field_is_id(f) && v->len == 16) {
		id_format(uuid, v->data);
		buf_printf(out, "\"%s\"", uuid);
		return;
	}
	buf_text(out, "\"\\\\x");
	for (size_t i = 0; i < v->len; i++)
		buf_printf(out, "%02x", v->data[i]);
	buf_u8(out, '"');
}

static void add_number(struct buf *out, const struct field *f, int64_t v)
{
	char time[TIME_TEXT_SIZE];

	if (strcmp(f->check, "date") == 0) {
		buf_printf(out, "\"%04d-%02d-%02d\"", (int)(v / 10000), (int)(v / 100 % 100), (int)(v % 100));
	} else if (strcmp(f->check, "time") == 0) {
		time_format(time, v);
		buf_printf(out, "\"%s\"", time);
	} else if (f->type == FIELD_BOOL) {
		buf_text(out, v ? "true" : "false");
	} else {
		buf_printf(out, "%lld", (long long)v);
	}
}

void record_json(const struct record *r, uint32_t groups, struct buf *out)
{
	char before = '{';

	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		if (!(groups >> (f->group - 1) & 1))
			continue;
		buf_printf(out, "%c\"%s\":", before, f->name);
		before = ',';
		if (!record_has(r, (int)i))
			buf_text(out, "null");
		else if (f->type == FIELD_TEXT)
			add_text(out, r->value[i].data, r->value[i].len);
		else if (f->type == FIELD_BYTES)
			add_bytes(out, f, &r->value[i]);
		else
			add_number(out, f, r->value[i].number);
	}
	buf_text(out, before == '{' ? "{}" : "}");
}
