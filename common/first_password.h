/* first_password.h - passwords that are made for somebody else, who changes them at the first log-in. The
 * server makes one when it is asked to; an administrator's program makes many and keeps them before the
 * server hears of them (UserAdd.password). Any thread. */
#ifndef JG_FIRST_PASSWORD_H
#define JG_FIRST_PASSWORD_H

#define PASSWORD_MADE 16 /* bytes of a generated password with its NUL */

void password_generate(char out[PASSWORD_MADE]); /* 12 characters, three classes, none that look alike */

#endif
