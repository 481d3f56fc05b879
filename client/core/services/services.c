#include "services.h"

/* In the order in which a person reads of them. */
const struct client_service *const client_services[] = {
	&client_county,
	&client_roll,
	&client_transition,
	&client_evidence,
	NULL,
};
