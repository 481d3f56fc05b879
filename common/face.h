/* face.h - times and terms as people read them; JSON and logs keep RFC 3339 (clock.h). Beijing time, the
 * county's zone. Pure; any thread. */
#ifndef JG_FACE_H
#define JG_FACE_H

#include <stddef.h>
#include <stdint.h>

#define FACE_SIZE 48

/* 12月3日 14:32, with its year when that is not the year of now_us; "" for 0. Returns out. */
const char *face_time(char out[FACE_SIZE], int64_t us, int64_t now_us);
/* 12月3日: the day of a time, or (face_date) of a date YYYYMMDD. */
const char *face_day(char out[FACE_SIZE], int64_t us, int64_t now_us);
const char *face_date(char out[FACE_SIZE], int32_t date);
/* A term: midnight belongs to the day that it ends, 12月3日 24:00 前. */
const char *face_term(char out[FACE_SIZE], int64_t us, int64_t now_us);

#endif
