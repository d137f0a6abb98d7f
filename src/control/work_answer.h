// What the supervisor answers to the command dump; operator_protocol.h shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/status_answer.h"
#include "pyhost/base/result.h"

namespace pyhost::control {

// What one worker does.
struct WorkerWork {
  std::uint32_t slot = 0;
  std::string role = kWorkerRole;
  std::int64_t pid = 0;
  std::uint32_t generation = 0;
  std::string text;  // the worker's own word, any bytes
  std::optional<std::string> problem;

  bool operator==(const WorkerWork&) const = default;
};

std::string work_answer(const std::vector<WorkerWork>& workers);
// Nothing for any other answer.
std::optional<std::vector<WorkerWork>> parse_work_answer(std::string_view line);

// What the workers of a group do, for people: nothing that a worker says can be taken for a line of
// ours, or is obeyed by a terminal.
std::string work_text(std::string_view group, const std::vector<WorkerWork>& workers);

}  // namespace pyhost::control
