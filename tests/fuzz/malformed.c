/* malformed - a million frames by the grammar through a connection of jgd, most of them with a lie in them:
 * no crash, no leak, one answer each. Prints how often each outcome was seen; fails when one that must come
 * did not, or when memory grew.
 *
 *   malformed FRAMES SEED */
#include <stdint.h>
#include <stdio.h>

#include "conn_rig.h"
#include "grammar.h"

#define GROWTH_KIB (64 * 1024)
#define OUTCOMES 8192

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	/* Freed memory that the sanitizer keeps is not the product's; short stacks make a million frames
	 * affordable. */
	return "quarantine_size_mb=4:malloc_context_size=4";
}

static unsigned long long outcome[OUTCOMES]; /* by error code; 0 = answered without an error */
static unsigned long long pongs, goaways, silent, connections, frames;

static long rss_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "VmRSS: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

static void count_error(const uint8_t *bytes, size_t n, const ProtobufCMessageDescriptor *type)
{
	const ProtobufCMessage *message;
	struct arena arena;
	struct problem p;

	arena_init(&arena, 1 << 16);
	if (envelope_unpack(type, bytes, n, &arena, &message, &p))
		abort(); /* jgd's own words must be sound */
	const pb_error *error =
		type == &pb_error_desc ? (const pb_error *)message : ((const pb_go_away *)message)->error;
	if (error->code == 0 || error->code >= OUTCOMES || !error->message[0])
		abort();
	outcome[error->code]++;
	arena_free(&arena);
}

static void count_said(void)
{
	struct frame f;

	silent += rig_said.len == 0;
	for (size_t at = 0; at < rig_said.len; at += FRAME_HEADER + f.length) {
		if (frame_header_get(&f, rig_said.data + at) || rig_said.len - at < FRAME_HEADER + f.length)
			abort();
		const uint8_t *body = rig_said.data + at + FRAME_HEADER;
		if (f.type == FRAME_ERROR) {
			count_error(body, f.length, &pb_error_desc);
		} else if (f.type == FRAME_GOAWAY) {
			count_error(body, f.length, &pb_go_away_desc);
			goaways++;
		} else if (f.type == FRAME_PONG) {
			pongs++;
		} else {
			outcome[0]++;
		}
	}
}

/* One peer: a few frames, perhaps in pieces. */
static void one_peer(struct source *s)
{
	struct conn *c = rig_open(rig_stage(pick(s, RIG_CHOICES)));
	size_t piece = pick(s, 4) ? SIZE_MAX : 1 + pick(s, 300);
	uint32_t call = (uint32_t)-1;
	bool open = true;

	s->lies = (unsigned[]){0, 2, 10, 60}[pick(s, 4)];
	for (unsigned n = 1 + pick(s, GRAMMAR_FRAMES); n && open; n--) {
		struct buf bytes = {0};
		frame(s, &bytes, &call);
		frames++;
		for (size_t at = 0; at < bytes.len && open;) {
			size_t now = bytes.len - at < piece ? bytes.len - at : piece;
			open = rig_feed(c, bytes.data + at, now);
			at += now;
		}
		buf_free(&bytes);
	}
	count_said();
	rig_close(c);
	connections++;
}

int main(int argc, char **argv)
{
	/* Each must be seen, or the grammar has gone past it. */
	static const enum err wanted[] = {ERR_PROTOCOL, ERR_TOO_LARGE, ERR_MALFORMED, ERR_UNAUTHENTICATED,
		ERR_PERMISSION, ERR_NOT_NOW, ERR_UNKNOWN_METHOD, ERR_UNAVAILABLE};
	unsigned long long most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct source s = {.random = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 2654435761u + 1};
	int failed = 0, passed = 0;

	rig_start();
	while (frames < most / 20)
		one_peer(&s);
	long before = rss_kib();
	while (frames < most)
		one_peer(&s);
	long grown = rss_kib() - before;
	printf("%llu frames on %llu connections: %llu answered, %llu pong, %llu goaway, %llu connections "
	       "heard nothing\n",
		frames, connections, outcome[0], pongs, goaways, silent);
	for (int i = 1; i < OUTCOMES; i++)
		if (outcome[i])
			printf("  %-20s %llu\n", err_info(i)->name, outcome[i]);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		bool good = outcome[wanted[i]] >= most / 10000;
		printf("%s %s is seen\n", good ? "ok" : "not ok", err_info((int)wanted[i])->name);
		passed += good;
		failed += !good;
	}
	printf("%s memory grew by %ld KiB\n", grown <= GROWTH_KIB ? "ok" : "not ok", grown);
	passed += grown <= GROWTH_KIB;
	failed += grown > GROWTH_KIB;
	printf("%d passed, %d failed\n", passed, failed);
	buf_free(&rig_said);
	uv_loop_close(&rig_worker.loop);
	return failed != 0;
}
