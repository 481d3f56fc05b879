/* document_trace.h - whether what was done to a paper is what its trace says (doc/documents.md "Trace"),
 * from the files of a package alone: no network, no server, no store. Any thread. */
#ifndef JG_DOCUMENT_TRACE_H
#define JG_DOCUMENT_TRACE_H

#include <openssl/x509.h>

#include "arena.h"
#include "bundle.h"

struct document_verdict {
	unsigned entries, first_bad; /* first_bad: 0 = none */
	unsigned seen;               /* the last that this computer was told of, as it is; 0 = none */
	const char *why;             /* of the first that is bad, in the user's language; "" */
	unsigned words;     /* of so many entries the words are there, and are those that were signed */
	const char *matter; /* what hangs on the paper and has no good trace; NULL: all have */
	unsigned matters;   /* entries of it */
	/* As the last entry says. */
	const char *doc, *state, *digest;
	bool out;
	int32_t version;
};

/* What was said to this computer of a trace while it had so many entries: that the last of them has this
 * hash. */
struct document_tail {
	uint8_t of[16], head[32];
	uint32_t n;
};
struct document_tails {
	const struct document_tail *tail;
	size_t count;
};

/* Certificates lead to `ca` at each entry's time; both signatures hold; numbers, hashes and times follow
 * each other; each state follows from the one before; what `seen` says of it is there. ERR_NOMEM: not
 * known; ERR_OK with first_bad: it is not so. Text lives in the arena. */
enum err document_trace_verify(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_verdict *out, struct arena *arena);
/* The same of the orders and the meeting in matters.jsonl, and of what schools have signed in copies.jsonl:
 * out->matter, out->why. After document_trace_verify. */
enum err document_matters_verify(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_verdict *out, struct arena *arena);
/* The certificate of the package's own CA, certs/ca.pem; NULL: there is none. X509_free. */
X509 *document_trace_ca(const struct bundle *b);

#endif
