#include "service.h"

#define SERVICE(name) extern const struct client_service client_##name;
#include "services.def"
#undef SERVICE

const struct client_service *const client_services[] = {
#define SERVICE(name) &client_##name,
#include "services.def"
	NULL,
};
