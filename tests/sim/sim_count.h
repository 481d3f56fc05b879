/* sim_count.h - what happened, how often, over all histories of a process: the "sometimes" gates. */
#ifndef JG_SIM_COUNT_H
#define JG_SIM_COUNT_H

#include <stdint.h>

#define COUNTS_MAX 160

struct count {
	char name[40];
	uint64_t n;
};

extern struct count sim_counts[COUNTS_MAX];
void kernel_begin(uint64_t seed);

#endif
