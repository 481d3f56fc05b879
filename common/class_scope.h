/* class_scope.h - what a class teacher may touch: one class of one grade. Kept, sent and compared in one
 * form, the code of the grade and the number of the class ("16/3"), read from what people write as an
 * importer reads it (codes.h). Pure; any thread. */
#ifndef JG_CLASS_SCOPE_H
#define JG_CLASS_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CLASSES_MAX 32      /* of one account: a class teacher has one, a grade's helper a dozen */
#define CLASS_SCOPE_SIZE 24 /* "16/" and the longest class_no of a record (16 bytes), with its NUL */

/* 六1班, 六（3）班, 六年级三班, 6-3, 初一2班, 2020级3班, 16/3 → "16/3". `stages` (enum stage_bit) is what the
 * school teaches, `today` (YYYYMMDD) tells the grade of an entry year. Without a grade it is the one that
 * goes to junior school, or the one that comes from primary school: 六年级 of a primary school, 七年级 of a
 * junior school. ERR_INVALID when no class or no grade of this school can be told; out is "" then. */
enum err class_scope_parse(char out[CLASS_SCOPE_SIZE], const char *text, unsigned stages, int32_t today);

/* "16/3" from its parts; "" when one of them is missing. Returns out. */
const char *class_scope_make(char out[CLASS_SCOPE_SIZE], const char *grade, const char *class_no);

/* 六年级3班, 七年级2班; what is no scope is shown as it is. Returns out. */
const char *class_scope_text(char *out, size_t size, const char *scope);

#endif
