#include "dynlib.h"

#include <string.h>

#include <dlfcn.h>

bool dynlib_load(const char *file, const char *const names[], size_t n, void *calls[])
{
	if (calls[0])
		return true;
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
	for (size_t i = 0; i < n; i++) {
		calls[i] = library ? dlsym(library, names[i]) : NULL;
		if (!calls[i]) {
			memset(calls, 0, n * sizeof *calls);
			return false;
		}
	}
	return true;
}
