/* Virtual time, random numbers, fibers. Nothing here may depend on an address or on the computer's clock: the
 * same seed gives the same trace (I15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include <sodium.h>

#include "sim.h"
#include "sim_count.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES (1u << 20) /* SQLite, sodium and the largest arrays of client/core need a fifth of it */
#define EVENTS_MAX 65536
#define WALL_BEGIN INT64_C(1780272000000000) /* 2026-06-01 08:00 +08:00, µs */

/* ---- random ---- */

static uint64_t random_state;

uint64_t draw(uint64_t below)
{
	/* splitmix64: one seed, one sequence, whatever the library does. */
	uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (z ^ (z >> 31)) % below;
}

bool chance(unsigned per_mille)
{
	return draw(1000) < per_mille;
}

uint64_t draw_between(uint64_t low, uint64_t high)
{
	return low + draw(high - low + 1);
}

static const char *random_name(void)
{
	return "sim";
}

static uint32_t random_word(void)
{
	return (uint32_t)draw(UINT64_C(1) << 32);
}

/* Nonces and the random half of ids; a generator of its own, so that drawing a nonce does not shift the
 * history. */
static void random_bytes(void *to, size_t n)
{
	static uint64_t state;
	uint8_t *at = to;

	state ^= draw(UINT64_MAX);
	for (size_t i = 0; i < n; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		at[i] = (uint8_t)(state >> 56);
	}
	state = 0;
}

static randombytes_implementation random_source = {random_name, random_word, NULL, NULL, random_bytes, NULL};

/* ---- events ---- */

struct sim_event {
	uint64_t at, order;
	const void *owner;
	sim_fn fn;
	void *data;
	bool cancelled;
};

static struct sim_event *heap[EVENTS_MAX];
static size_t heap_n;
static uint64_t now_us, order;

uint64_t sim_now(void)
{
	return now_us;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

struct sim_event *sim_at(uint64_t delay_us, const void *owner, sim_fn fn, void *data)
{
	struct sim_event *e = sim_alloc(NULL, sizeof *e);
	size_t i = heap_n++;

	if (heap_n == EVENTS_MAX)
		abort();
	*e = (struct sim_event){now_us + delay_us, order++, owner, fn, data, false};
	while (i && before(e, heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
	return e;
}

void sim_cancel(struct sim_event *e)
{
	e->cancelled = true;
}

void sim_forget(const void *owner)
{
	for (size_t i = 0; i < heap_n; i++)
		if (heap[i]->owner == owner)
			heap[i]->cancelled = true;
}

static struct sim_event *pop(void)
{
	struct sim_event *top = heap[0], *last = heap[--heap_n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= heap_n)
			break;
		if (child + 1 < heap_n && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	if (heap_n)
		heap[i] = last;
	return top;
}

static void run_event(struct sim_event *e)
{
	struct sim_server *s = server_of(e->owner);

	if (s)
		server_call(s, e->fn, e->data);
	else
		e->fn(e->data);
}

bool sim_step(void)
{
	while (heap_n) {
		struct sim_event e = *heap[0];
		free(pop());
		if (e.cancelled)
			continue;
		now_us = e.at;
		world.steps++;
		run_event(&e);
		return true;
	}
	return false;
}

/* ---- fibers ---- */

/* ucontext makes a stack of its own; from there on, setjmp changes stacks without swapcontext's two calls of
 * the kernel. */
struct place {
	ucontext_t first;
	bool begun;
	jmp_buf at;
};

struct fiber {
	struct place place;
	char *stack;
	sim_fn fn;
	void *data;
	bool running;
	uint64_t life; /* a wake for an earlier one is stale */
};

static struct place scheduler = {.begun = true};
static struct fiber *current;

struct fiber *fiber_now(void)
{
	return current;
}

static void go_to(struct place *from, struct place *to)
{
	if (_setjmp(from->at))
		return;
	if (to->begun)
		_longjmp(to->at, 1);
	to->begun = true;
	setcontext(&to->first);
}

static void switch_to(struct place *from, struct place *to, const void *bottom, size_t size, bool dying)
{
	struct memory memory = memory_swap((struct memory){0});

#ifdef __SANITIZE_ADDRESS__
	void *fake = NULL;
	__sanitizer_start_switch_fiber(dying ? NULL : &fake, bottom, size);
	go_to(from, to);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#else
	(void)bottom, (void)size, (void)dying;
	go_to(from, to);
#endif
	memory_swap(memory);
}

static const void *main_bottom;
static size_t main_size;

static void trampoline(void)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(NULL, &main_bottom, &main_size);
#endif
	struct fiber *f = current;

	f->fn(f->data);
	f->running = false;
	switch_to(&f->place, &scheduler, main_bottom, main_size, true);
}

static void resume(struct fiber *f)
{
	struct fiber *outer = current;

	current = f;
	switch_to(&scheduler, &f->place, f->stack, STACK_BYTES, false);
	current = outer;
}

struct wake {
	struct fiber *fiber;
	uint64_t life;
};

static void on_wake(void *data)
{
	struct wake w = *(struct wake *)data;

	free(data);
	if (w.fiber->running && w.fiber->life == w.life)
		resume(w.fiber);
}

static void wake_after(struct fiber *f, uint64_t us)
{
	struct wake *w = sim_alloc(NULL, sizeof *w);

	*w = (struct wake){f, f->life};
	sim_at(us, NULL, on_wake, w);
}

void fiber_start(struct fiber **out, sim_fn fn, void *data)
{
	struct fiber *f = *out;

	if (!f) {
		f = *out = calloc(1, sizeof *f);
		f->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (f->stack == MAP_FAILED)
			abort();
	}
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region(f->stack, STACK_BYTES);
#endif
	f->fn = fn;
	f->data = data;
	f->running = true;
	f->life++;
	f->place.begun = false;
	getcontext(&f->place.first);
	f->place.first.uc_stack.ss_sp = f->stack;
	f->place.first.uc_stack.ss_size = STACK_BYTES;
	makecontext(&f->place.first, trampoline, 0);
	wake_after(f, 0);
}

void fiber_wait(void)
{
	struct fiber *f = current;

	switch_to(&f->place, &scheduler, main_bottom, main_size, false);
}

void fiber_wake(struct fiber *f)
{
	wake_after(f, 0);
}

void fiber_drop(struct fiber *f)
{
	f->running = false;
	f->life++;
	if (f == current)
		switch_to(&f->place, &scheduler, main_bottom, main_size, true);
}

void sim_sleep(uint64_t us)
{
	uint64_t until = now_us + us;

	/* A wake that was meant for what this fiber did before must not shorten it. */
	wake_after(current, us);
	while (now_us < until)
		fiber_wait();
}

/* ---- trace ---- */

void sim_trace(const char *what, uint64_t a, uint64_t b)
{
	uint64_t h = world.trace;

	for (const char *c = what; *c; c++)
		h = (h ^ (uint8_t)*c) * UINT64_C(1099511628211);
	h = (h ^ a) * UINT64_C(1099511628211);
	h = (h ^ b) * UINT64_C(1099511628211);
	world.trace = (h ^ now_us) * UINT64_C(1099511628211);
	if (world.verbose)
		fprintf(stderr, "%10.3f %-24s %llu %llu\n", (double)now_us / 1e6, what, (unsigned long long)a,
			(unsigned long long)b);
}

/* ---- the process's clocks and sleep (LINKER:--wrap) ---- */

int64_t __wrap_clock_now_us(void);
int64_t __wrap_clock_now_us(void)
{
	struct client *c = client_now();
	int64_t us = WALL_BEGIN + (int64_t)now_us;

	return c ? us + c->skew_us + (int64_t)now_us / 1000000 * c->drift_ppm : us;
}

uint64_t __wrap_clock_monotonic_us(void);
uint64_t __wrap_clock_monotonic_us(void)
{
	return SECOND + now_us;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)left;
	sim_sleep((uint64_t)wanted->tv_sec * SECOND + (uint64_t)wanted->tv_nsec / 1000);
	return 0;
}

/* ---- kills at named steps ---- */

static const char *const step_words[] = {
#define X(name, word) word,
#include "fault.def"
#undef X
};

void fault_point(enum fault step)
{
	struct client *c = client_now();
	struct sim_server *s = server_running();

	if (!world.faults || !world.plan.kills || (!c && !s) || world.kill_step-- > 0)
		return;
	world.kill_step = draw_between(20, 400);
	sim_met(step_words[step]);
	sim_trace(step_words[step], c ? c->no : 100, 0);
	if (c)
		client_kill(c);
	else
		server_kill(s);
}

void kernel_begin(uint64_t seed)
{
	if (randombytes_set_implementation(&random_source) || sodium_init() < 0)
		abort();
	while (heap_n)
		free(pop());
	now_us = order = 0;
	random_state = seed * UINT64_C(0xD1B54A32D192ED03) + 1;
	current = NULL;
}
