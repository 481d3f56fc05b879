/* grammar.h - frames as a client sends them, and as a liar does: messages of every method by their
 * descriptors, then wrong in one of the ways a peer can be wrong. All choices come from a source: of random
 * numbers (malformed.c) or of a fuzzer's bytes (fuzz_conn.c), so that either finds its way through the
 * decoder instead of failing at the first byte. */
#ifndef JG_GRAMMAR_H
#define JG_GRAMMAR_H

#include <string.h>

#include "buf.h"
#include "frame.h"
#include "kind.h"
#include "tables.h"

#define GRAMMAR_DEPTH 6    /* of generated messages; the schema is not deeper, a liar's is */
#define GRAMMAR_BYTES 6000 /* of a body; larger ones only by what the header says */
#define GRAMMAR_FRAMES 8   /* of one connection */

struct source {
	const uint8_t *bytes; /* a fuzzer's, or NULL */
	size_t left;
	uint64_t random;
	unsigned lies; /* of a thousand choices, how many are lies */
};

static uint32_t pick(struct source *s, uint32_t below)
{
	if (s->bytes) { /* what is used up says 0 for ever: an end without lies */
		uint32_t v = 0;
		for (int i = 0; i < (below > 256 ? 3 : 1) && s->left; i++, s->left--)
			v = v << 8 | *s->bytes++;
		return v % below;
	}
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (uint32_t)((s->random >> 11) % below);
}

static bool lie(struct source *s)
{
	return s->bytes ? pick(s, 256) > 240 : pick(s, 1000) < s->lies;
}

static void varint(struct source *s, struct buf *b, uint64_t v)
{
	if (!lie(s)) {
		buf_varint(b, v);
		return;
	}
	switch (pick(s, 4)) {
	case 0: /* longer than needed */
		for (int i = 0; i < 9; i++, v >>= 7)
			buf_u8(b, (uint8_t)(v | 0x80));
		buf_u8(b, 0);
		break;
	case 1: /* without an end */
		for (int i = 0; i < 12; i++)
			buf_u8(b, 0xff);
		break;
	case 2: /* cut */
		buf_u8(b, (uint8_t)(v | 0x80));
		break;
	default:
		buf_varint(b, (uint64_t)pick(s, 1 << 20) << pick(s, 44));
	}
}

static void random_bytes(struct source *s, struct buf *b, size_t n)
{
	while (n-- && b->len < GRAMMAR_BYTES)
		buf_u8(b, (uint8_t)pick(s, 256));
}

static void text(struct source *s, struct buf *b)
{
	static const char *const words[] = {"", "2132990001", "学生", "16", "1", "329999201503010018",
		"registrar", "A", "B2", "2027", "江苏省南京市", "wire@x", "班"};
	static const char *const wrong[] = {"\xff", "\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80",
		"\xc0\x80", "\xf4\x90\x80\x80", "\xe2\x80\xae", "' OR 1=1 --", "../../x", "=1+1"};

	if (lie(s)) {
		if (pick(s, 4) == 0)
			buf_u8(b, 0);
		buf_text(b, wrong[pick(s, sizeof wrong / sizeof *wrong)]);
		if (pick(s, 4) == 0)
			for (int i = pick(s, 200) * 20; i > 0; i--)
				buf_u8(b, 'x');
		return;
	}
	buf_text(b, words[pick(s, sizeof words / sizeof *words)]);
}

static void message(struct source *s, struct buf *b, const ProtobufCMessageDescriptor *type, int depth);

/* A record's body: the declaration's fields by number. */
static void record(struct source *s, struct buf *b)
{
	const struct kind *kind = &kind_table[pick(s, (uint32_t)kind_count)];

	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		if (pick(s, 3) == 0)
			continue;
		bool long_one = f->type == FIELD_TEXT || f->type == FIELD_BYTES;
		varint(s, b, f->number << 3 | (long_one ? 2u : 0u));
		if (!long_one) {
			varint(s, b, f->type == FIELD_INT32 && pick(s, 2) ? 20150301 : pick(s, 3));
			continue;
		}
		struct buf one = {0};
		text(s, &one);
		varint(s, b, one.len);
		buf_add(b, one.data, one.len);
		buf_free(&one);
	}
}

/* Fields of type bytes hold ids, hashes, operations and records. */
static void opaque(struct source *s, struct buf *b, int depth)
{
	switch (pick(s, 5)) {
	case 0:
		random_bytes(s, b, 16);
		break;
	case 1:
		random_bytes(s, b, 32);
		break;
	case 2:
		record(s, b);
		break;
	case 3:
		message(s, b, &pb_op_desc, depth + 1);
		break;
	default:
		random_bytes(s, b, pick(s, 80));
	}
}

static void value(struct source *s, struct buf *b, const ProtobufCFieldDescriptor *f, int depth)
{
	struct buf inner = {0};

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		text(s, &inner);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		opaque(s, &inner, depth);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		message(s, &inner, f->descriptor, depth + 1);
		break;
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL:
		varint(s, b, pick(s, lie(s) ? 1 << 20 : 8));
		return;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		random_bytes(s, b, 8);
		return;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		random_bytes(s, b, 4);
		return;
	default:
		varint(s, b, pick(s, 4) ? pick(s, 5) : (uint64_t)pick(s, 1 << 20) << pick(s, 40));
		return;
	}
	uint64_t said = inner.len;
	if (lie(s))
		said = (uint64_t[]){
			0, said + 1, said / 2, UINT32_MAX, UINT64_MAX, (uint64_t)INT32_MAX + 1}[pick(s, 6)];
	varint(s, b, said);
	buf_add(b, inner.data, inner.len);
	buf_free(&inner);
}

static unsigned wire_type(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 2;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 1;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 5;
	default:
		return 0;
	}
}

static unsigned how_often(struct source *s, const ProtobufCFieldDescriptor *f)
{
	bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;

	if (lie(s)) /* a bomb of empty elements, or a field twice */
		return repeated ? pick(s, pick(s, 8) ? 20 : 3000) : 2;
	return repeated ? pick(s, 4) : pick(s, 4) != 0;
}

static void message(struct source *s, struct buf *b, const ProtobufCMessageDescriptor *type, int depth)
{
	if (depth > GRAMMAR_DEPTH || b->len > GRAMMAR_BYTES)
		return;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		for (unsigned n = how_often(s, f); n && b->len < GRAMMAR_BYTES; n--) {
			unsigned number = f->id, wire = wire_type(f);
			if (lie(s))
				number = (unsigned[]){0, 19000, 536870911, number + 1, 15}[pick(s, 5)];
			if (lie(s))
				wire = pick(s, 8);
			varint(s, b, (uint64_t)number << 3 | wire);
			value(s, b, f, depth);
		}
	}
	if (lie(s)) /* one message in another, deeper than anybody declared */
		for (int i = pick(s, 400); i > 0 && b->len < GRAMMAR_BYTES; i--) {
			buf_u8(b, (uint8_t)(1 + pick(s, 15)) << 3 | 2);
			buf_varint(b, (uint64_t)i * 2);
		}
}

/* One frame; its body fits the method unless a lie says otherwise. */
static void frame(struct source *s, struct buf *out, uint32_t *call)
{
	struct buf body = {0};
	struct frame f = {.type = FRAME_CALL};
	const struct method *m = &method_table[pick(s, (uint32_t)method_count)];
	size_t at = out->len;

	switch (pick(s, 12)) {
	case 0:
		f.type = FRAME_HELLO;
		message(s, &body, &pb_hello_desc, 0);
		break;
	case 1:
		f.type = pick(s, 2) ? FRAME_PING : FRAME_PONG;
		random_bytes(s, &body, pick(s, 70));
		break;
	case 2: /* the one that carries records */
		m = method_by_number(METHOD_SYNC_PUSH);
		/* fall through */
	default:
		f.method = m->number;
		f.call = *call += 2;
		message(s, &body, m->request, 0);
	}
	f.deadline_ms = pick(s, 3) ? 0 : pick(s, 1 << 20);
	f.length = (uint32_t)body.len;
	f.body = body.data;
	if (lie(s))
		f.type = (uint8_t)pick(s, 256);
	if (lie(s))
		f.flags = (uint8_t)pick(s, 256);
	if (lie(s))
		f.method = (uint16_t)pick(s, 65536);
	if (lie(s))
		f.call = pick(s, 3);
	frame_append(out, &f);
	if (lie(s)) { /* the length says something else than what follows */
		static const uint32_t lengths[] = {
			0, 1, 65520, 65521, FRAME_MAX - FRAME_HEADER, FRAME_MAX, INT32_MAX, UINT32_MAX};
		uint32_t length = pick(s, 2) ? lengths[pick(s, 8)] : f.length + 1 - 2 * pick(s, 2);
		for (int i = 0; i < 4; i++)
			out->data[at + (size_t)i] = (uint8_t)(length >> (24 - 8 * i));
	}
	for (unsigned n = lie(s) ? 1 + pick(s, 8) : 0; n; n--) /* bits that tipped over */
		out->data[at + pick(s, (uint32_t)(out->len - at))] ^= (uint8_t)(1u << pick(s, 8));
	if (lie(s)) /* cut off, and whatever follows is read as its rest */
		out->len -= pick(s, (uint32_t)(out->len - at));
	buf_free(&body);
}

#endif
