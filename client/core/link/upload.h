/* upload.h - a file to the server, in chunks: it goes on where the server says that it has it, so a line
 * that broke, or a program that was ended, costs one chunk. One that is there already is not sent. Blocks.
 * One thread. */
#ifndef JG_UPLOAD_H
#define JG_UPLOAD_H

#include "link.h"

struct upload {
	struct link *link;
	const uint8_t *sha; /* of the whole */
	const uint8_t *bytes;
	size_t size;
	/* After each answer; NULL: nobody is told. An error ends it. */
	enum err (*told)(void *data, const struct upload *u, struct problem *p);
	void *data;
	uint32_t have, chunks; /* at the server, of how many */
	bool complete;
};

/* ERR_FILE_DAMAGED when the bytes are not of that hash; errors of the calls and of `told`. */
enum err upload_file(struct upload *u, struct problem *p);

#endif
