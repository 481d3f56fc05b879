/* envelope.h - protobuf messages in and out of frame bodies, never trusting the peer (sync.md finding 5).
 * Pure; any thread.
 *
 * protobuf-c checks neither UTF-8 nor counts nor enum values and cuts text at a NUL; the walk here does, by
 * descriptor. */
#ifndef JG_ENVELOPE_H
#define JG_ENVELOPE_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "frame.h"

/* Decodes into the arena and walks the result. ERR_MALFORMED, ERR_TOO_LARGE (quota or a count) with the field
 * in *p. The message lives as long as the arena; never call protobuf_c_message_free_unpacked on it. */
enum err envelope_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n,
	struct arena *arena, const ProtobufCMessage **out, struct problem *p);

/* What a request's fields have to be besides sound: in the range that the declaration names (check.h), text
 * in normal form (NFC). */
enum err envelope_check(const ProtobufCMessage *message, struct problem *p);

/* Appends a whole frame with the message as its body. f->length and f->body are set here. */
void envelope_pack(struct buf *out, struct frame *f, const ProtobufCMessage *message);

#endif
