/* todo.h - what is to be done at this school, from the records alone: what waits on this computer and what
 * the services ask. The same list for every face; how a thing is done is the face's. One thread. */
#ifndef JG_TODO_H
#define JG_TODO_H

#include "view.h"

#define TODO_MAX 400 /* more than anybody reads; what is beyond is left out */

struct todo {
	const char *what; /* stable word */
	const char *act;  /* what a person does about it; the word for which a face has its way */
	char of[48];      /* to what, such as the number of a letter; "" = to all of it */
	char text[256];
	int64_t due; /* microseconds, 0 = no date */
	size_t count;
	size_t at; /* as they were added */
};

struct todo_list {
	struct view *view;
	struct todo list[TODO_MAX];
	size_t n;
};

/* Collects them, what has no date first, then by their dates. The view has all kinds (kinds_all). *out is the
 * caller's to free. */
enum err todo_collect(struct todo_list **out, struct view *v, struct problem *p);

/* For the services: adds one. of: NULL = none. */
void todo_add(struct todo_list *l, const char *what, const char *act, const char *of, size_t count,
	int64_t due, const char *text, ...) __attribute__((format(printf, 7, 8)));
/* The end of a day (YYYYMMDD) in China, 0 for 0. */
int64_t todo_end_of_day(int32_t date);

#endif
