#include "service.h"

#define SERVICE(name) extern const struct service name##_service;
#include "services.def"
#undef SERVICE

const struct service *const services[] = {
#define SERVICE(name) &name##_service,
#include "services.def"
};
const size_t service_count = sizeof services / sizeof *services;
