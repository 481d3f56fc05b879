/* services.h - the rows of the services (service.h). */
#ifndef JG_SERVICES_H
#define JG_SERVICES_H

#include "service.h"

extern const struct client_service client_county, client_roll, client_transition, client_evidence;

#endif
