/* keyring.h - one secret in the user's keyring, through the Secret Service (GNOME Keyring, KWallet,
 * KeePassXC). Owns all that is known of libsecret, D-Bus and GLib; nothing of them shows here. Every call is
 * synchronous and bounded: KEYRING_WAIT_S against a bus or a service that does not answer, KEYRING_ASK_S when
 * a person at a desktop is asked to unlock. No bus is ever started. One thread at a time. */
#ifndef JG_KEYRING_H
#define JG_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#define KEYRING_WAIT_S 5
#define KEYRING_ASK_S 60
#define KEYRING_ID 16

enum keyring_state {
	KEYRING_OK,
	KEYRING_GONE,   /* no session bus, no libsecret, no service, or no answer in time */
	KEYRING_LOCKED, /* it answers, but nobody is there to unlock it, or would not */
	KEYRING_MISSING /* it answers, is open, and has no such secret (or no keyring to put one into) */
};

/* Whether a secret could be put there now, without asking anybody. */
enum keyring_state keyring_ready(void);
/* Puts n bytes there under an id, over what is there; `label` is what the keyring's own window shows. */
enum keyring_state keyring_put(
	const uint8_t id[KEYRING_ID], const char *label, const uint8_t *secret, size_t n);
/* The n bytes put under the id; another length is KEYRING_MISSING. */
enum keyring_state keyring_get(const uint8_t id[KEYRING_ID], uint8_t *secret, size_t n);

#endif
