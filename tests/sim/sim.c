/* sim - runs histories and judges them.
 *
 *   sim --histories 5000           what each commit must pass, from seed 1
 *   sim --seed 71 --verbose        one history with everything that happens in it
 *   sim --live                     liveness: after the faults stop one client's network stays bad
 *   sim --record FILE              appends the counts as one line of JSON
 *
 * Every eighth seed, and one that is asked for alone, runs twice and the traces must be equal (I15).
 * Histories run in children that end after CHUNK of them: a killed client or server leaves its memory behind
 * as a real one would leave it to the system. A failure is shrunk and printed as one command. */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "sim.h"
#include "sim_count.h"

#define CHUNK 100
/* what makes two runs differ does so in many seeds: the time finds more as new histories */
#define TWICE_EVERY 8
#define JOBS_MAX 16
#define HANG_S 30 /* of a processor for one history, which takes a twentieth of a second */

struct shared {
	struct count counts[COUNTS_MAX];
	struct {
		uint64_t seed;
		char why[400];
	} job[JOBS_MAX];
	uint64_t done, steps;
};

static struct shared *shared;
static unsigned job_no;
struct count sim_counts[COUNTS_MAX];
static bool quiet_failure;

void sim_met(const char *what)
{
	static const char *literals[COUNTS_MAX];
	size_t i = 0;

	while (i < COUNTS_MAX && literals[i] && literals[i] != what)
		i++;
	if (i == COUNTS_MAX)
		abort();
	if (!literals[i]) {
		literals[i] = what;
		snprintf(sim_counts[i].name, sizeof sim_counts[i].name, "%s", what);
	}
	sim_counts[i].n++;
}

void sim_fail(const char *invariant, const char *format, ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(shared->job[job_no].why, sizeof shared->job[job_no].why, "%s: %s", invariant, text);
	if (!quiet_failure)
		fprintf(stderr, "seed %llu, step %llu, %.3f s: %s: %s\n", (unsigned long long)world.seed,
			(unsigned long long)world.steps, (double)sim_now() / 1e6, invariant, text);
	world_end();
	_exit(1);
}

static void on_hang(int signal)
{
	(void)signal;
	snprintf(shared->job[job_no].why, sizeof shared->job[job_no].why, "hang: a history does not end");
	_exit(1);
}

static void publish(void)
{
	for (size_t i = 0; i < COUNTS_MAX && sim_counts[i].name[0]; i++)
		for (size_t k = 0; k < COUNTS_MAX; k++) {
			struct count *c = &shared->counts[k];
			char free_name = 0;
			if (!__atomic_load_n(&c->name[0], __ATOMIC_ACQUIRE) &&
				__atomic_compare_exchange_n(&c->name[sizeof c->name - 1], &free_name, 1,
					false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
				memcpy(c->name + 1, sim_counts[i].name + 1, sizeof c->name - 2);
				__atomic_store_n(&c->name[0], sim_counts[i].name[0], __ATOMIC_RELEASE);
			}
			while (!__atomic_load_n(&c->name[0], __ATOMIC_ACQUIRE))
				;
			if (strncmp(c->name, sim_counts[i].name, sizeof c->name - 1) == 0) {
				__atomic_fetch_add(&c->n, sim_counts[i].n, __ATOMIC_RELAXED);
				break;
			}
		}
}

/* Runs [from, to) in a child. */
static pid_t start_chunk(
	unsigned job, uint64_t from, uint64_t to, const struct plan *limits, bool twice, bool verbose)
{
	shared->job[job].seed = from;
	shared->job[job].why[0] = 0;
	pid_t pid = fork();
	if (pid)
		return pid;
	job_no = job;
	signal(SIGPROF, on_hang);
	log_set_level(verbose ? LOG_LEVEL_DEBUG : (enum log_level)0);
	for (uint64_t seed = from; seed < to; seed++) {
		shared->job[job].seed = seed;
		setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = HANG_S}, NULL);
		world_run(seed, limits, verbose, false);
		uint64_t trace = world.trace;
		if (twice && (seed % TWICE_EVERY == 0 || to - from == 1)) {
			sim_met("run twice");
			world_run(seed, limits, verbose, true);
			if (trace != world.trace)
				sim_fail("I15", "two runs of one seed differ: %016llx, %016llx",
					(unsigned long long)trace, (unsigned long long)world.trace);
		}
		__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&shared->steps, world.steps, __ATOMIC_RELAXED);
	}
	publish();
	world_end();
	_exit(0);
}

/* ---- shrinking ---- */

static bool still_fails(uint64_t seed, const struct plan *limits, const char *invariant)
{
	int status;

	waitpid(start_chunk(0, seed, seed + 1, limits, false, false), &status, 0);
	return status != 0 && strncmp(shared->job[0].why, invariant, strcspn(invariant, ":")) == 0;
}

static void print_command(uint64_t seed, const struct plan *l, bool live)
{
	printf("build " JG_VERSION "; again: build/*/tests/sim --seed %llu%s", (unsigned long long)seed,
		live ? " --live" : "");
	if (l->ops)
		printf(" --ops %u", l->ops);
	if (l->clients)
		printf(" --clients %u", l->clients);
	if (!l->network)
		printf(" --without network");
	if (!l->kills)
		printf(" --without kills");
	if (!l->disk)
		printf(" --without disk");
	if (!l->clocks)
		printf(" --without clocks");
	if (!l->rollback)
		printf(" --without rollback");
	if (!l->database)
		printf(" --without database");
	if (!l->memory)
		printf(" --without memory");
	printf(" --verbose\n");
}

static void shrink(uint64_t seed, const struct plan *from, bool live)
{
	struct plan best = *from;
	char invariant[400];
	bool *const switches[] = {&best.network, &best.kills, &best.disk, &best.clocks, &best.rollback,
		&best.database, &best.memory};

	snprintf(invariant, sizeof invariant, "%s", shared->job[0].why);
	quiet_failure = true;
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		*switches[i] = false;
		if (!still_fails(seed, &best, invariant))
			*switches[i] = true;
	}
	for (unsigned clients = 2; clients < SIM_CLIENTS_MAX; clients++) {
		best.clients = clients;
		if (still_fails(seed, &best, invariant))
			break;
		best.clients = from->clients;
	}
	for (unsigned ops = 5; ops < 300; ops = ops * 3 / 2) {
		best.ops = ops;
		if (still_fails(seed, &best, invariant))
			break;
		best.ops = from->ops;
	}
	quiet_failure = false;
	print_command(seed, &best, live);
}

/* ---- the campaign ---- */

static const char *const gates[] = {
#include "sim_gates.def"
};

static uint64_t count_of(const char *name)
{
	for (size_t i = 0; i < COUNTS_MAX && shared->counts[i].name[0]; i++)
		if (strncmp(shared->counts[i].name, name, sizeof shared->counts[i].name - 1) == 0)
			return shared->counts[i].n;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strncmp(((const struct count *)a)->name, ((const struct count *)b)->name,
		sizeof((const struct count *)a)->name - 1);
}

static void record(const char *file, const char *build, uint64_t seed, uint64_t histories, uint64_t failures,
	bool live, uint64_t least)
{
	FILE *out = fopen(file, "a");
	char day[16];
	time_t now = time(NULL);

	if (!out) {
		perror(file);
		exit(1);
	}
	strftime(day, sizeof day, "%Y-%m-%d", localtime(&now));
	fprintf(out,
		"{\"tier\": \"%s\", \"what\": \"deterministic simulation%s\", \"command\": "
		"\"build/dev/tests/sim%s --seed %llu --histories %llu\", \"build\": \"%s\", "
		"\"date\": \"%s\", \"histories\": %llu, \"failures\": %llu, \"counts\": {",
		live ? "T0-live" : "T0", live ? ", liveness" : "", live ? " --live" : "",
		(unsigned long long)seed, (unsigned long long)histories, build, day,
		(unsigned long long)histories, (unsigned long long)failures);
	for (size_t i = 0; i < COUNTS_MAX && shared->counts[i].name[0]; i++)
		fprintf(out, "%s\"%.39s\": %llu", i ? ", " : "", shared->counts[i].name,
			(unsigned long long)shared->counts[i].n);
	fprintf(out, "}, \"required\": {");
	for (size_t i = 0; i < sizeof gates / sizeof *gates && !live; i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "", gates[i], (unsigned long long)least);
	fprintf(out, "}}\n");
	fclose(out);
}

static int usage(void)
{
	fprintf(stderr,
		"sim [--seed N] [--histories N] [--live] [--jobs N] [--least N] [--first] [--verbose]\n"
		"    [--record FILE] [--build ID] [--ops N] [--clients N]\n"
		"    [--without network|kills|disk|clocks|rollback|database|memory]…\n\n"
		"  sim --histories 5000 --least 100  what each commit must pass\n"
		"  sim --seed 71 --verbose            one history with everything that happens in it\n"
		"  sim --live --histories 500         one computer's line stays bad to the end\n");
	return 2;
}

/* False: there is no such fault. */
static bool leave_out(struct plan *limits, const char *name)
{
	const struct {
		const char *name;
		bool *on;
	} faults[] = {{"network", &limits->network}, {"kills", &limits->kills}, {"disk", &limits->disk},
		{"clocks", &limits->clocks}, {"rollback", &limits->rollback}, {"database", &limits->database},
		{"memory", &limits->memory}};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (strcmp(faults[i].name, name) == 0) {
			*faults[i].on = false;
			return true;
		}
	return false;
}

/* What the command line asks for. */
struct wish {
	struct plan limits;
	uint64_t seed, histories, least;
	unsigned jobs;
	const char *file, *build;
	bool verbose, live, first_only;
};

/* False: it cannot be understood. */
static bool take_options(struct wish *w, int argc, char **argv)
{
	static const struct option options[] = {{"seed", 1, NULL, 's'}, {"histories", 1, NULL, 'n'},
		{"jobs", 1, NULL, 'j'}, {"live", 0, NULL, 'l'}, {"verbose", 0, NULL, 'v'},
		{"record", 1, NULL, 'r'}, {"build", 1, NULL, 'b'}, {"ops", 1, NULL, 'o'},
		{"clients", 1, NULL, 'c'}, {"without", 1, NULL, 'w'}, {"least", 1, NULL, 'g'},
		{"first", 0, NULL, 'f'}, {NULL, 0, NULL, 0}};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's':
			w->seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			w->histories = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			w->jobs = (unsigned)atoi(optarg);
			break;
		case 'l':
			w->live = w->limits.one_sided = true;
			break;
		case 'v':
			w->verbose = true;
			break;
		case 'r':
			w->file = optarg;
			break;
		case 'b':
			w->build = optarg;
			break;
		case 'o':
			w->limits.ops = (unsigned)atoi(optarg);
			break;
		case 'c':
			w->limits.clients = (unsigned)atoi(optarg);
			break;
		case 'g':
			w->least = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			w->first_only = true;
			break;
		case 'w':
			if (!leave_out(&w->limits, optarg))
				return false;
			break;
		default:
			return false;
		}
	}
	return w->histories && optind >= argc;
}

/* Told now, not after an hour. */
static bool is_writable(const char *file)
{
	FILE *out = fopen(file, "a");

	if (!out) {
		perror(file);
		return false;
	}
	fclose(out);
	return true;
}

/* The last of the chunks that were under way shrinks what failed. */
static void tell_failure(const struct wish *w, unsigned job, bool last)
{
	uint64_t bad = shared->job[job].seed;

	printf("not ok seed %llu: %s\n", (unsigned long long)bad,
		shared->job[job].why[0] ? shared->job[job].why : "died");
	if (shared->job[job].why[0] && !w->verbose && last) {
		if (job)
			shared->job[0] = shared->job[job];
		shrink(bad, &w->limits, w->live);
	}
	fflush(stdout);
}

/* How many histories failed. */
static uint64_t run_all(const struct wish *w)
{
	uint64_t failures = 0, next = w->seed, end = w->seed + w->histories;
	unsigned running = 0;
	pid_t pids[JOBS_MAX] = {0};
	int status;

	for (;;) {
		for (unsigned i = 0; i < w->jobs && next < end && failures < (w->first_only ? 1 : 5); i++) {
			if (pids[i])
				continue;
			uint64_t to = next + CHUNK < end ? next + CHUNK : end;
			pids[i] = start_chunk(i, next, to, &w->limits, true, w->verbose);
			next = to;
			running++;
		}
		if (!running)
			return failures;
		pid_t pid = wait(&status);
		for (unsigned i = 0; i < w->jobs; i++) {
			if (pids[i] != pid)
				continue;
			pids[i] = 0;
			running--;
			if (status == 0)
				continue;
			failures++;
			tell_failure(w, i, running == 0);
		}
	}
}

static void tell_counts(uint64_t failures)
{
	size_t n = 0;

	while (n < COUNTS_MAX && shared->counts[n].name[0])
		n++;
	qsort(shared->counts, n, sizeof *shared->counts, by_name);
	printf("%llu histories, %llu steps, %llu failures\n", (unsigned long long)shared->done,
		(unsigned long long)shared->steps, (unsigned long long)failures);
	for (size_t i = 0; i < n; i++)
		printf("%s%.39s %llu", i ? ", " : "  ", shared->counts[i].name,
			(unsigned long long)shared->counts[i].n);
	printf("\n");
}

/* How many of what a campaign has to meet were met too seldom. */
static uint64_t count_void(uint64_t least)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof gates / sizeof *gates; i++)
		if (count_of(gates[i]) < least) {
			printf("void: \"%s\" happened %llu times, at least %llu are needed\n", gates[i],
				(unsigned long long)count_of(gates[i]), (unsigned long long)least);
			n++;
		}
	return n;
}

int main(int argc, char **argv)
{
	struct wish w = {.limits = {.network = true,
				 .kills = true,
				 .disk = true,
				 .clocks = true,
				 .rollback = true,
				 .database = true,
				 .memory = true},
		.seed = 1,
		.histories = 1,
		.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
		.build = JG_VERSION};

	if (!take_options(&w, argc, argv))
		return usage();
	if (w.file && !is_writable(w.file))
		return 1;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (w.jobs < 1)
		w.jobs = 1;
	else if (w.jobs > JOBS_MAX)
		w.jobs = JOBS_MAX;
	uint64_t failures = run_all(&w);
	tell_counts(failures);
	if (!w.live && w.least)
		failures += count_void(w.least);
	if (w.file)
		record(w.file, w.build, w.seed, shared->done, failures, w.live, w.least);
	printf("%d passed, %d failed\n", failures == 0, failures != 0);
	return failures != 0;
}
