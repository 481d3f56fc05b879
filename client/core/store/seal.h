/* seal.h - personal data at rest: AES-256-GCM over single values, the place of each value bound into it, so
 * that a value cannot be moved to another row. Owns the store's key. One thread per struct seal. */
#ifndef JG_SEAL_H
#define JG_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "profile.h"

#define SEAL_KEY 32
#define SEAL_OVERHEAD 28 /* nonce 12, tag 16 */

struct seal;

/* Finds the store's key; *place says where it is, for `status`. A new store gets one: under the
 * passphrase (argon2id) when JG_PASSPHRASE is set, else in the user's keyring when one answers, else in
 * clear. It stays where it was made. The first and the last are DIR/store.key (0600); for the keyring
 * DIR/store.keyring holds its number there. ERR_PERMISSION for a wrong or missing passphrase, ERR_KEYRING
 * when the keyring is locked, gone or lacks the key, ERR_FILE_DAMAGED when there is a store and no key:
 * another one is never made for it. */
enum err seal_open(struct seal **out, const char *dir, enum key_place *place, struct problem *p);
void seal_close(struct seal *s);
/* Destroys the key where it is, for good: what was sealed under it cannot be read any more. */
void seal_destroy(const char *dir);

/* Appends the sealed value. `table` and the row's id are authenticated: reading needs the same. */
enum err seal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *plain,
	size_t n, struct buf *out);
/* Writes n - SEAL_OVERHEAD bytes to `plain`. ERR_STORE when the value was changed or comes from elsewhere. */
enum err unseal_value(struct seal *s, const char *table, const void *row, size_t row_len, const void *sealed,
	size_t n, void *plain);

#endif
