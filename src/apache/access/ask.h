// Asks a hook script about a request.
#pragma once

#include <string_view>

#include "apache/config/config.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/question.h"

namespace pyhost::apache {

// The hook that is in force for the request; nullptr for none. One look into its configuration.
const HookScript* hook_for(const request_rec* r, settings::Hook hook);

// Blocks until there is an answer, in httpd's own process or from a worker. Without one the log
// says why, and the outcome what to answer: a status of 400 or more.
gateway::AskResult ask(request_rec* r, const HookScript& hook, gateway::QuestionKind kind,
                       std::string_view subject = {}, std::string_view secret = {});

}  // namespace pyhost::apache
