/* readmit.h - a computer that the database has forgotten: it enrolled, or renewed its certificate, after the
 * backup that was restored, or in the tail that a failover lost. Its certificate proves that it is the
 * county's: the row is written again from it, for a computer that is told REVOKED destroys what it keeps of
 * that very tail (sync.md "Pull"). What the table knows as revoked, or the deny list as denied, stays so; a
 * certificate of the present history whose row is missing is nobody's. Thread: the loop's. */
#ifndef JG_READMIT_H
#define JG_READMIT_H

#include "request.h"

/* Adds to the trip what writes the row again; false: there is nothing to write it from. */
bool readmit_query(struct request *r);
/* After the trip that succeeded: tells the log and the trace what was written. */
void readmit_tell(struct request *r);

#endif
