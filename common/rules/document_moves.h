/* document_moves.h - where an event of a paper may lead, by the codes that stand in its trace: what a verifier
 * asks who has the trace alone. The server's machine says more (who, under what conditions);
 * tests/unit/test_document_machine.c holds the two against each other. Any thread. */
#ifndef JG_DOCUMENT_MOVES_H
#define JG_DOCUMENT_MOVES_H

#include <stdbool.h>

/* What the lines begin with that are signed for an event: by who asked for it, and by the server. */
#define DOCUMENT_INTENT "jg intent"
#define DOCUMENT_ENTRY "jg entry"

struct document_move {
	bool out; /* 发文 */
	const char *from, *event;
	const char *to, *or_to; /* or_to: NULL = nowhere else */
};
extern const struct document_move document_moves[]; /* ended by {0} */

/* The same of an order or a meeting on it, whose states share no name but the last ones. Between two of
 * the bureau's acts a school may have answered, or the meeting's paper been issued: signed elsewhere, so
 * no entry here. */
bool matter_may_move(const char *from, const char *event, const char *to);
/* from: "" before the first event. */
bool document_may_move(bool out, const char *from, const char *event, const char *to);

#endif
