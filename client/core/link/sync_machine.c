#include "sync_machine.h"

#include <stdlib.h>

#include "log.h"
#include "state.h"

#define BACKOFF_MS 1000 /* proto/README.md §9: 1 s, doubling to 30 s, with jitter */
#define BACKOFF_MAX_MS 30000

void sync_machine_init(struct sync_machine *m, uint64_t random, bool push_only, unsigned budget_ms)
{
	*m = (struct sync_machine){.random = random | 1, .push_only = push_only, .budget_ms = budget_ms};
}

static struct sync_action act(struct sync_machine *m, enum sync_do what)
{
	m->last = (struct sync_action){.what = what, .stream = m->stream};
	return m->last;
}

static struct sync_action finish(struct sync_machine *m, enum err why)
{
	m->last = (struct sync_action){.what = SYNC_FINISH, .why = why};
	return m->last;
}

/* xorshift: jitter needs no secrecy, but the same seed must give the same run (I15). */
static unsigned jitter(struct sync_machine *m, unsigned below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (unsigned)(m->random % below);
}

static struct sync_action retry(struct sync_machine *m, const struct sync_event *e)
{
	unsigned backoff = BACKOFF_MS;

	for (unsigned i = 0; i < m->attempt && backoff < BACKOFF_MAX_MS; i++)
		backoff *= 2;
	if (e->retry_ms > backoff)
		backoff = e->retry_ms;
	backoff += jitter(m, backoff / 4 + 1);
	m->attempt++;
	if (e->now_ms - m->began_ms + backoff > m->budget_ms)
		return finish(m, e->error);
	act(m, SYNC_WAIT);
	m->last.ms = backoff;
	return m->last;
}

/* TLS is fatal for a connection; whether another one helps the code does not say, a wrong certificate does
 * not. */
static bool is_worth_retrying(enum err e)
{
	return err_info((int)e)->level == ERR_LEVEL_RETRY;
}

static struct sync_action on_failed(struct sync_machine *m, const struct sync_event *e)
{
	return is_worth_retrying(e->error) ? retry(m, e) : finish(m, e->error);
}

/* The server knows this device's history better: the next HELLO tells. */
static struct sync_action reconnect(struct sync_machine *m, enum err why)
{
	if (++m->forks > SYNC_FORKS_MAX)
		return finish(m, why);
	return act(m, SYNC_CONNECT);
}

static struct sync_action pull_next(struct sync_machine *m)
{
	m->repulled = false;
	return m->stream < m->streams ? act(m, SYNC_PULL) : act(m, SYNC_RESOLVE);
}

static struct sync_action on_pushed(struct sync_machine *m, const struct sync_event *e)
{
	if (e->control == ERR_FORKED || e->control == ERR_EXPECT)
		return reconnect(m, e->control);
	if (e->control) {
		struct sync_event busy = *e;
		busy.error = e->control;
		return on_failed(m, &busy);
	}
	if (e->more && e->n == 0)
		return finish(m, ERR_PROTOCOL); /* an answer without an answer would loop for ever */
	m->attempt = 0;
	return e->more ? act(m, SYNC_PUSH) : act(m, SYNC_FILE);
}

static struct sync_action on_committed(struct sync_machine *m, const struct sync_event *e)
{
	if (!e->agreed) {
		m->digest_differed = true;
		if (!m->repulled) {
			m->repulled = true;
			return act(m, SYNC_RESET);
		}
	}
	m->stream++;
	return pull_next(m);
}

/* What may answer each action. */
static const struct {
	const char *name;
	uint32_t events;
} answers[] = {
	[SYNC_NOTHING] = {"nothing", STATE(SYNC_STARTED)},
	[SYNC_CONNECT] = {"connect", STATE(SYNC_CONNECTED) | STATE(SYNC_FAILED)},
	[SYNC_PUSH] = {"push", STATE(SYNC_PUSHED) | STATE(SYNC_FAILED)},
	[SYNC_FILE] = {"file", STATE(SYNC_FILED) | STATE(SYNC_FAILED)},
	[SYNC_PULL] = {"pull", STATE(SYNC_PULLED) | STATE(SYNC_FAILED)},
	[SYNC_RESET] = {"reset", STATE(SYNC_DID) | STATE(SYNC_FAILED)},
	[SYNC_COMMIT] = {"commit", STATE(SYNC_COMMITTED) | STATE(SYNC_FAILED)},
	[SYNC_RESOLVE] = {"resolve", STATE(SYNC_RESOLVED) | STATE(SYNC_FAILED)},
	[SYNC_WAIT] = {"wait", STATE(SYNC_DID)},
	[SYNC_FINISH] = {"finish", 0},
};
static const char *const event_names[] = {
	"started", "connected", "pushed", "filed", "pulled", "committed", "resolved", "did", "failed"};

struct sync_action sync_machine_step(struct sync_machine *m, const struct sync_event *e)
{
	if (!(answers[m->last.what].events & STATE(e->what))) {
		log_error("sync: %s does not answer %s", event_names[e->what], answers[m->last.what].name);
		abort();
	}
	switch (e->what) {
	case SYNC_STARTED:
		m->began_ms = e->now_ms;
		return act(m, SYNC_CONNECT);
	case SYNC_CONNECTED:
		m->streams = e->n;
		if (e->moved) /* each failover asks again for what is missing: that is no quarrel */
			m->forks = 0;
		m->stream = 0;
		return act(m, SYNC_PUSH);
	case SYNC_PUSHED:
		return on_pushed(m, e);
	case SYNC_FILED:
		if (e->more)
			return act(m, SYNC_FILE);
		m->stream = 0;
		return m->push_only ? finish(m, ERR_OK) : pull_next(m);
	case SYNC_PULLED:
		m->attempt = 0;
		/* It may lack what we sent and were answered: that goes there first, lest it vanish from
		 * before its author's eyes. */
		if (e->moved)
			return reconnect(m, ERR_EPOCH);
		/* RESYNC, EPOCH: own pending operations stay, the copy begins again. */
		return e->control ? act(m, SYNC_RESET) : act(m, SYNC_COMMIT);
	case SYNC_COMMITTED:
		return on_committed(m, e);
	case SYNC_RESOLVED:
		if (!e->n || ++m->rounds >= SYNC_ROUNDS_MAX)
			return finish(m, ERR_OK);
		m->stream = 0;
		return act(m, SYNC_PUSH);
	case SYNC_DID:
		return m->last.what == SYNC_RESET ? act(m, SYNC_PULL) : act(m, SYNC_CONNECT);
	default:
		return on_failed(m, e);
	}
}
