/* login.h - who works at this device: logging in, the stored session, logging out. Uses link and profile; one
 * thread. */
#ifndef JG_LOGIN_H
#define JG_LOGIN_H

#include "link.h"

/* Logs in and keeps the session in the profile; the link stays open for what comes next. `hello` as in
 * link_open. */
enum err login_open(struct profile *profile, const pb_hello *hello, const char *user, const char *password,
	struct link **out, struct problem *p);
/* Shows the stored session (Session.Resume) and takes the roles it has now into the profile.
 * ERR_UNAUTHENTICATED without a session, or when it has ended (who it was stays known, for work offline).
 * While profile->session.must_change is set, only login_change and login_close will be answered. */
enum err login_resume(struct link *link, struct problem *p);
/* link_open and login_resume: how every command that needs a person reaches the server. */
enum err login_link(struct link **out, struct profile *profile, const pb_hello *hello, struct problem *p);
/* Ends the session at the server and forgets it here; here also when the server cannot be reached (its code
 * comes back). */
enum err login_close(struct profile *profile, struct problem *p);
/* Changes the password; this session goes on, the server ends the others. */
enum err login_change(
	struct profile *profile, const char *password, const char *new_password, struct problem *p);

#endif
