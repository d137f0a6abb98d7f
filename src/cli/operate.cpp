#include "cli/operate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/printable.h"
#include "cli/operator_connection.h"
#include "control/operator_protocol.h"
#include "control/operator_request.h"
#include "serve/server_root.h"

namespace pyhost::cli {
namespace {

base::Result<int> run(const OperateOptions& options) {
  PH_TRY(socket, operator_socket(options));
  PH_TRY(answer, ask_supervisor(socket, request_line(options)));
  if (const auto metrics = control::parse_metrics_answer(answer)) {
    fmt::print("{}", *metrics);
  } else if (auto short_answer = control::parse_short_answer(answer)) {
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

int operate(const OperateOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
