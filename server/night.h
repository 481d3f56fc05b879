/* night.h - the transition by the clock: the nightly run of each year from its verification on, and slips
 * whose term has passed. Runs on the first loop, as internal requests through the same service as the
 * bureau's calls. */
#ifndef JG_NIGHT_H
#define JG_NIGHT_H

#include "worker.h"

#define NIGHT_EVERY_TICKS 15 /* looks four times a minute: a moved rehearsal clock acts soon */

void night_tick(struct worker *w);

#endif
