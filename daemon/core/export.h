/* SPDX-License-Identifier: Apache-2.0 */
/* A record as JSON, for exports: what it is of, and its facts as they are stored. */
#ifndef BB_CORE_EXPORT_H
#define BB_CORE_EXPORT_H

#include "rows.h"

void bb_export_record(const struct bb_rules *rules, struct bb_names *names,
		      const struct bb_record *record, struct bb_buf *buf);

#endif
