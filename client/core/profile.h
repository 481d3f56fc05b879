/* profile.h - the folder of one enrolled computer: key, certificate, CA, settings, the session of who is
 * logged in. Owns the files and the lock that lets one process at a time use them; knows nothing of records
 * (store.h) or of the wire (link.h). jg and jgadmin use it alike. One thread.
 *
 *   key.pem      P-256, 0600, written before the request for a certificate leaves (crash point C10)
 *   cert.pem     of this device; ca.pem the county's CA, pinned
 *   profile.json server address, county, school, device, the last server time seen
 *   session.json 0600, the session's id and token, the user's roles and classes
 *   lock         flock */
#ifndef JG_PROFILE_H
#define JG_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "class_scope.h"
#include "err.h"

#define PROFILE_CLASSES_MAX 32 /* of a class teacher, as LoginReply declares */

/* Who is logged in. Without one, user is "". */
struct session {
	uint8_t id[16], token[32];
	char user[64], name[128];
	uint32_t roles; /* 1 << role */
	char classes[PROFILE_CLASSES_MAX][CLASS_SCOPE_SIZE];
	unsigned class_count;
	bool must_change;
	int64_t until; /* microseconds; the server's word */
};

/* Where the key of the offline store is (seal.h). */
enum key_place { KEY_FILE, KEY_PASSPHRASE, KEY_KEYRING };

struct profile {
	char dir[400];
	char server[256]; /* HOST:PORT */
	char county[16], county_name[192];
	char school[16], school_name[192]; /* "" for the bureau */
	char device[40], scope[16];        /* UUID text; "school" or "bureau" */
	bool rehearsal;
	enum key_place key_place; /* of the store's key, once the store is open: `status` reports it */
	int64_t last_server;      /* the last server time seen, microseconds, 0 = never */
	int64_t skew_us;          /* this computer's clock minus the server's, when it was heard last */
	int64_t heard_us; /* the server's time then: behind last_server where a server's clock was set back */
	struct session session;
	EVP_PKEY *key;   /* NULL before enrolling */
	X509 *cert, *ca; /* NULL before enrolling */
	int lock_fd;
	/* What a face does while the network is waited for (link.h), some ten times a second and between
	 * transactions; false: it waits no longer, as if the deadline had passed. NULL = nothing. */
	bool (*meanwhile)(void *data);
	void *meanwhile_data;
	/* Since it was opened: calls that changed something at the server, calls of which nobody here knows
	 * whether they did, and transactions on this disk. So a word about what is safe is computed, not
	 * assumed. */
	struct fate {
		unsigned done, unknown, stored;
	} fate;
};

/* The default folder: $XDG_DATA_HOME/jingguan, else ~/.local/share/jingguan. */
void profile_default_dir(char *out, size_t size);

/* Makes the folder (0700) when it is missing, takes the lock and reads what is
 * there. A profile that was never enrolled is no error: ask profile_is_enrolled. `dir` NULL takes the
 * default. ERR_BUSY: another program holds it, ask again later; ERR_FILE_IO, ERR_FILE_DAMAGED with the file's
 * name in *p. */
enum err profile_open(struct profile *p, const char *dir, struct problem *problem);
void profile_close(struct profile *p);
bool profile_is_enrolled(const struct profile *p);
/* Lets go of the lock and takes it again, for a command that runs for hours. */
void profile_unlock(struct profile *p);
enum err profile_lock(struct profile *p, struct problem *problem);

/* Reads the profile.json of another folder without locking it, for `profiles`. */
enum err profile_peek(struct profile *p, const char *dir);

/* Each writes its file as a whole: a new one under another name, synced, renamed. */
enum err profile_save(const struct profile *p, struct problem *problem);
enum err profile_save_session(const struct profile *p, struct problem *problem);
enum err profile_forget_session(struct profile *p, struct problem *problem);
/* Makes and stores the key unless there is one. */
enum err profile_make_key(struct profile *p, struct problem *problem);
/* Stores certificate and CA (DER), takes them into *p. */
enum err profile_save_certs(struct profile *p, const uint8_t *cert, size_t cert_len, const uint8_t *ca,
	size_t ca_len, struct problem *problem);

bool profile_has_role(const struct profile *p, uint32_t roles);
/* The server told its time: takes it into *p, which the caller saves. */
void profile_heard(struct profile *p, int64_t now_us);
/* Now, as the county counts: the computer's clock plus what the server's differed when last seen, and never
 * before that time: a computer whose battery died begins in 2009, and nobody in its school would be born. A
 * rehearsal county's clock may stand days ahead. Microseconds. */
int64_t profile_now_us(const struct profile *p);
/* That day in China, YYYYMMDD. */
int32_t profile_today(const struct profile *p);
/* The time at which certificates are judged: the computer's, clamped to [last server time, 30 days later]. */
int64_t profile_cert_time_s(const struct profile *p);

/* Writes bytes to dir/name as a whole; mode 0600. Also for other files of the folder. */
enum err profile_write_file(
	const char *dir, const char *name, const void *bytes, size_t n, struct problem *problem);

#endif
