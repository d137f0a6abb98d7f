// A process group: everything a WSGIDaemonProcess line says, parsed and checked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/event_loops.h"
#include "pyhost/gateway/target.h"

namespace pyhost::settings {

// What a restart of httpd does to the workers of a group that it finds unchanged.
enum class Reload { rolling, off };

// The options of one group with their defaults. A plain value: it owns its texts, copies and
// compares. Times are durations, of which 0 means "off" unless the member says something else; an
// empty text or list means that the option was not given.
struct ProcessGroup {
  std::string name;

  // Identity. Users and groups are names or "#id".
  std::string user;   // httpd's
  std::string group;  // httpd's, even when `user` is given
  std::optional<std::vector<std::string>> supplementary_groups;  // those of the user
  std::optional<unsigned> umask;                                 // httpd's
  std::string chroot;
  std::string home;  // the user's when it is not httpd's, otherwise httpd's working directory
  std::string lang;
  std::string locale;
  std::vector<std::string> env;  // NAME=value, in the order of the line; a later one wins
  std::string env_file;
  std::string display_name;
  int cpu_priority = 0;
  std::optional<int> oom_score_adjust;  // httpd's
  std::string script_user;
  std::string script_group;

  // Python.
  std::string python;                    // its version; "": the one that the home has
  std::string python_home;               // WSGIPythonHome's
  std::vector<std::string> python_path;  // site directories
  std::string python_eggs;
  std::optional<double> switch_interval;  // seconds
  std::optional<bool> per_interpreter_gil;
  std::uint64_t stack_size_bytes = 0;  // 0: what Python needs
  bool server_metrics = false;
  std::string newrelic_config_file;
  std::string newrelic_environment;

  // How applications are called, and those with event loops run.
  gateway::Protocol interface = gateway::Protocol::detected;
  gateway::LifespanUse lifespan = gateway::LifespanUse::detected;
  gateway::LoopKind loop = gateway::LoopKind::detected;
  unsigned connections = 100;
  gateway::HttpSpec asgi_spec = gateway::HttpSpec::v2_3;
  bool asgi_tls = false;
  bool asgi_environ = false;
  std::chrono::milliseconds disconnect_grace{0};
  std::chrono::milliseconds websocket_ping_interval{20'000};  // 0: none
  std::chrono::milliseconds websocket_ping_timeout{20'000};   // 0: no limit
  std::uint64_t websocket_message_bytes_max = 16 * 1024 * 1024;
  bool websocket_compression = false;
  std::chrono::milliseconds websocket_connect_timeout{20'000};  // 0: no limit
  std::chrono::milliseconds websocket_drain{10'000};

  // Concurrency and transport.
  std::optional<unsigned> processes;  // given, even as 1, it makes wsgi.multiprocess true
  unsigned threads = 15;              // 0: a service without requests
  unsigned queue = 100;               // requests that wait beyond processes x threads
  unsigned listen_backlog = 100;
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds socket_timeout{0};  // 0: httpd's Timeout
  std::chrono::milliseconds queue_timeout{0};
  std::chrono::milliseconds response_socket_timeout{0};  // 0: socket_timeout
  std::uint64_t response_buffer_size_bytes = 0;          // 0: 8 MiB
  std::chrono::milliseconds response_flush_delay{5};
  std::uint64_t header_buffer_size_bytes = 0;   // 0: 32 KiB
  std::uint64_t send_buffer_size_bytes = 0;     // 0: the system's
  std::uint64_t receive_buffer_size_bytes = 0;  // 0: the system's
  std::string socket_user;                      // httpd's

  std::uint64_t metrics_bytes = 256 * 1024;  // of applications; 0: none

  // Limits and life.
  Reload reload = Reload::rolling;
  bool reload_fallback = true;
  std::vector<std::string> reload_on;  // globs that base::PathGlob accepts
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t virtual_memory_limit_bytes = 0;
  std::chrono::milliseconds cpu_time_limit{0};
  unsigned maximum_requests = 0;
  std::chrono::milliseconds restart_interval{0};
  std::chrono::milliseconds inactivity_timeout{0};
  std::chrono::milliseconds request_timeout{0};
  std::chrono::milliseconds interrupt_timeout{0};
  std::chrono::milliseconds deadlock_timeout{300'000};
  std::chrono::milliseconds startup_timeout{0};
  std::chrono::milliseconds graceful_timeout{15'000};  // 0: requests are not waited for
  std::chrono::milliseconds eviction_timeout{0};       // 0: graceful_timeout
  std::chrono::milliseconds shutdown_timeout{5'000};   // 0: no limit of its own

  bool operator==(const ProcessGroup&) const = default;
};

// What shutdown_timeout = 0 comes to.
inline constexpr std::chrono::milliseconds kUnlimitedShutdown{60'000};

// How many workers the group has.
inline unsigned worker_count(const ProcessGroup& group) noexcept {
  return group.processes.value_or(1);
}

// How many requests each of them takes at a time. What is told to be ASGI needs no thread for each.
inline unsigned places_of_worker(const ProcessGroup& group) noexcept {
  const bool more = group.threads != 0 && needs_loop(group.interface);
  return more ? std::max(group.threads, group.connections) : group.threads;
}

// "5 threads", "100 connections".
inline std::string places_text(const ProcessGroup& group) {
  const unsigned places = places_of_worker(group);
  return std::to_string(places) + (places > group.threads ? " connections" : " threads");
}

// The same at most: one that has found out that all of its applications are ASGI.
inline unsigned places_max_of_worker(const ProcessGroup& group) noexcept {
  const bool may_be_more = group.threads != 0 && group.interface != gateway::Protocol::wsgi;
  return may_be_more ? std::max(group.threads, group.connections) : group.threads;
}

struct ProcessGroupOption;

// How one member of a group is read and shown.
struct ProcessGroupMember {
  // Fails with a sentence that names the group, the option, the value and what is accepted.
  base::Result<> (*assign)(ProcessGroup& group, const ProcessGroupOption& option,
                           std::string_view value);
  // The values as they would be written, one for each time the option has to be; none when it is
  // not given and has no default.
  std::vector<std::string> (*show)(const ProcessGroup& group, const ProcessGroupOption& option);
};

// One option: its declaration, from which parsing, showing and the reference page follow.
struct ProcessGroupOption {
  const char* key;  // "listen-backlog"
  ProcessGroupMember member;
  const char* accepted;     // "a number from 1 to 9": completes a sentence about a wrong value
  const char* description;  // a paragraph
  // For texts and items of lists: whether one is accepted. nullptr: any that is not empty.
  bool (*accepts)(std::string_view text) noexcept = nullptr;
  // For these too: an empty one is the same as none, as templates write it.
  bool empty_too = false;
  // For numbers, sizes and times (in ms): the bounds. With `zero_too`, 0 is below them and
  // accepted.
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  bool zero_too = false;
  // For small numbers: one beyond the bounds is taken for the bound.
  bool clamped = false;
  // For times: what a plain number counts.
  std::chrono::milliseconds unit{1000};
  // For lists: what stands between the items; 0 when the option is repeated instead.
  char separator = 0;
  // Why it is accepted without effect: a sentence. nullptr: it has one.
  const char* inert = nullptr;
};

// In the order of the reference page; static storage.
std::span<const ProcessGroupOption> process_group_options() noexcept;

// Sets one option. Fails with a sentence that names the group, the option, the value and what is
// accepted; `group` is then unchanged.
base::Result<> parse_process_group_option(ProcessGroup& group, std::string_view key,
                                          std::string_view value);

// What no single option can tell: an empty name, options that exclude each other.
base::Result<> check_process_group(const ProcessGroup& group);

// Whether it differs from its default.
bool is_given(const ProcessGroup& group, const ProcessGroupOption& option);

// An option in which two definitions of a group differ, as each of them has it: "threads=5", or "no
// threads=".
struct OptionDifference {
  std::string_view key;
  std::string first;
  std::string second;
};

// The first one, in the order of the reference page; nothing when they are the same but for their
// names.
std::optional<OptionDifference> first_difference(const ProcessGroup& first,
                                                 const ProcessGroup& second);

// Every option that differs from its default, as pairs that parse_process_group_option() takes.
std::vector<std::pair<std::string, std::string>> given_options(const ProcessGroup& group);

}  // namespace pyhost::settings
