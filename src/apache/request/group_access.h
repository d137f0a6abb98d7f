// Which process group runs a request, and whether it may.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

#include "apache/config/daemon_group.h"
#include "apache/request/refusal.h"

namespace pyhost::settings {
struct RequestSettings;
}

namespace pyhost::apache {

// The group of that name; nullptr for "", which is the httpd child itself. Refused when the group
// does not exist, is not on WSGIRestrictProcess's list, belongs to another virtual host, or takes
// no requests: with a sentence that names the script which was to run there.
tl::expected<const DaemonGroup*, Refusal> group_for(const request_rec* r, std::string_view script,
                                                    std::string_view name,
                                                    const settings::RequestSettings& settings);

// What script-user= and script-group= of the group say about the request's file and its folder.
tl::expected<void, Refusal> check_script_owner(const char* script, const DaemonGroup& group);

}  // namespace pyhost::apache
