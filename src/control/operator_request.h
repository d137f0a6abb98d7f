// One command of an operator, and its answers; see gateway/operator_protocol.h.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::control {

struct OperatorRequest {
  enum class Command { status, reload, stop, start };
  enum class Waiting { off, on };
  Command command = Command::status;
  std::string group;  // "": all
  Waiting waiting = Waiting::on;

  bool operator==(const OperatorRequest&) const = default;
};

// "reload".
std::string_view name_of(OperatorRequest::Command command) noexcept;

// Fails with a sentence for what is no request.
base::Result<OperatorRequest> parse_operator_request(std::string_view line);

std::string done_answer(std::string_view sentence);
std::string error_answer(std::string_view sentence);

}  // namespace pyhost::control
