/* conn.h - one peer: handshake, greeting, frames, the calls in flight. Owns the stream and what is known of
 * the caller. One thread: the loop's.
 *
 * Its states are drawn in server/README.md "State machines". From each of them conn_close and conn_goaway
 * end it: the stream closes, nothing more is read or sent (stream_is_closing), and when its handle has
 * closed the conn is freed. Requests that are at work are detached then and go on to their ends. */
#ifndef JG_CONN_H
#define JG_CONN_H

#include "class_scope.h"
#include "frame.h"
#include "stream.h"
#include "worker.h"

#define HANDSHAKE_MS 10000 /* SECURITY.md: a handshake takes two round trips, on a bad link two seconds */
#define GREETING_MS 10000
#define IDLE_MS 600000 /* NAT tables forget sooner; clients ping every 4 minutes */
#define CALLS_MAX 8    /* in flight per connection */

/* Entered by conn_enter alone. */
enum conn_state { CONN_TLS, CONN_GREETING, CONN_OPEN, CONN_ENROLLING, CONN_STATES };

/* Who calls. Copied into each request, so that an answer never depends on what the connection became
 * meanwhile. */
struct caller {
	uint8_t device[16];
	char device_text[37];
	char school[16]; /* of the device; "" = bureau */
	bool has_device, has_session, must_change;
	uint64_t epoch; /* of the database, as WELCOME told it */
	uint64_t made;  /* operations of its outbox, as HELLO told it */
	uint8_t session[16];
	char user[64], name[128];
	uint32_t roles; /* 1 << role */
	char classes[CLASSES_MAX][CLASS_SCOPE_SIZE];
	int class_count;
};

struct conn {
	struct stream stream; /* first: a stream's address is its conn's */
	struct worker *worker;
	struct conn *next, *prev;
	struct frame_reader reader;
	enum conn_state state;
	enum close_reason reason;
	uint64_t since_ms, last_ms; /* loop time of the state's start, of the last frame */
	uint8_t spki[32];
	bool has_cert;
	struct caller caller;
	struct request *requests; /* in flight */
	int request_count;
	uint32_t last_call;
	struct address *address;    /* of the peer */
	struct conn *older, *newer; /* in `list` */
	struct conn_list *list;     /* of pending.h; NULL: it has shaken hands, or is being closed */
	uint64_t shaking_ms;        /* loop time when it had its place among the handshakes */
	bool watching;
	int64_t watch_stream[2];
	uint64_t watch_seq[2];
};

void conn_accept(struct worker *w, uv_stream_t *listener);
/* Sends a control or reply frame whose bytes are already framed. */
enum err conn_send(struct conn *c, const uint8_t *bytes, size_t n);
/* The one door between states; the limits of the new one begin. */
void conn_enter(struct conn *c, enum conn_state to);
void conn_goaway(struct conn *c, enum close_reason reason, enum err code);
void conn_close(struct conn *c, enum close_reason reason);
void conn_tick(struct conn *c); /* every second: the time limits */

#endif
