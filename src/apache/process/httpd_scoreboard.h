// httpd's scoreboard, for applications.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/server_view.h"

namespace pyhost::apache {

// Reads what all processes of httpd write while they do.
class HttpdScoreboard final : public gateway::ServerView {
 public:
  std::optional<gateway::ServerBoard> look() const override;
};

}  // namespace pyhost::apache
