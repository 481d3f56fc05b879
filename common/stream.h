/* stream.h - a TCP connection with TLS and a capped write queue, on a libuv loop. Owns the socket; knows no
 * frames. Used by the server's conn and by the client's link. One thread: the
 * loop's.
 *
 * Closing has two steps: stream_close is idempotent and stops everything at once; `closed` comes later, when
 * nothing of libuv refers to the stream any more, and only then may its memory go. */
#ifndef JG_STREAM_H
#define JG_STREAM_H

#include <uv.h>

#include "tls.h"

#define STREAM_PAUSE_BYTES (256u << 10) /* queued to a slow peer: stop reading its requests */
#define STREAM_CLOSE_BYTES (1u << 20)   /* queued: it does not read at all */
#define STREAM_STALL_MS 60000           /* queued bytes and no progress for so long */
#define STREAM_FIRST_BYTES 4096         /* that are kept for stream_go: a ClientHello has a few hundred */
#define STREAM_READ_BYTES 65536         /* of the loop's shared read buffer */

/* Shared by all streams of a loop: a read and its answers never overlap those of another stream. */
struct stream_shared {
	uv_loop_t *loop;
	char read[STREAM_READ_BYTES];
	struct buf out; /* ciphertext of the event being handled */
	uint64_t bytes_in, bytes_out;
};

struct stream;

struct stream_events {
	/* The peer's first bytes have come; false keeps them until stream_go. May be NULL. Until then a
	 * connection costs no handshake. */
	bool (*first)(struct stream *s);
	void (*ready)(struct stream *s);                                /* the handshake is done */
	bool (*data)(struct stream *s, const uint8_t *bytes, size_t n); /* plaintext; false = being closed */
	void (*drained)(struct stream *s);              /* the queue is empty again; may be NULL */
	void (*closed)(struct stream *s, enum err why); /* last call: free the memory here */
};

/* Entered by stream_enter alone; drawn in server/README.md "State machines". */
enum stream_phase { STREAM_SILENT, STREAM_OPEN, STREAM_FLUSHING, STREAM_CLOSING, STREAM_STATES };

struct stream {
	uv_tcp_t tcp;
	struct tls tls;
	struct stream_shared *shared; /* borrowed */
	const struct stream_events *events;
	size_t queued;        /* ciphertext bytes not yet taken by the kernel */
	uint64_t progress_ms; /* loop time of the last byte that moved */
	enum err why;
	unsigned pauses;         /* reasons not to read */
	struct buf first;        /* bytes that wait for stream_go */
	enum stream_phase state; /* stream_state is the store's: where a feed stands */
	bool in_event;           /* in any state: what is written leaves at the event's end */
};

/* Nothing is read any more, and nothing can be written. */
static inline bool stream_is_closing(const struct stream *s)
{
	return s->state >= STREAM_FLUSHING;
}

void stream_shared_init(struct stream_shared *shared, uv_loop_t *loop);
void stream_shared_free(struct stream_shared *shared);

/* After uv_tcp_init and accept or connect. On error the caller closes tcp itself. */
enum err stream_open(struct stream *s, struct stream_shared *shared, SSL_CTX *ctx, bool server,
	const struct stream_events *events);
/* Encrypts and queues. ERR_TOO_LARGE when the queue is over STREAM_CLOSE_BYTES: the stream is then
 * closing. */
enum err stream_write(struct stream *s, const uint8_t *bytes, size_t n);
/* Takes the first bytes that were kept and goes on reading. Not within an event of this loop's streams. */
void stream_go(struct stream *s);
/* Stops reading requests, or goes on. */
void stream_pause(struct stream *s, bool pause);
/* why: what `closed` will be told. Sends what is queued first when flush is set. */
void stream_close(struct stream *s, enum err why, bool flush);
/* To be called now and then: closes a stream whose peer has stopped reading. */
void stream_check_stall(struct stream *s);

#endif
