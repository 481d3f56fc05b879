/* report.h - what a command of jgd says: lines for people, or one JSON document (--json) with the same facts.
 * Main thread. */
#ifndef JG_REPORT_H
#define JG_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include "err.h"

struct report {
	bool json;
	json_t *out; /* the document of a command that succeeded, or of a doctor that found something */
};

/* A line on standard output; nothing with --json. */
void report_say(const struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A key of the document; takes the value. */
void report_set(struct report *r, const char *key, json_t *value);
/* Prints the document, or of what failed three lines on standard error (what happened, what is safe, what to
 * do) and with
 * --json the error's document. Returns the exit code. */
int report_end(struct report *r, struct problem *p);

#endif
