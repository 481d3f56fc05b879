/* helper.h - another program that looks at bytes for a request: started on the loop, given them as its
 * standard input, heard to its end or to a deadline. A few at a time; the others wait in turn. Owns the
 * processes it starts and nothing else. One thread: the loop's. */
#ifndef JG_HELPER_H
#define JG_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "err.h"

struct worker;
struct helper;
typedef void (*helper_fn)(struct helper *h);

#define HELPER_ARGS 16

/* Lives in the request's arena, whose answer waits for `done`. */
struct helper {
	const char *args[HELPER_ARGS + 1]; /* the program and its words, ended by NULL */
	const void *bytes;                 /* its standard input; NULL: none */
	size_t n;
	char *out; /* what it said, at most out_max bytes; NULL, 0: nobody listens */
	size_t out_n, out_max;
	unsigned most_ms;
	helper_fn done; /* on the loop, once */
	void *data;     /* the caller's */
	/* results */
	int status; /* its exit code; -1: it did not end by itself */
	/* inner */
	struct worker *worker;
	struct helper *next; /* in worker->helpers */
	bool running, exited, heard;
	unsigned open; /* handles that are not closed yet */
	uv_process_t process;
	uv_pipe_t in, answer;
	uv_timer_t timer;
	uv_write_t write;
};

/* ERR_BUSY when too many wait, and then done never runs. A program that cannot be started ends at once
 * with status -1. */
enum err helper_run(struct helper *h, struct worker *w);
/* Ends all that run: their callers go on. */
void helper_end_all(struct worker *w);
/* Where a program of ours stands: beside jgd. */
void helper_beside(const char *name, char *out, size_t size);

#endif
