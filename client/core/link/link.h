/* link.h - a synchronous conversation with the server, over a private libuv loop and common/stream. Owns one
 * connection; knows no records. Every call returns within its deadline, also where
 * a name server says nothing. One thread per link. */
#ifndef JG_LINK_H
#define JG_LINK_H

#include "arena.h"
#include "kind.h"
#include "pb.h"
#include "profile.h"
#include "trust.h"

struct link;

#define LINK_CONNECT_MS 10000 /* name, TCP and TLS together: the server's own handshake limit */
#define LINK_CALL_MS 60000    /* the server's default deadline of a call */
#define LINK_RENEW_DAYS 30    /* left of a certificate's 90 when it is renewed */

/* Connects to the profile's server as its device, says HELLO and keeps WELCOME. `hello` tells of an outbox;
 * NULL for a program without one (jgadmin). Renews the certificate before when it has expired and after when
 * its end is near; a renewal that fails while the old one holds is not an error. Takes over the server's
 * time, names and skew into *profile and saves them. *profile must outlive the link. ERR_UNREACHABLE, ERR_TLS
 * (not our server), ERR_REVOKED, ERR_UPGRADE, ERR_NOT_NOW (not enrolled). */
enum err link_open(struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p);
void link_close(struct link *link);

/* As sent by the server; borrowed, lives as long as the link. */
const pb_welcome *link_welcome(const struct link *link);

/* One message of the answer, borrowed for the call. False stops: link_call returns ERR_OK and the rest is
 * thrown away. */
typedef bool (*link_reply_fn)(void *data, const ProtobufCMessage *reply);

/* Calls a method and hands every REPLY on (several for a streamed method). Refusals of the server come back
 * as their code with its message, hint and field in *p. RETRY-level codes say that the outcome is not known
 * unless they are BUSY or DRAINING (proto/README.md §9). The link cannot be used after ERR_UNREACHABLE,
 * ERR_TLS, ERR_PROTOCOL, ERR_DEADLINE. */
enum err link_call(struct link *link, uint16_t method, const ProtobufCMessage *request, link_reply_fn reply,
	void *data, struct problem *p);
/* For a method with one reply: *reply lives in the arena, which the caller has initialised. reply may be
 * NULL. */
enum err link_ask(struct link *link, uint16_t method, const ProtobufCMessage *request, struct arena *arena,
	const ProtobufCMessage **reply, struct problem *p);

/* Waits up to ms for an EVENT (after Sync.Watch): ERR_OK with *stream, ERR_DEADLINE when none came. */
enum err link_wait_event(struct link *link, unsigned ms, int64_t *stream, struct problem *p);

/* Whether the connection is still there. */
bool link_is_alive(const struct link *link);

/* The TLS exporter of this connection, for login.c's proof. */
enum err link_exporter(struct link *link, uint8_t out[32]);
/* Whether the server signed this (tls_peer_signed). */
enum err link_signed(struct link *link, const void *message, size_t n, const uint8_t *sig, size_t sig_len);
struct profile *link_profile(struct link *link);

/* For enrol.c: connects with a context of trust.h to HOST:PORT without HELLO. Takes the context over. */
enum err link_connect(struct link **out, SSL_CTX *ctx, const struct trust_result *trust, const char *server,
	struct problem *p);

#endif
