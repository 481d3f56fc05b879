/* document_intent.h - what somebody signs for an event beside what it is about (doc/documents.md "Trace"):
 * his words, and all else that he said with them. Both ends make it of the ask by its declaration alone,
 * so that nothing of an ask that changes what becomes of it can be exchanged behind the signature. Pure;
 * any thread. */
#ifndef JG_DOCUMENT_INTENT_H
#define JG_DOCUMENT_INTENT_H

#include <protobuf-c/protobuf-c.h>

#include "arena.h"
#include "hash.h"

/* The words of an ask: its text, or else its reason; "" for none. */
const char *document_words(const ProtobufCMessage *ask);
/* All else, `name=value` a line, in the order of the fields' numbers, each value of a list on its own
 * line; what was not said, no, 0 and "" have none. "" for nothing. Without what an intent names itself
 * (event, doc, id, seen), what its digest is over (file, attach), and the signing. NULL: no memory. */
const char *document_given(const ProtobufCMessage *ask, struct arena *arena);
/* `text` of an intent: the SHA-256 of the words, and where something was given of the words, a line feed
 * and those lines. */
void document_words_hash(uint8_t out[HASH_SIZE], const char *words, const char *given);

#endif
