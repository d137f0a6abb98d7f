// A request that nobody has sent.
#pragma once

#include "apache/check/request_probe.h"
#include "apache/httpd_api.h"
#include "control/check_report.h"

namespace pyhost::apache {

// For a process that ends afterwards: what other modules do for it is not taken back.
class ImaginedRequest {
 public:
  ImaginedRequest(const server_rec* main_server, const ProbedUrl& url);
  ImaginedRequest(const ImaginedRequest&) = delete;
  ImaginedRequest& operator=(const ImaginedRequest&) = delete;
  ~ImaginedRequest();

  // Leads it through httpd's phases up to the handler, but for those that look at who asks.
  control::Explanation explain();

 private:
  void make_connection(const server_rec* main_server, const ProbedUrl& url);
  void make_request(const ProbedUrl& url);
  // Each gives httpd's status, OK when it goes on.
  int map();
  int check_access();
  int find_handler();
  void describe_mapping(control::Explanation& explanation) const;
  void describe_application(control::Explanation& explanation);

  apr_pool_t* pool_ = nullptr;
  conn_rec* connection_ = nullptr;
  request_rec* request_ = nullptr;
};

}  // namespace pyhost::apache
