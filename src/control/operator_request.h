// One command of an operator, and its answers; see operator_protocol.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::control {

struct OperatorRequest {
  enum class Command { status, metrics, dump, reload, stop, start, reset_metrics };
  enum class Waiting { off, on };
  Command command = Command::status;
  std::string group;  // "": all
  Waiting waiting = Waiting::on;
  bool openmetrics = false;  // of metrics: in that format

  bool operator==(const OperatorRequest&) const = default;
};

// "reload".
std::string_view name_of(OperatorRequest::Command command) noexcept;

// The socket of the supervisor when WSGISocketPrefix is not given: in httpd's run-time folder
// (DefaultRuntimeDir).
std::string operator_socket_in(std::string_view runtime_folder);

// Fails with a sentence for what is no request.
base::Result<OperatorRequest> parse_operator_request(std::string_view line);

// One line without its end, and nothing when there is no command of that name.
std::string to_json(const OperatorRequest& request);
std::optional<OperatorRequest::Command> command_of(std::string_view name) noexcept;

// Whether the command may be for all groups.
bool may_be_for_all(OperatorRequest::Command command) noexcept;
// Whether it is for whoever may look, but not command.
bool only_looks(OperatorRequest::Command command) noexcept;

std::string metrics_answer(std::string_view text);
// The text; nothing for any other answer.
std::optional<std::string> parse_metrics_answer(std::string_view line);
std::string done_answer(std::string_view sentence);
std::string error_answer(std::string_view sentence);

// An answer that is one of those: the sentence of `done`, or an error with that of `error`. Nothing
// for any other answer; see status_answer.h.
std::optional<base::Result<std::string>> parse_short_answer(std::string_view line);

}  // namespace pyhost::control
