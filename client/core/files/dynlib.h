/* dynlib.h - a library of the system that few commands need, loaded when one first does. pango, libsecret
 * and ICU bring forty others with them; more than half of a short command's time goes into mapping them all,
 * and more than that on a school's old PC. Their headers are compiled against as ever; only the linker does
 * not see them.
 *
 *   #define CALLS(X) X(cairo_create) X(cairo_stroke)
 *   LIBRARY(lib, "libcairo.so.2", CALLS);
 *   …
 *   if (DYNLIB_LOAD(lib))
 *           lib.cairo_stroke(lib.cairo_create(surface));
 *
 * A loaded library stays until the process ends. One thread loads; any may call. */
#ifndef JG_DYNLIB_H
#define JG_DYNLIB_H

#include <stdbool.h>
#include <stddef.h>

/* `lib` holds one pointer per call, with the type its header gives it; NULL until loaded. */
#define LIBRARY(lib, file, calls)                                                                            \
	static struct {                                                                                      \
		calls(DYNLIB_POINTER)                                                                        \
	} lib;                                                                                               \
	static const char lib##_file[] = file, *const lib##_names[] = {calls(DYNLIB_NAME)}
#define DYNLIB_LOAD(lib)                                                                                     \
	dynlib_load(lib##_file, lib##_names, sizeof lib##_names / sizeof *lib##_names, (void **)&(lib))

#define DYNLIB_POINTER(call) __typeof__(call) *call;
#define DYNLIB_NAME(call) DYNLIB_TEXT(call), /* ICU's names are macros: utrans_openU is utrans_openU_72 */
#define DYNLIB_TEXT(call) #call

/* Finds the n names in `file`, a soname, or in what that depends on. False: it is not installed or lacks one
 * of them, and nothing is set. Once true it costs nothing. */
bool dynlib_load(const char *file, const char *const names[], size_t n, void *calls[]);

#endif
