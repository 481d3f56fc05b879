/* sandbox.h - what remains to a process that has read a stranger's file: its memory, its processor time,
 * and the pipe that it answers through. Neither call is ever taken back. One thread. */
#ifndef JG_SANDBOX_H
#define JG_SANDBOX_H

#include <stdbool.h>

/* Limits of memory, time, files and processes, and no new privileges; for a program that is started, too. */
bool sandbox_limit(void);
/* For our own readers: read, write, memory, exit. All else ends the process. */
bool sandbox_close(void);
/* For a program that opens its libraries and fonts: files are read, never written; no network, no other
 * process, no signals. Where the kernel can (Landlock), only what a package has installed is read: never
 * the county's keys. */
bool sandbox_for_program(void);

#endif
