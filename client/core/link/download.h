/* download.h - a file from the server, in chunks, into a folder: what has arrived before the line broke
 * stays there and is not asked for again; nothing is kept under its name before its hash is right. Blocks.
 * One thread. */
#ifndef JG_DOWNLOAD_H
#define JG_DOWNLOAD_H

#include "link.h"
#include "received.h"

struct download {
	uint16_t method; /* which answers with BlobChunk messages */
	const ProtobufCMessage *request;
	uint32_t *from;     /* in the request: the first chunk that is wanted */
	const uint8_t *sha; /* of the whole */
	const char *name;
};

/* Into memory: for what is read at once and kept nowhere. The caller frees *out. Errors: of the call,
 * ERR_FILE_DAMAGED. */
enum err download_bytes(struct link *link, const struct download *d, struct buf *out, struct problem *p);
/* `path` is where it is then. Errors: of the call, ERR_FILE_DAMAGED, ERR_FILE_IO, ERR_DISK_FULL. */
enum err download_file(struct link *link, const struct download *d, const char *dir,
	char path[RECEIVED_PATH_SIZE], struct problem *p);

#endif
