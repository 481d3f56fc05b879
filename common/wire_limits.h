/* wire_limits.h - what one message may carry, the same at both ends; WELCOME tells them to clients that are
 * not ours (proto/README.md). Any thread. */
#ifndef JG_WIRE_LIMITS_H
#define JG_WIRE_LIMITS_H

#define PUSH_OPS_MAX 500            /* of one push: a transaction's locks are held for them all */
#define PUSH_BYTES_MAX (256u << 10) /* of its operations: a slow link sends them within a minute */
#define CHUNK_BYTES (256u << 10)    /* of a file: what a broken line makes us send again */
#define FILE_BYTES_MAX (10u << 20)  /* of a file: a scanned page has two */

#endif
