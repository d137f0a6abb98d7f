// Everything an administrator can set, and the only place with defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pyhost/gateway/logging.h"
#include "pyhost/gateway/target.h"
#include "settings/global_name.h"
#include "settings/trusted_proxies.h"

namespace pyhost::settings {

// Whether a HEAD request reaches the application as GET.
enum class HeadMapping {
  off,
  on,
  automatic,  // when a content filter needs the body to compute its headers
};

// Whether an application sees the Authorization header.
enum class PassAuthorization {
  off,
  on,
  automatic,  // unless httpd itself has authenticated the user
};

// What becomes of the trace that a request belongs to (W3C Trace Context).
enum class Tracing {
  off,
  log,        // its id is that of the request in logs
  propagate,  // also, the application is a part of a span of httpd's
};

using gateway::Logging;

// The seed of str hashes; nothing fixed means a random one for each process.
struct HashSeed {
  std::optional<std::uint32_t> fixed;
};

// Names with blanks between them, none of which has a blank in it.
struct NameList {
  std::string_view text;

  bool contains(std::string_view name) const noexcept;
};

using Seconds = std::chrono::duration<double>;
using TextList = std::vector<std::string_view>;

// How the Python of one process runs; set once for the whole server. A member that is not set
// takes its value from process_defaults(); one that has none there stays unset. Texts are views
// into the configuration, which lives as long as the record.
struct ProcessSettings {
  std::optional<std::string_view> python_home;
  std::optional<TextList> python_path;
  std::optional<unsigned> optimize;
  std::optional<TextList> warnings;
  std::optional<HashSeed> hash_seed;
  std::optional<bool> dont_write_bytecode;
  std::optional<Seconds> switch_interval;
  std::optional<bool> restrict_stdin;
  std::optional<bool> restrict_stdout;
  std::optional<bool> restrict_signal;
  std::optional<bool> per_interpreter_gil;
  std::optional<bool> restrict_embedded;
  std::optional<bool> destroy_interpreter;
  std::optional<bool> case_sensitivity;
  std::optional<unsigned> interpreter_limit;
  std::optional<bool> server_metrics;
  std::optional<bool> metrics;
  std::optional<std::string_view> python_eggs;
  std::optional<std::string_view> socket_prefix;
  std::optional<std::string_view> monitor_group;
  std::optional<bool> status_stacks;
  std::optional<Logging> logging;
  std::optional<Seconds> slow_requests;  // 0: none is
};

// What is run for a request, and how; set per server, per directory and per alias. httpd merges
// these for each request, so they copy as plain bytes. Texts as in ProcessSettings.
struct RequestSettings {
  std::optional<std::string_view> process_group;
  std::optional<NameList> restrict_process;
  std::optional<std::string_view> application_group;  // its default depends on the process group
  std::optional<std::string_view> callable_object;
  std::optional<gateway::Protocol> interface;  // its default is the process group's
  std::optional<bool> script_reloading;
  std::optional<PassAuthorization> pass_authorization;
  std::optional<bool> chunked_request;
  std::optional<bool> request_buffering;
  std::optional<HeadMapping> map_head_to_get;
  std::optional<bool> enable_sendfile;
  std::optional<bool> error_override;
  std::optional<bool> internal_redirect;
  std::optional<bool> ignore_activity;
  std::optional<bool> pass_apache_request;
  std::optional<bool> status_local_only;
  std::optional<NetworkList> trusted_proxies;
  std::optional<ForwardedHeaderList> trusted_proxy_headers;
  std::optional<Tracing> tracing;
};

inline ProcessSettings process_defaults() {
  return {.python_home = {},
          .python_path = {},
          .optimize = 0,
          .warnings = {},
          .hash_seed = HashSeed{},
          .dont_write_bytecode = false,
          .switch_interval = {},
          .restrict_stdin = false,
          .restrict_stdout = false,
          .restrict_signal = true,
          .per_interpreter_gil = false,
          .restrict_embedded = false,
          .destroy_interpreter = true,
          .case_sensitivity = true,
          .interpreter_limit = 64,
          .server_metrics = false,
          .metrics = false,
          .python_eggs = {},
          .socket_prefix = {},
          .monitor_group = {},
          .status_stacks = false,
          .logging = Logging{},
          .slow_requests = Seconds(0)};
}

// Every member is set but those that have no default.
inline constexpr RequestSettings kRequestDefaults{.process_group = kGlobalName,
                                                  .restrict_process = {},
                                                  .application_group = {},
                                                  .callable_object = "application",
                                                  .interface = {},
                                                  .script_reloading = true,
                                                  .pass_authorization = PassAuthorization::off,
                                                  .chunked_request = true,
                                                  .request_buffering = true,
                                                  .map_head_to_get = HeadMapping::automatic,
                                                  .enable_sendfile = false,
                                                  .error_override = false,
                                                  .internal_redirect = false,
                                                  .ignore_activity = false,
                                                  .pass_apache_request = false,
                                                  .status_local_only = true,
                                                  .trusted_proxies = {},
                                                  .trusted_proxy_headers = {},
                                                  .tracing = Tracing::log};

}  // namespace pyhost::settings
