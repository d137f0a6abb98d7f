// The tables in a group's section of the page of pyhost-status.
#pragma once

#include "apache/status/group_html.h"

namespace pyhost::apache {

// Each appends its heading, and a table or a sentence that there is nothing to be shown.
void put_running(Html& html, const metrics::GroupReport& group, const Moment& now);
void put_workers(Html& html, const metrics::GroupReport& group, const Moment& now, Stacks stacks);
void put_applications(Html& html, const metrics::GroupReport& group);

}  // namespace pyhost::apache
