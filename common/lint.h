/* lint.h - what gcc's analyzer cannot see, said where it stands; nothing outside script/lint. Any thread. */
#ifndef JG_LINT_H
#define JG_LINT_H

/* p is owned by something that outlives the function: a list reached through a pointer, libuv, a library's
 * callback. gcc 12 forgets such stores and would call them leaks; a function that it does not see may keep p,
 * and that is the truth. */
#ifdef JG_LINT
void lint_kept(void *p);
#define LINT_KEPT(p) lint_kept(p)
#else
#define LINT_KEPT(p) ((void)0)
#endif

#endif
