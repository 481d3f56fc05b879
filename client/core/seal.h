/* seal.h - personal data at rest: AES-256-GCM over single values, the place of each value bound into it, so
 * that a value cannot be moved to another row. Owns the store's key. One thread per struct seal. */
#ifndef JG_SEAL_H
#define JG_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define SEAL_KEY 32
#define SEAL_OVERHEAD 28 /* nonce 12, tag 16 */

struct seal;

/* Finds or makes the store's key in DIR/store.key (0600): wrapped by the passphrase when JG_PASSPHRASE is set
 * at its making (argon2id), else in clear; *in_clear says which, for `status`. ERR_PERMISSION for a wrong or
 * missing passphrase. */
enum err seal_open(struct seal **out, const char *dir, bool *in_clear, struct problem *p);
void seal_close(struct seal *s);

/* Appends the sealed value. `table` and the row's id are authenticated: reading needs the same. */
enum err seal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *plain,
	size_t n, struct buf *out);
/* Writes n - SEAL_OVERHEAD bytes to `plain`. ERR_STORE when the value was changed or comes from elsewhere. */
enum err unseal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *sealed,
	size_t n, void *plain);

#endif
