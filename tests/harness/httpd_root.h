// The files of a test's httpd, and how to run it on them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/http_client.h"
#include "harness/httpd.h"
#include "harness/port_lease.h"
#include "harness/process.h"
#include "harness/temp_dir.h"

namespace pyhost::test {

// Owns the server root, with the configuration in it, and the ports.
class HttpdRoot {
 public:
  HttpdRoot(std::string_view config, const Options& options);

  const TempDir& folder() const noexcept { return folder_; }
  const std::string& path() const noexcept { return folder_.path(); }
  const Endpoint& endpoint() const noexcept { return endpoint_; }

  // Starts httpd on the configuration.
  std::unique_ptr<Process> spawn(std::vector<std::string> arguments) const;
  // Runs httpd until it ends by itself.
  ConfigCheck run_to_end(std::vector<std::string> arguments) const;

  std::string error_log() const { return read_file(path() + "/error.log"); }
  // The processes that have come from spawn(), and those that they started.
  std::vector<pid_t> processes() const { return processes_with(mark()); }
  // All that httpd said: stdout, stderr and the error log.
  std::string output() const;

 private:
  static constexpr char kMark[] = "PYHOST_TEST_ROOT";

  std::string console_file() const { return path() + "/console.txt"; }
  Environment environment() const;
  std::string mark() const { return std::string(kMark) + "=" + path(); }

  const TempDir folder_;
  const PortLease port_;
  const std::optional<PortLease> tls_port_;
  const Environment extra_environment_;
  const bool drops_root_;
  Endpoint endpoint_;
};

}  // namespace pyhost::test
