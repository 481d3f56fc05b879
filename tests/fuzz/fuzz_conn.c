/* Covers server/net/conn.c and server/call/dispatch.c: a peer of any rank sends frames by the grammar, with
 * as many lies as the input says, cut into pieces of any size. Whole frames and only they are answered, each
 * call at most once, and the connection gives back what it took. */
#include <stdint.h>

#include "conn_rig.h"
#include "grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* What jgd said must be whole frames, and no call may have two final answers. */
static void check_said(void)
{
	struct frame f;
	uint32_t answered[GRAMMAR_FRAMES * 4];
	size_t count = 0;

	for (size_t at = 0; at < rig_said.len; at += FRAME_HEADER + f.length) {
		if (frame_header_get(&f, rig_said.data + at) || rig_said.len - at < FRAME_HEADER + f.length)
			abort();
		if (f.type != FRAME_REPLY && f.type != FRAME_ERROR)
			continue;
		for (size_t i = 0; i < count && f.call; i++)
			if (answered[i] == f.call)
				abort();
		if (!(f.flags & FRAME_MORE) && count < sizeof answered / sizeof *answered)
			answered[count++] = f.call;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static bool started;
	struct source s = {.bytes = bytes, .left = n};
	struct buf stream = {0};
	uint32_t call = (uint32_t)-1;

	if (!started)
		rig_start();
	started = true;
	struct conn *c = rig_open(rig_stage(pick(&s, RIG_CHOICES)));
	size_t piece = pick(&s, 4) ? SIZE_MAX : 1 + pick(&s, 256);
	for (int i = 0; i < GRAMMAR_FRAMES && s.left; i++)
		frame(&s, &stream, &call);
	for (size_t at = 0; at < stream.len; at += piece < stream.len - at ? piece : stream.len - at)
		if (!rig_feed(c, stream.data + at, piece < stream.len - at ? piece : stream.len - at))
			break;
	check_said();
	rig_close(c);
	buf_free(&stream);
	return 0;
}
