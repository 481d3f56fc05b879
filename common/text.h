/* text.h - what people type, made comparable. Owns UTF-8 checks, cleaning, the name key, masking; knows no
 * fields.
 *
 * One convention: every function reads a NUL-terminated UTF-8 string `in` and writes a NUL-terminated one
 * into the caller's `out` of `size` bytes. ERR_OK, or ERR_TOO_LARGE (does not fit), ERR_INVALID (not UTF-8),
 * ERR_NOMEM; after an error out is "". `out` may be `in` itself except for the mask functions and
 * text_name_key. Nothing here keeps state: any thread. */
#ifndef JG_TEXT_H
#define JG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* One code point of valid UTF-8: how many bytes it takes (0 at the end), -1 where the bytes are not UTF-8. */
int text_next(const char *s, int32_t *code_point);
/* Number of code points of a valid UTF-8 string. */
size_t text_length(const char *s);

/* How many of the n bytes, from the first on, are UTF-8 without NUL, surrogates or overlong forms. */
size_t text_utf8_prefix(const char *s, size_t n);
/* True when all n are. */
bool text_utf8_valid(const char *s, size_t n);

/* White space as files have it: ASCII, NBSP, U+2000-200A, U+3000 and so on, and what is invisible:
 * zero-width characters, directional marks (phones paste them around numbers), fillers, variation selectors,
 * BOM. */
bool text_is_space(int32_t code_point);
/* Characters of Chinese writing, private ones included: where rare names are typed by their own font. */
bool text_is_han(int32_t code_point);

/* The first character that may not be stored: a control (C0, C1, DEL), one that turns the direction of
 * writing, a noncharacter; 0 when there is none. Both ends ask this of every text of a record (check.c), so
 * that nothing stored can steer a terminal or break a workbook. `s` is n bytes of UTF-8. */
int32_t text_forbidden(const char *s, size_t n);
/* Whether there is nothing but blanks in it, of whatever width; false for an empty text. */
bool text_is_blank(const char *s, size_t n);
/* The first character of a name that is probably a lost one (?, U+FFFD, □, a private one) or belongs to no
 * name (a digit, #, &…); 0 when there is none. */
int32_t text_name_odd(const char *name);

/* Whether n bytes of UTF-8 are in the normal form NFC, in which all text is sent and stored. */
bool text_is_nfc(const char *s, size_t n);

/* Full-width ASCII (U+FF01-FF5E) and U+3000 to half-width; everything else stays. */
enum err text_half_width(char *out, size_t size, const char *in);
/* Removes all white space, wherever it stands. */
enum err text_strip_space(char *out, size_t size, const char *in);
/* Dots of minority names to U+00B7: middle dots, bullets and katakana dots always, `.` and `．` only between
 * two non-ASCII characters, so that "J. Smith" and "3.5" stay. name_key of sql/functions has the same list;
 * tests/service/test_text.py compares them. */
enum err text_unify_dot(char *out, size_t size, const char *in);
/* The key by which names are compared (domain.md §1.7): half-width, no spaces, NFC, dots unified, radicals
 * made characters, ASCII upper case. Variant characters are not folded: 吕 and 呂 differ on certificates. */
enum err text_name_key(char *out, size_t size, const char *in);
/* A cell as it is stored: ends trimmed, inner runs of white space one blank (none of the invisible ones),
 * control characters dropped, one leading apostrophe (Excel's text mark) dropped, radicals made
 * characters. */
enum err text_clean(char *out, size_t size, const char *in);
/* The same for a name or a heading: 周　文, spread to the width of three characters, is 周文. Blanks stay
 * beside anything but Chinese characters and dots. */
enum err text_clean_name(char *out, size_t size, const char *in);
/* Any bytes made fit for a screen or JSON: what is not UTF-8 becomes U+FFFD, what text_forbidden names a
 * blank (line feeds stay). Cuts at `size`, never fails. `out` must not be `in`. */
void text_printable(char *out, size_t size, const char *in);

/* Digits of a telephone number without the country code 86 (domain.md §2.4); "" when fewer than 7 are left.
 * 86 counts as country code only when at least 10 digits follow: 8622xxxx is an ordinary local number. */
enum err text_phone_digits(char *out, size_t size, const char *in);

/* For logs and lists: 3299**********0017. Shorter than 12 characters: stars only. */
enum err text_mask_id(char *out, size_t size, const char *in);
/* 张**: the first character, stars for the rest. One character alone becomes a star. */
enum err text_mask_name(char *out, size_t size, const char *in);
/* 138****0017; shorter than 11 characters: only the last two stay, shorter than 5: nothing. */
enum err text_mask_phone(char *out, size_t size, const char *in);

#define TEXT_DISTANCE_MAX 48 /* characters: longer texts are no mistake of the finger of one another */

/* How many characters are wrong, missing, too many, or changed about with their neighbour. SIZE_MAX when a
 * text is too long. */
size_t text_distance(const char *a, const char *b);

#endif
