/* notify.h - sd_notify in fifteen lines: libsystemd would pull six libraries for one datagram.
 * One thread: the main one. */
#ifndef JG_NOTIFY_H
#define JG_NOTIFY_H

/* Does nothing when $NOTIFY_SOCKET is not set. */
void notify_systemd(const char *state);

#endif
