/* way.h - how a person does here what a message asks for. The core names the deed by a word, "sync", and
 * each face has its own way to it: a command, or a button. The face sets its table once, before anything
 * is told. Set once at start; then any thread. */
#ifndef JG_WAY_H
#define JG_WAY_H

#include "err.h"

struct way {
	const char *act;
	const char *text;
};

/* The lists are each ended by {0}, and together by NULL; they must last. */
void way_set(const struct way *const *lists);
/* A hint that names ways, as printf; it lasts as long as the block in which it stands. */
#define way_hint(...) way_write_hint((char[HINT_SIZE]){0}, __VA_ARGS__)
const char *way_write_hint(char hint[HINT_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The way to do it, in the user's language; the word itself where the face has none. */
const char *way(const char *act);

#endif
