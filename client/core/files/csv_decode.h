/* csv_decode.h - the bytes of a .csv or .txt as UTF-8, whichever way Windows has written them. Pure; any
 * thread. */
#ifndef JG_CSV_DECODE_H
#define JG_CSV_DECODE_H

#include "buf.h"
#include "err.h"

/* Appends the text to *out, which the caller frees. ERR_FILE_DAMAGED names the line of the first character
 * that cannot be read; ERR_NOMEM. */
enum err csv_decode(const char *bytes, size_t n, const char *name, struct buf *out, struct problem *p);

#endif
