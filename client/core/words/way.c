#include "way.h"

#include "lang.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct way *const *all; /* set before there is a second thread */

void way_set(const struct way *const *lists)
{
	all = lists;
}

const char *way(const char *act)
{
	for (const struct way *const *list = all; list && *list; list++)
		for (const struct way *w = *list; w->act; w++)
			if (strcmp(w->act, act) == 0)
				return _(w->text);
	return act;
}

const char *way_write_hint(char hint[HINT_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(hint, HINT_SIZE, format, args);
	va_end(args);
	return hint;
}
