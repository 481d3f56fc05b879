#include "services.h"

/* In the order in which a person reads of them. */
const struct client_service *const client_services[] = {
	&county_service,
	&roll_service,
	&transition_service,
	NULL,
};
