/* cycle.h - the 小升初 cycle as this school last heard of it: its year, phase and dates. The server is the
 * judge. */
#ifndef JG_CYCLE_H
#define JG_CYCLE_H

#include "store.h"

struct cycle {
	bool known;     /* the county opened one and we pulled it */
	int32_t year;   /* of the cycle, else the calendar year in which today's sixth grade leaves school */
	char phase[16]; /* prefill assist confirm verify closed, "" = not known */
	int32_t prefill_due, confirm_due, verify_due; /* YYYYMMDD, 0 = not set */
};

/* The latest cycle in the store. today: YYYYMMDD. */
enum err cycle_read(struct store *s, int32_t today, struct cycle *out, struct problem *p);
/* Today in China, as the county's clock says. */
int32_t cycle_today(const struct profile *profile);

#endif
