/* The samples of an audit one by one: a list of those that have a mark, and a table of all. */
#ifndef VG_REPORT_SAMPLE_TABLE_H
#define VG_REPORT_SAMPLE_TABLE_H

#include "audit/audit.h"

#include <stdio.h>

/* "MARK <tab> path <tab> what is known of it <tab> class <tab> split", a line a sample in the order of the dataset;
 * names made fit for a terminal; of copies what is known is the other picture. *listed: how many. VG_E_NOMEM. */
vg_status vg_audit_list(FILE *out, const vg_dataset *dataset, const vg_audit *audit, vg_mark mark,
                        size_t *listed, vg_error *err);

/* A table of all samples as RFC 4180 has it (commas, CRLF, quotes where they must be), names byte for byte, with a
 * line of column names (docs/reports.md). Written row by row. VG_E_NOMEM; those of the stream are the caller's. */
vg_status vg_audit_csv(FILE *out, const vg_dataset *dataset, const vg_audit *audit, vg_error *err);
/* The same into a file, which is complete or not there. */
vg_status vg_audit_csv_file(const char *path, const vg_dataset *dataset, const vg_audit *audit,
                            vg_error *err);

#endif
