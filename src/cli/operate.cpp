#include "cli/operate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/operator_connection.h"
#include "cli/status.h"
#include "control/operator_protocol.h"
#include "control/operator_request.h"
#include "control/work_answer.h"
#include "serve/server_root.h"

namespace pyhost::cli {
namespace {

base::Result<int> run(const OperateOptions& options) {
  PH_TRY(socket, operator_socket(options));
  PH_TRY(answer, ask_supervisor(socket, request_line(options)));
  PH_TRY_VOID(refusal_in(answer));
  if (const auto metrics = control::parse_metrics_answer(answer)) {
    fmt::print("{}", *metrics);
  } else if (const auto work = control::parse_work_answer(answer)) {
    fmt::print("{}",
               options.json ? ascii_of(answer) + '\n' : control::work_text(options.group, *work));
  } else if (const auto done = control::parse_short_answer(answer)) {
    fmt::print("{}\n", base::printable(**done));
  } else {
    return base::fail("the supervisor's answer is not understood; it may be of another version");
  }
  return 0;
}

}  // namespace

std::string system_socket() {
  return control::operator_socket_in(PYHOST_RUNTIME_DIR);
}

base::Result<std::string> operator_socket(const OperateOptions& options) {
  if (!options.socket.empty()) return options.socket;
  if (!options.server_root.empty()) return control::operator_socket_in(options.server_root);
  if (access(system_socket().c_str(), F_OK) == 0) return system_socket();
  const auto roots = serve::server_roots_in_use();
  if (roots.size() > 1) {
    return base::fail(
        fmt::format("several pyhost serve run; name one of them with --server-root: {}",
                    fmt::join(roots, ", ")));
  }
  return roots.empty() ? system_socket() : control::operator_socket_in(roots.front());
}

std::string request_line(const OperateOptions& options) {
  using control::OperatorRequest;
  const auto waiting = options.wait ? OperatorRequest::Waiting::on : OperatorRequest::Waiting::off;
  return to_json(OperatorRequest{.command = *options.command,
                                 .group = options.group,
                                 .waiting = waiting,
                                 .openmetrics = options.openmetrics});
}

std::string ascii_of(std::string_view json) {
  return nlohmann::ordered_json::parse(json).dump(-1, ' ', true);
}

base::Result<> refusal_in(std::string_view answer) {
  const auto short_answer = control::parse_short_answer(answer);
  if (!short_answer || *short_answer) return {};
  return base::fail(base::printable(short_answer->error().sentence));
}

int operate(const OperateOptions& options) {
  if (options.command == control::OperatorRequest::Command::status) return show_status(options);
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
