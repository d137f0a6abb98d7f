// Names of application and process groups, made of one request.
#pragma once

#include <optional>
#include <string_view>

#include "apache/config/group_names.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {

// The part of the URL that names what is run; what is behind it is PATH_INFO.
std::string_view script_name_of(const request_rec* r);

// The port is never the one of the request's Host header, which the client chooses.
class RequestNames final : public NameSource {
 public:
  RequestNames(request_rec* r, std::string_view script_name) : r_(r), script_name_(script_name) {}

  std::string_view server_name() const override;
  std::string_view host_name() const override;
  unsigned port() const override;
  std::string_view script_name() const override { return script_name_; }
  std::optional<std::string_view> variable(std::string_view name) const override;

 private:
  request_rec* r_;
  std::string_view script_name_;
};

}  // namespace pyhost::apache
