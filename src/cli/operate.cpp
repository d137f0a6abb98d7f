#include "cli/operate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/printable.h"
#include "cli/operator_connection.h"
#include "control/operator_protocol.h"
#include "control/operator_request.h"

namespace pyhost::cli {
namespace {

base::Result<int> run(const OperateOptions& options) {
  PH_TRY(answer, ask_supervisor(operator_socket(options), request_line(options)));
  if (auto short_answer = control::parse_short_answer(answer)) {
    if (!*short_answer) return base::fail(base::printable(short_answer->error().sentence));
    fmt::print("{}\n", base::printable(**short_answer));
  } else if (options.json) {
    // ASCII only, as applications have a say in its texts.
    fmt::print("{}\n", nlohmann::ordered_json::parse(answer).dump(-1, ' ', true));
  } else {
    PH_TRY(table, status_table(answer, base::now_us()));
    fmt::print("{}", table);
  }
  return 0;
}

}  // namespace

std::string operator_socket(const OperateOptions& options) {
  if (!options.socket.empty()) return options.socket;
  const std::string folder = options.server_root.empty() ? PYHOST_RUNTIME_DIR : options.server_root;
  return fmt::format("{}/{}{}", folder, control::kDefaultSocketName,
                     control::kOperatorSocketSuffix);
}

std::string request_line(const OperateOptions& options) {
  using control::OperatorRequest;
  const auto waiting = options.wait ? OperatorRequest::Waiting::on : OperatorRequest::Waiting::off;
  return to_json(
      OperatorRequest{.command = *options.command, .group = options.group, .waiting = waiting});
}

int operate(const OperateOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
