/* frame.h - the 16-byte header and the cutting of a byte stream into frames. Bytes in, frames out; no I/O.
 *
 * Header, big-endian: u32 body length · u8 type · u8 flags · u16 method · u32 call id · u32 deadline ms.
 * Frozen on the wire (proto/README.md). Any thread. */
#ifndef JG_FRAME_H
#define JG_FRAME_H

#include "buf.h"
#include "err.h"

#define FRAME_HEADER 16
#define FRAME_MAX (1u << 20) /* header and body; no message needs more, lists and files travel in several */
#define FRAME_MAX_GREETING 65536u /* before log-in: a stranger costs no more than this */

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_WELCOME = 2,
	FRAME_CALL = 3,
	FRAME_REPLY = 4,
	FRAME_ERROR = 5,
	FRAME_EVENT = 6,
	FRAME_PING = 7,
	FRAME_PONG = 8,
	FRAME_GOAWAY = 9,
	FRAME_TYPE_MAX = FRAME_GOAWAY,
};

#define FRAME_MORE 0x01 /* REPLY: another frame of the same call follows */
#define FRAME_FLAGS FRAME_MORE

struct frame {
	uint32_t length; /* of the body */
	uint8_t type, flags;
	uint16_t method;
	uint32_t call;        /* odd from the client, even from the server, 0 for control frames */
	uint32_t deadline_ms; /* of a CALL: how long the caller waits; 0 = not said */
	const uint8_t *body;  /* borrowed: valid until the reader is fed again */
};

void frame_header_put(uint8_t out[FRAME_HEADER], const struct frame *f);
/* ERR_PROTOCOL on an unknown type or flag; the length is not judged here. */
enum err frame_header_get(struct frame *f, const uint8_t in[FRAME_HEADER]);
/* Appends header and body. f->length and f->body must be set. */
void frame_append(struct buf *out, const struct frame *f);

/* Called when a header is complete and before any byte of the body is stored: the largest body allowed. */
typedef uint32_t (*frame_cap_fn)(void *data, const struct frame *header);

struct frame_reader {
	uint8_t head[FRAME_HEADER];
	size_t head_len;
	struct frame frame;
	uint8_t *body; /* owned, only while a frame is split over several reads */
	size_t body_len;
};

void frame_reader_free(struct frame_reader *r);
/* Consumes bytes from *data (advancing it) until one frame is complete: ERR_OK with *done set, out->body
 * borrowed. ERR_OK with !*done when all bytes were taken. ERR_TOO_LARGE with *out filled when the cap refuses
 * the frame, ERR_PROTOCOL, ERR_NOMEM: the connection cannot go on. */
enum err frame_reader_feed(struct frame_reader *r, const uint8_t **data, size_t *n, frame_cap_fn cap,
	void *cap_data, struct frame *out, bool *done);

#endif
