#include "lookup.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool done, given_up; /* under the lock; who comes second frees */
	struct addrinfo *list;
	char host[256], port[8];
};

static void free_lookup(struct lookup *l)
{
	if (l->list)
		freeaddrinfo(l->list);
	pthread_cond_destroy(&l->answered);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct addrinfo *ask(const struct lookup *l, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;

	return getaddrinfo(l->host, l->port, &hints, &list) ? NULL : list;
}

static void *run(void *data)
{
	struct lookup *l = data;
	struct addrinfo *list = ask(l, 0);

	pthread_mutex_lock(&l->lock);
	l->list = list;
	l->done = true;
	bool given_up = l->given_up;
	pthread_cond_signal(&l->answered);
	pthread_mutex_unlock(&l->lock);
	if (given_up)
		free_lookup(l);
	return NULL;
}

/* The face's signals are its own thread's. */
static bool begin_thread(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	if (pthread_attr_init(&attr))
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool begun = pthread_create(&thread, &attr, run, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return begun;
}

struct lookup *lookup_begin(const char *host, const char *port)
{
	struct lookup *l = calloc(1, sizeof *l);
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	strncpy(l->host, host, sizeof l->host - 1);
	strncpy(l->port, port, sizeof l->port - 1);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->answered, &attr);
	pthread_condattr_destroy(&attr);
	l->list = ask(l, AI_NUMERICHOST | AI_NUMERICSERV); /* asks nobody */
	l->done = l->list != NULL;
	if (l->done || begin_thread(l))
		return l;
	free_lookup(l);
	return NULL;
}

bool lookup_wait(struct lookup *l, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&l->lock);
	while (!l->done && pthread_cond_timedwait(&l->answered, &l->lock, &until) == 0)
		;
	bool done = l->done;
	pthread_mutex_unlock(&l->lock);
	return done;
}

struct addrinfo *lookup_end(struct lookup *l)
{
	struct addrinfo *list = NULL;

	pthread_mutex_lock(&l->lock);
	bool done = l->done;
	if (done) {
		list = l->list;
		l->list = NULL;
	}
	l->given_up = true;
	pthread_mutex_unlock(&l->lock);
	if (done)
		free_lookup(l);
	return list;
}
