/* cycle.h - the 小升初 cycle as this school last heard of it: its year, phase and dates. The server is the
 * judge. One thread. */
#ifndef JG_CYCLE_H
#define JG_CYCLE_H

#include "store.h"

struct cycle {
	bool known;     /* the county opened one and we pulled it */
	int32_t year;   /* of the cycle, else cycle_year_of today */
	char phase[16]; /* prefill assist confirm verify closed, "" = not known */
	int64_t opened; /* when the county opened it, microseconds; 0 = not known */
	int32_t prefill_due, confirm_due, verify_due; /* YYYYMMDD, 0 = not set */
};

/* The latest cycle in the store. today: YYYYMMDD. */
enum err cycle_read(struct store *s, int32_t today, struct cycle *out, struct problem *p);
/* That of a year; !known: the county has not opened it, as far as we have heard. */
enum err cycle_find(struct store *s, int32_t year, struct cycle *out, struct problem *p);
/* The calendar year in which the sixth grade of that day leaves school: from September on the next one. */
int32_t cycle_year_of(int32_t today);

#endif
