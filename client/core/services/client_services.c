#include "client_service.h"

#define JG(name)
#define JGADMIN(name)
#define CORE(name) extern const struct client_service client_##name;
#include "client_services.def"
#undef CORE

const struct client_service *const client_services[] = {
#define CORE(name) &client_##name,
#include "client_services.def"
	NULL,
};
