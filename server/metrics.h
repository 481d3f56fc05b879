/* metrics.h - /metrics, /healthz and /readyz over plain HTTP on a loopback address. Reads the workers'
 * counters; owns its listener. The main loop's thread. */
#ifndef JG_METRICS_H
#define JG_METRICS_H

#include "server.h"

struct metrics;

/* Binds conf.metrics_addr (and writes the port back when it was 0). */
enum err metrics_create(struct metrics **out, struct server *s, uv_loop_t *loop, struct problem *p);
void metrics_close(struct metrics *m); /* frees itself when libuv lets go */

#endif
