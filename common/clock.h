/* clock.h - the two clocks of a process and ids that carry one. Any thread. */
#ifndef JG_CLOCK_H
#define JG_CLOCK_H

#include <stdint.h>
#include <stddef.h>

int64_t clock_now_us(void);        /* wall clock, microseconds since 1970 UTC: evidence and log lines */
uint64_t clock_monotonic_us(void); /* for every duration and time-out */

/* UUIDv7 (RFC 9562) of a wall-clock time: ids of one computer ascend, so that indexes stay dense. */
void id_make(uint8_t out[16], int64_t now_us);
/* The wall-clock time that an id carries, microseconds. */
int64_t id_time(const uint8_t id[16]);
void id_format(char out[37], const uint8_t id[16]);
/* 0 when text is a UUID with or without dashes, -1 otherwise. */
int id_parse(uint8_t out[16], const char *text);

#define TIME_TEXT_SIZE 32
/* RFC 3339 with +08:00, seconds: what people and --json see. */
void time_format(char out[TIME_TEXT_SIZE], int64_t us);

#endif
