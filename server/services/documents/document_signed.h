/* document_signed.h - an act of the bureau that its computer signs, of a paper, an order or a meeting:
 * asked first as a dry run, whose answer is what is meant by it, in lines; asked again with those lines
 * and the signature, it is done, and an entry of the matter's trace says so under the server's own
 * (doc/documents.md "Trace"). One thread: the loop's. */
#ifndef JG_DOCUMENT_SIGNED_H
#define JG_DOCUMENT_SIGNED_H

#include "hash.h"
#include "request.h"

#define TRACE_HASH 32

struct document_entry {
	uint8_t of[16]; /* the paper, order or meeting */
	int32_t version;
	uint8_t digest[TRACE_HASH];        /* of what it is about */
	const char *event, *by, *for_whom; /* for_whom: NULL = himself */
	const char *text, *given, *intent; /* the words; what was said with them (document_intent.h) */
	const uint8_t *intent_sig;         /* of the computer `device` over the intent */
	size_t intent_sig_len;
	const uint8_t *cert; /* the computer's, DER */
	size_t cert_len;
	int64_t at;
	uint8_t device[16];
};
/* What a request brings of it. */
struct document_signing {
	ProtobufCBinaryData intent, sig;
	bool dry_run;
};

/* Words, what was given with them, who asks, from where, when. False: no memory, and it has been answered. */
bool document_entry_begin(struct request *r, struct document_entry *x, const ProtobufCMessage *ask,
	const char *event, int64_t now);
/* The lines that were sent; "" for none, and for bytes that are no text. */
const char *document_intent_lines(struct request *r, const struct document_signing *s);
/* The value of one of its lines ("\ndoc="); "" when it has none such. */
const char *document_intent_line(struct request *r, const struct document_signing *s, const char *key);
/* What was given with the words of an event of a paper, as people read it: names, days. */
struct document_world;
const char *document_said(struct request *r, const struct document_world *w, const char *given);
/* What a dry run answers. NULL: no memory. */
const char *document_intent(struct request *r, const struct document_entry *x, int64_t made);
/* Whether the lines that were signed are those of this act, as it stands now, and signed by the computer
 * that asks: then they are the entry's. False: refused. look: the command that shows what it is about. */
bool document_intent_take(
	struct request *r, struct document_entry *x, const struct document_signing *s, const char *look);

/* The lines of entry n, whose hash *head becomes; *head is that of the entry before. Of the entry: at, intent,
 * intent_sig. NULL: no memory. */
const char *document_entry_text(struct request *r, const struct document_entry *x, int32_t n,
	uint8_t head[TRACE_HASH], const char *state);
/* The same with the server's signature over it. 0: no memory. */
size_t document_entry_sign(struct request *r, const struct document_entry *x, int32_t n,
	uint8_t head[TRACE_HASH], const char *state, uint8_t *sig);
/* An order and a meeting have a trace of their own: an entry of a paper's would have to be a step
 * of the paper's own states, and a meeting is no paper's alone. */
enum signed_matter { SIGNED_ORDER, SIGNED_MEETING };
/* Adds what an act needs of its trace to the trip, behind its lock; `of` is an id or a number. */
void matter_trace_query(
	struct request *r, enum signed_matter kind, const char *of, const struct document_signing *s);
/* Whether these very lines were done before; a row of: */
const PGresult *matter_trace_repeat(struct request *r, enum signed_matter kind);
enum { REPEATED_ID, REPEATED_NUMBER, REPEATED_STATE, REPEATED_AT, REPEATED_DUE, REPEATED_TO };
/* Adds the statements that write the entry, behind those that write the matter. ERR_NOMEM. */
enum err matter_trace_write(
	struct request *r, enum signed_matter kind, struct document_entry *x, const char *state);

/* Adds the statements that keep the certificates of who signs. ERR_NOMEM. */
enum err document_signers_write(struct request *r, const struct document_entry *x);

#endif
