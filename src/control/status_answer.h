// What the supervisor answers to the command status; operator_protocol.h shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"

namespace pyhost::control {

// States and roles travel as words, so that a reader can show those that it does not know. These
// are the ones that it tells apart.
inline constexpr char kServingState[] = "serving";  // of a group
inline constexpr char kDegradedState[] = "degraded";
inline constexpr char kStartingState[] = "starting";
inline constexpr char kReadyState[] = "ready";  // of a worker
inline constexpr char kWorkerRole[] = "worker";
inline constexpr char kKeeperRole[] = "keeper";
inline constexpr char kCurrentScript[] = "current";
inline constexpr char kKeptScript[] = "kept";
inline constexpr char kBrokenScript[] = "broken";

// Moments are microseconds since the epoch.
struct StatusAnswer {
  struct Supervisor {
    std::int64_t pid = 0;
  };
  struct Death {
    std::uint32_t generation = 0;
    std::int64_t pid = 0;
    std::int64_t time_us = 0;
    std::string description;
  };
  struct Worker {
    std::uint32_t slot = 0;
    std::string role = kWorkerRole;
    std::string state;
    std::int64_t pid = 0;  // 0: none
    std::uint32_t generation = 0;
    std::uint64_t requests = 0;
    std::uint32_t busy_threads = 0;
    std::uint64_t resident_bytes = 0;  // these two are 0 until it was looked at
    std::uint64_t processor_us = 0;
    std::optional<Death> last_death;
  };
  struct Script {
    std::string application_group;
    std::string script;
    std::string state;
    std::optional<std::string> reason;     // unless it is current
    std::optional<std::int64_t> since_us;  // the same
    std::vector<std::uint32_t> slots;
  };
  struct Request {
    std::string method;
    std::string path;
    std::string id;
    std::uint64_t age_us = 0;
    std::optional<std::uint32_t> slot;  // of the worker that has it
    std::int64_t pid = 0;               // of that, or of httpd's child
  };
  struct Group {
    std::string name;
    std::string state;
    std::optional<std::string> reason;
    std::uint32_t processes = 0;
    std::uint32_t threads = 0;
    std::uint32_t waiting = 0;
    std::vector<Worker> workers;
    std::vector<Script> scripts;
    std::vector<Request> running;  // the oldest first
  };
  struct Refusal {
    std::string reason;
    std::int64_t since_us = 0;
  };
  Supervisor supervisor;
  std::optional<Refusal> refused;
  std::vector<Group> groups;
};

std::string to_json(const StatusAnswer& answer);
// It may come from a supervisor of another build: a member that is missing or of another type has
// its default, and one that is not known is passed over. Fails for what is no such answer.
base::Result<StatusAnswer> parse_status_answer(std::string_view text);

}  // namespace pyhost::control
