/* services.h - the rows of the services (service.h). */
#ifndef JG_SERVICES_H
#define JG_SERVICES_H

#include "service.h"

extern const struct client_service county_service, roll_service, transition_service;

#endif
